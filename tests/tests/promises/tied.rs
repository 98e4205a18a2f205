//! Actors that are linked or watched in the act of starting. That none ends before it is tied is shown where it can be
//! made to: `fault-injection/tests/simulated/overtaken.rs`.

use minder::prelude::*;
use minder::{MonitorId, StartError};
use tokio::sync::oneshot;

use crate::support::*;

/// How an actor is tied to its starter.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tie {
    Link,
    Monitor,
}

const TIES: [Tie; 2] = [Tie::Link, Tie::Monitor];

type Started = Result<(Addr<Msg>, Option<MonitorId>), StartError>;

/// Lets an actor start another, tied to it.
async fn spawned(by: &Addr<Msg>, tie: Tie, make: impl FnOnce() -> Puppet + Send + 'static) -> Started {
    within(by, move |context| match tie {
        Tie::Link => context.spawn_link(make).map(|it| (it, None)),
        Tie::Monitor => context.spawn_monitor(make).map(|(it, monitor)| (it, Some(monitor))),
    })
    .await
}

fn trapping(system: &System, journal: &Journal) -> Addr<Msg> {
    let journal = journal.clone();
    system.spawn(move || Puppet::new("w", &journal).trapping()).expect("open")
}

/// A tie and nothing more: the system minds it, and only a link takes the other along.
/// OTP: LNK-012.
#[tokio::test(start_paused = true)]
async fn what_a_tie_does() {
    let rows = [
        (Tie::Link, ExitReason::other("boom"), false),
        (Tie::Link, ExitReason::Normal, true),
        (Tie::Monitor, ExitReason::other("boom"), true),
        (Tie::Monitor, ExitReason::Normal, true),
    ];
    for (tie, reason, stays) in rows {
        let system = system();
        let (w, silent) = (trapping(&system, &journal().0), journal().0);
        let (it, monitor) = spawned(&w, tie, move || Puppet::new("it", &silent)).await.expect("open");
        assert_eq!(life(&it).await, 1);
        let tied = within(&w, |context| (context.links(), context.monitors())).await;
        let links = if tie == Tie::Link { vec![it.id()] } else { Vec::new() };
        assert_eq!(tied, (links, monitor.into_iter().collect()), "{tie:?}");
        w.tell(end(reason.clone())).expect("there is room");
        assert_eq!(soon(w.ended()).await, reason);
        turns().await;
        assert_eq!(it.is_alive(), stays, "{tie:?}, {reason}");
    }
}

/// Nobody is started, and nobody is tied to nobody.
#[tokio::test(start_paused = true)]
async fn a_system_that_shuts_down_starts_nobody() {
    for tie in TIES {
        let system = system();
        let (journal, mut reader) = journal();
        let (w, last) = (journal.clone(), self::journal().0);
        let cleans_up =
            system.spawn(move || Puppet::new("w", &w).trapping().cleaning_up_for(SECOND)).expect("open");
        let (asked, ask) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        cleans_up
            .tell(wait(move |_, context| {
                Box::pin(async move {
                    let _ = ask.await;
                    let refused = match tie {
                        Tie::Link => context.spawn_link(move || Puppet::new("it", &last)).err(),
                        Tie::Monitor => context.spawn_monitor(move || Puppet::new("it", &last)).err(),
                    };
                    drop(tell.send((refused, context.links().len(), context.monitors().len())));
                    Ok(())
                })
            }))
            .expect("there is room");
        let shutdown = aside(async move { system.shutdown(60 * SECOND).await });
        turns().await;
        drop(asked);
        assert_eq!(told.await.expect("it lives"), (Some(StartError::ShuttingDown), 0, 0), "{tie:?}");
        shutdown.await.expect("it shuts down");
        assert_eq!(reader.rest(), ["w up", "w stopping shutdown", "w cleaned up"]);
    }
}
