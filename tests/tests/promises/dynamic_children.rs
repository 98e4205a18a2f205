//! Dynamic supervisors without a template: children that come and go, each with a specification of its own. Rows EXD-001 to
//! EXD-008, and partitions of such supervisors.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{
    ApplyError, AutoShutdown, Backoff, ChildStatus, Counts, DeleteChildError, DisableChildError,
    EnableChildError, Exhausted, FindChildError, Kind, RestartChildError, SpecError, StartChildError,
    StartInstanceError, SubtreeError, TerminateChildError, TreeError, Unavailable, optional_task,
    partitioned, reporting_task, tree_from, tree_in,
};
use minder::{ActorRef, Event, MailboxOptions, Observer};

use crate::needs::each_stops_within_its_own_limit;
use crate::support::*;

async fn start(root: &Root, child: Child) -> ActorRef {
    root.start_child(child).await.expect("it starts").expect("it runs")
}

/// A puppet, and its address.
fn puppet(system: &System, id: &'static str, journal: &Journal) -> (Addr<Msg>, Child) {
    let (address, seat) = system.address();
    let journal = journal.clone();
    (address, actor_in(id, seat, move || Puppet::new(id, &journal)))
}

fn idle(id: &str) -> Child {
    task(id, std::future::pending::<()>)
}

async fn counts(root: &Root) -> Counts {
    root.count_children().await.expect("it lives")
}

/// Whatever a child can be, under any id; nobody is found by it, and it is in its path.
///
/// OTP: EXD-001.
#[tokio::test(start_paused = true)]
async fn any_child_is_started_with_a_specification_of_its_own_under_any_id() {
    let (system, (journal, _reader)) = (system(), journal());
    let root = dynamic_children().start(&system, "pool").await.expect("starts with nobody");
    let (it, seated) = puppet(&system, "same", &journal);
    let mut children = vec![seated, idle("same"), idle("same").restart(Restart::Temporary)];
    children.push(actor("same", move || Puppet::new("same", &journal)).shutdown(Shutdown::Infinity));
    children.push(reporting_task("same", |_| std::future::pending::<()>()));
    children.push(optional_task("same", || Some(std::future::pending::<()>())));
    children.push(tree("same", one_for_one().child(idle("below"))));
    children.push(tree_from("same", || minder::supervisors::Supervisor::new(&one_for_one())));
    let mut actors = Vec::new();
    for child in &children {
        let started = start(&root, child.clone()).await;
        assert_eq!(&*started.path(), "pool/same");
        let spec = root.instance_spec(&started).await.expect("it is a child");
        assert_eq!((&*spec.id, spec.restart, spec.shutdown), ("same", child.restarts(), child.stops()));
        actors.push(started);
    }
    assert_eq!(life(&it).await, 1);
    let listed = root.which_children().await.expect("it lives");
    assert!(listed.iter().all(|child| child.id.is_none()), "{listed:?}");
    let kinds = listed.iter().filter(|child| child.kind == Kind::Supervisor).count();
    assert_eq!((listed.len(), kinds), (8, 2));
    assert_eq!(counts(&root).await, Counts { specs: 8, active: 8, supervisors: 2, workers: 6 });
    let below = Root::of(actors[6].address().expect("a supervisor"));
    assert_eq!(counts(&below).await.active, 1);
    assert!(system.shutdown(60 * SECOND).await.is_clean());
}

