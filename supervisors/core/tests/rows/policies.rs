//! Beyond OTP: restarts that wait, limits of a child's own, children that are disabled. Most of what becomes of children
//! who need nobody is the same under `by_needs`; what is not is in `graph/policies.rs`.

use super::*;
use minder_supervisors_core::BackoffError;

#[test]
fn a_restart_waits_the_longer_the_more_failures_there_were_in_a_row() {
    check_with_reports(
        "one_for_one|by_needs  99 in 5s  a:perm:backoff=1s/3s/10s b:perm
         a panics     (a RestartLater 1/99), wait a 1s..1s
         b panics     (b Restart 2/99), start b
         b up         -
         wait 1s      -
         a due 0      start a
         a up         -
         a panics     (a RestartLater 3/99), wait a 2s..2s
         wait 2s      -
         a due 1      start a
         a fails      (a TryAgain 3/99), retry a
         a retry      (a RestartLater 4/99), wait a 3s..3s
         wait 3s      -
         a due 2      start a
         a up         -
         wait 10s     -
         a panics     (a RestartLater 1/99), wait a 1s..1s",
    );
}

#[test]
fn a_life_is_healthy_from_its_reset_time_on_and_not_before() {
    for (life, wait) in [("9s", "2s"), ("9999999999ns", "2s"), ("10s", "1s"), ("11s", "1s")] {
        check(&format!(
            "one_for_one|by_needs  99 in 5s  a:perm:backoff=1s/9s/10s
             a panics     wait a 1s..1s
             wait 1s      -
             a due 0      start a
             a up         -
             wait {life}  -
             a panics     wait a {wait}..{wait}"
        ));
    }
}

/// A slow stop of somebody else does not turn a short life into a healthy one.
#[test]
fn a_life_ends_when_the_child_does_and_not_when_it_is_judged() {
    check(
        "one_for_one  99 in 5s  a:perm:backoff=1s/9s/10s b:perm
         a panics     wait a 1s..1s
         wait 1s      -
         a due 0      start a
         a up         -
         ask 1 terminate b  stop b
         a panics     -
         wait 20s     -
         b exits shutdown  answer 1 Done, wait a 2s..2s",
    );
}

