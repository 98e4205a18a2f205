//! Panics in work beside an actor's handlers that none of its handlers hears of: those of results that are not wanted any
//! more, and those of streams, which an actor may ignore. They are told to the system's observers and its log instead.

use std::sync::Arc;

use minder_signals::{ActorId, ExitReason, PanicReport};

use crate::events::Event;
use crate::frame;
use crate::life::AnyCell;
use crate::reply::Fate;

/// Whose work it is, and what it is called.
#[derive(Clone)]
pub(crate) struct Whose {
    pub(crate) cell: Arc<dyn AnyCell>,
    pub(crate) id: ActorId,
    pub(crate) work: &'static str,
}

impl Whose {
    /// Says that this work panicked and that nobody hears of it.
    #[cold]
    pub(crate) fn tell(&self, panic: &PanicReport) {
        let core = self.cell.core();
        core.system.report(&Event::UnheardPanic { path: &core.path(), id: self.id, work: self.work, panic });
    }

    /// Runs one step of the work. What it drops unanswered is judged by how the step ends.
    pub(crate) fn run<T>(&self, code: impl FnOnce() -> T) -> Result<T, Box<PanicReport>> {
        let result = frame::run_as(self.cell.core().address(), code);
        // It waits by itself: its actor's handlers do not.
        drop(frame::take_waiting());
        frame::judge_dropped(|| match &result {
            Ok(_) => Fate::NoReply,
            Err(report) => Fate::Crashed(ExitReason::Panic(Arc::from(report.clone()))),
        });
        result
    }

    /// Drops what is left of the work, which is user code, and returns its panic. If its actor ends, for this reason,
    /// replies in it have crashed with the actor.
    pub(crate) fn clear<T>(&self, rest: T, ends: Option<ExitReason>) -> Option<Box<PanicReport>> {
        let clear = || self.run(|| drop(rest)).err();
        match ends {
            Some(reason) => frame::with_fate(Fate::Crashed(reason), clear),
            None => clear(),
        }
    }

    /// [`Whose::clear`] where a panic has nobody to go to.
    pub(crate) fn discard<T>(&self, rest: T, ends: Option<ExitReason>) {
        if let Some(panic) = self.clear(rest, ends) {
            self.tell(&panic);
        }
    }
}

/// How a piece of work came out, on its way to whoever asked for it. A panic that does not arrive is told instead.
pub(crate) struct Undelivered<T> {
    whose: Whose,
    result: Option<Result<T, Box<PanicReport>>>,
}

impl<T> Undelivered<T> {
    pub(crate) fn new(whose: Whose, result: Result<T, Box<PanicReport>>) -> Self {
        Self { whose, result: Some(result) }
    }

    /// It has arrived.
    pub(crate) fn deliver(mut self) -> Result<T, Box<PanicReport>> {
        self.result.take().expect("it is delivered once")
    }
}

impl<T> Drop for Undelivered<T> {
    fn drop(&mut self) {
        if let Some(Err(panic)) = &self.result {
            self.whose.tell(panic);
        }
    }
}
