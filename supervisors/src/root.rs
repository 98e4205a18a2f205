//! A running tree, or a part of one, by the supervisor at its root: OTP's requests, each with its answers and errors.
//! Every request is a message to that supervisor, answered in order of arrival with whatever else happens to it.
//! Decides nothing and keeps nothing: a `Root` is an address.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{ActorRef, Addr, ExitReason, MailboxOptions, WhenFull};
use minder_supervisors_core::{Counts, Kind, Refusal};

use crate::child::{Child, ChildSpec};
use crate::errors::{
    DeleteChildError, DisableChildError, EnableChildError, FindChildError, RestartChildError,
    StartChildError, StartInstanceError, SubtreeError, TerminateChildError, Unavailable,
};
use crate::question::{Instance, Named, Outcome, Question};
use crate::spec::TreeError;
use crate::supervisor::SupervisorMsg;
use crate::template::{Pool, Template};

/// How much stands before a supervisor. Whoever asks for more waits: OTP's mailboxes have no bound.
pub(crate) const MAILBOX: MailboxOptions = MailboxOptions::bounded(1_024, WhenFull::Wait);

/// A running tree or subtree, by the supervisor at its root. Cheap to clone; keeps nothing alive.
///
/// # Ordering
/// A supervisor handles requests and the ends of its children in order of arrival. While it starts or stops somebody,
/// requests wait; they are answered by the same incarnation or not at all.
///
/// # Errors
/// Every request can fail with [`Unavailable`]. Requests wait as long as it takes. A child that awaits one while it starts or
/// stops, and for which that request has to wait, would wait for itself: it is told so at once
/// ([`Unavailable::WouldDeadlock`]), and what it asked for is not done unless it had been begun. Of a supervisor that does one
/// thing at a time these are all requests; [`by_needs`](crate::by_needs) those about a child that is coming up or going, and
/// [`Root::apply`] while any is.
///
/// # Cancel safety
/// Dropping the future of a request loses only the answer; what the supervisor has taken in hand it does.
///
/// ```
/// use minder_supervisors::{Restart, one_for_one, task};
/// # use minder_runtime::System;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let system = System::new().expect("inside a runtime");
/// let root = one_for_one().start(&system, "top").await.expect("nothing can fail");
/// let job = task("job", || std::future::pending::<()>());
/// let started = root.start_child(job.clone()).await.expect("its id is free");
/// assert!(started.is_some_and(|job| job.is_alive()));
/// assert_eq!(root.count_children().await.expect("it lives").active, 1);
/// root.terminate_child("job").await.expect("it is there");
/// assert!(root.start_child(job).await.is_err(), "its specification still is");
/// root.delete_child("job").await.expect("it has no process");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Root {
    address: Addr<SupervisorMsg>,
}

/// How a child stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ChildStatus {
    /// It is up, or has just ended and its supervisor does not know yet. OTP: its pid.
    Running(ActorRef),
    /// Its restart failed and is to be tried again, or waits for its time. OTP: `restarting`.
    Restarting,
    /// It has no process. OTP: `undefined`.
    Down,
    /// It has no process, and only [`Root::enable_child`] gives it one.
    Disabled,
}

/// One child, as [`Root::which_children`] lists it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChildInfo {
    /// Its id; nothing for a child of a dynamic supervisor, which is not found by one.
    pub id: Option<Arc<str>>,
    /// How it stands.
    pub status: ChildStatus,
    /// What it is for.
    pub kind: Kind,
    /// Whether it has said that it is ready to serve; nothing unless it is up, and declares that it says so
    /// ([`Child::reports_ready`]).
    pub ready: Option<bool>,
}

impl ChildInfo {
    /// Its process, if it is running.
    pub fn actor(&self) -> Option<&ActorRef> {
        match &self.status {
            ChildStatus::Running(actor) => Some(actor),
            ChildStatus::Restarting | ChildStatus::Down | ChildStatus::Disabled => None,
        }
    }
}

impl Root {
    /// The tree of the supervisor at this address, such as one made beforehand for [`tree_in`](crate::tree_in).
    pub fn of(address: Addr<SupervisorMsg>) -> Self {
        Self { address }
    }

    /// The supervisor's address.
    pub fn address(&self) -> &Addr<SupervisorMsg> {
        &self.address
    }

    /// Resolves with the reason once the supervisor's seat is given up: for the top of a tree that is when it has
    /// stopped or given up.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait.
    pub async fn ended(&self) -> ExitReason {
        self.address.ended().await
    }

