//! Restarts that did not happen, happened twice, left something behind, or took the wrong ones along.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minder::prelude::*;
use minder::supervisors::{AutoShutdown, TreeError};
use minder_fault_injection::testkit::Kit;

use crate::support::*;

/// actix/actix#158, actix/actix#204 and LeonHartley/Coerce-rs#33: a panic took the supervisor and the process down, or left an
/// actor that answered nobody, while an actor that had stopped because it was done was started again. Here a panic is
/// caught wherever it happens and is a reason like any other, and the restart type says which reasons are worth another life.
#[minder_fault_injection::test(seeds = 10)]
async fn actix_158_a_panic_is_not_supervised_and_a_stop_is_restarted(kit: Kit) {
    type Ending = fn() -> Msg;
    let rows: &[(&str, Ending, bool)] = &[
        ("panic", crash, true),
        (
            "panic at an await",
            || {
                wait(|_, context| {
                    Box::pin(async move {
                        context.sleep(MS).await;
                        panic!("boom")
                    })
                })
            },
            true,
        ),
        (
            "panic in a message of a timer",
            || {
                act(|_, context| {
                    context.send_after(MS, crash());
                    Ok(())
                })
            },
            true,
        ),
        (
            "panic while dropping",
            || {
                act(|player, context| {
                    struct Bomb;
                    impl Drop for Bomb {
                        fn drop(&mut self) {
                            panic!("boom");
                        }
                    }
                    player.kept.push(Box::new(Bomb));
                    context.stop(ExitReason::Normal);
                    Ok(())
                })
            },
            true,
        ),
        ("error", || act(|_, _| Err(Plain("no").into())), true),
        ("done", || end(ExitReason::Normal), false),
        ("shut down", || end(ExitReason::Shutdown), false),
    ];
    for (name, ending, again) in rows {
        let (it, seat) = kit.address();
        let its = Notes::default();
        let child = actor_in("it", seat, move || Player::new("it", &its)).restart(Restart::Transient);
        let root = kit.start(one_for_one().child(child)).await;
        it.tell(ending()).expect("there is room");
        kit.advance(SECOND).await;
        assert_eq!((it.is_alive(), it.id().incarnation()), (*again, 1 + u32::from(*again)), "{name}");
        assert!(root.address().is_alive(), "{name}: the supervisor has nothing to do with it");
    }
}

/// klarna/supervisor3#24, rabbitmq/rabbitmq-common#201 and atomvm/AtomVM#1957: when a restart failed too, the attempt after it
/// found a child that did not look as if it were being restarted, so that it stayed down for good, or its supervisor
/// crashed. Here a failed restart is one more attempt that counts, and is tried until the child is up or the restarts are spent.
#[minder_fault_injection::test(seeds = 20)]
async fn supervisor3_24_a_restart_that_fails_is_never_tried_again(kit: Kit) {
    for (fails, comes_up) in [(1, true), (3, true), (4, false)] {
        let failures = Arc::new(AtomicU32::new(0));
        let (it, seat) = kit.address();
        let (notes, failing) = (Notes::default(), failures.clone());
        let its = notes.clone();
        let child = actor_in("it", seat, move || {
            let failing = failing.clone();
            Player::new("it", &its).at_start(move |_| {
                let left =
                    failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
                left.map_or(Ok(()), |_| Err(Plain("not yet").into()))
            })
        });
        let root = kit.start(one_for_one().limit(4, HOUR).child(child)).await;
        failures.store(fails, Ordering::Relaxed);
        it.tell(crash()).expect("there is room");
        kit.settle().await;
        assert_eq!((it.is_alive(), root.address().is_alive()), (comes_up, comes_up), "{fails} failures");
        assert_eq!(notes.count("it up"), 1 + usize::from(comes_up), "{fails} failures");
    }
}

