//! Who leaves, and when: a child that is to go is told when nobody that depends on it has a process. Does not decide who is
//! to go; see `graph.rs` and `graph/requests.rs`.

use super::*;

impl GraphSupervision {
    /// Whether a child with a process is to leave.
    pub(super) fn leaves(&self, child: &Node) -> bool {
        child.regroups || self.is_ending()
    }

    /// Who has one of these depending on it, directly or through others.
    pub(super) fn depended_on(&self, by: impl Fn(Slot) -> bool) -> BTreeSet<Slot> {
        let mut depended_on = BTreeSet::new();
        for slot in self.needs.order().iter().rev() {
            if depended_on.contains(slot) || by(*slot) {
                depended_on.extend(self.needs.needed(*slot));
            }
        }
        depended_on
    }

    /// Those that are to leave, and have not been told.
    pub(super) fn leaving(&self) -> impl DoubleEndedIterator<Item = Slot> {
        let told = |child: &Node| matches!(child.state, State::Stopping { .. });
        let leaves = move |(_, child): &(Slot, &Node)| child.is_alive() && self.leaves(child) && !told(child);
        self.children.iter().filter(leaves).map(|(slot, _)| slot)
    }

    pub(super) fn stop_whoever_may(&mut self, turn: &mut Turn<'_>) {
        let leaving: Vec<Slot> = self.leaving().rev().collect();
        if leaving.is_empty() {
            return;
        }
        let depended_on = self.depended_on(|slot| self.at(slot).is_alive());
        for slot in leaving.into_iter().filter(|slot| !depended_on.contains(slot)) {
            let child = self.at(slot);
            let then = match child.state {
                _ if !child.regroups => Then::Down,
                State::Starting(purpose) => Then::Due(purpose),
                _ => Then::Due(Purpose::Restart),
            };
            self.ask_to_stop(slot, then, None, turn);
        }
    }

    /// Stops a child by its own setting.
    pub(super) fn ask_to_stop(
        &mut self,
        slot: Slot,
        then: Then,
        request: Option<RequestId>,
        turn: &mut Turn<'_>,
    ) {
        let child = self.at(slot);
        let up = matches!(child.state, State::Running { .. });
        let stop = Stop::tell(child.rules.shutdown, slot, up, turn);
        self.set(slot, State::Stopping { stop, then, request });
    }

    /// A child that was told to stop, or whose start was abandoned, is gone.
    pub(super) fn stopped(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        let State::Stopping { stop, then, request } = self.at(slot).state else { return };
        if stop.up {
            self.gone(slot, reason, Some(stop), then, turn);
        } else {
            // It never was up: nothing is said of how it ended, and it is no restart that a temporary child would not have.
            self.set(slot, then.into());
        }
        if let Some(request) = request {
            turn.push(Command::Answer(request, Answer::Done));
        }
    }

    /// A child that was up and was to leave has gone; `stop`: unless it had not been told yet. Its reason is not judged, at most reported (SUP-039, SUP-158).
    pub(super) fn gone(
        &mut self,
        slot: Slot,
        reason: ExitReason,
        stop: Option<Stop>,
        then: Then,
        turn: &mut Turn<'_>,
    ) {
        let child = self.at(slot);
        let temporary = child.is_temporary();
        if ended_otherwise(stop, &child.rules, &reason) {
            self.report(slot, reason.clone(), Decision::StoppedOtherwise, turn);
        }
        if then == Then::Changed {
            self.is_out(slot, reason, turn);
        } else if temporary && !self.is_ending() {
            self.report(slot, reason, Decision::ForgetStopped, turn);
            self.drop_out(slot, turn);
        } else {
            self.set(slot, then.into());
        }
    }
}
