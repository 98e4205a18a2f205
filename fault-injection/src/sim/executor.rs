//! The executor: the one root future of a tokio runtime whose clock stands still. It polls every task itself, one at a
//! time, and lets tokio have the thread only when nobody can run: then tokio moves the clock to the next timer.
//! Which task runs next is decided in `ready.rs` alone.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::RuntimeMetrics;
use tokio::time::{Instant, Sleep};

use super::error::{Escape, SimError};
use super::inbox::TaskWaker;
use super::ready::{Key, Policy, Ready};
use super::trace::{Hash, Log, Stamp};
use super::world::{Shared, drop_caught, text_of};

/// What the code of the run itself is called.
pub(super) const MAIN: &str = "the test";
/// How long a run that is stuck waits, in real time, for the foreign thread that may be why.
const PATIENCE: Duration = Duration::from_millis(100);
/// How many of the last to run are named when a run spins.
const LAST: usize = 8;

/// When a run that goes on is given up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Simulated time that the test may wait without being woken.
    pub(super) horizon: Duration,
    /// Steps without time moving or the test running; ten times as many if it does run.
    pub(super) spin: u64,
}

struct Slot<'a> {
    number: u32,
    name: Arc<str>,
    stamp: Stamp,
    state: Arc<TaskWaker>,
    waker: Waker,
    run: Pin<Box<dyn Future<Output = ()> + 'a>>,
}

pub(super) struct Executor<'a> {
    shared: Arc<Shared>,
    limits: Limits,
    ready: Ready,
    slots: Vec<Option<Slot<'a>>>,
    free: Vec<u32>,
    next_number: u32,
    /// Kept for its memory.
    woken: Vec<Key>,
    /// Set by tokio when it makes a thread.
    threads: Arc<AtomicBool>,
    metrics: RuntimeMetrics,
    sentinel: Option<Pin<Box<Sleep>>>,
    /// Whether tokio was given the chance to wake whoever yielded to it.
    flushed: bool,
    now: Instant,
    /// When the test ran last.
    main_ran: Instant,
    idle_steps: u64,
    /// How many steps had been taken when time moved last.
    steps_at_move: u64,
    /// The last to run, once a run is long past what is usual.
    last: VecDeque<Arc<str>>,
    pub(super) steps: u64,
    pub(super) hash: Hash,
    pub(super) log: Log,
}

impl<'a> Executor<'a> {
    pub(super) fn new(
        shared: Arc<Shared>,
        policy: Policy,
        limits: Limits,
        is_recording: bool,
        threads: Arc<AtomicBool>,
    ) -> Self {
        let now = read_clock();
        Self {
            shared,
            limits,
            ready: Ready::by(policy),
            slots: Vec::new(),
            free: Vec::new(),
            next_number: 0,
            woken: Vec::new(),
            threads,
            metrics: tokio::runtime::Handle::current().metrics(),
            sentinel: None,
            flushed: false,
            now,
            main_ran: now,
            idle_steps: 0,
            steps_at_move: 0,
            last: VecDeque::new(),
            steps: 0,
            hash: Hash::new(),
            log: Log::wanted(is_recording),
        }
    }

    /// Runs the code of the run, and everybody who comes to life on the way, until that code ends.
    pub(super) async fn run(&mut self, main: impl Future<Output = ()> + 'a) -> Result<(), SimError> {
        let main = self.admit(MAIN.into(), Stamp::of(MAIN, None), Box::pin(main));
        self.woken.push(main);
        self.ready.add(&mut self.woken);
        poll_fn(|cx| self.poll(main, cx)).await
    }

