//! Work that blocks its thread, on behalf of an actor. An incarnation has not ended before its blocking closures have
//! returned (`companions.rs`): whatever they hold, a file or a database, is free again when the next one starts.

use minder_signals::PanicReport;
use tokio::sync::oneshot;

use crate::attend::yield_now;
use crate::companions::Companion;
use crate::frame;
use crate::reply::Fate;
use crate::unheard::{Undelivered, Whose};

/// Runs a closure on a thread that may block, or right here where time and threads are simulated. A panic in it goes on in
/// the caller; if the caller is gone it is told instead.
pub(crate) async fn run<T: Send + 'static>(
    whose: Whose,
    running: Companion,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let result = if whose.cell.core().system.home.is_simulated() {
        run_inline(whose, running, work).await
    } else {
        run_apart(whose, running, work).await
    };
    result.unwrap_or_else(|report| frame::raise(*report))
}

/// In the order of [`run_apart`]: the caller suspends, the closure runs to its end, and others get their turn before the
/// caller goes on, so that it can be killed in between.
async fn run_inline<T>(
    whose: Whose,
    running: Companion,
    work: impl FnOnce() -> T,
) -> Result<T, Box<PanicReport>> {
    // What the caller dropped so far was dropped by a living actor, as it would be if it suspended here.
    frame::judge_dropped(|| Fate::NoReply);
    let result = whose.run(work);
    let result = Undelivered::new(whose, result);
    drop(running);
    yield_now().await;
    result.deliver()
}

#[expect(clippy::disallowed_methods, reason = "this is the supported way to block")]
async fn run_apart<T: Send + 'static>(
    whose: Whose,
    running: Companion,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Box<PanicReport>> {
    let (tell, told) = oneshot::channel();
    // The pool's own handle is of no use: it would keep the result alive after the companion has left.
    drop(tokio::task::spawn_blocking(move || {
        let result = whose.run(work);
        if let Err(unheard) = tell.send(Undelivered::new(whose.clone(), result)) {
            // Whoever asked for it was killed meanwhile. What was made for it is gone before anybody hears of that.
            whose.discard(unheard, None);
        }
        drop(running); // after the closure, all that it owned, and what it made
    }));
    match told.await {
        Ok(result) => result.deliver(),
        // The pool is shutting down with its tokio runtime: the closure never ran, and no answer will ever come.
        Err(_) => std::future::pending().await,
    }
}
