//! One question to many actors: all answers, the first, or as many as are needed. No task is spawned for it: the asks are
//! polled by whoever waits, and those that are not needed any more are dropped, so that their work is skipped.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::addr::Addr;
use crate::ask::DEFAULT_DEADLINE;
use crate::reply::{AskError, Reply};

/// A question to many, and what is to be done with the answers. Made by [`ask_many`].
#[must_use = "it asks nobody before `all`, `first` or `quorum` is awaited"]
pub struct AskMany<M, T> {
    to: Vec<Addr<M>>,
    messages: Vec<Question<M, T>>,
    within: Duration,
}

type Question<M, T> = Box<dyn FnOnce(Reply<T>) -> M + Send>;

/// Too few of the asked have answered. Each stands under its place among them.
#[derive(PartialEq)]
pub struct NoQuorum<M, T> {
    /// The answers there were.
    pub answers: Vec<(usize, T)>,
    /// Why the others have not answered. Those that are in neither list were still awaited when it was clear that there
    /// would not be enough.
    pub failures: Vec<(usize, AskError<M>)>,
}

/// Asks every one of these actors, within one deadline, the same question; `message` makes it for each of them.
///
/// ```
/// use minder_runtime::{Addr, AskError, Reply, ask_many};
///
/// enum Replica {
///     Read(String, Reply<Option<u64>>),
/// }
///
/// /// The freshest of what two of three say.
/// async fn read(replicas: &[Addr<Replica>], key: &str) -> Result<Option<u64>, String> {
///     let asked = ask_many(replicas, |_| {
///         let key = key.to_owned();
///         move |reply| Replica::Read(key, reply)
///     });
///     let answers = asked.quorum(2).await.map_err(|short| short.to_string())?;
///     Ok(answers.into_iter().filter_map(|(_, version)| version).max())
/// }
/// ```
///
/// When not to use this: to ask hundreds. Each answer looks at all asks that are not answered yet.
pub fn ask_many<'a, M, T, Q>(
    actors: impl IntoIterator<Item = &'a Addr<M>>,
    mut message: impl FnMut(usize) -> Q,
) -> AskMany<M, T>
where
    M: Send + 'static,
    T: Send + 'static,
    Q: FnOnce(Reply<T>) -> M + Send + 'static,
{
    let to: Vec<Addr<M>> = actors.into_iter().cloned().collect();
    let messages = (0..to.len()).map(|at| Box::new(message(at)) as Question<M, T>).collect();
    AskMany { to, messages, within: DEFAULT_DEADLINE }
}

impl<M: Send + 'static, T: Send + 'static> AskMany<M, T> {
    /// With this deadline instead of 5 seconds.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// What came of every ask, in the order of the actors.
    ///
    /// # Cancel safety
    /// As [`Addr::ask`], for each.
    pub async fn all(self) -> Vec<Result<T, AskError<M>>> {
        let mut asks = Asks::begin(self);
        let mut outcomes: Vec<_> = asks.pending.iter().map(|_| None).collect();
        while let Some((at, outcome)) = asks.next().await {
            outcomes[at] = Some(outcome);
        }
        outcomes.into_iter().flatten().collect()
    }

    /// The first answer, and whose it is. The other asks are dropped.
    ///
    /// # Errors
    /// If nobody answers: why, in the order of the actors.
    ///
    /// # Cancel safety
    /// As [`Addr::ask`], for each.
    pub async fn first(self) -> Result<(usize, T), Vec<AskError<M>>> {
        match self.quorum(1).await {
            Ok(mut answers) => Ok(answers.remove(0)),
            Err(NoQuorum { mut failures, .. }) => {
                failures.sort_by_key(|(at, _)| *at);
                Err(failures.into_iter().map(|(_, error)| error).collect())
            }
        }
    }

    /// As soon as there are so many answers, these, in the order in which they came. The other asks are dropped.
    ///
    /// # Errors
    /// As soon as there cannot be so many any more: what there is.
    ///
    /// # Cancel safety
    /// As [`Addr::ask`], for each.
    pub async fn quorum(self, needed: usize) -> Result<Vec<(usize, T)>, NoQuorum<M, T>> {
        let mut asks = Asks::begin(self);
        let (mut answers, mut failures) = (Vec::new(), Vec::new());
        while answers.len() < needed {
            if answers.len() + asks.left() < needed {
                return Err(NoQuorum { answers, failures });
            }
            match asks.next().await {
                Some((at, Ok(answer))) => answers.push((at, answer)),
                Some((at, Err(error))) => failures.push((at, error)),
                None => break,
            }
        }
        Ok(answers)
    }
}

/// The asks that are under way.
struct Asks<M, T> {
    pending: Vec<Option<Asking<M, T>>>,
}

type Asking<M, T> = Pin<Box<dyn Future<Output = Result<T, AskError<M>>> + Send>>;

/// One of them that is over, and where it stands.
type Over<M, T> = (usize, Result<T, AskError<M>>);

impl<M: Send + 'static, T: Send + 'static> Asks<M, T> {
    fn begin(many: AskMany<M, T>) -> Self {
        let within = many.within;
        let asks = many.to.into_iter().zip(many.messages).map(|(to, message)| {
            let asking: Asking<M, T> = Box::pin(async move { to.ask_within(within, message).await });
            Some(asking)
        });
        Self { pending: asks.collect() }
    }

    fn left(&self) -> usize {
        self.pending.iter().flatten().count()
    }

    /// The next one to be over, and where it stands; nothing once all are.
    async fn next(&mut self) -> Option<Over<M, T>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Over<M, T>>> {
        let mut is_over = true;
        let mut first = None;
        for (at, place) in self.pending.iter_mut().enumerate() {
            let Some(ask) = place else { continue };
            is_over = false;
            if first.is_some() {
                continue;
            }
            if let Poll::Ready(outcome) = ask.as_mut().poll(cx) {
                *place = None;
                first = Some((at, outcome));
            }
        }
        if first.is_some() || is_over { Poll::Ready(first) } else { Poll::Pending }
    }
}

impl<M, T> fmt::Display for NoQuorum<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too few have answered: {}", self.answers.len())?;
        self.failures.iter().try_for_each(|(at, error)| write!(f, "; number {at}: {error}"))
    }
}

impl<M, T> fmt::Debug for NoQuorum<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<M, T> std::error::Error for NoQuorum<M, T> {}

impl<M, T> fmt::Debug for AskMany<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskMany").field("to", &self.to).field("within", &self.within).finish_non_exhaustive()
    }
}
