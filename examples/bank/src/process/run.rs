//! One run with the bank as a process: the same clients, the same workload, the same history as in `crate::run`, and
//! the keeper beside them. What the process counts of itself comes in through its lines.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minder::{ShutdownReport, System};
use tokio::sync::watch;

use super::keeper::{Keeper, Kept, ProcessError};
use super::lives::Lives;
use super::remote::Remote;
use super::report::ProcessReport;
use super::schedule::schedule;
use super::{Faults, SOCKET_FILE};
use crate::clients::{Desk, Door, Told};
use crate::input::{Feed, Input, Line, TransferReader};
use crate::pace::Pace;
use crate::report::{Recovery, Report};
use crate::run::{RunError, RunOutcome, look_again, start_clients};
use crate::scribe::{Scribe, Written};
use crate::watch::Watch;
use crate::workload::Workload;

/// The longest path that a socket can have, everywhere.
const LONGEST_SOCKET: usize = 100;

/// What a run with a process does.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// The program that serves; usually this one.
    pub program: PathBuf,
    /// The bank's directory; its socket will be there too.
    pub dir: PathBuf,
    /// The clients' work.
    pub workload: Workload,
    /// A file of transfers that the clients send instead of what the workload makes up.
    pub input: Option<Input>,
    /// Turns true when the run is to end early: clients finish what they have begun, and the process stops in order.
    pub closing: watch::Receiver<bool>,
    /// Faults inside of the process.
    pub faults: Faults,
    /// How often to kill it.
    pub kills: u32,
    /// Where the history is written.
    pub history: PathBuf,
    /// More arguments for every life, such as what to log.
    pub arguments: Vec<OsString>,
    /// Whether what it says on standard error is shown.
    pub show: bool,
}

/// Why there was no run.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProcessRunError {
    /// For a reason that has nothing to do with the process.
    Run(RunError),
    /// The directory's path is too long for a socket in it.
    LongPath(PathBuf),
    /// The process could not be kept running.
    Process(ProcessError),
}

