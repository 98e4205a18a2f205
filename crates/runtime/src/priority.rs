//! Priority: which messages and notices an actor has handled before all others. It decides that itself, tie by tie: by a
//! link, by a monitor, by an alias that it hands out, by its child.
//!
//! Rule 1: they stand before everything ordinary, also what the loop has taken out of the lane already, and behind earlier ones
//! of their rank. Rule 2: not before what was in hand before (an idempotent message, one that is retried), nor what the actor has
//! told itself to do next: a state machine relies on that. Orders overtake them as they overtake everything.

use std::fmt;
use std::sync::{Arc, Weak};

use minder_mailbox::Rank;
use minder_signals::{ActorId, Exit, ExitReason, MonitorId};

use crate::addr::Addr;
use crate::alias::{Alias, AliasError};
use crate::context::Context;
use crate::frame;
use crate::life::AnyCell;
use crate::notice::Item;
use crate::recipient::{Entering, Recipient, Takes};
use crate::reply::{AskError, Standing};
use crate::system::SystemShared;

/// Ties of an actor whose news come before the messages that wait: see [`Context::priority`].
///
/// What comes by priority overtakes all ordinary messages and notices, however many wait, and what the loop has taken out of
/// the mailbox already; it stands behind what came by priority before. It does not interrupt the message in hand, and
/// not overtake orders, a message that was in hand before and is handled again, or what the actor told itself to do next.
/// The order in which signals of one sender arrive is what it was; only the place changes in which they stand.
///
/// Messages count against the mailbox's bound as ever, and wait for the next life if this one ends; notices are exempt, and die with
/// it. Where the oldest makes room it is the oldest ordinary message.
///
/// When to use this: where an actor with a long mailbox must hear of something soon, such as the end of whom it depends on. When
/// not: to make things faster. A flood of priority messages keeps all others waiting for as long as it lasts, so give a
/// [`PriorityAlias`] to few, and only to those who send little.
///
/// # OTP
/// Priority messages, of OTP 28.
pub struct Priority<'a, M> {
    context: &'a mut Context<M>,
}

impl<M: Send + 'static> Context<M> {
    /// Ties by priority: links, monitors and aliases of which this actor hears before everything that waits.
    ///
    /// For children there is [`StartOptions::news_first`](crate::StartOptions::news_first).
    ///
    /// ```
    /// use minder_runtime::{Actor, Addr, Context, Handled, Notice};
    ///
    /// /// Works through a long queue for a client, and stops soon when that has gone.
    /// struct Worker {
    ///     client: Addr<String>,
    /// }
    ///
    /// impl Actor for Worker {
    ///     type Msg = u64;
    ///
    ///     async fn started(&mut self, context: &mut Context<u64>) -> Handled {
    ///         let client = self.client.clone();
    ///         context.priority().monitor(&client);
    ///         Ok(())
    ///     }
    ///
    ///     async fn handle(&mut self, _: u64, _: &mut Context<u64>) -> Handled {
    ///         Ok(())
    ///     }
    ///
    ///     async fn notice(&mut self, notice: Notice, context: &mut Context<u64>) -> Handled {
    ///         if let Notice::Down(down) = notice {
    ///             context.stop(down.reason);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn priority(&mut self) -> Priority<'_, M> {
        Priority { context: self }
    }
}

