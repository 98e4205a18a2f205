//! The seam through which faults come: a trait that `minder-fault-injection` implements. The runtime asks it at each
//! injection point and does what it says; it never asks whether it is under test.
//! Compiled with the feature `fault-injection` only.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use minder_signals::{ActorId, Control, Moment, PanicReport};

use crate::addr::Addr;
use crate::notice::Notice;

use crate::frame;
use crate::life::{AnyCell, CellCore, Peer};
use crate::system::SystemShared;

/// Decides where faults strike. Set once per system, by `System::inject`.
pub trait Hooks: Send + Sync + 'static {
    /// An actor reached a point. Called for every delivery, so it must be quick.
    fn reached(&self, at: &Site<'_>) -> Option<Fault>;

    /// A fault that [`Hooks::reached`] returned has struck. Not every one does: a panic inside a handler needs an
    /// effect or an await to strike at.
    fn struck(&self, at: &Site<'_>, fault: Fault);

    /// An incarnation begins; here is what to kill it by, should it be idle when its turn comes. Told before its start
    /// is [`reached`](Hooks::reached).
    fn begins(&self, _at: &Site<'_>, _target: Target) {}
}

/// Where an actor is.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// Its path in the tree.
    pub path: &'a str,
    /// Which incarnation.
    pub id: ActorId,
    /// At which point.
    pub point: Point,
    system: &'a SystemShared,
}

impl Site<'_> {
    /// Now, by the system's clock. Read when asked for: most decisions need no time.
    pub fn now(&self) -> Moment {
        self.system.now()
    }
}

impl fmt::Debug for Site<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({} {} at {:?})", self.path, self.id, self.point)
    }
}

/// One incarnation, as whoever may have to kill it holds it. Keeps neither it nor its seat alive.
#[derive(Clone)]
pub struct Target {
    cell: Weak<dyn AnyCell>,
    id: ActorId,
}

impl Target {
    pub(crate) fn of(cell: Arc<dyn AnyCell>, id: ActorId) -> Self {
        Self { cell: Arc::downgrade(&cell), id }
    }

    /// The actor that lives there now, or lived there last.
    pub fn at<M: Send + 'static>(address: &Addr<M>) -> Self {
        Self::of(address.cell.clone(), address.id())
    }

    /// Which incarnation.
    pub fn id(&self) -> ActorId {
        self.id
    }

    /// Whether it lives. One that is being cleared away still does.
    pub fn is_alive(&self) -> bool {
        self.peer().is_some_and(|peer| peer.lives())
    }

    /// Sends it a kill, which takes effect at its next await: at once if it is idle. False if it has ended already.
    pub fn kill(&self) -> bool {
        self.peer().is_some_and(|peer| peer.order(Control::Kill))
    }

    /// Makes it panic without a message: between two messages, at once if it is idle, or at the next await of its
    /// handler. False if it has ended already.
    pub fn crash(&self, why: &str) -> bool {
        self.peer().is_some_and(|peer| peer.order(Control::Crash(why.into())))
    }

    /// Puts a notice in its lane, whether or not what it says has happened. Lost if it has ended already.
    pub fn notify(&self, notice: Notice) {
        if let Some(peer) = self.peer() {
            peer.notify(notice, minder_mailbox::Rank::Ordinary);
        }
    }

    fn peer(&self) -> Option<Peer> {
        self.cell.upgrade().map(|cell| Peer { cell, incarnation: self.id.incarnation() })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.id)
    }
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
    /// The handler sees the message only after this long, by the system's clock. Strikes at messages and notices only.
    /// Orders are obeyed meanwhile, and the time counts for the handler's limit, which may end the actor for it.
    Slow(Duration),
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
    system: Arc<SystemShared>,
}

impl Strike {
    pub(crate) fn at(hooks: &Arc<dyn Hooks>, core: &CellCore, id: ActorId, point: Point) -> Option<Self> {
        let path = core.path();
        let fault = hooks.reached(&Site { path: &path, id, point, system: &core.system })?;
        Some(Self { fault, hooks: hooks.clone(), path, id, point, system: core.system.clone() })
    }

    pub(crate) fn fired(&self) {
        let Self { path, id, point, system, .. } = self;
        self.hooks.struck(&Site { path, id: *id, point: *point, system }, self.fault);
    }
}

/// An incarnation is about to start.
pub(crate) fn begins(hooks: &Arc<dyn Hooks>, cell: Arc<dyn AnyCell>, id: ActorId) {
    let core = cell.core();
    let target = Target::of(cell.clone(), id);
    hooks.begins(&Site { path: &core.path(), id, point: Point::Start, system: &core.system }, target);
}

/// A step of a supervisor: panics here if a fault strikes.
pub(crate) fn at_step(core: &CellCore, id: ActorId, step: &'static str) {
    let Some(hooks) = core.system.hooks.get() else { return };
    if let Some(strike) = Strike::at(hooks, core, id, Point::Step(step))
        && !matches!(strike.fault, Fault::Slow(_))
    {
        strike.fired();
        frame::raise(injected(step));
    }
}
