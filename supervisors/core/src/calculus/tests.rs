//! The formulas against supervisors that run: chains of them over one child that crashes by the clock, and one over many
//! children that crash at random.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use minder_signals::{ExitReason, Moment};

use super::{Level, Paces, Threshold, sharers, thresholds};
use crate::{
    AutoShutdown, Budget, ChildRules, Command, Event, InARow, Policy, Rules, Slot, Strategy, Supervision,
};

const fn level(limit: u32, period: Duration) -> Level {
    Level { limit, period }
}

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// Supervisors with no limits but their own.
fn alone(levels: &[Level]) -> Vec<Vec<Level>> {
    levels.iter().map(|level| vec![*level]).collect()
}

/// The defaults of four platforms, three levels deep: the table in which these formulas were found.
#[test]
fn defaults_of_others() {
    let rows = [
        ("OTP", 1, [(5_000_000, 2), (2_500_000, 4), (1_250_000, 8)]),
        ("Gleam", 2, [(2_500_000, 3), (833_333, 9), (277_777, 27)]),
        ("Elixir", 3, [(1_666_666, 4), (416_666, 16), (104_166, 64)]),
        ("Ergo", 5, [(1_000_000, 6), (166_666, 36), (27_777, 216)]),
    ];
    for (name, limit, expected) in rows {
        let found = thresholds(&alone(&[level(limit, Duration::from_secs(5)); 3]));
        let found: Vec<(Duration, u64)> = found
            .iter()
            .map(|found| {
                let longest = found.longest.expect("a limit above 0");
                (micros(u64::try_from(longest.as_micros()).expect("short")), found.crashes)
            })
            .collect();
        assert_eq!(found, expected.map(|(longest, crashes)| (micros(longest), crashes)), "{name}");
    }
}

#[test]
fn what_is_at_the_ends() {
    let second = Duration::from_secs(1);
    let rows: Vec<(Vec<Level>, Vec<Threshold>)> = vec![
        (vec![], vec![]),
        (vec![level(0, second)], vec![Threshold { longest: None, crashes: 1 }]),
        // Nobody above is heard of more than one that is below.
        (
            vec![level(10, second), level(1, Duration::MAX)],
            vec![
                Threshold { longest: Some(second / 10), crashes: 11 },
                Threshold { longest: Some(second / 10), crashes: 22 },
            ],
        ),
        (
            vec![level(u32::MAX, Duration::from_nanos(1)); 3],
            vec![
                Threshold { longest: Some(Duration::ZERO), crashes: 1 << 32 },
                Threshold { longest: Some(Duration::ZERO), crashes: u64::MAX },
                Threshold { longest: Some(Duration::ZERO), crashes: u64::MAX },
            ],
        ),
        // Whatever is counted for ever is counted at any pace.
        (
            vec![level(3, Duration::MAX), level(1, second)],
            vec![
                Threshold { longest: None, crashes: 4 },
                Threshold { longest: Some(second / 4), crashes: 8 },
            ],
        ),
    ];
    for (levels, expected) in rows {
        assert_eq!(thresholds(&alone(&levels)), expected, "{levels:?}");
    }
    let times = [
        (Threshold { longest: None, crashes: 1 }, Some(Duration::ZERO)),
        (Threshold { longest: None, crashes: 2 }, None),
        (Threshold { longest: Some(second), crashes: 4 }, Some(3 * second)),
        (Threshold { longest: Some(Duration::MAX), crashes: 3 }, Some(Duration::MAX)),
    ];
    for (threshold, expected) in times {
        assert_eq!(threshold.time(), expected, "{threshold:?}");
    }
}

/// Of several limits at one level, whatever their order: the slowest pace, and of those that are equally slow the one that
/// takes the fewest crashes.
#[test]
fn several_limits_at_one_level() {
    let second = Duration::from_secs(1);
    let (below, two, three) = (level(1, second), level(1, Duration::MAX), level(2, Duration::MAX));
    let always = level(0, second);
    let rows = [
        (vec![two, three], Some(second), 4),
        (vec![three, two], Some(second), 4),
        // The first gives up after fewer crashes, but only where they come faster.
        (vec![below, level(3, 30 * second)], Some(second), 8),
        (vec![two, always], Some(second), 2),
        (vec![always, two], Some(second), 2),
    ];
    for (limits, longest, crashes) in rows {
        let found = thresholds(&[vec![below], limits.clone()]);
        assert_eq!(found[1], Threshold { longest, crashes }, "{limits:?}");
    }
    for limits in [[always, below], [below, always]] {
        let found = thresholds(&[limits.to_vec()]);
        assert_eq!(found, [Threshold { longest: None, crashes: 1 }], "at once comes before anything else");
    }
}

