//! Actors that could not be stopped, were stopped in the wrong way, or were said to have stopped when they had not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minder::prelude::*;
use minder_fault_injection::testkit::Kit;

use crate::support::*;

/// lambdaclass/spawned#171 and meta-pytorch/monarch#4665: a stop was looked at between two messages only, so that an actor
/// whose handler waited for something that never came could not be stopped, and its mailbox was never freed. Here orders
/// are looked at whenever a handler suspends: they drop it there, at once for whoever does not trap exits, and otherwise
/// when its time to stop is over.
#[minder_fault_injection::test(seeds = 20)]
async fn spawned_171_a_handler_that_waits_for_ever_cannot_be_stopped(kit: Kit) {
    // whether it traps exits; how it is stopped; how long that takes
    for (traps, shutdown, seconds) in [
        (false, Shutdown::Within(7 * SECOND), 0),
        (false, Shutdown::Infinity, 0),
        (true, Shutdown::Within(7 * SECOND), 7),
        (true, Shutdown::BrutalKill, 0),
    ] {
        let system = System::new().expect("in a simulation");
        let ((it, seat), notes) = (system.address(), Notes::default());
        let its = notes.clone();
        let make = move || {
            let it = Player::new("it", &its);
            if traps { it.trapping() } else { it }
        };
        let spec = one_for_one().child(actor_in("it", seat, make).shutdown(shutdown));
        spec.start(&system, "app").await.expect("it starts");
        let held = Arc::new(());
        let in_hand = held.clone();
        let stuck = wait(move |_, _| {
            Box::pin(async move {
                let _in_hand = in_hand;
                std::future::pending().await
            })
        });
        it.tell(stuck).expect("there is room");
        it.tell(Msg::Mark(1)).expect("there is room");
        kit.settle().await;
        let began = kit.now();
        let report = system.shutdown(HOUR).await;
        assert_eq!((kit.now() - began).as_secs(), seconds, "{traps} {shutdown:?}");
        assert_eq!((report.left, system.living(), it.queued()), (0, 0, 0), "{traps} {shutdown:?}");
        assert_eq!((Arc::strong_count(&held), notes.count("it gone")), (1, 1), "{traps} {shutdown:?}");
    }
}

/// slawlor/ractor#254 and tqwewe/kameo#151: whoever had waited for an actor's stop went on while its clean-up was still
/// running. Here there is one moment at which an actor has ended, and everything is before it: the clean-up, the drop of
/// the value, and what it had given to other threads; all who wait hear of it after that.
#[minder_fault_injection::test(seeds = 50)]
async fn ractor_254_a_stop_is_over_before_the_clean_up(kit: Kit) {
    struct Tidy(Notes);
    impl Actor for Tidy {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            context.trap_exit(true);
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Err(Plain("enough").into())
        }
        async fn stopping(&mut self, _: &ExitReason, context: &mut Context<()>) {
            context.sleep(SECOND).await;
            let notes = self.0.clone();
            context.blocking(move || notes.add("flushed")).await;
        }
    }
    impl Drop for Tidy {
        fn drop(&mut self) {
            self.0.add("dropped");
        }
    }
    for by_itself in [true, false] {
        let system = System::new().expect("in a simulation");
        let (notes, (it, seat)) = (Notes::default(), system.address());
        let its = notes.clone();
        system.start(seat, "it", move || Tidy(its)).await.expect("it starts");
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let (it, notes) = (it.clone(), notes.clone());
                kit.spawn("waits", async move {
                    it.ended().await;
                    notes.add("heard");
                })
            })
            .collect();
        let mut watcher = kit.probe::<()>("watcher").await;
        watcher.monitor(&it).await;
        if by_itself {
            it.tell(()).expect("there is room");
        } else {
            system.shutdown(HOUR).await;
            assert_eq!(notes.all()[..2], ["flushed", "dropped"], "before the shutdown returns");
        }
        watcher.next_notice().await;
        assert_eq!(notes.all()[..2], ["flushed", "dropped"], "before it is told");
        for waiting in waiting {
            waiting.await.expect("it does not panic");
        }
        assert_eq!(notes.all(), ["flushed", "dropped", "heard", "heard", "heard"]);
        system.shutdown(HOUR).await;
    }
}

