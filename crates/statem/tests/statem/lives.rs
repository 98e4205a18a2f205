//! A machine over several lives: what was postponed waits for the next one, what was its own does not.

use minder_runtime::{AskError, ExitReason, MailboxOptions, TellError, WhenFull};
use minder_statem::{Transition, keep, next, stop};

use crate::script::*;

/// Postpones in `a` what begins with `p`; `go` leads to `b`, where it is handled.
fn gate(state: S, event: Ev) -> Transition<Script> {
    match (state, event.name) {
        ("a", name) if name.starts_with('p') || name.starts_with("again") => keep().postpone(event),
        ("a", "go") => next("b"),
        ("a", "own") => {
            keep().insert(ev("p own")).state_timeout(ms(10), ev("timeout")).timeout(1, ms(0), ev("p zero"))
        }
        (_, "stop") => stop(ExitReason::Shutdown),
        (_, "p stop") => stop(ExitReason::Shutdown).postpone(event),
        _ => match event.reply {
            Some(reply) => keep().reply(reply, "done"),
            None => keep(),
        },
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_postponed_waits_for_the_next_life_in_order() {
    for end in ["panic", "error", "stop"] {
        let it = run(script(gate)).await;
        it.tell(&["p1", "p2"]);
        let asked = it.ask("p3");
        turns().await;
        it.tell(&[end, "p4"]);
        turns().await;
        it.lines().await;
        assert_eq!(it.machine.queued(), 4, "{end}");
        it.start().await;
        it.tell(&["go", "x"]);
        assert_eq!(it.line().await, "a:p1 a:p2 a:p3 a:p4 a:go b:p1 b:p2 b:p3 b:p4 b:x", "{end}");
        assert_eq!(asked.outcome().await.ok(), Some("done"), "{end}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_its_own_ends_with_its_life() {
    let it = run(script(gate)).await;
    it.tell(&["p1", "own", "panic"]);
    it.lines().await;
    it.start().await;
    it.tell(&["go"]);
    assert_eq!(it.after(100).await, "a:p1 a:go b:p1");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_stops_it_may_be_left_to_the_next_life() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "leave") => stop(ExitReason::Shutdown).postpone(event),
        _ => keep(),
    }))
    .await;
    it.tell(&["leave"]);
    assert_eq!(it.line().await, "a:leave a:stopping shutdown");
    assert_eq!(it.machine.queued(), 1);
    it.start().await;
    assert_eq!(it.line().await, "a:leave a:stopping shutdown", "again, as it came");
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_that_of_the_event_that_caused_it() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "go") => next("b"),
        ("a", _) => keep().postpone(event),
        ("b", "p2") => panic!("boom"),
        _ => match event.reply {
            Some(reply) => keep().reply(reply, "done"),
            None => keep(),
        },
    }))
    .await;
    let mut asked = Vec::new();
    for name in ["p1", "p2", "p3", "go"] {
        asked.push(it.ask(name));
        turns().await;
    }
    assert_eq!(it.line().await, "a:p1 a:p2 a:p3 a:go b:p1 b:p2");
    let counts = it.machine.statistics();
    assert_eq!((counts.handled, counts.crashed, counts.queued), (2, 1, 1));
    it.start().await;
    it.tell(&["go"]);
    assert_eq!(it.line().await, "a:p3 a:go b:p3");
    let mut outcomes = Vec::new();
    for asked in asked {
        outcomes.push(match asked.outcome().await {
            Ok(answer) => answer,
            Err(AskError::Crashed(_)) => "crashed",
            Err(AskError::NoReply) => "no reply",
            Err(_) => "?",
        });
    }
    assert_eq!(outcomes, ["done", "crashed", "done", "no reply"]);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_event_that_crashed_comes_first() {
    let it = run(script_with(|state, event, context| match (state, event.name) {
        ("a", "go") => next("b"),
        ("a", _) if context.id().incarnation() == 1 => keep().postpone(event),
        ("b", "again") => panic!("boom"),
        _ => match event.reply {
            Some(reply) => keep().reply(reply, "done"),
            None => keep(),
        },
    }))
    .await;
    it.tell(&["p1"]);
    turns().await;
    let asked = it.ask("again");
    turns().await;
    it.tell(&["p3", "go"]);
    assert_eq!(it.line().await, "a:p1 a:again a:p3 a:go b:p1 b:again");
    it.start().await;
    assert_eq!(it.line().await, "a:again a:p3");
    assert_eq!(asked.outcome().await.ok(), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn a_postponed_question_whose_asker_is_gone_is_skipped_and_the_rest_goes_on() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "go") => next("b").timeout(1, ms(0), ev("zero")),
        ("a", _) => keep().postpone(event),
        _ => keep(),
    }))
    .await;
    let first = it.ask("p1");
    turns().await;
    it.tell(&["p2"]);
    let last = it.ask_within("p3", ms(50));
    pass(100).await;
    first.turn_away();
    assert!(matches!(last.outcome().await, Err(AskError::TimedOut)));
    it.tell(&["go", "x"]);
    assert_eq!(it.line().await, "a:p1 a:p2 a:p3 a:go b:p2 b:zero b:x");
    let counts = it.machine.statistics();
    assert_eq!((counts.skipped, counts.expired), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn postponed_events_count_against_the_bound_and_a_timeout_still_comes() {
    let it = run_with(
        MailboxOptions::bounded(2, WhenFull::Reject),
        script(|state, event| match (state, event.name) {
            ("a", "timeout") => next("b"),
            ("a", "p1") => keep().timeout(1, ms(100), ev("timeout")).postpone(event),
            ("a", _) => keep().postpone(event),
            _ => keep(),
        }),
    )
    .await;
    it.tell(&["p1", "p2"]);
    turns().await;
    assert!(matches!(it.machine.tell("p3"), Err(TellError::Full(_))));
    assert_eq!(it.after(200).await, "a:p1 a:p2 a:timeout b:p1 b:p2");
    it.tell(&["x"]);
    assert_eq!(it.line().await, "b:x");
}

/// Counters are true at every step of a long random run, and nothing is lost or handled twice.
#[tokio::test(start_paused = true)]
async fn every_event_is_accounted_for() {
    for seed in 0..20_u64 {
        let it = run_with(MailboxOptions::bounded(8, WhenFull::Reject), script(gate)).await;
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut accepted = 0;
        for _ in 0..60 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let names = ["p1", "again", "p2", "x", "go", "own", "panic", "stop", "p stop", "error"];
            let name = names[usize::try_from(random % 10).expect("small")];
            if random % 3 == 0 {
                let asked = it.ask_within(name, ms(random % 200 + 1));
                if random % 5 == 0 {
                    turns().await;
                    asked.turn_away();
                }
            } else {
                accepted += u64::from(it.machine.tell(name).is_ok());
            }
            if random % 4 == 0 {
                pass(random % 40).await;
            }
            turns().await;
            let counts = it.machine.statistics();
            assert!(counts.is_conserved(), "seed {seed}: {counts:?}");
            if !it.machine.is_alive() {
                it.start().await;
            }
        }
        assert!(it.machine.statistics().accepted >= accepted);
        let (machine, reason) = (it.machine.clone(), it.system.shutdown(ms(1000)).await);
        assert!(reason.is_clean(), "seed {seed}");
        drop(it);
        turns().await;
        let counts = machine.statistics();
        assert!(counts.is_conserved() && counts.queued == 0, "seed {seed}: {counts:?}");
    }
}
