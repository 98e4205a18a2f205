//! The watchdog of a system: a thread that tells which actors hold their threads for too long, while they do. A task could not:
//! it would stand still with them. It looks now and then at the few places where actors run (`watch.rs`), so that those who run
//! read no clock; what is a stall is decided in `stall.rs`.
//! Ends nobody: what does not yield cannot be ended.

mod stall;
#[cfg(test)]
mod tests;
mod watch;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::thread::{Builder, Thread};
use std::time::Duration;

use minder_signals::{ActorId, Moment};

pub(crate) use watch::{Slot, Subject, Watch};

use crate::clock::Clock;
use crate::events::Event;
use crate::frame;
use crate::life::AnyCell;
use crate::system::{SystemBuilder, SystemShared};
use stall::{LOOKS, News, Stall};

/// What its thread is called.
const NAME: &str = "minder-watchdog";

/// Looks are this far apart, at least.
const SHORTEST: Duration = Duration::from_millis(1);

/// What an actor does whose start has not been acknowledged.
const START: &str = "start";

pub(crate) struct Watchdog {
    limit: Duration,
    state: Mutex<State>,
    /// Told when it is to end, and when it has.
    ending: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    has_ended: bool,
    /// Places that it has not looked at yet.
    new: Vec<Weak<Slot>>,
}

impl Watchdog {
    pub(crate) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self { limit, state: Mutex::default(), ending: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to look. Keeps the system no longer than it takes to tell it something.
    #[expect(clippy::disallowed_methods, reason = "this thread is the system's own, and ends with it")]
    pub(crate) fn start(self: &Arc<Self>, system: &Arc<SystemShared>) -> io::Result<()> {
        let (ended, system) = (Ended(self.clone()), Arc::downgrade(system));
        // Nobody joins it: it says itself when it is done.
        Builder::new().name(NAME.to_owned()).spawn(move || ended.0.run(&system)).map(drop)
    }

    fn run(&self, system: &Weak<SystemShared>) {
        let clock = Clock::start();
        let mut places = Vec::new();
        while let Some(new) = self.until_next_look() {
            places.extend(new.into_iter().map(Place::new));
            let now = clock.now();
            for place in &mut places {
                let Some((news, who)) = place.look(now, self.limit) else { continue };
                let Some(system) = system.upgrade() else { return };
                who.tell(&system, news);
            }
            places.retain(|place| !place.is_done());
        }
    }

    /// Waits for the time of the next look; the places that have come meanwhile, or nothing once it is to end.
    fn until_next_look(&self) -> Option<Vec<Weak<Slot>>> {
        let apart = (self.limit / LOOKS).max(SHORTEST);
        let waited = self.ending.wait_timeout_while(self.lock(), apart, |state| !state.closed);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (!state.closed).then(|| std::mem::take(&mut state.new))
    }

    /// It is to end.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ending.notify_all();
    }

    /// Ends it, and waits until nothing is told any more: no longer than an observer takes for an event, and no longer than
    /// `grace`. By the clock of its thread, which goes on where tokio's is paused.
    pub(crate) fn end(&self, grace: Duration) {
        self.close();
        drop(self.ending.wait_timeout_while(self.lock(), grace, |state| !state.has_ended));
    }

    /// Has the polls of a task watched: a life, or `work` beside one.
    pub(crate) fn watch<F>(
        self: &Arc<Self>,
        cell: Arc<dyn AnyCell>,
        id: ActorId,
        work: Option<&'static str>,
        task: F,
    ) -> Watched<F> {
        let subject = Arc::new(Subject { cell: Arc::downgrade(&cell), id, work });
        Watched { watchdog: self.clone(), subject, task }
    }

    /// Looks at this one, too.
    fn look_at(&self, slot: &Arc<Slot>) {
        self.lock().new.push(Arc::downgrade(slot));
    }
}

/// Says that the thread is done, however that came.
struct Ended(Arc<Watchdog>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.0.ending.notify_all();
    }
}

/// A task whose polls are watched. It is boxed, so that there is one such type and not one for each type of actor.
pub(crate) struct Watched<F> {
    watchdog: Arc<Watchdog>,
    subject: Arc<Subject>,
    task: F,
}

