//! What a policy adds to decisions: restarts that wait for their time, and children that have used up their own limits.
//! Nothing here is reached by a child without a policy. Counting is `record.rs`'s business, arithmetic `backoff.rs`'s.

use super::{Deferred, Down, Phase, Purpose, Supervision, Turn};
use crate::Slot;
use crate::children::State;
use crate::command::{Command, Report};
use crate::event::Ticket;
use crate::policy::Exhausted;
use crate::readiness::Readiness;
use crate::record::{Delay, Used};
use crate::strategy::{Fate, fate};
use alloc::collections::BTreeMap;
use minder_signals::{ExitReason, Moment};

impl Supervision {
    pub(super) fn life_is_over(&mut self, slot: Slot, turn: &Turn<'_>) {
        self.records.ended(slot, self.children.at(slot).rules.policy.as_deref(), turn.now);
    }

    /// Whoever waits with this ticket is started; nobody does if all were stopped or replaced meanwhile.
    pub(super) fn restart_due(&mut self, slot: Slot, ticket: Ticket, turn: &mut Turn<'_>) {
        let Ticket(number) = ticket;
        match (&self.phase, fate(self.strategy)) {
            (Phase::Idle, Fate::Alone) => {
                if self.waits_with(slot, number) {
                    self.start_child(slot, Purpose::One, turn);
                }
            }
            (Phase::Idle, Fate::All | Fate::Rest) => {
                self.start_next(self.children.first_from(Slot::FIRST), Purpose::Due(number), turn);
            }
            (Phase::New | Phase::Ending { .. } | Phase::Ended, _) => {}
            _ => self.deferred.push_back(Deferred::RestartDue { slot, ticket }),
        }
    }

    pub(super) fn waits_with(&self, slot: Slot, number: u64) -> bool {
        let state = self.children.get(slot).map(|child| child.state());
        matches!(state, Some(State::Delayed { ticket, .. }) if *ticket == number)
    }

    /// The child has used up its own limits. Its siblings are left alone; but if it is a group restart that has failed here,
    /// those whom that has not reached are started without it.
    pub(super) fn exhausted(
        &mut self,
        at: Slot,
        reason: ExitReason,
        Used { used, limit, retried }: Used,
        turn: &mut Turn<'_>,
    ) {
        let rules = &self.children.at(at).rules;
        let (child, significant) = (rules.id.clone(), rules.significant);
        let choice = rules.when_exhausted();
        let report = self.tolerance.report(at, child.clone(), reason.clone(), choice.decision());
        turn.push(Command::Report(Report { restarts: used, limit, retried, ..report }));
        match choice {
            Exhausted::Escalate => self.end(ExitReason::Shutdown, turn),
            Exhausted::LeaveDown => {
                self.set_down(at, Down::Disabled);
                if significant {
                    self.ended_for_good(at, child, reason, turn);
                }
                if retried && fate(self.strategy) != Fate::Alone && matches!(self.phase, Phase::Idle) {
                    let next = self.children.first_after(at);
                    let ticket = self.hold(next, turn.now, turn.now);
                    self.start_next(next, Purpose::Due(ticket), turn);
                }
            }
        }
    }

    /// Gives a ticket to those from `first` on that are gone: in a supervisor that restarts children alone that is it
    /// alone, and in a group all that are not disabled and have not been started meanwhile.
    fn hold(&mut self, first: Option<Slot>, earliest: Moment, latest: Moment) -> u64 {
        let ticket = self.tickets.next();
        let alone = fate(self.strategy) == Fate::Alone;
        let mut member = first;
        while let Some(slot) = member {
            if let State::Finished | State::Gone = self.children.at(slot).state() {
                self.children.set(slot, State::Delayed { ticket, earliest, latest });
            }
            member = if alone { None } else { self.children.first_after(slot) };
        }
        ticket
    }

    /// Those from `first` on wait for their restart, which is on account of this child.
    pub(super) fn wait(&mut self, first: Slot, leader: Slot, delay: Delay, turn: &mut Turn<'_>) {
        let (earliest, latest) = (turn.now + delay.earliest, turn.now + delay.latest);
        let ticket = Ticket(self.hold(Some(first), earliest, latest));
        turn.push(Command::SetRestart { slot: leader, ticket, earliest, latest });
        self.phase = Phase::Idle;
    }

    /// All children have got new slots: whoever waits does so by that. The first of a group whose time comes starts the
    /// others too.
    pub(super) fn waits_are_moved(&mut self, now: &BTreeMap<Slot, Slot>, turn: &mut Turn<'_>) {
        self.records.moved(now);
        for (slot, child) in self.children.iter() {
            if let &State::Delayed { ticket, earliest, latest } = child.state() {
                turn.push(Command::SetRestart { slot, ticket: Ticket(ticket), earliest, latest });
            }
            if child.readiness().is_some_and(Readiness::is_ready) {
                self.records.counts(slot, turn.now);
            }
        }
    }
}
