//! Who is in a group: joining and leaving as `pg` counts, and leaving by oneself.

use minder_groups::{GroupEvent, Groups, JoinError, Member, NotJoined, Tenure, Why};
use minder_runtime::{Actor, Context, Handled};

use crate::support::*;

/// PG-001, PG-002, PG-003: against a plain list.
/// OTP: PG-001, PG-002, PG-003, PG-005.
#[tokio::test(start_paused = true)]
async fn joins_and_leaves_are_counted() {
    for seed in 0..40 {
        let system = system();
        let groups = kept(&system).groups;
        let group = groups.group::<Msg>("it");
        let members: Vec<Member<Msg>> = (0..4).map(|_| Member::seat(&pawn(&system))).collect();
        let mut model: Vec<&Member<Msg>> = Vec::new();
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..60 {
            let member = &members[random.usize(..members.len())];
            if random.bool() {
                group.join_seat(member.address()).expect("open");
                model.push(member);
            } else {
                // The latest membership goes first.
                let known = model.iter().rposition(|known| *known == member);
                let left = known.map(|at| model.remove(at));
                assert_eq!(group.leave(member), left.map(|_| ()).ok_or(NotJoined), "seed {seed}");
            }
            assert!(group.members().iter().eq(model.iter().copied()), "seed {seed}");
            let names = if model.is_empty() { vec![] } else { vec!["it".into()] };
            assert_eq!(groups.names(), names, "a group vanishes when it is empty");
        }
    }
}

/// OTP: PG-007.
#[tokio::test(start_paused = true)]
async fn several_join_or_leave_in_one_call() {
    let system = system();
    let group = kept(&system).groups.group::<Msg>("it");
    let [a, b, c] = [(); 3].map(|()| Member::seat(&pawn(&system)));
    group.join_many(&[a.clone(), b.clone(), a.clone()]).expect("open");
    assert_eq!(group.members()[..], [a.clone(), b.clone(), a.clone()]);
    assert_eq!(group.leave_many(&[a.clone(), c, b]), 2);
    assert_eq!(group.members()[..], [a]);
}

/// PG-008; and groups of different messages are different groups.
/// OTP: PG-008.
#[tokio::test(start_paused = true)]
async fn scopes_names_and_message_types_are_apart() {
    struct Other;
    impl Actor for Other {
        type Msg = u8;
        async fn handle(&mut self, _: u8, _: &mut Context<u8>) -> Handled {
            Ok(())
        }
    }
    let system = system();
    let (one, two) = (kept(&system).groups, kept(&system).groups);
    let it = pawn(&system);
    one.group::<Msg>("it").join_seat(&it).expect("open");
    one.group::<u8>("it").join_seat(&system.spawn(|| Other).expect("open")).expect("open");
    one.group::<u8>("it").join_seat(&system.spawn(|| Other).expect("open")).expect("open");
    let sizes = |groups: &Groups| {
        let (it, other) = (groups.group::<Msg>("it"), groups.group::<Msg>("other"));
        (it.members().len(), other.members().len(), groups.group::<u8>("it").members().len())
    };
    assert_eq!((sizes(&one), sizes(&two)), ((1, 0, 2), (0, 0, 0)));
    assert_eq!((one.names(), two.names()), (vec!["it".into()], vec![]));
}

