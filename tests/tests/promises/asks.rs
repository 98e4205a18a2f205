//! What an asker gets, row by row: whoever holds the question or its reply may crash, stop, forget or forward it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use minder::prelude::*;
use minder::{MailboxOptions, WhenFull};

use crate::support::*;

pub(crate) type Outcome = Result<u32, AskError<Msg>>;
pub(crate) type Row = fn(System) -> Pin<Box<dyn Future<Output = Outcome>>>;

/// When an outcome has to be there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    AtOnce,
    /// Not before this many milliseconds, and at most by the granularity of deadlines later.
    After(u64),
}
pub(crate) use When::{After, AtOnce};

pub(crate) fn text(outcome: &Outcome) -> String {
    let with = |message: &Option<Msg>| if message.is_some() { " with the message" } else { "" };
    match outcome {
        Ok(answer) => format!("answer {answer}"),
        Err(AskError::Full(_)) => "full".to_owned(),
        Err(AskError::Stopped(reason, message)) => format!("stopped {}{}", short(reason), with(message)),
        Err(AskError::Crashed(reason)) => format!("crashed {}", short(reason)),
        Err(AskError::Purged(reason)) => format!("purged {}", short(reason)),
        Err(AskError::Dropped) => "dropped".to_owned(),
        Err(AskError::Poisoned) => "poisoned".to_owned(),
        Err(AskError::NoReply) => "no reply".to_owned(),
        Err(AskError::TimedOut) => "timed out".to_owned(),
        Err(AskError::WouldDeadlock(cycle)) => format!("would deadlock: {cycle}"),
        Err(AskError::WouldBlock) => "would block".to_owned(),
        Err(AskError::Stale(_)) => "stale with the message".to_owned(),
        Err(_) => "?".to_owned(),
    }
}

pub(crate) async fn check(rows: &[(&str, Row, &str, When)]) {
    for (case, row, expected, when) in rows {
        let system = system();
        let began = system.now();
        let outcome = tokio::time::timeout(60 * SECOND, row(system.clone())).await;
        let outcome = outcome.unwrap_or_else(|_| panic!("{case}: an ask has a deadline"));
        let took = system.now().since(began).as_millis();
        assert_eq!(text(&outcome), *expected, "{case}");
        let (earliest, latest) = match when {
            AtOnce => (0, 0),
            After(ms) => (u128::from(*ms), u128::from(*ms) + 6),
        };
        assert!((earliest..=latest).contains(&took), "{case}: after {took} ms, {when:?} expected");
    }
}

pub(crate) fn quiet() -> Puppet {
    Puppet::new("it", &journal().0)
}

pub(crate) async fn it(system: &System) -> Addr<Msg> {
    minded(system, quiet).await
}

/// Keeps the reply in hand and does this.
pub(crate) fn holding(
    deed: impl FnOnce(&mut Context<Msg>) -> Handled + Send + 'static,
) -> impl FnOnce(Reply<u32>) -> Msg {
    |reply| {
        act(move |_, context| {
            let _in_hand = reply;
            deed(context)
        })
    }
}

/// Keeps the reply in hand for ever.
fn hanging(reply: Reply<u32>) -> Msg {
    wait(|_, _| {
        Box::pin(async move {
            let _in_hand = reply;
            std::future::pending().await
        })
    })
}

// --- in hand -------------------------------------------------------------------------------------------------------

/// OTP: GS-006, GS-007, GS-008.
#[tokio::test(start_paused = true)]
async fn in_hand() {
    check(&[
        (
            "at a panic",
            |s| Box::pin(async move { it(&s).await.ask(holding(|_| panic!("boom"))).await }),
            "crashed panic boom",
            AtOnce,
        ),
        (
            "at an error",
            |s| Box::pin(async move { it(&s).await.ask(holding(|_| Err(Plain("no").into()))).await }),
            "crashed error: no",
            AtOnce,
        ),
        (
            "at a kill",
            |s| {
                Box::pin(async move {
                    let it = it(&s).await;
                    let (asked, ()) = tokio::join!(it.ask(hanging), async {
                        turns().await;
                        assert!(it.kill());
                    });
                    asked
                })
            },
            "crashed killed",
            AtOnce,
        ),
        (
            "at the limit of its handler",
            |s| {
                Box::pin(async move {
                    let (it, seat) = s.address();
                    let child = actor_in("it", seat, quiet).handler_limit(Duration::from_millis(100));
                    one_for_one().child(child).start(&s, "top").await.expect("starts");
                    it.ask(hanging).await
                })
            },
            "crashed hung in promises::support::Msg",
            After(100),
        ),
        (
            "when it is told to stop and does not trap exits",
            |s| {
                Box::pin(async move {
                    let it = it(&s).await;
                    let (asked, report) = tokio::join!(it.ask(hanging), async {
                        turns().await;
                        s.shutdown(SECOND).await
                    });
                    assert!(report.is_clean());
                    asked
                })
            },
            "crashed shutdown",
            AtOnce,
        ),
        (
            "dropped by a living actor",
            |s| Box::pin(async move { it(&s).await.ask(holding(|_| Ok(()))).await }),
            "no reply",
            AtOnce,
        ),
        (
            "never answered in time",
            |s| Box::pin(async move { it(&s).await.ask_within(Duration::from_millis(100), hanging).await }),
            "timed out",
            After(100),
        ),
        (
            "never answered, and no deadline given",
            |s| Box::pin(async move { it(&s).await.ask(hanging).await }),
            "timed out",
            After(5000),
        ),
    ])
    .await;
}

