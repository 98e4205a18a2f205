//! The environment of a graph, and a plain model of what may be done in it: who lives, what is due, which events can come
//! next, and which commands would break a promise. It knows the specification and the events, and nothing of how the
//! supervisor decides. Changes of the rules are in `world/changing.rs`.

mod changing;

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    Answer, ChildRules, ChildState, Command, Decision, Delay, Event, GraphSupervision, NeedsRules, Refusal,
    Report, Request, RequestId, Restart, Slot, Ticket, Which,
};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use changing::{Changing, Planned};
pub(crate) use changing::{NewRules, Told};

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
    pub(crate) done: bool,
    /// It was the first of these.
    ended: bool,
    /// Why it ended while a change held everything up, which is judged by the rules that hold after that.
    fell: Option<ExitReason>,
    /// Somebody has decided that it is to be started, or started again.
    due: bool,
    /// It was stopped on purpose, or its start was given up.
    down: bool,
    /// Somebody has asked for it to be started nevertheless, and that has been accepted.
    is_asked_for: bool,
    /// It may be stopped, since it is in the group of somebody who is restarted.
    in_group: bool,
    /// Its group takes it along, although it was just being stopped by request.
    comes_back: bool,
    /// Whether its life is to say when it is ready, by the rules that held when it began.
    reports: bool,
    deadline: Option<Moment>,
    late: Option<Moment>,
    /// It is given no process until somebody enables it.
    pub(crate) disabled: bool,
    /// How long its restart is to wait, once its group is gone.
    delay: Option<Delay>,
    /// It is not started before this comes, unless somebody it needs is restarted, or somebody asks for it.
    wait: Option<Wait>,
    retries: u8,
    /// It waits for one of these.
    tries: bool,
    pub(crate) starts: u32,
    pub(crate) stops: u32,
    pub(crate) epochs: u32,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Wait {
    ticket: Ticket,
    earliest: Moment,
    latest: Moment,
}