    /// Stops the supervisor, in order: its children first, in reverse. Returns the reason with which it ended. Whoever
    /// minds it judges that as the end of any child, and may start it again.
    ///
    /// # Errors
    /// [`Unavailable::NotThere`] if it does not live.
    ///
    /// # OTP
    /// `gen_server:stop/3`, and `supervisor:stop/3` of OTP 29.
    pub async fn stop(&self, reason: ExitReason) -> Result<ExitReason, Unavailable> {
        match self.ask(Question::Stop(reason)).await {
            Err(Unavailable::Ended(reason)) => Ok(reason),
            Err(other) => Err(other),
            Ok(_) => unreachable!("a stop is answered by the end"),
        }
    }

    /// Adds a child, last in start order, and starts it. Returns its process, or nothing if it had nothing to run; then
    /// its specification is kept unless it is temporary. One that is [disabled](Child::disabled) is kept without being
    /// started, and nothing is returned. The child is lost with this incarnation of the supervisor.
    ///
    /// Under [`dynamic_children`](crate::dynamic_children) its id need not be free, and nothing is ever kept of a child
    /// without a process that does not wait for one.
    ///
    /// # Errors
    /// See [`StartChildError`]; a child that failed to start is not kept.
    ///
    /// # OTP
    /// `supervisor:start_child/2` (SUP-081, SUP-082, SUP-141, SUP-142); `DynamicSupervisor.start_child/2` (EXD-001).
    pub async fn start_child(&self, child: Child) -> Result<Option<ActorRef>, StartChildError> {
        child.check()?;
        match self.ask(Question::StartChild(Box::new(child))).await? {
            Outcome::Started(actor) => Ok(Some(actor)),
            Outcome::Ignored => Ok(None),
            Outcome::AlreadyStarted(actor) => Err(StartChildError::AlreadyStarted(actor)),
            Outcome::Refused(refusal) => Err(match refusal {
                Refusal::AlreadyPresent => StartChildError::AlreadyPresent,
                Refusal::Invalid(cause) => {
                    StartChildError::Invalid(TreeError::Spec { supervisor: String::new(), cause })
                }
                Refusal::StartFailed(reason) => StartChildError::Failed(reason),
                Refusal::NeedIsDown(need) => StartChildError::NeedIsDown(need),
                Refusal::TooMany => StartChildError::TooMany,
                _ => StartChildError::Dynamic,
            }),
            other => other.out_of_place("start_child"),
        }
    }

    /// Stops a child as its specification says, and leaves it down; resolves when it is gone. A temporary child is
    /// forgotten; any other can be started again by [`Root::restart_child`], or together with its group.
    ///
    /// # Errors
    /// See [`TerminateChildError`]. A child without a process is no error.
    ///
    /// # OTP
    /// `supervisor:terminate_child/2` (SUP-074, SUP-143, SUP-144).
    pub async fn terminate_child(&self, id: &str) -> Result<(), TerminateChildError> {
        self.terminate(Named::id(id)).await
    }

    /// Stops a child of a dynamic supervisor, as its specification or the template says; resolves when it is gone. It is no
    /// child any more then, whatever its restart type. See also [`Pool::terminate`].
    ///
    /// # Errors
    /// [`TerminateChildError::NotFound`] if it is alive and no child of this supervisor. Of
    /// [`dynamic_children`](crate::dynamic_children) also if it is gone already; with a template that is no error.
    ///
    /// # OTP
    /// `supervisor:terminate_child/2` by pid (SUP-175), `DynamicSupervisor.terminate_child/2` (EXD-006). Here the child is
    /// known by its seat: whichever life is there is stopped.
    pub async fn terminate_instance(&self, actor: &ActorRef) -> Result<(), TerminateChildError> {
        self.terminate(Named::actor(actor)).await
    }

    async fn terminate(&self, who: Named) -> Result<(), TerminateChildError> {
        match self.ask(Question::Terminate(who)).await? {
            Outcome::Done => Ok(()),
            Outcome::Refused(Refusal::NotFound) => Err(TerminateChildError::NotFound),
            Outcome::Refused(_) => Err(TerminateChildError::Dynamic),
            other => other.out_of_place("terminate_child"),
        }
    }

    /// Starts a child that has no process. Returns its process, or nothing if it had nothing to run.
    ///
    /// # Errors
    /// See [`RestartChildError`]; after a start that failed the child is down, and is not tried again.
    ///
    /// # OTP
    /// `supervisor:restart_child/2` (SUP-083, SUP-145).
    pub async fn restart_child(&self, id: &str) -> Result<Option<ActorRef>, RestartChildError> {
        match self.ask(Question::Restart(Arc::from(id))).await? {
            Outcome::Started(actor) => Ok(Some(actor)),
            Outcome::Ignored => Ok(None),
            Outcome::Refused(refusal) => Err(match refusal {
                Refusal::Running => RestartChildError::Running,
                Refusal::Restarting => RestartChildError::Restarting,
                Refusal::NotFound => RestartChildError::NotFound,
                Refusal::Disabled => RestartChildError::Disabled,
                Refusal::StartFailed(reason) => RestartChildError::Failed(reason),
                Refusal::NeedIsDown(need) => RestartChildError::NeedIsDown(need),
                _ => RestartChildError::Dynamic,
            }),
            other => other.out_of_place("restart_child"),
        }
    }

