//! Who is measured, and what each must be able to do.
//! Another subject is one more module with these functions, and one more line in `subjects`.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::minder_subject::Minder;
use crate::tokio_subject::{Bare, Bounded, Unbounded};

/// All subjects, in the order in which they take turns.
pub(crate) fn subjects() -> Vec<&'static dyn Subject> {
    vec![&Bare::<Unbounded>::SUBJECT, &Bare::<Bounded>::SUBJECT, &Minder::SUBJECT]
}

/// The capacity of bounded mailboxes and channels: minder's default.
pub(crate) const BOUND: usize = 1_024;

/// One run, driven as a task on a worker; resolves to the time that its measured part took.
/// Setting up comes before the clock starts and tearing down after it has stopped.
pub(crate) type Run = Pin<Box<dyn Future<Output = Duration> + Send>>;

/// Whatever must be kept so that idle actors stay alive.
pub(crate) type Kept = Box<dyn Any + Send>;

/// A way to have tasks that take messages.
///
/// The message is a `u64`, senders wait where the queue is bounded, and whoever receives does next to nothing.
pub(crate) trait Subject: Sync {
    fn name(&self) -> &'static str;

    /// The driver sends to one receiver; until the last message is handled.
    fn tell(&self, messages: u64) -> Run;

    /// So many senders, tasks of their own, send so many messages each to one receiver; until the last is handled.
    fn fan_in(&self, senders: u64, messages_each: u64) -> Run;

    /// One number travels round a ring, each receiver sending it on; ping-pong is a ring of two.
    fn ring(&self, receivers: usize, hops: u64) -> Run;

    /// The driver asks and waits for the answer, one ask at a time.
    fn ask(&self, asks: u64) -> Run;

    /// Until every one of so many has run for the first time, ready to receive.
    fn spawn(&self, actors: usize) -> Run;

    /// A message is answered with an error that ends the receiver; until its successor has handled a message. Repeated.
    fn restart(&self, crashes: u64) -> Run;

    /// So many receivers that have started and have nothing to do, with an address to each; `supervised` means that
    /// somebody will notice the end of each.
    fn idle(&self, actors: usize, supervised: bool) -> Pin<Box<dyn Future<Output = Kept> + Send>>;
}

/// How a receiver tells the driver that something has happened; the same for every subject.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signal(Arc<Notify>);

impl Signal {
    pub(crate) fn give(&self) {
        self.0.notify_one();
    }

    /// Resolves at once if it was given since the last wait.
    pub(crate) async fn wait(&self) {
        self.0.notified().await;
    }
}

/// Says when so many have come up.
#[derive(Debug, Clone)]
pub(crate) struct Countdown(Arc<(AtomicUsize, Signal)>);

impl Countdown {
    pub(crate) fn new(of: usize) -> Self {
        Self(Arc::new((AtomicUsize::new(of), Signal::default())))
    }

    pub(crate) fn one_is_up(&self) {
        let (left, all_up) = &*self.0;
        if left.fetch_sub(1, Ordering::AcqRel) == 1 {
            all_up.give();
        }
    }

    pub(crate) async fn wait(&self) {
        self.0.1.wait().await;
    }
}

/// What a receiver that may crash is told.
#[derive(Debug)]
pub(crate) enum Order {
    Work,
    Crash,
}

#[expect(clippy::disallowed_methods, reason = "a bare task is what minder is compared with")]
pub(crate) fn bare_task<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(task)
}
