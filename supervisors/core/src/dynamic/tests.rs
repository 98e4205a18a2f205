//! The invariants can fail: states that no event leads to, made by hand, are found out. And what it costs to find a child
//! among many.

use super::*;
use crate::found_out::assert_found_out;
use crate::intensity::Intensity;
use crate::{Backoff, ReportsReady};
use core::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A supervisor of so many instances, all of them up.
fn running(template: ChildRules, children: usize) -> (DynamicSupervision, Vec<Slot>) {
    let rules = DynamicRules::new(template, 1, SECOND, usize::MAX).expect("valid");
    let mut supervision = DynamicSupervision::new(rules);
    let (mut commands, mut slots) = (Vec::new(), Vec::new());
    supervision.handle(Event::Start, Moment::START, &mut commands);
    for _ in 0..children {
        supervision.handle(Event::Asked(RequestId(0), Request::StartInstance), Moment::START, &mut commands);
        let Some(Command::Start(slot)) = commands.pop() else { panic!("a start is refused: {commands:?}") };
        supervision.handle(Event::Started(slot), Moment::START, &mut commands);
        commands.clear();
        slots.push(slot);
    }
    (supervision, slots)
}

#[test]
fn a_broken_invariant_is_found_out() {
    type Break = fn(&mut DynamicSupervision, Slot);
    const HAND: &str = "only the child in hand moves, and all do at the end";
    const STOP: Stop = Stop { deadline: None, up: true, killed: false };
    fn put(it: &mut DynamicSupervision, at: Slot, state: State) {
        *it.children.get_mut(at).expect("a child of the supervisor") = state;
    }
    let rows: [(Break, &str); 16] = [
        (|it, at| it.set(at, State::Starting), HAND),
        (|it, at| it.set(at, State::Stopping(STOP)), HAND),
        (|it, at| it.phase = Phase::Starting { at, request: None }, HAND),
        (|it, at| it.phase = Phase::Stopping { at, request: RequestId(1) }, HAND),
        (|it, _| it.phase = Phase::Ending { deadline: None, reason: ExitReason::Normal }, HAND),
        (
            |it, at| it.set(at, State::Fallen { ticket: 7, reason: ExitReason::Normal }),
            "nobody is fallen between operations",
        ),
        (|it, at| it.deferred.push_back(Deferred::TryAgain { slot: at }), "nothing is put off"),
        (|it, at| put(it, at, State::Waiting { reason: ExitReason::Normal }), "of those who wait is"),
        (|it, at| put(it, at, State::Delayed { ticket: 7 }), "of those who wait is"),
        (
            |it, at| put(it, at, State::Running { readiness: Readiness::Awaited { deadline: None } }),
            "of those that are not ready is",
        ),
        (
            |it, at| {
                it.set(at, State::Delayed { ticket: 7 });
                it.rules.give(at, ChildRules { restart: Restart::Temporary, ..ChildRules::worker("o") });
            },
            "never waits for another start",
        ),
        (
            |it, at| {
                it.children.remove(at);
                it.rules.give(at, ChildRules::worker("o"));
            },
            "rules of their own are of children",
        ),
        (|it, _| drop(it.rules.change(None)), "without a template a child has rules of its own"),
        (|it, _| it.phase = Phase::New, "no child without a living supervisor"),
        (|it, _| it.phase = Phase::Ended, "no child without a living supervisor"),
        (
            |it, _| {
                let mut window = Intensity::new(1, SECOND);
                window.admit(Moment::START);
                it.tolerance = Tolerance::of(Intensity::new(1, SECOND), window.with_limit(0));
            },
            "the window holds no more than the limit",
        ),
    ];
    for (row, (break_it, expected)) in rows.into_iter().enumerate() {
        let (mut supervision, slots) = running(ChildRules::worker("t"), 2);
        supervision.check();
        break_it(&mut supervision, slots[1]);
        assert_found_out(row, expected, || supervision.check());
    }
}

#[test]
fn what_is_remembered_of_one_who_is_no_child_is_found_out() {
    let mut template = ChildRules::worker("t");
    template.policy_mut().backoff = Some(Backoff::new(SECOND, SECOND, SECOND));
    let (mut supervision, slots) = running(template, 1);
    let crash = Event::Exited { slot: slots[0], reason: ExitReason::Killed, charged: true };
    supervision.handle(crash, Moment::START, &mut Vec::new());
    supervision.check();
    supervision.children.remove(slots[0]);
    supervision.waiting = 0;
    assert_found_out(0, "records are of children", || supervision.check());
}

