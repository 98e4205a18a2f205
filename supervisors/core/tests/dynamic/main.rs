//! Dynamic supervisors: every sequence of events that an environment can produce, to a small depth, and long random ones,
//! against the plain model of `reference.rs`; and a million children.

#[path = "../harness.rs"]
mod harness;
#[path = "../notes.rs"]
mod notes;
mod reference;
#[path = "../words.rs"]
mod words;

use harness::{Case, LIMIT, PERIOD, Step, Subject, TICK, World, slots};
use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    Answer, Backoff, Budget, ChildRules, ChildState, Command, DynamicRules, DynamicSupervision, Event,
    Exhausted, InARow, Listed, Policy, Refusal, Request, RequestId, Restart, Shutdown, Slot, Which,
};
use reference::{Ask, own};
use std::time::Duration;
use words::{History, Input, Outcome};

/// The bound on children.
const MOST: usize = 3;

const RESTARTS: [Restart; 3] = [Restart::Permanent, Restart::Transient, Restart::Temporary];
const SHUTDOWNS: [Shutdown; 4] =
    [Shutdown::Infinity, Shutdown::Within(LIMIT), Shutdown::BrutalKill, Shutdown::Within(Duration::ZERO)];

impl Subject for DynamicSupervision {
    type Rules = DynamicRules;
    type Ask = Ask;

    fn handle(&mut self, event: Event, now: Moment, commands: &mut Vec<Command>) {
        self.handle(event, now, commands);
    }

    fn state(&self, slot: Slot) -> Option<ChildState> {
        self.state(slot)
    }

    fn request(ask: Ask, slots: &[Slot]) -> Request {
        match ask {
            Ask::Instance => Request::StartInstance,
            Ask::By(number) => Request::StartInstanceBy(own(number)),
            Ask::Child(number) => Request::StartChild(own(number)),
            Ask::Terminate(child) => Request::TerminateChild(Which::Instance(slots[child])),
            Ask::Which => Request::WhichChildren,
            Ask::Count => Request::CountChildren,
        }
    }

    fn in_words(answer: &Answer) -> String {
        match answer {
            Answer::Started(slot) => format!("started {slot:?}"),
            Answer::Ignored => "ignored".to_owned(),
            Answer::Done => "done".to_owned(),
            Answer::Children(children) => {
                let line = |child: &Listed| format!("{:?}:{:?}", child.slot, child.state);
                children.iter().map(line).collect::<Vec<_>>().join(" ")
            }
            Answer::Counts(counts) => {
                assert_eq!(counts.supervisors, 0);
                format!("{} of {}", counts.active, counts.workers)
            }
            Answer::Refused(Refusal::TooMany) => "too many".to_owned(),
            Answer::Refused(Refusal::NotDynamic) => "no template".to_owned(),
            Answer::Refused(Refusal::Dynamic) => "by template only".to_owned(),
            Answer::Refused(Refusal::NotFound) => "not found".to_owned(),
            Answer::Refused(Refusal::StartFailed(reason)) => format!("failed {reason}"),
            other => panic!("nobody asked for that: {other:?}"),
        }
    }

    fn replay(rules: &DynamicRules, history: &History<Ask>) -> Outcome {
        reference::replay(rules, history)
    }
}

/// Every request; of the children also the next, whose number nobody has yet.
fn asks(children: usize) -> Vec<Ask> {
    let terminates = (0..=children.min(2)).map(Ask::Terminate);
    [Ask::Instance, Ask::Which, Ask::Count].into_iter().chain(terminates).collect()
}

/// With children by rules of their own, which one of a template refuses; one without refuses the other.
fn asks_of_children(children: usize) -> Vec<Ask> {
    let start = (0..3).map(Ask::Child).chain([Ask::Instance]);
    start.chain(asks(children).split_off(1)).collect()
}

/// With instances by rules of their own beside those by the template's.
fn asks_beside(children: usize) -> Vec<Ask> {
    [0, 1].map(Ask::By).into_iter().chain([Ask::Child(0)]).chain(asks(children)).collect()
}

