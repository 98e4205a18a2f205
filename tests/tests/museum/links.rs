//! Links and monitors that deadlocked, overflowed, or said nothing.

use std::sync::{Arc, Barrier};

use minder::prelude::*;
use minder_fault_injection::testkit::Kit;

use crate::support::*;

fn link_to(other: &Addr<Msg>) -> Msg {
    let other = other.clone();
    act(move |_, context| context.link(&other))
}

/// As soon as both are at it, so that they meet.
fn link_again_and_again(other: &Addr<Msg>, both: &Arc<Barrier>) -> Msg {
    let (other, both) = (other.clone(), both.clone());
    act(move |_, context| {
        both.wait();
        for _ in 0..10_000 {
            context.link(&other)?;
            context.unlink(&other);
        }
        Ok(())
    })
}

/// tqwewe/kameo#220 and actor-framework/actor-framework#536: two actors that linked each other at the same time each held their own
/// lock and waited for the other's. Here what two actors must agree on is changed with both locks held, and these are
/// taken in the same order whoever asks; pairs link and unlink each other on several threads, and all of them come through.
#[test]
fn kameo_220_two_actors_that_link_each_other_deadlock() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .expect("there are threads");
    // Not on this thread: it is to wait for them and no longer than a minute, whatever they wait for.
    let all = async {
        let system = System::new().expect("the test runs in a runtime and unwinds");
        let player = |name| system.spawn(move || Player::new(name, &Notes::default())).expect("it is open");
        let pairs: Vec<_> = (0..8).map(|_| (player("one"), player("other"))).collect();
        // One pair after the other: two of the threads are held by those who wait for each other.
        for (one, other) in &pairs {
            let both = Arc::new(Barrier::new(2));
            one.tell(link_again_and_again(other, &both)).expect("there is room");
            other.tell(link_again_and_again(one, &both)).expect("there is room");
            one.tell(link_to(other)).expect("there is room");
            other.tell(link_to(one)).expect("there is room");
            assert_eq!(one.ask_within(HOUR, Msg::Life).await.ok(), Some(1));
            assert_eq!(other.ask_within(HOUR, Msg::Life).await.ok(), Some(1));
            one.tell(crash()).expect("there is room");
        }
        for (one, other) in &pairs {
            assert_eq!(
                (short(&one.ended().await), short(&other.ended().await)),
                ("panic boom".into(), "panic boom".into())
            );
        }
    };
    let come_through = runtime.block_on(async { surely(aside(all)).await });
    // Threads that hold locks for ever are left alone.
    runtime.shutdown_background();
    come_through.expect("they wait for each other").expect("nobody panics");
}

