//! The end that an actor asks for itself, and the answers that are given with it: after the clean-up, so that whoever gets
//! one may rely on that.
//! When they are given is departure's to decide; what is answered before the end is asked for goes at once.

use std::sync::{Arc, Weak};

use minder_signals::ExitReason;

use crate::context::Context;
use crate::frame;
use crate::life::AnyCell;
use crate::reply::Reply;

/// What an actor has asked for.
pub(crate) struct Ending<M> {
    pub(crate) reason: ExitReason,
    withheld: Vec<Withheld<M>>,
}

/// Settles an answer.
pub(crate) type Withheld<M> = Box<dyn FnOnce(&Context<M>, Settle) + Send>;

/// What becomes of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settle {
    /// The actor has cleaned up.
    Give,
    /// It has not: the asker is told why, and an error in the answer is one that reached nobody.
    Refuse,
}

impl<M: Send + 'static> Context<M> {
    /// Ends this actor, in order, after the message in hand. The first reason counts.
    ///
    /// # Ordering
    /// What a method of an `#[actor]` returns, once it has called this, is given to the asker when the actor has cleaned up, as
    /// by [`Context::stop_then_reply`]. What is sent through a [`Reply`] is there at once.
    ///
    /// # OTP
    /// `{stop, Reason, NewState}`, and with what a method returns `{stop, Reason, Reply, NewState}`.
    pub fn stop(&mut self, reason: ExitReason) {
        self.ending(reason);
    }

    /// Ends this actor as [`Context::stop`] does, and answers then: whoever asked learns that it has cleaned up, and not only
    /// that it will.
    ///
    /// The answer is given also if [`stopping`](crate::Actor::stopping) panics. If that is cut short, by a kill or the
    /// handler's limit, or does not come to run, the asker is told [`AskError::Crashed`](crate::AskError::Crashed) instead. Until
    /// then it waits for this actor, within its deadline; asking it back in `stopping` is
    /// [`WouldDeadlock`](crate::AskError::WouldDeadlock).
    ///
    /// # Ordering
    /// After `stopping`, the drop of the actor and the end of its jobs and blocking closures; before anybody hears of the end.
    /// Seat and name are free when that is heard ([`Addr::ended`](crate::Addr::ended), a monitor), and not yet with the answer.
    ///
    /// # OTP
    /// `{stop, Reason, Reply, NewState}`. For an answer before the clean-up, which is `stop_and_reply` of `gen_statem`, send the
    /// reply and stop.
    ///
    /// ```
    /// use minder_runtime::{Actor, Context, ExitReason, Handled, Reply};
    ///
    /// struct Journal(Vec<String>);
    ///
    /// enum Msg {
    ///     Note(String),
    ///     Close(Reply<usize>),
    /// }
    ///
    /// impl Actor for Journal {
    ///     type Msg = Msg;
    ///
    ///     async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
    ///         match message {
    ///             Msg::Note(line) => self.0.push(line),
    ///             Msg::Close(reply) => context.stop_then_reply(ExitReason::Normal, reply, self.0.len()),
    ///         }
    ///         Ok(())
    ///     }
    ///
    ///     async fn stopping(&mut self, _: &ExitReason, _: &mut Context<Msg>) {
    ///         // Writes them down, and whoever waits for `Close` may read them afterwards.
    ///     }
    /// }
    /// ```
    pub fn stop_then_reply<T: Send + 'static>(&mut self, reason: ExitReason, reply: Reply<T>, value: T) {
        self.ending(reason);
        self.withhold(reply, value, |_, _| {});
    }

    /// Answers: at once, or at the end if that has been asked for. `unheard` is given what reached nobody.
    #[inline]
    pub(crate) fn answer<T: Send + 'static>(
        &mut self,
        reply: Reply<T>,
        value: T,
        unheard: impl FnOnce(&Self, T) + Send + 'static,
    ) {
        // What nobody waits for is not kept: it is told at once that it reached nobody.
        if self.ending.is_some() && !reply.is_abandoned() {
            self.withhold(reply, value, unheard);
        } else if let Err(value) = reply.send(value) {
            unheard(self, value);
        }
    }

    #[cold]
    fn withhold<T: Send + 'static>(
        &mut self,
        reply: Reply<T>,
        value: T,
        unheard: impl FnOnce(&Self, T) + Send + 'static,
    ) {
        // From here on it is known who will answer, wherever the reply has been: the clean-up must not wait for the asker.
        reply.give_to(|| Arc::downgrade(&self.cell) as Weak<dyn AnyCell>);
        let settle = |context: &Self, how| {
            let sent = match how {
                Settle::Give => reply.send(value),
                Settle::Refuse => {
                    drop(reply);
                    Err(value)
                }
            };
            if let Err(value) = sent {
                unheard(context, value);
            }
        };
        self.ending.as_mut().expect("an answer is withheld for an end").withheld.push(Box::new(settle));
    }

    fn ending(&mut self, reason: ExitReason) -> &mut Ending<M> {
        self.ending.get_or_insert_with(|| Box::new(Ending { reason, withheld: Vec::new() }))
    }

    /// The answers that wait for the end.
    pub(crate) fn take_withheld(&mut self) -> Vec<Withheld<M>> {
        self.ending.take().map_or_else(Vec::new, |ending| ending.withheld)
    }
}

/// Settles the answers, one by one. Returns the texts of panics in the drop of those that reach nobody.
pub(crate) fn settle<M: Send + 'static>(
    context: &Context<M>,
    answers: Vec<Withheld<M>>,
    how: Settle,
) -> Option<String> {
    let each = answers.into_iter().map(|answer| move || answer(context, how));
    frame::run_each_caught(context.cell.core.address(), each)
}
