//! Process groups, and an event bus, on the runtime's public API alone.
//!
//! A [`Group`] is many actors under one name that take the same messages: broadcast to all, send to one in turn, watch
//! who comes and goes. A [`Bus`] is for actors of any kind that are interested in the same events. A group's members are
//! *sent* messages, and who refuses is told to the sender; a bus's listeners *listen*, and who is slow is told itself.
//! How long groups last is said at [`Groups`].
//!
//! ```
//! use minder_groups::{Groups, Group};
//! use minder_runtime::{Actor, Context, Handled, Reply, System};
//!
//! struct Worker(Group<Job>);
//!
//! enum Job {
//!     Double(u32, Reply<u32>),
//! }
//!
//! impl Actor for Worker {
//!     type Msg = Job;
//!
//!     async fn started(&mut self, context: &mut Context<Job>) -> Handled {
//!         self.0.join(context)?; // for this life; the next one joins again
//!         Ok(())
//!     }
//!
//!     async fn handle(&mut self, Job::Double(number, reply): Job, _: &mut Context<Job>) -> Handled {
//!         drop(reply.send(2 * number));
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let system = System::new()?;
//! let (groups, seat) = Groups::new(&system);
//! // In a tree: `.child(actor_in("groups", seat, groups.keeper()))`, before those who join.
//! system.start(seat, "groups", groups.keeper()).await?;
//!
//! let workers = groups.group::<Job>("workers");
//! let watch = workers.watch();
//! for _ in 0..3 {
//!     let group = workers.clone();
//!     system.spawn(move || Worker(group))?;
//! }
//! for _ in 0..4 {
//!     watch.next().await; // nobody; then one after the other joins
//! }
//! let worker = workers.pick().expect("three have joined");
//! assert_eq!(worker.address().ask(|reply| Job::Double(21, reply)).await?, 42);
//! assert_eq!(workers.members().len(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! An actor listens to a bus by a message of its own:
//!
//! ```
//! use minder_groups::{Bus, Delivery, Heard};
//! use minder_runtime::{Actor, Context, Handled, Reply, System};
//!
//! struct PriceChanged(u64);
//!
//! struct Shop {
//!     prices: Bus<PriceChanged>,
//!     price: u64,
//! }
//!
//! enum Msg {
//!     Heard(Delivery<Heard<PriceChanged>>),
//!     Price(Reply<u64>),
//! }
//!
//! impl From<Delivery<Heard<PriceChanged>>> for Msg {
//!     fn from(delivery: Delivery<Heard<PriceChanged>>) -> Self {
//!         Self::Heard(delivery)
//!     }
//! }
//!
//! impl Actor for Shop {
//!     type Msg = Msg;
//!
//!     async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
//!         self.prices.listen(100).deliver_to(context)?;
//!         Ok(())
//!     }
//!
//!     async fn handle(&mut self, message: Msg, _: &mut Context<Msg>) -> Handled {
//!         match message {
//!             Msg::Heard(delivery) => match &*delivery {
//!                 Heard::Event(changed) => self.price = changed.0,
//!                 Heard::Lagged(missed) => eprintln!("{missed} prices missed; the next one is newer"),
//!             },
//!             Msg::Price(reply) => drop(reply.send(self.price)),
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let system = System::new()?;
//! let prices = Bus::new();
//! let bus = prices.clone();
//! let shop = system.spawn(move || Shop { prices: bus, price: 0 })?;
//! assert_eq!(shop.ask(Msg::Price).await?, 0);
//! assert_eq!(prices.publish(PriceChanged(999)), 1);
//! while shop.ask(Msg::Price).await? != 999 {}
//! # Ok(())
//! # }
//! ```
//!
//! Where to start reading: `table.rs` (what is known of the groups) and `keeper.rs` (how the dead leave); `bus.rs` and
//! `delivery.rs` (how events reach an actor).

mod bus;
mod delivery;
mod feed;
mod group;
mod groups;
mod keeper;
mod listener;
mod member;
mod receipt;
mod roll;
mod scope;
mod table;
mod watch;

pub use bus::{Bus, HeardBy};
pub use delivery::{Delivering, Delivery};
pub use feed::GroupEvent;
pub use group::{Broadcast, Group, JoinError, NotJoined, Refused, TellOneError};
pub use groups::{Groups, Membership};
pub use keeper::{Keeper, KeeperMsg, WrongSeat};
pub use listener::{Heard, Listener};
pub use member::{Member, Tenure};
pub use minder_runtime::Why;
pub use watch::Watch;
