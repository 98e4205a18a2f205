//! Jobs beside an actor: each comes back as one message, whatever became of it, and none outlives its incarnation.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::time::Duration;

use minder::prelude::*;
use minder::{JobFailed, JobId};
use minder_fault_injection::sim::{Policy, Sim};

use crate::support::*;

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// Writes down what came of a job.
fn told<T: std::fmt::Debug + Send + 'static>(result: Result<T, JobFailed>) -> Msg {
    act(move |puppet, _| {
        match result {
            Ok(value) => puppet.note(format!("got {value:?}")),
            Err(JobFailed::Panicked(report)) => puppet.note(format!("panicked {}", report.text)),
            Err(failed) => puppet.note(failed),
        }
        Ok(())
    })
}

type Work = Pin<Box<dyn Future<Output = u32> + Send>>;
type Begin = fn() -> Work;

/// OTP: TMR-012.
#[test]
fn each_comes_back_as_one_message_whatever_became_of_it() {
    let rows: [(Begin, &str); 6] = [
        (|| Box::pin(async { 7 }), "it got 7"),
        (
            || {
                Box::pin(async {
                    pass(ms(99)).await;
                    8
                })
            },
            "it got 8",
        ),
        (|| Box::pin(async { panic!("at once") }), "it panicked at once"),
        (
            || {
                Box::pin(async {
                    pass(ms(50)).await;
                    panic!("later")
                })
            },
            "it panicked later",
        ),
        (|| Box::pin(std::future::pending()), "it the job took too long"),
        (
            || {
                Box::pin(async {
                    pass(ms(200)).await;
                    9
                })
            },
            "it the job took too long",
        ),
    ];
    everywhere(|| async {
        for (work, expected) in rows {
            let (journal, mut reader) = journal();
            let system = listening(&journal);
            let held = Witness(journal.clone(), "job gone");
            let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
            it.tell(act(move |_, context| {
                let work = async move {
                    let _held = held;
                    work().await
                };
                context.run_within(ms(100), "job", work, told);
                Ok(())
            }))
            .expect("there is room");
            reader.expect(&["it up", "job gone", expected]).await;
            pass(SECOND).await;
            assert!(reader.rest().is_empty(), "it comes once");
            assert!(it.is_alive(), "a job's failure is not its actor's");
            assert!(system.shutdown(SECOND).await.is_clean());
        }
    });
}

/// The same for closures that block: on threads, and as a step in the simulator.
#[test]
fn so_does_a_closure_that_blocks() {
    type Closure = fn() -> u32;
    let rows: [(Closure, &str); 2] = [(|| 7, "it got 7"), (|| panic!("below"), "it panicked below")];
    everywhere(|| async {
        for (work, expected) in rows {
            let (journal, mut reader) = journal();
            let system = listening(&journal);
            let held = Witness(journal.clone(), "job gone");
            let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
            it.tell(act(move |_, context| {
                let work = move || {
                    let _held = held;
                    work()
                };
                context.run_blocking("job", work, told);
                Ok(())
            }))
            .expect("there is room");
            reader.expect(&["it up", "job gone", expected]).await;
            assert_eq!(life(&it).await, 1);
            assert!(reader.rest().is_empty(), "it comes once");
            assert!(system.shutdown(SECOND).await.is_clean());
        }
    });
}

#[test]
fn the_actor_goes_on_meanwhile_and_a_limit_is_kept() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
        it.tell(act(|_, context| {
            for limit in [100, 200] {
                context.run_within(ms(limit), "job", std::future::pending::<()>(), told);
            }
            Ok(())
        }))
        .expect("there is room");
        it.tell(Msg::Mark(1)).expect("there is room");
        reader.expect(&["it up", "it 1"]).await;
        pass(ms(99)).await;
        assert!(reader.rest().is_empty(), "never early");
        pass(ms(11)).await;
        assert_eq!(reader.rest(), ["it the job took too long"]);
        pass(ms(100)).await;
        assert_eq!(reader.rest(), ["it the job took too long"]);
    });
}

#[test]
fn a_cancelled_job_is_dropped_and_says_so() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let held = Witness(journal.clone(), "job gone");
        let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
        it.tell(wait(move |puppet, context| {
            Box::pin(async move {
                let work = async move {
                    let _held = held;
                    std::future::pending::<u32>().await
                };
                let job: JobId = context.run("job", work, told);
                let quick = context.run("quick", async { 1 }, told);
                // Neither has begun: it never will.
                let unborn = context.run("unborn", async { unreachable!("cancelled before") }, told::<()>);
                let idle = context.run_blocking("idle", || unreachable!("cancelled before"), told::<()>);
                assert!(context.cancel_job(unborn) && context.cancel_job(idle));
                context.sleep(ms(10)).await;
                let cancelled = [job, job, quick, unborn].map(|job| context.cancel_job(job));
                puppet.note(format!("{cancelled:?}"));
                Ok(())
            })
        }))
        .expect("there is room");
        pass(SECOND).await;
        let mut lines = reader.rest();
        assert_eq!(lines[..2], ["it up", "it [true, false, false, false]"]);
        lines[2..].sort();
        let cancelled = "it the job was cancelled";
        assert_eq!(lines[2..], ["it got 1", cancelled, cancelled, cancelled, "job gone"]);
    });
}

