//! Other rules for a supervisor that runs, as rows: who is stopped and started, in which order, what waits, and what
//! becomes of a change that fails or is overtaken.

use super::{check, check_with_reports};

#[test]
fn nothing_that_is_the_same_is_touched() {
    check(
        "one_for_one  1 in 5s  a:perm b:tran c:temp
         ask 1 change one_for_one 1 in 5s a:perm b:tran c:temp              [a b c], applied 1
         ask 2 change one_for_all 9 in 9s c:tran:kill a:temp:5s b:perm all  [c a b], applied 2
         a panics   forget a
         c panics   stop b
         b exits shutdown   start c
         c up       start b",
    );
}

#[test]
fn removed_ones_are_stopped_last_to_first_and_added_ones_started_in_their_places() {
    check_with_reports(
        "rest_for_one  1 in 5s  a:perm b:perm c:perm
         ask 1 change rest_for_one 1 in 5s x:perm b:perm y:temp z:perm  stop c
         c exits shutdown   (c Remove 0/1), forget c, stop a
         a exits killed     (a StoppedOtherwise 0/1), (a Remove 0/1), forget a, [x b y z], start x
         x up               start y
         y up               start z
         z up               applied 1
         x panics           (x RestartGroup 1/1), stop z",
    );
}

#[test]
fn a_replaced_child_takes_along_whom_the_new_strategy_restarts_with_it() {
    check(
        "one_for_all  1 in 5s  a:perm b:perm c:perm
         ask 1 change one_for_one 1 in 5s a:perm b:perm:new c:perm  stop b
         b exits shutdown   [a b c], start b
         b up               applied 1",
    );
    check_with_reports(
        "one_for_one  0 in 5s  a:perm b:temp c:perm d:temp
         ask 1 change rest_for_one 0 in 5s a:perm b:temp:new n:perm c:perm d:temp  stop d
         d exits shutdown   (d StartAnew 0/0), stop c
         c exits shutdown   (c StartAnew 0/0), stop b
         b exits shutdown   (b StartAnew 0/0), [a b n c d], epoch b, epoch c, epoch d, start b
         b up               start n
         n up               start c
         c up               start d
         d up               applied 1
         c panics           (c GiveUp 0/0), stop d",
    );
    check(
        "one_for_one  0 in 5s  a:perm b:perm
         ask 1 change one_for_all 0 in 5s b:perm:new a:perm  stop b
         b exits shutdown   stop a
         a exits shutdown   [b a], start b
         b up               start a
         a up               applied 1",
    );
}

/// What is finished stays so, what waits for its restart goes on waiting, and whoever else is down is started.
#[test]
fn children_without_a_process() {
    check(
        "one_for_one  5 in 5s  a:perm b:tran c:tran d:perm e:temp
         b exits normal       -
         c panics             start c
         c fails              retry c
         ask 1 terminate d    stop d
         d exits shutdown     answer 1 Done
         e exits normal       forget e
         ask 2 change one_for_one 5 in 5s d:perm c:tran b:tran a:perm e:temp  [d c b a e], retry c, start d
         c retry              -
         d up                 start e
         e up                 applied 2, start c
         c up                 -
         c retry              -
         ask 3 change one_for_one 5 in 5s a:perm b:perm  stop e
         e exits shutdown     forget e, stop c
         c exits shutdown     forget c, stop d
         d exits shutdown     forget d, [a b], start b
         b up                 applied 3",
    );
    // A replaced one that is down disturbs nobody; one that waits is being restarted, and is.
    check(
        "rest_for_one  5 in 5s  a:perm b:perm
         ask 1 terminate a    stop a
         a exits shutdown     answer 1 Done
         ask 2 change rest_for_one 5 in 5s a:perm:new b:perm  [a b], start a
         a up                 applied 2
         a panics             stop b
         b exits shutdown     start a
         a fails              retry a
         ask 3 change rest_for_one 5 in 5s a:perm:new b:perm  [a b], start a
         a retry              -
         a up                 start b
         b up                 applied 3",
    );
    // It was not stopped for that, and nobody says so.
    check_with_reports(
        "one_for_one  5 in 5s  a:perm b:perm:off c:perm
         ask 1 terminate a    stop a
         a exits shutdown     answer 1 Done
         ask 2 terminate c    stop c
         c exits shutdown     answer 2 Done
         ask 3 change one_for_one 5 in 5s a:perm b:perm c:perm:off  [a b c], start a
         a up                 start b
         b up                 applied 3",
    );
    // A child that waits for a start is not left to wait as a temporary one.
    check(
        "one_for_one  5 in 5s  a:perm
         a panics             start a
         a fails              retry a
         ask 1 change one_for_one 5 in 5s a:temp  [a], start a
         a up                 applied 1",
    );
}

