//! Readiness apart from started: a supervisor goes on when a child is up, and whoever asks learns who is not ready yet;
//! a deadline for the first healthy report.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{ReadyError, Root, SpecError, Unavailable, optional_task, reporting_task};
use minder::{Event, Observer, Readiness};

use crate::support::*;

/// A puppet that can be told things.
fn reachable(system: &System, name: &'static str, journal: &Journal) -> (Addr<Msg>, Child) {
    let (it, seat) = system.address();
    let journal = journal.clone();
    (it, actor_in(name, seat, move || Puppet::new(name, &journal)))
}

/// Say that you are ready.
fn ready() -> Msg {
    act(|_, context| {
        context.ready();
        Ok(())
    })
}

/// Whether this, begun, is not over.
async fn is_pending<F: Future>(mut wait: Pin<&mut F>) -> bool {
    poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx).is_pending())).await
}

/// Answers when everything told before has been handled.
async fn handled(address: &Addr<Msg>) {
    life(address).await;
}

async fn unready(root: &Root) -> String {
    soon(root.unready()).await.expect("it lives").join(" ")
}

#[test]
fn a_tree_is_ready_when_everyone_in_it_who_says_so_has() {
    everywhere(|| async {
        let system = system();
        let (journal, _reader) = journal();
        let (a, a_child) = reachable(&system, "a", &journal);
        let (b, b_child) = reachable(&system, "b", &journal);
        let (_c, c_child) = reachable(&system, "c", &journal);
        let below = one_for_one().child(c_child).child(b_child.reports_ready());
        let spec = tolerant(one_for_one()).child(a_child.reports_ready()).child(tree("below", below));
        // Nobody waits for a report here: the start is complete.
        let root = spec.start(&system, "top").await.expect("starts");
        assert_eq!(unready(&root).await, "top/a top/below/b");
        let told = |id: &'static str| {
            let root = root.clone();
            async move { root.which_child(id).await.expect("it is there").ready }
        };
        assert_eq!((told("a").await, told("below").await), (Some(false), None));

        let mut waits = pin!(root.ready());
        a.tell(ready()).expect("there is room");
        handled(&a).await;
        assert_eq!((told("a").await, unready(&root).await.as_str()), (Some(true), "top/below/b"));
        assert!(is_pending(waits.as_mut()).await);
        b.tell(ready()).expect("there is room");
        assert_eq!(soon(waits).await, Ok(()));
        assert_eq!(unready(&root).await, "");
        soon(root.ready()).await.expect("it still is");
    });
}

