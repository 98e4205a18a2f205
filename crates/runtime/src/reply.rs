//! Asks: the slot that asker, envelope and reply share, the [`Reply`] that answers it, and what an asker may get
//! instead of an answer (the table in ARCHITECTURE.md, "Asks").
//! Waiting and deadlines are in `ask.rs`.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use minder_signals::ExitReason;

use crate::frame;

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
    Expired,
}

/// What the envelope knows of the slot.
pub(crate) trait Asked<M>: Send + Sync {
    /// Whether nobody waits any more, and never got an answer.
    fn gone(&self) -> Option<Gone>;
    /// The message will not be handled, whoever holds replies to it.
    fn end(&self, fate: Fate);
    /// The message was never handled and never will be.
    fn give_back(&self, message: M, reason: ExitReason);
}

/// What the reply knows of the slot.
trait Answered<T>: Unanswered {
    fn answer(&self, value: T) -> Result<(), T>;
    fn is_abandoned(&self) -> bool;
    fn twin(&self);
    fn into_unanswered(self: Arc<Self>) -> Arc<dyn Unanswered>;
}

/// Where an ask's outcome is put: one allocation, shared by asker, envelope and reply.
pub(crate) struct Slot<M, T> {
    state: Mutex<SlotState<M, T>>,
}

enum SlotState<M, T> {
    /// Who waits, and how many replies there are beside the first.
    Open(Option<Waker>, u32),
    Settled(Outcome<M, T>),
    /// The asker has its outcome.
    Done,
    /// The asker does not want it any more, or has waited long enough.
    Abandoned(Gone),
}

// Returned messages are boxed so that the slot of every ask need not hold room for one.
type Outcome<M, T> = Result<T, AskError<Box<M>>>;

impl<M, T> Slot<M, T> {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(SlotState::Open(None, 0)) }
    }

    fn lock(&self) -> MutexGuard<'_, SlotState<M, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outcome, once there is one.
    pub(crate) fn poll_outcome(&self, waker: &Waker) -> Poll<Result<T, AskError<M>>> {
        let mut state = self.lock();
        match &mut *state {
            SlotState::Open(known, _) => {
                match known {
                    Some(known) => known.clone_from(waker),
                    None => *known = Some(waker.clone()),
                }
                Poll::Pending
            }
            SlotState::Done | SlotState::Abandoned(_) => Poll::Pending,
            SlotState::Settled(_) => match std::mem::replace(&mut *state, SlotState::Done) {
                SlotState::Settled(outcome) => Poll::Ready(outcome.map_err(unboxed)),
                SlotState::Open(..) | SlotState::Done | SlotState::Abandoned(_) => Poll::Pending,
            },
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
            SlotState::Open(waker, _) => {
                let waker = waker.take();
                *state = SlotState::Settled(outcome);
                drop(state);
                if let Some(asker) = waker {
                    asker.wake();
                }
                Ok(())
            }
            SlotState::Settled(_) | SlotState::Done | SlotState::Abandoned(_) => Err(outcome),
        }
    }

    /// One reply fewer; whether it was the last.
    fn one_fewer(&self) -> bool {
        match &mut *self.lock() {
            SlotState::Open(_, 0) => true,
            SlotState::Open(_, twins) => {
                *twins -= 1;
                false
            }
            // Settled already: whoever settled it knew better.
            SlotState::Settled(_) | SlotState::Done | SlotState::Abandoned(_) => false,
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
    }
}

impl<M: Send, T: Send> Unanswered for Slot<M, T> {
    fn fail(&self, fate: Fate) {
        if self.one_fewer() {
            self.settle_with(fate);
        }
    }
}

impl<M: Send, T: Send> Asked<M> for Slot<M, T> {
    fn gone(&self) -> Option<Gone> {
        match *self.lock() {
            SlotState::Abandoned(gone) => Some(gone),
            SlotState::Open(..) | SlotState::Settled(_) | SlotState::Done => None,
        }
    }

    fn end(&self, fate: Fate) {
        self.settle_with(fate);
    }

    fn give_back(&self, message: M, reason: ExitReason) {
        drop(self.settle(Err(AskError::Stopped(reason, Some(Box::new(message))))));
    }
}

impl<M: Send + 'static, T: Send + 'static> Answered<T> for Slot<M, T> {
    fn answer(&self, value: T) -> Result<(), T> {
        self.settle(Ok(value)).map_err(|outcome| match outcome {
            Ok(value) => value,
            Err(_) => unreachable!("what comes back is what was put in"),
        })
    }

    fn is_abandoned(&self) -> bool {
        matches!(*self.lock(), SlotState::Abandoned(_) | SlotState::Done)
    }

    fn twin(&self) {
        if let SlotState::Open(_, twins) = &mut *self.lock() {
            *twins += 1;
        }
    }

    fn into_unanswered(self: Arc<Self>) -> Arc<dyn Unanswered> {
        self
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
