//! Dynamic supervisors: every sequence of events that an environment can produce, to a small depth, and long random ones,
//! against the plain model of `reference.rs`; and a million children.

#[path = "../notes.rs"]
mod notes;
mod reference;
mod world;

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    Answer, Backoff, Budget, ChildRules, ChildState, Command, DynamicRules, DynamicSupervision, Event,
    Exhausted, InARow, Places, Policy, Refusal, Request, RequestId, Restart, Shutdown, Slot, Which,
};
use reference::{Act, Ask, Input, replay};
use std::time::Duration;
use world::{Step, World};

const PERIOD: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(2);
/// Exactly the period, and longer than the limit of a shutdown.
const TICK: Duration = Duration::from_secs(3);
const MOST: usize = 3;

const RESTARTS: [Restart; 3] = [Restart::Permanent, Restart::Transient, Restart::Temporary];
const SHUTDOWNS: [Shutdown; 4] =
    [Shutdown::Infinity, Shutdown::Within(LIMIT), Shutdown::BrutalKill, Shutdown::Within(Duration::ZERO)];

/// One specification under enumeration.
struct Case {
    template: ChildRules,
    limit: u32,
    slots: Vec<Slot>,
    history: Vec<(Input, Moment)>,
    acts: usize,
    sequences: u64,
    events: u64,
}

