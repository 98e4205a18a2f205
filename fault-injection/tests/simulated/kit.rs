//! The kit's handle: whom it crashes and kills, by address and by path, and what it tells of them afterwards.

use std::time::Duration;

use minder::MonitorId;
use minder::prelude::*;
use minder_fault_injection::testkit::{Kit, Trial};
use minder_fault_injection::{Kind, Plan, fault};

use crate::support::{Counter, MS, Msg, SECOND};

#[minder_fault_injection::test(seeds = 20)]
async fn a_crash_is_followed_by_the_next_generation(kit: Kit) {
    let counter = kit.supervise("counter", Counter::default).await;
    assert_eq!((kit.generation(&counter), kit.generation("counter")), (1, 1));
    for generation in 2..10 {
        counter.tell(Msg::Add(5)).expect("there is room");
        kit.settle().await;
        kit.crash(&counter).await;
        assert_eq!((kit.generation(&counter), kit.generation("app/counter")), (generation, generation));
        assert!(kit.is_alive(&counter));
        assert_eq!(counter.ask(Msg::Read).await.expect("it answers"), 0, "a new life has counted nothing");
    }
    assert_eq!(kit.now(), Duration::ZERO);
    let reasons = kit.exits_of(&counter);
    assert_eq!(reasons.len(), 8);
    assert!(
        reasons.iter().all(|reason| reason.to_string() == "panic: injected panic by the test"),
        "{reasons:?}"
    );
}

#[minder_fault_injection::test]
async fn whoever_is_busy_crashes_at_its_await(kit: Kit) {
    let counter = kit.supervise("counter", Counter::default).await;
    counter.tell(Msg::Nap(SECOND)).expect("there is room");
    let asking = {
        let counter = counter.clone();
        kit.spawn("asks", async move { counter.ask(Msg::Read).await.map_err(|error| error.to_string()) })
    };
    kit.settle().await;
    kit.crash("counter").await;
    assert_eq!((kit.generation("counter"), kit.now()), (2, Duration::ZERO));
    assert_eq!(asking.await, Ok(Ok(0)), "what was queued waits for the next life");
}

#[minder_fault_injection::test]
async fn a_crash_in_a_start_and_one_between_messages(kit: Kit) {
    /// Takes a while to start.
    struct Late;
    impl Actor for Late {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            context.sleep(SECOND).await;
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
    }
    let late = kit.system().spawn(|| Late).expect("it is not shutting down");
    kit.settle().await;
    kit.crash(&late).await;
    assert!(!kit.is_alive(&late));
    assert!(!kit.exits().last().expect("it has ended").started, "its start has failed");
}

#[minder_fault_injection::test]
async fn a_kill_is_a_kill(kit: Kit) {
    let counter = kit.supervise("counter", Counter::default).await;
    kit.kill(&counter).await;
    assert_eq!(kit.exits_of("counter"), [ExitReason::Killed]);
    assert_eq!(kit.generation("counter"), 2);
}

#[minder_fault_injection::test]
async fn whoever_shares_the_fate_is_counted_too(kit: Kit) {
    let child = |name| actor(name, Counter::default);
    kit.start(rest_for_one().limit(5, SECOND).child(child("a")).child(child("b")).child(child("c"))).await;
    let generations = |kit: &Kit| ["a", "b", "c"].map(|name| kit.generation(name));
    kit.crash("app/b").await;
    assert_eq!(generations(&kit), [1, 2, 2]);
    kit.crash("a").await;
    assert_eq!(generations(&kit), [2, 3, 3]);
    assert_eq!(kit.exits_of("c"), [ExitReason::Shutdown, ExitReason::Shutdown]);
}

#[minder_fault_injection::test]
async fn a_supervisor_crashes_like_anybody(kit: Kit) {
    let below = one_for_one().child(actor("leaf", Counter::default));
    kit.start(one_for_one().limit(5, SECOND).child(tree("branch", below))).await;
    kit.crash("branch").await;
    assert_eq!((kit.generation("branch"), kit.generation("leaf")), (2, 2), "by path, over seats");
    assert!(kit.is_alive("leaf"));
}

