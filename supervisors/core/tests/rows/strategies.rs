//! Who shares the fate of a child that is restarted.

use super::*;

#[test]
fn one_for_one_restarts_one_sup_031() {
    check(
        "one_for_one  9 in 5s  a:perm b:perm c:perm
         b panics     start b
         b up         -
         c panics     start c",
    );
}

#[test]
fn one_for_all_stops_all_then_starts_all_sup_032_038_039() {
    check(
        "one_for_all  1 in 5s  a:perm b:perm c:tran:2s d:perm:kill
         b panics     kill d
         d exits killed  stop c, deadline c 2s
         wait 2s      -
         c late       kill c
         c exits killed  stop a
         wait 99s     -
         a exits normal  start a
         a up         start b
         b up         start c
         c up         start d
         d up         -",
    );
}

#[test]
fn rest_for_one_leaves_earlier_ones_sup_033() {
    check(
        "rest_for_one  1 in 5s  a:perm b:perm c:perm
         b panics     stop c
         c exits shutdown  start b
         b up         start c
         c up         -",
    );
}

#[test]
fn only_a_child_to_be_restarted_disturbs_its_siblings_sup_034() {
    for strategy in ["one_for_all", "rest_for_one"] {
        check(&format!(
            "{strategy}   1 in 5s  a:tran b:temp c:perm
             a exits normal  -
             b panics     forget b"
        ));
    }
}

#[test]
fn temporary_siblings_are_forgotten_by_a_group_restart_sup_035() {
    check(
        "one_for_all  1 in 5s  a:temp b:perm c:temp
         b panics     stop c
         c exits shutdown  forget c, stop a
         a panics     forget a, start b
         b up         -",
    );
    check(
        "rest_for_one  1 in 5s  a:temp b:perm c:temp
         b panics     stop c
         c exits shutdown  forget c, start b",
    );
}

#[test]
fn a_group_restart_revives_who_was_down_sup_036_037() {
    check(
        "one_for_all  9 in 5s  a:tran b:perm c:tran
         a exits normal  -
         c exits normal  -
         b panics     start a
         a up         start b
         b up         start c",
    );
    check(
        "rest_for_one  9 in 5s  a:tran b:perm c:tran
         a exits normal  -
         c exits normal  -
         b panics     start b
         b up         start c
         c up         -",
    );
}

#[test]
fn two_members_that_died_are_one_group_restart_sup_042_099() {
    // While the group stops c, a dies as well: it is found dead, and its notice is consumed.
    check(
        "one_for_all  1 in 5s  a:perm b:perm c:perm
         b panics     stop c
         a panics     -
         c exits shutdown  start a
         a up         start b
         b up         start c
         c up         -",
    );
    check(
        "one_for_all  1 in 5s  a:temp b:perm c:perm
         b panics     stop c
         a panics     -
         c exits shutdown  forget a, start b",
    );
    // A second life that dies before its turn is another matter: it is judged when the operation is over.
    check(
        "one_for_all  1 in 5s  a:perm b:perm
         b panics     stop a
         a exits shutdown  start a
         a up         start b
         a panics     -
         b up         stop b
         b exits shutdown  exit shutdown",
    );
}

#[test]
fn the_consumed_notice_of_one_life_is_not_taken_for_the_next_sup_099() {
    check(
        "one_for_all  9 in 5s  a:tran b:perm c:perm
         b panics     stop c
         a panics     -
         c exits shutdown  start a
         a up         start b
         a exits normal   -
         b up         start c
         c up         -",
    );
}

#[test]
fn rest_for_one_with_two_queued_deaths_sup_043() {
    // Both die while b restarts. Earlier first: one restart more.
    check(
        "rest_for_one  2 in 5s  a:perm b:perm c:perm d:perm
         d panics     start d
         a panics     -
         c panics     -
         d up         stop d
         d exits shutdown  stop b
         b exits shutdown  start a
         a up         start b
         b up         start c
         c up         start d
         d up         -",
    );
    // Later first: two.
    check(
        "rest_for_one  2 in 5s  a:perm b:perm c:perm d:perm
         d panics     start d
         c panics     -
         a panics     -
         d up         stop d
         d exits shutdown  start c
         c up         start d
         d up         stop d
         d exits shutdown  stop c
         c exits shutdown  stop b
         b exits shutdown  exit shutdown",
    );
}

/// Not OTP's, where a process takes its mailbox along: every member that is left begins anew, the fallen one and one
/// that stays down among them.
#[test]
fn a_group_restart_begins_an_epoch_between_the_last_stop_and_the_first_start() {
    check_with_reports(
        "one_for_all  9 in 5s  a:perm b:perm c:temp:kill d:tran
         d exits normal  (d LeaveDown 0/9)
         b panics     (b RestartGroup 1/9), kill c
         c exits killed  (c ForgetStopped 1/9), forget c, stop a
         a exits shutdown  epoch a, epoch b, epoch d, start a",
    );
    check_with_reports(
        "rest_for_one  9 in 5s  a:perm b:perm c:perm
         c panics     (c RestartGroup 1/9), epoch c, start c
         c fails      (c TryAgain 1/9), retry c
         b panics     (b RestartGroup 2/9), epoch b, epoch c, start b",
    );
    check_with_reports(
        "one_for_one  9 in 5s  a:perm b:perm
         b panics     (b Restart 1/9), start b",
    );
}