/// slawlor/ractor#226, slawlor/ractor#278 and nervosnetwork/fiber#187: actors that were killed ran their clean-up all the same,
/// or were killed where a stop was meant, and did not. Here there are three tiers, and which of them runs the clean-up is a
/// table: an orderly end does, a kill and a panic do not, whoever orders them.
#[minder_fault_injection::test(seeds = 10)]
async fn ractor_226_a_kill_cleans_up_and_a_stop_does_not(kit: Kit) {
    enum How {
        Tell(fn() -> Msg),
        Kill,
        Stop,
        KillSupervisor,
    }
    // how it ends; whether it cleans up if it traps exits, and if it does not
    let rows = [
        ("done", How::Tell(|| end(ExitReason::Normal)), true, true),
        ("error", How::Tell(|| act(|_, _| Err(Plain("no").into()))), true, true),
        ("panic", How::Tell(crash), false, false),
        ("kill", How::Kill, false, false),
        ("its supervisor's stop", How::Stop, true, false),
        ("its supervisor is killed", How::KillSupervisor, true, false),
    ];
    for (name, how, trapping, other) in rows {
        for (traps, expected) in [(true, trapping), (false, other)] {
            let system = System::new().expect("in a simulation");
            let (notes, (it, seat)) = (Notes::default(), system.address());
            let its = notes.clone();
            let make = move || {
                let it = Player::new("it", &its).cleaning_up_for(MS);
                if traps { it.trapping() } else { it }
            };
            let spec = one_for_one().child(actor_in("it", seat, make).restart(Restart::Temporary));
            let root = spec.start(&system, "app").await.expect("it starts");
            match &how {
                How::Tell(ending) => it.tell(ending()).expect("there is room"),
                How::Kill => assert!(it.kill()),
                How::Stop => assert!(system.shutdown(HOUR).await.is_clean()),
                How::KillSupervisor => assert!(root.address().kill()),
            }
            kit.advance(SECOND).await;
            let cleaned = usize::from(expected);
            assert_eq!(
                (it.is_alive(), notes.count("it cleaned up"), notes.count("it gone")),
                (false, cleaned, 1),
                "{name}, traps: {traps}"
            );
            system.shutdown(HOUR).await;
        }
    }
}

/// tqwewe/kameo#196 and tqwewe/kameo#164: stopping an actor that had stopped panicked in the caller, and an error in the
/// clean-up panicked in the runtime's thread. Here nothing that one can do to an actor that is gone is more than a value, and
/// what goes wrong in a clean-up becomes the reason of the end.
#[minder_fault_injection::test(seeds = 10)]
async fn kameo_196_stopping_a_stopped_actor_panics(kit: Kit) {
    struct Clumsy;
    impl Actor for Clumsy {
        type Msg = Reply<()>;
        async fn handle(&mut self, _: Reply<()>, context: &mut Context<Reply<()>>) -> Handled {
            context.stop(ExitReason::Normal);
            Ok(())
        }
        async fn stopping(&mut self, _: &ExitReason, _: &mut Context<Reply<()>>) {
            panic!("in the clean-up");
        }
    }
    let system = System::new().expect("in a simulation");
    let it = system.spawn(|| Clumsy).expect("it is not shutting down");
    it.tell(Reply::nobody()).expect("there is room");
    let reason = it.ended().await;
    assert_eq!(short(&reason), "panic in the clean-up");

    let mut probe = kit.probe::<()>("probe").await;
    for _ in 0..2 {
        assert!(!it.kill() && !it.is_alive());
        assert!(matches!(it.tell(Reply::nobody()), Err(TellError::Stopped(why, _)) if why == reason));
        assert!(matches!(it.send(Reply::nobody()).await, Err(TellError::Stopped(why, _)) if why == reason));
        let asked = it.ask(|reply| reply).await;
        assert!(matches!(asked, Err(AskError::Stopped(why, Some(_))) if why == reason));
        assert_eq!(it.ended().await, reason);
        let gone = it.clone();
        let monitors = probe.does(move |context| {
            let monitors = [context.monitor(&gone), context.monitor_final(&gone)];
            context.unlink(&gone);
            monitors.map(|monitor| context.demonitor(monitor))
        });
        assert_eq!(monitors.await, [false, false], "they had fired at once");
        probe.link(&it).await;
        let Notice::Exit(exit) = probe.next_notice().await else { panic!("it is told") };
        assert_eq!(exit.reason, ExitReason::NoActor);
    }
    for _ in 0..2 {
        assert!(system.shutdown(HOUR).await.is_clean());
    }
    assert!(system.spawn(|| Clumsy).is_err(), "a value, too");
}

