//! When nothing can happen any more: found exactly, without moving time. And runs that never get there.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use minder::prelude::*;
use minder::{MailboxOptions, WhenFull};
use minder_fault_injection::sim::{Escape, Sim, SimError, World};
use minder_fault_injection::testkit::Trial;

use crate::support::{Counter, Msg, Notes, SECOND, Scribe, yield_once};

#[test]
fn settled_means_that_all_that_can_happen_has() {
    Trial::named("settled").seeds(50).run(|kit| async move {
        /// Passes a number on until it is used up, in the most roundabout ways there are.
        struct Relay {
            next: Addr<u64>,
        }
        impl Actor for Relay {
            type Msg = u64;
            async fn handle(&mut self, left: u64, _: &mut Context<u64>) -> Handled {
                match left % 3 {
                    0 => yield_once().await,
                    // Tokio's own way is heard of only when tokio has the thread.
                    1 => tokio::task::yield_now().await,
                    _ => {
                        let (tell, told) = tokio::sync::oneshot::channel();
                        let _ = tell.send(());
                        told.await?;
                    }
                }
                if let Some(left) = left.checked_sub(1) {
                    self.next.send(left).await.map_err(|error| ExitReason::other(&error.to_string()))?;
                }
                Ok(())
            }
        }
        let notes = Notes::default();
        let (one, one_seat) = kit.address();
        let (other, other_seat) = kit.address();
        let (to_other, to_one) = (other.clone(), one.clone());
        kit.start(
            one_for_one()
                .child(actor_in("one", one_seat, move || Relay { next: to_other.clone() }))
                .child(actor_in("other", other_seat, move || Relay { next: to_one.clone() })),
        )
        .await;
        let sleeper = notes.clone();
        let world = kit.world().clone();
        drop(kit.spawn("sleeper", async move {
            world.advance(SECOND).await;
            sleeper.add(1);
        }));
        one.tell(100_u64).expect("there is room");
        kit.settle().await;
        assert_eq!((one.queued(), other.queued(), kit.now()), (0, 0, std::time::Duration::ZERO));
        assert!(notes.take().is_empty(), "what only time can bring has not happened");
        kit.settle().await; // and again, with nothing to do
        kit.advance(SECOND).await;
        assert_eq!(notes.take(), [1]);
    });
}

#[test]
fn many_may_wait_for_quiet_at_once() {
    let run = Sim::seeded(3).run(|world| async move {
        let waiting: Vec<_> = (0..10)
            .map(|n| {
                let inside = world.clone();
                world.spawn("waits", async move {
                    for _ in 0..n {
                        inside.settle().await;
                    }
                    n
                })
            })
            .collect();
        let mut all = Vec::new();
        for waiting in waiting {
            all.push(waiting.await.expect("it ends"));
        }
        all
    });
    assert_eq!(run.result, Ok((0..10).collect()));
}

#[test]
fn a_panic_in_a_task_is_its_own() {
    let run = Sim::fifo().run(|world| async move {
        let panics = world.spawn("panics", async { panic!("ouch") });
        let goes_on = world.spawn("goes on", async {
            yield_once().await;
            7
        });
        let heard: Result<(), String> = panics.await;
        (heard, goes_on.await)
    });
    assert_eq!(run.result, Ok((Err("ouch".to_owned()), Ok(7))));
}

#[test]
fn a_panic_that_nobody_hears_fails_the_run() {
    let run = Sim::fifo().run(|world| async move {
        drop(world.spawn("panics", async { panic!("ouch") }));
        let notes = Notes::default();
        let its = notes.clone();
        let system = System::new().expect("the simulator hosts it");
        let scribe = system.spawn(move || Scribe(its)).expect("it is not shutting down");
        scribe.tell(5_u64).expect("there is room");
        world.settle().await;
        assert_eq!(notes.take(), [5], "everybody else goes on");
    });
    assert_eq!(run.result, Err(SimError::Panicked { who: "panics".into(), text: "ouch".into() }));
    let run = Sim::fifo().run(|_| async { panic!("{}", "the test's own") });
    let own: Result<(), SimError> = run.result;
    assert_eq!(own, Err(SimError::Panicked { who: "the test".into(), text: "the test's own".into() }));
}

#[test]
fn a_test_that_waits_for_ever_is_stuck() {
    let run = Sim::fifo().run(|_| std::future::pending::<()>());
    assert_eq!(run.result, Err(SimError::Stuck(SECOND * 86_400)));
    // With somebody who never stops ticking, too.
    let run = Sim::fifo().horizon(SECOND * 100).run(|world| async move {
        let ticks = world.clone();
        let ticking = world.spawn("ticks", async move {
            loop {
                ticks.advance(SECOND).await;
            }
        });
        let ticking: Result<(), String> = ticking.await;
        ticking
    });
    let stuck = run.result.expect_err("it waits for somebody who never ends");
    assert!(stuck.to_string().contains("100 s of simulated time"), "{stuck}");
}

