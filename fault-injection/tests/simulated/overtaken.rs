//! Whoever is started may be over before its start returns: here a host sees to it that it is, every time, as threads do
//! once in a while. Does not show what a tie does; that is in `tests/tests/promises/tied.rs`.

use std::sync::Arc;
use std::task::{Context as Cx, Waker};

use minder::Event;
use minder::prelude::*;
use minder_runtime::host::{self, Host, Run, Task};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::support::SECOND;

/// Lives begin on a thread of their own, and whoever started one goes on only when it waits for something or has ended.
struct Hasty(Handle);

impl Host for Hasty {
    fn seed(&self) -> u64 {
        0
    }

    fn hosts(&self, _: &System) {}

    #[expect(clippy::disallowed_methods, reason = "this is where tasks run")]
    fn spawn(&self, task: Task) {
        let Run::Anywhere(mut run) = task.run else { unreachable!("no actor here keeps to a thread") };
        let tokio = self.0.clone();
        let begun = std::thread::spawn(move || {
            let _inside = tokio.enter();
            let is_over = run.as_mut().poll(&mut Cx::from_waker(Waker::noop())).is_ready();
            (!is_over).then_some(run)
        });
        if let Some(rest) = begun.join().expect("a life catches its panics") {
            drop(self.0.spawn(rest));
        }
    }

    fn event(&self, _: &Event<'_>) {}
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Tie {
    Link,
    Monitor,
}

/// Starts one that ends at once, and tells what it hears of it.
struct Starter(UnboundedSender<String>);

impl Actor for Starter {
    type Msg = Tie;

    async fn started(&mut self, context: &mut Context<Tie>) -> Handled {
        context.trap_exit(true);
        Ok(())
    }

    async fn handle(&mut self, tie: Tie, context: &mut Context<Tie>) -> Handled {
        fn none() -> Starter {
            panic!("at once")
        }
        let it = match tie {
            Tie::Link => context.spawn_link(none)?,
            Tie::Monitor => context.spawn_monitor(none)?.0,
        };
        assert!(!it.is_alive(), "it is over before its start returns");
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<Tie>) -> Handled {
        let heard = match notice {
            Notice::Exit(exit) => format!("exit {}", exit.reason),
            Notice::Down(down) => format!("down {}", down.reason),
            other => format!("{other:?}"),
        };
        drop(self.0.send(heard));
        Ok(())
    }
}

/// It is tied before it begins, and so its reason is told.
/// OTP: LNK-009, MON-012, PRL-003, GS-001, NEW-011.
#[tokio::test(start_paused = true)]
async fn an_end_before_the_start_returns_is_not_missed() {
    let inside = host::enter(Arc::new(Hasty(Handle::current())));
    let system = System::new().expect("there is a host");
    drop(inside);
    let (tell, mut told) = unbounded_channel();
    let starter = system.spawn(move || Starter(tell)).expect("open");
    for (tie, expected) in [(Tie::Link, "exit panic: at once"), (Tie::Monitor, "down panic: at once")] {
        starter.tell(tie).expect("there is room");
        let heard = tokio::time::timeout(SECOND, told.recv()).await;
        let heard = heard.expect("it is told").expect("the starter lives");
        assert!(heard.starts_with(expected), "{tie:?}: {heard}");
    }
}
