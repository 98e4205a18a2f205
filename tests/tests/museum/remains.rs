//! What a life left behind, or what went on beside it: two lives at once, orphans, restarts that came too late, and what
//! nobody needed any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minder::prelude::*;
use minder_fault_injection::testkit::Kit;

use crate::support::*;

/// How many are inside at once, and how many were at most.
#[derive(Clone, Default)]
struct Room {
    inside: Arc<AtomicU32>,
    most: Arc<AtomicU32>,
}

impl Room {
    fn enter(&self) -> Inside {
        let now = self.inside.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        Inside(self.inside.clone())
    }

    fn inside(&self) -> u32 {
        self.inside.load(Ordering::Relaxed)
    }

    fn most(&self) -> u32 {
        self.most.load(Ordering::Relaxed)
    }
}

/// Is inside until it is dropped.
struct Inside(Arc<AtomicU32>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Needs the room for itself, and takes its time to leave it.
struct Owner(#[expect(dead_code, reason = "it is held")] Inside);

impl Owner {
    fn in_room(room: &Room) -> impl Fn() -> Self + Clone + Send + Sync + 'static {
        let room = room.clone();
        move || Self(room.enter())
    }
}

impl Actor for Owner {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.trap_exit(true);
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Err(Plain("no more").into())
    }

    async fn stopping(&mut self, _: &ExitReason, context: &mut Context<()>) {
        context.sleep(SECOND).await;
    }
}

/// tqwewe/kameo#387: the next life ran its start while the one before was still in its clean-up, so that both held the same
/// resource. Here nobody hears of an end before it is complete: clean-up, drop, blocking closures and timers come first,
/// and the supervisor begins the next life only when it has heard.
#[minder_fault_injection::test(seeds = 50)]
async fn kameo_387_a_new_life_begins_while_the_old_one_cleans_up(kit: Kit) {
    let room = Room::default();
    let it = kit.supervise("it", Owner::in_room(&room)).await;
    for generation in 2..6 {
        it.tell(()).expect("there is room");
        kit.settle().await;
        assert!(it.is_alive(), "it cleans up");
        assert_eq!(kit.generation(&it), generation - 1);
        if one_in(&kit, 2) {
            it.kill(); // in the middle of its clean-up
        }
        kit.advance(2 * SECOND).await;
        assert_eq!(kit.generation(&it), generation);
    }
    assert_eq!((room.inside(), room.most()), (1, 1));
}

/// anthdm/hollywood#196 and anthdm/hollywood#198: when its restarts were spent, an actor was told twice that it had stopped,
/// and the clean-up for that case called what was not there, so that the whole process died. Here giving up is a decision
/// like any other, and every end is told exactly once to each who is to hear of it.
#[minder_fault_injection::test(seeds = 50)]
async fn hollywood_196_the_end_of_the_last_life_is_told_twice(kit: Kit) {
    let (it, seat) = kit.address();
    let notes = Notes::default();
    let its = notes.clone();
    let spec = one_for_one().limit(0, SECOND).child(actor_in("it", seat, move || Player::new("it", &its)));
    let root = kit.start(spec).await;
    let mut watcher = kit.probe::<()>("watcher").await;
    let address = it.clone();
    let monitors = watcher.does(move |context| (context.monitor(&address), context.monitor_final(&address)));
    monitors.await;
    watcher.link(&it).await;
    it.tell(crash()).expect("there is room");
    assert_eq!(root.ended().await, ExitReason::Shutdown);
    kit.settle().await;
    assert_eq!(notes.count("it gone"), 1);
    assert_eq!(
        notes.all().iter().filter(|line| line.starts_with("it stopping")).count(),
        0,
        "not after a panic"
    );
    let notices = watcher.notices();
    let downs = notices.iter().filter(|notice| matches!(notice, Notice::Down(_))).count();
    let exits = notices.iter().filter(|notice| matches!(notice, Notice::Exit(_))).count();
    assert_eq!((downs, exits), (2, 1), "{notices:?}");
    assert_eq!(kit.exits_of(&it).len(), 1);
    assert!(kit.system().spawn(|| Player::new("another", &Notes::default())).is_ok(), "life goes on");
}

