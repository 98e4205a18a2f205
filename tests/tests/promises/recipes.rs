//! What children are started with: kept by their supervisor for as long as it may start them again, and not longer.

use std::sync::Arc;

use minder::prelude::*;
use minder::supervisors::{
    ApplyError, EnableChildError, StartChildError, StartInstanceError, Tasks, dynamic_children, rest_for_one,
    tree_in,
};

use crate::apply::{puppet, shown};
use crate::support::*;

/// Those whose children are known beforehand.
const KINDS: [fn() -> Spec; 4] = [one_for_one, one_for_all, rest_for_one, by_needs];

/// A child that was started with this.
fn with(id: &'static str, given: &Arc<()>, journal: &Journal) -> Child {
    let (given, journal) = (given.clone(), journal.clone());
    actor(id, move || {
        let _its = &given;
        Puppet::new(id, &journal)
    })
}

/// Whether somebody but the test holds it.
fn is_kept(given: &Arc<()>) -> bool {
    Arc::strong_count(given) > 1
}

/// Dropped once it is up, whatever looks after it, if it is temporary; else kept. What a process has taken for itself is its own.
///
/// OTP: SUP-028.
#[tokio::test(start_paused = true)]
async fn what_a_temporary_child_was_started_with_is_not_kept() {
    let restarts = [(Restart::Temporary, false), (Restart::Transient, true), (Restart::Permanent, true)];
    for (restart, expected) in restarts {
        for spec in KINDS {
            let (system, (journal, mut reader)) = (system(), journal());
            let (given, added, again) = (Arc::new(()), Arc::new(()), Arc::new(()));
            let child = with("a", &given, &journal).restart(restart);
            let root = spec().child(child).start(&system, "top").await.expect("starts");
            root.start_child(with("b", &added, &journal).restart(restart)).await.expect("its id is free");
            let (its, seat) = (again.clone(), system.address().1);
            let writes = journal.clone();
            let child = actor_in("c", seat, move || {
                let _its = &its;
                Puppet::new("c", &writes)
            });
            root.start_child(child.restart(restart)).await.expect("its id is free");
            reader.expect(&["a up", "b up", "c up"]).await;
            for given in [&given, &added, &again] {
                assert_eq!(is_kept(given), expected, "{restart:?}");
            }
        }
        let (system, (journal, mut reader)) = (system(), journal());
        let root = dynamic_children().start(&system, "pool").await.expect("starts with nobody");
        let (given, below) = (Arc::new(()), Arc::new(()));
        root.start_child(with("a", &given, &journal).restart(restart)).await.expect("there is room");
        let inner = one_for_one().child(with("b", &below, &journal).restart(restart));
        root.start_child(tree("inner", inner).restart(restart)).await.expect("there is room");
        reader.expect(&["a up", "b up"]).await;
        assert_eq!((is_kept(&given), is_kept(&below)), (expected, expected), "{restart:?}");

        let given = Arc::new(());
        let template = template("it", move |_: Arc<()>| Puppet::new("it", &journal)).restart(restart);
        let root = dynamic(&template).start(&system, "pool").await.expect("starts with nobody");
        root.pool(&template).start(given.clone()).await.expect("there is room").expect("it runs");
        assert_eq!(is_kept(&given), expected, "{restart:?}");

        let (tasks, seat) = Tasks::new(&system);
        let tree = one_for_one().child(tree_in("tasks", seat, tasks.supervisor()));
        tree.start(&system, "app").await.expect("there is nothing to fail");
        let its = given.clone();
        let run = move || {
            let _its = &its;
            std::future::pending::<()>()
        };
        let before = Arc::strong_count(&given);
        tasks.start_as(restart, run).await.expect("there is room");
        turns().await;
        let kept = Arc::strong_count(&given) - before;
        assert_eq!(kept, usize::from(expected), "beside what the task itself has: {restart:?}");
    }
}

/// A start that fails or finds nothing to run leaves nothing of what it was made with, either.
///
/// OTP: SUP-028.
#[tokio::test(start_paused = true)]
async fn what_did_not_come_up_is_not_kept() {
    for spec in [one_for_one as fn() -> Spec, by_needs] {
        let (system, given) = (system(), Arc::new(()));
        let root = spec().start(&system, "top").await.expect("starts with nobody");
        let start = async |make: fn() -> Result<Option<Puppet>, Plain>| {
            let its = given.clone();
            let child = actor("it", move || {
                let _its = &its;
                make()
            });
            root.start_child(child.restart(Restart::Temporary)).await
        };
        let refused = start(|| Err(Plain("no"))).await;
        assert!(matches!(refused, Err(StartChildError::Failed(_))), "{refused:?}");
        assert!(!is_kept(&given));
        let ignored = start(|| Ok(None)).await;
        assert!(matches!(ignored, Ok(None)), "{ignored:?}");
        assert!(!is_kept(&given));
    }
}

