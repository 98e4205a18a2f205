//! What a user writes: the data, the states, the events, and what they come to.

use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;

use minder_runtime::{Context, ExitReason, Notice, Winding};

use crate::transition::{Entered, Start, Transition, entered};

/// A state machine: the struct is its data, built anew by a factory at every start; [`machine`](crate::machine) makes an
/// actor of it.
///
/// Implement the asynchronous methods as plain `async fn`. An `Err` from any of them, which every error becomes with `?`,
/// ends this life with that reason, as does a panic.
///
/// # Cancel safety
/// As [`Actor`](minder_runtime::Actor): a kill drops the call's future at its next await. A call is carried out when it has
/// returned, so that nothing is done by halves.
///
/// # OTP
/// `gen_statem` with `handle_event_function` and `state_enter`. Its other style, a function for each state, is a `match`
/// on the state that calls a method for each.
pub trait StateMachine: Send + Sized + 'static {
    /// Its states: an enum, as a rule. A state changes when the new one is not equal to the old one, so what is in it
    /// belongs to the state, and what is not to change it belongs to the data.
    type State: PartialEq + Debug + Send + Sync + 'static;

    /// What happens to it: the messages that it takes, and the events of its own time-outs.
    type Event: Debug + Send + 'static;

    /// The names of its named time-outs: an enum, or `()` for one that has none, or one.
    type Name: Clone + Eq + Hash + Debug + Send + Sync + 'static;

    /// Runs once: the first state, whose enter call is made next, and what is to happen first. The start is acknowledged
    /// after both.
    fn init(
        &mut self,
        context: &mut Context<Self::Event>,
    ) -> impl Future<Output = Result<Start<Self>, ExitReason>> + Send;

    /// An event, and what it comes to in this state.
    fn handle(
        &mut self,
        state: &Self::State,
        event: Self::Event,
        context: &mut Context<Self::Event>,
    ) -> impl Future<Output = Result<Transition<Self>, ExitReason>> + Send;

    /// The state has changed, or is repeated, or is the first; then both are the same. Runs before any event is handled
    /// in it.
    fn enter(
        &mut self,
        from: &Self::State,
        state: &Self::State,
        context: &mut Context<Self::Event>,
    ) -> impl Future<Output = Result<Entered<Self>, ExitReason>> + Send {
        let _ = (from, state, context);
        async { Ok(entered()) }
    }

    /// Makes an event of what happened to actors it is linked to, watches or minds; none if it is of no interest. `Err`
    /// gives the notice back: it is not taken, which is a crash.
    ///
    /// Unless implemented, news of children are of no interest, and everything else is not taken: it comes only to who
    /// has asked for it.
    ///
    /// # Errors
    /// The notice.
    fn notice(&self, notice: Notice) -> Result<Option<Self::Event>, Notice> {
        match notice {
            Notice::Child(_) => Ok(None),
            other => Err(other),
        }
    }

    /// Declares an event idempotent: see [`Actor::redelivery`](minder_runtime::Actor::redelivery).
    fn redelivery(event: &Self::Event) -> Option<Self::Event> {
        let _ = event;
        None
    }

    /// Its minder asked it to stop, and it traps exits: see
    /// [`Actor::stop_requested`](minder_runtime::Actor::stop_requested). One that has something to wind down tells itself
    /// so by an event.
    fn stop_requested(
        &mut self,
        state: &Self::State,
        reason: &ExitReason,
        context: &mut Context<Self::Event>,
    ) -> Winding {
        let _ = (state, reason, context);
        Winding::Done
    }

    /// What [`Sys::status`](minder_runtime::Sys::status) shows: the state by its `Debug`, unless implemented. Leave out of it
    /// what an operator should not see.
    ///
    /// # OTP
    /// `format_status/1`.
    fn format_status(&self, state: &Self::State) -> Option<String> {
        Some(format!("{state:?}"))
    }

    /// Cleans up: see [`Actor::stopping`](minder_runtime::Actor::stopping).
    fn stopping(
        &mut self,
        state: &Self::State,
        reason: &ExitReason,
        context: &mut Context<Self::Event>,
    ) -> impl Future<Output = ()> + Send {
        let _ = (state, reason, context);
        async {}
    }
}
