//! One child of a supervision tree: what to start, and by which rules.

use std::fmt;
use std::future::Future;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{
    Actor, Context, IntoActor, IntoLocalActor, LocalActor, LocalHost, MailboxOptions, Queued, Readiness,
    Recipe, Seat, StartOptions,
};
use minder_supervisors_core::{
    Backoff, Budget, ChildRules, Exhausted, InARow, Kind, Policy, ReportsReady, Restart, Shutdown,
};

use crate::root::MAILBOX;
use crate::spec::{Spec, TreeError};
use crate::supervisor::{Supervisor, SupervisorMsg};
use crate::task::{IntoExit, OptionalTask, Run, TaskActor};

/// A child to be: an actor, an async function, or a supervisor.
///
/// Unless said otherwise it is permanent, is given 5 seconds to stop (a supervisor as long as it takes), and is not
/// significant.
#[derive(Clone)]
pub struct Child {
    pub(crate) rules: ChildRules,
    pub(crate) recipe: Recipe,
    pub(crate) settings: Settings,
    /// The tree below, if the child is a supervisor; for checking it before anything starts.
    pub(crate) below: Option<Spec>,
}

/// What each start of a child is given besides its recipe. Not `StartOptions`, which would take more room in every child
/// of a large tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Settings {
    pub(crate) handler_limit: Option<Duration>,
    pub(crate) queued: Queued,
    pub(crate) drains: bool,
    pub(crate) quarantine_after: Option<NonZeroU8>,
    pub(crate) registered: Option<Arc<str>>,
    /// Whom it asks, by path. Only those who explain the tree read it.
    pub(crate) asks: Option<Arc<Vec<Arc<str>>>>,
    /// What its factory does, in a word of the user's.
    pub(crate) revision: Option<Arc<str>>,
}

impl Settings {
    pub(crate) fn add_asks<P: AsRef<str>>(&mut self, paths: impl IntoIterator<Item = P>) {
        let before = self.asks.iter().flat_map(|asks| asks.iter().cloned());
        let all = before.chain(paths.into_iter().map(|path| Arc::from(path.as_ref()))).collect();
        self.asks = Some(Arc::new(all));
    }

    /// Themselves, unless they are what they would be anyway: most children of a large tree need no room for them.
    pub(crate) fn kept(&self) -> Option<Box<Self>> {
        (*self != Self::default()).then(|| Box::new(self.clone()))
    }

    /// What several children may have in common: without what is for one.
    pub(crate) fn of_many(&self) -> Self {
        Self { registered: None, revision: None, ..self.clone() }
    }

    pub(crate) fn options(&self, name: Option<Arc<str>>) -> StartOptions {
        let mut options = StartOptions::default();
        options.name = name;
        options.handler_limit = self.handler_limit;
        options.queued = self.queued;
        options.drain = self.drains;
        options.quarantine_after = self.quarantine_after;
        options.registered = self.registered.clone();
        options
    }
}

/// The rules that a child lives by, with defaults filled in: what [`Root::child_spec`](crate::Root::child_spec) answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildSpec {
    /// Its id; for an instance of a template that of the template.
    pub id: Arc<str>,
    /// When it is started again.
    pub restart: Restart,
    /// How it is stopped.
    pub shutdown: Shutdown,
    /// What it is for.
    pub kind: Kind,
    /// Whether its end counts for the supervisor's auto-shutdown.
    pub significant: bool,
    /// What it is given beyond OTP, if anything.
    pub policy: Option<Arc<Policy>>,
}

impl From<ChildRules> for ChildSpec {
    fn from(rules: ChildRules) -> Self {
        let ChildRules { id, restart, shutdown, kind, significant, policy } = rules;
        Self { id, restart, shutdown, kind, significant, policy }
    }
}

/// An actor in a seat of its own, for children that nobody needs to reach from outside.
///
/// `make` runs inside each supervised start; it may return the actor, or a `Result` of it.
pub fn actor<R, F>(id: &str, make: F) -> Child
where
    R: IntoActor + 'static,
    F: Fn() -> R + Clone + Send + Sync + 'static,
{
    Child::new(ChildRules::worker(id), Recipe::own_seat(make, MailboxOptions::default()))
}

