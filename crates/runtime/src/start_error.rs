//! Why [`System::start`] has no actor to show: what it was to be called, and what came in between.
//! Why a seat cannot be filled, whoever starts the actor, is `birth.rs`.
//!
//! [`System::start`]: crate::System::start

use std::fmt;
use std::sync::Arc;

use minder_signals::ExitReason;

use crate::birth::StartError;

/// Why [`System::start`](crate::System::start) failed. Nothing of the actor is left.
///
/// It is an error like any other: `?` is enough in `main`. An actor that cannot do without the one it starts ends with
/// [`StartActorError::into_reason`], which is what others look at.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum StartActorError {
    /// Its seat cannot be filled; nothing was started.
    Refused {
        /// What it was to be called.
        actor: Arc<str>,
        /// Why not, and what to do.
        why: StartError,
    },
    /// It ended before it was up.
    Failed {
        /// What it was called.
        actor: Arc<str>,
        /// With which reason; `Normal` if it had nothing to run.
        reason: ExitReason,
    },
}

impl StartActorError {
    /// The reason alone: that of the actor which ended, or the error of its seat.
    pub fn into_reason(self) -> ExitReason {
        match self {
            Self::Refused { why, .. } => ExitReason::error(why),
            Self::Failed { reason, .. } => reason,
        }
    }
}

impl fmt::Display for StartActorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { actor, why } => write!(f, "actor `{actor}` was not started: {why}"),
            Self::Failed { actor, reason: ExitReason::Normal } => {
                write!(f, "actor `{actor}` did not start: it had nothing to run, or stopped before it was up")
            }
            Self::Failed { actor, reason } => write!(f, "actor `{actor}` did not start: {reason}"),
        }
    }
}

/// What `main` prints of an error is this: for people.
impl fmt::Debug for StartActorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartActorError {}
