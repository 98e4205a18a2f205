//! Exit signals sent on purpose. Rows SIG.

use std::future::{Future, poll_fn};
use std::task::Poll;

use minder::prelude::*;

use crate::support::*;

fn puppet(system: &System, name: &'static str, journal: &Journal, traps: bool) -> Addr<Msg> {
    let journal = journal.clone();
    let make = move || {
        let it = Puppet::new(name, &journal);
        if traps { it.trapping() } else { it }
    };
    system.spawn(make).expect("open")
}

fn exit(other: &Addr<Msg>, reason: ExitReason) -> Msg {
    let other = other.clone();
    act(move |it, context| {
        let lived = context.exit(&other, reason);
        it.note(format!("sent {lived}"));
        Ok(())
    })
}

/// SIG-004, SIG-005, SIG-008: what a signal of another does, trapped and not.
/// OTP: SIG-004, SIG-005, SIG-008.
#[tokio::test(start_paused = true)]
async fn what_a_signal_of_another_does() {
    let rows = [
        (ExitReason::Normal, false),
        (ExitReason::Shutdown, true),
        (ExitReason::Killed, true), // a word like any other here
        (ExitReason::NoActor, true),
        (ExitReason::other("kill"), true),
        (Plain("no").into(), true),
    ];
    for (reason, ends) in rows {
        for traps in [false, true] {
            let system = system();
            let (journal, mut reader) = journal();
            let a = puppet(&system, "a", &journal, false);
            reader.expect(&["a up"]).await;
            let b = puppet(&system, "b", &journal, traps);
            reader.expect(&["b up"]).await;
            a.tell(exit(&b, reason.clone())).expect("there is room");
            reader.expect(&["a sent true"]).await;
            turns().await;
            let case = format!("{reason}, traps: {traps}");
            if traps {
                assert_eq!(reader.rest(), [format!("b exit {reason}")], "{case}");
            } else {
                assert_eq!(reader.rest(), [""; 0], "{case}");
            }
            assert_eq!(b.is_alive(), traps || !ends, "{case}");
            if !b.is_alive() {
                assert_eq!(b.ended().await, reason, "{case}");
            }
            assert_eq!(life(&a).await, 1, "no link is made by it");
        }
    }
}

/// SIG-006, SIG-007: the kill cannot be trapped, and is seen as `Killed`.
/// OTP: SIG-006, SIG-007.
#[tokio::test(start_paused = true)]
async fn a_kill_cannot_be_trapped_and_is_seen_as_killed() {
    let system = system();
    let (journal, mut reader) = journal();
    let (a, b) = (puppet(&system, "a", &journal, true), puppet(&system, "b", &journal, true));
    reader.expect(&["a up", "b up"]).await;
    let other = b.clone();
    a.tell(act(move |_, context| {
        context.link(&other)?;
        assert!(other.kill());
        Ok(())
    }))
    .expect("there is room");
    reader.expect(&["a exit killed"]).await;
    assert_eq!(b.ended().await, ExitReason::Killed);
}

/// SIG-009: `normal` to oneself is fatal where it is not trapped.
/// OTP: SIG-009.
#[tokio::test(start_paused = true)]
async fn a_signal_to_oneself() {
    for (reason, traps) in [
        (ExitReason::Normal, false),
        (ExitReason::Normal, true),
        (ExitReason::other("mine"), false),
        (ExitReason::other("mine"), true),
    ] {
        let system = system();
        let (journal, mut reader) = journal();
        let it = puppet(&system, "it", &journal, traps);
        it.tell(exit(&it, reason.clone())).expect("there is room");
        it.tell(Msg::Mark(1)).expect("there is room");
        reader.expect(&["it up", "it sent true"]).await;
        if traps {
            reader.expect(&["it 1", &format!("it exit {reason}")]).await;
        } else {
            assert_eq!(soon(it.ended()).await, reason);
            assert!(reader.rest().is_empty());
        }
    }
    // It is acted on when the handler awaits next.
    let system = system();
    let (journal, mut reader) = journal();
    let it = puppet(&system, "it", &journal, false);
    let itself = it.clone();
    it.tell(wait(move |it, context| {
        Box::pin(async move {
            context.exit(&itself, ExitReason::other("mine"));
            it.note("goes on");
            context.sleep(SECOND).await;
            it.note("still goes on");
            Ok(())
        })
    }))
    .expect("there is room");
    assert_eq!(soon(it.ended()).await, ExitReason::other("mine"));
    pass(2 * SECOND).await;
    assert_eq!(reader.rest(), ["it up", "it goes on"]);
}

