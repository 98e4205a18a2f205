//! Why a request to a supervisor failed: one enum an operation, each variant named for what the caller can do next.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use minder_runtime::{ActorRef, AskError, Cycle, ExitReason};

use crate::nearest::did_you_mean;
use crate::spec::TreeError;

/// Why a supervisor did not answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Unavailable {
    /// It does not live, or not at the moment. OTP: `noproc`.
    NotThere,
    /// It ended before it had answered, for this reason.
    Ended(ExitReason),
    /// Its mailbox did not take the request; give its seat one in which askers wait.
    Refused,
    /// It handles no requests before whoever asked has started or ended: a child that asks its own supervisor from its
    /// start or its clean-up, directly or through others, would wait for ever. OTP: it does.
    WouldDeadlock(Cycle),
}

impl Unavailable {
    pub(crate) fn of<M>(error: AskError<M>) -> Self {
        match error {
            AskError::Crashed(reason) | AskError::Purged(reason) | AskError::Stopped(reason, _) => {
                Self::Ended(reason)
            }
            AskError::WouldDeadlock(cycle) => Self::WouldDeadlock(cycle),
            _ => Self::Refused,
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => f.write_str("the supervisor is not there"),
            Self::Ended(reason) => write!(f, "the supervisor ended before it had answered: {reason}"),
            Self::Refused => f.write_str("the supervisor's mailbox did not take the request"),
            Self::WouldDeadlock(cycle) => write!(f, "these actors wait for each other: {cycle}"),
        }
    }
}

impl Error for Unavailable {}

/// Why [`Spec::start`](crate::Spec::start) failed.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum StartTreeError {
    /// The tree makes no sense. Nothing was started.
    Invalid(TreeError),
    /// It failed to start, for this reason. What had come up was stopped again.
    Failed(ExitReason),
}

impl StartTreeError {
    /// The reason for an actor that cannot do without the tree.
    pub fn into_reason(self) -> ExitReason {
        match self {
            Self::Invalid(error) => ExitReason::error(error),
            Self::Failed(reason) => reason,
        }
    }
}

impl From<TreeError> for StartTreeError {
    fn from(error: TreeError) -> Self {
        Self::Invalid(error)
    }
}

impl fmt::Display for StartTreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => fmt::Display::fmt(error, f),
            Self::Failed(reason) => write!(f, "the tree did not start: {reason}"),
        }
    }
}

/// What `main` prints of an error is this: for people.
impl fmt::Debug for StartTreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for StartTreeError {}

/// Why [`Root::start_child`](crate::Root::start_child) failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StartChildError {
    /// A child of this id is running.
    AlreadyStarted(ActorRef),
    /// There is a child of this id, without a process: restart it, or delete it first.
    AlreadyPresent,
    /// Its specification makes no sense there.
    Invalid(TreeError),
    /// It failed to start, for this reason. Nothing of it is kept.
    Failed(ExitReason),
    /// It needs this child, which is down and does not come up by itself: start that first.
    NeedIsDown(Arc<str>),
    /// The supervisor holds as many children as it may: [`Spec::max_children`](crate::Spec::max_children). Delete one first; in
    /// [`dynamic_children`](crate::dynamic_children) terminate one.
    TooMany,
    /// The supervisor is dynamic and has a template: start instances of that.
    Dynamic,
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

/// Why [`Root::terminate_child`](crate::Root::terminate_child) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TerminateChildError {
    /// There is no such child.
    NotFound,
    /// The supervisor is dynamic: its children are not found by ids.
    Dynamic,
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

/// Why [`Root::restart_child`](crate::Root::restart_child) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RestartChildError {
    /// It is running.
    Running,
    /// Its supervisor is about to start it again by itself.
    Restarting,
    /// It is disabled: enable it.
    Disabled,
    /// There is no such child.
    NotFound,
    /// It failed to start, for this reason.
    Failed(ExitReason),
    /// It needs this child, which is down and does not come up by itself: start that first.
    NeedIsDown(Arc<str>),
    /// The supervisor is dynamic: its children are not found by ids.
    Dynamic,
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

/// Why [`Root::disable_child`](crate::Root::disable_child) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DisableChildError {
    /// There is no such child.
    NotFound,
    /// The supervisor is dynamic: its children are not found by ids.
    Dynamic,
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

/// Why [`Root::enable_child`](crate::Root::enable_child) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EnableChildError {
    /// It is not disabled: it is running, is about to be started, or is down and may be restarted.
    NotDisabled,
    /// There is no such child.
    NotFound,
    /// It failed to start, for this reason, and is still disabled.
    Failed(ExitReason),
    /// It needs this child, which is down or disabled and does not come up by itself: start that first. It is still disabled.
    NeedIsDown(Arc<str>),
    /// The supervisor is dynamic: its children are not found by ids.
    Dynamic,
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

/// Why [`Root::delete_child`](crate::Root::delete_child) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DeleteChildError {
    /// It is running: terminate it first.
    Running,
    /// Its supervisor is about to start it again: terminate it first.
    Restarting,
    /// There is no such child.
    NotFound,
    /// The supervisor is dynamic: its children are not found by ids.
    Dynamic,
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

/// Why [`Root::which_child`](crate::Root::which_child) or [`Root::child_spec`](crate::Root::child_spec) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FindChildError {
    /// There is no such child.
    NotFound,
    /// The supervisor is dynamic: its children are not found by ids.
    Dynamic,
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

