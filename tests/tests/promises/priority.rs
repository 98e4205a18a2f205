//! Priority: what an actor has decided to hear of before everything that waits. Row NEW-005, NEW-006.

use minder::prelude::*;
use minder::{
    AliasError, LocalActor, MailboxOptions, MonitorId, PriorityAlias, Queued, Recipe, Recipient,
    StartOptions, WhenFull,
};
use tokio::task::LocalSet;

use crate::support::*;

async fn priority_alias(actor: &Addr<Msg>) -> PriorityAlias<Msg> {
    within(actor, |context| context.priority().alias()).await
}

/// Waits for a second, in a handler.
fn slow() -> Msg {
    wait(|_, context| {
        Box::pin(async move {
            context.sleep(SECOND).await;
            Ok(())
        })
    })
}

fn mark(actor: &Addr<Msg>, marks: impl IntoIterator<Item = u32>) {
    marks.into_iter().for_each(|number| actor.tell(Msg::Mark(number)).expect("there is room"));
}

/// OTP: NEW-005.
#[test]
fn a_priority_message_overtakes_all_that_waits_and_no_earlier_one() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let a = spawn(&system, "a", &journal);
        let alias = priority_alias(&a).await;
        assert_eq!(alias.owner(), a.id());
        reader.expect(&["a up"]).await;
        // All of this is taken out of the mailbox at once, and what is sent meanwhile still comes before it.
        a.suspend();
        a.tell(slow()).expect("there is room");
        mark(&a, 1..=3);
        turns().await;
        a.resume();
        turns().await;
        mark(&a, [4]);
        alias.tell(Msg::Mark(10)).expect("it is open");
        alias.ordinary().tell(Msg::Mark(5)).expect("it is open");
        let recipient: Recipient<Msg> = alias.recipient();
        recipient.tell(Msg::Mark(11)).expect("it is open");
        assert_eq!(a.queued(), 7);
        turns().await;
        assert_eq!(reader.rest(), [""; 0], "the message in hand is not interrupted");
        reader.expect(&["a 10", "a 11", "a 1", "a 2", "a 3", "a 4", "a 5"]).await;
        // One that is idle, and an ask through it.
        alias.tell(Msg::Mark(12)).expect("it is open");
        reader.expect(&["a 12"]).await;
        // To one that is suspended they are messages like any other.
        a.suspend();
        mark(&a, [6]);
        alias.tell(Msg::Mark(13)).expect("it is open");
        turns().await;
        assert_eq!(reader.rest(), [""; 0]);
        a.resume();
        reader.expect(&["a 13", "a 6"]).await;
        assert!(a.statistics().is_conserved() && a.queued() == 0, "{:?}", a.statistics());
        system.shutdown(SECOND).await;
    });
}

/// OTP: NEW-005.
#[tokio::test(start_paused = true)]
async fn only_who_has_the_alias_gets_ahead_and_only_while_it_is_open() {
    let system = system();
    let (journal, mut reader) = journal();
    let a = minded(&system, move || Puppet::new("a", &journal)).await;
    let alias = priority_alias(&a).await;
    let b = named(&system, "b").await;
    let theirs = alias.clone();
    assert!(!within(&b, move |context| context.unalias(theirs.ordinary())).await, "not b's to withdraw");
    let mine = alias.clone();
    assert!(within(&a, move |context| context.unalias(mine.ordinary())).await);
    assert!(matches!(alias.tell(Msg::Mark(1)), Err(AliasError::Ended(Msg::Mark(1)))));
    let (gone, target) = (alias.clone(), a.clone());
    let sent = within(&b, move |context| context.priority().exit(&gone, ExitReason::other("no"))).await;
    assert!(!sent && target.is_alive());
    // It is for one life. What came through it before waits for the next, and is the first that it handles.
    let alias = priority_alias(&a).await;
    a.suspend();
    mark(&a, [2]);
    alias.tell(Msg::Mark(3)).expect("it is open");
    turns().await;
    a.kill();
    reader.expect(&["a up", "a up", "a 3", "a 2"]).await;
    assert!(matches!(alias.tell(Msg::Mark(4)), Err(AliasError::Ended(_))));
    assert!(a.statistics().is_conserved());
    system.shutdown(SECOND).await;
}

