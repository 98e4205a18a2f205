//! Stopping: the order, the ladder, and what happens meanwhile.

use super::*;

#[test]
fn a_stopping_supervisor_goes_in_reverse_order_sup_091_094_101() {
    for word in ["normal", "shutdown", "boom"] {
        check(&format!(
            "one_for_one  1 in 5s  a:perm b:temp c:tran d:perm
             b panics     forget b
             stop {word}   stop d
             d exits boom  stop c
             stop other   -
             c exits shutdown  stop a
             a exits shutdown  exit {word}"
        ));
    }
}

#[test]
fn stopping_within_a_time_sup_092() {
    check(
        "one_for_one  1 in 5s  a:perm b:perm:2s
         stop normal  stop b, deadline b 2s
         wait 1s      -
         b late       -
         wait 1s      -
         b late       kill b
         b late       -
         wait 99s     -
         b exits killed  stop a
         a exits shutdown  exit normal",
    );
}

#[test]
fn the_deadline_of_an_earlier_stop_does_not_count() {
    check(
        "one_for_all  9 in 5s  a:perm b:perm:2s
         a panics     stop b, deadline b 2s
         b exits shutdown  start a
         a up         start b
         b up         -
         wait 1s      -
         a panics     stop b, deadline b 2s
         wait 1s      -
         b late       -
         wait 1s      -
         b late       kill b",
    );
}

#[test]
fn brutal_kill_and_zero_sup_093_095() {
    check(
        "one_for_one  1 in 5s  a:perm:0s b:perm:kill
         stop normal  kill b
         b exits killed  stop a, kill a
         a exits shutdown  exit normal",
    );
}

#[test]
fn who_dies_during_the_stop_does_not_disturb_it_sup_098() {
    check(
        "one_for_all  9 in 5s  a:perm b:temp c:perm
         stop normal  stop c
         a panics     -
         c exits shutdown  stop b
         b exits shutdown  exit normal",
    );
}

#[test]
fn a_stop_abandons_an_operation_the_child_in_hand_first() {
    // A start: the child ends either way.
    for last in ["fails", "exits shutdown", "ignores"] {
        check(&format!(
            "one_for_one  9 in 5s  a:perm b:perm:2s c:perm
             b panics     start b
             c panics     -
             a retry      -
             stop boom    stop b, deadline b 2s
             b up         -
             b {last}     stop a
             a exits shutdown  exit boom"
        ));
    }
    check(
        "one_for_one  9 in 5s  a:perm b:perm:kill c:perm
         b panics     start b
         stop boom    kill b
         b fails      stop c
         c exits shutdown  stop a
         a exits shutdown  exit boom",
    );
    // The own start.
    check(
        "one_for_one  9 in 5s  a:perm b:perm:2s c:perm
         start        start a
         a up         start b
         stop boom    stop b, deadline b 2s
         wait 2s      -
         b late       kill b
         b exits killed  stop a
         a exits shutdown  exit boom",
    );
    // The stops of a group restart: what is being stopped already is not told twice, and nobody is forgotten.
    check(
        "rest_for_one  9 in 5s  a:perm b:perm c:temp
         b panics     stop c
         stop boom    -
         c fails      -
         c exits shutdown  stop a
         a exits shutdown  exit boom",
    );
    // Its starts.
    check(
        "one_for_all  9 in 5s  a:perm b:perm c:perm
         b panics     stop c
         c exits shutdown  stop a
         a exits shutdown  start a
         a up         start b
         stop boom    stop b
         b exits shutdown  stop a
         a exits shutdown  exit boom",
    );
}

#[test]
fn stopping_before_or_just_after_the_start() {
    let mut supervision = Supervision::new(rules(&["one_for_one", "1", "in", "5s", "a"]).expect("valid"));
    let mut commands = Vec::new();
    supervision.handle(Event::Stop(ExitReason::Normal), Moment::START, &mut commands);
    supervision.handle(Event::Start, Moment::START, &mut commands);
    assert_eq!(commands, [Command::Exit(ExitReason::Normal)]);
    check(
        "one_for_one  9 in 5s  a:perm
         start        start a
         stop boom    stop a
         a fails      exit boom",
    );
}