/// actor-framework/actor-framework#1584: while an actor awaited the answer to a request, it took no exit message either, so that it
/// lingered until whoever it had asked was gone. Here exits and stops have a lane of their own, which is looked at while a
/// handler waits; the asked one sees that nobody waits any more.
#[minder_fault_injection::test(seeds = 50)]
async fn caf_1584_an_actor_that_awaits_an_answer_takes_no_exit(kit: Kit) {
    enum How {
        Link,
        Kill,
        Supervisor,
    }
    for how in [How::Link, How::Kill, How::Supervisor] {
        let mut asked = kit.probe::<Reply<()>>("asked").await;
        let linked = kit.probe::<()>("linked").await;
        let (notes, (it, seat)) = (Notes::default(), kit.address());
        let its = notes.clone();
        let child = actor_in("it", seat, move || Player::new("it", &its)).restart(Restart::Temporary);
        let root = kit.start(one_for_one().child(child)).await;
        linked.link(&it).await;
        let whom = asked.address().clone();
        it.tell(wait(move |player, _| {
            Box::pin(async move {
                let answered = whom.ask_within(HOUR, |reply| reply).await;
                player.note(format!("{answered:?}"));
                Ok(())
            })
        }))
        .expect("there is room");
        let reply = asked.next().await;
        assert!(!reply.is_abandoned() && it.is_alive());
        match how {
            How::Link => linked.ends(ExitReason::other("over")).await,
            How::Kill => kit.kill(&it).await,
            How::Supervisor => kit.kill(root.address()).await,
        }
        kit.settle().await;
        assert_eq!((it.is_alive(), reply.is_abandoned()), (false, true));
        assert_eq!(notes.take(), ["it up", "it gone"], "it never had its answer");
        drop(reply);
    }
    assert_eq!(kit.now(), std::time::Duration::ZERO, "nobody waited");
}

/// tqwewe/kameo#351: an actor that stopped waited for its children, while a child waited for the answer to a question to it
/// which stood in its mailbox: neither ever went on. Here one that winds down goes on with its lane, so that the child has
/// its answer; whoever does not is bounded by its time to stop.
#[minder_fault_injection::test(seeds = 50)]
async fn kameo_351_a_child_asks_its_parent_which_waits_for_the_child(kit: Kit) {
    use minder::{ChildEvent, Winding};

    /// Has one child, and ends when that has ended.
    struct Parent(Notes);
    impl Actor for Parent {
        type Msg = Reply<()>;
        async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
            context.trap_exit(true);
            let notes = self.0.clone();
            let child = context.spawn("child", move || Player::new("child", &notes))?;
            let parent = context.address();
            let asks = wait(move |player, context| {
                Box::pin(async move {
                    context.sleep(SECOND).await;
                    let answer = parent.ask(|reply| reply).await;
                    player.note(format!("{answer:?}"));
                    context.stop(ExitReason::Normal);
                    Ok(())
                })
            });
            child.tell(asks).map_err(|error| ExitReason::other(&error.to_string()))?;
            Ok(())
        }
        async fn handle(&mut self, reply: Reply<()>, _: &mut Context<Self::Msg>) -> Handled {
            let _ = reply.send(());
            Ok(())
        }
        async fn notice(&mut self, notice: Notice, context: &mut Context<Self::Msg>) -> Handled {
            if let Notice::Child(news) = notice
                && matches!(news.event, ChildEvent::Exited { .. })
            {
                self.0.add("child has ended");
                context.stop(ExitReason::Shutdown);
            }
            Ok(())
        }
        fn stop_requested(&mut self, _: &ExitReason, _: &mut Context<Self::Msg>) -> Winding {
            Winding::Later
        }
    }
    let notes = Notes::default();
    let noted = notes.clone();
    kit.start(one_for_one().child(actor("parent", move || Parent(noted.clone())))).await;
    // Told to stop before the child asks, or in the same moment.
    kit.advance(less_than(&kit, 1_000)).await;
    let report = kit.shutdown().await;
    assert!(report.is_clean() && report.took <= SECOND, "{report}");
    assert_eq!(notes.count("child Ok(())"), 1, "{:?}", notes.all());
}