/// However many levels there are: what says nothing new is not handed on, or it would double at each.
#[test]
fn equal_limits_count_once() {
    let limits = [level(1, Duration::from_secs(1)); 2];
    let mut paces = Paces(vec![Threshold { longest: None, crashes: 1 }]);
    for _ in 0..3 {
        paces = paces.ends(&limits);
        assert_eq!(paces.0.len(), 1);
    }
}

#[test]
fn how_long_independent_crashes_are_borne() {
    let seconds = Duration::from_secs;
    let rows = [
        // The first crash is one too many.
        (level(0, seconds(5)), 0.5, 2.0),
        // 1! / (λ · (λt)), and 3! / (λ · (λt)³).
        (level(1, seconds(5)), 0.0625, 51.2),
        (level(3, seconds(2)), 0.25, 192.0),
        // They come so fast that only how many it takes is of weight.
        (level(3, seconds(10)), 1.0, 4.0),
        (level(3, seconds(10)), 2.0, 2.0),
        // In the thousands the smallest factors alone come to less than can be written, and yet it is not the first crashes that count.
        (level(3_000, seconds(1)), 1_102.0, 10.740_288_138_461_73),
        (level(5_000, seconds(1)), 1_838.0, 4.308_375_830_782_482),
        (level(5_000, seconds(1)), 1_836.0, 997.556_115_585_006_8),
        (level(5_000, seconds(1)), 4_000.0, 5_001.0 / 4_000.0),
        (level(10_000, seconds(1)), 1_000.0, f64::INFINITY),
        // Of as good as no limit what is too many to be counted is not followed further.
        (level(u32::MAX, seconds(1)), 1e9, 1e-9 * 10_001.0),
        (level(u32::MAX, seconds(1)), 1.0, f64::INFINITY),
    ];
    for (level, rate, expected) in rows {
        let found = super::mean_time_to_give_up(level, rate);
        let close = found == expected || (found / expected - 1.0).abs() < 1e-12;
        assert!(close, "{level:?} at {rate}: {found} s, {expected} s expected");
    }
}

/// A supervisor of one child, up.
fn up(level: Level) -> (Supervision, Slot) {
    up_with(level, &Policy::default())
}

/// The same, and the child is given this.
fn up_with(Level { limit, period }: Level, policy: &Policy) -> (Supervision, Slot) {
    let child = ChildRules { policy: Some(Arc::new(policy.clone())), ..ChildRules::worker("child") };
    let rules = Rules::new(Strategy::OneForOne, limit, period, AutoShutdown::Never, vec![child]);
    let mut supervision = Supervision::new(rules.expect("nothing is wrong with it"));
    let slot = supervision.slots().next().expect("it has a child");
    let mut commands = Vec::new();
    supervision.handle(Event::Start, Moment::START, &mut commands);
    supervision.handle(Event::Started(slot), Moment::START, &mut commands);
    (supervision, slot)
}

/// Lets the child below all of them crash every `period`, so many times; after how many crashes each gave up first.
fn crash(policy: &Policy, levels: &[Level], period: Duration, times: u64) -> Vec<Option<u64>> {
    let nothing = Policy::default();
    let policy_at = |at: usize| if at == 0 { policy } else { &nothing };
    let mut chain: Vec<_> =
        levels.iter().enumerate().map(|(at, level)| up_with(*level, policy_at(at))).collect();
    let mut gave_up = vec![None; levels.len()];
    let mut now = Moment::START;
    for crashes in 1..=times {
        now = now + period;
        for (at, level) in levels.iter().enumerate() {
            let (supervision, slot) = &mut chain[at];
            let mut commands = Vec::new();
            // Who gives up says `shutdown`, and is permanent.
            let reason = if at == 0 { ExitReason::Killed } else { ExitReason::Shutdown };
            supervision.handle(Event::Exited { slot: *slot, reason, charged: true }, now, &mut commands);
            if !matches!(commands.last(), Some(Command::Exit(_))) {
                supervision.handle(Event::Started(*slot), now, &mut commands);
                break;
            }
            gave_up[at].get_or_insert(crashes);
            chain[at] = up_with(*level, policy_at(at));
        }
    }
    gave_up
}

/// Numbers that look random, always the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

#[test]
fn each_threshold_from_both_sides() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut chains: Vec<Vec<Level>> =
        [1, 2, 3, 5].map(|limit| vec![level(limit, Duration::from_secs(5)); 3]).into();
    chains.extend((0..400).map(|_| {
        let mut any = || {
            let limit = u32::try_from(random.below(5)).expect("small");
            level(limit, Duration::from_nanos(1 + random.below(1_000)))
        };
        (0..3).map(|_| any()).collect()
    }));
    let mut sides = 0;
    for levels in chains {
        sides += both_sides(&Policy::default(), &[], &levels);
    }
    assert!(sides > 1_500, "only {sides}");
}

