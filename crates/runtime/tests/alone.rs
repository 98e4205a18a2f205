//! The runtime by itself, with no feature that another crate has turned on, on a real clock. The bulk of its tests is
//! in the package minder-tests, on a virtual one.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, panic_any};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use minder_runtime::{
    Actor, AskError, Context, ExitReason, Handled, Notice, Recipient, Reply, System, TellError,
};

struct Counter {
    count: u32,
    tell: Option<Recipient<ExitReason>>,
}

enum Msg {
    Add(u32),
    Read(Reply<u32>),
    Watch(minder_runtime::Addr<Msg>),
    Crash(Reply<u32>),
    Bomb,
    Hang(Reply<u32>),
    Below(Reply<u32>),
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("payload");
    }
}

impl Actor for Counter {
    type Msg = Msg;

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Add(number) => self.count += number,
            Msg::Read(reply) => {
                let _ = reply.send(self.count);
            }
            Msg::Watch(other) => drop(context.monitor(&other)),
            Msg::Crash(_in_hand) => panic!("boom"),
            Msg::Bomb => panic_any(Bomb),
            Msg::Hang(_in_hand) => std::future::pending().await,
            Msg::Below(reply) => {
                let sum = context.blocking(|| 20 + 3).await;
                let _ = reply.send(sum);
            }
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<Msg>) -> Handled {
        if let (Notice::Down(down), Some(tell)) = (notice, &self.tell) {
            tell.tell(down.reason)?;
        }
        Ok(())
    }
}

/// Receives what a counter hears.
struct Ear {
    heard: Vec<ExitReason>,
    asked: Option<Reply<ExitReason>>,
}

enum Hear {
    This(ExitReason),
    Tell(Reply<ExitReason>),
}

impl From<ExitReason> for Hear {
    fn from(reason: ExitReason) -> Self {
        Self::This(reason)
    }
}

impl Actor for Ear {
    type Msg = Hear;

    async fn handle(&mut self, message: Hear, _: &mut Context<Hear>) -> Handled {
        match message {
            Hear::This(reason) => self.heard.push(reason),
            Hear::Tell(reply) => self.asked = Some(reply),
        }
        if !self.heard.is_empty()
            && let Some(reply) = self.asked.take()
        {
            drop(reply.send(self.heard.remove(0)));
        }
        Ok(())
    }
}

static PRINTED: AtomicUsize = AtomicUsize::new(0);

/// A system whose process counts the panics that are printed; installed before minder's own hook, which chains to it.
fn system() -> System {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            PRINTED.fetch_add(1, Ordering::SeqCst);
            if info.payload().downcast_ref() != Some(&"printed on purpose") {
                print(info);
            }
        }));
    });
    System::new().expect("inside a runtime, unwinding")
}

fn counter() -> Counter {
    Counter { count: 0, tell: None }
}

#[tokio::test]
async fn tell_ask_and_shutdown() {
    let system = system();
    let counter = system.spawn(counter).expect("open");
    counter.tell(Msg::Add(3)).expect("there is room");
    counter.send(Msg::Add(4)).await.expect("there is room");
    assert!(matches!(counter.ask(Msg::Read).await, Ok(7)));
    assert!(matches!(counter.ask(Msg::Below).await, Ok(23)));
    assert!(system.shutdown(Duration::from_secs(60)).await.is_clean());
    assert_eq!((counter.ended().await, system.living()), (ExitReason::Shutdown, 0));
    assert!(matches!(counter.tell(Msg::Add(1)), Err(TellError::Stopped(ExitReason::Shutdown, Msg::Add(1)))));
}

#[tokio::test]
async fn an_ask_that_is_never_answered_ends_at_its_deadline() {
    let system = system();
    let counter = system.spawn(counter).expect("open");
    let (began, limit) = (system.now(), Duration::from_millis(20));
    assert!(matches!(counter.ask_within(limit, Msg::Hang).await, Err(AskError::TimedOut)));
    assert!(system.now().since(began) >= limit, "never early");
}

#[tokio::test]
async fn the_end_of_one_is_told_to_those_who_watch_it() {
    let system = system();
    let ear = system.spawn(|| Ear { heard: Vec::new(), asked: None }).expect("open");
    let tell = ear.recipient();
    let watcher = system.spawn(move || Counter { count: 0, tell: Some(tell) }).expect("open");
    let (killed, crashed) = (system.spawn(counter).expect("open"), system.spawn(counter).expect("open"));
    watcher.tell(Msg::Watch(killed.clone())).expect("there is room");
    watcher.tell(Msg::Watch(crashed.clone())).expect("there is room");
    assert!(matches!(watcher.ask(Msg::Read).await, Ok(0)));
    assert!(killed.kill());
    assert!(matches!(ear.ask(Hear::Tell).await, Ok(ExitReason::Killed)));
    let asked = crashed.ask(Msg::Crash).await;
    assert!(matches!(asked, Err(AskError::Crashed(ExitReason::Panic(_)))), "{asked:?}");
    match ear.ask(Hear::Tell).await {
        Ok(ExitReason::Panic(report)) => {
            let place = report.location.as_deref().expect("the hook saw it");
            assert_eq!(report.text, "boom");
            assert!(place.contains("alone.rs:"), "{place}");
        }
        other => panic!("a panic: {other:?}"),
    }
}

/// The only test of this process in which anything is printed.
#[tokio::test]
async fn panics_of_actors_are_not_printed_and_those_of_others_are() {
    let system = system();
    for _ in 0..3 {
        let counter = system.spawn(counter).expect("open");
        counter.tell(Msg::Bomb).expect("there is room");
        counter.ended().await;
    }
    assert_eq!(PRINTED.load(Ordering::SeqCst), 0);
    assert!(catch_unwind(AssertUnwindSafe(|| panic!("printed on purpose"))).is_err());
    assert_eq!(PRINTED.load(Ordering::SeqCst), 1);
}