/// How a handler may try to survive its own signal.
type Tries = for<'a> fn(&'a mut Context<Msg>, ExitReason) -> Deed<'a>;

const TRIES: [(&str, Tries); 4] = [
    ("awaited", |context, reason| {
        Box::pin(async move {
            context.exit_self(reason).await;
            Ok(())
        })
    }),
    ("under a time-out", |context, reason| {
        Box::pin(async move { Ok(tokio::time::timeout(SECOND, context.exit_self(reason)).await?) })
    }),
    ("beside something else", |context, reason| {
        Box::pin(async move {
            tokio::select! {
                biased;
                () = context.exit_self(reason) => {}
                () = pass(SECOND) => {}
            }
            Ok(())
        })
    }),
    ("polled again and again", |context, reason| {
        Box::pin(async move {
            let mut exit = Box::pin(context.exit_self(reason));
            poll_fn(|cx| {
                (0..9).map(|_| exit.as_mut().poll(cx)).find(Poll::is_ready).unwrap_or(Poll::Pending)
            })
            .await;
            Ok(())
        })
    }),
];

/// Sends itself the signal as the row has it, and notes that it goes on.
fn exit_self(tries: Tries, reason: ExitReason) -> Msg {
    wait(move |it, context| {
        Box::pin(async move {
            let survived = tries(context, reason).await;
            it.note("goes on");
            survived
        })
    })
}

/// Not even what comes right behind the call runs.
/// OTP: SIG-010.
#[tokio::test(start_paused = true)]
async fn a_signal_to_oneself_is_acted_on_before_the_call_returns_and_cannot_be_caught() {
    for (case, tries) in TRIES {
        for reason in [ExitReason::Normal, ExitReason::Killed, ExitReason::other("mine")] {
            let system = system();
            let (journal, mut reader) = journal();
            let it = puppet(&system, "it", &journal, false);
            let began = system.now();
            it.tell(exit_self(tries, reason.clone())).expect("there is room");
            it.tell(Msg::Mark(1)).expect("there is room");
            assert_eq!(soon(it.ended()).await, reason, "{case}");
            assert_eq!(system.now(), began, "{case}");
            pass(2 * SECOND).await;
            assert_eq!(reader.rest(), ["it up"], "{case}");
        }
    }
}

/// Whoever turns away in the same poll goes on as far as the next await.
#[tokio::test(start_paused = true)]
async fn a_signal_to_oneself_that_is_turned_away_from_is_acted_on_at_the_next_await() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = puppet(&system, "it", &journal, false);
    let turning_away = wait(|it, context| {
        Box::pin(async move {
            tokio::select! {
                biased;
                () = context.exit_self(ExitReason::other("mine")) => it.note("returns"),
                () = std::future::ready(()) => it.note("goes on"),
            }
            context.sleep(SECOND).await;
            it.note("still goes on");
            Ok(())
        })
    });
    it.tell(turning_away).expect("there is room");
    assert_eq!(soon(it.ended()).await, ExitReason::other("mine"));
    assert_eq!(reader.rest(), ["it up", "it goes on"]);
}

