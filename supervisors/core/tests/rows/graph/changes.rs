//! Other rules for a supervisor of children with needs, while it runs: who is stopped and started, and what waits. Whatever
//! does not depend on needs is in `rows/apply.rs`.

use super::*;

#[test]
fn nothing_that_is_the_same_is_touched() {
    // Other needs alone stop nobody: they hold from then on.
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:temp
         ask 1 change by_needs 9 in 5s a:perm b:perm:needs=a c:temp              [a b c], applied 1
         ask 2 change by_needs 9 in 5s c:perm:needs=a b:perm:needs=c a:perm:kill  [c b a], applied 2
         a panics            stop b
         b exits shutdown    stop c
         c exits shutdown    start a
         a up                start c
         c up                start b",
    );
}

/// Nobody waits for a report that is not asked for any more.
#[test]
fn a_life_that_goes_on_is_waited_for_by_the_new_rules() {
    check(
        "by_needs  9 in 5s  a:perm:ready<2s:backoff=1s/9s/10s b:perm:needs=a
         start               start a
         a up                ready a in 2s
         a ready             start b
         b up                ready
         a panics            stop b
         b exits shutdown    wait a 1s..1s
         wait 1s             -
         a due 0             start a
         a up                ready a in 2s
         wait 1s             -
         ask 1 change by_needs 9 in 5s a:perm:ready<5s:backoff=1s/9s/10s b:perm:needs=a  [a b], ready a in 4s, applied 1
         wait 1s             -
         a unready           -
         ask 2 change by_needs 9 in 5s a:perm:backoff=1s/9s/10s b:perm:needs=a  [a b], start b, applied 2
         b up                -
         wait 10s            -
         a unready           -
         a panics            stop b
         b exits shutdown    wait a 1s..1s",
    );
}

#[test]
fn who_leaves_goes_after_those_that_needed_it_and_who_comes_waits_for_what_it_needs() {
    check_with_reports(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b d:perm x:perm
         ask 1 change by_needs 9 in 5s n:perm:needs=m/x m:perm:needs=x x:perm o:perm  stop d, stop c
         c exits shutdown    (c Remove 0/9), forget c, stop b
         d exits killed      (d StoppedOtherwise 0/9), (d Remove 0/9), forget d
         b exits shutdown    (b Remove 0/9), forget b, stop a
         a exits shutdown    (a Remove 0/9), forget a, [n m x o], start m, start o
         o up                -
         m up                start n
         n up                applied 1",
    );
    // Whoever stays does not keep what it needed before, and does not need any more.
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b
         ask 1 change by_needs 9 in 5s b:perm  stop c
         c exits shutdown    forget c, stop a
         a exits shutdown    forget a, [b], applied 1",
    );
}

