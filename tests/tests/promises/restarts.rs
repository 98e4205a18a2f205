//! Who is started again: restart type by reason, strategy by strategy, and until when. Rows SUP-021 to SUP-084.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::Root;

use crate::support::*;

/// OTP: SUP-021, SUP-022, SUP-023, SUP-024, SUP-025.
#[tokio::test(start_paused = true)]
async fn restart_type_by_reason() {
    use Restart::{Permanent, Temporary, Transient};
    type Ending = fn() -> Msg;
    // How it ends; whether a permanent, a transient and a temporary child lives again.
    let rows: &[(&str, Ending, [bool; 3])] = &[
        ("normal", || end(ExitReason::Normal), [true, false, false]),
        ("shutdown", || end(ExitReason::Shutdown), [true, false, false]),
        ("shutdown with", || end(ExitReason::shutdown_with(Plain("why"))), [true, false, false]),
        ("killed", hang, [true, true, false]),
        ("said killed", || end(ExitReason::Killed), [true, true, false]),
        ("no actor", || end(ExitReason::NoActor), [true, true, false]),
        ("panic", crash, [true, true, false]),
        ("error", || act(|_, _| Err(Plain("no").into())), [true, true, false]),
        ("hung", || wait(|_, _| Box::pin(std::future::pending())), [true, true, false]),
        ("other", || end(ExitReason::other("mine")), [true, true, false]),
    ];
    for &(reason, ending, lives) in rows {
        for (restart, lives) in [Permanent, Transient, Temporary].into_iter().zip(lives) {
            let system = system();
            let (journal, mut reader) = journal();
            let (it, seat) = system.address();
            let child = actor_in("it", seat, move || Puppet::new("it", &journal))
                .restart(restart)
                .handler_limit(SECOND);
            let root = tolerant(one_for_one()).child(child).start(&system, "top").await.expect("starts");
            reader.expect(&["it up"]).await;
            it.tell(ending()).expect("there is room");
            if reason == "killed" {
                reader.expect(&["it hangs"]).await;
                it.kill();
            }
            pass(2 * SECOND).await;
            assert_eq!(it.is_alive(), lives, "{restart:?}, {reason}");
            assert_eq!(it.id().incarnation(), if lives { 2 } else { 1 }, "{restart:?}, {reason}");
            // The seat of a temporary child is given up; that of a transient one is kept for another start.
            assert_eq!(it.tell(Msg::Mark(1)).is_err(), restart == Temporary, "{restart:?}, {reason}");
            assert!(root.address().is_alive(), "{restart:?}, {reason}");
        }
    }
}

/// Three trapping children under one supervisor.
struct Three {
    children: [Addr<Msg>; 3],
    reader: Reader,
    root: Root,
    _system: System,
}

async fn three(spec: Spec, restarts: [Restart; 3]) -> Three {
    let system = system();
    let (journal, mut reader) = journal();
    let mut spec = spec;
    let mut children = Vec::new();
    for (name, restart) in ["a", "b", "c"].into_iter().zip(restarts) {
        let journal = journal.clone();
        let (it, seat) = system.address();
        let make = move || Puppet::new(name, &journal).trapping();
        spec = spec.child(actor_in(name, seat, make).restart(restart));
        children.push(it);
    }
    let root = spec.start(&system, "top").await.expect("starts");
    reader.expect(&["a up", "b up", "c up"]).await;
    let children = children.try_into().unwrap_or_else(|_| unreachable!("three were made"));
    Three { children, reader, root, _system: system }
}

/// OTP: SUP-031, SUP-032, SUP-033, SUP-034, SUP-035, SUP-039.
#[tokio::test(start_paused = true)]
async fn strategy_by_child_and_restart_type() {
    use Restart::{Permanent as P, Temporary as T, Transient as R};
    type Strategy = fn() -> Spec;
    // strategy, restart types, who crashes, what follows
    let rows: &[(Strategy, [Restart; 3], usize, &[&str])] = &[
        (one_for_one, [P, P, P], 0, &["a up"]),
        (one_for_one, [P, P, P], 1, &["b up"]),
        (one_for_one, [P, T, P], 1, &[]),
        (one_for_all, [P, P, P], 1, &["c stopping shutdown", "a stopping shutdown", "a up", "b up", "c up"]),
        (one_for_all, [P, R, P], 1, &["c stopping shutdown", "a stopping shutdown", "a up", "b up", "c up"]),
        (one_for_all, [P, T, P], 1, &[]),
        (one_for_all, [P, P, T], 1, &["c stopping shutdown", "a stopping shutdown", "a up", "b up"]),
        (rest_for_one, [P, P, P], 0, &["c stopping shutdown", "b stopping shutdown", "a up", "b up", "c up"]),
        (rest_for_one, [P, P, P], 1, &["c stopping shutdown", "b up", "c up"]),
        (rest_for_one, [P, P, P], 2, &["c up"]),
        (rest_for_one, [P, P, T], 1, &["c stopping shutdown", "b up"]),
        (rest_for_one, [T, P, P], 0, &[]),
    ];
    for (strategy, restarts, who, expected) in rows {
        let Three { children, mut reader, root, .. } = three(tolerant(strategy()), *restarts).await;
        children[*who].tell(crash()).expect("there is room");
        pass(SECOND).await;
        assert_eq!(reader.rest(), *expected, "{:?} {restarts:?}, {who} crashes", strategy());
        assert!(root.address().is_alive());
    }
}

