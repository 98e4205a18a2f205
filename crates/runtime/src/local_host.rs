//! Where actors live that are not `Send`: a thread that the system makes and ends, a local set of the caller's, or in
//! simulation the thread of the simulation.
//!
//! What is sent to such a thread is a life that has not begun (a seat, a context, a factory), and that is `Send`; what it
//! becomes is made there and never leaves. So there is nothing to be promised that the compiler does not check.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::thread::JoinHandle;

use minder_signals::{ActorId, ExitReason};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use crate::addr::Addr;
use crate::birth::{self, OnOneThread, StartError, StartOptions};
use crate::context::Start;
use crate::host::Home;
use crate::life::AnyCell;
use crate::local::{IntoLocalActor, LocalActor};
use crate::system::{System, SystemShared};

/// What the thread of a system is called that hosts whoever was given no host.
const OWN: &str = "minder-local";

/// A life that has not begun, on its way to the thread that it will be lived on.
pub(crate) trait Unborn: Send {
    fn target(&self) -> (Arc<dyn AnyCell>, ActorId);

    /// Begins it, on this thread.
    fn begin(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()>>>;

    /// It will not begin: makes of it a start that fails, wherever there is room.
    fn refuse(self: Box<Self>, why: ExitReason);
}

/// Where local actors live; clones are the same place. Made by [`System::local_host`] and [`System::local_host_in`].
#[derive(Clone)]
pub struct LocalHost {
    place: Arc<Place>,
}

struct Place {
    name: Arc<str>,
    system: Weak<SystemShared>,
    /// Nothing in simulation.
    orders: Option<mpsc::UnboundedSender<Order>>,
}

enum Order {
    Begin(Box<dyn Unborn>),
    /// The system has stopped: nobody comes any more.
    End,
    /// The tokio runtime is gone: nobody lives any more.
    Abandon,
}

/// The hosts of one system.
#[derive(Default)]
pub(crate) struct LocalHosts {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    has_ended: bool,
    /// For whoever was given none.
    own: Option<LocalHost>,
    hosts: Vec<LocalHost>,
    threads: Vec<Thread>,
}

struct Thread {
    handle: JoinHandle<()>,
    has_ended: Arc<AtomicBool>,
}

impl LocalHosts {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the threads end once nobody lives on them.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        for host in &state.hosts {
            host.order(Order::End);
        }
    }

    /// Whether all of them have.
    pub(crate) fn have_ended(&self) -> bool {
        self.lock().threads.iter().all(|thread| thread.has_ended.load(Ordering::Acquire))
    }

    /// Waits for threads that are done, which takes no time. Returns how many are not.
    pub(crate) fn join(&self) -> usize {
        let threads = std::mem::take(&mut self.lock().threads);
        let (done, rest): (Vec<_>, Vec<_>) =
            threads.into_iter().partition(|thread| thread.has_ended.load(Ordering::Acquire));
        for thread in done {
            let name = thread.handle.thread().name().unwrap_or_default().to_owned();
            // Lives are caught one by one, so this is a fault of the platform; it is not to go unnoticed.
            if thread.handle.join().is_err() {
                tracing::error!(target: "minder::local", thread = name, "a thread of local actors panicked");
            }
        }
        let left = rest.len();
        self.lock().threads.extend(rest);
        left
    }
}

impl System {
    /// A thread of this name that hosts local actors, made now and ended by [`System::shutdown`]. Whoever is given no host
    /// lives on one that the system makes when it is first needed; several are for actors that would hold each other up.
    /// In simulation it is a name and no thread.
    ///
    /// # Errors
    /// If the operating system gives no thread.
    pub fn local_host(&self, name: &str) -> io::Result<LocalHost> {
        let mut state = self.shared.locals.lock();
        LocalHost::on_a_thread(&self.shared, name, &mut state)
    }

