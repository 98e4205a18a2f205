//! The order in which a machine's events are handled, and which time-outs run: what is postponed, inserted and due at
//! once, and what each step does to it. Pure; no clock: time-outs are told to start and said to be over.
//! Knows nothing of states but whether one changed, and of events from the lane nothing but a token `L`: they stay with
//! whoever keeps the lane.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use crate::timeout::{Timeout, When};

#[cfg(test)]
mod tests;

/// An event that waits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Held<L, E> {
    /// It came from the lane, and is kept there under this token.
    Lane(L),
    /// It is the machine's own: inserted, or of a time-out.
    Own(E),
}

/// What is to be done about one time-out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting<E> {
    Start(When, E),
    /// Another event for the one that runs; if none does, at once.
    Update(E),
    Cancel,
}

pub(crate) type Settings<N, E> = Vec<(Timeout<N>, Setting<E>)>;

/// What handling one event has come to, its state's enter call included.
#[derive(Clone, Debug)]
pub(crate) struct Step<L, E, N> {
    /// Whether the state is another one now.
    pub(crate) changed: bool,
    /// The event that was handled, if it is postponed.
    pub(crate) postponed: Option<Held<L, E>>,
    /// In the order of the list.
    pub(crate) inserted: Vec<E>,
    /// In the order of the list; those of the enter call last.
    pub(crate) timeouts: Settings<N, E>,
}

/// What the host must do about its clocks, in this order.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command<N> {
    Start(Timeout<N>, When),
    Stop(Timeout<N>),
}

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Discipline<L, E, N> {
    /// Until the state changes, in order of arrival.
    postponed: Vec<Held<L, E>>,
    /// What is handled before anything else comes from the lane.
    queue: VecDeque<Held<L, E>>,
    /// Those due without a clock, in the order in which they were set. Each is in `running`.
    due: VecDeque<Timeout<N>>,
    running: HashMap<Timeout<N>, Running<E>>,
    /// How many were set.
    set: u64,
}

#[derive(Debug)]
struct Running<E> {
    event: E,
    /// Whether the host has a clock for it; if not, it is in `due`.
    by_clock: bool,
    /// The how manieth it was when it was set.
    number: u64,
}

impl<L, E, N> Default for Discipline<L, E, N> {
    fn default() -> Self {
        Self {
            postponed: Vec::new(),
            queue: VecDeque::new(),
            due: VecDeque::new(),
            running: HashMap::new(),
            set: 0,
        }
    }
}

impl<L, E, N: Clone + Eq + Hash> Discipline<L, E, N> {
    /// An event is about to be handled, whatever its kind: the event time-out is over.
    pub(crate) fn begin(&mut self) -> Option<Command<N>> {
        self.remove(&Timeout::Event)
    }

    /// An event was handled.
    pub(crate) fn settle(&mut self, step: Step<L, E, N>) -> Vec<Command<N>> {
        let mut commands = Vec::new();
        self.postponed.extend(step.postponed);
        if step.changed {
            for held in self.postponed.drain(..).rev() {
                self.queue.push_front(held);
            }
            commands.extend(self.remove(&Timeout::State));
        }
        for event in step.inserted.into_iter().rev() {
            self.queue.push_front(Held::Own(event));
        }
        let mut settings = VecDeque::from(step.timeouts);
        while let Some((which, setting)) = settings.pop_front() {
            // Of several settings of the same time-out the last counts, and where it stands.
            if !settings.iter().any(|(later, _)| *later == which) {
                self.set(which, setting, &mut commands);
            }
        }
        commands
    }

    /// The event that is handled next; without one, what comes from the lane is.
    pub(crate) fn next(&mut self) -> Option<Held<L, E>> {
        if let Some(held) = self.queue.pop_front() {
            return Some(held);
        }
        let which = self.due.pop_front()?;
        let due = self.running.remove(&which).expect("what is due at once is running");
        Some(Held::Own(due.event))
    }

    /// A clock has run down: the event of its time-out. Nothing if that does not run any more.
    pub(crate) fn fired(&mut self, which: &Timeout<N>) -> Option<E> {
        let by_clock = self.running.get(which).is_some_and(|running| running.by_clock);
        if by_clock { self.running.remove(which).map(|running| running.event) } else { None }
    }

    fn set(&mut self, which: Timeout<N>, setting: Setting<E>, commands: &mut Vec<Command<N>>) {
        match setting {
            Setting::Cancel | Setting::Start(When::Never, _) => commands.extend(self.remove(&which)),
            Setting::Start(When::After(Duration::ZERO), event) => {
                commands.extend(self.remove(&which));
                self.due.push_back(which.clone());
                self.run(which, event, false);
            }
            Setting::Start(when, event) => {
                commands.extend(self.remove(&which));
                commands.push(Command::Start(which.clone(), when));
                self.run(which, event, true);
            }
            Setting::Update(event) => match self.running.get_mut(&which) {
                Some(running) => running.event = event,
                None => self.set(which, Setting::Start(When::After(Duration::ZERO), event), commands),
            },
        }
    }

    fn run(&mut self, which: Timeout<N>, event: E, by_clock: bool) {
        self.set += 1;
        self.running.insert(which, Running { event, by_clock, number: self.set });
    }

    fn remove(&mut self, which: &Timeout<N>) -> Option<Command<N>> {
        let running = self.running.remove(which)?;
        if running.by_clock {
            return Some(Command::Stop(which.clone()));
        }
        self.due.retain(|due| due != which);
        None
    }

    /// How many events are handled before anything else comes from the lane, those of time-outs aside.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// How many events are postponed until the state changes.
    pub(crate) fn postponed(&self) -> usize {
        self.postponed.len()
    }

    /// Which time-outs run, those that are due at once among them, in the order in which they were set.
    pub(crate) fn running(&self) -> Vec<&Timeout<N>> {
        let mut running: Vec<_> =
            self.running.iter().map(|(which, running)| (running.number, which)).collect();
        running.sort_unstable_by_key(|(number, _)| *number);
        running.into_iter().map(|(_, which)| which).collect()
    }
}