/// A clean end of a transient child disturbs nobody; a later group restart brings it back (SUP-034, SUP-036).
/// OTP: SUP-034, SUP-036.
#[tokio::test(start_paused = true)]
async fn a_finished_transient_child_comes_back_with_its_group() {
    let restarts = [Restart::Permanent, Restart::Transient, Restart::Permanent];
    let Three { children, mut reader, .. } = three(tolerant(one_for_all()), restarts).await;
    children[1].tell(end(ExitReason::Normal)).expect("there is room");
    pass(SECOND).await;
    assert_eq!(reader.rest(), ["b stopping normal"]);
    children[0].tell(crash()).expect("there is room");
    reader.expect(&["c stopping shutdown", "a up", "b up", "c up"]).await;
}

/// OTP: SUP-042, SUP-054.
#[tokio::test(start_paused = true)]
async fn two_that_crash_together_are_one_group_restart() {
    let Three { children, mut reader, root, .. } =
        three(one_for_all().limit(1, 5 * SECOND), [Restart::Permanent; 3]).await;
    children[0].tell(crash()).expect("there is room");
    children[2].tell(crash()).expect("there is room");
    reader.expect(&["b stopping shutdown", "a up", "b up", "c up"]).await;
    pass(SECOND).await;
    assert!(reader.rest().is_empty());
    assert!(root.address().is_alive(), "a limit of one is enough");
}

/// OTP: SUP-051, SUP-052, SUP-053, SUP-057, SUP-059.
#[tokio::test(start_paused = true)]
async fn too_many_restarts_end_the_supervisor_in_order() {
    // limit, period in s, seconds between the crashes, crashes it survives
    for (limit, period, between, survives) in
        [(0, 5, 1, 0), (1, 5, 1, 1), (3, 5, 1, 3), (3, 5, 2, 9), (1, 1, 2, 9)]
    {
        let spec = one_for_one().limit(limit, Duration::from_secs(period));
        let Three { children, mut reader, root, .. } = three(spec, [Restart::Permanent; 3]).await;
        for number in 0..survives {
            // Whoever it is, the count is the supervisor's.
            children[number % 3].tell(crash()).expect("there is room");
            pass(Duration::from_secs(between)).await;
            assert!(
                root.address().is_alive(),
                "limit {limit} in {period} s, crash {number} {between} s apart"
            );
        }
        if survives == 9 {
            continue;
        }
        reader.rest();
        children[1].tell(crash()).expect("there is room");
        assert_eq!(soon(root.ended()).await, ExitReason::Shutdown, "limit {limit}");
        assert_eq!(reader.rest(), ["c stopping shutdown", "a stopping shutdown"], "limit {limit}");
        assert!(children.iter().all(|child| !child.is_alive()));
    }
}

/// A child whose start fails now and then: while the counter says so.
fn stubborn(
    id: &str,
    seat: Seat<Msg>,
    failures: &Arc<AtomicU32>,
    journal: &Journal,
    name: &'static str,
) -> Child {
    let (failures, journal) = (failures.clone(), journal.clone());
    actor_in(id, seat, move || {
        let failures = failures.clone();
        Puppet::new(name, &journal).trapping().on_start(move |puppet, _| {
            if failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                puppet.note("fails");
                return Err(Plain("not yet").into());
            }
            Ok(())
        })
    })
}

