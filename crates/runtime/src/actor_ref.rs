//! Who an incarnation is to whoever minds it, or finds it among all actors: a handle without the type of its messages.
//! Does nothing by itself: what it does is done by the life that it points at.

use std::fmt;
use std::sync::Arc;

use minder_mailbox::Statistics;
use minder_signals::{ActorId, Control, ExitReason};

use crate::addr::Addr;
use crate::cell::Cell;
use crate::life::{Minder, Peer};
use crate::sys::Sys;

/// One incarnation of whatever type, as its minder refers to it.
#[derive(Clone)]
pub struct ActorRef {
    pub(crate) peer: Peer,
}

impl ActorRef {
    /// Which incarnation.
    pub fn id(&self) -> ActorId {
        self.peer.id()
    }

    /// Where it stands in its tree.
    pub fn path(&self) -> Arc<str> {
        self.peer.cell.core().path()
    }

    /// Whether it lives.
    pub fn is_alive(&self) -> bool {
        self.peer.lives()
    }

    /// Ends it at its next await; cannot be trapped. False if it does not live any more.
    ///
    /// # OTP
    /// `exit(Pid, kill)`.
    pub fn kill(&self) -> bool {
        self.peer.order(Control::Kill)
    }

    /// What became of the messages offered to its seat, over all lives there: see [`Addr::statistics`].
    pub fn statistics(&self) -> Statistics {
        self.peer.cell.statistics()
    }

    /// Requests to its machinery: see [`Addr::sys`].
    pub fn sys(&self) -> Sys {
        Sys::of(self.peer.clone())
    }

    /// Who minds it; nothing if the system does, or it has ended.
    ///
    /// # OTP
    /// `process_info(Pid, parent)`.
    pub fn minder(&self) -> Option<Self> {
        let life = self.peer.cell.core().life();
        match &life.minder {
            Minder::Actor(minder) if life.is(self.id()) => Some(Self { peer: minder.clone() }),
            Minder::Actor(_) | Minder::System(_) => None,
        }
    }

    pub(crate) fn kill_for(&self, reason: ExitReason) {
        self.peer.order(Control::KillFor(reason));
    }

    /// The address of the seat it lives in, if that takes messages of type `M`. It reaches later lives as well.
    pub fn address<M: Send + 'static>(&self) -> Option<Addr<M>> {
        let cell = self.peer.cell.clone().into_any().downcast::<Cell<M>>().ok()?;
        Some(Addr { cell })
    }
}

impl fmt::Debug for ActorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorRef({} {})", self.path(), self.id())
    }
}
