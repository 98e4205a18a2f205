//! What a supervisor is told beforehand: strategy, intensity, and the rules of each child.
//! Checked when built, so that no supervisor ever meets a specification that makes no sense.
//! Does not hold how a child is started; that recipe stays with the host.

use crate::graph::needs;
use crate::{Backoff, BackoffError, Level, Policy};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// When a child that ended is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// After an abnormal end only; otherwise it stays down.
    Transient,
    /// Never; it is forgotten as soon as it is gone.
    Temporary,
}

/// How a child is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// Killed at once; none of its clean-up code runs.
    BrutalKill,
    /// Asked to stop, and killed if it has not ended after this long. With zero it is killed right after being asked.
    Within(Duration),
    /// Asked to stop, and waited for without limit.
    Infinity,
}

/// What a child is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It does work.
    #[default]
    Worker,
    /// It looks after children of its own.
    Supervisor,
}

/// Who is restarted when a child is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// The child alone.
    #[default]
    OneForOne,
    /// Every child.
    OneForAll,
    /// The child and those after it in start order.
    RestForOne,
}

/// When the end of significant children ends the supervisor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AutoShutdown {
    /// Never.
    #[default]
    Never,
    /// When one of them ends by itself and is not to be restarted.
    AnySignificant,
    /// When the last of them that was running ends so.
    AllSignificant,
}

/// The recipe of one child as far as decisions go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChildRules {
    /// Its name, unique within its supervisor.
    pub id: Arc<str>,
    /// When it is started again.
    pub restart: Restart,
    /// How it is stopped.
    pub shutdown: Shutdown,
    /// What it is for.
    pub kind: Kind,
    /// Whether its end counts for [`AutoShutdown`].
    pub significant: bool,
    /// What it is given beyond OTP. Shared by clones, and nothing unless asked for.
    pub policy: Option<Arc<Policy>>,
}

impl ChildRules {
    /// A worker: permanent, stopped within 5 s, not significant (SUP-013).
    pub fn worker(id: &str) -> Self {
        Self {
            id: Arc::from(id),
            restart: Restart::Permanent,
            shutdown: Shutdown::Within(Duration::from_secs(5)),
            kind: Kind::Worker,
            significant: false,
            policy: None,
        }
    }

    /// A supervisor: permanent, stopped without limit, not significant (SUP-013).
    pub fn supervisor(id: &str) -> Self {
        Self { shutdown: Shutdown::Infinity, kind: Kind::Supervisor, ..Self::worker(id) }
    }

    /// Whether these rules make sense in a supervisor that shuts itself down so.
    ///
    /// # Errors
    /// What does not.
    pub(crate) fn check(&self, auto_shutdown: AutoShutdown) -> Result<(), SpecError> {
        if !self.needs().is_empty() {
            return Err(SpecError::NeedsInOrder(self.id.clone()));
        }
        self.check_by_needs(auto_shutdown)
    }

    /// The same in a supervisor that starts its children by needs; what they need is for it to check.
    ///
    /// # Errors
    /// What does not.
    pub(crate) fn check_by_needs(&self, auto_shutdown: AutoShutdown) -> Result<(), SpecError> {
        if self.id.is_empty() {
            return Err(SpecError::EmptyId(0));
        }
        // Of a child that is both, OTP says the first.
        if self.significant && auto_shutdown == AutoShutdown::Never {
            return Err(SpecError::SignificantWithoutAutoShutdown(self.id.clone()));
        }
        if self.significant && self.restart == Restart::Permanent {
            return Err(SpecError::SignificantPermanent(self.id.clone()));
        }
        if self.reports_ready().and_then(|reports| reports.within) == Some(Duration::ZERO) {
            return Err(SpecError::ZeroReadyWithin(self.id.clone()));
        }
        self.policy.as_ref().map_or(Ok(()), |policy| policy.check(self))
    }

