//! Another specification for a running supervisor whose children say what they need: who is stopped and started before whom,
//! who is left alone, and what waits for it. What does not depend on needs is in `apply.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minder::prelude::*;
use minder::supervisors::{ApplyError, TreeError, by_needs, reporting_task};

use crate::apply::{failing, holder, life_of, listed, puppet, shown, slow};
use crate::needs::{Curious, goes};
use crate::support::*;

/// Whoever leaves goes before what it needed and whoever comes does so after what it needs; the plan has said so, and who is the
/// same notices nothing.
#[test]
fn a_plan_by_needs_is_shown_and_then_done_as_shown() {
    everywhere(|| async {
        let (system, (journal, mut reader)) = (system(), journal());
        let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|id| puppet(id, &journal));
        let old = [d.needs(["c"]), c.clone().needs(["a"]), b.clone(), a.clone(), e.clone().needs(["b"])];
        let root = by_needs().children(old).start(&system, "top").await.expect("starts");
        reader.until("d up").await;
        reader.rest();
        let kept = [life_of(&root, "b").await, life_of(&root, "e").await];

        // `c` is replaced and `d` needs it; `e` needs `y` from now on, which comes without it.
        let x = puppet("x", &journal).needs(["y"]);
        let [d, c, y] = ["d", "c", "y"].map(|id| puppet(id, &journal));
        let new = [x, d.needs(["c"]), c.needs(["y"]), b.clone(), y, e.needs(["b", "y"])];
        let new = by_needs().limit(3, SECOND).children(new);
        let plan = root.plan(&new).await.expect("it makes sense");
        let expected = "3 to stop, 4 to start, 2 left alone\n\
            stop   d: another recipe\n\
            stop   c: another recipe\n\
            stop   a: not in the new specification; its address is lost\n\
            rules  (top): limit: 1 in 5s becomes 3 in 1s\n\
            rules  c: needs: a becomes y\n\
            rules  e: needs: b becomes b, y\n\
            start  y: new\n\
            start  x: new\n\
            start  c: another recipe\n\
            start  d: another recipe\n\
            leave  b: the same recipe\n\
            leave  e: the same recipe\n";
        assert_eq!(plan.to_string(), expected);
        assert_eq!(reader.rest(), [""; 0], "nothing has been done");
        plan.apply().await.expect("nobody has interfered");
        reader.expect(&["d stopping shutdown", "c stopping shutdown", "a stopping shutdown"]).await;
        // `x` and `c` side by side.
        let lines = reader.rest();
        assert_eq!((lines.len(), &*lines[0]), (4, "y up"), "{lines:?}");
        assert!(goes(&lines, "c up", "d up") && lines.contains(&"x up".to_owned()), "{lines:?}");
        assert_eq!([life_of(&root, "b").await, life_of(&root, "e").await], kept);
        assert_eq!(listed(root.clone()).await, "x d c b y e");
        assert!(root.plan(&new).await.expect("it makes sense").is_empty());

        // And it goes by the new needs from then on.
        let y: Addr<Msg> =
            root.which_child("y").await.expect("there").actor().unwrap().address().expect("it is");
        y.tell(crash()).expect("there is room");
        pass(SECOND).await;
        assert_ne!(life_of(&root, "e").await, kept[1]);
        assert_eq!(life_of(&root, "b").await, kept[0]);
    });
}

/// A replaced child takes along whoever needs it now, directly or through others, and nobody else; it is not counted.
#[tokio::test(start_paused = true)]
async fn a_replaced_child_takes_along_who_needs_it_now() {
    let (system, (journal, mut reader)) = (system(), journal());
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|id| puppet(id, &journal));
    let old = [a, b.clone().needs(["a"]), c.clone(), d.clone().needs(["c"])];
    let root = by_needs().limit(0, SECOND).children(old).start(&system, "top").await.expect("starts");
    reader.until("d up").await;
    reader.rest();
    let kept = life_of(&root, "b").await;
    // `b` does not need it any more, and `c` does now.
    let new = [puppet("a", &journal), b, c.needs(["a"]), d.needs(["c"])];
    let plan = root.plan(&by_needs().limit(0, SECOND).children(new)).await.expect("it makes sense");
    let expected = [
        "stop   d: restarted together with a",
        "stop   c: restarted together with a",
        "stop   a: another recipe",
        "rules  b: needs: a becomes nobody",
        "rules  c: needs: nobody becomes a",
        "start  a: another recipe",
        "start  c: restarted together with a",
        "start  d: restarted together with a",
    ];
    assert_eq!(shown(&plan), expected);
    plan.apply().await.expect("nobody has interfered");
    // They stop by the needs that they lived by, and start by the new ones.
    let lines = reader.rest();
    assert!(goes(&lines, "d stopping shutdown", "c stopping shutdown"), "{lines:?}");
    assert_eq!(lines[3..], ["a up", "c up", "d up"]);
    assert_eq!(life_of(&root, "b").await, kept);
}

