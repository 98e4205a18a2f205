//! Invariants, each broken by hand in a state that is whole but for that.

use super::*;
use crate::command::Part;
use crate::found_out::assert_found_out;
use crate::going_well::outcome;
use crate::intensity::Intensity;
use crate::{Budget, Change, Likeness, Own, Restart, Shutdown, Standing, Stands};
use alloc::vec;
use core::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// `c` needs `b`, and `b` needs `a`; all are up.
fn chain() -> GraphSupervision {
    let child = |id: &str, needs: &[&str]| {
        let mut rules = ChildRules::worker(id);
        rules.shutdown = Shutdown::Infinity;
        rules.policy_mut().needs = needs.iter().map(|need| Arc::from(*need)).collect();
        rules
    };
    let children = vec![child("a", &[]), child("b", &["a"]), child("c", &["b"])];
    let rules = NeedsRules::new(1, SECOND, AutoShutdown::Never, children).expect("valid");
    let mut supervision = GraphSupervision::new(rules);
    let mut events = vec![Event::Start];
    events.extend(supervision.slots().map(Event::Started));
    for event in events {
        supervision.handle(event, Moment::START, &mut Vec::new());
    }
    supervision
}

fn regroups(supervision: &mut GraphSupervision, slot: Slot) {
    supervision.children.get_mut(slot).expect("it is there").regroups = true;
}

#[test]
fn a_broken_graph_is_found_out() {
    type Breaks = fn(&mut GraphSupervision, [Slot; 3]);
    let rows: [(&str, Breaks); 21] = [
        ("whoever may stop is told", |it, [.., c]| regroups(it, c)),
        ("a child is found by its id", |it, [.., c]| {
            it.by_id.insert("a".into(), c);
        }),
        ("no child without a living supervisor", |it, _| it.phase = Phase::Ended),
        ("nobody comes up at the end", |it, [a, b, c]| {
            it.phase = Phase::Ending(ExitReason::Normal);
            for slot in [a, b] {
                it.set(slot, State::Down(Cause::Stopped));
            }
            it.set(c, State::Due(Purpose::Restart));
        }),
        ("whoever may start is started", |it, [.., c]| it.set(c, State::Due(Purpose::Restart))),
        ("a group that is gone comes up", |it, [.., c]| {
            it.set(c, State::Down(Cause::Stopped));
            regroups(it, c);
        }),
        ("a temporary child never waits for another start", |it, [.., c]| {
            it.set(c, State::Waiting { reason: ExitReason::Killed });
            it.children.get_mut(c).expect("it is there").rules.restart = Restart::Temporary;
        }),
        ("a wait begins when the group has gone", |it, [.., c]| {
            it.set(c, State::Held(Delay { earliest: SECOND, latest: SECOND }));
        }),
        ("a deadline belongs to a shutdown within a time", |it, [.., c]| {
            let stop = Stop { deadline: Some(Moment::START), up: true, killed: false };
            it.set(c, State::Stopping { stop, then: Then::Down, request: None });
        }),
        ("no id outlives its child", |it, [a, ..]| {
            it.by_id.insert("z".into(), a);
        }),
        ("everyone stands in the relation of needs", |it, _| it.needs = Needs::of(&[])),
        ("a request waits for somebody on the move", |it, _| {
            it.deferred.push_back(Deferred::Asked(RequestId(1), Request::CountChildren));
        }),
        ("a request waits for somebody on the move", |it, [a, ..]| {
            it.deferred.push_back(Deferred::TryAgain { slot: a });
        }),
        ("an end is judged as soon as nothing holds it up", |it, [.., c]| {
            it.set(c, State::Fallen { reason: ExitReason::Killed, ticket: 1 });
        }),
        ("a change starts whom it starts", |it, [.., c]| it.set(c, State::Starting(Purpose::Change))),
        ("a change holds up or does not", |it, _| it.phase = Phase::HeldUp),
        ("whoever is to be held is", |it, [a, ..]| changes(it, Part::Hold, a)),
        ("whoever may leave does", |it, [.., c]| changes(it, Part::Stops, c)),
        ("a change that is done is over", |it, [a, ..]| {
            changes(it, Part::Starts, a);
            it.change.as_mut().expect("it has been set").is_done_for(a);
            it.phase = Phase::Up;
        }),
        ("the window holds no more than the limit", |it, _| {
            let mut full = Intensity::new(1, SECOND);
            full.admit(Moment::START);
            it.tolerance = Tolerance::of(full.with_limit(0), Intensity::new(0, SECOND));
        }),
        ("records are of children", |it, _| {
            let policy = Policy { budget: Some(Budget { restarts: 1, period: SECOND }), ..Policy::default() };
            let nobody = it.children.end();
            it.records.failed(nobody, Some(&policy), Moment::START);
        }),
    ];
    for (row, (expected, breaks)) in rows.into_iter().enumerate() {
        let mut supervision = chain();
        supervision.check();
        let slots: Vec<Slot> = supervision.slots().collect();
        breaks(&mut supervision, slots.try_into().expect("three"));
        assert_found_out(row, expected, || supervision.check());
    }
}

