//! Postponed messages: out of the way, and otherwise as queued as ever, whatever happens to their actor.

use std::sync::Arc;
use std::time::Duration;

use minder::prelude::*;
use minder::{MailboxOptions, Postponed, Queued, WhenFull};

use crate::support::*;

/// Postpones work while it is shut.
struct Gate {
    journal: Journal,
    open: bool,
    later: Vec<Postponed>,
}

#[derive(Debug)]
enum Msg {
    Work(u32),
    /// Work that may be done again.
    Twice(u32),
    /// The same, and its first delivery crashes the actor.
    Rough(u32),
    Ask(u32, Reply<u32>),
    /// Postponed, and then the actor crashes.
    Fatal(u32),
    /// Everything that was postponed is retried, in order, from now on or just once.
    Open,
    Ajar,
    /// As `Ajar`, and the actor ends in the same breath.
    AjarAndStop,
    Next(u32),
    Crash,
}

impl Gate {
    fn later(&mut self, message: Msg, context: &mut Context<Msg>) {
        self.later.push(context.postpone(message));
    }

    fn retry_all(&mut self, context: &mut Context<Msg>) {
        for postponed in std::mem::take(&mut self.later) {
            if !context.retry(postponed) {
                self.journal.note("skipped");
            }
        }
    }
}

impl Actor for Gate {
    type Msg = Msg;

    fn redelivery(message: &Msg) -> Option<Msg> {
        match message {
            Msg::Twice(number) => Some(Msg::Twice(*number)),
            Msg::Rough(number) => Some(Msg::Rough(*number)),
            _ => None,
        }
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Open => {
                self.open = true;
                self.retry_all(context);
            }
            Msg::Ajar => self.retry_all(context),
            Msg::AjarAndStop => {
                self.retry_all(context);
                context.tell_self_next(Msg::Next(0));
                context.stop(ExitReason::Normal);
            }
            Msg::Rough(_) if context.attempt() == 1 => panic!("boom"),
            Msg::Crash => panic!("boom"),
            Msg::Fatal(_) if context.id().incarnation() == 1 => {
                self.later(message, context);
                panic!("boom");
            }
            Msg::Next(number) => {
                self.journal.note(format!("next {number}"));
                if number > 1 {
                    context.tell_self_next(Msg::Next(number - 1));
                }
            }
            shut if !self.open => self.later(shut, context),
            Msg::Work(number) | Msg::Twice(number) | Msg::Rough(number) | Msg::Fatal(number) => {
                self.journal.note(format!("{number}/{}", context.attempt()));
            }
            Msg::Ask(number, reply) => {
                self.journal.note(format!("ask {number}"));
                let _ = reply.send(number);
            }
        }
        Ok(())
    }
}

struct Scene {
    system: System,
    gate: Addr<Msg>,
    reader: Reader,
}

impl Scene {
    async fn new(options: MailboxOptions, queued: Queued, spec: Spec) -> Self {
        let system = system();
        let (journal, reader) = journal();
        let (gate, seat) = system.address_with(options);
        let make = move || Gate { journal: journal.clone(), open: false, later: Vec::new() };
        let tree = tolerant(spec).child(actor_in("gate", seat, make).queued(queued));
        tree.start(&system, "top").await.expect("starts");
        Self { system, gate, reader }
    }

    async fn kept() -> Self {
        Self::new(MailboxOptions::default(), Queued::Keep, one_for_one()).await
    }

    fn tell(&self, messages: impl IntoIterator<Item = Msg>) {
        for message in messages {
            self.gate.tell(message).expect("there is room");
        }
    }

    /// Everything that is ready has run, and every message is accounted for.
    async fn lines(&mut self) -> Vec<String> {
        turns().await;
        let statistics = self.gate.statistics();
        assert!(statistics.is_conserved(), "{statistics:?}");
        self.reader.rest()
    }

    fn ask(&self, number: u32, within: Duration) -> tokio::task::JoinHandle<Result<u32, AskError<Msg>>> {
        let gate = self.gate.clone();
        aside(async move { gate.ask_within(within, |reply| Msg::Ask(number, reply)).await })
    }
}

