//! Messages that will not be handled, kept to be looked at: dead letters by cause, and the quarantine.
//!
//! One store per system with a bound per cause: at the bound the oldest makes room and is counted. The quarantine is on
//! by default, since few messages get there. Dead letters are off by default: each one kept costs an allocation and keeps
//! its message alive, and a flooded mailbox would pay that for every message it drops.
//! Decides nothing about a message's fate; whoever puts one here has counted it and told its asker.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minder_signals::{ExitReason, Moment};

use crate::addr::{Addr, TellError};
use crate::frame;
use crate::redelivery::Failure;
use crate::system::SystemShared;

/// How many messages the quarantine of a system holds unless said otherwise.
pub(crate) const QUARANTINE: usize = 1_000;

/// Why a message will not be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// In hand when its incarnation ended. The message itself is gone.
    Crashed,
    /// Queued when its incarnation ended, or older than a restart of its group.
    Purged,
    /// The mailbox was full.
    Dropped,
    /// An ask whose deadline had passed.
    Expired,
    /// Queued when the seat was given up. An ask's message is back with its asker.
    Stopped,
    /// It crashed one incarnation after the other: it is in quarantine.
    Poisoned,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Crashed, Self::Purged, Self::Dropped, Self::Expired, Self::Stopped, Self::Poisoned];
}

/// Names a dead letter within its system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterId(u64);

/// What is known of a message that will not be handled, whatever its type.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeadLetter {
    /// For replaying or discarding it.
    pub id: LetterId,
    /// The path of the actor it was meant for.
    pub path: Arc<str>,
    /// Why it was not handled.
    pub cause: Cause,
    /// The type of that actor's messages.
    pub message_type: &'static str,
    /// Since when it is here.
    pub at: Moment,
    /// Why its incarnation ended, if that is what ended the message.
    pub reason: Option<ExitReason>,
    /// How often it was delivered, if it was.
    pub attempts: u32,
    /// The incarnations it has crashed.
    pub failures: Vec<Failure>,
    /// Whether the message itself is still here, so that it can be replayed.
    pub has_message: bool,
}

/// A message on its way into the store.
pub(crate) struct Burial {
    pub(crate) cell: u64,
    pub(crate) letter: DeadLetter,
    pub(crate) message: Option<Box<dyn Any + Send>>,
}

impl DeadLetter {
    /// A letter that has no number yet.
    pub(crate) fn new(path: Arc<str>, cause: Cause, message_type: &'static str, at: Moment) -> Self {
        Self {
            id: LetterId(0),
            path,
            cause,
            message_type,
            at,
            reason: None,
            attempts: 0,
            failures: Vec::new(),
            has_message: false,
        }
    }
}

/// The store of one system.
pub(crate) struct Store {
    dead_letters: usize,
    quarantine: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    next: u64,
    /// By cause, each in the order of its numbers.
    by_cause: [VecDeque<Burial>; Cause::ALL.len()],
    evicted: [u64; Cause::ALL.len()],
}

impl Kept {
    /// Where a letter stands.
    fn find(&self, id: LetterId) -> Option<(usize, usize)> {
        self.by_cause.iter().enumerate().find_map(|(cause, letters)| {
            let at = letters.binary_search_by_key(&id, |burial| burial.letter.id).ok()?;
            Some((cause, at))
        })
    }

    fn take(&mut self, id: LetterId) -> Option<Burial> {
        let (cause, at) = self.find(id)?;
        self.by_cause[cause].remove(at)
    }
}