/// OTP: NEW-005.
#[tokio::test(start_paused = true)]
async fn the_bound_holds_and_a_restart_purges_what_it_would() {
    for (when_full, expected) in [(WhenFull::Reject, "a 1"), (WhenFull::DropOldest, "a 9")] {
        let system = system();
        let (journal, mut reader) = journal();
        let a = named_with(&system, "a", &journal, MailboxOptions::bounded(2, when_full)).await;
        let alias = priority_alias(&a).await;
        a.suspend();
        turns().await;
        mark(&a, 1..=2);
        let told = alias.tell(Msg::Mark(9));
        assert_eq!(matches!(told, Err(AliasError::Full(Msg::Mark(9)))), when_full == WhenFull::Reject);
        assert_eq!(a.queued(), 2);
        a.resume();
        reader.expect(&["a up", expected, "a 2"]).await;
        assert!(a.statistics().is_conserved(), "{:?}", a.statistics());
        system.shutdown(SECOND).await;
    }
    // A child that does not keep what waits keeps none of these either.
    let system = system();
    let (journal, mut reader) = journal();
    let (a, seat) = system.address();
    let child = actor_in("a", seat, move || Puppet::new("a", &journal)).queued(Queued::Purge);
    tolerant(one_for_one()).child(child).start(&system, "top").await.expect("it starts");
    let alias = priority_alias(&a).await;
    a.suspend();
    turns().await;
    mark(&a, [1]);
    alias.tell(Msg::Mark(2)).expect("it is open");
    a.kill();
    reader.expect(&["a up", "a up"]).await;
    assert_eq!(life(&a).await, 2);
    assert_eq!(reader.rest(), [""; 0]);
    let figures = a.statistics();
    assert_eq!((figures.purged, figures.is_conserved()), (2, true), "{figures:?}");
    system.shutdown(SECOND).await;
}

/// By which tie the end of one comes to another.
type Tie = fn(&mut Context<Msg>, &Addr<Msg>) -> Option<MonitorId>;

/// OTP: NEW-006.
#[tokio::test(start_paused = true)]
async fn news_of_a_tie_made_by_priority_overtakes_all_that_waits() {
    let linked: Tie = |context, other| {
        context.link(other).expect("it lives");
        None
    };
    let linked_first: Tie = |context, other| {
        context.priority().link(other).expect("it lives");
        None
    };
    let linked_first_after_all: Tie = |context, other| {
        context.link(other).expect("it lives");
        context.priority().link(other).expect("it lives");
        None
    };
    let linked_after_all: Tie = |context, other| {
        context.priority().link(other).expect("it lives");
        context.link(other).expect("it lives");
        None
    };
    let rows: [(&str, Tie, &[&str]); 8] = [
        ("link", linked, &["a 1", "a 2", "a exit killed"]),
        ("link by priority", linked_first, &["a exit killed", "a 1", "a 2"]),
        ("and then by priority", linked_first_after_all, &["a exit killed", "a 1", "a 2"]),
        ("and then without", linked_after_all, &["a 1", "a 2", "a exit killed"]),
        ("monitor", |context, other| Some(context.monitor(other)), &["a 1", "a 2", "a down killed"]),
        (
            "monitor by priority",
            |context, other| Some(context.priority().monitor(other)),
            &["a down killed", "a 1", "a 2"],
        ),
        (
            "final monitor by priority",
            |context, other| Some(context.priority().monitor_final(other)),
            &["a down killed", "a 1", "a 2"],
        ),
        (
            "taken back",
            |context, other| {
                let monitor = context.priority().monitor(other);
                context.demonitor(monitor);
                Some(monitor)
            },
            &["a 1", "a 2"],
        ),
    ];
    for (name, tie, expected) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let a = system.spawn(move || Puppet::new("a", &journal).trapping()).expect("open");
        let b = named(&system, "b").await;
        let other = b.clone();
        within(&a, move |context| tie(context, &other)).await;
        reader.expect(&["a up"]).await;
        a.suspend();
        mark(&a, 1..=2);
        turns().await;
        b.kill();
        soon(b.ended()).await;
        a.resume();
        turns().await;
        assert_eq!(reader.rest(), expected, "{name}");
        system.shutdown(SECOND).await;
    }
}

