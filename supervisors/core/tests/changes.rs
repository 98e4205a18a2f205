//! Any rules applied to a supervisor in any state: once all who are started come up, it stands as one that was started by
//! those rules, and whoever is the same has kept its life; fewer stops and starts would not do.
//! The environment is random and the same every time. What single changes look like is in `rows/apply.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    Answer, AutoShutdown, Change, ChildRules, Command, Event, GraphSupervision, Likeness, NeedsRules,
    Outline, Request, RequestId, Restart, Rules, Shutdown, Slot, Stands, Strategy, Supervision, Which,
};

const STRATEGIES: [Strategy; 3] = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];
const IDS: [&str; 5] = ["a", "b", "c", "d", "e"];
const CHANGE: RequestId = RequestId(u64::MAX);

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a usize")
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn child(&mut self, id: &str) -> ChildRules {
        let restart = [Restart::Permanent, Restart::Transient, Restart::Temporary][self.below(3)];
        let shutdown = [Shutdown::Infinity, Shutdown::BrutalKill][self.below(2)];
        ChildRules { restart, shutdown, ..ChildRules::worker(id) }
    }

    /// Some of the ids, in some order, and which recipe each has.
    fn rules(&mut self) -> (Rules, Vec<u8>) {
        let mut ids = IDS.to_vec();
        let count = self.below(IDS.len() + 1);
        let children: Vec<_> = (0..count)
            .map(|_| {
                let id = ids.swap_remove(self.below(ids.len()));
                self.child(id)
            })
            .collect();
        let recipes = children.iter().map(|_| u8::from(self.one_in(4))).collect();
        // No supervisor gives up here: that is not what is asked.
        let strategy = STRATEGIES[self.below(3)];
        let rules = Rules::new(strategy, 1_000, Duration::from_secs(1), AutoShutdown::Never, children)
            .expect("valid");
        (rules, recipes)
    }
}

/// A process, as its environment knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Process {
    Starting,
    Up,
    Stopping,
}

/// How everyone stood when the new rules were compared, with recipes and lives.
struct Compared {
    outline: Outline,
    known: BTreeMap<Slot, (u8, u32)>,
}

/// Lives and stops when it was answered, who lived, and what stood. Who goes on waiting is started after that.
struct Answered {
    lives: u32,
    stopped: u32,
    living: BTreeMap<Slot, (Process, u32)>,
    now: Outline,
    by: Vec<u8>,
}

/// A host without tasks: what it was told and has not done yet.
struct World {
    supervision: Supervision,
    /// With the number of the life.
    processes: BTreeMap<Slot, (Process, u32)>,
    recipes: BTreeMap<Slot, u8>,
    lane: Vec<Slot>,
    /// Whether its own start is over, which nobody makes fail here.
    ready: bool,
    lives: u32,
    stops: u32,
    asked: u64,
    new: Option<(Rules, Vec<u8>)>,
    compared: Option<Compared>,
    /// Lives and stops until then.
    before: (u32, u32),
    answer: Option<Answer>,
    after: Option<Answered>,
}

impl World {
    fn new(rules: &Rules, recipes: &[u8]) -> Self {
        let supervision = Supervision::new(rules.clone());
        let recipes = supervision.slots().zip(recipes.iter().copied()).collect();
        let (processes, lane) = (BTreeMap::new(), Vec::new());
        let (lives, stops, asked, before) = (0, 0, 0, (0, 0));
        let (new, compared, answer) = (None, None, None);
        let mut world = Self {
            supervision,
            processes,
            recipes,
            lane,
            ready: false,
            lives,
            stops,
            asked,
            new,
            compared,
            before,
            answer,
            after: None,
        };
        world.handle(Event::Start);
        world
    }

