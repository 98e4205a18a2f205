//! Many actors under one key, or one, with values. Rows EXR.

use minder::prelude::*;
use minder::{Directory, LocalActor, UniqueDirectory};
use tokio::task::LocalSet;

use crate::support::*;

type Topics = Directory<String, u32>;

fn puppet(system: &System) -> Addr<Msg> {
    system.spawn(|| Puppet::new("it", &journal().0)).expect("open")
}

async fn enlist(topics: &Topics, who: &Addr<Msg>, entries: &'static [(&'static str, u32)]) {
    let topics = topics.clone();
    who.tell(act(move |_, context| {
        entries.iter().for_each(|(key, value)| topics.enlist(context, (*key).into(), *value));
        Ok(())
    }))
    .expect("there is room");
    life(who).await;
}

fn values(topics: &Topics, key: &str) -> Vec<u32> {
    topics.lookup(key).iter().map(|entry| *entry.value).collect()
}

/// Against keys, values and owners.
/// OTP: EXR-002, EXR-006, EXR-007.
#[tokio::test(start_paused = true)]
async fn many_under_one_key_and_one_under_many() {
    let (system, topics) = (system(), Topics::new());
    let (a, b) = (puppet(&system), puppet(&system));
    enlist(&topics, &a, &[("x", 1), ("y", 2), ("x", 3)]).await;
    enlist(&topics, &b, &[("x", 4)]).await;
    assert_eq!((values(&topics, "x"), values(&topics, "y")), (vec![1, 3, 4], vec![2]));
    assert_eq!((values(&topics, "z"), topics.count()), (vec![], 4));
    let owners: Vec<_> = topics.lookup("x").iter().map(|entry| entry.owner).collect();
    assert_eq!(owners, [a.id(), a.id(), b.id()]);
    assert_eq!(
        (topics.keys_of(&a), topics.keys_of(&b)),
        (vec!["x".into(), "y".into(), "x".into()], vec!["x".into()])
    );

    let directory = topics.clone();
    a.tell(act(move |_, context| {
        let withdrawn: Vec<u32> = directory.withdraw(context, "x").iter().map(|value| **value).collect();
        assert_eq!(withdrawn, [1, 3]);
        assert!(directory.withdraw(context, "x").is_empty(), "not b's");
        Ok(())
    }))
    .expect("there is room");
    assert_eq!(life(&a).await, 1);
    assert_eq!((values(&topics, "x"), topics.keys_of(&a)), (vec![4], vec!["y".to_owned()]));
}

/// EXR-003, and stricter: nobody who is known to have ended is listed; a next life enters anew.
/// OTP: EXR-003.
#[tokio::test(start_paused = true)]
async fn entries_go_with_the_life_that_made_them_before_its_end_is_heard_of() {
    struct Listening(Topics, Journal, Addr<Msg>);
    impl Actor for Listening {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            context.monitor(&self.2);
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
        async fn notice(&mut self, _: Notice, _: &mut Context<()>) -> Handled {
            self.1.note(format!("{:?} of {}", values(&self.0, "x"), self.0.count()));
            Ok(())
        }
    }
    let (system, topics) = (system(), Topics::new());
    let (journal, mut reader) = journal();
    let (enters, marks) = (topics.clone(), journal.clone());
    let it = minded(&system, move || {
        let (enters, marks) = (enters.clone(), marks.clone());
        Puppet::new("it", &marks).on_start(move |_, context| {
            enters.enlist(context, "x".into(), context.id().incarnation());
            Ok(())
        })
    })
    .await;
    reader.expect(&["it up"]).await;
    assert_eq!(values(&topics, "x"), [1]);
    let (hears, of) = (topics.clone(), it.clone());
    let listening = system.spawn(move || Listening(hears, journal, of)).expect("open");
    turns().await;
    it.tell(crash()).expect("there is room");
    assert_eq!(life(&it).await, 2);
    let mut heard = reader.rest();
    heard.sort();
    // Nothing of the first life, whether the second has entered by then or not.
    let down = heard.first().expect("the monitor has fired").clone();
    assert!(["[] of 0", "[2] of 1"].contains(&down.as_str()), "{heard:?}");
    assert_eq!(values(&topics, "x"), [2]);
    drop(listening);
    system.shutdown(SECOND).await;
    assert_eq!(topics.count(), 0);
}

