//! Asking from a thread that is no task: it parks until the answer is there.
//! Never from asynchronous code, whose thread it would take away from everyone else, the answering actor perhaps among
//! them: that is an error, and not a deadlock.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::addr::Addr;
use crate::ask::DEFAULT_DEADLINE;
use crate::deadlines::WIDTH;
use crate::frame;
use crate::reply::{AskError, Reply};
use crate::system::SystemShared;

impl<M: Send + 'static> Addr<M> {
    /// [`Addr::ask`] from a thread that is no task, such as that of a callback, a test or a command line; from a closure
    /// of `spawn_blocking` or of [`Context::blocking`](crate::Context::blocking), too.
    ///
    /// # Errors
    /// As [`Addr::ask`]; and [`AskError::WouldBlock`] in asynchronous code, in an actor for instance: await `ask` there.
    /// A cycle of asks through the actor for which a closure blocks is not found, and ends with the deadline.
    pub fn ask_blocking<T: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, AskError<M>> {
        self.ask_blocking_within(DEFAULT_DEADLINE, message)
    }

    /// [`Addr::ask_blocking`] with a deadline of one's own.
    ///
    /// # Errors
    /// As [`Addr::ask_blocking`].
    pub fn ask_blocking_within<T: Send + 'static>(
        &self,
        within: Duration,
        message: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, AskError<M>> {
        if !may_block() {
            return Err(AskError::WouldBlock);
        }
        let asked = block_on(&self.cell.core.system, within, self.ask_within(within, message));
        asked.unwrap_or(Err(AskError::TimedOut))
    }
}

/// Whether this thread may be held up.
pub(crate) fn may_block() -> bool {
    let Ok(tokio) = Handle::try_current() else { return true };
    // Only tokio knows whether this thread runs its tasks or is one of those that may block, and it says so by a panic.
    // As code of an actor, so that nothing is printed.
    frame::run_as(usize::MAX, || tokio.block_on(std::future::ready(()))).is_ok()
}

/// Parks this thread until the ask is over; nothing if its deadline has passed and nobody has said so, as when the runtime
/// does not run any more.
pub(crate) fn block_on<F: Future>(system: &SystemShared, within: Duration, ask: F) -> Option<F::Output> {
    // The clock is that of the system's runtime.
    let _inside = system.home.inside();
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut ask = pin!(ask);
    let until = system.now() + within + 4 * WIDTH;
    loop {
        if let Poll::Ready(outcome) = ask.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(outcome);
        }
        let left = until.since(system.now());
        if left.is_zero() {
            return None;
        }
        // Woken before it parks: then it does not.
        thread::park_timeout(left);
    }
}

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
