//! Every sequence of events that an environment can produce, to a small depth, against the plain model of
//! `reference.rs`: the same commands after every event, and children that stand alike.
//! Two beginnings: before the supervisor's own start, and after it. Reports are not compared; `rows.rs` shows them.

mod beyond;
mod notes;
mod reference;

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    Answer, AutoShutdown, ChildRules, ChildState, Command, Event, Refusal, Request, RequestId, Restart,
    Rules, Shutdown, Slot, Strategy, Supervision, Ticket, Which,
};
use reference::{Act, Ask, Input};
use std::time::Duration;

const DEPTH: usize = 5;
const PERIOD: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(2);
/// One of these is exactly the period, two are longer; one is longer than the limit of a shutdown.
const TICK: Duration = Duration::from_secs(3);

const STRATEGIES: [Strategy; 3] = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];
const RESTARTS: [Restart; 3] = [Restart::Permanent, Restart::Transient, Restart::Temporary];
const SHUTDOWNS: [[Shutdown; 3]; 2] = [
    [Shutdown::Infinity, Shutdown::Within(LIMIT), Shutdown::BrutalKill],
    [Shutdown::Within(LIMIT), Shutdown::Within(Duration::ZERO), Shutdown::Within(LIMIT)],
];

/// What was walked through.
#[derive(Default)]
struct Tally {
    sequences: u64,
    events: u64,
}

/// A child's process, as its environment knows it.
#[derive(Clone, Copy, PartialEq)]
enum Process {
    None,
    Starting,
    /// Starting, and told to stop meanwhile.
    Abandoned,
    Up,
    Stopping,
}

/// What the environment owes: it decides which events can come next.
#[derive(Clone)]
struct World {
    now: Moment,
    processes: Vec<Process>,
    deadlines: Vec<Option<Moment>>,
    retries: Vec<u8>,
    /// Waits for a restart: on whose account, from when on they may be over, and what is sent back. None once it was.
    waits: Vec<Option<(usize, Moment)>>,
    tickets: Vec<Ticket>,
    /// Whether what is asked for is beyond OTP.
    beyond: bool,
    /// How many requests there have been, and how many there may be.
    asks: u64,
    most_asks: u64,
    stops: u8,
    ticks: u8,
    restarted: bool,
    ready: bool,
    over: bool,
    /// Whether ends that are not charged happen too.
    uncharged: bool,
}

enum Step {
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
            restarted: false,
            ready: false,
            over: false,
            uncharged: false,
        }
    }

    /// Everything that can happen now.
    fn steps(&self) -> Vec<Step> {
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
                true => inputs.extend(beyond::asks_beyond().map(Input::Asked)),
            }
        }
        let mut steps: Vec<Step> = inputs.into_iter().map(Step::Input).collect();
        let due = self.deadlines.iter().any(Option::is_some) || self.waits.iter().any(Option::is_some);
        if self.ticks < 2 && (self.restarted || due) {
            steps.push(Step::Tick);
        }
        steps
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
struct Case<'a> {
    rules: &'a Rules,
    slots: &'a [Slot],
    history: Vec<(Input, Moment)>,
    acts: usize,
    commands: Vec<Command>,
    tally: Tally,
}

