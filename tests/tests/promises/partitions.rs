//! Partitioned supervisors: found by key without asking anybody, resized while they run. Rows EXP.

use minder::supervisors::{
    Backoff, NoPartition, Partitions, ResizeError, RestartChildError, TerminateChildError, Unavailable,
    one_per_core, partitioned,
};
use minder::{NoService, prelude::*};

use crate::support::*;

const NAMES: [&str; 4] = ["0", "1", "2", "3"];

/// So many puppets, each of which is called by its number.
async fn ledgers(system: &System, partitions: usize, journal: &Journal) -> (Partitions<Msg>, Root, Root) {
    let (ledgers, spec) = partitioned(system, tolerant(one_for_one()), partitions, |partition, seat| {
        let journal = journal.clone();
        actor_in(&format!("ledger-{partition}"), seat, move || {
            Puppet::new(NAMES[partition], &journal).trapping()
        })
    });
    let top = tolerant(one_for_one()).child(tree("ledgers", spec.offer(ledgers.clone())));
    let top = top.start(system, "bank").await.expect("puppets start");
    let root = top.subtree("ledgers").await.expect("it is there");
    (ledgers, top, root)
}

/// Each is told its number; there may be one for each core.
///
/// OTP: EXP-001.
#[tokio::test(start_paused = true)]
async fn so_many_of_one_child_each_told_its_number() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (ledgers, _top, root) = ledgers(&system, 3, &journal).await;
    reader.expect(&["0 up", "1 up", "2 up"]).await;
    assert_eq!((ledgers.len(), root.count_children().await.expect("it lives").active), (3, 3));
    let paths: Vec<_> = ledgers.all().iter().map(|ledger| ledger.path().to_string()).collect();
    assert_eq!(paths, ["bank/ledgers/ledger-0", "bank/ledgers/ledger-1", "bank/ledgers/ledger-2"]);
    let cores = std::thread::available_parallelism().expect("this machine says how many it has");
    assert_eq!(one_per_core(), cores.get());
}

/// The arithmetic itself is tested beside it, in `partitions.rs`.
///
/// OTP: EXP-002.
#[tokio::test(start_paused = true)]
async fn a_key_always_leads_to_the_same_partition() {
    let (system, (journal, _reader)) = (system(), journal());
    let (ledgers, ..) = ledgers(&system, 4, &journal).await;
    let number = |address: &Addr<Msg>| ledgers.all().iter().position(|ledger| ledger == address);
    for (key, partition) in [(0, 0), (1, 1), (-1, 1), (7, 3), (-7, 3), (i64::MIN, 0)] {
        assert_eq!(number(ledgers.of(&key).expect("there are four")), Some(partition), "{key}");
    }
    let of_ada = ledgers.of("Ada").expect("there are four");
    for _ in 0..3 {
        assert_eq!(ledgers.clone().of(&String::from("Ada")), Ok(of_ada));
    }
    let met: std::collections::HashSet<_> =
        (0..100).map(|n| number(ledgers.of(&format!("user-{n}")).expect("there are four"))).collect();
    assert_eq!(met.len(), 4, "all have something to do");
}

/// Over its own restart and over that of its supervisor.
///
/// OTP: EXP-003.
#[tokio::test(start_paused = true)]
async fn a_restarted_partition_is_found_under_the_same_key() {
    let (system, (journal, _reader)) = (system(), journal());
    let (ledgers, _top, root) = ledgers(&system, 2, &journal).await;
    let it = ledgers.of(&1).expect("there are two").clone();
    it.tell(crash()).expect("there is room");
    assert_eq!(life(ledgers.of(&1).expect("still two")).await, 2);
    assert_eq!(life(ledgers.of(&0).expect("still two")).await, 1);
    root.address().kill();
    turns().await;
    assert_eq!(life(&it).await, 3);
    assert_eq!(ledgers.of(&1), Ok(&it));
}

