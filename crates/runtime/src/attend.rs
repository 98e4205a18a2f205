//! How user code runs, always: panics caught, orders obeyed at its awaits, its limit kept, its waits noted.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, Waker};
use std::time::Duration;

use minder_mailbox::{Mark, Rank, Ready};
use minder_signals::{ActorId, Control, ExitReason};
use tokio::time::Instant;

use crate::actor::Handled;
use crate::ask::Alarm;
use crate::cell::Cell;
use crate::context::Context;
use crate::frame::{self, Waiting};
use crate::incarnation::End;
use crate::life::{AnyCell, Minder};
use crate::notice::Item;
use crate::reply::{Envelope, Fate};
use crate::waits::{self, Awaited};

/// What an incarnation must heed while user code runs.
pub(crate) struct Duty<'a, M> {
    cell: &'a Arc<Cell<M>>,
    incarnation: u32,
    limit: Option<Duration>,
    /// Its minder's stop, if it traps exits: obeyed after the message in hand.
    pub(crate) stop_asked: Option<Box<ExitReason>>,
    /// Whether such a stop waits until what stands in the lane has been handled.
    pub(crate) drains: bool,
    /// One that waits so.
    pub(crate) draining: Option<Box<ExitReason>>,
    /// Whether only a kill counts: the actor is cleaning up already.
    pub(crate) stopping: bool,
    /// Whether a counted message is in hand.
    pub(crate) in_hand: bool,
    /// Whether what is in hand was meant for this life only.
    pub(crate) is_bound: bool,
    /// Whether what the handler waits for is noted in the actor's life.
    waits: bool,
    /// The envelope of an ask in hand: needed again should it be idempotent and be interrupted.
    pub(crate) envelope: Option<Envelope<M>>,
    /// Until when the asker of what is in hand waits.
    pub(crate) deadline: Option<Instant>,
}

impl<'a, M: Send + 'static> Duty<'a, M> {
    pub(crate) fn new(cell: &'a Arc<Cell<M>>, context: &Context<M>) -> Self {
        let limit = context.extra.as_ref().and_then(|extra| extra.handler_limit);
        Self {
            cell,
            incarnation: context.incarnation,
            limit,
            stop_asked: None,
            drains: false,
            draining: None,
            stopping: false,
            in_hand: false,
            is_bound: false,
            waits: false,
            envelope: None,
            deadline: None,
        }
    }

    fn id(&self) -> ActorId {
        ActorId::new(self.cell.core.number, self.incarnation)
    }

    /// Takes the orders there are; the end, if one of them is it.
    #[inline]
    pub(crate) fn obey(&mut self) -> Option<End> {
        if self.cell.mailbox.has_orders() { self.obey_orders() } else { None }
    }

    #[cold]
    fn obey_orders(&mut self) -> Option<End> {
        while self.cell.mailbox.has_orders() {
            let Some(order) = self.cell.mailbox.next_order() else { break };
            match order {
                Control::Kill => return Some(End::abrupt(ExitReason::Killed)),
                Control::KillFor(reason) => return Some(End::abrupt(reason)),
                #[cfg(feature = "fault-injection")]
                Control::Crash(why) => return Some(self.crash(&why)),
                _ if self.stopping => {}
                // A normal exit of another actor concerns nobody who does not trap it.
                Control::Exit(exit) | Control::Signal(exit)
                    if exit.reason.is_normal() && exit.from != self.id() => {}
                Control::Exit(exit) | Control::Signal(exit) => return Some(End::abrupt(exit.reason)),
                Control::Stop(reason) if self.may_drain() => self.drain_before(reason),
                Control::Stop(reason) if self.cell.mailbox.is_trapping() => {
                    self.stop_asked.get_or_insert_with(|| Box::new(reason));
                }
                Control::Stop(reason) => return Some(End::abrupt(reason)),
                Control::Suspend => {
                    self.cell.mailbox.mark(Mark::Held, true);
                    self.stops_now();
                }
                Control::Resume => self.cell.mailbox.mark(Mark::Held, false),
                Control::Answer => self.cell.mailbox.mark(Mark::Asked, true),
                // Orders of a later version of the words mean nothing to this one.
                _ => {}
            }
        }
        None
    }
}

