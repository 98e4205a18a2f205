//! How a machine ends, and what cannot be ignored.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder_runtime::{AskError, ExitReason};
use minder_statem::{NotTaken, Timeout, Transition, Window, entered, keep, next, not_taken, stop};

use crate::script::*;

fn quiet(_: S, event: Ev) -> Transition<Script> {
    match event.name {
        "b" => next("b"),
        "stop" => stop(ExitReason::Shutdown),
        _ => keep(),
    }
}

/// OTP: STM-022.
#[tokio::test(start_paused = true)]
async fn stm_022_how_it_ends_and_whether_it_cleans_up() {
    // `gen_statem` cleans up after a raised error too; here the state is not to be trusted after a panic.
    let rows =
        [("stop", "b:stop b:stopping shutdown"), ("error", "b:error b:stopping no"), ("panic", "b:panic")];
    for (event, expected) in rows {
        let it = run(script(quiet).trapping()).await;
        it.tell(&["b", event, "x"]);
        assert_eq!(it.line().await, format!("a:b {expected}"));
        assert!(!it.machine.is_alive());
    }
    let it = run(script(quiet).trapping()).await;
    it.machine.kill();
    assert_eq!(it.line().await, "");
    assert!(!it.machine.is_alive());
}

/// OTP: STM-022.
#[tokio::test(start_paused = true)]
async fn stm_022_its_minders_stop() {
    let rows = [
        ("not trapping", script(quiet), ""),
        ("trapping", script(quiet).trapping(), "b:stopping shutdown"),
        ("winding down", script(quiet).winding("stop"), "b:asked shutdown b:stop b:stopping shutdown"),
    ];
    for (case, script, expected) in rows {
        let it = run(script).await;
        it.tell(&["b"]);
        assert_eq!(it.line().await, "a:b");
        assert!(it.system.shutdown(Duration::from_secs(1)).await.is_clean());
        assert_eq!(it.line().await, expected, "{case}");
    }
}

/// OTP: STM-023.
#[tokio::test(start_paused = true)]
async fn stm_023_orders_are_obeyed_between_any_two_events() {
    let it = run(script(|_, event| match event.name {
        // For ever: nothing comes from the mailbox any more.
        "loop" => keep().insert(ev("loop")),
        _ => keep(),
    }))
    .await;
    it.tell(&["loop", "never"]);
    turns().await;
    assert!(it.machine.kill());
    let lines = it.lines().await;
    assert!(lines.len() > 100 && lines.iter().all(|line| line == "a:loop"), "{}", lines.len());
    assert!(!it.machine.is_alive());
}

/// One function for each state, instead of one for all.
fn in_a(event: Ev) -> Transition<Script> {
    match event.name {
        "go" => next("b"),
        _ => not_taken(event),
    }
}

fn in_b(event: Ev) -> Transition<Script> {
    match event.name {
        "back" => next("a"),
        _ => not_taken(event),
    }
}

/// OTP: STM-024.
#[tokio::test(start_paused = true)]
async fn stm_024_a_function_for_each_state() {
    let it = run(script(|state, event| match state {
        "a" => in_a(event),
        _ => in_b(event),
    }))
    .await;
    it.tell(&["go", "back", "go", "go"]);
    assert_eq!(it.line().await, "a:go b:back a:go b:go b:stopping error: go is not taken in state b");
}

/// OTP: STM-026.
#[tokio::test(start_paused = true)]
async fn stm_026_an_event_that_is_not_taken_is_a_crash_whatever_its_kind() {
    fn on_event(_: S, event: Ev) -> Transition<Script> {
        match event.name {
            "insert" => keep().insert(ev("unknown")),
            "state" => keep().state_timeout(ms(10), ev("unknown")),
            "event" => keep().event_timeout(ms(10), ev("unknown")),
            "named" => keep().timeout(1, ms(10), ev("unknown")),
            "postpone" => next("b").postpone(ev("unknown")),
            _ => not_taken(event),
        }
    }
    for event in ["unknown", "insert", "state", "event", "named", "postpone"] {
        let it = run(script(on_event).entering(|_, _| entered())).await;
        it.tell(&[event]);
        pass(100).await;
        assert!(!it.machine.is_alive(), "{event}");
        let taken = not_taken_of(&it.give_up().await);
        let state = if event == "postpone" { "b" } else { "a" };
        assert_eq!((taken.event(), taken.state()), ("unknown", state), "{event}");
    }
    let it = run(script(on_event)).await;
    let outcome = it.ask("unknown").outcome().await;
    assert!(matches!(outcome, Err(AskError::Crashed(_))), "{outcome:?}");
}

