//! `bank explain`: what the bank's tree will do, and what is suspicious in it and meant so. Starts nothing.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::value_parser;
use minder::supervisors::NoSuchPath;
use minder::{System, SystemError};

use crate::exit::Exit;
use crate::redb_store::RedbStore;
use crate::service::auditor::Findings;
use crate::service::{Bank, BankParts};

/// What to explain.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "Examples:\n  \
    bank explain\n  \
    bank explain vault/store")]
pub struct ExplainArgs {
    /// Only what a crash of this child leads to, such as vault/store
    #[arg(value_name = "CHILD")]
    pub child: Option<String>,

    /// How many partitions the bank has, each with a ledger of its own
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u16).range(1..=1000))]
    pub partitions: u16,
}

/// Why nothing is explained.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExplainError {
    /// There are no threads to run on.
    Runtime(io::Error),
    /// There is no system to lay the bank out in.
    System(SystemError),
    /// The bank has no such child.
    NoSuchPath(NoSuchPath),
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(error) => write!(f, "no threads to run on: {error}"),
            Self::System(error) => error.fmt(f),
            Self::NoSuchPath(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ExplainError {}

/// Explains, on standard output.
pub fn run(args: &ExplainArgs) -> ExitCode {
    let explained = explained(args).map(|text| print!("{text}"));
    super::conclude(explained, |error| match error {
        ExplainError::NoSuchPath(_) => Exit::BadConfiguration,
        ExplainError::Runtime(_) | ExplainError::System(_) => Exit::Failed,
    })
}

/// What is printed.
///
/// # Errors
/// See [`ExplainError`].
pub fn explained(args: &ExplainArgs) -> Result<String, ExplainError> {
    // Addresses are a system's, and a system lives in a runtime; nothing runs in it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.map_err(ExplainError::Runtime)?.block_on(async {
        let system = System::new().map_err(ExplainError::System)?;
        let bank = on_paper(&system, args.partitions);
        Ok(match &args.child {
            Some(child) => bank.tree.explain_child(child).map_err(ExplainError::NoSuchPath)?.to_string(),
            None => format!("{}\nWhat is suspicious\n{}", bank.tree.explain(), bank.lint()),
        })
    })
}

/// A bank that nobody starts.
fn on_paper(system: &System, partitions: u16) -> Bank {
    let open = || RedbStore::open(Path::new(""));
    Bank::new(system, BankParts { open, partitions, findings: Findings::default(), resent: Arc::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank(child: Option<&str>) -> Result<String, ExplainError> {
        explained(&ExplainArgs { child: child.map(str::to_owned), partitions: 4 })
    }

    #[test]
    fn the_guide_quotes_what_is_printed() {
        let guide = include_str!("../../../../docs/guide/explain.md");
        for text in [bank(None), bank(Some("vault/store"))].map(|text| text.expect("it is there")) {
            assert!(guide.contains(&text), "docs/guide/explain.md does not quote this:\n{text}");
        }
    }

    #[tokio::test]
    async fn what_is_suspicious_in_the_tree_is_meant_so() {
        let bank = on_paper(&System::new().expect("inside a runtime"), 4);
        assert_eq!(bank.tree.check(), Ok(()));
        bank.lint().assert_clean();
    }

    #[test]
    fn a_child_that_is_not_there_is_told_of_with_the_nearest_that_is() {
        let error = bank(Some("vault/stroe")).expect_err("there is none").to_string();
        assert!(error.ends_with("did you mean `vault/store`?"), "{error}");
    }
}
