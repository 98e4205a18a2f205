//! What the handles of one scope share: the table behind its lock, and the way to the keeper.
//!
//! One lock for all groups of a scope, also for reading: what is done under it is a lookup by name and a few steps in a
//! map, and a member that ends must leave all its groups in one step. Programs that feel it make several scopes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use minder_runtime::{Addr, ExitReason, TellError};

use crate::keeper::KeeperMsg;
use crate::table::Table;

pub(crate) struct Scope {
    pub(crate) keeper: Addr<KeeperMsg>,
    table: Mutex<Table>,
}

impl Scope {
    pub(crate) fn new(keeper: Addr<KeeperMsg>) -> Self {
        Self { keeper, table: Mutex::default() }
    }

    /// Every change of the table is complete before anything in it could panic, so a poisoned lock is entered.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the keeper look at the table. Called with the lock held, before the table is changed: the keeper cannot
    /// look before the lock is released, and should an injected fault strike here, nothing is half done.
    ///
    /// # Errors
    /// Why the keeper's seat was given up.
    pub(crate) fn poke(&self) -> Result<(), ExitReason> {
        match self.keeper.tell(KeeperMsg(())) {
            Err(TellError::Stopped(reason, _)) => Err(reason),
            // There is room for one: the message that stands there has not been looked at.
            _ => Ok(()),
        }
    }
}
