//! What a supervisor remembers of a child that is given more than OTP gives, and has failed: failures in a row, the last
//! delay, its own restarts. Kept beside the children, so that those without cost nothing.
//! Pure; time comes in. Does not decide who shares a child's fate, nor count for the supervisor (`intensity.rs`).

use crate::intensity::Intensity;
use crate::{Budget, Policy, Slot};
use alloc::collections::BTreeMap;
use core::time::Duration;
use minder_signals::Moment;

/// How long a restart waits: between these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delay {
    /// At least so long.
    pub earliest: Duration,
    /// At most so long.
    pub latest: Duration,
}

/// Whether one more restart is tolerable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ruling {
    /// It is, at once or after a delay.
    Restart(Option<Delay>),
    /// It is not by the child's own limits: so many restarts were used, of so many.
    Exhausted { used: u32, limit: u32 },
    /// Its supervisor has used up its own.
    GiveUp,
}

/// What a child has used up of its own limits, and whether that was by a restart that failed.
pub(crate) struct Used {
    pub(crate) used: u32,
    pub(crate) limit: u32,
    pub(crate) retried: bool,
}

/// The records of all children that have one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    of: BTreeMap<Slot, Record>,
}

/// What is remembered of one child, from its first failure on.
#[derive(Clone, Debug)]
struct Record {
    /// Since when it is up, while it is.
    up_since: Option<Moment>,
    /// The last delay, since the last life that was long enough to forget it.
    delay: Option<Duration>,
    /// Restarts in a row.
    in_a_row: u32,
    budget: Option<Intensity>,
}

impl Records {
    /// The child is up from now on.
    pub(crate) fn up(&mut self, slot: Slot, now: Moment) {
        if let Some(record) = self.of.get_mut(&slot) {
            record.up_since = Some(now);
        }
    }

    /// The child is up and ready, and may have been waited for until now.
    pub(crate) fn counts(&mut self, slot: Slot, now: Moment) {
        if let Some(record) = self.of.get_mut(&slot) {
            record.up_since.get_or_insert(now);
        }
    }

    /// The child's life is over, for whatever reason. If it was a healthy one, what came before is forgiven.
    pub(crate) fn ended(&mut self, slot: Slot, policy: Option<&Policy>, now: Moment) {
        let (Some(policy), Some(record)) = (policy, self.of.get_mut(&slot)) else { return };
        let Some(life) = record.up_since.take().map(|since| now.since(since)) else { return };
        if policy.backoff.is_some_and(|backoff| life >= backoff.reset_after()) {
            record.delay = None;
        }
        if policy.in_a_row.is_some_and(|in_a_row| life >= in_a_row.healthy_after) {
            record.in_a_row = 0;
        }
    }

    /// The child has failed and would be restarted now. Counts, if that is still within its limits.
    pub(crate) fn failed(&mut self, slot: Slot, policy: Option<&Policy>, now: Moment) -> Ruling {
        let Some(policy) = policy.filter(|policy| policy.restrains()) else { return Ruling::Restart(None) };
        let record = self.of.entry(slot).or_insert_with(|| Record {
            up_since: None,
            delay: None,
            in_a_row: 0,
            budget: None,
        });
        // Its rules may have been changed since the last time.
        record.budget = policy.budget.map(|Budget { restarts, period }| match record.budget.take() {
            Some(mut budget) => {
                budget.change(restarts, period);
                budget
            }
            None => Intensity::new(restarts, period),
        });
        if let Some(in_a_row) = policy.in_a_row
            && record.in_a_row >= in_a_row.restarts
        {
            return Ruling::Exhausted { used: record.in_a_row, limit: in_a_row.restarts };
        }
        if let Some(budget) = &mut record.budget
            && !budget.admit(now)
        {
            return Ruling::Exhausted { used: budget.count(), limit: budget.limit() };
        }
        record.in_a_row = record.in_a_row.saturating_add(1);
        let Some(backoff) = policy.backoff else { return Ruling::Restart(None) };
        let latest = backoff.next(record.delay);
        record.delay = Some(latest);
        Ruling::Restart(Some(Delay { earliest: backoff.earliest(latest), latest }))
    }

    /// Children are in other slots now; those that are in none are gone for good.
    pub(crate) fn moved(&mut self, now: &BTreeMap<Slot, Slot>) {
        let records = core::mem::take(&mut self.of);
        self.of = records.into_iter().filter_map(|(was, record)| Some((*now.get(&was)?, record))).collect();
    }

