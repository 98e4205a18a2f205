//! What a new bank is made of: how many accounts and partitions, and what each account opens with.
//! Written into the database when it is created and never changed; a run's settings are in `cli.rs`.

use serde::{Deserialize, Serialize};

use crate::accounts::{Account, AccountId};

/// More accounts than this are refused: a bank holds each ledger's accounts in memory.
pub const MAX_ACCOUNTS: u32 = 100_000_000;

/// The shape of a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankConfig {
    /// How many accounts; their ids are 0 and up.
    pub accounts: u32,
    /// How many partitions look after them.
    pub partitions: u16,
    /// What each account opens with, in cents.
    pub opening: i64,
    /// How far below zero every fourth account may go, in cents; the others may not at all.
    pub limit: u64,
}

impl BankConfig {
    /// A bank whose accounts open with 1,000.00, every fourth with a limit of 100.00.
    pub fn new(accounts: u32, partitions: u16) -> Self {
        Self { accounts, partitions, opening: 100_000, limit: 10_000 }
    }

    /// The account of this id as it is opened.
    pub fn opened(&self, id: AccountId) -> Account {
        let limit = if id.0 % 4 == 3 { self.limit } else { 0 };
        Account { id, opening: self.opening, limit, balance: self.opening }
    }

    /// The ids of all accounts that a partition looks after, in order.
    pub fn ids_of(&self, partition: u16) -> impl Iterator<Item = AccountId> + use<> {
        let step = usize::from(self.partitions.max(1));
        (u32::from(partition)..self.accounts).step_by(step).map(AccountId)
    }

    /// Nothing, or what cannot be built about it.
    ///
    /// # Errors
    /// [`BadShape`] for the first thing that is wrong.
    pub fn check(&self) -> Result<(), BadShape> {
        if self.partitions == 0 {
            return Err(BadShape::NoPartitions);
        }
        if self.accounts > MAX_ACCOUNTS {
            return Err(BadShape::TooManyAccounts { accounts: self.accounts });
        }
        let needed = 2 * u32::from(self.partitions);
        if self.accounts < needed {
            return Err(BadShape::TooFewAccounts { accounts: self.accounts, needed });
        }
        Ok(())
    }
}

/// Why no bank can have this shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadShape {
    /// Nobody would look after the accounts.
    NoPartitions,
    /// Some partition would have fewer than two accounts, and no transfer could ever be made in it.
    TooFewAccounts {
        /// How many were asked for.
        accounts: u32,
        /// How many there must be at least.
        needed: u32,
    },
    /// More accounts than [`MAX_ACCOUNTS`].
    TooManyAccounts {
        /// How many were asked for.
        accounts: u32,
    },
}

impl std::fmt::Display for BadShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoPartitions => {
                f.write_str("a bank needs at least one partition to look after its accounts")
            }
            Self::TooFewAccounts { accounts, needed } => write!(
                f,
                "{accounts} accounts are too few: each partition needs two for a transfer; \
                 ask for {needed} accounts or more, or for fewer partitions"
            ),
            Self::TooManyAccounts { accounts } => {
                write!(f, "{accounts} accounts are too many; ask for {MAX_ACCOUNTS} at most")
            }
        }
    }
}

impl std::error::Error for BadShape {}
