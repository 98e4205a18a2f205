//! Asks: the slot that asker, envelope and reply share, the [`Reply`] that answers it, and what an asker may get
//! instead of an answer (the table in ARCHITECTURE.md, "Asks").
//! Waiting and deadlines are in `ask.rs`.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};

use minder_signals::ExitReason;
use tokio::time::Instant;

use crate::cycle::Cycle;
use crate::frame;
use crate::life::AnyCell;
use crate::waits::{Awaited, Awaits};

/// What became of an ask that was not answered.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Crashed(ExitReason),
    Stopped(ExitReason),
    Purged(ExitReason),
    Dropped,
    Poisoned,
    NoReply,
}

/// Why an ask has no answer. Where the message was never handled it comes back.
#[derive(PartialEq)]
#[non_exhaustive]
pub enum AskError<M> {
    /// The mailbox had no room, and its policy is to reject.
    Full(M),
    /// The seat is given up. Holds the message if it was never handled.
    Stopped(ExitReason, Option<M>),
    /// Whoever held the reply ended before it was sent.
    Crashed(ExitReason),
    /// The message was queued when its actor ended for this reason, and is not kept over the restart.
    Purged(ExitReason),
    /// The message was dropped because the mailbox was full: see [`WhenFull`](crate::WhenFull).
    Dropped,
    /// The message crashed one incarnation after the other and was moved into quarantine.
    Poisoned,
    /// A living actor dropped the reply.
    NoReply,
    /// The deadline passed. The message may yet be handled; its answer goes nowhere.
    TimedOut,
    /// The actor that asked, and everyone whom the answer depends on, would have waited for each other for ever. Found
    /// when the cycle closes; the message is skipped if it has not been taken in hand.
    WouldDeadlock(Cycle),
    /// The message was for one incarnation only, which has ended without having handled it: see
    /// [`Addr::pin`](crate::Addr::pin).
    Stale(M),
    /// [`Addr::ask_blocking`](crate::Addr::ask_blocking) was called in asynchronous code, which it would have held up. The
    /// question was not asked.
    WouldBlock,
}

impl<M> AskError<M> {
    /// The same without the message.
    pub(crate) fn without_message(self) -> AskError<()> {
        match self {
            Self::Full(_) => AskError::Full(()),
            Self::Stopped(reason, message) => AskError::Stopped(reason, message.map(drop)),
            Self::Crashed(reason) => AskError::Crashed(reason),
            Self::Purged(reason) => AskError::Purged(reason),
            Self::Dropped => AskError::Dropped,
            Self::Poisoned => AskError::Poisoned,
            Self::NoReply => AskError::NoReply,
            Self::TimedOut => AskError::TimedOut,
            Self::WouldDeadlock(cycle) => AskError::WouldDeadlock(cycle),
            Self::Stale(_) => AskError::Stale(()),
            Self::WouldBlock => AskError::WouldBlock,
        }
    }
}

impl<M> fmt::Display for AskError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => {
                f.write_str("the mailbox is full: try again later, or let the mailbox wait when full")
            }
            Self::Stopped(reason, _) => write!(f, "the actor is gone for good: {reason}"),
            Self::Crashed(reason) => write!(f, "the actor ended before it answered: {reason}"),
            Self::Purged(reason) => write!(f, "the actor ended before it came to this message: {reason}"),
            Self::Dropped => f.write_str("the message was dropped, since the mailbox was full"),
            Self::Poisoned => {
                f.write_str("the message crashed every actor that handled it: see the quarantine")
            }
            Self::NoReply => f.write_str("the actor dropped the reply without answering"),
            Self::TimedOut => f.write_str("no answer before the deadline"),
            Self::WouldDeadlock(cycle) => write!(f, "these actors wait for each other: {cycle}"),
            Self::Stale(_) => f.write_str("the incarnation that it was meant for has ended"),
            Self::WouldBlock => f.write_str("asynchronous code must not block: await `ask` instead"),
        }
    }
}

impl<M> fmt::Debug for AskError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<M> std::error::Error for AskError<M> {}

