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
            Request::StartChild(_) if self.template().is_some() => refused(Refusal::Dynamic),
            Request::StartInstance | Request::StartInstanceBy(_) if self.template().is_none() => {
                refused(Refusal::NotDynamic)
            }
            Request::StartInstance => self.start_instance(id, None, turn),
            Request::StartChild(own) | Request::StartInstanceBy(own) => {
                self.start_instance(id, Some(own), turn)
            }
            Request::TerminateChild(which) => match which {
                Which::Id(_) => refused(Refusal::Dynamic),
                Which::Stranger => refused(Refusal::NotFound),
                Which::Gone => Some(self.is_gone()),
                Which::Instance(slot) => self.terminate(id, slot, turn),
            },
            Request::RestartChild(_)
            | Request::DisableChild(_)
            | Request::EnableChild(_)
            | Request::DeleteChild(_)
            | Request::Outline
            | Request::Change { .. } => refused(Refusal::Dynamic),
            Request::ChangeDynamic(rules) => match (self.template(), rules.template()) {
                (Some(_), None) => refused(Refusal::Dynamic),
                (None, Some(_)) => refused(Refusal::NotDynamic),
                (Some(_), Some(_)) | (None, None) => {
                    self.change(rules, turn);
                    Some(Answer::Done)
                }
            },
            Request::WhichChildren => Some(Answer::Children(
                self.children.iter().map(|(slot, state)| self.listed(slot, state)).collect(),
            )),
            Request::WhichChild(Which::Id(_)) => refused(Refusal::Dynamic),
            Request::WhichChild(which) => match self.instance(&which) {
                Some((slot, state)) => Some(Answer::Child(self.listed(slot, state))),
                None => refused(Refusal::NotFound),
            },
            Request::CountChildren => Some(Answer::Counts(self.counts())),
            Request::ChildSpec(which) => {
                let rules = match which {
                    Which::Id(_) if self.template().is_none() => return refused(Refusal::Dynamic),
                    Which::Id(id) => self.template().filter(|template| template.id == id),
                    Which::Instance(slot) => self.child(slot),
                    Which::Gone => self.template(),
                    Which::Stranger => None,
                };
                Some(
                    rules
                        .map_or(Answer::Refused(Refusal::NotFound), |rules| Answer::ChildSpec(rules.clone())),
                )
            }
        }
    }

    fn start_instance(
        &mut self,
        id: RequestId,
        mut own: Option<ChildRules>,
        turn: &mut Turn<'_>,
    ) -> Option<Answer> {
        if let Some(own) = &mut own {
            if let Err(wrong) = own.check_instance() {
                return Some(Answer::Refused(Refusal::Invalid(wrong)));
            }
            own.inherit(self.common.as_ref());
        }
        if self.children.len() >= self.max_children {
            return Some(Answer::Refused(Refusal::TooMany));
        }
        let slot = self.add(own);
        turn.push(Command::Add(slot, id));
        turn.push(Command::Start(slot));
        self.phase = Phase::Starting { at: slot, request: Some(id) };
        None
    }

    /// The answer to whoever would stop a child that is gone: with a template as of OTP (SUP-175), without one as of Elixir,
    /// where nobody is known who is no child any more (EXD-006).
    fn is_gone(&self) -> Answer {
        match self.template() {
            Some(_) => Answer::Done,
            None => Answer::Refused(Refusal::NotFound),
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
            Some(State::Starting | State::Stopping(_)) => {}
            None => return Some(self.is_gone()),
        }
        Some(Answer::Done)
    }

    fn instance(&self, which: &Which) -> Option<(Slot, &State)> {
        let &Which::Instance(slot) = which else { return None };
        Some((slot, self.children.get(slot)?))
    }

    fn listed(&self, slot: Slot, state: &State) -> Listed {
        let (rules, ready) = (self.rules.of(slot), state.readiness().and_then(Readiness::told));
        Listed { slot, id: rules.id.clone(), state: state.seen(), kind: rules.kind, ready }
    }

    fn counts(&self) -> Counts {
        let (all, supervisors) = (self.children.len(), self.supervisors());
        let specs = if self.template().is_some() { 1 } else { all };
        Counts { specs, active: all - self.waiting, supervisors, workers: all - supervisors }
    }
}