/// Under another specification a temporary child may be one that is restarted, or the other way round. It is left alone, and its
/// recipe is the new specification's, or let go.
#[tokio::test(start_paused = true)]
async fn a_recipe_comes_back_with_another_specification() {
    for spec in [one_for_one as fn() -> Spec, by_needs] {
        let (system, (journal, mut reader)) = (system(), journal());
        let given = Arc::new(());
        let child = with("it", &given, &journal);
        let with_type = |restart| tolerant(spec()).child(child.clone().restart(restart));
        let root = with_type(Restart::Temporary).start(&system, "top").await.expect("starts");
        reader.expect(&["it up"]).await;
        let it = move |all: &[minder::supervisors::ChildInfo]| {
            all[0].actor().and_then(minder::ActorRef::address::<Msg>).expect("it is up")
        };
        let first = it(&root.which_children().await.expect("it lives"));
        root.apply(with_type(Restart::Permanent)).await.expect("it makes sense");
        assert_eq!(reader.rest(), Vec::<String>::new(), "it is left alone");
        first.tell(crash()).expect("there is room");
        reader.expect(&["it up"]).await;
        assert_eq!(life(&first).await, 2, "in its seat");

        root.apply(with_type(Restart::Temporary)).await.expect("it makes sense");
        drop(child);
        assert_eq!(life(&first).await, 2, "it is left alone");
        assert!(!is_kept(&given));
    }
}

/// A temporary child that shares the fate of one that is replaced is started anew by the change, and has its seat.
#[tokio::test(start_paused = true)]
async fn a_temporary_child_is_started_anew_by_a_change() {
    let (system, (journal, mut reader)) = (system(), journal());
    let given = Arc::new(());
    let second = with("b", &given, &journal).restart(Restart::Temporary);
    let spec = |first: Child| one_for_all().child(first).child(second.clone());
    let root = spec(with("a", &given, &journal)).start(&system, "top").await.expect("starts");
    reader.expect(&["a up", "b up"]).await;
    let all = root.which_children().await.expect("it lives");
    let b = all.iter().find(|child| child.id.as_ref().is_some_and(|id| &**id == "b"));
    let b = b.and_then(|child| child.actor()).and_then(minder::ActorRef::address::<Msg>).expect("it is up");
    root.apply(spec(with("a", &given, &journal))).await.expect("it makes sense");
    reader.expect(&["a up", "b up"]).await;
    assert_eq!(life(&b).await, 2);
}

/// Instances that were started by a temporary template stay temporary under another: nobody has kept what they were started with.
#[tokio::test(start_paused = true)]
async fn instances_that_are_temporary_stay_so() {
    let (system, (journal, mut reader)) = (system(), journal());
    let given = Arc::new(());
    let writes = journal.clone();
    let old = template("it", move |_: Arc<()>| Puppet::new("it", &writes)).restart(Restart::Temporary);
    let new = old.clone().restart(Restart::Permanent).shutdown(Shutdown::Infinity);
    let root = tolerant(dynamic(&old)).start(&system, "pool").await.expect("starts with nobody");
    let pool = root.pool(&old);
    let one = pool.start(given.clone()).await.expect("there is room").expect("it runs");
    let plan = root.plan(&tolerant(dynamic(&new))).await.expect("it is dynamic");
    let expected = "rules  (top): restart, for instances to come: Temporary becomes Permanent; \
                    shutdown, for instances to come: Within(5s) becomes Infinity";
    assert_eq!(shown(&plan), [expected]);
    root.apply(tolerant(dynamic(&new))).await.expect("it is dynamic");
    let two = pool.start(given.clone()).await.expect("there is room").expect("it runs");
    assert!(is_kept(&given));
    reader.expect(&["it up", "it up"]).await;
    for it in [&one, &two] {
        it.tell(crash()).expect("there is room");
    }
    turns().await;
    assert_eq!(reader.rest(), ["it up"]);
    assert_eq!((one.is_alive(), life(&two).await), (false, 2));
    let plan = root.plan(&tolerant(dynamic(&old))).await.expect("it is dynamic");
    let expected =
        "rules  (top): restart: Permanent becomes Temporary; shutdown: Infinity becomes Within(5s)";
    assert_eq!(shown(&plan), [expected]);
    root.apply(tolerant(dynamic(&old))).await.expect("it is dynamic");
    assert!(!is_kept(&given));
}

/// A temporary child that was up cannot be disabled, which is for what may be started again: it is stopped, and forgotten.
#[tokio::test(start_paused = true)]
async fn a_temporary_child_that_was_up_is_forgotten_when_it_is_disabled() {
    for spec in [one_for_one as fn() -> Spec, by_needs] {
        let (system, (journal, mut reader)) = (system(), journal());
        let given = Arc::new(());
        let child = with("it", &given, &journal).restart(Restart::Temporary).disabled();
        let root = spec().child(child).start(&system, "top").await.expect("starts with nobody");
        assert!(is_kept(&given), "it has not been up");
        root.enable_child("it").await.expect("it is disabled");
        reader.expect(&["it up"]).await;
        assert!(!is_kept(&given));
        root.disable_child("it").await.expect("it is there");
        assert_eq!(root.enable_child("it").await.map(drop), Err(EnableChildError::NotFound));
    }
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("boom");
    }
}

