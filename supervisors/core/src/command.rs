//! What the host must do next, in the order given, and what it may tell the world about why.
//! Commands are begun, never awaited: their ends come back as events.
//! Does not decide anything; see `supervision.rs`.

use crate::{Answer, Delay, RequestId, Slot, Ticket};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use minder_signals::{ExitReason, Moment, SupervisorReport};

/// What the host must do next, in this order. Complete by definition: a host must know every one.
#[must_use = "a command that nobody carries out leaves its supervisor waiting for ever"]
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Begin to start this child. Answered by `Started`, `StartFailed` or `Ignored`.
    Start(Slot),
    /// Begin a new epoch for this child, which has no process: what was sent to it before belongs to a state of the
    /// whole group that no longer exists, and is purged. Stands between the last stop of a group restart and its first
    /// start, once for each member.
    NewEpoch(Slot),
    /// Tell this child to end with reason `shutdown`. Answered, once it is gone, by `Exited`; for a child that was
    /// still starting by `Exited` or `StartFailed`.
    AskToStop(Slot),
    /// Kill this child. Answered as [`Command::AskToStop`].
    Kill(Slot),
    /// Kill this child, and let everyone know that it was for this reason. Answered by `Exited` with it.
    KillFor(Slot, ExitReason),
    /// Send `StopDeadline` at this moment, not earlier. A later deadline for the same child replaces it; one that
    /// comes after the child is gone does no harm.
    SetDeadline(Slot, Moment),
    /// Send `ReadyDeadline` at this moment, not earlier. One that comes after the child is ready, or gone, does no harm;
    /// so a later deadline for the same child, of either kind, may replace it.
    SetReadyDeadline(Slot, Moment),
    /// Send `EndDeadline` at this moment, not earlier: a dynamic supervisor ends, and this is the time that the
    /// instances of its template have together.
    SetEndDeadline(Moment),
    /// Send `TryAgain` to yourself, behind what stands in your lane already (SUP-071).
    TryAgain(Slot),
    /// Send `RestartDue` with this child and ticket at a moment of your choice, drawn by chance between these two; the
    /// child has no process meanwhile. One that comes when nobody waits for it any more does no harm.
    SetRestart {
        /// Which child, or the one on whose account its group waits.
        slot: Slot,
        /// What to send back.
        ticket: Ticket,
        /// Not before this moment.
        earliest: Moment,
        /// Not after this moment, but for how coarse the clock is.
        latest: Moment,
    },
    /// A child has been added for this request and has this slot. Its first `Start` follows, unless it is disabled.
    Add(Slot, RequestId),
    /// Compare this supervisor, as it stands, with what this request is to make of it. Answered at once by `Compared`.
    Compare(RequestId),
    /// Have this part of a change done within this child, which is a supervisor. Answered by `PartDone`.
    Part(Slot, Part),
    /// This child was held for a change that will not be: it need not wait for its parts any more.
    LetGo(Slot),
    /// From here on the new rules hold that this request brought, and these are the slots of their children, in start
    /// order, each with the one that it had before, if it did. There are no others any more.
    Rearrange(RequestId, Vec<(Slot, Option<Slot>)>),
    /// Answer this request.
    Answer(RequestId, Answer),
    /// This child is gone for good: its slot means nothing any more. Not sent while the supervisor ends.
    Forget(Slot),
    /// A decision, for logs and counters. Stands before the commands that carry the decision out.
    Report(Report),
    /// The supervisor's own start is complete: every child is up.
    Ready,
    /// All children are gone; end now with this reason. Nothing comes after it.
    Exit(ExitReason),
}

/// A part of a change of rules. Each goes through the whole tree before the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Everyone whom it concerns finishes what is in hand, compares, and does nothing else.
    Hold,
    /// Whoever leaves is stopped, last to first.
    Stops,
    /// Whoever is missing is started, first to last.
    Starts,
}

/// One decision and what led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The child concerned, which may be forgotten by now.
    pub slot: Slot,
    /// Its id; that of the template for an instance without rules of its own.
    pub child: Arc<str>,
    /// What happened: why the child ended or failed to start. For [`Decision::KillAfterDeadline`] what it had been
    /// asked for.
    pub reason: ExitReason,
    /// What was decided.
    pub decision: Decision,
    /// How many restarts stand in the window, this one included if it is charged.
    pub restarts: u32,
    /// How many are tolerable within the period. For [`Decision::Escalate`] and [`Decision::GiveUpOnChild`] both are the
    /// child's own.
    pub limit: u32,
    /// How long the restart waits, if it does.
    pub delay: Option<Delay>,
    /// Whether this is on a restart that failed, of which [`Decision::TryAgain`] has told.
    pub retried: bool,
}

