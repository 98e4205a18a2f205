//! A snapshot into the form in which a store keeps it, and back: done by the actor whose snapshot it is, so that one keeper
//! serves actors of all types.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::store::Store;

/// A store that can hold snapshots of type `S`.
pub trait Packs<S>: Store {
    /// Packs a snapshot.
    ///
    /// # Errors
    /// If it does not fit, such as for its size; the text says why.
    fn pack(place: &Place, snapshot: S) -> Result<Self::Packed, String>;

    /// The snapshot again.
    ///
    /// # Errors
    /// If it is damaged, not the one that belongs to this place, or of another version.
    fn unpack(place: &Place, packed: &Self::Packed) -> Result<S, Unusable>;
}

/// Whose snapshot, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name under which the actor keeps its checkpoints.
    pub name: Arc<str>,
    /// The number of the checkpoint.
    pub number: u64,
    /// The version of the snapshot: [`Checkpoint::VERSION`](crate::Checkpoint::VERSION).
    pub version: u16,
}

/// Why a snapshot is not to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unusable {
    /// Its bytes are damaged, or it is something else; says what is wrong.
    Damaged(String),
    /// It is undamaged, and of another version.
    OtherVersion {
        /// Which.
        version: u16,
        /// The whole of it.
        bytes: Arc<[u8]>,
    },
}

/// A snapshot of another version, for [`Checkpoint::migrate`](crate::Checkpoint::migrate).
#[derive(Clone, Debug)]
pub struct Old {
    pub(crate) place: Place,
    pub(crate) bytes: Arc<[u8]>,
}

impl Old {
    /// Its version.
    pub fn version(&self) -> u16 {
        self.place.version
    }

    /// Its bytes as its store keeps them. A store that comes with this crate puts them into an envelope: use
    /// `Old::read` instead.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why an actor does not take a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(String);

impl Refusal {
    /// For this reason.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Refusal {}
