//! Waiting for an answer: delivery of the question (in turn, where the mailbox says so), the deadline, and leaving
//! nothing behind when the asker turns away.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use minder_mailbox::{Refused, WhenFull};
use minder_signals::Moment;

use crate::addr::returned;
use crate::cell::Cell;
use crate::deadlines::{Due, Key};
use crate::frame;
use crate::life::AnyCell;
use crate::notice::Item;
use crate::recipient::Takes;
use crate::reply::{AskError, Envelope, Gone, Reply, Slot};
use crate::room::{Entry, Outside};
use crate::system::SystemShared;

/// How long an ask waits unless it says otherwise.
pub(crate) const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

pub(crate) async fn ask<M: Send + 'static, T: Send + 'static>(
    cell: &Arc<Cell<M>>,
    within: Duration,
    bound: Option<u32>,
    message: impl FnOnce(Reply<T>) -> M,
) -> Result<T, AskError<M>> {
    let is_gift = frame::may_hold_a_reply(&message);
    let until = deadline(&cell.core.system, within);
    let slot = Arc::new(Slot::new(cell.core.system.clock.instant(until), bound));
    let item = Item::Ask(message(Reply::new(slot.clone())), Envelope::new(slot.clone()));
    let mut wait = Wait {
        holder: || cell.weak(),
        slot: &slot,
        alarm: Alarm::new(&cell.core.system, until),
        end: Some(Gone::TurnedAway),
        is_gift,
    };
    if let Some(item) = offer(cell, item, bound)? {
        let mut entry = enter(cell, item);
        poll_fn(|cx| wait.poll_room(&mut entry, cx)).await?;
    }
    poll_fn(|cx| wait.poll_outcome(cx)).await
}

/// [`ask`] of an actor that takes more than is known here.
pub(crate) async fn ask_through<Q, T: Send + 'static>(
    to: &dyn Takes<Q>,
    within: Duration,
    message: impl FnOnce(Reply<T>) -> Q,
) -> Result<T, AskError<()>> {
    let is_gift = frame::may_hold_a_reply(&message);
    let until = deadline(to.system(), within);
    let slot: Arc<Slot<(), T>> = Arc::new(Slot::new(to.system().clock.instant(until), None));
    let mut wait = Wait {
        holder: || to.weak(),
        slot: &slot,
        alarm: Alarm::new(to.system(), until),
        end: Some(Gone::TurnedAway),
        is_gift,
    };
    let question = message(Reply::new(slot.clone()));
    if let Some(mut entering) = to.put(question, slot.clone())? {
        poll_fn(|cx| wait.poll_room(&mut entering, cx)).await?;
    }
    poll_fn(|cx| wait.poll_outcome(cx)).await
}

/// Waiting for room: what became of it, as the asker hears of it.
pub(crate) struct Enters<'a, M: Send + 'static>(Entry<'a, M>);

pub(crate) fn enter<M: Send + 'static>(cell: &Arc<Cell<M>>, item: Item<M>) -> Enters<'_, M> {
    Enters(Entry::new(cell, item))
}

impl<M: Send + 'static> Future for Enters<'_, M> {
    type Output = Result<(), AskError<M>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(|outside| match outside {
            Outside::Refused(refused) => asked(refused),
            Outside::WouldDeadlock(cycle, _) => AskError::WouldDeadlock(cycle),
        })
    }
}

/// Puts the question in, or gives it back if it is to wait for room.
pub(crate) fn offer<M: Send + 'static>(
    cell: &Cell<M>,
    item: Item<M>,
    bound: Option<u32>,
) -> Result<Option<Item<M>>, AskError<M>> {
    let offered = {
        // With the life held, so that the message reaches this incarnation or nobody.
        let life = bound.map(|bound| (cell.core.life(), bound));
        if let Some((life, bound)) = &life
            && !(life.occupied && life.incarnation == *bound)
        {
            return Err(AskError::Stale(returned(item)));
        }
        if cell.when_full == WhenFull::Wait { cell.mailbox.try_tell(item) } else { cell.mailbox.tell(item) }
    };
    match offered {
        Ok(()) => Ok(None),
        Err(Refused::Full(item)) if cell.when_full == WhenFull::Wait => Ok(Some(item)),
        Err(refused) => cell.unless_dropped(refused).map(|()| None).map_err(asked),
    }
}

