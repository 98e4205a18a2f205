//! The supervisor: an ordinary actor that carries out what the core decides.
//!
//! Its loop awaits only its next event: commands are begun here and never awaited, and their ends come back as
//! notices and messages in its one lane. It traps exits, so that its minder's stop becomes an event like any other.
//! Decides nothing; see `minder-supervisors-core`.

use std::collections::hash_map::{Entry, HashMap};
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{
    Actor, ActorRef, ChildEvent, Context, Event as Told, ExitReason, Handled, Moment, Notice, Offers, Recipe,
    Reply, StartOptions, TimerId, Winding,
};
use minder_supervisors_core::{
    Answer, ChildRules, ChildState, Command, Decision, DynamicSupervision, Event, GraphSupervision, Part,
    Places, Report, RequestId, Restart, Slot, SpecError, Supervision, Ticket,
};

use crate::apply::{Incomplete, Wanted};
use crate::child::Settings;
use crate::question::{Outcome, Question};
use crate::spec::{Nature, Spec, TemplateParts};

mod apply;
mod readiness;
mod requests;
mod waiting;

pub(crate) use apply::Baton;
use apply::{Changing, Next, PartEnd};
use requests::Pending;

/// Looks after the children of a [`Spec`].
pub struct Supervisor {
    core: Core,
    children: Places<Minded>,
    /// Which child sits in which cell.
    by_cell: HashMap<u64, Slot>,
    /// When to kill those that are being stopped. Few are at a time.
    deadlines: HashMap<Slot, TimerId>,
    offers: Offers,
    news_first: bool,
    /// Whoever waits for an answer. They are told of the end by its drop.
    pending: HashMap<RequestId, Pending>,
    next_request: u64,
    /// Those of them that an actor waits for, or the supervisor above: who may wait for itself.
    kept: BTreeSet<RequestId>,
    /// How many cycles had been told of when those were looked at.
    cycles: u32,
    /// Up to which number they have been noted.
    noted: u64,
    /// Whether the supervisor above is known to wait for children of this one.
    keeps_above: bool,
    /// The change that is being carried out, if one is.
    changing: Option<Box<Changing>>,
    /// The last request of a dynamic supervisor for a change, until its turn has come.
    coming: Option<RequestId>,
    /// How many changes from above a dynamic supervisor waits for the next part of.
    held: u32,
    /// Whoever waits for the end.
    stopping: Vec<Reply<Outcome>>,
    /// Whoever waits until all children are ready.
    awaiting: Vec<Reply<Outcome>>,
    /// Kept for its memory.
    commands: Vec<Command>,
}

/// Who decides.
enum Core {
    Fixed(Supervision),
    /// With what instances are made from, unless each child brings its own specification.
    Dynamic(DynamicSupervision, Option<Box<TemplateParts>>),
    ByNeeds(Box<GraphSupervision>),
}

impl Core {
    fn handle(&mut self, event: Event, now: Moment, commands: &mut Vec<Command>) {
        match self {
            Self::Fixed(core) => core.handle(event, now, commands),
            Self::Dynamic(core, _) => core.handle(event, now, commands),
            Self::ByNeeds(core) => core.handle(event, now, commands),
        }
    }

    /// The slots of the children that there are from the start.
    fn slots(&self) -> Vec<Slot> {
        match self {
            Self::Fixed(core) => core.slots().collect(),
            Self::Dynamic(..) => Vec::new(),
            Self::ByNeeds(core) => core.slots().collect(),
        }
    }

    fn unready(&self) -> Vec<Slot> {
        match self {
            Self::Fixed(core) => core.unready().collect(),
            Self::Dynamic(core, _) => core.unready().collect(),
            Self::ByNeeds(core) => core.unready().collect(),
        }
    }

    /// The rules of a child; those of the template for an instance without rules of its own.
    fn child(&self, slot: Slot) -> Option<&ChildRules> {
        match self {
            Self::Fixed(core) => core.child(slot),
            Self::Dynamic(core, _) => core.child(slot),
            Self::ByNeeds(core) => core.child(slot),
        }
    }

    fn id(&self, slot: Slot) -> Option<&Arc<str>> {
        Some(&self.child(slot)?.id)
    }

    /// Whether requests wait until the start or stop in hand is over.
    fn keeps_requests(&self) -> bool {
        match self {
            Self::Fixed(_) | Self::Dynamic(..) => true,
            Self::ByNeeds(core) => !core.takes_requests(),
        }
    }

    /// Whether a change is being carried out.
    fn is_changing(&self) -> bool {
        match self {
            Self::Fixed(core) => core.is_changing(),
            Self::Dynamic(..) => false,
            Self::ByNeeds(core) => core.is_changing(),
        }
    }

