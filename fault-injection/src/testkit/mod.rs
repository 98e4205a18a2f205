//! The test kit: a test of actors as few lines, in simulated time, with faults of one's own.
//!
//! ```
//! use minder::prelude::*;
//! use minder_fault_injection::testkit::Kit;
//!
//! #[derive(Default)]
//! struct Counter(u64);
//!
//! enum Msg {
//!     Add(u64),
//!     Read(Reply<u64>),
//! }
//!
//! impl Actor for Counter {
//!     type Msg = Msg;
//!     async fn handle(&mut self, message: Msg, _: &mut Context<Msg>) -> Handled {
//!         match message {
//!             Msg::Add(n) => self.0 += n,
//!             Msg::Read(reply) => drop(reply.send(self.0)),
//!         }
//!         Ok(())
//!     }
//! }
//!
//! #[minder_fault_injection::test]
//! async fn counter_starts_again(kit: Kit) {
//!     let counter = kit.supervise("counter", Counter::default).await;
//!     kit.crash(&counter).await;
//!     assert_eq!(kit.generation(&counter), 2);
//! }
//!
//! #[minder_fault_injection::test(seeds = 100)]
//! async fn a_crash_forgets_what_was_counted(kit: Kit) {
//!     let counter = kit.supervise("counter", Counter::default).await;
//!     counter.tell(Msg::Add(5)).expect("there is room");
//!     kit.settle().await; // or the crash overtakes the message, which then waits for the next life
//!     kit.crash("app/counter").await;
//!     assert_eq!(counter.ask(Msg::Read).await.expect("it answers"), 0);
//! }
//! # fn main() {
//! #     use minder_fault_injection::testkit::Trial;
//! #     Trial::named("one").seeds(10).run(|kit| async move {
//! #         let counter = kit.supervise("counter", Counter::default).await;
//! #         counter.tell(Msg::Add(5)).expect("there is room");
//! #         kit.settle().await;
//! #         kit.crash("app/counter").await;
//! #         assert_eq!(kit.generation(&counter), 2);
//! #         assert_eq!(counter.ask(Msg::Read).await.expect("it answers"), 0);
//! #     });
//! # }
//! ```
//!
//! What the world outside is to do is played by a [`Probe`]:
//!
//! ```
//! use minder::prelude::*;
//! use minder_fault_injection::testkit::Trial;
//!
//! /// Asks the ledger before it says yes.
//! struct Till {
//!     ledger: Addr<Reply<u64>>,
//! }
//!
//! impl Actor for Till {
//!     type Msg = Reply<bool>;
//!     async fn handle(&mut self, reply: Reply<bool>, _: &mut Context<Self::Msg>) -> Handled {
//!         let balance = self.ledger.ask(|reply| reply).await?;
//!         drop(reply.send(balance > 0));
//!         Ok(())
//!     }
//! }
//!
//! Trial::named("the till asks the ledger").run(|kit| async move {
//!     let mut ledger = kit.probe::<Reply<u64>>("ledger").await;
//!     ledger.answers_once(|reply| { drop(reply.send(7)); None });
//!     let address = ledger.address().clone();
//!     let till = kit.supervise("till", move || Till { ledger: address.clone() }).await;
//!     assert_eq!(till.ask(|reply| reply).await.ok(), Some(true));
//! });
//! ```
//!
//! At the end of a test everybody is stopped. A test fails if somebody does not stop, does not stop cleanly, or is left
//! over; it says who, and tells what happened.
//!
//! # When not to use this
//! For what a test runs in real time, on several threads, or with a disk: use the runtime itself, and an
//! [`Injector`](crate::Injector).

mod kit;
mod probe;
mod trial;
mod verdict;
mod whom;

pub use kit::Kit;
pub use probe::Probe;
pub use trial::{Failure, Passed, Trial};
pub use verdict::Verdict;
pub use whom::Whom;
