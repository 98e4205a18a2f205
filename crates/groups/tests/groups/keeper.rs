//! What happens when the keeper crashes: nothing that anybody would notice, but that the dead leave later.

use minder_groups::{GroupEvent, Groups, JoinError, Member, Tenure, Why};
use minder_runtime::ExitReason;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn groups_go_on_while_no_keeper_lives() {
    let system = system();
    let kept = kept(&system);
    let group = kept.groups.group::<Msg>("it");
    let [a, b, c] = [(); 3].map(|()| pawn(&system));
    settle().await;
    let [of_a, of_b, of_c] = [&a, &b, &c].map(|it| Member::life_at(it).expect("it lives"));
    group.join_many(&[of_a.clone(), of_b.clone()]).expect("open");
    settle().await;
    kept.kill().await;

    let watch = group.watch();
    group.join_many(std::slice::from_ref(&of_c)).expect("joins need no keeper");
    group.leave(&of_b).expect("nor do leaves");
    assert!(a.kill());
    soon(a.ended()).await;
    settle().await;
    assert_eq!(
        group.members()[..],
        [of_a.clone(), of_c.clone()],
        "who ended while nobody watched is still there"
    );
    assert_eq!(group.pick(), Some(of_c.clone()), "but is not picked");
    assert_eq!(group.pick(), Some(of_c.clone()));

    kept.start().await;
    settle().await;
    assert_eq!(group.members()[..], *std::slice::from_ref(&of_c));
    let mut told: Vec<GroupEvent<Member<Msg>>> = Vec::new();
    told.extend(std::iter::from_fn(|| watch.try_next()));
    let expected = [
        GroupEvent::Members(vec![of_a.clone(), of_b.clone()]),
        GroupEvent::Joined(of_c.clone()),
        GroupEvent::Left(of_b, Why::Asked),
        GroupEvent::Left(of_a, Why::Ended(ExitReason::NoActor)),
    ];
    assert_eq!(told, expected);
    assert!(c.kill());
    let left = soon(watch.next()).await;
    assert_eq!(left, Some(GroupEvent::Left(of_c, Why::Ended(ExitReason::Killed))), "it watches again");
}

