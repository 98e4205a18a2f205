//! Filling a seat: what a start needs, when it is refused, and when it waits for an orphan to leave.
//!
//! A child is registered with its minder in the same step in which it comes to life, with the locks of both lives
//! held: the minder cannot end in between and leave it unnoticed.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU8;
use std::sync::{Arc, Weak};
use std::time::Duration;

use minder_mailbox::Rank;
use minder_signals::ActorId;

use crate::actor::{Actor, IntoActor};
use crate::actor_ref::ActorRef;
use crate::addr::Addr;
use crate::cell::{Cell, MailboxOptions};
use crate::context::Start;
use crate::incarnation;
use crate::life::{AnyCell, Heir, Life, Minder, Peer, both};
use crate::local::{IntoLocalActor, LocalActor};
use crate::local_host::LocalHost;
use crate::names::RegisterError;
use crate::notice::ChildEvent;
use crate::seat::{Seat, SeatId};
use crate::system::{System, SystemShared};

mod spent;

use spent::Spent;

/// How to start an actor, as often as needed: its seat and its factory, without its type.
#[derive(Clone)]
pub struct Recipe {
    launch: Arc<dyn Launch>,
}

/// What a minder decides for one start.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StartOptions {
    /// The child's name; its path is its minder's path, `/`, and this.
    pub name: Option<Arc<str>>,
    /// How long a handler may await before its actor is killed with [`ExitReason::Hung`](minder_signals::ExitReason::Hung). No limit unless given.
    pub handler_limit: Option<Duration>,
    /// What becomes of the messages that wait when this incarnation ends, unless its seat is given up.
    pub queued: Queued,
    /// Whether it handles what stands in its mailbox before it obeys its minder's stop, trapping exits or not, and is then
    /// wound up in order. What comes after it has looked at the stop is left where it is. A stop while it starts, is suspended
    /// or gets suspended, and one because its minder has ended, is obeyed as ever. As `shutdown` reaches a process of OTP
    /// that traps exits.
    pub drain: bool,
    /// How many incarnations in a row an idempotent message may crash before it is moved into quarantine; 3 unless given.
    pub quarantine_after: Option<NonZeroU8>,
    /// A name in the system for its seat, claimed before the actor is built. It has it already after a restart.
    pub registered: Option<Arc<str>>,
    /// Whether the minder handles no requests until the child has started, and keeps those it gets meanwhile: then a
    /// child that asks its minder from its start is told [`WouldDeadlock`](crate::AskError::WouldDeadlock). So it is with
    /// supervisors. For stops there is [`Context::waits_for`](crate::Context::waits_for).
    pub awaited: bool,
    /// Whether the minder hears news of it before the messages that wait: as a priority notice, see
    /// [`Priority`](crate::Priority). All of them, so that their order stays.
    pub news_first: bool,
    /// Whether the minder hears nothing of it.
    pub(crate) is_silent: bool,
}

/// What becomes of messages that wait to be handled when an actor ends and another takes its seat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Queued {
    /// The next life handles them.
    #[default]
    Keep,
    /// They are purged, and their askers told [`Purged`](crate::AskError::Purged). As OTP has it, where a process takes
    /// its mailbox along.
    Purge,
}

impl StartOptions {
    /// The options of a child of that name.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// What the news of the child are to its minder.
    pub(crate) fn news(&self) -> Rank {
        if self.news_first { Rank::Priority } else { Rank::Ordinary }
    }
}

