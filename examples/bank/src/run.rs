//! One run: a fresh bank, clients, faults, progress, and what came of it. The audit is a phase of its own, after
//! everything has stopped, and reads nothing but the directory.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use minder::{ExitReason, Moment, ShutdownReport, System, SystemError};
use minder_fault_injection::{ArmError, Injector, Plan, Receipt};
use tokio::sync::watch;

use crate::clients::{self, Desk, Door, Told};
use crate::input::{Feed, Input, InputError, Read};
use crate::pace::{Pace, Second};
use crate::scribe::{Scribe, Written};
use crate::service::auditor::{Finding, Findings};
use crate::service::{Bank, BankParts};
use crate::store::{Store, StoreError};
use crate::watch::{Seen, Watch};
use crate::workload::Workload;

/// How long the bank may take to stop.
const STOP: Duration = Duration::from_secs(20);
/// How long nobody may be answered before the bank is taken to be stuck.
const STUCK: Duration = Duration::from_secs(30);

/// What a run does.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The clients' work.
    pub workload: Workload,
    /// A file of transfers that the clients send instead of what the workload makes up.
    pub input: Option<Input>,
    /// Turns true when the run is to end early: clients finish what they have begun, and the bank stops in order.
    pub closing: watch::Receiver<bool>,
    /// When clients stop to begin anything new, if they have not done all of their work before.
    pub lasts: Option<Duration>,
    /// The faults; none for a run in peace.
    pub faults: Option<Plan>,
    /// Where the history is written.
    pub history: PathBuf,
}

/// What came of it, before the audit.
#[derive(Debug)]
pub struct RunOutcome {
    /// Answers that clients received.
    pub answered: u64,
    /// How often the retrier or a client asked again.
    pub retried: u64,
    /// The faults that struck.
    pub receipts: Vec<Receipt>,
    /// Exits, restarts, recoveries.
    pub seen: Seen,
    /// How often the top supervisor ended and was started again.
    pub root_restarts: u64,
    /// What the clients have to tell.
    pub told: Told,
    /// What was read of the file of transfers, if there is one.
    pub read: Option<Read>,
    /// How long the clients' work took.
    pub took: Duration,
    /// The same, second by second.
    pub seconds: Vec<Second>,
    /// Microseconds from a client's first asking to its answer.
    pub latency_us: Histogram<u64>,
    /// Whether clients were given up because nobody had been answered for so long.
    pub stuck: bool,
    /// What the auditor found while the bank worked.
    pub findings: Vec<Finding>,
    /// Whether it was told to end early.
    pub drained: bool,
    /// How the bank stopped.
    pub shutdown: ShutdownReport,
}

