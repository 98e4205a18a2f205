//! The actor that starts and stops applications, one step of one of them at a time, and hears of their ends. It waits for
//! nothing: start functions and hooks run as jobs, trees start and stop as its children, and questions are answered
//! meanwhile. What needs what is decided in `plan.rs`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{
    Actor, ActorRef, ChildEvent, Context, Event, ExitReason, Handled, JobFailed, JobId, Notice, Recipe,
    Reply, StartOptions, Winding,
};

use super::errors::{ApplicationEnded, StartApplicationError, StartPhaseFailed, StopApplicationError};
use super::plan::Plan;
use super::{Application, ApplicationInfo, ApplicationName, ApplicationStatus, ApplicationType, Hook, NAME};
use crate::root::{MAILBOX, Root};
use crate::spec::Spec;
use crate::supervisor::Supervisor;

pub(super) type Started = Result<Vec<Arc<str>>, StartApplicationError>;
type Stopped = Result<(), StopApplicationError>;

pub(super) enum Msg {
    Asked(Question),
    Made(Result<Result<Spec, ExitReason>, JobFailed>),
    Phased(Result<Result<(), ExitReason>, JobFailed>),
    Hooked(Result<(), JobFailed>),
}

pub(super) enum Question {
    Start { name: Arc<str>, kind: ApplicationType, all: bool, reply: Reply<Started> },
    Stop { name: Arc<str>, reply: Reply<Stopped> },
    Which(Reply<Vec<ApplicationInfo>>),
    Root(Arc<str>, Reply<Option<Root>>),
}

pub(super) struct Controller {
    all: Vec<Application>,
    plan: Plan,
    limit: Duration,
    at_shutdown: Option<Hook>,
    /// By place in the set.
    kinds: Vec<ApplicationType>,
    /// In order of their start.
    running: Vec<(usize, ActorRef)>,
    /// What is asked for, in order.
    waiting: VecDeque<Task>,
    operation: Option<Operation>,
    in_hand: Option<InHand>,
    /// Why all of them are stopped, once they are to be.
    closing: Option<ExitReason>,
    /// The end that stops the system.
    cause: Option<ExitReason>,
}

/// Something to be done that takes a while.
enum Task {
    Start {
        name: Arc<str>,
        kind: ApplicationType,
        all: bool,
        reply: Reply<Started>,
    },
    Stop {
        name: Arc<str>,
        reply: Reply<Stopped>,
    },
    /// The tree of this one has ended by itself.
    Ended(usize),
    /// The system stops.
    Close,
}

/// A task under way: what is left of it, and what comes of it.
struct Operation {
    steps: VecDeque<Step>,
    end: End,
}

#[derive(Clone, Copy)]
enum Step {
    Up(usize),
    Down(usize),
    /// What follows the end of a tree.
    AfterEnd(usize),
    AtShutdown,
}

enum End {
    Start {
        reply: Reply<Started>,
        kind: ApplicationType,
        started: Vec<usize>,
        error: Option<StartApplicationError>,
    },
    Stop(Reply<Stopped>),
    Nothing,
    Close,
}

/// The one step that is being taken.
enum InHand {
    Making(usize, JobId),
    Starting(usize, ActorRef),
    /// The tree is up and runs.
    Phase {
        place: usize,
        number: usize,
        job: JobId,
        /// With which reason the tree has ended meanwhile.
        ended: Option<ExitReason>,
    },
    PrepStop {
        place: usize,
        tree: ActorRef,
        has_ended: bool,
    },
    Stopping(usize, ActorRef),
    /// The last hook of this one, or the first of all.
    Hook(Option<usize>),
}

impl InHand {
    /// The application that is being started.
    fn starts(&self) -> Option<usize> {
        match self {
            Self::Making(place, _) | Self::Starting(place, _) | Self::Phase { place, .. } => Some(*place),
            Self::PrepStop { .. } | Self::Stopping(..) | Self::Hook(_) => None,
        }
    }
}

impl Controller {
    pub(super) fn new(all: Vec<Application>, plan: Plan, limit: Duration, at_shutdown: Option<Hook>) -> Self {
        Self {
            kinds: vec![ApplicationType::default(); all.len()],
            all,
            plan,
            limit,
            at_shutdown,
            running: Vec::new(),
            waiting: VecDeque::new(),
            operation: None,
            in_hand: None,
            closing: None,
            cause: None,
        }
    }

