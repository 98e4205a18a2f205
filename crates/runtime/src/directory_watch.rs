//! Watching a directory: who is in it, and then who comes and goes.
//!
//! What a watch is to be told waits in a bounded line that stands beside the entries, under their lock. A watch that is
//! behind has an empty line; whoever reads it next gets everybody who is there then, and from there on the changes. So
//! there is no gap and no duplicate, however slow the reader is. A directory that nobody watches pays for none of it.
//! What groups tell is theirs to say: see `minder-groups`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use minder_signals::ActorId;

use crate::directory::{Directory, Listed};
use crate::why::Why;

/// How many changes wait for a watch before it is told the whole again.
const BOUND: usize = 1_024;

/// What a [`DirectoryWatch`] tells.
#[non_exhaustive]
pub enum DirectoryEvent<K, V> {
    /// These are the entries now, in the order in which they were made. The first event, and again whenever more than 1,024
    /// changes were waiting: forget what was told before.
    All(Vec<(K, Listed<V>)>),
    /// An entry was made.
    Entered(K, Listed<V>),
    /// The value of an entry was changed: this is the new one.
    Updated(K, Listed<V>),
    /// An entry of this actor is gone: it withdrew it, or has ended.
    Left(K, ActorId, Why),
}

/// Tells who is in a directory, once, and then every change, in the order in which they happened. A [`Stream`] that does
/// not end: an actor attaches it with [`Context::attach`](crate::Context::attach), so that its mailbox's bound holds.
///
/// An entry of an actor that ends has left before anybody hears of that end.
///
/// # Cancel safety
/// No event is lost when the future of [`DirectoryWatch::next`] is dropped.
///
/// # OTP
/// The `listeners` of Elixir's `Registry`, which begin with nothing and have no bound. They are told of what is entered and
/// withdrawn, and of no deaths: here that is [`DirectoryEvent::Entered`], and [`DirectoryEvent::Left`] with [`Why::Asked`].
///
/// ```
/// use minder_runtime::{Actor, Context, Directory, DirectoryEvent, ExitReason, Handled, Reply, System, Why};
///
/// struct Worker(Directory<&'static str, u32>);
/// impl Actor for Worker {
///     type Msg = Reply<()>;
///     async fn started(&mut self, context: &mut Context<Reply<()>>) -> Handled {
///         self.0.enlist(context, "resizing", 4);
///         Ok(())
///     }
///     async fn handle(&mut self, reply: Reply<()>, _: &mut Context<Reply<()>>) -> Handled {
///         drop(reply.send(()));
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (system, workers) = (System::new()?, Directory::new());
/// let mut watch = workers.watch();
/// assert!(matches!(watch.next().await, DirectoryEvent::All(nobody) if nobody.is_empty()));
/// let its = workers.clone();
/// let worker = system.spawn(move || Worker(its))?;
/// assert!(matches!(watch.next().await, DirectoryEvent::Entered("resizing", it) if *it.value == 4));
/// worker.kill();
/// let killed = Why::Ended(ExitReason::Killed);
/// assert!(matches!(watch.next().await, DirectoryEvent::Left("resizing", _, why) if why == killed));
/// # Ok(())
/// # }
/// ```
pub struct DirectoryWatch<K, V> {
    directory: Directory<K, V>,
    number: u64,
}

/// What waits for those who watch one directory.
pub(crate) struct Feeds<K, V> {
    given: u64,
    all: BTreeMap<u64, Feed<K, V>>,
}

pub(crate) struct Feed<K, V> {
    changes: VecDeque<DirectoryEvent<K, V>>,
    is_behind: bool,
    waker: Option<Waker>,
}

/// What is to be done once the lock is released: wakers and values are foreign code.
#[must_use]
pub(crate) struct Aftermath<K, V> {
    wakers: Vec<Waker>,
    dropped: Vec<VecDeque<DirectoryEvent<K, V>>>,
}