/// Three restarts in five seconds, of whomever; each alone, by its own restart type. One that is not restarted leaves nothing.
///
/// OTP: EXD-001.
#[tokio::test(start_paused = true)]
async fn three_restarts_in_five_seconds_are_tolerated_each_alone_by_its_own_type() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = dynamic_children().start(&system, "pool").await.expect("starts with nobody");
    let (perm, child) = puppet(&system, "perm", &journal);
    start(&root, child).await;
    let (tran, child) = puppet(&system, "tran", &journal);
    start(&root, child.restart(Restart::Transient)).await;
    let (temp, child) = puppet(&system, "temp", &journal);
    start(&root, child.restart(Restart::Temporary)).await;
    let (lasting, child) = puppet(&system, "lasting", &journal);
    start(&root, child).await;
    reader.expect(&["perm up", "tran up", "temp up", "lasting up"]).await;

    perm.tell(end(ExitReason::Normal)).expect("there is room");
    reader.until("perm up").await;
    tran.tell(crash()).expect("there is room");
    reader.expect(&["tran up"]).await;
    temp.tell(crash()).expect("there is room");
    tran.tell(end(ExitReason::Normal)).expect("there is room");
    turns().await;
    assert!(!temp.is_alive() && !tran.is_alive());
    assert_eq!(counts(&root).await, Counts { specs: 2, active: 2, supervisors: 0, workers: 2 });
    soon(temp.ended()).await;
    soon(tran.ended()).await;
    perm.tell(crash()).expect("there is room");
    reader.until("perm up").await;
    assert_eq!((life(&perm).await, life(&lasting).await), (3, 1));

    pass(4 * SECOND).await;
    perm.tell(crash()).expect("there is room");
    assert_eq!(
        soon(root.ended()).await,
        ExitReason::Shutdown,
        "a fourth within five seconds is not tolerated"
    );
    assert!(!lasting.is_alive());
}

/// OTP: EXD-001, EXD-007.
#[tokio::test(start_paused = true)]
async fn at_the_end_all_are_told_at_once_each_within_its_own_limit() {
    each_stops_within_its_own_limit(dynamic_children()).await;
}

/// By its process, also while it waits for its restart; whoever is no child, or none any more, is not found.
///
/// OTP: EXD-005, EXD-006.
#[tokio::test(start_paused = true)]
async fn one_is_stopped_by_its_process() {
    let (system, (journal, _reader)) = (system(), journal());
    let root = dynamic_children().start(&system, "pool").await.expect("starts with nobody");
    let (starts, it) = (Arc::new(AtomicU32::new(0)), Arc::new(Mutex::new(journal.clone())));
    let once = actor("once", move || match starts.fetch_add(1, Ordering::Relaxed) {
        0 => Ok(Puppet::new("once", &it.lock().expect("nobody panics with it"))),
        _ => Err(ExitReason::other("no")),
    });
    let backoff = Backoff::new(SECOND, SECOND, SECOND);
    let once = start(&root, once.backoff(backoff)).await;
    let hasty = start(&root, idle("hasty").shutdown(Shutdown::BrutalKill)).await;
    once.address::<Msg>().expect("a puppet").kill();
    turns().await;
    assert_eq!(counts(&root).await, Counts { specs: 2, active: 1, supervisors: 0, workers: 2 });
    let restarting = root.which_children().await.expect("it lives");
    assert!(restarting.iter().any(|child| matches!(child.status, ChildStatus::Restarting)), "{restarting:?}");
    assert!(root.instance_spec(&once).await.expect("it is a child").policy.is_some());
    root.terminate_instance(&once).await.expect("it waits for its restart");
    root.terminate_instance(&hasty).await.expect("it is there");
    assert!(!hasty.is_alive(), "gone when the request is answered");
    assert_eq!(counts(&root).await, Counts::default());
    for gone in [&once, &hasty] {
        assert_eq!(root.terminate_instance(gone).await, Err(TerminateChildError::NotFound));
        assert_eq!(root.instance_spec(gone).await, Err(FindChildError::NotFound));
    }
    let other = dynamic_children().start(&system, "other").await.expect("starts with nobody");
    let stranger = start(&other, idle("stranger")).await;
    assert_eq!(root.terminate_instance(&stranger).await, Err(TerminateChildError::NotFound));
    assert_eq!(root.instance_spec(&stranger).await, Err(FindChildError::NotFound));
    assert!(stranger.is_alive());
    pass(2 * SECOND).await;
    assert_eq!(counts(&root).await, Counts::default(), "a restart that was waited for does not come");
}

