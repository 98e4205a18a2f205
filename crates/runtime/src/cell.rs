//! A seat, typed by the messages it takes: its mailbox and its life. Everyone who can reach the seat shares it.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Weak};

use minder_mailbox::{Capacity, Left, Mailbox, Queued, Rank, Refused, Statistics, WhenFull};
use minder_signals::{ActorId, Control, Exit, ExitReason};

use crate::frame;
use crate::keepsake;
use crate::letters::{Burial, Cause, DeadLetter};
use crate::life::{AnyCell, CellCore, FinalWatcher, Peer};
use crate::notice::{Item, Notice};
use crate::redelivery::Past;
use crate::reply::{Envelope, Fate};
use crate::system::SystemShared;

/// How much a mailbox takes, and what happens beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxOptions {
    /// The bound; 1,024 unless said otherwise.
    pub capacity: Capacity,
    /// What happens at the bound.
    pub when_full: WhenFull,
}

impl MailboxOptions {
    /// At most so many messages; see [`WhenFull`] for what happens beyond.
    pub const fn bounded(messages: u32, when_full: WhenFull) -> Self {
        Self { capacity: Capacity::of(messages), when_full }
    }

    /// No bound but memory. For few senders whose number bounds it anyway; elsewhere it hides overload until it is too
    /// late.
    pub const fn unbounded() -> Self {
        Self { capacity: Capacity::UNBOUNDED, when_full: WhenFull::Reject }
    }
}

pub(crate) struct Cell<M> {
    pub(crate) core: CellCore,
    pub(crate) mailbox: Mailbox<Item<M>>,
    pub(crate) when_full: WhenFull,
    /// How many hold the right to let actors live here; at 0 the seat is given up.
    pub(crate) seats: AtomicU32,
}