/// It does not wait for ever for an end that does not come: where it traps exits, and where it cleans up already.
/// OTP: SIG-010.
#[tokio::test(start_paused = true)]
async fn a_signal_to_oneself_that_is_trapped_comes_after_the_call() {
    for (case, tries) in TRIES {
        let system = system();
        let (journal, mut reader) = journal();
        let notes = journal.clone();
        let it = move || {
            Puppet::new("it", &notes).trapping().cleaning_up_by(move |it, context| {
                Box::pin(async move {
                    context.trap_exit(false);
                    tries(context, ExitReason::other("again")).await?;
                    it.note("cleans up");
                    Ok(())
                })
            })
        };
        let it = system.spawn(it).expect("open");
        it.tell(exit_self(tries, ExitReason::other("mine"))).expect("there is room");
        it.tell(Msg::Mark(1)).expect("there is room");
        reader.expect(&["it up", "it goes on", "it 1", "it exit mine"]).await;
        it.tell(end(ExitReason::Normal)).expect("there is room");
        assert_eq!(soon(it.ended()).await, ExitReason::Normal, "{case}");
        assert_eq!(reader.rest(), ["it stopping normal", "it cleans up"], "{case}");
    }
}

/// OTP: SIG-011, SIG-012.
#[tokio::test(start_paused = true)]
async fn the_first_reason_wins_and_the_dead_do_not_mind() {
    let system = system();
    let (journal, mut reader) = journal();
    let (a, b) = (puppet(&system, "a", &journal, false), puppet(&system, "b", &journal, false));
    let other = b.clone();
    a.tell(act(move |_, context| {
        context.exit(&other, ExitReason::Normal);
        context.exit(&other, ExitReason::other("first"));
        context.exit(&other, ExitReason::other("second"));
        other.kill();
        Ok(())
    }))
    .expect("there is room");
    assert_eq!(soon(b.ended()).await, ExitReason::other("first"));
    a.tell(exit(&b, ExitReason::other("late"))).expect("there is room");
    reader.until("a sent false").await;
    assert_eq!(life(&a).await, 1);
}

/// It reaches the incarnation that lived then, and not the next.
#[tokio::test(start_paused = true)]
async fn a_signal_is_for_one_life() {
    let system = system();
    let it = minded(&system, || Puppet::new("it", &journal().0)).await;
    let a = puppet(&system, "a", &journal().0, false);
    for _ in 0..2 {
        a.tell(exit(&it, ExitReason::other("mine"))).expect("there is room");
    }
    turns().await;
    let lives = life(&it).await;
    assert!((2..=3).contains(&lives), "{lives}");
    turns().await;
    assert_eq!(life(&it).await, lives);
}

/// An unlink takes back the exits of its link, and nothing that was sent on purpose. On two threads: the signal stands in
/// the control lane while the handler goes on.
/// OTP: LNK-006.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::disallowed_methods,
    reason = "the handler has to go on without an await, and this thread's tasks too"
)]
async fn an_unlink_does_not_take_a_signal_back() {
    for on_purpose in [true, false] {
        let system = system();
        let (a, b) = (puppet(&system, "a", &journal().0, false), puppet(&system, "b", &journal().0, false));
        let (to_b, from_a) = (b.clone(), a.clone());
        let (tell, told) = std::sync::mpsc::channel();
        b.tell(act(move |_, context| {
            context.link(&from_a)?;
            from_a
                .tell(act(move |_, context| {
                    if on_purpose {
                        context.exit(&to_b, ExitReason::other("on purpose"));
                    } else {
                        context.stop(ExitReason::other("linked"));
                    }
                    let _ = tell.send(());
                    Ok(())
                }))
                .expect("there is room");
            tokio::task::block_in_place(|| {
                let _ = told.recv();
                while !on_purpose && from_a.is_alive() {
                    std::thread::yield_now();
                }
            });
            context.unlink(&from_a);
            Ok(())
        }))
        .expect("there is room");
        if on_purpose {
            let gone = b.ask(Msg::Life).await.expect_err("the signal has ended it");
            assert!(matches!(gone, AskError::Stopped(..)), "{gone}");
            assert_eq!(b.ended().await, ExitReason::other("on purpose"));
        } else {
            assert_eq!(life(&b).await, 1);
        }
    }
}
