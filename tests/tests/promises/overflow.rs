//! What happens at the bound, policy by policy: who is refused, who waits, what is dropped and who is told.

use minder::prelude::*;
use minder::{Cause, MailboxOptions, WhenFull};

use crate::support::*;
use crate::worker::*;

/// How one offer to a full mailbox ends: of a tell, a send and an ask, in this order.
struct Row {
    when_full: WhenFull,
    tell: &'static str,
    send: &'static str,
    ask: &'static str,
    /// Those that are handled at last; 1 to 3 were there before, 4 is told, 5 sent, 6 asked.
    handled: &'static [&'static str],
    dropped: u64,
}

const ROWS: &[Row] = &[
    Row {
        when_full: WhenFull::Reject,
        tell: "full",
        send: "waits",
        ask: "full",
        handled: &["it 1/1", "it 2/1", "it 3/1", "it 5/1"],
        dropped: 0,
    },
    Row {
        when_full: WhenFull::Wait,
        tell: "full",
        send: "waits",
        ask: "waits",
        handled: &["it 1/1", "it 2/1", "it 3/1", "it 5/1", "it 6/1"],
        dropped: 0,
    },
    Row {
        when_full: WhenFull::DropOldest,
        tell: "ok",
        send: "ok",
        ask: "waits",
        handled: &["it 4/1", "it 5/1", "it 6/1"],
        dropped: 3,
    },
    Row {
        when_full: WhenFull::DropNewest,
        tell: "ok",
        send: "ok",
        ask: "dropped",
        handled: &["it 1/1", "it 2/1", "it 3/1"],
        dropped: 3,
    },
];

/// OTP: GS-011, PRC-001.
#[tokio::test(start_paused = true)]
async fn each_policy_at_the_bound() {
    for Row { when_full, tell, send, ask, handled, dropped } in ROWS {
        let system = System::builder().dead_letters(10).build().expect("in a runtime");
        let (journal, mut reader) = journal();
        let (it, seat) = system.address_with(MailboxOptions::bounded(3, *when_full));
        // The first of them asks, and so learns if it is dropped.
        let first = {
            let it = it.clone();
            aside(async move { it.ask(|reply| Job::new(1).asking(reply)).await })
        };
        turns().await;
        it.tell(Job::new(2)).expect("there is room");
        it.tell(Job::new(3)).expect("there is room");

        let told = match it.tell(Job::new(4)) {
            Ok(()) => "ok",
            Err(TellError::Full(Job { id: 4, .. })) => "full",
            Err(_) => "?",
        };
        assert_eq!(told, *tell, "{when_full:?}");
        let sending = {
            let it = it.clone();
            aside(async move { it.send(Job::new(5)).await.is_ok() })
        };
        turns().await;
        assert_eq!(if sending.is_finished() { "ok" } else { "waits" }, *send, "{when_full:?}");
        let asking = {
            let it = it.clone();
            aside(async move { it.ask(|reply| Job::new(6).asking(reply)).await })
        };
        turns().await;
        let asked = if asking.is_finished() {
            match asking.await.expect("no panic") {
                Err(AskError::Full(Job { id: 6, .. })) => "full",
                Err(AskError::Dropped) => "dropped",
                _ => "?",
            }
        } else {
            "waits"
        };
        assert_eq!(asked, *ask, "{when_full:?}");
        assert!(it.queued() <= 3, "{when_full:?}");
        let is_told = first.is_finished();
        assert_eq!(is_told, *when_full == WhenFull::DropOldest, "{when_full:?}: told at once");

        let counted = Counted::default();
        system.start(seat, "it", move || Worker::new("it", &journal, &counted)).await.expect("starts");
        turns().await;
        assert_eq!(reader.rest(), *handled, "{when_full:?}");
        assert!(sending.await.expect("no panic"), "{when_full:?}");
        match first.await.expect("no panic") {
            Ok(11) => assert!(!is_told, "{when_full:?}"),
            Err(AskError::Dropped) => assert!(is_told, "{when_full:?}"),
            other => panic!("{when_full:?}: {:?}", other.err()),
        }
        let statistics = it.statistics();
        assert_eq!((statistics.dropped, statistics.queued), (*dropped, 0), "{when_full:?}");
        assert_eq!(statistics.handled, handled.len() as u64, "{when_full:?}");
        assert!(statistics.is_conserved(), "{when_full:?}: {statistics:?}");
        assert_eq!(system.dead_letters().of_cause(Cause::Dropped).len() as u64, *dropped, "{when_full:?}");
        assert_eq!(it.dead_letters().list().len() as u64, *dropped, "{when_full:?}");
    }
}

/// The oldest is within reach although the receiver is in the midst of what it has taken.
#[tokio::test(start_paused = true)]
async fn the_oldest_makes_room_also_while_the_actor_works() {
    let system = system();
    let (journal, mut reader) = journal();
    let counted = Counted::default();
    let (it, seat) = system.address_with(MailboxOptions::bounded(3, WhenFull::DropOldest));
    it.tell(Job::new(0).taking(SECOND)).expect("there is room");
    for number in 1..=2 {
        it.tell(Job::new(number)).expect("there is room");
    }
    system.start(seat, "it", move || Worker::new("it", &journal, &counted)).await.expect("starts");
    turns().await;
    for number in 3..=9 {
        it.tell(Job::new(number)).expect("nobody is refused");
    }
    let statistics = it.statistics();
    assert_eq!((statistics.in_hand, statistics.queued, statistics.dropped), (1, 3, 6), "{statistics:?}");
    pass(2 * SECOND).await;
    assert_eq!(reader.rest(), ["it 0/1", "it 7/1", "it 8/1", "it 9/1"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_bound_nothing_is_refused() {
    let system = system();
    let (it, _seat) = system.address_with::<Msg>(MailboxOptions::unbounded());
    for number in 0..5_000 {
        it.tell(Msg::Mark(number)).expect("there is no bound");
    }
    assert_eq!((it.queued(), it.statistics().accepted), (5_000, 5_000));
}

/// A message that panics when it is dropped is dropped on the sender's time.
#[tokio::test(start_paused = true)]
async fn a_dropped_message_that_panics_harms_nobody() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("bad drop");
        }
    }
    let system = system();
    let (it, seat) = system.address_with::<Msg>(MailboxOptions::bounded(1, WhenFull::DropOldest));
    let bad = Bad;
    it.tell(act(move |_, _| {
        let _bad = bad;
        Ok(())
    }))
    .expect("there is room");
    it.tell(Msg::Mark(1)).expect("nobody is refused");
    let (journal, mut reader) = journal();
    system.start(seat, "it", move || Puppet::new("it", &journal)).await.expect("starts");
    reader.expect(&["it up", "it 1"]).await;
}
