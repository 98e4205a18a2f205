//! Hosts minder's actors.
//!
//! Everything hangs off a [`System`]. An [`Addr`] points at a seat, a [`Seat`] is the right to fill it, and an
//! incarnation is one life in it: an [`Actor`] value and its task, with a [`Context`] as its only door to the world.
//! Whoever starts an actor minds it and hears what becomes of it ([`Notice::Child`]). The runtime knows minders, never
//! supervisors: whatever a supervisor does, a user's own minder can do through this API.
//!
//! Where to start reading: `incarnation.rs` (one life), then `departure.rs` (its end) and `birth.rs` (its beginning).

mod actor;
mod addr;
mod ask;
mod birth;
mod blocking;
mod cell;
mod clock;
mod context;
mod deadlines;
mod departure;
mod events;
mod frame;
#[cfg(feature = "fault-injection")]
pub mod hooks;
mod incarnation;
mod life;
mod notice;
mod probe;
mod reply;
mod seat;
mod shutdown;
mod system;
mod timers;

pub use actor::{Actor, Handled, IntoActor, Winding};
pub use addr::{Addr, Recipient, TellError};
pub use birth::{ActorRef, Recipe, StartError, StartOptions};
pub use cell::{MailboxOptions, WhenFull};
pub use context::Context;
pub use events::{Event, Observer};
pub use minder_mailbox::Capacity;
pub use minder_signals::{ActorId, Down, Exit, ExitReason, Moment, MonitorId, PanicReport};
pub use notice::{ChildEvent, ChildNotice, Notice};
pub use reply::{AskError, Reply};
pub use seat::{Seat, SeatId};
pub use shutdown::{Level, ShutdownReport};
pub use system::{System, SystemBuilder, SystemError};
pub use timers::TimerId;
