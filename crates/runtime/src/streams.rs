//! Streams that an actor has attached: their items come as messages into its lane, under its bound.
//!
//! Each is polled by a task of its own, not by the actor's between two messages: a stream that is slow to poll, or that
//! panics, costs the actor nothing, and the loop over the lane need not ask for streams with every message. Back pressure
//! is the mailbox's: an item waits for room in turn with every other sender, and the stream is polled again only when it
//! has been let in.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use minder_mailbox::Refused;
use minder_signals::{ActorId, ExitReason};

use crate::attend::yield_now;
use crate::cell::Cell;
use crate::companions::Companion;
use crate::notice::{Item, Notice};
use crate::unheard::Whose;

/// How many items are let in before other tasks get their turn.
const TURN: u32 = 64;

/// What an attached stream is called where work has a name.
const NAME: &str = "stream";

/// Names a stream of an actor, for detaching it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamId(pub(crate) u64);

/// An attached stream has ended, and nothing is left of it. Comes after the last of its items.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamNotice {
    /// Which one.
    pub stream: StreamId,
    /// [`ExitReason::Normal`] if it came to its end, [`ExitReason::Panic`] if it panicked, or what makes messages of its
    /// items did.
    pub reason: ExitReason,
}

/// Feeds one stream into the lane, until it ends or is told to go.
pub(crate) struct Feeder<M> {
    pub(crate) cell: Arc<Cell<M>>,
    pub(crate) id: ActorId,
    pub(crate) companion: Companion,
}

/// Why feeding is over.
enum Over {
    Ended(ExitReason),
    Dismissed,
}

impl<M: Send + 'static> Feeder<M> {
    pub(crate) fn run<S>(self, stream: S, mut message: impl FnMut(S::Item) -> M + Send + 'static)
    where
        S: Stream + Send + 'static,
    {
        let (cell, id) = (self.cell.clone(), self.id);
        cell.core.system.home.spawn_beside(&cell, id, NAME, async move {
            let whose = Whose { cell: self.cell.clone(), id: self.id, work: NAME };
            let mut stream = Box::pin(stream);
            let over = self.feed(&whose, stream.as_mut(), &mut message).await;
            // Nothing is left of it when its actor hears of its end.
            let dropped = whose.clear((stream, message), self.companion.dismissed());
            if let Some(panic) = &dropped {
                whose.tell(panic);
            }
            if let Over::Ended(mut reason) = over {
                if let (ExitReason::Normal, Some(panic)) = (&reason, dropped) {
                    reason = ExitReason::Panic(Arc::from(panic));
                }
                let notice = StreamNotice { stream: StreamId(self.companion.number()), reason };
                self.cell.hand(self.id, Item::Notice(Box::new(Notice::Stream(notice))));
            }
            drop(self.companion);
        });
    }

    async fn feed<S: Stream>(
        &self,
        whose: &Whose,
        mut stream: Pin<&mut S>,
        message: &mut (impl FnMut(S::Item) -> M + Send),
    ) -> Over {
        let mut turn = TURN;
        loop {
            let next = poll_fn(|cx| {
                if self.companion.is_cancelled(cx.waker()) {
                    return Poll::Ready(Err(Over::Dismissed));
                }
                match whose.run(|| stream.as_mut().poll_next(cx).map(|item| item.map(&mut *message))) {
                    Ok(Poll::Ready(Some(message))) => Poll::Ready(Ok(message)),
                    Ok(Poll::Ready(None)) => Poll::Ready(Err(Over::Ended(ExitReason::Normal))),
                    Ok(Poll::Pending) => Poll::Pending,
                    Err(panic) => {
                        whose.tell(&panic); // the notice of it may be ignored
                        Poll::Ready(Err(Over::Ended(ExitReason::Panic(Arc::from(panic)))))
                    }
                }
            });
            match next.await {
                Ok(message) => {
                    if let Some(over) = self.let_in(whose, message).await {
                        return over;
                    }
                }
                Err(over) => return over,
            }
            turn -= 1;
            if turn == 0 {
                turn = TURN;
                yield_now().await;
            }
        }
    }

    /// Waits until the message is in the lane.
    async fn let_in(&self, whose: &Whose, message: M) -> Option<Over> {
        let mut sending = pin!(self.cell.mailbox.send(Item::Tell(message)));
        let wait = |cx: &mut Context<'_>| {
            if let Poll::Ready(sent) = sending.as_mut().poll(cx) {
                return Poll::Ready(Some(sent));
            }
            if self.companion.is_cancelled(cx.waker()) { Poll::Ready(None) } else { Poll::Pending }
        };
        match poll_fn(wait).await {
            Some(Ok(())) => None,
            Some(Err(refused)) => match self.cell.unless_dropped(refused) {
                Ok(()) => None,
                // The seat is given up only when this incarnation is gone, and that waits for this task.
                Err(Refused::Closed(item, _) | Refused::Full(item) | Refused::Dropped(item)) => {
                    whose.discard(item, self.companion.dismissed());
                    Some(Over::Dismissed)
                }
            },
            None => {
                whose.discard(sending.withdraw(), self.companion.dismissed());
                Some(Over::Dismissed)
            }
        }
    }
}
