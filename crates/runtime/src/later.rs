//! What is done to an actor later, for nobody in particular: a message, an exit signal, a kill. Beside `timers.rs`, whose timers
//! belong to an incarnation and bring it messages of its own; these outlive whoever set them, as OTP's do.
//! Keeps nobody's seat: whoever is gone when the time has come is not missed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use minder_mailbox::Refused;
use minder_signals::{ActorId, Control, Exit, ExitReason, Moment};

use crate::addr::Addr;
use crate::cell::Cell;
use crate::deadlines::{Due, Fire, Key};
use crate::frame;
use crate::letters::Cause;
use crate::life::Peer;
use crate::notice::Item;
use crate::system::System;

/// A time after which something is to be done to an actor: see [`System::after`].
#[must_use = "nothing is done unless it is said what"]
pub struct After {
    system: System,
    at: Moment,
}

/// What has been put off: to look at, or to be called off. Dropping this calls nothing off.
pub struct Later {
    system: System,
    at: Moment,
    key: Key,
    errand: Arc<Errand>,
}

/// What is to be done, until it is done or called off.
struct Errand(Mutex<Option<Deed>>);

type Deed = Box<dyn FnOnce() + Send>;

impl Errand {
    fn take(&self) -> Option<Deed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Fire for Errand {
    fn fire(&self, _: u64) {
        if let Some(deed) = self.take() {
            // No actor's code: a message that panics as it is dropped has nobody to tell.
            let _ = frame::run_as(0, deed);
        }
    }
}

impl System {
    /// Something is done to an actor once the time has passed: never early, late by at most 10 ms (in simulation, exact to the
    /// millisecond). What, says the method that is called on it: [`After::tell`], [`tell_named`](After::tell_named),
    /// [`exit`](After::exit), [`kill`](After::kill).
    ///
    /// It belongs to nobody: it is done also if the actor that asked for it has ended. It is not done to whoever is gone by then,
    /// which is no error, nor once the system's tokio runtime has ended.
    ///
    /// When not to use this: for an actor's own timers. [`Context::send_after`](crate::Context::send_after) ends with the
    /// incarnation, is exempt from the mailbox's bound, and can be read and taken back by its owner.
    ///
    /// # OTP
    /// `erlang:send_after/3` to another process or to a name, `timer:exit_after/3`, `timer:kill_after/2`.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use minder_runtime::{Actor, Context, Handled, System};
    /// # struct Cache;
    /// # enum Msg { Clear }
    /// # impl Actor for Cache {
    /// #     type Msg = Msg;
    /// #     async fn handle(&mut self, _: Msg, _: &mut Context<Msg>) -> Handled { Ok(()) }
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new()?;
    /// let cache = system.spawn(|| Cache)?;
    /// system.after(Duration::from_secs(60)).tell_named("cache", Msg::Clear); // whoever has that name then
    /// let deadline = system.after(Duration::from_millis(20)).kill(&cache);
    /// assert!(deadline.rest() <= Some(Duration::from_millis(20)));
    /// cache.ended().await;
    /// assert_eq!(deadline.cancel(), None); // it is done
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(&self, time: Duration) -> After {
        After { system: self.clone(), at: self.now() + time }
    }
}

impl After {
    /// A message to whoever lives at this address then. It is subject to the bound like any other, and dropped if there is no
    /// room, or if the seat is given up: a dead letter, where those are kept.
    pub fn tell<M: Send + 'static>(self, to: &Addr<M>, message: impl Into<M>) -> Later {
        frame::gives(&message);
        let (cell, message) = (Arc::downgrade(&to.cell), message.into());
        self.begin(move || {
            if let Some(cell) = cell.upgrade() {
                cell.tell_for_nobody(message);
            }
        })
    }

    /// A message to whoever has this name then, if it takes messages of this very type. As [`After::tell`].
    pub fn tell_named<M: Send + 'static>(self, name: impl Into<Arc<str>>, message: M) -> Later {
        frame::gives(&message);
        let (system, name) = (Arc::downgrade(&self.system.shared), name.into());
        self.begin(move || {
            let found = system.upgrade().and_then(|shared| System::of(&shared).whereis::<M>(&name).ok());
            if let Some(address) = found {
                address.cell.tell_for_nobody(message);
            }
        })
    }

    /// An exit signal, from nobody, to the actor that lives at this address now; its next life is another. As
    /// [`Context::exit`](crate::Context::exit).
    pub fn exit<M: Send + 'static>(self, other: &Addr<M>, reason: ExitReason) -> Later {
        self.aim(other, |target| {
            target.signal(Exit { from: ActorId::new(0, 0), reason });
        })
    }

    /// A kill of the actor that lives at this address now; its next life is another. As [`Addr::kill`].
    pub fn kill<M: Send + 'static>(self, other: &Addr<M>) -> Later {
        self.aim(other, |target| {
            target.order(Control::Kill);
        })
    }

    fn aim<M: Send + 'static>(self, other: &Addr<M>, deed: impl FnOnce(Peer) + Send + 'static) -> Later {
        let (cell, incarnation) = (other.cell.weak(), other.id().incarnation());
        self.begin(move || {
            if let Some(cell) = cell.upgrade() {
                deed(Peer { cell, incarnation });
            }
        })
    }

    fn begin(self, deed: impl FnOnce() + Send + 'static) -> Later {
        frame::effect();
        let Self { system, at } = self;
        let errand = Arc::new(Errand(Mutex::new(Some(Box::new(deed)))));
        let key = system.shared.deadlines.register(at, Due::Fire(errand.clone(), 0));
        Later { system, at, key, errand }
    }
}

impl<M: Send + 'static> Cell<M> {
    /// A message of which nobody hears what becomes of it.
    fn tell_for_nobody(&self, message: M) {
        match self.tell(Item::Tell(message)) {
            Ok(()) => {}
            Err(Refused::Full(item) | Refused::Dropped(item)) => self.bury(item, Cause::Dropped, None),
            Err(Refused::Closed(item, reason)) => self.bury(item, Cause::Stopped, Some(&reason)),
        }
    }
}

impl Later {
    /// How much time is left; nothing if it is done, or called off.
    ///
    /// # OTP
    /// `erlang:read_timer/1`.
    pub fn rest(&self) -> Option<Duration> {
        let waits = self.errand.0.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        waits.then(|| self.at.since(self.system.now()))
    }

    /// Calls it off, and drops the message if it was one. How much time was left; nothing if it is done, or was called off
    /// before.
    ///
    /// # OTP
    /// `erlang:cancel_timer/1`.
    pub fn cancel(&self) -> Option<Duration> {
        let deed = self.errand.take()?;
        self.system.shared.deadlines.cancel(self.key);
        drop(deed);
        Some(self.at.since(self.system.now()))
    }
}

impl fmt::Debug for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("After").field("at", &self.at).finish_non_exhaustive()
    }
}

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").field("rest", &self.rest()).finish_non_exhaustive()
    }
}
