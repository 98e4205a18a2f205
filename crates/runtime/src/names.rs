//! Names: reaching an actor by a word that is known in the whole system. The table is `registry.rs`.
//!
//! When not to use this: inside one tree, where an address that is handed over cannot be misspelt and is checked by the
//! compiler. For a service that a supervisor provides to those below it, see [`Context::service`]; for many actors under
//! one key, see [`Directory`](crate::Directory).

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use minder_mailbox::Rank;
use minder_signals::{ActorId, Down, ExitReason, MonitorId};

use crate::actor::{Actor, IntoActor};
use crate::actor_ref::ActorRef;
use crate::addr::{Addr, TellError};
use crate::birth::{self, Anywhere, StartError, StartOptions};
use crate::cell::Cell;
use crate::context::{Context, Start};
use crate::frame;
use crate::life::AnyCell;
use crate::notice::Notice;
use crate::registry::Refused;
use crate::system::{System, SystemShared};

/// Why an actor does not get a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// Somebody has it.
    Taken {
        /// The name.
        name: Arc<str>,
        /// Where its owner stands in its tree.
        by: Arc<str>,
        /// Who lives there now, or lived there last.
        id: ActorId,
    },
    /// The actor has a name, this or another: it has one at most.
    Named(Arc<str>),
    /// The actor is gone for good.
    GivenUp,
    /// The address belongs to another system.
    OtherSystem,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken { name, by, id } => write!(f, "the name `{name}` belongs to {by} {id}"),
            Self::Named(name) => write!(f, "the actor has a name already: `{name}`"),
            Self::GivenUp => f.write_str("the actor is gone for good"),
            Self::OtherSystem => f.write_str("the address belongs to another system"),
        }
    }
}

impl std::error::Error for RegisterError {}

/// Why a name leads to no address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhereisError {
    /// Nobody has that name.
    Unknown(Arc<str>),
    /// The actor of that name takes other messages.
    OtherMessages {
        /// The name.
        name: Arc<str>,
        /// The messages that its actor takes.
        takes: &'static str,
        /// The messages that were asked for.
        wanted: &'static str,
    },
}

impl fmt::Display for WhereisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "nobody has the name `{name}`"),
            Self::OtherMessages { name, takes, wanted } => {
                write!(f, "the actor named `{name}` takes messages of type `{takes}`, not `{wanted}`")
            }
        }
    }
}

impl std::error::Error for WhereisError {}

/// Why a message to a name was not delivered. It comes back.
#[derive(PartialEq)]
#[non_exhaustive]
pub enum NamedTellError<M> {
    /// The name leads to no actor that takes the message.
    NoAddress(WhereisError, M),
    /// The actor did not get it.
    NotDelivered(TellError<M>),
}

impl<M> NamedTellError<M> {
    /// The message.
    pub fn into_message(self) -> M {
        match self {
            Self::NoAddress(_, message) => message,
            Self::NotDelivered(error) => error.into_message(),
        }
    }
}

impl<M> fmt::Display for NamedTellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress(error, _) => error.fmt(f),
            Self::NotDelivered(error) => error.fmt(f),
        }
    }
}

impl<M> fmt::Debug for NamedTellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<M> std::error::Error for NamedTellError<M> {}

/// Why [`System::ensure`] has no address to give.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnsureError {
    /// There is an actor of that name, of another kind.
    Whereis(WhereisError),
    /// There was none, and it cannot be started.
    Start(StartError),
}

