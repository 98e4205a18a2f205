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
