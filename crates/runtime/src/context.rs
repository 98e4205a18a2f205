//! An actor's only door to the world: who it is, time, chance, other actors, blocking work.
//! A simulator can stand behind every method; code that goes around them cannot be simulated.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use minder_mailbox::Rank;
use minder_signals::{ActorId, Control, ExitReason, Moment, MonitorId};
use tokio::sync::oneshot;

use crate::actor::IntoActor;
use crate::actor_ref::ActorRef;
use crate::addr::Addr;
use crate::alias::AliasState;
use crate::birth::{self, Anywhere, OnOneThread, Queued, Recipe, StartError, StartOptions};
use crate::blocking;
use crate::cell::Cell;
use crate::companions::Companions;
use crate::debugging::Debugging;
use crate::ending::Ending;
use crate::events::Event;
use crate::frame;
use crate::keepsake::{self, AtEnd};
use crate::life::{self, FinalWatcher, Minder, Peer, Watcher};
use crate::local::{IntoLocalActor, LocalActor};
use crate::local_host::LocalHost;
use crate::notice::{ChildEvent, Item, Notice};
use crate::postponed::Aside;
use crate::receive::Received;
use crate::redelivery::Past;
use crate::streams::StreamId;
use crate::system::System;
use crate::timeouts::Timeouts;
use crate::timers::Timers;
use crate::unheard::Whose;

/// What an incarnation can do; handed to each of its methods.
pub struct Context<M> {
    pub(crate) cell: Arc<Cell<M>>,
    pub(crate) incarnation: u32,
    /// Whether this incarnation has handled something.
    pub(crate) has_handled: bool,
    /// Whether the start has been acknowledged; if not, `Extra::starter` may be waiting for it.
    pub(crate) acknowledged: bool,
    /// Whether a message was in hand at the end of which there is no copy.
    pub(crate) lost: bool,
    /// The actor's own, for messages that it receives inside a handler.
    pub(crate) redelivery: fn(&M) -> Option<M>,
    /// Whether the start found nothing to run.
    pub(crate) ignored: bool,
    /// What was taken out of the lane and is not handled yet. Here, and not in the loop, so that it outlives a crash.
    pub(crate) batch: VecDeque<Item<M>>,
    /// Boxed: an actor ends once.
    pub(crate) ending: Option<Box<Ending<M>>>,
    /// Boxed: most actors need none of it.
    pub(crate) extra: Option<Box<Extra<M>>>,
}

/// Whether a start is acknowledged, and to whom.
pub(crate) enum Start {
    /// To the minder. The system does not listen.
    Pending,
    /// To whoever called `System::start`.
    Awaited(oneshot::Sender<Result<(), ExitReason>>),
}

pub(crate) struct Extra<M> {
    pub(crate) handler_limit: Option<Duration>,
    pub(crate) acknowledges_later: bool,
    /// Whoever called `System::start`, until the start is acknowledged.
    pub(crate) starter: Option<oneshot::Sender<Result<(), ExitReason>>>,
    pub(crate) monitors: HashMap<MonitorId, Monitored>,
    pub(crate) timers: Option<Arc<Timers<M>>>,
    pub(crate) companions: Option<Arc<Companions>>,
    /// The attached streams whose end has not been noticed.
    pub(crate) streams: HashSet<StreamId>,
    pub(crate) timeouts: Option<Timeouts<M>>,
    /// What it has postponed. Boxed: state machines do, and few others.
    pub(crate) aside: Option<Box<Aside<M>>>,
    /// The copy of the message in hand, if it is idempotent.
    pub(crate) copy: Option<M>,
    /// What is known of the message in hand, if it was in hand before.
    pub(crate) past: Option<Box<Past<M>>>,
    /// What the handler has received.
    pub(crate) received: Vec<Received<M>>,
    pub(crate) quarantine_after: Option<NonZeroU8>,
    pub(crate) purges: bool,
    /// Whether its minder's stop waits until what is queued has been handled.
    pub(crate) drains: bool,
    /// Who is told of the end.
    pub(crate) at_end: Vec<AtEnd>,
    /// Whether it waits for children before it handles requests, which it keeps till then.
    pub(crate) keeps_requests: bool,
    /// Whether its minder hears nothing of it.
    pub(crate) is_silent: bool,
    /// What the news of it are to its minder.
    pub(crate) news: Rank,
    /// Who asked for what was in hand at its end, if that is reported.
    pub(crate) asked_by: Option<Box<Arc<str>>>,
    /// What watches it at its work.
    pub(crate) debugging: Option<Box<Debugging>>,
    rng: Option<fastrand::Rng>,
}

