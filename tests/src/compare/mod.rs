//! Scenarios on both sides, OTP's and ours: run, compared, and what differs shrunk to the fewest steps that still do.
//!
//! Where to start reading: `traces.rs` (what is the same), `side.rs` (who runs what), `shrink.rs`.

mod shrink;
mod side;
mod traces;

pub use shrink::shrunk;
pub use side::{Kind, NoPeer, Otp, PeerError, ours, stored};
pub use traces::{Parting, parting, traces};
