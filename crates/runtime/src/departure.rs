//! The end of an incarnation, always in this order:
//!
//! 1. the reason is fixed, the handler's future is dropped (`attend.rs` has done both), and the message in hand
//!    is settled (`redelivery.rs`);
//! 2. its jobs and streams are told to go, and an orderly end cleans up (`stopping`), which may make the reason worse;
//! 3. the value is dropped;
//! 4. its jobs and streams are gone, and its blocking closures have returned;
//! 5. its timers and monitors are gone, answers that were to come after the clean-up are given (`ending.rs`), and whoever
//!    asked for it (`keepsake.rs`) is called with the reason;
//! 6. the queue is settled: it waits for the next life, or is purged; if the seat is given up its name is freed, and then
//!    the queue is given back;
//! 7. what it offered is withdrawn, the seat is vacant, and links, monitors, children and the minder are told.
//!
//! Whoever hears of the end may rely on all of it. Every drop of user code is caught; a panic in one is added to the
//! reason.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use minder_mailbox::Rank;
use minder_signals::{ActorId, Control, Exit, ExitReason, Moment};
use tokio::sync::oneshot;

use crate::attend::{Duty, attend};
use crate::cell::Cell;
use crate::context::Context;
use crate::crash_report::{self, Seen};
use crate::ending::{self, Settle};
use crate::events::Event;
use crate::frame;
use crate::hosted::Hosted;
use crate::incarnation::{End, Manner};
use crate::keepsake;
use crate::life::{Link, Minder, Peer, Ties};
use crate::notice::{ChildEvent, Item};
use crate::probe::Probe;
use crate::redelivery;
use crate::reply::Fate;
use crate::seat::Seat;

pub(crate) async fn depart<A: Hosted>(
    mut actor: Option<A>,
    mut context: Context<A::Msg>,
    seat: Seat<A::Msg>,
    end: End,
) {
    let cell = context.cell.clone();
    let address = cell.core.address();
    let End { mut reason, manner } = end;
    let returned = context.return_postponed();
    let waiting = context.batch.len();
    let charged = redelivery::settle(&mut context, &reason);
    // What was postponed did wait, however often it was in hand before.
    let spares_first = !returned || context.batch.len() > waiting;
    // Already here: what is counted as queued must be within reach of whoever makes room in it.
    cell.mailbox.give_back(&mut context.batch);
    if let Some(companions) = context.extra.as_ref().and_then(|extra| extra.companions.as_ref()) {
        companions.dismiss(&reason);
    }
    let mut has_cleaned_up = false;
    if let Some(actor) = actor.as_mut()
        && manner == Manner::Orderly
    {
        let cleaned_up = clean_up(actor, &mut context, &reason).await;
        has_cleaned_up = cleaned_up.as_ref().err().is_none_or(|end| end.manner == Manner::Panicked);
        if let Err(worse) = cleaned_up {
            reason = worse.reason;
        }
    }
    let mut answers = context.take_withheld();
    let seen = Seen::of(actor.as_ref(), &context, &reason);
    let abnormal_since = reason.is_abnormal().then(|| cell.core.system.now());

    let fate = Fate::Crashed(reason.clone());
    let dropped = frame::with_fate(fate.clone(), || frame::drop_caught(address, actor));
    frame::add_drop_panic(&mut reason, dropped);
    if !has_cleaned_up {
        let refused = std::mem::take(&mut answers);
        let dropped = frame::with_fate(fate.clone(), || ending::settle(&context, refused, Settle::Refuse));
        frame::add_drop_panic(&mut reason, dropped);
    }
    let dropped = context.drop_postponed(fate.clone());
    frame::add_drop_panic(&mut reason, dropped);
    if !context.batch.is_empty() {
        // A clean-up told itself something: it goes the way of what was meant for this incarnation.
        cell.mailbox.give_back(&mut context.batch);
    }

    let mut at_end = Vec::new();
    let (mut starter, mut purges, mut is_silent, mut rank) = (None, false, false, Rank::Ordinary);
    if let Some(mut extra) = context.extra.take() {
        starter = extra.starter.take();
        purges = extra.purges;
        is_silent = extra.is_silent;
        rank = extra.news;
        if let Some(companions) = &extra.companions {
            // Again: cleaning up may have set some of them going.
            companions.dismiss(&reason);
            poll_fn(|cx| companions.poll_empty(cx.waker())).await;
        }
        if let Some(timers) = &extra.timers {
            let rest = timers.cancel_all();
            let dropped = frame::with_fate(fate.clone(), || frame::drop_each_caught(address, rest));
            frame::add_drop_panic(&mut reason, dropped);
        }
        if let Some(timeouts) = extra.timeouts.take() {
            timeouts.cancel_all();
        }
        let dropped = frame::with_fate(fate.clone(), || frame::drop_caught(address, extra.debugging.take()));
        frame::add_drop_panic(&mut reason, dropped);
        for (monitor, monitored) in extra.monitors.drain() {
            monitored.forget(monitor);
        }
        at_end = std::mem::take(&mut extra.at_end);
    }
    // First the answers: a panic in the drop of one that nobody waits for belongs to the reason that is told from here on.
    let dropped = frame::with_fate(fate.clone(), || ending::settle(&context, answers, Settle::Give));
    frame::add_drop_panic(&mut reason, dropped);
    let panicked = frame::with_fate(fate.clone(), || keepsake::tell_end(address, at_end, &reason));
    frame::add_drop_panic(&mut reason, panicked);

    if seat.is_shared() {
        // Before letting go: whoever gives the seat up later wants to know why its last actor ended.
        cell.core.life().ties().last_reason = Some(reason.clone());
        if purges {
            cell.purge(&reason, spares_first);
        }
    }
    if seat.let_go() {
        cell.close(reason.clone());
    }

    let (path, id, started) = (cell.core.path(), context.id(), context.acknowledged);
    let ignored = is_ignored(&context, &reason);
    crash_report::tell::<A>(&context, &reason, seen);
    cell.core.system.report(&match ignored {
        true => Event::Ignored { path: &path, id },
        false => Event::Exited { path: &path, id, reason: &reason, started, charged },
    });
    let mut vacated = vacate(&cell, abnormal_since);
    bury_bound(&cell, std::mem::take(&mut vacated.bound));
    let (ties, minder) = vacated.cleared(address, fate);
    let who = Who { cell, id: context.id(), started };
    tell(who, ties, minder, starter, Why { reason, charged, ignored, is_silent, rank });
}

