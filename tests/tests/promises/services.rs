//! Services: what a minder offers to those below it, looked up by type.

use minder::NoService;
use minder::prelude::*;

use crate::support::*;

/// Something to offer.
#[derive(Clone, Debug, PartialEq)]
struct Pool(&'static str);

/// Something else.
#[derive(Clone, Debug, PartialEq)]
struct Config(u32);

/// Looks a pool up at each start, and writes down what it found.
fn looking(name: &'static str, journal: &Journal) -> impl Fn() -> Puppet + Clone + Send + Sync + 'static {
    let journal = journal.clone();
    move || {
        Puppet::new(name, &journal).on_start(|it, context| {
            match context.service::<Pool>() {
                Ok(Pool(pool)) => it.note(pool),
                Err(none) => it.note(none),
            }
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_nearest_offer_wins() {
    // offered by the system, the top, the middle; what is found
    type Row = ([Option<&'static str>; 3], &'static str);
    let rows: &[Row] = &[
        ([Some("system"), Some("top"), Some("mid")], "it mid"),
        ([Some("system"), Some("top"), None], "it top"),
        ([Some("system"), None, None], "it system"),
        ([None, Some("top"), None], "it top"),
        (
            [None, None, None],
            "it nobody offers `promises::services::Pool` to top/mid/it: asked top/mid, top, the system",
        ),
    ];
    for &([of_system, of_top, of_mid], found) in rows {
        let mut builder = System::builder();
        if let Some(pool) = of_system {
            builder = builder.offer(Pool(pool));
        }
        let system = builder.build().expect("the test runs in a runtime and unwinds");
        let (journal, mut reader) = journal();
        let offering = |spec: Spec, pool: Option<&'static str>| {
            // Of a type the last counts.
            pool.map_or(spec.clone(), |pool| spec.offer(Pool("not this")).offer(Config(1)).offer(Pool(pool)))
        };
        let mid = offering(one_for_one(), of_mid).child(actor("it", looking("it", &journal)));
        let top = offering(one_for_one(), of_top).child(tree("mid", mid));
        top.start(&system, "top").await.expect("it starts");
        reader.expect(&[found, "it up"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_absent_service_is_an_error_that_names_all_who_were_asked() {
    let system = system();
    let (journal, mut reader) = journal();
    let make = {
        let journal = journal.clone();
        move || {
            Puppet::new("it", &journal).on_start(|it, context| {
                let none = context.service::<Config>().expect_err("nobody offers it");
                let NoService { service, asker, asked, ended, .. } = &none;
                it.note(format!("{service} {asker} {asked:?} {ended:?}"));
                Ok(context.service::<Config>().map(drop)?)
            })
        }
    };
    let spec = one_for_one().offer(Pool("x")).child(actor("it", make));
    let reason = spec.start(&system, "top").await.expect_err("it cannot start without").to_string();
    assert!(
        reason.contains("nobody offers `promises::services::Config` to top/it: asked top, the system"),
        "{reason}"
    );
    reader.expect(&["it promises::services::Config top/it [\"top\"] None"]).await;
}

/// What was looked up stays; a restart looks again.
#[tokio::test(start_paused = true)]
async fn an_offer_may_change_and_be_withdrawn() {
    let system = system();
    let (journal, mut reader) = journal();
    let boss = system.spawn(|| Puppet::new("boss", &self::journal().0)).expect("open");
    let change = |deed: fn(&mut Context<Msg>)| {
        boss.tell(act(move |_, context| {
            deed(context);
            Ok(())
        }))
        .expect("there is room");
    };
    let start = |name: &'static str| {
        let make = looking(name, &journal);
        boss.tell(act(move |_, context| {
            context.spawn(name, make)?;
            Ok(())
        }))
        .expect("there is room");
    };
    change(|context| context.offer(Pool("one")));
    start("a");
    reader.expect(&["a one", "a up"]).await;
    change(|context| {
        context.offer(Pool("two"));
        assert_eq!(context.service::<Pool>().expect_err("its own are for those below").asked.len(), 0);
    });
    start("b");
    reader.expect(&["b two", "b up"]).await;
    change(|context| {
        assert!(context.withdraw_offer::<Pool>());
        assert!(!context.withdraw_offer::<Pool>());
        assert!(!context.withdraw_offer::<Config>());
    });
    start("c");
    let (path, id) = (boss.path(), "c");
    let none = format!("nobody offers `promises::services::Pool` to {path}/{id}: asked {path}, the system");
    reader.expect(&[&format!("c {none}"), "c up"]).await;
    assert_eq!(life(&boss).await, 1);
}

/// An offer made by hand is an incarnation's, and one of a spec is made again by the next.
#[tokio::test(start_paused = true)]
async fn an_offer_ends_with_the_life_of_its_minder() {
    let system = system();
    let (journal, mut reader) = journal();
    let below = looking("it", &journal);
    let make = {
        let journal = journal.clone();
        move || {
            let below = below.clone();
            Puppet::new("boss", &journal).on_start(move |_, context| {
                if context.id().incarnation() == 1 {
                    context.offer(Pool("of the first"));
                }
                context.spawn("it", below.clone())?;
                Ok(())
            })
        }
    };
    let (boss, seat) = system.address();
    let spec = tolerant(one_for_one()).offer(Pool("of the spec")).child(actor_in("boss", seat, make));
    let top = tolerant(one_for_one()).child(tree("mid", spec));
    top.start(&system, "top").await.expect("it starts");
    reader.until("it of the first").await;
    boss.tell(crash()).expect("there is room");
    reader.until("it of the spec").await;
    assert_eq!(life(&boss).await, 2);
    drop(system);
}

/// One whose minder has ended is about to be stopped; it is not given what somebody further up offers.
#[tokio::test(start_paused = true)]
async fn an_orphan_is_told_that_its_minder_has_ended() {
    let system = System::builder().offer(Pool("system")).build().expect("it can be built");
    let (journal, mut reader) = journal();
    let boss = system.spawn(|| Puppet::new("boss", &self::journal().0)).expect("open");
    let path = boss.path();
    let (of_boss, writes) = (boss.clone(), journal.clone());
    boss.tell(act(move |_, context| {
        context.offer(Pool("boss"));
        let it = context.spawn("it", move || Puppet::new("it", &writes).trapping())?;
        it.tell(wait(move |it, context| {
            Box::pin(async move {
                let Pool(found) = context.service()?;
                it.note(found);
                of_boss.kill();
                of_boss.ended().await;
                let none = context.service::<Pool>().expect_err("its minder has ended");
                it.note(none.ended.as_deref().unwrap_or("nobody"));
                Ok(())
            })
        }))
        .expect("there is room");
        Ok(())
    }))
    .expect("there is room");
    // Found when it was asked first.
    reader.expect(&["it up", "it boss", &format!("it {path}")]).await;
}

/// What is offered is dropped as user code, without a lock, when its minder has left and before that is heard of.
#[tokio::test(start_paused = true)]
async fn an_offer_that_panics_when_it_is_dropped_harms_nobody() {
    #[derive(Clone)]
    struct Bomb(Journal, System);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.note(format!("dropped, {} living", self.1.living()));
            panic!("value");
        }
    }
    let system = system();
    let (journal, mut reader) = journal();
    let boss = system.spawn(|| Puppet::new("boss", &self::journal().0)).expect("open");
    let bomb = (journal.clone(), system.clone());
    boss.tell(act(move |_, context| {
        context.offer(Bomb(bomb.0, bomb.1));
        context.offer(Pool("x"));
        context.stop(ExitReason::Normal);
        Ok(())
    }))
    .expect("there is room");
    let reason = soon(boss.ended()).await;
    reader.expect(&["dropped, 1 living"]).await;
    assert_eq!(reason, ExitReason::Normal);
    turns().await;
    assert_eq!(system.living(), 0);
}

/// Deep trees that end while everybody in them looks up: nobody waits for anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn looking_up_while_a_deep_tree_ends() {
    let system = System::builder().offer(Config(7)).build().expect("it can be built");
    for round in 0..20 {
        let mut spec = one_for_one();
        for index in 0..4 {
            let make = || {
                Puppet::new("it", &journal().0).on_start(|_, context| {
                    context.tell_self(wait(|_, context| {
                        Box::pin(async move {
                            loop {
                                // Either is right while the tree ends; that it comes is what is looked at.
                                drop(context.service::<Config>());
                                tokio::task::yield_now().await;
                            }
                        })
                    }));
                    Ok(())
                })
            };
            spec = one_for_one()
                .offer(Pool("x"))
                .child(tree("below", spec))
                .child(actor(&format!("it-{index}"), make));
        }
        let root = spec.start(&system, &format!("top-{round}")).await.expect("it starts");
        root.address().kill();
        root.ended().await;
    }
    let report = system.shutdown(SECOND).await;
    assert_eq!(system.living(), 0, "{report:?}");
}
