//! A supervision tree as a value: strategy, intensity, children; checked as a whole before anything starts.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{Offers, SeatId, System};
use minder_supervisors_core::{
    AutoShutdown, Backoff, ChildRules, DynamicRules, Level, NeedsRules, Rules, SpecError, Strategy,
};

use crate::child::{Child, Settings};
use crate::errors::{NoSuchPath, StartTreeError};
use crate::explain::layout::Ruling;
use crate::explain::{Regime, check_asks};
use crate::partitions::Size;
use crate::root::{MAILBOX, Root};
use crate::supervisor::Supervisor;
use crate::template::Mark;

/// A supervisor to be, and its children.
///
/// Unless said otherwise it tolerates 1 restart in 5 seconds, as OTP's does.
#[derive(Clone, Debug)]
pub struct Spec {
    nature: Nature,
    limit: u32,
    period: Duration,
    auto_shutdown: AutoShutdown,
    /// What children have that have none of their own.
    pub(crate) backoff: Option<Box<Backoff>>,
    pub(crate) offers: Offers,
    pub(crate) news_first: bool,
    max_children: usize,
    /// How many of its children are partitions that are found; set anew at each start.
    pub(crate) partitions: Vec<Arc<Size>>,
    pub(crate) children: Vec<Child>,
}

/// How a supervisor comes by its children, and who shares whose fate. The same for all of its life.
#[derive(Clone, Debug)]
pub(crate) enum Nature {
    /// They are known beforehand, and share their fates by a strategy.
    Fixed(Strategy),
    /// They are known beforehand, and say what they need.
    ByNeeds,
    /// They come and go: made from a template, or each by a specification of its own.
    Dynamic(Option<Box<TemplateParts>>),
}

/// What a dynamic supervisor knows of its template: all but how instances are made, which comes with each request.
#[derive(Clone, Debug)]
pub(crate) struct TemplateParts {
    pub(crate) rules: ChildRules,
    pub(crate) settings: Settings,
    pub(crate) mark: Mark,
}

/// A supervisor that restarts a child alone: children that do not depend on each other.
pub fn one_for_one() -> Spec {
    Spec::new(Nature::Fixed(Strategy::OneForOne))
}

/// A supervisor that restarts all its children together: children that share state that one of them has lost.
pub fn one_for_all() -> Spec {
    Spec::new(Nature::Fixed(Strategy::OneForAll))
}

/// A supervisor that restarts a child and those after it: children of which each depends on those before it.
pub fn rest_for_one() -> Spec {
    Spec::new(Nature::Fixed(Strategy::RestForOne))
}

/// A supervisor whose children say what they need, by [`Child::needs`]. A child starts when all it needs is up, and ready
/// if it [says so](Child::reports_ready); those that do not need each other start side by side. When a child is to be
/// restarted, so are those that depend on it, directly or through others, and nobody else: dependents are stopped first,
/// and started last. It counts once.
///
/// ```
/// use minder_supervisors::{by_needs, task};
///
/// let job = |id| task(id, std::future::pending::<()>);
/// let tree = by_needs()
///     .child(job("http").needs(["ledger", "mail"]))       // needs say the order, the list does not
///     .child(job("ledger").needs(["store"]))
///     .child(job("mail"))
///     .child(job("store"));
/// assert!(tree.check().is_ok());
///
/// let refused = by_needs().child(job("hen").needs(["egg"])).child(job("egg").needs(["hen"])).check();
/// assert!(refused.expect_err("neither could start").to_string().contains("`egg` needs `hen`, `hen` needs `egg`"));
/// ```
///
/// A need is met by a child that is up (and ready, if it says so), or that has done its part: it has finished and stays
/// down, or had nothing to run. One that was [terminated](crate::Root::terminate_child) or is
/// [disabled](crate::Child::disabled) meets no need: whoever is to start waits until somebody starts it again. Requests take
/// nobody along: a child that is terminated or disabled leaves its dependents up. The supervisor's own start does not wait for
/// those who need a disabled child: it comes up without them, and they come up, after it, when that is enabled.
/// Since several things happen side by side, a request about a child that is just coming up or going waits for that, and
/// others overtake it.
///
/// With a [backoff](crate::Child::backoff) a group is stopped at once, and the one on whose account it is restarted waits;
/// those that need it wait for it. A child that its own limits leave down leaves everybody else alone, too.
///
/// [`Root::apply`](crate::Root::apply) changes it while it runs, as any other: a child that is replaced takes along those
/// that need it by the new specification, and nobody else is stopped. Other needs alone stop nobody: they hold from then on. The
/// change waits until nobody is coming up or going and no start that was asked for waits; so a child must not wait for one while
/// it comes up itself. Once the last stop is over ends are judged and requests answered, but for other changes, while the missing
/// come up: the change waits for whoever they need to be ready. One that needs a disabled child is started when that is enabled,
/// and the change does not wait for it.
///
/// When not to use this: a handful of children that start fast, of which each needs the one before it, are read more easily
/// as [`rest_for_one`]; children that do not need each other are [`one_for_one`].
///
/// # OTP
/// There is no such strategy. Where each child needs the one before it this is `rest_for_one`.
pub fn by_needs() -> Spec {
    Spec::new(Nature::ByNeeds)
}

