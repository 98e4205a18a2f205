//! The environment of a supervisor under test, and the comparison: what can come next, what becomes of it in the core and
//! in the plain model of `reference.rs`, and whether the two agree. Decides on no sequence; see `enumeration.rs`, `walks.rs`.

use crate::beyond::asks_beyond;
use crate::reference::{self, Act, Ask, Input};
use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    Answer, AutoShutdown, ChildRules, ChildState, Command, Event, Refusal, Request, RequestId, Restart,
    Rules, Shutdown, Slot, Strategy, Supervision, Ticket, Which,
};
use std::time::Duration;

pub(crate) const PERIOD: Duration = Duration::from_secs(3);
pub(crate) const LIMIT: Duration = Duration::from_secs(2);
/// One of these is exactly the period, two are longer; one is longer than the limit of a shutdown.
pub(crate) const TICK: Duration = Duration::from_secs(3);

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
pub(crate) struct World {
    pub(crate) now: Moment,
    pub(crate) processes: Vec<Process>,
    deadlines: Vec<Option<Moment>>,
    retries: Vec<u8>,
    /// Waits for a restart: on whose account, from when on they may be over, and what is sent back. None once it was.
    waits: Vec<Option<(usize, Moment)>>,
    tickets: Vec<Ticket>,
    /// Whether what is asked for is beyond OTP.
    pub(crate) beyond: bool,
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

pub(crate) enum Step {
    Tick,
    Input(Input),
}

impl World {
    fn new(children: usize) -> Self {
        Self {
            now: Moment::START,
            processes: vec![Process::None; children],
            deadlines: vec![None; children],
            retries: vec![0; children],
            waits: Vec::new(),
            tickets: Vec::new(),
            beyond: false,
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
    pub(crate) fn steps(&self) -> Vec<Step> {
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
        }
        for (number, wait) in self.waits.iter().enumerate() {
            if let Some((child, due)) = *wait
                && due <= self.now
            {
                inputs.push(Input::RestartDue(child, number));
            }
        }
        if self.stops < 2 {
            inputs.push(Input::Stop(ExitReason::Hung("stop")));
        }
        if self.asks < self.most_asks {
            match self.beyond {
                false => inputs.extend(asks().map(Input::Asked)),
                true => inputs.extend(asks_beyond().map(Input::Asked)),
            }
        }
        let mut steps: Vec<Step> = inputs.into_iter().map(Step::Input).collect();
        let due = self.deadlines.iter().any(Option::is_some) || self.waits.iter().any(Option::is_some);
        if self.ticks < self.most_ticks && (self.restarted || due) {
            steps.push(Step::Tick);
        }
        steps
    }

    pub(crate) fn tick(&mut self) {
        self.now = self.now + TICK;
        self.ticks += 1;
    }

    fn notice(&mut self, input: &Input) {
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
            Input::TryAgain(child) => self.retries[child] -= 1,
            Input::RestartDue(_, number) => self.waits[number] = None,
            Input::Stop(_) => self.stops += 1,
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
                self.processes.push(Process::None);
                self.deadlines.push(None);
                self.retries.push(0);
            }
            Act::Forget(_) | Act::Answer(..) => {}
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

/// Every request, about a child that is there at first, one that may have been added, and one that never is.
fn asks() -> impl Iterator<Item = Ask> {
    let added =
        |id: &str, restart, shutdown| Ask::Start(ChildRules { restart, shutdown, ..ChildRules::worker(id) });
    let of = |id: &str| [Ask::Terminate(id.into()), Ask::Restart(id.into()), Ask::Delete(id.into())];
    let starts = [
        added("0", Restart::Permanent, Shutdown::Infinity),
        added("1", Restart::Temporary, Shutdown::BrutalKill),
        added("new", Restart::Transient, Shutdown::Within(LIMIT)),
    ];
    starts.into_iter().chain(of("0")).chain(of("1")).chain(of("new")).chain([Ask::Which, Ask::Count])
}

/// One specification under enumeration.
pub(crate) struct Case<'a> {
    rules: &'a Rules,
    slots: &'a [Slot],
    history: Vec<(Input, Moment)>,
    acts: usize,
    commands: Vec<Command>,
    pub(crate) tally: Tally,
}

impl<'a> Case<'a> {
    pub(crate) fn new(rules: &'a Rules, slots: &'a [Slot]) -> Self {
        Self { rules, slots, history: Vec::new(), acts: 0, commands: Vec::new(), tally: Tally::default() }
    }

    fn event(&self, input: &Input, world: &World) -> Event {
        match input.clone() {
            Input::Started(child) => Event::Started(self.slots[child]),
            Input::StartFailed(child, reason) => Event::StartFailed(self.slots[child], reason),
            Input::Ignored(child) => Event::Ignored(self.slots[child]),
            Input::Exited(child, reason, charged) => {
                Event::Exited { slot: self.slots[child], reason, charged }
            }
            Input::StopDeadline(child) => Event::StopDeadline(self.slots[child]),
            Input::TryAgain(child) => Event::TryAgain(self.slots[child]),
            Input::RestartDue(child, number) => Event::RestartDue(self.slots[child], world.tickets[number]),
            Input::Stop(reason) => Event::Stop(reason),
            Input::Asked(ask) => {
                let id = RequestId(world.asks);
                Event::Asked(
                    id,
                    match ask {
                        Ask::Start(rules) => Request::StartChild(rules),
                        Ask::Terminate(id) => Request::TerminateChild(Which::Id(id.into())),
                        Ask::Restart(id) => Request::RestartChild(id.into()),
                        Ask::Delete(id) => Request::DeleteChild(id.into()),
                        Ask::Disable(id) => Request::DisableChild(id.into()),
                        Ask::Enable(id) => Request::EnableChild(id.into()),
                        Ask::Which => Request::WhichChildren,
                        Ask::Count => Request::CountChildren,
                    },
                )
            }
        }
    }