    /// The same for one that is started by request in a dynamic supervisor. That knows nobody's needs, never shuts down by
    /// itself (SUP-131), and forgets whom it stops.
    ///
    /// # Errors
    /// What does not.
    pub(crate) fn check_instance(&self) -> Result<(), SpecError> {
        if !self.needs().is_empty() {
            return Err(SpecError::NeedsOfInstance(self.id.clone()));
        }
        if self.is_disabled() {
            return Err(SpecError::DisabledInstance(self.id.clone()));
        }
        self.check_by_needs(AutoShutdown::Never)
    }
}

/// What a supervisor goes by. Valid by construction: see [`SpecError`] for what is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    strategy: Strategy,
    limit: u32,
    period: Duration,
    auto_shutdown: AutoShutdown,
    children: Vec<ChildRules>,
    /// What children are given beyond OTP that have nothing else.
    common: Option<Arc<Policy>>,
    max_children: usize,
}

impl Rules {
    /// Rules for these children, in start order, tolerating `limit` restarts within `period`.
    ///
    /// # Errors
    /// The first thing that makes no sense. Nothing has been started then (SUP-009).
    pub fn new(
        strategy: Strategy,
        limit: u32,
        period: Duration,
        auto_shutdown: AutoShutdown,
        children: Vec<ChildRules>,
    ) -> Result<Self, SpecError> {
        Self::checked(strategy, limit, period, auto_shutdown, children, ChildRules::check)
    }

    fn checked(
        strategy: Strategy,
        limit: u32,
        period: Duration,
        auto_shutdown: AutoShutdown,
        children: Vec<ChildRules>,
        check: fn(&ChildRules, AutoShutdown) -> Result<(), SpecError>,
    ) -> Result<Self, SpecError> {
        if period.is_zero() {
            return Err(SpecError::ZeroPeriod);
        }
        let mut places = BTreeMap::new();
        for (place, child) in children.iter().enumerate() {
            if child.id.is_empty() {
                return Err(SpecError::EmptyId(place));
            }
            check(child, auto_shutdown)?;
            if let Some(first) = places.insert(&*child.id, place) {
                return Err(SpecError::DuplicateId(child.id.clone(), first, place));
            }
        }
        let (common, max_children) = (None, usize::MAX);
        Ok(Self { strategy, limit, period, auto_shutdown, children, common, max_children })
    }

    /// No more than so many children at a time, with or without a process. Unless it is said there is no bound.
    ///
    /// # Errors
    /// If there are more already.
    pub fn with_max_children(self, max_children: usize) -> Result<Self, SpecError> {
        match self.children.len() {
            given if given > max_children => Err(SpecError::TooManyChildren { given, max_children }),
            _ => Ok(Self { max_children, ..self }),
        }
    }

    /// Restarts of all children wait like this, unless a child has a backoff of its own; also of those added later.
    ///
    /// # Errors
    /// What makes no sense about it.
    pub fn with_backoff(mut self, backoff: Backoff) -> Result<Self, SpecError> {
        backoff.check().map_err(SpecError::CommonBackoff)?;
        self.common = Some(Arc::new(Policy { backoff: Some(backoff), ..Policy::default() }));
        for child in &mut self.children {
            child.inherit(self.common.as_ref());
        }
        Ok(self)
    }

    /// Who is restarted when a child is.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// How many restarts are tolerable within the period.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The period within which restarts count.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// When the end of significant children ends the supervisor.
    pub fn auto_shutdown(&self) -> AutoShutdown {
        self.auto_shutdown
    }

    /// The children, in start order.
    pub fn children(&self) -> &[ChildRules] {
        &self.children
    }

    /// How many children there may be at a time.
    pub fn max_children(&self) -> usize {
        self.max_children
    }

    /// What children are given beyond OTP that are added later.
    pub(crate) fn common(&self) -> Option<&Arc<Policy>> {
        self.common.as_ref()
    }

    /// The children, and what those added later are given, taken out.
    pub(crate) fn into_children(self) -> (Vec<ChildRules>, Option<Arc<Policy>>) {
        (self.children, self.common)
    }
}

