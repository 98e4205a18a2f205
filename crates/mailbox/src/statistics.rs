//! What became of everything that was offered to a mailbox, in numbers.
//!
//! Counted under the mailbox's lock where it is held anyway, and never per message beyond what the bound needs: `handled`
//! is what was taken and did not end otherwise.

/// What became of the messages offered to one seat, over all its lives. Notices, timers and messages that an actor sent
/// itself past the bound are not among them.
///
/// # Ordering
/// Exact whenever the actor is not running: it is idle, it waits inside a handler, or nobody lives there. While it runs,
/// the message in hand may still stand under `handled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Messages that reached the mailbox: told, sent, or asked. Those of senders that still wait are not counted yet.
    pub offered: u64,
    /// Not let in: there was no room, the seat was given up, or the sender turned away while it waited for room.
    pub refused: u64,
    /// Let in. A message that is redelivered counts once.
    pub accepted: u64,
    /// Senders that wait for room right now.
    pub waiting: u64,
    /// Waiting to be handled.
    pub queued: u64,
    /// Being handled: 0 or 1, and more while a handler has received others.
    pub in_hand: u64,
    /// Handled to the end.
    pub handled: u64,
    /// Not handled because whoever asked had turned away, or whoever sent it had taken it back.
    pub skipped: u64,
    /// Moved aside because it crashed one incarnation after the other, whatever became of it in quarantine.
    pub quarantined: u64,
    /// Dead: in hand when its incarnation ended.
    pub crashed: u64,
    /// Dead: queued when its incarnation ended, and not to be kept; or older than a restart of its group.
    pub purged: u64,
    /// Dead: dropped because the mailbox was full.
    pub dropped: u64,
    /// Dead: an ask whose deadline had passed before its turn came.
    pub expired: u64,
    /// Dead: queued when the seat was given up.
    pub stopped: u64,
    /// How often the group of this seat has been restarted; what was let in before the last time is purged.
    pub epoch: u64,
}

impl Statistics {
    /// Messages that will never be handled, of all causes.
    pub fn dead(&self) -> u64 {
        self.crashed + self.purged + self.dropped + self.expired + self.stopped
    }

    /// Whether every message that was offered is accounted for.
    pub fn is_conserved(&self) -> bool {
        let gone = self.handled + self.skipped + self.quarantined + self.dead();
        self.offered == self.refused + self.accepted && self.accepted == gone + self.queued + self.in_hand
    }
}

/// How a counted item left that the receiver had taken and did not handle to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nobody waited for it any more.
    Skipped,
    /// Its deadline had passed.
    Expired,
    /// Its incarnation ended.
    Crashed,
    /// It was moved aside.
    Quarantined,
    /// It was meant for an incarnation that had ended.
    Purged,
}

/// What is counted beyond what the bound needs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) refused: u64,
    /// Left by the receiver's hand, by [`Left`].
    pub(crate) left: [u64; 5],
    /// In the receiver's hands beside the one that it was called with.
    pub(crate) held: u64,
    /// Removed from the lane by others: these three.
    pub(crate) purged: u64,
    pub(crate) dropped: u64,
    pub(crate) stopped: u64,
    pub(crate) epoch: u64,
}

impl Tally {
    /// The whole, of `entered` items of which `taken` were taken.
    pub(crate) fn statistics(&self, entered: u64, taken: u64, in_hand: bool, waiting: u64) -> Statistics {
        let left = |how: Left| self.left[how as usize];
        let in_hand = u64::from(in_hand) + self.held;
        let accepted = entered + self.purged + self.dropped + self.stopped;
        Statistics {
            offered: accepted + self.refused,
            refused: self.refused,
            accepted,
            waiting,
            queued: entered.saturating_sub(taken),
            in_hand,
            handled: taken.saturating_sub(self.left.iter().sum::<u64>() + in_hand),
            skipped: left(Left::Skipped),
            quarantined: left(Left::Quarantined),
            crashed: left(Left::Crashed),
            purged: self.purged + left(Left::Purged),
            dropped: self.dropped,
            expired: left(Left::Expired),
            stopped: self.stopped,
            epoch: self.epoch,
        }
    }
}
