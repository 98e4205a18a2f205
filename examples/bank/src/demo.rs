//! `bank run`, from arguments to report: a new bank, a run under the default faults, and the audit.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use minder_fault_injection::Receipt;
use tokio::sync::watch;

use crate::audit::{AuditError, audit};
use crate::cli::{RunArgs, RunPlan};
use crate::config::BadShape;
use crate::faults::{self, NoPlan};
use crate::history::HISTORY_FILE;
use crate::input::{self, Input, InputError, NamedLine, Source};
use crate::pace;
use crate::process::{self, Faults, ProcessOptions, ProcessReport, ProcessRunError};
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
    /// There is no fault plan to follow.
    Plan(NoPlan),
    /// The file of transfers is of no use.
    Input(InputError),
    /// The directory cannot be made.
    Directory(io::Error),
    /// The bank cannot be created.
    Create(StoreError),
    /// There was no run.
    Run(RunError),
    /// There was no run of a process.
    Process(ProcessRunError),
    /// The audit could not read the bank.
    Audit(AuditError),
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::Plan(error) => error.fmt(f),
            Self::Input(error) => error.fmt(f),
            Self::Directory(error) => write!(f, "no directory for the run: {error}"),
            Self::Create(error) => error.fmt(f),
            Self::Run(error) => error.fmt(f),
            Self::Process(error) => error.fmt(f),
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
///
/// When `closing` turns true, clients finish what they have begun, and the bank stops in order and is audited.
pub async fn demo(
    args: &RunArgs,
    closing: watch::Receiver<bool>,
    progress: impl Fn(Option<u64>),
) -> Result<(PathBuf, Report), DemoError> {
    let plan = args.plan().map_err(DemoError::Shape)?;
    // Before anything is made, so that a bad plan leaves nothing behind; a process of its own reads it again.
    let faults = plan.faults.then(|| faults::chosen(args.plan.as_deref(), args.seed, args.size()));
    let faults = faults.transpose().map_err(DemoError::Plan)?;
    let (dir, input) = place_and_input(args)?;
    drop(RedbStore::create(&dir, plan.bank).map_err(DemoError::Create)?);
    if args.process {
        let options = process_options(args, &plan, &dir, input, closing)?;
        let run = process::run(options, |answered| progress(Some(answered)));
        let (outcome, process) = run.await.map_err(DemoError::Process)?;
        progress(None);
        let mut report = judge(args.seed, plan.faults, &outcome, &dir).map_err(DemoError::Audit)?;
        process.complete(&mut report);
        return Ok((dir, report));
    }
    let options = RunOptions {
        workload: plan.workload,
        lasts: args.lasts,
        input,
        faults,
        history: dir.join(HISTORY_FILE),
        closing,
    };
    let bank_dir = dir.clone();
    let open = move || RedbStore::open(&bank_dir);
    let outcome =
        run::run(options, open, |answered| progress(Some(answered))).await.map_err(DemoError::Run)?;
    progress(None);
    let report = judge(args.seed, plan.faults, &outcome, &dir).map_err(DemoError::Audit)?;
    Ok((dir, report))
}

/// The same program as a process of its own.
fn process_options(
    args: &RunArgs,
    plan: &RunPlan,
    dir: &Path,
    input: Option<Input>,
    closing: watch::Receiver<bool>,
) -> Result<ProcessOptions, DemoError> {
    let faults = match &args.plan {
        Some(path) => Faults::Plan(path.clone()),
        None if plan.faults => Faults::Some,
        None => Faults::None,
    };
    let log = args.log.iter().flat_map(|filter| ["--log".into(), filter.into()]);
    let format = args.log_format.to_possible_value();
    let format = format.iter().flat_map(|format| ["--log-format".into(), format.get_name().into()]);
    Ok(ProcessOptions {
        program: std::env::current_exe().map_err(DemoError::Directory)?,
        dir: dir.to_owned(),
        workload: plan.workload,
        input,
        closing,
        faults,
        kills: args.kills,
        history: dir.join(HISTORY_FILE),
        arguments: log.chain(format).collect(),
        show: args.log.is_some() || std::env::var_os("RUST_LOG").is_some(),
    })
}

/// The directory of the run, and the file of transfers if there is one: its head or, with `--strict`, all of it checked
/// before there is a bank.
fn place_and_input(args: &RunArgs) -> Result<(PathBuf, Option<Input>), DemoError> {
    let place = || args.directory().map_err(DemoError::Directory);
    let Some(path) = &args.transfers else { return Ok((place()?, None)) };
    let mut source = Source::named(path);
    if !args.strict {
        if source.can_be_read_twice() {
            input::check_head(&source).map_err(DemoError::Input)?;
        }
        return Ok((place()?, Some(Input { source, checked: false })));
    }
    if source.can_be_read_twice() {
        input::check(&source).map_err(DemoError::Input)?;
        return Ok((place()?, Some(Input { source, checked: true })));
    }
    let dir = place()?;
    let checked = source.put_aside(&dir).and_then(|aside| {
        source = aside;
        input::check(&source)
    });
    match checked {
        Ok(_) => Ok((dir, Some(Input { source, checked: true }))),
        Err(error) => {
            drop(source);
            if args.dir.is_none() {
                // Made for this run, and empty again; if not, it stays.
                let _ = std::fs::remove_dir(&dir);
            }
            Err(DemoError::Input(error))
        }
    }
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
        lines_read: outcome.read.as_ref().map_or(0, |read| read.lines),
        lines_skipped: outcome.read.as_ref().map_or(0, |read| read.bad.count()),
        skipped: outcome.read.iter().flat_map(|read| read.bad.first()).map(NamedLine::from).collect(),
        input_error: outcome.read.as_ref().and_then(|read| Some(read.error.as_ref()?.to_string())),
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
        process: ProcessReport::default(),
        auditor_findings: outcome.findings.iter().map(ToString::to_string).collect(),
        stuck: outcome.stuck,
        stopped_cleanly: outcome.shutdown.is_clean(),
        drained: outcome.drained,
        shutdown: outcome.shutdown.to_string(),
        seconds,
        transfers_per_second: outcome.answered as f64 / seconds.max(f64::MIN_POSITIVE),
        rate_last_10s: pace::rate_at_end(&outcome.seconds),
        memory: pace::memory(&outcome.seconds),
        pace: outcome.seconds.clone(),
        latency_us: Latency::of(&outcome.latency_us),
        recovery_us: Recovery::of(&outcome.seen.recovery_us),
        audit: AuditReport::from(&audit),
    })
}

/// What sort of actor lives at a path: a supervisor by its path, any other by its name without its number.
pub(crate) fn actor_type(path: &str) -> String {
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
