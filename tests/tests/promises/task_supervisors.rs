//! Tasks under a supervisor of their own: results, failures as values, limits, many at once. Rows EXT.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{
    OnLimit, StartInstanceError, Task, TaskFailed, Tasks, await_many, tree_in, yield_many,
};
use minder::{Event, Observer};
use tokio::sync::oneshot;

use crate::support::*;

pub(crate) async fn tasks(system: &System) -> Tasks {
    tasks_with(system, |spec| spec).await
}

pub(crate) async fn tasks_with(system: &System, change: impl FnOnce(Spec) -> Spec) -> Tasks {
    let (tasks, seat) = Tasks::new(system);
    let spec = change(tasks.supervisor());
    tolerant(one_for_one())
        .child(tree_in("tasks", seat, spec))
        .start(system, "app")
        .await
        .expect("there is nothing to fail");
    tasks
}

pub(crate) async fn running(tasks: &Tasks) -> usize {
    tasks.root().count_children().await.expect("it lives").active
}

/// A task that ends when it is told, with what it is told.
async fn told(tasks: &Tasks) -> (oneshot::Sender<u32>, Task<u32>) {
    let (tell, told) = oneshot::channel();
    let task = tasks.run(async move { told.await.expect("it is told") }).await.expect("there is room");
    (tell, task)
}

pub(crate) async fn hanging(tasks: &Tasks) -> Task<u32> {
    tasks.run(std::future::pending()).await.expect("there is room")
}

fn panics(outcome: Result<u32, TaskFailed>, text: &str) {
    let Err(TaskFailed::Ended(ExitReason::Panic(report))) = outcome else { panic!("{outcome:?}") };
    assert_eq!(report.text, text);
}

/// A crash is the caller's to handle, as a value, and the caller goes on.
///
/// OTP: EXT-002, EXT-005.
#[test]
fn a_task_has_a_result_or_says_why_not() {
    everywhere(|| async {
        let system = system();
        let tasks = tasks(&system).await;
        let task = tasks.run(async { 6 * 7 }).await.expect("there is room");
        assert_eq!(task.await, Ok(42));
        let task = tasks.run(async { panic!("no luck") }).await.expect("there is room");
        panics(task.await, "no luck");
        let (tell, task) = told(&tasks).await;
        tell.send(5).expect("it waits");
        turns().await;
        assert_eq!(running(&tasks).await, 0, "it is gone before anybody waits");
        assert_eq!(task.await, Ok(5));
        system.shutdown(SECOND).await;
    });
}

/// Five seconds unless said otherwise. What comes later comes to nobody.
///
/// OTP: EXT-002.
#[tokio::test(start_paused = true)]
async fn a_task_is_waited_for_within_a_limit() {
    let system = system();
    let tasks = tasks(&system).await;
    for (limit, within) in
        [(None, 5 * SECOND), (Some(SECOND), SECOND), (Some(Duration::ZERO), Duration::ZERO)]
    {
        let (tell, task) = told(&tasks).await;
        let began = system.now();
        let outcome = match limit {
            Some(limit) => task.within(limit).await,
            None => task.await,
        };
        assert_eq!(outcome, Err(TaskFailed::TimedOut));
        let took = system.now().since(began);
        assert!(took >= within && took < within + Duration::from_millis(20), "{took:?}");
        assert_eq!(running(&tasks).await, 1, "it goes on");
        tell.send(1).expect("it does");
        turns().await;
        assert_eq!(running(&tasks).await, 0);
    }
}

/// An actor that has given a task up lives on, and nothing of the task comes to it: no result, no end, no crash.
///
/// OTP: EXT-002.
#[tokio::test(start_paused = true)]
async fn what_comes_too_late_does_not_reach_the_actor_that_waited() {
    for crashes in [false, true] {
        let (system, (journal, mut reader)) = (system(), journal());
        let tasks = tasks(&system).await;
        let it = minded(&system, move || Puppet::new("it", &journal).trapping()).await;
        let (tell, task) = told(&tasks).await;
        it.tell(wait(move |puppet, _| {
            Box::pin(async move {
                let outcome = task.within(SECOND).await;
                puppet.note(format!("{outcome:?}"));
                Ok(())
            })
        }))
        .expect("there is room");
        reader.expect(&["it up", "it Err(TimedOut)"]).await;
        if crashes {
            drop(tell);
        } else {
            tell.send(1).expect("it goes on");
        }
        turns().await;
        assert_eq!((running(&tasks).await, life(&it).await), (0, 1));
        assert_eq!((reader.rest(), it.statistics().queued), (vec![], 0));
    }
}

