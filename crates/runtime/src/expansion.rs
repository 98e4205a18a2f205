//! What the expansion of `#[actor]` calls, and nobody else should: it changes with the macro.

use std::fmt::{Debug, Display};

pub use crate::call::CallError;
use crate::context::Context;
use crate::events::Event;
use crate::reply::{AskError, Reply};

/// A `Result` under whatever alias a method returns it.
pub trait Fallible {
    /// What `Ok` holds.
    type Value;
    /// What `Err` holds.
    type Error;

    /// The result itself.
    ///
    /// # Errors
    /// Its own.
    fn into_result(self) -> Result<Self::Value, Self::Error>;
}

impl<T, E> Fallible for Result<T, E> {
    type Value = T;
    type Error = E;

    fn into_result(self) -> Result<T, E> {
        self
    }
}

/// The two ways in which a call of a fallible method gives no value, as one.
///
/// # Errors
/// Either of them.
pub fn flatten<M, T, E>(asked: Result<Result<T, E>, AskError<M>>) -> Result<T, CallError<M, E>> {
    asked?.map_err(CallError::Failed)
}

/// Answers if somebody asked: now, or after the clean-up if the actor has asked for its own end.
#[inline]
pub fn answer<M: Send + 'static, T: Send + 'static>(reply: Reply<T>, value: T, context: &mut Context<M>) {
    // An asker that has gone away is no concern of who answers.
    context.answer(reply, value, |_, _| {});
}

/// Answers a result as [`answer`] does, and has the error said if it reaches nobody.
#[inline]
pub fn answer_result<M: Send + 'static, T, E>(
    reply: Reply<Result<T, E>>,
    result: Result<T, E>,
    context: &mut Context<M>,
    unheard: impl FnOnce(&Context<M>, E) + Send + 'static,
) where
    Result<T, E>: Send + 'static,
{
    context.answer(reply, result, |context, result| {
        if let Err(error) = result {
            unheard(context, error);
        }
    });
}

/// An error reached nobody.
#[cold]
pub fn unheard<M: Send + 'static>(context: &Context<M>, message: &'static str, error: &str) {
    context.report(&Event::Unheard { path: &context.path(), id: context.id(), message, error });
}

/// An error as text: as it is displayed, or else debugged, or else by the name of its type. Which of these it can be is
/// found by the depth of references at which a method is found: `(&&&Describe(&error)).describe()`.
#[derive(Debug)]
pub struct Describe<'a, E>(pub &'a E);

/// First choice.
pub trait ByDisplay {
    /// As text.
    fn describe(&self) -> String;
}

/// Second choice.
pub trait ByDebug {
    /// As text.
    fn describe(&self) -> String;
}

/// Last choice.
pub trait ByName {
    /// As text.
    fn describe(&self) -> String;
}

impl<E: Display> ByDisplay for &&Describe<'_, E> {
    fn describe(&self) -> String {
        self.0.to_string()
    }
}

impl<E: Debug> ByDebug for &Describe<'_, E> {
    fn describe(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl<E> ByName for Describe<'_, E> {
    fn describe(&self) -> String {
        std::any::type_name::<E>().to_owned()
    }
}
