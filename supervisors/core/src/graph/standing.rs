//! How one child of a graph stands, with what each state alone needs to know.
//! A state says what is; whether a child is to leave, and may come up, follows from who stands beside it: see `graph.rs`.

use crate::readiness::{Readiness, holds_up};
use crate::stopping::Stop;
use crate::{ChildRules, ChildState, Delay, RequestId, Restart, Stands};
use minder_signals::{ExitReason, Moment};

/// One child.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) rules: ChildRules,
    pub(super) state: State,
    /// Whether it belongs to a group that is being stopped, to be started again.
    pub(super) regroups: bool,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    /// It has no process, and is to have none.
    Down(Cause),
    /// It has no process, and is to have none until it is enabled.
    Disabled,
    /// It is to be started when it may.
    Due(Purpose),
    /// Its restart is to wait so long, from when its group is gone.
    Held(Delay),
    /// Its restart waits for its time, between these moments.
    Delayed {
        ticket: u64,
        earliest: Moment,
        latest: Moment,
    },
    Starting(Purpose),
    Running {
        readiness: Readiness,
    },
    /// `then`: what becomes of it when it is gone. `request`: who waits for that.
    Stopping {
        stop: Stop,
        then: Then,
        request: Option<RequestId>,
    },
    /// Its restart failed for this reason, and is to be tried again.
    Waiting {
        reason: ExitReason,
    },
    /// It has ended by itself for this reason, while a change held everything up; to be judged when that does not any more.
    Fallen {
        reason: ExitReason,
        ticket: u64,
    },
}

/// How a child came to be down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cause {
    /// It ended by itself, and stays down: it has done its part for those that need it.
    Finished,
    /// It had nothing to run, and so has done its part as well.
    NothingToRun,
    /// It was stopped, or did not come up, or has not been started yet.
    Stopped,
}

/// What a start is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Purpose {
    /// The supervisor's own.
    OwnStart,
    /// It was up before, or is to come up with its group.
    Restart,
    /// A request to add it.
    Added(RequestId),
    /// A request to start it again, which came to be down so, and is again if it is not even tried.
    Again(RequestId, Cause),
    /// A request to start it, which was disabled.
    Enabled(RequestId),
    /// A change of the rules.
    Change,
}

impl Purpose {
    /// The same, of a child that does not stand as it did when it was asked for: it has been begun, or its group took it along.
    pub(super) fn in_earnest(self) -> Self {
        match self {
            Self::Again(request, _) => Self::Again(request, Cause::Stopped),
            other => other,
        }
    }

    pub(super) fn request(self) -> Option<RequestId> {
        match self {
            Self::Added(request) | Self::Again(request, _) | Self::Enabled(request) => Some(request),
            Self::OwnStart | Self::Restart | Self::Change => None,
        }
    }
}

/// What becomes of a child when it has no process any more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    /// It stays down.
    Down,
    /// It is disabled.
    Disabled,
    /// It is started again.
    Due(Purpose),
    /// What the change in hand has for it.
    Changed,
}

impl From<Then> for State {
    fn from(then: Then) -> Self {
        match then {
            Then::Down | Then::Changed => Self::Down(Cause::Stopped),
            Then::Disabled => Self::Disabled,
            Then::Due(purpose) => Self::Due(purpose),
        }
    }
}

impl Node {
    /// A child without a process.
    pub(super) fn new(rules: ChildRules) -> Self {
        let state = if rules.is_disabled() { Then::Disabled } else { Then::Down };
        Self { rules, state: state.into(), regroups: false }
    }

    /// The same child, which goes on by other rules.
    pub(super) fn under(mut self, rules: ChildRules) -> Self {
        if let State::Running { readiness } = &mut self.state {
            *readiness = readiness.under(&self.rules, &rules);
        }
        Self { rules, ..self }
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.rules.restart == Restart::Temporary
    }

    /// Whether there is a process.
    pub(super) fn is_alive(&self) -> bool {
        matches!(self.state, State::Starting(_) | State::Running { .. } | State::Stopping { .. })
    }

    pub(super) fn readiness(&self) -> Option<Readiness> {
        match self.state {
            State::Running { readiness } => Some(readiness),
            _ => None,
        }
    }

    /// Whether whoever needs it may come up: it is up and stays, and ready if it says so; or it has done its part.
    pub(super) fn is_met(&self) -> bool {
        match self.state {
            State::Running { readiness } => readiness.is_ready() && !self.regroups,
            State::Down(cause) => cause != Cause::Stopped,
            _ => false,
        }
    }

    /// Whether it has no process, and waits for none.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.state, State::Down(_) | State::Disabled)
    }

    /// Whether it has no process, and waits for one.
    pub(super) fn is_to_come(&self) -> bool {
        self.seen() == ChildState::Waiting
    }

    /// Whether a request about it has to wait until it has come up or gone.
    pub(super) fn is_moving(&self) -> bool {
        self.is_alive() && (self.regroups || !matches!(self.state, State::Running { .. }))
    }

    pub(super) fn seen(&self) -> ChildState {
        match self.state {
            State::Down(_) => ChildState::Gone,
            State::Disabled => ChildState::Disabled,
            State::Due(_) | State::Waiting { .. } | State::Held(_) | State::Delayed { .. } => {
                ChildState::Waiting
            }
            State::Starting(_) => ChildState::Starting,
            State::Running { .. } => ChildState::Running,
            State::Stopping { .. } => ChildState::Stopping,
            State::Fallen { .. } => ChildState::Fallen,
        }
    }

    /// Whether it is to be started by a change, or is just coming up by one.
    pub(super) fn is_to_change(&self) -> bool {
        match self.state {
            State::Due(purpose) | State::Starting(purpose) => purpose == Purpose::Change,
            State::Stopping { then, .. } => then == Then::Due(Purpose::Change),
            _ => false,
        }
    }

    /// The request that is answered when it has come up, or has gone.
    pub(super) fn request(&self) -> Option<RequestId> {
        match self.state {
            State::Due(purpose)
            | State::Starting(purpose)
            | State::Stopping { then: Then::Due(purpose), .. } => purpose.request(),
            State::Stopping { request, .. } => request,
            _ => None,
        }
    }

    /// How it stands, as a plan sees it, or will when what is under way for it goes well.
    pub(super) fn stands(&self) -> Stands {
        match self.state {
            State::Running { .. } | State::Starting(_) | State::Stopping { then: Then::Due(_), .. } => {
                Stands::Up
            }
            State::Due(_) | State::Waiting { .. } | State::Held(_) | State::Delayed { .. } => Stands::Waiting,
            State::Disabled | State::Stopping { then: Then::Disabled, .. } => Stands::Disabled,
            State::Down(Cause::Finished) => Stands::Finished,
            State::Down(Cause::NothingToRun | Cause::Stopped)
            | State::Stopping { then: Then::Down | Then::Changed, .. }
            | State::Fallen { .. } => Stands::Down,
        }
    }

    /// Whether it keeps the supervisor from being ready. `due`: it is about to be started if it is down.
    pub(super) fn holds_up(&self, due: bool) -> bool {
        let state = match self.seen() {
            ChildState::Gone if due => ChildState::Starting,
            seen => seen,
        };
        holds_up(&self.rules, state, self.readiness())
    }
}
