//! Watching groups: everybody, then every change, without gap or duplicate, however slow or short-lived the watcher.

use minder_groups::{Group, GroupEvent, Member, Watch};
use minder_runtime::{ActorId, Addr};

use crate::support::*;

/// Brings a list up to date with what a watch told. A change that does not fit is a gap or a duplicate.
pub(crate) fn replay<T: PartialEq + std::fmt::Debug>(members: &mut Vec<T>, event: GroupEvent<T>) {
    match event {
        GroupEvent::Members(all) => *members = all,
        GroupEvent::Joined(member) => members.push(member),
        GroupEvent::Left(member, why) => {
            let at = members.iter().rposition(|known| *known == member);
            let at = at.unwrap_or_else(|| panic!("{member:?} left ({why:?}) and was not there: {members:?}"));
            members.remove(at);
        }
        other => panic!("{other:?}"),
    }
}

fn sorted(members: &[Member<Msg>]) -> Vec<ActorId> {
    let mut ids: Vec<ActorId> = members.iter().map(|member| member.address().id()).collect();
    ids.sort_unstable();
    ids
}

struct Watcher {
    watch: Watch<Member<Msg>>,
    members: Vec<Member<Msg>>,
}

/// One step of a group's history; some end a member.
async fn step(
    group: &Group<Msg>,
    pawns: &mut [Addr<Msg>],
    fresh: impl Fn() -> Addr<Msg>,
    random: &mut fastrand::Rng,
) {
    let at = random.usize(..pawns.len());
    let member = Member::seat(&pawns[at]);
    match random.u8(..8) {
        0..4 => group.join_many(&[member]).expect("open"),
        4..7 => drop(group.leave(&member)),
        _ => {
            pawns[at].kill();
            soon(pawns[at].ended()).await;
            pawns[at] = fresh();
        }
    }
}

/// Watches begin and are read at any time; what they told leads to the members of that moment.
/// OTP: PG-006.
#[tokio::test(start_paused = true)]
async fn what_is_told_leads_to_the_members() {
    for seed in 0..40 {
        let system = system();
        let group = kept(&system).groups.group::<Msg>("it");
        let mut pawns: Vec<_> = (0..5).map(|_| pawn(&system)).collect();
        let mut random = fastrand::Rng::with_seed(seed);
        let mut watchers: Vec<Watcher> = Vec::new();
        for _ in 0..60 {
            step(&group, &mut pawns, || pawn(&system), &mut random).await;
            if random.u8(..6) == 0 {
                watchers.push(Watcher { watch: group.watch(), members: Vec::new() });
            }
            if let Some(Watcher { watch, members }) = random.choice(&mut watchers) {
                std::iter::from_fn(|| watch.try_next()).for_each(|event| replay(members, event));
                assert_eq!(sorted(members), sorted(&group.members()), "seed {seed}");
            }
        }
    }
}

/// OTP: PG-006.
#[tokio::test(start_paused = true)]
async fn the_first_event_is_everybody_at_that_moment() {
    let system = system();
    let group = kept(&system).groups.group::<Msg>("it");
    let (before, [a, b]) = (group.watch(), [(); 2].map(|()| Member::seat(&pawn(&system))));
    group.join_many(std::slice::from_ref(&a)).expect("open");
    let between = group.watch();
    group.join_many(std::slice::from_ref(&b)).expect("open");
    let rows = [
        (
            before,
            vec![GroupEvent::Members(vec![]), GroupEvent::Joined(a.clone()), GroupEvent::Joined(b.clone())],
        ),
        (between, vec![GroupEvent::Members(vec![a.clone()]), GroupEvent::Joined(b.clone())]),
        (group.watch(), vec![GroupEvent::Members(vec![a, b])]),
    ];
    for (watch, expected) in rows {
        let told: Vec<_> = std::iter::from_fn(|| watch.try_next()).collect();
        assert_eq!(told, expected);
    }
}

/// A watcher that does not read costs a bounded line, is told the whole when it reads, and nothing is missing.
#[tokio::test(start_paused = true)]
async fn one_that_falls_behind_is_told_the_whole_again() {
    // changes; whether they stand in the line, besides the event with which it began
    for (changes, kept_in_line) in [(1023, true), (1024, false), (5000, false)] {
        let system = system();
        let group = kept(&system).groups.group::<Msg>("it");
        let (watch, it) = (group.watch(), Member::seat(&pawn(&system)));
        for _ in 0..changes {
            group.join_many(std::slice::from_ref(&it)).expect("open");
        }
        let told: Vec<_> = std::iter::from_fn(|| watch.try_next()).collect();
        if kept_in_line {
            assert_eq!((told.len(), &told[0]), (changes + 1, &GroupEvent::Members(vec![])));
        } else {
            assert_eq!(told.len(), 1);
            assert!(matches!(&told[0], GroupEvent::Members(all) if all.len() == changes));
        }
        group.leave(&it).expect("it is in");
        assert!(matches!(watch.try_next(), Some(GroupEvent::Left(..))), "and changes again from there on");
    }
}

