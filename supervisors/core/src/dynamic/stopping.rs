//! How instances are stopped: one by request, and all at once at the end. Those of the template share one time limit then
//! (SUP-177); whoever has rules of its own has its own (EXD-007).
//! Does not decide whether; see `dynamic.rs`.

use super::*;
use crate::stopping::grace;

impl DynamicSupervision {
    /// Stops one child, by its setting and with a time limit of its own.
    pub(super) fn ask_to_stop(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        self.set(slot, State::Stopping(Stop::tell(self.rules.of(slot).shutdown, slot, true, turn)));
    }

    /// Tells all children at once; when the last is gone, the supervisor ends.
    pub(super) fn end(&mut self, reason: ExitReason, turn: &mut Turn<'_>) {
        self.deferred.clear();
        let mut next = self.children.first_from(Slot::FIRST);
        while let Some(slot) = next {
            match self.children.get(slot) {
                Some(State::Running { .. }) => self.tell_to_end(slot, true, turn),
                Some(State::Starting) => self.tell_to_end(slot, false, turn),
                Some(State::Stopping(_)) => {}
                Some(State::Fallen { reason, .. }) => {
                    let reason = reason.clone();
                    self.report_unless_asked_for(slot, &reason, turn);
                    self.take_out(slot);
                }
                Some(State::Waiting { .. } | State::Delayed { .. }) | None => self.take_out(slot),
            }
            next = self.children.first_after(slot);
        }
        let sharers = self.template().filter(|_| self.children.len() > self.rules.own().len());
        let deadline = sharers.and_then(|template| grace(template.shutdown)).map(|grace| turn.now + grace);
        if let Some(deadline) = deadline {
            turn.push(Command::SetEndDeadline(deadline));
        }
        self.phase = Phase::Ending { deadline, reason };
        self.end_if_alone(turn);
    }

    fn tell_to_end(&mut self, slot: Slot, up: bool, turn: &mut Turn<'_>) {
        let shutdown = self.rules.of(slot).shutdown;
        let stop = match self.rules.is_own(slot) {
            true => Stop::tell(shutdown, slot, up, turn),
            false => Stop::tell_with_others(shutdown, slot, up, turn),
        };
        self.set(slot, State::Stopping(stop));
    }

    pub(super) fn end_if_alone(&mut self, turn: &mut Turn<'_>) {
        if self.children.is_empty()
            && let Phase::Ending { reason, .. } = core::mem::replace(&mut self.phase, Phase::Ended)
        {
            turn.push(Command::Exit(reason));
        }
    }

    pub(super) fn abandoned_start_ended(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        if let Some(State::Stopping(Stop { up: false, .. })) = self.children.get(slot) {
            self.stopped(slot, reason, turn);
        }
    }

    pub(super) fn stopped(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        match self.phase {
            Phase::Stopping { request, .. } => {
                self.cleared(slot, reason, turn);
                turn.push(Command::Answer(request, Answer::Done));
                self.phase = Phase::Idle;
            }
            _ => {
                self.report_unless_asked_for(slot, &reason, turn);
                self.take_out(slot);
                self.end_if_alone(turn);
            }
        }
    }

    /// A child has gone that was to be stopped: it is no child any more, whatever its restart type.
    pub(super) fn cleared(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        self.report_unless_asked_for(slot, &reason, turn);
        self.report(slot, reason, Decision::ForgetStopped, turn);
        self.drop_out(slot, turn);
    }

    pub(super) fn report_unless_asked_for(&mut self, slot: Slot, reason: &ExitReason, turn: &mut Turn<'_>) {
        let stop = match self.children.get(slot) {
            Some(&State::Stopping(stop)) => Some(stop),
            _ => None,
        };
        if ended_otherwise(stop, self.rules.of(slot), reason) {
            self.report(slot, reason.clone(), Decision::StoppedOtherwise, turn);
        }
    }
}
