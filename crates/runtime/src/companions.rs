//! What an incarnation has set going beside its handlers: jobs, streams, closures that block. It has not ended before all
//! of them are gone: whatever they hold (a file, a connection) is free again when the next one starts.
//! Counts them and tells them to go; each drops what it holds by itself, where it runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use minder_signals::ExitReason;

#[derive(Default)]
pub(crate) struct Companions {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    last: u64,
    /// Those that can be told to go, with whom to wake for it. Ordered: they are woken in the order in which they came.
    cancellable: BTreeMap<u64, Option<Waker>>,
    /// Why everybody has been told to go: the incarnation ends. Whoever comes now need not begin.
    dismissed: Option<ExitReason>,
    /// The departure that waits for them.
    departure: Option<Waker>,
}

/// One of them; dropping it says that nothing is left of it.
pub(crate) struct Companion {
    of: Arc<Companions>,
    /// 0 for one that cannot be told to go.
    number: u64,
}

impl Companions {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in one that ends by itself only.
    pub(crate) fn enter(self: &Arc<Self>) -> Companion {
        self.lock().running += 1;
        Companion { of: self.clone(), number: 0 }
    }

    /// Takes in one that can be told to go.
    pub(crate) fn enter_cancellable(self: &Arc<Self>) -> Companion {
        let mut state = self.lock();
        state.running += 1;
        state.last += 1;
        let number = state.last;
        if state.dismissed.is_none() {
            state.cancellable.insert(number, None);
        }
        Companion { of: self.clone(), number }
    }

    /// Tells one to go; false if it is gone, or going.
    pub(crate) fn cancel(&self, number: u64) -> bool {
        let Some(waker) = self.lock().cancellable.remove(&number) else { return false };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Tells all of them to go, for the reason for which the incarnation ends.
    pub(crate) fn dismiss(&self, reason: &ExitReason) {
        let mut state = self.lock();
        state.dismissed = Some(reason.clone());
        let all = std::mem::take(&mut state.cancellable);
        drop(state);
        all.into_values().flatten().for_each(Waker::wake);
    }

    /// Ready once nobody is left.
    pub(crate) fn poll_empty(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.lock();
        if state.running == 0 {
            return Poll::Ready(());
        }
        state.departure = Some(waker.clone());
        Poll::Pending
    }
}

impl Companion {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Why the incarnation ends, if it does.
    pub(crate) fn dismissed(&self) -> Option<ExitReason> {
        self.of.lock().dismissed.clone()
    }

    /// Whether it was told to go; if not, `waker` is woken for that.
    pub(crate) fn is_cancelled(&self, waker: &Waker) -> bool {
        let mut state = self.of.lock();
        let Some(known) = state.cancellable.get_mut(&self.number) else { return self.number != 0 };
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
        false
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        let mut state = self.of.lock();
        state.running -= 1;
        state.cancellable.remove(&self.number);
        let waiting = if state.running == 0 { state.departure.take() } else { None };
        drop(state);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}
