//! The promises of supervisors and of what is built of them, each broken on purpose: see `main.rs`.

mod application_mishaps;
mod application_phases;
mod applications;
mod apply;
mod apply_by_needs;
mod apply_meanwhile;
mod cycles_by_needs;
mod cycles_by_needs_at_random;
mod dynamic;
mod dynamic_children;
mod explain;
mod ignore;
mod lint;
mod needs;
mod orphans;
mod partitions;
mod policies;
#[allow(dead_code, reason = "each part of the promises uses some of it")]
mod random;
mod readiness;
mod recipes;
mod requests;
mod restarts;
mod scopes;
mod specs;
mod supervisors;
#[allow(dead_code, reason = "each part of the promises uses some of it")]
mod support;
mod task_exits;
mod task_supervisors;
mod task_supervisors_at_work;
mod tasks;
