//! The environment of a supervisor under test, and the comparison: what can come next, what becomes of it in the core and
//! in its plain model, and whether the two agree. The same for every kind of supervisor.
//! Decides on no sequence, and knows no request; whoever uses it does.

use crate::words::{Act, History, Input, Outcome};
use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{Answer, ChildState, Command, Event, Places, Request, RequestId, Slot, Ticket};
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

pub(crate) const PERIOD: Duration = Duration::from_secs(3);
pub(crate) const LIMIT: Duration = Duration::from_secs(2);
/// One of these is exactly the period, two are longer; one is longer than the limit of a shutdown.
pub(crate) const TICK: Duration = Duration::from_secs(3);

/// The answer to whoever is to ask for the next part of a change.
pub(crate) const HELD: &str = "held";

/// A kind of supervisor, beside its plain model.
pub(crate) trait Subject: Clone + Debug {
    type Rules: Debug;
    /// What may be asked for.
    type Ask: Clone + Debug;

    fn handle(&mut self, event: Event, now: Moment, commands: &mut Vec<Command>);
    fn state(&self, slot: Slot) -> Option<ChildState>;
    fn request(ask: Self::Ask, slots: &[Slot]) -> Request;
    /// What comes of comparing it with what this request is to make of it.
    fn compared(&self, _: &Self::Ask) -> Event {
        panic!("nobody asks for a change")
    }
    /// The words that the model uses for this answer.
    fn in_words(answer: &Answer) -> String;
    /// What the model does.
    fn replay(rules: &Self::Rules, history: &History<Self::Ask>) -> Outcome;
}

/// What was walked through.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) sequences: u64,
    pub(crate) events: u64,
}

/// A child's process, as its environment knows it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Process {
    None,
    Starting,
    /// Starting, and told to stop meanwhile.
    Abandoned,
    Up,
    Stopping,
}

/// What the environment owes: it decides which events can come next.
#[derive(Clone)]
pub(crate) struct World<A> {
    pub(crate) now: Moment,
    pub(crate) processes: Vec<Process>,
    deadlines: Vec<Option<Moment>>,
    /// When the common limit at the end is over.
    end: Option<Moment>,
    retries: Vec<u8>,
    /// Waits for a restart: on whose account, from when on they may be over, and what is sent back. None once it was.
    waits: Vec<Option<(usize, Moment)>>,
    tickets: Vec<Ticket>,
    /// Whether a part of a change is being done within a child.
    parts: Vec<bool>,
    /// Whether the supervisor waits to be asked for the next part of one.
    held: bool,
    /// What may be asked for when there have been so many children.
    pub(crate) offers: fn(usize) -> Vec<A>,
    /// And what may be asked for at any time.
    pub(crate) changes: Rc<[A]>,
    /// How many requests there have been, and how many there may be.
    asks: u64,
    pub(crate) most_asks: u64,
    stops: u8,
    ticks: u8,
    /// How often time may go on.
    pub(crate) most_ticks: u8,
    restarted: bool,
    pub(crate) ready: bool,
    pub(crate) over: bool,
    /// Whether ends that are not charged happen too.
    pub(crate) uncharged: bool,
}

pub(crate) enum Step<A> {
    Tick,
    Input(Input<A>),
}

impl<A: Clone> World<A> {
    pub(crate) fn new(children: usize, offers: fn(usize) -> Vec<A>) -> Self {
        Self {
            now: Moment::START,
            processes: vec![Process::None; children],
            deadlines: vec![None; children],
            end: None,
            retries: vec![0; children],
            waits: Vec::new(),
            tickets: Vec::new(),
            parts: vec![false; children],
            held: false,
            offers,
            changes: Rc::from([]),
            asks: 0,
            most_asks: 0,
            stops: 0,
            ticks: 0,
            most_ticks: 2,
            restarted: false,
            ready: false,
            over: false,
            uncharged: false,
        }
    }

