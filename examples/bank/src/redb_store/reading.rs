//! A bank at rest, read: its accounts and transfers as they were when it was opened. Holds one row of a table and one
//! page of balances per partition, however large the bank. Checks each row by itself; the audit checks the whole.

use std::fmt;
use std::path::Path;

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};

use super::files::{self, read_page};
use super::records::{
    BALANCES, OPENINGS, OpeningRecord, PageRecord, Place, Stored, TRANSFERS, decode, failed, in_place,
    read_stored,
};
use crate::accounts::{Account, AccountId};
use crate::config::BankConfig;
use crate::store::StoreError;
use crate::transfers::TransferId;

/// A bank's database, open for reading. While it is, nobody else can open the bank.
pub struct Reading {
    reading: ReadTransaction,
    config: BankConfig,
    // Behind what was read from it.
    _database: Database,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Reading {
    /// Opens the bank in `dir`.
    ///
    /// # Errors
    /// As [`RedbStore::open`](super::RedbStore::open).
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let (database, config) = files::open(dir)?;
        let reading = database.begin_read().map_err(failed("beginning to read"))?;
        Ok(Self { reading, config, _database: database })
    }

    /// What the bank was created with.
    pub fn config(&self) -> &BankConfig {
        &self.config
    }

    /// Shows every account, or every one of a partition, by id.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Failed`], or what `each` says; nothing more is then shown.
    pub fn each_account<E: From<StoreError>>(
        &self,
        partition: Option<u16>,
        mut each: impl FnMut(Account) -> Result<(), E>,
    ) -> Result<(), E> {
        let openings = self.reading.open_table(OPENINGS).map_err(failed("reading the openings"))?;
        let balances = self.reading.open_table(BALANCES).map_err(failed("reading the balances"))?;
        let mut pages: Vec<Option<PageRecord>> = Vec::new();
        pages.resize_with(usize::from(self.config.partitions), || None);
        for id in self.ids(partition) {
            let row = openings.get(id.0).map_err(failed("reading the openings"))?;
            let name = || format!("the opening of {id}");
            let row =
                row.ok_or_else(|| StoreError::Damaged { record: name(), why: "there is none".into() })?;
            let opening: OpeningRecord = decode(row.value(), name)?;
            in_place(opening.id == id, name)?;
            let Place { key, slot } = Place::of(id, self.config.partitions);
            let page = &mut pages[usize::from(key.0)];
            if page.as_ref().is_none_or(|page| page.page != key.1) {
                let row = balances.get(key).map_err(failed("reading the balances"))?;
                *page = row.map(|row| read_page(key, row.value())).transpose()?;
            }
            let balance = page.as_ref().and_then(|page| page.balances.get(slot));
            let balance = *balance.ok_or_else(|| StoreError::Damaged {
                record: format!("the balance of {id}"),
                why: "there is none".into(),
            })?;
            each(Account { id, opening: opening.opening, limit: opening.limit, balance })?;
        }
        Ok(())
    }

    fn ids(&self, partition: Option<u16>) -> Box<dyn Iterator<Item = AccountId>> {
        match partition {
            Some(partition) => Box::new(self.config.ids_of(partition)),
            None => Box::new((0..self.config.accounts).map(AccountId)),
        }
    }

    /// The balance of an account, if it exists.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Failed`].
    pub fn balance(&self, id: AccountId) -> Result<Option<i64>, StoreError> {
        let balances = self.reading.open_table(BALANCES).map_err(failed("reading the balances"))?;
        let Place { key, slot } = Place::of(id, self.config.partitions);
        let row = balances.get(key).map_err(failed("reading the balances"))?;
        let page = row.map(|row| read_page(key, row.value())).transpose()?;
        Ok(page.and_then(|page| page.balances.get(slot).copied()))
    }

    /// The transfer stored under this id.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Failed`].
    pub fn transfer(&self, id: TransferId) -> Result<Option<Stored>, StoreError> {
        let transfers = self.reading.open_table(TRANSFERS).map_err(failed("reading the transfers"))?;
        let row = transfers.get(id.0).map_err(failed("reading a transfer"))?;
        row.map(|row| read_stored(id, row.value())).transpose()
    }

    /// Shows every transfer, by id.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Failed`].
    pub fn each_transfer(&self, mut each: impl FnMut(Stored)) -> Result<(), StoreError> {
        let transfers = self.reading.open_table(TRANSFERS).map_err(failed("reading the transfers"))?;
        for row in transfers.iter().map_err(failed("reading the transfers"))? {
            let (key, value) = row.map_err(failed("reading the transfers"))?;
            each(read_stored(TransferId(key.value()), value.value())?);
        }
        Ok(())
    }
}
