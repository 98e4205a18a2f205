//! What is not promised, and is said so: a lock that actors share is unlocked by a kill and not poisoned, so whoever
//! comes next sees what was left half done.

use std::sync::Arc;

use minder::prelude::*;
use minder_fault_injection::testkit::Kit;
use tokio::sync::{Mutex, Notify};

/// Takes from the one and gives to the other, with an await in between.
struct Mover {
    shared: Arc<Mutex<[u64; 2]>>,
    taken: Arc<Notify>,
}

#[actor]
impl Mover {
    #[tell]
    async fn carry(&mut self) {
        let mut shared = self.shared.lock().await;
        shared[0] -= 10;
        self.taken.notify_one();
        std::future::pending::<()>().await;
        shared[1] += 10;
    }
}

#[minder_fault_injection::test(seeds = 10)]
async fn a_shared_lock_is_not_poisoned_by_a_kill_and_shows_what_was_half_done(kit: Kit) {
    let (shared, taken) = (Arc::new(Mutex::new([100, 0])), Arc::new(Notify::new()));
    let (its_shared, its_taken) = (shared.clone(), taken.clone());
    let make = move || Mover { shared: its_shared.clone(), taken: its_taken.clone() };
    let mover = kit.supervise("mover", make).await;
    mover.carry().tell().expect("there is room");
    taken.notified().await;
    assert!(shared.try_lock().is_err(), "it holds the lock over its await");
    kit.kill(&mover).await;
    assert_eq!(*shared.try_lock().expect("the kill has let go of it"), [90, 0]);
}
