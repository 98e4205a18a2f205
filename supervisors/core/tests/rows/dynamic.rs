//! Dynamic supervisors as rows: instances `0`, `1`, … are the slots in order of their starts.
//! SUP-171 to SUP-185, and the bound on children.

use super::{check, check_with_reports, dynamic, dynamic_rules, parse};
use minder_signals::Moment;
use minder_supervisors_core::{Command, Delay, Slot};
use std::time::Duration;

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
        "dynamic  2 in 5s  t:tran 3
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

/// Who waits for a restart that the new rules do not give is dropped; who has a restart type of its own keeps it.
#[test]
fn by_other_rules_whoever_waits_in_vain_is_dropped() {
    check(
        "dynamic  9 in 5s  t:perm
         ask 1 instance           add #0, start 0
         0 up                     answer 1 Started(#0)
         0 panics                 start 0
         0 fails                  retry 0
         ask 2 instance           add #1, start 1
         1 up                     answer 2 Started(#1)
         ask 3 instance own:perm  add #2, start 2
         2 up                     answer 3 Started(#2)
         2 panics                 start 2
         2 fails                  retry 2
         ask 4 instance own:temp  add #3, start 3
         3 up                     answer 4 Started(#3)
         ask 5 dynamic 9 in 5s t:temp  forget 0, answer 5 Done
         0 retry                  -
         2 retry                  start 2
         2 up                     -
         1 panics                 forget 1
         ask 6 dynamic 9 in 5s t:perm  answer 6 Done
         3 panics                 forget 3
         2 panics                 start 2",
    );
}

/// What it goes by, also after a change.
#[test]
fn it_says_by_which_rules_it_goes() {
    let before = ["dynamic", "9", "in", "5s", "t:perm", "7"];
    let mut supervision = dynamic(&before);
    assert_eq!(supervision.rules(), dynamic_rules(&before));
    let after = "ask 1 dynamic 3 in 2s u:temp:kill 5";
    for event in ["start", after] {
        supervision.handle(parse(event, &[], &[]), Moment::START, &mut Vec::new());
    }
    let rules = dynamic_rules(&after.split_whitespace().skip(2).collect::<Vec<_>>());
    assert_eq!(supervision.rules(), rules);
    assert_eq!((supervision.max_children(), supervision.level().limit), (5, 3));
    assert_eq!(supervision.template(), rules.template());
}

/// Nobody has kept what a temporary instance was started with, so other rules do not bring it back.
///
/// OTP: SUP-028.
#[test]
fn instances_that_were_temporary_stay_so_under_other_rules() {
    check(
        "dynamic  9 in 5s  t:temp
         start                    ready
         ask 1 instance           add #0, start 0
         0 up                     answer 1 Started(#0)
         ask 2 dynamic 9 in 5s t:perm  answer 2 Done
         ask 3 instance           add #1, start 1
         1 up                     answer 3 Started(#1)
         0 panics                 forget 0
         1 panics                 start 1",
    );
}

/// What an instance has not reported yet is waited for by the new rules, and counts from then on if it need not be.
#[test]
fn instances_that_were_to_report_go_on_by_other_rules() {
    check(
        "dynamic  9 in 5s  t:tran:ready<2s:backoff=1s/9s/10s
         ask 1 instance           add #0, start 0
         0 up                     ready 0 in 2s, answer 1 Started(#0)
         wait 1s                  -
         ask 2 dynamic 9 in 5s t:tran:ready<5s:backoff=1s/9s/10s  ready 0 in 4s, answer 2 Done
         wait 1s                  -
         0 unready                -
         0 panics                 wait 0 1s..1s
         wait 1s                  -
         0 due 0                  start 0
         0 up                     ready 0 in 5s
         ask 3 dynamic 9 in 5s t:tran:backoff=1s/9s/10s  answer 3 Done
         wait 10s                 -
         0 unready                -
         0 panics                 wait 0 1s..1s",
    );
}

/// Of a supervisor with this template: an event, who is not ready from there on, and whether it is itself.
pub(crate) fn knows_who_is_not_ready(template: &str, rows: &[(&str, &str, bool)]) {
    let mut supervision = dynamic(&["dynamic", "9", "in", "5s", template]);
    let (mut slots, mut commands) = (Vec::<(String, Slot)>::new(), Vec::new());
    for &(event, expected, is_ready) in rows {
        commands.clear();
        supervision.handle(parse(event, &slots, &[]), Moment::START, &mut commands);
        slots.extend(commands.iter().filter_map(|command| match command {
            Command::Add(slot, _) => Some((slot.number().to_string(), *slot)),
            _ => None,
        }));
        let unready: Vec<String> = supervision.unready().map(|slot| slot.number().to_string()).collect();
        assert_eq!(unready.join(" "), expected, "after `{event}`: {supervision:#?}");
        assert_eq!(supervision.is_ready(), is_ready, "after `{event}`: {supervision:#?}");
        let there = slots.iter().filter(|(_, slot)| supervision.state(*slot).is_some()).count();
        assert_eq!(supervision.instances(), there, "after `{event}`: {supervision:#?}");
    }
}

/// Who is not ready, by what happens.
#[test]
fn it_knows_which_instances_keep_it_from_being_ready() {
    let rows = [
        ("start", "", true),
        ("ask 1 instance", "0", false),
        ("0 up", "0", false),
        ("ask 2 instance", "0 1", false),
        ("0 ready", "1", false),
        ("1 up", "1", false),
        ("1 ready", "", true),
        // Its next life has to say so again.
        ("0 panics", "0", false),
        ("0 up", "0", false),
        ("ask 3 terminate 1", "0 1", false),
        ("0 ready", "1", false),
        ("1 exits shutdown", "", true),
        ("ask 4 instance", "2", false),
        // One that never was ready, and is gone, keeps nobody up.
        ("2 up", "2", false),
        ("2 exits normal", "", true),
        ("ask 5 instance", "3", false),
        ("3 ignores", "", true),
        // By rules by which nobody reports, neither a life that was to report is waited for, nor the next.
        ("0 panics", "0", false),
        ("0 up", "0", false),
        ("ask 6 dynamic 9 in 5s t:tran", "", true),
        ("0 panics", "", false),
        ("0 up", "", true),
    ];
    knows_who_is_not_ready("t:tran:reports", &rows);
}

#[test]
fn a_report_says_how_long_a_restart_waits() {
    let mut supervision = dynamic(&["dynamic", "9", "in", "5s", "t:perm:backoff=1s/9s/10s"]);
    let (mut slots, mut commands) = (Vec::new(), Vec::new());
    for event in ["start", "ask 1 instance", "0 up", "0 panics"] {
        commands.clear();
        supervision.handle(parse(event, &slots, &[]), Moment::START, &mut commands);
        if let Some(Command::Add(slot, _)) = commands.first() {
            slots.push(("0".to_owned(), *slot));
        }
    }
    let Some(Command::Report(report)) = commands.first() else { panic!("{commands:?}") };
    let second = Duration::from_secs(1);
    assert_eq!(report.delay, Some(Delay { earliest: second, latest: second }));
}
