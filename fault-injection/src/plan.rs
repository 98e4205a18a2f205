//! A plan: which faults, on whom, when, how often. Built in Rust, or read from elsewhere into the same values.

use std::fmt;

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
    /// The start fails with an error.
    FailedStart,
    /// A supervisor panics between two of its steps.
    SupervisorStep,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::PanicBefore,
        Self::PanicIn,
        Self::PanicAfter,
        Self::Error,
        Self::Kill,
        Self::Hang,
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
            Self::FailedStart => "failed-start",
            Self::SupervisorStep => "supervisor-step",
        }
    }

    /// Whether this kind strikes at such a point. Notices count as messages: a supervisor handles little else.
    pub(crate) fn strikes_at(self, point: Point) -> bool {
        match self {
            Self::FailedStart => point == Point::Start,
            Self::SupervisorStep => matches!(point, Point::Step(_)),
            _ => matches!(point, Point::Message(_) | Point::Notice),
        }
    }

    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::PanicBefore | Self::SupervisorStep => Fault::PanicBefore,
            Self::PanicIn => Fault::PanicIn,
            Self::PanicAfter => Fault::PanicAfter,
            Self::Error | Self::FailedStart => Fault::Error,
            Self::Kill => Fault::Kill,
            Self::Hang => Fault::Hang,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When a rule strikes, counted per actor path and over restarts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    /// The n-th time, counted from 1.
    Nth(u64),
    /// About every n-th time: each gap is drawn between half of it and one and a half times it.
    Every(u64),
    /// Each time with this probability.
    Chance(f64),
}

/// One line of a plan. Made by [`fault`].
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub(crate) kind: Kind,
    pub(crate) on: String,
    pub(crate) when: When,
    pub(crate) limit: u64,
}

/// A fault of this kind: on every actor, the first time, once; each to be narrowed or widened.
pub fn fault(kind: Kind) -> Rule {
    Rule { kind, on: "**".into(), when: When::Nth(1), limit: u64::MAX }
}

impl Rule {
    /// On the actors whose path fits the pattern; see [`Pattern`](crate::Pattern).
    #[must_use]
    pub fn on(mut self, pattern: &str) -> Self {
        pattern.clone_into(&mut self.on);
        self
    }

    /// The n-th time that an actor gets to such a point, counted from 1 and over its restarts.
    #[must_use]
    pub fn nth(mut self, n: u64) -> Self {
        self.when = When::Nth(n);
        self
    }

    /// About every n-th time, at places drawn from the plan's seed.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.when = When::Every(n.max(1));
        self
    }

    /// Each time with this probability, drawn from the plan's seed.
    #[must_use]
    pub fn chance(mut self, probability: f64) -> Self {
        self.when = When::Chance(probability);
        self
    }

    /// At most this many times, over all actors that fit.
    #[must_use]
    pub fn limit(mut self, times: u64) -> Self {
        self.limit = times;
        self
    }
}

/// A seeded plan of faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub(crate) seed: u64,
    pub(crate) rules: Vec<Rule>,
}

impl Plan {
    /// A plan without faults. The seed fixes every draw that its rules make.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, rules: Vec::new() }
    }

    /// Adds a fault. Where several rules strike at once, the first wins.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds several.
    #[must_use]
    pub fn with_all(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.extend(rules);
        self
    }
}