/// An actor in a seat made beforehand by `System::address`, so that its siblings can be given its address.
///
/// A seat belongs to one child: a tree that uses one twice is refused.
pub fn actor_in<R, F>(id: &str, seat: Seat<<R::Actor as Actor>::Msg>, make: F) -> Child
where
    R: IntoActor + 'static,
    F: Fn() -> R + Clone + Send + Sync + 'static,
{
    Child::new(ChildRules::worker(id), Recipe::in_seat(seat, make))
}

/// An actor that stays on one thread, in a seat of its own: see [`LocalActor`]. It lives on the system's own thread for
/// such actors unless [`Child::on`] says otherwise, and `make` runs there.
pub fn local_actor<R, F>(id: &str, make: F) -> Child
where
    R: IntoLocalActor + 'static,
    F: Fn() -> R + Clone + Send + Sync + 'static,
{
    Child::new(ChildRules::worker(id), Recipe::local_own_seat(make, MailboxOptions::default()))
}

/// [`local_actor`] in a seat made beforehand, as [`actor_in`].
pub fn local_actor_in<R, F>(id: &str, seat: Seat<<R::Actor as LocalActor>::Msg>, make: F) -> Child
where
    R: IntoLocalActor + 'static,
    F: Fn() -> R + Clone + Send + Sync + 'static,
{
    Child::new(ChildRules::worker(id), Recipe::local_in_seat(seat, make))
}

/// A plain async function. It is up as soon as it runs, and its end is judged like an actor's: `()` and `Ok` are
/// normal, `Err` is an error.
///
/// # Cancel safety
/// To stop it, its future is dropped at its next await.
pub fn task<F, Fut>(id: &str, run: F) -> Child
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output: IntoExit> + Send + 'static,
{
    task_of(id, move |_: &Context<Run>| run())
}

/// A plain async function that says when it is ready to serve, by what it is given: [`task`], with [`Child::reports_ready`].
pub fn reporting_task<F, Fut>(id: &str, run: F) -> Child
where
    F: Fn(Readiness) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output: IntoExit> + Send + 'static,
{
    task_of(id, move |context: &Context<Run>| run(context.readiness())).reports_ready()
}

