//! Readiness apart from started, as rows: nobody waits for it, a deadline may be set for it, and a supervisor knows who is
//! not ready.

use super::*;

#[test]
fn the_supervisor_goes_on_and_a_report_in_time_is_all_there_is() {
    check(
        "one_for_one  1 in 5s  a:reports b:ready<2s c:perm
         start        start a
         a up         start b
         b up         ready b in 2s, start c
         c up         ready
         b ready      -
         wait 2s      -
         b unready    -
         a ready      -
         c ready      -
         b ready      -",
    );
}

#[test]
fn whoever_is_late_is_killed_for_it_and_judged_as_after_any_crash() {
    check_with_reports(
        "one_for_one  1 in 5s  a:tran:ready<2s
         start               start a
         a up                ready a in 2s, ready
         wait 1s             -
         a unready           -
         wait 1s             -
         a unready           (a NotReady 0/1), kill a for not ready within 2s
         a unready           -
         a exits unready     (a Restart 1/1), start a
         a up                ready a in 2s
         a ready             -
         a exits unready     (a GiveUp 1/1), exit shutdown",
    );
}

#[test]
fn a_deadline_of_an_earlier_life_does_not_count() {
    check(
        "one_for_one  9 in 5s  a:ready<2s
         start        start a
         a up         ready a in 2s, ready
         wait 1s      -
         a panics     start a
         a unready    -
         a ready      -
         a up         ready a in 2s
         wait 1s      -
         a unready    -
         wait 1s      -
         a unready    kill a for not ready within 2s",
    );
}

#[test]
fn a_report_that_comes_while_the_child_stops_is_nothing() {
    check(
        "one_for_one  1 in 5s  a:ready<2s
         start               start a
         a up                ready a in 2s, ready
         stop normal         stop a
         a ready             -
         wait 3s             -
         a unready           -
         a exits shutdown    exit normal",
    );
}

#[test]
fn in_a_group_each_new_life_reports_again() {
    check(
        "one_for_all  9 in 5s  a:reports b:ready<2s
         start               start a
         a up                start b
         b up                ready b in 2s, ready
         b ready             -
         a panics            stop b
         b exits shutdown    start a
         a up                start b
         b up                ready b in 2s",
    );
}

