//! Requests to the machinery of one incarnation, whatever actor it is: to look at its state or replace it, to tell how it
//! stands, to watch it at its work, to end it. They go through the control lane and are answered between two messages.
//! Here is the asker's side: the deadline, and leaving nothing behind. What is done is in `desk.rs` and `debugging.rs`.

use std::any::TypeId;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use minder_signals::{ActorId, Control, ExitReason, PanicReport};
use tokio::sync::oneshot;

use crate::ask::{self, Alarm, DEFAULT_DEADLINE};
use crate::debugging::Debugging;
use crate::desk::{Desk, Request, Status};
use crate::frame;
use crate::life::Peer;

/// What can be asked of every actor, also of supervisors, state machines and local actors: see
/// [`Addr::sys`](crate::Addr::sys) and [`ActorRef::sys`](crate::ActorRef::sys). Of one incarnation.
///
/// Requests overtake what waits to be handled, and are answered after the message in hand: an actor with a long backlog
/// answers at once, as does one that is suspended, a supervisor in the middle of an operation, and one that winds down. One
/// whose handler awaits answers when that has ended. One that cleans up answers nothing any more; whoever asked is told of its
/// end at once. An actor of which nothing is asked pays nothing.
///
/// What was done to an actor before, by whoever asks, is seen in the answer: messages sent, ties made, orders given; what ends
/// it ends the question.
///
/// An asker waits 5 seconds, or [`Sys::within`], and no longer than whoever asked for what it has in hand. Two actors whose
/// handlers ask this of each other run into that: no cycle is looked for.
///
/// When not to use this: for what an actor is asked as a matter of course. That is a message, which has a type, a place in
/// the order of things, and a bound. This is for operators, tests and repairs.
///
/// # OTP
/// The module `sys`, whose requests wait in the mailbox.
///
/// ```
/// use minder_runtime::{Actor, Context, Handled, System};
///
/// #[derive(Default)]
/// struct Counter {
///     count: u64,
///     password: String,
/// }
///
/// impl Actor for Counter {
///     type Msg = u64;
///     async fn handle(&mut self, add: u64, _: &mut Context<u64>) -> Handled {
///         self.count += add;
///         Ok(())
///     }
///     fn format_status(&self) -> Option<String> {
///         Some(format!("at {}", self.count)) // and not the password
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new()?;
/// let counter = system.spawn(Counter::default)?;
/// let sys = counter.sys();
/// assert!(sys.suspend());
/// counter.tell(5_u64)?;
/// sys.replace(|old: &Counter| Counter { count: 100, password: old.password.clone() }).await?;
/// let status = sys.status().await?;
/// assert_eq!((status.suspended, status.mailbox.queued), (true, 1));
/// assert_eq!(status.state.as_deref(), Some("at 100"));
/// sys.resume();
/// # tokio::task::yield_now().await;
/// assert_eq!(sys.with_state(|counter: &Counter| counter.count).await?, 105);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sys {
    peer: Peer,
    within: Duration,
}

/// Why a request to an actor's machinery came to nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SysError {
    /// The incarnation does not live: it has ended, or nobody has lived there yet.
    NoActor,
    /// It ended, for this reason, before it came to the request.
    Ended(ExitReason),
    /// The deadline passed: its handler has been awaiting for too long. The request is taken back, unless it was being
    /// carried out just then.
    TimedOut,
    /// What was given to run panicked. The actor goes on, with the state that it had.
    Panicked(Box<PanicReport>),
    /// The actor is of another type than was said.
    OtherType {
        /// What was said.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The actor itself asked, and would wait for the end of its own handler.
    Itself,
}

