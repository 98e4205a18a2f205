//! Timers of one incarnation: messages to itself that are due later. They die with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minder_signals::ActorId;

use crate::cell::Cell;
use crate::deadlines::{Due, Fire, Key};
use crate::frame;
use crate::notice::Item;

/// Names a timer of an actor, for cancelling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId(u64);

pub(crate) struct Timers<M> {
    cell: Arc<Cell<M>>,
    owner: ActorId,
    table: Mutex<Table<M>>,
}

struct Table<M> {
    next: u64,
    /// The message, and its place among the deadlines once that is known.
    pending: HashMap<u64, (M, Option<Key>)>,
}

impl<M: Send + 'static> Timers<M> {
    pub(crate) fn new(cell: Arc<Cell<M>>, owner: ActorId) -> Arc<Self> {
        Arc::new(Self { cell, owner, table: Mutex::new(Table { next: 0, pending: HashMap::new() }) })
    }

    fn lock(&self) -> MutexGuard<'_, Table<M>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn start(self: &Arc<Self>, after: Duration, message: M) -> TimerId {
        let system = &self.cell.core.system;
        let number = {
            let mut table = self.lock();
            table.next += 1;
            let number = table.next;
            table.pending.insert(number, (message, None));
            number
        };
        let key = system.deadlines.register(system.now() + after, Due::Fire(self.clone(), number));
        // It may have fired already; then there is nothing to remember.
        if let Some((_, place)) = self.lock().pending.get_mut(&number) {
            *place = Some(key);
        }
        TimerId(number)
    }

    /// The message of a timer that has not fired.
    pub(crate) fn cancel(&self, timer: TimerId) -> Option<M> {
        let (message, key) = self.lock().pending.remove(&timer.0)?;
        if let Some(key) = key {
            self.cell.core.system.deadlines.cancel(key);
        }
        Some(message)
    }

    /// Cancels all; returns their messages, whose drop is user code.
    pub(crate) fn cancel_all(&self) -> Vec<M> {
        let pending = std::mem::take(&mut self.lock().pending);
        // In the order in which they were set: what they hold is dropped in that order, and others may notice.
        let mut pending: Vec<_> = pending.into_iter().collect();
        pending.sort_unstable_by_key(|(number, _)| *number);
        let mut messages = Vec::with_capacity(pending.len());
        for (_, (message, key)) in pending {
            if let Some(key) = key {
                self.cell.core.system.deadlines.cancel(key);
            }
            messages.push(message);
        }
        messages
    }
}

impl<M: Send + 'static> Timers<M> {
    /// Drops user code on the task that serves everybody's deadlines: a panic in it concerns nobody any more.
    fn discard(&self, what: impl Send) {
        let _ = frame::drop_caught(self.cell.core.address(), what);
    }
}

impl<M: Send + 'static> Fire for Timers<M> {
    fn fire(&self, key: u64) {
        let Some((message, _)) = self.lock().pending.remove(&key) else { return };
        // With the life held, so that no later incarnation gets it.
        let life = self.cell.core.life();
        if life.is(self.owner) {
            let refused = self.cell.mailbox.notify(Item::Own(message)).err();
            drop(life);
            self.discard(refused);
        } else {
            drop(life);
            self.discard(message);
        }
    }
}
