//! The life of a seat: who sits in it, who is tied to that incarnation, and who waits for the seat itself.
//!
//! Every change that two actors must agree on (a link, a monitor, a birth, a death) is made with the locks of both
//! lives held, taken in the order of their addresses in memory. A signal is pushed into a mailbox with the receiver's
//! life held, so it reaches the incarnation it was meant for or nobody.
//! Delivers nothing by itself: `departure.rs` takes the ties apart and tells those at the other ends.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minder_mailbox::{Rank, Statistics};
use minder_signals::{ActorId, Control, Exit, ExitReason, Moment, MonitorId};
use tokio::sync::oneshot;

use crate::alias::AliasState;
use crate::desk::{Request, Requests};
use crate::keepsake::Keepsake;
use crate::notice::Notice;
use crate::services::Offers;
use crate::system::SystemShared;
use crate::waits::Waits;

/// A cell of whatever message type.
pub(crate) trait AnyCell: Send + Sync {
    /// Itself, for whoever knows what messages it takes.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    fn core(&self) -> &CellCore;
    /// Pushes an order. Call with the life held.
    fn push_order(&self, order: Control);
    /// Pushes an exit signal, trapped or not. Call with the life held.
    fn push_exit(&self, exit: Exit, rank: Rank);
    /// Pushes an exit signal that an actor sent on purpose, and did not leave to a link. Call with the life held.
    fn push_signal(&self, exit: Exit, rank: Rank);
    /// Takes back exit signals of links with a cell that stand in the control lane. Call with the life held.
    fn retract_exits_of(&self, cell: u64);
    /// Pushes a notice. Call with the life held.
    fn push_notice(&self, notice: Notice, rank: Rank);
    /// Gives the seat up: settles the queue and tells final monitors.
    fn give_up(&self);
    /// Whether the seat is given up.
    fn is_given_up(&self) -> bool;
    /// Whether exit signals come as notices to who lives there.
    fn traps_exits(&self) -> bool;
    /// Whether there are orders that it has not come to: it will run, whatever it waits for.
    fn has_orders(&self) -> bool;
    /// What became of the messages that were offered to it.
    fn statistics(&self) -> Statistics;
    /// The type of the messages it takes.
    fn message(&self) -> &'static str;
    /// Itself, as a value whose type can be found out.
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    /// Who lives there now, or lived there last.
    fn peer_now(self: Arc<Self>) -> Peer;
}

/// What every cell has, whatever messages it takes.
pub(crate) struct CellCore {
    pub(crate) number: u64,
    pub(crate) system: Arc<SystemShared>,
    life: Mutex<Life>,
}

/// One actor of whatever type: which cell, which incarnation.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) cell: Arc<dyn AnyCell>,
    pub(crate) incarnation: u32,
}

/// See the file's head.
pub(crate) struct Life {
    /// Number of the last incarnation, 0 before the first.
    pub(crate) incarnation: u32,
    /// Whether that incarnation sits here, from the birth to the last step of its departure.
    pub(crate) occupied: bool,
    /// Whether that incarnation has acknowledged its start. Its context knows by itself; this is for when that is gone.
    pub(crate) acknowledged: bool,
    /// Whether that incarnation has said that it is ready to serve.
    pub(crate) ready: bool,
    /// Where the actor is in the tree; its number before it was first started.
    pub(crate) path: Option<Arc<str>>,
    pub(crate) minder: Minder,
    /// Boxed: most actors have no links, monitors or children.
    ties: Option<Box<Ties>>,
}

/// Who minds the incarnation.
#[derive(Clone)]
pub(crate) enum Minder {
    /// In this place among those it minds. Also stands here while the seat is vacant.
    System(u32),
    Actor(Peer),
}

/// Whom an incarnation is tied to, and who waits for its seat.
#[derive(Default)]
pub(crate) struct Ties {
    pub(crate) links: HashMap<u64, Link>,
    pub(crate) watchers: Vec<Watcher>,
    /// In the order of their cells, for whoever walks down the tree.
    pub(crate) children: BTreeMap<u64, Peer>,
    pub(crate) waits: Waits,
    /// A start that waits until an orphan has left the seat.
    pub(crate) heir: Option<Heir>,
    pub(crate) final_watchers: Vec<FinalWatcher>,
    /// Why the last incarnation ended, for whoever gives the seat up later.
    pub(crate) last_reason: Option<ExitReason>,
    /// When the last incarnation ended abnormally, until the next one has handled a message.
    pub(crate) crashed_at: Option<Moment>,
    /// What the seat keeps from one life to the next.
    pub(crate) keepsake: Option<Keepsake>,
    /// The name of the seat, which is in the registry for as long as it stands here.
    pub(crate) name: Option<Arc<str>>,
    /// What the incarnation offers to those below it.
    pub(crate) offers: Offers,
    /// Boxed: few are ever asked.
    pub(crate) requests: Option<Box<Requests>>,
}