/// OTP: NEW-006.
#[tokio::test(start_paused = true)]
async fn each_end_of_a_link_has_its_rank_and_exits_go_through_an_alias() {
    let system = system();
    let (journal, mut reader) = journal();
    let (to_a, to_b) = (journal.clone(), journal.clone());
    let a = system.spawn(move || Puppet::new("a", &to_a).trapping()).expect("open");
    let b = system.spawn(move || Puppet::new("b", &to_b).trapping()).expect("open");
    let other = b.clone();
    within(&a, move |context| context.priority().link(&other)).await.expect("it lives");
    let alias = priority_alias(&b).await;
    reader.until("b up").await;
    b.suspend();
    mark(&b, [1]);
    turns().await;
    // By the alias, and only for whoever traps exits: to another it is an order as ever.
    let to = alias.clone();
    assert!(within(&a, move |context| context.priority().exit(&to, ExitReason::other("sent"))).await);
    a.kill();
    soon(a.ended()).await;
    b.resume();
    turns().await;
    assert_eq!(reader.rest(), ["b exit sent", "b 1", "b exit killed"], "b did not ask to hear of a first");
    // A `Down` that waits by priority is taken back, or left, like any other.
    for flush in [true, false] {
        let c = named(&system, "c").await;
        let target = c.clone();
        let monitor = within(&b, move |context| context.priority().monitor(&target)).await;
        b.tell(wait(move |puppet, context| {
            Box::pin(async move {
                context.sleep(SECOND).await;
                let take_back = if flush { Context::demonitor } else { Context::demonitor_unflushed };
                puppet.note(take_back(context, monitor));
                Ok(())
            })
        }))
        .expect("there is room");
        turns().await;
        c.kill();
        reader.expect(&["b false"]).await;
        mark(&b, [2]);
        reader.expect(if flush { &["b 2"] } else { &["b down killed", "b 2"] }).await;
    }
    let plain = named(&system, "plain").await;
    let its = priority_alias(&plain).await;
    assert!(within(&b, move |context| context.priority().exit(&its, ExitReason::other("go"))).await);
    assert_eq!(short(&soon(plain.ended()).await), "go");
    system.shutdown(SECOND).await;
}

/// OTP: NEW-006.
#[tokio::test(start_paused = true)]
async fn a_minder_may_hear_of_its_children_first() {
    for (first, expected) in [
        (false, ["m 1", "m 2", "m child started", "m child exited killed"]),
        (true, ["m child started", "m child exited killed", "m 1", "m 2"]),
    ] {
        let system = system();
        let (journal, mut reader) = journal();
        let m = spawn(&system, "m", &journal);
        let child = within(&m, move |context| {
            let quiet = journal_of_nobody();
            let make = move || Puppet::new("child", &quiet);
            let mut options = StartOptions::named("child");
            options.news_first = first;
            let me = context.address();
            me.suspend();
            mark(&me, 1..=2);
            context.start(&Recipe::own_seat(make, MailboxOptions::default()), options)
        })
        .await
        .expect("it is begun");
        turns().await;
        child.kill();
        turns().await;
        m.resume();
        turns().await;
        reader.expect(&["m up"]).await;
        assert_eq!(reader.rest(), expected);
        system.shutdown(SECOND).await;
    }
}

