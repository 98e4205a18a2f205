//! Applications: several trees in one system, each with a name, a start, a stop and what it needs of the others.
//!
//! What starts in which order is decided in `applications/plan.rs`, and carried out by one actor, in
//! `applications/controller.rs`. This file is the values: what an application is, a set of them, and the running set.

mod controller;
mod errors;
mod plan;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{ActorRef, Addr, ExitReason, Reply, System};

use crate::errors::Unavailable;
use crate::root::{MAILBOX, Root};
use crate::spec::Spec;

pub use errors::{
    ApplicationEnded, ApplicationsError, StartApplicationError, StartPhaseFailed, StopApplicationError,
};

use controller::{Controller, Msg, Question};
use plan::Plan;

type Making = Pin<Box<dyn Future<Output = Result<Spec, ExitReason>> + Send>>;
type Make = Arc<dyn Fn() -> Making + Send + Sync>;
type Hooked = Pin<Box<dyn Future<Output = ()> + Send>>;
type Hook = Arc<dyn Fn() -> Hooked + Send + Sync>;
type Phasing = Pin<Box<dyn Future<Output = Result<(), ExitReason>> + Send>>;

/// Where the controller stands, and before the names of all applications in paths.
const NAME: &str = "applications";

/// A tree with a name, for a set of [`Applications`]: what it needs to run before it does, and what is to be done before and
/// after it stops.
///
/// Its configuration is what its [`Spec`] offers: [`Spec::offer`]. Its actors find that, and their [`ApplicationName`], by
/// [`Context::service`](minder_runtime::Context::service).
///
/// # OTP
/// An application: its `.app` file and its callback module. It includes no others, and nothing is loaded while it runs.
#[derive(Clone)]
pub struct Application {
    name: Arc<str>,
    needs: Vec<Arc<str>>,
    make: Make,
    phases: Vec<Phase>,
    prep_stop: Option<Hook>,
    stop: Option<Hook>,
}

/// Something to be done once the tree is up.
#[derive(Clone)]
struct Phase {
    name: Arc<str>,
    run: Arc<dyn Fn(Root) -> Phasing + Send + Sync>,
}

/// What the end of a running application means for the system, when nobody has asked for it. Complete by definition.
///
/// # OTP
/// The type given to `application:start/2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ApplicationType {
    /// The system is stopped, for whatever reason it ended.
    Permanent,
    /// The system is stopped unless it ended normally. A tree that gives up ends with `Shutdown`, so that stops it too.
    Transient,
    /// It is reported, and that is all.
    #[default]
    Temporary,
}

impl ApplicationType {
    fn ends_the_system(self, reason: &ExitReason) -> bool {
        match (self, reason.is_normal()) {
            (Self::Permanent, true) => true,
            (Self::Permanent, false) => true,
            (Self::Transient, true) => false,
            (Self::Transient, false) => true,
            (Self::Temporary, true) => false,
            (Self::Temporary, false) => false,
        }
    }
}

/// The name of the application that an actor belongs to: a service that every application offers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApplicationName(pub Arc<str>);

impl Application {
    /// An application whose tree is this.
    pub fn new(name: impl Into<Arc<str>>, tree: Spec) -> Self {
        Self::from_fn(name, move || {
            let tree = tree.clone();
            async move { Ok::<_, ExitReason>(tree) }
        })
    }

    /// An application whose tree is made at each start, by code that may take its time, and may fail.
    ///
    /// It must not wait for the controller to start or stop another one: those wait until this one is up. What it needs is
    /// said by [`Application::needs`].
    ///
    /// # OTP
    /// `start/2` of the callback module.
    pub fn from_fn<F, Fut, E>(name: impl Into<Arc<str>>, make: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Spec, E>> + Send + 'static,
        E: Into<ExitReason>,
    {
        let make = Arc::new(make);
        let make = move || -> Making {
            let make = make.clone();
            // Called inside, so that its panic is the job's, as in phases and hooks.
            Box::pin(async move { make().await.map_err(Into::into) })
        };
        Self {
            name: name.into(),
            needs: Vec::new(),
            make: Arc::new(make),
            phases: Vec::new(),
            prep_stop: None,
            stop: None,
        }
    }

    /// The applications that must run before this one starts.
    #[must_use]
    pub fn needs<N: Into<Arc<str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.needs.extend(names.into_iter().map(Into::into));
        self
    }

