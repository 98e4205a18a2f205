//! Actors under supervision, with OTP's restart strategies, links and monitors.
//!
//! The methods of an actor are its messages (see [`macro@actor`]):
//!
//! ```
//! use minder::prelude::*;
//!
//! struct Counter(u64);
//!
//! #[actor]
//! impl Counter {
//!     fn add(&mut self, n: u64) {
//!         self.0 += n;
//!     }
//!     fn read(&self) -> u64 {
//!         self.0
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let counter = System::new()?.spawn(|| Counter(0))?;
//! counter.add(5).tell()?;
//! assert_eq!(counter.read().await?, 5);
//! # Ok(())
//! # }
//! ```
//!
//! Or one writes the messages by hand. Under a supervisor, an actor that crashes is started again, and its address stays
//! good:
//!
//! ```
//! use std::time::Duration;
//! use minder::prelude::*;
//!
//! struct Greeter;
//!
//! enum Msg {
//!     Greet(&'static str, Reply<String>),
//! }
//!
//! impl Actor for Greeter {
//!     type Msg = Msg;
//!
//!     async fn handle(&mut self, Msg::Greet(name, reply): Msg, _: &mut Context<Msg>) -> Handled {
//!         assert!(!name.is_empty(), "nobody to greet"); // a panic here is an exit reason, and a restart
//!         drop(reply.send(format!("hello, {name}")));
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let system = System::new()?;
//! let (greeter, seat) = system.address();
//! let tree = one_for_one().limit(3, Duration::from_secs(5)).child(actor_in("greeter", seat, || Greeter));
//! tree.start(&system, "hello").await?;
//!
//! let crash = greeter.ask(|reply| Msg::Greet("", reply)).await;
//! assert!(matches!(crash, Err(AskError::Crashed(_))));
//! // The address is still good: somebody else sits behind it now.
//! assert_eq!(greeter.ask(|reply| Msg::Greet("world", reply)).await?, "hello, world");
//! assert!(system.shutdown(Duration::from_secs(5)).await.is_clean());
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "os-signals")]
pub mod os;

/// Process groups, and an event bus. Their keeper is a child like any other, before those who join:
///
/// ```
/// use minder::groups::{Group, Groups};
/// use minder::prelude::*;
///
/// struct Cache(Group<Clear>);
///
/// #[derive(Clone)]
/// struct Clear;
///
/// impl Actor for Cache {
///     type Msg = Clear;
///
///     async fn started(&mut self, context: &mut Context<Clear>) -> Handled {
///         self.0.join(context)?; // for this life; a restarted cache joins again
///         Ok(())
///     }
///
///     async fn handle(&mut self, Clear: Clear, _: &mut Context<Clear>) -> Handled {
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new()?;
/// let (groups, keeper) = Groups::new(&system);
/// let caches = groups.group("caches");
/// let (near, far) = (caches.clone(), caches.clone());
/// let tree = one_for_one()
///     .child(actor_in("groups", keeper, groups.keeper()))
///     .child(actor("near", move || Cache(near.clone())))
///     .child(actor("far", move || Cache(far.clone())));
/// tree.start(&system, "service").await?;
///
/// let broadcast = caches.broadcast(&Clear);
/// assert_eq!((broadcast.told, broadcast.refused.len()), (2, 0));
/// # Ok(())
/// # }
/// ```
///
/// These groups outlive whatever crashes. Groups that shall begin empty when a part of the tree is restarted, as OTP's do, are
/// made by the code that makes that part, at each start anew:
///
/// ```
/// use minder::groups::Groups;
/// use minder::prelude::*;
/// use minder::supervisors::{Supervisor, tree_from};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new()?;
/// let its = system.clone();
/// let chat = tree_from("chat", move || {
///     let (groups, keeper) = Groups::new(&its);
///     // Those below look them up: `context.service::<Groups>()`.
///     Supervisor::new(&one_for_one().offer(groups.clone()).child(actor_in("groups", keeper, groups.keeper())))
/// });
/// one_for_one().child(chat).start(&system, "service").await?;
/// # Ok(())
/// # }
/// ```
pub use minder_groups as groups;
#[doc = include_str!("actor.md")]
pub use minder_macros::actor;
pub use minder_runtime::*;
pub use minder_state as state;
/// State machines. One is a child like any other:
///
/// ```
/// use std::time::Duration;
/// use minder::prelude::*;
/// use minder::statem::{Start, StateMachine, Transition, keep, machine, next, start};
///
/// /// Opens when somebody has paid; closes behind one who walks through, or after a while.
/// struct Turnstile;
///
/// #[derive(Debug, PartialEq)]
/// enum State {
///     Locked,
///     Open,
/// }
///
/// #[derive(Debug)]
/// enum Event {
///     Coin,
///     Push(Reply<()>),
///     Tired,
/// }
///
/// impl StateMachine for Turnstile {
///     type State = State;
///     type Event = Event;
///     type Name = ();
///
///     async fn init(&mut self, _: &mut Context<Event>) -> Result<Start<Self>, ExitReason> {
///         Ok(start(State::Locked))
///     }
///
///     async fn handle(
///         &mut self,
///         state: &State,
///         event: Event,
///         _: &mut Context<Event>,
///     ) -> Result<Transition<Self>, ExitReason> {
///         Ok(match (state, event) {
///             (_, Event::Coin) => next(State::Open).state_timeout(Duration::from_secs(60), Event::Tired),
///             (State::Locked, event @ Event::Push(_)) => keep().postpone(event), // waits for a coin
///             (State::Open, Event::Push(reply)) => next(State::Locked).reply(reply, ()),
///             (_, Event::Tired) => next(State::Locked),
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new()?;
/// let (turnstile, seat) = system.address();
/// let tree = one_for_one().child(actor_in("turnstile", seat, || machine(Turnstile)));
/// tree.start(&system, "station").await?;
///
/// let push = turnstile.ask(Event::Push);
/// turnstile.tell(Event::Coin)?;
/// push.await?;
/// # Ok(())
/// # }
/// ```
pub use minder_statem as statem;
pub use minder_supervisors as supervisors;

/// What most programs need.
pub mod prelude {
    pub use minder_macros::actor;
    pub use minder_runtime::{
        Actor, Addr, AskError, CallError, Context, ExitReason, Handled, LocalActor, Notice, Reply, Seat,
        System, TellError,
    };
    pub use minder_supervisors::{
        Child, Restart, Root, Shutdown, Spec, Template, actor, actor_in, by_needs, dynamic, dynamic_children,
        local_actor, local_actor_in, one_for_all, one_for_one, rest_for_one, task, template, tree,
    };
}
