//! How a supervisor carries out a change of its specification: compares when its turn comes, asks the supervisors below
//! for each part, and puts the recipes where the core has put the children.
//!
//! A supervisor that is held has given a baton to the one above. Passing it asks for the next part; if it is dropped, for
//! whatever reason, nobody waits for the rest. So nobody is held by somebody who is gone.
//! Decides nothing; see `supervision/apply.rs` and `graph/apply.rs` of the core.

use std::collections::HashMap;
use std::sync::Arc;

use minder_runtime::{ActorRef, Context, ExitReason, JobFailed};
use minder_supervisors_core::{Event, Outline, Part, Refusal, Request, RequestId, Slot, Standing};
use tokio::sync::oneshot;

use super::requests::{Asker, Pending};
use super::{Core, Minded, Own, Supervisor, SupervisorMsg, discard_spec};
use crate::apply::{ApplyError, Incomplete, Wanted};
use crate::errors::Unavailable;
use crate::plan::{Fixed, Known, Level, Making, Sketch};
use crate::question::{Outcome, Question};
use crate::root::Root;
use crate::spec::{Nature, Spec};
use crate::template::Mark;

/// The right to ask a supervisor that is held for its next part.
pub(crate) struct Baton(oneshot::Sender<Next>);

/// Whoever has asked for the next part, and waits for it.
pub(super) type Next = oneshot::Sender<Outcome>;

impl Baton {
    /// What comes of the next part; nothing if the supervisor has ended.
    async fn pass(self) -> Option<Outcome> {
        let (reply, answer) = oneshot::channel();
        self.0.send(reply).ok()?;
        answer.await.ok()
    }
}

/// A change that is being carried out.
pub(super) struct Changing {
    /// Who is to hear of it, until that is another part's asker.
    request: RequestId,
    spec: Spec,
    /// Where its children stand in it, by their ids.
    places: HashMap<Arc<str>, usize>,
    level: Box<Fixed>,
    /// What is expected below.
    expected: Vec<Option<Level>>,
    /// Whether this is only if everything is as expected.
    is_planned: bool,
    /// Those of the supervisors below that are held, by their ids.
    batons: HashMap<Arc<str>, Baton>,
    /// Who did not come up below.
    incomplete: Incomplete,
    /// Why nothing of it will be done.
    refusal: Option<ApplyError>,
    /// The supervisors below that are asked for a part in this turn, while everything else waits for that.
    pub(super) begun: Vec<ActorRef>,
}

/// How a part ended within a child: with an answer, or with none.
pub(super) type PartEnd = Option<Result<Outcome, Unavailable>>;

impl Supervisor {
    /// As it stands between two operations; in between, whoever is starting or stopping counts as down.
    pub(super) fn sketch(&self) -> Sketch {
        match &self.core {
            Core::Dynamic(core, template) => Sketch::Dynamic(Making {
                rules: core.rules(),
                template: template.clone(),
                news_first: self.news_first,
            }),
            Core::Fixed(core) => self.sketch_of(core.outline()),
            Core::ByNeeds(core) => self.sketch_of(core.outline()),
        }
    }

    /// As it stood when the core answered: what it has done since is still to be carried out.
    pub(super) fn sketch_of(&self, outline: Outline) -> Sketch {
        let known = outline.children.iter().map(|child| self.known(child)).collect();
        Sketch::Fixed { outline, known, news_first: self.news_first }
    }

    /// What a dynamic supervisor will be once what it has been asked for is done.
    pub(super) fn sketch_to_come(&self) -> Sketch {
        let Some(spec) = self.spec_to_come() else { return self.sketch() };
        Sketch::Dynamic(Making {
            rules: spec.dynamic_rules().expect("a tree is checked before it is compared"),
            template: spec.template().cloned().map(Box::new),
            news_first: spec.news_first,
        })
    }

    /// The last specification that a dynamic supervisor has been asked to become, while its turn has not come.
    fn spec_to_come(&self) -> Option<&Spec> {
        let wanted = self.pending.get(&self.coming?)?.wanted.as_deref()?;
        Some(&wanted.spec)
    }

    /// Whether an instance by this template would be started as its own, once what has been asked for before is done.
    pub(super) fn starts_by(&self, mark: &Mark) -> bool {
        let Core::Dynamic(_, template) = &self.core else { return true };
        let to_come = self.spec_to_come().and_then(Spec::template);
        let template = to_come.or(template.as_deref());
        template.is_some_and(|template| Arc::ptr_eq(&template.mark, mark))
    }

