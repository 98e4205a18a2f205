//! Questions of whoever holds a `Root`, put to the core in its own words, and its answers put into theirs.
//! An asker that has turned away meanwhile loses the answer; what it asked for is done.

use std::iter;

use minder_runtime::{ActorRef, Context, Reply};
use minder_supervisors_core::{
    Answer, AutoShutdown, ChildState, Counts, DynamicSupervision, Event, Listed, Refusal, Request, RequestId,
    Slot, Which,
};

use super::apply::Next;
use super::{Core, Minded, RECIPE, Supervisor, SupervisorMsg};
use crate::apply::Wanted;
use crate::explain::Regime;
use crate::explain::layout::{Described, DescribedChild, Ruling, any};
use crate::question::{Named, Outcome, Question};
use crate::root::{ChildInfo, ChildStatus, Root};
use crate::spec::TemplateParts;

/// A question that the core has not answered yet.
pub(super) struct Pending {
    pub(super) asker: Asker,
    /// Whether this is a part of a change of the supervisor above.
    is_from_above: bool,
    /// The child that is to be added, until it is.
    child: Option<Box<Minded>>,
    /// What the supervisor is to be, until it is compared.
    pub(super) wanted: Option<Box<Wanted>>,
}

/// Who waits for an answer.
pub(super) enum Asker {
    /// Whoever holds a `Root`.
    Root(Reply<Outcome>),
    /// The supervisor above, for a part of a change.
    Above(Next),
}

impl Pending {
    pub(super) fn new(asker: Asker) -> Self {
        let is_from_above = matches!(asker, Asker::Above(_));
        Self { asker, is_from_above, child: None, wanted: None }
    }

    /// A request for a change, or for the first part of one.
    pub(super) fn change(asker: Asker, wanted: Box<Wanted>) -> Self {
        let is_from_above = wanted.in_parts || matches!(asker, Asker::Above(_));
        Self { asker, is_from_above, child: None, wanted: Some(wanted) }
    }

    /// Whether the supervisor above waits for the answer.
    pub(super) fn is_from_above(&self) -> bool {
        self.is_from_above
    }

    /// Whether whoever asked has been told that it waits for itself.
    pub(super) fn is_in_a_cycle(&self) -> bool {
        matches!(&self.asker, Asker::Root(reply) if reply.is_in_a_cycle())
    }

    /// Whether somebody waits for the answer of whom it is known.
    fn may_be_in_a_cycle(&self) -> bool {
        self.is_from_above || matches!(&self.asker, Asker::Root(reply) if reply.is_from_an_actor())
    }

    pub(super) fn take_child(&mut self) -> Option<Minded> {
        self.child.take().map(|child| *child)
    }

    pub(super) fn answer(self, outcome: Outcome) {
        // Whoever asked has turned away: fine.
        match self.asker {
            Asker::Root(reply) => drop(reply.send(outcome)),
            Asker::Above(reply) => drop(reply.send(outcome)),
        }
    }
}

impl Supervisor {
    /// The event that a question amounts to; nothing if it has been answered on the spot.
    pub(super) fn event_of(
        &mut self,
        question: Question,
        reply: Reply<Outcome>,
        context: &mut Context<SupervisorMsg>,
    ) -> Option<Event> {
        let mut child = None;
        let request = match question {
            Question::Stop(reason) => {
                self.stopping.push(reply);
                return Some(Event::Stop(reason));
            }
            Question::WhenReady => {
                self.when_ready(reply, context);
                self.note_waits(context);
                return None;
            }
            Question::Unready => {
                self.who_is_not_ready(&context.path(), reply);
                return None;
            }
            Question::Describe => {
                drop(reply.send(Outcome::Described(Box::new(self.described()))));
                return None;
            }
            Question::StartInstance(instance) => {
                if !self.starts_by(&instance.template) {
                    context.discard(RECIPE, instance.recipe);
                    drop(reply.send(Outcome::OtherTemplate));
                    return None;
                }
                child = Some(Box::new(Minded::new(instance.recipe, instance.name, None)));
                instance.own.map_or(Request::StartInstance, Request::StartInstanceBy)
            }
            Question::StartChild(added) => {
                child = Some(Box::new(Minded::new(added.recipe, None, added.settings.kept())));
                Request::StartChild(added.rules)
            }
            Question::Terminate(who) => Request::TerminateChild(self.which(who)),
            Question::Restart(id) => Request::RestartChild(id),
            Question::Disable(id) => Request::DisableChild(id),
            Question::Enable(id) => Request::EnableChild(id),
            Question::Delete(id) => Request::DeleteChild(id),
            Question::WhichChildren => Request::WhichChildren,
            Question::WhichChild(who) => Request::WhichChild(self.which(who)),
            Question::CountChildren => Request::CountChildren,
            Question::ChildSpec(who) => Request::ChildSpec(self.which(who)),
            Question::Sketch if !self.core.is_dynamic() => Request::Outline,
            Question::Sketch => {
                drop(reply.send(Outcome::Sketch(Box::new(self.sketch_to_come()))));
                return None;
            }
            Question::Apply(wanted) => return self.wanted(wanted, reply, context),
        };
        let mut pending = Pending::new(Asker::Root(reply));
        pending.child = child;
        Some(Event::Asked(self.keep(pending), request))
    }

