//! The only file that reads a clock or sleeps. Time is tokio's, so that a paused tokio clock is virtual time here.
#![expect(clippy::disallowed_methods, reason = "this is where the clock is read, so that nobody else does")]

use std::time::Duration;

use minder_signals::Moment;
use tokio::time::{Instant, Sleep};

/// Turns tokio's time into moments since the system's start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(self) -> Moment {
        Moment::after_start(Instant::now().duration_since(self.start))
    }

    /// The same moment for every clock; nothing if there is no such time.
    pub(crate) fn instant(self, moment: Moment) -> Option<Instant> {
        self.start.checked_add(moment.since_start())
    }

    /// This moment by this clock.
    pub(crate) fn moment(self, instant: Instant) -> Moment {
        Moment::after_start(instant.saturating_duration_since(self.start))
    }

    /// Sleeps until the moment, or for a day: whoever sleeps looks at the clock again in any case.
    pub(crate) fn sleep_until(self, moment: Moment) -> Sleep {
        let day = Duration::from_secs(86_400);
        tokio::time::sleep(moment.since(self.now()).min(day))
    }
}