/// tqwewe/kameo#229: an actor was linked as it was spawned, its start failed, and nobody who was linked to it heard of that.
/// Here a start that fails is an end like any other: whoever it had linked itself with, watches it or minds it is told, and
/// why; and one who comes too late is told that at once.
#[minder_fault_injection::test(seeds = 50)]
async fn kameo_229_links_are_not_told_that_a_start_failed(kit: Kit) {
    for panics in [false, true] {
        let mut linked = kit.probe::<()>("linked").await;
        let (it, seat) = kit.address();
        let watched = it.clone();
        linked.does(move |context| context.monitor_final(&watched)).await;
        let (peer, its) = (linked.address().clone(), Notes::default());
        let make = move || {
            let peer = peer.clone();
            Player::new("it", &its).at_start(move |context| {
                context.link(&peer)?;
                assert!(!panics, "no luck");
                Err(Plain("no luck").into())
            })
        };
        let started = one_for_one().child(actor_in("it", seat, make)).start(kit.system(), "app").await;
        let reason = if panics { "panic no luck" } else { "error: no luck" };
        assert!(started.expect_err("it fails").to_string().contains("no luck"));
        let notices = [linked.next_notice().await, linked.next_notice().await];
        let told: Vec<String> = notices
            .iter()
            .map(|notice| match notice {
                Notice::Exit(exit) => format!("exit {}", short(&exit.reason)),
                Notice::Down(down) => format!("down {}", short(&down.reason)),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [format!("exit {reason}"), format!("down {reason}")]);
        linked.monitor(&it).await;
        let Notice::Down(late) = linked.next_notice().await else { panic!("it is told") };
        assert_eq!(late.reason, ExitReason::NoActor);
        kit.kill(&linked).await;
    }
}

/// slawlor/ractor#167 and slawlor/ractor#168: two actors that were linked both ways stopped each other until the stack was full, and
/// the process with it. Here a link is one link whoever makes it, each end tells those it knew and forgets them, and a
/// death goes through a ring of any length one life after the other, not one call inside the other.
#[minder_fault_injection::test]
async fn ractor_167_actors_linked_both_ways_overflow_the_stack(kit: Kit) {
    let system = System::new().expect("in a simulation");
    let player = || system.spawn(|| Player::new("it", &Notes::default())).expect("it is open");
    let ring: Vec<_> = (0..20_000).map(|_| player()).collect();
    for (at, it) in ring.iter().enumerate() {
        let next = &ring[(at + 1) % ring.len()];
        it.tell(link_to(next)).expect("there is room");
        next.tell(link_to(it)).expect("there is room");
    }
    kit.settle().await;
    assert_eq!(system.living(), ring.len());
    ring[0].tell(crash()).expect("there is room");
    kit.settle().await;
    assert_eq!(system.living(), 0);
    let reasons: Vec<_> = [1, ring.len() / 2].into_iter().map(|at| ring[at].clone()).collect();
    for it in reasons {
        assert_eq!(short(&it.ended().await), "panic boom", "the reason goes all the way round");
    }
}

/// slawlor/ractor#170 and slawlor/ractor#317: to hear of an actor's end one had to link oneself with it, and so to share its fate;
/// monitors were taken out, missed, and brought back. Here a monitor is one-way and costs its watcher nothing, there may be
/// several, and one that is taken back says nothing any more, not even what stood in the lane already.
#[minder_fault_injection::test(seeds = 50)]
async fn ractor_170_one_cannot_watch_an_actor_without_sharing_its_fate(kit: Kit) {
    let (notes, its) = (Notes::default(), Notes::default());
    let it = kit.supervise("it", move || Player::new("it", &its)).await;
    let own = notes.clone();
    let watcher = kit.supervise("watcher", move || Player::new("watcher", &own)).await;
    let watched = it.clone();
    let watch = wait(move |_, context| {
        Box::pin(async move {
            let taken_back = context.monitor(&watched);
            context.monitor(&watched);
            context.monitor(&watched);
            // It ends while this handler waits: all three notices stand in the lane then.
            watched.kill();
            context.sleep(SECOND).await;
            assert!(!context.demonitor(taken_back), "it has fired");
            Ok(())
        })
    });
    watcher.tell(watch).expect("there is room");
    kit.advance(2 * SECOND).await;
    assert_eq!(notes.take(), ["watcher up", "watcher sees killed", "watcher sees killed"]);
    assert_eq!((kit.generation(&watcher), kit.generation(&it)), (1, 2), "it lives on");
    kit.kill(&watcher).await;
    assert_eq!(kit.generation(&it), 2, "and whom it had watched does not notice its end");
}

/// gleam-lang/otp#133: a tree did not start, and all that was said was `shutdown`; which child had failed, and why, was thrown
/// away on the way up. Here each supervisor adds which child it was, and the reason of the deepest one comes along,
/// as text and as a chain of errors.
#[minder_fault_injection::test]
async fn gleam_otp_133_a_failed_start_does_not_say_which_child_nor_why(kit: Kit) {
    let leaf = actor("leaf", || Err::<Player, _>(Plain("the port is taken")));
    let twig = one_for_one().child(actor("sound", || Player::new("sound", &Notes::default()))).child(leaf);
    let spec = one_for_one().child(tree("branch", one_for_one().child(tree("twig", twig))));
    let reason = spec.start(kit.system(), "app").await.expect_err("the leaf does not start");
    let text = reason.to_string();
    let places: Vec<_> = ["branch", "twig", "leaf", "the port is taken"].map(|word| text.find(word)).into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    kit.settle().await;
    assert_eq!(kit.system().living(), 0, "what had come up was stopped again");
}

/// tqwewe/kameo#375: that an actor had panicked was said of panics and of errors alike, so that one had to guess which it was.
/// Here a panic and an error are different reasons, and of a failed start the minder hears that it was one.
#[minder_fault_injection::test]
async fn kameo_375_a_panic_cannot_be_told_from_an_error(kit: Kit) {
    type Ending = fn() -> Msg;
    let rows: [(Ending, &str); 4] = [
        (crash, "panic"),
        (|| act(|_, _| Err(Plain("no").into())), "error"),
        (|| end(ExitReason::error(Plain("no"))), "error"),
        (|| end(ExitReason::other("enough")), "other"),
    ];
    for (ending, kind) in rows {
        let it = kit.system().spawn(|| Player::new("it", &Notes::default())).expect("it is open");
        it.tell(ending()).expect("there is room");
        assert_eq!(it.ended().await.kind(), kind);
    }
    for (panics, kind) in [(true, "panic"), (false, "error")] {
        let failing = move || {
            Player::new("it", &Notes::default()).at_start(move |_| {
                assert!(!panics, "no");
                Err(Plain("no").into())
            })
        };
        let it = kit.system().spawn(failing).expect("it is open");
        assert_eq!(it.ended().await.kind(), kind);
        let exits = kit.exits();
        let last = exits.last().expect("it has ended");
        assert_eq!((last.started, last.reason.kind()), (false, kind), "a start that failed");
    }
}
