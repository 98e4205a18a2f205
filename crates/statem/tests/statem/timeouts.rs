//! Time-outs.

use std::time::Duration;

use minder_statem::{Timeout, Transition, When, entered, keep, next, repeat};

use crate::script::*;

/// OTP: STM-010.
#[tokio::test(start_paused = true)]
async fn stm_010_the_state_timeout_is_cancelled_by_a_change_and_by_nothing_else() {
    let it = run(script(|state, event| match (state, event.name) {
        (_, "set") => keep().state_timeout(ms(100), ev("timeout")),
        (_, "keep") => keep(),
        (_, "same") => next(state),
        (_, "repeat") => repeat(),
        ("a", "change") => next("b"),
        ("a", "set and change") => next("b").state_timeout(ms(100), ev("timeout")),
        _ => keep(),
    }))
    .await;
    it.tell(&["set", "keep", "same", "repeat"]);
    assert_eq!(it.after(90).await, "a:set a:keep a:same a:repeat");
    assert_eq!(it.after(20).await, "a:timeout");
    it.tell(&["set"]);
    assert_eq!(it.after(60).await, "a:set");
    it.tell(&["set"]); // begins anew
    assert_eq!(it.after(60).await, "a:set");
    assert_eq!(it.after(60).await, "a:timeout");
    it.tell(&["set", "change"]);
    assert_eq!(it.after(1000).await, "a:set a:change");
}

/// OTP: STM-010.
#[tokio::test(start_paused = true)]
async fn stm_010_set_with_a_change_it_is_the_new_states() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "go") => next("b").state_timeout(ms(100), ev("timeout")),
        _ => keep(),
    }))
    .await;
    it.tell(&["go"]);
    assert_eq!(it.after(1000).await, "a:go b:timeout");
}

/// OTP: STM-011.
#[tokio::test(start_paused = true)]
async fn stm_011_the_event_timeout_is_cancelled_by_any_event() {
    type Row = (&'static str, fn(S, Ev) -> Transition<Script>);
    let rows: [Row; 4] = [
        ("told", |_, event| match event.name {
            "set" => keep().event_timeout(ms(100), ev("idle")),
            _ => keep(),
        }),
        ("inserted", |_, event| match event.name {
            "set" => keep().event_timeout(ms(100), ev("idle")).insert(ev("i")),
            _ => keep(),
        }),
        ("postponed", |state, event| match (state, event.name) {
            ("a", "set") => next("b").event_timeout(ms(100), ev("idle")).postpone(event),
            _ => keep(),
        }),
        ("a time-out", |_, event| match event.name {
            "set" => keep().event_timeout(ms(100), ev("idle")).timeout(1, ms(50), ev("other")),
            _ => keep(),
        }),
    ];
    for (case, on_event) in rows {
        let it = run(script(on_event)).await;
        it.tell(&["set"]);
        if case == "told" {
            it.tell(&["x"]);
        }
        assert!(!it.after(1000).await.contains("idle"), "{case}");
    }
    let it = run(script(|_, event| match event.name {
        "set" => keep().event_timeout(ms(100), ev("idle")),
        _ => keep(),
    }))
    .await;
    it.tell(&["set"]);
    assert_eq!(it.after(1000).await, "a:set a:idle");
}

/// OTP: STM-011.
#[tokio::test(start_paused = true)]
async fn stm_011_a_change_alone_does_not_cancel_the_event_timeout() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "set") => next("b").event_timeout(ms(100), ev("idle")),
        _ => keep(),
    }))
    .await;
    it.tell(&["set"]);
    assert_eq!(it.after(1000).await, "a:set b:idle");
}

/// OTP: STM-012.
#[tokio::test(start_paused = true)]
async fn stm_012_named_timeouts_are_touched_by_nothing_and_there_are_many() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "set") => {
            keep().timeout(3, ms(30), ev("3")).timeout(1, ms(10), ev("1")).timeout(2, ms(20), ev("2"))
        }
        ("a", "x") => next("b"),
        _ => keep(),
    }))
    .await;
    it.tell(&["set", "x", "y"]);
    assert_eq!(it.after(1000).await, "a:set a:x b:y b:1 b:2 b:3");
}

/// OTP: STM-013.
#[tokio::test(start_paused = true)]
async fn stm_013_setting_replaces_and_cancel_and_never_stop() {
    for which in [Timeout::State, Timeout::Named(1), Timeout::Named(2)] {
        let set = move |when: When, name| match which {
            Timeout::State => keep().state_timeout(when, ev(name)),
            Timeout::Event => keep().event_timeout(when, ev(name)),
            Timeout::Named(number) => keep().timeout(number, when, ev(name)),
        };
        let it = run(script(move |_, event| match event.name {
            "set" => set(When::After(ms(100)), "old"),
            "zero" => set(When::After(ms(0)), "zero"),
            "replace" => set(When::After(ms(200)), "new"),
            "never" => set(When::Never, "never"),
            "cancel" => keep().cancel(which),
            _ => keep(),
        }))
        .await;
        it.tell(&["set", "replace"]);
        assert_eq!(it.after(1000).await, "a:set a:replace a:new", "{which:?}");
        it.tell(&["set", "never"]);
        assert_eq!(it.after(1000).await, "a:set a:never", "{which:?}");
        it.tell(&["set", "cancel", "cancel"]);
        assert_eq!(it.after(1000).await, "a:set a:cancel a:cancel", "{which:?}");
    }
}

