//! What a supervisor and its environment say to each other, with children by the number of their place: the same for every
//! kind of supervisor and its plain model. `A` is what may be asked for.
//! Nothing happens here.

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{ChildState, Part};

/// What the environment tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input<A> {
    Started(usize),
    StartFailed(usize, ExitReason),
    Ignored(usize),
    /// The last word: whether it is charged.
    Exited(usize, ExitReason, bool),
    StopDeadline(usize),
    /// Of the limit that all children share at the end.
    EndDeadline,
    TryAgain(usize),
    /// The time of a wait on account of this child, by the number of the wait.
    RestartDue(usize, usize),
    /// What came of a part of a change within this child.
    PartDone(usize, bool),
    /// Of a change that is asked for part by part: whether the next is, or none ever will be.
    NextPart(bool),
    Stop(ExitReason),
    Asked(A),
}

/// What the supervisor does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Start(usize),
    NewEpoch(usize),
    AskToStop(usize),
    Kill(usize),
    SetDeadline(usize, Moment),
    SetEndDeadline(Moment),
    TryAgain(usize),
    /// Between these moments somebody who waits on account of this child is to be started.
    SetRestart(usize, Moment, Moment),
    Forget(usize),
    Ready,
    Exit(ExitReason),
    Add(usize),
    Part(usize, Part),
    LetGo(usize),
    /// Everybody's new place, and the one before.
    Rearrange(Vec<(usize, Option<usize>)>),
    /// Which request, in order of arrival, and the answer in words.
    Answer(u64, String),
}

/// What came to pass, and when.
pub(crate) type History<A> = [(Input<A>, Moment)];

/// Everything that was done, and how the children stand; none who has been forgotten.
pub(crate) type Outcome = (Vec<Act>, Vec<Option<ChildState>>);
