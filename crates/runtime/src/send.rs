//! A message on its way into a mailbox, at once or as soon as there is room.
//! Written by hand, since it is as hot as a tell: an `async fn` moves the message about, and keeps room for it twice.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use minder_mailbox::Refused;

use crate::addr::{TellError, returned, told};
use crate::cell::Cell;
use crate::frame;
use crate::notice::Item;
use crate::room::{Entry, Outside};

/// See [`Addr::send`](crate::Addr::send).
#[must_use = "a send does nothing unless it is awaited"]
pub(crate) struct SendTo<'a, M: Send + 'static> {
    cell: &'a Arc<Cell<M>>,
    step: Step<'a, M>,
    /// Whether a reply may be in it.
    is_gift: bool,
}

enum Step<'a, M: Send + 'static> {
    Fresh(M),
    /// Boxed: one that really waits has time for it, and the others are moved about less.
    Waiting(Box<Entry<'a, M>>),
    Done,
}

// The message is never pinned: it is moved into the mailbox.
impl<M: Send> Unpin for SendTo<'_, M> {}

impl<'a, M: Send + 'static> SendTo<'a, M> {
    #[inline]
    pub(crate) fn new(cell: &'a Arc<Cell<M>>, message: M, is_gift: bool) -> Self {
        Self { cell, step: Step::Fresh(message), is_gift }
    }

    /// One that has nothing to send yet: see [`SendTo::offer`].
    pub(crate) fn later(cell: &'a Arc<Cell<M>>, is_gift: bool) -> Self {
        Self { cell, step: Step::Done, is_gift }
    }

    /// The first poll, with what is to be sent: an item that was not made here.
    pub(crate) fn offer(&mut self, item: Item<M>, cx: &mut Context<'_>) -> Poll<Result<(), TellError<M>>> {
        match self.cell.mailbox.try_tell(item) {
            Ok(()) => self.over(Ok(())),
            Err(refused) => self.refused(refused, cx),
        }
    }

    /// It is not let in at once: it waits if that is what one does here.
    #[cold]
    fn refused(&mut self, refused: Refused<Item<M>>, cx: &mut Context<'_>) -> Poll<Result<(), TellError<M>>> {
        match refused {
            // Only the actor itself can make room in its own mailbox.
            Refused::Full(item) if self.cell.core.address() != frame::current_cell() => {
                self.wait(Box::new(Entry::new(self.cell, item)), cx)
            }
            refused => {
                if matches!(refused, Refused::Full(_)) {
                    self.cell.mailbox.count_refused();
                }
                self.over(self.cell.unless_dropped(refused).map_err(told))
            }
        }
    }

    #[cold]
    fn wait(&mut self, mut entry: Box<Entry<'a, M>>, cx: &mut Context<'_>) -> Poll<Result<(), TellError<M>>> {
        let Poll::Ready(entered) = Pin::new(&mut *entry).poll(cx) else {
            self.step = Step::Waiting(entry);
            return Poll::Pending;
        };
        self.over(match entered {
            Ok(()) => Ok(()),
            Err(Outside::Refused(refused)) => self.cell.unless_dropped(refused).map_err(told),
            Err(Outside::WouldDeadlock(cycle, item)) => Err(TellError::WouldDeadlock(cycle, returned(item))),
        })
    }

    #[inline]
    fn over(&self, sent: Result<(), TellError<M>>) -> Poll<Result<(), TellError<M>>> {
        // Until now its sender waited for the receiver in any case.
        if self.is_gift {
            frame::gave();
        }
        Poll::Ready(sent)
    }
}

impl<M: Send + 'static> Future for SendTo<'_, M> {
    type Output = Result<(), TellError<M>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match std::mem::replace(&mut this.step, Step::Done) {
            Step::Fresh(message) => {
                frame::effect();
                match this.cell.mailbox.try_tell_as(message, Item::Tell) {
                    Ok(()) => this.over(Ok(())),
                    Err(refused) => this.refused(refused, cx),
                }
            }
            Step::Waiting(entry) => this.wait(entry, cx),
            Step::Done => panic!("a send was polled after it had finished"),
        }
    }
}
