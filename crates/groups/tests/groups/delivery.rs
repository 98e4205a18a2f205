//! Actors that listen: they are told one event at a time, and a crash of theirs is theirs alone.

use std::pin::pin;

use minder_groups::{Bus, Delivering, Heard, HeardBy};
use minder_runtime::ExitReason;
use tokio::sync::oneshot;

use crate::support::*;

/// What was heard: the sum of events and of those missed, and the events alone.
fn tally(lines: &[Line]) -> (u64, Vec<u32>) {
    let (mut missed, mut events) = (0, Vec::new());
    for line in lines {
        match line {
            Line::Heard(Heard::Event(number)) => events.push(**number),
            Line::Heard(Heard::Lagged(lag)) => missed += lag,
            _ => {}
        }
    }
    (missed, events)
}

/// GEV-003: a listener that crashes is alone in it. One that listens anew in each life misses what happened meanwhile.
/// OTP: GEV-003.
#[tokio::test(start_paused = true)]
async fn a_listener_that_crashes_harms_nobody() {
    let system = system();
    let bus = Bus::new();
    let mut readers = Vec::new();
    for _ in 0..2 {
        let listening = bus.clone();
        let (make, reader) = pawns(move |context| {
            listening.listen(100).deliver_to(context)?;
            Ok(())
        });
        drop(system.spawn(make).expect("open")); // nobody restarts it
        readers.push(reader);
    }
    let listening = bus.clone();
    let (it, _, mut restarted) = restarted(&system, move |context| {
        listening.listen(100).deliver_to(context)?;
        Ok(())
    })
    .await;
    settle().await;
    let prompt = bus.listen(100);
    assert_eq!(bus.publish(1), 4);
    assert_eq!(bus.publish(POISON), 4);
    bus.publish(2);
    settle().await;
    assert_eq!(
        (bus.listeners(), system.living()),
        (2, 3),
        "two are gone; one is back, with its minder and its child"
    );
    bus.publish(3);
    settle().await;
    for reader in &mut readers {
        assert_eq!(tally(&reader.rest()), (0, vec![1]));
    }
    let lines = restarted.rest();
    assert!(lines.contains(&Line::Up(2)));
    let (missed, events) = tally(&lines);
    assert!((missed, events == [1, 3] || events == [1, 2, 3]) == (0, true), "{lines:?}");
    assert_eq!(std::iter::from_fn(|| prompt.try_next()).count(), 4);
    assert_eq!(life(&it).await, 2);
}

/// With the listener in its factory: everything but what was in hand at a crash is heard, or counted as missed.
#[tokio::test(start_paused = true)]
async fn a_line_outlives_the_lives_of_its_listener() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let system = system();
        let bus = Bus::new();
        let listener = bus.listen(5);
        let (it, _, mut reader) = restarted(&system, move |context| {
            listener.clone().deliver_to(context)?;
            Ok(())
        })
        .await;
        let (mut published, mut poisoned) = (0, 0);
        for _ in 0..100 {
            match random.u8(..12) {
                0 => {
                    // Waits first, so that it is not displaced.
                    settle().await;
                    bus.publish(POISON);
                    poisoned += 1;
                    settle().await;
                }
                1 => {
                    settle().await;
                    assert!(it.kill());
                }
                2..4 => settle().await,
                _ => {
                    bus.publish(published);
                    published += 1;
                }
            }
        }
        settle().await;
        let (missed, events) = tally(&reader.rest());
        assert!(events.is_sorted_by(|a, b| a < b), "seed {seed}: in order, none twice: {events:?}");
        assert_eq!(events.len() as u64 + missed, u64::from(published), "seed {seed}, {poisoned} poisoned");
        assert_eq!(bus.listeners(), 1);
    }
}

/// A flood stays in its line: the mailbox of a busy listener has room for others, and the publisher never waits.
#[tokio::test(start_paused = true)]
async fn a_flood_of_events_leaves_the_mailbox_to_others() {
    let system = system();
    let bus = Bus::new();
    let listening = bus.clone();
    let (make, mut reader) = pawns(move |context| {
        listening.listen(100).deliver_to(context)?;
        Ok(())
    });
    let it = system.spawn(make).expect("open");
    assert_eq!(reader.next().await, Line::Up(1));
    let (release, held) = oneshot::channel();
    it.tell(Msg::Hold(held)).expect("room");
    settle().await;
    for number in 0..5000 {
        assert_eq!(bus.publish(number), 1);
        if number % 1000 == 0 {
            settle().await;
        }
    }
    settle().await;
    assert_eq!(it.queued(), 1, "one event at a time");
    it.tell(Msg::Note(7)).expect("there is room for others");
    drop(release);
    settle().await;
    let lines = reader.rest();
    assert_eq!(lines[..2], [Line::Heard(Heard::Event(0.into())), Line::Note(7)]);
    let (missed, events) = tally(&lines);
    assert_eq!((missed, events.len()), (5000 - 101, 101));
    assert!(events[1..].iter().copied().eq(4900..5000), "the latest are kept");
}

