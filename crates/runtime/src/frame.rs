//! What this thread is doing right now: whose code runs, until when that is of use, what it waits for, which replies it
//! has dropped, how it panicked.
//!
//! The first of the platform's three exceptions to "no global state" (a thread-local that is set around each run of
//! user code), and the second (one panic hook, which alone learns a panic's location and is silent only here).
//! Everything else in the runtime asks this file and keeps no thread-locals of its own.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Once};
use std::task::Waker;

use minder_signals::{ExitReason, PanicReport};
use tokio::time::Instant;

use crate::reply::{Fate, Unanswered};
use crate::waits::Awaited;
use crate::watchdog::{Slot, Subject, Watch, Watchdog};

thread_local! {
    static FRAME: Frame = const { Frame::new() };
    static RUNNING: Running = const {
        Running {
            cell: Cell::new(0),
            unusual: Cell::new(0),
            unjudged: Cell::new(false),
            awaiting: Cell::new(false),
            gave: Cell::new(false),
            deadline: Cell::new(None),
        }
    };
}

/// What is looked at with every message. Apart from [`Frame`] because it has nothing to drop: a thread-local that has
/// asks at each access whether its thread is ending.
struct Running {
    /// The address in memory of the cell whose code runs; 0 outside actors. Never dereferenced.
    cell: Cell<usize>,
    /// [`NOTED`] and [`WATCHED`], which are looked at together: nearly always there is neither.
    unusual: Cell<u8>,
    /// Whether `Frame::dropped` holds something.
    unjudged: Cell<bool>,
    /// Whether `Frame::awaited` or `Frame::receiving` holds something.
    awaiting: Cell<bool>,
    /// Whether something was given away since [`forget_gifts`] in which a reply may have been.
    gave: Cell<bool>,
    /// Until when whoever asked for the work in hand waits. Absolute, since asks go from system to system.
    deadline: Cell<Option<Instant>>,
}

/// Whether `Frame::panic` holds something.
const NOTED: u8 = 1;
/// Whether user code that begins here is to be noted in `Frame::watch`. Not so within other user code.
const WATCHED: u8 = 2;

struct Frame {
    /// Panic of the code that runs, as the hook saw it. Empty outside actors.
    panic: RefCell<Option<Box<PanicReport>>>,
    /// Replies dropped unanswered by the code that runs; judged when it is known how that code ended.
    dropped: RefCell<Vec<Arc<dyn Unanswered>>>,
    /// What becomes of replies that are dropped right now, if that is known already.
    fate: RefCell<Option<Fate>>,
    /// What the code that runs has found not to be there yet, and will wait for if it suspends.
    awaited: RefCell<Vec<Arc<dyn Awaited>>>,
    /// Whom to wake for a message that the code that runs wants to receive.
    receiving: RefCell<Option<Waker>>,
    /// Where watchdogs see what runs here.
    watch: RefCell<Watch>,
    /// An injected panic waiting for the next effect in the user's frame.
    #[cfg(feature = "fault-injection")]
    armed: Cell<bool>,
}

impl Frame {
    const fn new() -> Self {
        Self {
            panic: RefCell::new(None),
            dropped: RefCell::new(Vec::new()),
            fate: RefCell::new(None),
            awaited: RefCell::new(Vec::new()),
            receiving: RefCell::new(None),
            watch: RefCell::new(Watch::new()),
            #[cfg(feature = "fault-injection")]
            armed: Cell::new(false),
        }
    }
}

/// The payload of a panic that was caught elsewhere and is raised again here; see [`raise`].
struct Carried(PanicReport);

/// How many payloads that panic when they are dropped are put up with before the next one is leaked.
const BAD_PAYLOADS: usize = 8;