/// Random joins, leaves and deaths, with the keeper killed and started anywhere in between: when it has caught up, the
/// members are those of a plain model, and a watch has told exactly what leads there.
#[tokio::test(start_paused = true)]
async fn a_keeper_that_crashes_anywhere_loses_nobody() {
    for seed in 0..60 {
        let system = system();
        let kept = kept(&system);
        let groups = ["one", "two"].map(|name| kept.groups.group::<Msg>(name));
        let watches = groups.clone().map(|group| group.watch());
        let mut replayed = [Vec::new(), Vec::new()];
        let mut pawns: Vec<_> = (0..6).map(|_| pawn(&system)).collect();
        settle().await;
        let mut model: [Vec<Member<Msg>>; 2] = Default::default();
        let mut random = fastrand::Rng::with_seed(seed);
        let mut keeper_lives = true;
        for _ in 0..80 {
            let (at, which) = (random.usize(..pawns.len()), random.usize(..2));
            let it = pawns[at].clone();
            let by_life = Member::life_at(&it).expect("pawns that end are replaced");
            let member = if random.bool() { by_life } else { Member::seat(&it) };
            match random.u8(..10) {
                0..4 => {
                    groups[which].join_many(std::slice::from_ref(&member)).expect("open");
                    model[which].push(member);
                }
                4..7 => {
                    let known = model[which].iter().rposition(|known| *known == member);
                    known.map(|at| model[which].remove(at));
                    assert_eq!(groups[which].leave(&member).is_ok(), known.is_some());
                }
                7 => {
                    // Nobody restarts it, so its seat is given up, too.
                    it.kill();
                    soon(it.ended()).await;
                    pawns[at] = pawn(&system);
                    model.iter_mut().for_each(|group| group.retain(|member| member.address() != &it));
                    settle().await;
                }
                _ => {
                    if std::mem::replace(&mut keeper_lives, false) {
                        kept.kill().await;
                    } else {
                        kept.start().await;
                        keeper_lives = true;
                    }
                }
            }
            if random.bool() {
                settle().await;
            }
        }
        if !keeper_lives {
            kept.start().await;
        }
        settle().await;
        for which in 0..2 {
            assert_eq!(groups[which].members()[..], model[which][..], "seed {seed}");
            while let Some(event) = watches[which].try_next() {
                crate::watch::replay(&mut replayed[which], event);
            }
            assert_eq!(replayed[which], model[which], "seed {seed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn members_may_join_before_its_first_start() {
    let system = system();
    let (groups, seat) = Groups::new(&system);
    let group = groups.group::<Msg>("it");
    let [a, b] = [(); 2].map(|()| pawn(&system));
    settle().await;
    for it in [&a, &b] {
        group.join_many(&[Member::life_at(it).expect("it lives")]).expect("open");
    }
    assert!(a.kill());
    soon(a.ended()).await;
    assert_eq!(group.members().len(), 2);
    system.start(seat, "groups", groups.keeper()).await.expect("it starts in its seat");
    settle().await;
    assert_eq!(group.members().len(), 1);
    assert_eq!(group.members()[0].address(), &b);
}

/// Nobody would notice the end of a member: so nobody can join, and who watches is told that it is over.
#[tokio::test(start_paused = true)]
async fn when_its_seat_is_given_up_joins_are_refused_and_watches_end() {
    let system = system();
    let kept = kept(&system);
    let group = kept.groups.group::<Msg>("it");
    let it = group.join_seat(&pawn(&system)).expect("open");
    let (watch, all) = (group.watch(), kept.groups.watch());
    kept.give_up();
    assert!(
        matches!(soon(watch.next()).await, Some(GroupEvent::Members(members)) if members == [it.clone()])
    );
    assert_eq!(soon(watch.next()).await, None);
    assert!(matches!(soon(all.next()).await, Some(GroupEvent::Members(_))));
    assert_eq!(soon(all.next()).await, None);
    assert_eq!(group.join_seat(&pawn(&system)), Err(JoinError::Stopped(ExitReason::Killed)));
    assert_eq!(group.members()[..], *std::slice::from_ref(&it), "what is known can still be read");
    group.leave(&it).expect("and left");
    assert_eq!(soon(watch.next()).await, Some(GroupEvent::Left(it, Why::Asked)));
}

#[tokio::test(start_paused = true)]
async fn it_starts_in_its_own_seat_only() {
    let system = system();
    let kept = kept(&system);
    settle().await;
    let (_, seat) = system.address();
    let refused = system.start(seat, "second", kept.groups.keeper()).await.expect_err("it is the wrong seat");
    assert!(refused.to_string().contains("`Groups::new`"), "{refused}");
    let member = pawn(&system);
    let group = kept.groups.group::<Msg>("it");
    group.join_seat(&member).expect("open");
    assert!(member.kill());
    soon(member.ended()).await;
    settle().await;
    assert!(group.members().is_empty(), "the right one still watches");
}

/// One that left and joined again is watched as before; one that left is not.
#[tokio::test(start_paused = true)]
async fn it_watches_members_and_nobody_else() {
    let system = system();
    let groups = kept(&system).groups;
    let group = groups.group::<Msg>("it");
    let it = pawn(&system);
    settle().await;
    let member = Member::life_at(&it).expect("it lives");
    for _ in 0..3 {
        group.join_many(std::slice::from_ref(&member)).expect("open");
        group.leave(&member).expect("it is in");
    }
    settle().await;
    group.join_many(std::slice::from_ref(&member)).expect("open");
    group.leave(&member).expect("it is in");
    group.join_many(std::slice::from_ref(&member)).expect("open");
    settle().await;
    let all = groups.watch();
    let told = all.next().await;
    assert!(matches!(told, Some(GroupEvent::Members(all)) if all.len() == 1));
    assert!(it.kill());
    match soon(all.next()).await {
        Some(GroupEvent::Left(left, Why::Ended(ExitReason::Killed))) => {
            assert_eq!((&*left.group, left.member), ("it", member.tenure()));
            assert!(matches!(left.member, Tenure::Life(_)));
        }
        other => panic!("{other:?}"),
    }
}