impl<K, V> Feeds<K, V> {
    pub(crate) fn new() -> Self {
        Self { given: 0, all: BTreeMap::new() }
    }

    /// One more, which is behind: it begins with the whole.
    pub(crate) fn add(&mut self) -> u64 {
        self.given += 1;
        self.all.insert(self.given, Feed { changes: VecDeque::new(), is_behind: true, waker: None });
        self.given
    }

    /// Puts these changes into every line.
    pub(crate) fn tell(&mut self, changes: &[DirectoryEvent<K, V>]) -> Aftermath<K, V>
    where
        K: Clone,
    {
        let mut aftermath = Aftermath { wakers: Vec::new(), dropped: Vec::new() };
        for feed in self.all.values_mut().filter(|_| !changes.is_empty()) {
            if !feed.is_behind && feed.changes.len() + changes.len() > BOUND {
                feed.is_behind = true;
                aftermath.dropped.push(std::mem::take(&mut feed.changes));
            }
            if !feed.is_behind {
                feed.changes.extend(changes.iter().cloned());
            }
            aftermath.wakers.extend(feed.waker.take());
        }
        aftermath
    }

    /// Whether anybody is to be told.
    pub(crate) fn any(&self) -> bool {
        !self.all.is_empty()
    }

    /// The next event of one, which is the whole if it is behind, or else leaves its waker there.
    pub(crate) fn take(
        &mut self,
        number: u64,
        cx: &mut Context<'_>,
        whole: impl FnOnce() -> Vec<(K, Listed<V>)>,
    ) -> Poll<DirectoryEvent<K, V>> {
        let feed = self.all.get_mut(&number).expect("a feed is there until its watch is dropped");
        if std::mem::take(&mut feed.is_behind) {
            return Poll::Ready(DirectoryEvent::All(whole()));
        }
        if let Some(change) = feed.changes.pop_front() {
            return Poll::Ready(change);
        }
        feed.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes one out, to be dropped with no lock.
    #[must_use]
    pub(crate) fn remove(&mut self, number: u64) -> Option<Feed<K, V>> {
        self.all.remove(&number)
    }
}

impl<K, V> Aftermath<K, V> {
    /// Call with no lock.
    pub(crate) fn settle(self) {
        self.wakers.into_iter().for_each(Waker::wake);
        drop(self.dropped);
    }
}

impl<K, V> DirectoryWatch<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    pub(crate) fn new(directory: Directory<K, V>, number: u64) -> Self {
        Self { directory, number }
    }

    /// The next event.
    pub async fn next(&mut self) -> DirectoryEvent<K, V> {
        poll_fn(|cx| self.directory.poll_watch(self.number, cx)).await
    }
}

impl<K, V> Stream for DirectoryWatch<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    type Item = DirectoryEvent<K, V>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.directory.poll_watch(self.number, cx).map(Some)
    }
}

impl<K, V> Drop for DirectoryWatch<K, V> {
    fn drop(&mut self) {
        self.directory.watch_no_longer(self.number);
    }
}

impl<K, V> fmt::Debug for DirectoryWatch<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DirectoryWatch")
    }
}

impl<K: Clone, V> Clone for DirectoryEvent<K, V> {
    fn clone(&self) -> Self {
        match self {
            Self::All(entries) => Self::All(entries.clone()),
            Self::Entered(key, entry) => Self::Entered(key.clone(), entry.clone()),
            Self::Updated(key, entry) => Self::Updated(key.clone(), entry.clone()),
            Self::Left(key, owner, why) => Self::Left(key.clone(), *owner, why.clone()),
        }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for DirectoryEvent<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(entries) => f.debug_tuple("All").field(entries).finish(),
            Self::Entered(key, entry) => f.debug_tuple("Entered").field(key).field(entry).finish(),
            Self::Updated(key, entry) => f.debug_tuple("Updated").field(key).field(entry).finish(),
            Self::Left(key, owner, why) => f.debug_tuple("Left").field(key).field(owner).field(why).finish(),
        }
    }
}
