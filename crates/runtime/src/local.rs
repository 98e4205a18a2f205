//! Actors that stay on one thread: their state and their futures need not be `Send`, only their messages are. They stand
//! under the same supervisors as others, behind the same addresses, and live and end by the same rules.

use std::any::{Any, TypeId};
use std::future::Future;

use minder_signals::ExitReason;

use crate::actor::{Handled, Winding};
use crate::context::Context;
use crate::notice::Notice;

/// An actor whose state and futures may hold what is not `Send`: an `Rc`, a handle of a user interface, a connection of
/// a library that is bound to its thread. It is built by its factory, lives, and is dropped on the thread of a
/// [`LocalHost`](crate::LocalHost).
///
/// Everything else is as with [`Actor`](crate::Actor), method by method: restarts, links, monitors, kills at awaits, the
/// order of departure. In simulation it runs in the simulation's one thread like anybody, and no thread is made.
///
/// When not to use this: for an actor that can be `Send`. All local actors of a host share one thread, and one that does
/// not await holds the others up. For work that blocks, see [`Context::run_blocking`].
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use minder_runtime::{Context, Handled, LocalActor, Reply, System};
///
/// struct Counter(Rc<Cell<u64>>);
///
/// enum Msg {
///     Add(u64),
///     Read(Reply<u64>),
/// }
///
/// impl LocalActor for Counter {
///     type Msg = Msg;
///
///     async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
///         let count = self.0.clone();
///         context.sleep(std::time::Duration::ZERO).await; // an `Rc` may be held over an await
///         match message {
///             Msg::Add(n) => count.set(count.get() + n),
///             Msg::Read(reply) => drop(reply.send(count.get())),
///         }
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new()?;
/// let counter = system.spawn_local(|| Counter(Rc::default()))?;
/// counter.tell(Msg::Add(5))?;
/// assert_eq!(counter.ask(Msg::Read).await?, 5);
/// system.shutdown(std::time::Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
pub trait LocalActor: Sized + 'static {
    /// The messages it takes. They come from other threads.
    type Msg: Send + 'static;

    /// See [`Actor::started`](crate::Actor::started).
    fn started(&mut self, context: &mut Context<Self::Msg>) -> impl Future<Output = Handled> {
        let _ = context;
        async { Ok(()) }
    }

    /// See [`Actor::handle`](crate::Actor::handle).
    fn handle(
        &mut self,
        message: Self::Msg,
        context: &mut Context<Self::Msg>,
    ) -> impl Future<Output = Handled>;

    /// See [`Actor::redelivery`](crate::Actor::redelivery).
    #[inline]
    fn redelivery(message: &Self::Msg) -> Option<Self::Msg> {
        let _ = message;
        None
    }

    /// See [`Actor::notice`](crate::Actor::notice).
    fn notice(&mut self, notice: Notice, context: &mut Context<Self::Msg>) -> impl Future<Output = Handled> {
        let _ = (notice, context);
        async { Ok(()) }
    }

    /// See [`Actor::stop_requested`](crate::Actor::stop_requested).
    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<Self::Msg>) -> Winding {
        let _ = (reason, context);
        Winding::Done
    }

    /// See [`Actor::stopping`](crate::Actor::stopping).
    fn stopping(
        &mut self,
        reason: &ExitReason,
        context: &mut Context<Self::Msg>,
    ) -> impl Future<Output = ()> {
        let _ = (reason, context);
        async {}
    }

    /// See [`Actor::format_status`](crate::Actor::format_status).
    fn format_status(&self) -> Option<String> {
        None
    }

    /// See [`Actor::sys_state`](crate::Actor::sys_state).
    fn sys_state(&mut self, wanted: TypeId) -> &mut dyn Any {
        let _ = wanted;
        self
    }
}

/// What the factory of a local actor may return: as of any other, see [`IntoActor`](crate::IntoActor).
pub trait IntoLocalActor {
    /// The actor.
    type Actor: LocalActor;

    /// The actor, nothing, or why it cannot start.
    ///
    /// # Errors
    /// Whatever the factory returned.
    fn into_local_actor(self) -> Result<Option<Self::Actor>, ExitReason>;
}

impl<A: LocalActor> IntoLocalActor for A {
    type Actor = A;

    fn into_local_actor(self) -> Result<Option<A>, ExitReason> {
        Ok(Some(self))
    }
}

impl<A: LocalActor> IntoLocalActor for Option<A> {
    type Actor = A;

    fn into_local_actor(self) -> Result<Self, ExitReason> {
        Ok(self)
    }
}

impl<R: IntoLocalActor, E: Into<ExitReason>> IntoLocalActor for Result<R, E> {
    type Actor = R::Actor;

    fn into_local_actor(self) -> Result<Option<R::Actor>, ExitReason> {
        self.map_err(Into::into)?.into_local_actor()
    }
}
