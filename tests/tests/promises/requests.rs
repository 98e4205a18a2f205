//! Requests to a running supervisor, each with OTP's answers and errors. Rows SUP-074, SUP-081 to SUP-083, SUP-103,
//! SUP-141 to SUP-156.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minder::prelude::*;
use minder::supervisors::{
    AutoShutdown, Counts, DeleteChildError, FindChildError, Kind, RestartChildError, StartChildError,
    SubtreeError, TerminateChildError, TreeError, Unavailable, tree_in,
};

use crate::support::*;

fn puppet(id: &'static str) -> Child {
    let (journal, _) = journal();
    actor(id, move || Puppet::new(id, &journal))
}

/// Starts as often as it is told to before it fails for ever.
fn failing_after(id: &'static str, starts: u32) -> Child {
    let (journal, _) = journal();
    let count = Arc::new(AtomicU32::new(0));
    actor(id, move || match count.fetch_add(1, Ordering::Relaxed) < starts {
        true => Ok(Puppet::new(id, &journal)),
        false => Err(ExitReason::other("no disk")),
    })
}

/// Ids and how they stand, in the order of the answer.
async fn listed(root: &Root) -> String {
    let children = root.which_children().await.expect("it lives");
    let line = |child: &minder::supervisors::ChildInfo| {
        format!("{} {}", child.id.as_deref().unwrap_or("?"), child.status)
    };
    children.iter().map(line).collect::<Vec<_>>().join(", ")
}

/// OTP: SUP-141, SUP-142, SUP-143, SUP-144, SUP-145, SUP-146, SUP-148, SUP-156, NEW-007.
#[tokio::test(start_paused = true)]
async fn the_life_of_a_child_by_request() {
    let system = system();
    let root = one_for_all().child(puppet("a")).start(&system, "top").await.expect("starts");
    let b = root.start_child(puppet("b")).await.expect("its id is free").expect("it runs");
    assert_eq!((&*b.path(), listed(&root).await.as_str()), ("top/b", "b running, a running"));
    // A request for an id that is taken changes nothing.
    let again = root.start_child(puppet("b")).await;
    assert!(matches!(again, Err(StartChildError::AlreadyStarted(it)) if it.id() == b.id()));
    assert_eq!(root.restart_child("b").await.map(drop), Err(RestartChildError::Running));
    assert_eq!(root.delete_child("b").await, Err(DeleteChildError::Running));
    root.terminate_child("b").await.expect("it is there");
    assert!(!b.is_alive(), "gone when the request is answered");
    root.terminate_child("b").await.expect("no process is no error");
    assert!(matches!(root.start_child(puppet("b")).await, Err(StartChildError::AlreadyPresent)));
    assert_eq!(listed(&root).await, "b down, a running");
    assert!(root.restart_child("b").await.expect("it is down").is_some());
    root.terminate_child("b").await.expect("it is there");
    root.delete_child("b").await.expect("it is down");
    assert_eq!(root.delete_child("b").await, Err(DeleteChildError::NotFound));
    assert_eq!(root.restart_child("b").await.map(drop), Err(RestartChildError::NotFound));
    assert_eq!(root.terminate_child("b").await, Err(TerminateChildError::NotFound));
    assert_eq!(root.which_child("b").await.map(drop), Err(FindChildError::NotFound));
    assert_eq!(root.child_spec("b").await.map(drop), Err(FindChildError::NotFound));
    assert_eq!(listed(&root).await, "a running");
}

/// An actor is no id, also if it is a child.
/// OTP: SUP-147.
#[tokio::test(start_paused = true)]
async fn an_actor_in_place_of_an_id_is_not_found() {
    let system = system();
    let root = one_for_one().child(puppet("a")).start(&system, "top").await.expect("starts");
    let a = root.which_child("a").await.expect("it is there");
    let actor = a.actor().expect("it is up");
    assert_eq!(root.terminate_instance(actor).await, Err(TerminateChildError::NotFound));
    assert!(actor.is_alive());
}

/// A temporary child that was stopped is forgotten; one added again comes last.
/// OTP: SUP-040, SUP-041, SUP-143.
#[tokio::test(start_paused = true)]
async fn temporary_children_and_the_order_of_additions() {
    let system = system();
    let spec = one_for_one().child(puppet("a").restart(Restart::Temporary)).child(puppet("b"));
    let root = spec.start(&system, "top").await.expect("starts");
    root.terminate_child("a").await.expect("it is there");
    assert_eq!(listed(&root).await, "b running");
    root.start_child(puppet("a")).await.expect("its id is free");
    assert_eq!(listed(&root).await, "a running, b running");
}

