//! What a tree will do, before it has to: who is stopped and started when a child crashes, how long things take at worst,
//! how far up crashes are heard, and which asks cross groups. Of a specification, or of a tree that runs.
//! Facts only; what is wrong with them is said in `lint/`.

mod alike;
mod asks;
mod bound;
mod crash;
pub(crate) mod layout;
mod picture;
pub(crate) mod words;

use std::sync::Arc;
use std::time::Duration;

use minder_supervisors_core::{Exhausted, Strategy, Threshold};

pub(crate) use asks::{Ask, check as check_asks};
pub use bound::Bound;
use layout::{Layout, Ruling};

use crate::errors::{ExplainError, NoSuchPath, Unavailable};
use crate::root::Root;
use crate::spec::Spec;

/// How a supervisor treats its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Regime {
    /// They are known beforehand and share their fates by a strategy.
    Fixed(Strategy),
    /// They are known beforehand, and each shares the fate of those that it needs. Those that do not need each other start
    /// and stop side by side, so that all of them take as long as the longest chain; they are named in an order in which
    /// that could happen one after the other.
    ByNeeds,
    /// They come and go, and each is restarted alone.
    Dynamic,
}

/// What a tree will do. Printed, it is a picture of the tree, and tables for people.
#[derive(Debug)]
pub struct Explanation {
    layout: Layout,
}

impl Explanation {
    /// How long it takes to stop all of it, at worst.
    pub fn stop(&self) -> Bound {
        self.layout.stop_from_inside(0)
    }

    /// Every supervisor of which something is known, the top first, parents before children.
    pub fn supervisors(&self) -> impl Iterator<Item = ExplainedSupervisor> {
        self.layout.supervisors().map(|(place, ruling)| self.layout.explain_supervisor(place, ruling))
    }

    /// Every child, supervisors among them; parents before children, siblings in start order. What holds for any instance
    /// of a dynamic supervisor's template stands under the id `*`. Children that were started with specifications of their
    /// own ([`dynamic_children`](crate::dynamic_children)) are known in a running tree only; those whose specifications are
    /// the same stand as one, by their id. So do instances that go by other rules than the template's, after it and by `*` too.
    pub fn children(&self) -> impl Iterator<Item = ExplainedChild> {
        self.layout.below_top().map(|place| self.layout.crash_of(place))
    }

    /// The child at this path.
    ///
    /// # Errors
    /// [`NoSuchPath`], with the nearest one that there is.
    pub fn child(&self, path: &str) -> Result<ExplainedChild, NoSuchPath> {
        match self.layout.find(path)? {
            // The top is nobody's child.
            0 => Err(self.layout.no_such_path(path)),
            place => Ok(self.layout.crash_of(place)),
        }
    }

    /// Every ask that is declared and leads to somebody.
    pub fn asks(&self) -> impl Iterator<Item = ExplainedAsk> {
        self.layout.explained_asks()
    }
}

/// What a supervisor will do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExplainedSupervisor {
    /// Where it stands; empty for the top.
    pub path: Arc<str>,
    /// How it treats its children.
    pub regime: Regime,
    /// How many restarts it tolerates …
    pub limit: u32,
    /// … within this.
    pub period: Duration,
    /// How long it takes to stop all below it.
    pub stop: Bound,
    /// Who gives up, the nearest first, if one of its children crashes again and again. Nothing if it starts nobody
    /// again.
    pub gives_up: Vec<GiveUp>,
}

/// What a crash of one child leads to. Printed, it is a few lines for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExplainedChild {
    /// Who crashes.
    pub path: Arc<str>,
    /// What becomes of it.
    pub then: Then,
    /// Who else is stopped, in this order; those below a supervisor before it.
    pub stops: Vec<Arc<str>>,
    /// Who is started, in this order; a supervisor is up after those below it.
    pub starts: Vec<Arc<str>>,
    /// Who is stopped and not started again, since it is temporary.
    pub forgotten: Vec<Arc<str>>,
    /// How many children lose what they had, itself among them.
    pub lost: usize,
    /// Of how many; the top supervisor is not counted.
    pub of: usize,
    /// How long the stops take, at worst.
    pub stop: Bound,
    /// How long its restart waits between the stops and the starts, at most, if it has a backoff.
    pub wait: Option<Duration>,
    /// How long the starts take, at worst. In a supervisor by needs the wait for those to get ready whom others need is part
    /// of it.
    pub start: Bound,
    /// How long after they are up those who report it are ready, or killed for not being so; nothing if none does.
    pub ready: Option<Bound>,
    /// When limits of its own leave it down, if it crashes again and again and nobody has given up before.
    pub left_down: Option<Threshold>,
    /// Who gives up, the nearest first, if it crashes again and again; up to one that is not started again.
    pub gives_up: Vec<GiveUp>,
}

impl ExplainedChild {
    /// The share of all children that lose what they had.
    pub fn share(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = self.lost as f64 / self.of.max(1) as f64;
        share
    }
}

/// What becomes of whoever ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Then {
    /// It is started again, with its group.
    Restarted,
    /// It is dynamic, and started again without the instances it had (SUP-182).
    RestartedEmpty,
    /// It stays down, and nobody is told: it is transient, and to give up is no abnormal end (SUP-062).
    StaysDown,
    /// It is temporary, and forgotten.
    Forgotten,
    /// It is significant: its supervisor ends.
    EndsSupervisor,
    /// It is significant: its supervisor ends if no other significant child is left.
    EndsSupervisorIfLast,
    /// It is the top, and ends the tree.
    EndsTree,
}

