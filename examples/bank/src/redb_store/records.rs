//! What the tables hold, record by record, and the tables' names. Everything goes through the codec.
//! The golden bytes of each stand in the tests below; a changed record needs a new schema version.

use minder_codec::{Limit, MessageType};
use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::config::BankConfig;
use crate::outcomes::Outcome;
use crate::store::StoreError;
use crate::transfers::{Transfer, TransferId};

/// The version of the layout as a whole; see `OtherVersion`.
pub(super) const VERSION: u32 = 1;
/// What stands in a bank's database under [`MAGIC_KEY`], and in no other.
pub(super) const MAGIC: &[u8] = b"minder bank";

/// Three plain keys, so that any version can read them: magic, version (32 bits, little endian), shape (a record).
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
pub(super) const MAGIC_KEY: &str = "magic";
pub(super) const VERSION_KEY: &str = "version";
pub(super) const SHAPE_KEY: &str = "shape";

/// Account number to [`OpeningRecord`], written once.
pub(super) const OPENINGS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("openings");
/// Partition and page number to [`PageRecord`].
pub(super) const BALANCES: TableDefinition<'_, (u16, u32), &[u8]> = TableDefinition::new("balances");
/// Partition to [`SeqRecord`].
pub(super) const SEQS: TableDefinition<'_, u16, &[u8]> = TableDefinition::new("seqs");
/// Transfer id to [`TransferRecord`].
pub(super) const TRANSFERS: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("transfers");

/// A type of record: its number and version in the codec's envelope.
pub(super) trait Record: Serialize + for<'de> Deserialize<'de> {
    const TYPE: MessageType;
}

/// The shape of the bank.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub(super) struct ShapeRecord(pub(super) BankConfig);

impl Record for ShapeRecord {
    const TYPE: MessageType = MessageType::new(0x0b01, 1, Limit::Record);
}

/// What never changes about an account.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub(super) struct OpeningRecord {
    pub(super) id: AccountId,
    pub(super) opening: i64,
    pub(super) limit: u64,
}

impl Record for OpeningRecord {
    const TYPE: MessageType = MessageType::new(0x0b02, 1, Limit::Record);
}

/// How many accounts share a [`PageRecord`].
///
/// With a row and an envelope per balance, a commit of 256 dirtied nearly every leaf of the table: at 10,000 accounts
/// 46,000 transfers/s. With sixty-four balances to a row: 61,000 to 92,000.
pub(super) const PAGE_ACCOUNTS: u32 = 64;

/// Where the balance of an account stands: the `k`-th account of a partition is in page `k / 64` at `k % 64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) key: (u16, u32),
    pub(super) slot: usize,
}

impl Place {
    pub(super) fn of(id: AccountId, partitions: u16) -> Self {
        let k = id.0 / u32::from(partitions.max(1));
        Self { key: (id.partition(partitions), k / PAGE_ACCOUNTS), slot: (k % PAGE_ACCOUNTS) as usize }
    }
}

/// What neighbouring accounts of a partition hold now, in the order of their ids.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub(super) struct PageRecord {
    pub(super) partition: u16,
    pub(super) page: u32,
    pub(super) balances: Vec<i64>,
}

impl Record for PageRecord {
    const TYPE: MessageType = MessageType::new(0x0b03, 1, Limit::Record);
}

/// The last sequence number that a partition has given.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub(super) struct SeqRecord {
    pub(super) partition: u16,
    pub(super) last: u64,
}

impl Record for SeqRecord {
    const TYPE: MessageType = MessageType::new(0x0b04, 1, Limit::Record);
}

/// A transfer and its outcome in one row: both legs and the memory of the id cannot come apart.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub(super) struct TransferRecord {
    pub(super) id: TransferId,
    pub(super) from: AccountId,
    pub(super) to: AccountId,
    pub(super) cents: u64,
    pub(super) outcome: Outcome,
}

impl Record for TransferRecord {
    const TYPE: MessageType = MessageType::new(0x0b05, 1, Limit::Record);
}

