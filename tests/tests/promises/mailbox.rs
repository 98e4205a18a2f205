//! What is sent: before the start, over crashes, without room, to oneself, to the dead. Nothing is lost without being
//! told, and nobody is overtaken.

use minder::prelude::*;
use minder::{Capacity, MailboxOptions};

use crate::support::*;

fn narrow(capacity: u32) -> MailboxOptions {
    MailboxOptions { capacity: Capacity::of(capacity), ..MailboxOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_before_the_start_waits_for_it() {
    let system = system();
    let (journal, mut reader) = journal();
    let (it, seat) = system.address();
    for number in 1..=3 {
        it.tell(Msg::Mark(number)).expect("there is room");
    }
    assert_eq!((it.queued(), it.is_alive(), it.id().incarnation()), (3, false, 0));
    system.start(seat, "it", move || Puppet::new("it", &journal)).await.expect("starts");
    reader.expect(&["it up", "it 1", "it 2", "it 3"]).await;
}

/// The crash comes while a whole batch has been taken out of the lane; more arrives meanwhile.
/// OTP: SUP-029.
#[tokio::test(start_paused = true)]
async fn a_crash_loses_the_message_in_hand_and_nothing_else() {
    type Ending = fn() -> Msg;
    let rows: &[(&str, Ending)] = &[
        ("panic", crash),
        ("error", || act(|_, _| Err(Plain("no").into()))),
        ("orderly end", || end(ExitReason::Normal)),
        ("hang, killed", hang),
    ];
    for (case, ending) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let (it, seat) = system.address();
        for round in 0..3 {
            for number in 0..5 {
                it.tell(Msg::Mark(round * 10 + number)).expect("there is room");
            }
            it.tell(ending()).expect("there is room");
        }
        it.tell(Msg::Mark(99)).expect("there is room");
        let tree = tolerant(one_for_one()).child(actor_in("it", seat, move || Puppet::new("it", &journal)));
        tree.start(&system, "top").await.expect("starts");
        let mut seen = Vec::new();
        loop {
            match reader.next().await.strip_prefix("it ").expect("its lines") {
                "hangs" => drop(it.kill()),
                "99" => break,
                line => seen.extend(line.parse::<u32>()),
            }
        }
        assert_eq!(seen, [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24], "{case}");
        assert_eq!(life(&it).await, 4, "{case}");
    }
}

/// The rest of a batch stands before what arrived after it was taken.
/// OTP: GS-013.
#[tokio::test(start_paused = true)]
async fn what_arrives_while_a_batch_is_handled_does_not_overtake_its_rest() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    let (release, held) = tokio::sync::oneshot::channel::<()>();
    it.tell(wait(|_, _| {
        Box::pin(async move {
            drop(held.await);
            panic!("boom")
        })
    }))
    .expect("there is room");
    it.tell(Msg::Mark(1)).expect("there is room");
    it.tell(Msg::Mark(2)).expect("there is room");
    turns().await;
    it.tell(Msg::Mark(3)).expect("there is room");
    it.tell(Msg::Mark(4)).expect("there is room");
    drop(release);
    reader.expect(&["it up", "it up", "it 1", "it 2", "it 3", "it 4"]).await;
}

/// OTP: GS-011.
#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_delivered_comes_back() {
    let system = system();
    let (it, seat) = system.address_with::<Msg>(narrow(2));
    it.tell(Msg::Mark(1)).expect("there is room");
    it.tell(Msg::Mark(2)).expect("there is room");
    match it.tell(Msg::Mark(3)) {
        Err(full @ TellError::Full(Msg::Mark(3))) => assert!(matches!(full.into_message(), Msg::Mark(3))),
        other => panic!("full: {other:?}"),
    }
    let (sent, ()) = tokio::join!(it.send(Msg::Mark(4)), async {
        turns().await;
        drop(seat);
    });
    assert!(matches!(sent, Err(TellError::Stopped(ExitReason::NoActor, Msg::Mark(4)))), "{sent:?}");
    let told = it.tell(Msg::Mark(5));
    assert!(matches!(told, Err(TellError::Stopped(ExitReason::NoActor, Msg::Mark(5)))), "{told:?}");
    let sent = it.send(Msg::Mark(6)).await;
    assert!(matches!(sent, Err(TellError::Stopped(ExitReason::NoActor, Msg::Mark(6)))), "{sent:?}");
    assert_eq!(it.queued(), 0);
}

