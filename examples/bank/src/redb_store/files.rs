//! A bank's directory: made whole or not at all, and recognised when it is opened.
//! Reads what a ledger needs at its start. Writes transfers nowhere; see `batch.rs`.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use redb::{Database, DatabaseError, ReadTransaction, ReadableDatabase, StorageError, TableError};

use super::batch::begin_write;
use super::records::{
    BALANCES, MAGIC, MAGIC_KEY, META, OPENINGS, OpeningRecord, PAGE_ACCOUNTS, PageRecord, Place, SEQS,
    SHAPE_KEY, SeqRecord, ShapeRecord, TRANSFERS, VERSION, VERSION_KEY, decode, encode, failed, in_place,
};
use crate::accounts::{Account, AccountId};
use crate::config::BankConfig;
use crate::store::StoreError;

/// The name of the database in a bank's directory.
pub const DATABASE_FILE: &str = "bank.redb";
const UNFINISHED_FILE: &str = "bank.redb.unfinished";
/// New transfers stand near the end of their table, so few pages are read again, and the operating system has a cache of
/// its own: with ids in order no size from 4 to 64 MiB was faster than another by more than equal runs differ. This much
/// is full before 200,000 transfers are served, and memory hardly grows from there.
const CACHE_BYTES: usize = 16 << 20;

/// Makes a bank: under another name, then renamed, then the directory is synced.
pub(super) fn create(dir: &Path, config: &BankConfig) -> Result<(), StoreError> {
    config.check().map_err(StoreError::BadShape)?;
    let (path, unfinished) = (dir.join(DATABASE_FILE), dir.join(UNFINISHED_FILE));
    fs::create_dir_all(dir).map_err(failed("making the bank's directory"))?;
    if path.exists() {
        return Err(StoreError::AlreadyABank { dir: dir.to_owned() });
    }
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(failed("clearing away an unfinished bank")(error));
        }
        _ => {}
    }
    let database = builder().create(&unfinished).map_err(failed("creating the database"))?;
    lay_down(&database, config)?;
    drop(database);
    fs::rename(&unfinished, &path).map_err(failed("naming the database"))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("syncing the bank's directory"))
}

/// Opens a bank and reads its shape.
pub(super) fn open(dir: &Path) -> Result<(Database, BankConfig), StoreError> {
    let path = dir.join(DATABASE_FILE);
    let not_a_bank = |why: String| StoreError::NotABank { dir: dir.to_owned(), why };
    // redb makes a new database of an empty file.
    match fs::metadata(&path) {
        Ok(file) if file.is_file() && file.len() > 0 => {}
        Ok(_) => return Err(not_a_bank(format!("its {DATABASE_FILE} is empty or no file"))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(not_a_bank(format!("it has no file {DATABASE_FILE}")));
        }
        Err(error) => return Err(failed("looking for the database")(error)),
    }
    let database = builder().open(&path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { dir: dir.to_owned() },
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
            not_a_bank(format!("its {DATABASE_FILE} is no redb database"))
        }
        other => failed("opening the database")(other),
    })?;
    let config = recognise(&database, dir)?;
    Ok((database, config))
}

/// Reads magic, version and shape, in this order: no version but ours is asked for its shape.
fn recognise(database: &Database, dir: &Path) -> Result<BankConfig, StoreError> {
    let not_a_bank = |why: &str| StoreError::NotABank { dir: dir.to_owned(), why: why.to_owned() };
    let reading = database.begin_read().map_err(failed("beginning to read"))?;
    let meta = match reading.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(failed("reading the head of the database")(error)),
        Err(_) => return Err(not_a_bank("its database has no head")),
    };
    let value = |key| {
        let value = meta.get(key).map_err(failed("reading the head of the database"))?;
        Ok::<_, StoreError>(value.map(|value| value.value().to_vec()))
    };
    if value(MAGIC_KEY)?.as_deref() != Some(MAGIC) {
        return Err(not_a_bank("its database is somebody else's"));
    }
    let version = value(VERSION_KEY)?.and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    match version {
        Some(VERSION) => {}
        Some(found) => {
            return Err(StoreError::OtherVersion { dir: dir.to_owned(), found, expected: VERSION });
        }
        None => return Err(not_a_bank("its database names no version")),
    }
    let name = || "the shape of the bank".to_owned();
    let shape = value(SHAPE_KEY)?.unwrap_or_default();
    let ShapeRecord(config) = decode(&shape, name)?;
    config.check().map_err(|shape| StoreError::Damaged { record: name(), why: shape.to_string() })?;
    Ok(config)
}

