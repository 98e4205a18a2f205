//! Backoff: how long a restart waits, the longer the more failures there were in a row.
//! A value and its arithmetic, in whole nanoseconds. Chance is not drawn here: a wait has an earliest and a latest end.
//! Does not decide *whether* there is a restart, nor remember how many there were; see `record.rs`.

use core::time::Duration;

/// How long restarts of a child wait. The first failure waits for the first delay, each one after it `factor` times as
/// long, up to the cap; a life that lasted for `reset_after` begins again with the first. A life counts from its start,
/// or, if the child reports that it is ready, from its report.
///
/// Each delay is shortened by chance, by up to `jitter` of its length, so that those who fell together do not come back
/// together. Nothing ever waits longer than the cap.
///
/// The time after which all is forgiven has no default: without it a child that fails once a month would wait for the
/// cap each time.
///
/// ```
/// use core::time::Duration;
/// use minder_supervisors_core::Backoff;
///
/// let second = Duration::from_secs(1);
/// let backoff = Backoff::new(second, 5 * second, 60 * second);
/// assert!(backoff.delays().take(4).eq([second, 2 * second, 4 * second, 5 * second]));
/// assert_eq!(backoff.jitter(0.25).earliest(4 * second), 3 * second);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    reset_after: Duration,
    /// In thousandths.
    factor: u32,
    /// In thousandths; more than all of them is refused by `check`.
    jitter: u32,
}

/// Why a backoff was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackoffError {
    /// The first delay is zero, and so would be all that follow.
    ZeroDelay,
    /// The cap is shorter than the first delay.
    CapBelowFirst,
    /// Every life is at once a healthy one, so that no delay ever grows.
    ZeroReset,
    /// The factor is below 1, or no number: delays would shrink.
    FactorBelowOne,
    /// The jitter is not between 0 and 1.
    JitterOutOfRange,
}

/// A factor or share of one.
const WHOLE: u32 = 1_000;

impl Backoff {
    /// Delays from `first` up to `cap`, from the beginning again after a life of `reset_after`. Unless said otherwise each
    /// is twice the one before, and up to a fifth of it is left out by chance.
    ///
    /// What makes no sense is refused when the tree is checked: see [`BackoffError`].
    pub const fn new(first: Duration, cap: Duration, reset_after: Duration) -> Self {
        Self { first, cap, reset_after, factor: 2 * WHOLE, jitter: WHOLE / 5 }
    }

    /// How much longer each delay is than the one before; 1 for delays of one length. Kept in thousandths.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = in_thousandths(factor);
        self
    }

    /// Which share of each delay is left to chance: 0 for none, 1 for any delay between none and the whole. Kept in
    /// thousandths.
    #[must_use]
    pub fn jitter(mut self, jitter: f64) -> Self {
        self.jitter = if (0.0..=1.0).contains(&jitter) { in_thousandths(jitter) } else { u32::MAX };
        self
    }

    /// The longest that any restart waits.
    pub const fn cap(&self) -> Duration {
        self.cap
    }

    /// How long a life must last to be healthy.
    pub const fn reset_after(&self) -> Duration {
        self.reset_after
    }

    /// The longest that each restart waits, failure by failure, without end.
    pub fn delays(self) -> impl Iterator<Item = Duration> {
        core::iter::successors(Some(self.first), move |last| Some(self.next(Some(*last))))
    }

    /// The shortest that a restart waits, if the longest is this.
    pub fn earliest(&self, latest: Duration) -> Duration {
        latest - scaled(latest, self.jitter.min(WHOLE), latest)
    }

    /// The delay after this one.
    pub(crate) fn next(&self, last: Option<Duration>) -> Duration {
        last.map_or(self.first, |last| scaled(last, self.factor, self.cap))
    }

    /// # Errors
    /// What makes no sense.
    pub(crate) fn check(&self) -> Result<(), BackoffError> {
        if self.first.is_zero() {
            return Err(BackoffError::ZeroDelay);
        }
        if self.cap < self.first {
            return Err(BackoffError::CapBelowFirst);
        }
        if self.reset_after.is_zero() {
            return Err(BackoffError::ZeroReset);
        }
        if self.factor < WHOLE {
            return Err(BackoffError::FactorBelowOne);
        }
        if self.jitter > WHOLE {
            return Err(BackoffError::JitterOutOfRange);
        }
        Ok(())
    }
}

impl BackoffError {
    /// What is wrong, and what to do.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::ZeroDelay => "its first delay is zero; make it longer, or leave the backoff out",
            Self::CapBelowFirst => "its cap is below its first delay; make the cap at least as long",
            Self::ZeroReset => {
                "its reset time is zero, so that no delay would ever grow; say how long a healthy life lasts"
            }
            Self::FactorBelowOne => "its factor is below 1; take 1 for delays of one length",
            Self::JitterOutOfRange => "its jitter is not between 0 and 1",
        }
    }
}

