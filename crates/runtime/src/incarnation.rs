//! One life: start, the loop over the lane, and the hand-over to departure. The only place where user code runs,
//! and always through `attend`: panics caught, orders obeyed at its awaits, its limit kept.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use minder_mailbox::{Left, Queued, Ready};
use minder_signals::{ActorId, Control, ExitReason, PanicReport};

use crate::actor::{Actor, Handled, Winding};
use crate::ask::Alarm;
use crate::birth::StartOptions;
use crate::cell::Cell;
use crate::context::{Context, Start};
use crate::departure::{Swept, depart};
use crate::events::Event;
use crate::frame;
use crate::hosted::{Hosted, Local};
use crate::letters::Cause;
use crate::life::AnyCell;
use crate::local::LocalActor;
use crate::local_host::{self, LocalHost, Unborn};
use crate::notice::{Item, Notice};
use crate::probe::Probe;
use crate::redelivery;
use crate::reply::{Asked, Fate, Gone};
use crate::seat::Seat;

/// How many messages are handled before other tasks get their turn.
const TURN: u32 = 256;

/// Why an incarnation ends, and whether it may clean up.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) reason: ExitReason,
    /// Whether `stopping` runs: the state is to be trusted, and there is time.
    pub(crate) orderly: bool,
}

impl End {
    pub(crate) fn orderly(reason: ExitReason) -> Self {
        Self { reason, orderly: true }
    }

    pub(crate) fn abrupt(reason: ExitReason) -> Self {
        Self { reason, orderly: false }
    }

    #[cold]
    fn panicked(report: Box<PanicReport>) -> Self {
        Self::abrupt(ExitReason::Panic(Arc::from(report)))
    }
}

/// Puts the incarnation on the executor.
pub(crate) fn launch<A: Actor>(
    seat: Seat<A::Msg>,
    id: ActorId,
    start: Start,
    options: &StartOptions,
    make: impl FnOnce() -> Result<A, ExitReason> + Send + 'static,
) {
    let cell = seat.cell().clone();
    let context = Context::new(cell.clone(), id, start, options);
    cell.core.system.home.spawn_life(&cell, id, live(seat, context, make));
}

/// Puts the incarnation on the one thread that it is lived on.
pub(crate) fn launch_local<A: LocalActor>(
    seat: Seat<A::Msg>,
    id: ActorId,
    start: Start,
    options: &StartOptions,
    host: Option<LocalHost>,
    make: impl FnOnce() -> Result<A, ExitReason> + Send + 'static,
) {
    let cell = seat.cell().clone();
    let context = Context::new(cell.clone(), id, start, options);
    let life = LocalLife { seat, context, make: move || make().map(Local) };
    local_host::begin(&cell.core.system, host, Box::new(life));
}

/// A life on its way to the thread that it will be lived on.
struct LocalLife<M: Send + 'static, F> {
    seat: Seat<M>,
    context: Context<M>,
    make: F,
}

impl<M, A, F> Unborn for LocalLife<M, F>
where
    M: Send + 'static,
    A: Hosted<Msg = M>,
    F: FnOnce() -> Result<A, ExitReason> + Send + 'static,
{
    fn target(&self) -> (Arc<dyn AnyCell>, ActorId) {
        (self.context.cell.clone(), self.context.id())
    }

    fn begin(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()>>> {
        let Self { seat, context, make } = *self;
        let swept = Swept::unless_it_ends(context.cell.clone(), context.id());
        Box::pin(async move {
            live(seat, context, make).await;
            swept.it_has_ended();
        })
    }

    fn refuse(self: Box<Self>, why: ExitReason) {
        let Self { seat, context, .. } = *self;
        let (cell, id) = (context.cell.clone(), context.id());
        let life = live(seat, context, move || Err::<Nobody<M>, _>(why));
        cell.core.system.home.spawn_life(&cell, id, life);
    }
}

/// Lives nowhere: the actor of a start that is bound to fail.
struct Nobody<M> {
    none: std::convert::Infallible,
    messages: std::marker::PhantomData<fn(M)>,
}

impl<M: Send + 'static> Actor for Nobody<M> {
    type Msg = M;

    async fn handle(&mut self, _: M, _: &mut Context<M>) -> Handled {
        let _ = self.messages;
        match self.none {}
    }
}

