//! The default faults fit runs of every size: the bank comes up between them, however short the run.

use crate::{bank_run, result, said};

#[test]
fn short_runs_are_hit_and_recover() {
    for (count, seed) in [(300, 1), (1_000, 1), (1_000, 2), (3_000, 1), (3_000, 2), (10_000, 1)] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let output = bank_run(dir.path(), &format!("--count {count} --seed {seed}"))
            .output()
            .expect("the binary can be started");
        assert!(output.status.success(), "{count} transfers, seed {seed}: {}", said(&output));
        let report = result(dir.path());
        assert_eq!(report["acknowledged"], count, "seed {seed}");
        let struck = report["faults_fired"].as_object().expect("an object");
        assert!(struck.len() >= 4, "{count} transfers, seed {seed}: {struck:?}");
    }
}
