//! How much a mailbox takes, and what happens beyond.

/// How many counted items a mailbox holds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity(pub(crate) u64);

impl Capacity {
    /// No bound but memory.
    pub const UNBOUNDED: Self = Self(u64::MAX);

    /// At most this many; 0 is taken as 1, since a mailbox that holds nothing delivers nothing.
    pub const fn of(items: u32) -> Self {
        Self(if items == 0 { 1 } else { items as u64 })
    }
}

impl Default for Capacity {
    /// 1,024.
    fn default() -> Self {
        Self::of(1024)
    }
}

/// What happens to a message that finds the mailbox full.
///
/// Nothing is ever lost without a word: a refused message comes back, a dropped one is counted and its asker is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// A `tell` and an ask fail at once with `Full`, so that overload is seen where it is made; a `send` waits. The
    /// default.
    #[default]
    Reject,
    /// A `tell` fails at once with `Full`; a `send` waits, and so does an ask, in turn and within its deadline.
    Wait,
    /// The oldest message that is not yet handled makes room: for what is worth less the older it is, such as
    /// positions or prices. Nobody waits and nobody is refused. What came by priority makes room for more of it, and only
    /// where nothing else is within reach. The receiver takes one message at a time from such a
    /// mailbox, so that the oldest is always within reach: that costs it a lock per message.
    DropOldest,
    /// The message itself is dropped: for what may be thinned out, such as samples. Nobody waits and nobody is
    /// refused.
    DropNewest,
}