    /// What is to be done once its tree is up, before the application counts as running and whatever needs it is started: to
    /// fill a cache, to open the doors. Phases run one after the other, in the order in which they were given, beside the
    /// tree's own work. One that fails or panics fails the start: the application is stopped, with its hooks, and the reason
    /// holds a [`StartPhaseFailed`]. If the tree ends meanwhile, the start fails with its reason.
    ///
    /// When not to use this: for what an actor can do in its own start, where a restart does it again. A phase is not
    /// repeated when a part of the tree is restarted.
    ///
    /// # OTP
    /// `start_phase/3`. Of one application: none includes others.
    #[must_use]
    pub fn start_phase<F, Fut, E>(mut self, name: impl Into<Arc<str>>, phase: F) -> Self
    where
        F: Fn(Root) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<ExitReason>,
    {
        let phase = Arc::new(phase);
        let run = move |tree| -> Phasing {
            let phase = phase.clone();
            Box::pin(async move { phase(tree).await.map_err(Into::into) })
        };
        self.phases.push(Phase { name: name.into(), run: Arc::new(run) });
        self
    }

    /// What is to be done before its tree is stopped, because somebody asked for that or the system ends. A panic in it is
    /// reported, and holds up nothing.
    #[must_use]
    pub fn prep_stop<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.prep_stop = Some(hook_of(hook));
        self
    }

    /// What is to be done after its tree has ended, for whatever reason. A panic in it is reported, and holds up nothing.
    #[must_use]
    pub fn stop<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.stop = Some(hook_of(hook));
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn hook_of<F, Fut>(hook: F) -> Hook
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let hook = Arc::new(hook);
    Arc::new(move || {
        let hook = hook.clone();
        Box::pin(async move { hook().await })
    })
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("name", &self.name)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

/// A set of applications, none of which runs yet.
///
/// When not to use this: for one tree, which is [`Spec::start`]; for parts that are to be restarted when they fail, which
/// are children: an application that ends is not started again.
///
/// # OTP
/// What `application_controller` has loaded.
///
/// ```
/// use minder_supervisors::{Application, ApplicationType, Applications, one_for_one, task};
/// # use minder_runtime::System;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tree = |id: &str| one_for_one().child(task(id, std::future::pending::<()>));
/// let database = Application::new("database", tree("connections"));
/// let shop = Application::new("shop", tree("baskets"))
///     .needs(["database"])
///     .prep_stop(|| async { println!("no new customers") });
///
/// let system = System::new()?;
/// let applications = Applications::new([shop, database]).start(&system).await?;
/// let started = applications.ensure_all_started("shop", ApplicationType::Permanent).await?;
/// assert_eq!(started, ["database".into(), "shop".into()]);
///
/// // In the reverse order of their start.
/// system.shutdown(std::time::Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Applications {
    all: Vec<Application>,
    limit: Duration,
    at_shutdown: AtShutdown,
}

#[derive(Default)]
struct AtShutdown(Option<Hook>);

impl fmt::Debug for AtShutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a hook" } else { "nothing" })
    }
}

impl Applications {
    /// These.
    pub fn new(all: impl IntoIterator<Item = Application>) -> Self {
        Self { all: all.into_iter().collect(), limit: Duration::MAX, at_shutdown: AtShutdown::default() }
    }

    /// How long the system may take to stop when an application ends that it cannot do without; then everybody who is left
    /// is killed. As long as it takes unless given. A shutdown that the program begins has a deadline of its own.
    ///
    /// # OTP
    /// `shutdown_timeout` of the kernel.
    #[must_use]
    pub fn limit(mut self, shutdown: Duration) -> Self {
        self.limit = shutdown;
        self
    }

    /// What is to be done first when the system stops, while all applications still run.
    ///
    /// # OTP
    /// `shutdown_func` of the kernel.
    #[must_use]
    pub fn at_shutdown<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.at_shutdown = AtShutdown(Some(hook_of(hook)));
        self
    }

    /// Checks the set, and starts the actor that controls it, minded by the system. No application is started.
    ///
    /// # Errors
    /// A set that makes no sense, with the names; nothing was started then. See [`ApplicationsError`].
    pub async fn start(self, system: &System) -> Result<ApplicationController, ApplicationsError> {
        let plan = Plan::new(self.all.iter().map(|application| (&application.name, &application.needs)))?;
        let (address, seat) = system.address_with(MAILBOX);
        let started =
            system.start(seat, NAME, move || Controller::new(self.all, plan, self.limit, self.at_shutdown.0));
        started.await.map_err(|error| ApplicationsError::NotStarted(error.into_reason()))?;
        Ok(ApplicationController { address })
    }
}

