//! One victim at a time: whose turn it is under a rule that strikes all its actors round-robin. There is one turn in
//! each period; the victim is struck at its next point, or killed idle when its turn has run out, or passed over.
//!
//! Nobody ticks here: the clock is looked at whenever any actor gets to any point, so in a system where nothing is
//! delivered no turn begins, and none ends.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minder::Moment;
use minder_runtime::hooks::Target;

/// How long a turn waits for its victim to do something.
const PATIENCE: Duration = Duration::from_millis(200);

/// The turns of one rule.
pub(crate) struct Turns {
    period: Duration,
    patience: Duration,
    /// Whether a victim that did nothing is killed.
    kills_idle: bool,
    /// Nanoseconds since the system's start before which there is nothing to do: kept outside of the lock, since it is
    /// asked for at every point of every actor.
    quiet_until: AtomicU64,
    state: Mutex<State>,
}

struct State {
    /// Everybody who can have a turn, with its living incarnation if that has begun under this plan.
    actors: BTreeMap<Arc<str>, Option<Target>>,
    /// Whose turn was the last.
    last: Option<Arc<str>>,
    /// Whose turn it is, and until when.
    open: Option<(Arc<str>, Moment)>,
    /// When the next turn begins.
    next: Moment,
}

/// What is to be done about whose turn it is.
#[derive(Debug)]
pub(crate) enum Call {
    /// Nothing now.
    Nobody,
    /// Strike the one that asked.
    Strike,
    /// Kill this one, which does nothing.
    KillIdle(Arc<str>, Target),
}

impl Turns {
    pub(crate) fn new(period: Duration, first: Moment, kills_idle: bool) -> Self {
        // A period of nothing would never let go of the first actor.
        let period = period.max(Duration::from_millis(1));
        let state = State { actors: BTreeMap::new(), last: None, open: None, next: first };
        Self {
            period,
            patience: PATIENCE.min(period / 2),
            kills_idle,
            quiet_until: AtomicU64::new(nanos(first)),
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody who can have a turn; with its incarnation, if that begins now.
    pub(crate) fn join(&self, path: &Arc<str>, target: Option<Target>) {
        let mut state = self.lock();
        let place = state.actors.entry(path.clone()).or_default();
        if target.is_some() {
            *place = target;
        }
    }

    /// The rule has struck as often as it may: no turn begins any more.
    pub(crate) fn end(&self) {
        self.quiet_until.store(u64::MAX, Ordering::Release);
    }

    /// Whether there can be anything to do now; cheap.
    pub(crate) fn is_quiet(&self, now: Moment) -> bool {
        nanos(now) < self.quiet_until.load(Ordering::Acquire)
    }

    /// An actor has got to a point; `fits` if the rule can strike there.
    pub(crate) fn call(&self, path: &str, fits: bool, now: Moment) -> Call {
        let mut state = self.lock();
        if state.open.is_none() {
            if now < state.next {
                return Call::Nobody;
            }
            let late = now.since(state.next).as_nanos() / self.period.as_nanos();
            // So late that it does not fit is later than any clock here will tell.
            let periods = u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1);
            state.next = state.next + self.period.saturating_mul(periods);
            state.open = state.following().map(|path| (path, now + self.patience));
        }
        let Some((whose, until)) = state.open.clone() else {
            return self.close(&mut state, None, Call::Nobody);
        };
        if &*whose == path && fits {
            return self.close(&mut state, Some(whose), Call::Strike);
        }
        if now < until {
            self.quiet_until.store(0, Ordering::Release);
            return Call::Nobody;
        }
        let target = state.actors.get(&whose).cloned().flatten();
        match target {
            Some(target) if self.kills_idle && target.is_alive() => {
                self.close(&mut state, Some(whose.clone()), Call::KillIdle(whose, target))
            }
            _ => {
                state.last = Some(whose);
                state.open = state.following().map(|path| (path, now + self.patience));
                Call::Nobody
            }
        }
    }

    /// Ends the turn: nothing to do until the next one.
    fn close(&self, state: &mut State, whose: Option<Arc<str>>, call: Call) -> Call {
        if whose.is_some() {
            state.last = whose;
        }
        state.open = None;
        self.quiet_until.store(nanos(state.next), Ordering::Release);
        call
    }
}

impl State {
    /// The next in the order of paths, the first after the last.
    fn following(&self) -> Option<Arc<str>> {
        let after = self.last.as_ref().and_then(|last| {
            self.actors.range::<str, _>((Excluded(&**last), Unbounded)).next().map(|(path, _)| path.clone())
        });
        after.or_else(|| self.actors.keys().next().cloned())
    }
}

/// 584 years at most.
fn nanos(moment: Moment) -> u64 {
    u64::try_from(moment.since_start().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::after_start(Duration::from_millis(ms))
    }

    fn turns(paths: &[&str]) -> Turns {
        let turns = Turns::new(Duration::from_secs(1), at(1_000), false);
        for path in paths {
            turns.join(&(*path).into(), None);
        }
        turns
    }

    #[test]
    fn one_turn_a_period_each_for_the_next_path() {
        let turns = turns(&["b", "a", "c"]);
        let mut struck = Vec::new();
        for ms in 0..5_500 {
            for path in ["c", "a", "b"] {
                if !turns.is_quiet(at(ms)) && matches!(turns.call(path, true, at(ms)), Call::Strike) {
                    struck.push((ms, path));
                }
            }
        }
        assert_eq!(struck, [(1_000, "a"), (2_000, "b"), (3_000, "c"), (4_000, "a"), (5_000, "b")]);
    }

    #[test]
    fn whoever_does_nothing_is_passed_over() {
        let turns = turns(&["a", "b", "c"]);
        let strikes = |ms, path| matches!(turns.call(path, true, at(ms)), Call::Strike);
        assert!(!strikes(1_000, "c"), "it is a's turn");
        assert!(!strikes(1_199, "c"));
        assert!(!strikes(1_200, "c"), "now it is b's");
        assert!(!turns.is_quiet(at(1_300)));
        assert!(!strikes(1_400, "c"), "now it is c's");
        assert!(strikes(1_401, "c"));
        assert!(turns.is_quiet(at(1_999)) && !turns.is_quiet(at(2_000)));
        assert!(strikes(2_000, "a"));
    }

    #[test]
    fn turns_that_were_missed_are_not_made_up_for() {
        let turns = turns(&["a"]);
        assert!(matches!(turns.call("a", true, at(7_300)), Call::Strike));
        assert!(turns.is_quiet(at(7_999)) && !turns.is_quiet(at(8_000)));
        turns.end();
        assert!(turns.is_quiet(at(1_000_000)));
    }

    #[test]
    fn a_point_where_the_rule_cannot_strike_is_none() {
        let turns = turns(&["a"]);
        assert!(matches!(turns.call("a", false, at(1_000)), Call::Nobody));
        assert!(matches!(turns.call("a", true, at(1_001)), Call::Strike));
    }
}
