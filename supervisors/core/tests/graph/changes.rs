//! Any rules applied to a supervisor in any state: once all has gone well it stands as one that was started by those rules.

use crate::rules::{new_rules, rules};
use crate::world::{Child, Process, TICK, Told, World};
use crate::{Random, step};
use minder_signals::ExitReason;
use minder_supervisors_core::{Event, Slot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What has become of each: starts, stops, new epochs.
type Lives = BTreeMap<Arc<str>, (u32, u32, u32)>;

fn lives(world: &World) -> Lives {
    let of = |child: &Child| (child.rules.id.clone(), (child.starts, child.stops, child.epochs));
    world.children.values().map(of).collect()
}

fn up(world: &World) -> Vec<Arc<str>> {
    let up = world.children.values().filter(|child| matches!(child.process, Process::Up { .. }));
    up.map(|child| child.rules.id.clone()).collect()
}

/// What the crash of a child leads to.
fn crash(world: &mut World, id: &Arc<str>) -> (Lives, Vec<Arc<str>>) {
    let slot: Slot = world.named(id).expect("it is up");
    let before = lives(world);
    world.event(Event::Exited { slot, reason: ExitReason::other("boom"), charged: true });
    world.let_settle();
    world.assert_settled();
    let after = lives(world).into_iter().map(|(id, (starts, stops, epochs))| {
        let was = before[&id];
        (id, (starts - was.0, stops - was.1, epochs - was.2))
    });
    (after.collect(), up(world))
}

#[test]
fn whatever_stood_before_it_stands_as_if_started_so() {
    let (mut random, mut alike, mut groups) = (Random(13), 0, 0);
    for _ in 0..3_000 {
        let mut world = World::new(rules(&mut random, false));
        for _ in 0..random.below(40) {
            match random.below(12) {
                0 => world.now = world.now + TICK,
                1 => {
                    let request = random.one_of(&world.requests());
                    world.ask(request);
                }
                _ => step(&mut world, &mut random),
            }
        }
        if world.ending {
            continue;
        }
        let new = new_rules(&world, &mut random, false);
        world.counts.clear();
        world.change(new.clone(), random.below(4) == 0, Told::AsItIs);
        world.let_settle();
        if world.ending {
            continue;
        }
        world.assert_settled();
        let done = |what: &str| world.counts.get(what).copied().unwrap_or(0);
        assert_eq!((done("applied"), done("failed"), done("held back")), (1, 0, 0), "{}", world.story());

        let mut fresh = World::new(new.rules.clone());
        fresh.let_settle();
        let stands = |world: &World| {
            let outline = world.supervision.outline();
            (outline.own, outline.children.into_iter().map(|child| child.rules).collect::<Vec<_>>())
        };
        let (now, expected) = (stands(&world), stands(&fresh));
        assert_eq!(now.0, expected.0, "{}", world.story());
        // Who is through, or was disabled or enabled meanwhile, stays so, and whoever lives without one that it needs.
        let stays = |child: &Child| {
            let was = child.rules.policy.as_ref().is_some_and(|policy| policy.disabled);
            let unmet = |id: &Arc<str>| world.named(id).is_some_and(|slot| !world.children[&slot].is_met());
            let lives_on = child.process != Process::None && child.rules.needs().iter().any(unmet);
            child.done || child.disabled != was || lives_on
        };
        let as_before = world.children.values().any(stays);
        if !as_before {
            assert_eq!(now.1, expected.1, "{}", world.story());
            assert_eq!(up(&world), up(&fresh), "{}", world.story());
        }
        if as_before || up(&world).is_empty() {
            continue;
        }
        let id = random.one_of(&up(&world));
        let (led_to, expected) = (crash(&mut world, &id), crash(&mut fresh, &id));
        assert_eq!(led_to, expected, "{id}: {}", world.story());
        groups += u32::from(led_to.0.values().filter(|(starts, ..)| *starts > 0).count() > 1);
        alike += 1;
    }
    println!("{alike} alike, {groups} groups");
    assert!(alike > 1_000 && groups > 150, "{alike} {groups}: the walks have lost their reach");
}
