//! Bringing events to an actor: a child of it that takes one after the other out of a line and waits with each until the
//! actor has room for it and is done with the one before.
//!
//! So a flood of events stays in its line, where it is bounded and what is missed is counted, and does not fill the
//! actor's mailbox against everybody else. The child is linked to the actor: it ends with it, and if it fails the
//! actor does not go on deaf. Each event goes with a revocation, so that the end of a delivery is its end wherever the
//! event under way stands.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use minder_runtime::{Actor, Addr, Context, ExitReason, Handled, Revocation};
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
pub struct Delivering {
    way: Arc<Way>,
}

impl Delivering {
    /// Ends it: it listens no more, and once this has returned no event of it is handled, but for one that the actor has in
    /// hand. What stands in its mailbox, or was [postponed](Context::postpone), is taken back: it counts as missed, and is
    /// dropped when the actor gets to it. Whoever [waits](crate::Bus::publish_and_wait) for what is in hand waits on.
    ///
    /// This is of messages that keep their [`Delivery`]. An event that was taken out of it while the message was made counts as
    /// done with there and then, and comes.
    ///
    /// # Ordering
    /// A delivery ends with the life of its actor. What that has left in the mailbox is the next life's, and this
    /// does not take it back.
    ///
    /// # OTP
    /// `pg:demonitor/2`, which flushes.
    pub fn stop(self) {
        let before = std::mem::replace(&mut *self.way.lock(), UnderWay::Stopped);
        if let UnderWay::One(revocation) = before {
            revocation.revoke();
        }
        self.way.stopped.notify_one();
    }
}

impl fmt::Debug for Delivering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Delivering")
    }
}

/// What the handle of a delivery shares with the child that brings the events.
#[derive(Default)]
struct Way {
    under_way: Mutex<UnderWay>,
    /// For the child; by then nothing is under way.
    stopped: Notify,
}

/// What is under way.
#[derive(Default)]
enum UnderWay {
    #[default]
    Nothing,
    /// One event, from the time when it was taken out of its line until the actor is done with it.
    One(Revocation),
    /// Nothing any more.
    Stopped,
}

impl Way {
    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An event sets out; false if none may any more. On another thread the end may come after the carrier has looked for it.
    fn enter(&self, revocation: &Revocation) -> bool {
        let mut under_way = self.lock();
        let is_open = !matches!(*under_way, UnderWay::Stopped);
        if is_open {
            *under_way = UnderWay::One(revocation.clone());
        }
        is_open
    }

    /// The event that was under way is not this delivery's any more.
    fn leave(&self) {
        let mut under_way = self.lock();
        if matches!(*under_way, UnderWay::One(_)) {
            *under_way = UnderWay::Nothing;
        }
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
    let way = Arc::<Way>::default();
    let carrier = Carrier { to: context.address(), way: way.clone(), brings: PhantomData };
    let child = context.spawn(name, move || carrier)?;
    context.link(&child)?;
    // Only now: a line that is at its end already would have ended the child before it was linked.
    child.tell(Carry(source))?;
    Ok(Delivering { way })
}

struct Carrier<S, M> {
    to: Addr<M>,
    way: Arc<Way>,
    brings: PhantomData<fn(S)>,
}

/// What a carrier is told, once: out of what it is to bring events.
struct Carry<S>(S);

impl<S: Source, M: From<Delivery<S::Item>> + Send + 'static> Carrier<S, M> {
    /// Until it is stopped, the source runs dry, or the receiver's seat is given up.
    async fn carry(&self, source: S) {
        let mut stopped = pin!(self.way.stopped.notified());
        // One for all deliveries: at most one is under way.
        let turn = Arc::new(Notify::new());
        while let Some(Some(item)) = unless(stopped.as_mut(), source.next()).await {
            let weight = S::weight(&item);
            let mut on_the_way = OnTheWay { source: &source, way: &self.way, weight };
            let delivery = Delivery { event: item, turn: Turn(turn.clone()) };
            let (revocation, sending) = self.to.send_revocable(M::from(delivery));
            if !self.way.enter(&revocation) {
                return;
            }
            let sent = unless(stopped.as_mut(), sending).await;
            if matches!(sent, Some(Err(_))) {
                return;
            }
            on_the_way.weight = 0;
            if sent.is_some() && unless(stopped.as_mut(), turn.notified()).await.is_some() {
                continue;
            }
            // Stopped, which has taken it back, wherever it stands, unless it came into the actor's hands first. If that has
            // postponed it meanwhile it is taken back now.
            if revocation.revoke() {
                on_the_way.weight = weight;
                return;
            }
            drop(on_the_way);
            let in_hand = source.leave();
            turn.notified().await;
            drop(in_hand);
            return;
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

/// An event that was taken out of its line. If it is lost on the way to the mailbox, or taken back, the line is told: rather
/// once too often, when the actor's end falls between arrival and the word of it, than not at all.
struct OnTheWay<'a, S: Source> {
    source: &'a S,
    way: &'a Way,
    /// 0 while it stands in the mailbox, or is in hand.
    weight: u64,
}

impl<S: Source> Drop for OnTheWay<'_, S> {
    fn drop(&mut self) {
        self.way.leave();
        if self.weight > 0 {
            self.source.undelivered(self.weight);
        }
    }
}
