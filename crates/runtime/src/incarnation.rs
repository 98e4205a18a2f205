//! One life: start, the loop over the lane, and the hand-over to departure. The only place where user code runs,
//! and always through `attend`: panics caught, orders obeyed at its awaits, its limit kept.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, Waker};

use minder_mailbox::{Left, Mark, Queued};
use minder_signals::{ActorId, Control, ExitReason, PanicReport};

use crate::actor::{Actor, Handled, Winding};
use crate::attend::{Duty, attend, attend_first, attend_further, attend_now, unless_done, yield_now};
use crate::birth::StartOptions;
use crate::cell::Cell;
use crate::context::{Context, Start};
use crate::crash_report;
use crate::debugging;
use crate::departure::{Swept, depart};
use crate::desk;
use crate::events::Event;
use crate::frame;
use crate::hosted::{Hosted, Local};
use crate::letters::Cause;
use crate::life::AnyCell;
use crate::local::LocalActor;
use crate::local_host::{self, LocalHost, Unborn};
use crate::notice::{Item, Notice};
use crate::priority;
use crate::probe::Probe;
use crate::redelivery;
use crate::reply::{Envelope, Fate, Gone};
use crate::seat::Seat;

/// How many messages are handled before other tasks get their turn.
const TURN: u32 = 256;

/// Why an incarnation, or its clean-up, ends, and in which manner.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) reason: ExitReason,
    pub(crate) manner: Manner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// `stopping` runs: the state is to be trusted, and there is time.
    Orderly,
    /// Its own code panicked.
    Panicked,
    /// Its own code was cut short, or has not come to run.
    Abrupt,
}

impl End {
    pub(crate) fn orderly(reason: ExitReason) -> Self {
        Self { reason, manner: Manner::Orderly }
    }

    pub(crate) fn abrupt(reason: ExitReason) -> Self {
        Self { reason, manner: Manner::Abrupt }
    }

    #[cold]
    pub(crate) fn panicked(report: Box<PanicReport>) -> Self {
        Self { reason: ExitReason::Panic(Arc::from(report)), manner: Manner::Panicked }
    }
}

/// Puts the incarnation on the executor.
pub(crate) fn launch<A: Actor>(
    seat: Seat<A::Msg>,
    id: ActorId,
    start: Start,
    options: &StartOptions,
    make: impl FnOnce() -> Result<Option<A>, ExitReason> + Send + 'static,
) {
    let cell = seat.cell().clone();
    let context = Context::new(cell.clone(), id, start, options, <A as Actor>::redelivery);
    cell.core.system.home.spawn_life(&cell, id, live(seat, context, make));
}

