//! The parent's side of the child's lives: starts it, hears what it says, kills it by the schedule, starts it again, and
//! stops the last life in order. Nothing of it is left behind: what this drops, it kills.
//!
//! A child that does not get to its point soon after it should is killed where it is, and counted as `anywhere`. One
//! that ends of itself, or does not come up, ends the run: that is a fault of the bank and not of the schedule.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use minder::{Moment, System};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use super::lines::{Line, Status, heard};
use super::lives::Lives;
use super::points::Point;
use super::schedule::PlannedKill;

/// How long a life may take until its socket is there.
const UP: Duration = Duration::from_secs(20);
/// How long it may take from where its point could come until it is there.
const OVERDUE: Duration = Duration::from_secs(5);
/// How long clients may ask without anybody getting an answer.
const SILENT: Duration = Duration::from_secs(20);
/// How long the last life may take to stop.
const STOP: Duration = Duration::from_secs(40);
/// How long the rest of what a dead child said may take to arrive.
const REST: Duration = Duration::from_secs(1);
/// How often the keeper looks at the clock and at the clients' progress.
const LOOK: Duration = Duration::from_millis(5);
/// How many of the child's last words are kept.
const TAIL: usize = 20;
/// The signal that cannot be caught.
const SIGKILL: i32 = 9;

/// What the keeper needs.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// The program to start.
    pub(crate) program: PathBuf,
    /// Its arguments in every life; those of one life come behind.
    pub(crate) arguments: Vec<OsString>,
    /// The seed of the first life; the next has the next.
    pub(crate) seed: u64,
    /// The kills still to be made.
    pub(crate) schedule: VecDeque<PlannedKill>,
    pub(crate) lives: Arc<Lives>,
    pub(crate) system: System,
    /// How many answers the clients have.
    pub(crate) answered: Arc<AtomicU64>,
    /// How often clients asked again.
    pub(crate) asked_again: Arc<AtomicU64>,
    /// True once the clients are done.
    pub(crate) done: watch::Receiver<bool>,
    /// Whether the child's standard error is shown.
    pub(crate) show: bool,
}

/// What came of all lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many kills were planned.
    pub planned: u64,
    /// Kills by where the child was.
    pub by_point: BTreeMap<String, u64>,
    /// How many of them were in the middle of a commit.
    pub in_commit: u64,
    /// What the lives have counted; at least, for the killed ones could not tell to the end.
    pub counted: Status,
    /// Whether the last life stopped in order and in time.
    pub clean: bool,
    /// How it stopped, for people.
    pub how: String,
}

/// Why the bank could not be kept running as a process. Each holds the last lines of its standard error.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program cannot be started.
    Start(PathBuf, io::Error),
    /// It ended, and nobody had killed it.
    Died {
        /// Which life, from 1.
        life: u64,
        /// How.
        status: ExitStatus,
        /// Its last words.
        said: Vec<String>,
    },
    /// Its socket did not appear.
    NotUp {
        /// Which life, from 1.
        life: u64,
        /// Its last words.
        said: Vec<String>,
    },
    /// It runs, and answers nobody.
    Silent {
        /// Which life, from 1.
        life: u64,
        /// Its last words.
        said: Vec<String>,
    },
    /// The operating system does not say what became of it.
    Lost(io::Error),
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self {
            Self::Start(program, error) => {
                return write!(f, "the bank's process cannot be started from {}: {error}", program.display());
            }
            Self::Lost(error) => return write!(f, "the bank's process is out of sight: {error}"),
            Self::Died { life, status, said } => {
                write!(f, "the bank's process ended of itself in its life {life}: {status}")?;
                said
            }
            Self::NotUp { life, said } => {
                write!(f, "the bank's process did not come up within {} s in its life {life}", UP.as_secs())?;
                said
            }
            Self::Silent { life, said } => {
                write!(
                    f,
                    "the bank's process answered nobody for {} s in its life {life}",
                    SILENT.as_secs()
                )?;
                said
            }
        };
        if said.is_empty() {
            return f.write_str("; it said nothing");
        }
        f.write_str("; its last words:")?;
        said.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl std::error::Error for ProcessError {}

/// How a life ended.
enum End {
    /// By a kill, at a point or anywhere.
    Killed(Option<Point>),
    /// In order, or by force because it took too long.
    Stopped { clean: bool, how: String },
}