/// A block and not an `async fn`, here and below: what an `async fn` is called with it keeps twice, and every idle
/// actor's task would pay for it. Whether it is `Send` is the actor's affair.
#[expect(clippy::manual_async_fn, reason = "half the size")]
fn live<A, F>(seat: Seat<A::Msg>, mut context: Context<A::Msg>, make: F) -> impl Future<Output = ()>
where
    A: Hosted,
    F: FnOnce() -> Result<A, ExitReason> + 'static,
{
    async move {
        let mut actor = None;
        // Boxed, all three: the task of an actor that has had nothing to do need not hold room for doing it, and
        // most of a large tree's actors have not.
        let end = 'life: {
            match Box::pin(begin(&mut actor, &mut context, make)).await {
                Ok(()) => {}
                Err(end) => break 'life end,
            }
            if context.ending.is_none() && context.batch.is_empty() {
                // Ready with orders, too: `serve` looks at them first.
                poll_fn(|cx| context.cell.mailbox.poll_ready(cx)).await;
            }
            let actor = actor.as_mut().expect("a start that succeeded has built its actor");
            Box::pin(serve(actor, &mut context)).await
        };
        Box::pin(depart(actor, context, seat, end)).await;
    }
}

/// The supervised start: builds the actor, runs its `started`, acknowledges.
#[expect(clippy::manual_async_fn, reason = "see `live`")]
fn begin<A, F>(
    actor: &mut Option<A>,
    context: &mut Context<A::Msg>,
    make: F,
) -> impl Future<Output = Result<(), End>>
where
    A: Hosted,
    F: FnOnce() -> Result<A, ExitReason>,
{
    async move {
        let cell = context.cell.clone();
        let mut duty = Duty::new(&cell, context);
        if let Some(end) = duty.obey() {
            return Err(end);
        }
        {
            let probe = Probe::on_start(context);
            let starting = || async {
                probe.before_start()?;
                let actor = actor.insert(make()?);
                actor.started(context).await
            };
            match attend(pin!(None), starting, &mut duty).await {
                Ok(Ok(())) => frame::judge_dropped(|| Fate::NoReply),
                Ok(Err(reason)) => {
                    frame::judge_dropped(|| Fate::Crashed(reason.clone()));
                    return Err(End::abrupt(reason));
                }
                Err(end) => return Err(end),
            }
        }
        context.settle_postponed(false, None);
        let later = context.extra.as_ref().is_some_and(|extra| extra.acknowledges_later);
        if !later {
            context.acknowledge();
        }
        match duty.stop_asked {
            // It was asked to stop while it started, and obeys as soon as it can.
            Some(reason) => {
                context.cell.mailbox.order(Control::Stop(*reason));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The loop: orders first, then the next item. Awaits nothing but the lane and the handler.
#[expect(clippy::manual_async_fn, reason = "see `live`")]
fn serve<A: Hosted>(actor: &mut A, context: &mut Context<A::Msg>) -> impl Future<Output = End> {
    async move {
        let cell = context.cell.clone();
        let mut duty = Duty::new(&cell, context);
        let mut turn = TURN;
        loop {
            if cell.mailbox.needs_attention() {
                if let Some(end) = duty.obey() {
                    return end;
                }
                cell.mailbox.admit_when_half_empty();
            }
            if let Some(reason) = duty.stop_asked.take() {
                let reason = *reason;
                match attend_now(&cell, || actor.stop_requested(&reason, context)) {
                    Ok(Winding::Done) => return End::orderly(reason),
                    Ok(Winding::Later) => {}
                    Err(end) => return end,
                }
            }
            if let Some(reason) = context.ending.take() {
                return End::orderly(*reason);
            }
            if turn == 0 {
                turn = TURN;
                yield_now().await;
                continue;
            }
            let Some(item) = context.batch.pop_front() else {
                // Ready with orders, too: the loop's head looks at them.
                poll_fn(|cx| cell.mailbox.poll_refill(&mut context.batch, cx)).await;
                continue;
            };
            turn -= 1;
            duty.in_hand = item.is_counted();
            if duty.in_hand {
                cell.mailbox.took_one();
            }
            let probe = Probe::on_delivery(context, &item);
            // The envelope of an ask in hand: needed again should it be idempotent and be interrupted.
            let mut envelope = None;
            let taken = match item {
                Item::Tell(message) | Item::Own(message) => Taken::Message(message),
                Item::Ask(message, slot) => {
                    if let Some(gone) = slot.gone() {
                        match skip(&cell, message, gone) {
                            Ok(()) => continue,
                            Err(end) => return end,
                        }
                    }
                    envelope = Some(slot);
                    Taken::Message(message)
                }
                Item::Again(message, past) => {
                    // Whoever retries what it has postponed looks itself, and counts on getting it.
                    if past.postponed.is_none()
                        && let Some(gone) = past.slot.as_ref().and_then(|slot| slot.gone())
                    {
                        match skip(&cell, message, gone) {
                            Ok(()) => continue,
                            Err(end) => return end,
                        }
                    }
                    context.extra().past = Some(past);
                    Taken::Message(message)
                }
                Item::Notice(mut notice) => {
                    if !still_wanted(&mut notice, context) {
                        continue;
                    }
                    Taken::Notice(notice)
                }
                item @ (Item::Tick(_) | Item::Outcome(_)) => match make(&cell, item, context) {
                    Ok(Some(message)) => Taken::Message(message),
                    Ok(None) => continue,
                    Err(end) => return end,
                },
            };
            let handled = match taken {
                Taken::Message(message) => {
                    let handling = || {
                        // With the default of `redelivery` this is nothing, and so is what becomes of the copy.
                        if let Some(copy) = A::redelivery(&message) {
                            context.extra().copy = Some(copy);
                        }
                        probe.around(&cell, || actor.handle(message, context))
                    };
                    attend(pin!(None), handling, &mut duty).await
                }
                Taken::Notice(notice) => {
                    let handling = || probe.around(&cell, || actor.notice(*notice, context));
                    attend(pin!(None), handling, &mut duty).await
                }
            };
            #[cfg(feature = "fault-injection")]
            if let Err(end) = &handled {
                probe.went_off(&end.reason);
            }
            let Ok(Ok(())) = handled else {
                return interrupted(handled, envelope, &duty, context);
            };
            if context.extra.is_some()
                && let Err(end) = let_go(&cell, context, duty.in_hand, envelope)
            {
                return end;
            }
            frame::judge_dropped(|| Fate::NoReply);
            if !context.has_handled {
                context.has_handled = true;
                tell_recovered(&cell, context.id());
            }
        }
    }
}

/// What is handled next, out of its place in the lane: nothing else of it is kept while it is handled.
enum Taken<M> {
    Message(M),
    Notice(Box<Notice>),
}

/// Makes the message of a tick or of a job that is over; nothing if the interval was cancelled meanwhile.
#[cold]
fn make<M: Send + 'static>(cell: &Cell<M>, item: Item<M>, context: &Context<M>) -> Result<Option<M>, End> {
    match item {
        Item::Tick(mark) => {
            let timers = context.extra.as_ref().and_then(|extra| extra.timers.as_ref());
            let make = timers.and_then(|timers| timers.take_up(mark));
            make.map(|make| attend_now(cell, make)).transpose()
        }
        Item::Outcome(outcome) => attend_now(cell, || outcome.into_message()).map(Some),
        item => Ok(item.into_message()),
    }
}

/// Nobody waits for it any more.
#[cold]
fn skip<M: Send + 'static>(cell: &Cell<M>, message: M, gone: Gone) -> Result<(), End> {
    match gone {
        Gone::TurnedAway => {
            cell.mailbox.count(Left::Skipped);
            attend_now(cell, || drop(message))
        }
        Gone::Expired => {
            cell.mailbox.count(Left::Expired);
            attend_now(cell, || cell.keep_letter(Cause::Expired, Some(message), None, None))
        }
    }
}

/// The handler did not come to its end: what was in hand is left to `redelivery::settle`.
#[cold]
fn interrupted<M: Send + 'static>(
    handled: Result<Handled, End>,
    envelope: Option<Arc<dyn Asked<M>>>,
    duty: &Duty<'_, M>,
    context: &mut Context<M>,
) -> End {
    let end = match handled {
        Err(end) => end,
        Ok(handled) => {
            let reason = handled.err().unwrap_or(ExitReason::Normal);
            frame::judge_dropped(|| Fate::Crashed(reason.clone()));
            End::orderly(reason)
        }
    };
    let was_postponed = context.settle_postponed(duty.in_hand, envelope.clone());
    redelivery::interrupted(context, duty.in_hand && !was_postponed, envelope, &end.reason);
    end
}

/// The message in hand was handled to its end, or is postponed: the copy of an idempotent one is not needed.
fn let_go<M: Send + 'static>(
    cell: &Cell<M>,
    context: &mut Context<M>,
    counted: bool,
    envelope: Option<Arc<dyn Asked<M>>>,
) -> Result<(), End> {
    context.settle_postponed(counted, envelope);
    let Some(extra) = context.extra.as_deref_mut() else { return Ok(()) };
    extra.past = None;
    match extra.copy.take() {
        Some(copy) => attend_now(cell, || drop(copy)),
        None => Ok(()),
    }
}