/// Every account of a partition, from its opening and its balance.
pub(super) fn accounts(
    reading: &ReadTransaction,
    config: &BankConfig,
    partition: u16,
) -> Result<Vec<Account>, StoreError> {
    let openings = reading.open_table(OPENINGS).map_err(failed("reading the openings"))?;
    let balances = reading.open_table(BALANCES).map_err(failed("reading the balances"))?;
    let missing = |what: &str, id: AccountId| StoreError::Damaged {
        record: format!("the {what} of {id}"),
        why: "there is none".into(),
    };
    let mut accounts = Vec::new();
    let mut page: Option<PageRecord> = None;
    for id in config.ids_of(partition) {
        let row = openings.get(id.0).map_err(failed("reading the openings"))?;
        let row = row.ok_or_else(|| missing("opening", id))?;
        let opening: OpeningRecord = decode(row.value(), || format!("the opening of {id}"))?;
        in_place(opening.id == id, || format!("the opening of {id}"))?;
        let Place { key, slot } = Place::of(id, config.partitions);
        if page.as_ref().is_none_or(|page| page.page != key.1) {
            let row = balances.get(key).map_err(failed("reading the balances"))?;
            page = row.map(|row| read_page(key, row.value())).transpose()?;
        }
        let balance = page.as_ref().and_then(|page| page.balances.get(slot));
        let balance = *balance.ok_or_else(|| missing("balance", id))?;
        accounts.push(Account { id, opening: opening.opening, limit: opening.limit, balance });
    }
    Ok(accounts)
}

/// The page in `bytes`, which stood under `key`.
pub(super) fn read_page(key: (u16, u32), bytes: &[u8]) -> Result<PageRecord, StoreError> {
    let name = || format!("page {} of the balances of partition {}", key.1, key.0);
    let page: PageRecord = decode(bytes, name)?;
    in_place((page.partition, page.page) == key, name)?;
    Ok(page)
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Writes a whole new bank in one commit.
fn lay_down(database: &Database, config: &BankConfig) -> Result<(), StoreError> {
    const DOING: &str = "laying down a new bank";
    let writing = begin_write(database)?;
    {
        let mut buffer = Vec::new();
        let mut meta = writing.open_table(META).map_err(failed(DOING))?;
        meta.insert(MAGIC_KEY, MAGIC).map_err(failed(DOING))?;
        meta.insert(VERSION_KEY, VERSION.to_le_bytes().as_slice()).map_err(failed(DOING))?;
        meta.insert(SHAPE_KEY, encode(&ShapeRecord(*config), &mut buffer)?).map_err(failed(DOING))?;
        let mut openings = writing.open_table(OPENINGS).map_err(failed(DOING))?;
        let mut pages = writing.open_table(BALANCES).map_err(failed(DOING))?;
        for id in (0..config.accounts).map(AccountId) {
            let Account { opening, limit, .. } = config.opened(id);
            let record = OpeningRecord { id, opening, limit };
            openings.insert(id.0, encode(&record, &mut buffer)?).map_err(failed(DOING))?;
        }
        for partition in 0..config.partitions {
            let accounts: Vec<i64> = config.ids_of(partition).map(|id| config.opened(id).balance).collect();
            for (page, balances) in (0..).zip(accounts.chunks(PAGE_ACCOUNTS as usize)) {
                let record = PageRecord { partition, page, balances: balances.to_vec() };
                pages.insert((partition, page), encode(&record, &mut buffer)?).map_err(failed(DOING))?;
            }
        }
        let mut seqs = writing.open_table(SEQS).map_err(failed(DOING))?;
        for partition in 0..config.partitions {
            let record = SeqRecord { partition, last: 0 };
            seqs.insert(partition, encode(&record, &mut buffer)?).map_err(failed(DOING))?;
        }
        writing.open_table(TRANSFERS).map_err(failed(DOING))?;
    }
    writing.commit().map_err(failed(DOING))
}
