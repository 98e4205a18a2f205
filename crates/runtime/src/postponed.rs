//! Messages that an actor has postponed: taken out of its way and not handled. They stay accepted and queued in every
//! respect but their turn: they count against the bound, are skipped when their asker is gone, and wait for the next life
//! when this one ends.
//!
//! What a handler postpones and retries is noted, and done when it has ended: only then is the message's envelope at hand.

use std::collections::BTreeMap;

use minder_mailbox::{Left, Queued};

use crate::context::{Context, Extra};
use crate::frame;
use crate::letters::Cause;
use crate::notice::Item;
use crate::redelivery::Past;
use crate::reply::{Envelope, Fate, Gone};

/// Names a message that an actor has postponed: see [`Context::postpone`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "without it the message waits for the actor's next life"]
pub struct Postponed(u64);

/// What one incarnation has postponed.
pub(crate) struct Aside<M> {
    /// By number, which is the order in which they were postponed first.
    items: BTreeMap<u64, Item<M>>,
    last: u64,
    /// What the handler that runs has postponed.
    leaving: Option<(u64, M)>,
    /// What it retries, in this order.
    retried: Vec<u64>,
}

impl<M> Default for Aside<M> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), last: 0, leaving: None, retried: Vec::new() }
    }
}

impl<M> Aside<M> {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn oldest(&self) -> Option<u64> {
        self.items.iter().find(|(_, item)| item.is_counted()).map(|(number, _)| *number)
    }
}

/// A message on its way back into the actor's hands: it is known by its number, and it comes even if its asker turns away
/// meanwhile, since whoever retried it counts on it.
fn returning<M>(item: Item<M>, number: u64) -> Item<M> {
    let again = |message, slot| {
        Item::Again(
            message,
            Box::new(Past { slot, attempts: 0, failures: Vec::new(), postponed: Some(number) }),
        )
    };
    match item {
        Item::Tell(message) => again(message, None),
        Item::Ask(message, slot) => again(message, Some(slot)),
        Item::Again(message, mut past) => {
            past.postponed = Some(number);
            Item::Again(message, past)
        }
        Item::Own(message) => Item::Next(message),
        other => other,
    }
}

/// A message for the next life, which knows nothing of numbers.
fn as_it_came<M>(item: Item<M>) -> Item<M> {
    match item {
        Item::Again(message, past) if past.attempts == 0 => match past.slot {
            Some(slot) => Item::Ask(message, slot),
            None => Item::Tell(message),
        },
        Item::Again(message, mut past) => {
            past.postponed = None;
            Item::Again(message, past)
        }
        other => other,
    }
}

