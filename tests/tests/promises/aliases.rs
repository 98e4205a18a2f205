//! Aliases: addresses that their actor can withdraw. Rows ALI; the scenarios `al-*`.

use minder::prelude::*;
use minder::{Alias, AliasEnds, AliasError, MailboxOptions, MonitorId, WhenFull};

use crate::support::*;

fn is_open(alias: &Alias<Msg>, mark: u32) -> bool {
    match alias.tell(Msg::Mark(mark)) {
        Ok(()) => true,
        Err(AliasError::Ended(Msg::Mark(back))) => {
            assert_eq!(back, mark, "it comes back");
            false
        }
        Err(_) => panic!("there is room"),
    }
}

/// OTP: ALI-001, ALI-007.
#[tokio::test(start_paused = true)]
async fn an_alias_is_open_until_its_owner_withdraws_it() {
    let system = system();
    let (journal, mut reader) = journal();
    let (a, b) = (spawn(&system, "a", &journal), spawn(&system, "b", &self::journal().0));
    let alias = within(&a, Context::alias).await;
    assert_eq!(alias.owner(), a.id());
    assert!(is_open(&alias, 1) && is_open(&alias, 2));
    let theirs = alias.clone();
    assert!(!within(&b, move |context| context.unalias(&theirs)).await, "not b's to withdraw");
    assert!(is_open(&alias, 3));
    for was_open in [true, false] {
        let mine = alias.clone();
        assert_eq!(within(&a, move |context| context.unalias(&mine)).await, was_open);
    }
    assert!(!is_open(&alias, 4));
    turns().await;
    assert_eq!(reader.rest(), ["a up", "a 1", "a 2", "a 3"]);
}

/// OTP: ALI-002.
#[tokio::test(start_paused = true)]
async fn an_alias_for_one_message_takes_one() {
    let system = system();
    let (journal, mut reader) = journal();
    let a = spawn(&system, "a", &journal);
    let alias = within(&a, Context::alias_once).await;
    assert!(is_open(&alias, 1));
    assert!(!is_open(&alias, 2));
    turns().await;
    assert_eq!(reader.rest(), ["a up", "a 1"]);
}

/// And not for a next life of its owner.
/// OTP: ALI-008.
#[tokio::test(start_paused = true)]
async fn an_alias_ends_with_its_owner() {
    let system = system();
    let a = minded(&system, || Puppet::new("a", &journal().0)).await;
    let alias = within(&a, Context::alias).await;
    let stale = alias.clone();
    a.tell(crash()).expect("there is room");
    assert_eq!(life(&a).await, 2);
    assert!(!is_open(&alias, 1));
    assert!(!within(&a, move |context| context.unalias(&stale)).await, "it was another life's");
    assert!(is_open(&within(&a, Context::alias).await, 2));
}

/// A message through an alias counts like any other; one that finds no room does not use it up.
#[tokio::test(start_paused = true)]
async fn an_alias_keeps_to_the_bound() {
    let system = system();
    let (a, seat) = system.address_with(MailboxOptions::bounded(1, WhenFull::Reject));
    system.start(seat, "a", || Puppet::new("a", &journal().0)).await.expect("it starts");
    let alias = within(&a, Context::alias_once).await;
    a.tell(Msg::Mark(0)).expect("there is room");
    let full = alias.tell(Msg::Mark(1)).expect_err("there is no room");
    assert!(matches!(full, AliasError::Full(Msg::Mark(1))));
    turns().await;
    assert!(is_open(&alias, 2));
    assert_eq!((a.statistics().offered, a.statistics().refused), (4, 1));
}

