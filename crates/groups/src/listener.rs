//! The listener's side of a bus: its line of events, and what it hears when it was too slow.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use minder_runtime::{Context, ExitReason};
use tokio::sync::Notify;

use crate::bus;
use crate::delivery::{Delivering, Delivery, Source, deliver};
use crate::receipt::Receipt;

/// What a listener hears.
#[derive(Debug, PartialEq)]
pub enum Heard<E> {
    /// An event. All listeners share the one value.
    Event(Arc<E>),
    /// So many events were missed here, between what was heard before and what comes next.
    Lagged(u64),
}

impl<E> Clone for Heard<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Event(event) => Self::Event(event.clone()),
            Self::Lagged(missed) => Self::Lagged(*missed),
        }
    }
}

/// Hears what is published on a bus. When the last clone is dropped, it listens no more.
///
/// Clones share one line of events, and each event goes to one of them. An actor that is to miss nothing while it is
/// restarted keeps one in its factory and has each life listen by [`Listener::deliver_to`]; one that listens anew in each
/// life ([`Bus::listen`](crate::Bus::listen)) hears nothing of what happened in between.
pub struct Listener<E> {
    place: Arc<Place<E>>,
    in_hand: InHand,
}

/// The receipt of the event that a listener has in hand, if its publisher waits for it. Whoever drops this is done with the event.
#[derive(Default)]
struct InHand(Mutex<Option<Receipt>>);

/// An event in a line.
pub(crate) struct Entry<E> {
    pub(crate) event: Arc<E>,
    pub(crate) receipt: Option<Receipt>,
}

struct Place<E> {
    line: Arc<Line<E>>,
    bus: Weak<bus::Shared<E>>,
}

/// See the file's head. Has a bound; beyond it, the oldest event is displaced and counted.
pub(crate) struct Line<E> {
    state: Mutex<State<E>>,
    news: Notify,
    bound: usize,
}

struct State<E> {
    events: VecDeque<Entry<E>>,
    missed: u64,
    closed: bool,
}

impl<E> Line<E> {
    pub(crate) fn new(bound: usize) -> Self {
        let state = State { events: VecDeque::new(), missed: 0, closed: false };
        Self { state: Mutex::new(state), news: Notify::new(), bound }
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in, without waking anybody; returns the one that it displaced.
    pub(crate) fn push(&self, entry: Entry<E>) -> Option<Entry<E>> {
        let mut state = self.lock();
        let displaced = if state.events.len() == self.bound { state.events.pop_front() } else { None };
        state.missed += u64::from(displaced.is_some());
        state.events.push_back(entry);
        displaced
    }

    pub(crate) fn wake_one(&self) {
        self.news.notify_one();
    }

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        // Those who wait, and whoever is about to.
        self.news.notify_waiters();
        self.news.notify_one();
    }

    /// What is missed was older than what is there, so it is told first.
    fn take(&self) -> Option<(Heard<E>, Option<Receipt>)> {
        let mut state = self.lock();
        match std::mem::take(&mut state.missed) {
            0 => state.events.pop_front().map(|entry| (Heard::Event(entry.event), entry.receipt)),
            missed => Some((Heard::Lagged(missed), None)),
        }
    }
}

impl InHand {
    fn lock(&self) -> MutexGuard<'_, Option<Receipt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, receipt: Option<Receipt>) {
        *self.lock() = receipt;
    }

    fn done(&self) {
        if let Some(receipt) = self.lock().take() {
            receipt.done();
        }
    }

    fn missed(&self) {
        drop(self.lock().take());
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.done();
    }
}

impl<E: Send + Sync + 'static> Listener<E> {
    pub(crate) fn new(line: Arc<Line<E>>, bus: Weak<bus::Shared<E>>) -> Self {
        Self { place: Arc::new(Place { line, bus }), in_hand: InHand::default() }
    }

    fn take(&self) -> Option<Heard<E>> {
        let (heard, receipt) = self.place.line.take()?;
        self.in_hand.put(receipt);
        Some(heard)
    }

    /// The next event, or how many were missed, if there is something to hear already.
    pub fn try_next(&self) -> Option<Heard<E>> {
        self.in_hand.done(); // it asks for the next
        self.take()
    }

    /// The next event, or how many were missed. Nothing once the bus is gone and everything before has been heard.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&self) -> Option<Heard<E>> {
        self.in_hand.done(); // it asks for the next
        let line = &*self.place.line;
        loop {
            // Made before the look, so that what happens in between wakes it.
            let news = pin!(line.news.notified());
            // Asked first: what was published before the end is there when the end is seen.
            let closed = line.lock().closed;
            if let Some(heard) = self.take() {
                return Some(heard);
            }
            if closed {
                return None;
            }
            news.await;
        }
    }

    /// Events that wait to be heard.
    pub fn queued(&self) -> usize {
        self.place.line.lock().events.len()
    }

    /// Sends everything to this actor, one at a time: the next when the last has been dropped, so that a flood of
    /// events stays in its line and leaves the actor's mailbox to others. For as long as this life lasts.
    ///
    /// What was in hand when a life ended in a crash is not heard again; what was on its way counts as missed.
    ///
    /// Done by a child actor that this one is linked to: should it fail, this one does not go on without it
    /// (or is told, if it traps exits).
    ///
    /// # Errors
    /// If the child cannot be started, or ended at once.
    pub fn deliver_to<M>(self, context: &mut Context<M>) -> Result<Delivering, ExitReason>
    where
        M: From<Delivery<Heard<E>>> + Send + 'static,
    {
        deliver(context, "listener", self)
    }
}

impl<E: Send + Sync + 'static> Source for Listener<E> {
    type Item = Heard<E>;

    fn next(&self) -> impl Future<Output = Option<Heard<E>>> + Send {
        Self::next(self)
    }

    fn weight(heard: &Heard<E>) -> u64 {
        match heard {
            Heard::Event(_) => 1,
            Heard::Lagged(missed) => *missed,
        }
    }

    fn undelivered(&self, weight: u64) {
        self.in_hand.missed();
        self.place.line.lock().missed += weight;
        self.place.line.wake_one();
    }

    fn leave(self) -> impl Send {
        self.in_hand
    }
}

impl<E> Drop for Place<E> {
    fn drop(&mut self) {
        if let Some(bus) = self.bus.upgrade() {
            bus.remove(&self.line);
        }
    }
}

impl<E> Clone for Listener<E> {
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), in_hand: InHand::default() }
    }
}

impl<E> fmt::Debug for Listener<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.place.line.lock();
        f.debug_struct("Listener")
            .field("queued", &state.events.len())
            .field("missed", &state.missed)
            .finish()
    }
}
