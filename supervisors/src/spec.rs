//! A supervision tree as a value: strategy, intensity, children; checked as a whole before anything starts.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{Addr, ExitReason, Offers, SeatId, System};
use minder_supervisors_core::{AutoShutdown, Rules, SpecError, Strategy};

use crate::child::Child;
use crate::supervisor::{Supervisor, SupervisorMsg};

/// A supervisor to be, and its children.
///
/// Unless said otherwise it tolerates 1 restart in 5 seconds, as OTP's does.
#[derive(Clone, Debug)]
pub struct Spec {
    strategy: Strategy,
    limit: u32,
    period: Duration,
    auto_shutdown: AutoShutdown,
    pub(crate) offers: Offers,
    pub(crate) children: Vec<Child>,
}

/// A supervisor that restarts a child alone: children that do not depend on each other.
pub fn one_for_one() -> Spec {
    Spec::new(Strategy::OneForOne)
}

/// A supervisor that restarts all its children together: children that share state that one of them has lost.
pub fn one_for_all() -> Spec {
    Spec::new(Strategy::OneForAll)
}

/// A supervisor that restarts a child and those after it: children of which each depends on those before it.
pub fn rest_for_one() -> Spec {
    Spec::new(Strategy::RestForOne)
}

impl Spec {
    fn new(strategy: Strategy) -> Self {
        let (limit, period) = (1, Duration::from_secs(5));
        Self {
            strategy,
            limit,
            period,
            auto_shutdown: AutoShutdown::Never,
            offers: Offers::new(),
            children: Vec::new(),
        }
    }

    /// Tolerates at most this many restarts within the period; with one more the supervisor ends.
    #[must_use]
    pub fn limit(mut self, restarts: u32, within: Duration) -> Self {
        self.limit = restarts;
        self.period = within;
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

    pub(crate) fn rules(&self) -> Result<Rules, SpecError> {
        let children = self.children.iter().map(|child| child.rules.clone()).collect();
        Rules::new(self.strategy, self.limit, self.period, self.auto_shutdown, children)
    }

    /// Checks the whole tree without starting anything.
    ///
    /// # Errors
    /// The first thing that makes no sense, and where in the tree it is.
    pub fn check(&self) -> Result<(), TreeError> {
        self.check_below("", &mut Taken::default())
    }

    fn check_below(&self, path: &str, taken: &mut Taken) -> Result<(), TreeError> {
        self.rules().map_err(|cause| TreeError::Spec { supervisor: path.to_owned(), cause })?;
        for child in &self.children {
            let path = if path.is_empty() {
                child.rules.id.to_string()
            } else {
                format!("{path}/{}", child.rules.id)
            };
            if let Some(seat) = child.recipe.seat()
                && let Some(first) = taken.seats.insert(seat, path.clone())
            {
                return Err(TreeError::SeatUsedTwice { first, second: path });
            }
            if let Some(name) = &child.registered
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
    /// A [`TreeError`] if the tree makes no sense, and nothing was started; otherwise the reason for which the start
    /// failed, and everything was stopped again.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait; the start goes on.
    ///
    /// # OTP
    /// `supervisor:start_link/2`.
    pub async fn start(self, system: &System, name: &str) -> Result<Root, ExitReason> {
        self.check()?;
        let (address, seat) = system.address();
        system.start(seat, name, move || Supervisor::new(&self)).await?;
        Ok(Root { address })
    }
}

/// What may be given to one child only, and which child has it.
#[derive(Default)]
struct Taken {
    seats: HashMap<SeatId, String>,
    names: HashMap<Arc<str>, String>,
}

/// A running tree, by its top supervisor.
#[derive(Clone, Debug)]
pub struct Root {
    address: Addr<SupervisorMsg>,
}

impl Root {
    /// The top supervisor's address.
    pub fn address(&self) -> &Addr<SupervisorMsg> {
        &self.address
    }

    /// Resolves with the reason once the tree has ended: stopped, or given up.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait.
    pub async fn ended(&self) -> ExitReason {
        self.address.ended().await
    }
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
        }
    }
}

impl std::error::Error for TreeError {}
