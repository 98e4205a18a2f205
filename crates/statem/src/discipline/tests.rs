//! The discipline by tables, a row of the conformance list each; and against a plain model, over many random machines.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

type Which = Timeout<u8>;

const STATE: Which = Timeout::State;
const IDLE: Which = Timeout::Event;
const ONE: Which = Timeout::Named(1);
const TWO: Which = Timeout::Named(2);

/// What handling an event does.
#[derive(Clone, Copy, Debug)]
enum Do {
    Postpone,
    Change,
    Insert(char),
    /// After so many milliseconds; zero is at once.
    Set(Which, u64, char),
    Never(Which),
    Update(Which, char),
    Cancel(Which),
}

use Do::{Cancel, Change, Insert, Never, Postpone, Set, Update};

/// What each event does, at its first handling, its second and so on; nothing if it is not here.
type Does = BTreeMap<char, Vec<Vec<Do>>>;

/// Either the discipline or its model.
trait Machine {
    fn begin(&mut self, clocks: &mut Vec<String>);
    fn settle(&mut self, event: (char, bool), does: &[Do], clocks: &mut Vec<String>);
    /// The next event, and whether it is the machine's own.
    fn next(&mut self) -> Option<(char, bool)>;
    fn fired(&mut self, which: Which) -> Option<char>;
}

/// What comes from outside.
#[derive(Clone, Copy, Debug)]
enum Input {
    Event(char),
    Fired(Which),
}

/// Everything that happens: the events in the order of their handling, and what the clocks are told.
fn play(machine: &mut impl Machine, does: &Does, inputs: &[Input], limit: usize) -> (String, Vec<String>) {
    let (mut handled, mut clocks) = (String::new(), Vec::new());
    let mut times: BTreeMap<char, usize> = BTreeMap::new();
    for input in inputs {
        let mut event = match *input {
            Input::Event(event) => Some((event, false)),
            Input::Fired(which) => machine.fired(which).map(|event| (event, true)),
        };
        while let Some((name, own)) = event {
            if handled.len() == limit {
                return (handled, clocks);
            }
            handled.push(name);
            machine.begin(&mut clocks);
            let time = times.entry(name).or_default();
            let now = does.get(&name).and_then(|does| does.get(*time)).map_or(&[][..], |does| does);
            *time += 1;
            machine.settle((name, own), now, &mut clocks);
            event = machine.next();
        }
    }
    (handled, clocks)
}

impl Machine for Discipline<char, char, u8> {
    fn begin(&mut self, clocks: &mut Vec<String>) {
        clocks.extend(Discipline::begin(self).iter().map(line));
    }

    fn settle(&mut self, (name, own): (char, bool), does: &[Do], clocks: &mut Vec<String>) {
        let mut step = Step { changed: false, postponed: None, inserted: Vec::new(), timeouts: Vec::new() };
        for act in does {
            match *act {
                Postpone if own => step.postponed = Some(Held::Own(name)),
                Postpone => step.postponed = Some(Held::Lane(name)),
                Change => step.changed = true,
                Insert(event) => step.inserted.push(event),
                Set(which, after, event) => {
                    let when = When::After(Duration::from_millis(after));
                    step.timeouts.push((which, Setting::Start(when, event)));
                }
                Never(which) => step.timeouts.push((which, Setting::Start(When::Never, '!'))),
                Update(which, event) => step.timeouts.push((which, Setting::Update(event))),
                Cancel(which) => step.timeouts.push((which, Setting::Cancel)),
            }
        }
        clocks.extend(Discipline::settle(self, step).iter().map(line));
    }

    fn next(&mut self) -> Option<(char, bool)> {
        Discipline::next(self).map(|held| match held {
            Held::Lane(name) => (name, false),
            Held::Own(name) => (name, true),
        })
    }

    fn fired(&mut self, which: Which) -> Option<char> {
        Discipline::fired(self, &which)
    }
}

fn line(command: &Command<u8>) -> String {
    match command {
        Command::Start(which, When::After(after)) => format!("start {which:?} {}", after.as_millis()),
        Command::Start(which, when) => format!("start {which:?} {when:?}"),
        Command::Stop(which) => format!("stop {which:?}"),
    }
}