pub(crate) struct Monitored {
    target: Peer,
    of_seat: bool,
    /// By which name it is watched; told in its `Down`.
    pub(crate) name: Option<Arc<str>>,
    alias: Option<Arc<AliasState>>,
}

impl<M> Default for Extra<M> {
    fn default() -> Self {
        Self {
            handler_limit: None,
            acknowledges_later: false,
            starter: None,
            monitors: HashMap::new(),
            timers: None,
            companions: None,
            streams: HashSet::new(),
            timeouts: None,
            aside: None,
            copy: None,
            past: None,
            received: Vec::new(),
            quarantine_after: None,
            purges: false,
            drains: false,
            at_end: Vec::new(),
            keeps_requests: false,
            is_silent: false,
            news: Rank::Ordinary,
            asked_by: None,
            debugging: None,
            rng: None,
        }
    }
}

/// Departure has seen to them already, unless the task of this life was dropped with where it lived: then nobody else does.
impl<M> Drop for Extra<M> {
    fn drop(&mut self) {
        if let Some(companions) = &self.companions {
            companions.dismiss(&ExitReason::Killed);
        }
        if !self.at_end.is_empty() {
            // Of the kill that its minder hears of. A panic is of no actor's any more.
            let _ = keepsake::tell_end(0, std::mem::take(&mut self.at_end), &ExitReason::Killed);
        }
    }
}

