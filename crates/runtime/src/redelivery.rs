//! The message in hand when an incarnation ends: handled at most once and lost, or idempotent and delivered again, or
//! moved aside because it has crashed too many in a row.
//! The copy that this takes is made before the message is handled, by `Actor::redelivery`.

use std::num::NonZeroU8;
use std::sync::Arc;

use minder_mailbox::Left;
use minder_signals::{ExitReason, Moment};

use crate::context::Context;
use crate::frame;
use crate::letters::Cause;
use crate::notice::Item;
use crate::reply::{Asked, Fate};

/// How many incarnations in a row a message may crash before it is moved aside.
const QUARANTINE_AFTER: usize = 3;

/// One incarnation that a message has crashed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Why it ended.
    pub reason: ExitReason,
    /// When.
    pub at: Moment,
}

/// What is known of a message that was in hand before.
pub(crate) struct Past<M> {
    pub(crate) slot: Option<Arc<dyn Asked<M>>>,
    /// How often it was delivered.
    pub(crate) attempts: u32,
    /// If its actor had postponed it: under which number.
    pub(crate) postponed: Option<u64>,
    /// The incarnations it has crashed. One that was stopped with the message in hand is not among them.
    pub(crate) failures: Vec<Failure>,
}

/// Takes note of what an end finds in hand, if anything `counted` is; `envelope` is that of an ask.
pub(crate) fn interrupted<M: Send + 'static>(
    context: &mut Context<M>,
    counted: bool,
    envelope: Option<Arc<dyn Asked<M>>>,
    reason: &ExitReason,
) {
    let address = context.cell.core.address();
    let Some(extra) = context.extra.as_deref_mut().filter(|extra| extra.copy.is_some()) else {
        context.lost = counted;
        return;
    };
    if counted {
        extra.past.get_or_insert_with(|| {
            Box::new(Past { slot: envelope, attempts: 0, failures: Vec::new(), postponed: None })
        });
    } else {
        // What an actor sent itself dies with it, copy or not.
        let copy = extra.copy.take();
        let _ = frame::with_fate(Fate::Crashed(reason.clone()), || frame::drop_caught(address, copy));
    }
}

/// Settles what was in hand: puts it at the head of the batch again, moves it aside, or counts it as lost. Returns
/// whether the end is to be charged to the actor.
pub(crate) fn settle<M: Send + 'static>(context: &mut Context<M>, reason: &ExitReason) -> bool {
    let cell = context.cell.clone();
    if std::mem::take(&mut context.lost) {
        cell.mailbox.count(Left::Crashed);
        cell.keep_letter(Cause::Crashed, None, Some(reason), None);
        return true;
    }
    let Some(extra) = context.extra.as_deref_mut() else { return true };
    let (Some(message), Some(mut past)) = (extra.copy.take(), extra.past.take()) else { return true };
    past.attempts += 1;
    past.postponed = None;
    let crashed = reason.is_abnormal();
    if crashed {
        past.failures.push(Failure { reason: reason.clone(), at: cell.core.system.now() });
    }
    let limit = extra.quarantine_after.map_or(QUARANTINE_AFTER, |limit: NonZeroU8| limit.get().into());
    if past.failures.len() >= limit {
        cell.mailbox.count(Left::Quarantined);
        cell.bury(Item::Again(message, past), Cause::Poisoned, Some(reason));
    } else {
        cell.mailbox.untake_one();
        context.batch.push_front(Item::Again(message, past));
    }
    !crashed
}