/// A slot one of whose replies is gone.
pub(crate) trait Unanswered: Send + Sync {
    /// That was the fate of one reply; it is the ask's if there is no other.
    fn fail(&self, fate: Fate);
}

/// Why nobody waits for an answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    TurnedAway,
    /// It has been told that its wait is on a cycle.
    InACycle,
    Expired,
    /// It was meant for an earlier life than the one that came to it.
    Stale,
}

/// What the envelope knows of the slot.
pub(crate) trait Asked<M>: Send + Sync {
    /// The message is about to be handled by this incarnation: until when its asker waits, or why not.
    fn take_in_hand(&self, incarnation: u32) -> Result<Option<Instant>, Gone>;
    /// The message was taken in hand and is put back, to be taken in hand again.
    fn put_back(&self) {}
    /// The one incarnation that it is meant for, if there is one.
    fn bound(&self) -> Option<u32>;
    /// The incarnation that it was meant for has ended without having handled it.
    fn give_back_stale(&self, message: M);
    /// The message will not be handled, whoever holds replies to it.
    fn end(&self, fate: Fate);
    /// The message was never handled and never will be. It is returned if it came from nobody who would want it.
    fn give_back(&self, message: M, reason: ExitReason) -> Option<M>;
    /// It is not known any more that whoever got this envelope is the one who will answer.
    fn pass(&self);
    /// Whether an answer was sent.
    fn is_answered(&self) -> bool;
    /// Which cell's actor asked, by its address in memory; 0 if none did, or it does not wait any more.
    fn asker(&self) -> usize;
}

/// Stands beside the message of an ask, in the lane and in hand. As long as it is there, it is its holder who will
/// answer.
pub(crate) struct Envelope<M> {
    /// Nothing only while it is dropped.
    asked: Option<Arc<dyn Asked<M>>>,
}

impl<M> Envelope<M> {
    pub(crate) fn new(asked: Arc<dyn Asked<M>>) -> Self {
        Self { asked: Some(asked) }
    }

    /// For a message that goes under another type than the one that was asked with.
    pub(crate) fn of_another(slot: Arc<dyn Standing>) -> Self
    where
        M: Send,
    {
        Self::new(Arc::new(Forwarded { slot, number: 0 }))
    }

    /// Its holder keeps the reply, and answers later.
    pub(crate) fn keep(mut self) {
        self.asked = None;
    }
}

impl<M> std::ops::Deref for Envelope<M> {
    type Target = dyn Asked<M>;

    fn deref(&self) -> &Self::Target {
        &**self.asked.as_ref().expect("an envelope that is not being dropped is whole")
    }
}

impl<M> Drop for Envelope<M> {
    fn drop(&mut self) {
        if let Some(asked) = &self.asked {
            asked.pass();
        }
    }
}

/// What the envelope of another message than the one asked knows of the slot.
pub(crate) trait Standing: Send + Sync {
    /// As [`Asked::take_in_hand`].
    fn gone(&self) -> Result<Option<Instant>, Gone>;
    /// The envelope of this number is gone.
    fn pass(&self, envelope: u32);
    /// The message will not be handled.
    fn end_forwarded(&self, fate: Fate);
    /// As [`Asked::is_answered`].
    fn has_answer(&self) -> bool;
    /// As [`Asked::asker`].
    fn waiting_asker(&self) -> usize;
}

/// What the reply knows of the slot.
trait Answered<T>: Unanswered + Standing {
    fn answer(&self, value: T) -> Result<(), T>;
    fn twin(&self);
    fn into_unanswered(self: Arc<Self>) -> Arc<dyn Unanswered>;
    fn is_abandoned(&self) -> bool;
    fn is_in_a_cycle(&self) -> bool;
    /// Whether an actor asked.
    fn is_from_an_actor(&self) -> bool;
    /// From now on it is this actor that will answer. Returns the number of its envelope.
    fn put_to(&self, holder: Weak<dyn AnyCell>) -> u32;
    /// It is not known who will answer.
    fn pass_any(&self);
}

