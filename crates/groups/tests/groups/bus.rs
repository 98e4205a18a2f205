//! The bus: everybody hears everything in the same order, or is told how much was missed; nobody waits for anybody.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use minder_groups::{Bus, Delivery, Heard, HeardBy, Listener};
use minder_runtime::{Actor, Context, Handled};

use crate::support::*;

fn heard(listener: &Listener<u32>) -> Vec<Heard<u32>> {
    std::iter::from_fn(|| listener.try_next()).collect()
}

fn events(numbers: impl IntoIterator<Item = u32>) -> Vec<Heard<u32>> {
    numbers.into_iter().map(|number| Heard::Event(number.into())).collect()
}

/// GEV-001: they come and go at run time.
/// OTP: GEV-001.
#[test]
fn a_listener_hears_what_is_published_while_it_listens() {
    let bus = Bus::new();
    assert_eq!(bus.publish(0), 0);
    let first = bus.listen(10);
    assert_eq!(bus.publish(1), 1);
    let second = bus.listen(10);
    let clone = second.clone();
    assert_eq!(bus.publish(2), 2);
    drop(second);
    assert_eq!((bus.publish(3), bus.listeners()), (2, 2));
    assert_eq!(heard(&clone), events([2, 3]));
    drop(clone);
    assert_eq!((bus.publish(4), bus.listeners()), (1, 1));
    assert_eq!(heard(&first), events([1, 2, 3, 4]));
}

/// On one thread listeners that have nothing else to do hear each event newest first, whoever left and came again before:
/// tasks, and actors. Of the end they hear so too.
/// OTP: GEV-001.
#[tokio::test(start_paused = true)]
async fn the_newest_listener_hears_first() {
    for (seed, are_actors) in (0..20).flat_map(|seed| [(seed, false), (seed, true)]) {
        let mut random = fastrand::Rng::with_seed(seed);
        let (system, bus) = (system(), Bus::new());
        let heard: Arc<Mutex<Vec<(u32, u32)>>> = Arc::default();
        // In the order in which they came.
        let mut listening: Vec<(u32, Box<dyn FnOnce()>)> = Vec::new();
        for step in 0..60 {
            match random.u8(..4) {
                0 | 1 if listening.len() < 8 => {
                    let (it, listener) = (Hearer { name: step, heard: heard.clone() }, bus.listen(10));
                    let end: Box<dyn FnOnce()> = if are_actors {
                        let address = system.spawn(move || it.listening(listener)).expect("open");
                        Box::new(move || assert!(address.kill()))
                    } else {
                        let task = aside(async move {
                            while let Some(Heard::Event(event)) = listener.next().await {
                                it.hear(*event);
                            }
                            it.hear(END);
                        });
                        Box::new(move || task.abort())
                    };
                    listening.push((step, end));
                }
                2 if !listening.is_empty() => listening.remove(random.usize(..listening.len())).1(),
                _ => {
                    settle().await;
                    assert_eq!((bus.publish(step), bus.listeners()), (listening.len(), listening.len()));
                    settle().await;
                    let names = listening.iter().rev().map(|(name, _)| (*name, step));
                    let heard = std::mem::take(&mut *heard.lock().expect("nobody panics"));
                    assert_eq!(heard, names.collect::<Vec<_>>(), "seed {seed}, actors: {are_actors}");
                }
            }
        }
        settle().await;
        drop(bus);
        settle().await;
        if !are_actors {
            let names = listening.iter().rev().map(|(name, _)| (*name, END));
            assert_eq!(*heard.lock().expect("nobody panics"), names.collect::<Vec<_>>(), "seed {seed}");
        }
    }
}

/// What [`Hearer`] writes at the end.
const END: u32 = u32::MAX;

/// Writes down who has heard what.
struct Hearer {
    name: u32,
    heard: Arc<Mutex<Vec<(u32, u32)>>>,
}

impl Hearer {
    fn hear(&self, event: u32) {
        self.heard.lock().expect("nobody panics").push((self.name, event));
    }

    fn listening(self, to: Listener<u32>) -> HearingActor {
        HearingActor { it: self, to: Some(to) }
    }
}

struct HearingActor {
    it: Hearer,
    to: Option<Listener<u32>>,
}

impl Actor for HearingActor {
    type Msg = Delivery<Heard<u32>>;

    async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
        self.to.take().expect("it starts once").deliver_to(context)?;
        Ok(())
    }

    async fn handle(&mut self, delivery: Self::Msg, _: &mut Context<Self::Msg>) -> Handled {
        if let Heard::Event(event) = &*delivery {
            self.it.hear(**event);
        }
        Ok(())
    }
}

/// The latest are kept, the missed are counted, and the count stands where they are missing.
#[test]
fn a_slow_listener_is_told_how_much_it_missed() {
    // bound, published before it listens up; then: missed, events
    let rows: [(usize, u32, u64, Vec<u32>); 7] = [
        (3, 0, 0, vec![]),
        (3, 2, 0, vec![0, 1]),
        (3, 3, 0, vec![0, 1, 2]),
        (3, 4, 1, vec![1, 2, 3]),
        (3, 1000, 997, vec![997, 998, 999]),
        (1, 5, 4, vec![4]),
        (0, 5, 4, vec![4]), // taken as 1
    ];
    for (bound, published, missed, kept) in rows {
        let bus = Bus::new();
        let (slow, prompt) = (bus.listen(bound), bus.listen(2000));
        assert!((0..published).all(|number| bus.publish(number) == 2));
        let lag = (missed > 0).then_some(Heard::Lagged(missed));
        let expected: Vec<_> = lag.into_iter().chain(events(kept)).collect();
        assert_eq!(heard(&slow), expected, "{bound} {published}");
        assert_eq!(heard(&prompt), events(0..published), "the others miss nothing");
        bus.publish(7);
        assert_eq!(heard(&slow), events([7]), "it is told once");
    }
}