    /// The child begins anew, or is gone for good.
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.of.remove(&slot);
    }

    /// # Panics
    /// If there is a record of somebody who is `unknown`: it would be counted against whoever comes there next.
    pub(crate) fn check(&self, unknown: impl Fn(Slot) -> bool) {
        assert!(!self.of.keys().any(|slot| unknown(*slot)), "records are of children: {self:?}");
        self.of.values().filter_map(|record| record.budget.as_ref()).for_each(Intensity::check);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::{Backoff, InARow};

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Moment {
        Moment::START + SECOND * seconds
    }

    fn waits(seconds: u32) -> Ruling {
        Ruling::Restart(Some(Delay { earliest: SECOND * seconds, latest: SECOND * seconds }))
    }

    /// Each life: when it begins, when it fails, and what follows.
    #[test]
    fn lives_and_what_follows() {
        let backoff = Some(Backoff::new(SECOND, 4 * SECOND, 10 * SECOND).jitter(0.0));
        let in_a_row = Some(InARow { restarts: 2, healthy_after: 10 * SECOND });
        let budget = Some(Budget { restarts: 2, period: 30 * SECOND });
        let exhausted = Ruling::Exhausted { used: 2, limit: 2 };
        let now = Ruling::Restart(None);
        type Lives<'a> = &'a [(Option<u32>, u32, Ruling)];
        let rows: &[(Policy, Lives<'_>)] = &[
            (Policy::default(), &[(Some(0), 0, now), (Some(0), 0, now), (Some(0), 0, now)]),
            (
                Policy { backoff, ..Policy::default() },
                &[
                    (Some(0), 0, waits(1)),
                    (Some(1), 2, waits(2)),
                    // Failed starts are no lives.
                    (None, 20, waits(4)),
                    (None, 40, waits(4)),
                    (Some(50), 59, waits(4)),
                    // Exactly long enough.
                    (Some(60), 70, waits(1)),
                    (Some(71), 72, waits(2)),
                ],
            ),
            (
                Policy { in_a_row, ..Policy::default() },
                &[
                    (Some(0), 0, now),
                    (Some(0), 1, now),
                    (Some(1), 11, now),
                    (None, 100, now),
                    (None, 200, exhausted),
                    (None, 300, exhausted),
                ],
            ),
            (
                Policy { budget, ..Policy::default() },
                &[
                    (Some(0), 0, now),
                    (Some(0), 20, now),
                    // Health does not matter to a budget, only time: the first is exactly a period old.
                    (Some(20), 30, exhausted),
                    (Some(30), 31, now),
                ],
            ),
            (
                Policy { backoff, in_a_row, ..Policy::default() },
                &[(Some(0), 1, waits(1)), (Some(2), 3, waits(2)), (Some(5), 6, exhausted)],
            ),
        ];
        let slot = Slot::FIRST;
        for (policy, lives) in rows {
            let mut records = Records::default();
            for (step, &(up, failed, expected)) in lives.iter().enumerate() {
                if let Some(up) = up {
                    records.up(slot, at(up));
                    records.ended(slot, Some(policy), at(failed));
                }
                assert_eq!(
                    records.failed(slot, Some(policy), at(failed)),
                    expected,
                    "life {step} of {policy:?}"
                );
                records.check(|other| other != slot);
            }
            records.forget(slot);
            assert!(records.of.is_empty());
        }
    }

    /// Broken by hand: a record of nobody, and a child's window that holds more than its limit.
    #[test]
    fn a_broken_record_is_found_out() {
        let policy = Policy { budget: Some(Budget { restarts: 1, period: SECOND }), ..Policy::default() };
        let mut records = Records::default();
        assert_eq!(records.failed(Slot::FIRST, Some(&policy), at(0)), Ruling::Restart(None));
        let passes = |records: &Records, unknown| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| records.check(|_| unknown))).is_ok()
        };
        assert!(passes(&records, false));
        assert!(!passes(&records, true), "of a child that is not there");
        let record = records.of.get_mut(&Slot::FIRST).expect("it has failed");
        record.budget = record.budget.take().map(|window| window.with_limit(0));
        assert!(!passes(&records, false), "a window beyond its limit");
    }

    #[test]
    fn without_a_policy_nothing_is_remembered() {
        let mut records = Records::default();
        assert_eq!(records.failed(Slot::FIRST, None, at(0)), Ruling::Restart(None));
        records.up(Slot::FIRST, at(0));
        records.ended(Slot::FIRST, None, at(1));
        assert!(records.of.is_empty());
    }

    /// Whoever is stopped while it is healthy is forgiven just as if it had fallen.
    #[test]
    fn a_healthy_life_that_was_cut_short_by_others_counts() {
        let policy = Policy {
            backoff: Some(Backoff::new(SECOND, 8 * SECOND, 10 * SECOND).jitter(0.0)),
            ..Policy::default()
        };
        let (slot, policy) = (Slot::FIRST, Some(&policy));
        let mut records = Records::default();
        assert_eq!(records.failed(slot, policy, at(0)), waits(1));
        assert_eq!(records.failed(slot, policy, at(1)), waits(2));
        records.up(slot, at(3));
        records.ended(slot, policy, at(20));
        records.up(slot, at(20));
        records.ended(slot, policy, at(21));
        assert_eq!(records.failed(slot, policy, at(21)), waits(1));
    }
}
