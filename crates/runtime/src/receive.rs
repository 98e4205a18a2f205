//! Selective receive: a handler that waits for one message in particular, while the others keep their places.
//!
//! What it takes is in hand from then on, beside what the handler had already: it has been handled when the handler has
//! come to its end, and a crash before that settles it like any message in hand.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use minder_mailbox::{Left, Queued, WhenFull};

use crate::ask::Alarm;
use crate::cell::Cell;
use crate::context::Context;
use crate::frame;
use crate::letters::Cause;
use crate::notice::Item;
use crate::redelivery::Past;
use crate::reply::{Envelope, Gone};

/// A message that a handler has received, until that handler has come to its end.
pub(crate) struct Received<M> {
    /// If it is idempotent.
    pub(crate) copy: Option<M>,
    pub(crate) past: Option<Box<Past<M>>>,
    pub(crate) envelope: Option<Envelope<M>>,
}

impl<M: Send + 'static> Context<M> {
    /// Takes the first message for which `wanted` says so out of this actor's lane, and waits for one if there is none;
    /// nothing once the time has passed, which may be none. The other messages stay where they are, in their order, and
    /// so do notices, ticks of intervals and results of jobs. Orders are obeyed meanwhile, and a message whose asker has turned away is skipped.
    ///
    /// The message is in hand until the handler ends: if the actor crashes before, it is lost or delivered again like
    /// the one that the handler was called with, which is the only one it can postpone. The deadline of that one stays what it was. Fault injection does not
    /// strike at this message.
    ///
    /// When not to use this: nearly always a message is better handled where it comes, by a state that knows what it has
    /// been waiting for. While a handler receives, all others wait; and each message that is not wanted is looked at once
    /// for each receive.
    ///
    /// # Cancel safety
    /// Dropping the future takes nothing out.
    ///
    /// # OTP
    /// `receive … after …`, which looks through the mailbox even if the time is 0.
    ///
    /// ```
    /// use std::time::Duration;
    /// use minder_runtime::{Actor, Context, Handled};
    ///
    /// struct Barrier(usize);
    ///
    /// enum Msg {
    ///     Meet,
    ///     Arrived(u32),
    ///     Other,
    /// }
    ///
    /// impl Actor for Barrier {
    ///     type Msg = Msg;
    ///
    ///     async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
    ///         if let Msg::Meet = message {
    ///             self.0 = 0;
    ///             let limit = Duration::from_secs(1);
    ///             while context.receive(limit, |message| matches!(message, Msg::Arrived(_))).await.is_some() {
    ///                 self.0 += 1;
    ///             }
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub async fn receive(&mut self, within: Duration, mut wanted: impl FnMut(&M) -> bool) -> Option<M> {
        frame::effect();
        let system = self.cell.core.system.clone();
        let mut alarm = (!within.is_zero()).then(|| Alarm::new(&system, system.now() + within));
        // Up to here nothing is wanted.
        let mut seen = 0;
        poll_fn(|cx| self.poll_receive(&mut seen, &mut wanted, &mut alarm, cx)).await
    }

    fn poll_receive(
        &mut self,
        seen: &mut usize,
        wanted: &mut impl FnMut(&M) -> bool,
        alarm: &mut Option<Alarm<'_>>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<M>> {
        // Out of the lane first: `wanted` is user code, and does not run under a lock.
        let mut first = VecDeque::new();
        self.cell.mailbox.take_lane(&mut self.batch, &mut first, cx.waker());
        let found = if first.is_empty() { None } else { self.find_first(first, wanted) };
        let found = found.or_else(|| self.find(seen, wanted));
        if self.cell.when_full == WhenFull::DropOldest {
            // There the lane holds whatever may be dropped.
            self.cell.mailbox.give_back(&mut self.batch);
            *seen = 0;
        }
        if found.is_some() {
            return Poll::Ready(found);
        }
        if alarm.as_mut().is_none_or(|alarm| alarm.is_due(cx.waker())) {
            return Poll::Ready(None);
        }
        frame::receives(cx.waker());
        Poll::Pending
    }

    /// Looks through what is of priority, which stands before everything else, and puts the rest back.
    fn find_first(&mut self, first: VecDeque<Item<M>>, wanted: &mut impl FnMut(&M) -> bool) -> Option<M> {
        let mut lent = Lent { cell: self.cell.clone(), first };
        while let Some(at) = lent.first.iter().position(|item| item.message().is_some_and(&mut *wanted)) {
            let item = lent.first.remove(at).expect("it was just looked at");
            let message = self.take(item);
            if message.is_some() {
                return message;
            }
        }
        None
    }

    fn find(&mut self, seen: &mut usize, wanted: &mut impl FnMut(&M) -> bool) -> Option<M> {
        while let Some(item) = self.batch.get(*seen) {
            if !item.message().is_some_and(&mut *wanted) {
                *seen += 1;
                continue;
            }
            let item = self.batch.remove(*seen).expect("it was just looked at");
            if let Some(message) = self.take(item) {
                return Some(message);
            }
        }
        None
    }

    /// Takes an item in hand; nothing if nobody waits for it any more.
    fn take(&mut self, item: Item<M>) -> Option<M> {
        let is_counted = item.is_counted();
        if is_counted {
            self.cell.mailbox.took_one();
        }
        let (message, envelope, past) = match item {
            Item::Tell(message) | Item::Own(message) | Item::Next(message) => (message, None, None),
            Item::Bound(message, life) if life != u64::from(self.incarnation) => {
                self.cell.count_stale(message, None);
                return None;
            }
            Item::Bound(message, _) => (message, None, None),
            Item::Ask(message, envelope) => (message, Some(envelope), None),
            Item::Again(message, mut past) => (message, past.slot.take(), Some(past)),
            Item::Tick(_) | Item::Outcome(_) | Item::Notice(_) | Item::Stop => return None,
        };
        if let Some(envelope) = &envelope {
            match envelope.take_in_hand(self.incarnation) {
                Ok(_) => envelope.pass(),
                Err(gone) => {
                    match gone {
                        Gone::TurnedAway | Gone::InACycle => {
                            self.cell.mailbox.count(Left::Skipped);
                            drop(message);
                        }
                        Gone::Expired => {
                            self.cell.mailbox.count(Left::Expired);
                            self.cell.keep_letter(Cause::Expired, Some(message), None, None);
                        }
                        Gone::Stale => self.cell.count_stale(message, Some(envelope)),
                    }
                    return None;
                }
            }
        }
        if is_counted {
            self.cell.mailbox.hold_one();
            let copy = (self.redelivery)(&message);
            self.extra().received.push(Received { copy, past, envelope });
        }
        Some(message)
    }
}

/// What is of priority, while it is looked through: put back also if that panics.
struct Lent<M: Send + 'static> {
    cell: Arc<Cell<M>>,
    first: VecDeque<Item<M>>,
}

impl<M: Send + 'static> Drop for Lent<M> {
    fn drop(&mut self) {
        self.cell.mailbox.give_back_first(std::mem::take(&mut self.first));
    }
}
