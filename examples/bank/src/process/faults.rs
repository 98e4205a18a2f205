//! Faults inside of the process while it is also killed from outside: a few in each life, so that a kill now and then
//! meets a bank that is just recovering.

use std::path::PathBuf;

use minder_fault_injection::{Kind, Plan, Rule, fault};

/// What faults a process has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Faults {
    /// None.
    None,
    /// A few of [`modest_plan`].
    Some,
    /// Those of a file.
    Plan(PathBuf),
}

/// The plan for a life that serves so many transfers.
pub fn modest_plan(seed: u64, transfers: u64, partitions: u16) -> Plan {
    let per_ledger = transfers / u64::from(partitions.max(1));
    // The store has one message per group of works, of which nobody knows the size; a group seldom holds more than 64.
    let per_store = transfers / 64;
    Plan::seeded(seed)
        .with_all(once(&[Kind::PanicIn, Kind::Kill], "bank/front/gateway", transfers))
        .with_all(once(&[Kind::Error], "bank/front/retrier", transfers))
        .with_all(once(&[Kind::PanicAfter, Kind::Kill], "bank/vault/ledgers/ledger-*", per_ledger))
        .with_all(once(&[Kind::PanicIn, Kind::Error], "bank/vault/store", per_store))
        .with_all(once(&[Kind::Kill], "bank/vault", 40))
        .with(fault(Kind::PanicIn).on("door/connection-*").chance(0.1).limit(3))
}

/// Each kind at most once, somewhere in so many messages.
fn once(kinds: &[Kind], on: &str, messages: u64) -> Vec<Rule> {
    kinds.iter().map(|kind| fault(*kind).on(on).every(messages.max(2)).limit(1)).collect()
}