#[tokio::test(start_paused = true)]
async fn senders_that_wait_come_in_first_come_first_served_and_nobody_overtakes_them() {
    let system = system();
    let (journal, mut reader) = journal();
    let (it, seat) = system.address_with(narrow(1));
    it.tell(Msg::Mark(0)).expect("there is room for one");
    let mut senders = Vec::new();
    for number in 1..=4 {
        let it = it.clone();
        senders.push(aside(async move { it.send(Msg::Mark(number)).await.is_ok() }));
        turns().await;
    }
    // One of them turns away: its message is not delivered.
    senders[1].abort();
    turns().await;
    system.start(seat, "it", move || Puppet::new("it", &journal)).await.expect("starts");
    reader.expect(&["it up", "it 0", "it 1", "it 3", "it 4"]).await;
    turns().await;
    assert!(reader.rest().is_empty());
}

/// There is room again, but others have waited longer: a tell is refused until they are in.
#[tokio::test(start_paused = true)]
async fn a_tell_does_not_barge_past_a_waiting_send() {
    let system = system();
    let (journal, mut reader) = journal();
    let (it, seat) = system.address_with(narrow(4));
    // When this one is handled its place is free, and there is a sender waiting for it.
    let (tries, itself) = (journal.clone(), it.clone());
    it.tell(act(move |puppet, _| {
        puppet.note("tells");
        tries.note(format!("refused: {}", matches!(itself.tell(Msg::Mark(9)), Err(TellError::Full(_)))));
        Ok(())
    }))
    .expect("there is room");
    for number in 1..=3 {
        it.tell(Msg::Mark(number)).expect("there is room");
    }
    let sender = aside({
        let it = it.clone();
        async move { it.send(Msg::Mark(5)).await.is_ok() }
    });
    turns().await;
    system.start(seat, "it", move || Puppet::new("it", &journal)).await.expect("starts");
    reader.expect(&["it up", "it tells", "refused: true", "it 1", "it 2", "it 3", "it 5"]).await;
    assert!(sender.await.expect("the client does not panic"));
    it.tell(Msg::Mark(6)).expect("nobody waits any more");
    reader.expect(&["it 6"]).await;
}

#[tokio::test(start_paused = true)]
async fn waiting_for_room_in_ones_own_mailbox_is_an_error() {
    let system = system();
    let (journal, mut reader) = journal();
    let (it, seat) = system.address_with(narrow(2));
    let itself = it.clone();
    it.tell(wait(|puppet, context| {
        Box::pin(async move {
            for number in 1..=3 {
                let sent = itself.send(Msg::Mark(number)).await;
                puppet.note(format!("sent {number}: {sent:?}"));
            }
            // Past the bound there is a door of its own.
            context.tell_self(Msg::Mark(4));
            Ok(())
        })
    }))
    .expect("there is room");
    system.start(seat, "it", move || Puppet::new("it", &journal)).await.expect("starts");
    let full = "it sent 3: Err(the mailbox is full: try again later, or `send` to wait for room)";
    reader.expect(&["it up", "it sent 1: Ok(())", "it sent 2: Ok(())", full, "it 1", "it 2", "it 4"]).await;
}

