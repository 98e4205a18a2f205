//! What is known of one actor's checkpoints while the program runs: shared by all its lives, and by the receipts that are
//! under way. The store's ladder is what was written down; this is that ladder, and what has not been written down yet.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minder_runtime::{ExitReason, Moment};

use crate::ladder::{Fate, Ladder, Standing};
use crate::report::{Report, SaveError};

/// How many reports are kept.
const REPORTS: usize = 32;

pub(crate) struct Record {
    pub(crate) name: Arc<str>,
    state: Mutex<State>,
    /// Whether the wrapper has to look into the state after the message in hand: looked at with every message, and so
    /// apart from it.
    attention: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Which life is on, from 1.
    life: u64,
    /// As the store has it. Nothing while it has not been read.
    ladder: Option<Ladder>,
    /// The checkpoint that this life was restored from, or has written last.
    base: Option<u64>,
    /// The one that it was restored from, until it has handled something.
    on_trial: Option<u64>,
    /// How the last one on trial stands: remembered here, since the store may not have been told.
    standing: Option<(u64, Standing)>,
    /// The one that is being written, and since when.
    in_flight: Option<(u64, Moment)>,
    /// Numbers are given once while the program runs, whatever the store has seen of them.
    last_number: u64,
    requested: bool,
    failure: Option<SaveError>,
    reports: VecDeque<Report>,
}

/// What the wrapper has to do after a message.
#[derive(Default)]
pub(crate) struct Attention {
    pub(crate) requested: bool,
    pub(crate) failure: Option<SaveError>,
}

/// A checkpoint to be written.
pub(crate) struct Proposal {
    pub(crate) number: u64,
    pub(crate) ladder: Ladder,
    pub(crate) receipt: Receipt,
}

