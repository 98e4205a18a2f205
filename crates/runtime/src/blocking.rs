//! Work that blocks its thread, on behalf of an actor. An incarnation has not ended before its blocking closures have
//! returned: whatever they hold (a file, a database) is free again when the next one starts.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use minder_signals::{ExitReason, PanicReport};
use tokio::sync::oneshot;

use crate::frame;
use crate::incarnation::yield_now;
use crate::reply::Fate;

/// Counts the closures of one incarnation that are still running.
#[derive(Default)]
pub(crate) struct Latch {
    state: Mutex<(usize, Option<Waker>)>,
}

struct Running(Arc<Latch>);

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 -= 1;
        let waiting = if state.0 == 0 { state.1.take() } else { None };
        drop(state);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

impl Latch {
    fn enter(self: &Arc<Self>) -> Running {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
        Running(self.clone())
    }

    /// Ready once none is running.
    pub(crate) fn poll_empty(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 == 0 {
            return Poll::Ready(());
        }
        state.1 = Some(waker.clone());
        Poll::Pending
    }
}

/// Runs a closure right here, where time and threads are simulated, in the order of [`run`]: the handler suspends, the
/// closure runs to its end, and others get their turn before the handler goes on, so that it can be killed in between.
pub(crate) async fn run_inline<T>(latch: &Arc<Latch>, cell: usize, work: impl FnOnce() -> T) -> T {
    let running = latch.enter();
    // What the handler dropped so far was dropped by a living actor, as it would be if it suspended here.
    frame::judge_dropped(|| Fate::NoReply);
    let result = frame::run_as(cell, work);
    frame::judge_dropped(|| fate_after(&result));
    drop(running);
    yield_now().await;
    result.unwrap_or_else(|report| frame::raise(*report))
}

fn fate_after<T>(result: &Result<T, Box<PanicReport>>) -> Fate {
    match result {
        Ok(_) => Fate::NoReply,
        Err(report) => Fate::Crashed(ExitReason::Panic(Arc::from(report.clone()))),
    }
}

/// Runs a closure on a thread that may block. A panic in it goes on in the caller.
#[expect(clippy::disallowed_methods, reason = "this is the supported way to block")]
pub(crate) async fn run<T: Send + 'static>(
    latch: &Arc<Latch>,
    cell: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let running = latch.enter();
    let (tell, told) = oneshot::channel();
    // The pool's own handle is of no use: it would keep the result alive after the latch has opened.
    drop(tokio::task::spawn_blocking(move || {
        let result = frame::run_as(cell, work);
        frame::judge_dropped(|| fate_after(&result));
        if let Err(unheard) = tell.send(result) {
            // Whoever asked for it was killed meanwhile. What was made for it is gone before anybody hears of that.
            let _ = frame::drop_caught(cell, unheard);
        }
        drop(running); // after the closure, all that it owned, and what it made
    }));
    match told.await {
        Ok(Ok(value)) => value,
        Ok(Err(report)) => frame::raise(*report),
        // The pool is shutting down with its tokio runtime: the closure never ran, and no answer will ever come.
        Err(_) => std::future::pending().await,
    }
}
