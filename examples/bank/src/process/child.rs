//! The child: one life of the bank as a process. Serves its socket until its standard input ends, which is the order to
//! drain and stop; told its kill point, it may not come so far.
//!
//! Standard input and not a signal: it ends with the parent, however that ends, so no child is left behind.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use minder::{Event, ExitReason, Observer, System, SystemError};
use minder_fault_injection::{ArmError, Injector, Plan};
use tokio::io::AsyncReadExt;
use tokio::net::UnixListener;
use tokio::net::unix::pipe;
use tokio::sync::watch;

use super::door::Door;
use super::kill_point_store::KillPointStore;
use super::lines::{Line, Status, say};
use super::points::{KillPoint, KillPoints};
use crate::demo::actor_type;
use crate::run::{keep_running, spawn};
use crate::service::auditor::Findings;
use crate::service::{Bank, BankParts};
use crate::watch::Watch;

/// How long the bank may take to stop.
const STOP: Duration = Duration::from_secs(20);
/// How long requests in hand may take when the door is closed.
const DRAIN: Duration = Duration::from_secs(5);
/// How often the parent is told what was counted.
const TELL: Duration = Duration::from_millis(100);

/// What a life is to do.
#[derive(Clone, Debug)]
pub struct Life {
    /// The bank's directory.
    pub dir: PathBuf,
    /// Where to listen.
    pub socket: PathBuf,
    /// How many partitions the bank has.
    pub partitions: u16,
    /// Where the actors' randomness comes from.
    pub seed: u64,
    /// Faults inside of the process; none for a life in peace.
    pub faults: Option<Plan>,
    /// Where it will be killed.
    pub kill: Option<KillPoint>,
}

/// Why a life ended in disorder.
#[derive(Debug)]
#[non_exhaustive]
pub enum LifeError {
    /// Nobody could tell it to stop.
    Input(io::Error),
    /// The socket cannot be listened on.
    Socket(PathBuf, io::Error),
    /// There can be no system here.
    System(SystemError),
    /// The fault plan makes no sense.
    Plan(ArmError),
    /// The bank does not come up.
    Start(ExitReason),
}

impl fmt::Display for LifeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => write!(
                f,
                "standard input must be a pipe, for its end is the order to stop ({error}); \
                 let `bank run --process` start this"
            ),
            Self::Socket(path, error) => write!(f, "cannot listen on {}: {error}", path.display()),
            Self::System(error) => error.fmt(f),
            Self::Plan(error) => error.fmt(f),
            Self::Start(reason) => write!(f, "the bank does not start: {reason}"),
        }
    }
}

impl std::error::Error for LifeError {}

