//! The one place of this package that reads a clock.

use std::time::{Duration, Instant};

/// Runs from its start.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "real time is what this package measures")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "real time is what this package measures")]
    pub(crate) fn read(&self) -> Duration {
        self.0.elapsed()
    }
}
