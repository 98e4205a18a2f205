//! A change of a running tree while something else is under way in it: a start, a report that has not come, another change; and
//! rules that hold from the next start on. The rest is in `apply.rs`.

use minder::prelude::*;
use minder::supervisors::{Action, ApplyError, StartInstanceError, dynamic, template};
use tokio::sync::Notify;

use std::sync::Arc;

use crate::support::*;

/// A life that was to be ready within a time is not killed for it by rules that do not ask for it any more; one that is given
/// more time has it.
#[tokio::test(start_paused = true)]
async fn a_child_is_not_killed_by_a_readiness_that_does_not_hold_any_more() {
    // its time by the new rules, how long it lives
    for (within, lives) in [(None, None), (Some(5 * SECOND), Some(5 * SECOND))] {
        let system = system();
        let job = task("a", std::future::pending::<()>).revision("1");
        let old = tolerant(one_for_one()).child(job.clone().ready_within(2 * SECOND));
        let root = old.start(&system, "top").await.expect("a task starts");
        let began = system.now();
        let a = root.which_child("a").await.expect("it is there");
        let a = a.actor().expect("it is up");
        pass(SECOND).await;
        let new = within.map_or(job.clone(), |within| job.ready_within(within));
        root.apply(tolerant(one_for_one()).child(new)).await.expect("it makes sense");
        pass((began + 4 * SECOND).since(system.now())).await;
        assert!(a.is_alive(), "{within:?}");
        pass(2 * SECOND).await;
        assert_eq!(a.is_alive(), lives.is_none(), "{within:?}");
    }
}

/// Of two plans that were made of the same state one is carried out, also if neither has its turn at once; and a template is
/// refused from when another has been asked for.
#[tokio::test(start_paused = true)]
async fn a_dynamic_supervisor_compares_with_what_it_has_been_asked_to_become() {
    let system = system();
    let goes_on = Arc::new(Notify::new());
    let waits = goes_on.clone();
    let slow = template("session", move |(): ()| {
        let waits = waits.clone();
        Puppet::new("it", &journal().0).on_start(move |_, context| {
            let (address, waits) = (context.address(), waits.clone());
            context.acknowledge_later();
            context.run("wait", async move { waits.notified().await }, move |_| {
                drop(address);
                act(|_, context| {
                    context.acknowledge();
                    Ok(())
                })
            });
            Ok(())
        })
    });
    let other = template("other", |(): ()| Puppet::new("it", &journal().0));
    let root = dynamic(&slow).start(&system, "pool").await.expect("it starts without instances");
    let start = |template: &Template<(), Msg>| {
        let pool = root.pool(template);
        aside(async move { pool.start(()).await.map(drop) })
    };
    let starting = start(&slow);
    turns().await;
    let plan = |most| {
        let (root, slow) = (root.clone(), slow.clone());
        async move { root.plan(&dynamic(&slow).max_children(most)).await.expect("it makes sense") }
    };
    let (one, two) = (plan(5).await, plan(7).await);
    let one = aside(one.apply());
    turns().await;
    let two = aside(two.apply());
    turns().await;
    // Made of what it will be.
    let three = aside(plan(9).await.apply());
    turns().await;
    let to_other = aside({
        let (root, other) = (root.clone(), other.clone());
        async move { root.apply(dynamic(&other)).await }
    });
    turns().await;
    let (late, early) = (start(&slow), start(&other));
    turns().await;
    goes_on.notify_one();
    let stale = ApplyError::Stale { supervisor: String::new() };
    assert_eq!(soon(two).await.expect("no panic"), Err(stale));
    for done in [one, three, to_other] {
        assert_eq!(soon(done).await.expect("no panic"), Ok(()));
    }
    assert_eq!(soon(starting).await.expect("no panic"), Ok(()));
    assert_eq!(soon(late).await.expect("no panic"), Err(StartInstanceError::OtherTemplate));
    assert_eq!(soon(early).await.expect("no panic"), Ok(()));
}

