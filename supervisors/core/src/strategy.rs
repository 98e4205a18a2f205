//! The strategy: who shares the fate of a child that is to be restarted.
//! Does not ask whether there is to be a restart (`verdict.rs`) nor how often (`intensity.rs`).

use crate::Strategy;

/// Who is restarted together with a failed child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nobody; the siblings keep their processes.
    Alone,
    /// Every child.
    All,
    /// Every child after it in start order.
    Rest,
}

/// Who shares the fate of a child that failed.
pub(crate) fn fate(strategy: Strategy) -> Fate {
    match strategy {
        Strategy::OneForOne => Fate::Alone,
        Strategy::OneForAll => Fate::All,
        Strategy::RestForOne => Fate::Rest,
    }
}
