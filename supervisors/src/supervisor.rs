//! The supervisor: an ordinary actor that carries out what the core decides.
//!
//! Its loop awaits only its next event: commands are begun here and never awaited, and their ends come back as
//! notices and messages in its one lane. It traps exits, so that its minder's stop becomes an event like any other.
//! Decides nothing; see `minder-supervisors-core`.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{
    Actor, ActorRef, ChildEvent, Context, Event as Told, ExitReason, Handled, Notice, Offers, Queued, Recipe,
    StartOptions, TimerId, Winding,
};
use minder_supervisors_core::{Command, Decision, Event, Report, Slot, SpecError, Supervision};

use crate::spec::Spec;

/// Looks after the children of a [`Spec`].
pub struct Supervisor {
    core: Supervision,
    children: Vec<Option<Minded>>,
    /// Which child sits in which cell.
    by_cell: HashMap<u64, Slot>,
    offers: Offers,
    /// Kept for its memory.
    commands: Vec<Command>,
}

/// A child as its supervisor knows it.
struct Minded {
    recipe: Recipe,
    name: Arc<str>,
    settled: bool,
    // As in `Child`. Not as `StartOptions`, which would take more room in every child of a large tree.
    queued: Queued,
    quarantine_after: Option<NonZeroU8>,
    handler_limit: Option<Duration>,
    registered: Option<Arc<str>>,
    actor: Option<ActorRef>,
    deadline: Option<TimerId>,
}

impl Minded {
    fn options(&self) -> StartOptions {
        let mut options = StartOptions::named(self.name.clone());
        options.handler_limit = self.handler_limit;
        options.queued = self.queued;
        options.quarantine_after = self.quarantine_after;
        options.registered = self.registered.clone();
        options.awaited = true;
        options
    }
}

/// What a supervisor tells itself.
#[derive(Clone, Debug)]
pub struct SupervisorMsg(Own);

#[derive(Clone, Debug)]
enum Own {
    StopDeadline(Slot),
    TryAgain(Slot),
}

impl Supervisor {
    /// A supervisor by this specification, its children not started.
    ///
    /// # Errors
    /// If the specification makes no sense.
    pub fn new(spec: &Spec) -> Result<Self, SpecError> {
        let core = Supervision::new(spec.rules()?);
        let children = spec.children.iter().map(|child| {
            Some(Minded {
                recipe: child.recipe.clone(),
                name: child.rules.id.clone(),
                settled: false,
                queued: child.queued,
                quarantine_after: child.quarantine_after,
                handler_limit: child.handler_limit,
                registered: child.registered.clone(),
                actor: None,
                deadline: None,
            })
        });
        Ok(Self {
            core,
            children: children.collect(),
            by_cell: HashMap::new(),
            offers: spec.offers.clone(),
            commands: Vec::new(),
        })
    }

    /// One turn: the event to the core, and its commands begun. A start that is refused on the spot is news too.
    fn turn(&mut self, event: Event, context: &mut Context<SupervisorMsg>) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let mut commands = std::mem::take(&mut self.commands);
            self.core.handle(event, context.now(), &mut commands);
            for command in commands.drain(..) {
                context.step(name_of(&command));
                self.carry_out(command, &mut events, context);
            }
            self.commands = commands;
        }
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
                if let Some(child) = self.child(slot) {
                    let _ = context.begin_epoch(&child.recipe);
                }
            }
            Command::AskToStop(slot) => {
                if let Some(actor) = self.actor(slot) {
                    context.waits_for(&actor);
                    context.stop_child(&actor, ExitReason::Shutdown);
                }
            }
            Command::Kill(slot) => {
                if let Some(actor) = self.actor(slot) {
                    context.kill_child(&actor);
                }
            }
            Command::SetDeadline(slot, moment) => {
                let timer =
                    context.send_after(moment.since(context.now()), SupervisorMsg(Own::StopDeadline(slot)));
                if let Some(child) = self.child(slot)
                    && let Some(replaced) = child.deadline.replace(timer)
                {
                    context.cancel_timer(replaced);
                }
            }
            Command::TryAgain(slot) => context.tell_self(SupervisorMsg(Own::TryAgain(slot))),
            Command::Forget(slot) => {
                if let Some(place) = self.children.get_mut(slot.index()) {
                    *place = None;
                }
            }
            Command::Report(report) => tell(&report, context),
            Command::Ready => context.acknowledge(),
            Command::Exit(reason) => context.stop(reason),
        }
    }

    fn start(&mut self, slot: Slot, context: &mut Context<SupervisorMsg>) -> Result<(), ExitReason> {
        let system = context.system();
        let Some(child) = self.child(slot) else { return Ok(()) };
        if !child.settled {
            child.recipe = child.recipe.settled(&system);
            child.settled = true;
        }
        let actor = context.start(&child.recipe, child.options())?;
        let cell = actor.id().cell();
        child.actor = Some(actor);
        self.by_cell.insert(cell, slot);
        Ok(())
    }

    fn child(&mut self, slot: Slot) -> Option<&mut Minded> {
        self.children.get_mut(slot.index())?.as_mut()
    }

    fn actor(&mut self, slot: Slot) -> Option<ActorRef> {
        self.child(slot)?.actor.clone()
    }

    /// The event that news of a child amount to; nothing if it is news of a life that is over.
    fn event(&mut self, notice: Notice, context: &mut Context<SupervisorMsg>) -> Option<Event> {
        // Supervisors ignore exit signals of strangers (SUP-102) and watch nobody.
        let Notice::Child(news) = notice else { return None };
        let slot = *self.by_cell.get(&news.child.cell())?;
        let child = self.child(slot)?;
        if child.actor.as_ref()?.id() != news.child {
            return None;
        }
        if matches!(news.event, ChildEvent::Started) {
            return Some(Event::Started(slot));
        }
        child.actor = None;
        if let Some(deadline) = child.deadline.take() {
            context.cancel_timer(deadline);
        }
        self.by_cell.remove(&news.child.cell());
        match news.event {
            ChildEvent::StartFailed(reason) => Some(Event::StartFailed(slot, reason)),
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
            Own::TryAgain(slot) => Event::TryAgain(slot),
        };
        self.turn(event, context);
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<SupervisorMsg>) -> Handled {
        if let Some(event) = self.event(notice, context) {
            self.turn(event, context);
        }
        Ok(())
    }

    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<SupervisorMsg>) -> Winding {
        self.turn(Event::Stop(reason.clone()), context);
        Winding::Later
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
        Command::SetDeadline(..) => "set deadline",
        Command::TryAgain(_) => "try again",
        Command::Forget(_) => "forget",
        Command::Report(_) => "report",
        Command::Ready => "ready",
        Command::Exit(_) => "exit",
    }
}

fn tell(report: &Report, context: &Context<SupervisorMsg>) {
    context.report(&Told::Decided {
        path: &context.path(),
        child: &report.child,
        decision: word(report.decision),
        reason: Some(&report.reason),
        restarts: report.restarts,
        limit: report.limit,
    });
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Restart => "restart",
        Decision::RestartGroup => "restart group",
        Decision::GiveUp => "give up",
        Decision::LeaveDown => "leave down",
        Decision::Forget => "forget",
        Decision::TryAgain => "try again",
        Decision::StartFailed => "start failed",
        Decision::Ignore => "ignore",
        Decision::KillAfterDeadline => "kill after deadline",
        Decision::StoppedOtherwise => "stopped otherwise",
        Decision::AutoShutdown => "auto-shutdown",
        _ => "other",
    }
}
