//! A run as the code inside sees it: time, quiet, tasks of its own, and what has happened so far.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use minder::{Event, System};
use minder_runtime::host::{Host, Run, Task};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::chronicle::{Chronicle, Ended};
use super::inbox::{Arrivals, Inbox};

/// Everything of a run that is not the executor's own.
pub(crate) struct Shared {
    pub(super) inbox: Arc<Inbox>,
    chronicle: Mutex<Chronicle>,
    systems: Mutex<Vec<System>>,
    seed: u64,
    draws: Mutex<fastrand::Rng>,
    start: Instant,
    /// Whether it is the test's own code that runs right now.
    pub(super) is_main: AtomicBool,
    /// Until how many milliseconds after the start the test means to wait, whatever happens.
    means_to_wait: AtomicU64,
}

impl Shared {
    #[expect(clippy::disallowed_methods, reason = "the simulated clock, of which this is the one")]
    pub(super) fn new(seed: u64) -> Self {
        Self {
            inbox: Arc::default(),
            chronicle: Mutex::new(Chronicle::new()),
            systems: Mutex::default(),
            seed,
            draws: Mutex::new(fastrand::Rng::with_seed(seed ^ 0x5851_F42D_4C95_7F2D)),
            start: Instant::now(),
            is_main: AtomicBool::new(false),
            means_to_wait: AtomicU64::new(0),
        }
    }

    pub(crate) fn chronicle(&self) -> MutexGuard<'_, Chronicle> {
        self.chronicle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn systems(&self) -> Vec<System> {
        self.systems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets go of the systems, which hold this as their host.
    pub(super) fn forget_systems(&self) {
        let systems = std::mem::take(&mut *self.systems.lock().unwrap_or_else(PoisonError::into_inner));
        drop(systems);
    }

    #[expect(clippy::disallowed_methods, reason = "the simulated clock, of which this is the one")]
    pub(crate) fn now(&self) -> Duration {
        Instant::now().duration_since(self.start)
    }

    /// Since when the test waits for something: not before the end of what it waits for on purpose.
    pub(super) fn waits_since(&self, main_ran: Instant) -> Instant {
        main_ran.max(self.start + Duration::from_millis(self.means_to_wait.load(Ordering::Relaxed)))
    }
}

impl Host for Shared {
    fn seed(&self) -> u64 {
        let systems = self.systems.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        self.seed ^ systems.rotate_left(32)
    }

    fn hosts(&self, system: &System) {
        self.systems.lock().unwrap_or_else(PoisonError::into_inner).push(system.clone());
    }

    fn spawn(&self, task: Task) {
        if let Some(target) = &task.target {
            self.chronicle().began(self.now(), &task.path, target);
        }
        self.inbox.spawn(task);
    }

    fn event(&self, event: &Event<'_>) {
        self.chronicle().event(self.now(), event);
    }
}

/// A run, for the code inside it. Clones are the same run.
#[derive(Clone)]
pub struct World {
    pub(crate) shared: Arc<Shared>,
}

impl World {
    /// The seed of the run; 0 without one.
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// A random number, from the seed of the run.
    pub fn random(&self) -> u64 {
        self.shared.draws.lock().unwrap_or_else(PoisonError::into_inner).u64(..)
    }

    /// Simulated time since the run began. Stands still but for [`World::advance`], [`World::until`], and when the
    /// code of the run waits for something that only time can bring.
    pub fn now(&self) -> Duration {
        self.shared.now()
    }

    /// Waits until nothing more can happen without new input or time: nobody can run, and no wake is outstanding.
    /// Time does not move. Where tasks of [`World::spawn`] wait for quiet as well, the test comes after them.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait.
    pub async fn settle(&self) {
        if self.shared.is_main.load(Ordering::Relaxed) {
            self.until_counted(|state| (&mut state.main_settling, state.main_quiets)).await;
        } else {
            self.until_counted(|state| (&mut state.settling, state.quiets)).await;
        }
    }

    /// Moves time on, to the millisecond: everything that is due on the way happens in its time and settles before
    /// this returns.
    ///
    /// # Cancel safety
    /// Dropping the future leaves time where it is by then.
    pub async fn advance(&self, duration: Duration) {
        self.sleep(duration).await;
        self.settle().await;
    }

    /// Moves time on to a moment, counted from the start of the run; nothing if that has passed.
    ///
    /// # Cancel safety
    /// As [`World::advance`].
    pub async fn run_until(&self, moment: Duration) {
        self.advance(moment.saturating_sub(self.now())).await;
    }

