//! Typed calls: a message struct, whom it is for, and what is to be done with it: asked, told, sent, or forwarded.
//! What `#[actor]` generates stands on this; everything goes through the same `Addr` that untyped messages do.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::time::Duration;

use crate::addr::{Addr, TellError};
use crate::ask::DEFAULT_DEADLINE;
use crate::blocking_ask;
use crate::reply::{AskError, Reply};

/// One message struct out of the set `M` that an actor takes, and what is answered to it.
///
/// `#[actor]` implements it for the struct of each method, so that a message can be made in one place, kept, and asked
/// in another:
///
/// ```
/// use minder_runtime::{AskError, Message, Reply};
///
/// struct Read;
///
/// enum CounterMsg {
///     Read(Read, Reply<u64>),
/// }
///
/// impl From<Read> for CounterMsg {
///     fn from(message: Read) -> Self {
///         Self::Read(message, Reply::nobody())
///     }
/// }
///
/// impl Message<CounterMsg> for Read {
///     type Answer = u64;
///     type Outcome = Result<u64, AskError<CounterMsg>>;
///
///     fn with_reply(self, reply: Reply<u64>) -> CounterMsg {
///         CounterMsg::Read(self, reply)
///     }
///
///     fn outcome(asked: Result<u64, AskError<CounterMsg>>) -> Self::Outcome {
///         asked
///     }
/// }
/// # async fn ask(counter: &minder_runtime::Addr<CounterMsg>) -> Result<(), AskError<CounterMsg>> {
/// let kept = Read;
/// let count: u64 = kept.to(counter).await?;
/// # Ok(())
/// # }
/// ```
pub trait Message<M>: Into<M> + Send + Sized + 'static {
    /// What the [`Reply`] takes.
    type Answer: Send + 'static;

    /// What an awaited [`Call`] gives: the answer, or why there is none.
    type Outcome;

    /// The message with the reply that it is answered by.
    fn with_reply(self, reply: Reply<Self::Answer>) -> M;

    /// Makes the outcome of what came of an ask.
    fn outcome(asked: Result<Self::Answer, AskError<M>>) -> Self::Outcome;

    /// A call of the actor with this message.
    fn to(self, actor: &Addr<M>) -> Call<'_, M, Self, impl Asks<'_, M, Self>>
    where
        M: Send + 'static,
    {
        call(actor, self)
    }
}

/// A message and whom it is for. Nothing happens until it is said what shall be done:
///
/// | | |
/// |---|---|
/// | `call.await` | asks: at most 5 seconds |
/// | `call.within(d).await` | asks, with a deadline of one's own |
/// | `call.tell()` | tells: never waits, nobody answers |
/// | `call.send().await` | tells, as soon as there is room |
/// | `call.blocking()` | asks from a plain thread, and holds it up |
/// | `call.forward(reply)` | tells, and has the actor answer a [`Reply`] that one holds |
///
/// # Cancel safety
/// As [`Addr::ask`] and [`Addr::send`].
#[must_use = "a call does nothing by itself: `.await` asks, `.tell()` tells, `.send().await` tells once there is room"]
pub struct Call<'a, M, Q, A> {
    to: &'a Addr<M>,
    message: Q,
    within: Duration,
    /// How it is asked; `()` for messages that cannot be asked.
    ask: A,
}

/// How a call is asked: the name of a future that has none.
///
/// Implemented for functions; nobody else needs to.
pub trait Asks<'a, M, Q: Message<M>>: Send {
    /// The ask under way.
    type Asking: Future<Output = Q::Outcome> + Send;

    /// Asks, with this deadline.
    fn ask(self, to: &'a Addr<M>, message: Q, within: Duration) -> Self::Asking;
}

impl<'a, M, Q, F, Asking> Asks<'a, M, Q> for F
where
    M: 'a,
    Q: Message<M>,
    F: FnOnce(&'a Addr<M>, Q, Duration) -> Asking + Send,
    Asking: Future<Output = Q::Outcome> + Send,
{
    type Asking = Asking;

    fn ask(self, to: &'a Addr<M>, message: Q, within: Duration) -> Asking {
        self(to, message, within)
    }
}

/// A call of the actor with this message.
pub fn call<'a, M, Q>(to: &'a Addr<M>, message: Q) -> Call<'a, M, Q, impl Asks<'a, M, Q>>
where
    M: Send + 'static,
    Q: Message<M>,
{
    // One future in another, as few as can be: each costs an ask a few percent.
    let ask = |to: &'a Addr<M>, message: Q, within: Duration| async move {
        Q::outcome(to.ask_within(within, |reply| message.with_reply(reply)).await)
    };
    Call { to, message, within: DEFAULT_DEADLINE, ask }
}