/// Puts the incarnation on the one thread that it is lived on.
pub(crate) fn launch_local<A: LocalActor>(
    seat: Seat<A::Msg>,
    id: ActorId,
    start: Start,
    options: &StartOptions,
    host: Option<LocalHost>,
    make: impl FnOnce() -> Result<Option<A>, ExitReason> + Send + 'static,
) {
    let cell = seat.cell().clone();
    let context = Context::new(cell.clone(), id, start, options, <A as LocalActor>::redelivery);
    let life = LocalLife { seat, context, make: move || Ok(make()?.map(Local)) };
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
    F: FnOnce() -> Result<Option<A>, ExitReason> + Send + 'static,
{
    fn target(&self) -> (Arc<dyn AnyCell>, ActorId) {
        (self.context.cell.clone(), self.context.id())
    }

    fn begin(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()>>> {
        let Self { seat, context, make } = *self;
        let swept = Swept::unless_it_ends(context.cell.clone(), context.id(), context.news());
        Box::pin(async move {
            live(seat, context, make).await;
            swept.it_has_ended();
        })
    }

    fn refuse(self: Box<Self>, why: ExitReason) {
        let Self { seat, context, .. } = *self;
        let (cell, id) = (context.cell.clone(), context.id());
        let life = live(seat, context, move || Err::<Option<Nobody<M>>, _>(why));
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
    F: FnOnce() -> Result<Option<A>, ExitReason> + 'static,
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
    F: FnOnce() -> Result<Option<A>, ExitReason>,
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
                let Some(made) = make()? else {
                    context.ignore();
                    return Ok(());
                };
                actor.insert(made).started(context).await
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
        if context.ignored {
            return Err(End::abrupt(ExitReason::Normal));
        }
        context.settle_postponed(false, false, &mut None);
        context.settle_timeouts();
        let later = context.extra.as_ref().is_some_and(|extra| extra.acknowledges_later);
        if !later {
            context.acknowledge();
        }
        if cell.mailbox.is_marked(Mark::Asked) {
            // It was asked something while it started, and answers as soon as it can.
            cell.mailbox.order(Control::Answer);
        }
        match duty.stop_asked {
            // It was asked to stop while it started, and obeys as soon as it can.
            Some(reason) => {
                if let Some(extra) = &mut context.extra {
                    extra.drains = false;
                }
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
        duty.drains = context.extra.as_ref().is_some_and(|extra| extra.drains);
        let mut turn = TURN;
        // This task's, for the first poll of a handler: what awaits is kept in the task, and a message whose handler
        // is done with that poll is handled without.
        let mut waker = Waker::noop().clone();
        loop {
            let mut reminded = false;
            if cell.mailbox.needs_attention() {
                if let Some(end) = duty.obey() {
                    return end;
                }
                cell.mailbox.admit_when_half_empty();
                if cell.mailbox.is_marked(Mark::Asked) {
                    desk::answer(actor, context, &mut duty);
                }
                reminded = cell.mailbox.is_reminded();
            }
            if duty.stop_asked.is_some() || context.ending.is_some() {
                if let Some(end) = wind_up(&cell, &mut duty, actor, context) {
                    return end;
                }
                reminded = cell.mailbox.is_reminded();
            }
            if reminded && cell.mailbox.is_marked(Mark::Held) {
                // Suspended: woken by orders only.
                poll_fn(|cx| cell.mailbox.park_in_handler(cx, false, false)).await;
                continue;
            }
            if turn == 0 {
                turn = TURN;
                yield_now().await;
                continue;
            }
            if reminded {
                look_ahead(context);
            }
            let (taken, probe) = match take_out(&cell, context, &mut duty) {
                Out::Taken(taken, probe) => (taken, probe),
                Out::Nothing => {
                    // Ready with orders, too: the loop's head looks at them.
                    poll_fn(|cx| {
                        let ready = cell.mailbox.poll_refill(&mut context.batch, cx);
                        if ready.is_ready() {
                            waker.clone_from(cx.waker()); // which is nothing if it is the same
                        }
                        ready
                    })
                    .await;
                    continue;
                }
                Out::Skipped => {
                    turn -= 1;
                    continue;
                }
                Out::Ended(end) => return end,
            };
            turn -= 1;
            let failed = match taken {
                Taken::Message(message) => {
                    let is_bound = duty.is_bound;
                    let handling = || {
                        // With the default of `redelivery` this is nothing, and so is what becomes of the copy.
                        if !is_bound && let Some(copy) = A::redelivery(&message) {
                            context.extra().copy = Some(copy);
                        }
                        probe.around(&cell, || actor.handle(message, context))
                    };
                    let mut place = pin!(None);
                    match attend_first(place.as_mut(), handling, &mut duty, &waker) {
                        Poll::Ready(failed) => failed,
                        Poll::Pending => unless_done(attend_further(place, &mut duty, &waker).await),
                    }
                }
                Taken::Notice(notice) => {
                    let handling = || probe.around(&cell, || actor.notice(*notice, context));
                    let mut place = pin!(None);
                    match attend_first(place.as_mut(), handling, &mut duty, &waker) {
                        Poll::Ready(failed) => failed,
                        Poll::Pending => unless_done(attend_further(place, &mut duty, &waker).await),
                    }
                }
            };
            if let Some(handled) = failed {
                #[cfg(feature = "fault-injection")]
                if let Err(end) = &handled {
                    probe.went_off(&end.reason);
                }
                return interrupted(handled, duty, context);
            }
            duty.deadline = None;
            if context.extra.is_some()
                && let Err(end) = let_go(&cell, context, &mut duty)
            {
                return end;
            }
            // Looked at first: to take nothing is to write it.
            if duty.envelope.is_some()
                && let Some(envelope) = duty.envelope.take()
            {
                // What has become of the reply, if it was not sent, is not known any more.
                let keeps = context.extra.as_ref().is_some_and(|extra| extra.keeps_requests);
                match keeps && !frame::has_given() {
                    true => envelope.keep(),
                    false => drop(envelope),
                }
            }
            frame::judge_dropped(|| Fate::NoReply);
            if !context.has_handled {
                context.has_handled = true;
                tell_recovered(&cell, context.id());
            }
        }
    }
}

/// Its minder asked it to stop, or it asked itself. `None`: it goes on for now.
#[cold]
fn wind_up<A: Hosted>(
    cell: &Cell<A::Msg>,
    duty: &mut Duty<'_, A::Msg>,
    actor: &mut A,
    context: &mut Context<A::Msg>,
) -> Option<End> {
    if let Some(reason) = duty.stop_asked.take() {
        // Should it wind something down first, it needs its lane for that.
        cell.mailbox.mark(Mark::Held, false);
        match attend_now(cell, || actor.stop_requested(&reason, context)) {
            Ok(Winding::Done) => return Some(End::orderly(*reason)),
            Ok(Winding::Later) => {}
            Err(end) => return Some(end),
        }
    }
    // Left in its place: with it are the answers that are given at the end.
    context.ending.as_ref().map(|ending| End::orderly(ending.reason.clone()))
}

/// Something is to be done before the next item is taken out: another comes before it, or it is watched.
#[cold]
fn look_ahead<M: Send + 'static>(context: &mut Context<M>) {
    if context.cell.mailbox.has_first() {
        priority::comes_first(context);
    }
    if context.cell.mailbox.is_marked(Mark::Watched) {
        debugging::begins(context);
    }
}

/// What is handled next, out of its place in the lane: nothing else of it is kept while it is handled.
enum Taken<M> {
    Message(M),
    Notice(Box<Notice>),
}

/// What came of looking at the batch.
enum Out<M> {
    Taken(Taken<M>, Probe),
    /// The batch is empty.
    Nothing,
    /// What was taken is not wanted any more.
    Skipped,
    /// And dropping it panicked.
    Ended(End),
}

/// Takes the next item out of the batch. No part of the loop's own body, whose variables live in the task.
#[inline(always)]
fn take_out<M: Send + 'static>(cell: &Cell<M>, context: &mut Context<M>, duty: &mut Duty<'_, M>) -> Out<M> {
    let Some(item) = context.batch.pop_front() else { return Out::Nothing };
    duty.in_hand = item.is_counted();
    if duty.in_hand {
        cell.mailbox.took_one();
    }
    let probe = Probe::on_delivery(context, &item);
    duty.is_bound = false;
    match item {
        Item::Tell(message) | Item::Own(message) | Item::Next(message) => {
            Out::Taken(Taken::Message(message), probe)
        }
        item => match take_rarer(cell, item, context, duty) {
            Ok(Some(taken)) => Out::Taken(taken, probe),
            Ok(None) => Out::Skipped,
            Err(end) => Out::Ended(end),
        },
    }
}

/// Takes an item that is no plain message in hand; nothing if it is not wanted any more.
fn take_rarer<M: Send + 'static>(
    cell: &Cell<M>,
    item: Item<M>,
    context: &mut Context<M>,
    duty: &mut Duty<'_, M>,
) -> Result<Option<Taken<M>>, End> {
    let message = match item {
        Item::Tell(message) | Item::Own(message) | Item::Next(message) => message,
        Item::Ask(message, envelope) => match envelope.take_in_hand(context.incarnation) {
            Ok(until) => {
                duty.deadline = until;
                duty.envelope = Some(envelope);
                message
            }
            Err(gone) => return skip(cell, message, gone, Some(&envelope)).map(|()| None),
        },
        Item::Bound(message, life) if life == u64::from(context.incarnation) => {
            duty.is_bound = true;
            message
        }
        // Let in from among those that waited for room when its life ended.
        Item::Bound(message, _) => return skip(cell, message, Gone::Stale, None).map(|()| None),
        Item::Again(message, past) => {
            let asked = past.slot.as_ref();
            match asked.map_or(Ok(None), |slot| slot.take_in_hand(context.incarnation)) {
                Ok(until) => duty.deadline = until,
                // Whoever retries what it has postponed looks itself, and counts on getting it.
                Err(_) if past.postponed.is_some() => {}
                Err(gone) => return skip(cell, message, gone, asked).map(|()| None),
            }
            if let Some(envelope) = &past.slot {
                envelope.pass(); // gifts of the former life are not remembered
            }
            context.extra().past = Some(past);
            message
        }
        Item::Notice(mut notice) => {
            let is_wanted = still_wanted(&mut notice, context);
            return Ok(is_wanted.then_some(Taken::Notice(notice)));
        }
        Item::Stop => {
            duty.stops_now();
            return Ok(None);
        }
        item @ (Item::Tick(_) | Item::Outcome(_)) => match make(cell, item, context)? {
            Some(message) => message,
            None => return Ok(None),
        },
    };
    Ok(Some(Taken::Message(message)))
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
fn skip<M: Send + 'static>(
    cell: &Cell<M>,
    message: M,
    gone: Gone,
    envelope: Option<&Envelope<M>>,
) -> Result<(), End> {
    match gone {
        Gone::TurnedAway | Gone::InACycle => {
            cell.mailbox.count(Left::Skipped);
            attend_now(cell, || drop(message))
        }
        Gone::Expired => {
            cell.mailbox.count(Left::Expired);
            attend_now(cell, || cell.keep_letter(Cause::Expired, Some(message), None, None))
        }
        Gone::Stale => attend_now(cell, || cell.count_stale(message, envelope)),
    }
}

/// The handler did not come to its end: what was in hand is left to `redelivery::settle`.
#[cold]
fn interrupted<M: Send + 'static>(
    handled: Result<Handled, End>,
    mut duty: Duty<'_, M>,
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
    crash_report::note_asker(context, duty.envelope.as_ref(), &end.reason);
    let was_postponed = context.settle_postponed(duty.in_hand, duty.is_bound, &mut duty.envelope);
    let counted = duty.in_hand && !was_postponed;
    redelivery::interrupted(context, counted, duty.envelope.take(), &end.reason);
    end
}

/// The message in hand was handled to its end, or is postponed, and with it those that were received meanwhile: the copies
/// of idempotent ones are not needed.
fn let_go<M: Send + 'static>(
    cell: &Cell<M>,
    context: &mut Context<M>,
    duty: &mut Duty<'_, M>,
) -> Result<(), End> {
    debugging::ends(context, duty.envelope.as_ref());
    context.settle_timeouts();
    context.settle_postponed(duty.in_hand, duty.is_bound, &mut duty.envelope);
    let Some(extra) = context.extra.as_deref_mut() else { return Ok(()) };
    extra.past = None;
    let copy = extra.copy.take();
    if !extra.received.is_empty() {
        cell.mailbox.release(extra.received.len() as u64);
        let received = std::mem::take(&mut extra.received);
        attend_now(cell, || drop(received))?;
    }
    match copy {
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
