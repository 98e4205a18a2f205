//! Values that the codec's tests share: one of every kind of data that serde knows.
//! Field order and types are what the golden files hold: change none of them without a new file.

use std::collections::BTreeMap;

use minder_codec::{Limit, MessageType};
use serde::{Deserialize, Serialize};

/// The type of [`Transfer`], small and without lengths.
pub(crate) const TRANSFER: MessageType = MessageType::new(1, 1, Limit::Record);
/// The type of [`Everything`].
pub(crate) const EVERYTHING: MessageType = MessageType::new(2, 3, Limit::Record);

/// A small record of integers.
#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
pub(crate) struct Transfer {
    pub(crate) id: u128,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) cents: u64,
    pub(crate) applied: Option<u64>,
}

/// One field of every kind.
#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
pub(crate) struct Everything {
    pub(crate) flag: bool,
    pub(crate) small: i8,
    pub(crate) balance: i64,
    pub(crate) big: i128,
    pub(crate) ratio: f64,
    pub(crate) letter: char,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) pair: (u16, i16),
    pub(crate) map: BTreeMap<String, u32>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) nothing: Option<()>,
}

/// Every shape of variant.
#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
pub(crate) enum Kind {
    Unit,
    Newtype(u64),
    Tuple(u8, String),
    Struct { a: u32, b: Option<i32> },
}

pub(crate) fn transfer() -> Transfer {
    Transfer {
        id: 0x0192_3456_789a_0001_0000_0000_0000_002a,
        from: 7,
        to: 300,
        cents: 70_000,
        applied: Some(9),
    }
}

pub(crate) fn everything() -> Everything {
    Everything {
        flag: true,
        small: -5,
        balance: i64::MIN,
        big: i128::MAX,
        ratio: 0.1,
        letter: 'ß',
        name: "Ada Lovelace".into(),
        bytes: vec![0, 127, 255],
        pair: (65_535, -1),
        map: BTreeMap::from([("one".into(), 1), ("many".into(), u32::MAX)]),
        kinds: vec![
            Kind::Unit,
            Kind::Newtype(250),
            Kind::Tuple(251, "x".into()),
            Kind::Struct { a: 65_536, b: None },
        ],
        nothing: Some(()),
    }
}
