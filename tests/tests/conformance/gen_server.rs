//! Servers: calls, ends and clean-up. Rows GS.

use std::pin::pin;
use std::time::Duration;

use minder::prelude::*;
use minder::{MailboxOptions, Recipe, StartOptions, SysError};

use crate::support::*;

/// What its minder tells a child to end with, it cleans up for and ends with; it is told so in no other way.
/// OTP: GS-020, GS-022.
#[tokio::test(start_paused = true)]
async fn told_to_end_by_its_minder_one_that_traps_cleans_up_and_no_handler_is_asked() {
    type Why = fn() -> ExitReason;
    let reasons: [Why; 5] = [
        || ExitReason::Normal,
        || ExitReason::Shutdown,
        || ExitReason::shutdown_with(Plain("why")),
        || ExitReason::other("mine"),
        || Plain("no").into(),
    ];
    for why in reasons {
        for traps in [true, false] {
            let system = system();
            let (journal, mut reader) = journal();
            let boss = named_with(&system, "boss", &journal, MailboxOptions::default()).await;
            reader.expect(&["boss up"]).await;
            let writes = journal.clone();
            let (tell, told) = tokio::sync::oneshot::channel();
            boss.tell(act(move |_, context| {
                let make = move || {
                    let it = Puppet::new("it", &writes);
                    if traps { it.trapping() } else { it }
                };
                let recipe = Recipe::own_seat(make, MailboxOptions::default());
                drop(tell.send(context.start(&recipe, StartOptions::named("it"))));
                Ok(())
            }))
            .expect("there is room");
            let it = told.await.expect("it lives").expect("its seat is its own");
            reader.expect(&["it up", "boss child started"]).await;
            boss.tell(act(move |_, context| {
                context.stop_child(&it, why());
                Ok(())
            }))
            .expect("there is room");
            pass(SECOND).await;
            let reason = why();
            let cleaned_up = traps.then(|| format!("it stopping {reason}"));
            let news = format!("boss child exited {reason}");
            let expected: Vec<String> = cleaned_up.into_iter().chain([news]).collect();
            assert_eq!(reader.rest(), expected, "{reason}, traps: {traps}");
        }
    }
}

/// How an actor that ends answers who asked for it.
#[derive(Clone, Copy, Debug)]
enum Parting {
    /// What its method returns: `{stop, Reason, Reply, State}`.
    Returned,
    /// And what it says to the same end.
    Said,
    /// `gen_server:reply/2`, and then `{stop, Reason, State}`.
    AtOnce,
    /// `gen_server:reply/2` in its `terminate`.
    InStopping,
}

struct Last(Parting, Option<Reply<u32>>, Journal);

#[actor(prefix = Last)]
impl Last {
    fn leave(&mut self, context: &mut Context<LastMsg>) -> u32 {
        context.stop(ExitReason::Normal);
        1
    }

    fn leave_by_hand(&mut self, reply: Reply<u32>, context: &mut Context<LastMsg>) {
        match self.0 {
            Parting::Said => return context.stop_then_reply(ExitReason::Normal, reply, 1),
            Parting::AtOnce => drop(reply.send(1)),
            Parting::Returned | Parting::InStopping => self.1 = Some(reply),
        }
        context.stop(ExitReason::Normal);
    }

    async fn stopping(&mut self, context: &mut Context<LastMsg>) {
        context.sleep(SECOND).await;
        self.2.note("cleaned up");
        if let Some(reply) = self.1.take() {
            let _ = reply.send(1);
        }
    }
}

/// OTP: GS-016, STM-019.
#[tokio::test(start_paused = true)]
async fn an_answer_with_the_end_comes_after_the_clean_up() {
    let (before, after) = (["answered", "cleaned up"], ["cleaned up", "answered"]);
    let rows = [
        (Parting::Returned, after),
        (Parting::Said, after),
        (Parting::AtOnce, before),
        (Parting::InStopping, after),
    ];
    for (parting, expected) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let notes = journal.clone();
        let it = system.spawn(move || Last(parting, None, notes)).expect("open");
        let answer = match parting {
            Parting::Returned => it.leave().await,
            _ => it.leave_by_hand().await,
        };
        journal.note("answered");
        assert_eq!(answer.ok(), Some(1), "{parting:?}");
        soon(it.ended()).await;
        assert_eq!(reader.rest(), expected, "{parting:?}");
    }
}

/// One that has nothing but a handler is an actor, whatever comes to it.
/// OTP: GS-024.
#[tokio::test(start_paused = true)]
async fn all_but_the_handler_is_optional() {
    struct Least;
    impl Actor for Least {
        type Msg = Reply<u32>;
        async fn handle(&mut self, reply: Reply<u32>, context: &mut Context<Self::Msg>) -> Handled {
            let gone = context.spawn("gone", || Puppet::new("gone", &journal().0))?;
            context.trap_exit(true);
            context.link(&gone)?;
            context.monitor(&gone);
            context.start_timeout(Duration::ZERO);
            gone.kill();
            let _ = reply.send(1);
            Ok(())
        }
    }
    let system = system();
    let it = system.spawn(|| Least).expect("open");
    for _ in 0..2 {
        assert_eq!(it.ask(|reply| reply).await.ok(), Some(1), "news of all kinds goes by");
        pass(SECOND).await;
    }
    assert!(system.shutdown(SECOND).await.is_clean());
    assert_eq!(soon(it.ended()).await, ExitReason::Shutdown);
}

