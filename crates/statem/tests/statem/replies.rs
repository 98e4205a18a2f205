//! Answers: later, of any call, from any call, and before the end.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder_runtime::{AskError, ExitReason, Reply};
use minder_statem::{entered, keep, next, stop};

use crate::script::*;

/// Replies that are answered by another call than the one that brought them.
type Kept = Arc<Mutex<Vec<Reply<&'static str>>>>;

fn keep_reply(kept: &Kept, event: Ev) {
    kept.lock().expect("nobody panics with it").push(event.reply.expect("asked"));
}

fn take_reply(kept: &Kept) -> Reply<&'static str> {
    kept.lock().expect("nobody panics with it").remove(0)
}

/// OTP: STM-018.
#[tokio::test(start_paused = true)]
async fn stm_018_any_pending_call_may_be_answered_by_an_action() {
    let kept = Kept::default();
    let (of_events, of_enter) = (kept.clone(), kept.clone());
    let it = run(script(move |_, event| match event.name {
        "ask" => {
            keep_reply(&of_events, event);
            keep()
        }
        "answer two" => keep().reply(take_reply(&of_events), "first").reply(take_reply(&of_events), "second"),
        "go" => next("b"),
        _ => keep(),
    })
    .entering(move |from, to| {
        if from == to { entered() } else { entered().reply(take_reply(&of_enter), "by the enter call") }
    }))
    .await;
    let asked = [it.ask("ask"), it.ask("ask"), it.ask("ask")];
    turns().await;
    assert!(asked.iter().all(|asked| !asked.is_answered()));
    it.tell(&["answer two", "go"]);
    let [first, second, third] = asked;
    assert_eq!(first.outcome().await.ok(), Some("first"));
    assert_eq!(second.outcome().await.ok(), Some("second"));
    assert_eq!(third.outcome().await.ok(), Some("by the enter call"));
}

/// OTP: STM-018.
#[tokio::test(start_paused = true)]
async fn stm_018_what_is_not_returned_is_not_answered() {
    let it = run(script(|_, event| match event.name {
        "ask" => {
            drop(keep::<Script>().reply(event.reply.expect("asked"), "never"));
            keep()
        }
        _ => keep(),
    }))
    .await;
    assert!(matches!(it.ask("ask").outcome().await, Err(AskError::NoReply)));
}

/// OTP: STM-019.
#[tokio::test(start_paused = true)]
async fn stm_019_stop_and_reply_answers_before_it_cleans_up() {
    let it = run(script(|_, event| match event.name {
        "stop" => stop(ExitReason::other("slowly")).reply(event.reply.expect("asked"), "bye"),
        _ => keep(),
    }))
    .await;
    let asked = it.ask("stop");
    assert_eq!(it.line().await, "a:stop a:stopping slowly");
    assert_eq!(asked.outcome().await.ok(), Some("bye"));
    assert!(it.machine.is_alive(), "it still cleans up");
    assert_eq!(it.after(200).await, "stopped");
}

/// OTP: STM-021.
#[tokio::test(start_paused = true)]
async fn stm_021_a_call_has_a_limit_and_a_late_answer_goes_nowhere() {
    let kept = Kept::default();
    let on_event = kept.clone();
    let it = run(script(move |_, event| match event.name {
        "ask" => {
            keep_reply(&on_event, event);
            keep()
        }
        "answer" => keep().reply(take_reply(&on_event), "late"),
        _ => keep(),
    }))
    .await;
    let asked = it.ask_within("ask", ms(100));
    assert_eq!(it.after(200).await, "a:ask");
    assert!(matches!(asked.outcome().await, Err(AskError::TimedOut)));
    it.tell(&["answer", "x"]);
    assert_eq!(it.line().await, "a:answer a:x");
    // Without a word it is five seconds, and without a limit none.
    let ask = |name| move |reply| Ev { name, reply: Some(reply) };
    let began = it.system.now();
    assert!(matches!(it.machine.ask(ask("ask")).await, Err(AskError::TimedOut)));
    assert_eq!(it.system.now().since(began), Duration::from_secs(5));
    let mut asked = pin!(it.machine.ask_within(Duration::MAX, ask("ask")));
    assert!(tokio::time::timeout(Duration::from_secs(86_400), asked.as_mut()).await.is_err());
    it.tell(&["answer", "answer"]); // the first is of the ask that was given up
    let answer = tokio::time::timeout(ms(1), asked).await.expect("it is answered at once");
    assert_eq!(answer.ok(), Some("late"));
}