impl Report {
    /// What OTP's supervisor would report of it: nothing for most clean ends, and for what only follows from a decision.
    ///
    /// # OTP
    /// The calls of `?report_error` (SUP-158, SUP-159). There a child that had to be killed is reported when it is gone.
    pub fn reports(&self) -> &'static [SupervisorReport] {
        use {Decision::*, SupervisorReport::*};
        match self.decision {
            Restart | RestartGroup | RestartLater | RestartGroupLater | GiveUpOnChild => match self.retried {
                false => &[ChildTerminated],
                true => &[],
            },
            GiveUp | Escalate => match self.retried {
                false => &[ChildTerminated, Shutdown],
                true => &[Shutdown],
            },
            LeaveDown | Forget => match self.reason.is_abnormal() {
                true => &[ChildTerminated],
                false => &[],
            },
            TryAgain | StartFailed => &[StartError],
            StoppedOtherwise | KillAfterDeadline => &[ShutdownError],
            ForgetStopped | Ignore | NotReady | AutoShutdown | Remove | StartAnew | Disable => &[],
        }
    }
}

/// What a supervisor decided about a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// It is started again, alone.
    Restart,
    /// It is started again, and with it its group.
    RestartGroup,
    /// It is started again, alone, after a delay.
    RestartLater,
    /// It is started again after a delay, and with it its group, which is stopped at once.
    RestartGroupLater,
    /// It would have been started again, but that was once too often: the supervisor ends.
    GiveUp,
    /// It would have been started again, but that was once too often by its own limits: the supervisor ends.
    Escalate,
    /// It would have been started again, but that was once too often by its own limits: it is left down, or forgotten if
    /// it is an instance, until somebody asks for it.
    GiveUpOnChild,
    /// It stays down; its specification stays.
    LeaveDown,
    /// It ended by itself and is gone for good, with its specification.
    Forget,
    /// It was stopped, and is gone for good, with its specification.
    ForgetStopped,
    /// Its restart failed and will be tried again.
    TryAgain,
    /// It failed to start while the supervisor itself was starting: the supervisor ends.
    StartFailed,
    /// It had nothing to run; it stays down, or is forgotten if it is temporary.
    Ignore,
    /// It did not end in time after it was asked to stop, and is killed.
    KillAfterDeadline,
    /// It ended while it was to be stopped, but for another reason than asked for. Nothing follows from it.
    ///
    /// OTP: `shutdown_error`.
    StoppedOtherwise,
    /// It did not say in time that it is ready to serve, and is killed. What becomes of it is decided when it is gone.
    NotReady,
    /// Its end was significant: the supervisor ends.
    AutoShutdown,
    /// The new specification does not have it: it is gone for good.
    Remove,
    /// It was stopped because of a new specification, and is to be started by that.
    StartAnew,
    /// It was stopped because a new specification disables it, and stays down until it is enabled.
    Disable,
}

impl Decision {
    /// A child is started again. `group`: not alone. `later`: after a delay.
    pub(crate) fn restart(group: bool, later: bool) -> Self {
        match (group, later) {
            (false, false) => Self::Restart,
            (false, true) => Self::RestartLater,
            (true, false) => Self::RestartGroup,
            (true, true) => Self::RestartGroupLater,
        }
    }
}

/// Why a supervisor failed to start: one of its children did.
///
/// # OTP
/// `{failed_to_start_child, Id, Reason}` (SUP-003).
#[derive(Clone, Debug, PartialEq)]
pub struct StartFailed {
    child: Arc<str>,
    reason: ExitReason,
}

impl StartFailed {
    /// The child of this id failed to start for this reason.
    pub fn new(child: Arc<str>, reason: ExitReason) -> Self {
        Self { child, reason }
    }

    /// The id of the child that failed.
    pub fn child(&self) -> &Arc<str> {
        &self.child
    }

    /// Why it failed. For a nested supervisor that is again a shutdown with a `StartFailed`.
    pub fn reason(&self) -> &ExitReason {
        &self.reason
    }
}

impl fmt::Display for StartFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "child `{}` failed to start: ", self.child)?;
        match self.source() {
            // Whoever prints an error prints its sources after it.
            Some(_) => f.write_str(self.reason.kind()),
            None => write!(f, "{}", self.reason),
        }
    }
}

impl Error for StartFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            ExitReason::Error(error) | ExitReason::ShutdownWith(error) => Some(&**error),
            _ => None,
        }
    }
}
