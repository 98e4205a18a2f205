//! What a machine answers to an event, to an enter call and to its start: values, carried out when the call has returned.
//! Each kind has the actions that make sense in it and no others, so that an enter call cannot change the state.

use std::fmt;

use minder_runtime::{ExitReason, Reply};

use crate::discipline::{Setting, Settings};
use crate::machine::StateMachine;
use crate::not_taken::name_of;
use crate::timeout::{Timeout, When};

/// What becomes of the state.
pub(crate) enum To<S> {
    Keep,
    Next(S),
    Repeat,
    Stop(ExitReason),
    /// By the event's name.
    NotTaken(String),
}

/// What an event has come to: [`keep`], [`next`], [`repeat`], [`stop`] or [`not_taken`], and actions.
#[must_use = "a transition does nothing until it is returned"]
pub struct Transition<M: StateMachine> {
    pub(crate) to: To<M::State>,
    pub(crate) postponed: Option<M::Event>,
    pub(crate) inserted: Vec<M::Event>,
    pub(crate) actions: Actions<M>,
}

/// What an enter call has come to: [`entered`], and actions. Neither another state nor events, by type:
///
/// ```compile_fail
/// # use minder_statem::{Entered, StateMachine, entered};
/// fn enter<M: StateMachine>(event: M::Event) -> Entered<M> {
///     entered().insert(event) // nor `postpone`
/// }
/// ```
/// ```compile_fail
/// # use minder_statem::{Entered, StateMachine, next};
/// fn enter<M: StateMachine>(state: M::State) -> Entered<M> {
///     next(state)
/// }
/// ```
#[must_use = "it does nothing until it is returned"]
pub struct Entered<M: StateMachine> {
    pub(crate) actions: Actions<M>,
}

/// The first state: [`start`], and actions.
#[must_use = "it does nothing until it is returned"]
pub struct Start<M: StateMachine> {
    pub(crate) state: M::State,
    pub(crate) inserted: Vec<M::Event>,
    pub(crate) actions: Actions<M>,
}

/// What may be done in every call.
pub(crate) struct Actions<M: StateMachine> {
    /// Boxed, since answers have any type.
    pub(crate) replies: Vec<Box<dyn FnOnce() + Send>>,
    pub(crate) timeouts: Settings<M::Name, M::Event>,
}

impl<M: StateMachine> Default for Actions<M> {
    fn default() -> Self {
        Self { replies: Vec::new(), timeouts: Vec::new() }
    }
}

impl<M: StateMachine> Transition<M> {
    fn to(to: To<M::State>) -> Self {
        Self { to, postponed: None, inserted: Vec::new(), actions: Actions::default() }
    }
}

/// The state stays as it is, and so does its time-out.
pub fn keep<M: StateMachine>() -> Transition<M> {
    Transition::to(To::Keep)
}

/// This is the state now. It *changes* if it differs from the one before; if it is equal, this is [`keep`].
///
/// On a change the state time-out is cancelled, the state's enter call is made, and what was postponed is handled again.
pub fn next<M: StateMachine>(state: M::State) -> Transition<M> {
    Transition::to(To::Next(state))
}

/// The state is entered once more: as [`keep`], with an enter call.
///
/// # OTP
/// `repeat_state`: no change, so postponed events stay postponed and the state time-out goes on.
pub fn repeat<M: StateMachine>() -> Transition<M> {
    Transition::to(To::Repeat)
}

/// The machine ends for this reason, in order. Replies are sent before it cleans up; a postponed event is left to the
/// next life; what it inserts, and time-outs, come to nothing.
///
/// # OTP
/// `stop`, and `stop_and_reply` with [`Transition::reply`].
pub fn stop<M: StateMachine>(reason: impl Into<ExitReason>) -> Transition<M> {
    Transition::to(To::Stop(reason.into()))
}

/// The event is not taken in this state: a crash that names both, as [`NotTaken`](crate::NotTaken). For the arm of a match
/// that nothing should come to.
///
/// # OTP
/// `function_clause`.
pub fn not_taken<M: StateMachine>(event: M::Event) -> Transition<M> {
    Transition::to(To::NotTaken(name_of(&event)))
}

