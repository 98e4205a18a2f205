//! An ask answered on somebody else's time: a temporary actor that runs one future and answers with what it gives.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use minder_signals::ExitReason;
use tokio::time::Instant;

use crate::actor::{Actor, Handled};
use crate::ask::Alarm;
use crate::context::Context;
use crate::deadlines::WIDTH;
use crate::frame;
use crate::reply::Reply;

pub(crate) struct Delegate<F, T> {
    work: Option<(F, Reply<T>)>,
    until: Option<Instant>,
}

impl<F, T> Delegate<F, T> {
    pub(crate) fn new(work: F, reply: Reply<T>, until: Option<Instant>) -> Self {
        Self { work: Some((work, reply)), until }
    }
}

impl<F, T> Actor for Delegate<F, T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    type Msg = ();

    /// All of it: what ends the actor meanwhile drops the reply with it, and so tells whoever asked.
    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.acknowledge();
        if let Some((work, reply)) = self.work.take() {
            let system = context.cell.core.system.clone();
            let until = self.until;
            // A little later, so that whoever asked hears of the deadline and not of the end of a delegate.
            let end = until.map(|until| system.clock.moment(until) + 2 * WIDTH);
            let mut alarm = end.map(|end| Alarm::new(&system, end));
            let mut work = pin!(work);
            let done = poll_fn(|cx| match frame::under(until, || work.as_mut().poll(cx)) {
                Poll::Ready(value) => Poll::Ready(Some(value)),
                // Nobody waits for it any more.
                Poll::Pending if alarm.as_mut().is_some_and(|alarm| alarm.is_due(cx.waker())) => {
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            });
            if let Some(value) = done.await {
                // Whoever asked may have turned away.
                drop(reply.send(value));
            }
        }
        context.stop(ExitReason::Normal);
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }
}