/// When a supervisor gives up because one child below it crashes again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GiveUp {
    /// Which supervisor.
    pub supervisor: Arc<str>,
    /// How many restarts it tolerates …
    pub limit: u32,
    /// … within this.
    pub period: Duration,
    /// The longest time from one crash to the next at which it gives up; if the crashes are further apart it never does.
    /// Nothing if it gives up however far apart they are: at the first one, or by a limit that counts for ever. What is done
    /// between two crashes (the stops, the wait of a backoff, the starts) is part of that time; a backoff counts with its
    /// longest wait.
    pub longest: Option<Duration>,
    /// At which crash it gives up, at that pace. [`u64::MAX`] stands for more than that.
    pub crashes: u64,
    /// How long after the first crash that is, at worst.
    pub within: Option<Duration>,
    /// How many children lose what they had when it has given up.
    pub lost: usize,
    /// What becomes of it then.
    pub then: Then,
}

/// An ask that is declared ([`Child::asks`](crate::Child::asks)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExplainedAsk {
    /// Who asks.
    pub from: Arc<str>,
    /// Whom.
    pub to: Arc<str>,
    /// Whether the asked is a supervisor above the asker.
    pub up: bool,
    /// Whether the asked starts after the asker, and is gone before it is stopped.
    pub later: bool,
    /// The supervisor that may restart the asked with its group and not the asker, who is told `Purged` then.
    pub purged_by: Option<Arc<str>>,
}

impl Spec {
    /// What this tree will do, as a value, and in words and a picture when printed. Nothing is started, and nothing need be
    /// valid; [`Spec::check`] tells what is not.
    ///
    /// Times are the worst that the specification allows. Where it sets no limit there is none: what a factory does, a
    /// handler that does not yield, a blocking closure that does not return. Crashes are explained for a child that is
    /// the only one in trouble.
    ///
    /// ```
    /// use std::time::Duration;
    /// use minder_supervisors::{Bound, one_for_one, rest_for_one, task, tree};
    ///
    /// let forever = || std::future::pending::<()>();
    /// let spec = one_for_one()
    ///     .child(tree("shop", rest_for_one().child(task("stock", forever)).child(task("desk", forever))));
    /// let explanation = spec.explain();
    /// assert_eq!(explanation.stop(), Bound::AtMost(Duration::from_secs(10)));
    ///
    /// let stock = spec.explain_child("shop/stock").expect("it is there");
    /// assert_eq!(stock.stops.iter().map(|path| &**path).collect::<Vec<_>>(), ["shop/desk"]);
    /// assert_eq!((stock.lost, stock.of), (2, 3));
    /// // The shop gives up at the second crash within 5 s, and the top at the fourth, if they come fast enough.
    /// assert_eq!(stock.gives_up[0].longest, Some(Duration::from_secs(5)));
    /// assert_eq!(stock.gives_up[1].longest, Some(Duration::from_millis(2_500)));
    /// ```
    pub fn explain(&self) -> Explanation {
        Explanation { layout: Layout::of(self) }
    }

    /// What a crash of the child at this path leads to; an instance of a dynamic supervisor has the id `*`.
    ///
    /// # Errors
    /// [`NoSuchPath`], with the nearest one that there is.
    pub fn explain_child(&self, path: &str) -> Result<ExplainedChild, NoSuchPath> {
        self.explain().child(path)
    }
}

impl Root {
    /// [`Spec::explain`] of this tree as it stands: with children that were added, without those that were deleted. A child
    /// without a process is part of it, and is counted nowhere. Paths begin at this supervisor; asks that lead out of its
    /// tree are left out.
    ///
    /// Each supervisor answers at once, whatever it is at, and one after the other: what changes meanwhile may be seen in
    /// one place and not in another. For people and tests, not for a loop.
    ///
    /// # Errors
    /// [`Unavailable`], if the supervisor at the top is.
    pub async fn explain(&self) -> Result<Explanation, Unavailable> {
        Ok(Explanation { layout: Layout::of_running(self).await? })
    }

    /// [`Spec::explain_child`] of this tree as it stands: see [`Root::explain`].
    ///
    /// # Errors
    /// See [`ExplainError`].
    pub async fn explain_child(&self, path: &str) -> Result<ExplainedChild, ExplainError> {
        Ok(self.explain().await?.child(path)?)
    }
}

impl Layout {
    fn explain_supervisor(&self, place: usize, ruling: &Ruling) -> ExplainedSupervisor {
        // One without limits of its own, if there is one: those are told of with their children.
        let plain = |child: &usize| self.own_limits(*child, Exhausted::Escalate).is_empty();
        let restarted =
            self.restarted_below(place).find(plain).or_else(|| self.restarted_below(place).next());
        ExplainedSupervisor {
            path: self.at(place).path.clone(),
            regime: ruling.regime,
            limit: ruling.level.limit,
            period: ruling.level.period,
            stop: self.stop_from_inside(place),
            gives_up: restarted.map(|child| self.give_ups_above(child)).unwrap_or_default(),
        }
    }
}
