//! How long stops and starts take at worst: what the specification says, added up in the order in which things are done;
//! where children say what they need, along the longest chain of those that wait for each other.
//! Counts no time that nobody has declared: a handler that does not yield, a blocking closure that does not return.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder_supervisors_core::Shutdown;

use super::Regime;
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
            // Whoever will be there brings its own time.
            Role::Supervisor(ruling)
                if ruling.regime == Regime::Dynamic && self.at(place).children.is_empty() =>
            {
                Bound::Unbounded(vec![self.at(place).path.clone()])
            }
            // Each child of a dynamic supervisor that stands here may stand for many, all told at once.
            Role::Supervisor(_) => self.stop_of_all(&self.at(place).children),
        }
    }

    /// To stop these siblings, given in start order.
    pub(crate) fn stop_of_all(&self, places: &[usize]) -> Bound {
        let order: Vec<usize> = places.iter().rev().copied().collect();
        let stops: Vec<Bound> = order.iter().map(|place| self.stop_of(*place)).collect();
        match self.are_by_needs(places) || places.first().is_some_and(|place| self.is_instance(*place)) {
            true => longest(&order, stops, |later, sooner| self.needs(sooner, later)),
            false => Bound::sum(stops.into_iter()),
        }
    }

    /// To start this child: a handler limit bounds its start as well.
    pub(crate) fn start_of(&self, place: usize) -> Bound {
        let node = self.at(place);
        match (&node.role, node.settings.handler_limit) {
            _ if node.is_left_out() => Bound::NOTHING,
            // A dynamic supervisor starts without instances.
            (Role::Supervisor(ruling), _) if ruling.regime == Regime::Dynamic => Bound::NOTHING,
            (Role::Supervisor(_), _) => self.start_of_all(&node.children),
            (Role::Worker | Role::Unknown, Some(limit)) => Bound::AtMost(limit),
            (Role::Worker | Role::Unknown, None) => Bound::Unbounded(vec![node.path.clone()]),
        }
    }

    /// For all of these and those below them that report it to be ready, once they are up: each by itself.
    pub(crate) fn ready_of_all(&self, places: &[usize]) -> Option<Bound> {
        let all = places.iter().flat_map(|place| self.subtree(*place));
        let reports = all
            .filter(|place| !self.is_instance(*place) || places.contains(place))
            .filter_map(|place| self.ready_of(place));
        reports.reduce(Bound::beside)
    }

    /// For this one itself to report, once it is up, if it does.
    fn ready_of(&self, place: usize) -> Option<Bound> {
        let node = self.at(place);
        Some(match node.rules.reports_ready()?.within {
            Some(limit) => Bound::AtMost(limit),
            None => Bound::Unbounded(vec![node.path.clone()]),
        })
    }

    /// To start these siblings, given in start order, until all are up. Who is needed by others of them is waited for until
    /// it is ready.
    pub(crate) fn start_of_all(&self, places: &[usize]) -> Bound {
        let starts = places.iter().map(|place| self.start_of(*place));
        if !self.are_by_needs(places) {
            return Bound::sum(starts);
        }
        let until_met = places.iter().zip(starts).map(|(needed, start)| {
            let is_needed = places.iter().any(|place| self.needs(*place, *needed));
            let ready = self.ready_of(*needed).filter(|_| is_needed && !self.at(*needed).is_left_out());
            start.and(ready.unwrap_or(Bound::NOTHING))
        });
        longest(places, until_met.collect(), |later, sooner| self.needs(later, sooner))
    }

    fn are_by_needs(&self, siblings: &[usize]) -> bool {
        let ruling = siblings.first().and_then(|place| self.ruling_above(*place));
        ruling.is_some_and(|ruling| ruling.regime == Regime::ByNeeds)
    }

    /// Whether this child needs that one itself.
    fn needs(&self, place: usize, needed: usize) -> bool {
        self.at(place).rules.needs().contains(&self.at(needed).rules.id)
    }
}

/// For all of these, each of which takes so long from when those are through that it waits for, all of which come before
/// it. `waits`: whether the first waits for the second.
fn longest(order: &[usize], each: Vec<Bound>, waits: impl Fn(usize, usize) -> bool) -> Bound {
    let times: Option<Vec<Duration>> = each
        .iter()
        .map(|bound| match bound {
            Bound::AtMost(time) => Some(*time),
            Bound::Unbounded(_) => None,
        })
        .collect();
    // Whoever has no limit is named once, however many wait for it.
    let Some(times) = times else { return Bound::sum(each.into_iter()) };
    let mut ends: Vec<Duration> = Vec::with_capacity(times.len());
    for (place, time) in order.iter().zip(times) {
        let sooner = order.iter().zip(&ends).filter(|(sooner, _)| waits(*place, **sooner));
        let begin = sooner.map(|(_, end)| *end).max().unwrap_or_default();
        ends.push(begin.saturating_add(time));
    }
    Bound::AtMost(ends.into_iter().max().unwrap_or_default())
}
