//! Waiting for an answer: delivery of the question (in turn, where the mailbox says so), the deadline, and leaving
//! nothing behind when the asker turns away.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use minder_mailbox::{Refused, Sending, WhenFull};
use minder_signals::Moment;

use crate::cell::Cell;
use crate::deadlines::{Due, Key};
use crate::notice::Item;
use crate::reply::{AskError, Gone, Reply, Slot};
use crate::system::SystemShared;

/// How long an ask waits unless it says otherwise.
pub(crate) const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

pub(crate) async fn ask<M: Send + 'static, T: Send + 'static>(
    cell: &Cell<M>,
    within: Duration,
    message: impl FnOnce(Reply<T>) -> M,
) -> Result<T, AskError<M>> {
    let slot = Arc::new(Slot::new());
    let item = Item::Ask(message(Reply::new(slot.clone())), slot.clone());
    // The one clock read of an ask: its deadline needs it.
    let until = cell.core.system.now() + within;
    let mut wait =
        Wait { slot: &*slot, alarm: Alarm::new(&cell.core.system, until), end: Some(Gone::TurnedAway) };
    if cell.when_full == WhenFull::Wait {
        match cell.mailbox.try_tell(item) {
            Ok(()) => {}
            Err(Refused::Full(item)) => {
                let mut sending = cell.mailbox.send(item);
                poll_fn(|cx| wait.poll_room(&mut sending, cx)).await?;
            }
            Err(refused) => return Err(asked(refused)),
        }
    } else if let Err(refused) = cell.mailbox.tell(item) {
        cell.unless_dropped(refused).map_err(asked)?;
    }
    poll_fn(|cx| wait.poll_outcome(cx)).await
}

fn asked<M>(refused: Refused<Item<M>>) -> AskError<M> {
    match refused {
        Refused::Full(item) => AskError::Full(item.into_message().expect("an ask's item is its message")),
        Refused::Closed(item, reason) => AskError::Stopped(reason, item.into_message()),
        Refused::Dropped(_) => AskError::Dropped,
    }
}

/// One ask under way. Dropping it tells everyone that nobody waits any more.
struct Wait<'a, M, T> {
    slot: &'a Slot<M, T>,
    alarm: Alarm<'a>,
    /// How to turn away when dropped; nothing if the outcome has been taken, and there is nobody to tell.
    end: Option<Gone>,
}

impl<M, T> Wait<'_, M, T> {
    fn poll_room(
        &mut self,
        sending: &mut Sending<'_, Item<M>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), AskError<M>>> {
        if let Poll::Ready(sent) = Pin::new(&mut *sending).poll(cx) {
            return Poll::Ready(sent.map_err(asked));
        }
        if self.alarm.is_due(cx.waker()) {
            // If it was let in just now, the answer has no time left either.
            drop(sending.withdraw());
            self.end = Some(Gone::Expired);
            return Poll::Ready(Err(AskError::TimedOut));
        }
        Poll::Pending
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, AskError<M>>> {
        match self.slot.poll_outcome(cx.waker()) {
            Poll::Pending if self.alarm.is_due(cx.waker()) => {
                self.end = Some(Gone::Expired);
                Poll::Ready(Err(AskError::TimedOut))
            }
            Poll::Pending => Poll::Pending,
            ready => {
                self.end = None;
                ready
            }
        }
    }
}

impl<M, T> Drop for Wait<'_, M, T> {
    fn drop(&mut self) {
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
