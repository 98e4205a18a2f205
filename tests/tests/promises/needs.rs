//! Supervisors whose children say what they need: who starts and stops before whom, who is taken along by a restart and who
//! is left alone, what requests do, and which trees are refused.

use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{
    AutoShutdown, Backoff, ChildStatus, EnableChildError, Exhausted, RestartChildError, Root,
    StartChildError, Unavailable, by_needs, dynamic, optional_task, reporting_task, template, tree_in,
};

use crate::support::*;

/// Takes a second to come up and a second to go down, and says so.
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
        panic!("boom")
    }

    async fn stopping(&mut self, _: &ExitReason, context: &mut Context<()>) {
        self.1.note(format!("{} stops", self.0));
        context.sleep(SECOND).await;
        self.1.note(format!("{} down", self.0));
    }
}

fn slow(system: &System, name: &'static str, journal: &Journal, needs: &[&str]) -> (Addr<()>, Child) {
    let (it, seat) = system.address();
    let journal = journal.clone();
    let child = actor_in(name, seat, move || Slow(name, journal.clone()));
    (it, child.needs(needs.iter().copied()))
}

/// A puppet that can be told things.
fn puppet(system: &System, name: &'static str, journal: &Journal, needs: &[&str]) -> (Addr<Msg>, Child) {
    let (it, seat) = system.address();
    let journal = journal.clone();
    let child = actor_in(name, seat, move || Puppet::new(name, &journal).trapping());
    (it, child.needs(needs.iter().copied()))
}

async fn status(root: &Root, id: &str) -> String {
    root.which_child(id).await.expect("it is there").status.to_string()
}

/// What was written since, sorted where it happened in the same moment.
fn sorted(mut lines: Vec<String>) -> String {
    lines.sort();
    lines.join(", ")
}

/// Whether one line stands before the other.
pub(crate) fn goes(lines: &[String], first: &str, then: &str) -> bool {
    let at =
        |line| lines.iter().position(|other| other == line).unwrap_or_else(|| panic!("{line}: {lines:?}"));
    at(first) < at(then)
}