    /// Whether a child is up that is never started again.
    fn is_up_for_good(&self, slot: Slot) -> bool {
        let restart = self.child(slot).map(|child| child.restart);
        restart == Some(Restart::Temporary) && self.state(slot) == Some(ChildState::Running)
    }

    fn is_dynamic(&self) -> bool {
        matches!(self, Self::Dynamic(..))
    }

    fn is_ready(&self) -> bool {
        match self {
            Self::Fixed(core) => core.is_ready(),
            Self::Dynamic(core, _) => core.is_ready(),
            Self::ByNeeds(core) => core.is_ready(),
        }
    }

    fn state(&self, slot: Slot) -> Option<ChildState> {
        match self {
            Self::Fixed(core) => core.state(slot),
            Self::Dynamic(core, _) => core.state(slot),
            Self::ByNeeds(core) => core.state(slot),
        }
    }
}

/// A child as its supervisor knows it.
struct Minded {
    recipe: Recipe,
    /// What an instance of a template is called in paths, if it is named; any other child by its id. Boxed, since most have
    /// none.
    name: Option<Box<Arc<str>>>,
    /// Nothing where they are the usual ones; those of an instance of a template are that's.
    settings: Option<Box<Settings>>,
    /// The last to have been started, also after its end.
    actor: Option<ActorRef>,
}

impl Minded {
    fn new(recipe: Recipe, name: Option<Arc<str>>, settings: Option<Box<Settings>>) -> Self {
        Self { recipe, name: name.map(Box::new), settings, actor: None }
    }

    /// What it is started with from here on.
    fn takes(&mut self, recipe: Recipe, context: &Context<SupervisorMsg>) {
        context.discard(RECIPE, std::mem::replace(&mut self.recipe, recipe));
    }
}

/// What it is called when a recipe panics that is let go: what factories hold is the user's.
const RECIPE: &str = "recipe";

/// Lets go of a specification, each child by itself, so that the panics of two never meet.
fn discard_spec(mut spec: Spec, context: &Context<SupervisorMsg>) {
    for child in std::mem::take(&mut spec.children) {
        context.discard(RECIPE, child);
    }
    context.discard(RECIPE, spec);
}

/// What a supervisor is told: by itself, and by whoever holds its [`Root`](crate::Root).
pub struct SupervisorMsg(Own);

enum Own {
    StopDeadline(Slot),
    ReadyDeadline(Slot),
    EndDeadline,
    TryAgain(Slot),
    RestartDue(Slot, Ticket),
    Asked(Box<(Question, Reply<Outcome>)>),
    PartDone(Slot, Part, Box<PartEnd>),
    NextPart(Option<Next>),
    NextOfDynamic(Box<Wanted>, Part, Option<Next>),
}

impl SupervisorMsg {
    pub(crate) fn asked(question: Question, reply: Reply<Outcome>) -> Self {
        Self(Own::Asked(Box::new((question, reply))))
    }
}

impl fmt::Debug for SupervisorMsg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SupervisorMsg")
    }
}

impl Supervisor {
    /// A supervisor by this specification, its children not started.
    ///
    /// # Errors
    /// If the specification makes no sense.
    pub fn new(spec: &Spec) -> Result<Self, SpecError> {
        for partitions in &spec.partitions {
            partitions.begin();
        }
        let mut children = Places::with_capacity(spec.children.len());
        let core = match spec.nature() {
            Nature::Dynamic(template) => {
                Core::Dynamic(DynamicSupervision::new(spec.dynamic_rules()?), template.clone())
            }
            Nature::ByNeeds => Core::ByNeeds(Box::new(GraphSupervision::new(spec.needs_rules()?))),
            Nature::Fixed(strategy) => Core::Fixed(Supervision::new(spec.rules(*strategy)?)),
        };
        for (slot, child) in core.slots().into_iter().zip(&spec.children) {
            children.put(slot, Minded::new(child.recipe.clone(), None, child.settings.kept()));
        }
        Ok(Self {
            core,
            children,
            by_cell: HashMap::new(),
            deadlines: HashMap::new(),
            pending: HashMap::new(),
            kept: BTreeSet::new(),
            cycles: 0,
            noted: 0,
            keeps_above: false,
            next_request: 0,
            changing: None,
            coming: None,
            held: 0,
            stopping: Vec::new(),
            awaiting: Vec::new(),
            offers: spec.offers.clone(),
            news_first: spec.news_first,
            commands: Vec::new(),
        })
    }

