//! Children with needs: what starts and stops side by side, who shares whose fate, what requests do in each state.
//! What policies add is in `graph/policies.rs`, other rules while it runs in `graph/changes.rs`. Sequences that nobody thought of are gone through in `tests/graph`.

use super::*;

mod changes;
mod policies;
mod waiting;

#[test]
fn a_child_starts_when_all_it_needs_is_up_and_the_others_side_by_side() {
    // The list is not the order.
    check(
        "by_needs  9 in 5s  http:perm:needs=ledger/mail ledger:perm:needs=store store:perm mail:perm
         start        start store, start mail
         store up     start ledger
         mail up      -
         ledger up    start http
         http up      ready
         start        -
         http up      -",
    );
    // Of those that may start in the same moment the list is the order, whatever the order of the needs.
    check(
        "by_needs  9 in 5s  d:perm:needs=b/a c:perm:needs=a b:perm a:perm
         start        start b, start a
         a up         start c
         b up         start d",
    );
    check(
        "by_needs  9 in 5s
         start        ready
         stop normal  exit normal",
    );
}

#[test]
fn a_child_that_reports_is_waited_for_until_it_is_ready() {
    check(
        "by_needs  9 in 5s  a:perm:reports b:perm:needs=a c:perm
         start        start a, start c
         a up         -
         c up         -
         b up         -
         a ready      start b
         b up         ready
         a ready      -",
    );
    // Late: killed for that, and what falls then is restarted as ever. Nobody had come up for it.
    run(
        "by_needs  9 in 5s  a:perm:ready<2s b:perm:needs=a
         start        start a
         a up         ready a in 2s
         wait 1s      -
         a unready    -
         wait 1s      -
         a unready    (a NotReady 0/9), kill a for not ready within 2s
         a unready    -
         a exits killed  (a RestartGroup 1/9), epoch a, epoch b, start a
         a up         ready a in 2s
         a ready      start b
         a unready    -
         b up         ready",
        Told::Decisions,
    );
}

#[test]
fn a_need_is_met_by_who_has_done_its_part() {
    check(
        "by_needs  9 in 5s  job:tran none:perm tmp:temp c:perm:needs=job/none/tmp
         start        start job, start none, start tmp
         job up       -
         none ignores  -
         job exits normal  -
         tmp ignores  forget tmp, start c
         c up         ready",
    );
    // Not by one that fell while it was to be stopped, nor by one that was up and is to leave.
    check(
        "by_needs  9 in 5s  a:perm b:tran:needs=a c:perm:needs=b
         a panics     stop c
         b exits normal  -
         c exits shutdown  start a
         a up         start b
         b up         start c",
    );
}

#[test]
fn an_own_start_that_fails_ends_all() {
    run(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm d:perm:needs=c
         start        start a, start c
         a up         start b
         c fails      (c StartFailed 0/9), stop b
         b up         -
         b exits shutdown  stop a
         a exits shutdown  exit shutdown: child `c` failed to start: boom
         a exits shutdown  -",
        Told::Decisions,
    );
    check(
        "by_needs  9 in 5s  a:perm
         start        start a
         a exits normal  exit shutdown: child `a` failed to start: normal",
    );
}

#[test]
fn an_end_during_the_own_start_is_judged_at_once() {
    run(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b d:tran
         start        start a, start d
         a up         start b
         a panics     (a RestartGroup 1/9), stop b
         d up         -
         d exits normal  (d LeaveDown 1/9)
         b fails      epoch a, epoch b, epoch c, start a
         a up         start b
         b up         start c
         c up         ready",
        Told::Decisions,
    );
    // An own start that was broken off and fails the second time is still one.
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         start        start a
         a up         start b
         a panics     stop b
         b fails      start a
         a up         start b
         b fails      stop a
         a exits shutdown  exit shutdown: child `b` failed to start: boom",
    );
}

