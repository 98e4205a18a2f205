//! Systems: several in one process, each shut down in reverse order within a deadline, killing what hangs.

use std::sync::Arc;

use minder::prelude::*;
use minder::{StartActorError, StartError, SystemError};

use crate::support::*;

fn trapping(system: &System, name: &'static str, journal: &Journal) -> Addr<Msg> {
    let journal = journal.clone();
    system.spawn(move || Puppet::new(name, &journal).trapping()).expect("open")
}

#[tokio::test(start_paused = true)]
async fn several_systems_do_not_know_of_each_other() {
    let (one, two) = (system(), system());
    let (a, b) = (trapping(&one, "a", &journal().0), trapping(&two, "b", &journal().0));
    assert_eq!(a.id(), b.id(), "each counts its own");
    assert!(a != b);
    // They talk all the same.
    let asked = a.ask(|reply| {
        let b = b.clone();
        wait(move |_, _| {
            Box::pin(async move {
                let _ = reply.send(life(&b).await);
                Ok(())
            })
        })
    });
    assert!(matches!(asked.await, Ok(1)));
    assert!(one.shutdown(SECOND).await.is_clean());
    assert_eq!((one.living(), two.living()), (0, 1));
    assert!(matches!(one.spawn(|| Puppet::new("late", &journal().0)), Err(StartError::ShuttingDown)));
    let late = trapping(&two, "late", &journal().0);
    assert_eq!(life(&late).await, 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_stops_in_reverse_order_and_says_who_took_how_long() {
    let system = system();
    let (journal, mut reader) = journal();
    for (name, seconds) in [("a", 1), ("b", 0), ("c", 2)] {
        let journal = journal.clone();
        let (_, seat) = system.address();
        let make = move || Puppet::new(name, &journal).trapping().cleaning_up_for(seconds * SECOND);
        system.start(seat, name, make).await.expect("starts");
    }
    reader.rest();
    let report = system.shutdown(60 * SECOND).await;
    assert!(report.is_clean(), "{report:?}");
    let stopped: Vec<(&str, u64)> =
        report.stopped.iter().map(|(path, took)| (&**path, took.as_secs())).collect();
    assert_eq!(stopped, [("c", 2), ("b", 0), ("a", 1)]);
    let lines = ["c stopping shutdown", "c cleaned up", "b stopping shutdown", "b cleaned up"];
    reader.expect(&lines).await;
    reader.expect(&["a stopping shutdown", "a cleaned up"]).await;
    let again = system.shutdown(SECOND).await;
    assert!(again.is_clean() && again.stopped.is_empty(), "nobody is left to be stopped");
}

#[tokio::test(start_paused = true)]
async fn shutdown_kills_what_hangs_and_names_it() {
    let system = system();
    let (journal, mut reader) = journal();
    let mut addresses = Vec::new();
    for name in ["a", "b", "c"] {
        let journal = journal.clone();
        let (it, seat) = system.address();
        system.start(seat, name, move || Puppet::new(name, &journal).trapping()).await.expect("starts");
        addresses.push(it);
    }
    addresses[1].tell(hang()).expect("there is room");
    reader.expect(&["a up", "b up", "c up", "b hangs"]).await;
    let began = system.now();
    let report = system.shutdown(10 * SECOND).await;
    assert_eq!(system.now().since(began).as_secs(), 10);
    assert!(!report.is_clean());
    assert_eq!(report.stopped.iter().map(|(path, _)| &**path).collect::<Vec<_>>(), ["c"]);
    assert_eq!(report.killed.iter().map(|path| &**path).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!((report.left, system.living()), (0, 0));
    assert_eq!(soon(addresses[1].ended()).await, ExitReason::Killed);
}

/// An error like any other says which actor and why, and is the plain reason for whoever judges it.
#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_an_error_that_names_the_actor() {
    #[derive(Clone, Copy)]
    enum Fault {
        Fails,
        Nothing,
        Taken,
        Late,
    }
    async fn start(system: &System, fault: Fault) -> Result<(), Box<dyn std::error::Error>> {
        let (it, seat) = system.address();
        match fault {
            Fault::Taken => {
                system.start(seat.clone(), "first", || Puppet::new("first", &journal().0)).await?;
            }
            Fault::Late => assert!(system.shutdown(SECOND).await.is_clean()),
            Fault::Fails | Fault::Nothing => {}
        }
        let make = move || {
            let fails = Puppet::new("it", &journal().0).on_start(|_, _| Err(ExitReason::other("no disk")));
            (!matches!(fault, Fault::Nothing)).then_some(fails)
        };
        let started = system.start(seat, "top", make).await;
        let left = usize::from(matches!(fault, Fault::Taken));
        assert_eq!((system.living(), it.is_alive()), (left, left == 1), "nothing of it is left");
        started?;
        Ok(())
    }
    let rows = [
        (Fault::Fails, "actor `top` did not start: no disk", "no disk"),
        (
            Fault::Nothing,
            "actor `top` did not start: it had nothing to run, or stopped before it was up",
            "normal",
        ),
        (
            Fault::Taken,
            "actor `top` was not started: the seat of first is taken: give each child a seat of its own",
            "error: the seat of first is taken: give each child a seat of its own",
        ),
        (
            Fault::Late,
            "actor `top` was not started: the system is shutting down",
            "error: the system is shutting down",
        ),
    ];
    for (fault, said, reason) in rows {
        let error = start(&system(), fault).await.expect_err(said);
        assert_eq!((error.to_string(), format!("{error:?}")), (said.to_owned(), said.to_owned()));
        let error = error.downcast::<StartActorError>().expect("it is what `start` returns");
        assert_eq!(error.into_reason().to_string(), reason);
    }
}

/// A child that traps exits and hangs in a handler outlived its killed supervisor: told to stop, it would do so after
/// the message in hand, which never ends.
#[tokio::test(start_paused = true)]
async fn shutdown_kills_what_hangs_deep_in_a_tree() {
    let system = system();
    let (journal, mut reader) = journal();
    let (it, seat) = system.address();
    let its = journal.clone();
    let below = one_for_one()
        .child(actor_in("it", seat, move || Puppet::new("it", &its).trapping()).shutdown(Shutdown::Infinity));
    let root = one_for_one().child(tree("sub", below)).start(&system, "top").await.expect("starts");
    it.tell(hang()).expect("there is room");
    reader.expect(&["it up", "it hangs"]).await;
    let report = system.shutdown(10 * SECOND).await;
    assert_eq!((report.left, system.living()), (0, 0), "{report:?}");
    let killed: Vec<&str> = report.killed.iter().map(|path| &**path).collect();
    assert_eq!(killed, ["top", "top/sub", "top/sub/it"]);
    assert_eq!((it.is_alive(), root.address().is_alive()), (false, false));
}

#[tokio::test(start_paused = true)]
async fn shutdown_says_how_many_cannot_be_killed() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = trapping(&system, "it", &journal);
    let (release, held) = std::sync::mpsc::channel::<()>();
    it.tell(wait(|puppet, context| {
        Box::pin(async move {
            puppet.note("blocks");
            context.blocking(move || held.recv().is_ok()).await;
            Ok(())
        })
    }))
    .expect("there is room");
    reader.expect(&["it up", "it blocks"]).await;
    let shutdown = aside({
        let system = system.clone();
        async move { system.shutdown(SECOND).await }
    });
    // While a closure blocks, virtual time goes on only by hand.
    for _ in 0..4 {
        turns().await;
        tokio::time::advance(SECOND).await;
    }
    let report = shutdown.await.expect("the shutdown does not panic");
    assert_eq!((report.killed.len(), report.left), (1, 1));
    drop(release);
    soon(it.ended()).await;
    turns().await;
    assert_eq!(system.living(), 0);
}

#[tokio::test(start_paused = true)]
async fn with_a_seed_each_life_draws_the_same_numbers() {
    async fn drawn(seed: u64) -> Vec<u64> {
        let system = System::builder().seed(seed).build().expect("inside a runtime");
        let it = minded(&system, || Puppet::new("it", &journal().0)).await;
        let mut numbers = Vec::new();
        for _ in 0..3 {
            for _ in 0..2 {
                let number = it.ask(|reply| {
                    act(move |_, context| {
                        let _ = reply.send(context.random());
                        Ok(())
                    })
                });
                numbers.push(number.await.expect("answers"));
            }
            it.tell(crash()).expect("there is room");
        }
        numbers
    }
    let numbers = drawn(7).await;
    assert_eq!(numbers, drawn(7).await);
    assert_ne!(numbers, drawn(8).await);
    let mut different = numbers.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), numbers.len(), "each life draws its own");
}

