//! Dynamic supervisors whose children bring rules of their own, as rows: all of them where there is no template, or some
//! beside it. EXD-001 to EXD-008.

use super::dynamic::knows_who_is_not_ready;
use super::*;
use minder_supervisors_core::{Answer, Counts, Kind, Listed, Refusal};

/// Ids are not looked at, each is restarted by its own rules, and whoever is gone leaves nothing.
///
/// OTP: EXD-001, EXD-004, EXD-005.
#[test]
fn children_live_by_their_own_rules_and_ids_may_be_the_same() {
    check_with_reports(
        "dynamic  3 in 5s  none
         start                 ready
         ask 1 start a:perm    add #0, start 0
         0 up                  answer 1 Started(#0)
         ask 2 start a:temp    add #1, start 1
         ask 3 start b:tran    -
         1 up                  answer 2 Started(#1), add #2, start 2
         2 fails               forget 2, answer 3 Refused(StartFailed(boom))
         ask 4 start b:tran    add #3, start 3
         3 ignores             (b Ignore 0/3), forget 3, answer 4 Ignored
         ask 5 start b:tran    add #4, start 4
         4 up                  answer 5 Started(#4)
         0 exits normal        (a Restart 1/3), start 0
         0 fails               (a TryAgain 1/3), retry 0
         0 retry               (a Restart 2/3), start 0
         0 up                  -
         1 panics              (a Forget 2/3), forget 1
         4 panics              (b Restart 3/3), start 4
         4 up                  -
         4 exits normal        (b Forget 3/3), forget 4
         0 panics              (a GiveUp 3/3), exit shutdown",
    );
}

/// OTP: EXD-002.
#[test]
fn no_more_children_than_it_may_hold() {
    check(
        "dynamic  5 in 5s  none 1
         ask 1 start a:perm    add #0, start 0
         0 up                  answer 1 Started(#0)
         0 panics              start 0
         0 fails               retry 0
         ask 2 start b:perm    answer 2 Refused(TooMany)
         ask 3 start b:perm:off  answer 3 Refused(Invalid(DisabledInstance(\"b\")))
         ask 4 terminate 0     forget 0, answer 4 Done
         ask 5 start b:perm    add #1, start 1",
    );
}

/// By request each within its own time; who is gone is found no more.
///
/// OTP: EXD-006.
#[test]
fn one_is_stopped_by_its_own_setting() {
    check_with_reports(
        "dynamic  5 in 5s  none
         ask 1 start a:perm:kill  add #0, start 0
         0 up                     answer 1 Started(#0)
         ask 2 start a:perm:2s    add #1, start 1
         1 up                     answer 2 Started(#1)
         ask 3 start a:temp       add #2, start 2
         2 up                     answer 3 Started(#2)
         ask 4 terminate 0        kill 0
         0 exits killed           (a ForgetStopped 0/5), forget 0, answer 4 Done
         ask 5 terminate 0        answer 5 Refused(NotFound)
         ask 6 terminate 1        stop 1, deadline 1 2s
         ask 7 terminate 1        -
         ask 8 terminate 2        -
         wait 2s                  -
         1 late                   (a KillAfterDeadline 0/5), kill 1
         1 exits killed           (a ForgetStopped 0/5), forget 1, answer 6 Done, answer 7 Refused(NotFound), stop 2
         2 exits normal           (a ForgetStopped 0/5), forget 2, answer 8 Done",
    );
}

/// All at once, and whoever is killed is killed by its own setting: at once, after its own time, or never.
///
/// OTP: EXD-007.
#[test]
fn at_the_end_each_has_its_own_time() {
    check_with_reports(
        "dynamic  5 in 5s  none
         ask 1 start a:perm:kill  add #0, start 0
         0 up                     answer 1 Started(#0)
         ask 2 start b:perm:3s    add #1, start 1
         1 up                     answer 2 Started(#1)
         ask 3 start c:perm       add #2, start 2
         2 up                     answer 3 Started(#2)
         ask 4 start d:perm:0s    add #3, start 3
         3 up                     answer 4 Started(#3)
         ask 5 start e:perm:1s    add #4, start 4
         4 up                     answer 5 Started(#4)
         ask 6 start f:tran:1s    add #5, start 5
         stop shutdown  kill 0, stop 1, deadline 1 3s, stop 2, stop 3, kill 3, stop 4, deadline 4 1s, stop 5, deadline 5 1s
         0 exits killed           -
         3 exits killed           (d StoppedOtherwise 0/5)
         wait 1s                  -
         end late                 -
         1 late                   -
         4 late                   (e KillAfterDeadline 0/5), kill 4
         5 late                   (f KillAfterDeadline 0/5), kill 5
         5 fails                  -
         4 exits killed           -
         wait 2s                  -
         1 late                   (b KillAfterDeadline 0/5), kill 1
         1 exits killed           -
         2 exits shutdown         exit shutdown",
    );
}

/// Instances of the template share one time, and nobody with rules of its own is killed when it is over.
///
/// OTP: SUP-177, EXD-007.
#[test]
fn who_has_its_own_time_does_not_share_the_templates() {
    check(
        "dynamic  5 in 5s  t:temp:2s
         ask 1 instance own:perm     add #0, start 0
         0 up                        answer 1 Started(#0)
         ask 2 instance              add #1, start 1
         1 up                        answer 2 Started(#1)
         ask 3 instance own:perm:9s  add #2, start 2
         2 up                        answer 3 Started(#2)
         stop shutdown               stop 0, stop 1, stop 2, deadline 2 9s, end deadline 2s
         wait 2s                     -
         end late                    kill 1
         1 exits killed              -
         2 exits shutdown            -
         0 exits shutdown            exit shutdown",
    );
    // Nobody is there who would share it.
    check(
        "dynamic  5 in 5s  t:temp:2s
         ask 1 instance own:perm     add #0, start 0
         0 up                        answer 1 Started(#0)
         stop shutdown               stop 0
         0 exits shutdown            exit shutdown",
    );
}

/// A child's own backoff, limits, deadline for its report, and what becomes of it.
#[test]
fn what_a_child_is_given_beyond_otp_is_its_own() {
    check_with_reports(
        "dynamic  9 in 5s  none
         ask 1 start a:perm:backoff=1s/9s/10s  add #0, start 0
         0 up                  answer 1 Started(#0)
         ask 2 start b:perm:limit=1/9s:down  add #1, start 1
         1 up                  answer 2 Started(#1)
         ask 3 start c:tran:ready<2s  add #2, start 2
         2 up                  ready 2 in 2s, answer 3 Started(#2)
         0 panics              (a RestartLater 1/9), wait 0 1s..1s
         1 panics              (b Restart 2/9), start 1
         1 up                  -
         1 panics              (b GiveUpOnChild 1/1), forget 1
         wait 2s               -
         2 unready             (c NotReady 2/9), kill 2 for not ready within 2s
         0 due 0               start 0
         0 up                  -
         2 panics              (c Restart 3/9), start 2
         2 up                  ready 2 in 2s
         ask 4 start d:perm:limit=0/9s  add #3, start 3
         3 up                  answer 4 Started(#3)
         3 panics              (d Escalate 0/0), stop 0, stop 2
         0 exits shutdown      -
         2 exits shutdown      exit shutdown",
    );
}

/// A healthy life forgives by the child's own rules, and readiness counts from its report.
#[test]
fn a_healthy_life_is_one_by_its_own_rules() {
    check(
        "dynamic  9 in 5s  none
         ask 1 start a:perm:reports:backoff=1s/9s/10s  add #0, start 0
         0 up          answer 1 Started(#0)
         0 panics      wait 0 1s..1s
         wait 1s       -
         0 due 0       start 0
         0 up          -
         wait 20s      -
         0 panics      wait 0 2s..2s
         wait 2s       -
         0 due 1       start 0
         0 up          -
         0 ready       -
         wait 10s      -
         0 panics      wait 0 1s..1s",
    );
}

/// Whatever has no meaning there is refused with what to do, and so is what goes by ids.
///
/// OTP: EXD-008.
#[test]
fn what_makes_no_sense_there_is_refused() {
    let invalid = |error| Answer::Refused(Refusal::Invalid(error));
    let rows = [
        ("a:perm:needs=b", SpecError::NeedsOfInstance("a".into()), "under a supervisor by needs"),
        ("a:perm:off", SpecError::DisabledInstance("a".into()), "leave that out"),
        ("a:tran:sig", SpecError::SignificantWithoutAutoShutdown("a".into()), "no dynamic one has that"),
        ("a:temp:limit=1/1s", SpecError::RestartsOfTemporary("a".into()), "leave them out"),
        ("a:perm:ready<0s", SpecError::ZeroReadyWithin("a".into()), "give it longer"),
        (":perm", SpecError::EmptyId(0), "give it a name"),
    ];
    for (text, error, says) in rows {
        for (template, request) in
            [("none", Request::StartChild(child(text))), ("t:temp", Request::StartInstanceBy(child(text)))]
        {
            let mut supervision = dynamic(&["dynamic", "9", "in", "5s", template]);
            assert_eq!(answer(&mut supervision, request), invalid(error.clone()), "{text}");
            assert_eq!(supervision.instances(), 0, "{text}");
        }
        assert!(error.to_string().contains(says), "{error}");
        if text != ":perm" {
            let template = DynamicRules::new(child(text), 1, duration("5s"), 9);
            assert_eq!(template.map(drop), Err(error), "no template either");
        }
    }
    assert_eq!(DynamicRules::of_children(1, Duration::ZERO, 9).map(drop), Err(SpecError::ZeroPeriod));
    check(
        "dynamic  5 in 5s  none
         ask 1 instance           answer 1 Refused(NotDynamic)
         ask 2 instance own:perm  answer 2 Refused(NotDynamic)
         ask 3 dynamic 5 in 5s t:perm  answer 3 Refused(NotDynamic)
         ask 4 start a:perm       add #0, start 0
         0 up                     answer 4 Started(#0)
         ask 5 terminate a        answer 5 Refused(Dynamic)
         ask 6 restart a          answer 6 Refused(Dynamic)
         ask 7 delete a           answer 7 Refused(Dynamic)
         ask 8 disable a          answer 8 Refused(Dynamic)
         ask 9 enable a           answer 9 Refused(Dynamic)
         ask 10 which a           answer 10 Refused(Dynamic)
         ask 11 spec a            answer 11 Refused(Dynamic)",
    );
    check(
        "dynamic  5 in 5s  t:perm
         ask 1 dynamic 5 in 5s none  answer 1 Refused(Dynamic)",
    );
}

/// Other limits hold at once, and children go on by the rules that they were started by.
#[test]
fn other_limits_leave_the_children_as_they_are() {
    check_with_reports(
        "dynamic  1 in 5s  none 9
         ask 1 start a:tran:ready<2s:kill  add #0, start 0
         0 up                  ready 0 in 2s, answer 1 Started(#0)
         0 panics              (a Restart 1/1), start 0
         0 fails               (a TryAgain 1/1), retry 0
         ask 2 dynamic 2 in 5s none 1  answer 2 Done
         ask 3 start b:perm    answer 3 Refused(TooMany)
         0 retry               (a Restart 2/2), start 0
         0 up                  ready 0 in 2s
         ask 4 dynamic 2 in 9s none  answer 4 Done
         wait 6s               -
         0 unready             (a NotReady 2/2), kill 0 for not ready within 2s
         0 panics              (a GiveUp 2/2), exit shutdown",
    );
}

/// Another template is for those that have none of their own: also in what they have not reported, and in who waits in vain.
#[test]
fn another_template_is_not_for_those_with_rules_of_their_own() {
    check(
        "dynamic  9 in 5s  t:perm:ready<2s
         ask 1 instance own:perm:ready<2s  add #0, start 0
         0 up                  ready 0 in 2s, answer 1 Started(#0)
         ask 2 instance        add #1, start 1
         1 up                  ready 1 in 2s, answer 2 Started(#1)
         ask 3 dynamic 9 in 5s t:temp:ready<5s  ready 1 in 5s, answer 3 Done
         wait 2s               -
         0 unready             kill 0 for not ready within 2s
         1 unready             -
         0 panics              start 0
         0 fails               retry 0
         ask 4 dynamic 9 in 5s t:temp:kill  answer 4 Done
         0 retry               start 0",
    );
}

/// What all are given that have none of their own, and are ever restarted: also those that are added later.
#[test]
fn a_backoff_for_all_is_for_those_with_rules_of_their_own_too() {
    let (common, other) = (backoff("1s", "4s", "10s"), backoff("2s", "4s", "10s"));
    let backoff_of = |rules: &ChildRules| rules.policy.as_ref().and_then(|policy| policy.backoff);
    let own = Some(backoff("7s", "9s", "10s"));
    for (text, expected) in [("t:perm", Some(common)), ("t:temp", None), ("t:perm:backoff=7s/9s/10s", own)] {
        let rules = DynamicRules::new(child(text), 1, duration("5s"), 9).expect("valid");
        let rules = rules.with_backoff(common).expect("valid");
        assert_eq!(rules.template().and_then(backoff_of), expected, "{text}");
        let supervision = DynamicSupervision::new(rules.clone());
        assert_eq!((supervision.rules(), supervision.rules().backoff()), (rules, Some(common)));
    }
    let given = |supervision: &mut DynamicSupervision, text| {
        let template = supervision.template().is_some();
        let request = if template { Request::StartInstanceBy } else { Request::StartChild };
        let mut commands = Vec::new();
        supervision.handle(Event::Asked(RequestId(1), request(child(text))), Moment::START, &mut commands);
        let Some(&Command::Start(slot)) = commands.last() else { panic!("{commands:?}") };
        supervision.handle(Event::Started(slot), Moment::START, &mut commands);
        let rules = supervision.child(slot).expect("it is there");
        (slot, backoff_of(rules))
    };
    for template in ["t:temp", "none"] {
        let rules = |backoff| dynamic_rules(&["dynamic", "1", "in", "5s", template]).with_backoff(backoff);
        let mut supervision = DynamicSupervision::new(rules(common).expect("valid"));
        supervision.handle(Event::Start, Moment::START, &mut Vec::new());
        for (text, expected) in
            [("o:perm", Some(common)), ("o:temp", None), ("o:tran:backoff=7s/9s/10s", own)]
        {
            assert_eq!(given(&mut supervision, text).1, expected, "{text} beside {template}");
        }
        let (before, _) = given(&mut supervision, "o:perm");
        let change = Request::ChangeDynamic(rules(other).expect("valid"));
        assert_eq!(answer(&mut supervision, change), Answer::Done);
        assert_eq!(given(&mut supervision, "o:perm").1, Some(other), "one that is added later");
        assert_eq!(supervision.child(before).and_then(backoff_of), Some(common), "one that goes on");
    }
    let wrong = dynamic_rules(&["dynamic", "1", "in", "5s", "none"]).with_backoff(backoff("0s", "1s", "1s"));
    assert!(matches!(wrong, Err(SpecError::CommonBackoff(_))), "{wrong:?}");
}

/// A supervisor that has been asked for something, and answers on the spot.
fn answer(supervision: &mut DynamicSupervision, request: Request) -> Answer {
    let mut commands = Vec::new();
    supervision.handle(Event::Start, Moment::START, &mut commands);
    supervision.handle(Event::Asked(RequestId(9), request), Moment::START, &mut commands);
    match commands.pop() {
        Some(Command::Answer(RequestId(9), answer)) => answer,
        other => panic!("no answer but {other:?}"),
    }
}

/// Each is told of by its own rules, and counted as a specification where there is no template.
///
/// OTP: EXD-001.
#[test]
fn it_lists_finds_and_counts_each_by_its_own_rules() {
    let mut tree = ChildRules::supervisor("tree");
    tree.shutdown = Shutdown::Within(duration("7s"));
    tree.restart = Restart::Transient;
    for template in [None, Some(ChildRules::worker("t")), Some(ChildRules::supervisor("t"))] {
        let rules = match &template {
            None => DynamicRules::of_children(9, duration("5s"), usize::MAX),
            Some(template) => DynamicRules::new(template.clone(), 9, duration("5s"), usize::MAX),
        };
        let mut supervision = DynamicSupervision::new(rules.expect("valid"));
        let mut commands = Vec::new();
        supervision.handle(Event::Start, Moment::START, &mut commands);
        let own = [ChildRules::worker("same"), tree.clone(), ChildRules::worker("same")];
        let by = |rules| match &template {
            None => Request::StartChild(rules),
            Some(_) => Request::StartInstanceBy(rules),
        };
        let mut requests: Vec<_> = own.iter().map(|rules| (by(rules.clone()), rules.clone())).collect();
        if let Some(template) = &template {
            requests.push((Request::StartInstance, template.clone()));
        }
        let mut expected = Vec::new();
        for (request, rules) in requests {
            commands.clear();
            supervision.handle(Event::Asked(RequestId(1), request), Moment::START, &mut commands);
            let Some(&Command::Start(slot)) = commands.last() else { panic!("{commands:?}") };
            supervision.handle(Event::Started(slot), Moment::START, &mut commands);
            assert_eq!(supervision.child(slot), Some(&rules));
            let (id, kind) = (rules.id.clone(), rules.kind);
            let listed = Listed { slot, id, state: ChildState::Running, kind, ready: None };
            expected.push((listed, rules));
        }
        let supervisors = expected.iter().filter(|(listed, _)| listed.kind == Kind::Supervisor).count();
        let workers = expected.len() - supervisors;
        let specs = if template.is_some() { 1 } else { 3 };
        let counts = Counts { specs, active: expected.len(), supervisors, workers };
        assert_eq!(answer(&mut supervision, Request::CountChildren), Answer::Counts(counts));
        assert_eq!(supervision.supervisors(), supervisors);
        assert!(supervision.own_rules().eq(&own), "those by the template have none");
        let listed = expected.iter().map(|(listed, _)| listed.clone()).collect();
        assert_eq!(answer(&mut supervision, Request::WhichChildren), Answer::Children(listed));
        for (listed, rules) in &expected {
            let which = || Which::Instance(listed.slot);
            let found = answer(&mut supervision, Request::WhichChild(which()));
            assert_eq!(found, Answer::Child(listed.clone()));
            assert_eq!(
                answer(&mut supervision, Request::ChildSpec(which())),
                Answer::ChildSpec(rules.clone())
            );
        }
        // Once it is gone only the template's are left.
        let gone = expected[0].0.slot;
        let stop = Event::Asked(RequestId(2), Request::TerminateChild(Which::Instance(gone)));
        supervision.handle(stop, Moment::START, &mut commands);
        let exit = Event::Exited { slot: gone, reason: ExitReason::Shutdown, charged: true };
        supervision.handle(exit, Moment::START, &mut commands);
        assert_eq!(supervision.child(gone), template.as_ref());
        assert!(supervision.own_rules().eq(&own[1..]));
        for which in [Which::Instance(gone), Which::Gone] {
            let spec = answer(&mut supervision, Request::ChildSpec(which.clone()));
            let left = template.clone().map_or(Answer::Refused(Refusal::NotFound), Answer::ChildSpec);
            assert_eq!(spec, left, "{which:?}");
            let stopped = answer(&mut supervision, Request::TerminateChild(which));
            let none = Answer::Refused(Refusal::NotFound);
            assert_eq!(stopped, if template.is_some() { Answer::Done } else { none });
        }
        assert_eq!(supervision.supervisors(), supervisors);
    }
}

/// Who is not ready, each by what it reports itself.
#[test]
fn it_knows_which_of_them_keep_it_from_being_ready() {
    let rows = [
        ("start", "", true),
        ("ask 1 start a:tran:reports", "0", false),
        ("0 up", "0", false),
        ("ask 2 start a:tran", "0", false),
        ("1 up", "0", false),
        ("0 ready", "", true),
        ("1 panics", "", false),
        ("1 up", "", true),
        ("0 panics", "0", false),
        ("0 up", "0", false),
        ("0 exits normal", "", true),
        ("1 exits normal", "", true),
    ];
    knows_who_is_not_ready("none", &rows);
}
