//! Requests to a supervisor of children with needs: OTP's, with its answers. Never consults verdict, intensity or needs of
//! others: whoever is stopped by request takes nobody along.
//! A request about a child that is coming up or going waits until it has; others overtake it.

use super::standing::{Node, Purpose, State};
use super::{GraphSupervision, Phase, Turn, needs};
use crate::command::Command;
use crate::readiness::Readiness;
use crate::request::{Answer, Counts, Listed, Refusal, Request, RequestId, Which};
use crate::{ChildRules, ChildState, Kind, Slot};
use minder_signals::ExitReason;

impl GraphSupervision {
    /// Answers the first request that need not wait, or begins what it asks for; whether there was one.
    pub(super) fn answer_one(&mut self, turn: &mut Turn<'_>) -> bool {
        if !matches!(self.phase, Phase::Up) {
            return false;
        }
        let first = self.deferred.iter().position(|(_, request)| !self.has_to_wait(request));
        let Some((id, request)) = first.and_then(|at| self.deferred.remove(at)) else { return false };
        if let Some(answer) = self.carry_out(id, request, turn) {
            turn.push(Command::Answer(id, answer));
        }
        true
    }

    /// Whether a request is about a child that is on the move.
    pub(super) fn has_to_wait(&self, request: &Request) -> bool {
        let id = match request {
            Request::StartChild(rules) => &rules.id,
            Request::TerminateChild(Which::Id(id)) | Request::RestartChild(id) | Request::DeleteChild(id) => {
                id
            }
            _ => return false,
        };
        self.by_id.get(id).is_some_and(|slot| self.at(*slot).is_moving())
    }

    /// The answer, unless it takes a start or stop to find it.
    fn carry_out(&mut self, id: RequestId, request: Request, turn: &mut Turn<'_>) -> Option<Answer> {
        Some(match request {
            Request::StartChild(rules) => return self.add(id, rules, turn),
            Request::TerminateChild(which) => return self.terminate(id, &which, turn),
            Request::RestartChild(child) => match self.without_process(&child) {
                Ok(slot) => {
                    self.set(slot, State::Due(Purpose::Again(id)));
                    return None;
                }
                Err(refusal) => Answer::Refused(refusal),
            },
            Request::DeleteChild(child) => match self.without_process(&child) {
                Ok(slot) => {
                    self.drop_out(slot, turn);
                    Answer::Done
                }
                Err(refusal) => Answer::Refused(refusal),
            },
            Request::WhichChildren => Answer::Children(
                self.children.iter().rev().map(|(slot, child)| listed(slot, child)).collect(),
            ),
            Request::WhichChild(which) => {
                self.find(&which).map_or_else(not_found, |slot| Answer::Child(listed(slot, self.at(slot))))
            }
            Request::CountChildren => Answer::Counts(self.counts()),
            Request::ChildSpec(which) => self
                .find(&which)
                .map_or_else(not_found, |slot| Answer::ChildSpec(self.at(slot).rules.clone())),
            Request::StartInstance | Request::StartInstanceAs(_) | Request::ChangeDynamic(_) => {
                Answer::Refused(Refusal::NotDynamic)
            }
            Request::DisableChild(_)
            | Request::EnableChild(_)
            | Request::Outline
            | Request::Change { .. } => Answer::Refused(Refusal::ByNeeds),
        })
    }

    /// The rules are looked at before the id (SUP-142), and the needs after both.
    fn add(&mut self, id: RequestId, rules: ChildRules, turn: &mut Turn<'_>) -> Option<Answer> {
        if let Err(error) = rules.check_by_needs(self.auto_shutdown) {
            return Some(Answer::Refused(Refusal::Invalid(error)));
        }
        if let Some(&slot) = self.by_id.get(&rules.id) {
            return Some(Answer::Refused(match self.at(slot).state {
                State::Running { .. } => Refusal::AlreadyStarted(slot),
                _ => Refusal::AlreadyPresent,
            }));
        }
        // Somebody of this id may have been forgotten whom others still need: so there may be a cycle through old needs.
        let all = self.children.iter().map(|(_, child)| &child.rules).chain([&rules]);
        if let Err(error) = needs::check(all, |checked| checked.id == rules.id) {
            return Some(Answer::Refused(Refusal::Invalid(error)));
        }
        let child = rules.id.clone();
        let slot = self.children.add(Node::new(rules, State::Due(Purpose::Added(id))));
        self.by_id.insert(child, slot);
        self.relate();
        turn.push(Command::Add(slot, id));
        None
    }

    /// SUP-143, SUP-144, SUP-074. Those that need it keep their processes (SUP-044).
    fn terminate(&mut self, id: RequestId, which: &Which, turn: &mut Turn<'_>) -> Option<Answer> {
        let Some(slot) = self.find(which) else { return Some(not_found()) };
        match self.at(slot).state {
            State::Running { .. } => {
                self.ask_to_stop(slot, None, Some(id), turn);
                return None;
            }
            State::Due(purpose) => {
                self.call_off(slot, purpose, Refusal::StartFailed(ExitReason::Shutdown), turn);
            }
            // What is left of its retry finds a child that does not wait.
            State::Waiting { .. } => self.set(slot, State::Down { done: false }),
            State::Down { .. } | State::Starting(_) | State::Stopping { .. } => {}
        }
        Some(Answer::Done)
    }

    /// The child of this id, if it has no process and waits for none.
    fn without_process(&self, id: &str) -> Result<Slot, Refusal> {
        let slot = self.by_id.get(id).copied().ok_or(Refusal::NotFound)?;
        match self.at(slot).state {
            State::Down { .. } => Ok(slot),
            State::Due(_) | State::Waiting { .. } => Err(Refusal::Restarting),
            State::Starting(_) | State::Running { .. } | State::Stopping { .. } => Err(Refusal::Running),
        }
    }

    fn find(&self, which: &Which) -> Option<Slot> {
        match which {
            Which::Id(id) => self.by_id.get(id).copied(),
            Which::Instance(_) | Which::Gone | Which::Stranger => None,
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts { specs: self.children.len(), ..Counts::default() };
        for (_, child) in self.children.iter() {
            counts.active += usize::from(child.seen() == ChildState::Running);
            match child.rules.kind {
                Kind::Worker => counts.workers += 1,
                Kind::Supervisor => counts.supervisors += 1,
            }
        }
        counts
    }
}

fn listed(slot: Slot, child: &Node) -> Listed {
    let ready = child.readiness().and_then(Readiness::told);
    Listed { slot, id: child.rules.id.clone(), state: child.seen(), kind: child.rules.kind, ready }
}

fn not_found() -> Answer {
    Answer::Refused(Refusal::NotFound)
}
