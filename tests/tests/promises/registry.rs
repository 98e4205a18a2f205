//! Names: unique in a system, owned by seats, free again before anyone hears that a seat is given up. Rows REG.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minder::prelude::*;
use minder::supervisors::TreeError;
use minder::{
    AliasEnds, ChildEvent, ChildNotice, EnsureError, NamedTellError, RegisterError, StartOptions,
    WhereisError,
};

use crate::support::*;

/// Says which names there are whenever it hears of something, and whether the other is alive still.
struct Hearer(&'static str, Journal, Option<Addr<Msg>>);

/// Watch this actor in every way there is, and say when it is done.
struct Watch(Addr<Msg>, Reply<()>);

impl Actor for Hearer {
    type Msg = Watch;

    async fn handle(&mut self, Watch(other, reply): Watch, context: &mut Context<Watch>) -> Handled {
        context.trap_exit(true);
        context.link(&other)?;
        context.monitor(&other);
        context.monitor_final(&other);
        context.monitor_alias(&other, AliasEnds::WithMonitor);
        context.monitor_name("it");
        self.2 = Some(other);
        let _ = reply.send(());
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<Watch>) -> Handled {
        let kind = match notice {
            Notice::Exit(_) => "exit",
            Notice::Down(down) if down.name.is_some() => "down by name",
            Notice::Down(_) => "down",
            _ => "child",
        };
        let lives = if self.2.as_ref().is_some_and(Addr::is_alive) { " and lives" } else { "" };
        self.1.note(format!("{} {kind} {:?}{lives}", self.0, context.system().names()));
        Ok(())
    }
}

/// OTP: REG-004, REG-005.
#[tokio::test(start_paused = true)]
async fn a_name_leads_to_its_actor_and_says_what_it_takes() {
    let system = system();
    let it = spawn(&system, "it", &journal().0);
    assert_eq!(it.registered_name(), None);
    system.register("it", &it).expect("free");
    assert_eq!(system.whereis::<Msg>("it"), Ok(it.clone()));
    assert_eq!((it.registered_name().as_deref(), &*it.path()), (Some("it"), "it"));
    assert_eq!(system.names(), [Arc::from("it")]);

    let unknown = system.whereis::<Msg>("its").expect_err("nobody has it");
    assert_eq!((unknown.to_string().as_str()), "nobody has the name `its`");
    let wrong = system.whereis::<u32>("it").expect_err("it takes other messages");
    assert!(matches!(wrong, WhereisError::OtherMessages { .. }));
    let text = wrong.to_string();
    assert!(text.starts_with("the actor named `it` takes messages of type `"), "{text}");
    assert!(text.contains("support::Msg`, not `u32`"), "{text}");

    // By name, or the message comes back.
    let (journal, mut reader) = journal();
    let other = spawn(&system, "other", &journal);
    system.register("other", &other).expect("free");
    system.tell("other", Msg::Mark(1)).expect("it is there");
    reader.expect(&["other up", "other 1"]).await;
    let lost = system.tell("its", 5_u32).expect_err("nobody has it");
    assert!(matches!(lost, NamedTellError::NoAddress(WhereisError::Unknown(_), 5)));
    assert_eq!(lost.into_message(), 5);
    assert_eq!(system.tell("other", 6_u32).expect_err("it takes other messages").into_message(), 6);
}

/// OTP: REG-001, REG-002, REG-006, EXR-001.
#[tokio::test(start_paused = true)]
async fn a_name_is_for_one_and_one_has_one_name() {
    let (system, elsewhere) = (system(), system());
    let (a, b) = (spawn(&system, "a", &journal().0), spawn(&system, "b", &journal().0));
    system.register("n1", &b).expect("free");
    let taken = system.register("n1", &a).expect_err("b has it");
    let RegisterError::Taken { id, .. } = &taken else { panic!("{taken}") };
    assert_eq!(*id, b.id());
    assert_eq!(taken.to_string(), format!("the name `n1` belongs to n1 {}", b.id()));
    for name in ["n1", "n2"] {
        assert_eq!(system.register(name, &b), Err(RegisterError::Named("n1".into())), "{name}");
    }
    assert_eq!(elsewhere.register("n1", &b), Err(RegisterError::OtherSystem));
    // The other system's names are its own.
    elsewhere.register("n1", &spawn(&elsewhere, "c", &journal().0)).expect("free there");

    assert!(!system.unregister("n2"));
    assert!(system.unregister("n1"));
    assert!(!system.unregister("n1"));
    system.register("n2", &b).expect("it has none any more");
    system.register("n1", &a).expect("free again");
    assert_eq!(system.whereis::<Msg>("n1"), Ok(a.clone()));

    // What it no longer has is not freed with it.
    assert!(system.unregister("n1"));
    system.unregister("n2");
    system.register("n1", &b).expect("free again");
    a.kill();
    soon(a.ended()).await;
    assert_eq!(system.whereis::<Msg>("n1"), Ok(b));
    assert_eq!(system.register("n3", &a), Err(RegisterError::GivenUp));
}

/// OTP: REG-003, MON-010.
#[tokio::test(start_paused = true)]
async fn a_name_survives_restarts_and_is_there_between_lives() {
    let system = system();
    let (journal, mut reader) = journal();
    let (it, seat) = system.address();
    // Before the first life already: it is the seat's.
    system.register("it", &it).expect("free");
    let writes = journal;
    let make = move || {
        Puppet::new("it", &writes).on_start(|it, context| {
            // A next life that registers has the name already.
            context.register("it")?;
            it.note(format!("named {:?}", context.registered_name()));
            Ok(())
        })
    };
    let tree = tolerant(one_for_one()).child(actor_in("it", seat, make));
    tree.start(&system, "top").await.expect("it starts");
    let rows: &[fn() -> Msg] = &[crash, || end(ExitReason::Normal), || act(|_, _| Err(Plain("no").into()))];
    for ending in rows {
        reader.until("it named Some(\"it\")").await;
        reader.expect(&["it up"]).await;
        let dead = it.id();
        it.tell(ending()).expect("there is room");
        // Whatever the moment, it is never gone: not while it ends, and not while nobody lives there.
        while it.id() == dead {
            assert_eq!(system.whereis::<Msg>("it"), Ok(it.clone()));
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(life(&it).await, 4);
    assert_eq!(system.whereis::<Msg>("it"), Ok(it));
}

/// REG-003, MON-010: links, monitors of every kind, the minder, and whoever waits outside or sends.
/// OTP: REG-003, MON-010, PRC-006.
#[tokio::test(start_paused = true)]
async fn whoever_hears_of_the_end_finds_the_name_free() {
    type Ending = fn() -> Msg;
    let rows: &[Ending] = &[
        || end(ExitReason::Normal),
        crash,
        || {
            wait(|_, context| {
                Box::pin(async move {
                    context.address().kill();
                    std::future::pending().await
                })
            })
        },
    ];
    for ending in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let boss = spawn(&system, "boss", &self::journal().0);
        let (tell, told) = tokio::sync::oneshot::channel();
        let writes = journal.clone();
        boss.tell(act(move |_, context| {
            let it = context.spawn("it", || Puppet::new("it", &self::journal().0))?;
            context.system().register("it", &it)?;
            drop(tell.send(it));
            Ok(())
        }))
        .expect("there is room");
        let it = told.await.expect("it is started");
        let hearer = system.spawn(move || Hearer("hearer", writes, None)).expect("open");
        hearer.ask(|reply| Watch(it.clone(), reply)).await.expect("it watches");
        let outside = {
            let (it, system, journal) = (it.clone(), system.clone(), journal.clone());
            aside(async move {
                it.ended().await;
                let lives = if it.is_alive() { " and lives" } else { "" };
                journal.note(format!("outside {:?}{lives}", system.names()));
            })
        };
        let asker = {
            let (it, system, journal) = (it.clone(), system.clone(), journal.clone());
            it.tell(ending()).expect("there is room");
            aside(async move {
                let error = it.ask(Msg::Life).await.expect_err("it is gone");
                journal.note(format!(
                    "asker {:?} {}",
                    system.names(),
                    matches!(error, AskError::Stopped(..))
                ));
            })
        };
        outside.await.expect("it hears");
        asker.await.expect("it hears");
        turns().await;
        let mut heard = reader.rest();
        heard.sort();
        let expected = [
            "asker [] true",
            "hearer down []",
            "hearer down []",
            "hearer down []",
            "hearer down by name []",
            "hearer exit []",
            "outside []",
        ];
        assert_eq!(heard, expected);
        assert!(matches!(it.tell(Msg::Mark(1)), Err(TellError::Stopped(..))));
    }
}

/// The minder of a seat that lasts for one life hears of its end when the name is free; so does one that gives up a seat
/// it was keeping.
#[tokio::test(start_paused = true)]
async fn a_minder_hears_when_the_name_is_free() {
    struct Boss(Journal);
    impl Actor for Boss {
        type Msg = ();
        async fn started(&mut self, context: &mut Context<()>) -> Handled {
            let it = context.ensure("it", || Puppet::new("it", &journal().0))?;
            assert_eq!(&*it.path(), format!("{}/it", context.path()));
            it.tell(crash()).expect("there is room");
            Ok(())
        }
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
        async fn notice(&mut self, notice: Notice, context: &mut Context<()>) -> Handled {
            if let Notice::Child(ChildNotice { event: ChildEvent::Exited { .. }, .. }) = notice {
                self.0.note(format!("{:?}", context.system().names()));
            }
            Ok(())
        }
    }
    let system = system();
    let (journal, mut reader) = journal();
    let _boss = system.spawn(move || Boss(journal)).expect("open");
    reader.expect(&["[]"]).await;
}

/// REG-009, ractor's name that stayed taken: a start that failed leaves no name behind.
/// OTP: REG-009.
#[tokio::test(start_paused = true)]
async fn a_failed_start_leaves_no_name_behind() {
    let system = system();
    let none = || Err::<Puppet, ExitReason>(Plain("none").into());
    // By the system: told to whoever sends.
    let it = system.ensure("it", none).expect("the name is free");
    soon(it.ended()).await;
    assert!(system.names().is_empty());
    // In a tree: when its start returns.
    let failing = tolerant(one_for_one())
        .child(actor("well", || Puppet::new("well", &journal().0)).registered("well"))
        .child(actor("ill", none).registered("ill"));
    failing.start(&system, "top").await.expect_err("one of them does not start");
    assert!(system.names().is_empty(), "{:?}", system.names());
    let again = tolerant(one_for_one())
        .child(actor("ill", || Puppet::new("it", &journal().0)).registered("ill"))
        .start(&system, "top")
        .await;
    let again = again.expect("the name is free");
    assert_eq!(system.names(), [Arc::from("ill")]);
    // The tree gives its seats up when it ends.
    again.address().kill();
    soon(again.ended()).await;
    assert!(system.names().is_empty(), "{:?}", system.names());
}

/// REG-007: the name is there before the actor is built, and if it is not to be had the actor is not built.
/// OTP: REG-007, SUP-017.
#[tokio::test(start_paused = true)]
async fn a_child_is_registered_before_it_is_built() {
    let system = system();
    let built = Arc::new(AtomicU32::new(0));
    let (counts, looks) = (built.clone(), system.clone());
    let named = move || {
        counts.fetch_add(1, Ordering::Relaxed);
        assert!(looks.whereis::<Msg>("it").is_ok());
        Puppet::new("it", &journal().0)
    };
    let spec = tolerant(one_for_one()).child(actor("it", named).registered("it"));
    spec.clone().start(&system, "top").await.expect("the name is free");
    let it: Addr<Msg> = system.whereis("it").expect("it is registered");
    assert_eq!((built.load(Ordering::Relaxed), &*it.path()), (1, "top/it"));
    it.tell(crash()).expect("there is room");
    assert_eq!(life(&it).await, 2);
    assert_eq!(it.registered_name().as_deref(), Some("it"));

    let refused = spec.start(&system, "again").await.expect_err("somebody has the name").to_string();
    assert!(refused.contains(&format!("the name `it` belongs to top/it {}", it.id())), "{refused}");
    assert_eq!(built.load(Ordering::Relaxed), 2);
    // Nor can an actor be registered under two names by its specification.
    let (other, seat) = system.address();
    system.register("mine", &other).expect("free");
    let twice = one_for_one()
        .child(actor_in("x", seat, || Puppet::new("x", &journal().0)).registered("yours"))
        .start(&system, "twice")
        .await;
    assert!(twice.expect_err("it has one").to_string().contains("has a name already: `mine`"));
    assert!(matches!(system.whereis::<Msg>("yours"), Err(WhereisError::Unknown(_))));
    assert!(matches!(system.whereis::<Msg>("mine"), Err(WhereisError::Unknown(_))), "its seat is given up");
}

#[tokio::test(start_paused = true)]
async fn a_tree_that_gives_a_name_to_two_is_refused() {
    let it = || actor("it", || Puppet::new("it", &journal().0)).registered("it");
    let below = one_for_one().child(it());
    let twice = one_for_one().child(it()).child(tree("x", below)).check().expect_err("two have the name");
    assert!(matches!(twice, TreeError::NameUsedTwice { .. }));
    assert_eq!(twice.to_string(), "children `it` and `x/it` are both registered as `it`; a name is for one");
}

#[tokio::test(start_paused = true)]
async fn ensure_starts_one_and_gives_everybody_the_same() {
    let system = system();
    let made = Arc::new(AtomicU32::new(0));
    let ensure = move |system: &System| {
        let made = made.clone();
        system.ensure("it", move || {
            assert_eq!(made.fetch_add(1, Ordering::Relaxed), 0, "made once");
            Puppet::new("it", &journal().0)
        })
    };
    let first = ensure(&system).expect("it is started");
    // Not up yet, and found all the same: what is sent waits.
    let second = ensure(&system).expect("it is found");
    assert_eq!((first == second, first.id()), (true, system.whereis::<Msg>("it").expect("it is named").id()));
    assert_eq!(life(&second).await, 1);
    let wrong = system.ensure("it", || Hearer("it", journal().0, None)).expect_err("it takes other messages");
    assert!(matches!(wrong, EnsureError::Whereis(WhereisError::OtherMessages { .. })));

    // When it has ended another is started.
    second.kill();
    soon(second.ended()).await;
    let third = system.ensure("it", || Puppet::new("it", &journal().0)).expect("the name is free");
    assert!(third != second);
    assert_eq!(life(&third).await, 1);
    system.shutdown(SECOND).await;
    let closed = system.ensure("it", || Puppet::new("it", &journal().0)).expect_err("it shuts down");
    assert!(matches!(closed, EnsureError::Start(_)));
    assert!(system.names().is_empty());
}

/// MON-009, MON-004: whoever has the name at that moment is watched, whatever becomes of the name.
/// OTP: MON-004, MON-009.
#[tokio::test(start_paused = true)]
async fn a_monitor_by_name_watches_who_has_it_now() {
    let system = system();
    let (it, next) = (spawn(&system, "it", &journal().0), spawn(&system, "next", &journal().0));
    system.register("it", &it).expect("free");
    struct Watcher(Journal);
    impl Actor for Watcher {
        type Msg = Reply<()>;
        async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
            context.monitor_name("it");
            context.monitor_name("nobody");
            assert_eq!(context.monitors().len(), 2);
            Ok(())
        }
        async fn handle(&mut self, reply: Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
            let gone = context.monitor_name("nobody");
            assert!(!context.demonitor(gone), "it has fired");
            assert_eq!(context.monitors().len(), 1);
            let _ = reply.send(());
            Ok(())
        }
        async fn notice(&mut self, notice: Notice, _: &mut Context<Self::Msg>) -> Handled {
            let Notice::Down(down) = notice else { panic!("{notice:?}") };
            self.0.note(format!("{:?} {} {}", down.name, down.actor.cell() != 0, short(&down.reason)));
            Ok(())
        }
    }
    let (journal, mut reader) = journal();
    let watcher = system.spawn(move || Watcher(journal)).expect("open");
    reader.expect(&["Some(\"nobody\") false no such actor"]).await;
    watcher.ask(|reply| reply).await.expect("it answers");
    system.unregister("it");
    system.register("it", &next).expect("free");
    next.kill();
    soon(next.ended()).await;
    turns().await;
    assert!(reader.rest().is_empty());
    it.tell(crash()).expect("there is room");
    reader.expect(&["Some(\"it\") true panic boom"]).await;
}

/// A name that is claimed by a start and one that is claimed by hand obey the same rules, also for an heir.
#[tokio::test(start_paused = true)]
async fn the_options_of_a_start_may_name_it() {
    let system = system();
    let boss = spawn(&system, "boss", &journal().0);
    let (it, seat) = system.address();
    let recipe = minder::Recipe::in_seat(seat, || Puppet::new("it", &journal().0));
    let (tell, told) = tokio::sync::oneshot::channel();
    system.register("taken", &boss).expect("free");
    boss.tell(act(move |_, context| {
        let mut options = StartOptions::named("it");
        options.registered = Some("taken".into());
        let refused = context.start(&recipe, options.clone()).expect_err("it is taken");
        options.registered = Some("it".into());
        let started = context.start(&recipe, options).map(|actor| actor.id());
        drop(tell.send((refused, started, recipe)));
        Ok(())
    }))
    .expect("there is room");
    let (refused, started, _recipe) = told.await.expect("the boss lives");
    assert_eq!(refused.to_string(), format!("the name `taken` belongs to taken {}", boss.id()));
    assert_eq!(started, Ok(it.id()));
    assert_eq!(system.whereis::<Msg>("it"), Ok(it));
}

/// Real threads: whoever has heard of an end does not find the name with the one that ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn names_and_ends_on_several_threads() {
    let system = System::new().expect("the test runs in a runtime and unwinds");
    let clients = (0..4_u32).map(|client| {
        let system = system.clone();
        aside(async move {
            for round in 0..200 {
                let name = format!("name-{}", (client + round) % 3);
                let it =
                    system.ensure(&name, || Puppet::new("it", &journal().0)).expect("it is of this kind");
                // Another client may have ended it meanwhile: then the message comes back.
                drop(it.tell(end(ExitReason::Normal)));
                it.ended().await;
                if let Ok(other) = system.whereis::<Msg>(&name) {
                    assert!(other != it, "the name of one that was heard to have ended");
                }
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("no promise was broken");
    }
    assert!(system.shutdown(SECOND).await.is_clean());
    assert!(system.names().is_empty());
}
