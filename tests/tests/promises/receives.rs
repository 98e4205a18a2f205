//! Selective receive: the first message that is wanted, whatever lies before it, and nothing is lost or moved for it.

use std::time::Duration;

use minder::prelude::*;
use minder::{MailboxOptions, WhenFull};

use crate::asks::text;
use crate::support::*;

/// Receives marks of this number, one after the other, and notes them.
fn receiving(number: u32, times: usize, within: Duration) -> Msg {
    wait(move |puppet, context| {
        Box::pin(async move {
            for _ in 0..times {
                let wanted = |message: &Msg| matches!(message, Msg::Mark(other) if *other == number);
                match context.receive(within, wanted).await {
                    Some(Msg::Mark(got)) => puppet.note(format!("received {got}")),
                    Some(_) => puppet.note("received what it does not want"),
                    None => puppet.note("received nothing"),
                }
            }
            Ok(())
        })
    })
}

fn tell_all(it: &Addr<Msg>, marks: &[u32]) {
    marks.iter().for_each(|mark| it.tell(Msg::Mark(*mark)).expect("there is room"));
}

/// PRC-002, and PRC-003 for a time of 0.
/// OTP: PRC-002, PRC-003.
#[tokio::test(start_paused = true)]
async fn the_first_that_matches_is_taken_and_the_others_keep_their_order() {
    for when_full in [WhenFull::Reject, WhenFull::Wait, WhenFull::DropOldest, WhenFull::DropNewest] {
        let system = system();
        let (journal, mut reader) = journal();
        let it = named_with(&system, "it", &journal, MailboxOptions::bounded(20, when_full)).await;
        let began = system.now();
        it.tell(receiving(7, 3, Duration::ZERO)).expect("there is room");
        tell_all(&it, &[1, 7, 2, 7, 3]);
        reader.expect(&["it up", "it received 7", "it received 7", "it received nothing"]).await;
        reader.expect(&["it 1", "it 2", "it 3"]).await;
        assert_eq!(system.now(), began);
        turns().await;
        let counted = it.statistics();
        assert_eq!((counted.handled, counted.queued, counted.in_hand), (6, 0, 0), "{when_full:?}");
        assert!(counted.is_conserved(), "{when_full:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_one_and_no_longer_than_it_says() {
    for when_full in [WhenFull::Reject, WhenFull::DropOldest] {
        let system = system();
        let (journal, mut reader) = journal();
        let it = named_with(&system, "it", &journal, MailboxOptions::bounded(20, when_full)).await;
        let began = system.now();
        it.tell(receiving(7, 2, 2 * SECOND)).expect("there is room");
        reader.expect(&["it up"]).await;
        tell_all(&it, &[1, 2]);
        turns().await;
        let counted = it.statistics();
        assert_eq!((counted.in_hand, counted.queued), (1, 2), "{when_full:?}");
        pass(SECOND).await;
        tell_all(&it, &[3, 7, 4]);
        reader.expect(&["it received 7"]).await;
        turns().await;
        let counted = it.statistics();
        assert_eq!((counted.in_hand, counted.queued, counted.handled), (2, 4, 0), "{when_full:?}");
        assert!(counted.is_conserved(), "{when_full:?}");
        reader.expect(&["it received nothing"]).await;
        let took = system.now().since(began).as_millis();
        assert!((3000..=3012).contains(&took), "after {took} ms");
        reader.expect(&["it 1", "it 2", "it 3", "it 4"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn orders_are_obeyed_while_it_waits() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    let began = system.now();
    it.tell(receiving(7, 1, 60 * SECOND)).expect("there is room");
    tell_all(&it, &[1, 2]);
    turns().await;
    assert!(it.kill());
    reader.expect(&["it up", "it up", "it 1", "it 2"]).await;
    assert_eq!(system.now(), began);
    turns().await;
    assert!(it.statistics().is_conserved());
    assert!(system.shutdown(SECOND).await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn an_ask_can_be_received_and_answered_and_one_that_nobody_waits_for_is_skipped() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = named_with(&system, "it", &journal, MailboxOptions::default()).await;
    it.tell(wait(|puppet, context| {
        Box::pin(async move {
            // Until the first of the two has turned away.
            context.sleep(SECOND).await;
            match context.receive(SECOND, |message| matches!(message, Msg::Life(_))).await {
                Some(Msg::Life(reply)) => puppet.note(format!("answers: {:?}", reply.send(9))),
                _ => puppet.note("?"),
            }
            Ok(())
        })
    }))
    .expect("there is room");
    let (late, answered) =
        tokio::join!(it.ask_within(SECOND / 2, Msg::Life), it.ask_within(5 * SECOND, Msg::Life));
    assert_eq!((text(&late), text(&answered)), ("timed out".to_owned(), "answer 9".to_owned()));
    reader.expect(&["it up", "it answers: Ok(())"]).await;
    turns().await;
    let counted = it.statistics();
    assert_eq!((counted.expired, counted.handled), (1, 2));
    assert!(counted.is_conserved());
}

#[tokio::test(start_paused = true)]
async fn a_crash_with_received_messages_in_hand_loses_both_and_tells_their_askers() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    it.tell(wait(|puppet, context| {
        Box::pin(async move {
            let received = context.receive(SECOND, |message| matches!(message, Msg::Life(_))).await;
            puppet.note(format!("has it: {}", received.is_some()));
            panic!("boom")
        })
    }))
    .expect("there is room");
    it.tell(Msg::Mark(1)).expect("there is room");
    assert_eq!(text(&it.ask(Msg::Life).await), "crashed panic boom");
    reader.expect(&["it up", "it has it: true", "it up", "it 1"]).await;
    turns().await;
    let counted = it.statistics();
    assert_eq!((counted.crashed, counted.handled, counted.queued, counted.in_hand), (2, 1, 0, 0));
    assert!(counted.is_conserved());
}

/// The one that was called with comes first again, then what it had received, then the rest.
#[tokio::test(start_paused = true)]
async fn idempotent_messages_that_were_received_are_delivered_again_in_their_order() {
    struct Pairs(Journal);

    impl Actor for Pairs {
        type Msg = u32;

        fn redelivery(message: &u32) -> Option<u32> {
            Some(*message)
        }

        async fn handle(&mut self, message: u32, context: &mut Context<u32>) -> Handled {
            let attempt = context.attempt();
            self.0.note(format!("{message} for the {attempt}. time"));
            if message == 1 && attempt == 1 {
                let even = context.receive(SECOND, |number| number % 2 == 0).await;
                self.0.note(format!("received {even:?}"));
                return Err(Plain("not yet").into());
            }
            Ok(())
        }
    }

    let system = system();
    let (journal, mut reader) = journal();
    let (it, seat) = system.address();
    let tree = tolerant(one_for_one()).child(actor_in("it", seat, move || Pairs(journal.clone())));
    [1_u32, 3, 4, 5].iter().for_each(|number| it.tell(*number).expect("there is room"));
    tree.start(&system, "top").await.expect("starts");
    reader.expect(&["1 for the 1. time", "received Some(4)"]).await;
    reader
        .expect(&["1 for the 2. time", "4 for the 2. time", "3 for the 1. time", "5 for the 1. time"])
        .await;
    turns().await;
    let counted = it.statistics();
    assert_eq!((counted.handled, counted.accepted, counted.queued), (4, 4, 0));
    assert!(counted.is_conserved());
}

/// One that would go on with a message is not stuck, whatever else it waits for.
#[tokio::test(start_paused = true)]
async fn who_waits_for_a_message_beside_an_ask_is_in_no_cycle() {
    let system = system();
    let (journal, mut reader) = journal();
    let a = named_with(&system, "a", &journal, MailboxOptions::default()).await;
    let b = named_with(&system, "b", &journal, MailboxOptions::default()).await;
    let (to_b, to_a) = (b.clone(), a.clone());
    a.tell(wait(move |puppet, context| {
        Box::pin(async move {
            let back = |reply: Reply<u32>| {
                wait(move |puppet, _| {
                    Box::pin(async move {
                        let _in_hand = reply;
                        let asked = to_a.ask(Msg::Life).await;
                        puppet.note(text(&asked));
                        Ok(())
                    })
                })
            };
            tokio::select! {
                _ = to_b.ask(back) => puppet.note("?"),
                got = context.receive(5 * SECOND, |message| matches!(message, Msg::Mark(_))) => {
                    puppet.note(format!("received: {}", got.is_some()));
                }
            }
            Ok(())
        })
    }))
    .expect("there is room");
    turns().await;
    tell_all(&a, &[1]);
    reader.expect(&["a up", "b up", "a received: true", "b answer 1"]).await;
}