/// Why [`Root::subtree`](crate::Root::subtree) failed; each with the id at which the way ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SubtreeError {
    /// There is no such child.
    NotFound(Arc<str>),
    /// It is there, without a process.
    NotRunning(Arc<str>),
    /// It is there, and no supervisor.
    NoSupervisor(Arc<str>),
    /// A supervisor on the way did not answer.
    Unavailable(Unavailable),
}

/// Why [`Pool::start`](crate::Pool::start) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StartInstanceError {
    /// There are as many as there may be.
    TooMany,
    /// It failed to start, for this reason. Nothing of it is kept.
    Failed(ExitReason),
    /// The supervisor's template is another one, or it is not dynamic and has none.
    OtherTemplate,
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

const DYNAMIC: &str = "the supervisor is dynamic: its children are not found by ids";
const TOO_MANY: &str = "there are as many children as there may be";
const NOT_FOUND: &str = "there is no such child";

macro_rules! from_unavailable {
    ($($error:ty),*) => {$(
        impl From<Unavailable> for $error {
            fn from(why: Unavailable) -> Self {
                Self::Unavailable(why)
            }
        }

        impl Error for $error {}
    )*};
}

from_unavailable!(
    StartChildError,
    TerminateChildError,
    RestartChildError,
    DisableChildError,
    EnableChildError,
    DeleteChildError,
    FindChildError,
    SubtreeError,
    StartInstanceError,
    ExplainError
);

impl From<TreeError> for StartChildError {
    fn from(error: TreeError) -> Self {
        Self::Invalid(error)
    }
}

fn need_is_down(f: &mut fmt::Formatter<'_>, need: &str) -> fmt::Result {
    write!(f, "the child needs `{need}`, which is down: start that first")
}

impl fmt::Display for StartChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyStarted(actor) => write!(f, "a child of this id is running: {}", actor.path()),
            Self::AlreadyPresent => {
                f.write_str("there is a child of this id, without a process: restart it, or delete it first")
            }
            Self::Invalid(error) => fmt::Display::fmt(error, f),
            Self::Failed(reason) => write!(f, "the child failed to start: {reason}"),
            Self::NeedIsDown(need) => need_is_down(f, need),
            Self::TooMany => {
                write!(f, "{TOO_MANY}: delete one first, or terminate one of a dynamic supervisor")
            }
            Self::Dynamic => f.write_str("the supervisor is dynamic: start instances of its template"),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl fmt::Display for TerminateChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str(NOT_FOUND),
            Self::Dynamic => f.write_str(DYNAMIC),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl fmt::Display for RestartChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("the child is running"),
            Self::Restarting => f.write_str("the child is about to be started again"),
            Self::Disabled => f.write_str("the child is disabled: enable it"),
            Self::NotFound => f.write_str(NOT_FOUND),
            Self::Failed(reason) => write!(f, "the child failed to start: {reason}"),
            Self::NeedIsDown(need) => need_is_down(f, need),
            Self::Dynamic => f.write_str(DYNAMIC),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl fmt::Display for DisableChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str(NOT_FOUND),
            Self::Dynamic => f.write_str(DYNAMIC),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl fmt::Display for EnableChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDisabled => f.write_str("the child is not disabled"),
            Self::NotFound => f.write_str(NOT_FOUND),
            Self::Failed(reason) => write!(f, "the child failed to start, and is still disabled: {reason}"),
            Self::NeedIsDown(need) => need_is_down(f, need),
            Self::Dynamic => f.write_str(DYNAMIC),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl fmt::Display for DeleteChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("the child is running: terminate it first"),
            Self::Restarting => f.write_str("the child is about to be started again: terminate it first"),
            Self::NotFound => f.write_str(NOT_FOUND),
            Self::Dynamic => f.write_str(DYNAMIC),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl fmt::Display for FindChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str(NOT_FOUND),
            Self::Dynamic => f.write_str(DYNAMIC),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl fmt::Display for SubtreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(id) => write!(f, "there is no child `{id}`"),
            Self::NotRunning(id) => write!(f, "child `{id}` has no process"),
            Self::NoSupervisor(id) => write!(f, "child `{id}` is no supervisor"),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl fmt::Display for StartInstanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => f.write_str(TOO_MANY),
            Self::Failed(reason) => write!(f, "the child failed to start: {reason}"),
            Self::OtherTemplate => {
                f.write_str("the supervisor has another template, or none: start the instances of its own")
            }
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

/// A path that leads to nobody in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoSuchPath {
    /// The path.
    pub path: Arc<str>,
    /// The nearest one that leads to somebody, if one is near.
    pub nearest: Option<Arc<str>>,
}

impl fmt::Display for NoSuchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no child `{}`; paths are ids from the top of the tree", self.path)?;
        did_you_mean(f, self.nearest.as_deref())
    }
}

impl Error for NoSuchPath {}

/// Why [`Root::explain_child`](crate::Root::explain_child) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ExplainError {
    /// There is no such child.
    NoSuchPath(NoSuchPath),
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

impl From<NoSuchPath> for ExplainError {
    fn from(error: NoSuchPath) -> Self {
        Self::NoSuchPath(error)
    }
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPath(error) => fmt::Display::fmt(error, f),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}
