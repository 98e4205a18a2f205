//! Dynamic supervisors: instances of one template, by request. Rows SUP-131, SUP-171 to SUP-185.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{
    AutoShutdown, Counts, DeleteChildError, Pool, RestartChildError, SpecError, StartChildError,
    StartInstanceError, TerminateChildError, TreeError, template_of_trees,
};

use crate::support::*;

type Sessions = Template<&'static str, Msg>;

/// Puppets named by their argument.
fn sessions(journal: &Journal) -> Sessions {
    let journal = journal.clone();
    template("session", move |name| Puppet::new(name, &journal))
        .name(|name: &&'static str| (*name).to_owned())
}

async fn pool(system: &System, template: &Sessions, spec: Spec) -> Pool<&'static str, Msg> {
    spec.start(system, "pool").await.expect("starts with nobody").pool(template)
}

async fn start(pool: &Pool<&'static str, Msg>, name: &'static str) -> Addr<Msg> {
    pool.start(name).await.expect("there is room").expect("it runs")
}

/// OTP: SUP-172, SUP-173, SUP-179.
#[tokio::test(start_paused = true)]
async fn instances_are_started_with_arguments_and_restarted_alone_with_the_same() {
    let system = system();
    let (journal, mut reader) = journal();
    let template = sessions(&journal);
    let pool = pool(&system, &template, tolerant(dynamic(&template))).await;
    let (ada, bob) = (start(&pool, "ada").await, start(&pool, "bob").await);
    reader.expect(&["ada up", "bob up"]).await;
    assert_eq!((&*ada.path(), life(&ada).await, life(&bob).await), ("pool/ada", 1, 1));
    ada.tell(crash()).expect("there is room");
    reader.expect(&["ada up"]).await;
    assert_eq!((life(&ada).await, life(&bob).await), (2, 1), "the address stays");
    let counts = pool.root().count_children().await.expect("it lives");
    assert_eq!(counts, Counts { specs: 1, active: 2, supervisors: 0, workers: 2 });
    assert_eq!(pool.instances().await.expect("it lives").len(), 2);
}

/// OTP: SUP-174.
#[tokio::test(start_paused = true)]
async fn an_instance_that_is_not_restarted_leaves_no_trace() {
    // restart type, how it ends, whether it is there afterwards
    type Row = (Restart, fn() -> Msg, bool);
    let rows: &[Row] = &[
        (Restart::Permanent, || end(ExitReason::Normal), true),
        (Restart::Transient, || end(ExitReason::Normal), false),
        (Restart::Transient, crash, true),
        (Restart::Temporary, crash, false),
    ];
    for &(restart, how, stays) in rows {
        let system = system();
        let (journal, _reader) = journal();
        let template = sessions(&journal).restart(restart);
        let pool = pool(&system, &template, tolerant(dynamic(&template))).await;
        let it = start(&pool, "it").await;
        it.tell(how()).expect("there is room");
        turns().await;
        let counts = pool.root().count_children().await.expect("it lives");
        assert_eq!((counts.workers, it.is_alive()), (usize::from(stays), stays), "{restart:?}");
        let ended = tokio::time::timeout(SECOND, it.ended()).await.is_ok();
        assert_ne!(ended, stays, "{restart:?}: its seat is given up with it");
    }
}

/// OTP: SUP-175, SUP-176.
#[tokio::test(start_paused = true)]
async fn it_is_stopped_by_address_and_by_nothing_else() {
    let system = system();
    let (journal, mut reader) = journal();
    let template = sessions(&journal);
    let pool = pool(&system, &template, tolerant(dynamic(&template))).await;
    let (ada, bob) = (start(&pool, "ada").await, start(&pool, "bob").await);
    pool.terminate(&ada).await.expect("it is a child");
    assert!(!ada.is_alive(), "gone when the request is answered");
    pool.terminate(&ada).await.expect("gone already is no error");
    let stranger = minded(&system, move || Puppet::new("stranger", &journal)).await;
    assert_eq!(pool.terminate(&stranger).await, Err(TerminateChildError::NotFound));
    let root = pool.root();
    assert_eq!(root.terminate_child("session").await, Err(TerminateChildError::Dynamic));
    assert_eq!(root.restart_child("session").await.map(drop), Err(RestartChildError::Dynamic));
    assert_eq!(root.delete_child("session").await, Err(DeleteChildError::Dynamic));
    assert_eq!(root.child_spec("session").await.expect("the template's").restart, Restart::Permanent);
    let child = task("t", std::future::pending::<()>);
    assert!(matches!(root.start_child(child).await, Err(StartChildError::Dynamic)));
    let instances = root.which_children().await.expect("it lives");
    let [one] = &instances[..] else { panic!("{instances:?}") };
    assert_eq!((one.id.clone(), one.actor().map(minder::ActorRef::id)), (None, Some(bob.id())));
    root.terminate_instance(one.actor().expect("up")).await.expect("it is a child");
    assert!(!bob.is_alive() && stranger.is_alive());
    reader.rest();
}

