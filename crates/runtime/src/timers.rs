//! Timers of one incarnation: messages to itself that are due later, once or again and again. They die with it.
//!
//! An interval that is due puts a mark into the lane and not a message: the message is made, and the next mark set, when
//! the actor gets there. So an actor that is slow finds one mark, however many ticks it has missed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minder_signals::{ActorId, Moment};

use crate::cell::Cell;
use crate::deadlines::{Due, Fire, Key};
use crate::notice::Item;

/// The shortest period of an interval.
const SHORTEST: Duration = Duration::from_millis(1);

/// Names a timer of an actor, for reading and cancelling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId(u64);

/// What an interval does about ticks that its actor could not take up in time: those that came due while an earlier one
/// waited in its lane. In none of these cases does more than one tick stand in the lane at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missed {
    /// Leaves them out and goes on with the next one in time: for work of which the latest state is what counts.
    #[default]
    Skip,
    /// Makes up for each of them, one after the other, as fast as the actor takes them up, each behind what stands in its
    /// lane: for work that must be done as often as it was due.
    CatchUp,
    /// Leaves them out, and goes on a whole period after the late one was taken up: for work between which there must be
    /// a rest.
    Delay,
}

impl Missed {
    /// When the tick after the one of `due` is due, which is taken up now.
    fn next(self, due: Moment, period: Duration, now: Moment) -> Moment {
        let late = now.since(due);
        match self {
            Self::Delay if late >= period => now + period,
            // At most 2^64: late is at most so many nanoseconds, and no period is shorter than one.
            Self::Skip if late >= period => {
                let periods = late.as_nanos() / period.as_nanos() + 1;
                let nanos = period.as_nanos().saturating_mul(periods);
                due + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
            Self::Skip | Self::Delay | Self::CatchUp => due + period,
        }
    }
}

/// A timer that was cancelled before it fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelledTimer<M> {
    /// How much of its time was left; for an interval, until its next tick.
    pub rest: Duration,
    /// Its message, which will not come; an interval has none.
    pub message: Option<M>,
}

pub(crate) struct Timers<M> {
    cell: Arc<Cell<M>>,
    owner: ActorId,
    table: Mutex<Table<M>>,
}

struct Table<M> {
    next: u64,
    pending: HashMap<u64, Timer<M>>,
}

struct Timer<M> {
    at: Moment,
    /// Its place among the deadlines once that is known; may be out of date, which they notice.
    key: Option<Key>,
    what: What<M>,
}

pub(crate) type Make<M> = Box<dyn FnMut() -> M + Send>;

/// What a timer does. Its drop is user code.
pub(crate) enum What<M> {
    Once(M),
    Every {
        period: Duration,
        missed: Missed,
        /// Away while it makes a message.
        make: Option<Make<M>>,
    },
}

impl<M> What<M> {
    pub(crate) fn every(period: Duration, missed: Missed, make: Make<M>) -> Self {
        Self::Every { period: period.max(SHORTEST), missed, make: Some(make) }
    }
}

