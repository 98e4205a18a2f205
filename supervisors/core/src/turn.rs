//! One call of `handle`: when it is, and what it has led to so far. The same for every kind of supervisor.
//! Does not decide anything.

use crate::Command;
use alloc::vec::Vec;
use minder_signals::Moment;

/// Debug builds check everything after every event up to this many children; beyond, that would turn O(1) into O(n).
pub(crate) const CHECKED_AFTER_EVERY_EVENT: usize = 64;

pub(crate) struct Turn<'a> {
    pub(crate) now: Moment,
    pub(crate) commands: &'a mut Vec<Command>,
}

impl Turn<'_> {
    pub(crate) fn push(&mut self, command: Command) {
        self.commands.push(command);
    }
}
