//! Waiting for room in a mailbox, as an actor's wait for another: whoever waits for room waits for the receiver to
//! handle something.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use minder_mailbox::{Refused, Sending};

use crate::cell::Cell;
use crate::cycle::Cycle;
use crate::frame;
use crate::notice::Item;
use crate::waits::{Awaited, Awaits};

/// Why an item did not get in.
pub(crate) enum Outside<M> {
    Refused(Refused<Item<M>>),
    WouldDeadlock(Cycle, Item<M>),
}

/// Resolves once the item is in the mailbox. Dropped before, it takes the item along.
pub(crate) struct Entry<'a, M: Send + 'static> {
    cell: &'a Arc<Cell<M>>,
    sending: Sending<'a, Item<M>>,
    /// Where an actor's wait is noted. Only for one that really waits, hence the allocation.
    place: Option<Arc<Place<M>>>,
}

struct Place<M> {
    cell: Weak<Cell<M>>,
    ticket: u64,
    state: Mutex<PlaceState>,
}

enum PlaceState {
    Waiting(Waker),
    /// It will never be let in.
    Stuck(Cycle),
    /// It was let in, or has turned away.
    Over,
}

impl<'a, M: Send + 'static> Entry<'a, M> {
    pub(crate) fn new(cell: &'a Arc<Cell<M>>, item: Item<M>) -> Self {
        Self { cell, sending: cell.mailbox.send(item), place: None }
    }

    /// Takes the item back, unless it is in the mailbox already.
    fn withdraw(&mut self) -> Option<Item<M>> {
        self.sending.withdraw()
    }

    fn note(&mut self, waker: &Waker) {
        if frame::current_cell() == 0 {
            return;
        }
        let Some(ticket) = self.sending.ticket() else { return };
        let place = self.place.get_or_insert_with(|| {
            let state = Mutex::new(PlaceState::Over);
            Arc::new(Place { cell: Arc::downgrade(self.cell), ticket, state })
        });
        *place.lock() = PlaceState::Waiting(waker.clone());
        frame::awaits(place.clone());
    }
}

impl<M: Send + 'static> Future for Entry<'_, M> {
    type Output = Result<(), Outside<M>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(cycle) = self.place.as_ref().and_then(|place| place.stuck()) {
            // Nothing to take back: the receiver was killed meanwhile, say, and the next life let it in.
            let stuck = self.withdraw().map(|item| Outside::WouldDeadlock(cycle, item));
            return Poll::Ready(stuck.map_or(Ok(()), Err));
        }
        match Pin::new(&mut self.sending).poll(cx) {
            Poll::Ready(sent) => Poll::Ready(sent.map_err(Outside::Refused)),
            Poll::Pending => {
                self.note(cx.waker());
                Poll::Pending
            }
        }
    }
}

impl<M: Send + 'static> Drop for Entry<'_, M> {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            *place.lock() = PlaceState::Over;
        }
    }
}

impl<M> Place<M> {
    fn lock(&self) -> MutexGuard<'_, PlaceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stuck(&self) -> Option<Cycle> {
        match &*self.lock() {
            PlaceState::Stuck(cycle) => Some(cycle.clone()),
            PlaceState::Waiting(_) | PlaceState::Over => None,
        }
    }
}

impl<M: Send + 'static> Awaited for Place<M> {
    fn awaits(&self) -> Awaits {
        match &*self.lock() {
            PlaceState::Waiting(_) => {}
            PlaceState::Stuck(_) => return Awaits::Free,
            PlaceState::Over => return Awaits::Over,
        }
        match self.cell.upgrade() {
            // Asked of the mailbox: whoever lets it in does so there, and before its sender knows.
            Some(cell) if cell.mailbox.is_waiting(self.ticket) => Awaits::On(cell),
            _ => Awaits::Free,
        }
    }

    fn fail(&self, cycle: &Cycle) {
        let before = std::mem::replace(&mut *self.lock(), PlaceState::Stuck(cycle.clone()));
        if let PlaceState::Waiting(waker) = before {
            waker.wake();
        }
    }
}
