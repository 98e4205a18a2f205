//! One task: the actor that does the work, and the handle with which its result is waited for.
//!
//! The result goes from hand to hand in a place that both know. That it is there, or never will be and why, is told by an
//! ask, made by whoever begins to wait: so a task that asks whoever waits for it is a cycle like any other, and is found.
//! Does not start tasks; see `tasks.rs`.

use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Cx, Poll};
use std::time::Duration;

use minder_runtime::{
    Actor, Addr, AskError, Context, Cycle, ExitReason, Handled, Reply, System, without_deadline,
};

use crate::errors::{StartInstanceError, Unavailable};
use crate::question::{Named, Question};
use crate::root::Root;
use crate::tasks::Tasks;

/// How long a task is waited for unless the caller says otherwise.
pub(super) const DEFAULT_LIMIT: Duration = Duration::from_secs(5);

pub(super) type Work = Pin<Box<dyn Future<Output = ExitReason> + Send>>;
type Told = Pin<Box<dyn Future<Output = Result<(), AskError<HiredMsg>>> + Send>>;
pub(super) type Waiting<T> = Pin<Box<dyn Future<Output = Result<T, TaskFailed>> + Send>>;

/// Does one piece of work.
pub(super) struct Hired;

pub(super) enum HiredMsg {
    Work(Work),
    /// Answered once the work is done.
    IsDone(Reply<()>),
    Leave,
}

impl Actor for Hired {
    type Msg = HiredMsg;

    async fn handle(&mut self, message: HiredMsg, context: &mut Context<HiredMsg>) -> Handled {
        match message {
            HiredMsg::Work(work) => {
                let exit = work.await;
                if exit.is_normal() {
                    // After those who have asked meanwhile.
                    context.tell_self(HiredMsg::Leave);
                } else {
                    context.stop(exit);
                }
            }
            HiredMsg::IsDone(reply) => drop(reply.send(())),
            HiredMsg::Leave => context.stop(ExitReason::Normal),
        }
        Ok(())
    }
}

/// One without work yet. If it is dropped, whoever sits there leaves, or will when it has started.
pub(super) struct Unhired(Option<Addr<HiredMsg>>);

impl Unhired {
    pub(super) fn new(address: Addr<HiredMsg>) -> Self {
        Self(Some(address))
    }

    pub(super) fn address(&self) -> &Addr<HiredMsg> {
        self.0.as_ref().expect("it is there until it has work")
    }

    /// Work, and nobody who waits for its end.
    pub(super) fn hand_over(mut self, work: Work) -> Addr<HiredMsg> {
        let address = self.0.take().expect("it is there until it has work");
        tell(&address, HiredMsg::Work(work));
        address
    }

    /// Work whose result somebody wants.
    pub(super) fn put_to_work<T: Send + 'static>(
        self,
        tasks: &Tasks,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        let place: Arc<Mutex<Option<T>>> = Arc::default();
        let result = place.clone();
        let address = self.hand_over(Box::pin(async move {
            let value = work.await;
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            ExitReason::Normal
        }));
        let asked = address.clone();
        let told =
            Box::pin(without_deadline(
                async move { asked.ask_within(Duration::MAX, HiredMsg::IsDone).await },
            ));
        let (root, system) = (tasks.root().clone(), tasks.system().clone());
        Task { address, place, told: Some(told), root, system }
    }
}

impl Drop for Unhired {
    fn drop(&mut self) {
        if let Some(address) = self.0.take() {
            tell(&address, HiredMsg::Leave);
        }
    }
}

/// There is room for all of its messages. Refused only if it has ended, which whoever waits is told.
fn tell(address: &Addr<HiredMsg>, message: HiredMsg) {
    drop(address.tell(message));
}

