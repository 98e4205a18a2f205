//! Whether one more restart is tolerable: by the child's own limits first (`record.rs`), then by the supervisor's
//! (`intensity.rs`). Restarts that are not charged are counted apart.
//! Pure; time comes in. Does not decide whether a child deserves a restart (`verdict.rs`), nor who shares its fate.

use crate::command::{Decision, Report};
use crate::intensity::Intensity;
use crate::record::{Records, Ruling};
use crate::{Level, Policy, Slot};
use alloc::sync::Arc;
use core::time::Duration;
use minder_signals::{ExitReason, Moment};

/// What one supervisor tolerates.
#[derive(Clone, Debug)]
pub(crate) struct Tolerance {
    charged: Intensity,
    /// Restarts that were not charged: no more of them within a period than of those that were.
    uncharged: Intensity,
}

impl Tolerance {
    /// At most `limit` restarts within `period`.
    pub(crate) fn new(limit: u32, period: Duration) -> Self {
        let charged = Intensity::new(limit, period);
        Self { uncharged: charged.clone(), charged }
    }

    /// The child in this slot would be restarted now. Every attempt counts (SUP-055), but for those that are not charged and
    /// let off; these are neither counted by the child's own limits nor delayed.
    pub(crate) fn attempt(
        &mut self,
        records: &mut Records,
        slot: Slot,
        policy: Option<&Policy>,
        charged: bool,
        now: Moment,
    ) -> Ruling {
        if !charged && self.uncharged.admit(now) {
            return Ruling::Restart(None);
        }
        match records.failed(slot, policy, now) {
            Ruling::Restart(_) if !self.charged.admit(now) => Ruling::GiveUp,
            ruling => ruling,
        }
    }

    /// Goes by another limit and period. What was counted still is.
    pub(crate) fn change(&mut self, limit: u32, period: Duration) {
        self.charged.change(limit, period);
        self.uncharged.change(limit, period);
    }

    /// What it goes by.
    pub(crate) fn level(&self) -> Level {
        self.charged.level()
    }

    /// What is decided on a child, with the count as it stands.
    pub(crate) fn report(
        &self,
        slot: Slot,
        child: Arc<str>,
        reason: ExitReason,
        decision: Decision,
    ) -> Report {
        let (restarts, limit) = (self.charged.count(), self.charged.limit());
        Report { slot, child, reason, decision, restarts, limit, delay: None, retried: false }
    }

    /// # Panics
    /// If either window holds more than the limit.
    pub(crate) fn check(&self) {
        self.charged.check();
        self.uncharged.check();
    }
}

#[cfg(test)]
impl Tolerance {
    /// With these windows, whatever stands in them: for breaking it.
    pub(crate) fn of(charged: Intensity, uncharged: Intensity) -> Self {
        Self { charged, uncharged }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Budget;
    use crate::found_out::assert_found_out;

    const SECOND: Duration = Duration::from_secs(1);

    /// Each attempt: whether it is charged, and what follows.
    #[test]
    fn what_is_let_off_is_counted_apart_and_own_limits_come_first() {
        let own = Policy { budget: Some(Budget { restarts: 1, period: SECOND }), ..Policy::default() };
        let now = Ruling::Restart(None);
        type Attempts<'a> = &'a [(bool, Ruling)];
        let rows: [(Option<&Policy>, u32, Attempts<'_>); 4] = [
            (None, 2, &[(true, now), (true, now), (true, Ruling::GiveUp)]),
            // Two more are let off; the third is charged.
            (None, 2, &[(false, now), (true, now), (false, now), (true, now), (false, Ruling::GiveUp)]),
            (Some(&own), 2, &[(false, now), (true, now), (true, Ruling::Exhausted { used: 1, limit: 1 })]),
            (Some(&own), 0, &[(true, Ruling::GiveUp)]),
        ];
        for (policy, limit, attempts) in rows {
            let (mut tolerance, mut records) = (Tolerance::new(limit, SECOND), Records::default());
            for (number, &(charged, expected)) in attempts.iter().enumerate() {
                let ruling = tolerance.attempt(&mut records, Slot::FIRST, policy, charged, Moment::START);
                assert_eq!(ruling, expected, "attempt {number} with {policy:?}");
                tolerance.check();
            }
        }
    }

    #[test]
    fn a_change_holds_for_both_windows() {
        let (mut tolerance, mut records) = (Tolerance::new(2, SECOND), Records::default());
        for charged in [true, true, false, false] {
            tolerance.attempt(&mut records, Slot::FIRST, None, charged, Moment::START);
        }
        tolerance.change(1, 2 * SECOND);
        tolerance.check();
        assert_eq!(tolerance.level(), Level { limit: 1, period: 2 * SECOND });
        let later = Moment::START + 2 * SECOND;
        for charged in [true, false] {
            let ruling = tolerance.clone().attempt(&mut records, Slot::FIRST, None, charged, later);
            assert_eq!(ruling, Ruling::GiveUp, "still counted, charged or not");
        }
    }

    #[test]
    fn a_window_that_holds_too_much_is_found_out() {
        let (empty, mut full) = (Intensity::new(1, SECOND), Intensity::new(1, SECOND));
        full.admit(Moment::START);
        let full = full.with_limit(0);
        let either = [Tolerance::of(full.clone(), empty.clone()), Tolerance::of(empty, full)];
        for (row, broken) in either.into_iter().enumerate() {
            assert_found_out(row, "the window holds no more than the limit", || broken.check());
        }
    }
}
