//! The proof that a fault struck, and where.

use std::fmt;
use std::sync::Arc;

use minder_runtime::ActorId;

use crate::kind::Kind;

/// One fault that struck.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// What kind of fault.
    pub kind: Kind,
    /// The actor's path.
    pub path: Arc<str>,
    /// Which incarnation.
    pub id: ActorId,
    /// The how manyth of its points of this sort the actor was at, counted over its restarts.
    pub nth: u64,
    /// Whether it had work in hand: a message, a notice, or a supervisor's operation; not so at a start, or when it was
    /// killed because it did nothing in its turn.
    pub in_hand: bool,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, path, id, nth, in_hand } = self;
        match kind {
            Kind::PanicBefore => write!(f, "panic before message {nth} of {path} {id}"),
            Kind::PanicIn => write!(f, "panic in message {nth} of {path} {id}"),
            Kind::PanicAfter => write!(f, "panic after message {nth} of {path} {id}"),
            Kind::Error => write!(f, "error instead of message {nth} of {path} {id}"),
            Kind::Kill if !in_hand => write!(f, "kill after message {nth} of {path} {id}, idle"),
            Kind::Kill => write!(f, "kill in message {nth} of {path} {id}"),
            Kind::Hang => write!(f, "hang in message {nth} of {path} {id}"),
            Kind::Slow => write!(f, "slow message {nth} of {path} {id}"),
            Kind::FailedStart => write!(f, "failed start {nth} of {path} {id}"),
            Kind::SupervisorStep => write!(f, "panic before step {nth} of {path} {id}"),
        }
    }
}
