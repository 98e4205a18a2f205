//! OTP's rows as tables: a header of strategy, limits and children, then one line per event with its commands.
//! Each test names the rows of the conformance table that it shows.
//! Does not look for what nobody thought of; `enumeration.rs` does.

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    AutoShutdown, ChildRules, ChildState, Command, Event, Restart, Rules, Shutdown, Slot, SpecError,
    StartFailed, Strategy, Supervision,
};
use std::error::Error;
use std::time::Duration;

/// Runs a table with reports left out. See [`run`].
fn check(table: &str) {
    run(table, false);
}

/// Runs a table with reports, written as `(child decision restarts/limit)`.
fn check_with_reports(table: &str) {
    run(table, true);
}

/// ```text
/// one_for_all  1 in 5s  a:perm b:tran:2s c:temp:kill:sig  any     header; the last word is the auto-shutdown
/// b panics     stop c                                             event, then commands; `-` is none
/// ```
/// Without a shutdown setting a child is waited for without limit. Unless the first event is `start`, the supervisor
/// has come up already. Time stands still but for `wait` lines.
fn run(table: &str, reports: bool) {
    let mut lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next().expect("a table has a header").split_whitespace().collect();
    let mut supervision = Supervision::new(rules(&header).expect("the rules of a table are valid"));
    let slots: Vec<(String, Slot)> = supervision
        .slots()
        .map(|slot| (supervision.child(slot).expect("known at first").id.to_string(), slot))
        .collect();
    let mut now = Moment::START;
    let mut lines = lines.peekable();
    let mut commands = Vec::new();
    if !lines.peek().is_some_and(|line| line.starts_with("start")) {
        supervision.handle(Event::Start, now, &mut commands);
        for &(_, slot) in &slots {
            supervision.handle(Event::Started(slot), now, &mut commands);
        }
        assert_eq!(commands.pop(), Some(Command::Ready));
    }
    for line in lines {
        let (event, expected) = line.split_once("  ").unwrap_or_else(|| panic!("two columns: {line}"));
        commands.clear();
        match event.strip_prefix("wait ") {
            Some(time) => now = now + duration(time),
            None => supervision.handle(parse(event, &slots), now, &mut commands),
        }
        let shown: Vec<String> =
            commands.iter().filter_map(|command| show(command, &slots, now, reports)).collect();
        let shown = if shown.is_empty() { "-".to_string() } else { shown.join(", ") };
        assert_eq!(shown, expected.trim(), "after `{event}` in:\n{table}\n{supervision:#?}");
        supervision.check();
    }
}

fn rules(header: &[&str]) -> Result<Rules, SpecError> {
    let [strategy, limit, "in", period, rest @ ..] = header else {
        panic!("strategy N in T children: {header:?}")
    };
    let strategy = match *strategy {
        "one_for_one" => Strategy::OneForOne,
        "one_for_all" => Strategy::OneForAll,
        "rest_for_one" => Strategy::RestForOne,
        other => panic!("no strategy: {other}"),
    };
    let (children, auto_shutdown) = match rest {
        [children @ .., "any"] => (children, AutoShutdown::AnySignificant),
        [children @ .., "all"] => (children, AutoShutdown::AllSignificant),
        children => (children, AutoShutdown::Never),
    };
    let children = children.iter().map(|text| child(text)).collect();
    Rules::new(strategy, limit.parse().expect("a number"), duration(period), auto_shutdown, children)
}

fn child(text: &str) -> ChildRules {
    let mut words = text.split(':');
    let mut rules = ChildRules::worker(words.next().expect("an id"));
    rules.shutdown = Shutdown::Infinity;
    for word in words {
        match word {
            "perm" => rules.restart = Restart::Permanent,
            "tran" => rules.restart = Restart::Transient,
            "temp" => rules.restart = Restart::Temporary,
            "sig" => rules.significant = true,
            "kill" => rules.shutdown = Shutdown::BrutalKill,
            time => rules.shutdown = Shutdown::Within(duration(time)),
        }
    }
    rules
}

/// `5s`, `300ms` or `1ns`.
fn duration(text: &str) -> Duration {
    let digits = text.find(|c: char| !c.is_ascii_digit()).expect("a unit");
    let number: u64 = text[..digits].parse().expect("a number");
    match &text[digits..] {
        "s" => Duration::from_secs(number),
        "ms" => Duration::from_millis(number),
        "ns" => Duration::from_nanos(number),
        unit => panic!("no unit: {unit}"),
    }
}

