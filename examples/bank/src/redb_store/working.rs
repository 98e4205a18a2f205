//! A work becomes rows: known ids are answered, new ones decided on the ledger's books, the books held against the disk.
//! A work that cannot be done leaves the batch as it was.

use super::batch::Rows;
use super::records::Stored;
use crate::books::Books;
use crate::outcomes::{Answer, Outcome};
use crate::store::{Done, StoreError, Work, WorkError};

/// Decides a work and writes its rows. The work that is not done has written nothing.
///
/// # Errors
/// A [`StoreError`]; the whole batch must then be dropped.
pub fn decide_work(rows: &mut Rows<'_>, work: &Work) -> Result<Result<Done, WorkError>, StoreError> {
    let before = Books::new(work.books.clone());
    if let Some(error) = misrouted(rows, work) {
        return Ok(Err(error));
    }
    if let Some(error) = missing(rows, work, &before)? {
        return Ok(Err(error));
    }
    if let Some(error) = stale(rows, &before)? {
        return Ok(Err(error));
    }
    let mut books = before.clone();
    let answers = answer_all(rows, work, &mut books)?;
    put_changed(rows, &before, &books)?;
    Ok(Ok(Done { answers, books: books.into_accounts() }))
}

/// Answers each transfer: known ids from their rows, new ones by a decision on `books`, which becomes a row. The
/// balances change in `books` only; see [`put_changed`]. Whether the books are true is not asked here.
///
/// # Errors
/// A [`StoreError`]; the whole batch must then be dropped.
pub fn answer_all(rows: &mut Rows<'_>, work: &Work, books: &mut Books) -> Result<Vec<Answer>, StoreError> {
    let first = rows.last_seq(work.partition)?;
    let mut last = first;
    let mut answers = Vec::with_capacity(work.transfers.len());
    for transfer in &work.transfers {
        answers.push(match rows.stored(transfer.id)? {
            Some(stored) if stored.transfer == *transfer => Answer::Outcome(stored.outcome),
            Some(_) => Answer::Conflict,
            None => {
                last = next_seq(last, work.partition)?;
                let outcome = match books.apply(transfer, rows.partitions()) {
                    Ok(_) => Outcome::Applied { seq: last },
                    Err(reason) => Outcome::Refused { reason, seq: last },
                };
                rows.put_transfer(Stored { transfer: *transfer, outcome });
                Answer::Outcome(outcome)
            }
        });
    }
    if last != first {
        rows.put_last_seq(work.partition, last)?;
    }
    Ok(answers)
}

/// Sets the balance of every account in `after` that differs from `before`.
///
/// # Errors
/// A [`StoreError`]; the whole batch must then be dropped.
pub fn put_changed(rows: &mut Rows<'_>, before: &Books, after: &Books) -> Result<(), StoreError> {
    for account in after.accounts() {
        if before.account(account.id) != Some(account) {
            rows.put_balance(account.id, account.balance)?;
        }
    }
    Ok(())
}

/// The sequence number after `last`.
///
/// # Errors
/// [`StoreError::Damaged`]: no bank lives long enough to run out of them.
pub fn next_seq(last: u64, partition: u16) -> Result<u64, StoreError> {
    last.checked_add(1).ok_or_else(|| StoreError::Damaged {
        record: format!("the sequence number of partition {partition}"),
        why: "it is the last that there is".into(),
    })
}

/// The first transfer that belongs to another partition's ledger.
fn misrouted(rows: &Rows<'_>, work: &Work) -> Option<WorkError> {
    let partition = work.partition;
    let stray = work.transfers.iter().find(|t| t.from.partition(rows.partitions()) != partition)?;
    Some(WorkError::Misrouted { transfer: stray.id, from: stray.from, partition })
}

/// The first account that is touched and exists, but is not in the ledger's books.
fn missing(rows: &mut Rows<'_>, work: &Work, books: &Books) -> Result<Option<WorkError>, StoreError> {
    for id in work.transfers.iter().flat_map(|transfer| [transfer.from, transfer.to]) {
        let ours = id.partition(rows.partitions()) == work.partition;
        if ours && books.account(id).is_none() {
            let stored = rows.balance(id)?;
            if stored.is_some() {
                return Ok(Some(WorkError::StaleBooks { account: id, held: None, stored }));
            }
        }
    }
    Ok(None)
}

/// The first account whose balance in the ledger's books is not the one on disk.
///
/// A ledger that came back while its last work was still on its way has such books. What was decided on them
/// would make or lose money, and would be written down as if it were right.
fn stale(rows: &mut Rows<'_>, books: &Books) -> Result<Option<WorkError>, StoreError> {
    for account in books.accounts() {
        let stored = rows.balance(account.id)?;
        if stored != Some(account.balance) {
            let held = Some(account.balance);
            return Ok(Some(WorkError::StaleBooks { account: account.id, held, stored }));
        }
    }
    Ok(None)
}