#[test]
fn exits_retries_and_requests_wait_until_it_is_over() {
    check(
        "one_for_one  5 in 5s  a:perm b:perm c:perm
         ask 1 change one_for_one 5 in 5s b:perm c:perm n:perm  stop a
         b panics             -
         ask 2 terminate n    -
         ask 3 change one_for_one 5 in 5s b:perm  -
         a exits shutdown     forget a, [b c n], start n
         c panics             -
         n up                 applied 1, start b",
    );
    // Who falls and is replaced anyway is not judged.
    check(
        "one_for_one  0 in 5s  a:perm b:perm
         ask 1 change one_for_one 0 in 5s a:perm:new b:perm:new  stop b
         a panics             -
         b exits shutdown     [a b], start a
         b retry              -
         a up                 start b
         b up                 applied 1",
    );
}

#[test]
fn a_start_that_fails_is_told_and_holds_back_whoever_needs_it() {
    check(
        "one_for_one  5 in 5s  a:perm b:perm
         ask 1 change one_for_one 5 in 5s a:perm:new b:perm:new c:temp d:perm  stop b
         b exits shutdown     stop a
         a exits shutdown     [a b c d], start a
         a fails              start b
         b up                 start c
         c fails              start d
         d ignores            forget c, applied 1 a boom c boom
         ask 2 change one_for_one 5 in 5s a:perm b:perm d:perm  [a b d], start a
         a up                 start d
         d up                 applied 2",
    );
    check(
        "rest_for_one  5 in 5s  a:perm b:perm c:perm
         ask 1 change rest_for_one 5 in 5s a:perm b:perm:new n:temp c:perm  stop c
         c exits shutdown     stop b
         b exits shutdown     [a b n c], start b
         b fails              forget n, applied 1 b boom not n not c
         a panics             start a",
    );
    check(
        "one_for_all  5 in 5s  a:perm b:perm
         ask 1 change one_for_all 5 in 5s a:perm b:perm:new  stop b
         b exits shutdown     stop a
         a exits shutdown     [a b], start a
         a fails              applied 1 a boom not b
         ask 2 change one_for_all 5 in 5s a:perm b:perm  [a b], start a
         a up                 start b
         b up                 applied 2",
    );
}

#[test]
fn a_stop_overtakes_at_every_step() {
    check(
        "one_for_one  5 in 5s  a:perm b:perm c:perm
         ask 1 change one_for_one 5 in 5s a:perm b:perm:new  stop c
         stop shutdown        -
         c exits shutdown     stop b
         b exits shutdown     stop a
         a exits shutdown     exit shutdown",
    );
    check(
        "one_for_one  5 in 5s  a:perm b:perm
         ask 1 change one_for_one 5 in 5s a:perm b:perm:new n:perm  stop b
         b exits shutdown     [a b n], start b
         stop shutdown        stop b
         b fails              stop a
         a exits shutdown     exit shutdown",
    );
    check(
        "one_for_one  5 in 5s  a:perm b:perm
         ask 1 change one_for_one 5 in 5s a:perm:in b:perm:new  hold in a
         stop shutdown        stop b
         a done               -
         b exits shutdown     stop a
         a exits shutdown     exit shutdown",
    );
}

#[test]
fn each_part_goes_through_the_supervisors_below_before_the_next_begins() {
    check(
        "rest_for_one  5 in 5s  a:perm b:perm c:perm
         ask 1 change rest_for_one 5 in 5s c:perm:in n:perm a:perm:in  hold in c
         c done               hold in a
         a done               stops in c
         c done               stop b
         b exits shutdown     forget b, stops in a
         a done               [c n a], starts in c
         c done               start n
         n up                 starts in a
         a done               applied 1",
    );
    // The first that cannot be held ends it, and those who are held are let go.
    check(
        "one_for_one  5 in 5s  a:perm b:perm c:perm
         ask 1 change one_for_one 5 in 5s a:perm:in b:perm:in  hold in a
         a done               hold in b
         b panics             -
         b not done           let go a, answer 1 Refused(Stale), start b",
    );
    // One that ends while it is changed is started by its new recipe, after the change.
    check(
        "rest_for_one  5 in 5s  a:perm b:perm
         ask 1 change rest_for_one 5 in 5s a:perm:in n:perm b:perm  hold in a
         a done               stops in a
         a panics             -
         a not done           [a n b], starts in a
         a not done           applied 1 not n, stop b
         b exits shutdown     start a",
    );
}