/// OTP: SUP-056, SUP-082, SUP-083, SUP-130.
#[tokio::test(start_paused = true)]
async fn failed_starts_by_request_are_told_and_not_retried() {
    let system = system();
    let root = one_for_one().limit(0, SECOND).start(&system, "top").await.expect("starts");
    let failed = root.start_child(failing_after("a", 0)).await;
    assert!(matches!(failed, Err(StartChildError::Failed(reason)) if reason == ExitReason::other("no disk")));
    assert_eq!(listed(&root).await, "", "nothing of it is kept");
    root.start_child(failing_after("a", 1)).await.expect("once");
    root.terminate_child("a").await.expect("it is there");
    let failed = root.restart_child("a").await.map(drop);
    assert_eq!(failed, Err(RestartChildError::Failed(ExitReason::other("no disk"))));
    pass(10 * SECOND).await;
    assert_eq!(listed(&root).await, "a down", "and the supervisor tolerates no restart at all");
    // What makes no sense is refused before anything happens.
    let significant = puppet("s").restart(Restart::Transient).significant(true);
    let nested =
        tree("s", one_for_one().auto_shutdown(AutoShutdown::AnySignificant).child(significant.clone()));
    root.start_child(nested).await.expect("there it makes sense");
    for refused in [significant, tree("t", one_for_one().child(puppet("x")).child(puppet("x")))] {
        let refused = root.start_child(refused).await;
        assert!(matches!(refused, Err(StartChildError::Invalid(TreeError::Spec { .. }))), "{refused:?}");
    }
}

/// OTP: SUP-149, SUP-150.
#[tokio::test(start_paused = true)]
async fn counts_and_specifications() {
    let system = system();
    let spec =
        one_for_one().child(puppet("a")).child(tree("s", one_for_one()).shutdown(Shutdown::BrutalKill));
    let root = spec.start(&system, "top").await.expect("starts");
    root.terminate_child("a").await.expect("it is there");
    let counts = root.count_children().await.expect("it lives");
    assert_eq!(counts, Counts { specs: 2, active: 1, supervisors: 1, workers: 1 });
    let spec = root.child_spec("s").await.expect("it is there");
    let expected = (Restart::Permanent, Shutdown::BrutalKill, Kind::Supervisor, false);
    assert_eq!((spec.restart, spec.shutdown, spec.kind, spec.significant), expected);
}

/// Deaths and requests are handled in order of arrival, also while something runs: here all of them stand in the lane.
/// OTP: SUP-154.
#[tokio::test(start_paused = true)]
async fn requests_and_deaths_are_handled_in_order_of_arrival() {
    let system = system();
    let (journal, mut reader) = journal();
    let (a, seat) = system.address();
    let make = journal.clone();
    let spec = tolerant(one_for_one()).child(actor_in("a", seat, move || Puppet::new("a", &make)));
    let root = spec.start(&system, "top").await.expect("starts");
    reader.expect(&["a up"]).await;
    root.address().suspend();
    a.tell(crash()).expect("there is room");
    turns().await;
    let ask = |what: &'static str| {
        let (root, journal) = (root.clone(), journal.clone());
        aside(async move {
            let answer = match what {
                "terminate" => format!("{:?}", root.terminate_child("a").await),
                "restart" => format!("{}", root.restart_child("a").await.is_ok()),
                _ => listed(&root).await,
            };
            journal.note(format!("{what}: {answer}"));
        })
    };
    for what in ["list", "terminate", "again", "restart"] {
        drop(ask(what));
        turns().await;
    }
    assert!(reader.rest().is_empty(), "it is suspended");
    root.address().resume();
    let lines = ["a up", "list: a running", "terminate: Ok(())", "again: a down", "a up", "restart: true"];
    reader.expect(&lines).await;
}

/// While a restart is retried, requests see it, and can end it.
/// OTP: SUP-073, SUP-074.
#[tokio::test(start_paused = true)]
async fn a_child_that_is_restarting_can_be_seen_and_stopped() {
    let system = system();
    let root = one_for_one().limit(u32::MAX, SECOND).start(&system, "top").await.expect("starts");
    let it = root.start_child(failing_after("a", 1)).await.expect("once").expect("it runs");
    it.kill();
    turns().await;
    // Every retry leaves room for what stands in the lane.
    assert_eq!(root.restart_child("a").await.map(drop), Err(RestartChildError::Restarting));
    assert_eq!(root.delete_child("a").await, Err(DeleteChildError::Restarting));
    assert!(matches!(root.start_child(puppet("a")).await, Err(StartChildError::AlreadyPresent)));
    assert_eq!(root.count_children().await.expect("it lives").active, 0);
    assert_eq!(listed(&root).await, "a restarting");
    root.terminate_child("a").await.expect("it is there");
    assert_eq!(listed(&root).await, "a down");
    root.delete_child("a").await.expect("it does not wait any more");
}