/// Runs user code of the given cell. A panic comes back as its report and is not printed.
#[inline]
pub(crate) fn run_as<T>(cell: usize, code: impl FnOnce() -> T) -> Result<T, Box<PanicReport>> {
    // What the hook sees belongs to this run alone: not to one that this interrupts while it unwinds, and not, if the
    // code catches its own panic, to the next.
    let (outer, around) = RUNNING.with(|running| (running.cell.replace(cell), running.unusual.replace(0)));
    let outer_panic = if around != 0 { begins(around) } else { None };
    let result = catch_unwind(AssertUnwindSafe(code)).map_err(report);
    let unusual = around | RUNNING.with(|running| running.unusual.get());
    if unusual != 0 {
        ends(around, unusual, outer_panic);
    }
    RUNNING.with(|running| running.cell.set(outer));
    result
}

/// User code begins where something is unusual. What the hook has seen there.
#[cold]
fn begins(around: u8) -> Option<Box<PanicReport>> {
    if around & WATCHED != 0 {
        FRAME.with(|frame| frame.watch.borrow().goes_on());
    }
    if around & NOTED != 0 { take_noted() } else { None }
}

/// It has come to its end: all is as it was around it.
#[cold]
fn ends(around: u8, unusual: u8, outer_panic: Option<Box<PanicReport>>) {
    RUNNING.with(|running| running.unusual.set(around & WATCHED));
    if unusual & NOTED != 0 {
        note(outer_panic);
    }
}

/// Runs a poll, user code and what is around it, where this watchdog sees it.
pub(crate) fn watched<T>(by: &Arc<Watchdog>, subject: &Arc<Subject>, poll: impl FnOnce() -> T) -> T {
    /// Put back even if the code unwinds.
    struct Outer(Option<Arc<Slot>>, u8);
    impl Drop for Outer {
        fn drop(&mut self) {
            FRAME.with(|frame| frame.watch.borrow_mut().ends(self.0.take()));
            RUNNING.with(|running| running.unusual.set(running.unusual.get() & !WATCHED | self.1));
        }
    }
    let around = RUNNING.with(|running| running.unusual.replace(running.unusual.get() | WATCHED));
    let interrupted = FRAME.with(|frame| frame.watch.borrow_mut().begins(by, subject));
    let _outer = Outer(interrupted, around & WATCHED);
    poll()
}

/// What the hook saw.
#[cold]
#[inline(never)]
fn take_noted() -> Option<Box<PanicReport>> {
    FRAME.with(|frame| frame.panic.take())
}

/// Puts in place what the hook saw, and drops what was there.
#[cold]
#[inline(never)]
fn note(seen: Option<Box<PanicReport>>) {
    if seen.is_some() {
        RUNNING.with(|running| running.unusual.set(running.unusual.get() | NOTED));
    }
    drop(FRAME.with(|frame| frame.panic.replace(seen)));
}

/// Out of the hot path: what is known of a panic that was just caught.
#[cold]
fn report(payload: Box<dyn Any + Send>) -> Box<PanicReport> {
    let seen = take_noted();
    match payload.downcast::<Carried>() {
        Ok(carried) => Box::new(carried.0),
        Err(payload) => {
            let mut report = seen.map(|seen| *seen).unwrap_or_default();
            report.text = text_of(&*payload);
            report.while_dropping = dispose(payload);
            Box::new(report)
        }
    }
}

/// Drops a payload, which is user code too: its drop may panic with a payload whose drop panics, and so on for ever.
/// Returns what the first of these panics said.
fn dispose(mut payload: Box<dyn Any + Send>) -> Option<Box<str>> {
    let mut first = None;
    for _ in 0..BAD_PAYLOADS {
        let Err(next) = catch_unwind(AssertUnwindSafe(|| drop(payload))) else { return first };
        let location = take_noted().and_then(|seen| seen.location);
        first.get_or_insert_with(|| {
            PanicReport { text: text_of(&*next), location, ..Default::default() }.to_string().into()
        });
        payload = next;
    }
    std::mem::forget(payload);
    first
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic whose payload is no text".to_owned(),
    }
}

/// Raises a panic that happened elsewhere, without printing it again.
pub(crate) fn raise(report: PanicReport) -> ! {
    resume_unwind(Box::new(Carried(report)))
}