/// Why a seat cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// Another living minder has an actor in it, or is about to. Give each child a seat of its own.
    SeatTaken(Arc<str>),
    /// The seat belongs to another system.
    OtherSystem(Arc<str>),
    /// The minder itself has ended.
    NoMinder,
    /// The system is shutting down.
    ShuttingDown,
    /// Where the local actor was to live, nobody lives any more.
    NoHost(Arc<str>),
    /// Nothing is left of the recipe but its seat: see [`Recipe::spent`].
    Spent(Arc<str>),
    /// The seat cannot have the name that the actor was to be registered under.
    Name(RegisterError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SeatTaken(path) => {
                write!(f, "the seat of {path} is taken: give each child a seat of its own")
            }
            Self::OtherSystem(path) => {
                write!(
                    f,
                    "the seat of {path} belongs to another system: make it with this system's `address`"
                )
            }
            Self::NoMinder => f.write_str("the minder has ended"),
            Self::ShuttingDown => f.write_str("the system is shutting down"),
            Self::NoHost(name) => write!(f, "the host `{name}` of local actors has ended"),
            Self::Spent(path) => {
                write!(f, "the recipe of {path} is spent: start it again by one that is not")
            }
            Self::Name(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

trait Launch: Send + Sync {
    fn start(&self, minder: &Peer, options: StartOptions) -> Result<ActorRef, StartError>;
    /// Itself in a seat of its own, where none was given. `is_shared`: whether others hold this recipe too.
    fn settled(self: Arc<Self>, system: &Arc<SystemShared>, is_shared: bool) -> Option<Recipe>;
    /// The `Seat` that was made by `settled`, if it was.
    fn own_seat(&self) -> Option<Box<dyn Any>> {
        None
    }
    /// Itself in the seat that another recipe works with.
    fn in_seat_of(self: Arc<Self>, other: &Recipe) -> Option<Recipe>;
    /// Itself without its factory; nothing if it has no seat.
    fn spent(self: Arc<Self>) -> Option<Recipe>;
    /// Where the recipe lies in memory, as it was before it was settled; it is the same for clones of it.
    fn origin(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }
    fn seat(&self) -> Option<SeatId>;
    fn begin_epoch(&self) -> bool;
    /// The same on this host; nothing if it is not for a local actor.
    fn on(&self, host: &LocalHost) -> Option<Recipe>;
}

impl Recipe {
    /// Starts the actor that `make` builds, in the given seat. `make` runs inside the supervised start: what it
    /// returns as an error, or panics with, is a failed start.
    pub fn in_seat<R, F>(seat: Seat<<R::Actor as Actor>::Msg>, make: F) -> Self
    where
        R: IntoActor + 'static,
        F: Fn() -> R + Clone + Send + Sync + 'static,
    {
        Self { launch: Arc::new(InSeat { seat, make: Anywhere(make) }) }
    }

    /// As [`Recipe::in_seat`], with a seat of its own: made at the first start, kept over restarts, and given up with
    /// the minder's incarnation.
    pub fn own_seat<R, F>(make: F, mailbox: MailboxOptions) -> Self
    where
        R: IntoActor + 'static,
        F: Fn() -> R + Clone + Send + Sync + 'static,
    {
        Self { launch: Arc::new(OwnSeat { make: Anywhere(make), mailbox, messages: PhantomData }) }
    }

    /// [`Recipe::in_seat`] for a local actor; `make` runs on the thread that it lives on.
    pub fn local_in_seat<R, F>(seat: Seat<<R::Actor as LocalActor>::Msg>, make: F) -> Self
    where
        R: IntoLocalActor + 'static,
        F: Fn() -> R + Clone + Send + Sync + 'static,
    {
        Self { launch: Arc::new(InSeat { seat, make: OnOneThread(make, None) }) }
    }

    /// [`Recipe::own_seat`] for a local actor; `make` runs on the thread that it lives on.
    pub fn local_own_seat<R, F>(make: F, mailbox: MailboxOptions) -> Self
    where
        R: IntoLocalActor + 'static,
        F: Fn() -> R + Clone + Send + Sync + 'static,
    {
        Self { launch: Arc::new(OwnSeat { make: OnOneThread(make, None), mailbox, messages: PhantomData }) }
    }

    /// This recipe with its local actor on this host. Of an actor that is none, it is the recipe as it was: such an actor
    /// needs no host.
    #[must_use]
    pub fn on(self, host: &LocalHost) -> Self {
        self.launch.on(host).unwrap_or(self)
    }

    /// Begins a start; its end comes as news to the minder.
    pub(crate) fn start(&self, minder: &Peer, options: StartOptions) -> Result<ActorRef, StartError> {
        self.launch.start(minder, options)
    }

    /// The recipe that one incarnation of a minder works with: where no seat was given, one is made here.
    #[must_use]
    pub fn settled(&self, system: &System) -> Self {
        let is_shared = Arc::strong_count(&self.launch) > 1;
        self.launch.clone().settled(&system.shared, is_shared).unwrap_or_else(|| self.clone())
    }

    /// This recipe in the seat that another works with, so that addresses stay good when one takes the other's place: if both
    /// were given the same seat, or if neither was, the other is [`settled`](Self::settled), and this one's actor takes the
    /// same messages and lets its senders wait as much. The mailbox stays as it is.
    #[must_use]
    pub fn in_seat_of(&self, other: &Recipe) -> Option<Recipe> {
        self.launch.clone().in_seat_of(other)
    }

    /// Whether both are the same recipe: clones, settled or not. What factories do cannot be compared.
    pub fn is_same(&self, other: &Recipe) -> bool {
        std::ptr::eq(self.launch.origin(), other.launch.origin())
    }

    /// This recipe of an actor that is never started again: its seat, and what it is compared by, without what the actor is made
    /// from, which is dropped if nobody else holds this recipe. It starts nobody. Without a seat the recipe stays as it is.
    #[must_use]
    pub fn spent(&self) -> Self {
        self.launch.clone().spent().unwrap_or_else(|| self.clone())
    }

    /// This recipe as that of a minder whose own children these are: an epoch that begins for it begins for them.
    #[must_use]
    pub fn over(self, below: Vec<Recipe>) -> Self {
        Self { launch: Arc::new(Over { minder: self, below }) }
    }

    pub(crate) fn begin_epoch(&self) -> bool {
        self.launch.begin_epoch()
    }

    /// The seat it was given, if it was.
    pub fn seat(&self) -> Option<SeatId> {
        self.launch.seat()
    }
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipe")
    }
}

struct Over {
    minder: Recipe,
    below: Vec<Recipe>,
}

impl Launch for Over {
    fn start(&self, minder: &Peer, options: StartOptions) -> Result<ActorRef, StartError> {
        self.minder.start(minder, options)
    }

    fn settled(self: Arc<Self>, system: &Arc<SystemShared>, is_shared: bool) -> Option<Recipe> {
        let minder = &self.minder.launch;
        let is_shared = is_shared || Arc::strong_count(minder) > 1;
        Some(minder.clone().settled(system, is_shared)?.over(self.below.clone()))
    }

    fn own_seat(&self) -> Option<Box<dyn Any>> {
        self.minder.launch.own_seat()
    }

    fn in_seat_of(self: Arc<Self>, other: &Recipe) -> Option<Recipe> {
        Some(self.minder.in_seat_of(other)?.over(self.below.clone()))
    }

    fn spent(self: Arc<Self>) -> Option<Recipe> {
        self.minder.launch.clone().spent()
    }

    fn origin(&self) -> *const () {
        self.minder.launch.origin()
    }

    fn seat(&self) -> Option<SeatId> {
        self.minder.seat()
    }

    fn begin_epoch(&self) -> bool {
        for child in &self.below {
            child.begin_epoch();
        }
        self.minder.begin_epoch()
    }

    fn on(&self, _: &LocalHost) -> Option<Recipe> {
        None
    }
}

/// Makes the actor of one life, and knows where it may be lived.
pub(crate) trait Factory<M: Send + 'static>: Send + 'static {
    fn launch(self, seat: Seat<M>, id: ActorId, start: Start, options: &StartOptions);

    /// The same on this host; nothing if it is not for a local actor.
    fn on(self, _: &LocalHost) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// The factory of an actor that may change threads.
#[derive(Clone)]
pub(crate) struct Anywhere<F>(pub(crate) F);

/// The factory of one that may not, and where it lives; on the system's own thread if nothing is said.
#[derive(Clone)]
pub(crate) struct OnOneThread<F>(pub(crate) F, pub(crate) Option<LocalHost>);

impl<M, R, F> Factory<M> for Anywhere<F>
where
    M: Send + 'static,
    R: IntoActor<Actor: Actor<Msg = M>> + 'static,
    F: FnOnce() -> R + Send + 'static,
{
    fn launch(self, seat: Seat<M>, id: ActorId, start: Start, options: &StartOptions) {
        incarnation::launch(seat, id, start, options, || (self.0)().into_actor());
    }
}

impl<M, R, F> Factory<M> for OnOneThread<F>
where
    M: Send + 'static,
    R: IntoLocalActor<Actor: LocalActor<Msg = M>> + 'static,
    F: FnOnce() -> R + Send + 'static,
{
    fn launch(self, seat: Seat<M>, id: ActorId, start: Start, options: &StartOptions) {
        let Self(make, host) = self;
        incarnation::launch_local(seat, id, start, options, host, || make().into_local_actor());
    }

    fn on(self, host: &LocalHost) -> Option<Self> {
        Some(Self(self.0, Some(host.clone())))
    }
}

struct InSeat<M: Send + 'static, F> {
    seat: Seat<M>,
    make: F,
}

/// A recipe in the seat that was made for one incarnation of its minder.
struct Settled<M: Send + 'static, F> {
    seat: Seat<M>,
    make: F,
    /// What it was before, if there was anybody who could ask whether they are the same.
    of: Option<Arc<OwnSeat<M, F>>>,
}

