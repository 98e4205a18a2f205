//! A seat, typed by the messages it takes: its mailbox and its life. Everyone who can reach the seat shares it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use minder_mailbox::{Capacity, Mailbox};
use minder_signals::{ActorId, Control, Down, Exit, ExitReason};

use crate::frame;
use crate::life::{AnyCell, CellCore, FinalWatcher, Peer};
use crate::notice::{Item, Notice};
use crate::reply::Fate;
use crate::system::SystemShared;

/// What an ask does when the mailbox is full. A `tell` is refused and a `send` waits in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The ask fails at once with `Full`, so that overload is seen where it is made. The default.
    #[default]
    Reject,
    /// The ask waits for room, in turn, within its deadline.
    Wait,
}

/// How much a mailbox takes, and what happens beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxOptions {
    /// The bound; 1,024 unless said otherwise.
    pub capacity: Capacity,
    /// What an ask does at the bound.
    pub when_full: WhenFull,
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
            mailbox: Mailbox::new(options.capacity),
            when_full: options.when_full,
            seats: AtomicU32::new(0),
        }
    }

    pub(crate) fn peer(self: &Arc<Self>) -> Peer {
        let id = self.core.life().id(self.core.number);
        Peer { cell: self.clone(), incarnation: id.incarnation() }
    }

    pub(crate) fn peer_of(self: &Arc<Self>, id: ActorId) -> Peer {
        Peer { cell: self.clone(), incarnation: id.incarnation() }
    }

    /// Settles what stood in the lane of a seat that is given up: asks get their message back, the rest is dropped.
    pub(crate) fn settle(&self, rest: VecDeque<Item<M>>, reason: &ExitReason) {
        frame::with_fate(Fate::Stopped(reason.clone()), || {
            for item in rest {
                // Dropping a message is user code; its panic has no actor left to be added to.
                let _ = frame::run_as(self.core.address(), || match item {
                    Item::Ask(message, slot) => slot.give_back(message, reason.clone()),
                    other => drop(other),
                });
            }
        });
    }

    /// Closes the mailbox, settles its rest and tells those who watch the seat. The second time it does nothing.
    pub(crate) fn close(&self, reason: ExitReason) {
        let rest = self.mailbox.close(reason.clone());
        if let Some(closing) = self.core.system.closing.get() {
            let messages = rest.iter().filter(|item| item.is_counted()).count();
            closing.note_left(&self.core.path(), messages);
        }
        self.settle(rest, &reason);
        let watchers = match self.core.life().ties_if_any() {
            Some(ties) => std::mem::take(&mut ties.final_watchers),
            None => Vec::new(),
        };
        let actor = self.core.life().id(self.core.number);
        for watcher in watchers {
            match watcher {
                FinalWatcher::Actor(watcher) => {
                    let down = Down { monitor: watcher.monitor, actor, reason: reason.clone() };
                    watcher.watcher.notify(Notice::Down(down));
                }
                // Nobody waits any more: fine.
                FinalWatcher::Outside(waiting) => drop(waiting.send(reason.clone())),
            }
        }
    }
}

impl<M: Send + 'static> AnyCell for Cell<M> {
    fn core(&self) -> &CellCore {
        &self.core
    }

    fn push_order(&self, order: Control) {
        self.mailbox.order(order);
    }

    fn push_exit(&self, exit: Exit) {
        self.mailbox.exit(exit, |exit| Item::Notice(Box::new(Notice::Exit(exit))));
    }

    fn retract_exits_of(&self, cell: u64) {
        self.mailbox.retract(|order| matches!(order, Control::Exit(exit) if exit.from.cell() == cell));
    }

    fn push_notice(&self, notice: Notice) {
        // A closed mailbox belongs to nobody who could be told.
        drop(self.mailbox.notify(Item::Notice(Box::new(notice))));
    }

    fn give_up(&self) {
        let last = self.core.life().ties_if_any().and_then(|ties| ties.last_reason.clone());
        self.close(last.unwrap_or(ExitReason::NoActor));
    }
}
