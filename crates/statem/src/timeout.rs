//! The three kinds of time-outs, and when they are due.

use std::time::Duration;

use minder_runtime::Moment;

/// Which time-out of a machine; there is at most one of each at a time, and setting it again replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timeout<N> {
    /// Of the state: cancelled when the state changes.
    State,
    /// Until the next event: cancelled by any.
    Event,
    /// By name: touched by nothing but its own settings.
    Named(N),
}

/// When a time-out is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After this time. Zero means without a clock: once the events that wait already (inserted and postponed ones) have
    /// been handled, and before anything comes from the mailbox.
    After(Duration),
    /// At this moment of the system's clock ([`Context::now`](minder_runtime::Context::now)).
    At(Moment),
    /// Not at all: as if cancelled.
    Never,
}

impl From<Duration> for When {
    fn from(after: Duration) -> Self {
        Self::After(after)
    }
}

impl From<Moment> for When {
    fn from(at: Moment) -> Self {
        Self::At(at)
    }
}
