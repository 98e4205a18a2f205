//! The invariants can fail: states that no event leads to, made by hand, are found out. And what a child costs among many.

use super::*;
use crate::found_out::assert_found_out;
use crate::going_well::outcome;
use crate::intensity::Intensity;
use crate::{Change, Likeness, Request, Restart, Which};
use alloc::collections::VecDeque;
use alloc::vec;
use core::time::Duration;

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
    let rows: [(Break, &str); 14] = [
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
        (
            |it| {
                let (at, reason) = (slot(it, 2), ExitReason::Normal);
                it.children.set(at, STOPPING(None));
                it.phase = Phase::Ending { at, end: at, reason };
                it.deferred.push_back(Deferred::TryAgain { slot: at });
            },
            "nothing is put off between operations, or at the end",
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
        assert_found_out(row, expected, || supervision.check());
    }
}

/// Ten times the children, about ten times the places that are looked at: to start them in order, to stop and delete
/// every other one from the middle out, and to stop the rest at the end.
///
/// OTP: SUP-155.
#[test]
fn to_start_and_stop_a_child_costs_the_same_however_many_there_are() {
    let looks = |children: usize| {
        let ids: Vec<Arc<str>> = (0..children).map(|number| alloc::format!("{number}").into()).collect();
        let rules = ids.iter().map(|id| ChildRules::worker(id)).collect();
        let rules = Rules::new(Strategy::OneForOne, 1, Duration::from_secs(5), AutoShutdown::Never, rules);
        let mut supervision = Supervision::new(rules.expect("valid"));
        let slots: Vec<Slot> = supervision.slots().collect();
        let mut commands = Vec::new();
        let mut handle = |event, commands: &mut Vec<Command>| {
            commands.clear();
            supervision.handle(event, Moment::START, commands);
        };
        let gone = |slot| Event::Exited { slot, reason: ExitReason::Shutdown, charged: true };
        handle(Event::Start, &mut commands);
        for slot in &slots {
            handle(Event::Started(*slot), &mut commands);
        }
        assert_eq!(commands, [Command::Ready]);
        for at in (0..children).step_by(2).map(|at| (at + children / 2) % children) {
            let id = || ids[at].clone();
            handle(Event::Asked(RequestId(0), Request::TerminateChild(Which::Id(id()))), &mut commands);
            handle(gone(slots[at]), &mut commands);
            handle(Event::Asked(RequestId(0), Request::DeleteChild(id())), &mut commands);
            assert_eq!(commands, [Command::Forget(slots[at]), Command::Answer(RequestId(0), Answer::Done)]);
        }
        handle(Event::Stop(ExitReason::Shutdown), &mut commands);
        for slot in slots.iter().skip(1).step_by(2).rev() {
            handle(gone(*slot), &mut commands);
        }
        assert_eq!(commands, [Command::Exit(ExitReason::Shutdown)]);
        supervision.children.looks()
    };
    let (few, many) = (looks(10_000), looks(100_000));
    assert!(few >= 10_000, "nobody counts");
    assert!(many < 12 * few, "{many} looks at 100,000 children, {few} at 10,000");
    assert!(many < 100 * 100_000, "{many} looks at 100,000 children");
}

/// Every child is replaced, and each is looked at about as often however many there are.
#[test]
fn to_change_a_child_costs_the_same_however_many_there_are() {
    let looks = |children: usize, strategy| {
        let child = |number: usize| ChildRules::worker(&alloc::format!("{number}"));
        let rules = (0..children).map(child).collect();
        let rules = Rules::new(strategy, 1, Duration::from_secs(5), AutoShutdown::Never, rules);
        let mut supervision = Supervision::new(rules.expect("valid"));
        let (mut commands, mut applied) = (Vec::new(), 0);
        let mut events = VecDeque::from([Event::Start]);
        while let Some(event) = events.pop_front() {
            supervision.handle(event, Moment::START, &mut commands);
            for command in commands.drain(..) {
                applied += usize::from(matches!(command, Command::Answer(_, Answer::Applied(_))));
                events.extend(outcome(&command, || {
                    let now = supervision.outline();
                    let same = now.children.iter().map(|child| child.rules.clone()).collect();
                    let same = Rules::new(strategy, 1, Duration::from_secs(5), AutoShutdown::Never, same);
                    Change::new(&now, same.expect("valid"), |_, _| Likeness::Other)
                }));
            }
        }
        assert_eq!(applied, 1);
        supervision.children.looks()
    };
    for strategy in [Strategy::OneForOne, Strategy::RestForOne, Strategy::OneForAll] {
        let (few, many) = (looks(10_000, strategy), looks(100_000, strategy));
        assert!(few >= 10_000, "{strategy:?}: nobody counts");
        assert!(many < 12 * few, "{strategy:?}: {many} looks at 100,000 children, {few} at 10,000");
    }
}
