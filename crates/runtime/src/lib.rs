//! Hosts minder's actors.
//!
//! Everything hangs off a [`System`]. An [`Addr`] points at a seat, a [`Seat`] is the right to fill it, and an
//! incarnation is one life in it: an [`Actor`] value and its task, with a [`Context`] as its only door to the world.
//! Whoever starts an actor minds it and hears what becomes of it ([`Notice::Child`]). The runtime knows minders, never
//! supervisors: whatever a supervisor does, a user's own minder can do through this API.
//!
//! Where to start reading: `incarnation.rs` (one life), then `departure.rs` (its end) and `birth.rs` (its beginning).

mod actor;
mod actor_ref;
mod addr;
mod alias;
mod ask;
mod asking;
mod attend;
mod beside;
mod birth;
mod blocking;
mod blocking_ask;
mod call;
mod cell;
mod census;
mod clock;
mod companions;
mod context;
mod crash_report;
mod cycle;
mod deadlines;
mod debugging;
mod delegate;
mod departure;
mod desk;
mod directory;
mod directory_watch;
mod ending;
mod events;
mod exits;
#[doc(hidden)]
pub mod expansion;
mod frame;
#[cfg(feature = "fault-injection")]
pub mod hooks;
#[cfg(feature = "fault-injection")]
pub mod host;
#[cfg(not(feature = "fault-injection"))]
mod host;
mod hosted;
mod incarnation;
mod jobs;
mod keepsake;
mod later;
mod letters;
mod life;
mod local;
mod local_host;
mod long_mailboxes;
mod many;
mod names;
mod notice;
mod pin;
mod postponed;
mod priority;
mod probe;
mod readiness;
mod receive;
mod recipient;
mod redelivery;
mod registry;
mod reply;
mod revocation;
mod room;
mod seat;
mod send;
mod services;
mod shutdown;
mod start_error;
mod streams;
mod sys;
mod system;
mod tied;
mod timeouts;
mod timers;
mod unheard;
mod unique;
mod waits;
mod watchdog;
mod why;
mod within;

pub use actor::{Actor, Handled, IntoActor, Winding};
pub use actor_ref::ActorRef;
pub use addr::{Addr, TellError};
pub use alias::{Alias, AliasEnds, AliasError};
pub use asking::{Until, without_deadline};
pub use birth::{Queued, Recipe, StartError, StartOptions};
pub use call::{Asks, Call, CallError, Message, call};
pub use cell::MailboxOptions;
pub use census::Actors;
pub use context::Context;
pub use crash_report::CrashReport;
pub use cycle::Cycle;
pub use debugging::{DebugEvent, DebugKind, Debugging, Figures, Logged};
pub use desk::Status;
pub use directory::{Directory, Listed};
pub use directory_watch::{DirectoryEvent, DirectoryWatch};
pub use events::{Event, Observer};
pub use futures_core::Stream;
pub use jobs::{JobFailed, JobId};
pub use later::{After, Later};
pub use letters::{Cause, DeadLetter, DeadLetters, LetterId, Letters, ReplayError};
pub use local::{IntoLocalActor, LocalActor};
pub use local_host::LocalHost;
pub use many::{AskMany, NoQuorum, ask_many};
pub use minder_mailbox::{Capacity, Statistics, WhenFull};
pub use minder_signals::{ActorId, Down, Exit, ExitReason, Moment, MonitorId, PanicReport, SupervisorReport};
pub use names::{EnsureError, NamedTellError, RegisterError, WhereisError};
pub use notice::{ChildEvent, ChildNotice, Notice};
pub use pin::Pinned;
pub use postponed::Postponed;
pub use priority::{Priority, PriorityAlias};
pub use readiness::Readiness;
pub use recipient::Recipient;
pub use redelivery::Failure;
pub use reply::{AskError, Reply};
pub use revocation::Revocation;
pub use seat::{Seat, SeatId};
pub use services::{NoService, Offers};
pub use shutdown::{Level, ShutdownReport};
pub use start_error::StartActorError;
pub use streams::{StreamId, StreamNotice};
pub use sys::{Sys, SysError};
pub use system::{System, SystemBuilder, SystemError};
pub use timeouts::TimeoutId;
pub use timers::{CancelledTimer, Missed, TimerId};
pub use unique::{AlreadyClaimed, NotClaimed, UniqueDirectory};
pub use why::Why;
