//! An actor whose messages say whether they are idempotent and how often they crash it, and that counts by itself what
//! the platform counts too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use minder::Postponed;
use minder::prelude::*;

use crate::support::*;

/// How a job ends the actor that has it in hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    Panic,
    Error,
    Hang,
}

/// One piece of work.
pub(crate) struct Job {
    pub(crate) id: u32,
    pub(crate) idempotent: bool,
    /// Ends the actor so at its first deliveries, this many.
    pub(crate) fails: Option<(How, u32)>,
    /// Waits so long in hand.
    pub(crate) takes: Duration,
    /// Stops the actor, in order, when it is done.
    pub(crate) stops: bool,
    /// Is postponed so often before it is begun, for a while each time.
    pub(crate) postponed: u32,
    /// Crashes the actor that has just postponed it.
    pub(crate) postponed_with_a_crash: bool,
    pub(crate) reply: Option<Reply<u32>>,
    trace: Arc<Trace>,
}

/// What happened to a job and its copies.
#[derive(Default)]
struct Trace {
    begun: AtomicBool,
    /// How often it was postponed.
    postponed: AtomicU64,
    /// There is one of these for each copy.
    alive: Arc<()>,
}

impl Job {
    pub(crate) fn new(id: u32) -> Self {
        Self {
            id,
            idempotent: false,
            fails: None,
            takes: Duration::ZERO,
            stops: false,
            postponed: 0,
            postponed_with_a_crash: false,
            reply: None,
            trace: Arc::default(),
        }
    }

    pub(crate) fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    pub(crate) fn failing(mut self, how: How, times: u32) -> Self {
        self.fails = Some((how, times));
        self
    }

    pub(crate) fn taking(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    pub(crate) fn postponed(mut self, times: u32) -> Self {
        self.postponed = times;
        self
    }

    /// The same as a question.
    pub(crate) fn asking(mut self, reply: Reply<u32>) -> Self {
        self.reply = Some(reply);
        self
    }

    /// Exists as long as a copy of this job does.
    pub(crate) fn life(&self) -> std::sync::Weak<()> {
        Arc::downgrade(&self.trace.alive)
    }
}

/// What an actor counts over all its lives.
#[derive(Clone, Default)]
pub(crate) struct Counted(Arc<Counts>);

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) in_hand: AtomicU64,
    pub(crate) handled: AtomicU64,
    /// Begun for the first time, of those that are handled at most once.
    pub(crate) begun_once: AtomicU64,
    /// Handled to the end, of those.
    pub(crate) handled_once: AtomicU64,
    pub(crate) in_hand_once: AtomicU64,
    /// Deliveries after the first.
    pub(crate) again: AtomicU64,
    pub(crate) postponed: AtomicU64,
}

impl std::ops::Deref for Counted {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        &self.0
    }
}

/// Counts while it exists.
struct While<'a>(Vec<&'a AtomicU64>);

impl<'a> While<'a> {
    fn new(counters: Vec<&'a AtomicU64>) -> Self {
        for counter in &counters {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Self(counters)
    }
}

impl Drop for While<'_> {
    fn drop(&mut self) {
        for counter in &self.0 {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Does jobs and notes each delivery.
pub(crate) struct Worker {
    name: &'static str,
    journal: Journal,
    counted: Counted,
    /// What it has postponed, until its time-out.
    later: Vec<Postponed>,
}

impl Worker {
    pub(crate) fn new(name: &'static str, journal: &Journal, counted: &Counted) -> Self {
        Self { name, journal: journal.clone(), counted: counted.clone(), later: Vec::new() }
    }

    /// Puts a job off, if it is one for that.
    fn postpone(&mut self, job: Job, context: &mut Context<Job>) -> Option<Job> {
        let before = job.trace.postponed.load(Ordering::Relaxed);
        if before >= u64::from(job.postponed) {
            return Some(job);
        }
        job.trace.postponed.store(before + 1, Ordering::Relaxed);
        self.counted.postponed.fetch_add(1, Ordering::Relaxed);
        let (id, crashes) = (job.id, job.postponed_with_a_crash);
        self.later.push(context.postpone(job));
        context.start_timeout(Duration::from_millis(u64::from(id % 7)));
        assert!(!crashes, "boom");
        None
    }
}

impl Actor for Worker {
    type Msg = Job;

    fn redelivery(job: &Job) -> Option<Job> {
        let reply = job.reply.as_ref().map(Reply::twin);
        job.idempotent.then(|| Job { reply, trace: job.trace.clone(), ..*job })
    }

    async fn handle(&mut self, job: Job, context: &mut Context<Job>) -> Handled {
        let Some(job) = self.postpone(job, context) else { return Ok(()) };
        let counted = self.counted.clone();
        let once = !job.idempotent;
        let _in_hand = if once {
            While::new(vec![&counted.in_hand, &counted.in_hand_once])
        } else {
            While::new(vec![&counted.in_hand])
        };
        let attempt = context.attempt();
        let again = job.trace.begun.swap(true, Ordering::Relaxed);
        assert_eq!(again, attempt > 1, "job {} is delivered for the {attempt}. time", job.id);
        if again {
            counted.again.fetch_add(1, Ordering::Relaxed);
        }
        if once {
            counted.begun_once.fetch_add(1, Ordering::Relaxed);
        }
        self.journal.note(format!("{} {}/{attempt}", self.name, job.id));
        if !job.takes.is_zero() {
            context.sleep(job.takes).await;
        }
        match job.fails {
            Some((how, times)) if attempt <= times => match how {
                How::Panic => panic!("boom"),
                How::Error => return Err(Plain("no").into()),
                How::Hang => std::future::pending().await,
            },
            _ => {}
        }
        if job.stops {
            context.stop(ExitReason::Normal);
        }
        if let Some(reply) = job.reply {
            let _ = reply.send(job.id * 10 + attempt);
        }
        counted.handled.fetch_add(1, Ordering::Relaxed);
        if once {
            counted.handled_once.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn notice(&mut self, _: Notice, context: &mut Context<Job>) -> Handled {
        for job in std::mem::take(&mut self.later) {
            context.retry(job);
        }
        Ok(())
    }
}
