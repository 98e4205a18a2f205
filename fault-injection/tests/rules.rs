//! The forms of rules on a live system, under tokio's paused clock: slow faults, rules in time, and turns; and a crash
//! without a rule. Time passes only when everybody waits, so every moment below is exact.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder::prelude::*;
use minder::{Event, Observer};
use minder_fault_injection::{Injector, Kind, Plan, Receipt, Rule, fault, slow};
use minder_runtime::hooks::Target;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Notes when each message was handled, in milliseconds, and reminds itself of the next one.
struct Worker {
    pace: Option<Duration>,
    handled: Arc<Mutex<Vec<u64>>>,
}

struct Work;

impl Actor for Worker {
    type Msg = Work;

    async fn started(&mut self, context: &mut Context<Work>) -> Handled {
        if self.pace.is_some() {
            context.tell_self(Work);
        }
        Ok(())
    }

    async fn handle(&mut self, _: Work, context: &mut Context<Work>) -> Handled {
        self.handled.lock().expect("nobody panics with it").push(ms(context.now().since_start()));
        if let Some(pace) = self.pace {
            context.send_after(pace, Work);
        }
        Ok(())
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("tests are short")
}

/// Notes the abnormal exits: when, and who.
#[derive(Default)]
struct Exits(Mutex<Vec<String>>);

impl Observer for Exits {
    fn event(&self, event: &Event<'_>) {
        if let Event::Exited { path, reason, .. } = event
            && reason.is_abnormal()
        {
            self.0.lock().expect("nobody panics with it").push(format!("{path}: {reason}"));
        }
    }
}

/// What came of a plan.
struct Outcome {
    receipts: Vec<Receipt>,
    /// When `busy` handled its messages.
    handled: Vec<u64>,
    exits: Vec<String>,
}

impl Outcome {
    fn texts(&self) -> Vec<String> {
        self.receipts.iter().map(ToString::to_string).collect()
    }