#[test]
fn a_message_that_cannot_be_made_is_a_crash() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let it = minded(&system, move || Puppet::new("it", &journal)).await;
        it.tell(act(|_, context| {
            context.run("job", async { 1 }, |_| -> Msg { panic!("no message") });
            Ok(())
        }))
        .expect("there is room");
        reader.expect(&["it up", "it up"]).await;
        assert_eq!(life(&it).await, 2);
    });
}

#[test]
fn none_outlives_its_incarnation_and_none_reaches_the_next() {
    type Ending = fn() -> Msg;
    let rows: [(&str, Option<Ending>); 4] = [
        ("killed", None),
        ("panic boom", Some(crash)),
        ("error: no", Some(|| act(|_, _| Err(Plain("no").into())))),
        ("normal", Some(|| end(ExitReason::Normal))),
    ];
    everywhere(|| async {
        for (reason, ending) in rows {
            let (journal, mut reader) = journal();
            let system = listening(&journal);
            let (its, watchers) = (journal.clone(), journal.clone());
            let it = minded(&system, move || Puppet::new("it", &its).telling_drop()).await;
            let watcher = system.spawn(move || Puppet::new("watcher", &watchers)).expect("open");
            reader.expect(&["it up", "watcher up"]).await;
            let watched = it.clone();
            watcher
                .tell(act(move |_, context| {
                    context.monitor(&watched);
                    Ok(())
                }))
                .expect("there is room");
            let held = Witness(journal.clone(), "job gone");
            it.tell(act(move |_, context| {
                let work = async move {
                    let _held = held;
                    pass(ms(100)).await;
                };
                context.run("job", work, told);
                Ok(())
            }))
            .expect("there is room");
            pass(ms(50)).await;
            match ending {
                Some(ending) => it.tell(ending()).expect("there is room"),
                None => assert!(it.kill()),
            }
            pass(SECOND).await;
            let lines: Vec<String> =
                reader.rest().into_iter().filter(|line| !line.starts_with("it stopping")).collect();
            let at = |what: &str| lines.iter().position(|line| line == what);
            let (gone, down, up) = (at("job gone"), at(&format!("watcher down {reason}")), at("it up"));
            assert!(gone.is_some() && gone < down && gone < up && up.is_some(), "{lines:?}");
            assert_eq!(lines.len(), 4, "and nobody hears of the job: {lines:?}");
            assert_eq!(life(&it).await, 2);
            assert!(system.shutdown(SECOND).await.is_clean());
        }
    });
}

/// Kills an actor at each await of its job, and of its own handler that begins it.
#[test]
fn killed_at_each_await() {
    for seed in 0..5 {
        for at in 1..60 {
            let run = Sim::new(Policy::Seeded(seed)).run(|_| async move {
                let (journal, mut reader) = journal();
                let system = listening(&journal);
                let its = journal.clone();
                let it = minded(&system, move || Puppet::new("it", &its)).await;
                let held = Witness(journal.clone(), "job gone");
                it.tell(wait(move |_, context| {
                    Box::pin(async move {
                        let work = async move {
                            let _held = held;
                            for _ in 0..5 {
                                pass(ms(10)).await;
                            }
                            1
                        };
                        context.sleep(ms(3)).await;
                        context.run("job", work, told);
                        context.sleep(ms(3)).await;
                        Ok(())
                    })
                }))
                .expect("there is room");
                pass(ms(at)).await;
                it.kill();
                pass(SECOND).await;
                let lines = reader.rest();
                let count = |what: &str| lines.iter().filter(|line| *line == what).count();
                assert_eq!((count("job gone"), count("it up")), (1, 2), "{lines:?}");
                // It began at 3 and takes 50: nobody but the life that began it hears of it.
                // In that very millisecond it may or may not.
                if at != 53 {
                    assert_eq!(count("it got 1"), usize::from(at > 53), "{lines:?}");
                }
                assert!(system.shutdown(SECOND).await.is_clean());
            });
            run.result.unwrap_or_else(|error| panic!("{seed} {at}: {error}"));
            assert!(run.leaked.is_empty());
        }
    }
}

