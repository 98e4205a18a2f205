//! Crash reports: what is known of an actor that ends abnormally, beyond its exit, put together for whoever has to find out why.
//! Off unless the system wants them; then a crash pays for its own report, and nobody pays before one.
//! What an actor shows of itself is its own decision (`format_status`, `Debugging::describe`).

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use minder_signals::{ActorId, ExitReason};

use crate::context::Context;
use crate::debugging::Logged;
use crate::desk;
use crate::events::Event;
use crate::hosted::Hosted;
use crate::life::Peer;
use crate::reply::Envelope;
use crate::system::{System, SystemBuilder};

/// How many of those who end along are named.
const NEIGHBOURS: usize = 16;

/// What is known of a crash: see [`SystemBuilder::crash_reports`]. Its `Display` is a few lines for whoever reads the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CrashReport {
    /// Where the actor stood in its tree, below all who minded it.
    pub path: Arc<str>,
    /// Which incarnation.
    pub id: ActorId,
    /// The type of the actor.
    pub actor: &'static str,
    /// The type of its messages.
    pub messages: &'static str,
    /// Why it ended. A panic says where, and with `RUST_BACKTRACE` set how it got there.
    pub reason: ExitReason,
    /// Whether its start had been acknowledged.
    pub started: bool,
    /// What it had in hand, if it kept a log of what it is at: see [`Debugging::log`](crate::Debugging::log) and
    /// [`describe`](crate::Debugging::describe).
    pub in_hand: Option<String>,
    /// The path of the actor that asked for what was in hand, if one did and waits for the answer.
    pub asked_by: Option<Arc<str>>,
    /// The log that it kept, oldest first.
    pub log: Vec<Logged>,
    /// Its state as it shows it: see [`Actor::format_status`](crate::Actor::format_status).
    pub state: Option<String>,
    /// How many messages waited for it.
    pub queued: u64,
    /// Who ends along, by path: those whom it minds, those whom it is linked to and who do not trap exits, and so on from them;
    /// 16 at most.
    pub neighbours: Vec<Arc<str>>,
}

/// What is seen of an actor before its value is dropped.
#[derive(Default)]
pub(crate) struct Seen {
    in_hand: Option<String>,
    asked_by: Option<Arc<str>>,
    log: Vec<Logged>,
    state: Option<String>,
}

/// What an actor has in hand at its end was asked for with this envelope, or with the one it came with when it was handled
/// before: notes who waits for the answer, if the system wants to know.
pub(crate) fn note_asker<M: Send + 'static>(
    context: &mut Context<M>,
    envelope: Option<&Envelope<M>>,
    reason: &ExitReason,
) {
    let system = System::of(&context.cell.core.system);
    if !system.shared.crash_reports || !reason.is_abnormal() {
        return;
    }
    let past = context.extra.as_ref().and_then(|extra| extra.past.as_ref()?.slot.as_ref());
    let asker = envelope.or(past).map_or(0, |envelope| envelope.asker());
    if asker == 0 {
        return;
    }
    // By its place in memory, which is its own for as long as it waits.
    let found = system.actors().find(|actor| actor.peer.cell.core().address() == asker);
    context.extra().asked_by = found.map(|actor| Box::new(actor.path()));
}

impl Seen {
    /// Nothing unless the system wants to know of it. Boxed: it is kept while the actor is cleared away.
    pub(crate) fn of<A: Hosted>(
        actor: Option<&A>,
        context: &Context<A::Msg>,
        reason: &ExitReason,
    ) -> Option<Box<Self>> {
        if !context.cell.core.system.crash_reports || !reason.is_abnormal() {
            return None;
        }
        let mut seen = Self::default();
        if let Some(debugging) = context.extra.as_ref().and_then(|extra| extra.debugging.as_ref()) {
            seen.log = debugging.logged();
            seen.in_hand = debugging.in_hand();
        }
        seen.asked_by = context.extra.as_ref().and_then(|extra| extra.asked_by.as_deref().cloned());
        seen.state = actor.and_then(|actor| desk::shown(actor, &context.whose("crash report")));
        Some(Box::new(seen))
    }
}

/// Tells of the end of an actor whose ties are still there, if the system wants that and it is abnormal.
pub(crate) fn tell<A: Hosted>(context: &Context<A::Msg>, reason: &ExitReason, seen: Option<Box<Seen>>) {
    let core = &context.cell.core;
    if !core.system.crash_reports || !reason.is_abnormal() {
        return;
    }
    let Seen { in_hand, asked_by, log, state } = seen.map(|seen| *seen).unwrap_or_default();
    let report = CrashReport {
        path: core.path(),
        id: context.id(),
        actor: A::type_name(),
        messages: std::any::type_name::<A::Msg>(),
        reason: reason.clone(),
        started: context.acknowledged,
        in_hand,
        asked_by,
        log,
        state,
        queued: context.cell.mailbox.len(),
        neighbours: neighbours(context.peer()),
    };
    core.system.report(&Event::Crashed { report: &report });
}

