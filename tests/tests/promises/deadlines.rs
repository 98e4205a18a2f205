//! Deadlines go along a chain of asks, and only shrink: nobody works for an asker that has given up.

use std::time::Duration;

use minder::prelude::*;
use minder::without_deadline;

use crate::asks::{Outcome, text};
use crate::support::*;

const MS: Duration = Duration::from_millis(1);

/// Never answers, and never ends.
fn hanging(reply: Reply<u32>) -> Msg {
    wait(|_, _| {
        Box::pin(async move {
            let _in_hand = reply;
            std::future::pending().await
        })
    })
}

/// How one that is asked goes on to ask the next.
#[derive(Clone, Copy, Debug)]
enum How {
    Plainly,
    Within(u64),
    /// Within, and without the deadline it has inherited.
    OnItsOwn(u64),
}

/// Asks the next one and notes when and how that ended.
fn passing(next: &Addr<Msg>, how: How) -> impl FnOnce(Reply<u32>) -> Msg + use<> {
    let next = next.clone();
    move |reply| {
        wait(move |puppet, context| {
            Box::pin(async move {
                let began = context.now();
                let left = |context: &Context<Msg>| context.deadline().map(|at| at.since(began).as_millis());
                puppet.note(format!("has {:?}", left(context)));
                let asked: Outcome = match how {
                    How::Plainly => next.ask(hanging).await,
                    How::Within(ms) => next.ask_within(MS * u32::try_from(ms).expect("short"), hanging).await,
                    How::OnItsOwn(ms) => {
                        let within = MS * u32::try_from(ms).expect("short");
                        let (puppet, context) = (&mut *puppet, &mut *context);
                        without_deadline(async move {
                            puppet.note(format!("inside has {:?}", left(context)));
                            next.ask_within(within, hanging).await
                        })
                        .await
                    }
                };
                puppet.note(format!("{} after {}", text(&asked), context.now().since(began).as_millis()));
                // Not in the same moment as the asker's own deadline.
                context.sleep(20 * MS).await;
                drop(reply);
                Ok(())
            })
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_ask_ends_no_later_than_the_one_in_hand() {
    let rows: [(Option<u64>, How, &[&str]); 7] = [
        (Some(1000), How::Plainly, &["b has Some(1000)", "b timed out after 1000"]),
        (Some(1000), How::Within(2000), &["b has Some(1000)", "b timed out after 1000"]),
        (Some(1000), How::Within(300), &["b has Some(1000)", "b timed out after 300"]),
        (
            Some(1000),
            How::OnItsOwn(2000),
            &["b has Some(1000)", "b inside has None", "b timed out after 2000"],
        ),
        (None, How::Plainly, &["b has None", "b timed out after 5000"]),
        (None, How::Within(2000), &["b has None", "b timed out after 2000"]),
        (Some(7000), How::Plainly, &["b has Some(7000)", "b timed out after 5000"]),
    ];
    for (outer, how, expected) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let b = named_with(&system, "b", &journal, Default::default()).await;
        let c = named(&system, "c").await;
        reader.until("b up").await;
        match outer {
            Some(ms) => drop(b.ask_within(MS * u32::try_from(ms).expect("short"), passing(&c, how)).await),
            None => b.tell(passing(&c, how)(Reply::nobody())).expect("there is room"),
        }
        for line in expected {
            let next = reader.next().await;
            // Deadlines are kept to a few milliseconds, late and never early.
            let is_same = next == *line
                || (1..=10).any(|late| {
                    let (text, at) = line.rsplit_once(' ').expect("a line is made of words");
                    at.parse::<u64>().is_ok_and(|at| next == format!("{text} {}", at + late))
                });
            assert!(is_same, "{outer:?} {how:?}: {next}, {line} expected");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_that_of_the_message_in_hand_and_of_no_other() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = named_with(&system, "it", &journal, Default::default()).await;
    let look = |reply: Reply<u32>| {
        wait(move |puppet, context| {
            Box::pin(async move {
                puppet.note(format!("{}", context.deadline().is_some()));
                context.sleep(10 * MS).await;
                puppet.note(format!("{}", context.deadline().is_some()));
                let _ = reply.send(1);
                Ok(())
            })
        })
    };
    it.tell(look(Reply::nobody())).expect("there is room");
    assert_eq!(text(&it.ask(look).await), "answer 1");
    it.tell(look(Reply::nobody())).expect("there is room");
    reader.expect(&["it up", "it false", "it false", "it true", "it true", "it false", "it false"]).await;
}

/// The asker's deadline is a moment of its own system, and systems count time from their own start.
#[tokio::test(start_paused = true)]
async fn a_deadline_means_the_same_in_another_system() {
    let near = system();
    pass(100 * SECOND).await;
    let far = system();
    for (first, second) in [(&near, &far), (&far, &near)] {
        let (journal, mut reader) = journal();
        let b = named_with(first, "b", &journal, Default::default()).await;
        let c = named(second, "c").await;
        drop(b.ask_within(SECOND, passing(&c, How::Plainly)).await);
        reader.until("b has Some(1000)").await;
        let ended = reader.next().await;
        let after: u64 = ended.strip_prefix("b timed out after ").expect("it timed out").parse().expect("ms");
        assert!((1000..=1010).contains(&after), "{ended}");
    }
}

#[tokio::test(start_paused = true)]
async fn along_a_chain_work_whose_first_asker_has_given_up_is_skipped_and_counted() {
    let system = system();
    let (b, c) = (named(&system, "b").await, named(&system, "c").await);
    c.tell(wait(|_, context| {
        Box::pin(async move {
            context.sleep(2 * SECOND).await;
            Ok(())
        })
    }))
    .expect("there is room");
    let asked: Outcome = b.ask_within(SECOND, passing(&c, How::Plainly)).await;
    assert_eq!(text(&asked), "timed out");
    c.tell(Msg::Mark(1)).expect("there is room");
    pass(2 * SECOND).await;
    let counted = c.statistics();
    // The ask was not handled although nobody ever told `c` of the one before it.
    assert_eq!((counted.expired, counted.handled, counted.queued), (1, 2, 0));
    assert!(counted.is_conserved());
}

#[tokio::test(start_paused = true)]
async fn a_forwarded_ask_takes_its_deadline_along_and_is_skipped_too() {
    let system = system();
    let (journal, mut reader) = journal();
    let b = named(&system, "b").await;
    let c = named_with(&system, "c", &journal, Default::default()).await;
    let d = named(&system, "d").await;
    let (to, next) = (c.clone(), d.clone());
    let forwarding = move |reply: Reply<u32>| {
        act(move |_, _| {
            to.forward(reply, passing(&next, How::Plainly)).expect("there is room");
            Ok(())
        })
    };
    let asked: Outcome = b.ask_within(SECOND, forwarding.clone()).await;
    assert_eq!(text(&asked), "timed out");
    reader.until("c has Some(1000)").await;
    assert!(reader.next().await.starts_with("c timed out after 100"));

    c.tell(wait(|_, context| {
        Box::pin(async move {
            context.sleep(2 * SECOND).await;
            Ok(())
        })
    }))
    .expect("there is room");
    let asked: Outcome = b.ask_within(SECOND, forwarding).await;
    assert_eq!(text(&asked), "timed out");
    pass(2 * SECOND).await;
    assert_eq!(c.statistics().expired, 1);
    assert_eq!(reader.rest(), Vec::<String>::new());
}
