//! The default fault plan: every kind of fault on every actor type of the money path and on every supervisor, spread
//! over the run by how often each actor gets to a point, with a limit on each.

use minder_fault_injection::{Kind, Plan, Rule, fault};

/// Faults that strike while a message or a notice is handled.
const IN_HAND: [Kind; 5] = [Kind::PanicBefore, Kind::PanicIn, Kind::PanicAfter, Kind::Error, Kind::Kill];

/// The plan for a run of so many transfers by so many clients.
pub fn default_plan(seed: u64, count: u64, clients: u32, partitions: u16) -> Plan {
    let (clients, partitions) = (u64::from(clients.max(1)), u64::from(partitions.max(1)));
    // How many messages each actor gets at least: the gateway one per transfer; a ledger its share of them; the store
    // two per group of works, and no group holds more than all clients together have under way.
    let (per_gateway, per_ledger, per_store) = (count, count / partitions, 2 * count / clients);
    Plan::seeded(seed)
        .with_all(in_hand("bank/front/gateway", per_gateway, 8))
        .with_all(in_hand("bank/front/retrier", per_gateway, 3))
        .with_all(in_hand("bank/vault/ledgers/ledger-*", per_ledger, 10))
        .with_all(in_hand("bank/vault/store", per_store, 8))
        .with_all(in_hand("bank/auditor", 20, 2))
        // Supervisors hear two notices per crash of a child, and some more while they start: sparser, or they would
        // never be up.
        .with_all(in_hand_every("bank/vault", 80, 3))
        .with_all(in_hand_every("bank/front", 80, 3))
        .with_all(in_hand_every("bank/vault/ledgers", 120, 3))
        .with_all(in_hand_every("bank", 30, 3))
        .with_all(hangs("bank/front/gateway", per_gateway, 3))
        .with_all(hangs("bank/vault/ledgers/ledger-*", per_ledger, 3))
        .with_all(hangs("bank/vault/store", per_store, 3))
        .with_all(failing_starts())
        .with_all(["bank/vault", "bank/front", "bank/vault/ledgers"].map(|path| steps(path, 100, 4)))
        .with(steps("bank", 40, 4))
}

/// Each kind about `times` times on the actors that fit, of which each gets so many messages.
fn in_hand(on: &str, messages: u64, times: u64) -> impl Iterator<Item = Rule> {
    in_hand_every(on, (messages / (times + 1)).max(2), times)
}

/// Each kind about every so many messages or notices, so many times at most.
fn in_hand_every(on: &str, every: u64, times: u64) -> impl Iterator<Item = Rule> {
    IN_HAND.map(|kind| fault(kind).on(on).every(every).limit(times)).into_iter()
}

fn hangs(on: &str, messages: u64, times: u64) -> Option<Rule> {
    Some(fault(Kind::Hang).on(on).every((messages / (times + 1)).max(2)).limit(times))
}

fn failing_starts() -> impl Iterator<Item = Rule> {
    let actors = ["bank/front/*", "bank/vault/store", "bank/vault/ledgers/*", "bank/vault", "bank/front"];
    actors.map(|on| fault(Kind::FailedStart).on(on).chance(0.05).limit(3)).into_iter()
}

fn steps(on: &str, every: u64, times: u64) -> Rule {
    fault(Kind::SupervisorStep).on(on).every(every).limit(times)
}
