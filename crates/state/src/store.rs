//! Where checkpoints are kept: what a store does, which is little. It decides nothing: which checkpoints there are, and how
//! they stand, is said by the ladder that it is handed with each write.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::ladder::Ladder;

/// A place for checkpoints. Owned by a [`Keeper`](crate::Keeper), which calls it where it may block.
///
/// A store of one's own implements this, and [`Packs`](crate::Packs) for the snapshots that it can hold.
pub trait Store: Send + Sized + 'static {
    /// A snapshot as it is kept. Cheap to clone.
    type Packed: Clone + Send + 'static;

    /// Whether its calls block their thread; if so they run away from the actors.
    const BLOCKS: bool = true;

    /// What is kept under this name; an empty shelf if there is nothing.
    ///
    /// # Errors
    /// If that cannot be said. Snapshots that are damaged are no error: they are handed over, and found out when they are
    /// unpacked.
    fn load(&mut self, name: &str) -> Result<Shelf<Self::Packed>, StoreError>;

    /// Writes all of this, or nothing; returns when it is as safe as this store makes it.
    ///
    /// Of each entry the ladder replaces the one before it, its snapshot is added, and snapshots that are not on the
    /// ladder leave.
    ///
    /// # Errors
    /// If that failed. The store is then dropped, and opened anew before the next call.
    fn commit(&mut self, entries: &[Entry<Self::Packed>]) -> Result<(), StoreError>;
}

/// What is kept under one name.
#[derive(Clone, Debug)]
pub struct Shelf<P> {
    /// Which checkpoints there are.
    pub ladder: Ladder,
    /// Their snapshots, by number. One that is missing is as good as damaged.
    pub snapshots: Vec<(u64, P)>,
    /// What was wrong with the ladder, if it had to be put together from the snapshots.
    pub damage: Option<String>,
}

impl<P> Default for Shelf<P> {
    fn default() -> Self {
        Self { ladder: Ladder::default(), snapshots: Vec::new(), damage: None }
    }
}

impl<P> Shelf<P> {
    /// The snapshot of this number.
    pub fn snapshot(&self, number: u64) -> Option<&P> {
        self.snapshots.iter().find(|(its, _)| *its == number).map(|(_, snapshot)| snapshot)
    }
}

/// What is written under one name at once.
#[derive(Clone, Debug)]
pub struct Entry<P> {
    /// The name.
    pub name: Arc<str>,
    /// Which checkpoints there are from now on.
    pub ladder: Ladder,
    /// The new one's number and snapshot. Nothing if only the standing of the others has changed.
    pub snapshot: Option<(u64, P)>,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// It failed; opened anew, it may not.
    Failed {
        /// At what.
        doing: &'static str,
        /// What it said.
        why: String,
    },
    /// It is not, or not any more, what it should be. Restore it from a copy, or move it out of the way.
    Damaged {
        /// The store, or the part of it.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { doing, why } => write!(f, "the store of checkpoints failed at {doing}: {why}"),
            Self::Damaged { what, why } => {
                write!(f, "{what}: {why}; restore it from a copy, or move it out of the way")
            }
        }
    }
}

impl Error for StoreError {}