impl<M: Send + 'static> Context<M> {
    pub(crate) fn new(
        cell: Arc<Cell<M>>,
        id: ActorId,
        start: Start,
        options: &StartOptions,
        redelivery: fn(&M) -> Option<M>,
    ) -> Self {
        let mut context = Self {
            cell,
            incarnation: id.incarnation(),
            has_handled: false,
            acknowledged: false,
            lost: false,
            redelivery,
            ignored: false,
            batch: VecDeque::new(),
            ending: None,
            extra: None,
        };
        match start {
            Start::Pending => {}
            Start::Awaited(starter) => context.extra().starter = Some(starter),
        }
        if options.handler_limit.is_some() {
            context.extra().handler_limit = options.handler_limit;
        }
        if options.quarantine_after.is_some() {
            context.extra().quarantine_after = options.quarantine_after;
        }
        if options.is_silent {
            context.extra().is_silent = true;
        }
        if options.news() != Rank::Ordinary {
            context.extra().news = options.news();
        }
        if options.queued == Queued::Purge {
            context.extra().purges = true;
        }
        if options.drain {
            context.extra().drains = true;
        }
        context
    }

    pub(crate) fn extra(&mut self) -> &mut Extra<M> {
        self.extra.get_or_insert_default()
    }

    /// What the news of this actor are to its minder.
    pub(crate) fn news(&self) -> Rank {
        self.extra.as_ref().map_or(Rank::Ordinary, |extra| extra.news)
    }

    pub(crate) fn peer(&self) -> Peer {
        self.cell.peer_of(self.id())
    }

    // --- who am I ----------------------------------------------------------------------------------------------

    /// This incarnation.
    pub fn id(&self) -> ActorId {
        ActorId::new(self.cell.core.number, self.incarnation)
    }

    /// This actor's own address.
    pub fn address(&self) -> Addr<M> {
        Addr { cell: self.cell.clone() }
    }

    /// Where this actor stands in its tree.
    pub fn path(&self) -> Arc<str> {
        self.cell.core.path()
    }

    /// Which delivery of the message in hand this is: 1, and more for an idempotent message that was in hand when an
    /// earlier incarnation ended.
    pub fn attempt(&self) -> u32 {
        let past = self.extra.as_ref().and_then(|extra| extra.past.as_ref());
        past.map_or(0, |past| past.attempts) + 1
    }

    /// The system it lives in.
    pub fn system(&self) -> System {
        System::of(&self.cell.core.system)
    }

    // --- time, chance, blocking --------------------------------------------------------------------------------

    /// Now, as time since the system's start.
    pub fn now(&self) -> Moment {
        self.cell.core.system.now()
    }

    /// A random number, from the system's seed and this actor's identity: with a seed, each incarnation draws the
    /// same numbers in every run.
    pub fn random(&mut self) -> u64 {
        let seed = self.cell.core.system.seed_of(self.id());
        self.extra().rng.get_or_insert_with(|| fastrand::Rng::with_seed(seed)).u64(..)
    }

    /// Waits.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait.
    pub async fn sleep(&mut self, duration: Duration) {
        frame::effect();
        self.cell.core.system.sleep(duration).await;
    }

    /// Runs a closure that blocks its thread, away from the actors. A panic in it goes on in the caller. In simulation
    /// it runs inline, as one step. To go on handling messages meanwhile, see [`Context::run_blocking`].
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the closure; this incarnation ends only when it has returned. If it panics then,
    /// that is an [`Event::UnheardPanic`](crate::Event::UnheardPanic).
    pub async fn blocking<T: Send + 'static>(&mut self, work: impl FnOnce() -> T + Send + 'static) -> T {
        frame::effect();
        frame::gives(&work);
        let whose = Whose { cell: self.cell.clone(), id: self.id(), work: "blocking" };
        blocking::run(whose, self.companions().enter(), work).await
    }

    /// Drops a value in which there may be code of others, such as what a minder was given to start a child with. If that
    /// panics, this actor goes on, and it is an [`Event::UnheardPanic`](crate::Event::UnheardPanic) of this `work`.
    pub fn discard<T>(&self, work: &'static str, value: T) {
        if let Err(panic) = frame::run_as(self.cell.core.address(), || drop(value)) {
            self.whose(work).tell(&panic);
        }
    }

    // --- itself ------------------------------------------------------------------------------------------------

    /// Whether exit signals come as [`Notice::Exit`] from now on; returns the former setting. Off at each start.
    ///
    /// An actor that traps exits finishes the message in hand before it obeys its minder's stop, and cleans up.
    pub fn trap_exit(&mut self, trap: bool) -> bool {
        self.cell.mailbox.set_trapping(trap)
    }

    /// Puts a message at the end of this actor's own lane, exempt from the bound.
    pub fn tell_self(&mut self, message: impl Into<M>) {
        frame::effect();
        // Refused only if the seat is given up, and it is not while its actor lives.
        drop(self.cell.mailbox.notify(Item::Own(message.into()), Rank::Ordinary));
    }

    /// In [`Actor::started`](crate::Actor::started): the start will be acknowledged by [`Context::acknowledge`].
    pub fn acknowledge_later(&mut self) {
        self.extra().acknowledges_later = true;
    }

    /// In [`Actor::started`](crate::Actor::started): there is nothing to run. When that returns `Ok` the actor is
    /// gone, and its minder hears [`ChildEvent::Ignored`]: no process, and no failure either. Too late once the start has
    /// been acknowledged. A factory says the same by `None`: see [`IntoActor`].
    ///
    /// # OTP
    /// `ignore` of `init/1`.
    pub fn ignore(&mut self) {
        self.ignored = !self.acknowledged;
    }

    /// Acknowledges the start to the minder. Done already for whoever did not ask to do it later.
    pub fn acknowledge(&mut self) {
        if std::mem::replace(&mut self.acknowledged, true) {
            return;
        }
        self.cell.core.system.report_start(&self.cell.core, self.id());
        if let Some(starter) = self.extra.as_mut().and_then(|extra| extra.starter.take()) {
            // Nobody waits for it any more: fine.
            drop(starter.send(Ok(())));
        } else if !self.is_silent() {
            let minder = self.cell.core.life().minder.clone();
            if let Minder::Actor(minder) = minder {
                minder.child_event(self.id(), ChildEvent::Started, self.news());
            }
        }
        // Only now, so that whoever says on another thread that this actor is ready says so after its start.
        let is_ready = {
            let mut life = self.cell.core.life();
            life.acknowledged = true;
            life.ready
        };
        if is_ready {
            self.readiness().tell();
        }
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.is_silent)
    }

    // --- links and monitors ------------------------------------------------------------------------------------

    /// Links this actor with the one that lives at the address; at most one link per pair, and none with itself.
    ///
    /// # Errors
    /// [`ExitReason::NoActor`] if nobody lives there and this actor does not trap exits; if it does, the same comes
    /// as a [`Notice::Exit`].
    ///
    /// # OTP
    /// `link/1`.
    pub fn link<N: Send + 'static>(&mut self, other: &Addr<N>) -> Result<(), ExitReason> {
        self.link_as(other.peer(), Rank::Ordinary)
    }

    pub(crate) fn link_as(&mut self, other: Peer, rank: Rank) -> Result<(), ExitReason> {
        frame::effect();
        let me = self.peer();
        if life::link(&me, &other, rank) {
            return Ok(());
        }
        if !self.cell.mailbox.is_trapping() {
            return Err(ExitReason::NoActor);
        }
        me.exit(minder_signals::Exit { from: other.id(), reason: ExitReason::NoActor }, rank);
        Ok(())
    }

    /// Removes a link. No exit signal of it arrives after this returns; one that was trapped before stays.
    pub fn unlink<N: Send + 'static>(&mut self, other: &Addr<N>) {
        life::unlink(&self.peer(), &other.peer());
    }

    /// Watches the incarnation that lives at the address now: one [`Notice::Down`] when it ends, at once and with
    /// [`ExitReason::NoActor`] if nobody lives there. Monitors stack.
    ///
    /// # OTP
    /// `monitor(process, Pid)`.
    pub fn monitor<N: Send + 'static>(&mut self, other: &Addr<N>) -> MonitorId {
        frame::effect();
        self.watch(other.peer(), None, None, Rank::Ordinary)
    }

    pub(crate) fn watch(
        &mut self,
        target: Peer,
        name: Option<Arc<str>>,
        alias: Option<Arc<AliasState>>,
        rank: Rank,
    ) -> MonitorId {
        let monitor = self.cell.core.system.next_monitor();
        if target.is_same_cell(&self.cell.core) {
            return monitor; // accepted, and never fires
        }
        let watcher = Watcher { monitor, watcher: self.peer(), alias: alias.clone(), rank };
        let mut life = target.cell.core().life();
        if life.is(target.id()) {
            life.ties().watchers.push(watcher);
            drop(life);
        } else {
            drop(life);
            watcher.fire(target.id(), &ExitReason::NoActor);
        }
        self.extra().keep_monitor(monitor, Monitored { target, of_seat: false, name, alias });
        monitor
    }

    /// Watches the seat behind the address: one [`Notice::Down`] when it is given up, however many lives it sees
    /// before; at once and with [`ExitReason::NoActor`] if it is given up already.
    pub fn monitor_final<N: Send + 'static>(&mut self, other: &Addr<N>) -> MonitorId {
        self.watch_final(other, Rank::Ordinary)
    }

    pub(crate) fn watch_final<N: Send + 'static>(&mut self, other: &Addr<N>, rank: Rank) -> MonitorId {
        frame::effect();
        let monitor = self.cell.core.system.next_monitor();
        let target = other.peer();
        if target.is_same_cell(&self.cell.core) {
            return monitor;
        }
        let watcher = Watcher { monitor, watcher: self.peer(), alias: None, rank };
        let mut life = other.cell.core.life();
        // Closed before its watchers are taken under this lock: either it is seen here, or the watcher is told.
        if other.cell.mailbox.closed().is_none() {
            life.ties().final_watchers.push(FinalWatcher::Actor(watcher));
            drop(life);
        } else {
            drop(life);
            watcher.fire(target.id(), &ExitReason::NoActor);
        }
        self.extra().keep_monitor(monitor, Monitored { target, of_seat: true, name: None, alias: None });
        monitor
    }

    /// Takes a monitor back, and with it a `Down` of it that is still in the lane; returns whether it had not fired.
    ///
    /// # OTP
    /// `demonitor(Ref, [flush, info])`.
    pub fn demonitor(&mut self, monitor: MonitorId) -> bool {
        self.take_back(monitor, true)
    }

    /// Takes a monitor back, and leaves a `Down` of it that stands in the lane already: that one is handled in its turn.
    /// No other comes after this returns. Returns whether the monitor had not fired.
    ///
    /// For an actor that must learn of an end which it has been told of already, also where it has just lost interest. When
    /// not to use this: nearly always. Whoever takes a monitor back seldom expects its `Down` afterwards: see
    /// [`Context::demonitor`], which also takes back what this has left.
    ///
    /// # OTP
    /// `demonitor/1`, with the answer of its option `info`.
    pub fn demonitor_unflushed(&mut self, monitor: MonitorId) -> bool {
        self.take_back(monitor, false)
    }

    fn take_back(&mut self, monitor: MonitorId, flush: bool) -> bool {
        let Some(monitored) = self.extra.as_mut().and_then(|extra| extra.monitors.remove(&monitor)) else {
            return false;
        };
        if let Some(alias) = &monitored.alias {
            alias.demonitored();
        }
        if monitored.forget(monitor) {
            return true;
        }
        // It has fired, and its notice has not been handled, or the monitor would not be known any more.
        let its = |item: &Item<M>| {
            matches!(item, Item::Notice(notice)
                if matches!(&**notice, Notice::Down(down) if down.monitor == monitor))
        };
        if flush {
            self.batch.retain(|item| !its(item));
            drop(self.cell.mailbox.extract(its));
        } else if self.batch.iter().any(its) || self.cell.mailbox.holds(its) {
            // Known again, or it would be dropped in its turn, like one that is on its way still and comes too late.
            self.extra().keep_monitor(monitor, monitored);
        }
        false
    }

    // --- minding -----------------------------------------------------------------------------------------------

    /// Begins the start of an actor minded by this one; news of it come as [`Notice::Child`]. It is linked in the act
    /// of starting: when this actor ends, however it ends, the other is told to stop.
    ///
    /// # Errors
    /// If the seat cannot be filled; then no news will come.
    pub fn start(&mut self, recipe: &Recipe, options: StartOptions) -> Result<ActorRef, StartError> {
        frame::effect();
        frame::gives(recipe);
        if options.awaited {
            self.extra().keeps_requests = true;
        }
        recipe.start(&self.peer(), options)
    }

    /// Starts an actor minded by this one, in a seat of its own that lasts for this one life.
    ///
    /// # Errors
    /// As [`Context::start`].
    pub fn spawn<R, F>(
        &mut self,
        name: &str,
        make: F,
    ) -> Result<Addr<<R::Actor as crate::Actor>::Msg>, StartError>
    where
        R: IntoActor + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        frame::effect();
        frame::gives(&make);
        birth::spawn_minded(&self.peer(), StartOptions::named(name), Anywhere(make))
    }

    /// [`Context::spawn`] for a local actor, on this host, or the system's own thread if none is given.
    ///
    /// # Errors
    /// As [`Context::start`].
    pub fn spawn_local<R, F>(
        &mut self,
        name: &str,
        host: Option<&LocalHost>,
        make: F,
    ) -> Result<Addr<<R::Actor as LocalActor>::Msg>, StartError>
    where
        R: IntoLocalActor + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        frame::effect();
        frame::gives(&make);
        birth::spawn_minded(&self.peer(), StartOptions::named(name), OnOneThread(make, host.cloned()))
    }

    /// Begins a new epoch of a seat in which nobody lives: messages that were sent to it before are purged, an idempotent
    /// one that was in hand among them, and their askers told. For a minder that restarts several children together:
    /// after the last stop and before the first start, so that no new life sees a message to the state of an old one.
    /// False if somebody lives there, or the recipe has no seat yet.
    pub fn begin_epoch(&mut self, recipe: &Recipe) -> bool {
        recipe.begin_epoch()
    }

    /// Orders a minded actor to stop. One that traps exits finishes the message in hand and cleans up; one that was
    /// started with [`StartOptions::drain`](crate::StartOptions) handles what stands in its mailbox before that.
    pub fn stop_child(&mut self, child: &ActorRef, reason: ExitReason) {
        frame::effect();
        child.peer.order(Control::Stop(reason));
    }

    /// Kills a minded actor.
    pub fn kill_child(&mut self, child: &ActorRef) {
        frame::effect();
        child.peer.order(Control::Kill);
    }

    /// Tells the system's observers, and the log, of a decision.
    pub fn report(&self, event: &Event<'_>) {
        self.cell.core.system.report(event);
    }

    /// Marks a step between two effects of this actor, at which fault injection may crash it. Without the feature
    /// `fault-injection` it is nothing.
    #[inline]
    pub fn step(&self, name: &'static str) {
        #[cfg(feature = "fault-injection")]
        crate::hooks::at_step(&self.cell.core, self.id(), name);
        let _ = name;
    }
}

