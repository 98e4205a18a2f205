//! What fails a test besides its own assertions, and what a failure says.

use minder::Winding;
use minder::prelude::*;
use minder_fault_injection::testkit::{Failure, Kit, Trial};

use crate::support::{Counter, MS, Msg, SECOND, yield_once};

/// Traps exits, and does not stop when told; or stops late, or badly.
#[derive(Clone, Copy)]
enum Stubborn {
    Never,
    After(std::time::Duration),
    Panics,
}

impl Actor for Stubborn {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.trap_exit(true);
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }

    fn stop_requested(&mut self, _: &ExitReason, _: &mut Context<()>) -> Winding {
        if matches!(self, Self::Never) { Winding::Later } else { Winding::Done }
    }

    async fn stopping(&mut self, _: &ExitReason, context: &mut Context<()>) {
        match self {
            Self::After(wait) => context.sleep(*wait).await,
            Self::Panics => panic!("cannot close"),
            Self::Never => {}
        }
    }
}

async fn starts(kit: Kit, child: Child) {
    kit.start(one_for_one().child(child)).await;
}

fn stubborn(how: Stubborn) -> Child {
    actor("stubborn", move || how)
}

#[test]
fn how_everybody_stops_is_judged() {
    let rows = [
        (stubborn(Stubborn::After(SECOND)), None),
        (stubborn(Stubborn::Never).shutdown(Shutdown::BrutalKill), None),
        (
            stubborn(Stubborn::After(SECOND * 6)),
            Some("`app/stubborn` did not stop in the time its spec gives it, and was killed"),
        ),
        (
            stubborn(Stubborn::Never).shutdown(Shutdown::Within(MS)),
            Some("`app/stubborn` did not stop in the time its spec gives it, and was killed"),
        ),
        (
            stubborn(Stubborn::After(SECOND * 61)).shutdown(Shutdown::Infinity),
            Some("`app/stubborn` did not stop in time and was killed"),
        ),
        (stubborn(Stubborn::Panics), Some("`app/stubborn` did not stop cleanly: panic: cannot close")),
    ];
    for (child, expected) in rows {
        let failed = Trial::named("stops").try_run(|kit| starts(kit, child.clone())).err();
        match (failed, expected) {
            (None, None) => {}
            (Some(failure), Some(expected)) => assert!(failure.text.contains(expected), "{failure}"),
            (failed, expected) => panic!("{failed:?} and not {expected:?}"),
        }
    }
}

/// A parent that is gone, and a child that did not go with it: nobody minds it any more.
async fn orphan(kit: &Kit) {
    let parent = kit.probe::<()>("parent").await;
    let child = parent.does(|context| context.spawn("child", || Stubborn::Never)).await;
    child.expect("it starts");
    kit.settle().await;
    kit.kill(&parent).await;
}

#[test]
fn whoever_is_left_over_fails_the_test_by_path() {
    let leaks = async |kit: Kit| orphan(&kit).await;
    let failure = Trial::named("leaks").try_run(leaks).expect_err("somebody is left over");
    assert!(failure.text.starts_with("`parent/child` was left over"), "{failure}");
    // Whether or not the test has stopped the system itself.
    let stops = async |kit: Kit| {
        orphan(&kit).await;
        assert_eq!(kit.shutdown().await.left, 1);
    };
    let failure = Trial::named("leaks").try_run(stops).expect_err("somebody is left over");
    assert!(failure.text.starts_with("`parent/child` was left over"), "{failure}");
}

#[test]
fn a_test_that_stops_its_system_judges_that_itself() {
    let test = async |kit: Kit| {
        kit.start(one_for_one().child(stubborn(Stubborn::Panics))).await;
        let report = kit.shutdown().await;
        assert_eq!(report.unclean.len(), 1);
    };
    Trial::named("stops itself").run(test);
}

/// Two clients race for one word; the test insists on who comes first.
async fn race(kit: Kit) {
    let counter = kit.supervise("counter", Counter::default).await;
    for (name, yields) in [("slow", 2), ("fast", 1)] {
        let counter = counter.clone();
        let client = async move {
            for _ in 0..yields {
                yield_once().await;
            }
            if counter.ask(Msg::Read).await.expect("it answers") == 0 {
                counter.tell(Msg::Add(yields)).expect("there is room");
            }
        };
        drop(kit.spawn(name, client));
    }
    kit.settle().await;
    kit.crash("counter").await;
    kit.note("after the race");
    assert!(kit.exits().len() == 1, "one crash");
    let (first, seed) = (kit.random() % 10, kit.seed());
    assert!(first != 3, "seed {seed} draws a three");
}

#[test]
fn a_failure_names_its_seed_and_that_seed_fails_again() {
    let trial = Trial::named("tests::race").seeds(100);
    let failure = trial.try_run(race).expect_err("one in ten seeds fails");
    let Failure { seed, seeds, text, story, .. } = &failure;
    assert_eq!(*seeds, 100);
    assert_eq!(*text, format!("the test panicked: seed {seed} draws a three"));
    let shown = failure.to_string();
    for part in [
        format!("tests::race failed under seed {seed} (of 100): the test panicked"),
        format!("MINDER_SEED={seed} cargo test race"),
        "app/counter <1.1> ended: panic: injected panic by the test".to_owned(),
        "app decides on counter: restart".to_owned(),
        "-- after the race".to_owned(),
    ] {
        assert!(shown.contains(&part), "{part}\n{shown}");
    }
    let again = Trial::named("tests::race").seed(*seed).try_run(race).expect_err("it fails again");
    assert_eq!((&again.text, &again.story), (text, story));
    for earlier in 0..*seed {
        Trial::named("tests::race").seed(earlier).run(race);
    }
}

#[test]
fn seeds_come_to_different_runs() {
    let test = async |kit: Kit| {
        let counter = kit.supervise("counter", Counter::default).await;
        for name in ["a", "b", "c", "d"] {
            let counter = counter.clone();
            drop(kit.spawn(name, async move { counter.send(Msg::Add(1)).await.map_err(drop) }));
        }
        kit.crash(&counter).await;
    };
    let passed = Trial::named("many").seeds(100).try_run(test).expect("it passes");
    assert_eq!(passed.seeds, 100);
    assert!(passed.distinct > 50, "{passed:?}");
    assert!(passed.steps > 1_000, "{passed:?}");
}

#[test]
fn a_test_that_does_not_repeat_fails() {
    let runs = std::cell::Cell::new(0);
    let test = |kit: Kit| {
        runs.set(runs.get() + 1);
        let waits = MS * runs.get();
        async move { kit.advance(waits).await }
    };
    let failure = Trial::named("flaky").seeds(2).try_run(test).expect_err("it does not repeat");
    assert!(failure.text.contains("not deterministic"), "{failure}");
}

#[test]
fn what_a_test_returns_counts() {
    let failure = Trial::named("returns")
        .try_run(|_| async { Err::<(), _>("nothing there") })
        .expect_err("it returned an error");
    assert!(failure.text.contains("it returned an error: \"nothing there\""), "{failure}");
    Trial::named("returns").run(|_| async { Ok::<(), String>(()) });
}
