//! A second supervisor to compare with, written from OTP's rows the way OTP is: one program that blocks in a receive.
//! It has no states between events: it runs the whole history again from the beginning until nothing is left to read.
//! Slow and plain on purpose; scans everything. Shares only the words (rules, reasons) with the implementation.

mod changes;

use crate::notes::{Limits, Notes};
use crate::words::{Act, History, Outcome};
use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    AutoShutdown, ChildRules, ChildState, Exhausted, Likeness, Own, Restart, Rules, Shutdown, Stands,
    StartFailed, Strategy,
};
use std::sync::Arc;

/// What may be asked for; children by their id.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    Start(ChildRules),
    Terminate(String),
    Restart(String),
    Delete(String),
    Disable(String),
    Enable(String),
    Which,
    Count,
    /// How everything stands that a change starts from.
    Outline,
    Change(Arc<NewRules>),
}

/// Other rules, and how the recipe of each of their children relates to that of the one of its id which stands.
#[derive(Debug, PartialEq)]
pub(crate) struct NewRules {
    pub(crate) rules: Rules,
    pub(crate) likeness: Vec<Likeness>,
    /// Whether each part of the change is asked for on its own.
    pub(crate) in_parts: bool,
}

type Input = crate::words::Input<Ask>;

/// Everything a supervisor with these rules does and how its children stand (`None`: forgotten) after this history.
pub(crate) fn replay(rules: &Rules, history: &History<Ask>) -> Outcome {
    let mut model = Model {
        own: own(rules),
        children: rules.children().to_vec(),
        asked: 0,
        requests: Vec::new(),
        hearer: 0,
        history,
        now: Moment::START,
        mailbox: Vec::new(),
        acts: Vec::new(),
        states: rules.children().iter().map(|child| Some(at_first(child))).collect(),
        finished: vec![false; rules.children().len()],
        waits: vec![None; rules.children().len()],
        times: Vec::new(),
        notes: vec![Notes::default(); rules.children().len()],
        restarts: Vec::new(),
        let_off: Vec::new(),
        waiting_for: None,
        terminating: false,
    };
    let reason = match model.live() {
        Interrupt::NothingLeft => None,
        Interrupt::Terminate(reason) => Some(reason),
    };
    if let Some(reason) = reason {
        // Running out of history while terminating is no more than the end of this replay.
        let _ = model.terminate(reason);
    }
    (model.acts, model.states)
}

fn at_first(child: &ChildRules) -> ChildState {
    if child.is_disabled() { ChildState::Disabled } else { ChildState::Gone }
}

fn own(rules: &Rules) -> Own {
    Own {
        strategy: Some(rules.strategy()),
        limit: rules.limit(),
        period: rules.period(),
        auto_shutdown: rules.auto_shutdown(),
        max_children: rules.max_children(),
    }
}

fn is_down(state: Option<ChildState>) -> bool {
    matches!(state, None | Some(ChildState::Gone | ChildState::Disabled))
}

/// A wait that is over as soon as it has begun.
const AT_ONCE: usize = usize::MAX;

/// Why the program does not go on.
enum Interrupt {
    NothingLeft,
    Terminate(ExitReason),
}

/// The child that a receive waits for, should it be interrupted.
#[derive(Clone, Copy)]
struct WaitingFor {
    child: usize,
    starting: bool,
    deadline: Option<Moment>,
}

enum Answer {
    Up,
    Ignore,
    Failed(ExitReason),
}

struct Model<'a> {
    own: Own,
    children: Vec<ChildRules>,
    /// How many requests have arrived, and which of them stand in the mailbox, in order.
    asked: u64,
    requests: Vec<u64>,
    /// Whose request is in hand.
    hearer: u64,
    history: &'a History<Ask>,
    now: Moment,
    mailbox: Vec<Input>,
    acts: Vec<Act>,
    states: Vec<Option<ChildState>>,
    /// Who is down because it is through.
    finished: Vec<bool>,
    /// Which wait a child is in that is waiting; none if it is to be tried again.
    waits: Vec<Option<usize>>,
    /// The times that were asked for: of which wait, and between which moments.
    times: Vec<(usize, Moment, Moment)>,
    notes: Vec<Notes>,
    restarts: Vec<Moment>,
    let_off: Vec<Moment>,
    waiting_for: Option<WaitingFor>,
    terminating: bool,
}