#[test]
fn instances_of_a_template_report_too() {
    check_with_reports(
        "dynamic  1 in 5s  t:ready<2s
         start               ready
         ask 1 instance      add #0, start 0
         0 up                ready 0 in 2s, answer 1 Started(#0)
         ask 2 instance      add #1, start 1
         1 up                ready 1 in 2s, answer 2 Started(#1)
         1 ready             -
         wait 2s             -
         1 unready           -
         0 unready           (t NotReady 0/1), kill 0 for not ready within 2s
         0 exits unready     (t Restart 1/1), start 0",
    );
}

/// Who is not ready, by what happens.
#[test]
fn a_supervisor_knows_who_keeps_it_from_being_ready() {
    let header = "rest_for_one 9 in 5s a:reports b:reports c:perm d:tran:reports";
    let header: Vec<&str> = header.split_whitespace().collect();
    let mut supervision = Supervision::new(rules(&header).expect("valid"));
    let slots: Vec<(String, Slot)> = supervision
        .slots()
        .map(|slot| (supervision.child(slot).expect("known").id.to_string(), slot))
        .collect();
    let rows = [
        ("start", "a b d"),
        ("a up", "a b d"),
        ("b up", "a b d"),
        ("c up", "a b d"),
        ("d up", "a b d"),
        ("b ready", "a d"),
        ("c ready", "a d"),
        ("d ready", "a"),
        ("a ready", ""),
        // The group from b on is stopped, and comes up anew; c never says anything.
        ("b panics", "b d"),
        ("d exits shutdown", "b d"),
        ("c exits shutdown", "b d"),
        ("b up", "b d"),
        ("c up", "b d"),
        ("d up", "b d"),
        ("d exits normal", "b"),
        ("b ready", ""),
        ("ask 1 terminate b", "b"),
        ("b exits shutdown", ""),
    ];
    for (event, expected) in rows {
        supervision.handle(parse(event, &slots, &[]), Moment::START, &mut Vec::new());
        let name = |slot| &*slots.iter().find(|(_, known)| *known == slot).expect("named").0;
        let unready: Vec<&str> = supervision.unready().map(name).collect();
        assert_eq!(unready.join(" "), expected, "after `{event}`: {supervision:#?}");
        assert_eq!(supervision.is_ready(), expected.is_empty(), "after `{event}`: {supervision:#?}");
    }
}

/// Under a change: whoever is to be started by it, from the moment when it has been decided, and nobody who is not.
#[test]
fn a_change_keeps_a_supervisor_from_being_ready() {
    let header = "rest_for_one 9 in 5s s:reports k:tran:reports d:reports b:reports";
    let rows = [
        ("start", "s k d b"),
        ("s up", "s k d b"),
        ("k up", "s k d b"),
        ("d up", "s k d b"),
        ("b up", "s k d b"),
        ("s ready", "k d b"),
        ("k ready", "d b"),
        ("d ready", "b"),
        ("b ready", ""),
        ("k exits normal", ""),
        ("ask 1 terminate d", "d"),
        ("d exits shutdown", ""),
        // Who is through stays so. While the first part is under way nobody has been stopped.
        (
            "ask 2 change rest_for_one 9 in 5s s:reports:in k:tran:reports d:reports b:reports:new n:reports",
            "d",
        ),
        ("s done", "d b"),
        ("b exits shutdown", "d b"),
        ("s done", "d b n"),
        ("s done", "d b n"),
        ("d up", "d b n"),
        ("d ready", "b n"),
        ("b up", "b n"),
        ("b ready", "n"),
        ("n up", "n"),
        ("n ready", ""),
        // Whoever has failed keeps nobody waiting any more.
        ("ask 3 terminate n", "n"),
        ("n exits shutdown", ""),
        ("ask 4 terminate d", "d"),
        ("d exits shutdown", ""),
        ("ask 5 change one_for_one 9 in 5s s:reports:in k:tran:reports d:reports b:reports n:reports", "d n"),
        ("s done", "d n"),
        ("s done", "d n"),
        ("s done", "d n"),
        ("d fails", "n"),
        ("n up", "n"),
        ("n ready", ""),
        // Nor does whoever is held back.
        ("ask 6 terminate n", "n"),
        ("n exits shutdown", ""),
        (
            "ask 7 change rest_for_one 9 in 5s k:tran:reports d:reports b:reports s:reports:in n:reports",
            "d n",
        ),
        ("s done", "d n"),
        ("s done", "d n"),
        ("d fails", ""),
        ("s done", ""),
    ];
    let header: Vec<&str> = header.split_whitespace().collect();
    let mut supervision = Supervision::new(rules(&header).expect("valid"));
    let mut slots: Vec<(String, Slot)> = supervision
        .slots()
        .map(|slot| (supervision.child(slot).expect("known").id.to_string(), slot))
        .collect();
    let mut commands = Vec::new();
    for (event, expected) in rows {
        supervision.handle(parse(event, &slots, &[]), Moment::START, &mut commands);
        if let Some(Command::Compare(_)) = commands.last() {
            let change = change(&format!("{event}  -"), &supervision.outline());
            assert!(!supervision.is_changing());
            supervision.handle(Event::Compared(Box::new(Ok(change))), Moment::START, &mut commands);
            assert!(supervision.is_changing());
        }
        for command in commands.drain(..) {
            if let Command::Rearrange(_, seats) = command {
                let id = |slot| supervision.child(slot).expect("it stands").id.to_string();
                slots = seats.into_iter().map(|(slot, _)| (id(slot), slot)).collect();
            }
        }
        let name = |slot| &*slots.iter().find(|(_, known)| *known == slot).expect("named").0;
        let unready: Vec<&str> = supervision.unready().map(name).collect();
        assert_eq!(unready.join(" "), expected, "after `{event}`: {supervision:#?}");
    }
    assert!(!supervision.is_changing());
}

#[test]
fn no_time_to_be_ready_in_is_refused() {
    let header: Vec<&str> = "one_for_one 1 in 5s a:ready<0s".split_whitespace().collect();
    let refused = rules(&header).expect_err("it would be killed as soon as it is up");
    assert_eq!(refused, SpecError::ZeroReadyWithin("a".into()));
    assert!(refused.to_string().contains("child `a` is to be ready within no time"), "{refused}");
}