/// Messages for the life that is over come back to whoever asked.
fn bury_bound<M: Send + 'static>(cell: &Cell<M>, items: Vec<Item<M>>) {
    for item in items {
        let _ = frame::run_as(cell.core.address(), || match item {
            Item::Ask(message, envelope) => cell.bury_stale(message, Some(&envelope)),
            item => item.into_message().into_iter().for_each(|message| cell.bury_stale(message, None)),
        });
        frame::judge_dropped(|| Fate::NoReply);
    }
}

/// Runs the actor's own clean-up; only a kill and its limit can interrupt it. What went wrong in it is the reason from then
/// on.
async fn clean_up<A: Hosted>(
    actor: &mut A,
    context: &mut Context<A::Msg>,
    reason: &ExitReason,
) -> Result<(), End> {
    let cell = context.cell.clone();
    let mut duty = Duty::new(&cell, context);
    duty.stopping = true;
    if let Some(killed) = duty.obey() {
        return Err(End::abrupt(killed.reason));
    }
    let ended = attend(
        pin!(None),
        || async {
            Probe::on_stop(context);
            actor.stopping(reason, context).await;
        },
        &mut duty,
    )
    .await;
    frame::judge_dropped(|| Fate::Crashed(reason.clone()));
    ended
}

/// Whether the start found nothing to run. Not if it was killed, or something panicked, while that was cleared away.
fn is_ignored<M>(context: &Context<M>, reason: &ExitReason) -> bool {
    context.ignored && reason.is_normal()
}

/// Sees to the end of a life whose task is dropped before it has come to it, since the thread or the local set that it
/// was lived on is gone. What was in its hands is lost then, and nothing was cleaned up; but nobody waits for it in vain.
pub(crate) struct Swept<M: Send + 'static> {
    /// Empty once it has come to its end.
    cell: Option<Arc<Cell<M>>>,
    id: ActorId,
    news: Rank,
}

impl<M: Send + 'static> Swept<M> {
    /// `news`: what its news are to its minder.
    pub(crate) fn unless_it_ends(cell: Arc<Cell<M>>, id: ActorId, news: Rank) -> Self {
        Self { cell: Some(cell), id, news }
    }

    pub(crate) fn it_has_ended(mut self) {
        self.cell = None;
    }
}

impl<M: Send + 'static> Drop for Swept<M> {
    fn drop(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        let (id, rank) = (self.id, self.news);
        let started = {
            let life = cell.core.life();
            if !life.is(id) {
                return;
            }
            life.acknowledged
        };
        let (system, reason) = (&cell.core.system, ExitReason::Killed);
        let path = cell.core.path();
        system.report(&Event::Exited { path: &path, id, reason: &reason, started, charged: true });
        let fate = Fate::Crashed(reason.clone());
        let mut vacated = vacate(&cell, Some(system.now()));
        bury_bound(&cell, std::mem::take(&mut vacated.bound));
        let (ties, minder) = vacated.cleared(cell.core.address(), fate);
        tell(
            Who { cell, id, started },
            ties,
            minder,
            None,
            Why { reason, charged: true, ignored: false, is_silent: false, rank },
        );
    }
}

