//! The mailbox: a mutex around [`State`], and beside it the two words that sender and receiver share without the lock.
//!
//! `std::sync::Mutex` on purpose: the critical section is a push, and uncontended it is the cheapest thing there is
//! (design section 5 has the measurements). Nothing in it can panic, so a poisoned lock is entered all the same.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use minder_signals::{Control, Exit, ExitReason};

use crate::bound::{Capacity, WhenFull};
use crate::first::{FIRST, Rank};
use crate::sending::Sending;
use crate::state::State;
use crate::statistics::{Left, Statistics};

/// What stands in the lane.
pub trait Queued {
    /// Whether it counts against the bound, and in the statistics. The same for as long as it exists.
    fn is_counted(&self) -> bool;
}

/// What comes back of an offer: the item that was not let in, or one that had to make room.
#[derive(Debug, PartialEq)]
pub enum Refused<T> {
    /// There is no room, or others have been waiting for room longer.
    Full(T),
    /// The seat was given up, for this reason.
    Closed(T, ExitReason),
    /// The offer was good, but this one was dropped since there was no room: the oldest, or the item itself, as
    /// [`WhenFull`] says.
    Dropped(T),
}

/// What the receiver has to look at next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// The control lane is not empty; nothing was taken from the other.
    Orders,
    /// The batch holds at least one item.
    Items,
}

/// What the receiver has noted for itself, to be reminded of it between two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mark {
    /// It is suspended: it takes orders only.
    Held = 4,
    /// It has been asked something that is no item.
    Asked = 8,
    /// It is watched at what it handles.
    Watched = 16,
}

/// There are orders.
const ORDERS: u8 = 1;
/// Senders wait for room.
const WAITING: u8 = 2;
/// All of the receiver's own.
const MARKS: u8 = Mark::Held as u8 | Mark::Asked as u8 | Mark::Watched as u8;

/// The queue of one seat. See the crate's documentation.
///
/// # Ordering
/// What one sender puts in, items and exempt items alike, comes out in that order. Orders overtake items. Waiting
/// senders are let in first come, first served, and nobody overtakes them.
// In this order in memory. What every sender writes (the lock and the first half of the state) and what the receiver
// reads and writes with every message (the last two words) never share a cache line, wherever the allocator puts them:
// each would wait for the other. What lies between is touched by neither, most of the time; that keeps them apart
// without the memory that an alignment would cost.
#[repr(C)]
pub struct Mailbox<T> {
    state: Mutex<State<T>>,
    /// While senders wait: the reading of `taken` at which half of the room is free. Written under the lock. Nothing
    /// counted comes in past those who wait, so it stays true until some of them are let in.
    admit_at: AtomicU64,
    /// The word that is missing between.
    _apart: u64,
    /// `ORDERS | WAITING | FIRST | MARKS`: lets the receiver skip the lock between two messages. The first three are written
    /// under the lock.
    pub(crate) attention: AtomicU8,
    /// Counted items that have left; written by the receiver alone.
    taken: AtomicU64,
}

impl<T> std::fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