/// Read at any pace: what was heard and what was missed are together what was published, in order.
#[test]
fn heard_and_missed_are_all() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bus = Bus::new();
        let listener = bus.listen(random.usize(1..6));
        let (mut published, mut next) = (0, 0);
        let mut hear = |heard| match heard {
            Heard::Event(number) => {
                assert_eq!(*number, next, "seed {seed}");
                next += 1;
            }
            Heard::Lagged(missed) => next += u32::try_from(missed).expect("few"),
        };
        for _ in 0..200 {
            if random.u8(..3) > 0 {
                bus.publish(published);
                published += 1;
            } else {
                listener.try_next().into_iter().for_each(&mut hear);
            }
        }
        std::iter::from_fn(|| listener.try_next()).for_each(hear);
        assert_eq!(next, published, "seed {seed}");
    }
}

/// GEV-007: what was published before the end is heard before the end.
#[tokio::test(start_paused = true)]
async fn listeners_hear_the_end_after_everything_else() {
    let bus = Bus::new();
    let listener = bus.listen(10);
    let waiting = listener.clone();
    let second = bus.clone();
    bus.publish(1);
    drop(bus);
    second.publish(2);
    assert_eq!(soon(listener.next()).await, Some(Heard::Event(1.into())));
    assert_eq!(soon(listener.next()).await, Some(Heard::Event(2.into())));
    let both = async { tokio::join!(listener.next(), waiting.next(), async { drop(second) }) };
    assert_eq!(soon(both).await, (None, None, ()));
    assert_eq!(soon(listener.next()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_loses_nothing() {
    let bus = Bus::new();
    let listener = bus.listen(10);
    for number in 0..20 {
        {
            assert!(is_pending(&mut pin!(listener.next())).await);
            bus.publish(number);
        }
        assert_eq!(soon(listener.next()).await, Some(Heard::Event(number.into())));
    }
}

/// Several publish at once: each one's events are heard in its order, and all listeners hear the same order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_hears_the_same_order() {
    const EACH: u32 = 500;
    let bus = Bus::new();
    let listeners: Vec<_> = (0..3).map(|_| bus.listen(4 * EACH as usize)).collect();
    std::thread::scope(|scope| {
        for publisher in 0..4 {
            let bus = &bus;
            scope.spawn(move || {
                for number in 0..EACH {
                    bus.publish(publisher * EACH + number);
                }
            });
        }
    });
    drop(bus);
    let mut orders = Vec::new();
    for listener in &listeners {
        let mut order = Vec::new();
        while let Some(Heard::Event(number)) = listener.next().await {
            order.push(*number);
        }
        orders.push(order);
    }
    assert_eq!(orders[0].len(), 4 * EACH as usize);
    for publisher in 0..4 {
        let of_one = orders[0].iter().filter(|number| **number / EACH == publisher);
        assert!(of_one.copied().eq(publisher * EACH..(publisher + 1) * EACH));
    }
    assert!(orders.iter().all(|order| *order == orders[0]));
}

/// OTP: GEV-002.
#[tokio::test(start_paused = true)]
async fn whoever_waits_for_all_goes_on_when_the_slowest_is_done() {
    let bus = Bus::new();
    assert_eq!(soon(bus.publish_and_wait(0)).await, HeardBy { done: 0, missed: 0 });
    let (quick, slow, brief, gone, behind) =
        (bus.listen(10), bus.listen(10), bus.listen(10), bus.listen(10), bus.listen(1));
    let mut all = pin!(bus.publish_and_wait(1));
    assert!(is_pending(&mut all).await);
    let late = slow.clone(); // clones share the line, and each has an event of its own in hand
    for listener in [&quick, &slow, &brief] {
        assert_eq!(listener.try_next(), Some(Heard::Event(1.into())));
    }
    assert_eq!((quick.try_next(), late.try_next()), (None, None));
    drop((brief, gone)); // one with the event in hand, one before it has heard it
    assert_eq!(bus.publish(2), 3);
    assert!(is_pending(&mut all).await);
    assert_eq!(late.try_next(), Some(Heard::Event(2.into())));
    assert!(is_pending(&mut all).await, "what its clone asks for is not its own");
    assert!(is_pending(&mut pin!(slow.next())).await);
    assert_eq!(soon(all).await, HeardBy { done: 3, missed: 2 });
    assert_eq!(heard(&behind), [Heard::Lagged(1), Heard::Event(2.into())]);

    // One that turns away takes nothing back, and is missed by nobody.
    {
        let mut all = pin!(bus.publish_and_wait(3));
        assert!(is_pending(&mut all).await);
    }
    assert_eq!(heard(&behind), events([3]));
}