impl Model<'_> {
    fn strategy(&self) -> Strategy {
        self.own.strategy.expect("the model knows no needs")
    }

    fn rules_of(&self, child: usize) -> &ChildRules {
        &self.children[child]
    }

    /// The next of the history. The parent's stop overtakes whatever is going on, except terminating.
    fn receive(&mut self) -> Result<Input, Interrupt> {
        loop {
            let Some(((input, now), rest)) = self.history.split_first() else {
                return Err(Interrupt::NothingLeft);
            };
            self.history = rest;
            self.now = *now;
            match input {
                Input::Stop(reason) if !self.terminating => return Err(Interrupt::Terminate(reason.clone())),
                Input::Stop(_) => {}
                input => {
                    if let Input::Asked(_) = input {
                        self.requests.push(self.asked);
                        self.asked += 1;
                    }
                    if let Input::Exited(child, ..) = input {
                        self.notes[*child].ended(*now);
                    }
                    return Ok(input.clone());
                }
            }
        }
    }

    /// Leaves in the mailbox what somebody else will look for.
    fn save(&mut self, input: Input) {
        match input {
            Input::Exited(child, ..) => {
                self.states[child] = Some(ChildState::Fallen);
                self.mailbox.push(input);
            }
            Input::TryAgain(_) | Input::RestartDue(..) | Input::Asked(_) => self.mailbox.push(input),
            _ => {}
        }
    }

    fn live(&mut self) -> Interrupt {
        let Err(interrupt) = self.init().and_then(|()| self.serve());
        interrupt
    }

    /// SUP-002 to SUP-006, SUP-079.
    fn init(&mut self) -> Result<(), Interrupt> {
        for child in 0..self.states.len() {
            if self.states[child] == Some(ChildState::Disabled) {
                continue;
            }
            match self.start(child)? {
                Answer::Up => {}
                Answer::Ignore => self.down(child),
                Answer::Failed(reason) => {
                    self.states[child] = Some(ChildState::Gone);
                    let id = self.rules_of(child).id.clone();
                    let why = ExitReason::shutdown_with(StartFailed::new(id, reason));
                    return Err(Interrupt::Terminate(why));
                }
            }
        }
        self.acts.push(Act::Ready);
        Ok(())
    }

    fn serve(&mut self) -> Result<std::convert::Infallible, Interrupt> {
        loop {
            let next = if self.mailbox.is_empty() { self.receive()? } else { self.mailbox.remove(0) };
            match next {
                Input::Exited(child, reason, charged) => self.child_terminated(child, reason, charged)?,
                Input::TryAgain(child)
                    if self.states[child] == Some(ChildState::Waiting) && self.waits[child].is_none() =>
                {
                    self.restart(child, true)?
                }
                Input::RestartDue(child, time) => {
                    let mut wait = self.times[time].0;
                    if self.strategy() == Strategy::OneForOne {
                        // Whose time it is, and nobody else who is in the same wait.
                        if self.waits[child] != Some(wait) {
                            continue;
                        }
                        self.waits[child] = Some(AT_ONCE);
                        wait = AT_ONCE;
                    }
                    self.due(wait)?;
                }
                Input::Asked(ask) => {
                    self.hearer = self.requests.remove(0);
                    let answer = match ask {
                        Ask::Change(new) => self.change(&new)?,
                        ask => Some(self.answer(ask)?),
                    };
                    self.acts.extend(answer.map(|answer| Act::Answer(self.hearer, answer)));
                }
                _ => {}
            }
        }
    }

    /// SUP-141 to SUP-149, SUP-073, SUP-074, SUP-081 to SUP-083.
    fn answer(&mut self, ask: Ask) -> Result<String, Interrupt> {
        let known = |id: &str| {
            (0..self.states.len())
                .find(|&child| self.states[child].is_some() && *self.children[child].id == *id)
        };
        match ask {
            Ask::Start(rules) => {
                if let Some(child) = known(&rules.id) {
                    return Ok(match self.states[child] {
                        Some(ChildState::Running | ChildState::Fallen) => format!("already started #{child}"),
                        _ => "already present".to_owned(),
                    });
                }
                let child = self.states.len();
                self.arrives(&rules);
                self.acts.push(Act::Add(child));
                if self.states[child] == Some(ChildState::Disabled) {
                    return Ok("ignored".to_owned());
                }
                let answer = self.start_once(child)?;
                if answer.starts_with("failed") {
                    self.acts.push(Act::Forget(child));
                    self.states[child] = None;
                }
                Ok(answer)
            }
            Ask::Terminate(id) => {
                let Some(child) = known(&id) else { return Ok("not found".to_owned()) };
                let had = !is_down(self.states[child]);
                self.stop(child)?;
                if had {
                    self.down(child);
                }
                Ok("done".to_owned())
            }
            Ask::Restart(id) | Ask::Delete(id) | Ask::Disable(id) | Ask::Enable(id)
                if known(&id).is_none() =>
            {
                drop(id);
                Ok("not found".to_owned())
            }
            Ask::Disable(id) => {
                let child = known(&id).expect("looked for above");
                let was_up = matches!(self.states[child], Some(ChildState::Running | ChildState::Fallen));
                self.stop(child)?;
                self.finished[child] = false;
                if was_up {
                    self.down(child);
                }
                if self.states[child].is_some() {
                    self.states[child] = Some(ChildState::Disabled);
                }
                Ok("done".to_owned())
            }
            Ask::Enable(id) => {
                let child = known(&id).expect("looked for above");
                if self.states[child] != Some(ChildState::Disabled) {
                    return Ok("not disabled".to_owned());
                }
                // Somebody asked for it: what was before does not matter.
                self.notes[child] = Notes::default();
                let answer = self.start_once(child)?;
                if answer.starts_with("failed") {
                    self.states[child] = Some(ChildState::Disabled);
                }
                Ok(answer)
            }
            Ask::Restart(ref id) | Ask::Delete(ref id) => {
                let child = known(id).expect("looked for above");
                match (self.states[child], &ask) {
                    (Some(ChildState::Waiting), _) => Ok("restarting".to_owned()),
                    (Some(ChildState::Running | ChildState::Fallen), _) => Ok("running".to_owned()),
                    (Some(ChildState::Disabled), Ask::Restart(_)) => Ok("disabled".to_owned()),
                    (_, Ask::Delete(_)) => {
                        self.acts.push(Act::Forget(child));
                        self.states[child] = None;
                        Ok("done".to_owned())
                    }
                    _ => {
                        // Somebody asked for it: what was before does not matter.
                        self.notes[child] = Notes::default();
                        let answer = self.start_once(child)?;
                        if answer.starts_with("failed") {
                            self.states[child] = Some(ChildState::Gone);
                        }
                        Ok(answer)
                    }
                }
            }
            Ask::Which => {
                let all = (0..self.states.len()).rev();
                let line =
                    |child: usize| Some(format!("{}:{:?}", self.children[child].id, self.states[child]?));
                Ok(all.filter_map(line).collect::<Vec<_>>().join(" "))
            }
            Ask::Count => {
                let up = self.states.iter().filter(|state| **state == Some(ChildState::Running)).count();
                Ok(format!("{} of {}", up, self.states.iter().flatten().count()))
            }
            Ask::Outline => {
                let line = |child: usize| {
                    let stands = match self.states[child]? {
                        ChildState::Running => Stands::Up,
                        ChildState::Waiting => Stands::Waiting,
                        ChildState::Disabled => Stands::Disabled,
                        _ if self.finished[child] => Stands::Finished,
                        _ => Stands::Down,
                    };
                    Some(format!(" {}:{stands:?}", self.children[child].id))
                };
                let lines: String = (0..self.states.len()).filter_map(line).collect();
                Ok(format!("{:?}{lines}", self.own))
            }
            Ask::Change(_) => unreachable!("there may be no answer to it"),
        }
    }

    /// A start that is not tried again.
    fn start_once(&mut self, child: usize) -> Result<String, Interrupt> {
        Ok(match self.start(child)? {
            Answer::Up => format!("started #{child}"),
            Answer::Ignore => {
                self.down(child);
                "ignored".to_owned()
            }
            Answer::Failed(reason) => format!("failed {reason}"),
        })
    }

    /// SUP-021 to SUP-024, SUP-121 to SUP-128.
    fn child_terminated(&mut self, child: usize, reason: ExitReason, charged: bool) -> Result<(), Interrupt> {
        let rules = self.rules_of(child).clone();
        if rules.restart == Restart::Permanent
            || (rules.restart == Restart::Transient && reason.is_abnormal())
        {
            return self.restart(child, charged);
        }
        self.finished[child] = true;
        self.down(child);
        self.ended_for_good(&rules)
    }

    fn ended_for_good(&mut self, rules: &ChildRules) -> Result<(), Interrupt> {
        let significant_left = (0..self.states.len())
            .any(|other| self.rules_of(other).significant && !is_down(self.states[other]));
        match self.own.auto_shutdown {
            AutoShutdown::AnySignificant if rules.significant => {
                Err(Interrupt::Terminate(ExitReason::Shutdown))
            }
            AutoShutdown::AllSignificant if rules.significant && !significant_left => {
                Err(Interrupt::Terminate(ExitReason::Shutdown))
            }
            _ => Ok(()),
        }
    }

    /// SUP-031 to SUP-039, SUP-051 to SUP-057, SUP-071 to SUP-078, SUP-080.
    /// What is not OTP's: a restart that is not charged is let off if fewer than the limit were within the period.
    fn restart(&mut self, child: usize, charged: bool) -> Result<(), Interrupt> {
        let tried = self.states[child] == Some(ChildState::Waiting);
        self.states[child] = Some(ChildState::Gone);
        let full = |when: &[Moment]| {
            let recent = when.iter().filter(|&&then| self.now.since(then) <= self.own.period).count();
            recent + 1 > self.own.limit as usize
        };
        let mut delay = None;
        if !charged && !full(&self.let_off) {
            self.let_off.push(self.now);
        } else {
            match self.notes[child].failed(self.children[child].policy.as_deref(), self.now) {
                Limits::Exhausted(then) => return self.exhausted(child, then, tried),
                Limits::Allow(after) => delay = after,
            }
            if full(&self.restarts) {
                return Err(Interrupt::Terminate(ExitReason::Shutdown));
            }
            self.restarts.push(self.now);
        }
        let members: Vec<usize> = match self.strategy() {
            Strategy::OneForOne => vec![child],
            Strategy::OneForAll => (0..self.states.len()).collect(),
            Strategy::RestForOne => (child..self.states.len()).collect(),
        };
        for &member in members.iter().rev() {
            if member != child && !matches!(self.states[member], None | Some(ChildState::Disabled)) {
                self.stop(member)?;
                self.down(member);
            }
        }
        for &member in &members {
            if self.strategy() != Strategy::OneForOne && self.states[member].is_some() {
                self.acts.push(Act::NewEpoch(member));
            }
        }
        let Some((earliest, latest)) = delay else {
            self.wait(&members, AT_ONCE);
            return self.due(AT_ONCE);
        };
        let wait = self.times.len();
        self.wait(&members, wait);
        self.waits_until(wait, child, self.now + earliest, self.now + latest);
        Ok(())
    }

    fn waits_until(&mut self, wait: usize, child: usize, earliest: Moment, latest: Moment) {
        self.times.push((wait, earliest, latest));
        self.acts.push(Act::SetRestart(child, earliest, latest));
    }

    fn wait(&mut self, members: &[usize], wait: usize) {
        for &member in members {
            if self.states[member] == Some(ChildState::Gone) {
                if wait != AT_ONCE {
                    self.finished[member] = false;
                    self.states[member] = Some(ChildState::Waiting);
                }
                self.waits[member] = Some(wait);
            }
        }
    }

    /// Starts whoever is in this wait; those after a start that fails are down.
    fn due(&mut self, wait: usize) -> Result<(), Interrupt> {
        let in_it = |model: &Self| (0..model.states.len()).find(|&child| model.waits[child] == Some(wait));
        while let Some(child) = in_it(self) {
            match self.start(child)? {
                Answer::Up => {}
                Answer::Ignore => self.down(child),
                Answer::Failed(_) => {
                    self.states[child] = Some(ChildState::Waiting);
                    self.acts.push(Act::TryAgain(child));
                    while let Some(other) = in_it(self) {
                        self.states[other] = Some(ChildState::Gone);
                        self.waits[other] = None;
                    }
                }
            }
        }
        Ok(())
    }

    /// The child's own limits are used up: it, and no more than what its failed restart had left undone.
    fn exhausted(&mut self, child: usize, then: Exhausted, tried: bool) -> Result<(), Interrupt> {
        let rules = self.rules_of(child).clone();
        if then == Exhausted::Escalate {
            return Err(Interrupt::Terminate(ExitReason::Shutdown));
        }
        self.states[child] = Some(ChildState::Disabled);
        if rules.significant {
            self.ended_for_good(&rules)?;
        }
        if tried && self.strategy() != Strategy::OneForOne {
            let rest: Vec<usize> = (child + 1..self.states.len()).collect();
            // Whoever looks sees them restarting: they are about to be.
            for &other in &rest {
                if self.states[other] == Some(ChildState::Gone) {
                    self.finished[other] = false;
                    self.states[other] = Some(ChildState::Waiting);
                    self.waits[other] = Some(AT_ONCE);
                }
            }
            self.due(AT_ONCE)?;
        }
        Ok(())
    }

    /// The child has no process any more: its specification stays, a temporary one goes.
    fn down(&mut self, child: usize) {
        if self.rules_of(child).restart == Restart::Temporary {
            self.acts.push(Act::Forget(child));
            self.states[child] = None;
        } else {
            self.states[child] = Some(ChildState::Gone);
        }
    }

    fn start(&mut self, child: usize) -> Result<Answer, Interrupt> {
        self.acts.push(Act::Start(child));
        self.waits[child] = None;
        self.finished[child] = false;
        self.states[child] = Some(ChildState::Starting);
        self.waiting_for = Some(WaitingFor { child, starting: true, deadline: None });
        let answer = loop {
            match self.receive()? {
                Input::Started(who) if who == child => break Answer::Up,
                Input::Ignored(who) if who == child => break Answer::Ignore,
                Input::StartFailed(who, reason) | Input::Exited(who, reason, _) if who == child => {
                    break Answer::Failed(reason);
                }
                other => self.save(other),
            }
        };
        self.states[child] = Some(ChildState::Running);
        if let Answer::Up = answer {
            self.notes[child].up(self.now);
        }
        self.waiting_for = None;
        Ok(answer)
    }

    /// Returns when the child is gone; its notice has been taken out of the mailbox then (SUP-099).
    fn stop(&mut self, child: usize) -> Result<(), Interrupt> {
        match self.states[child] {
            Some(ChildState::Running) => {
                self.tell_to_stop(child);
                self.wait_until_gone()
            }
            Some(ChildState::Fallen) => {
                self.mailbox.retain(|input| !matches!(input, Input::Exited(who, ..) if *who == child));
                self.states[child] = Some(ChildState::Gone);
                Ok(())
            }
            Some(ChildState::Disabled) => Ok(()),
            _ => {
                self.waits[child] = None;
                self.states[child] = Some(ChildState::Gone);
                Ok(())
            }
        }
    }

    /// SUP-092 to SUP-095.
    fn tell_to_stop(&mut self, child: usize) {
        let mut deadline = None;
        match self.rules_of(child).shutdown {
            Shutdown::BrutalKill => self.acts.push(Act::Kill(child)),
            Shutdown::Infinity => self.acts.push(Act::AskToStop(child)),
            Shutdown::Within(limit) => {
                self.acts.push(Act::AskToStop(child));
                if limit.is_zero() {
                    self.acts.push(Act::Kill(child));
                } else {
                    self.acts.push(Act::SetDeadline(child, self.now + limit));
                    deadline = Some(self.now + limit);
                }
            }
        }
        self.states[child] = Some(ChildState::Stopping);
        self.waiting_for = Some(WaitingFor { child, starting: false, deadline });
    }

    fn wait_until_gone(&mut self) -> Result<(), Interrupt> {
        while let Some(WaitingFor { child, deadline, .. }) = self.waiting_for {
            match self.receive()? {
                Input::Exited(who, ..) | Input::StartFailed(who, _) | Input::Ignored(who) if who == child => {
                    self.states[child] = Some(ChildState::Gone);
                    self.waiting_for = None;
                }
                Input::StopDeadline(who) if who == child && deadline.is_some_and(|due| due <= self.now) => {
                    self.acts.push(Act::Kill(child));
                    self.waiting_for = Some(WaitingFor { child, starting: false, deadline: None });
                }
                other => self.save(other),
            }
        }
        Ok(())
    }

    /// SUP-091, SUP-098. Whoever was waited for when this began is seen off first.
    fn terminate(&mut self, reason: ExitReason) -> Result<(), Interrupt> {
        self.terminating = true;
        if let Some(WaitingFor { child, starting: true, .. }) = self.waiting_for {
            self.tell_to_stop(child);
        }
        self.wait_until_gone()?;
        for child in (0..self.states.len()).rev() {
            if self.states[child].is_some() {
                self.stop(child)?;
            }
        }
        self.acts.push(Act::Exit(reason));
        Ok(())
    }
}
