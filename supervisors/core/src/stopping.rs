//! How a child is stopped by its own setting, and whether it ended as it was asked to: the same for every kind of
//! supervisor.
//! Does not decide who is stopped, nor when.

use crate::turn::Turn;
use crate::{ChildRules, Command, Restart, Shutdown, Slot};
use core::time::Duration;
use minder_signals::{ExitReason, Moment};

/// How a child stands that has been told to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// When it is to be killed, if ever.
    pub(crate) deadline: Option<Moment>,
    /// It was running when it was told; otherwise its start was abandoned.
    pub(crate) up: bool,
    /// It was asked and then killed, so that its reason says nothing.
    pub(crate) killed: bool,
}

impl Stop {
    /// Tells a child to stop, within a time of its own if its setting gives it one.
    pub(crate) fn tell(shutdown: Shutdown, slot: Slot, up: bool, turn: &mut Turn<'_>) -> Self {
        order(shutdown, slot, turn);
        let deadline = grace(shutdown).map(|grace| turn.now + grace);
        if let Some(deadline) = deadline {
            turn.push(Command::SetDeadline(slot, deadline));
        }
        Self { deadline, up, killed: false }
    }

    /// Tells a child to stop as one of many, within a time that they share.
    pub(crate) fn tell_with_others(shutdown: Shutdown, slot: Slot, up: bool, turn: &mut Turn<'_>) -> Self {
        order(shutdown, slot, turn);
        Self { deadline: None, up, killed: false }
    }

    /// Whether its time is over by now. A deadline that comes before it is that of an earlier stop.
    pub(crate) fn is_late(self, now: Moment) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// How it stands once it has been killed, too.
    pub(crate) fn kill(self, slot: Slot, turn: &mut Turn<'_>) -> Self {
        turn.push(Command::Kill(slot));
        Self { deadline: None, killed: true, ..self }
    }

    /// Whether it has been killed, by its own setting or because it was late.
    pub(crate) fn is_killed(self, rules: &ChildRules) -> bool {
        self.killed || matches!(rules.shutdown, Shutdown::BrutalKill | Shutdown::Within(Duration::ZERO))
    }

    /// Whether its reason says nothing, whatever it is.
    fn excuses(self) -> bool {
        !self.up || self.killed
    }
}

/// How long a child has that is asked to stop, if it is killed after that.
pub(crate) fn grace(shutdown: Shutdown) -> Option<Duration> {
    match shutdown {
        Shutdown::Within(limit) if !limit.is_zero() => Some(limit),
        Shutdown::Within(_) | Shutdown::BrutalKill | Shutdown::Infinity => None,
    }
}

/// Asked, or killed, or both where there is no time. Nothing is reported of a kill at once: its end says whether it took
/// one (SUP-095).
fn order(shutdown: Shutdown, slot: Slot, turn: &mut Turn<'_>) {
    if shutdown != Shutdown::BrutalKill {
        turn.push(Command::AskToStop(slot));
    }
    if matches!(shutdown, Shutdown::BrutalKill | Shutdown::Within(Duration::ZERO)) {
        turn.push(Command::Kill(slot));
    }
}

/// Whether the reason of a child that was to be stopped is to be reported: it is not the one that it was asked for, nor one
/// that its restart type excuses. `stop`: unless it had ended before it was told.
///
/// # OTP
/// `shutdown/1`: a permanent child has to end with exactly what it was told.
pub(crate) fn ended_otherwise(stop: Option<Stop>, rules: &ChildRules, reason: &ExitReason) -> bool {
    let exactly = match rules.shutdown {
        Shutdown::BrutalKill => matches!(reason, ExitReason::Killed),
        Shutdown::Within(_) | Shutdown::Infinity => matches!(reason, ExitReason::Shutdown),
    };
    let as_asked = exactly || (rules.restart != Restart::Permanent && !reason.is_abnormal());
    !as_asked && !stop.is_some_and(Stop::excuses)
}
