//! `bank run`, from arguments to report: a new bank, a run under the default faults, and the audit.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use minder_fault_injection::Receipt;

use crate::audit::{AuditError, audit};
use crate::cli::RunArgs;
use crate::config::BadShape;
use crate::faults::default_plan;
use crate::history::HISTORY_FILE;
use crate::redb_store::RedbStore;
use crate::report::{AuditReport, Latency, Recovery, Report};
use crate::run::{self, RunError, RunOptions, RunOutcome};
use crate::store::StoreError;
use crate::watch::is_supervisor;

/// Why there is no report.
#[derive(Debug)]
#[non_exhaustive]
pub enum DemoError {
    /// The arguments do not fit each other.
    Shape(BadShape),
    /// The directory cannot be made.
    Directory(io::Error),
    /// The bank cannot be created.
    Create(StoreError),
    /// There was no run.
    Run(RunError),
    /// The audit could not read the bank.
    Audit(AuditError),
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::Directory(error) => write!(f, "no directory for the run: {error}"),
            Self::Create(error) => error.fmt(f),
            Self::Run(error) => error.fmt(f),
            Self::Audit(error) => write!(f, "the audit cannot read the bank: {error}"),
        }
    }
}

impl std::error::Error for DemoError {}

/// Runs what the arguments ask for. `progress` is called now and then with the number of answers so far, and with
/// `None` when the audit begins.
///
/// # Errors
/// See [`DemoError`]. A bank that lost money is a report with failures.
pub async fn demo(args: &RunArgs, progress: impl Fn(Option<u64>)) -> Result<(PathBuf, Report), DemoError> {
    let plan = args.plan().map_err(DemoError::Shape)?;
    let dir = args.directory().map_err(DemoError::Directory)?;
    drop(RedbStore::create(&dir, plan.bank).map_err(DemoError::Create)?);
    let faults = plan.faults.then(|| default_plan(args.seed, args.count, args.clients, args.partitions));
    let options = RunOptions { workload: plan.workload, faults, history: dir.join(HISTORY_FILE) };
    let bank_dir = dir.clone();
    let open = move || RedbStore::open(&bank_dir);
    let outcome =
        run::run(options, open, |answered| progress(Some(answered))).await.map_err(DemoError::Run)?;
    progress(None);
    let report = judge(args.seed, plan.faults, &outcome, &dir).map_err(DemoError::Audit)?;
    Ok((dir, report))
}

/// Audits the directory of a run, and puts everything that is known into one report.
///
/// # Errors
/// If the audit cannot read the bank.
pub fn judge(seed: u64, faults: bool, outcome: &RunOutcome, dir: &Path) -> Result<Report, AuditError> {
    let audit = audit(dir, Some(&dir.join(HISTORY_FILE)))?;
    let seconds = outcome.took.as_secs_f64();
    let told = &outcome.told;
    let count_by = |name: fn(&Receipt) -> String| {
        let mut counts = BTreeMap::new();
        for receipt in &outcome.receipts {
            *counts.entry(name(receipt)).or_default() += 1;
        }
        counts
    };
    Ok(Report {
        seed,
        faults_planned: faults,
        acknowledged: outcome.answered,
        applied: told.applied,
        refused: told.refused.iter().map(|(reason, count)| (reason.name().to_owned(), *count)).collect(),
        conflicts: told.conflicts,
        unexpected: told.surprised,
        retried: outcome.retried,
        faults_fired: count_by(|receipt| receipt.kind.to_string()),
        faults_by_actor: count_by(|receipt| actor_type(&receipt.path)),
        faults_with_work_in_hand: outcome.receipts.iter().filter(|receipt| receipt.in_hand).count() as u64,
        restarts: outcome.seen.restarts.values().sum(),
        supervisor_crashes: outcome.seen.supervisor_crashes.values().sum(),
        escalations: outcome.seen.escalations,
        top_restarts: outcome.root_restarts,
        auditor_findings: outcome.findings.iter().map(ToString::to_string).collect(),
        stuck: outcome.stuck,
        stopped_cleanly: outcome.shutdown.is_clean(),
        seconds,
        transfers_per_second: outcome.answered as f64 / seconds.max(f64::MIN_POSITIVE),
        latency_us: Latency::of(&told.latency_us),
        recovery_us: Recovery::of(&outcome.seen.recovery_us),
        audit: AuditReport::from(&audit),
    })
}

/// What sort of actor lives at a path: a supervisor by its path, any other by its name without its number.
fn actor_type(path: &str) -> String {
    if is_supervisor(path) {
        return format!("supervisor {path}");
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_actors() {
        let rows = [
            ("bank", "supervisor bank"),
            ("bank/vault/ledgers", "supervisor bank/vault/ledgers"),
            ("bank/vault/ledgers/ledger-12", "ledger"),
            ("bank/vault/store", "store"),
        ];
        for (path, expected) in rows {
            assert_eq!(actor_type(path), expected);
        }
    }
}
