//! The strategy: who shares the fate of a child that is to be restarted.
//! A group always reaches to the end of the start order, so that its first place says it all.
//! Does not ask whether there is to be a restart (`verdict.rs`) nor how often (`intensity.rs`).

use crate::Strategy;

/// Who is restarted together with a failed child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nobody; the siblings keep their processes.
    Alone,
    /// Every child from this place on, in start order.
    From(usize),
}

/// Who shares the fate of the child at place `failed`.
pub(crate) fn fate(strategy: Strategy, failed: usize) -> Fate {
    match strategy {
        Strategy::OneForOne => Fate::Alone,
        Strategy::OneForAll => Fate::From(0),
        Strategy::RestForOne => Fate::From(failed),
    }
}
