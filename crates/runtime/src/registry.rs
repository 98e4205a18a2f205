//! Which name points at which cell. Names belong to cells: a name outlives the actor that bears it, and is free again
//! when the seat is given up, before anybody hears of that.
//!
//! A cell knows its name, under the lock of its life; the table is changed with that lock held. So a name is claimed
//! either before its cell is closed, and `Cell::close` frees it, or is refused. Locks are taken in the order life, table,
//! mailbox; whoever holds the table waits for nobody.
//! Decides who gets a name and nothing else: the public side is `names.rs`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::life::{AnyCell, Life};

/// So many locks: names are looked up by all threads and change rarely, but the actors of a large dynamic tree may each
/// bear one.
const SHARDS: usize = 16;

type Table = HashMap<Arc<str>, Arc<dyn AnyCell>>;

/// The names of one system.
#[derive(Default)]
pub(crate) struct Registry {
    shards: [RwLock<Table>; SHARDS],
}

/// Why a cell does not get a name. Without words: they are made when no lock is held any more.
pub(crate) enum Refused {
    /// This cell has it.
    Taken(Arc<dyn AnyCell>),
    /// The cell has another name already, or this very one.
    Named(Arc<str>),
    /// The cell's seat is given up.
    GivenUp,
}

impl Registry {
    /// The cell of that name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<dyn AnyCell>> {
        read(self.shard(name)).get(name).cloned()
    }

    /// All names, in order.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> =
            self.shards.iter().flat_map(|shard| read(shard).keys().cloned().collect::<Vec<_>>()).collect();
        names.sort_unstable();
        names
    }

    /// Gives the cell, whose life is held, a name.
    pub(crate) fn claim(
        &self,
        name: &Arc<str>,
        cell: &Arc<dyn AnyCell>,
        life: &mut Life,
    ) -> Result<(), Refused> {
        if cell.is_given_up() {
            return Err(Refused::GivenUp);
        }
        if let Some(other) = life.name() {
            return Err(Refused::Named(other.clone()));
        }
        let mut table = write(self.shard(name));
        if let Some(holder) = table.get(name) {
            return Err(Refused::Taken(holder.clone()));
        }
        table.insert(name.clone(), cell.clone());
        life.ties().name = Some(name.clone());
        Ok(())
    }

    /// Frees the name of the cell whose life is held, if it has one. What comes back must not be dropped under a lock.
    #[must_use]
    pub(crate) fn free(&self, life: &mut Life) -> Option<Arc<dyn AnyCell>> {
        let name = life.ties_if_any()?.name.take()?;
        let freed = write(self.shard(&name)).remove(&name);
        debug_assert!(freed.is_some(), "a name that its cell knows is in the table");
        freed
    }

    /// Frees a name, whosever it is; false if it is nobody's.
    pub(crate) fn free_name(&self, name: &str) -> bool {
        let Some(cell) = self.find(name) else { return false };
        let mut life = cell.core().life();
        // It may have been given to another since; that happened after the call, so it is left alone.
        if life.name().is_none_or(|its| **its != *name) {
            return false;
        }
        let freed = self.free(&mut life);
        drop(life);
        freed.is_some()
    }

    fn shard(&self, name: &str) -> &RwLock<Table> {
        // Names that differ mostly do at their ends. The tables hash properly; this only spreads the waiting.
        let end = name.bytes().rev().take(8);
        let mixed =
            end.fold(0x811C_9DC5_u32, |mixed, byte| (mixed ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        &self.shards[mixed as usize % SHARDS]
    }
}

fn read(shard: &RwLock<Table>) -> RwLockReadGuard<'_, Table> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Table>) -> RwLockWriteGuard<'_, Table> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}
