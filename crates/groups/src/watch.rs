//! Watching a group, or all groups of a scope: who is there, and then who comes and goes.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use minder_runtime::{Context, ExitReason};

use crate::delivery::{Delivering, Delivery, Source, deliver};
use crate::feed::{Feed, GroupEvent};
use crate::scope::Scope;
use crate::table::Table;

/// Who is there, once, and then every change: without gap or duplicate, in the order in which they happened.
///
/// Clones share one line of events, and each event goes to one of them. When the last is dropped the watch ends.
///
/// # OTP
/// `pg:monitor/2`, and `pg:monitor_scope/1` for [`Groups::watch`](crate::Groups::watch).
pub struct Watch<T: Clone + Send + 'static> {
    shared: Arc<Shared<T>>,
}

struct Shared<T: Clone + Send + 'static> {
    scope: Arc<Scope>,
    feed: Arc<Feed<T>>,
    view: Box<dyn View<T>>,
}

/// What is watched. Called with the table's lock held.
pub(crate) trait View<T>: Send + Sync {
    /// Everybody who is there now.
    fn now(&self, table: &mut Table) -> Vec<T>;
    /// Nobody reads this feed any more.
    fn forget(&self, table: &mut Table, feed: &Arc<Feed<T>>);
}

impl<T: Clone + Send + 'static> Watch<T> {
    pub(crate) fn new(scope: Arc<Scope>, feed: Arc<Feed<T>>, view: impl View<T> + 'static) -> Self {
        Self { shared: Arc::new(Shared { scope, feed, view: Box::new(view) }) }
    }

    /// The next event, if there is one already.
    pub fn try_next(&self) -> Option<GroupEvent<T>> {
        let Shared { scope, feed, view } = &*self.shared;
        let mut table = scope.lock();
        feed.take(|| view.now(&mut table))
    }

    /// The next event. Nothing once the keeper's seat is given up, so that the end of members is not seen any more,
    /// and everything that happened before has been told.
    ///
    /// # Cancel safety
    /// No event is lost when the future is dropped.
    pub async fn next(&self) -> Option<GroupEvent<T>> {
        let mut ended = pin!(self.shared.scope.keeper.ended());
        let mut is_over = false;
        loop {
            let mut news = pin!(self.shared.feed.news.notified());
            if let Some(event) = self.try_next() {
                return Some(event);
            }
            if is_over {
                return None;
            }
            is_over = poll_fn(|cx| match ended.as_mut().poll(cx) {
                Poll::Ready(_) => Poll::Ready(true),
                Poll::Pending => news.as_mut().poll(cx).map(|()| false),
            })
            .await;
        }
    }

    /// Sends every event to this actor, one at a time: the next when the last has been dropped. For as long as this
    /// life lasts; to have a watch over its restarts, keep a clone in its factory and call this in each `started`.
    ///
    /// Done by a child actor that this one is linked to: should it fail, this one does not go on without it
    /// (or is told, if it traps exits).
    ///
    /// # Errors
    /// If the child cannot be started, or ended at once.
    pub fn deliver_to<M>(self, context: &mut Context<M>) -> Result<Delivering, ExitReason>
    where
        M: From<Delivery<GroupEvent<T>>> + Send + 'static,
    {
        deliver(context, "watch", self)
    }
}

impl<T: Clone + Send + 'static> Source for Watch<T> {
    type Item = GroupEvent<T>;

    fn next(&self) -> impl Future<Output = Option<GroupEvent<T>>> + Send {
        Self::next(self)
    }

    fn weight(_: &GroupEvent<T>) -> u64 {
        1
    }

    fn undelivered(&self, _: u64) {
        self.shared.feed.fall_behind();
    }

    fn leave(self) -> impl Send {}
}

impl<T: Clone + Send + 'static> Drop for Shared<T> {
    fn drop(&mut self) {
        self.view.forget(&mut self.scope.lock(), &self.feed);
    }
}

impl<T: Clone + Send + 'static> Clone for Watch<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T: Clone + Send + 'static> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
