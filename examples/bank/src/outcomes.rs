//! What became of a transfer. An outcome is decided once per id and is stored with it, refusals too:
//! a repeat gets the same answer even if the balance would now allow it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was decided about a transfer, with its place in the order of its partition.
///
/// Sequence numbers start at 1 and have no gaps: the partition's decisions can be replayed and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The money has moved.
    Applied {
        /// The decision's place.
        seq: u64,
    },
    /// Nothing has moved, nor ever will under this id.
    Refused {
        /// Why.
        reason: Refusal,
        /// The decision's place.
        seq: u64,
    },
}

impl Outcome {
    /// The decision's place in the order of its partition.
    pub fn seq(self) -> u64 {
        match self {
            Self::Applied { seq } | Self::Refused { seq, .. } => seq,
        }
    }
}

/// Why a transfer was refused. Stored as the index of the variant: append, never reorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// The payer's balance would fall below its limit.
    Overdraft,
    /// One of the two accounts does not exist.
    UnknownAccount,
    /// Payer and payee are the same.
    SameAccount,
    /// Nothing to transfer.
    ZeroAmount,
    /// The accounts are looked after by two partitions.
    OtherPartition,
    /// A balance would not fit into 64 bits.
    OutOfRange,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Overdraft,
        Self::UnknownAccount,
        Self::SameAccount,
        Self::ZeroAmount,
        Self::OtherPartition,
        Self::OutOfRange,
    ];

    /// Its name in reports and histories.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overdraft => "overdraft",
            Self::UnknownAccount => "unknown_account",
            Self::SameAccount => "same_account",
            Self::ZeroAmount => "zero_amount",
            Self::OtherPartition => "other_partition",
            Self::OutOfRange => "out_of_range",
        }
    }

    /// The refusal of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.name() == name)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a client is told, once it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The outcome of this transfer, now or long ago.
    Outcome(Outcome),
    /// The id is known with other fields: nothing was done, and the stored transfer stands.
    Conflict,
}
