//! Restart intensity: how many restarts within a period are still tolerable.
//! Pure; time comes in as `Moment`. Counts attempts, not successes; a group restart is one attempt.
//! An exact sliding window: memory is bounded by the limit, the cost is amortised O(1).
//! Does not decide *whether* a child deserves a restart; see `verdict.rs`.

use crate::Level;
use alloc::collections::VecDeque;
use core::time::Duration;
use minder_signals::Moment;

/// The restarts of the last period, oldest first, never more than the limit.
#[derive(Clone, Debug)]
pub(crate) struct Intensity {
    limit: u32,
    period: Duration,
    window: VecDeque<Moment>,
}

impl Intensity {
    /// At most `limit` restarts within `period`. Nothing is set aside beforehand: the window grows with use.
    pub(crate) fn new(limit: u32, period: Duration) -> Self {
        Self { limit, period, window: VecDeque::new() }
    }

    /// Counts a restart at `now` if that is still tolerable. If not, nothing is counted: its supervisor ends.
    ///
    /// # OTP
    /// `add_restart/1`, on an exact clock instead of whole seconds (SUP-058): a restart exactly a period old still
    /// counts, an older one is forgotten.
    pub(crate) fn admit(&mut self, now: Moment) -> bool {
        while self.window.front().is_some_and(|&oldest| now.since(oldest) > self.period) {
            self.window.pop_front();
        }
        let tolerable = self.count() < self.limit;
        if tolerable {
            self.window.push_back(now);
        }
        tolerable
    }

    /// Goes by another limit and period. What was counted still is: of more than the new limit the latest.
    pub(crate) fn change(&mut self, limit: u32, period: Duration) {
        (self.limit, self.period) = (limit, period);
        let kept = usize::try_from(limit).unwrap_or(usize::MAX);
        self.window.drain(..self.window.len().saturating_sub(kept));
    }

    /// How many restarts stood in the window when it was last asked.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.window.len()).unwrap_or(u32::MAX)
    }

    /// The most that are tolerable within a period.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// What it goes by.
    pub(crate) fn level(&self) -> Level {
        Level { limit: self.limit, period: self.period }
    }

    /// # Panics
    /// If more is remembered than the limit.
    pub(crate) fn check(&self) {
        assert!(self.count() <= self.limit, "the window holds no more than the limit");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Intensity {
        /// With another limit, whatever stands in the window: for breaking it.
        pub(crate) fn with_limit(self, limit: u32) -> Self {
            Self { limit, ..self }
        }
    }

    fn at(nanos: u64) -> Moment {
        Moment::after_start(Duration::from_nanos(nanos))
    }

    /// OTP: SUP-058.
    #[test]
    fn a_restart_exactly_a_period_old_still_counts() {
        let mut intensity = Intensity::new(1, Duration::from_nanos(100));
        assert!(intensity.admit(at(7)));
        assert!(!intensity.clone().admit(at(106)));
        assert!(!intensity.clone().admit(at(107)), "exactly as old as the period");
        assert!(intensity.admit(at(108)), "one nanosecond older");
        assert_eq!(intensity.count(), 1);
    }

    /// OTP: SUP-052.
    #[test]
    fn limit_zero_tolerates_nothing() {
        let mut intensity = Intensity::new(0, Duration::from_secs(1));
        assert!(!intensity.admit(Moment::START));
        assert!(!intensity.admit(Moment::END));
        assert_eq!(intensity.window.capacity(), 0);
    }

    /// OTP: SUP-057.
    #[test]
    fn the_window_slides_and_is_not_reset() {
        let mut intensity = Intensity::new(2, Duration::from_nanos(10));
        assert!(intensity.admit(at(0)));
        assert!(intensity.admit(at(8)));
        assert!(!intensity.admit(at(9)));
        assert!(intensity.admit(at(11)), "the first is forgotten");
        assert!(!intensity.admit(at(18)), "the second is not");
        assert!(intensity.admit(at(19)));
    }

    #[test]
    fn a_refused_restart_is_not_counted() {
        let mut intensity = Intensity::new(1, Duration::from_nanos(10));
        assert!(intensity.admit(at(0)));
        assert!(!intensity.admit(at(10)));
        assert!(intensity.admit(at(11)));
    }

    #[test]
    fn another_limit_counts_what_was_there() {
        let mut intensity = Intensity::new(3, Duration::from_nanos(10));
        assert!([1, 5, 6].into_iter().all(|n| intensity.admit(at(n))));
        intensity.change(2, Duration::from_nanos(10));
        intensity.check();
        assert!(!intensity.clone().admit(at(15)), "the latest two, at 5 and 6");
        assert!(intensity.clone().admit(at(16)));
        intensity.change(3, Duration::from_nanos(2));
        assert_eq!(intensity.level(), Level { limit: 3, period: Duration::from_nanos(2) });
        assert!(intensity.admit(at(7)));
        intensity.change(0, Duration::from_nanos(2));
        assert!(!intensity.admit(at(100)));
        intensity.change(1, Duration::from_nanos(2));
        assert!(intensity.admit(at(100)));
    }

    #[test]
    fn large_limits_cost_nothing_until_used_and_memory_is_bounded() {
        let mut huge = Intensity::new(u32::MAX, Duration::MAX);
        assert!((0..100_000).all(|n| huge.admit(at(n))));
        assert_eq!(huge.count(), 100_000);

        let mut intensity = Intensity::new(1_000, Duration::from_nanos(999));
        assert!((0..1_000_000).all(|n| intensity.admit(at(n))), "one a nanosecond is just tolerable");
        assert_eq!(intensity.count(), 1_000);
        assert!(intensity.window.capacity() <= 2_048);
        intensity.check();
    }

    #[test]
    fn a_clock_that_stands_still_or_steps_back_forgets_nothing() {
        let mut intensity = Intensity::new(2, Duration::from_nanos(10));
        assert!(intensity.admit(at(50)));
        assert!(intensity.admit(at(20)));
        assert!(!intensity.admit(at(20)));
    }

    /// Every short series of waits against a count over the whole history.
    #[test]
    fn agrees_with_counting_the_history() {
        const WAITS: [u64; 5] = [0, 1, 4, 5, 6];
        for limit in 0..=3 {
            for series in 0..5_usize.pow(6) {
                let mut intensity = Intensity::new(limit, Duration::from_nanos(5));
                let (mut now, mut admitted) = (0, alloc::vec::Vec::new());
                for step in 0..6 {
                    now += WAITS[series / 5_usize.pow(step) % 5];
                    let recent = admitted.iter().filter(|&&then| now - then <= 5).count();
                    let expected = recent < limit as usize;
                    assert_eq!(intensity.admit(at(now)), expected);
                    if expected {
                        admitted.push(now);
                    }
                }
            }
        }
    }
}
