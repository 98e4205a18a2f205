//! What a crash of one child leads to: who is stopped and started, in which order, who loses what it had, and who gives
//! up if it goes on. Follows `strategy.rs` and `supervision.rs` of the core, and a test holds it against running trees.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use minder_supervisors_core::{
    AutoShutdown, Budget, Exhausted, Level, Policy, Restart, Threshold, thresholds,
};

use super::layout::Layout;
use super::{ExplainedChild, GiveUp, Regime, Then};

impl Layout {
    pub(crate) fn crash_of(&self, place: usize) -> ExplainedChild {
        let node = self.at(place);
        let then = self.after_end(place, true);
        let group = if then == Then::Restarted { self.group(place) } else { Cow::default() };
        let others: Vec<usize> = group.iter().copied().filter(|member| *member != place).collect();
        // Whoever is stopped with the group and is temporary is not started again.
        let (forgotten, started): (Vec<usize>, Vec<usize>) = group
            .iter()
            .filter(|member| !self.at(**member).is_left_out())
            .partition(|member| **member != place && self.at(**member).rules.restart == Restart::Temporary);
        let lost = match (then, node.parent) {
            (Then::EndsSupervisor, Some(parent)) => self.living(self.subtree(parent)),
            // It stands for many, and one of them crashes.
            _ if self.is_instance(place) => 1,
            _ => self.living(self.subtree(place)) + self.living_below(&others),
        };
        ExplainedChild {
            path: node.path.clone(),
            then,
            stops: self.in_stop_order(&others),
            starts: started.iter().flat_map(|member| self.in_start_order(*member)).collect(),
            forgotten: forgotten.iter().map(|member| self.at(*member).path.clone()).collect(),
            lost,
            of: self.all_living().max(lost),
            stop: self.stop_of_all(&others),
            wait: node.rules.policy.as_deref().filter(|_| then == Then::Restarted).and_then(wait_of),
            start: self.start_of_all(&started),
            ready: self.ready_of_all(&started),
            left_down: self.left_down(place),
            gives_up: if then == Then::Restarted { self.give_ups_above(place) } else { Vec::new() },
        }
    }

    /// Who gives up, the nearest first, if this child crashes again and again; up to one that is not started again.
    pub(crate) fn give_ups_above(&self, place: usize) -> Vec<GiveUp> {
        let (mut chain, mut below) = (Vec::new(), place);
        for supervisor in self.above(place) {
            let Some(ruling) = self.ruling(supervisor) else { break };
            let then = match self.after_end(supervisor, false) {
                // Nobody starts the child that crashes again.
                Then::Restarted if ruling.regime == Regime::Dynamic => Then::RestartedEmpty,
                then => then,
            };
            // Its own limit, and those of the child below that it ends with.
            let mut limits = vec![ruling.level];
            limits.extend(self.own_limits(below, Exhausted::Escalate));
            chain.push((supervisor, limits, then));
            below = supervisor;
            if then != Then::Restarted {
                break;
            }
        }
        let levels: Vec<Vec<Level>> = chain.iter().map(|(_, limits, _)| limits.clone()).collect();
        let explained = |((supervisor, limits, then), threshold): ((usize, Vec<Level>, Then), Threshold)| {
            let alone = [supervisor];
            let lost = match then {
                Then::Restarted | Then::RestartedEmpty => self.living_below(&self.group(supervisor)),
                _ => self.living_below(&alone),
            };
            GiveUp {
                supervisor: self.at(supervisor).path.clone(),
                limit: limits[0].limit,
                period: limits[0].period,
                longest: threshold.longest,
                crashes: threshold.crashes,
                within: threshold.time(),
                lost: if supervisor == 0 { self.all_living() } else { lost },
                then,
            }
        };
        chain.into_iter().zip(thresholds(&levels)).map(explained).collect()
    }