    /// Hosts local actors on a local set of the caller's: they live while the set is run (`set.run_until(…)`). Should it
    /// be dropped before, they end as if killed, without cleaning up, and starts on it fail from then on. In simulation the
    /// set is not used.
    pub fn local_host_in(&self, set: &LocalSet) -> LocalHost {
        let mut state = self.shared.locals.lock();
        let (host, intake) = LocalHost::new(&self.shared, "local set", &mut state);
        if let Some(intake) = intake {
            // Whether it was ended or abandoned, the set is its owner's.
            drop(set.spawn_local(async move { drop(intake.take_in().await) }));
        }
        host
    }

    /// [`System::spawn`] for a local actor, on the system's own thread.
    ///
    /// # Errors
    /// [`StartError::ShuttingDown`] once [`System::shutdown`] has begun.
    pub fn spawn_local<R, F>(&self, make: F) -> Result<Addr<<R::Actor as LocalActor>::Msg>, StartError>
    where
        R: IntoLocalActor + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        spawn(&self.shared, None, make)
    }
}

fn spawn<R, F>(
    system: &Arc<SystemShared>,
    host: Option<LocalHost>,
    make: F,
) -> Result<Addr<<R::Actor as LocalActor>::Msg>, StartError>
where
    R: IntoLocalActor + 'static,
    F: FnOnce() -> R + Send + 'static,
{
    let (address, seat) = birth::address(system, None, Default::default());
    birth::start_root(seat, Start::Pending, &StartOptions::default(), OnOneThread(make, host))?;
    Ok(address)
}

impl LocalHost {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.place.name
    }

    /// Starts a local actor here that the system minds: it is not restarted. As [`System::spawn`].
    ///
    /// # Errors
    /// [`StartError::ShuttingDown`] once [`System::shutdown`] has begun, or the system is gone.
    pub fn spawn<R, F>(&self, make: F) -> Result<Addr<<R::Actor as LocalActor>::Msg>, StartError>
    where
        R: IntoLocalActor + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        let system = self.place.system.upgrade().ok_or(StartError::ShuttingDown)?;
        spawn(&system, Some(self.clone()), make)
    }

    /// A host, and the task that will take its actors in, if it needs one.
    fn new(system: &Arc<SystemShared>, name: &str, state: &mut State) -> (Self, Option<Intake>) {
        let (orders, taken) = mpsc::unbounded_channel();
        let is_simulated = system.home.is_simulated();
        let orders = (!is_simulated).then_some(orders);
        let place = Place { name: name.into(), system: Arc::downgrade(system), orders };
        let host = Self { place: Arc::new(place) };
        if state.has_ended {
            host.order(Order::End);
        }
        state.hosts.push(host.clone());
        (host.clone(), (!is_simulated).then(|| Intake { name: host.place.name.clone(), orders: taken }))
    }

    #[expect(clippy::disallowed_methods, reason = "this thread is the system's own, and ends with it")]
    fn on_a_thread(system: &Arc<SystemShared>, name: &str, state: &mut State) -> io::Result<Self> {
        let (host, intake) = Self::new(system, name, state);
        let (Some(intake), Home::Tokio(tokio)) = (intake, &system.home) else { return Ok(host) };
        let has_ended = Arc::new(AtomicBool::new(false));
        let (keep, kept) = oneshot::channel();
        let ended = Ended { flag: has_ended.clone(), system: Arc::downgrade(system), _keeper: keep };
        let its_tokio = tokio.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _ended = ended;
            live_on(&its_tokio, intake);
        });
        let handle = match thread {
            Ok(handle) => handle,
            Err(error) => {
                state.hosts.pop();
                return Err(error);
            }
        };
        state.threads.push(Thread { handle, has_ended });
        // The thread is none of tokio's, which says nothing when it goes; but it drops its tasks.
        if let Some(orders) = &host.place.orders {
            let keeper = Keeper { orders: orders.downgrade() };
            system.home.spawn_own("local host", keeper.until_it_ends(kept));
        }
        Ok(host)
    }

    /// Gives the order back if nobody is there to take it.
    fn order(&self, order: Order) -> Option<Order> {
        self.place.orders.as_ref()?.send(order).err().map(|back| back.0)
    }
}

