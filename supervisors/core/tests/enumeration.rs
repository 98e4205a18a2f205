//! Every sequence of events that an environment can produce, to a small depth, against the plain model of
//! `reference.rs`: the same commands after every event, and children that stand alike.
//! Two beginnings: before the supervisor's own start, and after it. Reports are not compared; `rows.rs` shows them. Changes of
//! rules are in `live.rs`, what goes beyond OTP in `beyond.rs`.

mod beyond;
mod fixed;
mod harness;
mod live;
mod notes;
mod reference;
mod walks;
mod words;

use fixed::beginning;
use harness::{Case, LIMIT, PERIOD, TICK, Tally};
use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    AutoShutdown, ChildRules, Event, Restart, Rules, Shutdown, Strategy, Supervision,
};
use std::time::{Duration, Instant};
use words::Input;

/// As deep as ordinary tests go. [`DEEP`] goes on.
const DEPTH: usize = 4;
/// Names how many seconds `as_deep_as_time_allows` may take; it does nothing without.
const DEEP: &str = "MINDER_DEEP_SECONDS";
const STRATEGIES: [Strategy; 3] = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];
const RESTARTS: [Restart; 3] = [Restart::Permanent, Restart::Transient, Restart::Temporary];
const SHUTDOWNS: [[Shutdown; 3]; 2] = [
    [Shutdown::Infinity, Shutdown::Within(LIMIT), Shutdown::BrutalKill],
    [Shutdown::Within(LIMIT), Shutdown::Within(Duration::ZERO), Shutdown::Within(LIMIT)],
];

/// Both beginnings of one specification.
fn enumerate(rules: &Rules, depth: usize, most_asks: u64) -> Tally {
    let (slots, mut supervision, mut world) = beginning(rules);
    // With three children that would be half as much again, and show no more.
    world.uncharged = rules.children().len() < 3;
    world.most_asks = most_asks;
    let mut case = Case::new(rules, &slots);
    case.step(Event::Start, &mut supervision, &mut world);
    case.explore(&supervision, &world, depth);
    for child in 0..rules.children().len() {
        case.input(Input::Started(child), &mut supervision, &mut world);
    }
    assert!(world.ready);
    case.explore(&supervision, &world, depth);
    case.tally
}

/// The specifications of one strategy: all restart types over one to three children, with shutdown settings in turn.
fn family(strategy: Strategy) -> Vec<Rules> {
    let mut family = Vec::new();
    for count in 1..=3_u32 {
        for combination in 0..3_usize.pow(count) {
            for (variant, shutdowns) in SHUTDOWNS.iter().enumerate() {
                let children: Vec<ChildRules> = (0..count)
                    .map(|child| ChildRules {
                        restart: RESTARTS[combination / 3_usize.pow(child) % 3],
                        shutdown: shutdowns[child as usize],
                        ..ChildRules::worker(&child.to_string())
                    })
                    .collect();
                let limit = 1 + u32::from(variant == 1);
                let mut push = |auto_shutdown, children| {
                    family.push(Rules::new(strategy, limit, PERIOD, auto_shutdown, children).expect("valid"));
                };
                if variant == 1 {
                    let mut significant = children.clone();
                    for child in &mut significant {
                        child.significant = child.restart != Restart::Permanent;
                    }
                    if count < 3 {
                        push(AutoShutdown::AnySignificant, significant.clone());
                        push(AutoShutdown::Never, children);
                    }
                    push(AutoShutdown::AllSignificant, significant);
                } else {
                    push(AutoShutdown::Never, children);
                }
            }
        }
    }
    family
}

#[test]
fn every_short_sequence_agrees_with_the_reference() {
    let (mut specs, mut total) = (0, Tally::default());
    std::thread::scope(|scope| {
        let threads = STRATEGIES.map(|strategy| {
            scope.spawn(move || {
                let family = family(strategy);
                let tallies: Vec<Tally> = family.iter().map(|rules| enumerate(rules, DEPTH, 0)).collect();
                (family.len(), tallies)
            })
        });
        for thread in threads {
            let (count, tallies) = thread.join().expect("implementation and reference agree");
            specs += count;
            for tally in tallies {
                total.sequences += tally.sequences;
                total.events += tally.events;
            }
        }
    });
    let Tally { sequences, events } = total;
    println!("{sequences} sequences, {events} events, {specs} specifications, depth {DEPTH}");
    assert!(sequences >= FEWEST_SEQUENCES, "only {sequences} sequences: the enumeration has lost its reach");
}

/// Requests among everything else, from a supervisor of two children that has come up; the first may also come while
/// it starts.
#[test]
fn every_short_sequence_with_requests_agrees_with_the_reference() {
    const DEPTH: usize = 3;
    let mut total = Tally::default();
    for strategy in STRATEGIES {
        for rules in family(strategy).iter().filter(|rules| rules.children().len() == 2 && rules.limit() == 1)
        {
            let (slots, mut supervision, mut world) = beginning(rules);
            world.most_asks = 2;
            let mut case = Case::new(rules, &slots);
            case.step(Event::Start, &mut supervision, &mut world);
            case.explore(&supervision, &world, DEPTH - 1);
            for child in 0..2 {
                case.input(Input::Started(child), &mut supervision, &mut world);
            }
            case.explore(&supervision, &world, DEPTH);
            total.sequences += case.tally.sequences;
            total.events += case.tally.events;
        }
    }
    println!("{} sequences, {} events", total.sequences, total.events);
    assert!(total.sequences >= FEWEST_WITH_REQUESTS, "only {}", total.sequences);
}

