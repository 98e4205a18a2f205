//! A supervisor of tasks: futures that run beside whoever wants their results, and are looked after. Each is an actor, an
//! instance of a dynamic supervisor, so that it is stopped with its tree, shows in reports, and its panic is a value.
//!
//! This file starts them. One task and waiting for it is `tasks/task.rs`, many are `tasks/many.rs` and `tasks/stream.rs`.

mod many;
mod stream;
mod task;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use minder_runtime::{ActorRef, Addr, Context, MailboxOptions, Recipe, Seat, System};
use minder_supervisors_core::{ChildRules, Restart, Shutdown};

use crate::child::Settings;
use crate::errors::StartInstanceError;
use crate::question::Instance;
use crate::root::{MAILBOX, Root};
use crate::spec::Spec;
use crate::supervisor::SupervisorMsg;
use crate::task::{IntoExit, Run, TaskActor};
use crate::template::Mark;

pub use many::{OnLimit, await_many, yield_many};
pub use stream::TaskStream;
use task::{Hired, HiredMsg, Unhired};
pub use task::{Task, TaskFailed};

/// Starts tasks under a supervisor of their own. Clones start under the same; keeps nothing alive.
///
/// A task is stopped when its supervisor is, at its next await, and has 5 seconds unless [`Tasks::shutdown`] says otherwise.
/// It is temporary: it runs once, whatever becomes of it. Why there is no result is an error, as a value; an actor that cannot go
/// on without it exits as OTP's caller does, with [`Task::or_exit`].
///
/// When not to use this: for work that comes back to its actor as a message, which is [`Context::run`]; for work that is
/// needed for as long as the program runs, which is a child of a [`Spec`].
///
/// # Errors
/// Every start can fail with [`StartInstanceError`]: `TooMany` if the supervisor holds as many as
/// [`Spec::max_children`] says.
///
/// # OTP
/// Elixir's `Task.Supervisor`.
///
/// ```
/// use minder_runtime::System;
/// use minder_supervisors::{Tasks, one_for_one, tree_in};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new()?;
/// let (tasks, seat) = Tasks::new(&system);
/// let tree = one_for_one().child(tree_in("tasks", seat, tasks.supervisor().max_children(100)));
/// tree.start(&system, "app").await?;
///
/// let sum = tasks.run(async { (1..=100).sum::<u32>() }).await?;
/// assert_eq!(sum.await?, 5050);
///
/// let failed = tasks.run(async { "x".parse::<u32>().expect("a number") }).await?.await;
/// assert!(failed.expect_err("it panicked").to_string().contains("a number"));
///
/// let mut squares = tasks.stream(4, 1..=3, |n: u32| async move { n * n });
/// while let Some(square) = squares.next().await {
///     println!("{}", square?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tasks {
    root: Root,
    system: System,
    mark: Mark,
    shutdown: Shutdown,
}

impl Tasks {
    /// Tasks to be, and the seat of their supervisor: it belongs into [`tree_in`](crate::tree_in), with
    /// [`Tasks::supervisor`]. Until that has started, every start of a task fails.
    pub fn new(system: &System) -> (Self, Seat<SupervisorMsg>) {
        let (address, seat) = system.address_with(MAILBOX);
        let shutdown = Shutdown::Within(Duration::from_secs(5));
        let tasks = Self { root: Root::of(address), system: system.clone(), mark: Mark::default(), shutdown };
        (tasks, seat)
    }

    /// How tasks are stopped. To be said before [`Tasks::supervisor`] is made.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Their supervisor, with no tasks yet: 3 restarts in 5 seconds, of tasks that are restarted.
    pub fn supervisor(&self) -> Spec {
        let rules = self.rules(Restart::Temporary);
        let spec = Spec::of_template(rules, Settings::default(), self.mark.clone());
        spec.limit(3, Duration::from_secs(5))
    }

    /// The rules of a task that is started again so.
    fn rules(&self, restart: Restart) -> ChildRules {
        ChildRules { restart, shutdown: self.shutdown, ..ChildRules::worker("task") }
    }

