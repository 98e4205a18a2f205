//! Beyond OTP, for children with needs: restarts that wait, limits of a child's own, children that are disabled.
//! What becomes of a child by itself is in `../policies.rs`, where tables are run under `by_needs` too.

use super::*;
use crate::policies::add_one;

/// While the supervisor comes up as well as later.
#[test]
fn a_wait_ends_while_others_come_up() {
    check(
        "by_needs  99 in 5s  a:perm:backoff=1s/9s/10s b:perm c:perm
         start        start a, start b, start c
         a up         -
         c up         -
         a panics     wait a 1s..1s
         c panics     start c
         c fails      retry c
         c retry      start c
         wait 1s      -
         a due 0      start a
         b up         ready",
    );
}

#[test]
fn a_group_is_stopped_at_once_and_waits_as_one() {
    check_with_reports(
        "by_needs  99 in 5s  a:perm:backoff=1s/9s/10s b:perm:needs=a c:tran:needs=b d:perm
         a panics     (a RestartGroupLater 1/99), stop c
         c exits shutdown  stop b
         wait 5s      -
         b exits shutdown  epoch a, epoch b, epoch c, wait a 1s..1s
         ask 1 restart b  answer 1 Refused(Restarting)
         ask 2 restart a  answer 2 Refused(Restarting)
         d panics     (d Restart 2/99), start d
         wait 1s      -
         a due 0      start a
         a up         start b
         b up         start c",
    );
    // Two on whose account a group waits do so side by side; whoever needs both comes up when both are.
    check(
        "by_needs  99 in 5s  a:perm:backoff=1s/9s/10s b:perm:backoff=2s/9s/10s c:perm:needs=a/b
         a panics     stop c
         b panics     -
         c exits shutdown  wait a 1s..1s, wait b 2s..2s
         a due 0      start a
         a up         -
         b due 1      start b
         b up         start c",
    );
    // During the own start, too.
    check(
        "by_needs  99 in 5s  a:perm:backoff=1s/9s/10s b:perm:needs=a
         start        start a
         a up         start b
         a panics     stop b
         b fails      wait a 1s..1s
         a due 0      start a
         a up         start b
         b up         ready",
    );
}

#[test]
fn a_restart_on_the_account_of_a_need_ends_the_wait() {
    check(
        "by_needs  99 in 5s  a:perm b:perm:needs=a:backoff=1s/9s/10s c:perm:needs=b
         b panics     stop c
         c exits shutdown  wait b 1s..1s
         a panics     start a
         a up         start b
         b due 0      -
         b up         start c
         c up         -
         b panics     stop c
         a panics     -
         c exits shutdown  start a
         a up         start b",
    );
    check(
        "by_needs  99 in 5s  a:perm:backoff=3s/9s/10s b:perm:needs=a:backoff=1s/9s/10s
         b panics     wait b 1s..1s
         a panics     wait a 3s..3s
         b due 0      -
         a due 1      start a
         a up         start b",
    );
}

/// A healthy life that was cut short by others is forgiven, as if it had fallen by itself.
#[test]
fn a_life_is_healthy_or_not_however_it_ended() {
    check(
        "by_needs  99 in 5s  a:perm b:perm:needs=a:backoff=1s/9s/10s
         b panics     wait b 1s..1s
         b due 0      start b
         b up         -
         wait 10s     -
         a panics     stop b
         b exits shutdown  start a
         a up         start b
         b up         -
         wait 1s      -
         b panics     wait b 1s..1s",
    );
    // A slow stop does not make a short life a healthy one: it ends when it does.
    check(
        "by_needs  99 in 5s  a:perm b:perm:needs=a:backoff=1s/9s/10s
         b panics     wait b 1s..1s
         b due 0      start b
         b up         -
         wait 9s      -
         a panics     stop b
         b panics     start a
         a up         start b
         b up         -
         b panics     wait b 2s..2s",
    );
}