#[test]
fn a_supervisor_that_is_changed_from_above_waits_for_each_part() {
    check(
        "one_for_one  5 in 5s  a:perm b:perm c:perm
         ask 1 part one_for_one 5 in 5s a:perm:in b:perm n:perm  hold in a
         a done               answer 1 Held
         ask 2 terminate b    -
         b panics             -
         next 3               stop c
         c exits shutdown     forget c, stops in a
         a done               [a b n], answer 3 Held
         a done               -
         next 4               starts in a
         a done               start n
         n up                 applied 4, answer 2 Done",
    );
    // Let go before anything has happened, it goes on as it was, and so do those within it.
    check(
        "one_for_one|by_needs  5 in 5s  a:perm b:perm
         ask 1 part same 5 in 5s b:perm:in  hold in b
         b done               answer 1 Held
         a panics             -
         let go               let go b, start a",
    );
    // Let go later, it goes to the end all the same.
    check(
        "one_for_one|by_needs  5 in 5s  a:perm
         ask 1 part same 5 in 5s a:perm:new  answer 1 Held
         next 2               stop a
         a exits shutdown     [a], answer 2 Held
         let go               start a
         a up                 applied 2",
    );
}

/// Restarts that were counted still are, and the new limit is what they are counted against.
#[test]
fn the_window_of_restarts_outlasts_a_change() {
    check_with_reports(
        "one_for_one  3 in 5s  a:perm
         a panics             (a Restart 1/3), start a
         a up                 -
         a panics             (a Restart 2/3), start a
         a up                 -
         ask 1 change one_for_one 2 in 5s a:perm  [a], applied 1
         a panics             (a GiveUp 2/2), exit shutdown",
    );
}

#[test]
fn significance_goes_by_the_new_rules() {
    check(
        "one_for_one|by_needs  3 in 5s  a:tran b:tran
         ask 1 change same 3 in 5s a:tran:sig b:tran:sig all  [a b], applied 1
         a exits normal       -
         b exits normal       exit shutdown",
    );
}

/// Whoever has a time to be ready in has it still, under the new slot; who has reported has.
#[test]
fn a_deadline_for_being_ready_outlasts_a_change() {
    check(
        "one_for_one  5 in 5s  a:ready<2s b:ready<2s
         start                start a
         a up                 ready a in 2s, start b
         b up                 ready b in 2s, ready
         wait 1s              -
         b ready              -
         ask 1 change one_for_one 5 in 5s b:ready<2s a:ready<2s  [b a], ready a in 1s, applied 1
         wait 1s              -
         b unready            -
         a unready            kill a for not ready within 2s",
    );
}

/// By rules that do not ask for a report nobody is waited for, or killed; by rules that give more time there is more of it. A life
/// that is not waited for any more counts from then on.
#[test]
fn a_life_that_goes_on_is_waited_for_by_the_new_rules() {
    check(
        "one_for_one  5 in 5s  a:ready<2s b:ready<2s c:ready<2s
         start                start a
         a up                 ready a in 2s, start b
         b up                 ready b in 2s, start c
         c up                 ready c in 2s, ready
         wait 1s              -
         ask 1 change one_for_one 5 in 5s a:perm b:reports c:ready<5s  [a b c], ready c in 4s, applied 1
         wait 1s              -
         a unready            -
         b unready            -
         c unready            -
         wait 3s              -
         c unready            kill c for not ready within 5s",
    );
    check(
        "one_for_one  9 in 5s  a:perm:reports:backoff=1s/9s/10s
         a panics             wait a 1s..1s
         wait 1s              -
         a due 0              start a
         a up                 -
         ask 1 change one_for_one 9 in 5s a:perm:backoff=1s/9s/10s  [a], applied 1
         wait 10s             -
         a panics             wait a 1s..1s",
    );
}