    fn handle(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let mut commands = Vec::new();
            self.supervision.handle(event, Moment::START, &mut commands);
            for command in commands {
                self.carry_out(command, &mut events);
            }
        }
    }

    fn carry_out(&mut self, command: Command, events: &mut Vec<Event>) {
        match command {
            Command::Start(slot) => {
                self.lives += 1;
                let before = self.processes.insert(slot, (Process::Starting, self.lives));
                assert!(before.is_none(), "one life at a time");
            }
            Command::AskToStop(slot) | Command::Kill(slot) => {
                let process = self.processes.get_mut(&slot).expect("who is told to stop has a process");
                self.stops += u32::from(process.0 == Process::Up);
                process.0 = Process::Stopping;
            }
            Command::TryAgain(slot) => self.lane.push(slot),
            Command::Forget(slot) => {
                assert!(!self.processes.contains_key(&slot), "who is forgotten has no process");
                self.recipes.remove(&slot);
            }
            Command::Add(slot, _) => drop(self.recipes.insert(slot, 7)),
            Command::Compare(_) => {
                let (rules, recipes) = self.new.clone().expect("it was asked for");
                let outline = self.supervision.outline();
                let change = Change::new(&outline, rules, |child, place| {
                    match self.recipes[&child.slot] == recipes[place] {
                        true => Likeness::Same,
                        false => Likeness::Other,
                    }
                });
                let life = |slot: &Slot| self.processes.get(slot).map_or(0, |(_, life)| *life);
                let known =
                    self.recipes.iter().map(|(slot, recipe)| (*slot, (*recipe, life(slot)))).collect();
                self.compared = Some(Compared { outline, known });
                self.before = (self.lives, self.stops);
                events.push(Event::Compared(Box::new(Ok(change))));
            }
            Command::Rearrange(_, seats) => {
                let (_, recipes) = self.new.clone().expect("it was asked for");
                let mut processes = BTreeMap::new();
                for (slot, was) in &seats {
                    if let Some(process) = was.and_then(|was| self.processes.remove(&was)) {
                        processes.insert(*slot, process);
                    }
                }
                assert!(self.processes.is_empty(), "whoever leaves has no process");
                self.processes = processes;
                self.recipes = seats.iter().map(|(slot, _)| *slot).zip(recipes).collect();
            }
            Command::Ready => self.ready = true,
            Command::Answer(CHANGE, answer) => {
                self.answer = Some(answer);
                self.after = Some(Answered {
                    lives: self.lives,
                    stopped: self.stops,
                    living: self.processes.clone(),
                    now: self.supervision.outline(),
                    by: self.recipes.values().copied().collect(),
                });
            }
            Command::Exit(reason) => panic!("nobody gives up here: {reason}"),
            Command::Part(..) | Command::LetGo(_) => panic!("there is nobody within: {command:?}"),
            _ => {}
        }
    }

    /// Something happens; `gently`: everyone comes up, stops when told, and lives on.
    fn step(&mut self, random: &mut Random, gently: bool) -> bool {
        let mut open: Vec<Event> = Vec::new();
        for (&slot, &(process, _)) in &self.processes {
            let exited = |reason| Event::Exited { slot, reason, charged: true };
            match process {
                Process::Starting if gently || !random.one_in(4) => open.push(Event::Started(slot)),
                Process::Starting if !self.ready || random.one_in(2) => open.push(Event::Ignored(slot)),
                Process::Starting => open.push(Event::StartFailed(slot, ExitReason::Killed)),
                Process::Up if gently => {}
                Process::Up if random.one_in(2) => open.push(exited(ExitReason::Killed)),
                Process::Up => open.push(exited(ExitReason::Normal)),
                Process::Stopping => open.push(exited(ExitReason::Shutdown)),
            }
        }
        if let Some(&slot) = self.lane.first() {
            open.push(Event::TryAgain(slot));
        }
        if !gently && random.one_in(3) {
            let id = || IDS[random.0 as usize % IDS.len()].into();
            let request = match random.0 >> 40 & 3 {
                0 => Request::TerminateChild(Which::Id(id())),
                1 => Request::RestartChild(id()),
                2 => Request::DeleteChild(id()),
                _ => Request::StartChild(ChildRules::worker(&id())),
            };
            self.asked += 1;
            open.push(Event::Asked(RequestId(self.asked), request));
        }
        if open.is_empty() {
            return false;
        }
        let event = open.swap_remove(random.below(open.len()));
        match &event {
            Event::Started(slot) => self.processes.get_mut(slot).expect("it starts").0 = Process::Up,
            Event::StartFailed(slot, _) | Event::Ignored(slot) | Event::Exited { slot, .. } => {
                self.processes.remove(slot);
            }
            Event::TryAgain(_) => drop(self.lane.remove(0)),
            _ => {}
        }
        self.handle(event);
        true
    }

    fn up(&self) -> BTreeSet<Slot> {
        let up = self.processes.iter().filter(|(_, (process, _))| *process == Process::Up);
        up.map(|(slot, _)| *slot).collect()
    }
}