impl<M: Send + 'static> Duty<'_, M> {
    /// A suspended actor would never get there, and nobody would put a limit to an orphan.
    fn may_drain(&self) -> bool {
        self.drains && !self.cell.mailbox.is_marked(Mark::Held) && {
            let minder = self.cell.core.life().minder.clone();
            match minder {
                Minder::System(_) => true,
                Minder::Actor(minder) => minder.lives(),
            }
        }
    }

    /// Obeys this stop behind what stands in the lane now. The first of several counts.
    fn drain_before(&mut self, reason: ExitReason) {
        if self.draining.is_none() {
            self.draining = Some(Box::new(reason));
            // Refused only if the seat is given up, and it is not while its actor lives.
            drop(self.cell.mailbox.notify(Item::Stop, Rank::Ordinary));
        }
    }

    /// The stop that waits for what is in the lane waits no longer.
    pub(crate) fn stops_now(&mut self) {
        let due = self.draining.take();
        self.stop_asked = self.stop_asked.take().or(due);
    }

    /// The handler runs again: what it waited for.
    #[cold]
    fn resume(&mut self) -> Vec<Arc<dyn Awaited>> {
        self.waits = false;
        waits::resume(&self.cell.core)
    }

    /// The handler suspends, and waits for other actors.
    #[cold]
    fn wait(&mut self, waited: Vec<Arc<dyn Awaited>>, polled: Vec<Arc<dyn Awaited>>) {
        let me: Arc<dyn AnyCell> = self.cell.clone();
        self.waits = waits::suspend(&me, waited, polled);
    }

    /// The handler waits on, for whatever it waited for, after an order that came before it was parked.
    #[cold]
    fn wait_on(&self) {
        if self.waits {
            let me: Arc<dyn AnyCell> = self.cell.clone();
            waits::look_again(&me);
        }
    }
}

#[cfg(feature = "fault-injection")]
impl<M: Send + 'static> Duty<'_, M> {
    /// A crash that was ordered, and not decided on at a point: unwinds here, between two messages or at an await of
    /// the handler, whose future is dropped next as if it had been unwound.
    #[cold]
    fn crash(&self, why: &str) -> End {
        let report = crate::hooks::injected(why);
        match frame::run_as(self.cell.core.address(), || frame::raise(report)) {
            Ok(never) => never,
            Err(report) => End::panicked(report),
        }
    }
}

/// Runs user code to its end: every poll under `catch_unwind` and known as this cell's; orders are obeyed before each
/// poll but the first and whenever it suspends; a limit is kept. On any end but its own the code's future is dropped
/// here, before anything else is cleared away, and a panic in that is added to the reason.
///
/// `place` is empty, and where the future will stand; `make` is user code too.
pub(crate) fn attend<'a, 'd, M: Send + 'static, F: Future>(
    place: Pin<&'a mut Option<F>>,
    make: impl FnOnce() -> F,
    duty: &'a mut Duty<'d, M>,
) -> impl Future<Output = Result<F::Output, End>> {
    Attend { place, make: Some(make), polled_with: None, duty, alarm: None }
}

/// The first step of [`attend`] for a handler, which for most messages is the last: nothing of it is kept in the task,
/// and orders need no look, since its caller has looked. Ready with how the handler ended, unless all is well; else
/// [`attend_further`] goes on.
#[inline(always)]
pub(crate) fn attend_first<M: Send + 'static, F: Future<Output = Handled>>(
    mut place: Pin<&mut Option<F>>,
    make: impl FnOnce() -> F,
    duty: &mut Duty<'_, M>,
    waker: &Waker,
) -> Poll<Option<Result<Handled, End>>> {
    if duty.envelope.is_some() {
        frame::forget_gifts();
    }
    // Beside the result, so that what is handed up through the catching of panics fits into a register.
    let mut failed = None;
    // Messages that were told have no deadline, and it costs them nothing. Set and taken back around the one call, and not
    // by a call of its own: that would be user code in two places, inlined into neither.
    let has_deadline = duty.deadline.is_some();
    if has_deadline {
        frame::set_deadline(duty.deadline);
    }
    let polled = frame::run_as(duty.cell.core.address(), || {
        place.set(Some(make()));
        let code = place.as_mut().as_pin_mut().expect("it was just put there");
        let polled = code.poll(&mut task::Context::from_waker(waker));
        polled.map(|handled| {
            if handled.is_err() {
                failed = Some(Ok(handled));
            }
        })
    });
    if has_deadline {
        frame::set_deadline(None);
    }
    if let Ok(Poll::Pending) = polled {
        return Poll::Pending; // what it waits for is noted, and `attend_further` looks there
    }
    drop(frame::take_waiting());
    #[cfg(feature = "fault-injection")]
    frame::arm(false);
    match polled {
        Ok(_) => Poll::Ready(failed),
        Err(report) => Poll::Ready(Some(Err(clear_away(duty.cell, place, || {}, End::panicked(report))))),
    }
}