fn parse(event: &str, slots: &[(String, Slot)]) -> Event {
    let slot = |name: &str| slots.iter().find(|(id, _)| id == name).expect("a child of the header").1;
    match event.split_whitespace().collect::<Vec<_>>()[..] {
        ["start"] => Event::Start,
        ["stop", word] => Event::Stop(reason(word)),
        [name, "up"] => Event::Started(slot(name)),
        [name, "ignores"] => Event::Ignored(slot(name)),
        [name, "fails"] => Event::StartFailed(slot(name), ExitReason::other("boom")),
        [name, "fails", word] => Event::StartFailed(slot(name), reason(word)),
        [name, "late"] => Event::StopDeadline(slot(name)),
        [name, "retry"] => Event::TryAgain(slot(name)),
        [name, "panics"] => Event::Exited(slot(name), reason("panics")),
        [name, "exits", word] => Event::Exited(slot(name), reason(word)),
        _ => panic!("no event: {event}"),
    }
}

fn reason(word: &str) -> ExitReason {
    match word {
        "normal" => ExitReason::Normal,
        "shutdown" => ExitReason::Shutdown,
        "killed" => ExitReason::Killed,
        "panics" => ExitReason::Panic(Default::default()),
        "detail" => ExitReason::shutdown_with(std::fmt::Error),
        other => ExitReason::other(other),
    }
}

fn show(command: &Command, slots: &[(String, Slot)], now: Moment, reports: bool) -> Option<String> {
    let name = |slot: &Slot| &*slots.iter().find(|(_, known)| known == slot).expect("a slot of the header").0;
    Some(match command {
        Command::Start(slot) => format!("start {}", name(slot)),
        Command::AskToStop(slot) => format!("stop {}", name(slot)),
        Command::Kill(slot) => format!("kill {}", name(slot)),
        Command::SetDeadline(slot, moment) => format!("deadline {} {:?}", name(slot), moment.since(now)),
        Command::TryAgain(slot) => format!("retry {}", name(slot)),
        Command::Forget(slot) => format!("forget {}", name(slot)),
        Command::Ready => "ready".to_string(),
        Command::Exit(reason) => format!("exit {reason}"),
        Command::Report(report) if reports => {
            format!("({} {:?} {}/{})", report.child, report.decision, report.restarts, report.limit)
        }
        Command::Report(_) => return None,
    })
}

#[test]
fn children_start_in_order_each_acknowledged_sup_001_002() {
    check(
        "one_for_one  1 in 5s  a:perm b:tran c:temp
         start        start a
         start        -
         b up         -
         a up         start b
         a up         -
         b up         start c
         c up         ready
         start        -",
    );
    check(
        "one_for_one  1 in 5s
         start        ready
         stop normal  exit normal
         start        -",
    );
}

#[test]
fn a_failed_own_start_stops_what_is_up_in_reverse_without_retry_sup_003_004_005() {
    check(
        "one_for_one  9 in 5s  a:perm b:perm:2s c:perm d:perm
         start        start a
         a up         start b
         b up         start c
         c fails      stop b, deadline b 2s
         stop normal  -
         b exits shutdown  stop a
         a exits shutdown  exit shutdown: child `c` failed to start: boom
         stop normal  -",
    );
    check(
        "one_for_all  9 in 5s  a:perm
         start        start a
         a fails      exit shutdown: child `a` failed to start: boom",
    );
}

#[test]
fn a_clean_end_before_being_up_is_a_failed_start_sup_006() {
    for word in ["normal", "shutdown"] {
        for restart in ["perm", "tran", "temp"] {
            for event in ["fails", "exits"] {
                check(&format!(
                    "one_for_one  9 in 5s  a:{restart}
                     start        start a
                     a {event} {word}   exit shutdown: child `a` failed to start: {word}"
                ));
            }
        }
    }
}

#[test]
fn exits_during_the_own_start_wait_their_turn_sup_002_108() {
    check(
        "one_for_one  9 in 5s  a:perm b:temp c:perm
         start        start a
         a up         start b
         a panics     -
         b up         start c
         b panics     -
         c up         ready, start a
         a up         forget b",
    );
    check(
        "one_for_one  9 in 5s  a:perm b:perm c:perm
         start        start a
         a up         start b
         b up         start c
         b panics     -
         c fails      stop a
         a exits shutdown  exit shutdown: child `c` failed to start: boom",
    );
}