    /// One turn: the event to the core, and its commands begun. A start that is refused on the spot is news too.
    fn turn(&mut self, event: Event, context: &mut Context<SupervisorMsg>) {
        // No memory is taken unless there are more.
        let (mut next, mut events) = (Some(event), self.taken_back(context));
        let kept_requests = self.core.keeps_requests();
        // First those that have been taken back: nothing else may begin them.
        while let Some(event) = events.pop_front().or_else(|| next.take()) {
            let mut commands = std::mem::take(&mut self.commands);
            self.core.handle(event, context.now(), &mut commands);
            for command in commands.drain(..) {
                context.step(name_of(&command));
                self.carry_out(command, &mut events, context);
            }
            self.commands = commands;
        }
        if self.changing.is_some() && !self.core.is_changing() {
            self.change_is_over(context);
        }
        self.answer_if_ready(context);
        if !kept_requests && self.core.keeps_requests() {
            self.waits_for_who_is_going(context);
        }
        self.note_waits(context);
    }

    fn carry_out(
        &mut self,
        command: Command,
        news: &mut VecDeque<Event>,
        context: &mut Context<SupervisorMsg>,
    ) {
        match command {
            Command::Start(slot) => {
                if let Err(refused) = self.start(slot, context) {
                    news.push_back(Event::StartFailed(slot, refused));
                }
            }
            Command::NewEpoch(slot) => {
                // False for one that has not been started yet: nobody can have sent it anything.
                if let Some(child) = self.children.get_mut(slot) {
                    let _ = context.begin_epoch(&child.recipe);
                }
            }
            Command::AskToStop(slot) => {
                if let Some(actor) = self.actor(slot) {
                    if self.core.keeps_requests() {
                        context.waits_for(&actor);
                    }
                    context.stop_child(&actor, ExitReason::Shutdown);
                }
            }
            Command::Kill(slot) => {
                if let Some(actor) = self.actor(slot) {
                    context.kill_child(&actor);
                }
            }
            Command::KillFor(slot, reason) => {
                if let Some(actor) = self.actor(slot) {
                    context.kill_child_for(&actor, reason);
                }
            }
            Command::SetDeadline(slot, moment) => {
                self.set_deadline(slot, moment, Own::StopDeadline(slot), context);
            }
            Command::SetReadyDeadline(slot, moment) => {
                self.set_deadline(slot, moment, Own::ReadyDeadline(slot), context);
            }
            Command::SetEndDeadline(moment) => {
                context.send_after(moment.since(context.now()), SupervisorMsg(Own::EndDeadline));
            }
            Command::TryAgain(slot) => context.tell_self(SupervisorMsg(Own::TryAgain(slot))),
            // Never taken back: whoever does not wait any more is known by the ticket.
            Command::SetRestart { slot, ticket, earliest, latest } => {
                let due = drawn(earliest, latest, context.random()).since(context.now());
                context.send_after(due, SupervisorMsg(Own::RestartDue(slot, ticket)));
            }
            Command::Forget(slot) => {
                let Some(child) = self.children.remove(slot) else { return };
                // Its seat, if it was made outside, may be another child's by now.
                if let Some(actor) = child.actor
                    && let Entry::Occupied(entry) = self.by_cell.entry(actor.id().cell())
                    && *entry.get() == slot
                {
                    entry.remove();
                }
                context.discard(RECIPE, child.recipe);
            }
            Command::Add(slot, request) => {
                if let Some(child) = self.pending.get_mut(&request).and_then(Pending::take_child) {
                    self.children.put(slot, child);
                }
            }
            Command::Answer(request, answer) => {
                if let Some(mut pending) = self.pending.remove(&request) {
                    self.keeps_no_longer(request, &pending, context);
                    let is_refused = matches!(answer, Answer::Refused(_));
                    let wanted = pending.wanted.take();
                    let outcome = match &wanted {
                        Some(wanted) if !is_refused => {
                            self.coming.take_if(|coming| *coming == request);
                            self.dynamic_is_changed(wanted, context);
                            Outcome::Applied(Incomplete::default())
                        }
                        _ => self.outcome(answer, context),
                    };
                    if let Some(wanted) = wanted {
                        discard_spec(wanted.spec, context);
                    }
                    // One that was refused.
                    if let Some(child) = pending.take_child() {
                        context.discard(RECIPE, child.recipe);
                    }
                    pending.answer(outcome);
                }
            }
            Command::Compare(request) => {
                let compared = self.compare(request, context);
                news.push_back(compared);
            }
            Command::Part(slot, part) => self.part(slot, part, context),
            Command::LetGo(slot) => self.let_go(slot),
            Command::Rearrange(_, seats) => self.rearrange(seats, context),
            Command::Report(report) => {
                // An instance is told of by the name that it has in paths.
                let named = self.children.get(report.slot).and_then(|child| child.name.as_deref());
                tell(&report, named.unwrap_or(&report.child), context);
            }
            Command::Ready => {
                self.takes_requests_from_now_on(context);
                context.acknowledge();
            }
            Command::Exit(reason) => context.stop(reason),
        }
    }