/// A `Down` uses its monitor up. One whose monitor was taken back is not wanted any more, nor is the end of a stream that
/// was detached.
fn still_wanted<M>(notice: &mut Notice, context: &mut Context<M>) -> bool {
    match notice {
        Notice::Down(down) => {
            let monitored = context.extra.as_mut().and_then(|extra| extra.monitors.remove(&down.monitor));
            let Some(monitored) = monitored else { return false };
            down.name = monitored.name;
            true
        }
        Notice::Stream(over) => {
            context.extra.as_mut().is_some_and(|extra| extra.streams.remove(&over.stream))
        }
        Notice::Timeout(id) => {
            let timeouts = context.extra.as_mut().and_then(|extra| extra.timeouts.as_mut());
            timeouts.is_some_and(|timeouts| timeouts.came(*id))
        }
        Notice::Exit(_) | Notice::Child(_) => true,
    }
}

/// The first message handled after a crash ends the time of recovery.
fn tell_recovered<M: Send + 'static>(cell: &Cell<M>, id: ActorId) {
    let Some(crashed_at) = cell.core.life().ties_if_any().and_then(|ties| ties.crashed_at.take()) else {
        return;
    };
    let system = &cell.core.system;
    let after = system.now().since(crashed_at);
    system.report(&Event::Recovered { path: &cell.core.path(), id, after });
}