#[test]
fn a_replaced_child_takes_along_those_that_need_it_now() {
    // `c` needs it no more, `d` has come to; `e` does through `d`. Alone, one begins no epoch.
    check_with_reports(
        "by_needs  0 in 5s  a:perm b:temp:needs=a c:perm:needs=a d:perm e:perm:needs=d f:perm
         ask 1 change by_needs 0 in 5s a:perm:new b:temp:needs=a c:perm d:perm:needs=a e:perm:needs=d f:perm:new  stop f, stop e, stop b
         e exits shutdown    (e StartAnew 0/0), stop d
         f exits shutdown    (f StartAnew 0/0)
         d exits shutdown    (d StartAnew 0/0)
         b exits shutdown    (b StartAnew 0/0), stop a
         a exits shutdown    (a StartAnew 0/0), [a b c d e f], epoch a, epoch b, epoch d, epoch e, start a, start f
         f up                -
         a up                start b, start d
         b up                -
         d up                start e
         e up                applied 1
         c panics            (c GiveUp 0/0), stop f, stop e, stop b",
    );
    // A group is one however many of it are replaced; disabled ones belong to it; and one that is down is no cause.
    check_with_reports(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:off:needs=b
         ask 1 change by_needs 9 in 5s a:perm:new b:perm:needs=a:new c:perm:off:needs=b  stop b
         b exits shutdown    (b StartAnew 0/9), stop a
         a exits shutdown    (a StartAnew 0/9), [a b c], epoch a, epoch b, epoch c, start a
         a up                start b
         b up                applied 1
         ask 2 terminate a   stop a
         a exits shutdown    answer 2 Done
         ask 3 change by_needs 9 in 5s a:perm:new b:perm:needs=a c:perm:off:needs=b n:perm:needs=a  [a b c n], start a
         a up                start n
         n up                applied 3",
    );
    // Needs may turn round: they stop by the old ones and start by the new.
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         ask 1 change by_needs 9 in 5s a:perm:needs=b b:perm:new  stop b
         b exits shutdown    stop a
         a exits shutdown    [a b], start b
         b up                start a
         a up                applied 1",
    );
    // A group reaches through whoever is disabled, and one that is down takes nobody along.
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b d:tran e:perm:needs=d
         ask 1 disable b     stop b
         b exits shutdown    answer 1 Done
         d exits normal      -
         ask 3 change by_needs 9 in 5s a:perm:new b:perm:needs=a c:perm:needs=b d:tran:new e:perm:needs=d  stop c
         c exits shutdown    stop a
         a exits shutdown    [a b c d e], start a, start d
         d up                -
         a up                applied 3",
    );
}

/// What is finished stays so, what waits goes on waiting, and whoever else is down is started.
#[test]
fn children_without_a_process() {
    check(
        "by_needs  9 in 5s  a:perm b:tran c:perm d:perm e:perm:backoff=1s/4s/10s f:temp g:perm:needs=c:off h:perm:needs=g
         b exits normal      -
         c panics            start c
         c fails             retry c
         ask 1 terminate d   stop d
         d exits shutdown    answer 1 Done
         e panics            wait e 1s..1s
         f exits normal      forget f
         ask 2 change by_needs 9 in 5s h:perm:needs=g g:perm:needs=c:off f:temp e:perm:backoff=1s/4s/10s d:perm c:perm b:tran a:perm  [h g f e d c b a], wait e 1s..1s, retry c, start f, start d
         c retry             start c
         d up                -
         f up                applied 2
         c up                -
         c retry             -
         wait 1s             -
         e due 0             start e
         e up                -",
    );
}

#[test]
fn it_begins_when_nobody_is_on_the_move_and_others_overtake_it_until_then() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm d:perm:backoff=1s/4s/10s
         a panics            stop b
         ask 1 change by_needs 9 in 5s d:perm:backoff=1s/4s/10s c:perm  -
         ask 2 which         answer 2 [d:Running c:Running b:Stopping a:Waiting]
         ask 3 terminate c   stop c
         b exits shutdown    start a
         a up                start b
         d panics            wait d 1s..1s
         c exits shutdown    answer 3 Done
         ask 4 start e:perm:needs=d  add #4
         b up                -
         d due 0             start d
         d up                start e
         e up                answer 4 Started(#4), stop e, stop b
         ask 5 which         -
         e exits shutdown    forget e
         b exits shutdown    forget b, stop a
         a exits shutdown    forget a, [d c], start c, answer 5 [c:Starting d:Running]
         c up                applied 1",
    );
}

