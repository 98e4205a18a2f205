//! The future of a sender that waits for room.
//! The item itself stands in the mailbox while its sender waits, so that the receiver lets it in without a detour
//! over the sender's task; dropping the future takes it out again.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::mailbox::{Mailbox, Queued, Refused};

/// Resolves once the item is in the mailbox; see [`Mailbox::send`].
///
/// # Panics
/// When it is polled again after it was ready, as futures may.
#[must_use = "a send does nothing unless it is awaited"]
#[derive(Debug)]
pub struct Sending<'a, T: Queued> {
    mailbox: &'a Mailbox<T>,
    step: Step<T>,
}

#[derive(Debug)]
enum Step<T> {
    Fresh(T),
    Waiting(u64),
    Done,
}

// The item is never pinned: it is moved into the mailbox.
impl<T: Queued> Unpin for Sending<'_, T> {}

impl<'a, T: Queued> Sending<'a, T> {
    pub(crate) fn new(mailbox: &'a Mailbox<T>, item: T) -> Self {
        Self { mailbox, step: Step::Fresh(item) }
    }

    /// By what [`Mailbox::is_waiting`] knows the sender; nothing unless it waits.
    pub fn ticket(&self) -> Option<u64> {
        match self.step {
            Step::Waiting(ticket) => Some(ticket),
            Step::Fresh(_) | Step::Done => None,
        }
    }

    /// Takes the item back, unless it is in the mailbox already.
    pub fn withdraw(&mut self) -> Option<T> {
        match std::mem::replace(&mut self.step, Step::Done) {
            Step::Fresh(item) => Some(item),
            Step::Waiting(ticket) => self.mailbox.lock().withdraw(ticket),
            Step::Done => None,
        }
    }
}

impl<T: Queued> Future for Sending<'_, T> {
    type Output = Result<(), Refused<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match std::mem::replace(&mut this.step, Step::Done) {
            Step::Fresh(item) => match this.mailbox.send_or_wait(item, context.waker()) {
                Ok(None) => Poll::Ready(Ok(())),
                Ok(Some(ticket)) => {
                    this.step = Step::Waiting(ticket);
                    Poll::Pending
                }
                Err(refused) => Poll::Ready(Err(refused)),
            },
            Step::Waiting(ticket) => {
                let mut state = this.mailbox.lock();
                if let Some(reason) = state.closed().cloned() {
                    // Closed while it waited: not let in, or let in just before and settled with the rest.
                    return match state.withdraw(ticket) {
                        Some(item) => Poll::Ready(Err(Refused::Closed(item, reason))),
                        None => Poll::Ready(Ok(())),
                    };
                }
                if state.still_waits(ticket, context.waker()) {
                    drop(state);
                    this.step = Step::Waiting(ticket);
                    Poll::Pending
                } else {
                    Poll::Ready(Ok(()))
                }
            }
            Step::Done => panic!("a send was polled after it had finished"),
        }
    }
}

impl<T: Queued> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        drop(self.withdraw());
    }
}
