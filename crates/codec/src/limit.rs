//! How long a payload may be, in classes: the limit of bincode is part of its type, so it cannot be any number.
//! The class is a property of the message type, so that both sides agree.

/// The class of a payload's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// 64 KiB: one row of a table, one line of a journal.
    Record,
    /// 1 MiB: what one actor sends another.
    Message,
    /// 16 MiB: the state of an actor.
    Checkpoint,
}

impl Limit {
    /// The longest payload of this class, in bytes; the envelope's header is not counted.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Record => 64 << 10,
            Self::Message => 1 << 20,
            Self::Checkpoint => 16 << 20,
        }
    }
}
