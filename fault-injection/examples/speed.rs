//! How fast the simulator is: small runs a second, and steps a second within one run. `cargo run --release --example speed`.
#![expect(clippy::disallowed_methods, reason = "measures real time")]

use std::time::{Duration, Instant};

use minder::prelude::*;
use minder_fault_injection::sim::Sim;
use minder_fault_injection::testkit::Trial;

/// Passes a number on to the next, one less, until it is nothing.
struct Relay {
    next: Addr<u32>,
}

impl Actor for Relay {
    type Msg = u32;

    async fn handle(&mut self, left: u32, _: &mut Context<u32>) -> Handled {
        if left > 0 {
            self.next.tell(left - 1).map_err(|error| ExitReason::other(&error.to_string()))?;
        }
        Ok(())
    }
}

/// Three actors under a supervisor, thirty messages, one crash and restart.
async fn small(world: minder_fault_injection::sim::World) {
    let system = System::new().expect("hosted");
    let seats: Vec<_> = (0..3).map(|_| system.address::<u32>()).collect();
    let mut tree = one_for_one();
    for (at, (_, seat)) in seats.iter().enumerate() {
        let next = seats[(at + 1) % seats.len()].0.clone();
        tree = tree.child(actor_in(["a", "b", "c"][at], seat.clone(), move || Relay { next: next.clone() }));
    }
    tree.start(&system, "app").await.expect("it starts");
    seats[0].0.tell(30_u32).expect("there is room");
    world.settle().await;
    seats[1].0.kill();
    world.settle().await;
}

fn main() {
    let runs: u32 = 20_000;
    let (mut steps, began) = (0, Instant::now());
    for seed in 0..runs {
        let run = Sim::seeded(u64::from(seed)).run(small);
        run.result.expect("it ends");
        steps += run.steps;
    }
    let took = began.elapsed();
    report("small runs", f64::from(runs), took);
    println!("{:>40} {:.1}", "steps a run", steps as f64 / f64::from(runs));

    let seeds = 20_000;
    let began = Instant::now();
    Trial::named("trials").seeds(seeds).run(|kit| async move {
        let (relay, seat) = kit.address::<u32>();
        let next = relay.clone();
        kit.start(one_for_one().child(actor_in("relay", seat, move || Relay { next: next.clone() }))).await;
        relay.tell(20_u32).expect("there is room");
        kit.settle().await;
        kit.crash(&relay).await;
        assert_eq!(kit.generation(&relay), 2);
    });
    report("trials with a crash each", seeds as f64, began.elapsed());

    for (name, actors, sim) in [
        ("steps, fifo, 3 actors", 3_usize, Sim::fifo()),
        ("steps, seeded, 3 actors", 3, Sim::seeded(1)),
        ("steps, seeded, 1000 actors", 1000, Sim::seeded(1)),
    ] {
        let began = Instant::now();
        let run = sim.run(|world| async move {
            let system = System::new().expect("hosted");
            let seats: Vec<_> = (0..actors).map(|_| system.address::<u32>()).collect();
            for (at, (_, seat)) in seats.iter().enumerate() {
                let next = seats[(at + 1) % seats.len()].0.clone();
                system.start(seat.clone(), "relay", move || Relay { next }).await.expect("it starts");
            }
            for (address, _) in &seats {
                let each = u32::try_from(3_000_000 / actors).expect("small");
                address.tell(each).expect("there is room");
            }
            world.settle().await;
        });
        run.result.expect("it ends");
        report(name, run.steps as f64, began.elapsed());
    }

    let began = Instant::now();
    let run = Sim::fifo().run(|world| async move {
        let yielding = world.spawn("yielding", async {
            for _ in 0..3_000_000_u32 {
                let mut yielded = false;
                std::future::poll_fn(|cx| {
                    if std::mem::replace(&mut yielded, true) {
                        return std::task::Poll::Ready(());
                    }
                    cx.waker().wake_by_ref();
                    std::task::Poll::Pending
                })
                .await;
            }
        });
        yielding.await.expect("it ends");
    });
    run.result.expect("it ends");
    report("bare steps", run.steps as f64, began.elapsed());

    let began = Instant::now();
    let run = Sim::fifo().run(|world| async move {
        for _ in 0..200_000 {
            world.advance(Duration::from_millis(1)).await;
        }
    });
    run.result.expect("it ends");
    report("moves of the clock", 200_000.0, began.elapsed());
}

fn report(what: &str, count: f64, took: Duration) {
    println!("{what:>40} {:>12.0} a second", count / took.as_secs_f64());
}
