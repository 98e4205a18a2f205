//! Methods named as the hooks of `trait Actor` are these hooks, and may leave out what they do not need.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use minder::prelude::*;
use minder::{MonitorId, StartActorError, Winding};

use crate::support::{Refused, system};

struct Full {
    journal: Sender<String>,
    watched: Option<MonitorId>,
}

impl Full {
    fn note(&self, line: String) {
        self.journal.send(line).expect("the test reads");
    }
}

#[actor]
impl Full {
    async fn started(&mut self, context: &mut Context<FullMsg>) -> Handled {
        context.trap_exit(true);
        self.note(format!("started {}", context.id().incarnation()));
        Ok(())
    }

    fn watch(&mut self, other: Addr<ShortMsg>, context: &mut Context<FullMsg>) {
        self.watched = Some(context.monitor(&other));
    }

    async fn notice(&mut self, context: &mut Context<FullMsg>, notice: Notice) -> Result<(), Refused> {
        let _ = context;
        let Notice::Down(down) = notice else { return Err(Refused("no such notice")) };
        self.note(format!("down {} {}", down.reason, Some(down.monitor) == self.watched));
        Ok(())
    }

    fn stop_requested(&mut self, reason: &ExitReason) -> Winding {
        self.note(format!("asked to stop: {reason}"));
        Winding::Done
    }

    async fn stopping(&mut self, reason: &ExitReason, context: &mut Context<FullMsg>) {
        context.sleep(Duration::from_secs(1)).await;
        self.note(format!("stopping: {reason}"));
    }

    fn format_status(&self) -> Option<String> {
        Some(format!("watches: {}", self.watched.is_some()))
    }
}

/// Sync, and without what it does not need. It has a message whose name is that of a hook.
struct Short(Sender<String>);

#[actor]
impl Short {
    fn started(&mut self) {
        self.0.send("short started".into()).expect("the test reads");
    }

    #[message(Begun)]
    fn notice(&mut self, reason: ExitReason, context: &mut Context<ShortMsg>) {
        context.stop(reason);
    }

    fn stopping(&mut self) {
        self.0.send("short stopping".into()).expect("the test reads");
    }
}

/// Its hooks fail.
struct Failing;

#[actor]
impl Failing {
    fn started(&mut self) -> Result<(), Refused> {
        Err(Refused("not today"))
    }
}

fn lines(journal: &Receiver<String>) -> Vec<String> {
    journal.try_iter().collect()
}

#[tokio::test(start_paused = true)]
async fn hooks_are_called() {
    let (system, _) = system();
    let (journal, read) = channel();
    let (full, seat) = system.address();
    let to = journal.clone();
    let make = move || Full { journal: to, watched: None };
    system.start(seat, "full", make).await.expect("it starts");
    let short = system.spawn(move || Short(journal)).expect("the system runs");
    full.watch(short.clone()).await.expect("it is there");
    let status = full.sys().status().await.expect("it lives");
    assert_eq!(status.state.as_deref(), Some("watches: true"));
    short.notice(ExitReason::other("enough")).tell().expect("there is room");
    short.ended().await;
    assert!(system.shutdown(Duration::from_secs(5)).await.is_clean());
    let expected = [
        "started 1",
        "short started",
        "short stopping",
        "down enough true",
        "asked to stop: shutdown",
        "stopping: shutdown",
    ];
    assert_eq!(lines(&read), expected);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_fails_the_start() {
    let (system, _) = system();
    let (_, seat) = system.address::<FailingMsg>();
    let started = system.start(seat, "failing", || Failing).await;
    let reason = started.map(drop).map_err(StartActorError::into_reason);
    assert_eq!(reason, Err(ExitReason::error(Refused("not today"))));
}