    /// # Panics
    /// The two do not agree; so with [`step`](Self::step).
    pub(crate) fn input(&mut self, input: Input, supervision: &mut Supervision, world: &mut World) {
        self.try_input(input, supervision, world).unwrap_or_else(|difference| panic!("{difference}"));
    }

    pub(crate) fn step(&mut self, event: Event, supervision: &mut Supervision, world: &mut World) {
        self.try_step(event, supervision, world).unwrap_or_else(|difference| panic!("{difference}"));
    }

    /// # Errors
    /// The two do not agree; where, and what came before.
    pub(crate) fn try_input(
        &mut self,
        input: Input,
        supervision: &mut Supervision,
        world: &mut World,
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
        supervision: &mut Supervision,
        world: &mut World,
    ) -> Result<(), String> {
        let mut commands = std::mem::take(&mut self.commands);
        commands.clear();
        supervision.handle(event, world.now, &mut commands);
        let (acts, states) = reference::replay(self.rules, &self.history);
        let (expected, got) = (&acts[self.acts..], || commands.iter().filter_map(act));
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

    /// Whoever waits between operations is going to be started: something is under way for it.
    fn nobody_waits_in_vain(&self, supervision: &Supervision, world: &World) -> bool {
        let idle = |process: &Process| matches!(process, Process::None | Process::Up);
        let mut waiting =
            self.slots.iter().filter(|slot| supervision.state(**slot) == Some(ChildState::Waiting));
        let under_way =
            world.retries.iter().any(|&retries| retries > 0) || world.waits.iter().any(Option::is_some);
        !world.processes.iter().all(idle) || under_way || waiting.next().is_none()
    }

    pub(crate) fn explore(&mut self, supervision: &Supervision, world: &World, depth: usize) {
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

pub(crate) fn beginning(rules: &Rules) -> (Vec<Slot>, Supervision, World) {
    // Slots are numbered in order: those of children yet to be added are those of a supervisor that has more.
    let more = (0..80).map(|child: u32| ChildRules::worker(&child.to_string())).collect();
    let more = Rules::new(Strategy::OneForOne, 0, PERIOD, AutoShutdown::Never, more).expect("valid");
    let slots = Supervision::new(more).slots().collect();
    (slots, Supervision::new(rules.clone()), World::new(rules.children().len()))
}

fn act(command: &Command) -> Option<Act> {
    Some(match command {
        Command::Start(slot) => Act::Start(index(slot)),
        Command::NewEpoch(slot) => Act::NewEpoch(index(slot)),
        Command::AskToStop(slot) => Act::AskToStop(index(slot)),
        Command::Kill(slot) => Act::Kill(index(slot)),
        Command::SetDeadline(slot, due) => Act::SetDeadline(index(slot), *due),
        Command::TryAgain(slot) => Act::TryAgain(index(slot)),
        Command::SetRestart { slot, earliest, latest, .. } => {
            Act::SetRestart(index(slot), *earliest, *latest)
        }
        Command::Forget(slot) => Act::Forget(index(slot)),
        Command::Ready => Act::Ready,
        Command::Exit(reason) => Act::Exit(reason.clone()),
        Command::Add(slot, _) => Act::Add(index(slot)),
        Command::Answer(RequestId(id), answer) => Act::Answer(*id, in_words(answer)),
        Command::Report(_) => return None,
        Command::SetEndDeadline(_) => panic!("only a dynamic supervisor has one"),
        Command::Compare(_) | Command::Part(..) | Command::LetGo(_) | Command::Rearrange(..) => {
            panic!("nobody asks for a change: `changes.rs` does")
        }
        Command::KillFor(..) | Command::SetReadyDeadline(..) => panic!("nobody here says when it is ready"),
    })
}

fn index(slot: &Slot) -> usize {
    usize::try_from(slot.number()).expect("few children")
}

fn in_words(answer: &Answer) -> String {
    match answer {
        Answer::Started(slot) => format!("started {slot:?}"),
        Answer::Ignored => "ignored".to_owned(),
        Answer::Done => "done".to_owned(),
        Answer::Children(children) => {
            let lines: Vec<_> =
                children.iter().map(|child| format!("{}:{:?}", child.id, child.state)).collect();
            lines.join(" ")
        }
        Answer::Counts(counts) => {
            assert_eq!((counts.specs, counts.supervisors), (counts.workers, 0));
            format!("{} of {}", counts.active, counts.specs)
        }
        Answer::Refused(refusal) => match refusal {
            Refusal::AlreadyStarted(slot) => format!("already started {slot:?}"),
            Refusal::AlreadyPresent => "already present".to_owned(),
            Refusal::Running => "running".to_owned(),
            Refusal::Restarting => "restarting".to_owned(),
            Refusal::NotFound => "not found".to_owned(),
            Refusal::Disabled => "disabled".to_owned(),
            Refusal::NotDisabled => "not disabled".to_owned(),
            Refusal::StartFailed(reason) => format!("failed {reason}"),
            other => panic!("nobody asked for that: {other:?}"),
        },
        other => panic!("nobody asked for that: {other:?}"),
    }
}