impl<'a, M, Q> Call<'a, M, Q, ()> {
    /// A call of the actor with a message that is never answered.
    #[doc(hidden)]
    pub fn unanswered(to: &'a Addr<M>, message: Q) -> Self {
        Self { to, message, within: DEFAULT_DEADLINE, ask: () }
    }
}

impl<M: Send + 'static, Q: Into<M>, A> Call<'_, M, Q, A> {
    /// Tells, without waiting. What the method returns is dropped; an `Err` is counted and reported as
    /// [`Event::Unheard`](crate::Event::Unheard).
    ///
    /// # Errors
    /// As [`Addr::tell`].
    pub fn tell(self) -> Result<(), TellError<M>> {
        self.to.tell(self.message)
    }

    /// Tells, as soon as there is room.
    ///
    /// # Errors
    /// As [`Addr::send`].
    ///
    /// # Cancel safety
    /// As [`Addr::send`].
    pub fn send<'a>(self) -> impl Future<Output = Result<(), TellError<M>>>
    where
        Self: 'a,
    {
        let Self { to, message, .. } = self;
        to.send(message)
    }

    /// The message itself, to be kept or recorded.
    pub fn into_message(self) -> Q {
        self.message
    }
}

impl<M: Send + 'static, Q: Message<M>, A> Call<'_, M, Q, A> {
    /// Asks with this deadline; waiting for room counts against it.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Tells, without waiting, and has the actor answer this reply: whoever waits for it gets the answer from there.
    ///
    /// # Errors
    /// As [`Addr::forward`].
    pub fn forward(self, reply: Reply<Q::Answer>) -> Result<(), TellError<M>> {
        self.to.forward(reply, |reply| self.message.with_reply(reply))
    }
}

impl<'a, M: Send + 'static, Q: Message<M>, A: Asks<'a, M, Q>> Call<'a, M, Q, A> {
    /// Asks from a thread that is no task, and holds it up until the answer is there.
    ///
    /// # Errors
    /// As an awaited call, and as [`Addr::ask_blocking`].
    pub fn blocking(self) -> Q::Outcome {
        if !blocking_ask::may_block() {
            return Q::outcome(Err(AskError::WouldBlock));
        }
        let Self { to, message, within, ask } = self;
        let asked = blocking_ask::block_on(&to.cell.core.system, within, ask.ask(to, message, within));
        asked.unwrap_or_else(|| Q::outcome(Err(AskError::TimedOut)))
    }
}

impl<'a, M, Q: Message<M>, A: Asks<'a, M, Q>> IntoFuture for Call<'a, M, Q, A> {
    type Output = Q::Outcome;
    type IntoFuture = A::Asking;

    fn into_future(self) -> A::Asking {
        self.ask.ask(self.to, self.message, self.within)
    }
}

impl<M, Q: fmt::Debug, A> fmt::Debug for Call<'_, M, Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({:?} to {:?})", self.message, self.to)
    }
}

/// Why a call of a method that returns a `Result` gave no value: one level of `?` instead of two.
///
/// ```
/// # use minder_runtime::{AskError, CallError};
/// # #[derive(Debug)]
/// # struct Overdraft;
/// # struct AccountMsg;
/// fn explain(outcome: Result<u64, CallError<AccountMsg, Overdraft>>) -> String {
///     match outcome {
///         Ok(left) => format!("{left} left"),
///         Err(CallError::Failed(Overdraft)) => "not enough on it".into(),
///         Err(CallError::Unanswered(error)) => error.to_string(),
///     }
/// }
/// # assert_eq!(explain(Err(CallError::Failed(Overdraft))), "not enough on it");
/// ```
///
/// Complete by definition: either the method ran and returned its error, or there is no answer.
#[derive(PartialEq)]
pub enum CallError<M, E> {
    /// The method ran and returned this error.
    Failed(E),
    /// There is no answer.
    Unanswered(AskError<M>),
}

impl<M, E> CallError<M, E> {
    /// The method's own error, if it ran.
    pub fn failed(self) -> Option<E> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Unanswered(_) => None,
        }
    }
}

impl<M, E> From<AskError<M>> for CallError<M, E> {
    fn from(error: AskError<M>) -> Self {
        Self::Unanswered(error)
    }
}

impl<M, E: fmt::Display> fmt::Display for CallError<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Unanswered(error) => error.fmt(f),
        }
    }
}

impl<M, E: fmt::Debug> fmt::Debug for CallError<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
            Self::Unanswered(error) => f.debug_tuple("Unanswered").field(error).finish(),
        }
    }
}

impl<M, E: std::error::Error> std::error::Error for CallError<M, E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            Self::Unanswered(_) => None,
        }
    }
}