    fn known(&self, child: &Standing) -> Known {
        let minded = self.children.get(child.slot).expect("the core forgets nobody alone");
        let Minded { recipe, settings, actor, .. } = minded;
        Known { recipe: recipe.clone(), settings: settings.clone(), actor: actor.clone() }
    }

    /// A request for a change. A dynamic supervisor compares at once, with what it will be when its turn comes: only such a
    /// request could change its rules. While one from above is under way nothing that was planned fits.
    pub(super) fn wanted(
        &mut self,
        wanted: Box<Wanted>,
        reply: minder_runtime::Reply<Outcome>,
        context: &mut Context<SupervisorMsg>,
    ) -> Option<Event> {
        let is_of_its_kind = match (&self.core, wanted.spec.nature()) {
            (Core::Fixed(_), Nature::Fixed(_)) | (Core::ByNeeds(_), Nature::ByNeeds) => true,
            (Core::Dynamic(_, mine), Nature::Dynamic(other)) => mine.is_some() == other.is_some(),
            _ => false,
        };
        let refused = match &wanted.expected {
            _ if !is_of_its_kind => Some(ApplyError::OtherKind { supervisor: String::new() }),
            Some(expected) if self.core.is_dynamic() => {
                let level = Level::between(&self.sketch_to_come(), &wanted.spec);
                let fits = self.held == 0 && level.is_some_and(|level| level.is_like(expected));
                (!fits).then(ApplyError::stale)
            }
            // It is compared when its turn comes, or need not be.
            _ => None,
        };
        if let Some(error) = refused {
            discard_spec(wanted.spec, context);
            drop(reply.send(Outcome::NotApplied(error)));
            return None;
        }
        let in_parts = wanted.in_parts;
        match &self.core {
            Core::Dynamic(..) if in_parts => {
                self.held += 1;
                let baton = wait_for_next(context, |next| Own::NextOfDynamic(wanted, Part::Stops, next));
                drop(reply.send(Outcome::Held(baton)));
                None
            }
            Core::Dynamic(..) => Some(self.change_dynamic(wanted, Asker::Root(reply))),
            Core::Fixed(_) | Core::ByNeeds(_) => {
                let id = self.keep(Pending::change(Asker::Root(reply), wanted));
                Some(Event::Asked(id, Request::Change { in_parts }))
            }
        }
    }

    fn change_dynamic(&mut self, wanted: Box<Wanted>, asker: Asker) -> Event {
        let rules = wanted.spec.dynamic_rules().expect("a tree is checked before it is compared");
        let id = self.keep(Pending::change(asker, wanted));
        self.coming = Some(id);
        Event::Asked(id, Request::ChangeDynamic(rules))
    }

    /// The rules of a dynamic supervisor have been exchanged; so is everything that goes with them.
    pub(super) fn dynamic_is_changed(&mut self, wanted: &Wanted, context: &mut Context<SupervisorMsg>) {
        if let (Core::Dynamic(_, template), Nature::Dynamic(new)) = (&mut self.core, wanted.spec.nature()) {
            *template = new.clone();
        }
        let instances: Vec<Slot> = self.children.iter().map(|(slot, _)| slot).collect();
        instances.into_iter().for_each(|slot| self.spend_recipe(slot, context));
        self.goes_by(&wanted.spec, context);
    }

    /// What a dynamic supervisor that was held is asked for next: there is nobody to stop.
    pub(super) fn next_of_dynamic(
        &mut self,
        wanted: Box<Wanted>,
        part: Part,
        next: Option<Next>,
        context: &mut Context<SupervisorMsg>,
    ) -> Option<Event> {
        if next.is_none() || part == Part::Starts {
            self.held -= 1;
        }
        let Some(reply) = next else {
            discard_spec(wanted.spec, context);
            return None;
        };
        if part == Part::Stops {
            let baton = wait_for_next(context, |next| Own::NextOfDynamic(wanted, Part::Starts, next));
            drop(reply.send(Outcome::Held(baton)));
            return None;
        }
        Some(self.change_dynamic(wanted, Asker::Above(reply)))
    }

    /// What the supervisor above asks for next; nothing if it does not.
    pub(super) fn next_part(&mut self, next: Option<Next>) -> Event {
        Event::NextPart(next.map(|reply| self.keep(Pending::new(Asker::Above(reply)))))
    }

    /// A supervisor that is held, and waits to be asked for its next part.
    pub(super) fn held(context: &mut Context<SupervisorMsg>) -> Outcome {
        Outcome::Held(wait_for_next(context, Own::NextPart))
    }