    /// The limits of this child's own, if it is this that becomes of it when it has used up one.
    pub(crate) fn own_limits(&self, place: usize, then: Exhausted) -> Vec<Level> {
        let Some(policy) = self.at(place).rules.policy.as_ref().filter(|policy| policy.exhausted == then)
        else {
            return Vec::new();
        };
        // Of one that may take for ever to get ready no life need ever count.
        let ready =
            policy.readiness.map_or(Duration::ZERO, |reports| reports.within.unwrap_or(Duration::MAX));
        let between = wait_of(policy).unwrap_or_default().saturating_add(ready);
        let in_a_row = policy.in_a_row.map(|in_a_row| in_a_row.level(between));
        policy.budget.map(Budget::level).into_iter().chain(in_a_row).collect()
    }

    /// The slowest pace of its crashes at which its own limits leave this child down before it has crashed more often than so;
    /// nothing if there is none. Its own limits are asked first, so as often is enough.
    pub(crate) fn left_down_within(&self, place: usize, crashes: u64) -> Option<Duration> {
        let limits = self.own_limits(place, Exhausted::LeaveDown).into_iter();
        let alone = limits.filter_map(|limit| thresholds(&[vec![limit]]).pop());
        let in_time = alone.filter(|threshold| threshold.crashes <= crashes);
        in_time.map(|threshold| threshold.longest.unwrap_or(Duration::MAX)).max()
    }

    /// When its own limits leave this child down.
    fn left_down(&self, place: usize) -> Option<Threshold> {
        let limits = self.own_limits(place, Exhausted::LeaveDown);
        if limits.is_empty() { None } else { thresholds(&[limits]).pop() }
    }

    /// What becomes of a child, or of the tree, when it has ended by itself.
    pub(crate) fn after_end(&self, place: usize, abnormal: bool) -> Then {
        let node = self.at(place);
        let counts = node.rules.significant
            && self.ruling_above(place).is_some_and(|ruling| ruling.auto_shutdown != AutoShutdown::Never);
        match (node.parent, node.rules.restart, abnormal) {
            (None, ..) => Then::EndsTree,
            (_, Restart::Permanent, _) | (_, Restart::Transient, true) => Then::Restarted,
            _ if counts && self.is_decisive(place) => Then::EndsSupervisor,
            _ if counts => Then::EndsSupervisorIfLast,
            (_, Restart::Transient, false) => Then::StaysDown,
            (_, Restart::Temporary, _) => Then::Forgotten,
        }
    }

    fn living_below(&self, places: &[usize]) -> usize {
        places.iter().map(|place| self.living(self.subtree(*place))).sum()
    }

    /// A supervisor begins to start before its children and is up after them. It starts without instances.
    fn in_start_order(&self, place: usize) -> impl Iterator<Item = Arc<str>> {
        let starts = self.subtree(place).filter(move |below| *below == place || !self.is_instance(*below));
        let comes_up = move |below: &usize| {
            let mut way = std::iter::once(*below).chain(self.above(*below)).take_while(|at| *at >= place);
            way.all(|at| !self.at(at).is_left_out())
        };
        starts.filter(comes_up).map(|place| self.at(place).path.clone())
    }

    /// Last to first; a supervisor is gone after its children. Of a dynamic one all are told at once.
    fn in_stop_order(&self, places: &[usize]) -> Vec<Arc<str>> {
        let mut stops = Vec::new();
        for place in places.iter().rev() {
            let node = self.at(*place);
            if node.up && node.count > 0 {
                stops.extend(self.in_stop_order(&node.children));
                stops.push(node.path.clone());
            }
        }
        stops
    }

    /// Whether this stands for the instances of a dynamic supervisor: they are lost with it, and not started again.
    pub(crate) fn is_instance(&self, place: usize) -> bool {
        self.ruling_above(place).is_some_and(|ruling| ruling.regime == Regime::Dynamic)
    }
}

/// The longest that restarts by this policy wait, if they do.
fn wait_of(policy: &Policy) -> Option<Duration> {
    policy.backoff.map(|backoff| backoff.cap())
}
