//! Beyond OTP: restarts that wait, limits of a child's own, and children that are disabled. What is decided is shown by
//! the core's own tables; here it is held against real actors, their mailboxes and virtual time.

use std::sync::Arc;
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{
    Backoff, ChildStatus, DisableChildError, EnableChildError, Exhausted, Pool, RestartChildError, SpecError,
    TreeError, Unavailable,
};
use minder::{Event, MailboxOptions, Observer, WhenFull};

use crate::support::*;

/// A timer is late by no more than this.
const COARSE: Duration = Duration::from_millis(20);
const MINUTE: Duration = Duration::from_secs(60);

/// Delays of 1, 2, 4, 4 … seconds; a minute is a healthy life.
fn backoff() -> Backoff {
    Backoff::new(SECOND, 4 * SECOND, MINUTE).jitter(0.0)
}

fn puppet(name: &'static str, journal: &Journal) -> Child {
    let journal = journal.clone();
    actor(name, move || Puppet::new(name, &journal))
}

/// Writes down what supervisors decide, and how long a restart waits.
struct Decisions(Journal);

impl Observer for Decisions {
    fn event(&self, event: &Event<'_>) {
        if let Event::Decided { child, decision, restarts, limit, delay, .. } = event {
            let delay = delay.map(|delay| format!(" {delay:?}")).unwrap_or_default();
            self.0.note(format!("{child}: {decision} {restarts}/{limit}{delay}"));
        }
    }
}

fn watched(journal: &Journal) -> System {
    let observer = Arc::new(Decisions(journal.clone()));
    System::builder().observer(observer).build().expect("the test runs in a runtime and unwinds")
}

async fn status(root: &Root, id: &str) -> String {
    root.which_child(id).await.expect("it is there").status.to_string()
}

/// One child with a seat of its own under a supervisor that tolerates everything.
struct One {
    it: Addr<Msg>,
    root: Root,
    reader: Reader,
    _system: System,
}

async fn one(with: impl Fn(Child) -> Child, mailbox: MailboxOptions) -> One {
    let (journal, mut reader) = journal();
    let system = watched(&journal);
    let (it, seat) = system.address_with(mailbox);
    let child = actor_in("it", seat, move || Puppet::new("it", &journal));
    let root = tolerant(one_for_one()).child(with(child)).start(&system, "top").await.expect("starts");
    reader.expect(&["it up"]).await;
    One { it, root, reader, _system: system }
}

impl One {
    async fn crash(&mut self) {
        self.it.tell(crash()).expect("there is room");
        turns().await;
    }

