//! Trees: start and stop in order, a start that fails half-way, escalation through nested supervisors, the shutdown
//! ladder. Rows SUP-001 to SUP-006, SUP-019, SUP-061, SUP-062, SUP-091 to SUP-101, SUP-121 to SUP-129.

use std::sync::mpsc;
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{AutoShutdown, StartFailed, StartTreeError, Supervisor};
use minder::{Recipe, StartOptions};

use crate::support::*;

/// A trapping puppet in a seat of its own.
fn puppet(name: &'static str, journal: &Journal) -> Child {
    let journal = journal.clone();
    actor(name, move || Puppet::new(name, &journal).trapping())
}

/// A puppet whose start fails.
fn failing(name: &'static str, journal: &Journal, reason: fn() -> ExitReason) -> Child {
    let journal = journal.clone();
    actor(name, move || {
        Puppet::new(name, &journal).on_start(move |puppet, _| {
            puppet.note("fails");
            Err(reason())
        })
    })
}

/// One that can be told things.
fn reachable(system: &System, name: &'static str, journal: &Journal) -> (Addr<Msg>, Child) {
    let (it, seat) = system.address();
    let journal = journal.clone();
    (it, actor_in(name, seat, move || Puppet::new(name, &journal).trapping()))
}

/// OTP: SUP-001, SUP-002, SUP-019, SUP-091, SUP-100.
#[tokio::test(start_paused = true)]
async fn children_start_in_order_and_stop_in_reverse_inside_out() {
    let system = system();
    let (journal, mut reader) = journal();
    let inner = one_for_one().child(puppet("b1", &journal)).child(puppet("b2", &journal));
    let root = one_for_one()
        .child(puppet("a", &journal))
        .child(tree("b", inner))
        .child(puppet("c", &journal))
        .start(&system, "top")
        .await
        .expect("starts");
    // All of it is up when the start returns.
    assert_eq!(reader.rest(), ["a up", "b1 up", "b2 up", "c up"]);
    assert_eq!(system.living(), 6);
    let report = system.shutdown(SECOND).await;
    assert!(report.is_clean(), "{report:?}");
    let stopped =
        ["c stopping shutdown", "b2 stopping shutdown", "b1 stopping shutdown", "a stopping shutdown"];
    assert_eq!(reader.rest(), stopped);
    assert_eq!((soon(root.ended()).await, system.living()), (ExitReason::Shutdown, 0));
}

/// OTP: SUP-001, SUP-002, SUP-091.
#[tokio::test(start_paused = true)]
async fn each_start_waits_for_the_one_before_and_each_stop_too() {
    struct Slow(&'static str, Journal);
    impl Actor for Slow {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            context.trap_exit(true);
            self.1.note(format!("{} starts", self.0));
            context.sleep(SECOND).await;
            self.1.note(format!("{} up", self.0));
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
        async fn stopping(&mut self, _: &ExitReason, context: &mut Context<()>) {
            self.1.note(format!("{} stops", self.0));
            context.sleep(SECOND).await;
            self.1.note(format!("{} down", self.0));
        }
    }
    let system = system();
    let (journal, mut reader) = journal();
    let child = |name: &'static str| {
        let journal = journal.clone();
        actor(name, move || Slow(name, journal.clone()))
    };
    one_for_one().child(child("a")).child(child("b")).start(&system, "top").await.expect("starts");
    assert_eq!(reader.rest(), ["a starts", "a up", "b starts", "b up"]);
    assert!(system.shutdown(10 * SECOND).await.is_clean());
    assert_eq!(reader.rest(), ["b stops", "b down", "a stops", "a down"]);
}

/// One that an actor has started ends with that actor, its children first.
/// OTP: SUP-001, SUP-101.
#[tokio::test(start_paused = true)]
async fn a_supervisor_ends_with_the_actor_that_started_it() {
    type Ending = fn() -> Msg;
    // How that actor ends; why the supervisor does.
    let rows: [(Ending, &str); 3] = [
        (crash, "panic boom"),
        (|| end(ExitReason::other("mine")), "mine"),
        (|| end(ExitReason::Normal), "shutdown"),
    ];
    for (ending, reason) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let boss = spawn(&system, "boss", &self::journal().0);
        let spec = one_for_one().child(puppet("a", &journal)).child(puppet("b", &journal));
        let (top, seat) = system.address();
        let recipe = Recipe::in_seat(seat, move || Supervisor::new(&spec));
        let begun =
            within(&boss, move |context| context.start(&recipe, StartOptions::named("sup")).map(drop)).await;
        begun.expect("the seat is free");
        reader.expect(&["a up", "b up"]).await;
        boss.tell(ending()).expect("there is room");
        reader.expect(&["b stopping shutdown", "a stopping shutdown"]).await;
        assert_eq!(short(&soon(top.ended()).await), reason);
        turns().await;
        assert_eq!(system.living(), 0);
    }
}