#[tokio::test(start_paused = true)]
async fn no_more_than_it_may_hold_and_only_of_its_own_template() {
    let system = system();
    let (journal, _reader) = journal();
    let (template, other) = (sessions(&journal), sessions(&journal));
    let spec = dynamic(&template).max_children(2);
    let pool = pool(&system, &template, spec).await;
    let (ada, _bob) = (start(&pool, "ada").await, start(&pool, "bob").await);
    assert_eq!(pool.start("eve").await, Err(StartInstanceError::TooMany));
    pool.terminate(&ada).await.expect("it is a child");
    start(&pool, "eve").await;
    let wrong = pool.root().pool(&other);
    assert_eq!(wrong.start("kim").await, Err(StartInstanceError::OtherTemplate));
    let plain = one_for_one().start(&system, "plain").await.expect("starts").pool(&template);
    assert_eq!(plain.start("kim").await, Err(StartInstanceError::OtherTemplate));
}

/// OTP: SUP-180, SUP-181, SUP-184, EXD-004, NEW-003.
#[tokio::test(start_paused = true)]
async fn a_start_that_fails_or_finds_nothing_keeps_nothing_and_a_restart_is_retried() {
    let system = system();
    let attempts = Arc::new(AtomicU32::new(0));
    let (journal, _reader) = journal();
    let count = attempts.clone();
    let picky = template("picky", move |plan: &'static [&'static str]| {
        let nth = count.fetch_add(1, Ordering::Relaxed) as usize;
        match plan.get(nth).copied().unwrap_or("ok") {
            "ok" => Ok(Some(Puppet::new("it", &journal))),
            "ignore" => Ok(None),
            _ => Err(ExitReason::other("no")),
        }
    });
    let root = tolerant(dynamic(&picky)).start(&system, "pool").await.expect("starts");
    let pool = root.pool(&picky);
    let workers = || async { root.count_children().await.expect("it lives").workers };
    assert_eq!(pool.start(&["fail"]).await, Err(StartInstanceError::Failed(ExitReason::other("no"))));
    attempts.store(0, Ordering::Relaxed);
    assert_eq!((pool.start(&["ignore"]).await, workers().await), (Ok(None), 0));
    attempts.store(0, Ordering::Relaxed);
    let it = pool.start(&["ok", "fail", "fail", "ok", "ignore"]).await.expect("ok").expect("it runs");
    it.kill();
    turns().await;
    assert_eq!((it.is_alive(), attempts.load(Ordering::Relaxed)), (true, 4));
    it.kill();
    turns().await;
    assert_eq!(workers().await, 0, "a restart that finds nothing drops the child");
}

/// One that waits for a restart is not active, and is known by its old address.
/// OTP: SUP-179, SUP-181, EXD-005, EXD-006.
#[tokio::test(start_paused = true)]
async fn an_instance_that_is_restarting_can_be_stopped() {
    let system = system();
    let (journal, _reader) = journal();
    let starts = Arc::new(AtomicU32::new(0));
    let once = template("once", move |(): ()| match starts.fetch_add(1, Ordering::Relaxed) {
        0 => Ok(Puppet::new("it", &journal)),
        _ => Err(ExitReason::other("no")),
    });
    let root = dynamic(&once).limit(u32::MAX, SECOND).start(&system, "pool").await.expect("starts");
    let pool = root.pool(&once);
    let it = pool.start(()).await.expect("once").expect("it runs");
    it.kill();
    turns().await;
    let counts = root.count_children().await.expect("it lives");
    assert_eq!((counts.active, counts.workers), (0, 1));
    assert_eq!(pool.instances().await.expect("it lives"), []);
    pool.terminate(&it).await.expect("it is a child");
    assert_eq!(root.count_children().await.expect("it lives"), Counts { specs: 1, ..Counts::default() });
}