/// tqwewe/kameo#393: a child that had ended for good stayed in its supervisor's book, and with it its factory, what that had
/// captured, and its mailbox, until the supervisor itself ended. Here what a temporary child was made of is let go as soon as it is
/// up, the rest is forgotten when it has ended, and a helper takes all of its own along.
#[minder_fault_injection::test(seeds = 10)]
async fn kameo_393_a_finished_child_is_kept_for_ever(kit: Kit) {
    let treasure = Arc::new(());
    let mut spec = one_for_one();
    let mut children = Vec::new();
    for number in 0..10 {
        let ((it, seat), held, its) = (kit.address(), treasure.clone(), Notes::default());
        let child = actor_in(&number.to_string(), seat, move || {
            let _factory_holds = &held;
            Player::new("it", &its)
        });
        spec = spec.child(child.restart(Restart::Temporary));
        children.push(it);
    }
    let (it, seat) = kit.address();
    let its = Notes::default();
    let root = kit.start(spec.child(actor_in("parent", seat, move || Player::new("parent", &its)))).await;
    assert_eq!(Arc::strong_count(&treasure), 1, "nobody needs to be made again");
    assert_eq!(root.count_children().await.expect("it lives").specs, 11);
    for (number, child) in children.iter().enumerate() {
        let ending = if number % 2 == 0 { end(ExitReason::Normal) } else { crash() };
        child.tell(ending).expect("there is room");
    }
    kit.settle().await;
    assert_eq!(root.count_children().await.expect("it lives").specs, 1, "it holds nothing of theirs");
    assert!(root.address().is_alive());
    for child in &children {
        assert!(child.tell(Msg::Mark(1)).is_err(), "its seat is given up");
    }

    let held = treasure.clone();
    let spawns = act(move |_, context| {
        for _ in 0..1_000 {
            let (held, notes) = (held.clone(), Notes::default());
            let helper = context.spawn("helper", move || {
                let mut player = Player::new("helper", &notes);
                player.kept.push(Box::new(held));
                player
            })?;
            drop(helper.tell(end(ExitReason::Normal)));
        }
        Ok(())
    });
    it.tell(spawns).expect("there is room");
    kit.settle().await;
    assert_eq!((Arc::strong_count(&treasure), kit.system().living()), (1, 2), "the supervisor, the parent");
}

/// gleam-lang/otp#96 and gleam-lang/otp#65: a supervisor could not be killed, and one that ended left its children running, so
/// that the next one found their port taken. Here a child is linked to its minder in the act of starting: however a
/// supervisor ends, all below it end too, and a new life waits until the last of them has left.
/// OTP: SUP-104.
#[minder_fault_injection::test(seeds = 100)]
async fn gleam_otp_96_a_killed_supervisor_leaves_its_children_running(kit: Kit) {
    let rooms = [Room::default(), Room::default()];
    let (seat, deep) = (kit.address().1, kit.address().1);
    let below = one_for_one().child(actor_in("leaf", deep, Owner::in_room(&rooms[0])));
    let branch =
        one_for_one().child(tree("twig", below)).child(actor_in("leaf", seat, Owner::in_room(&rooms[1])));
    let root = kit.start(one_for_one().limit(10, HOUR).child(tree("branch", branch))).await;
    let living = kit.system().living();
    for _ in 0..3 {
        assert!(kit.is_alive("app/branch"));
        some_turns(&kit).await;
        kit.kill("app/branch").await;
        kit.advance(5 * SECOND).await;
        assert_eq!(kit.system().living(), living, "everybody lives once");
        assert!(rooms.iter().all(|room| room.inside() == 1));
        assert!(rooms.iter().all(|room| room.most() == 1), "and never twice");
    }
    kit.kill(root.address()).await;
    kit.advance(5 * SECOND).await;
    assert_eq!(kit.system().living(), 0, "nobody is left");
    assert!(rooms.iter().all(|room| room.inside() == 0));
}

