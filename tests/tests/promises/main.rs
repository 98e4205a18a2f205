//! The runtime's and the supervisors' promises, each broken on purpose. One module a concept; a case is a row where
//! rows will do. Time is virtual: nothing here waits for a clock on the wall.

mod asks;
mod conservation;
mod departure;
mod epochs;
mod fairness;
mod idempotence;
mod intervals;
mod jobs;
mod links;
mod local;
mod locks;
mod mailbox;
mod minders;
mod monitors;
mod orphans;
mod overflow;
mod panics;
mod replies;
mod restarts;
mod specs;
mod state_keepsake;
mod state_last_good;
mod stopping;
mod streams;
mod supervisors;
mod support;
mod systems;
mod tasks;
mod timers;
mod worker;