/// While several threads change the group, others begin to watch it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn watches_that_begin_amid_changes_miss_nothing() {
    let system = system();
    let kept = kept(&system);
    let group = kept.groups.group::<Msg>("it");
    let pawns: Vec<_> = (0..3).map(|_| Member::seat(&pawn(&system))).collect();
    std::thread::scope(|scope| {
        for (number, it) in pawns.iter().enumerate() {
            let group = &group;
            scope.spawn(move || {
                for _ in 0..300 {
                    group.join_many(std::slice::from_ref(it)).expect("open");
                    group.leave(it).expect("it is in");
                }
                (0..number).for_each(|_| group.join_many(std::slice::from_ref(it)).expect("open"));
            });
        }
        for _ in 0..50 {
            let (watch, mut members) = (group.watch(), Vec::new());
            for _ in 0..20 {
                // Panics at a gap or a duplicate.
                watch.try_next().into_iter().for_each(|event| replay(&mut members, event));
            }
        }
    });
    let (watch, mut members) = (group.watch(), Vec::new());
    watch.try_next().into_iter().for_each(|event| replay(&mut members, event));
    assert_eq!(members.len(), 3);
}

/// PG-006, all groups: they appear and vanish as their members do.
/// OTP: PG-004, PG-006.
#[tokio::test(start_paused = true)]
async fn all_groups_of_a_scope_are_watched_at_once() {
    let system = system();
    let groups = kept(&system).groups;
    let it = pawn(&system);
    groups.group::<Msg>("b").join_seat(&it).expect("open");
    groups.group::<Msg>("a").join_seat(&it).expect("open");
    let watch = groups.watch();
    groups.group::<Msg>("b").join_seat(&it).expect("open");
    assert!(it.kill());
    soon(it.ended()).await;
    settle().await;
    let mut told = Vec::new();
    for event in std::iter::from_fn(|| watch.try_next()) {
        told.push(match event {
            GroupEvent::Members(all) => {
                all.iter().map(|one| &*one.group).fold("there:".to_owned(), |text, name| text + " " + name)
            }
            GroupEvent::Joined(one) => format!("joined {}", one.group),
            GroupEvent::Left(one, _) => format!("left {}", one.group),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(told, ["there: a b", "joined b", "left a", "left b", "left b"]);
    assert!(groups.names().is_empty());
}

/// Delivered to an actor that crashes again and again, with the watch in its factory: it always ends up with the
/// members, and no event is told to two lives.
#[tokio::test(start_paused = true)]
async fn a_watch_outlives_the_lives_of_its_watcher() {
    for seed in 0..20 {
        let system = system();
        let group = kept(&system).groups.group::<Msg>("it");
        let watch = group.watch();
        let (watcher, _, mut reader) = restarted(&system, move |context| {
            watch.clone().deliver_to(context)?;
            Ok(())
        })
        .await;
        let mut pawns: Vec<_> = (0..3).map(|_| pawn(&system)).collect();
        let mut random = fastrand::Rng::with_seed(seed);
        let mut members = Vec::new();
        for _ in 0..40 {
            step(&group, &mut pawns, || pawn(&system), &mut random).await;
            match random.u8(..6) {
                // With nothing in hand or in the mailbox that the crash could take along.
                0 => {
                    settle().await;
                    assert!(watcher.kill());
                }
                1 => settle().await,
                _ => {}
            }
        }
        settle().await;
        for line in reader.rest() {
            if let Line::Changed(event) = line {
                replay(&mut members, event);
            }
        }
        assert_eq!(sorted(&members), sorted(&group.members()), "seed {seed}");
    }
}

/// OTP: PG-006.
#[tokio::test(start_paused = true)]
async fn a_watch_that_is_dropped_leaves_nothing() {
    let system = system();
    let groups = kept(&system).groups;
    let group = groups.group::<Msg>("it");
    let watches: Vec<_> = (0..3).map(|_| group.watch()).collect();
    assert!(groups.names().is_empty(), "watching makes no group");
    let clone = watches[0].clone();
    drop(watches);
    group.join_seat(&pawn(&system)).expect("open");
    assert!(matches!(clone.next().await, Some(GroupEvent::Members(all)) if all.is_empty()));
    assert!(matches!(clone.next().await, Some(GroupEvent::Joined(_))), "a clone goes on");
}
