//! Readiness: that an actor which is up says, later, that it is ready to serve. Its minder hears of it once in a life.
//! What follows from it, and whether anybody waits for it, is the minder's business.

use std::fmt;
use std::sync::Arc;

use minder_mailbox::Rank;
use minder_signals::ExitReason;

use crate::actor_ref::ActorRef;
use crate::context::Context;
use crate::events::Event;
use crate::frame;
use crate::life::{Minder, Peer};
use crate::notice::ChildEvent;

/// Says that one incarnation is ready to serve, from wherever that is found out: a job, a task, a callback. Clones say it
/// of the same incarnation. Made by [`Context::readiness`].
#[derive(Clone)]
pub struct Readiness {
    peer: Peer,
    /// Whether the minder hears nothing of this actor.
    is_silent: bool,
    /// What it is to the minder.
    rank: Rank,
}

impl Readiness {
    /// The actor is ready to serve: see [`Context::ready`]. Nothing happens if that incarnation has ended.
    pub fn ready(&self) {
        let is_up = {
            let mut life = self.peer.cell.core().life();
            if !life.is(self.peer.id()) || std::mem::replace(&mut life.ready, true) {
                return;
            }
            life.acknowledged
        };
        // Two orders: said before the start is acknowledged, it is told with that; said later, it is told here.
        if is_up {
            self.tell();
        }
    }

    /// Tells the world, and the minder.
    pub(crate) fn tell(&self) {
        let (core, id) = (self.peer.cell.core(), self.peer.id());
        core.system.report(&Event::Ready { path: &core.path(), id });
        let minder = core.life().minder.clone();
        if let Minder::Actor(minder) = minder
            && !self.is_silent
        {
            minder.child_event(id, ChildEvent::Ready, self.rank);
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Arc<str> = self.peer.cell.core().path();
        write!(f, "Readiness({path} {})", self.peer.id())
    }
}

impl<M: Send + 'static> Context<M> {
    /// Says that this actor is ready to serve: that it has warmed its cache, connected, caught up. Once in a life; again it
    /// is nothing. Its minder hears [`ChildEvent::Ready`]; supervisors go by it if the child is declared so.
    ///
    /// # Ordering
    /// The minder hears of it after the start. Said in [`Actor::started`](crate::Actor::started), it is told with the
    /// start's acknowledgement.
    ///
    /// When not to use this: for what has to be done before anyone may go on. That belongs into `started`, which the start
    /// waits for.
    pub fn ready(&self) {
        frame::effect();
        self.readiness().ready();
    }

    /// [`Context::ready`] for others to say: a job, a task, a callback.
    pub fn readiness(&self) -> Readiness {
        Readiness { peer: self.peer(), is_silent: self.is_silent(), rank: self.news() }
    }

    /// Kills a minded actor for a reason of its minder's own, such as a rule that it broke: as [`Context::kill_child`], but
    /// everyone who hears of the end hears this reason.
    pub fn kill_child_for(&mut self, child: &ActorRef, reason: ExitReason) {
        frame::effect();
        child.kill_for(reason);
    }
}