/// Until it goes by the new rules nobody is judged and nobody comes up; then it is as if it had happened just now.
#[test]
fn ends_retries_and_waits_are_taken_up_in_their_order_when_the_new_rules_hold() {
    check_with_reports(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm d:perm:backoff=1s/4s/10s e:tran x:perm
         c panics            (c Restart 1/9), start c
         c fails             (c TryAgain 1/9), retry c
         d panics            (d RestartLater 2/9), wait d 1s..1s
         ask 1 change by_needs 9 in 5s a:perm b:perm:needs=a c:perm d:perm:backoff=1s/4s/10s e:tran  stop x
         b panics            -
         a panics            -
         a panics            -
         c retry             -
         d due 0             -
         e exits normal      -
         ask 2 terminate e   -
         x exits shutdown    (x Remove 2/9), forget x, [a b c d e], retry c, wait d 1s..1s, (b Restart 3/9), (a RestartGroup 4/9), (e LeaveDown 4/9), epoch a, epoch b, start a, applied 1, answer 2 Done
         c retry             (c Restart 5/9), start c
         wait 1s             -
         d due 0             start d
         a up                start b",
    );
    // Those that were to go with a group have, and count no more.
    check_with_reports(
        "by_needs  1 in 5s  a:perm b:perm:needs=a x:perm
         ask 1 change by_needs 1 in 5s a:perm b:perm:needs=a  stop x
         a panics            -
         b panics            -
         x exits shutdown    (x Remove 0/1), forget x, [a b], (a RestartGroup 1/1), (b StoppedOtherwise 1/1), epoch a, epoch b, start a, applied 1",
    );
    // Whoever falls and is to leave anyway is not judged, in whatever order.
    check_with_reports(
        "by_needs  0 in 5s  a:temp b:perm:needs=a c:perm:needs=a
         ask 1 change by_needs 0 in 5s a:temp:new b:perm:needs=a  stop c, stop b
         a panics            -
         b exits shutdown    (b StartAnew 0/0)
         c exits normal      (c StoppedOtherwise 0/0), (c Remove 0/0), forget c, (a StoppedOtherwise 0/0), (a StartAnew 0/0), [a b], epoch a, epoch b, start a",
    );
    // Once too often: the supervisor ends, with whoever was to come.
    check(
        "by_needs  0 in 5s  a:perm x:perm
         ask 1 change by_needs 0 in 5s a:perm n:perm  stop x
         a panics            -
         x exits shutdown    forget x, [a n], exit shutdown",
    );
}

#[test]
fn a_start_that_fails_is_told_and_holds_back_whoever_needs_it() {
    check_with_reports(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         ask 1 change by_needs 9 in 5s a:perm:new b:perm:needs=a c:temp d:perm:needs=c e:temp:needs=d f:perm  stop b
         b exits shutdown    (b StartAnew 0/9), stop a
         a exits shutdown    (a StartAnew 0/9), [a b c d e f], epoch a, epoch b, start a, start c, start f
         c fails             -
         a exits normal      -
         f ignores           (f Ignore 0/9), forget c, forget e, applied 1 c boom a normal not d not e not b
         ask 2 restart b     answer 2 Refused(NeedIsDown(\"a\"))
         ask 3 change by_needs 9 in 5s a:perm b:perm:needs=a d:perm f:perm  [a b d f], start a, start d, start f
         a up                start b
         f up                -
         d up                -
         b up                applied 3",
    );
    // One that is started with its group is not told of: it is tried again with it.
    check_with_reports(
        "by_needs  9 in 5s  a:perm
         ask 1 change by_needs 9 in 5s a:perm b:perm:needs=a c:perm:needs=b  [a b c], start b
         a panics            (a RestartGroup 1/9), stop b
         b fails             epoch a, epoch b, epoch c, start a
         a up                start b
         b up                start c
         c fails             applied 1 c boom",
    );
    check_with_reports(
        "by_needs  9 in 5s  a:perm
         ask 1 change by_needs 9 in 5s a:perm b:perm:needs=a c:perm  [a b c], start b, start c
         a panics            (a RestartGroup 1/9), stop b
         b ignores           epoch a, epoch b, start a
         a fails             (a TryAgain 1/9), retry a
         c up                -
         a retry             (a RestartGroup 2/9), epoch a, epoch b, start a
         a up                start b
         b up                applied 1",
    );
}

/// It is not yet told to stop, since somebody lives on who needs it.
#[test]
fn a_start_that_fails_while_its_group_is_being_stopped_is_tried_again_with_it() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b
         ask 1 terminate b   stop b
         b exits shutdown    answer 1 Done
         ask 2 change by_needs 9 in 5s a:perm b:perm:needs=a c:perm:needs=b  [a b c], start b
         a panics            stop c
         b fails             -
         c exits shutdown    start a
         a up                start b
         b up                start c, applied 2",
    );
}

