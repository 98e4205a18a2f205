//! Exit reasons and refusals: words of a scenario as reasons of ours, and ours as words of a trace.

use std::error::Error;
use std::fmt;

use minder::supervisors::{SpecError, StartFailed};
use minder::{ExitReason, StartError};

use crate::words::Words;

/// A term of Erlang's, as it is printed in traces.
#[derive(Debug)]
pub(super) struct Term(pub(super) String);

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Term {}

/// A reason as it is written in a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Word(String),
    Shutdown(String),
    /// A raised error, where somebody raises it; elsewhere a term like any other.
    Error(String),
}

impl Reason {
    /// # Errors
    /// What was expected.
    pub(super) fn parse(words: &Words) -> Result<Self, String> {
        if let Some((kind, [Words::Word(word)])) = words.call() {
            match kind {
                "shutdown" => return Ok(Self::Shutdown(word.clone())),
                "error" => return Ok(Self::Error(word.clone())),
                _ => {}
            }
        }
        let Some(word) = words.word() else { return Err(format!("a reason instead of `{words}`")) };
        Ok(Self::of(word))
    }

    pub(super) fn of(word: &str) -> Self {
        match word.split_once(':') {
            Some(("shutdown", word)) => Self::Shutdown(word.to_owned()),
            Some(("error", word)) => Self::Error(word.to_owned()),
            _ => Self::Word(word.to_owned()),
        }
    }

    /// As a reason that somebody passes on.
    pub(super) fn exit(&self) -> ExitReason {
        match self {
            Self::Word(word) => match word.as_str() {
                "normal" => ExitReason::Normal,
                "shutdown" => ExitReason::Shutdown,
                "killed" => ExitReason::Killed,
                "noproc" => ExitReason::NoActor,
                word => ExitReason::other(word),
            },
            Self::Shutdown(word) => ExitReason::shutdown_with(Term(word.clone())),
            Self::Error(word) => ExitReason::error(Term(format!("(error {word})"))),
        }
    }
}

/// A reason as traces have it.
pub(super) fn shown(reason: &ExitReason) -> String {
    match reason {
        ExitReason::Normal => "normal".to_owned(),
        ExitReason::Shutdown => "shutdown".to_owned(),
        ExitReason::Killed => "killed".to_owned(),
        ExitReason::NoActor => "noproc".to_owned(),
        ExitReason::Panic(report) => format!("(error {})", report.text),
        ExitReason::ShutdownWith(cause) => match cause.downcast_ref::<StartFailed>() {
            Some(failed) => {
                format!("(shutdown (failed_to_start_child {} {}))", failed.child(), shown(failed.reason()))
            }
            None => format!("(shutdown {cause})"),
        },
        ExitReason::Error(error) => {
            if let Some(error) = error.downcast_ref::<SpecError>() {
                return refused_at_start(error);
            }
            match error.downcast_ref::<StartError>() {
                Some(StartError::SeatTaken(_)) => "already_started".to_owned(),
                _ => error.to_string(),
            }
        }
        other => other.to_string(),
    }
}

/// A specification that a supervisor refuses when it starts.
fn refused_at_start(error: &SpecError) -> String {
    match error {
        SpecError::ZeroPeriod => "(supervisor_data (invalid_period 0))".to_owned(),
        SpecError::DynamicWithChildren => "(bad_start_spec)".to_owned(),
        other => format!("(start_spec {})", refused(other)),
    }
}

/// What is wrong with the specification of a child.
pub(super) fn refused(error: &SpecError) -> String {
    match error {
        SpecError::DuplicateId(id, ..) => format!("(duplicate_child_name {id})"),
        SpecError::EmptyId(_) => "missing_id".to_owned(),
        SpecError::SignificantPermanent(_) => {
            "(bad_combination ((restart permanent) (significant true)))".to_owned()
        }
        SpecError::SignificantWithoutAutoShutdown(_) => {
            "(bad_combination ((auto_shutdown never) (significant true)))".to_owned()
        }
        other => format!("(minder {other:?})"),
    }
}
