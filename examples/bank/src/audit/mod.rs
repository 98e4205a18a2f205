//! The audit: what the database says, against what it must say and against what the clients were told.
//! Independent on purpose: it shares no code with the store or with `decide.rs`, only the codec's envelope and the
//! words of `outcomes.rs` and `history.rs`. It opens the file itself, knows its own tables and its own rules, and
//! believes no row. It changes no row.
//!
//! What is checked, and what a violation of it is called:
//!
//! 1. every account is there, opened as the bank's shape says ([`Violation::Opening`]);
//! 2. every transfer is readable, under its own id, and the decisions of each partition are numbered from 1 without a
//!    gap and without a number twice ([`Violation::Unreadable`], [`Violation::Sequence`]);
//! 3. replayed in that order, each decision is the one that had to be taken, so no account is ever below its limit
//!    and nothing refused had an effect ([`Violation::Decision`]);
//! 4. each balance is its opening and the applied transfers, and in total no money was made or lost
//!    ([`Violation::Balance`], [`Violation::Total`]);
//! 5. every answer that a client had is in the database, with equal fields and the same outcome; a conflict was
//!    answered only where the stored fields differ ([`Violation::Lost`], [`Violation::Fields`],
//!    [`Violation::Answer`], [`Violation::FalseConflict`], [`Violation::History`]).
//!
//! As a transfer has one row and each decision one number, nothing can be applied twice without breaking 2 or 4.
//!
//! Memory: some bytes per account, a window of decisions (see `replay.rs`), one line of the history. The history may
//! be of any length.

mod acknowledged;
mod replay;
mod rows;
mod violation;

use std::fmt;
use std::path::Path;

pub use violation::{Violation, Violations};

use crate::history::{HistoryError, HistoryReader};

/// The result of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// How many accounts were checked.
    pub accounts: u64,
    /// How many stored transfers were replayed.
    pub transfers: u64,
    /// How many answers of the history were held against the database.
    pub acknowledged_checked: u64,
    /// What is wrong.
    pub violations: Violations,
}

impl Audit {
    /// Whether everything holds. An audit that had no answer to check is not thereby good; see `acknowledged_checked`.
    pub fn ok(&self) -> bool {
        self.violations.count() == 0
    }
}

/// Audits the bank in `dir` against a history, or on its own if there is none. The bank must not be open elsewhere.
///
/// # Errors
/// [`AuditError`] if there is nothing to audit. Whatever is wrong *inside* is a violation, not an error.
pub fn audit(dir: &Path, history: Option<&Path>) -> Result<Audit, AuditError> {
    let history = history.map(HistoryReader::open).transpose().map_err(AuditError::History)?;
    let database = rows::Database::open(dir)?;
    let mut violations = Violations::default();
    let mut accounts = rows::accounts(&database, &mut violations)?;
    let transfers = replay::replay(&database, &mut accounts, &mut violations)?;
    accounts.check_balances(&mut violations);
    let acknowledged_checked = match history {
        Some(history) => acknowledged::check(&database, history, &mut violations)?,
        None => 0,
    };
    Ok(Audit { accounts: accounts.count(), transfers, acknowledged_checked, violations })
}

/// Why nothing could be audited.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditError {
    /// There is no bank, or none that this audit can read.
    NotABank {
        /// The directory.
        dir: std::path::PathBuf,
        /// What was found.
        why: String,
    },
    /// Somebody has the bank open.
    InUse {
        /// The directory.
        dir: std::path::PathBuf,
    },
    /// The database failed while it was read.
    Failed {
        /// What was read.
        reading: &'static str,
        /// What it said.
        why: String,
    },
    /// The history cannot be read at all.
    History(HistoryError),
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotABank { dir, why } => {
                write!(f, "nothing to audit in {}: {why}; name the directory of a bank", dir.display())
            }
            Self::InUse { dir } => {
                write!(f, "the bank in {} is open elsewhere; close it there, then audit", dir.display())
            }
            Self::Failed { reading, why } => {
                write!(f, "the database failed while reading {reading}: {why}; audit a copy of the file")
            }
            Self::History(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AuditError {}

#[cfg(test)]
mod tests;
