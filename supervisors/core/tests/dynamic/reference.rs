//! The reference: one program that blocks in a receive, as OTP's supervisor is. It runs the whole history again from the
//! beginning each time, scans everything, and shares only the words with the implementation.

use crate::harness::{LIMIT, TICK};
use crate::notes::{Limits, Notes};
use crate::words::{Act, History, Outcome};
use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{Backoff, ChildRules, ChildState, DynamicRules, Exhausted, Restart, Shutdown};
use std::time::Duration;

/// What may be asked for; children by the number of their start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ask {
    /// An instance of the template.
    Instance,
    /// An instance of it, by these of the rules that there are to choose from, [`OWN`], in place of the template's.
    By(usize),
    /// A child by these of them.
    Child(usize),
    Terminate(usize),
    Which,
    Count,
}

type Input = crate::words::Input<Ask>;

/// Rules of their own that children may bring: restart and how they are stopped.
const OWN: [(Restart, Shutdown); 3] = [
    (Restart::Transient, Shutdown::Within(LIMIT)),
    (Restart::Permanent, Shutdown::Infinity),
    (Restart::Temporary, Shutdown::Within(Duration::ZERO)),
];

/// The rules of this number; the second have a backoff.
pub(crate) fn own(number: usize) -> ChildRules {
    let (restart, shutdown) = OWN[number];
    let mut rules = ChildRules { restart, shutdown, ..ChildRules::worker("own") };
    if restart == Restart::Permanent {
        rules.policy_mut().backoff = Some(Backoff::new(LIMIT, LIMIT, TICK).jitter(0.5));
    }
    rules
}

/// Why the program does not go on.
enum Interrupt {
    NothingLeft,
    Terminate(ExitReason),
}

struct Model<'a> {
    rules: &'a DynamicRules,
    /// Of each child that was ever started: whether they are its own, and which.
    children: Vec<(bool, ChildRules)>,
    history: &'a History<Ask>,
    now: Moment,
    /// With the number of the request, for those that are one.
    mailbox: Vec<(Input, u64)>,
    asked: u64,
    acts: Vec<Act>,
    states: Vec<Option<ChildState>>,
    /// Which wait a child is in that is waiting; none if it is to be tried again.
    waits: Vec<Option<usize>>,
    notes: Vec<Notes>,
    restarts: Vec<Moment>,
    let_off: Vec<Moment>,
    /// The child that a receive waits for: whether it is starting, and when it is to be killed.
    waiting_for: Option<(usize, bool, Option<Moment>)>,
    terminating: bool,
}

/// Everything a supervisor by these rules does, and how its children stand, after this history.
pub(crate) fn replay(rules: &DynamicRules, history: &History<Ask>) -> Outcome {
    let mut model = Model {
        rules,
        children: Vec::new(),
        history,
        now: Moment::START,
        mailbox: Vec::new(),
        asked: 0,
        acts: vec![Act::Ready],
        states: Vec::new(),
        waits: Vec::new(),
        notes: Vec::new(),
        restarts: Vec::new(),
        let_off: Vec::new(),
        waiting_for: None,
        terminating: false,
    };
    let Err(interrupt) = model.serve();
    if let Interrupt::Terminate(reason) = interrupt {
        // Running out of history while terminating is no more than the end of this replay.
        let _ = model.terminate(reason);
    }
    (model.acts, model.states)
}

