//! Process scenarios of the OTP oracle, run on real actors through the public API, in simulated time.
//!
//! A scenario is a line of nested words: steps, each carried out by one actor and to its end before the next. What comes
//! of it is a trace, the same text that OTP's own processes leave; the two are compared line by line. Format:
//! `tests/otp/procs/README.md`. Where to start reading: `scenario.rs` (what is asked), `driver.rs` (how it is done).

mod driver;
pub mod random;
mod reasons;
mod scenario;
mod subject;

pub use driver::{run, run_by};
pub use scenario::{BadLine, Scenario, read};