/// Whoever needs one that fails stays down, directly or through others, and the next change makes up for it.
#[tokio::test(start_paused = true)]
async fn a_start_that_fails_holds_back_who_needs_it_and_nobody_else() {
    let (system, (journal, mut reader)) = (system(), journal());
    let fails = Arc::new(AtomicBool::new(true));
    let root = by_needs().limit(0, SECOND).start(&system, "top").await.expect("starts");
    let [b, c, d] = ["b", "c", "d"].map(|id| puppet(id, &journal));
    let new = [failing("a", &journal, &fails), b.needs(["a"]), c.needs(["b"]), d];
    let new = by_needs().limit(0, SECOND).children(new);
    let Err(ApplyError::Incomplete(incomplete)) = root.apply(new.clone()).await else {
        panic!("one does not start")
    };
    assert_eq!(incomplete.failed, [("a".to_owned(), ExitReason::other("no disk"))]);
    assert_eq!(incomplete.held_back, ["b", "c"]);
    pass(60 * SECOND).await;
    assert_eq!(listed(root.clone()).await, "a down b down c down d", "nobody tries again");
    reader.expect(&["d up"]).await;
    fails.store(false, Ordering::Relaxed);
    root.apply(new).await.expect("now it starts");
    reader.expect(&["a up", "b up", "c up"]).await;
    assert_eq!(reader.rest(), [""; 0], "nobody else is touched");
}

/// In a tree it is changed inside, and so are those below it: first all stops, then all starts.
#[test]
fn a_tree_with_needs_in_it_is_changed_inside() {
    everywhere(|| async {
        let (system, (journal, mut reader)) = (system(), journal());
        let (address, seat) = system.address();
        let holder = |id| holder(id, &seat, &journal);
        let k = puppet("k", &journal);
        // `left` needs `right`: it stops before and starts after it.
        let spec = |left: Option<Child>, right: Option<Child>| {
            let left = tree("left", by_needs().children(left)).needs(["right"]);
            let right = tree("right", one_for_one().children(right).child(k.clone()));
            one_for_one().child(tree("jobs", by_needs().children([left, right])))
        };
        let root = spec(None, Some(holder("r"))).start(&system, "top").await.expect("starts");
        reader.expect(&["r up", "k up"]).await;
        let kept = life_of(&root, "jobs/left").await;
        let plan = root.plan(&spec(Some(holder("l")), None)).await.expect("it makes sense");
        let steps = [
            "stop   jobs/right/r: not in the new specification; its address is lost",
            "start  jobs/left/l: new",
        ];
        assert_eq!(shown(&plan), steps);
        plan.apply().await.expect("its seat is free");
        reader.expect(&["r stopping shutdown", "l up"]).await;
        assert_eq!(listed(root.clone()).await, "jobs[left[l] right[k]]");
        root.apply(spec(None, Some(holder("r")))).await.expect("its seat is free");
        reader.expect(&["l stopping shutdown", "r up"]).await;
        assert_eq!(life(&address).await, 3);
        assert_eq!(life_of(&root, "jobs/left").await, kept, "supervisors live on");
        assert_eq!(reader.rest(), [""; 0]);
    });
}

