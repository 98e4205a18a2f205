//! Questions as rows: what is listed, found and counted while children stand in every way, in both kinds of supervisor.
//! And the reports of a dynamic supervisor.

use super::*;
use minder_supervisors_core::{Answer, Counts, Decision, Kind, Listed, Refusal};

/// A supervisor that has been asked for something, and answers on the spot.
fn answer(supervision: &mut Either, request: Request) -> Answer {
    let mut commands = Vec::new();
    supervision.handle(Event::Asked(RequestId(9), request), Moment::START, &mut commands);
    match commands.pop() {
        Some(Command::Answer(RequestId(9), answer)) => answer,
        other => panic!("no answer but {other:?}"),
    }
}

fn handle(supervision: &mut Either, events: impl IntoIterator<Item = Event>) -> Vec<Command> {
    let mut commands = Vec::new();
    for event in events {
        supervision.handle(event, Moment::START, &mut commands);
    }
    commands
}

/// OTP: SUP-148, SUP-149, SUP-156, SUP-150.
#[test]
fn a_fixed_supervisor_lists_finds_and_counts() {
    let mut tran = ChildRules::worker("c");
    tran.restart = Restart::Transient;
    let children = vec![
        ChildRules::supervisor("a"),
        ChildRules::worker("b"),
        tran,
        ChildRules::supervisor("d"),
        ChildRules::worker("e"),
    ];
    let rules =
        Rules::new(Strategy::OneForOne, 9, Duration::from_secs(5), AutoShutdown::Never, children.clone());
    let supervision = Supervision::new(rules.expect("valid"));
    let slots: Vec<Slot> = supervision.slots().collect();
    let mut supervision = Either::Fixed(supervision);
    handle(&mut supervision, [Event::Start]);
    handle(&mut supervision, slots.iter().map(|slot| Event::Started(*slot)));
    let exited = |at: usize, reason| Event::Exited { slot: slots[at], reason, charged: true };
    // `b` waits for another attempt, `c` is done, `d` was stopped.
    handle(
        &mut supervision,
        [exited(1, ExitReason::Killed), Event::StartFailed(slots[1], ExitReason::Killed)],
    );
    handle(&mut supervision, [exited(2, ExitReason::Normal)]);
    let stop = Event::Asked(RequestId(1), Request::TerminateChild(Which::Id("d".into())));
    handle(&mut supervision, [stop, exited(3, ExitReason::Shutdown)]);

    let states =
        [ChildState::Running, ChildState::Waiting, ChildState::Gone, ChildState::Gone, ChildState::Running];
    let listed: Vec<Listed> = (0..5)
        .map(|at| Listed {
            slot: slots[at],
            id: children[at].id.clone(),
            state: states[at],
            kind: children[at].kind,
            ready: None,
        })
        .collect();
    let newest_first = listed.iter().rev().cloned().collect();
    assert_eq!(answer(&mut supervision, Request::WhichChildren), Answer::Children(newest_first));
    for (listed, rules) in listed.into_iter().zip(children) {
        let which = Which::Id(rules.id.clone());
        assert_eq!(answer(&mut supervision, Request::WhichChild(which.clone())), Answer::Child(listed));
        assert_eq!(answer(&mut supervision, Request::ChildSpec(which)), Answer::ChildSpec(rules));
    }
    let counts = Counts { specs: 5, active: 2, supervisors: 2, workers: 3 };
    assert_eq!(answer(&mut supervision, Request::CountChildren), Answer::Counts(counts));
    let unknown = [Which::Id("f".into()), Which::Instance(slots[0]), Which::Gone, Which::Stranger];
    for which in unknown {
        for request in [Request::WhichChild(which.clone()), Request::ChildSpec(which)] {
            assert_eq!(answer(&mut supervision, request), Answer::Refused(Refusal::NotFound));
        }
    }
}

/// OTP: SUP-175, SUP-179.
#[test]
fn a_dynamic_supervisor_lists_finds_and_counts() {
    for kind in [Kind::Worker, Kind::Supervisor] {
        let mut template = ChildRules::worker("t");
        template.kind = kind;
        let rules =
            DynamicRules::new(template.clone(), 9, Duration::from_secs(5), usize::MAX).expect("valid");
        let mut supervision = Either::Dynamic(DynamicSupervision::new(rules));
        handle(&mut supervision, [Event::Start]);
        let mut slots = Vec::new();
        for number in 0..3 {
            let asked = Event::Asked(RequestId(number), Request::StartInstance);
            let commands = handle(&mut supervision, [asked]);
            let Some(Command::Add(slot, _)) = commands.first() else { panic!("{commands:?}") };
            handle(&mut supervision, [Event::Started(*slot)]);
            slots.push(*slot);
        }
        let died = Event::Exited { slot: slots[1], reason: ExitReason::Killed, charged: true };
        handle(&mut supervision, [died, Event::StartFailed(slots[1], ExitReason::Killed)]);

        let states = [ChildState::Running, ChildState::Waiting, ChildState::Running];
        let listed: Vec<Listed> = (slots.iter().zip(states))
            .map(|(slot, state)| Listed { slot: *slot, id: "t".into(), state, kind, ready: None })
            .collect();
        assert_eq!(answer(&mut supervision, Request::WhichChildren), Answer::Children(listed.clone()));
        let (supervisors, workers) = if kind == Kind::Supervisor { (3, 0) } else { (0, 3) };
        let counts = Counts { specs: 1, active: 2, supervisors, workers };
        assert_eq!(answer(&mut supervision, Request::CountChildren), Answer::Counts(counts));
        let spec = Answer::ChildSpec(template);
        let (no, dynamic) = (Answer::Refused(Refusal::NotFound), Answer::Refused(Refusal::Dynamic));
        let rows = [
            (Which::Instance(slots[1]), Answer::Child(listed[1].clone()), &spec),
            (Which::Id("t".into()), dynamic.clone(), &spec),
            (Which::Id("u".into()), dynamic, &no),
            (Which::Gone, no.clone(), &spec),
            (Which::Stranger, no.clone(), &no),
        ];
        for (which, child, spec) in rows {
            assert_eq!(answer(&mut supervision, Request::WhichChild(which.clone())), child, "{which:?}");
            assert_eq!(answer(&mut supervision, Request::ChildSpec(which.clone())), *spec, "{which:?}");
        }
    }
}

