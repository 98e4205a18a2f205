//! Changing the specification of a running tree: what may be asked for, and what may go wrong.
//! The plan is made in `plan.rs`, carried out in `supervisor/apply.rs`, and decided about in the core.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use minder_runtime::ExitReason;

use crate::errors::Unavailable;
use crate::plan::{Known, Level, Plan, Sketch};
use crate::question::{Outcome, Question};
use crate::root::Root;
use crate::spec::{Spec, TreeError, path_below};
use crate::supervisor::SupervisorMsg;

/// Why a tree is not what the new specification says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ApplyError {
    /// The new specification makes no sense. Nothing has been done.
    Invalid(TreeError),
    /// This supervisor would be of another kind: there is dynamic with a template and without one, by needs, and by a strategy.
    /// Give the new one another id. Nothing has been done.
    OtherKind {
        /// Where in the tree; empty for the top.
        supervisor: String,
    },
    /// The tree is not what it was when the plan was made, or this part of it has ended while the change was being
    /// prepared. Nothing has been done: make another plan.
    Stale {
        /// Which supervisor stands otherwise; empty for the top.
        supervisor: String,
    },
    /// The new specification holds, but not all of its children are up.
    Incomplete(Incomplete),
    /// The supervisor did not answer. If it has ended meanwhile, it may have begun.
    Unavailable(Unavailable),
}

/// Who did not come up by a change that is done otherwise. Nobody tries again by itself; a `restart_child` does, and so does
/// another change, also one with the same specification.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Incomplete {
    /// The children that failed to start, by their paths, and why; and supervisors that ended while they were changed, which
    /// are restarted as after any end.
    pub failed: Vec<(String, ExitReason)>,
    /// The children that were not started because of those: under rest-for-one those that come later, under one-for-all
    /// everybody who was still to be started, by needs those that need them, or one that was stopped by request meanwhile.
    pub held_back: Vec<String>,
}

impl Incomplete {
    pub(crate) fn is_empty(&self) -> bool {
        self.failed.is_empty() && self.held_back.is_empty()
    }

    /// The same, seen from the supervisor above.
    pub(crate) fn within(&mut self, id: &str, inside: Self) {
        self.failed.extend(inside.failed.into_iter().map(|(path, reason)| (path_below(id, &path), reason)));
        self.held_back.extend(inside.held_back.into_iter().map(|path| path_below(id, &path)));
    }
}

impl ApplyError {
    /// The same, seen from the supervisor above.
    pub(crate) fn within(self, id: &str) -> Self {
        let further = |supervisor: String| match &*supervisor {
            "" => id.to_owned(),
            further => path_below(id, further),
        };
        match self {
            Self::OtherKind { supervisor } => Self::OtherKind { supervisor: further(supervisor) },
            Self::Stale { supervisor } => Self::Stale { supervisor: further(supervisor) },
            other => other,
        }
    }

