//! What the mailbox's lock guards: the lanes, the bound, the senders that wait for room, and the receiver's waker.
//! Every method is called with the lock held and never blocks, allocates per message or calls foreign code but
//! `Waker::clone`; whoever is to be woken is returned and woken after the lock is released.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Poll, Waker};

use minder_signals::{Control, ExitReason};

use crate::alarm::{Alarm, Marks, Watch};
use crate::bound::WhenFull;
use crate::first::Rank;
use crate::mailbox::{Queued, Ready};
use crate::statistics::{Statistics, Tally};

/// In this order in memory: what every sender touches comes first, and what it does not fills the line up to the words
/// of the receiver (see `Mailbox`).
#[repr(C)]
pub(crate) struct State<T> {
    /// Counted items that were ever let in, without those that somebody else than the receiver has removed;
    /// `Mailbox::taken` says how many the receiver has taken.
    entered: u64,
    /// An item is let in without another look while `entered` is below: the last reading of `taken` and the capacity
    /// together, or instead of that the mark that is to be told of. Too low, 0 at worst, costs that look; 0 while somebody waits and once the seat is given up.
    room_until: u64,
    /// Everything that is handled, in order of arrival.
    pub(crate) lane: VecDeque<T>,
    /// Whether an item wakes the receiver; if not, it waits inside a handler and only an order does.
    idle: bool,
    /// Whether the receiver waits inside a handler that has a counted item in hand.
    in_hand: bool,
    /// Whether exit signals become items.
    pub(crate) trapping: bool,
    pub(crate) when_full: WhenFull,
    /// The receiver, when it is not running.
    receiver: Option<Waker>,
    capacity: u64,
    /// Boxed: most mailboxes never have any of it.
    rare: Option<Box<Rare<T>>>,
}

struct Rare<T> {
    /// Orders, in order of arrival; they overtake the lane.
    orders: VecDeque<Control>,
    /// What is handled before the lane and the receiver's batch, in order of arrival.
    first: VecDeque<T>,
    /// Senders that wait for room, oldest first, with ascending tickets.
    waiting: VecDeque<Waiter<T>>,
    next_ticket: u64,
    /// Set once the seat is given up.
    closed: Option<ExitReason>,
    tally: Tally,
    /// Who is told that the mailbox is long. Boxed: it is off for most systems.
    alarm: Option<Box<Alarm>>,
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self {
            orders: VecDeque::new(),
            first: VecDeque::new(),
            waiting: VecDeque::new(),
            next_ticket: 0,
            closed: None,
            tally: Tally::default(),
            alarm: None,
        }
    }
}

#[derive(Debug)]
struct Waiter<T> {
    ticket: u64,
    item: T,
    waker: Waker,
}

impl<T> State<T> {
    pub(crate) fn new(capacity: u64, when_full: WhenFull) -> Self {
        Self {
            entered: 0,
            room_until: capacity,
            lane: VecDeque::new(),
            idle: false,
            in_hand: false,
            trapping: false,
            when_full,
            receiver: None,
            capacity,
            rare: None,
        }
    }

    /// Where in memory the last words are that every sender writes, and reads.
    #[cfg(test)]
    pub(crate) fn words_of_senders(&self) -> (usize, usize) {
        let lane = std::ptr::from_ref(&self.lane).addr() + size_of_val(&self.lane) - size_of::<u64>();
        (lane, std::ptr::from_ref(&self.idle).addr())
    }

    fn rare(&mut self) -> &mut Rare<T> {
        self.rare.get_or_insert_default()
    }

