//! Starting an actor and being tied to it, in one act: it can do nothing before the tie is there, so it cannot end unnoticed.
//! The system minds it. What its starter is to it is said by the tie alone.
//!
//! When not to use this: for a child, whose life belongs to its minder: [`Context::spawn`], or a supervisor.

use minder_mailbox::Rank;
use minder_signals::MonitorId;

use crate::actor::{Actor, IntoActor};
use crate::addr::Addr;
use crate::birth::{self, Anywhere, StartError, StartOptions};
use crate::cell::MailboxOptions;
use crate::context::{Context, Start};
use crate::frame;
use crate::life;

impl<M: Send + 'static> Context<M> {
    /// Starts an actor that the system minds, linked with this one: [`System::spawn`](crate::System::spawn) and
    /// [`Context::link`] in one act.
    ///
    /// # Errors
    /// If the system is shutting down; nothing is linked then.
    ///
    /// # Ordering
    /// However soon it ends, the exit signal has its reason, and never [`ExitReason::NoActor`](crate::ExitReason::NoActor).
    ///
    /// # OTP
    /// `spawn_link/1`. A start that fails is an end like any other.
    pub fn spawn_link<N, R, F>(&mut self, make: F) -> Result<Addr<N>, StartError>
    where
        N: Send + 'static,
        R: IntoActor<Actor: Actor<Msg = N>> + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        let (address, ()) = self.spawn_tied(make, |context, child| {
            let linked = life::link(&context.peer(), child, Rank::Ordinary);
            debug_assert!(linked, "an actor that has not begun has not ended");
        })?;
        Ok(address)
    }

    /// Starts an actor that the system minds, watched by this one: [`System::spawn`](crate::System::spawn) and
    /// [`Context::monitor`] in one act.
    ///
    /// # Errors
    /// If the system is shutting down; nothing is watched then.
    ///
    /// # Ordering
    /// However soon it ends, the `Down` has its reason, and never [`ExitReason::NoActor`](crate::ExitReason::NoActor).
    ///
    /// # OTP
    /// `spawn_monitor/1`. A start that fails is an end like any other.
    pub fn spawn_monitor<N, R, F>(&mut self, make: F) -> Result<(Addr<N>, MonitorId), StartError>
    where
        N: Send + 'static,
        R: IntoActor<Actor: Actor<Msg = N>> + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        self.spawn_tied(make, |context, child| context.watch(child.clone(), None, None, Rank::Ordinary))
    }

    fn spawn_tied<N, R, F, T>(
        &mut self,
        make: F,
        tie: impl FnOnce(&mut Self, &life::Peer) -> T,
    ) -> Result<(Addr<N>, T), StartError>
    where
        N: Send + 'static,
        R: IntoActor<Actor: Actor<Msg = N>> + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        frame::effect();
        let (address, seat) = birth::address(&self.cell.core.system, None, MailboxOptions::default());
        let options = StartOptions::default();
        let (_, tied) =
            birth::start_root_tied(seat, Start::Pending, &options, Anywhere(make), |child| tie(self, child))?;
        Ok((address, tied))
    }
}
