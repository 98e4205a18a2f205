//! A system: what the actors of one application share. Several live in one process without knowing of each other.
//! It minds the actors that nobody else minds, and stops them in reverse order at the end.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

use minder_mailbox::Marks;
use minder_signals::{ActorId, Control, ExitReason, Moment, MonitorId};
use tokio::sync::{Notify, oneshot};

use crate::actor::{Actor, IntoActor};
use crate::actor_ref::ActorRef;
use crate::addr::Addr;
use crate::birth::{self, Anywhere, StartError, StartOptions};
use crate::cell::MailboxOptions;
use crate::clock::Clock;
use crate::context::Start;
use crate::deadlines::{self, Deadlines};
use crate::events::{self, Event, Observer};
use crate::frame;
use crate::host::Home;
use crate::letters::{self, DeadLetters};
use crate::life::{CellCore, Peer};
use crate::local_host::LocalHosts;
use crate::registry::Registry;
use crate::seat::Seat;
use crate::services::Offers;
use crate::shutdown::{Closing, ShutdownReport};
use crate::start_error::StartActorError;
use crate::waits::Told;
use crate::watchdog::Watchdog;

/// How long [`System::shutdown`] waits for actors that it had to kill.
const GRACE: Duration = Duration::from_secs(1);

/// A handle on a system; clones are the same system. Dropping it stops nothing: see [`System::shutdown`].
#[derive(Clone)]
pub struct System {
    pub(crate) shared: Arc<SystemShared>,
}

pub(crate) struct SystemShared {
    pub(crate) home: Home,
    pub(crate) clock: Clock,
    pub(crate) deadlines: Arc<Deadlines>,
    pub(crate) told: Told,
    cells: AtomicU64,
    monitors: AtomicU64,
    unheard_errors: AtomicU64,
    seed: u64,
    observer: Option<Arc<dyn Observer>>,
    roots: Mutex<Roots>,
    /// Incarnations that live, whoever minds them.
    living: AtomicUsize,
    /// What is noted of a shutdown; empty before one begins.
    pub(crate) closing: OnceLock<Closing>,
    pub(crate) letters: letters::Store,
    pub(crate) registry: Registry,
    /// Whether crashes are reported beyond their exits.
    pub(crate) crash_reports: bool,
    /// When a mailbox is long, if that is told.
    pub(crate) long_mailboxes: Option<Marks>,
    /// What the system offers to all its actors.
    pub(crate) offers: Offers,
    pub(crate) locals: LocalHosts,
    /// Who tells of those that hold their threads for too long, if that is told.
    pub(crate) watchdog: Option<Arc<Watchdog>>,
    /// Told whenever an actor that the system minds has ended, when the last of all has, and when a thread has.
    fewer: Notify,
    #[cfg(feature = "fault-injection")]
    pub(crate) hooks: std::sync::OnceLock<Arc<dyn crate::hooks::Hooks>>,
}

/// The actors that the system minds. Each knows its place, so that its end costs no search.
#[derive(Default)]
struct Roots {
    closing: bool,
    started: u64,
    places: Vec<Place>,
    /// First free place; the list goes on in `Place::Free`.
    free: Option<u32>,
}

enum Place {
    /// Which start it was, and who.
    Taken(u64, Peer),
    Free(Option<u32>),
}

impl Roots {
    fn take_in(&mut self, actor: Peer) -> u32 {
        self.started += 1;
        let taken = Place::Taken(self.started, actor);
        match self.free {
            Some(place) => {
                match std::mem::replace(&mut self.places[place as usize], taken) {
                    Place::Free(next) => self.free = next,
                    Place::Taken(..) => unreachable!("the free list names free places"),
                }
                place
            }
            None => {
                self.places.push(taken);
                u32::try_from(self.places.len() - 1).expect("fewer than 2^32 actors live at once")
            }
        }
    }