/// Rounded; what is negative or no number becomes 0, and what is too large the largest.
fn in_thousandths(number: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as the doc says")]
    let thousandths = (number * f64::from(WHOLE) + 0.5) as u32;
    thousandths
}

/// This many thousandths of a duration, but no more than `cap`. Rounded up, so that what is to grow does.
fn scaled(duration: Duration, thousandths: u32, cap: Duration) -> Duration {
    // Fits: a duration has fewer than 2^94 nanoseconds.
    let nanos = (duration.as_nanos() * u128::from(thousandths)).div_ceil(u128::from(WHOLE));
    match u64::try_from(nanos) {
        Ok(nanos) => Duration::from_nanos(nanos).min(cap),
        // Beyond 584 years only the cap is meant.
        Err(_) => cap,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn delays_by_first_cap_and_factor() {
        // first, cap, factor, the delays that follow, in ms
        let rows: &[(u32, u32, f64, &[u32])] = &[
            (100, 1_000, 2.0, &[100, 200, 400, 800, 1_000, 1_000]),
            (100, 1_000, 1.0, &[100, 100, 100]),
            (100, 100, 2.0, &[100, 100]),
            (100, 1_000, 1.5, &[100, 150, 225]),
            (1, 1_000, 1e300, &[1, 1_000, 1_000]),
            (10, 30, 3.0, &[10, 30, 30]),
        ];
        for &(first, cap, factor, expected) in rows {
            let backoff = Backoff::new(first * MS, cap * MS, MS).factor(factor);
            assert_eq!(backoff.check(), Ok(()));
            let got: Vec<_> = backoff.delays().take(expected.len()).collect();
            let expected: Vec<_> = expected.iter().map(|&ms| ms * MS).collect();
            assert_eq!(got, expected, "{backoff:?}");
        }
    }

    #[test]
    fn the_earliest_by_jitter() {
        for (jitter, expected) in [(0.0, 100), (0.2, 80), (0.5, 50), (1.0, 0)] {
            let backoff = Backoff::new(100 * MS, 100 * MS, MS).jitter(jitter);
            assert_eq!(backoff.check(), Ok(()));
            assert_eq!(backoff.earliest(100 * MS), expected * MS, "jitter {jitter}");
        }
        assert_eq!(Backoff::new(MS, MS, MS).earliest(5 * MS), 4 * MS, "a fifth unless said otherwise");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let good = Backoff::new(MS, 2 * MS, MS);
        let rows = [
            (good, Ok(())),
            (Backoff::new(Duration::ZERO, MS, MS), Err(BackoffError::ZeroDelay)),
            (Backoff::new(3 * MS, 2 * MS, MS), Err(BackoffError::CapBelowFirst)),
            (Backoff::new(MS, MS, Duration::ZERO), Err(BackoffError::ZeroReset)),
            (good.factor(0.999), Err(BackoffError::FactorBelowOne)),
            (good.factor(-2.0), Err(BackoffError::FactorBelowOne)),
            (good.factor(f64::NAN), Err(BackoffError::FactorBelowOne)),
            (good.factor(f64::INFINITY), Ok(())),
            (good.jitter(-0.1), Err(BackoffError::JitterOutOfRange)),
            (good.jitter(1.001), Err(BackoffError::JitterOutOfRange)),
            (good.jitter(f64::NAN), Err(BackoffError::JitterOutOfRange)),
        ];
        for (backoff, expected) in rows {
            assert_eq!(backoff.check(), expected, "{backoff:?}");
            if let Err(error) = expected {
                assert!(!error.text().is_empty());
            }
        }
    }

    /// Whatever is valid: delays never shrink, grow while they may, and stay within the cap; a wait ends within them.
    #[test]
    fn delays_grow_up_to_the_cap_and_no_further() {
        let long = [1, 7, 999, 1_000_000, 1 << 40, u64::MAX].map(Duration::from_nanos);
        let times = long.into_iter().chain([Duration::MAX]);
        for first in times.clone() {
            for cap in times.clone().filter(|cap| *cap >= first) {
                for factor in [1.0, 1.001, 1.5, 2.0, 1e9] {
                    for jitter in [0.0, 0.001, 0.5, 1.0] {
                        let backoff = Backoff::new(first, cap, first).factor(factor).jitter(jitter);
                        assert_eq!(backoff.check(), Ok(()));
                        let mut last = None;
                        for delay in backoff.delays().take(50) {
                            assert!(first <= delay && delay <= cap, "{backoff:?} {delay:?}");
                            let grows = last.is_none_or(|last| delay > last || delay == cap || factor == 1.0);
                            assert!(grows && last.is_none_or(|last| delay >= last), "{backoff:?} {delay:?}");
                            let earliest = backoff.earliest(delay);
                            assert!(earliest <= delay && (jitter > 0.0 || earliest == delay), "{backoff:?}");
                            last = Some(delay);
                        }
                    }
                }
            }
        }
    }
}
