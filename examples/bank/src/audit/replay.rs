//! The decisions of each partition, replayed in their order against rules that are written here anew.
//! The table is in the order of ids, the replay needs the order of numbers: each pass over the table collects a
//! window of numbers per partition, so memory is bounded whatever the number of transfers and the order of their ids.

use super::rows::{Accounts, Database, Row, Verdict, Why};
use super::{AuditError, Violation, Violations};
use crate::outcomes::{Outcome, Refusal};
use crate::transfers::TransferId;

/// How many decisions are in memory at a time, over all partitions: 32 MiB.
const WINDOW_ROWS: u64 = 1 << 19;

/// Replays everything and returns how many transfers that was.
pub(super) fn replay(
    database: &Database,
    accounts: &mut Accounts,
    violations: &mut Violations,
) -> Result<u64, AuditError> {
    replay_in(WINDOW_ROWS, database, accounts, violations)
}

/// As [`replay`], with a window of one's own; for tests.
pub(super) fn replay_in(
    window_rows: u64,
    database: &Database,
    accounts: &mut Accounts,
    violations: &mut Violations,
) -> Result<u64, AuditError> {
    let partitions = u64::from(database.partitions);
    let counts = count(database, violations)?;
    // No partition can have more decisions than there are rows, so no window need be longer.
    let width = (window_rows / partitions).min(database.transfer_count()?).max(1);
    let longest = counts.iter().copied().max().unwrap_or(0);
    let mut first = 1;
    while first <= longest {
        let mut window: Vec<Option<Row>> = vec![None; to_usize(width * partitions)];
        database.each_transfer(None, |row| {
            let seq = seq_of(row);
            let partition = u64::from(row.from) % partitions;
            // Numbers beyond the count were found in counting.
            if (first..first.saturating_add(width)).contains(&seq) && seq <= counts[to_usize(partition)] {
                let slot = &mut window[to_usize(partition * width + (seq - first))];
                if slot.is_some() {
                    violations.add(sequence(partition, seq, "two transfers have it"));
                }
                *slot = Some(*row);
            }
        })?;
        for (partition, slots) in (0..).zip(window.chunks(to_usize(width))) {
            for (seq, slot) in (first..=counts[to_usize(partition)]).zip(slots) {
                match slot {
                    Some(row) => decide_again(row, database, accounts, violations),
                    None => violations.add(sequence(partition, seq, "no transfer has it")),
                }
            }
        }
        first += width;
    }
    Ok(counts.iter().sum())
}

/// How many decisions each partition has; that none has a number beyond; that the partitions count the same.
fn count(database: &Database, violations: &mut Violations) -> Result<Vec<u64>, AuditError> {
    let partitions = u32::from(database.partitions);
    let mut counts = vec![0_u64; usize::from(database.partitions)];
    let mut greatest = counts.clone();
    database.each_transfer(Some(violations), |row| {
        let partition = (row.from % partitions) as usize;
        counts[partition] += 1;
        greatest[partition] = greatest[partition].max(seq_of(row));
    })?;
    let lasts = database.last_seqs(violations)?;
    for (partition, ((count, greatest), last)) in (0..).zip(counts.iter().zip(greatest).zip(lasts)) {
        if greatest > *count {
            violations.add(sequence(partition, greatest, "the numbers before it have a gap"));
        }
        if last != *count {
            violations.add(sequence(partition, last, "the partition counts more or fewer than there are"));
        }
    }
    Ok(counts)
}

/// Takes a decision again. Applied transfers move money in the replay even where they should not have: the balances
/// then tell whether they did so in the bank, too.
fn decide_again(row: &Row, database: &Database, accounts: &mut Accounts, violations: &mut Violations) {
    let required = must_be_refused(row, u32::from(database.partitions), accounts);
    let stored = match row.verdict {
        Verdict::Applied(_) => None,
        Verdict::Refused(why, _) => Some(why),
    };
    if required != stored {
        violations.add(Violation::Decision {
            id: TransferId(row.id),
            stored: outcome_of(row),
            required: required.map(refusal),
        });
    }
    if stored.is_none() {
        let cents = i128::from(row.cents);
        if let Some(payer) = accounts.account(row.from) {
            payer.replayed -= cents;
        }
        if let Some(payee) = accounts.account(row.to) {
            payee.replayed += cents;
        }
    }
}

/// The rules: why this transfer could not be applied at this point, if it could not.
fn must_be_refused(row: &Row, partitions: u32, accounts: &mut Accounts) -> Option<Why> {
    if row.cents == 0 {
        return Some(Why::Zero);
    }
    if row.from == row.to {
        return Some(Why::Same);
    }
    if row.from % partitions != row.to % partitions {
        return Some(Why::Elsewhere);
    }
    let payer = accounts.account(row.from).map(|payer| (payer.replayed, payer.limit));
    let payee = accounts.account(row.to).map(|payee| payee.replayed);
    let (Some((payer, limit)), Some(payee)) = (payer, payee) else {
        return Some(Why::Unknown);
    };
    let after = payer - i128::from(row.cents);
    if after + i128::from(limit) < 0 {
        return Some(Why::Overdraft);
    }
    let range = i128::from(i64::MIN)..=i128::from(i64::MAX);
    if !range.contains(&after) || !range.contains(&(payee + i128::from(row.cents))) {
        return Some(Why::TooMuch);
    }
    None
}

fn seq_of(row: &Row) -> u64 {
    match row.verdict {
        Verdict::Applied(seq) | Verdict::Refused(_, seq) => seq,
    }
}

/// What the store calls the verdict of a row.
pub(super) fn outcome_of(row: &Row) -> Outcome {
    match row.verdict {
        Verdict::Applied(seq) => Outcome::Applied { seq },
        Verdict::Refused(why, seq) => Outcome::Refused { reason: refusal(why), seq },
    }
}

fn refusal(why: Why) -> Refusal {
    match why {
        Why::Overdraft => Refusal::Overdraft,
        Why::Unknown => Refusal::UnknownAccount,
        Why::Same => Refusal::SameAccount,
        Why::Zero => Refusal::ZeroAmount,
        Why::Elsewhere => Refusal::OtherPartition,
        Why::TooMuch => Refusal::OutOfRange,
    }
}

fn sequence(partition: u64, seq: u64, why: &'static str) -> Violation {
    let partition = u16::try_from(partition).expect("partitions are counted in 16 bits");
    Violation::Sequence { partition, seq, why }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).expect("windows and partitions are far smaller than the address space")
}
