//! The last good state: what a new life begins with, row by row; then random lives against a plain number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minder::prelude::*;
use minder::state::last_good;
use minder::{Down, Winding};
use minder_fault_injection::testkit::Kit;

use crate::support::{Journal, SECOND, journal};

/// Adds up, and says what its hooks see. A sum of 13 is poison: whatever it gets then crashes it.
#[derive(Clone)]
struct Sum {
    sum: u64,
    /// How often a state has been started.
    starts: u32,
    journal: Journal,
    made: Arc<AtomicU64>,
}

enum Msg {
    Add(u64),
    Read(Reply<(u64, u32)>),
    AddAndPanic(u64),
    AddAndFail(u64),
    /// Adds, and waits for so long before it adds as much again.
    AddAndNap(u64, std::time::Duration),
    AddAndStop(u64, ExitReason),
    /// Handled twice it adds twice: that is seen.
    Idempotent(u64, bool),
    Watch(Addr<()>),
    Trap,
}

impl Actor for Sum {
    type Msg = Msg;

    async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
        self.starts += 1;
        if self.sum == 99 {
            return Err(ExitReason::other("it cannot start like this"));
        }
        self.journal.note(format!("started with {} in life {}", self.sum, context.id().incarnation()));
        Ok(())
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        assert!(self.sum != 13, "poisoned");
        match message {
            Msg::Add(n) => self.sum += n,
            Msg::Read(reply) => drop(reply.send((self.sum, self.starts))),
            Msg::AddAndPanic(n) => {
                self.sum += n;
                panic!("boom");
            }
            Msg::AddAndFail(n) => {
                self.sum += n;
                return Err(ExitReason::other("failed"));
            }
            Msg::AddAndNap(n, time) => {
                self.sum += n;
                context.sleep(time).await;
                self.sum += n;
            }
            Msg::AddAndStop(n, reason) => {
                self.sum += n;
                context.stop(reason);
            }
            Msg::Idempotent(n, crash) => {
                self.sum += n;
                assert!(!crash || context.attempt() > 1, "the first time");
            }
            Msg::Watch(other) => drop(context.monitor(&other)),
            Msg::Trap => drop(context.trap_exit(true)),
        }
        Ok(())
    }

    fn redelivery(message: &Msg) -> Option<Msg> {
        match message {
            Msg::Idempotent(n, crash) => Some(Msg::Idempotent(*n, *crash)),
            _ => None,
        }
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<Msg>) -> Handled {
        let Notice::Down(Down { reason, .. }) = notice else { return Ok(()) };
        self.sum += 1000;
        assert!(!reason.is_abnormal(), "a down that crashes it");
        Ok(())
    }

    fn stop_requested(&mut self, _: &ExitReason, context: &mut Context<Msg>) -> Winding {
        self.journal.note(format!("asked to stop with {}", self.sum));
        context.stop(ExitReason::Shutdown);
        Winding::Later
    }

    async fn stopping(&mut self, reason: &ExitReason, _: &mut Context<Msg>) {
        self.journal.note(format!("stopping with {}: {reason}", self.sum));
    }
}

fn factory(journal: &Journal) -> impl Fn() -> Sum + Clone + Send + Sync + 'static {
    let (journal, made) = (journal.clone(), Arc::<AtomicU64>::default());
    move || {
        made.fetch_add(1, Ordering::Relaxed);
        Sum { sum: 0, starts: 0, journal: journal.clone(), made: made.clone() }
    }
}

async fn read(it: &Addr<Msg>) -> u64 {
    it.ask(Msg::Read).await.expect("somebody lives there, or will").0
}

