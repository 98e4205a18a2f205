//! Delegates answer on their own time, and whoever asked hears of every end of theirs.

use std::time::Duration;

use minder::prelude::*;

use crate::asks::{Outcome, text};
use crate::support::*;

/// Has this answer.
fn delegating<F>(answer: F) -> impl FnOnce(Reply<u32>) -> Msg
where
    F: Future<Output = u32> + Send + 'static,
{
    move |reply| {
        act(move |_, context| {
            context.delegate(reply, answer);
            Ok(())
        })
    }
}

/// Asks this, and answers with what it gets, or with 0.
async fn asking(to: Addr<Msg>, journal: Journal, question: impl FnOnce(Reply<u32>) -> Msg) -> u32 {
    let asked = to.ask(question).await;
    journal.note(text(&asked));
    asked.unwrap_or(0)
}

/// OTP: GS-010.
#[tokio::test(start_paused = true)]
async fn the_delegator_goes_on_while_its_delegates_answer() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = named_with(&system, "it", &journal, Default::default()).await;
    let slowly = |seconds| async move {
        pass(seconds * SECOND).await;
        seconds
    };
    let began = system.now();
    let (three, two, mark) =
        tokio::join!(it.ask(delegating(slowly(3))), it.ask(delegating(slowly(2))), async {
            it.ask(Msg::Life).await
        });
    assert_eq!(
        (text(&three), text(&two), text(&mark)),
        ("answer 3".into(), "answer 2".into(), "answer 1".into())
    );
    assert_eq!(system.now().since(began).as_secs(), 3);
    // It hears nothing of them, and nothing is left of them.
    turns().await;
    assert_eq!(reader.rest(), ["it up"]);
    assert_eq!(system.living(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_asked_hears_of_every_end() {
    type Row = (&'static str, fn(&Addr<Msg>), &'static str);
    let rows: [Row; 4] = [
        (
            "it is stopped",
            |it| it.tell(end(ExitReason::Shutdown)).expect("there is room"),
            "crashed shutdown",
        ),
        ("it crashes", |it| it.tell(crash()).expect("there is room"), "crashed panic boom"),
        ("it is killed", |it| assert!(it.kill()), "crashed killed"),
        ("nothing happens to it", |_| {}, "timed out"),
    ];
    for (case, deed, expected) in rows {
        let system = system();
        let it = named(&system, "it").await;
        let began = system.now();
        let (asked, ()) = tokio::join!(it.ask(delegating(std::future::pending())), async {
            turns().await;
            deed(&it);
        });
        assert_eq!(text(&asked), expected, "{case}");
        let is_late = system.now().since(began) > Duration::ZERO;
        assert_eq!(is_late, expected == "timed out", "{case}");
        // The delegate has ended with its delegator, or with the deadline.
        pass(SECOND).await;
        assert_eq!(system.living(), usize::from(it.is_alive()), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_delegate_is_the_askers_to_hear_and_no_crash_of_the_delegator() {
    let system = system();
    let it = named(&system, "it").await;
    let asked: Outcome = it.ask(delegating(async { panic!("below") })).await;
    assert_eq!(text(&asked), "crashed panic below");
    assert_eq!(text(&it.ask(Msg::Life).await), "answer 1");
}

#[tokio::test(start_paused = true)]
async fn a_delegate_inherits_the_deadline_of_the_ask_and_of_nothing_else() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = named(&system, "it").await;
    let (other, _seat) = system.address();
    let began = system.now();
    let first = asking(other.clone(), journal.clone(), Msg::Life);
    let answer = async {
        first.await;
        std::future::pending().await
    };
    let asked: Outcome = it.ask_within(SECOND, delegating(answer)).await;
    assert_eq!(text(&asked), "timed out");
    reader.expect(&["timed out"]).await;
    assert_eq!(system.now().since(began).as_secs(), 1);
    // And so has the delegate.
    pass(SECOND / 10).await;
    assert_eq!(system.living(), 1);

    // Told, or without it: the ask has its own five seconds.
    let answer = asking(other, journal, Msg::Life);
    it.tell(delegating(answer)(Reply::nobody())).expect("there is room");
    pass(4 * SECOND).await;
    assert_eq!(reader.rest(), Vec::<String>::new());
    reader.expect(&["timed out"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delegator_waits_for_nobody_and_a_delegate_does() {
    let system = system();
    let (journal, mut reader) = journal();
    let (a, b) = (named(&system, "a").await, named(&system, "b").await);
    // `b` asks `a` back, which is free since it has delegated.
    let (to_b, to_a, note) = (b.clone(), a.clone(), journal.clone());
    let back = move |reply: Reply<u32>| {
        wait(move |_, _| {
            Box::pin(async move {
                let _ = reply.send(asking(to_a, note, Msg::Life).await);
                Ok(())
            })
        })
    };
    let began = system.now();
    assert_eq!(text(&a.ask(delegating(asking(to_b, journal.clone(), back))).await), "answer 1");
    reader.expect(&["answer 1", "answer 1"]).await;
    // `b` waits for what a delegate of `a` will answer, which asks `b`.
    let (to_b, to_a) = (b.clone(), a.clone());
    let outer = move |reply: Reply<u32>| {
        wait(move |_, _| {
            Box::pin(async move {
                let got = asking(to_a, journal.clone(), delegating(asking(to_b, journal, Msg::Life))).await;
                let _ = reply.send(got);
                Ok(())
            })
        })
    };
    assert_eq!(text(&b.ask(outer).await), "answer 0");
    let found = reader.next().await;
    assert!(found.starts_with("would deadlock: a/#") && found.contains(" -> b -> a/#"), "{found}");
    assert_eq!(system.now(), began);
}

// --- with the macro ------------------------------------------------------------------------------------------------

struct Rates;

#[actor]
impl Rates {
    async fn of(&mut self, currency: u64, context: &mut Context<RatesMsg>) -> Result<u64, Plain> {
        context.sleep(SECOND).await;
        if currency == 0 { Err(Plain("no such currency")) } else { Ok(currency * 2) }
    }
}

struct Quotes(Addr<RatesMsg>);

#[actor]
impl Quotes {
    /// Answered by a delegate.
    fn quote(
        &mut self,
        currency: u64,
        reply: Reply<Result<u64, CallError<RatesMsg, Plain>>>,
        context: &mut Context<QuotesMsg>,
    ) {
        let rates = self.0.clone();
        context.delegate(reply, async move { rates.of(currency).await });
    }

    fn is_there(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_reads_well_that_delegates() {
    let system = system();
    let rates = system.spawn(|| Rates).expect("open");
    let quotes = system.spawn(move || Quotes(rates)).expect("open");
    let began = system.now();
    let (quote, is_there) = tokio::join!(quotes.quote(21), async {
        let is_there = quotes.is_there().await;
        (is_there, system.now())
    });
    assert_eq!(quote.expect("it is answered").expect("there is one"), 42);
    assert_eq!((is_there.0.expect("it is answered"), is_there.1), (true, began));
    let failed = quotes.quote(0).await.expect("it is answered");
    assert!(matches!(failed, Err(CallError::Failed(Plain("no such currency")))), "{failed:?}");
}