/// Where an ask's outcome is put: one allocation, shared by asker, envelope and reply.
pub(crate) struct Slot<M, T> {
    until: Option<Instant>,
    /// Which cell's actor asked; 0 if none did: then nobody wants to know who will answer.
    asker: usize,
    /// The one incarnation that is asked; 0, which never lives, if any may answer.
    bound: u32,
    /// The number of the envelope that is with whoever will answer, or [`NONE`].
    envelope: AtomicU32,
    state: Mutex<SlotState<M, T>>,
}

/// No envelope: who will answer is not known.
const NONE: u32 = u32::MAX;

enum SlotState<M, T> {
    Open(Open),
    Settled(Outcome<M, T>),
    /// The asker has its outcome.
    Done {
        answered: bool,
    },
    /// The asker does not want it any more, or has waited long enough.
    Abandoned(Gone),
}

#[derive(Default)]
struct Open {
    waker: Option<Waker>,
    /// How many replies there are beside the first.
    twins: u32,
    /// Whom the last envelope was put to, if the asker is an actor that waits.
    holder: Option<Weak<dyn AnyCell>>,
    /// How often the ask was forwarded, which is the number of the last envelope.
    forwarded: u32,
}

// Returned messages are boxed so that the slot of every ask need not hold room for one.
type Outcome<M, T> = Result<T, AskError<Box<M>>>;