/// erlang/otp#5201: to stop a child, a supervisor took its link to it back first, and if it died at this very moment the child
/// went on without anybody who knew of it. Here a child stays tied to its minder until it has ended; the supervisor is
/// killed at every moment of a group restart and of a shutdown, and nobody is left.
/// OTP: SUP-109.
#[minder_fault_injection::test(seeds = 200)]
async fn erlang_otp_5201_a_child_is_orphaned_while_it_is_being_stopped(kit: Kit) {
    let rooms = [Room::default(), Room::default(), Room::default()];
    let mut below = one_for_all().limit(1_000, SECOND);
    for (number, room) in rooms.iter().enumerate() {
        below = below.child(actor_in(&number.to_string(), kit.address().1, Owner::in_room(room)));
    }
    let root = kit.start(one_for_one().limit(1_000, SECOND).child(tree("branch", below))).await;
    let living = kit.system().living();
    for _ in 0..3 {
        // One is killed, so that the others are stopped, one second each; somewhere on the way their supervisor dies.
        kit.kill("branch/1").await;
        kit.advance(less_than(&kit, 2_500)).await;
        some_turns(&kit).await;
        kit.kill("app/branch").await;
        kit.advance(10 * SECOND).await;
        assert_eq!(kit.system().living(), living, "everybody lives once");
        assert!(rooms.iter().all(|room| room.inside() == 1));
        assert!(rooms.iter().all(|room| room.most() == 1), "and never twice");
    }
    let stopping = {
        let kit = kit.clone();
        kit.clone().spawn("stops it all", async move { kit.shutdown().await })
    };
    kit.advance(less_than(&kit, 2_500)).await;
    if root.address().is_alive() {
        kit.kill(root.address()).await;
    }
    stopping.await.expect("it does not panic");
    kit.advance(10 * SECOND).await;
    assert_eq!(kit.system().living(), 0, "nobody is left");
}

/// fastrepl/anarlog#6870: a restart that had been put off came after all when its child had long been terminated or
/// replaced, and brought it back or clobbered the new one. Here a restart that is to be tried again is a message to the
/// supervisor itself, and means nothing to a child that has come up otherwise or is not wanted any more.
#[minder_fault_injection::test(seeds = 200)]
async fn anarlog_6870_a_restart_that_was_put_off_comes_after_all(kit: Kit) {
    let (room, failures) = (Room::default(), Arc::new(AtomicU32::new(0)));
    let (first, seat) = kit.address();
    let (notes, its, failing) = (Notes::default(), Notes::default(), failures.clone());
    let (second, own) = (room.clone(), notes.clone());
    let spec = rest_for_one()
        .limit(1_000, SECOND)
        .child(actor_in("first", seat, move || Player::new("first", &its)))
        .child(actor("second", move || {
            own.add("second is tried");
            let left = failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            if left.is_ok() { Err(Plain("not yet")) } else { Ok(Owner::in_room(&second)()) }
        }));
    let root = kit.start(spec).await;
    failures.store(1, Ordering::Relaxed);
    let crashing = {
        let (kit, first) = (kit.clone(), first.clone());
        kit.clone().spawn("crashes the first", async move {
            some_turns(&kit).await;
            first.tell(crash()).expect("there is room");
        })
    };
    kit.kill("second").await;
    crashing.await.expect("it does not panic");
    kit.advance(5 * SECOND).await;
    let tried = notes.count("second is tried");
    assert!((3..=5).contains(&tried), "one start, one that failed, one or two more: {tried}");
    assert_eq!((room.inside(), room.most()), (1, 1));
    assert!(kit.is_alive("second") && kit.is_alive(&first));

    // And once it is not wanted any more, it does not come at all.
    failures.store(u32::MAX, Ordering::Relaxed);
    kit.kill("first").await;
    let report = kit.shutdown().await;
    assert!(report.is_clean(), "{report}");
    let tried = notes.count("second is tried");
    kit.advance(HOUR).await;
    assert_eq!((notes.count("second is tried"), room.inside()), (tried, 0));
    assert!(!root.address().is_alive());
}