/// What a factory holds that is dropped with its recipe.
fn bomb(id: &'static str, journal: &Journal) -> Child {
    let (bomb, journal) = (Arc::new(Bomb), journal.clone());
    actor(id, move || {
        let _its = &bomb;
        Puppet::new(id, &journal)
    })
}

const BOOM: &str = "unheard recipe: boom";

/// It is the user's code, wherever a supervisor lets go of it: a panic there is told, and harms neither who looks after the child
/// nor who stands beside it.
#[tokio::test(start_paused = true)]
async fn a_recipe_that_panics_when_it_is_let_go_harms_nobody() {
    for spec in KINDS {
        let (journal, mut reader) = journal();
        let system = listening(&journal);
        let root = spec().child(puppet("idle", &journal)).start(&system, "top").await.expect("starts");
        reader.expect(&["idle up"]).await;
        let start = |id, restart| root.start_child(bomb(id, &journal).restart(restart));

        start("temporary", Restart::Temporary).await.expect("its id is free").expect("it runs");
        reader.expect(&["temporary up", BOOM]).await;
        start("permanent", Restart::Permanent).await.expect("its id is free").expect("it runs");
        reader.expect(&["permanent up"]).await;
        let twice = start("permanent", Restart::Permanent).await;
        assert!(matches!(twice, Err(StartChildError::AlreadyStarted(_))), "{twice:?}");
        reader.expect(&[BOOM]).await;
        root.terminate_child("permanent").await.expect("it is there");
        root.delete_child("permanent").await.expect("it has no process");
        reader.expect(&[BOOM]).await;
        assert_eq!(root.count_children().await.expect("it lives").active, 2);
    }
    let (journal, mut reader) = journal();
    let system = listening(&journal);
    let root = dynamic_children().start(&system, "pool").await.expect("starts with nobody");
    root.start_child(puppet("idle", &journal)).await.expect("there is room");
    root.start_child(bomb("temporary", &journal).restart(Restart::Temporary)).await.expect("there is room");
    reader.expect(&["idle up", "temporary up", BOOM]).await;
    let it = root.start_child(bomb("permanent", &journal)).await.expect("there is room").expect("it runs");
    root.terminate_instance(&it).await.expect("it lives");
    reader.expect(&["permanent up", BOOM]).await;
    assert_eq!(root.count_children().await.expect("it lives").active, 2);
}

/// The same of what instances are made from.
#[tokio::test(start_paused = true)]
async fn what_an_instance_is_made_from_and_panics_when_it_is_let_go_harms_nobody() {
    let (journal, mut reader) = journal();
    let system = listening(&journal);
    let writes = journal.clone();
    let make = move |_: Arc<Bomb>| Puppet::new("it", &writes);
    let [old, new] =
        [template("old", make.clone()), template("new", make)].map(|it| it.restart(Restart::Temporary));
    let root = dynamic(&old).max_children(1).start(&system, "pool").await.expect("starts with nobody");
    let pool = root.pool(&old);
    pool.start(Arc::new(Bomb)).await.expect("there is room").expect("it runs");
    reader.expect(&["it up", BOOM]).await;
    let refused = [pool.start(Arc::new(Bomb)).await, root.pool(&new).start(Arc::new(Bomb)).await];
    let refused = refused.map(|it| it.map(drop));
    assert_eq!(refused, [Err(StartInstanceError::TooMany), Err(StartInstanceError::OtherTemplate)]);
    reader.expect(&[BOOM, BOOM]).await;
    assert_eq!(root.count_children().await.expect("it lives").active, 1);
}

/// The same of what another specification brings or takes away, several at once.
#[tokio::test(start_paused = true)]
async fn a_specification_whose_recipes_panic_when_they_are_let_go_harms_nobody() {
    for spec in [one_for_one as fn() -> Spec, by_needs] {
        let (journal, mut reader) = journal();
        let system = listening(&journal);
        let idle = puppet("idle", &journal);
        let bombs = |restart| ["a", "b"].map(|id| bomb(id, &journal).restart(restart));
        let with_bombs = |restart| spec().child(idle.clone()).children(bombs(restart));
        let root = with_bombs(Restart::Permanent).start(&system, "top").await.expect("starts");
        reader.expect(&["idle up", "a up", "b up"]).await;
        root.apply(with_bombs(Restart::Temporary)).await.expect("it makes sense");
        let mut told = reader.rest();
        told.sort_unstable();
        assert_eq!(told, ["a up", "b up", BOOM, BOOM, BOOM, BOOM], "of the old and of the new");
        let other_kind = dynamic_children();
        assert!(matches!(root.apply(other_kind).await, Err(ApplyError::OtherKind { .. })));
        root.apply(spec().child(idle.clone())).await.expect("it makes sense");
        assert_eq!(root.count_children().await.expect("it lives").active, 1);
    }
}