/// The child that brings events fails: its listener does not go on deaf.
#[tokio::test(start_paused = true)]
async fn a_listener_does_not_go_on_without_its_child() {
    let system = system();
    let bus = Bus::new();
    let listening = bus.clone();
    let (it, _, mut reader) = restarted(&system, move |context| {
        listening.listen(100).deliver_to(context)?;
        Ok(())
    })
    .await;
    bus.publish(BOMB);
    assert_eq!(reader.next().await, Line::Up(2));
    settle().await;
    bus.publish(1);
    assert_eq!(reader.next().await, Line::Heard(Heard::Event(1.into())));
    assert_eq!(life(&it).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_ends_when_it_is_stopped_and_with_the_bus() {
    let system = system();
    let bus = Bus::new();
    let (make, mut reader) = pawns(|_| Ok(()));
    let it = system.spawn(make).expect("open");
    assert_eq!(reader.next().await, Line::Up(1));
    let (tell, told) = oneshot::channel::<Delivering>();
    let (first, second) = (bus.listen(10), bus.listen(10));
    it.tell(act(move |context| {
        drop(tell.send(first.deliver_to(context)?));
        second.deliver_to(context)?;
        Ok(())
    }))
    .expect("room");
    bus.publish(1);
    settle().await;
    assert_eq!(tally(&reader.rest()).1, [1, 1]);
    soon(told).await.expect("it was sent").stop();
    settle().await;
    assert_eq!((bus.publish(2), system.living()), (1, 2));
    drop(bus);
    settle().await;
    assert_eq!((tally(&reader.rest()).1, system.living(), life(&it).await), (vec![2], 1, 1));
    assert!(it.kill());
    assert_eq!(soon(it.ended()).await, ExitReason::Killed);
}

/// A line that is at its end before delivery begins is no failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_end_that_comes_early_is_no_crash() {
    let system = system();
    for _ in 0..200 {
        let bus = Bus::new();
        let listener = bus.listen(1);
        bus.publish(5);
        drop(bus);
        let (make, mut reader) = pawns(move |context| {
            listener.clone().deliver_to(context)?;
            Ok(())
        });
        let it = system.spawn(make).expect("open");
        assert_eq!(reader.next().await, Line::Up(1));
        assert_eq!(reader.next().await, Line::Heard(Heard::Event(5.into())));
        assert_eq!(life(&it).await, 1);
    }
}

/// OTP: GEV-002.
#[tokio::test(start_paused = true)]
async fn whoever_waits_for_actors_goes_on_when_they_have_handled_it() {
    let system = system();
    let bus = Bus::new();
    let listens = || {
        let bus = bus.clone();
        pawns(move |context| bus.listen(100).deliver_to(context).map(drop))
    };
    let (make, mut reader) = listens();
    let slow = system.spawn(make).expect("open");
    settle().await;
    let (release, held) = oneshot::channel();
    slow.tell(Msg::Hold(held)).expect("there is room");
    let mut all = pin!(bus.publish_and_wait(1));
    for _ in 0..3 {
        assert!(is_pending(&mut all).await);
        settle().await; // it stands in the mailbox
    }
    drop(release);
    assert_eq!(soon(all).await, HeardBy { done: 1, missed: 0 });
    assert_eq!(tally(&reader.rest()), (0, vec![1]));
    // A crash is an end, too; what does not reach its actor is missed.
    assert_eq!(soon(bus.publish_and_wait(POISON)).await, HeardBy { done: 1, missed: 0 });
    settle().await;
    assert!(!slow.is_alive());
    system.spawn(listens().0).expect("open");
    settle().await;
    assert_eq!(soon(bus.publish_and_wait(BOMB)).await, HeardBy { done: 0, missed: 1 });
}

/// An actor that stops listening while it has an event in hand was taken to be done with it, and the publisher went on.
#[tokio::test(start_paused = true)]
async fn whoever_waits_waits_also_for_an_actor_that_has_stopped_listening() {
    let (system, bus) = (system(), Bus::new());
    let (make, mut reader) = pawns(|_| Ok(()));
    let it = system.spawn(make).expect("open");
    for is_killed in [false, true] {
        let (tell, told) = oneshot::channel::<Delivering>();
        let listener = bus.listen(10);
        it.tell(act(move |context| {
            drop(tell.send(listener.deliver_to(context)?));
            Ok(())
        }))
        .expect("room");
        let delivering = soon(told).await.expect("it was sent");
        let (release, held) = oneshot::channel();
        it.tell(Msg::HoldNews(held)).expect("room");
        let mut first = pin!(bus.publish_and_wait(1));
        assert!(is_pending(&mut first).await);
        settle().await; // it is in hand
        let mut second = pin!(bus.publish_and_wait(2));
        assert!(is_pending(&mut second).await);
        delivering.stop();
        assert_eq!(soon(second).await, HeardBy { done: 0, missed: 1 }, "it was still in the line");
        assert_eq!(soon(bus.publish_and_wait(3)).await, HeardBy { done: 0, missed: 0 }, "nobody listens");
        for _ in 0..3 {
            settle().await;
            assert!(is_pending(&mut first).await, "it is not done with it");
        }
        if is_killed {
            it.kill();
        } else {
            drop(release);
        }
        assert_eq!(soon(first).await, HeardBy { done: 1, missed: 0 });
        settle().await;
        assert_eq!(system.living(), usize::from(!is_killed), "and who brought it is gone");
    }
    assert_eq!(tally(&reader.rest()), (0, vec![1]));
}