/// OTP: SUP-003, SUP-004, SUP-005, SUP-006.
#[tokio::test(start_paused = true)]
async fn the_nth_start_fails_and_nothing_is_left_behind() {
    type Why = fn() -> ExitReason;
    let rows: &[(Why, &str)] = &[
        (|| Plain("no disk").into(), "shutdown: child `b` failed to start: error: no disk"),
        (|| ExitReason::Normal, "shutdown: child `b` failed to start: normal"),
        (|| ExitReason::Shutdown, "shutdown: child `b` failed to start: shutdown"),
        (|| panic!("boom"), "shutdown: child `b` failed to start: panic: boom at "),
    ];
    for &(why, expected) in rows {
        for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
            let system = system();
            let (journal, mut reader) = journal();
            let spec = tolerant(one_for_one())
                .child(puppet("a1", &journal))
                .child(puppet("a2", &journal))
                .child(failing("b", &journal, why).restart(restart))
                .child(puppet("c", &journal));
            let reason = spec.start(&system, "top").await.expect_err("one of them fails");
            let StartTreeError::Failed(reason) = reason else { panic!("the tree makes sense: {reason}") };
            assert!(reason.to_string().starts_with(expected), "{reason}");
            let ExitReason::ShutdownWith(cause) = &reason else { panic!("a shutdown, not {reason}") };
            let failed = cause.downcast_ref::<StartFailed>().expect("it says who failed");
            assert_eq!(&**failed.child(), "b");
            let lines = ["a1 up", "a2 up", "b fails", "a2 stopping shutdown", "a1 stopping shutdown"];
            assert_eq!(reader.rest(), lines, "tried once, whatever its restart type");
            assert_eq!(system.living(), 0);
        }
    }
}

/// OTP: SUP-003, SUP-019.
#[tokio::test(start_paused = true)]
async fn a_nested_start_that_fails_unwinds_and_names_the_whole_way() {
    let system = system();
    let (journal, mut reader) = journal();
    let inner = one_for_one()
        .child(puppet("b1", &journal))
        .child(failing("b2", &journal, || Plain("no disk").into()))
        .child(puppet("b3", &journal));
    let spec =
        one_for_one().child(puppet("a", &journal)).child(tree("b", inner)).child(puppet("c", &journal));
    let reason = spec.start(&system, "top").await.expect_err("one of them fails");
    assert_eq!(
        reason.to_string(),
        "the tree did not start: shutdown: child `b` failed to start: shutdown: child `b2` failed to start: error: no disk"
    );
    assert_eq!(reader.rest(), ["a up", "b1 up", "b2 fails", "b1 stopping shutdown", "a stopping shutdown"]);
    assert_eq!(system.living(), 0);
}

/// OTP: SUP-060, SUP-061, SUP-062.
#[tokio::test(start_paused = true)]
async fn a_nested_supervisor_that_gives_up_is_judged_by_its_parent() {
    // restart type of the inner supervisor; what follows two crashes of its child, of which it tolerates one
    let rows: &[(Restart, &[&str], bool)] = &[
        (Restart::Permanent, &["it up", "x stopping shutdown", "it up", "x up"], true),
        (Restart::Transient, &["it up", "x stopping shutdown"], false),
        (Restart::Temporary, &["it up", "x stopping shutdown"], false),
    ];
    for &(restart, expected, comes_back) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let (it, child) = reachable(&system, "it", &journal);
        let inner = one_for_one().limit(1, 5 * SECOND).child(child).child(puppet("x", &journal));
        let root = one_for_one()
            .limit(1, 5 * SECOND)
            .child(puppet("a", &journal))
            .child(tree("inner", inner).restart(restart))
            .start(&system, "top")
            .await
            .expect("starts");
        reader.expect(&["a up", "it up", "x up"]).await;
        it.tell(crash()).expect("there is room");
        pass(SECOND).await;
        it.tell(crash()).expect("there is room");
        pass(SECOND).await;
        assert_eq!(reader.rest(), expected, "{restart:?}");
        assert!(root.address().is_alive(), "{restart:?}");
        assert_eq!(it.is_alive(), comes_back);
        if comes_back {
            // The new life of the inner supervisor counts from nought: it tolerates one crash again.
            it.tell(crash()).expect("there is room");
            reader.expect(&["it up"]).await;
            // One more, and one more is too many for the parent, too.
            it.tell(crash()).expect("there is room");
            assert_eq!(soon(root.ended()).await, ExitReason::Shutdown);
            assert_eq!(reader.rest(), ["x stopping shutdown", "a stopping shutdown"]);
        }
    }
}

