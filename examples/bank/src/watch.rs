//! What a run sees of its system: exits, decisions and recoveries, counted as they happen.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;
use minder::{Event, Observer};

/// Counts the events of a system.
#[derive(Debug)]
pub struct Watch {
    seen: Mutex<Seen>,
}

/// What was counted.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Decisions to restart, by the path of the child they are about; a group restart counts once.
    pub restarts: BTreeMap<String, u64>,
    /// Abnormal ends of supervisors, by path.
    pub supervisor_crashes: BTreeMap<String, u64>,
    /// Supervisors that gave up: one restart too many, or a child that could not be started.
    pub escalations: u64,
    /// Microseconds from a crash to the next message handled in the same seat.
    pub recovery_us: Histogram<u64>,
}

impl Default for Watch {
    fn default() -> Self {
        let recovery_us = Histogram::new(3).expect("three digits are a precision that histograms have");
        let seen = Seen {
            restarts: BTreeMap::new(),
            supervisor_crashes: BTreeMap::new(),
            escalations: 0,
            recovery_us,
        };
        Self { seen: Mutex::new(seen) }
    }
}

impl Watch {
    /// What was counted so far.
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The supervisors among the bank's paths.
pub fn is_supervisor(path: &str) -> bool {
    matches!(path, "bank" | "bank/vault" | "bank/front" | "bank/vault/ledgers")
}

impl Observer for Watch {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Decided {
                path,
                child,
                decision: "restart" | "restart group" | "restart later" | "restart group later",
                ..
            } => {
                *self.lock().restarts.entry(format!("{path}/{child}")).or_default() += 1;
            }
            Event::Decided { decision: "give up" | "escalate" | "start failed", .. } => {
                self.lock().escalations += 1
            }
            Event::Exited { path, reason, .. } if reason.is_abnormal() && is_supervisor(path) => {
                *self.lock().supervisor_crashes.entry((*path).to_owned()).or_default() += 1;
            }
            Event::Recovered { after, .. } => {
                let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
                // Refused is only what no histogram can hold.
                let _ = self.lock().recovery_us.record(micros);
            }
            _ => {}
        }
    }
}
