//! What the supervisor of tasks does for them, and what becomes of them without: waits before a restart, stops, kills. Rows EXT;
//! the rest is in `task_supervisors.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minder::prelude::*;
use minder::supervisors::{Backoff, OnLimit, yield_many};

use crate::support::*;
use crate::task_supervisors::{hanging, running, tasks, tasks_with};

/// Tasks are temporary unless one is started as something else; its restarts wait all the same.
///
/// OTP: EXT-006.
#[tokio::test(start_paused = true)]
async fn restarts_of_tasks_wait_by_the_backoff_of_their_supervisor() {
    let system = system();
    let backoff = Backoff::new(10 * SECOND, 60 * SECOND, 600 * SECOND).jitter(0.0);
    let tasks = tasks_with(&system, |spec| spec.limit(9, SECOND).backoff(backoff)).await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let run = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Err::<(), _>(Plain("no")))
    };
    tasks.start_as(Restart::Permanent, run).await.expect("there is room");
    for expected in [1, 2, 2, 3] {
        turns().await;
        assert_eq!(runs.load(Ordering::Relaxed), expected);
        pass(11 * SECOND).await;
    }
}

/// None of them is waited for before the others are killed: whoever stops waiting then leaves nobody behind.
///
/// OTP: EXT-009.
#[tokio::test(start_paused = true)]
async fn all_that_are_late_are_killed_before_any_is_waited_for() {
    let system = system();
    let tasks = tasks(&system).await;
    let mut all = [hanging(&tasks).await, hanging(&tasks).await, hanging(&tasks).await];
    {
        let mut late = std::pin::pin!(yield_many(&mut all, SECOND, OnLimit::Kill));
        let mut look = || late.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert!(look().is_pending());
        pass(2 * SECOND).await;
        assert!(look().is_pending(), "they are told now, and it takes them a moment");
    }
    turns().await;
    assert_eq!(running(&tasks).await, 0);
}

/// A supervisor that does not take the request in time does not keep the task alive.
///
/// OTP: EXT-004.
#[tokio::test(start_paused = true)]
async fn a_task_is_killed_if_its_supervisor_cannot_be_asked_to_stop_it() {
    let (system, (journal, mut reader)) = (system(), journal());
    let tasks = tasks(&system).await;
    let puppets = journal.clone();
    let owner = minded(&system, move || Puppet::new("it", &puppets)).await;
    let work = async move {
        let _witness = Witness(journal, "dropped");
        std::future::pending::<u32>().await
    };
    let task = tasks.run(work).await.expect("there is room");
    turns().await;
    tasks.root().address().suspend();
    let asked = owner.ask_within(SECOND, move |reply: Reply<()>| {
        wait(move |puppet, _| {
            Box::pin(async move {
                let outcome = task.shutdown().await;
                puppet.note(format!("{outcome:?}"));
                reply.send(()).ok();
                Ok(())
            })
        })
    });
    assert!(matches!(asked.await, Err(AskError::TimedOut)));
    reader.expect(&["it up", "dropped"]).await;
    tasks.root().address().resume();
    reader.expect(&["it None"]).await;
    assert_eq!(running(&tasks).await, 0);
}