/// OTP: SUP-092, SUP-093, SUP-094, SUP-095.
#[tokio::test(start_paused = true)]
async fn the_shutdown_ladder() {
    use Shutdown::{BrutalKill, Infinity, Within};
    // shutdown, seconds its clean-up takes, what it writes, seconds the stop takes
    let rows: &[(Shutdown, u64, &[&str], u64)] = &[
        (BrutalKill, 1, &["it dropped"], 0),
        (Within(Duration::ZERO), 1, &["it dropped"], 0),
        (Within(5 * SECOND), 1, &["it stopping shutdown", "it cleaned up", "it dropped"], 1),
        (Within(5 * SECOND), 60, &["it stopping shutdown", "it dropped"], 5),
        (Infinity, 60, &["it stopping shutdown", "it cleaned up", "it dropped"], 60),
    ];
    for &(shutdown, takes, expected, seconds) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let make = move || {
            Puppet::new("it", &journal).trapping().telling_drop().cleaning_up_for(Duration::from_secs(takes))
        };
        one_for_one()
            .child(actor("it", make).shutdown(shutdown))
            .start(&system, "top")
            .await
            .expect("starts");
        reader.expect(&["it up"]).await;
        let began = system.now();
        let report = system.shutdown(3600 * SECOND).await;
        assert!(report.is_clean(), "{shutdown:?}: {report:?}");
        assert_eq!(reader.rest(), expected, "{shutdown:?} {takes} s");
        let took = system.now().since(began);
        let wanted = Duration::from_secs(seconds);
        assert!(took >= wanted && took <= wanted + Duration::from_millis(6), "{shutdown:?}: {took:?}");
    }
}

/// A child that is killed is waited for, however long that takes: here a closure of its own holds a thread.
/// OTP: SUP-092, SUP-093.
#[tokio::test(start_paused = true)]
async fn a_killed_child_is_waited_for_without_limit() {
    for shutdown in [Shutdown::BrutalKill, Shutdown::Within(SECOND)] {
        let system = system();
        let (journal, mut reader) = journal();
        let (it, seat) = system.address();
        let make = {
            let journal = journal.clone();
            move || Puppet::new("it", &journal).trapping().telling_drop()
        };
        let spec =
            one_for_one().child(puppet("a", &journal)).child(actor_in("it", seat, make).shutdown(shutdown));
        let root = spec.start(&system, "top").await.expect("starts");
        let (release, held) = mpsc::channel::<()>();
        let blocking = wait(move |puppet, context| {
            puppet.note("blocks");
            Box::pin(async move {
                context.blocking(move || held.recv().is_ok()).await;
                Ok(())
            })
        });
        it.tell(blocking).expect("there is room");
        reader.expect(&["a up", "it up", "it blocks"]).await;
        let stopping = aside({
            let root = root.clone();
            async move { root.stop(ExitReason::Shutdown).await }
        });
        // While a closure blocks, virtual time goes on only by hand.
        for _ in 0..60 {
            turns().await;
            tokio::time::advance(SECOND).await;
        }
        turns().await;
        assert_eq!(reader.rest(), ["it dropped"], "{shutdown:?}: killed, and nobody else has been told");
        assert!(it.is_alive() && root.address().is_alive() && !stopping.is_finished(), "{shutdown:?}");
        drop(release);
        let stopped = soon(stopping).await.expect("the client does not panic");
        assert_eq!(stopped, Ok(ExitReason::Shutdown), "{shutdown:?}");
        assert_eq!(reader.rest(), ["a stopping shutdown"]);
    }
}