/// A supervisor of children that come and go, each started by [`Root::start_child`](crate::Root::start_child) with a
/// specification of its own: any [`Child`], none at first. Unless said otherwise it tolerates 3 restarts in 5 seconds.
///
/// Each child is restarted alone, with its own restart type, backoff and limits; the supervisor's limit is shared by all. One
/// that is stopped, or has ended and is not restarted, leaves nothing. Ids need not differ: they are in paths, events and
/// [explanations](crate::Spec::explain), and nobody is found by them. So a child is stopped by its process
/// ([`Root::terminate_instance`](crate::Root::terminate_instance)), and requests that go by ids are refused.
///
/// ```
/// use minder_supervisors::{Restart, Shutdown, dynamic_children, task};
/// # use minder_runtime::System;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new()?;
/// let jobs = dynamic_children().max_children(1_000).start(&system, "jobs").await?;
/// let forever = || std::future::pending::<()>();
/// let once = task("import", forever).restart(Restart::Temporary);
/// let import = jobs.start_child(once.clone()).await?.ok_or("there was nothing to run")?;
/// jobs.start_child(once).await?;                                  // another one of the same id
/// jobs.start_child(task("watch", forever).shutdown(Shutdown::BrutalKill)).await?;
/// jobs.terminate_instance(&import).await?;
/// assert_eq!(jobs.count_children().await?.active, 2);
/// # Ok(())
/// # }
/// ```
///
/// A child that [needs](Child::needs) others, is [significant](Child::significant) or [disabled](Child::disabled) is refused.
/// [`Root::apply`](crate::Root::apply) changes the supervisor's own limits; children go on by the specifications that they were
/// started with, and none of them is looked into.
///
/// When not to use this: for many children that differ in their arguments only, [`dynamic`](crate::dynamic) takes less room;
/// for children that are known beforehand, or are to be found by their ids, [`one_for_one`]; for those that depend on each
/// other, [`by_needs`].
///
/// # Ordering
/// One child is started, or stopped by request, at a time. At the end all are told at once, each with its own time
/// to stop.
///
/// # OTP
/// Elixir's `DynamicSupervisor` (EXD-001 to EXD-008). Children are known by their addresses, which survive restarts where
/// Elixir's pids do not.
pub fn dynamic_children() -> Spec {
    Spec::new(Nature::Dynamic(None)).limit(3, Duration::from_secs(5))
}

impl Spec {
    fn new(nature: Nature) -> Self {
        let (limit, period) = (1, Duration::from_secs(5));
        Self {
            nature,
            limit,
            period,
            auto_shutdown: AutoShutdown::Never,
            backoff: None,
            max_children: usize::MAX,
            partitions: Vec::new(),
            offers: Offers::new(),
            news_first: false,
            children: Vec::new(),
        }
    }

    pub(crate) fn of_template(rules: ChildRules, settings: Settings, mark: Mark) -> Self {
        Self::new(Nature::Dynamic(Some(Box::new(TemplateParts { rules, settings, mark }))))
    }

    /// Tolerates at most this many restarts within the period; with one more the supervisor ends.
    #[must_use]
    pub fn limit(mut self, restarts: u32, within: Duration) -> Self {
        self.limit = restarts;
        self.period = within;
        self
    }

