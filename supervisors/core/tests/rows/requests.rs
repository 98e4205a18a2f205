//! Requests as rows: what is answered at once, what takes an operation first, and what waits for one.
//! SUP-073, SUP-074, SUP-081 to SUP-083, SUP-099, SUP-107, SUP-141 to SUP-149, SUP-154.

use super::*;

#[test]
fn a_child_is_added_started_and_answered_for() {
    check(
        "rest_for_one  5 in 5s  a:perm b:perm
         ask 1 start c:perm    add #2, start c
         c up                  answer 1 Started(#2)
         ask 2 start c:perm    answer 2 Refused(AlreadyStarted(#2))
         b panics              stop c
         c exits shutdown      start b
         b up                  start c",
    );
}

#[test]
fn a_child_that_does_not_come_up_is_not_kept_unless_it_ignored() {
    check(
        "one_for_one  0 in 5s  a:perm
         ask 1 start c:perm    add #1, start c
         c fails               forget c, answer 1 Refused(StartFailed(boom))
         ask 2 start d:perm    add #2, start d
         d ignores             answer 2 Ignored
         ask 3 start d:perm    answer 3 Refused(AlreadyPresent)
         ask 4 start e:temp    add #3, start e
         e ignores             forget e, answer 4 Ignored
         ask 5 restart d       start d
         d fails               answer 5 Refused(StartFailed(boom))
         ask 6 restart d       start d
         d up                  answer 6 Started(#2)",
    );
}

#[test]
fn stopping_starting_again_and_deleting() {
    check(
        "one_for_all  0 in 5s  a:perm:2s b:temp
         ask 1 restart a       answer 1 Refused(Running)
         ask 2 delete a        answer 2 Refused(Running)
         ask 3 terminate a     stop a, deadline a 2s
         wait 2s               -
         a late                kill a
         a exits killed        answer 3 Done
         ask 4 terminate a     answer 4 Done
         ask 5 terminate b     stop b
         b exits shutdown      forget b, answer 5 Done
         ask 6 terminate b     answer 6 Refused(NotFound)
         ask 7 restart b       answer 7 Refused(NotFound)
         ask 8 delete a        forget a, answer 8 Done
         ask 9 delete a        answer 9 Refused(NotFound)",
    );
}

#[test]
fn requests_and_deaths_wait_for_the_operation_in_order_of_arrival() {
    check(
        "one_for_one  5 in 5s  a:perm b:perm
         a panics              start a
         ask 1 terminate b     -
         b panics              -
         ask 2 restart b       -
         a up                  answer 1 Done, start b
         b up                  answer 2 Started(#1)",
    );
}

#[test]
fn a_child_that_is_restarting_can_be_seen_and_stopped() {
    check(
        "one_for_one  5 in 5s  a:perm
         a panics              start a
         a fails               retry a
         ask 1 restart a       answer 1 Refused(Restarting)
         ask 2 delete a        answer 2 Refused(Restarting)
         ask 3 start a:perm    answer 3 Refused(AlreadyPresent)
         ask 4 terminate a     answer 4 Done
         a retry               -
         ask 5 restart a       start a",
    );
}

#[test]
fn a_supervisor_that_ends_answers_nobody_any_more() {
    check(
        "one_for_one  0 in 5s  a:perm b:perm
         a panics              stop b
         ask 1 terminate b     -
         b exits shutdown      exit shutdown
         ask 2 terminate b     -",
    );
    check(
        "one_for_one  0 in 5s  a:perm
         ask 1 terminate a     stop a
         ask 2 restart a       -
         stop shutdown         -
         a exits shutdown      exit shutdown",
    );
}

/// What somebody has stopped or disabled is what it is called then: who is through stays through.
#[test]
fn who_is_down_already_is_disabled_but_not_stopped_once_more() {
    check(
        "one_for_one  5 in 5s  a:perm b:tran
         ask 1 terminate a     stop a
         a exits shutdown      answer 1 Done
         ask 2 disable a       answer 2 Done
         ask 3 restart a       answer 3 Refused(Disabled)
         ask 4 terminate a     answer 4 Done
         ask 5 enable a        start a
         a up                  answer 5 Started(#0)
         b exits normal        -
         ask 6 terminate b     answer 6 Done
         ask 7 change one_for_one 5 in 5s a:perm b:tran  [a b], applied 7
         ask 8 disable b       answer 8 Done
         ask 9 enable b        start b",
    );
}

/// All count that have a specification; who is gone for good, or deleted, makes room, and so do other rules.
#[test]
fn no_more_children_than_allowed() {
    check(
        "one_for_one|by_needs  5 in 5s  a:perm b:temp most=2
         ask 1 start c:perm    answer 1 Refused(TooMany)
         ask 2 start a:perm    answer 2 Refused(AlreadyStarted(#0))
         b exits normal        forget b
         ask 3 start c:perm    add #2, start c
         c up                  answer 3 Started(#2)
         ask 4 terminate c     stop c
         c exits shutdown      answer 4 Done
         ask 5 start d:perm    answer 5 Refused(TooMany)
         ask 6 delete c        forget c, answer 6 Done
         ask 7 start d:perm    add #3, start d",
    );
    for kind in ["one_for_one", "by_needs"] {
        check(&format!(
            "{kind}  5 in 5s  a:perm most=1
             ask 1 change {kind} 5 in 5s a:perm most=2  [a], applied 1
             ask 2 start b:perm  add #2, start b
             b up              answer 2 Started(#2)
             ask 3 start c:perm  answer 3 Refused(TooMany)"
        ));
    }
    for header in ["one_for_one 5 in 5s a:perm b:perm most=1", "by_needs 5 in 5s a:perm b:perm most=1"] {
        let words: Vec<&str> = header.split_whitespace().collect();
        let refused = if words[0] == "by_needs" {
            needs_rules(&words).map(|rules| rules.max_children())
        } else {
            rules(&words).map(|rules| rules.max_children())
        };
        assert_eq!(refused, Err(SpecError::TooManyChildren { given: 2, max_children: 1 }));
    }
    let text = SpecError::TooManyChildren { given: 2, max_children: 1 }.to_string();
    assert_eq!(text, "2 children where there may be 1: leave some out, or allow more");
    let words: Vec<&str> = "one_for_one 5 in 5s a:perm most=7".split_whitespace().collect();
    assert_eq!(Supervision::new(rules(&words).expect("valid")).max_children(), 7);
    let words: Vec<&str> = "by_needs 5 in 5s a:perm most=7".split_whitespace().collect();
    assert_eq!(GraphSupervision::new(needs_rules(&words).expect("valid")).max_children(), 7);
}