#[tokio::test(start_paused = true)]
async fn whoever_is_ready_too_late_is_killed_for_that_and_started_again() {
    for (restart, expected) in [
        (
            Restart::Permanent,
            ["it up", "watcher down not ready within 2s", "it up", "watcher down panic boom"],
        ),
        (
            Restart::Transient,
            ["it up", "watcher down not ready within 2s", "it up", "watcher down panic boom"],
        ),
    ] {
        let system = system();
        let (journal, mut reader) = journal();
        let (it, child) = reachable(&system, "it", &journal);
        let spec = tolerant(one_for_one()).child(child.ready_within(2 * SECOND).restart(restart));
        let root = spec.start(&system, "top").await.expect("starts");
        let watcher = named_with(&system, "watcher", &journal, minder::MailboxOptions::default()).await;
        let watch = |watched: &Addr<Msg>| {
            let watched = watched.clone();
            act(move |_, context| {
                context.monitor(&watched);
                Ok(())
            })
        };
        watcher.tell(watch(&it)).expect("there is room");
        pass(SECOND).await;
        assert_eq!(life(&it).await, 1, "there is time yet");
        pass(SECOND + Duration::from_millis(50)).await;
        assert_eq!(life(&it).await, 2);
        // This one is in time, and lives on.
        it.tell(ready()).expect("there is room");
        watcher.tell(watch(&it)).expect("there is room");
        pass(60 * SECOND).await;
        assert_eq!((life(&it).await, unready(&root).await.as_str()), (2, ""));
        it.tell(crash()).expect("there is room");
        assert_eq!(life(&it).await, 3);
        let rest: Vec<String> = reader.rest();
        let of_it: Vec<&str> = rest.iter().map(String::as_str).filter(|line| *line != "watcher up").collect();
        assert_eq!(of_it[..4], expected, "{rest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_report_counts_against_the_limit_like_a_crash() {
    let system = system();
    let (journal, _reader) = journal();
    let (it, child) = reachable(&system, "it", &journal);
    let spec = one_for_one().limit(2, 60 * SECOND).child(child.ready_within(SECOND));
    let root = spec.start(&system, "top").await.expect("starts");
    assert_eq!(soon(root.ended()).await, ExitReason::Shutdown);
    assert_eq!(it.id().incarnation(), 3);
    assert_eq!(root.unready().await, Err(Unavailable::NotThere));
    assert_eq!(root.ready().await, Err(Unavailable::NotThere));
}

#[tokio::test(start_paused = true)]
async fn a_wait_with_a_deadline_names_who_was_late() {
    let system = system();
    let (journal, _reader) = journal();
    let (a, a_child) = reachable(&system, "a", &journal);
    let (b, b_child) = reachable(&system, "b", &journal);
    let below = one_for_one().child(b_child.reports_ready());
    let spec = one_for_one().child(a_child.reports_ready()).child(tree("below", below));
    let root = spec.start(&system, "top").await.expect("starts");
    a.tell(ready()).expect("there is room");
    let late = soon(root.ready_within(SECOND)).await.expect_err("b is not");
    assert_eq!(late, ReadyError::Late(vec![Arc::from("top/below/b")]));
    assert_eq!(late.to_string(), "not ready in time: top/below/b");
    b.tell(ready()).expect("there is room");
    soon(root.ready_within(SECOND)).await.expect("now it is");
}

#[test]
fn whoever_crashes_is_not_ready_until_the_next_life_says_so() {
    everywhere(|| async {
        let system = system();
        let (journal, _reader) = journal();
        let (a, a_child) = reachable(&system, "a", &journal);
        let (b, b_child) = reachable(&system, "b", &journal);
        let spec = tolerant(rest_for_one()).child(a_child.reports_ready()).child(b_child.reports_ready());
        let root = spec.start(&system, "top").await.expect("starts");
        for address in [&a, &b] {
            address.tell(ready()).expect("there is room");
        }
        soon(root.ready()).await.expect("both said so");
        a.tell(crash()).expect("there is room");
        pass(Duration::from_millis(20)).await; // what is asked meanwhile would be purged with the group
        assert_eq!((life(&a).await, life(&b).await), (2, 2));
        assert_eq!(unready(&root).await, "top/a top/b");
        // Only the last life counts; and the wait outlives the one that ends in between.
        let mut waits = pin!(root.ready());
        b.tell(ready()).expect("there is room");
        handled(&b).await;
        a.tell(crash()).expect("there is room");
        pass(Duration::from_millis(20)).await;
        assert_eq!((life(&a).await, life(&b).await), (3, 3));
        a.tell(ready()).expect("there is room");
        handled(&a).await;
        pass(Duration::from_millis(20)).await;
        assert!(is_pending(waits.as_mut()).await);
        b.tell(ready()).expect("there is room");
        assert_eq!(soon(waits).await, Ok(()));
    });
}

#[test]
fn a_supervisor_below_that_is_started_again_is_waited_for() {
    everywhere(|| async {
        let system = system();
        let (journal, _reader) = journal();
        let (b, b_child) = reachable(&system, "b", &journal);
        let below = one_for_one().limit(0, SECOND).child(b_child.reports_ready());
        let root = tolerant(one_for_one()).child(tree("below", below)).start(&system, "top").await;
        let root = root.expect("starts");
        let mut waits = pin!(root.ready());
        assert!(is_pending(waits.as_mut()).await);
        b.tell(crash()).expect("there is room"); // and its supervisor gives up with it
        assert_eq!(life(&b).await, 2);
        pass(Duration::from_millis(20)).await;
        assert!(is_pending(waits.as_mut()).await);
        b.tell(ready()).expect("there is room");
        assert_eq!(soon(waits).await, Ok(()));
    });
}

#[tokio::test(start_paused = true)]
async fn whoever_is_down_holds_nobody_up() {
    let system = system();
    let (journal, _reader) = journal();
    let (_stopped, stopped) = reachable(&system, "stopped", &journal);
    let spec = one_for_one()
        .child(stopped.reports_ready())
        .child(reporting_task("finished", |_| async {}).restart(Restart::Transient))
        .child(optional_task("nothing", || None::<std::future::Ready<()>>).reports_ready());
    let root = spec.start(&system, "top").await.expect("starts");
    pass(SECOND).await;
    assert_eq!(unready(&root).await, "top/stopped");
    root.terminate_child("stopped").await.expect("it is there");
    soon(root.ready()).await.expect("nobody is left to wait for");
}

#[tokio::test(start_paused = true)]
async fn a_task_says_it_by_what_it_is_given_and_an_actor_from_its_start_or_a_job() {
    /// Ready when its job is done.
    struct Warm;
    impl Actor for Warm {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            let readiness = context.readiness();
            context.run(
                "warm up",
                async move {
                    readiness.ready();
                    readiness.ready(); // once is enough
                },
                |_| (),
            );
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
    }
    let (journal, mut reader) = journal();
    let system = System::builder().observer(Arc::new(Order(journal.clone()))).build().expect("in a runtime");
    let at_once = journal.clone();
    let spec = one_for_one()
        .child(reporting_task("task", |readiness: Readiness| async move {
            readiness.ready();
            std::future::pending::<()>().await
        }))
        .child(actor("warm", || Warm).reports_ready())
        .child(
            actor("at once", move || {
                Puppet::new("p", &at_once).on_start(|_, context| {
                    context.ready();
                    Ok(())
                })
            })
            .reports_ready(),
        );
    let root = spec.start(&system, "top").await.expect("starts");
    soon(root.ready()).await.expect("all of them");
    let lines = reader.rest();
    for child in ["task", "warm", "at once"] {
        let of: Vec<&str> =
            lines.iter().filter_map(|line| line.strip_prefix(&format!("top/{child} "))).collect();
        assert_eq!(of, ["started", "ready"], "{lines:?}");
    }
}

/// Writes down who has started and who is ready.
struct Order(Journal);

impl Observer for Order {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Started { path, .. } => self.0.note(format!("{path} started")),
            Event::Ready { path, .. } => self.0.note(format!("{path} ready")),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_last_life_gave_away_says_nothing_of_the_next() {
    let system = system();
    let (journal, _reader) = journal();
    let (it, child) = reachable(&system, "it", &journal);
    let root =
        tolerant(one_for_one()).child(child.reports_ready()).start(&system, "top").await.expect("starts");
    let (give, given) = tokio::sync::oneshot::channel();
    it.tell(act(move |_, context| {
        drop(give.send(context.readiness()));
        Ok(())
    }))
    .expect("there is room");
    let readiness = soon(given).await.expect("it is given away");
    it.tell(crash()).expect("there is room");
    assert_eq!(life(&it).await, 2);
    readiness.ready();
    pass(SECOND).await;
    assert_eq!(unready(&root).await, "top/it");
}

#[tokio::test(start_paused = true)]
async fn instances_of_a_dynamic_supervisor_are_asked_too() {
    let system = system();
    let (journal, _reader) = journal();
    let sessions = template("session", move |name: &'static str| Puppet::new(name, &journal)).reports_ready();
    let root = dynamic(&sessions).start(&system, "pool").await.expect("starts");
    soon(root.ready()).await.expect("there is nobody");
    let pool = root.pool(&sessions);
    let one = pool.start("one").await.expect("there is room").expect("it has something to run");
    assert_eq!(soon(root.unready()).await.expect("it lives").len(), 1);
    one.tell(ready()).expect("there is room");
    soon(root.ready()).await.expect("it said so");
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_supervisor_and_no_time_is_refused() {
    let system = system();
    let (journal, _reader) = journal();
    let (_, child) = reachable(&system, "it", &journal);
    let root = one_for_one().child(child.reports_ready()).start(&system, "top").await.expect("starts");
    let mut waits = pin!(root.ready());
    assert!(is_pending(waits.as_mut()).await);
    root.stop(ExitReason::Shutdown).await.expect("it lives");
    assert_eq!(soon(waits).await, Err(Unavailable::Ended(ExitReason::Shutdown)));

    let (_, child) = reachable(&system, "it", &journal);
    let refused =
        one_for_one().child(child.ready_within(Duration::ZERO)).check().expect_err("makes no sense");
    let SpecError::ZeroReadyWithin(id) = (match refused {
        minder::supervisors::TreeError::Spec { cause, .. } => cause,
        other => panic!("{other}"),
    }) else {
        panic!("another error")
    };
    assert_eq!(&*id, "it");
}