#[test]
fn ignored_starts_sup_079_080_132() {
    check(
        "one_for_all  9 in 5s  a:perm b:temp c:tran
         start        start a
         a ignores    start b
         b ignores    forget b, start c
         c ignores    ready
         a panics     -",
    );
    check(
        "one_for_one  1 in 5s  a:tran:sig b:perm all
         a panics     start a
         a ignores    -
         b panics     exit shutdown",
    );
    check(
        "rest_for_one  9 in 5s  a:perm b:perm c:perm
         a panics     stop c
         c exits shutdown  stop b
         b exits shutdown  start a
         a up         start b
         b ignores    start c
         c up         -",
    );
}

#[test]
fn the_restart_type_decides_sup_021_to_025() {
    for word in ["normal", "shutdown", "detail", "killed", "panics", "boom"] {
        check(&format!(
            "one_for_one  9 in 5s  a:perm b:perm
             a exits {word}   start a"
        ));
        let transient = if matches!(word, "killed" | "panics" | "boom") { "start a" } else { "-" };
        check(&format!(
            "one_for_one  9 in 5s  a:tran b:perm
             a exits {word}   {transient}"
        ));
        check(&format!(
            "one_for_one  9 in 5s  a:temp b:perm
             a exits {word}   forget a
             a exits {word}   -"
        ));
    }
}

#[test]
fn exits_of_nobody_are_ignored_sup_030() {
    check(
        "one_for_one  9 in 5s  a:tran b:perm
         a exits normal  -
         a panics        -
         a up            -
         a fails         -
         a ignores       -
         a late          -
         a retry         -",
    );
}

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

#[test]
fn a_stopping_supervisor_goes_in_reverse_order_sup_091_094_101() {
    for word in ["normal", "shutdown", "boom"] {
        check(&format!(
            "one_for_one  1 in 5s  a:perm b:temp c:tran d:perm
             b panics     forget b
             stop {word}   stop d
             d exits boom  stop c
             stop other   -
             c exits shutdown  stop a
             a exits shutdown  exit {word}"
        ));
    }
}

#[test]
fn stopping_within_a_time_sup_092() {
    check(
        "one_for_one  1 in 5s  a:perm b:perm:2s
         stop normal  stop b, deadline b 2s
         wait 1s      -
         b late       -
         wait 1s      -
         b late       kill b
         b late       -
         wait 99s     -
         b exits killed  stop a
         a exits shutdown  exit normal",
    );
}

#[test]
fn the_deadline_of_an_earlier_stop_does_not_count() {
    check(
        "one_for_all  9 in 5s  a:perm b:perm:2s
         a panics     stop b, deadline b 2s
         b exits shutdown  start a
         a up         start b
         b up         -
         wait 1s      -
         a panics     stop b, deadline b 2s
         wait 1s      -
         b late       -
         wait 1s      -
         b late       kill b",
    );
}

#[test]
fn brutal_kill_and_zero_sup_093_095() {
    check(
        "one_for_one  1 in 5s  a:perm:0s b:perm:kill
         stop normal  kill b
         b exits killed  stop a, kill a
         a exits shutdown  exit normal",
    );
}

#[test]
fn who_dies_during_the_stop_does_not_disturb_it_sup_098() {
    check(
        "one_for_all  9 in 5s  a:perm b:temp c:perm
         stop normal  stop c
         a panics     -
         c exits shutdown  stop b
         b exits shutdown  exit normal",
    );
}

#[test]
fn a_stop_abandons_an_operation_the_child_in_hand_first() {
    // A start: the child ends either way.
    for last in ["fails", "exits shutdown", "ignores"] {
        check(&format!(
            "one_for_one  9 in 5s  a:perm b:perm:2s c:perm
             b panics     start b
             c panics     -
             a retry      -
             stop boom    stop b, deadline b 2s
             b up         -
             b {last}     stop a
             a exits shutdown  exit boom"
        ));
    }
    check(
        "one_for_one  9 in 5s  a:perm b:perm:kill c:perm
         b panics     start b
         stop boom    kill b
         b fails      stop c
         c exits shutdown  stop a
         a exits shutdown  exit boom",
    );
    // The own start.
    check(
        "one_for_one  9 in 5s  a:perm b:perm:2s c:perm
         start        start a
         a up         start b
         stop boom    stop b, deadline b 2s
         wait 2s      -
         b late       kill b
         b exits killed  stop a
         a exits shutdown  exit boom",
    );
    // The stops of a group restart: what is being stopped already is not told twice, and nobody is forgotten.
    check(
        "rest_for_one  9 in 5s  a:perm b:perm c:temp
         b panics     stop c
         stop boom    -
         c fails      -
         c exits shutdown  stop a
         a exits shutdown  exit boom",
    );
    // Its starts.
    check(
        "one_for_all  9 in 5s  a:perm b:perm c:perm
         b panics     stop c
         c exits shutdown  stop a
         a exits shutdown  start a
         a up         start b
         stop boom    stop b
         b exits shutdown  stop a
         a exits shutdown  exit boom",
    );
}

