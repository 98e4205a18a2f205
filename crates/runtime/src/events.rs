//! What a system tells whoever watches it: one event per exit, per supervisor decision, and per recovery.
//! Every event also goes to `tracing`, under the targets `minder::exit`, `minder::decision` and `minder::recovery`.

use std::time::Duration;

use minder_signals::{ActorId, ExitReason};

/// Something worth telling operators.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
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
}

/// Gets every event of a system, in the thread in which it happens: must be quick, and must not wait for actors.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

pub(crate) fn trace(event: &Event<'_>) {
    match event {
        Event::Exited { path, id, reason, started } => {
            let (path, id, kind, started) = (*path, tracing::field::display(id), reason.kind(), *started);
            if reason.is_abnormal() {
                tracing::warn!(target: "minder::exit", path, %id, kind, started, reason = %reason, "actor ended");
            } else {
                tracing::debug!(target: "minder::exit", path, %id, kind, started, reason = %reason, "actor ended");
            }
        }
        Event::Decided { path, child, decision, reason, restarts, limit } => {
            let reason = reason.map(tracing::field::display);
            tracing::info!(target: "minder::decision", path, child, decision, reason, restarts, limit, "supervisor decided");
        }
        Event::Recovered { path, id, after } => {
            tracing::debug!(target: "minder::recovery", path, %id, after_us = after.as_micros() as u64, "actor recovered");
        }
    }
}
