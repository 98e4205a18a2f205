//! The audit's own view of the file: tables, records and accounts, declared here a second time.
//! If the store's records change, this file must be changed by hand as well; that is the point.

use std::path::Path;

use minder_codec::{Limit, MessageType};
use redb::{ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{AuditError, Violation, Violations};

const FILE: &str = "bank.redb";
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const OPENINGS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("openings");
const BALANCES: TableDefinition<'_, (u16, u32), &[u8]> = TableDefinition::new("balances");
const SEQS: TableDefinition<'_, u16, &[u8]> = TableDefinition::new("seqs");
const TRANSFERS: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("transfers");

const SHAPE: MessageType = MessageType::new(0x0b01, 1, Limit::Record);
const OPENING: MessageType = MessageType::new(0x0b02, 1, Limit::Record);
const PAGE: MessageType = MessageType::new(0x0b03, 1, Limit::Record);
const SEQ: MessageType = MessageType::new(0x0b04, 1, Limit::Record);
const TRANSFER: MessageType = MessageType::new(0x0b05, 1, Limit::Record);

/// Accounts to a page of balances.
const PER_PAGE: usize = 64;

/// accounts, partitions, opening, limit
#[derive(Deserialize)]
struct Shape(u32, u16, i64, u64);

/// account, opening, limit
#[derive(Deserialize)]
struct Opening(u32, i64, u64);

/// partition, page, balances
#[derive(Deserialize)]
struct Page(u16, u32, Vec<i64>);

/// partition, last
#[derive(Deserialize)]
struct Seq(u16, u64);

/// A transfer as it stands in the file.
#[derive(Deserialize, Clone, Copy)]
pub(super) struct Row {
    pub(super) id: u128,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) cents: u64,
    pub(super) verdict: Verdict,
}

/// What was decided about a transfer.
#[derive(Deserialize, Clone, Copy)]
pub(super) enum Verdict {
    Applied(u64),
    Refused(Why, u64),
}

/// Why it was refused; in the order of the file.
#[derive(Deserialize, Clone, Copy, PartialEq)]
pub(super) enum Why {
    Overdraft,
    Unknown,
    Same,
    Zero,
    Elsewhere,
    TooMuch,
}

/// The file, as it is at one moment.
pub(super) struct Database {
    pub(super) accounts: u32,
    pub(super) partitions: u16,
    opening: i64,
    limit: u64,
    reading: ReadTransaction,
    transfers: ReadOnlyTable<u128, &'static [u8]>,
    // Behind what was read from it.
    _file: redb::Database,
}

impl Database {
    pub(super) fn open(dir: &Path) -> Result<Self, AuditError> {
        let not_a_bank = |why: String| AuditError::NotABank { dir: dir.to_owned(), why };
        let path = dir.join(FILE);
        // redb makes a new database of an empty file.
        match std::fs::metadata(&path) {
            Ok(file) if file.len() > 0 => {}
            Ok(_) => return Err(not_a_bank(format!("{FILE} is empty"))),
            Err(error) => return Err(not_a_bank(format!("{FILE}: {error}"))),
        }
        let mut builder = redb::Database::builder();
        builder.set_cache_size(32 << 20);
        let file = builder.open(&path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => AuditError::InUse { dir: dir.to_owned() },
            error => not_a_bank(error.to_string()),
        })?;
        let reading = file.begin_read().map_err(failed("anything"))?;
        let shape = {
            let meta = reading.open_table(META).map_err(|error| not_a_bank(error.to_string()))?;
            let value = |key| {
                let value = meta.get(key).map_err(failed("the head"))?;
                Ok::<_, AuditError>(value.map(|value| value.value().to_vec()).unwrap_or_default())
            };
            if value("magic")? != b"minder bank" || value("version")? != 1_u32.to_le_bytes() {
                return Err(not_a_bank("another program's database, or another version's".to_owned()));
            }
            value("shape")?
        };
        let Shape(accounts, partitions, opening, limit) =
            minder_codec::decode(SHAPE, &shape).map_err(|error| not_a_bank(error.to_string()))?;
        if partitions == 0 {
            return Err(not_a_bank("it has no partitions".to_owned()));
        }
        let transfers = reading.open_table(TRANSFERS).map_err(failed("the transfers"))?;
        Ok(Self { accounts, partitions, opening, limit, reading, transfers, _file: file })
    }

    /// Shows every readable transfer in the order of ids. The others become violations, if `violations` are wanted.
    pub(super) fn each_transfer(
        &self,
        mut violations: Option<&mut Violations>,
        mut each: impl FnMut(&Row),
    ) -> Result<(), AuditError> {
        for row in self.transfers.iter().map_err(failed("the transfers"))? {
            let (key, value) = row.map_err(failed("the transfers"))?;
            match read_transfer(key.value(), value.value()) {
                Ok(row) => each(&row),
                Err(violation) => {
                    if let Some(violations) = &mut violations {
                        violations.add(violation);
                    }
                }
            }
        }
        Ok(())
    }

    /// The transfer stored under an id.
    pub(super) fn transfer(&self, id: u128) -> Result<Option<Result<Row, Violation>>, AuditError> {
        let row = self.transfers.get(id).map_err(failed("a transfer"))?;
        Ok(row.map(|row| read_transfer(id, row.value())))
    }

    /// How many transfers there are, readable or not.
    pub(super) fn transfer_count(&self) -> Result<u64, AuditError> {
        use redb::ReadableTableMetadata;
        self.transfers.len().map_err(failed("the transfers"))
    }

    /// The last number that each partition says it has given.
    pub(super) fn last_seqs(&self, violations: &mut Violations) -> Result<Vec<u64>, AuditError> {
        let table = self.reading.open_table(SEQS).map_err(failed("the sequence numbers"))?;
        let mut last = Vec::with_capacity(usize::from(self.partitions));
        for partition in 0..self.partitions {
            let row = table.get(partition).map_err(failed("the sequence numbers"))?;
            let name = || format!("the sequence number of partition {partition}");
            let seq = read(SEQ, row.as_ref().map(|row| row.value()), name)
                .and_then(|Seq(of, last)| in_place(of == partition, name).map(|()| last));
            last.push(seq.unwrap_or_else(|violation| {
                violations.add(violation);
                0
            }));
        }
        Ok(last)
    }
}