#[test]
fn who_is_restarted_by_which_end() {
    for (restart, reason, expected) in [
        ("perm", "panics", "start b"),
        ("perm", "exits normal", "start b"),
        ("tran", "panics", "start b"),
        ("tran", "exits normal", "-"),
        ("tran", "exits shutdown", "-"),
        ("temp", "panics", "forget b"),
        ("temp", "exits normal", "forget b"),
    ] {
        check(&format!(
            "by_needs  9 in 5s  a:perm b:{restart} c:perm
             b {reason}    {expected}"
        ));
    }
}

#[test]
fn a_group_is_stopped_from_its_end_and_starts_from_its_beginning() {
    run(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=a d:perm:needs=b/c e:perm
         a panics     (a RestartGroup 1/9), stop d
         d exits shutdown  stop c, stop b
         b exits shutdown  -
         c exits shutdown  epoch a, epoch b, epoch c, epoch d, start a
         a up         start b, start c
         c up         -
         b up         start d
         d up         -
         d panics     (d Restart 2/9), start d
         d up         -
         e panics     (e Restart 3/9), start e",
        Told::Decisions,
    );
    // Through others.
    check(
        "by_needs  9 in 5s  c:perm:needs=b b:perm:needs=a a:perm
         a panics     stop c
         c exits shutdown  stop b
         b exits shutdown  start a",
    );
}

#[test]
fn groups_that_share_somebody_are_one_and_others_are_none() {
    run(
        "by_needs  9 in 5s  a:perm b:perm c:perm:needs=a/b d:perm e:perm:needs=d
         a panics     (a RestartGroup 1/9), stop c
         b panics     (b RestartGroup 2/9)
         d panics     (d RestartGroup 3/9), stop e
         e exits shutdown  epoch d, epoch e, start d
         c exits shutdown  epoch a, epoch b, epoch c, start a, start b
         b up         -
         a up         start c",
        Told::Decisions,
    );
    // One of the group that falls meanwhile has been stopped: not judged, and not counted.
    run(
        "by_needs  1 in 5s  a:perm b:perm:needs=a c:temp:needs=b
         a panics     (a RestartGroup 1/1), stop c
         b panics     (b StoppedOtherwise 1/1)
         c exits shutdown  (c ForgetStopped 1/1), forget c, epoch a, epoch b, start a
         a up         start b",
        Told::Decisions,
    );
    // One that comes up again falls again.
    run(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         a panics     (a RestartGroup 1/9), stop b
         b exits shutdown  epoch a, epoch b, start a
         a up         start b
         a panics     (a RestartGroup 2/9), stop b
         b up         -
         b exits shutdown  epoch a, epoch b, start a
         a up         start b",
        Told::Decisions,
    );
}

#[test]
fn a_restart_that_fails_is_tried_again_and_its_dependents_wait() {
    run(
        "by_needs  2 in 5s  a:perm b:perm:needs=a c:temp
         a panics     (a RestartGroup 1/2), stop b
         b exits shutdown  epoch a, epoch b, start a
         a fails      (a TryAgain 1/2), retry a
         ask 1 restart a  answer 1 Refused(Restarting)
         ask 2 restart b  answer 2 Refused(Restarting)
         a retry      (a RestartGroup 2/2), epoch a, epoch b, start a
         a retry      -
         a fails      (a TryAgain 2/2), retry a
         a retry      (a GiveUp 2/2), stop c
         c exits shutdown  exit shutdown",
        Told::Decisions,
    );
    // A start that its group breaks off is not told of: the next attempt is that of the group.
    run(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b
         b panics     (b RestartGroup 1/9), stop c
         c exits shutdown  epoch b, epoch c, start b
         a panics     (a RestartGroup 2/9), stop b
         b fails      epoch a, epoch b, epoch c, start a",
        Told::Decisions,
    );
}

