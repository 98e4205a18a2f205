//! Transfers and their ids. A transfer never changes; its id is the client's promise that it means one thing.
//! Whether it may happen is decided in `decide.rs`; what became of it is in `outcomes.rs`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;

/// The id of a transfer: made by the client, once, and sent again unchanged with every retry.
///
/// Time-ordered, so that new transfers stand together at the end of the table: the store is several times faster
/// with ids in order than with random ones. From the top: 48 bits of milliseconds, 32 bits of client, 48 bits of
/// a counter that the client never resets. Two clients never make the same id; one client only if it forgets its
/// counter within a millisecond.
///
/// ```
/// use bank::transfers::TransferId;
///
/// let (client, mut counter) = (7, 0);
/// let mut next = |now_ms: u64| {
///     counter += 1;
///     TransferId::new(now_ms, client, counter)
/// };
/// let (first, second) = (next(1_764_000_000_000), next(1_764_000_000_000));
/// assert!(first < second);
/// assert_eq!((first.ms(), first.client(), first.counter()), (1_764_000_000_000, 7, 1));
/// assert_eq!(first.to_string().parse(), Ok(first));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransferId(pub u128);

const BITS_48: u64 = (1 << 48) - 1;

impl TransferId {
    /// The id of a client's `counter`-th transfer at this millisecond. Of `ms` and `counter`, the low 48 bits count.
    pub const fn new(ms: u64, client: u32, counter: u64) -> Self {
        Self(((ms & BITS_48) as u128) << 80 | (client as u128) << 48 | (counter & BITS_48) as u128)
    }

    /// The millisecond in it.
    pub const fn ms(self) -> u64 {
        (self.0 >> 80) as u64
    }

    /// The client in it.
    pub const fn client(self) -> u32 {
        (self.0 >> 48) as u32
    }

    /// The client's counter in it.
    pub const fn counter(self) -> u64 {
        self.0 as u64 & BITS_48
    }
}

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A text that is not an id: not exactly 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a transfer id has exactly 32 hexadecimal digits")
    }
}

impl std::error::Error for NotAnId {}

impl FromStr for TransferId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotAnId);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| NotAnId)
    }
}

/// Cents from one account to another: both sides in one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transfer {
    /// The client's id of it.
    pub id: TransferId,
    /// The account that pays.
    pub from: AccountId,
    /// The account that is paid.
    pub to: AccountId,
    /// How much.
    pub cents: u64,
}
