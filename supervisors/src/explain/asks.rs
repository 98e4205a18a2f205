//! Who asks whom, as it is declared: which asks go up, to somebody who starts later, round in a circle, or to somebody
//! who may be restarted with a group that the asker does not belong to.

use std::collections::VecDeque;
use std::sync::Arc;

use minder_supervisors_core::Strategy;

use super::layout::Layout;
use super::{ExplainedAsk, Regime};
use crate::errors::NoSuchPath;
use crate::spec::{Spec, TreeError};

/// One declared ask, both ends found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// Refuses asks that lead nowhere.
///
/// # Errors
/// The first one, with the nearest path that leads somewhere.
pub(crate) fn check(spec: &Spec) -> Result<(), TreeError> {
    if !declares_any(spec) {
        return Ok(());
    }
    let layout = Layout::of(spec);
    match layout.asks().into_iter().find_map(Result::err) {
        Some((child, asked)) => Err(TreeError::NoSuchAsk { child, asked }),
        None => Ok(()),
    }
}

fn declares_any(spec: &Spec) -> bool {
    let in_template = spec.template().is_some_and(|template| template.settings.asks.is_some());
    in_template
        || spec
            .children
            .iter()
            .any(|child| child.settings.asks.is_some() || child.below.as_ref().is_some_and(declares_any))
}

impl Layout {
    /// All asks that are declared, or who asks for whom in vain.
    pub(crate) fn asks(&self) -> Vec<Result<Ask, (Arc<str>, NoSuchPath)>> {
        let of = |from: usize| {
            let node = self.at(from);
            let paths = node.settings.asks.iter().flat_map(|asks| asks.iter());
            paths.map(move |path| match self.find(path) {
                Ok(to) => Ok(Ask { from, to }),
                Err(error) => Err((node.path.clone(), error)),
            })
        };
        self.all().flat_map(of).collect()
    }

    pub(crate) fn known_asks(&self) -> Vec<Ask> {
        self.asks().into_iter().filter_map(Result::ok).collect()
    }

    pub(crate) fn explained_asks(&self) -> impl Iterator<Item = ExplainedAsk> {
        let of = |ask: Ask| ExplainedAsk {
            from: self.at(ask.from).path.clone(),
            to: self.at(ask.to).path.clone(),
            up: self.goes_up(ask),
            later: self.goes_to_later(ask),
            purged_by: self.purged_by(ask).map(|supervisor| self.at(supervisor).path.clone()),
        };
        self.known_asks().into_iter().map(of)
    }

    /// To a supervisor above the asker, which may be waiting for it.
    pub(crate) fn goes_up(&self, Ask { from, to }: Ask) -> bool {
        self.subtree(to).contains(&from) && from != to
    }

    /// To somebody who starts later: the two branches from where the ways part are in start order.
    pub(crate) fn goes_to_later(&self, Ask { from, to }: Ask) -> bool {
        // Parents come before children and siblings in start order; instances are in none.
        to > from && !self.subtree(from).contains(&to) && !self.is_instance(to)
    }

    /// The supervisor that may restart the asked with a group to which the asker does not belong. What waits for the
    /// asked is purged then, and the asker lives to hear of it. The lowest, if there are several.
    pub(crate) fn purged_by(&self, Ask { from, to }: Ask) -> Option<usize> {
        let branches = std::iter::successors(Some(to), |branch| self.at(*branch).parent);
        let mut supervised = branches.filter_map(|branch| Some((branch, self.at(branch).parent?)));
        supervised.find_map(|(branch, supervisor)| {
            let regime = self.ruling(supervisor)?.regime;
            let groups =
                [Regime::Fixed(Strategy::OneForAll), Regime::Fixed(Strategy::RestForOne), Regime::ByNeeds];
            // A group of one begins no epoch where children have needs.
            let in_group =
                groups.contains(&regime) && (regime != Regime::ByNeeds || self.group(branch).len() > 1);
            // The smallest group that the asked is restarted with: that of its own branch.
            let along = self.group(branch).iter().any(|member| self.subtree(*member).contains(&from));
            (in_group && !along).then_some(supervisor)
        })
    }

    /// Circles of asks, each once, from the child that stands first in the tree.
    pub(crate) fn circles(&self) -> Vec<Vec<usize>> {
        let asks = self.known_asks();
        let mut next = vec![Vec::new(); self.all().len()];
        for Ask { from, to } in &asks {
            // Instances are many: one that asks another does not ask itself.
            if from != to || !self.is_instance(*from) {
                next[*from].push(*to);
            }
        }
        let starts = self.all().filter(|place| !next[*place].is_empty());
        starts.filter_map(|start| circle(start, &next)).collect()
    }
}

/// The shortest way from here back to here over nobody who stands before.
fn circle(start: usize, next: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut came_from: Vec<Option<usize>> = vec![None; next.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(place) = queue.pop_front() {
        for to in next[place].iter().copied().filter(|to| *to >= start) {
            if came_from[to].is_some() {
                continue;
            }
            came_from[to] = Some(place);
            if to == start {
                let mut way: Vec<usize> =
                    std::iter::successors(Some(place), |place| came_from[*place].filter(|_| *place != start))
                        .collect();
                way.reverse();
                return Some(way);
            }
            queue.push_back(to);
        }
    }
    None
}
