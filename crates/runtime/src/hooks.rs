//! The seam through which faults come: a trait that `minder-fault-injection` implements. The runtime asks it at each
//! injection point and does what it says; it never asks whether it is under test.
//! Compiled with the feature `fault-injection` only.

use std::fmt;
use std::sync::Arc;

use minder_signals::{ActorId, PanicReport};

use crate::frame;
use crate::life::CellCore;

/// Decides where faults strike. Set once per system, by `System::inject`.
pub trait Hooks: Send + Sync + 'static {
    /// An actor reached a point. Called for every delivery, so it must be quick.
    fn reached(&self, at: &Site<'_>) -> Option<Fault>;

    /// A fault that [`Hooks::reached`] returned has struck. Not every one does: a panic inside a handler needs an
    /// effect or an await to strike at.
    fn struck(&self, at: &Site<'_>, fault: Fault);
}

/// Where an actor is.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Its path in the tree.
    pub path: &'a str,
    /// Which incarnation.
    pub id: ActorId,
    /// At which point.
    pub point: Point,
}

/// The kinds of injection points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Point {
    /// Its start: before its factory runs.
    Start,
    /// A message, about to be handled; names the type of its messages.
    Message(&'static str),
    /// A notice, about to be handled.
    Notice,
    /// Between two steps of a supervisor; names the one that comes next.
    Step(&'static str),
    /// Its orderly clean-up.
    Stop,
}

/// What can be made to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A panic before the handler sees the message. At a start, a step or a stop: a panic there.
    PanicBefore,
    /// A panic inside the handler: at the first thing it does to the world, in its own frame, or else at its first
    /// await.
    PanicIn,
    /// A panic after the handler is done, its effects made.
    PanicAfter,
    /// An error returned instead of handling the message, or instead of starting.
    Error,
    /// A kill while the message is in hand.
    Kill,
    /// The handler never comes back; only its limit ends it.
    Hang,
}

/// The error that [`Fault::Error`] makes a handler return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InjectedError;

impl fmt::Display for InjectedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("injected error")
    }
}

impl std::error::Error for InjectedError {}

const INJECTED: &str = "injected panic ";
pub(crate) const AT_AN_AWAIT: &str = "at an await";

/// The report of a panic that was made on purpose.
pub(crate) fn injected(place: &str) -> PanicReport {
    PanicReport { text: format!("{INJECTED}{place}"), ..Default::default() }
}

/// Whether a panic was made on purpose.
pub fn is_injected(report: &PanicReport) -> bool {
    report.text.starts_with(INJECTED)
}

/// One fault that was decided on and waits for its moment.
pub(crate) struct Strike {
    pub(crate) fault: Fault,
    hooks: Arc<dyn Hooks>,
    path: Arc<str>,
    id: ActorId,
    point: Point,
}

impl Strike {
    pub(crate) fn at(hooks: &Arc<dyn Hooks>, core: &CellCore, id: ActorId, point: Point) -> Option<Self> {
        let path = core.path();
        let fault = hooks.reached(&Site { path: &path, id, point })?;
        Some(Self { fault, hooks: hooks.clone(), path, id, point })
    }

    pub(crate) fn fired(&self) {
        self.hooks.struck(&Site { path: &self.path, id: self.id, point: self.point }, self.fault);
    }
}

/// A step of a supervisor: panics here if a fault strikes.
pub(crate) fn at_step(core: &CellCore, id: ActorId, step: &'static str) {
    let Some(hooks) = core.system.hooks.get() else { return };
    if let Some(strike) = Strike::at(hooks, core, id, Point::Step(step)) {
        strike.fired();
        frame::raise(injected(step));
    }
}