/// Drops a value of user code. If its drop panics, the text is returned.
pub(crate) fn drop_caught<T>(cell: usize, value: T) -> Option<String> {
    run_as(cell, || drop(value)).err().map(|report| report.to_string())
}

/// Drops values of user code one by one, so that the panics of two never meet. Returns their texts.
pub(crate) fn drop_each_caught<T>(cell: usize, values: impl IntoIterator<Item = T>) -> Option<String> {
    run_each_caught(cell, values.into_iter().map(|value| move || drop(value)))
}

/// Runs user code, one piece after the other whatever becomes of it. Returns the texts of panics.
pub(crate) fn run_each_caught<F: FnOnce()>(
    cell: usize,
    codes: impl IntoIterator<Item = F>,
) -> Option<String> {
    let panics = codes.into_iter().filter_map(|code| run_as(cell, code).err());
    let texts: Vec<String> = panics.map(|report| report.to_string()).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Adds a panic that happened while an actor was cleared away to the reason for which it is cleared away.
pub(crate) fn add_drop_panic(reason: &mut ExitReason, text: Option<String>) {
    let Some(text) = text else { return };
    let mut report = match &*reason {
        ExitReason::Panic(report) => (**report).clone(),
        other => {
            PanicReport { text: format!("panicked while being dropped after: {other}"), ..Default::default() }
        }
    };
    let text = match report.while_dropping.take() {
        Some(earlier) => format!("{earlier}; {text}"),
        None => text,
    };
    report.while_dropping = Some(text.into());
    *reason = ExitReason::Panic(Arc::new(report));
}

/// The cell whose code runs on this thread, as an address in memory; 0 outside actors.
pub(crate) fn current_cell() -> usize {
    RUNNING.with(|running| running.cell.get())
}

// --- the work in hand ----------------------------------------------------------------------------------------------

/// Until when the code that runs on this thread is of use to whoever asked for it.
pub(crate) fn deadline() -> Option<Instant> {
    RUNNING.with(|running| running.deadline.get())
}

/// Sets it for the code that runs next.
#[inline]
pub(crate) fn set_deadline(deadline: Option<Instant>) {
    RUNNING.with(|running| running.deadline.set(deadline));
}

/// Runs code, user code or not, under this deadline or none.
#[inline]
pub(crate) fn under<T>(deadline: Option<Instant>, code: impl FnOnce() -> T) -> T {
    /// Put back even if the code unwinds.
    struct Outer(Option<Instant>);
    impl Drop for Outer {
        fn drop(&mut self) {
            RUNNING.with(|running| running.deadline.set(self.0));
        }
    }
    let _outer = Outer(RUNNING.with(|running| running.deadline.replace(deadline)));
    code()
}

/// The code that runs gives a value away. If replies may be in it, it is not known any more who holds those in hand.
#[inline]
pub(crate) fn gives<T>(what: &T) {
    if may_hold_a_reply(what) {
        gave();
    }
}

/// Decided by the compiler: a type that needs no drop holds no reply.
#[inline]
pub(crate) const fn may_hold_a_reply<T>(_: &T) -> bool {
    const { std::mem::needs_drop::<T>() }
}

/// As [`gives`], of something in which a reply may be.
#[inline]
pub(crate) fn gave() {
    RUNNING.with(|running| running.gave.set(true));
}

/// From here on gifts are counted against the ask in hand.
#[inline]
pub(crate) fn forget_gifts() {
    RUNNING.with(|running| running.gave.set(false));
}

/// Whether something was given away.
pub(crate) fn has_given() -> bool {
    RUNNING.with(|running| running.gave.get())
}

/// The code that runs has polled this, and it is not there yet.
#[cold]
pub(crate) fn awaits(awaited: Arc<dyn Awaited>) {
    FRAME.with(|frame| frame.awaited.borrow_mut().push(awaited));
    RUNNING.with(|running| running.awaiting.set(true));
}

/// The code that runs wants to receive a message, and there is none yet.
#[cold]
pub(crate) fn receives(waker: &Waker) {
    FRAME.with(|frame| *frame.receiving.borrow_mut() = Some(waker.clone()));
    RUNNING.with(|running| running.awaiting.set(true));
}

/// What code that suspends waits for.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) awaited: Vec<Arc<dyn Awaited>>,
    pub(crate) receiving: Option<Waker>,
}