/// The state is entered, and that is all.
pub fn entered<M: StateMachine>() -> Entered<M> {
    Entered { actions: Actions::default() }
}

/// The machine starts in this state.
pub fn start<M: StateMachine>(state: M::State) -> Start<M> {
    Start { state, inserted: Vec::new(), actions: Actions::default() }
}

/// The actions of every call.
macro_rules! actions {
    ($call:ident) => {
        impl<M: StateMachine> $call<M> {
            /// Sets the state time-out: this event, unless the state changes before. If the state changes now, it is the
            /// new state's.
            pub fn state_timeout(self, when: impl Into<When>, event: M::Event) -> Self {
                self.set(Timeout::State, Setting::Start(when.into(), event))
            }

            /// Sets the event time-out: this event, unless any other comes before.
            pub fn event_timeout(self, when: impl Into<When>, event: M::Event) -> Self {
                self.set(Timeout::Event, Setting::Start(when.into(), event))
            }

            /// Sets the time-out of this name: this event, whatever happens before.
            pub fn timeout(self, name: M::Name, when: impl Into<When>, event: M::Event) -> Self {
                self.set(Timeout::Named(name), Setting::Start(when.into(), event))
            }

            /// Gives a running time-out another event and leaves its time alone. If it does not run, the event comes at
            /// once.
            pub fn update(self, timeout: Timeout<M::Name>, event: M::Event) -> Self {
                self.set(timeout, Setting::Update(event))
            }

            /// Cancels a time-out, if it runs.
            pub fn cancel(self, timeout: Timeout<M::Name>) -> Self {
                self.set(timeout, Setting::Cancel)
            }

            /// Answers. Done when the call has returned, before anything else of it, and before the machine cleans up.
            pub fn reply<T: Send + 'static>(mut self, reply: Reply<T>, answer: T) -> Self {
                // Nobody waits for it any more: fine.
                self.actions.replies.push(Box::new(move || drop(reply.send(answer))));
                self
            }

            fn set(mut self, timeout: Timeout<M::Name>, setting: Setting<M::Event>) -> Self {
                self.actions.timeouts.push((timeout, setting));
                self
            }
        }
    };
}

actions!(Transition);
actions!(Entered);
actions!(Start);

/// Inserting events.
macro_rules! insert {
    ($call:ident) => {
        impl<M: StateMachine> $call<M> {
            /// Inserts an event: handled next, before postponed ones and before everything in the mailbox; of several, in
            /// the order of these calls. It is part of this life alone.
            ///
            /// # OTP
            /// `next_event`.
            pub fn insert(mut self, event: M::Event) -> Self {
                self.inserted.push(event);
                self
            }
        }
    };
}

insert!(Transition);
insert!(Start);

impl<M: StateMachine> Transition<M> {
    /// The event cannot be handled in this state: it comes again when the state has changed, before everything that
    /// arrived later. If that is now, at once.
    ///
    /// It stays in the mailbox meanwhile, where it counts against the bound; a question whose asker is gone by then is
    /// skipped; and if the machine ends, it waits for the next life. An event of the machine's own (inserted, of a time-out
    /// or a notice) ends with this life.
    ///
    /// # OTP
    /// `postpone`.
    pub fn postpone(mut self, event: M::Event) -> Self {
        self.postponed = Some(event);
        self
    }
}

impl<M: StateMachine> fmt::Debug for Transition<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to: &dyn fmt::Debug = match &self.to {
            To::Keep => &"keep",
            To::Next(state) => state,
            To::Repeat => &"repeat",
            To::Stop(reason) => reason,
            To::NotTaken(event) => event,
        };
        write!(f, "Transition({to:?})")
    }
}

impl<M: StateMachine> fmt::Debug for Entered<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entered")
    }
}

impl<M: StateMachine> fmt::Debug for Start<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Start({:?})", self.state)
    }
}
