//! Accounts: who holds how much, how far below zero they may go, and which partition looks after them.
//! Money is whole cents. Opening and limit never change after the bank was created; the balance does.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of an account, from 0 to the bank's number of accounts less one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub u32);

impl AccountId {
    /// The partition that looks after this account, whether or not the account exists: `id % partitions`.
    /// A bank without partitions counts as one with a single partition.
    pub fn partition(self, partitions: u16) -> u16 {
        let partition = self.0 % u32::from(partitions.max(1));
        u16::try_from(partition).expect("a remainder is smaller than its 16-bit divisor")
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {}", self.0)
    }
}

/// One account, as its ledger holds it in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// What it held when the bank was created.
    pub opening: i64,
    /// How many cents below zero its balance may go.
    pub limit: u64,
    /// What it holds now.
    pub balance: i64,
}