/// Also of one that never lives: an orphan is still in its seat, and its start, which waits for that, is called off or refused
/// in the end.
#[tokio::test(start_paused = true)]
async fn a_minder_may_hear_first_of_a_start_that_waits_and_fails() {
    for (first, is_refused) in [(false, false), (false, true), (true, false), (true, true)] {
        let system = system();
        let (journal, mut reader) = journal();
        let (it, seat) = system.address();
        let quiet = journal_of_nobody();
        let recipe = Recipe::in_seat(seat, move || Puppet::new("it", &quiet));
        let before = named(&system, "before").await;
        let its = recipe.clone();
        within(&before, move |context| context.start(&its, StartOptions::named("it")))
            .await
            .expect("it is begun");
        let (release, held) = std::sync::mpsc::channel::<()>();
        it.tell(wait(move |_, context| {
            Box::pin(async move {
                context.blocking(move || held.recv().is_ok()).await;
                Ok(())
            })
        }))
        .expect("there is room");
        turns().await;
        before.kill();
        turns().await;
        assert!(it.is_alive(), "dead but not gone");
        let (its_end, mut hears) = self::journal();
        let other = spawn(&system, "other", &its_end);
        system.register("name", &other).expect("it is free");
        let orphan = it.clone();
        within(&other, move |context| context.monitor(&orphan)).await;

        let m = spawn(&system, "m", &journal);
        let heir = within(&m, move |context| {
            let mut options = StartOptions::named("it");
            options.news_first = first;
            options.registered = is_refused.then(|| "name".into());
            let me = context.address();
            me.suspend();
            mark(&me, 1..=2);
            context.start(&recipe, options)
        })
        .await
        .expect("it waits");
        turns().await;
        if !is_refused {
            heir.kill();
        }
        drop(release);
        hears.expect(&["other up", "other down killed"]).await;
        turns().await;
        m.resume();
        reader.expect(&["m up"]).await;
        turns().await;
        let heard = reader.rest();
        let at = heard.iter().position(|line| line.starts_with("m child failed"));
        assert_eq!(
            (at, heard.len()),
            (Some(if first { 0 } else { 2 }), 3),
            "{first} {is_refused}: {heard:?}"
        );
        system.shutdown(SECOND).await;
    }
}

/// And of one whose life is cut off with the local set that it was on.
#[tokio::test(start_paused = true)]
async fn a_minder_may_hear_first_of_the_end_of_a_local_set() {
    struct Hermit;
    impl LocalActor for Hermit {
        type Msg = ();
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
    }
    for first in [false, true] {
        let system = system();
        let set = LocalSet::new();
        let (journal, mut reader) = journal();
        let m = spawn(&system, "m", &journal);
        let recipe =
            Recipe::local_own_seat(|| Hermit, MailboxOptions::default()).on(&system.local_host_in(&set));
        within(&m, move |context| {
            let mut options = StartOptions::named("hermit");
            options.news_first = first;
            context.start(&recipe, options)
        })
        .await
        .expect("it is begun");
        set.run_until(reader.expect(&["m up", "m child started"])).await;
        m.suspend();
        mark(&m, [1]);
        turns().await;
        drop(set);
        turns().await;
        m.resume();
        let expected =
            if first { ["m child exited killed", "m 1"] } else { ["m 1", "m child exited killed"] };
        reader.expect(&expected).await;
        system.shutdown(SECOND).await;
    }
}

fn journal_of_nobody() -> Journal {
    journal().0
}

