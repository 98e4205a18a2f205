//! Waiting for several tasks with one limit for all. Each is looked at whenever one of them is done, so this is for dozens
//! and not for thousands; see `stream.rs` for these.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use super::task::{Task, TaskFailed};

/// What becomes of tasks that had no result within the limit of [`yield_many`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLimit {
    /// They go on, and can be waited for again.
    #[default]
    Nothing,
    /// They go on, and their results are dropped.
    Ignore,
    /// They are killed.
    Kill,
}

/// All results in order, within one limit.
///
/// # Errors
/// The first failure, as soon as there is one; [`TaskFailed::TimedOut`] if the limit has passed. The other tasks go on, and
/// their results are dropped.
///
/// # Cancel safety
/// Dropping the future drops the tasks' handles.
///
/// # OTP
/// `Task.await_many/2`, where the caller exits: as here with `.map_err(TaskFailed::into_exit)?`.
pub async fn await_many<T: Send + 'static>(
    tasks: impl IntoIterator<Item = Task<T>>,
    limit: Duration,
) -> Result<Vec<T>, TaskFailed> {
    let mut tasks: Vec<Task<T>> = tasks.into_iter().collect();
    let Some(system) = tasks.first().map(|task| task.system().clone()) else { return Ok(Vec::new()) };
    let mut results: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let all = poll_fn(|cx| {
        let mut is_over = true;
        for (task, result) in tasks.iter_mut().zip(&mut results).filter(|(_, result)| result.is_none()) {
            match task.poll_outcome(cx) {
                Poll::Ready(Ok(value)) => *result = Some(value),
                Poll::Ready(Err(failed)) => return Poll::Ready(Err(failed)),
                Poll::Pending => is_over = false,
            }
        }
        if is_over { Poll::Ready(Ok(())) } else { Poll::Pending }
    });
    system.within(limit, all).await.unwrap_or(Err(TaskFailed::TimedOut))?;
    Ok(results.into_iter().flatten().collect())
}

/// What has come of each task within one limit; nothing for those that had no result by then.
///
/// # Cancel safety
/// Dropping the future may lose results that have come.
///
/// # OTP
/// `Task.yield_many/2`.
pub async fn yield_many<T: Send + 'static>(
    tasks: &mut [Task<T>],
    limit: Duration,
    on_limit: OnLimit,
) -> Vec<Option<Result<T, TaskFailed>>> {
    let Some(system) = tasks.first().map(|task| task.system().clone()) else { return Vec::new() };
    let mut outcomes: Vec<_> = tasks.iter().map(|_| None).collect();
    let all = poll_fn(|cx| poll_all(tasks, &mut outcomes, cx));
    if system.within(limit, all).await.is_none() {
        let late = tasks.iter_mut().zip(&mut outcomes).filter(|(_, outcome)| outcome.is_none());
        match on_limit {
            OnLimit::Nothing => {}
            OnLimit::Ignore => late.for_each(|(task, _)| task.give_up()),
            OnLimit::Kill => {
                // All of them, before any is waited for.
                let late: Vec<_> = late.inspect(|(task, _)| task.order_kill()).collect();
                for (task, outcome) in late {
                    *outcome = task.unless_stopped().await;
                }
            }
        }
    }
    outcomes
}

fn poll_all<T: Send + 'static>(
    tasks: &mut [Task<T>],
    outcomes: &mut [Option<Result<T, TaskFailed>>],
    cx: &mut Context<'_>,
) -> Poll<()> {
    let mut is_over = true;
    for (task, outcome) in tasks.iter_mut().zip(outcomes).filter(|(_, outcome)| outcome.is_none()) {
        match task.poll_outcome(cx) {
            Poll::Ready(done) => *outcome = Some(done),
            Poll::Pending => is_over = false,
        }
    }
    if is_over { Poll::Ready(()) } else { Poll::Pending }
}
