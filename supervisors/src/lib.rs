//! Supervision trees: declared as values ([`Spec`], [`Child`]), carried out by an ordinary actor ([`Supervisor`]).
//!
//! What a supervisor decides is `minder-supervisors-core`'s business: start reading there for the rules of restarting,
//! and in `supervisor.rs` for how they are carried out.
//!
//! A running tree is a [`Root`], which takes OTP's requests; a part of one is too ([`Root::subtree`], [`tree_in`]).
//!
//! When not to use this: for children that come and go by the thousand, one actor each and nothing shared, a [`dynamic`]
//! supervisor is lighter ([`dynamic_children`] if they are of several kinds); for a single helper that may die with its user, `Context::spawn` is enough.

mod applications;
mod apply;
mod child;
mod errors;
mod explain;
mod lint;
mod nearest;
mod partitions;
mod plan;
mod question;
mod readiness;
mod root;
mod spec;
mod supervisor;
mod task;
mod tasks;
mod template;

pub use applications::{
    Application, ApplicationController, ApplicationEnded, ApplicationInfo, ApplicationName,
    ApplicationStatus, ApplicationType, Applications, ApplicationsError, StartApplicationError,
    StartPhaseFailed, StopApplicationError,
};
pub use apply::{ApplyError, Incomplete};
pub use child::{
    Child, ChildSpec, actor, actor_in, local_actor, local_actor_in, optional_task, reporting_task, task,
    tree, tree_from, tree_in,
};
pub use errors::{
    DeleteChildError, DisableChildError, EnableChildError, ExplainError, FindChildError, NoSuchPath,
    RestartChildError, StartChildError, StartInstanceError, StartTreeError, SubtreeError,
    TerminateChildError, Unavailable,
};
pub use explain::{
    Bound, ExplainedAsk, ExplainedChild, ExplainedSupervisor, Explanation, GiveUp, Regime, Then,
};
pub use lint::{Allowed, Finding, Findings, Lint};
pub use minder_supervisors_core::{
    AutoShutdown, Backoff, BackoffError, Budget, Counts, Exhausted, InARow, Kind, Policy, Restart, Shutdown,
    SpecError, StartFailed, Strategy, Threshold,
};
pub use partitions::{NoPartition, Partitions, ResizeError, one_per_core, partitioned};
pub use plan::{Action, Address, Because, Difference, Plan, Step};
pub use readiness::ReadyError;
pub use root::{ChildInfo, ChildStatus, Root};
pub use spec::{Spec, TreeError, by_needs, dynamic_children, one_for_all, one_for_one, rest_for_one};
pub use supervisor::{Supervisor, SupervisorMsg};
pub use task::IntoExit;
pub use tasks::{OnLimit, Task, TaskFailed, TaskStream, Tasks, await_many, yield_many};
pub use template::{Pool, Template, dynamic, template, template_of_trees};