    /// The turn of a change has come.
    pub(super) fn compare(&mut self, request: RequestId, context: &Context<SupervisorMsg>) -> Event {
        let wanted = self.pending.get_mut(&request).and_then(|pending| pending.wanted.take());
        let Some(wanted) = wanted else { return Event::Compared(Box::new(Err(Refusal::Stale))) };
        let Wanted { spec, expected, .. } = *wanted;
        let Some(Level::Fixed(level)) = Level::between(&self.sketch(), &spec) else {
            unreachable!("a supervisor is of one kind for all its life")
        };
        let is_planned = expected.is_some();
        let expected = match expected {
            Some(Level::Fixed(expected)) if expected.is_like(&level) => expected.inside,
            None => level.inside.clone(),
            Some(_) => {
                discard_spec(spec, context);
                return Event::Compared(Box::new(Err(Refusal::Stale)));
            }
        };
        let change = level.change.clone();
        let (batons, incomplete, refusal) = (HashMap::new(), Incomplete::default(), None);
        let begun = Vec::new();
        let places = spec.children.iter().map(|child| child.rules.id.clone()).zip(0..).collect();
        self.changing = Some(Box::new(Changing {
            request,
            spec,
            places,
            level,
            expected,
            is_planned,
            batons,
            incomplete,
            refusal,
            begun,
        }));
        Event::Compared(Box::new(Ok(change)))
    }

    /// Has a part done within this child. Nothing is answered on the spot: what comes of it is news like any other.
    pub(super) fn part(&mut self, slot: Slot, part: Part, context: &mut Context<SupervisorMsg>) {
        let Some((id, place)) = self.place(slot) else { return };
        let Some(actor) = self.actor(slot) else { return };
        let keeps_requests = self.core.keeps_requests();
        let Some(changing) = &mut self.changing else { return };
        let then = move |end: Result<PartEnd, JobFailed>| {
            SupervisorMsg(Own::PartDone(slot, part, Box::new(end.unwrap_or_default())))
        };
        // A child below that asks this supervisor, and on which the part depends, would wait for itself.
        if keeps_requests {
            changing.begun.push(actor.clone());
        }
        match (part, changing.batons.remove(&id)) {
            (Part::Hold, _) => {
                let below = changing.spec.children[place].below.clone();
                let expected = changing.expected[place].take();
                let root = actor.address().map(Root::of);
                // What was planned is all of it: an absent plan for a part of it fits nothing.
                let fits = expected.is_some() || !changing.is_planned;
                context.run(
                    "hold a supervisor",
                    async move {
                        let (root, spec) = root.zip(below).filter(|_| fits)?;
                        let wanted = Wanted { spec, expected, in_parts: true };
                        Some(root.ask(Question::Apply(Box::new(wanted))).await)
                    },
                    then,
                );
            }
            (Part::Stops | Part::Starts, baton) => {
                context.run("change a supervisor", async move { baton?.pass().await.map(Ok) }, then);
            }
        }
    }

    /// What a part within this child has come to.
    pub(super) fn part_done(
        &mut self,
        slot: Slot,
        part: Part,
        end: PartEnd,
        context: &mut Context<SupervisorMsg>,
    ) -> Option<Event> {
        let actor = self.actor(slot)?;
        let (id, _) = self.place(slot)?;
        // Not if a stop has overtaken it: that waits for the child now.
        let changing = self.changing.as_mut()?;
        context.waits_no_longer_for(&actor);
        let asker = self.pending.get(&changing.request);
        let done = match end {
            // Nothing has been done yet, and whoever asked for it takes it that nothing is.
            Some(Ok(Outcome::Held(_))) if asker.is_some_and(Pending::is_in_a_cycle) => false,
            Some(Ok(Outcome::Held(baton))) => {
                changing.batons.insert(id, baton);
                true
            }
            Some(Ok(Outcome::Applied(incomplete))) => {
                let all = incomplete.is_empty();
                changing.incomplete.within(&id, incomplete);
                all
            }
            Some(Ok(Outcome::NotApplied(error))) => {
                changing.refusal = Some(error.within(&id));
                false
            }
            // It has ended. If nothing has been done yet, nothing will be. Otherwise it is told of with those that failed
            // when the last part has come to it, and is started again by the new recipe, as any child that ends.
            _ => {
                match part {
                    Part::Hold => changing.refusal = Some(ApplyError::stale().within(&id)),
                    Part::Stops => {}
                    Part::Starts => {
                        let reason = ExitReason::other("it ended while it was changed");
                        changing.incomplete.failed.push((id.to_string(), reason));
                    }
                }
                false
            }
        };
        Some(Event::PartDone(slot, done))
    }

