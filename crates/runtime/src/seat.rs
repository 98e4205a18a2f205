//! The right to let an actor live in a cell. Addresses reach a cell; only whoever holds its seat can fill it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use minder_signals::ActorId;

use crate::cell::Cell;
use crate::life::AnyCell;

/// The right to start actors behind an address, made together with it by `System::address`.
///
/// Clones are the same seat: a supervisor's spec holds one over all the lives of its child. When the last clone is
/// dropped the seat is given up for good: whoever still waits is told, and messages are refused from then on.
/// At most one actor at a time lives in a seat.
pub struct Seat<M: Send + 'static> {
    /// Empty only while the seat is being let go.
    cell: Option<Arc<Cell<M>>>,
}

/// Which seat, for comparing seats of different message types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(usize);

impl<M: Send + 'static> Seat<M> {
    /// Takes up a seat in a cell that nobody has a seat in yet.
    pub(crate) fn first(cell: Arc<Cell<M>>) -> Self {
        cell.seats.store(1, Ordering::Relaxed);
        Self { cell: Some(cell) }
    }

    /// Which seat this is.
    pub fn id(&self) -> SeatId {
        SeatId(self.cell().core.address())
    }

    /// The last actor to have lived here.
    pub fn last_actor(&self) -> ActorId {
        self.cell().core.life().id(self.cell().core.number)
    }

    /// Whether others hold this seat too.
    pub(crate) fn is_shared(&self) -> bool {
        self.cell().seats.load(Ordering::Acquire) > 1
    }

    /// Lets go without giving the seat up; true if it was the last one, so that the caller must.
    pub(crate) fn let_go(mut self) -> bool {
        self.cell.take().is_some_and(|cell| cell.seats.fetch_sub(1, Ordering::AcqRel) == 1)
    }

    pub(crate) fn cell(&self) -> &Arc<Cell<M>> {
        self.cell.as_ref().expect("a seat that was not let go has its cell")
    }
}

impl<M: Send + 'static> Clone for Seat<M> {
    fn clone(&self) -> Self {
        let cell = self.cell().clone();
        cell.seats.fetch_add(1, Ordering::Relaxed);
        Self { cell: Some(cell) }
    }
}

impl<M: Send + 'static> Drop for Seat<M> {
    fn drop(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        if cell.seats.fetch_sub(1, Ordering::AcqRel) == 1 {
            cell.give_up();
        }
    }
}

impl<M: Send + 'static> fmt::Debug for Seat<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat({})", self.cell().core.path())
    }
}
