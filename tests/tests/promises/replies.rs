//! The reply as a value: kept, dropped, forwarded, taken along. The asker gets the fate of whoever holds it, and gets
//! it at once.

use std::time::Duration;

use minder::prelude::*;

use crate::asks::*;
use crate::support::*;

fn keeping(reply: Reply<u32>) -> Msg {
    act(move |puppet, _| {
        puppet.kept.push(Box::new(reply));
        Ok(())
    })
}

/// Hands the question on to somebody, who does this with it.
fn forwarding<F>(to: &Addr<Msg>, then: F) -> impl FnOnce(Reply<u32>) -> Msg + use<F>
where
    F: FnOnce(Reply<u32>) -> Msg + Send + 'static,
{
    let to = to.clone();
    |reply| {
        act(move |_, _| {
            to.tell(then(reply)).expect("there is room");
            Ok(())
        })
    }
}

fn answering(reply: Reply<u32>) -> Msg {
    act(move |_, _| {
        let _ = reply.send(7);
        Ok(())
    })
}

/// The reply was dropped long before the crash of another actor that ran next on the same thread: that crash was
/// taken for the asked one's.
#[tokio::test(start_paused = true)]
async fn a_reply_dropped_before_an_await_is_told_at_once_and_by_its_own_dropper() {
    let system = system();
    let (it, other) = (it(&system).await, system.spawn(quiet).expect("open"));
    let began = system.now();
    let asked = it.ask(|reply: Reply<u32>| {
        wait(|_, context| {
            Box::pin(async move {
                drop(reply);
                other.tell(crash()).expect("there is room");
                context.sleep(SECOND).await;
                Ok(())
            })
        })
    });
    assert_eq!(text(&asked.await), "no reply");
    assert_eq!(system.now(), began);
}

/// OTP: GS-010.
#[tokio::test(start_paused = true)]
async fn the_reply_kept() {
    check(&[
        (
            "in the state of one that crashes",
            |s| {
                Box::pin(async move {
                    let it = it(&s).await;
                    let (asked, ()) = tokio::join!(it.ask(keeping), async {
                        turns().await;
                        it.tell(crash()).expect("there is room");
                    });
                    asked
                })
            },
            "crashed panic boom",
            AtOnce,
        ),
        (
            "in the state of one that ends in order",
            |s| {
                Box::pin(async move {
                    let it = s.spawn(quiet).expect("open");
                    let (asked, ()) = tokio::join!(it.ask(keeping), async {
                        turns().await;
                        it.tell(end(ExitReason::Normal)).expect("there is room");
                    });
                    asked
                })
            },
            "crashed normal",
            AtOnce,
        ),
        (
            "in a timer of one that crashes",
            |s| {
                Box::pin(async move {
                    it(&s)
                        .await
                        .ask(|reply: Reply<u32>| {
                            act(move |_, context| {
                                context.send_after(SECOND, answering(reply));
                                panic!("boom")
                            })
                        })
                        .await
                })
            },
            "crashed panic boom",
            AtOnce,
        ),
        (
            "in a message of one to itself that then crashes",
            |s| {
                Box::pin(async move {
                    it(&s)
                        .await
                        .ask(|reply: Reply<u32>| {
                            act(move |_, context| {
                                context.tell_self(answering(reply));
                                panic!("boom")
                            })
                        })
                        .await
                })
            },
            "crashed panic boom",
            AtOnce,
        ),
        (
            "by a blocking closure that drops it",
            |s| {
                Box::pin(async move {
                    it(&s)
                        .await
                        .ask(|reply: Reply<u32>| {
                            wait(|_, context| {
                                Box::pin(async move {
                                    context.blocking(move || drop(reply)).await;
                                    std::future::pending().await
                                })
                            })
                        })
                        .await
                })
            },
            "no reply",
            AtOnce,
        ),
        (
            "by a blocking closure that panics",
            |s| {
                Box::pin(async move {
                    it(&s)
                        .await
                        .ask(|reply: Reply<u32>| {
                            wait(|_, context| {
                                Box::pin(async move {
                                    let work = move || {
                                        let _in_hand = reply;
                                        panic!("below")
                                    };
                                    context.blocking(work).await
                                })
                            })
                        })
                        .await
                })
            },
            "crashed panic below",
            AtOnce,
        ),
        (
            "by a client that is no actor and drops it",
            |s| {
                Box::pin(async move {
                    it(&s)
                        .await
                        .ask(|reply: Reply<u32>| {
                            act(move |_, _| {
                                aside(async move { drop(reply) });
                                Ok(())
                            })
                        })
                        .await
                })
            },
            "no reply",
            AtOnce,
        ),
    ])
    .await;
}

