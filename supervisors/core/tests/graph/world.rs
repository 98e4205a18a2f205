//! The environment of a graph, and a plain model of what may be done in it: who lives, what is due, which events can come
//! next, and which commands would break a promise. It knows the specification and the events, and nothing of how the
//! supervisor decides.

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    Answer, ChildRules, ChildState, Command, Decision, Delay, Event, GraphSupervision, NeedsRules, Request,
    RequestId, Restart, Slot, Ticket, Which,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Longer than any time limit here, and than the period.
pub(crate) const TICK: Duration = Duration::from_secs(4);

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Process {
    None,
    Starting,
    Up {
        ready: bool,
    },
    /// `up`: it was up when it was told.
    Stopping {
        up: bool,
    },
}

#[derive(Clone)]
pub(crate) struct Child {
    pub(crate) rules: ChildRules,
    pub(crate) process: Process,
    /// It ended by itself and stays down, or had nothing to run.
    done: bool,
    /// It may be stopped, since it is in the group of somebody who is restarted.
    in_group: bool,
    deadline: Option<Moment>,
    late: Option<Moment>,
    /// It is given no process until somebody enables it.
    disabled: bool,
    /// How long its restart is to wait, once its group is gone.
    delay: Option<Delay>,
    /// It is not started before this comes, unless somebody it needs is restarted, or somebody asks for it.
    wait: Option<Ticket>,
    retries: u8,
    pub(crate) starts: u32,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) supervision: GraphSupervision,
    pub(crate) now: Moment,
    pub(crate) children: BTreeMap<Slot, Child>,
    pub(crate) ending: bool,
    pub(crate) over: bool,
    pub(crate) up: bool,
    next_request: u64,
    /// Asked, and not answered.
    pub(crate) asked: BTreeSet<u64>,
    /// Whose stop each of them is about, if it is about one, and whether it is disabled.
    terminations: BTreeMap<u64, (Arc<str>, bool)>,
    /// Who is to be enabled by each of them, if it is about that.
    enabled: BTreeMap<u64, Arc<str>>,
    /// Waits, and when each may end; those that are over among them.
    waits: Vec<(Slot, Ticket, Moment)>,
    /// How many waits there were.
    pub(crate) waited: u32,
    /// What is being added by a request.
    added: BTreeMap<u64, ChildRules>,
    pub(crate) history: Vec<String>,
}

impl World {
    pub(crate) fn new(rules: NeedsRules) -> Self {
        let all = rules.children().to_vec();
        let supervision = GraphSupervision::new(rules);
        let children = supervision.slots().zip(all).map(|(slot, rules)| (slot, Child::new(rules))).collect();
        let mut world = Self {
            supervision,
            now: Moment::START,
            children,
            ending: false,
            over: false,
            up: false,
            next_request: 0,
            asked: BTreeSet::new(),
            terminations: BTreeMap::new(),
            enabled: BTreeMap::new(),
            waits: Vec::new(),
            waited: 0,
            added: BTreeMap::new(),
            history: Vec::new(),
        };
        world.event(Event::Start);
        world
    }

