//! Scenarios of the OTP oracle, run on real actors and supervisors through the public API, in simulated time.
//!
//! A scenario is a line of nested words: a tree, and steps that are done to it. What comes of it is a trace, the same text
//! that OTP's own supervisor leaves; the two are compared word by word. Format: `tests/otp/README.md`.
//!
//! Where to start reading: `scenario.rs` (what is asked), `driver.rs` (how it is done), `recorder.rs` (what is seen).

mod cast;
mod driver;
mod plan;
mod profile;
pub mod random;
mod reasons;
mod recorder;
mod scenario;

pub use driver::{Options, run};
pub use profile::Profile;
pub use scenario::{BadLine, Scenario, read};
