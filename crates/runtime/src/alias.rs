//! Aliases: addresses of an actor that it can withdraw. What comes through one after it was withdrawn does not reach the
//! actor, so an answer that is late is not taken for another one's.
//!
//! An alias is for one incarnation: it is open only while that one lives, and this is looked at with its life held, as
//! with any signal. Of an answer and a `Down` that race for one alias exactly one wins, under the lock of its phase.
//! Locks are taken in the order life, phase, mailbox.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use minder_mailbox::{Rank, Refused};
use minder_signals::{ActorId, Exit, ExitReason, MonitorId};

use crate::addr::{Addr, returned};
use crate::cell::Cell;
use crate::context::{Context, Monitored};
use crate::frame;
use crate::life::{AnyCell, Peer, Watcher};
use crate::notice::Item;
use crate::recipient::{Entering, Recipient, Takes};
use crate::reply::{AskError, Envelope, Standing};
use crate::system::SystemShared;

/// What ends an alias, besides [`Context::unalias`] and the end of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasEnds {
    /// Nothing.
    Explicitly,
    /// [`Context::demonitor`], or the `Down`, of the monitor that was made with it. Without a monitor, nothing.
    WithMonitor,
    /// As [`AliasEnds::WithMonitor`], or the first message that comes through it, which ends the monitor too.
    WithReply,
}

/// An address that its actor can withdraw. Clones are the same alias.
///
/// # OTP
/// `alias/1`.
pub struct Alias<M> {
    cell: Arc<Cell<M>>,
    state: Arc<AliasState>,
}

/// Why a message did not go through an alias. It comes back; as in OTP nobody need look.
#[derive(PartialEq)]
#[non_exhaustive]
pub enum AliasError<M> {
    /// The alias has ended, or its owner has.
    Ended(M),
    /// There is no room in the owner's mailbox. The alias has not been used.
    Full(M),
}

impl<M> fmt::Display for AliasError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended(_) => "the alias has ended: nobody waits for this any more",
            Self::Full(_) => "the mailbox is full: try again later",
        })
    }
}

impl<M> fmt::Debug for AliasError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<M> std::error::Error for AliasError<M> {}

/// What an alias, its owner and the actor that it came with a monitor of share.
pub(crate) struct AliasState {
    owner: ActorId,
    ends: AliasEnds,
    /// What it came with a monitor of, and which.
    watches: OnceLock<(Peer, MonitorId)>,
    phase: Mutex<Phase>,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Open,
    /// By the one message it was for.
    Used,
    Ended,
}

impl AliasState {
    fn new(owner: ActorId, ends: AliasEnds) -> Arc<Self> {
        Arc::new(Self { owner, ends, watches: OnceLock::new(), phase: Mutex::new(Phase::Open) })
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it, whatever it is to end with; whether it was open.
    fn end(&self) -> bool {
        let mut phase = self.phase();
        let was_open = *phase == Phase::Open;
        if was_open {
            *phase = Phase::Ended;
        }
        was_open
    }

    /// Its monitor is taken back.
    pub(crate) fn demonitored(&self) {
        if self.ends != AliasEnds::Explicitly {
            self.end();
        }
    }

    /// Its monitor is about to fire; false if an answer has come instead, which was the end of the monitor.
    pub(crate) fn fires(&self) -> bool {
        self.demonitored();
        !self.is_used()
    }

    /// Whether the one message has come through it.
    pub(crate) fn is_used(&self) -> bool {
        *self.phase() == Phase::Used
    }
}

impl AliasState {
    /// A monitor that will not fire is taken off its target at once: one that is asked much and lives long would collect
    /// them.
    fn take_monitor_if_used(&self) {
        if let Some((target, monitor)) = self.watches.get()
            && self.is_used()
        {
            Monitored::take_off(target, *monitor);
        }
    }
}

impl Watcher {
    /// Tells the watcher, unless an answer has come instead.
    pub(crate) fn fire(self, actor: ActorId, reason: &ExitReason) {
        if self.alias.is_none_or(|alias| alias.fires()) {
            let Self { monitor, watcher, rank, .. } = self;
            let down = minder_signals::Down { monitor, actor, name: None, reason: reason.clone() };
            watcher.notify(crate::notice::Notice::Down(down), rank);
        }
    }
}

impl<M: Send + 'static> Context<M> {
    /// An address of this incarnation that [`Context::unalias`] withdraws.
    ///
    /// # OTP
    /// `alias([explicit_unalias])`.
    pub fn alias(&mut self) -> Alias<M> {
        self.new_alias(AliasEnds::Explicitly)
    }

