//! What an actor is told besides its messages, and what stands in its lane.

use minder_mailbox::Queued;
use minder_signals::{ActorId, Down, Exit, ExitReason};

use crate::jobs::Outcome;
use crate::redelivery::Past;
use crate::reply::Envelope;
use crate::streams::StreamNotice;
use crate::timeouts::TimeoutId;
use crate::timers::TimerId;

/// Something that happened to an actor this one is linked to, watches, or minds, or to a stream of its own. Stands in the same lane as messages,
/// in order of arrival, and is exempt from the mailbox's bound.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A trapped exit signal.
    Exit(Exit),
    /// A monitor fired.
    Down(Down),
    /// News of an actor that this one minds.
    Child(ChildNotice),
    /// A stream that this one has attached is over.
    Stream(StreamNotice),
    /// A time-out that this actor started: see [`Context::start_timeout`](crate::Context::start_timeout).
    Timeout(TimeoutId),
}

/// News of an actor, for its minder.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildNotice {
    /// Which incarnation.
    pub child: ActorId,
    /// What happened to it.
    pub event: ChildEvent,
}

/// What happened to a minded actor. Every start that was begun is followed by exactly one of [`ChildEvent::Started`],
/// [`ChildEvent::Ignored`] and [`ChildEvent::StartFailed`], and [`ChildEvent::Started`] by exactly one [`ChildEvent::Exited`].
/// In between comes at most one [`ChildEvent::Ready`]; said on another thread in the moment of the end, it may come behind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ChildEvent {
    /// It acknowledged its start.
    Started,
    /// It said that it is ready to serve: see [`Context::ready`](crate::Context::ready).
    Ready,
    /// There was nothing to run: no actor lives, and nothing is left of it. Not a failure.
    Ignored,
    /// It ended before it had acknowledged its start; nothing is left of it.
    StartFailed(ExitReason),
    /// It ended; nothing is left of it.
    Exited {
        /// Why.
        reason: ExitReason,
        /// Whether the end is its own fault. Not if an idempotent message was in hand: that message is suspected first,
        /// is delivered again, and is moved aside if it crashes too many (see `Actor::redelivery`). A minder that counts
        /// crashes should bound how many it leaves uncounted.
        charged: bool,
    },
}

/// One place in the lane.
pub(crate) enum Item<M> {
    Tell(M),
    Ask(M, Envelope<M>),
    /// A message for this incarnation only. In 64 bits: a smaller field would move the others off their alignment, and
    /// every message would be copied in odd pieces.
    Bound(M, u64),
    /// An idempotent message that was in hand when an incarnation ended. Boxed so that it does not make every message's
    /// place larger.
    Again(M, Box<Past<M>>),
    /// A message of the actor's own timers, or one it sent itself past the bound.
    Own(M),
    /// One that the actor itself has put at the head: nothing overtakes it.
    Next(M),
    /// An interval is due; the message is made when this is taken out.
    Tick(TimerId),
    /// A job is over; the message is made when this is taken out.
    Outcome(Box<dyn Outcome<M>>),
    /// Boxed so that rare notices do not make every message's place larger.
    Notice(Box<Notice>),
    /// Where the stop of its minder comes to its turn, behind all that the actor still handles.
    Stop,
}

impl<M> Item<M> {
    /// Whether it was meant for one incarnation and means nothing to the next.
    pub(crate) fn is_of_incarnation(&self) -> bool {
        match self {
            Self::Own(_)
            | Self::Next(_)
            | Self::Tick(_)
            | Self::Outcome(_)
            | Self::Notice(_)
            | Self::Stop => true,
            Self::Tell(_) | Self::Ask(..) | Self::Bound(..) | Self::Again(..) => false,
        }
    }

    /// The message, if it is one.
    pub(crate) fn into_message(self) -> Option<M> {
        match self {
            Self::Tell(message)
            | Self::Ask(message, _)
            | Self::Bound(message, _)
            | Self::Again(message, _)
            | Self::Own(message)
            | Self::Next(message) => Some(message),
            Self::Tick(_) | Self::Outcome(_) | Self::Notice(_) | Self::Stop => None,
        }
    }

    /// The message, if it is one.
    pub(crate) fn message(&self) -> Option<&M> {
        match self {
            Self::Tell(message)
            | Self::Ask(message, _)
            | Self::Bound(message, _)
            | Self::Again(message, _)
            | Self::Own(message)
            | Self::Next(message) => Some(message),
            Self::Tick(_) | Self::Outcome(_) | Self::Notice(_) | Self::Stop => None,
        }
    }

    /// Whether it is a message for one incarnation only.
    pub(crate) fn is_bound(&self) -> bool {
        match self {
            Self::Bound(..) => true,
            Self::Ask(_, envelope) => envelope.bound().is_some(),
            _ => false,
        }
    }
}

impl<M> Queued for Item<M> {
    #[inline]
    fn is_counted(&self) -> bool {
        matches!(self, Self::Tell(_) | Self::Ask(..) | Self::Bound(..) | Self::Again(..))
    }
}