/// What an incarnation must heed while user code runs.
pub(crate) struct Duty<'a, M> {
    cell: &'a Arc<Cell<M>>,
    incarnation: u32,
    limit: Option<Duration>,
    /// Its minder's stop, if it traps exits: obeyed after the message in hand.
    pub(crate) stop_asked: Option<Box<ExitReason>>,
    /// Whether only a kill counts: the actor is cleaning up already.
    pub(crate) stopping: bool,
    /// Whether a counted message is in hand.
    in_hand: bool,
}

impl<'a, M: Send + 'static> Duty<'a, M> {
    pub(crate) fn new(cell: &'a Arc<Cell<M>>, context: &Context<M>) -> Self {
        let limit = context.extra.as_ref().and_then(|extra| extra.handler_limit);
        Self {
            cell,
            incarnation: context.incarnation,
            limit,
            stop_asked: None,
            stopping: false,
            in_hand: false,
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
                #[cfg(feature = "fault-injection")]
                Control::Crash(why) => return Some(self.crash(&why)),
                _ if self.stopping => {}
                // A normal exit of another actor concerns nobody who does not trap it.
                Control::Exit(exit) | Control::Signal(exit)
                    if exit.reason.is_normal() && exit.from != self.id() => {}
                Control::Exit(exit) | Control::Signal(exit) => return Some(End::abrupt(exit.reason)),
                Control::Stop(reason) if self.cell.mailbox.is_trapping() => {
                    self.stop_asked.get_or_insert_with(|| Box::new(reason));
                }
                Control::Stop(reason) => return Some(End::abrupt(reason)),
                // Orders of a later version of the words mean nothing to this one.
                _ => {}
            }
        }
        None
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
    Attend { place, make: Some(make), duty, alarm: None }
}

/// Written by hand, since it stands in the task of every idle actor: an `async fn` would keep each of these twice.
struct Attend<'a, 'd, M, F, C> {
    place: Pin<&'a mut Option<F>>,
    /// Until the first poll.
    make: Option<C>,
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
            Poll::Ready(Err(end)) => Poll::Ready(Err(this.interrupted(end))),
            other => other,
        }
    }
}

impl<M: Send + 'static, F: Future, C: FnOnce() -> F> Attend<'_, '_, M, F, C> {
    #[inline]
    fn step(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<F::Output, End>> {
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
        let Self { place, make, .. } = self;
        let polled = frame::run_as(self.duty.cell.core.address(), || {
            if let Some(make) = make.take() {
                place.set(Some(make()));
            }
            place.as_mut().as_pin_mut().expect("user code is polled until it ends, and not after").poll(cx)
        });
        match polled {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => {
                // Whatever it has dropped so far was dropped by a living actor; others run on this thread next.
                frame::judge_dropped(|| Fate::NoReply);
                self.suspend(cx)
            }
            Err(report) => Poll::Ready(Err(End::panicked(report))),
        }
    }

    /// The code waits for something: from now on orders wake it, and so does its limit.
    fn suspend(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<F::Output, End>> {
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
        while cell.mailbox.park_in_handler(cx, self.duty.in_hand) == Poll::Ready(Ready::Orders) {
            if let Some(end) = self.duty.obey() {
                return Poll::Ready(Err(end));
            }
        }
        Poll::Pending
    }

    #[cold]
    fn interrupted(&mut self, mut end: End) -> End {
        // Replies that unwinding has dropped, and those that dropping the future will, have the same fate.
        frame::judge_dropped(|| Fate::Crashed(end.reason.clone()));
        let address = self.duty.cell.core.address();
        let (place, make) = (&mut self.place, &mut self.make);
        let dropped = frame::with_fate(Fate::Crashed(end.reason.clone()), || {
            let dropped = frame::run_as(address, || {
                drop(make.take());
                place.set(None);
            });
            dropped.err().map(|report| report.to_string())
        });
        frame::add_drop_panic(&mut end.reason, dropped);
        end
    }
}

fn hung<M>() -> End {
    End::abrupt(ExitReason::Hung(std::any::type_name::<M>()))
}

/// Runs user code that does not await to its end.
fn attend_now<M: Send + 'static, T>(cell: &Cell<M>, code: impl FnOnce() -> T) -> Result<T, End> {
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