struct OwnSeat<M, F> {
    make: F,
    mailbox: MailboxOptions,
    messages: PhantomData<fn(M)>,
}

impl<M, F> Launch for InSeat<M, F>
where
    M: Send + 'static,
    F: Factory<M> + Clone + Sync,
{
    fn start(&self, minder: &Peer, options: StartOptions) -> Result<ActorRef, StartError> {
        start_minded(self.seat.clone(), minder, options, self.make.clone())
    }

    fn settled(self: Arc<Self>, _: &Arc<SystemShared>, _: bool) -> Option<Recipe> {
        None
    }

    fn in_seat_of(self: Arc<Self>, other: &Recipe) -> Option<Recipe> {
        // A seat that was made for one incarnation is nobody else's.
        (other.seat() == Some(self.seat.id())).then(|| Recipe { launch: self })
    }

    fn spent(self: Arc<Self>) -> Option<Recipe> {
        let (seat, of): (_, Arc<dyn Launch>) = (self.seat.clone(), self);
        Some(Spent::recipe(seat, false, Some(Arc::downgrade(&of))))
    }

    fn seat(&self) -> Option<SeatId> {
        Some(self.seat.id())
    }

    fn begin_epoch(&self) -> bool {
        self.seat.cell().begin_epoch()
    }

    fn on(&self, host: &LocalHost) -> Option<Recipe> {
        let (seat, make) = (self.seat.clone(), self.make.clone().on(host)?);
        Some(Recipe { launch: Arc::new(Self { seat, make }) })
    }
}

