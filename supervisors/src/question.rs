//! What a `Root` asks its supervisor for, and what comes back: requests and answers of the core, with recipes and
//! references to processes in the place of rules and slots.

use std::sync::Arc;

use minder_runtime::{ActorRef, ExitReason, Recipe};
use minder_supervisors_core::{ChildRules, Counts, Refusal};

use crate::apply::{ApplyError, Incomplete, Wanted};
use crate::child::{Child, ChildSpec};
use crate::explain::layout::Described;
use crate::plan::Sketch;
use crate::readiness::Sighting;
use crate::root::ChildInfo;
use crate::supervisor::Baton;
use crate::template::Mark;

pub(crate) enum Question {
    StartChild(Box<Child>),
    StartInstance(Instance),
    Terminate(Named),
    Restart(Arc<str>),
    Disable(Arc<str>),
    Enable(Arc<str>),
    Delete(Arc<str>),
    WhichChildren,
    WhichChild(Named),
    CountChildren,
    ChildSpec(Named),
    /// Answered when all children are ready.
    WhenReady,
    /// Answered at once.
    Unready,
    /// Answered at once, whatever the supervisor is at.
    Describe,
    /// How it stands, for a plan.
    Sketch,
    /// To become another.
    Apply(Box<Wanted>),
    /// Never answered: whoever asks is told of the end.
    Stop(ExitReason),
}

/// An instance to be.
pub(crate) struct Instance {
    pub(crate) template: Mark,
    pub(crate) recipe: Recipe,
    pub(crate) name: Option<Arc<str>>,
    /// Rules of its own, in place of the template's.
    pub(crate) own: Option<ChildRules>,
}

/// Which child is meant.
pub(crate) enum Named {
    Id(Arc<str>),
    /// Whoever sits in this cell, and whether anybody lived there when it was asked.
    Actor {
        cell: u64,
        alive: bool,
    },
}

impl Named {
    pub(crate) fn id(id: &str) -> Self {
        Self::Id(Arc::from(id))
    }

    pub(crate) fn actor(actor: &ActorRef) -> Self {
        Self::Actor { cell: actor.id().cell(), alive: actor.is_alive() }
    }
}

pub(crate) enum Outcome {
    Started(ActorRef),
    AlreadyStarted(ActorRef),
    Ignored,
    Done,
    Children(Vec<ChildInfo>),
    Child(ChildInfo),
    Counts(Counts),
    ChildSpec(ChildSpec),
    Described(Box<Described>),
    Refused(Refusal),
    OtherTemplate,
    Sighting(Sighting),
    Sketch(Box<Sketch>),
    /// A part of a change is done; the next is for whoever holds the baton to ask for.
    Held(Baton),
    Applied(Incomplete),
    NotApplied(ApplyError),
}

impl Outcome {
    /// For the arms that a request's answers cannot reach.
    pub(crate) fn out_of_place<T>(self, request: &str) -> T {
        unreachable!("the core does not answer {request} so")
    }
}
