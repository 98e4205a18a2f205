//! What a system tells whoever watches it: one event per start and exit, per actor that is ready to serve, per
//! supervisor decision, per recovery, and per error or panic that reached nobody. Every event also goes to `tracing`,
//! under the targets `minder::start`, `minder::ready`, `minder::crash`, `minder::exit`, `minder::decision`, `minder::recovery`,
//! `minder::mailbox`, `minder::stall` and `minder::unheard`.

use std::thread::Thread;
use std::time::Duration;

use crate::crash_report::CrashReport;
use minder_signals::{ActorId, ExitReason, PanicReport, SupervisorReport};

/// Something worth telling operators.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An incarnation has acknowledged its start.
    Started {
        /// Where it stands in its tree.
        path: &'a str,
        /// Which incarnation.
        id: ActorId,
    },
    /// An incarnation that is up has said that it is ready to serve: see [`Context::ready`](crate::Context::ready).
    Ready {
        /// Where it stands in its tree.
        path: &'a str,
        /// Which incarnation.
        id: ActorId,
    },
    /// A start found nothing to run, and nothing is left of it.
    Ignored {
        /// Where it would have stood.
        path: &'a str,
        /// Which incarnation it would have been.
        id: ActorId,
    },
    /// What is known of an abnormal end, right before it is told: see
    /// [`SystemBuilder::crash_reports`](crate::SystemBuilder::crash_reports).
    Crashed {
        /// All of it.
        report: &'a CrashReport,
    },
    /// An incarnation ended and nothing is left of it.
    Exited {
        /// Where it stood in its tree.
        path: &'a str,
        /// Which incarnation.
        id: ActorId,
        /// Why.
        reason: &'a ExitReason,
        /// Whether its start had been acknowledged; if not, this is a failed start.
        started: bool,
        /// Whether the end counts as its own: see [`ChildEvent::Exited`](crate::ChildEvent::Exited).
        charged: bool,
    },
    /// A minder decided what to do about a child.
    Decided {
        /// Where the minder stands in its tree.
        path: &'a str,
        /// The child it is about.
        child: &'a str,
        /// What is done, in a word or two.
        decision: &'static str,
        /// What it was decided on.
        reason: Option<&'a ExitReason>,
        /// Restarts within the period, this one included.
        restarts: u32,
        /// How many there may be.
        limit: u32,
        /// How long a restart waits, at most, if it does.
        delay: Option<Duration>,
        /// What OTP's supervisor would report of it; nothing of most clean ends. So an observer that wants OTP's error
        /// reports takes the decisions that have some, and the log shows these as warnings.
        reports: &'static [SupervisorReport],
    },
    /// An actor handled its first message after a crash.
    Recovered {
        /// Where it stands in its tree.
        path: &'a str,
        /// Which incarnation handled it.
        id: ActorId,
        /// How long after the crash.
        after: Duration,
    },
    /// More messages wait for an actor than the system's upper mark allows: see
    /// [`SystemBuilder::long_mailboxes`](crate::SystemBuilder::long_mailboxes).
    MailboxLong {
        /// Where it stands in its tree.
        path: &'a str,
        /// Which incarnation lives there, or lived there last.
        id: ActorId,
        /// How many waited.
        queued: u64,
    },
    /// After [`MailboxLong`](Event::MailboxLong): no more wait for it than the lower mark says.
    MailboxShort {
        /// Where it stands in its tree.
        path: &'a str,
        /// Which incarnation lives there, or lived there last.
        id: ActorId,
        /// How many still wait.
        queued: u64,
    },
    /// Code of an actor holds its thread for too long without an await, and goes on: see
    /// [`SystemBuilder::watchdog`](crate::SystemBuilder::watchdog).
    Stalled {
        /// Where it stands in its tree.
        path: &'a str,
        /// Which incarnation.
        id: ActorId,
        /// `start`, the type of the messages that it handles, the job's name, or `stream`.
        work: &'a str,
        /// Which thread it holds.
        thread: &'a Thread,
        /// How long it has gone on, at least.
        lasts: Duration,
    },
    /// After [`Stalled`](Event::Stalled): it has come to its end, or awaits. All but `lasted` as was told then.
    StallOver {
        /// Where it stood in its tree.
        path: &'a str,
        /// Which incarnation; it may have ended.
        id: ActorId,
        /// What it was at.
        work: &'a str,
        /// Which thread it held.
        thread: &'a Thread,
        /// How long it went on, at least: from the first look at it to the last.
        lasted: Duration,
    },
    /// A method of an `#[actor]` returned an error that reached nobody: its message was told and not asked, or whoever
    /// asked had turned away. Counted by [`System::unheard_errors`](crate::System::unheard_errors).
    Unheard {
        /// Where the actor stands in its tree.
        path: &'a str,
        /// Which incarnation.
        id: ActorId,
        /// The message whose method returned the error.
        message: &'static str,
        /// The error, as text.
        error: &'a str,
    },
    /// Work beside an actor's handlers panicked, and no handler hears of it: a blocking closure or a job whose result
    /// nobody waits for any more, a stream, whose notice an actor may ignore, or a function that watched it; or the drop of
    /// what an actor [discards](crate::Context::discard).
    UnheardPanic {
        /// Where the actor stands in its tree.
        path: &'a str,
        /// Which incarnation.
        id: ActorId,
        /// The job's name, `stream` or `blocking`; `debug` of what watches an actor, `sys` of what was asked of it,
        /// `recipe` of what a supervisor was given to start children with.
        work: &'a str,
        /// What it said, and where.
        panic: &'a PanicReport,
    },
}