#[test]
fn a_system_needs_a_runtime() {
    let refused = System::new().expect_err("there is none");
    assert_eq!(refused, SystemError::NoRuntime);
    assert!(refused.to_string().starts_with("there is no tokio runtime here: build the system inside"));
}

/// OTP: PRL-007.
#[tokio::test(start_paused = true)]
async fn starts_exits_decisions_and_recoveries_are_told_to_the_observer() {
    struct Writer(Journal);
    impl minder::Observer for Writer {
        fn event(&self, event: &minder::Event<'_>) {
            match event {
                minder::Event::Exited { path, reason, started, .. } => {
                    self.0.note(format!("{path} exited {} started {started}", short(reason)));
                }
                minder::Event::Decided { path, child, decision, restarts, limit, .. } => {
                    self.0.note(format!("{path} {child} {decision} {restarts}/{limit}"));
                }
                minder::Event::Recovered { path, id, .. } => {
                    self.0.note(format!("{path} recovered {}", id.incarnation()));
                }
                minder::Event::Started { path, id } => {
                    self.0.note(format!("{path} started {}", id.incarnation()));
                }
                _ => self.0.note("?"),
            }
        }
    }
    let (journal, mut reader) = journal();
    let system = System::builder().observer(Arc::new(Writer(journal))).build().expect("inside a runtime");
    let it = minded(&system, || Puppet::new("it", &self::journal().0)).await;
    it.tell(crash()).expect("there is room");
    assert_eq!(life(&it).await, 2);
    assert_eq!(
        reader.rest(),
        [
            "top/it started 1",
            "top started 1",
            "top/it exited panic boom started true",
            "top it restart 1/1000",
            "top/it started 2",
            "top/it recovered 2",
        ]
    );
    it.tell(end(ExitReason::Normal)).expect("there is room");
    assert_eq!(life(&it).await, 3);
    assert!(system.shutdown(SECOND).await.is_clean());
    assert_eq!(
        reader.rest(),
        [
            "top/it exited normal started true",
            "top it restart 2/1000",
            "top/it started 3",
            "top/it exited shutdown started true",
            "top exited shutdown started true",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_reports_levels_unclean_ends_and_messages_left() {
    let system = system();
    let (journal, mut reader) = journal();
    let (it, seat) = system.address();
    let its = journal.clone();
    let slow = actor_in("it", seat, move || Puppet::new("it", &its).trapping())
        .shutdown(Shutdown::Within(2 * SECOND));
    let root = one_for_one().child(slow).start(&system, "top").await.expect("starts");
    reader.expect(&["it up"]).await;
    it.tell(hang()).expect("there is room");
    reader.expect(&["it hangs"]).await;
    for _ in 0..3 {
        it.tell(hang()).expect("there is room");
    }
    drop(root);
    let report = system.shutdown(10 * SECOND).await;
    assert!(report.is_clean(), "its supervisor killed it in time: {report}");
    let levels: Vec<(u64, u64)> =
        report.levels.iter().map(|level| (level.actors, level.last_after.as_secs())).collect();
    assert_eq!(levels, [(1, 2), (1, 2)]);
    assert_eq!((report.took.as_secs(), report.unclean_count), (2, 1));
    assert_eq!(report.unclean, [("top/it".into(), ExitReason::Killed)]);
    assert_eq!(report.messages_left, [("top/it".into(), 3)]);
    let text = report.to_string();
    for says in ["stopped in order", "level 1: 1 actors", "top/it ended of killed", "top/it left 3 messages"]
    {
        assert!(text.contains(says), "{says} is not in\n{text}");
    }
}