/// OTP: EXT-003.
#[tokio::test(start_paused = true)]
async fn waiting_may_be_left_off_and_taken_up_again() {
    let system = system();
    let tasks = tasks(&system).await;
    let (tell, mut task) = told(&tasks).await;
    assert_eq!(task.yield_within(SECOND).await, None);
    assert_eq!(task.yield_within(Duration::ZERO).await, None);
    tell.send(7).expect("it waits");
    assert_eq!(task.yield_within(SECOND).await, Some(Ok(7)));
    assert_eq!(task.yield_within(SECOND).await, Some(Err(TaskFailed::Taken)));
    let mut task = tasks.run(async { panic!("no") }).await.expect("there is room");
    panics(task.yield_within(SECOND).await.expect("it is over"), "no");
}

/// A result that came in time is returned, also if nobody has waited for it before.
///
/// OTP: EXT-004.
#[tokio::test(start_paused = true)]
async fn a_task_is_stopped_and_what_came_before_is_returned() {
    let system = system();
    let tasks = tasks(&system).await;
    let (tell, task) = told(&tasks).await;
    tell.send(7).expect("it waits");
    turns().await;
    assert_eq!(task.shutdown().await, Some(Ok(7)));
    let task = tasks.run(async { panic!("no") }).await.expect("there is room");
    turns().await;
    panics(task.shutdown().await.expect("it has ended by itself"), "no");
    let dropped = journal();
    for kill in [false, true] {
        let witness = Witness(dropped.0.clone(), "dropped");
        let work = async move {
            let _witness = witness;
            std::future::pending::<u32>().await
        };
        let task = tasks.run(work).await.expect("there is room");
        turns().await;
        let began = system.now();
        let outcome = if kill { task.kill().await } else { task.shutdown().await };
        assert_eq!((outcome, system.now()), (None, began));
    }
    let mut reader = dropped.1;
    assert_eq!((reader.rest().len(), running(&tasks).await), (2, 0));
}

/// Linked: a crash of the task is one of its actor, and the end of the actor is one of the task. Otherwise neither is.
///
/// OTP: EXT-001, EXT-005.
#[tokio::test(start_paused = true)]
async fn a_task_is_linked_with_who_ran_it_if_that_is_asked_for() {
    for is_linked in [true, false] {
        for task_crashes in [true, false] {
            let (system, (journal, mut reader)) = (system(), journal());
            let tasks = tasks(&system).await;
            let owner = minded(&system, move || Puppet::new("owner", &journal)).await;
            let (tell, told) = oneshot::channel();
            let its = tasks.clone();
            owner
                .tell(wait(move |puppet, context| {
                    Box::pin(async move {
                        let work = async move { told.await.expect("told") };
                        let task: Task<u32> = match is_linked {
                            true => its.run_linked(context, work).await?,
                            false => its.run(work).await?,
                        };
                        puppet.kept.push(Box::new(task));
                        puppet.note("runs");
                        Ok(())
                    })
                }))
                .expect("there is room");
            reader.expect(&["owner up", "owner runs"]).await;
            if task_crashes {
                drop(tell);
                turns().await;
                assert_eq!(life(&owner).await, if is_linked { 2 } else { 1 });
            } else {
                owner.tell(crash()).expect("there is room");
                turns().await;
                assert_eq!(running(&tasks).await, usize::from(!is_linked));
                drop(tell);
            }
        }
    }
}

/// One answer, to whoever holds the task: it may be handed on, and the answer comes there.
///
/// OTP: EXT-001.
#[tokio::test(start_paused = true)]
async fn whoever_holds_a_task_gets_its_one_result() {
    let (system, (journal, mut reader)) = (system(), journal());
    let tasks = tasks(&system).await;
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    let (tell, task) = told(&tasks).await;
    it.tell(wait(move |puppet, _| {
        Box::pin(async move {
            let result = task.await?;
            puppet.note(result);
            Ok(())
        })
    }))
    .expect("there is room");
    tell.send(9).expect("it waits");
    reader.expect(&["it up", "it 9"]).await;
}