#[tokio::test(start_paused = true)]
async fn two_actors_that_send_to_each_others_full_mailboxes_get_through() {
    let system = system();
    let (journal, mut reader) = journal();
    let ((a, seat_a), (b, seat_b)) = (system.address_with(narrow(1)), system.address_with(narrow(1)));
    let sending = |to: &Addr<Msg>| {
        let to = to.clone();
        wait(move |puppet, _| {
            Box::pin(async move {
                for number in 1..=3 {
                    to.send(Msg::Mark(number)).await.expect("there will be room");
                }
                puppet.note("sent");
                Ok(())
            })
        })
    };
    a.tell(sending(&b)).expect("there is room for one");
    for (seat, name) in [(seat_a, "a"), (seat_b, "b")] {
        let journal = journal.clone();
        system.start(seat, name, move || Puppet::new(name, &journal)).await.expect("starts");
    }
    reader.until("b 3").await;
    b.send(sending(&a)).await.expect("there will be room");
    reader.until("a 3").await;
}

/// SIG-003: everything that one actor sent stands before the notice of its end.
/// OTP: SIG-001, SIG-003.
#[tokio::test(start_paused = true)]
async fn what_an_actor_sent_arrives_before_the_news_of_its_end() {
    let system = system();
    let (journal, mut reader) = journal();
    let w = system.spawn(move || Puppet::new("w", &journal).trapping()).expect("open");
    let it = system.spawn(|| Puppet::new("it", &self::journal().0)).expect("open");
    let target = it.clone();
    w.tell(act(move |_, context| {
        context.monitor(&target);
        context.link(&target)
    }))
    .expect("there is room");
    turns().await;
    let to = w.clone();
    it.tell(act(move |_, _| {
        for number in 1..=3 {
            to.tell(Msg::Mark(number)).expect("there is room");
        }
        panic!("boom")
    }))
    .expect("there is room");
    reader.expect(&["w up", "w 1", "w 2", "w 3"]).await;
    let mut news = [reader.next().await, reader.next().await];
    news.sort();
    assert_eq!(news, ["w down panic boom", "w exit panic boom"]);
}

#[tokio::test(start_paused = true)]
async fn an_address_outlives_lives_and_the_last_address_ends_nobody() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    let (other, one_kind) = (it.clone(), it.recipient::<Msg>());
    for number in 1..=3 {
        it.tell(crash()).expect("there is room");
        other.tell(Msg::Mark(number)).expect("there is room");
    }
    one_kind.tell(Msg::Mark(4)).expect("there is room");
    assert_eq!(it, other);
    drop((it, other, one_kind));
    reader.expect(&["it up", "it up", "it 1", "it up", "it 2", "it up", "it 3", "it 4"]).await;
    turns().await;
    assert_eq!(system.living(), 2, "it and its supervisor");
}

#[tokio::test(start_paused = true)]
async fn a_recipient_says_why_it_could_not_deliver() {
    let system = system();
    let (it, seat) = system.address_with::<Msg>(narrow(1));
    let one_kind = it.recipient::<Msg>();
    assert_eq!(one_kind.tell(Msg::Mark(1)), Ok(()));
    assert_eq!(one_kind.tell(Msg::Mark(2)), Err(ExitReason::other("full")));
    drop(seat);
    assert_eq!(one_kind.tell(Msg::Mark(3)), Err(ExitReason::NoActor));
}

/// OTP: PRC-001.
#[tokio::test(start_paused = true)]
async fn notices_timers_and_messages_to_oneself_are_exempt_from_the_bound() {
    let system = system();
    let (journal, mut reader) = journal();
    let (it, seat) = system.address_with(narrow(1));
    let other = system.spawn(|| Puppet::new("other", &self::journal().0)).expect("open");
    it.tell(wait(move |_, context| {
        Box::pin(async move {
            let itself = context.address();
            context.monitor(&other);
            itself.tell(Msg::Mark(1)).expect("the message in hand is not counted");
            assert!(itself.tell(Msg::Mark(2)).is_err(), "full");
            other.kill();
            soon(other.ended()).await;
            context.send_after(SECOND, Msg::Mark(3));
            context.sleep(2 * SECOND).await;
            context.tell_self(Msg::Mark(4));
            Ok(())
        })
    }))
    .expect("there is room");
    system.start(seat, "it", move || Puppet::new("it", &journal)).await.expect("starts");
    reader.expect(&["it up", "it 1", "it down killed", "it 3", "it 4"]).await;
}