    fn let_go(&mut self, place: u32) -> Place {
        let left = std::mem::replace(&mut self.places[place as usize], Place::Free(self.free));
        self.free = Some(place);
        left
    }

    /// Everybody, the last to be started first.
    fn latest_first(&self) -> Vec<Peer> {
        let mut all: Vec<(u64, &Peer)> = self.places.iter().filter_map(Place::taken).collect();
        all.sort_unstable_by_key(|(started, _)| std::cmp::Reverse(*started));
        all.into_iter().map(|(_, actor)| actor.clone()).collect()
    }
}

impl Place {
    fn taken(&self) -> Option<(u64, &Peer)> {
        match self {
            Self::Taken(started, actor) => Some((*started, actor)),
            Self::Free(_) => None,
        }
    }
}

/// Settings of a system to be.
#[derive(Default)]
pub struct SystemBuilder {
    seed: Option<u64>,
    observer: Option<Arc<dyn Observer>>,
    dead_letters: usize,
    quarantine: Option<usize>,
    pub(crate) long_mailboxes: Option<Marks>,
    pub(crate) crash_reports: bool,
    pub(crate) watchdog: Option<Duration>,
    offers: Offers,
}

/// Why there can be no system.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SystemError {
    /// The program is built to abort on panic.
    PanicsAbort,
    /// There is no tokio runtime here.
    NoRuntime,
    /// The operating system gives no thread to the [watchdog](SystemBuilder::watchdog), for this reason.
    NoThread(io::ErrorKind),
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoThread(why) => {
                return write!(
                    f,
                    "the system has no thread for its watchdog ({why}): allow this process more threads, or build it \
                     without `watchdog`"
                );
            }
            Self::PanicsAbort => {
                "this program is built with panic = \"abort\", so a crashing actor would take the process along: \
                 remove that line from its Cargo profile"
            }
            Self::NoRuntime => {
                "there is no tokio runtime here: build the system inside `#[tokio::main]` or `Runtime::block_on`, \
                 with time enabled"
            }
        })
    }
}

impl std::error::Error for SystemError {}

impl SystemBuilder {
    /// The seed of all randomness that actors draw from their contexts. Drawn by chance unless given.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Who gets every event. One at most; the last given counts.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Keeps so many messages of each cause that will never be handled, for [`System::dead_letters`]. None unless given:
    /// each costs an allocation and keeps its message alive.
    #[must_use]
    pub fn dead_letters(mut self, of_each_cause: usize) -> Self {
        self.dead_letters = of_each_cause;
        self
    }

    /// Keeps so many messages in quarantine; 1,000 unless given.
    #[must_use]
    pub fn quarantine(mut self, messages: usize) -> Self {
        self.quarantine = Some(messages);
        self
    }