impl<M, F> Launch for Settled<M, F>
where
    M: Send + 'static,
    F: Factory<M> + Clone + Sync,
{
    fn start(&self, minder: &Peer, options: StartOptions) -> Result<ActorRef, StartError> {
        start_minded(self.seat.clone(), minder, options, self.make.clone())
    }

    fn settled(self: Arc<Self>, _: &Arc<SystemShared>, _: bool) -> Option<Recipe> {
        None
    }

    fn own_seat(&self) -> Option<Box<dyn Any>> {
        Some(Box::new(self.seat.clone()))
    }

    fn in_seat_of(self: Arc<Self>, other: &Recipe) -> Option<Recipe> {
        (other.seat() == Some(self.seat.id())).then(|| Recipe { launch: self })
    }

    fn spent(self: Arc<Self>) -> Option<Recipe> {
        let of: Option<Arc<dyn Launch>> = self.of.clone().map(|of| -> Arc<dyn Launch> { of });
        Some(Spent::recipe(self.seat.clone(), true, of.as_ref().map(Arc::downgrade)))
    }

    fn origin(&self) -> *const () {
        match &self.of {
            Some(of) => of.origin(),
            None => std::ptr::from_ref(self).cast(),
        }
    }

    fn seat(&self) -> Option<SeatId> {
        Some(self.seat.id())
    }

    fn begin_epoch(&self) -> bool {
        self.seat.cell().begin_epoch()
    }

    fn on(&self, host: &LocalHost) -> Option<Recipe> {
        let (seat, make) = (self.seat.clone(), self.make.clone().on(host)?);
        Some(Recipe { launch: Arc::new(Self { seat, make, of: None }) })
    }
}

