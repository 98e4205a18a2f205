//! What an actor sets going beside its handlers, through its context: timers, jobs, streams. All of it comes back as
//! messages and notices in its own lane, and all of it ends with the incarnation.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use minder_signals::Moment;

use crate::companions::Companions;
use crate::context::Context;
use crate::frame;
use crate::jobs::{Job, JobFailed, JobId};
use crate::streams::{Feeder, StreamId};
use crate::timers::{CancelledTimer, Missed, TimerId, Timers, What};

impl<M: Send + 'static> Context<M> {
    // --- timers ------------------------------------------------------------------------------------------------

    /// Puts a message in this actor's own lane once the time has passed: never early, late by at most 10 ms (in
    /// simulation, exact to the millisecond). Dies with this incarnation.
    ///
    /// # OTP
    /// `erlang:send_after/3`. There is no negative time, and none is too long: what ends after 584 years never fires.
    pub fn send_after(&mut self, after: Duration, message: impl Into<M>) -> TimerId {
        frame::effect();
        let at = self.now() + after;
        self.timers().start(Some(at), What::Once(message.into()))
    }

    /// [`Context::send_after`], at a moment of the system's clock; at once if it has passed.
    ///
    /// # OTP
    /// `erlang:send_after/4` with `{abs, true}`.
    pub fn send_at(&mut self, at: Moment, message: impl Into<M>) -> TimerId {
        frame::effect();
        self.timers().start(Some(at), What::Once(message.into()))
    }

    /// Puts a message in this actor's own lane every `period`, for the first time one period from now. Dies with this
    /// incarnation.
    ///
    /// Ticks do not drift: each is due a period after the one before was due, whenever that was taken up. At most one
    /// stands in the lane, and its message is made when the actor gets there; `missed` says what becomes of those that
    /// would have come meanwhile. A period shorter than a millisecond is one millisecond, and one shorter than the
    /// granularity of [`Context::send_after`] is kept on average only by [`Missed::CatchUp`].
    ///
    /// # OTP
    /// `timer:send_interval/2`, which floods a slow receiver.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use minder_runtime::{Actor, Context, Handled, Missed};
    ///
    /// struct Cleaner;
    ///
    /// struct Clean;
    ///
    /// impl Actor for Cleaner {
    ///     type Msg = Clean;
    ///
    ///     async fn started(&mut self, context: &mut Context<Clean>) -> Handled {
    ///         context.send_every(Duration::from_secs(60), Missed::Skip, || Clean);
    ///         Ok(())
    ///     }
    ///
    ///     async fn handle(&mut self, Clean: Clean, _: &mut Context<Clean>) -> Handled {
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn send_every<N: Into<M>>(
        &mut self,
        period: Duration,
        missed: Missed,
        mut tick: impl FnMut() -> N + Send + 'static,
    ) -> TimerId {
        frame::effect();
        self.timers().start(None, What::every(period, missed, Box::new(move || tick().into())))
    }

    /// How much time a timer has left, an interval until its next tick; nothing if it has fired or was cancelled.
    ///
    /// # OTP
    /// `erlang:read_timer/1`.
    pub fn read_timer(&self, timer: TimerId) -> Option<Duration> {
        self.extra.as_ref()?.timers.as_ref()?.read(timer)
    }

    /// Takes a timer back; nothing if it has fired, even if its message has not been handled yet, or was cancelled. An
    /// interval never comes again, not even with a tick that stands in the lane already.
    ///
    /// # OTP
    /// `erlang:cancel_timer/1`.
    pub fn cancel_timer(&mut self, timer: TimerId) -> Option<CancelledTimer<M>> {
        self.extra.as_ref()?.timers.as_ref()?.cancel(timer)
    }

    fn timers(&mut self) -> &Arc<Timers<M>> {
        let (cell, id) = (self.cell.clone(), self.id());
        self.extra().timers.get_or_insert_with(|| Timers::new(cell, id))
    }

    // --- jobs --------------------------------------------------------------------------------------------------

    /// Runs a future beside this actor, which goes on handling its lane; what came of it, or why nothing did, comes as a
    /// message. There is exactly one for each job, unless this incarnation ends before: it is never silent. A panic in
    /// the job is not a crash of the actor.
    ///
    /// `name` stands in what is told of the job. `then` makes the message, in the actor's own time.
    ///
    /// When not to use this: to do one thing after the other, await it in the handler; for work with a life of its own,
    /// which is to be restarted, linked or addressed, start an actor with [`Context::spawn`]. Jobs have no bound but
    /// yours: one for each message of a flood is a flood of jobs.
    ///
    /// # Ordering
    /// The message comes when nothing of the job is left. When the incarnation ends, however it ends, its jobs are
    /// dropped at their next await, and nobody hears of the end before they are gone.
    ///
    /// ```
    /// use minder_runtime::{Actor, Context, Handled, JobFailed};
    ///
    /// struct Reader;
    ///
    /// enum Msg {
    ///     Fetch(u32),
    ///     Fetched(Result<String, JobFailed>),
    /// }
    ///
    /// async fn fetch(page: u32) -> String {
    ///     format!("page {page}")
    /// }
    ///
    /// impl Actor for Reader {
    ///     type Msg = Msg;
    ///
    ///     async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
    ///         match message {
    ///             Msg::Fetch(page) => drop(context.run("fetch", fetch(page), Msg::Fetched)),
    ///             Msg::Fetched(Ok(page)) => println!("{page}"),
    ///             Msg::Fetched(Err(failed)) => println!("{failed}"),
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn run<T, N>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = T> + Send + 'static,
        then: impl FnOnce(Result<T, JobFailed>) -> N + Send + 'static,
    ) -> JobId
    where
        T: Send + 'static,
        N: Into<M>,
    {
        let job = self.job(name, None);
        let id = JobId(job.companion.number());
        job.run(work, |result| then(result).into());
        id
    }

    /// [`Context::run`] with a limit: a job that takes longer is dropped at its next await, and fails with
    /// [`JobFailed::TimedOut`].
    pub fn run_within<T, N>(
        &mut self,
        limit: Duration,
        name: &'static str,
        work: impl Future<Output = T> + Send + 'static,
        then: impl FnOnce(Result<T, JobFailed>) -> N + Send + 'static,
    ) -> JobId
    where
        T: Send + 'static,
        N: Into<M>,
    {
        let job = self.job(name, Some(limit));
        let id = JobId(job.companion.number());
        job.run(work, |result| then(result).into());
        id
    }

    /// [`Context::run`] for a closure that blocks its thread; it runs on a thread that may block, in simulation as one
    /// step.
    ///
    /// # Cancel safety
    /// A closure that has begun cannot be stopped. If it is cancelled, or its time is over, its actor is told at once, and
    /// what the closure returns is dropped (its panic is an [`Event::UnheardPanic`](crate::Event::UnheardPanic)); but
    /// this incarnation ends only when it has returned. One that has not begun by then never runs.
    pub fn run_blocking<T, N>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(Result<T, JobFailed>) -> N + Send + 'static,
    ) -> JobId
    where
        T: Send + 'static,
        N: Into<M>,
    {
        let job = self.job(name, None);
        let id = JobId(job.companion.number());
        job.run_blocking(self.companions().enter(), work, |result| then(result).into());
        id
    }

    /// [`Context::run_blocking`] with a limit, after which nobody waits for the closure any more.
    pub fn run_blocking_within<T, N>(
        &mut self,
        limit: Duration,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(Result<T, JobFailed>) -> N + Send + 'static,
    ) -> JobId
    where
        T: Send + 'static,
        N: Into<M>,
    {
        let job = self.job(name, Some(limit));
        let id = JobId(job.companion.number());
        job.run_blocking(self.companions().enter(), work, |result| then(result).into());
        id
    }

    /// Cancels a job: it is dropped at its next await, and fails with [`JobFailed::Cancelled`]. False if it is over, or was
    /// cancelled before; its message has come or will.
    pub fn cancel_job(&mut self, job: JobId) -> bool {
        self.extra.as_ref().and_then(|extra| extra.companions.as_ref()).is_some_and(|all| all.cancel(job.0))
    }

    fn job(&mut self, name: &'static str, limit: Option<Duration>) -> Job<M> {
        frame::effect();
        frame::gave();
        let companion = self.companions().enter_cancellable();
        Job { cell: self.cell.clone(), id: self.id(), name, companion, limit }
    }

    // --- streams -----------------------------------------------------------------------------------------------

    /// Attaches a stream: its items come as messages into this actor's lane, made by `message`. They count for the
    /// bound like any other, and are kept or purged over a restart like any other; the stream is polled only after the
    /// item before has been let in, so that a slow actor slows the stream down. At its end, and if it or `message`
    /// panics, a [`Notice::Stream`](crate::Notice::Stream) follows the last of its items; the actor is not harmed.
    ///
    /// When not to use this: for another actor's news, which can tell by itself; where items come faster than they are
    /// handled and old ones are worthless, since none is left out unless the mailbox drops messages; and beside others who
    /// `tell`: a stream that is always ahead keeps the mailbox full, and they are refused. Give it an actor of its own then.
    ///
    /// # Ordering
    /// Items come in the order of the stream. When the incarnation ends, however it ends, the stream is dropped, and
    /// nobody hears of the end before it is gone; the next life attaches its own.
    ///
    /// # Cancel safety
    /// What the stream has yielded and the mailbox has not let in is dropped with it: one item at most.
    ///
    /// ```
    /// use minder_runtime::{Actor, Context, Handled, Notice, Stream};
    ///
    /// /// Adds up the numbers of a stream, and ends with it.
    /// struct Sum<S>(Option<S>, u64);
    ///
    /// impl<S: Stream<Item = u64> + Send + Unpin + 'static> Actor for Sum<S> {
    ///     type Msg = u64;
    ///
    ///     async fn started(&mut self, context: &mut Context<u64>) -> Handled {
    ///         if let Some(numbers) = self.0.take() {
    ///             context.attach(numbers, |number| number);
    ///         }
    ///         Ok(())
    ///     }
    ///
    ///     async fn handle(&mut self, number: u64, _: &mut Context<u64>) -> Handled {
    ///         self.1 += number;
    ///         Ok(())
    ///     }
    ///
    ///     async fn notice(&mut self, notice: Notice, context: &mut Context<u64>) -> Handled {
    ///         if let Notice::Stream(over) = notice {
    ///             context.stop(over.reason);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn attach<S, N>(
        &mut self,
        stream: S,
        mut message: impl FnMut(S::Item) -> N + Send + 'static,
    ) -> StreamId
    where
        S: Stream + Send + 'static,
        N: Into<M>,
    {
        frame::effect();
        frame::gave();
        frame::gave();
        let companion = self.companions().enter_cancellable();
        let stream_id = StreamId(companion.number());
        self.extra().streams.insert(stream_id);
        let feeder = Feeder { cell: self.cell.clone(), id: self.id(), companion };
        feeder.run(stream, move |item| message(item).into());
        stream_id
    }

    /// Detaches a stream, which is dropped, and takes back the notice of its end if that stands in the lane; items that
    /// were let in stay. False if its end was noticed, or it was detached before.
    pub fn detach(&mut self, stream: StreamId) -> bool {
        let Some(extra) = self.extra.as_deref_mut() else { return false };
        if !extra.streams.remove(&stream) {
            return false;
        }
        if let Some(companions) = &extra.companions {
            companions.cancel(stream.0);
        }
        true
    }

    pub(crate) fn companions(&mut self) -> &Arc<Companions> {
        self.extra().companions.get_or_insert_default()
    }
}