    /// Offers a service to all actors of the system: see [`Context::service`](crate::Context::service). One of each type;
    /// the last given counts.
    #[must_use]
    pub fn offer<T: Clone + Send + Sync + 'static>(mut self, service: T) -> Self {
        self.offers = self.offers.and(service);
        self
    }

    /// The system, on the tokio runtime of the caller. Its time must be enabled. Inside the simulator it is simulated.
    ///
    /// # Errors
    /// If supervision cannot work here; see [`SystemError`].
    pub fn build(self) -> Result<System, SystemError> {
        if cfg!(panic = "abort") {
            return Err(SystemError::PanicsAbort);
        }
        let home = Home::here().ok_or(SystemError::NoRuntime)?;
        frame::install_hook();
        let clock = Clock::start();
        let width = if home.is_simulated() { deadlines::EXACT } else { deadlines::WIDTH };
        let deadlines = Arc::new(Deadlines::new(clock, width));
        home.spawn_own("deadlines", deadlines.clone().drive());
        let seed = self.seed.unwrap_or_else(|| home.seed());
        let watchdog = self.watchdog.filter(|_| !home.is_simulated()).map(Watchdog::new);
        let system = System {
            shared: Arc::new(SystemShared {
                home,
                clock,
                deadlines,
                told: Told::default(),
                cells: AtomicU64::new(1),
                monitors: AtomicU64::new(1),
                unheard_errors: AtomicU64::new(0),
                seed,
                observer: self.observer,
                roots: Mutex::default(),
                living: AtomicUsize::new(0),
                closing: OnceLock::new(),
                letters: letters::Store::new(
                    self.dead_letters,
                    self.quarantine.unwrap_or(letters::QUARANTINE),
                ),
                locals: LocalHosts::default(),
                watchdog,
                registry: Registry::default(),
                crash_reports: self.crash_reports,
                long_mailboxes: self.long_mailboxes,
                offers: self.offers,
                fewer: Notify::new(),
                #[cfg(feature = "fault-injection")]
                hooks: std::sync::OnceLock::new(),
            }),
        };
        #[cfg(feature = "fault-injection")]
        if let Home::Host(host) = &system.shared.home {
            host.hosts(&system);
        }
        if let Some(watchdog) = &system.shared.watchdog {
            watchdog.start(&system.shared).map_err(|error| SystemError::NoThread(error.kind()))?;
        }
        Ok(system)
    }
}