impl<M, T> Slot<M, T> {
    pub(crate) fn new(until: Option<Instant>, bound: Option<u32>) -> Self {
        Self {
            until,
            bound: bound.unwrap_or(0),
            asker: frame::current_cell(),
            envelope: AtomicU32::new(0),
            state: Mutex::new(SlotState::Open(Open::default())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, SlotState<M, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outcome, once there is one.
    pub(crate) fn poll_outcome(&self, waker: &Waker) -> Poll<Result<T, AskError<M>>> {
        let mut state = self.lock();
        match &mut *state {
            SlotState::Open(open) => {
                match &mut open.waker {
                    Some(known) => known.clone_from(waker),
                    None => open.waker = Some(waker.clone()),
                }
                Poll::Pending
            }
            SlotState::Done { .. } | SlotState::Abandoned(_) => Poll::Pending,
            SlotState::Settled(outcome) => {
                // A question that was taken back is skipped.
                let then = match outcome {
                    Err(AskError::WouldDeadlock(_)) => SlotState::Abandoned(Gone::InACycle),
                    Err(_) => SlotState::Done { answered: false },
                    Ok(_) => SlotState::Done { answered: true },
                };
                match std::mem::replace(&mut *state, then) {
                    SlotState::Settled(outcome) => Poll::Ready(outcome.map_err(unboxed)),
                    SlotState::Open(_) | SlotState::Done { .. } | SlotState::Abandoned(_) => Poll::Pending,
                }
            }
        }
    }

    /// The asker turns away, or its deadline has passed.
    pub(crate) fn abandon(&self, why: Gone) {
        let settled = std::mem::replace(&mut *self.lock(), SlotState::Abandoned(why));
        drop(settled); // an answer is user code: dropped without the lock
    }

    /// Settles the slot unless it is settled; gives the outcome back if nobody will read it.
    fn settle(&self, outcome: Outcome<M, T>) -> Result<(), Outcome<M, T>> {
        let mut state = self.lock();
        match &mut *state {
            SlotState::Open(open) => {
                let waker = open.waker.take();
                *state = SlotState::Settled(outcome);
                drop(state);
                if let Some(asker) = waker {
                    asker.wake();
                }
                Ok(())
            }
            SlotState::Settled(_) | SlotState::Done { .. } | SlotState::Abandoned(_) => Err(outcome),
        }
    }

    /// One reply fewer; whether it was the last.
    fn one_fewer(&self) -> bool {
        match &mut *self.lock() {
            SlotState::Open(open) if open.twins == 0 => true,
            SlotState::Open(open) => {
                open.twins -= 1;
                false
            }
            // Settled already: whoever settled it knew better.
            SlotState::Settled(_) | SlotState::Done { .. } | SlotState::Abandoned(_) => false,
        }
    }

    fn settle_with(&self, fate: Fate) {
        drop(self.settle(Err(match fate {
            Fate::Crashed(reason) => AskError::Crashed(reason),
            Fate::Stopped(reason) => AskError::Stopped(reason, None),
            Fate::Purged(reason) => AskError::Purged(reason),
            Fate::Dropped => AskError::Dropped,
            Fate::Poisoned => AskError::Poisoned,
            Fate::NoReply => AskError::NoReply,
        })));
    }
}

fn unboxed<M>(error: AskError<Box<M>>) -> AskError<M> {
    match error {
        AskError::Full(message) => AskError::Full(*message),
        AskError::Stopped(reason, message) => AskError::Stopped(reason, message.map(|message| *message)),
        AskError::Crashed(reason) => AskError::Crashed(reason),
        AskError::Purged(reason) => AskError::Purged(reason),
        AskError::Dropped => AskError::Dropped,
        AskError::Poisoned => AskError::Poisoned,
        AskError::NoReply => AskError::NoReply,
        AskError::TimedOut => AskError::TimedOut,
        AskError::WouldDeadlock(cycle) => AskError::WouldDeadlock(cycle),
        AskError::Stale(message) => AskError::Stale(*message),
        AskError::WouldBlock => AskError::WouldBlock,
    }
}

impl<M: Send, T: Send> Unanswered for Slot<M, T> {
    fn fail(&self, fate: Fate) {
        if self.one_fewer() {
            self.settle_with(fate);
        }
    }
}

impl<M, T> Slot<M, T> {
    fn until_or_gone(&self) -> Result<Option<Instant>, Gone> {
        match &*self.lock() {
            SlotState::Abandoned(gone) => Err(*gone),
            SlotState::Settled(Err(AskError::WouldDeadlock(_))) => Err(Gone::InACycle),
            SlotState::Open(_) | SlotState::Settled(_) | SlotState::Done { .. } => Ok(self.until),
        }
    }

    fn is_past(&self, envelope: u32) {
        if self.asker != 0 {
            // Against a forward at the same time: whichever comes second finds that it is too late, or puts another
            // number in place.
            let _ = self.envelope.compare_exchange(envelope, NONE, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

impl<M: Send + 'static, T: Send + 'static> Slot<M, T> {
    /// The asker waits in its handler, for this actor unless its reply was forwarded already.
    pub(crate) fn note_wait(self: &Arc<Self>, asked: impl FnOnce() -> Weak<dyn AnyCell>) {
        if self.asker == 0 {
            return;
        }
        if let SlotState::Open(open) = &mut *self.lock() {
            open.holder.get_or_insert_with(asked);
        }
        frame::awaits(self.clone());
    }
}

impl<M: Send, T: Send> Asked<M> for Slot<M, T> {
    fn take_in_hand(&self, incarnation: u32) -> Result<Option<Instant>, Gone> {
        let until = self.until_or_gone()?;
        if self.bound != 0 && self.bound != incarnation { Err(Gone::Stale) } else { Ok(until) }
    }

    fn bound(&self) -> Option<u32> {
        (self.bound != 0).then_some(self.bound)
    }

    fn give_back_stale(&self, message: M) {
        drop(self.settle(Err(AskError::Stale(Box::new(message)))));
    }

    fn end(&self, fate: Fate) {
        self.settle_with(fate);
    }

    fn give_back(&self, message: M, reason: ExitReason) -> Option<M> {
        drop(self.settle(Err(AskError::Stopped(reason, Some(Box::new(message))))));
        None
    }

    fn pass(&self) {
        self.is_past(0);
    }

    fn is_answered(&self) -> bool {
        self.has_answer()
    }

    fn asker(&self) -> usize {
        self.waiting_asker()
    }
}

impl<M: Send + 'static, T: Send + 'static> Answered<T> for Slot<M, T> {
    fn answer(&self, value: T) -> Result<(), T> {
        self.settle(Ok(value)).map_err(|outcome| match outcome {
            Ok(value) => value,
            Err(_) => unreachable!("what comes back is what was put in"),
        })
    }

    fn twin(&self) {
        if let SlotState::Open(open) = &mut *self.lock() {
            open.twins += 1;
        }
    }

    fn into_unanswered(self: Arc<Self>) -> Arc<dyn Unanswered> {
        self
    }

    fn is_abandoned(&self) -> bool {
        matches!(*self.lock(), SlotState::Done { .. }) || self.until_or_gone().is_err()
    }

    fn is_in_a_cycle(&self) -> bool {
        self.until_or_gone() == Err(Gone::InACycle)
    }

    fn is_from_an_actor(&self) -> bool {
        self.asker != 0
    }

    fn put_to(&self, holder: Weak<dyn AnyCell>) -> u32 {
        let mut state = self.lock();
        let SlotState::Open(open) = &mut *state else { return NONE };
        open.forwarded += 1;
        open.holder = Some(holder);
        self.envelope.store(open.forwarded, Ordering::Release);
        open.forwarded
    }

    fn pass_any(&self) {
        self.envelope.store(NONE, Ordering::Release);
    }
}

impl<M: Send, T: Send> Standing for Slot<M, T> {
    fn gone(&self) -> Result<Option<Instant>, Gone> {
        self.until_or_gone()
    }

    fn pass(&self, envelope: u32) {
        self.is_past(envelope);
    }

    fn end_forwarded(&self, fate: Fate) {
        let has_twin = matches!(&*self.lock(), SlotState::Open(open) if open.twins > 0);
        if !has_twin {
            self.settle_with(fate);
        }
    }

    fn has_answer(&self) -> bool {
        matches!(&*self.lock(), SlotState::Settled(Ok(_)) | SlotState::Done { answered: true })
    }

    fn waiting_asker(&self) -> usize {
        match &*self.lock() {
            // One that has just been told of the crash may be quicker than whoever reports that.
            SlotState::Open(_) | SlotState::Settled(_) | SlotState::Done { answered: false } => self.asker,
            SlotState::Done { answered: true } | SlotState::Abandoned(_) => 0,
        }
    }
}

impl<M: Send, T: Send> Awaited for Slot<M, T> {
    fn awaits(&self) -> Awaits {
        match &*self.lock() {
            SlotState::Done { .. } | SlotState::Abandoned(_) => Awaits::Over,
            SlotState::Settled(_) => Awaits::Free,
            // Forwarded, and there is a copy of the message: either of two may answer.
            SlotState::Open(open) if open.forwarded > 0 && open.twins > 0 => Awaits::Free,
            SlotState::Open(_) if self.envelope.load(Ordering::Acquire) == NONE => Awaits::Free,
            SlotState::Open(open) => {
                open.holder.as_ref().and_then(Weak::upgrade).map_or(Awaits::Free, Awaits::On)
            }
        }
    }

    fn fail(&self, cycle: &Cycle) {
        drop(self.settle(Err(AskError::WouldDeadlock(cycle.clone()))));
    }
}

/// The envelope of a message in which a reply was forwarded.
struct Forwarded {
    slot: Arc<dyn Standing>,
    number: u32,
}

impl<M: Send> Asked<M> for Forwarded {
    fn take_in_hand(&self, _: u32) -> Result<Option<Instant>, Gone> {
        self.slot.gone()
    }

    fn bound(&self) -> Option<u32> {
        None
    }

    fn give_back_stale(&self, message: M) {
        drop(message); // it was for whoever lives there
    }

    fn end(&self, fate: Fate) {
        self.slot.end_forwarded(fate);
    }

    fn give_back(&self, message: M, reason: ExitReason) -> Option<M> {
        // Whoever asked has never seen this message. The reply in it tells its fate.
        frame::with_fate(Fate::Stopped(reason), || drop(message));
        None
    }

    fn pass(&self) {
        self.slot.pass(self.number);
    }

    fn is_answered(&self) -> bool {
        self.slot.has_answer()
    }

    fn asker(&self) -> usize {
        self.slot.waiting_asker()
    }
}

/// The right to answer one ask. A value: it may be kept, or sent on to another actor.
///
/// Dropped unanswered it tells the asker why: `NoReply` from a living actor, `Crashed` if its holder ended.
#[must_use = "dropping a reply tells the asker that there will be none"]
pub struct Reply<T> {
    slot: Option<Arc<dyn Answered<T>>>,
}

impl<T: Send + 'static> Reply<T> {
    pub(crate) fn new<M: Send + 'static>(slot: Arc<Slot<M, T>>) -> Self {
        Self { slot: Some(slot) }
    }

    /// A reply that nobody waits for: what a handler that answers gets with a message that was told and not asked.
    pub fn nobody() -> Self {
        Self { slot: None }
    }

    /// Answers.
    ///
    /// # Errors
    /// Gives the value back if nobody waits for it, or not any more.
    pub fn send(mut self, value: T) -> Result<(), T> {
        if self.slot.is_none() {
            return Err(value); // and nothing was done to the world
        }
        frame::effect();
        match self.slot.take() {
            Some(slot) => slot.answer(value),
            None => Err(value),
        }
    }

    /// A second right to answer the same ask, for the copy of a message that [`Actor::redelivery`](crate::Actor::redelivery)
    /// keeps. Whichever answers first answers the ask; dropping one unanswered says nothing while there is another, and
    /// the last to be dropped says why, as always.
    pub fn twin(&self) -> Self {
        if let Some(slot) = &self.slot {
            slot.twin();
        }
        Self { slot: self.slot.clone() }
    }

    /// Whether nobody waits for the answer any more, so that work for it may be skipped.
    pub fn is_abandoned(&self) -> bool {
        self.slot.as_ref().is_none_or(|slot| slot.is_abandoned())
    }

    /// Whether whoever asked has been told that it would wait for itself ([`AskError::WouldDeadlock`]). It takes it that nothing
    /// is done, so nothing should be that has not been begun.
    pub fn is_in_a_cycle(&self) -> bool {
        self.slot.as_ref().is_some_and(|slot| slot.is_in_a_cycle())
    }

    /// Whether an actor asked: only then it is known who waits for the answer.
    pub fn is_from_an_actor(&self) -> bool {
        self.slot.as_ref().is_some_and(|slot| slot.is_from_an_actor())
    }

    /// The slot of an ask that an actor waits for, as long as that lives.
    pub(crate) fn awaited_slot(&self) -> Option<Weak<dyn Unanswered>> {
        let slot = self.slot.as_ref().filter(|slot| slot.is_from_an_actor())?;
        Some(Arc::downgrade(&slot.clone().into_unanswered()))
    }

    /// Says that whoever was asked will not answer itself, but whoever it gives this value to, by a way that is no
    /// message: a task, a channel, a thread. Needed only if its handler then goes on to wait for an answer itself: it
    /// would be taken for somebody who holds two ends of a cycle of asks. Of messages this is known without a word.
    pub fn let_go(self) -> Self {
        if let Some(slot) = &self.slot {
            slot.pass_any();
        }
        self
    }

    /// The message that takes this reply along to another actor, and the envelope that stands for it there.
    pub(crate) fn into_forwarded<M: Send + 'static>(
        self,
        to: impl FnOnce() -> Weak<dyn AnyCell>,
        message: impl FnOnce(Self) -> M,
    ) -> (M, Option<Envelope<M>>) {
        let envelope = self.slot.clone().map(|slot| {
            let number = slot.put_to(to());
            let forwarded: Arc<dyn Asked<M>> = Arc::new(Forwarded { slot, number });
            Envelope::new(forwarded)
        });
        (message(self), envelope)
    }

    /// Gives the reply to an actor that has no message for it.
    pub(crate) fn give_to(&self, holder: impl FnOnce() -> Weak<dyn AnyCell>) {
        if let Some(slot) = &self.slot {
            slot.put_to(holder());
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            frame::reply_dropped(slot.into_unanswered());
        }
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}