/// An actor may give a linked task up: it goes on, and neither hears of the other.
///
/// OTP: EXT-010.
#[tokio::test(start_paused = true)]
async fn a_task_that_is_ignored_goes_on_alone() {
    let (system, (journal, mut reader)) = (system(), journal());
    let tasks = tasks(&system).await;
    let owner = minded(&system, move || Puppet::new("owner", &journal)).await;
    let (tell, told) = oneshot::channel::<u32>();
    let its = tasks.clone();
    owner
        .tell(wait(move |puppet, context| {
            Box::pin(async move {
                let task = its.run_linked(context, async move { told.await.expect("told") }).await?;
                task.ignore(context);
                puppet.note("ignores");
                Ok(())
            })
        }))
        .expect("there is room");
    reader.expect(&["owner up", "owner ignores"]).await;
    assert_eq!(running(&tasks).await, 1);
    drop(tell); // it panics
    turns().await;
    assert_eq!((running(&tasks).await, life(&owner).await), (0, 1));
    let (tell, task) = self::told(&tasks).await;
    drop(task);
    turns().await;
    assert_eq!(running(&tasks).await, 1, "a task whose handle is dropped goes on");
    tell.send(1).expect("it does");
}

/// Temporary unless another restart type is chosen; stopped with its supervisor, in the way that is chosen there.
///
/// OTP: EXT-006.
#[tokio::test(start_paused = true)]
async fn tasks_nobody_waits_for_by_restart_type() {
    // restart type, whether its first run fails, how often it runs
    let rows = [
        (None, true, 1),
        (Some(Restart::Temporary), true, 1),
        (Some(Restart::Transient), true, 2),
        (Some(Restart::Transient), false, 1),
        (Some(Restart::Permanent), false, 2),
    ];
    for (restart, fails, expected) in rows {
        let system = system();
        let tasks = tasks(&system).await;
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        let run = move || {
            let nth = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                match nth {
                    0 if fails => Err(Plain("no")),
                    0 => Ok(()),
                    _ => {
                        std::future::pending::<()>().await;
                        Ok(())
                    }
                }
            }
        };
        let started = match restart {
            Some(restart) => tasks.start_as(restart, run).await,
            None => tasks.start(run()).await,
        };
        started.expect("there is room");
        turns().await;
        assert_eq!(runs.load(Ordering::Relaxed), expected, "{restart:?} {fails}");
        assert_eq!(running(&tasks).await, expected as usize - 1, "{restart:?} {fails}");
    }
}

/// Five seconds to end unless it is said otherwise.
///
/// OTP: EXT-006.
#[tokio::test(start_paused = true)]
async fn tasks_are_stopped_as_their_supervisor_says() {
    let rows = [
        (None, Shutdown::Within(5 * SECOND)),
        (Some(Shutdown::BrutalKill), Shutdown::BrutalKill),
        (Some(Shutdown::Infinity), Shutdown::Infinity),
    ];
    for (chosen, expected) in rows {
        let system = system();
        let (tasks, seat) = Tasks::new(&system);
        let tasks = match chosen {
            Some(shutdown) => tasks.shutdown(shutdown),
            None => tasks,
        };
        let spec = one_for_one().child(tree_in("tasks", seat, tasks.supervisor()));
        spec.start(&system, "app").await.expect("there is nothing to fail");
        let rules = tasks.root().child_spec("task").await.expect("the template's");
        assert_eq!((rules.shutdown, rules.restart), (expected, Restart::Temporary));
        let task = hanging(&tasks).await;
        assert!(system.shutdown(SECOND).await.is_clean(), "it yields at its await");
        assert!(matches!(task.await, Err(TaskFailed::Ended(_))));
    }
}

/// OTP: EXT-007.
#[tokio::test(start_paused = true)]
async fn no_more_tasks_than_there_may_be() {
    let system = system();
    let tasks = tasks_with(&system, |spec| spec.max_children(1)).await;
    let (tell, task) = told(&tasks).await;
    assert_eq!(tasks.run(async {}).await.map(drop), Err(StartInstanceError::TooMany));
    assert!(matches!(tasks.start(async {}).await, Err(StartInstanceError::TooMany)));
    tell.send(1).expect("it waits");
    assert_eq!(task.await, Ok(1));
    turns().await;
    assert_eq!(tasks.run(async { 2 }).await.expect("there is room again").await, Ok(2));
}

