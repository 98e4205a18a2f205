//! What a machine shows of itself to whoever looks: its state, what it has postponed, which time-outs run. Brought up to
//! date after each event, and only for machines that somebody wants to look at.

use std::fmt;
use std::sync::Arc;

use minder_runtime::Postponed;
use tokio::sync::watch;

use crate::discipline::Discipline;
use crate::machine::StateMachine;
use crate::timeout::Timeout;

/// What a machine is about, after the last event that it has handled.
///
/// # OTP
/// `sys:get_status/1`, without what concerns every actor: for its data, what waits in its mailbox, and what became of the
/// rest, see [`Addr::sys`](minder_runtime::Addr::sys).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Status<S, N> {
    /// Its state.
    pub state: S,
    /// How many events are postponed until the state changes.
    pub postponed: usize,
    /// How many events come before anything else from the mailbox: those that were inserted, and those that are retried
    /// because the state has changed.
    pub queued: usize,
    /// Which time-outs run, in the order in which they were set.
    pub timeouts: Vec<Timeout<N>>,
}

/// A window through which a machine is seen, over all its lives: see [`Machine::seen_through`](crate::Machine::seen_through).
pub struct Window<S, N> {
    status: Arc<watch::Sender<Option<Status<S, N>>>>,
}

impl<S: Clone, N: Clone> Window<S, N> {
    /// A window with nobody behind it yet.
    pub fn new() -> Self {
        Self { status: Arc::new(watch::Sender::new(None)) }
    }

    /// What is seen now; nothing between two lives.
    pub fn status(&self) -> Option<Status<S, N>> {
        self.status.borrow().clone()
    }

    /// What is seen, once it is as wanted. A status that is gone before this gets to look is missed.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait.
    pub async fn until(&self, mut wanted: impl FnMut(&Status<S, N>) -> bool) -> Status<S, N> {
        let mut looking = self.status.subscribe();
        let seen = looking.wait_for(|status| status.as_ref().is_some_and(&mut wanted)).await;
        let seen = seen.expect("the window is held open by whoever looks through it");
        seen.clone().expect("what is wanted is there")
    }
}

impl<S: Clone, N: Clone> Default for Window<S, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, N> Clone for Window<S, N> {
    fn clone(&self) -> Self {
        Self { status: self.status.clone() }
    }
}

impl<S, N> fmt::Debug for Window<S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Window")
    }
}

/// The machine's side of a window, for one life.
pub(crate) trait Show<M: StateMachine>: Send {
    fn show(&self, state: &M::State, discipline: &Discipline<Postponed, M::Event, M::Name>);
}

/// See [`Show`]. When it is dropped there is nobody behind the window.
pub(crate) struct Pane<S, N>(Window<S, N>);

impl<S, N> Pane<S, N> {
    pub(crate) fn new(window: &Window<S, N>) -> Self {
        Self(window.clone())
    }
}

impl<M: StateMachine<State: Clone>> Show<M> for Pane<M::State, M::Name> {
    fn show(&self, state: &M::State, discipline: &Discipline<Postponed, M::Event, M::Name>) {
        let status = Status {
            state: state.clone(),
            postponed: discipline.postponed(),
            queued: discipline.queued(),
            timeouts: discipline.running().into_iter().cloned().collect(),
        };
        self.0.status.send_replace(Some(status));
    }
}

impl<S, N> Drop for Pane<S, N> {
    fn drop(&mut self) {
        self.0.status.send_replace(None);
    }
}
