//! The kills of a run in its report: fields of the JSON file, rows of the table, and what must not be missing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::Recovery;

/// The kills of a run; nothing but zeros if the bank was no process of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProcessReport {
    /// How many kills were planned.
    pub process_kills_planned: u64,
    /// How often the bank's process was killed with SIGKILL.
    pub process_kills: u64,
    /// Of these: in the middle of a commit.
    pub process_kills_in_commit: u64,
    /// Kills by where the process was.
    pub process_kills_by_point: BTreeMap<String, u64>,
    /// From each kill to the first answer after it.
    pub process_recovery_us: Recovery,
}

impl ProcessReport {
    /// Why this run has proven less than it was to.
    pub fn failures(&self) -> Vec<String> {
        let Self { process_kills: kills, process_kills_planned: planned, .. } = self;
        let mut failures = Vec::new();
        if kills < planned {
            failures.push(format!(
                "{planned} kills of the process were planned and {kills} made before the clients were done: \
                 raise --count"
            ));
        }
        if *planned > 0 && self.process_kills_in_commit == 0 {
            failures.push("the process was never killed in the middle of a commit".into());
        }
        failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_sentences() {
        let report = |process_kills_planned, process_kills, process_kills_in_commit| ProcessReport {
            process_kills_planned,
            process_kills,
            process_kills_in_commit,
            ..ProcessReport::default()
        };
        let rows = [
            (report(0, 0, 0), ""),
            (report(24, 24, 10), ""),
            (report(24, 23, 10), "24 kills of the process were planned and 23 made"),
            (report(24, 24, 0), "never killed in the middle of a commit"),
        ];
        for (report, says) in rows {
            let failures = report.failures();
            assert_eq!(failures.len(), usize::from(!says.is_empty()), "{failures:?}");
            assert!(failures.concat().contains(says), "{failures:?}");
        }
    }
}
