//! Scopes of groups in a tree: one made inside a supervised start ends with that life, one made outside outlives it.

use std::sync::{Arc, Mutex};

use minder::groups::{GroupEvent, Groups, JoinError, Member, Tenure};
use minder::prelude::*;
use minder::supervisors::{Root, Supervisor, tree_from};

use crate::support::*;

/// How the supervisor of a scope comes to be restarted.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It is killed, and its children with it.
    Killed,
    /// Its keeper crashes more often than it tolerates.
    GivesUp,
    /// It is stopped and started by request.
    ByRequest,
}

const ENDS: [End; 3] = [End::Killed, End::GivesUp, End::ByRequest];

/// Returns when the next life of it is up.
async fn restart(root: &Root, end: End) {
    let scope = root.subtree("scope").await.expect("it is up");
    match end {
        End::Killed => assert!(scope.address().kill()),
        End::GivesUp => {
            let keeper = scope.which_child("groups").await.expect("it is up");
            assert!(keeper.actor().expect("it is up").kill());
        }
        End::ByRequest => {
            root.terminate_child("scope").await.expect("it is there");
            root.restart_child("scope").await.expect("it starts again");
        }
    }
    turns().await;
}

/// A worker that writes down whom it finds in the groups that are offered to it, and joins for its life.
fn worker(journal: &Journal) -> impl Fn() -> Puppet + Clone + Send + Sync + 'static {
    let journal = journal.clone();
    move || {
        Puppet::new("worker", &journal).on_start(|worker, context| {
            let group = context.service::<Groups>()?.group::<Msg>("it");
            worker.note(format!("finds {}", group.members().len()));
            group.join(context)?;
            Ok(())
        })
    }
}

/// The worker's life, and the seat of somebody who lives elsewhere and has joined.
fn seats(groups: &Groups) -> Vec<bool> {
    let members = groups.group::<Msg>("it").members();
    members.iter().map(|member| matches!(member.tenure(), Tenure::Seat(_))).collect()
}

/// Nobody is in the new one, and no handle of the old one brings anybody there.
/// OTP: PG-008.
#[tokio::test(start_paused = true)]
async fn a_scope_made_inside_a_start_begins_empty_after_a_restart() {
    for end in ENDS {
        let system = system();
        let (journal, mut reader) = journal();
        let made: Arc<Mutex<Vec<Groups>>> = Arc::default();
        let make = {
            let (system, made, worker) = (system.clone(), made.clone(), worker(&journal));
            move || {
                let (groups, keeper) = Groups::new(&system);
                made.lock().expect("nobody panics").push(groups.clone());
                let scope = one_for_one().limit(0, SECOND).offer(groups.clone());
                let scope = scope.child(actor_in("groups", keeper, groups.keeper()));
                Supervisor::new(&scope.child(actor("worker", worker.clone())))
            }
        };
        let spec = tolerant(one_for_one()).child(tree_from("scope", make));
        let root = spec.start(&system, "top").await.expect("starts");
        let last = || made.lock().expect("nobody panics").last().cloned().expect("one was made");
        let old = last();
        let stranger = Member::seat(&spawn(&system, "stranger", &self::journal().0));
        old.group("it").join_many(std::slice::from_ref(&stranger)).expect("open");
        let watch = old.group::<Msg>("it").watch();
        assert!(matches!(watch.next().await, Some(GroupEvent::Members(all)) if all.len() == 2));
        assert_eq!(
            (reader.rest(), seats(&old)),
            (vec!["worker finds 0".into(), "worker up".into()], vec![false, true])
        );

        restart(&root, end).await;
        let lines = reader.rest();
        assert_eq!(lines[lines.len() - 2..], ["worker finds 0", "worker up"], "{end:?}");
        assert_eq!(made.lock().expect("nobody panics").len(), 2, "{end:?}");
        let new = last();
        assert_eq!(
            seats(&new),
            [false],
            "{end:?}: the new life of the worker, who has joined, and nobody else"
        );

        // What is left of the old one is over, and apart from the new one.
        let refused = old.group("it").join_many(std::slice::from_ref(&stranger));
        assert!(matches!(refused, Err(JoinError::Stopped(_))), "{end:?}: {refused:?}");
        let told = async { while watch.next().await.is_some() {} };
        soon(told).await;
        assert!(old.group::<Msg>("it").leave(&stranger).is_ok());
        assert_eq!(seats(&new), [false], "{end:?}");
        new.group("it").join_many(&[stranger]).expect("this one is open");
        assert_eq!((seats(&new), seats(&old).contains(&true)), (vec![false, true], false), "{end:?}");
        assert!(root.subtree("scope").await.expect("it is up").address().is_alive());
    }
}

/// As a seat made outside outlives a supervisor: who is in it stays, and who ended meanwhile has left.
#[tokio::test(start_paused = true)]
async fn a_scope_made_outside_outlives_the_supervisor_of_its_keeper() {
    for end in ENDS {
        let system = system();
        let (journal, mut reader) = journal();
        let (groups, keeper) = Groups::new(&system);
        let scope = one_for_one().limit(0, SECOND).offer(groups.clone());
        let scope = scope.child(actor_in("groups", keeper, groups.keeper()));
        let scope = scope.child(actor("worker", worker(&journal)));
        let spec = tolerant(one_for_one()).child(tree("scope", scope));
        let root = spec.start(&system, "top").await.expect("starts");
        let stranger = Member::seat(&spawn(&system, "stranger", &self::journal().0));
        groups.group("it").join_many(&[stranger]).expect("open");
        assert_eq!(seats(&groups), [false, true]);
        reader.rest();

        restart(&root, end).await;
        let lines = reader.rest();
        // Its former life has left, or is seen to have by the keeper, which starts before it.
        assert!(lines.contains(&"worker finds 1".into()), "{end:?}: {lines:?}");
        assert_eq!(seats(&groups), [true, false], "{end:?}");
    }
}
