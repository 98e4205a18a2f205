//! What a context has to do with asks: the deadline of the one in hand, and waits that the runtime cannot see by itself.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use minder_signals::Moment;

use crate::actor_ref::ActorRef;
use crate::birth::{self, Anywhere};
use crate::context::Context;
use crate::delegate::Delegate;
use crate::frame;
use crate::life::{self, AnyCell};
use crate::reply::Reply;
use crate::waits::{self, Errand, Wait};

/// What has to become of a child before an answer can be given: see [`Context::keeps`].
#[derive(Clone, Copy, Debug)]
pub enum Until<'a> {
    /// Its start has to be over.
    Up(&'a ActorRef),
    /// It has to be gone, or to have done something that its minder asked it for.
    Done(&'a ActorRef),
}

impl<M: Send + 'static> Context<M> {
    /// Until when whoever asked for what is in hand waits; nothing if nobody asked. An ask that is made meanwhile ends no
    /// later. Inside [`without_deadline`] there is none.
    pub fn deadline(&self) -> Option<Moment> {
        frame::deadline().map(|deadline| self.cell.core.system.clock.moment(deadline))
    }

    /// Has a future answer an ask, so that this actor goes on with its lane: the future runs on a temporary actor minded
    /// by this one, and what it gives is the answer. Typically it asks others.
    ///
    /// Whoever asked hears of any other end, too: `Crashed` if the future panics, or if this actor ends, which takes
    /// its delegates along. A panic is no crash of this actor, and no news of delegates come to it. They have until the
    /// deadline of the ask in hand, if there is one; then they end, and asks in the future end before. Work that has to
    /// go on is delegated inside of [`without_deadline`].
    ///
    /// When not to use this: to bound how many there are, since each flood of asks is a flood of delegates. What is not
    /// an answer to anyone is a job: [`Context::run`].
    ///
    /// ```
    /// use minder_runtime::{Actor, Addr, AskError, Context, Handled, Reply};
    ///
    /// enum Rates {
    ///     Of(String, Reply<u64>),
    /// }
    ///
    /// struct Quotes(Addr<Rates>);
    ///
    /// enum Msg {
    ///     Quote(String, Reply<Result<u64, AskError<Rates>>>),
    /// }
    ///
    /// impl Actor for Quotes {
    ///     type Msg = Msg;
    ///
    ///     async fn handle(&mut self, Msg::Quote(currency, reply): Msg, context: &mut Context<Msg>) -> Handled {
    ///         let rates = self.0.clone();
    ///         context.delegate(reply, async move { rates.ask(|reply| Rates::Of(currency, reply)).await });
    ///         Ok(()) // and the next quote is begun before this one is there
    ///     }
    /// }
    /// ```
    pub fn delegate<T, F>(&mut self, reply: Reply<T>, answer: F)
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        frame::effect();
        frame::gives(&answer);
        let until = frame::deadline();
        // Refused only once the system shuts down and this actor ends: then the reply is dropped, and says so.
        drop(birth::start_delegate(&self.peer(), move |delegate| {
            reply.give_to(|| delegate);
            Anywhere(move || Delegate::new(answer, reply, until))
        }));
    }

    /// Says that this actor handles no requests until there is news of a child that it has begun to stop, and of every other
    /// of which it has said so: from then on a child that asks it, as it winds down, is told [`WouldDeadlock`](crate::AskError::WouldDeadlock) and does not wait.
    /// Call it before [`Context::stop_child`]. For starts there is [`StartOptions::awaited`](crate::StartOptions::awaited).
    ///
    /// Only for a minder that keeps requests it gets meanwhile, and answers them itself afterwards, as supervisors do. Nothing
    /// happens if the child has ended.
    pub fn waits_for(&mut self, child: &ActorRef) {
        self.extra().keeps_requests = true;
        if child.peer.is_same_cell(&self.cell.core) {
            return;
        }
        // Both at once: once the child does not live any more, the news of it may have been told, and would not end this
        // wait. If it lives, the news comes later and does.
        let (mut mine, its) = life::both(&self.cell.core, child.peer.cell.core());
        if its.is(child.peer.id()) {
            mine.ties().waits.begin(child.peer.id());
        }
    }

    /// As [`Context::waits_for`], of a child that has been asked to do something other than to end: whoever waits for itself by
    /// that from now on is told at once. Taken back by [`Context::waits_no_longer_for`].
    pub fn waits_for_work_of(&mut self, child: &ActorRef) {
        self.waits_for(child);
        waits::look(&self.any_cell(), Errand::Any, vec![Wait::Child(child.peer.cell.clone())]);
    }

    /// Says that this actor keeps a request and answers it later, and for whom it waits: for all of these children, if there
    /// are any; else with everything else that this actor does ([`Context::waits_for`]). Whoever asked, or anyone on the
    /// way, is told [`WouldDeadlock`](crate::AskError::WouldDeadlock) if it waits for itself by that, now or later. What was
    /// said before of the same request is forgotten. Nothing happens if no actor asked.
    ///
    /// Only for a minder that answers requests out of turn. Taken back by [`Context::keeps_no_longer`].
    pub fn keeps<'a, T: Send + 'static>(
        &mut self,
        reply: &Reply<T>,
        until: impl IntoIterator<Item = Until<'a>>,
    ) {
        let Some(slot) = reply.awaited_slot() else { return };
        let (me, errand) = (self.any_cell(), Errand::request(&slot));
        let (is_new, added) = waits::keep(&me, errand, Some(slot), until);
        if is_new {
            // Whatever else was given away in the handler that got it: this is here.
            reply.give_to(|| self.cell.weak());
        }
        waits::look(&me, errand, added);
    }

    /// Whether an actor of this system may have been told of a cycle since this was asked last, with the same number: only then
    /// somebody who keeps requests has to look whether [one of them](Reply::is_in_a_cycle) is on it. Begin with 0.
    pub fn has_cycles_since(&self, seen: &mut u32) -> bool {
        self.cell.core.system.told.has_more_than(seen)
    }

    /// The request is answered, or about to be.
    pub fn keeps_no_longer<T: Send + 'static>(&mut self, reply: &Reply<T>) {
        if let Some(slot) = reply.awaited_slot() {
            waits::forget(&self.cell.core, Errand::request(&slot));
        }
    }

    /// As [`Context::keeps`], of what its own minder waits for it to do ([`Context::waits_for_work_of`]).
    pub fn keeps_minder_waiting<'a>(&mut self, until: impl IntoIterator<Item = Until<'a>>) {
        let me = self.any_cell();
        let (_, added) = waits::keep(&me, Errand::OfMinder, None, until);
        waits::look(&me, Errand::OfMinder, added);
    }

    /// What its minder waited for is done.
    pub fn keeps_minder_waiting_no_longer(&mut self) {
        waits::forget(&self.cell.core, Errand::OfMinder);
    }

    fn any_cell(&self) -> Arc<dyn AnyCell> {
        self.cell.clone()
    }

    /// Takes [`Context::waits_for`] back for a child that had something to do for this actor and has done it, without an end
    /// or a start that there would be news of.
    pub fn waits_no_longer_for(&mut self, child: &ActorRef) {
        if let Some(ties) = self.cell.core.life().ties_if_any() {
            ties.waits.end(child.id());
        }
    }
}

/// Runs this without the deadline of the ask in hand: for work that is to be done although its asker has gone, such as
/// paying back what was charged in advance. The asks in it have their own deadlines only.
///
/// ```
/// # use minder_runtime::{Addr, AskError, Reply, without_deadline};
/// # struct Undo(Reply<()>);
/// # async fn undo(store: &Addr<Undo>) -> Result<(), AskError<Undo>> {
/// without_deadline(store.ask(Undo)).await
/// # }
/// ```
///
/// # Cancel safety
/// That of the future.
pub async fn without_deadline<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|cx| frame::under(None, || work.as_mut().poll(cx))).await
}
