//! What an audit may find wrong, each with what it takes to look for it oneself.
//! The list is bounded; the count is not.

use std::fmt;

use crate::history::HistoryError;
use crate::outcomes::{Answer, Outcome, Refusal};
use crate::transfers::{Transfer, TransferId};

/// How many violations are kept in full; the others are counted.
const KEPT: usize = 100;

/// Violations as they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    first: Vec<Violation>,
    count: u64,
}

impl Violations {
    /// Notes one.
    pub(super) fn add(&mut self, violation: Violation) {
        if self.first.len() < KEPT {
            self.first.push(violation);
        }
        self.count = self.count.saturating_add(1);
    }

    /// The first hundred.
    pub fn first(&self) -> &[Violation] {
        &self.first
    }

    /// How many there are in all.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// An account was not opened as the bank's shape says.
    Opening {
        /// The account.
        account: u32,
        /// What is wrong.
        why: String,
    },
    /// A row cannot be read, or stands under a key that is not its own.
    Unreadable {
        /// Which row.
        row: String,
        /// What is wrong with it.
        why: String,
    },
    /// The numbers of a partition's decisions have a gap, one twice, or another end than the partition's own count.
    Sequence {
        /// The partition.
        partition: u16,
        /// The number.
        seq: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A decision that was not the right one at its place.
    Decision {
        /// The transfer.
        id: TransferId,
        /// What was decided.
        stored: Outcome,
        /// Why it had to be refused, or that it had to be applied.
        required: Option<Refusal>,
    },
    /// A balance that is not its opening and its applied transfers.
    Balance {
        /// The account.
        account: u32,
        /// What is stored, if anything is.
        stored: Option<i64>,
        /// What the replay comes to.
        replayed: i128,
    },
    /// Money was made or lost.
    Total {
        /// What all accounts opened with.
        opened: i128,
        /// What all accounts hold.
        held: i128,
    },
    /// A client was answered, and the transfer is not there.
    Lost {
        /// What the client sent.
        transfer: Transfer,
    },
    /// A client was answered, and the stored fields are others.
    Fields {
        /// What the client sent.
        sent: Transfer,
        /// What is stored.
        stored: Transfer,
    },
    /// A client was answered otherwise than what is stored.
    Answer {
        /// The transfer.
        id: TransferId,
        /// What the client was told.
        told: Answer,
        /// What is stored.
        stored: Outcome,
    },
    /// A client was told of a conflict, and the stored fields are its own.
    FalseConflict {
        /// The transfer.
        id: TransferId,
    },
    /// A line of the history cannot be used as evidence.
    History(HistoryError),
}

impl Violation {
    /// Its name, for counting.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opening { .. } => "opening",
            Self::Unreadable { .. } => "unreadable",
            Self::Sequence { .. } => "sequence",
            Self::Decision { .. } => "decision",
            Self::Balance { .. } => "balance",
            Self::Total { .. } => "total",
            Self::Lost { .. } => "lost",
            Self::Fields { .. } => "fields",
            Self::Answer { .. } => "answer",
            Self::FalseConflict { .. } => "false_conflict",
            Self::History(_) => "history",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |t: &Transfer| format!("{} cents from {} to {}", t.cents, t.from.0, t.to.0);
        match self {
            Self::Opening { account, why } => write!(f, "account {account} was not opened properly: {why}"),
            Self::Unreadable { row, why } => write!(f, "{row} is unreadable: {why}"),
            Self::Sequence { partition, seq, why } => {
                write!(f, "decision {seq} of partition {partition}: {why}")
            }
            Self::Decision { id, stored, required: Some(reason) } => {
                write!(f, "transfer {id} has {stored:?} and had to be refused as {reason}")
            }
            Self::Decision { id, stored, required: None } => {
                write!(f, "transfer {id} has {stored:?} and had to be applied")
            }
            Self::Balance { account, stored: Some(stored), replayed } => {
                write!(f, "account {account} holds {stored} cents, its transfers come to {replayed}")
            }
            Self::Balance { account, stored: None, replayed } => {
                write!(f, "account {account} has no balance, its transfers come to {replayed}")
            }
            Self::Total { opened, held } => {
                write!(f, "all accounts hold {held} cents and opened with {opened}")
            }
            Self::Lost { transfer } => {
                write!(f, "transfer {} of {} was acknowledged and is not stored", transfer.id, of(transfer))
            }
            Self::Fields { sent, stored } => write!(
                f,
                "transfer {} was acknowledged as {} and is stored as {}",
                sent.id,
                of(sent),
                of(stored)
            ),
            Self::Answer { id, told, stored } => {
                write!(f, "transfer {id} was answered with {told:?} and is stored with {stored:?}")
            }
            Self::FalseConflict { id } => {
                write!(f, "transfer {id} was answered as a conflict, though the stored fields are equal")
            }
            Self::History(error) => error.fmt(f),
        }
    }
}
