//! Dynamic supervisors as rows: instances `0`, `1`, … are the slots in order of their starts.
//! SUP-171 to SUP-185, and the bound on children.

use super::{check, check_with_reports};

#[test]
fn instances_start_by_request_and_restart_alone() {
    check(
        "dynamic  2 in 5s  t:perm
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         ask 2 instance     add #1, start 1
         ask 3 instance     -
         1 fails            forget 1, answer 2 Refused(StartFailed(boom)), add #2, start 2
         2 ignores          forget 2, answer 3 Ignored
         0 panics           start 0
         0 fails            retry 0
         0 retry            start 0
         0 up               -
         0 panics           exit shutdown",
    );
}

#[test]
fn one_that_is_not_restarted_leaves_no_trace_and_one_that_ignores_neither() {
    check(
        "dynamic  5 in 5s  t:tran
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         0 exits normal     forget 0
         ask 2 instance     add #1, start 1
         1 up               answer 2 Started(#1)
         1 panics           start 1
         1 ignores          forget 1",
    );
}

#[test]
fn stopping_by_slot_in_order_of_arrival() {
    check(
        "dynamic  5 in 5s  t:perm:2s
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         ask 2 instance     add #1, start 1
         1 up               answer 2 Started(#1)
         ask 3 terminate t  answer 3 Refused(Dynamic)
         ask 4 terminate 0  stop 0, deadline 0 2s
         1 panics           -
         ask 5 terminate 1  -
         wait 2s            -
         0 late             kill 0
         0 exits killed     forget 0, answer 4 Done, start 1
         1 up               stop 1, deadline 1 2s
         1 exits shutdown   forget 1, answer 5 Done
         ask 6 terminate 1  answer 6 Done",
    );
}

#[test]
fn one_that_waits_for_a_restart_is_stopped_at_once() {
    check(
        "dynamic  5 in 5s  t:perm
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         0 panics           start 0
         0 fails            retry 0
         ask 2 terminate 0  forget 0, answer 2 Done
         0 retry            -
         ask 3 restart t    answer 3 Refused(Dynamic)",
    );
}

#[test]
fn at_the_end_all_are_told_at_once_and_share_one_limit() {
    check(
        "dynamic  5 in 5s  t:perm:2s
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         ask 2 instance     add #1, start 1
         1 up               answer 2 Started(#1)
         ask 3 instance     add #2, start 2
         stop shutdown      stop 0, stop 1, stop 2, end deadline 2s
         1 exits shutdown   -
         ask 4 instance     -
         wait 2s            -
         end late           kill 0, kill 2
         2 fails            -
         0 exits killed     exit shutdown",
    );
    check(
        "dynamic  5 in 5s  t:perm:kill
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         stop boom          kill 0
         0 exits killed     exit boom",
    );
    check(
        "dynamic  5 in 5s  t:perm
         start              ready
         stop normal        exit normal",
    );
}

#[test]
fn news_of_another_than_the_one_in_hand_is_not_taken_for_its() {
    check(
        "dynamic  5 in 5s  t:perm
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         ask 2 instance     add #1, start 1
         0 up               -
         0 ignores          -
         1 up               answer 2 Started(#1)",
    );
}

#[test]
fn no_more_than_it_may_hold() {
    check(
        "dynamic  5 in 5s  t:temp 1
         start              ready
         ask 1 instance     add #0, start 0
         0 up               answer 1 Started(#0)
         ask 2 instance     answer 2 Refused(TooMany)
         0 panics           forget 0
         ask 3 instance     add #1, start 1",
    );
}

/// Instances live on and go by the new rules; what was counted still is.
#[test]
fn other_rules_hold_for_the_running_instances_too() {
    check_with_reports(
        "dynamic  2 in 5s  t:temp 3
         ask 1 instance           add #0, start 0
         ask 2 dynamic 1 in 5s u:perm:kill 1  -
         0 up                     answer 1 Started(#0), answer 2 Done
         ask 3 instance           answer 3 Refused(TooMany)
         0 panics                 (u Restart 1/1), start 0
         0 up                     -
         ask 4 terminate 0        kill 0
         0 exits killed           (u ForgetStopped 1/1), forget 0, answer 4 Done
         ask 5 start a:perm       answer 5 Refused(Dynamic)
         ask 6 change one_for_one 1 in 5s a:perm  answer 6 Refused(Dynamic)
         ask 7 instance           add #1, start 1
         1 up                     answer 7 Started(#1)
         1 panics                 (u GiveUp 1/1), exit shutdown",
    );
    check(
        "one_for_one  1 in 5s  a:perm
         ask 1 dynamic 1 in 5s u:perm  answer 1 Refused(NotDynamic)",
    );
}

/// A restart type of its own, and the template's for all others. It is forgotten with the child.
///
/// OTP: EXT-006.
#[test]
fn an_instance_may_have_a_restart_type_of_its_own() {
    check(
        "dynamic  5 in 5s  t:temp
         start                    ready
         ask 1 instance own:perm  add #0, start 0
         0 up                     answer 1 Started(#0)
         ask 2 instance own:tran  add #1, start 1
         1 up                     answer 2 Started(#1)
         ask 3 instance           add #2, start 2
         2 up                     answer 3 Started(#2)
         0 exits normal           start 0
         0 fails                  retry 0
         0 retry                  start 0
         0 up                     -
         1 panics                 start 1
         1 up                     -
         1 exits normal           forget 1
         2 panics                 forget 2
         ask 4 terminate 0        stop 0
         0 exits shutdown         forget 0, answer 4 Done",
    );
}
