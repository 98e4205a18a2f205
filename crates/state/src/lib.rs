//! State over restarts. What a new life of an actor knows is one of three:
//!
//! * **nothing** (the default, and without this crate): its factory builds it anew. A restart is there to get rid of a
//!   state that is wrong, and a state that can be read again from elsewhere is best read again;
//! * **its last good state**, [`last_good`]: the one before the message that crashed it, for actors that are `Clone`.
//!
//! Where to start reading: `ladder.rs` (what is restored next, pure), then `last_good.rs`.

pub mod ladder;
mod last_good;

pub use last_good::{LastGood, last_good};
