//! What OTP would report of each decision, and that clean ends are no reports unless they are a permanent child's.

use super::check_with_otp_reports as check;

/// OTP: SUP-158, SUP-159.
#[test]
fn clean_ends_are_reported_of_permanent_children_only() {
    for ending in ["normal", "shutdown"] {
        check(&format!(
            "one_for_one|by_needs  9 in 5s  a:perm b:tran c:temp
             a exits {ending}   (a child_terminated), start a
             a up               -
             b exits {ending}   -
             c exits {ending}   forget c"
        ));
        for (restart, expected) in
            [("perm", "(t child_terminated), start 0"), ("tran", "forget 0"), ("temp", "forget 0")]
        {
            check(&format!(
                "dynamic  9 in 5s  t:{restart}
                 start              ready
                 ask 1 instance     add #0, start 0
                 0 up               answer 1 Started(#0)
                 0 exits {ending}   {expected}"
            ));
        }
    }
    check(
        "one_for_one|by_needs  9 in 5s  a:perm b:tran c:temp
         a panics     (a child_terminated), start a
         a up         -
         b panics     (b child_terminated), start b
         b up         -
         c panics     (c child_terminated), forget c",
    );
    check(
        "one_for_one|by_needs  9 in 5s  a:perm b:tran:sig any
         b exits normal    stop a",
    );
}

/// A restart that failed has been reported; that it is tried again is no report, nor is the end that was reported before.
///
/// OTP: SUP-158.
#[test]
fn attempts_are_reported_once() {
    check(
        "one_for_one|by_needs  2 in 5s  a:perm
         a panics     (a child_terminated), start a
         a fails      (a start_error), retry a
         a retry      start a
         a fails      (a start_error), retry a
         a retry      (a shutdown), exit shutdown",
    );
    check(
        "one_for_one|by_needs  1 in 5s  a:perm
         a panics     (a child_terminated), start a
         a up         -
         a panics     (a child_terminated shutdown), exit shutdown",
    );
    check(
        "dynamic  2 in 5s  t:perm
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         ask 2 instance     add #1, start 1
         1 up               answer 2 Started(#1)
         0 panics           (t child_terminated), start 0
         0 fails            (t start_error), retry 0
         0 retry            start 0
         0 fails            (t start_error), retry 0
         1 panics           (t child_terminated shutdown), exit shutdown",
    );
    check(
        "dynamic  1 in 5s  t:perm
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         0 panics           (t child_terminated), start 0
         0 fails            (t start_error), retry 0
         0 retry            (t shutdown), exit shutdown",
    );
    check(
        "one_for_all  2 in 5s  a:perm b:perm
         a panics     (a child_terminated), stop b
         b exits shutdown  start a
         a up         start b
         b fails      (b start_error), retry b
         a panics     (a child_terminated), start a
         b retry      -
         a up         start b
         b up         -",
    );
    check(
        "one_for_one  2 in 5s  a:perm b:perm
         start        start a
         a up         start b
         b fails      (b start_error), stop a
         a exits shutdown  exit shutdown: child `b` failed to start: boom",
    );
}

/// A child that had to be killed is reported once, whatever it ends with.
///
/// OTP: SUP-158.
#[test]
fn stops_that_go_otherwise_are_reported() {
    for ending in ["killed", "normal"] {
        check(&format!(
            "one_for_one  9 in 5s  a:perm b:temp:1s
             ask 1 terminate b  stop b, deadline b 1s
             wait 1s            -
             b late             (b shutdown_error), kill b
             b exits {ending}   forget b, answer 1 Done"
        ));
    }
    check(
        "one_for_one|by_needs  9 in 5s  a:perm b:perm c:temp
         ask 1 terminate a  stop a
         a exits normal     (a shutdown_error), answer 1 Done
         ask 2 terminate b  stop b
         b exits shutdown   answer 2 Done
         ask 3 terminate c  stop c
         c exits normal     forget c, answer 3 Done",
    );
    check(
        "one_for_one|by_needs  9 in 5s  a:perm
         ask 1 terminate a  stop a
         a panics           (a shutdown_error), answer 1 Done",
    );
}

/// Beyond OTP: a restart that waits is one, and limits of a child's own end in what the supervisor's end in.
#[test]
fn restarts_that_wait_and_limits_of_ones_own_are_reported_alike() {
    check(
        "one_for_one|by_needs  9 in 5s  a:perm:backoff=1s/1s/9s:limit=1/5s
         a panics     (a child_terminated), wait a 1s..1s
         wait 1s      -
         a due 0      start a
         a fails      (a start_error), retry a
         a retry      (a shutdown), exit shutdown",
    );
    check(
        "dynamic  9 in 5s  t:perm:backoff=1s/1s/9s:limit=2/5s
         ask 1 instance  add #0, start 0
         0 up         answer 1 Started(#0)
         0 panics     (t child_terminated), wait 0 1s..1s
         wait 1s      -
         0 due 0      start 0
         0 fails      (t start_error), retry 0
         0 retry      wait 0 1s..1s
         wait 1s      -
         0 due 1      start 0
         0 fails      (t start_error), retry 0
         0 retry      (t shutdown), exit shutdown",
    );
    check(
        "one_for_one|by_needs  9 in 5s  a:perm:limit=0/5s:down b:perm:limit=0/5s
         a panics     (a child_terminated)
         b panics     (b child_terminated shutdown), exit shutdown",
    );
}
