//! The verdict: does this child deserve a restart, given its restart type and why it ended?
//! Only the reason decides, not how the exit came about (SUP-021 to SUP-025).
//! Does not know how often was tried (`intensity.rs`) nor who else is concerned (`strategy.rs`).

use crate::Restart;
use minder_signals::ExitReason;

/// What becomes of a child that ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is started again.
    Restart,
    /// Its specification stays, without a process.
    LeaveDown,
    /// Its specification goes too.
    Forget,
}

/// Judges one exit.
pub(crate) fn verdict(restart: Restart, reason: &ExitReason) -> Verdict {
    match (restart, reason.is_abnormal()) {
        (Restart::Permanent, true) => Verdict::Restart,
        (Restart::Permanent, false) => Verdict::Restart,
        (Restart::Transient, true) => Verdict::Restart,
        (Restart::Transient, false) => Verdict::LeaveDown,
        (Restart::Temporary, true) => Verdict::Forget,
        (Restart::Temporary, false) => Verdict::Forget,
    }
}
