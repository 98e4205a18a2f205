//! A plain async function as a child: an actor whose one message is to run it. An optional one is made before that, by
//! the factory.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use minder_runtime::{Actor, Context, ExitReason, Handled};

/// What an async function under supervision may return.
pub trait IntoExit: Send {
    /// The exit that it amounts to.
    fn into_exit(self) -> ExitReason;
}

impl IntoExit for () {
    fn into_exit(self) -> ExitReason {
        ExitReason::Normal
    }
}

/// Errors of any kind that can be boxed, so that functions written for `anyhow` or `Box<dyn Error>` fit as they are.
impl<E: Into<Box<dyn Error + Send + Sync>> + Send> IntoExit for Result<(), E> {
    fn into_exit(self) -> ExitReason {
        match self {
            Ok(()) => ExitReason::Normal,
            Err(error) => ExitReason::Error(Arc::from(error.into())),
        }
    }
}

pub(crate) struct TaskActor<F> {
    run: F,
}

impl<F> TaskActor<F> {
    pub(crate) fn new(run: F) -> Self {
        Self { run }
    }
}

/// The one message.
pub(crate) struct Run;

impl<F, Fut> Actor for TaskActor<F>
where
    F: Fn(&Context<Run>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoExit> + Send + 'static,
{
    type Msg = Run;

    async fn started(&mut self, context: &mut Context<Run>) -> Handled {
        context.tell_self(Run);
        Ok(())
    }

    async fn handle(&mut self, Run: Run, context: &mut Context<Run>) -> Handled {
        let exit = (self.run)(context).await.into_exit();
        context.stop(exit);
        Ok(())
    }
}

pub(crate) struct OptionalTask<Fut> {
    /// Until it runs.
    task: Option<Pin<Box<Fut>>>,
}

impl<Fut> OptionalTask<Fut> {
    pub(crate) fn new(task: Fut) -> Self {
        Self { task: Some(Box::pin(task)) }
    }
}

impl<Fut> Actor for OptionalTask<Fut>
where
    Fut: Future<Output: IntoExit> + Send + 'static,
{
    type Msg = Run;

    async fn started(&mut self, context: &mut Context<Run>) -> Handled {
        context.tell_self(Run);
        Ok(())
    }

    async fn handle(&mut self, Run: Run, context: &mut Context<Run>) -> Handled {
        if let Some(task) = self.task.take() {
            let exit = task.await.into_exit();
            context.stop(exit);
        }
        Ok(())
    }
}