impl Case {
    fn new(template: ChildRules, limit: u32, most_asks: u64) -> (Self, DynamicSupervision, World) {
        let mut places = Places::default();
        let slots = (0..200).map(|_| places.add(())).collect();
        let rules = DynamicRules::new(template.clone(), limit, PERIOD, MOST).expect("valid");
        let mut supervision = DynamicSupervision::new(rules);
        let mut commands = Vec::new();
        supervision.handle(Event::Start, Moment::START, &mut commands);
        assert_eq!(commands, [Command::Ready]);
        let world = World {
            now: Moment::START,
            processes: Vec::new(),
            deadlines: Vec::new(),
            retries: Vec::new(),
            waits: Vec::new(),
            tickets: Vec::new(),
            end: None,
            stops: 0,
            ticks: 0,
            asks: 0,
            most_asks,
            over: false,
        };
        let case = Self { template, limit, slots, history: Vec::new(), acts: 1, sequences: 0, events: 0 };
        (case, supervision, world)
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
            Input::EndDeadline => Event::EndDeadline,
            Input::TryAgain(child) => Event::TryAgain(self.slots[child]),
            Input::RestartDue(child, number) => Event::RestartDue(self.slots[child], world.tickets[number]),
            Input::Stop(reason) => Event::Stop(reason),
            Input::Asked(ask) => {
                let request = match ask {
                    Ask::Instance => Request::StartInstance,
                    Ask::Terminate(child) => Request::TerminateChild(Which::Instance(self.slots[child])),
                    Ask::Which => Request::WhichChildren,
                    Ask::Count => Request::CountChildren,
                };
                Event::Asked(RequestId(world.asks), request)
            }
        }
    }

    fn input(&mut self, input: Input, supervision: &mut DynamicSupervision, world: &mut World) {
        self.events += 1;
        let event = self.event(&input, world);
        world.notice(&input);
        self.history.push((input, world.now));
        let mut commands = Vec::new();
        supervision.handle(event, world.now, &mut commands);
        let (acts, states) = replay(&self.template, self.limit, &self.history);
        let expected = &acts[self.acts..];
        let got: Vec<Act> = commands.iter().filter_map(act).collect();
        let alike = |(slot, state): (&Slot, &Option<ChildState>)| supervision.state(*slot) == *state;
        assert!(
            got == expected && self.slots.iter().zip(&states).all(alike),
            "\n{:#?}\nhistory {:?}\nexpected {expected:?}\nbut got  {got:?}\nexpected {states:?}\nbut got {supervision:#?}",
            self.template,
            self.history,
        );
        expected.iter().for_each(|act| world.carry_out(act));
        world.tickets.extend(commands.iter().filter_map(|command| match command {
            Command::SetRestart { ticket, .. } => Some(*ticket),
            _ => None,
        }));
        self.acts = acts.len();
    }

    fn explore(&mut self, supervision: &DynamicSupervision, world: &World, depth: usize) {
        let steps = if depth == 0 { Vec::new() } else { world.steps() };
        if steps.is_empty() {
            self.sequences += 1;
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

fn act(command: &Command) -> Option<Act> {
    let index = |slot: &Slot| usize::try_from(slot.number()).expect("few children");
    Some(match command {
        Command::Start(slot) => Act::Start(index(slot)),
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
        Command::Answer(RequestId(id), answer) => Act::Answer(*id, in_words(answer)),
        Command::Report(_) => return None,
        Command::NewEpoch(_) => panic!("there are no groups here"),
        Command::Compare(_) | Command::Part(..) | Command::LetGo(_) | Command::Rearrange(..) => {
            panic!("nobody stands in an order here")
        }
        Command::KillFor(..) | Command::SetReadyDeadline(..) => panic!("nobody here says when it is ready"),
    })
}

fn in_words(answer: &Answer) -> String {
    match answer {
        Answer::Started(slot) => format!("started {slot:?}"),
        Answer::Ignored => "ignored".to_owned(),
        Answer::Done => "done".to_owned(),
        Answer::Children(children) => {
            let line =
                |child: &minder_supervisors_core::Listed| format!("{:?}:{:?}", child.slot, child.state);
            children.iter().map(line).collect::<Vec<_>>().join(" ")
        }
        Answer::Counts(counts) => format!("{} of {}", counts.active, counts.workers),
        Answer::Refused(Refusal::TooMany) => "too many".to_owned(),
        Answer::Refused(Refusal::StartFailed(reason)) => format!("failed {reason}"),
        other => panic!("nobody asked for that: {other:?}"),
    }
}

fn templates() -> impl Iterator<Item = ChildRules> {
    RESTARTS.into_iter().flat_map(|restart| {
        SHUTDOWNS.map(|shutdown| ChildRules { restart, shutdown, ..ChildRules::worker("t") })
    })
}

/// Templates with something beyond OTP.
fn templates_beyond() -> impl Iterator<Item = ChildRules> {
    let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(2), TICK).jitter(0.5);
    let in_a_row = InARow { restarts: 1, healthy_after: TICK };
    let sets: [&dyn Fn(&mut Policy); 3] = [
        &|policy| policy.backoff = Some(backoff),
        &|policy| {
            policy.backoff = Some(backoff);
            policy.in_a_row = Some(in_a_row);
            policy.exhausted = Exhausted::LeaveDown;
        },
        &|policy| policy.budget = Some(Budget { restarts: 1, period: PERIOD }),
    ];
    let templates = sets.map(|set| {
        RESTARTS[..2].iter().map(move |&restart| {
            let mut template = ChildRules { restart, shutdown: SHUTDOWNS[1], ..ChildRules::worker("t") };
            set(template.policy_mut());
            template
        })
    });
    templates.into_iter().flatten().collect::<Vec<_>>().into_iter()
}

#[test]
fn every_short_sequence_agrees_with_the_reference() {
    const DEPTH: usize = 4;
    let (mut sequences, mut events) = (0, 0);
    let with_limits = templates().map(|template| (template, 1));
    for (template, limit) in with_limits.chain(templates_beyond().map(|template| (template, 3))) {
        // From the beginning; and from two children that are up.
        let (mut case, mut supervision, mut world) = Case::new(template, limit, 4);
        case.explore(&supervision, &world, DEPTH);
        for child in 0..2 {
            case.input(Input::Asked(Ask::Instance), &mut supervision, &mut world);
            case.input(Input::Started(child), &mut supervision, &mut world);
        }
        case.explore(&supervision, &world, DEPTH);
        sequences += case.sequences;
        events += case.events;
    }
    println!("{sequences} sequences, {events} events");
    assert!(sequences >= FEWEST, "only {sequences} sequences: the enumeration has lost its reach");
}

/// A little less than was measured when this was written.
const FEWEST: u64 = 200_000;

#[test]
fn long_random_walks_agree_with_the_reference() {
    const STEPS: usize = 80;
    let (mut random, mut events, mut longest) = (0xd1ce_u64, 0, 0);
    let mut below = |bound: usize| {
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a usize")
    };
    for _ in 0..50 {
        for template in templates().chain(templates_beyond()) {
            let limit = u32::try_from(below(30)).expect("below 30");
            let (mut case, mut supervision, mut world) = Case::new(template, limit, 60);
            for _ in 0..STEPS {
                let mut steps = world.steps();
                let (stop, start) = (below(60) == 0, below(3) == 0);
                steps.retain(|step| match step {
                    Step::Input(Input::Stop(_)) => stop,
                    Step::Input(Input::Asked(Ask::Instance)) => true,
                    Step::Input(Input::Asked(_)) => start,
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
            events += case.events;
            longest = longest.max(case.events);
        }
    }
    println!("{events} events, the longest walk of {longest}");
    assert!(events > 15_000 && longest > 60, "the walks have lost their reach");
}

/// A million children, started, restarted, stopped by request in any order, and ended: none costs more for the others.
#[test]
fn a_million_children() {
    const MANY: usize = 1_000_000;
    let template = ChildRules { restart: Restart::Transient, ..ChildRules::worker("t") };
    let rules = DynamicRules::new(template, 10, PERIOD, MANY).expect("valid");
    let mut supervision = DynamicSupervision::new(rules);
    let (mut commands, mut slots) = (Vec::new(), Vec::new());
    supervision.handle(Event::Start, Moment::START, &mut commands);
    let ask = |supervision: &mut DynamicSupervision, request, commands: &mut Vec<Command>| {
        commands.clear();
        supervision.handle(Event::Asked(RequestId(0), request), Moment::START, commands);
    };
    for _ in 0..MANY {
        ask(&mut supervision, Request::StartInstance, &mut commands);
        let Some(Command::Start(slot)) = commands.pop() else { panic!("{commands:?}") };
        slots.push(slot);
        supervision.handle(Event::Started(slot), Moment::START, &mut commands);
    }
    ask(&mut supervision, Request::StartInstance, &mut commands);
    assert_eq!(commands, [Command::Answer(RequestId(0), Answer::Refused(Refusal::TooMany))]);
    let exit = |slot, reason| Event::Exited { slot, reason, charged: true };
    // Every third is stopped, from the middle out; every third ends by itself.
    for at in (0..MANY / 3).map(|n| (n + MANY / 6) % (MANY / 3)) {
        ask(&mut supervision, Request::TerminateChild(Which::Instance(slots[3 * at])), &mut commands);
        supervision.handle(exit(slots[3 * at], ExitReason::Shutdown), Moment::START, &mut commands);
        supervision.handle(exit(slots[3 * at + 1], ExitReason::Normal), Moment::START, &mut commands);
    }
    ask(&mut supervision, Request::CountChildren, &mut commands);
    let left = MANY - 2 * (MANY / 3);
    let [Command::Answer(_, Answer::Counts(counts))] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((counts.active, counts.workers), (left, left));
    commands.clear();
    supervision.handle(Event::Stop(ExitReason::Shutdown), Moment::START, &mut commands);
    assert_eq!(commands.len(), left + 1, "all are told at once, under one time limit");
    for slot in slots {
        commands.clear();
        supervision.handle(exit(slot, ExitReason::Shutdown), Moment::START, &mut commands);
    }
    assert_eq!(commands, [Command::Exit(ExitReason::Shutdown)]);
}
