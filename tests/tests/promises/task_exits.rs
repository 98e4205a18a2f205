//! Callers that exit as the tasks they wait for did, and actors and tasks that are linked. Rows EXT-001 and EXT-002; tasks whose
//! failures are values are in `task_supervisors.rs`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{StartInstanceError, Task, TaskFailed, Tasks, await_many};
use minder::{Event, Observer};
use tokio::sync::oneshot;

use crate::support::*;
use crate::task_supervisors::{hanging, running, tasks};

/// What a task is to do, when it is told to.
type Work = oneshot::Sender<Box<dyn FnOnce() -> u32 + Send>>;

fn panicking() -> Box<dyn FnOnce() -> u32 + Send> {
    Box::new(|| panic!("no luck"))
}

/// A task of this actor, linked with it if need be, and what tells it what to do.
async fn task_of(owner: &Addr<Msg>, tasks: &Tasks, is_linked: bool) -> (Work, Task<u32>) {
    let (tell, told) = oneshot::channel();
    let (hand, handed) = oneshot::channel();
    let tasks = tasks.clone();
    let runs = wait(move |_, context| {
        Box::pin(async move {
            let work = async move { told.await.map_or(0, |work: Box<dyn FnOnce() -> u32 + Send>| work()) };
            let task = match is_linked {
                true => tasks.run_linked(context, work).await?,
                false => tasks.run(work).await?,
            };
            drop(hand.send(task));
            Ok(())
        })
    });
    owner.tell(runs).expect("there is room");
    (tell, handed.await.expect("there is room for it"))
}

/// Has the actor wait for the task's result, or exit.
fn awaits(actor: &Addr<Msg>, task: Task<u32>) {
    let awaits = wait(move |puppet, _| {
        Box::pin(async move {
            puppet.note("waits");
            let result = task.or_exit().await?;
            puppet.note(result);
            Ok(())
        })
    });
    actor.tell(awaits).expect("there is room");
}

/// Tells of this actor's end in the journal, as a monitor does.
async fn watched(system: &System, actor: &Addr<Msg>, journal: &Journal) -> Addr<Msg> {
    let (seer, it) = (spawn(system, "seer", journal), actor.clone());
    within(&seer, move |context| context.monitor(&it)).await;
    seer
}

/// The reason with which the last task ended.
#[derive(Default)]
struct LastEnd(Mutex<Option<ExitReason>>);

impl Observer for LastEnd {
    fn event(&self, event: &Event<'_>) {
        if let Event::Exited { path, reason, .. } = event
            && path.starts_with("app/tasks/")
        {
            *self.0.lock().expect("nobody panics with it") = Some((*reason).clone());
        }
    }
}

/// However the task ends before it has a result, its caller ends for the same reason, and so whoever watches it is told.
///
/// OTP: EXT-002.
#[tokio::test(start_paused = true)]
async fn a_caller_exits_with_the_reason_of_its_task() {
    enum End {
        Panic,
        Kill,
        Stop,
        /// By a link with an actor that ends so.
        Link(ExitReason),
    }
    let rows = [
        (End::Panic, "panic no luck"),
        (End::Kill, "killed"),
        (End::Stop, "shutdown"),
        (End::Link(ExitReason::error(Plain("no file"))), "error: no file"),
        (End::Link(ExitReason::other("moved")), "moved"),
        (End::Link(ExitReason::shutdown_with(Plain("late"))), "shutdown: late"),
    ];
    for (how, expected) in rows {
        let last = Arc::new(LastEnd::default());
        let system = System::builder().observer(last.clone()).build().expect("inside a runtime");
        let (journal, mut reader) = journal();
        let tasks = tasks(&system).await;
        let owner = spawn(&system, "owner", &self::journal().0);
        let it = spawn(&system, "it", &journal);
        reader.expect(&["it up"]).await;
        let _seer = watched(&system, &it, &journal).await;
        reader.expect(&["seer up"]).await;
        let (tell, task) = task_of(&owner, &tasks, matches!(how, End::Link(_))).await;
        awaits(&it, task);
        reader.expect(&["it waits"]).await;
        let all = tasks.root().which_children().await.expect("it lives");
        let actor = all[0].actor().expect("it runs").clone();
        match how {
            End::Panic => drop(tell.send(panicking())),
            End::Kill => assert!(actor.kill()),
            End::Stop => tasks.root().terminate_instance(&actor).await.expect("it is there"),
            End::Link(reason) => owner.tell(end(reason)).expect("there is room"),
        }
        reader.expect(&[&format!("it stopping {expected}"), &format!("seer down {expected}")]).await;
        let of_task = last.0.lock().expect("nobody panics with it").clone();
        assert_eq!(Some(it.ended().await), of_task, "{expected}");
        assert_eq!(reader.rest(), Vec::<String>::new());
    }
}

