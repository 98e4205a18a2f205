//! Simulated time: it stands still unless it is moved, and whatever is due happens on its millisecond.

use std::time::Duration;

use minder::prelude::*;
use minder_fault_injection::sim::Sim;
use minder_fault_injection::testkit::{Kit, Trial};

use crate::support::{Counter, MS, Msg, Notes, SECOND, ms};

/// Writes down when its timers fire.
struct Alarm(Notes<u64>);

impl Actor for Alarm {
    type Msg = Option<Duration>;

    async fn handle(&mut self, message: Option<Duration>, context: &mut Context<Self::Msg>) -> Handled {
        match message {
            Some(after) => drop(context.send_after(after, None)),
            None => self.0.add(ms(context.now().since_start())),
        }
        Ok(())
    }
}

const EXACT: [u64; 9] = [0, 1, 4, 5, 6, 7, 99, 1_234, 86_400_001];

#[minder_fault_injection::test]
async fn timers_fire_on_their_millisecond(kit: Kit) {
    let notes = Notes::default();
    let its = notes.clone();
    let alarm = kit.supervise("alarm", move || Alarm(its.clone())).await;
    for after in EXACT {
        alarm.tell(Some(MS * u32::try_from(after).expect("it fits"))).expect("there is room");
    }
    kit.settle().await;
    assert_eq!((notes.take(), kit.now()), (vec![0], Duration::ZERO), "time stands still");
    kit.advance(MS * 5).await;
    assert_eq!((notes.take(), kit.now()), (vec![1, 4, 5], MS * 5));
    kit.advance(SECOND * 100_000).await;
    assert_eq!(notes.take(), [6, 7, 99, 1_234, 86_400_001]);
}

#[minder_fault_injection::test]
async fn sleeps_deadlines_and_limits_are_exact(kit: Kit) {
    for wait in EXACT.into_iter().filter(|wait| *wait < 86_400_000) {
        let wait = Duration::from_millis(wait);
        let counter = kit.supervise("counter", Counter::default).await;
        let began = kit.now();
        counter.tell(Msg::Nap(wait)).expect("there is room");
        counter.ask_within(wait + SECOND, Msg::Read).await.expect("it answers after its nap");
        assert_eq!(kit.now() - began, wait, "a sleep");

        counter.tell(Msg::Nap(wait + SECOND)).expect("there is room");
        let began = kit.now();
        let answer = counter.ask_within(wait, Msg::Read).await;
        assert!(matches!(answer, Err(AskError::TimedOut)), "{answer:?}");
        assert_eq!(kit.now() - began, wait, "a deadline");

        let (hung, seat) = kit.address();
        let child = actor_in("hung", seat, Counter::default).handler_limit(wait.max(MS));
        kit.start(one_for_one().child(child)).await;
        hung.tell(Msg::Nap(wait + SECOND * 2)).expect("there is room");
        let began = kit.now();
        assert!(kit.until(wait + SECOND, || kit.generation(&hung) == 2).await);
        assert_eq!(kit.now() - began, wait.max(MS), "a limit");
    }
}

#[minder_fault_injection::test]
async fn time_is_moved_as_far_as_is_said(kit: Kit) {
    assert_eq!(kit.now(), Duration::ZERO);
    kit.advance(SECOND * 86_400 * 400).await; // longer than a test may wait without saying so
    assert_eq!(kit.now(), SECOND * 86_400 * 400);
    let world = kit.world();
    world.run_until(SECOND).await; // long past
    assert_eq!(kit.now(), SECOND * 86_400 * 400);
    world.run_until(SECOND * 86_400 * 401).await;
    assert_eq!(kit.now(), SECOND * 86_400 * 401);
}

#[minder_fault_injection::test]
async fn until_stops_when_it_is_met_or_over(kit: Kit) {
    let counter = kit.supervise("counter", Counter::default).await;
    let rows = [
        (SECOND, SECOND * 2, true, SECOND),
        (SECOND * 2, SECOND, false, SECOND),
        (SECOND, SECOND, true, SECOND),
        (Duration::ZERO, SECOND, true, Duration::ZERO),
    ];
    for (nap, within, met, took) in rows {
        let began = kit.now();
        counter.tell(Msg::Nap(nap)).expect("there is room");
        counter.tell(Msg::Add(1)).expect("there is room");
        assert_eq!(kit.until(within, || counter.queued() == 0).await, met, "{nap:?} within {within:?}");
        assert_eq!(kit.now() - began, took, "{nap:?} within {within:?}");
        kit.advance(SECOND * 3).await;
    }
}

/// Takes longer to clean up than its spec allows.
struct Slow;

impl Actor for Slow {
    type Msg = ();

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.trap_exit(true);
        Ok(())
    }

    async fn stopping(&mut self, _: &ExitReason, context: &mut Context<()>) {
        context.sleep(SECOND * 60).await;
    }
}

#[test]
fn a_supervisors_patience_is_exact() {
    for patience in [1, 4, 5, 1_003] {
        let run = Sim::seeded(0).run(|world| async move {
            let system = System::new().expect("the simulator hosts it");
            let child = actor("slow", || Slow).shutdown(Shutdown::Within(MS * patience));
            one_for_one().child(child).start(&system, "app").await.expect("it starts");
            system.shutdown(SECOND * 60).await;
            world.now()
        });
        assert_eq!(run.result, Ok(MS * patience));
        assert_eq!(run.late, [] as [std::sync::Arc<str>; 0], "stopped by the run itself, and not at its end");
    }
}

/// Works on a thread that may block.
struct Worker(Notes<&'static str>);

impl Actor for Worker {
    type Msg = bool;

    async fn handle(&mut self, panics: bool, context: &mut Context<bool>) -> Handled {
        self.0.add("asks");
        let its = self.0.clone();
        let work = move || {
            its.add("works");
            assert!(!panics, "no such file");
            7
        };
        assert_eq!(context.blocking(work).await, 7);
        self.0.add("has it");
        Ok(())
    }
}

#[test]
fn blocking_runs_inline_and_its_panic_goes_on_in_the_caller() {
    Trial::named("blocking").seeds(20).run(|kit| async move {
        let notes = Notes::default();
        let its = notes.clone();
        let worker = kit.supervise("worker", move || Worker(its.clone())).await;
        worker.tell(false).expect("there is room");
        kit.settle().await;
        assert_eq!(notes.take(), ["asks", "works", "has it"]);
        worker.tell(true).expect("there is room");
        kit.settle().await;
        assert_eq!(notes.take(), ["asks", "works"]);
        assert_eq!(kit.generation(&worker), 2);
        let reason = kit.exits_of(&worker)[0].to_string();
        assert!(reason.contains("no such file"), "{reason}");
        assert_eq!(kit.now(), Duration::ZERO);
    });
}

#[test]
fn a_kill_can_come_between_blocking_work_and_its_result() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let run = Sim::seeded(seed).run(|world| async move {
            let system = System::new().expect("the simulator hosts it");
            let notes = Notes::default();
            let its = notes.clone();
            let worker = system.spawn(move || Worker(its)).expect("it is not shutting down");
            worker.tell(false).expect("there is room");
            let killer = worker.clone();
            let kill = async move {
                killer.kill();
            };
            drop(world.spawn("killer", kill));
            world.settle().await;
            notes.take().len()
        });
        seen.insert(run.result.expect("it ends"));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 2, 3], "before, between, and after");
}