    /// Everything that can happen now.
    pub(crate) fn steps(&self) -> Vec<Step<A>> {
        if self.over {
            return Vec::new();
        }
        let boom = || ExitReason::Killed;
        let mut inputs = Vec::new();
        for child in 0..self.processes.len() {
            match self.processes[child] {
                Process::None => {}
                Process::Starting | Process::Abandoned => {
                    inputs.push(Input::Started(child));
                    inputs.push(Input::StartFailed(child, boom()));
                    inputs.push(Input::Ignored(child));
                    inputs.push(Input::Exited(child, ExitReason::Normal, true));
                }
                Process::Up => {
                    inputs.push(Input::Exited(child, ExitReason::Normal, true));
                    inputs.push(Input::Exited(child, boom(), true));
                    if self.uncharged {
                        inputs.push(Input::Exited(child, boom(), false));
                    }
                }
                // A reason that would be followed by a restart if anybody judged it.
                Process::Stopping => inputs.push(Input::Exited(child, boom(), true)),
            }
            // Also of a stop that is over: a timer may have fired before it was taken back.
            if self.deadlines[child].is_some_and(|due| due <= self.now) {
                inputs.push(Input::StopDeadline(child));
            }
            if self.retries[child] > 0 {
                inputs.push(Input::TryAgain(child));
            }
            if self.parts[child] {
                inputs.extend([true, false].map(|done| Input::PartDone(child, done)));
            }
        }
        for (number, wait) in self.waits.iter().enumerate() {
            if let Some((child, due)) = *wait
                && due <= self.now
            {
                inputs.push(Input::RestartDue(child, number));
            }
        }
        if self.end.is_some_and(|due| due <= self.now) {
            inputs.push(Input::EndDeadline);
        }
        if self.held {
            inputs.extend([true, false].map(Input::NextPart));
        }
        if self.stops < 2 {
            inputs.push(Input::Stop(ExitReason::Hung("stop")));
        }
        if self.asks < self.most_asks {
            inputs.extend((self.offers)(self.processes.len()).into_iter().map(Input::Asked));
            inputs.extend(self.changes.iter().cloned().map(Input::Asked));
        }
        let mut steps: Vec<Step<A>> = inputs.into_iter().map(Step::Input).collect();
        let waits = self.waits.iter().any(Option::is_some);
        let due = waits || self.end.is_some() || self.deadlines.iter().any(Option::is_some);
        if self.ticks < self.most_ticks && (self.restarted || due) {
            steps.push(Step::Tick);
        }
        steps
    }

    /// A place that nobody has had.
    fn comes(&mut self, process: Process) {
        self.processes.push(process);
        self.deadlines.push(None);
        self.retries.push(0);
        self.parts.push(false);
    }

    pub(crate) fn tick(&mut self) {
        self.now = self.now + TICK;
        self.ticks += 1;
    }

    fn notice(&mut self, input: &Input<A>) {
        match *input {
            Input::Started(child) => {
                self.processes[child] = match self.processes[child] {
                    Process::Abandoned => Process::Stopping,
                    _ => Process::Up,
                }
            }
            Input::StartFailed(child, _) | Input::Ignored(child) | Input::Exited(child, ..) => {
                self.processes[child] = Process::None;
            }
            Input::StopDeadline(child) => self.deadlines[child] = None,
            Input::EndDeadline => self.end = None,
            Input::TryAgain(child) => self.retries[child] -= 1,
            Input::RestartDue(_, number) => self.waits[number] = None,
            Input::PartDone(child, _) => self.parts[child] = false,
            Input::Stop(_) => self.stops += 1,
            Input::NextPart(asked) => {
                self.held = false;
                self.asks += u64::from(asked);
            }
            Input::Asked(_) => self.asks += 1,
        }
    }

    fn carry_out(&mut self, act: &Act) {
        assert!(!self.over, "nothing comes after the exit");
        match *act {
            Act::Start(child) => {
                assert!(self.processes[child] == Process::None, "a child is started beside its earlier life");
                self.processes[child] = Process::Starting;
                self.restarted |= self.ready;
            }
            Act::AskToStop(child) | Act::Kill(child) => {
                self.processes[child] = match self.processes[child] {
                    Process::None => panic!("a child without a process is told to stop"),
                    Process::Starting | Process::Abandoned => Process::Abandoned,
                    Process::Up | Process::Stopping => Process::Stopping,
                }
            }
            Act::SetDeadline(child, due) => self.deadlines[child] = Some(due),
            Act::SetEndDeadline(due) => self.end = Some(due),
            Act::TryAgain(child) => self.retries[child] += 1,
            Act::SetRestart(child, earliest, latest) => {
                assert!(earliest <= latest);
                self.waits.push(Some((child, earliest)));
            }
            Act::NewEpoch(child) => {
                assert!(self.processes[child] == Process::None, "an epoch begins between two lives");
            }
            Act::Add(child) => {
                assert_eq!(child, self.processes.len(), "a new child comes last");
                self.comes(Process::None);
            }
            // Also within one that has fallen meanwhile: what comes of it is heard all the same.
            Act::Part(child, _) => self.parts[child] = true,
            Act::LetGo(_) => {}
            Act::Rearrange(ref places) => {
                for &(child, was) in places {
                    assert_eq!(child, self.processes.len(), "places are numbered on");
                    let none = Process::None;
                    let process = was.map_or(none, |was| std::mem::replace(&mut self.processes[was], none));
                    assert!(matches!(process, Process::None | Process::Up), "nobody is on the way");
                    self.comes(process);
                }
                let lost = self.processes.iter().rev().skip(places.len()).any(|it| *it != Process::None);
                assert!(!lost, "whoever has no place has no process");
            }
            Act::Forget(child) => {
                assert!(self.processes[child] == Process::None, "whoever is forgotten is gone")
            }
            Act::Answer(_, ref answer) => self.held = answer == HELD,
            Act::Ready => self.ready = true,
            Act::Exit(_) => {
                assert!(
                    self.processes.iter().all(|&process| process == Process::None),
                    "all children are gone"
                );
                self.over = true;
            }
        }
    }
}

