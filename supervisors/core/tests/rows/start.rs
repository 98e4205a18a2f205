//! Starting: the order, failures, exits meanwhile, and who is restarted after which end.

use super::*;

#[test]
fn children_start_in_order_each_acknowledged_sup_001_002() {
    check(
        "one_for_one  1 in 5s  a:perm b:tran c:temp
         start        start a
         start        -
         b up         -
         a up         start b
         a up         -
         b up         start c
         c up         ready
         start        -",
    );
    check(
        "one_for_one  1 in 5s
         start        ready
         stop normal  exit normal
         start        -",
    );
}

#[test]
fn a_failed_own_start_stops_what_is_up_in_reverse_without_retry_sup_003_004_005() {
    check(
        "one_for_one  9 in 5s  a:perm b:perm:2s c:perm d:perm
         start        start a
         a up         start b
         b up         start c
         c fails      stop b, deadline b 2s
         stop normal  -
         b exits shutdown  stop a
         a exits shutdown  exit shutdown: child `c` failed to start: boom
         stop normal  -",
    );
    check(
        "one_for_all  9 in 5s  a:perm
         start        start a
         a fails      exit shutdown: child `a` failed to start: boom",
    );
}

#[test]
fn a_clean_end_before_being_up_is_a_failed_start_sup_006() {
    for word in ["normal", "shutdown"] {
        for restart in ["perm", "tran", "temp"] {
            for event in ["fails", "exits"] {
                check(&format!(
                    "one_for_one  9 in 5s  a:{restart}
                     start        start a
                     a {event} {word}   exit shutdown: child `a` failed to start: {word}"
                ));
            }
        }
    }
}

#[test]
fn exits_during_the_own_start_wait_their_turn_sup_002_108() {
    check(
        "one_for_one  9 in 5s  a:perm b:temp c:perm
         start        start a
         a up         start b
         a panics     -
         b up         start c
         b panics     -
         c up         ready, start a
         a up         forget b",
    );
    check(
        "one_for_one  9 in 5s  a:perm b:perm c:perm
         start        start a
         a up         start b
         b up         start c
         b panics     -
         c fails      stop a
         a exits shutdown  exit shutdown: child `c` failed to start: boom",
    );
}

#[test]
fn ignored_starts_sup_079_080_132() {
    check(
        "one_for_all  9 in 5s  a:perm b:temp c:tran
         start        start a
         a ignores    start b
         b ignores    forget b, start c
         c ignores    ready
         a panics     -",
    );
    check(
        "one_for_one  1 in 5s  a:tran:sig b:perm all
         a panics     start a
         a ignores    -
         b panics     exit shutdown",
    );
    check(
        "rest_for_one  9 in 5s  a:perm b:perm c:perm
         a panics     stop c
         c exits shutdown  stop b
         b exits shutdown  start a
         a up         start b
         b ignores    start c
         c up         -",
    );
}

#[test]
fn the_restart_type_decides_sup_021_to_025() {
    for word in ["normal", "shutdown", "detail", "killed", "panics", "boom"] {
        check(&format!(
            "one_for_one  9 in 5s  a:perm b:perm
             a exits {word}   start a"
        ));
        let transient = if matches!(word, "killed" | "panics" | "boom") { "start a" } else { "-" };
        check(&format!(
            "one_for_one  9 in 5s  a:tran b:perm
             a exits {word}   {transient}"
        ));
        check(&format!(
            "one_for_one  9 in 5s  a:temp b:perm
             a exits {word}   forget a
             a exits {word}   -"
        ));
    }
}

#[test]
fn exits_of_nobody_are_ignored_sup_030() {
    check(
        "one_for_one  9 in 5s  a:tran b:perm
         a exits normal  -
         a panics        -
         a up            -
         a fails         -
         a ignores       -
         a late          -
         a retry         -",
    );
}
