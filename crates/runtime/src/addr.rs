//! Addresses: how actors are reached. An address points at a seat and stays valid over restarts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder_mailbox::{Refused, Statistics};
use minder_signals::{ActorId, Control, ExitReason};
use tokio::sync::oneshot;

use crate::ask::{self, DEFAULT_DEADLINE};
use crate::cell::Cell;
use crate::cycle::Cycle;
use crate::frame;
use crate::life::{FinalWatcher, Peer};
use crate::notice::Item;
use crate::reply::{AskError, Reply};
use crate::send::SendTo;
use crate::sys::Sys;

/// How to reach an actor that takes messages of type `M`. Cheap to clone.
///
/// It exists before the actor starts (what is sent then waits) and survives restarts. An actor's life belongs to its
/// minder: dropping the last address does not stop it.
///
/// # Ordering
/// What one actor (or thread) sends to another arrives in the order sent, notices included. Nothing is promised
/// between pairs.
pub struct Addr<M> {
    pub(crate) cell: Arc<Cell<M>>,
}

/// Why a message was not delivered. It comes back.
#[derive(PartialEq)]
#[non_exhaustive]
pub enum TellError<M> {
    /// There is no room, or senders have been waiting for room longer.
    Full(M),
    /// The seat is given up; no actor will live there again.
    Stopped(ExitReason, M),
    /// The actor that waits for room, and everyone on whom it depends that there will be any, would have waited for each
    /// other for ever. Found when the cycle closes.
    WouldDeadlock(Cycle, M),
    /// It was for one incarnation only, which has ended: see [`Addr::pin`].
    Stale(M),
}

impl<M> TellError<M> {
    /// The message.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message)
            | Self::Stopped(_, message)
            | Self::WouldDeadlock(_, message)
            | Self::Stale(message) => message,
        }
    }
}

impl<M> fmt::Display for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the mailbox is full: try again later, or `send` to wait for room"),
            Self::Stopped(reason, _) => write!(f, "the actor is gone for good: {reason}"),
            Self::WouldDeadlock(cycle, _) => write!(f, "these actors wait for each other: {cycle}"),
            Self::Stale(_) => f.write_str("the incarnation that it was meant for has ended"),
        }
    }
}

impl<M> fmt::Debug for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<M> std::error::Error for TellError<M> {}

pub(crate) fn returned<M>(item: Item<M>) -> M {
    item.into_message().expect("what was refused is the message offered")
}

#[cold]
pub(crate) fn told<M>(refused: Refused<Item<M>>) -> TellError<M> {
    match refused {
        Refused::Full(item) | Refused::Dropped(item) => TellError::Full(returned(item)),
        Refused::Closed(item, reason) => TellError::Stopped(reason, returned(item)),
    }
}