/// What happens until the last stop is over waits for it; then ends are judged and requests answered while the missing come up.
#[tokio::test(start_paused = true)]
async fn ends_and_requests_wait_for_the_stops_and_not_for_the_starts() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (fragile, seat) = system.address();
    let fragile_child = {
        let journal = journal.clone();
        actor_in("fragile", seat, move || Puppet::new("fragile", &journal).trapping())
    };
    let old = by_needs().children([slow(&journal), fragile_child.clone()]);
    let root = old.start(&system, "top").await.expect("starts");
    reader.until("fragile up").await;
    // One that says only when it is told to that it is ready, and one that waits for it.
    let migrated = Arc::new(tokio::sync::Notify::new());
    let until = migrated.clone();
    let db = reporting_task("db", move |readiness| {
        let until = until.clone();
        async move {
            until.notified().await;
            readiness.ready();
            std::future::pending::<()>().await;
        }
    });
    let new = by_needs().children([fragile_child, db, puppet("http", &journal).needs(["db"])]);
    let change = aside({
        let root = root.clone();
        async move { root.apply(new).await }
    });
    reader.until("slow stopping shutdown").await;
    fragile.tell(crash()).expect("there is room");
    let asked = aside({
        let root = root.clone();
        async move { listed(root).await }
    });
    pass(SECOND).await;
    assert_eq!(reader.rest(), [""; 0], "it is not restarted");
    assert!(!asked.is_finished(), "it waits");
    reader.expect(&["slow cleaned up", "fragile up"]).await;
    soon(asked).await.expect("it is answered");
    assert!(!change.is_finished(), "one is not up");
    assert_eq!(listed(root.clone()).await, "fragile db http restarting");
    // Another change waits for this one.
    let next = aside({
        let root = root.clone();
        async move { root.apply(by_needs()).await }
    });
    turns().await;
    assert_eq!(reader.rest(), [""; 0]);
    migrated.notify_one();
    reader.expect(&["http up", "http stopping shutdown", "fragile stopping shutdown"]).await;
    soon(change).await.expect("it is answered").expect("all start");
    soon(next).await.expect("it is answered").expect("nobody is to start");
    assert_eq!(listed(root).await, "");
}

/// Whoever needs a disabled child is not waited for; it comes up when that is enabled.
#[tokio::test(start_paused = true)]
async fn a_change_does_not_wait_for_who_needs_a_disabled_child() {
    let (system, (journal, mut reader)) = (system(), journal());
    let [a, b, c] = ["a", "b", "c"].map(|id| puppet(id, &journal));
    let root = by_needs().child(a.clone()).start(&system, "top").await.expect("starts");
    reader.expect(&["a up"]).await;
    let new = by_needs().children([a.disabled(), b.needs(["a"]), c]);
    root.apply(new.clone()).await.expect("what can start does");
    reader.expect(&["a stopping shutdown", "c up"]).await;
    assert_eq!(listed(root.clone()).await, "a disabled b restarting c");
    assert!(root.plan(&new).await.expect("it makes sense").is_empty(), "it goes on waiting");
    root.enable_child("a").await.expect("it starts");
    reader.expect(&["a up", "b up"]).await;
}

/// A stop overtakes it, in the stops and in the starts.
#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_a_change_by_needs() {
    for waits_for_starts in [false, true] {
        let (system, (journal, mut reader)) = (system(), journal());
        let slow = slow(&journal);
        let kept = puppet("kept", &journal);
        let root = by_needs().children([slow, kept.clone()]).start(&system, "top").await.expect("starts");
        reader.until("kept up").await;
        let never = reporting_task("never", |_readiness| std::future::pending::<()>());
        let new = by_needs().children([kept, never, puppet("waits", &journal).needs(["never"])]);
        let change = aside({
            let root = root.clone();
            async move { root.apply(new).await }
        });
        reader.until("slow stopping shutdown").await;
        if waits_for_starts {
            reader.expect(&["slow cleaned up"]).await;
            assert_eq!(listed(root.clone()).await, "kept never waits restarting");
        }
        drop(aside(async move { root.stop(ExitReason::Shutdown).await }));
        reader.until("kept stopping shutdown").await;
        let error = soon(change).await.expect("it is told");
        assert!(matches!(error, Err(ApplyError::Unavailable(_))), "{error:?}");
    }
}