    /// Stops a child as its specification says, whatever it is at, and leaves it down until it is enabled; resolves when
    /// it is gone. Its specification stays; but a temporary child that was up is forgotten, as by [`Root::terminate_child`],
    /// since what it was started with is not kept. Disabling twice is no error.
    ///
    /// [`Root::terminate_child`] leaves a child down too, but only until its group is restarted, which brings it back.
    /// A disabled child is brought back by nothing but [`Root::enable_child`], by a
    /// restart of the supervisor itself, which begins as its specification says, and by another specification that says
    /// otherwise than the one before: see [`Child::disabled`].
    ///
    /// # Errors
    /// See [`DisableChildError`].
    ///
    /// # OTP
    /// There is no such thing.
    pub async fn disable_child(&self, id: &str) -> Result<(), DisableChildError> {
        match self.ask(Question::Disable(Arc::from(id))).await? {
            Outcome::Done => Ok(()),
            Outcome::Refused(Refusal::NotFound) => Err(DisableChildError::NotFound),
            Outcome::Refused(_) => Err(DisableChildError::Dynamic),
            other => other.out_of_place("disable_child"),
        }
    }

    /// Starts a child that is disabled: by [`Root::disable_child`], by [`Child::disabled`], or because it has used up its
    /// own limits and was to be [left down](Child::when_exhausted). Returns its process, or nothing if it had nothing to
    /// run. Its earlier failures are forgotten, and it is minded as any other from now on.
    ///
    /// # Errors
    /// See [`EnableChildError`]; after a start that failed the child is still disabled.
    pub async fn enable_child(&self, id: &str) -> Result<Option<ActorRef>, EnableChildError> {
        match self.ask(Question::Enable(Arc::from(id))).await? {
            Outcome::Started(actor) => Ok(Some(actor)),
            Outcome::Ignored => Ok(None),
            Outcome::Refused(refusal) => Err(match refusal {
                Refusal::NotDisabled => EnableChildError::NotDisabled,
                Refusal::NotFound => EnableChildError::NotFound,
                Refusal::StartFailed(reason) => EnableChildError::Failed(reason),
                Refusal::NeedIsDown(need) => EnableChildError::NeedIsDown(need),
                _ => EnableChildError::Dynamic,
            }),
            other => other.out_of_place("enable_child"),
        }
    }

    /// Forgets a child that has no process, and its specification.
    ///
    /// # Errors
    /// See [`DeleteChildError`].
    ///
    /// # OTP
    /// `supervisor:delete_child/2` (SUP-146).
    pub async fn delete_child(&self, id: &str) -> Result<(), DeleteChildError> {
        match self.ask(Question::Delete(Arc::from(id))).await? {
            Outcome::Done => Ok(()),
            Outcome::Refused(refusal) => Err(match refusal {
                Refusal::Running => DeleteChildError::Running,
                Refusal::Restarting => DeleteChildError::Restarting,
                Refusal::NotFound => DeleteChildError::NotFound,
                _ => DeleteChildError::Dynamic,
            }),
            other => other.out_of_place("delete_child"),
        }
    }

    /// Every child and how it stands, the one added last first; of a dynamic supervisor in no promised order, and with
    /// all of them in one answer.
    ///
    /// # Errors
    /// [`Unavailable`].
    ///
    /// # OTP
    /// `supervisor:which_children/1` (SUP-148).
    pub async fn which_children(&self) -> Result<Vec<ChildInfo>, Unavailable> {
        match self.ask(Question::WhichChildren).await? {
            Outcome::Children(children) => Ok(children),
            other => other.out_of_place("which_children"),
        }
    }

    /// One child and how it stands.
    ///
    /// # Errors
    /// See [`FindChildError`].
    ///
    /// # OTP
    /// `supervisor:which_child/2` of OTP 28 (SUP-156).
    pub async fn which_child(&self, id: &str) -> Result<ChildInfo, FindChildError> {
        match self.ask(Question::WhichChild(Named::id(id))).await? {
            Outcome::Child(child) => Ok(child),
            Outcome::Refused(Refusal::NotFound) => Err(FindChildError::NotFound),
            Outcome::Refused(_) => Err(FindChildError::Dynamic),
            other => other.out_of_place("which_child"),
        }
    }