impl<M: Send + 'static> Addr<M> {
    /// Sends without waiting.
    ///
    /// # Errors
    /// Gives the message back if it cannot be delivered at once: `Full` also while a [`Addr::send`] is waiting, so
    /// that nobody overtakes it. A mailbox that drops messages instead is never full: see [`WhenFull`](crate::WhenFull).
    ///
    /// # OTP
    /// `gen_server:cast/2`, except that OTP's mailboxes have no bound and a lost message is not told.
    #[inline]
    pub fn tell(&self, message: impl Into<M>) -> Result<(), TellError<M>> {
        frame::effect();
        frame::gives(&message);
        match self.cell.mailbox.tell_as(message.into(), Item::Tell) {
            Ok(()) => Ok(()),
            Err(refused) => self.cell.unless_dropped(refused).map_err(told),
        }
    }

    /// Sends a message with somebody's reply in it, without waiting: whoever asked gets its answer from there. Like
    /// [`Addr::tell`], but the message is treated as the ask that it goes on with: it is skipped if nobody waits for the
    /// answer any more, its deadline holds for the asks that come of it, and it is known who holds the reply, so that a
    /// cycle of asks is found through it.
    ///
    /// # Errors
    /// As [`Addr::tell`]; the message holds the reply.
    pub fn forward<T: Send + 'static>(
        &self,
        reply: Reply<T>,
        message: impl FnOnce(Reply<T>) -> M,
    ) -> Result<(), TellError<M>> {
        frame::effect();
        frame::gives(&message);
        let (message, envelope) = reply.into_forwarded(|| self.cell.weak(), message);
        let item = match envelope {
            Some(envelope) => Item::Ask(message, envelope),
            None => Item::Tell(message),
        };
        self.cell.tell(item).map_err(told)
    }

    /// Sends as soon as there is room; senders that wait are served first come, first served.
    ///
    /// # Errors
    /// `Stopped` if the seat is given up, also while waiting; `Full` if an actor would wait for room in its own
    /// mailbox, which only itself can make; `WouldDeadlock` if one waits for room that only those can make who wait for
    /// it.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the message was not delivered and is dropped with it.
    ///
    /// # Panics
    /// When it is polled again after it was ready, as futures may.
    #[inline]
    pub fn send(&self, message: impl Into<M>) -> impl Future<Output = Result<(), TellError<M>>> + Send {
        let is_gift = frame::may_hold_a_reply(&message);
        SendTo::new(&self.cell, message.into(), is_gift)
    }

    /// Sends a message with a [`Reply`] in it and waits for the answer, at most 5 seconds.
    ///
    /// # Errors
    /// See [`AskError`]; each names what became of the message.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the answer; a message that nobody waits for any more is skipped if it has not
    /// been taken in hand.
    ///
    /// # OTP
    /// `gen_server:call/2`.
    pub async fn ask<T: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, AskError<M>> {
        self.ask_within(DEFAULT_DEADLINE, message).await
    }

    /// [`Addr::ask`] with a deadline of one's own; waiting for room counts against it. With [`Duration::MAX`] there is
    /// none.
    ///
    /// # Errors
    /// As [`Addr::ask`].
    ///
    /// # Cancel safety
    /// As [`Addr::ask`].
    pub async fn ask_within<T: Send + 'static>(
        &self,
        within: Duration,
        message: impl FnOnce(Reply<T>) -> M,
    ) -> Result<T, AskError<M>> {
        frame::effect();
        ask::ask(&self.cell, within, None, message).await
    }

    /// Ends the actor that lives there now, at its next await; cannot be trapped. False if nobody lives there. Who does not come
    /// to an await is told of by [`SystemBuilder::watchdog`](crate::SystemBuilder::watchdog).
    ///
    /// Its minder decides whether another takes the seat.
    ///
    /// # OTP
    /// `exit(Pid, kill)`.
    pub fn kill(&self) -> bool {
        self.cell.peer().order(Control::Kill)
    }

    /// Suspends the actor that lives there now: after the message in hand it handles nothing, until
    /// [`Addr::resume`]. Kills, exit signals and its minder's stop are obeyed all the same. False if nobody lives there.
    ///
    /// Its messages wait, and count against its bound. An actor that winds something down when its minder stops it
    /// ([`Winding::Later`](crate::Winding::Later)) goes on by itself. The next life is not suspended.
    ///
    /// When not to use this: to slow senders down; a bound does that. It is for tests and for operators.
    ///
    /// # Ordering
    /// Overtakes what waits to be handled. What is sent after this returns is not handled before [`Addr::resume`].
    ///
    /// # OTP
    /// `sys:suspend/1`, which waits in the mailbox and for the answer.
    pub fn suspend(&self) -> bool {
        self.cell.peer().order(Control::Suspend)
    }

    /// Lets the actor that lives there now go on after [`Addr::suspend`]; however often it was suspended, once is
    /// enough. False if nobody lives there.
    ///
    /// # OTP
    /// `sys:resume/1`.
    pub fn resume(&self) -> bool {
        self.cell.peer().order(Control::Resume)
    }

    /// Requests to the machinery of the actor that lives there now: to look at its state, to replace it, to watch it at its
    /// work, to end it. Not to the next life: ask for another handle then.
    ///
    /// # OTP
    /// The module `sys`.
    pub fn sys(&self) -> Sys {
        Sys::of(self.cell.peer())
    }

    /// Resolves with the last reason once the seat is given up.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait.
    pub async fn ended(&self) -> ExitReason {
        let waiting = {
            // Registered under the life's lock, and the mailbox is closed before the watchers are taken under it:
            // either this sees the mailbox closed, or the watcher is told.
            let mut life = self.cell.core.life();
            if let Some(reason) = self.cell.mailbox.closed() {
                return reason;
            }
            let (tell, waiting) = oneshot::channel();
            let watchers = &mut life.ties().final_watchers;
            // Whoever asks again and again, as in a loop of `select!`, leaves nothing behind.
            watchers.retain(|watcher| !matches!(watcher, FinalWatcher::Outside(gone) if gone.is_closed()));
            watchers.push(FinalWatcher::Outside(tell));
            waiting
        };
        waiting.await.unwrap_or(ExitReason::NoActor)
    }

    /// The actor that lives there now, or lived there last.
    pub fn id(&self) -> ActorId {
        self.cell.core.life().id(self.cell.core.number)
    }

    /// Whether an actor lives there now.
    pub fn is_alive(&self) -> bool {
        self.cell.core.life().occupied
    }

    /// Where the actor stands in its tree, such as `bank/ledgers/ledger-0`.
    pub fn path(&self) -> Arc<str> {
        self.cell.core.path()
    }

    /// Messages waiting to be handled.
    pub fn queued(&self) -> u64 {
        self.cell.mailbox.len()
    }

    /// What became of the messages offered to this actor, over all its lives.
    pub fn statistics(&self) -> Statistics {
        self.cell.mailbox.statistics()
    }

    pub(crate) fn peer(&self) -> Peer {
        self.cell.peer()
    }
}

impl<M> Clone for Addr<M> {
    fn clone(&self) -> Self {
        Self { cell: self.cell.clone() }
    }
}

impl<M> PartialEq for Addr<M> {
    /// Whether both point at the same seat.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell)
    }
}

impl<M> fmt::Debug for Addr<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Addr({})", self.cell.core.path())
    }
}
