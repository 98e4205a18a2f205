//! Suspended actors: they handle nothing, obey orders, and go on where they stopped. OTP: `sys:suspend` and `resume`.

use std::time::Duration;

use minder::prelude::*;
use minder::{MailboxOptions, WhenFull, Winding};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn nothing_is_handled_until_it_is_resumed_whatever_it_was_at() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    reader.expect(&["it up"]).await;
    // Idle, with a full backlog, and in the middle of a message.
    assert!(it.suspend() && it.suspend());
    it.tell(Msg::Mark(1)).expect("there is room");
    it.tell(Msg::Mark(2)).expect("there is room");
    turns().await;
    assert_eq!((reader.rest(), it.queued()), (vec![], 2));
    assert!(it.resume());
    reader.expect(&["it 1", "it 2"]).await;
    for n in 0..600 {
        it.tell(Msg::Mark(n)).expect("there is room");
    }
    it.suspend();
    turns().await;
    assert_eq!((reader.rest(), it.queued()), (vec![], 600), "it overtakes what waits");
    it.resume();
    reader.until("it 599").await;
    let slow = wait(|puppet, context| {
        Box::pin(async move {
            context.sleep(SECOND).await;
            puppet.note("slow");
            Ok(())
        })
    });
    it.tell(slow).expect("there is room");
    it.tell(Msg::Mark(3)).expect("there is room");
    turns().await;
    it.suspend();
    pass(10 * SECOND).await;
    assert_eq!(reader.rest(), ["it slow"], "the message in hand is handled to its end");
    it.resume();
    reader.expect(&["it 3"]).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_obedient_while_it_is_suspended() {
    // what is done to a suspended puppet, and what it writes
    type Order = fn(&Addr<Msg>);
    let rows: &[(bool, Order, &[&str])] = &[
        (false, |it| assert!(it.kill()), &["it dropped", "it up"]),
        (true, |it| assert!(it.kill()), &["it dropped", "it up"]),
    ];
    for &(traps, order, expected) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let it = minded(&system, move || {
            let puppet = Puppet::new("it", &journal).telling_drop();
            if traps { puppet.trapping() } else { puppet }
        })
        .await;
        reader.expect(&["it up"]).await;
        it.suspend();
        it.tell(Msg::Mark(1)).expect("there is room");
        turns().await;
        order(&it);
        reader.expect(expected).await;
        // The next life is not suspended, and finds the message.
        reader.expect(&["it 1"]).await;
    }
}

/// OTP: SYS-003.
#[tokio::test(start_paused = true)]
async fn its_minders_stop_ends_it_and_one_that_winds_down_goes_on() {
    for (winding, expected) in [
        (Winding::Done, &["it stopping shutdown"][..]),
        (Winding::Later, &["it asked shutdown", "it 1", "it stopping normal"]),
    ] {
        let system = system();
        let (journal, mut reader) = journal();
        let it = minded(&system, move || Puppet::new("it", &journal).trapping().winding(winding)).await;
        reader.expect(&["it up"]).await;
        it.suspend();
        it.tell(Msg::Mark(1)).expect("there is room");
        it.tell(end(ExitReason::Normal)).expect("there is room");
        turns().await;
        assert!(system.shutdown(60 * SECOND).await.is_clean());
        assert_eq!(reader.rest(), expected, "{winding:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_bound_still_holds_and_nobody_home_is_told() {
    let system = system();
    let (journal, _reader) = journal();
    let (it, seat) = system.address_with(MailboxOptions::bounded(1, WhenFull::Reject));
    assert!(!it.suspend() && !it.resume(), "nobody lives there yet");
    let child = actor_in("it", seat, move || Puppet::new("it", &journal));
    one_for_one().child(child).start(&system, "top").await.expect("starts");
    it.suspend();
    turns().await;
    it.tell(Msg::Mark(1)).expect("there is room");
    assert!(it.tell(Msg::Mark(2)).is_err());
    let asked = it.ask_within(Duration::from_secs(1), Msg::Life).await;
    assert!(matches!(asked, Err(AskError::Full(_))));
    system.shutdown(SECOND).await;
    assert!(!it.suspend(), "nobody lives there any more");
}