    /// Counted items that are in the mailbox, the unhandled rest of the receiver's batch among them.
    pub(crate) fn len(&self, taken: u64) -> u64 {
        self.entered - taken
    }

    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.rare().tally
    }

    pub(crate) fn statistics(&self, taken: u64) -> Statistics {
        let of = |tally: &Tally, waiting| tally.statistics(self.entered, taken, self.in_hand, waiting);
        match &self.rare {
            Some(rare) => of(&rare.tally, rare.waiting.len() as u64),
            None => of(&Tally::default(), 0),
        }
    }

    /// Takes everything out, what is handled first by itself, and forgets that it was let in; the receiver's batch is empty or
    /// given back. Returns how many of it were counted.
    pub(crate) fn clear(&mut self, taken: u64) -> (VecDeque<T>, VecDeque<T>, u64) {
        let counted = self.len(taken);
        self.entered = taken;
        let first = self.rare.as_mut().map(|rare| std::mem::take(&mut rare.first)).unwrap_or_default();
        (first, std::mem::take(&mut self.lane), counted)
    }

    /// What is handled first, and then the lane.
    pub(crate) fn items(&self) -> impl Iterator<Item = &T> {
        let first = self.rare.as_ref().map(|rare| &rare.first);
        first.into_iter().flatten().chain(&self.lane)
    }

    /// Takes out what `which` says, oldest first.
    pub(crate) fn take_out(&mut self, which: impl Fn(&T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        let first = self.rare.as_mut().map(|rare| &mut rare.first);
        for lane in first.into_iter().chain([&mut self.lane]) {
            if lane.iter().any(&which) {
                let (out, kept): (Vec<T>, Vec<T>) = lane.drain(..).partition(&which);
                lane.extend(kept);
                taken.extend(out);
            }
        }
        taken
    }

    /// So many counted items were taken out of the lane by another than the receiver.
    pub(crate) fn purged(&mut self, items: u64) {
        self.entered -= items;
        self.tally().purged += items;
    }

    /// An item that the receiver had taken stands in its batch again: `taken` is the new reading.
    pub(crate) fn untaken(&mut self, taken: u64) {
        self.room_until = self.room_until.min(taken.saturating_add(self.unlooked()));
    }

    /// How many may be inside without another look.
    fn unlooked(&self) -> u64 {
        let alarm = self.rare.as_ref().and_then(|rare| rare.alarm.as_ref());
        alarm.and_then(|alarm| alarm.mark()).unwrap_or(self.capacity)
    }

    /// See [`Mailbox::watch`](crate::Mailbox::watch).
    pub(crate) fn watch(&mut self, marks: Marks, watch: Arc<dyn Watch>, taken: u64) {
        let alarm = Alarm::new(marks, self.capacity, watch);
        self.rare().alarm = Some(Box::new(alarm));
        self.untaken(taken); // so that it is looked at in time
    }

    /// Whoever looks after the length of the mailbox, if somebody does, has a look.
    fn look_at_length(&mut self, taken: u64) -> bool {
        let items = self.len(taken);
        let alarm = self.rare.as_mut().and_then(|rare| rare.alarm.as_mut());
        alarm.is_some_and(|alarm| alarm.look(items))
    }

    /// The receiver is about to take what there is: tells that the mailbox is short again, if it was long.
    #[inline]
    pub(crate) fn is_drained(&mut self, taken: impl FnOnce() -> u64) {
        let alarm = self.rare.as_ref().and_then(|rare| rare.alarm.as_ref());
        if alarm.is_some_and(|alarm| alarm.is_long()) {
            let taken = taken();
            if self.look_at_length(taken) {
                self.untaken(taken);
            }
        }
    }

    /// See [`Mailbox::must_drop_oldest`](crate::Mailbox::must_drop_oldest).
    pub(crate) fn must_drop_oldest(&mut self, taken: u64) -> bool {
        let must = self.when_full == WhenFull::DropOldest && self.len(taken) > self.capacity;
        if must {
            self.entered -= 1;
            self.tally().dropped += 1;
        }
        must
    }

    /// Whether a counted item is let in at once. Reads `taken` only if the mailbox looks full: the receiver writes it
    /// with every message, and a sender that reads it each time would fight over its cache line.
    #[inline]
    pub(crate) fn admits(&mut self, taken: impl FnOnce() -> u64) -> bool {
        self.entered < self.room_until || self.admits_after_all(taken())
    }

    #[cold]
    fn admits_after_all(&mut self, taken: u64) -> bool {
        if self.closed().is_some() || self.anyone_waits() {
            return false;
        }
        self.look_at_length(taken);
        self.room_until = taken.saturating_add(self.unlooked());
        self.entered < self.room_until
    }

    /// How many counted items must have left for half of the room to be free.
    pub(crate) fn half_empty_at(&self) -> u64 {
        self.entered.saturating_sub(self.capacity / 2)
    }

    pub(crate) fn anyone_waits(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.waiting.is_empty())
    }

    /// Why the seat was given up, if it was.
    pub(crate) fn closed(&self) -> Option<&ExitReason> {
        self.rare.as_ref()?.closed.as_ref()
    }

    /// Gives the seat up; the first reason stays.
    pub(crate) fn close(&mut self, reason: ExitReason) {
        self.room_until = 0;
        self.rare().closed.get_or_insert(reason);
    }

    pub(crate) fn push_order(&mut self, order: Control) {
        self.rare().orders.push_back(order);
    }

    pub(crate) fn next_order(&mut self) -> Option<Control> {
        self.rare.as_mut()?.orders.pop_front()
    }

    pub(crate) fn has_orders(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.orders.is_empty())
    }

    /// Takes back the orders for which `which` says so.
    pub(crate) fn retract(&mut self, which: impl Fn(&Control) -> bool) {
        if let Some(rare) = &mut self.rare {
            rare.orders.retain(|order| !which(order));
        }
    }

    pub(crate) fn forget_orders(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.orders.clear();
        }
    }

    /// Lets a counted item in and says whom to wake.
    #[inline]
    pub(crate) fn accept(&mut self, item: T) -> Option<Waker> {
        self.entered = self.entered.wrapping_add(1); // nobody sends 2^64, and this is the hot path
        self.lane.push_back(item);
        self.wake_for_item()
    }

    /// Lets an item in that is handled first.
    pub(crate) fn accept_first(&mut self, item: T, is_counted: bool) -> Option<Waker> {
        self.entered = self.entered.wrapping_add(is_counted.into());
        self.rare().first.push_back(item);
        self.wake_for_item()
    }

    /// The oldest of what is handled first, and whether there is more of it.
    pub(crate) fn next_first(&mut self) -> (Option<T>, bool) {
        let Some(rare) = &mut self.rare else { return (None, false) };
        (rare.first.pop_front(), !rare.first.is_empty())
    }

    pub(crate) fn has_first(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.first.is_empty())
    }

    /// What is handled first, out of the way of whoever looks through it.
    pub(crate) fn lend_first(&mut self, first: &mut VecDeque<T>) {
        if let Some(rare) = &mut self.rare {
            first.append(&mut rare.first);
        }
    }

    /// Puts back what was lent, before what has come meanwhile.
    pub(crate) fn give_back_first(&mut self, mut first: VecDeque<T>) {
        let rare = self.rare();
        first.append(&mut rare.first);
        rare.first = first;
    }

    /// Lets an item in that is exempt from the bound.
    pub(crate) fn accept_exempt(&mut self, item: T) -> Option<Waker> {
        self.lane.push_back(item);
        self.wake_for_item()
    }

    #[inline]
    pub(crate) fn wake_for_item(&mut self) -> Option<Waker> {
        if self.idle {
            self.idle = false;
            self.receiver.take()
        } else {
            None
        }
    }

    pub(crate) fn wake_for_order(&mut self) -> Option<Waker> {
        self.idle = false;
        self.receiver.take()
    }

    /// Remembers the receiver until it is woken.
    #[inline]
    pub(crate) fn park(&mut self, waker: &Waker, idle: bool, in_hand: bool) {
        self.in_hand = in_hand;
        self.remember(waker, idle);
    }

    /// From now on items wake the receiver, which is awake.
    pub(crate) fn listen(&mut self, waker: &Waker) {
        self.remember(waker, true);
    }

    #[inline]
    fn remember(&mut self, waker: &Waker, idle: bool) {
        self.idle = idle;
        if !self.receiver.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.receiver = Some(waker.clone());
        }
    }

    /// Parks the receiver unless there is something in the lane, or to be handled before it.
    #[inline]
    pub(crate) fn wait_for_items(&mut self, waker: &Waker) -> Poll<Ready> {
        if self.lane.is_empty() && !self.has_first() {
            self.park(waker, true, false);
            return Poll::Pending;
        }
        self.in_hand = false;
        Poll::Ready(Ready::Items)
    }

    /// Swaps the lane for the receiver's empty batch, or parks the receiver. Where the oldest item may have to make
    /// room, the lane keeps all but the one that is handled next: a sender cannot reach into the batch.
    #[inline]
    pub(crate) fn refill(&mut self, batch: &mut VecDeque<T>, waker: &Waker) -> Poll<Ready> {
        let ready = self.wait_for_items(waker);
        if ready.is_ready() {
            if self.when_full == WhenFull::DropOldest {
                batch.extend(self.lane.pop_front());
            } else {
                std::mem::swap(&mut self.lane, batch);
            }
        }
        ready
    }

    /// Puts the unhandled rest of a batch back at the head of the lane.
    pub(crate) fn give_back(&mut self, batch: &mut VecDeque<T>) {
        self.in_hand = false;
        std::mem::swap(&mut self.lane, batch);
        self.lane.append(batch);
    }

    /// Puts a sender at the end of those who wait; returns its ticket.
    pub(crate) fn wait(&mut self, item: T, waker: &Waker) -> u64 {
        self.room_until = 0;
        let rare = self.rare();
        let ticket = rare.next_ticket;
        rare.next_ticket += 1;
        rare.waiting.push_back(Waiter { ticket, item, waker: waker.clone() });
        ticket
    }

    /// Whether this ticket still waits; if so its waker is brought up to date.
    pub(crate) fn still_waits(&mut self, ticket: u64, waker: &Waker) -> bool {
        let Some((waiting, at)) = self.find(ticket) else { return false };
        waiting[at].waker.clone_from(waker);
        true
    }

    pub(crate) fn is_waiting(&self, ticket: u64) -> bool {
        let waiting = self.rare.as_deref().map(|rare| &rare.waiting);
        waiting.is_some_and(|waiting| waiting.binary_search_by_key(&ticket, |waiter| waiter.ticket).is_ok())
    }

    /// Takes a waiting sender's item back; nothing if it has been let in.
    pub(crate) fn withdraw(&mut self, ticket: u64) -> Option<T> {
        let (waiting, at) = self.find(ticket)?;
        let item = waiting.remove(at)?.item;
        self.tally().refused += 1;
        Some(item)
    }

    fn find(&mut self, ticket: u64) -> Option<(&mut VecDeque<Waiter<T>>, usize)> {
        let waiting = &mut self.rare.as_deref_mut()?.waiting;
        let at = waiting.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()?;
        Some((waiting, at))
    }

    /// Lets in as many waiting senders as there is room for, oldest first; `woken` gets their wakers.
    pub(crate) fn admit(&mut self, taken: u64, woken: &mut Vec<Waker>) {
        let Some(rare) = self.rare.as_deref_mut() else { return };
        if rare.closed.is_some() {
            return;
        }
        while self.entered - taken < self.capacity {
            let Some(waiter) = rare.waiting.pop_front() else { break };
            self.entered += 1;
            self.lane.push_back(waiter.item);
            woken.push(waiter.waker);
        }
    }

    /// Wakes every waiting sender without letting it in: each finds the mailbox closed and takes its item back.
    pub(crate) fn wake_all_waiting(&mut self, woken: &mut Vec<Waker>) {
        if let Some(rare) = self.rare.as_deref_mut() {
            woken.extend(rare.waiting.iter().map(|waiter| waiter.waker.clone()));
        }
    }
}