/// Every account, with what the file says of it and what the replay makes of it.
pub(super) struct Accounts {
    all: Vec<Account>,
}

/// One account.
pub(super) struct Account {
    opening: i64,
    pub(super) limit: u64,
    /// Its balance in the file.
    stored: Option<i64>,
    /// Its opening and what was applied so far.
    pub(super) replayed: i128,
}

/// Reads all openings and balances.
pub(super) fn accounts(database: &Database, violations: &mut Violations) -> Result<Accounts, AuditError> {
    let openings = database.reading.open_table(OPENINGS).map_err(failed("the openings"))?;
    let balances = database.reading.open_table(BALANCES).map_err(failed("the balances"))?;
    let mut all = Vec::new();
    for id in 0..database.accounts {
        let name = || format!("the opening of account {id}");
        let row = openings.get(id).map_err(failed("the openings"))?;
        let read = read(OPENING, row.as_ref().map(|row| row.value()), name)
            .and_then(|Opening(of, opening, limit)| in_place(of == id, name).map(|()| (opening, limit)));
        let limit = if id % 4 == 3 { database.limit } else { 0 };
        match read {
            Ok((opening, stored_limit)) => {
                if (opening, stored_limit) != (database.opening, limit) {
                    let why = format!(
                        "with {opening} and a limit of {stored_limit} instead of {} and {limit}",
                        database.opening
                    );
                    violations.add(Violation::Opening { account: id, why });
                }
            }
            Err(violation) => violations.add(violation),
        }
        let opening = database.opening;
        all.push(Account { opening, limit, stored: None, replayed: i128::from(opening) });
    }
    for row in balances.iter().map_err(failed("the balances"))? {
        let (key, value) = row.map_err(failed("the balances"))?;
        let (partition, page) = key.value();
        let name = || format!("page {page} of the balances of partition {partition}");
        let page = read(PAGE, Some(value.value()), name).and_then(|Page(of, number, balances)| {
            in_place((of, number) == (partition, page), name).map(|()| balances)
        });
        let stored = match page {
            Ok(balances) => balances,
            Err(violation) => {
                violations.add(violation);
                continue;
            }
        };
        let first = key.value().1 as usize * PER_PAGE;
        for (k, balance) in (first..).zip(stored) {
            let id = k * usize::from(database.partitions) + usize::from(partition);
            let known = all.get_mut(id).filter(|_| partition < database.partitions);
            match known {
                Some(account) => account.stored = Some(balance),
                None => violations.add(Violation::Unreadable {
                    row: name(),
                    why: format!("it holds account {id}, unopened"),
                }),
            }
        }
    }
    Ok(Accounts { all })
}

impl Accounts {
    pub(super) fn count(&self) -> u64 {
        self.all.len() as u64
    }

    pub(super) fn account(&mut self, id: u32) -> Option<&mut Account> {
        self.all.get_mut(id as usize)
    }

    /// Holds what is stored against what was replayed, and the total against what was opened.
    pub(super) fn check_balances(&self, violations: &mut Violations) {
        let (mut opened, mut held) = (0_i128, 0_i128);
        for (id, account) in (0..).zip(&self.all) {
            opened += i128::from(account.opening);
            held += i128::from(account.stored.unwrap_or(0));
            if account.stored.map(i128::from) != Some(account.replayed) {
                violations.add(Violation::Balance {
                    account: id,
                    stored: account.stored,
                    replayed: account.replayed,
                });
            }
        }
        if opened != held {
            violations.add(Violation::Total { opened, held });
        }
    }
}

fn read_transfer(key: u128, bytes: &[u8]) -> Result<Row, Violation> {
    let name = || format!("transfer {key:032x}");
    let row: Row = read(TRANSFER, Some(bytes), name)?;
    in_place(row.id == key, name)?;
    Ok(row)
}

fn read<T: DeserializeOwned>(
    message_type: MessageType,
    bytes: Option<&[u8]>,
    name: impl FnOnce() -> String,
) -> Result<T, Violation> {
    let Some(bytes) = bytes else {
        return Err(Violation::Unreadable { row: name(), why: "it is not there".to_owned() });
    };
    minder_codec::decode(message_type, bytes)
        .map_err(|error| Violation::Unreadable { row: name(), why: error.to_string() })
}

fn in_place(fits: bool, name: impl FnOnce() -> String) -> Result<(), Violation> {
    if fits {
        return Ok(());
    }
    Err(Violation::Unreadable { row: name(), why: "another row stands in its place".to_owned() })
}

/// Puts the database's error into the audit's; for `map_err`.
fn failed<E: std::fmt::Display>(reading: &'static str) -> impl Fn(E) -> AuditError {
    move |error| AuditError::Failed { reading, why: error.to_string() }
}