/// One end of a link.
pub(crate) struct Link {
    /// Who is at the other.
    pub(crate) peer: Peer,
    /// What its exit is here.
    rank: Rank,
}

pub(crate) struct Heir {
    pub(crate) id: ActorId,
    pub(crate) minder: Peer,
    /// What its news are to its minder.
    pub(crate) news: Rank,
    pub(crate) start: Box<dyn FnOnce() + Send>,
}

pub(crate) struct Watcher {
    pub(crate) monitor: MonitorId,
    pub(crate) watcher: Peer,
    /// The alias that was made with the monitor, if one was.
    pub(crate) alias: Option<Arc<AliasState>>,
    /// What its `Down` is.
    pub(crate) rank: Rank,
}

pub(crate) enum FinalWatcher {
    Actor(Watcher),
    Outside(oneshot::Sender<ExitReason>),
}

impl CellCore {
    pub(crate) fn new(number: u64, system: Arc<SystemShared>, path: Option<Arc<str>>) -> Self {
        let life = Life {
            incarnation: 0,
            occupied: false,
            acknowledged: false,
            ready: false,
            path,
            minder: Minder::System(0),
            ties: None,
        };
        Self { number, system, life: Mutex::new(life) }
    }

    pub(crate) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address in memory, for lock order and for telling cells apart. Never dereferenced.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    pub(crate) fn path(&self) -> Arc<str> {
        self.life().path_or_number(self.number)
    }
}

impl Life {
    pub(crate) fn id(&self, number: u64) -> ActorId {
        ActorId::new(number, self.incarnation)
    }

    /// Where the seat stands in its tree. One that has no place there is known by its name.
    pub(crate) fn path_or_number(&self, number: u64) -> Arc<str> {
        match self.path.as_ref().or(self.name()) {
            Some(path) => path.clone(),
            None => format!("#{number}").into(),
        }
    }

    /// The name of the seat, if it has one.
    pub(crate) fn name(&self) -> Option<&Arc<str>> {
        self.ties.as_ref()?.name.as_ref()
    }

    /// Whether this very incarnation lives.
    pub(crate) fn is(&self, id: ActorId) -> bool {
        self.occupied && self.incarnation == id.incarnation()
    }

    pub(crate) fn ties(&mut self) -> &mut Ties {
        self.ties.get_or_insert_default()
    }

    pub(crate) fn ties_if_any(&mut self) -> Option<&mut Ties> {
        self.ties.as_deref_mut()
    }

    /// Forgets what is tied to the incarnation and returns it; what is tied to the seat stays.
    pub(crate) fn take_ties(&mut self) -> Ties {
        let Some(ties) = self.ties.as_deref_mut() else { return Ties::default() };
        let of_seat = Ties {
            final_watchers: std::mem::take(&mut ties.final_watchers),
            last_reason: ties.last_reason.take(),
            crashed_at: ties.crashed_at.take(),
            keepsake: ties.keepsake.take(),
            name: ties.name.take(),
            ..Ties::default()
        };
        let is_needed = !of_seat.final_watchers.is_empty()
            || of_seat.last_reason.is_some()
            || of_seat.crashed_at.is_some()
            || of_seat.keepsake.is_some()
            || of_seat.name.is_some();
        let taken = std::mem::replace(ties, of_seat);
        if !is_needed {
            self.ties = None;
        }
        taken
    }
}

impl Peer {
    /// Takes this very incarnation out of a table by cell number; whether it was there.
    pub(crate) fn take_from(table: &mut BTreeMap<u64, Self>, id: ActorId) -> bool {
        if table.get(&id.cell()).is_none_or(|peer| peer.id() != id) {
            return false;
        }
        table.remove(&id.cell());
        true
    }

    pub(crate) fn id(&self) -> ActorId {
        ActorId::new(self.cell.core().number, self.incarnation)
    }

    pub(crate) fn is_same_cell(&self, other: &CellCore) -> bool {
        self.cell.core().address() == other.address()
    }

    /// Sends an order to this incarnation; returns whether it lives. An heir that waits for the seat is struck off.
    pub(crate) fn order(&self, order: Control) -> bool {
        let mut life = self.cell.core().life();
        if life.is(self.id()) {
            self.cell.push_order(order);
            return true;
        }
        let Some(ties) = life.ties_if_any() else { return false };
        if matches!(order, Control::Suspend | Control::Resume) {
            return false; // an heir does not live yet
        }
        let Some(heir) = ties.heir.take_if(|heir| heir.id == self.id()) else { return false };
        drop(life);
        let reason = match order {
            Control::Stop(reason) | Control::KillFor(reason) => reason,
            _ => ExitReason::Killed,
        };
        let failed = crate::notice::ChildEvent::StartFailed(reason);
        heir.minder.child_event(self.id(), failed, heir.news);
        drop(heir.start);
        true
    }