impl Keeper {
    /// Keeps the bank alive and kills it, until the clients are done and the last life has stopped.
    ///
    /// # Errors
    /// See [`ProcessError`].
    ///
    /// # Cancel safety
    /// Dropping the future kills the child.
    pub(crate) async fn keep(mut self) -> Result<Kept, ProcessError> {
        let mut kept = Kept { planned: self.schedule.len() as u64, ..Kept::default() };
        loop {
            let life = self.lives.begin();
            let kill = if *self.done.borrow() { None } else { self.schedule.pop_front() };
            let mut child = self.start(life, kill)?;
            let end = self.watch(&mut child, life, kill).await?;
            kept.counted.add(child.status);
            match end {
                End::Killed(point) => {
                    let name = point.map_or("anywhere", Point::name);
                    tracing::info!(target: "bank::process", life, point = name, "process killed");
                    *kept.by_point.entry(name.to_owned()).or_default() += 1;
                    kept.in_commit += u64::from(point.is_some_and(Point::is_in_commit));
                }
                End::Stopped { clean, how } => return Ok(Kept { clean, how, ..kept }),
            }
        }
    }

    fn start(&self, life: u64, kill: Option<PlannedKill>) -> Result<Running, ProcessError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg("--seed").arg((self.seed.wrapping_add(life)).to_string());
        if let Some(PlannedKill::At(point)) = kill {
            command.arg("--kill").arg(point.to_string());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Ctrl-C on the terminal is for the parent alone, which stops the child in order.
        command.process_group(0);
        let not_started = |error| ProcessError::Start(self.program.clone(), error);
        let mut child = command.spawn().map_err(not_started)?;
        let (Some(orders), Some(out), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(not_started(io::Error::other("it has no pipes")));
        };
        Ok(Running {
            child,
            orders: Some(orders),
            out: Words::new(out),
            errors: Words::new(errors),
            said: VecDeque::with_capacity(TAIL),
            show: self.show,
            ready: false,
            point: None,
            status: Status::default(),
            stopped: None,
        })
    }

    /// Watches a life to its end.
    async fn watch(
        &mut self,
        child: &mut Running,
        life: u64,
        kill: Option<PlannedKill>,
    ) -> Result<End, ProcessError> {
        let mut clock = Clock::start(self, life, kill);
        loop {
            match clock.look(self, child) {
                Look::Well => {}
                Look::Kill => return self.kill(child, life).await,
                Look::NotUp => return Err(ProcessError::NotUp { life, said: child.last_words().await }),
                Look::Silent => return Err(ProcessError::Silent { life, said: child.last_words().await }),
                Look::TooSlow => {
                    child.child.kill().await.map_err(ProcessError::Lost)?;
                    let how = format!("killed: it did not stop within {} s", STOP.as_secs());
                    return Ok(End::Stopped { clean: false, how });
                }
            }
            tokio::select! {
                biased;
                line = child.out.next(), if child.out.open => {
                    child.hear(line);
                    if child.point.is_some() {
                        return self.kill(child, life).await;
                    }
                }
                line = child.errors.next(), if child.errors.open => child.note(line),
                status = child.child.wait() => {
                    let status = status.map_err(ProcessError::Lost)?;
                    child.hear_the_rest().await;
                    return match child.stopped.take() {
                        Some((clean, how)) if clock.stopping.is_some() => Ok(End::Stopped { clean, how }),
                        _ => Err(ProcessError::Died { life, status, said: child.said.drain(..).collect() }),
                    };
                }
                () = done(&mut self.done), if child.orders.is_some() => {
                    // The end of its standard input is the order to stop.
                    child.orders = None;
                    clock.stopping = Some(self.system.now());
                }
                () = look_again() => {}
            }
        }
    }

    /// Kills the child and waits until it is gone.
    async fn kill(&self, child: &mut Running, life: u64) -> Result<End, ProcessError> {
        self.lives.killed(self.system.now());
        // Refused only if it has ended: then the status says how.
        let _ = child.child.start_kill();
        let status = child.child.wait().await.map_err(ProcessError::Lost)?;
        // It may have been faster than the kill: then it says where it got to.
        child.hear_the_rest().await;
        if status.signal() == Some(SIGKILL) {
            Ok(End::Killed(child.point))
        } else {
            Err(ProcessError::Died { life, status, said: child.said.drain(..).collect() })
        }
    }
}

/// What the keeper sees when it looks at the clock.
enum Look {
    Well,
    Kill,
    NotUp,
    Silent,
    TooSlow,
}

/// What is due in one life, and when.
struct Clock {
    life: u64,
    kill: Option<PlannedKill>,
    began: Moment,
    /// How many answers there were before this life.
    before: u64,
    /// Since when the child could be at its point.
    due: Option<Moment>,
    /// The last answer that was seen: how many there were, when, and how many had asked again by then.
    progress: (u64, Moment, u64),
    /// Since when it is to stop.
    stopping: Option<Moment>,
}

