//! A second supervisor to compare with, written from OTP's rows the way OTP is: one program that blocks in a receive.
//! It has no states between events: it runs the whole history again from the beginning until nothing is left to read.
//! Slow and plain on purpose; scans everything. Shares only the words (rules, reasons) with the implementation.

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    AutoShutdown, ChildRules, ChildState, Restart, Rules, Shutdown, StartFailed, Strategy,
};

/// What the environment tells; children by their place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    Started(usize),
    StartFailed(usize, ExitReason),
    Ignored(usize),
    /// The last word: whether it is charged.
    Exited(usize, ExitReason, bool),
    StopDeadline(usize),
    TryAgain(usize),
    Stop(ExitReason),
    Asked(Ask),
}

/// What may be asked for; children by their id.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    Start(ChildRules),
    Terminate(String),
    Restart(String),
    Delete(String),
    Which,
    Count,
}

/// What the supervisor does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Start(usize),
    NewEpoch(usize),
    AskToStop(usize),
    Kill(usize),
    SetDeadline(usize, Moment),
    TryAgain(usize),
    Forget(usize),
    Ready,
    Exit(ExitReason),
    Add(usize),
    /// Which request, in order of arrival, and the answer in words.
    Answer(u64, String),
}

/// Everything a supervisor with these rules does and how its children stand (`None`: forgotten) after this history.
pub(crate) fn replay(rules: &Rules, history: &[(Input, Moment)]) -> (Vec<Act>, Vec<Option<ChildState>>) {
    let mut model = Model {
        rules,
        children: rules.children().to_vec(),
        asked: 0,
        requests: Vec::new(),
        history,
        now: Moment::START,
        mailbox: Vec::new(),
        acts: Vec::new(),
        states: vec![Some(ChildState::Gone); rules.children().len()],
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
    rules: &'a Rules,
    children: Vec<ChildRules>,
    /// How many requests have arrived, and which of them stand in the mailbox, in order.
    asked: u64,
    requests: Vec<u64>,
    history: &'a [(Input, Moment)],
    now: Moment,
    mailbox: Vec<Input>,
    acts: Vec<Act>,
    states: Vec<Option<ChildState>>,
    restarts: Vec<Moment>,
    let_off: Vec<Moment>,
    waiting_for: Option<WaitingFor>,
    terminating: bool,
}

impl Model<'_> {
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
            Input::TryAgain(_) | Input::Asked(_) => self.mailbox.push(input),
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
                Input::TryAgain(child) if self.states[child] == Some(ChildState::Waiting) => {
                    self.restart(child, true)?
                }
                Input::Asked(ask) => {
                    let number = self.requests.remove(0);
                    let answer = self.answer(ask)?;
                    self.acts.push(Act::Answer(number, answer));
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
                self.children.push(rules);
                self.states.push(Some(ChildState::Gone));
                self.acts.push(Act::Add(child));
                let answer = self.start_once(child)?;
                if answer.starts_with("failed") {
                    self.acts.push(Act::Forget(child));
                    self.states[child] = None;
                }
                Ok(answer)
            }
            Ask::Terminate(id) => {
                let Some(child) = known(&id) else { return Ok("not found".to_owned()) };
                let had = self.states[child] != Some(ChildState::Gone);
                self.stop(child)?;
                if had {
                    self.down(child);
                }
                Ok("done".to_owned())
            }
            Ask::Restart(id) | Ask::Delete(id) if known(&id).is_none() => {
                drop(id);
                Ok("not found".to_owned())
            }
            Ask::Restart(ref id) | Ask::Delete(ref id) => {
                let child = known(id).expect("looked for above");
                match (self.states[child], &ask) {
                    (Some(ChildState::Waiting), _) => Ok("restarting".to_owned()),
                    (Some(ChildState::Running | ChildState::Fallen), _) => Ok("running".to_owned()),
                    (_, Ask::Delete(_)) => {
                        self.acts.push(Act::Forget(child));
                        self.states[child] = None;
                        Ok("done".to_owned())
                    }
                    _ => {
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
        self.down(child);
        let significant_left = (0..self.states.len()).any(|other| {
            self.rules_of(other).significant && !matches!(self.states[other], None | Some(ChildState::Gone))
        });
        match self.rules.auto_shutdown() {
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
        self.states[child] = Some(ChildState::Gone);
        let full = |when: &[Moment]| {
            let recent = when.iter().filter(|&&then| self.now.since(then) <= self.rules.period()).count();
            recent + 1 > self.rules.limit() as usize
        };
        if !charged && !full(&self.let_off) {
            self.let_off.push(self.now);
        } else if full(&self.restarts) {
            return Err(Interrupt::Terminate(ExitReason::Shutdown));
        } else {
            self.restarts.push(self.now);
        }
        let members: Vec<usize> = match self.rules.strategy() {
            Strategy::OneForOne => vec![child],
            Strategy::OneForAll => (0..self.states.len()).collect(),
            Strategy::RestForOne => (child..self.states.len()).collect(),
        };
        for &member in members.iter().rev() {
            if member != child && self.states[member].is_some() {
                self.stop(member)?;
                self.down(member);
            }
        }
        for &member in &members {
            if self.rules.strategy() != Strategy::OneForOne && self.states[member].is_some() {
                self.acts.push(Act::NewEpoch(member));
            }
        }
        for &member in &members {
            if self.states[member].is_none() {
                continue;
            }
            match self.start(member)? {
                Answer::Up => {}
                Answer::Ignore => self.down(member),
                Answer::Failed(_) => {
                    self.states[member] = Some(ChildState::Waiting);
                    self.acts.push(Act::TryAgain(member));
                    return Ok(());
                }
            }
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
            _ => {
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