/// What a supervisor goes by whose children say what they need. Valid by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedsRules {
    rules: Rules,
}

impl NeedsRules {
    /// Rules for these children, tolerating `limit` restarts within `period`. Of those that may start at the same moment
    /// the order of the list decides.
    ///
    /// # Errors
    /// The first thing that makes no sense; of needs, those that nobody meets and those that go round in a circle.
    pub fn new(
        limit: u32,
        period: Duration,
        auto_shutdown: AutoShutdown,
        children: Vec<ChildRules>,
    ) -> Result<Self, SpecError> {
        let check = ChildRules::check_by_needs;
        // The strategy says nothing here: needs do.
        let rules = Rules::checked(Strategy::OneForOne, limit, period, auto_shutdown, children, check)?;
        needs::check(rules.children().iter(), |_| true)?;
        Ok(Self { rules })
    }

    /// How many restarts are tolerable within the period.
    pub fn limit(&self) -> u32 {
        self.rules.limit()
    }

    /// The period within which restarts count.
    pub fn period(&self) -> Duration {
        self.rules.period()
    }

    /// When the end of significant children ends the supervisor.
    pub fn auto_shutdown(&self) -> AutoShutdown {
        self.rules.auto_shutdown()
    }

    /// The children, in start order.
    pub fn children(&self) -> &[ChildRules] {
        self.rules.children()
    }

    /// Restarts of all children wait like this, unless a child has a backoff of its own; also of those added later.
    ///
    /// # Errors
    /// What makes no sense about it.
    pub fn with_backoff(self, backoff: Backoff) -> Result<Self, SpecError> {
        Ok(Self { rules: self.rules.with_backoff(backoff)? })
    }

    /// No more than so many children at a time, with or without a process.
    ///
    /// # Errors
    /// If there are more already.
    pub fn with_max_children(self, max_children: usize) -> Result<Self, SpecError> {
        Ok(Self { rules: self.rules.with_max_children(max_children)? })
    }

    /// How many children there may be at a time.
    pub fn max_children(&self) -> usize {
        self.rules.max_children()
    }

    /// The rules; their strategy says nothing.
    pub(crate) fn into_rules(self) -> Rules {
        self.rules
    }
}

/// What a dynamic supervisor goes by: no order, and one template, or none where each child brings rules of its own. Valid by
/// construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamicRules {
    template: Option<ChildRules>,
    /// What children are given beyond OTP that bring rules of their own and have nothing else.
    common: Option<Arc<Policy>>,
    limit: u32,
    period: Duration,
    max_children: usize,
}

impl DynamicRules {
    /// Rules for children like this template, tolerating `limit` restarts of them within `period`, and holding no more
    /// than `max_children` of them at a time.
    ///
    /// # Errors
    /// What makes no sense. A dynamic supervisor never shuts down by itself, so its template cannot be significant
    /// (SUP-131).
    pub fn new(
        template: ChildRules,
        limit: u32,
        period: Duration,
        max_children: usize,
    ) -> Result<Self, SpecError> {
        template.check_instance()?;
        let rules = Self::of_children(limit, period, max_children)?;
        Ok(Self { template: Some(template), ..rules })
    }

