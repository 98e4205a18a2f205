//! What both references remember of a child for its own limits: everything, read again from the beginning each time.

use minder_signals::Moment;
use minder_supervisors_core::{Exhausted, Policy};
use std::time::Duration;

#[derive(Clone, Copy)]
enum Note {
    Up(Moment),
    Ended(Moment),
    /// A restart was decided on, and charged.
    Failed(Moment),
}

/// What a child's own limits say to one more restart.
pub(crate) enum Limits {
    /// Let it be, at once or within these times.
    Allow(Option<(Duration, Duration)>),
    Exhausted(Exhausted),
}

#[derive(Clone, Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    pub(crate) fn up(&mut self, now: Moment) {
        self.0.push(Note::Up(now));
    }

    /// Also of a start that never was a life.
    pub(crate) fn ended(&mut self, now: Moment) {
        self.0.push(Note::Ended(now));
    }

    pub(crate) fn failed(&mut self, policy: Option<&Policy>, now: Moment) -> Limits {
        let delay = match policy {
            Some(policy) if self.is_exhausted(policy, now) => return Limits::Exhausted(policy.exhausted),
            Some(policy) => policy.backoff.map(|backoff| {
                let failures = self.failures(backoff.reset_after());
                let latest = backoff.delays().nth(failures as usize).expect("without end");
                (backoff.earliest(latest), latest)
            }),
            None => None,
        };
        self.0.push(Note::Failed(now));
        Limits::Allow(delay)
    }

    fn is_exhausted(&self, policy: &Policy, now: Moment) -> bool {
        let in_a_row =
            policy.in_a_row.is_some_and(|limit| self.failures(limit.healthy_after) >= limit.restarts);
        let in_all = policy.budget.is_some_and(|budget| {
            let recent =
                |note: &&Note| matches!(note, Note::Failed(when) if now.since(*when) <= budget.period);
            self.0.iter().filter(recent).count() >= budget.restarts as usize
        });
        in_a_row || in_all
    }

    /// Failures since the last life that was as long as this.
    fn failures(&self, healthy: Duration) -> u32 {
        let (mut failures, mut up) = (0, None);
        for note in &self.0 {
            match *note {
                Note::Failed(_) => failures += 1,
                Note::Up(since) => up = Some(since),
                Note::Ended(when) => {
                    if up.take().is_some_and(|since| when.since(since) >= healthy) {
                        failures = 0;
                    }
                }
            }
        }
        failures
    }
}