/// OTP: GS-010.
#[tokio::test(start_paused = true)]
async fn the_reply_forwarded() {
    check(&[
        (
            "and answered",
            |s| {
                Box::pin(async move {
                    let (it, other) = (it(&s).await, s.spawn(quiet).expect("open"));
                    it.ask(forwarding(&other, answering)).await
                })
            },
            "answer 7",
            AtOnce,
        ),
        (
            "and answered after the forwarder has crashed",
            |s| {
                Box::pin(async move {
                    let (it, other) = (it(&s).await, s.spawn(quiet).expect("open"));
                    it.ask(|reply| {
                        act(move |_, _| {
                            other.tell(answering(reply)).expect("there is room");
                            panic!("boom")
                        })
                    })
                    .await
                })
            },
            "answer 7",
            AtOnce,
        ),
        (
            "to one that crashes with it in hand",
            |s| {
                Box::pin(async move {
                    let (it, other) = (it(&s).await, s.spawn(quiet).expect("open"));
                    it.ask(forwarding(&other, holding(|_| panic!("other")))).await
                })
            },
            "crashed panic other",
            AtOnce,
        ),
        (
            "to one that drops it",
            |s| {
                Box::pin(async move {
                    let (it, other) = (it(&s).await, s.spawn(quiet).expect("open"));
                    it.ask(forwarding(&other, holding(|_| Ok(())))).await
                })
            },
            "no reply",
            AtOnce,
        ),
        (
            "to one whose seat is given up before it gets to it",
            |s| {
                Box::pin(async move {
                    let (it, other) = (it(&s).await, s.spawn(quiet).expect("open"));
                    it.ask(|reply| {
                        act(move |_, _| {
                            other.tell(crash()).expect("there is room");
                            other.tell(answering(reply)).expect("there is room");
                            Ok(())
                        })
                    })
                    .await
                })
            },
            "stopped panic boom",
            AtOnce,
        ),
        (
            "to one that crashes before it gets to it and lives on",
            |s| {
                Box::pin(async move {
                    let it = it(&s).await;
                    let (other, seat) = s.address();
                    let tree = one_for_one().child(actor_in("other", seat, quiet));
                    tree.start(&s, "others").await.expect("starts");
                    other.tell(crash()).expect("there is room");
                    it.ask(forwarding(&other, answering)).await
                })
            },
            "answer 7",
            AtOnce,
        ),
    ])
    .await;
}

/// A reply inside a skipped question was told only when the skipping actor had handled its next message, and then with
/// that message's fate.
#[tokio::test(start_paused = true)]
async fn a_reply_inside_skipped_work_is_told_at_once() {
    let system = system();
    let it = it(&system).await;
    let (hold, held) = tokio::sync::oneshot::channel::<()>();
    it.tell(wait(|_, _| {
        Box::pin(async move {
            drop(held.await);
            Ok(())
        })
    }))
    .expect("there is room");
    let inner = async {
        let (tell, told) = tokio::sync::oneshot::channel();
        let kept = system.spawn(quiet).expect("open");
        let asked = aside(async move {
            kept.ask(|reply: Reply<u32>| {
                drop(tell.send(reply));
                Msg::Mark(0)
            })
            .await
        });
        (told.await.expect("it is sent at once"), asked)
    };
    let (reply, asked) = inner.await;
    let mut question = Box::pin(it.ask(|outer: Reply<u32>| {
        act(move |_, _| {
            drop((outer, reply));
            Ok(())
        })
    }));
    assert!(tokio::time::timeout(Duration::from_millis(1), question.as_mut()).await.is_err());
    drop(question);
    let began = system.now();
    drop(hold);
    let outcome = asked.await.expect("the client does not panic");
    assert_eq!(text(&outcome), "no reply");
    assert_eq!(system.now(), began);
}

#[tokio::test(start_paused = true)]
async fn a_reply_dropped_in_the_start_has_the_fate_of_the_start() {
    for (ending, expected) in [(None, "no reply"), (Some("no"), "crashed error: no")] {
        let system = system();
        let holder = system.spawn(quiet).expect("open");
        let (tell, told) = tokio::sync::oneshot::channel();
        let asked = aside(async move {
            holder
                .ask(|reply: Reply<u32>| {
                    drop(tell.send(reply));
                    Msg::Mark(0)
                })
                .await
        });
        let reply = std::sync::Mutex::new(Some(told.await.expect("it is sent at once")));
        let began = system.now();
        let starting = quiet().on_start(move |_, _| {
            drop(reply.lock().expect("not poisoned").take());
            match ending {
                None => Ok(()),
                Some(error) => Err(Plain(error).into()),
            }
        });
        let _started = system.spawn(|| starting).expect("open");
        assert_eq!(text(&asked.await.expect("the client does not panic")), expected);
        assert_eq!(system.now(), began);
    }
}

#[tokio::test(start_paused = true)]
async fn a_recipient_can_be_asked_whatever_else_its_actor_takes() {
    struct Sum(u32, u32, Reply<u32>);

    impl From<Sum> for Msg {
        fn from(Sum(one, other, reply): Sum) -> Self {
            act(move |_, _| {
                let _ = reply.send(one + other);
                Ok(())
            })
        }
    }

    let system = system();
    let it = it(&system).await;
    let sums: minder::Recipient<Sum> = it.recipient();
    assert_eq!(sums.ask(|reply| Sum(2, 3, reply)).await, Ok(5));
    // It is told what became of the question like anybody who asks.
    let (hold, held) = tokio::sync::oneshot::channel::<()>();
    it.tell(wait(|_, _| {
        Box::pin(async move {
            drop(held.await);
            Ok(())
        })
    }))
    .expect("there is room");
    let late = sums.ask_within(SECOND, |reply| Sum(1, 1, reply)).await;
    assert_eq!(late, Err(AskError::TimedOut));
    drop(hold);
    turns().await;
    assert_eq!(it.statistics().expired, 1);
    let (it, seat) = system.address_with(minder::MailboxOptions::bounded(1, minder::WhenFull::Wait));
    let sums: minder::Recipient<Sum> = it.recipient();
    it.tell(Msg::Mark(1)).expect("there is room for one");
    let (asked, ()) = tokio::join!(sums.ask(|reply| Sum(1, 1, reply)), async {
        turns().await;
        system.start(seat, "it", quiet).await.expect("starts");
    });
    assert_eq!(asked, Ok(2));
    it.tell(crash()).expect("there is room");
    let gone = soon(sums.ask(|reply| Sum(1, 1, reply))).await;
    assert!(matches!(gone, Err(AskError::Stopped(..))), "{gone:?}");
}