/// As long as it takes, and the end of whoever was asked is told all the same.
///
/// OTP: GS-006.
#[tokio::test(start_paused = true)]
async fn without_a_limit_an_ask_waits_for_as_long_as_it_takes() {
    let system = system();
    let it = it(&system).await;
    let asking = aside({
        let it = it.clone();
        async move { it.ask_within(Duration::MAX, hanging).await }
    });
    pass(24 * 3600 * SECOND).await;
    assert!(!asking.is_finished());
    assert!(it.kill());
    assert_eq!(text(&soon(asking).await.expect("the client does not panic")), "crashed killed");
}

// --- not in hand ---------------------------------------------------------------------------------------------------

/// OTP: GS-007.
#[tokio::test(start_paused = true)]
async fn queued() {
    check(&[
        (
            "kept over the restart",
            |s| {
                Box::pin(async move {
                    let it = it(&s).await;
                    it.tell(crash()).expect("there is room");
                    it.ask(Msg::Life).await
                })
            },
            "answer 2",
            AtOnce,
        ),
        (
            "kept over two restarts",
            |s| {
                Box::pin(async move {
                    let it = it(&s).await;
                    it.tell(crash()).expect("there is room");
                    it.tell(crash()).expect("there is room");
                    it.ask(Msg::Life).await
                })
            },
            "answer 3",
            AtOnce,
        ),
        (
            "before the start",
            |s| {
                Box::pin(async move {
                    let (it, seat) = s.address();
                    let (asked, started) = tokio::join!(it.ask(Msg::Life), async {
                        turns().await;
                        s.start(seat, "it", quiet).await
                    });
                    started.expect("starts");
                    asked
                })
            },
            "answer 1",
            AtOnce,
        ),
        (
            "at a seat given up for a crash",
            |s| {
                Box::pin(async move {
                    let it = s.spawn(quiet).expect("open");
                    it.tell(crash()).expect("there is room");
                    it.ask(Msg::Life).await
                })
            },
            "stopped panic boom with the message",
            AtOnce,
        ),
        (
            "at a seat given up for an orderly end",
            |s| {
                Box::pin(async move {
                    let it = s.spawn(quiet).expect("open");
                    it.tell(end(ExitReason::Normal)).expect("there is room");
                    it.ask(Msg::Life).await
                })
            },
            "stopped normal with the message",
            AtOnce,
        ),
        (
            "at a seat given up before",
            |s| {
                Box::pin(async move {
                    let it = s.spawn(quiet).expect("open");
                    it.tell(crash()).expect("there is room");
                    soon(it.ended()).await;
                    it.ask(Msg::Life).await
                })
            },
            "stopped panic boom with the message",
            AtOnce,
        ),
        (
            "at a seat that nobody ever took",
            |s| {
                Box::pin(async move {
                    let (it, seat) = s.address();
                    let (asked, ()) = tokio::join!(it.ask(Msg::Life), async move {
                        turns().await;
                        drop(seat);
                    });
                    asked
                })
            },
            "stopped no such actor with the message",
            AtOnce,
        ),
        (
            "at a start that failed",
            |s| {
                Box::pin(async move {
                    let it = s.spawn(|| Err::<Puppet, _>(Plain("no"))).expect("open");
                    it.ask(Msg::Life).await
                })
            },
            "stopped error: no with the message",
            AtOnce,
        ),
        (
            "at a temporary child that crashed for good",
            |s| {
                Box::pin(async move {
                    let (it, seat) = s.address();
                    let child = actor_in("it", seat, quiet).restart(Restart::Temporary);
                    one_for_one().child(child).start(&s, "top").await.expect("starts");
                    it.tell(crash()).expect("there is room");
                    it.ask(Msg::Life).await
                })
            },
            "stopped panic boom with the message",
            AtOnce,
        ),
        (
            "at a seat that is held but never taken",
            |s| {
                Box::pin(async move {
                    let (it, _seat) = s.address();
                    it.ask_within(Duration::from_millis(250), Msg::Life).await
                })
            },
            "timed out",
            After(250),
        ),
        (
            "after the system has shut down",
            |s| {
                Box::pin(async move {
                    let (it, _seat) = s.address();
                    assert!(s.shutdown(SECOND).await.is_clean());
                    it.ask_within(Duration::from_millis(250), Msg::Life).await
                })
            },
            "timed out",
            After(250),
        ),
        (
            "while the system shuts down",
            |s| {
                Box::pin(async move {
                    let (it, _seat) = s.address();
                    let limit = Duration::from_millis(250);
                    tokio::join!(it.ask_within(limit, Msg::Life), s.shutdown(SECOND)).0
                })
            },
            "timed out",
            After(250),
        ),
    ])
    .await;
}

