//! The kinds of faults that can be planned: their names in plans and reports, and the points that each strikes at.

use std::fmt;
use std::time::Duration;

use minder_runtime::hooks::{Fault, Point};

/// The kinds of faults that can be planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A panic before the handler sees the message.
    PanicBefore,
    /// A panic inside the handler: at the first thing it does to the world, or at its first await.
    PanicIn,
    /// A panic when the handler is done, its effects made.
    PanicAfter,
    /// The handler returns an error.
    Error,
    /// The actor is killed with the message in hand.
    Kill,
    /// The handler never comes back. Strikes only actors that have a handler limit to be rescued by, so give them one.
    Hang,
    /// The handler sees the message late. The time counts for its limit: what is slower than that is killed for it.
    Slow,
    /// The start fails with an error.
    FailedStart,
    /// A supervisor panics between two of its steps.
    SupervisorStep,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::PanicBefore,
        Self::PanicIn,
        Self::PanicAfter,
        Self::Error,
        Self::Kill,
        Self::Hang,
        Self::Slow,
        Self::FailedStart,
        Self::SupervisorStep,
    ];

    /// Its name in reports and plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::PanicBefore => "panic-before",
            Self::PanicIn => "panic-in",
            Self::PanicAfter => "panic-after",
            Self::Error => "error",
            Self::Kill => "kill",
            Self::Hang => "hang",
            Self::Slow => "slow",
            Self::FailedStart => "failed-start",
            Self::SupervisorStep => "supervisor-step",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it strikes while a message or a notice is handled, and not at a start or between a supervisor's steps.
    pub fn strikes_in_hand(self) -> bool {
        !matches!(self, Self::FailedStart | Self::SupervisorStep)
    }

    /// Whether this kind strikes at such a point. Notices count as messages: a supervisor handles little else.
    pub(crate) fn strikes_at(self, point: Point) -> bool {
        match self {
            Self::FailedStart => point == Point::Start,
            Self::SupervisorStep => matches!(point, Point::Step(_)),
            _ => matches!(point, Point::Message(_) | Point::Notice),
        }
    }

    /// What the runtime is told to do; `lasting` counts for the slow only.
    pub(crate) fn fault(self, lasting: Duration) -> Fault {
        match self {
            Self::PanicBefore | Self::SupervisorStep => Fault::PanicBefore,
            Self::PanicIn => Fault::PanicIn,
            Self::PanicAfter => Fault::PanicAfter,
            Self::Error | Self::FailedStart => Fault::Error,
            Self::Kill => Fault::Kill,
            Self::Hang => Fault::Hang,
            Self::Slow => Fault::Slow(lasting),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