impl Model<'_> {
    fn receive(&mut self) -> Result<(Input, u64), Interrupt> {
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
                    if let Input::Exited(child, ..) = input {
                        self.notes[*child].ended(*now);
                    }
                    let number = self.asked;
                    self.asked += u64::from(matches!(input, Input::Asked(_)));
                    return Ok((input.clone(), number));
                }
            }
        }
    }

    fn save(&mut self, (input, number): (Input, u64)) {
        match input {
            Input::Exited(child, ..) => {
                self.states[child] = Some(ChildState::Fallen);
                self.mailbox.push((input, number));
            }
            Input::TryAgain(_) | Input::RestartDue(..) | Input::Asked(_) => {
                self.mailbox.push((input, number))
            }
            _ => {}
        }
    }

    fn serve(&mut self) -> Result<std::convert::Infallible, Interrupt> {
        loop {
            let (next, number) =
                if self.mailbox.is_empty() { self.receive()? } else { self.mailbox.remove(0) };
            match next {
                Input::Exited(child, reason, charged) => {
                    let again = match self.children[child].1.restart {
                        Restart::Permanent => true,
                        Restart::Transient => reason.is_abnormal(),
                        Restart::Temporary => false,
                    };
                    if again { self.restart(child, charged)? } else { self.forget(child) }
                }
                Input::TryAgain(child)
                    if self.states[child] == Some(ChildState::Waiting) && self.waits[child].is_none() =>
                {
                    self.restart(child, true)?;
                }
                Input::RestartDue(child, wait)
                    if self.states[child] == Some(ChildState::Waiting) && self.waits[child] == Some(wait) =>
                {
                    self.start_again(child)?;
                }
                Input::Asked(ask) => {
                    let answer = self.answer(ask)?;
                    self.acts.push(Act::Answer(number, answer));
                }
                _ => {}
            }
        }
    }

    fn forget(&mut self, child: usize) {
        self.acts.push(Act::Forget(child));
        self.states[child] = None;
    }

    /// SUP-173, SUP-181, SUP-184.
    fn restart(&mut self, child: usize, charged: bool) -> Result<(), Interrupt> {
        let full = |when: &[Moment]| {
            when.iter().filter(|&&then| self.now.since(then) <= self.rules.period()).count()
                >= self.rules.limit() as usize
        };
        if !charged && !full(&self.let_off) {
            self.let_off.push(self.now);
        } else {
            let delay = match self.notes[child].failed(self.children[child].1.policy.as_deref(), self.now) {
                Limits::Exhausted(Exhausted::LeaveDown) => {
                    self.forget(child);
                    return Ok(());
                }
                Limits::Exhausted(Exhausted::Escalate) => {
                    self.states[child] = None;
                    return Err(Interrupt::Terminate(ExitReason::Shutdown));
                }
                Limits::Allow(delay) => delay,
            };
            if full(&self.restarts) {
                self.states[child] = None;
                return Err(Interrupt::Terminate(ExitReason::Shutdown));
            }
            self.restarts.push(self.now);
            if let Some((earliest, latest)) = delay {
                let before = self.acts.iter().filter(|act| matches!(act, Act::SetRestart(..))).count();
                self.states[child] = Some(ChildState::Waiting);
                self.waits[child] = Some(before);
                self.acts.push(Act::SetRestart(child, self.now + earliest, self.now + latest));
                return Ok(());
            }
        }
        self.start_again(child)
    }

    fn start_again(&mut self, child: usize) -> Result<(), Interrupt> {
        match self.start(child)?.as_str() {
            "up" => {}
            "ignored" => self.forget(child),
            _ => {
                self.states[child] = Some(ChildState::Waiting);
                self.acts.push(Act::TryAgain(child));
            }
        }
        Ok(())
    }

    fn start(&mut self, child: usize) -> Result<String, Interrupt> {
        self.acts.push(Act::Start(child));
        self.waits[child] = None;
        self.states[child] = Some(ChildState::Starting);
        self.waiting_for = Some((child, true, None));
        let answer = loop {
            match self.receive()? {
                (Input::Started(who), _) if who == child => break "up".to_owned(),
                (Input::Ignored(who), _) if who == child => break "ignored".to_owned(),
                (Input::StartFailed(who, reason) | Input::Exited(who, reason, _), _) if who == child => {
                    break format!("failed {reason}");
                }
                other => self.save(other),
            }
        };
        self.states[child] = Some(ChildState::Running);
        if answer == "up" {
            self.notes[child].up(self.now);
        }
        self.waiting_for = None;
        Ok(answer)
    }

    fn answer(&mut self, ask: Ask) -> Result<String, Interrupt> {
        let there = || (0..self.states.len()).filter(|&child| self.states[child].is_some());
        Ok(match ask {
            Ask::Instance | Ask::By(_) if self.rules.template().is_none() => "no template".to_owned(),
            Ask::Child(_) if self.rules.template().is_some() => "by template only".to_owned(),
            Ask::Instance | Ask::By(_) | Ask::Child(_) if there().count() >= self.rules.max_children() => {
                "too many".to_owned()
            }
            Ask::Instance | Ask::By(_) | Ask::Child(_) => {
                let child = self.states.len();
                self.children.push(match ask {
                    Ask::By(number) | Ask::Child(number) => (true, own(number)),
                    _ => (false, self.rules.template().expect("it was looked for").clone()),
                });
                self.states.push(None);
                self.waits.push(None);
                self.notes.push(Notes::default());
                self.acts.push(Act::Add(child));
                match self.start(child)?.as_str() {
                    "up" => format!("started #{child}"),
                    other => {
                        self.forget(child);
                        other.to_owned()
                    }
                }
            }
            Ask::Terminate(child) => {
                match self.states.get(child).copied().flatten() {
                    // OTP says that it is done, Elixir that it knows nobody.
                    None if self.rules.template().is_none() => return Ok("not found".to_owned()),
                    None => {}
                    Some(ChildState::Running) => {
                        self.tell_to_stop(child);
                        while self.waiting_for.is_some() {
                            let input = self.receive()?;
                            self.while_stopping(input);
                        }
                        self.acts.push(Act::Forget(child));
                    }
                    Some(_) => {
                        self.mailbox
                            .retain(|(input, _)| !matches!(input, Input::Exited(who, ..) if *who == child));
                        self.forget(child);
                    }
                }
                "done".to_owned()
            }
            Ask::Which => {
                let line = |child: usize| format!("#{child}:{:?}", self.states[child].expect("there"));
                there().map(line).collect::<Vec<_>>().join(" ")
            }
            Ask::Count => {
                let waiting =
                    there().filter(|&child| self.states[child] == Some(ChildState::Waiting)).count();
                format!("{} of {}", there().count() - waiting, there().count())
            }
        })
    }

    fn tell_to_stop(&mut self, child: usize) {
        let mut deadline = None;
        self.tell(child);
        if let Some(limit) = within(self.children[child].1.shutdown) {
            deadline = Some(self.now + limit);
            self.acts.push(Act::SetDeadline(child, self.now + limit));
        }
        self.waiting_for = Some((child, false, deadline));
    }

    fn tell(&mut self, child: usize) {
        let shutdown = self.children[child].1.shutdown;
        if shutdown != Shutdown::BrutalKill {
            self.acts.push(Act::AskToStop(child));
        }
        if [Shutdown::BrutalKill, Shutdown::Within(Duration::ZERO)].contains(&shutdown) {
            self.acts.push(Act::Kill(child));
        }
        self.states[child] = Some(ChildState::Stopping);
    }

    /// One event while a single child is waited for that was told to stop.
    fn while_stopping(&mut self, (input, number): (Input, u64)) {
        let Some((child, _, deadline)) = self.waiting_for else { return };
        match input {
            Input::Exited(who, ..) | Input::StartFailed(who, _) | Input::Ignored(who) if who == child => {
                self.states[child] = None;
                self.waiting_for = None;
            }
            Input::StopDeadline(who) if who == child && deadline.is_some_and(|due| due <= self.now) => {
                self.acts.push(Act::Kill(child));
                self.waiting_for = Some((child, false, None));
            }
            other => self.save((other, number)),
        }
    }

    /// SUP-177, SUP-178, EXD-007.
    fn terminate(&mut self, reason: ExitReason) -> Result<(), Interrupt> {
        self.terminating = true;
        let in_hand = self.waiting_for.filter(|(_, starting, _)| !starting);
        // Who has been killed already need not be killed at the end of the common time.
        let mut killed = vec![false; self.states.len()];
        // When those are killed that have a time of their own.
        let mut own: Vec<Option<Moment>> = vec![None; self.states.len()];
        if let Some((child, _, deadline)) = in_hand {
            own[child] = deadline;
        }
        for (child, killed) in killed.iter_mut().enumerate() {
            match self.states[child] {
                Some(ChildState::Running | ChildState::Starting) => {
                    self.tell(child);
                    let (is_own, rules) = &self.children[child];
                    *killed = rules.shutdown == Shutdown::Within(Duration::ZERO);
                    if let Some(limit) = within(rules.shutdown).filter(|_| *is_own) {
                        own[child] = Some(self.now + limit);
                        self.acts.push(Act::SetDeadline(child, self.now + limit));
                    }
                }
                Some(ChildState::Stopping) => {
                    *killed = in_hand.is_some_and(|(_, _, deadline)| deadline.is_none());
                }
                _ => self.states[child] = None,
            }
        }
        let mut common = None;
        let shares = |child: usize| self.states[child].is_some() && !self.children[child].0;
        if let Some(limit) = self.rules.template().and_then(|template| within(template.shutdown))
            && (0..self.states.len()).any(shares)
        {
            common = Some(self.now + limit);
            self.acts.push(Act::SetEndDeadline(self.now + limit));
        }
        while self.states.iter().any(Option::is_some) {
            match self.receive()?.0 {
                Input::Exited(child, ..) | Input::StartFailed(child, _) | Input::Ignored(child) => {
                    self.states[child] = None;
                }
                Input::StopDeadline(child) if own[child].is_some_and(|due| due <= self.now) => {
                    own[child] = None;
                    if self.states[child].is_some() {
                        self.acts.push(Act::Kill(child));
                        killed[child] = true;
                    }
                }
                Input::EndDeadline if common.is_some_and(|due| due <= self.now) => {
                    common = None;
                    for (child, killed) in killed.iter().enumerate() {
                        if self.states[child].is_some() && !killed && !self.children[child].0 {
                            self.acts.push(Act::Kill(child));
                            own[child] = None;
                        }
                    }
                }
                _ => {}
            }
        }
        self.acts.push(Act::Exit(reason));
        Ok(())
    }
}

/// How long a child that is asked to stop has, if it is killed after that.
fn within(shutdown: Shutdown) -> Option<Duration> {
    match shutdown {
        Shutdown::Within(limit) if !limit.is_zero() => Some(limit),
        Shutdown::Within(_) | Shutdown::BrutalKill | Shutdown::Infinity => None,
    }
}
