//! What actors are told besides their messages: exits of actors they are linked to, ends of actors they watch, and
//! the orders of whoever minds them.

use alloc::sync::Arc;

use crate::{ActorId, ExitReason, MonitorId};

/// An exit signal: somebody ended, or asks the receiver to end.
#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    /// Who ended or asked.
    pub from: ActorId,
    /// Why.
    pub reason: ExitReason,
}

/// The notice of a monitor: the watched actor ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Down {
    /// Which monitor fired. It is used up.
    pub monitor: MonitorId,
    /// Who ended; for a monitor on an actor that was not there, the last incarnation known, and on a name that nobody has,
    /// an id that is nobody's: cell 0.
    pub actor: ActorId,
    /// The name by which it was watched, if it was.
    pub name: Option<Arc<str>>,
    /// Why; [`ExitReason::NoActor`] if there was no such actor to watch.
    pub reason: ExitReason,
}

/// What travels in the control lane: looked at between any two messages, ahead of everything that is handled.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Control {
    /// End at the next await; cannot be trapped.
    Kill,
    /// As [`Control::Kill`], for a reason that the minder has: its child broke a rule that it lives by.
    KillFor(ExitReason),
    /// An exit signal over a link, to an actor that does not trap exits.
    Exit(Exit),
    /// An exit signal that somebody sent, to an actor that does not trap exits: no unlink takes it back.
    Signal(Exit),
    /// Panic, with this text. Sent by fault injection, and ignored where that is not compiled in.
    Crash(Arc<str>),
    /// The minder's stop. An actor that traps exits finishes the message in hand first.
    Stop(ExitReason),
    /// Handle nothing after the message in hand, until told to resume.
    Suspend,
    /// Go on after [`Control::Suspend`].
    Resume,
    /// Answer the requests that have been left with the incarnation, after the message in hand.
    Answer,
}
