//! How children are stopped: the members of a group, one that somebody asked for, and all of them at the end; one at a
//! time, in reverse order. Does not decide whether; see `supervision.rs`.

use super::*;

impl Supervision {
    /// Stops the members from `first` on that come before `end`; when the last is gone, starts the group, or lets it wait:
    /// no member is to work on with half of the group's memory gone.
    pub(super) fn stop_group(
        &mut self,
        first: Slot,
        end: Slot,
        later: Option<(Slot, Delay)>,
        turn: &mut Turn<'_>,
    ) {
        if let Some(at) = self.stop_last(first, end, Down::Forgotten, turn) {
            self.phase = Phase::StoppingGroup { first, at, later };
            return;
        }
        let beginning = self.children.first_from(first);
        let mut member = beginning;
        while let Some(slot) = member {
            turn.push(Command::NewEpoch(slot));
            member = self.children.first_after(slot);
        }
        match (later, beginning) {
            (Some((leader, delay)), Some(first)) => self.wait(first, leader, delay, turn),
            _ => self.start_next(beginning, Purpose::Group, turn),
        }
    }

    /// Begins to end: no operation runs any more, and nothing that was put off matters.
    pub(super) fn end(&mut self, reason: ExitReason, turn: &mut Turn<'_>) {
        self.deferred.clear();
        self.end_before(self.children.end(), reason, turn);
    }

    /// Stops the children before place `end`; when the last is gone, the supervisor ends.
    pub(super) fn end_before(&mut self, end: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        match self.stop_last(Slot::FIRST, end, Down::Gone, turn) {
            Some(at) => self.phase = Phase::Ending { at, end: at, reason },
            None => {
                turn.push(Command::Exit(reason));
                self.phase = Phase::Ended;
            }
        }
    }

    /// Takes the last child of these places that has a process in hand and stops it. Those passed on the way are found
    /// dead, or waiting for a start that will not come: their notices are consumed.
    pub(super) fn stop_last(
        &mut self,
        first: Slot,
        end: Slot,
        down: Down,
        turn: &mut Turn<'_>,
    ) -> Option<Slot> {
        let mut end = end;
        while let Some(at) = self.children.last_between(first, end) {
            end = at;
            match self.children.at(at).state() {
                State::Running { .. } => {
                    self.ask_to_stop(at, true, turn);
                    return Some(at);
                }
                State::Fallen { reason, .. } => {
                    let reason = reason.clone();
                    self.cleared(at, reason, down, turn);
                }
                State::Waiting { .. } | State::Delayed { .. } => self.set_down(at, Down::Gone),
                State::Finished | State::Gone | State::Disabled => {}
                State::Starting | State::Stopping(_) => {
                    unreachable!("one child at a time is in hand")
                }
            }
        }
        None
    }

    /// Stops a child by its own setting. `up`: it is running; otherwise its start is abandoned.
    pub(super) fn ask_to_stop(&mut self, at: Slot, up: bool, turn: &mut Turn<'_>) {
        let shutdown = self.children.at(at).rules.shutdown;
        self.children.set(at, State::Stopping(Stop::tell(shutdown, at, up, turn)));
    }

    /// The start that a stop abandoned has come to its end without the child ever being up.
    pub(super) fn abandoned_start_ended(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        if let Some(child) = self.children.get(slot)
            && let State::Stopping(Stop { up: false, .. }) = child.state()
        {
            self.stopped(slot, reason, turn);
        }
    }

    /// The child in hand has been stopped; the operation goes on.
    pub(super) fn stopped(&mut self, at: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        match core::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::StoppingGroup { first, later, .. } => {
                self.cleared(at, reason, Down::Forgotten, turn);
                self.stop_group(first, at, later, turn);
            }
            Phase::StoppingOne { request, down, .. } => {
                self.cleared(at, reason, down, turn);
                turn.push(Command::Answer(request, Answer::Done));
            }
            Phase::StoppingForChange { .. } => {
                self.left(at, reason, turn);
                self.apply_next(turn);
            }
            Phase::Ending { end, reason: own, .. } => {
                self.cleared(at, reason, Down::Gone, turn);
                self.end_before(end, own, turn);
            }
            Phase::New
            | Phase::Idle
            | Phase::Starting { .. }
            | Phase::Comparing { .. }
            | Phase::Applying { .. }
            | Phase::Ended => {
                unreachable!("a child is stopped by a group restart, a request, a change or the end")
            }
        }
    }

    /// A child has gone that was to be stopped. Its reason is not judged, at most reported (SUP-039, SUP-158).
    pub(super) fn cleared(&mut self, at: Slot, reason: ExitReason, down: Down, turn: &mut Turn<'_>) {
        self.life_is_over(at, turn);
        let child = self.children.at(at);
        let stop = match child.state() {
            &State::Stopping(stop) => Some(stop),
            _ => None,
        };
        if ended_otherwise(stop, &child.rules, &reason) {
            self.report(at, reason.clone(), Decision::StoppedOtherwise, turn);
        }
        if down != Down::Gone && self.children.at(at).is_temporary() {
            self.report(at, reason, Decision::ForgetStopped, turn);
            self.drop_out(at, turn);
        } else {
            self.set_down(at, down);
        }
    }

    pub(super) fn set_down(&mut self, at: Slot, down: Down) {
        self.children.set(
            at,
            match down {
                Down::Disabled => State::Disabled,
                Down::Gone | Down::Forgotten => State::Gone,
            },
        );
    }
}