#[tokio::test(start_paused = true)]
async fn children_start_after_what_they_need_and_side_by_side_and_stop_the_other_way_round() {
    let system = system();
    let (journal, mut reader) = journal();
    let child = |name: &'static str, needs: &[&str]| slow(&system, name, &journal, needs).1;
    // The list is not the order.
    let spec = by_needs()
        .child(child("http", &["ledger", "mail"]))
        .child(child("ledger", &["store"]))
        .child(child("store", &[]))
        .child(child("mail", &[]));
    let began = system.now();
    let root = spec.start(&system, "top").await.expect("starts");
    // Three steps and not four: store and mail came up together.
    assert_eq!(system.now().since(began).as_secs(), 3);
    let lines = reader.rest();
    assert!(goes(&lines, "store starts", "mail up") && goes(&lines, "mail starts", "store up"), "{lines:?}");
    for (needed, dependent) in [("store", "ledger"), ("ledger", "http"), ("mail", "http")] {
        assert!(goes(&lines, &format!("{needed} up"), &format!("{dependent} starts")), "{lines:?}");
    }
    let began = system.now();
    root.stop(ExitReason::Shutdown).await.expect("it lives");
    assert_eq!(system.now().since(began).as_secs(), 3);
    let lines = reader.rest();
    for (dependent, needed) in [("http", "ledger"), ("http", "mail"), ("ledger", "store")] {
        assert!(goes(&lines, &format!("{dependent} down"), &format!("{needed} stops")), "{lines:?}");
    }
    assert!(
        goes(&lines, "mail stops", "ledger down") && goes(&lines, "ledger stops", "mail down"),
        "{lines:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_restart_takes_along_who_depends_on_it_and_leaves_everyone_else_alone() {
    let system = system();
    let (journal, mut reader) = journal();
    let (store, store_child) = puppet(&system, "store", &journal, &[]);
    let (ledger, ledger_child) = puppet(&system, "ledger", &journal, &["store"]);
    let (http, http_child) = puppet(&system, "http", &journal, &["ledger"]);
    let (mail, mail_child) = puppet(&system, "mail", &journal, &[]);
    let spec =
        by_needs().limit(3, 3600 * SECOND).children([http_child, mail_child, ledger_child, store_child]);
    let root = spec.start(&system, "top").await.expect("starts");
    reader.rest();
    let all = || async { (life(&store).await, life(&ledger).await, life(&http).await, life(&mail).await) };

    store.tell(crash()).expect("there is room");
    pass(SECOND).await;
    assert_eq!(
        reader.rest(),
        ["http stopping shutdown", "ledger stopping shutdown", "store up", "ledger up", "http up"]
    );
    assert_eq!(all().await, (2, 2, 2, 1));
    ledger.tell(crash()).expect("there is room");
    pass(SECOND).await;
    assert_eq!(reader.rest(), ["http stopping shutdown", "ledger up", "http up"]);
    assert_eq!(all().await, (2, 3, 3, 1));
    mail.tell(crash()).expect("there is room");
    pass(SECOND).await;
    assert_eq!(reader.rest(), ["mail up"]);
    // Each of these counted once: a fourth is one too many.
    http.tell(crash()).expect("there is room");
    assert_eq!(soon(root.ended()).await, ExitReason::Shutdown);
}

#[tokio::test(start_paused = true)]
async fn messages_to_a_group_that_is_restarted_are_purged_and_to_one_alone_are_kept() {
    let system = system();
    let (journal, mut reader) = journal();
    let (store, store_child) = puppet(&system, "store", &journal, &[]);
    let (ledger, ledger_child) = puppet(&system, "ledger", &journal, &["store"]);
    let spec = tolerant(by_needs()).children([store_child, ledger_child]);
    spec.start(&system, "top").await.expect("starts");
    reader.rest();
    for (fallen, expected) in [
        (&store, vec!["ledger stopping shutdown", "store up", "ledger up"]),
        (&ledger, vec!["ledger up", "ledger 7"]),
    ] {
        // It crashes with another message behind it.
        ledger.tell(act(|_, _| Ok(()))).expect("there is room");
        fallen.tell(crash()).expect("there is room");
        fallen.tell(Msg::Mark(7)).expect("there is room");
        pass(SECOND).await;
        assert_eq!(reader.rest(), expected);
    }
}

#[test]
fn a_child_waits_until_what_it_needs_is_ready_and_again_after_a_crash() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let (store, store_child) = puppet(&system, "store", &journal, &[]);
        let (_ledger, ledger_child) = puppet(&system, "ledger", &journal, &["store"]);
        let (_mail, mail_child) = puppet(&system, "mail", &journal, &[]);
        let ready = || {
            act(|_, context| {
                context.ready();
                Ok(())
            })
        };
        let spec = tolerant(by_needs()).children([ledger_child, store_child.reports_ready(), mail_child]);
        let mut starts = std::pin::pin!(spec.start(&system, "top"));
        let waits = tokio::time::timeout(SECOND, starts.as_mut()).await;
        assert!(waits.is_err(), "the start waits for the ledger, and the ledger for the store");
        assert_eq!(sorted(reader.rest()), "mail up, store up");
        store.tell(ready()).expect("there is room");
        let root = soon(starts).await.expect("starts");
        assert_eq!(reader.rest(), ["ledger up"]);

        store.tell(crash()).expect("there is room");
        pass(SECOND).await;
        assert_eq!(reader.rest(), ["ledger stopping shutdown", "store up"]);
        // Requests are answered meanwhile.
        assert_eq!(
            (status(&root, "store").await, status(&root, "ledger").await),
            ("running".into(), "restarting".into())
        );
        assert_eq!(root.count_children().await.expect("it lives").active, 2);
        store.tell(ready()).expect("there is room");
        soon(root.ready()).await.expect("it lives");
        pass(SECOND).await;
        assert_eq!(reader.rest(), ["ledger up"]);
    });
}