/// Keys lead to those that stay before the others are told to stop, and each that comes back is found once it is up.
///
/// OTP: EXP-004.
#[tokio::test(start_paused = true)]
async fn their_number_is_changed_while_they_run() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (ledgers, top, root) = ledgers(&system, 4, &journal).await;
    assert_eq!(reader.rest().len(), 4);
    let all = ledgers.all().to_vec();
    let alive = || all.iter().map(Addr::is_alive).collect::<Vec<_>>();

    ledgers.resize(&root, 2).await.expect("there are more");
    assert_eq!(reader.rest(), ["3 stopping shutdown", "2 stopping shutdown"], "the last one first");
    assert_eq!((ledgers.len(), alive()), (2, vec![true, true, false, false]));
    assert_eq!(ledgers.of(&3), Ok(&all[1]));
    assert_eq!(ledgers.at(3), Err(NoPartition { partition: Some(3), of: 2 }));

    ledgers.resize(&root, 3).await.expect("there were more at first");
    assert_eq!((ledgers.len(), alive()), (3, vec![true, true, true, false]));
    assert_eq!(ledgers.of(&5), Ok(&all[2]));

    ledgers.resize(&root, 0).await.expect("there are more");
    assert_eq!((ledgers.is_empty(), alive()), (true, vec![false; 4]));
    assert_eq!(ledgers.of("Ada"), Err(NoPartition { partition: None, of: 0 }));
    assert_eq!(root.count_children().await.expect("it lives").active, 0);

    assert_eq!(ledgers.resize(&root, 5).await, Err(ResizeError::TooMany { asked: 5, at_most: 4 }));
    ledgers.resize(&root, 4).await.expect("as many as at first");
    assert_eq!((ledgers.len(), alive()), (4, vec![true; 4]));

    // A new life of their supervisor has all of them, and so must whoever looks.
    ledgers.resize(&root, 1).await.expect("there are more");
    root.address().kill();
    turns().await;
    assert_eq!((ledgers.len(), alive()), (4, vec![true; 4]));

    // Those of another supervisor are not its own.
    let stop = TerminateChildError::NotFound;
    assert_eq!(ledgers.resize(&top, 3).await, Err(ResizeError::Stop(stop)));
    assert_eq!(ledgers.resize(&top, 4).await, Err(ResizeError::Start(RestartChildError::NotFound)));
}

/// A new life of their supervisor that comes in the middle begins with all of them, and none of those that are stopped in it
/// is found.
///
/// OTP: EXP-004.
#[tokio::test(start_paused = true)]
async fn a_restart_of_their_supervisor_in_the_middle_of_a_resize() {
    let (system, (journal, _reader)) = (system(), journal());
    let (ledgers, _top, root) = ledgers(&system, 4, &journal).await;
    let all = ledgers.all().to_vec();
    let mut resizing = std::pin::pin!(ledgers.resize(&root, 1));
    assert!(
        resizing.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending()
    );
    // The last one has been stopped, and that has not been seen here yet.
    turns().await;
    assert_eq!((ledgers.len(), all[3].is_alive()), (1, false));
    root.address().kill();
    turns().await;
    assert_eq!((ledgers.len(), all[3].is_alive()), (4, true));
    resizing.await.expect("the supervisor is there");
    let alive: Vec<_> = all.iter().map(Addr::is_alive).collect();
    assert_eq!((ledgers.len(), alive), (1, vec![true, false, false, false]));
}

/// Each set of partitions that one supervisor has is told of its new life.
///
/// OTP: EXP-004.
#[tokio::test(start_paused = true)]
async fn a_supervisor_may_have_several_sets_of_partitions() {
    let system = system();
    let child = |kind: &'static str| {
        move |partition: usize, seat| {
            let puppet = || Puppet::new("it", &journal().0);
            actor_in(&format!("{kind}-{partition}"), seat, puppet)
        }
    };
    let (ledgers, spec) = partitioned(&system, tolerant(one_for_one()), 2, child("ledger"));
    let (drawers, spec) = partitioned(&system, spec, 3, child("drawer"));
    let top = tolerant(one_for_one()).child(tree("office", spec)).start(&system, "top").await;
    let office = top.expect("puppets start").subtree("office").await.expect("it is there");
    ledgers.resize(&office, 1).await.expect("there are two");
    drawers.resize(&office, 1).await.expect("there are three");
    assert_eq!((ledgers.len(), drawers.len()), (1, 1));
    office.address().kill();
    turns().await;
    assert_eq!((ledgers.len(), drawers.len()), (2, 3));
}

