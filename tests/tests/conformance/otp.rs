//! What OTP's own supervisor does, minder's does: every scenario of `tests/otp`, word by word, error reports included.

use std::collections::BTreeMap;
use std::path::Path;

use minder_tests::otp;

/// The traces of a text by the names of their scenarios, runs of `~` lines sorted: their order means nothing.
fn traces(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut traces = BTreeMap::new();
    let (mut name, mut lines) = (String::new(), Vec::<String>::new());
    for line in text.lines() {
        match line.strip_prefix("scenario ") {
            Some(next) => name = next.to_owned(),
            None if line == "end" => {
                lines.chunk_by_mut(|a, b| a.starts_with('~') == b.starts_with('~')).for_each(|run| {
                    if run[0].starts_with('~') {
                        run.sort_unstable();
                    }
                });
                traces.insert(std::mem::take(&mut name), std::mem::take(&mut lines));
            }
            None => lines.push(line.trim_end().to_owned()),
        }
    }
    traces
}

#[test]
fn every_scenario_leaves_the_trace_that_it_leaves_in_otp() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("otp");
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let (mut compared, mut different) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).expect("the scenarios are in the repository") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "sc") {
            continue;
        }
        let scenarios = otp::read(&read(&path)).unwrap_or_else(|bad| panic!("{path:?}: {bad}"));
        let expected = traces(&read(&path.with_extension("trace")));
        assert_eq!(scenarios.len(), expected.len(), "{path:?}");
        let got: String =
            scenarios.iter().map(|scenario| otp::run(scenario, otp::Options { reports: true })).collect();
        for (name, got) in traces(&got) {
            compared += 1;
            let expected = &expected[&name];
            if got != *expected {
                let at = got.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(0);
                different.push(format!("{name}: {:?} instead of {:?}", got.get(at), expected.get(at)));
            }
        }
    }
    assert!(different.is_empty(), "{} of {compared} differ:\n{}", different.len(), different.join("\n"));
    assert!(compared >= 401, "only {compared} were found");
}
