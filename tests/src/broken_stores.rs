//! Three stores that are wrong in ways stores are wrong: each must turn the bank's audit red under faults.
//! Types, not features: the bank itself knows nothing of them. Each differs from `RedbStore` in one thing.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bank::accounts::Account;
use bank::books::Books;
use bank::outcomes::{Answer, Outcome};
use bank::redb_store::{Batch, RedbStore, Stored, answer_all, decide_work, next_seq, put_changed};
use bank::store::{Done, Store, StoreError, Work, WorkError};

/// Answers as soon as it has decided; the commit follows when the next one is asked for. Whoever crashes it in
/// between takes acknowledged transfers with it.
#[derive(Debug)]
pub struct AcknowledgesBeforeCommit {
    // Before the store: an open batch is dropped before its database.
    pending: Option<Batch>,
    store: RedbStore,
}

impl AcknowledgesBeforeCommit {
    /// Opens the bank in `dir`.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { pending: None, store: RedbStore::open(dir)? })
    }
}

impl Store for AcknowledgesBeforeCommit {
    fn accounts(&self, partition: u16) -> Result<Vec<Account>, StoreError> {
        self.store.accounts(partition)
    }

    fn commit(&mut self, works: &[Work]) -> Result<Vec<Result<Done, WorkError>>, StoreError> {
        if let Some(pending) = self.pending.take() {
            pending.commit()?;
        }
        let batch = self.store.begin()?;
        let done = batch.fill(|rows| works.iter().map(|work| decide_work(rows, work)).collect())?;
        self.pending = Some(batch);
        Ok(done)
    }
}

/// Does not look whether it knows an id: what is sent again is done again.
#[derive(Debug)]
pub struct ForgetsIds {
    store: RedbStore,
}

impl ForgetsIds {
    /// Opens the bank in `dir`.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { store: RedbStore::open(dir)? })
    }
}

impl Store for ForgetsIds {
    fn accounts(&self, partition: u16) -> Result<Vec<Account>, StoreError> {
        self.store.accounts(partition)
    }

    fn commit(&mut self, works: &[Work]) -> Result<Vec<Result<Done, WorkError>>, StoreError> {
        let batch = self.store.begin()?;
        let done = batch.fill(|rows| {
            let each = works.iter().map(|work| {
                let before = Books::new(work.books.clone());
                let mut books = before.clone();
                let mut seq = rows.last_seq(work.partition)?;
                let mut answers = Vec::with_capacity(work.transfers.len());
                for transfer in &work.transfers {
                    seq = next_seq(seq, work.partition)?;
                    let outcome = match books.apply(transfer, rows.partitions()) {
                        Ok(_) => Outcome::Applied { seq },
                        Err(reason) => Outcome::Refused { reason, seq },
                    };
                    rows.put_transfer(Stored { transfer: *transfer, outcome });
                    answers.push(Answer::Outcome(outcome));
                }
                put_changed(rows, &before, &books)?;
                rows.put_last_seq(work.partition, seq)?;
                Ok(Ok(Done { answers, books: books.into_accounts() }))
            });
            each.collect()
        })?;
        batch.commit()?;
        Ok(done)
    }
}

/// What [`KeepsBalancesInMemory`] remembers of each partition; outlives the store's crashes.
pub type Memory = Arc<Mutex<HashMap<u16, Books>>>;

/// Gives a ledger that starts again the balances that it last sent, instead of those on disk, and believes what it is
/// sent. The ledger comes back as it was before its last commit.
#[derive(Debug)]
pub struct KeepsBalancesInMemory {
    store: RedbStore,
    memory: Memory,
}

impl KeepsBalancesInMemory {
    /// Opens the bank in `dir`. Give every life of the store the same memory.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open(dir: &Path, memory: Memory) -> Result<Self, StoreError> {
        Ok(Self { store: RedbStore::open(dir)?, memory })
    }
}

impl Store for KeepsBalancesInMemory {
    fn accounts(&self, partition: u16) -> Result<Vec<Account>, StoreError> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(books) = memory.get(&partition) {
            return Ok(books.accounts().to_vec());
        }
        let accounts = self.store.accounts(partition)?;
        memory.insert(partition, Books::new(accounts.clone()));
        Ok(accounts)
    }

    fn commit(&mut self, works: &[Work]) -> Result<Vec<Result<Done, WorkError>>, StoreError> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        for work in works {
            let books = memory.entry(work.partition).or_default();
            work.books.iter().for_each(|account| books.put(*account));
        }
        let batch = self.store.begin()?;
        let done = batch.fill(|rows| {
            let each = works.iter().map(|work| {
                let before = Books::new(work.books.clone());
                let mut books = before.clone();
                let answers = answer_all(rows, work, &mut books)?;
                put_changed(rows, &before, &books)?;
                Ok(Ok(Done { answers, books: books.into_accounts() }))
            });
            each.collect()
        })?;
        batch.commit()?;
        Ok(done)
    }
}
