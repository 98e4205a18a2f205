//! How an incarnation answers what is asked of its machinery (`sys.rs` is the asker's side): between two messages, suspended
//! or not, one request after the other. Those that it does not come to are told of its end.
//! What users gave runs here as any code of theirs: panics caught, and no crash of the actor.

use std::any::{Any, TypeId};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use minder_mailbox::{Mark, Statistics};
use minder_signals::{ActorId, ExitReason, MonitorId};

use crate::attend::Duty;
use crate::context::Context;
use crate::debugging::Debugging;
use crate::hosted::Hosted;
use crate::life::{AnyCell, Minder};
use crate::unheard::Whose;

/// What is to be done at the desk of an incarnation, or told to whoever asked for it if that has ended.
pub(crate) type Request = Box<dyn FnOnce(Result<&mut dyn Desk, &ExitReason>) + Send>;

/// What a request may do to an incarnation, of whatever type.
pub(crate) trait Desk {
    /// Under whose name users' code runs.
    fn whose(&self) -> Whose;
    /// The type of the actor.
    fn type_name(&self) -> &'static str;
    /// See [`Actor::sys_state`](crate::Actor::sys_state), which is user code.
    fn state(&mut self, wanted: TypeId) -> &mut dyn Any;
    fn status(&mut self) -> Status;
    fn debugging(&mut self) -> &mut Debugging;
    /// It is not being changed any more.
    fn settle_debugging(&mut self);
    /// As if its minder asked it to stop, and it trapped exits.
    fn stop(&mut self, reason: ExitReason);
}

/// Requests that have been left with an incarnation, oldest first. As many as there are askers that wait: one that turns
/// away takes its request along.
#[derive(Default)]
pub(crate) struct Requests {
    next: u64,
    waiting: VecDeque<(u64, Request)>,
}

impl Requests {
    /// Puts it last; its number.
    pub(crate) fn push(&mut self, request: Request) -> u64 {
        self.next += 1;
        self.waiting.push_back((self.next, request));
        self.next
    }

    pub(crate) fn take(&mut self, number: u64) -> Option<Request> {
        let at = self.waiting.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(self.waiting.remove(at)?.1)
    }

    /// The incarnation has ended without having come to them.
    pub(crate) fn refuse(self, cell: &Arc<impl AnyCell + 'static>, id: ActorId, reason: &ExitReason) {
        let whose = Whose { cell: cell.clone(), id, work: "sys" };
        for (_, request) in self.waiting {
            carry_out(&whose, || request(Err(reason)));
        }
    }
}

/// What is dropped on the way is user code, too.
fn carry_out(whose: &Whose, request: impl FnOnce()) {
    if let Err(panic) = whose.run(request) {
        whose.tell(&panic);
    }
}

/// Answers what waits. What is left meanwhile comes with an order of its own.
#[cold]
pub(crate) fn answer<A: Hosted>(actor: &mut A, context: &mut Context<A::Msg>, duty: &mut Duty<'_, A::Msg>) {
    let cell = context.cell.clone();
    cell.mailbox.mark(Mark::Asked, false);
    let requests = {
        let mut life = cell.core.life();
        let requests = life.ties_if_any().and_then(|ties| ties.requests.as_mut());
        requests.map(|requests| std::mem::take(&mut requests.waiting)).unwrap_or_default()
    };
    for (_, request) in requests {
        let whose = context.whose("sys");
        carry_out(&whose, || request(Ok(&mut At { actor, context, duty })));
    }
}

/// The state as the actor shows it.
pub(crate) fn shown<A: Hosted>(actor: &A, whose: &Whose) -> Option<String> {
    match whose.run(|| actor.format_status()) {
        Ok(state) => state,
        Err(panic) => Some(format!("`format_status` panicked: {panic}")),
    }
}

struct At<'a, 'd, A: Hosted> {
    actor: &'a mut A,
    context: &'a mut Context<A::Msg>,
    duty: &'a mut Duty<'d, A::Msg>,
}

impl<A: Hosted> Desk for At<'_, '_, A> {
    fn whose(&self) -> Whose {
        self.context.whose("sys")
    }

    fn type_name(&self) -> &'static str {
        A::type_name()
    }

    fn state(&mut self, wanted: TypeId) -> &mut dyn Any {
        self.actor.sys_state(wanted)
    }

    fn status(&mut self) -> Status {
        let state = shown(self.actor, &self.whose());
        let cell = &self.context.cell;
        let (path, minder) = {
            let life = cell.core.life();
            (life.path_or_number(cell.core.number), life.minder.clone())
        };
        let minder = match minder {
            Minder::System(_) => None,
            Minder::Actor(minder) => Some(minder.cell.core().path()),
        };
        let debugging = self.context.extra.as_ref().and_then(|extra| extra.debugging.as_ref());
        Status {
            id: self.context.id(),
            path,
            minder,
            actor: A::type_name(),
            suspended: cell.mailbox.is_marked(Mark::Held),
            traps_exits: cell.mailbox.is_trapping(),
            mailbox: cell.mailbox.statistics(),
            links: self.context.links(),
            monitors: self.context.monitors(),
            debugging: debugging.map(|debugging| debugging.options()).unwrap_or_default(),
            state,
        }
    }

    fn debugging(&mut self) -> &mut Debugging {
        self.context.debugging()
    }

    fn settle_debugging(&mut self) {
        self.context.settle_debugging();
    }

    fn stop(&mut self, reason: ExitReason) {
        self.duty.stop_asked.get_or_insert_with(|| Box::new(reason));
    }
}

/// How an actor stands, between two messages. Its `Display` is a few lines for an operator.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Which incarnation.
    pub id: ActorId,
    /// Where it stands in its tree.
    pub path: Arc<str>,
    /// Where its minder stands; nothing if that is the system.
    pub minder: Option<Arc<str>>,
    /// The type of the actor.
    pub actor: &'static str,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Whether it traps exits.
    pub traps_exits: bool,
    /// What became of the messages offered to it, over all its lives.
    pub mailbox: Statistics,
    /// Whom it is linked to: see [`Context::links`].
    pub links: Vec<ActorId>,
    /// Its monitors that have not fired: see [`Context::monitors`].
    pub monitors: Vec<MonitorId>,
    /// What watches it at its work: `statistics`, `trace`, `log 20`, and the names of functions.
    pub debugging: Vec<String>,
    /// Its state as it shows it: see [`Actor::format_status`](crate::Actor::format_status).
    pub state: Option<String>,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doing = if self.suspended { "suspended" } else { "running" };
        writeln!(f, "{} ({}): {doing}", self.path, self.id)?;
        writeln!(f, "  actor: {}", self.actor)?;
        writeln!(f, "  minder: {}", self.minder.as_deref().unwrap_or("the system"))?;
        let Statistics { queued, handled, .. } = self.mailbox;
        writeln!(f, "  messages: {queued} queued, {handled} handled, {} dead", self.mailbox.dead())?;
        if !self.links.is_empty() || !self.monitors.is_empty() {
            writeln!(f, "  ties: {} links, {} monitors", self.links.len(), self.monitors.len())?;
        }
        if !self.debugging.is_empty() {
            writeln!(f, "  debugging: {}", self.debugging.join(", "))?;
        }
        write!(f, "  state: {}", self.state.as_deref().unwrap_or("not shown"))
    }
}
