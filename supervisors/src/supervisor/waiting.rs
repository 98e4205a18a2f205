//! What the runtime is told of requests that this supervisor keeps: who waits for an answer, and for which children that waits.
//! So whoever waits for itself through a supervisor is told. For supervisors that do one thing at a time it is enough that they
//! keep them: their children are noted as they are told to come or go.
//! Decides nothing; see `graph/waiting.rs` of the core.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use minder_runtime::{Context, Until};
use minder_supervisors_core::{ChildState, Event, RequestId, Slot};

use super::requests::{Asker, Pending};
use super::{Core, Supervisor, SupervisorMsg};

impl Supervisor {
    /// The requests whose askers have been told that they wait for themselves: they take it that nothing is done. Looks at
    /// them only if somebody has been told of a cycle, since there may be thousands.
    pub(super) fn taken_back(&mut self, context: &Context<SupervisorMsg>) -> VecDeque<Event> {
        if !context.has_cycles_since(&mut self.cycles) {
            return VecDeque::new();
        }
        let is_told = |request: &RequestId| self.pending.get(request).is_some_and(Pending::is_in_a_cycle);
        let told: Vec<RequestId> = self.kept.iter().copied().filter(is_told).collect();
        told.into_iter().map(Event::TakenBack).collect()
    }

    /// Notes for whom the requests wait that have not been answered.
    pub(super) fn note_waits(&mut self, context: &mut Context<SupervisorMsg>) {
        if !self.kept.is_empty() {
            let (waits, first) = match &self.core {
                Core::ByNeeds(core) => (core.waits(), RequestId(0)),
                // Once is enough: all of them wait for all that it does.
                Core::Fixed(_) | Core::Dynamic(..) => (BTreeMap::new(), RequestId(self.noted)),
            };
            self.noted = self.next_request;
            let (nobody, mut above) = (BTreeSet::new(), BTreeSet::new());
            for request in self.kept.range(first..) {
                let slots = waits.get(request).unwrap_or(&nobody);
                let Some(pending) = self.pending.get(request) else { continue };
                match &pending.asker {
                    Asker::Root(reply) if !pending.is_from_above() => {
                        context.keeps(reply, self.until(slots));
                    }
                    Asker::Root(_) | Asker::Above(_) => above.extend(slots),
                }
            }
            if !above.is_empty() {
                context.keeps_minder_waiting(self.until(&above));
            } else if self.keeps_above {
                context.keeps_minder_waiting_no_longer();
            }
            self.keeps_above = !above.is_empty();
        }
        if !self.awaiting.is_empty()
            && let Core::ByNeeds(core) = &self.core
        {
            let slots = core.waits_to_be_ready();
            for reply in &self.awaiting {
                context.keeps(reply, self.until(&slots));
            }
        }
        // Only now: whoever waits for the change is known to wait for this supervisor.
        let begun = self.changing.as_mut().map(|changing| std::mem::take(&mut changing.begun));
        for actor in begun.into_iter().flatten() {
            context.waits_for_work_of(&actor);
        }
    }

    /// From now on no request is answered before the end, and that waits for those too who were going already.
    pub(super) fn waits_for_who_is_going(&self, context: &mut Context<SupervisorMsg>) {
        let is_going = |slot| self.core.state(slot) == Some(ChildState::Stopping);
        let going = self.children.iter().filter(|(slot, _)| is_going(*slot));
        going
            .filter_map(|(_, child)| child.actor.as_ref())
            .for_each(|actor| context.waits_for_work_of(actor));
    }

    /// A request is about to be answered.
    pub(super) fn keeps_no_longer(
        &mut self,
        request: RequestId,
        pending: &Pending,
        context: &mut Context<SupervisorMsg>,
    ) {
        if self.kept.remove(&request) {
            match &pending.asker {
                Asker::Root(reply) if !pending.is_from_above() => context.keeps_no_longer(reply),
                Asker::Root(_) | Asker::Above(_) if self.keeps_above => {
                    self.keeps_above = false;
                    context.keeps_minder_waiting_no_longer();
                }
                Asker::Root(_) | Asker::Above(_) => {}
            }
        }
    }

    fn until<'a>(&'a self, slots: &'a BTreeSet<Slot>) -> impl Iterator<Item = Until<'a>> + 'a {
        slots.iter().filter_map(|slot| {
            let actor = self.children.get(*slot)?.actor.as_ref()?;
            Some(match self.core.state(*slot) {
                Some(ChildState::Starting) => Until::Up(actor),
                _ => Until::Done(actor),
            })
        })
    }
}