// --- by tables -----------------------------------------------------------------------------------------------------

/// What the events of a row do.
type Acts = &'static [(char, &'static [&'static [Do]])];

/// The row; what events do; what comes; what is handled; what the clocks are told.
type Row = (&'static str, Acts, &'static [Input], &'static str, &'static [&'static str]);

const fn e(event: char) -> Input {
    Input::Event(event)
}

const ROWS: &[Row] = &[
    ("STM-003 never without a change", &[('p', &[&[Postpone]])], &[e('p'), e('x'), e('y')], "pxy", &[]),
    (
        "STM-003 after a change",
        &[('p', &[&[Postpone]]), ('g', &[&[Change]])],
        &[e('p'), e('g'), e('x')],
        "pgpx",
        &[],
    ),
    ("STM-003 a change of its own", &[('p', &[&[Postpone, Change]])], &[e('p'), e('x')], "ppx", &[]),
    (
        "STM-004 in order of arrival, and again",
        &[
            ('1', &[&[Postpone], &[Postpone]]),
            ('2', &[&[Postpone]]),
            ('g', &[&[Change]]),
            ('h', &[&[Change]]),
        ],
        &[e('1'), e('2'), e('g'), e('h'), e('x')],
        "12g12h1x",
        &[],
    ),
    (
        "STM-004 a change in the middle",
        &[
            ('1', &[&[Postpone], &[Postpone]]),
            ('2', &[&[Postpone], &[Change]]),
            ('3', &[&[Postpone]]),
            ('g', &[&[Change]]),
        ],
        &[e('1'), e('2'), e('3'), e('g')],
        "123g1213",
        &[],
    ),
    (
        "STM-005 inserted before postponed, in order",
        &[('p', &[&[Postpone]]), ('g', &[&[Change, Insert('i'), Insert('j')]]), ('i', &[&[Insert('k')]])],
        &[e('p'), e('g'), e('x')],
        "pgikjpx",
        &[],
    ),
    (
        "STM-010 a change stops the state time-out",
        &[('s', &[&[Set(STATE, 9, 't')]]), ('g', &[&[Change]])],
        &[e('s'), e('x'), e('g'), Input::Fired(STATE)],
        "sxg",
        &["start State 9", "stop State"],
    ),
    (
        "STM-010 set with the change it is the new state's",
        &[('s', &[&[Set(STATE, 9, 't')]]), ('g', &[&[Change, Set(STATE, 5, 'u')]])],
        &[e('s'), e('g'), Input::Fired(STATE)],
        "sgu",
        &["start State 9", "stop State", "start State 5"],
    ),
    (
        "STM-011 any event stops the event time-out",
        &[('s', &[&[Set(IDLE, 9, 't')]])],
        &[e('s'), e('x'), Input::Fired(IDLE)],
        "sx",
        &["start Event 9", "stop Event"],
    ),
    (
        "STM-011 also an inserted one",
        &[('s', &[&[Set(IDLE, 9, 't'), Insert('i')]])],
        &[e('s')],
        "si",
        &["start Event 9", "stop Event"],
    ),
    (
        "STM-011 also another time-out",
        &[('s', &[&[Set(IDLE, 9, 't'), Set(ONE, 5, 'u')]])],
        &[e('s'), Input::Fired(ONE), Input::Fired(IDLE)],
        "su",
        &["start Event 9", "start Named(1) 5", "stop Event"],
    ),
    (
        "STM-012 nothing stops named ones",
        &[('s', &[&[Set(ONE, 9, 't'), Set(TWO, 8, 'u')]]), ('g', &[&[Change]])],
        &[e('s'), e('g'), e('x'), Input::Fired(TWO), Input::Fired(ONE)],
        "sgxut",
        &["start Named(1) 9", "start Named(2) 8"],
    ),
    (
        "STM-013 set again, cancelled, never",
        &[('s', &[&[Set(ONE, 9, 't')], &[Set(ONE, 8, 'u')], &[Never(ONE)]]), ('c', &[&[Cancel(ONE)]])],
        &[e('s'), e('s'), e('c'), e('s'), e('c')],
        "sscsc",
        &["start Named(1) 9", "stop Named(1)", "start Named(1) 8", "stop Named(1)"],
    ),
    (
        "STM-014 another event, the same time",
        &[('s', &[&[Set(ONE, 9, 't')]]), ('u', &[&[Update(ONE, 'n')]])],
        &[e('s'), e('u'), Input::Fired(ONE)],
        "sun",
        &["start Named(1) 9"],
    ),
    ("STM-014 if none runs, at once", &[('u', &[&[Update(ONE, 'n')]])], &[e('u'), e('x')], "unx", &[]),
    (
        "STM-015 after the queue, in order of setting",
        &[
            ('p', &[&[Postpone]]),
            ('g', &[&[Change, Set(TWO, 0, 'b'), Set(STATE, 0, 's'), Set(ONE, 0, 'a'), Insert('i')]]),
            ('b', &[&[Set(Timeout::Named(3), 0, 'c'), Insert('j')]]),
        ],
        &[e('p'), e('g'), e('x')],
        "pgipbjsacx",
        &[],
    ),
    (
        "STM-015 cancelled before their turn",
        &[
            (
                'g',
                &[&[Set(STATE, 0, 's'), Set(IDLE, 0, 'e'), Set(ONE, 0, 'a'), Set(TWO, 0, 'b'), Insert('i')]],
            ),
            ('i', &[&[Change, Cancel(ONE), Set(TWO, 7, 'b')]]),
        ],
        &[e('g'), e('x'), Input::Fired(TWO)],
        "gixb",
        &["start Named(2) 7"],
    ),
    (
        "STM-016 the last setting counts, where it stands",
        &[(
            'g',
            &[&[Set(ONE, 0, 'a'), Set(TWO, 0, 'b'), Set(ONE, 0, 'c'), Set(STATE, 4, 's'), Cancel(STATE)]],
        )],
        &[e('g')],
        "gbc",
        &[],
    ),
];

#[test]
fn rows() {
    for (name, acts, inputs, handled, clocks) in ROWS {
        let does = acts
            .iter()
            .map(|(event, times)| (*event, times.iter().map(|does| does.to_vec()).collect()))
            .collect();
        for (which, (came, told)) in [
            ("the discipline", play(&mut Discipline::default(), &does, inputs, 100)),
            ("the model", play(&mut Model::default(), &does, inputs, 100)),
        ] {
            assert_eq!(came, *handled, "{which}, {name}");
            assert_eq!(told, *clocks, "{which}, {name}");
        }
    }
}

// --- against a model -----------------------------------------------------------------------------------------------

/// The same, without queues: everything that waits has a rank, and the lowest is next.
#[derive(Default)]
struct Model {
    waiting: Vec<Waiting>,
    running: Vec<(Which, char)>,
    /// Ranks below all that were given out, and above.
    low: i64,
    high: i64,
}

struct Waiting {
    rank: Rank,
    event: char,
    own: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Queued(i64),
    AtOnce(i64, Which2),
    Postponed(i64),
}

/// A time-out by number, so that ranks have an order.
type Which2 = (u8, u8);

fn by_number(which: Which) -> Which2 {
    match which {
        Timeout::State => (0, 0),
        Timeout::Event => (1, 0),
        Timeout::Named(name) => (2, name),
    }
}

impl Model {
    fn stop(&mut self, which: Which, clocks: &mut Vec<String>) {
        if self.running.iter().any(|(running, _)| *running == which) {
            clocks.push(format!("stop {which:?}"));
        }
        self.running.retain(|(running, _)| *running != which);
        self.waiting
            .retain(|waiting| !matches!(waiting.rank, Rank::AtOnce(_, due) if due == by_number(which)));
    }

    fn at_once(&mut self, which: Which, event: char) {
        self.high += 1;
        self.waiting.push(Waiting { rank: Rank::AtOnce(self.high, by_number(which)), event, own: true });
    }

    /// Puts these before everything, in their order.
    fn before_all(&mut self, mut events: Vec<Waiting>) {
        self.low -= i64::try_from(events.len()).expect("few");
        for (place, waiting) in (self.low..).zip(&mut events) {
            waiting.rank = Rank::Queued(place);
        }
        self.waiting.append(&mut events);
    }
}

impl Machine for Model {
    fn begin(&mut self, clocks: &mut Vec<String>) {
        self.stop(IDLE, clocks);
    }

    fn settle(&mut self, (event, own): (char, bool), does: &[Do], clocks: &mut Vec<String>) {
        if does.iter().any(|act| matches!(act, Postpone)) {
            self.high += 1;
            self.waiting.push(Waiting { rank: Rank::Postponed(self.high), event, own });
        }
        if does.iter().any(|act| matches!(act, Change)) {
            self.waiting.sort_by_key(|waiting| waiting.rank);
            let (postponed, rest) = std::mem::take(&mut self.waiting)
                .into_iter()
                .partition(|waiting| matches!(waiting.rank, Rank::Postponed(_)));
            self.waiting = rest;
            self.before_all(postponed);
            self.stop(STATE, clocks);
        }
        let inserted = does.iter().filter_map(|act| match *act {
            Insert(event) => Some(Waiting { rank: Rank::Queued(0), event, own: true }),
            _ => None,
        });
        self.before_all(inserted.collect());
        for (at, act) in does.iter().enumerate() {
            let (Set(which, ..) | Never(which) | Update(which, _) | Cancel(which)) = *act else { continue };
            let settles = |act: &Do| match *act {
                Set(other, ..) | Never(other) | Update(other, _) | Cancel(other) => other == which,
                Postpone | Change | Insert(_) => false,
            };
            if does[at + 1..].iter().any(settles) {
                continue;
            }
            match *act {
                Set(_, 0, event) => {
                    self.stop(which, clocks);
                    self.at_once(which, event);
                }
                Set(_, after, event) => {
                    self.stop(which, clocks);
                    clocks.push(format!("start {which:?} {after}"));
                    self.running.push((which, event));
                }
                Update(_, event) => {
                    let running = self.running.iter_mut().find(|(running, _)| *running == which);
                    let due = self.waiting.iter_mut().find(
                        |waiting| matches!(waiting.rank, Rank::AtOnce(_, due) if due == by_number(which)),
                    );
                    match (running, due) {
                        (Some((_, old)), _) => *old = event,
                        (None, Some(due)) => due.event = event,
                        (None, None) => self.at_once(which, event),
                    }
                }
                _ => self.stop(which, clocks),
            }
        }
    }

    fn next(&mut self) -> Option<(char, bool)> {
        self.waiting.sort_by_key(|waiting| waiting.rank);
        if matches!(self.waiting.first()?.rank, Rank::Postponed(_)) {
            return None;
        }
        let Waiting { event, own, .. } = self.waiting.remove(0);
        Some((event, own))
    }

    fn fired(&mut self, which: Which) -> Option<char> {
        let at = self.running.iter().position(|(running, _)| *running == which)?;
        Some(self.running.remove(at).1)
    }
}

const TIMEOUTS: [Which; 4] = [STATE, IDLE, ONE, TWO];

fn random_act(random: &mut fastrand::Rng) -> Do {
    let which = TIMEOUTS[random.usize(..4)];
    let event = random.char('a'..='f');
    match random.u32(..10) {
        0 | 1 => Postpone,
        2 => Change,
        3 => Insert(event),
        4 | 5 => Set(which, 0, event),
        6 => Set(which, random.u64(1..9), event),
        7 => Update(which, event),
        8 => Cancel(which),
        _ => Never(which),
    }
}

#[test]
fn random_machines_do_what_the_model_does() {
    for seed in 0..20_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let does: Does = ('a'..='f')
            .map(|event| {
                let times = (0..random.usize(..5))
                    .map(|_| (0..random.usize(..4)).map(|_| random_act(&mut random)).collect())
                    .collect();
                (event, times)
            })
            .collect();
        let inputs: Vec<Input> = (0..random.usize(1..12))
            .map(|_| match random.u32(..4) {
                0 => Input::Fired(TIMEOUTS[random.usize(..4)]),
                _ => Input::Event(random.char('a'..='f')),
            })
            .collect();
        let ours = play(&mut Discipline::default(), &does, &inputs, 200);
        let model = play(&mut Model::default(), &does, &inputs, 200);
        assert_eq!(ours, model, "seed {seed}: {does:?} {inputs:?}");
    }
}
