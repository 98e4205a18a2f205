//! Restart calculus: how far up the crashes of one child are heard, and how long independent ones are borne.
//! Arithmetic on limits and periods, for whoever explains or checks a tree before it runs.
//! Decides nothing: that is `intensity.rs`, and a test holds the formulas here against supervisors that go by it.

use crate::{Budget, InARow};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

#[cfg(test)]
mod tests;

/// The restart intensity of one supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Level {
    /// How many restarts are tolerable within the period.
    pub limit: u32,
    /// The period within which restarts count.
    pub period: Duration,
}

/// When a supervisor gives up because one child below it crashes again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Threshold {
    /// The longest time from one crash to the next at which it does; if crashes are further apart, it never does. Nothing
    /// if it always does: a limit of 0, or with a period of [`Duration::MAX`], all the way down.
    pub longest: Option<Duration>,
    /// How many crashes that takes at that pace, the first among them. [`u64::MAX`] if not even that is enough.
    pub crashes: u64,
}

impl Threshold {
    /// How long after the first crash it gives up, at worst; nothing if there is no worst.
    pub fn time(&self) -> Option<Duration> {
        if self.crashes <= 1 {
            return Some(Duration::ZERO);
        }
        Some(from_nanos(self.longest?.as_nanos().saturating_mul(u128::from(self.crashes - 1))))
    }
}

/// For a child that crashes every so often, and the supervisors above it, the nearest first: when each of them gives up.
///
/// With limit r and period t, the nearest sees every crash and gives up if r crash periods fit into t, at the crash
/// after them: (r + 1) in all. The next one sees one end in that many crashes, and so on up. So does nobody whose
/// child has not given up first. It is assumed that each is started again by the one above, at once.
///
/// A supervisor may have several limits: its own, and those of the child below it that end it as well. Then it gives up at
/// whichever comes first, and what is said of it is said of the slowest pace at which it gives up.
pub fn thresholds(levels: &[Vec<Level>]) -> Vec<Threshold> {
    let mut paces = Paces(vec![Threshold { longest: None, crashes: 1 }]);
    let mut thresholds = Vec::with_capacity(levels.len());
    for limits in levels {
        paces = paces.ends(limits);
        // Without a limit nobody gives up, here or above.
        let Some(slowest) = paces.0.last() else { break };
        thresholds.push(*slowest);
    }
    thresholds
}

impl Budget {
    /// As a limit of whoever minds the child.
    pub fn level(self) -> Level {
        Level { limit: self.restarts, period: self.period }
    }
}

impl InARow {
    /// As a limit of whoever minds the child, if its lives are all of one length: so many within as many lives that are
    /// just not healthy. `between`: how long it takes at most from the end of a life until the next one counts, in which its
    /// restart waits and it gets ready.
    pub fn level(self, between: Duration) -> Level {
        let unhealthy = self.healthy_after.saturating_sub(Duration::from_nanos(1));
        let pace = unhealthy.saturating_add(between);
        Level { limit: self.restarts, period: pace.saturating_mul(self.restarts) }
    }
}

/// How many crashes make one end, by how far apart they are: the faster paces first. The slower the more crashes; slower
/// than the last there is no end.
struct Paces(Vec<Threshold>);

impl Paces {
    /// Of a supervisor that sees those ends and gives up at whichever of these limits comes first.
    fn ends(&self, limits: &[Level]) -> Self {
        let seen_by = |limit: &Level| self.0.iter().map(|below| below.seen_by(*limit)).collect::<Vec<_>>();
        let mut all: Vec<Threshold> = limits.iter().flat_map(seen_by).collect();
        // From the slowest pace on, which is any; a faster one counts only if it takes fewer crashes.
        all.sort_by_key(|pace| (pace.longest.is_some(), Reverse(pace.longest), pace.crashes));
        let mut paces: Vec<Threshold> = Vec::with_capacity(all.len());
        for pace in all {
            if paces.last().is_none_or(|slower| pace.crashes < slower.crashes) {
                paces.push(pace);
            }
        }
        paces.reverse();
        Self(paces)
    }
}

impl Threshold {
    /// When a limit is used up by such ends.
    fn seen_by(self, Level { limit, period }: Level) -> Self {
        // The restarts in the window, counted in crashes; fits, since the factors have 32 and 64 bits.
        let waits = u128::from(limit) * u128::from(self.crashes);
        let counts_for_ever = period == Duration::MAX;
        let heard = period.as_nanos().checked_div(waits).filter(|_| !counts_for_ever).map(from_nanos);
        let longest = heard.into_iter().chain(self.longest).min();
        Self { longest, crashes: self.crashes.saturating_mul(u64::from(limit) + 1) }
    }
}

/// How many children that each crash once in `every`, independently of each other, can share this intensity, if the
/// supervisor is to give up because of that no more often than once in `at_least`, on average.
///
/// To first order, for crashes that together come at the rate λ, with limit r and period t: r! / (λ·(λt)^r). That is
/// pessimistic, increasingly so as λt grows.
pub fn sharers(level: Level, every: Duration, at_least: Duration) -> u64 {
    let enough = |children: u64| {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = children as f64 / every.as_secs_f64();
        mean_time_to_give_up(level, rate) >= at_least.as_secs_f64()
    };
    // The time falls with every child: halve the range in which the answer is.
    let (mut fine, mut too_many) = (0, u64::from(u32::MAX));
    while too_many - fine > 1 {
        let middle = fine.midpoint(too_many);
        if enough(middle) {
            fine = middle;
        } else {
            too_many = middle;
        }
    }
    fine
}

/// Beyond this many restarts a limit is as good as none: the product below is not followed further.
const MANY: u32 = 10_000;

/// In seconds, for crashes that come independently at this rate a second.
fn mean_time_to_give_up(Level { limit, period }: Level, rate: f64) -> f64 {
    let limit = limit.min(MANY);
    let in_window = rate * period.as_secs_f64();
    // Whatever else: so many crashes have to come.
    let least = (f64::from(limit) + 1.0) / rate;
    let mut time = 1.0 / rate;
    // The factors from both ends, so that the product stays within what can be written for as long as they make up for each
    // other: one after the other those below 1 alone would come to nothing.
    let mut factors = 1..=limit;
    while let Some(restart) = if time < 1.0 { factors.next_back() } else { factors.next() } {
        time *= f64::from(restart) / in_window;
    }
    time.max(least)
}

fn from_nanos(nanos: u128) -> Duration {
    const NANOS: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanos / NANOS);
    let rest = u32::try_from(nanos % NANOS).expect("a rest is less than a second");
    seconds.map_or(Duration::MAX, |seconds| Duration::new(seconds, rest))
}
