//! Significant children, reports, refused specifications, and size.

use super::*;

#[test]
fn any_significant_sup_121_122_123_128() {
    check(
        "one_for_one  9 in 5s  a:perm b:tran:sig c:temp any
         c panics     forget c
         b panics     start b
         b up         -
         b exits normal   stop a
         a exits shutdown  exit shutdown",
    );
    check(
        "one_for_one  9 in 5s  a:temp:sig b:tran any
         b exits normal  -
         a exits killed  forget a, exit shutdown",
    );
}

#[test]
fn all_significant_sup_124_125() {
    check(
        "one_for_one  9 in 5s  a:tran:sig b:temp:sig c:perm all
         b exits normal  forget b
         a panics     start a
         a up         -
         a exits normal  stop c
         c exits shutdown  exit shutdown",
    );
    // One that waits for its next attempt counts as running.
    check(
        "one_for_one  9 in 5s  a:tran:sig b:temp:sig all
         a panics     start a
         a fails      retry a
         b panics     forget b
         a retry      start a
         a up         -
         a exits normal  exit shutdown",
    );
    // So does one whose end has not been looked at.
    check(
        "one_for_one  9 in 5s  a:temp:sig b:temp:sig c:perm all
         c panics     start c
         a panics     -
         b panics     -
         c up         forget a, forget b, stop c",
    );
}

#[test]
fn significant_children_stopped_by_a_group_restart_do_not_count_sup_127() {
    check(
        "one_for_all  9 in 5s  a:perm b:temp:sig c:tran:sig any
         a panics     stop c
         b panics     -
         c exits normal  forget b, start a
         a up         start c
         c up         -
         c exits normal  stop a",
    );
}

#[test]
fn every_decision_is_reported_before_its_commands_sup_158() {
    check_with_reports(
        "one_for_one  2 in 5s  a:perm b:tran c:temp
         a panics     (a Restart 1/2), start a
         a fails      (a TryAgain 1/2), retry a
         a retry      (a Restart 2/2), start a
         a up         -
         b exits normal  (b LeaveDown 2/2)
         c panics     (c Forget 2/2), forget c
         a panics     (a GiveUp 2/2), exit shutdown",
    );
    check_with_reports(
        "one_for_all  2 in 5s  a:perm b:tran:1s c:temp
         a panics     (a RestartGroup 1/2), stop c
         c exits normal  (c ForgetStopped 1/2), forget c, stop b, deadline b 1s
         wait 1s      -
         b late       (b KillAfterDeadline 1/2), kill b
         b exits killed  epoch a, epoch b, start a
         a ignores    (a Ignore 1/2), start b
         b up         -",
    );
    check_with_reports(
        "one_for_one  2 in 5s  a:perm b:perm c:tran:sig any
         c exits normal  (c LeaveDown 0/2), (c AutoShutdown 0/2), stop b
         b exits normal  (b StoppedOtherwise 0/2), stop a
         a exits shutdown  exit shutdown",
    );
    check_with_reports(
        "one_for_one  2 in 5s  a:perm b:perm
         start        start a
         a up         start b
         b fails      (b StartFailed 0/2), stop a
         a exits shutdown  exit shutdown: child `b` failed to start: boom",
    );
}

#[test]
fn what_is_refused_and_how_it_is_said_sup_009_010_011_130() {
    let second = Duration::from_secs(1);
    let any = AutoShutdown::AnySignificant;
    let refusal = |period, auto_shutdown, children: &[&str]| {
        let children = children.iter().map(|text| child(text)).collect();
        Rules::new(Strategy::OneForOne, 1, period, auto_shutdown, children).expect_err("refused").to_string()
    };
    assert_eq!(
        refusal(second, any, &["a", "b", "a"]),
        "children 0 and 2 are both called `a`; give one of them another id"
    );
    assert_eq!(refusal(second, any, &["a", ""]), "child 1 has an empty id; give it a name");
    assert!(refusal(Duration::ZERO, any, &["a"]).contains("period"));
    assert!(refusal(second, any, &["a:perm:sig"]).contains("permanent"));
    assert!(refusal(second, AutoShutdown::Never, &["a:tran:sig"]).contains("auto-shutdown"));
}

