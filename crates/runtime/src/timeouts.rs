//! Time-outs of one incarnation: notices to itself that are due later. They die with it.
//! Beside `timers.rs`, whose timers bring a message and are free of names: a time-out is known by its id when it comes,
//! and one that was taken back never comes, so nobody has to tell a late one from a wanted one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use minder_signals::ActorId;

use crate::cell::Cell;
use crate::context::Context;
use crate::deadlines::{Due, Fire, Key};
use crate::frame;
use crate::notice::{Item, Notice};

/// Names a time-out of an actor: see [`Context::start_timeout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeoutId(u64);

/// Touched by the incarnation alone, hence no lock.
pub(crate) struct Timeouts<M> {
    ring: Arc<Ring<M>>,
    last: u64,
    /// Those that have not come, with their places among the deadlines.
    running: HashMap<u64, Key>,
    idle: Option<Idle>,
}

/// A time-out that whatever is handled next takes back.
struct Idle {
    id: TimeoutId,
    /// Whether it was started by what is being handled now.
    is_new: bool,
}

struct Ring<M> {
    cell: Arc<Cell<M>>,
    owner: ActorId,
}

impl<M: Send + 'static> Timeouts<M> {
    fn new(cell: Arc<Cell<M>>, owner: ActorId) -> Self {
        Self { ring: Arc::new(Ring { cell, owner }), last: 0, running: HashMap::new(), idle: None }
    }

    fn start(&mut self, after: Duration) -> TimeoutId {
        let system = &self.ring.cell.core.system;
        self.last += 1;
        let key = system.deadlines.register(system.now() + after, Due::Fire(self.ring.clone(), self.last));
        // It may have fired already; its notice stands in the lane then, and this comes before it is looked at.
        self.running.insert(self.last, key);
        TimeoutId(self.last)
    }

    fn start_idle(&mut self, after: Duration) -> TimeoutId {
        if let Some(before) = self.idle.take() {
            self.cancel(before.id);
        }
        let id = self.start(after);
        self.idle = Some(Idle { id, is_new: true });
        id
    }

    /// Something was handled to its end, or the start was.
    pub(crate) fn handled(&mut self) {
        match &mut self.idle {
            Some(idle) if idle.is_new => idle.is_new = false,
            Some(Idle { id, .. }) => {
                let id = *id;
                self.idle = None;
                self.cancel(id);
            }
            None => {}
        }
    }

    fn cancel(&mut self, id: TimeoutId) -> bool {
        let Some(key) = self.running.remove(&id.0) else { return false };
        self.ring.cell.core.system.deadlines.cancel(key);
        true
    }

    pub(crate) fn cancel_all(mut self) {
        for (_, key) in self.running.drain() {
            self.ring.cell.core.system.deadlines.cancel(key);
        }
    }
}

impl<M> Timeouts<M> {
    /// A time-out comes out of the lane: whether it was not taken back. It is used up.
    pub(crate) fn came(&mut self, id: TimeoutId) -> bool {
        self.running.remove(&id.0).is_some()
    }
}

impl<M: Send + 'static> Fire for Ring<M> {
    fn fire(&self, key: u64) {
        self.cell.hand(self.owner, Item::Notice(Box::new(Notice::Timeout(TimeoutId(key)))));
    }
}

/// Time-outs.
impl<M: Send + 'static> Context<M> {
    /// One [`Notice::Timeout`] with this id once the time has passed. Dies with this incarnation.
    ///
    /// For a message instead of a notice: [`Context::send_after`].
    ///
    /// # OTP
    /// `erlang:start_timer/3`, whose message holds the timer's reference too.
    pub fn start_timeout(&mut self, after: Duration) -> TimeoutId {
        frame::effect();
        self.timeouts().start(after)
    }

    /// One [`Notice::Timeout`] with this id if the time passes and nothing comes meanwhile: whatever this actor handles next, a
    /// message or a notice, takes it back, and what waits in the lane already comes first. One at most: starting it again takes
    /// the last one back. Dies with this incarnation.
    ///
    /// For what is to be done when there is nothing to do: to close a connection that has fallen silent, to write out what has
    /// been gathered. It holds for one wait, so start it at the end of every handler that is to be followed by it.
    ///
    /// # OTP
    /// The time-out in what a callback of `gen_server` returns. Zero is at once if the mailbox is empty there, and after the
    /// granularity of timers here.
    ///
    /// ```
    /// use std::time::Duration;
    /// use minder_runtime::{Actor, Context, ExitReason, Handled, Notice};
    ///
    /// /// Ends when nobody has said anything for a minute.
    /// struct Connection;
    ///
    /// impl Actor for Connection {
    ///     type Msg = Vec<u8>;
    ///
    ///     async fn started(&mut self, context: &mut Context<Vec<u8>>) -> Handled {
    ///         context.start_idle_timeout(Duration::from_secs(60));
    ///         Ok(())
    ///     }
    ///
    ///     async fn handle(&mut self, _bytes: Vec<u8>, context: &mut Context<Vec<u8>>) -> Handled {
    ///         context.start_idle_timeout(Duration::from_secs(60));
    ///         Ok(())
    ///     }
    ///
    ///     async fn notice(&mut self, notice: Notice, context: &mut Context<Vec<u8>>) -> Handled {
    ///         if let Notice::Timeout(_) = notice {
    ///             context.stop(ExitReason::Normal);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn start_idle_timeout(&mut self, after: Duration) -> TimeoutId {
        frame::effect();
        self.timeouts().start_idle(after)
    }

    fn timeouts(&mut self) -> &mut Timeouts<M> {
        let (cell, id) = (self.cell.clone(), self.id());
        self.extra().timeouts.get_or_insert_with(|| Timeouts::new(cell, id))
    }

    /// What was in hand has been handled to its end, or the start has.
    pub(crate) fn settle_timeouts(&mut self) {
        if let Some(timeouts) = self.extra.as_mut().and_then(|extra| extra.timeouts.as_mut()) {
            timeouts.handled();
        }
    }

    /// Takes a time-out back; false if its notice has come. After this it does not come, even if it stands in the lane
    /// already.
    pub fn cancel_timeout(&mut self, timeout: TimeoutId) -> bool {
        let timeouts = self.extra.as_mut().and_then(|extra| extra.timeouts.as_mut());
        timeouts.is_some_and(|timeouts| timeouts.cancel(timeout))
    }
}
