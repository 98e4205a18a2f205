//! The event bus: publishers, listeners, and a bounded line of events for each listener.
//!
//! It has no task and no actor of its own, so there is nothing in it that could crash or would have to be restarted;
//! no code of a listener runs where somebody publishes. All listeners hear in the same order, that in which events were
//! published.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::listener::{Line, Listener};

/// Where events of one type are published. Clones are the same bus; when the last is dropped, listeners hear what they
/// have not heard yet, and then the end.
///
/// # OTP
/// `gen_event`, but a listener is an actor or a task of its own instead of a handler inside the manager: so a slow or
/// crashing one concerns nobody else (GEV-003), its life is what ties it (GEV-004), and it is asked at its own address
/// (GEV-005).
///
/// # When not to use this
/// For work that somebody has to do: events that nobody listens to are gone, and a listener may miss some. Send such
/// work to an actor or to a [`Group`](crate::Group).
pub struct Bus<E> {
    shared: Arc<Shared<E>>,
}

pub(crate) struct Shared<E> {
    /// Replaced as a whole at a change, so that those to wake are at hand without copying them at each event.
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
        lines.iter().for_each(|line| line.close());
    }
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
    /// # OTP
    /// `gen_event:notify/2`.
    pub fn publish(&self, event: impl Into<Arc<E>>) -> usize {
        let event = event.into();
        // What was displaced is dropped after the lock is released: that may run code of the user.
        let mut displaced = Vec::new();
        let lines = {
            // The one lock of a publication; it makes the order the same for all.
            let lines = self.shared.lock();
            for line in lines.iter() {
                displaced.extend(line.push(event.clone()));
            }
            lines.clone()
        };
        lines.iter().for_each(|line| line.wake_one());
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
