//! Items of priority: a queue of their own, before the lane and before the receiver's batch. The bound, the counters, and what
//! happens between two lives are those of all items. Whether anything comes before them is the receiver's business.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::task::Waker;

use crate::mailbox::{Mailbox, Queued, Refusal, Refused};
use crate::state::State;

/// When an item is handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rank {
    /// After what has come before it.
    #[default]
    Ordinary,
    /// Before everything ordinary, also what the receiver has taken into its batch, and behind earlier ones of this rank.
    Priority,
}

/// There are items of priority: a bit of the word that the receiver looks at between two messages.
pub(crate) const FIRST: u8 = 32;

impl<T: Queued> Mailbox<T> {
    /// [`Mailbox::tell`] by priority. The bound is the same, and so is what happens at it: those who wait for room are not
    /// overtaken, and where the oldest makes room it is the oldest ordinary one, or the oldest of priority if there is none
    /// in reach.
    ///
    /// # Errors
    /// As [`Mailbox::tell`].
    pub fn tell_first(&self, item: T) -> Result<(), Refused<T>> {
        let mut state = self.lock();
        if !state.admits(|| self.taken()) {
            return self.overflow(state, item, Refusal::Final, Rank::Priority);
        }
        let woken = self.accept(&mut state, item, Rank::Priority);
        drop(state);
        if let Some(receiver) = woken {
            receiver.wake();
        }
        Ok(())
    }

    /// Lets a counted item in.
    pub(crate) fn accept(&self, state: &mut State<T>, item: T, rank: Rank) -> Option<Waker> {
        match rank {
            Rank::Ordinary => state.accept(item),
            Rank::Priority => {
                self.attention.fetch_or(FIRST, Ordering::Release);
                state.accept_first(item, true)
            }
        }
    }

    /// Lets an item in that is exempt from the bound.
    pub(crate) fn accept_exempt(&self, state: &mut State<T>, item: T, rank: Rank) -> Option<Waker> {
        match rank {
            Rank::Ordinary => state.accept_exempt(item),
            Rank::Priority => {
                self.attention.fetch_or(FIRST, Ordering::Release);
                state.accept_first(item, false)
            }
        }
    }

    /// Whether there are items of priority.
    #[inline]
    pub fn has_first(&self) -> bool {
        self.attention.load(Ordering::Acquire) & FIRST != 0
    }

    /// Takes the oldest item of priority. It stands in the receiver's batch from then on, before all others.
    pub fn next_first(&self) -> Option<T> {
        let mut state = self.lock();
        let (item, more) = state.next_first();
        if !more {
            self.attention.fetch_and(!FIRST, Ordering::Release);
        }
        item
    }

    /// Puts items of priority back, before those that have come since.
    pub fn give_back_first(&self, first: VecDeque<T>) {
        self.lock().give_back_first(first);
    }
}