// --- room ----------------------------------------------------------------------------------------------------------

fn narrow(when_full: WhenFull) -> MailboxOptions {
    MailboxOptions::bounded(1, when_full)
}

#[tokio::test(start_paused = true)]
async fn without_room() {
    check(&[
        (
            "rejected",
            |s| {
                Box::pin(async move {
                    let (it, _seat) = s.address_with(narrow(WhenFull::Reject));
                    it.tell(Msg::Mark(1)).expect("there is room for one");
                    it.ask(Msg::Life).await
                })
            },
            "full",
            AtOnce,
        ),
        (
            "waited for, and there is room in time",
            |s| {
                Box::pin(async move {
                    let (it, seat) = s.address_with(narrow(WhenFull::Wait));
                    it.tell(Msg::Mark(1)).expect("there is room for one");
                    let (asked, started) = tokio::join!(it.ask(Msg::Life), async {
                        pass(SECOND).await;
                        s.start(seat, "it", quiet).await
                    });
                    started.expect("starts");
                    asked
                })
            },
            "answer 1",
            After(1000),
        ),
        (
            "waited for in vain: the question is not asked",
            |s| {
                Box::pin(async move {
                    let (it, seat) = s.address_with(narrow(WhenFull::Wait));
                    it.tell(Msg::Mark(1)).expect("there is room for one");
                    let (journal, mut reader) = journal();
                    let note = journal.clone();
                    let asked = it
                        .ask_within(Duration::from_millis(100), |_: Reply<u32>| {
                            act(move |_, _| {
                                note.note("asked all the same");
                                Ok(())
                            })
                        })
                        .await;
                    s.start(seat, "it", move || Puppet::new("it", &journal)).await.expect("starts");
                    turns().await;
                    assert_eq!(reader.rest(), ["it up", "it 1"]);
                    asked
                })
            },
            "timed out",
            After(100),
        ),
        (
            "waited for until the seat is given up",
            |s| {
                Box::pin(async move {
                    let (it, seat) = s.address_with(narrow(WhenFull::Wait));
                    it.tell(Msg::Mark(1)).expect("there is room for one");
                    let (asked, ()) = tokio::join!(it.ask(Msg::Life), async {
                        turns().await;
                        drop(seat);
                    });
                    asked
                })
            },
            "stopped no such actor with the message",
            AtOnce,
        ),
    ])
    .await;
}

// --- turning away --------------------------------------------------------------------------------------------------

/// OTP: GS-008.
#[tokio::test(start_paused = true)]
async fn work_that_nobody_waits_for_is_skipped_and_tells_are_not() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
    it.tell(wait(|_, context| {
        Box::pin(async move {
            context.sleep(SECOND).await;
            Ok(())
        })
    }))
    .expect("there is room");
    let question = |reply: Reply<u32>| {
        act(move |puppet, _| {
            puppet.note("answers");
            let _ = reply.send(1);
            Ok(())
        })
    };
    assert_eq!(text(&it.ask_within(Duration::from_millis(10), question).await), "timed out");
    it.tell(Msg::Mark(2)).expect("there is room");
    assert_eq!(text(&it.ask(question).await), "answer 1");
    assert_eq!(reader.rest(), ["it up", "it 2", "it answers"]);
}

/// OTP: GS-008.
#[tokio::test(start_paused = true)]
async fn a_reply_knows_that_its_asker_has_turned_away_and_gives_the_answer_back() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
    let question = |reply: Reply<u32>| {
        wait(|puppet, context| {
            Box::pin(async move {
                puppet.note(format!("abandoned: {}", reply.is_abandoned()));
                context.sleep(SECOND).await;
                puppet.note(format!("abandoned: {}", reply.is_abandoned()));
                puppet.note(format!("back: {:?}", reply.send(9)));
                Ok(())
            })
        })
    };
    assert_eq!(text(&it.ask_within(Duration::from_millis(10), question).await), "timed out");
    reader.expect(&["it up", "it abandoned: false", "it abandoned: true", "it back: Err(9)"]).await;
}