/// One that ignores the stop is killed by its deadline; in a group restart, too, and the others wait for it.
/// OTP: SUP-032, SUP-038.
#[tokio::test(start_paused = true)]
async fn a_group_restart_waits_for_its_slowest_member() {
    let system = system();
    let (journal, mut reader) = journal();
    let (a, child_a) = reachable(&system, "a", &journal);
    let (b, child_b) = reachable(&system, "b", &journal);
    tolerant(one_for_all())
        .child(child_a)
        .child(child_b.shutdown(Shutdown::Within(3 * SECOND)))
        .child(puppet("c", &journal))
        .start(&system, "top")
        .await
        .expect("starts");
    b.tell(hang()).expect("there is room");
    reader.expect(&["a up", "b up", "c up", "b hangs"]).await;
    let began = system.now();
    a.tell(crash()).expect("there is room");
    reader.expect(&["c stopping shutdown", "a up"]).await;
    let took = system.now().since(began);
    assert!(took >= 3 * SECOND && took <= 3 * SECOND + Duration::from_millis(6), "{took:?}");
    reader.expect(&["b up", "c up"]).await;
}

/// OTP: SUP-121, SUP-122, SUP-123, SUP-124, SUP-128.
#[tokio::test(start_paused = true)]
async fn significant_children_end_their_supervisor() {
    use AutoShutdown::{AllSignificant, AnySignificant};
    // when, restart type, who ends in turn and how, whether the supervisor ends after the last of them
    type Ending = (usize, fn() -> Msg);
    const CLEAN: fn() -> Msg = || end(ExitReason::Normal);
    let rows: &[(AutoShutdown, Restart, &[Ending], bool)] = &[
        (AnySignificant, Restart::Transient, &[(0, CLEAN)], true),
        (AnySignificant, Restart::Transient, &[(0, crash), (1, crash)], false),
        (AnySignificant, Restart::Temporary, &[(1, crash)], true),
        (AnySignificant, Restart::Temporary, &[(2, crash)], false),
        (AllSignificant, Restart::Transient, &[(0, CLEAN)], false),
        (AllSignificant, Restart::Transient, &[(0, CLEAN), (1, CLEAN)], true),
        (AllSignificant, Restart::Temporary, &[(0, crash), (1, crash)], true),
    ];
    for (when, restart, endings, ends) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let mut spec = tolerant(one_for_one()).auto_shutdown(*when);
        let mut children = Vec::new();
        for (name, significant) in [("a", true), ("b", true), ("c", false)] {
            let (it, child) = reachable(&system, name, &journal);
            spec = spec.child(child.restart(*restart).significant(significant));
            children.push(it);
        }
        let root = spec.start(&system, "top").await.expect("starts");
        for (index, (who, how)) in endings.iter().enumerate() {
            assert!(root.address().is_alive(), "{when:?} {restart:?} before ending {index}");
            children[*who].tell(how()).expect("there is room");
            pass(SECOND).await;
        }
        assert_eq!(!root.address().is_alive(), *ends, "{when:?} {restart:?} {}", endings.len());
        if *ends {
            assert_eq!(soon(root.ended()).await, ExitReason::Shutdown);
            assert!(reader.rest().contains(&"c stopping shutdown".to_owned()));
        }
    }
}

/// A stop overtakes whatever the supervisor is at: here a start that never ends.
/// OTP: SUP-108.
#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_a_start_that_hangs() {
    struct Never;
    impl Actor for Never {
        type Msg = ();
        async fn started(&mut self, _: &mut Context<()>) -> Handled {
            std::future::pending().await
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
    }
    let system = system();
    let (journal, mut reader) = journal();
    let spec =
        one_for_one().child(puppet("a", &journal)).child(actor("b", || Never)).child(puppet("c", &journal));
    let starting = aside({
        let system = system.clone();
        async move { spec.start(&system, "top").await.map(|_| ()) }
    });
    reader.expect(&["a up"]).await;
    turns().await;
    let began = system.now();
    assert!(system.shutdown(60 * SECOND).await.is_clean());
    assert_eq!(system.now(), began);
    assert_eq!(reader.rest(), ["a stopping shutdown"]);
    let started = starting.await.expect("the client does not panic");
    assert_eq!(started, Err(StartTreeError::Failed(ExitReason::Shutdown)), "who waits for the start is told");
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_without_children_lives() {
    let system = system();
    let root = one_for_one().start(&system, "top").await.expect("starts");
    pass(SECOND).await;
    assert_eq!((root.address().is_alive(), system.living()), (true, 1));
    assert!(system.shutdown(SECOND).await.is_clean());
}
