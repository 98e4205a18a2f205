//! Sending to a group: to all, and to one.

use std::collections::BTreeMap;

use minder_groups::{Group, Member, Refused, TellOneError};
use minder_runtime::{
    Actor, ActorId, Addr, Capacity, Context, ExitReason, Handled, MailboxOptions, System, TellError,
};

use crate::support::*;

fn number_of(members: &[Member<Msg>]) -> BTreeMap<ActorId, usize> {
    let mut numbers = BTreeMap::new();
    members.iter().for_each(|member| *numbers.entry(member.address().id()).or_insert(0) += 1);
    numbers
}

/// A seat with room for one message, in which nobody lives yet.
fn narrow(system: &System) -> (Addr<Msg>, minder_runtime::Seat<Msg>) {
    system.address_with(MailboxOptions { capacity: Capacity::of(1), ..MailboxOptions::default() })
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_reaches_everybody_and_says_who_refused_and_why() {
    let system = system();
    let kept = kept(&system);
    let group = kept.groups.group::<Msg>("it");
    let (make, mut reader) = pawns(|_| Ok(()));
    let (fine, ended) = (system.spawn(make).expect("open"), pawn(&system));
    let ((full, _seat), (given_up, seat)) = (narrow(&system), system.address());
    full.tell(Msg::Note(0)).expect("room for one");
    settle().await;
    let life = Member::life_at(&ended).expect("it lives");
    for member in [Member::seat(&fine), life.clone(), Member::seat(&full), Member::seat(&given_up)] {
        group.join_many(&[member.clone(), member]).expect("open");
    }
    // Nobody notices what ends now.
    kept.kill().await;
    assert!(ended.kill());
    soon(ended.ended()).await;
    drop(seat);
    let broadcast = group.broadcast_with(|_| Msg::Note(7));
    let kind = |refused: &Refused<Msg>| match &refused.error {
        TellError::Full(Msg::Note(7)) if refused.member.address() == &full => "full",
        TellError::Stopped(ExitReason::NoActor, Msg::Note(7)) if refused.member == life => "over",
        TellError::Stopped(_, Msg::Note(7)) if refused.member.address() == &given_up => "given up",
        other => panic!("{other:?}"),
    };
    let kinds: Vec<&str> = broadcast.refused.iter().map(kind).collect();
    assert_eq!((broadcast.told, kinds), (2, vec!["over", "over", "full", "full", "given up", "given up"]));
    settle().await;
    assert_eq!(reader.rest(), [Line::Up(1), Line::Note(7), Line::Note(7)], "once for each membership");
}

/// With a message that can be cloned, and a crash in the middle: the others get it all the same.
#[tokio::test(start_paused = true)]
async fn a_member_that_crashes_at_a_broadcast_harms_nobody() {
    struct Counter(Group<u32>, u32, tokio::sync::mpsc::UnboundedSender<(u32, u32)>);
    impl Actor for Counter {
        type Msg = u32;
        async fn started(&mut self, context: &mut Context<u32>) -> Handled {
            self.0.join(context)?;
            Ok(())
        }
        async fn handle(&mut self, message: u32, _: &mut Context<u32>) -> Handled {
            assert_ne!(message, self.1, "one of them cannot bear it");
            let _ = self.2.send((self.1, message));
            Ok(())
        }
    }
    let system = system();
    let group = kept(&system).groups.group::<u32>("it");
    let (write, mut read) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..4 {
        let (group, write) = (group.clone(), write.clone());
        system.spawn(move || Counter(group, number, write)).expect("open");
    }
    settle().await;
    assert_eq!(group.broadcast(&2).told, 4);
    settle().await;
    let broadcast = group.broadcast(&9);
    assert_eq!((broadcast.told, broadcast.refused.len()), (3, 0));
    settle().await;
    let mut got: Vec<(u32, u32)> = std::iter::from_fn(|| read.try_recv().ok()).collect();
    got.sort_unstable();
    assert_eq!(got, [(0, 2), (0, 9), (1, 2), (1, 9), (3, 2), (3, 9)]);
}

#[tokio::test(start_paused = true)]
async fn turns_are_fair_while_members_come_and_go() {
    let system = system();
    let group = kept(&system).groups.group::<Msg>("it");
    assert_eq!(group.pick(), None);
    let pawns: Vec<_> = (0..5).map(|_| pawn(&system)).collect();
    let members: Vec<_> = pawns.iter().map(|it| group.join_seat(it).expect("open")).collect();
    let picked = |times: usize| (0..times).map(|_| group.pick().expect("somebody")).collect::<Vec<_>>();
    assert_eq!(picked(7), [&members[..], &members[..2]].concat());
    // Whose turn it was leaves: the next is the one after it.
    group.leave(&members[1]).expect("it is in");
    assert_eq!(picked(2), members[2..4]);
    // One who joins comes after the last, before the first is there again.
    let late = group.join_seat(&pawn(&system)).expect("open");
    assert_eq!(picked(3), [members[4].clone(), late.clone(), members[0].clone()]);
    // Two memberships are two turns.
    group.join_seat(late.address()).expect("open");
    let round = number_of(&picked(6));
    assert_eq!((round.len(), round[&late.address().id()]), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn chance_reaches_everybody_and_passes_over_the_dead() {
    let system = system();
    let group = kept(&system).groups.group::<Msg>("it");
    assert_eq!(group.pick_random(3), None);
    let pawns: Vec<_> = (0..4).map(|_| pawn(&system)).collect();
    settle().await;
    for it in &pawns {
        group.join_many(&[Member::life_at(it).expect("it lives")]).expect("open");
    }
    let rows = [(0, 0), (u64::MAX / 4, 0), (u64::MAX / 4 + 1, 1), (u64::MAX / 2 + 1, 2), (u64::MAX, 3)];
    for (random, which) in rows {
        let picked = group.pick_random(random).expect("somebody");
        assert_eq!(picked.address(), &pawns[which], "{random}");
    }
    assert!(pawns[3].kill());
    soon(pawns[3].ended()).await;
    let picked = group.pick_random(u64::MAX).expect("somebody");
    assert!(picked.address() != &pawns[3] && !picked.is_over());
}

#[tokio::test(start_paused = true)]
async fn one_is_told_and_if_it_refuses_another() {
    let system = system();
    let group = kept(&system).groups.group::<Msg>("it");
    assert!(matches!(group.tell_one(Msg::Note(1)), Err(TellOneError::Nobody(Msg::Note(1)))));
    let seats = [narrow(&system), narrow(&system)];
    let members = [&seats[0].0, &seats[1].0].map(|address| group.join_seat(address).expect("open"));
    for expected in &members {
        assert_eq!(group.tell_one(Msg::Note(2)).expect("room for one each"), *expected);
    }
    let refused = group.tell_one(Msg::Note(3)).expect_err("both are full");
    assert!(matches!(&refused, TellOneError::Refused(TellError::Full(_))), "{refused}");
    assert!(matches!(refused.into_message(), Msg::Note(3)));
    let free = group.join_seat(&pawn(&system)).expect("open");
    for _ in 0..5 {
        assert_eq!(group.tell_one(Msg::Note(4)).expect("one has room"), free);
    }
}
