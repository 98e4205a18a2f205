//! Bringing events to an actor: a child of it that takes one after the other out of a line and waits with each until the
//! actor has room for it and is done with the one before.
//!
//! So a flood of events stays in its line, where it is bounded and what is missed is counted, and does not fill the
//! actor's mailbox against everybody else. The child is linked to the actor: it ends with it, and if it fails the
//! actor does not go on deaf.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use minder_runtime::{Actor, Addr, Context, ExitReason, Handled};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// An event as an actor receives it. The next comes when this has been dropped: keep it while you work on it.
pub struct Delivery<T> {
    event: T,
    turn: Turn,
}

/// Tells, by being dropped, that the next may come.
struct Turn(Arc<Notify>);

impl<T> Delivery<T> {
    /// The event; lets the next one come.
    pub fn into_event(self) -> T {
        drop(self.turn);
        self.event
    }
}

impl<T> Deref for Delivery<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.event
    }
}

impl<T: fmt::Debug> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.event).finish()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// A delivery of events to an actor that goes on. Dropping this does not end it; the actor's end does.
#[derive(Debug)]
pub struct Delivering {
    stop: Arc<Notify>,
}

impl Delivering {
    /// Ends it, in order: it listens no more. At most one event may still come after what stands in the mailbox. Whoever
    /// [waits](crate::Bus::publish_and_wait) for what the actor has in hand, or in its mailbox, waits on.
    pub fn stop(self) {
        self.stop.notify_one();
    }
}

/// Where events come from.
pub(crate) trait Source: Send + Sync + 'static {
    type Item: Send + 'static;

    /// The next; nothing when there will be none.
    fn next(&self) -> impl Future<Output = Option<Self::Item>> + Send;

    /// How many events this one stands for.
    fn weight(item: &Self::Item) -> u64;

    /// An event of this weight was taken and did not arrive.
    fn undelivered(&self, weight: u64);

    /// Takes no more, and is gone for whoever it came from. What comes back is dropped when the receiver is done with the event
    /// that was taken last.
    fn leave(self) -> impl Send;
}

/// Starts the child.
pub(crate) fn deliver<S, M>(context: &mut Context<M>, name: &str, source: S) -> Result<Delivering, ExitReason>
where
    S: Source,
    M: From<Delivery<S::Item>> + Send + 'static,
{
    let stop = Arc::new(Notify::new());
    let carrier = Carrier { to: context.address(), stop: stop.clone(), brings: PhantomData };
    let child = context.spawn(name, move || carrier)?;
    context.link(&child)?;
    // Only now: a line that is at its end already would have ended the child before it was linked.
    child.tell(Carry(source))?;
    Ok(Delivering { stop })
}

struct Carrier<S, M> {
    to: Addr<M>,
    stop: Arc<Notify>,
    brings: PhantomData<fn(S)>,
}

/// What a carrier is told, once: out of what it is to bring events.
struct Carry<S>(S);

impl<S: Source, M: From<Delivery<S::Item>> + Send + 'static> Carrier<S, M> {
    /// Until it is stopped, the source runs dry, or the receiver's seat is given up.
    async fn carry(&self, source: S) {
        let mut stopped = pin!(self.stop.notified());
        // One for all deliveries: at most one is under way.
        let turn = Arc::new(Notify::new());
        while let Some(Some(item)) = unless(stopped.as_mut(), source.next()).await {
            let mut on_the_way = OnTheWay { source: &source, weight: S::weight(&item) };
            let delivery = Delivery { event: item, turn: Turn(turn.clone()) };
            let sent = unless(stopped.as_mut(), self.to.send(M::from(delivery))).await;
            if !matches!(sent, Some(Ok(()))) {
                return;
            }
            on_the_way.weight = 0;
            drop(on_the_way);
            if unless(stopped.as_mut(), turn.notified()).await.is_none() {
                let in_hand = source.leave();
                turn.notified().await;
                drop(in_hand);
                return;
            }
        }
    }
}

/// What comes of it; nothing if it is stopped before.
async fn unless<T>(mut stopped: Pin<&mut Notified<'_>>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| match stopped.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(cx).map(Some),
    })
    .await
}

impl<S: Source, M: From<Delivery<S::Item>> + Send + 'static> Actor for Carrier<S, M> {
    type Msg = Carry<S>;

    async fn handle(&mut self, Carry(source): Carry<S>, context: &mut Context<Carry<S>>) -> Handled {
        self.carry(source).await;
        context.stop(ExitReason::Normal);
        Ok(())
    }
}

/// An event that was taken out of its line and is not in the mailbox yet. If it is lost on the way, the line is told:
/// rather once too often, when the end falls between arrival and the word of it, than not at all.
struct OnTheWay<'a, S: Source> {
    source: &'a S,
    weight: u64,
}

impl<S: Source> Drop for OnTheWay<'_, S> {
    fn drop(&mut self) {
        if self.weight > 0 {
            self.source.undelivered(self.weight);
        }
    }
}
