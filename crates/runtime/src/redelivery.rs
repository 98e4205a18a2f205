//! The message in hand when an incarnation ends: handled at most once and lost, or idempotent and delivered again, or
//! moved aside because it has crashed too many in a row.
//! The copy that this takes is made before the message is handled, by `Actor::redelivery`.

use std::num::NonZeroU8;

use minder_mailbox::Left;
use minder_signals::{ExitReason, Moment};

use crate::context::Context;
use crate::frame;
use crate::letters::Cause;
use crate::notice::Item;
use crate::receive::Received;
use crate::reply::{Envelope, Fate};

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
    pub(crate) slot: Option<Envelope<M>>,
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
    envelope: Option<Envelope<M>>,
    reason: &ExitReason,
) {
    let address = context.cell.core.address();
    settle_received(context, reason);
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

/// Settles what the handler had received. An idempotent message goes back to the head of the batch: what the handler was
/// called with comes before it, and is put there later.
fn settle_received<M: Send + 'static>(context: &mut Context<M>, reason: &ExitReason) {
    let Some(extra) = context.extra.as_deref_mut() else { return };
    let received = std::mem::take(&mut extra.received);
    if received.is_empty() {
        return;
    }
    let limit = limit(extra.quarantine_after);
    let cell = context.cell.clone();
    cell.mailbox.release(received.len() as u64);
    for Received { copy, past, envelope } in received.into_iter().rev() {
        let Some(message) = copy else {
            cell.mailbox.count(Left::Crashed);
            cell.keep_letter(Cause::Crashed, None, Some(reason), None);
            continue;
        };
        let mut past = past.unwrap_or_else(|| {
            Box::new(Past { slot: None, attempts: 0, failures: Vec::new(), postponed: None })
        });
        past.slot = envelope;
        again(context, message, past, limit, reason);
    }
}

/// An idempotent message was in hand: it is delivered again, or moved aside.
fn again<M: Send + 'static>(
    context: &mut Context<M>,
    message: M,
    mut past: Box<Past<M>>,
    limit: usize,
    reason: &ExitReason,
) {
    let cell = context.cell.clone();
    past.attempts += 1;
    past.postponed = None;
    if reason.is_abnormal() {
        past.failures.push(Failure { reason: reason.clone(), at: cell.core.system.now() });
    }
    if past.failures.len() >= limit {
        cell.mailbox.count(Left::Quarantined);
        cell.bury(Item::Again(message, past), Cause::Poisoned, Some(reason));
    } else {
        cell.mailbox.untake_one();
        context.batch.push_front(Item::Again(message, past));
    }
}

fn limit(quarantine_after: Option<NonZeroU8>) -> usize {
    quarantine_after.map_or(QUARANTINE_AFTER, |limit| limit.get().into())
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
    let (Some(message), Some(past)) = (extra.copy.take(), extra.past.take()) else { return true };
    let limit = limit(extra.quarantine_after);
    again(context, message, past, limit, reason);
    !reason.is_abnormal()
}
