//! What a shutdown saw: who did not end in order and why, how long each level of the tree took, what was left undone.
//! Noted as actors end and seats are given up; what is kept has a bound.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minder_signals::{ExitReason, Moment};

/// How many paths are kept of each sort; what comes after is counted only.
const KEPT: usize = 100;

/// What [`System::shutdown`](crate::System::shutdown) saw.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How long it took.
    pub took: Duration,
    /// Whom the system itself minded and who stopped when told, in that order, and how long each took: the first
    /// hundred.
    pub stopped: Vec<(Arc<str>, Duration)>,
    /// The levels of the tree, the top one first.
    pub levels: Vec<Level>,
    /// Who ended abnormally, and why: the first hundred.
    pub unclean: Vec<(Arc<str>, ExitReason)>,
    /// How many ended abnormally in all.
    pub unclean_count: u64,
    /// Who did not stop within the deadline and was killed, the actors below included.
    pub killed: Vec<Arc<str>>,
    /// Messages that nobody will handle, by the path of their actor: the first hundred paths.
    pub messages_left: Vec<(Arc<str>, u64)>,
    /// How many actors were still there at the very end: each is in code that does not yield, of
    /// which [`SystemBuilder::watchdog`](crate::SystemBuilder::watchdog) tells.
    pub left: usize,
}

/// One level of the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// How many actors of it ended.
    pub actors: u64,
    /// When the first of them had ended, from the beginning of the shutdown.
    pub first_after: Duration,
    /// When the last of them had.
    pub last_after: Duration,
}

impl ShutdownReport {
    /// Whether everybody stopped in time.
    pub fn is_clean(&self) -> bool {
        self.killed.is_empty() && self.left == 0
    }
}

impl fmt::Display for ShutdownReport {
    /// A few lines for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.is_clean() { "in order" } else { "NOT in order" };
        write!(f, "stopped {how} in {:.1?}", self.took)?;
        for (depth, level) in self.levels.iter().enumerate() {
            let Level { actors, first_after, last_after } = level;
            write!(f, "\n  level {depth}: {actors} actors, after {first_after:.1?} to {last_after:.1?}")?;
        }
        for (path, reason) in &self.unclean {
            write!(f, "\n  {path} ended of {reason}")?;
        }
        if self.unclean_count > self.unclean.len() as u64 {
            write!(f, "\n  and {} more ended abnormally", self.unclean_count - self.unclean.len() as u64)?;
        }
        for path in &self.killed {
            write!(f, "\n  {path} did not stop in time and was killed")?;
        }
        for (path, messages) in &self.messages_left {
            write!(f, "\n  {path} left {messages} messages")?;
        }
        if self.left > 0 {
            write!(f, "\n  {} actors are still there: their code does not yield", self.left)?;
        }
        Ok(())
    }
}

/// A shutdown under way.
pub(crate) struct Closing {
    began: Moment,
    noted: Mutex<(ShutdownReport, Moment)>,
}

impl Closing {
    pub(crate) fn since(began: Moment) -> Self {
        Self { began, noted: Mutex::new((ShutdownReport::default(), began)) }
    }

    fn lock(&self) -> MutexGuard<'_, (ShutdownReport, Moment)> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note_exit(&self, path: &str, reason: &ExitReason, now: Moment) {
        let depth = path.matches('/').count();
        let after = now.since(self.began);
        let (report, last) = &mut *self.lock();
        *last = now;
        if report.levels.len() <= depth {
            report.levels.resize(depth + 1, Level::default());
        }
        let level = &mut report.levels[depth];
        if level.actors == 0 {
            level.first_after = after;
        }
        level.actors += 1;
        level.last_after = after;
        if reason.is_abnormal() {
            report.unclean_count += 1;
            if report.unclean.len() < KEPT {
                report.unclean.push((path.into(), reason.clone()));
            }
        }
    }

    pub(crate) fn note_stopped(&self, path: Arc<str>, took: Duration) {
        let (report, _) = &mut *self.lock();
        if report.stopped.len() < KEPT {
            report.stopped.push((path, took));
        }
    }

    pub(crate) fn note_left(&self, path: &Arc<str>, messages: usize) {
        let (report, _) = &mut *self.lock();
        if messages > 0 && report.messages_left.len() < KEPT {
            report.messages_left.push((path.clone(), messages as u64));
        }
    }

    pub(crate) fn note_killed(&self, killed: Vec<Arc<str>>) {
        self.lock().0.killed.extend(killed);
    }

    pub(crate) fn report(&self, left: usize) -> ShutdownReport {
        let (report, last) = &mut *self.lock();
        report.took = last.since(self.began);
        report.left = left;
        // A second shutdown reports what it saw itself.
        std::mem::take(report)
    }
}