/// An actor that blocks a thread, and panics there.
struct Blocker(Arc<AtomicBool>);

impl Actor for Blocker {
    type Msg = (bool, Reply<u32>);

    async fn handle(&mut self, (panics, reply): Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
        let done = self.0.clone();
        context
            .blocking(move || {
                assert!(!panics, "on a thread of its own");
                done.store(true, Ordering::Relaxed);
            })
            .await;
        let _ = reply.send(context.id().incarnation());
        Ok(())
    }
}

/// actix/actix#301, actix/actix#134 and actix/actix#110: a panic in a blocking worker killed its thread and nothing else; the pool
/// shrank unnoticed, and when it was empty every request failed. Here a panic in a blocking closure goes on in the actor
/// that waits for it, which is restarted, and the thread that it ran on takes the next one.
#[test]
fn actix_301_the_threads_of_a_pool_die_unnoticed() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_time()
        .build()
        .expect("there are threads");
    runtime.block_on(async {
        let system = System::new().expect("the test runs in a runtime and unwinds");
        let ((it, seat), done) = (system.address(), Arc::new(AtomicBool::new(false)));
        let its = done.clone();
        let child = actor_in("it", seat, move || Blocker(its.clone()));
        one_for_one().limit(1_000, HOUR).child(child).start(&system, "app").await.expect("it starts");
        for _ in 0..20 {
            let asked = surely(it.ask_within(HOUR, |reply| (true, reply))).await.expect("nobody is stuck");
            let Err(AskError::Crashed(reason)) = asked else { panic!("{asked:?}") };
            assert_eq!(short(&reason), "panic on a thread of its own");
        }
        let asked = surely(it.ask_within(HOUR, |reply| (false, reply))).await.expect("nobody is stuck");
        assert_eq!(asked.expect("it answers"), 21, "only those that crashed have failed");
        assert!(done.load(Ordering::Relaxed));
        assert!(system.shutdown(HOUR).await.is_clean());
    });
}

/// slawlor/ractor#466 promised in safe code that a value which may hold anything can be shared between threads. Here there is no
/// unsafe code, in no crate, so that the compiler says what can be shared; what carries a message is `Sync` only if the
/// message is.
#[test]
fn ractor_466_an_error_is_promised_to_be_shared_between_threads() {
    use std::cell::Cell;
    use std::marker::PhantomData;

    trait Answer {
        const IS_SYNC: bool = false;
    }
    struct Of<T>(PhantomData<T>);
    impl<T> Answer for Of<T> {}
    impl<T: Sync> Of<T> {
        // Found before the trait's, where it applies.
        const IS_SYNC: bool = true;
    }
    let shared = [
        ("tell error", Of::<TellError<u8>>::IS_SYNC, Of::<TellError<Cell<u8>>>::IS_SYNC),
        ("ask error", Of::<AskError<u8>>::IS_SYNC, Of::<AskError<Cell<u8>>>::IS_SYNC),
    ];
    for (name, of_sync, of_cell) in shared {
        assert_eq!((of_sync, of_cell), (true, false), "{name}");
    }
    // An address sends, and shares nothing: it may be used from everywhere.
    assert_eq!((Of::<Addr<Cell<u8>>>::IS_SYNC, Of::<ExitReason>::IS_SYNC), (true, true));
}
