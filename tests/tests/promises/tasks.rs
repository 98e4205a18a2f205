//! Plain async functions as children: their ends are judged as actors' are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minder::prelude::*;

use crate::support::*;

#[derive(Clone, Copy, Debug)]
enum Ending {
    Unit,
    Fine,
    Wrong,
    Panic,
}

async fn run(ending: Ending) -> Result<(), Plain> {
    tokio::task::yield_now().await;
    match ending {
        Ending::Unit | Ending::Fine => Ok(()),
        Ending::Wrong => Err(Plain("wrong")),
        Ending::Panic => panic!("boom"),
    }
}

#[tokio::test(start_paused = true)]
async fn how_they_end_is_how_they_are_judged() {
    // ending; whether a permanent, a transient and a temporary one runs again
    let rows = [
        (Ending::Unit, [true, false, false]),
        (Ending::Fine, [true, false, false]),
        (Ending::Wrong, [true, true, false]),
        (Ending::Panic, [true, true, false]),
    ];
    for (ending, again) in rows {
        for (restart, again) in
            [Restart::Permanent, Restart::Transient, Restart::Temporary].into_iter().zip(again)
        {
            let system = system();
            let runs = Arc::new(AtomicU32::new(0));
            let counted = runs.clone();
            // The second run stays.
            let next = move || {
                let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
                async move { if first { run(ending).await } else { std::future::pending().await } }
            };
            let child = if matches!(ending, Ending::Unit) {
                task("it", move || {
                    let run = next();
                    async move { drop(run.await) }
                })
            } else {
                task("it", next)
            };
            let root = tolerant(one_for_one())
                .child(child.restart(restart))
                .start(&system, "top")
                .await
                .expect("starts");
            pass(SECOND).await;
            assert_eq!(runs.load(Ordering::SeqCst), if again { 2 } else { 1 }, "{ending:?} {restart:?}");
            assert!(root.address().is_alive());
            assert!(system.shutdown(SECOND).await.is_clean());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_any_kind_fit() {
    async fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err("boxed".into())
    }
    async fn text() -> Result<(), String> {
        Err("text".to_owned())
    }
    let system = system();
    let (a, b) = (task("a", boxed).restart(Restart::Temporary), task("b", text).restart(Restart::Temporary));
    let root = one_for_one().child(a).child(b).start(&system, "top").await.expect("starts");
    pass(SECOND).await;
    assert_eq!((root.address().is_alive(), system.living()), (true, 1));
}

#[tokio::test(start_paused = true)]
async fn to_stop_one_its_future_is_dropped() {
    struct Held(Journal);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.note("dropped");
        }
    }
    let system = system();
    let (journal, mut reader) = journal();
    let child = task("it", move || {
        let held = Held(journal.clone());
        async move {
            held.0.note("runs");
            std::future::pending::<()>().await;
            drop(held);
        }
    });
    one_for_one().child(child).start(&system, "top").await.expect("starts");
    reader.expect(&["runs"]).await;
    let began = system.now();
    assert!(system.shutdown(SECOND).await.is_clean());
    assert_eq!((reader.rest(), system.now()), (vec!["dropped".to_owned()], began));
}

#[tokio::test(start_paused = true)]
async fn one_that_awaits_beyond_its_limit_is_started_again() {
    let system = system();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let child = task("it", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>()
    });
    tolerant(one_for_one())
        .child(child.handler_limit(10 * SECOND))
        .start(&system, "top")
        .await
        .expect("starts");
    pass(25 * SECOND).await;
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}

/// A function that panics before it returns its future is a start that never got anywhere: it counts as a run.
#[tokio::test(start_paused = true)]
async fn one_that_panics_while_it_makes_its_future_is_judged_too() {
    let system = system();
    let child = task("it", || -> std::future::Pending<()> { panic!("boom") });
    let root = one_for_one().limit(2, SECOND).child(child).start(&system, "top").await.expect("starts");
    assert_eq!(
        soon(root.ended()).await,
        ExitReason::Shutdown,
        "it was restarted twice, and once was too much"
    );
}
