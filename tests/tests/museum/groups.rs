//! Groups with zombies in them, and subscribers who were forgotten or never could be.

use std::collections::BTreeSet;

use minder::groups::{Bus, Group, GroupEvent, Groups, Heard, Member, Tenure};
use minder::prelude::*;
use minder_fault_injection::testkit::Kit;

use crate::support::*;

/// Is in a group for as long as it lives; leaves it, or the world, when told to.
struct Guest {
    group: Group<Do>,
    heard: Notes,
    member: Option<Member<Do>>,
}

#[derive(Clone)]
enum Do {
    Leave,
    Crash,
    End,
    Hear(u32),
}

impl Actor for Guest {
    type Msg = Do;

    async fn started(&mut self, context: &mut Context<Do>) -> Handled {
        self.member = Some(self.group.join(context)?);
        Ok(())
    }

    async fn handle(&mut self, message: Do, context: &mut Context<Do>) -> Handled {
        match message {
            Do::Leave => {
                if let Some(member) = self.member.take() {
                    self.group.leave(&member)?;
                }
            }
            Do::Crash => panic!("boom"),
            Do::End => context.stop(ExitReason::Normal),
            Do::Hear(number) => self.heard.add(format!("heard {number}")),
        }
        Ok(())
    }
}

/// slawlor/ractor#374 and slawlor/ractor#381: joins raced with exits, so that actors which had ended stayed in their groups, and
/// monitors heard of things in an order in which they had not happened. Here a life joins for as long as it lasts, its end
/// takes it out of all its groups, and a watch that begins with everybody and applies what it hears arrives at the truth.
#[minder_fault_injection::test(seeds = 200)]
async fn ractor_374_groups_race_with_exits_and_fill_with_zombies(kit: Kit) {
    let (groups, keeper) = Groups::new(kit.system());
    let group = groups.group::<Do>("guests");
    let mut spec = one_for_one().limit(1_000, SECOND).child(actor_in("groups", keeper, groups.keeper()));
    let mut guests = Vec::new();
    for number in 0..6 {
        let ((it, seat), its) = (kit.address(), group.clone());
        let make = move || Guest { group: its.clone(), heard: Notes::default(), member: None };
        let restart = if number % 2 == 0 { Restart::Permanent } else { Restart::Transient };
        spec = spec.child(actor_in(&number.to_string(), seat, make).restart(restart));
        guests.push(it);
    }
    let watch = group.watch();
    kit.start(spec).await;
    let mut left = BTreeSet::new();
    for _ in 0..20 {
        let at = usize::try_from(kit.random()).expect("64 bits") % guests.len();
        let what = match kit.random() % 4 {
            0 => Do::Leave,
            1 => Do::End,
            _ => Do::Crash,
        };
        if one_in(&kit, 8) {
            kit.kill("groups").await; // its keeper, while others come and go
        }
        drop(guests[at].tell(what));
        some_turns(&kit).await;
        if one_in(&kit, 4) {
            kit.settle().await;
        }
    }
    kit.settle().await;
    let members: BTreeSet<_> = group.members().iter().map(Member::tenure).collect();
    assert!(group.members().iter().all(|member| !member.is_over()), "no zombies");
    let mut told = BTreeSet::new();
    while let Some(event) = watch.try_next() {
        match event {
            GroupEvent::Members(all) => told = all.iter().map(Member::tenure).collect(),
            GroupEvent::Joined(member) => assert!(told.insert(member.tenure()), "it had joined"),
            GroupEvent::Left(member, _) => {
                assert!(told.remove(&member.tenure()), "it was in there");
                assert!(left.insert(member.tenure()), "it leaves once");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, members, "what was told is what is");
    let is_in = |it: &Addr<Do>| members.contains(&Tenure::Life(it.id()));
    assert!(guests.iter().all(|guest| guest.is_alive() || !is_in(guest)), "nobody who has ended");
    assert!(members.iter().all(|tenure| guests.iter().any(|guest| *tenure == Tenure::Life(guest.id()))));
}

/// actor-framework/actor-framework#196: an actor that had left its group went on receiving what was sent to it. Here whoever leaves is
/// off the roll before the call returns, and a message to the group asks the roll.
#[minder_fault_injection::test(seeds = 20)]
async fn caf_196_whoever_leaves_a_group_goes_on_hearing(kit: Kit) {
    let (groups, keeper) = Groups::new(kit.system());
    let group = groups.group::<Do>("guests");
    let (notes, its, (it, seat)) = (Notes::default(), group.clone(), kit.address());
    let heard = notes.clone();
    let make = move || Guest { group: its.clone(), heard: heard.clone(), member: None };
    let spec =
        one_for_one().child(actor_in("groups", keeper, groups.keeper())).child(actor_in("it", seat, make));
    kit.start(spec).await;
    assert_eq!(group.broadcast(&Do::Hear(1)).told, 1);
    it.tell(Do::Leave).expect("there is room");
    kit.settle().await;
    assert_eq!((group.broadcast(&Do::Hear(2)).told, group.members().len()), (0, 0));
    assert!(group.tell_one(Do::Hear(3)).is_err());
    it.tell(Do::Hear(4)).expect("it lives all the same");
    kit.settle().await;
    assert_eq!(notes.marks("heard"), [1, 4]);
}

/// slawlor/ractor#225, slawlor/ractor#293 and actix/actix#534: a subscriber that was too slow for a burst lost what it had not
/// taken, silently, or was cut off for good. Here the latest events are kept, how many are missing is the first thing
/// it hears, and from there on it goes on hearing everything.
#[minder_fault_injection::test(seeds = 10)]
async fn ractor_225_a_slow_subscriber_loses_events_or_is_cut_off(kit: Kit) {
    let bus = Bus::<u32>::new();
    let (slow, quick) = (bus.listen(16), bus.listen(1_000));
    for round in 0..5_u32 {
        for number in 0..100 {
            assert_eq!(bus.publish(round * 100 + number), 2, "nobody is cut off");
            if number % 10 == 0 {
                some_turns(&kit).await;
            }
        }
        let heard: Vec<_> = std::iter::from_fn(|| slow.try_next()).collect();
        let kept = (84..100).map(|number| Heard::Event((round * 100 + number).into()));
        let expected: Vec<_> = std::iter::once(Heard::Lagged(84)).chain(kept).collect();
        assert_eq!(heard, expected, "round {round}");
    }
    assert_eq!(std::iter::from_fn(|| quick.try_next()).count(), 500, "the slow one harms nobody");
}

/// Govcraft/acton-reactive#6: to unsubscribe did nothing, nor did the end of a subscriber: its entry stayed, and was sent to, for
/// the life of the process. Here a listener is a value: when it is dropped, or its actor ends with it, it is off the bus.
#[minder_fault_injection::test(seeds = 10)]
async fn acton_6_whoever_unsubscribes_stays_subscribed(kit: Kit) {
    struct Subscriber(#[expect(dead_code, reason = "it is held")] minder::groups::Listener<u32>);
    impl Actor for Subscriber {
        type Msg = ();
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Err(Plain("enough").into())
        }
    }
    let bus = Bus::<u32>::new();
    let listener = bus.listen(1);
    assert_eq!(bus.publish(1_u32), 1);
    drop(listener);
    assert_eq!((bus.publish(2_u32), bus.listeners()), (0, 0));
    let its = bus.clone();
    let it = kit.supervise("it", move || Subscriber(its.listen(8))).await;
    for _ in 0..100 {
        it.tell(()).expect("there is room");
        kit.settle().await;
        assert_eq!((bus.publish(3_u32), bus.listeners()), (1, 1), "one life, one listener");
    }
    kit.shutdown().await;
    assert_eq!(bus.listeners(), 0);
}
