//! Crashes minder's actors and supervisors on purpose, by a seeded plan, and keeps a receipt of every fault; and runs
//! them in a simulator, in tests that are a few lines each.
//!
//! ```
//! use minder_fault_injection::{Injector, Kind, Plan, fault};
//! use minder::prelude::*;
//! # struct Worker;
//! # impl Actor for Worker {
//! #     type Msg = u64;
//! #     async fn handle(&mut self, _: u64, _: &mut Context<u64>) -> Handled { Ok(()) }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let system = System::new()?;
//! let (worker, seat) = system.address();
//! let plan = Plan::seeded(42).with(fault(Kind::PanicBefore).on("demo/worker").nth(3));
//! let injector = Injector::arm(plan, &system)?;
//!
//! let tree = one_for_one().child(actor_in("worker", seat, || Worker));
//! tree.start(&system, "demo").await?;
//! for n in 0..10_u64 {
//!     worker.send(n).await?;
//! }
//! # while worker.queued() > 0 { tokio::task::yield_now().await; }
//! injector.disarm();
//! let receipts = injector.receipts();
//! assert_eq!(receipts[0].to_string(), "panic before message 3 of demo/worker <1.1>");
//! injector.check_not_vacuous(10)?;
//! # Ok(())
//! # }
//! ```
//!
//! The same plan as a file, for [`Plan::from_toml`]; what may stand in one is said in [`mod@file`]:
//!
//! ```toml
//! seed = 42
//!
//! [[fault]]
//! kind = "panic-before"
//! on = "demo/worker"
//! nth = 3
//! ```
//!
//! # Tests
//! A test of actors in simulated time, with crashes of its own and every order of events that a seed can bring, is a few
//! lines: see [`testkit`], and [`macro@test`]. The simulator below it is [`sim`].
//!
//! When not to use this: in a build that goes to production, unless faults are wanted there. Depending on this
//! package compiles the injection points into the runtime; disarmed they cost a load and a branch each.

mod aim;
pub mod file;
mod injector;
mod kind;
mod pattern;
mod plan;
mod receipt;
mod rule;
pub mod sim;
pub mod testkit;
mod turns;

pub use file::{PlanError, Problem, nearest};
pub use injector::{ArmError, Injector, Vacuous};
pub use kind::Kind;
/// Makes an `async fn` a test that runs in the [simulator](sim), with a [`Kit`](testkit::Kit) if it takes one:
/// `#[minder_fault_injection::test]`, or `#[minder_fault_injection::test(seeds = 100)]` for a hundred orders of events.
///
/// A failure names its seed; the environment variable `MINDER_SEED` runs that one alone. Needs no `#[tokio::test]`, and
/// no sleeping: see [`testkit`] for examples.
pub use minder_fault_injection_macros::test;
pub use pattern::{Pattern, PatternError};
pub use plan::Plan;
pub use receipt::Receipt;
pub use rule::{Rule, fault, slow};