/// Gets every event of a system, in the thread in which it happens: must be quick, and must not wait for actors.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Whether anybody reads of starts in the log.
pub(crate) fn traces_starts() -> bool {
    tracing::enabled!(target: "minder::start", tracing::Level::DEBUG)
}

pub(crate) fn trace(event: &Event<'_>) {
    match event {
        Event::Started { path, id } => {
            tracing::debug!(target: "minder::start", path, %id, "actor started");
        }
        Event::Ready { path, id } => {
            tracing::debug!(target: "minder::ready", path, %id, "actor ready");
        }
        Event::Ignored { path, id } => {
            tracing::debug!(target: "minder::start", path, %id, "nothing to run");
        }
        Event::Crashed { report } => {
            let CrashReport { path, id, actor, reason, in_hand, asked_by, state, queued, neighbours, .. } =
                report;
            let (in_hand, state, along) = (in_hand.as_deref(), state.as_deref(), neighbours.join(", "));
            tracing::error!(target: "minder::crash", path = &**path, %id, actor, reason = %reason, in_hand, asked_by = asked_by.as_deref(), state, queued, along, "actor crashed");
        }
        Event::Exited { path, id, reason, started, charged } => {
            let (path, id, kind) = (*path, tracing::field::display(id), reason.kind());
            let (started, charged) = (*started, *charged);
            if reason.is_abnormal() {
                tracing::warn!(target: "minder::exit", path, %id, kind, started, charged, reason = %reason, "actor ended");
            } else {
                tracing::debug!(target: "minder::exit", path, %id, kind, started, charged, reason = %reason, "actor ended");
            }
        }
        Event::Decided { path, child, decision, reason, restarts, limit, delay, reports } => {
            let is_clean = reason.is_some_and(|reason| !reason.is_abnormal());
            let reason = reason.map(tracing::field::display);
            let delay_ms = delay.map_or(0, |delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
            if !reports.is_empty() {
                tracing::warn!(target: "minder::decision", path, child, decision, reason, restarts, limit, delay_ms, "supervisor decided");
            } else if is_clean {
                tracing::debug!(target: "minder::decision", path, child, decision, reason, restarts, limit, delay_ms, "supervisor decided");
            } else {
                tracing::info!(target: "minder::decision", path, child, decision, reason, restarts, limit, delay_ms, "supervisor decided");
            }
        }
        Event::Recovered { path, id, after } => {
            tracing::debug!(target: "minder::recovery", path, %id, after_us = after.as_micros() as u64, "actor recovered");
        }
        Event::MailboxLong { path, id, queued } => {
            tracing::warn!(target: "minder::mailbox", path, %id, queued, "mailbox long");
        }
        Event::MailboxShort { path, id, queued } => {
            tracing::info!(target: "minder::mailbox", path, %id, queued, "mailbox short again");
        }
        Event::Stalled { path, id, work, thread, lasts } => {
            let (thread, lasts_ms) = (described(thread), lasts.as_millis() as u64);
            tracing::warn!(target: "minder::stall", path, %id, work, thread, lasts_ms, "actor does not yield");
        }
        Event::StallOver { path, id, work, thread, lasted } => {
            let (thread, lasted_ms) = (described(thread), lasted.as_millis() as u64);
            tracing::info!(target: "minder::stall", path, %id, work, thread, lasted_ms, "actor yields again");
        }
        Event::Unheard { path, id, message, error } => {
            tracing::warn!(target: "minder::unheard", path, %id, method = message, error, "an error reached nobody");
        }
        Event::UnheardPanic { path, id, work, panic } => {
            tracing::warn!(target: "minder::unheard", path, %id, work, %panic, "a panic reached nobody");
        }
    }
}

/// Several threads of a runtime have the same name.
fn described(thread: &Thread) -> String {
    format!("{} {:?}", thread.name().unwrap_or("a thread"), thread.id())
}
