//! Who runs when: first come first served, or by a seed; the same seed, the same run, in every process.

use std::cell::Cell;
use std::collections::BTreeSet;

use minder::prelude::*;
use minder_fault_injection::sim::{Run, Sim, SimError, World, check_repeats};

use crate::support::{MS, Notes, Scribe, in_another_process, yield_once};

#[test]
fn fifo_serves_who_came_first() {
    let notes = Notes::default();
    let run = Sim::fifo().run(|world| {
        let notes = notes.clone();
        async move {
            for name in ["a", "b", "c"] {
                let notes = notes.clone();
                drop(world.spawn(name, async move {
                    for _ in 0..3 {
                        notes.add(name);
                        yield_once().await;
                    }
                }));
            }
            world.settle().await;
        }
    });
    assert_eq!(run.result, Ok(()));
    assert_eq!(notes.take(), ["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
}

/// Four clients send two numbers each to one actor, which is killed in between; what it gets is the outcome.
async fn race(world: World) -> Vec<u64> {
    let system = System::new().expect("the simulator hosts it");
    let notes = Notes::default();
    let (scribe, seat) = system.address();
    let its = notes.clone();
    let tree = one_for_one().child(actor_in("scribe", seat, move || Scribe(its.clone())));
    tree.start(&system, "app").await.expect("it starts");
    let clients: Vec<_> = (0..4_u64)
        .map(|client| {
            let scribe = scribe.clone();
            world.spawn(&format!("client {client}"), async move {
                for n in 0..2_u64 {
                    scribe.send(client * 10 + n).await.expect("there is room");
                    yield_once().await;
                }
            })
        })
        .collect();
    scribe.kill();
    for client in clients {
        client.await.expect("it sends its numbers");
    }
    world.settle().await;
    notes.take()
}

#[test]
fn a_seed_repeats_and_seeds_differ() {
    let (mut outcomes, mut hashes) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..300 {
        let [first, second]: [Run<Vec<u64>>; 2] = [(); 2].map(|()| Sim::seeded(seed).run(race));
        assert_eq!(first.result, second.result, "seed {seed}");
        assert_eq!((first.hash, first.steps), (second.hash, second.steps), "seed {seed}");
        let outcome = first.result.expect("it ends");
        assert_eq!(
            outcome.iter().collect::<BTreeSet<_>>().len(),
            8,
            "seed {seed}: nothing is lost {outcome:?}"
        );
        outcomes.insert(outcome);
        hashes.insert(first.hash);
    }
    assert!(outcomes.len() > 200, "{} orders of arrival under 300 seeds", outcomes.len());
    assert!(hashes.len() >= outcomes.len(), "{} hashes of {} outcomes", hashes.len(), outcomes.len());
}

#[test]
fn what_tells_two_runs_apart_is_in_the_hash() {
    let hash = |path: &'static str, wait: u32, kills: bool| {
        Sim::fifo()
            .run(|world| async move {
                let system = System::new().expect("the simulator hosts it");
                let (scribe, seat) = system.address();
                system.start(seat, path, || Scribe(Notes::default())).await.expect("it starts");
                if kills {
                    scribe.kill();
                }
                world.advance(MS * wait).await;
            })
            .hash
    };
    let hashes = [hash("a", 1, true), hash("b", 1, true), hash("a", 2, true), hash("a", 1, false)];
    assert_eq!(hashes.iter().collect::<BTreeSet<_>>().len(), 4, "{hashes:?}");
    assert_eq!(hash("a", 1, true), hashes[0]);
}

const CHILD: &str = "MINDER_TEST_PRINTS_HASHES";

#[test]
fn another_process_comes_to_the_same() {
    let hashes: Vec<String> =
        (0..20).map(|seed| format!("{:016x}", Sim::seeded(seed).run(race).hash)).collect();
    let line = format!("hashes {}", hashes.join(" "));
    if std::env::var_os(CHILD).is_some() {
        println!("{line}");
        return;
    }
    let printed = in_another_process("order::another_process_comes_to_the_same", (CHILD, "1"));
    assert!(printed.contains(&line), "{line}\n{printed}");
}

#[test]
fn what_does_not_repeat_is_found() {
    let sim = Sim::seeded(1);
    assert_eq!(check_repeats(&sim, race).expect("it repeats").hash, Sim::seeded(1).run(race).hash);
    let runs = Cell::new(0);
    let flaky = |world: World| {
        runs.set(runs.get() + 1);
        let name = if runs.get() == 1 { "tick" } else { "tock" };
        async move { world.spawn(name, yield_once()).await }
    };
    let diverged = check_repeats(&sim, flaky).expect_err("it does not repeat");
    let (first, second) = (Some("tick".into()), Some("tock".into()));
    assert_eq!(diverged, SimError::Diverged { step: 2, first, second });
    assert!(diverged.to_string().contains("`tokio::select!`"), "{diverged}");
}

#[test]
fn randomness_is_seeded() {
    /// Draws two numbers.
    struct Dice(Notes<u64>);
    impl Actor for Dice {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            self.0.add(context.random());
            self.0.add(context.random());
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
    }
    let draw = |seed| {
        let run = Sim::seeded(seed).run(|world| async move {
            let system = System::new().expect("the simulator hosts it");
            let notes = Notes::default();
            let its = notes.clone();
            system.spawn(move || Dice(its)).expect("it is not shutting down");
            world.settle().await;
            (notes.take(), world.random())
        });
        run.result.expect("it ends")
    };
    assert_eq!(draw(1), draw(1));
    let (numbers, own) = draw(1);
    assert_eq!(numbers.len(), 2);
    assert_ne!(draw(2).0, numbers);
    assert_ne!(draw(2).1, own);
}
