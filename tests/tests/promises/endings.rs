//! Answers that come with an end that an actor has asked for itself: after its clean-up, whatever becomes of that, and
//! before anybody hears of the end.

use std::sync::mpsc;

use minder::prelude::*;

use crate::asks::text;
use crate::support::*;

type Question = fn(Reply<u32>) -> Msg;
type Shape = fn(Puppet) -> Puppet;

/// Ends, and answers then.
fn ending(reply: Reply<u32>) -> Msg {
    ending_and(reply, |_| Ok(()))
}

/// The same, and something else behind it.
fn ending_and(reply: Reply<u32>, then: fn(&mut Context<Msg>) -> Handled) -> Msg {
    act(move |_, context| {
        context.stop_then_reply(ExitReason::Normal, reply, 7);
        then(context)
    })
}

/// The reply that it has kept.
fn kept(puppet: &mut Puppet) -> Reply<u32> {
    let kept = puppet.kept.pop().and_then(|kept| kept.downcast().ok());
    *kept.expect("it was kept")
}

/// Cleans up for ever.
fn never_done(puppet: Puppet) -> Puppet {
    puppet.cleaning_up_by(|_, _| Box::pin(std::future::pending()))
}

fn panicking(puppet: Puppet) -> Puppet {
    puppet.cleaning_up_by(|_, _| Box::pin(async { panic!("boom") }))
}

/// Cleans up until it is killed.
fn killed(puppet: Puppet) -> Puppet {
    puppet.cleaning_up_by(|_, context| {
        context.address().kill();
        Box::pin(std::future::pending())
    })
}

/// The answer says that nothing of the actor is left; and whoever watches it by whatever means hears of the end after that.
/// OTP: GS-016.
#[tokio::test(start_paused = true)]
async fn an_answer_with_the_end_comes_when_all_is_cleaned_up_and_before_the_news_of_it() {
    let system = system();
    let (journal, mut reader) = journal();
    let notes = journal.clone();
    let it = move || {
        Puppet::new("it", &notes).telling_drop().cleaning_up_by(|it, _| {
            Box::pin(async move {
                turns().await;
                it.note("cleaned up");
                Ok(())
            })
        })
    };
    let it = system.spawn(it).expect("open");
    let [linked, watcher, last] = ["linked", "watcher", "last"].map(|name| {
        let journal = journal.clone();
        system.spawn(move || Puppet::new(name, &journal).trapping()).expect("open")
    });
    for (actor, how) in [(&linked, 0), (&watcher, 1), (&last, 2)] {
        let it = it.clone();
        within(actor, move |context| match how {
            0 => context.link(&it).expect("it lives"),
            1 => drop(context.monitor(&it)),
            _ => drop(context.monitor_final(&it)),
        })
        .await;
    }
    let (release, held) = mpsc::channel::<()>();
    let (begins, closing) = (journal.clone(), Witness(journal.clone(), "closure gone"));
    within(&it, |context| {
        let work = move || {
            let _closing = closing;
            begins.note("closing");
            let _ = held.recv();
        };
        context.run_blocking("closing", work, |_| Msg::Mark(1));
    })
    .await;
    reader.until("closing").await; // or it would never run
    let client = aside(async move { journal.note(text(&it.ask(ending).await)) });
    turns().await;
    turns().await;
    assert_eq!(reader.rest(), ["it stopping normal", "it cleaned up", "it dropped"]);
    drop(release);
    reader.expect(&["closure gone", "answer 7", "last down normal", "linked exit normal"]).await;
    reader.expect(&["watcher down normal"]).await;
    soon(client).await.expect("it is told");
}

