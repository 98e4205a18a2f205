//! Starts that find nothing to run: no process, and no failure. Rows SUP-079 to SUP-081, SUP-132, SUP-184.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minder::prelude::*;
use minder::supervisors::{AutoShutdown, ChildStatus, optional_task};
use minder::{Event, Observer};

use crate::support::*;

/// The n-th start of a child has something to run if the n-th word says so; the last word holds for ever.
fn child(kind: &str, runs: &'static [bool]) -> Child {
    let count = Arc::new(AtomicU32::new(0));
    let next = move || {
        let nth = count.fetch_add(1, Ordering::Relaxed) as usize;
        runs[nth.min(runs.len() - 1)]
    };
    let (journal, _) = journal();
    match kind {
        "factory" => actor("it", move || next().then(|| Puppet::new("it", &journal))),
        "fallible factory" => {
            actor("it", move || Ok::<_, ExitReason>(next().then(|| Puppet::new("it", &journal))))
        }
        "started" => actor("it", move || {
            let runs = next();
            Puppet::new("it", &journal).on_start(move |_, context| {
                if !runs {
                    context.ignore();
                }
                Ok(())
            })
        }),
        "task" => optional_task("it", move || next().then(pending::<()>)),
        other => panic!("no kind: {other}"),
    }
}

/// A sibling that always runs.
fn other(system: &System) -> (Addr<Msg>, Child) {
    let (other, seat) = system.address();
    (other, actor_in("other", seat, || Puppet::new("other", &journal().0)))
}

const KINDS: [&str; 4] = ["factory", "fallible factory", "started", "task"];

/// OTP: SUP-079, GS-001.
#[tokio::test(start_paused = true)]
async fn at_the_start_of_the_tree_it_is_left_down_or_dropped() {
    for kind in KINDS {
        for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
            let system = system();
            let spec = one_for_one().child(child(kind, &[false, true]).restart(restart));
            let root = spec.child(task("next", pending::<()>)).start(&system, "top").await.expect("starts");
            assert_eq!(system.living(), 2, "{kind}: the supervisor and the next child");
            let found = root.which_child("it").await;
            if restart == Restart::Temporary {
                assert!(found.is_err(), "{kind}");
                continue;
            }
            assert!(matches!(found.expect("kept").status, ChildStatus::Down), "{kind}");
            let started = root.restart_child("it").await.expect("it has something to run now");
            assert!(started.is_some_and(|it| it.is_alive()), "{kind}");
        }
    }
}

/// OTP: SUP-080.
#[tokio::test(start_paused = true)]
async fn at_a_restart_it_is_left_down_counts_once_and_is_not_retried() {
    for kind in KINDS {
        let system = system();
        let spec = one_for_one().limit(1, SECOND).child(child(kind, &[true, false, true]));
        let root = spec.start(&system, "top").await.expect("starts");
        let it = root.which_child("it").await.expect("it is there");
        kill(&it);
        pass(10 * SECOND).await;
        let it = root.which_child("it").await.expect("it is there");
        assert!(matches!(it.status, ChildStatus::Down), "{kind}");
    }
}

/// Once, and not never: the limit is used up by it.
/// OTP: SUP-080.
#[tokio::test(start_paused = true)]
async fn a_restart_that_finds_nothing_has_counted() {
    for kind in KINDS {
        let system = system();
        let (other, child_other) = other(&system);
        let spec =
            one_for_one().limit(1, 3600 * SECOND).child(child(kind, &[true, false])).child(child_other);
        let root = spec.start(&system, "top").await.expect("starts");
        kill(&root.which_child("it").await.expect("it is there"));
        turns().await;
        assert!(root.address().is_alive(), "{kind}: one is tolerated");
        other.tell(crash()).expect("there is room");
        assert_eq!(soon(root.ended()).await, ExitReason::Shutdown, "{kind}: and it was that one");
    }
}

/// Also one that never had anything to run.
/// OTP: SUP-036.
#[tokio::test(start_paused = true)]
async fn a_group_restart_tries_one_that_had_nothing_to_run() {
    for kind in KINDS {
        let system = system();
        let (other, child_other) = other(&system);
        let spec = tolerant(one_for_all()).child(child(kind, &[false, true])).child(child_other);
        let root = spec.start(&system, "top").await.expect("starts");
        let it = || async { root.which_child("it").await.expect("it is kept").status };
        assert!(matches!(it().await, ChildStatus::Down), "{kind}");
        other.tell(crash()).expect("there is room");
        turns().await;
        assert!(matches!(it().await, ChildStatus::Running(_)), "{kind}");
    }
}

/// Whoever has nothing to run is not waited for; nor has it ended, so that it sets nothing off itself.
/// OTP: SUP-124.
#[tokio::test(start_paused = true)]
async fn a_significant_child_with_nothing_to_run_does_not_hold_up_the_shutdown() {
    for kind in KINDS {
        let system = system();
        let (last, child_last) = other(&system);
        let significant = |child: Child| child.restart(Restart::Transient).significant(true);
        let spec = one_for_one()
            .auto_shutdown(AutoShutdown::AllSignificant)
            .child(significant(child_last))
            .child(significant(child(kind, &[false])));
        let root = spec.start(&system, "top").await.expect("starts");
        turns().await;
        assert!(root.address().is_alive(), "{kind}");
        last.tell(end(ExitReason::Normal)).expect("there is room");
        assert_eq!(soon(root.ended()).await, ExitReason::Shutdown, "{kind}");
    }
}

/// OTP: SUP-081.
#[tokio::test(start_paused = true)]
async fn whoever_asked_for_the_start_hears_that_there_was_nothing() {
    for kind in KINDS {
        let system = system();
        let root = one_for_one().start(&system, "top").await.expect("starts");
        let kept = child(kind, &[false]);
        assert!(root.start_child(kept.clone()).await.expect("no failure").is_none(), "{kind}");
        assert_eq!(root.count_children().await.expect("it lives").specs, 1);
        assert!(root.restart_child("it").await.expect("no failure").is_none(), "{kind}");
        root.delete_child("it").await.expect("it is down");
        let dropped = kept.restart(Restart::Temporary);
        assert!(root.start_child(dropped).await.expect("no failure").is_none(), "{kind}");
        assert_eq!(root.count_children().await.expect("it lives").specs, 0);
    }
}

/// One event a start, whichever way it went.
/// OTP: SUP-160.
#[tokio::test(start_paused = true)]
async fn observers_hear_of_starts_and_of_nothing_to_run() {
    struct Ear(Journal);
    impl Observer for Ear {
        fn event(&self, event: &Event<'_>) {
            match event {
                Event::Started { path, .. } => self.0.note(format!("{path} started")),
                Event::Ignored { path, .. } => self.0.note(format!("{path} ignored")),
                Event::Exited { path, started: false, .. } => self.0.note(format!("{path} failed")),
                Event::Exited { path, .. } => self.0.note(format!("{path} ended")),
                _ => {}
            }
        }
    }
    let (journal, mut reader) = journal();
    let system = System::builder().observer(Arc::new(Ear(journal))).build().expect("inside a runtime");
    let spec = one_for_one()
        .child(actor("a", || None::<Puppet>))
        .child(task("b", pending::<()>))
        .child(actor("c", || Err::<Puppet, _>(ExitReason::other("no"))));
    spec.start(&system, "top").await.expect_err("one fails");
    assert_eq!(
        reader.rest(),
        ["top/a ignored", "top/b started", "top/c failed", "top/b ended", "top failed"]
    );
}

fn kill(child: &minder::supervisors::ChildInfo) {
    assert!(child.actor().expect("it is running").kill());
}
