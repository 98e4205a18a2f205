//! The words that every part of minder shares: who an actor is, why it ended, what it is told, and when.
//! No clock, no threads, no dependencies: the pure core of supervision is built on nothing else.

#![no_std]

extern crate alloc;

mod id;
mod moment;
mod reason;
mod report;
mod signal;

pub use id::{ActorId, MonitorId};
pub use moment::Moment;
pub use reason::{ExitReason, PanicReport};
pub use report::SupervisorReport;
pub use signal::{Control, Down, Exit};