    /// What can happen to the children next.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.over {
            return events;
        }
        let boom = || ExitReason::other("boom");
        let exit = |slot, reason| Event::Exited { slot, reason, charged: true };
        for (&slot, child) in &self.children {
            match child.process {
                Process::None => {}
                Process::Starting => {
                    events.extend([
                        Event::Started(slot),
                        Event::StartFailed(slot, boom()),
                        Event::Ignored(slot),
                    ]);
                }
                Process::Up { ready } => {
                    events.extend([exit(slot, ExitReason::Normal), exit(slot, boom())]);
                    if child.rules.reports_ready().is_some() && !ready {
                        events.push(Event::Ready(slot));
                    }
                    if child.late.is_some_and(|late| late <= self.now) {
                        events.push(Event::ReadyDeadline(slot));
                    }
                }
                Process::Stopping { up: true } => {
                    events.extend([exit(slot, ExitReason::Shutdown), exit(slot, boom())]);
                }
                Process::Stopping { up: false } => {
                    events.extend([Event::StartFailed(slot, boom()), Event::Started(slot)]);
                }
            }
            if child.deadline.is_some_and(|due| due <= self.now) {
                events.push(Event::StopDeadline(slot));
            }
            if child.retries > 0 {
                events.push(Event::TryAgain(slot));
            }
        }
        let due = self.waits.iter().filter(|(.., earliest)| *earliest <= self.now);
        events.extend(due.map(|(slot, ticket, _)| Event::RestartDue(*slot, *ticket)));
        events
    }

    /// What may be asked for next, of children that are there and one that is not.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let mut requests = vec![Request::WhichChildren, Request::CountChildren];
        for child in self.children.values() {
            let id = &child.rules.id;
            requests.push(Request::TerminateChild(Which::Id(id.clone())));
            requests.extend([Request::RestartChild(id.clone()), Request::DeleteChild(id.clone())]);
            requests.extend([Request::DisableChild(id.clone()), Request::EnableChild(id.clone())]);
        }
        for id in ["z", "a"] {
            let mut rules = ChildRules::worker(id);
            rules.policy_mut().needs = self
                .children
                .values()
                .take(1)
                .map(|child| child.rules.id.clone())
                .filter(|need| **need != *id)
                .collect();
            requests.push(Request::StartChild(rules));
        }
        requests
    }

    pub(crate) fn ask(&mut self, request: Request) {
        let id = self.next_request;
        self.next_request += 1;
        self.asked.insert(id);
        match &request {
            Request::StartChild(rules) => drop(self.added.insert(id, rules.clone())),
            Request::TerminateChild(Which::Id(child)) => {
                self.terminations.insert(id, (child.clone(), false));
            }
            Request::DisableChild(child) => drop(self.terminations.insert(id, (child.clone(), true))),
            Request::EnableChild(child) => drop(self.enabled.insert(id, child.clone())),
            _ => {}
        }
        self.event(Event::Asked(RequestId(id), request));
    }

    pub(crate) fn event(&mut self, event: Event) -> Vec<Command> {
        self.history.push(format!("{event:?}"));
        self.notice(&event);
        let mut commands = Vec::new();
        self.supervision.handle(event, self.now, &mut commands);
        self.history.push(format!("    {commands:?}"));
        self.supervision.check();
        for command in &commands {
            self.carry_out(command);
        }
        commands
    }

    fn notice(&mut self, event: &Event) {
        match *event {
            Event::Started(slot) => {
                let child = self.child(slot);
                child.process = match child.process {
                    Process::Stopping { .. } => Process::Stopping { up: true },
                    _ => Process::Up { ready: child.rules.reports_ready().is_none() },
                };
            }
            Event::Ready(slot) => self.child(slot).process = Process::Up { ready: true },
            Event::ReadyDeadline(slot) => self.child(slot).late = None,
            Event::StopDeadline(slot) => self.child(slot).deadline = None,
            Event::TryAgain(slot) => self.child(slot).retries -= 1,
            Event::RestartDue(slot, ticket) => {
                self.waits.retain(|(_, other, _)| *other != ticket);
                if let Some(child) = self.children.get_mut(&slot)
                    && child.wait == Some(ticket)
                {
                    child.wait = None;
                }
            }
            Event::StartFailed(slot, _) => self.child(slot).process = Process::None,
            Event::Ignored(slot) => {
                let child = self.child(slot);
                child.done = child.process == Process::Starting;
                child.process = Process::None;
            }
            Event::Exited { slot, ref reason, .. } => {
                let child = self.child(slot);
                let stays_down = child.rules.restart == Restart::Transient && !reason.is_abnormal();
                child.done = stays_down && matches!(child.process, Process::Up { .. });
                child.process = Process::None;
            }
            Event::Stop(_) => self.ending = true,
            _ => {}
        }
    }

    fn carry_out(&mut self, command: &Command) {
        assert!(!self.over, "nothing comes after the exit: {}", self.story());
        match command {
            &Command::Start(slot) => {
                assert!(!self.ending, "nobody comes up at the end: {}", self.story());
                let needs = self.child(slot).rules.needs().to_vec();
                for need in needs {
                    let unmet = self.named(&need).is_some_and(|need| !self.children[&need].is_met());
                    assert!(!unmet, "{slot:?} comes up before {need}: {}", self.story());
                }
                let beside = self.group(slot).into_iter().find(|member| {
                    self.children[member].in_group && self.children[member].process != Process::None
                });
                assert_eq!(beside, None, "{slot:?} starts before its group is gone: {}", self.story());
                let child = &self.children[&slot];
                assert_eq!((child.wait, child.delay), (None, None), "{slot:?} is to wait: {}", self.story());
                let is_enabled = self.enabled.values().any(|id| *id == child.rules.id);
                assert!(!child.disabled || is_enabled, "{slot:?} is disabled: {}", self.story());
                let story = self.story();
                let child = self.child(slot);
                assert_eq!(child.process, Process::None, "{slot:?} has two lives: {story}");
                (child.process, child.done, child.in_group) = (Process::Starting, false, false);
                (child.deadline, child.late) = (None, None);
                child.starts += 1;
            }
            &Command::NewEpoch(slot) => {
                assert_eq!(self.children[&slot].process, Process::None, "{slot:?} lives: {}", self.story());
            }
            &Command::AskToStop(slot) | &Command::Kill(slot) => {
                let child = self.children[&slot].clone();
                if !matches!(child.process, Process::Stopping { .. })
                    && !self.terminations.values().any(|(id, _)| *id == child.rules.id)
                {
                    let dependent = self.group(slot).into_iter().find(|dependent| {
                        *dependent != slot && self.children[dependent].process != Process::None
                    });
                    assert_eq!(dependent, None, "{slot:?} goes before who needs it: {}", self.story());
                    assert!(self.ending || child.in_group, "{slot:?} is touched: {}", self.story());
                }
                self.child(slot).process = match child.process {
                    Process::None => panic!("{slot:?} has no process to stop: {}", self.story()),
                    Process::Starting => Process::Stopping { up: false },
                    Process::Up { .. } => Process::Stopping { up: true },
                    stopping @ Process::Stopping { .. } => stopping,
                };
            }
            Command::KillFor(slot, _) => {
                assert_eq!(self.children[slot].process, Process::Up { ready: false }, "{}", self.story());
            }
            &Command::SetDeadline(slot, due) => self.child(slot).deadline = Some(due),
            &Command::SetReadyDeadline(slot, due) => self.child(slot).late = Some(due),
            &Command::TryAgain(slot) => self.child(slot).retries += 1,
            &Command::SetRestart { slot, ticket, earliest, latest } => {
                let lives = |member: &Slot| self.children[member].process != Process::None;
                assert!(!self.group(slot).iter().any(lives), "its group is gone: {}", self.story());
                let (now, story) = (self.now, self.story());
                let child = self.child(slot);
                let delay = child.delay.take().expect("a wait was decided on");
                assert_eq!((earliest, latest), (now + delay.earliest, now + delay.latest), "{story}");
                child.wait = Some(ticket);
                self.waits.push((slot, ticket, earliest));
                self.waited += 1;
            }
            Command::Add(slot, RequestId(id)) => {
                let rules = self.added.remove(id).expect("it was asked for");
                assert!(self.children.insert(*slot, Child::new(rules)).is_none(), "a slot is new");
            }
            Command::Answer(RequestId(id), answer) => {
                assert!(self.asked.remove(id), "{id} is answered once: {}", self.story());
                if let Some((stopped, disabled)) = self.terminations.remove(id)
                    && *answer == Answer::Done
                    && let Some(slot) = self.named(&stopped)
                {
                    let story = self.story();
                    let child = self.child(slot);
                    assert_eq!(child.process, Process::None, "{slot:?} has been stopped: {story}");
                    (child.wait, child.delay) = (None, None);
                    child.disabled |= disabled;
                }
                if let Some(enabled) = self.enabled.remove(id)
                    && let Answer::Started(_) | Answer::Ignored = answer
                    && let Some(slot) = self.named(&enabled)
                {
                    self.child(slot).disabled = false;
                }
                if let Answer::Started(slot) = answer {
                    assert!(matches!(self.children[slot].process, Process::Up { .. }), "{}", self.story());
                }
            }
            Command::Forget(slot) => {
                let gone = self.children.remove(slot).expect("it is forgotten once");
                assert_eq!(gone.process, Process::None, "whoever is forgotten is gone: {}", self.story());
            }
            Command::Report(report) => match report.decision {
                Decision::RestartGroup | Decision::RestartGroupLater => {
                    for member in self.group(report.slot) {
                        let child = self.child(member);
                        child.in_group = true;
                        (child.wait, child.delay) = (None, None);
                    }
                    self.is_to_wait(
                        report.slot,
                        report.delay,
                        report.decision == Decision::RestartGroupLater,
                    );
                }
                Decision::Restart | Decision::RestartLater => {
                    assert_eq!(self.group(report.slot).len(), 1, "it has a group: {}", self.story());
                    self.is_to_wait(report.slot, report.delay, report.decision == Decision::RestartLater);
                }
                Decision::GiveUpOnChild => self.child(report.slot).disabled = true,
                Decision::GiveUp | Decision::Escalate | Decision::StartFailed | Decision::AutoShutdown => {
                    self.ending = true
                }
                _ => {}
            },
            Command::Ready => {
                assert!(!self.up, "it is up once");
                self.up = true;
            }
            Command::Exit(_) => {
                let lives = self.children.values().any(|child| child.process != Process::None);
                assert!(!lives, "all are gone: {}", self.story());
                self.over = true;
            }
            other => panic!("{other:?} is for others: {}", self.story()),
        }
    }

    fn is_to_wait(&mut self, slot: Slot, delay: Option<Delay>, later: bool) {
        let child = &self.children[&slot];
        let backoff = child.rules.policy.as_ref().and_then(|policy| policy.backoff);
        assert_eq!(delay.is_some(), later, "{}", self.story());
        assert!(!later || backoff.is_some(), "nobody asked for a delay: {}", self.story());
        self.child(slot).delay = delay;
    }

    /// Everything goes well from here on, until nothing happens any more.
    pub(crate) fn let_settle(&mut self) {
        for _ in 0..1_000 {
            let kind = |event: &Event| match event {
                Event::TryAgain(_) | Event::RestartDue(..) => 1,
                Event::Ready(_) => 2,
                Event::Started(_) => 3,
                Event::Exited { reason: ExitReason::Shutdown, .. } => 4,
                Event::StartFailed(slot, _) if self.children[slot].process != Process::Starting => 4,
                _ => 0,
            };
            match self.events().into_iter().max_by_key(kind).filter(|event| kind(event) > 0) {
                Some(event) => drop(self.event(event)),
                None => match self.waits.iter().map(|(.., earliest)| *earliest).min() {
                    Some(earliest) if !self.over => self.now = self.now.max(earliest),
                    _ => return,
                },
            }
        }
        panic!("it never comes to rest: {}", self.story());
    }

    /// Everyone who may be up is, and nobody waits for an answer.
    pub(crate) fn assert_settled(&self) {
        assert!(self.up || self.ending, "the own start has come to its end: {}", self.story());
        assert!(self.asked.is_empty() || self.ending, "all are answered: {}", self.story());
        for (slot, child) in &self.children {
            let missing = child.rules.needs().iter().filter_map(|need| self.named(need));
            let held = missing.into_iter().any(|need| !self.children[&need].is_met());
            let state = self.supervision.state(*slot);
            let waits = state == Some(ChildState::Waiting);
            assert!(!waits || held, "{slot:?} waits for nobody: {}", self.story());
            let disabled = state == Some(ChildState::Disabled);
            assert!(self.ending || disabled == child.disabled, "{slot:?} is disabled: {}", self.story());
            assert!(
                !matches!(child.process, Process::Starting | Process::Stopping { .. }),
                "{}",
                self.story()
            );
        }
    }

    pub(crate) fn named(&self, id: &Arc<str>) -> Option<Slot> {
        self.children.iter().find(|(_, child)| child.rules.id == *id).map(|(slot, _)| *slot)
    }

    /// It and whoever depends on it, found the long way.
    fn group(&self, slot: Slot) -> BTreeSet<Slot> {
        let mut group = BTreeSet::from([slot]);
        loop {
            let before = group.len();
            for (other, child) in &self.children {
                if child
                    .rules
                    .needs()
                    .iter()
                    .filter_map(|need| self.named(need))
                    .any(|need| group.contains(&need))
                {
                    group.insert(*other);
                }
            }
            if group.len() == before {
                return group;
            }
        }
    }

    fn child(&mut self, slot: Slot) -> &mut Child {
        self.children.get_mut(&slot).expect("commands and events name who is there")
    }

    pub(crate) fn story(&self) -> String {
        let rules: Vec<_> = self.children.values().map(|child| &child.rules).collect();
        format!("\n{rules:#?}\n{}\n{:#?}", self.history.join("\n"), self.supervision)
    }
}

impl Child {
    fn new(rules: ChildRules) -> Self {
        let disabled = rules.policy.as_ref().is_some_and(|policy| policy.disabled);
        Self {
            rules,
            process: Process::None,
            done: false,
            in_group: false,
            deadline: None,
            late: None,
            disabled,
            delay: None,
            wait: None,
            retries: 0,
            starts: 0,
        }
    }

    fn is_met(&self) -> bool {
        !self.disabled && (self.done || self.process == Process::Up { ready: true })
    }
}
