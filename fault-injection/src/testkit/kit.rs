//! The handle that a test holds: starts trees, crashes whom it likes, moves time, and tells what became of whom.
//! Its sentences are panics, since a test is who hears them.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::Root;
use minder::{IntoActor, ShutdownReport};

use super::probe::Probe;
use super::whom::{Found, Whom};
use crate::sim::{Ended, Spawned, World};
use crate::{Injector, Plan};

/// How long [`Kit::shutdown`] waits, in simulated time.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a test in the simulator works with. Clones are the same.
#[derive(Clone)]
pub struct Kit {
    world: World,
    system: System,
    roots: Arc<AtomicU32>,
}

impl Kit {
    /// A kit with a system of its own, inside a run of the simulator.
    ///
    /// # Panics
    /// If there can be no system.
    pub fn new(world: World) -> Self {
        let system = System::new().unwrap_or_else(|error| panic!("no system: {error}"));
        Self { world, system, roots: Arc::default() }
    }

    /// The run.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The system of this test. Others may be built beside it; all are stopped and judged at the end.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.world.seed()
    }

    /// A random number, from the seed of the run.
    pub fn random(&self) -> u64 {
        self.world.random()
    }

    // --- starting ----------------------------------------------------------------------------------------------

    /// An address and its seat, as [`System::address`].
    pub fn address<M: Send + 'static>(&self) -> (Addr<M>, Seat<M>) {
        self.system.address()
    }

    /// Starts a tree and waits until all of it is up. Its name is `app`; of a second one, `app-2`, and so on.
    ///
    /// # Panics
    /// If it does not start.
    #[track_caller]
    pub fn start(&self, spec: Spec) -> impl Future<Output = Root> + use<> {
        let name = self.next_name();
        self.start_as(&name, spec)
    }

    /// Starts a tree under a name of its own and waits until all of it is up.
    ///
    /// # Panics
    /// If it does not start.
    #[track_caller]
    pub fn start_as(&self, name: &str, spec: Spec) -> impl Future<Output = Root> + use<> {
        let (kit, name, at) = (self.clone(), name.to_owned(), Location::caller());
        async move {
            let root = spec.start(&kit.system, &name).await;
            root.unwrap_or_else(|error| panic!("`{name}`: {error} (asked for at {at})"))
        }
    }

    /// Starts one actor, under a supervisor that restarts it as often as the test crashes it: a thousand times within
    /// five seconds.
    ///
    /// # Panics
    /// If it does not start.
    #[track_caller]
    pub fn supervise<R, F>(
        &self,
        name: &str,
        make: F,
    ) -> impl Future<Output = Addr<<R::Actor as Actor>::Msg>> + use<R, F>
    where
        R: IntoActor + 'static,
        F: Fn() -> R + Clone + Send + Sync + 'static,
    {
        let (address, seat) = self.address();
        let spec = one_for_one().limit(1_000, Duration::from_secs(5)).child(actor_in(name, seat, make));
        let starting = self.start(spec);
        async move {
            starting.await;
            address
        }
    }

    fn next_name(&self) -> String {
        match self.roots.fetch_add(1, Ordering::Relaxed) {
            0 => "app".to_owned(),
            earlier => format!("app-{}", earlier + 1),
        }
    }

    /// Starts a probe: an actor that plays the rest of the world.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn probe<M: Send + 'static>(&self, name: &str) -> Probe<M> {
        let probe = Probe::start(self.world.clone(), &self.system, name).await;
        probe.unwrap_or_else(|reason| panic!("the probe `{name}` did not start: {reason}"))
    }

    /// Runs a task beside the actors, such as a client of theirs; see [`World::spawn`].
    pub fn spawn<T: Send + 'static>(
        &self,
        name: &str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Spawned<T> {
        self.world.spawn(name, work)
    }

    /// Arms a plan of faults in this test's system; one per test.
    ///
    /// # Panics
    /// If the plan makes no sense, or there is one already.
    #[track_caller]
    pub fn inject(&self, plan: Plan) -> Injector {
        Injector::arm(plan, &self.system).unwrap_or_else(|error| panic!("{error}"))
    }

    // --- faults ------------------------------------------------------------------------------------------------

    /// Makes an actor panic, without a message, and waits until all has settled: at once if it is idle, otherwise
    /// between two messages or at the next await of its handler. It overtakes what waits to be handled:
    /// [`Kit::settle`] before it if that is not meant.
    ///
    /// # Panics
    /// If there is no such actor, or it does not live.
    #[track_caller]
    pub fn crash<W: Whom>(&self, whom: W) -> impl Future<Output = ()> {
        let found = self.living(&whom);
        self.strike(found, "crashed", |found| found.target.crash("by the test"))
    }

    /// Kills an actor, and waits until all has settled.
    ///
    /// # Panics
    /// If there is no such actor, or it does not live.
    #[track_caller]
    pub fn kill<W: Whom>(&self, whom: W) -> impl Future<Output = ()> {
        let found = self.living(&whom);
        self.strike(found, "killed", |found| found.target.kill())
    }

    async fn strike(&self, found: Found, how: &str, strike: impl FnOnce(&Found) -> bool) {
        let Found { path, target, .. } = &found;
        self.note(&format!("the test has {path} {} {how}", target.id()));
        let lived = strike(&found);
        self.world.settle().await;
        assert!(
            lived && !target.is_alive(),
            "`{path}` {} was {how} and has not ended: its clean-up waits for something",
            target.id()
        );
    }

    #[track_caller]
    fn find<W: Whom>(&self, whom: &W) -> Found {
        whom.found_in(&self.world).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    fn living<W: Whom>(&self, whom: &W) -> Found {
        let found = self.find(whom);
        let Found { path, target, .. } = &found;
        if !target.is_alive() {
            let last = self.world.exits().into_iter().rev().find(|exit| exit.path == *path);
            let why = last
                .map_or_else(|| "it was never started".into(), |exit| format!("it ended of {}", exit.reason));
            panic!("nobody lives at `{path}`: {why}");
        }
        found
    }

    // --- time --------------------------------------------------------------------------------------------------

    /// Waits until nothing more can happen without new input or time; see [`World::settle`].
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait.
    pub async fn settle(&self) {
        self.world.settle().await;
    }

    /// Moves time on; see [`World::advance`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves time where it is by then.
    pub async fn advance(&self, duration: Duration) {
        self.world.advance(duration).await;
    }

    /// Moves time on until `met`, at most this long; see [`World::until`].
    ///
    /// # Cancel safety
    /// As [`Kit::advance`].
    pub async fn until(&self, within: Duration, met: impl FnMut() -> bool) -> bool {
        self.world.until(within, met).await
    }

    /// Simulated time since the test began.
    pub fn now(&self) -> Duration {
        self.world.now()
    }

    // --- what became of whom -----------------------------------------------------------------------------------

    /// Which life it is in now, or was last: 1 for the first, 2 after one restart. By an address, of its seat; by a
    /// path, of all who lived there.
    ///
    /// # Panics
    /// If there is no such actor.
    #[track_caller]
    pub fn generation<W: Whom>(&self, whom: W) -> u32 {
        self.find(&whom).generation
    }

    /// Whether it lives.
    ///
    /// # Panics
    /// If there is no such actor.
    #[track_caller]
    pub fn is_alive<W: Whom>(&self, whom: W) -> bool {
        self.find(&whom).target.is_alive()
    }

    /// Where it stands in its tree.
    ///
    /// # Panics
    /// If there is no such actor.
    #[track_caller]
    pub fn path<W: Whom>(&self, whom: W) -> Arc<str> {
        self.find(&whom).path
    }

    /// Why its lives ended, in order.
    ///
    /// # Panics
    /// If there is no such actor.
    #[track_caller]
    pub fn exits_of<W: Whom>(&self, whom: W) -> Vec<ExitReason> {
        let path = self.find(&whom).path;
        let exits = self.world.exits().into_iter().filter(|exit| exit.path == path);
        exits.map(|exit| exit.reason).collect()
    }

    /// The ends of all lives so far, in order; the last ten thousand.
    pub fn exits(&self) -> Vec<Ended> {
        self.world.exits()
    }

    /// Adds a line of the test's own to the story that a failure shows.
    pub fn note(&self, text: &str) {
        let now = self.world.now();
        self.world.shared.chronicle().note(now, text.to_owned());
    }

    /// What has happened, a line each: the last so many events.
    pub fn story(&self, lines: usize) -> String {
        self.world.story(lines)
    }

    /// Stops this test's system now, for tests that look at how it stops: that is then theirs to judge. Whoever is
    /// left over fails the test all the same.
    pub async fn shutdown(&self) -> ShutdownReport {
        let report = self.system.shutdown(PATIENCE).await;
        self.world.settle().await;
        report
    }
}

impl fmt::Debug for Kit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kit")
            .field("world", &self.world)
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}
