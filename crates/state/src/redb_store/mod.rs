//! Checkpoints on disk, in a redb database of their own: one file, one writer, commits that are synced before they are
//! acknowledged. `records.rs` is what a row holds.

mod records;

use std::fmt;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use redb::{
    Database, DatabaseError, Durability, ReadableDatabase, StorageError, TableDefinition, TableError,
    WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ladder::{Ladder, Rung};
use crate::packing::{Old, Packs, Place, Refusal, Unusable};
use crate::store::{Entry, Shelf, Store, StoreError};

/// Two plain keys, so that any version can read them: magic, and version (32 bits, little endian).
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const MAGIC_KEY: &str = "magic";
const MAGIC: &[u8] = b"minder checkpoints";
const VERSION_KEY: &str = "version";
/// The version of the layout as a whole.
const VERSION: u32 = 1;
/// Name to [`records::LadderRecord`].
const LADDERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("ladders");
/// Name and number to a snapshot in its envelope.
const SNAPSHOTS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("snapshots");

/// Rows are read at starts and written over: there is little that a larger cache would keep.
const CACHE_BYTES: usize = 4 << 20;

/// A store in a file. Snapshots are serialized with serde, at most 16 MiB each.
///
/// At most one at a time has the file open, in whatever process.
///
/// When not to use this: for checkpoints that need not outlive the process ([`Memory`](crate::Memory) encodes nothing), and
/// for a database in which the program keeps other things too: this one is only for checkpoints.
pub struct RedbStore {
    database: Database,
}

impl RedbStore {
    /// Opens the file, or makes it if there is none. It is made whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if what is there is no store of checkpoints, or not any more: an empty file, too.
    /// [`StoreError::Failed`] if it cannot be opened, as when it is open elsewhere.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => create(path)?,
            Err(error) => return Err(failed("looking for the file")(error)),
            // redb would make a new database of it.
            Ok(file) if file.len() == 0 => return Err(damaged(path, "it is empty")),
            Ok(_) => {}
        }
        let database = builder().open(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => failed("opening it: somebody else has")(error),
            DatabaseError::Storage(StorageError::Io(cause)) if cause.kind() == ErrorKind::InvalidData => {
                damaged(path, "it is no redb database")
            }
            DatabaseError::Storage(StorageError::Io(_)) => failed("opening it")(error),
            other => damaged(path, other),
        })?;
        recognise(&database, path)?;
        Ok(Self { database })
    }
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Makes the file: under another name, then renamed, then the directory is synced.
fn create(path: &Path) -> Result<(), StoreError> {
    const DOING: &str = "making the file";
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(DOING)(error)),
        _ => {}
    }
    let database = builder().create(&unfinished).map_err(failed(DOING))?;
    let writing = begin_write(&database)?;
    {
        let mut meta = writing.open_table(META).map_err(failed(DOING))?;
        meta.insert(MAGIC_KEY, MAGIC).map_err(failed(DOING))?;
        meta.insert(VERSION_KEY, VERSION.to_le_bytes().as_slice()).map_err(failed(DOING))?;
        writing.open_table(LADDERS).map_err(failed(DOING))?;
        writing.open_table(SNAPSHOTS).map_err(failed(DOING))?;
    }
    writing.commit().map_err(failed(DOING))?;
    drop(database);
    fs::rename(&unfinished, path).map_err(failed(DOING))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("syncing its directory"))
}

fn recognise(database: &Database, path: &Path) -> Result<(), StoreError> {
    const DOING: &str = "reading its head";
    let reading = database.begin_read().map_err(failed(DOING))?;
    let meta = match reading.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(failed(DOING)(error)),
        Err(_) => return Err(damaged(path, "it is a database of somebody else's")),
    };
    let magic = meta.get(MAGIC_KEY).map_err(failed(DOING))?;
    if magic.is_none_or(|magic| magic.value() != MAGIC) {
        return Err(damaged(path, "it is a database of somebody else's"));
    }
    let version = meta.get(VERSION_KEY).map_err(failed(DOING))?;
    let version = version.and_then(|bytes| bytes.value().try_into().ok()).map(u32::from_le_bytes);
    if version != Some(VERSION) {
        let found = version.map_or("none".into(), |version| version.to_string());
        return Err(damaged(
            path,
            format!("its layout is of version {found}, and this program reads {VERSION}"),
        ));
    }
    Ok(())
}

/// Begins a transaction whose commit is synced, and after which a crash needs no repair of the whole file.
fn begin_write(database: &Database) -> Result<WriteTransaction, StoreError> {
    const DOING: &str = "beginning to write";
    let mut writing = database.begin_write().map_err(failed(DOING))?;
    writing.set_durability(Durability::Immediate).map_err(failed(DOING))?;
    writing.set_quick_repair(true);
    Ok(writing)
}

impl Store for RedbStore {
    type Packed = Arc<[u8]>;