impl<T: Queued> Mailbox<T> {
    /// An empty mailbox.
    pub fn new(capacity: Capacity, when_full: WhenFull) -> Self {
        Self {
            state: Mutex::new(State::new(capacity.0, when_full)),
            admit_at: AtomicU64::new(0),
            _apart: 0,
            attention: AtomicU8::new(0),
            taken: AtomicU64::new(0),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where in memory the words are that the receiver reads, and writes, with every message.
    #[cfg(test)]
    pub(crate) fn words_of_receiver(&self) -> (usize, usize) {
        (std::ptr::from_ref(&self.attention).addr(), std::ptr::from_ref(&self.taken).addr())
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    // --- senders -----------------------------------------------------------------------------------------------

    /// Puts a counted item in, at once or not at all.
    ///
    /// # Errors
    /// Gives the item back if there is no room, if others wait for room, or if the seat was given up; where items are
    /// dropped instead, gives back the dropped one.
    #[inline]
    pub fn tell(&self, item: T) -> Result<(), Refused<T>> {
        self.offer(item, |item| item, Refusal::Final)
    }

    /// [`Mailbox::tell`] of an item that is made of `message` right in its place.
    ///
    /// # Errors
    /// As [`Mailbox::tell`].
    #[inline]
    pub fn tell_as<M>(&self, message: M, item: impl FnOnce(M) -> T) -> Result<(), Refused<T>> {
        self.offer(message, item, Refusal::Final)
    }

    /// [`Mailbox::tell_as`] for whoever goes on to [`Mailbox::send`] if there is no room: that is not counted as a
    /// refusal.
    ///
    /// # Errors
    /// As [`Mailbox::tell`].
    #[inline]
    pub fn try_tell_as<M>(&self, message: M, item: impl FnOnce(M) -> T) -> Result<(), Refused<T>> {
        self.offer(message, item, Refusal::MayWait)
    }

    /// [`Mailbox::try_tell_as`] of an item as it is.
    ///
    /// # Errors
    /// As [`Mailbox::tell`].
    #[inline]
    pub fn try_tell(&self, item: T) -> Result<(), Refused<T>> {
        self.offer(item, |item| item, Refusal::MayWait)
    }

    #[inline]
    fn offer<M>(&self, message: M, item: impl FnOnce(M) -> T, refusal: Refusal) -> Result<(), Refused<T>> {
        let mut state = self.lock();
        if !state.admits(|| self.taken()) {
            return self.overflow(state, item(message), refusal, Rank::Ordinary);
        }
        // Made here and not by the caller: an item is moved in parts, and waits for them when it is moved again.
        let woken = state.accept(item(message));
        drop(state);
        if let Some(receiver) = woken {
            receiver.wake();
        }
        Ok(())
    }

    /// A counted item that is not let in at once. Out of the hot path.
    #[cold]
    pub(crate) fn overflow(
        &self,
        mut state: MutexGuard<'_, State<T>>,
        item: T,
        refusal: Refusal,
        rank: Rank,
    ) -> Result<(), Refused<T>> {
        if let Some(reason) = state.closed().cloned() {
            state.tally().refused += 1;
            return Err(Refused::Closed(item, reason));
        }
        match state.when_full {
            WhenFull::Reject | WhenFull::Wait => {
                if refusal == Refusal::Final {
                    state.tally().refused += 1;
                }
                Err(Refused::Full(item))
            }
            WhenFull::DropNewest => Err(dropped(&mut state, item)),
            WhenFull::DropOldest
                if rank == Rank::Ordinary && state.has_room_for_priority_only(self.taken()) =>
            {
                Err(dropped(&mut state, item))
            }
            WhenFull::DropOldest => {
                let oldest = state.displace(rank);
                let woken = self.accept(&mut state, item, rank);
                drop(state);
                if let Some(receiver) = woken {
                    receiver.wake();
                }
                oldest.map_or(Ok(()), |oldest| Err(Refused::Dropped(oldest)))
            }
        }
    }

    /// Puts a counted item in as soon as there is room; waiting senders come in first come, first served.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has not delivered; one that was let in has.
    pub fn send(&self, item: T) -> Sending<'_, T> {
        Sending::new(self, item)
    }

    /// Whether the sender of this [`Sending::ticket`] has been neither let in nor told that it will not be.
    pub fn is_waiting(&self, ticket: u64) -> bool {
        let state = self.lock();
        state.closed().is_none() && state.is_waiting(ticket)
    }

    /// One step of [`Mailbox::send`]: lets the item in, or makes it wait and returns its ticket.
    pub(crate) fn send_or_wait(&self, item: T, waker: &Waker) -> Result<Option<u64>, Refused<T>> {
        let mut state = self.lock();
        if state.admits(|| self.taken()) {
            let woken = state.accept(item);
            drop(state);
            if let Some(receiver) = woken {
                receiver.wake();
            }
            return Ok(None);
        }
        let waits = matches!(state.when_full, WhenFull::Reject | WhenFull::Wait);
        if !waits || state.closed().is_some() {
            return self.overflow(state, item, Refusal::Final, Rank::Ordinary).map(|()| None);
        }
        let ticket = state.wait(item, waker);
        self.admit_at.store(state.half_empty_at(), Ordering::Relaxed);
        self.attention.fetch_or(WAITING, Ordering::Release);
        Ok(Some(ticket))
    }

    /// Counts a refusal that [`Mailbox::try_tell`] did not, since the sender does not wait after all.
    pub fn count_refused(&self) {
        self.lock().tally().refused += 1;
    }

    /// Puts an item in that is exempt from the bound: a notice must not get lost because messages are many.
    ///
    /// # Errors
    /// Gives the item back if the seat was given up.
    pub fn notify(&self, item: T, rank: Rank) -> Result<(), T> {
        let mut state = self.lock();
        if state.closed().is_some() {
            return Err(item);
        }
        let woken = self.accept_exempt(&mut state, item, rank);
        drop(state);
        if let Some(receiver) = woken {
            receiver.wake();
        }
        Ok(())
    }

    /// Delivers an exit signal: as an item made by `notice` if the receiver traps exits, otherwise as an order.
    /// Which of the two is decided under the lock, so that a switch of trapping falls before or after it.
    pub fn exit(&self, exit: Exit, rank: Rank, notice: impl FnOnce(Exit) -> T) {
        self.deliver(exit, rank, notice, Control::Exit);
    }

    /// [`Mailbox::exit`] for a signal that comes of no link, so that no unlink takes it back.
    pub fn signal(&self, exit: Exit, rank: Rank, notice: impl FnOnce(Exit) -> T) {
        self.deliver(exit, rank, notice, Control::Signal);
    }

    fn deliver(
        &self,
        exit: Exit,
        rank: Rank,
        notice: impl FnOnce(Exit) -> T,
        order: impl FnOnce(Exit) -> Control,
    ) {
        let mut state = self.lock();
        let woken = if state.trapping {
            self.accept_exempt(&mut state, notice(exit), rank)
        } else {
            self.push_order(&mut state, order(exit))
        };
        drop(state);
        if let Some(receiver) = woken {
            receiver.wake();
        }
    }

    /// Puts an order in the control lane.
    pub fn order(&self, order: Control) {
        let mut state = self.lock();
        let woken = self.push_order(&mut state, order);
        drop(state);
        if let Some(receiver) = woken {
            receiver.wake();
        }
    }

    fn push_order(&self, state: &mut State<T>, order: Control) -> Option<Waker> {
        state.push_order(order);
        self.attention.fetch_or(ORDERS, Ordering::Release);
        state.wake_for_order()
    }

    /// Counted items inside, the unhandled rest of the receiver's batch among them.
    pub fn len(&self) -> u64 {
        self.lock().len(self.taken())
    }

    /// Whether [`Mailbox::len`] is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What became of everything that was offered.
    pub fn statistics(&self) -> Statistics {
        self.lock().statistics(self.taken())
    }

    // --- the receiver ------------------------------------------------------------------------------------------

    /// Sets a mark, or takes it away. For the receiver, which looks at [`Mailbox::is_marked`] before it takes items:
    /// whoever else wants it marked sends an order.
    pub fn mark(&self, mark: Mark, set: bool) {
        if set {
            self.attention.fetch_or(mark as u8, Ordering::Release);
        } else {
            self.attention.fetch_and(!(mark as u8), Ordering::Release);
        }
    }

    /// Whether the receiver has set this mark. While it has set any, [`Mailbox::needs_attention`] says so too.
    #[inline]
    pub fn is_marked(&self, mark: Mark) -> bool {
        self.attention.load(Ordering::Acquire) & mark as u8 != 0
    }

    /// Whether the receiver has set a mark, or there are items of priority.
    #[inline]
    pub fn is_reminded(&self) -> bool {
        self.attention.load(Ordering::Acquire) & (MARKS | FIRST) != 0
    }

    /// Whether the control lane, the senders' queue or a mark needs a look. One load, no lock: made between two messages.
    #[inline]
    pub fn needs_attention(&self) -> bool {
        self.attention.load(Ordering::Acquire) != 0
    }

    /// Whether the control lane holds something.
    #[inline]
    pub fn has_orders(&self) -> bool {
        self.attention.load(Ordering::Acquire) & ORDERS != 0
    }

    /// Takes the oldest order.
    pub fn next_order(&self) -> Option<Control> {
        let mut state = self.lock();
        let order = state.next_order();
        if !state.has_orders() {
            self.attention.fetch_and(!ORDERS, Ordering::Release);
        }
        order
    }

    /// Takes orders back that have not been looked at.
    pub fn retract(&self, which: impl Fn(&Control) -> bool) {
        let mut state = self.lock();
        state.retract(which);
        if !state.has_orders() {
            self.attention.fetch_and(!ORDERS, Ordering::Release);
        }
    }

    /// Puts the whole lane behind what is in the receiver's batch, and the items of priority into `first`, and wakes `waker` for
    /// whatever comes after it: for a receiver that looks for something in particular inside a handler. What is left in
    /// `first` goes to [`Mailbox::give_back_first`].
    pub fn take_lane(&self, batch: &mut VecDeque<T>, first: &mut VecDeque<T>, waker: &Waker) {
        let mut state = self.lock();
        state.lend_first(first);
        batch.append(&mut state.lane);
        state.listen(waker);
    }

    /// The item last taken is in the receiver's hands beside another, until [`Mailbox::release`].
    pub fn hold_one(&self) {
        self.lock().tally().held += 1;
    }

    /// So many items that were held are not any more: each has been handled, or is counted or given back otherwise.
    pub fn release(&self, items: u64) {
        self.lock().tally().held -= items;
    }

    /// Records that a counted item has left the receiver's batch. For the receiver alone, hence no read-modify-write.
    #[inline]
    pub fn took_one(&self) {
        self.taken.store(self.taken().wrapping_add(1), Ordering::Relaxed); // see `State::accept`
    }

    /// The item last taken stands in the receiver's batch again, or will: it was not handled. For the receiver alone.
    pub fn untake_one(&self) {
        let mut state = self.lock();
        let taken = self.taken() - 1;
        self.taken.store(taken, Ordering::Relaxed);
        state.untaken(taken);
    }

    /// Whether the oldest has to make room, since an item that was taken and put aside ([`Mailbox::untake_one`]) is more than
    /// the bound allows. It is counted as dropped; the receiver drops its oldest.
    pub fn must_drop_oldest(&self) -> bool {
        self.lock().must_drop_oldest(self.taken())
    }

    /// Counts how the item last taken left, other than by being handled to its end.
    pub fn count(&self, left: Left) {
        self.lock().tally().left[left as usize] += 1;
    }

    /// Waits until there is something to do, and takes nothing yet.
    #[inline]
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Ready> {
        self.poll_with(context, |state, waker| state.wait_for_items(waker))
    }

    /// Waits until there is something to do. `batch` must be empty; it is swapped for the whole lane, or
    /// where the oldest may have to make room it gets the next item alone.
    ///
    /// # Cancel safety
    /// Nothing is lost: items move only when this is ready.
    #[inline]
    pub fn poll_refill(&self, batch: &mut VecDeque<T>, context: &mut Context<'_>) -> Poll<Ready> {
        debug_assert!(batch.is_empty(), "a batch is handled to its end before the next is taken");
        self.poll_with(context, |state, waker| state.refill(batch, waker))
    }

    #[inline]
    fn poll_with(
        &self,
        context: &mut Context<'_>,
        look: impl FnOnce(&mut State<T>, &Waker) -> Poll<Ready>,
    ) -> Poll<Ready> {
        let mut woken = Vec::new();
        let mut state = self.lock();
        if state.has_orders() {
            return Poll::Ready(Ready::Orders);
        }
        // Asked under the lock: a sender that begins to wait may have read an old `taken`, with nothing in the lane.
        if state.anyone_waits() {
            self.admit_locked(&mut state, &mut woken);
        }
        state.is_drained(|| self.taken());
        let ready = look(&mut state, context.waker());
        drop(state);
        wake_all(woken);
        ready
    }

    /// For a receiver that suspends inside a handler: only an order will wake it. Lets waiting senders in first, so
    /// that none of them waits for room that is there while the handler waits for that very sender. `in_hand`: whether
    /// the handler has a counted item.
    ///
    /// `receives`: whether items wake it too, as they have since [`Mailbox::take_lane`].
    pub fn park_in_handler(&self, context: &mut Context<'_>, in_hand: bool, receives: bool) -> Poll<Ready> {
        let mut woken = Vec::new();
        let mut state = self.lock();
        if state.has_orders() {
            return Poll::Ready(Ready::Orders);
        }
        if state.anyone_waits() {
            self.admit_locked(&mut state, &mut woken);
        }
        state.park(context.waker(), receives, in_hand);
        drop(state);
        wake_all(woken);
        Poll::Pending
    }

    /// Lets waiting senders in, as many as there is room for.
    pub fn admit(&self) {
        if self.attention.load(Ordering::Acquire) & WAITING == 0 {
            return;
        }
        let mut woken = Vec::new();
        let mut state = self.lock();
        self.admit_locked(&mut state, &mut woken);
        let receiver = if woken.is_empty() { None } else { state.wake_for_item() };
        drop(state);
        woken.into_iter().chain(receiver).for_each(Waker::wake);
    }

    /// [`Mailbox::admit`], but only once half of the room is free: a sender that waits is then woken for a batch of
    /// messages and not for each. Between two messages; a receiver about to suspend lets them in for any room.
    #[inline]
    pub fn admit_when_half_empty(&self) {
        if self.attention.load(Ordering::Acquire) & WAITING == 0 {
            return;
        }
        if self.taken() >= self.admit_at.load(Ordering::Relaxed) {
            self.admit();
        }
    }

    /// Whether exit signals become items.
    pub fn is_trapping(&self) -> bool {
        self.lock().trapping
    }

    #[cold]
    fn admit_locked(&self, state: &mut State<T>, woken: &mut Vec<Waker>) {
        state.admit(self.taken(), woken);
        if state.anyone_waits() {
            self.admit_at.store(state.half_empty_at(), Ordering::Relaxed);
        } else {
            self.attention.fetch_and(!WAITING, Ordering::Release);
        }
    }

    /// Puts the unhandled rest of a batch back at the head of the lane, for the next incarnation.
    pub fn give_back(&self, batch: &mut VecDeque<T>) {
        self.lock().give_back(batch);
    }

    /// Empties the lane between two lives, after [`Mailbox::give_back`], and returns what stood in it: what was meant for
    /// the last life is not kept for the next. The first item stays if `spared` says so: one that was in hand did not
    /// wait. Senders that wait are let in afterwards.
    pub fn purge(&self, spared: impl FnOnce(&T) -> bool) -> VecDeque<T> {
        self.empty(spared, |_| {})
    }

    /// [`Mailbox::purge`], as the beginning of a new epoch: what was let in before belongs to a state that no longer
    /// exists. A message need not carry its epoch: nobody takes any out while the boundary is drawn, and what is let in
    /// after it is younger.
    pub fn begin_epoch(&self) -> VecDeque<T> {
        self.empty(|_| false, |state| state.tally().epoch += 1)
    }

    fn empty(&self, spared: impl FnOnce(&T) -> bool, mark: impl FnOnce(&mut State<T>)) -> VecDeque<T> {
        let mut woken = Vec::new();
        let mut state = self.lock();
        let (mut first, mut rest, mut counted) = state.clear(self.taken());
        if rest.front().is_some_and(spared)
            && let Some(first) = rest.pop_front()
        {
            counted -= u64::from(first.is_counted());
            state.restore(first);
        }
        if counted > 0 {
            state.tally().purged += counted;
        }
        mark(&mut state);
        if state.anyone_waits() {
            self.admit_locked(&mut state, &mut woken);
        }
        drop(state);
        wake_all(woken);
        first.append(&mut rest);
        first
    }

    /// Forgets orders, the trap flag and all marks: they were meant for an incarnation that is gone.
    pub fn reset(&self) {
        let mut state = self.lock();
        state.forget_orders();
        state.trapping = false;
        self.attention.fetch_and(!(ORDERS | MARKS), Ordering::Release);
    }

    /// Switches trapping of exit signals for whatever arrives from now on; returns the former setting.
    pub fn set_trapping(&self, trapping: bool) -> bool {
        std::mem::replace(&mut self.lock().trapping, trapping)
    }

    /// Takes out of the lane the items for which `which` says so, oldest first. They were exempt from the bound, or
    /// their room stays taken.
    pub fn extract(&self, which: impl Fn(&T) -> bool) -> Vec<T> {
        self.lock().take_out(which)
    }

    /// Whether there is an item in the lane, or before it, for which `which` says so.
    pub fn holds(&self, which: impl Fn(&T) -> bool) -> bool {
        self.lock().items().any(which)
    }

    /// Takes the counted items out of the lane for which `which` says so, and counts them as purged. Call it after
    /// [`Mailbox::give_back`].
    pub fn purge_those(&self, which: impl Fn(&T) -> bool) -> Vec<T> {
        let mut state = self.lock();
        let purged = state.take_out(which);
        if !purged.is_empty() {
            state.purged(purged.len() as u64);
        }
        purged
    }

    /// Gives the seat up: from now on everything is refused. Returns what was in the lane; waiting senders get
    /// their items back. Closing twice keeps the first reason.
    pub fn close(&self, reason: ExitReason) -> VecDeque<T> {
        let mut woken = Vec::new();
        let mut state = self.lock();
        state.close(reason);
        state.wake_all_waiting(&mut woken);
        let (mut rest, mut lane, counted) = state.clear(self.taken());
        if counted > 0 {
            state.tally().stopped += counted;
        }
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        rest.append(&mut lane);
        rest
    }

    /// Why the seat was given up, if it was.
    pub fn closed(&self) -> Option<ExitReason> {
        self.lock().closed().cloned()
    }
}

/// Whether being refused for want of room is the last word.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Refusal {
    Final,
    MayWait,
}

fn dropped<T>(state: &mut State<T>, item: T) -> Refused<T> {
    state.tally().dropped += 1;
    Refused::Dropped(item)
}

#[inline]
fn wake_all(woken: Vec<Waker>) {
    if !woken.is_empty() {
        woken.into_iter().for_each(Waker::wake);
    }
}