/// What the asker gets, and what the minder hears.
/// OTP: GS-016.
#[tokio::test(start_paused = true)]
async fn whatever_becomes_of_the_clean_up() {
    let as_it_is: Shape = |puppet| puppet;
    let rows: [(&str, Shape, Question, &str); 14] = [
        ("it returns", as_it_is, ending, "answer 7, normal"),
        ("it panics", panicking, ending, "answer 7, panic boom"),
        ("it is killed", killed, ending, "crashed killed, killed"),
        (
            "it comes to its limit",
            never_done,
            ending,
            "crashed hung in promises::support::Msg, hung in promises::support::Msg",
        ),
        (
            "a kill comes before it",
            as_it_is,
            |reply| {
                ending_and(reply, |context| {
                    context.address().kill();
                    Ok(())
                })
            },
            "crashed killed, killed",
        ),
        (
            "a kill comes before it and after an error",
            as_it_is,
            |reply| {
                ending_and(reply, |context| {
                    context.address().kill();
                    Err(ExitReason::other("error"))
                })
            },
            "crashed killed, killed",
        ),
        (
            "an exit signal comes before it",
            as_it_is,
            |reply| {
                ending_and(reply, |context| {
                    context.exit(&context.address(), ExitReason::other("signal"));
                    Ok(())
                })
            },
            "crashed signal, signal",
        ),
        (
            "a panic comes before it",
            as_it_is,
            |reply| ending_and(reply, |_| panic!("boom")),
            "crashed panic boom, panic boom",
        ),
        (
            "an error comes before it",
            as_it_is,
            |reply| ending_and(reply, |_| Err(ExitReason::other("error"))),
            "answer 7, error",
        ),
        (
            "the end was asked for before",
            as_it_is,
            |reply| {
                act(|_, context| {
                    context.stop(ExitReason::other("first"));
                    context.stop_then_reply(ExitReason::other("second"), reply, 7);
                    Ok(())
                })
            },
            "answer 7, first",
        ),
        (
            "the answer was given before",
            killed,
            |reply| {
                act(|_, context| {
                    let _ = reply.send(1);
                    context.stop(ExitReason::Normal);
                    Ok(())
                })
            },
            "answer 1, killed",
        ),
        (
            "it says so itself",
            |puppet| {
                puppet.cleaning_up_by(|puppet, context| {
                    Box::pin(async {
                        context.stop_then_reply(ExitReason::other("too late"), kept(puppet), 7);
                        panic!("boom");
                    })
                })
            },
            |reply| {
                act(|puppet, context| {
                    puppet.kept.push(Box::new(reply));
                    context.stop(ExitReason::Normal);
                    Ok(())
                })
            },
            "answer 7, panic boom",
        ),
        (
            "the answer is another message's",
            as_it_is,
            |reply| {
                act(|puppet, context| {
                    puppet.kept.push(Box::new(reply));
                    context.tell_self(act(|puppet, context| {
                        context.stop_then_reply(ExitReason::Normal, kept(puppet), 7);
                        Ok(())
                    }));
                    Ok(())
                })
            },
            "answer 7, normal",
        ),
        (
            "it is not to run",
            |puppet| {
                puppet.on_start(|_, context| {
                    context.stop(ExitReason::other("at the start"));
                    Ok(())
                })
            },
            ending,
            "stopped at the start with the message, at the start",
        ),
    ];
    for (case, shape, question, expected) in rows {
        let system = system();
        let (it, seat) = system.address();
        let child = actor_in("it", seat, move || shape(Puppet::new("it", &journal().0)));
        let tree = one_for_one().child(child.restart(Restart::Temporary).handler_limit(SECOND));
        let (outcome, reason, started) =
            soon(async { tokio::join!(it.ask(question), it.ended(), tree.start(&system, "top")) }).await;
        assert!(started.is_ok(), "{case}");
        assert_eq!(format!("{}, {}", text(&outcome), short(&reason)), expected, "{case}");
        let statistics = it.statistics();
        assert_eq!((statistics.accepted, statistics.queued, statistics.in_hand), (1, 0, 0), "{case}");
    }
}

