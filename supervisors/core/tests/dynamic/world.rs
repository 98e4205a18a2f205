//! The environment: who lives, what is due, and so which events can come next.

use crate::reference::{Act, Ask, Input};
use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::Ticket;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Process {
    None,
    Starting,
    Abandoned,
    Up,
    Stopping,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) now: Moment,
    pub(crate) processes: Vec<Process>,
    pub(crate) deadlines: Vec<Option<Moment>>,
    pub(crate) retries: Vec<u8>,
    /// Waits for a restart: of whom, and from when on they may be over; none once it was.
    pub(crate) waits: Vec<Option<(usize, Moment)>>,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) end: Option<Moment>,
    pub(crate) stops: u8,
    pub(crate) ticks: u8,
    pub(crate) asks: u64,
    pub(crate) most_asks: u64,
    pub(crate) over: bool,
}

pub(crate) enum Step {
    Tick,
    Input(Input),
}

impl World {
    pub(crate) fn steps(&self) -> Vec<Step> {
        if self.over {
            return Vec::new();
        }
        let boom = || ExitReason::Killed;
        let mut inputs = Vec::new();
        for child in 0..self.processes.len() {
            match self.processes[child] {
                Process::None => {}
                Process::Starting | Process::Abandoned => inputs.extend([
                    Input::Started(child),
                    Input::StartFailed(child, boom()),
                    Input::Ignored(child),
                ]),
                Process::Up => inputs.extend([
                    Input::Exited(child, ExitReason::Normal, true),
                    Input::Exited(child, boom(), true),
                    Input::Exited(child, boom(), false),
                ]),
                Process::Stopping => inputs.push(Input::Exited(child, boom(), true)),
            }
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
        if self.end.is_some_and(|due| due <= self.now) {
            inputs.push(Input::EndDeadline);
        }
        if self.stops < 2 {
            inputs.push(Input::Stop(ExitReason::Hung("stop")));
        }
        if self.asks < self.most_asks {
            inputs.extend([Ask::Instance, Ask::Which, Ask::Count].map(Input::Asked));
            // One more than there are: nobody has that number yet.
            inputs.extend((0..=self.processes.len().min(2)).map(|child| Input::Asked(Ask::Terminate(child))));
        }
        let mut steps: Vec<Step> = inputs.into_iter().map(Step::Input).collect();
        if self.ticks < 2 {
            steps.push(Step::Tick);
        }
        steps
    }

    pub(crate) fn notice(&mut self, input: &Input) {
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
            Input::EndDeadline => self.end = None,
            Input::TryAgain(child) => self.retries[child] -= 1,
            Input::RestartDue(_, number) => self.waits[number] = None,
            Input::Stop(_) => self.stops += 1,
            Input::Asked(_) => self.asks += 1,
        }
    }

    pub(crate) fn carry_out(&mut self, act: &Act) {
        assert!(!self.over, "nothing comes after the exit");
        match *act {
            Act::Add(child) => {
                assert_eq!(child, self.processes.len(), "a new child comes last");
                self.processes.push(Process::None);
                self.deadlines.push(None);
                self.retries.push(0);
            }
            Act::Start(child) => {
                assert!(self.processes[child] == Process::None, "a child is started beside its earlier life");
                self.processes[child] = Process::Starting;
            }
            Act::AskToStop(child) | Act::Kill(child) => {
                self.processes[child] = match self.processes[child] {
                    Process::None => panic!("a child without a process is told to stop"),
                    Process::Starting | Process::Abandoned => Process::Abandoned,
                    Process::Up | Process::Stopping => Process::Stopping,
                }
            }
            Act::SetDeadline(child, due) => self.deadlines[child] = Some(due),
            Act::SetEndDeadline(due) => self.end = Some(due),
            Act::TryAgain(child) => self.retries[child] += 1,
            Act::SetRestart(child, earliest, _) => self.waits.push(Some((child, earliest))),
            Act::Forget(child) => {
                assert!(self.processes[child] == Process::None, "whoever is forgotten is gone")
            }
            Act::Ready | Act::Answer(..) => {}
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
