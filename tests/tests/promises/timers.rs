//! Timers and sleeps: never early, late by their granularity at most, taken back without a trace.

use std::time::Duration;

use minder::TimerId;
use minder::prelude::*;

use crate::support::*;

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

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

#[tokio::test(start_paused = true)]
async fn a_cancelled_timer_gives_its_message_back_and_a_fired_one_does_not() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
    let told = |message: Option<Msg>| match message {
        Some(Msg::Mark(number)) => format!("back {number}"),
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
    reader.expect(&["it up", "it none", "it back 2", "it none", "it 1", "it 3"]).await;
    pass(10 * SECOND).await;
    assert!(reader.rest().is_empty());
}

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
    let year = 365 * 24 * 3600 * SECOND;
    tokio::time::timeout(year, std::future::pending::<()>()).await.expect_err("nothing ends");
    assert!(system.now().since(began) >= year);
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 2, "the actor and the driver of deadlines");
}