/// tqwewe/kameo#334 and pathosDev/actor-ts#914: an actor's state was built before its supervised start, so that a failure in
/// it was nobody's; or it left an actor that never ran and never ended, with messages piling up before it. Here the
/// factory runs inside the start: a panic in it is a failed start, which is tried again, and told when it is given up.
#[minder_fault_injection::test(seeds = 20)]
async fn kameo_334_a_failure_while_the_state_is_built_is_nobodys(kit: Kit) {
    let failures = Arc::new(AtomicU32::new(0));
    let (it, seat) = kit.address();
    let (failing, its) = (failures.clone(), Notes::default());
    let child = actor_in("it", seat, move || {
        let left = failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        assert!(left.is_err(), "no state today");
        Player::new("it", &its)
    });
    let root = kit.start(one_for_one().limit(5, HOUR).child(child)).await;
    failures.store(2, Ordering::Relaxed);
    it.tell(crash()).expect("there is room");
    assert_eq!(it.ask(Msg::Life).await.expect("it answers once it is up"), 4, "two starts failed");

    let mut watcher = kit.probe::<()>("watcher").await;
    let address = it.clone();
    watcher.does(move |context| context.monitor_final(&address)).await;
    failures.store(u32::MAX, Ordering::Relaxed);
    it.tell(crash()).expect("there is room");
    let asked = it.ask_within(HOUR, Msg::Life).await;
    let Err(AskError::Stopped(reason, Some(_))) = asked else { panic!("{asked:?}") };
    assert!(reason.to_string().contains("no state today"), "{reason}");
    assert_eq!(root.ended().await, ExitReason::Shutdown);
    let Notice::Down(down) = watcher.next_notice().await else {
        panic!("it is told that the seat is given up")
    };
    assert_eq!(short(&down.reason), "panic no state today");
    assert_eq!(kit.now(), std::time::Duration::ZERO, "nobody waited");
}

/// slawlor/ractor#107: a child that stopped because it was done took its supervisor along, unless every user wrote code
/// against it. Here a supervisor ends for its own reasons only: the end of a child that is not to be restarted concerns
/// nobody, and its siblings do not notice.
#[minder_fault_injection::test(seeds = 10)]
async fn ractor_107_a_child_that_is_done_takes_its_supervisor_along(kit: Kit) {
    for strategy in [one_for_one, one_for_all, rest_for_one] {
        for restart in [Restart::Transient, Restart::Temporary] {
            let (it, seat) = kit.address();
            let ((sibling, place), its) = (kit.address(), Notes::default());
            let notes = its.clone();
            let child = actor_in("it", seat, move || Player::new("it", &its)).restart(restart);
            let other = actor_in("sibling", place, move || Player::new("sibling", &notes));
            let root = kit.start(strategy().limit(0, SECOND).child(child).child(other)).await;
            it.tell(end(ExitReason::Normal)).expect("there is room");
            kit.advance(SECOND).await;
            assert!(!it.is_alive() && root.address().is_alive(), "{restart:?}");
            assert_eq!((sibling.is_alive(), sibling.id().incarnation()), (true, 1), "{restart:?}");
        }
    }
}

