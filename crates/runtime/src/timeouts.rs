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
}

struct Ring<M> {
    cell: Arc<Cell<M>>,
    owner: ActorId,
}

impl<M: Send + 'static> Timeouts<M> {
    fn new(cell: Arc<Cell<M>>, owner: ActorId) -> Self {
        Self { ring: Arc::new(Ring { cell, owner }), last: 0, running: HashMap::new() }
    }

    fn start(&mut self, after: Duration) -> TimeoutId {
        let system = &self.ring.cell.core.system;
        self.last += 1;
        let key = system.deadlines.register(system.now() + after, Due::Fire(self.ring.clone(), self.last));
        // It may have fired already; its notice stands in the lane then, and this comes before it is looked at.
        self.running.insert(self.last, key);
        TimeoutId(self.last)
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
        let (cell, id) = (self.cell.clone(), self.id());
        self.extra().timeouts.get_or_insert_with(|| Timeouts::new(cell, id)).start(after)
    }

    /// Takes a time-out back; false if its notice has come. After this it does not come, even if it stands in the lane
    /// already.
    pub fn cancel_timeout(&mut self, timeout: TimeoutId) -> bool {
        let timeouts = self.extra.as_mut().and_then(|extra| extra.timeouts.as_mut());
        timeouts.is_some_and(|timeouts| timeouts.cancel(timeout))
    }
}