/// Whatever is broken shows after the next event, as long as there are few children; with more nobody looks.
#[test]
fn debug_builds_check_small_supervisors_after_every_event() {
    for (children, is_checked) in [(CHECKED_AFTER_EVERY_EVENT, true), (CHECKED_AFTER_EVERY_EVENT + 1, false)]
    {
        let (mut supervision, slots) = running(ChildRules::worker("t"), children);
        supervision.rules.give(Slot::FIRST, ChildRules::worker("o"));
        supervision.children.remove(Slot::FIRST);
        supervision.children.add(State::Running { readiness: Readiness::Undeclared });
        let mut news = || supervision.handle(Event::Ready(slots[1]), Moment::START, &mut Vec::new());
        if is_checked { assert_found_out(children, "of children", news) } else { news() }
    }
}

/// Nobody looks at a million children for one that is not ready if there is none, nor beyond the last.
#[test]
fn those_that_are_not_ready_are_looked_for_only_if_there_are_any() {
    let mut template = ChildRules::worker("t");
    template.policy_mut().readiness = Some(ReportsReady { within: None });
    let (mut supervision, slots) = running(template, 1_000);
    assert!(supervision.unready().eq(slots.iter().copied()) && !supervision.is_ready());
    for &slot in &slots[1..] {
        supervision.handle(Event::Ready(slot), Moment::START, &mut Vec::new());
    }
    let before = supervision.children.looks();
    assert!(supervision.unready().eq([slots[0]]));
    assert!(supervision.children.looks() - before <= 2, "only the first is left");
    supervision.handle(Event::Ready(slots[0]), Moment::START, &mut Vec::new());
    let before = supervision.children.looks();
    assert!(supervision.unready().next().is_none() && supervision.is_ready());
    assert_eq!(supervision.children.looks(), before, "nobody is left");
}

/// How many places are looked at from the first start to the last stop, in this order, of so many children.
fn cost_of(children: usize, order: fn(usize, usize) -> usize) -> u64 {
    let (mut supervision, slots) = running(ChildRules::worker("t"), children);
    let mut commands = Vec::new();
    for slot in (0..children).map(|at| slots[order(children, at)]) {
        let stop = Request::TerminateChild(Which::Instance(slot));
        supervision.handle(Event::Asked(RequestId(0), stop), Moment::START, &mut commands);
        let gone = Event::Exited { slot, reason: ExitReason::Shutdown, charged: true };
        supervision.handle(gone, Moment::START, &mut commands);
        commands.clear();
    }
    assert!(supervision.children.is_empty());
    supervision.children.looks()
}

/// Ten times the children, about ten times the places that are looked at, in whatever order they are stopped; to close the
/// holes that they leave is part of it.
///
/// OTP: SUP-155, SUP-183.
#[test]
fn to_start_and_stop_a_child_costs_the_same_however_many_there_are() {
    type Order = fn(usize, usize) -> usize;
    let orders: [(&str, Order); 4] = [
        ("first to last", |_, at| at),
        ("last to first", |all, at| all - 1 - at),
        ("from the middle out", |all, at| if at % 2 == 0 { all / 2 + at / 2 } else { all / 2 - 1 - at / 2 }),
        ("scattered", |all, at| at * 7_919 % all),
    ];
    for (name, order) in orders {
        let (few, many) = (cost_of(10_000, order), cost_of(100_000, order));
        assert!(few >= 10_000, "{name}: nobody counts");
        // Where a place is found by halving, ten times as many are three or four looks more.
        assert!(many < 12 * few, "{name}: {many} looks at 100,000 children, {few} at 10,000");
        assert!(many < 60 * 100_000, "{name}: {many} looks at 100,000 children");
    }
}

/// At the end, too, and in whatever order they go.
///
/// OTP: SUP-155.
#[test]
fn to_end_with_many_children_costs_the_same_for_each() {
    let looks = |children: usize| {
        let (mut supervision, mut slots) = running(ChildRules::worker("t"), children);
        let mut commands = Vec::new();
        let before = supervision.children.looks();
        supervision.handle(Event::Stop(ExitReason::Shutdown), Moment::START, &mut commands);
        slots.rotate_left(children / 3);
        for slot in slots {
            let gone = Event::Exited { slot, reason: ExitReason::Shutdown, charged: true };
            supervision.handle(gone, Moment::START, &mut commands);
        }
        assert_eq!(commands.pop(), Some(Command::Exit(ExitReason::Shutdown)));
        supervision.children.looks() - before
    };
    let (few, many) = (looks(10_000), looks(100_000));
    assert!(few >= 10_000, "nobody counts");
    assert!(many < 12 * few, "{many} looks at 100,000 children, {few} at 10,000");
    assert!(many < 60 * 100_000, "{many} looks at 100,000 children");
}
