//! Why a run came to nothing: it left the simulator, or it could not go on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a run has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimError {
    /// Something happened past the simulator, so that it can neither decide nor repeat what it leads to.
    Escaped {
        /// Whose code it was: the path of an actor, the name of a task, or `the test`.
        who: Arc<str>,
        /// How.
        how: Escape,
    },
    /// The code of the run itself, or a task nobody waited for, panicked.
    Panicked {
        /// Whose code it was.
        who: Arc<str>,
        /// What the panic said.
        text: String,
    },
    /// The test waits, and for this long of simulated time nothing has come of it.
    Stuck(Duration),
    /// So many steps were taken without time moving: somebody runs in circles.
    Spinning {
        /// How many steps.
        steps: u64,
        /// Who took the last of them.
        who: Vec<Arc<str>>,
    },
    /// The caller is inside a tokio runtime.
    InsideRuntime,
    /// The tokio runtime that keeps the time cannot be made.
    NoRuntime(String),
    /// Twice the same seed, and not the same run.
    Diverged {
        /// The first step that differs, counted from 1.
        step: u64,
        /// Who took it in the first run; nobody if that had ended.
        first: Option<Arc<str>>,
        /// And in the second.
        second: Option<Arc<str>>,
    },
}

/// The ways past the simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Escape {
    /// A task on tokio itself: `tokio::spawn`, or a `JoinSet`.
    TokioTask,
    /// A thread of tokio's pool: `spawn_blocking`, or `tokio::fs`.
    BlockingThread,
    /// A wake from a thread of this name.
    ForeignThread(String),
}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Escaped { who, how } => write!(f, "{who} left the simulator: {how}"),
            Self::Panicked { who, text } => write!(f, "{who} panicked: {text}"),
            Self::Stuck(waited) => write!(
                f,
                "the test is stuck: it has waited for {} s of simulated time, and nothing that it waits for came of \
                 it; look for an answer that nobody gives, or give `Sim::horizon` more time",
                waited.as_secs()
            ),
            Self::Spinning { steps, who } => write!(
                f,
                "{steps} steps were taken without time moving; the last by {}: look for a loop that waits by \
                 yielding, or for actors that answer each other for ever",
                who.join(", ")
            ),
            Self::InsideRuntime => f.write_str(
                "the simulator brings its own tokio runtime and cannot run inside another: call it from a plain \
                 function, or use `#[minder_fault_injection::test]` instead of `#[tokio::test]`",
            ),
            Self::NoRuntime(error) => write!(f, "no tokio runtime for the simulator: {error}"),
            Self::Diverged { step, first, second } => {
                let name = |who: &Option<Arc<str>>| who.clone().unwrap_or_else(|| "nobody".into());
                write!(
                    f,
                    "not deterministic: the same seed took another way at step {step} ({} ran there, and {} when it \
                     was repeated); look for `tokio::select!` without `biased`, the order of a HashMap, a wall \
                     clock, or unseeded randomness",
                    name(first),
                    name(second)
                )
            }
        }
    }
}

impl fmt::Display for Escape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokioTask => f.write_str(
                "it spawned a task on tokio itself (`tokio::spawn` or a `JoinSet`), whose order cannot be decided \
                 here and which nobody minds; make it a child (`task(..)` in a spec, or `ctx.spawn`)",
            ),
            Self::BlockingThread => f.write_str(
                "it used a thread of tokio's pool (`spawn_blocking` or `tokio::fs`), whose end comes at a time of \
                 its own; use `ctx.blocking`, which runs inline in simulation",
            ),
            Self::ForeignThread(thread) => write!(
                f,
                "it was woken, or given a task, by the thread `{thread}`, which is none of the simulator's; use \
                 `ctx.blocking` for what blocks, and an actor or a `Probe` for what the thread stands for"
            ),
        }
    }
}

impl std::error::Error for SimError {}