    /// Sends an exit signal to this incarnation, if it lives.
    pub(crate) fn exit(&self, exit: Exit, rank: Rank) {
        let life = self.cell.core().life();
        if life.is(self.id()) {
            self.cell.push_exit(exit, rank);
        }
    }

    /// Sends an exit signal that does not come of a link; whether somebody lived there to get it.
    pub(crate) fn signal(&self, exit: Exit) -> bool {
        let life = self.cell.core().life();
        let lives = life.is(self.id());
        if lives {
            self.cell.push_signal(exit, Rank::Ordinary);
        }
        lives
    }

    /// Tells this incarnation, if it lives.
    pub(crate) fn notify(&self, notice: Notice, rank: Rank) {
        let life = self.cell.core().life();
        if life.is(self.id()) {
            self.cell.push_notice(notice, rank);
        }
    }

    pub(crate) fn child_event(&self, child: ActorId, event: crate::notice::ChildEvent, rank: Rank) {
        let mut life = self.cell.core().life();
        if life.is(self.id()) {
            // From here on it has something to do, even if it does not know yet. That a child is ready is not what a minder
            // waits for that starts or stops it.
            if !matches!(event, crate::notice::ChildEvent::Ready)
                && let Some(ties) = life.ties_if_any()
            {
                ties.waits.end(child);
            }
            self.cell.push_notice(Notice::Child(crate::notice::ChildNotice { child, event }), rank);
        }
    }

    /// Leaves a request with this incarnation, to be answered between two messages. Its number, if it lives.
    pub(crate) fn request(&self, request: Request) -> Option<u64> {
        let mut life = self.cell.core().life();
        if !life.is(self.id()) {
            return None;
        }
        let number = life.ties().requests.get_or_insert_default().push(request);
        self.cell.push_order(Control::Answer);
        Some(number)
    }

    /// Takes a request back that has not been looked at.
    pub(crate) fn take_request(&self, number: u64) -> Option<Request> {
        let mut life = self.cell.core().life();
        if !life.is(self.id()) {
            return None; // the numbers of its next life are others
        }
        life.ties_if_any()?.requests.as_mut()?.take(number)
    }

    pub(crate) fn lives(&self) -> bool {
        self.cell.core().life().is(self.id())
    }
}

/// Holds the lives of two different cells, locked in the order of their addresses.
pub(crate) fn both<'a>(a: &'a CellCore, b: &'a CellCore) -> (MutexGuard<'a, Life>, MutexGuard<'a, Life>) {
    debug_assert_ne!(a.address(), b.address(), "a life is locked once");
    if a.address() < b.address() {
        let first = a.life();
        let second = b.life();
        (first, second)
    } else {
        let second = b.life();
        let first = a.life();
        (first, second)
    }
}

impl Link {
    /// Takes the link with this very incarnation out of a table; what its exit is, if it was there.
    pub(crate) fn take_from(table: &mut HashMap<u64, Self>, id: ActorId) -> Option<Rank> {
        table.get(&id.cell()).filter(|link| link.peer.id() == id)?;
        table.remove(&id.cell()).map(|link| link.rank)
    }

    /// Puts one into a table. One that stands there keeps its rank, unless another is given.
    fn put(table: &mut HashMap<u64, Self>, peer: &Peer, rank: Option<Rank>) {
        let known = Self::take_from(table, peer.id());
        let rank = rank.or(known).unwrap_or_default();
        table.insert(peer.cell.core().number, Self { peer: peer.clone(), rank });
    }
}

/// Links two incarnations; at most one link per pair. The rank is that of the exit that the first gets of the second.
/// False if the second does not live.
pub(crate) fn link(a: &Peer, b: &Peer, rank: Rank) -> bool {
    if a.is_same_cell(b.cell.core()) {
        return true;
    }
    let (mut life_a, mut life_b) = both(a.cell.core(), b.cell.core());
    if !life_b.is(b.id()) {
        return false;
    }
    if life_a.is(a.id()) {
        Link::put(&mut life_a.ties().links, b, Some(rank));
        Link::put(&mut life_b.ties().links, a, None);
    }
    true
}

/// Removes a link, if there is one. After it returns no exit signal of that link will come any more.
pub(crate) fn unlink(a: &Peer, b: &Peer) {
    if a.is_same_cell(b.cell.core()) {
        return;
    }
    let (mut life_a, mut life_b) = both(a.cell.core(), b.cell.core());
    if let Some(ties) = life_a.ties_if_any() {
        ties.links.remove(&b.cell.core().number);
    }
    if let Some(ties) = life_b.ties_if_any() {
        ties.links.remove(&a.cell.core().number);
    }
    // Its signal may be on the way already, as an order that has not been looked at.
    a.cell.retract_exits_of(b.cell.core().number);
}
