//! The simulator: one seed, one run. Actors, supervisors and whatever [`World::spawn`] adds run on one thread, one step
//! at a time, in an order that is decided here and nowhere else; time is simulated and moves only when nobody can run.
//!
//! The code that runs is the code of production: a [`System`](minder::System) that is built inside lives in the
//! simulator without being told. `ctx.blocking` runs inline, `ctx.random` is seeded, and deadlines are exact to the
//! millisecond.
//!
//! ```
//! use std::time::Duration;
//! use minder::prelude::*;
//! use minder_fault_injection::sim::Sim;
//!
//! struct Slow;
//! impl Actor for Slow {
//!     type Msg = Reply<&'static str>;
//!     async fn handle(&mut self, reply: Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
//!         context.sleep(Duration::from_millis(1234)).await;
//!         drop(reply.send("done"));
//!         Ok(())
//!     }
//! }
//!
//! let run = Sim::seeded(7).run(|world| async move {
//!     let system = System::new().expect("the simulator can host one");
//!     let slow = system.spawn(|| Slow).expect("it is not shutting down");
//!     let answer = slow.ask(|reply| reply).await;
//!     (answer, world.now())
//! });
//! let (answer, now) = run.result.expect("nothing left the simulator");
//! assert_eq!((answer.expect("it answers"), now), ("done", Duration::from_millis(1234)));
//! ```
//!
//! # How it works
//! The executor is the single root future of a tokio current-thread runtime whose clock is paused: tokio supplies the
//! clock, timers and channels, and every scheduling decision is made in `ready.rs`. What nobody can decide here is
//! found and refused by name ([`Escape`]): tasks on tokio itself, blocking threads, and wakes from foreign threads.
//!
//! # When not to use this
//! For throughput: a step costs what it costs, and nothing runs beside it. For code that reads a wall clock, or does
//! its work on threads of its own: it runs, and no seed repeats it. `tokio::select!` without `biased` draws from a seed
//! that cannot be set on stable Rust; [`check_repeats`] finds it.

mod chronicle;
mod error;
mod executor;
mod inbox;
mod ready;
mod trace;
mod world;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use minder::ShutdownReport;
use minder_runtime::host;
use tokio::runtime::{Builder, Handle, Runtime};

pub use chronicle::Ended;
pub use error::{Escape, SimError};
pub use ready::Policy;
pub use world::{Spawned, World};

pub(crate) use world::Shared;

use executor::{Executor, Limits, MAIN};
use world::Caught;

/// A simulation to be: how tasks are scheduled, and when a run is given up.
#[derive(Clone, Debug)]
pub struct Sim {
    policy: Policy,
    limits: Limits,
    patience: Duration,
    is_recording: bool,
}

/// One run of a simulation.
pub struct Run<T> {
    /// What the code of the run returned, or why it came to nothing.
    pub result: Result<T, SimError>,
    /// The hash of all that was decided and all that ended: equal for equal runs, also across processes.
    pub hash: u64,
    /// How many times a task was polled.
    pub steps: u64,
    /// How much simulated time passed.
    pub took: Duration,
    /// How each system stopped at the end, in the reverse order in which they were built. Empty if the run came to
    /// nothing before that.
    pub stops: Vec<ShutdownReport>,
    /// Who was still there after that, by path.
    pub leaked: Vec<Arc<str>>,
    /// Who did not stop in the time that its spec gives it, while the systems were stopped, and was killed.
    pub late: Vec<Arc<str>>,
    /// Who ran at each step, if the simulation was [`Sim::recording`].
    pub order: Vec<Arc<str>>,
    shared: Option<Arc<Shared>>,
}

impl<T> Run<T> {
    /// What happened, a line each: the last so many events.
    pub fn story(&self, lines: usize) -> String {
        self.shared.as_ref().map_or_else(String::new, |shared| shared.chronicle().story(lines))
    }

    /// The ends of lives, the last ten thousand.
    pub fn exits(&self) -> Vec<Ended> {
        self.shared.as_ref().map_or_else(Vec::new, |shared| shared.chronicle().exits().cloned().collect())
    }
}

