//! What the simulator can neither decide nor repeat is refused, by the name of who did it, with what to do instead.
#![expect(clippy::disallowed_methods, reason = "these are the ways past the context that are to be found")]

use std::sync::mpsc;

use minder::prelude::*;
use minder_fault_injection::sim::{Escape, Run, Sim, SimError};

/// Leaves the simulator in one way or another.
struct Fugitive;

#[derive(Clone, Copy, Debug)]
enum Way {
    Spawn,
    JoinSet,
    Blocking,
    BlockingUnheard,
    Thread,
}

impl Actor for Fugitive {
    type Msg = Way;

    async fn handle(&mut self, way: Way, _: &mut Context<Way>) -> Handled {
        flee(way).await;
        Ok(())
    }
}

async fn flee(way: Way) {
    match way {
        Way::Spawn => drop(tokio::spawn(async {})),
        Way::JoinSet => {
            let mut set = tokio::task::JoinSet::new();
            set.spawn(async {});
            set.join_next().await;
        }
        Way::Blocking => tokio::task::spawn_blocking(|| ()).await.expect("it does not panic"),
        Way::BlockingUnheard => drop(tokio::task::spawn_blocking(|| ())),
        Way::Thread => {
            let (tell, told) = tokio::sync::oneshot::channel();
            let thread = std::thread::Builder::new().name("stranger".into());
            let (go, gone) = mpsc::channel();
            let run = move || {
                // Not before somebody waits for it, or there is nobody to wake.
                gone.recv().expect("the other end is there");
                let _ = tell.send(());
            };
            let running = thread.spawn(run).expect("a thread can be made");
            let mut told = std::pin::pin!(told);
            let mut running = Some(running);
            std::future::poll_fn(|cx| {
                let polled = std::future::Future::poll(told.as_mut(), cx);
                if let Some(running) = running.take() {
                    go.send(()).expect("the other end is there");
                    running.join().expect("it does not panic");
                }
                polled.map(drop)
            })
            .await;
        }
    }
}

static WAYS: [(Way, Escape, &str); 5] = [
    (Way::Spawn, Escape::TokioTask, "make it a child"),
    (Way::JoinSet, Escape::TokioTask, "make it a child"),
    (Way::Blocking, Escape::BlockingThread, "use `ctx.blocking`"),
    (Way::BlockingUnheard, Escape::BlockingThread, "use `ctx.blocking`"),
    (Way::Thread, Escape::ForeignThread(String::new()), "use `ctx.blocking` for what blocks"),
];

fn check<T: std::fmt::Debug>(run: Run<T>, who: &str, way: Way) {
    let row = WAYS.iter().find(|(other, ..)| std::mem::discriminant(other) == std::mem::discriminant(&way));
    let (_, escape, hint) = row.expect("each way has a row");
    let how = match escape {
        Escape::ForeignThread(_) => Escape::ForeignThread("stranger".into()),
        other => other.clone(),
    };
    let error = run.result.expect_err("it left the simulator");
    assert_eq!(error, SimError::Escaped { who: who.into(), how }, "{way:?}");
    assert!(error.to_string().contains(hint), "{error}");
    assert!(error.to_string().starts_with(&format!("{who} left the simulator")), "{error}");
}

#[test]
fn an_actor_that_leaves_the_simulator_is_named() {
    for (way, ..) in WAYS.iter().cloned() {
        for seed in 0..10 {
            let run = Sim::seeded(seed).run(|world| async move {
                let system = System::new().expect("the simulator hosts it");
                let (fugitive, seat) = system.address();
                let tree = one_for_one().child(actor_in("fugitive", seat, || Fugitive));
                tree.start(&system, "app").await.expect("it starts");
                fugitive.tell(way).expect("there is room");
                world.settle().await;
            });
            check(run, "app/fugitive", way);
        }
    }
}

#[test]
fn so_is_the_test_itself() {
    for (way, ..) in WAYS.iter().cloned() {
        check(Sim::fifo().run(|_| flee(way)), "the test", way);
    }
}

#[test]
fn so_is_a_task_of_its_own() {
    for (way, ..) in WAYS.iter().cloned() {
        let run = Sim::fifo().run(|world| async move {
            drop(world.spawn("client", flee(way)));
            world.settle().await;
        });
        check(run, "client", way);
    }
}

#[test]
fn a_task_from_a_foreign_thread_is_an_escape() {
    let run = Sim::fifo().run(|world| async move {
        let inside = world.clone();
        let thread = std::thread::Builder::new().name("stranger".into());
        let running = thread.spawn(move || drop(inside.spawn("smuggled", async {})));
        running.expect("a thread can be made").join().expect("it does not panic");
        world.settle().await;
    });
    let how = Escape::ForeignThread("stranger".into());
    assert_eq!(run.result, Err(SimError::Escaped { who: "a task".into(), how }));
}

#[test]
fn a_thread_that_comes_late_is_named_and_not_only_a_test_that_is_stuck() {
    let run = Sim::fifo().run(|_| async {
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("stranger".into());
        let run = move || {
            std::thread::yield_now();
            let _ = tell.send(());
        };
        drop(thread.spawn(run).expect("a thread can be made"));
        told.await
    });
    let expected =
        SimError::Escaped { who: "the test".into(), how: Escape::ForeignThread("stranger".into()) };
    // The thread may have been quicker than the test: then nobody was woken, and nothing has escaped notice.
    assert!(run.result == Ok(Ok(())) || run.result == Err(expected), "{:?}", run.result);
}