#[test]
fn stopping_before_or_just_after_the_start() {
    let mut supervision = Supervision::new(rules(&["one_for_one", "1", "in", "5s", "a"]).expect("valid"));
    let mut commands = Vec::new();
    supervision.handle(Event::Stop(ExitReason::Normal), Moment::START, &mut commands);
    supervision.handle(Event::Start, Moment::START, &mut commands);
    assert_eq!(commands, [Command::Exit(ExitReason::Normal)]);
    check(
        "one_for_one  9 in 5s  a:perm
         start        start a
         stop boom    stop a
         a fails      exit boom",
    );
}

#[test]
fn any_significant_sup_121_122_123_128() {
    check(
        "one_for_one  9 in 5s  a:perm b:tran:sig c:temp any
         c panics     forget c
         b panics     start b
         b up         -
         b exits normal   stop a
         a exits shutdown  exit shutdown",
    );
    check(
        "one_for_one  9 in 5s  a:temp:sig b:tran any
         b exits normal  -
         a exits killed  forget a, exit shutdown",
    );
}

#[test]
fn all_significant_sup_124_125() {
    check(
        "one_for_one  9 in 5s  a:tran:sig b:temp:sig c:perm all
         b exits normal  forget b
         a panics     start a
         a up         -
         a exits normal  stop c
         c exits shutdown  exit shutdown",
    );
    // One that waits for its next attempt counts as running.
    check(
        "one_for_one  9 in 5s  a:tran:sig b:temp:sig all
         a panics     start a
         a fails      retry a
         b panics     forget b
         a retry      start a
         a up         -
         a exits normal  exit shutdown",
    );
    // So does one whose end has not been looked at.
    check(
        "one_for_one  9 in 5s  a:temp:sig b:temp:sig c:perm all
         c panics     start c
         a panics     -
         b panics     -
         c up         forget a, forget b, stop c",
    );
}

#[test]
fn significant_children_stopped_by_a_group_restart_do_not_count_sup_127() {
    check(
        "one_for_all  9 in 5s  a:perm b:temp:sig c:tran:sig any
         a panics     stop c
         b panics     -
         c exits normal  forget b, start a
         a up         start c
         c up         -
         c exits normal  stop a",
    );
}

#[test]
fn every_decision_is_reported_before_its_commands_sup_158() {
    check_with_reports(
        "one_for_one  2 in 5s  a:perm b:tran c:temp
         a panics     (a Restart 1/2), start a
         a fails      (a TryAgain 1/2), retry a
         a retry      (a Restart 2/2), start a
         a up         -
         b exits normal  (b LeaveDown 2/2)
         c panics     (c Forget 2/2), forget c
         a panics     (a GiveUp 2/2), exit shutdown",
    );
    check_with_reports(
        "one_for_all  2 in 5s  a:perm b:tran:1s c:temp
         a panics     (a RestartGroup 1/2), stop c
         c exits normal  (c Forget 1/2), forget c, stop b, deadline b 1s
         wait 1s      -
         b late       (b KillAfterDeadline 1/2), kill b
         b exits killed  start a
         a ignores    (a Ignore 1/2), start b
         b up         -",
    );
    check_with_reports(
        "one_for_one  2 in 5s  a:perm b:perm c:tran:sig any
         c exits normal  (c LeaveDown 0/2), (c AutoShutdown 0/2), stop b
         b exits normal  (b StoppedOtherwise 0/2), stop a
         a exits shutdown  exit shutdown",
    );
    check_with_reports(
        "one_for_one  2 in 5s  a:perm b:perm
         start        start a
         a up         start b
         b fails      (b StartFailed 0/2), stop a
         a exits shutdown  exit shutdown: child `b` failed to start: boom",
    );
}