/// A panic whose hearer has gone is told to the system's observers, once.
#[test]
fn a_panic_that_nobody_waits_for_is_told_all_the_same() {
    #[derive(Clone, Copy)]
    enum When {
        /// In a closure that the handler waits for, when its actor has been killed.
        Handler,
        /// The same in a job.
        Job,
        /// When a job is dropped.
        Drop,
        /// In a job, and its message stands in the lane when its actor is killed.
        Lane,
    }
    let rows = [
        (When::Handler, "unheard blocking: below"),
        (When::Job, "unheard job: below"),
        (When::Drop, "unheard job: while it is dropped"),
        (When::Lane, "unheard job: below"),
    ];
    everywhere(|| async {
        for (when, expected) in rows {
            let (journal, mut reader) = journal();
            let system = listening(&journal);
            let its = journal.clone();
            let it = minded(&system, move || Puppet::new("it", &its)).await;
            it.tell(wait(move |_, context| {
                Box::pin(async move {
                    let me = context.address();
                    let below = move || -> u32 {
                        me.kill();
                        panic!("below")
                    };
                    match when {
                        When::Handler => drop(context.blocking(below).await),
                        When::Job => drop(context.run_blocking("job", below, told)),
                        When::Drop => drop(context.run("job", bad_drop(), told)),
                        When::Lane => {
                            context.run("job", async { panic!("below") }, told::<u32>);
                            context.sleep(ms(10)).await;
                            context.address().kill();
                            std::future::pending::<()>().await;
                        }
                    }
                    Ok(())
                })
            }))
            .expect("there is room");
            if matches!(when, When::Drop) {
                pass(ms(5)).await;
                it.kill();
            }
            reader.expect(&["it up", expected, "it up"]).await;
            assert!(reader.rest().is_empty(), "and once");
            assert!(system.shutdown(SECOND).await.is_clean());
        }
    });
}

/// A closure cannot be stopped when its time is over: its actor is told at once, its panic later, and the actor ends only
/// when it has returned.
#[tokio::test(start_paused = true)]
async fn a_closure_that_takes_too_long_is_waited_for_at_the_end_only() {
    let (journal, mut reader) = journal();
    let system = listening(&journal);
    let its = journal.clone();
    let it = minded(&system, move || Puppet::new("it", &its)).await;
    let (release, held) = mpsc::channel::<()>();
    let begins = journal.clone();
    it.tell(act(move |_, context| {
        let below = move || -> u32 {
            begins.note("it begins");
            assert!(held.recv().is_err(), "let go");
            panic!("below")
        };
        context.run_blocking_within(ms(100), "job", below, told);
        Ok(())
    }))
    .expect("there is room");
    reader.expect(&["it up", "it begins"]).await;
    tokio::time::advance(ms(99)).await; // virtual time does not move by itself while a thread blocks
    turns().await;
    assert!(reader.rest().is_empty(), "never early");
    tokio::time::advance(ms(11)).await;
    turns().await;
    reader.expect(&["it the job took too long"]).await;
    it.kill();
    turns().await;
    assert!(it.is_alive() && reader.rest().is_empty(), "its closure still runs");
    drop(release);
    reader.expect(&["unheard job: below", "it up"]).await;
}

/// A future that never ends and panics when it is dropped.
fn bad_drop() -> impl Future<Output = u32> + Send {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("while it is dropped")
        }
    }
    async {
        let _bad = Bad;
        std::future::pending().await
    }
}

/// A reply in a job has the fate of the job.
#[test]
fn replies_in_a_job() {
    type Body = fn(Reply<u32>) -> Work;
    let rows: [(Body, bool, &str); 4] = [
        (
            |reply| {
                Box::pin(async {
                    assert!(reply.send(5).is_ok());
                    0
                })
            },
            false,
            "Ok(5)",
        ),
        (
            |reply| {
                Box::pin(async {
                    drop(reply);
                    0
                })
            },
            false,
            "the actor dropped",
        ),
        (
            |reply| {
                Box::pin(async {
                    let _reply = reply;
                    panic!("boom")
                })
            },
            false,
            "crashed",
        ),
        (
            |reply| {
                Box::pin(async {
                    let _reply = reply;
                    std::future::pending().await
                })
            },
            true,
            "crashed",
        ),
    ];
    everywhere(|| async {
        for (row, (body, killed, expected)) in rows.into_iter().enumerate() {
            let system = system();
            let it = minded(&system, || Puppet::new("it", &journal().0)).await;
            let asked = it.ask(move |reply| {
                act(move |_, context| {
                    context.run("job", body(reply), told);
                    Ok(())
                })
            });
            let kill = async {
                pass(ms(10)).await;
                if killed {
                    it.kill();
                }
            };
            let (answer, ()) = tokio::join!(asked, kill);
            let fits = match expected {
                "Ok(5)" => matches!(answer, Ok(5)),
                "crashed" => matches!(answer, Err(AskError::Crashed(_))),
                _ => matches!(answer, Err(AskError::NoReply)),
            };
            assert!(fits, "{row}: {answer:?}");
        }
    });
}
