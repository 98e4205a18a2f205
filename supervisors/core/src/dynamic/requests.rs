//! Requests to a running dynamic supervisor, in order of arrival: while an operation runs they wait with the exits.
//! A request never consults verdict or intensity.

use super::*;

impl DynamicSupervision {
    pub(super) fn asked(&mut self, id: RequestId, request: Request, turn: &mut Turn<'_>) {
        match self.phase {
            Phase::Idle => {
                if let Some(answer) = self.carry_out(id, request, turn) {
                    turn.push(Command::Answer(id, answer));
                }
            }
            Phase::New | Phase::Starting { .. } | Phase::Stopping { .. } => {
                self.deferred.push_back(Deferred::Asked(id, request));
            }
            Phase::Ending { .. } | Phase::Ended => {}
        }
    }

    /// The answer, unless it takes an operation to find it.
    fn carry_out(&mut self, id: RequestId, request: Request, turn: &mut Turn<'_>) -> Option<Answer> {
        let refused = |refusal| Some(Answer::Refused(refusal));
        match request {
            Request::StartInstance | Request::StartInstanceAs(_)
                if self.children.len() >= self.max_children =>
            {
                refused(Refusal::TooMany)
            }
            Request::StartInstance | Request::StartInstanceAs(_) => {
                let slot = self.add(State::Starting);
                if let Request::StartInstanceAs(restart) = request {
                    self.restarts.insert(slot, restart);
                }
                turn.push(Command::Add(slot, id));
                turn.push(Command::Start(slot));
                self.phase = Phase::Starting { at: slot, request: Some(id) };
                None
            }
            Request::TerminateChild(which) => match which {
                Which::Id(_) => refused(Refusal::Dynamic),
                Which::Stranger => refused(Refusal::NotFound),
                Which::Gone => Some(Answer::Done),
                Which::Instance(slot) => self.terminate(id, slot, turn),
            },
            Request::StartChild(_)
            | Request::RestartChild(_)
            | Request::DisableChild(_)
            | Request::EnableChild(_)
            | Request::DeleteChild(_)
            | Request::Outline
            | Request::Change { .. } => refused(Refusal::Dynamic),
            Request::ChangeDynamic(rules) => {
                self.change(rules, turn);
                Some(Answer::Done)
            }
            Request::WhichChildren => Some(Answer::Children(
                self.children.iter().map(|(slot, state)| self.listed(slot, state)).collect(),
            )),
            Request::WhichChild(Which::Id(_)) => refused(Refusal::Dynamic),
            Request::WhichChild(which) => match self.instance(&which) {
                Some((slot, state)) => Some(Answer::Child(self.listed(slot, state))),
                None => refused(Refusal::NotFound),
            },
            Request::CountChildren => Some(Answer::Counts(self.counts())),
            Request::ChildSpec(which) => match which {
                Which::Id(id) if id != self.template.id => refused(Refusal::NotFound),
                Which::Stranger => refused(Refusal::NotFound),
                Which::Id(_) | Which::Instance(_) | Which::Gone => {
                    Some(Answer::ChildSpec(self.template.clone()))
                }
            },
        }
    }

    fn terminate(&mut self, id: RequestId, slot: Slot, turn: &mut Turn<'_>) -> Option<Answer> {
        match self.children.get(slot) {
            Some(State::Running { .. }) => {
                self.ask_to_stop(slot, turn);
                self.phase = Phase::Stopping { at: slot, request: id };
                return None;
            }
            Some(State::Fallen { reason, .. }) => {
                let reason = reason.clone();
                self.cleared(slot, reason, turn);
            }
            Some(State::Waiting { .. } | State::Delayed { .. }) => self.drop_out(slot, turn),
            Some(State::Starting | State::Stopping(_)) | None => {}
        }
        Some(Answer::Done)
    }

    fn instance(&self, which: &Which) -> Option<(Slot, &State)> {
        let &Which::Instance(slot) = which else { return None };
        Some((slot, self.children.get(slot)?))
    }

    fn listed(&self, slot: Slot, state: &State) -> Listed {
        let (kind, ready) = (self.template.kind, state.readiness().and_then(Readiness::told));
        Listed { slot, id: self.template.id.clone(), state: state.seen(), kind, ready }
    }

    fn counts(&self) -> Counts {
        let all = self.children.len();
        let (supervisors, workers) = match self.template.kind {
            Kind::Supervisor => (all, 0),
            Kind::Worker => (0, all),
        };
        Counts { specs: 1, active: all - self.waiting, supervisors, workers }
    }
}