#[test]
fn running_in_circles_is_found() {
    let circle = |world: World| async move {
        for name in ["chases", "runs"] {
            drop(world.spawn(name, async {
                loop {
                    yield_once().await;
                }
            }));
        }
        world.settle().await;
    };
    let run = Sim::fifo().spin_limit(10_000).run(circle);
    let who: Vec<Arc<str>> = vec!["chases".into(), "runs".into()];
    match run.result {
        Err(SimError::Spinning { steps, who: mut found }) => {
            assert!((10_000..10_010).contains(&steps), "{steps}");
            found.sort();
            assert_eq!(found, who);
        }
        other => panic!("{other:?}"),
    }
    // The test itself may be the one who does.
    let run = Sim::fifo().spin_limit(10_000).run(|_| async {
        loop {
            yield_once().await;
        }
    });
    let who = vec!["the test".into()];
    assert_eq!(run.result, Err::<(), _>(SimError::Spinning { steps: 100_000, who }));
}

#[test]
fn a_simulator_does_not_run_inside_a_runtime() {
    let inside = Sim::fifo().run(|_| async { Sim::fifo().run(|_| async {}).result });
    assert_eq!(inside.result, Ok(Err(SimError::InsideRuntime)));
    assert!(SimError::InsideRuntime.to_string().contains("#[minder_fault_injection::test]"));
}

#[test]
fn several_systems_live_in_one_run() {
    let run = Sim::seeded(5).run(|world| async move {
        let mut answers = Vec::new();
        for n in [3, 4] {
            let system = System::new().expect("the simulator hosts it");
            let counter = system.spawn(Counter::default).expect("it is not shutting down");
            counter.tell(Msg::Add(n)).expect("there is room");
            answers.push(counter.ask(Msg::Read).await.expect("it answers"));
        }
        world.settle().await;
        answers
    });
    assert_eq!(run.result, Ok(vec![3, 4]));
    assert_eq!(run.stops.len(), 2);
    assert!(run.stops.iter().all(minder::ShutdownReport::is_clean));
}

/// Wakes that are out: each counted from the wake until its task runs.
#[derive(Clone, Default)]
struct Wakes(Arc<Mutex<Vec<Waker>>>, Arc<AtomicUsize>);

impl Wakes {
    /// Waits until somebody calls [`Wakes::wake_one`].
    async fn be_woken(&self) {
        let mut is_waiting = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut is_waiting, true) {
                self.1.fetch_sub(1, Ordering::Relaxed);
                return Poll::Ready(());
            }
            self.0.lock().expect("nobody panics with it").push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// False if nobody waits.
    fn wake_one(&self) -> bool {
        let Some(waker) = self.0.lock().expect("nobody panics with it").pop() else { return false };
        self.1.fetch_add(1, Ordering::Relaxed);
        waker.wake();
        true
    }

    fn out(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }
}

/// Wakes somebody when it is dropped.
struct WakesOnDrop(Wakes);

impl Drop for WakesOnDrop {
    fn drop(&mut self) {
        self.0.wake_one();
    }
}

#[test]
fn no_wake_is_pending_once_all_has_settled() {
    for seed in 0..100 {
        let run = Sim::seeded(seed).run(|world| async move {
            let wakes = Wakes::default();
            let mut sum = 0;
            for round in 0..20 {
                let done = Arc::new(AtomicUsize::new(0));
                for n in 0..8_u64 {
                    let (wakes, done, inside) = (wakes.clone(), done.clone(), world.clone());
                    drop(world.spawn("dreams", async move {
                        wakes.be_woken().await;
                        // Hands the wake on, in every way in which one can be handed on.
                        match (inside.random() + n) % 6 {
                            0 => drop(wakes.wake_one()),
                            1 => drop(WakesOnDrop(wakes.clone())),
                            2 => {
                                let late = WakesOnDrop(wakes.clone());
                                drop(inside.spawn("drops it late", async move {
                                    tokio::task::yield_now().await;
                                    drop(late);
                                }));
                            }
                            3 => {
                                let woken = wakes.clone();
                                tokio::task::yield_now().await;
                                tokio::task::yield_now().await;
                                woken.wake_one();
                            }
                            4 => {
                                yield_once().await;
                                wakes.wake_one();
                            }
                            _ => {
                                // While others wait for quiet the test is not told of it.
                                inside.settle().await;
                                wakes.wake_one();
                            }
                        }
                        done.fetch_add(1, Ordering::Relaxed);
                    }));
                }
                world.settle().await;
                assert_eq!(
                    (wakes.out(), done.load(Ordering::Relaxed)),
                    (0, 0),
                    "round {round}: nobody was woken"
                );
                wakes.wake_one();
                world.settle().await;
                assert_eq!(
                    (wakes.out(), done.load(Ordering::Relaxed)),
                    (0, 8),
                    "round {round}: each woke the next"
                );
                sum += 1;
            }
            assert_eq!(world.now(), std::time::Duration::ZERO, "none of this takes time");
            sum
        });
        assert_eq!(run.result, Ok(20), "seed {seed}");
    }
}