impl<M: Send + 'static> Priority<'_, M> {
    /// [`Context::link`], by whose trapped exit this actor is told by priority. What the other hears is its own affair: each
    /// end of a link has its rank. Of an actor that is linked already this one's end changes, as it does by another
    /// [`Context::link`]: the last call counts.
    ///
    /// # Errors
    /// As [`Context::link`].
    ///
    /// # OTP
    /// `link(Pid, [priority])`.
    pub fn link<N: Send + 'static>(&mut self, other: &Addr<N>) -> Result<(), ExitReason> {
        self.context.link_as(other.peer(), Rank::Priority)
    }

    /// [`Context::monitor`], whose [`Down`](crate::Down) comes by priority.
    ///
    /// # OTP
    /// `monitor(process, Pid, [priority])`.
    pub fn monitor<N: Send + 'static>(&mut self, other: &Addr<N>) -> MonitorId {
        frame::effect();
        self.context.watch(other.peer(), None, None, Rank::Priority)
    }

    /// [`Context::monitor_final`], whose [`Down`](crate::Down) comes by priority.
    pub fn monitor_final<N: Send + 'static>(&mut self, other: &Addr<N>) -> MonitorId {
        self.context.watch_final(other, Rank::Priority)
    }

    /// An address by which whoever is given it sends to this incarnation by priority, until [`Context::unalias`]. It is the only
    /// way: an actor decides who may get ahead of others in its mailbox.
    ///
    /// # OTP
    /// `alias([priority])`.
    pub fn alias(&mut self) -> PriorityAlias<M> {
        PriorityAlias { alias: self.context.alias() }
    }

    /// Sends the owner of the alias an exit signal, as [`Context::exit`], which comes by priority if it traps exits. Whether it
    /// went through.
    ///
    /// # OTP
    /// `exit(PriorityAlias, Reason, [priority])`.
    pub fn exit<N: Send + 'static>(&mut self, alias: &PriorityAlias<N>, reason: ExitReason) -> bool {
        frame::effect();
        alias.alias.signal(Exit { from: self.context.id(), reason }, Rank::Priority)
    }
}

impl<M> fmt::Debug for Priority<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Priority({:?})", self.context)
    }
}

/// An address of one incarnation by which messages come by priority: see [`Priority::alias`]. Clones are the same alias.
pub struct PriorityAlias<M> {
    alias: Alias<M>,
}

impl<M: Send + 'static> PriorityAlias<M> {
    /// Sends by priority, without waiting.
    ///
    /// # Errors
    /// Gives the message back.
    ///
    /// # OTP
    /// `erlang:send(PriorityAlias, Message, [priority])`.
    pub fn tell(&self, message: impl Into<M>) -> Result<(), AliasError<M>> {
        self.alias.tell_as(message, Rank::Priority)
    }

    /// The same alias for messages that are ordinary, and for [`Context::unalias`].
    pub fn ordinary(&self) -> &Alias<M> {
        &self.alias
    }

    /// Whose alias it is.
    pub fn owner(&self) -> ActorId {
        self.alias.owner()
    }

    /// This alias as an address for a single type of messages out of those the actor takes. They come by priority.
    pub fn recipient<T: Into<M> + 'static>(&self) -> Recipient<T> {
        Recipient::to(self.clone())
    }
}

impl<T: Into<M>, M: Send + 'static> Takes<T> for PriorityAlias<M> {
    fn take(&self, message: T) -> Result<(), ExitReason> {
        self.alias.take_as(message, Rank::Priority)
    }

    fn put(&self, message: T, asked: Arc<dyn Standing>) -> Result<Option<Entering<'_>>, AskError<()>> {
        self.alias.put_as(message, asked, Rank::Priority)
    }

    fn system(&self) -> &SystemShared {
        Takes::<T>::system(&self.alias)
    }

    fn weak(&self) -> Weak<dyn AnyCell> {
        Takes::<T>::weak(&self.alias)
    }
}

impl<M> Clone for PriorityAlias<M> {
    fn clone(&self) -> Self {
        Self { alias: self.alias.clone() }
    }
}

impl<M> fmt::Debug for PriorityAlias<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Priority{:?}", self.alias)
    }
}

/// Has the oldest of what came by priority handled next. It stands at the head of the batch then; the others of its rank stay
/// in the mailbox, so that their order is kept there and nowhere else.
#[cold]
pub(crate) fn comes_first<M: Send + 'static>(context: &mut Context<M>) {
    // Rule 2.
    if matches!(context.batch.front(), Some(Item::Next(_) | Item::Again(..))) {
        return;
    }
    if let Some(item) = context.cell.mailbox.next_first() {
        context.batch.push_front(item);
    }
}
