//! Which event comes next.

use minder_statem::{keep, next, repeat, start};

use crate::script::*;

/// OTP: STM-001.
#[tokio::test(start_paused = true)]
async fn stm_001_every_kind_of_event_is_one_call() {
    let it = run(script_with(|_, event, context| match event.name {
        "told" => keep().insert(ev("inserted")),
        "inserted" => keep().state_timeout(ms(10), ev("state")).timeout(1, ms(20), ev("named")),
        "named" => keep().event_timeout(ms(10), ev("idle")),
        "asked" => {
            let reply = event.reply.expect("asked");
            let gone = context.spawn("gone", || Gone).expect("starts");
            context.monitor(&gone);
            gone.kill();
            keep().reply(reply, "yes")
        }
        _ => keep(),
    }))
    .await;
    it.tell(&["told"]);
    assert_eq!(it.after(100).await, "a:told a:inserted a:state a:named a:idle");
    assert_eq!(it.ask("asked").outcome().await.ok(), Some("yes"));
    assert_eq!(it.line().await, "a:asked a:down");
}

struct Gone;

impl minder_runtime::Actor for Gone {
    type Msg = ();
    async fn handle(&mut self, (): (), _: &mut minder_runtime::Context<()>) -> minder_runtime::Handled {
        Ok(())
    }
}

/// OTP: STM-002.
#[tokio::test(start_paused = true)]
async fn stm_002_a_state_changes_when_it_differs() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "later") => keep().postpone(event),
        (_, "same") => next(state),
        (_, "keep") => keep(),
        (_, "change") => next("b"),
        _ => keep(),
    })
    .entering(|_, _| minder_statem::entered()))
    .await;
    it.tell(&["later", "same", "keep", "change"]);
    assert_eq!(it.line().await, "a>a a:later a:same a:keep a:change a>b b:later");
}

/// OTP: STM-003.
#[tokio::test(start_paused = true)]
async fn stm_003_a_postponed_event_comes_again_after_a_change_and_never_without() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "p") => keep().postpone(event),
        (_, "x") => keep(),
        (_, "again") => repeat(),
        ("a", "b") => next("b"),
        _ => keep(),
    }))
    .await;
    it.tell(&["p", "x", "x", "again"]);
    assert_eq!(it.line().await, "a:p a:x a:x a:again");
    it.tell(&["b"]);
    assert_eq!(it.line().await, "a:b b:p");
}

/// OTP: STM-003.
#[tokio::test(start_paused = true)]
async fn stm_003_postponing_and_changing_at_once_brings_it_again_at_once() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "p") => next("b").postpone(event),
        _ => keep(),
    }))
    .await;
    it.tell(&["p", "x"]);
    assert_eq!(it.line().await, "a:p b:p b:x");
}

/// OTP: STM-004.
#[tokio::test(start_paused = true)]
async fn stm_004_in_order_of_arrival_before_what_arrived_later() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "1" | "2" | "3") => keep().postpone(event),
        ("b", "2") => keep().postpone(event),
        ("a", "go") => next("b"),
        ("b", "go") => next("c"),
        _ => keep(),
    }))
    .await;
    it.tell(&["1", "2", "3", "go", "4", "go", "5"]);
    assert_eq!(it.line().await, "a:1 a:2 a:3 a:go b:1 b:2 b:3 b:4 b:go c:2 c:5");
}

/// OTP: STM-004.
#[tokio::test(start_paused = true)]
async fn stm_004_a_change_while_they_come_again_keeps_their_order() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "1" | "2" | "3") => keep().postpone(event),
        ("a", "go") => next("b"),
        ("b", "1") => keep().postpone(event),
        ("b", "2") => next("c"),
        _ => keep(),
    }))
    .await;
    it.tell(&["1", "2", "3", "go", "4"]);
    assert_eq!(it.line().await, "a:1 a:2 a:3 a:go b:1 b:2 c:1 c:3 c:4");
}

/// OTP: STM-005.
#[tokio::test(start_paused = true)]
async fn stm_005_inserted_events_come_first_in_the_order_of_the_list() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "p") => keep().postpone(event),
        ("a", "go") => next("b").insert(ev("i")).insert(ev("j")),
        ("b", "i") => keep().insert(ev("k")),
        _ => keep(),
    }))
    .await;
    it.tell(&["p", "go", "x"]);
    assert_eq!(it.line().await, "a:p a:go b:i b:k b:j b:p b:x");
}

/// OTP: STM-005.
#[tokio::test(start_paused = true)]
async fn stm_005_an_inserted_event_that_is_postponed_keeps_its_place_among_the_others() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "1" | "2" | "i") => keep().postpone(event),
        ("a", "insert") => keep().insert(ev("i")),
        ("a", "go") => next("b"),
        _ => keep(),
    }))
    .await;
    it.tell(&["1", "insert", "2", "go", "x"]);
    assert_eq!(it.line().await, "a:1 a:insert a:i a:2 a:go b:1 b:i b:2 b:x");
}

/// OTP: STM-006.
#[tokio::test(start_paused = true)]
async fn stm_006_any_event_can_be_inserted_a_question_too() {
    let it = run(script(|_, mut event| match event.name {
        "ask" => {
            event.name = "answer me";
            keep().state_timeout(ms(10), ev("timeout")).insert(event).insert(ev("timeout"))
        }
        "answer me" => keep().reply(event.reply.expect("asked"), "done"),
        _ => keep(),
    }))
    .await;
    assert_eq!(it.ask("ask").outcome().await.ok(), Some("done"));
    assert_eq!(it.after(100).await, "a:ask a:answer me a:timeout a:timeout");
}

/// OTP: STM-020.
#[tokio::test(start_paused = true)]
async fn stm_020_init_may_insert_events_and_set_timeouts() {
    let it = run(script(|_, event| match event.name {
        "p" => keep().postpone(event),
        _ => keep(),
    })
    .starting(|context| {
        context.tell_self("mailbox");
        start("a")
            .insert(ev("i"))
            .insert(ev("p"))
            .insert(ev("j"))
            .timeout(1, ms(0), ev("zero"))
            .state_timeout(ms(10), ev("state"))
    })
    .entering(|_, _| minder_statem::entered()))
    .await;
    assert_eq!(it.after(100).await, "a>a a:i a:p a:j a:zero a:mailbox a:state");
}
