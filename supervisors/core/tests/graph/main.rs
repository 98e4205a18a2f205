//! Children with needs: every short sequence of events over every small graph, long random walks over larger ones, and the
//! special case that is rest-for-one.

mod changes;
mod rest_for_one;
mod rules;
mod world;

use minder_signals::ExitReason;
use minder_supervisors_core::{
    AutoShutdown, Backoff, ChildRules, Event, Likeness, NeedsRules, ReportsReady, Restart,
};
use rules::{new_rules, rules};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use world::{NewRules, TICK, Told, World};

const SECOND: Duration = Duration::from_secs(1);

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

/// Goes through everything that can happen within this many events, at most one of these changes among them; how many were
/// tried.
fn explore(mut world: World, depth: usize, changes: &[(NewRules, bool)]) -> u64 {
    if depth == 0 {
        // Wherever it stops, it can go on to rest, and to its end.
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
        tried += explore(world, depth - 1, changes);
    }
    for (new, in_parts) in changes.iter().filter(|_| !world.ending) {
        let mut world = world.clone();
        world.change(new.clone(), *in_parts, Told::AsItIs);
        tried += explore(world, depth - 1, &[]);
    }
    tried
}

/// Every graph of three, by which of the three pairs there are: b needs a, c needs a, c needs b; declared forwards and
/// backwards. With the number of its edges, as a set of them.
fn small_graphs() -> impl Iterator<Item = (usize, World)> {
    (0..8).flat_map(|edges| {
        let edge = move |bit: usize, id: &'static str| (edges & (1 << bit) != 0).then_some(id);
        let (b, c): (Vec<_>, Vec<_>) =
            (edge(0, "a").into_iter().collect(), edge(1, "a").into_iter().chain(edge(2, "b")).collect());
        let restarts = [Restart::Permanent, Restart::Transient, Restart::Temporary];
        let kinds = restarts.into_iter().flat_map(|restart| [(restart, false), (restart, true)]);
        kinds.map(move |(restart, backwards)| {
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
            (edges, World::new(rules))
        })
    })
}

#[test]
fn every_short_sequence_over_every_small_graph_keeps_the_promises() {
    const DEPTH: usize = 4;
    let (mut graphs, mut sequences) = (0, 0);
    for (_, mut world) in small_graphs() {
        // From the beginning; and from a tree that is up.
        sequences += explore(world.clone(), DEPTH, &[]);
        world.let_settle();
        sequences += explore(world, DEPTH, &[]);
        graphs += 1;
    }
    println!("{graphs} graphs, {sequences} sequences");
    assert!(sequences >= 70_000, "only {sequences} sequences: the enumeration has lost its reach");
}

#[test]
fn every_short_sequence_with_a_change_among_it_keeps_the_promises() {
    const DEPTH: usize = 3;
    let mut sequences = 0;
    for (edges, mut world) in small_graphs() {
        world.let_settle();
        sequences += explore(world, DEPTH, &small_changes(edges));
    }
    println!("{sequences} sequences");
    assert!(sequences >= 20_000, "only {sequences} sequences: the enumeration has lost its reach");
}

/// One is replaced on whom others depend by the new rules, one goes and one comes; and one is changed inside, part by part.
fn small_changes(edges: usize) -> Vec<(NewRules, bool)> {
    let new = |children: Vec<ChildRules>, likeness: &[Likeness], in_parts| {
        let rules = NeedsRules::new(2, SECOND, AutoShutdown::Never, children).expect("no cycle");
        (NewRules { rules, likeness: likeness.to_vec() }, in_parts)
    };
    let (other, same, inside) = (Likeness::Other, Likeness::Same, Likeness::Inside);
    let turned = vec![needing("c", &[]), needing("n", &["a"]), needing("a", &["c"])];
    let kept = vec![needing("a", &[]), needing("b", &["a"]), needing("n", &["b"])];
    vec![
        new(turned, &[other, same, [same, inside][edges % 2]], false),
        new(kept, &[inside, [same, inside][edges % 2], same], edges < 4),
    ]
}

/// Something happens.
pub(crate) fn step(world: &mut World, random: &mut Random) {
    let event = match random.below(3) {
        0 => world.goes_well(),
        _ => Some(world.events()).filter(|events| !events.is_empty()).map(|events| random.one_of(&events)),
    };
    match event {
        Some(Event::Exited { slot, reason, .. }) => {
            world.event(Event::Exited { slot, reason, charged: random.below(8) > 0 });
        }
        Some(event) => world.event(event),
        None => {}
    }
}

#[test]
fn long_random_walks_keep_the_promises_and_always_come_to_rest() {
    let (mut random, mut events, mut ends) = (Random(7), 0, 0);
    let mut counts = BTreeMap::<&str, u32>::new();
    for _ in 0..5_000 {
        let limited = random.below(2) == 0;
        let mut world = World::new(rules(&mut random, limited));
        if random.below(2) == 0 {
            world.let_settle();
        }
        let (busy, changes) = (random.below(4) > 0, random.below(3) > 0);
        for _ in 0..random.below(80) {
            match random.below(20) {
                0 | 1 => world.now = world.now + TICK,
                2 if random.below(20) == 0 => world.event(Event::Stop(ExitReason::Normal)),
                3..=6 if busy && !world.over => {
                    let request = random.one_of(&world.requests());
                    world.ask(request);
                }
                7 if changes && !world.over && random.below(2) == 0 => {
                    let told = [Told::AsItIs; 9].into_iter().chain([Told::Nothing, Told::OfAnother]);
                    let (new, told) = (new_rules(&world, &mut random, limited), told.collect::<Vec<_>>());
                    world.change(new, random.below(3) == 0, random.one_of(&told));
                }
                _ => step(&mut world, &mut random),
            }
            events += 1;
        }
        ends += u32::from(world.ending);
        world.let_settle();
        world.assert_settled();
        world.counts.iter().for_each(|(what, often)| *counts.entry(*what).or_default() += often);
        world.event(Event::Stop(ExitReason::Shutdown));
        world.let_settle();
        assert!(world.over, "the end is reached: {}", world.story());
    }
    println!("{events} events, {ends} ends on the way, {counts:?}");
    assert!(ends > 50, "{ends}: walks that end by themselves are among them");
    let least = [
        ("waits", 200),
        ("applied", 1_200),
        ("refused", 400),
        ("let go", 130),
        ("held", 800),
        ("parts", 400),
        ("failed", 200),
        ("held back", 90),
    ];
    for (what, least) in least {
        assert!(counts.get(what) > Some(&least), "{what} is among them: {counts:?}");
    }
}