/// What was found not to be there since this was last called; nothing if there is none.
#[inline]
pub(crate) fn take_waiting() -> Option<Waiting> {
    RUNNING.with(|running| running.awaiting.replace(false)).then(take_noted_waiting)
}

#[cold]
fn take_noted_waiting() -> Waiting {
    FRAME.with(|frame| Waiting { awaited: frame.awaited.take(), receiving: frame.receiving.take() })
}

// --- replies that are dropped unanswered ---------------------------------------------------------------------------

/// A reply was dropped unanswered. Inside an actor's code it is judged when that code has ended, one way or the
/// other; where the fate is known, and outside actors, it is told at once.
pub(crate) fn reply_dropped(slot: Arc<dyn Unanswered>) {
    FRAME.with(|frame| {
        if let Some(fate) = &*frame.fate.borrow() {
            slot.fail(fate.clone());
        } else if current_cell() == 0 {
            slot.fail(Fate::NoReply);
        } else {
            frame.dropped.borrow_mut().push(slot);
            RUNNING.with(|running| running.unjudged.set(true));
        }
    });
}

/// Tells whoever waits for replies that the code just run has dropped what came of it. Called after each message.
#[inline]
pub(crate) fn judge_dropped(fate: impl FnOnce() -> Fate) {
    if RUNNING.with(|running| running.unjudged.replace(false)) {
        judge(fate());
    }
}

#[cold]
fn judge(fate: Fate) {
    let dropped = FRAME.with(|frame| frame.dropped.take());
    dropped.into_iter().for_each(|slot| slot.fail(fate.clone()));
}

/// Runs code in which every reply that is dropped unanswered has the given fate.
pub(crate) fn with_fate<T>(fate: Fate, code: impl FnOnce() -> T) -> T {
    FRAME.with(|frame| {
        let outer = frame.fate.replace(Some(fate));
        let result = code();
        drop(frame.fate.replace(outer));
        result
    })
}

// --- injected panics -----------------------------------------------------------------------------------------------

/// Arms or disarms a panic at the next effect of the code that runs on this thread.
#[cfg(feature = "fault-injection")]
pub(crate) fn arm(armed: bool) -> bool {
    FRAME.with(|frame| frame.armed.replace(armed))
}

/// Called by whatever user code does to the world: if a panic is armed it unwinds from here, in the user's frame.
#[inline]
pub(crate) fn effect() {
    #[cfg(feature = "fault-injection")]
    if FRAME.with(|frame| frame.armed.get()) {
        arm(false);
        raise(crate::hooks::injected("in a message"));
    }
}

// --- the hook ------------------------------------------------------------------------------------------------------

/// Installs the panic hook, once per process: inside an actor's code it notes location and backtrace and prints
/// nothing; elsewhere whatever hook was there before does its work. If the application replaces the hook, locations
/// are missing and nothing else.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let noted = FRAME.try_with(|frame| {
                if current_cell() == 0 {
                    return false;
                }
                let backtrace = Backtrace::capture();
                let report = PanicReport {
                    location: info.location().map(ToString::to_string),
                    backtrace: (backtrace.status() == BacktraceStatus::Captured)
                        .then(|| backtrace.to_string().into()),
                    ..Default::default()
                };
                // Borrowed only if the hook itself is running again below: then the first report stands.
                let noted =
                    frame.panic.try_borrow_mut().map(|mut slot| *slot = Some(Box::new(report))).is_ok();
                RUNNING.with(|running| running.unusual.set(running.unusual.get() | NOTED));
                noted
            });
            if !noted.unwrap_or(false) {
                previous(info);
            }
        }));
    });
}
