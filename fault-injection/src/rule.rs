//! One line of a plan: which fault, on whom, when, how often. Says nothing about how far it has got; see `aim.rs`.

use std::time::Duration;

use crate::kind::Kind;

/// When a rule strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    /// The n-th time that an actor gets to such a point, counted from 1, per path and over restarts.
    Nth(u64),
    /// About every n-th time: each gap is drawn between half of it and one and a half times it.
    Every(u64),
    /// Each time with this probability.
    Chance(f64),
    /// About once in this time, per actor: gaps drawn as for `Every`.
    Interval(Duration),
    /// Once in this time, each time on the next of all actors that fit; see `turns.rs`.
    InTurn(Duration),
}

/// One line of a plan. Made by [`fault`] or [`slow`], or read from a plan's file.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub(crate) kind: Kind,
    pub(crate) lasting: Duration,
    pub(crate) on: Vec<String>,
    pub(crate) message: Option<String>,
    pub(crate) when: When,
    pub(crate) after: Duration,
    pub(crate) limit: u64,
}

/// How long a [`Kind::Slow`] made by [`fault`] lasts.
const SLOW: Duration = Duration::from_millis(5);

/// A fault of this kind: on every actor, the first time, once; each to be narrowed or widened.
pub fn fault(kind: Kind) -> Rule {
    let lasting = if kind == Kind::Slow { SLOW } else { Duration::ZERO };
    Rule {
        kind,
        lasting,
        on: vec!["**".into()],
        message: None,
        when: When::Nth(1),
        after: Duration::ZERO,
        limit: u64::MAX,
    }
}

/// A handler that gets its message so much later; otherwise as [`fault`].
pub fn slow(lasting: Duration) -> Rule {
    Rule { lasting, ..fault(Kind::Slow) }
}

impl Rule {
    /// On the actors whose path fits the pattern; see [`Pattern`](crate::Pattern).
    #[must_use]
    pub fn on(self, pattern: &str) -> Self {
        self.on_any([pattern])
    }

    /// On the actors whose path fits one of the patterns.
    #[must_use]
    pub fn on_any<'a>(mut self, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        self.on = patterns.into_iter().map(str::to_owned).collect();
        self
    }

    /// At messages only whose type's name fits the pattern: `StoreMsg`, `*::StoreMsg`, `Store*`. The type is that of
    /// an actor's messages, an enum as a rule, and not which of its variants came. Notices, starts and steps have no
    /// message, so nothing strikes there.
    #[must_use]
    pub fn message(mut self, pattern: &str) -> Self {
        self.message = Some(pattern.to_owned());
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

    /// About once in this time on each actor that fits, by the system's clock, with gaps drawn from the plan's seed:
    /// at the first such point that the actor gets to when it is due.
    #[must_use]
    pub fn interval(mut self, time: Duration) -> Self {
        self.when = When::Interval(time);
        self
    }

    /// Once in this time, by the system's clock, on one of the actors that fit: each time on the next one, in the
    /// order of their paths. The first turn is when the time has passed once.
    ///
    /// The victim is struck at the next such point that it gets to. If it gets to none within 200 ms (or half of
    /// `time`, if that is shorter) a [`Kind::Kill`] strikes it idle; with any other kind the turn passes to the next
    /// path, and so it does where nobody lives just now. Turns that are missed, because nothing at all was delivered
    /// in the system, are not made up for.
    #[must_use]
    pub fn in_turn(mut self, time: Duration) -> Self {
        self.when = When::InTurn(time);
        self
    }

    /// Not within this time after the plan was armed, by the system's clock. Points that are reached before do not
    /// count.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }

    /// At most this many times, over all actors that fit.
    #[must_use]
    pub fn limit(mut self, times: u64) -> Self {
        self.limit = times;
        self
    }

    /// The patterns of those it is for.
    pub fn patterns(&self) -> &[String] {
        &self.on
    }

    /// What it does.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The same rule for a run in which an actor gets to its points `factor` times as often.
    ///
    /// In a longer run the counts of `every` grow with it: as many faults, further apart. In a shorter one they shrink
    /// with its root, to no less than every second time, and so do limits, to no less than one: fewer faults, and closer
    /// together, but not so close that nothing ever gets up between them. What is not a count of `every` stays.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        if let When::Every(n) = &mut self.when {
            // A float that is too large or no number becomes the nearest integer, or 0.
            let scale = |n: u64, by: f64, least: u64| ((n as f64 * by).round() as u64).max(least);
            let shrink = factor.sqrt();
            *n = scale(*n, factor.max(shrink.min(1.0)), 2);
            if shrink < 1.0 && self.limit < u64::MAX {
                self.limit = scale(self.limit, shrink, 1);
            }
        }
        self
    }
}