/// A little less than was measured when this was written.
const FEWEST_WITH_REQUESTS: u64 = 120_000;

/// A little less than was measured when this was written.
const FEWEST_SEQUENCES: u64 = 340_000;

/// On demand, in a build with optimizations: one to four children of every restart type, requests and changes of rules among
/// everything else, one level deeper for as long as there is time. It says how deep it came.
///
/// `MINDER_DEEP_SECONDS=60 cargo test --release -p minder-supervisors-core --test enumeration as_deep -- --nocapture`
#[test]
#[expect(clippy::disallowed_methods, reason = "how long it may take is somebody's real time")]
fn as_deep_as_time_allows() {
    let Some(seconds) = std::env::var(DEEP).ok().and_then(|seconds| seconds.parse().ok()) else { return };
    let end = Instant::now() + Duration::from_secs(seconds);
    let family: Vec<Rules> = STRATEGIES.into_iter().flat_map(every_combination).collect();
    for depth in 1.. {
        let began = Instant::now();
        // Handed out one by one, so that nobody idles; nothing new is begun when time is over.
        let next = std::sync::atomic::AtomicUsize::new(0);
        let work = || {
            let mut tally = Tally::default();
            while Instant::now() < end
                && let Some(rules) = family.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            {
                for one in [enumerate(rules, depth, 1), live::explored(rules, depth)] {
                    tally.sequences += one.sequences;
                    tally.events += one.events;
                }
            }
            tally
        };
        let tallies: Vec<Tally> = std::thread::scope(|scope| {
            let workers = std::thread::available_parallelism().map_or(1, usize::from);
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|it| it.join().expect("implementation and reference agree")).collect()
        });
        let sequences: u64 = tallies.iter().map(|tally| tally.sequences).sum();
        let events: u64 = tallies.iter().map(|tally| tally.events).sum();
        let begun = next.into_inner().min(family.len());
        let took = began.elapsed();
        println!(
            "depth {depth}: {sequences} sequences, {events} events, {begun} of {} specifications, {took:.1?}",
            family.len()
        );
        if Instant::now() >= end {
            return;
        }
    }
}

/// All restart types over one to four children, with everything else in turn.
fn every_combination(strategy: Strategy) -> Vec<Rules> {
    let mut all = Vec::new();
    for count in 1..=4_u32 {
        for combination in 0..3_usize.pow(count) {
            let shutdowns = SHUTDOWNS[combination % 2];
            let auto_shutdown =
                [AutoShutdown::Never, AutoShutdown::AnySignificant, AutoShutdown::AllSignificant]
                    [combination % 3];
            let child = |child: u32| {
                let restart = RESTARTS[combination / 3_usize.pow(child) % 3];
                let significant = auto_shutdown != AutoShutdown::Never && restart != Restart::Permanent;
                let shutdown = shutdowns[child as usize % 3];
                ChildRules { restart, shutdown, significant, ..ChildRules::worker(&child.to_string()) }
            };
            let limit = 1 + u32::from(combination % 4 == 3);
            let rules = Rules::new(strategy, limit, PERIOD, auto_shutdown, (0..count).map(child).collect());
            all.push(rules.expect("valid"));
        }
    }
    all
}

/// What no environment should do: any event, of any child, at any time. Nothing panics, and every invariant holds.
#[test]
fn no_event_out_of_place_breaks_anything() {
    const STEPS: usize = 4;
    for strategy in STRATEGIES {
        for restart in RESTARTS {
            let child = |id: &str, shutdown| ChildRules { restart, shutdown, ..ChildRules::worker(id) };
            let children = vec![child("a", Shutdown::BrutalKill), child("b", Shutdown::Within(LIMIT))];
            let rules = Rules::new(strategy, 1, PERIOD, AutoShutdown::Never, children).expect("valid");
            let supervision = Supervision::new(rules);
            let mut events = vec![Event::Start, Event::Stop(ExitReason::Normal)];
            for slot in supervision.slots() {
                events.push(Event::Started(slot));
                events.push(Event::StartFailed(slot, ExitReason::Killed));
                events.push(Event::Ignored(slot));
                events.push(Event::Exited { slot, reason: ExitReason::Killed, charged: true });
                events.push(Event::Exited { slot, reason: ExitReason::Killed, charged: false });
                events.push(Event::StopDeadline(slot));
                events.push(Event::TryAgain(slot));
            }
            let mut up = supervision.clone();
            let mut commands = Vec::new();
            up.handle(Event::Start, Moment::START, &mut commands);
            for slot in supervision.slots() {
                up.handle(Event::Started(slot), Moment::START, &mut commands);
            }
            throw(&supervision, &events, STEPS);
            throw(&up, &events, STEPS);
        }
    }
}

fn throw(supervision: &Supervision, events: &[Event], steps: usize) {
    if steps == 0 {
        return;
    }
    let now = Moment::START + TICK * u32::try_from(10 - steps).expect("few steps");
    for event in events {
        let mut supervision = supervision.clone();
        let mut commands = Vec::new();
        supervision.handle(event.clone(), now, &mut commands);
        supervision.check();
        throw(&supervision, events, steps - 1);
    }
}
