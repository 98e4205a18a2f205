//! State machines.

mod discipline;
mod host;
mod machine;
mod not_taken;
mod timeout;
mod transition;

pub use host::{Machine, machine};
pub use machine::StateMachine;
pub use not_taken::NotTaken;
pub use timeout::{Timeout, When};
pub use transition::{Entered, Start, Transition, entered, keep, next, not_taken, repeat, start, stop};
