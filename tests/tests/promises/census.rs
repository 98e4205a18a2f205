//! All actors one by one: each after its minder, nobody twice, and nobody left out who was there all the time.

use std::collections::{BTreeMap, BTreeSet};

use minder::prelude::*;
use minder::{ActorId, ActorRef};

use crate::support::*;

fn puppet(name: &'static str) -> impl Fn() -> Puppet + Clone + Send + Sync + 'static {
    move || Puppet::new(name, &journal().0)
}

/// Has it start so many children, and answer with their addresses.
async fn with_children(minder: &Addr<Msg>, count: usize) -> Vec<Addr<Msg>> {
    let children = minder.ask(|reply| {
        act(move |_, context| {
            let children: Result<Vec<_>, _> =
                (0..count).map(|_| context.spawn("child", puppet("child"))).collect();
            drop(reply.send(children?));
            Ok(())
        })
    });
    children.await.expect("they are started")
}

/// OTP: NEW-008.
#[test]
fn each_actor_comes_once_and_after_its_minder() {
    everywhere(|| async {
        let system = system();
        assert!(system.actors().next().is_none());
        let lone = system.spawn(puppet("lone")).expect("open");
        let spec = one_for_one()
            .child(actor("a", puppet("a")))
            .child(tree("b", one_for_all().child(actor("c", puppet("c"))).child(actor("d", puppet("d")))))
            .child(actor("e", puppet("e")));
        spec.start(&system, "app").await.expect("it starts");
        let grown = with_children(&lone, 3).await;
        turns().await;

        let all: Vec<ActorRef> = system.actors().collect();
        let paths: Vec<_> = all.iter().map(|actor| actor.path().to_string()).collect();
        let places = paths.iter().enumerate().map(|(at, path)| (path.as_str(), at));
        let places: BTreeMap<&str, usize> = places.collect();
        for path in ["app", "app/a", "app/b", "app/b/c", "app/b/d", "app/e"] {
            assert!(places.contains_key(path), "{path} in {paths:?}");
        }
        assert_eq!((all.len(), system.living()), (10, 10));
        let mut told = BTreeSet::new();
        for actor in &all {
            assert!(actor.minder().is_none_or(|minder| told.contains(&minder.id())), "{actor:?} in {all:?}");
            assert!(told.insert(actor.id()), "{actor:?} twice");
        }
        for child in &grown {
            let it = all.iter().find(|actor| actor.id() == child.id()).expect("it is there");
            assert_eq!(it.minder().map(|minder| minder.id()), Some(lone.id()));
        }
        system.shutdown(SECOND).await;
        assert!(system.actors().next().is_none());
        assert!(all.iter().all(|actor| actor.minder().is_none()), "whoever has ended is minded by nobody");
    });
}

/// OTP: NEW-008.
#[test]
fn whoever_is_there_all_the_time_comes_once_whatever_becomes_of_others() {
    for seed in 0..40 {
        everyone_who_stays_is_told(seed);
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn everyone_who_stays_is_told(seed: u64) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let system = system();
    let mut minders = Vec::new();
    for _ in 0..4 {
        minders.push(system.spawn(puppet("minder")).expect("open"));
    }
    let (mut stay, mut others) = (BTreeSet::new(), Vec::new());
    for minder in &minders {
        stay.insert(minder.id());
        for child in with_children(minder, 12).await {
            if chance.bool() {
                stay.insert(child.id());
            } else {
                others.push(child);
            }
        }
    }
    let (mut walk, mut told) = (system.actors(), BTreeSet::<ActorId>::new());
    loop {
        let changes = if told.len() < 100 { chance.usize(0..4) } else { 0 };
        for _ in 0..changes {
            match chance.u8(0..3) {
                0 => others.extend(with_children(&minders[chance.usize(0..4)], 1).await),
                1 => others.push(system.spawn(puppet("root")).expect("open")),
                _ if others.is_empty() => {}
                _ => drop(others.swap_remove(chance.usize(0..others.len())).kill()),
            }
        }
        turns().await;
        let Some(actor) = walk.next() else { break };
        assert!(actor.is_alive() && told.insert(actor.id()), "seed {seed}: {actor:?}");
    }
    let missing: Vec<_> = stay.difference(&told).collect();
    assert!(missing.is_empty(), "seed {seed}: {missing:?}");
}

/// Whoever minds it has ended, and it winds up.
#[tokio::test(start_paused = true)]
async fn whoever_is_on_the_way_out_without_a_minder_does_not_come() {
    let system = system();
    let minder = system.spawn(puppet("minder")).expect("open");
    let orphan = minder.ask(|reply| {
        act(move |_, context| {
            let make = || Puppet::new("orphan", &journal().0).trapping().cleaning_up_for(SECOND);
            drop(reply.send(context.spawn("orphan", make)?));
            Ok(())
        })
    });
    let orphan = orphan.await.expect("it is started");
    assert_eq!(system.actors().count(), 2);
    assert!(minder.kill());
    turns().await;
    assert!(orphan.is_alive());
    assert_eq!((system.actors().count(), system.living()), (0, 1));
}

/// Whose work something is.
#[derive(Clone, Debug, PartialEq)]
struct Order(&'static str);

/// OTP: PRC-010.
#[test]
fn an_actor_knows_the_line_of_its_minders_and_what_they_pass_on() {
    everywhere(|| async {
        let system = system();
        let (leaf, seat) = system.address();
        let below = one_for_one().child(actor_in("c", seat, puppet("c")));
        let spec = one_for_one().offer(Order("of the day")).child(tree("b", below));
        spec.start(&system, "app").await.expect("it starts");
        let child = with_children(&leaf, 1).await.remove(0);
        let it = system.actors().find(|actor| actor.id() == child.id());
        let line = std::iter::successors(it, ActorRef::minder);
        let line: Vec<String> = line.map(|actor| actor.path().to_string()).collect();
        assert_eq!(line, ["app/b/c/child", "app/b/c", "app/b", "app"]);
        let passed_on = child.ask(|reply| {
            act(move |_, context| {
                drop(reply.send((context.path(), context.service::<Order>())));
                Ok(())
            })
        });
        let (path, order) = passed_on.await.expect("it answers");
        assert_eq!((&*path, order), ("app/b/c/child", Ok(Order("of the day"))));
    });
}
