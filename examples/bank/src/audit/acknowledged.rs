//! What the clients were told, line by line, against the rows: an acknowledged transfer is there, as it was sent,
//! with the outcome that was told. One lookup per line; nothing of the history is kept.

use super::replay::outcome_of;
use super::rows::{Database, Row};
use super::{AuditError, Violation, Violations};
use crate::accounts::AccountId;
use crate::history::{Entry, HistoryError, HistoryReader};
use crate::outcomes::Answer;
use crate::transfers::{Transfer, TransferId};

/// Checks the whole history and returns how many answers were held against the database.
pub(super) fn check(
    database: &Database,
    history: HistoryReader,
    violations: &mut Violations,
) -> Result<u64, AuditError> {
    let mut checked = 0;
    for entry in history {
        match entry {
            Ok(entry) => {
                checked += 1;
                if let Some(violation) = against(database, &entry)? {
                    violations.add(violation);
                }
            }
            Err(error @ HistoryError::Unreadable { .. }) => return Err(AuditError::History(error)),
            Err(error) => violations.add(Violation::History(error)),
        }
    }
    Ok(checked)
}

/// What is wrong with one answer.
fn against(database: &Database, entry: &Entry) -> Result<Option<Violation>, AuditError> {
    let sent = entry.transfer;
    let row = match database.transfer(sent.id.0)? {
        None => return Ok(Some(Violation::Lost { transfer: sent })),
        Some(Err(unreadable)) => return Ok(Some(unreadable)),
        Some(Ok(row)) => row,
    };
    let stored = fields(&row);
    Ok(match entry.answer {
        Answer::Conflict if stored == sent => Some(Violation::FalseConflict { id: sent.id }),
        Answer::Conflict => None,
        Answer::Outcome(_) if stored != sent => Some(Violation::Fields { sent, stored }),
        Answer::Outcome(told) if told != outcome_of(&row) => {
            Some(Violation::Answer { id: sent.id, told: entry.answer, stored: outcome_of(&row) })
        }
        Answer::Outcome(_) => None,
    })
}

fn fields(row: &Row) -> Transfer {
    Transfer { id: TransferId(row.id), from: AccountId(row.from), to: AccountId(row.to), cents: row.cents }
}
