//! For tests of what things cost: a host with which everything goes well, and that asks for one change.

use crate::{Change, Command, Event, Request, RequestId};
use alloc::boxed::Box;
use minder_signals::ExitReason;

/// What a command leads to, if anything; `change`: what there is to compare.
pub(crate) fn outcome(command: &Command, change: impl FnOnce() -> Change) -> Option<Event> {
    Some(match command {
        Command::Start(slot) => Event::Started(*slot),
        Command::AskToStop(slot) => {
            Event::Exited { slot: *slot, reason: ExitReason::Shutdown, charged: true }
        }
        Command::Ready => Event::Asked(RequestId(0), Request::Change { in_parts: false }),
        Command::Compare(_) => Event::Compared(Box::new(Ok(change()))),
        _ => return None,
    })
}