    /// Restarts of all its children wait, by each child's own failures, unless a child has a backoff of its own; also of
    /// children that are added later. See [`Child::backoff`](crate::Child::backoff).
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(Box::new(backoff));
        self
    }

    /// Ends the supervisor when significant children have ended.
    #[must_use]
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.auto_shutdown = auto_shutdown;
        self
    }

    /// Offers a service to all who live below: an address, a configuration, a pool. They look it up by its type, with
    /// [`Context::service`](minder_runtime::Context::service); the nearest offer wins. One of each type; the last given
    /// counts. A restarted supervisor offers the same values.
    #[must_use]
    pub fn offer<T: Clone + Send + Sync + 'static>(mut self, service: T) -> Self {
        self.offers = self.offers.and(service);
        self
    }

    /// Has the supervisor hear of its children before the requests that wait, by
    /// [priority](minder_runtime::Priority): a child that ends is restarted before the supervisor goes on answering.
    ///
    /// When to use this: for one that gets many requests, as a dynamic supervisor under load does. When not: for any other. An
    /// answer then tells what has happened since it was asked for.
    #[must_use]
    pub fn news_first(mut self) -> Self {
        self.news_first = true;
        self
    }

    /// How many children the supervisor may hold at a time; no bound unless given. In a dynamic supervisor, with a
    /// [template](crate::dynamic) or [without](dynamic_children), those count that have a process or wait for one; in any other
    /// all, until they are deleted. A start beyond it is refused; so is a specification that has more itself.
    ///
    /// # OTP
    /// `max_children` of Elixir's `DynamicSupervisor`.
    #[must_use]
    pub fn max_children(mut self, children: usize) -> Self {
        self.max_children = children;
        self
    }

    /// Adds a child; children start in the order in which they are added and stop in the reverse.
    #[must_use]
    pub fn child(mut self, child: Child) -> Self {
        self.children.push(child);
        self
    }

    /// Adds several children.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Child>) -> Self {
        self.children.extend(children);
        self
    }

    pub(crate) fn nature(&self) -> &Nature {
        &self.nature
    }

    pub(crate) fn template(&self) -> Option<&TemplateParts> {
        match &self.nature {
            Nature::Dynamic(template) => template.as_deref(),
            Nature::Fixed(_) | Nature::ByNeeds => None,
        }
    }

    /// The rules of a dynamic supervisor.
    pub(crate) fn dynamic_rules(&self) -> Result<DynamicRules, SpecError> {
        if !self.children.is_empty() {
            return Err(SpecError::DynamicWithChildren);
        }
        if self.auto_shutdown != AutoShutdown::Never {
            return Err(SpecError::DynamicAutoShutdown);
        }
        let rules = match self.template() {
            Some(TemplateParts { rules, .. }) => {
                DynamicRules::new(rules.clone(), self.limit, self.period, self.max_children)?
            }
            None => DynamicRules::of_children(self.limit, self.period, self.max_children)?,
        };
        match self.backoff.as_deref() {
            Some(backoff) => rules.with_backoff(*backoff),
            None => Ok(rules),
        }
    }

    /// What the supervisor goes by, for those who explain it.
    pub(crate) fn ruling(&self) -> Ruling {
        Ruling {
            regime: match self.nature {
                Nature::Fixed(strategy) => Regime::Fixed(strategy),
                Nature::ByNeeds => Regime::ByNeeds,
                Nature::Dynamic(_) => Regime::Dynamic,
            },
            level: Level { limit: self.limit, period: self.period },
            auto_shutdown: self.auto_shutdown,
            max_children: self.max_children,
        }
    }

    pub(crate) fn is_by_needs(&self) -> bool {
        matches!(self.nature, Nature::ByNeeds)
    }

    pub(crate) fn needs_rules(&self) -> Result<NeedsRules, SpecError> {
        let children = self.children.iter().map(|child| child.rules.clone()).collect();
        let rules = NeedsRules::new(self.limit, self.period, self.auto_shutdown, children)?
            .with_max_children(self.max_children)?;
        match self.backoff.as_deref() {
            Some(backoff) => rules.with_backoff(*backoff),
            None => Ok(rules),
        }
    }

    pub(crate) fn rules(&self, strategy: Strategy) -> Result<Rules, SpecError> {
        let children = self.children.iter().map(|child| child.rules.clone()).collect();
        let rules = Rules::new(strategy, self.limit, self.period, self.auto_shutdown, children)?
            .with_max_children(self.max_children)?;
        match self.backoff.as_deref() {
            Some(backoff) => rules.with_backoff(*backoff),
            None => Ok(rules),
        }
    }

    /// Checks the whole tree without starting anything.
    ///
    /// # Errors
    /// The first thing that makes no sense, and where in the tree it is.
    pub fn check(&self) -> Result<(), TreeError> {
        self.check_as("")?;
        check_asks(self)
    }

    pub(crate) fn check_as(&self, path: &str) -> Result<(), TreeError> {
        self.check_below(path, &mut Taken::default())
    }

    fn check_below(&self, path: &str, taken: &mut Taken) -> Result<(), TreeError> {
        let valid = match self.nature {
            Nature::Dynamic(_) => self.dynamic_rules().map(drop),
            Nature::ByNeeds => self.needs_rules().map(drop),
            Nature::Fixed(strategy) => self.rules(strategy).map(drop),
        };
        valid.map_err(|cause| TreeError::Spec { supervisor: path.to_owned(), cause })?;
        for child in &self.children {
            let path = path_below(path, &child.rules.id);
            if let Some(seat) = child.recipe.seat()
                && let Some(first) = taken.seats.insert(seat, path.clone())
            {
                return Err(TreeError::SeatUsedTwice { first, second: path });
            }
            if let Some(name) = &child.settings.registered
                && let Some(first) = taken.names.insert(name.clone(), path.clone())
            {
                return Err(TreeError::NameUsedTwice { name: name.clone(), first, second: path });
            }
            if let Some(below) = &child.below {
                below.check_below(&path, taken)?;
            }
        }
        Ok(())
    }

    /// Starts the tree under a name and waits until all of it is up.
    ///
    /// # Errors
    /// [`StartTreeError::Invalid`] if the tree makes no sense, and nothing was started; otherwise the reason for which the
    /// start failed, and everything was stopped again.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait; the start goes on.
    ///
    /// # OTP
    /// `supervisor:start_link/2`.
    pub async fn start(self, system: &System, name: &str) -> Result<Root, StartTreeError> {
        self.check()?;
        let (address, seat) = system.address_with(MAILBOX);
        let started = system.start(seat, name, move || Supervisor::new(&self)).await;
        started.map_err(|error| StartTreeError::Failed(error.into_reason()))?;
        Ok(Root::of(address))
    }
}