#[tokio::test(start_paused = true)]
async fn retried_before_everything_in_the_lane_in_the_order_of_retrying() {
    let mut scene = Scene::kept().await;
    scene.tell([Msg::Work(1), Msg::Twice(2), Msg::Work(3), Msg::Open, Msg::Work(4)]);
    assert_eq!(scene.lines().await, ["1/1", "2/1", "3/1", "4/1"]);
    let counts = scene.gate.statistics();
    assert_eq!((counts.accepted, counts.handled, counts.queued), (5, 5, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_postponed_is_queued() {
    let mut scene = Scene::kept().await;
    scene.tell([Msg::Work(1), Msg::Work(2), Msg::Ajar, Msg::Ajar]);
    assert_eq!(scene.lines().await, [""; 0]);
    let counts = scene.gate.statistics();
    assert_eq!((counts.accepted, counts.handled, counts.queued), (4, 2, 2));
    assert_eq!(scene.gate.queued(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_postponed_counts_against_the_bound() {
    let bound = MailboxOptions::bounded(2, WhenFull::Reject);
    let mut scene = Scene::new(bound, Queued::Keep, one_for_one()).await;
    scene.tell([Msg::Work(1), Msg::Work(2)]);
    assert_eq!(scene.lines().await, [""; 0]);
    assert!(matches!(scene.gate.tell(Msg::Work(3)), Err(TellError::Full(Msg::Work(3)))));
    assert!(matches!(scene.gate.ask(|reply| Msg::Ask(4, reply)).await, Err(AskError::Full(_))));
}

#[tokio::test(start_paused = true)]
async fn where_the_oldest_makes_room_it_does_so_out_of_what_is_postponed() {
    let bound = MailboxOptions::bounded(2, WhenFull::DropOldest);
    let mut scene = Scene::new(bound, Queued::Keep, one_for_one()).await;
    for number in 1..=5 {
        scene.tell([Msg::Work(number)]);
        assert_eq!(scene.lines().await, [""; 0]);
        assert!(scene.gate.queued() <= 2);
    }
    scene.tell([Msg::Open]);
    assert_eq!(scene.lines().await, ["skipped", "skipped", "skipped", "4/1", "5/1"]);
    assert_eq!(scene.gate.statistics().dropped, 3);
}

#[tokio::test(start_paused = true)]
async fn a_question_waits_for_its_answer_and_is_skipped_when_its_asker_is_gone() {
    let mut scene = Scene::kept().await;
    let answered = scene.ask(1, SECOND);
    turns().await;
    let turned_away = scene.ask(2, SECOND);
    turns().await;
    let late = scene.ask(3, Duration::from_millis(100));
    turns().await;
    turned_away.abort();
    pass(Duration::from_millis(200)).await;
    assert!(matches!(late.await.expect("runs"), Err(AskError::TimedOut)));
    scene.tell([Msg::Open]);
    assert_eq!(scene.lines().await, ["skipped", "skipped", "ask 1"]);
    assert_eq!(answered.await.expect("runs").ok(), Some(1));
    let counts = scene.gate.statistics();
    assert_eq!((counts.skipped, counts.expired, counts.handled), (1, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn the_next_life_gets_it_first_and_in_order() {
    let rows: [(&str, Vec<Msg>); 4] = [
        ("a crash", vec![Msg::Crash]),
        ("some were on their way back in", vec![Msg::AjarAndStop]),
        ("some were postponed again", vec![Msg::Ajar, Msg::Crash]),
        ("postponed by the handler that crashed", vec![Msg::Fatal(9)]),
    ];
    for (case, end) in rows {
        let mut scene = Scene::kept().await;
        scene.tell([Msg::Work(1), Msg::Twice(2)]);
        let asked = scene.ask(3, SECOND);
        turns().await;
        let fatal = matches!(end[0], Msg::Fatal(_));
        scene.tell(end);
        scene.tell([Msg::Work(4)]);
        pass(Duration::from_millis(100)).await;
        assert_eq!(scene.lines().await, [""; 0], "{case}");
        assert_eq!(scene.gate.id().incarnation(), 2, "{case}");
        scene.tell([Msg::Open]);
        let mut expected = vec!["1/1", "2/1", "ask 3"];
        expected.extend(fatal.then_some("9/1"));
        expected.push("4/1");
        assert_eq!(scene.lines().await, expected, "{case}");
        assert_eq!(asked.await.expect("runs").ok(), Some(3), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn purged_where_the_queue_is() {
    type Row = (&'static str, Queued, fn() -> Spec);
    let rows: [Row; 2] = [
        ("the child says so", Queued::Purge, one_for_one),
        ("the group is restarted", Queued::Keep, one_for_all),
    ];
    for (case, queued, spec) in rows {
        let mut scene = Scene::new(MailboxOptions::default(), queued, spec()).await;
        scene.tell([Msg::Work(1), Msg::Twice(2)]);
        let asked = scene.ask(3, SECOND);
        turns().await;
        scene.tell([Msg::Crash]);
        pass(Duration::from_millis(100)).await;
        scene.tell([Msg::Open]);
        assert_eq!(scene.lines().await, [""; 0], "{case}");
        assert!(matches!(asked.await.expect("runs"), Err(AskError::Purged(_))), "{case}");
        assert_eq!(scene.gate.statistics().purged, 3, "{case}");
    }
}

/// What was in hand at a crash is spared by a purge; if it was postponed since, it waited like everything else.
#[tokio::test(start_paused = true)]
async fn purged_although_it_was_in_hand_in_an_earlier_life() {
    let mut scene = Scene::new(MailboxOptions::default(), Queued::Purge, one_for_one()).await;
    scene.tell([Msg::Rough(1)]);
    pass(Duration::from_millis(100)).await;
    assert_eq!((scene.gate.id().incarnation(), scene.gate.queued()), (2, 1), "spared, and postponed");
    scene.tell([Msg::Crash]);
    pass(Duration::from_millis(100)).await;
    scene.tell([Msg::Open]);
    assert_eq!(scene.lines().await, [""; 0]);
    assert_eq!(scene.gate.statistics().purged, 1);
}

#[tokio::test(start_paused = true)]
async fn given_back_with_the_seat() {
    let mut scene = Scene::kept().await;
    let asked = scene.ask(1, SECOND);
    turns().await;
    let report = scene.system.shutdown(SECOND).await;
    assert_eq!(report.messages_left, [("top/gate".into(), 1)]);
    let outcome = asked.await.expect("runs");
    assert!(matches!(outcome, Err(AskError::Stopped(_, Some(Msg::Ask(1, _))))), "{outcome:?}");
    assert_eq!(scene.lines().await, [""; 0]);
    assert_eq!(scene.gate.statistics().stopped, 1);
}

/// OTP: GS-005.
#[tokio::test(start_paused = true)]
async fn ones_own_next_comes_before_the_lane_and_dies_with_its_life() {
    let mut scene = Scene::kept().await;
    scene.tell([Msg::Next(3), Msg::Work(1), Msg::Open]);
    assert_eq!(scene.lines().await, ["next 3", "next 2", "next 1", "1/1"]);
    scene.tell([Msg::AjarAndStop]);
    pass(Duration::from_millis(100)).await;
    assert_eq!(scene.lines().await, [""; 0]);
}

/// Postpones and tells itself where there is nothing in hand.
struct Early(Arc<Journal>);

impl Actor for Early {
    type Msg = u32;

    async fn started(&mut self, context: &mut Context<u32>) -> Handled {
        let later = context.postpone(2_u32);
        context.retry(later);
        let _ = context.postpone(3_u32);
        context.tell_self_next(1_u32);
        Ok(())
    }

    async fn handle(&mut self, number: u32, context: &mut Context<u32>) -> Handled {
        self.0.note(format!("{number}"));
        if number == 0 {
            context.stop(ExitReason::Normal);
        }
        Ok(())
    }

    async fn stopping(&mut self, _: &ExitReason, context: &mut Context<u32>) {
        let _ = context.postpone(4_u32);
        context.tell_self_next(5_u32);
    }
}

/// OTP: GS-004.
#[tokio::test(start_paused = true)]
async fn without_a_message_in_hand_it_is_the_actors_own() {
    let system = system();
    let (journal, mut reader) = journal();
    let journal = Arc::new(journal);
    let (address, seat) = system.address();
    address.tell(0_u32).expect("there is room");
    tolerant(one_for_one())
        .child(actor_in("early", seat, move || Early(journal.clone())))
        .start(&system, "top")
        .await
        .expect("starts");
    pass(SECOND).await;
    let counts = address.statistics();
    assert!(counts.is_conserved());
    assert_eq!((counts.accepted, counts.handled, counts.queued), (1, 1, 0));
    assert_eq!(reader.rest(), ["2", "1", "0", "2", "1"]);
}
