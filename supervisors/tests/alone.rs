//! Supervisors by themselves, with no feature that another crate has turned on, on a real clock. The bulk of their
//! tests is in the package minder-tests, on a virtual one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use minder_runtime::{Actor, AskError, Context, ExitReason, Handled, Reply, System};
use minder_supervisors::{Restart, Spec, actor, actor_in, one_for_all, one_for_one, task, tree};

struct Worker;

enum Msg {
    Life(Reply<u32>),
    Crash(Reply<u32>),
}

impl Actor for Worker {
    type Msg = Msg;

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Life(reply) => {
                let _ = reply.send(context.id().incarnation());
            }
            Msg::Crash(_in_hand) => panic!("boom"),
        }
        Ok(())
    }
}

fn system() -> System {
    System::new().expect("inside a runtime, unwinding")
}

fn tolerant(spec: Spec) -> Spec {
    spec.limit(100, Duration::from_secs(1))
}

#[tokio::test]
async fn a_crashed_child_is_restarted_behind_its_address_and_its_group_with_it() {
    let system = system();
    let ((a, seat_a), (b, seat_b)) = (system.address(), system.address());
    let group = tolerant(one_for_all()).child(actor_in("a", seat_a, || Worker));
    let spec = tolerant(one_for_one()).child(tree("group", group.child(actor_in("b", seat_b, || Worker))));
    spec.start(&system, "top").await.expect("starts");
    for life in 1..=3 {
        assert!(matches!(b.ask(Msg::Life).await, Ok(it) if it == life));
        let crashed = a.ask(Msg::Crash).await;
        assert!(matches!(crashed, Err(AskError::Crashed(ExitReason::Panic(_)))), "{crashed:?}");
        assert!(matches!(a.ask(Msg::Life).await, Ok(it) if it == life + 1));
    }
    assert_eq!(&*a.path(), "top/group/a");
    assert!(system.shutdown(Duration::from_secs(60)).await.is_clean());
    assert_eq!(system.living(), 0);
}

#[tokio::test]
async fn too_many_crashes_end_the_tree() {
    let system = system();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let child = task("it", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Err("no") }
    });
    let root = one_for_one().limit(4, Duration::from_secs(3600)).child(child).start(&system, "top").await;
    let root = root.expect("a function is up as soon as it runs");
    assert_eq!((root.ended().await, runs.load(Ordering::SeqCst)), (ExitReason::Shutdown, 5));
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing_behind_and_says_why() {
    let system = system();
    let failing = || Err::<Worker, _>(ExitReason::other("no disk"));
    let spec = one_for_one().child(actor("a", || Worker)).child(actor("b", failing));
    let reason = spec.start(&system, "top").await.expect_err("b does not start");
    assert_eq!(reason.to_string(), "the tree did not start: shutdown: child `b` failed to start: no disk");
    assert_eq!(system.living(), 0);
}

#[tokio::test]
async fn a_spec_that_makes_no_sense_is_refused() {
    let spec =
        one_for_one().child(actor("a", || Worker).restart(Restart::Transient)).child(actor("a", || Worker));
    let refused = spec.start(&system(), "top").await.expect_err("two of the same name").to_string();
    assert!(
        refused.ends_with("children 0 and 1 are both called `a`; give one of them another id"),
        "{refused}"
    );
}
