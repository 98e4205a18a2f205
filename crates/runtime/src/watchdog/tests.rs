//! What a watchdog sees of a thread, step by step: no clock, and nobody who looks but the test.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::system::System;

/// What is seen in each slot, as the number of its run and whose it is.
fn seen(watchdog: &Arc<Watchdog>) -> Vec<Option<(u64, u32)>> {
    let slots = watchdog.lock();
    let seen = |slot: &Weak<Slot>| slot.upgrade()?.seen().map(|(run, whose)| (run, whose.id.incarnation()));
    slots.new.iter().map(seen).collect()
}

/// A watchdog that nobody runs, and somebody to watch, who is told apart by a number.
fn subject(system: &System, number: u32) -> Arc<Subject> {
    let (address, _seat) = system.address::<()>();
    Arc::new(Subject { cell: address.cell.weak(), id: ActorId::new(1, number), work: None })
}

fn run<T>(code: impl FnOnce() -> T) -> T {
    frame::run_as(1, code).unwrap_or_else(|report| panic!("{}", report.text))
}

#[tokio::test]
async fn each_run_of_user_code_is_seen_and_none_within_another() {
    let system = System::new().expect("inside a runtime");
    let (one, other) = (subject(&system, 1), subject(&system, 2));
    let watchdog = Watchdog::new(Duration::from_secs(1));
    assert_eq!(seen(&watchdog), []);
    frame::watched(&watchdog, &one, || {
        assert_eq!(seen(&watchdog), [Some((1, 1))], "what is no user code is watched, too");
        run(|| {
            assert_eq!(seen(&watchdog), [Some((3, 1))]);
            run(|| assert_eq!(seen(&watchdog), [Some((3, 1))], "it goes on within it"));
            // A poll within it is a place of its own, and its own runs are seen.
            frame::watched(&watchdog, &other, || {
                assert_eq!(seen(&watchdog), [Some((3, 1)), Some((1, 2))]);
                run(|| assert_eq!(seen(&watchdog), [Some((3, 1)), Some((3, 2))]));
                run(|| assert_eq!(seen(&watchdog), [Some((3, 1)), Some((5, 2))]));
            });
            assert_eq!(seen(&watchdog), [Some((3, 1)), None]);
            run(|| assert_eq!(seen(&watchdog), [Some((3, 1)), None], "still within it"));
        });
        assert_eq!(frame::run_as(1, || panic!("boom")).map_err(|report| report.text), Err("boom".to_owned()));
        run(|| assert_eq!(seen(&watchdog), [Some((7, 1)), None], "also after a panic"));
    });
    assert_eq!(seen(&watchdog), [None, None], "others have their turn");
    run(|| assert_eq!(seen(&watchdog), [None, None], "one that is not watched"));
    // The places are used again.
    frame::watched(&watchdog, &other, || assert_eq!(seen(&watchdog).iter().flatten().count(), 1));
    let unwound = catch_unwind(AssertUnwindSafe(|| frame::watched(&watchdog, &one, || panic!("boom"))));
    assert!(unwound.is_err());
    assert_eq!(seen(&watchdog), [None, None]);
}

#[tokio::test]
async fn each_watchdog_has_its_own_places_and_they_go_with_it_or_with_their_thread() {
    let system = System::new().expect("inside a runtime");
    let one = subject(&system, 1);
    let (watchdog, other) = (Watchdog::new(Duration::ZERO), Watchdog::new(Duration::ZERO));
    frame::watched(&watchdog, &one, || {
        frame::watched(&other, &one, || assert_eq!((seen(&watchdog).len(), seen(&other).len()), (1, 1)));
        run(|| assert_eq!((seen(&watchdog), seen(&other)), (vec![Some((3, 1))], vec![None])));
    });
    frame::watched(&other, &one, || {
        assert_eq!((seen(&watchdog), seen(&other)), (vec![None], vec![Some((3, 1))]))
    });
    let slot = watchdog.lock().new[0].clone();
    drop(watchdog);
    assert_eq!(slot.strong_count(), 1, "kept by its thread");
    std::thread::scope(|scope| {
        let there =
            scope.spawn(|| frame::watched(&other, &one, || assert_eq!(seen(&other), [None, Some((1, 1))])));
        there.join().expect("it does not panic"); // and with that, what it kept is gone
    });
    assert_eq!(other.lock().new[1].strong_count(), 0, "the thread is gone");
    // Room is made for a new one when one is needed.
    let third = Watchdog::new(Duration::ZERO);
    frame::watched(&third, &one, || {});
    assert_eq!(slot.strong_count(), 0);
}

/// Its thread ends before anybody looks again.
#[tokio::test]
async fn a_stall_is_over_also_when_its_thread_is_gone() {
    let system = System::new().expect("inside a runtime");
    let one = subject(&system, 1);
    let limit = Duration::from_secs(4);
    let watchdog = Watchdog::new(limit);
    let at = |second| Moment::after_start(Duration::from_secs(second));
    let (mut place, told) = std::thread::scope(|scope| {
        let there = scope.spawn(|| {
            frame::watched(&watchdog, &one, || {
                let mut place = Place::new(watchdog.lock().new[0].clone());
                let told = (0..=4).filter_map(|second| place.look(at(second), limit)).map(|(news, _)| news);
                let told: Vec<News> = told.collect();
                (place, told)
            })
        });
        there.join().expect("it does not panic")
    });
    assert_eq!(told, [News::Stalled(limit)]);
    assert!(!place.is_done(), "that it is over has yet to be told");
    let (news, who) = place.look(at(5), limit).expect("it is over");
    assert_eq!((news, who.id, place.is_done()), (News::Over(limit), one.id, true));
}
