//! The store on redb: one file, one writer, durable commits.
//! `files.rs` creates and opens, `batch.rs` is one commit and its rows, `working.rs`
//! decides what goes into them, `records.rs` is what a row holds, `reading.rs` shows a bank at rest.
//! The pieces are public so that a store that does one thing differently is a few lines; see `tests/`.

mod batch;
mod files;
mod reading;
mod records;
mod working;

use std::path::Path;

use redb::{Database, ReadableDatabase};

pub use batch::{Batch, Rows};
pub use files::DATABASE_FILE;
pub use reading::Reading;
pub use records::Stored;
pub use working::{answer_all, decide_work, next_seq, put_changed};

use crate::accounts::Account;
use crate::config::BankConfig;
use crate::store::{Done, Store, StoreError, Work, WorkError};

/// A bank's database, open for writing. One per directory at any time; a drop closes it.
#[derive(Debug)]
pub struct RedbStore {
    database: Database,
    config: BankConfig,
}

impl RedbStore {
    /// Creates a bank in `dir`, which is made if it is not there, and opens it.
    ///
    /// The database appears under its name only when it is complete, so a crash on the way leaves no half bank.
    ///
    /// # Errors
    /// [`StoreError::AlreadyABank`], [`StoreError::BadShape`], or [`StoreError::Failed`].
    pub fn create(dir: &Path, config: BankConfig) -> Result<Self, StoreError> {
        files::create(dir, &config)?;
        Self::open(dir)
    }

    /// Opens the bank in `dir`.
    ///
    /// # Errors
    /// [`StoreError::NotABank`], [`StoreError::OtherVersion`], [`StoreError::InUse`], or [`StoreError::Failed`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let (database, config) = files::open(dir)?;
        Ok(Self { database, config })
    }

    /// What the bank was created with.
    pub fn config(&self) -> &BankConfig {
        &self.config
    }

    /// Begins a commit. Waits while another one is open.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn begin(&self) -> Result<Batch, StoreError> {
        Batch::begin(&self.database, self.config.partitions)
    }
}

impl Store for RedbStore {
    fn accounts(&self, partition: u16) -> Result<Vec<Account>, StoreError> {
        let reading = self.database.begin_read().map_err(records::failed("beginning to read"))?;
        files::accounts(&reading, &self.config, partition)
    }

    fn commit(&mut self, works: &[Work]) -> Result<Vec<Result<Done, WorkError>>, StoreError> {
        let batch = self.begin()?;
        let done = batch.fill(|rows| works.iter().map(|work| decide_work(rows, work)).collect())?;
        batch.commit()?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests;
