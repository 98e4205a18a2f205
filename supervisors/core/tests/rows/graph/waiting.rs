//! For whom requests wait that are not answered (`waits`: the request, and the children that keep it), and what becomes of one
//! whose asker has been told that it waits for itself (`back`).

use super::*;

#[test]
fn a_request_about_a_child_waits_until_that_has_come_up_or_gone() {
    check(
        "by_needs  9 in 5s  a:perm b:perm
         waits                 -
         ask 1 start c:perm    add #2, start c
         waits                 1: c
         ask 2 terminate c     -
         ask 3 terminate b     stop b
         waits                 1: c, 2: c, 3: b
         ask 4 count           answer 4 Counts(Counts { specs: 3, active: 1, supervisors: 0, workers: 3 })
         c up                  answer 1 Started(#2), stop c
         waits                 2: c, 3: b
         b exits shutdown      answer 3 Done
         c exits shutdown      answer 2 Done
         waits                 -",
    );
}

#[test]
fn a_change_waits_for_whoever_is_on_the_move_and_for_nobody_else() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm d:perm
         ask 1 start e:perm    add #4, start e
         ask 2 change same 9 in 5s a:perm b:perm:needs=a c:perm d:perm  -
         waits                 1: e, 2: e
         c panics              start c
         waits                 1: e, 2: c e
         c up                  -
         waits                 1: e, 2: e
         a panics              stop b
         waits                 1: e, 2: b e
         b exits shutdown      start a
         waits                 1: e, 2: a e
         a up                  start b
         b up                  -
         e fails               forget e, answer 1 Refused(StartFailed(boom)), [a b c d], applied 2",
    );
}

/// Who is not told yet would end if it were: only whoever is before it in line is waited for.
#[test]
fn who_is_to_leave_later_is_not_waited_for_before() {
    check(
        "by_needs  9 in 5s  s:perm a:perm:needs=s b:perm:needs=a
         s panics              stop b
         ask 1 start z:perm:needs=s  add #3
         waits                 1: b
         b exits shutdown      stop a
         waits                 1: a
         a exits shutdown      start s
         waits                 1: s
         s up                  start a, start z
         waits                 1: z",
    );
    check(
        "by_needs  9 in 5s  s:perm a:perm:needs=s b:perm:needs=a
         s panics              stop b
         ask 1 terminate a     -
         waits                 1: b
         b exits shutdown      stop a
         waits                 1: a",
    );
}

/// Not for one that is up and has not said that it is ready: others may say so for it.
#[test]
fn a_start_waits_for_what_it_needs_as_far_as_that_is_on_the_move() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm
         b panics              start b
         ask 1 start d:perm:needs=b/c  add #3
         waits                 1: b
         ask 2 start e:perm:needs=d    add #4
         waits                 1: b, 2: b
         c panics              start c
         waits                 1: b c, 2: b c
         b up                  -
         c up                  start d
         waits                 1: d, 2: d",
    );
    check(
        "by_needs  9 in 5s
         ask 1 start a:perm:reports  add #0, start a
         a up                  answer 1 Started(#0)
         ask 2 start b:perm:needs=a  add #1
         waits                 -",
    );
    // It comes up when its group is gone.
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         ask 1 terminate b     stop b
         b exits shutdown      answer 1 Done
         ask 2 restart b       start b
         a panics              stop b
         waits                 2: b
         b exits shutdown      start a
         waits                 2: a
         a up                  start b
         waits                 2: b",
    );
}

/// One that is killed does not wait for anybody any more.
#[test]
fn who_is_killed_is_not_waited_for() {
    check(
        "by_needs  9 in 5s  a:perm:kill b:perm:2s
         ask 1 terminate a     kill a
         ask 2 terminate b     stop b, deadline b 2s
         waits                 2: b
         wait 2s               -
         b late                kill b
         waits                 -",
    );
}

#[test]
fn a_change_that_is_being_carried_out_waits_for_whom_it_starts_and_changes_inside() {
    check(
        "by_needs  9 in 5s  a:perm b:perm
         ask 1 change same 9 in 5s a:perm:in b:perm:needs=a:in c:perm:needs=b  hold in a, hold in b
         waits                 -
         a done                -
         b done                stops in b, stops in a
         b done                -
         a done                [a b c], starts in a
         ask 2 change same 9 in 5s a:perm  -
         waits                 1: a, 2: a
         a done                starts in b
         waits                 1: b, 2: b
         b done                start c
         waits                 1: c, 2: c
         c up                  applied 1, stop c",
    );
    // Also if nobody is started, stopped or replaced.
    check(
        "by_needs  9 in 5s  a:perm b:perm
         ask 1 change same 9 in 5s a:perm:in b:perm:needs=a:in  hold in a, hold in b
         a done                -
         b done                stops in b, stops in a
         b done                -
         a done                [a b], starts in a
         waits                 1: a
         a done                starts in b
         waits                 1: b
         b done                applied 1",
    );
}

/// Nothing while all wait for all.
#[test]
fn a_supervisor_that_takes_no_requests_says_nothing() {
    check(
        "by_needs  9 in 5s  a:perm b:perm
         start                 start a, start b
         ask 1 terminate a     -
         waits                 -
         a up                  -
         b up                  ready, stop a
         waits                 1: a
         stop shutdown         stop b
         waits                 -",
    );
}

/// What has not been begun is not done.
#[test]
fn what_is_taken_back_is_not_done_unless_it_has_been_begun() {
    check(
        "by_needs  9 in 5s  a:perm b:perm c:perm:off
         ask 1 start d:perm    add #3, start d
         ask 2 terminate d     -
         ask 3 change same 9 in 5s a:perm  -
         ask 4 start e:perm:needs=d   add #4
         ask 5 terminate a     stop a
         ask 6 start a:perm    -
         back 2                answer 2 Refused(TakenBack)
         back 3                answer 3 Refused(TakenBack)
         back 4                forget e, answer 4 Refused(TakenBack)
         back 6                answer 6 Refused(TakenBack)
         back 1                -
         back 5                -
         back 9                -
         a exits shutdown      answer 5 Done
         d up                  answer 1 Started(#3)",
    );
    for strategy in ["one_for_one", "dynamic"] {
        let (header, child) = match strategy {
            "dynamic" => ("dynamic  9 in 5s  it", "instance"),
            _ => ("one_for_one  9 in 5s", "start it:perm"),
        };
        let begin = format!(
            "{header}\nask 1 {child}    {}",
            match strategy {
                "dynamic" => "add #0, start 0",
                _ => "add #0, start it",
            }
        );
        check(&format!(
            "{begin}
             ask 2 count           -
             ask 3 count           -
             back 1                -
             back 2                answer 2 Refused(TakenBack)
             {} up                 answer 1 Started(#0), answer 3 Counts(Counts {{ specs: 1, active: 1, supervisors: 0, workers: 1 }})",
            if strategy == "dynamic" { "0" } else { "it" },
        ));
    }
    // What came after it was looked at as if it were done.
    check(
        "dynamic  9 in 5s  it
         ask 1 instance        add #0, start 0
         ask 2 dynamic 9 in 5s it 1  -
         back 2                -",
    );
}