    pub(crate) fn stale() -> Self {
        Self::Stale { supervisor: String::new() }
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |supervisor: &str| match supervisor {
            "" => "the top supervisor".to_owned(),
            path => format!("supervisor `{path}`"),
        };
        match self {
            Self::Invalid(error) => fmt::Display::fmt(error, f),
            Self::OtherKind { supervisor } => write!(
                f,
                "{} would become one of another kind (dynamic with a template or without, by needs, by a strategy): give the \
                 new one another id",
                named(supervisor)
            ),
            Self::Stale { supervisor } => {
                write!(f, "{} has changed since the plan was made: make another", named(supervisor))
            }
            Self::Incomplete(Incomplete { failed, held_back }) => {
                f.write_str("not all children are up:")?;
                for (path, reason) in failed {
                    write!(f, " `{path}` failed to start ({reason});")?;
                }
                match (&held_back[..], failed.is_empty()) {
                    ([], _) => Ok(()),
                    (paths, false) => write!(f, " not started because of that: {}", paths.join(", ")),
                    (paths, true) => {
                        write!(f, " not started, since what they need was stopped: {}", paths.join(", "))
                    }
                }
            }
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl Error for ApplyError {}

impl From<TreeError> for ApplyError {
    fn from(error: TreeError) -> Self {
        Self::Invalid(error)
    }
}

impl From<Unavailable> for ApplyError {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(why)
    }
}

impl Root {
    /// What [`Root::apply`] would do now, without doing any of it: see [`Plan`]. It waits for what a supervisor has in hand; one
    /// [`by_needs`](crate::by_needs) answers at once, and takes whoever is coming up or going to do so well.
    ///
    /// # Errors
    /// [`ApplyError::Invalid`] and [`ApplyError::OtherKind`] if it could not be done, [`ApplyError::Unavailable`] if the
    /// supervisor or one below it does not answer.
    pub async fn plan(&self, new: &Spec) -> Result<Plan, ApplyError> {
        // Not `check`: asks lead from the top of the tree, and this may be a part of it.
        new.check_as("")?;
        let level = level(self.clone(), new).await?;
        Ok(Plan::new(self.clone(), new.clone(), level))
    }

    /// Turns the running tree into this one with the fewest stops and starts. To see them first, ask for a
    /// [`plan`](Root::plan) and carry that out.
    ///
    /// The new specification is the whole truth: what it does not have is stopped and forgotten, also what was added by
    /// request. Children are known by their ids:
    ///
    /// - **Unchanged** is a child that is a clone of the same [`Child`](crate::Child) value, or that has the same
    ///   [`Child::revision`](crate::Child::revision). What a factory does cannot be compared: a child that was written
    ///   down twice is two children, unless a revision says otherwise. It keeps its life. One that is through (transient,
    ///   and ended normally) stays so, one that waits for its restart goes on waiting; one that is down for any other
    ///   reason is started, as by a restart of its group.
    /// - **Rules** of unchanged children and of supervisors (restart, shutdown, significance, limits, strategy, needs,
    ///   auto-shutdown, order, offers) are exchanged without stopping anybody. Restarts that were counted still are. A
    ///   handler limit, what becomes of queued messages and whether news of a child come first hold from its next start on.
    ///   A life that has not reported to be ready is waited for by the new rules: not at all if they ask for no report, and
    ///   longer if they give more time.
    /// - **Replaced** is any other child: stopped, and started by its new recipe. It is a restart on purpose, so those whom
    ///   the new strategy restarts along with it, or who need it, are stopped and started too; it is not counted. Where both
    ///   recipes use the same seat (or neither was given one, and they take the same messages), addresses stay good.
    /// - **Disabled** by the new specification and not by the old one ([`Child::disabled`](crate::Child::disabled)): stopped,
    ///   and left down until it is enabled. The other way round: started. Neither concerns its siblings. Where both say the
    ///   same, a child stays as it was disabled or enabled by request, or because it had used up its own limits.
    /// - **Supervisors** that are running and whose new tree is known ([`tree`](crate::tree), [`tree_in`](crate::tree_in))
    ///   are changed inside, by the same rules, and are not restarted. If they are restarted later, it is by the new
    ///   recipe.
    /// - A **dynamic** supervisor's running instances live on, by the new rules. New ones are made by the new template, and the
    ///   old template is refused from then on. Whoever was started by rules of its own, as all are where there is no template
    ///   ([`dynamic_children`](crate::dynamic_children)), goes on by those; so does who is temporary where the new template's
    ///   instances are not, since what it was started with is not kept.
    ///
    /// When not to use this: to bring one more child in, or to take one out: [`Root::start_child`] and
    /// [`Root::terminate_child`] do that.
    ///
    /// # Errors
    /// See [`ApplyError`]. What makes no sense is refused before anything is done. A start that fails is not tried again:
    /// the child stays down, and so does whoever needs it, by the strategy or by what it says; everything else is done.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the answer; the change goes on.
    ///
    /// # Ordering
    /// In three parts, each through the whole tree before the next: every supervisor concerned finishes what it has in
    /// hand and takes up nothing else; whoever leaves is stopped, last to first; whoever is missing is started, first to
    /// last. Requests and ends of children wait for the end of it; a stop overtakes it. [`by_needs`](crate::by_needs) whoever
    /// needs others is stopped before those and started after them, those that do not need each other side by side, and what
    /// waits does so for the last stop.
    ///
    /// # OTP
    /// `code_change/3` merges a new specification into a running supervisor, stops nobody and starts nobody (SUP-161).
    ///
    /// ```
    /// use minder_supervisors::{one_for_one, task};
    /// # use minder_runtime::System;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let forever = || std::future::pending::<()>();
    /// let (mail, http) = (task("mail", forever), task("http", forever));
    /// let system = System::new()?;
    /// let root = one_for_one().child(mail.clone()).child(http).start(&system, "shop").await?;
    /// let mail_before = root.which_child("mail").await?;
    ///
    /// let new = one_for_one().child(mail).child(task("http", forever));
    /// let plan = root.plan(&new).await?;
    /// assert_eq!(
    ///     plan.to_string(),
    ///     "1 to stop, 1 to start, 1 left alone\n\
    ///      stop   http: another recipe\n\
    ///      start  http: another recipe\n\
    ///      leave  mail: the same recipe\n",
    /// );
    /// plan.apply().await?;
    /// assert!(mail_before.actor().is_some_and(|mail| mail.is_alive()));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn apply(&self, new: Spec) -> Result<(), ApplyError> {
        // Not `check`: asks lead from the top of the tree, and this may be a part of it.
        new.check_as("")?;
        self.carry_out(new, None).await
    }

    pub(crate) async fn carry_out(&self, spec: Spec, expected: Option<Level>) -> Result<(), ApplyError> {
        let wanted = Wanted { spec, expected, in_parts: false };
        match self.ask(Question::Apply(Box::new(wanted))).await? {
            Outcome::Applied(incomplete) if incomplete.is_empty() => Ok(()),
            Outcome::Applied(incomplete) => Err(ApplyError::Incomplete(incomplete)),
            Outcome::NotApplied(error) => Err(error),
            other => other.out_of_place("apply"),
        }
    }
}

/// What a supervisor is to be.
pub(crate) struct Wanted {
    pub(crate) spec: Spec,
    /// What that is expected to change; refused if it is anything else.
    pub(crate) expected: Option<Level>,
    /// Whether a supervisor above asks, and will ask for each part.
    pub(crate) in_parts: bool,
}

type Levels<'a> = Pin<Box<dyn Future<Output = Result<Level, ApplyError>> + Send + 'a>>;

/// What would change in this supervisor and below it. Each is asked on its own: whether all of it still holds is looked
/// at when it is carried out.
fn level(root: Root, new: &Spec) -> Levels<'_> {
    Box::pin(async move {
        let sketch = match root.ask(Question::Sketch).await? {
            Outcome::Sketch(sketch) => sketch,
            other => other.out_of_place("plan"),
        };
        let kind = || ApplyError::OtherKind { supervisor: String::new() };
        let mut level = Level::between(&sketch, new).ok_or_else(kind)?;
        if let (Level::Fixed(fixed), Sketch::Fixed { outline, known, .. }) = (&mut level, &*sketch) {
            let ids = outline.children.iter().map(|standing| &*standing.rules.id);
            let known: HashMap<&str, &Known> = ids.zip(known).collect();
            for (place, child) in new.children.iter().enumerate() {
                if !fixed.is_inside(place) {
                    continue;
                }
                let actor = known.get(child.id()).and_then(|known| known.actor.as_ref());
                let address = actor.and_then(|actor| actor.address::<SupervisorMsg>());
                let (Some(address), Some(below)) = (address, &child.below) else { continue };
                let inside = self::level(Root::of(address), below).await;
                fixed.inside[place] = Some(inside.map_err(|error| error.within(child.id()))?);
            }
        }
        Ok(level)
    })
}