impl<M: Send + 'static> Cell<M> {
    pub(crate) fn new(system: Arc<SystemShared>, path: Option<Arc<str>>, options: MailboxOptions) -> Self {
        Self {
            core: CellCore::new(system.next_cell(), system, path),
            mailbox: Mailbox::new(options.capacity, options.when_full),
            when_full: options.when_full,
            seats: AtomicU32::new(0),
        }
    }

    pub(crate) fn peer(self: &Arc<Self>) -> Peer {
        let id = self.core.life().id(self.core.number);
        Peer { cell: self.clone(), incarnation: id.incarnation() }
    }

    pub(crate) fn weak(self: &Arc<Self>) -> Weak<dyn AnyCell> {
        let weak: Weak<Self> = Arc::downgrade(self);
        weak
    }

    pub(crate) fn peer_of(self: &Arc<Self>, id: ActorId) -> Peer {
        Peer { cell: self.clone(), incarnation: id.incarnation() }
    }

    /// Puts a message in at once or not at all. Where messages are dropped at the bound, that is told here to whoever
    /// asked.
    #[inline]
    pub(crate) fn tell(&self, item: Item<M>) -> Result<(), Refused<Item<M>>> {
        match self.mailbox.tell(item) {
            Ok(()) => Ok(()),
            Err(refused) => self.unless_dropped(refused),
        }
    }

    /// What is refused, unless the offer was good and a message was dropped for it.
    #[cold]
    pub(crate) fn unless_dropped(&self, refused: Refused<Item<M>>) -> Result<(), Refused<Item<M>>> {
        match refused {
            Refused::Dropped(item) => {
                self.bury(item, Cause::Dropped, None);
                Ok(())
            }
            refused => Err(refused),
        }
    }

    /// Puts something in that is meant for one incarnation alone. With the life held, so that no later one gets it.
    pub(crate) fn hand(&self, owner: ActorId, item: Item<M>) {
        let life = self.core.life();
        let refused =
            if life.is(owner) { self.mailbox.notify(item, Rank::Ordinary).err() } else { Some(item) };
        drop(life);
        if let Some(item) = refused {
            self.bury(item, Cause::Crashed, None);
        }
    }

    /// Empties the lane between two lives of a child whose messages are not kept. One that was in hand is not among
    /// those that waited: whether it is delivered again is its own declaration. `spares_first`: whether it may be the first.
    pub(crate) fn purge(&self, reason: &ExitReason, spares_first: bool) {
        let rest = self.mailbox.purge(|first| spares_first && matches!(first, Item::Again(..)));
        self.bury_all(rest, Cause::Purged, reason);
    }

    /// Begins a new epoch: what was let in before belongs to a state of the whole group that no longer exists. False,
    /// and nothing happens, if somebody lives here.
    pub(crate) fn begin_epoch(&self) -> bool {
        let (rest, reason, kept) = {
            // With the life held, so that nobody moves in meanwhile.
            let mut life = self.core.life();
            if life.occupied {
                return false;
            }
            let last = life.ties_if_any().and_then(|ties| ties.last_reason.clone());
            (self.mailbox.begin_epoch(), last.unwrap_or(ExitReason::Shutdown), life.take_keepsake())
        };
        keepsake::let_go(self.core.address(), kept);
        self.bury_all(rest, Cause::Purged, &reason);
        true
    }

    /// A message for an earlier life was taken out: it was purged when that ended, or would have been had it been here.
    pub(crate) fn count_stale(&self, message: M, envelope: Option<&Envelope<M>>) {
        self.mailbox.count(Left::Purged);
        self.bury_stale(message, envelope);
    }

    /// The end of a message for a life that is over.
    pub(crate) fn bury_stale(&self, message: M, envelope: Option<&Envelope<M>>) {
        match envelope {
            Some(envelope) => envelope.give_back_stale(message),
            None => self.keep_letter(Cause::Purged, Some(message), None, None),
        }
    }

    fn bury_all(&self, items: VecDeque<Item<M>>, cause: Cause, reason: &ExitReason) {
        items.into_iter().for_each(|item| self.bury(item, cause, Some(reason)));
    }

    /// The end of an item that will not be handled, and is counted already: whoever asked is told, and a message is
    /// kept as a dead letter if that is wanted. Otherwise it is dropped, which is user code: its panic has no actor to be
    /// added to.
    pub(crate) fn bury(&self, item: Item<M>, cause: Cause, reason: Option<&ExitReason>) {
        let why = || reason.cloned().unwrap_or(ExitReason::NoActor);
        let fate = match cause {
            Cause::Stopped => Fate::Stopped(why()),
            // A notice, or a message of its own timers or jobs: those die with their incarnation.
            _ if !item.is_counted() => Fate::Crashed(why()),
            Cause::Purged => Fate::Purged(why()),
            Cause::Poisoned => Fate::Poisoned,
            Cause::Crashed | Cause::Dropped | Cause::Expired => Fate::Dropped,
        };
        let ended = fate.clone();
        let end = || {
            let (message, slot, past) = match item {
                Item::Notice(_)
                | Item::Own(_)
                | Item::Next(_)
                | Item::Tick(_)
                | Item::Outcome(_)
                | Item::Stop => return drop(item),
                Item::Tell(message) | Item::Bound(message, _) => (message, None, None),
                Item::Ask(message, slot) => (message, Some(slot), None),
                Item::Again(message, mut past) => (message, past.slot.take(), Some(past)),
            };
            let kept = match slot {
                Some(slot) if cause == Cause::Stopped => slot.give_back(message, why()),
                Some(slot) => {
                    slot.end(fate);
                    Some(message)
                }
                None => Some(message),
            };
            self.keep_letter(cause, kept, reason, past);
        };
        let _ = frame::with_fate(ended, || frame::run_as(self.core.address(), end));
    }

    /// Keeps a dead letter if those of this cause are wanted; otherwise the message is dropped.
    pub(crate) fn keep_letter(
        &self,
        cause: Cause,
        message: Option<M>,
        reason: Option<&ExitReason>,
        past: Option<Box<Past<M>>>,
    ) {
        let system = &self.core.system;
        if system.letters.bound(cause) == 0 {
            return;
        }
        let name = std::any::type_name::<M>();
        let mut letter = DeadLetter::new(self.core.path(), cause, name, system.now());
        letter.reason = reason.cloned();
        if let Some(past) = past {
            letter.attempts = past.attempts;
            letter.failures = past.failures;
        }
        let message = message.map(|message| Box::new(message) as Box<dyn Any + Send>);
        system.letters.bury(Burial { cell: self.core.number, letter, message });
    }

    /// Closes the mailbox, settles its rest and tells those who watch the seat. The second time it does nothing.
    pub(crate) fn close(&self, reason: ExitReason) {
        let (rest, freed) = {
            // With the life held, or a name could be given to it in between; and the name goes first: whoever is refused
            // by this mailbox finds the name free.
            let mut life = self.core.life();
            let freed = self.core.system.registry.free(&mut life);
            (self.mailbox.close(reason.clone()), freed)
        };
        drop(freed);
        if let Some(closing) = self.core.system.closing.get() {
            let messages = rest.iter().filter(|item| item.is_counted()).count();
            closing.note_left(&self.core.path(), messages);
        }
        self.bury_all(rest, Cause::Stopped, &reason);
        let kept = self.core.life().take_keepsake();
        keepsake::let_go(self.core.address(), kept);
        let watchers = match self.core.life().ties_if_any() {
            Some(ties) => std::mem::take(&mut ties.final_watchers),
            None => Vec::new(),
        };
        let actor = self.core.life().id(self.core.number);
        for watcher in watchers {
            match watcher {
                FinalWatcher::Actor(watcher) => watcher.fire(actor, &reason),
                // Nobody waits any more: fine.
                FinalWatcher::Outside(waiting) => drop(waiting.send(reason.clone())),
            }
        }
    }
}

impl<M: Send + 'static> AnyCell for Cell<M> {
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn core(&self) -> &CellCore {
        &self.core
    }

    fn push_order(&self, order: Control) {
        self.mailbox.order(order);
    }

    fn push_exit(&self, exit: Exit, rank: Rank) {
        self.mailbox.exit(exit, rank, |exit| Item::Notice(Box::new(Notice::Exit(exit))));
    }

    fn push_signal(&self, exit: Exit, rank: Rank) {
        self.mailbox.signal(exit, rank, |exit| Item::Notice(Box::new(Notice::Exit(exit))));
    }

    fn retract_exits_of(&self, cell: u64) {
        self.mailbox.retract(|order| matches!(order, Control::Exit(exit) if exit.from.cell() == cell));
    }

    fn push_notice(&self, notice: Notice, rank: Rank) {
        // A closed mailbox belongs to nobody who could be told.
        drop(self.mailbox.notify(Item::Notice(Box::new(notice)), rank));
    }

    fn give_up(&self) {
        let last = self.core.life().ties_if_any().and_then(|ties| ties.last_reason.clone());
        self.close(last.unwrap_or(ExitReason::NoActor));
    }

    fn is_given_up(&self) -> bool {
        self.mailbox.closed().is_some()
    }

    fn traps_exits(&self) -> bool {
        self.mailbox.is_trapping()
    }

    fn has_orders(&self) -> bool {
        self.mailbox.has_orders()
    }

    fn statistics(&self) -> Statistics {
        self.mailbox.statistics()
    }

    fn message(&self) -> &'static str {
        std::any::type_name::<M>()
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn peer_now(self: Arc<Self>) -> Peer {
        self.peer()
    }
}