/// A task whose result is waited for: by `.await`, at most 5 seconds, or with a limit of one's own. [`Task::or_exit`] waits as
/// `Task.await` does.
///
/// Only whoever holds it can wait, and there is one result. Dropped, the work goes on and its result is dropped. It may be
/// handed to another actor; a link, if there is one, stays with the actor that ran it.
///
/// # OTP
/// Where somebody else awaits a task, Elixir raises; here that does not compile. It is awaited once,
///
/// ```compile_fail,E0382
/// # use minder_supervisors::{Task, TaskFailed};
/// async fn twice(task: Task<u32>) -> Result<u32, TaskFailed> {
///     Ok(task.await? + task.await?)
/// }
/// ```
///
/// not by two,
///
/// ```compile_fail,E0277
/// # use minder_supervisors::Task;
/// fn for_two<T: Clone>(task: T) -> (T, T) {
///     (task.clone(), task)
/// }
/// fn share(task: Task<u32>) -> (Task<u32>, Task<u32>) {
///     for_two(task)
/// }
/// ```
///
/// and not by whoever has handed it on:
///
/// ```compile_fail,E0382
/// # use minder_runtime::{Addr, ExitReason};
/// # use minder_supervisors::Task;
/// async fn hand_on(task: Task<u32>, to: Addr<Task<u32>>) -> Result<u32, ExitReason> {
///     drop(to.tell(task)); // whose it is from here on
///     task.or_exit().await
/// }
/// ```
#[must_use = "without it nobody hears of the result; `Tasks::start` is for work that has none"]
pub struct Task<T> {
    address: Addr<HiredMsg>,
    place: Arc<Mutex<Option<T>>>,
    /// Until the outcome has been taken.
    told: Option<Told>,
    root: Root,
    system: System,
}

impl<T: Send + 'static> Task<T> {
    /// The result, at most after this time.
    ///
    /// # Errors
    /// See [`TaskFailed`]. After [`TaskFailed::TimedOut`] the task goes on and nothing of it arrives; to stop it, wait with
    /// [`Task::yield_within`] and then [`Task::shutdown`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the task's handle.
    ///
    /// # OTP
    /// `Task.await/2`, where the caller exits: as here with [`Task::or_exit`].
    pub async fn within(mut self, limit: Duration) -> Result<T, TaskFailed> {
        self.yield_within(limit).await.unwrap_or(Err(TaskFailed::TimedOut))
    }

    /// The result within 5 seconds, or else the reason to exit with, as [`TaskFailed::into_exit`] has it: with
    /// `task.or_exit().await?` a handler goes on with the result, or its actor ends as the task did. With another limit:
    /// `task.within(limit).await.map_err(TaskFailed::into_exit)?`.
    ///
    /// When not to use this: where the actor can go on without the result. Then the error is a value, by `.await`.
    ///
    /// # Errors
    /// Why the task ended, or an error that says that it had no result in time; then it goes on, unless it is linked with the
    /// actor that ends so, and nothing of it arrives.
    ///
    /// # Cancel safety
    /// Dropping the future drops the task's handle.
    ///
    /// # OTP
    /// `Task.await/1`.
    ///
    /// ```
    /// use minder_runtime::{Actor, Context, ExitReason, Handled};
    /// use minder_supervisors::Tasks;
    ///
    /// struct Sums(Tasks, u32);
    /// impl Actor for Sums {
    ///     type Msg = u32;
    ///     async fn handle(&mut self, most: u32, _: &mut Context<u32>) -> Handled {
    ///         let task = self.0.run(async move { (1..=most).sum::<u32>() }).await?;
    ///         self.1 = task.or_exit().await?; // if the task panics, so has this actor
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub async fn or_exit(self) -> Result<T, ExitReason> {
        self.within(DEFAULT_LIMIT).await.map_err(TaskFailed::into_exit)
    }

    /// The result if there is one within this time; otherwise the task can be waited for again.
    ///
    /// # Errors
    /// See [`TaskFailed`]; [`TaskFailed::Taken`] if this has returned a result or an error before.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # OTP
    /// `Task.yield/2`.
    pub async fn yield_within(&mut self, limit: Duration) -> Option<Result<T, TaskFailed>> {
        let system = self.system.clone();
        system.within(limit, self.outcome()).await
    }

    /// Stops the task, in its supervisor's way: it is asked to, and killed if it does not yield in time. It is killed at once
    /// if the supervisor cannot be asked: its mailbox refuses the request, it waits for the asker, or the deadline of an ask
    /// that the asker has in hand passes before it answers. The result if it came before that, why the task ended if that was
    /// by itself, and nothing if it was stopped.
    ///
    /// # Cancel safety
    /// Dropping the future loses the result; the task is stopped if the supervisor has been asked.
    ///
    /// # OTP
    /// `Task.shutdown/2`. For `brutal_kill` there is [`Task::kill`].
    pub async fn shutdown(mut self) -> Option<Result<T, TaskFailed>> {
        if let Some(outcome) = poll_now(self.outcome()).await {
            return Some(outcome);
        }
        let named = Named::Actor { cell: self.address.id().cell(), alive: self.address.is_alive() };
        match self.root.ask(Question::Terminate(named)).await {
            // Nobody else would stop it.
            Err(Unavailable::Refused | Unavailable::WouldDeadlock(_)) => self.order_kill(),
            // If the supervisor is not there, neither are its tasks.
            Ok(_) | Err(Unavailable::NotThere | Unavailable::Ended(_)) => {}
        }
        self.unless_stopped().await
    }

    /// Kills the task, at its next await; otherwise as [`Task::shutdown`].
    pub async fn kill(mut self) -> Option<Result<T, TaskFailed>> {
        self.order_kill();
        self.unless_stopped().await
    }

    pub(super) fn order_kill(&self) {
        self.address.kill();
    }

    /// What kills it, for whoever does not hold it.
    pub(super) fn killer(&self) -> impl Fn() + Send + 'static + use<T> {
        let address = self.address.clone();
        move || {
            address.kill();
        }
    }

    /// Nobody waits any more.
    pub(super) fn give_up(&mut self) {
        self.told = None;
    }

    /// Lets a linked task go on without this actor, and drops its result. Without a link, dropping the task does that.
    ///
    /// # OTP
    /// `Task.ignore/1`.
    pub fn ignore<M: Send + 'static>(self, context: &mut Context<M>) {
        context.unlink(&self.address);
    }

    /// What came before its end, which has been ordered.
    pub(super) async fn unless_stopped(&mut self) -> Option<Result<T, TaskFailed>> {
        match self.outcome().await {
            Err(TaskFailed::Ended(ExitReason::Shutdown | ExitReason::Killed)) => None,
            outcome => Some(outcome),
        }
    }

    pub(super) async fn outcome(&mut self) -> Result<T, TaskFailed> {
        let told = match &mut self.told {
            None => return Err(TaskFailed::Taken),
            Some(told) => told.as_mut().await,
        };
        self.told = None;
        let result = self.place.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (result, told) {
            // It is there, whatever has become of the task since.
            (Some(value), _) => Ok(value),
            (None, Err(AskError::WouldDeadlock(cycle))) => Err(TaskFailed::WouldDeadlock(cycle)),
            (
                None,
                Err(AskError::Stopped(reason, _) | AskError::Crashed(reason) | AskError::Purged(reason)),
            ) => Err(TaskFailed::Ended(reason)),
            (None, _) => Err(TaskFailed::Ended(ExitReason::NoActor)),
        }
    }

    /// For whoever looks at several at once.
    pub(super) fn poll_outcome(&mut self, cx: &mut Cx<'_>) -> Poll<Result<T, TaskFailed>> {
        pin!(self.outcome()).poll(cx)
    }

    pub(super) fn system(&self) -> &System {
        &self.system
    }
}