#[test]
fn defaults_sup_013() {
    let (worker, supervisor) = (ChildRules::worker("w"), ChildRules::supervisor("s"));
    assert_eq!(worker.restart, Restart::Permanent);
    assert_eq!(worker.shutdown, Shutdown::Within(Duration::from_secs(5)));
    assert_eq!(supervisor.shutdown, Shutdown::Infinity);
    assert!(!worker.significant && !supervisor.significant);
}

#[test]
fn a_failed_start_tells_its_causes_once_through_nested_supervisors_sup_019() {
    let inner = StartFailed::new("z".into(), ExitReason::error(std::fmt::Error));
    let outer = StartFailed::new("s".into(), ExitReason::shutdown_with(inner));
    assert_eq!(outer.child().as_ref(), "s");
    assert!(outer.source().is_some_and(|source| source.is::<StartFailed>()));
    assert_eq!(
        ExitReason::shutdown_with(outer).to_string(),
        "shutdown: child `s` failed to start: shutdown: child `z` failed to start: error: \
         an error occurred when formatting an argument"
    );
}

#[test]
fn a_forgotten_slot_finds_nothing_and_the_rest_keep_their_order_sup_027() {
    let mut supervision =
        Supervision::new(rules(&["one_for_one", "1", "in", "5s", "a", "b:temp", "c"]).expect("valid"));
    let slots: Vec<Slot> = supervision.slots().collect();
    let mut commands = Vec::new();
    supervision.handle(Event::Start, Moment::START, &mut commands);
    slots.iter().for_each(|&slot| supervision.handle(Event::Started(slot), Moment::START, &mut commands));
    supervision.handle(
        Event::Exited { slot: slots[1], reason: ExitReason::Normal, charged: true },
        Moment::START,
        &mut commands,
    );
    assert_eq!(commands.last(), Some(&Command::Forget(slots[1])));
    assert!(supervision.child(slots[1]).is_none() && supervision.state(slots[1]).is_none());
    assert_eq!(supervision.slots().collect::<Vec<_>>(), [slots[0], slots[2]]);
    assert_eq!(supervision.slots().map(Slot::number).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(supervision.state(slots[2]), Some(ChildState::Running));
}

/// A one-for-one restart looks at no sibling: with a million of them ten thousand restarts would not end otherwise.
#[test]
fn a_million_children_and_one_that_crashes_sup_155() {
    const MANY: usize = 1_000_000;
    const TIMES: u32 = 10_000;
    let children = (0..MANY).map(|n| ChildRules::worker(&format!("{n:07}"))).collect();
    let minute = Duration::from_secs(60);
    let rules = Rules::new(Strategy::OneForOne, TIMES, minute, AutoShutdown::Never, children).expect("valid");
    let mut supervision = Supervision::new(rules);
    let mut commands = Vec::with_capacity(8);
    let mut last = None;
    supervision.handle(Event::Start, Moment::START, &mut commands);
    while let Some(Command::Start(slot)) = commands.pop() {
        last = Some(slot);
        supervision.handle(Event::Started(slot), Moment::START, &mut commands);
    }
    let slot = last.expect("a last child");
    assert_eq!(slot.number(), MANY as u64 - 1);
    for _ in 0..TIMES {
        supervision.handle(
            Event::Exited { slot, reason: ExitReason::Killed, charged: true },
            Moment::START,
            &mut commands,
        );
        assert_eq!(commands.pop(), Some(Command::Start(slot)));
        supervision.handle(Event::Started(slot), Moment::START, &mut commands);
        assert_eq!(commands.len(), 1, "one report and nothing else");
        commands.clear();
    }
}