fn rules(template: ChildRules, limit: u32) -> DynamicRules {
    DynamicRules::new(template, limit, PERIOD, MOST).expect("valid")
}

/// A supervisor by these rules that has started.
fn beginning<'a>(
    rules: &'a DynamicRules,
    slots: &'a [Slot],
    asks: fn(usize) -> Vec<Ask>,
) -> (Case<'a, DynamicSupervision>, DynamicSupervision, World<Ask>) {
    let (mut case, mut supervision) = (Case::new(rules, slots), DynamicSupervision::new(rules.clone()));
    let mut world = World::new(0, asks);
    world.uncharged = true;
    case.step(Event::Start, &mut supervision, &mut world);
    (case, supervision, world)
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
    let slots = slots(40);
    let (mut sequences, mut events) = (0, 0);
    // From the beginning; and from two children that are up.
    let mut explore = |rules: &DynamicRules, two: [Ask; 2], asks| {
        let (mut case, mut supervision, mut world) = beginning(rules, &slots, asks);
        world.most_asks = 4;
        case.explore(&supervision, &world, DEPTH);
        for (child, ask) in two.into_iter().enumerate() {
            case.input(Input::Asked(ask), &mut supervision, &mut world);
            case.input(Input::Started(child), &mut supervision, &mut world);
        }
        case.explore(&supervision, &world, DEPTH);
        sequences += case.tally.sequences;
        events += case.tally.events;
    };
    let with_limits = templates().map(|template| rules(template, 1));
    for rules in with_limits.chain(templates_beyond().map(|template| rules(template, 3))) {
        explore(&rules, [Ask::Instance; 2], asks);
    }
    // By rules of their own, and those beside a template that is stopped otherwise.
    let of_children = DynamicRules::of_children(2, PERIOD, MOST).expect("valid");
    for pair in [[0, 1], [1, 2], [2, 0], [0, 0]] {
        explore(&of_children, pair.map(Ask::Child), asks_of_children);
    }
    for template in templates().step_by(5) {
        explore(&rules(template, 2), [Ask::By(0), Ask::Instance], asks_beside);
    }
    println!("{sequences} sequences, {events} events");
    assert!(sequences >= FEWEST, "only {sequences} sequences: the enumeration has lost its reach");
}

/// A little less than was measured when this was written.
const FEWEST: u64 = 390_000;

#[test]
fn long_random_walks_agree_with_the_reference() {
    const STEPS: usize = 80;
    let slots = slots(200);
    let (mut random, mut events, mut longest) = (0xd1ce_u64, 0, 0);
    let mut below = |bound: usize| {
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a usize")
    };
    for _ in 0..50 {
        let of_children = std::iter::repeat_n(None, 4);
        for template in templates().chain(templates_beyond()).map(Some).chain(of_children) {
            let limit = u32::try_from(below(30)).expect("below 30");
            let (rules, asks) = match template {
                Some(template) => (rules(template, limit), [asks, asks_beside][below(2)]),
                None => {
                    (DynamicRules::of_children(limit, PERIOD, MOST).expect("valid"), asks_of_children as _)
                }
            };
            let (mut case, mut supervision, mut world) = beginning(&rules, &slots, asks);
            world.most_asks = 60;
            for _ in 0..STEPS {
                let mut steps = world.steps();
                let (stop, start) = (below(60) == 0, below(3) == 0);
                steps.retain(|step| match step {
                    Step::Input(Input::Stop(_)) => stop,
                    Step::Input(Input::Asked(Ask::Instance | Ask::By(_) | Ask::Child(_))) => true,
                    Step::Input(Input::Asked(_)) => start,
                    Step::Input(_) | Step::Tick => true,
                });
                match steps.len() {
                    0 => continue,
                    count => match steps.swap_remove(below(count)) {
                        Step::Tick => world.tick(),
                        Step::Input(input) => case.input(input, &mut supervision, &mut world),
                    },
                }
            }
            events += case.tally.events;
            longest = longest.max(case.tally.events);
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