    /// An address of this incarnation for one message: the first that comes through it ends it.
    ///
    /// # OTP
    /// `alias([reply])`.
    pub fn alias_once(&mut self) -> Alias<M> {
        self.new_alias(AliasEnds::WithReply)
    }

    /// Watches an actor, as [`Context::monitor`], and makes an alias for its answer: either the answer comes or the
    /// `Down`, and with [`AliasEnds::WithReply`] never both.
    ///
    /// # OTP
    /// `monitor(process, Pid, [{alias, …}])`. Of oneself neither is made, there and here: the monitor never fires and the
    /// alias has ended.
    ///
    /// ```
    /// use minder_runtime::{Actor, Addr, AliasEnds, Context, ExitReason, Handled, MonitorId, Notice, Recipient, Reply, System};
    ///
    /// struct Oracle;
    /// impl Actor for Oracle {
    ///     type Msg = (u64, Recipient<u64>);
    ///     async fn handle(&mut self, (number, answer): Self::Msg, _: &mut Context<Self::Msg>) -> Handled {
    ///         answer.tell(2 * number)?;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// /// Asks without waiting: it goes on handling its messages, and the answer is one of them.
    /// struct Pilgrim(Addr<(u64, Recipient<u64>)>, Option<Reply<u64>>);
    /// enum Msg {
    ///     Question(u64, Reply<u64>),
    ///     Answer(u64),
    /// }
    /// impl From<u64> for Msg {
    ///     fn from(answer: u64) -> Self {
    ///         Self::Answer(answer)
    ///     }
    /// }
    /// impl Actor for Pilgrim {
    ///     type Msg = Msg;
    ///     async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
    ///         match message {
    ///             Msg::Question(number, reply) => {
    ///                 let (_, alias) = context.monitor_alias(&self.0, AliasEnds::WithReply);
    ///                 self.0.tell((number, alias.recipient()))?;
    ///                 self.1 = Some(reply);
    ///             }
    ///             Msg::Answer(number) => drop(self.1.take().map(|reply| reply.send(number))),
    ///         }
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new()?;
    /// let oracle = system.spawn(|| Oracle)?;
    /// let pilgrim = system.spawn(|| Pilgrim(oracle, None))?;
    /// assert_eq!(pilgrim.ask(|reply| Msg::Question(21, reply)).await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn monitor_alias<N: Send + 'static>(
        &mut self,
        other: &Addr<N>,
        ends: AliasEnds,
    ) -> (MonitorId, Alias<M>) {
        frame::effect();
        let state = AliasState::new(self.id(), ends);
        let target = other.peer();
        let monitor = self.watch(target.clone(), None, Some(state.clone()), Rank::Ordinary);
        if target.is_same_cell(&self.cell.core) {
            state.end();
        }
        // Nobody has the alias yet, so nobody can have used it.
        let _ = state.watches.set((target, monitor));
        (monitor, Alias { cell: self.cell.clone(), state })
    }

    /// Withdraws an alias: what is sent to it from now on does not reach this actor; what came through it before stays in
    /// the lane. Whether it was open; false, and nothing happens, if it is another's.
    ///
    /// # OTP
    /// `unalias/1`.
    pub fn unalias<N: Send + 'static>(&mut self, alias: &Alias<N>) -> bool {
        let is_mine = alias.cell.core.address() == self.cell.core.address() && alias.state.owner == self.id();
        is_mine && alias.state.end()
    }

    fn new_alias(&mut self, ends: AliasEnds) -> Alias<M> {
        Alias { cell: self.cell.clone(), state: AliasState::new(self.id(), ends) }
    }
}

