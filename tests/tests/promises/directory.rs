//! Many actors under one key, or one, with values. Rows EXR.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{Pool, StartInstanceError};
use minder::{AlreadyClaimed, Directory, DirectoryEvent, LocalActor, StartActorError, UniqueDirectory, Why};
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

/// By key, value and owner at once: a pattern is a closure over a copy, in which the order is that of entering.
///
/// OTP: EXR-009.
#[tokio::test(start_paused = true)]
async fn all_entries_can_be_searched_by_whatever_they_say() {
    let (system, topics) = (system(), Topics::new());
    let (a, b) = (puppet(&system), puppet(&system));
    enlist(&topics, &a, &[("x", 1), ("y", 20), ("z", 3)]).await;
    enlist(&topics, &b, &[("x", 40), ("a", 50)]).await;
    let large: Vec<(String, u32)> = topics
        .entries()
        .into_iter()
        .filter(|(key, entry)| key != "a" && *entry.value > 2)
        .map(|(key, entry)| (key, *entry.value))
        .collect();
    assert_eq!(large, [("y".into(), 20), ("z".into(), 3), ("x".into(), 40)]);
    let of_b = topics.entries().iter().filter(|(_, entry)| entry.owner == b.id()).count();
    assert_eq!(of_b, 2);
    let tables = Tables::new();
    for (key, value) in [("x", 1), ("y", 2)] {
        assert_eq!(claim(&tables, &a, key, value).await, None);
    }
    let keys: Vec<String> = tables.entries().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["x", "y"]);
}

/// What a watch has told, in short.
fn told(event: &DirectoryEvent<String, u32>) -> String {
    match event {
        DirectoryEvent::All(all) => {
            let all = all.iter().map(|(key, entry)| format!("{key}={}", entry.value));
            format!("all [{}]", all.collect::<Vec<_>>().join(" "))
        }
        DirectoryEvent::Entered(key, entry) => format!("entered {key}={} of {}", entry.value, entry.owner),
        DirectoryEvent::Updated(key, entry) => format!("updated {key}={} of {}", entry.value, entry.owner),
        DirectoryEvent::Left(key, owner, Why::Asked) => format!("left {key} of {owner}"),
        DirectoryEvent::Left(key, owner, Why::Ended(reason)) => format!("left {key} of {owner}: {reason}"),
        other => panic!("{other:?}"),
    }
}

/// Who is there, then every change in order; one that is dropped holds nothing up.
///
/// OTP: EXR-010.
#[tokio::test(start_paused = true)]
async fn whoever_watches_is_told_who_is_there_and_then_who_comes_and_goes() {
    let (system, tables) = (system(), Tables::new());
    let (a, b) = (puppet(&system), puppet(&system));
    assert_eq!(claim(&tables, &a, "x", 1).await, None);
    drop(tables.watch());
    let mut watch = tables.watch();
    assert_eq!(told(&soon(watch.next()).await), "all [x=1]");
    assert_eq!(claim(&tables, &b, "x", 2).await, Some((a.id(), 1)), "that is no news");
    assert_eq!(claim(&tables, &b, "y", 3).await, None);
    let directory = tables.clone();
    a.tell(act(move |_, context| {
        directory.update(context, "x", 4).expect("it is its own");
        directory.withdraw(context, "x").expect("it is its own");
        Ok(())
    }))
    .expect("there is room");
    life(&a).await;
    b.kill();
    soon(b.ended()).await;
    let (a, b) = (a.id(), b.id());
    let expected = [
        format!("entered y=3 of {b}"),
        format!("updated x=4 of {a}"),
        format!("left x of {a}"),
        format!("left y of {b}: killed"),
    ];
    for expected in expected {
        // All of it is there by now: it came before the end was heard of.
        let event = tokio::time::timeout(Duration::ZERO, watch.next()).await.expect("it has been told");
        assert_eq!(told(&event), expected);
    }
}

