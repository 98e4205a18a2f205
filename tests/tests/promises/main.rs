//! The promises of actors, each broken on purpose. One module a concept; a case is a row where rows will do. Time is
//! virtual: nothing here waits for a clock on the wall. Those of trees are in `trees.rs`, those of state in `state.rs`: a
//! binary each, since one for all took a minute to build again after every change.

mod aliases;
mod asks;
mod blocking_asks;
mod census;
mod conservation;
mod crash_reports;
mod cycles;
mod cycles_and_orders;
mod cycles_at_random;
mod deadlines;
mod delegates;
mod departure;
mod directory;
mod draining;
mod endings;
mod epochs;
mod exits;
mod fairness;
mod idempotence;
mod intervals;
mod jobs;
mod later;
mod links;
mod local;
mod locks;
mod long_mailboxes;
mod mailbox;
mod many;
mod minders;
mod minders_quorum;
mod monitors;
mod overflow;
mod panics;
mod pins;
mod postponing;
mod priority;
#[allow(dead_code, reason = "each part of the promises uses some of it")]
mod random;
mod receives;
mod registry;
mod registry_random;
mod replies;
mod revocations;
mod services;
mod stopping;
mod streams;
#[allow(dead_code, reason = "each part of the promises uses some of it")]
mod support;
mod suspension;
mod sys;
mod systems;
mod tied;
mod timeouts;
mod timers;
mod watchdog;
mod worker;