/// What an actor entered is dropped as user code: caught, and told with its end.
#[tokio::test(start_paused = true)]
async fn a_value_that_panics_when_it_is_dropped_is_part_of_the_reason() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("value");
        }
    }
    let (system, bombs) = (system(), Directory::<u8, Bomb>::new());
    let it = puppet(&system);
    let directory = bombs.clone();
    it.tell(act(move |_, context| {
        directory.enlist(context, 1, Bomb);
        directory.enlist(context, 2, Bomb);
        context.stop(ExitReason::Normal);
        Ok(())
    }))
    .expect("there is room");
    let reason = soon(it.ended()).await.to_string();
    assert_eq!(reason.matches("value").count(), 2, "{reason}");
    assert_eq!(bombs.count(), 0);
}

/// A life whose local set is gone did not come to its end in order. Its entries go all the same, and its name.
#[tokio::test(start_paused = true)]
async fn a_life_that_is_swept_away_leaves_nothing_behind() {
    struct Hermit(Topics);
    impl LocalActor for Hermit {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            self.0.enlist(context, "x".into(), 1);
            Ok(context.register("hermit")?)
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
    }
    let (system, topics, set) = (system(), Topics::new(), LocalSet::new());
    let directory = topics.clone();
    let it = system.local_host_in(&set).spawn(move || Hermit(directory)).expect("open");
    set.run_until(turns()).await;
    assert_eq!((values(&topics, "x"), system.names().len()), (vec![1], 1));
    drop(set);
    soon(it.ended()).await;
    assert_eq!((topics.count(), system.names().len()), (0, 0));
}

/// One directory for two systems, whose actors have the same numbers.
#[tokio::test(start_paused = true)]
async fn a_directory_may_be_shared_by_systems() {
    let topics = Topics::new();
    let (here, there) = (system(), system());
    let (a, b) = (puppet(&here), puppet(&there));
    assert_eq!(a.id(), b.id());
    enlist(&topics, &a, &[("x", 1)]).await;
    enlist(&topics, &b, &[("x", 2)]).await;
    a.kill();
    soon(a.ended()).await;
    assert_eq!((values(&topics, "x"), topics.keys_of(&b)), (vec![2], vec!["x".to_owned()]));
}

/// Against a plain map, by chance: entering, withdrawing and ending in any order.
#[tokio::test(start_paused = true)]
async fn it_is_what_a_plain_list_would_be() {
    for seed in 0..50 {
        let mut chance = Chance(seed);
        let (system, topics) = (system(), Topics::new());
        let mut actors: Vec<Addr<Msg>> = (0..3).map(|_| puppet(&system)).collect();
        // (owner, key, value), in the order of entering.
        let mut model: Vec<(minder::ActorId, String, u32)> = Vec::new();
        for step in 0..60_u32 {
            let at = chance.below(3);
            let who = actors[at].clone();
            let key = ["x", "y"][chance.below(2)].to_owned();
            match chance.below(8) {
                0 => {
                    who.kill();
                    soon(who.ended()).await;
                    model.retain(|(owner, ..)| *owner != who.id());
                    actors[at] = puppet(&system);
                }
                1 | 2 => {
                    let (directory, of) = (topics.clone(), key.clone());
                    who.tell(act(move |_, context| {
                        directory.withdraw(context, &of);
                        Ok(())
                    }))
                    .expect("there is room");
                    life(&who).await;
                    model.retain(|(owner, of, _)| *owner != who.id() || *of != key);
                }
                _ => {
                    let (directory, of) = (topics.clone(), key.clone());
                    who.tell(act(move |_, context| {
                        directory.enlist(context, of, step);
                        Ok(())
                    }))
                    .expect("there is room");
                    life(&who).await;
                    model.push((who.id(), key, step));
                }
            }
            assert_eq!(topics.count(), model.len(), "seed {seed}, step {step}");
            for key in ["x", "y"] {
                let listed: Vec<_> =
                    topics.lookup(key).into_iter().map(|entry| (entry.owner, *entry.value)).collect();
                let expected: Vec<_> = model
                    .iter()
                    .filter(|(_, of, _)| of == key)
                    .map(|(owner, _, value)| (*owner, *value))
                    .collect();
                assert_eq!(listed, expected, "seed {seed}, step {step}");
            }
        }
    }
}