/// Whoever is too slow is told the whole again, and from there on the changes: no gap, no duplicate.
#[tokio::test(start_paused = true)]
async fn a_watch_that_falls_behind_is_told_the_whole_again() {
    // how many entries come while nobody reads, whether that is too many
    for (entries, behind) in [(1_024, false), (1_025, true)] {
        let (system, topics) = (system(), Topics::new());
        let mut watch = topics.watch();
        assert_eq!(told(&soon(watch.next()).await), "all []");
        let (it, directory) = (puppet(&system), topics.clone());
        it.tell(act(move |_, context| {
            (0..entries).for_each(|number| directory.enlist(context, "x".into(), number));
            Ok(())
        }))
        .expect("there is room");
        life(&it).await;
        let mut known = 0;
        while known < entries {
            match soon(watch.next()).await {
                DirectoryEvent::All(all) => {
                    assert!(behind && known == 0);
                    known = u32::try_from(all.len()).expect("few");
                }
                DirectoryEvent::Entered(_, entry) => {
                    assert_eq!((behind, *entry.value), (false, known));
                    known += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        let other = puppet(&system);
        enlist(&topics, &other, &[("y", 1)]).await;
        assert_eq!(told(&soon(watch.next()).await), format!("entered y=1 of {}", other.id()), "and goes on");
    }
}

/// An actor attaches a watch like any other stream, and is woken by it.
#[tokio::test(start_paused = true)]
async fn an_actor_attaches_a_watch() {
    struct Watcher(Topics, Journal);
    impl Actor for Watcher {
        type Msg = DirectoryEvent<String, u32>;
        async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
            context.attach(self.0.watch(), |event| event);
            Ok(())
        }
        async fn handle(&mut self, event: Self::Msg, _: &mut Context<Self::Msg>) -> Handled {
            self.1.note(told(&event));
            Ok(())
        }
    }
    let (system, topics, (journal, mut reader)) = (system(), Topics::new(), journal());
    let watched = topics.clone();
    system.spawn(move || Watcher(watched, journal)).expect("open");
    reader.expect(&["all []"]).await;
    let it = puppet(&system);
    enlist(&topics, &it, &[("x", 1)]).await;
    reader.expect(&[&format!("entered x=1 of {}", it.id())]).await;
    it.kill();
    reader.expect(&[&format!("left x of {}: killed", it.id())]).await;
}

/// Whoever wants to know what actors enter and take back, and nothing of deaths, tells them by why an entry is gone: however
/// its owner ends, nobody has asked for that.
///
/// OTP: EXR-010.
#[tokio::test(start_paused = true)]
async fn a_listener_that_wants_no_deaths_hears_of_none() {
    struct Listener(Topics, Journal);
    impl Actor for Listener {
        type Msg = DirectoryEvent<String, u32>;
        async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
            context.attach(self.0.watch(), |event| event);
            Ok(())
        }
        async fn handle(&mut self, event: Self::Msg, _: &mut Context<Self::Msg>) -> Handled {
            match event {
                DirectoryEvent::All(all) => self.1.note(format!("listens to {}", all.len())),
                DirectoryEvent::Entered(key, entry) => self.1.note(format!("register {key} {}", entry.value)),
                DirectoryEvent::Left(key, _, Why::Asked) => self.1.note(format!("unregister {key}")),
                _ => {}
            }
            Ok(())
        }
    }
    for ending in [crash(), end(ExitReason::Normal), end(ExitReason::Shutdown), end(ExitReason::Killed)] {
        let (system, topics, (journal, mut reader)) = (system(), Topics::new(), journal());
        let watched = topics.clone();
        system.spawn(move || Listener(watched, journal)).expect("open");
        reader.expect(&["listens to 0"]).await;
        let it = minded(&system, || Puppet::new("it", &self::journal().0)).await;
        enlist(&topics, &it, &[("x", 1), ("y", 2), ("x", 3)]).await;
        let directory = topics.clone();
        within(&it, move |context| directory.withdraw(context, "x")).await;
        it.tell(ending).expect("there is room");
        assert_eq!(life(&it).await, 2);
        enlist(&topics, &it, &[("y", 4)]).await;
        let directory = topics.clone();
        within(&it, move |context| directory.withdraw(context, "y")).await;
        let registered = ["register x 1", "register y 2", "register x 3"];
        reader.expect(&registered).await;
        reader.expect(&["unregister x", "unregister x", "register y 4", "unregister y"]).await;
        turns().await;
        assert_eq!(reader.rest(), Vec::<String>::new());
    }
}

/// Instances under keys of any type, found or started by whoever asks: the key is claimed before anything is handled, a
/// second start fails with who has it, and leaves nothing.
///
/// OTP: EXR-013.
#[tokio::test(start_paused = true)]
async fn a_unique_directory_names_the_instances_of_a_pool() {
    type Rooms = UniqueDirectory<(u8, u8), Addr<Msg>>;
    async fn ensure(rooms: &Rooms, pool: &Pool<(u8, u8), Msg>, key: (u8, u8)) -> (Addr<Msg>, &'static str) {
        if let Some(known) = rooms.lookup(&key) {
            return ((*known.value).clone(), "found");
        }
        match pool.start(key).await {
            Ok(started) => (started.expect("it runs"), "started"),
            // Somebody was faster: the reason says who.
            Err(StartInstanceError::Failed(ExitReason::Error(cause))) => {
                let claimed = cause.downcast_ref::<AlreadyClaimed<Addr<Msg>>>().expect("nothing else fails");
                ((*claimed.by.value).clone(), "was faster")
            }
            Err(other) => panic!("{other}"),
        }
    }
    let (system, rooms, (journal, mut reader)) = (system(), Rooms::new(), journal());
    let claims = rooms.clone();
    let template = template("room", move |key: (u8, u8)| {
        let claims = claims.clone();
        Puppet::new("room", &journal).on_start(move |_, context| {
            let me = context.address();
            Ok(claims.claim(context, key, me)?)
        })
    });
    let spec = dynamic(&template).limit(9, SECOND);
    let pool = spec.start(&system, "rooms").await.expect("starts with nobody").pool(&template);
    // Both look before either has started.
    let both = || (ensure(&rooms, &pool, (1, 2)), ensure(&rooms, &pool, (1, 2)));
    let (one, other) = both();
    let ((one, how), (other, how_other)) = tokio::join!(one, other);
    assert_eq!((one == other, how, how_other), (true, "started", "was faster"));
    assert_eq!(ensure(&rooms, &pool, (1, 2)).await, (one.clone(), "found"));
    assert_eq!(ensure(&rooms, &pool, (3, 4)).await.1, "started");
    assert_eq!((rooms.count(), pool.instances().await.expect("it lives").len()), (2, 2));
    reader.expect(&["room up", "room up"]).await;
    // Its next life claims the key again.
    one.tell(crash()).expect("there is room");
    reader.expect(&["room up"]).await;
    assert_eq!(ensure(&rooms, &pool, (1, 2)).await, (one.clone(), "found"));
    pool.terminate(&one).await.expect("it is there");
    assert_eq!((rooms.count(), ensure(&rooms, &pool, (1, 2)).await.1), (1, "started"));
}

/// A registry of a user's own, on the public API: who registers does so in its start, before anything is handled, and what
/// it registered goes with its end, before anybody hears of that.
///
/// OTP: REG-008.
#[tokio::test(start_paused = true)]
async fn a_registry_of_ones_own_names_actors() {
    #[derive(Clone, Default)]
    struct ByNumber(Arc<Mutex<HashMap<u32, Addr<Msg>>>>);
    impl ByNumber {
        fn register(&self, number: u32, context: &mut Context<Msg>) -> Handled {
            let mut all = self.0.lock().expect("nobody panics in here");
            if let Some(owner) = all.get(&number) {
                return Err(ExitReason::other(&format!("taken by {}", owner.id())));
            }
            all.insert(number, context.address());
            let all = self.clone();
            context.at_end(move |_| drop(all.0.lock().expect("nobody panics in here").remove(&number)));
            Ok(())
        }
        fn whereis(&self, number: u32) -> Option<Addr<Msg>> {
            self.0.lock().expect("nobody panics in here").get(&number).cloned()
        }
    }
    let (system, numbers, (journal, mut reader)) = (system(), ByNumber::default(), journal());
    let start = async |name: &'static str| {
        let ((it, seat), numbers, journal) = (system.address(), numbers.clone(), journal.clone());
        it.tell(Msg::Mark(1)).expect("there is room");
        let make =
            move || Puppet::new(name, &journal).on_start(move |_, context| numbers.register(7, context));
        system.start(seat, name, make).await.map(|_| it).map_err(StartActorError::into_reason)
    };
    let first = start("first").await.expect("it is free");
    assert_eq!(numbers.whereis(7), Some(first.clone()));
    let refused = start("second").await.expect_err("it is taken");
    assert_eq!(refused, ExitReason::other(&format!("taken by {}", first.id())));
    assert_eq!(numbers.whereis(7), Some(first.clone()), "not freed by whoever had not got it");
    first.tell(crash()).expect("there is room");
    soon(first.ended()).await;
    let third = start("third").await.expect("it is free again");
    assert_eq!(numbers.whereis(7), Some(third.clone()));
    assert_eq!(life(&third).await, 1);
    assert_eq!(reader.rest(), ["first up", "first 1", "third up", "third 1"], "nobody else handled anything");
}

/// Numbers that are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}