    /// The supervisor, for requests that have nothing to do with results: who runs, and
    /// [`Root::terminate_instance`](crate::Root::terminate_instance).
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Starts a task in whose result nobody is interested. How it ended is in the events: an `Err` or a panic is an
    /// abnormal exit.
    ///
    /// # Errors
    /// As of any start of a task.
    ///
    /// # OTP
    /// `Task.Supervisor.start_child/2`.
    pub async fn start<F>(&self, work: F) -> Result<ActorRef, StartInstanceError>
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        let (unhired, actor) = self.hire().await?;
        unhired.hand_over(Box::pin(async move { work.await.into_exit() }));
        Ok(actor)
    }

    /// [`Tasks::start`] of a task that is started again, as its restart type says. It is made anew each time.
    ///
    /// # Errors
    /// As of any start of a task.
    ///
    /// # OTP
    /// `Task.Supervisor.start_child/3` with `restart`.
    pub async fn start_as<F, Fut>(&self, restart: Restart, make: F) -> Result<ActorRef, StartInstanceError>
    where
        F: Fn() -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output: IntoExit> + Send + 'static,
    {
        let make = move || {
            let make = make.clone();
            TaskActor::new(move |_: &Context<Run>| make())
        };
        // Any other task is temporary, as their supervisor's template is.
        let own = (restart != Restart::Temporary).then(|| self.rules(restart));
        self.start_instance(Recipe::own_seat(make, MailboxOptions::default()), own).await
    }

    /// Starts a task and gives what its result is waited for with. Neither is ended by the end of the other.
    ///
    /// # Errors
    /// As of any start of a task.
    ///
    /// # Cancel safety
    /// A task whose start was dropped does nothing.
    ///
    /// # OTP
    /// `Task.Supervisor.async_nolink/2`. Here only whoever holds the [`Task`] can wait for it, and the error says how it
    /// ended in place of a `DOWN`.
    pub async fn run<T, F>(&self, work: F) -> Result<Task<T>, StartInstanceError>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (unhired, _) = self.hire().await?;
        Ok(unhired.put_to_work(self, work))
    }

    /// [`Tasks::run`], linked with this actor: if the task crashes, so does the actor (unless it traps exits), and when the
    /// actor ends the task does, unless it ends normally. The result, and the end of a task that has done its work, are as
    /// without.
    ///
    /// # Errors
    /// As of any start of a task.
    ///
    /// # OTP
    /// `Task.Supervisor.async/2`.
    pub async fn run_linked<T, F, M>(
        &self,
        context: &mut Context<M>,
        work: F,
    ) -> Result<Task<T>, StartInstanceError>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
        M: Send + 'static,
    {
        let (unhired, _) = self.hire().await?;
        // It does nothing yet, so it is there, unless somebody has stopped it.
        context.link(unhired.address()).map_err(StartInstanceError::Failed)?;
        Ok(unhired.put_to_work(self, work))
    }

    /// A task for each input, so many at a time, and their results in the order of the inputs. Inputs are taken when there
    /// is room and somebody waits for a result.
    ///
    /// # OTP
    /// `Task.Supervisor.async_stream_nolink/4`. A task that fails or takes too long is an error among the results, and the
    /// caller decides.
    pub fn stream<I, F, Fut>(
        &self,
        at_a_time: usize,
        inputs: I,
        work: F,
    ) -> TaskStream<I::IntoIter, F, Fut::Output>
    where
        I: IntoIterator,
        F: FnMut(I::Item) -> Fut,
        Fut: Future<Output: Send + 'static> + Send + 'static,
    {
        TaskStream::new(self, at_a_time, inputs.into_iter(), work)
    }

    pub(crate) fn system(&self) -> &System {
        &self.system
    }

    /// An actor that waits for its one piece of work, and goes if it gets none.
    async fn hire(&self) -> Result<(Unhired, ActorRef), StartInstanceError> {
        let (address, seat): (Addr<HiredMsg>, _) = self.system.address();
        let unhired = Unhired::new(address);
        let actor = self.start_instance(Recipe::in_seat(seat, || Hired), None).await?;
        Ok((unhired, actor))
    }

    async fn start_instance(
        &self,
        recipe: Recipe,
        own: Option<ChildRules>,
    ) -> Result<ActorRef, StartInstanceError> {
        let instance = Instance { template: self.mark.clone(), recipe, name: None, own };
        let started = self.root.start_instance(instance).await?;
        Ok(started.expect("a task always has something to run"))
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("root", &self.root).finish_non_exhaustive()
    }
}
