//! What reaches the executor from outside of its loop: woken tasks, new tasks, whoever waits for quiet or for time to
//! move, and wakes from threads that are none of its own.
//! A mutex, since a waker may be used from any thread; only one thread ever does so in a run without escapes.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

use minder_runtime::host::Task;

use super::ready::Key;

thread_local! {
    /// The address in memory of the inbox whose run this thread carries out; 0 for none. Never dereferenced.
    static HERE: Cell<usize> = const { Cell::new(0) };
}

#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<Arrivals>,
    /// Told of a wake from a foreign thread.
    foreign: Condvar,
}

#[derive(Default)]
pub(super) struct Arrivals {
    pub(super) woken: Vec<Key>,
    pub(super) spawned: Vec<Task>,
    /// The executor, while it waits for time to move.
    root: Option<Waker>,
    /// Those who wait until nothing can happen, and how often that was so. The test itself comes last: while others
    /// wait for quiet there is something that can happen.
    pub(super) settling: Vec<Waker>,
    pub(super) quiets: u64,
    pub(super) main_settling: Vec<Waker>,
    pub(super) main_quiets: u64,
    /// Those who wait until time has moved, and how often it did.
    pub(super) watching: Vec<Waker>,
    pub(super) moves: u64,
    /// The task that a foreign thread woke first, or nothing if it spawned one; and the thread's name.
    pub(super) intruder: Option<(Option<Key>, String)>,
    /// The last tasks that panicked with nobody to tell.
    pub(super) panics: Vec<(Arc<str>, String)>,
    /// The run is over: nothing is taken any more.
    closed: bool,
}

impl Arrivals {
    /// Whether nothing has arrived since it was last emptied. What makes everybody quiet is decided with the lock held
    /// under which this was asked: a wake falls before or after it.
    pub(super) fn is_quiet(&self) -> bool {
        self.woken.is_empty() && self.spawned.is_empty() && self.intruder.is_none()
    }
}

impl Inbox {
    pub(super) fn lock(&self) -> MutexGuard<'_, Arrivals> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This thread carries the run out, until the guard is dropped.
    pub(super) fn enter(&self) -> Inside {
        Inside { outer: HERE.with(|here| here.replace(self.identity())) }
    }

    fn identity(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    fn is_foreign(&self) -> bool {
        // A thread that is ending has no thread-locals any more, and is foreign.
        HERE.try_with(Cell::get) != Ok(self.identity())
    }

    fn wake(&self, key: Key) {
        self.arrive(Some(key), |state| state.woken.push(key));
    }

    pub(super) fn spawn(&self, task: Task) {
        let mut task = Some(task);
        self.arrive(None, |state| state.spawned.extend(task.take()));
        // Not taken any more: dropped without the lock, since it is code of actors.
        drop(task);
    }

    fn arrive(&self, key: Option<Key>, take: impl FnOnce(&mut Arrivals)) {
        let foreign = self.is_foreign();
        let mut state = self.lock();
        if state.closed {
            return;
        }
        take(&mut state);
        if foreign {
            let thread = std::thread::current().name().unwrap_or("without a name").to_owned();
            state.intruder.get_or_insert((key, thread));
            self.foreign.notify_all();
        }
        let root = state.root.take();
        drop(state);
        if let Some(root) = root {
            root.wake();
        }
    }

    /// The executor waits: `waker` is used once something arrives. False if something has arrived already.
    pub(super) fn wait(&self, waker: &Waker) -> bool {
        let mut state = self.lock();
        if !state.is_quiet() {
            return false;
        }
        state.root = Some(waker.clone());
        true
    }

    /// Gives foreign threads a moment of real time to show themselves; for a run that has failed already.
    pub(super) fn await_intruder(&self, patience: Duration) {
        let state = self.lock();
        let waiting = self.foreign.wait_timeout_while(state, patience, |state| state.intruder.is_none());
        drop(waiting);
    }

    /// Ends the run. What has not been taken is dropped by the caller.
    pub(super) fn close(&self) -> Arrivals {
        let mut state = self.lock();
        let rest = std::mem::take(&mut *state);
        state.closed = true;
        rest
    }
}

/// See [`Inbox::enter`].
pub(super) struct Inside {
    outer: usize,
}

impl Drop for Inside {
    fn drop(&mut self) {
        HERE.with(|here| here.set(self.outer));
    }
}

/// Wakes one task.
pub(super) struct TaskWaker {
    inbox: Arc<Inbox>,
    key: Key,
    /// Whether it stands among the woken or the ready: it does so once.
    queued: AtomicBool,
}

impl TaskWaker {
    /// Of a task that is queued already, since it is new.
    pub(super) fn of(inbox: &Arc<Inbox>, key: Key) -> Arc<Self> {
        Arc::new(Self { inbox: inbox.clone(), key, queued: AtomicBool::new(true) })
    }

    /// It runs now: from here on it may be woken again.
    pub(super) fn runs(&self) {
        self.queued.store(false, Ordering::Release);
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.inbox.wake(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use minder_runtime::host::Run;

    use super::*;

    /// What arrives, by name.
    type Row = (&'static str, fn(&Arc<Inbox>));

    #[test]
    fn it_is_not_quiet_while_anything_has_arrived() {
        let rows: [Row; 4] = [
            ("a wake", |inbox| Waker::from(woken_task(inbox)).wake()),
            ("a wake from another thread", |inbox| {
                let waker = Waker::from(woken_task(inbox));
                std::thread::scope(|scope| scope.spawn(|| waker.wake_by_ref()).join())
                    .expect("it only wakes");
            }),
            ("a task", |inbox| {
                let run = Run::Anywhere(Box::pin(async {}));
                inbox.spawn(Task { path: "a".into(), target: None, run });
            }),
            ("only the name of a foreign thread", |inbox| {
                inbox.lock().intruder = Some((None, "stranger".to_owned()));
            }),
        ];
        for (what, arrive) in rows {
            let inbox = Arc::<Inbox>::default();
            let _inside = inbox.enter();
            assert!(inbox.lock().is_quiet(), "{what}");
            arrive(&inbox);
            assert!(!inbox.lock().is_quiet(), "{what}");
            assert!(!inbox.wait(Waker::noop()), "{what}: nobody goes to sleep over it");
        }
    }

    fn woken_task(inbox: &Arc<Inbox>) -> Arc<TaskWaker> {
        let task = TaskWaker::of(inbox, Key { number: 1, slot: 0 });
        task.runs();
        task
    }
}
