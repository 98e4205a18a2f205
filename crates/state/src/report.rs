//! What is told of an actor's checkpoints: as values to whoever asks (`Checkpoints::reports`), and to the log under the
//! target `minder::state`.

use std::error::Error;
use std::fmt;

use minder_runtime::ExitReason;

use crate::store::StoreError;

/// Something that happened to an actor's checkpoints.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Report {
    /// A life began, with this checkpoint or clean.
    Began(Option<u64>),
    /// A checkpoint was damaged, and not restored; or the ladder itself (no number).
    Damaged(Option<u64>, String),
    /// The actor did not take a checkpoint.
    Refused(u64, String),
    /// The lives restored from a checkpoint died too often before their first good message: it is not restored again.
    Demoted(u64),
    /// What there is could not be read. The life began clean, and writes no checkpoints: they would take the place of
    /// those that could not be read.
    LoadFailed(LoadError),
    /// A checkpoint was not written.
    SaveFailed(SaveError),
}

/// Why what there is could not be read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LoadError {
    /// The store failed.
    Store(StoreError),
    /// The keeper did not answer in time.
    TimedOut,
    /// The keeper ended, for this reason.
    Ended(ExitReason),
    /// The keeper had no room for the question, or gave no answer.
    Refused,
}

/// Why a checkpoint was not written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SaveError {
    /// The store failed.
    Store(StoreError),
    /// The snapshot could not be packed; says why.
    Pack(String),
    /// The keeper did not acknowledge it in time: it may be written yet.
    TimedOut,
    /// The keeper ended with it in hand: whether it was written is not known.
    Lost,
    /// The keeper had no room for it.
    Full,
    /// There is no keeper any more, for this reason.
    Ended(ExitReason),
    /// What there is could not be read when this life began, and is not written over.
    Unread,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::TimedOut => f.write_str("the keeper of the checkpoints did not answer in time"),
            Self::Ended(reason) => write!(f, "the keeper of the checkpoints has ended: {reason}"),
            Self::Refused => f.write_str("the keeper of the checkpoints has no room, or no answer"),
        }
    }
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Pack(why) => write!(f, "the snapshot cannot be kept: {why}"),
            Self::TimedOut => f.write_str("the keeper did not acknowledge the checkpoint in time"),
            Self::Lost => f.write_str("the keeper ended with the checkpoint in hand"),
            Self::Full => f.write_str("the keeper has no room for the checkpoint"),
            Self::Ended(reason) => write!(f, "the keeper of the checkpoints has ended: {reason}"),
            Self::Unread => {
                f.write_str("the checkpoints there are could not be read, and are not written over")
            }
        }
    }
}

impl Error for LoadError {}
impl Error for SaveError {}

impl Report {
    pub(crate) fn trace(&self, name: &str) {
        match self {
            Self::Began(number) => {
                tracing::debug!(target: "minder::state", name, number, "life began");
            }
            Self::Damaged(number, error) => {
                tracing::error!(target: "minder::state", name, number, error, "checkpoint damaged");
            }
            Self::Refused(number, error) => {
                tracing::warn!(target: "minder::state", name, number, error, "checkpoint refused");
            }
            Self::Demoted(number) => {
                tracing::warn!(target: "minder::state", name, number, "checkpoint demoted");
            }
            Self::LoadFailed(error) => {
                tracing::error!(target: "minder::state", name, %error, "checkpoints not read");
            }
            Self::SaveFailed(error) => {
                tracing::warn!(target: "minder::state", name, %error, "checkpoint not written");
            }
        }
    }
}
