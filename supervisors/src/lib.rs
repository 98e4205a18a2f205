//! Supervision trees: declared as values ([`Spec`], [`Child`]), carried out by an ordinary actor ([`Supervisor`]).
//!
//! What a supervisor decides is `minder-supervisors-core`'s business: start reading there for the rules of restarting,
//! and in `supervisor.rs` for how they are carried out.
//!
//! When not to use this: for children that come and go by the thousand, one actor each and nothing shared, a dynamic
//! supervisor will be lighter; for a single helper that may die with its user, `Context::spawn` is enough.

mod child;
mod spec;
mod supervisor;
mod task;

pub use child::{Child, actor, actor_in, local_actor, local_actor_in, task, tree};
pub use minder_supervisors_core::{AutoShutdown, Restart, Shutdown, SpecError, StartFailed, Strategy};
pub use spec::{Root, Spec, TreeError, one_for_all, one_for_one, rest_for_one};
pub use supervisor::{Supervisor, SupervisorMsg};
pub use task::IntoExit;
