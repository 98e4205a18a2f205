//! What the store actor owns, as a trait: a synchronous place where transfers become durable.
//! Calls block for as long as the disk takes. It groups nothing by itself; whoever calls it batches.

use std::fmt;
use std::path::PathBuf;

use crate::accounts::{Account, AccountId};
use crate::config::BadShape;
use crate::outcomes::Answer;
use crate::transfers::{Transfer, TransferId};

/// What one ledger wants committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The ledger's partition, which is that of the payer of each transfer.
    pub partition: u16,
    /// The transfers, to be decided in this order.
    pub transfers: Vec<Transfer>,
    /// Every account of the partition that they touch, as the ledger holds it in memory; in any order, more is
    /// welcome. See [`Books::touched_by`](crate::books::Books::touched_by).
    pub books: Vec<Account>,
}

/// What became of a [`Work`], now that it is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// One answer per transfer, in the same order.
    pub answers: Vec<Answer>,
    /// The accounts of the work as they are now, by id.
    pub books: Vec<Account>,
}

/// A place where transfers become durable.
pub trait Store: Send + 'static {
    /// The accounts of a partition as they are on disk, by id: a ledger rebuilds its memory from this at every start.
    ///
    /// # Errors
    /// A [`StoreError`]; start anew with a newly opened store.
    fn accounts(&self, partition: u16) -> Result<Vec<Account>, StoreError>;

    /// Decides and makes durable, all works in one commit, in their order. For each transfer: the stored outcome if
    /// its id is known, a conflict if its fields differ; else it is decided on the books, and debit, credit and
    /// the outcome of the id are written together. Returns only when the commit is on disk.
    ///
    /// One result per work, in the same order. A work that was not done ([`WorkError`]) left nothing behind and
    /// did not hinder the others. Two works of one partition may stand in one commit; the later one must then hold
    /// the balances as the earlier one leaves them.
    ///
    /// # Errors
    /// A [`StoreError`] means that nobody may be told anything: whether the commit is on disk is unknown. Drop the
    /// store, open it anew, and send everything again; ids make sure that nothing is done twice.
    fn commit(&mut self, works: &[Work]) -> Result<Vec<Result<Done, WorkError>>, StoreError>;
}

impl Store for Box<dyn Store> {
    fn accounts(&self, partition: u16) -> Result<Vec<Account>, StoreError> {
        (**self).accounts(partition)
    }

    fn commit(&mut self, works: &[Work]) -> Result<Vec<Result<Done, WorkError>>, StoreError> {
        (**self).commit(works)
    }
}

/// Why one work was not done. Nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkError {
    /// The ledger's memory is not what is on disk: it must be rebuilt before anything is decided on it.
    StaleBooks {
        /// The first account that differs.
        account: AccountId,
        /// The balance in the ledger's books, if the account is in them.
        held: Option<i64>,
        /// The balance on disk, if the account exists.
        stored: Option<i64>,
    },
    /// A transfer came to a ledger that does not look after its payer.
    Misrouted {
        /// The transfer.
        transfer: TransferId,
        /// Its payer.
        from: AccountId,
        /// The partition it came to.
        partition: u16,
    },
}

impl fmt::Display for WorkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let balance =
            |cents: &Option<i64>| cents.map_or_else(|| "nothing".to_owned(), |c| format!("{c} cents"));
        match self {
            Self::StaleBooks { account, held, stored } => write!(
                f,
                "{account} has {} in the ledger's books and {} on disk; restart the ledger to rebuild them",
                balance(held),
                balance(stored)
            ),
            Self::Misrouted { transfer, from, partition } => write!(
                f,
                "transfer {transfer} from {from} came to partition {partition}; send it to the ledger of its payer"
            ),
        }
    }
}

impl std::error::Error for WorkError {}

/// Why the store cannot serve.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// No bank can have the asked shape.
    BadShape(BadShape),
    /// The directory holds no bank.
    NotABank {
        /// The directory.
        dir: PathBuf,
        /// What was found instead.
        why: String,
    },
    /// The directory holds a bank already.
    AlreadyABank {
        /// The directory.
        dir: PathBuf,
    },
    /// The bank was written by another version of this program.
    OtherVersion {
        /// The directory.
        dir: PathBuf,
        /// The version of the database.
        found: u32,
        /// The version that this program reads.
        expected: u32,
    },
    /// Somebody else has the database open.
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// A stored record is not what it must be.
    Damaged {
        /// Which record.
        record: String,
        /// What is wrong with it.
        why: String,
    },
    /// The database failed.
    Failed {
        /// What it was asked to do.
        doing: &'static str,
        /// What it said.
        why: String,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadShape(shape) => shape.fmt(f),
            Self::NotABank { dir, why } => write!(
                f,
                "{} is not a bank: {why}; name the directory of a bank, or create one in an empty directory",
                dir.display()
            ),
            Self::AlreadyABank { dir } => {
                write!(f, "{} holds a bank already; open it, or name an empty directory", dir.display())
            }
            Self::OtherVersion { dir, found, expected } => write!(
                f,
                "the bank in {} is of version {found}, this program reads version {expected}; \
                 use the program that wrote it",
                dir.display()
            ),
            Self::InUse { dir } => {
                write!(f, "the bank in {} is open elsewhere; close it there first", dir.display())
            }
            Self::Damaged { record, why } => {
                write!(f, "{record} is damaged: {why}; restore the bank from a copy")
            }
            Self::Failed { doing, why } => {
                write!(f, "the database failed while {doing}: {why}; open it anew and send again")
            }
        }
    }
}

impl std::error::Error for StoreError {}
