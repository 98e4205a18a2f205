//! The bank as a whole, on a real disk: the default faults leave it green, and stores that break their promise turn its
//! audit red. The second is the test of the test: a harness that is never red proves nothing.

use std::path::Path;

use bank::config::BankConfig;
use bank::demo::judge;
use bank::faults::default_plan;
use bank::history::HISTORY_FILE;
use bank::redb_store::RedbStore;
use bank::report::Report;
use bank::run::{self, RunOptions};
use bank::store::{Store, StoreError};
use bank::workload::Workload;
use minder_tests::broken_stores::{AcknowledgesBeforeCommit, ForgetsIds, KeepsBalancesInMemory, Memory};

const CLIENTS: u32 = 32;
const PARTITIONS: u16 = 2;

/// One run of a fresh bank in `dir` over the store that `open` opens, and its judgement.
fn run_once<S, O>(dir: &Path, seed: u64, count: u64, faults: bool, open: O) -> Report
where
    S: Store,
    O: Fn() -> Result<S, StoreError> + Clone + Send + Sync + 'static,
{
    let shape = BankConfig::new(100, PARTITIONS);
    drop(RedbStore::create(dir, shape).expect("an empty directory"));
    let workload = Workload::new(seed, count, CLIENTS, &shape).expect("a bank of this shape can be");
    let (_open, closing) = tokio::sync::watch::channel(false);
    let options = RunOptions {
        closing,
        workload,
        lasts: None,
        input: None,
        faults: faults.then(|| default_plan(seed, count, CLIENTS, PARTITIONS)),
        history: dir.join(HISTORY_FILE),
    };
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    let tokio = tokio.expect("threads can be had");
    let outcome = tokio.block_on(run::run(options, open, |_| {})).expect("the bank starts");
    judge(seed, faults, &outcome, dir).expect("there is a bank to audit")
}

fn run_sound(seed: u64, count: u64, faults: bool) -> Report {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().to_owned();
    run_once(dir.path(), seed, count, faults, move || RedbStore::open(&path))
}

fn under_fire(seed: u64) {
    let report = run_sound(seed, 6_000, true);
    assert_eq!(report.failures(), Vec::<String>::new(), "seed {seed}\n{}", report.table());
    assert_eq!(report.acknowledged, 6_000);
    assert!(report.faults_fired.values().sum::<u64>() >= 50, "seed {seed}\n{}", report.table());
    assert!(report.restarts >= 20, "seed {seed}\n{}", report.table());
}

// A test each, so that they run side by side: most of a run is waiting for actors that were made to hang.
#[test]
fn under_fire_nothing_is_lost_seed_1() {
    under_fire(1);
}

#[test]
fn under_fire_nothing_is_lost_seed_2() {
    under_fire(2);
}

#[test]
fn under_fire_nothing_is_lost_seed_3() {
    under_fire(3);
}

#[test]
fn under_fire_nothing_is_lost_seed_4() {
    under_fire(4);
}

#[test]
fn under_fire_nothing_is_lost_seed_5() {
    under_fire(5);
}

#[test]
fn in_peace_nothing_is_restarted() {
    let report = run_sound(6, 4_000, false);
    assert_eq!(report.failures(), Vec::<String>::new(), "{}", report.table());
    assert_eq!((report.restarts, report.supervisor_crashes, report.escalations), (0, 0, 0));
}

/// A plan that strikes nobody is no proof.
#[test]
fn a_run_without_a_fault_fails_where_faults_were_planned() {
    let mut report = run_sound(7, 500, false);
    assert_eq!(report.failures(), Vec::<String>::new());
    report.faults_planned = true;
    assert!(report.failures().concat().contains("none fired"), "{:?}", report.failures());
}

/// How many runs a broken store may take to be found out.
const RUNS: u64 = 20;

/// Runs a broken store under one seed after the other until the audit is red; says how many it took.
fn found_out_after<S, O>(name: &str, open_in: impl Fn(&Path) -> O) -> u64
where
    S: Store,
    O: Fn() -> Result<S, StoreError> + Clone + Send + Sync + 'static,
{
    for seed in 1..=RUNS {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let report = run_once(dir.path(), seed, 6_000, true, open_in(dir.path()));
        if !report.audit.ok {
            println!("{name}: red after {seed} of at most {RUNS} runs: {}", report.audit.violations[0]);
            return seed;
        }
    }
    panic!("{name}: {RUNS} runs were green");
}

#[test]
fn a_store_that_acknowledges_before_the_commit_is_found_out() {
    found_out_after("acknowledges before the commit", |dir| {
        let dir = dir.to_owned();
        move || AcknowledgesBeforeCommit::open(&dir)
    });
}

#[test]
fn a_store_that_forgets_ids_is_found_out() {
    found_out_after("forgets ids", |dir| {
        let dir = dir.to_owned();
        move || ForgetsIds::open(&dir)
    });
}

#[test]
fn a_store_that_keeps_balances_in_memory_is_found_out() {
    found_out_after("keeps balances in memory", |dir| {
        let (dir, memory) = (dir.to_owned(), Memory::default());
        move || KeepsBalancesInMemory::open(&dir, memory.clone())
    });
}