impl Clock {
    fn start(keeper: &Keeper, life: u64, kill: Option<PlannedKill>) -> Self {
        let (before, now) = (keeper.answered.load(Ordering::Relaxed), keeper.system.now());
        let progress = (before, now, keeper.asked_again.load(Ordering::Relaxed));
        Self { life, kill, began: now, before, due: None, progress, stopping: None }
    }

    fn look(&mut self, keeper: &Keeper, child: &Running) -> Look {
        let now = keeper.system.now();
        if let Some(since) = self.stopping {
            return if now.since(since) > STOP { Look::TooSlow } else { Look::Well };
        }
        if !child.ready && now.since(self.began) > UP {
            return Look::NotUp;
        }
        let answered = keeper.answered.load(Ordering::Relaxed);
        if answered != self.progress.0 {
            self.progress = (answered, now, keeper.asked_again.load(Ordering::Relaxed));
        }
        let (_, since, asked_again) = self.progress;
        // Where nobody asks, nobody is answered: a slow file of transfers is no fault of the bank.
        let is_silent =
            now.since(since) > SILENT && keeper.asked_again.load(Ordering::Relaxed) != asked_again;
        let Some(kill) = self.kill else { return if is_silent { Look::Silent } else { Look::Well } };
        if is_silent {
            return Look::Kill;
        }
        if answered - self.before < kill.after() {
            return Look::Well;
        }
        match kill {
            PlannedKill::Anywhere { .. } if keeper.lives.has_answered(self.life) => Look::Kill,
            PlannedKill::Anywhere { .. } => Look::Well,
            PlannedKill::At(_) if now.since(*self.due.get_or_insert(now)) > OVERDUE => Look::Kill,
            PlannedKill::At(_) => Look::Well,
        }
    }
}

/// A child that runs. Dropped, it is killed.
struct Running {
    child: Child,
    /// Its end is the order to stop.
    orders: Option<ChildStdin>,
    out: Words<ChildStdout>,
    errors: Words<ChildStderr>,
    /// The last lines of its standard error.
    said: VecDeque<String>,
    show: bool,
    ready: bool,
    /// Where it said last that it stands.
    point: Option<Point>,
    status: Status,
    /// Whether it stopped in order, and how, once it said so.
    stopped: Option<(bool, String)>,
}

impl Running {
    fn hear(&mut self, line: Option<String>) {
        let Some(line) = line else { return };
        match heard(&line) {
            Some(Line::Ready) => self.ready = true,
            Some(Line::Status(status)) => self.status = status,
            // Of a race, the first line tells what was counted, and the second where it ended.
            Some(Line::At { point, .. }) if self.point.is_some() => self.point = Some(point),
            Some(Line::At { point, status }) => (self.point, self.status) = (Some(point), status),
            Some(Line::Stopped { clean, how, status }) => {
                (self.stopped, self.status) = (Some((clean, how)), status);
            }
            None => tracing::warn!(target: "bank::process", line, "the process said what nobody understands"),
        }
    }

    fn note(&mut self, line: Option<String>) {
        let Some(line) = line else { return };
        if self.show {
            // Nobody to tell if standard error is gone.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
        if self.said.len() == TAIL {
            self.said.pop_front();
        }
        self.said.push_back(line);
    }

    /// Whatever a dead child has said until its end.
    async fn hear_the_rest(&mut self) {
        let reading = async {
            while self.out.open {
                let line = self.out.next().await;
                self.hear(line);
            }
            while self.errors.open {
                let line = self.errors.next().await;
                self.note(line);
            }
        };
        let _ = tokio::time::timeout(REST, reading).await;
    }

    /// Kills it, and gives what it said last.
    async fn last_words(&mut self) -> Vec<String> {
        let _ = self.child.kill().await;
        self.hear_the_rest().await;
        self.said.drain(..).collect()
    }
}

/// The lines of a pipe, as long as it is open.
struct Words<R> {
    lines: Lines<BufReader<R>>,
    open: bool,
}

impl<R: AsyncRead + Unpin> Words<R> {
    fn new(pipe: R) -> Self {
        Self { lines: BufReader::new(pipe).lines(), open: true }
    }

    /// The next line; `None` at the end, and `open` is false from then on.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has lost nothing.
    async fn next(&mut self) -> Option<String> {
        let line = self.lines.next_line().await.ok().flatten();
        self.open = line.is_some();
        line
    }
}

/// Resolves once the clients are done, or nobody is there any more to say so.
async fn done(done: &mut watch::Receiver<bool>) {
    let _ = done.wait_for(|done| *done).await;
}

#[expect(clippy::disallowed_methods, reason = "the parent of a process is no actor")]
async fn look_again() {
    tokio::time::sleep(LOOK).await;
}