impl fmt::Display for EnsureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whereis(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EnsureError {}

impl System {
    /// Gives an actor a name. The name belongs to its seat: it stays over restarts, also while nobody lives there, and is
    /// free again when the seat is given up.
    ///
    /// # Errors
    /// If somebody has the name; if the actor has one, even the same; if it is gone for good.
    ///
    /// # Ordering
    /// Whoever hears that a seat is given up (by [`Addr::ended`], a final monitor, or a message that comes back as
    /// [`TellError::Stopped`]) finds its name free. In a seat that lasts for one life, as [`System::spawn`] makes it, so
    /// does whoever hears of the actor's end, by whatever way.
    ///
    /// # OTP
    /// `register/2`, for any process, by anyone. There a restarted process registers anew, and the name points nowhere in
    /// between.
    ///
    /// ```
    /// use minder_runtime::{Actor, Addr, Context, Handled, Reply, System};
    ///
    /// struct Doubler;
    /// enum Msg {
    ///     Double(u32, Reply<u32>),
    /// }
    /// impl Actor for Doubler {
    ///     type Msg = Msg;
    ///     async fn handle(&mut self, Msg::Double(n, reply): Msg, _: &mut Context<Msg>) -> Handled {
    ///         drop(reply.send(2 * n));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new()?;
    /// system.register("doubler", &system.spawn(|| Doubler)?)?;
    ///
    /// let doubler: Addr<Msg> = system.whereis("doubler")?;
    /// assert_eq!(doubler.ask(|reply| Msg::Double(21, reply)).await?, 42);
    /// let wrong = system.whereis::<String>("doubler").expect_err("it takes something else");
    /// assert!(wrong.to_string().contains("takes messages of type"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn register<M: Send + 'static>(
        &self,
        name: impl Into<Arc<str>>,
        address: &Addr<M>,
    ) -> Result<(), RegisterError> {
        self.shared.register(&name.into(), &address.cell)
    }

    /// Frees a name; false if nobody has it.
    ///
    /// # OTP
    /// `unregister/1`, where an unknown name is an error. Anyone may, there and here.
    pub fn unregister(&self, name: &str) -> bool {
        self.shared.registry.free_name(name)
    }

    /// The address of the actor of that name. It stays good for as long as the seat, whatever becomes of the name.
    ///
    /// # Errors
    /// If nobody has the name, or its actor takes other messages; says which.
    ///
    /// # OTP
    /// `whereis/1`.
    pub fn whereis<M: Send + 'static>(&self, name: &str) -> Result<Addr<M>, WhereisError> {
        let Some(cell) = self.shared.registry.find(name) else {
            return Err(WhereisError::Unknown(name.into()));
        };
        let takes = cell.message();
        match cell.as_any().downcast::<Cell<M>>() {
            Ok(cell) => Ok(Addr { cell }),
            Err(_) => Err(WhereisError::OtherMessages { name: name.into(), takes, wanted: type_name::<M>() }),
        }
    }

    /// Sends to the actor of that name, without waiting. The message must be of the very type that the actor takes.
    ///
    /// # Errors
    /// Gives the message back if the name leads nowhere, or as [`Addr::tell`].
    ///
    /// # OTP
    /// `Name ! Message`, where an unknown name is an error, too.
    pub fn tell<M: Send + 'static>(&self, name: &str, message: M) -> Result<(), NamedTellError<M>> {
        match self.whereis::<M>(name) {
            Ok(address) => address.tell(message).map_err(NamedTellError::NotDelivered),
            Err(error) => Err(NamedTellError::NoAddress(error, message)),
        }
    }

    /// All names, in order.
    ///
    /// # OTP
    /// `registered/0`.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.shared.registry.names()
    }

    /// The actor of that name; if there is none, it is started, minded by the system, and given the name. However many
    /// ask at once, one of them starts it, and all get the same address; what they send before it is up waits for it.
    ///
    /// # Errors
    /// If the actor of that name takes other messages, or it cannot be started. That its start failed is told to
    /// whoever sends to it; the name is free again by then.
    ///
    /// # OTP
    /// What `gen_server:start({local, Name}, …)` and its `{already_started, Pid}` are used for.
    pub fn ensure<R, F>(&self, name: &str, make: F) -> Result<Addr<<R::Actor as Actor>::Msg>, EnsureError>
    where
        R: IntoActor + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        self.found_or_claimed(name, |seat| {
            birth::start_root(seat, Start::Pending, &StartOptions::named(name), Anywhere(make))
        })
    }

    /// The actor of that name, or a new seat that was given the name, and in which an actor is started.
    fn found_or_claimed<M: Send + 'static>(
        &self,
        name: &str,
        start: impl FnOnce(crate::seat::Seat<M>) -> Result<ActorRef, StartError>,
    ) -> Result<Addr<M>, EnsureError> {
        let name: Arc<str> = name.into();
        loop {
            match self.whereis(&name) {
                Err(WhereisError::Unknown(_)) => {}
                found => return found.map_err(EnsureError::Whereis),
            }
            let (address, seat) = self.address();
            match self.shared.register(&name, &address.cell) {
                Ok(()) => {
                    // If it is refused the seat goes with it, and the name with the seat.
                    start(seat).map_err(EnsureError::Start)?;
                    return Ok(address);
                }
                // Somebody was faster.
                Err(_) => continue,
            }
        }
    }
}

