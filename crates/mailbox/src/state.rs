//! What the mailbox's lock guards: the lanes, the bound, the senders that wait for room, and the receiver's waker.
//! Every method is called with the lock held and never blocks, allocates per message or calls foreign code but
//! `Waker::clone`; whoever is to be woken is returned and woken after the lock is released.

use std::collections::VecDeque;
use std::task::{Poll, Waker};

use minder_signals::{Control, ExitReason};

use crate::mailbox::Ready;

pub(crate) struct State<T> {
    /// Everything that is handled, in order of arrival.
    pub(crate) lane: VecDeque<T>,
    /// The receiver, when it is not running.
    receiver: Option<Waker>,
    /// Counted items that were ever let in; `Mailbox::taken` says how many have left again.
    accepted: u64,
    /// The last reading of `taken`. Stale readings only make the mailbox look fuller than it is.
    taken: u64,
    capacity: u64,
    /// Boxed: most mailboxes never have any of it.
    rare: Option<Box<Rare<T>>>,
    /// Whether an item wakes the receiver; if not, it waits inside a handler and only an order does.
    idle: bool,
    /// Whether exit signals become items.
    pub(crate) trapping: bool,
}

struct Rare<T> {
    /// Orders, in order of arrival; they overtake the lane.
    orders: VecDeque<Control>,
    /// Senders that wait for room, oldest first, with ascending tickets.
    waiting: VecDeque<Waiter<T>>,
    next_ticket: u64,
    /// Set once the seat is given up.
    closed: Option<ExitReason>,
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self { orders: VecDeque::new(), waiting: VecDeque::new(), next_ticket: 0, closed: None }
    }
}

#[derive(Debug)]
struct Waiter<T> {
    ticket: u64,
    item: T,
    waker: Waker,
}

impl<T> State<T> {
    pub(crate) fn new(capacity: u64) -> Self {
        Self {
            lane: VecDeque::new(),
            receiver: None,
            accepted: 0,
            taken: 0,
            capacity,
            rare: None,
            idle: false,
            trapping: false,
        }
    }

    fn rare(&mut self) -> &mut Rare<T> {
        self.rare.get_or_insert_default()
    }

    /// Counted items that are in the mailbox, the unhandled rest of the receiver's batch among them.
    pub(crate) fn len(&mut self, taken: u64) -> u64 {
        if self.closed().is_some() {
            return 0; // its rest was handed over when it was closed
        }
        self.taken = taken;
        self.accepted - taken
    }

    /// Whether a counted item is let in at once. Reads `taken` only if the mailbox looks full: the receiver writes it
    /// with every message, and a sender that reads it each time would fight over its cache line.
    #[inline]
    pub(crate) fn admits(&mut self, taken: impl FnOnce() -> u64) -> bool {
        if self.rare.as_ref().is_some_and(|rare| rare.closed.is_some() || !rare.waiting.is_empty()) {
            return false;
        }
        if self.accepted - self.taken < self.capacity {
            return true;
        }
        self.taken = taken();
        self.accepted - self.taken < self.capacity
    }

    /// How many counted items must have left for half of the room to be free.
    pub(crate) fn half_empty_at(&self) -> u64 {
        self.accepted.saturating_sub(self.capacity / 2)
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
        self.accepted += 1;
        self.lane.push_back(item);
        self.wake_for_item()
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
    pub(crate) fn park(&mut self, waker: &Waker, idle: bool) {
        self.idle = idle;
        if !self.receiver.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.receiver = Some(waker.clone());
        }
    }

    /// Swaps the lane for the receiver's empty batch, or parks the receiver.
    #[inline]
    pub(crate) fn refill(&mut self, batch: &mut VecDeque<T>, waker: &Waker) -> Poll<Ready> {
        if self.lane.is_empty() {
            self.park(waker, true);
            return Poll::Pending;
        }
        std::mem::swap(&mut self.lane, batch);
        Poll::Ready(Ready::Items)
    }

    /// Puts a sender at the end of those who wait; returns its ticket.
    pub(crate) fn wait(&mut self, item: T, waker: &Waker) -> u64 {
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

    /// Takes a waiting sender's item back; nothing if it has been let in.
    pub(crate) fn withdraw(&mut self, ticket: u64) -> Option<T> {
        let (waiting, at) = self.find(ticket)?;
        waiting.remove(at).map(|waiter| waiter.item)
    }

    fn find(&mut self, ticket: u64) -> Option<(&mut VecDeque<Waiter<T>>, usize)> {
        let waiting = &mut self.rare.as_deref_mut()?.waiting;
        let at = waiting.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()?;
        Some((waiting, at))
    }

    /// Lets in as many waiting senders as there is room for, oldest first; `woken` gets their wakers.
    pub(crate) fn admit(&mut self, taken: u64, woken: &mut Vec<Waker>) {
        self.taken = taken;
        let Some(rare) = self.rare.as_deref_mut() else { return };
        if rare.closed.is_some() {
            return;
        }
        while self.accepted - self.taken < self.capacity {
            let Some(waiter) = rare.waiting.pop_front() else { break };
            self.accepted += 1;
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