    fn paths(&self) -> Vec<&str> {
        self.receipts.iter().map(|receipt| &*receipt.path).collect()
    }
}

/// A tree `demo` with the workers `busy`, which has a message each 10 ms, and `idle`, which has none, under a plan for
/// so long.
async fn run(plan: Plan, time: Duration, handler_limit: Duration) -> Outcome {
    let exits = Arc::new(Exits::default());
    let system = System::builder().seed(1).observer(exits.clone()).build().expect("there is a runtime");
    let handled = Arc::new(Mutex::new(Vec::new()));
    let worker = |name: &str, pace: Option<Duration>| {
        let handled = if pace.is_some() { handled.clone() } else { Arc::default() };
        actor(name, move || Worker { pace, handled: handled.clone() }).handler_limit(handler_limit)
    };
    let tree = one_for_one()
        .limit(1_000, SECOND)
        .child(worker("busy", Some(10 * MS)))
        .child(tree("group", one_for_one().limit(1_000, SECOND).child(worker("idle", None))));
    let injector = Injector::arm(plan, &system).expect("the plan makes sense");
    drop(tree.start(&system, "demo").await.expect("it starts"));
    // Virtual time, which passes while nobody has anything to do.
    let waited = tokio::time::timeout(time, std::future::pending::<()>()).await;
    assert!(waited.is_err(), "nothing ends what is pending");
    injector.disarm();
    let handled = handled.lock().expect("nobody panics with it").clone();
    let exits = exits.0.lock().expect("nobody panics with it").clone();
    Outcome { receipts: injector.receipts(), handled, exits }
}

fn in_turn(kind: Kind) -> Rule {
    fault(kind).on("demo/**").in_turn(SECOND)
}

#[tokio::test(start_paused = true)]
async fn a_slow_fault_delays_the_message_and_nothing_else() {
    let plan = Plan::seeded(1).with(slow(500 * MS).on("demo/busy").nth(2));
    let outcome = run(plan, SECOND, 10 * SECOND).await;
    assert_eq!(outcome.exits, Vec::<String>::new());
    assert_eq!(outcome.texts().len(), 1, "{:?}", outcome.texts());
    assert!(outcome.texts()[0].starts_with("slow message 2 of demo/busy"), "{:?}", outcome.texts());
    assert_eq!(outcome.handled[0], 0);
    assert!((510..530).contains(&outcome.handled[1]), "{:?}", outcome.handled);
    assert!(outcome.handled[2] < 550, "{:?}", outcome.handled);
}

#[tokio::test(start_paused = true)]
async fn what_is_slower_than_its_limit_is_killed_for_it() {
    let plan = Plan::seeded(1).with(slow(500 * MS).on("demo/busy").nth(2));
    let outcome = run(plan, SECOND, 100 * MS).await;
    assert_eq!(outcome.exits.len(), 1, "{:?}", outcome.exits);
    assert!(outcome.exits[0].starts_with("demo/busy: "), "{:?}", outcome.exits);
    assert_eq!(outcome.receipts[0].kind, Kind::Slow);
    let gap = outcome.handled[1] - outcome.handled[0];
    assert!((100..150).contains(&gap), "it goes on once it was restarted: {:?}", outcome.handled);
}

#[tokio::test(start_paused = true)]
async fn in_each_period_the_next_of_all_actors_is_killed_idle_or_not() {
    let outcome = run(Plan::seeded(1).with(in_turn(Kind::Kill)), 8_900 * MS, 10 * SECOND).await;
    let round = ["demo", "demo/busy", "demo/group", "demo/group/idle"];
    // The root is dead after the first one: nobody restarts it here, so let it have its turn last.
    assert_eq!(outcome.paths(), round[..1], "{:?}", outcome.texts());
    assert!(!outcome.receipts[0].in_hand && outcome.texts()[0].ends_with(", idle"), "{:?}", outcome.texts());

    let below = fault(Kind::Kill).on("demo/*/**").in_turn(SECOND);
    let outcome = run(Plan::seeded(1).with(below), 6_900 * MS, 10 * SECOND).await;
    let twice: Vec<&str> = [&round[1..], &round[1..]].concat();
    assert_eq!(outcome.paths(), [&twice[..], &["demo/busy"]].concat()[..6], "{:?}", outcome.texts());
    let in_hand: Vec<bool> = outcome.receipts.iter().map(|receipt| receipt.in_hand).collect();
    assert_eq!(in_hand, [true, false, false, true, false, false], "only `busy` has work");
    // With the group its worker goes; and each that was killed came back to be killed again.
    assert_eq!(outcome.exits.len(), 6 + 2, "{:?}", outcome.exits);
}

#[tokio::test(start_paused = true)]
async fn another_kind_passes_over_who_is_idle() {
    let plan = Plan::seeded(1).with(in_turn(Kind::PanicBefore).after(2 * SECOND).limit(3));
    let outcome = run(plan, 9_900 * MS, 10 * SECOND).await;
    // Turn by turn: `demo` hears of nobody's end and is passed over for `busy`; the group and its worker pass as well.
    assert!(outcome.receipts.iter().all(|receipt| receipt.in_hand), "{:?}", outcome.texts());
    assert_eq!(outcome.receipts.len(), 3, "the limit: {:?}", outcome.texts());
    assert_eq!(outcome.paths()[0], "demo/busy", "{:?}", outcome.texts());
    assert!(outcome.receipts[0].nth >= 200, "after two seconds: {:?}", outcome.texts());
}

#[tokio::test(start_paused = true)]
async fn rules_in_time_strike_about_so_often() {
    let rule = fault(Kind::Error).on("demo/busy").interval(100 * MS).after(SECOND);
    let plan = Plan::seeded(1).with(rule);
    let outcome = run(plan.clone(), 5_000 * MS, 10 * SECOND).await;
    assert!((25..=60).contains(&outcome.receipts.len()), "{:?}", outcome.texts());
    assert!(outcome.receipts[0].nth >= 60, "about a hundred in the first second: {:?}", outcome.texts());
    let again = run(plan, 5_000 * MS, 10 * SECOND).await;
    assert_eq!(outcome.texts(), again.texts(), "the same seed and the same clock");
}

#[tokio::test(start_paused = true)]
async fn equal_seeds_make_equal_runs_and_others_do_not() {
    let plan = |seed| {
        let rules = Kind::ALL.map(|kind| fault(kind).on("demo/busy").every(50).limit(4));
        Plan::seeded(seed).with_all(rules).with(fault(Kind::Kill).on("demo/busy").chance(0.01))
    };
    let limit = 50 * MS;
    let (a, b) = (run(plan(5), 20 * SECOND, limit).await, run(plan(5), 20 * SECOND, limit).await);
    assert!(a.receipts.len() >= 25, "{:?}", a.texts());
    assert_eq!(a.texts(), b.texts());
    assert_ne!(a.texts(), run(plan(6), 20 * SECOND, limit).await.texts());
}

#[tokio::test(start_paused = true)]
async fn messages_are_told_apart_by_their_type() {
    let rows = [("Work", 1), ("rules::*", 1), ("*Msg", 0), ("Wor", 0)];
    for (message, struck) in rows {
        let plan = Plan::seeded(1).with(fault(Kind::Error).on("demo/**").message(message).nth(3));
        let outcome = run(plan, SECOND, SECOND).await;
        assert_eq!(outcome.receipts.len(), struck, "{message}: {:?}", outcome.texts());
    }
}

#[tokio::test(start_paused = true)]
async fn an_actor_can_be_crashed_without_a_message() {
    let system = System::new().expect("inside a runtime");
    let handled = Arc::new(Mutex::new(Vec::new()));
    let (worker, seat) = system.address();
    let its = handled.clone();
    let make = move || Worker { pace: None, handled: its.clone() };
    let tree = one_for_one().limit(5, SECOND).child(actor_in("worker", seat, make));
    tree.start(&system, "demo").await.expect("it starts");
    for life in 1..4 {
        let target = Target::at(&worker);
        assert_eq!((target.id().incarnation(), target.is_alive()), (life, true));
        assert!(target.crash("for once"));
        while worker.id() == target.id() || !worker.is_alive() {
            tokio::task::yield_now().await;
        }
        assert!(!target.is_alive() && !target.crash("twice"), "it has ended already");
    }
    worker.send(Work).await.expect("the address is still good");
    while worker.queued() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(handled.lock().expect("nobody panics with it").len(), 1);
}