/// Who ends along with it, the nearest first.
fn neighbours(one: Peer) -> Vec<Arc<str>> {
    let (mut known, mut paths) = (HashSet::from([one.id()]), Vec::new());
    let mut along = VecDeque::from([one]);
    while let Some(one) = along.pop_front() {
        for other in one.ends_along() {
            if paths.len() == NEIGHBOURS {
                return paths;
            }
            if known.insert(other.id()) {
                paths.push(other.cell.core().path());
                along.push_back(other);
            }
        }
    }
    paths
}

impl Peer {
    /// Its children, and those whom it is linked to and who do not trap exits, in order. One life is locked at a time.
    fn ends_along(&self) -> Vec<Self> {
        let (children, mut links) = {
            let mut life = self.cell.core().life();
            let Some(ties) = life.is(self.id()).then(|| life.ties_if_any()).flatten() else {
                return Vec::new();
            };
            let children: Vec<Self> = ties.children.values().take(NEIGHBOURS).cloned().collect();
            let links: Vec<Self> = ties.links.values().map(|link| link.peer.clone()).collect();
            (children, links)
        };
        links.retain(|linked| !linked.cell.traps_exits());
        links.sort_unstable_by_key(Self::id);
        children.into_iter().chain(links).collect()
    }
}

impl SystemBuilder {
    /// Tells an [`Event::Crashed`] of each abnormal end, before its [`Event::Exited`]: with the actor's state as it shows it, what
    /// it had in hand, what it did last, and who ends along. Off unless this is called.
    ///
    /// When to use this: where crashes are rare and are to be understood. When not: where they are everyday, since each of them
    /// formats a state, looks at up to 16 other lives, and at all of them to find who asked, if an actor did;
    /// [`Event::Exited`] says why and where at no such price.
    ///
    /// An actor shows its state by [`Actor::format_status`](crate::Actor::format_status), which runs after a panic too, when the
    /// state may be anything: what it panics with stands in the report. What it had in hand is known if it is watched from its
    /// start on, by [`Context::debug`](crate::Context::debug) with [`log`](crate::Debugging::log) and
    /// [`describe`](crate::Debugging::describe); that does cost something with each message.
    ///
    /// # OTP
    /// The crash reports of `proc_lib` and `gen_server`.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use minder_runtime::{Actor, Context, Event, Handled, Observer, System};
    ///
    /// #[derive(Default)]
    /// struct Till { cents: u64 }
    ///
    /// impl Actor for Till {
    ///     type Msg = u64;
    ///     async fn started(&mut self, context: &mut Context<u64>) -> Handled {
    ///         context.debug(|debugging| {
    ///             debugging.log(3);
    ///             debugging.describe(|cents: &u64| format!("{cents} cents"));
    ///         });
    ///         Ok(())
    ///     }
    ///     async fn handle(&mut self, cents: u64, _: &mut Context<u64>) -> Handled {
    ///         assert!(cents < 100, "too much");
    ///         self.cents += cents;
    ///         Ok(())
    ///     }
    ///     fn format_status(&self) -> Option<String> {
    ///         Some(format!("{} cents", self.cents))
    ///     }
    /// }
    ///
    /// #[derive(Default)]
    /// struct Reports(Mutex<Vec<String>>);
    /// impl Observer for Reports {
    ///     fn event(&self, event: &Event<'_>) {
    ///         if let Event::Crashed { report } = event {
    ///             let line = format!("{} with {:?} in hand", report.state.as_deref().unwrap_or("?"), report.in_hand);
    ///             self.0.lock().expect("nobody panics in here").push(line);
    ///         }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let reports = Arc::new(Reports::default());
    /// let system = System::builder().observer(reports.clone()).crash_reports().build()?;
    /// let till = system.spawn(Till::default)?;
    /// till.tell(5_u64)?;
    /// till.tell(500_u64)?;
    /// till.ended().await;
    /// let told = reports.0.lock().expect("nobody panics in here");
    /// assert_eq!(*told, ["5 cents with Some(\"message: 500 cents\") in hand"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn crash_reports(mut self) -> Self {
        self.crash_reports = true;
        self
    }
}

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}) crashed: {}", self.path, self.id, self.reason)?;
        writeln!(f, "  actor: {}, which takes {}", self.actor, self.messages)?;
        writeln!(f, "  in hand: {}", self.in_hand.as_deref().unwrap_or("not known"))?;
        if let Some(asker) = &self.asked_by {
            writeln!(f, "  asked by: {asker}")?;
        }
        writeln!(f, "  state: {}", self.state.as_deref().unwrap_or("not shown"))?;
        self.log.iter().try_for_each(|logged| writeln!(f, "  before: {logged}"))?;
        writeln!(f, "  messages queued: {}", self.queued)?;
        write!(f, "  ends along: ")?;
        match self.neighbours.as_slice() {
            [] => f.write_str("nobody"),
            all => f.write_str(&all.join(", ")),
        }
    }
}
