//! Beginnings and ends that were missed, half done, or counted wrong; and idle actors that were not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use minder::prelude::*;
use minder::{MailboxOptions, WhenFull};
use minder_fault_injection::sim::Sim;
use minder_fault_injection::testkit::Kit;

use crate::support::*;

/// slawlor/ractor#467: whoever gave up waiting for a start left a half-started actor behind: its name and its place were taken,
/// and nobody ran there. Here only the wait is given up: the start goes on by itself and comes to an end, the seat is
/// taken by a whole actor or by nobody, and it can be stopped like any other.
#[minder_fault_injection::test(seeds = 100)]
async fn ractor_467_a_start_whose_future_is_dropped_is_left_half_done(kit: Kit) {
    for fails in [false, true] {
        let system = System::new().expect("in a simulation");
        let (notes, (it, seat)) = (Notes::default(), system.address());
        let its = notes.clone();
        let make = move || {
            Player::new("it", &its).at_start(move |_| if fails { Err(Plain("no").into()) } else { Ok(()) })
        };
        let spec = one_for_one().child(actor_in("it", seat.clone(), make));
        {
            let mut starting = Box::pin(spec.start(&system, "app"));
            for _ in 0..kit.random() % 6 {
                if poll_once(starting.as_mut()).await.is_ready() {
                    break;
                }
                turn().await;
            }
        }
        kit.settle().await;
        if system.living() == 0 {
            // It failed, or was given up before it had begun: then the seat is free.
            assert!(!it.is_alive());
            let again = Notes::default();
            system.start(seat, "again", move || Player::new("it", &again)).await.expect("the seat is free");
            assert!(it.ask(Msg::Life).await.is_ok());
        } else {
            assert!(!fails && it.is_alive() && system.living() == 2, "a whole tree");
            assert_eq!(it.ask(Msg::Life).await.ok(), Some(1));
            let other = system.start(seat, "other", || Player::new("other", &Notes::default())).await;
            assert!(other.is_err(), "one at a time");
        }
        assert!(system.shutdown(HOUR).await.is_clean());
        assert_eq!(system.living(), 0);
    }
}

/// slawlor/ractor#468: the end of an actor woke one of those who waited for it; the next one to ask waited for ever, and one that
/// had not been polled yet could miss it. Here the end is kept: any number of waiters, before, meanwhile and after,
/// and the same one again and again, all hear the same reason.
#[minder_fault_injection::test(seeds = 100)]
async fn ractor_468_only_the_first_waiter_hears_of_the_end(kit: Kit) {
    let it = kit.system().spawn(|| Player::new("it", &Notes::default())).expect("it is open");
    let unpolled = it.ended();
    let mut polled_once = Box::pin(it.ended());
    assert_eq!(poll_once(polled_once.as_mut()).await, Poll::Pending);
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let (it, kit) = (it.clone(), kit.clone());
            kit.clone().spawn("waits", async move {
                some_turns(&kit).await;
                [it.ended().await, it.ended().await]
            })
        })
        .collect();
    some_turns(&kit).await;
    let given_up = Box::pin(it.ended());
    drop(given_up);
    let reason = ExitReason::other("over");
    it.tell(end(reason.clone())).expect("there is room");
    for waiting in waiting {
        assert_eq!(waiting.await, Ok([reason.clone(), reason.clone()]));
    }
    assert_eq!(
        (unpolled.await, polled_once.await, it.ended().await),
        (reason.clone(), reason.clone(), reason)
    );
}

/// slawlor/ractor#353 and slawlor/ractor#428: work was counted where it was sent off and not where it was taken from a queue, so that the
/// counters ran down to nothing, and a pool was said to be drained with 999 jobs under way. Here messages are conserved: at
/// every moment what was let in is handled, waiting, in hand or dead, and when nothing waits or is in hand all is done.
#[minder_fault_injection::test(seeds = 100)]
async fn ractor_353_a_drain_is_over_before_the_work_is(kit: Kit) {
    struct Worker(Arc<AtomicU64>);
    impl Actor for Worker {
        type Msg = u64;
        async fn handle(&mut self, number: u64, context: &mut Context<u64>) -> Handled {
            context.sleep(MS * u32::try_from(number % 5).expect("it is small")).await;
            assert!(number % 17 != 3, "a bad job");
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }
    let (it, seat) = kit.system().address_with(MailboxOptions::bounded(8, WhenFull::Reject));
    let done = Arc::new(AtomicU64::new(0));
    let its = done.clone();
    let spec = one_for_one().limit(1_000, SECOND).child(actor_in("it", seat, move || Worker(its.clone())));
    kit.start(spec).await;
    let (mut accepted, mut bad) = (0, 0);
    for number in 0..200_u64 {
        if it.tell(number).is_ok() {
            accepted += 1;
            bad += u64::from(number % 17 == 3);
        }
        if one_in(&kit, 3) {
            kit.advance(less_than(&kit, 8)).await;
        }
        let statistics = it.statistics();
        assert!(statistics.is_conserved(), "{statistics:?}");
        assert_eq!((statistics.accepted, statistics.handled), (accepted, done.load(Ordering::Relaxed)));
    }
    let drained = kit.until(HOUR, || it.statistics().queued + it.statistics().in_hand == 0).await;
    let statistics = it.statistics();
    assert!(drained && statistics.refused > 0 && bad > 0, "{statistics:?}");
    assert_eq!((done.load(Ordering::Relaxed), statistics.crashed), (accepted - bad, bad));
}

/// bastion-rs/bastion#109, bastion-rs/bastion#148 and bastion-rs/bastion#243: a process with nothing to do kept one processor busy, by a
/// thread that looked again and again whether there was something. Here nobody looks: everybody waits to be woken, so
/// that in an hour of an idle system, trees, groups and timers included, nobody takes a step.
#[test]
fn bastion_109_an_idle_system_keeps_a_processor_busy() {
    let steps = |idle_for| {
        let run = Sim::fifo().run(|world| async move {
            let kit = Kit::new(world);
            let (groups, keeper) = minder::groups::Groups::new(kit.system());
            let mut spec = one_for_one().child(actor_in("groups", keeper, groups.keeper()));
            for number in 0..100 {
                let its = Notes::default();
                spec = spec.child(actor(&number.to_string(), move || {
                    Player::new("it", &its).at_start(|context| {
                        context.send_after(24 * HOUR, Msg::Mark(1));
                        Ok(())
                    })
                }));
            }
            kit.start(spec).await;
            kit.settle().await;
            kit.advance(idle_for).await;
        });
        run.result.as_ref().expect("nobody panics");
        run.steps
    };
    let (a_moment, an_hour) = (steps(MS), steps(HOUR));
    assert_eq!(a_moment, an_hour);
}
