//! Exit signals that an actor sends on purpose, and what it is tied to.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use minder_signals::{ActorId, Exit, ExitReason, MonitorId};

use crate::addr::Addr;
use crate::context::Context;
use crate::frame;

impl<M: Send + 'static> Context<M> {
    /// Sends an exit signal to whoever lives at the address: one that traps exits is told by
    /// [`Notice::Exit`](crate::Notice::Exit), another ends with this reason at its next await. `Normal` from another actor
    /// is ignored where it is not trapped. Whether somebody lived there.
    ///
    /// [`ExitReason::Killed`] is a reason like any other here; the kill that cannot be trapped is [`Addr::kill`].
    ///
    /// # Ordering
    /// Of several signals the first decides the reason. No unlink takes it back.
    ///
    /// # OTP
    /// `exit/2`. A signal to oneself takes effect at the next await, or after the message in hand, and not before this
    /// returns: for that see [`Context::exit_self`].
    pub fn exit<N: Send + 'static>(&mut self, other: &Addr<N>, reason: ExitReason) -> bool {
        frame::effect();
        other.peer().signal(Exit { from: self.id(), reason })
    }

    /// Sends an exit signal to this actor itself, which ends here, with this reason: nothing behind the await runs, and
    /// `stopping` does not either. A `select!` or time-out around it keeps the handler no longer than until that suspends,
    /// which is here, unless something beside it is ready in the same moment. Of an actor that traps exits it is
    /// told by [`Notice::Exit`](crate::Notice::Exit), and this returns; it also returns in [`stopping`](crate::Actor::stopping),
    /// where exit signals do not count any more. To end in order, [`Context::stop`].
    ///
    /// # Cancel safety
    /// The signal is sent with the first poll. Whoever turns away then runs on as far as the next await or the end of the
    /// message in hand.
    ///
    /// # OTP
    /// `exit(self(), Reason)`.
    pub async fn exit_self(&mut self, reason: ExitReason) {
        frame::effect();
        self.peer().signal(Exit { from: self.id(), reason });
        // An order now, unless it is trapped: obeyed as soon as the handler suspends, however often this is polled before.
        let mailbox = &self.cell.mailbox;
        poll_fn(|cx| {
            if !mailbox.has_orders() {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Whom this actor is linked to, in order. Those it minds are not among them.
    ///
    /// # OTP
    /// `process_info(self(), links)`.
    pub fn links(&self) -> Vec<ActorId> {
        let mut life = self.cell.core.life();
        let Some(ties) = life.ties_if_any() else { return Vec::new() };
        let mut links: Vec<ActorId> = ties.links.values().map(|link| link.peer.id()).collect();
        links.sort_unstable();
        links
    }

    /// Its monitors whose `Down` it has not handled, in the order in which they were made.
    ///
    /// # OTP
    /// `process_info(self(), monitors)`.
    pub fn monitors(&self) -> Vec<MonitorId> {
        let Some(extra) = &self.extra else { return Vec::new() };
        let needed = extra.monitors.iter().filter(|(_, monitored)| monitored.is_needed());
        let mut monitors: Vec<MonitorId> = needed.map(|(monitor, _)| *monitor).collect();
        monitors.sort_unstable();
        monitors
    }

    /// Whether exit signals come as notices.
    pub fn is_trapping(&self) -> bool {
        self.cell.mailbox.is_trapping()
    }

    /// The name under which this actor is registered, if it is.
    pub fn registered_name(&self) -> Option<Arc<str>> {
        self.cell.core.life().name().cloned()
    }
}