/// OTP: SUP-158.
#[test]
fn what_a_dynamic_supervisor_reports() {
    check_with_reports(
        "dynamic  2 in 5s  t:tran:2s
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         ask 2 instance     add #1, start 1
         1 up               answer 2 Started(#1)
         ask 3 instance     add #2, start 2
         2 ignores          (t Ignore 0/2), forget 2, answer 3 Ignored
         0 panics           (t Restart 1/2), start 0
         0 fails            (t TryAgain 1/2), retry 0
         0 retry            (t Restart 2/2), start 0
         0 up               -
         ask 4 terminate 0  stop 0, deadline 0 2s
         wait 2s            -
         0 late             (t KillAfterDeadline 2/2), kill 0
         0 exits killed     (t ForgetStopped 2/2), forget 0, answer 4 Done
         ask 5 terminate 1  stop 1, deadline 1 2s
         1 panics           (t StoppedOtherwise 2/2), (t ForgetStopped 2/2), forget 1, answer 5 Done
         ask 6 instance     add #3, start 3
         3 up               answer 6 Started(#3)
         3 exits normal     (t Forget 2/2), forget 3
         ask 7 instance     add #4, start 4
         4 up               answer 7 Started(#4)
         4 panics           (t GiveUp 2/2), exit shutdown",
    );
}

#[test]
fn what_a_supervisor_goes_by_can_be_asked() {
    use {AutoShutdown::*, Strategy::*};
    for (strategy, auto_shutdown) in [(OneForAll, AnySignificant), (RestForOne, AllSignificant)] {
        let (limit, period) = (7, Duration::from_secs(3));
        let supervision =
            Supervision::new(Rules::new(strategy, limit, period, auto_shutdown, Vec::new()).expect("valid"));
        assert_eq!((supervision.strategy(), supervision.auto_shutdown()), (strategy, auto_shutdown));
        assert_eq!((supervision.level().limit, supervision.level().period), (limit, period));
    }
}

#[test]
fn who_keeps_a_supervisor_from_being_ready_is_known_from_before_its_start() {
    let header = ["one_for_one", "1", "in", "5s", "a:perm", "b:perm:reports"];
    let mut supervision = Supervision::new(rules(&header).expect("valid"));
    let slots: Vec<Slot> = supervision.slots().collect();
    let mut commands = Vec::new();
    let up = slots.iter().map(|slot| Event::Started(*slot));
    for event in std::iter::once(Event::Start).chain(up) {
        assert!(!supervision.is_ready());
        assert!(supervision.unready().eq([slots[1]]), "{supervision:?}");
        supervision.handle(event, Moment::START, &mut commands);
    }
    assert!(!supervision.is_ready() && supervision.unready().eq([slots[1]]));
    supervision.handle(Event::Ready(slots[1]), Moment::START, &mut commands);
    assert!(supervision.is_ready() && supervision.unready().next().is_none());
}

#[test]
fn a_report_of_a_restart_that_waits_says_how_long() {
    for (strategy, decision) in
        [("one_for_one", Decision::RestartLater), ("one_for_all", Decision::RestartGroupLater)]
    {
        let header = [strategy, "9", "in", "5s", "a:perm:backoff=1s/3s/10s"];
        let mut supervision = Supervision::new(rules(&header).expect("valid"));
        let slot = supervision.slots().next().expect("one child");
        let mut commands = Vec::new();
        let died = Event::Exited { slot, reason: ExitReason::Killed, charged: true };
        for event in [Event::Start, Event::Started(slot), died] {
            supervision.handle(event, Moment::START, &mut commands);
        }
        let reports = commands.iter().filter_map(|command| match command {
            Command::Report(report) => Some((report.decision, report.delay.map(|delay| delay.latest))),
            _ => None,
        });
        assert!(reports.eq([(decision, Some(Duration::from_secs(1)))]), "{commands:?}");
    }
}