/// With limits of the child's own, which end the nearest supervisor as well.
#[test]
fn each_threshold_of_a_child_with_limits_of_its_own_from_both_sides() {
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut sides = 0;
    for _ in 0..400 {
        let mut any = || {
            let limit = u32::try_from(random.below(4)).expect("small");
            level(limit, Duration::from_nanos(2 + random.below(1_000)))
        };
        let levels: Vec<Level> = (0..3).map(|_| any()).collect();
        let (budget, in_a_row) = (any(), any());
        let policy = Policy {
            budget: Some(Budget { restarts: budget.limit, period: budget.period }),
            in_a_row: Some(InARow { restarts: in_a_row.limit, healthy_after: in_a_row.period }),
            ..Policy::default()
        };
        let own = [policy.budget.map(Budget::level), policy.in_a_row.map(|it| it.level(Duration::ZERO))];
        sides += both_sides(&policy, &own.map(|limit| limit.expect("set just now")), &levels);
    }
    assert!(sides > 1_000, "only {sides}");
}

/// Checks each threshold at its pace and a nanosecond beyond; how many sides those were.
fn both_sides(policy: &Policy, own: &[Level], levels: &[Level]) -> usize {
    let mut sides = 0;
    let mut limits = alone(levels);
    limits[0].extend(own);
    for (at, Threshold { longest, crashes }) in thresholds(&limits).into_iter().enumerate() {
        let Some(longest) = longest else {
            // Whatever the pace.
            let found = crash(policy, levels, Duration::from_secs(1_000), crashes)[at];
            assert_eq!(found, Some(crashes), "{policy:?} {levels:?}");
            continue;
        };
        let at_it = crash(policy, levels, longest, crashes);
        assert_eq!(at_it[at], Some(crashes), "{policy:?} {levels:?} every {longest:?}");
        let longer = longest + Duration::from_nanos(1);
        let beyond = crash(policy, levels, longer, crashes * 4 + 10);
        assert_eq!(
            beyond[at], None,
            "{policy:?} {levels:?} every {longer:?}: never, and that was long enough"
        );
        sides += 2;
    }
    sides
}

#[test]
fn how_many_may_share() {
    let (day, month) = (Duration::from_secs(86_400), Duration::from_secs(30 * 86_400));
    let seconds = Duration::from_secs;
    let rows = [
        // 86,400² / (n² · 5 s) is 30 days at 24 children.
        (level(1, seconds(5)), 24),
        // 6 · 86,400⁴ / (n⁴ · 125 s³) is 30 days at 1,007.
        (level(3, seconds(5)), 1_007),
        // Every crash of any of them is one too many.
        (level(0, seconds(5)), 0),
    ];
    for (level, expected) in rows {
        assert_eq!(sharers(level, day, month), expected, "{level:?}");
    }
    assert!(sharers(level(u32::MAX, seconds(1)), day, month) > 10_000_000, "as good as no limit");
    let mut before = 0;
    for limit in 1..50 {
        let now = sharers(level(limit, seconds(10)), day, month);
        assert!(now >= before, "a larger limit is for no fewer children: {limit}");
        before = now;
    }
}

/// The estimate against a supervisor whose children crash at random: not far off, and on the safe side.
#[test]
fn independent_crashes_against_the_estimate() {
    let mut random = Random(7);
    for (limit, period, every) in [(1, 5.0, 40.0), (2, 5.0, 30.0), (3, 5.0, 20.0)] {
        let level = level(limit, Duration::from_secs_f64(period));
        let expected = super::mean_time_to_give_up(level, 1.0 / every);
        let mut times = Vec::new();
        for _ in 0..300 {
            let (mut supervision, slot) = up(level);
            let mut now = Moment::START;
            for crashes in 0.. {
                assert!(crashes < 100_000, "it never gives up");
                // Exponential waits, by the sum of small chances: no logarithms without the standard library.
                let mut wait = 1;
                while random.below(400) != 0 {
                    wait += 1;
                }
                now = now + Duration::from_secs_f64(f64::from(wait) * every / 400.0);
                let mut commands = Vec::new();
                let reason = ExitReason::Killed;
                supervision.handle(Event::Exited { slot, reason, charged: true }, now, &mut commands);
                if matches!(commands.last(), Some(Command::Exit(_))) {
                    break;
                }
                supervision.handle(Event::Started(slot), now, &mut commands);
                assert!(
                    now.since_start().as_secs_f64() < 100.0 * expected,
                    "limit {limit}: it never gives up"
                );
            }
            times.push(now.since_start().as_secs_f64());
        }
        let mean = times.iter().sum::<f64>() / 300.0;
        assert!((0.85..2.5).contains(&(mean / expected)), "limit {limit}: {mean} s, {expected} s expected");
    }
}
