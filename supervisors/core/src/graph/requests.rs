//! Requests to a supervisor of children with needs: OTP's, with its answers. Never consults verdict, intensity or needs of
//! others: whoever is stopped by request takes nobody along.
//! A request about a child that is coming up or going waits until it has; others overtake it. A change waits until nobody is,
//! and no start that was asked for waits.

use super::standing::{Cause, Node, Purpose, State, Then};
use super::{Deferred, GraphSupervision, Phase, Turn, needs};
use crate::command::Command;
use crate::deferred::take_back;
use crate::readiness::Readiness;
use crate::request::{Answer, Counts, Listed, Refusal, Request, RequestId, Which};
use crate::{ChildRules, Slot};
use alloc::sync::Arc;
use minder_signals::ExitReason;

/// Whom a request changes.
pub(super) enum About<'a> {
    One(&'a Arc<str>),
    All,
}

impl<'a> About<'a> {
    /// Nothing if it changes nobody, and so waits for nobody.
    pub(super) fn of(request: &'a Request) -> Option<Self> {
        match request {
            Request::Change { .. } => Some(Self::All),
            Request::StartChild(ChildRules { id, .. })
            | Request::TerminateChild(Which::Id(id))
            | Request::RestartChild(id)
            | Request::DisableChild(id)
            | Request::EnableChild(id)
            | Request::DeleteChild(id) => Some(Self::One(id)),
            _ => None,
        }
    }
}

impl GraphSupervision {
    /// Answers the first request that need not wait, or begins what it asks for; whether there was one.
    pub(super) fn answer_one(&mut self, turn: &mut Turn<'_>) -> bool {
        if !matches!(self.phase, Phase::Up) {
            return false;
        }
        let may = |deferred: &Deferred| matches!(deferred, Deferred::Asked(_, request) if !self.has_to_wait(request));
        let first = self.deferred.iter().position(may);
        let Some(Deferred::Asked(id, request)) = first.and_then(|at| self.deferred.remove(at)) else {
            return false;
        };
        if let Some(answer) = self.carry_out(id, request, turn) {
            turn.push(Command::Answer(id, answer));
        }
        true
    }

    /// Whether a request is about a child that is on the move, or about all of them while one is.
    pub(super) fn has_to_wait(&self, request: &Request) -> bool {
        match About::of(request) {
            None => false,
            Some(About::All) => !self.is_at_rest(),
            Some(About::One(id)) => self.by_id.get(id).is_some_and(|slot| self.at(*slot).is_moving()),
        }
    }

    /// Whoever asked for this has been told that it would wait for itself: it is not done, unless it has been begun.
    pub(super) fn taken_back(&mut self, request: RequestId, turn: &mut Turn<'_>) {
        if take_back(&mut self.deferred, request) {
            return turn.push(Command::Answer(request, Answer::Refused(Refusal::TakenBack)));
        }
        let waits = |(slot, child): (Slot, &Node)| match child.state {
            State::Due(purpose) if purpose.request() == Some(request) => Some((slot, purpose)),
            _ => None,
        };
        let waiting = self.children.iter().find_map(waits);
        if let Some((slot, purpose)) = waiting {
            self.call_off(slot, purpose, Refusal::TakenBack, turn);
        }
    }

