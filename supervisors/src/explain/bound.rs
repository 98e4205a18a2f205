//! How long stops and starts take at worst: what the specification says, added up in the order in which things are done.
//! Counts no time that nobody has declared: a handler that does not yield, a blocking closure that does not return.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder_supervisors_core::Shutdown;

use super::layout::{Layout, Role};
use super::words::{Listed, brief};

/// A worst case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It takes no longer than this.
    AtMost(Duration),
    /// It may take for ever, because of these children, by their paths.
    Unbounded(Vec<Arc<str>>),
}

impl Bound {
    pub(crate) const NOTHING: Self = Self::AtMost(Duration::ZERO);

    /// One after the other.
    fn and(self, next: Self) -> Self {
        match (self, next) {
            (Self::AtMost(first), Self::AtMost(second)) => Self::AtMost(first.saturating_add(second)),
            (Self::AtMost(_), unbounded) | (unbounded, Self::AtMost(_)) => unbounded,
            (Self::Unbounded(mut because), Self::Unbounded(more)) => {
                because.extend(more);
                Self::Unbounded(because)
            }
        }
    }

    /// Both at once.
    fn beside(self, other: Self) -> Self {
        match (self, other) {
            (Self::AtMost(one), Self::AtMost(other)) => Self::AtMost(one.max(other)),
            (one, other) => one.and(other),
        }
    }

    /// Cut off after this long.
    fn cut_off(self, limit: Duration) -> Self {
        match self {
            Self::AtMost(time) => Self::AtMost(time.min(limit)),
            Self::Unbounded(_) => Self::AtMost(limit),
        }
    }

    /// Whether it is longer than this, or without end.
    pub fn exceeds(&self, limit: Duration) -> bool {
        match self {
            Self::AtMost(time) => *time > limit,
            Self::Unbounded(_) => true,
        }
    }

    fn sum(bounds: impl Iterator<Item = Self>) -> Self {
        bounds.fold(Self::NOTHING, Self::and)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(time) => write!(f, "at most {}", brief(*time)),
            Self::Unbounded(because) => {
                write!(f, "as long as it takes, because of {}", Listed::of(because))
            }
        }
    }
}

impl Layout {
    /// To stop this child. It is killed when its time is over, and with it goes whatever is below it.
    pub(crate) fn stop_of(&self, place: usize) -> Bound {
        let node = self.at(place);
        if !node.up {
            return Bound::NOTHING;
        }
        match node.rules.shutdown {
            Shutdown::BrutalKill => Bound::NOTHING,
            Shutdown::Within(limit) => self.stop_from_inside(place).cut_off(limit),
            Shutdown::Infinity => self.stop_from_inside(place),
        }
    }

    /// For this one to end, however long it is given.
    pub(crate) fn stop_from_inside(&self, place: usize) -> Bound {
        match self.at(place).role {
            Role::Worker | Role::Unknown => Bound::Unbounded(vec![self.at(place).path.clone()]),
            // One after the other; of a dynamic supervisor only one stands here, and all share its time.
            Role::Supervisor(_) => self.stop_of_all(&self.at(place).children),
        }
    }

    pub(crate) fn stop_of_all(&self, places: &[usize]) -> Bound {
        Bound::sum(places.iter().rev().map(|place| self.stop_of(*place)))
    }

    /// To start this child: a handler limit bounds its start as well.
    pub(crate) fn start_of(&self, place: usize) -> Bound {
        let node = self.at(place);
        match (&node.role, node.settings.handler_limit) {
            // A dynamic supervisor starts without instances.
            (Role::Supervisor(ruling), _) if ruling.regime == super::Regime::Dynamic => Bound::NOTHING,
            (Role::Supervisor(_), _) => self.start_of_all(&node.children),
            (Role::Worker | Role::Unknown, Some(limit)) => Bound::AtMost(limit),
            (Role::Worker | Role::Unknown, None) => Bound::Unbounded(vec![node.path.clone()]),
        }
    }

    /// For all of these and those below them that report it to be ready, once they are up: each by itself.
    pub(crate) fn ready_of_all(&self, places: &[usize]) -> Option<Bound> {
        let all = places.iter().flat_map(|place| self.subtree(*place));
        let reports =
            all.filter(|place| !self.is_instance(*place) || places.contains(place)).filter_map(|place| {
                let node = self.at(place);
                Some(match node.rules.reports_ready()?.within {
                    Some(limit) => Bound::AtMost(limit),
                    None => Bound::Unbounded(vec![node.path.clone()]),
                })
            });
        reports.reduce(Bound::beside)
    }

    pub(crate) fn start_of_all(&self, places: &[usize]) -> Bound {
        Bound::sum(places.iter().map(|place| self.start_of(*place)))
    }
}
