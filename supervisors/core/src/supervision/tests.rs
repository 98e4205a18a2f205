//! The invariants can fail: states that no event leads to, made by hand, are found out.

extern crate std;

use super::*;
use crate::Restart;
use crate::intensity::Intensity;
use alloc::string::String;
use alloc::vec;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A supervisor of three children, the last of them temporary and stopped within a time, all of them up.
fn running() -> Supervision {
    let mut last = ChildRules::worker("c");
    last.restart = Restart::Temporary;
    let children = vec![ChildRules::supervisor("a"), ChildRules::supervisor("b"), last];
    let rules = Rules::new(Strategy::OneForOne, 1, Duration::from_secs(5), AutoShutdown::Never, children);
    let mut supervision = Supervision::new(rules.expect("valid"));
    let mut commands = Vec::new();
    supervision.handle(Event::Start, Moment::START, &mut commands);
    for number in 0..3 {
        supervision.handle(Event::Started(slot(&supervision, number)), Moment::START, &mut commands);
    }
    supervision
}

fn slot(supervision: &Supervision, number: usize) -> Slot {
    supervision.slots().nth(number).expect("three children")
}

#[test]
fn a_broken_invariant_is_found_out() {
    type Break = fn(&mut Supervision);
    const STOPPING: fn(Option<Moment>) -> State =
        |deadline| State::Stopping(Stop { deadline, up: true, killed: false });
    const FALLEN: State = State::Fallen { ticket: 7, reason: ExitReason::Normal };
    let rows: [(Break, &str); 13] = [
        (|it| it.phase = Phase::Applying { inside: None }, "a change is in progress, or is not"),
        (|it| drop(it.children.set(slot(it, 0), State::Starting)), "exactly the child in hand"),
        (
            |it| it.phase = Phase::Starting { at: slot(it, 0), purpose: Purpose::One },
            "exactly the child in hand",
        ),
        (
            |it| drop(it.children.set(slot(it, 2), State::Waiting { reason: ExitReason::Normal })),
            "never waits",
        ),
        (
            |it| {
                it.children.set(slot(it, 0), STOPPING(Some(Moment::END)));
                it.phase = Phase::StoppingOne { at: slot(it, 0), request: RequestId(1), down: Down::Gone };
            },
            "a deadline belongs to a shutdown within a time",
        ),
        (|it| drop(it.children.set(slot(it, 0), FALLEN)), "a fallen child has one notice put off"),
        (
            |it| it.deferred.push_back(Deferred::TryAgain { slot: Slot::FIRST }),
            "nothing is put off between operations",
        ),
        (|it| it.phase = Phase::New, "no child without a living supervisor"),
        (|it| it.phase = Phase::Ended, "no child without a living supervisor"),
        (
            |it| {
                it.children.set(slot(it, 0), State::Starting);
                it.phase = Phase::Starting { at: slot(it, 0), purpose: Purpose::Group };
            },
            "children after the starting one are gone",
        ),
        (
            |it| {
                it.children.set(slot(it, 0), STOPPING(None));
                it.phase = Phase::StoppingGroup { first: Slot::FIRST, at: slot(it, 0), later: None };
            },
            "members after the stopping one are gone",
        ),
        (
            |it| {
                let (at, reason) = (slot(it, 1), ExitReason::Normal);
                it.children.set(at, STOPPING(None));
                it.phase = Phase::Ending { at, end: at, reason };
            },
            "children reached by the end are gone",
        ),
        (
            |it| {
                let mut window = Intensity::new(1, Duration::from_secs(1));
                window.admit(Moment::START);
                it.tolerance = Tolerance::of(window.with_limit(0), Intensity::new(1, Duration::ZERO));
            },
            "the window holds no more than the limit",
        ),
    ];
    running().check();
    for (row, (break_it, expected)) in rows.into_iter().enumerate() {
        let mut supervision = running();
        break_it(&mut supervision);
        let caught = catch_unwind(AssertUnwindSafe(|| supervision.check()));
        let payload = caught.expect_err("a broken invariant passes for whole");
        let message = payload.downcast_ref::<String>().map_or("", String::as_str);
        let message = payload.downcast_ref::<&str>().copied().unwrap_or(message);
        assert!(message.contains(expected), "row {row}: {message}");
    }
}