/// Govcraft/acton-reactive#7, Govcraft/acton-reactive#11 and Govcraft/acton-service#122: strategy, restart limit and restart
/// policy could be set, were documented and even tested for what they returned, and nothing ever read them. Here each knob
/// is turned, and what happens is different; what makes no sense is refused before anything starts.
#[minder_fault_injection::test]
async fn acton_7_knobs_of_supervision_that_do_nothing(kit: Kit) {
    type Knob = fn(Spec, [Child; 2]) -> Spec;
    let both = |spec: Spec, [a, b]: [Child; 2]| spec.child(a).child(b);
    let plain: Knob = |spec, [a, b]| spec.limit(5, SECOND).child(a).child(b);
    // What is turned; how `a` ends; what is noted, and whether the supervisor still lives.
    type Row = (&'static str, Knob, fn() -> Msg, &'static [&'static str], bool);
    let rows: &[Row] = &[
        ("nothing", plain, crash, &["a gone", "a up"], true),
        (
            "strategy",
            |_, both| one_for_all().limit(5, SECOND).children(both),
            crash,
            &["a gone", "b stopping shutdown", "b gone", "a up", "b up"],
            true,
        ),
        (
            "limit",
            |spec, both| spec.limit(0, SECOND).children(both),
            crash,
            &["a gone", "b stopping shutdown", "b gone"],
            false,
        ),
        (
            "restart",
            |spec, [a, b]| spec.limit(5, SECOND).child(a.restart(Restart::Temporary)).child(b),
            crash,
            &["a gone"],
            true,
        ),
        (
            "significant",
            |spec, [a, b]| {
                let a = a.restart(Restart::Transient).significant(true);
                spec.auto_shutdown(AutoShutdown::AnySignificant).child(a).child(b)
            },
            || end(ExitReason::Normal),
            &["a stopping normal", "a gone", "b stopping shutdown", "b gone"],
            false,
        ),
        (
            "shutdown",
            |spec, [a, b]| spec.limit(0, SECOND).child(a).child(b.shutdown(Shutdown::BrutalKill)),
            crash,
            &["a gone", "b gone"],
            false,
        ),
        (
            "handler limit",
            |spec, [a, b]| spec.limit(5, SECOND).child(a.handler_limit(SECOND)).child(b),
            hang,
            &["a gone", "a up"],
            true,
        ),
        ("no handler limit", plain, hang, &[], true),
    ];
    for (name, knob, ending, expected, lives) in rows {
        let (notes, (a, seat)) = (Notes::default(), kit.address());
        let (of_a, of_b) = (notes.clone(), notes.clone());
        let children = [
            actor_in("a", seat, move || Player::new("a", &of_a).trapping()),
            actor("b", move || Player::new("b", &of_b).trapping()),
        ];
        let root = kit.start(knob(one_for_one(), children)).await;
        notes.take();
        a.tell(ending()).expect("there is room");
        kit.advance(2 * SECOND).await;
        assert_eq!(
            (notes.take(), root.address().is_alive()),
            (expected.iter().map(|line| (*line).into()).collect(), *lives),
            "{name}"
        );
        a.kill();
    }
    let child = || actor("it", || Player::new("it", &Notes::default()));
    let impossible = [
        ("significant but permanent", one_for_one().child(child().significant(true))),
        ("the same id twice", both(one_for_one(), [child(), child()])),
        ("no period", one_for_one().limit(1, std::time::Duration::ZERO).child(child())),
    ];
    for (name, spec) in impossible {
        assert!(matches!(spec.check(), Err(TreeError::Spec { .. })), "{name}: {:?}", spec.check());
    }
}

/// erlang/otp#1287 tells of supervisors that were busy with one slow child while the next one churned; slawlor/ractor#95 of those
/// that start it in their own hook and hear nothing meanwhile. Here a start runs in the child, and its supervisor awaits
/// nothing but its next event: it obeys its own stop in the middle of a start that takes for ever.
#[minder_fault_injection::test(seeds = 20)]
async fn erlang_otp_1287_a_supervisor_hears_nothing_while_a_child_starts(kit: Kit) {
    /// Starts at once the first time, and then never again.
    struct Slow;
    impl Actor for Slow {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            if context.id().incarnation() > 1 {
                std::future::pending::<()>().await;
            }
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
    }
    let notes = Notes::default();
    let its = notes.clone();
    let spec = one_for_one()
        .child(actor("sibling", move || Player::new("sibling", &its).trapping()))
        .child(actor("slow", || Slow));
    let root = kit.start(spec).await;
    kit.kill("slow").await;
    assert!(kit.is_alive("slow") && root.address().is_alive(), "it starts, and goes on starting");
    let report = kit.shutdown().await;
    assert!(report.is_clean() && report.took < SECOND, "{report}");
    assert_eq!(notes.count("sibling stopping shutdown"), 1, "in order");
}

/// lightninglabs/wavelength#1123 and akkadotnet/akka.net#145: after a panic the next messages were handled by the same value, half
/// changed as it was, or by one that was just being replaced. Here a value that has panicked never handles anything
/// again; what waits is for the next one, which its factory builds anew.
#[minder_fault_injection::test(seeds = 50)]
async fn wavelength_1123_a_half_changed_state_goes_on_serving(kit: Kit) {
    /// Two halves that must be equal.
    #[derive(Default)]
    struct Pair(u64, u64);
    enum Ask {
        Add(bool),
        Read(Reply<(u64, u64)>),
    }
    impl Actor for Pair {
        type Msg = Ask;
        async fn handle(&mut self, message: Ask, context: &mut Context<Ask>) -> Handled {
            match message {
                Ask::Add(whole) => {
                    self.0 += 1;
                    context.sleep(MS).await;
                    assert!(whole, "half done");
                    self.1 += 1;
                }
                Ask::Read(reply) => drop(reply.send((self.0, self.1))),
            }
            Ok(())
        }
    }
    let it = kit.supervise("it", Pair::default).await;
    for round in 0..10_u64 {
        it.tell(Ask::Add(true)).expect("there is room");
        it.tell(Ask::Add(false)).expect("there is room");
        it.tell(Ask::Add(true)).expect("there is room");
        if round % 2 == 0 {
            some_turns(&kit).await;
        }
        let (left, right) = it.ask(Ask::Read).await.expect("it answers");
        assert_eq!((left, right), (1, 1), "round {round}: what was added after the crash");
    }
}

/// kquick/Thespian#21 and commanded/commanded#20: a message that crashed its actor was delivered again, whether it was meant to be
/// or not, to crash it again; one bad event could so end a whole application. Here a message is delivered once unless it is
/// declared idempotent; one that is, and crashes life after life, is put into quarantine, and its asker is told.
#[minder_fault_injection::test(seeds = 20)]
async fn thespian_21_a_message_that_crashes_is_delivered_for_ever(kit: Kit) {
    struct Fragile(Notes);
    enum Work {
        Once(u32),
        Again(u32, Reply<()>),
    }
    impl Actor for Fragile {
        type Msg = Work;
        async fn handle(&mut self, work: Work, _: &mut Context<Work>) -> Handled {
            let (Work::Once(number) | Work::Again(number, _)) = &work;
            self.0.add(format!("it {number}"));
            assert!(*number > 1, "poison");
            if let Work::Again(_, reply) = work {
                let _ = reply.send(());
            }
            Ok(())
        }
        fn redelivery(work: &Work) -> Option<Work> {
            match work {
                Work::Once(_) => None,
                Work::Again(number, reply) => Some(Work::Again(*number, reply.twin())),
            }
        }
    }
    let (notes, (it, seat)) = (Notes::default(), kit.address());
    let its = notes.clone();
    let spec = one_for_one().limit(3, HOUR).child(actor_in("it", seat, move || Fragile(its.clone())));
    let root = kit.start(spec).await;
    it.tell(Work::Once(0)).expect("there is room");
    let poison = it.ask(|reply| Work::Again(1, reply));
    let healthy = it.ask(|reply| Work::Again(2, reply));
    let (poison, healthy) = tokio::join!(poison, healthy);
    assert!(matches!(poison, Err(AskError::Poisoned)), "{poison:?}");
    healthy.expect("it is handled, whatever came before it");
    assert_eq!(notes.marks("it"), [0, 1, 1, 1, 2]);
    let quarantine = it.quarantine().list();
    assert_eq!(quarantine.iter().map(|letter| letter.failures.len()).collect::<Vec<_>>(), [3]);
    assert!(root.address().is_alive(), "four crashes, three of them the message's");
}
