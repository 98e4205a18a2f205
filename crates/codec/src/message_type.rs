//! What a payload is: a number for its type, a version of its schema, and how long it may be.
//! Numbers are handed out by whoever owns the file or the protocol; this crate knows none.

use core::fmt;

use crate::Limit;

/// The type of a message as the envelope names it, with the limit that both sides hold it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageType {
    number: u16,
    schema: u16,
    limit: Limit,
}

impl MessageType {
    /// A type with its number, the version of its schema, and its limit. Usually a `const`.
    pub const fn new(number: u16, schema: u16, limit: Limit) -> Self {
        Self { number, schema, limit }
    }

    /// The number that stands in the envelope.
    pub const fn number(self) -> u16 {
        self.number
    }

    /// The version of the schema that stands in the envelope.
    pub const fn schema(self) -> u16 {
        self.schema
    }

    /// How long a payload of this type may be.
    pub const fn limit(self) -> Limit {
        self.limit
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type {} schema {}", self.number, self.schema)
    }
}