#[tokio::test(start_paused = true)]
async fn a_need_is_met_by_who_has_done_its_part() {
    let system = system();
    let (journal, mut reader) = journal();
    let migrated = journal.clone();
    let migrate = reporting_task("migrate", move |readiness| {
        let journal = migrated.clone();
        async move {
            tokio::time::timeout(SECOND, std::future::pending::<()>()).await.expect_err("it takes a second");
            journal.note("migrated");
            drop(readiness);
        }
    });
    let (ledger, ledger_child) = puppet(&system, "ledger", &journal, &["migrate", "cache"]);
    let spec = tolerant(by_needs())
        .child(ledger_child)
        .child(optional_task("cache", || None::<std::future::Ready<()>>))
        // Never ready, but through: a job that others wait for.
        .child(migrate.restart(Restart::Transient));
    let root = spec.start(&system, "top").await.expect("starts");
    assert_eq!(reader.rest(), ["migrated", "ledger up"]);
    ledger.tell(crash()).expect("there is room");
    assert_eq!(life(&ledger).await, 2);
    assert_eq!((status(&root, "migrate").await, reader.rest()), ("down".into(), vec!["ledger up".into()]));
}

#[tokio::test(start_paused = true)]
async fn requests_take_nobody_along_and_nobody_comes_up_without_what_it_needs() {
    let system = system();
    let (journal, mut reader) = journal();
    let (_store, store_child) = puppet(&system, "store", &journal, &[]);
    let (ledger, ledger_child) = puppet(&system, "ledger", &journal, &["store"]);
    let root = tolerant(by_needs())
        .children([store_child, ledger_child])
        .start(&system, "top")
        .await
        .expect("starts");
    reader.rest();

    root.terminate_child("store").await.expect("it is there");
    assert_eq!(reader.rest(), ["store stopping shutdown"]);
    assert_eq!(life(&ledger).await, 1);
    // What falls now waits until somebody starts the store.
    ledger.tell(crash()).expect("there is room");
    pass(60 * SECOND).await;
    assert_eq!((status(&root, "ledger").await.as_str(), reader.rest().len()), ("restarting", 0));
    assert!(matches!(root.restart_child("ledger").await, Err(RestartChildError::Restarting)));
    root.restart_child("store").await.expect("it is down").expect("it has something to run");
    assert_eq!(life(&ledger).await, 2);
    assert_eq!(reader.rest(), ["store up", "ledger up"]);

    // A start by request is refused, and not kept waiting.
    root.terminate_child("ledger").await.expect("it is there");
    root.terminate_child("store").await.expect("it is there");
    let refused = root.restart_child("ledger").await.expect_err("its store is down");
    assert_eq!(refused, RestartChildError::NeedIsDown("store".into()));
    assert_eq!(refused.to_string(), "the child needs `store`, which is down: start that first");
    let (_, http) = puppet(&system, "http", &journal, &["ledger"]);
    let refused = root.start_child(http).await.expect_err("its ledger is down");
    assert!(matches!(refused, StartChildError::NeedIsDown(id) if &*id == "ledger"));
    assert!(root.which_child("http").await.is_err(), "nothing of it is kept");
    let (_, http) = puppet(&system, "http", &journal, &["nobody"]);
    let refused = root.start_child(http).await.expect_err("there is no such need").to_string();
    assert!(refused.contains("child `http` needs `nobody`, and there is no child of that id"), "{refused}");
    root.delete_child("store").await.expect("it is down");
    // Who is forgotten is needed no more.
    root.restart_child("ledger").await.expect("it is down").expect("it has something to run");
    assert!(matches!(root.which_child("ledger").await.expect("it is there").status, ChildStatus::Running(_)));
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_fails_is_tried_again_and_its_dependents_wait() {
    let system = system();
    let (journal, mut reader) = journal();
    let (store, seat) = system.address();
    let fails = journal.clone();
    let lives = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = lives.clone();
    let child = actor_in("store", seat, move || {
        let life = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        Puppet::new("store", &fails).on_start(move |puppet, _| {
            if (2..4).contains(&life) {
                puppet.note("fails");
                return Err(ExitReason::other("no disk"));
            }
            Ok(())
        })
    });
    let (ledger, ledger_child) = puppet(&system, "ledger", &journal, &["store"]);
    let root =
        tolerant(by_needs()).children([child, ledger_child]).start(&system, "top").await.expect("starts");
    reader.rest();
    store.tell(crash()).expect("there is room");
    pass(SECOND).await;
    assert_eq!(
        reader.rest(),
        ["ledger stopping shutdown", "store fails", "store fails", "store up", "ledger up"]
    );
    assert_eq!((life(&ledger).await, root.count_children().await.expect("it lives").active), (2, 2));
    // The very first start is another thing: with it the supervisor's own fails.
    let (_, never) = puppet(&system, "never", &journal, &["broken"]);
    let broken = actor("broken", || Err::<Puppet, _>(Plain("no disk")));
    let failed =
        by_needs().children([never, broken]).start(&system, "other").await.expect_err("it cannot start");
    assert!(failed.to_string().contains("child `broken` failed to start"), "{failed}");
    assert_eq!(reader.rest().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_stopped_at_once_and_its_restart_waits() {
    let system = system();
    let (journal, mut reader) = journal();
    let (store, store_child) = puppet(&system, "store", &journal, &[]);
    let (ledger, ledger_child) = puppet(&system, "ledger", &journal, &["store"]);
    let (mail, mail_child) = puppet(&system, "mail", &journal, &[]);
    let backoff = Backoff::new(10 * SECOND, 40 * SECOND, 100 * SECOND).jitter(0.0);
    let spec = tolerant(by_needs()).backoff(backoff).children([ledger_child, store_child, mail_child]);
    let root = spec.start(&system, "top").await.expect("starts");
    reader.rest();
    for wait in [10, 20] {
        store.tell(crash()).expect("there is room");
        pass((wait - 1) * SECOND).await;
        assert_eq!(reader.rest(), ["ledger stopping shutdown"]);
        assert_eq!((status(&root, "store").await, status(&root, "ledger").await).0, "restarting");
        assert_eq!(life(&mail).await, 1);
        pass(2 * SECOND).await;
        assert_eq!(reader.rest(), ["store up", "ledger up"]);
    }
    assert_eq!((life(&store).await, life(&ledger).await), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_is_left_down_or_disabled_leaves_the_others_alone_and_who_comes_up_waits_for_it() {
    let system = system();
    let (journal, mut reader) = journal();
    let (store, store_child) = puppet(&system, "store", &journal, &[]);
    let (ledger, ledger_child) = puppet(&system, "ledger", &journal, &["store"]);
    let store_child = store_child.limit_in_a_row(1, 10 * SECOND).when_exhausted(Exhausted::LeaveDown);
    let spec = tolerant(by_needs()).children([ledger_child, store_child]);
    let root = spec.start(&system, "top").await.expect("starts");
    store.tell(crash()).expect("there is room");
    pass(SECOND).await;
    reader.rest();
    store.tell(crash()).expect("there is room");
    pass(SECOND).await;
    assert_eq!((status(&root, "store").await, reader.rest().len()), ("disabled".into(), 0));
    assert_eq!(life(&ledger).await, 2);
    ledger.tell(crash()).expect("there is room");
    pass(60 * SECOND).await;
    assert_eq!((status(&root, "ledger").await, reader.rest().len()), ("restarting".into(), 0));
    root.enable_child("store").await.expect("it is disabled").expect("it has something to run");
    assert_eq!(life(&ledger).await, 3);
    assert_eq!(reader.rest(), ["store up", "ledger up"]);

    root.disable_child("store").await.expect("it is there");
    assert_eq!((life(&ledger).await, reader.rest()), (3, vec!["store stopping shutdown".into()]));
    root.disable_child("ledger").await.expect("it is there");
    let refused = root.enable_child("ledger").await.expect_err("its store is disabled");
    assert_eq!(refused, EnableChildError::NeedIsDown("store".into()));
    assert_eq!(refused.to_string(), "the child needs `store`, which is down: start that first");
}

#[tokio::test(start_paused = true)]
async fn a_tree_comes_up_without_who_is_disabled_and_without_who_needs_it() {
    let system = system();
    let (journal, mut reader) = journal();
    let (_store, store_child) = puppet(&system, "store", &journal, &[]);
    let (_ledger, ledger_child) = puppet(&system, "ledger", &journal, &["store"]);
    let (_http, http_child) = puppet(&system, "http", &journal, &["ledger", "mail"]);
    let (_mail, mail_child) = puppet(&system, "mail", &journal, &[]);
    let children = [http_child.reports_ready(), ledger_child, store_child.disabled(), mail_child];
    let root = tolerant(by_needs()).children(children).start(&system, "top").await.expect("starts");
    assert_eq!(reader.rest(), ["mail up"]);
    soon(root.ready()).await.expect("whoever waits for a disabled child holds nobody up");
    assert_eq!(
        (status(&root, "store").await, status(&root, "http").await),
        ("disabled".into(), "restarting".into())
    );
    root.enable_child("store").await.expect("it is disabled").expect("it has something to run");
    pass(SECOND).await;
    assert_eq!(reader.rest(), ["store up", "ledger up", "http up"]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_significant_child_ends_all_in_order() {
    let system = system();
    let (journal, mut reader) = journal();
    let (_store, store_child) = puppet(&system, "store", &journal, &[]);
    let (job, job_child) = puppet(&system, "job", &journal, &["store"]);
    let (_http, http_child) = puppet(&system, "http", &journal, &["store"]);
    let spec = by_needs()
        .auto_shutdown(AutoShutdown::AnySignificant)
        .child(job_child.restart(Restart::Transient).significant(true))
        .children([store_child, http_child]);
    let root = spec.start(&system, "top").await.expect("starts");
    reader.rest();
    job.tell(end(ExitReason::Normal)).expect("there is room");
    assert_eq!(soon(root.ended()).await, ExitReason::Shutdown);
    assert_eq!(reader.rest(), ["job stopping normal", "http stopping shutdown", "store stopping shutdown"]);
}

#[tokio::test(start_paused = true)]
async fn two_that_fall_together_with_a_common_dependent_are_restarted_as_one() {
    let system = system();
    let (journal, mut reader) = journal();
    let (store, store_child) = slow(&system, "store", &journal, &[]);
    let (mail, mail_child) = slow(&system, "mail", &journal, &[]);
    let (_http, http_child) = slow(&system, "http", &journal, &["store", "mail"]);
    let spec = tolerant(by_needs()).children([store_child, mail_child, http_child]);
    spec.start(&system, "top").await.expect("starts");
    reader.rest();
    store.tell(()).expect("there is room");
    mail.tell(()).expect("there is room");
    pass(10 * SECOND).await;
    let lines = reader.rest();
    assert_eq!(lines[..2], ["http stops", "http down"]);
    assert_eq!(lines[6..], ["http starts", "http up"], "once, and when both are up: {lines:?}");
    assert_eq!(sorted(lines[2..6].to_vec()), "mail starts, mail up, store starts, store up");
}

#[tokio::test(start_paused = true)]
async fn trees_that_make_no_sense_are_refused_before_anything_starts() {
    let job =
        |id: &str, needs: &[&'static str]| task(id, std::future::pending::<()>).needs(needs.iter().copied());
    let rows = [
        (
            by_needs().child(job("a", &["b"])).child(job("b", &["c"])).child(job("c", &["a"])),
            "the top supervisor: `a` needs `b`, `b` needs `c`, `c` needs `a`: none of them could ever start",
        ),
        (by_needs().child(job("a", &["a"])), "the top supervisor: `a` needs itself"),
        (by_needs().child(job("a", &["x"])), "child `a` needs `x`, and there is no child of that id"),
        (
            one_for_one().child(tree("sub", rest_for_one().child(job("a", &[])).child(job("b", &["a"])))),
            "supervisor `sub`: child `b` names what it needs, but its supervisor starts its children in order",
        ),
        (
            by_needs().backoff(Backoff::new(SECOND, Duration::ZERO, SECOND)).child(job("a", &[])),
            "the backoff of all children: its cap is below its first delay",
        ),
        (by_needs().child(job("a", &[])).child(job("a", &[])), "children 0 and 1 are both called `a`"),
    ];
    for (spec, expected) in rows {
        let system = system();
        let refused = spec.start(&system, "top").await.expect_err("it makes no sense").to_string();
        assert!(refused.contains(expected), "{refused}");
        assert_eq!(system.living(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_a_restart_and_a_start() {
    let system = system();
    let (journal, mut reader) = journal();
    let (store, store_child) = slow(&system, "store", &journal, &[]);
    let (_http, http_child) = slow(&system, "http", &journal, &["store"]);
    let spec = tolerant(by_needs()).children([store_child, http_child]);
    let root = spec.start(&system, "top").await.expect("starts");
    reader.rest();
    store.tell(()).expect("there is room");
    pass(Duration::from_millis(1_500)).await; // http is down, and the store on its way up
    root.stop(ExitReason::Shutdown).await.expect("it lives");
    let lines = reader.rest();
    assert_eq!(lines[..3], ["http stops", "http down", "store starts"], "{lines:?}");
    assert!(!lines.iter().any(|line| line == "http starts"), "{lines:?}");
    assert_eq!(system.living(), 0);
}

/// Children of any kind by request, each with a restart type and a shutdown of its own; nobody shares another's fate, and at
/// the end all are told at once, each with its own time.
#[tokio::test(start_paused = true)]
async fn children_with_specs_of_their_own_stop_all_at_once_each_within_its_own_limit() {
    each_stops_within_its_own_limit(by_needs()).await;
}

/// Of children that are started by request under this.
pub(crate) async fn each_stops_within_its_own_limit(spec: Spec) {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = tolerant(spec).start(&system, "pool").await.expect("starts with nobody");
    let cleaning = |name: &'static str, seconds: u32| {
        let (it, seat) = system.address();
        let journal = journal.clone();
        let make = move || Puppet::new(name, &journal).trapping().cleaning_up_for(seconds * SECOND);
        (it, actor_in(name, seat, make))
    };
    let (endless, endless_child) = cleaning("endless", 7);
    let (patient, patient_child) = cleaning("patient", 3);
    let (hasty, hasty_child) = cleaning("hasty", 9);
    let (brutal, brutal_child) = cleaning("brutal", 9);
    let children = [
        endless_child.shutdown(Shutdown::Infinity),
        patient_child.shutdown(Shutdown::Within(5 * SECOND)).restart(Restart::Transient),
        hasty_child.shutdown(Shutdown::Within(SECOND)).restart(Restart::Temporary),
        brutal_child.shutdown(Shutdown::BrutalKill),
        task("work", std::future::pending::<()>),
    ];
    for child in children {
        root.start_child(child).await.expect("its id is free");
    }
    reader.expect(&["endless up", "patient up", "hasty up", "brutal up"]).await;
    brutal.tell(crash()).expect("there is room");
    reader.expect(&["brutal up"]).await;
    let lives = [life(&endless).await, life(&patient).await, life(&hasty).await, life(&brutal).await];
    assert_eq!(lives, [1, 1, 1, 2], "one for one");

    let stopping = aside(async move { root.stop(ExitReason::Shutdown).await });
    let alive = || [&brutal, &hasty, &patient, &endless].map(Addr::is_alive);
    // A timer is late by no more than this.
    let late = Duration::from_millis(20);
    turns().await;
    assert_eq!(alive(), [false, true, true, true]);
    pass(SECOND + late).await;
    assert_eq!(alive(), [false, false, true, true]);
    pass(2 * SECOND).await;
    assert_eq!(alive(), [false, false, false, true]);
    pass(4 * SECOND).await;
    assert_eq!((alive(), system.living()), ([false; 4], 0));
    assert_eq!(stopping.await.expect("no panic"), Ok(ExitReason::Shutdown));
}

/// Ids are to differ, one that has finished keeps its specification, and without a word one restart in five seconds is
/// tolerated, as of any supervisor.
#[tokio::test(start_paused = true)]
async fn children_with_specs_of_their_own_have_ids_and_the_limit_of_any_supervisor() {
    let system = system();
    let root = by_needs().start(&system, "pool").await.expect("starts with nobody");
    let (it, seat) = system.address();
    let child = actor_in("it", seat, || Puppet::new("it", &journal().0)).restart(Restart::Transient);
    root.start_child(child).await.expect("its id is free");
    let again = || root.start_child(task("it", std::future::pending::<()>));
    assert!(matches!(again().await, Err(StartChildError::AlreadyStarted(one)) if one.id() == it.id()));
    it.tell(end(ExitReason::Normal)).expect("there is room");
    turns().await;
    assert!(!it.is_alive());
    assert!(matches!(again().await, Err(StartChildError::AlreadyPresent)), "its specification is kept");
    root.restart_child("it").await.expect("it is down");
    it.tell(crash()).expect("there is room");
    turns().await;
    assert!(it.is_alive(), "one restart is tolerated");
    pass(4 * SECOND).await;
    it.tell(crash()).expect("there is room");
    assert_eq!(soon(root.ended()).await, ExitReason::Shutdown, "two within five seconds are not");
}

/// Asks a supervisor when it comes and when it goes, and writes down whether it was answered.
pub(crate) struct Curious {
    id: &'static str,
    journal: Journal,
    supervisor: Root,
    /// How long it takes to go before it asks.
    takes: Duration,
}

impl Curious {
    pub(crate) fn new(id: &'static str, journal: &Journal, supervisor: &Root) -> Self {
        Self { id, journal: journal.clone(), supervisor: supervisor.clone(), takes: Duration::ZERO }
    }

    async fn ask(&self, when: &str) {
        let answer = match self.supervisor.count_children().await {
            Ok(_) => "answered".to_owned(),
            Err(Unavailable::WouldDeadlock(_)) => "would deadlock".to_owned(),
            Err(other) => other.to_string(),
        };
        self.journal.note(format!("{} {when}: {answer}", self.id));
    }
}

impl Actor for Curious {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.trap_exit(true);
        self.ask("comes").await;
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }

    async fn stopping(&mut self, _: &ExitReason, context: &mut Context<()>) {
        context.sleep(self.takes).await;
        self.ask("goes").await;
    }
}

/// It waits for each of them: that another will end by itself helps nobody who waits for it. Here, below, and in a dynamic one.
#[tokio::test(start_paused = true)]
async fn whoever_asks_a_supervisor_that_stops_several_at_once_is_told() {
    let (system, (journal, mut reader)) = (system(), journal());
    let top = by_needs().child(tree("inner", one_for_one())).start(&system, "top").await.expect("starts");
    let inner = top.subtree("inner").await.expect("it is there");
    let sessions =
        template("session", |(id, journal, root, takes): (&'static str, Journal, Root, Duration)| Curious {
            takes,
            ..Curious::new(id, &journal, &root)
        });
    let pool = dynamic(&sessions).start(&system, "pool").await.expect("starts");
    let child = |id: &'static str, takes| {
        let (journal, top) = (journal.clone(), top.clone());
        actor(id, move || Curious { takes, ..Curious::new(id, &journal, &top) })
    };
    for (id, takes) in [("slow", 3 * SECOND), ("quick", Duration::ZERO)] {
        top.start_child(child(id, takes)).await.expect("its id is free");
        let session = (id, journal.clone(), pool.clone(), takes);
        pool.pool(&sessions).start(session).await.expect("there is room").expect("it runs");
    }
    inner.start_child(child("below", Duration::ZERO)).await.expect("its id is free");
    reader.until("below comes: answered").await;
    for (root, expected) in [
        (top, &["below goes: would deadlock", "quick goes: would deadlock"][..]),
        (pool, &["quick goes: would deadlock"]),
    ] {
        let stopped = aside(async move { root.stop(ExitReason::Shutdown).await });
        turns().await;
        assert_eq!(sorted(reader.rest()), expected.join(", "), "at once");
        reader.expect(&["slow goes: would deadlock"]).await;
        soon(stopped).await.expect("no panic").expect("it ends");
    }
}

/// Each of thousands is looked at once: whoever asks somebody that stops so many waits no longer for that.
#[tokio::test(start_paused = true)]
async fn a_stranger_who_asks_a_supervisor_that_stops_thousands_waits_for_its_end() {
    let (system, (journal, mut reader)) = (system(), journal());
    let sessions = template("session", |journal: Journal| {
        Puppet::new("session", &journal).trapping().cleaning_up_for(3 * SECOND)
    });
    let pool = dynamic(&sessions).start(&system, "pool").await.expect("starts");
    for _ in 0..3_000 {
        pool.pool(&sessions).start(self::journal().0).await.expect("there is room");
    }
    let stopped = aside({
        let pool = pool.clone();
        async move { pool.stop(ExitReason::Shutdown).await }
    });
    turns().await;
    let stranger = actor("stranger", move || Curious::new("stranger", &journal, &pool));
    let top = aside(async move { one_for_one().child(stranger).start(&system, "top").await });
    turns().await;
    assert_eq!(reader.rest(), [""; 0], "it waits");
    soon(stopped).await.expect("no panic").expect("it ends");
    soon(top).await.expect("no panic").expect("it starts");
    assert_eq!(reader.rest(), ["stranger comes: the supervisor ended before it had answered: shutdown"]);
}

/// What has been noted while a supervisor comes up is forgotten when it is up, and answers.
#[tokio::test(start_paused = true)]
async fn a_child_that_is_started_again_while_others_come_up_may_ask_when_they_have() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (top, seat) = system.address();
    let root = Root::of(top);
    let asks = {
        let (journal, root) = (journal.clone(), root.clone());
        let lives = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        actor("asks", move || {
            let first = lives.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            Later { first, curious: Curious::new("asks", &journal, &root) }
        })
    };
    let slow = slow(&system, "slow", &journal, &[]).1;
    let spec = one_for_one().child(tree_in("top", seat, tolerant(by_needs()).children([asks, slow])));
    soon(spec.start(&system, "all")).await.expect("starts");
    reader.expect(&["slow starts", "slow up", "asks comes: answered"]).await;
    assert_eq!(status(&root, "asks").await, "running");
}

/// Its first life ends at once; the second takes two seconds to come up, and asks then.
struct Later {
    first: bool,
    curious: Curious,
}

impl Actor for Later {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        if self.first {
            context.tell_self(());
            return Ok(());
        }
        context.sleep(2 * SECOND).await;
        self.curious.started(context).await
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        panic!("boom")
    }
}
