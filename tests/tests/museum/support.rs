//! What the exhibits share: an actor that does what it is told, notes of what happened, and small words.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use minder::prelude::*;
use minder_fault_injection::testkit::Kit;
use tokio::task::JoinHandle;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// What a player does with one message.
pub(crate) type Deed<'a> = Pin<Box<dyn Future<Output = Handled> + Send + 'a>>;
type Act = Box<dyn for<'a> FnOnce(&'a mut Player, &'a mut Context<Msg>) -> Deed<'a> + Send>;
type AtStart = Arc<dyn Fn(&mut Context<Msg>) -> Handled + Send + Sync>;

pub(crate) enum Msg {
    /// Do this.
    Do(Act),
    /// Write this down.
    Mark(u32),
    /// Answer with the number of this life.
    Life(Reply<u32>),
}

/// An actor that does what it is told, and notes what happens to it.
pub(crate) struct Player {
    name: &'static str,
    pub(crate) notes: Notes,
    /// Whatever it was told to keep for as long as it lives.
    pub(crate) kept: Vec<Box<dyn Any + Send>>,
    traps: bool,
    at_start: Option<AtStart>,
    cleans_up_for: Duration,
}

impl Player {
    pub(crate) fn new(name: &'static str, notes: &Notes) -> Self {
        let (notes, kept, cleans_up_for) = (notes.clone(), Vec::new(), Duration::ZERO);
        Self { name, notes, kept, traps: false, at_start: None, cleans_up_for }
    }

    /// Traps exits from its start on.
    pub(crate) fn trapping(mut self) -> Self {
        self.traps = true;
        self
    }

    /// Takes so long to clean up.
    pub(crate) fn cleaning_up_for(mut self, time: Duration) -> Self {
        self.cleans_up_for = time;
        self
    }

    pub(crate) fn at_start(
        mut self,
        act: impl Fn(&mut Context<Msg>) -> Handled + Send + Sync + 'static,
    ) -> Self {
        self.at_start = Some(Arc::new(act));
        self
    }

    pub(crate) fn note(&self, what: impl std::fmt::Display) {
        self.notes.add(format!("{} {what}", self.name));
    }
}

impl Actor for Player {
    type Msg = Msg;

    async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
        context.trap_exit(self.traps);
        if let Some(act) = self.at_start.clone() {
            act(context)?;
        }
        self.note("up");
        Ok(())
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Do(act) => return act(self, context).await,
            Msg::Mark(number) => self.note(number),
            Msg::Life(reply) => drop(reply.send(context.id().incarnation())),
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<Msg>) -> Handled {
        match notice {
            Notice::Exit(exit) => self.note(format!("hears of {}", short(&exit.reason))),
            Notice::Down(down) => self.note(format!("sees {}", short(&down.reason))),
            _ => {}
        }
        Ok(())
    }

    async fn stopping(&mut self, reason: &ExitReason, context: &mut Context<Msg>) {
        self.note(format!("stopping {}", short(reason)));
        if !self.cleans_up_for.is_zero() {
            context.sleep(self.cleans_up_for).await;
            self.note("cleaned up");
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.note("gone");
    }
}

// --- messages ------------------------------------------------------------------------------------------------------

/// Do this without waiting.
pub(crate) fn act(deed: impl FnOnce(&mut Player, &mut Context<Msg>) -> Handled + Send + 'static) -> Msg {
    Msg::Do(Box::new(move |player, context| Box::pin(async move { deed(player, context) })))
}

/// Do this, with awaits.
pub(crate) fn wait(
    deed: impl for<'a> FnOnce(&'a mut Player, &'a mut Context<Msg>) -> Deed<'a> + Send + 'static,
) -> Msg {
    Msg::Do(Box::new(deed))
}

/// Panic.
pub(crate) fn crash() -> Msg {
    act(|_, _| panic!("boom"))
}

/// Await for ever.
pub(crate) fn hang() -> Msg {
    wait(|_, _| Box::pin(std::future::pending()))
}

/// End with this reason.
pub(crate) fn end(reason: ExitReason) -> Msg {
    act(move |_, context| {
        context.stop(reason);
        Ok(())
    })
}

/// A reason without the place of a panic.
pub(crate) fn short(reason: &ExitReason) -> String {
    match reason {
        ExitReason::Panic(report) => format!("panic {}", report.text),
        other => other.to_string(),
    }
}

/// An error that prints as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plain(pub(crate) &'static str);

impl std::fmt::Display for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Plain {}

// --- notes ---------------------------------------------------------------------------------------------------------

/// What happened, in order. Clones are the same notes.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What has been noted since it was last taken.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.all().iter().filter(|noted| *noted == line).count()
    }

    /// The numbers that this player was told to mark, in the order in which it did.
    pub(crate) fn marks(&self, name: &str) -> Vec<u32> {
        let all = self.all();
        let marks = all.iter().filter_map(|line| line.strip_prefix(name)?.trim_start().parse().ok());
        marks.collect()
    }
}

// --- waiting -------------------------------------------------------------------------------------------------------

/// Lets others run once.
pub(crate) async fn turn() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Lets others run a few times, as chance will have it.
pub(crate) async fn some_turns(kit: &Kit) {
    for _ in 0..kit.random() % 8 {
        turn().await;
    }
}

/// Once in so many times.
pub(crate) fn one_in(kit: &Kit, times: u64) -> bool {
    kit.random().is_multiple_of(times)
}

/// A time by chance, below so many milliseconds.
pub(crate) fn less_than(kit: &Kit, milliseconds: u64) -> Duration {
    Duration::from_millis(kit.random() % milliseconds)
}

/// Polls once.
pub(crate) async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// Runs something on tokio itself, beside the actors: for the exhibits that need real threads.
#[expect(clippy::disallowed_methods, reason = "a client that is no actor is what is meant")]
pub(crate) fn aside<T: Send + 'static>(client: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(client)
}

/// What has to come comes within this time, on a clock on the wall: what is stuck fails its test and does not hold it up.
pub(crate) async fn surely<T>(what: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_secs(60), what).await.ok()
}