    /// A child has one deadline at a time: it is up and not ready, or it is stopping.
    fn set_deadline(&mut self, slot: Slot, moment: Moment, own: Own, context: &mut Context<SupervisorMsg>) {
        let timer = context.send_after(moment.since(context.now()), SupervisorMsg(own));
        if let Some(replaced) = self.deadlines.insert(slot, timer) {
            context.cancel_timer(replaced);
        }
    }

    fn start(&mut self, slot: Slot, context: &mut Context<SupervisorMsg>) -> Result<(), ExitReason> {
        let system = context.system();
        let Some(child) = self.children.get_mut(slot) else { return Ok(()) };
        if child.recipe.seat().is_none() {
            let settled = child.recipe.settled(&system);
            child.takes(settled, context);
        }
        let mut options: StartOptions = match &self.core {
            Core::Dynamic(_, Some(template)) => template.settings.options(child.name.as_deref().cloned()),
            Core::Dynamic(_, None) | Core::Fixed(_) | Core::ByNeeds(_) => {
                let id = self.core.id(slot).cloned();
                child.settings.as_deref().unwrap_or(&Settings::default()).options(id)
            }
        };
        options.awaited = self.core.keeps_requests();
        options.news_first = self.news_first;
        let actor = context.start(&child.recipe, options)?;
        let cell = actor.id().cell();
        child.actor = Some(actor);
        self.by_cell.insert(cell, slot);
        Ok(())
    }

    /// A temporary child that is up is never started again: what it is made from is not kept (SUP-028).
    fn spend_recipe(&mut self, slot: Slot, context: &Context<SupervisorMsg>) {
        if self.core.is_up_for_good(slot)
            && let Some(child) = self.children.get_mut(slot)
        {
            let spent = child.recipe.spent();
            child.takes(spent, context);
        }
    }

    /// Whoever is still coming up or going, and asks, is answered: by needs others are not waited for.
    fn takes_requests_from_now_on(&self, context: &mut Context<SupervisorMsg>) {
        if !self.core.keeps_requests() {
            let all = self.children.iter().filter_map(|(_, child)| child.actor.as_ref());
            all.for_each(|actor| context.waits_no_longer_for(actor));
        }
    }

    fn actor(&self, slot: Slot) -> Option<ActorRef> {
        self.children.get(slot)?.actor.clone()
    }

    /// The event that news of a child amount to; nothing if it is news of a life that is over.
    fn event(&mut self, notice: Notice, context: &mut Context<SupervisorMsg>) -> Option<Event> {
        // Supervisors ignore exit signals of strangers (SUP-102) and watch nobody.
        let Notice::Child(news) = notice else { return None };
        let slot = *self.by_cell.get(&news.child.cell())?;
        let child = self.children.get_mut(slot)?;
        if child.actor.as_ref()?.id() != news.child {
            return None;
        }
        match news.event {
            ChildEvent::Started => return Some(Event::Started(slot)),
            ChildEvent::Ready => return Some(Event::Ready(slot)),
            _ => {}
        }
        // Asked first, so that a restart, which has none, does not pay for a look into the map.
        if !self.deadlines.is_empty()
            && let Some(deadline) = self.deadlines.remove(&slot)
        {
            context.cancel_timer(deadline);
        }
        match news.event {
            ChildEvent::StartFailed(reason) => Some(Event::StartFailed(slot, reason)),
            ChildEvent::Ignored => Some(Event::Ignored(slot)),
            ChildEvent::Exited { reason, charged } => Some(Event::Exited { slot, reason, charged }),
            _ => None,
        }
    }
}

impl Actor for Supervisor {
    type Msg = SupervisorMsg;

    async fn started(&mut self, context: &mut Context<SupervisorMsg>) -> Handled {
        context.trap_exit(true);
        context.acknowledge_later();
        context.offer_all(&self.offers);
        self.turn(Event::Start, context);
        Ok(())
    }

