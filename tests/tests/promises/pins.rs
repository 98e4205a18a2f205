//! A pinned address reaches one incarnation or nobody, and gives the message back.

use std::time::Duration;

use minder::prelude::*;
use minder::{MailboxOptions, WhenFull};

use crate::asks::text;
use crate::support::*;

/// How many things it keeps.
async fn kept(it: &Addr<Msg>) -> usize {
    let asked = it.ask(|reply| {
        act(move |puppet, _| {
            let _ = reply.send(puppet.kept.len());
            Ok(())
        })
    });
    asked.await.expect("it answers")
}

/// OTP: SUP-029.
#[tokio::test(start_paused = true)]
async fn what_is_for_a_life_that_is_over_comes_back() {
    let system = system();
    let it = minded(&system, || Puppet::new("it", &journal().0)).await;
    assert_eq!(life(&it).await, 1);
    let first = it.pin();
    assert_eq!((first.id().incarnation(), first.is_alive()), (1, true));
    assert_eq!(text(&first.ask(Msg::Life).await), "answer 1");
    let keeps = act(|puppet, _| {
        puppet.kept.push(Box::new(()));
        Ok(())
    });
    it.tell(keeps).expect("there is room");
    assert_eq!(kept(&it).await, 1);
    it.tell(crash()).expect("there is room");
    assert_eq!(
        (life(&it).await, kept(&it).await),
        (2, 0),
        "another life, and nothing of the last one's state"
    );
    assert!(!first.is_alive());
    assert!(matches!(first.tell(Msg::Mark(1)), Err(TellError::Stale(Msg::Mark(1)))));
    assert_eq!(text(&first.ask(Msg::Life).await), "stale with the message");
    let second = first.address().pin();
    assert!(second != first && second == it.pin());
    assert_eq!(text(&second.ask(Msg::Life).await), "answer 2");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_there_before_the_first_life_and_after_the_last() {
    let system = system();
    let (it, seat) = system.address();
    assert!(matches!(it.pin().tell(Msg::Mark(1)), Err(TellError::Stale(Msg::Mark(1)))));
    system.start(seat, "it", || Puppet::new("it", &journal().0)).await.expect("starts");
    let pinned = it.pin();
    it.tell(end(ExitReason::Normal)).expect("there is room");
    soon(it.ended()).await;
    assert_eq!(text(&pinned.ask(Msg::Life).await), "stale with the message");
}

/// Other messages are kept for the next life; these were not meant for it.
#[tokio::test(start_paused = true)]
async fn what_waits_when_its_life_ends_is_purged_and_whoever_asked_gets_it_back_at_once() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    let pinned = it.pin();
    let began = system.now();
    it.tell(hang()).expect("there is room");
    let asking = pinned.ask(Msg::Life);
    let (asked, kept, ()) = tokio::join!(asking, it.ask(Msg::Life), async {
        turns().await;
        pinned.tell(Msg::Mark(1)).expect("it lives");
        it.tell(Msg::Mark(2)).expect("there is room");
        assert!(it.kill());
    });
    assert_eq!((text(&asked), text(&kept)), ("stale with the message".to_owned(), "answer 2".to_owned()));
    assert_eq!(system.now(), began);
    reader.expect(&["it up", "it hangs", "it up", "it 2"]).await;
    let counted = it.statistics();
    assert_eq!((counted.purged, counted.crashed, counted.handled, counted.queued), (2, 1, 2, 0));
    assert!(counted.is_conserved());
}

/// A sender that waits for room does not stand in the lane when the life ends, and is let in afterwards.
#[tokio::test(start_paused = true)]
async fn an_ask_that_waited_for_room_over_the_end_is_stale_too() {
    let system = system();
    let (it, seat) = system.address_with(MailboxOptions::bounded(1, WhenFull::Wait));
    let tree = tolerant(one_for_one()).child(actor_in("it", seat, || Puppet::new("it", &journal().0)));
    tree.start(&system, "top").await.expect("starts");
    let pinned = it.pin();
    it.tell(hang()).expect("there is room");
    turns().await;
    it.tell(Msg::Mark(1)).expect("there is room for one");
    let (asked, ()) = tokio::join!(pinned.ask_within(Duration::from_secs(3), Msg::Life), async {
        turns().await;
        assert_eq!(it.statistics().waiting, 1);
        assert!(it.kill());
    });
    assert_eq!(text(&asked), "stale with the message");
    assert_eq!(life(&it).await, 2);
    let counted = it.statistics();
    assert_eq!(counted.purged, 1);
    assert!(counted.is_conserved());
}