/// Disabled ones stay so, whatever is done around them, until somebody enables them.
#[test]
fn disabled_children_are_left_alone() {
    check(
        "one_for_all  5 in 5s  a:perm b:perm
         ask 1 disable a      stop a
         a exits shutdown     answer 1 Done
         ask 2 change one_for_all 5 in 5s a:perm:new b:perm:new n:perm  stop b
         b exits shutdown     [a b n], start b
         b up                 start n
         n up                 applied 2
         ask 3 enable a       start a
         a up                 answer 3 Started(#2)",
    );
}

/// Only where the new rules say otherwise than the old ones; what somebody asked for meanwhile stays where they agree.
#[test]
fn a_change_of_the_flag_disables_and_enables() {
    check_with_reports(
        "one_for_all  5 in 5s  a:perm b:perm c:temp
         ask 1 change one_for_all 5 in 5s a:perm b:perm:off c:temp:off  stop c
         c exits shutdown     (c Disable 0/5), stop b
         b exits shutdown     (b Disable 0/5), [a b c], applied 1
         a panics             (a RestartGroup 1/5), epoch a, epoch b, epoch c, start a
         a up                 -
         ask 2 enable b       start b
         b up                 answer 2 Started(#4)
         ask 3 change one_for_all 5 in 5s a:perm b:perm:off c:temp:off  [a b c], applied 3
         ask 4 change one_for_all 5 in 5s a:perm b:perm c:temp  [a b c], start c
         c up                 applied 4
         ask 5 disable b      stop b
         b exits shutdown     answer 5 Done
         ask 6 change one_for_all 5 in 5s a:perm b:perm c:temp  [a b c], applied 6
         ask 7 change one_for_all 5 in 5s a:perm b:perm:off c:temp  [a b c], applied 7
         ask 8 change one_for_all 5 in 5s a:perm b:perm c:temp  [a b c], start b
         b up                 applied 8",
    );
}

/// As when somebody asks for it, siblings are left alone, whatever recipe it has; but one that is replaced beside it takes
/// along the others.
#[test]
fn who_is_disabled_or_enabled_disturbs_nobody() {
    check(
        "rest_for_one  5 in 5s  a:perm b:perm:off c:perm
         ask 1 change rest_for_one 5 in 5s a:perm:off:new b:perm:new c:perm  stop a
         a exits shutdown     [a b c], start b
         b up                 applied 1
         ask 2 change rest_for_one 5 in 5s a:perm:new b:perm:off c:perm:new  stop c
         c exits shutdown     stop b
         b exits shutdown     [a b c], start a
         a up                 start c
         c up                 applied 2",
    );
    // A supervisor that would be changed inside is stopped.
    check(
        "one_for_all  5 in 5s  a:perm b:perm
         ask 1 change one_for_all 5 in 5s a:perm:off:in b:perm:new  stop b
         b exits shutdown     stop a
         a exits shutdown     [a b], start b
         b up                 applied 1",
    );
}

#[test]
fn who_is_disabled_waits_for_nothing() {
    // Neither for another attempt, nor for its time; and nobody judges how it fell.
    check(
        "one_for_one  5 in 5s  a:perm b:perm:backoff=1s/4s/10s c:tran d:perm
         a panics             start a
         a fails              retry a
         b panics             wait b 1s..1s
         c exits normal       -
         ask 1 change one_for_one 5 in 5s a:perm:off b:perm:off:backoff=1s/4s/10s c:tran:off d:perm  [a b c d], applied 1
         a retry              -
         wait 1s              -
         b due 0              -
         ask 2 enable c       start c
         c up                 answer 2 Started(#6)",
    );
    check(
        "one_for_one  0 in 5s  a:perm b:perm
         ask 1 change one_for_one 0 in 5s a:perm:off b:perm:new  stop b
         a panics             -
         b exits shutdown     [a b], start b
         b up                 applied 1",
    );
}

/// It is not disabled any more: it is down, as any other that did not come up, and the next change makes up for it.
#[test]
fn an_enabling_that_fails_or_is_held_back() {
    check(
        "rest_for_one  5 in 5s  a:perm:off b:perm:off c:perm
         ask 1 change rest_for_one 5 in 5s a:perm b:perm c:perm  [a b c], start a
         a fails              applied 1 a boom not b
         ask 2 enable b       answer 2 Refused(NotDisabled)
         ask 3 change rest_for_one 5 in 5s a:perm b:perm c:perm  [a b c], start a
         a up                 start b
         b up                 applied 3",
    );
}
