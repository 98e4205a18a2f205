//! The queue of one seat: a control lane, looked at between any two messages, and one lane for everything that is
//! handled. Many senders, one receiver that takes the whole lane at once.
//! Knows nothing of actors; who is alive and what an item means is the runtime's business.

mod mailbox;
mod sending;
mod state;
#[cfg(test)]
mod tests;

pub use mailbox::{Capacity, Mailbox, Ready, Refused};
pub use sending::Sending;
