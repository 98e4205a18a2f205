//! How many restarts are too many.

use super::*;

#[test]
fn one_restart_too_many_ends_the_supervisor_sup_051_053_059() {
    check(
        "one_for_one  2 in 5s  a:perm b:perm c:perm
         a panics     start a
         a up         -
         b panics     start b
         b up         -
         c panics     stop b
         b exits shutdown  stop a
         a exits shutdown  exit shutdown",
    );
}

#[test]
fn intensity_zero_sup_052() {
    check(
        "one_for_all  0 in 5s  a:perm b:perm
         a panics     stop b
         b exits shutdown  exit shutdown",
    );
}

#[test]
fn a_group_restart_counts_once_sup_054() {
    check(
        "one_for_all  1 in 5s  a:perm b:perm
         a panics     stop b
         b exits shutdown  start a
         a up         start b
         b up         -
         b panics     stop a
         a exits shutdown  exit shutdown",
    );
}

#[test]
fn every_further_attempt_counts_sup_055_071_072() {
    check(
        "one_for_one  2 in 5s  a:tran b:perm
         a panics     start a
         a fails normal  retry a
         a retry      start a
         a fails      retry a
         a retry      stop b
         b exits shutdown  exit shutdown",
    );
}

#[test]
fn what_needs_no_restart_is_not_counted_sup_056() {
    check(
        "one_for_one  1 in 5s  a:tran b:temp c:perm
         a exits normal  -
         b panics     forget b
         c panics     start c
         c up         -",
    );
}

#[test]
fn the_window_slides_and_counts_what_is_exactly_a_period_old_sup_057_058() {
    check(
        "one_for_one  1 in 5s  a:perm
         a panics     start a
         a up         -
         wait 5s      -
         wait 1ns     -
         a panics     start a
         a up         -
         wait 5s      -
         a panics     exit shutdown",
    );
}

/// Not OTP's: an end that a message on trial is to blame for does not count, as often as an end that counts may.
#[test]
fn an_end_that_is_not_charged_does_not_count_until_there_are_too_many() {
    check_with_reports(
        "one_for_one  1 in 5s  a:perm b:perm
         a panics uncharged  (a Restart 0/1), start a
         a up         -
         b panics     (b Restart 1/1), start b
         b up         -
         a panics uncharged  (a GiveUp 1/1), stop b
         b exits shutdown  exit shutdown",
    );
    check_with_reports(
        "one_for_one  1 in 5s  a:perm
         a panics uncharged  (a Restart 0/1), start a
         a up         -
         a panics uncharged  (a Restart 1/1), start a
         a up         -
         wait 5s      -
         wait 1ns     -
         a panics uncharged  (a Restart 1/1), start a",
    );
    check("one_for_all  0 in 5s  a:perm\n a panics uncharged  exit shutdown");
}

/// The charge is that of the end which was put off, not of the one that the supervisor was busy with.
#[test]
fn an_end_that_is_put_off_keeps_its_charge() {
    check_with_reports(
        "one_for_one  1 in 5s  a:perm b:perm
         a panics     (a Restart 1/1), start a
         b panics uncharged  -
         a up         (b Restart 1/1), start b
         b up         -",
    );
}