impl<T: fmt::Debug> fmt::Debug for Run<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("result", &self.result)
            .field("hash", &self.hash)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl Sim {
    /// Tasks are scheduled by this policy; see [`Policy`].
    pub fn new(policy: Policy) -> Self {
        let limits = Limits { horizon: Duration::from_secs(86_400), spin: 10_000_000 };
        Self { policy, limits, patience: Duration::from_secs(60), is_recording: false }
    }

    /// Tasks are scheduled first come, first served.
    pub fn fifo() -> Self {
        Self::new(Policy::Fifo)
    }

    /// Tasks are scheduled by chance, from this seed.
    pub fn seeded(seed: u64) -> Self {
        Self::new(Policy::Seeded(seed))
    }

    /// How much simulated time the code of the run may wait for anything but [`World::advance`] and the like before it
    /// counts as stuck; a day unless said otherwise, a year at most.
    #[must_use]
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.limits.horizon = horizon.min(Duration::from_secs(365 * 86_400));
        self
    }

    /// How many steps may be taken without time moving or the code of the run going on; ten million unless said
    /// otherwise. Ten times as many if it does go on.
    #[must_use]
    pub fn spin_limit(mut self, steps: u64) -> Self {
        self.limits.spin = steps;
        self
    }

    /// How long, in simulated time, each system is given to stop at the end; a minute unless said otherwise.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Writes down who runs at each step, for [`Run::order`].
    #[must_use]
    pub fn recording(mut self, is_recording: bool) -> Self {
        self.is_recording = is_recording;
        self
    }

    /// Runs this code and everybody it brings to life, until it ends; then stops the systems that were built.
    pub fn run<T, F: Future<Output = T>>(&self, code: impl FnOnce(World) -> F) -> Run<T> {
        if Handle::try_current().is_ok() {
            return Run::failed(SimError::InsideRuntime);
        }
        let threads = Arc::new(AtomicBool::new(false));
        let runtime = match runtime(&threads) {
            Ok(runtime) => runtime,
            Err(error) => return Run::failed(SimError::NoRuntime(error.to_string())),
        };
        let run = runtime.block_on(tokio::task::unconstrained(self.run_inside(code, &threads)));
        if threads.load(Ordering::Acquire) {
            // The thread of whoever escaped may never come back; it is not waited for.
            runtime.shutdown_background();
        }
        run
    }

    async fn run_inside<T, F: Future<Output = T>>(
        &self,
        code: impl FnOnce(World) -> F,
        threads: &Arc<AtomicBool>,
    ) -> Run<T> {
        let seed = match self.policy {
            Policy::Seeded(seed) => seed,
            Policy::Fifo => 0,
        };
        let shared = Arc::new(Shared::new(seed));
        let _inside = shared.inbox.enter();
        let _hosted = host::enter(shared.clone());
        let mut outcome = None;
        let (mut stops, mut leaked) = (Vec::new(), Vec::new());
        let world = World { shared: shared.clone() };
        let mut executor =
            Executor::new(shared.clone(), self.policy, self.limits, self.is_recording, threads.clone());
        let main = async {
            outcome = Some(Caught::new(async { code(world.clone()).await }).await);
            shared.chronicle().ends();
            for system in shared.systems().into_iter().rev() {
                stops.push(system.shutdown(self.patience).await);
            }
            world.settle().await;
            leaked = shared.chronicle().living();
        };
        let ended = executor.run(main).await;
        let log = std::mem::take(&mut executor.log);
        let (steps, mut hash) = (executor.steps, executor.hash);
        let panic = shared.inbox.lock().panics.pop();
        drop(executor); // and with it the tasks that are left
        shared.forget_systems();
        hash.fold(shared.chronicle().hash());
        let result = match (ended, outcome, panic) {
            (Err(error), ..) => Err(error),
            (Ok(()), Some(Err(text)), _) => Err(SimError::Panicked { who: MAIN.into(), text }),
            (Ok(()), Some(Ok(_)), Some((who, text))) => Err(SimError::Panicked { who, text }),
            (Ok(()), Some(Ok(value)), None) => Ok(value),
            // Its own panic, where nothing could catch it: in the drop of what it had made, say.
            (Ok(()), None, panic) => {
                let (who, text) = panic.unwrap_or_else(|| (MAIN.into(), "it has no result".to_owned()));
                Err(SimError::Panicked { who, text })
            }
        };
        let (order, late) = (log.into_steps(), shared.chronicle().late());
        let (hash, took) = (hash.value(), shared.now());
        Run { result, hash, steps, took, stops, leaked, late, order, shared: Some(shared.clone()) }
    }
}

impl<T> Run<T> {
    fn failed(error: SimError) -> Self {
        Self {
            result: Err(error),
            hash: 0,
            steps: 0,
            took: Duration::ZERO,
            stops: Vec::new(),
            leaked: Vec::new(),
            late: Vec::new(),
            order: Vec::new(),
            shared: None,
        }
    }
}

/// A tokio runtime of this thread alone, its clock paused, that says when it makes a thread.
fn runtime(threads: &Arc<AtomicBool>) -> std::io::Result<Runtime> {
    let threads = threads.clone();
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        // Called in the thread that asks for another one, so that it is known whose code that was.
        .thread_name_fn(move || {
            threads.store(true, Ordering::Release);
            "past the simulator".to_owned()
        })
        .build()
}

/// Runs the same simulation twice and compares the runs, step by step. Returns the second one.
///
/// # Errors
/// [`SimError::Diverged`] if they are not the same.
pub fn check_repeats<T, F: Future<Output = T>>(
    sim: &Sim,
    code: impl Fn(World) -> F,
) -> Result<Run<T>, SimError> {
    let sim = sim.clone().recording(true);
    let (first, second) = (sim.run(&code), sim.run(&code));
    if first.hash == second.hash && first.steps == second.steps {
        return Ok(second);
    }
    let differs = |at: &usize| first.order.get(*at) != second.order.get(*at);
    let longest = first.order.len().max(second.order.len());
    let at = (0..longest).find(differs).unwrap_or(longest);
    Err(SimError::Diverged {
        step: at as u64 + 1,
        first: first.order.get(at).cloned(),
        second: second.order.get(at).cloned(),
    })
}