/// A child is started by request while somebody that needs it lives, and comes to its end before it is up.
#[test]
fn a_start_beneath_a_living_dependent() {
    for ending in ["fails", "ignores"] {
        // Its group is restarted meanwhile, and takes it along whatever it is told.
        let answer = match ending {
            "fails" => "Refused(StartFailed(boom))",
            _ => "Ignored",
        };
        check(&format!(
            "by_needs  9 in 5s  r:perm a:perm:needs=r b:perm:needs=a
             ask 1 terminate a  stop a
             a exits shutdown  answer 1 Done
             ask 2 restart a  start a
             r panics     stop b
             a {ending}   answer 2 {answer}
             b exits shutdown  start r
             r up         start a
             a up         start b"
        ));
        // At the end nobody is told, and nobody is forgotten.
        check(&format!(
            "by_needs  9 in 5s  a:perm b:perm:needs=a
             ask 1 terminate a  stop a
             a exits shutdown  answer 1 Done
             ask 2 delete a  forget a, answer 2 Done
             ask 3 start a:temp  add #2, start a
             stop boom    stop b
             a {ending}   -
             b exits shutdown  exit boom"
        ));
    }
}

/// One that has failed, or has nothing to run, in the very moment in which its group is to leave.
#[test]
fn a_start_that_ends_while_its_group_is_to_leave_is_made_again_with_it() {
    for ending in ["fails", "ignores", "exits normal"] {
        check(&format!(
            "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b
             b panics     stop c
             c exits shutdown  start b
             b up         start c
             a panics     stop c
             c {ending}   stop b
             b exits shutdown  start a
             a up         start b
             b up         start c"
        ));
    }
    // A temporary one has no restart: what it was to be, it was.
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:temp:needs=a
         ask 1 terminate a  stop a
         a exits shutdown  answer 1 Done
         ask 2 restart a  start a
         ask 3 start d:temp:needs=b  add #3, start d
         b panics     stop d
         d ignores    -
         a up         answer 2 Started(#0), start b
         b up         start d
         d ignores    forget d, answer 3 Ignored",
    );
}

#[test]
fn the_window_and_what_is_not_charged() {
    run(
        "by_needs  1 in 5s  a:perm b:perm
         a panics     (a Restart 1/1), start a
         a up         -
         b panics uncharged  (b Restart 1/1), start b
         b up         -
         wait 5001ms  -
         a panics     (a Restart 1/1), start a
         a up         -
         b panics uncharged  (b Restart 1/1), start b
         b up         -
         wait 5s      -
         b panics uncharged  (b GiveUp 1/1), stop a
         a exits shutdown  exit shutdown",
        Told::Decisions,
    );
}

#[test]
fn everyone_stops_when_nobody_needs_it_any_more() {
    check(
        "by_needs  9 in 5s  a:perm:2s b:kill:needs=a c:perm:0s:needs=a d:perm
         stop boom    stop d, stop c, kill c, kill b
         stop normal  -
         c exits killed  -
         b exits killed  stop a, deadline a 2s
         a late       -
         wait 2s      -
         a late       kill a
         a late       -
         a exits killed  -
         d exits shutdown  exit boom
         d exits shutdown  -
         stop boom    -",
    );
    // A start is abandoned; whoever waits for one waits no more.
    run(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:temp
         a panics     (a RestartGroup 1/9), stop b
         b exits shutdown  epoch a, epoch b, start a
         stop boom    stop c, stop a
         ask 1 which  -
         a up         -
         a exits panics  -
         c exits panics  (c StoppedOtherwise 1/9), exit boom",
        Told::Decisions,
    );
    check(
        "by_needs  9 in 5s  a:perm
         start        start a
         stop boom    stop a
         a fails      exit boom",
    );
    check(
        "by_needs  9 in 5s  a:perm
         a panics     start a
         a fails      retry a
         stop boom    exit boom
         a retry      -",
    );
}

#[test]
fn how_a_stop_ended_is_told_if_it_was_not_as_asked() {
    run(
        "by_needs  9 in 5s  a:perm:2s b:tran c:kill d:temp e:perm
         stop boom    stop e, stop d, kill c, stop b, stop a, deadline a 2s
         wait 2s      -
         a late       (a KillAfterDeadline 0/9), kill a
         a exits killed  -
         b exits normal  -
         c exits killed  -
         d exits boom  (d StoppedOtherwise 0/9)
         e exits normal  (e StoppedOtherwise 0/9), exit boom",
        Told::Decisions,
    );
}

