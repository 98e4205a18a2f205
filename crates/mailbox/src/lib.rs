//! The queue of one seat: a control lane, looked at between any two messages, and one lane for everything that is
//! handled, with a rank before it for those few who were let to the front. Many senders, one receiver that takes the whole lane at once.
//! Counts what becomes of what is offered. Knows nothing of actors; who is alive and what an item means is the
//! runtime's business.

mod alarm;
mod bound;
mod first;
mod mailbox;
mod sending;
mod state;
mod statistics;
#[cfg(test)]
mod tests;

pub use alarm::{Marks, Watch};
pub use bound::{Capacity, WhenFull};
pub use first::Rank;
pub use mailbox::{Mailbox, Mark, Queued, Ready, Refused};
pub use sending::Sending;
pub use statistics::{Left, Statistics};
