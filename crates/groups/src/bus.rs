//! The event bus: publishers, listeners, and a bounded line of events for each listener.
//!
//! It has no task and no actor of its own, so there is nothing in it that could crash or would have to be restarted;
//! no code of a listener runs where somebody publishes. All listeners hear in the same order, that in which events were
//! published.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::listener::{Entry, Line, Listener};
use crate::receipt::Receipt;

/// Where events of one type are published. Clones are the same bus; when the last is dropped, listeners hear what they
/// have not heard yet, and then the end.
///
/// # OTP
/// `gen_event`, but a listener is an actor or a task of its own instead of a handler inside the manager: so a slow or
/// crashing one concerns nobody else (GEV-003), its life is what ties it (GEV-004), and it is asked at its own address
/// (GEV-005). The newest hears first (GEV-001), as far as listeners that run beside each other do.
///
/// # When not to use this
/// For work that somebody has to do: events that nobody listens to are gone, and a listener may miss some. Send such
/// work to an actor or to a [`Group`](crate::Group).
pub struct Bus<E> {
    shared: Arc<Shared<E>>,
}

/// What became of an event that was [published and waited for](Bus::publish_and_wait).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeardBy {
    /// So many listeners are done with it.
    pub done: usize,
    /// So many missed it: it was displaced by newer ones, did not reach its actor, or they have stopped listening.
    pub missed: usize,
}

pub(crate) struct Shared<E> {
    /// In the order in which they came. Replaced as a whole at a change, so that those to wake are at hand without copying
    /// them at each event.
    lines: Mutex<Arc<Vec<Arc<Line<E>>>>>,
}

impl<E> Shared<E> {
    fn lock(&self) -> MutexGuard<'_, Arc<Vec<Arc<Line<E>>>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn remove(&self, line: &Arc<Line<E>>) {
        Arc::make_mut(&mut *self.lock()).retain(|known| !Arc::ptr_eq(known, line));
    }
}

impl<E> Drop for Shared<E> {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut *self.lock());
        newest_first(&lines).for_each(|line| line.close());
    }
}

/// As handlers are called by a manager of OTP's.
fn newest_first<E>(lines: &[Arc<Line<E>>]) -> impl Iterator<Item = &Arc<Line<E>>> {
    lines.iter().rev()
}

impl<E: Send + Sync + 'static> Bus<E> {
    /// A bus without listeners.
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared { lines: Mutex::default() }) }
    }

    /// Gives an event to every listener, without waiting for any. Returns how many there are; one that is so slow that
    /// its line is full misses its oldest event for this one, and will be told.
    ///
    /// # Ordering
    /// What was published by one actor or thread is heard in that order, and by all listeners in the same.
    ///
    /// An event is given to whoever began to listen last first, and so on to the first of all, and in this order they are
    /// woken. They run beside each other: on a single thread those of a kind (actors, tasks) that have nothing else to do hear it newest
    /// first; but nobody waits for another to be done, and on several threads an older one may be quicker.
    ///
    /// # OTP
    /// `gen_event:notify/2`, whose handlers run one after the other.
    pub fn publish(&self, event: impl Into<Arc<E>>) -> usize {
        self.put_in_line(event.into(), None)
    }

    /// [`Bus::publish`], and waits until everyone who listens now is done with the event. An actor is done when it has dropped
    /// the [`Delivery`](crate::Delivery), whether it goes on listening or not, or has ended; a task when it asks its [`Listener`] for the next, or drops it. Who is
    /// so slow that the event was displaced has missed it, and so has an actor whose delivery is
    /// [stopped](crate::Delivering::stop) before it comes to the event: neither holds this up.
    ///
    /// For an event that others must have acted on before the publisher goes on: a cache that is to be cleared, a plan that
    /// changes.
    ///
    /// There is no limit but those of the listeners: give it one with [`System::within`](minder_runtime::System::within). When not
    /// to use this: in an actor that listens itself, which would wait for itself, or whose listeners ask it something while
    /// they handle the event; and where listeners are many and slow, since it is as slow as the slowest.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait; once it has been polled, the event is published.
    ///
    /// # OTP
    /// `gen_event:sync_notify/2`.
    ///
    /// ```
    /// use minder_groups::{Bus, Heard, HeardBy};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let bus = Bus::<&'static str>::new();
    /// let listener = bus.listen(10);
    /// let task = tokio::spawn(async move {
    ///     while let Some(heard) = listener.next().await {
    ///         if let Heard::Event(event) = heard {
    ///             println!("{event}"); // and whatever is to be done about it
    ///         }
    ///     }
    /// });
    /// assert_eq!(bus.publish_and_wait("closing").await, HeardBy { done: 1, missed: 0 });
    /// # drop(bus);
    /// # task.await.expect("it does not panic");
    /// # }
    /// ```
    pub async fn publish_and_wait(&self, event: impl Into<Arc<E>>) -> HeardBy {
        let (receipt, mut done) = Receipt::new();
        let listeners = self.put_in_line(event.into(), Some(receipt));
        let mut heard = HeardBy { done: 0, missed: 0 };
        // Ends when there is no receipt any more.
        while done.recv().await.is_some() {
            heard.done += 1;
        }
        heard.missed = listeners - heard.done;
        heard
    }

    fn put_in_line(&self, event: Arc<E>, receipt: Option<Receipt>) -> usize {
        // What was displaced is dropped after the lock is released: that may run code of the user.
        let mut displaced = Vec::new();
        let lines = {
            // The one lock of a publication; it makes the order the same for all.
            let lines = self.shared.lock();
            for line in newest_first(&lines) {
                displaced.extend(line.push(Entry { event: event.clone(), receipt: receipt.clone() }));
            }
            lines.clone()
        };
        newest_first(&lines).for_each(|line| line.wake_one());
        lines.len()
    }

    /// Listens from now on, with a line of at most this many events (at least 1): of those that have not been heard,
    /// the latest are kept.
    pub fn listen(&self, bound: usize) -> Listener<E> {
        let line = Arc::new(Line::new(bound.max(1)));
        Arc::make_mut(&mut *self.shared.lock()).push(line.clone());
        Listener::new(line, Arc::downgrade(&self.shared))
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.shared.lock().len()
    }
}

impl<E: Send + Sync + 'static> Default for Bus<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Clone for Bus<E> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<E> fmt::Debug for Bus<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("listeners", &self.shared.lock().len()).finish()
    }
}