#[test]
fn significant_children_end_it() {
    run(
        "by_needs  9 in 5s  a:perm b:tran:sig:needs=a c:temp:needs=a any
         c panics     (c Forget 0/9), forget c
         b panics     (b Restart 1/9), start b
         b up         -
         b exits normal  (b LeaveDown 1/9), (b AutoShutdown 1/9), stop a
         a exits shutdown  exit shutdown",
        Told::Decisions,
    );
    check(
        "by_needs  9 in 5s  a:temp:sig b:tran:sig c:perm all
         a panics     forget a
         b exits normal  stop c
         c exits shutdown  exit shutdown",
    );
    // Whoever waits for its restart counts as running; whoever is stopped has not ended by itself.
    check(
        "by_needs  9 in 5s  a:tran:sig b:temp:sig all
         a panics     start a
         a fails      retry a
         b panics     forget b
         a retry      start a
         a up         -
         ask 1 terminate a  stop a
         a exits normal  answer 1 Done
         ask 2 restart a  start a
         a up         answer 2 Started(#0)
         a exits normal  exit shutdown",
    );
    check(
        "by_needs  9 in 5s  a:perm b:tran:sig:needs=a any
         a panics     stop b
         b exits normal  start a
         a up         start b",
    );
    check(
        "by_needs  9 in 5s  a:tran b:perm  any
         a exits normal  -",
    );
}

#[test]
fn requests_take_nobody_along_and_nobody_comes_up_without_what_it_needs() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b
         ask 1 terminate a  stop a
         a exits shutdown  answer 1 Done
         ask 2 terminate a  answer 2 Done
         c panics     start c
         c up         -
         b panics     stop c
         c exits shutdown  -
         ask 3 which  answer 3 [c:Waiting b:Waiting a:Gone]
         ask 4 restart b  answer 4 Refused(Restarting)
         ask 5 delete b  answer 5 Refused(Restarting)
         ask 6 terminate b  answer 6 Done
         ask 7 restart b  answer 7 Refused(NeedIsDown(\"a\"))
         ask 8 start d:perm:needs=c  add #3, forget d, answer 8 Refused(NeedIsDown(\"b\"))
         ask 9 restart a  start a
         ask 10 restart b  -
         a up         answer 9 Started(#0), start b
         b up         answer 10 Started(#1), start c
         ask 11 restart b  answer 11 Refused(Running)
         ask 12 delete b  answer 12 Refused(Running)
         ask 13 start b:perm  answer 13 Refused(AlreadyStarted(#1))",
    );
    // One that has done its part goes on doing so if it is stopped after that.
    check(
        "by_needs  9 in 5s  a:tran b:perm:needs=a
         a exits normal  -
         ask 1 terminate a  answer 1 Done
         b panics     start b
         b up         -
         ask 2 disable a  answer 2 Done
         b panics     -
         ask 3 which  answer 3 [b:Waiting a:Disabled]",
    );
    // A restart on the account of a child it needs brings one back that was stopped.
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         ask 1 terminate b  stop b
         a panics     -
         b exits shutdown  answer 1 Done, start a
         a up         start b",
    );
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         ask 1 terminate b  stop b
         b exits shutdown  answer 1 Done
         ask 2 start b:perm  answer 2 Refused(AlreadyPresent)
         a panics     start a
         a up         start b",
    );
}

#[test]
fn children_that_are_added_and_deleted() {
    check(
        "by_needs  9 in 5s  a:perm b:temp
         ask 1 start c:perm:needs=a/b  add #2, start c
         ask 2 start d:perm:needs=c  add #3
         ask 3 which d  answer 3 Child(Listed { slot: #3, id: \"d\", state: Waiting, kind: Worker, ready: None })
         c up         answer 1 Started(#2), start d
         d fails      forget d, answer 2 Refused(StartFailed(boom))
         ask 4 start d:perm:needs=x  answer 4 Refused(Invalid(UnknownNeed(\"d\", \"x\")))
         ask 5 start d:perm:needs=d  answer 5 Refused(Invalid(NeedsCycle([\"d\"])))
         ask 6 start d:perm:sig  answer 6 Refused(Invalid(SignificantWithoutAutoShutdown(\"d\")))
         ask 7 start d:perm:needs=c  add #4, start d
         d ignores    answer 7 Ignored
         ask 8 terminate b  stop b
         b exits shutdown  forget b, answer 8 Done
         ask 9 terminate b  answer 9 Refused(NotFound)
         ask 10 delete a  answer 10 Refused(Running)
         ask 11 terminate a  stop a
         a exits shutdown  answer 11 Done
         ask 12 delete a  forget a, answer 12 Done
         ask 13 delete a  answer 13 Refused(NotFound)
         ask 14 restart a  answer 14 Refused(NotFound)
         ask 15 start a:perm:needs=c  answer 15 Refused(Invalid(NeedsCycle([\"a\", \"c\"])))
         ask 16 start a:perm:needs=d  answer 16 Refused(Invalid(NeedsCycle([\"a\", \"d\", \"c\"])))
         c panics     start c
         c up         start d",
    );
}

/// A request about a child that is coming up or going waits until it has; others overtake it.
#[test]
fn requests_about_who_is_on_the_move_wait() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         start        start a
         ask 1 count  -
         a up         start b
         b up         ready, answer 1 Counts(Counts { specs: 2, active: 2, supervisors: 0, workers: 2 })
         a panics     stop b
         ask 2 terminate b  -
         ask 3 delete b  -
         ask 4 which  answer 4 [b:Stopping a:Waiting]
         ask 5 count  answer 5 Counts(Counts { specs: 2, active: 0, supervisors: 0, workers: 2 })
         ask 6 terminate a  answer 6 Done
         b exits shutdown  answer 2 Done, forget b, answer 3 Done
         ask 7 restart a  start a
         ask 8 terminate a  -
         ask 9 start b:perm  add #2, start b
         a up         answer 7 Started(#0), stop a
         b up         answer 9 Started(#2)
         a exits shutdown  answer 8 Done",
    );
    check(
        "by_needs  9 in 5s  a:perm
         ask 1 terminate a  stop a
         ask 2 start a:perm  -
         ask 3 restart a  -
         ask 4 start a:perm  -
         a exits shutdown  answer 1 Done, answer 2 Refused(AlreadyPresent), start a
         a up         answer 3 Started(#0), answer 4 Refused(AlreadyStarted(#0))",
    );
    // Whoever is to be started by request, and is stopped before it could, was not started.
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         ask 1 terminate b  stop b
         b exits shutdown  answer 1 Done
         ask 2 terminate a  stop a
         a exits shutdown  answer 2 Done
         ask 3 restart a  start a
         ask 4 restart b  -
         ask 5 start c:perm:needs=a  add #2
         ask 6 terminate b  answer 4 Refused(StartFailed(shutdown)), answer 6 Done
         ask 7 terminate c  forget c, answer 5 Refused(StartFailed(shutdown)), answer 7 Done
         a fails      answer 3 Refused(StartFailed(boom))
         ask 8 which  answer 8 [b:Gone a:Gone]",
    );
    // At the end nobody answers any more.
    check(
        "by_needs  9 in 5s  a:perm b:perm
         ask 1 terminate a  stop a
         ask 2 restart a  -
         stop boom    stop b
         a exits shutdown  -
         ask 3 which  -
         b exits shutdown  exit boom",
    );
}

#[test]
fn what_is_asked_for_in_vain() {
    check(
        "by_needs  9 in 5s  a:perm
         ask 1 instance  answer 1 Refused(NotDynamic)
         ask 2 instance temp  answer 2 Refused(NotDynamic)
         ask 3 dynamic 1 in 5s t:perm  answer 3 Refused(NotDynamic)
         ask 4 which x  answer 4 Refused(NotFound)
         ask 5 spec x  answer 5 Refused(NotFound)
         ask 6 terminate x  answer 6 Refused(NotFound)
         ask 7 restart x  answer 7 Refused(NotFound)",
    );
}

#[test]
fn events_that_cannot_happen_are_ignored() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:temp
         c panics     forget c
         a fails      -
         a ignores    -
         a late       -
         a retry      -
         a ready      -
         a unready    -
         end late     -
         c up         -
         c fails      -
         c ignores    -
         c panics     -
         c late       -
         c retry      -
         c ready      -
         c unready    -
         a done       -
         let go       -",
    );
}

/// It meets the needs of others as before: who is to be refused is not held against them.
#[test]
fn who_has_done_its_part_and_is_not_started_again_has_done_it_still() {
    check(
        "by_needs  9 in 5s  n:perm x:tran:needs=n y:temp:needs=x
         x exits normal       -
         y exits normal       forget y
         ask 1 terminate n    stop n
         n exits shutdown     answer 1 Done
         ask 2 restart x      answer 2 Refused(NeedIsDown(\"n\"))
         ask 3 start z:perm:needs=x  add #3, start z
         z up                 answer 3 Started(#3)",
    );
    // Also if that is found later, and for whoever waits meanwhile.
    check(
        "by_needs  9 in 5s  n:perm x:tran:needs=n
         x exits normal       -
         ask 1 terminate n    stop n
         n exits shutdown     answer 1 Done
         ask 2 restart n      start n
         ask 3 restart x      -
         ask 4 start z:perm:needs=x  add #2
         n fails              answer 2 Refused(StartFailed(boom)), answer 3 Refused(NeedIsDown(\"n\")), start z",
    );
    check(
        "by_needs  9 in 5s  n:perm x:tran:needs=n
         start                start n
         n up                 start x
         x ignores            ready
         ask 1 terminate n    stop n
         n exits shutdown     answer 1 Done
         ask 2 restart x      answer 2 Refused(NeedIsDown(\"n\"))
         ask 3 start z:perm:needs=x  add #2, start z",
    );
    // Not once it has been begun, nor if somebody stops it instead.
    check(
        "by_needs  9 in 5s  n:perm x:tran:needs=n
         x exits normal       -
         ask 1 restart x      start x
         x fails              answer 1 Refused(StartFailed(boom))
         ask 2 start z:perm:needs=x  add #2, forget z, answer 2 Refused(NeedIsDown(\"x\"))",
    );
    check(
        "by_needs  9 in 5s  n:perm x:tran:needs=n
         x exits normal       -
         ask 1 terminate n    stop n
         n exits shutdown     answer 1 Done
         ask 2 restart n      start n
         ask 3 restart x      -
         ask 4 terminate x    answer 3 Refused(StartFailed(shutdown)), answer 4 Done
         n up                 answer 2 Started(#0)
         ask 5 start z:perm:needs=x  add #2, forget z, answer 5 Refused(NeedIsDown(\"x\"))",
    );
}

/// A start that is not even tried forgives nothing.
#[test]
fn a_refused_restart_leaves_the_limits_of_its_own_as_they_were() {
    check(
        "by_needs  9 in 50s  n:perm x:perm:needs=n:limit=1/30s:down
         x panics             start x
         x up                 -
         ask 1 terminate x    stop x
         x exits shutdown     answer 1 Done
         ask 2 terminate n    stop n
         n exits shutdown     answer 2 Done
         ask 3 restart x      answer 3 Refused(NeedIsDown(\"n\"))
         ask 4 restart n      start n
         n up                 answer 4 Started(#0)
         ask 5 restart x      start x
         x up                 answer 5 Started(#1)
         x panics             start x",
    );
}
