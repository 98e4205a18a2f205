//! What OTP's own supervisor does, minder's does: every scenario of `tests/otp`, word by word, error reports included.

use std::path::Path;

use minder_tests::compare::{parting, traces};
use minder_tests::otp;

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
            let differs = parting(&expected[&name], &got);
            different.extend(differs.map(|at| format!("{name}, {at}")));
        }
    }
    assert!(different.is_empty(), "{} of {compared} differ:\n{}", different.len(), different.join("\n"));
    assert!(compared >= 401, "only {compared} were found");
}
