//! Children with needs: every short sequence of events over every small graph, long random walks over larger ones, and the
//! special case that is rest-for-one.

mod rest_for_one;
mod world;

use minder_signals::ExitReason;
use minder_supervisors_core::{
    AutoShutdown, Backoff, Budget, ChildRules, Event, Exhausted, InARow, NeedsRules, ReportsReady, Restart,
    Shutdown,
};
use std::sync::Arc;
use std::time::Duration;
use world::{TICK, World};

const SECOND: Duration = Duration::from_secs(1);
const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a usize")
    }

    pub(crate) fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

pub(crate) fn needing(id: &str, needs: &[&str]) -> ChildRules {
    let mut rules = ChildRules::worker(id);
    if !needs.is_empty() {
        rules.policy_mut().needs = needs.iter().map(|need| Arc::from(*need)).collect();
    }
    rules
}

/// Goes through everything that can happen within this many events; how many were tried.
fn explore(world: &World, depth: usize) -> u64 {
    if depth == 0 {
        // Wherever it stops, it can go on to rest, and to its end.
        let mut world = world.clone();
        world.let_settle();
        world.assert_settled();
        world.event(Event::Stop(ExitReason::Shutdown));
        world.let_settle();
        assert!(world.over, "the end is reached: {}", world.story());
        return 1;
    }
    let mut events = world.events();
    if !world.ending {
        events.push(Event::Stop(ExitReason::Normal));
    }
    let mut tried = 0;
    for event in events {
        let mut world = world.clone();
        world.event(event);
        tried += explore(&world, depth - 1);
    }
    tried
}

#[test]
fn every_short_sequence_over_every_small_graph_keeps_the_promises() {
    const DEPTH: usize = 4;
    // Which of the three pairs there are: b needs a, c needs a, c needs b. Declared forwards and backwards.
    let (mut graphs, mut sequences) = (0, 0);
    for edges in 0..8 {
        let edge = |bit: usize, id: &'static str| (edges & (1 << bit) != 0).then_some(id);
        let (b, c): (Vec<_>, Vec<_>) =
            (edge(0, "a").into_iter().collect(), edge(1, "a").into_iter().chain(edge(2, "b")).collect());
        for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
            for backwards in [false, true] {
                let mut children = vec![needing("a", &[]), needing("b", &b), needing("c", &c)];
                children[1].restart = restart;
                children[edges % 3].policy_mut().readiness = Some(ReportsReady { within: None });
                // By chance it may wait for no time at all, so that the end of a wait is among the next events.
                let backoff = Backoff::new(SECOND, SECOND, SECOND).jitter(1.0);
                children[2 * (edges % 2)].policy_mut().backoff = backwards.then_some(backoff);
                if backwards {
                    children.reverse();
                }
                let rules = NeedsRules::new(2, SECOND, AutoShutdown::Never, children).expect("no cycle");
                let mut world = World::new(rules);
                // From the beginning; and from a tree that is up.
                sequences += explore(&world, DEPTH);
                world.let_settle();
                sequences += explore(&world, DEPTH);
                graphs += 1;
            }
        }
    }
    println!("{graphs} graphs, {sequences} sequences");
    assert!(sequences >= 70_000, "only {sequences} sequences: the enumeration has lost its reach");
}

fn random_rules(random: &mut Random) -> NeedsRules {
    let count = 1 + random.below(IDS.len());
    let density = 1 + random.below(4);
    let significant =
        random.one_of(&[AutoShutdown::Never, AutoShutdown::AnySignificant, AutoShutdown::AllSignificant]);
    let mut children = Vec::new();
    for place in 0..count {
        let needs: Vec<&str> = IDS[..place].iter().copied().filter(|_| random.below(5) < density).collect();
        let mut rules = needing(IDS[place], &needs);
        rules.restart =
            random.one_of(&[Restart::Permanent, Restart::Permanent, Restart::Transient, Restart::Temporary]);
        rules.shutdown = random.one_of(&[
            Shutdown::Infinity,
            Shutdown::Within(3 * SECOND),
            Shutdown::BrutalKill,
            Shutdown::Within(Duration::ZERO),
        ]);
        let within = random.one_of(&[None, Some(2 * SECOND)]);
        if random.below(3) == 0 {
            rules.policy_mut().readiness = Some(ReportsReady { within });
        }
        rules.policy_mut().disabled = random.below(8) == 0;
        if rules.restart != Restart::Temporary {
            beyond(random, &mut rules);
        }
        rules.significant =
            significant != AutoShutdown::Never && rules.restart != Restart::Permanent && random.below(2) == 0;
        children.insert(random.below(place + 1), rules);
    }
    let limit = u32::try_from(random.below(12)).expect("small");
    NeedsRules::new(limit, 3 * SECOND, significant, children).expect("needs go backwards")
}

/// Backoff, and limits of its own.
fn beyond(random: &mut Random, rules: &mut ChildRules) {
    let policy = rules.policy_mut();
    if random.below(3) > 0 {
        policy.backoff = Some(Backoff::new(SECOND, 4 * SECOND, 8 * SECOND));
    }
    let restarts = u32::try_from(random.below(4)).expect("small");
    if random.below(4) == 0 {
        policy.budget = Some(Budget { restarts, period: 8 * SECOND });
    }
    if random.below(4) == 0 {
        policy.in_a_row = Some(InARow { restarts, healthy_after: 8 * SECOND });
    }
    if policy.budget.is_some() || policy.in_a_row.is_some() {
        policy.exhausted = random.one_of(&[Exhausted::Escalate, Exhausted::LeaveDown, Exhausted::LeaveDown]);
    }
}

#[test]
fn long_random_walks_keep_the_promises_and_always_come_to_rest() {
    let (mut random, mut events, mut ends, mut waits) = (Random(7), 0, 0, 0);
    for _ in 0..2_000 {
        let mut world = World::new(random_rules(&mut random));
        let busy = random.below(4);
        for _ in 0..random.below(60) {
            let possible = world.events();
            match random.below(20) {
                0 | 1 => world.now = world.now + TICK,
                2 if random.below(20) == 0 => drop(world.event(Event::Stop(ExitReason::Normal))),
                3..=7 if busy > 0 && !world.over => {
                    let request = random.one_of(&world.requests());
                    world.ask(request);
                }
                _ if possible.is_empty() => {}
                _ => match random.one_of(&possible) {
                    Event::Exited { slot, reason, .. } => {
                        world.event(Event::Exited { slot, reason, charged: random.below(8) > 0 });
                    }
                    event => drop(world.event(event)),
                },
            }
            events += 1;
        }
        (ends, waits) = (ends + u32::from(world.ending), waits + world.waited);
        world.let_settle();
        world.assert_settled();
        world.event(Event::Stop(ExitReason::Shutdown));
        world.let_settle();
        assert!(world.over, "the end is reached: {}", world.story());
    }
    println!("{events} events, {ends} ends on the way, {waits} waits");
    assert!(ends > 50, "{ends}: walks that end by themselves are among them");
    assert!(waits > 200, "{waits}: restarts that wait are among them");
}