impl Record {
    pub(crate) fn new(name: Arc<str>) -> Self {
        Self { name, state: Mutex::default(), attention: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- a life ------------------------------------------------------------------------------------------------

    /// A life begins, and has not read what there is.
    pub(crate) fn begin_life(&self) {
        let mut state = self.lock();
        state.life += 1;
        (state.ladder, state.base, state.on_trial, state.in_flight) = (None, None, None, None);
        (state.requested, state.failure) = (false, None);
        self.attention.store(false, Ordering::Relaxed);
    }

    /// What the store has written down, brought up to what is known here; nothing if it is that already.
    pub(crate) fn bring_up_to_date(&self, ladder: &Ladder) -> Option<Ladder> {
        let standing = self.lock().standing?;
        let newer = ladder.with_standing(standing.0, standing.1);
        (newer != *ladder).then_some(newer)
    }

    /// This is what there is; the life may write checkpoints from now on.
    pub(crate) fn has_read(&self, ladder: Ladder) {
        let mut state = self.lock();
        state.last_number = state.last_number.max(ladder.last_number());
        state.ladder = Some(ladder);
    }

    /// The life is about to be restored from this checkpoint: should it die now, that is held against it.
    pub(crate) fn try_out(&self, number: Option<u64>) {
        let mut state = self.lock();
        (state.base, state.on_trial) = (number, number);
    }

    /// The life has handled something; true if that has to be written down.
    pub(crate) fn proven(&self) -> bool {
        let before = self.lock().ladder.clone();
        self.judge(Fate::Proven);
        before != self.lock().ladder
    }

    /// The life has ended.
    pub(crate) fn ended(&self, reason: &ExitReason) {
        self.judge(if reason.is_abnormal() { Fate::Died } else { Fate::Ended });
    }

    fn judge(&self, fate: Fate) {
        let mut state = self.lock();
        let Some(number) = state.on_trial.take() else { return };
        let Some(ladder) = &mut state.ladder else { return };
        let demoted = ladder.note(number, fate);
        state.standing = ladder.standing(number).map(|standing| (number, standing));
        drop(state);
        if demoted {
            self.report(Report::Demoted(number));
        }
    }

    // --- writing -----------------------------------------------------------------------------------------------

    /// The next checkpoint, on the ground of the last that is known to be written.
    pub(crate) fn propose(self: &Arc<Self>, awaited: bool) -> Result<Proposal, SaveError> {
        let mut state = self.lock();
        let number = state.last_number + 1;
        let Some(ladder) = &state.ladder else { return Err(SaveError::Unread) };
        let ladder = ladder.with_next(number, state.base);
        state.last_number = number;
        let receipt = Receipt {
            record: Some(self.clone()),
            life: state.life,
            number: Some(number),
            ladder: ladder.clone(),
            awaited,
        };
        Ok(Proposal { number, ladder, receipt })
    }

    /// The standing of the checkpoints, to be written without a new one; nothing if it need not be.
    pub(crate) fn propose_standing(self: &Arc<Self>, awaited: bool) -> Option<(Ladder, Receipt)> {
        let state = self.lock();
        let ladder = state.ladder.clone()?;
        let receipt = Receipt {
            record: Some(self.clone()),
            life: state.life,
            number: None,
            ladder: ladder.clone(),
            awaited,
        };
        Some((ladder, receipt))
    }

    /// Whether this life may write checkpoints.
    pub(crate) fn may_write(&self) -> bool {
        self.lock().ladder.is_some()
    }

    /// Whether a checkpoint is on its way to the store. One that has been for longer than `within` is given up.
    pub(crate) fn is_in_flight(&self, now: Moment, within: Duration) -> bool {
        let mut state = self.lock();
        let Some((_, since)) = state.in_flight else { return false };
        if now.since(since) <= within {
            return true;
        }
        state.in_flight = None;
        drop(state);
        self.fail(SaveError::TimedOut);
        false
    }

    pub(crate) fn set_in_flight(&self, number: u64, since: Moment) {
        self.lock().in_flight = Some((number, since));
    }

    /// A checkpoint of this life that nobody waits for was not written.
    pub(crate) fn fail(&self, error: SaveError) {
        self.lock().failure = Some(error.clone());
        self.attention.store(true, Ordering::Release);
        self.report(Report::SaveFailed(error));
    }

    pub(crate) fn request(&self) {
        self.lock().requested = true;
        self.attention.store(true, Ordering::Release);
    }

    /// What has to be looked at since the last time.
    #[inline]
    pub(crate) fn take_attention(&self) -> Option<Attention> {
        // Set rarely, and read with every message: no write unless there is something.
        if !self.attention.load(Ordering::Acquire) {
            return None;
        }
        self.attention.store(false, Ordering::Relaxed);
        let mut state = self.lock();
        let requested = std::mem::take(&mut state.requested);
        Some(Attention { requested, failure: state.failure.take() })
    }

    // --- telling -----------------------------------------------------------------------------------------------

    pub(crate) fn report(&self, report: Report) {
        report.trace(&self.name);
        let mut state = self.lock();
        if state.reports.len() == REPORTS {
            state.reports.pop_front();
        }
        state.reports.push_back(report);
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        self.lock().reports.iter().cloned().collect()
    }

    /// The checkpoint that this life was restored from or has written last.
    pub(crate) fn base(&self) -> Option<u64> {
        self.lock().base
    }
}

/// Goes with an entry to the keeper, and takes note of what became of it. Dropped unsettled it says that it was lost.
pub(crate) struct Receipt {
    /// Until it is settled.
    record: Option<Arc<Record>>,
    life: u64,
    /// Of the new checkpoint, if there is one.
    number: Option<u64>,
    ladder: Ladder,
    /// Whether somebody waits for it, and deals with a failure.
    awaited: bool,
}

impl Receipt {
    pub(crate) fn settle(mut self, done: Result<(), SaveError>) {
        self.settle_once(done);
    }

    fn settle_once(&mut self, done: Result<(), SaveError>) {
        let Some(record) = self.record.take() else { return };
        let mut state = record.lock();
        if state.life != self.life {
            return; // the next life has read what became of it
        }
        if self.number.is_some() && state.in_flight.is_some_and(|(number, _)| Some(number) == self.number) {
            state.in_flight = None;
        }
        match done {
            Ok(()) => {
                if let Some(number) = self.number {
                    // Its standing may have changed while this was on its way: that of the base is kept.
                    let ladder = std::mem::take(&mut self.ladder);
                    let ladder = match state.standing {
                        Some((number, standing)) => ladder.with_standing(number, standing),
                        None => ladder,
                    };
                    (state.ladder, state.base) = (Some(ladder), Some(number));
                }
            }
            Err(error) => {
                drop(state);
                if self.awaited {
                    record.report(Report::SaveFailed(error));
                } else {
                    record.fail(error);
                }
            }
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.settle_once(Err(SaveError::Lost));
    }
}
