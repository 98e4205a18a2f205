//! Links, monitors and identities in numbers. Rows LNK, MON, PRC.

use std::collections::BTreeSet;

use minder::MailboxOptions;
use minder::prelude::*;

use crate::support::*;

fn spawn(system: &System, name: &'static str, journal: &Journal) -> Addr<Msg> {
    let journal = journal.clone();
    system.spawn(move || Puppet::new(name, &journal)).expect("open")
}

/// One in the middle of ten thousand: each of them hears once of its end.
/// OTP: LNK-013.
#[tokio::test(start_paused = true)]
async fn an_actor_may_have_very_many_links() {
    const LINKS: usize = 10_000;
    let system = system();
    let hub = spawn(&system, "hub", &journal().0);
    let (journal, mut reader) = journal();
    for number in 0..LINKS {
        let journal = journal.clone();
        let make = move || {
            let it = Puppet::new("it", &journal);
            if number % 2 == 0 { it.trapping() } else { it.telling_drop() }
        };
        let hub = hub.clone();
        let it = system.spawn(make).expect("open");
        it.tell(act(move |_, context| context.link(&hub))).expect("there is room");
    }
    turns().await;
    assert_eq!(reader.rest().len(), LINKS, "all are up");
    hub.tell(crash()).expect("there is room");
    soon(hub.ended()).await;
    turns().await;
    let lines = reader.rest();
    let heard = lines.iter().filter(|line| *line == "it exit panic boom").count();
    let dropped = lines.iter().filter(|line| *line == "it dropped").count();
    assert_eq!((heard, dropped, lines.len()), (LINKS / 2, LINKS / 2, LINKS));
    assert_eq!(system.living(), LINKS / 2);
}

/// A hundred watchers of a hundred: whoever ends first, nothing of it is left with the others.
/// OTP: MON-015.
#[tokio::test(start_paused = true)]
async fn monitors_leave_nothing_behind() {
    const EACH: usize = 100;
    let count = |watchers: &[Addr<Msg>]| {
        let watchers = watchers.to_vec();
        async move {
            let mut sum = 0;
            for watcher in watchers {
                let (tell, told) = tokio::sync::oneshot::channel();
                let asking = act(move |_, context| {
                    let _ = tell.send(context.monitors().len());
                    Ok(())
                });
                watcher.tell(asking).expect("there is room");
                sum += told.await.expect("it lives");
            }
            sum
        }
    };
    let system = system();
    let (journal, mut reader) = journal();
    let watchers: Vec<_> = (0..EACH).map(|_| spawn(&system, "w", &journal)).collect();
    let targets: Vec<_> = (0..EACH).map(|_| spawn(&system, "it", &self::journal().0)).collect();
    for watcher in &watchers {
        let targets = targets.clone();
        let watching = act(move |_, context| {
            targets.iter().for_each(|target| {
                context.monitor(target);
            });
            Ok(())
        });
        watcher.tell(watching).expect("there is room");
    }
    assert_eq!(count(&watchers).await, EACH * EACH);
    assert_eq!(reader.rest().len(), EACH, "all are up");
    // Half of the watchers end first, and then all of the watched.
    let (first, rest) = watchers.split_at(EACH / 2);
    first.iter().for_each(|watcher| assert!(watcher.kill()));
    turns().await;
    targets.iter().for_each(|target| assert!(target.kill()));
    for target in &targets {
        soon(target.ended()).await;
    }
    turns().await;
    assert_eq!(reader.rest().len(), EACH / 2 * EACH, "a notice for each monitor of the living");
    assert_eq!(count(rest).await, 0);
}

/// However large a reason is, everybody who hears of it has the very same one.
/// OTP: MON-016.
#[tokio::test(start_paused = true)]
async fn a_large_reason_is_shared() {
    #[derive(Debug)]
    struct Large(Vec<u8>);
    impl std::fmt::Display for Large {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{} bytes", self.0.len())
        }
    }
    impl std::error::Error for Large {}
    struct Watcher(tokio::sync::mpsc::UnboundedSender<ExitReason>, Addr<Msg>);
    impl Actor for Watcher {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            context.monitor(&self.1);
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
        async fn notice(&mut self, notice: Notice, _: &mut Context<()>) -> Handled {
            if let Notice::Down(down) = notice {
                drop(self.0.send(down.reason));
            }
            Ok(())
        }
    }
    let system = system();
    let it = spawn(&system, "it", &journal().0);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..3 {
        let (tell, it) = (tell.clone(), it.clone());
        let _watcher = system.spawn(move || Watcher(tell, it)).expect("open");
    }
    turns().await;
    it.tell(act(|_, _| Err(Large(vec![7; 1_000_000]).into()))).expect("there is room");
    let mut reasons = vec![soon(it.ended()).await];
    for _ in 0..3 {
        reasons.push(soon(told.recv()).await.expect("it is told"));
    }
    let places = reasons.iter().map(|reason| {
        let ExitReason::Error(error) = reason else { panic!("{reason}") };
        let large = error.downcast_ref::<Large>().expect("it is that error");
        assert_eq!(large.0.len(), 1_000_000);
        std::ptr::from_ref(large)
    });
    assert_eq!(places.collect::<BTreeSet<_>>().len(), 1, "one and the same");
}

/// Neither for another actor, nor for another life.
/// OTP: PRC-005.
#[tokio::test(start_paused = true)]
async fn an_identity_is_never_used_again() {
    let system = system();
    let mut ids = BTreeSet::new();
    for _ in 0..1000 {
        let it = spawn(&system, "it", &journal().0);
        assert!(ids.insert(it.id()));
        it.kill();
        soon(it.ended()).await;
    }
    let it = minded(&system, || Puppet::new("it", &journal().0)).await;
    for life in 1..=100 {
        assert_eq!(self::life(&it).await, life);
        assert!(ids.insert(it.id()));
        it.tell(crash()).expect("there is room");
    }
}

/// What one sends to another arrives in the order sent, whatever of it is a message and what is a signal.
/// OTP: SIG-001, SIG-003.
#[test]
fn messages_and_signals_of_one_arrive_in_the_order_sent() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let writes = journal.clone();
        let to = system.spawn(move || Puppet::new("to", &writes).trapping()).expect("open");
        let from = named_with(&system, "from", &self::journal().0, MailboxOptions::default()).await;
        reader.expect(&["to up"]).await;
        let other = to.clone();
        from.tell(act(move |_, context| {
            context.link(&other)?;
            for number in 0..20 {
                other.tell(Msg::Mark(number)).expect("there is room");
                context.exit(&other, ExitReason::other(&format!("signal {number}")));
            }
            Err(Plain("the end").into())
        }))
        .expect("there is room");
        let sent = (0..20).flat_map(|number| [format!("to {number}"), format!("to exit signal {number}")]);
        let expected: Vec<String> = sent.chain(["to exit error: the end".to_owned()]).collect();
        for line in expected {
            assert_eq!(reader.next().await, line);
        }
    });
}