/// A transfer as it is stored under its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its fields.
    pub transfer: Transfer,
    /// What was decided.
    pub outcome: Outcome,
}

/// The transfer in `bytes`, which stood under `id`.
pub(super) fn read_stored(id: TransferId, bytes: &[u8]) -> Result<Stored, StoreError> {
    let record: TransferRecord = decode(bytes, || format!("transfer {id}"))?;
    in_place(record.id == id, || format!("transfer {id}"))?;
    let TransferRecord { id, from, to, cents, outcome } = record;
    Ok(Stored { transfer: Transfer { id, from, to, cents }, outcome })
}

/// The envelope of a record, in a buffer that is used again and again.
pub(super) fn encode<'b, R: Record>(record: &R, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], StoreError> {
    buffer.clear();
    minder_codec::encode(R::TYPE, record, buffer)
        .map_err(|error| StoreError::Failed { doing: "encoding a record", why: error.to_string() })?;
    Ok(buffer)
}

/// The record in `bytes`; `name` says which one it is, should it be damaged.
pub(super) fn decode<R: Record>(bytes: &[u8], name: impl FnOnce() -> String) -> Result<R, StoreError> {
    minder_codec::decode(R::TYPE, bytes)
        .map_err(|error| StoreError::Damaged { record: name(), why: error.to_string() })
}

/// A record under the wrong key is as bad as one with the wrong bytes.
pub(super) fn in_place(fits: bool, name: impl FnOnce() -> String) -> Result<(), StoreError> {
    if fits {
        return Ok(());
    }
    Err(StoreError::Damaged { record: name(), why: "another record stands in its place".into() })
}

/// Puts the database's own error into ours; for `map_err`.
pub(super) fn failed<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> StoreError {
    move |error| StoreError::Failed { doing, why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcomes::Refusal;

    fn golden<R: Record + PartialEq + std::fmt::Debug>(name: &str, record: R, hex: &str) {
        let mut buffer = Vec::new();
        let bytes = encode(&record, &mut buffer).expect("records are small");
        let written: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(written, hex, "{name}: what is written has changed; that needs a new schema version");
        assert_eq!(decode::<R>(bytes, String::new).as_ref(), Ok(&record), "{name}");
    }

    #[test]
    fn records_are_written_as_ever() {
        let shape = BankConfig { accounts: 1000, partitions: 4, opening: 100_000, limit: 10_000 };
        golden("shape", ShapeRecord(shape), "6d6e64720101010b01000c0000006f62df3afbe80304fc400d0300fb1027");
        golden(
            "opening",
            OpeningRecord { id: AccountId(999), opening: -1, limit: u64::MAX },
            "6d6e64720101020b01000d000000b514776dfbe70301fdffffffffffffffff",
        );
        golden(
            "page",
            PageRecord { partition: 3, page: 15, balances: vec![0, i64::MIN, 100_000] },
            "6d6e64720101030b010012000000bcde1601030f0300fdfffffffffffffffffc400d0300",
        );
        golden(
            "seq",
            SeqRecord { partition: 3, last: 70_000 },
            "6d6e64720101040b010006000000f471472e03fc70110100",
        );
        let transfer = |outcome| TransferRecord {
            id: TransferId::new(1_764_000_000_000, 63, 9),
            from: AccountId(1),
            to: AccountId(501),
            cents: 12_345,
            outcome,
        };
        golden(
            "applied",
            transfer(Outcome::Applied { seq: 300 }),
            "6d6e64720101050b01001c00000092f18556fe0900000000003f00000000e897b69a0101fbf501fb393000fb2c01",
        );
        for (reason, hex) in Refusal::ALL.into_iter().zip([0, 1, 2, 3, 4, 5]) {
            let mut buffer = Vec::new();
            let record = transfer(Outcome::Refused { reason, seq: 1 });
            let bytes = encode(&record, &mut buffer).expect("records are small");
            assert!(bytes.ends_with(&[1, hex, 1]), "{reason}: refusals are stored by index; append only");
        }
    }
}
