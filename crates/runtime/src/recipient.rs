//! An address for one type of message, whatever else the actor takes.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use minder_signals::ExitReason;

use crate::addr::{Addr, TellError};
use crate::ask::{self, DEFAULT_DEADLINE};
use crate::frame;
use crate::life::AnyCell;
use crate::notice::Item;
use crate::reply::{AskError, Envelope, Reply, Standing};
use crate::system::SystemShared;

/// An address for one type of message, whatever else the actor takes.
pub struct Recipient<T> {
    to: Arc<dyn Takes<T>>,
}

pub(crate) trait Takes<T>: Send + Sync {
    fn take(&self, message: T) -> Result<(), ExitReason>;
    /// Puts a question in, or into the hands of a sender that waits for room.
    fn put(&self, message: T, asked: Arc<dyn Standing>) -> Result<Option<Entering<'_>>, AskError<()>>;
    fn system(&self) -> &SystemShared;
    fn weak(&self) -> Weak<dyn AnyCell>;
}

/// A question that waits for room.
pub(crate) type Entering<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), AskError<()>>> + Send + 'a>>;

impl<T: Into<M>, M: Send + 'static> Takes<T> for Addr<M> {
    fn take(&self, message: T) -> Result<(), ExitReason> {
        self.tell(message).map_err(|error| match error {
            TellError::Stopped(reason, _) => reason,
            TellError::Full(_) | TellError::WouldDeadlock(..) | TellError::Stale(_) => {
                ExitReason::other("full")
            }
        })
    }

    fn put(&self, message: T, asked: Arc<dyn Standing>) -> Result<Option<Entering<'_>>, AskError<()>> {
        let item = Item::Ask(message.into(), Envelope::of_another(asked));
        let waits = ask::offer(&self.cell, item, None).map_err(AskError::without_message)?;
        Ok(waits.map(|item| -> Entering<'_> {
            let entry = ask::enter(&self.cell, item);
            Box::pin(async move { entry.await.map_err(AskError::without_message) })
        }))
    }

    fn system(&self) -> &SystemShared {
        &self.cell.core.system
    }

    fn weak(&self) -> Weak<dyn AnyCell> {
        self.cell.weak()
    }
}

impl<M: Send + 'static> Addr<M> {
    /// This address as one for a single type of messages out of those the actor takes.
    pub fn recipient<T: Into<M> + 'static>(&self) -> Recipient<T> {
        Recipient::to(self.clone())
    }
}

impl<T> Recipient<T> {
    pub(crate) fn to(whom: impl Takes<T> + 'static) -> Self {
        Self { to: Arc::new(whom) }
    }

    /// Sends without waiting.
    ///
    /// # Errors
    /// Why it was not delivered: the reason for which the seat was given up, or `full`. The message is dropped.
    pub fn tell(&self, message: T) -> Result<(), ExitReason> {
        self.to.take(message)
    }

    /// Sends a message with a [`Reply`] in it and waits for the answer, at most 5 seconds.
    ///
    /// # Errors
    /// As [`Addr::ask`], but no message comes back: it is of a type that is not known here.
    ///
    /// # Cancel safety
    /// As [`Addr::ask`].
    ///
    /// ```
    /// use minder_runtime::{AskError, Recipient, Reply};
    ///
    /// /// Whatever answers pings.
    /// async fn is_up(whom: &Recipient<Ping>) -> bool {
    ///     whom.ask(Ping).await.is_ok()
    /// }
    ///
    /// struct Ping(Reply<()>);
    /// ```
    pub async fn ask<A: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<A>) -> T,
    ) -> Result<A, AskError<()>> {
        self.ask_within(DEFAULT_DEADLINE, message).await
    }

    /// [`Recipient::ask`] with a deadline of one's own; waiting for room counts against it.
    ///
    /// # Errors
    /// As [`Recipient::ask`].
    ///
    /// # Cancel safety
    /// As [`Addr::ask`].
    pub async fn ask_within<A: Send + 'static>(
        &self,
        within: Duration,
        message: impl FnOnce(Reply<A>) -> T,
    ) -> Result<A, AskError<()>> {
        frame::effect();
        ask::ask_through(&*self.to, within, message).await
    }
}

impl<T> Clone for Recipient<T> {
    fn clone(&self) -> Self {
        Self { to: self.to.clone() }
    }
}

impl<T> fmt::Debug for Recipient<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipient")
    }
}