/// The path of a child of whoever has this path.
pub(crate) fn path_below(path: &str, id: &str) -> String {
    if path.is_empty() { id.to_owned() } else { format!("{path}/{id}") }
}

/// What may be given to one child only, and which child has it.
#[derive(Default)]
struct Taken {
    seats: HashMap<SeatId, String>,
    names: HashMap<Arc<str>, String>,
}

/// Why a tree was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TreeError {
    /// A supervisor's own specification makes no sense; an empty path is the top one.
    Spec {
        /// Where in the tree.
        supervisor: String,
        /// What is wrong with it.
        cause: SpecError,
    },
    /// Two children were given the same seat.
    SeatUsedTwice {
        /// Who had it first.
        first: String,
        /// Who was given it again.
        second: String,
    },
    /// Two children are to be registered under the same name.
    NameUsedTwice {
        /// The name.
        name: Arc<str>,
        /// Who had it first.
        first: String,
        /// Who was given it again.
        second: String,
    },
    /// A child is said to ask somebody who is not there; see [`Child::asks`].
    NoSuchAsk {
        /// Who asks.
        child: Arc<str>,
        /// Where nobody is.
        asked: NoSuchPath,
    },
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec { supervisor, cause } if supervisor.is_empty() => {
                write!(f, "the top supervisor: {cause}")
            }
            Self::Spec { supervisor, cause } => write!(f, "supervisor `{supervisor}`: {cause}"),
            Self::SeatUsedTwice { first, second } => write!(
                f,
                "children `{first}` and `{second}` have the same seat; make an address and a seat for each"
            ),
            Self::NameUsedTwice { name, first, second } => {
                write!(
                    f,
                    "children `{first}` and `{second}` are both registered as `{name}`; a name is for one"
                )
            }
            Self::NoSuchAsk { child, asked } => write!(f, "child `{child}` asks nobody: {asked}"),
        }
    }
}

impl std::error::Error for TreeError {}