/// Row anarlog#6870: a timer of a wait that is over starts nobody.
#[test]
fn a_stale_time_starts_nobody() {
    // Terminated, and left down.
    check(
        "one_for_one|by_needs  99 in 5s  a:perm:backoff=1s/9s/10s
         a panics     wait a 1s..1s
         ask 1 terminate a  answer 1 Done
         a due 0      -",
    );
    // Deleted, and another one of its id in its place.
    check(
        "one_for_one|by_needs  99 in 5s  a:perm:backoff=1s/9s/10s
         a panics     wait a 1s..1s
         ask 1 terminate a  answer 1 Done
         a due 0      -
         ask 2 delete a  forget a, answer 2 Done
         a due 0      -
         ask 3 start a:perm:backoff=1s/9s/10s  add #1, start a
         a up         answer 3 Started(#1)
         a panics     wait a 1s..1s
         a due 0      -
         stop boom    exit boom
         a due 1      -",
    );
    // Restarted by hand meanwhile, and failed again: only the time of its own wait counts, and that begins anew.
    check(
        "one_for_one|by_needs  99 in 5s  a:perm:backoff=1s/9s/10s
         a panics     wait a 1s..1s
         wait 1s      -
         a due 0      start a
         a up         -
         a panics     wait a 2s..2s
         ask 1 terminate a  answer 1 Done
         ask 2 restart a  start a
         a up         answer 2 Started(#0)
         a due 1      -
         a panics     wait a 1s..1s
         a due 1      -
         a retry      -
         a due 2      start a
         a due 2      -
         a up         -",
    );
}

#[test]
fn while_it_waits_it_is_restarting_to_all_requests() {
    check(
        "one_for_one|by_needs  99 in 5s  a:perm:backoff=1s/9s/10s
         a panics     wait a 1s..1s
         ask 1 restart a  answer 1 Refused(Restarting)
         ask 2 delete a  answer 2 Refused(Restarting)
         ask 3 start a:perm  answer 3 Refused(AlreadyPresent)
         ask 4 enable a  answer 4 Refused(NotDisabled)
         ask 5 which a  answer 5 Child(Listed { slot: #0, id: \"a\", state: Waiting, kind: Worker, ready: None })
         stop boom    exit boom
         a due 0      -",
    );
}

#[test]
fn a_time_that_comes_during_an_operation_is_not_lost() {
    check(
        "one_for_one  99 in 5s  a:perm:backoff=1s/9s/10s b:perm
         a panics     wait a 1s..1s
         ask 1 terminate b  stop b
         a due 0      -
         b exits shutdown  answer 1 Done, start a
         a up         -",
    );
}

#[test]
fn a_group_is_stopped_at_once_and_started_when_the_time_has_come() {
    check_with_reports(
        "one_for_all  99 in 5s  a:perm b:perm:backoff=1s/9s/10s c:tran d:temp
         b panics     (b RestartGroupLater 1/99), stop d
         d exits shutdown  (d ForgetStopped 1/99), forget d, stop c
         c exits shutdown  stop a
         wait 5s      -
         a exits shutdown  epoch a, epoch b, epoch c, wait b 1s..1s
         ask 1 restart a  answer 1 Refused(Restarting)
         wait 1s      -
         b due 0      start a
         a up         start b
         b up         start c
         c up         -",
    );
    check(
        "rest_for_one  99 in 5s  a:perm b:perm:backoff=1s/9s/10s c:perm
         b panics     stop c
         c exits shutdown  wait b 1s..1s
         b due 0      start b
         b up         start c
         c up         -",
    );
}

#[test]
fn of_a_group_that_waits_those_are_started_that_still_do() {
    // Whoever is terminated stays down, also the one on whose account all wait; the others come back.
    check(
        "one_for_all  99 in 5s  a:perm b:perm:backoff=1s/9s/10s c:perm d:perm
         b panics     stop d
         d exits shutdown  stop c
         c exits shutdown  stop a
         a exits shutdown  wait b 1s..1s
         ask 1 terminate b  answer 1 Done
         ask 2 delete b  forget b, answer 2 Done
         ask 3 terminate c  answer 3 Done
         ask 4 restart c  start c
         c up         answer 4 Started(#2)
         ask 5 disable d  answer 5 Done
         b due 0      start a
         a up         -",
    );
    // One that was down before is revived, as by any group restart (SUP-036); one that is disabled is not.
    check(
        "one_for_all  99 in 5s  a:perm b:perm:backoff=1s/9s/10s c:perm
         ask 1 terminate a  stop a
         a exits shutdown  answer 1 Done
         ask 2 disable c  stop c
         c exits shutdown  answer 2 Done
         b panics     wait b 1s..1s
         b due 0      start a
         a up         start b
         b up         -",
    );
}

#[test]
fn a_failure_of_somebody_before_takes_those_that_wait_along() {
    check(
        "rest_for_one  99 in 5s  a:perm b:perm:backoff=1s/9s/10s c:perm
         b panics     stop c
         c exits shutdown  wait b 1s..1s
         a panics     start a
         a up         start b
         b due 0      -
         b up         start c
         c up         -
         b due 0      -",
    );
}

/// After a start that failed the others of the group are down until the next attempt, as without a delay (SUP-078).
#[test]
fn a_start_that_fails_when_the_time_has_come() {
    check(
        "one_for_all  99 in 5s  a:perm:backoff=1s/9s/10s b:perm c:perm
         a panics     stop c
         c exits shutdown  stop b
         b exits shutdown  wait a 1s..1s
         a due 0      start a
         a up         start b
         b fails      retry b
         ask 1 which c  answer 1 Child(Listed { slot: #2, id: \"c\", state: Gone, kind: Worker, ready: None })
         b retry      stop a
         a exits shutdown  start a
         a up         start b
         b up         start c
         c up         -",
    );
}

/// Nothing that comes at the end is kept: it will never be looked at.
#[test]
fn a_time_that_comes_at_the_end_is_nothing() {
    check(
        "one_for_one  99 in 5s  a:perm:backoff=1s/9s/10s b:perm
         a panics     wait a 1s..1s
         stop boom    stop b
         wait 1s      -
         a due 0      -
         b exits shutdown  exit boom
         a due 0      -",
    );
}

#[test]
fn what_is_not_charged_neither_waits_nor_counts() {
    check(
        "one_for_one|by_needs  1 in 5s  a:perm:backoff=1s/9s/10s:row=1/10s
         a panics uncharged  start a
         a up         -
         a panics     wait a 1s..1s
         a due 0      start a
         a up         -
         a panics uncharged  exit shutdown",
    );
}

#[test]
fn a_child_that_has_used_up_its_own_limit() {
    check_with_reports(
        "one_for_one  99 in 5s  a:perm:limit=1/10s b:perm
         a panics     (a Restart 1/99), start a
         a up         -
         wait 10s     -
         a panics     (a Escalate 1/1), stop b
         b exits shutdown  exit shutdown",
    );
    check_with_reports(
        "one_for_one  99 in 5s  a:perm:limit=1/10s:down b:perm
         a panics     (a Restart 1/99), start a
         b panics     -
         a up         (b Restart 2/99), start b
         b up         -
         b panics     (b Restart 3/99), start b
         b up         -
         a panics     (a GiveUpOnChild 1/1)
         ask 1 restart a  answer 1 Refused(Disabled)
         ask 2 enable a  start a
         a up         answer 2 Started(#0)
         a panics     (a Restart 4/99), start a",
    );
    // One that is down for another reason stays so, whether the last restart was one that failed or not.
    check(
        "rest_for_one  99 in 5s  a:perm:limit=0/10s:down b:perm
         ask 1 terminate b  stop b
         b exits shutdown  answer 1 Done
         a panics     -",
    );
    check(
        "one_for_one  99 in 5s  a:perm:limit=1/10s:down b:perm
         ask 1 terminate b  stop b
         b exits shutdown  answer 1 Done
         a panics     start a
         a fails      retry a
         a retry      -",
    );
    // The supervisor's own limit is not gone by then.
    check(
        "one_for_one  1 in 5s  a:perm:limit=1/10s:down
         a panics     start a
         a up         -
         a panics     -
         wait 20s     -",
    );
}

#[test]
fn a_child_that_fails_too_often_in_a_row() {
    check_with_reports(
        "one_for_one|by_needs  1 in 1s  a:perm:row=2/10s
         a panics     (a Restart 1/1), start a
         a up         -
         wait 9s      -
         a panics     (a Restart 1/1), start a
         a up         -
         wait 10s     -
         a panics     (a Restart 1/1), start a
         wait 20s     -
         a fails      (a TryAgain 1/1), retry a
         a retry      (a Restart 1/1), start a
         wait 20s     -
         a fails      (a TryAgain 1/1), retry a
         a retry      (a Escalate 2/2), exit shutdown",
    );
}

#[test]
fn a_child_that_is_left_down_leaves_its_group_alone() {
    check(
        "one_for_all  99 in 5s  a:perm:limit=0/10s:down b:perm c:perm
         a panics     -
         b panics     stop c
         c exits shutdown  start b
         b up         start c
         c up         -",
    );
    // If it was a restart of the group that failed with it, those whom that has not reached are started without it.
    check(
        "one_for_all  99 in 5s  a:perm b:perm:row=0/10s:down c:perm d:perm:off
         a panics     stop c
         c exits shutdown  stop b
         b exits shutdown  start a
         a up         start b
         b fails      retry b
         b retry      start c
         c up         -
         b retry      -",
    );
}

#[test]
fn a_significant_child_that_is_left_down_has_ended_for_good() {
    check_with_reports(
        "one_for_one|by_needs  9 in 5s  a:tran:sig:limit=0/10s:down b:perm  any
         a panics     (a GiveUpOnChild 0/0), (a AutoShutdown 0/9), stop b
         b exits shutdown  exit shutdown",
    );
    check(
        "one_for_one|by_needs  9 in 5s  a:tran:sig:limit=0/10s:down b:tran:sig  all
         a panics     -
         b exits normal  exit shutdown",
    );
    // One that has been disabled has not ended by itself, and does not count as running.
    check(
        "one_for_one|by_needs  9 in 5s  a:tran:sig b:tran:sig c:tran:sig:off  all
         a up         -
         ask 1 disable a  stop a
         a exits shutdown  answer 1 Done
         b exits normal  exit shutdown",
    );
}

#[test]
fn a_disabled_child_is_not_started() {
    check(
        "one_for_all  9 in 5s  a:perm b:perm:off c:perm
         start        start a
         a up         start c
         c up         ready
         a panics     stop c
         c exits shutdown  start a
         a up         start c
         c up         -
         ask 1 enable b  start b
         b up         answer 1 Started(#1)
         a panics     stop c
         c exits shutdown  stop b
         b exits shutdown  start a
         a up         start b
         b up         start c
         c up         -",
    );
    check(
        "one_for_one|by_needs  9 in 5s  a:temp:off
         start        ready
         stop boom    exit boom",
    );
}

#[test]
fn disabling_and_enabling_by_how_the_child_stands() {
    check(
        "one_for_one|by_needs  9 in 5s  a:perm b:temp c:perm d:perm:backoff=1s/9s/10s
         ask 1 disable a  stop a
         ask 2 disable a  -
         ask 3 enable a  -
         a exits shutdown  answer 1 Done, answer 2 Done, start a
         a fails      answer 3 Refused(StartFailed(boom))
         ask 4 enable c  answer 4 Refused(NotDisabled)
         ask 5 disable nobody  answer 5 Refused(NotFound)
         ask 6 enable nobody  answer 6 Refused(NotFound)
         ask 7 start a:perm  answer 7 Refused(AlreadyPresent)
         ask 8 terminate a  answer 8 Done
         ask 9 restart a  answer 9 Refused(Disabled)
         ask 10 enable a  start a
         a fails      answer 10 Refused(StartFailed(boom))
         ask 11 enable a  start a
         a ignores    answer 11 Ignored
         ask 12 enable a  answer 12 Refused(NotDisabled)
         ask 13 disable a  answer 13 Done
         ask 14 delete a  forget a, answer 14 Done
         ask 15 disable b  stop b
         b exits shutdown  forget b, answer 15 Done
         ask 16 enable b  answer 16 Refused(NotFound)
         ask 17 start f:temp:off  add #4, answer 17 Ignored
         ask 18 enable f  start f
         f fails      answer 18 Refused(StartFailed(boom))
         d panics     wait d 1s..1s
         ask 19 disable d  answer 19 Done
         d due 0      -
         ask 20 enable d  start d
         d up         answer 20 Started(#3)
         d panics     wait d 1s..1s
         ask 21 start e:perm:off  add #5, answer 21 Ignored
         ask 22 which e  answer 22 Child(Listed { slot: #5, id: \"e\", state: Disabled, kind: Worker, ready: None })
         ask 23 which  answer 23 [e:Disabled f:Disabled d:Waiting c:Running]",
    );
    // While its restart waits for another attempt.
    check(
        "one_for_one|by_needs  9 in 5s  a:perm
         a panics     start a
         a fails      retry a
         ask 1 disable a  answer 1 Done
         a retry      -
         ask 2 which  answer 2 [a:Disabled]",
    );
    // It has fallen, and its notice stands behind the request: consumed, and not judged (SUP-099).
    check(
        "one_for_one  9 in 5s  a:perm b:perm
         ask 1 terminate b  stop b
         ask 2 disable a  -
         a panics     -
         b exits shutdown  answer 1 Done, answer 2 Done",
    );
}

#[test]
fn instances_wait_and_are_limited_each_by_itself() {
    check_with_reports(
        "dynamic  9 in 5s  t:perm:backoff=1s/9s/10s:row=2/10s:down
         ask 1 instance  add #0, start 0
         0 up         answer 1 Started(#0)
         ask 2 instance  add #1, start 1
         1 up         answer 2 Started(#1)
         0 panics     (t RestartLater 1/9), wait 0 1s..1s
         1 panics     (t RestartLater 2/9), wait 1 1s..1s
         0 due 0      start 0
         1 due 1      -
         0 up         start 1
         1 up         -
         0 panics     (t RestartLater 3/9), wait 0 2s..2s
         ask 3 terminate 1  stop 1
         1 exits shutdown  (t ForgetStopped 3/9), forget 1, answer 3 Done
         0 due 0      -
         0 due 2      start 0
         0 up         -
         0 panics     (t GiveUpOnChild 2/2), forget 0",
    );
    check(
        "dynamic  9 in 5s  t:perm:backoff=1s/9s/10s
         ask 1 instance  add #0, start 0
         0 up         answer 1 Started(#0)
         0 panics     wait 0 1s..1s
         ask 2 terminate 0  forget 0, answer 2 Done
         0 due 0      -
         ask 3 instance  add #1, start 1
         1 up         answer 3 Started(#1)
         1 panics     wait 1 1s..1s
         ask 4 disable t  answer 4 Refused(Dynamic)
         stop boom    exit boom
         1 due 1      -",
    );
    check_with_reports(
        "dynamic  9 in 5s  t:perm:limit=0/10s
         ask 1 instance  add #0, start 0
         0 up         answer 1 Started(#0)
         0 panics     (t Escalate 0/0), exit shutdown",
    );
}

/// Starts these, and then one that is added; gives its slot. It is not up yet.
pub(crate) fn add_one(slots: Vec<Slot>, mut handle: impl FnMut(Event) -> Option<Command>) -> Slot {
    handle(Event::Start);
    for slot in slots {
        handle(Event::Started(slot));
    }
    let last = handle(Event::Asked(RequestId(0), Request::StartChild(child("new:perm"))));
    let Some(Command::Start(slot)) = last else { panic!("{last:?}") };
    slot
}

/// What all children of a supervisor are given, those that are added later among them; a temporary one needs none, and
/// one with its own keeps that.
#[test]
fn a_backoff_for_all_children() {
    let header =
        ["one_for_one", "99", "in", "5s", "a:perm", "b:temp", "c:perm:backoff=7s/9s/10s", "d:perm:off"];
    let common = backoff("1s", "4s", "10s");
    let rules = rules(&header).expect("valid").with_backoff(common).expect("valid");
    let backoffs =
        rules.children().iter().map(|rules| rules.policy.as_ref().and_then(|policy| policy.backoff));
    let own = Some(backoff("7s", "9s", "10s"));
    assert!(backoffs.eq([Some(common), None, own, Some(common)]));
    assert!(rules.children()[3].policy.as_ref().is_some_and(|policy| policy.disabled), "it keeps the rest");
    let mut supervision = Supervision::new(rules);
    let mut commands = Vec::new();
    let slot = add_one(supervision.slots().collect(), |event| {
        supervision.handle(event, Moment::START, &mut commands);
        commands.last().cloned()
    });
    let given = |supervision: &Supervision, slot| supervision.child(slot)?.policy.as_ref()?.backoff;
    assert_eq!(given(&supervision, slot), Some(common));

    // By other rules other children are given something else, also those that are added after that.
    supervision.handle(Event::Started(slot), Moment::START, &mut commands);
    let other = backoff("2s", "4s", "10s");
    let new =
        Rules::new(Strategy::OneForOne, 9, duration("5s"), AutoShutdown::Never, vec![child("new:perm")]);
    let new = new.expect("valid").with_backoff(other).expect("valid");
    supervision.handle(
        Event::Asked(RequestId(1), Request::Change { in_parts: false }),
        Moment::START,
        &mut commands,
    );
    let change = Change::new(&supervision.outline(), new, |_, _| Likeness::Same);
    supervision.handle(Event::Compared(Box::new(Ok(change))), Moment::START, &mut commands);
    while let Some(&Command::AskToStop(slot) | &Command::Kill(slot)) =
        commands.iter().rfind(|it| matches!(it, Command::AskToStop(_) | Command::Kill(_)))
    {
        commands.clear();
        let (reason, charged) = (ExitReason::Shutdown, true);
        supervision.handle(Event::Exited { slot, reason, charged }, Moment::START, &mut commands);
    }
    let [new] = supervision.slots().collect::<Vec<_>>()[..] else { panic!("one is left: {supervision:#?}") };
    let added = Event::Asked(RequestId(2), Request::StartChild(child("later:perm")));
    supervision.handle(added, Moment::START, &mut commands);
    let Some(&Command::Start(later)) = commands.last() else { panic!("{commands:?}") };
    assert_eq!([new, later].map(|slot| given(&supervision, slot)), [Some(other); 2]);
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_do() {
    let rows = [
        ("a:temp:backoff=1s/2s/3s", SpecError::RestartsOfTemporary("a".into()), "transient or permanent"),
        ("a:temp:limit=1/2s", SpecError::RestartsOfTemporary("a".into()), "never restarted"),
        ("a:temp:row=1/2s", SpecError::RestartsOfTemporary("a".into()), "`a`"),
        (
            "a:perm:backoff=2s/1s/3s",
            SpecError::Backoff("a".into(), BackoffError::CapBelowFirst),
            "backoff of child `a`: its cap",
        ),
        (
            "a:perm:backoff=2s/3s/0s",
            SpecError::Backoff("a".into(), BackoffError::ZeroReset),
            "how long a healthy life lasts",
        ),
        ("a:perm:limit=1/0s", SpecError::ZeroChildPeriod("a".into()), "make it longer"),
        ("a:perm:row=1/0s", SpecError::ZeroHealthy("a".into()), "how long a healthy life lasts"),
        ("a:perm:down", SpecError::NothingToExhaust("a".into()), "give it a limit"),
    ];
    for (text, error, says) in rows {
        assert_eq!(rules(&["one_for_one", "1", "in", "5s", text]), Err(error.clone()), "{text}");
        assert_eq!(
            DynamicRules::new(child(text), 1, duration("5s"), 9).map(drop),
            Err(error.clone()),
            "{text}"
        );
        assert!(error.to_string().contains(says), "{error}");
    }
    let wrong = DynamicRules::new(child("a:perm:off"), 1, duration("5s"), 9);
    assert_eq!(wrong.map(drop), Err(SpecError::DisabledInstance("a".into())));
    let rules = rules(&["one_for_one", "1", "in", "5s"]).expect("valid");
    let wrong = rules.with_backoff(backoff("0s", "1s", "1s"));
    assert_eq!(wrong.map(drop), Err(SpecError::CommonBackoff(BackoffError::ZeroDelay)));
}

/// Whoever is stopped with its group while it is healthy is forgiven, as if it had fallen by itself.
#[test]
fn a_healthy_life_that_was_cut_short_by_others_counts() {
    check(
        "one_for_all  99 in 5s  a:perm:backoff=1s/9s/10s b:perm
         a panics     stop b
         b exits shutdown  wait a 1s..1s
         wait 1s      -
         a due 0      start a
         a up         start b
         b up         -
         wait 10s     -
         b panics     stop a
         a exits shutdown  start a
         a up         start b
         b up         -
         wait 1s      -
         a panics     stop b
         b exits shutdown  wait a 1s..1s",
    );
}

/// Other rules give everybody another place: who waits goes on waiting, at the same time, and its failures are known; who
/// is disabled stays so.
#[test]
fn a_change_of_rules_while_children_wait_or_are_disabled() {
    check(
        "one_for_one  9 in 5s  a:perm:backoff=1s/9s/10s b:perm
         a panics     wait a 1s..1s
         wait 400ms   -
         ask 1 disable b  stop b
         b exits shutdown  answer 1 Done
         ask 2 change one_for_one 9 in 5s x:perm:off b:perm a:perm:backoff=1s/9s/10s  [x b a], wait a 600ms..600ms, applied 2
         wait 600ms   -
         a due 0      start a
         a due 1      -
         a up         -
         a panics     wait a 2s..2s
         ask 3 restart b  answer 3 Refused(Disabled)
         ask 4 enable x  start x
         x up         answer 4 Started(#2)",
    );
    // Started anew because of another recipe: nothing of what was counts.
    check(
        "one_for_all  9 in 5s  a:perm:backoff=1s/9s/10s b:perm
         a panics     stop b
         b exits shutdown  wait a 1s..1s
         ask 1 change one_for_all 9 in 5s a:perm:backoff=1s/9s/10s:new b:perm  [a b], start a
         a up         start b
         b up         applied 1
         a due 0      -
         a panics     stop b
         b exits shutdown  wait a 1s..1s",
    );
    // A group that waits does so in its new places, and whoever's time is first starts all.
    check(
        "rest_for_one  9 in 5s  a:perm b:perm:backoff=1s/9s/10s c:perm
         b panics     stop c
         c exits shutdown  wait b 1s..1s
         ask 1 change rest_for_one 9 in 5s c:perm b:perm:backoff=1s/9s/10s a:perm  [c b a], wait c 1s..1s, wait b 1s..1s, applied 1
         b due 2      start c
         c up         start b
         b up         -
         c due 1      -",
    );
}

/// A life that never was ready was not healthy, however long it lasted.
#[test]
fn a_life_of_a_child_that_reports_counts_from_its_report() {
    check(
        "one_for_one|by_needs  99 in 5s  a:perm:reports:backoff=1s/9s/10s
         a panics     wait a 1s..1s
         wait 1s      -
         a due 0      start a
         a up         -
         wait 60s     -
         a panics     wait a 2s..2s
         wait 2s      -
         a due 1      start a
         a up         -
         wait 60s     -
         a ready      -
         wait 9s      -
         a panics     wait a 4s..4s
         wait 4s      -
         a due 2      start a
         a up         -
         a ready      -
         wait 10s     -
         a panics     wait a 1s..1s",
    );
}