/// What ends an alias that came with a monitor, step by step.
/// OTP: ALI-003, ALI-004, ALI-005, ALI-006.
#[tokio::test(start_paused = true)]
async fn an_alias_with_a_monitor_ends_as_declared() {
    use AliasEnds::{Explicitly, WithMonitor, WithReply};
    type Step = (&'static str, bool);
    // Of each step whether it does what it is called: the alias is open, the monitor had not fired.
    let rows: &[(AliasEnds, &[Step], &[&str])] = &[
        (
            Explicitly,
            &[("send", true), ("end b", true), ("send", true), ("unalias", true), ("send", false)],
            &["a 1", "a down boom", "a 2"],
        ),
        (Explicitly, &[("demonitor", true), ("send", true), ("end b", true)], &["a 1"]),
        (
            WithMonitor,
            &[("send", true), ("send", true), ("demonitor", true), ("send", false)],
            &["a 1", "a 2"],
        ),
        (WithMonitor, &[("end b", true), ("send", false), ("unalias", false)], &["a down boom"]),
        (WithMonitor, &[("send", true), ("end b", true)], &["a 1", "a down boom"]),
        (WithReply, &[("send", true), ("send", false), ("end b", true), ("demonitor", false)], &["a 1"]),
        (
            WithReply,
            &[("send", true), ("demonitor unflushed", false), ("end b", true), ("send", false)],
            &["a 1"],
        ),
        (WithReply, &[("demonitor", true), ("send", false)], &[]),
        (WithReply, &[("demonitor unflushed", true), ("send", false), ("end b", true)], &[]),
        (WithReply, &[("end b", true), ("send", false)], &["a down boom"]),
        (WithReply, &[("unalias", true), ("send", false), ("end b", true)], &["a down boom"]),
    ];
    for (ends, steps, heard) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let (a, b) = (spawn(&system, "a", &journal), spawn(&system, "b", &self::journal().0));
        reader.expect(&["a up"]).await;
        let (target, ends) = (b.clone(), *ends);
        let (monitor, alias): (MonitorId, _) =
            within(&a, move |context| context.monitor_alias(&target, ends)).await;
        let mut mark = 0;
        for (index, &(step, expected)) in steps.iter().enumerate() {
            let mine = alias.clone();
            let did = match step {
                "send" => {
                    mark += 1;
                    is_open(&alias, mark)
                }
                "end b" => {
                    b.tell(end(ExitReason::other("boom"))).expect("there is room");
                    soon(b.ended()).await;
                    true
                }
                "demonitor" => within(&a, move |context| context.demonitor(monitor)).await,
                "demonitor unflushed" => {
                    within(&a, move |context| context.demonitor_unflushed(monitor)).await
                }
                "unalias" => within(&a, move |context| context.unalias(&mine)).await,
                other => panic!("{other}"),
            };
            turns().await;
            assert_eq!(did, expected, "{ends:?}, step {index} of {steps:?}");
        }
        assert_eq!(reader.rest(), *heard, "{ends:?} {steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_alias_with_a_monitor_of_the_dead() {
    for (ends, stays) in
        [(AliasEnds::Explicitly, true), (AliasEnds::WithMonitor, false), (AliasEnds::WithReply, false)]
    {
        let system = system();
        let (journal, mut reader) = journal();
        let (a, b) = (spawn(&system, "a", &journal), spawn(&system, "b", &self::journal().0));
        b.kill();
        soon(b.ended()).await;
        let (_, alias) = within(&a, move |context| context.monitor_alias(&b, ends)).await;
        assert_eq!(is_open(&alias, 1), stays, "{ends:?}");
        reader.expect(&["a up", "a down no such actor"]).await;
    }
}

/// Found by the scenarios `q*`: who watches itself waits for no answer either.
#[tokio::test(start_paused = true)]
async fn an_alias_with_a_monitor_of_oneself_is_never_open() {
    for ends in [AliasEnds::Explicitly, AliasEnds::WithMonitor, AliasEnds::WithReply] {
        let system = system();
        let a = spawn(&system, "a", &journal().0);
        let myself = a.clone();
        let (monitor, alias) = within(&a, move |context| context.monitor_alias(&myself, ends)).await;
        assert!(!is_open(&alias, 1), "{ends:?}");
        assert!(!within(&a, move |context| context.unalias(&alias)).await, "{ends:?}");
        assert!(!within(&a, move |context| context.demonitor(monitor)).await, "{ends:?}");
    }
}

/// One who is asked much and lives long: what is over is not kept, by neither side.
#[tokio::test(start_paused = true)]
async fn monitors_that_an_answer_has_ended_are_not_kept() {
    let system = system();
    let (a, b) = (spawn(&system, "a", &journal().0), spawn(&system, "b", &journal().0));
    for round in 0..100 {
        let target = b.clone();
        let (_, alias) =
            within(&a, move |context| context.monitor_alias(&target, AliasEnds::WithReply)).await;
        assert!(is_open(&alias, round));
        assert_eq!(within(&a, |context| context.monitors().len()).await, 0, "round {round}");
    }
}

/// Of an answer and an end that race for one alias one wins. On threads, since in simulated time nothing races.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_an_answer_and_an_end_one_comes() {
    let system = System::new().expect("the test runs in a runtime and unwinds");
    let mut readers = Vec::new();
    for round in 0..300 {
        let (journal, mut reader) = journal();
        let (a, b) = (spawn(&system, "a", &journal), spawn(&system, "b", &self::journal().0));
        let target = b.clone();
        let (_, alias) =
            within(&a, move |context| context.monitor_alias(&target, AliasEnds::WithReply)).await;
        let sender = {
            let alias = alias.clone();
            aside(async move { is_open(&alias, 1) })
        };
        if round % 3 != 0 {
            tokio::task::yield_now().await;
        }
        b.kill();
        b.ended().await;
        let came_through = sender.await.expect("it sends");
        assert!(!is_open(&alias, 2));
        reader.expect(&["a up", if came_through { "a 1" } else { "a down killed" }]).await;
        readers.push(reader);
    }
    system.shutdown(SECOND).await;
    assert!(readers.iter_mut().all(|reader| reader.rest().is_empty()), "the other came as well");
}