#[minder_fault_injection::test]
async fn a_tree_that_gives_up_is_seen(kit: Kit) {
    let root = kit.start(one_for_one().limit(1, SECOND).child(actor("counter", Counter::default))).await;
    kit.crash("counter").await;
    kit.crash("counter").await;
    assert!(!kit.is_alive("app"));
    assert_eq!(root.ended().await, ExitReason::Shutdown);
    assert_eq!(kit.exits_of("counter").len(), 2);
}

#[test]
fn a_wrong_name_is_answered_with_the_right_one() {
    let rows = [
        ("app/countre", "nobody has lived at `app/countre`, did you mean `app/counter`?"),
        ("xyzzy", "nobody has lived at `xyzzy`"),
        ("leaf", "`leaf` may be any of app/one/leaf, app/two/leaf"),
        ("app/gone", "nobody lives at `app/gone`: it ended of killed"),
    ];
    for (name, expected) in rows {
        let failure = Trial::named("wrong")
            .try_run(|kit: Kit| async move {
                let leaf = || one_for_one().child(actor("leaf", Counter::default));
                let gone = actor("gone", Counter::default).restart(Restart::Temporary);
                let spec = one_for_one().child(actor("counter", Counter::default)).child(gone);
                kit.start(spec.child(tree("one", leaf())).child(tree("two", leaf()))).await;
                kit.kill("gone").await;
                kit.crash(name).await;
            })
            .expect_err("there is no such actor");
        assert!(failure.text.contains(expected), "{name}: {failure}");
    }
}

#[minder_fault_injection::test]
async fn a_plan_of_faults_works_beside_the_kit(kit: Kit) {
    let injector = kit.inject(Plan::seeded(1).with(fault(Kind::PanicBefore).on("app/counter").nth(2)));
    let counter = kit.supervise("counter", Counter::default).await;
    for _ in 0..3 {
        counter.tell(Msg::Add(1)).expect("there is room");
    }
    kit.settle().await;
    assert_eq!((kit.generation(&counter), injector.receipts().len()), (2, 1));
    assert_eq!(counter.ask(Msg::Read).await.expect("it answers"), 1);
}

#[minder_fault_injection::test]
async fn the_story_tells_it_all_in_order(kit: Kit) {
    let counter = kit.supervise("counter", Counter::default).await;
    kit.advance(MS * 20).await;
    counter.tell(Msg::Panic("ouch")).expect("there is room");
    kit.settle().await;
    kit.advance(MS * 7).await;
    counter.ask(Msg::Read).await.expect("it answers");
    kit.note("all is well");
    let story = kit.story(100);
    let at = |text: &str| story.find(text).unwrap_or_else(|| panic!("{text}\n{story}"));
    let parts = [
        at("0 ms  app <2.1> begins"),
        at("app/counter <1.1> begins"),
        at("20 ms  app/counter <1.1> ended: panic: ouch"),
        at("20 ms  app decides on counter: restart (restart 1 of at most 1000)"),
        at("20 ms  app/counter <1.2> begins"),
        at("27 ms  app/counter <1.2> handles its first message, 7 ms after the crash"),
        at("27 ms  -- all is well"),
    ];
    assert!(parts.is_sorted(), "{parts:?}\n{story}");
    let last = kit.story(1);
    assert!(
        last.contains("earlier events") && last.contains("all is well") && !last.contains("ouch"),
        "{last}"
    );
}

#[minder_fault_injection::test]
async fn an_abnormal_end_other_than_a_panic(kit: Kit) {
    let counter = kit.supervise("counter", Counter::default).await;
    counter.tell(Msg::Fail).expect("there is room");
    kit.settle().await;
    assert_eq!(kit.exits_of("counter"), [ExitReason::other("failed")]);
    let probe = kit.probe::<()>("watcher").await;
    let _: MonitorId = probe.monitor(&counter).await;
    kit.kill(&probe).await;
    assert!(!kit.is_alive(&probe));
}