/// How an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplicationStatus {
    /// It does not run.
    Down,
    /// It is being started.
    Starting,
    /// It runs.
    Running,
    /// It is being stopped.
    Stopping,
}

/// One application, as [`ApplicationController::which`] lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApplicationInfo {
    /// Its name.
    pub name: Arc<str>,
    /// How it stands.
    pub status: ApplicationStatus,
    /// What its end would mean; what was said at its last start.
    pub kind: ApplicationType,
}

/// The running set. Clones are the same; keeps nothing alive.
///
/// # Ordering
/// Starts and stops go one at a time, in the order in which they were asked for. Questions are answered meanwhile.
///
/// # Cancel safety
/// Dropping the future of a start or stop loses only the answer.
///
/// # OTP
/// The functions of `application`.
#[derive(Clone, Debug)]
pub struct ApplicationController {
    address: Addr<Msg>,
}

impl ApplicationController {
    /// Starts one application, whose needs must run.
    ///
    /// # Errors
    /// See [`StartApplicationError`]. If it fails nothing of it stays.
    ///
    /// # OTP
    /// `application:start/2`, which does not look again: there it comes up although what it needs has ended meanwhile.
    pub async fn start(&self, name: &str, kind: ApplicationType) -> Result<(), StartApplicationError> {
        self.ask(|reply| Question::Start { name: Arc::from(name), kind, all: false, reply }).await?.map(drop)
    }

    /// Starts an application and before it, in order, whatever it needs that does not run, all of them as this type. The
    /// names of those that were started, in that order.
    ///
    /// # Errors
    /// See [`StartApplicationError`]. If one fails, or what it needs ends by itself before it is up, those that were started for
    /// it are stopped again, the newest first.
    ///
    /// # OTP
    /// `application:ensure_all_started/2`.
    pub async fn ensure_all_started(
        &self,
        name: &str,
        kind: ApplicationType,
    ) -> Result<Vec<Arc<str>>, StartApplicationError> {
        self.ask(|reply| Question::Start { name: Arc::from(name), kind, all: true, reply }).await?
    }

    /// Stops an application: `prep_stop`, then its tree with as much time as it takes, then `stop`. Those that need it are
    /// not stopped.
    ///
    /// # Errors
    /// See [`StopApplicationError`].
    ///
    /// # OTP
    /// `application:stop/1`.
    pub async fn stop(&self, name: &str) -> Result<(), StopApplicationError> {
        self.ask(|reply| Question::Stop { name: Arc::from(name), reply }).await?
    }

    /// Every application and how it stands, by name. Never waits for a start or a stop.
    ///
    /// # Errors
    /// [`Unavailable`].
    ///
    /// # OTP
    /// `application:which_applications/0` and `loaded_applications/0`.
    pub async fn which(&self) -> Result<Vec<ApplicationInfo>, Unavailable> {
        self.ask(Question::Which).await
    }

    /// The tree of an application that runs, or is in its start phases. Never waits for a start or a stop.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn root(&self, name: &str) -> Result<Option<Root>, Unavailable> {
        self.ask(|reply| Question::Root(Arc::from(name), reply)).await
    }

    /// The application that an actor of this system belongs to. Asks nobody; an actor itself looks up [`ApplicationName`].
    ///
    /// # OTP
    /// `application:get_application/1`.
    pub fn application_of(&self, actor: &ActorRef) -> Option<Arc<str>> {
        let path = actor.path();
        let below = path.strip_prefix(NAME)?.strip_prefix('/')?;
        Some(Arc::from(below.split('/').next().unwrap_or(below)))
    }

    /// Resolves once the controller has ended: all applications are stopped. If that was because of one of them, the reason
    /// holds an [`ApplicationEnded`].
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait.
    pub async fn ended(&self) -> ExitReason {
        self.address.ended().await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(Reply<T>) -> Question,
    ) -> Result<T, Unavailable> {
        let asked = self.address.ask_within(Duration::MAX, |reply| Msg::Asked(question(reply)));
        asked.await.map_err(Unavailable::of)
    }
}