    fn load(&mut self, name: &str) -> Result<Shelf<Arc<[u8]>>, StoreError> {
        const DOING: &str = "reading checkpoints";
        let reading = self.database.begin_read().map_err(failed(DOING))?;
        let snapshots = reading.open_table(SNAPSHOTS).map_err(failed(DOING))?;
        let ladders = reading.open_table(LADDERS).map_err(failed(DOING))?;
        let mut found = Vec::new();
        for row in snapshots.range((name, 0)..=(name, u64::MAX)).map_err(failed(DOING))? {
            let (key, bytes) = row.map_err(failed(DOING))?;
            found.push((key.value().1, Arc::from(bytes.value())));
        }
        let row = ladders.get(name).map_err(failed(DOING))?;
        let (ladder, damage) = match row.map(|row| records::read_ladder(name, row.value())) {
            Some(Ok(ladder)) => (ladder, None),
            None if found.is_empty() => (Ladder::default(), None),
            None => (of_snapshots(&found), Some("the ladder is missing".into())),
            Some(Err(why)) => (of_snapshots(&found), Some(why)),
        };
        found.retain(|(number, _)| ladder.rungs().any(|rung| rung.number == *number));
        Ok(Shelf { ladder, snapshots: found, damage })
    }

    fn commit(&mut self, entries: &[Entry<Arc<[u8]>>]) -> Result<(), StoreError> {
        const DOING: &str = "writing checkpoints";
        let writing = begin_write(&self.database)?;
        {
            let mut snapshots = writing.open_table(SNAPSHOTS).map_err(failed(DOING))?;
            let mut ladders = writing.open_table(LADDERS).map_err(failed(DOING))?;
            for Entry { name, ladder, snapshot } in entries {
                let bytes = records::write_ladder(name, ladder).map_err(failed(DOING))?;
                ladders.insert(&**name, &*bytes).map_err(failed(DOING))?;
                if let Some((number, bytes)) = snapshot {
                    snapshots.insert((&**name, *number), &**bytes).map_err(failed(DOING))?;
                }
                let kept = |number| ladder.rungs().any(|rung| rung.number == number);
                let all = (&**name, 0)..=(&**name, u64::MAX);
                snapshots.retain_in(all, |(_, number), _| kept(number)).map_err(failed(DOING))?;
            }
        }
        writing.commit().map_err(failed("committing"))
    }
}

/// What the ladder must have been, as far as the snapshots tell: how they stood is lost.
fn of_snapshots(found: &[(u64, Arc<[u8]>)]) -> Ladder {
    let rungs = found.iter().rev().map(|(number, _)| Rung { number: *number, standing: Default::default() });
    Ladder::of(rungs, found.last().map_or(0, |(number, _)| *number))
}

impl<S: Serialize + DeserializeOwned + 'static> Packs<S> for RedbStore {
    fn pack(place: &Place, snapshot: S) -> Result<Arc<[u8]>, String> {
        records::write_snapshot(place, &snapshot)
    }

    fn unpack(place: &Place, packed: &Arc<[u8]>) -> Result<S, Unusable> {
        records::read_snapshot(place, packed)
    }
}

impl Old {
    /// The snapshot as the type that it was of, for stores that come with this crate.
    ///
    /// # Errors
    /// If it is not of that type: then it is refused.
    ///
    /// ```
    /// # use minder_runtime::{Actor, Context, Handled};
    /// use minder_state::{Checkpoint, Old, Refusal};
    /// # struct Account { cents: i64 }
    /// # impl Actor for Account {
    /// #     type Msg = ();
    /// #     async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled { Ok(()) }
    /// # }
    ///
    /// impl Checkpoint for Account {
    ///     type Snapshot = i64; // cents, where version 1 had euros
    ///     const VERSION: u16 = 2;
    ///     fn snapshot(&self) -> i64 { self.cents }
    ///     fn restore(&mut self, cents: i64) -> Result<(), Refusal> { self.cents = cents; Ok(()) }
    ///     fn migrate(old: Old) -> Result<i64, Refusal> {
    ///         match old.version() {
    ///             1 => Ok(100 * i64::from(old.read::<i32>()?)),
    ///             newer => Err(Refusal::new(format!("version {newer} is not known"))),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn read<S: DeserializeOwned>(&self) -> Result<S, Refusal> {
        records::read_snapshot(&self.place, &self.bytes).map_err(|unusable| match unusable {
            Unusable::Damaged(why) => Refusal::new(why),
            Unusable::OtherVersion { version, .. } => Refusal::new(format!("it is of version {version}")),
        })
    }
}

fn damaged(path: &Path, why: impl fmt::Display) -> StoreError {
    StoreError::Damaged { what: format!("the checkpoints in {}", path.display()), why: why.to_string() }
}

/// Puts the database's own error into ours; for `map_err`.
fn failed<E: fmt::Display>(doing: &'static str) -> impl Fn(E) -> StoreError {
    move |error| StoreError::Failed { doing, why: error.to_string() }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedbStore")
    }
}