    /// How many children there are.
    ///
    /// # Errors
    /// [`Unavailable`].
    ///
    /// # OTP
    /// `supervisor:count_children/1` (SUP-149, SUP-179).
    pub async fn count_children(&self) -> Result<Counts, Unavailable> {
        match self.ask(Question::CountChildren).await? {
            Outcome::Counts(counts) => Ok(counts),
            other => other.out_of_place("count_children"),
        }
    }

    /// The specification of a child; of a dynamic supervisor's template, by the id of that. See also
    /// [`Root::instance_spec`].
    ///
    /// # Errors
    /// See [`FindChildError`].
    ///
    /// # OTP
    /// `supervisor:get_childspec/2` (SUP-150).
    pub async fn child_spec(&self, id: &str) -> Result<ChildSpec, FindChildError> {
        self.spec_of(Named::id(id)).await
    }

    /// The specification that a child of a dynamic supervisor goes by: its own, if it was started with one, or else the
    /// template's.
    ///
    /// # Errors
    /// [`FindChildError::NotFound`] if it is no child of this supervisor.
    ///
    /// # OTP
    /// `supervisor:get_childspec/2` by pid (SUP-150).
    pub async fn instance_spec(&self, actor: &ActorRef) -> Result<ChildSpec, FindChildError> {
        self.spec_of(Named::actor(actor)).await
    }

    async fn spec_of(&self, who: Named) -> Result<ChildSpec, FindChildError> {
        match self.ask(Question::ChildSpec(who)).await? {
            Outcome::ChildSpec(spec) => Ok(spec),
            Outcome::Refused(Refusal::NotFound) => Err(FindChildError::NotFound),
            Outcome::Refused(_) => Err(FindChildError::Dynamic),
            other => other.out_of_place("child_spec"),
        }
    }

    /// The tree below, by the ids on the way there, such as `ledgers` or `front/retriers`. It follows the supervisor
    /// over restarts for as long as this supervisor's incarnation lives.
    ///
    /// # Errors
    /// See [`SubtreeError`].
    pub async fn subtree(&self, path: &str) -> Result<Self, SubtreeError> {
        let mut root = self.clone();
        for id in path.split('/') {
            let child = root.which_child(id).await.map_err(|error| match error {
                FindChildError::Unavailable(why) => SubtreeError::Unavailable(why),
                FindChildError::NotFound | FindChildError::Dynamic => SubtreeError::NotFound(Arc::from(id)),
            })?;
            let Some(actor) = child.actor() else { return Err(SubtreeError::NotRunning(Arc::from(id))) };
            let Some(address) = actor.address() else {
                return Err(SubtreeError::NoSupervisor(Arc::from(id)));
            };
            root = Self::of(address);
        }
        Ok(root)
    }

    /// This dynamic supervisor, for starting instances of its template.
    ///
    /// Nothing is asked here: that the template is the supervisor's own is found out at the first start.
    pub fn pool<A, M>(&self, template: &Template<A, M>) -> Pool<A, M>
    where
        A: Clone + Send + Sync + 'static,
        M: Send + 'static,
    {
        Pool::new(self.clone(), template.clone())
    }

    pub(crate) async fn start_instance(
        &self,
        instance: Instance,
    ) -> Result<Option<ActorRef>, StartInstanceError> {
        match self.ask(Question::StartInstance(instance)).await? {
            Outcome::Started(actor) => Ok(Some(actor)),
            Outcome::Ignored => Ok(None),
            Outcome::OtherTemplate | Outcome::Refused(Refusal::NotDynamic) => {
                Err(StartInstanceError::OtherTemplate)
            }
            Outcome::Refused(Refusal::TooMany) => Err(StartInstanceError::TooMany),
            Outcome::Refused(Refusal::StartFailed(reason)) => Err(StartInstanceError::Failed(reason)),
            other => other.out_of_place("start_instance"),
        }
    }

    pub(crate) async fn ask(&self, question: Question) -> Result<Outcome, Unavailable> {
        // A request to a supervisor between two lives is not kept for the next one.
        if !self.address.is_alive() {
            return Err(Unavailable::NotThere);
        }
        let asked =
            self.address.ask_within(Duration::MAX, |reply| SupervisorMsg::asked(question, reply)).await;
        asked.map_err(Unavailable::of)
    }
}

impl fmt::Display for ChildStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running(_) => "running",
            Self::Restarting => "restarting",
            Self::Down => "down",
            Self::Disabled => "disabled",
        })
    }
}