/// While a change from above is under way, which it takes part in, a dynamic supervisor refuses what was planned for it alone.
#[tokio::test(start_paused = true)]
async fn a_dynamic_supervisor_that_is_changed_from_above_refuses_other_plans() {
    let system = system();
    let pool = template("session", |(): ()| Puppet::new("it", &journal().0));
    let job = task("job", std::future::pending::<()>);
    let spec = |most| {
        let pool = tree("pool", dynamic(&pool).max_children(most));
        one_for_one().child(pool).child(tree("busy", one_for_one().child(job.clone())))
    };
    let root = spec(3).start(&system, "top").await.expect("tasks start");
    let (inside, busy) = (root.subtree("pool").await.expect("it is there"), root.subtree("busy").await);
    let busy = busy.expect("it is there");
    busy.address().suspend();
    let from_above = aside({
        let (root, new) = (root.clone(), spec(5));
        async move { root.apply(new).await }
    });
    turns().await;
    let alone = inside.plan(&dynamic(&pool).max_children(7)).await.expect("it makes sense");
    assert_eq!(alone.apply().await, Err(ApplyError::Stale { supervisor: String::new() }));
    busy.address().resume();
    assert_eq!(soon(from_above).await.expect("no panic"), Ok(()));
    let alone = inside.plan(&dynamic(&pool).max_children(7)).await.expect("it makes sense");
    assert!(alone.to_string().contains("most children: 5 becomes 7"), "{alone}");
    assert_eq!(alone.apply().await, Ok(()));
}

/// Whether news of children come first is a rule like any other, from their next start on.
#[tokio::test(start_paused = true)]
async fn whether_news_come_first_is_changed_too() {
    let system = system();
    let (it, seat) = system.address();
    let child = actor_in("it", seat, || Puppet::new("it", &journal().0));
    let spec = |first: bool| {
        let spec = tolerant(one_for_one()).child(child.clone());
        if first { spec.news_first() } else { spec }
    };
    let root = spec(false).start(&system, "top").await.expect("it starts");
    for first in [true, false] {
        let plan = root.plan(&spec(first)).await.expect("it makes sense");
        let rules: Vec<_> = plan.steps().into_iter().filter(|step| step.action == Action::Rules).collect();
        let [step] = &rules[..] else { panic!("{plan}") };
        let says = format!("news first, from each child's next start: {} becomes {first}", !first);
        assert!(step.to_string().contains(&says), "{step}");
        plan.apply().await.expect("nobody has interfered");
        assert!(root.plan(&spec(first)).await.expect("it makes sense").is_empty());
        it.tell(crash()).expect("there is room");
        let lives = life(&it).await;
        root.address().suspend();
        let asked = aside({
            let root = root.clone();
            async move { root.which_child("it").await }
        });
        turns().await;
        it.kill();
        turns().await;
        root.address().resume();
        let found = asked.await.expect("no panic").expect("it is known");
        let actor = found.actor().expect("it runs, or nobody knows better").id();
        assert_eq!(actor.incarnation(), lives + u32::from(first), "first: {first}");
        life(&it).await;
    }
}

/// A seat may be another child's by the time of a change: whoever is in it now is not lost for one that was there before.
#[tokio::test(start_paused = true)]
async fn a_change_loses_nobody_who_took_a_seat_of_another() {
    for of_the_other in [false, true] {
        let (system, (journal, mut reader)) = (system(), journal());
        let (it, seat) = system.address();
        let (_, elsewhere) = system.address();
        let child = |id: &'static str, seat: &Seat<Msg>| {
            let journal = journal.clone();
            actor_in(id, seat.clone(), move || Puppet::new(id, &journal))
        };
        let root = tolerant(one_for_one()).child(child("c", &seat));
        let root = root.start(&system, "top").await.expect("starts");
        root.terminate_child("c").await.expect("it is there");
        let a = child("a", &seat);
        root.start_child(a.clone()).await.expect("the seat is free");
        reader.expect(&["c up", "a up"]).await;
        // Before the other or behind it.
        let c = child("c", &elsewhere);
        let new =
            if of_the_other { one_for_one().child(c).child(a) } else { one_for_one().child(a).child(c) };
        let revised = root.plan(&tolerant(new)).await.expect("it makes sense");
        revised.apply().await.expect("it is what it was");
        reader.expect(&["c up"]).await;
        assert!(it.kill());
        reader.expect(&["a up"]).await;
        assert_eq!(soon(root.stop(ExitReason::Shutdown)).await, Ok(ExitReason::Shutdown));
    }
}