/// Why there was no run.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// There can be no system here.
    System(SystemError),
    /// The fault plan makes no sense.
    Plan(ArmError),
    /// The tree did not come up, for so long that nobody believes in it any more.
    Start(ExitReason),
    /// The file of transfers cannot be opened.
    Input(InputError),
    /// The history cannot be written.
    History(PathBuf, io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::Plan(error) => error.fmt(f),
            Self::Start(reason) => write!(f, "the bank does not start: {reason}"),
            Self::Input(error) => error.fmt(f),
            Self::History(path, error) => {
                write!(f, "the history {} cannot be written: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for RunError {}

/// Runs a bank over a store that `open` opens, at every start of the store actor. `progress` is called now and then
/// with the number of answers so far.
///
/// # Errors
/// See [`RunError`]; a bank that loses money is no error here but a verdict of the audit.
pub async fn run<S, O>(plan: RunOptions, open: O, progress: impl Fn(u64)) -> Result<RunOutcome, RunError>
where
    S: Store,
    O: Fn() -> Result<S, StoreError> + Clone + Send + Sync + 'static,
{
    let watch = Arc::new(Watch::default());
    let builder = System::builder().seed(plan.workload.seed).observer(watch.clone());
    let system = builder.build().map_err(RunError::System)?;
    let injector = match &plan.faults {
        Some(faults) => Some(Injector::arm(faults.clone(), &system).map_err(RunError::Plan)?),
        None => None,
    };
    let (findings, resent) = (Findings::default(), Arc::new(AtomicU64::new(0)));
    let parts = BankParts {
        open,
        partitions: plan.workload.partitions,
        findings: findings.clone(),
        resent: resent.clone(),
    };
    let bank = Bank::new(&system, parts);
    let feed = plan.input.as_ref().map(|input| Feed::start(input, plan.workload.clients));
    let mut feed = feed.transpose().map_err(RunError::Input)?;

    let stopping = Arc::new(AtomicBool::new(false));
    let mut caretaker = spawn(keep_running(bank.clone(), system.clone(), stopping.clone()));
    let scribe = Scribe::start(&plan.history)?;
    let began = system.now();
    let door = Door {
        desk: Desk::Here(bank.gateway.clone()),
        system: system.clone(),
        history: scribe.notes.clone(),
        answered: Arc::new(AtomicU64::new(0)),
        asked_again: Arc::new(AtomicU64::new(0)),
        closing: plan.closing.clone(),
        until: plan.lasts.map(|lasts| began + lasts),
    };
    let mut pace = Pace::here(began);
    let clients = start_clients(&plan.workload, feed.as_mut(), &door);

    let mut all_told = Told::default();
    let mut hope = Hope { answered: 0, since: began };
    let mut stuck = false;
    for mut client in clients {
        let told = loop {
            tokio::select! {
                biased;
                told = &mut client => break told,
                // Nobody will answer the clients any more.
                gone = &mut caretaker => return Err(RunError::Start(gone_for_good(gone))),
                () = look_again() => {
                    let answered = door.answered.load(Ordering::Relaxed);
                    progress(answered);
                    pace.look(system.now(), answered);
                    // A file may come slowly, through a pipe: then silence proves nothing.
                    if feed.is_none() && hope.is_lost(answered, system.now()) {
                        stuck = true;
                        client.abort();
                    }
                }
            }
        };
        // Given up; or it panicked, which is a bug of this program, and its answers are missing.
        let Ok(told) = told else { continue };
        all_told.add(told);
    }
    let took = system.now().since(began);
    let answered = door.answered.load(Ordering::Relaxed);
    progress(answered);

    // The faults end with the work: a bank that is stopped is judged by what it has promised until then.
    if let Some(injector) = &injector {
        injector.disarm();
    }
    stopping.store(true, Ordering::Release);
    let shutdown = system.shutdown(STOP).await;
    let root_restarts = caretaker.await.unwrap_or(Err(ExitReason::Killed)).map_err(RunError::Start)?;
    let retried = resent.load(Ordering::Relaxed) + door.asked_again.load(Ordering::Relaxed);
    drop((door, bank));
    let Written { latency_us, .. } = scribe.finish(&plan.history).await?;
    Ok(RunOutcome {
        answered,
        retried,
        receipts: injector.map(|injector| injector.receipts()).unwrap_or_default(),
        seen: watch.seen(),
        root_restarts,
        told: all_told,
        read: feed.map(|feed| feed.read()),
        took,
        seconds: pace.into_seconds(),
        latency_us,
        stuck,
        findings: findings.all(),
        drained: *plan.closing.borrow(),
        shutdown,
    })
}

/// Starts the clients, on the feed if there is one, else on the workload.
pub(crate) fn start_clients(
    workload: &Workload,
    feed: Option<&mut Feed>,
    door: &Door,
) -> Vec<tokio::task::JoinHandle<Told>> {
    match feed {
        Some(feed) => {
            feed.queues.drain(..).map(|queue| spawn(clients::client(queue, door.clone()))).collect()
        }
        None => (0..workload.clients)
            .map(|number| spawn(clients::client(workload.client(number), door.clone())))
            .collect(),
    }
}

/// That there will be more answers.
struct Hope {
    answered: u64,
    since: Moment,
}

impl Hope {
    fn is_lost(&mut self, answered: u64, now: Moment) -> bool {
        if answered > self.answered {
            (self.answered, self.since) = (answered, now);
        }
        now.since(self.since) >= STUCK
    }
}

fn gone_for_good(caretaker: Result<Result<u64, ExitReason>, tokio::task::JoinError>) -> ExitReason {
    match caretaker {
        Ok(Err(reason)) => reason,
        Ok(Ok(_)) => ExitReason::Shutdown,
        Err(error) => ExitReason::error(error),
    }
}

/// Failed starts of the top supervisor in a row, after which nobody believes in it any more.
const STARTS: u32 = 50;

/// Starts the tree, and again whenever its top supervisor ends: what an init system would do for a service. Returns
/// how often it had to.
pub(crate) async fn keep_running(
    bank: Bank,
    system: System,
    stopping: Arc<AtomicBool>,
) -> Result<u64, ExitReason> {
    let (mut restarts, mut failures) = (0, 0);
    loop {
        match bank.tree.clone().start(&system, "bank").await {
            Ok(root) => {
                failures = 0;
                drop(root.ended().await);
            }
            Err(_) if stopping.load(Ordering::Acquire) => {}
            Err(error) => {
                failures += 1;
                if failures == STARTS {
                    return Err(error.into_reason());
                }
                pause().await;
            }
        }
        if stopping.load(Ordering::Acquire) {
            return Ok(restarts);
        }
        restarts += 1;
    }
}

#[expect(clippy::disallowed_methods, reason = "clients live outside of the actor system")]
pub(crate) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

#[expect(clippy::disallowed_methods, reason = "whoever keeps a tree running is no actor")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

#[expect(clippy::disallowed_methods, reason = "whoever looks on is no actor")]
pub(crate) async fn look_again() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}