/// Until when an ask that is made now waits: as long as it says, and no longer than whoever asked for the work in hand.
pub(crate) fn deadline(system: &SystemShared, within: Duration) -> Moment {
    // The one clock read of an ask.
    let own = system.now() + within;
    frame::deadline().map_or(own, |inherited| own.min(system.clock.moment(inherited)))
}

fn asked<M>(refused: Refused<Item<M>>) -> AskError<M> {
    match refused {
        Refused::Full(item) => AskError::Full(returned(item)),
        Refused::Closed(item, reason) => AskError::Stopped(reason, item.into_message()),
        Refused::Dropped(_) => AskError::Dropped,
    }
}

/// One ask under way. Dropping it tells everyone that nobody waits any more.
struct Wait<'a, M: Send + 'static, T: Send + 'static, H> {
    /// Who is asked.
    holder: H,
    slot: &'a Arc<Slot<M, T>>,
    alarm: Alarm<'a>,
    /// How to turn away when dropped; nothing if the outcome has been taken, and there is nobody to tell.
    end: Option<Gone>,
    /// Whether a reply may have gone along with the question.
    is_gift: bool,
}

impl<M, T, H> Wait<'_, M, T, H>
where
    M: Send + 'static,
    T: Send + 'static,
    H: Fn() -> Weak<dyn AnyCell>,
{
    /// If the deadline passes, what waits is dropped right after this: should it have been let in just now, the answer has
    /// no time left either.
    fn poll_room<E>(&mut self, entering: &mut E, cx: &mut Context<'_>) -> Poll<Result<(), AskError<M>>>
    where
        E: Future<Output = Result<(), AskError<M>>> + Unpin,
    {
        let entered = Pin::new(entering).poll(cx);
        if entered.is_pending() && self.alarm.is_due(cx.waker()) {
            self.end = Some(Gone::Expired);
            return Poll::Ready(Err(AskError::TimedOut));
        }
        entered
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, AskError<M>>> {
        match self.slot.poll_outcome(cx.waker()) {
            Poll::Pending if self.alarm.is_due(cx.waker()) => {
                self.end = Some(Gone::Expired);
                Poll::Ready(Err(AskError::TimedOut))
            }
            Poll::Pending => {
                self.slot.note_wait(&self.holder);
                Poll::Pending
            }
            ready => {
                self.end = None;
                ready
            }
        }
    }
}

impl<M: Send + 'static, T: Send + 'static, H> Drop for Wait<'_, M, T, H> {
    fn drop(&mut self) {
        // Only now: until then its asker has waited for the asked one in any case.
        if self.is_gift {
            frame::gave();
        }
        if let Some(why) = self.end {
            self.slot.abandon(why);
        }
    }
}

/// A deadline that wakes a task, registered only once the task really waits.
pub(crate) struct Alarm<'a> {
    system: &'a SystemShared,
    until: Moment,
    registered: Option<Key>,
}

impl<'a> Alarm<'a> {
    pub(crate) fn new(system: &'a SystemShared, until: Moment) -> Self {
        Self { system, until, registered: None }
    }

    /// Whether the deadline has passed; if not, `waker` is woken when it has.
    pub(crate) fn is_due(&mut self, waker: &Waker) -> bool {
        if self.until == Moment::END {
            return false; // no deadline at all
        }
        if let Some(key) = self.registered {
            // What is registered no more has fired, and nothing fires early: no need to read the clock again.
            return !self.system.deadlines.still_wakes(key, waker);
        }
        self.registered = Some(self.system.deadlines.register(self.until, Due::Wake(waker.clone())));
        // Should it have passed just now, the registration fires at once.
        false
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.registered.take() {
            self.system.deadlines.cancel(key);
        }
    }
}