/// The rest of [`attend`] after an [`attend_first`] with this waker.
pub(crate) fn attend_further<'a, 'd, M: Send + 'static, F: Future>(
    place: Pin<&'a mut Option<F>>,
    duty: &'a mut Duty<'d, M>,
    waker: &'a Waker,
) -> impl Future<Output = Result<F::Output, End>> {
    Attend { place, make: None::<fn() -> F>, polled_with: Some(waker), duty, alarm: None }
}

/// How a handler ended, unless all is well.
pub(crate) fn unless_done(handled: Result<Handled, End>) -> Option<Result<Handled, End>> {
    if matches!(handled, Ok(Ok(()))) { None } else { Some(handled) }
}

/// Written by hand, since it stands in the task of every idle actor: an `async fn` would keep each of these twice.
struct Attend<'a, 'd, M, F, C> {
    place: Pin<&'a mut Option<F>>,
    /// Until the first poll.
    make: Option<C>,
    /// The code was polled just now, with this waker, and waits.
    polled_with: Option<&'a Waker>,
    duty: &'a mut Duty<'d, M>,
    /// Set once the code suspends, if it has a limit. Boxed: few have one, and fewer suspend.
    alarm: Option<Box<Alarm<'d>>>,
}

// The future is pinned by its place; the rest is moved freely.
impl<M, F, C> Unpin for Attend<'_, '_, M, F, C> {}

impl<M: Send + 'static, F: Future, C: FnOnce() -> F> Future for Attend<'_, '_, M, F, C> {
    type Output = Result<F::Output, End>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = this.step(cx);
        #[cfg(feature = "fault-injection")]
        frame::arm(false);
        match polled {
            Poll::Ready(Err(end)) => {
                let make = this.make.take();
                Poll::Ready(Err(clear_away(this.duty.cell, this.place.as_mut(), || drop(make), end)))
            }
            other => other,
        }
    }
}