impl Store {
    pub(crate) fn new(dead_letters: usize, quarantine: usize) -> Self {
        Self { dead_letters, quarantine, kept: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many letters of a cause are kept. Asked before anything is made ready for burial.
    pub(crate) fn bound(&self, cause: Cause) -> usize {
        if cause == Cause::Poisoned { self.quarantine } else { self.dead_letters }
    }

    /// Keeps a message; what had to make room for it is dropped here, which is user code.
    pub(crate) fn bury(&self, mut burial: Burial) {
        burial.letter.has_message = burial.message.is_some();
        let mut kept = self.lock();
        kept.next += 1;
        burial.letter.id = LetterId(kept.next);
        self.insert(kept, burial);
    }

    fn list(&self, which: impl Fn(&Burial) -> bool) -> Vec<DeadLetter> {
        let kept = self.lock();
        let all = kept.by_cause.iter().flatten().filter(|burial| which(burial));
        let mut letters: Vec<DeadLetter> = all.map(|burial| burial.letter.clone()).collect();
        drop(kept);
        letters.sort_unstable_by_key(|letter| letter.id);
        letters
    }

    /// Takes a letter out if it is one of these.
    fn take(&self, id: LetterId, which: impl Fn(&Burial) -> bool) -> Option<Burial> {
        let mut kept = self.lock();
        let (cause, at) = kept.find(id)?;
        if !which(&kept.by_cause[cause][at]) {
            return None;
        }
        kept.take(id)
    }

    /// Puts a letter in its place; at the bound the oldest makes room, which may be itself.
    fn insert(&self, mut kept: MutexGuard<'_, Kept>, burial: Burial) {
        let cause = burial.letter.cause;
        let letters = &mut kept.by_cause[cause as usize];
        let at = letters.partition_point(|other| other.letter.id < burial.letter.id);
        letters.insert(at, burial);
        if letters.len() > self.bound(cause) {
            let evicted = letters.pop_front();
            kept.evicted[cause as usize] += 1;
            drop(kept);
            discard(evicted);
        }
    }
}

/// Drops what a letter holds, which is user code: its panic concerns nobody any more.
fn discard(burials: impl IntoIterator<Item = Burial>) -> usize {
    let mut dropped = 0;
    for burial in burials {
        let _ = frame::drop_caught(0, burial.message);
        dropped += 1;
    }
    dropped
}

/// The dead letters and the quarantine of a system, whatever the types of their messages; made by
/// [`System::dead_letters`](crate::System::dead_letters).
///
/// They keep their messages alive, and whatever these hold; [`DeadLetters::clear`] lets go of it.
#[derive(Clone)]
pub struct DeadLetters {
    system: Arc<SystemShared>,
}

impl DeadLetters {
    pub(crate) fn of(system: Arc<SystemShared>) -> Self {
        Self { system }
    }

    /// All that are kept, oldest first.
    pub fn list(&self) -> Vec<DeadLetter> {
        self.system.letters.list(|_| true)
    }

    /// Those of one cause, oldest first.
    pub fn of_cause(&self, cause: Cause) -> Vec<DeadLetter> {
        self.system.letters.list(|burial| burial.letter.cause == cause)
    }

    /// How many of one cause had to make room for later ones.
    pub fn evicted(&self, cause: Cause) -> u64 {
        self.system.letters.lock().evicted[cause as usize]
    }

    /// Drops one; false if it is not here.
    pub fn discard(&self, id: LetterId) -> bool {
        discard(self.system.letters.take(id, |_| true)) > 0
    }

    /// Drops all; returns how many.
    pub fn clear(&self) -> usize {
        let all = std::mem::take(&mut self.system.letters.lock().by_cause);
        all.into_iter().map(discard).sum()
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeadLetters")
    }
}

/// Why a letter was not replayed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReplayError {
    /// It is not here, or belongs to another actor.
    NotFound,
    /// Its message is gone, as that of every message that was in hand at a crash and is not idempotent. It stays listed.
    NoMessage,
    /// The mailbox had no room. It stays here.
    Full,
    /// The seat is given up. It stays here.
    Stopped(ExitReason),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such letter of this actor: list them again"),
            Self::NoMessage => f.write_str("the message was in hand at a crash and is gone"),
            Self::Full => f.write_str("the mailbox is full: try again later"),
            Self::Stopped(reason) => write!(f, "the actor is gone for good: {reason}"),
        }
    }
}

impl std::error::Error for ReplayError {}

/// The dead letters of one actor, or its quarantine; made by [`Addr::dead_letters`] and [`Addr::quarantine`].
pub struct Letters<M> {
    to: Addr<M>,
    quarantined: bool,
}

impl<M: Send + 'static> Letters<M> {
    fn store(&self) -> &Store {
        &self.to.cell.core.system.letters
    }

    fn mine(&self, burial: &Burial) -> bool {
        burial.cell == self.to.cell.core.number
            && (burial.letter.cause == Cause::Poisoned) == self.quarantined
    }

    /// All that are kept, oldest first.
    pub fn list(&self) -> Vec<DeadLetter> {
        self.store().list(|burial| self.mine(burial))
    }

    /// Takes one out, if its message is here.
    pub fn take(&self, id: LetterId) -> Option<M> {
        let has_message = |burial: &Burial| self.mine(burial) && burial.message.is_some();
        let burial = self.store().take(id, has_message)?;
        burial.message?.downcast().ok().map(|message| *message)
    }

    /// Drops one; false if it is not here.
    pub fn discard(&self, id: LetterId) -> bool {
        discard(self.store().take(id, |burial| self.mine(burial))) > 0
    }

    /// Tells the actor one of these again: a new offer, counted as one. Whoever asked has been told already, so an
    /// answer goes nowhere.
    ///
    /// # Errors
    /// Why not; then it stays where it is.
    pub fn replay(&self, id: LetterId) -> Result<(), ReplayError> {
        let store = self.store();
        let mut burial = store.take(id, |burial| self.mine(burial)).ok_or(ReplayError::NotFound)?;
        let Some(Ok(message)) = burial.message.take().map(|message| message.downcast::<M>()) else {
            store.insert(store.lock(), burial);
            return Err(ReplayError::NoMessage);
        };
        let (message, why) = match self.to.tell(*message) {
            Ok(()) => return Ok(()),
            // The others concern those who wait for room, or say so for one life: never a tell.
            Err(
                TellError::Full(message) | TellError::WouldDeadlock(_, message) | TellError::Stale(message),
            ) => (message, ReplayError::Full),
            Err(TellError::Stopped(reason, message)) => (message, ReplayError::Stopped(reason)),
        };
        burial.message = Some(Box::new(message));
        store.insert(store.lock(), burial);
        Err(why)
    }
}

impl<M: Send + 'static> Addr<M> {
    /// The messages to this actor that were not handled. Kept only if the system was built to:
    /// [`SystemBuilder::dead_letters`](crate::SystemBuilder::dead_letters).
    pub fn dead_letters(&self) -> Letters<M> {
        self.letters(false)
    }

    /// The messages that were moved aside because they crashed one incarnation of this actor after the other.
    pub fn quarantine(&self) -> Letters<M> {
        self.letters(true)
    }

    fn letters(&self, quarantined: bool) -> Letters<M> {
        Letters { to: self.clone(), quarantined }
    }
}

impl<M> fmt::Debug for Letters<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letters({:?})", self.to)
    }
}