impl fmt::Debug for SystemBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemBuilder").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl System {
    /// A system with default settings.
    ///
    /// # Errors
    /// As [`SystemBuilder::build`].
    pub fn new() -> Result<Self, SystemError> {
        Self::builder().build()
    }

    /// A system with settings of one's own.
    pub fn builder() -> SystemBuilder {
        SystemBuilder::default()
    }

    pub(crate) fn of(shared: &Arc<SystemShared>) -> Self {
        Self { shared: shared.clone() }
    }

    /// An address, and the seat behind it: made before any actor lives there, so that actors that need each other can
    /// be given each other's addresses. Messages sent before the start wait for it.
    pub fn address<M: Send + 'static>(&self) -> (Addr<M>, Seat<M>) {
        self.address_with(MailboxOptions::default())
    }

    /// [`System::address`] with a mailbox of one's own measure.
    pub fn address_with<M: Send + 'static>(&self, mailbox: MailboxOptions) -> (Addr<M>, Seat<M>) {
        birth::address(&self.shared, None, mailbox)
    }

    /// Starts an actor that the system minds: it is not restarted. Returns at once; what is sent before the actor is
    /// up waits for it, and if its start fails, everyone who waits is told.
    ///
    /// # Errors
    /// [`StartError::ShuttingDown`] once [`System::shutdown`] has begun.
    pub fn spawn<R, F>(&self, make: F) -> Result<Addr<<R::Actor as Actor>::Msg>, StartError>
    where
        R: IntoActor + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        frame::gives(&make);
        let (address, seat) = self.address();
        birth::start_root(seat, Start::Pending, &StartOptions::default(), Anywhere(make))?;
        Ok(address)
    }

    /// Starts an actor that the system minds, in a seat made before and under a name, and waits until it is up.
    /// Typically the top supervisor of a tree.
    ///
    /// # Errors
    /// Why the seat could not be filled, or why the start failed: see [`StartActorError`].
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait; the start goes on.
    pub async fn start<R, F>(
        &self,
        seat: Seat<<R::Actor as Actor>::Msg>,
        name: &str,
        make: F,
    ) -> Result<ActorRef, StartActorError>
    where
        R: IntoActor + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        frame::gives(&make);
        let (tell, told) = oneshot::channel();
        let options = StartOptions::named(name);
        let started = birth::start_root(seat, Start::Awaited(tell), &options, Anywhere(make));
        let actor = started.map_err(|why| StartActorError::Refused { actor: name.into(), why })?;
        // The sender is dropped unsent only with the tokio runtime itself.
        let is_up = told.await.unwrap_or(Err(ExitReason::Killed));
        is_up.map_err(|reason| StartActorError::Failed { actor: name.into(), reason })?;
        Ok(actor)
    }

    /// Now, as time since the system's start.
    pub fn now(&self) -> Moment {
        self.shared.now()
    }

    /// Waits in the system's time, which in simulation is the simulator's: for code that is no actor's. An actor waits by
    /// [`Context::sleep`](crate::Context::sleep).
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait.
    pub async fn sleep(&self, duration: Duration) {
        self.shared.sleep(duration).await;
    }

    /// The system that an address belongs to.
    pub fn of_address<M: Send + 'static>(address: &Addr<M>) -> Self {
        Self::of(&address.cell.core.system)
    }

    /// The messages that will never be handled, and the quarantine.
    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters::of(self.shared.clone())
    }

    /// How many actors live, whoever minds them.
    pub fn living(&self) -> usize {
        self.shared.living.load(Ordering::Acquire)
    }

    /// How many errors of `#[actor]` methods have reached nobody: [`Event::Unheard`].
    pub fn unheard_errors(&self) -> u64 {
        self.shared.unheard_errors.load(Ordering::Relaxed)
    }

    /// Sends faults into this system from now on. At most once; false if it was done before.
    #[cfg(feature = "fault-injection")]
    pub fn inject(&self, hooks: Arc<dyn crate::hooks::Hooks>) -> bool {
        self.shared.hooks.set(hooks).is_ok()
    }

    /// Stops the actors that the system minds, one by one in the reverse order of their start; each stops its own
    /// children first. Whoever has not stopped within the deadline is killed. New starts are refused from now on. Last of
    /// all the threads end that the system has made, for local actors and for its watchdog.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the system half stopped; calling it again goes on.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let closing = self.stop_everybody(deadline).await;
        closing.report(self.living())
    }

    /// Begins what [`System::shutdown`] does, and returns: for an actor, which is among those that are stopped. Whoever calls
    /// [`System::shutdown`] after it waits for the rest, and gets the report of all of it.
    ///
    /// # OTP
    /// `init:stop/0`.
    pub fn begin_shutdown(&self, deadline: Duration) {
        let system = self.clone();
        self.shared.home.spawn_own("shutdown", async move {
            system.stop_everybody(deadline).await;
        });
    }

    async fn stop_everybody(&self, deadline: Duration) -> &Closing {
        let shared = &self.shared;
        let until = shared.now() + deadline;
        let closing = shared.closing.get_or_init(|| Closing::since(shared.now()));
        shared.roots().closing = true;
        // Nobody is added any more.
        let all = shared.roots().latest_first();
        for actor in all {
            if !actor.lives() {
                continue; // it has ended meanwhile
            }
            let began = shared.now();
            actor.order(Control::Stop(ExitReason::Shutdown));
            if !shared.until_gone(|| !actor.lives(), until).await {
                break;
            }
            closing.note_stopped(actor.cell.core().path(), shared.now().since(began));
        }
        let late = shared.roots().latest_first();
        let mut killed = Vec::new();
        // Those below, too: one that traps exits and hangs would outlive the end of its minder.
        late.into_iter().for_each(|actor| kill_tree(&actor, &mut killed));
        shared.until_gone(|| shared.living.load(Ordering::Acquire) == 0, shared.now() + GRACE).await;
        shared.locals.end();
        shared.until_gone(|| shared.locals.have_ended(), shared.now() + GRACE).await;
        shared.locals.join();
        if let Some(watchdog) = &shared.watchdog {
            watchdog.end(GRACE);
        }
        closing.note_killed(killed);
        closing
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("living", &self.living()).finish_non_exhaustive()
    }
}

