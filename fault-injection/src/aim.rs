//! A rule at work, and how far it has got with one actor. Draws are made from the plan's seed and the actor's path, so
//! that one actor's faults do not depend on how often others were asked.
//! Time comes in as `Moment`, and is asked for only by rules that need it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use minder::Moment;
use minder_runtime::hooks::{Fault, Point, Site};

use crate::injector::ArmError;
use crate::kind::Kind;
use crate::pattern::{Pattern, message_matches};
use crate::rule::{Rule, When};
use crate::turns::Turns;

/// A rule of an armed plan.
pub(crate) struct Armed {
    pub(crate) kind: Kind,
    pub(crate) turns: Option<Turns>,
    on: Vec<Pattern>,
    message: Option<String>,
    lasting: Duration,
    when: When,
    /// From when on it counts; `None` if it always does.
    from: Option<Moment>,
    /// When the plan was armed.
    armed: Moment,
    limit: u64,
    struck: AtomicU64,
}

impl Armed {
    pub(crate) fn new(rule: Rule, now: Moment) -> Result<Self, ArmError> {
        if let When::Chance(chance) = rule.when
            && !(0.0..=1.0).contains(&chance)
        {
            return Err(ArmError::Chance(format!("{} on {}", rule.kind, rule.on.join(", "))));
        }
        let on: Result<Vec<Pattern>, _> = rule.on.iter().map(|pattern| pattern.parse()).collect();
        let from = now + rule.after;
        let turns = match rule.when {
            When::InTurn(period) => Some(Turns::new(period, from + period, rule.kind == Kind::Kill)),
            _ => None,
        };
        Ok(Self {
            kind: rule.kind,
            turns,
            on: on.map_err(ArmError::Pattern)?,
            message: rule.message,
            lasting: rule.lasting,
            when: rule.when,
            from: (!rule.after.is_zero()).then_some(from),
            armed: now,
            limit: rule.limit,
            struck: AtomicU64::new(0),
        })
    }

    pub(crate) fn is_for(&self, path: &str) -> bool {
        self.on.iter().any(|pattern| pattern.matches(path))
    }

    /// Whether this is a point that it can strike at.
    pub(crate) fn strikes_at(&self, at: &Site<'_>) -> bool {
        self.kind.strikes_at(at.point)
            && match (&self.message, at.point) {
                (None, _) => true,
                (Some(pattern), Point::Message(name)) => message_matches(pattern, name),
                (Some(_), _) => false,
            }
    }

    pub(crate) fn fault(&self) -> Fault {
        self.kind.fault(self.lasting)
    }

    /// Takes one from its limit, if there is one left.
    pub(crate) fn take(&self) -> bool {
        let one_more = |struck| (struck < self.limit).then_some(struck + 1);
        self.struck.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// A fault that was taken has found nothing to strike at.
    pub(crate) fn give_back(&self) {
        self.struck.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Where a rule stands with one actor.
pub(crate) struct Aim {
    pub(crate) rule: usize,
    reached: u64,
    /// The count, or the nanoseconds since the arming, from which on it is due.
    next: u64,
    /// Whether its time has come; looked up no more once it has.
    begun: bool,
    rng: fastrand::Rng,
}

impl Aim {
    pub(crate) fn new(seed: u64, path: &str, index: usize, rule: &Armed) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, path, index).hash(&mut hasher);
        let mut rng = fastrand::Rng::with_seed(hasher.finish());
        let next = match rule.when {
            When::Nth(n) => n,
            When::Every(n) => 1 + rng.u64(0..n.max(1)),
            When::Interval(time) => {
                let from = rule.from.map_or(0, |from| nanos(from.since(rule.armed)));
                from.saturating_add(rng.u64(0..nanos(time).max(1)))
            }
            When::Chance(_) | When::InTurn(_) => 0,
        };
        Self { rule: index, reached: 0, next, begun: rule.from.is_none(), rng }
    }

    /// Whether the rule, at a point that it can strike at, is due.
    pub(crate) fn is_due(&mut self, rule: &Armed, now: impl Fn() -> Moment) -> bool {
        if !self.begun && rule.from.is_some_and(|from| now() < from) {
            return false;
        }
        self.begun = true;
        self.reached += 1;
        match rule.when {
            When::Nth(n) => self.reached == n,
            When::Every(n) => {
                let due = self.reached >= self.next;
                if due {
                    self.next = self.reached + 1 + n / 2 + self.rng.u64(0..n.max(1));
                }
                due
            }
            When::Chance(chance) => self.rng.f64() < chance,
            When::Interval(time) => {
                let (now, time) = (nanos(now().since(rule.armed)), nanos(time));
                let due = now >= self.next;
                if due {
                    self.next = now.saturating_add(time / 2).saturating_add(self.rng.u64(0..time.max(1)));
                }
                due
            }
            // Decided for all actors together.
            When::InTurn(_) => false,
        }
    }
}

/// Nanoseconds of a duration; 584 years at most.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::fault;

