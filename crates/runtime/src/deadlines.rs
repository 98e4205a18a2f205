//! Everything that is due at some time, in one coarse structure per system: buckets of a fixed width, and one task
//! that sleeps until the earliest of them. Never early, late by at most a bucket's width; a system in which nothing
//! is due does not tick. In simulated time the width is a millisecond, as fine as tokio's own timers.
//! Registering and cancelling are a lock and a slab operation each: most deadlines (those of asks) are cancelled.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use minder_signals::Moment;
use tokio::sync::Notify;

use crate::clock::Clock;

#[cfg(test)]
mod tests;

/// The width of a bucket.
pub(crate) const WIDTH: Duration = Duration::from_millis(5);
/// The same where time is simulated: there a finer bucket costs no wake-up of a real processor.
pub(crate) const EXACT: Duration = Duration::from_millis(1);

/// What happens when something is due.
pub(crate) enum Due {
    /// A task looks for itself.
    Wake(Waker),
    /// A timer fires.
    Fire(Arc<dyn Fire>, u64),
}

/// Whoever has timers.
pub(crate) trait Fire: Send + Sync {
    fn fire(&self, key: u64);
}

/// Names one registered deadline, for cancelling it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    bucket: u64,
    at: u32,
    /// Distinguishes the uses of one place, since a bucket may have fired and its number be in use again.
    serial: u64,
}

#[derive(Default)]
struct Bucket {
    entries: Vec<Entry>,
    /// First free entry, as an index; the list goes on in `Entry::Free`.
    free: Option<u32>,
    used: u32,
}

enum Entry {
    /// Which registration, for which moment, of what.
    Used(u64, Moment, Due),
    Free(Option<u32>),
}

#[derive(Default)]
struct Table {
    buckets: BTreeMap<u64, Bucket>,
    /// A bucket that was emptied and kept, since the next deadline is likely to be due with it: one at most, and an
    /// empty one costs the driver one idle turn.
    emptied: Option<u64>,
    serial: u64,
    /// The bucket that the driver sleeps for; `u64::MAX` if it waits for a first one.
    awaited: u64,
    closed: bool,
}

pub(crate) struct Deadlines {
    clock: Clock,
    /// The width of a bucket, in nanoseconds.
    width: u64,
    table: Mutex<Table>,
    earlier: Notify,
}

impl Deadlines {
    pub(crate) fn new(clock: Clock, width: Duration) -> Self {
        let table = Table { awaited: u64::MAX, ..Default::default() };
        Self { clock, width: nanos(width), table: Mutex::new(table), earlier: Notify::new() }
    }

    /// The bucket at whose edge this moment has passed.
    fn bucket_of(&self, at: Moment) -> u64 {
        nanos(at.since_start()).div_ceil(self.width)
    }

