//! What a supervisor learns, one event at a time, in the order in which it learned it.
//! An event about a child names its `Slot`; time comes beside the event, never inside it.

use crate::{Change, Refusal, Request, RequestId, Slot};
use alloc::boxed::Box;
use minder_signals::ExitReason;

/// Tells the waits for a restart apart, so that one that is over, because its child was stopped or replaced, leads to
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(crate) u64);

/// What happened, as the supervisor learned it. Complete by definition: a host makes these and reads none.
///
/// An event that cannot happen in the present state (an unknown or forgotten slot, an exit of a child without a
/// process, a second start) is ignored.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The supervisor itself is to start: its children come up in order.
    Start,
    /// The child asked for by [`Command::Start`](crate::Command::Start) has said that it is up.
    Started(Slot),
    /// The child asked for by [`Command::Start`](crate::Command::Start) ended, or was refused, before it was up.
    /// Whatever the reason and the restart type, this is a failure (SUP-006, SUP-072).
    StartFailed(Slot, ExitReason),
    /// The child asked for by [`Command::Start`](crate::Command::Start) said that there is nothing to run: no
    /// process, and no failure either (SUP-079, SUP-080).
    Ignored(Slot),
    /// A child ended and is completely gone: once for each life that was [`Event::Started`]. For a child that is
    /// still starting it means the same as [`Event::StartFailed`].
    ///
    /// `charged`: whether the end is the child's own fault. Where it is not, since a message that is put on trial first
    /// was in hand, a restart does not count against the intensity: as often within a period as restarts are tolerable
    /// anyway, and charged from then on.
    Exited {
        /// Which child.
        slot: Slot,
        /// Why it ended.
        reason: ExitReason,
        /// Whether it counts.
        charged: bool,
    },
    /// A child that is up has said that it is ready to serve. Nothing follows for one that does not declare that it says so.
    Ready(Slot),
    /// The moment given in [`Command::SetReadyDeadline`](crate::Command::SetReadyDeadline) has come.
    ReadyDeadline(Slot),
    /// The moment given in [`Command::SetDeadline`](crate::Command::SetDeadline) has come.
    StopDeadline(Slot),
    /// The moment given in [`Command::SetEndDeadline`](crate::Command::SetEndDeadline) has come.
    EndDeadline,
    /// A [`Command::TryAgain`](crate::Command::TryAgain) came back through the host's own lane.
    TryAgain(Slot),
    /// The moment that was chosen for [`Command::SetRestart`](crate::Command::SetRestart), of this child and with this
    /// ticket, has come.
    RestartDue(Slot, Ticket),
    /// Whoever minds the supervisor tells it to stop, with this reason (SUP-101).
    Stop(ExitReason),
    /// Somebody asks for something. Answered by one [`Command::Answer`](crate::Command::Answer) with the same id, in
    /// its turn (SUP-154); not at all if the supervisor ends first (SUP-107).
    Asked(RequestId, Request),
    /// What came of [`Command::Compare`](crate::Command::Compare). Ignored unless it was the last command.
    Compared(Box<Result<Change, Refusal>>),
    /// What came of [`Command::Part`](crate::Command::Part): whether it was done. False if the child has ended.
    PartDone(Slot, bool),
    /// The supervisor above wants the next part of the change for which this one is held, and this request to be
    /// answered when it is done. Nothing if it has ended, or will not go on.
    NextPart(Option<RequestId>),
    /// Whoever asked for this has been told that it would wait for itself. If it has not been begun it will not be, and is
    /// answered with [`Refusal::TakenBack`].
    TakenBack(RequestId),
}
