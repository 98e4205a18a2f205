//! Taking back what was sent: a message that its sender may revoke until it is taken in hand, wherever it stands.
//!
//! It is an ask that wants no answer. Its envelope is looked at where any other is before a message is handled, so what is
//! revoked is skipped like a question whose asker has turned away, and plain messages know nothing of this.
//! Nothing is pulled out of a mailbox: the message keeps its place, and counts against the bound, until the actor gets there.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use minder_signals::ExitReason;
use tokio::time::Instant;

use crate::addr::{Addr, TellError};
use crate::frame;
use crate::notice::Item;
use crate::reply::{Asked, Envelope, Fate, Gone};
use crate::send::SendTo;

/// The right to take back one message: see [`Addr::send_revocable`]. Clones are the same; dropping them takes nothing back.
#[derive(Clone)]
pub struct Revocation(Arc<State>);

/// Of a revocation and whoever takes the message in hand exactly one comes first: each is one step, from [`WAITS`].
struct State(AtomicU8);

/// To be sent, on its way, in a mailbox, or postponed.
const WAITS: u8 = 0;
/// Or handled, on its way back to be handled next, or to be delivered again. What is postponed waits again.
const IN_HAND: u8 = 1;
/// For good.
const REVOKED: u8 = 2;

impl State {
    /// Takes this step if it is there, or has been taken; whether that is so.
    fn step(&self, from: u8, to: u8) -> bool {
        match self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(other) => other == to,
        }
    }
}

impl Revocation {
    /// Takes the message back: it is not handled, whatever becomes of its actor, whether or not it has been sent yet. One that
    /// was [postponed](crate::Context::postpone) can be taken back too.
    ///
    /// Returns whether it is. False if it has been taken in hand before, or was [retried](crate::Context::retry): then nothing
    /// has happened, and it is handled again if it would have been.
    pub fn revoke(&self) -> bool {
        self.0.step(WAITS, REVOKED)
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_revoked = self.0.0.load(Ordering::Acquire) == REVOKED;
        f.debug_struct("Revocation").field("is_revoked", &is_revoked).finish()
    }
}

impl<M: Send + 'static> Addr<M> {
    /// [`Addr::send`], of a message that can be taken back as long as it has not been taken in hand. One that was is
    /// dropped when the actor gets to it, in this life or the next, and counted as skipped.
    ///
    /// For news that means nothing any more once its reader has turned away. When not to use this: for a question, which is
    /// taken back by dropping the ask, and to make room, since a revoked message keeps its place.
    ///
    /// # Errors
    /// As [`Addr::send`].
    ///
    /// # Cancel safety
    /// As [`Addr::send`].
    ///
    /// ```
    /// use minder_runtime::{Actor, Context, Handled, System};
    ///
    /// struct Printer;
    ///
    /// impl Actor for Printer {
    ///     type Msg = String;
    ///
    ///     async fn handle(&mut self, page: String, _: &mut Context<String>) -> Handled {
    ///         println!("{page}");
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let printer = System::new()?.spawn(|| Printer)?;
    /// let (revocation, sent) = printer.send_revocable("a page");
    /// sent.await?;
    /// if revocation.revoke() {
    ///     println!("it has not been printed, and will not be");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_revocable(
        &self,
        message: impl Into<M>,
    ) -> (Revocation, impl Future<Output = Result<(), TellError<M>>> + Send) {
        let is_gift = frame::may_hold_a_reply(&message);
        let state = Arc::new(State(AtomicU8::new(WAITS)));
        let item = Item::Ask(message.into(), Envelope::new(state.clone()));
        let sent = async move {
            frame::effect();
            let mut sending = SendTo::later(&self.cell, is_gift);
            let mut offered = Some(item);
            poll_fn(|cx| match offered.take() {
                Some(item) => sending.offer(item, cx),
                None => Pin::new(&mut sending).poll(cx),
            })
            .await
        };
        (Revocation(state), sent)
    }
}

impl<M: Send> Asked<M> for State {
    fn take_in_hand(&self, _: u32) -> Result<Option<Instant>, Gone> {
        if self.step(WAITS, IN_HAND) { Ok(None) } else { Err(Gone::TurnedAway) }
    }

    fn put_back(&self) {
        self.step(IN_HAND, WAITS);
    }

    fn bound(&self) -> Option<u32> {
        None
    }

    fn give_back_stale(&self, message: M) {
        drop(message); // it was for whoever lives there
    }

    fn end(&self, _: Fate) {}

    fn give_back(&self, message: M, _: ExitReason) -> Option<M> {
        Some(message) // its sender has no place for it
    }

    fn pass(&self) {}

    fn is_answered(&self) -> bool {
        false
    }

    fn asker(&self) -> usize {
        0
    }
}