/// OTP: SUP-177.
#[tokio::test(start_paused = true)]
async fn at_the_end_all_are_told_at_once_and_share_one_time_limit() {
    // how long each takes to clean up, the limit, how long the end takes
    for (takes, limit, took) in [(3, 5, 3), (60, 5, 5)] {
        let system = system();
        let (journal, mut reader) = journal();
        let template = template("slow", move |name: &'static str| {
            Puppet::new(name, &journal).trapping().cleaning_up_for(Duration::from_secs(takes))
        });
        let template = template.shutdown(Shutdown::Within(limit * SECOND));
        let pool = pool(&system, &template, dynamic(&template)).await;
        for name in ["a", "b", "c"] {
            start(&pool, name).await;
        }
        reader.expect(&["a up", "b up", "c up"]).await;
        let began = system.now();
        assert!(system.shutdown(3600 * SECOND).await.is_clean());
        let passed = system.now().since(began);
        let expected = Duration::from_secs(took);
        assert!(passed >= expected && passed < expected + Duration::from_millis(20), "{passed:?}");
        let lines = reader.rest();
        assert!(lines[..3].iter().all(|line| line.ends_with("stopping shutdown")), "{lines:?}");
        assert_eq!(lines.len(), if takes < limit.into() { 6 } else { 3 }, "{lines:?}");
    }
}

/// OTP: SUP-173, SUP-182.
#[tokio::test(start_paused = true)]
async fn the_intensity_is_shared_and_instances_are_lost_with_their_supervisor() {
    let system = system();
    let (journal, mut reader) = journal();
    let template = sessions(&journal);
    let root = tolerant(one_for_one())
        .child(tree("pool", dynamic(&template).limit(1, 3600 * SECOND)))
        .start(&system, "top")
        .await
        .expect("starts");
    let pool = root.subtree("pool").await.expect("it is there").pool(&template);
    let (ada, bob) = (start(&pool, "ada").await, start(&pool, "bob").await);
    ada.tell(crash()).expect("there is room");
    reader.expect(&["ada up", "bob up", "ada up"]).await;
    bob.tell(crash()).expect("there is room");
    turns().await;
    assert!(!ada.is_alive() && !bob.is_alive());
    assert_eq!(pool.instances().await.expect("a new life"), []);
    start(&pool, "eve").await;
}

#[tokio::test(start_paused = true)]
async fn instances_may_be_trees() {
    let system = system();
    let rooms = template_of_trees("room", |guests: usize| {
        (0..guests)
            .fold(one_for_one(), |spec, n| spec.child(task(&n.to_string(), std::future::pending::<()>)))
    });
    let root = dynamic(&rooms).start(&system, "rooms").await.expect("starts");
    let pool = root.pool(&rooms);
    let room = Root::of(pool.start(3).await.expect("there is room").expect("it runs"));
    assert_eq!(room.count_children().await.expect("it lives").active, 3);
    let counts = root.count_children().await.expect("it lives");
    assert_eq!(counts, Counts { specs: 1, active: 1, supervisors: 1, workers: 0 });
    assert!(system.shutdown(SECOND).await.is_clean());
}

/// OTP: SUP-131, SUP-171, EXD-008, NEW-003.
#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_for_a_dynamic_supervisor_is_refused() {
    let (journal, _reader) = journal();
    let template = sessions(&journal);
    let rows = [
        (dynamic(&template).auto_shutdown(AutoShutdown::AnySignificant), SpecError::DynamicAutoShutdown),
        (dynamic(&template).child(task("t", std::future::pending::<()>)), SpecError::DynamicWithChildren),
        (dynamic(&template).limit(1, Duration::ZERO), SpecError::ZeroPeriod),
    ];
    for (spec, cause) in rows {
        assert_eq!(spec.check(), Err(TreeError::Spec { supervisor: String::new(), cause }));
    }
}

/// What an instance is to tell whoever started it, beside its address, goes through its arguments. Whoever asked has it when
/// the start is over; a restart tells nobody anything.
///
/// OTP: SUP-020.
#[tokio::test(start_paused = true)]
async fn a_start_hands_out_something_beside_the_address() {
    let (system, (journal, mut reader)) = (system(), journal());
    let made = Arc::new(AtomicU32::new(8_000));
    let template = template("server", move |tell: tokio::sync::mpsc::Sender<u32>| {
        let made = made.clone();
        Puppet::new("server", &journal).on_start(move |puppet, _| {
            let port = made.fetch_add(1, Ordering::Relaxed);
            if tell.try_send(port).is_err() {
                puppet.note("tells nobody");
            }
            Ok(())
        })
    });
    let spec = tolerant(dynamic(&template));
    let pool = spec.start(&system, "servers").await.expect("starts with nobody").pool(&template);
    let start = async || {
        let (tell, mut told) = tokio::sync::mpsc::channel(1);
        let it = pool.start(tell).await.expect("there is room").expect("it runs");
        (it, told.try_recv())
    };
    let ((one, first), (other, second)) = (start().await, start().await);
    assert_eq!((first, second), (Ok(8_000), Ok(8_001)));
    reader.expect(&["server up", "server up"]).await;
    one.tell(crash()).expect("there is room");
    reader.expect(&["server tells nobody", "server up"]).await;
    assert_eq!((life(&one).await, life(&other).await), (2, 1));
}
