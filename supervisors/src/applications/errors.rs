//! Why a set of applications makes no sense, and why one was not started or stopped.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use minder_runtime::ExitReason;

use crate::errors::Unavailable;
use crate::nearest::did_you_mean;

/// Why [`Applications::start`](crate::Applications::start) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ApplicationsError {
    /// A name is part of paths: it is not empty, and there is no `/` in it.
    BadName(Arc<str>),
    /// Two of them have the same name.
    NameUsedTwice(Arc<str>),
    /// One needs another that is not in the set.
    Unknown {
        /// Which.
        application: Arc<str>,
        /// What it needs.
        needs: Arc<str>,
        /// The nearest name in the set, if one is near.
        nearest: Option<Arc<str>>,
    },
    /// Each of these needs the next, and the last the first.
    Cycle(Vec<Arc<str>>),
    /// The set makes sense; the actor that controls it did not start, for this reason.
    NotStarted(ExitReason),
}

impl fmt::Display for ApplicationsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName(name) => {
                write!(f, "`{name}` is no name for an application: give it one, without a `/`")
            }
            Self::NameUsedTwice(name) => {
                write!(f, "two applications are called `{name}`; rename one of them")
            }
            Self::Unknown { application, needs, nearest } => {
                write!(
                    f,
                    "application `{application}` needs `{needs}`, which is not in the set: add it, or correct the name"
                )?;
                did_you_mean(f, nearest.as_deref())
            }
            Self::Cycle(names) => {
                f.write_str("no order of start is left for applications that need each other: ")?;
                names.iter().try_for_each(|name| write!(f, "`{name}` needs "))?;
                let first = names.first().map_or("itself", |name| name);
                write!(f, "`{first}`")
            }
            Self::NotStarted(reason) => write!(f, "the applications cannot be started here: {reason}"),
        }
    }
}

impl Error for ApplicationsError {}

/// Why [`ApplicationController::start`](crate::ApplicationController::start) or
/// [`ensure_all_started`](crate::ApplicationController::ensure_all_started) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StartApplicationError {
    /// There is no application of this name in the set.
    Unknown {
        /// The name.
        name: Arc<str>,
        /// The nearest one that there is, if one is near.
        nearest: Option<Arc<str>>,
    },
    /// It runs.
    AlreadyStarted(Arc<str>),
    /// It needs another that does not run, or not any more.
    NotStarted {
        /// Which.
        application: Arc<str>,
        /// What it needs.
        needs: Arc<str>,
    },
    /// This one failed, for this reason: its start function, its tree, or one of its start phases. Those that had been started for the same request
    /// were stopped again.
    Failed {
        /// Which.
        application: Arc<str>,
        /// Why, with what was nested in it.
        reason: ExitReason,
    },
    /// The system is stopping.
    ShuttingDown,
    /// The controller did not answer.
    Unavailable(Unavailable),
}

impl fmt::Display for StartApplicationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, nearest } => unknown(f, name, nearest.as_deref()),
            Self::AlreadyStarted(name) => write!(f, "application `{name}` runs already"),
            Self::NotStarted { application, needs } => {
                write!(f, "application `{application}` needs `{needs}`, which does not run: start that first")
            }
            Self::Failed { application, reason } => {
                write!(f, "application `{application}` did not start: {reason}")
            }
            Self::ShuttingDown => f.write_str("the system is shutting down"),
            Self::Unavailable(why) => unavailable(f, why),
        }
    }
}

impl Error for StartApplicationError {}

/// A start phase of an application failed: in the reason of [`StartApplicationError::Failed`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StartPhaseFailed {
    /// Which.
    pub phase: Arc<str>,
    /// Why.
    pub reason: ExitReason,
}

impl fmt::Display for StartPhaseFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "start phase `{}` failed: {}", self.phase, self.reason)
    }
}

impl Error for StartPhaseFailed {}

/// Why [`ApplicationController::stop`](crate::ApplicationController::stop) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StopApplicationError {
    /// There is no application of this name in the set.
    Unknown {
        /// The name.
        name: Arc<str>,
        /// The nearest one that there is, if one is near.
        nearest: Option<Arc<str>>,
    },
    /// It does not run.
    NotStarted(Arc<str>),
    /// The system is stopping, and this one with it.
    ShuttingDown,
    /// The controller did not answer.
    Unavailable(Unavailable),
}

impl fmt::Display for StopApplicationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, nearest } => unknown(f, name, nearest.as_deref()),
            Self::NotStarted(name) => write!(f, "application `{name}` does not run"),
            Self::ShuttingDown => f.write_str("the system is shutting down"),
            Self::Unavailable(why) => unavailable(f, why),
        }
    }
}

impl Error for StopApplicationError {}

fn unknown(f: &mut fmt::Formatter<'_>, name: &str, nearest: Option<&str>) -> fmt::Result {
    write!(f, "there is no application `{name}`: `which` lists those that there are")?;
    did_you_mean(f, nearest)
}

fn unavailable(f: &mut fmt::Formatter<'_>, why: &Unavailable) -> fmt::Result {
    match why {
        Unavailable::Ended(reason) => write!(f, "the applications have been stopped: {reason}"),
        other => fmt::Display::fmt(other, f),
    }
}

impl From<Unavailable> for StartApplicationError {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(why)
    }
}

impl From<Unavailable> for StopApplicationError {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(why)
    }
}

/// An application ended without which the system does not go on: in the reason with which the controller ends.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ApplicationEnded {
    /// Which.
    pub application: Arc<str>,
    /// Why.
    pub reason: ExitReason,
}

impl fmt::Display for ApplicationEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "application `{}` ended: {}", self.application, self.reason)
    }
}

impl Error for ApplicationEnded {}