/// Begins a life on its host, or on the system's own thread.
pub(crate) fn begin(system: &Arc<SystemShared>, host: Option<LocalHost>, life: Box<dyn Unborn>) {
    #[cfg(feature = "fault-injection")]
    if let Home::Host(home) = &system.home {
        return home.spawn(crate::host::Task::local(life));
    }
    let host = match host {
        Some(host) if host.place.system.as_ptr() == Arc::as_ptr(system) => host,
        Some(_) => {
            let path = life.target().0.core().path();
            return life.refuse(StartError::OtherSystem(path).into());
        }
        None => {
            let mut state = system.locals.lock();
            let own = match state.own.clone() {
                Some(own) => Ok(own),
                None => LocalHost::on_a_thread(system, OWN, &mut state),
            };
            match own {
                Ok(own) => state.own.insert(own).clone(),
                Err(error) => {
                    drop(state);
                    return life.refuse(error.into());
                }
            }
        }
    };
    if let Some(Order::Begin(life)) = host.order(Order::Begin(life)) {
        life.refuse(StartError::NoHost(host.place.name.clone()).into());
    }
}

/// The task that takes local actors in.
struct Intake {
    name: Arc<str>,
    orders: mpsc::UnboundedReceiver<Order>,
}

impl Intake {
    /// Until it is told that nobody comes any more; then it is returned to be told that nobody lives.
    async fn take_in(mut self) -> Option<Self> {
        loop {
            match self.orders.recv().await {
                Some(Order::Begin(life)) => begin_here(life),
                Some(Order::End) => return Some(self),
                Some(Order::Abandon) | None => return None,
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a life is told of by its departure; nobody needs its handle")]
fn begin_here(life: Box<dyn Unborn>) {
    let (cell, id) = life.target();
    let life = life.begin();
    match &cell.core().system.watchdog {
        None => drop(tokio::task::spawn_local(life)),
        Some(watchdog) => drop(tokio::task::spawn_local(watchdog.watch(cell.clone(), id, None, life))),
    }
}

/// Its thread or its set is gone: whoever was on the way gets to know.
impl Drop for Intake {
    fn drop(&mut self) {
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            if let Order::Begin(life) = order {
                life.refuse(StartError::NoHost(self.name.clone()).into());
            }
        }
    }
}

/// What such a thread does. Inside the system's tokio runtime, so that time and I/O are the same as everybody's.
fn live_on(tokio: &Handle, intake: Intake) {
    let set = LocalSet::new();
    tokio.block_on(async {
        let Some(mut rest) = set.run_until(intake.take_in()).await else { return };
        // Nobody comes any more; those who live here come to their end.
        let mut set = pin!(set);
        poll_fn(|cx| {
            if set.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            while let Poll::Ready(order) = rest.orders.poll_recv(cx) {
                match order {
                    Some(Order::Begin(life)) => life.refuse(StartError::ShuttingDown.into()),
                    Some(Order::End) => {}
                    Some(Order::Abandon) | None => return Poll::Ready(()),
                }
            }
            Poll::Pending
        })
        .await;
    });
}

/// Says that a thread is done, however that came.
struct Ended {
    flag: Arc<AtomicBool>,
    system: Weak<SystemShared>,
    /// Dropped, it ends the keeper.
    _keeper: oneshot::Sender<()>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Release);
        if let Some(system) = self.system.upgrade() {
            system.has_fewer();
        }
    }
}

/// A task that lives as long as the tokio runtime and the thread do. Dropped with the runtime, it ends the thread.
struct Keeper {
    orders: mpsc::WeakUnboundedSender<Order>,
}

impl Keeper {
    async fn until_it_ends(self, ended: oneshot::Receiver<()>) {
        drop(ended.await);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(orders) = self.orders.upgrade() {
            // The thread has ended already: fine.
            drop(orders.send(Order::Abandon));
        }
    }
}

impl fmt::Debug for LocalHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalHost({})", self.place.name)
    }
}