    /// The same for children of which each brings rules of its own.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn of_children(limit: u32, period: Duration, max_children: usize) -> Result<Self, SpecError> {
        if period.is_zero() {
            return Err(SpecError::ZeroPeriod);
        }
        Ok(Self { template: None, common: None, limit, period, max_children })
    }

    /// Restarts of instances wait like this, unless the template, or rules of their own, have a backoff already.
    ///
    /// # Errors
    /// What makes no sense about it.
    pub fn with_backoff(mut self, backoff: Backoff) -> Result<Self, SpecError> {
        backoff.check().map_err(SpecError::CommonBackoff)?;
        self.common = Some(Arc::new(Policy { backoff: Some(backoff), ..Policy::default() }));
        if let Some(template) = &mut self.template {
            template.inherit(self.common.as_ref());
        }
        Ok(self)
    }

    /// Rules that have been looked at before.
    pub(crate) fn of_valid(
        template: Option<ChildRules>,
        common: Option<Arc<Policy>>,
        level: Level,
        max_children: usize,
    ) -> Self {
        let Level { limit, period } = level;
        Self { template, common, limit, period, max_children }
    }

    /// The rules of every child that brings none of its own; without them each does.
    pub fn template(&self) -> Option<&ChildRules> {
        self.template.as_ref()
    }

    /// How restarts of children wait that have no backoff otherwise.
    pub fn backoff(&self) -> Option<Backoff> {
        self.common.as_ref()?.backoff
    }

    /// How many restarts are tolerable within the period.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The period within which restarts count.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// How many children there may be at a time.
    pub fn max_children(&self) -> usize {
        self.max_children
    }

    /// The template, and what children are given beyond OTP that bring rules of their own, taken out.
    pub(crate) fn into_parts(self) -> (Option<ChildRules>, Option<Arc<Policy>>) {
        (self.template, self.common)
    }
}