/// Of whom it is told.
struct Who<M> {
    cell: Arc<Cell<M>>,
    id: ActorId,
    /// Whether the start was acknowledged.
    started: bool,
}

/// What is told of the end.
struct Why {
    reason: ExitReason,
    charged: bool,
    ignored: bool,
    /// Whether the minder does not want to know.
    is_silent: bool,
    /// What the news of it is to the minder.
    rank: Rank,
}

struct Vacated<M> {
    ties: Ties,
    minder: Minder,
    stale: Vec<Item<M>>,
    /// Counted messages for this life only.
    bound: Vec<Item<M>>,
}

impl<M> Vacated<M> {
    /// Drops what was meant for this incarnation alone, and what it offered: code of users, whose panics come too late to be
    /// added to the reason.
    fn cleared(mut self, cell: usize, fate: Fate) -> (Ties, Minder) {
        let offers = std::mem::take(&mut self.ties.offers);
        let _ = frame::with_fate(fate, || {
            let _ = frame::drop_each_caught(cell, offers.into_each());
            frame::drop_each_caught(cell, self.stale)
        });
        (self.ties, self.minder)
    }
}

/// Leaves the seat. With the life held: whoever sends a signal after this finds nobody, whoever sent one before has
/// it thrown away here, and nothing reaches the next incarnation that was meant for this one.
fn vacate<M: Send + 'static>(cell: &Cell<M>, abnormal_since: Option<Moment>) -> Vacated<M> {
    let mut life = cell.core.life();
    life.occupied = false;
    match life.ties_if_any() {
        Some(ties) => ties.crashed_at = abnormal_since,
        None if abnormal_since.is_some() => life.ties().crashed_at = abnormal_since,
        None => {}
    }
    cell.mailbox.reset();
    let stale = cell.mailbox.extract(Item::is_of_incarnation);
    let bound = cell.mailbox.purge_those(Item::is_bound);
    let minder = std::mem::replace(&mut life.minder, Minder::System(0));
    Vacated { ties: life.take_ties(), minder, stale, bound }
}

/// Tells everyone who was tied to the incarnation, in the order of their numbers; the minder last. Then an heir that
/// waited for the seat takes it.
fn tell<M: Send + 'static>(
    who: Who<M>,
    ties: Ties,
    minder: Minder,
    starter: Option<oneshot::Sender<Result<(), ExitReason>>>,
    why: Why,
) {
    let Why { reason, charged, ignored, is_silent, rank } = why;
    let Who { cell, id, started } = who;
    let Ties { links, watchers, children, heir, requests, .. } = ties;
    if let Some(requests) = requests {
        requests.refuse(&cell, id, &reason);
    }
    let mut links: Vec<Peer> = links.into_values().map(|link| link.peer).collect();
    links.sort_unstable_by_key(Peer::id);
    for linked in links {
        let mut life = linked.cell.core().life();
        // A link that the other end took back meanwhile tells nothing any more.
        // By the whole id: a next life in this seat may have links of its own by now.
        let still = life.ties_if_any().and_then(|ties| Link::take_from(&mut ties.links, id));
        if let Some(rank) = still
            && life.is(linked.id())
        {
            linked.cell.push_exit(Exit { from: id, reason: reason.clone() }, rank);
        }
    }
    for watcher in watchers {
        watcher.fire(id, &reason);
    }
    for child in children.into_values() {
        // An actor's life belongs to its minder, so a normal end takes its children along too.
        let why = if reason.is_normal() { ExitReason::Shutdown } else { reason.clone() };
        child.order(Control::Stop(why));
    }
    match minder {
        Minder::System(place) => {
            cell.core.system.remove_root(place);
            if let Some(starter) = starter {
                // Whoever started it has turned away: fine.
                drop(starter.send(Err(reason)));
            }
        }
        Minder::Actor(minder) => {
            if let Some(ties) = minder.cell.core().life().ties_if_any() {
                Peer::take_from(&mut ties.children, id);
            }
            let event = match started {
                true => ChildEvent::Exited { reason, charged },
                false if ignored => ChildEvent::Ignored,
                false => ChildEvent::StartFailed(reason),
            };
            if !is_silent {
                minder.child_event(id, event, rank);
            }
        }
    }
    if let Some(heir) = heir {
        (heir.start)();
    }
    cell.core.system.one_fewer();
}