    async fn handle(
        &mut self,
        SupervisorMsg(own): SupervisorMsg,
        context: &mut Context<SupervisorMsg>,
    ) -> Handled {
        let event = match own {
            Own::StopDeadline(slot) => Event::StopDeadline(slot),
            Own::ReadyDeadline(slot) => Event::ReadyDeadline(slot),
            Own::EndDeadline => Event::EndDeadline,
            Own::TryAgain(slot) => Event::TryAgain(slot),
            Own::RestartDue(slot, ticket) => Event::RestartDue(slot, ticket),
            Own::Asked(asked) => {
                let (question, reply) = *asked;
                match self.event_of(question, reply, context) {
                    Some(event) => event,
                    None => return Ok(()),
                }
            }
            Own::PartDone(slot, part, end) => match self.part_done(slot, part, *end, context) {
                Some(event) => event,
                None => return Ok(()),
            },
            Own::NextPart(next) => self.next_part(next),
            Own::NextOfDynamic(wanted, part, next) => {
                match self.next_of_dynamic(wanted, part, next, context) {
                    Some(event) => event,
                    None => return Ok(()),
                }
            }
        };
        self.turn(event, context);
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<SupervisorMsg>) -> Handled {
        if let Some(event) = self.event(notice, context) {
            let started = match event {
                Event::Started(slot) => Some(slot),
                _ => None,
            };
            self.turn(event, context);
            if let Some(slot) = started {
                self.spend_recipe(slot, context);
            }
        }
        Ok(())
    }

    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<SupervisorMsg>) -> Winding {
        self.turn(Event::Stop(reason.clone()), context);
        Winding::Later
    }

    /// How many children it has, in which states, and how many requests wait for an operation to end.
    fn format_status(&self) -> Option<String> {
        let mut states: Vec<(ChildState, usize)> = Vec::new();
        for state in self.children.iter().filter_map(|(slot, _)| self.core.state(slot)) {
            match states.iter_mut().find(|(known, _)| *known == state) {
                Some((_, count)) => *count += 1,
                None => states.push((state, 1)),
            }
        }
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state:?}")).collect();
        let (children, states) = (self.children.len(), states.join(", ").to_lowercase());
        Some(format!("{children} children ({states}), {} requests waiting", self.pending.len()))
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("children", &self.children.len()).finish_non_exhaustive()
    }
}

/// The name of the step that a command is, for fault injection.
fn name_of(command: &Command) -> &'static str {
    match command {
        Command::Start(_) => "start",
        Command::NewEpoch(_) => "new epoch",
        Command::AskToStop(_) => "ask to stop",
        Command::Kill(_) => "kill",
        Command::KillFor(..) => "kill for",
        Command::SetDeadline(..) => "set deadline",
        Command::SetReadyDeadline(..) => "set ready deadline",
        Command::SetEndDeadline(_) => "set end deadline",
        Command::TryAgain(_) => "try again",
        Command::SetRestart { .. } => "set restart",
        Command::Add(..) => "add",
        Command::Compare(_) => "compare",
        Command::Part(..) => "part",
        Command::LetGo(_) => "let go",
        Command::Rearrange(..) => "rearrange",
        Command::Answer(..) => "answer",
        Command::Forget(_) => "forget",
        Command::Report(_) => "report",
        Command::Ready => "ready",
        Command::Exit(_) => "exit",
    }
}

fn tell(report: &Report, child: &str, context: &Context<SupervisorMsg>) {
    context.report(&Told::Decided {
        path: &context.path(),
        child,
        decision: word(report.decision),
        reason: Some(&report.reason),
        restarts: report.restarts,
        limit: report.limit,
        delay: report.delay.map(|delay| delay.latest),
        reports: report.reports(),
    });
}

/// A moment between these, both included.
fn drawn(earliest: Moment, latest: Moment, random: u64) -> Moment {
    let between =
        u64::try_from(latest.since(earliest).as_nanos()).expect("moments are so many nanoseconds apart");
    earliest + Duration::from_nanos(between.checked_add(1).map_or(random, |choices| random % choices))
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Restart => "restart",
        Decision::RestartGroup => "restart group",
        Decision::RestartLater => "restart later",
        Decision::RestartGroupLater => "restart group later",
        Decision::GiveUp => "give up",
        Decision::Escalate => "escalate",
        Decision::GiveUpOnChild => "give up on child",
        Decision::LeaveDown => "leave down",
        Decision::Forget => "forget",
        Decision::ForgetStopped => "forget stopped",
        Decision::TryAgain => "try again",
        Decision::StartFailed => "start failed",
        Decision::Ignore => "ignore",
        Decision::KillAfterDeadline => "kill after deadline",
        Decision::StoppedOtherwise => "stopped otherwise",
        Decision::NotReady => "not ready",
        Decision::AutoShutdown => "auto-shutdown",
        Decision::Remove => "remove",
        Decision::StartAnew => "start anew",
        Decision::Disable => "disable",
        _ => "other",
    }
}
