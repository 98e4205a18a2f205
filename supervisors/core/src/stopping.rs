//! How a child is stopped by its own setting, and whether it ended as it was asked to: the same for every kind of
//! supervisor.
//! Does not decide who is stopped, nor when.

use crate::{ChildRules, Command, Restart, Shutdown, Slot};
use alloc::vec::Vec;
use minder_signals::{ExitReason, Moment};

/// Tells a child to stop; when it is to be killed, if it is to be asked first.
pub(crate) fn tell_to_stop(
    shutdown: Shutdown,
    slot: Slot,
    now: Moment,
    commands: &mut Vec<Command>,
) -> Option<Moment> {
    match shutdown {
        Shutdown::BrutalKill => {
            commands.push(Command::Kill(slot));
            None
        }
        Shutdown::Within(limit) if limit.is_zero() => {
            // Nothing is reported of the kill itself: its end says whether it took one (SUP-095).
            commands.extend([Command::AskToStop(slot), Command::Kill(slot)]);
            None
        }
        Shutdown::Within(limit) => {
            let deadline = now + limit;
            commands.extend([Command::AskToStop(slot), Command::SetDeadline(slot, deadline)]);
            Some(deadline)
        }
        Shutdown::Infinity => {
            commands.push(Command::AskToStop(slot));
            None
        }
    }
}

/// Whether a stopped child's reason is the one it was asked for, or one that its restart type excuses.
///
/// # OTP
/// `shutdown/1`: a permanent child has to end with exactly what it was told.
pub(crate) fn is_as_asked(rules: &ChildRules, reason: &ExitReason) -> bool {
    let exactly = match rules.shutdown {
        Shutdown::BrutalKill => matches!(reason, ExitReason::Killed),
        Shutdown::Within(_) | Shutdown::Infinity => matches!(reason, ExitReason::Shutdown),
    };
    exactly || (rules.restart != Restart::Permanent && !reason.is_abnormal())
}