/// OTP: STM-026.
#[tokio::test(start_paused = true)]
async fn stm_026_a_notice_too() {
    let it = run(script_with(|_, _, context| {
        let other = context.spawn("other", || minder_statem::machine(script(|_, _| keep()))).expect("starts");
        context.trap_exit(true);
        context.link(&other).expect("it lives");
        other.kill();
        keep()
    }))
    .await;
    it.tell(&["link"]);
    pass(100).await;
    let taken = not_taken_of(&it.give_up().await);
    assert_eq!(taken.to_string(), "Exit is not taken in state a");
}

fn not_taken_of(reason: &ExitReason) -> NotTaken {
    let ExitReason::Error(error) = reason else { panic!("{reason:?}") };
    error.downcast_ref::<NotTaken>().expect("it says what was not taken").clone()
}

fn seen(window: &Window<S, u32>) -> Option<(S, usize, usize, Vec<Timeout<u32>>)> {
    window.status().map(|status| (status.state, status.postponed, status.queued, status.timeouts))
}

/// What is the machine's alone is seen through a window; its data, and what waits in its mailbox, as with every actor.
/// OTP: STM-028.
#[tokio::test(start_paused = true)]
async fn stm_028_a_status_shows_state_data_events_and_running_timeouts() {
    let window = Window::new();
    let (looks, noted) = (window.clone(), Arc::new(Mutex::new(None)));
    let notes = noted.clone();
    let it = run(script(move |state, event| match (state, event.name) {
        ("b", "look") => {
            *notes.lock().expect("nobody panics with it") = seen(&looks);
            keep()
        }
        ("a", "p") => keep().postpone(event),
        ("a", "set") => {
            keep().timeout(2, ms(100), ev("2")).state_timeout(ms(50), ev("s")).timeout(1, ms(70), ev("1"))
        }
        ("a", "go") => next("b").insert(ev("look")),
        _ => keep(),
    })
    .seen_through(&window))
    .await;
    assert_eq!(seen(&window), Some(("a", 0, 0, vec![])));
    it.tell(&["p", "p", "set"]);
    it.line().await;
    let (state, one, two) = (Timeout::State, Timeout::Named(1), Timeout::Named(2));
    assert_eq!(seen(&window), Some(("a", 2, 0, vec![two, state, one])));
    // Its data, at any time; what waits in the mailbox, while it is suspended.
    it.tell(&["x"]);
    turns().await;
    let sys = it.machine.sys();
    assert_eq!(sys.with_state(Script::unread).await.ok(), Some(1));
    sys.suspend();
    it.tell(&["go", "x"]);
    let status = sys.status().await.expect("it lives");
    assert_eq!((status.state.as_deref(), status.mailbox.queued), (Some("\"a\""), 4), "two are postponed");
    sys.resume();
    assert_eq!(it.line().await, "a:x a:go b:look b:p b:p b:x");
    let after_the_change = noted.lock().expect("nobody panics with it").take();
    let set = vec![two, one];
    assert_eq!(after_the_change, Some(("b", 0, 3, set.clone())), "one was inserted, two came again");
    assert_eq!(seen(&window), Some(("b", 0, 0, set)));
    it.tell(&["panic"]);
    it.line().await;
    assert_eq!(seen(&window), None, "nobody lives there");
    it.start().await;
    assert_eq!(seen(&window), Some(("a", 0, 0, vec![])));
}
