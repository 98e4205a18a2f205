//! Asking from plain threads; and from asynchronous code, where it is an error instead of a deadlock.

use std::time::Duration;

use minder::prelude::*;

use crate::asks::text;
use crate::support::*;

struct Doubler;

#[actor]
impl Doubler {
    fn double(&self, number: u64) -> u64 {
        number * 2
    }

    fn refuse(&self) -> Result<u64, Plain> {
        Err(Plain("never"))
    }
}

/// Runs this on a thread of its own and waits for it.
#[expect(clippy::disallowed_methods, reason = "a thread that is no task is what is meant")]
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || _ = tell.send(work()));
    let told = told.await.expect("the thread does not panic");
    thread.join().expect("the thread does not panic");
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_thread_waits_for_the_answer_or_the_deadline() {
    let system = system();
    let it = named(&system, "it").await;
    let doubler = system.spawn(|| Doubler).expect("open");
    let (nobody, _seat) = system.address();
    let outcomes = on_a_thread(move || {
        (
            text(&it.ask_blocking(Msg::Life)),
            text(&nobody.ask_blocking_within(Duration::from_millis(20), Msg::Life)),
            doubler.double(21).blocking(),
            doubler.refuse().blocking(),
        )
    })
    .await;
    assert_eq!((outcomes.0, outcomes.1), ("answer 1".to_owned(), "timed out".to_owned()));
    assert!(matches!(outcomes.2, Ok(42)));
    assert!(matches!(outcomes.3, Err(CallError::Failed(Plain("never")))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closure_that_may_block_may_ask() {
    let system = system();
    let (it, other) = (named(&system, "it").await, named(&system, "other").await);
    let asked = it.ask(|reply: Reply<u32>| {
        wait(move |_, context| {
            Box::pin(async move {
                let got = context.blocking(move || other.ask_blocking(Msg::Life)).await;
                let _ = reply.send(got.expect("it is answered"));
                Ok(())
            })
        })
    });
    assert_eq!(text(&asked.await), "answer 1");
    let to = it.clone();
    #[expect(clippy::disallowed_methods, reason = "tokio's own is what is meant")]
    let elsewhere = tokio::task::spawn_blocking(move || text(&to.ask_blocking(Msg::Life)));
    assert_eq!(elsewhere.await.expect("no panic"), "answer 1");
}

#[tokio::test]
async fn asynchronous_code_is_told_and_not_held_up() {
    let system = system();
    let (it, other) = (named(&system, "it").await, named(&system, "other").await);
    let doubler = system.spawn(|| Doubler).expect("open");
    assert!(matches!(it.ask_blocking(Msg::Life), Err(AskError::WouldBlock)));
    assert!(matches!(doubler.double(1).blocking(), Err(AskError::WouldBlock)));
    let to = other.clone();
    let asked = it.ask(move |reply: Reply<u32>| {
        act(move |_, _| {
            let _ = reply.send(u32::from(matches!(to.ask_blocking(Msg::Life), Err(AskError::WouldBlock))));
            Ok(())
        })
    });
    assert_eq!(text(&asked.await), "answer 1");
    // Nothing was asked.
    assert_eq!(other.statistics().offered, 0);
}

/// The runtime is there but nobody drives it: no timer of its own would ever end the wait.
#[test]
fn a_runtime_that_stands_still_does_not_hold_a_thread_for_ever() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let it = runtime.block_on(async {
        let system = system();
        named(&system, "it").await
    });
    assert_eq!(text(&it.ask_blocking_within(Duration::from_millis(20), Msg::Life)), "timed out");
}