/// Lives, until standard input ends. Says on standard output what `lines.rs` lists; whether all stopped in order and
/// in time is what it returns.
///
/// # Errors
/// See [`LifeError`].
pub async fn live(life: Life) -> Result<bool, LifeError> {
    let mut orders = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .and_then(pipe::Receiver::from_owned_fd)
        .map_err(LifeError::Input)?;
    let watch = Arc::new(Watch::default());
    let system = System::builder()
        .seed(life.seed)
        .observer(Arc::new(BankOnly(watch.clone())))
        .build()
        .map_err(LifeError::System)?;
    let injector =
        life.faults.map(|plan| Injector::arm(plan, &system)).transpose().map_err(LifeError::Plan)?;
    let points = Arc::new(KillPoints::new(life.kill));
    let counted = Counted { watch, injector, findings: Findings::default(), resent: Arc::default() };
    let at_point = counted.clone();
    points.set_status(move || at_point.status());

    let (dir, socket, store_points) = (life.dir, life.socket, points.clone());
    let parts = BankParts {
        open: move || KillPointStore::open(&dir, store_points.clone()),
        partitions: life.partitions,
        findings: counted.findings.clone(),
        resent: counted.resent.clone(),
    };
    let bank = Bank::new(&system, parts);
    let stopping = Arc::new(AtomicBool::new(false));
    let mut caretaker = spawn(keep_running(bank.clone(), system.clone(), stopping.clone()));

    let listener = Arc::new(listen(&socket).map_err(|error| LifeError::Socket(socket.clone(), error))?);
    let (drain, draining) = watch::channel(false);
    let door = Door { listener, gateway: bank.gateway.clone(), points: points.clone(), draining };
    let mut doorkeeper = spawn(keep_open(door, system.clone()));
    say(&Line::Ready);

    let mut byte = [0];
    loop {
        tokio::select! {
            // Its end, or an error, which no order can follow either. Nobody writes to it.
            read = orders.read(&mut byte) => match read {
                Ok(1..) => {}
                _ => break,
            },
            gone = &mut caretaker => {
                let reason = gone.unwrap_or_else(|error| Err(ExitReason::error(error)));
                return Err(LifeError::Start(reason.err().unwrap_or(ExitReason::Shutdown)));
            }
            () = look_again() => say(&Line::Status(counted.status())),
        }
    }

    if points.is_at_point() {
        return Ok(false); // whoever was to kill it is gone
    }
    let _ = drain.send(true);
    let drained = tokio::time::timeout(DRAIN, &mut doorkeeper).await.is_ok();
    // What is left of it would harm nobody; the next life removes it too.
    let _ = fs::remove_file(&socket);
    if let Some(injector) = &counted.injector {
        injector.disarm();
    }
    stopping.store(true, Ordering::Release);
    let shutdown = system.shutdown(STOP).await;
    let clean = drained && shutdown.is_clean();
    // Should somebody be left who does not yield, the tree has no end to wait for.
    let top_restarts = tokio::time::timeout(DRAIN, caretaker).await;
    let top_restarts = top_restarts.ok().and_then(Result::ok).and_then(Result::ok).unwrap_or_default();
    let how = shutdown.to_string();
    say(&Line::Stopped { clean, how, status: Status { top_restarts, ..counted.status() } });
    Ok(clean)
}

/// Listens on a socket, also if a former life has left its file there.
fn listen(socket: &std::path::Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UnixListener::bind(socket)
}

/// Keeps the door's tree running until it has been drained.
async fn keep_open(door: Door, system: System) {
    loop {
        if let Ok(root) = door.tree().start(&system, "door").await {
            drop(root.ended().await);
        }
        if *door.draining.borrow() {
            return;
        }
        pause().await;
    }
}

/// Counts what happens in the bank, and of the door all but its recoveries: a slot that was restarted handles nothing
/// until somebody connects.
struct BankOnly(Arc<Watch>);

impl Observer for BankOnly {
    fn event(&self, event: &Event<'_>) {
        if !matches!(event, Event::Recovered { path, .. } if path.starts_with("door")) {
            self.0.event(event);
        }
    }
}

/// Where this life's counts come from.
#[derive(Clone)]
struct Counted {
    watch: Arc<Watch>,
    injector: Option<Injector>,
    findings: Findings,
    resent: Arc<AtomicU64>,
}

impl Counted {
    fn status(&self) -> Status {
        let seen = self.watch.seen();
        let receipts = self.injector.as_ref().map(Injector::receipts).unwrap_or_default();
        let mut by_kind = BTreeMap::<String, u64>::new();
        let mut by_actor = BTreeMap::<String, u64>::new();
        for receipt in &receipts {
            *by_kind.entry(receipt.kind.to_string()).or_default() += 1;
            *by_actor.entry(actor_type(&receipt.path)).or_default() += 1;
        }
        let recovery = seen.recovery_us.iter_recorded();
        Status {
            resent: self.resent.load(Ordering::Relaxed),
            faults_fired: by_kind,
            faults_by_actor: by_actor,
            faults_with_work_in_hand: receipts.iter().filter(|receipt| receipt.in_hand).count() as u64,
            restarts: seen.restarts.values().sum(),
            supervisor_crashes: seen.supervisor_crashes.values().sum(),
            escalations: seen.escalations,
            top_restarts: 0,
            findings: self.findings.all().iter().map(ToString::to_string).collect(),
            recovery_us: recovery.map(|step| (step.value_iterated_to(), step.count_at_value())).collect(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever keeps a tree running is no actor")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

#[expect(clippy::disallowed_methods, reason = "whoever looks on is no actor")]
async fn look_again() {
    tokio::time::sleep(TELL).await;
}