    /// It comes up after this time and not before.
    async fn comes_up_after(&mut self, delay: Duration) {
        pass(delay.saturating_sub(Duration::from_millis(1))).await;
        assert!(!self.it.is_alive(), "not before {delay:?}");
        pass(COARSE).await;
        assert!(self.it.is_alive(), "after {delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn restarts_wait_longer_each_time_until_a_life_was_healthy() {
    let mut one = one(|child| child.backoff(backoff()), MailboxOptions::default()).await;
    for (life, delay) in [(0, 1), (59, 2), (1, 4), (1, 4), (60, 1), (61, 1), (0, 2)] {
        pass(Duration::from_secs(life)).await;
        one.crash().await;
        one.comes_up_after(Duration::from_secs(delay)).await;
    }
    let told = one.reader.rest().into_iter().filter(|line| line.contains("later")).collect::<Vec<_>>();
    let waits: Vec<&str> = told.iter().map(|line| line.rsplit(' ').next().expect("a delay")).collect();
    assert_eq!(waits, ["1s", "2s", "4s", "4s", "1s", "1s", "2s"], "what is told is what is done");
}

/// Those who fell together do not come back together, and with the same seed in the same order.
#[tokio::test(start_paused = true)]
async fn chance_spreads_restarts_and_comes_from_the_system_s_seed() {
    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let mut orders = Vec::new();
    for seed in [1, 1, 2] {
        let (journal, mut reader) = journal();
        let system = System::builder().seed(seed).build().expect("inside a runtime");
        let wide = Backoff::new(10 * SECOND, 10 * SECOND, MINUTE).jitter(0.5);
        let mut spec = tolerant(one_for_one()).backoff(wide);
        let mut all = Vec::new();
        for name in NAMES {
            let (it, seat) = system.address();
            let journal = journal.clone();
            spec = spec.child(actor_in(name, seat, move || Puppet::new(name, &journal)));
            all.push(it);
        }
        let _root = spec.start(&system, "top").await.expect("starts");
        turns().await;
        reader.rest();
        all.iter().for_each(|it| it.tell(crash()).expect("there is room"));
        pass(5 * SECOND - Duration::from_millis(1)).await;
        assert!(reader.rest().is_empty(), "half of the delay is certain");
        let mut order = Vec::new();
        for step in 0..5 {
            pass(SECOND).await;
            order.extend(reader.rest().into_iter().map(|line| (step, line)));
        }
        pass(COARSE).await;
        order.extend(reader.rest().into_iter().map(|line| (5, line)));
        assert_eq!(order.len(), NAMES.len(), "nobody waits longer than the delay");
        assert!(order.iter().any(|(step, _)| *step != order[0].0), "they do not come together: {order:?}");
        orders.push(order);
    }
    assert_eq!(orders[0], orders[1], "the same seed");
    assert_ne!(orders[0], orders[2], "another one");
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_whoever_waits_up_to_the_bound() {
    let mailbox = MailboxOptions::bounded(2, WhenFull::Reject);
    let mut one = one(|child| child.backoff(backoff()), mailbox).await;
    one.crash().await;
    one.reader.rest();
    one.it.tell(Msg::Mark(1)).expect("there is room");
    one.it.tell(Msg::Mark(2)).expect("there is room");
    assert!(matches!(one.it.tell(Msg::Mark(3)), Err(TellError::Full(Msg::Mark(3)))));
    one.comes_up_after(SECOND).await;
    turns().await;
    assert_eq!(one.reader.rest(), ["it up", "it 1", "it 2"]);
}

/// As SUP-073 to SUP-075 say of a child whose restart failed.
#[tokio::test(start_paused = true)]
async fn whoever_waits_is_restarting_to_all_requests() {
    let mut one = one(|child| child.backoff(backoff()), MailboxOptions::default()).await;
    one.crash().await;
    let root = &one.root;
    assert_eq!(status(root, "it").await, "restarting");
    assert_eq!(root.count_children().await.expect("it lives").active, 0);
    assert_eq!(root.restart_child("it").await.map(drop), Err(RestartChildError::Restarting));
    assert!(root.delete_child("it").await.is_err());
    root.terminate_child("it").await.expect("it is there");
    assert_eq!(status(root, "it").await, "down");
    pass(MINUTE).await;
    assert!(!one.it.is_alive(), "its time starts nobody");
    assert!(root.restart_child("it").await.expect("it is down").is_some());
    one.crash().await;
    // A start by hand began anew.
    one.comes_up_after(SECOND).await;
    one.crash().await;
    // Nobody waits for it: hardly any virtual time passes.
    let ended = tokio::time::timeout(Duration::from_millis(1), async {
        turns().await;
        one.root.stop(ExitReason::Shutdown).await
    });
    assert_eq!(ended.await.expect("at once"), Ok(ExitReason::Shutdown));
}

/// anarlog#6870: a time that was set for an earlier life came when another child stood in its place.
#[tokio::test(start_paused = true)]
async fn the_time_of_an_earlier_wait_starts_nobody() {
    let (journal, mut reader) = journal();
    let system = watched(&journal);
    let (old, seat) = system.address();
    let of_old = journal.clone();
    let child = actor_in("it", seat, move || Puppet::new("old", &of_old)).backoff(backoff());
    let root = tolerant(one_for_one()).child(child).start(&system, "top").await.expect("starts");
    old.tell(crash()).expect("there is room");
    turns().await;
    root.terminate_child("it").await.expect("it is there");
    root.delete_child("it").await.expect("it is down");
    let new =
        root.start_child(puppet("it", &journal).backoff(Backoff::new(MINUTE, MINUTE, MINUTE).jitter(0.0)));
    let new = new.await.expect("its id is free").expect("it runs");
    reader.until("it up").await;
    new.kill();
    turns().await;
    assert_eq!(status(&root, "it").await, "restarting");
    pass(50 * SECOND).await;
    assert_eq!(status(&root, "it").await, "restarting", "the second is not brought back by the first's time");
    assert!(!old.is_alive());
    pass(10 * SECOND + COARSE).await;
    assert_eq!(status(&root, "it").await, "running");
}

/// akka#22688: a delay and a restart of the group cannot be had together there.
#[tokio::test(start_paused = true)]
async fn a_group_is_stopped_at_once_and_waits_as_one() {
    let (journal, mut reader) = journal();
    let system = system();
    let mut spec = tolerant(one_for_all());
    let mut all = Vec::new();
    for name in ["a", "b", "c"] {
        let (it, seat) = system.address();
        let journal = journal.clone();
        let child = actor_in(name, seat, move || Puppet::new(name, &journal).trapping());
        spec = spec.child(if name == "b" { child.backoff(backoff()) } else { child });
        all.push(it);
    }
    let root = spec.start(&system, "top").await.expect("starts");
    reader.expect(&["a up", "b up", "c up"]).await;
    all[1].tell(crash()).expect("there is room");
    reader.expect(&["c stopping shutdown", "a stopping shutdown"]).await;
    turns().await;
    for id in ["a", "b", "c"] {
        assert_eq!(status(&root, id).await, "restarting", "{id}");
    }
    // The group's old state is gone already: what is sent now is for the next.
    all[0].tell(Msg::Mark(1)).expect("there is room");
    root.terminate_child("c").await.expect("it is there");
    pass(SECOND - Duration::from_millis(1)).await;
    assert!(reader.rest().is_empty());
    pass(COARSE).await;
    assert_eq!(reader.rest(), ["a up", "a 1", "b up"], "in order, and without the one that was terminated");
    assert_eq!(status(&root, "c").await, "down");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_slowly_for_ever_is_told_of_in_the_end() {
    // Once a minute: no limit within 5 seconds ever sees it.
    let slow = |child: Child| child.limit_in_a_row(3, 120 * SECOND);
    let mut one = one(slow, MailboxOptions::default()).await;
    for _ in 0..3 {
        pass(MINUTE).await;
        one.crash().await;
        assert!(one.it.is_alive());
    }
    pass(120 * SECOND).await;
    for _ in 0..3 {
        one.crash().await;
        assert!(one.it.is_alive(), "a healthy life forgives all before it");
    }
    one.reader.rest();
    one.it.tell(crash()).expect("there is room");
    assert_eq!(one.root.ended().await, ExitReason::Shutdown);
    assert_eq!(one.reader.rest(), ["it: escalate 3/3"]);
}

/// actor-ts#917: five siblings that failed once each had used up one budget.
#[tokio::test(start_paused = true)]
async fn each_child_has_a_budget_of_its_own() {
    let (journal, mut reader) = journal();
    let system = watched(&journal);
    let mut spec = tolerant(one_for_one());
    let mut all = Vec::new();
    for name in ["a", "b", "c"] {
        let (it, seat) = system.address();
        let journal = journal.clone();
        let child = actor_in(name, seat, move || Puppet::new(name, &journal));
        spec = spec.child(child.limit(1, 10 * SECOND).when_exhausted(Exhausted::LeaveDown));
        all.push(it);
    }
    let root = spec.start(&system, "top").await.expect("starts");
    for it in &all {
        it.tell(crash()).expect("there is room");
        turns().await;
    }
    assert!(all.iter().all(Addr::is_alive));
    reader.rest();
    all[1].tell(crash()).expect("there is room");
    turns().await;
    assert_eq!(reader.rest(), ["b: give up on child 1/1"]);
    let b = root.which_child("b").await.expect("it is there");
    assert!(matches!(b.status, ChildStatus::Disabled));
    assert!(all[0].is_alive() && all[2].is_alive() && root.address().is_alive());
    assert_eq!(root.restart_child("b").await.map(drop), Err(RestartChildError::Disabled));
    assert!(root.enable_child("b").await.expect("it is disabled").is_some());
    all[1].tell(crash()).expect("there is room");
    turns().await;
    assert!(all[1].is_alive(), "its budget is whole again");
}

#[tokio::test(start_paused = true)]
async fn who_is_disabled_is_not_brought_back_by_its_group_and_who_is_terminated_is() {
    let (journal, mut reader) = journal();
    let system = system();
    let (a, seat) = system.address();
    let of_a = journal.clone();
    let root = tolerant(one_for_all())
        .child(actor_in("a", seat, move || Puppet::new("a", &of_a)))
        .child(puppet("b", &journal))
        .child(puppet("c", &journal))
        .child(puppet("d", &journal).restart(Restart::Temporary).disabled())
        .start(&system, "top")
        .await
        .expect("starts");
    reader.expect(&["a up", "b up", "c up"]).await;
    assert_eq!(status(&root, "d").await, "disabled", "from the beginning");
    root.disable_child("b").await.expect("it is there");
    root.disable_child("b").await.expect("twice is no error");
    root.terminate_child("c").await.expect("it is there");
    reader.rest();
    a.tell(crash()).expect("there is room");
    turns().await;
    assert_eq!(reader.rest(), ["a up", "c up"]);
    assert_eq!(root.enable_child("c").await.map(drop), Err(EnableChildError::NotDisabled));
    assert_eq!(root.enable_child("x").await.map(drop), Err(EnableChildError::NotFound));
    assert_eq!(root.disable_child("x").await, Err(DisableChildError::NotFound));
    assert!(root.enable_child("b").await.expect("it is disabled").is_some());
    assert!(root.enable_child("d").await.expect("it is disabled").is_some());
    reader.expect(&["b up", "d up"]).await;
    root.disable_child("d").await.expect("it is there");
    let gone = root.enable_child("d").await.map(drop);
    assert_eq!(gone, Err(EnableChildError::NotFound), "a temporary child that was up is forgotten");
    // One that is added disabled is not started either.
    let added = root.start_child(puppet("e", &journal).disabled()).await.expect("its id is free");
    assert!(added.is_none());
    a.tell(crash()).expect("there is room");
    turns().await;
    assert_eq!(reader.rest(), ["a up", "b up", "c up"]);
}

#[tokio::test(start_paused = true)]
async fn an_enabling_that_fails_leaves_the_child_disabled() {
    let system = system();
    let failing = actor("it", || Err::<Puppet, _>(ExitReason::other("no disk"))).disabled();
    let root = one_for_one().child(failing).start(&system, "top").await.expect("starts without it");
    let failed = root.enable_child("it").await.map(drop);
    assert_eq!(failed, Err(EnableChildError::Failed(ExitReason::other("no disk"))));
    assert_eq!(status(&root, "it").await, "disabled");
    root.stop(ExitReason::Normal).await.expect("it lives");
    assert_eq!(root.disable_child("it").await, Err(DisableChildError::Unavailable(Unavailable::NotThere)));
}

#[tokio::test(start_paused = true)]
async fn instances_wait_and_are_limited_each_by_itself() {
    let (journal, mut reader) = journal();
    let system = system();
    let of_instances = journal.clone();
    let sessions = template("session", move |name| Puppet::new(name, &of_instances))
        .backoff(backoff())
        .limit_in_a_row(1, MINUTE)
        .when_exhausted(Exhausted::LeaveDown);
    let pool: Pool<&'static str, Msg> =
        tolerant(dynamic(&sessions)).start(&system, "pool").await.expect("starts").pool(&sessions);
    let ada = pool.start("ada").await.expect("there is room").expect("it runs");
    let bob = pool.start("bob").await.expect("there is room").expect("it runs");
    ada.tell(crash()).expect("there is room");
    bob.tell(crash()).expect("there is room");
    turns().await;
    let counts = pool.root().count_children().await.expect("it lives");
    assert_eq!((counts.active, counts.workers), (0, 2), "they wait");
    pool.terminate(&bob).await.expect("it is a child");
    reader.rest();
    pass(SECOND + COARSE).await;
    assert_eq!(reader.rest(), ["ada up"]);
    ada.tell(crash()).expect("there is room");
    turns().await;
    let counts = pool.root().count_children().await.expect("it lives");
    assert_eq!(counts.workers, 0, "one that is left down leaves no trace");
    assert!(pool.root().address().is_alive());
    assert_eq!(pool.root().disable_child("session").await, Err(DisableChildError::Dynamic));
    assert_eq!(pool.root().enable_child("session").await.map(drop), Err(EnableChildError::Dynamic));
}

/// A budget of its own for each instance: one uses up its own and is left down, and the others keep theirs.
#[tokio::test(start_paused = true)]
async fn each_instance_has_a_budget_of_its_own() {
    let (journal, _reader) = journal();
    let system = system();
    let sessions = template("session", move |name| Puppet::new(name, &journal))
        .limit(1, MINUTE)
        .when_exhausted(Exhausted::LeaveDown);
    let pool: Pool<&'static str, Msg> =
        tolerant(dynamic(&sessions)).start(&system, "pool").await.expect("starts").pool(&sessions);
    let ada = pool.start("ada").await.expect("there is room").expect("it runs");
    let bob = pool.start("bob").await.expect("there is room").expect("it runs");
    for (who, lives) in [(&ada, true), (&bob, true), (&ada, false)] {
        who.tell(crash()).expect("there is room");
        turns().await;
        assert_eq!(who.is_alive(), lives);
    }
    pass(MINUTE + COARSE).await;
    bob.tell(crash()).expect("there is room");
    turns().await;
    assert!(bob.is_alive() && pool.root().address().is_alive(), "within a period");
}

/// It is not an error if there is nothing to run; and whoever is disabled is so in explanations too.
#[tokio::test(start_paused = true)]
async fn an_enabling_may_find_nothing_to_run() {
    let system = system();
    let nothing = actor("it", || None::<Puppet>).disabled();
    let root = one_for_one().child(nothing).start(&system, "top").await.expect("starts without it");
    let explained = || async { root.explain().await.expect("it lives").to_string() };
    assert!(explained().await.contains("disabled"), "{}", explained().await);
    assert!(root.enable_child("it").await.expect("it is disabled").is_none());
    assert_eq!(status(&root, "it").await, "down");
    assert!(!explained().await.contains("disabled"), "{}", explained().await);
    root.disable_child("it").await.expect("it is there");
    assert!(explained().await.contains("disabled"), "{}", explained().await);
}

/// What all children of a supervisor are given, those that are added later among them.
#[tokio::test(start_paused = true)]
async fn a_backoff_of_the_supervisor_s_is_for_all_who_have_none() {
    let (journal, _reader) = journal();
    let system = system();
    let own = Backoff::new(3 * SECOND, 3 * SECOND, MINUTE);
    let root = tolerant(one_for_one())
        .backoff(backoff())
        .child(puppet("a", &journal))
        .child(puppet("b", &journal).backoff(own))
        .start(&system, "top")
        .await
        .expect("starts");
    root.start_child(puppet("c", &journal)).await.expect("its id is free");
    for (id, expected) in [("a", backoff()), ("b", own), ("c", backoff())] {
        let spec = root.child_spec(id).await.expect("it is there");
        assert_eq!(spec.policy.and_then(|policy| policy.backoff), Some(expected), "{id}");
    }
}

#[test]
fn specifications_that_make_no_sense_are_refused_before_anything_starts() {
    type Row = (fn() -> Spec, &'static str);
    let rows: &[Row] = &[
        (
            || one_for_one().child(idle().backoff(Backoff::new(2 * SECOND, SECOND, MINUTE))),
            "its cap is below",
        ),
        (
            || one_for_one().child(idle().backoff(Backoff::new(SECOND, SECOND, Duration::ZERO))),
            "its reset time",
        ),
        (|| one_for_one().child(idle().backoff(backoff().factor(0.5))), "its factor is below 1"),
        (|| one_for_one().child(idle().backoff(backoff().jitter(1.5))), "its jitter is not between"),
        (|| one_for_one().backoff(Backoff::new(Duration::ZERO, SECOND, MINUTE)), "its first delay is zero"),
        (|| one_for_one().child(idle().limit(1, Duration::ZERO)), "the period of the own limit"),
        (|| one_for_one().child(idle().limit_in_a_row(1, Duration::ZERO)), "how long a healthy life lasts"),
        (|| one_for_one().child(idle().when_exhausted(Exhausted::LeaveDown)), "but has none"),
        (|| one_for_one().child(idle().restart(Restart::Temporary).backoff(backoff())), "never restarted"),
    ];
    for (spec, says) in rows {
        let error = spec().check().expect_err("it makes no sense");
        assert!(error.to_string().contains(says), "{error}");
    }
    let error = one_for_one().child(idle().restart(Restart::Temporary).limit(1, SECOND)).check();
    let cause = SpecError::RestartsOfTemporary("idle".into());
    assert_eq!(error, Err(TreeError::Spec { supervisor: String::new(), cause }));
}

fn idle() -> Child {
    task("idle", std::future::pending::<()>)
}