#[test]
fn what_is_refused_and_how_it_is_said_sup_009_010_011_130() {
    let second = Duration::from_secs(1);
    let any = AutoShutdown::AnySignificant;
    let refusal = |period, auto_shutdown, children: &[&str]| {
        let children = children.iter().map(|text| child(text)).collect();
        Rules::new(Strategy::OneForOne, 1, period, auto_shutdown, children).expect_err("refused").to_string()
    };
    assert_eq!(
        refusal(second, any, &["a", "b", "a"]),
        "children 0 and 2 are both called `a`; give one of them another id"
    );
    assert_eq!(refusal(second, any, &["a", ""]), "child 1 has an empty id; give it a name");
    assert!(refusal(Duration::ZERO, any, &["a"]).contains("period"));
    assert!(refusal(second, any, &["a:perm:sig"]).contains("permanent"));
    assert!(refusal(second, AutoShutdown::Never, &["a:tran:sig"]).contains("auto-shutdown"));
}

#[test]
fn defaults_sup_013() {
    let (worker, supervisor) = (ChildRules::worker("w"), ChildRules::supervisor("s"));
    assert_eq!(worker.restart, Restart::Permanent);
    assert_eq!(worker.shutdown, Shutdown::Within(Duration::from_secs(5)));
    assert_eq!(supervisor.shutdown, Shutdown::Infinity);
    assert!(!worker.significant && !supervisor.significant);
}

#[test]
fn a_failed_start_tells_its_causes_once_through_nested_supervisors_sup_019() {
    let inner = StartFailed::new("z".into(), ExitReason::error(std::fmt::Error));
    let outer = StartFailed::new("s".into(), ExitReason::shutdown_with(inner));
    assert_eq!(outer.child().as_ref(), "s");
    assert!(outer.source().is_some_and(|source| source.is::<StartFailed>()));
    assert_eq!(
        ExitReason::shutdown_with(outer).to_string(),
        "shutdown: child `s` failed to start: shutdown: child `z` failed to start: error: \
         an error occurred when formatting an argument"
    );
}

#[test]
fn a_forgotten_slot_finds_nothing_and_the_rest_keep_their_order_sup_027() {
    let mut supervision =
        Supervision::new(rules(&["one_for_one", "1", "in", "5s", "a", "b:temp", "c"]).expect("valid"));
    let slots: Vec<Slot> = supervision.slots().collect();
    let mut commands = Vec::new();
    supervision.handle(Event::Start, Moment::START, &mut commands);
    slots.iter().for_each(|&slot| supervision.handle(Event::Started(slot), Moment::START, &mut commands));
    supervision.handle(Event::Exited(slots[1], ExitReason::Normal), Moment::START, &mut commands);
    assert_eq!(commands.last(), Some(&Command::Forget(slots[1])));
    assert!(supervision.child(slots[1]).is_none() && supervision.state(slots[1]).is_none());
    assert_eq!(supervision.slots().collect::<Vec<_>>(), [slots[0], slots[2]]);
    assert_eq!(supervision.slots().map(Slot::index).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(supervision.state(slots[2]), Some(ChildState::Running));
}

/// A one-for-one restart looks at no sibling: with a million of them ten thousand restarts would not end otherwise.
#[test]
fn a_million_children_and_one_that_crashes_sup_155() {
    const MANY: usize = 1_000_000;
    const TIMES: u32 = 10_000;
    let children = (0..MANY).map(|n| ChildRules::worker(&format!("{n:07}"))).collect();
    let minute = Duration::from_secs(60);
    let rules = Rules::new(Strategy::OneForOne, TIMES, minute, AutoShutdown::Never, children).expect("valid");
    let mut supervision = Supervision::new(rules);
    let mut commands = Vec::with_capacity(8);
    let mut last = None;
    supervision.handle(Event::Start, Moment::START, &mut commands);
    while let Some(Command::Start(slot)) = commands.pop() {
        last = Some(slot);
        supervision.handle(Event::Started(slot), Moment::START, &mut commands);
    }
    let slot = last.expect("a last child");
    assert_eq!(slot.index(), MANY - 1);
    for _ in 0..TIMES {
        supervision.handle(Event::Exited(slot, ExitReason::Killed), Moment::START, &mut commands);
        assert_eq!(commands.pop(), Some(Command::Start(slot)));
        supervision.handle(Event::Started(slot), Moment::START, &mut commands);
        assert_eq!(commands.len(), 1, "one report and nothing else");
        commands.clear();
    }
}