impl<M, F> Launch for OwnSeat<M, F>
where
    M: Send + 'static,
    F: Factory<M> + Clone + Sync,
{
    fn start(&self, minder: &Peer, options: StartOptions) -> Result<ActorRef, StartError> {
        let (_, seat) = address::<M>(&minder.cell.core().system, None, self.mailbox);
        start_minded(seat, minder, options, self.make.clone())
    }

    fn settled(self: Arc<Self>, system: &Arc<SystemShared>, is_shared: bool) -> Option<Recipe> {
        let (_, seat) = address::<M>(system, None, self.mailbox);
        let (make, of) = (self.make.clone(), is_shared.then_some(self));
        Some(Recipe { launch: Arc::new(Settled { seat, make, of }) })
    }

    fn in_seat_of(self: Arc<Self>, other: &Recipe) -> Option<Recipe> {
        let seat = *other.launch.own_seat()?.downcast::<Seat<M>>().ok()?;
        if seat.cell().when_full != self.mailbox.when_full {
            return None;
        }
        Some(Recipe { launch: Arc::new(Settled { seat, make: self.make.clone(), of: Some(self) }) })
    }

    fn spent(self: Arc<Self>) -> Option<Recipe> {
        None
    }

    fn seat(&self) -> Option<SeatId> {
        None
    }

    fn begin_epoch(&self) -> bool {
        false
    }

    fn on(&self, host: &LocalHost) -> Option<Recipe> {
        let (make, mailbox) = (self.make.clone().on(host)?, self.mailbox);
        Some(Recipe { launch: Arc::new(Self { make, mailbox, messages: PhantomData }) })
    }
}

/// A new cell: its address and its seat.
pub(crate) fn address<M: Send + 'static>(
    system: &Arc<SystemShared>,
    name: Option<Arc<str>>,
    mailbox: MailboxOptions,
) -> (Addr<M>, Seat<M>) {
    let cell = Arc::new(Cell::new(system.clone(), name, mailbox));
    cell.watch_length();
    (Addr { cell: cell.clone() }, Seat::first(cell))
}

/// Starts an actor minded by another, in a seat of its own for this one life.
pub(crate) fn spawn_minded<M: Send + 'static>(
    minder: &Peer,
    options: StartOptions,
    make: impl Factory<M>,
) -> Result<Addr<M>, StartError> {
    let (address, seat) = address(&minder.cell.core().system, None, MailboxOptions::default());
    start_minded(seat, minder, options, make)?;
    Ok(address)
}

/// Starts an actor of which its minder hears nothing, in a seat of its own; `make` gets to know the seat first.
pub(crate) fn start_delegate<M: Send + 'static, F: Factory<M>>(
    minder: &Peer,
    make: impl FnOnce(Weak<dyn AnyCell>) -> F,
) -> Result<ActorRef, StartError> {
    let (address, seat) = address(&minder.cell.core().system, None, MailboxOptions::default());
    let options = StartOptions { is_silent: true, ..StartOptions::default() };
    start_minded(seat, minder, options, make(address.cell.weak()))
}

/// Begins a start in a seat: at once, or when the orphan in it has left.
pub(crate) fn start_minded<M: Send + 'static>(
    seat: Seat<M>,
    minder: &Peer,
    options: StartOptions,
    make: impl Factory<M>,
) -> Result<ActorRef, StartError> {
    let cell = seat.cell().clone();
    let (core, minder_core) = (&cell.core, minder.cell.core());
    if !Arc::ptr_eq(&core.system, &minder_core.system) {
        return Err(StartError::OtherSystem(core.path()));
    }
    if minder.is_same_cell(core) {
        return Err(StartError::SeatTaken(core.path()));
    }
    loop {
        let (mut life, mut minder_life) = both(core, minder_core);
        if !minder_life.is(minder.id()) {
            return Err(StartError::NoMinder);
        }
        if !life.occupied {
            if let Err(refused) = claim_name(&cell, &mut life, &options) {
                drop((life, minder_life));
                return Err(refused());
            }
            let path =
                path_below(&minder_life.path_or_number(minder_core.number), &options, core.number, &life);
            let id = occupy(&mut life, core.number, Some(path), Minder::Actor(minder.clone()));
            let child = cell.peer_of(id);
            minder_life.ties().children.insert(core.number, child.clone());
            if options.awaited {
                minder_life.ties().waits.begin(id);
            }
            drop((life, minder_life));
            core.system.one_more();
            make.launch(seat, id, Start::Pending, &options);
            return Ok(ActorRef { peer: child });
        }
        // Somebody lives there: an orphan about to go, or a rightful tenant.
        let tenant = life.id(core.number);
        let tenants_minder = life.minder.clone();
        let heir = life.ties_if_any().and_then(|ties| ties.heir.as_ref());
        let heir = heir.map(|heir| heir.minder.clone());
        drop((life, minder_life));
        let orphaned = is_orphan(tenants_minder);
        // One whose minder has ended while it waited will never take the seat.
        if !orphaned || heir.as_ref().is_some_and(Peer::lives) {
            return Err(StartError::SeatTaken(core.path()));
        }
        let mut life = core.life();
        let known = heir.as_ref().map(Peer::id);
        let first_in_line = life.ties().heir.as_ref().map(|heir| heir.minder.id());
        if !life.is(tenant) || first_in_line != known {
            continue; // the orphan has left meanwhile, or somebody else got in line
        }
        let id = ActorId::new(core.number, life.incarnation + 1);
        let (again, its_minder, news) = (seat.clone(), minder.clone(), options.news());
        let start = Box::new(move || {
            if let Err(refused) = start_minded(again, &its_minder, options, make) {
                its_minder.child_event(id, ChildEvent::StartFailed(refused.into()), news);
            }
        });
        let replaced = life.ties().heir.replace(Heir { id, minder: minder.clone(), news, start });
        drop(life);
        drop(replaced); // it holds the seat and user code: not under the lock
        return Ok(ActorRef { peer: cell.peer_of(id) });
    }
}