impl SystemShared {
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration;
        while self.now() < until {
            self.clock.sleep_until(until).await;
        }
    }

    pub(crate) fn next_cell(&self) -> u64 {
        self.cells.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn next_monitor(&self) -> MonitorId {
        MonitorId::new(self.monitors.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn seed_of(&self, id: ActorId) -> u64 {
        let mixed =
            id.cell().wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(id.incarnation()).rotate_left(48);
        fastrand::Rng::with_seed(self.seed ^ mixed).u64(..)
    }

    /// Tells an event to whoever watches. It is told in the middle of things that must come to their end, so a panic
    /// of an observer stays with it; as code of no actor's, it is printed.
    pub(crate) fn report(&self, event: &Event<'_>) {
        if let (Some(closing), Event::Exited { path, reason, .. }) = (self.closing.get(), event) {
            closing.note_exit(path, reason, self.now());
        }
        if let Event::Unheard { .. } = event {
            self.unheard_errors.fetch_add(1, Ordering::Relaxed);
        }
        let _ = frame::run_as(0, || {
            events::trace(event);
            #[cfg(feature = "fault-injection")]
            if let Home::Host(host) = &self.home {
                host.event(event);
            }
            if let Some(observer) = &self.observer {
                observer.event(event);
            }
        });
    }

    /// Tells a start. Asked first whether anybody listens: most starts are of interest to nobody.
    pub(crate) fn report_start(&self, core: &CellCore, id: ActorId) {
        if self.observer.is_some() || self.home.is_simulated() || events::traces_starts() {
            self.report(&Event::Started { path: &core.path(), id });
        }
    }

    fn roots(&self) -> MutexGuard<'_, Roots> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an actor in and says in which place; nothing if the system is shutting down.
    pub(crate) fn add_root(&self, actor: Peer) -> Option<u32> {
        let mut roots = self.roots();
        if roots.closing {
            return None;
        }
        Some(roots.take_in(actor))
    }

    pub(crate) fn remove_root(&self, place: u32) {
        let removed = self.roots().let_go(place);
        drop(removed);
        self.fewer.notify_waiters();
    }

    /// The first actor in this place or a later one, and its place.
    pub(crate) fn root_from(&self, place: usize) -> Option<(usize, Peer)> {
        let roots = self.roots();
        let mut later = roots.places.iter().enumerate().skip(place);
        later.find_map(|(at, place)| place.taken().map(|(_, actor)| (at, actor.clone())))
    }

    /// A thread of local actors has ended.
    pub(crate) fn has_fewer(&self) {
        self.fewer.notify_waiters();
    }

    pub(crate) fn one_more(&self) {
        self.living.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn one_fewer(&self) {
        if self.living.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.fewer.notify_waiters();
        }
    }

    /// Waits until `gone`, or until the moment; says which.
    async fn until_gone(&self, gone: impl Fn() -> bool, until: Moment) -> bool {
        loop {
            // Registered before the look, so that what happens in between is not missed.
            let mut fewer = pin!(self.fewer.notified());
            fewer.as_mut().enable();
            if gone() {
                return true;
            }
            if self.now() >= until {
                return false;
            }
            let mut sleep = pin!(self.clock.sleep_until(until));
            poll_fn(|cx| match fewer.as_mut().poll(cx) {
                Poll::Pending => sleep.as_mut().poll(cx),
                ready => ready,
            })
            .await;
        }
    }
}

/// Kills an actor and whoever lives below it, from the top; adds their paths to those killed.
fn kill_tree(actor: &Peer, killed: &mut Vec<Arc<str>>) {
    if !actor.order(Control::Kill) {
        return;
    }
    let core = actor.cell.core();
    killed.push(core.path());
    let below: Vec<Peer> = match core.life().ties_if_any() {
        Some(ties) => ties.children.values().rev().cloned().collect(),
        None => Vec::new(),
    };
    below.iter().for_each(|child| kill_tree(child, killed));
}

impl Drop for SystemShared {
    fn drop(&mut self) {
        self.deadlines.close();
        if let Some(watchdog) = &self.watchdog {
            watchdog.close();
        }
    }
}