impl<'a> Case<'a> {
    fn new(rules: &'a Rules, slots: &'a [Slot]) -> Self {
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

    fn input(&mut self, input: Input, supervision: &mut Supervision, world: &mut World) {
        self.tally.events += 1;
        let event = self.event(&input, world);
        world.notice(&input);
        self.history.push((input, world.now));
        self.step(event, supervision, world);
    }

    /// Gives one event to both and compares; the acts that came of it are done to the world.
    fn step(&mut self, event: Event, supervision: &mut Supervision, world: &mut World) {
        let mut commands = std::mem::take(&mut self.commands);
        commands.clear();
        supervision.handle(event, world.now, &mut commands);
        let (acts, states) = reference::replay(self.rules, &self.history);
        let (expected, got) = (&acts[self.acts..], || commands.iter().filter_map(act));
        let alike = |(slot, state): (&Slot, &Option<ChildState>)| supervision.state(*slot) == *state;
        let agree = got().eq(expected.iter().cloned()) && self.slots.iter().zip(&states).all(alike);
        assert!(
            agree,
            "\n{:#?}\nhistory {:?}\nexpected {expected:?}\nbut got  {:?}\nexpected {states:?}\nbut got {supervision:#?}",
            self.rules,
            self.history,
            got().collect::<Vec<_>>(),
        );
        expected.iter().for_each(|act| world.carry_out(act));
        world.tickets.extend(commands.iter().filter_map(|command| match command {
            Command::SetRestart { ticket, .. } => Some(*ticket),
            _ => None,
        }));
        if !world.over {
            assert!(self.nobody_waits_in_vain(supervision, world), "{:?}\n{supervision:#?}", self.history);
        }
        self.acts = acts.len();
        self.commands = commands;
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

    fn explore(&mut self, supervision: &Supervision, world: &World, depth: usize) {
        let steps = if depth == 0 { Vec::new() } else { world.steps() };
        if steps.is_empty() {
            self.tally.sequences += 1;
        }
        let acts = self.acts;
        for step in steps {
            let mut world = world.clone();
            match step {
                Step::Tick => {
                    world.now = world.now + TICK;
                    world.ticks += 1;
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

/// Both beginnings of one specification.
fn enumerate(rules: &Rules) -> Tally {
    let (slots, mut supervision, mut world) = beginning(rules);
    // With three children that would be half as much again, and show no more.
    world.uncharged = rules.children().len() < 3;
    let mut case = Case::new(rules, &slots);
    case.step(Event::Start, &mut supervision, &mut world);
    case.explore(&supervision, &world, DEPTH);
    for child in 0..rules.children().len() {
        case.input(Input::Started(child), &mut supervision, &mut world);
    }
    assert!(world.ready);
    case.explore(&supervision, &world, DEPTH);
    case.tally
}

fn beginning(rules: &Rules) -> (Vec<Slot>, Supervision, World) {
    // Slots are numbered in order: those of children yet to be added are those of a supervisor that has more.
    let more = (0..12).map(|child: u32| ChildRules::worker(&child.to_string())).collect();
    let more = Rules::new(Strategy::OneForOne, 0, PERIOD, AutoShutdown::Never, more).expect("valid");
    let slots = Supervision::new(more).slots().collect();
    (slots, Supervision::new(rules.clone()), World::new(rules.children().len()))
}

/// The specifications of one strategy: all restart types over one to three children, with shutdown settings in turn.
fn family(strategy: Strategy) -> Vec<Rules> {
    let mut family = Vec::new();
    for count in 1..=3_u32 {
        for combination in 0..3_usize.pow(count) {
            for (variant, shutdowns) in SHUTDOWNS.iter().enumerate() {
                let children: Vec<ChildRules> = (0..count)
                    .map(|child| ChildRules {
                        restart: RESTARTS[combination / 3_usize.pow(child) % 3],
                        shutdown: shutdowns[child as usize],
                        ..ChildRules::worker(&child.to_string())
                    })
                    .collect();
                let limit = 1 + u32::from(variant == 1);
                let mut push = |auto_shutdown, children| {
                    family.push(Rules::new(strategy, limit, PERIOD, auto_shutdown, children).expect("valid"));
                };
                if variant == 1 {
                    let mut significant = children.clone();
                    for child in &mut significant {
                        child.significant = child.restart != Restart::Permanent;
                    }
                    if count < 3 {
                        push(AutoShutdown::AnySignificant, significant.clone());
                        push(AutoShutdown::Never, children);
                    }
                    push(AutoShutdown::AllSignificant, significant);
                } else {
                    push(AutoShutdown::Never, children);
                }
            }
        }
    }
    family
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

#[test]
fn every_short_sequence_agrees_with_the_reference() {
    let (mut specs, mut total) = (0, Tally::default());
    std::thread::scope(|scope| {
        let threads = STRATEGIES.map(|strategy| {
            scope.spawn(move || {
                let family = family(strategy);
                let tallies: Vec<Tally> = family.iter().map(enumerate).collect();
                (family.len(), tallies)
            })
        });
        for thread in threads {
            let (count, tallies) = thread.join().expect("implementation and reference agree");
            specs += count;
            for tally in tallies {
                total.sequences += tally.sequences;
                total.events += tally.events;
            }
        }
    });
    let Tally { sequences, events } = total;
    println!("{sequences} sequences, {events} events, {specs} specifications, depth {DEPTH}");
    assert!(sequences >= FEWEST_SEQUENCES, "only {sequences} sequences: the enumeration has lost its reach");
}

/// Requests among everything else, from a supervisor of two children that has come up; the first may also come while
/// it starts.
#[test]
fn every_short_sequence_with_requests_agrees_with_the_reference() {
    const DEPTH: usize = 4;
    let mut total = Tally::default();
    for strategy in STRATEGIES {
        for rules in family(strategy).iter().filter(|rules| rules.children().len() == 2 && rules.limit() == 1)
        {
            let (slots, mut supervision, mut world) = beginning(rules);
            world.most_asks = 2;
            let mut case = Case::new(rules, &slots);
            case.step(Event::Start, &mut supervision, &mut world);
            case.explore(&supervision, &world, DEPTH - 1);
            for child in 0..2 {
                case.input(Input::Started(child), &mut supervision, &mut world);
            }
            case.explore(&supervision, &world, DEPTH);
            total.sequences += case.tally.sequences;
            total.events += case.tally.events;
        }
    }
    println!("{} sequences, {} events", total.sequences, total.events);
    assert!(total.sequences >= FEWEST_WITH_REQUESTS, "only {}", total.sequences);
}

/// A little less than was measured when this was written.
const FEWEST_WITH_REQUESTS: u64 = 600_000;

/// A little less than was measured when this was written.
const FEWEST_SEQUENCES: u64 = 1_200_000;

/// Long walks reach what short sequences cannot: retries of group restarts, notices of second and third lives.
#[test]
fn long_random_walks_agree_with_the_reference() {
    const WALKS: usize = 500;
    const STEPS: usize = 100;
    let (mut random, mut events, mut longest) = (0x5eed_u64, 0, 0);
    // SplitMix64: the same walks every time.
    let mut below = |bound: usize| {
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a usize")
    };
    for walk in 0..3 * WALKS {
        let children = (0..3)
            .map(|child| ChildRules {
                restart: *RESTARTS.get(below(6)).unwrap_or(&Restart::Permanent),
                shutdown: SHUTDOWNS[below(2)][child],
                ..ChildRules::worker(&child.to_string())
            })
            .collect();
        // Restarts enough to go on for a while, and not always for ever.
        let limit = u32::try_from(below(40)).expect("below 40");
        let rules =
            Rules::new(STRATEGIES[walk % 3], limit, PERIOD, AutoShutdown::Never, children).expect("valid");
        let (slots, mut supervision, mut world) = beginning(&rules);
        world.uncharged = true;
        world.most_asks = 60;
        let mut case = Case::new(&rules, &slots);
        case.step(Event::Start, &mut supervision, &mut world);
        for _ in 0..STEPS {
            let mut steps = world.steps();
            // What ends everything is rare enough for the rest to get somewhere.
            let (stop, fail) = (below(60) == 0, world.ready && below(3) == 0);
            let (asks, first) = (below(3) == 0, below(14));
            let mut ask = 0;
            steps.retain(|step| match step {
                Step::Input(Input::Stop(_)) => stop,
                Step::Input(Input::StartFailed(..) | Input::Ignored(_)) => fail,
                Step::Input(Input::Exited(_, ExitReason::Normal, _)) => fail,
                Step::Input(Input::Asked(_)) => {
                    // One of them, so that most steps are not requests.
                    ask += 1;
                    asks && ask - 1 == first
                }
                Step::Input(_) | Step::Tick => true,
            });
            match steps.len() {
                0 => continue,
                count => match steps.swap_remove(below(count)) {
                    Step::Tick => world.now = world.now + TICK,
                    Step::Input(input) => case.input(input, &mut supervision, &mut world),
                },
            }
        }
        events += case.tally.events;
        longest = longest.max(case.tally.events);
    }
    println!("{} walks, {events} events, the longest of {longest}", 3 * WALKS);
    assert!(events > 50_000 && longest > 60, "the walks have lost their reach");
}

/// What no environment should do: any event, of any child, at any time. Nothing panics, and every invariant holds.
#[test]
fn no_event_out_of_place_breaks_anything() {
    const STEPS: usize = 4;
    for strategy in STRATEGIES {
        for restart in RESTARTS {
            let child = |id: &str, shutdown| ChildRules { restart, shutdown, ..ChildRules::worker(id) };
            let children = vec![child("a", Shutdown::BrutalKill), child("b", Shutdown::Within(LIMIT))];
            let rules = Rules::new(strategy, 1, PERIOD, AutoShutdown::Never, children).expect("valid");
            let supervision = Supervision::new(rules);
            let mut events = vec![Event::Start, Event::Stop(ExitReason::Normal)];
            for slot in supervision.slots() {
                events.push(Event::Started(slot));
                events.push(Event::StartFailed(slot, ExitReason::Killed));
                events.push(Event::Ignored(slot));
                events.push(Event::Exited { slot, reason: ExitReason::Killed, charged: true });
                events.push(Event::Exited { slot, reason: ExitReason::Killed, charged: false });
                events.push(Event::StopDeadline(slot));
                events.push(Event::TryAgain(slot));
            }
            let mut up = supervision.clone();
            let mut commands = Vec::new();
            up.handle(Event::Start, Moment::START, &mut commands);
            for slot in supervision.slots() {
                up.handle(Event::Started(slot), Moment::START, &mut commands);
            }
            throw(&supervision, &events, STEPS);
            throw(&up, &events, STEPS);
        }
    }
}

fn throw(supervision: &Supervision, events: &[Event], steps: usize) {
    if steps == 0 {
        return;
    }
    let now = Moment::START + TICK * u32::try_from(10 - steps).expect("few steps");
    for event in events {
        let mut supervision = supervision.clone();
        let mut commands = Vec::new();
        supervision.handle(event.clone(), now, &mut commands);
        supervision.check();
        throw(&supervision, events, steps - 1);
    }
}