type Row = (&'static str, fn() -> Vec<Msg>, u64);

/// What is sent, and what the life after it has summed up.
const ROWS: &[Row] = &[
    ("a panic", || vec![Msg::Add(5), Msg::AddAndPanic(1)], 5),
    ("an error", || vec![Msg::Add(5), Msg::AddAndFail(1)], 5),
    ("panics in a row", || vec![Msg::Add(5), Msg::AddAndPanic(1), Msg::Add(2), Msg::AddAndPanic(1)], 7),
    ("nothing handled before", || vec![Msg::AddAndPanic(1)], 0),
    ("what waits is handled by the next life", || vec![Msg::Add(5), Msg::AddAndPanic(1), Msg::Add(2)], 7),
    ("an abnormal end after a message", || vec![Msg::Add(5), Msg::AddAndStop(1, ExitReason::other("x"))], 6),
    ("a normal end", || vec![Msg::Add(5), Msg::AddAndStop(1, ExitReason::Normal)], 0),
    ("a shutdown", || vec![Msg::Add(5), Msg::AddAndStop(1, ExitReason::Shutdown)], 0),
    (
        "an idempotent message is handled on the state before it",
        || vec![Msg::Add(5), Msg::Idempotent(2, true)],
        7,
    ),
    ("a limit at an await", || vec![Msg::Add(5), Msg::AddAndNap(1, 3 * SECOND)], 5),
    ("within its limit", || vec![Msg::Add(5), Msg::AddAndNap(1, SECOND)], 7),
];

#[minder_fault_injection::test(seeds = 10)]
async fn what_the_next_life_begins_with(kit: Kit) {
    for (number, (case, messages, expected)) in ROWS.iter().enumerate() {
        let (it, seat) = kit.address();
        let child = actor_in("it", seat, last_good(factory(&journal().0))).handler_limit(2 * SECOND);
        kit.start_as(&format!("row-{number}"), one_for_one().limit(100, SECOND).child(child)).await;
        for message in messages() {
            it.tell(message).expect("there is room");
        }
        kit.advance(5 * SECOND).await;
        assert_eq!(read(&it).await, *expected, "{case}");
    }
}

#[minder_fault_injection::test(seeds = 50)]
async fn it_is_killed_and_crashed_anywhere(kit: Kit) {
    let it = kit.supervise("it", last_good(factory(&journal().0))).await;
    it.tell(Msg::Add(5)).expect("there is room");
    kit.settle().await;
    kit.crash(&it).await;
    assert_eq!(read(&it).await, 5, "between two messages");
    kit.kill(&it).await;
    kit.kill(&it).await;
    assert_eq!(read(&it).await, 5, "killed, idle, twice");
    it.tell(Msg::AddAndNap(1, SECOND)).expect("there is room");
    kit.settle().await;
    kit.kill(&it).await;
    assert_eq!(read(&it).await, 5, "killed at an await");
    it.tell(Msg::AddAndNap(1, SECOND)).expect("there is room");
    kit.settle().await;
    kit.crash(&it).await;
    assert_eq!(read(&it).await, 5, "crashed at an await");
}

#[minder_fault_injection::test]
async fn a_notice_is_a_message(kit: Kit) {
    let it = kit.supervise("it", last_good(factory(&journal().0))).await;
    for (reason, expected) in [(ExitReason::Normal, 1001), (ExitReason::other("x"), 1001)] {
        let other = kit.probe::<()>("other").await;
        it.tell(Msg::Add(u64::from(reason.is_normal()))).expect("there is room");
        it.tell(Msg::Watch(other.address().clone())).expect("there is room");
        kit.settle().await;
        other.ends(reason).await;
        assert_eq!(read(&it).await, expected);
    }
    assert_eq!(kit.generation(&it), 2);
}

#[minder_fault_injection::test(seeds = 20)]
async fn a_poisoned_state_is_given_up(kit: Kit) {
    let (journal, mut told) = journal();
    let it = kit.supervise("it", last_good(factory(&journal))).await;
    it.tell(Msg::Add(13)).expect("there is room");
    // The first finds it poisoned and crashes the life that made it so, the next two crash the two that began so.
    for _ in 0..3 {
        it.tell(Msg::Add(1)).expect("there is room");
    }
    assert_eq!(read(&it).await, 0);
    let starts = ["0 in life 1", "13 in life 2", "13 in life 3", "0 in life 4"];
    assert_eq!(told.rest(), starts.map(|start| format!("started with {start}")));
    it.tell(Msg::Add(7)).expect("there is room");
    it.tell(Msg::AddAndPanic(1)).expect("there is room");
    assert_eq!(read(&it).await, 7, "the clean life's own state is kept as ever");
}

#[minder_fault_injection::test]
async fn a_state_that_cannot_start_is_given_up(kit: Kit) {
    let it = kit.supervise("it", last_good(factory(&journal().0))).await;
    it.tell(Msg::Add(99)).expect("there is room");
    it.tell(Msg::AddAndPanic(1)).expect("there is room");
    assert_eq!(read(&it).await, 0);
    assert_eq!(kit.generation(&it), 4, "two starts fail");
}

#[minder_fault_injection::test]
async fn one_death_in_vain_and_a_good_message_are_no_two_deaths(kit: Kit) {
    let it = kit.supervise("it", last_good(factory(&journal().0))).await;
    it.tell(Msg::Add(5)).expect("there is room");
    kit.settle().await;
    for _ in 0..5 {
        kit.crash(&it).await;
        kit.crash(&it).await;
        assert_eq!(read(&it).await, 5);
    }
    kit.crash(&it).await;
    kit.crash(&it).await;
    kit.crash(&it).await;
    assert_eq!(read(&it).await, 0, "two lives have begun with it in vain");
}

/// `started` runs on a restored state, and what it changes does not pile up while lives die young.
#[minder_fault_injection::test]
async fn a_restored_state_is_started_once(kit: Kit) {
    let it = kit.supervise("it", last_good(factory(&journal().0))).await;
    it.tell(Msg::Add(5)).expect("there is room");
    kit.settle().await;
    kit.crash(&it).await;
    kit.crash(&it).await;
    let (sum, starts) = it.ask(Msg::Read).await.expect("it lives");
    assert_eq!((sum, starts), (5, 2), "the first life's start, and that of this one");
}

#[minder_fault_injection::test(seeds = 10)]
async fn a_group_and_a_new_supervisor_begin_anew(kit: Kit) {
    let notes = journal().0;
    let (grouped, grouped_seat) = kit.address();
    let (outside, outside_seat) = kit.address();
    let group = one_for_all()
        .limit(100, SECOND)
        .child(actor_in("grouped", grouped_seat, last_good(factory(&notes))))
        .child(actor("other", last_good(factory(&notes))));
    let below = one_for_one().limit(100, SECOND);
    let below = below.child(actor_in("outside", outside_seat, last_good(factory(&notes))));
    let spec = one_for_one().limit(100, SECOND);
    kit.start(spec.child(tree("group", group)).child(tree("below", below))).await;
    for it in [&grouped, &outside] {
        it.tell(Msg::Add(5)).expect("there is room");
    }
    kit.settle().await;
    kit.crash("other").await;
    assert_eq!(read(&grouped).await, 0, "a group's restart means that no member's state fits any more");
    kit.crash(&outside).await;
    assert_eq!(read(&outside).await, 5);
    kit.crash("below").await;
    assert_eq!(read(&outside).await, 0, "a supervisor that begins anew begins with nothing");
}

#[minder_fault_injection::test]
async fn one_factory_for_two_children_keeps_two_states(kit: Kit) {
    let make = last_good(factory(&journal().0));
    let (one, two) = (kit.supervise("one", make.clone()).await, kit.supervise("two", make).await);
    one.tell(Msg::Add(1)).expect("there is room");
    two.tell(Msg::Add(2)).expect("there is room");
    kit.settle().await;
    kit.crash(&one).await;
    kit.crash(&two).await;
    assert_eq!((read(&one).await, read(&two).await), (1, 2));
}

#[minder_fault_injection::test]
async fn its_hooks_are_the_actors(kit: Kit) {
    let (journal, mut told) = journal();
    let root = kit.start(one_for_one().child(actor("it", last_good(factory(&journal))))).await;
    assert_eq!(told.rest(), ["started with 0 in life 1"]);
    drop(root);
    kit.shutdown().await;
    assert_eq!(told.rest(), Vec::<String>::new(), "it does not trap exits");
}

#[minder_fault_injection::test]
async fn a_stop_is_asked_for_and_cleaned_up_after(kit: Kit) {
    let (journal, mut told) = journal();
    let it = kit.supervise("it", last_good(factory(&journal))).await;
    it.tell(Msg::Trap).expect("there is room");
    it.tell(Msg::Add(3)).expect("there is room");
    kit.settle().await;
    kit.shutdown().await;
    let lines = ["started with 0 in life 1", "asked to stop with 3", "stopping with 3: shutdown"];
    assert_eq!(told.rest(), lines);
}

/// A factory that fails is a failed start, as without the wrapper.
#[minder_fault_injection::test]
async fn a_factory_may_fail(kit: Kit) {
    let notes = journal().0;
    let make = last_good(move || match factory(&notes)() {
        sum if sum.made.load(Ordering::Relaxed) > 1 => Ok(sum),
        _ => Err(ExitReason::other("no")),
    });
    let started = one_for_one().child(actor("it", make)).start(kit.system(), "fails").await;
    assert!(started.expect_err("the factory fails").to_string().contains("no"));
}

/// Random messages, crashes and kills, against a number that knows only of what was handled to its end.
#[minder_fault_injection::test(seeds = 300)]
async fn random_lives_agree_with_a_plain_number(kit: Kit) {
    let it = kit.supervise("it", last_good(factory(&journal().0))).await;
    // What the seat keeps; whether this life has handled something; lives that began with it and died in vain.
    let (mut state, mut proven, mut restored, mut deaths) = (0_u64, false, false, 0);
    for _ in 0..40 {
        let n = kit.random() % 10 * 100;
        let mut died = true;
        match kit.random() % 8 {
            0..3 => {
                it.tell(Msg::Add(n)).expect("there is room");
                (state, proven, died) = (state + n, true, false);
            }
            3 => it.tell(Msg::AddAndPanic(n)).expect("there is room"),
            4 => it.tell(Msg::AddAndFail(n)).expect("there is room"),
            5 => {
                it.tell(Msg::AddAndNap(n, SECOND)).expect("there is room");
                kit.settle().await;
                match kit.random() % 3 {
                    0 => kit.kill(&it).await,
                    1 => kit.crash(&it).await,
                    _ => {
                        kit.advance(2 * SECOND).await;
                        (state, proven, died) = (state + 2 * n, true, false);
                    }
                }
            }
            6 => kit.crash(&it).await,
            _ => kit.kill(&it).await,
        }
        kit.settle().await;
        if died {
            deaths = if restored && !proven { deaths + 1 } else { 0 };
            if deaths == 2 {
                (state, deaths, proven) = (0, 0, false);
                restored = false;
            } else {
                restored |= proven;
                proven = false;
            }
        }
        if kit.random().is_multiple_of(3) {
            assert_eq!(read(&it).await, state, "{}", kit.story(20));
            proven = true;
        }
    }
}
