//! `bank audit`: the independent audit of any bank that nobody runs, against its clients' history if one lies beside it.
//! What is checked stands in the head of `audit/mod.rs`.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use comfy_table::{Table, presets};

use crate::audit::{self, AuditError};
use crate::exit::Exit;
use crate::history::HISTORY_FILE;
use crate::report::{AuditReport, grouped};

/// What to audit.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "The exit code is 0 if everything holds, and 5 if something does not.")]
pub struct AuditArgs {
    /// The directory of the bank; what its clients were told is read from history.txt in it, if that is there
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,

    /// Write the result to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Why there is no verdict, or a bad one.
#[derive(Debug)]
#[non_exhaustive]
pub enum AuditFailure {
    /// Nothing could be audited.
    Audit(AuditError),
    /// The result cannot be written.
    Write(PathBuf, io::Error),
    /// Something does not hold.
    Violations(u64),
}

impl AuditFailure {
    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Audit(AuditError::NotABank { .. }) => Exit::BadConfiguration,
            Self::Audit(_) | Self::Write(..) => Exit::Failed,
            Self::Violations(_) => Exit::AuditFailed,
        }
    }
}

impl fmt::Display for AuditFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audit(error) => error.fmt(f),
            Self::Write(path, error) => write!(f, "{} cannot be written: {error}", path.display()),
            Self::Violations(count) => write!(f, "the audit found {count} violations"),
        }
    }
}

impl std::error::Error for AuditFailure {}

/// Runs the command and says on standard error why it could not.
pub fn run(args: &AuditArgs) -> ExitCode {
    super::conclude(audit(args, io::stdout().lock()), AuditFailure::exit)
}

/// Audits, and writes the verdict to `out` and to where it was asked for.
///
/// # Errors
/// See [`AuditFailure`]; violations are one, after they were written.
pub fn audit(args: &AuditArgs, mut out: impl Write) -> Result<(), AuditFailure> {
    let history = Some(args.dir.join(HISTORY_FILE)).filter(|path| path.exists());
    let found = audit::audit(&args.dir, history.as_deref()).map_err(AuditFailure::Audit)?;
    let report = AuditReport::from(&found);
    if let Some(path) = &args.json {
        write_json(path, &report).map_err(|error| AuditFailure::Write(path.clone(), error))?;
    }
    let written = writeln!(out, "{}", table(&report, history.as_deref()))
        .and_then(|()| report.violations.iter().try_for_each(|violation| writeln!(out, "{violation}")));
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(AuditFailure::Write("standard output".into(), error));
        }
        _ => {}
    }
    if report.ok { Ok(()) } else { Err(AuditFailure::Violations(report.violation_count)) }
}

fn table(report: &AuditReport, history: Option<&Path>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let told = match history {
        Some(path) => format!("{} in {}", grouped(report.acknowledged_checked), path.display()),
        None => format!("no {HISTORY_FILE}: what clients were told is not checked"),
    };
    let verdict = if report.ok {
        "everything holds".to_owned()
    } else {
        format!("{} VIOLATIONS", grouped(report.violation_count))
    };
    for (name, value) in [
        ("accounts", grouped(report.accounts)),
        ("transfers", grouped(report.transfers)),
        ("answers", told),
        ("verdict", verdict),
    ] {
        table.add_row([name.to_owned(), value]);
    }
    table
}

fn write_json(path: &Path, report: &AuditReport) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, report)?;
    writeln!(file)?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BankConfig;
    use crate::redb_store::RedbStore;

    fn audited(dir: &Path) -> (String, Result<(), AuditFailure>) {
        let args = AuditArgs { dir: dir.to_owned(), json: Some(dir.join("audit.json")) };
        let mut out = Vec::new();
        let result = audit(&args, &mut out);
        (String::from_utf8(out).expect("text"), result)
    }

    #[test]
    fn a_bank_without_a_history_and_with_a_false_one() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (_, result) = audited(dir.path());
        assert_eq!(result.expect_err("there is no bank yet").exit(), Exit::BadConfiguration);

        drop(RedbStore::create(dir.path(), BankConfig::new(8, 2)).expect("an empty directory"));
        let (out, result) = audited(dir.path());
        result.expect("nothing can be wrong yet");
        assert!(out.contains("everything holds") && out.contains("no history.txt"), "{out}");

        let lie = "bank-history 1\n019ab1de9c000000003f000000000001 1 3 5 ok 1\nend 1\n";
        std::fs::write(dir.path().join(HISTORY_FILE), lie).expect("writable");
        let (out, result) = audited(dir.path());
        assert_eq!(result.expect_err("it was never applied").exit(), Exit::AuditFailed);
        assert!(out.contains("1 VIOLATIONS") && out.contains("was acknowledged and is not stored"), "{out}");
        let json = std::fs::read_to_string(dir.path().join("audit.json")).expect("text");
        assert!(json.contains("\"ok\": false") && json.contains("\"acknowledged_checked\": 1"), "{json}");

        let open = RedbStore::open(dir.path()).expect("a bank");
        let (_, result) = audited(dir.path());
        let error = result.expect_err("it is open elsewhere");
        assert!(error.exit() == Exit::Failed && error.to_string().contains("is open elsewhere"), "{error}");
        drop(open);
    }
}