/// Whether someone up the line of minders has ended: then everybody below is on the way out, level by level.
fn is_orphan(mut minder: Minder) -> bool {
    loop {
        let Minder::Actor(above) = minder else { return false };
        let life = above.cell.core().life();
        if !life.is(above.id()) {
            return true;
        }
        let next = life.minder.clone();
        drop(life);
        minder = next;
    }
}

/// Claims the name that the actor is to be registered under, with the life of its seat held. What is wrong is said in
/// words when no life is held any more.
fn claim_name<M: Send + 'static>(
    cell: &Arc<Cell<M>>,
    life: &mut Life,
    options: &StartOptions,
) -> Result<(), impl FnOnce() -> StartError + use<M>> {
    let Some(name) = &options.registered else { return Ok(()) };
    if life.name() == Some(name) {
        return Ok(());
    }
    let any: Arc<dyn AnyCell> = cell.clone();
    let name = name.clone();
    let claimed = cell.core.system.registry.claim(&name, &any, life);
    claimed.map_err(|refused| move || StartError::Name(refused.in_words(&name)))
}

/// Where an actor stands: below its minder. The path that it had there in its last life is not made again.
fn path_below(minder: &str, options: &StartOptions, number: u64, life: &Life) -> Arc<str> {
    let Some(name) = &options.name else { return format!("{minder}/#{number}").into() };
    let known = life.path.as_ref().filter(|known| {
        let rest = known.strip_prefix(minder).and_then(|rest| rest.strip_prefix('/'));
        rest == Some(&**name)
    });
    known.cloned().unwrap_or_else(|| format!("{minder}/{name}").into())
}

/// Starts an actor that the system itself minds.
pub(crate) fn start_root<M: Send + 'static>(
    seat: Seat<M>,
    start: Start,
    options: &StartOptions,
    make: impl Factory<M>,
) -> Result<ActorRef, StartError> {
    start_root_tied(seat, start, options, make, |_| ()).map(|(actor, ())| actor)
}

/// [`start_root`]. Before the actor can do anything it is handed to `tie`, with no life held.
pub(crate) fn start_root_tied<M: Send + 'static, T>(
    seat: Seat<M>,
    start: Start,
    options: &StartOptions,
    make: impl Factory<M>,
    tie: impl FnOnce(&Peer) -> T,
) -> Result<(ActorRef, T), StartError> {
    let cell = seat.cell().clone();
    let id = {
        let mut life = cell.core.life();
        if life.occupied {
            drop(life);
            return Err(StartError::SeatTaken(cell.core.path()));
        }
        if let Err(refused) = claim_name(&cell, &mut life, options) {
            drop(life);
            return Err(refused());
        }
        let path = options.name.clone().or_else(|| life.path.clone());
        let incarnation = life.incarnation + 1;
        let id = ActorId::new(cell.core.number, incarnation);
        let Some(place) = cell.core.system.add_root(cell.peer_of(id)) else {
            return Err(StartError::ShuttingDown);
        };
        occupy(&mut life, cell.core.number, path, Minder::System(place))
    };
    let child = cell.peer_of(id);
    let tied = tie(&child);
    cell.core.system.one_more();
    make.launch(seat, id, start, options);
    Ok((ActorRef { peer: child }, tied))
}

fn occupy(life: &mut Life, number: u64, path: Option<Arc<str>>, minder: Minder) -> ActorId {
    life.incarnation += 1;
    life.occupied = true;
    life.acknowledged = false;
    life.ready = false;
    life.path = path;
    life.minder = minder;
    life.id(number)
}
