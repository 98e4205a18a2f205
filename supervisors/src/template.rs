//! Dynamic supervision: children that come and go by the thousand, all made from one template with arguments of their
//! own. A template is a value that the tree and whoever starts instances share.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{Actor, ActorRef, Addr, IntoActor, MailboxOptions, Queued, Recipe};
use minder_supervisors_core::{
    Backoff, Budget, ChildRules, Exhausted, InARow, ReportsReady, Restart, Shutdown,
};

use crate::child::Settings;
use crate::errors::{StartInstanceError, TerminateChildError, Unavailable};
use crate::question::{Instance, Named, Outcome, Question};
use crate::root::{MAILBOX, Root};
use crate::spec::Spec;
use crate::supervisor::{Supervisor, SupervisorMsg};

/// Tells templates apart, whatever has been set on their clones.
pub(crate) type Mark = Arc<()>;
type Make<A> = Arc<dyn Fn(A, MailboxOptions) -> Recipe + Send + Sync>;
type Name<A> = Arc<dyn Fn(&A) -> Arc<str> + Send + Sync>;

/// What the instances of a dynamic supervisor have in common: how each is made from its arguments `A`, by which rules
/// it lives, and that it takes messages of type `M`.
///
/// Unless said otherwise an instance is permanent and is given 5 seconds to stop, as any [`Child`](crate::Child).
///
/// ```
/// use minder_runtime::{Actor, Context, Handled, System};
/// use minder_supervisors::{Restart, dynamic, one_for_one, template, tree};
///
/// struct Session(String);
/// impl Actor for Session {
///     type Msg = ();
///     async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let sessions = template("session", |user: String| Session(user)).restart(Restart::Temporary);
/// let system = System::new().expect("inside a runtime");
/// let root = one_for_one().child(tree("sessions", dynamic(&sessions).max_children(10_000)));
/// let root = root.start(&system, "top").await.expect("nothing can fail");
///
/// let pool = root.subtree("sessions").await.expect("it is there").pool(&sessions);
/// let ada = pool.start("Ada".to_owned()).await.expect("there is room").expect("it has something to run");
/// ada.tell(()).expect("there is room");
/// pool.terminate(&ada).await.expect("it is a child of the pool");
/// # }
/// ```
pub struct Template<A, M> {
    pub(crate) rules: ChildRules,
    pub(crate) settings: Settings,
    pub(crate) mark: Mark,
    mailbox: MailboxOptions,
    make: Make<A>,
    name: Option<Name<A>>,
    messages: PhantomData<fn(M)>,
}

/// A template: `make` builds the actor from the arguments of an instance, at its start and at each restart, inside the
/// supervised start. `id` is what its specification and reports about its instances say.
pub fn template<A, R, F>(id: &str, make: F) -> Template<A, <R::Actor as Actor>::Msg>
where
    A: Clone + Send + Sync + 'static,
    R: IntoActor + 'static,
    F: Fn(A) -> R + Clone + Send + Sync + 'static,
{
    let make = move |args: A, mailbox| {
        let make = make.clone();
        Recipe::own_seat(move || make(args.clone()), mailbox)
    };
    Template {
        rules: ChildRules::worker(id),
        settings: Settings::default(),
        mark: Mark::default(),
        mailbox: MailboxOptions::default(),
        make: Arc::new(make),
        name: None,
        messages: PhantomData,
    }
}

/// A template whose instances are supervisors, each with a tree of its own. `make` runs inside each supervised start.
pub fn template_of_trees<A, F>(id: &str, make: F) -> Template<A, SupervisorMsg>
where
    A: Clone + Send + Sync + 'static,
    F: Fn(A) -> Spec + Clone + Send + Sync + 'static,
{
    let mut template = template(id, move |args: A| Supervisor::new(&make(args))).mailbox(MAILBOX).purge();
    template.rules = ChildRules::supervisor(id);
    template
}

/// A supervisor of any number of instances of this template, none at first.
///
/// When not to use this: for children that are known beforehand, or that depend on each other; for children of several kinds
/// that come and go, [`dynamic_children`](crate::dynamic_children).
///
/// # OTP
/// `simple_one_for_one`. Each instance is restarted alone; the intensity is shared by all.
pub fn dynamic<A, M>(template: &Template<A, M>) -> Spec {
    Spec::of_template(template.rules.clone(), template.settings.clone(), template.mark.clone())
}