/// OTP: SUP-071.
#[tokio::test(start_paused = true)]
async fn a_failed_restart_is_tried_again_and_others_get_their_turn_between() {
    let system = system();
    let (journal, mut reader) = journal();
    let failures = Arc::new(AtomicU32::new(0));
    let ((a, seat_a), (b, seat_b)) = (system.address(), system.address());
    let tree = tolerant(one_for_one())
        .child(stubborn("a", seat_a, &failures, &journal, "a"))
        .child(stubborn("b", seat_b, &Arc::default(), &journal, "b"));
    tree.start(&system, "top").await.expect("starts");
    reader.expect(&["a up", "b up"]).await;
    failures.store(20, Ordering::SeqCst);
    a.tell(crash()).expect("there is room");
    b.tell(crash()).expect("there is room");
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line| line != "a up") {
        lines.push(reader.next().await);
    }
    assert_eq!(lines.iter().filter(|line| *line == "a fails").count(), 20);
    let between = lines.iter().position(|line| line == "b up").expect("b is restarted");
    assert!(between < 5, "before the retries are over: {lines:?}");
    assert_eq!((life(&a).await, life(&b).await), (22, 2));
}

/// The tries count: a child that never comes up again ends its supervisor, which can be stopped between two of them.
/// OTP: SUP-055.
#[tokio::test(start_paused = true)]
async fn every_try_counts() {
    let system = system();
    let (journal, mut reader) = journal();
    let failures = Arc::new(AtomicU32::new(0));
    let ((a, seat_a), (_, seat_b)) = (system.address(), system.address());
    let root = one_for_one()
        .limit(3, 5 * SECOND)
        .child(stubborn("b", seat_b, &Arc::default(), &journal, "b"))
        .child(stubborn("a", seat_a, &failures, &journal, "a"))
        .start(&system, "top")
        .await
        .expect("starts");
    failures.store(100, Ordering::SeqCst);
    a.tell(crash()).expect("there is room");
    assert_eq!(soon(root.ended()).await, ExitReason::Shutdown);
    assert_eq!(reader.rest(), ["b up", "a up", "a fails", "a fails", "a fails", "b stopping shutdown"]);
}

/// OTP: SUP-075.
#[tokio::test(start_paused = true)]
async fn one_that_waits_for_another_try_does_not_hold_up_a_shutdown() {
    let system = system();
    let failures = Arc::new(AtomicU32::new(0));
    let (a, seat) = system.address();
    let tree =
        one_for_one().limit(1_000_000, SECOND).child(stubborn("a", seat, &failures, &journal().0, "a"));
    let root = tree.start(&system, "top").await.expect("starts");
    failures.store(u32::MAX, Ordering::SeqCst);
    a.tell(crash()).expect("there is room");
    turns().await;
    assert!(a.id().incarnation() > 2 && root.address().is_alive(), "it tries");
    let began = system.now();
    let stopping = aside({
        let system = system.clone();
        async move { system.shutdown(SECOND).await }
    });
    // As long as it tries virtual time stands still, so that nobody would be late.
    turns().await;
    assert!(stopping.is_finished(), "at once");
    let report = stopping.await.expect("the client does not panic");
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(system.now(), began);
}

/// SUP-076 and SUP-077: what is stopped again when a member of the group does not come up.
/// OTP: SUP-076, SUP-077.
#[tokio::test(start_paused = true)]
async fn a_group_whose_member_does_not_come_up_at_once() {
    let all: &[&str] =
        &["c stopping shutdown", "a up", "b fails", "a stopping shutdown", "a up", "b up", "c up"];
    let rest: &[&str] = &["c stopping shutdown", "b fails", "b up", "c up"];
    type Strategy = fn() -> Spec;
    let rows: &[(Strategy, usize, &[&str])] = &[(one_for_all, 0, all), (rest_for_one, 1, rest)];
    for (strategy, who, expected) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let failures = Arc::new(AtomicU32::new(0));
        let mut spec = tolerant(strategy());
        let mut children = Vec::new();
        for name in ["a", "b", "c"] {
            let (it, seat) = system.address();
            let its = if name == "b" { failures.clone() } else { Arc::default() };
            spec = spec.child(stubborn(name, seat, &its, &journal, name));
            children.push(it);
        }
        spec.start(&system, "top").await.expect("starts");
        reader.expect(&["a up", "b up", "c up"]).await;
        failures.store(1, Ordering::SeqCst);
        children[*who].tell(crash()).expect("there is room");
        pass(SECOND).await;
        let mut lines = reader.rest();
        lines.retain(|line| line != "b stopping shutdown");
        assert_eq!(lines, *expected, "{:?}", strategy());
    }
}
