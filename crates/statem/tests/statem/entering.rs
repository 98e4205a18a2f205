//! Enter calls.

use minder_statem::{entered, keep, next, repeat};

use crate::script::*;

/// OTP: STM-007.
#[tokio::test(start_paused = true)]
async fn stm_007_the_enter_call_comes_after_the_change_before_any_event() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "p") => keep().postpone(event),
        ("a", "go") => next("b").insert(ev("i")),
        ("b", "i") => next("c"),
        _ => keep(),
    })
    .entering(|_, _| entered()))
    .await;
    it.tell(&["p", "go", "x"]);
    assert_eq!(it.line().await, "a>a a:p a:go a>b b:i b>c c:p c:x");
}

/// OTP: STM-008.
#[tokio::test(start_paused = true)]
async fn stm_008_none_without_a_change_but_for_repeat() {
    let it = run(script(|state, event| match event.name {
        "keep" => keep(),
        "same" => next(state),
        "repeat" => repeat(),
        _ => keep(),
    })
    .entering(|_, _| entered()))
    .await;
    it.tell(&["keep", "same", "repeat"]);
    assert_eq!(it.line().await, "a>a a:keep a:same a:repeat a>a");
}

/// OTP: STM-008.
#[tokio::test(start_paused = true)]
async fn stm_008_repeat_is_no_change() {
    let it = run(script(|_, event| match event.name {
        "p" => keep().postpone(event),
        "set" => keep().state_timeout(ms(50), ev("timeout")),
        "repeat" => repeat(),
        _ => keep(),
    }))
    .await;
    it.tell(&["p", "set", "repeat"]);
    assert_eq!(it.after(100).await, "a:p a:set a:repeat a:timeout");
}

/// That it may not do more is by type: see the example of `Entered` that does not compile.
/// OTP: STM-009.
#[tokio::test(start_paused = true)]
async fn stm_009_an_enter_call_may_set_timeouts() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "go") => next("b"),
        _ => keep(),
    })
    .entering(|from, to| match (from, to) {
        ("a", "a") => entered().timeout(1, ms(30), ev("named")),
        _ => entered().state_timeout(ms(10), ev("state")).event_timeout(ms(0), ev("idle")),
    }))
    .await;
    it.tell(&["go"]);
    assert_eq!(it.after(100).await, "a>a a:go a>b b:idle b:state b:named");
}