/// A change to the same rules has come to this part, and is not done for this child.
fn changes(it: &mut GraphSupervision, part: Part, open: Slot) {
    let children = it.children.iter().map(|(_, child)| child.rules.clone()).collect();
    let rules = NeedsRules::new(1, SECOND, AutoShutdown::Never, children).expect("valid");
    let change = Change::by_needs(&it.outline(), rules, |_, _| Likeness::Inside);
    let mut progress = Progress::new(change, RequestId(1), false);
    progress.come_to(part, open);
    it.change = Some(Box::new(progress));
    it.phase = Phase::HeldUp;
}

/// It is changing from when it has been compared until it is answered; and whoever leaves while it waits for another attempt
/// does so for what it failed with.
#[test]
fn when_a_change_is_in_hand_and_why_somebody_leaves() {
    let mut supervision = chain();
    let [.., c] = supervision.slots().collect::<Vec<_>>()[..] else { panic!("three") };
    let (mut commands, failed) = (Vec::new(), ExitReason::other("no disk"));
    let killed = Event::Exited { slot: c, reason: ExitReason::Killed, charged: true };
    for event in [killed, Event::StartFailed(c, failed.clone())] {
        supervision.handle(event, Moment::START, &mut commands);
    }
    let mut handle = |event| {
        supervision.handle(event, Moment::START, &mut commands);
        (supervision.is_changing(), supervision.outline())
    };
    let (is_changing, now) = handle(Event::Asked(RequestId(1), Request::Change { in_parts: false }));
    assert!(!is_changing, "it is to be compared");
    let mut children: Vec<ChildRules> = now.children.iter().map(|child| child.rules.clone()).collect();
    children.pop();
    let rules = NeedsRules::new(1, SECOND, AutoShutdown::Never, children).expect("valid");
    let likeness =
        |child: &Standing, _| if *child.rules.id == *"a" { Likeness::Inside } else { Likeness::Same };
    let change = Change::by_needs(&now, rules, likeness);
    let a = now.children[0].slot;
    assert!(handle(Event::Compared(Box::new(Ok(change)))).0);
    assert!(handle(Event::PartDone(a, true)).0, "it is held");
    let (is_changing, now) = handle(Event::PartDone(a, true));
    assert!(is_changing, "the starts are still to come");
    assert!(!handle(Event::PartDone(now.children[0].slot, true)).0, "it has been answered");
    let removed = commands.iter().find_map(|command| match command {
        Command::Report(report) if report.decision == Decision::Remove => Some(report.reason.clone()),
        _ => None,
    });
    assert_eq!(removed, Some(failed));
}

#[test]
fn how_children_stand_in_an_outline() {
    let mut supervision = chain();
    let [a, ..] = supervision.slots().collect::<Vec<_>>()[..] else { panic!("three") };
    let stop = Stop { deadline: None, up: true, killed: false };
    let delay = Delay { earliest: SECOND, latest: SECOND };
    let readiness = supervision.at(a).readiness().expect("it is up");
    let rows = [
        (State::Running { readiness }, Stands::Up),
        (State::Down(Cause::Finished), Stands::Finished),
        (State::Down(Cause::NothingToRun), Stands::Down),
        (State::Down(Cause::Stopped), Stands::Down),
        (State::Disabled, Stands::Disabled),
        (State::Due(Purpose::Restart), Stands::Waiting),
        (State::Waiting { reason: ExitReason::Killed }, Stands::Waiting),
        (State::Held(delay), Stands::Waiting),
        (State::Delayed { ticket: 1, earliest: Moment::START, latest: Moment::START }, Stands::Waiting),
        (State::Starting(Purpose::Restart), Stands::Up),
        (State::Stopping { stop, then: Then::Down, request: None }, Stands::Down),
        (State::Stopping { stop, then: Then::Disabled, request: None }, Stands::Disabled),
        (State::Stopping { stop, then: Then::Due(Purpose::Restart), request: None }, Stands::Up),
        (State::Fallen { reason: ExitReason::Killed, ticket: 1 }, Stands::Down),
    ];
    for (state, expected) in rows {
        let row = alloc::format!("{state:?}");
        supervision.set(a, state);
        let outline = supervision.outline();
        let stands: Vec<Stands> = outline.children.iter().map(|child| child.stands).collect();
        assert_eq!(stands, [expected, Stands::Up, Stands::Up], "{row}");
        let own = Own {
            strategy: None,
            limit: 1,
            period: SECOND,
            auto_shutdown: AutoShutdown::Never,
            max_children: usize::MAX,
        };
        assert_eq!(outline.own, own);
    }
}

