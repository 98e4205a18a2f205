//! The exit codes of the bank's program, each with one meaning.

use std::process::ExitCode;

use crate::demo::DemoError;
use crate::process::ProcessRunError;
use crate::report::Report;
use crate::run::RunError;

/// How the program ended. The numbers are documented in `bank --help`; never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything holds; also after a signal, if the bank was drained and stopped in order.
    Clean = 0,
    /// Something failed that has no number of its own.
    Failed = 1,
    /// The arguments, a file or the directory are wrong; nothing was applied.
    BadConfiguration = 2,
    /// The top supervisor ended again and again.
    GaveUp = 3,
    /// The bank did not stop in order within its deadline.
    DeadlineExceeded = 4,
    /// The audit found that a promise was broken.
    AuditFailed = 5,
}

impl Exit {
    /// What to print in the help.
    pub const HELP: &'static str = "Exit codes: 0 everything holds; 1 other failures; 2 wrong arguments, files or \
        directory; 3 the top supervisor gave up; 4 the bank did not stop in order and in time; 5 the audit failed. \
        The first Ctrl-C or SIGTERM drains the bank and stops it in order; a second one ends the program at once \
        (130 or 143).";

    /// The exit that a report amounts to: the gravest of its failures.
    pub fn of(report: &Report) -> Self {
        if !report.audit.ok {
            Self::AuditFailed
        } else if !report.stopped_cleanly {
            Self::DeadlineExceeded
        } else if report.failures().is_empty() {
            Self::Clean
        } else {
            Self::Failed
        }
    }

    /// The exit that an error amounts to.
    pub fn of_error(error: &DemoError) -> Self {
        match error {
            DemoError::Run(RunError::Start(_)) => Self::GaveUp,
            DemoError::Run(RunError::Plan(_) | RunError::Input(_)) => Self::BadConfiguration,
            DemoError::Process(ProcessRunError::LongPath(_)) => Self::BadConfiguration,
            DemoError::Run(_) | DemoError::Process(_) | DemoError::Audit(_) => Self::Failed,
            _ => Self::BadConfiguration,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::AuditReport;

    #[test]
    fn the_gravest_failure_decides() {
        let good = Report {
            acknowledged: 1,
            stopped_cleanly: true,
            audit: AuditReport { ok: true, acknowledged_checked: 1, ..AuditReport::default() },
            ..Report::default()
        };
        let bad_audit = AuditReport::default();
        let rows = [
            (good.clone(), Exit::Clean),
            (Report { unexpected: 1, ..good.clone() }, Exit::Failed),
            (Report { unexpected: 1, stopped_cleanly: false, ..good.clone() }, Exit::DeadlineExceeded),
            (Report { stopped_cleanly: false, audit: bad_audit, ..good }, Exit::AuditFailed),
        ];
        for (report, exit) in rows {
            assert_eq!(Exit::of(&report), exit, "{:?}", report.failures());
        }
    }
}
