//! Checkpoints in the memory of their keeper: they outlive the actors that wrote them for as long as the keeper lives.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::packing::{Packs, Place, Unusable};
use crate::store::{Entry, Shelf, Store, StoreError};

/// A store in memory, for snapshots that are `Clone`. Nothing is encoded.
///
/// It is gone with the life of its keeper, so place that where it is sturdier than those it serves: it does nothing but
/// keep, and does not crash by what they are sent.
///
/// When not to use this: for what must outlive the keeper or the process.
#[derive(Default)]
pub struct Memory {
    shelves: BTreeMap<Arc<str>, Shelf<Arc<dyn Any + Send + Sync>>>,
}

impl Memory {
    /// An empty one.
    ///
    /// # Errors
    /// None: returns a `Result` to fit [`Vault::keeper`](crate::Vault::keeper).
    pub fn open() -> Result<Self, StoreError> {
        Ok(Self::default())
    }
}

impl Store for Memory {
    type Packed = Arc<dyn Any + Send + Sync>;
    const BLOCKS: bool = false;

    fn load(&mut self, name: &str) -> Result<Shelf<Self::Packed>, StoreError> {
        Ok(self.shelves.get(name).cloned().unwrap_or_default())
    }

    fn commit(&mut self, entries: &[Entry<Self::Packed>]) -> Result<(), StoreError> {
        for Entry { name, ladder, snapshot } in entries {
            let shelf = self.shelves.entry(name.clone()).or_default();
            shelf.snapshots.extend(snapshot.clone());
            shelf.snapshots.retain(|(number, _)| ladder.rungs().any(|rung| rung.number == *number));
            // What an earlier life of the keeper has forgotten is on the ladder of an actor that lived on.
            shelf.ladder = ladder.keeping(|number| shelf.snapshots.iter().any(|(its, _)| *its == number));
        }
        Ok(())
    }
}

impl<S: Clone + Send + Sync + 'static> Packs<S> for Memory {
    fn pack(_: &Place, snapshot: S) -> Result<Self::Packed, String> {
        Ok(Arc::new(snapshot))
    }

    fn unpack(place: &Place, packed: &Self::Packed) -> Result<S, Unusable> {
        let snapshot = packed.downcast_ref::<S>().cloned();
        snapshot.ok_or_else(|| {
            Unusable::Damaged(format!("another actor keeps its checkpoints as `{}`, too", place.name))
        })
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("names", &self.shelves.len()).finish_non_exhaustive()
    }
}
