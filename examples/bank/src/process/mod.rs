//! The bank as a process of its own, killed with SIGKILL at chosen points and started again: `bank run --process`.
//!
//! ```text
//! parent                                             child (`bank serve`), one life after the other
//! clients ─ remote.rs ── Unix socket, wire.rs ────── door.rs ─ gateway … store
//! keeper.rs ◁── standard output, lines.rs ───────── points.rs: "at point X", then stands still
//!     └─ SIGKILL; or the end of standard input ────▷ child.rs: drains and stops
//! ```
//!
//! The parent keeps what must outlive the bank: the clients, their history, the schedule of kills (`schedule.rs`). The
//! child is told one point of the schedule in its arguments; when it gets there it says so and stands still, and the
//! parent kills it. No code of the child kills anything, and nothing here is `unsafe`.
//!
//! What this does not prove: SIGKILL ends a process, not the machine. What the process has written is in the page
//! cache and reaches the disk all the same, so a missing sync goes unnoticed. It proves that nothing acknowledged is
//! only in the process's memory, and that a commit cut off anywhere is whole or not there after the next start.
//!
//! Unix only: sockets with a path, and signals.

pub mod child;
mod door;
mod faults;
mod keeper;
mod kill_point_store;
mod lines;
mod lives;
mod points;
mod remote;
mod report;
mod run;
mod schedule;
mod wire;

pub use faults::{Faults, modest_plan};
pub use keeper::{Kept, ProcessError};
pub use kill_point_store::KillPointStore;
pub use points::{KillPoint, KillPoints, NotAPoint, Point};
pub use remote::Remote;
pub use report::ProcessReport;
pub use run::{ProcessOptions, ProcessOutcome, ProcessRunError, run};

/// The name of the socket in a bank's directory.
pub const SOCKET_FILE: &str = "bank.sock";
