//! Timers and sleeps: never early, late by their granularity at most, taken back without a trace.

use std::time::Duration;

use minder::prelude::*;
use minder::{CancelledTimer, Missed, Moment, TimerId};

use crate::support::*;

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// OTP: TMR-001.
#[tokio::test(start_paused = true)]
async fn never_early_and_at_most_a_bucket_late() {
    for micros in [0, 1, 999, 1000, 4999, 5000, 5001, 7500, 99_999, 1_000_000, 3_600_000_000, 90_000_000_000]
    {
        let after = Duration::from_micros(micros);
        let system = system();
        let (journal, mut reader) = journal();
        tokio::time::advance(Duration::from_micros(1234)).await; // not at a bucket's edge
        let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
        reader.expect(&["it up"]).await;
        it.tell(act(move |_, context| {
            context.send_after(
                after,
                act(|puppet, context| {
                    puppet.note(context.now().since_start().as_micros());
                    Ok(())
                }),
            );
            Ok(())
        }))
        .expect("there is room");
        turns().await;
        let began = system.now().since_start().as_micros();
        pass(after + ms(10)).await;
        let rest = reader.rest();
        let fired: u128 = rest[0].strip_prefix("it ").and_then(|at| at.parse().ok()).expect("a time");
        let took = fired - began;
        assert!((u128::from(micros)..=u128::from(micros) + 6000).contains(&took), "{after:?} took {took} us");
    }
}

#[tokio::test(start_paused = true)]
async fn timers_fire_in_the_order_of_their_times_and_of_their_making() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
    it.tell(act(|_, context| {
        for (after, mark) in [(30, 5), (10, 1), (20, 3), (10, 2), (20, 4), (40, 6)] {
            context.send_after(ms(after), Msg::Mark(mark));
        }
        Ok(())
    }))
    .expect("there is room");
    reader.expect(&["it up", "it 1", "it 2", "it 3", "it 4", "it 5", "it 6"]).await;
}

/// OTP: TMR-002.
#[tokio::test(start_paused = true)]
async fn a_cancelled_timer_gives_its_message_back_and_a_fired_one_does_not() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
    let told = |cancelled: Option<CancelledTimer<Msg>>| match cancelled {
        Some(CancelledTimer { rest, message: Some(Msg::Mark(number)) }) => {
            format!("back {number} with {}", rest.as_millis())
        }
        Some(_) => "another".to_owned(),
        None => "none".to_owned(),
    };
    it.tell(wait(move |puppet, context| {
        Box::pin(async move {
            let early: TimerId = context.send_after(ms(10), Msg::Mark(1));
            let late = context.send_after(ms(1000), Msg::Mark(2));
            let kept = context.send_after(ms(1000), Msg::Mark(3));
            context.sleep(ms(500)).await;
            // It has fired: its message stands in the lane already and is not taken out of it.
            puppet.note(told(context.cancel_timer(early)));
            puppet.note(told(context.cancel_timer(late)));
            puppet.note(told(context.cancel_timer(late)));
            assert_ne!(late, kept);
            Ok(())
        })
    }))
    .expect("there is room");
    reader.expect(&["it up", "it none", "it back 2 with 500", "it none", "it 1", "it 3"]).await;
    pass(10 * SECOND).await;
    assert!(reader.rest().is_empty());
}

/// OTP: TMR-003.
#[tokio::test(start_paused = true)]
async fn timers_die_with_the_life_that_made_them() {
    type Ending = fn() -> Msg;
    let rows: &[Ending] = &[crash, || end(ExitReason::Normal), || act(|_, _| Err(Plain("no").into()))];
    for ending in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let it = minded(&system, move || Puppet::new("it", &journal)).await;
        it.tell(act(|_, context| {
            for after in [0, 1, 10, 1000] {
                context.send_after(ms(after), Msg::Mark(1));
            }
            Ok(())
        }))
        .expect("there is room");
        it.tell(ending()).expect("there is room");
        pass(10 * SECOND).await;
        let lines: Vec<String> =
            reader.rest().into_iter().filter(|line| !line.starts_with("it stopping")).collect();
        assert_eq!(lines, ["it up", "it up"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_system_does_not_tick() {
    let system = system();
    let it = system.spawn(|| Puppet::new("it", &journal().0)).expect("open");
    assert_eq!(life(&it).await, 1);
    pass(ms(10_000)).await; // the deadline of that ask
    let began = system.now();
    // If anything were due in this year, virtual time would stop there on its way.
    tokio::time::timeout(YEAR, std::future::pending::<()>()).await.expect_err("nothing ends");
    assert!(system.now().since(began) >= YEAR);
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 2, "the actor and the driver of deadlines");
}

/// OTP: TMR-005.
#[test]
fn a_timer_can_be_read_without_cancelling_it() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
        it.tell(wait(|puppet, context| {
            Box::pin(async move {
                let once = context.send_after(ms(1000), Msg::Mark(1));
                let again = context.send_every(ms(300), Missed::Skip, || Msg::Mark(2));
                let never = context.send_after(Duration::MAX, Msg::Mark(3));
                context.sleep(ms(200)).await;
                let read =
                    |context: &Context<Msg>, timer| context.read_timer(timer).map(|rest| rest.as_millis());
                puppet.note(format!("{:?} {:?}", read(context, once), read(context, again)));
                assert!(context.read_timer(never).is_some_and(|rest| rest > 500 * YEAR));
                assert!(context.cancel_timer(never).is_some());
                puppet.note(format!("{:?}", read(context, never)));
                context.cancel_timer(again);
                context.sleep(ms(2000)).await;
                puppet.note(format!("{:?}", read(context, once)));
                Ok(())
            })
        }))
        .expect("there is room");
        reader.expect(&["it up", "it Some(800) Some(100)", "it None", "it None", "it 1"]).await;
    });
}

/// OTP: TMR-006.
#[test]
fn at_a_moment_of_the_systems_clock() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
        pass(SECOND).await;
        it.tell(act(|_, context| {
            let now = context.now();
            context.send_at(now + ms(20), Msg::Mark(3));
            context.send_at(now + ms(10), Msg::Mark(2));
            context.send_at(Moment::START, Msg::Mark(1)); // it has passed: at once
            context.send_at(Moment::END, Msg::Mark(4));
            Ok(())
        }))
        .expect("there is room");
        let began = system.now();
        reader.expect(&["it up", "it 1", "it 2", "it 3"]).await;
        assert!((ms(20)..=ms(30)).contains(&system.now().since(began)));
        pass(YEAR).await;
        assert!(reader.rest().is_empty());
    });
}

/// OTP: TMR-008.
#[test]
fn very_long_timers_come_in_their_time() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
        reader.expect(&["it up"]).await;
        it.tell(act(|_, context| {
            context.send_after(YEAR, Msg::Mark(1));
            Ok(())
        }))
        .expect("there is room");
        turns().await;
        pass(YEAR - ms(1)).await;
        assert!(reader.rest().is_empty(), "never early");
        pass(ms(11)).await;
        assert_eq!(reader.rest(), ["it 1"]);
    });
}