/// A plan that does not hold any more is refused, and nothing is done, here or above; so is another kind of supervisor, and needs
/// that make no sense.
#[tokio::test(start_paused = true)]
async fn a_change_by_needs_that_cannot_be_is_refused_and_nothing_is_done() {
    let (system, (journal, mut reader)) = (system(), journal());
    let [a, b] = ["a", "b"].map(|id| puppet(id, &journal));
    let jobs = |all: &[&Child]| tree("jobs", by_needs().children(all.iter().map(|child| (*child).clone())));
    let root = one_for_one().child(jobs(&[&a])).start(&system, "top").await.expect("starts");
    reader.expect(&["a up"]).await;
    let inside = root.subtree("jobs").await.expect("it is there");
    let plan = root.plan(&one_for_one().child(jobs(&[&b]))).await.expect("it makes sense");
    inside.terminate_child("a").await.expect("it is there");
    reader.expect(&["a stopping shutdown"]).await;
    let stale = ApplyError::Stale { supervisor: "jobs".to_owned() };
    assert_eq!(plan.apply().await, Err(stale));

    let kind = |supervisor: &str| Err(ApplyError::OtherKind { supervisor: supervisor.to_owned() });
    let other = one_for_one().child(tree("jobs", one_for_one().child(b.clone())));
    assert_eq!(root.plan(&other).await.map(drop), kind("jobs"));
    assert_eq!(root.apply(other).await, kind("jobs"));
    assert_eq!(root.apply(by_needs()).await, kind(""));
    assert_eq!(inside.apply(one_for_one()).await, kind(""));
    let circle = by_needs().children([a.needs(["b"]), b.needs(["a"])]);
    assert!(matches!(inside.apply(circle).await, Err(ApplyError::Invalid(TreeError::Spec { .. }))));
    assert_eq!(reader.rest(), [""; 0], "nothing has been done");
    assert_eq!(listed(root).await, "jobs[a down]");
}

/// Among the stops the supervisor waits for whoever it stops, who is told so; among the starts it answers, here and below.
#[tokio::test(start_paused = true)]
async fn a_child_that_asks_in_a_change_is_answered_or_told() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = by_needs().child(tree("inner", one_for_one())).start(&system, "top").await.expect("starts");
    let curious = |id: &'static str| {
        let (journal, root) = (journal.clone(), root.clone());
        actor(id, move || Curious::new(id, &journal, &root))
    };
    let new = by_needs().child(tree("inner", one_for_one().child(curious("below")))).child(curious("here"));
    soon(root.apply(new)).await.expect("all start");
    let mut lines = reader.rest();
    lines.sort();
    assert_eq!(lines, ["below comes: answered", "here comes: answered"]);
    soon(root.apply(by_needs().child(tree("inner", one_for_one())))).await.expect("nobody is to start");
    let mut lines = reader.rest();
    lines.sort();
    assert_eq!(lines, ["below goes: would deadlock", "here goes: would deadlock"]);
}

/// A plan is of what stood when its turn came, whatever was answered in the same moment.
#[tokio::test(start_paused = true)]
async fn a_plan_that_waited_beside_other_requests_is_of_what_stood_then() {
    for spec in [by_needs as fn() -> Spec, one_for_one] {
        let (system, (journal, mut reader)) = (system(), journal());
        let slow = slow(&journal);
        let [a, z] = ["a", "z"].map(|id| puppet(id, &journal));
        let root = spec().children([slow, a.clone()]).start(&system, "top").await.expect("starts");
        reader.until("a up").await;
        let new = spec().child(a);
        let change = aside({
            let (root, new) = (root.clone(), new.clone());
            async move { root.apply(new).await }
        });
        reader.until("slow stopping shutdown").await;
        let plan = aside({
            let root = root.clone();
            async move { root.plan(&new).await.map(|plan| plan.to_string()) }
        });
        turns().await;
        let start = aside({
            let root = root.clone();
            async move { root.start_child(z).await.map(drop) }
        });
        reader.until("z up").await;
        soon(change).await.expect("it is answered").expect("nobody is to start");
        let plan = soon(plan).await.expect("it is answered").expect("it makes sense");
        assert_eq!(plan, "0 to stop, 0 to start, 1 left alone\nleave  a: the same recipe\n");
        soon(start).await.expect("it is answered").expect("its id is free");
        assert_eq!(listed(root).await, "a z");
    }
}

/// A look at what a change would do is answered at once: also if a child asks for it that is just coming up, which is taken to
/// come up well.
#[tokio::test(start_paused = true)]
async fn a_child_by_needs_may_plan_while_it_comes_up() {
    struct Planner(Root, Spec, Journal);

    impl Actor for Planner {
        type Msg = ();

        async fn started(&mut self, _: &mut Context<()>) -> Handled {
            match self.0.plan(&self.1).await {
                Ok(plan) => shown(&plan).iter().for_each(|line| self.2.note(line)),
                Err(error) => self.2.note(error.to_string()),
            }
            Ok(())
        }

        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
    }

    let (system, (journal, mut reader)) = (system(), journal());
    let root = by_needs().start(&system, "top").await.expect("starts");
    let planner = {
        let root = root.clone();
        actor("planner", move || Planner(root.clone(), by_needs(), journal.clone()))
    };
    soon(root.start_child(planner)).await.expect("it starts");
    reader.expect(&["stop   planner: not in the new specification; its address is lost"]).await;
}
