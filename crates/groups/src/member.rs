//! Who is in a group, and for how long: a life of an actor, or a seat with all the lives in it.

use std::fmt;

use minder_runtime::{ActorId, Addr, Context, ExitReason, MonitorId, TellError};

use crate::keeper::KeeperMsg;

/// How long a membership lasts if nobody takes it back, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tenure {
    /// One life of an actor: it ends with that incarnation.
    Life(ActorId),
    /// A seat, by its number ([`ActorId::cell`]): it lasts over restarts, until the seat is given up.
    Seat(u64),
}

/// A member of a group: an address, and the tenure with which it is one.
///
/// Two members are equal if both are the same.
pub struct Member<M> {
    address: Addr<M>,
    tenure: Tenure,
}

impl<M: Send + 'static> Member<M> {
    /// The life whose context this is.
    pub fn life(context: &Context<M>) -> Self {
        Self { address: context.address(), tenure: Tenure::Life(context.id()) }
    }

    /// The life that sits behind the address now, if one does.
    pub fn life_at(address: &Addr<M>) -> Option<Self> {
        let member = Self { address: address.clone(), tenure: Tenure::Life(address.id()) };
        (!member.is_over()).then_some(member)
    }

    /// The seat behind the address, whoever lives there.
    pub fn seat(address: &Addr<M>) -> Self {
        Self { address: address.clone(), tenure: Tenure::Seat(address.id().cell()) }
    }

    /// Its address. It is that of the seat: what is sent to it may reach a later life than the member's.
    pub fn address(&self) -> &Addr<M> {
        &self.address
    }

    /// As what it is a member.
    pub fn tenure(&self) -> Tenure {
        self.tenure
    }

    /// Whether it is a life that has ended. A seat that is given up shows when something is sent there.
    pub fn is_over(&self) -> bool {
        match self.tenure {
            // In this order: somebody lives there, and no later life than this one had begun when the id was read.
            Tenure::Life(id) => !(self.address.is_alive() && self.address.id() == id),
            Tenure::Seat(_) => false,
        }
    }

    /// Sends without waiting, unless it is a life that has ended.
    ///
    /// # Errors
    /// As [`Addr::tell`]; `Stopped` with [`ExitReason::NoActor`] for a life that has ended, even if another sits
    /// there by now. One that ends in this very moment may leave the message to the next life in its seat.
    pub fn tell(&self, message: impl Into<M>) -> Result<(), TellError<M>> {
        if self.is_over() {
            return Err(TellError::Stopped(ExitReason::NoActor, message.into()));
        }
        self.address.tell(message)
    }
}

impl<M> Clone for Member<M> {
    fn clone(&self) -> Self {
        Self { address: self.address.clone(), tenure: self.tenure }
    }
}

impl<M> PartialEq for Member<M> {
    fn eq(&self, other: &Self) -> bool {
        self.tenure == other.tenure && self.address == other.address
    }
}

impl<M> fmt::Debug for Member<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({:?} {:?})", self.address, self.tenure)
    }
}

/// A member of whatever type, as the keeper needs it.
pub(crate) trait Watchable: Send + Sync {
    /// Watches it to the end of its tenure; nothing if that has ended.
    fn watch(&self, context: &mut Context<KeeperMsg>) -> Option<MonitorId>;
}

impl<M: Send + 'static> Watchable for Member<M> {
    fn watch(&self, context: &mut Context<KeeperMsg>) -> Option<MonitorId> {
        let Tenure::Life(id) = self.tenure else { return Some(context.monitor_final(&self.address)) };
        // What is monitored is the life that sits there now: this one or a later one, and this one if no later life
        // has begun after that.
        let monitor = context.monitor(&self.address);
        if self.address.id() == id {
            return Some(monitor);
        }
        context.demonitor(monitor);
        None
    }
}