    fn poll(&mut self, main: Key, cx: &mut Context<'_>) -> Poll<Result<(), SimError>> {
        self.note_time();
        loop {
            if let Err(error) = self.collect() {
                return Poll::Ready(Err(error));
            }
            let Some(key) = self.ready.take() else {
                match self.rest(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(())) => continue,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                }
            };
            match self.step(key, key == main) {
                Ok(false) => {}
                // What came from a foreign thread while the last step ran is an escape as well.
                Ok(true) => return Poll::Ready(self.collect()),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Polls one task once. True if it was the code of the run, and has ended.
    fn step(&mut self, key: Key, is_main: bool) -> Result<bool, SimError> {
        let Some(slot) = self.slots.get_mut(key.slot as usize).and_then(Option::as_mut) else {
            return Ok(false);
        };
        if slot.number != key.number {
            return Ok(false); // woken late: it has ended, and its place is another's
        }
        slot.state.runs();
        let mut cx = Context::from_waker(&slot.waker);
        if is_main {
            self.shared.is_main.store(true, Ordering::Relaxed);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| slot.run.as_mut().poll(&mut cx)));
        if is_main {
            self.shared.is_main.store(false, Ordering::Relaxed);
        }
        self.flushed = false;
        self.steps += 1;
        self.idle_steps += 1;
        let has_ended = !matches!(polled, Ok(Poll::Pending));
        self.hash.step(slot.stamp, has_ended);
        self.log.step(&slot.name);
        if is_main {
            self.main_ran = self.now;
            self.idle_steps = 0;
        }
        if self.metrics.num_alive_tasks() > 0 {
            return Err(self.escape(key, Escape::TokioTask));
        }
        if self.threads.load(Ordering::Acquire) {
            return Err(self.escape(key, Escape::BlockingThread));
        }
        let still_steps = self.steps - self.steps_at_move;
        let spun = self.idle_steps.max(still_steps / 10);
        if spun + LAST as u64 > self.limits.spin {
            self.spins(key, spun)?;
        }
        if has_ended {
            self.dismiss(key, polled.err().map(text_of));
        }
        Ok(is_main && has_ended)
    }

    /// Takes a task off. Its drop is code of actors, and may panic like its poll.
    fn dismiss(&mut self, key: Key, panicked: Option<String>) {
        let Some(slot) = self.slots[key.slot as usize].take() else { return };
        self.free.push(key.slot);
        let name = slot.name.clone();
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(slot)));
        let text = panicked.or_else(|| dropped.err().map(text_of));
        if let Some(text) = text {
            self.shared.inbox.lock().panics.push((name, text));
        }
    }

    /// Takes in who was woken and who came to life.
    fn collect(&mut self) -> Result<(), SimError> {
        let mut state = self.shared.inbox.lock();
        if let Some((key, thread)) = state.intruder.take() {
            drop(state);
            let who = key.unwrap_or(Key { number: u32::MAX, slot: u32::MAX });
            return Err(self.escape(who, Escape::ForeignThread(thread)));
        }
        if state.woken.is_empty() && state.spawned.is_empty() {
            return Ok(());
        }
        std::mem::swap(&mut self.woken, &mut state.woken);
        let spawned = if state.spawned.is_empty() { Vec::new() } else { std::mem::take(&mut state.spawned) };
        drop(state);
        for task in spawned {
            let stamp = Stamp::of(&task.path, task.target.as_ref().map(|target| target.id()));
            let key = self.admit(task.path, stamp, task.run.into_future());
            self.woken.push(key);
        }
        self.ready.add(&mut self.woken);
        Ok(())
    }

    fn admit(&mut self, name: Arc<str>, stamp: Stamp, run: Pin<Box<dyn Future<Output = ()> + 'a>>) -> Key {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 tasks live at once")
        });
        let key = Key { number: self.next_number, slot };
        self.next_number += 1;
        let state = TaskWaker::of(&self.shared.inbox, key);
        let waker = Waker::from(state.clone());
        self.slots[slot as usize] = Some(Slot { number: key.number, name, stamp, state, waker, run });
        key
    }

    /// Nobody can run. Ready if somebody can, or may, after all.
    fn rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SimError>> {
        let mut state = self.shared.inbox.lock();
        if !state.is_quiet() {
            return Poll::Ready(Ok(())); // it came after the last look
        }
        if !state.settling.is_empty() || !state.main_settling.is_empty() {
            if !self.flushed {
                // Whoever called tokio's own `yield_now` is woken only when tokio has the thread: not quiet yet.
                drop(state);
                self.flushed = true;
                let mut flush = pin!(tokio::task::yield_now());
                return flush.as_mut().poll(cx).map(Ok);
            }
            let settled = if state.settling.is_empty() {
                state.main_quiets += 1;
                std::mem::take(&mut state.main_settling)
            } else {
                state.quiets += 1;
                std::mem::take(&mut state.settling)
            };
            drop(state);
            settled.into_iter().for_each(Waker::wake);
            return Poll::Ready(Ok(()));
        }
        drop(state);
        self.await_time(cx)
    }

    /// Only time can bring anything now, or a thread that should not be there.
    fn await_time(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SimError>> {
        let horizon = self.limits.horizon;
        let sentinel = self.sentinel.get_or_insert_with(|| Box::pin(sleep_until(self.now + horizon)));
        while sentinel.as_mut().poll(cx).is_ready() {
            let now = read_clock();
            let waits_since = self.shared.waits_since(self.main_ran);
            if now.duration_since(waits_since) >= horizon {
                self.shared.inbox.await_intruder(PATIENCE);
                self.collect()?;
                return Poll::Ready(Err(SimError::Stuck(horizon)));
            }
            sentinel.as_mut().reset(waits_since + horizon);
        }
        if self.shared.inbox.wait(cx.waker()) { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    /// After tokio had the thread: has it moved the clock?
    fn note_time(&mut self) {
        let now = read_clock();
        if now == self.now {
            return;
        }
        self.now = now;
        self.idle_steps = 0;
        self.steps_at_move = self.steps;
        self.last.clear();
        self.flushed = false;
        self.hash.fold(u64::try_from(self.shared.now().as_millis()).unwrap_or(u64::MAX));
        let mut state = self.shared.inbox.lock();
        state.moves += 1;
        let watching = std::mem::take(&mut state.watching);
        drop(state);
        watching.into_iter().for_each(Waker::wake);
    }

    /// Near the limit whoever runs is noted; at the limit they are named.
    fn spins(&mut self, key: Key, spun: u64) -> Result<(), SimError> {
        let name = self.name_of(key);
        if !self.last.contains(&name) {
            self.last.push_back(name);
        }
        if spun < self.limits.spin {
            return Ok(());
        }
        let steps = self.steps - self.steps_at_move;
        Err(SimError::Spinning { steps, who: self.last.drain(..).collect() })
    }

    fn escape(&self, key: Key, how: Escape) -> SimError {
        SimError::Escaped { who: self.name_of(key), how }
    }

    fn name_of(&self, key: Key) -> Arc<str> {
        let slot = self.slots.get(key.slot as usize).and_then(Option::as_ref);
        let slot = slot.filter(|slot| slot.number == key.number);
        slot.map_or_else(|| "a task".into(), |slot| slot.name.clone())
    }
}

/// What is left of a run is dropped here, one task at a time: dropping one may wake, or start, another.
impl Drop for Executor<'_> {
    fn drop(&mut self) {
        self.sentinel = None;
        let rest = self.shared.inbox.close();
        drop_caught(rest);
        for slot in &mut self.slots {
            let slot = slot.take();
            drop_caught(slot);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the simulated clock, of which this is the one")]
fn read_clock() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the end of a run that is stuck, in simulated time")]
fn sleep_until(moment: Instant) -> Sleep {
    tokio::time::sleep_until(moment)
}
