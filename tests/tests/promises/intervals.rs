//! Intervals: they do not drift, do not flood a slow actor, and die with the life that began them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use minder::Missed;
use minder::prelude::*;
use minder_fault_injection::sim::Sim;

use crate::support::*;

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// Writes the time in milliseconds down.
fn tick() -> Msg {
    act(|puppet, context| {
        puppet.note(context.now().since_start().as_millis());
        Ok(())
    })
}

/// The times in the journal.
fn times(reader: &mut Reader) -> Vec<u64> {
    let lines = reader.rest();
    lines.iter().filter_map(|line| line.strip_prefix("it ")?.parse().ok()).collect()
}

fn simulated<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let run = Sim::fifo().run(|_| test());
    run.result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn they_do_not_drift() {
    everywhere(|| async {
        for missed in [Missed::Skip, Missed::CatchUp, Missed::Delay] {
            let system = system();
            let (journal, mut reader) = journal();
            let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
            reader.expect(&["it up"]).await;
            it.tell(act(move |_, context| {
                context.send_every(ms(33), missed, tick);
                Ok(())
            }))
            .expect("there is room");
            turns().await;
            let began = system.now().since_start();
            pass(ms(33 * 1000 + 16)).await;
            let times = times(&mut reader);
            assert_eq!(times.len(), 1000, "{missed:?}");
            for (tick, at) in (1_u64..).zip(times) {
                let late = ms(at).saturating_sub(began + ms(33 * tick)).as_millis();
                assert!(ms(at + 1) > began + ms(33 * tick) && late <= 10, "{missed:?}: {tick} at {at}");
            }
        }
    });
}

/// A handler that takes 350 ms over the first tick of an interval of 100 ms misses those of 200, 300 and 400.
#[test]
fn what_becomes_of_missed_ticks() {
    let rows: [(Missed, &[u64]); 3] = [
        (Missed::Skip, &[100, 450, 500, 600, 700, 800]),
        (Missed::CatchUp, &[100, 450, 450, 450, 500, 600, 700, 800]),
        (Missed::Delay, &[100, 450, 550, 650, 750]),
    ];
    for (missed, expected) in rows {
        simulated(|| async move {
            let system = system();
            let (journal, mut reader) = journal();
            let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
            it.tell(act(move |_, context| {
                let mut first = true;
                context.send_every(ms(100), missed, move || {
                    let slow = std::mem::take(&mut first);
                    wait(move |puppet, context| {
                        Box::pin(async move {
                            puppet.note(context.now().since_start().as_millis());
                            context.sleep(ms(if slow { 350 } else { 0 })).await;
                            Ok(())
                        })
                    })
                });
                Ok(())
            }))
            .expect("there is room");
            pass(ms(849)).await;
            assert_eq!(times(&mut reader), expected, "{missed:?}");
        });
    }
}

/// An actor that is held up for an hour finds one tick of an interval of a millisecond, and what others sent meanwhile
/// right behind it, whatever it does about those it missed.
#[test]
fn a_slow_actor_is_not_flooded() {
    for missed in [Missed::Skip, Missed::CatchUp, Missed::Delay] {
        simulated(|| async move {
            let system = system();
            let (journal, mut reader) = journal();
            let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
            it.tell(wait(move |_, context| {
                Box::pin(async move {
                    let mut count = 0;
                    context.send_every(ms(1), missed, move || {
                        count += 1;
                        Msg::Mark(count)
                    });
                    context.sleep(3600 * SECOND).await;
                    Ok(())
                })
            }))
            .expect("there is room");
            pass(1800 * SECOND).await;
            it.tell(Msg::Mark(0)).expect("there is room");
            pass(1799 * SECOND).await;
            reader.expect(&["it up"]).await;
            assert!(reader.rest().is_empty());
            reader.expect(&["it 1", "it 0", "it 2"]).await;
            assert_eq!(it.statistics().queued, 0, "ticks do not count for the bound");
        });
    }
}

/// OTP: TMR-010.
#[test]
fn a_cancelled_interval_never_comes_again() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
        it.tell(wait(|puppet, context| {
            Box::pin(async move {
                let early = context.send_every(ms(20), Missed::CatchUp, || Msg::Mark(1));
                let late = context.send_every(ms(500), Missed::Skip, || Msg::Mark(2));
                context.sleep(ms(100)).await;
                // A tick of the one stands in the lane.
                for timer in [early, late, late] {
                    let cancelled = context.cancel_timer(timer);
                    puppet.note(format!(
                        "{:?}",
                        cancelled.map(|of| (of.rest.as_millis(), of.message.is_none()))
                    ));
                }
                Ok(())
            })
        }))
        .expect("there is room");
        reader.expect(&["it up", "it Some((0, true))", "it Some((400, true))", "it None"]).await;
        pass(10 * SECOND).await;
        assert!(reader.rest().is_empty());
    });
}

/// OTP: TMR-003, TMR-010.
#[test]
fn they_die_with_the_life_that_began_them() {
    // how it ends; whether its handler waits, so that a tick stands in the lane
    type Ending = fn() -> Msg;
    let rows: [(Ending, bool); 6] = [
        (crash, false),
        (|| end(ExitReason::Normal), false),
        (|| act(|_, _| Err(Plain("no").into())), false),
        (crash, true),
        (|| end(ExitReason::Normal), true),
        (|| act(|_, _| Err(Plain("no").into())), true),
    ];
    everywhere(|| async {
        for (ending, waits) in rows {
            let system = system();
            let (journal, mut reader) = journal();
            let it = minded(&system, move || Puppet::new("it", &journal)).await;
            it.tell(wait(move |_, context| {
                Box::pin(async move {
                    for missed in [Missed::Skip, Missed::CatchUp, Missed::Delay] {
                        context.send_every(ms(10), missed, || Msg::Mark(1));
                    }
                    if waits {
                        context.sleep(ms(25)).await;
                    }
                    Ok(())
                })
            }))
            .expect("there is room");
            it.tell(ending()).expect("there is room");
            pass(10 * SECOND).await;
            let lines = reader.rest();
            let ups = lines.iter().filter(|line| *line == "it up").count();
            // What stood before the end in the lane is handled; nothing after it.
            let after = lines.iter().skip_while(|line| *line != "it up").skip(1);
            let late = after.skip_while(|line| *line != "it up").filter(|line| line.starts_with("it 1"));
            assert_eq!((ups, late.count()), (2, 0), "{lines:?}");
            assert!(system.shutdown(SECOND).await.is_clean());
            assert_eq!(system.living(), 0);
        }
    });
}

#[test]
fn one_whose_message_cannot_be_made_is_a_crash() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let lives = Arc::new(AtomicU32::new(0));
        let it = minded(&system, move || {
            let lives = lives.clone();
            Puppet::new("it", &journal).on_start(move |_, context| {
                let first = lives.fetch_add(1, Ordering::Relaxed) == 0;
                context.send_every(ms(10), Missed::Skip, move || {
                    assert!(!first, "no tick");
                    Msg::Mark(1)
                });
                Ok(())
            })
        })
        .await;
        reader.expect(&["it up", "it up", "it 1", "it 1"]).await;
        assert_eq!(life(&it).await, 2);
    });
}
