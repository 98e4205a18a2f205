//! Actors that the rows share, and small words for them.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder::prelude::*;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Counts, and can be made to misbehave.
#[derive(Default)]
pub(crate) struct Counter(u64);

pub(crate) enum Msg {
    Add(u64),
    Read(Reply<u64>),
    /// Waits before it goes on.
    Nap(Duration),
    Panic(&'static str),
    Fail,
}

impl Actor for Counter {
    type Msg = Msg;

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Add(n) => self.0 += n,
            Msg::Read(reply) => drop(reply.send(self.0)),
            Msg::Nap(duration) => context.sleep(duration).await,
            Msg::Panic(text) => panic!("{text}"),
            Msg::Fail => return Err(ExitReason::other("failed")),
        }
        Ok(())
    }
}

/// What several write down, in order.
#[derive(Clone)]
pub(crate) struct Notes<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Notes<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Notes<T> {
    pub(crate) fn add(&self, note: T) {
        self.0.lock().expect("nobody panics with it").push(note);
    }

    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics with it"))
    }
}

/// Writes down every number it is sent.
pub(crate) struct Scribe(pub(crate) Notes<u64>);

impl Actor for Scribe {
    type Msg = u64;

    async fn handle(&mut self, number: u64, _: &mut Context<u64>) -> Handled {
        self.0.add(number);
        Ok(())
    }
}

/// Lets others run once, without tokio.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

pub(crate) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("tests are short")
}

/// Runs one test of this binary in a process of its own; returns what it printed.
pub(crate) fn in_another_process(test: &str, environment: (&str, &str)) -> String {
    let this = std::env::current_exe().expect("this binary has a path");
    let output = Command::new(this)
        .args(["--exact", test, "--nocapture"])
        .env(environment.0, environment.1)
        .output()
        .expect("this binary can be run");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
