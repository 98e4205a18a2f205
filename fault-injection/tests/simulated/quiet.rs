//! When nothing can happen any more: found exactly, without moving time. And runs that never get there.

use std::sync::Arc;

use minder::prelude::*;
use minder_fault_injection::sim::{Sim, SimError, World};
use minder_fault_injection::testkit::Trial;

use crate::support::{Counter, Msg, Notes, SECOND, Scribe, yield_once};

#[test]
fn settled_means_that_all_that_can_happen_has() {
    Trial::named("settled").seeds(50).run(|kit| async move {
        /// Passes a number on until it is used up, in the most roundabout ways there are.
        struct Relay {
            next: Addr<u64>,
        }
        impl Actor for Relay {
            type Msg = u64;
            async fn handle(&mut self, left: u64, _: &mut Context<u64>) -> Handled {
                match left % 3 {
                    0 => yield_once().await,
                    // Tokio's own way is heard of only when tokio has the thread.
                    1 => tokio::task::yield_now().await,
                    _ => {
                        let (tell, told) = tokio::sync::oneshot::channel();
                        let _ = tell.send(());
                        told.await?;
                    }
                }
                if let Some(left) = left.checked_sub(1) {
                    self.next.send(left).await.map_err(|error| ExitReason::other(&error.to_string()))?;
                }
                Ok(())
            }
        }
        let notes = Notes::default();
        let (one, one_seat) = kit.address();
        let (other, other_seat) = kit.address();
        let (to_other, to_one) = (other.clone(), one.clone());
        kit.start(
            one_for_one()
                .child(actor_in("one", one_seat, move || Relay { next: to_other.clone() }))
                .child(actor_in("other", other_seat, move || Relay { next: to_one.clone() })),
        )
        .await;
        let sleeper = notes.clone();
        let world = kit.world().clone();
        drop(kit.spawn("sleeper", async move {
            world.advance(SECOND).await;
            sleeper.add(1);
        }));
        one.tell(100_u64).expect("there is room");
        kit.settle().await;
        assert_eq!((one.queued(), other.queued(), kit.now()), (0, 0, std::time::Duration::ZERO));
        assert!(notes.take().is_empty(), "what only time can bring has not happened");
        kit.settle().await; // and again, with nothing to do
        kit.advance(SECOND).await;
        assert_eq!(notes.take(), [1]);
    });
}

#[test]
fn many_may_wait_for_quiet_at_once() {
    let run = Sim::seeded(3).run(|world| async move {
        let waiting: Vec<_> = (0..10)
            .map(|n| {
                let inside = world.clone();
                world.spawn("waits", async move {
                    for _ in 0..n {
                        inside.settle().await;
                    }
                    n
                })
            })
            .collect();
        let mut all = Vec::new();
        for waiting in waiting {
            all.push(waiting.await.expect("it ends"));
        }
        all
    });
    assert_eq!(run.result, Ok((0..10).collect()));
}

#[test]
fn a_panic_in_a_task_is_its_own() {
    let run = Sim::fifo().run(|world| async move {
        let panics = world.spawn("panics", async { panic!("ouch") });
        let goes_on = world.spawn("goes on", async {
            yield_once().await;
            7
        });
        let heard: Result<(), String> = panics.await;
        (heard, goes_on.await)
    });
    assert_eq!(run.result, Ok((Err("ouch".to_owned()), Ok(7))));
}

#[test]
fn a_panic_that_nobody_hears_fails_the_run() {
    let run = Sim::fifo().run(|world| async move {
        drop(world.spawn("panics", async { panic!("ouch") }));
        let notes = Notes::default();
        let its = notes.clone();
        let system = System::new().expect("the simulator hosts it");
        let scribe = system.spawn(move || Scribe(its)).expect("it is not shutting down");
        scribe.tell(5_u64).expect("there is room");
        world.settle().await;
        assert_eq!(notes.take(), [5], "everybody else goes on");
    });
    assert_eq!(run.result, Err(SimError::Panicked { who: "panics".into(), text: "ouch".into() }));
    let run = Sim::fifo().run(|_| async { panic!("{}", "the test's own") });
    let own: Result<(), SimError> = run.result;
    assert_eq!(own, Err(SimError::Panicked { who: "the test".into(), text: "the test's own".into() }));
}

#[test]
fn a_test_that_waits_for_ever_is_stuck() {
    let run = Sim::fifo().run(|_| std::future::pending::<()>());
    assert_eq!(run.result, Err(SimError::Stuck(SECOND * 86_400)));
    // With somebody who never stops ticking, too.
    let run = Sim::fifo().horizon(SECOND * 100).run(|world| async move {
        let ticks = world.clone();
        let ticking = world.spawn("ticks", async move {
            loop {
                ticks.advance(SECOND).await;
            }
        });
        let ticking: Result<(), String> = ticking.await;
        ticking
    });
    let stuck = run.result.expect_err("it waits for somebody who never ends");
    assert!(stuck.to_string().contains("100 s of simulated time"), "{stuck}");
}

#[test]
fn running_in_circles_is_found() {
    let circle = |world: World| async move {
        for name in ["chases", "runs"] {
            drop(world.spawn(name, async {
                loop {
                    yield_once().await;
                }
            }));
        }
        world.settle().await;
    };
    let run = Sim::fifo().spin_limit(10_000).run(circle);
    let who: Vec<Arc<str>> = vec!["chases".into(), "runs".into()];
    match run.result {
        Err(SimError::Spinning { steps, who: mut found }) => {
            assert!((10_000..10_010).contains(&steps), "{steps}");
            found.sort();
            assert_eq!(found, who);
        }
        other => panic!("{other:?}"),
    }
    // The test itself may be the one who does.
    let run = Sim::fifo().spin_limit(10_000).run(|_| async {
        loop {
            yield_once().await;
        }
    });
    let who = vec!["the test".into()];
    assert_eq!(run.result, Err::<(), _>(SimError::Spinning { steps: 100_000, who }));
}

#[test]
fn a_simulator_does_not_run_inside_a_runtime() {
    let inside = Sim::fifo().run(|_| async { Sim::fifo().run(|_| async {}).result });
    assert_eq!(inside.result, Ok(Err(SimError::InsideRuntime)));
    assert!(SimError::InsideRuntime.to_string().contains("#[minder_fault_injection::test]"));
}

#[test]
fn several_systems_live_in_one_run() {
    let run = Sim::seeded(5).run(|world| async move {
        let mut answers = Vec::new();
        for n in [3, 4] {
            let system = System::new().expect("the simulator hosts it");
            let counter = system.spawn(Counter::default).expect("it is not shutting down");
            counter.tell(Msg::Add(n)).expect("there is room");
            answers.push(counter.ask(Msg::Read).await.expect("it answers"));
        }
        world.settle().await;
        answers
    });
    assert_eq!(run.result, Ok(vec![3, 4]));
    assert_eq!(run.stops.len(), 2);
    assert!(run.stops.iter().all(minder::ShutdownReport::is_clean));
}