/// In the caller, on a copy, and never on nobody.
///
/// OTP: EXR-008.
#[tokio::test(start_paused = true)]
async fn a_function_is_called_with_all_under_a_key() {
    let (system, topics) = (system(), Topics::new());
    let a = puppet(&system);
    enlist(&topics, &a, &[("x", 1), ("x", 2), ("y", 3)]).await;
    let sum = topics.dispatch("x", |all| {
        assert_eq!(topics.count(), 3, "nothing is held up meanwhile");
        all.iter().map(|entry| *entry.value).sum::<u32>()
    });
    assert_eq!(sum, Some(3));
    assert_eq!(topics.dispatch("z", |_| unreachable!("there is nobody")), None::<()>);
}

type Tables = UniqueDirectory<String, u32>;

/// What becomes of a claim: nothing, or who has the key and what that one said.
async fn claim(
    tables: &Tables,
    who: &Addr<Msg>,
    key: &'static str,
    value: u32,
) -> Option<(minder::ActorId, u32)> {
    let (tables, (tell, told)) = (tables.clone(), tokio::sync::oneshot::channel());
    who.tell(act(move |_, context| {
        let claimed = tables.claim(context, key.into(), value);
        let _ = tell.send(claimed.err().map(|other| (other.by.owner, *other.by.value)));
        Ok(())
    }))
    .expect("there is room");
    soon(told).await.expect("it lives")
}

/// A second claim names the owner, also to itself. Of several at once one wins.
///
/// OTP: EXR-001, EXR-005, EXR-007.
#[tokio::test(start_paused = true)]
async fn a_unique_key_has_one_owner_who_may_change_its_value() {
    let (system, tables) = (system(), Tables::new());
    let (a, b) = (puppet(&system), puppet(&system));
    assert_eq!(claim(&tables, &a, "x", 1).await, None);
    assert_eq!(claim(&tables, &b, "x", 2).await, Some((a.id(), 1)));
    assert_eq!(claim(&tables, &a, "x", 3).await, Some((a.id(), 1)));
    assert_eq!(claim(&tables, &a, "y", 4).await, None);
    assert_eq!(
        (tables.count(), tables.keys_of(&a), tables.keys_of(&b)),
        (2, vec!["x".into(), "y".into()], vec![])
    );
    for (who, updated, value) in [(&a, Some(1), 5), (&b, None, 5)] {
        let directory = tables.clone();
        who.tell(act(move |_, context| {
            let old = directory.update(context, "x", 5).ok().map(|value| *value);
            assert_eq!(old, updated);
            Ok(())
        }))
        .expect("there is room");
        assert_eq!(life(who).await, 1, "it has not failed");
        let entry = tables.lookup("x").expect("it is a's");
        assert_eq!((entry.owner, *entry.value), (a.id(), value));
    }
    for (who, withdrawn) in [(&b, None), (&a, Some(5)), (&a, None)] {
        let directory = tables.clone();
        who.tell(act(move |_, context| {
            assert_eq!(directory.withdraw(context, "x").map(|value| *value), withdrawn);
            Ok(())
        }))
        .expect("there is room");
        assert_eq!(life(who).await, 1, "it has not failed");
    }
    assert_eq!((tables.lookup("x").map(|entry| entry.owner), tables.count()), (None, 1));
    assert_eq!(claim(&tables, &b, "x", 6).await, None);
}

/// Whoever hears of the end of an owner finds the key free, at that very moment.
///
/// OTP: EXR-003, EXR-004.
#[tokio::test(start_paused = true)]
async fn a_key_of_the_dead_can_be_claimed_at_once() {
    struct Heir(Tables, Addr<Msg>, Journal);
    impl Actor for Heir {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            context.monitor(&self.1);
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
        async fn notice(&mut self, _: Notice, context: &mut Context<()>) -> Handled {
            self.2.note(format!("{}", self.0.claim(context, "x".into(), 2).is_ok()));
            Ok(())
        }
    }
    let (system, tables, (journal, mut reader)) = (system(), Tables::new(), journal());
    let it = puppet(&system);
    assert_eq!(claim(&tables, &it, "x", 1).await, None);
    let (heirs, of) = (tables.clone(), it.clone());
    let heir = system.spawn(move || Heir(heirs, of, journal)).expect("open");
    turns().await;
    it.tell(crash()).expect("there is room");
    reader.expect(&["true"]).await;
    assert_eq!(tables.lookup("x").map(|entry| entry.owner), Some(heir.id()));
}

/// Numbers that are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}