/// OTP: EXD-002, EXD-004.
#[tokio::test(start_paused = true)]
async fn what_fails_finds_nothing_or_has_no_room_is_not_kept() {
    let system = system();
    let root = tolerant(dynamic_children()).max_children(1).start(&system, "pool").await.expect("starts");
    let plan: Arc<Mutex<Vec<&str>>> = Arc::default();
    let planned = plan.clone();
    let picky = actor("picky", move || match planned.lock().expect("nobody panics with it").pop() {
        Some("fail") => Err(ExitReason::other("no")),
        Some(_) => Ok(None),
        None => Ok(Some(Puppet::new("picky", &journal().0))),
    });
    let next = |what| plan.lock().expect("nobody panics with it").push(what);
    next("fail");
    let failed = root.start_child(picky.clone()).await;
    assert!(matches!(failed, Err(StartChildError::Failed(_))), "{failed:?}");
    next("ignore");
    assert!(matches!(root.start_child(picky.clone()).await, Ok(None)));
    assert_eq!(counts(&root).await, Counts::default());
    let it = start(&root, picky.clone()).await;
    let full = root.start_child(idle("other")).await;
    assert!(matches!(full, Err(StartChildError::TooMany)), "{full:?}");
    next("ignore");
    it.address::<Msg>().expect("a puppet").kill();
    turns().await;
    assert_eq!(counts(&root).await, Counts::default(), "a restart that finds nothing drops the child");
    start(&root, idle("other")).await;
}

/// What has no meaning there, and what goes by ids.
///
/// OTP: EXD-008.
#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_there_is_refused_with_a_reason() {
    let system = system();
    let (_, partitions) = partitioned(&system, dynamic_children(), 2, |n, seat| {
        actor_in(&n.to_string(), seat, || Puppet::new("it", &journal().0))
    });
    let specs = [
        (dynamic_children().auto_shutdown(AutoShutdown::AllSignificant), SpecError::DynamicAutoShutdown),
        (dynamic_children().child(idle("first")), SpecError::DynamicWithChildren),
        (partitions, SpecError::DynamicWithChildren),
        (dynamic_children().limit(1, Duration::ZERO), SpecError::ZeroPeriod),
    ];
    let invalid = |cause| TreeError::Spec { supervisor: String::new(), cause };
    for (spec, cause) in specs {
        assert_eq!(spec.check(), Err(invalid(cause)));
    }

    let root = dynamic_children().start(&system, "pool").await.expect("starts with nobody");
    let significant = idle("it").restart(Restart::Transient).significant(true);
    let children = [
        (idle("it").needs(["store"]), SpecError::NeedsOfInstance("it".into())),
        (idle("it").disabled(), SpecError::DisabledInstance("it".into())),
        (significant, SpecError::SignificantWithoutAutoShutdown("it".into())),
        (idle(""), SpecError::EmptyId(0)),
    ];
    for (child, cause) in children {
        match root.start_child(child).await {
            Err(StartChildError::Invalid(error)) => assert_eq!(error, invalid(cause)),
            other => panic!("{cause}: {other:?}"),
        }
    }
    let broken = tree("below", one_for_one().child(idle("a")).child(idle("a")));
    assert!(matches!(root.start_child(broken).await, Err(StartChildError::Invalid(_))), "as of any tree");
    assert_eq!(counts(&root).await, Counts::default());

    let it = start(&root, idle("it")).await;
    assert_eq!(root.terminate_child("it").await, Err(TerminateChildError::Dynamic));
    assert_eq!(root.restart_child("it").await.map(drop), Err(RestartChildError::Dynamic));
    assert_eq!(root.delete_child("it").await, Err(DeleteChildError::Dynamic));
    assert_eq!(root.disable_child("it").await, Err(DisableChildError::Dynamic));
    assert_eq!(root.enable_child("it").await.map(drop), Err(EnableChildError::Dynamic));
    assert_eq!(root.which_child("it").await.map(drop), Err(FindChildError::Dynamic));
    assert_eq!(root.child_spec("it").await, Err(FindChildError::Dynamic));
    assert_eq!(root.subtree("it").await.map(drop), Err(SubtreeError::NotFound("it".into())));
    let sessions = template("session", |(): ()| Puppet::new("it", &journal().0));
    assert_eq!(root.pool(&sessions).start(()).await, Err(StartInstanceError::OtherTemplate));
    assert!(it.is_alive());
}

