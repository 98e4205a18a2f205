//! What arrives while a supervisor is at something that takes a while, and waits for its turn in order of arrival; and the
//! tickets by which it is known whether what it is about still stands.
//! Bounded by the children's lives and retries. Does not decide what becomes of it.

use crate::{Request, RequestId, Slot, Ticket};
use alloc::collections::{BTreeMap, VecDeque};

#[derive(Clone, Debug)]
pub(crate) enum Deferred {
    /// The notice of a fallen child; void if the child does not hold the same ticket any more.
    Exit {
        slot: Slot,
        ticket: u64,
        charged: bool,
    },
    TryAgain {
        slot: Slot,
    },
    RestartDue {
        slot: Slot,
        ticket: Ticket,
    },
    Asked(RequestId, Request),
}

impl Deferred {
    /// Children are in other slots now: whether it still is about one. What they wait for is asked for again by the new slots.
    pub(crate) fn moves(&mut self, now: &BTreeMap<Slot, Slot>) -> bool {
        match self {
            Self::Exit { slot, .. } => now.get(slot).map(|now| *slot = *now).is_some(),
            Self::TryAgain { .. } | Self::RestartDue { .. } => false,
            Self::Asked(..) => true,
        }
    }
}

/// Takes a request out that waits for its turn; whether it was there. Not a change of a dynamic supervisor: what was asked for
/// after it has been looked at as if it were made.
pub(crate) fn take_back(deferred: &mut VecDeque<Deferred>, request: RequestId) -> bool {
    let is_it = |deferred: &Deferred| match deferred {
        Deferred::Asked(id, asked) => *id == request && !matches!(asked, Request::ChangeDynamic(_)),
        _ => false,
    };
    let at = deferred.iter().position(is_it);
    at.and_then(|at| deferred.remove(at)).is_some()
}

/// Numbers that differ.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tickets {
    given: u64,
}

impl Tickets {
    pub(crate) fn next(&mut self) -> u64 {
        self.given += 1;
        self.given
    }
}
