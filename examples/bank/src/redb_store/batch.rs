//! One commit: a write transaction and its rows. What is written into them is decided in `working.rs`.
//! Nothing is on disk, and nobody may be told, before `Batch::commit` has returned; a drop undoes everything.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use redb::{Database, Durability, ReadableTable, Table, WriteTransaction};

use super::files::read_page;
use super::records::{
    BALANCES, PageRecord, Place, SEQS, SeqRecord, Stored, TRANSFERS, TransferRecord, decode, encode, failed,
    in_place, read_stored,
};
use crate::accounts::AccountId;
use crate::store::StoreError;
use crate::transfers::{Transfer, TransferId};

/// A commit that is being put together: [`fill`](Self::fill) it, then [`commit`](Self::commit).
pub struct Batch {
    writing: WriteTransaction,
    partitions: u16,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

impl Batch {
    pub(super) fn begin(database: &Database, partitions: u16) -> Result<Self, StoreError> {
        Ok(Self { writing: begin_write(database)?, partitions })
    }

    /// Lends the rows as this commit will leave them, to be read and written.
    ///
    /// # Errors
    /// What `filling` says, or [`StoreError::Failed`]; the batch must then be dropped.
    pub fn fill<T>(
        &self,
        filling: impl FnOnce(&mut Rows<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transfers = self.writing.open_table(TRANSFERS).map_err(failed("opening the transfers"))?;
        let newest = transfers.last().map_err(failed("reading the newest transfer"))?;
        let newest = newest.map(|(id, _)| TransferId(id.value()));
        let mut rows = Rows {
            balances: self.writing.open_table(BALANCES).map_err(failed("opening the balances"))?,
            seqs: self.writing.open_table(SEQS).map_err(failed("opening the sequence numbers"))?,
            transfers,
            newest,
            added: BTreeMap::new(),
            pages: BTreeMap::new(),
            buffer: Vec::with_capacity(1024),
            partitions: self.partitions,
        };
        let filled = filling(&mut rows)?;
        rows.write_out()?;
        Ok(filled)
    }

    /// Puts everything on disk and returns when it is there.
    ///
    /// # Errors
    /// [`StoreError::Failed`]: whether it is there is unknown, and the store must be opened anew.
    pub fn commit(self) -> Result<(), StoreError> {
        self.writing.commit().map_err(failed("committing"))
    }
}

/// Begins a transaction whose commit is synced, and after which a crash needs no repair of the whole file.
pub(super) fn begin_write(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut writing = database.begin_write().map_err(failed("beginning to write"))?;
    writing.set_durability(Durability::Immediate).map_err(failed("beginning to write"))?;
    writing.set_quick_repair(true);
    Ok(writing)
}

/// The rows of a [`Batch`]: what was stored before, and what this commit has written so far.
pub struct Rows<'b> {
    balances: Table<'b, (u16, u32), &'static [u8]>,
    seqs: Table<'b, u16, &'static [u8]>,
    transfers: Table<'b, u128, &'static [u8]>,
    /// The greatest id when the rows were opened. Ids in order are mostly beyond it and need no search.
    newest: Option<TransferId>,
    /// The transfers that were put since; written out last, in the order of their ids: neighbours share a page.
    added: BTreeMap<TransferId, Stored>,
    /// The pages of balances that were looked at since, `None` where there is none. Written out last, each once.
    pages: BTreeMap<(u16, u32), Option<Page>>,
    buffer: Vec<u8>,
    partitions: u16,
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

impl Rows<'_> {
    /// How many partitions the bank has.
    pub fn partitions(&self) -> u16 {
        self.partitions
    }

    /// The transfer stored under this id.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Failed`], as with every function of this type.
    pub fn stored(&self, id: TransferId) -> Result<Option<Stored>, StoreError> {
        if let Some(added) = self.added.get(&id) {
            return Ok(Some(*added));
        }
        if Some(id) > self.newest {
            return Ok(None);
        }
        let row = self.transfers.get(id.0).map_err(failed("reading a transfer"))?;
        row.map(|row| read_stored(id, row.value())).transpose()
    }

    /// Stores a transfer with its outcome, over whatever stood under its id.
    pub fn put_transfer(&mut self, stored: Stored) {
        self.added.insert(stored.transfer.id, stored);
    }

    /// The balance of an account, if it exists.
    ///
    /// # Errors
    /// As [`stored`](Self::stored).
    pub fn balance(&mut self, id: AccountId) -> Result<Option<i64>, StoreError> {
        Ok(self.slot(id)?.map(|(balance, _)| *balance))
    }

    /// Sets the balance of an account; one that does not exist is left out.
    ///
    /// # Errors
    /// As [`stored`](Self::stored).
    pub fn put_balance(&mut self, id: AccountId, balance: i64) -> Result<(), StoreError> {
        if let Some((slot, changed)) = self.slot(id)? {
            *slot = balance;
            *changed = true;
        }
        Ok(())
    }

    /// The balance of an account in its page, and the page's mark that it must be written out.
    fn slot(&mut self, id: AccountId) -> Result<Option<(&mut i64, &mut bool)>, StoreError> {
        let Place { key, slot } = Place::of(id, self.partitions);
        let page = match self.pages.entry(key) {
            Entry::Occupied(seen) => seen.into_mut(),
            Entry::Vacant(unseen) => {
                let row = self.balances.get(key).map_err(failed("reading a page of balances"))?;
                let record = row.map(|row| read_page(key, row.value())).transpose()?;
                unseen.insert(record.map(|record| Page { record, changed: false }))
            }
        };
        let Some(Page { record, changed }) = page else { return Ok(None) };
        Ok(record.balances.get_mut(slot).map(|balance| (balance, changed)))
    }

    /// The last sequence number that a partition has given, 0 before the first.
    ///
    /// # Errors
    /// As [`stored`](Self::stored).
    pub fn last_seq(&self, partition: u16) -> Result<u64, StoreError> {
        let name = || format!("the sequence number of partition {partition}");
        let row = self.seqs.get(partition).map_err(failed("reading a sequence number"))?;
        let Some(row) = row else {
            return Err(StoreError::Damaged { record: name(), why: "there is none".into() });
        };
        let record: SeqRecord = decode(row.value(), name)?;
        in_place(record.partition == partition, name)?;
        Ok(record.last)
    }

    /// Sets the last sequence number that a partition has given.
    ///
    /// # Errors
    /// As [`stored`](Self::stored).
    pub fn put_last_seq(&mut self, partition: u16, last: u64) -> Result<(), StoreError> {
        let bytes = encode(&SeqRecord { partition, last }, &mut self.buffer)?;
        self.seqs.insert(partition, bytes).map_err(failed("writing a sequence number"))?;
        Ok(())
    }

    fn write_out(mut self) -> Result<(), StoreError> {
        for Stored { transfer: Transfer { id, from, to, cents }, outcome } in self.added.into_values() {
            let record = TransferRecord { id, from, to, cents, outcome };
            let bytes = encode(&record, &mut self.buffer)?;
            self.transfers.insert(id.0, bytes).map_err(failed("writing a transfer"))?;
        }
        for (key, page) in self.pages {
            if let Some(Page { record, changed: true }) = page {
                let bytes = encode(&record, &mut self.buffer)?;
                self.balances.insert(key, bytes).map_err(failed("writing a page of balances"))?;
            }
        }
        Ok(())
    }
}

/// A page of balances in memory.
struct Page {
    record: PageRecord,
    changed: bool,
}
