//! What a policy adds to decisions here: restarts that wait for their time, and children that have used up their own limits.
//! Of a group only the one on whose account it is restarted waits: the others need it, and so wait for it.
//! Counting is `record.rs`'s business, arithmetic `backoff.rs`'s.

use super::*;

impl GraphSupervision {
    pub(super) fn life_is_over(&mut self, slot: Slot, turn: &Turn<'_>) {
        let policy = self.children.get(slot).and_then(|child| child.rules.policy.as_deref());
        self.records.ended(slot, policy, turn.now);
    }

    /// A wait begins when the group has gone.
    pub(super) fn begin_waits(&mut self, turn: &mut Turn<'_>) {
        for slot in self.all() {
            let &Node { state: State::Held(Delay { earliest, latest }), regroups: false, .. } = self.at(slot)
            else {
                continue;
            };
            let ticket = self.tickets.next();
            let (earliest, latest) = (turn.now + earliest, turn.now + latest);
            self.set(slot, State::Delayed { ticket, earliest, latest });
            turn.push(Command::SetRestart { slot, ticket: Ticket(ticket), earliest, latest });
        }
    }

    /// Nothing follows if it does not wait with this ticket: it was stopped or started meanwhile.
    pub(super) fn restart_due(&mut self, slot: Slot, Ticket(due): Ticket) {
        if let Some(&Node { state: State::Delayed { ticket, .. }, .. }) = self.children.get(slot)
            && ticket == due
        {
            self.set(slot, State::Due(Purpose::Restart));
        }
    }

    /// The child has used up its own limits. If it is left down the others are left alone, and those that are to start and
    /// need it wait for it.
    pub(super) fn exhausted(
        &mut self,
        slot: Slot,
        reason: ExitReason,
        Used { used, limit, retried }: Used,
        turn: &mut Turn<'_>,
    ) {
        let rules = &self.at(slot).rules;
        let (child, significant, choice) = (rules.id.clone(), rules.significant, rules.when_exhausted());
        let report = self.tolerance.report(slot, child.clone(), reason.clone(), choice.decision());
        turn.push(Command::Report(Report { restarts: used, limit, retried, ..report }));
        self.set(slot, State::Disabled);
        match choice {
            Exhausted::Escalate => self.end(ExitReason::Shutdown),
            Exhausted::LeaveDown if significant => self.ended_for_good(slot, child, reason, turn),
            Exhausted::LeaveDown => {}
        }
    }
}