impl fmt::Display for ProcessRunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(error) => error.fmt(f),
            Self::LongPath(socket) => write!(
                f,
                "the path {} is longer than the {LONGEST_SOCKET} bytes that a socket can have; \
                 name a directory with a shorter path (--dir)",
                socket.display()
            ),
            Self::Process(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProcessRunError {}

impl From<RunError> for ProcessRunError {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

/// What came of a run, besides what every run has.
#[derive(Clone, Debug)]
pub struct ProcessOutcome {
    /// The lives of the process.
    pub kept: Kept,
    /// From each kill to the first answer after it.
    pub recovery_us: Recovery,
}

impl ProcessOutcome {
    /// Puts into a report what only the process knew, and its kills.
    pub fn complete(self, report: &mut Report) {
        let Kept { planned, by_point, in_commit, counted, clean, how } = self.kept;
        report.process = ProcessReport {
            process_kills_planned: planned,
            process_kills: by_point.values().sum(),
            process_kills_in_commit: in_commit,
            process_kills_by_point: by_point,
            process_recovery_us: self.recovery_us,
        };
        report.faults_fired = counted.faults_fired;
        report.faults_by_actor = counted.faults_by_actor;
        report.faults_with_work_in_hand = counted.faults_with_work_in_hand;
        report.auditor_findings = counted.findings;
        report.stopped_cleanly = clean;
        report.shutdown = how;
    }
}

/// Runs clients against a bank in a process that is killed again and again. `progress` is called now and then with the
/// number of answers so far.
///
/// # Errors
/// See [`ProcessRunError`]; a bank that loses money is no error here but a verdict of the audit.
///
/// # Cancel safety
/// Dropping the future kills the process.
pub async fn run(
    options: ProcessOptions,
    progress: impl Fn(u64),
) -> Result<(RunOutcome, ProcessOutcome), ProcessRunError> {
    let socket = options.dir.join(SOCKET_FILE);
    if socket.as_os_str().len() > LONGEST_SOCKET {
        return Err(ProcessRunError::LongPath(socket));
    }
    // No actor lives in it: the clients want a clock.
    let system = System::new().map_err(RunError::System)?;
    let lives = Arc::new(Lives::default());
    let feed = options.input.as_ref().map(|input| Feed::start(input, options.workload.clients));
    let mut feed = feed.transpose().map_err(RunError::Input)?;
    let scribe = Scribe::start(&options.history)?;
    let door = Door {
        desk: Desk::Elsewhere(Remote::new(&socket, &lives, &system)),
        system: system.clone(),
        history: scribe.notes.clone(),
        answered: Arc::new(AtomicU64::new(0)),
        asked_again: Arc::new(AtomicU64::new(0)),
        closing: options.closing.clone(),
        until: None,
    };
    let count = count(&options)?;
    let (done, is_done) = watch::channel(false);
    let keeper = Keeper {
        arguments: arguments(&options, &socket),
        program: options.program.clone(),
        seed: options.workload.seed,
        schedule: schedule(options.workload.seed, options.kills, count).into(),
        lives: lives.clone(),
        system: system.clone(),
        answered: door.answered.clone(),
        asked_again: door.asked_again.clone(),
        done: is_done,
        show: options.show,
    };
    // Kept here and not in a task of its own: whatever ends this function ends the process.
    let mut keeping = Box::pin(keeper.keep());

    let began = system.now();
    let mut pace = Pace::elsewhere(began);
    let clients = start_clients(&options.workload, feed.as_mut(), &door);
    let mut all_told = Told::default();
    for mut client in clients {
        let told = loop {
            tokio::select! {
                biased;
                told = &mut client => break told,
                gone = &mut keeping => return Err(gone_for_good(gone)),
                () = look_again() => {
                    let answered = door.answered.load(Ordering::Relaxed);
                    progress(answered);
                    pace.look(system.now(), answered);
                }
            }
        };
        // A client that panicked is a bug of this program: its panic was printed, and its answers are missing.
        let Ok(told) = told else { continue };
        all_told.add(told);
    }
    let took = system.now().since(began);
    let answered = door.answered.load(Ordering::Relaxed);
    let asked_again = door.asked_again.load(Ordering::Relaxed);
    progress(answered);
    let _ = done.send(true);
    let kept = keeping.await.map_err(ProcessRunError::Process)?;
    drop(door);
    let Written { latency_us, .. } = scribe.finish(&options.history).await?;

    let mut seen = Watch::default().seen();
    seen.restarts.insert("bank".into(), kept.counted.restarts);
    seen.supervisor_crashes.insert("bank".into(), kept.counted.supervisor_crashes);
    seen.escalations = kept.counted.escalations;
    for (us, count) in &kept.counted.recovery_us {
        // Refused is only what no histogram can hold.
        let _ = seen.recovery_us.record_n(*us, *count);
    }
    let outcome = RunOutcome {
        stuck: false,
        answered,
        retried: kept.counted.resent + asked_again,
        receipts: Vec::new(),
        seen,
        root_restarts: kept.counted.top_restarts,
        told: all_told,
        read: feed.map(|feed| feed.read()),
        took,
        seconds: pace.into_seconds(),
        latency_us,
        findings: Vec::new(),
        drained: *options.closing.borrow(),
        shutdown: ShutdownReport::default(),
    };
    Ok((outcome, ProcessOutcome { kept, recovery_us: Recovery::of(&lives.recovery_us()) }))
}

/// How many transfers there will be, for the kills to be spread over; of a file that can be read only once, a guess.
fn count(options: &ProcessOptions) -> Result<u64, ProcessRunError> {
    match &options.input {
        Some(input) if input.source.can_be_read_twice() => {
            let file = input.source.open().map_err(RunError::Input)?;
            let lines = TransferReader::new(input.source.name(), file);
            Ok(lines.filter(|line| matches!(line, Ok(Line::Transfer(_)))).count() as u64)
        }
        _ => Ok(options.workload.count),
    }
}

fn gone_for_good(gone: Result<Kept, ProcessError>) -> ProcessRunError {
    ProcessRunError::Process(match gone {
        Err(error) => error,
        Ok(_) => ProcessError::Lost(io::Error::other("it stopped before the clients were done")),
    })
}

/// The arguments of every life.
fn arguments(options: &ProcessOptions, socket: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["serve", "--dir"].map(OsString::from).into();
    arguments.extend([options.dir.clone().into(), "--socket".into(), socket.into()]);
    arguments.extend(["--partitions".into(), options.workload.partitions.to_string().into()]);
    match &options.faults {
        Faults::None => {}
        Faults::Some => {
            let share = options.workload.count / (u64::from(options.kills) + 1);
            arguments.extend(["--faults".into(), share.to_string().into()]);
        }
        Faults::Plan(path) => arguments.extend(["--plan".into(), path.into()]),
    }
    arguments.extend(options.arguments.iter().cloned());
    arguments
}
