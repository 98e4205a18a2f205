//! What a watch is told: a bounded line of changes which, when it overflows, falls back to the whole.
//!
//! A feed that is `behind` holds nothing; whoever reads it next gets everybody who is there then, and from there on the
//! changes. So there is no gap and no duplicate, however slow the reader is. Changes are put in with the table's lock
//! held; whoever waits is woken by [`Wakes::wake`] after it is released.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minder_runtime::Why;
use tokio::sync::Notify;

/// How many changes wait for a watcher before it is told the whole again.
pub(crate) const BOUND: usize = 1024;

/// What a watch tells. `T` is what it tells of each membership.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GroupEvent<T> {
    /// These are the members now, once for each membership. The first event, and again whenever more than 1,024 changes
    /// were waiting or one of them did not reach its receiver: forget what was told before.
    Members(Vec<T>),
    /// A membership began.
    Joined(T),
    /// A membership ended. [`Why::Ended`] is with [`ExitReason::NoActor`](minder_runtime::ExitReason::NoActor) if nobody
    /// watched then.
    Left(T, Why),
}

/// See the file's head.
pub(crate) struct Feed<T> {
    state: Mutex<State<T>>,
    pub(crate) news: Arc<Notify>,
}

struct State<T> {
    changes: VecDeque<GroupEvent<T>>,
    behind: bool,
}

impl<T> Feed<T> {
    /// A feed that begins with these members.
    pub(crate) fn new(members: Vec<T>) -> Self {
        let changes = VecDeque::from([GroupEvent::Members(members)]);
        Self { state: Mutex::new(State { changes, behind: false }), news: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, event: GroupEvent<T>) {
        let mut state = self.lock();
        if state.behind {
            return;
        }
        if state.changes.len() == BOUND {
            state.changes = VecDeque::new();
            state.behind = true;
            return;
        }
        state.changes.push_back(event);
    }

    /// The next event; `now` is asked for everybody if the feed is behind. Call with the table's lock held.
    pub(crate) fn take(&self, now: impl FnOnce() -> Vec<T>) -> Option<GroupEvent<T>> {
        let mut state = self.lock();
        if std::mem::take(&mut state.behind) {
            return Some(GroupEvent::Members(now()));
        }
        state.changes.pop_front()
    }

    /// Something that was taken did not arrive: the whole will be told instead.
    pub(crate) fn fall_behind(&self) {
        let mut state = self.lock();
        state.changes = VecDeque::new();
        state.behind = true;
        drop(state);
        self.news.notify_one();
    }
}

/// Those who watch the same thing.
pub(crate) struct Feeds<T>(Vec<Arc<Feed<T>>>);

impl<T> Default for Feeds<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Feeds<T> {
    pub(crate) fn add(&mut self, members: Vec<T>) -> Arc<Feed<T>> {
        let feed = Arc::new(Feed::new(members));
        self.0.push(feed.clone());
        feed
    }

    pub(crate) fn remove(&mut self, feed: &Arc<Feed<T>>) {
        self.0.retain(|known| !Arc::ptr_eq(known, feed));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&self, event: impl Fn() -> GroupEvent<T>, wakes: &mut Wakes) {
        for feed in &self.0 {
            feed.push(event());
            wakes.0.push(feed.news.clone());
        }
    }
}

/// Whom to wake once the lock is released: wakers are foreign code.
#[derive(Default)]
#[must_use]
pub(crate) struct Wakes(Vec<Arc<Notify>>);

impl Wakes {
    pub(crate) fn wake(self) {
        self.0.iter().for_each(|news| news.notify_one());
    }
}