/// A question is a future: it can be waited for in turns, beside other work, and given up.
/// OTP: GS-028, NEW-011.
#[tokio::test(start_paused = true)]
async fn an_answer_can_be_waited_for_in_turns() {
    let system = system();
    let (it, seat) = system.address();
    {
        let mut asked = pin!(it.ask_within(60 * SECOND, Msg::Life));
        for _ in 0..3 {
            assert!(tokio::time::timeout(SECOND, asked.as_mut()).await.is_err(), "not yet, and not given up");
        }
        system.start(seat, "it", || Puppet::new("it", &journal().0)).await.expect("starts");
        assert_eq!(soon(asked).await.ok(), Some(1));
    }
    // Given up, it is not asked any more.
    it.suspend();
    {
        let mut asked = pin!(it.ask(Msg::Life));
        assert!(tokio::time::timeout(SECOND, asked.as_mut()).await.is_err());
    }
    it.resume();
    turns().await;
    let counted = it.statistics();
    assert_eq!((counted.handled, counted.skipped), (1, 1), "{counted:?}");
}

/// An answer does not come through the mailbox: what lies there does not stand in its way, and is not looked at.
/// OTP: GS-034, PRC-004.
#[tokio::test(start_paused = true)]
async fn a_huge_mailbox_is_not_in_the_way_of_an_answer() {
    const WAITING: u32 = 100_000;
    let system = system();
    let (journal, mut reader) = journal();
    let other = named(&system, "other").await;
    let it = named_with(&system, "it", &journal, MailboxOptions::unbounded()).await;
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    it.tell(wait(move |it, context| {
        Box::pin(async move {
            drop(gone.await);
            let before = context.address().queued();
            for _ in 0..100 {
                assert_eq!(life(&other).await, 1);
            }
            it.note(format!("has asked, {before} queued"));
            it.note(format!("{} are still", context.address().queued()));
            Ok(())
        })
    }))
    .expect("there is no bound");
    for number in 0..WAITING {
        it.tell(Msg::Mark(number)).expect("there is no bound");
    }
    drop(go);
    reader.expect(&["it up", "it has asked, 100000 queued", "it 100000 are still"]).await;
    reader.expect(&["it 0", "it 1"]).await;
}

/// Whoever asks itself would wait for itself: it is told at once.
/// OTP: GS-009.
#[tokio::test(start_paused = true)]
async fn asking_oneself_is_refused_at_once() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = named_with(&system, "it", &journal, MailboxOptions::default()).await;
    let began = system.now();
    let itself = it.clone();
    it.tell(wait(move |it, _| {
        Box::pin(async move {
            let asked = itself.ask(Msg::Life).await;
            it.note(matches!(asked, Err(AskError::WouldDeadlock(_))));
            Ok(())
        })
    }))
    .expect("there is room");
    reader.expect(&["it up", "it true"]).await;
    assert_eq!(system.now(), began);
    assert_eq!(life(&it).await, 1, "and goes on");
}

/// Stopped from outside: whoever waits hears of the end when it is complete, and what went otherwise is a value.
/// OTP: GS-025, PRL-006.
#[tokio::test(start_paused = true)]
async fn stopping_from_outside_waits_for_the_end_and_tells_what_went_otherwise() {
    struct Cleaning(&'static str);
    impl Actor for Cleaning {
        type Msg = ();
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
        async fn stopping(&mut self, _: &ExitReason, context: &mut Context<()>) {
            context.sleep(SECOND).await;
            match self.0 {
                "panics" => panic!("in the clean-up"),
                "hangs" => std::future::pending().await,
                _ => {}
            }
        }
    }
    // what its clean-up does, what whoever waits ten seconds hears
    let rows = [("works", Some("enough")), ("panics", Some("panic in the clean-up")), ("hangs", None)];
    for (clean_up, expected) in rows {
        let system = system();
        let it = system.spawn(|| Cleaning(clean_up)).expect("open");
        it.sys().terminate(ExitReason::other("enough")).await.expect("it lives");
        assert!(it.is_alive(), "{clean_up}: it is at its clean-up");
        let ended = tokio::time::timeout(10 * SECOND, it.ended()).await.ok();
        assert_eq!(ended.as_ref().map(short).as_deref(), expected, "{clean_up}");
        assert_eq!((it.is_alive(), system.living()), (expected.is_none(), usize::from(expected.is_none())));
        if expected.is_some() {
            let nobody = it.sys().terminate(ExitReason::Normal).await;
            assert!(matches!(nobody, Err(SysError::NoActor)), "{clean_up}: {nobody:?}");
        }
    }
}
