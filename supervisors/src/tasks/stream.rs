//! A task for each of many inputs, a bounded number at a time. What is started and not yet taken is bounded by that number
//! too: whoever takes slowly is not run over. Dropping the stream kills what is under way.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::iter::Fuse;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use minder_runtime::Stream;

use super::task::{DEFAULT_LIMIT, Task, TaskFailed, Waiting};
use super::{StartInstanceError, Tasks};

type Starting<T> = Pin<Box<dyn Future<Output = Result<Task<T>, StartInstanceError>> + Send>>;

/// The results of [`Tasks::stream`], by [`TaskStream::next`] or as a [`Stream`]. Nothing happens unless it is polled; dropped,
/// it kills the tasks that are under way.
#[must_use = "it starts nothing before somebody waits for a result"]
pub struct TaskStream<I, F, T> {
    tasks: Tasks,
    at_a_time: usize,
    limit: Duration,
    is_ordered: bool,
    inputs: Fuse<I>,
    work: F,
    starting: Option<Starting<T>>,
    /// In order of their inputs.
    places: VecDeque<Place<T>>,
}

enum Place<T> {
    Running(Waiting<T>),
    Done(Result<T, TaskFailed>),
}

/// Kills its task when it is dropped, unless that is over.
struct Kill<F: Fn()> {
    kill: F,
    is_over: bool,
}

impl<F: Fn()> Kill<F> {
    /// A method, so that whoever calls it owns all of this.
    fn unless(&mut self, is_over: bool) {
        self.is_over = is_over;
    }
}

impl<F: Fn()> Drop for Kill<F> {
    fn drop(&mut self) {
        if !self.is_over {
            (self.kill)();
        }
    }
}

impl<I, F, Fut> TaskStream<I, F, Fut::Output>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output: Send + 'static> + Send + 'static,
{
    pub(super) fn new(tasks: &Tasks, at_a_time: usize, inputs: I, work: F) -> Self {
        Self {
            tasks: tasks.clone(),
            at_a_time: at_a_time.max(1),
            limit: DEFAULT_LIMIT,
            is_ordered: true,
            inputs: inputs.fuse(),
            work,
            starting: None,
            places: VecDeque::new(),
        }
    }

    /// How long each task may take: 5 seconds unless given. One that takes longer is killed, and its result is
    /// [`TaskFailed::TimedOut`].
    pub fn limit(mut self, each: Duration) -> Self {
        self.limit = each;
        self
    }

    /// Results as they come, in place of the order of the inputs: a slow one holds up no other.
    pub fn as_they_come(mut self) -> Self {
        self.is_ordered = false;
        self
    }

    /// The next result; nothing once there are no more inputs and all results have been taken.
    ///
    /// # Errors
    /// In the place of a result: why its task has none. The others go on.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Fut::Output, TaskFailed>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Fut::Output, TaskFailed>>> {
        let is_out_of_inputs = self.start_more(cx);
        for place in &mut self.places {
            if let Place::Running(outcome) = place
                && let Poll::Ready(done) = outcome.as_mut().poll(cx)
            {
                *place = Place::Done(done);
            }
        }
        let is_done = |place: &Place<_>| matches!(place, Place::Done(_));
        let next = match self.is_ordered {
            true => self.places.front().is_some_and(is_done).then_some(0),
            false => self.places.iter().position(is_done),
        };
        match next.and_then(|at| self.places.remove(at)) {
            Some(Place::Done(done)) => Poll::Ready(Some(done)),
            Some(Place::Running(_)) => unreachable!("the place that was found is done"),
            None if is_out_of_inputs && self.places.is_empty() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// Starts tasks while there is room; whether there are no more inputs.
    fn start_more(&mut self, cx: &mut Context<'_>) -> bool {
        while self.places.len() < self.at_a_time {
            let starting = match &mut self.starting {
                Some(starting) => starting,
                None => {
                    let Some(input) = self.inputs.next() else { return true };
                    let (tasks, work) = (self.tasks.clone(), (self.work)(input));
                    self.starting.insert(Box::pin(async move { tasks.run(work).await }))
                }
            };
            let Poll::Ready(started) = starting.as_mut().poll(cx) else { return false };
            self.starting = None;
            self.places.push_back(match started {
                Ok(task) => self.running(task),
                Err(error) => Place::Done(Err(TaskFailed::NotStarted(error))),
            });
        }
        false
    }

    fn running(&self, mut task: Task<Fut::Output>) -> Place<Fut::Output> {
        let mut kill = Kill { kill: task.killer(), is_over: false };
        let limit = self.limit;
        Place::Running(Box::pin(async move {
            let outcome = task.yield_within(limit).await;
            kill.unless(outcome.is_some());
            match outcome {
                Some(outcome) => outcome,
                None => task.kill().await.unwrap_or(Err(TaskFailed::TimedOut)),
            }
        }))
    }
}

impl<I, F, Fut> Stream for TaskStream<I, F, Fut::Output>
where
    I: Iterator + Unpin,
    F: FnMut(I::Item) -> Fut + Unpin,
    Fut: Future<Output: Send + Unpin + 'static> + Send + 'static,
{
    type Item = Result<Fut::Output, TaskFailed>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(cx)
    }
}

impl<I, F, T> fmt::Debug for TaskStream<I, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskStream").field("at_a_time", &self.at_a_time).finish_non_exhaustive()
    }
}