impl Monitored {
    /// Of a name that nobody has. In place of a target stands the watcher, where the monitor is not found.
    pub(crate) fn of_nobody(watcher: Peer, name: Arc<str>) -> Self {
        Self { target: watcher, of_seat: false, name: Some(name), alias: None }
    }

    /// Whether it can still fire, or has and waits in the lane: not once an answer has come in its place.
    pub(crate) fn is_needed(&self) -> bool {
        self.alias.as_ref().is_none_or(|alias| !alias.is_used())
    }

    /// Takes the monitor off its target; false if it has fired.
    pub(crate) fn forget(&self, monitor: MonitorId) -> bool {
        if !self.of_seat {
            return Self::take_off(&self.target, monitor);
        }
        let mut life = self.target.cell.core().life();
        let Some(ties) = life.ties_if_any() else { return false };
        let before = ties.final_watchers.len();
        ties.final_watchers
            .retain(|watcher| !matches!(watcher, FinalWatcher::Actor(watcher) if watcher.monitor == monitor));
        ties.final_watchers.len() < before
    }

    /// Takes a monitor of the present life off its target; false if it has fired.
    pub(crate) fn take_off(target: &Peer, monitor: MonitorId) -> bool {
        let mut life = target.cell.core().life();
        let Some(ties) = life.ties_if_any() else { return false };
        let before = ties.watchers.len();
        ties.watchers.retain(|watcher| watcher.monitor != monitor);
        ties.watchers.len() < before
    }
}

impl<M> Extra<M> {
    /// Remembers a monitor. Those of which an answer took the place are not told to their owner, so they are swept out
    /// here: at most as many of them are kept as there are others.
    pub(crate) fn keep_monitor(&mut self, monitor: MonitorId, monitored: Monitored) {
        let count = self.monitors.len();
        if count >= 16 && count.is_power_of_two() {
            self.monitors.retain(|_, monitored| monitored.is_needed());
        }
        self.monitors.insert(monitor, monitored);
    }
}

impl<M> fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = ActorId::new(self.cell.core.number, self.incarnation);
        write!(f, "Context({} {id})", self.cell.core.path())
    }
}