#[test]
fn a_wait_that_was_ended_by_request_starts_nobody() {
    check(
        "by_needs  99 in 5s  a:perm:backoff=1s/9s/10s b:perm:needs=a
         a panics     stop b
         ask 1 terminate a  answer 1 Done
         b exits shutdown  -
         ask 2 restart a  start a
         a up         answer 2 Started(#0), start b
         b up         -
         a panics     stop b
         b exits shutdown  wait a 1s..1s
         ask 3 terminate a  answer 3 Done
         a due 0      -",
    );
}

#[test]
fn a_child_that_has_used_up_its_own_limits_ends_its_supervisor() {
    check_with_reports(
        "by_needs  99 in 5s  a:perm:limit=1/10s b:perm:needs=a c:perm
         a panics     (a RestartGroup 1/99), stop b
         b exits shutdown  epoch a, epoch b, start a
         a up         start b
         b up         -
         wait 10s     -
         a panics     (a Escalate 1/1), stop c, stop b
         b exits shutdown  -
         c exits shutdown  exit shutdown",
    );
}

#[test]
fn a_child_that_is_left_down_leaves_the_others_alone() {
    check_with_reports(
        "by_needs  99 in 5s  a:perm:limit=0/10s:down b:perm:needs=a c:perm
         a panics     (a GiveUpOnChild 0/0)
         ask 1 which  answer 1 [c:Running b:Running a:Disabled]
         b panics     (b Restart 1/99)
         ask 2 restart a  answer 2 Refused(Disabled)
         ask 3 enable a  start a
         a up         answer 3 Started(#0), start b
         b up         -
         c panics     (c Restart 2/99), start c",
    );
    // Its own count is told, and not the supervisor's.
    check_with_reports(
        "by_needs  99 in 5s  a:perm:limit=1/10s:down b:perm c:tran:sig  any
         a panics     (a Restart 1/99), start a
         a up         -
         b panics     (b Restart 2/99), start b
         b up         -
         a panics     (a GiveUpOnChild 1/1)",
    );
    // If it was a restart of its group that failed, those that need it wait for it.
    check(
        "by_needs  99 in 5s  a:perm:row=1/10s:down b:perm:needs=a
         a panics     stop b
         b exits shutdown  start a
         a fails      retry a
         a retry      -
         ask 1 which  answer 1 [b:Waiting a:Disabled]
         ask 2 terminate b  answer 2 Done
         ask 3 restart b  answer 3 Refused(NeedIsDown(\"a\"))
         ask 4 enable a  start a
         a up         answer 4 Started(#0)
         ask 5 restart b  start b",
    );
    // While the supervisor starts, it comes up without them.
    check(
        "by_needs  99 in 5s  a:perm:limit=0/10s:down b:perm:needs=a
         start        start a
         a up         start b
         a panics     -
         b up         ready
         b panics     -
         ask 1 which  answer 1 [b:Waiting a:Disabled]",
    );
    check(
        "by_needs  99 in 5s  a:perm:limit=0/10s:down:reports b:perm:needs=a
         start        start a
         a up         -
         a panics     ready
         ask 1 which  answer 1 [b:Waiting a:Disabled]",
    );
}

#[test]
fn the_supervisor_comes_up_without_who_is_disabled_and_without_who_needs_it() {
    check(
        "by_needs  9 in 5s  a:perm:off b:perm:needs=a c:perm:needs=b d:perm e:perm:needs=c/d
         start        start d
         d up         ready
         ask 1 which  answer 1 [e:Waiting d:Running c:Waiting b:Waiting a:Disabled]
         d panics     start d
         d up         -
         ask 2 start f:perm:needs=c  add #5, forget f, answer 2 Refused(NeedIsDown(\"a\"))
         ask 3 enable a  start a
         a up         answer 3 Started(#0), start b
         b up         start c
         c up         start e",
    );
    // What fails then is a restart, tried again, and not the supervisor's own start.
    check_with_reports(
        "by_needs  9 in 5s  a:perm:off b:perm:needs=a
         start        ready
         ask 1 enable a  start a
         a up         answer 1 Started(#0), start b
         b fails      (b TryAgain 0/9), retry b
         b retry      (b Restart 1/9), start b",
    );
    // A temporary one is never started again.
    check_with_reports(
        "by_needs  9 in 5s  a:perm:off b:temp:needs=a c:temp:sig:needs=a any
         start        ready
         ask 1 enable a  start a
         a up         answer 1 Started(#0), start b, start c
         b fails      (b Forget 0/9), forget b
         c fails      (c Forget 0/9), forget c, (c AutoShutdown 0/9), stop a
         a exits shutdown  exit shutdown",
    );
    // Stopped before it has come up it is forgotten as well, and no restart brings it back; disabled it is not.
    check_with_reports(
        "by_needs  9 in 5s  a:perm:off b:temp:needs=a c:temp:needs=a d:perm:needs=a
         start        ready
         ask 1 terminate b  forget b, answer 1 Done
         ask 2 disable c  answer 2 Done
         ask 3 terminate d  answer 3 Done
         ask 4 enable a  start a
         a up         answer 4 Started(#0)
         a panics     (a RestartGroup 1/9), epoch a, epoch c, epoch d, start a
         a up         start d
         ask 5 enable c  start c
         c up         answer 5 Started(#2)",
    );
}

#[test]
fn not_a_restart_of_its_group_brings_a_disabled_child_back() {
    check_with_reports(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b
         ask 1 disable b  stop b
         b exits shutdown  answer 1 Done
         c panics     (c Restart 1/9)
         ask 2 enable b  start b
         b up         answer 2 Started(#1), start c
         c up         -
         ask 3 disable b  stop b
         a panics     (a RestartGroup 2/9), stop c
         c exits shutdown  -
         b exits shutdown  answer 3 Done, epoch a, epoch b, epoch c, start a
         a up         -
         ask 4 which  answer 4 [c:Waiting b:Disabled a:Running]
         ask 5 enable b  start b
         b up         answer 5 Started(#1), start c",
    );
}

#[test]
fn enabling_a_child_waits_for_what_it_needs_and_not_in_vain() {
    check(
        "by_needs  9 in 5s  a:perm:off b:perm:off:needs=a c:perm:off:needs=a
         start        ready
         ask 1 enable b  answer 1 Refused(NeedIsDown(\"a\"))
         ask 2 enable a  start a
         ask 3 enable b  -
         ask 4 enable c  -
         ask 5 disable b  answer 3 Refused(StartFailed(shutdown)), answer 5 Done
         ask 6 terminate c  answer 4 Refused(StartFailed(shutdown)), answer 6 Done
         ask 7 which  answer 7 [c:Disabled b:Disabled a:Starting]
         ask 8 enable b  -
         ask 9 start d:perm:needs=b  add #3
         ask 10 disable d  answer 9 Ignored, answer 10 Done
         ask 11 enable d  -
         a up         answer 2 Started(#0), start b
         b fails      answer 8 Refused(StartFailed(boom)), answer 11 Refused(NeedIsDown(\"b\"))
         ask 12 which  answer 12 [d:Disabled c:Disabled b:Disabled a:Running]",
    );
    // One that is added disabled needs nobody yet.
    check(
        "by_needs  9 in 5s  d:perm:backoff=1s/9s/10s
         d panics     wait d 1s..1s
         ask 1 start e:perm:off:needs=d  add #1, answer 1 Ignored
         ask 2 which  answer 2 [e:Disabled d:Waiting]",
    );
    // A restart of its group takes one along that is being enabled.
    check(
        "by_needs  9 in 5s  a:perm b:perm:off:needs=a
         ask 1 enable b  start b
         a panics     stop b
         b fails      start a
         a up         start b
         b up         answer 1 Started(#1)",
    );
}

/// What all children of a supervisor are given, those that are added later among them.
#[test]
fn a_backoff_for_all_children() {
    let header = ["by_needs", "99", "in", "5s", "a:perm", "b:temp:needs=a", "c:perm:backoff=7s/9s/10s"];
    let common = backoff("1s", "4s", "10s");
    let rules = needs_rules(&header).expect("valid").with_backoff(common).expect("valid");
    let backoffs =
        rules.children().iter().map(|rules| rules.policy.as_ref().and_then(|policy| policy.backoff));
    assert!(backoffs.eq([Some(common), None, Some(backoff("7s", "9s", "10s"))]));
    let mut supervision = GraphSupervision::new(rules);
    let mut commands = Vec::new();
    let slot = add_one(supervision.slots().collect(), |event| {
        supervision.handle(event, Moment::START, &mut commands);
        commands.last().cloned()
    });
    assert_eq!(supervision.child(slot).and_then(|rules| rules.policy.as_ref()?.backoff), Some(common));

    // How long it waits is told with the decision.
    supervision.handle(Event::Started(slot), Moment::START, &mut commands);
    commands.clear();
    let fell = Event::Exited { slot, reason: ExitReason::Killed, charged: true };
    supervision.handle(fell, Moment::START, &mut commands);
    let Some(Command::Report(report)) = commands.first() else { panic!("{commands:?}") };
    assert_eq!(report.delay.map(|delay| delay.latest), Some(duration("1s")));

    let rules = needs_rules(&header).expect("valid");
    assert!(matches!(rules.with_backoff(backoff("0s", "1s", "1s")), Err(SpecError::CommonBackoff(_))));
}

#[test]
fn whoever_is_down_or_waits_in_vain_holds_nobody_up() {
    let header = [
        "by_needs",
        "9",
        "in",
        "5s",
        "a:perm:off:reports",
        "b:perm:needs=a:reports",
        "c:perm:reports",
        "d:tran:reports",
    ];
    let mut supervision = GraphSupervision::new(needs_rules(&header).expect("valid"));
    let [a, b, c, d] = supervision.slots().collect::<Vec<_>>()[..] else { panic!("four") };
    assert!(supervision.unready().eq([b, c, d]), "those that are about to start");
    let mut handle = |event| {
        supervision.handle(event, Moment::START, &mut Vec::new());
        (supervision.is_ready(), supervision.unready().collect::<Vec<_>>())
    };
    assert_eq!(handle(Event::Start), (false, vec![c, d]));
    assert_eq!(handle(Event::Started(c)), (false, vec![c, d]));
    assert_eq!(handle(Event::Started(d)), (false, vec![c, d]));
    assert_eq!(handle(Event::Ready(c)), (false, vec![d]));
    let through = Event::Exited { slot: d, reason: ExitReason::Normal, charged: true };
    assert_eq!(handle(through), (true, vec![]));
    assert_eq!(handle(Event::Asked(RequestId(0), Request::EnableChild("a".into()))), (false, vec![a, b]));
    assert_eq!(handle(Event::Started(a)), (false, vec![a, b]));
    assert_eq!(handle(Event::Ready(a)), (false, vec![b]));
}
