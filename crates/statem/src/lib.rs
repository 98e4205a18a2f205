//! State machines with what OTP's `gen_statem` promises, as minder's actors, on the runtime's public API alone.
//!
//! A machine is a struct, its data; its states are an enum, its events another, and each event comes to a
//! [`Transition`]: where to, and what to do. For everybody else it is an actor: it has an [`Addr`](minder_runtime::Addr) of
//! its events, is asked and answers, and crashes and is restarted under a supervisor like any other.
//!
//! ```
//! use std::time::Duration;
//! use minder_runtime::{Context, ExitReason, Reply, System};
//! use minder_statem::{Entered, Start, StateMachine, Transition, entered, keep, machine, next, start};
//!
//! struct Light;
//!
//! #[derive(Debug, PartialEq)]
//! enum State {
//!     Red,
//!     Green,
//! }
//!
//! #[derive(Debug)]
//! enum Event {
//!     /// A pedestrian wants to cross, and is answered when she may.
//!     Button(Reply<&'static str>),
//!     Turn,
//! }
//!
//! impl StateMachine for Light {
//!     type State = State;
//!     type Event = Event;
//!     type Name = (); // of its named time-outs: it has none
//!
//!     async fn init(&mut self, _: &mut Context<Event>) -> Result<Start<Self>, ExitReason> {
//!         Ok(start(State::Green))
//!     }
//!
//!     async fn enter(&mut self, _: &State, state: &State, _: &mut Context<Event>) -> Result<Entered<Self>, ExitReason> {
//!         let time = match state {
//!             State::Green => Duration::from_millis(30),
//!             State::Red => Duration::from_millis(20),
//!         };
//!         Ok(entered().state_timeout(time, Event::Turn))
//!     }
//!
//!     async fn handle(
//!         &mut self,
//!         state: &State,
//!         event: Event,
//!         _: &mut Context<Event>,
//!     ) -> Result<Transition<Self>, ExitReason> {
//!         Ok(match (state, event) {
//!             (State::Green, Event::Turn) => next(State::Red),
//!             (State::Red, Event::Turn) => next(State::Green),
//!             // Not now: it comes again when the cars have red.
//!             (State::Green, event @ Event::Button(_)) => keep().postpone(event),
//!             (State::Red, Event::Button(reply)) => keep().reply(reply, "walk"),
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let system = System::new()?;
//! let light = system.spawn(|| machine(Light))?;
//! assert_eq!(light.ask(Event::Button).await?, "walk");
//! # Ok(())
//! # }
//! ```
//!
//! # Which event comes next
//! 1. Inserted events, in the order of the list.
//! 2. After a change of state, those that were postponed, in order of arrival.
//! 3. Time-outs of zero, in the order in which they were set.
//! 4. What has arrived: messages, notices, time-outs, in order of arrival.
//!
//! # A crash
//! Each event is a message of its own: a crash is charged to the event that caused it, and to no other. Postponed events
//! are as good as never taken out: the next life finds them at the head of its mailbox, in order, or they are purged or given
//! back with the rest of it. Inserted events, time-outs and the state itself end with the life; the next one begins with
//! `init`.
//!
//! # What of `gen_statem` is not here
//!
//! | row | what | why |
//! |---|---|---|
//! | STM-021 | a call waits without limit by default | every ask has a deadline here: 5 seconds unless said otherwise |
//! | STM-022 | cleaning up after a raised error | not after a panic, whose state is not to be trusted; after an `Err` it does |
//! | STM-023 | sys requests, suspend and resume | the runtime's, for every actor, in its control lane; orders are obeyed between any two events |
//! | STM-024 | one function for each state | `match state { State::Red => self.red(event), … }` is that |
//! | STM-025 | change, push and pop the callback module | types are not changed at run time: hold the machines as variants of one enum and forward |
//! | STM-027 | hibernate, code_change | nothing to free, nothing to reload |
//!
//! # When not to use this
//! For an actor whose messages mean the same at all times, write an [`Actor`](minder_runtime::Actor). One that merely has to
//! put some messages off can do with [`Context::postpone`](minder_runtime::Context::postpone).
//!
//! Where to start reading: `discipline.rs` (which event, which time-outs), then `host.rs` (the actor that does it).

mod discipline;
mod host;
mod machine;
mod not_taken;
mod timeout;
mod transition;
mod window;

pub use host::{Machine, machine};
pub use machine::StateMachine;
pub use not_taken::NotTaken;
pub use timeout::{Timeout, When};
pub use transition::{Entered, Start, Transition, entered, keep, next, not_taken, repeat, start, stop};
pub use window::{Status, Window};
