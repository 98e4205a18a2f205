//! One child of a supervision tree: what to start, and by which rules.

use std::fmt;
use std::future::Future;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{
    Actor, IntoActor, IntoLocalActor, LocalActor, LocalHost, MailboxOptions, Queued, Recipe, Seat,
    StartOptions,
};
use minder_supervisors_core::{ChildRules, Restart, Shutdown};

use crate::spec::Spec;
use crate::supervisor::Supervisor;
use crate::task::{IntoExit, TaskActor};

/// A child to be: an actor, an async function, or a supervisor.
///
/// Unless said otherwise it is permanent, is given 5 seconds to stop (a supervisor as long as it takes), and is not
/// significant.
#[derive(Clone)]
pub struct Child {
    pub(crate) rules: ChildRules,
    pub(crate) recipe: Recipe,
    pub(crate) handler_limit: Option<Duration>,
    pub(crate) queued: Queued,
    pub(crate) quarantine_after: Option<NonZeroU8>,
    pub(crate) registered: Option<Arc<str>>,
    /// The tree below, if the child is a supervisor; for checking it before anything starts.
    pub(crate) below: Option<Spec>,
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
    let make = move || TaskActor::new(run.clone());
    Child::new(ChildRules::worker(id), Recipe::own_seat(make, MailboxOptions::default()))
}

/// A supervisor with children of its own.
pub fn tree(id: &str, spec: Spec) -> Child {
    let below = spec.clone();
    let make = move || Supervisor::new(&spec);
    let members = below.children.iter().map(|child| child.recipe.clone()).collect();
    let recipe = Recipe::own_seat(make, MailboxOptions::default()).over(members);
    Child { below: Some(below), ..Child::new(ChildRules::supervisor(id), recipe) }
}

impl Child {
    fn new(rules: ChildRules, recipe: Recipe) -> Self {
        Self {
            rules,
            recipe,
            handler_limit: None,
            queued: Queued::Keep,
            quarantine_after: None,
            registered: None,
            below: None,
        }
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

    /// Where it lives, if it is a local actor; others live anywhere, whatever this says.
    #[must_use]
    pub fn on(mut self, host: &LocalHost) -> Self {
        self.recipe = self.recipe.on(host);
        self
    }

    /// How long a handler of its may await before it is killed with `Hung`, which is an abnormal end. No limit unless
    /// given.
    #[must_use]
    pub fn handler_limit(mut self, limit: Duration) -> Self {
        self.handler_limit = Some(limit);
        self
    }

    /// What becomes of messages that wait when it ends and is started again alone. Kept for its next life unless said
    /// otherwise. When its whole group is restarted they are purged in either case: they were sent to a state that no
    /// longer exists.
    #[must_use]
    pub fn queued(mut self, queued: Queued) -> Self {
        self.queued = queued;
        self
    }

    /// Messages that wait when it ends are purged: [`Child::queued`] with [`Queued::Purge`].
    #[must_use]
    pub fn purge(self) -> Self {
        self.queued(Queued::Purge)
    }

    /// How many lives in a row an idempotent message may crash before it is moved into quarantine; 3 unless given, and
    /// at least 1.
    #[must_use]
    pub fn quarantine_after(mut self, crashes: u8) -> Self {
        self.quarantine_after = Some(NonZeroU8::new(crashes).unwrap_or(NonZeroU8::MIN));
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
        self.registered = Some(name.into());
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
        let mut options = StartOptions::named(self.rules.id.clone());
        options.handler_limit = self.handler_limit;
        options.queued = self.queued;
        options.quarantine_after = self.quarantine_after;
        options.registered = self.registered.clone();
        options
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("rules", &self.rules)
            .field("handler_limit", &self.handler_limit)
            .finish()
    }
}
