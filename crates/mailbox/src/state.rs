//! What the mailbox's lock guards: the lanes, the bound, the senders that wait for room, and the receiver's waker.
//! Every method is called with the lock held and never blocks, allocates per message or calls foreign code but
//! `Waker::clone`; whoever is to be woken is returned and woken after the lock is released.

use std::collections::VecDeque;
use std::task::Waker;

use minder_signals::{Control, ExitReason};

pub(crate) struct State<T> {
    /// Everything that is handled, in order of arrival.
    pub(crate) lane: VecDeque<T>,
    /// Orders, in order of arrival; they overtake `lane`.
    pub(crate) orders: VecDeque<Control>,
    /// The receiver, when it is not running.
    receiver: Option<Waker>,
    /// Whether an item wakes the receiver; if not, it waits inside a handler and only an order does.
    idle: bool,
    /// Whether exit signals become items.
    pub(crate) trapping: bool,
    /// Counted items that were ever let in; `Mailbox::taken` says how many have left again.
    accepted: u64,
    /// The last reading of `taken`. Stale readings only make the mailbox look fuller than it is.
    taken: u64,
    capacity: u64,
    /// Senders that wait for room, oldest first, with ascending tickets. Boxed: most mailboxes never have one.
    waiting: Option<Box<Waiting<T>>>,
    /// Set once the seat is given up.
    pub(crate) closed: Option<ExitReason>,
}

#[derive(Debug)]
struct Waiting<T> {
    next_ticket: u64,
    queue: VecDeque<Waiter<T>>,
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
            orders: VecDeque::new(),
            receiver: None,
            idle: false,
            trapping: false,
            accepted: 0,
            taken: 0,
            capacity,
            waiting: None,
            closed: None,
        }
    }

    /// Counted items that are in the mailbox, the unhandled rest of the receiver's batch among them.
    pub(crate) fn len(&mut self, taken: u64) -> u64 {
        if self.closed.is_some() {
            return 0; // its rest was handed over when it was closed
        }
        self.taken = taken;
        self.accepted - taken
    }

    /// Whether one more counted item fits. Reads `taken` only if the mailbox looks full: the receiver writes it with
    /// every message, and a sender that reads it each time would fight over its cache line.
    pub(crate) fn has_room(&mut self, taken: impl FnOnce() -> u64) -> bool {
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
        self.waiting.as_ref().is_some_and(|waiting| !waiting.queue.is_empty())
    }

    /// Lets a counted item in and says whom to wake.
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
    pub(crate) fn park(&mut self, waker: &Waker, idle: bool) {
        self.idle = idle;
        if !self.receiver.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.receiver = Some(waker.clone());
        }
    }

    /// Puts a sender at the end of those who wait; returns its ticket.
    pub(crate) fn wait(&mut self, item: T, waker: &Waker) -> u64 {
        let waiting =
            self.waiting.get_or_insert_with(|| Box::new(Waiting { next_ticket: 0, queue: VecDeque::new() }));
        let ticket = waiting.next_ticket;
        waiting.next_ticket += 1;
        waiting.queue.push_back(Waiter { ticket, item, waker: waker.clone() });
        ticket
    }

    /// Whether this ticket still waits; if so its waker is brought up to date.
    pub(crate) fn still_waits(&mut self, ticket: u64, waker: &Waker) -> bool {
        let Some((waiting, at)) = self.find(ticket) else { return false };
        waiting.queue[at].waker.clone_from(waker);
        true
    }

    /// Takes a waiting sender's item back; nothing if it has been let in.
    pub(crate) fn withdraw(&mut self, ticket: u64) -> Option<T> {
        let (waiting, at) = self.find(ticket)?;
        waiting.queue.remove(at).map(|waiter| waiter.item)
    }

    fn find(&mut self, ticket: u64) -> Option<(&mut Waiting<T>, usize)> {
        let waiting = self.waiting.as_deref_mut()?;
        let at = waiting.queue.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()?;
        Some((waiting, at))
    }

    /// Lets in as many waiting senders as there is room for, oldest first; `woken` gets their wakers.
    pub(crate) fn admit(&mut self, taken: u64, woken: &mut Vec<Waker>) {
        self.taken = taken;
        let Some(waiting) = self.waiting.as_deref_mut() else { return };
        if self.closed.is_some() {
            return;
        }
        while self.accepted - self.taken < self.capacity {
            let Some(waiter) = waiting.queue.pop_front() else { break };
            self.accepted += 1;
            self.lane.push_back(waiter.item);
            woken.push(waiter.waker);
        }
    }

    /// Wakes every waiting sender without letting it in: each finds the mailbox closed and takes its item back.
    pub(crate) fn wake_all_waiting(&mut self, woken: &mut Vec<Waker>) {
        if let Some(waiting) = self.waiting.as_deref_mut() {
            woken.extend(waiting.queue.iter().map(|waiter| waiter.waker.clone()));
        }
    }
}
