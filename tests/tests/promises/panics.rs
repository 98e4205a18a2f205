//! Panics of user code, wherever it runs: each becomes the reason of its actor's end, with text and place, and harms
//! nobody else.

use std::panic::{panic_any, resume_unwind};
use std::sync::Arc;

use minder::prelude::*;
use minder::{Event, Observer, PanicReport};

use crate::support::*;

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

/// Panics when it is dropped, with another such payload, this many times.
struct Russian(u32);

impl Drop for Russian {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Self(self.0 - 1));
        }
    }
}

fn report(reason: &ExitReason) -> &PanicReport {
    match reason {
        ExitReason::Panic(report) => report,
        other => panic!("a panic is the reason, not {other}"),
    }
}

/// (what, text, what was added while it was cleared away)
type Row = (&'static str, fn() -> Msg, &'static str, Option<&'static str>);

/// OTP: SIG-015.
#[tokio::test(start_paused = true)]
async fn in_a_message() {
    let rows: &[Row] = &[
        ("text", || act(|_, _| panic!("boom")), "boom", None),
        ("made text", || act(|_, _| panic!("boom {}", 1 + 1)), "boom 2", None),
        ("no text", || act(|_, _| panic_any(7_u32)), "a panic whose payload is no text", None),
        (
            "after an await",
            || {
                wait(|_, context| {
                    Box::pin(async move {
                        context.sleep(SECOND).await;
                        panic!("later")
                    })
                })
            },
            "later",
            None,
        ),
        (
            "in a blocking closure",
            || wait(|_, context| Box::pin(async move { context.blocking(|| panic!("below")).await })),
            "below",
            None,
        ),
        (
            "index",
            || {
                act(|_, _| {
                    let none: Vec<u32> = Vec::new();
                    let index = none.len();
                    std::hint::black_box(none[index]);
                    Ok(())
                })
            },
            "index out of bounds: the len is 0 but the index is 0",
            None,
        ),
        (
            "a message that panics when it is dropped unhandled",
            || {
                let bomb = Bomb("dropped");
                act(move |_, _| {
                    let _in_hand = bomb;
                    Ok(())
                })
            },
            "dropped",
            None,
        ),
        (
            "state that panics when it is dropped",
            || {
                act(|puppet, _| {
                    puppet.kept.push(Box::new(Bomb("state")));
                    panic!("boom")
                })
            },
            "boom",
            Some("state at "),
        ),
        (
            "state that panics when it is dropped after an orderly end",
            || {
                act(|puppet, context| {
                    puppet.kept.push(Box::new(Bomb("state")));
                    context.stop(ExitReason::Normal);
                    Ok(())
                })
            },
            "panicked while being dropped after: normal",
            Some("state at "),
        ),
        (
            "a handler that panics when it is killed",
            || {
                wait(|_, context| {
                    Box::pin(async move {
                        let _bomb = Bomb("handler");
                        assert!(context.address().kill());
                        std::future::pending().await
                    })
                })
            },
            "panicked while being dropped after: killed",
            Some("handler at "),
        ),
        (
            "timers whose messages panic when they are dropped",
            || {
                act(|_, context| {
                    for _ in 0..3 {
                        let bomb = Bomb("timer");
                        context.send_after(
                            SECOND,
                            act(move |_, _| {
                                drop(bomb);
                                Ok(())
                            }),
                        );
                    }
                    panic!("boom")
                })
            },
            "boom",
            Some("timer at "),
        ),
        (
            "a payload that panics when it is dropped",
            || act(|_, _| panic_any(Bomb("payload"))),
            NO_TEXT,
            Some("payload"),
        ),
        (
            "a payload whose own panic's payload panics",
            || act(|_, _| panic_any(Russian(2))),
            NO_TEXT,
            Some(NO_TEXT),
        ),
        ("payloads without end", || act(|_, _| panic_any(Russian(1_000_000))), NO_TEXT, Some(NO_TEXT)),
        ("raised without the hook", || act(|_, _| resume_unwind(Box::new("quietly"))), "quietly", None),
    ];
    for (case, message, text, added) in rows {
        let system = system();
        let it = minded(&system, || Puppet::new("it", &journal().0)).await;
        let bystander = system.spawn(|| Puppet::new("bystander", &journal().0)).expect("open");
        let (journal, mut reader) = journal();
        let watcher = Watcher::spawn(&system, journal);
        watcher.tell(it.clone()).expect("there is room");
        turns().await;
        it.tell(message()).expect("there is room");
        let reason = watcher_reason(&watcher).await;
        let report = report(&reason);
        assert_eq!(report.text, *text, "{case}");
        let place = report.location.as_deref();
        if *case == "raised without the hook" || report.text.starts_with("panicked while") {
            assert_eq!(place, None, "{case}");
        } else {
            assert!(place.is_some_and(|place| place.contains("panics.rs:")), "{case}: {place:?}");
        }
        match (added, report.while_dropping.as_deref()) {
            (None, None) => {}
            (Some(added), Some(text)) if text.contains(added) => {}
            (expected, found) => panic!("{case}: while dropping {expected:?} expected, {found:?} found"),
        }
        assert_eq!(life(&it).await, 2, "{case}: it is restarted");
        assert_eq!(life(&bystander).await, 1, "{case}: nobody else is harmed");
        assert!(reader.rest().is_empty());
    }
}

const NO_TEXT: &str = "a panic whose payload is no text";

/// Tells the reason for which the actors it watches ended.
struct Watcher {
    reason: Option<ExitReason>,
    asked: Option<Reply<ExitReason>>,
}

enum Watch {
    This(Addr<Msg>),
    Tell(Reply<ExitReason>),
}

impl From<Addr<Msg>> for Watch {
    fn from(address: Addr<Msg>) -> Self {
        Self::This(address)
    }
}

impl Watcher {
    fn spawn(system: &System, _: Journal) -> Addr<Watch> {
        system.spawn(|| Self { reason: None, asked: None }).expect("open")
    }
}

impl Actor for Watcher {
    type Msg = Watch;

    async fn handle(&mut self, message: Watch, context: &mut Context<Watch>) -> Handled {
        match message {
            Watch::This(other) => drop(context.monitor(&other)),
            Watch::Tell(reply) => match &self.reason {
                Some(reason) => drop(reply.send(reason.clone())),
                None => self.asked = Some(reply),
            },
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<Watch>) -> Handled {
        if let Notice::Down(down) = notice {
            if let Some(reply) = self.asked.take() {
                drop(reply.send(down.reason.clone()));
            }
            self.reason = Some(down.reason);
        }
        Ok(())
    }
}

async fn watcher_reason(watcher: &Addr<Watch>) -> ExitReason {
    watcher.ask(Watch::Tell).await.expect("the watched ends")
}

/// A report of one actor's panic must not carry the place of one that another had caught itself.
#[tokio::test(start_paused = true)]
async fn a_panic_that_the_actor_caught_itself_leaves_no_trace() {
    let system = system();
    let it = system.spawn(|| Puppet::new("it", &journal().0)).expect("open");
    it.tell(act(|_, _| {
        let caught = std::panic::catch_unwind(|| panic!("caught"));
        assert!(caught.is_err());
        Ok(())
    }))
    .expect("there is room");
    assert_eq!(life(&it).await, 1);
    let other = system.spawn(|| Puppet::new("other", &journal().0)).expect("open");
    other.tell(act(|_, _| resume_unwind(Box::new("quietly")))).expect("there is room");
    let reason = soon(other.ended()).await;
    assert_eq!((report(&reason).text.as_str(), &report(&reason).location), ("quietly", &None));
}

/// Where else user code runs.
struct Fragile(&'static str);

impl Actor for Fragile {
    type Msg = Addr<Msg>;

    async fn started(&mut self, context: &mut Context<Addr<Msg>>) -> Handled {
        context.trap_exit(true);
        assert_ne!(self.0, "started");
        Ok(())
    }

    async fn handle(&mut self, other: Addr<Msg>, context: &mut Context<Addr<Msg>>) -> Handled {
        context.monitor(&other);
        Ok(())
    }

    async fn notice(&mut self, _: Notice, _: &mut Context<Addr<Msg>>) -> Handled {
        panic!("notice")
    }

    fn stop_requested(&mut self, _: &ExitReason, _: &mut Context<Addr<Msg>>) -> minder::Winding {
        assert_ne!(self.0, "stop_requested");
        minder::Winding::Done
    }

    async fn stopping(&mut self, _: &ExitReason, _: &mut Context<Addr<Msg>>) {
        assert_ne!(self.0, "stopping");
    }
}

/// OTP: GS-023.
#[tokio::test(start_paused = true)]
async fn in_every_other_method() {
    for place in ["factory", "started", "notice", "stop_requested", "stopping"] {
        let system = system();
        let make = move || {
            assert_ne!(place, "factory");
            Fragile(place)
        };
        let it = system.spawn(make).expect("open");
        if place == "notice" {
            let nobody = system.spawn(|| Puppet::new("nobody", &journal().0)).expect("open");
            nobody.kill();
            it.tell(nobody).expect("there is room");
        }
        turns().await;
        if place.starts_with("stop") {
            assert!(it.is_alive());
            assert!(system.shutdown(SECOND).await.is_clean());
        }
        let reason = soon(it.ended()).await;
        assert!(report(&reason).text.contains(place), "{place}: {reason}");
        turns().await;
        assert_eq!(system.living(), 0, "{place}");
    }
}

/// An observer's panic came up in the middle of a departure, which then never ended.
#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_harms_nobody() {
    struct Touchy;
    impl Observer for Touchy {
        fn event(&self, _: &Event<'_>) {
            resume_unwind(Box::new("observed"));
        }
    }
    let system = System::builder().observer(Arc::new(Touchy)).build().expect("inside a runtime");
    let it = minded(&system, || Puppet::new("it", &journal().0)).await;
    it.tell(crash()).expect("there is room");
    assert_eq!(life(&it).await, 2);
    assert!(system.shutdown(SECOND).await.is_clean());
    assert_eq!(system.living(), 0);
}

/// Messages that nobody will handle are dropped one by one, each with its own panic.
#[tokio::test(start_paused = true)]
async fn queued_messages_that_panic_when_they_are_dropped_harm_nobody() {
    let bomb = || {
        let bomb = Bomb("queued");
        act(move |_, _| {
            drop(bomb);
            Ok(())
        })
    };
    let system = system();
    let it = system.spawn(|| Puppet::new("it", &journal().0)).expect("open");
    it.tell(crash()).expect("there is room");
    for _ in 0..3 {
        it.tell(bomb()).expect("there is room");
    }
    assert_eq!(short(&soon(it.ended()).await), "panic boom");
    // And those that it sent itself, which die with the life and not with the seat.
    let it = minded(&system, || Puppet::new("it", &journal().0)).await;
    it.tell(act(move |_, context| {
        for _ in 0..3 {
            context.tell_self(bomb());
        }
        panic!("boom")
    }))
    .expect("there is room");
    assert_eq!(life(&it).await, 2);
    assert!(system.shutdown(SECOND).await.is_clean());
    assert_eq!(system.living(), 0);
}