    fn edge_of(&self, bucket: u64) -> Moment {
        Moment::after_start(Duration::from_nanos(bucket.saturating_mul(self.width)))
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers something for the first bucket edge at or after `at`.
    pub(crate) fn register(&self, at: Moment, due: Due) -> Key {
        let number = self.bucket_of(at);
        let mut table = self.lock();
        let serial = table.serial;
        table.serial += 1;
        let place = table.bucket(number).insert(serial, at, due);
        let earlier = number < table.awaited;
        if earlier {
            table.awaited = number;
        }
        drop(table);
        if earlier {
            self.earlier.notify_one();
        }
        Key { bucket: number, at: place, serial }
    }

    /// Takes a deadline out again; nothing if it was due meanwhile.
    pub(crate) fn cancel(&self, key: Key) {
        let mut table = self.lock();
        let Some(bucket) = table.buckets.get_mut(&key.bucket) else { return };
        let due = bucket.remove(key);
        if bucket.used == 0 {
            table.keep_emptied(key.bucket);
        }
        drop(table);
        drop(due);
    }

    /// Whether this has not fired yet; if so, it is this task that it will wake.
    pub(crate) fn still_wakes(&self, key: Key, waker: &Waker) -> bool {
        let mut table = self.lock();
        if table.closed {
            return true;
        }
        let entry =
            table.buckets.get_mut(&key.bucket).and_then(|bucket| bucket.entries.get_mut(key.at as usize));
        let Some(Entry::Used(serial, _, Due::Wake(known))) = entry else { return false };
        if *serial != key.serial {
            return false;
        }
        known.clone_from(waker);
        true
    }

    /// Fires whatever is due, for ever; the body of the driver's task.
    pub(crate) async fn drive(self: Arc<Self>) {
        loop {
            let now = self.clock.now();
            let Some(next) = self.fire_due(now) else { return };
            let mut earlier = pin!(self.earlier.notified());
            match next {
                Some(bucket) => {
                    let mut sleep = pin!(self.clock.sleep_until(self.edge_of(bucket)));
                    poll_fn(|cx| match earlier.as_mut().poll(cx) {
                        Poll::Pending => sleep.as_mut().poll(cx),
                        ready => ready,
                    })
                    .await;
                }
                None => earlier.await,
            }
        }
    }

    /// Fires the buckets whose edge has passed. Returns the next one, if any; `None` once the system has ended.
    fn fire_due(&self, now: Moment) -> Option<Option<u64>> {
        let passed = nanos(now.since_start()) / self.width;
        loop {
            let mut table = self.lock();
            if table.closed {
                return None;
            }
            let Some(first) = table.buckets.first_entry() else {
                table.awaited = u64::MAX;
                return Some(None);
            };
            if *first.key() > passed {
                let next = *first.key();
                table.awaited = next;
                return Some(Some(next));
            }
            let bucket = first.remove();
            drop(table);
            // In order of time, and of registration where that is equal: what one actor's timers are expected to do.
            let mut due: Vec<((Moment, u64), Due)> =
                bucket.entries.into_iter().filter_map(Entry::used).collect();
            due.sort_by_key(|(order, _)| *order);
            for (_, due) in due {
                match due {
                    Due::Wake(waker) => waker.wake(),
                    Due::Fire(owner, key) => owner.fire(key),
                }
            }
        }
    }

    /// Ends the driver. What is registered never fires.
    pub(crate) fn close(&self) {
        let mut table = self.lock();
        table.closed = true;
        let buckets = std::mem::take(&mut table.buckets);
        drop(table);
        drop(buckets);
        self.earlier.notify_one();
    }
}

impl Table {
    /// The bucket of this number; the emptied one becomes it if there is none.
    fn bucket(&mut self, number: u64) -> &mut Bucket {
        if self.emptied == Some(number) {
            self.emptied = None;
        }
        let Self { buckets, emptied, .. } = self;
        if !buckets.contains_key(&number) {
            let reused = emptied.take().and_then(|emptied| buckets.remove(&emptied));
            buckets.insert(number, reused.unwrap_or_default());
        }
        buckets.get_mut(&number).expect("it was just put there")
    }

    fn keep_emptied(&mut self, number: u64) {
        if let Some(earlier) = self.emptied.replace(number)
            && earlier != number
        {
            self.buckets.remove(&earlier);
        }
    }
}

/// 584 years at most.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Bucket {
    fn insert(&mut self, serial: u64, at: Moment, due: Due) -> u32 {
        self.used += 1;
        let entry = Entry::Used(serial, at, due);
        match self.free {
            Some(place) => {
                let slot = &mut self.entries[place as usize];
                self.free = match slot {
                    Entry::Free(next) => *next,
                    Entry::Used(..) => unreachable!("the free list names free entries"),
                };
                *slot = entry;
                place
            }
            None => {
                self.entries.push(entry);
                u32::try_from(self.entries.len() - 1).expect("a bucket has fewer than 2^32 entries")
            }
        }
    }

    fn remove(&mut self, key: Key) -> Option<Due> {
        let slot = self.entries.get_mut(key.at as usize)?;
        if !matches!(slot, Entry::Used(serial, ..) if *serial == key.serial) {
            return None;
        }
        let removed = std::mem::replace(slot, Entry::Free(self.free));
        self.free = Some(key.at);
        self.used -= 1;
        removed.used().map(|(_, due)| due)
    }
}

impl Entry {
    fn used(self) -> Option<((Moment, u64), Due)> {
        match self {
            Self::Used(serial, at, due) => Some(((at, serial), due)),
            Self::Free(_) => None,
        }
    }
}