/// What is said of a child holds for it and for nobody else: its name in the system, how long its handlers may take, its
/// limits and what becomes of it then.
#[tokio::test(start_paused = true)]
async fn what_a_child_is_given_holds_for_it_alone() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = tolerant(dynamic_children()).start(&system, "pool").await.expect("starts with nobody");
    let (named, child) = puppet(&system, "named", &journal);
    let named_actor = start(&root, child.registered("king").handler_limit(SECOND)).await;
    assert_eq!(system.whereis::<Msg>("king").expect("it has that name").id(), named.id());
    let (_, pretender) = puppet(&system, "pretender", &journal);
    let refused = root.start_child(pretender.registered("king")).await;
    assert!(matches!(refused, Err(StartChildError::Failed(_))), "{refused:?}");
    let (frail, child) = puppet(&system, "frail", &journal);
    start(&root, child.limit(1, 60 * SECOND).when_exhausted(Exhausted::LeaveDown)).await;
    reader.expect(&["named up", "frail up"]).await;
    for address in [&named, &frail] {
        address.tell(hang()).expect("there is room");
    }
    reader.until("named up").await;
    assert_eq!(life(&named).await, 2, "it hung");
    assert!(frail.is_alive(), "it may hang for ever");
    frail.kill();
    reader.expect(&["frail up"]).await;
    frail.kill();
    turns().await;
    assert!(!frail.is_alive(), "once is enough");
    assert_eq!(counts(&root).await.specs, 1, "and it is forgotten");
    root.terminate_instance(&named_actor).await.expect("it is there");
    assert!(system.whereis::<Msg>("king").is_err(), "free when its child is gone");
}

/// A seat is for one child: who is started into one that is taken fails, and who took one in between two lives of another is not
/// lost sight of when that is forgotten.
#[tokio::test(start_paused = true)]
async fn a_seat_is_one_childs_at_a_time() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = tolerant(dynamic_children()).start(&system, "pool").await.expect("starts with nobody");
    let (it, child) = puppet(&system, "it", &journal);
    let child = child.backoff(Backoff::new(SECOND, SECOND, SECOND).jitter(0.0));
    let child = child.limit(1, 60 * SECOND).when_exhausted(Exhausted::LeaveDown);
    start(&root, child.clone()).await;
    let taken = root.start_child(child.clone()).await;
    assert!(matches!(taken, Err(StartChildError::Failed(_))), "{taken:?}");
    reader.expect(&["it up"]).await;
    it.kill();
    turns().await;
    start(&root, child).await;
    reader.expect(&["it up"]).await;
    pass(2 * SECOND).await;
    assert_eq!(counts(&root).await, Counts { specs: 1, active: 1, supervisors: 0, workers: 1 });
    it.kill();
    pass(2 * SECOND).await;
    reader.expect(&["it up"]).await;
    assert_eq!(soon(root.stop(ExitReason::Shutdown)).await, Ok(ExitReason::Shutdown));
}

/// Whatever a supervisor decides about a child is told of by its path.
#[derive(Clone)]
struct Decisions(Journal);

