//! A bank's store with kill points around opening and inside the commit. Otherwise it is what it wraps.

use std::path::Path;
use std::sync::Arc;

use crate::accounts::Account;
use crate::process::points::{KillPoints, Point};
use crate::redb_store::{RedbStore, decide_work};
use crate::store::{Done, Store, StoreError, Work, WorkError};

/// See the file's head.
#[derive(Debug)]
pub struct KillPointStore {
    store: RedbStore,
    points: Arc<KillPoints>,
}

impl KillPointStore {
    /// Opens the bank in `dir`.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open(dir: &Path, points: Arc<KillPoints>) -> Result<Self, StoreError> {
        let opening = points.enter(Point::Opening);
        let store = RedbStore::open(dir)?;
        opening.left();
        points.reach(Point::Opened);
        Ok(Self { store, points })
    }
}

impl Store for KillPointStore {
    fn accounts(&self, partition: u16) -> Result<Vec<Account>, StoreError> {
        self.store.accounts(partition)
    }

    /// The same steps as `RedbStore::commit`, with the points between them.
    fn commit(&mut self, works: &[Work]) -> Result<Vec<Result<Done, WorkError>>, StoreError> {
        let batch = self.store.begin()?;
        let done = batch.fill(|rows| works.iter().map(|work| decide_work(rows, work)).collect())?;
        self.points.reach(Point::CommitFilled);
        let running = self.points.enter(Point::CommitRunning);
        batch.commit()?;
        running.left();
        self.points.reach(Point::CommitDone);
        Ok(done)
    }
}