    fn at(ms: u64) -> Moment {
        Moment::after_start(Duration::from_millis(ms))
    }

    /// The milliseconds, one point each, at which a rule is due.
    fn due(seed: u64, path: &str, rule: Rule, until_ms: u64) -> Vec<u64> {
        let rule = Armed::new(rule, at(0)).expect("the rule makes sense");
        let mut aim = Aim::new(seed, path, 0, &rule);
        (1..=until_ms).filter(|ms| aim.is_due(&rule, || at(*ms))).collect()
    }

    #[test]
    fn equal_seeds_decide_equally_and_others_do_not() {
        let rules = [
            fault(Kind::Kill).every(20),
            fault(Kind::Kill).chance(0.05),
            fault(Kind::Kill).interval(Duration::from_millis(20)),
        ];
        for rule in rules {
            let first = due(7, "bank/store", rule.clone(), 2_000);
            assert!((50..=200).contains(&first.len()), "{rule:?}: {first:?}");
            assert_eq!(first, due(7, "bank/store", rule.clone(), 2_000));
            assert_ne!(first, due(8, "bank/store", rule.clone(), 2_000), "{rule:?}: another seed");
            assert_ne!(first, due(7, "bank/ledger", rule.clone(), 2_000), "{rule:?}: another path");
        }
    }

    #[test]
    fn gaps_are_half_to_one_and_a_half_times_what_was_asked_for() {
        let rules = [fault(Kind::Kill).every(20), fault(Kind::Kill).interval(Duration::from_millis(20))];
        for rule in rules {
            let due = due(3, "a", rule, 5_000);
            assert!(due[0] <= 20, "{due:?}");
            assert!(due.windows(2).all(|pair| (10..=31).contains(&(pair[1] - pair[0]))), "{due:?}");
        }
    }

    #[test]
    fn nothing_counts_before_its_time() {
        let second = Duration::from_secs(1);
        assert_eq!(due(1, "a", fault(Kind::Error).nth(3).after(second), 3_000), [1_002]);
        for rule in [fault(Kind::Error).every(10), fault(Kind::Error).chance(0.5), fault(Kind::Error).nth(1)]
        {
            let due = due(1, "a", rule.after(second), 3_000);
            assert!(due[0] >= 1_000 && due[0] < 1_020, "{due:?}");
        }
        let due = due(1, "a", fault(Kind::Error).interval(Duration::from_millis(10)).after(second), 3_000);
        assert!(due[0] >= 1_000 && due[0] <= 1_010, "{due:?}");
    }

    #[test]
    fn no_more_than_the_limit() {
        let rule = Armed::new(fault(Kind::Error).limit(2), at(0)).expect("it makes sense");
        assert!(rule.take() && rule.take() && !rule.take());
        rule.give_back();
        assert!(rule.take() && !rule.take());
    }
}