impl<T: Send + 'static> IntoFuture for Task<T> {
    type Output = Result<T, TaskFailed>;
    type IntoFuture = Waiting<T>;

    /// [`Task::within`] 5 seconds.
    fn into_future(self) -> Waiting<T> {
        Box::pin(self.within(DEFAULT_LIMIT))
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("address", &self.address.path()).finish_non_exhaustive()
    }
}

/// What it is at this moment, if it is anything yet.
async fn poll_now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Why a task has no result.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TaskFailed {
    /// It ended before it had one, for this reason: a panic, a stop, a kill.
    Ended(ExitReason),
    /// It had none in time.
    TimedOut,
    /// It waits, directly or through others, for the actor that waits for it.
    WouldDeadlock(Cycle),
    /// It was not started.
    NotStarted(StartInstanceError),
    /// Its result has been taken before.
    Taken,
}

impl TaskFailed {
    /// The reason to exit with for whoever cannot go on without the result: the task's own if it ended before it had one,
    /// and otherwise this error. Also if it ended normally, since that is none of whoever waited.
    ///
    /// # OTP
    /// What the caller of `Task.await/2` exits with, there in a tuple with the call.
    ///
    /// ```
    /// use minder_runtime::ExitReason;
    /// use minder_supervisors::TaskFailed;
    ///
    /// assert_eq!(TaskFailed::Ended(ExitReason::Killed).into_exit(), ExitReason::Killed);
    /// assert!(TaskFailed::TimedOut.into_exit().is_abnormal());
    /// ```
    pub fn into_exit(self) -> ExitReason {
        match self {
            Self::Ended(reason) if !reason.is_normal() => reason,
            failed => ExitReason::error(failed),
        }
    }
}

impl fmt::Display for TaskFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(reason) => write!(f, "the task ended without a result: {reason}"),
            Self::TimedOut => f.write_str("the task had no result in time"),
            Self::WouldDeadlock(cycle) => write!(f, "these actors wait for each other: {cycle}"),
            Self::NotStarted(error) => write!(f, "the task was not started: {error}"),
            Self::Taken => f.write_str("the task's result has been taken before"),
        }
    }
}

impl std::error::Error for TaskFailed {}