/// A minder's stop that comes in between takes nothing of it.
#[tokio::test(start_paused = true)]
async fn a_minders_stop_in_between_leaves_the_answer() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = system.spawn(move || Puppet::new("it", &journal).trapping()).expect("open");
    let question = |reply| {
        wait(|_, context| {
            Box::pin(async {
                context.stop_then_reply(ExitReason::Normal, reply, 7);
                context.sleep(SECOND).await;
                Ok(())
            })
        })
    };
    let (outcome, report) = tokio::join!(it.ask(question), async {
        pass(SECOND / 2).await;
        system.shutdown(10 * SECOND).await
    });
    assert_eq!(text(&outcome), "answer 7");
    assert!(report.is_clean());
    assert_eq!(reader.rest(), ["it up", "it stopping shutdown"]);
}

/// Whose drop panics.
#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("bomb");
    }
}

/// An answer that is not given is dropped by whoever was to give it, with all that follows.
#[tokio::test(start_paused = true)]
async fn an_answer_that_reaches_nobody() {
    let question = |reply| {
        act(|_, context| {
            context.stop_then_reply(ExitReason::Normal, reply, Bomb);
            Ok(())
        })
    };
    let slowly: Shape = |puppet| puppet.cleaning_up_for(2 * SECOND);
    for (shape, expected) in [(killed as Shape, "killed"), (slowly, "normal")] {
        let system = system();
        let (notes, mut reader) = journal();
        let telling = move |_: &mut Puppet, context: &mut Context<Msg>| {
            let notes = notes.clone();
            context.at_end(move |reason| notes.note(reason.is_abnormal().to_string()));
            Ok(())
        };
        let it = move || shape(Puppet::new("it", &journal().0).on_start(telling));
        let it = system.spawn(it).expect("open");
        // Killed, or its asker has gone.
        let outcome = it.ask_within(SECOND, question).await;
        assert!(matches!(outcome, Err(AskError::Crashed(_) | AskError::TimedOut)), "{outcome:?}");
        let ExitReason::Panic(report) = soon(it.ended()).await else { panic!("the bomb is seen") };
        assert_eq!(report.text, format!("panicked while being dropped after: {expected}"));
        let dropping = report.while_dropping.as_deref().expect("it says what panicked");
        assert!(dropping.contains("bomb"), "{dropping}");
        reader.expect(&["true"]).await; // as its minder sees it
    }
}

/// Asks this back, and notes what comes of it.
fn asking_back(puppet: Puppet, asker: &Addr<Msg>) -> Puppet {
    let asker = asker.clone();
    puppet.cleaning_up_by(move |it, _| {
        Box::pin(async move {
            let outcome = asker.ask(Msg::Life).await;
            it.note(text(&outcome));
            Ok(())
        })
    })
}

/// Also if it was not known any more who holds the reply: something was given away before the answer.
#[tokio::test(start_paused = true)]
async fn a_clean_up_that_asks_the_asker_back_is_told_of_the_cycle() {
    let given_away: Question = |reply| {
        wait(|_, context| {
            Box::pin(async {
                context.tell_self(act(|_, _| Ok(())));
                context.sleep(SECOND / 10).await;
                context.stop_then_reply(ExitReason::Normal, reply, 7);
                Ok(())
            })
        })
    };
    for question in [ending, given_away] {
        let system = system();
        let (journal, mut reader) = journal();
        let (asker, notes) = (named(&system, "asker").await, journal.clone());
        let back = asker.clone();
        let it = move || asking_back(Puppet::new("it", &notes), &back);
        let (address, seat) = system.address();
        system.start(seat, "it", it).await.expect("it starts");
        let (began, asked) = (system.now(), address.clone());
        let asking = wait(move |_, _| {
            Box::pin(async move {
                journal.note(text(&asked.ask(question).await));
                Ok(())
            })
        });
        asker.tell(asking).expect("there is room");
        reader
            .expect(&["it up", "it stopping normal", "it would deadlock: it -> asker -> it", "answer 7"])
            .await;
        assert!(system.now().since(began) < SECOND, "nobody waits for a deadline");
        assert_eq!(life(&asker).await, 1, "and it goes on");
    }
}
