//! An address of one incarnation: for whoever has agreed on something with that life, which the next knows nothing of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder_signals::ActorId;

use crate::addr::{Addr, TellError, told};
use crate::ask::{self, DEFAULT_DEADLINE};
use crate::frame;
use crate::notice::Item;
use crate::reply::{AskError, Reply};

/// An address that is good for one incarnation only. Made by [`Addr::pin`].
///
/// When not to use this: for messages that any life can handle, which is most of them. [`Addr`] survives restarts.
pub struct Pinned<M> {
    to: Addr<M>,
    incarnation: u32,
}

impl<M: Send + 'static> Addr<M> {
    /// This address for the incarnation that lives there now, or lived there last: what is sent through it reaches that
    /// one, or comes back as `Stale`.
    ///
    /// # OTP
    /// A pid, where an address is a name.
    pub fn pin(&self) -> Pinned<M> {
        let incarnation = self.id().incarnation();
        Pinned { to: self.clone(), incarnation }
    }
}

impl<M: Send + 'static> Pinned<M> {
    /// Which incarnation.
    pub fn id(&self) -> ActorId {
        ActorId::new(self.to.cell.core.number, self.incarnation)
    }

    /// Whether it lives.
    pub fn is_alive(&self) -> bool {
        self.to.cell.core.life().is(self.id())
    }

    /// The address that survives it.
    pub fn address(&self) -> &Addr<M> {
        &self.to
    }

    /// As [`Addr::tell`], to this incarnation.
    ///
    /// # Errors
    /// As [`Addr::tell`], and `Stale` if the incarnation has ended. If it ends before it handles the message, that is
    /// purged, whatever becomes of others.
    pub fn tell(&self, message: impl Into<M>) -> Result<(), TellError<M>> {
        frame::effect();
        frame::gives(&message);
        let message = message.into();
        let refused = {
            // With the life held, so that the message reaches this incarnation or nobody.
            let life = self.to.cell.core.life();
            if !life.is(self.id()) {
                drop(life);
                return Err(TellError::Stale(message));
            }
            self.to.cell.mailbox.tell(Item::Bound(message, self.incarnation.into())).err()
        };
        // Without it: what was dropped for it is told to others.
        refused.map_or(Ok(()), |refused| self.to.cell.unless_dropped(refused).map_err(told))
    }

    /// As [`Addr::ask`], of this incarnation.
    ///
    /// # Errors
    /// As [`Addr::ask`], and `Stale` if the incarnation has ended, or ends before it handles the message.
    ///
    /// # Cancel safety
    /// As [`Addr::ask`].
    pub async fn ask<T: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, AskError<M>> {
        self.ask_within(DEFAULT_DEADLINE, message).await
    }

    /// [`Pinned::ask`] with a deadline of one's own; waiting for room counts against it.
    ///
    /// # Errors
    /// As [`Pinned::ask`].
    ///
    /// # Cancel safety
    /// As [`Addr::ask`].
    pub async fn ask_within<T: Send + 'static>(
        &self,
        within: Duration,
        message: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, AskError<M>> {
        frame::effect();
        ask::ask(&self.to.cell, within, Some(self.incarnation), message).await
    }
}

impl<M> Clone for Pinned<M> {
    fn clone(&self) -> Self {
        Self { to: self.to.clone(), incarnation: self.incarnation }
    }
}

impl<M> PartialEq for Pinned<M> {
    /// Whether both point at the same incarnation.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.to.cell, &other.to.cell) && self.incarnation == other.incarnation
    }
}

impl<M> fmt::Debug for Pinned<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pinned({:?}, life {})", self.to, self.incarnation)
    }
}