impl fmt::Display for SysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoActor => f.write_str("the actor does not live: ask its address for another `sys`"),
            Self::Ended(reason) => write!(f, "the actor ended before it came to the request: {reason}"),
            Self::TimedOut => f.write_str(
                "no answer before the deadline: what the actor has in hand is taking long; wait longer with `within`",
            ),
            Self::Panicked(report) => write!(f, "what was to run panicked, and the actor is as it was: {report}"),
            Self::OtherType { wanted, found } => write!(f, "the actor is no `{wanted}`: it is a `{found}`"),
            Self::Itself => f.write_str("an actor cannot wait for itself: it has its state at hand"),
        }
    }
}

impl std::error::Error for SysError {}

impl Sys {
    pub(crate) fn of(peer: Peer) -> Self {
        Self { peer, within: DEFAULT_DEADLINE }
    }

    /// The same, with another deadline for each request. With [`Duration::MAX`] there is none.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// Whose machinery it is.
    pub fn id(&self) -> ActorId {
        self.peer.id()
    }

    /// See [`Addr::suspend`](crate::Addr::suspend). It is suspended once [`Sys::status`] says so.
    ///
    /// # OTP
    /// `sys:suspend/1`.
    pub fn suspend(&self) -> bool {
        self.peer.order(Control::Suspend)
    }

    /// See [`Addr::resume`](crate::Addr::resume).
    ///
    /// # OTP
    /// `sys:resume/1`.
    pub fn resume(&self) -> bool {
        self.peer.order(Control::Resume)
    }

    /// Looks at the state, in the thread of the actor, which waits meanwhile. `A` is the type of the actor; of a state machine
    /// it may be the type of its data or of its states too.
    ///
    /// # Errors
    /// `OtherType` if the actor is no `A`, `Panicked` if `look` panics, and those of every request: see [`SysError`].
    ///
    /// # Cancel safety
    /// Dropping the future takes the request back, if the actor has not come to it.
    ///
    /// # OTP
    /// `sys:get_state/1`.
    pub async fn with_state<A, R>(&self, look: impl FnOnce(&A) -> R + Send + 'static) -> Result<R, SysError>
    where
        A: 'static,
        R: Send + 'static,
    {
        self.request(move |desk| {
            let looked = desk
                .whose()
                .run(|| desk.state(TypeId::of::<A>()).downcast_ref().map(look))
                .map_err(SysError::Panicked)?;
            looked.ok_or_else(|| other_type::<A>(desk))
        })
        .await
    }

    /// Puts another state in place of the one that there is, which is dropped. If `change` panics, or the actor is no `A`,
    /// the state is unchanged.
    ///
    /// What depends on the state beside the actor goes on as it was: its timers, its links, its name; of a state machine its
    /// time-outs, and no enter call is made.
    ///
    /// # Errors
    /// As [`Sys::with_state`].
    ///
    /// # Cancel safety
    /// As [`Sys::with_state`].
    ///
    /// # OTP
    /// `sys:replace_state/2`.
    pub async fn replace<A: 'static>(
        &self,
        change: impl FnOnce(&A) -> A + Send + 'static,
    ) -> Result<(), SysError> {
        self.request(move |desk| {
            let whose = desk.whose();
            let replaced = whose
                .run(|| {
                    let state = desk.state(TypeId::of::<A>()).downcast_mut()?;
                    let new = change(state);
                    Some(std::mem::replace(state, new))
                })
                .map_err(SysError::Panicked)?;
            let old = replaced.ok_or_else(|| other_type::<A>(desk))?;
            whose.discard(old, None);
            Ok(())
        })
        .await
    }

    /// How it stands.
    ///
    /// # Errors
    /// Those of every request: see [`SysError`].
    ///
    /// # Cancel safety
    /// As [`Sys::with_state`].
    ///
    /// # OTP
    /// `sys:get_status/1`.
    pub async fn status(&self) -> Result<Status, SysError> {
        self.request(|desk| Ok(desk.status())).await
    }

