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

/// The right to take back a message that was sent with it: see [`Addr::send_revocable`]. Dropping it takes nothing back.
#[derive(Clone, Default)]
pub struct Revocation(Arc<State>);

/// Both bits are set and looked at in one step: of a revocation and a handler exactly one comes first.
#[derive(Default)]
struct State(AtomicU8);

const IN_HAND: u8 = 1;
const REVOKED: u8 = 2;

impl Revocation {
    /// For one message. It may go with several, which are then revoked together.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes back what was sent with this, and what will be: none of it is handled from here on but what is in hand, or was
    /// and is to be handled next ([`Context::retry`](crate::Context::retry)). What was postponed is taken back.
    ///
    /// Returns whether it came early enough: false if the message, or one of several, has been taken in hand and was not
    /// merely postponed.
    pub fn revoke(&self) -> bool {
        self.0.0.fetch_or(REVOKED, Ordering::AcqRel) & IN_HAND == 0
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_revoked = self.0.0.load(Ordering::Acquire) & REVOKED != 0;
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
    /// use minder_runtime::{Actor, Context, Handled, Revocation, System};
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
    /// let revocation = Revocation::new();
    /// printer.send_revocable("a page", &revocation).await?;
    /// if revocation.revoke() {
    ///     println!("it has not been printed, and will not be");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_revocable(
        &self,
        message: impl Into<M>,
        revocation: &Revocation,
    ) -> impl Future<Output = Result<(), TellError<M>>> + Send {
        let is_gift = frame::may_hold_a_reply(&message);
        let envelope: Arc<dyn Asked<M>> = revocation.0.clone();
        let item = Item::Ask(message.into(), Envelope::new(envelope));
        async move {
            frame::effect();
            let mut sending = SendTo::later(&self.cell, is_gift);
            let mut offered = Some(item);
            poll_fn(|cx| match offered.take() {
                Some(item) => sending.offer(item, cx),
                None => Pin::new(&mut sending).poll(cx),
            })
            .await
        }
    }
}

impl<M: Send> Asked<M> for State {
    fn take_in_hand(&self, _: u32) -> Result<Option<Instant>, Gone> {
        let taken = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            (state & REVOKED == 0).then_some(state | IN_HAND)
        });
        taken.map(|_| None).map_err(|_| Gone::TurnedAway)
    }

    fn put_aside(&self) {
        self.0.fetch_and(!IN_HAND, Ordering::AcqRel);
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
