//! What a supervisor decides: maps (spec, state, event, now) to commands that a host carries out.
//! Pure: no clock, no threads, no randomness, no hashing, by compiler (`no_std`) and not by promise.
//! Does not start, stop or wait for anything; the supervisor actor in `supervisors/` does.

#![no_std]

extern crate alloc;

mod backoff;
mod calculus;
mod change;
mod children;
mod command;
mod deferred;
mod dynamic;
mod event;
#[cfg(test)]
mod found_out;
#[cfg(test)]
mod going_well;
mod graph;
mod intensity;
mod places;
mod policy;
mod readiness;
mod record;
mod request;
mod spec;
mod stopping;
mod strategy;
mod supervision;
mod tolerance;
mod turn;
mod verdict;

pub use backoff::{Backoff, BackoffError};
pub use calculus::{Level, Threshold, sharers, thresholds};
pub use change::{Change, Leaving, Likeness, Outline, Own, Planned, Standing, Stands, Task, Why};
pub use children::ChildState;
pub use command::{Command, Decision, Part, Report, StartFailed};
pub use dynamic::DynamicSupervision;
pub use event::{Event, Ticket};
pub use graph::GraphSupervision;
pub use places::{Places, Slot};
pub use policy::{Budget, Exhausted, InARow, Policy};
pub use readiness::ReportsReady;
pub use record::Delay;
pub use request::{Answer, Applied, Counts, Listed, Refusal, Request, RequestId, Which};
pub use spec::{
    AutoShutdown, ChildRules, DynamicRules, Kind, NeedsRules, Restart, Rules, Shutdown, SpecError, Strategy,
};
pub use supervision::Supervision;