/// Passes a number on to whoever is drawn, in a way that is drawn too, into mailboxes with room for one.
struct Juggler {
    others: Vec<Addr<u64>>,
    world: World,
}

impl Actor for Juggler {
    type Msg = u64;

    async fn handle(&mut self, left: u64, context: &mut Context<u64>) -> Handled {
        let drawn = self.world.random();
        match drawn % 4 {
            0 => yield_once().await,
            1 => tokio::task::yield_now().await,
            2 => context.blocking(|| ()).await,
            _ => {}
        }
        let to = &self.others[(drawn >> 8) as usize % self.others.len()];
        if let Some(left) = left.checked_sub(1) {
            // Where it is this actor itself, and its mailbox is full, the number falls to the ground.
            let _ = to.send(left).await;
        }
        Ok(())
    }
}

#[test]
fn no_message_is_queued_at_an_actor_that_could_run_once_all_has_settled() {
    for seed in 0..100 {
        let run = Sim::seeded(seed).run(|world| async move {
            let system = System::new().expect("the simulator hosts it");
            let (others, seats): (Vec<_>, Vec<_>) =
                (0..5).map(|_| system.address_with(MailboxOptions::bounded(1, WhenFull::Wait))).unzip();
            for seat in seats {
                let (others, world) = (others.clone(), world.clone());
                let start = system.start(seat, "juggler", move || Juggler { others, world });
                start.await.expect("it starts");
            }
            for number in 0..3_u64 {
                for to in &others {
                    // Told and not sent: that the test waits for room would be another promise.
                    let _ = to.tell(20 + number);
                }
                world.settle().await;
                for (n, juggler) in others.iter().enumerate() {
                    let now = juggler.statistics();
                    // Two that wait for room with each other wait for ever, and cannot run. Whoever has nothing in
                    // hand can.
                    let could_run = now.in_hand == 0 && now.queued + now.waiting > 0;
                    assert!(!could_run && now.is_conserved(), "juggler {n}: {now:?}");
                }
            }
            for juggler in &others {
                juggler.kill();
            }
        });
        assert_eq!(run.result, Ok(()), "seed {seed}");
    }
}

#[test]
fn a_task_that_a_thread_has_woken_is_no_quiet() {
    for _ in 0..50 {
        let is_woken = Arc::new(AtomicBool::new(false));
        let outside = is_woken.clone();
        let run = Sim::fifo().run(|world| async move {
            let (tell, told) = tokio::sync::oneshot::channel::<()>();
            drop(world.spawn("waits", async move { drop(told.await) }));
            world.settle().await;
            let strange = std::thread::Builder::new().name("stranger".into());
            #[expect(clippy::disallowed_methods, reason = "the way past the context that is to be found")]
            let thread = strange.spawn(move || {
                drop(tell);
                outside.store(true, Ordering::Release);
            });
            drop(thread.expect("a thread can be made"));
            // The wake comes at any time, and at the latest before the last look at the flag: from then on nothing
            // settles any more, and no run ends well.
            while !is_woken.load(Ordering::Acquire) {
                world.settle().await;
            }
        });
        let how = Escape::ForeignThread("stranger".into());
        assert_eq!(run.result, Err(SimError::Escaped { who: "waits".into(), how }));
    }
}

#[test]
fn a_panic_whose_payload_panics_is_told_like_any_other() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("and its payload as well");
            }
        }
    }
    let text = "a panic whose payload is no text".to_owned();
    let of_the_test = Sim::fifo().run(|_| async { std::panic::panic_any(Bomb) });
    let own: Result<(), SimError> = of_the_test.result;
    assert_eq!(own, Err(SimError::Panicked { who: "the test".into(), text: text.clone() }));
    let of_a_task = Sim::fifo().run(|world| async move {
        let heard: Result<(), String> = world.spawn("throws", async { std::panic::panic_any(Bomb) }).await;
        heard
    });
    assert_eq!(of_a_task.result, Ok(Err(text)));
}

#[test]
fn what_a_run_leaves_may_panic_when_it_is_dropped() {
    /// Panics when it is dropped.
    struct Bomb(&'static str);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("{}", self.0);
            }
        }
    }
    // The future of the test and what it returned, one after the other: the first is told, and the second caught.
    let run = Sim::fifo().run(|_| {
        let kept = Bomb("the code");
        std::future::poll_fn(move |_| {
            let _ = &kept;
            Poll::Ready(Bomb("its result"))
        })
    });
    let error = run.result.map(|_| ()).expect_err("its drop panicked");
    assert_eq!(error, SimError::Panicked { who: "the test".into(), text: "the code".into() });
}