impl<T: Queued> State<T> {
    /// Puts an item back into the lane that [`State::clear`] has taken out.
    pub(crate) fn restore(&mut self, item: T) {
        self.entered += u64::from(item.is_counted());
        self.lane.push_back(item);
    }

    /// Whether nothing may go for an ordinary item but what is handled first, and one too many is inside already: then that
    /// item is the oldest that may go. Let in, it would make room for the next of priority, and so on without end.
    pub(crate) fn has_room_for_priority_only(&self, taken: u64) -> bool {
        let first = self.rare.as_ref().map(|rare| &rare.first);
        self.len(taken) > self.capacity
            && !self.lane.iter().any(Queued::is_counted)
            && first.is_some_and(|first| first.iter().any(Queued::is_counted))
    }

    /// Makes room for a counted item of this rank, at the cost of the oldest, which is returned: of the oldest in the lane; of
    /// the oldest that is handled first only for another of those. With nothing in reach that may go, the oldest is on its
    /// way into a handler's hands, or handled first: nothing is dropped then, so that one more than the bound may be inside.
    pub(crate) fn displace(&mut self, by: Rank) -> Option<T> {
        let mut oldest = take_oldest(&mut self.lane);
        if oldest.is_none() && by == Rank::Priority {
            oldest = self.rare.as_mut().and_then(|rare| take_oldest(&mut rare.first));
        }
        if oldest.is_some() {
            self.entered -= 1;
            self.tally().dropped += 1;
        }
        oldest
    }
}

/// The first of all that are counted: notices may stand before it.
fn take_oldest<T: Queued>(items: &mut VecDeque<T>) -> Option<T> {
    items.iter().position(Queued::is_counted).and_then(|at| items.remove(at))
}
