//! What a running supervisor may be asked for, and what it answers: OTP's calls, errors included, as types.
//! Does not know who asks; the host keeps that under the request's id.

use crate::{ChildRules, ChildState, DynamicRules, Kind, Outline, Slot, SpecError};
use alloc::sync::Arc;
use alloc::vec::Vec;
use minder_signals::ExitReason;

/// Tells the requests of one supervisor apart; the host numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What is asked for. Complete by definition: a host makes these and reads none.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Add this child, last in start order, and start it (SUP-141). Not for dynamic supervisors with a template.
    StartChild(ChildRules),
    /// Start an instance of the template. For dynamic supervisors with one only (SUP-172).
    StartInstance,
    /// The same, by rules of its own in place of the template's (EXT-006).
    StartInstanceBy(ChildRules),
    /// Stop this child and leave it down; a temporary one is forgotten (SUP-143).
    TerminateChild(Which),
    /// Start this child, which has no process (SUP-145).
    RestartChild(Arc<str>),
    /// Stop this child, whatever it is at, and leave it down until it is enabled.
    DisableChild(Arc<str>),
    /// Start this child, which is disabled.
    EnableChild(Arc<str>),
    /// Forget this child, which has no process (SUP-146).
    DeleteChild(Arc<str>),
    /// Every child and how it stands (SUP-148).
    WhichChildren,
    /// One child and how it stands (SUP-156).
    WhichChild(Which),
    /// How many there are (SUP-149).
    CountChildren,
    /// The rules of one child (SUP-150).
    ChildSpec(Which),
    /// What the supervisor goes by and how its children stand. Not for dynamic supervisors.
    Outline,
    /// Go by other rules, which the host has, for other children. Not for dynamic supervisors.
    Change {
        /// Whether each part is asked for on its own, by a supervisor above; the first is to be held.
        in_parts: bool,
    },
    /// Go by these rules. For dynamic supervisors only, which have a template before and after, or neither: running
    /// instances live on, by the new rules or by their own.
    ChangeDynamic(DynamicRules),
}

/// Which child is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one of this id. In a dynamic supervisor instances are not found by ids, and only the template's rules are.
    Id(Arc<str>),
    /// The instance in this slot of a dynamic supervisor.
    Instance(Slot),
    /// An instance that is gone, of a dynamic supervisor: with a template, stopping it is done already.
    Gone,
    /// Somebody who is no child of this supervisor.
    Stranger,
}

/// The answer to a request. Complete by definition.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The child is up.
    Started(Slot),
    /// The child had nothing to run, or is disabled. OTP: `{ok, undefined}`.
    Ignored,
    /// It is done.
    Done,
    /// The children: newest first, or in a dynamic supervisor in no order (SUP-148).
    Children(Vec<Listed>),
    /// One child.
    Child(Listed),
    /// How many.
    Counts(Counts),
    /// The rules.
    ChildSpec(ChildRules),
    /// As it stands.
    Outline(Outline),
    /// A part of a change is done, and the supervisor waits for the next.
    Held,
    /// A change is done, as far as it could be.
    Applied(Applied),
    /// It is not done.
    Refused(Refusal),
}

/// What came of the starts of a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// The children that failed to start, and why. They are down.
    pub failed: Vec<(Arc<str>, ExitReason)>,
    /// The children that were not started because of that. They are down.
    pub held_back: Vec<Arc<str>>,
}

/// One child, as `which_children` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its slot.
    pub slot: Slot,
    /// Its id; that of the template for an instance without rules of its own.
    pub id: Arc<str>,
    /// How it stands. [`ChildState::Fallen`] if it has ended and is yet to be judged: OTP still lists it as running.
    pub state: ChildState,
    /// What it is for.
    pub kind: Kind,
    /// Whether it has said that it is ready to serve; nothing unless it is up, and declares that it says so.
    pub ready: Option<bool>,
}

/// What `count_children` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Specifications; 1 in a dynamic supervisor with a template.
    pub specs: usize,
    /// Children with a process.
    pub active: usize,
    /// Supervisors among the children, with or without a process.
    pub supervisors: usize,
    /// Workers among the children, with or without a process.
    pub workers: usize,
}

impl Counts {
    /// Of these children and how they stand, in a supervisor that knows each.
    pub(crate) fn of<'a>(children: impl Iterator<Item = (&'a ChildRules, ChildState)>) -> Self {
        let mut counts = Self::default();
        for (rules, state) in children {
            counts.specs += 1;
            counts.active += usize::from(state == ChildState::Running);
            match rules.kind {
                Kind::Worker => counts.workers += 1,
                Kind::Supervisor => counts.supervisors += 1,
            }
        }
        counts
    }
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// There is such a child, and it is running (SUP-142).
    AlreadyStarted(Slot),
    /// There is such a child, without a process (SUP-142).
    AlreadyPresent,
    /// It is running; stop it first.
    Running,
    /// Its restart failed and is to be tried again (SUP-073), or waits for its time.
    Restarting,
    /// It is disabled; enable it.
    Disabled,
    /// It is not disabled.
    NotDisabled,
    /// There is no such child.
    NotFound,
    /// Not for dynamic supervisors, whose children are not found by ids (SUP-175, SUP-176), nor started with specifications
    /// of their own where there is a template. OTP: `simple_one_for_one`.
    Dynamic,
    /// Only for dynamic supervisors that have a template.
    NotDynamic,
    /// It needs this child, which is down and does not come up by itself: start that first.
    NeedIsDown(Arc<str>),
    /// It holds as many children as it may. Elixir: `max_children`.
    TooMany,
    /// The rules make no sense here.
    Invalid(SpecError),
    /// It failed to start, for this reason.
    StartFailed(ExitReason),
    /// Whoever asked for it would have waited for itself, and has been told so ([`Event::TakenBack`](crate::Event::TakenBack)).
    TakenBack,
    /// What stands is not what it was when the change was planned, here or further down. Nothing has been done.
    Stale,
}