impl<F: Future + Unpin> Future for Watched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Self { watchdog, subject, task } = self.get_mut();
        frame::watched(watchdog, subject, || Pin::new(task).poll(cx))
    }
}

/// A place where actors run, and what has been seen of it.
struct Place {
    slot: Weak<Slot>,
    stall: Stall,
    /// Who stands still there.
    who: Option<Who>,
}

impl Place {
    fn new(slot: Weak<Slot>) -> Self {
        Self { slot, stall: Stall::default(), who: None }
    }

    fn look(&mut self, now: Moment, limit: Duration) -> Option<(News, Who)> {
        // With its thread, whatever ran there is gone.
        let slot = self.slot.upgrade();
        let seen = slot.as_ref().and_then(|slot| slot.seen());
        let news = self.stall.look(seen.as_ref().map(|(run, _)| *run), now, limit)?;
        let who = match news {
            News::Stalled(_) => {
                let (slot, (_, subject)) = slot.zip(seen).expect("what stalls is seen");
                self.who.insert(Who::of(&subject, slot.thread.clone())).clone()
            }
            News::Over(_) => self.who.take().expect("a stall was told of somebody"),
        };
        Some((news, who))
    }

    /// Its thread is gone, and nothing remains to be told.
    fn is_done(&self) -> bool {
        self.slot.strong_count() == 0 && self.who.is_none()
    }
}

/// Who stands still, as it is told: kept, since it may be gone when the stall is over.
#[derive(Clone)]
struct Who {
    path: Arc<str>,
    id: ActorId,
    work: &'static str,
    thread: Thread,
}

impl Who {
    fn of(subject: &Subject, thread: Thread) -> Self {
        let Subject { id, work, .. } = *subject;
        let Some(cell) = subject.cell.upgrade() else {
            // It came to its end just now.
            return Self { path: format!("#{}", id.cell()).into(), id, work: work.unwrap_or(START), thread };
        };
        let (path, is_starting) = {
            let life = cell.core().life();
            (life.path_or_number(id.cell()), life.is(id) && !life.acknowledged)
        };
        let work = work.unwrap_or(if is_starting { START } else { cell.message() });
        Self { path, id, work, thread }
    }

    fn tell(&self, system: &SystemShared, news: News) {
        let Self { path, id, work, thread } = self;
        let (path, id) = (&**path, *id);
        system.report(&match news {
            News::Stalled(lasts) => Event::Stalled { path, id, work, thread, lasts },
            News::Over(lasted) => Event::StallOver { path, id, work, thread, lasted },
        });
    }
}

impl SystemBuilder {
    /// Tells an [`Event::Stalled`] when code of an actor holds its thread for longer than `limit` without an await, while it goes
    /// on, and an [`Event::StallOver`] when it is over: a handler, a start, a clean-up, a drop, a job, a stream. Such an actor
    /// can neither be stopped nor killed before its next await, and whoever shares its thread waits as well. Off unless this
    /// is called.
    ///
    /// When to use this: in production, with a limit that no handler passes while all is well (a second, say), to learn who is
    /// to blame when actors do not answer and a shutdown takes too long. When not: against handlers that *await* for long, which
    /// hold no thread; those are ended by a child's `handler_limit`. Closures of
    /// [`Context::blocking`](crate::Context::blocking) may block, and are not watched.
    ///
    /// It costs a thread, which wakes up four times within the limit also when nobody has anything to do, two allocations for each
    /// actor, some hundred instructions for each message, and five hundred for each time that an actor gets its turn. A limit
    /// below 4 ms is taken for 4 ms. Time is the clock on the wall, even where tokio's is paused. In simulation there is no
    /// watchdog: time stands still there while code runs.
    ///
    /// # Ordering
    /// Told from a thread of its own: never early, and late by about a quarter of the limit. Nothing is told any more once
    /// [`System::shutdown`](crate::System::shutdown) has returned or the system is dropped, also not of a stall that is over later.
    ///
    /// # OTP
    /// `long_schedule` of `erlang:system_monitor/2`, which tells of it when it is over.
    #[must_use]
    pub fn watchdog(mut self, limit: Duration) -> Self {
        self.watchdog = Some(limit);
        self
    }
}