/// Why a specification was refused. Places are counted from 0, in start order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// Two children have the same id, at these two places.
    DuplicateId(Arc<str>, usize, usize),
    /// The child at this place has an empty id.
    EmptyId(usize),
    /// The period is zero.
    ZeroPeriod,
    /// There are more children than there may be at a time.
    TooManyChildren {
        /// How many were given.
        given: usize,
        /// How many there may be.
        max_children: usize,
    },
    /// A dynamic supervisor cannot shut down by itself: its children come and go (SUP-131).
    DynamicAutoShutdown,
    /// A dynamic supervisor begins with no children; they are started by request.
    DynamicWithChildren,
    /// A child of a dynamic supervisor cannot be disabled: it is started by request, and gone when it is stopped.
    DisabledInstance(Arc<str>),
    /// A child of a dynamic supervisor needs nobody: its siblings come and go, and are not found by their ids.
    NeedsOfInstance(Arc<str>),
    /// This child is permanent, so that it never ends for good, and yet significant.
    SignificantPermanent(Arc<str>),
    /// This child is significant in a supervisor that never shuts down by itself.
    SignificantWithoutAutoShutdown(Arc<str>),
    /// This child is to be ready within no time.
    ZeroReadyWithin(Arc<str>),
    /// This child is temporary, so that it is never restarted, and yet given rules for its restarts.
    RestartsOfTemporary(Arc<str>),
    /// The backoff of this child makes no sense.
    Backoff(Arc<str>, BackoffError),
    /// The backoff of all children makes no sense.
    CommonBackoff(BackoffError),
    /// The period of this child's own limit is zero.
    ZeroChildPeriod(Arc<str>),
    /// Every life of this child is at once a healthy one, so that its restarts in a row are never more than one.
    ZeroHealthy(Arc<str>),
    /// It is said what becomes of this child when it has used up its own limits, and it has none.
    NothingToExhaust(Arc<str>),
    /// This child names what it needs, but its supervisor starts its children in order.
    NeedsInOrder(Arc<str>),
    /// This child needs that one, and there is none of that id.
    UnknownNeed(Arc<str>, Arc<str>),
    /// Each of these children needs the next, and the last one the first.
    NeedsCycle(Vec<Arc<str>>),
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateId(id, first, second) => {
                write!(f, "children {first} and {second} are both called `{id}`; give one of them another id")
            }
            Self::EmptyId(place) => write!(f, "child {place} has an empty id; give it a name"),
            Self::ZeroPeriod => f.write_str(
                "the period of the restart intensity is zero; make it longer, or the limit 0 to tolerate no restart",
            ),
            Self::DynamicAutoShutdown => f.write_str(
                "a dynamic supervisor does not shut down by itself, since its children come and go; \
                 leave its auto-shutdown at never",
            ),
            Self::TooManyChildren { given, max_children } => {
                write!(f, "{given} children where there may be {max_children}: leave some out, or allow more")
            }
            Self::DynamicWithChildren => f.write_str(
                "a dynamic supervisor has no children at first; start them by request, or put others beside it",
            ),
            Self::DisabledInstance(id) => write!(
                f,
                "child `{id}` of a dynamic supervisor is disabled, but is started by request and gone when it is stopped; \
                 leave that out"
            ),
            Self::NeedsOfInstance(id) => write!(
                f,
                "child `{id}` of a dynamic supervisor names what it needs, but its siblings come and go and are not found \
                 by their ids; leave that out, or put it under a supervisor by needs"
            ),
            Self::SignificantPermanent(id) => write!(
                f,
                "child `{id}` is significant and permanent, but a permanent child never ends for good; \
                 make it transient or temporary, or not significant"
            ),
            Self::SignificantWithoutAutoShutdown(id) => write!(
                f,
                "child `{id}` is significant, but its supervisor never shuts down by itself; \
                 set auto-shutdown to any or all significant (no dynamic one has that), or make the child not significant"
            ),
            Self::ZeroReadyWithin(id) => write!(
                f,
                "child `{id}` is to be ready within no time, so that it would be killed as soon as it is up; \
                 give it longer"
            ),
            Self::RestartsOfTemporary(id) => write!(
                f,
                "child `{id}` is temporary and never restarted, but has a backoff or limits of its own; \
                 leave them out, or make it transient or permanent"
            ),
            Self::Backoff(id, error) => write!(f, "the backoff of child `{id}`: {}", error.text()),
            Self::CommonBackoff(error) => write!(f, "the backoff of all children: {}", error.text()),
            Self::ZeroChildPeriod(id) => write!(
                f,
                "the period of the own limit of child `{id}` is zero; make it longer, or the limit 0 to tolerate \
                 no restart"
            ),
            Self::ZeroHealthy(id) => write!(
                f,
                "child `{id}` has a limit of restarts in a row, but each life is at once a healthy one; \
                 say how long a healthy life lasts"
            ),
            Self::NothingToExhaust(id) => write!(
                f,
                "child `{id}` is to be left down when it has used up its own limits, but has none; \
                 give it a limit, or leave that out"
            ),
            Self::NeedsInOrder(id) => write!(
                f,
                "child `{id}` names what it needs, but its supervisor starts its children in order and not by needs; \
                 make the supervisor one by needs, or leave the order to say it"
            ),
            Self::UnknownNeed(id, need) => {
                write!(f, "child `{id}` needs `{need}`, and there is no child of that id; add it, or correct the id")
            }
            Self::NeedsCycle(ids) => {
                let next = ids.iter().cycle().skip(1);
                for (place, (id, need)) in ids.iter().zip(next).enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    match ids.len() {
                        1 => write!(f, "`{id}` needs itself")?,
                        _ => write!(f, "{comma}`{id}` needs `{need}`")?,
                    }
                }
                f.write_str(": none of them could ever start; take one of these needs away")
            }
        }
    }
}

impl core::error::Error for SpecError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn what_a_child_is_unless_said_otherwise() {
        let (worker, supervisor) = (ChildRules::worker("w"), ChildRules::supervisor("s"));
        assert_eq!((worker.kind, worker.shutdown), (Kind::Worker, Shutdown::Within(Duration::from_secs(5))));
        assert_eq!((supervisor.kind, supervisor.shutdown), (Kind::Supervisor, Shutdown::Infinity));
        for rules in [&worker, &supervisor] {
            assert_eq!((rules.restart, rules.significant), (Restart::Permanent, false), "{}", rules.id);
        }
        let children = vec![worker, supervisor];
        let second = Duration::from_secs(1);
        let rules = Rules::new(Strategy::OneForOne, 1, second, AutoShutdown::Never, children.clone());
        assert_eq!(rules.expect("valid").children(), children);
    }
}
