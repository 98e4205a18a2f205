//! What is shown of an account, of a transfer, and of a transfer from one account's side. Amounts are in cents.
//! The names of the fields are those of the JSON lines.

use serde::Serialize;

use crate::accounts::{Account, AccountId};
use crate::commands::listing::Row;
use crate::outcomes::{Outcome, Refusal};
use crate::redb_store::Stored;

/// An account as it is.
#[derive(Serialize)]
pub(super) struct AccountRow {
    account: u32,
    partition: u16,
    opening: i64,
    limit: u64,
    balance: i64,
}

impl AccountRow {
    pub(super) fn new(account: &Account, partitions: u16) -> Self {
        let &Account { id, opening, limit, balance } = account;
        Self { account: id.0, partition: id.partition(partitions), opening, limit, balance }
    }
}

impl Row for AccountRow {
    const COLUMNS: &'static [(&'static str, u16)] =
        &[("account", 10), ("partition", 5), ("opening", 12), ("limit", 12), ("balance", 14)];

    fn cells(&self) -> Vec<String> {
        let Self { account, partition, opening, limit, balance } = self;
        vec![
            account.to_string(),
            partition.to_string(),
            opening.to_string(),
            limit.to_string(),
            balance.to_string(),
        ]
    }
}

/// A transfer and what became of it.
#[derive(Serialize)]
pub(super) struct TransferRow {
    id: String,
    from: u32,
    to: u32,
    cents: u64,
    outcome: &'static str,
    reason: Option<&'static str>,
    partition: u16,
    seq: u64,
}

impl TransferRow {
    pub(super) fn new(stored: &Stored, partitions: u16) -> Self {
        let transfer = &stored.transfer;
        let (outcome, reason) = outcome(stored.outcome);
        Self {
            id: transfer.id.to_string(),
            from: transfer.from.0,
            to: transfer.to.0,
            cents: transfer.cents,
            outcome,
            reason,
            partition: transfer.from.partition(partitions),
            seq: stored.outcome.seq(),
        }
    }
}

impl Row for TransferRow {
    const COLUMNS: &'static [(&'static str, u16)] = &[
        ("id", 32),
        ("from", 10),
        ("to", 10),
        ("cents", 10),
        ("outcome", 16),
        ("partition", 5),
        ("decision", 8),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.from.to_string(),
            self.to.to_string(),
            self.cents.to_string(),
            self.reason.unwrap_or(self.outcome).to_owned(),
            self.partition.to_string(),
            self.seq.to_string(),
        ]
    }
}

/// A transfer as one of its accounts sees it.
#[derive(Serialize)]
pub(super) struct HistoryRow {
    seq: u64,
    id: String,
    direction: &'static str,
    other: u32,
    cents: u64,
    outcome: &'static str,
    reason: Option<&'static str>,
    /// What it did to the balance: nothing if it was refused.
    pub(super) change: i128,
    balance: i128,
}

impl HistoryRow {
    /// A transfer of `account`, which left it with this balance.
    pub(super) fn new(stored: &Stored, account: AccountId, balance: i128) -> Self {
        let transfer = &stored.transfer;
        let out = transfer.from == account;
        let cents = i128::from(transfer.cents);
        let change = match stored.outcome {
            Outcome::Refused { .. } => 0,
            Outcome::Applied { .. } if out => -cents,
            Outcome::Applied { .. } => cents,
        };
        let (outcome, reason) = outcome(stored.outcome);
        Self {
            seq: stored.outcome.seq(),
            id: transfer.id.to_string(),
            direction: if out { "out" } else { "in" },
            other: if out { transfer.to.0 } else { transfer.from.0 },
            cents: transfer.cents,
            outcome,
            reason,
            change,
            balance,
        }
    }
}

impl Row for HistoryRow {
    const COLUMNS: &'static [(&'static str, u16)] = &[
        ("decision", 8),
        ("id", 32),
        ("direction", 3),
        ("other", 10),
        ("cents", 10),
        ("outcome", 16),
        ("balance", 14),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.seq.to_string(),
            self.id.clone(),
            self.direction.to_owned(),
            self.other.to_string(),
            self.cents.to_string(),
            self.reason.unwrap_or(self.outcome).to_owned(),
            self.balance.to_string(),
        ]
    }
}

/// Whether it was applied, and why not.
fn outcome(outcome: Outcome) -> (&'static str, Option<&'static str>) {
    match outcome {
        Outcome::Applied { .. } => ("applied", None),
        Outcome::Refused { reason, .. } => ("refused", Some(Refusal::name(reason))),
    }
}