impl<M: Send + 'static> Alias<M> {
    /// Sends without waiting. A message that goes through is one like any other: it counts against the bound, and waits for
    /// the next life if this one ends before it is handled.
    ///
    /// # Errors
    /// Gives the message back.
    pub fn tell(&self, message: impl Into<M>) -> Result<(), AliasError<M>> {
        self.tell_as(message, Rank::Ordinary)
    }

    pub(crate) fn tell_as(&self, message: impl Into<M>, rank: Rank) -> Result<(), AliasError<M>> {
        frame::effect();
        frame::gives(&message);
        self.through(Item::Tell(message.into()), rank).map_err(|error| match error {
            AliasError::Ended(item) => AliasError::Ended(returned(item)),
            AliasError::Full(item) => AliasError::Full(returned(item)),
        })
    }

    fn through(&self, item: Item<M>, rank: Rank) -> Result<(), AliasError<Item<M>>> {
        let refused = {
            let life = self.cell.core.life();
            let mut phase = self.state.phase();
            if *phase != Phase::Open || !life.is(self.state.owner) {
                return Err(AliasError::Ended(item));
            }
            let mailbox = &self.cell.mailbox;
            let told = match rank {
                Rank::Ordinary => mailbox.tell(item),
                Rank::Priority => mailbox.tell_first(item),
            };
            let refused = told.err();
            let came_through = matches!(refused, None | Some(Refused::Dropped(_)));
            if came_through && self.state.ends == AliasEnds::WithReply {
                *phase = Phase::Used;
            }
            refused
        };
        self.state.take_monitor_if_used();
        // What is dropped at the bound is user code: not under the locks.
        let Some(refused) = refused else { return Ok(()) };
        self.cell.unless_dropped(refused).map_err(|refused| match refused {
            Refused::Full(item) | Refused::Dropped(item) => AliasError::Full(item),
            Refused::Closed(item, _) => AliasError::Ended(item),
        })
    }

    /// Sends its owner an exit signal, of this rank where it is trapped; whether it went through.
    pub(crate) fn signal(&self, exit: Exit, rank: Rank) -> bool {
        let life = self.cell.core.life();
        let phase = self.state.phase();
        let is_open = *phase == Phase::Open && life.is(self.state.owner);
        if is_open {
            self.cell.push_signal(exit, rank);
        }
        is_open
    }

    /// Whose alias it is.
    pub fn owner(&self) -> ActorId {
        self.state.owner
    }

    /// This alias as an address for a single type of messages out of those the actor takes.
    pub fn recipient<T: Into<M> + 'static>(&self) -> Recipient<T> {
        Recipient::to(self.clone())
    }
}

impl<T: Into<M>, M: Send + 'static> Takes<T> for Alias<M> {
    fn take(&self, message: T) -> Result<(), ExitReason> {
        self.take_as(message, Rank::Ordinary)
    }

    fn put(&self, message: T, asked: Arc<dyn Standing>) -> Result<Option<Entering<'_>>, AskError<()>> {
        self.put_as(message, asked, Rank::Ordinary)
    }

    fn system(&self) -> &SystemShared {
        &self.cell.core.system
    }

    fn weak(&self) -> Weak<dyn AnyCell> {
        self.cell.weak()
    }
}

impl<M: Send + 'static> Alias<M> {
    pub(crate) fn take_as<T: Into<M>>(&self, message: T, rank: Rank) -> Result<(), ExitReason> {
        self.tell_as(message, rank).map_err(|error| match error {
            AliasError::Full(_) => ExitReason::other("full"),
            AliasError::Ended(_) => ExitReason::NoActor,
        })
    }

    /// Never waits for room: an alias is for an answer, and its owner for nobody's question.
    pub(crate) fn put_as<T: Into<M>>(
        &self,
        message: T,
        asked: Arc<dyn Standing>,
        rank: Rank,
    ) -> Result<Option<Entering<'_>>, AskError<()>> {
        let item = Item::Ask(message.into(), Envelope::of_another(asked));
        self.through(item, rank).map(|()| None).map_err(|error| match error {
            AliasError::Full(_) => AskError::Full(()),
            AliasError::Ended(_) => AskError::Stale(()),
        })
    }
}

impl<M> Clone for Alias<M> {
    fn clone(&self) -> Self {
        Self { cell: self.cell.clone(), state: self.state.clone() }
    }
}

impl<M> fmt::Debug for Alias<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alias({} {})", self.cell.core.path(), self.state.owner)
    }
}