/// A result is no reason to exit. Without one in 5 seconds, or as said, the caller exits with a timeout; then nothing of the task
/// comes to whoever comes after it, and the task ends if it is linked.
///
/// OTP: EXT-002.
#[tokio::test(start_paused = true)]
async fn a_caller_exits_when_its_task_is_late() {
    let rows = [
        (None, true, 5 * SECOND),
        (None, false, 5 * SECOND),
        (Some(SECOND), false, SECOND),
        (Some(Duration::ZERO), true, Duration::ZERO),
    ];
    for (limit, is_linked, expected) in rows {
        for crashes in [false, true] {
            let (system, (journal, mut reader)) = (system(), journal());
            let tasks = tasks(&system).await;
            let its = journal.clone();
            let it = minded(&system, move || Puppet::new("it", &its).trapping()).await;
            let _seer = watched(&system, &it, &journal).await;
            let (done, task) = task_of(&it, &tasks, is_linked).await;
            done.send(Box::new(|| 3)).ok().expect("it is told");
            awaits(&it, task);
            reader.expect(&["it up", "seer up", "it waits", "it 3"]).await;
            turns().await;
            reader.rest(); // that the task has ended, if it was linked

            let (tell, task) = task_of(&it, &tasks, is_linked).await;
            let began = system.now();
            match limit {
                None => awaits(&it, task),
                Some(limit) => it
                    .tell(wait(move |_, _| {
                        Box::pin(async move {
                            task.within(limit).await.map_err(TaskFailed::into_exit)?;
                            Ok(())
                        })
                    }))
                    .expect("there is room"),
            }
            reader.until("seer down error: the task had no result in time").await;
            let took = system.now().since(began);
            assert!(took >= expected && took < expected + Duration::from_millis(20), "{took:?}");
            turns().await;
            assert_eq!(running(&tasks).await, usize::from(!is_linked), "{limit:?}");
            reader.rest(); // the next life is up
            let work = if crashes { panicking() } else { Box::new(|| 4) };
            drop(tell.send(work));
            turns().await;
            assert_eq!((running(&tasks).await, life(&it).await), (0, 2));
            assert_eq!((reader.rest(), it.statistics().queued), (vec![], 0));
        }
    }
}

/// The task's own reason, whatever it is, but that nobody exits normally for want of a result; otherwise what went wrong.
///
/// OTP: EXT-002.
#[test]
fn what_a_failed_task_is_as_a_reason_to_exit() {
    let as_it_is = [
        ExitReason::Shutdown,
        ExitReason::shutdown_with(Plain("late")),
        ExitReason::Killed,
        ExitReason::NoActor,
        ExitReason::error(Plain("no file")),
        ExitReason::Hung("Pay"),
        ExitReason::other("moved"),
    ];
    for reason in as_it_is {
        assert_eq!(TaskFailed::Ended(reason.clone()).into_exit(), reason);
    }
    let in_words = [
        (TaskFailed::Ended(ExitReason::Normal), "error: the task ended without a result: normal"),
        (TaskFailed::TimedOut, "error: the task had no result in time"),
        (TaskFailed::Taken, "error: the task's result has been taken before"),
        (
            TaskFailed::NotStarted(StartInstanceError::TooMany),
            "error: the task was not started: there are as many children as there may be",
        ),
    ];
    for (failed, expected) in in_words {
        let reason = failed.into_exit();
        assert_eq!((reason.to_string().as_str(), reason.is_abnormal()), (expected, true));
    }
}

/// The first of several tasks that fails is the reason for the caller to exit, at once; so is the want of room for one of many.
///
/// OTP: EXT-002, EXT-009.
#[tokio::test(start_paused = true)]
async fn a_caller_exits_with_the_first_reason_of_several_tasks() {
    let (system, (journal, mut reader)) = (system(), journal());
    let tasks = tasks(&system).await;
    let its = journal.clone();
    let it = minded(&system, move || Puppet::new("it", &its)).await;
    let rows =
        [(true, Duration::ZERO, "panic no luck"), (false, SECOND, "error: the task had no result in time")];
    reader.expect(&["it up"]).await;
    for (crashes, expected, reason) in rows {
        let seer = watched(&system, &it, &journal).await;
        let (tell, task) = task_of(&it, &tasks, false).await;
        let all = [hanging(&tasks).await, task];
        if crashes {
            tell.send(panicking()).ok().expect("it is told");
        }
        let began = system.now();
        it.tell(wait(move |puppet, _| {
            Box::pin(async move {
                let results = await_many(all, SECOND).await.map_err(TaskFailed::into_exit)?;
                puppet.note(format!("{results:?}"));
                Ok(())
            })
        }))
        .expect("there is room");
        reader.until("seer up").await;
        reader.until(&format!("seer down {reason}")).await;
        let took = system.now().since(began);
        assert!(took >= expected && took < expected + Duration::from_millis(20), "{took:?}");
        assert!(seer.kill());
    }
}

/// Linked, a task that has done its work takes nobody along, and neither does an actor that ends normally. Killed, each takes
/// the other along.
///
/// OTP: EXT-001.
#[tokio::test(start_paused = true)]
async fn a_linked_task_and_its_actor_outlive_normal_ends_of_each_other() {
    // how the actor ends, whether the task goes on
    let rows = [
        (end(ExitReason::Normal), true),
        (end(ExitReason::Shutdown), false),
        (end(ExitReason::other("moved")), false),
        (crash(), false),
    ];
    for (ending, goes_on) in rows {
        let system = system();
        let tasks = tasks(&system).await;
        let owner = spawn(&system, "owner", &journal().0);
        let (tell, task) = task_of(&owner, &tasks, true).await;
        owner.tell(ending).expect("there is room");
        owner.ended().await;
        turns().await;
        assert_eq!(running(&tasks).await, usize::from(goes_on));
        drop(tell.send(Box::new(|| 5)));
        assert_eq!(task.await.ok(), goes_on.then_some(5), "its result is not the actor's alone");
    }
    for kill in [false, true] {
        let system = system();
        let tasks = tasks(&system).await;
        let owner = spawn(&system, "owner", &journal().0);
        let (tell, task) = task_of(&owner, &tasks, true).await;
        if kill {
            assert_eq!(task.kill().await, None);
            assert_eq!(owner.ended().await, ExitReason::Killed);
        } else {
            tell.send(Box::new(|| 6)).ok().expect("it is told");
            assert_eq!(task.await, Ok(6));
            turns().await;
            assert_eq!((running(&tasks).await, life(&owner).await), (0, 1));
        }
    }
}