/// A start that is dropped leaves nobody behind, wherever it was.
#[test]
fn a_start_that_is_dropped_leaves_nobody() {
    everywhere(|| async {
        let system = system();
        let tasks = tasks(&system).await;
        for polls in 0..4 {
            let (journal, mut reader) = journal();
            let mut has_started = false;
            {
                let mut start = Box::pin(tasks.run(async move { journal.note("works") }));
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                for _ in 0..polls {
                    // Dropped with its handle, a task goes on.
                    has_started = start.as_mut().poll(&mut cx).is_ready();
                    if has_started {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            turns().await;
            let works = usize::from(has_started);
            assert_eq!((running(&tasks).await, reader.rest().len()), (0, works), "{polls}");
        }
        system.shutdown(SECOND).await;
    });
}

/// A task that asks whoever waits for it would wait for ever; it is told.
#[tokio::test(start_paused = true)]
async fn a_task_and_its_actor_that_wait_for_each_other_are_told() {
    let (system, (journal, mut reader)) = (system(), journal());
    let tasks = tasks(&system).await;
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    let back = it.clone();
    it.tell(wait(move |puppet, _| {
        Box::pin(async move {
            let task = tasks.run(async move { back.ask(Msg::Life).await.map_err(|error| error.to_string()) });
            let answer = task.await?.within(3600 * SECOND).await?;
            puppet.note(answer.expect_err("nobody can answer").starts_with("these actors wait"));
            Ok(())
        })
    }))
    .expect("there is room");
    reader.expect(&["it up", "it true"]).await;
}

/// At most so many at a time; results in the order of the inputs, or as they come.
///
/// OTP: EXT-008.
#[test]
fn a_stream_of_tasks_is_bounded_and_in_order() {
    everywhere(|| async {
        for is_ordered in [true, false] {
            let system = system();
            let tasks = tasks(&system).await;
            let now = Arc::new(AtomicU32::new(0));
            let most = Arc::new(AtomicU32::new(0));
            let work = |n: u64| {
                let (system, now, most) = (system.clone(), now.clone(), most.clone());
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                    let pause = Duration::from_millis(100 * (10 - n));
                    system.within(pause, std::future::pending::<()>()).await;
                    now.fetch_sub(1, Ordering::Relaxed);
                    n
                }
            };
            let stream = tasks.stream(3, 0..7, work);
            let mut stream = if is_ordered { stream } else { stream.as_they_come() };
            let mut results = Vec::new();
            while let Some(result) = stream.next().await {
                results.push(result.expect("no task fails"));
            }
            assert!(stream.next().await.is_none());
            assert_eq!(results.is_sorted(), is_ordered, "{results:?}");
            results.sort_unstable();
            assert_eq!((results, most.load(Ordering::Relaxed)), ((0..7).collect::<Vec<_>>(), 3));
            system.shutdown(SECOND).await;
        }
    });
}

/// A task that fails or takes too long is an error in its place, is killed, and holds up nobody; so is one for which there
/// is no room.
///
/// OTP: EXT-008.
#[tokio::test(start_paused = true)]
async fn what_fails_in_a_stream_is_an_error_in_its_place() {
    let system = system();
    let tasks = tasks(&system).await;
    let work = |n: u32| async move {
        match n {
            1 => panic!("one"),
            2 => std::future::pending().await,
            n => n,
        }
    };
    let began = system.now();
    let mut stream = tasks.stream(2, 0..4, work).limit(SECOND);
    assert_eq!(stream.next().await, Some(Ok(0)));
    panics(stream.next().await.expect("two more"), "one");
    assert_eq!(stream.next().await, Some(Err(TaskFailed::TimedOut)));
    assert_eq!(stream.next().await, Some(Ok(3)));
    assert_eq!(stream.next().await, None);
    assert!(system.now().since(began) < 2 * SECOND);
    turns().await;
    assert_eq!(running(&tasks).await, 0);

    let few = tasks_with(&system, |spec| spec.max_children(1)).await;
    let mut stream = few.stream(2, 0..2, |_| std::future::pending::<()>()).as_they_come();
    let full = TaskFailed::NotStarted(StartInstanceError::TooMany);
    assert_eq!(stream.next().await, Some(Err(full)));
}

/// Inputs are taken only when there is room and somebody waits. When the consumer stops, so do all tasks.
///
/// OTP: EXT-008.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_stops_its_tasks() {
    let system = system();
    let tasks = tasks(&system).await;
    let taken = AtomicU32::new(0);
    let inputs = (0..100).inspect(|_| {
        taken.fetch_add(1, Ordering::Relaxed);
    });
    let mut stream = tasks.stream(3, inputs, |n: u32| async move {
        if n > 0 {
            std::future::pending::<()>().await;
        }
        n
    });
    turns().await;
    assert_eq!((running(&tasks).await, taken.load(Ordering::Relaxed)), (0, 0));
    assert_eq!(stream.next().await, Some(Ok(0)));
    turns().await;
    assert!((2..=3).contains(&running(&tasks).await));
    drop(stream);
    turns().await;
    assert_eq!(running(&tasks).await, 0);
    assert!(taken.load(Ordering::Relaxed) <= 4);
}

/// OTP: EXT-009.
#[tokio::test(start_paused = true)]
async fn several_tasks_are_waited_for_within_one_limit() {
    let system = system();
    let tasks = tasks(&system).await;
    let ((first, a), (second, b)) = (told(&tasks).await, told(&tasks).await);
    second.send(2).expect("it waits");
    first.send(1).expect("it waits");
    assert_eq!(await_many([a, b], SECOND).await, Ok(vec![1, 2]));
    assert_eq!(await_many(Vec::<Task<u32>>::new(), SECOND).await, Ok(vec![]));

    let began = system.now();
    let (_tell, a) = told(&tasks).await;
    let failing = tasks.run(async { panic!("no") }).await.expect("there is room");
    panics(await_many([a, failing], SECOND).await.map(|_| 0), "no");
    assert_eq!(system.now(), began, "at once");
    let all = [hanging(&tasks).await, hanging(&tasks).await];
    assert_eq!(await_many(all, SECOND).await, Err(TaskFailed::TimedOut));
    assert!(system.now().since(began) < 2 * SECOND, "one limit for all");
}

/// OTP: EXT-009.
#[tokio::test(start_paused = true)]
async fn of_several_tasks_those_that_are_late_go_on_or_are_ignored_or_killed() {
    // what happens to the late one, how many run afterwards, whether it can be waited for
    let rows = [(OnLimit::Nothing, 1, true), (OnLimit::Ignore, 1, false), (OnLimit::Kill, 0, false)];
    for (on_limit, left, waits) in rows {
        let system = system();
        let tasks = tasks(&system).await;
        let (tell, late) = told(&tasks).await;
        let quick = tasks.run(async { 1 }).await.expect("there is room");
        let failing = tasks.run(async { panic!("no") }).await.expect("there is room");
        let mut all = [quick, late, failing];
        let mut outcomes = yield_many(&mut all, SECOND, on_limit).await;
        panics(outcomes.pop().expect("three").expect("it failed"), "no");
        assert_eq!((outcomes, running(&tasks).await), (vec![Some(Ok(1)), None], left), "{on_limit:?}");
        let told = tell.send(2).is_ok();
        assert_eq!(told, left == 1);
        let expected = if waits { Ok(2) } else { Err(TaskFailed::Taken) };
        assert_eq!(all[1].yield_within(SECOND).await, Some(expected), "{on_limit:?}");
    }
}

/// Writes down how tasks end.
struct Ends(Journal);

impl Observer for Ends {
    fn event(&self, event: &Event<'_>) {
        if let Event::Exited { path, reason, .. } = event
            && path.starts_with("app/tasks/")
        {
            self.0.note(short(reason));
        }
    }
}

/// Shut down is asked to end, killed is killed; what a task nobody waits for fails with is told as its end.
///
/// OTP: EXT-004, EXT-006.
#[tokio::test(start_paused = true)]
async fn how_a_task_ends_is_told_to_those_who_watch_the_system() {
    let (journal, mut reader) = journal();
    let system = System::builder().observer(Arc::new(Ends(journal))).build().expect("inside a runtime");
    let tasks = tasks(&system).await;
    assert_eq!(hanging(&tasks).await.shutdown().await, None);
    assert_eq!(hanging(&tasks).await.kill().await, None);
    tasks.start(async { Err::<(), _>(Plain("no file")) }).await.expect("there is room");
    tasks.start(async {}).await.expect("there is room");
    turns().await;
    assert_eq!(reader.rest(), ["shutdown", "killed", "error: no file", "normal"]);
}

/// Whoever waits has the result when it is there, also while the supervisor of the tasks is busy; so has whoever stops a
/// task that is over.
#[tokio::test(start_paused = true)]
async fn a_result_does_not_wait_for_the_supervisor() {
    let system = system();
    let tasks = tasks(&system).await;
    let (tell, mut task) = told(&tasks).await;
    assert_eq!(task.yield_within(Duration::ZERO).await, None, "it waits from now on");
    let (over_tell, over) = told(&tasks).await;
    over_tell.send(2).expect("it waits");
    turns().await;
    tasks.root().address().suspend();
    tell.send(1).expect("it waits");
    assert_eq!(task.yield_within(SECOND).await, Some(Ok(1)));
    assert_eq!(soon(over.shutdown()).await, Some(Ok(2)));
}

/// A task takes as long as it is given, and not as long as whoever waits for it has for an answer of its own.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_task_ends_with_its_own_limit() {
    let (system, (journal, mut reader)) = (system(), journal());
    let tasks = tasks(&system).await;
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    let asked = it.ask_within(Duration::from_millis(100), move |reply: Reply<()>| {
        wait(move |puppet, context| {
            Box::pin(async move {
                let (_owed, system) = (reply, context.system());
                let work = async move { system.sleep(SECOND).await };
                let outcome = tasks.run(work).await?.within(2 * SECOND).await;
                puppet.note(format!("{outcome:?}"));
                Ok(())
            })
        })
    });
    assert!(matches!(asked.await, Err(AskError::TimedOut)));
    reader.expect(&["it up", "it Ok(())"]).await;
}