/// It needs nobody any more, and is looked at once more.
#[test]
fn who_waits_for_a_child_that_is_forgotten_in_the_end_comes_up() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a
         ask 1 terminate a   stop a
         a exits shutdown    answer 1 Done
         b panics            -
         ask 2 change by_needs 9 in 5s a:temp b:perm:needs=a  [a b], start a
         a fails             forget a, applied 2 a boom, start b",
    );
}

#[test]
fn whoever_is_forgotten_holds_up_nobody() {
    check(
        "by_needs  9 in 5s  d:perm
         ask 1 change by_needs 9 in 5s d:perm:needs=c c:temp e:perm  [d c e], start c, start e
         c fails             -
         d panics            -
         e up                forget c, applied 1 c boom, start d",
    );
    // A start that was asked for and is refused may have held a group together that is gone.
    check(
        "by_needs  9 in 5s  a:perm:reports c:temp d:perm:needs=c x:perm
         c exits normal      forget c
         ask 1 start c:perm:needs=a/x  add #4
         a panics            stop d
         ask 2 terminate x   stop x
         x exits shutdown    answer 2 Done, forget c, answer 1 Refused(NeedIsDown(\"x\")), start a
         d exits shutdown    start d",
    );
}

/// Whatever else happens while the missing come up is dealt with at once.
#[test]
fn while_the_missing_come_up_it_is_as_ever() {
    check(
        "by_needs  9 in 5s  a:perm b:perm x:perm
         ask 1 change by_needs 9 in 5s a:perm b:perm n:perm:needs=b m:temp:needs=n o:perm  stop x
         ask 2 terminate o   -
         x exits shutdown    forget x, [a b n m o], start n, start o
         a panics            start a
         ask 3 change by_needs 9 in 5s a:perm  -
         ask 4 start z:perm  add #8, start z
         ask 5 terminate m   forget m, answer 5 Done
         b panics            stop n
         n up                -
         o up                stop o
         z up                answer 4 Started(#8)
         o exits shutdown    answer 2 Done
         n exits shutdown    start b
         a up                -
         b up                start n
         n up                applied 1, stop z, forget o, stop n",
    );
    // Nobody whose end is the supervisor's is left to come.
    check(
        "by_needs  9 in 5s  a:tran:sig b:perm any
         ask 1 change by_needs 9 in 5s a:tran:sig b:perm n:perm any  [a b n], start n
         a exits normal      stop n, stop b
         n fails             -
         b exits shutdown    exit shutdown",
    );
}

/// The change does not wait for who waits for a child that is disabled; that comes up when it can.
#[test]
fn who_needs_a_disabled_child_is_not_waited_for() {
    check_with_reports(
        "by_needs  1 in 5s  a:perm b:perm
         ask 1 change by_needs 1 in 5s a:perm:off b:perm:needs=a:new c:temp:needs=b d:perm  stop b, stop a
         a exits shutdown    (a Disable 0/1)
         b exits shutdown    (b StartAnew 0/1), [a b c d], start d
         d up                applied 1
         ask 2 enable a      start a
         a up                answer 2 Started(#2), start b
         b fails             (b TryAgain 0/1), retry b
         b retry             (b RestartGroup 1/1), epoch b, epoch c, start b
         b up                start c
         c fails             (c Forget 1/1), forget c",
    );
    // Not if it needs one that has failed as well: it is held back, and told of.
    check(
        "by_needs  9 in 5s  a:perm:off
         ask 1 change by_needs 9 in 5s a:perm:off b:perm c:perm:needs=a/b  [a b c], start b
         b fails             applied 1 b boom not c",
    );
    // By its own limits, too; and it waits for one that waits for its time, or for another attempt.
    check(
        "by_needs  9 in 5s  a:perm:limit=0/9s:down b:perm:backoff=1s/4s/10s c:perm
         a panics            -
         b panics            wait b 1s..1s
         c panics            start c
         c fails             retry c
         ask 1 change by_needs 9 in 5s a:perm:limit=0/9s:down b:perm:backoff=1s/4s/10s c:perm d:perm:needs=a e:perm:needs=b f:perm:needs=c  [a b c d e f], wait b 1s..1s, retry c
         c retry             start c
         c up                start f
         wait 1s             -
         b due 0             start b
         b up                start e
         e up                -
         f up                applied 1
         ask 2 enable a      start a
         a up                answer 2 Started(#3), start d",
    );
}

#[test]
fn a_change_of_the_flag_disables_and_enables_and_disturbs_nobody() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a:off c:temp:needs=a d:perm:backoff=1s/4s/10s
         d panics            wait d 1s..1s
         ask 1 change by_needs 9 in 5s a:perm:off b:perm:needs=a:new c:temp:off:needs=a d:perm:off:backoff=1s/4s/10s  stop c
         c exits shutdown    stop a
         wait 1s             -
         d due 0             -
         a exits shutdown    [a b c d], applied 1
         ask 2 change by_needs 9 in 5s a:perm b:perm:needs=a c:temp:needs=a:off d:perm:off:backoff=1s/4s/10s  [a b c d], start a
         a up                start b, applied 2
         b up                -
         ask 3 disable a     stop a
         a exits shutdown    answer 3 Done
         ask 4 change by_needs 9 in 5s a:perm b:perm:needs=a c:temp:needs=a:off n:perm:off:needs=a  forget d, [a b c n], applied 4
         ask 5 enable n      answer 5 Refused(NeedIsDown(\"a\"))
         ask 6 enable a      start a
         a up                answer 6 Started(#12)",
    );
}

#[test]
fn a_stop_overtakes_at_every_step() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm
         ask 1 change by_needs 9 in 5s a:perm:new b:perm:needs=a  stop c, stop b
         c exits shutdown    forget c
         stop shutdown       -
         b exits shutdown    stop a
         a exits shutdown    exit shutdown",
    );
    check(
        "by_needs  9 in 5s  a:perm b:perm x:perm
         ask 1 change by_needs 9 in 5s a:perm b:perm:new  stop x, stop b
         a panics            -
         b exits shutdown    -
         stop normal         -
         x exits shutdown    exit normal",
    );
    check(
        "by_needs  9 in 5s  a:perm b:perm
         ask 1 change by_needs 9 in 5s a:perm b:perm n:perm m:perm:needs=n  [a b n m], start n
         stop shutdown       stop n, stop b, stop a
         n fails             -
         a exits shutdown    -
         b exits shutdown    exit shutdown",
    );
    check(
        "by_needs  9 in 5s  a:perm b:perm
         ask 1 change by_needs 9 in 5s a:perm:in b:perm:new  hold in a
         stop shutdown       stop b, stop a
         a done              -
         b exits shutdown    -
         a exits shutdown    exit shutdown",
    );
}

#[test]
fn each_part_goes_through_the_supervisors_below_before_the_next_begins() {
    check(
        "by_needs  9 in 5s  a:perm b:perm:needs=a c:perm:needs=b d:perm
         ask 1 change by_needs 9 in 5s a:perm:in c:perm:needs=n:in n:perm:needs=a d:perm:in  hold in a, hold in c, hold in d
         c done              -
         d done              -
         a done              stops in d, stops in c
         d done              -
         c done              stop b
         b exits shutdown    forget b, stops in a
         a done              [a c n d], starts in a, starts in d
         d not done          -
         a done              start n
         n up                starts in c
         c done              applied 1",
    );
    // One that cannot be held ends it, once all have answered, and those who are held are let go.
    check(
        "by_needs  9 in 5s  a:perm b:perm c:perm
         ask 1 change by_needs 9 in 5s a:perm:in b:perm:in c:perm:in  hold in a, hold in b, hold in c
         b panics            -
         b not done          -
         c done              -
         a done              let go a, let go c, answer 1 Refused(Stale), start b",
    );
    // Whoever needs one within which somebody is missing is held back, and so is who needs that.
    check(
        "by_needs  9 in 5s  a:perm
         ask 1 change by_needs 9 in 5s a:perm:in n:perm:needs=a m:perm:needs=n o:perm  hold in a
         a done              stops in a
         a done              [a n m o], start o, starts in a
         o up                -
         a not done          applied 1 not n not m",
    );
    // One that ends while it is changed is started again at once, and those that need it come up after that.
    check(
        "by_needs  9 in 5s  a:perm b:temp
         ask 1 change by_needs 9 in 5s a:perm:in n:perm:needs=a b:temp:in  hold in a, hold in b
         a done              -
         b done              stops in b, stops in a
         a panics            -
         a not done          -
         b done              [a n b], start a, starts in a, starts in b
         b panics            forget b
         a not done          applied 1 not n
         a up                -",
    );
    check(
        "by_needs  9 in 5s  a:perm:reports
         a ready             -
         ask 1 change by_needs 9 in 5s n:perm:needs=a a:perm:reports:in  hold in a
         a done              stops in a
         a done              [n a], starts in a
         a panics            start a
         a up                -
         a done              -
         a ready             start n
         n up                applied 1",
    );
}

#[test]
fn a_supervisor_that_is_changed_from_above_waits_for_each_part() {
    check(
        "by_needs  9 in 5s  a:perm b:perm c:perm:needs=a
         ask 1 part by_needs 9 in 5s a:perm:in b:perm n:perm:needs=a  hold in a
         next 9              -
         a done              answer 1 Held
         ask 2 terminate b   -
         b panics            -
         next 3              stop c
         c exits shutdown    forget c, stops in a
         let go              -
         a done              [a b n], answer 3 Held
         a done              -
         next 4              start b, starts in a
         a done              start n
         b up                stop b
         n up                applied 4
         b exits shutdown    answer 2 Done",
    );
}

/// Restarts that were counted still are, and the new limits are what they are counted against; so are a child's own.
#[test]
fn what_was_counted_outlasts_a_change() {
    check_with_reports(
        "by_needs  3 in 5s  a:perm b:perm:limit=2/30s:down
         a panics            (a Restart 1/3), start a
         a up                -
         b panics            (b Restart 2/3), start b
         b up                -
         ask 1 change by_needs 3 in 9s b:perm:limit=1/30s:down a:perm  [b a], applied 1
         b panics            (b GiveUpOnChild 1/1)
         a panics            (a Restart 3/3), start a
         a up                -
         ask 2 change by_needs 2 in 9s b:perm:limit=1/30s:down a:perm  [b a], applied 2
         a panics            (a GiveUp 2/2), exit shutdown",
    );
}

/// Of whom a change starts nothing is remembered.
#[test]
fn who_is_started_by_a_change_begins_anew() {
    check_with_reports(
        "by_needs  9 in 5s  a:perm:limit=1/30s:down
         a panics            (a Restart 1/9), start a
         a up                -
         ask 1 terminate a   stop a
         a exits shutdown    answer 1 Done
         ask 2 change by_needs 9 in 5s a:perm:limit=1/30s:down  [a], start a
         a up                applied 2
         a panics            (a Restart 2/9), start a
         a up                -
         a panics            (a GiveUpOnChild 1/1)",
    );
}

/// Whoever has a time to be ready in has it still, under the new slot; and the missing wait for who is not ready.
#[test]
fn a_deadline_for_being_ready_outlasts_a_change() {
    check(
        "by_needs  5 in 5s  a:ready<2s b:ready<2s
         start               start a, start b
         a up                ready a in 2s
         b up                ready b in 2s, ready
         wait 1s             -
         b ready             -
         ask 1 change by_needs 5 in 5s b:ready<2s a:ready<2s c:perm:needs=a  [b a c], ready a in 1s
         wait 1s             -
         b unready           -
         a unready           kill a for not ready within 2s
         a exits killed      start a
         a up                ready a in 2s
         a ready             start c
         c up                applied 1",
    );
}