/// One specification under enumeration.
pub(crate) struct Case<'a, S: Subject> {
    rules: &'a S::Rules,
    slots: &'a [Slot],
    history: Vec<(Input<S::Ask>, Moment)>,
    acts: usize,
    commands: Vec<Command>,
    pub(crate) tally: Tally,
}

impl<'a, S: Subject> Case<'a, S> {
    pub(crate) fn new(rules: &'a S::Rules, slots: &'a [Slot]) -> Self {
        Self { rules, slots, history: Vec::new(), acts: 0, commands: Vec::new(), tally: Tally::default() }
    }

    fn event(&self, input: &Input<S::Ask>, world: &World<S::Ask>) -> Event {
        match input.clone() {
            Input::Started(child) => Event::Started(self.slots[child]),
            Input::StartFailed(child, reason) => Event::StartFailed(self.slots[child], reason),
            Input::Ignored(child) => Event::Ignored(self.slots[child]),
            Input::Exited(child, reason, charged) => {
                Event::Exited { slot: self.slots[child], reason, charged }
            }
            Input::StopDeadline(child) => Event::StopDeadline(self.slots[child]),
            Input::EndDeadline => Event::EndDeadline,
            Input::TryAgain(child) => Event::TryAgain(self.slots[child]),
            Input::RestartDue(child, number) => Event::RestartDue(self.slots[child], world.tickets[number]),
            Input::PartDone(child, done) => Event::PartDone(self.slots[child], done),
            Input::NextPart(asked) => Event::NextPart(asked.then_some(RequestId(world.asks))),
            Input::Stop(reason) => Event::Stop(reason),
            Input::Asked(ask) => Event::Asked(RequestId(world.asks), S::request(ask, self.slots)),
        }
    }

    /// # Panics
    /// The two do not agree; so with [`step`](Self::step).
    pub(crate) fn input(&mut self, input: Input<S::Ask>, supervision: &mut S, world: &mut World<S::Ask>) {
        self.try_input(input, supervision, world).unwrap_or_else(|difference| panic!("{difference}"));
    }

    pub(crate) fn step(&mut self, event: Event, supervision: &mut S, world: &mut World<S::Ask>) {
        self.try_step(event, supervision, world).unwrap_or_else(|difference| panic!("{difference}"));
    }

    /// # Errors
    /// The two do not agree; where, and what came before.
    pub(crate) fn try_input(
        &mut self,
        input: Input<S::Ask>,
        supervision: &mut S,
        world: &mut World<S::Ask>,
    ) -> Result<(), String> {
        self.tally.events += 1;
        let event = self.event(&input, world);
        world.notice(&input);
        self.history.push((input, world.now));
        self.try_step(event, supervision, world)
    }

    /// Gives one event to both and compares; the acts that came of it are done to the world.
    fn try_step(
        &mut self,
        event: Event,
        supervision: &mut S,
        world: &mut World<S::Ask>,
    ) -> Result<(), String> {
        let mut commands = std::mem::take(&mut self.commands);
        commands.clear();
        supervision.handle(event, world.now, &mut commands);
        while let Some(&Command::Compare(request)) = commands.last() {
            commands.pop();
            supervision.handle(supervision.compared(self.ask(request)), world.now, &mut commands);
        }
        let (acts, states) = S::replay(self.rules, &self.history);
        let (expected, got) = (&acts[self.acts..], || commands.iter().filter_map(act::<S>));
        let alike = |(slot, state): (&Slot, &Option<ChildState>)| supervision.state(*slot) == *state;
        if !(got().eq(expected.iter().cloned()) && self.slots.iter().zip(&states).all(alike)) {
            return Err(format!(
                "\n{:#?}\nhistory {:?}\nexpected {expected:?}\nbut got  {:?}\nexpected {states:?}\nbut got {supervision:#?}",
                self.rules,
                self.history,
                got().collect::<Vec<_>>(),
            ));
        }
        expected.iter().for_each(|act| world.carry_out(act));
        world.tickets.extend(commands.iter().filter_map(|command| match command {
            Command::SetRestart { ticket, .. } => Some(*ticket),
            _ => None,
        }));
        if !world.over && !self.nobody_waits_in_vain(supervision, world) {
            return Err(format!("somebody waits in vain: {:?}\n{supervision:#?}", self.history));
        }
        self.acts = acts.len();
        self.commands = commands;
        Ok(())
    }