/// It is linked before it begins: a task that panics at once takes its actor along.
///
/// OTP: EXT-001.
#[test]
fn a_linked_task_that_panics_at_once_takes_its_actor_along() {
    everywhere(|| async {
        let system = system();
        let tasks = tasks(&system).await;
        let owner = minded(&system, || Puppet::new("owner", &journal().0)).await;
        owner
            .tell(wait(move |puppet, context| {
                Box::pin(async move {
                    let task: Task<()> = tasks.run_linked(context, async { panic!("no luck") }).await?;
                    puppet.kept.push(Box::new(task));
                    Ok(())
                })
            }))
            .expect("there is room");
        turns().await;
        assert_eq!(life(&owner).await, 2);
        system.shutdown(SECOND).await;
    });
}

/// The other way round: the task has asked, and then its actor waits for it.
#[tokio::test(start_paused = true)]
async fn an_actor_that_waits_for_a_task_which_waits_for_it_is_told() {
    let (system, (journal, mut reader)) = (system(), journal());
    let tasks = tasks(&system).await;
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    let back = it.clone();
    it.tell(wait(move |puppet, context| {
        Box::pin(async move {
            let work = async move { back.ask_within(3600 * SECOND, Msg::Life).await.is_ok() };
            let task = tasks.run(work).await?;
            context.sleep(SECOND).await;
            let outcome = task.within(3600 * SECOND).await;
            puppet.note(matches!(outcome, Err(TaskFailed::WouldDeadlock(_))));
            Ok(())
        })
    }))
    .expect("there is room");
    reader.expect(&["it up", "it true"]).await;
}

/// What is done and not taken counts, too; and a stream of none at a time is one of one at a time.
///
/// OTP: EXT-008.
#[tokio::test(start_paused = true)]
async fn whoever_takes_slowly_is_not_run_over() {
    let system = system();
    let tasks = tasks(&system).await;
    let begun = Arc::new(AtomicU32::new(0));
    let work = |n: u32| {
        let begun = begun.clone();
        async move {
            begun.fetch_add(1, Ordering::Relaxed);
            if n == 0 {
                std::future::pending::<()>().await;
            }
            n
        }
    };
    let mut stream = tasks.stream(3, 0..10, work).limit(10 * SECOND);
    assert_eq!(system.within(SECOND, stream.next()).await, None);
    assert_eq!(begun.load(Ordering::Relaxed), 3, "two of them are done");
    drop(stream);
    let mut stream = tasks.stream(0, 1..3, work);
    assert_eq!((stream.next().await, stream.next().await), (Some(Ok(1)), Some(Ok(2))));
    assert_eq!(stream.next().await, None);
}