impl<A, M> Template<A, M> {
    /// When an instance is started again, with the same arguments.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.rules.restart = restart;
        self
    }

    /// As [`Child::backoff`](crate::Child::backoff), for each instance by itself.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.rules.policy_mut().backoff = Some(backoff);
        self
    }

    /// As [`Child::limit`](crate::Child::limit), for each instance by itself.
    #[must_use]
    pub fn limit(mut self, restarts: u32, within: Duration) -> Self {
        self.rules.policy_mut().budget = Some(Budget { restarts, period: within });
        self
    }

    /// As [`Child::limit_in_a_row`](crate::Child::limit_in_a_row), for each instance by itself.
    #[must_use]
    pub fn limit_in_a_row(mut self, restarts: u32, healthy_after: Duration) -> Self {
        self.rules.policy_mut().in_a_row = Some(InARow { restarts, healthy_after });
        self
    }

    /// As [`Child::when_exhausted`](crate::Child::when_exhausted); an instance that is left down is forgotten.
    #[must_use]
    pub fn when_exhausted(mut self, then: Exhausted) -> Self {
        self.rules.policy_mut().exhausted = then;
        self
    }

    /// How an instance is stopped. When the supervisor ends, all share one such time.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.rules.shutdown = shutdown;
        self
    }

    /// What [`Root::count_children`] counts an instance as; see [`Child::kind`](crate::Child::kind).
    #[must_use]
    pub fn kind(mut self, kind: crate::Kind) -> Self {
        self.rules.kind = kind;
        self
    }

    /// As [`Child::reports_ready`](crate::Child::reports_ready).
    #[must_use]
    pub fn reports_ready(mut self) -> Self {
        self.rules.policy_mut().readiness.get_or_insert_default();
        self
    }

    /// As [`Child::ready_within`](crate::Child::ready_within).
    #[must_use]
    pub fn ready_within(mut self, within: Duration) -> Self {
        self.rules.policy_mut().readiness = Some(ReportsReady { within: Some(within) });
        self
    }

    /// As [`Child::handler_limit`](crate::Child::handler_limit).
    #[must_use]
    pub fn handler_limit(mut self, limit: Duration) -> Self {
        self.settings.handler_limit = Some(limit);
        self
    }

    /// As [`Child::queued`](crate::Child::queued).
    #[must_use]
    pub fn queued(mut self, queued: Queued) -> Self {
        self.settings.queued = queued;
        self
    }

    /// As [`Child::asks`](crate::Child::asks), for every instance.
    #[must_use]
    pub fn asks<P: AsRef<str>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.settings.add_asks(paths);
        self
    }

    /// As [`Child::purge`](crate::Child::purge).
    #[must_use]
    pub fn purge(self) -> Self {
        self.queued(Queued::Purge)
    }

    /// As [`Child::drain`](crate::Child::drain).
    #[must_use]
    pub fn drain(mut self) -> Self {
        self.settings.drains = true;
        self
    }

    /// As [`Child::quarantine_after`](crate::Child::quarantine_after).
    #[must_use]
    pub fn quarantine_after(mut self, crashes: u8) -> Self {
        self.settings.quarantine_after = Some(NonZeroU8::new(crashes).unwrap_or(NonZeroU8::MIN));
        self
    }

    /// How much the mailbox of an instance takes.
    #[must_use]
    pub fn mailbox(mut self, mailbox: MailboxOptions) -> Self {
        self.mailbox = mailbox;
        self
    }

    /// Names instances by their arguments, in paths: `sessions/ada`. Without it they are numbered. Names need not
    /// differ, and nothing is found by them.
    #[must_use]
    pub fn name(mut self, name: impl Fn(&A) -> String + Send + Sync + 'static) -> Self {
        self.name = Some(Arc::new(move |args| Arc::from(name(args))));
        self
    }
}

impl<A, M> Clone for Template<A, M> {
    fn clone(&self) -> Self {
        Self {
            rules: self.rules.clone(),
            settings: self.settings.clone(),
            mark: self.mark.clone(),
            mailbox: self.mailbox,
            make: self.make.clone(),
            name: self.name.clone(),
            messages: PhantomData,
        }
    }
}

impl<A, M> fmt::Debug for Template<A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// A running dynamic supervisor, for whoever starts instances of its template. Cheap to clone; keeps nothing alive.
#[derive(Debug)]
pub struct Pool<A, M> {
    root: Root,
    template: Template<A, M>,
}

impl<A, M> Clone for Pool<A, M> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), template: self.template.clone() }
    }
}

impl<A, M> Pool<A, M>
where
    A: Clone + Send + Sync + 'static,
    M: Send + 'static,
{
    pub(crate) fn new(root: Root, template: Template<A, M>) -> Self {
        Self { root, template }
    }

    /// The supervisor, for requests that have nothing to do with the template.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Starts an instance with these arguments and waits until it is up. Its address stays valid over its restarts.
    /// Nothing if it had nothing to run. What it is to tell whoever starts it, beside its address, goes through a sender
    /// among its arguments.
    ///
    /// # Errors
    /// See [`StartInstanceError`]; an instance that failed to start, or had nothing to run, is not kept.
    ///
    /// # Cancel safety
    /// As of any request: see [`Root`]. The instance is started all the same.
    ///
    /// # OTP
    /// `supervisor:start_child/2` of a `simple_one_for_one` supervisor (SUP-172, SUP-180).
    pub async fn start(&self, args: A) -> Result<Option<Addr<M>>, StartInstanceError> {
        let name = self.template.name.as_ref().map(|name| name(&args));
        let recipe = (self.template.make)(args, self.template.mailbox);
        let instance = Instance { template: self.template.mark.clone(), recipe, name, own: None };
        let started = self.root.start_instance(instance).await?;
        Ok(started.map(|actor| actor.address().expect("what a template makes takes the template's messages")))
    }

    /// Stops an instance as the template says; resolves when it is gone. It is no child any more then, whatever its
    /// restart type. One that is gone already is no error.
    ///
    /// # Errors
    /// [`TerminateChildError::NotFound`] if it is alive and no child of this supervisor.
    ///
    /// # OTP
    /// `supervisor:terminate_child/2` by pid (SUP-175). Here by address: whichever life is there is stopped.
    pub async fn terminate(&self, instance: &Addr<M>) -> Result<(), TerminateChildError> {
        let named = Named::Actor { cell: instance.id().cell(), alive: instance.is_alive() };
        match self.root.ask(Question::Terminate(named)).await? {
            Outcome::Done => Ok(()),
            Outcome::Refused(_) => Err(TerminateChildError::NotFound),
            other => other.out_of_place("terminate_child"),
        }
    }

    /// The instances that are up, in no promised order, all in one answer.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn instances(&self) -> Result<Vec<Addr<M>>, Unavailable> {
        let children = self.root.which_children().await?;
        Ok(children.iter().filter_map(|child| child.actor().and_then(ActorRef::address)).collect())
    }
}