/// Postponing.
impl<M: Send + 'static> Context<M> {
    /// Puts the message in hand aside, to be handled again when it is retried: now is not the time for it. It stays
    /// accepted: it counts as queued and against the mailbox's bound, and if this incarnation ends it stands at the head
    /// of the lane for the next, in the order of postponing, as if it had never been taken out.
    ///
    /// An actor that postpones until its mailbox is full hears nothing new but notices, time-outs and its own messages: what
    /// ends its wait should be one of these, or the bound large enough.
    ///
    /// A message that did not come through the mailbox, as one of the actor's own timers, dies with this incarnation.
    ///
    /// # OTP
    /// `postpone` of `gen_statem`, where one that has crashed loses what it postponed.
    pub fn postpone(&mut self, message: impl Into<M>) -> Postponed {
        let message = message.into();
        let extra = self.extra();
        let known = extra.past.as_ref().and_then(|past| past.postponed);
        let aside = extra.aside.get_or_insert_default();
        if aside.leaving.is_none() {
            // One that is postponed again keeps its place.
            let number = known.unwrap_or_else(|| aside.next());
            aside.leaving = Some((number, message));
            return Postponed(number);
        }
        // There is one message in hand, and it is postponed already: this one is of the actor's own making.
        let number = aside.next();
        aside.items.insert(number, Item::Own(message));
        Postponed(number)
    }

    /// Has a postponed message handled next, before everything in the lane; of several, in the order of these calls.
    /// False if nobody waits for its answer any more, or it was [taken back](crate::Revocation): then it is skipped here and
    /// now. False too if it was dropped, in a
    /// mailbox in which the oldest has to make room.
    pub fn retry(&mut self, postponed: Postponed) -> bool {
        let Postponed(number) = postponed;
        let (cell, incarnation) = (self.cell.clone(), self.incarnation);
        let Some(aside) = self.extra.as_mut().and_then(|extra| extra.aside.as_mut()) else { return false };
        if aside.leaving.as_ref().is_none_or(|(leaving, _)| *leaving != number) {
            let slot = match aside.items.get(&number) {
                Some(Item::Ask(_, slot)) => Some(slot),
                Some(Item::Again(_, past)) => past.slot.as_ref(),
                Some(_) => None,
                None => return false,
            };
            if let Some(gone) = slot.and_then(|slot| slot.take_in_hand(incarnation).err()) {
                let message = aside.items.remove(&number).and_then(Item::into_message);
                cell.mailbox.took_one();
                match gone {
                    // What is for an earlier life is not taken in hand, so it is not postponed.
                    Gone::Stale => cell.mailbox.count(Left::Purged),
                    Gone::TurnedAway | Gone::InACycle => cell.mailbox.count(Left::Skipped),
                    Gone::Expired => {
                        cell.mailbox.count(Left::Expired);
                        cell.keep_letter(Cause::Expired, message, None, None);
                    }
                }
                return false;
            }
        }
        aside.retried.push(number);
        true
    }

    /// Has a message of one's own handled next, before everything in the lane: [`Context::tell_self`], but at its head.
    /// Dies with this incarnation.
    ///
    /// # OTP
    /// `next_event` of `gen_statem`, and what `{continue, _}` of `gen_server` is used for.
    pub fn tell_self_next(&mut self, message: impl Into<M>) {
        frame::effect();
        self.batch.push_front(Item::Next(message.into()));
    }

    /// A handler has ended: does what it has noted. `counted`, `is_bound` and `envelope` are those of the message in hand.
    /// Returns whether that was postponed, and is in hand no more.
    pub(crate) fn settle_postponed(
        &mut self,
        counted: bool,
        is_bound: bool,
        envelope: &mut Option<Envelope<M>>,
    ) -> bool {
        let incarnation = self.incarnation;
        let Some(extra) = self.extra.as_deref_mut() else { return false };
        let Extra { aside: Some(aside), past, .. } = extra else { return false };
        let leaving = aside.leaving.take();
        let was_postponed = leaving.is_some();
        if let Some((number, message)) = leaving {
            // What is retried in the same breath never waits: it stays in hand.
            if !aside.retried.contains(&number) {
                let slot = past.as_ref().and_then(|past| past.slot.as_ref());
                slot.or(envelope.as_ref()).into_iter().for_each(|slot| slot.put_back());
            }
            let item = match (past.take(), envelope.take()) {
                (Some(past), _) => Item::Again(message, past),
                (None, Some(slot)) => Item::Ask(message, slot),
                (None, None) if is_bound => Item::Bound(message, incarnation.into()),
                (None, None) if counted => Item::Tell(message),
                (None, None) => Item::Own(message),
            };
            if counted {
                self.cell.mailbox.untake_one();
            }
            aside.items.insert(number, item);
        }
        for number in std::mem::take(&mut aside.retried).into_iter().rev() {
            if let Some(item) = aside.items.remove(&number) {
                self.batch.push_front(returning(item, number));
            }
        }
        // Senders cannot reach what is aside, so it is the actor that makes the room; not out of what is on its way back.
        if was_postponed
            && let Some(oldest) = aside.oldest()
            && self.cell.mailbox.must_drop_oldest()
            && let Some(item) = aside.items.remove(&oldest)
        {
            self.cell.bury(item, Cause::Dropped, None);
        }
        was_postponed
    }

    /// This incarnation has ended: what it postponed stands at the head of the lane again, as it came. Returns whether
    /// there was anything.
    pub(crate) fn return_postponed(&mut self) -> bool {
        let Some(aside) = self.extra.as_mut().and_then(|extra| extra.aside.as_mut()) else { return false };
        let mut items = std::mem::take(&mut aside.items);
        // What was on its way back in has its place among them.
        for item in std::mem::take(&mut self.batch) {
            match &item {
                Item::Again(_, past) if past.postponed.is_some() => {
                    items.extend(past.postponed.map(|number| (number, item)));
                }
                _ => self.batch.push_back(item),
            }
        }
        let any = !items.is_empty();
        for (_, item) in items.into_iter().rev() {
            self.batch.push_front(as_it_came(item));
        }
        any
    }

    /// What a clean-up has postponed: there was nothing in hand.
    pub(crate) fn drop_postponed(&mut self, fate: Fate) -> Option<String> {
        let aside = self.extra.as_mut()?.aside.take()?;
        let Aside { items, leaving, .. } = *aside;
        let left: Vec<M> = items.into_values().filter_map(Item::into_message).collect();
        let address = self.cell.core.address();
        let left = left.into_iter().chain(leaving.map(|(_, message)| message));
        frame::with_fate(fate, || frame::drop_each_caught(address, left))
    }
}