#[test]
fn what_it_goes_by_and_whether_it_answers() {
    let mut significant = ChildRules::worker("a");
    (significant.significant, significant.restart) = (true, Restart::Transient);
    let rules = NeedsRules::new(3, SECOND, AutoShutdown::AllSignificant, vec![significant]).expect("valid");
    assert_eq!((rules.limit(), rules.period()), (3, SECOND));
    assert_eq!(rules.auto_shutdown(), AutoShutdown::AllSignificant);
    let mut supervision = GraphSupervision::new(rules);
    assert_eq!(supervision.level(), Level { limit: 3, period: SECOND });
    assert_eq!(supervision.auto_shutdown(), AutoShutdown::AllSignificant);
    let slot = supervision.slots().next().expect("one");
    let mut handle = |event| {
        supervision.handle(event, Moment::START, &mut Vec::new());
        (supervision.takes_requests(), supervision.state(slot))
    };
    use ChildState::*;
    assert_eq!(handle(Event::Start), (false, Some(Starting)));
    assert_eq!(handle(Event::Started(slot)), (true, Some(Running)));
    assert_eq!(handle(Event::Stop(ExitReason::Shutdown)), (false, Some(Stopping)));
    let reason = ExitReason::Shutdown;
    assert_eq!(handle(Event::Exited { slot, reason, charged: true }), (false, Some(Gone)));
}

/// Debug builds look at everything after each event.
#[test]
fn what_is_broken_is_found_out_by_the_next_event() {
    let mut supervision = chain();
    supervision.by_id.clear();
    let event = Event::EndDeadline;
    let handle = || supervision.handle(event, Moment::START, &mut Vec::new());
    assert_found_out(0, "a child is found by its id", handle);
}

/// By needs every event looks at all of them, and so do a start, a change that replaces them all, and what is said of who waits:
/// as often as there are events, and no oftener.
#[test]
fn an_event_costs_a_few_looks_at_each_child() {
    let looks = |children: usize| {
        // In threes: two need the first.
        let child = |number: usize| {
            let mut rules = ChildRules::worker(&alloc::format!("{number}"));
            let first = number - number % 3;
            if first < number {
                rules.policy_mut().needs = [Arc::from(alloc::format!("{first}"))].into();
            }
            rules
        };
        let rules = || {
            let children = (0..children).map(child).collect();
            NeedsRules::new(1, SECOND, AutoShutdown::Never, children).expect("valid")
        };
        let mut supervision = GraphSupervision::new(rules());
        let (mut commands, mut applied, mut count) = (Vec::new(), 0, 0);
        let mut events = VecDeque::from([Event::Start]);
        while let Some(event) = events.pop_front() {
            count += 1;
            supervision.handle(event, Moment::START, &mut commands);
            assert!(supervision.waits().len() <= 1);
            for command in commands.drain(..) {
                applied += usize::from(matches!(command, Command::Answer(_, Answer::Applied(_))));
                let change = || Change::by_needs(&supervision.outline(), rules(), |_, _| Likeness::Other);
                events.extend(outcome(&command, change));
            }
        }
        assert_eq!((applied, count), (1, 3 * children as u64 + 3));
        supervision.children.looks() / count / children as u64
    };
    let (few, many) = (looks(60), looks(600));
    assert!(few >= 1, "nobody counts");
    assert!(many <= 2 * few && many < 60, "{many} looks at each of 600 children at an event, {few} of 60");
}
