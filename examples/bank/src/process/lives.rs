//! The lives of the child, as the parent counts them, and how long it took from each kill to the first answer after it.
//! An answer of a former life may still arrive when that is over: it counts for its own life, not as a recovery.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;
use minder::Moment;

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Lives {
    current: AtomicU64,
    /// The last life that has answered.
    answered: AtomicU64,
    recovery: Mutex<Recovery>,
}

#[derive(Debug)]
struct Recovery {
    /// Kills after which nobody has been answered yet.
    kills: Vec<Moment>,
    us: Histogram<u64>,
}

impl Default for Lives {
    fn default() -> Self {
        let us = Histogram::new(3).expect("three digits are a precision that histograms have");
        let recovery = Mutex::new(Recovery { kills: Vec::new(), us });
        Self { current: AtomicU64::new(0), answered: AtomicU64::new(0), recovery }
    }
}

impl Lives {
    /// The next life begins; the former is over, and its socket dead.
    pub(crate) fn begin(&self) -> u64 {
        self.current.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The life that was begun last, from 1.
    pub(crate) fn current(&self) -> u64 {
        self.current.load(Ordering::Acquire)
    }

    /// Whether this life has answered anybody.
    pub(crate) fn has_answered(&self, life: u64) -> bool {
        self.answered.load(Ordering::Acquire) >= life
    }

    /// The current life is being killed.
    pub(crate) fn killed(&self, now: Moment) {
        self.lock().kills.push(now);
    }

    /// Somebody had an answer of this life.
    pub(crate) fn answered(&self, life: u64, now: impl FnOnce() -> Moment) {
        if self.has_answered(life) || self.answered.fetch_max(life, Ordering::AcqRel) >= life {
            return;
        }
        let now = now();
        let mut recovery = self.lock();
        let Recovery { kills, us } = &mut *recovery;
        for kill in kills.drain(..) {
            // Refused is only what no histogram can hold.
            let _ = us.record(u64::try_from(now.since(kill).as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Microseconds from each kill to the first answer after it.
    pub(crate) fn recovery_us(&self) -> Histogram<u64> {
        self.lock().us.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Recovery> {
        self.recovery.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_kill_is_recovered_from_by_the_next_life_that_answers() {
        let at = |ms| Moment::default() + Duration::from_millis(ms);
        let lives = Lives::default();
        assert_eq!(lives.begin(), 1);
        lives.answered(1, || at(5));
        lives.killed(at(100));
        lives.answered(1, || at(101)); // it was under way
        assert_eq!((lives.recovery_us().len(), lives.begin()), (0, 2));
        lives.killed(at(200)); // before it answered anybody
        assert_eq!(lives.begin(), 3);
        assert!(!lives.has_answered(3));
        lives.answered(3, || at(300));
        lives.answered(3, || at(900));
        let us = lives.recovery_us();
        assert_eq!(us.len(), 2);
        assert!(us.min().abs_diff(100_000) < 200 && us.max().abs_diff(200_000) < 400, "{us:?}");
    }
}
