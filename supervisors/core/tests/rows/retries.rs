//! Restarts that fail, and what overtakes them.

use super::*;

#[test]
fn other_things_overtake_a_retry_sup_071_075() {
    check(
        "one_for_one  9 in 5s  a:perm b:perm
         a panics     start a
         a fails      retry a
         b panics     start b
         a retry      -
         b up         start a
         a up         -
         a retry      -",
    );
    check(
        "one_for_one  9 in 5s  a:perm b:perm
         a panics     start a
         a fails      retry a
         stop boom    stop b
         a retry      -
         b exits shutdown  exit boom
         a retry      -",
    );
}

#[test]
fn one_for_all_when_another_member_fails_sup_076() {
    check(
        "one_for_all  5 in 5s  a:perm b:perm c:perm
         a panics     stop c
         c exits shutdown  stop b
         b exits shutdown  start a
         a up         start b
         b fails      retry b
         b retry      stop a
         a exits shutdown  start a
         a up         start b
         b up         start c
         c up         -",
    );
    // Between the attempts a member that was started may die, and take the next attempt upon itself.
    check(
        "one_for_all  5 in 5s  a:perm b:perm
         a panics     stop b
         b exits shutdown  start a
         a up         start b
         b fails      retry b
         a panics     start a
         b retry      -
         a up         start b
         b up         -",
    );
}

#[test]
fn rest_for_one_when_another_member_fails_sup_077_078() {
    check(
        "rest_for_one  5 in 5s  a:perm b:perm c:perm d:perm
         b panics     stop d
         d exits shutdown  stop c
         c exits shutdown  start b
         b up         start c
         c fails      retry c
         c retry      start c
         c up         start d
         d up         -",
    );
}