    /// Nobody asks this child for the rest of the change.
    pub(super) fn let_go(&mut self, slot: Slot) {
        if let Some((id, _)) = self.place(slot)
            && let Some(changing) = &mut self.changing
        {
            changing.batons.remove(&id);
        }
    }

    /// From here on the children are those of the new specification, in their new slots.
    pub(super) fn rearrange(
        &mut self,
        seats: Vec<(Slot, Option<Slot>)>,
        context: &mut Context<SupervisorMsg>,
    ) {
        let Some(changing) = self.changing.take() else { return };
        for (place, (slot, was)) in seats.into_iter().enumerate() {
            let new = &changing.spec.children[place];
            // It names a slot that is none any more; the core sets it anew.
            if let Some(deadline) = was.and_then(|was| self.deadlines.remove(&was)) {
                context.cancel_timer(deadline);
            }
            let minded = match was.and_then(|was| self.children.remove(was)) {
                None => Minded::new(new.recipe.clone(), None, new.settings.kept()),
                Some(mut minded) => {
                    let seated = match changing.level.keeps_seat(place) {
                        true => new.recipe.in_seat_of(&minded.recipe),
                        false => None,
                    };
                    match seated {
                        // Also if it is the same: what is left of a temporary child's may be no recipe any more.
                        Some(recipe) => minded.takes(recipe, context),
                        None if new.recipe.is_same(&minded.recipe) && changing.level.keeps_seat(place) => {}
                        None => {
                            minded.takes(new.recipe.clone(), context);
                            if let Some(actor) = minded.actor.take()
                                && self.is_in_seat(was, &actor)
                            {
                                self.by_cell.remove(&actor.id().cell());
                            }
                        }
                    }
                    if let Some(actor) = &minded.actor
                        && self.is_in_seat(was, actor)
                    {
                        self.by_cell.insert(actor.id().cell(), slot);
                    }
                    minded.settings = new.settings.kept();
                    minded
                }
            };
            self.children.put(slot, minded);
            self.spend_recipe(slot, context);
        }
        self.goes_by(&changing.spec, context);
        self.changing = Some(changing);
    }

    /// Whether this is the child that is known by the seat of its last life: one made outside may be another's by now.
    fn is_in_seat(&self, slot: Option<Slot>, actor: &ActorRef) -> bool {
        self.by_cell.get(&actor.id().cell()).copied() == slot
    }

    /// What the core knows nothing of.
    fn goes_by(&mut self, spec: &Spec, context: &mut Context<SupervisorMsg>) {
        self.news_first = spec.news_first;
        self.offers = spec.offers.clone();
        context.offer_only(&self.offers);
    }

    /// All of it is done, as far as it could be.
    pub(super) fn is_applied(
        &mut self,
        applied: minder_supervisors_core::Applied,
        context: &Context<SupervisorMsg>,
    ) -> Outcome {
        let (mut incomplete, _) = self.change_is_over(context);
        incomplete.failed.extend(applied.failed.into_iter().map(|(id, reason)| (id.to_string(), reason)));
        incomplete.held_back.extend(applied.held_back.iter().map(ToString::to_string));
        Outcome::Applied(incomplete)
    }

    /// Nothing of it has been done.
    pub(super) fn is_refused(&mut self, context: &Context<SupervisorMsg>) -> Outcome {
        let (_, refusal) = self.change_is_over(context);
        Outcome::NotApplied(refusal.unwrap_or_else(ApplyError::stale))
    }

    /// Lets go of a change, done or not: who did not come up below, and why nothing of it will be done.
    pub(super) fn change_is_over(
        &mut self,
        context: &Context<SupervisorMsg>,
    ) -> (Incomplete, Option<ApplyError>) {
        let Some(changing) = self.changing.take() else { return Default::default() };
        let Changing { spec, incomplete, refusal, .. } = *changing;
        discard_spec(spec, context);
        (incomplete, refusal)
    }

    /// The id of the child in this slot, and its place in the new specification.
    fn place(&self, slot: Slot) -> Option<(Arc<str>, usize)> {
        let id = self.core.id(slot)?.clone();
        let place = *self.changing.as_ref()?.places.get(&id)?;
        Some((id, place))
    }
}

/// Makes a baton, and waits beside the lane for it to be passed or dropped.
fn wait_for_next(
    context: &mut Context<SupervisorMsg>,
    then: impl FnOnce(Option<Next>) -> Own + Send + 'static,
) -> Baton {
    let (baton, passed) = oneshot::channel();
    context.run(
        "wait for the next part",
        async move { passed.await.ok() },
        |passed: Result<_, JobFailed>| SupervisorMsg(then(passed.ok().flatten())),
    );
    Baton(baton)
}
