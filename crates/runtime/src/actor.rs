//! What a user writes: the state, and what it does with messages and notices.

use std::any::{Any, TypeId};
use std::future::Future;

use minder_signals::ExitReason;

use crate::context::Context;
use crate::notice::Notice;

/// What a handler returns: `Err` ends the incarnation with that reason. Any error converts with `?`.
pub type Handled = Result<(), ExitReason>;

/// An actor: the struct is its state, built anew by a factory at every start.
///
/// Implement the asynchronous methods as plain `async fn`. One that never awaits costs no more than a function call.
///
/// # Cancel safety
/// A kill, an exit signal to an actor that does not trap exits, and the stop of such an actor drop the handler's
/// future at its next await. A handler that does not await cannot be stopped.
///
/// # OTP
/// `gen_server`: `started` is `init`, `handle` is `handle_call` and `handle_cast`, `notice` is `handle_info`,
/// `stopping` is `terminate`.
///
/// ```
/// use minder_runtime::{Actor, Context, Handled, Reply};
///
/// #[derive(Default)]
/// struct Counter(u64);
///
/// enum Msg {
///     Add(u64),
///     Read(Reply<u64>),
/// }
///
/// impl Actor for Counter {
///     type Msg = Msg;
///
///     async fn handle(&mut self, message: Msg, _: &mut Context<Msg>) -> Handled {
///         match message {
///             Msg::Add(n) => self.0 += n,
///             Msg::Read(reply) => drop(reply.send(self.0)),
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Actor: Send + Sized + 'static {
    /// The messages it takes.
    type Msg: Send + 'static;

    /// Runs once before anything is handled. The start is acknowledged to the minder when this returns `Ok`, unless
    /// [`Context::acknowledge_later`] was called; with `Err` or a panic the start has failed.
    fn started(&mut self, context: &mut Context<Self::Msg>) -> impl Future<Output = Handled> + Send {
        let _ = context;
        async { Ok(()) }
    }

    /// Handles one message.
    fn handle(
        &mut self,
        message: Self::Msg,
        context: &mut Context<Self::Msg>,
    ) -> impl Future<Output = Handled> + Send;

    /// Declares a message idempotent, by a copy of it: handling it once more does no harm. The copy is kept while the
    /// message is in hand; should the incarnation end meanwhile, it is handled first by the next one, and an asker goes
    /// on waiting. A [`Reply`](crate::Reply) in it is copied with [`Reply::twin`](crate::Reply::twin).
    ///
    /// Without a copy (the default) a message is handled at most once: if it is in hand at a crash it is lost, and its
    /// asker told.
    ///
    /// A message that has crashed several incarnations in a row (3 unless the child says otherwise) is moved into
    /// quarantine, [`Addr::quarantine`](crate::Addr::quarantine), and its asker told
    /// [`Poisoned`](crate::AskError::Poisoned). Runs before every message, so it must be quick.
    #[inline]
    fn redelivery(message: &Self::Msg) -> Option<Self::Msg> {
        let _ = message;
        None
    }

    /// Handles what happened to actors it is linked to, watches or minds. Ignores it unless implemented.
    fn notice(
        &mut self,
        notice: Notice,
        context: &mut Context<Self::Msg>,
    ) -> impl Future<Output = Handled> + Send {
        let _ = (notice, context);
        async { Ok(()) }
    }

    /// Its minder asked it to stop, and it traps exits: end now, or wind something down first?
    ///
    /// An actor that answers [`Winding::Later`] goes on handling its lane and ends itself by [`Context::stop`]; its
    /// minder's patience is bounded by the shutdown time of the child spec.
    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<Self::Msg>) -> Winding {
        let _ = (reason, context);
        Winding::Done
    }

    /// Cleans up. Runs on an orderly stop, on a returned error and on the stop of an actor that traps exits; never on
    /// a kill or after a panic, when the state is not to be trusted. Whoever gets an answer with the stop
    /// ([`Context::stop_then_reply`]) gets it after this.
    fn stopping(
        &mut self,
        reason: &ExitReason,
        context: &mut Context<Self::Msg>,
    ) -> impl Future<Output = ()> + Send {
        let _ = (reason, context);
        async {}
    }

    /// What [`Sys::status`](crate::Sys::status) shows of the state: what an operator may see, without secrets. Nothing unless
    /// implemented, so that nothing is shown that nobody thought of.
    ///
    /// # OTP
    /// `format_status/1`, where everything is shown unless implemented.
    fn format_status(&self) -> Option<String> {
        None
    }

    /// What [`Sys::with_state`](crate::Sys::with_state) and [`Sys::replace`](crate::Sys::replace) find under this type: the
    /// actor itself, unless implemented. For actors that stand around others and are not meant to be seen.
    ///
    /// # OTP
    /// `system_get_state/1` and `system_replace_state/2`.
    fn sys_state(&mut self, wanted: TypeId) -> &mut dyn Any {
        let _ = wanted;
        self
    }
}

/// Whether an actor that was asked to stop is ready to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winding {
    /// It ends now.
    Done,
    /// It has something to wind down and will end itself.
    Later,
}

/// What a factory may return: the actor; an `Option` of it, where `None` says that there is nothing to run, which is no
/// failure; or a `Result` of either.
///
/// ```
/// use minder_runtime::{Actor, Context, ExitReason, Handled};
///
/// struct Cache;
/// impl Actor for Cache {
///     type Msg = ();
///     async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
///         Ok(())
///     }
/// }
///
/// fn configured(megabytes: &str) -> Result<Option<Cache>, ExitReason> {
///     let megabytes: u32 = megabytes.parse()?;
///     Ok((megabytes > 0).then_some(Cache))
/// }
/// # fn is_a_factory<R: minder_runtime::IntoActor>(_: fn(&'static str) -> R) {}
/// # is_a_factory(configured);
/// ```
pub trait IntoActor: Send {
    /// The actor.
    type Actor: Actor;

    /// The actor, nothing, or why it cannot start.
    ///
    /// # Errors
    /// Whatever the factory returned.
    fn into_actor(self) -> Result<Option<Self::Actor>, ExitReason>;
}

impl<A: Actor> IntoActor for A {
    type Actor = A;

    fn into_actor(self) -> Result<Option<A>, ExitReason> {
        Ok(Some(self))
    }
}

impl<A: Actor> IntoActor for Option<A> {
    type Actor = A;

    fn into_actor(self) -> Result<Self, ExitReason> {
        Ok(self)
    }
}

impl<R: IntoActor, E: Into<ExitReason> + Send> IntoActor for Result<R, E> {
    type Actor = R::Actor;

    fn into_actor(self) -> Result<Option<R::Actor>, ExitReason> {
        self.map_err(Into::into)?.into_actor()
    }
}
