//! The log holds what `docs/events.md` says and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{bank_run, said};

const PAGE: &str = include_str!("../../../../docs/events.md");

/// The fields of events, by target and message.
type Fields = BTreeMap<(String, String), BTreeSet<String>>;

/// The events on the page, and every field that is explained there.
fn documented() -> (Fields, BTreeSet<String>) {
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let (mut events, mut explained) = (BTreeMap::new(), BTreeSet::new());
    for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells[..] {
            ["", target, _, message, fields, _, ""] => {
                let target = target.trim_matches('`').to_owned();
                events.insert((target, message.to_owned()), quoted(fields));
            }
            ["", fields, _, ""] => explained.extend(quoted(fields)),
            _ => panic!("no row of the page: {line}"),
        }
    }
    (events, explained)
}

#[test]
fn every_field_on_the_page_is_explained_and_used() {
    let (events, explained) = documented();
    let used: BTreeSet<String> = events.into_values().flatten().collect();
    assert_eq!(used, explained);
}

#[test]
fn the_log_is_what_the_page_says() {
    let (events, _) = documented();
    let mut seen = Fields::new();
    for run in ["--count 20000", "--count 2000 --clients 32 --process --kills 3"] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let output = bank_run(dir.path(), &format!("{run} --log bank=debug,minder=debug --log-format json"))
            .output()
            .expect("the binary can be started");
        assert!(output.status.success(), "{}", said(&output));
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let event = event.as_object().expect("an object a line");
            let text = |field: &str| event.get(field).and_then(Value::as_str).map(str::to_owned);
            let (Some(_), Some(_)) = (text("timestamp"), text("level")) else { panic!("{line}") };
            let (Some(target), Some(message)) = (text("target"), text("message")) else { panic!("{line}") };
            let common = ["timestamp", "level", "target", "message"];
            let fields = event.keys().filter(|key| !common.contains(&key.as_str())).cloned();
            seen.entry((target, message)).or_default().extend(fields);
        }
    }
    for (event, fields) in &seen {
        assert_eq!(Some(fields), events.get(event), "{event:?}");
    }
    let often = ["minder::exit", "minder::decision", "minder::recovery", "bank::process"];
    for target in often {
        assert!(seen.keys().any(|(seen, _)| seen == target), "{target} was not logged");
    }
}