/// What has happened so far, last first; shared by all worlds that have it in common.
struct Past {
    event: Event,
    commands: Vec<Command>,
    before: Option<Rc<Past>>,
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
    pub(crate) asked: BTreeMap<u64, Request>,
    /// What the changes among them are to make of it.
    planned: BTreeMap<u64, Rc<Planned>>,
    pub(crate) changing: Option<Changing>,
    /// Those who were held for a change that will not be, until they are told.
    to_let_go: BTreeSet<Slot>,
    /// What is on its way to children who are in other slots now, or to nobody.
    void: Vec<Event>,
    /// Waits, and when each may end; those that are over among them.
    waits: Vec<(Slot, Ticket, Moment)>,
    /// How often there was what.
    pub(crate) counts: BTreeMap<&'static str, u32>,
    past: Option<Rc<Past>>,
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
            asked: BTreeMap::new(),
            planned: BTreeMap::new(),
            changing: None,
            to_let_go: BTreeSet::new(),
            void: Vec::new(),
            waits: Vec::new(),
            counts: BTreeMap::new(),
            past: None,
        };
        world.children.values_mut().for_each(|child| child.due = true);
        world.event(Event::Start);
        world
    }

    /// What can happen to the children next.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.over {
            return events;
        }
        static BOOM: LazyLock<ExitReason> = LazyLock::new(|| ExitReason::other("boom"));
        let boom = || BOOM.clone();
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
                    if !ready {
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
        events.extend(self.void.iter().cloned());
        self.events_of_a_change(&mut events);
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
        self.asked.insert(id, request.clone());
        self.event(Event::Asked(RequestId(id), request));
    }

    pub(crate) fn event(&mut self, event: Event) {
        let is_void = self.notice(&event);
        let mut commands = Vec::new();
        let handle = || self.supervision.handle(event.clone(), self.now, &mut commands);
        let handled = catch_unwind(AssertUnwindSafe(handle));
        let past = Rc::new(Past { event, commands, before: self.past.take() });
        self.past = Some(past.clone());
        assert!(handled.is_ok(), "an invariant is broken: {}", self.story());
        if !cfg!(debug_assertions) {
            self.supervision.check();
        }
        assert!(!is_void || past.commands.is_empty(), "it was about nobody: {}", self.story());
        for command in &past.commands {
            self.carry_out(command);
        }
        match past.commands.last() {
            Some(&Command::Compare(RequestId(id))) => self.compare(id),
            _ => self.assert_in_between(),
        }
    }

    /// Whether nothing may follow from it.
    fn notice(&mut self, event: &Event) -> bool {
        if let Some(at) = self.void.iter().position(|void| void == event) {
            self.void.remove(at);
            return true;
        }
        match *event {
            Event::Started(slot) => {
                let child = self.child(slot);
                let comes_up = child.process == Process::Starting;
                child.process = match child.process {
                    Process::Stopping { .. } => Process::Stopping { up: true },
                    _ => Process::Up { ready: !child.reports },
                };
                if comes_up {
                    self.is_settled_by_change(slot);
                }
            }
            Event::Ready(slot) => self.child(slot).process = Process::Up { ready: true },
            Event::ReadyDeadline(slot) => self.child(slot).late = None,
            Event::StopDeadline(slot) => self.child(slot).deadline = None,
            Event::TryAgain(slot) => self.child(slot).retries -= 1,
            Event::RestartDue(slot, ticket) => {
                self.waits.retain(|(_, other, _)| *other != ticket);
                self.wait_is_over(slot, ticket);
            }
            Event::StartFailed(slot, ref reason) => {
                self.start_failed_by_change(slot, reason);
                self.child(slot).process = Process::None;
            }
            Event::Ignored(slot) => {
                let child = self.child(slot);
                child.done = child.process == Process::Starting;
                child.process = Process::None;
                self.is_settled_by_change(slot);
            }
            Event::Exited { slot, ref reason, .. } => {
                let held_up = self.changing.as_ref().is_some_and(Changing::holds_up);
                let child = self.child(slot);
                let up = matches!(child.process, Process::Up { .. });
                child.fell = (up && held_up).then(|| reason.clone());
                child.process = Process::None;
                child.stays_down(up, reason);
            }
            Event::Stop(_) => self.ends(),
            Event::PartDone(slot, done) => self.part_is_done(slot, done),
            Event::NextPart(request) => self.next_part(request),
            _ => {}
        }
        false
    }

    /// Somebody has waited for as long as it was to.
    fn wait_is_over(&mut self, slot: Slot, ticket: Ticket) {
        if let Some(child) = self.children.get_mut(&slot)
            && child.wait.is_some_and(|wait| wait.ticket == ticket)
            && !self.changing.as_mut().is_some_and(|changing| changing.puts_off(slot, ticket))
        {
            child.wait = None;
        }
    }

    fn ends(&mut self) {
        self.ending = true;
        self.change_is_off();
    }

    fn carry_out(&mut self, command: &Command) {
        assert!(!self.over, "nothing comes after the exit: {}", self.story());
        self.assert_not_held_up(command);
        match command {
            &Command::Start(slot) => self.starts(slot),
            &Command::NewEpoch(slot) => {
                let is_due = self.is_new_epoch_of_change(slot) || self.children[&slot].in_group;
                assert!(is_due, "{slot:?} is of no group: {}", self.story());
                let is_left = |member: &Slot| {
                    let child = &self.children[member];
                    child.process != Process::None && (child.in_group || *member == slot)
                };
                let left = self.group(slot).into_iter().find(is_left);
                assert_eq!(left, None, "{slot:?} begins before its group is gone: {}", self.story());
                let child = self.child(slot);
                child.in_group = false;
                child.epochs += 1;
            }
            &Command::AskToStop(slot) | &Command::Kill(slot) => self.is_told_to_stop(slot),
            Command::KillFor(slot, _) => {
                assert_eq!(self.children[slot].process, Process::Up { ready: false }, "{}", self.story());
            }
            &Command::SetDeadline(slot, due) => self.child(slot).deadline = Some(due),
            &Command::SetReadyDeadline(slot, due) => self.has_to_be_ready(slot, due),
            &Command::TryAgain(slot) => {
                let child = self.child(slot);
                (child.retries, child.tries) = (child.retries + 1, true);
            }
            &Command::SetRestart { slot, ticket, earliest, latest } => {
                let wait = Wait { ticket, earliest, latest };
                if !self.is_asked_for_again(slot, wait) {
                    let lives = |member: &Slot| self.children[member].process != Process::None;
                    assert!(!self.group(slot).iter().any(lives), "its group is gone: {}", self.story());
                    let delay = self.child(slot).delay.take().expect("a wait was decided on");
                    let expected = (self.now + delay.earliest, self.now + delay.latest);
                    assert_eq!((earliest, latest), expected, "{}", self.story());
                    self.child(slot).wait = Some(wait);
                }
                self.waits.push((slot, ticket, earliest));
                self.count("waits");
            }
            Command::Add(slot, RequestId(id)) => {
                let Some(Request::StartChild(rules)) = self.asked.get(id) else {
                    panic!("it was asked for: {}", self.story())
                };
                let child = Child { due: true, ..Child::new(rules.clone()) };
                assert!(self.children.insert(*slot, child).is_none(), "a slot is new");
            }
            Command::Answer(RequestId(id), answer) => self.answered(*id, answer),
            Command::Forget(slot) => {
                self.assert_may_be_forgotten(*slot);
                self.excuse();
                let gone = self.children.remove(slot).expect("it is forgotten once");
                assert_eq!(gone.process, Process::None, "whoever is forgotten is gone: {}", self.story());
                self.is_forgotten_by_change(*slot);
            }
            Command::Report(report) => self.reported(report),
            Command::Ready => {
                assert!(!self.up, "it is up once");
                self.up = true;
            }
            Command::Exit(_) => {
                let lives = self.children.values().any(|child| child.process != Process::None);
                assert!(!lives, "all are gone: {}", self.story());
                self.over = true;
            }
            Command::Compare(_) => {}
            &Command::Part(slot, part) => self.part_begins(slot, part),
            Command::LetGo(slot) => {
                assert!(self.to_let_go.remove(slot), "{slot:?} is held: {}", self.story());
            }
            Command::Rearrange(RequestId(id), seats) => self.rearranged(*id, seats),
            other => panic!("{other:?} is for others: {}", self.story()),
        }
    }

    fn reported(&mut self, report: &Report) {
        // If it fell while all was held up, it is judged now.
        if let Some(child) = self.children.get_mut(&report.slot) {
            child.fell = None;
        }
        match report.decision {
            Decision::RestartGroup | Decision::RestartGroupLater => {
                for member in self.group(report.slot) {
                    let child = self.child(member);
                    child.comes_back |= !child.in_group && matches!(child.process, Process::Stopping { .. });
                    (child.in_group, child.due, child.down) = (true, true, false);
                    (child.wait, child.delay, child.fell, child.tries) = (None, None, None, false);
                    self.comes_without_change(member);
                }
                self.is_to_wait(report.slot, report.delay, report.decision == Decision::RestartGroupLater);
            }
            Decision::Restart | Decision::RestartLater => {
                assert_eq!(self.group(report.slot).len(), 1, "it has a group: {}", self.story());
                let child = self.child(report.slot);
                (child.due, child.tries) = (true, false);
                self.is_to_wait(report.slot, report.delay, report.decision == Decision::RestartLater);
            }
            Decision::GiveUpOnChild => {
                let child = self.child(report.slot);
                (child.disabled, child.is_asked_for) = (true, false);
                self.is_settled_by_change(report.slot);
                self.excuse();
            }
            Decision::GiveUp | Decision::Escalate | Decision::StartFailed | Decision::AutoShutdown => {
                self.ends();
            }
            _ => {}
        }
    }

    fn starts(&mut self, slot: Slot) {
        assert!(!self.ending, "nobody comes up at the end: {}", self.story());
        let child = &self.children[&slot];
        for need in child.rules.needs() {
            let unmet = self.named(need).is_some_and(|need| !self.children[&need].is_met());
            assert!(!unmet, "{slot:?} comes up before {need}: {}", self.story());
        }
        assert!(!child.in_group, "{slot:?} starts before its group is gone: {}", self.story());
        assert_eq!((child.wait, child.delay), (None, None), "{slot:?} is to wait: {}", self.story());
        let is_asked_for = |wanted: &Request| matches!(wanted, Request::EnableChild(id) | Request::RestartChild(id) if *id == child.rules.id);
        let is_asked_for = self.asked.values().any(is_asked_for);
        assert!(!child.disabled || is_asked_for, "{slot:?} is disabled: {}", self.story());
        assert!(child.due || is_asked_for, "nobody decided to start {slot:?}: {}", self.story());
        assert_eq!(child.process, Process::None, "{slot:?} has two lives: {}", self.story());
        self.starts_beside_change(slot);
        let child = self.child(slot);
        (child.process, child.done, child.ended, child.in_group) = (Process::Starting, false, false, false);
        (child.due, child.down, child.deadline, child.late) = (false, false, None, None);
        (child.comes_back, child.fell, child.tries) = (false, None, false);
        child.reports = child.rules.reports_ready().is_some();
        child.starts += 1;
    }

    fn is_told_to_stop(&mut self, slot: Slot) {
        let child = &self.children[&slot];
        let is_told = matches!(child.process, Process::Stopping { .. });
        if !is_told && !self.is_to_leave_by_change(slot) && !self.is_to_be_stopped(&child.rules.id) {
            let lives = |other: &Slot| self.children[other].process != Process::None;
            let dependent = self.group(slot).into_iter().find(|other| *other != slot && lives(other));
            assert_eq!(dependent, None, "{slot:?} goes before who needs it: {}", self.story());
            assert!(self.ending || child.in_group, "{slot:?} is touched: {}", self.story());
        }
        let process = match child.process {
            Process::None => panic!("{slot:?} has no process to stop: {}", self.story()),
            Process::Starting => Process::Stopping { up: false },
            Process::Up { .. } => Process::Stopping { up: true },
            stopping @ Process::Stopping { .. } => stopping,
        };
        let child = self.child(slot);
        child.stops += u32::from(!is_told);
        child.process = process;
    }

    /// Whether somebody has asked for this child to be stopped.
    fn is_to_be_stopped(&self, child: &Arc<str>) -> bool {
        self.asked.values().any(|request| matches!(request, Request::TerminateChild(Which::Id(id)) | Request::DisableChild(id) if id == child))
    }

    fn answered(&mut self, id: u64, answer: &Answer) {
        let request = self.asked.remove(&id);
        let request = request.unwrap_or_else(|| panic!("{id} is answered once: {}", self.story()));
        if let Answer::Started(slot) = answer {
            assert!(matches!(self.children[slot].process, Process::Up { .. }), "{}", self.story());
        }
        match (request, answer) {
            (Request::TerminateChild(Which::Id(id)), Answer::Done) => self.is_stopped(&id, false),
            (Request::DisableChild(id), Answer::Done) => self.is_stopped(&id, true),
            (Request::EnableChild(id), Answer::Started(_) | Answer::Ignored) => {
                if let Some(slot) = self.named(&id) {
                    self.child(slot).disabled = false;
                }
            }
            (
                Request::RestartChild(id),
                Answer::Refused(refusal @ (Refusal::StartFailed(_) | Refusal::NeedIsDown(_))),
            ) => {
                if let Some(slot) = self.named(&id) {
                    let child = self.child(slot);
                    // Whoever had done its part has, if it is not even tried.
                    if matches!(refusal, Refusal::StartFailed(_)) || child.due || !child.done {
                        (child.done, child.ended, child.down) = (false, false, true);
                    }
                    child.is_asked_for = false;
                    if let Some(changing) = &mut self.changing {
                        changing.trouble.insert(id);
                    }
                    self.excuse();
                }
            }
            (Request::Change { .. }, answer) => self.change_is_answered(id, answer),
            _ => {}
        }
    }

    fn is_stopped(&mut self, id: &Arc<str>, disabled: bool) {
        let Some(slot) = self.named(id) else { return };
        assert_eq!(self.children[&slot].process, Process::None, "{id} has been stopped: {}", self.story());
        self.is_stopped_beside_change(slot);
        let child = self.child(slot);
        (child.wait, child.delay, child.is_asked_for, child.tries) = (None, None, false, false);
        if !std::mem::take(&mut child.comes_back) {
            (child.done, child.ended) = (child.done && !child.due, child.ended && !child.due);
            (child.due, child.down) = (false, true);
        }
        child.disabled |= disabled;
        self.excuse();
    }

    /// Only who is temporary, or whose specification is not wanted any more, or did not get that far.
    fn assert_may_be_forgotten(&self, slot: Slot) {
        let child = &self.children[&slot].rules;
        let unwanted = |request: &Request| match request {
            Request::DeleteChild(id) => *id == child.id,
            Request::StartChild(rules) => rules.id == child.id,
            _ => false,
        };
        let may = child.restart == Restart::Temporary
            || self.asked.values().any(unwanted)
            || self.is_removed_by_change(slot);
        assert!(may, "{slot:?} is lost: {}", self.story());
    }

    fn is_to_wait(&mut self, slot: Slot, delay: Option<Delay>, later: bool) {
        let child = &self.children[&slot];
        let backoff = child.rules.policy.as_ref().and_then(|policy| policy.backoff);
        assert_eq!(delay.is_some(), later, "{}", self.story());
        assert!(!later || backoff.is_some(), "nobody asked for a delay: {}", self.story());
        self.child(slot).delay = delay;
    }

    /// What comes next if all goes well.
    pub(crate) fn goes_well(&self) -> Option<Event> {
        let up = |child: &Child| matches!(child.process, Process::Up { .. });
        let kind = |event: &Event| match event {
            Event::TryAgain(_) | Event::RestartDue(..) => 1,
            Event::Ready(_) | Event::NextPart(Some(_)) => 2,
            Event::Started(_) => 3,
            Event::PartDone(slot, done) => 4 * usize::from(*done == self.children.get(slot).is_some_and(up)),
            Event::Exited { reason: ExitReason::Shutdown, .. } => 4,
            Event::StartFailed(slot, _) if self.children[slot].process != Process::Starting => 4,
            _ => 0,
        };
        self.events().into_iter().max_by_key(kind).filter(|event| kind(event) > 0)
    }

    /// Everything goes well from here on, until nothing happens any more.
    pub(crate) fn let_settle(&mut self) {
        for _ in 0..1_000 {
            match self.goes_well() {
                Some(event) => self.event(event),
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
        assert!(self.changing.is_none(), "a change comes to its end: {}", self.story());
        for (slot, child) in &self.children {
            let missing = child.rules.needs().iter().filter_map(|need| self.named(need));
            let held = missing.into_iter().any(|need| !self.children[&need].is_met());
            let state = self.supervision.state(*slot);
            let waits = state == Some(ChildState::Waiting);
            assert!(!waits || held, "{slot:?} waits for nobody: {}", self.story());
            let is_lost = child.process == Process::None && !(child.done || child.down || child.disabled);
            assert!(self.ending || !is_lost || waits, "{slot:?} is lost: {}", self.story());
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

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(crate) fn story(&self) -> String {
        let (mut past, mut lines) = (self.past.as_ref(), Vec::new());
        while let Some(step) = past {
            lines.push(format!("{:?}\n    {:?}", step.event, step.commands));
            past = step.before.as_ref();
        }
        lines.reverse();
        let rules: Vec<_> = self.children.values().map(|child| &child.rules).collect();
        format!("\n{rules:#?}\n{}\n{:#?}", lines.join("\n"), self.supervision)
    }
}

impl Child {
    fn new(rules: ChildRules) -> Self {
        let disabled = rules.policy.as_ref().is_some_and(|policy| policy.disabled);
        Self {
            rules,
            process: Process::None,
            done: false,
            ended: false,
            fell: None,
            due: false,
            down: false,
            is_asked_for: false,
            in_group: false,
            comes_back: false,
            reports: false,
            deadline: None,
            late: None,
            disabled,
            delay: None,
            wait: None,
            retries: 0,
            tries: false,
            starts: 0,
            stops: 0,
            epochs: 0,
        }
    }

    /// It goes on by other rules: what those do not ask for nobody waits for, and more time that they give it has.
    fn under(mut self, rules: ChildRules) -> Self {
        if self.process == (Process::Up { ready: false }) {
            let within = |rules: &ChildRules| rules.reports_ready().and_then(|reports| reports.within);
            let more = within(&rules).map(|new| new.saturating_sub(within(&self.rules).unwrap_or_default()));
            self.late = self.late.zip(more).map(|(late, more)| late + more);
            self.process = Process::Up { ready: rules.reports_ready().is_none() };
        }
        Self { rules, ..self }
    }

    /// It has ended; `up`: by itself.
    fn stays_down(&mut self, up: bool, reason: &ExitReason) {
        self.done = up && self.rules.restart == Restart::Transient && !reason.is_abnormal();
        self.ended = self.done;
    }

    pub(crate) fn is_met(&self) -> bool {
        let (is_done, is_up) = (self.done && !self.due, self.process == Process::Up { ready: true });
        !self.disabled && !self.in_group && (is_done || is_up)
    }
}