impl<M: Send + 'static> Timers<M> {
    pub(crate) fn new(cell: Arc<Cell<M>>, owner: ActorId) -> Arc<Self> {
        Arc::new(Self { cell, owner, table: Mutex::new(Table { next: 0, pending: HashMap::new() }) })
    }

    fn lock(&self) -> MutexGuard<'_, Table<M>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a timer for this moment; an interval that begins now if there is none.
    pub(crate) fn start(self: &Arc<Self>, at: Option<Moment>, what: What<M>) -> TimerId {
        let at = match (&what, at) {
            (What::Every { period, .. }, None) => self.cell.core.system.now() + *period,
            (_, at) => at.unwrap_or(Moment::START),
        };
        let number = {
            let mut table = self.lock();
            table.next += 1;
            let number = table.next;
            table.pending.insert(number, Timer { at, key: None, what });
            number
        };
        self.arm(number, at);
        TimerId(number)
    }

    fn arm(self: &Arc<Self>, number: u64, at: Moment) {
        let key = self.cell.core.system.deadlines.register(at, Due::Fire(self.clone(), number));
        // It may have fired already; then there is nothing to remember.
        if let Some(timer) = self.lock().pending.get_mut(&number) {
            timer.key = Some(key);
        }
    }

    fn rest(&self, timer: &Timer<M>) -> Duration {
        timer.at.since(self.cell.core.system.now())
    }

    /// How much time is left.
    pub(crate) fn read(&self, timer: TimerId) -> Option<Duration> {
        self.lock().pending.get(&timer.0).map(|timer| self.rest(timer))
    }

    /// Takes a timer off that has not fired.
    pub(crate) fn cancel(&self, timer: TimerId) -> Option<CancelledTimer<M>> {
        let timer = self.lock().pending.remove(&timer.0)?;
        if let Some(key) = timer.key {
            self.cell.core.system.deadlines.cancel(key);
        }
        let rest = self.rest(&timer);
        let message = match timer.what {
            What::Once(message) => Some(message),
            What::Every { .. } => None,
        };
        Some(CancelledTimer { rest, message })
    }

    /// Cancels all; returns what they would have done, whose drop is user code.
    pub(crate) fn cancel_all(&self) -> Vec<What<M>> {
        let pending = std::mem::take(&mut self.lock().pending);
        // In the order in which they were set: what they hold is dropped in that order, and others may notice.
        let mut pending: Vec<_> = pending.into_iter().collect();
        pending.sort_unstable_by_key(|(number, _)| *number);
        let mut all = Vec::with_capacity(pending.len());
        for (_, timer) in pending {
            if let Some(key) = timer.key {
                self.cell.core.system.deadlines.cancel(key);
            }
            all.push(timer.what);
        }
        all
    }

    /// The mark of an interval was taken out of the lane: sets the next one and returns what makes the message. Nothing if
    /// the interval was cancelled meanwhile.
    pub(crate) fn take_up(self: &Arc<Self>, mark: TimerId) -> Option<impl FnOnce() -> M + use<M>> {
        let now = self.cell.core.system.now();
        let (make, next) = {
            let mut table = self.lock();
            let Timer { at, what: What::Every { period, missed, make }, .. } =
                table.pending.get_mut(&mark.0)?
            else {
                return None;
            };
            *at = missed.next(*at, *period, now);
            (make.take(), *at)
        };
        if next > now {
            self.arm(mark.0, next);
        } else {
            self.cell.hand(self.owner, Item::Tick(mark)); // to be made up for
        }
        let (timers, mut make) = (self.clone(), make?);
        Some(move || {
            let message = make();
            timers.put_back(mark, make);
            message
        })
    }

    fn put_back(&self, mark: TimerId, made: Make<M>) {
        if let Some(Timer { what: What::Every { make, .. }, .. }) = self.lock().pending.get_mut(&mark.0) {
            *make = Some(made);
        }
    }
}

impl<M: Send + 'static> Fire for Timers<M> {
    fn fire(&self, number: u64) {
        let mut table = self.lock();
        let is_interval = matches!(table.pending.get(&number), Some(Timer { what: What::Every { .. }, .. }));
        let item = if is_interval {
            Item::Tick(TimerId(number))
        } else {
            let Some(Timer { what: What::Once(message), .. }) = table.pending.remove(&number) else { return };
            Item::Own(message)
        };
        drop(table);
        self.cell.hand(self.owner, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_the_next_tick_is_due() {
        let ms = Duration::from_millis;
        // policy; the tick was due, and taken up, at; the next one (of every 100) is due at
        let rows = [
            (Missed::Skip, 100, 100, 200),
            (Missed::Skip, 100, 199, 200),
            (Missed::Skip, 100, 200, 300),
            (Missed::Skip, 100, 1_050, 1_100),
            (Missed::CatchUp, 100, 199, 200),
            (Missed::CatchUp, 100, 1_050, 200),
            (Missed::Delay, 100, 199, 200),
            (Missed::Delay, 100, 200, 300),
            (Missed::Delay, 100, 1_050, 1_150),
        ];
        for (missed, due, now, next) in rows {
            let at = |after| Moment::after_start(ms(after));
            assert_eq!(missed.next(at(due), ms(100), at(now)), at(next), "{missed:?} {due} {now}");
        }
        let (all, year) = (Duration::MAX, Duration::from_secs(365 * 24 * 3600));
        assert_eq!(Missed::Skip.next(Moment::START + year, all, Moment::END), Moment::END);
        assert_eq!(Missed::Skip.next(Moment::START, SHORTEST, Moment::END), Moment::END);
    }
}