    /// Keeps a question until it is answered, under a number of its own.
    pub(super) fn keep(&mut self, pending: Pending) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        if pending.may_be_in_a_cycle() {
            self.kept.insert(id);
        }
        self.pending.insert(id, pending);
        id
    }

    /// What it goes by, and its children, as they stand.
    fn described(&self) -> Described {
        let (regime, level, auto_shutdown, max_children) = match &self.core {
            Core::Fixed(core) => {
                (Regime::Fixed(core.strategy()), core.level(), core.auto_shutdown(), core.max_children())
            }
            Core::ByNeeds(core) => (Regime::ByNeeds, core.level(), core.auto_shutdown(), core.max_children()),
            Core::Dynamic(core, _) => {
                (Regime::Dynamic, core.level(), AutoShutdown::Never, core.max_children())
            }
        };
        let children = match &self.core {
            Core::Fixed(_) | Core::ByNeeds(_) => {
                self.core.slots().into_iter().filter_map(|slot| self.described_child(slot)).collect()
            }
            Core::Dynamic(core, template) => self.described_kinds(core, template.as_deref()),
        };
        Described { ruling: Ruling { regime, level, auto_shutdown, max_children }, children }
    }

    /// The children of a dynamic supervisor: not one by one, but all that go by the template, and all that go by the same rules
    /// and settings of their own.
    fn described_kinds(
        &self,
        core: &DynamicSupervision,
        template: Option<&TemplateParts>,
    ) -> Vec<DescribedChild> {
        match core.template().zip(template) {
            Some((rules, TemplateParts { settings, .. })) => {
                let own = core.own_rules();
                let like_template = core.instances() - own.len();
                let like_template = DescribedChild::kind(any(rules.clone()), settings.clone(), like_template);
                // What they are started with besides is the template's all the same.
                let others = DescribedChild::kinds(own.map(|rules| (rules, Some(settings)))).into_iter();
                let others = others.map(|kind| DescribedChild { rules: any(kind.rules), ..kind });
                iter::once(like_template).chain(others).collect()
            }
            None => DescribedChild::kinds(
                self.children
                    .iter()
                    .filter_map(|(slot, child)| Some((core.child(slot)?, child.settings.as_deref()))),
            ),
        }
    }

    fn described_child(&self, slot: Slot) -> Option<DescribedChild> {
        let (rules, minded) = (self.core.child(slot)?, self.children.get(slot)?);
        let alive = minded.actor.as_ref().filter(|actor| actor.is_alive());
        Some(DescribedChild {
            rules: rules.clone(),
            settings: minded.settings.as_deref().cloned().unwrap_or_default(),
            up: alive.is_some(),
            disabled: self.core.state(slot) == Some(ChildState::Disabled),
            instances: None,
            below: alive.and_then(ActorRef::address).map(Root::of),
        })
    }

    fn which(&self, who: Named) -> Which {
        match who {
            Named::Id(id) => Which::Id(id),
            Named::Actor { cell, alive } => match self.by_cell.get(&cell) {
                Some(slot) => Which::Instance(*slot),
                None if alive => Which::Stranger,
                None => Which::Gone,
            },
        }
    }

    pub(super) fn outcome(&mut self, answer: Answer, context: &mut Context<SupervisorMsg>) -> Outcome {
        match answer {
            Answer::Started(slot) => self.with_actor(slot, Outcome::Started),
            Answer::Refused(Refusal::AlreadyStarted(slot)) => self.with_actor(slot, Outcome::AlreadyStarted),
            Answer::Ignored => Outcome::Ignored,
            Answer::Done => Outcome::Done,
            Answer::Children(children) => {
                Outcome::Children(children.into_iter().map(|child| self.info(child)).collect())
            }
            Answer::Child(child) => Outcome::Child(self.info(child)),
            Answer::Counts(counts) => Outcome::Counts(self.without_the_dead(counts)),
            Answer::ChildSpec(rules) => Outcome::ChildSpec(rules.into()),
            Answer::Outline(outline) => Outcome::Sketch(Box::new(self.sketch_of(outline))),
            Answer::Held => Self::held(context),
            Answer::Applied(applied) => self.is_applied(applied, context),
            Answer::Refused(Refusal::Stale) => self.is_refused(context),
            Answer::Refused(refusal) => Outcome::Refused(refusal),
        }
    }

    fn with_actor(&self, slot: Slot, outcome: fn(minder_runtime::ActorRef) -> Outcome) -> Outcome {
        outcome(self.actor(slot).expect("a child that is up has been started"))
    }

    fn info(&self, Listed { slot, id, state, kind, ready }: Listed) -> ChildInfo {
        let status = match state {
            ChildState::Running | ChildState::Fallen | ChildState::Stopping => {
                self.actor(slot).map_or(ChildStatus::Down, ChildStatus::Running)
            }
            ChildState::Waiting => ChildStatus::Restarting,
            ChildState::Starting | ChildState::Gone => ChildStatus::Down,
            ChildState::Disabled => ChildStatus::Disabled,
        };
        let id = (!self.core.is_dynamic()).then_some(id);
        ChildInfo { id, status, kind, ready }
    }

    /// Those that have ended already, and whose notices stand behind this request, are not active. Only where children
    /// are few enough to look at each, as in OTP.
    fn without_the_dead(&self, mut counts: Counts) -> Counts {
        if !self.core.is_dynamic() {
            let dead = self.children.iter().filter(|(slot, child)| {
                self.core.state(*slot) == Some(ChildState::Running)
                    && child.actor.as_ref().is_some_and(|actor| !actor.is_alive())
            });
            counts.active -= dead.count();
        }
        counts
    }
}