    /// Moves time on until `met`, looked at whenever all is quiet; at most this long. Returns whether it was met.
    ///
    /// # Cancel safety
    /// As [`World::advance`].
    pub async fn until(&self, within: Duration, mut met: impl FnMut() -> bool) -> bool {
        let mut limit = pin!(self.sleep(within));
        loop {
            self.settle().await;
            if met() {
                return true;
            }
            let mut moved = pin!(self.until_counted(|state| (&mut state.watching, state.moves)));
            let is_over = poll_fn(|cx| match limit.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => moved.as_mut().poll(cx).map(|()| false),
            });
            if is_over.await {
                self.settle().await;
                return met();
            }
        }
    }

    /// Runs a task of one's own beside the actors, as a client of theirs for example. It is scheduled like them; what
    /// is left of it at the end of the run is dropped.
    ///
    /// A panic in it is the result of whoever awaits it. If nobody does, it fails the run.
    pub fn spawn<T: Send + 'static>(
        &self,
        name: &str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Spawned<T> {
        let (tell, told) = oneshot::channel();
        let (inbox, who) = (Arc::downgrade(&self.shared.inbox), Arc::<str>::from(name));
        let path = who.clone();
        let run = Run::Anywhere(Box::pin(async move {
            let result = Caught::new(work).await;
            let Err(Err(text)) = tell.send(result) else { return };
            if let Some(inbox) = inbox.upgrade() {
                inbox.lock().panics.push((who, text));
            }
        }));
        self.shared.inbox.spawn(Task { path, target: None, run });
        Spawned { told }
    }

    /// The ends of lives so far, the last ten thousand.
    pub fn exits(&self) -> Vec<Ended> {
        self.shared.chronicle().exits().cloned().collect()
    }

    /// What has happened, a line each: the last so many events.
    pub fn story(&self, lines: usize) -> String {
        self.shared.chronicle().story(lines)
    }

    #[expect(clippy::disallowed_methods, reason = "this is how simulated time is moved")]
    async fn sleep(&self, duration: Duration) {
        if self.shared.is_main.load(Ordering::Relaxed) {
            let until = self.now().saturating_add(duration);
            let millis = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
            self.shared.means_to_wait.fetch_max(millis, Ordering::Relaxed);
        }
        tokio::time::sleep(duration).await;
    }

    /// Waits until a count of the inbox has gone up.
    async fn until_counted(&self, which: impl Fn(&mut Arrivals) -> (&mut Vec<Waker>, u64)) {
        let inbox = &self.shared.inbox;
        let seen = which(&mut inbox.lock()).1;
        poll_fn(|cx| {
            let mut state = inbox.lock();
            let (waiting, count) = which(&mut state);
            if count > seen {
                return Poll::Ready(());
            }
            if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                waiting.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("seed", &self.shared.seed)
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

/// A task of [`World::spawn`], for whoever waits for its end.
#[derive(Debug)]
pub struct Spawned<T> {
    told: oneshot::Receiver<Result<T, String>>,
}

impl<T> Future for Spawned<T> {
    /// `Err` is what its panic said.
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let dropped = |_| Err("the run ended before the task did".to_owned());
        Pin::new(&mut self.told).poll(cx).map(|told| told.unwrap_or_else(dropped))
    }
}

/// A future whose panic is its result.
pub(super) struct Caught<F> {
    /// Boxed, since it is dropped as soon as it has panicked. Empty after that.
    code: Option<Pin<Box<F>>>,
}

impl<F: Future> Caught<F> {
    pub(super) fn new(code: F) -> Self {
        Self { code: Some(Box::pin(code)) }
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let code = self.code.as_mut().expect("a future is polled until it ends, and not after");
        let polled = catch_unwind(AssertUnwindSafe(|| code.as_mut().poll(cx)));
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(payload) => Err(text_of(payload)),
        };
        let code = self.code.take();
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(code)));
        Poll::Ready(match (result, dropped.map_err(text_of)) {
            (Ok(value), Err(text)) => {
                drop_caught(value);
                Err(text)
            }
            (result, _) => result,
        })
    }
}

/// What a panic said. Its payload is dropped, which is code of the run as well.
pub(super) fn text_of(payload: Box<dyn std::any::Any + Send>) -> String {
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic whose payload is no text".to_owned(),
    };
    drop_caught(payload);
    text
}

/// Drops what is left of something whose fate is told already: there is nobody to tell of a panic in that.
pub(super) fn drop_caught<T>(rest: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(rest))) {
        std::mem::forget(payload); // its drop may panic as well
    }
}