/// One that comes back is found once it is up, and one that its supervisor is about to start again counts as there.
///
/// OTP: EXP-004.
#[tokio::test(start_paused = true)]
async fn a_partition_that_comes_back_is_found_once_it_is_up() {
    struct Slow;
    impl Actor for Slow {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            context.sleep(SECOND).await;
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            panic!("boom")
        }
    }
    let system = system();
    let backoff = Backoff::new(60 * SECOND, 60 * SECOND, 60 * SECOND);
    let (slow, spec) =
        partitioned(&system, tolerant(one_for_one()).backoff(backoff), 2, |partition, seat| {
            actor_in(NAMES[partition], seat, || Slow)
        });
    let root = spec.start(&system, "slow").await.expect("they start");
    slow.resize(&root, 1).await.expect("there are two");
    let resizing = aside({
        let (slow, root) = (slow.clone(), root.clone());
        async move { slow.resize(&root, 2).await }
    });
    turns().await;
    assert_eq!(slow.len(), 1, "it is not up yet");
    resizing.await.expect("no panic").expect("there were two at first");
    assert_eq!(slow.len(), 2);

    let last = slow.at(1).expect("there are two").clone();
    root.address().suspend();
    {
        // Dropped when the second one is not to be found any more, and is not stopped yet.
        let mut half = Box::pin(slow.resize(&root, 1));
        assert!(
            half.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending()
        );
    }
    root.address().resume();
    turns().await;
    // That request was dropped, or has stopped it; either way it is made to wait for its restart.
    if !last.is_alive() {
        root.restart_child("1").await.expect("it has been stopped");
    }
    last.tell(()).expect("there is room");
    turns().await;
    assert_eq!(root.which_child("1").await.expect("it is there").status.to_string(), "restarting");
    slow.resize(&root, 2).await.expect("it comes by itself");
    assert_eq!(slow.len(), 2);
}

/// One at a time; what was dropped half-way is gone on with.
#[tokio::test(start_paused = true)]
async fn a_resize_that_was_dropped_is_gone_on_with() {
    let (system, (journal, _reader)) = (system(), journal());
    let (ledgers, _top, root) = ledgers(&system, 3, &journal).await;
    {
        let mut half = Box::pin(ledgers.resize(&root, 1));
        let waker = std::task::Waker::noop();
        assert!(half.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        assert_eq!(ledgers.len(), 1, "nobody is sent to those that are about to stop");
        assert_eq!(ledgers.resize(&root, 2).await, Err(ResizeError::UnderWay));
    }
    ledgers.resize(&root, 3).await.expect("nobody else does");
    assert_eq!((ledgers.len(), root.count_children().await.expect("it lives").active), (3, 3));
}

/// A set that nobody has made is not found by its type, and one whose supervisor has ended for good says so to whoever
/// uses an address.
///
/// OTP: EXP-005.
#[tokio::test(start_paused = true)]
async fn one_that_is_not_there_is_an_error() {
    let (system, (journal, mut reader)) = (system(), journal());
    let outsider = minded(&system, {
        let journal = journal.clone();
        move || {
            Puppet::new("outsider", &journal).on_start(|puppet, context| {
                let found: Result<Partitions<Msg>, NoService> = context.service();
                puppet.note(found.is_err());
                Ok(())
            })
        }
    })
    .await;
    reader.expect(&["outsider true", "outsider up"]).await;
    drop(outsider);
    let (ledgers, top, root) = ledgers(&system, 1, &journal).await;
    top.stop(ExitReason::Shutdown).await.expect("it lives");
    let refused = ledgers.of(&1).expect("there was one").tell(crash());
    assert!(matches!(refused, Err(TellError::Stopped(ExitReason::Shutdown, _))), "{refused:?}");
    let gone = TerminateChildError::Unavailable(Unavailable::NotThere);
    assert_eq!(ledgers.resize(&root, 0).await, Err(ResizeError::Stop(gone)));
}
