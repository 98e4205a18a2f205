//! Requests to a running supervisor, in order of arrival: while an operation runs they wait with the exits (SUP-154).
//! A request never consults verdict, intensity or strategy (SUP-044, SUP-056, SUP-126).
//! Does not look at who asks.

use super::{Command, Deferred, Down, Phase, Purpose, Supervision, Turn};
use crate::children::State;
use crate::readiness::Readiness;
use crate::request::{Answer, Counts, Listed, Refusal, Request, RequestId, Which};
use crate::{ChildRules, Slot};

impl Supervision {
    /// Before the supervisor's own start is complete, and during any operation, a request waits; once it ends, nobody
    /// answers any more (SUP-107).
    pub(super) fn asked(&mut self, id: RequestId, request: Request, turn: &mut Turn<'_>) {
        match self.phase {
            Phase::Idle => {
                if let Some(answer) = self.carry_out(id, request, turn) {
                    turn.push(Command::Answer(id, answer));
                }
            }
            Phase::New
            | Phase::Starting { .. }
            | Phase::StoppingGroup { .. }
            | Phase::StoppingOne { .. }
            | Phase::Comparing { .. }
            | Phase::StoppingForChange { .. }
            | Phase::Applying { .. } => {
                self.deferred.push_back(Deferred::Asked(id, request));
            }
            Phase::Ending { .. } | Phase::Ended => {}
        }
    }

    /// The answer, unless it takes an operation to find it.
    fn carry_out(&mut self, id: RequestId, request: Request, turn: &mut Turn<'_>) -> Option<Answer> {
        match request {
            Request::StartChild(rules) => self.add(id, rules, turn),
            Request::TerminateChild(which) => match self.find(&which) {
                None => Some(not_found()),
                Some(slot) => self.take_down(id, slot, Down::Forgotten, turn),
            },
            Request::RestartChild(child) => match self.without_process(&child) {
                Ok(slot) if matches!(self.children.at(slot).state(), State::Disabled) => {
                    Some(Answer::Refused(Refusal::Disabled))
                }
                Ok(slot) => {
                    self.start_child(slot, Purpose::Again(id), turn);
                    None
                }
                Err(refusal) => Some(Answer::Refused(refusal)),
            },
            Request::EnableChild(child) => match self.children.named(&child) {
                None => Some(not_found()),
                Some(slot) if !matches!(self.children.at(slot).state(), State::Disabled) => {
                    Some(Answer::Refused(Refusal::NotDisabled))
                }
                Some(slot) => {
                    self.start_child(slot, Purpose::Enabled(id), turn);
                    None
                }
            },
            Request::DisableChild(child) => match self.children.named(&child) {
                None => Some(not_found()),
                Some(slot) => self.take_down(id, slot, Down::Disabled, turn),
            },
            Request::DeleteChild(child) => Some(match self.without_process(&child) {
                Ok(slot) => {
                    self.drop_out(slot, turn);
                    Answer::Done
                }
                Err(refusal) => Answer::Refused(refusal),
            }),
            Request::WhichChildren => Some(Answer::Children(
                self.children.iter().rev().map(|(slot, _)| self.listed(slot)).collect(),
            )),
            Request::WhichChild(which) => {
                Some(self.find(&which).map_or_else(not_found, |slot| Answer::Child(self.listed(slot))))
            }
            Request::CountChildren => Some(Answer::Counts(Counts::of(
                self.children.iter().map(|(_, child)| (&child.rules, child.seen())),
            ))),
            Request::ChildSpec(which) => Some(
                self.find(&which)
                    .map_or_else(not_found, |slot| Answer::ChildSpec(self.children.at(slot).rules.clone())),
            ),
            Request::Outline => Some(Answer::Outline(self.outline())),
            Request::Change { in_parts } => {
                self.compare(id, in_parts, turn);
                None
            }
            Request::StartInstance | Request::StartInstanceBy(_) | Request::ChangeDynamic(_) => {
                Some(Answer::Refused(Refusal::NotDynamic))
            }
        }
    }

    /// SUP-141, SUP-142. The rules are looked at before the id.
    fn add(&mut self, id: RequestId, mut rules: ChildRules, turn: &mut Turn<'_>) -> Option<Answer> {
        if let Err(error) = rules.check(self.auto_shutdown) {
            return Some(Answer::Refused(Refusal::Invalid(error)));
        }
        if let Some(slot) = self.children.named(&rules.id) {
            return Some(Answer::Refused(match self.children.at(slot).state() {
                State::Running { .. } | State::Fallen { .. } => Refusal::AlreadyStarted(slot),
                _ => Refusal::AlreadyPresent,
            }));
        }
        if self.children.len() >= self.max_children {
            return Some(Answer::Refused(Refusal::TooMany));
        }
        rules.inherit(self.common.as_ref());
        let slot = self.children.add(rules);
        turn.push(Command::Add(slot, id));
        if let State::Disabled = self.children.at(slot).state() {
            return Some(Answer::Ignored);
        }
        self.start_child(slot, Purpose::Added(id), turn);
        None
    }

    /// SUP-143, SUP-144, SUP-074.
    fn take_down(&mut self, id: RequestId, slot: Slot, down: Down, turn: &mut Turn<'_>) -> Option<Answer> {
        match self.children.at(slot).state() {
            State::Running { .. } => {
                self.ask_to_stop(slot, true, turn);
                self.phase = Phase::StoppingOne { at: slot, request: id, down };
                return None;
            }
            // Its notice stands behind this request: it is consumed (SUP-099).
            State::Fallen { reason, .. } => {
                let reason = reason.clone();
                self.cleared(slot, reason, down, turn);
            }
            // What is left of its retry, or of its wait, finds a child that does not wait for it.
            State::Waiting { .. } | State::Delayed { .. } => self.set_down(slot, down),
            State::Finished | State::Gone if down == Down::Disabled => self.set_down(slot, down),
            State::Finished | State::Gone | State::Disabled | State::Starting | State::Stopping(_) => {}
        }
        Some(Answer::Done)
    }

    /// The child of this id, if it has no process and waits for none.
    fn without_process(&self, id: &str) -> Result<Slot, Refusal> {
        let slot = self.children.named(id).ok_or(Refusal::NotFound)?;
        match self.children.at(slot).state() {
            State::Finished | State::Gone | State::Disabled => Ok(slot),
            State::Waiting { .. } | State::Delayed { .. } => Err(Refusal::Restarting),
            State::Running { .. } | State::Fallen { .. } | State::Starting | State::Stopping(_) => {
                Err(Refusal::Running)
            }
        }
    }

    /// Only ids are ids here: whoever names a process finds nothing (SUP-147).
    fn find(&self, which: &Which) -> Option<Slot> {
        match which {
            Which::Id(id) => self.children.named(id),
            Which::Instance(_) | Which::Gone | Which::Stranger => None,
        }
    }

    fn listed(&self, slot: Slot) -> Listed {
        let child = self.children.at(slot);
        let ready = child.readiness().and_then(Readiness::told);
        Listed { slot, id: child.rules.id.clone(), state: child.seen(), kind: child.rules.kind, ready }
    }
}

fn not_found() -> Answer {
    Answer::Refused(Refusal::NotFound)
}