#[tokio::test(start_paused = true)]
async fn nested_supervisors_are_reached_by_path_and_by_seat() {
    let system = system();
    let (inner, seat) = system.address();
    let spec = one_for_one()
        .child(tree("s", one_for_one().child(tree_in("t", seat, one_for_one().child(puppet("x"))))))
        .child(puppet("a"));
    let root = spec.start(&system, "top").await.expect("starts");
    let by_path = root.subtree("s/t").await.expect("it is there");
    assert_eq!(by_path.address(), &inner);
    assert_eq!(listed(&Root::of(inner.clone())).await, "x running");
    by_path.start_child(puppet("y")).await.expect("its id is free");
    let rows = [("s/u", SubtreeError::NotFound("u".into())), ("a", SubtreeError::NoSupervisor("a".into()))];
    for (path, expected) in rows {
        assert_eq!(root.subtree(path).await.map(drop), Err(expected));
    }
    // What was added is lost with the incarnation; the address is not.
    inner.kill();
    turns().await;
    assert_eq!(listed(&by_path).await, "x running");
    root.subtree("s").await.expect("there").terminate_child("t").await.expect("there");
    assert_eq!(root.subtree("s/t").await.map(drop), Err(SubtreeError::NotRunning("t".into())));
    assert_eq!(by_path.which_children().await.map(drop), Err(Unavailable::NotThere));
}

/// Whoever asks a supervisor that ends first is told, and the next life is not asked in its stead (SUP-107).
/// OTP: SUP-107.
#[tokio::test(start_paused = true)]
async fn requests_end_with_the_incarnation_they_were_made_to() {
    let system = system();
    let (x, seat) = system.address();
    let (journal, _reader) = journal();
    let inner = one_for_one().limit(0, SECOND).child(actor_in("x", seat, move || Puppet::new("x", &journal)));
    let root = tolerant(one_for_one()).child(tree("s", inner)).start(&system, "top").await.expect("starts");
    let s = root.subtree("s").await.expect("it is there");
    s.address().suspend();
    x.tell(crash()).expect("there is room");
    turns().await;
    let asked = aside({
        let s = s.clone();
        async move { s.start_child(puppet("y")).await.map(drop) }
    });
    turns().await;
    s.address().resume();
    let answer = asked.await.expect("the client does not panic");
    assert!(
        matches!(answer, Err(StartChildError::Unavailable(Unavailable::Ended(ExitReason::Shutdown)))),
        "{answer:?}"
    );
    turns().await;
    assert_eq!(listed(&s).await, "x running", "the next life knows nothing of it");
}

/// OTP: SUP-103, SUP-151, NEW-009.
#[tokio::test(start_paused = true)]
async fn a_supervisor_is_stopped_by_request_and_judged_by_its_parent() {
    let system = system();
    let (journal, mut reader) = journal();
    let make = journal.clone();
    let inner = one_for_one().child(actor("x", move || Puppet::new("x", &make).trapping()));
    let spec = one_for_one().child(tree("s", inner).restart(Restart::Transient));
    let root = spec.start(&system, "top").await.expect("starts");
    let s = root.subtree("s").await.expect("it is there");
    assert_eq!(s.stop(ExitReason::other("boom")).await, Ok(ExitReason::other("boom")));
    reader.expect(&["x up", "x stopping shutdown", "x up"]).await;
    assert_eq!(s.stop(ExitReason::Normal).await, Ok(ExitReason::Normal));
    reader.expect(&["x stopping shutdown"]).await;
    turns().await;
    assert_eq!(listed(&root).await, "s down", "a normal end is no reason to start it again");
    assert_eq!(s.stop(ExitReason::Normal).await, Err(Unavailable::NotThere));
    assert_eq!(root.stop(ExitReason::Shutdown).await, Ok(ExitReason::Shutdown));
    assert_eq!(system.living(), 0);
}

/// More requests than its mailbox has room for: askers wait.
#[tokio::test(start_paused = true)]
async fn a_supervisor_refuses_no_request_for_want_of_room() {
    let system = system();
    let root = one_for_one().start(&system, "top").await.expect("starts");
    root.address().suspend();
    let asking: Vec<_> = (0..3_000)
        .map(|_| {
            let root = root.clone();
            aside(async move { root.count_children().await.map(|counts| counts.specs) })
        })
        .collect();
    turns().await;
    root.address().resume();
    for asked in asking {
        assert_eq!(asked.await.expect("the client does not panic"), Ok(0));
    }
}
