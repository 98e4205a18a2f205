//! What a seat keeps from one life to the next, beside its messages: one value of user code, shared by the lives that one
//! incarnation of a minder starts there. Kept in the cell, so that it ends with the seat and nobody has to clear it away.
//! Says nothing about what is in it; `minder-state` puts the last good state there.

use std::any::Any;
use std::sync::Arc;

use minder_signals::{ActorId, ExitReason};

use crate::context::Context;
use crate::frame;
use crate::life::{Life, Minder};

/// What is called at the end of an incarnation.
pub(crate) type AtEnd = Box<dyn FnOnce(&ExitReason) + Send>;

/// The value, and under which minder it was put there.
pub(crate) struct Keepsake {
    minder: Option<ActorId>,
    value: Arc<dyn Any + Send + Sync>,
}

impl Life {
    fn minded_by(&self) -> Option<ActorId> {
        match &self.minder {
            Minder::Actor(minder) => Some(minder.id()),
            Minder::System(_) => None,
        }
    }

    /// Takes the keepsake out, to be dropped without the lock: it is user code.
    pub(crate) fn take_keepsake(&mut self) -> Option<Keepsake> {
        self.ties_if_any()?.keepsake.take()
    }
}

/// Drops a keepsake whose seat has no use for it any more. Its panic has no actor to be added to.
pub(crate) fn let_go(cell: usize, keepsake: Option<Keepsake>) {
    if keepsake.is_some() {
        let _ = frame::drop_caught(cell, keepsake);
    }
}

impl<M: Send + 'static> Context<M> {
    /// What this seat keeps from one life to the next: made by `T::default()` for the first of them, and the same value
    /// for each life that the same incarnation of its minder starts here. One per seat: a value of another type replaces
    /// it.
    ///
    /// It is gone when the seat is given up, when a new incarnation of its minder starts the actor, and when the seat
    /// begins a new epoch ([`Context::begin_epoch`]), which is what the restart of a whole group does.
    ///
    /// When not to use this: for what must outlive the minder or the process. That belongs into a store.
    pub fn keepsake<T: Any + Default + Send + Sync>(&mut self) -> Arc<T> {
        let fresh: Arc<T> = Arc::default(); // user code: not under the lock
        let (kept, replaced) = {
            let mut life = self.cell.core.life();
            let minder = life.minded_by();
            let place = &mut life.ties().keepsake;
            let known = place.as_ref().filter(|kept| kept.minder == minder);
            match known.and_then(|kept| kept.value.clone().downcast().ok()) {
                Some(kept) => (kept, None),
                None => {
                    let value: Arc<dyn Any + Send + Sync> = fresh.clone();
                    (fresh, place.replace(Keepsake { minder, value }))
                }
            }
        };
        drop(replaced);
        kept
    }

    /// Calls `told` with the reason once this incarnation has ended: after its value is dropped, and before another can
    /// take its seat. However it ends, by a kill or a panic too. For whoever keeps a record beside the actor; several
    /// are called in the order in which they were given.
    ///
    /// Must be quick and wait for nobody. A panic in it is added to the reason.
    pub fn at_end(&mut self, told: impl FnOnce(&ExitReason) + Send + 'static) {
        self.extra().at_end.push(Box::new(told));
    }
}

/// Tells those who wanted to know; what their panics said.
pub(crate) fn tell_end(cell: usize, told: Vec<AtEnd>, reason: &ExitReason) -> Option<String> {
    frame::run_each_caught(cell, told.into_iter().map(|told| || told(reason)))
}
