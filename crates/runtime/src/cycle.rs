//! A cycle of actors that wait for each other, as whoever closed it is told. How it is found: `waits.rs`.

use std::fmt;
use std::sync::Arc;

/// Actors that wait for each other, so that none of them can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(Arc<[Arc<str>]>);

impl Cycle {
    pub(crate) fn new(paths: Vec<Arc<str>>) -> Self {
        Self(paths.into())
    }

    /// Their paths: each waits for the next, the last for the first. The first is whoever closed the cycle, and gets the
    /// error.
    pub fn paths(&self) -> &[Arc<str>] {
        &self.0
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|path| write!(f, "{path} -> "))?;
        f.write_str(self.0.first().map_or("nobody", |path| path))
    }
}
