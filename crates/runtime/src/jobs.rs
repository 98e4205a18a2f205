//! Jobs: a future, or a closure that blocks, that runs beside an actor's handlers and comes back as a message, whatever
//! became of it. Each runs as a task of its own, so that a slow one holds up neither the actor nor its lane; it belongs
//! to the incarnation that began it and is gone before anybody hears of that incarnation's end.

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use minder_signals::{ActorId, ExitReason, PanicReport};

use crate::ask::Alarm;
use crate::blocking;
use crate::cell::Cell;
use crate::companions::Companion;
use crate::notice::Item;
use crate::unheard::Whose;

/// Names a job of an actor, for cancelling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobId(pub(crate) u64);

/// Why a job has no result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JobFailed {
    /// It panicked.
    Panicked(Arc<PanicReport>),
    /// It took longer than it was given.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

impl JobFailed {
    /// As the reason of an exit, for an actor that cannot do without the job.
    pub fn into_reason(self) -> ExitReason {
        match self {
            Self::Panicked(report) => ExitReason::Panic(report),
            other => ExitReason::error(other),
        }
    }
}

impl fmt::Display for JobFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(report) => write!(f, "the job panicked: {report}"),
            Self::TimedOut => f.write_str("the job took too long"),
            Self::Cancelled => f.write_str("the job was cancelled"),
        }
    }
}

impl std::error::Error for JobFailed {}

/// What came of a job, in the lane of its actor, which makes the message of it: a panic in that is the actor's own.
pub(crate) trait Outcome<M>: Send {
    fn into_message(self: Box<Self>) -> M;
}

/// One job, before it runs.
pub(crate) struct Job<M> {
    pub(crate) cell: Arc<Cell<M>>,
    pub(crate) id: ActorId,
    pub(crate) name: &'static str,
    pub(crate) companion: Companion,
    pub(crate) limit: Option<Duration>,
}

impl<M: Send + 'static> Job<M> {
    fn whose(&self) -> Whose {
        Whose { cell: self.cell.clone(), id: self.id, work: self.name }
    }

    /// Runs a future; `then` makes the message of what comes of it.
    pub(crate) fn run<T: Send + 'static>(
        self,
        future: impl Future<Output = T> + Send + 'static,
        then: impl FnOnce(Result<T, JobFailed>) -> M + Send + 'static,
    ) {
        let whose = self.whose();
        let Self { cell, id, name, companion, limit } = self;
        let system = cell.core.system.clone();
        let until = limit.map(|limit| system.now() + limit);
        let its_cell = cell.clone();
        its_cell.core.system.home.spawn_beside(&its_cell, id, name, async move {
            let mut future = Box::pin(future);
            let mut alarm = until.map(|until| Alarm::new(&system, until));
            let result = poll_fn(|cx| {
                if companion.is_cancelled(cx.waker()) {
                    return Poll::Ready(Err(JobFailed::Cancelled));
                }
                match whose.run(|| future.as_mut().poll(cx)) {
                    Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
                    Err(report) => Poll::Ready(Err(JobFailed::Panicked(Arc::from(report)))),
                    Ok(Poll::Pending) if alarm.as_mut().is_some_and(|alarm| alarm.is_due(cx.waker())) => {
                        Poll::Ready(Err(JobFailed::TimedOut))
                    }
                    Ok(Poll::Pending) => Poll::Pending,
                }
            })
            .await;
            // Nothing is left of it when its actor hears how it ended.
            whose.discard(future, companion.dismissed());
            let whose = matches!(result, Err(JobFailed::Panicked(_))).then_some(whose);
            let outcome = Finished { whose, result: Some(result), then: Some(then) };
            cell.hand(id, Item::Outcome(Box::new(outcome)));
            drop(companion);
        });
    }

    /// Runs a closure that blocks. Once it has begun it runs to its end, wanted or not, and `blocker` is with it.
    pub(crate) fn run_blocking<T: Send + 'static>(
        self,
        blocker: Companion,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(Result<T, JobFailed>) -> M + Send + 'static,
    ) {
        let given_up = GivenUp(Arc::default());
        let whose = self.whose();
        let seen = given_up.0.clone();
        let work = move || (!seen.load(Ordering::Acquire)).then(work);
        let waiting = async move {
            let _given_up = given_up;
            match blocking::run(whose, blocker, work).await {
                Some(value) => value,
                // It never began, because this future had been dropped before.
                None => std::future::pending().await,
            }
        };
        self.run(waiting, then);
    }
}

/// Set when nobody waits for a blocking closure any more: one that has not begun need not.
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

struct Finished<T, C> {
    /// If it panicked. It holds the cell in whose lane this stands, until somebody takes it out.
    whose: Option<Whose>,
    /// Both are there until the message is made.
    result: Option<Result<T, JobFailed>>,
    then: Option<C>,
}

impl<M, T, C> Outcome<M> for Finished<T, C>
where
    T: Send,
    C: FnOnce(Result<T, JobFailed>) -> M + Send,
{
    fn into_message(mut self: Box<Self>) -> M {
        let (then, result) = (self.then.take(), self.result.take());
        let result = result.expect("a message is made once");
        then.expect("a message is made once")(result)
    }
}

/// Its actor ended with this in its lane: a panic is told elsewhere, so that it does not go unheard.
impl<T, C> Drop for Finished<T, C> {
    fn drop(&mut self) {
        if let (Some(whose), Some(Err(JobFailed::Panicked(panic)))) = (&self.whose, &self.result) {
            whose.tell(panic);
        }
    }
}