impl<M: Send + 'static, F: Future, C: FnOnce() -> F> Attend<'_, '_, M, F, C> {
    #[inline]
    fn step(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<F::Output, End>> {
        if let Some(waker) = self.polled_with.take() {
            let waiting = frame::take_waiting();
            if waker.will_wake(cx.waker()) {
                return self.pend(cx, Vec::new(), waiting);
            }
            // With another waker than this poll's, which no executor of ours has, it is polled once more.
        }
        // Before the first poll its caller has looked: what was taken out to be handled is not lost for an order that
        // comes in the same moment.
        if self.make.is_none()
            && let Some(end) = self.duty.obey()
        {
            return Poll::Ready(Err(end));
        }
        if self.alarm.as_mut().is_some_and(|alarm| alarm.is_due(cx.waker())) {
            return Poll::Ready(Err(hung::<M>()));
        }
        let waited = if self.duty.waits { self.duty.resume() } else { Vec::new() };
        if self.duty.envelope.is_some() {
            frame::forget_gifts();
        }
        let Self { place, make, .. } = self;
        let mut poll = || {
            frame::run_as(self.duty.cell.core.address(), || {
                if let Some(make) = make.take() {
                    place.set(Some(make()));
                }
                place
                    .as_mut()
                    .as_pin_mut()
                    .expect("user code is polled until it ends, and not after")
                    .poll(cx)
            })
        };
        // Messages that were told have no deadline, and it costs them nothing.
        let polled =
            if self.duty.deadline.is_some() { frame::under(self.duty.deadline, poll) } else { poll() };
        let waiting = frame::take_waiting();
        match polled {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => self.pend(cx, waited, waiting),
            Err(report) => Poll::Ready(Err(End::panicked(report))),
        }
    }

    /// The code has suspended. `waited`: what it waited for before; `waiting`: what it waits for now.
    fn pend(
        &mut self,
        cx: &mut task::Context<'_>,
        waited: Vec<Arc<dyn Awaited>>,
        waiting: Option<Waiting>,
    ) -> Poll<Result<F::Output, End>> {
        // Whatever it has dropped so far was dropped by a living actor; others run on this thread next.
        frame::judge_dropped(|| Fate::NoReply);
        let Waiting { awaited, receiving } = waiting.unwrap_or_default();
        if let Some(envelope) = &self.duty.envelope
            && frame::has_given()
        {
            envelope.pass(); // perhaps the reply to it was given away as well
        }
        // One that would go on with a message waits for nobody in particular.
        if receiving.is_none() && !(awaited.is_empty() && waited.is_empty()) {
            self.duty.wait(waited, awaited);
        }
        self.suspend(cx, receiving)
    }

    /// The code waits for something: from now on orders wake it, and so does its limit.
    /// With `receiving`, so does a message: whoever wants it is woken for orders, too.
    fn suspend(
        &mut self,
        cx: &mut task::Context<'_>,
        receiving: Option<Waker>,
    ) -> Poll<Result<F::Output, End>> {
        #[cfg(feature = "fault-injection")]
        if frame::arm(false) {
            // Armed, and it suspended before it did anything: then it crashes at this await.
            let report = crate::hooks::injected(crate::hooks::AT_AN_AWAIT);
            return Poll::Ready(Err(End::panicked(Box::new(report))));
        }
        let cell = self.duty.cell;
        if let (None, Some(limit)) = (&self.alarm, self.duty.limit) {
            let system = &*cell.core.system;
            let alarm = self.alarm.insert(Box::new(Alarm::new(system, system.now() + limit)));
            if alarm.is_due(cx.waker()) {
                return Poll::Ready(Err(hung::<M>()));
            }
        }
        let receives = receiving.is_some();
        let waker = receiving.unwrap_or_else(|| cx.waker().clone());
        let mut cx = task::Context::from_waker(&waker);
        while cell.mailbox.park_in_handler(&mut cx, self.duty.in_hand, receives) == Poll::Ready(Ready::Orders)
        {
            if let Some(end) = self.duty.obey() {
                return Poll::Ready(Err(end));
            }
            self.duty.wait_on();
        }
        Poll::Pending
    }
}

/// User code did not come to its end: drops what is left of it.
#[cold]
fn clear_away<M: Send + 'static, F>(
    cell: &Cell<M>,
    mut place: Pin<&mut Option<F>>,
    drop_rest: impl FnOnce(),
    mut end: End,
) -> End {
    // Replies that unwinding has dropped, and those that dropping the future will, have the same fate.
    frame::judge_dropped(|| Fate::Crashed(end.reason.clone()));
    let dropped = frame::with_fate(Fate::Crashed(end.reason.clone()), || {
        let dropped = frame::run_as(cell.core.address(), || {
            drop_rest();
            place.set(None);
        });
        dropped.err().map(|report| report.to_string())
    });
    frame::add_drop_panic(&mut end.reason, dropped);
    end
}

fn hung<M>() -> End {
    End::abrupt(ExitReason::Hung(std::any::type_name::<M>()))
}

/// Runs user code that does not await to its end.
pub(crate) fn attend_now<M: Send + 'static, T>(cell: &Cell<M>, code: impl FnOnce() -> T) -> Result<T, End> {
    let result = frame::run_as(cell.core.address(), code).map_err(End::panicked);
    frame::judge_dropped(|| match &result {
        Ok(_) => Fate::NoReply,
        Err(end) => Fate::Crashed(end.reason.clone()),
    });
    result
}

/// Lets other tasks run once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