    fn runs(&self, place: usize) -> bool {
        self.running.iter().any(|(running, _)| *running == place)
    }

    fn tree(&self, place: usize) -> Option<&ActorRef> {
        self.running.iter().find(|(running, _)| *running == place).map(|(_, tree)| tree)
    }

    // --- questions ---------------------------------------------------------------------------------------------

    /// An answer that nobody waits for any more is dropped.
    fn asked(&mut self, question: Question) {
        match question {
            Question::Which(reply) => drop(reply.send(self.which())),
            Question::Root(name, reply) => {
                let place = self.plan.place(&name);
                let address = place.and_then(|place| self.tree(place)).and_then(ActorRef::address);
                drop(reply.send(address.map(Root::of)));
            }
            Question::Start { reply, .. } if self.closing.is_some() => {
                drop(reply.send(Err(StartApplicationError::ShuttingDown)));
            }
            Question::Stop { reply, .. } if self.closing.is_some() => {
                drop(reply.send(Err(StopApplicationError::ShuttingDown)));
            }
            Question::Start { name, kind, all, reply } => {
                self.waiting.push_back(Task::Start { name, kind, all, reply });
            }
            Question::Stop { name, reply } => self.waiting.push_back(Task::Stop { name, reply }),
        }
    }

    fn which(&self) -> Vec<ApplicationInfo> {
        let info = |place: usize| ApplicationInfo {
            name: self.plan.name(place).clone(),
            status: self.status(place),
            kind: self.kinds[place],
        };
        let mut all: Vec<_> = (0..self.all.len()).map(info).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    fn status(&self, place: usize) -> ApplicationStatus {
        match &self.in_hand {
            Some(in_hand) if in_hand.starts() == Some(place) => ApplicationStatus::Starting,
            Some(InHand::PrepStop { place: at, .. } | InHand::Stopping(at, _) | InHand::Hook(Some(at)))
                if *at == place =>
            {
                ApplicationStatus::Stopping
            }
            _ if self.runs(place) => ApplicationStatus::Running,
            _ => ApplicationStatus::Down,
        }
    }

    // --- tasks, step by step -----------------------------------------------------------------------------------

    /// Goes on until there is something to wait for, or nothing to do.
    fn go_on(&mut self, context: &mut Context<Msg>) {
        while self.in_hand.is_none() {
            let Some(operation) = &mut self.operation else {
                match self.waiting.pop_front() {
                    Some(task) => self.operation = self.begin(task),
                    None => return,
                }
                continue;
            };
            match operation.steps.pop_front() {
                Some(step) => self.take(step, context),
                None => {
                    let over = self.operation.take().map(|operation| operation.end);
                    self.finish(over, context);
                }
            }
        }
    }

    /// What a task amounts to; nothing if it has been answered on the spot.
    fn begin(&mut self, task: Task) -> Option<Operation> {
        match task {
            Task::Start { name, kind, all, reply } => match self.steps_to(name, all) {
                Ok(steps) => {
                    let steps = steps.into_iter().map(Step::Up).collect();
                    let end = End::Start { reply, kind, started: Vec::new(), error: None };
                    Some(Operation { steps, end })
                }
                Err(error) => {
                    drop(reply.send(Err(error)));
                    None
                }
            },
            Task::Stop { name, reply } => {
                let refused = match self.plan.place(&name) {
                    None => StopApplicationError::Unknown { nearest: self.plan.nearest(&name), name },
                    Some(place) if self.runs(place) => {
                        return Some(Operation { steps: [Step::Down(place)].into(), end: End::Stop(reply) });
                    }
                    Some(_) => StopApplicationError::NotStarted(name),
                };
                drop(reply.send(Err(refused)));
                None
            }
            Task::Ended(place) => {
                Some(Operation { steps: [Step::AfterEnd(place)].into(), end: End::Nothing })
            }
            Task::Close => {
                let latest_first = self.running.iter().rev().map(|(place, _)| Step::Down(*place));
                let steps = [Step::AtShutdown].into_iter().chain(latest_first).collect();
                Some(Operation { steps, end: End::Close })
            }
        }
    }

    fn steps_to(&self, name: Arc<str>, all: bool) -> Result<Vec<usize>, StartApplicationError> {
        let Some(place) = self.plan.place(&name) else {
            return Err(StartApplicationError::Unknown { nearest: self.plan.nearest(&name), name });
        };
        if all {
            return Ok(self.plan.missing(place, |place| self.runs(place)));
        }
        if self.runs(place) {
            return Err(StartApplicationError::AlreadyStarted(name));
        }
        self.check_needs(place)?;
        Ok(vec![place])
    }

    fn check_needs(&self, place: usize) -> Result<(), StartApplicationError> {
        let name = |place: usize| self.plan.name(place).clone();
        match self.plan.needs(place).iter().find(|needed| !self.runs(**needed)) {
            Some(needed) => {
                Err(StartApplicationError::NotStarted { application: name(place), needs: name(*needed) })
            }
            None => Ok(()),
        }
    }

    fn take(&mut self, step: Step, context: &mut Context<Msg>) {
        match step {
            Step::Up(place) => {
                // What ran, or was started for this, may have ended since it was asked for.
                if let Err(error) = self.check_needs(place) {
                    return self.undo(error);
                }
                let job = context.run("start of an application", (self.all[place].make)(), Msg::Made);
                self.in_hand = Some(InHand::Making(place, job));
            }
            Step::Down(place) => {
                // It may have ended by itself meanwhile.
                let Some(at) = self.running.iter().position(|(running, _)| *running == place) else { return };
                let (_, tree) = self.running.remove(at);
                match self.all[place].prep_stop.clone() {
                    Some(hook) => {
                        run(&hook, "prep_stop of an application", context);
                        self.in_hand = Some(InHand::PrepStop { place, tree, has_ended: false });
                    }
                    None => self.stop_tree(place, tree, context),
                }
            }
            Step::AfterEnd(place) => self.after_end(place, context),
            Step::AtShutdown => {
                if let Some(hook) = self.at_shutdown.clone() {
                    run(&hook, "shutdown of the applications", context);
                    self.in_hand = Some(InHand::Hook(None));
                }
            }
        }
    }

    fn stop_tree(&mut self, place: usize, tree: ActorRef, context: &mut Context<Msg>) {
        context.stop_child(&tree, ExitReason::Shutdown);
        self.in_hand = Some(InHand::Stopping(place, tree));
    }

    fn after_end(&mut self, place: usize, context: &mut Context<Msg>) {
        if let Some(hook) = self.all[place].stop.clone() {
            run(&hook, "stop of an application", context);
            self.in_hand = Some(InHand::Hook(Some(place)));
        }
    }

    fn finish(&mut self, end: Option<End>, context: &mut Context<Msg>) {
        match end {
            Some(End::Start { reply, started, error, .. }) => {
                let names = started.into_iter().map(|place| self.plan.name(place).clone()).collect();
                drop(reply.send(error.map_or(Ok(names), Err)));
            }
            Some(End::Stop(reply)) => drop(reply.send(Ok(()))),
            Some(End::Close) => {
                let reason = self.cause.take().or(self.closing.clone());
                context.stop(reason.unwrap_or(ExitReason::Shutdown));
            }
            Some(End::Nothing) | None => {}
        }
    }

    // --- what comes of a step ----------------------------------------------------------------------------------

    fn made(&mut self, made: Result<Result<Spec, ExitReason>, JobFailed>, context: &mut Context<Msg>) {
        let Some(InHand::Making(place, _)) = self.in_hand.take() else { return };
        if self.is_undone() {
            return;
        }
        let tree = match made {
            Ok(spec) => spec.and_then(|spec| self.start_tree(place, spec, context)),
            Err(failed) => Err(failed.into_reason()),
        };
        match tree {
            Ok(tree) => self.in_hand = Some(InHand::Starting(place, tree)),
            Err(reason) => self.failed(place, reason),
        }
    }

    fn start_tree(
        &self,
        place: usize,
        spec: Spec,
        context: &mut Context<Msg>,
    ) -> Result<ActorRef, ExitReason> {
        spec.check()?;
        let name = self.plan.name(place);
        let spec = spec.offer(ApplicationName(name.clone()));
        let recipe = Recipe::own_seat(move || Supervisor::new(&spec), MAILBOX);
        Ok(context.start(&recipe, StartOptions::named(name.clone()))?)
    }

    fn failed(&mut self, application: usize, reason: ExitReason) {
        let application = self.plan.name(application).clone();
        self.undo(StartApplicationError::Failed { application, reason });
    }

    /// What was started for the same request is stopped again, the newest first; what follows the ends of others stays to be
    /// done. It is told the first reason of several.
    fn undo(&mut self, why: StartApplicationError) {
        let Some(Operation { steps, end: End::Start { started, error, .. } }) = &mut self.operation else {
            return;
        };
        steps.retain(|step| matches!(step, Step::AfterEnd(_) | Step::Down(_)));
        steps.extend(started.drain(..).rev().map(Step::Down));
        error.get_or_insert(why);
    }

    /// If the start in hand is one that is to fail, whatever comes of this step: it is undone.
    fn is_undone(&mut self) -> bool {
        let why = match &self.operation {
            Some(Operation { end: End::Start { error: Some(error), .. }, .. }) => error.clone(),
            _ => return false,
        };
        self.undo(why);
        true
    }

    /// What the application needs that is being started has ended: its start is not waited for.
    fn give_up_start(&mut self, ended: usize, context: &mut Context<Msg>) {
        let (Some(in_hand), Some(Operation { end: End::Start { error, .. }, .. })) =
            (&self.in_hand, &mut self.operation)
        else {
            return;
        };
        let Some(place) = in_hand.starts().filter(|place| self.plan.needs(*place).contains(&ended)) else {
            return;
        };
        let (application, needs) = (self.plan.name(place).clone(), self.plan.name(ended).clone());
        error.get_or_insert(StartApplicationError::NotStarted { application, needs });
        self.hurry(context);
    }

    /// The start in hand is over as soon as it can be.
    fn hurry(&self, context: &mut Context<Msg>) {
        match &self.in_hand {
            Some(InHand::Making(_, job) | InHand::Phase { job, .. }) => drop(context.cancel_job(*job)),
            Some(InHand::Starting(_, tree)) => context.stop_child(tree, ExitReason::Shutdown),
            _ => {}
        }
    }

    fn is_up(&mut self, tree: ActorRef, place: usize) {
        self.running.push((place, tree));
        if let Some(Operation { end: End::Start { started, kind, .. }, .. }) = &mut self.operation {
            started.push(place);
            self.kinds[place] = *kind;
        }
    }

    /// Begins a phase of an application whose tree is up, if it has so many, and the system is not to stop.
    fn phase(&mut self, place: usize, number: usize, context: &mut Context<Msg>) {
        let tree = self.tree(place).and_then(ActorRef::address).map(Root::of);
        let phase = self.all[place].phases.get(number).filter(|_| self.closing.is_none());
        if let Some((phase, tree)) = phase.zip(tree) {
            let job = context.run("start phase of an application", (phase.run)(tree), Msg::Phased);
            self.in_hand = Some(InHand::Phase { place, number, job, ended: None });
        }
    }

    fn phased(&mut self, phased: Result<Result<(), ExitReason>, JobFailed>, context: &mut Context<Msg>) {
        let (place, number, ended) = match self.in_hand.take() {
            Some(InHand::Phase { place, number, ended, .. }) => (place, number, ended),
            other => return self.in_hand = other,
        };
        if let Some(reason) = ended {
            // It is among those that are stopped again, and not there any more.
            self.failed(place, reason);
            if let Some(operation) = &mut self.operation {
                operation.steps.push_front(Step::AfterEnd(place));
            }
            return;
        }
        if self.is_undone() {
            return;
        }
        match phased.unwrap_or_else(|failed| Err(failed.into_reason())) {
            Ok(()) => self.phase(place, number + 1, context),
            Err(reason) => {
                let phase = self.all[place].phases[number].name.clone();
                self.failed(place, ExitReason::error(StartPhaseFailed { phase, reason }));
            }
        }
    }

    fn hooked(&mut self, hooked: Result<(), JobFailed>, context: &mut Context<Msg>) {
        let place = match self.in_hand.take() {
            Some(InHand::PrepStop { place, tree, has_ended: false }) => {
                self.stop_tree(place, tree, context);
                Some(place)
            }
            Some(InHand::PrepStop { place, has_ended: true, .. }) => {
                self.after_end(place, context);
                Some(place)
            }
            Some(InHand::Hook(place)) => place,
            other => {
                self.in_hand = other;
                return;
            }
        };
        if let Err(failed) = hooked {
            let child = place.map_or(NAME, |place| self.plan.name(place));
            report(child, "stopped otherwise", &failed.into_reason(), context);
        }
    }

    fn child(&mut self, news: minder_runtime::ChildNotice, context: &mut Context<Msg>) {
        match (self.in_hand.take(), news.event) {
            (Some(InHand::Starting(place, tree)), event) if tree.id() == news.child => match event {
                // It has been told to stop already, and crossed that: `prep_stop` is for a tree that runs.
                ChildEvent::Started if self.is_undone() => {
                    self.in_hand = Some(InHand::Stopping(place, tree));
                }
                ChildEvent::Started => {
                    self.is_up(tree, place);
                    self.phase(place, 0, context);
                }
                ChildEvent::StartFailed(reason) | ChildEvent::Exited { reason, .. } => {
                    self.failed(place, reason)
                }
                _ => self.failed(place, ExitReason::Normal),
            },
            (Some(InHand::Phase { place, number, job, .. }), ChildEvent::Exited { reason, .. })
                if self.tree(place).is_some_and(|tree| tree.id() == news.child) =>
            {
                context.cancel_job(job);
                self.running.retain(|(running, _)| *running != place);
                self.in_hand = Some(InHand::Phase { place, number, job, ended: Some(reason) });
            }
            (Some(InHand::PrepStop { place, tree, .. }), ChildEvent::Exited { .. })
                if tree.id() == news.child =>
            {
                self.in_hand = Some(InHand::PrepStop { place, tree, has_ended: true });
            }
            (Some(InHand::Stopping(place, tree)), ChildEvent::Exited { .. }) if tree.id() == news.child => {
                self.after_end(place, context);
            }
            (in_hand, ChildEvent::Exited { reason, .. }) => {
                self.in_hand = in_hand;
                let Some(at) = self.running.iter().position(|(_, tree)| tree.id() == news.child) else {
                    return;
                };
                let (place, _) = self.running.remove(at);
                self.ended_by_itself(place, reason, context);
            }
            (in_hand, _) => self.in_hand = in_hand,
        }
    }

    fn ended_by_itself(&mut self, place: usize, reason: ExitReason, context: &mut Context<Msg>) {
        match &mut self.operation {
            Some(operation) => operation.steps.push_front(Step::AfterEnd(place)),
            None => self.waiting.push_front(Task::Ended(place)),
        }
        let application = self.plan.name(place).clone();
        if self.closing.is_some() || !self.kinds[place].ends_the_system(&reason) {
            report(&application, "leave down", &reason, context);
            return self.give_up_start(place, context);
        }
        report(&application, "give up", &reason, context);
        let ended = ApplicationEnded { application, reason };
        self.cause.get_or_insert(ExitReason::shutdown_with(ended));
        context.system().begin_shutdown(self.limit);
    }
}

fn run(hook: &Hook, name: &'static str, context: &mut Context<Msg>) {
    context.run(name, hook(), Msg::Hooked);
}

fn report(child: &str, decision: &'static str, reason: &ExitReason, context: &Context<Msg>) {
    let (path, reason) = (context.path(), Some(reason));
    context.report(&Event::Decided {
        path: &path,
        child,
        decision,
        reason,
        restarts: 0,
        limit: 0,
        delay: None,
        reports: &[],
    });
}

impl Actor for Controller {
    type Msg = Msg;