    /// Has it watched at its work from now on, or not any more, or reads what was seen: see [`Debugging`]. An actor can do
    /// the same to itself, from its start on: [`Context::debug`](crate::Context::debug).
    ///
    /// # Errors
    /// `Panicked` if `change` panics; what it has done before stays done. Those of every request: see [`SysError`].
    ///
    /// # Cancel safety
    /// As [`Sys::with_state`].
    ///
    /// # OTP
    /// `sys:statistics/2`, `trace/2`, `log/2`, `install/2`, `remove/2`, `no_debug/1`.
    ///
    /// ```
    /// # use minder_runtime::{Actor, Context, Handled, System};
    /// # struct Adder;
    /// # impl Actor for Adder {
    /// #     type Msg = u64;
    /// #     async fn handle(&mut self, _: u64, _: &mut Context<u64>) -> Handled { Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let system = System::new()?;
    /// let adder = system.spawn(|| Adder)?;
    /// let sys = adder.sys();
    /// sys.debug(|debugging| {
    ///     debugging.log(20);
    ///     debugging.describe(|number: &u64| format!("add {number}"));
    /// })
    /// .await?;
    /// adder.tell(5_u64)?;
    /// # tokio::task::yield_now().await;
    /// let seen = sys.debug(|debugging| debugging.logged()).await?;
    /// assert_eq!(seen[0].text, "message: add 5");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn debug<R: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Debugging) -> R + Send + 'static,
    ) -> Result<R, SysError> {
        self.request(move |desk| {
            let changed = desk.whose().run(|| change(desk.debugging()));
            desk.settle_debugging();
            changed.map_err(SysError::Panicked)
        })
        .await
    }

    /// Asks it to end with this reason, as its minder's stop does where exits are trapped: it cleans up, a supervisor stops
    /// its children in order, and one that has something to wind down does. Then its minder decides, as at any end.
    ///
    /// Ready when that has begun; [`Addr::ended`](crate::Addr::ended) or a monitor tells the end.
    ///
    /// # Errors
    /// Those of every request: see [`SysError`].
    ///
    /// # Cancel safety
    /// As [`Sys::with_state`].
    ///
    /// # OTP
    /// `sys:terminate/2`.
    pub async fn terminate(&self, reason: ExitReason) -> Result<(), SysError> {
        self.request(move |desk| {
            desk.stop(reason);
            Ok(())
        })
        .await
    }

    async fn request<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Desk) -> Result<R, SysError> + Send + 'static,
    ) -> Result<R, SysError> {
        frame::effect();
        frame::gives(&work);
        let core = self.peer.cell.core();
        if frame::current_cell() == core.address() {
            return Err(SysError::Itself);
        }
        let until = ask::deadline(&core.system, self.within);
        let (tell, mut told) = oneshot::channel();
        let request: Request = Box::new(move |desk| {
            if tell.is_closed() {
                return; // whoever asked has turned away: nothing is done
            }
            let outcome = match desk {
                Ok(desk) => work(desk),
                Err(reason) => Err(SysError::Ended(reason.clone())),
            };
            drop(tell.send(outcome));
        });
        let number = self.peer.request(request).ok_or(SysError::NoActor)?;
        let _waiting = Waiting { peer: &self.peer, number };
        let mut alarm = Alarm::new(&core.system, until);
        poll_fn(|cx| match Pin::new(&mut told).poll(cx) {
            Poll::Pending if alarm.is_due(cx.waker()) => Poll::Ready(Err(SysError::TimedOut)),
            // Without an answer only if its task was dropped in the middle of it.
            told => told.map(|told| told.unwrap_or(Err(SysError::NoActor))),
        })
        .await
    }
}

fn other_type<A>(desk: &dyn Desk) -> SysError {
    SysError::OtherType { wanted: std::any::type_name::<A>(), found: desk.type_name() }
}

impl fmt::Debug for Sys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sys({} {})", self.peer.cell.core().path(), self.id())
    }
}

/// Takes the request back when its asker turns away.
struct Waiting<'a> {
    peer: &'a Peer,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        drop(self.peer.take_request(self.number));
    }
}
