//! Telling that a mailbox has become long, and that it is short again. Two marks, so that one which hovers about the first does
//! not tell of itself all the time. Off unless set: then it is a null pointer in what most mailboxes do not have either.
//! Looked at where the bound is: the upper mark stands in place of the bound until it is passed, so no sender pays for it.

use std::sync::Arc;

use crate::mailbox::{Mailbox, Queued};

/// How many counted items are many, and how few are few again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// One more than so many is told. Where the bound is lower it counts in its place.
    pub long: u64,
    /// After that, so many or fewer are told: once, and then the upper mark holds again. At most one less than that.
    pub short: u64,
}

/// Who is told.
pub trait Watch: Send + Sync {
    /// The mailbox has passed a mark, with so many items in it: the upper one, or else the lower one. Called with its lock held:
    /// must be quick, and must not touch it.
    fn passed(self: Arc<Self>, items: u64, is_long: bool);
}

/// The marks of one mailbox, and how it stands.
pub(crate) struct Alarm {
    marks: Marks,
    is_long: bool,
    watch: Arc<dyn Watch>,
}

impl Alarm {
    pub(crate) fn new(marks: Marks, capacity: u64, watch: Arc<dyn Watch>) -> Self {
        let long = marks.long.clamp(1, capacity);
        Self { marks: Marks { long, short: marks.short.min(long - 1) }, is_long: false, watch }
    }

    /// At how many items another look is due; nothing while that is only the bound.
    pub(crate) fn mark(&self) -> Option<u64> {
        (!self.is_long).then_some(self.marks.long)
    }

    /// There are so many items: tells it if a mark is passed. Whether it was.
    pub(crate) fn look(&mut self, items: u64) -> bool {
        let passed = if self.is_long { items <= self.marks.short } else { items >= self.marks.long };
        if passed {
            self.is_long = !self.is_long;
            self.watch.clone().passed(items, self.is_long);
        }
        passed
    }

    pub(crate) fn is_long(&self) -> bool {
        self.is_long
    }
}

impl<T: Queued> Mailbox<T> {
    /// From now on tells when it becomes long, and when it is short again. That it is long is told when another item is offered
    /// to so many; that it is short when the receiver looks for what comes next, which is late by a batch at most.
    pub fn watch(&self, marks: Marks, watch: Arc<dyn Watch>) {
        self.lock().watch(marks, watch, self.taken());
    }
}