fn task_of<F, Fut>(id: &str, run: F) -> Child
where
    F: Fn(&Context<Run>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output: IntoExit> + Send + 'static,
{
    let make = move || TaskActor::new(run.clone());
    Child::new(ChildRules::worker(id), Recipe::own_seat(make, MailboxOptions::default()))
}

/// A plain async function that may have nothing to run: with `None` the child has no process, which is no failure, and
/// is dropped if it is temporary. `make` runs inside each supervised start.
///
/// # OTP
/// `ignore` (SUP-079, SUP-080).
pub fn optional_task<F, Fut>(id: &str, make: F) -> Child
where
    F: Fn() -> Option<Fut> + Clone + Send + Sync + 'static,
    Fut: Future<Output: IntoExit> + Send + 'static,
{
    let make = move || make().map(OptionalTask::new);
    Child::new(ChildRules::worker(id), Recipe::own_seat(make, MailboxOptions::default()))
}

/// A supervisor with children of its own. It is reached by [`Root::subtree`](crate::Root::subtree).
///
/// Requests that wait when it ends are not kept for its next life: they were made to the one that ended.
pub fn tree(id: &str, spec: Spec) -> Child {
    let make = spec.clone();
    supervisor(id, spec, Recipe::own_seat(move || Supervisor::new(&make), MAILBOX))
}

/// A supervisor in a seat made beforehand by [`System::address`](minder_runtime::System::address), so that others can be
/// given its address: [`Root::of`](crate::Root::of).
///
/// With `System::address_with` and a mailbox that lets askers wait, no request is refused for want of room.
pub fn tree_in(id: &str, seat: Seat<SupervisorMsg>, spec: Spec) -> Child {
    let make = spec.clone();
    supervisor(id, spec, Recipe::in_seat(seat, move || Supervisor::new(&make)))
}

/// A supervisor whose tree is made anew at each start, by code that may fail, or find that there is nothing to run.
///
/// What is in the tree is not known beforehand: nothing of it is checked before it starts, and when the group of this
/// child is restarted, messages to seats that were made outside are not purged.
///
/// # OTP
/// `init/1` of a supervisor.
pub fn tree_from<R, F>(id: &str, make: F) -> Child
where
    R: IntoActor<Actor = Supervisor> + 'static,
    F: Fn() -> R + Clone + Send + Sync + 'static,
{
    Child::new(ChildRules::supervisor(id), Recipe::own_seat(make, MAILBOX)).purge()
}

fn supervisor(id: &str, below: Spec, recipe: Recipe) -> Child {
    let members = below.children.iter().map(|child| child.recipe.clone()).collect();
    Child { below: Some(below), ..Child::new(ChildRules::supervisor(id), recipe.over(members)) }.purge()
}

impl Child {
    fn new(rules: ChildRules, recipe: Recipe) -> Self {
        Self { rules, recipe, settings: Settings::default(), below: None }
    }

    /// When it is started again.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.rules.restart = restart;
        self
    }

    /// How it is stopped.
    ///
    /// A finite time on a supervisor may leave its children to die of its kill; leave it at [`Shutdown::Infinity`].
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.rules.shutdown = shutdown;
        self
    }

    /// Whether its end counts for the supervisor's [`Spec::auto_shutdown`]. Not for permanent children, which never
    /// end for good.
    #[must_use]
    pub fn significant(mut self, significant: bool) -> Self {
        self.rules.significant = significant;
        self
    }

    /// The children that it needs, by id, in a supervisor [`by_needs`](crate::by_needs); it starts when all of them are up,
    /// and goes down before any of them. Any other supervisor refuses a child that has needs. Added to those given before.
    #[must_use]
    pub fn needs<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Arc<str>>,
    {
        self.rules.policy_mut().needs.extend(ids.into_iter().map(Into::into));
        self
    }

    /// It says when it is ready to serve: [`Context::ready`](minder_runtime::Context::ready), in each life. It is started as
    /// any other, and its supervisor goes on as soon as it is up; [`Root::ready`](crate::Root::ready) waits for it, and
    /// [`ChildInfo::ready`](crate::ChildInfo::ready) tells.
    ///
    /// When to use this: where a start takes long and others need not wait for it. When not: what must be done before the
    /// next child starts belongs into the start itself.
    #[must_use]
    pub fn reports_ready(mut self) -> Self {
        self.rules.policy_mut().readiness.get_or_insert_default();
        self
    }

    /// [`Child::reports_ready`], and no later than this after it is up: otherwise it is killed with
    /// [`ExitReason::NotReady`](minder_runtime::ExitReason::NotReady), which is judged as any crash. It catches an actor
    /// that is up and stays of no use, and one that has forgotten to say that it is.
    #[must_use]
    pub fn ready_within(mut self, within: Duration) -> Self {
        self.rules.policy_mut().readiness = Some(ReportsReady { within: Some(within) });
        self
    }

    /// Its restarts wait, the longer the more failures there were in a row: see [`Backoff`]. While one waits the child has
    /// no process and is [`ChildStatus::Restarting`](crate::ChildStatus::Restarting) to all requests; messages to it wait
    /// in its mailbox, up to its bound. [`Root::terminate_child`](crate::Root::terminate_child) ends the wait, and a stop
    /// of the supervisor does not wait for it.
    ///
    /// For children that fail because of something that gets better by itself: a database that is down, a device that is
    /// busy. Not for those who fail by their own fault, which a delay hides, nor instead of a limit: restarts that wait
    /// longer than the supervisor's period divided by its limit never escalate, so give a child that must not fail for
    /// ever a [limit of restarts in a row](Child::limit_in_a_row) too.
    ///
    /// # Ordering
    /// In a supervisor that restarts a group, the group is stopped at once, so that nobody works on with a half of it,
    /// and started when the time has come. Those that are terminated or disabled meanwhile are not. A sibling that fails
    /// meanwhile (one before it, in rest for one) takes those that wait along in its own restart.
    ///
    /// An end that is not charged, because an idempotent message in hand is to blame, is not delayed.
    ///
    /// # OTP
    /// There is no such thing. Akka has `BackoffSupervisor`, for a single child.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.rules.policy_mut().backoff = Some(backoff);
        self
    }

    /// It is restarted at most this often within the period, whatever its siblings do; one more and it is
    /// [exhausted](Child::when_exhausted). Its restarts count against the supervisor's own limit too.
    ///
    /// For children of which each may fail now and then, under a supervisor whose own limit is high enough for all.
    #[must_use]
    pub fn limit(mut self, restarts: u32, within: Duration) -> Self {
        self.rules.policy_mut().budget = Some(Budget { restarts, period: within });
        self
    }

    /// It is restarted at most this often in a row, that is without a life in between that lasted for `healthy_after`;
    /// one more and it is [exhausted](Child::when_exhausted). A restart that fails counts as one.
    ///
    /// For children that fail slowly: a limit within a period does not see them, and they would be restarted for ever.
    #[must_use]
    pub fn limit_in_a_row(mut self, restarts: u32, healthy_after: Duration) -> Self {
        self.rules.policy_mut().in_a_row = Some(InARow { restarts, healthy_after });
        self
    }

    /// What becomes of it when it has used up [`Child::limit`] or [`Child::limit_in_a_row`]: the supervisor ends, unless
    /// said otherwise.
    ///
    /// Not to be left down under a supervisor that restarts groups, if its siblings cannot do without it: they are left
    /// alone, as when a temporary child is gone.
    #[must_use]
    pub fn when_exhausted(mut self, then: Exhausted) -> Self {
        self.rules.policy_mut().exhausted = then;
        self
    }

    /// It is there, without a process, until [`Root::enable_child`](crate::Root::enable_child): for parts that are switched
    /// on when they are wanted. The supervisor starts without it, also when it is restarted.
    ///
    /// In a specification that a running tree is given ([`Root::apply`](crate::Root::apply)) it acts where it differs from
    /// the one before: who was not disabled is stopped, who was is started, and nobody else is concerned. Where both say
    /// the same, what was asked for meanwhile by [`Root::enable_child`](crate::Root::enable_child) or
    /// [`Root::disable_child`](crate::Root::disable_child) stays.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.rules.policy_mut().disabled = true;
        self
    }

    /// Where it lives, if it is a local actor; others live anywhere, whatever this says.
    #[must_use]
    pub fn on(mut self, host: &LocalHost) -> Self {
        self.recipe = self.recipe.on(host);
        self
    }

    /// What [`Root::count_children`](crate::Root::count_children) counts it as. Nothing else depends on it: for an actor
    /// that is a supervisor of one's own making.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.rules.kind = kind;
        self
    }

    /// Checks the tree below, if the child is a supervisor, without starting anything.
    pub(crate) fn check(&self) -> Result<(), TreeError> {
        self.below.as_ref().map_or(Ok(()), |below| below.check_as(&self.rules.id))
    }

    /// How long a handler of its may await before it is killed with `Hung`, which is an abnormal end. No limit unless
    /// given. One that goes on without an await is not ended by this, but told of by `SystemBuilder::watchdog`.
    #[must_use]
    pub fn handler_limit(mut self, limit: Duration) -> Self {
        self.settings.handler_limit = Some(limit);
        self
    }

    /// What becomes of messages that wait when it ends and is started again alone. Kept for its next life unless said
    /// otherwise. When its whole group is restarted they are purged in either case: they were sent to a state that no
    /// longer exists.
    #[must_use]
    pub fn queued(mut self, queued: Queued) -> Self {
        self.settings.queued = queued;
        self
    }

    /// Messages that wait when it ends are purged: [`Child::queued`] with [`Queued::Purge`].
    #[must_use]
    pub fn purge(self) -> Self {
        self.queued(Queued::Purge)
    }

    /// It handles what stands in its mailbox before it obeys a stop, within the time that [`Child::shutdown`] gives it, and
    /// then runs `stopping`, whether it traps exits or not. Without this a stop overtakes what waits there. What comes after
    /// it has looked at the stop, which it does between two messages and wherever a handler waits, is not handled any more.
    ///
    /// For what was accepted and must not be left undone: where senders tell and do not ask, say. When not to use this:
    /// where stopping soon matters more, since a full mailbox takes as long as its messages do. A stop by
    /// [`Shutdown::BrutalKill`], one while it starts or is suspended, and one because its supervisor itself has ended wait for
    /// nothing: then nobody would put a limit to it.
    ///
    /// # OTP
    /// So `shutdown` comes to a server that traps exits: as a message, behind those that were sent before it (SIG-002).
    #[must_use]
    pub fn drain(mut self) -> Self {
        self.settings.drains = true;
        self
    }

    /// How many lives in a row an idempotent message may crash before it is moved into quarantine; 3 unless given, and
    /// at least 1.
    #[must_use]
    pub fn quarantine_after(mut self, crashes: u8) -> Self {
        self.settings.quarantine_after = Some(NonZeroU8::new(crashes).unwrap_or(NonZeroU8::MIN));
        self
    }

    /// The name under which it is found in the system, by `System::whereis`. It is claimed before the child is built, and
    /// kept over restarts; if somebody else has it, the start fails. It is free again when the supervisor has given the
    /// child's seat up: with a seat made outside the tree, when all who hold that have.
    ///
    /// A tree that gives a name to two children is refused.
    ///
    /// # OTP
    /// `gen_server:start_link({local, Name}, …)` in the child's start function.
    #[must_use]
    pub fn registered(mut self, name: impl Into<Arc<str>>) -> Self {
        self.settings.registered = Some(name.into());
        self
    }

    /// Says whom it asks, or waits for with `send` while they have no room, by their ids from the top of the tree:
    /// `vault/store`. The path of a supervisor says that requests are made to that, an empty one to the top; among the
    /// instances of a dynamic supervisor any id will do.
    ///
    /// Nothing is done about it while the tree runs. [`Spec::check`] refuses a path that leads to nobody, and
    /// [`Spec::explain`] and [`Spec::lint`] tell which asks are in danger. Worth it where children wait for each other over
    /// the borders of their supervisors; not for what is told and not waited for.
    #[must_use]
    pub fn asks<P: AsRef<str>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.settings.add_asks(paths);
        self
    }

    /// Says which version of the recipe this is: of two children with the same id and the same revision
    /// [`Root::apply`](crate::Root::apply) takes it that they do the same, although they have been written down twice, and
    /// leaves the running one alone; if the revisions differ they do not. Put into it whatever the factory depends on: a
    /// version, the hash of a configuration. Nothing else depends on it.
    ///
    /// When not to use this: where the same [`Child`] value can be kept and cloned into the new specification. A revision
    /// that stays the same although the factory does something else keeps an outdated child alive.
    #[must_use]
    pub fn revision(mut self, revision: impl Into<Arc<str>>) -> Self {
        self.settings.revision = Some(revision.into());
        self
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.rules.id
    }

    /// When a supervisor starts it again. A minder of one's own may go by it.
    pub fn restarts(&self) -> Restart {
        self.rules.restart
    }

    /// How a supervisor stops it. A minder of one's own may go by it.
    pub fn stops(&self) -> Shutdown {
        self.rules.shutdown
    }

    /// What a minder of one's own starts it with: `context.start(&child.recipe(), child.start_options())`. A tree is checked
    /// when it is started; [`Spec::check`] does so before.
    ///
    /// For several lives in one seat, work with [`Recipe::settled`] of it.
    pub fn recipe(&self) -> Recipe {
        self.recipe.clone()
    }

    /// What its specification says of each start.
    pub fn start_options(&self) -> StartOptions {
        self.settings.options(Some(self.rules.id.clone()))
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("rules", &self.rules).field("settings", &self.settings).finish()
    }
}
