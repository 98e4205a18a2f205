//! Who is ready in this supervisor, for whoever asks, and whoever waits for it. What is below is found out by asking there:
//! a supervisor knows its own children only.

use minder_runtime::{Context, Reply};
use minder_supervisors_core::{ChildState, Slot};

use super::{Core, Supervisor, SupervisorMsg};
use crate::question::Outcome;
use crate::readiness::Sighting;
use crate::root::Root;

impl Supervisor {
    /// Answers once all children of this supervisor are ready.
    pub(super) fn when_ready(&mut self, reply: Reply<Outcome>, context: &mut Context<SupervisorMsg>) {
        if self.core.is_ready() {
            let sighting = self.sighting(false, Vec::new());
            return drop(reply.send(Outcome::Sighting(sighting)));
        }
        // Whoever has turned away would otherwise be kept for as long as this lasts.
        self.awaiting.retain(|reply| {
            let is_abandoned = reply.is_abandoned();
            if is_abandoned {
                context.keeps_no_longer(reply);
            }
            !is_abandoned
        });
        self.awaiting.push(reply);
    }

    pub(super) fn answer_if_ready(&mut self, context: &mut Context<SupervisorMsg>) {
        if self.awaiting.is_empty() || !self.core.is_ready() {
            return;
        }
        for reply in std::mem::take(&mut self.awaiting) {
            context.keeps_no_longer(&reply);
            let sighting = self.sighting(true, Vec::new());
            drop(reply.send(Outcome::Sighting(sighting)));
        }
    }

    /// Answers at once who is not ready, whatever the supervisor is at.
    pub(super) fn who_is_not_ready(&self, path: &str, reply: Reply<Outcome>) {
        let names = self.core.unready().into_iter().map(|slot| match self.actor(slot) {
            Some(actor) => actor.path(),
            // It has never been started: where it will stand.
            None => format!("{path}/{}", self.core.id(slot).map_or("", |id| id)).into(),
        });
        let sighting = self.sighting(false, names.collect());
        drop(reply.send(Outcome::Sighting(sighting)));
    }

    fn sighting(&self, waited: bool, unready: Vec<std::sync::Arc<str>>) -> Sighting {
        // Of a dynamic supervisor's very many children none is asked if none is one.
        let none = matches!(&self.core, Core::Dynamic(core, _) if core.supervisors() == 0);
        let children = (!none).then(|| self.children.iter()).into_iter().flatten();
        // One that has just ended, and is taken to be up here still, is among them: whoever asks it learns that it is not.
        let up = |slot: &Slot| self.core.state(*slot) == Some(ChildState::Running);
        let supervisors = children
            .filter(|(slot, _)| up(slot))
            .filter_map(|(_, child)| Some(Root::of(child.actor.as_ref()?.address::<SupervisorMsg>()?)));
        Sighting { waited, unready, below: supervisors.collect() }
    }
}
