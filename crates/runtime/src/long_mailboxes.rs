//! Telling of mailboxes that have become long: the marks of a system, and how news of them reaches observers.
//! News come out of the middle of a send, with locks held, so they are told a moment later by whoever drives the deadlines.
//! Does not decide what is long: the mailbox does (`minder-mailbox`, `alarm.rs`).

use std::sync::{Arc, Weak};

use minder_mailbox::{Marks, Watch};

use crate::cell::Cell;
use crate::deadlines::{Due, Fire};
use crate::events::Event;
use crate::life::AnyCell;
use crate::system::{SystemBuilder, SystemShared};

/// Watches the mailbox of one seat.
struct Length {
    cell: Weak<dyn AnyCell>,
    system: Weak<SystemShared>,
}

impl Watch for Length {
    fn passed(self: Arc<Self>, items: u64, is_long: bool) {
        if let Some(system) = self.system.upgrade() {
            let told = items << 1 | u64::from(is_long);
            system.deadlines.register(system.now(), Due::Fire(self, told));
        }
    }
}

impl Fire for Length {
    fn fire(&self, told: u64) {
        let Some(cell) = self.cell.upgrade() else { return };
        let core = cell.core();
        let (path, id) = {
            let life = core.life();
            (life.path_or_number(core.number), life.id(core.number))
        };
        let (path, queued) = (&*path, told >> 1);
        core.system.report(&match told & 1 {
            1 => Event::MailboxLong { path, id, queued },
            _ => Event::MailboxShort { path, id, queued },
        });
    }
}

impl<M: Send + 'static> Cell<M> {
    /// Has the length of its mailbox watched, if the system wants that.
    pub(crate) fn watch_length(self: &Arc<Self>) {
        let system = &self.core.system;
        if let Some(marks) = system.long_mailboxes {
            let watch = Length { cell: self.weak(), system: Arc::downgrade(system) };
            self.mailbox.watch(marks, Arc::new(watch));
        }
    }
}

impl SystemBuilder {
    /// Tells an [`Event::MailboxLong`] whenever a message is sent to an actor for which more than `long` wait already or, where
    /// the bound is lower, for which there is no room; and an [`Event::MailboxShort`] when it has no more than `short` again
    /// (at most one less than `long`). Off unless this is called, and free then.
    ///
    /// When to use this: in production, with a mark that no mailbox passes while all is well, to hear of overload before
    /// senders are refused. When not: to act on it in the program. Senders that are to be slowed down wait for room
    /// ([`Addr::send`](crate::Addr::send)), and a bound says what is too much.
    ///
    /// # Ordering
    /// Told beside the sender, some milliseconds later. That a mailbox is short is noticed when its actor looks for what comes
    /// next, which is late by a batch at most; not when its seat is given up.
    ///
    /// # OTP
    /// `long_message_queue` of `erlang:system_monitor/2`.
    #[must_use]
    pub fn long_mailboxes(mut self, long: u32, short: u32) -> Self {
        self.long_mailboxes = Some(Marks { long: long.into(), short: short.into() });
        self
    }
}