impl Observer for Decisions {
    fn event(&self, event: &Event<'_>) {
        if let Event::Decided { path, child, decision, .. } = event {
            self.0.note(format!("{path}/{child} {decision}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn events_and_readiness_tell_of_a_child_by_its_id() {
    let (journal, mut reader) = journal();
    let observer = Arc::new(Decisions(journal));
    let system =
        System::builder().observer(observer).build().expect("the test runs in a runtime and unwinds");
    let root = dynamic_children().start(&system, "pool").await.expect("starts with nobody");
    let (it, child) = puppet(&system, "it", &self::journal().0);
    start(&root, child.restart(Restart::Transient)).await;
    soon(root.ready()).await.expect("nobody has to report");
    it.kill();
    reader.expect(&["pool/it restart"]).await;
    let (may_report, go) = tokio::sync::watch::channel(false);
    let reports = reporting_task("reports", move |ready| {
        let mut go = go.clone();
        async move {
            go.wait_for(|go| *go).await.expect("the test goes on");
            ready.ready();
            std::future::pending::<()>().await
        }
    });
    start(&root, tree("below", one_for_one().child(reports.clone()))).await;
    let late = reporting_task("late", |_| std::future::pending::<()>()).ready_within(3 * SECOND);
    start(&root, late.restart(Restart::Temporary)).await;
    let unready = root.unready().await.expect("it lives");
    assert_eq!(unready.iter().map(|path| &**path).collect::<Vec<_>>(), ["pool/late", "pool/below/reports"]);
    pass(4 * SECOND).await;
    reader.expect(&["pool/late not ready", "pool/late forget"]).await;
    assert_eq!(root.unready().await.expect("it lives").len(), 1);
    may_report.send_replace(true);
    soon(root.ready()).await.expect("it has reported");
}

/// As it stands, those alike as one; and nothing is said of those to come.
#[tokio::test(start_paused = true)]
async fn it_is_explained_by_the_kinds_of_children_that_are_there() {
    let system = system();
    let pool =
        || one_for_one().child(tree("pool", dynamic_children())).child(idle("sweep").asks(["pool/any"]));
    assert!(pool().check().is_ok(), "an ask may lead to whoever will be there");
    let before = pool().explain();
    assert_eq!(before.stop().to_string(), "as long as it takes, because of pool");
    let asked: Vec<_> = before.children().map(|child| child.path.to_string()).collect();
    assert_eq!(asked, ["pool", "sweep"]);

    let root = pool().start(&system, "top").await.expect("starts");
    let inside = root.subtree("pool").await.expect("it is there");
    let within = |seconds| Shutdown::Within(Duration::from_secs(seconds));
    for child in [
        idle("job").shutdown(within(7)),
        idle("job").shutdown(within(7)),
        idle("mail").restart(Restart::Temporary),
        idle("job").shutdown(within(9)),
        idle("mail").restart(Restart::Temporary).registered("postman"),
        idle("mail").restart(Restart::Temporary).handler_limit(SECOND),
    ] {
        start(&inside, child).await;
    }
    let explained = root.explain().await.expect("it lives");
    assert_eq!(explained.stop().to_string(), "at most 14s", "all at once in the pool");
    let text = explained.to_string();
    let picture: Vec<&str> = text.lines().take(7).collect();
    let expected = [
        "(top)       one-for-one, 1 in 5s",
        "├─ pool     dynamic, 3 in 5s      permanent  stops within 9s",
        "│  ├─ job   2 instances           permanent  stops within 7s",
        "│  ├─ mail  2 instances           temporary  stops within 5s",
        "│  ├─ job   1 instance            permanent  stops within 9s",
        "│  └─ mail  1 instance            temporary  stops within 5s",
        "└─ sweep                          permanent  stops within 5s",
    ];
    assert_eq!(picture, expected, "{text}");
    let job = explained.child("pool/job").expect("it is there");
    assert_eq!((job.lost, job.of, &*job.path), (1, 8, "pool/job"));
    assert!(explained.child("pool/other").is_ok_and(|other| &*other.path == "pool"), "whoever will be there");
}

/// Limits are changed, children stay as they are; with a template and without one are two kinds.
#[tokio::test(start_paused = true)]
async fn its_limits_are_changed_and_its_children_stay() {
    let (system, (journal, mut reader)) = (system(), journal());
    let pool = |spec: Spec| one_for_one().child(tree("pool", spec));
    let root = pool(dynamic_children()).start(&system, "top").await.expect("starts");
    let inside = root.subtree("pool").await.expect("it is there");
    let (it, child) = puppet(&system, "it", &journal);
    let actor = start(&inside, child).await;
    reader.expect(&["it up"]).await;
    let same = root.plan(&pool(dynamic_children())).await.expect("it makes sense");
    assert!(same.is_empty(), "{same}");
    let backoff = Backoff::new(SECOND, SECOND, SECOND).jitter(0.0);
    let new = || pool(dynamic_children().limit(9, SECOND).max_children(2).backoff(backoff));
    let plan = root.plan(&new()).await.expect("it makes sense").to_string();
    let expected = format!(
        "rules  pool: limit: 3 in 5s becomes 9 in 1s; most children: any number becomes 2; backoff of children to come: none \
         becomes {backoff:?}"
    );
    assert!(plan.lines().any(|line| line == expected), "{plan}");
    root.apply(new()).await.expect("it makes sense");
    it.kill();
    reader.expect(&["it up"]).await;
    assert_eq!(
        (life(&it).await, inside.instance_spec(&actor).await.expect("it is a child").policy),
        (2, None)
    );
    let (later, child) = puppet(&system, "later", &journal);
    start(&inside, child).await;
    reader.expect(&["later up"]).await;
    later.kill();
    turns().await;
    assert!(!later.is_alive(), "it waits");
    reader.expect(&["later up"]).await;
    let full = inside.start_child(idle("more")).await;
    assert!(matches!(full, Err(StartChildError::TooMany)), "{full:?}");

    let sessions = template("session", |(): ()| Puppet::new("it", &self::journal().0));
    let kind = Err(ApplyError::OtherKind { supervisor: "pool".to_owned() });
    assert_eq!(root.apply(pool(dynamic(&sessions))).await, kind);
    assert_eq!(root.plan(&pool(one_for_one())).await.map(drop), kind);
    let other = dynamic(&sessions).start(&system, "other").await.expect("starts with nobody");
    let kind = Err(ApplyError::OtherKind { supervisor: String::new() });
    assert_eq!(other.apply(dynamic_children()).await, kind);
    assert_eq!(other.plan(&dynamic_children()).await.map(drop), kind);
    assert_eq!(counts(&inside).await.active, 2);
}

/// Partitions, each of which is such a supervisor: the load of starting children is shared by key.
///
/// OTP: EXP-001, EXP-003.
#[tokio::test(start_paused = true)]
async fn they_may_be_partitioned() {
    let system = system();
    let (pools, spec) = partitioned(&system, one_for_one(), 3, |partition, seat| {
        tree_in(&partition.to_string(), seat, dynamic_children())
    });
    tolerant(one_for_one()).child(tree("pools", spec)).start(&system, "top").await.expect("starts");
    let pool = |key: &i32| Root::of(pools.of(key).expect("there are some").clone());
    for key in 0..6 {
        start(&pool(&key), idle("job")).await;
    }
    let mut active = Vec::new();
    for partition in pools.all() {
        active.push(counts(&Root::of(partition.clone())).await.active);
    }
    assert_eq!(active, [2, 2, 2]);
    let listed = pool(&4).which_children().await.expect("it lives");
    assert_eq!(&*listed[0].actor().expect("it is up").path(), "top/pools/1/job");
    pools.at(1).expect("it is there").kill();
    turns().await;
    assert_eq!(counts(&pool(&4)).await, Counts::default(), "found by the same key, and empty");
    start(&pool(&4), idle("job")).await;
    assert_eq!(counts(&pool(&1)).await.active, 1);
}

/// With its supervisor they are lost; it begins anew with nobody. A request that was made to the last life is not kept.
#[tokio::test(start_paused = true)]
async fn children_are_lost_with_their_supervisor() {
    let (system, (journal, _reader)) = (system(), journal());
    let (pool, seat) = system.address_with(MailboxOptions::default());
    let tree = tolerant(one_for_one()).child(tree_in("pool", seat, dynamic_children()));
    tree.start(&system, "top").await.expect("starts");
    let root = Root::of(pool.clone());
    let (it, child) = puppet(&system, "it", &journal);
    start(&root, child.clone()).await;
    pool.kill();
    let asked = root.start_child(idle("late")).await;
    assert!(
        matches!(asked, Err(StartChildError::Unavailable(Unavailable::Ended(_) | Unavailable::NotThere))),
        "{asked:?}"
    );
    turns().await;
    assert!(!it.is_alive());
    assert_eq!(counts(&root).await, Counts::default());
    start(&root, child).await;
    assert_eq!(life(&it).await, 2, "in its old seat, once the orphan has left");
}