/// OTP: NEW-006.
#[tokio::test(start_paused = true)]
async fn a_supervisor_behind_a_long_mailbox_restarts_first_if_it_says_so() {
    for (first, incarnation) in [(false, 1), (true, 2)] {
        let system = system();
        let (it, seat) = system.address();
        let quiet = journal_of_nobody();
        let mut tree = tolerant(one_for_one()).child(actor_in("it", seat, move || Puppet::new("it", &quiet)));
        if first {
            tree = tree.news_first();
        }
        let root = tree.start(&system, "top").await.expect("it starts");
        let dies = it.id();
        root.address().suspend();
        let asked = aside({
            let root = root.clone();
            async move { root.which_child("it").await }
        });
        turns().await;
        it.kill();
        turns().await;
        root.address().resume();
        let found = asked.await.expect("no panic").expect("it is known");
        let actor = found.actor().expect("it runs, or nobody knows better").id();
        assert_eq!((actor.cell(), actor.incarnation()), (dies.cell(), incarnation), "first: {first}");
        assert_eq!(life(&it).await, 2);
        system.shutdown(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_to_come_next_comes_next() {
    let system = system();
    let (journal, mut reader) = journal();
    let a = spawn(&system, "a", &journal);
    let alias = priority_alias(&a).await;
    let by = alias.clone();
    a.tell(act(move |_, context| {
        mark(&context.address(), [4]);
        by.tell(Msg::Mark(3)).expect("it is open");
        context.tell_self_next(Msg::Mark(1));
        Ok(())
    }))
    .expect("there is room");
    reader.expect(&["a up", "a 1", "a 3", "a 4"]).await;
    // What is retried, too.
    let by = alias.clone();
    a.tell(act(move |_, context| {
        let postponed = context.postpone(Msg::Mark(5));
        by.tell(Msg::Mark(6)).expect("it is open");
        assert!(context.retry(postponed));
        Ok(())
    }))
    .expect("there is room");
    reader.expect(&["a 5", "a 6"]).await;
    assert!(a.statistics().is_conserved(), "{:?}", a.statistics());
    system.shutdown(SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_selective_receive_looks_at_them_first_and_loses_none() {
    let system = system();
    let (journal, mut reader) = journal();
    let a = minded(&system, move || Puppet::new("a", &journal)).await;
    let alias = priority_alias(&a).await;
    let receives = wait(|puppet, context| {
        Box::pin(async move {
            context.sleep(SECOND).await;
            let marked = |message: &Msg| matches!(message, Msg::Mark(number) if *number % 2 == 0);
            while let Some(Msg::Mark(number)) = context.receive(SECOND, marked).await {
                puppet.note(format!("receives {number}"));
            }
            Ok(())
        })
    });
    a.tell(receives).expect("there is room");
    turns().await;
    mark(&a, [1, 2]);
    for number in [3, 4, 5] {
        alias.tell(Msg::Mark(number)).expect("it is open");
    }
    pass(SECOND + SECOND / 2).await;
    alias.tell(Msg::Mark(6)).expect("it is open"); // while it waits
    reader.expect(&["a up", "a receives 4", "a receives 2", "a receives 6", "a 3", "a 5", "a 1"]).await;
    // A crash while it looks through them loses the message in hand and nothing else.
    let crashes = wait(|_, context| {
        Box::pin(async move {
            context.sleep(SECOND).await;
            context.receive(SECOND, |message| matches!(message, Msg::Mark(8)) && panic!("boom")).await;
            Ok(())
        })
    });
    a.tell(crashes).expect("there is room");
    turns().await;
    mark(&a, [9]);
    alias.tell(Msg::Mark(7)).expect("it is open");
    alias.tell(Msg::Mark(8)).expect("it is open");
    reader.expect(&["a up", "a 7", "a 8", "a 9"]).await;
    assert!(a.statistics().is_conserved(), "{:?}", a.statistics());
    system.shutdown(SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_holds_up_no_order_and_no_other_actor() {
    let system = system();
    let (journal, mut reader) = journal();
    let a = spawn(&system, "a", &journal_of_nobody());
    let b = spawn(&system, "b", &journal);
    let alias = priority_alias(&a).await;
    let flood = flood(alias.clone());
    alias.tell(flood).expect("it is open");
    mark(&a, [1]);
    let handled = a.statistics().handled;
    mark(&b, 1..=3);
    reader.expect(&["b up", "b 1", "b 2", "b 3"]).await;
    turns().await;
    assert!(a.statistics().handled > handled + 1000, "it goes on");
    assert!(a.queued() >= 1, "and what is ordinary waits");
    assert!(a.kill());
    assert_eq!(soon(a.ended()).await, ExitReason::Killed);
    system.shutdown(SECOND).await;
}

/// Tells itself the same again.
fn flood(alias: PriorityAlias<Msg>) -> Msg {
    act(move |_, _| {
        let next = flood(alias.clone());
        drop(alias.tell(next));
        Ok(())
    })
}
