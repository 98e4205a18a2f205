//! Where a watchdog sees what runs on a thread: a slot for each poll that is under way there, which it keeps for the next.
//! Noting a poll is a lock that nobody else wants and a number; noting each run of user code in it is the number alone.
//! Reads no clock and judges nothing: see `stall.rs`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, Thread};

use minder_signals::ActorId;

use super::Watchdog;
use crate::life::AnyCell;

/// Whose code a task runs.
pub(crate) struct Subject {
    pub(super) cell: Weak<dyn AnyCell>,
    pub(super) id: ActorId,
    /// What it is called; nothing of a life.
    pub(super) work: Option<&'static str>,
}

/// One poll that is under way on a thread, or the room for it. On a line of the cache of its own, since its thread writes to it all
/// the time.
#[repr(align(64))]
pub(crate) struct Slot {
    /// Odd while a poll is under way, and another one for each run of user code. Written by its thread alone.
    run: AtomicU64,
    whose: Mutex<Option<Arc<Subject>>>,
    pub(super) thread: Thread,
    of: Weak<Watchdog>,
}

impl Slot {
    /// What is under way: which run, and whose.
    pub(super) fn seen(&self) -> Option<(u64, Arc<Subject>)> {
        // The two belong together, since another poll has to be begun under this lock.
        let whose = self.whose();
        let run = self.run.load(Ordering::Relaxed);
        if run.is_multiple_of(2) { None } else { whose.clone().map(|whose| (run, whose)) }
    }

    fn begins(&self, subject: &Arc<Subject>) {
        let mut whose = self.whose();
        if !whose.as_ref().is_some_and(|known| Arc::ptr_eq(known, subject)) {
            *whose = Some(subject.clone());
        }
        self.add(1);
    }

    fn goes_on(&self) {
        self.add(2);
    }

    fn ends(&self) {
        self.add(1);
    }

    fn add(&self, steps: u64) {
        self.run.store(self.run.load(Ordering::Relaxed).wrapping_add(steps), Ordering::Relaxed);
    }

    fn whose(&self) -> MutexGuard<'_, Option<Arc<Subject>>> {
        self.whose.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slots of one thread. A poll within another one has its own.
pub(crate) struct Watch {
    now: Option<Arc<Slot>>,
    idle: Vec<Arc<Slot>>,
}

impl Watch {
    pub(crate) const fn new() -> Self {
        Self { now: None, idle: Vec::new() }
    }

    /// A poll begins; returns what it interrupts.
    pub(crate) fn begins(&mut self, by: &Arc<Watchdog>, subject: &Arc<Subject>) -> Option<Arc<Slot>> {
        let known = self.idle.iter().position(|slot| std::ptr::eq(slot.of.as_ptr(), Arc::as_ptr(by)));
        let slot = match known {
            Some(known) => self.idle.swap_remove(known),
            None => self.make(by),
        };
        slot.begins(subject);
        self.now.replace(slot)
    }

    /// User code runs next.
    pub(crate) fn goes_on(&self) {
        if let Some(slot) = &self.now {
            slot.goes_on();
        }
    }

    /// The poll is over, and what it interrupted goes on.
    pub(crate) fn ends(&mut self, interrupted: Option<Arc<Slot>>) {
        if let Some(slot) = std::mem::replace(&mut self.now, interrupted) {
            slot.ends();
            self.idle.push(slot);
        }
    }

    #[cold]
    fn make(&mut self, by: &Arc<Watchdog>) -> Arc<Slot> {
        self.idle.retain(|slot| slot.of.strong_count() > 0); // those of systems that are gone
        let slot = Slot {
            run: AtomicU64::new(0),
            whose: Mutex::default(),
            thread: thread::current(),
            of: Arc::downgrade(by),
        };
        let slot = Arc::new(slot);
        by.look_at(&slot);
        slot
    }
}
