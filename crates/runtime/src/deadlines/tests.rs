//! Deadlines by themselves, their time made up: never early, late by a bucket at most, cancelled without a trace.

use std::collections::BTreeMap;

use super::*;

/// Writes down what fires.
#[derive(Default)]
struct Fired(Mutex<Vec<u64>>);

impl Fire for Fired {
    fn fire(&self, key: u64) {
        self.0.lock().expect("not poisoned").push(key);
    }
}

impl Fired {
    fn take(&self) -> Vec<u64> {
        std::mem::take(&mut *self.0.lock().expect("not poisoned"))
    }
}

fn deadlines() -> (Deadlines, Arc<Fired>) {
    (Deadlines::new(Clock::start(), WIDTH), Arc::default())
}

fn at(micros: u64) -> Moment {
    Moment::after_start(Duration::from_micros(micros))
}

#[test]
fn never_early_and_late_by_less_than_a_bucket() {
    for due in [0, 1, 4999, 5000, 5001, 9999, 10_000, 12_345, 1_000_000] {
        let (deadlines, fired) = deadlines();
        deadlines.register(at(due), Due::Fire(fired.clone(), 1));
        if due > 0 {
            deadlines.fire_due(at(due - 1));
            assert_eq!(fired.take(), [], "{due} us");
        }
        deadlines.fire_due(at(due + 4999));
        assert_eq!(fired.take(), [1], "{due} us");
        deadlines.fire_due(at(due + 60_000));
        assert_eq!(fired.take(), [], "{due} us: once");
    }
}

#[test]
fn exact_ones_are_not_late_at_all() {
    for due in [0, 1000, 7000, 1_000_000] {
        let (deadlines, fired) = (Deadlines::new(Clock::start(), EXACT), Arc::<Fired>::default());
        deadlines.register(at(due), Due::Fire(fired.clone(), 1));
        if due > 0 {
            deadlines.fire_due(at(due - 1));
            assert_eq!(fired.take(), [], "{due} us");
        }
        deadlines.fire_due(at(due));
        assert_eq!(fired.take(), [1], "{due} us");
    }
}

#[test]
fn what_is_due_fires_in_the_order_of_time_and_then_of_registration() {
    let (deadlines, fired) = deadlines();
    // 1 and 6 share a bucket with 5, and 6 is due before both.
    for (key, due) in [(1, 30_000), (2, 10_000), (3, 20_000), (4, 10_000), (5, 30_000), (6, 27_000)] {
        deadlines.register(at(due), Due::Fire(fired.clone(), key));
    }
    assert_eq!(deadlines.fire_due(at(20_000)), Some(Some(6)), "the next edge");
    assert_eq!(fired.take(), [2, 4, 3]);
    assert_eq!(deadlines.fire_due(at(90_000)), Some(None), "nothing is left to wait for");
    assert_eq!(fired.take(), [6, 1, 5]);
}

#[test]
fn a_cancelled_deadline_does_not_fire_and_its_place_is_used_again() {
    let (deadlines, fired) = deadlines();
    let register = |key| deadlines.register(at(10_000), Due::Fire(fired.clone(), key));
    let (first, _second) = (register(1), register(2));
    deadlines.cancel(first);
    let third = register(3);
    assert_eq!(third.at, first.at);
    deadlines.cancel(first); // used up: it must not hit the third, who has its place
    deadlines.fire_due(at(10_000));
    assert_eq!(fired.take(), [2, 3]);
    deadlines.cancel(third); // fired: nothing
    let fourth = register(4);
    deadlines.cancel(third);
    assert_eq!(fourth.bucket, third.bucket);
    deadlines.fire_due(at(10_000));
    assert_eq!(fired.take(), [4]);
}

#[test]
fn once_closed_nothing_fires_and_the_driver_ends() {
    let (deadlines, fired) = deadlines();
    deadlines.register(at(1), Due::Fire(fired.clone(), 1));
    deadlines.close();
    assert_eq!(deadlines.fire_due(at(1_000_000)), None);
    assert_eq!(fired.take(), []);
    assert_eq!(Arc::strong_count(&fired), 1, "what was registered is let go");
}

/// Many random steps beside a plain list.
#[test]
fn many_steps_beside_a_plain_list() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (deadlines, fired) = deadlines();
        let mut pending: BTreeMap<u64, (u64, Key)> = BTreeMap::new();
        let (mut now, mut next) = (0, 0);
        for _ in 0..300 {
            match random.u32(0..4) {
                0 | 1 => {
                    let due = now + random.u64(0..40_000);
                    let key = deadlines.register(at(due), Due::Fire(fired.clone(), next));
                    pending.insert(next, (due, key));
                    next += 1;
                }
                2 => {
                    let known: Vec<u64> = pending.keys().copied().collect();
                    if let Some(number) = random.choice(known) {
                        let (_, key) = pending.remove(&number).expect("it is pending");
                        deadlines.cancel(key);
                    }
                }
                _ => {
                    now += random.u64(0..20_000);
                    deadlines.fire_due(at(now));
                    for number in fired.take() {
                        let (due, _) = pending.remove(&number).expect("nothing fires twice, or cancelled");
                        assert!(due <= now, "seed {seed}: early");
                    }
                    let late = pending.values().find(|(due, _)| due + 5000 <= now);
                    assert!(late.is_none(), "seed {seed}: {late:?} at {now}");
                }
            }
        }
    }
}