/// PG-004: how a member ends, what becomes of its life and of its seat in the group.
/// OTP: PG-004.
#[tokio::test(start_paused = true)]
async fn a_life_leaves_with_its_end_and_a_seat_when_it_is_given_up() {
    #[derive(Debug)]
    enum Ending {
        Panic,
        Error,
        Normal,
        Kill,
    }
    let rows = [
        (Ending::Panic, "panic boom"),
        (
            Ending::Error,
            "error: it is not in the group: it never joined, it has left, or its tenure has ended",
        ),
        (Ending::Normal, "normal"),
        (Ending::Kill, "killed"),
    ];
    for (ending, reason) in rows {
        let system = system();
        let group = kept(&system).groups.group::<Msg>("it");
        let (it, minder, mut reader) = restarted(&system, |_| Ok(())).await;
        let of_life = Member::life_at(&it).expect("it lives");
        let of_seat = group.join_seat(&it).expect("open");
        group.join_many(&[of_life.clone(), of_life.clone()]).expect("open");
        let watch = group.watch();
        assert!(matches!(watch.next().await, Some(GroupEvent::Members(all)) if all.len() == 3));
        match ending {
            Ending::Panic => it.tell(crash()).expect("room"),
            Ending::Error => it.tell(act(|_| Err(NotJoined.into()))).expect("room"),
            Ending::Normal => it
                .tell(act(|context| {
                    context.stop(minder_runtime::ExitReason::Normal);
                    Ok(())
                }))
                .expect("room"),
            Ending::Kill => assert!(it.kill()),
        }
        for _ in 0..2 {
            match soon(watch.next()).await {
                Some(GroupEvent::Left(member, Why::Ended(why))) => {
                    assert_eq!((member, short(&why).as_str()), (of_life.clone(), reason), "{ending:?}");
                }
                other => panic!("{ending:?}: {other:?}"),
            }
        }
        assert_eq!(reader.next().await, Line::Up(2));
        settle().await;
        assert_eq!(
            (watch.try_next(), &group.members()[..]),
            (None, std::slice::from_ref(&of_seat)),
            "{ending:?}"
        );
        minder.tell(Order::GiveUp).expect("room");
        let left = soon(watch.next()).await;
        assert!(matches!(left, Some(GroupEvent::Left(member, Why::Ended(_))) if member == of_seat));
        assert!(group.members().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn each_life_that_joins_in_its_start_is_a_member() {
    let system = system();
    let group = kept(&system).groups.group::<Msg>("it");
    let joining = group.clone();
    let (it, _, mut reader) = restarted(&system, move |context| {
        joining.join(context)?;
        Ok(())
    })
    .await;
    for life in 2..10 {
        it.tell(crash()).expect("room");
        assert_eq!(reader.next().await, Line::Up(life));
        settle().await;
        let tenures: Vec<Tenure> = group.members().iter().map(Member::tenure).collect();
        assert_eq!(tenures, [Tenure::Life(it.id())], "one membership, that of life {life}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_that_has_ended_cannot_join() {
    let system = system();
    let group = kept(&system).groups.group::<Msg>("it");
    let (it, _, mut reader) = restarted(&system, |_| Ok(())).await;
    let (former, other) = (Member::life_at(&it).expect("it lives"), Member::seat(&pawn(&system)));
    it.tell(crash()).expect("room");
    assert_eq!(reader.next().await, Line::Up(2));
    let refused = group.join_many(&[other, former.clone()]);
    assert_eq!(refused, Err(JoinError::Over(former.tenure())));
    assert!(group.members().is_empty(), "all join or none does");
    let (unborn, _seat) = system.address::<Msg>();
    assert!(Member::life_at(&unborn).is_none());
    group.join_seat(&unborn).expect("a seat may join before anybody lives there");
}

/// Many join and die at once, in several threads, while the keeper dies; in the end, exactly the living are members, those
/// who joined before that among them.
/// OTP: PG-008, PG-010.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thundering_herd_leaves_nobody_behind() {
    let system = system();
    let kept = kept(&system);
    let group = kept.groups.group::<Msg>("it");
    let mut herd = Vec::new();
    for number in 0..600 {
        let joining = group.clone();
        let (make, _) = pawns(move |context| {
            for _ in 0..=number % 3 {
                joining.join(context)?;
            }
            Ok(())
        });
        let it = system.spawn(make).expect("open");
        if number % 2 == 0 {
            it.tell(crash()).expect("room");
        }
        if number == 300 {
            kept.kill().await;
            kept.start().await;
        }
        herd.push(it);
    }
    let mut living = 0;
    for (number, it) in herd.iter().enumerate() {
        if number % 2 == 0 {
            it.ended().await;
        } else {
            assert_eq!(life(it).await, 1);
            living += number % 3 + 1;
        }
    }
    let watch = group.watch();
    let mut members = match watch.next().await {
        Some(GroupEvent::Members(all)) => all.len(),
        other => panic!("{other:?}"),
    };
    // Everybody has joined, and those who were to die are dead: from here on there is only leaving.
    while members > living {
        assert!(matches!(watch.next().await, Some(GroupEvent::Left(..))));
        members -= 1;
    }
    assert!(group.members().iter().all(|member| !member.is_over()));
    assert_eq!(group.members().len(), living);
}