/// OTP: STM-013.
#[tokio::test(start_paused = true)]
async fn stm_013_what_is_due_at_once_can_be_cancelled_until_its_turn() {
    let it = run(script(|_, event| match event.name {
        "set" => keep()
            .state_timeout(ms(0), ev("state"))
            .timeout(1, ms(0), ev("1"))
            .timeout(2, ms(0), ev("2"))
            .insert(ev("i")),
        "i" => keep().cancel(Timeout::Named(1)).timeout(2, ms(50), ev("later")),
        _ => keep(),
    }))
    .await;
    it.tell(&["set", "x"]);
    assert_eq!(it.after(1000).await, "a:set a:i a:state a:x a:later");
}

/// OTP: STM-014.
#[tokio::test(start_paused = true)]
async fn stm_014_update_changes_the_event_and_not_the_time() {
    for which in [Timeout::State, Timeout::Named(1)] {
        let it = run(script(move |_, event| match event.name {
            "set" => match which {
                Timeout::Named(number) => keep().timeout(number, ms(100), ev("old")),
                _ => keep().state_timeout(ms(100), ev("old")),
            },
            "update" => keep().update(which, ev("new")),
            _ => keep(),
        }))
        .await;
        it.tell(&["set"]);
        assert_eq!(it.after(60).await, "a:set", "{which:?}");
        it.tell(&["update"]);
        assert_eq!(it.after(30).await, "a:update", "{which:?}");
        assert_eq!(it.after(20).await, "a:new", "{which:?}");
        it.tell(&["update", "x"]);
        assert_eq!(it.after(1000).await, "a:update a:new a:x", "none runs, so at once: {which:?}");
    }
}

/// OTP: STM-015.
#[tokio::test(start_paused = true)]
async fn stm_015_zero_comes_after_the_queue_in_the_order_of_setting_before_the_mailbox() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "p") => keep().postpone(event),
        ("a", "go") => next("b")
            .timeout(2, ms(0), ev("2"))
            .state_timeout(ms(0), ev("state"))
            .timeout(1, ms(0), ev("1"))
            .insert(ev("i")),
        ("b", "2") => keep().timeout(3, ms(0), ev("3")).insert(ev("j")),
        _ => keep(),
    }))
    .await;
    it.tell(&["p", "go", "x"]);
    assert_eq!(it.line().await, "a:p a:go b:i b:p b:2 b:j b:state b:1 b:3 b:x");
}

/// OTP: STM-015.
#[tokio::test(start_paused = true)]
async fn stm_015_a_zero_event_timeout_comes_only_if_nothing_else_waits() {
    let it = run(script(|_, event| match event.name {
        "alone" => keep().event_timeout(ms(0), ev("idle")),
        "with" => keep().event_timeout(ms(0), ev("idle")).insert(ev("i")),
        _ => keep(),
    }))
    .await;
    it.tell(&["alone", "x", "with", "y"]);
    assert_eq!(it.line().await, "a:alone a:idle a:x a:with a:i a:y");
}

/// OTP: STM-016.
#[tokio::test(start_paused = true)]
async fn stm_016_the_last_setting_counts_and_the_enter_calls_is_last() {
    let it = run(script(|state, event| match (state, event.name) {
        ("a", "twice") => keep().timeout(1, ms(10), ev("first")).timeout(1, ms(20), ev("second")),
        ("a", "zero") => keep().timeout(1, ms(0), ev("first")).timeout(2, ms(0), ev("other")).timeout(
            1,
            ms(0),
            ev("second"),
        ),
        ("a", "go") => next("b").state_timeout(ms(10), ev("of the transition")),
        _ => keep(),
    })
    .entering(|from, to| {
        if from == to { entered() } else { entered().state_timeout(ms(20), ev("of the enter call")) }
    }))
    .await;
    it.tell(&["twice"]);
    assert_eq!(it.after(100).await, "a>a a:twice a:second");
    it.tell(&["zero"]);
    assert_eq!(it.after(100).await, "a:zero a:other a:second");
    it.tell(&["go"]);
    assert_eq!(it.after(100).await, "a:go a>b b:of the enter call");
}

/// OTP: STM-017.
#[tokio::test(start_paused = true)]
async fn stm_017_times_may_be_absolute() {
    let it = run(script_with(|_, event, context| match event.name {
        "set" => {
            let now = context.now();
            keep().state_timeout(now + Duration::from_millis(100), ev("state")).timeout(1, now, ev("now"))
        }
        _ => keep(),
    }))
    .await;
    it.tell(&["set"]);
    assert_eq!(it.after(90).await, "a:set a:now");
    assert_eq!(it.after(20).await, "a:state");
}