    /// The answer, unless it takes a start or stop to find it.
    fn carry_out(&mut self, id: RequestId, request: Request, turn: &mut Turn<'_>) -> Option<Answer> {
        Some(match request {
            Request::StartChild(rules) => return self.add(id, rules, turn),
            Request::TerminateChild(which) => match self.find(&which) {
                Some(slot) => return self.take_down(id, slot, Then::Down, turn),
                None => not_found(),
            },
            Request::RestartChild(child) => match self.without_process(&child) {
                Ok(slot) => match self.at(slot).state {
                    State::Down(cause) => {
                        self.set(slot, State::Due(Purpose::Again(id, cause)));
                        return None;
                    }
                    _ => Answer::Refused(Refusal::Disabled),
                },
                Err(refusal) => Answer::Refused(refusal),
            },
            Request::EnableChild(child) => match self.by_id.get(&child) {
                None => not_found(),
                Some(&slot) if matches!(self.at(slot).state, State::Disabled) => {
                    self.set(slot, State::Due(Purpose::Enabled(id)));
                    return None;
                }
                Some(_) => Answer::Refused(Refusal::NotDisabled),
            },
            Request::DisableChild(child) => match self.by_id.get(&child) {
                None => not_found(),
                Some(&slot) => return self.take_down(id, slot, Then::Disabled, turn),
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
            Request::CountChildren => Answer::Counts(Counts::of(
                self.children.iter().map(|(_, child)| (&child.rules, child.seen())),
            )),
            Request::ChildSpec(which) => self
                .find(&which)
                .map_or_else(not_found, |slot| Answer::ChildSpec(self.at(slot).rules.clone())),
            Request::StartInstance | Request::StartInstanceBy(_) | Request::ChangeDynamic(_) => {
                Answer::Refused(Refusal::NotDynamic)
            }
            Request::Outline => Answer::Outline(self.outline()),
            Request::Change { in_parts } => {
                self.compare(id, in_parts, turn);
                return None;
            }
        })
    }

    /// The rules are looked at before the id (SUP-142), and the needs after both.
    fn add(&mut self, id: RequestId, mut rules: ChildRules, turn: &mut Turn<'_>) -> Option<Answer> {
        if let Err(error) = rules.check_by_needs(self.auto_shutdown) {
            return Some(Answer::Refused(Refusal::Invalid(error)));
        }
        if let Some(&slot) = self.by_id.get(&rules.id) {
            return Some(Answer::Refused(match self.at(slot).state {
                State::Running { .. } => Refusal::AlreadyStarted(slot),
                _ => Refusal::AlreadyPresent,
            }));
        }
        if self.children.len() >= self.max_children {
            return Some(Answer::Refused(Refusal::TooMany));
        }
        // Somebody of this id may have been forgotten whom others still need: so there may be a cycle through old needs.
        let all = self.children.iter().map(|(_, child)| &child.rules).chain([&rules]);
        if let Err(error) = needs::check(all, |checked| checked.id == rules.id) {
            return Some(Answer::Refused(Refusal::Invalid(error)));
        }
        rules.inherit(self.common.as_ref());
        let child = rules.id.clone();
        let slot = self.children.add(Node::new(rules));
        self.by_id.insert(child, slot);
        self.relate();
        turn.push(Command::Add(slot, id));
        if let State::Disabled = self.at(slot).state {
            return Some(Answer::Ignored);
        }
        self.set(slot, State::Due(Purpose::Added(id)));
        None
    }

    /// SUP-143, SUP-144, SUP-074. Those that need it keep their processes (SUP-044).
    fn take_down(&mut self, id: RequestId, slot: Slot, then: Then, turn: &mut Turn<'_>) -> Option<Answer> {
        match self.at(slot).state {
            State::Running { .. } => {
                self.ask_to_stop(slot, then, Some(id), turn);
                return None;
            }
            // Whoever asked for it to be added is told that it is there, and disabled.
            State::Due(purpose @ Purpose::Added(_)) if then == Then::Disabled => {
                self.set(slot, State::Disabled);
                self.answer(purpose, Answer::Ignored, turn);
            }
            State::Due(purpose) => {
                self.call_off(slot, purpose, Refusal::StartFailed(ExitReason::Shutdown), turn);
                if then == Then::Disabled {
                    self.set(slot, State::Disabled);
                } else if self.children.get(slot).is_some_and(Node::is_temporary) {
                    self.drop_out(slot, turn);
                } else if let Purpose::Again(..) = purpose {
                    // Whatever it was before.
                    self.set(slot, State::Down(Cause::Stopped));
                }
            }
            // What is left of its retry, or of its wait, finds a child that does not wait for it.
            State::Waiting { .. } | State::Held(_) | State::Delayed { .. } => self.set(slot, then.into()),
            State::Down(_) if then == Then::Disabled => self.set(slot, then.into()),
            State::Down(_)
            | State::Disabled
            | State::Starting(_)
            | State::Stopping { .. }
            | State::Fallen { .. } => {}
        }
        Some(Answer::Done)
    }

    /// The child of this id, if it has no process and waits for none.
    fn without_process(&self, id: &str) -> Result<Slot, Refusal> {
        let slot = self.by_id.get(id).copied().ok_or(Refusal::NotFound)?;
        match self.at(slot).state {
            State::Down(_) | State::Disabled => Ok(slot),
            State::Due(_) | State::Waiting { .. } | State::Held(_) | State::Delayed { .. } => {
                Err(Refusal::Restarting)
            }
            State::Starting(_) | State::Running { .. } | State::Stopping { .. } | State::Fallen { .. } => {
                Err(Refusal::Running)
            }
        }
    }

    fn find(&self, which: &Which) -> Option<Slot> {
        match which {
            Which::Id(id) => self.by_id.get(id).copied(),
            Which::Instance(_) | Which::Gone | Which::Stranger => None,
        }
    }
}

fn listed(slot: Slot, child: &Node) -> Listed {
    let ready = child.readiness().and_then(Readiness::told);
    Listed { slot, id: child.rules.id.clone(), state: child.seen(), kind: child.rules.kind, ready }
}

fn not_found() -> Answer {
    Answer::Refused(Refusal::NotFound)
}