    async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
        context.trap_exit(true);
        Ok(())
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Asked(question) => self.asked(question),
            Msg::Made(made) => self.made(made, context),
            Msg::Phased(phased) => self.phased(phased, context),
            Msg::Hooked(hooked) => self.hooked(hooked, context),
        }
        self.go_on(context);
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<Msg>) -> Handled {
        if let Notice::Child(news) = notice {
            self.child(news, context);
            self.go_on(context);
        }
        Ok(())
    }

    /// Whoever waits for a start is told, and what is being started is not waited for.
    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<Msg>) -> Winding {
        if self.closing.is_some() {
            return Winding::Later;
        }
        self.closing = Some(reason.clone());
        for task in std::mem::take(&mut self.waiting) {
            match task {
                Task::Start { reply, .. } => drop(reply.send(Err(StartApplicationError::ShuttingDown))),
                Task::Stop { reply, .. } => drop(reply.send(Err(StopApplicationError::ShuttingDown))),
                Task::Ended(_) => self.waiting.push_back(task),
                Task::Close => {}
            }
        }
        self.waiting.push_back(Task::Close);
        if let Some(Operation { steps, end: End::Start { error, .. } }) = &mut self.operation {
            steps.retain(|step| !matches!(step, Step::Up(_)));
            error.get_or_insert(StartApplicationError::ShuttingDown);
        }
        self.hurry(context);
        self.go_on(context);
        Winding::Later
    }
}