#[test]
fn whatever_stood_before_it_stands_as_if_started_so_and_who_is_the_same_lives_on() {
    let (mut random, mut kept, mut moved_on) = (Random(11), 0, 0);
    for _ in 0..10_000 {
        let (rules, recipes) = random.rules();
        let mut world = World::new(&rules, &recipes);
        for _ in 0..random.below(30) {
            world.step(&mut random, false);
        }
        let (rules, recipes) = random.rules();
        world.new = Some((rules.clone(), recipes.clone()));
        world.handle(Event::Asked(CHANGE, Request::Change { in_parts: false }));
        let mut steps = 0;
        while world.step(&mut random, true) {
            steps += 1;
            assert!(steps < 1_000, "it comes to an end: {:#?}", world.supervision);
        }
        let Compared { outline, known } = world.compared.take().expect("its turn came");
        let Some(Answer::Applied(applied)) = world.answer.take() else { panic!("it was applied") };
        assert_eq!((applied.failed.len(), applied.held_back.len()), (0, 0));

        // The children of the new rules, in their order, each by its new recipe; nobody else.
        let answered = world.after.take().expect("it was answered");
        let Answered { lives, stopped, living, now, by } = answered;
        let standing: Vec<&ChildRules> = now.children.iter().map(|child| &child.rules).collect();
        assert_eq!(standing, rules.children().iter().collect::<Vec<_>>());
        assert_eq!(by, recipes);
        assert_eq!(now.own.strategy, Some(rules.strategy()));

        // Whoever was the same keeps its life, unless it shares the fate of one that was replaced.
        let was = |id: &str| outline.children.iter().find(|child| *child.rules.id == *id);
        let same = |place: usize| {
            let was = was(&rules.children()[place].id)?;
            (known[&was.slot].0 == recipes[place]).then_some(was)
        };
        let disturbs = |place: &usize| {
            let there = was(&rules.children()[*place].id);
            let alive = there.is_some_and(|was| matches!(was.stands, Stands::Up | Stands::Waiting));
            alive && same(*place).is_none()
        };
        let disturbed =
            (0..recipes.len()).find(disturbs).map_or(usize::MAX, |first| match rules.strategy() {
                Strategy::OneForOne => usize::MAX,
                Strategy::OneForAll => 0,
                Strategy::RestForOne => first,
            });
        let (mut stops, mut starts) = (0, 0);
        for was in &outline.children {
            let gone = !rules.children().iter().any(|child| child.id == was.rules.id);
            stops += u32::from(gone && was.stands == Stands::Up);
        }
        for (place, child) in now.children.iter().enumerate() {
            let up = living.get(&child.slot).is_some_and(|(process, _)| *process == Process::Up);
            let there = was(&child.rules.id).filter(|was| was.stands == Stands::Up);
            match same(place) {
                Some(was) if place < disturbed && was.stands == Stands::Up => {
                    assert_eq!(known[&was.slot].1, living[&child.slot].1, "it lives on");
                    kept += 1;
                }
                Some(was)
                    if place < disturbed
                        && was.stands == Stands::Finished
                        && child.rules.restart == Restart::Transient =>
                {
                    assert!(!up, "it is through");
                }
                Some(was)
                    if place < disturbed
                        && was.stands == Stands::Waiting
                        && child.rules.restart != Restart::Temporary =>
                {
                    assert!(!up, "its retry is on the way");
                }
                _ => {
                    assert!(up, "{child:?}");
                    stops += u32::from(there.is_some());
                    starts += 1;
                    moved_on += 1;
                }
            }
        }
        assert_eq!((stopped - world.before.1, lives - world.before.0), (stops, starts), "no more than that");
        assert_eq!(world.up().len(), world.processes.len(), "nobody is left half-way");
        as_one_that_was_started_so(world, &rules, &mut random);
    }
    assert!(kept > 1_500 && moved_on > 6_000, "{kept} {moved_on}: the walks have lost their reach");
}

/// A crash of any child leads to the same as in a supervisor that was started by these rules.
fn as_one_that_was_started_so(mut world: World, rules: &Rules, random: &mut Random) {
    let Some(place) = rules.children().len().checked_sub(1).map(|last| random.below(last + 1)) else {
        return;
    };
    let mut fresh = World::new(rules, &vec![0; rules.children().len()]);
    while fresh.step(random, true) {}
    let places = |world: &World| world.supervision.slots().collect::<Vec<_>>();
    if world.up().len() < rules.children().len() {
        // Somebody is through, or was dropped by a restart that came after it.
        return;
    }
    let led_to = |world: &mut World| {
        let slots = places(world);
        world.processes.remove(&slots[place]);
        let (lives, stops) = (world.lives, world.stops);
        world.handle(Event::Exited { slot: slots[place], reason: ExitReason::Killed, charged: true });
        while world.step(&mut Random(3), true) {}
        let up: Vec<bool> = slots.iter().map(|slot| world.processes.contains_key(slot)).collect();
        (world.lives - lives, world.stops - stops, up)
    };
    assert_eq!(led_to(&mut world), led_to(&mut fresh), "{rules:#?} {place}");
}

/// A supervisor of either kind that can be changed.
enum Either {
    Fixed(Supervision),
    ByNeeds(GraphSupervision),
}