    /// The request of this number.
    fn ask(&self, RequestId(number): RequestId) -> &S::Ask {
        let mut asked = self.history.iter().filter_map(|(input, _)| match input {
            Input::Asked(ask) => Some(Some(ask)),
            Input::NextPart(true) => Some(None),
            _ => None,
        });
        asked.nth(usize::try_from(number).expect("few requests")).flatten().expect("it was asked")
    }

    /// Whoever waits between operations is going to be started: something is under way for it.
    fn nobody_waits_in_vain(&self, supervision: &S, world: &World<S::Ask>) -> bool {
        let idle = |process: &Process| matches!(process, Process::None | Process::Up);
        let mut waiting = (self.slots.iter().zip(&world.retries))
            .filter(|(slot, _)| supervision.state(**slot) == Some(ChildState::Waiting));
        let timed = world.waits.iter().any(Option::is_some);
        let busy = !world.processes.iter().all(idle) || world.parts.contains(&true);
        busy || timed || world.held || waiting.all(|(_, retries)| *retries > 0)
    }

    pub(crate) fn explore(&mut self, supervision: &S, world: &World<S::Ask>, depth: usize) {
        let steps = if depth == 0 { Vec::new() } else { world.steps() };
        if steps.is_empty() {
            self.tally.sequences += 1;
        }
        let acts = self.acts;
        for step in steps {
            let mut world = world.clone();
            match step {
                Step::Tick => {
                    world.tick();
                    self.explore(supervision, &world, depth - 1);
                }
                Step::Input(input) => {
                    let mut supervision = supervision.clone();
                    self.input(input, &mut supervision, &mut world);
                    self.explore(&supervision, &world, depth - 1);
                    self.history.pop();
                    self.acts = acts;
                }
            }
        }
    }
}

/// The slots of a supervisor's first children, and of those that are added later: they are numbered in order.
pub(crate) fn slots(children: usize) -> Vec<Slot> {
    let mut places = Places::default();
    (0..children).map(|_| places.add(())).collect()
}

fn act<S: Subject>(command: &Command) -> Option<Act> {
    Some(match command {
        Command::Start(slot) => Act::Start(index(slot)),
        Command::NewEpoch(slot) => Act::NewEpoch(index(slot)),
        Command::AskToStop(slot) => Act::AskToStop(index(slot)),
        Command::Kill(slot) => Act::Kill(index(slot)),
        Command::SetDeadline(slot, due) => Act::SetDeadline(index(slot), *due),
        Command::SetEndDeadline(due) => Act::SetEndDeadline(*due),
        Command::TryAgain(slot) => Act::TryAgain(index(slot)),
        Command::SetRestart { slot, earliest, latest, .. } => {
            Act::SetRestart(index(slot), *earliest, *latest)
        }
        Command::Forget(slot) => Act::Forget(index(slot)),
        Command::Ready => Act::Ready,
        Command::Exit(reason) => Act::Exit(reason.clone()),
        Command::Add(slot, _) => Act::Add(index(slot)),
        Command::Answer(RequestId(id), answer) => Act::Answer(*id, S::in_words(answer)),
        Command::Report(_) => return None,
        Command::Part(slot, part) => Act::Part(index(slot), *part),
        Command::LetGo(slot) => Act::LetGo(index(slot)),
        Command::Rearrange(_, seats) => {
            Act::Rearrange(seats.iter().map(|(slot, was)| (index(slot), was.as_ref().map(index))).collect())
        }
        Command::Compare(_) => panic!("nothing comes after it"),
        Command::KillFor(..) | Command::SetReadyDeadline(..) => panic!("nobody here says when it is ready"),
    })
}

fn index(slot: &Slot) -> usize {
    usize::try_from(slot.number()).expect("few children")
}