impl<M: Send + 'static> Context<M> {
    /// Gives this actor a name, for as long as its seat: [`System::register`]. A next life that asks for the same name
    /// in its `started` has it already, and is told `Ok`.
    ///
    /// # Errors
    /// As [`System::register`].
    pub fn register(&mut self, name: impl Into<Arc<str>>) -> Result<(), RegisterError> {
        frame::effect();
        let name = name.into();
        match self.cell.core.system.register(&name, &self.cell) {
            Err(RegisterError::Named(known)) if known == name => Ok(()),
            result => result,
        }
    }

    /// Gives this actor's name up; returns it, if there was one.
    pub fn unregister(&mut self) -> Option<Arc<str>> {
        frame::effect();
        let mut life = self.cell.core.life();
        let name = life.name().cloned();
        let freed = self.cell.core.system.registry.free(&mut life);
        drop(life);
        drop(freed);
        name
    }

    /// [`System::ensure`], but the actor, if it has to be started, is minded by this one: it is linked in the act of
    /// starting, and news of it come as [`Notice::Child`].
    ///
    /// # Errors
    /// As [`System::ensure`].
    pub fn ensure<R, F>(&mut self, name: &str, make: F) -> Result<Addr<<R::Actor as Actor>::Msg>, EnsureError>
    where
        R: IntoActor + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        frame::effect();
        let me = self.peer();
        self.system().found_or_claimed(name, |seat| {
            birth::start_minded(seat, &me, StartOptions::named(name), Anywhere(make))
        })
    }

    /// Watches the actor that has this name now, whatever messages it takes: one [`Notice::Down`] with the name when its
    /// present life ends, at once and with [`ExitReason::NoActor`] if nobody has the name, or nobody lives there. What
    /// becomes of the name later does not matter.
    ///
    /// # OTP
    /// `monitor(process, Name)`.
    pub fn monitor_name(&mut self, name: impl Into<Arc<str>>) -> MonitorId {
        frame::effect();
        let name = name.into();
        if let Some(cell) = self.cell.core.system.registry.find(&name) {
            let target = cell.peer_now();
            return self.watch(target, Some(name), None, Rank::Ordinary);
        }
        let monitor = self.cell.core.system.next_monitor();
        let nobody = ActorId::new(0, 0);
        let down = Down { monitor, actor: nobody, name: None, reason: ExitReason::NoActor };
        // Its own target: there is none to take it off from.
        let me = self.peer();
        me.notify(Notice::Down(down), Rank::Ordinary);
        self.extra().keep_monitor(monitor, crate::context::Monitored::of_nobody(me, name));
        monitor
    }
}

impl<M: Send + 'static> Addr<M> {
    /// The name under which the actor is registered, if it is.
    pub fn registered_name(&self) -> Option<Arc<str>> {
        self.cell.core.life().name().cloned()
    }
}

impl SystemShared {
    fn register<M: Send + 'static>(
        self: &Arc<Self>,
        name: &Arc<str>,
        cell: &Arc<Cell<M>>,
    ) -> Result<(), RegisterError> {
        if !Arc::ptr_eq(self, &cell.core.system) {
            return Err(RegisterError::OtherSystem);
        }
        let any: Arc<dyn AnyCell> = cell.clone();
        let claimed = self.registry.claim(name, &any, &mut cell.core.life());
        claimed.map_err(|refused| refused.in_words(name))
    }
}

impl Refused {
    /// Says it in words. Call with no life held: that of the owner is locked.
    pub(crate) fn in_words(self, name: &Arc<str>) -> RegisterError {
        match self {
            Self::Taken(owner) => {
                let core = owner.core();
                RegisterError::Taken { name: name.clone(), by: core.path(), id: core.life().id(core.number) }
            }
            Self::Named(name) => RegisterError::Named(name),
            Self::GivenUp => RegisterError::GivenUp,
        }
    }
}