impl Either {
    fn handle(&mut self, event: Event, commands: &mut Vec<Command>) {
        match self {
            Self::Fixed(supervision) => supervision.handle(event, Moment::START, commands),
            Self::ByNeeds(supervision) => supervision.handle(event, Moment::START, commands),
        }
    }

    fn outline(&self) -> Outline {
        match self {
            Self::Fixed(supervision) => supervision.outline(),
            Self::ByNeeds(supervision) => supervision.outline(),
        }
    }

    fn check(&self) {
        match self {
            Self::Fixed(supervision) => supervision.check(),
            Self::ByNeeds(supervision) => supervision.check(),
        }
    }
}

impl Random {
    /// Children that need some of those before them.
    fn needs_rules(&mut self) -> NeedsRules {
        let (rules, _) = self.rules();
        let mut children = rules.children().to_vec();
        for (place, child) in children.iter_mut().enumerate() {
            let needs = rules.children()[..place].iter().map(|child| child.id.clone());
            child.policy_mut().needs = needs.filter(|_| self.one_in(2)).collect();
        }
        if self.one_in(2) {
            children.reverse();
        }
        NeedsRules::new(1_000, Duration::from_secs(1), AutoShutdown::Never, children).expect("no cycle")
    }

    fn either(&mut self, by_needs: bool) -> Either {
        match by_needs {
            true => Either::ByNeeds(GraphSupervision::new(self.needs_rules())),
            false => Either::Fixed(Supervision::new(self.rules().0)),
        }
    }

    /// How this is changed into anything.
    fn change(&mut self, now: &Outline, by_needs: bool) -> Change {
        let like = [Likeness::Same, Likeness::Inside, Likeness::Other];
        match by_needs {
            true => {
                let rules = self.needs_rules();
                Change::by_needs(now, rules, |_, _| like[self.below(3)])
            }
            false => {
                let (rules, _) = self.rules();
                Change::new(now, rules, |_, _| like[self.below(3)])
            }
        }
    }
}

/// What no environment should do: any event, of any child, at any time, changes of any kind among them, also of the other
/// kind. Nothing panics, and every invariant holds.
#[test]
fn no_event_out_of_place_breaks_a_change() {
    let mut random = Random(5);
    let mut applied = [0, 0];
    for round in 0..5_000 {
        let by_needs = round % 2 == 1;
        let mut supervision = random.either(by_needs);
        let mut commands = Vec::new();
        supervision.handle(Event::Start, &mut commands);
        let mut odd = None;
        for step in 0..60 {
            let now = supervision.outline();
            let slot = now.children.get(random.below(now.children.len() + 1)).map(|child| child.slot).or(odd);
            odd = slot.or(odd);
            commands.clear();
            let event = match (random.below(15), slot) {
                (0, _) => Event::Asked(RequestId(step), Request::Change { in_parts: random.one_in(2) }),
                // Of what stands now, of what does not, or of nothing at all; of this kind, or of the other.
                (1 | 2, _) => {
                    let stands = if random.one_in(4) { random.either(by_needs).outline() } else { now };
                    let kind = by_needs != random.one_in(8);
                    Event::Compared(Box::new(Ok(random.change(&stands, kind))))
                }
                (3, _) => Event::NextPart(Some(RequestId(step))),
                (4, _) if random.one_in(3) => Event::NextPart(None),
                (5, _) if random.one_in(30) => Event::Stop(ExitReason::Shutdown),
                (6 | 7, Some(slot)) => Event::PartDone(slot, !random.one_in(4)),
                (8 | 9, Some(slot)) => Event::Started(slot),
                (10, Some(slot)) => Event::StartFailed(slot, ExitReason::Killed),
                (11, Some(slot)) => Event::Ignored(slot),
                (12, Some(slot)) => Event::TryAgain(slot),
                (13, _) => {
                    let id: Arc<str> = IDS[random.below(IDS.len())].into();
                    let request = match random.below(5) {
                        0 => Request::TerminateChild(Which::Id(id)),
                        1 => Request::RestartChild(id),
                        2 => Request::DisableChild(id),
                        3 => Request::EnableChild(id),
                        _ => Request::DeleteChild(id),
                    };
                    Event::Asked(RequestId(step), request)
                }
                (_, Some(slot)) => Event::Exited { slot, reason: ExitReason::Killed, charged: true },
                (_, None) => Event::EndDeadline,
            };
            supervision.handle(event, &mut commands);
            supervision.check();
            let answers = |command: &&Command| matches!(command, Command::Answer(_, Answer::Applied(_)));
            applied[usize::from(by_needs)] += commands.iter().filter(answers).count();
        }
    }
    println!("{applied:?} applied");
    assert!(applied.iter().all(|applied| *applied > 400), "{applied:?}: the events have lost their reach");
}
