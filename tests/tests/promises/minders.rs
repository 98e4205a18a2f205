//! Minders of one's own: through the public API an actor can do for its children what a supervisor does.

use minder::prelude::*;
use minder::{ActorRef, MailboxOptions, Recipe, StartError, StartOptions};

use crate::support::*;

fn boss(system: &System, journal: &Journal) -> Addr<Msg> {
    spawn(system, "boss", journal)
}

async fn started(boss: &Addr<Msg>, recipe: &Recipe, name: &'static str) -> Result<ActorRef, StartError> {
    let recipe = recipe.clone();
    within(boss, move |context| context.start(&recipe, StartOptions::named(name))).await
}

fn recipe(journal: &Journal, seat: Seat<Msg>) -> Recipe {
    let journal = journal.clone();
    Recipe::in_seat(seat, move || Puppet::new("it", &journal).trapping())
}

/// OTP: PRL-001.
#[tokio::test(start_paused = true)]
async fn every_start_is_followed_by_its_news() {
    let system = system();
    let (journal, mut reader) = journal();
    let boss = boss(&system, &journal);
    let (it, seat) = system.address();
    let recipe = recipe(&journal, seat);
    let first = started(&boss, &recipe, "it").await.expect("the seat is free");
    reader.expect(&["boss up", "it up", "boss child started"]).await;
    assert_eq!(&*it.path(), format!("{}/it", boss.path()));
    assert_eq!((first.id(), first.is_alive()), (it.id(), true));
    assert!(matches!(started(&boss, &recipe, "it").await, Err(StartError::SeatTaken(_))));
    it.tell(crash()).expect("there is room");
    reader.expect(&["boss child exited panic boom"]).await;
    assert!(!first.is_alive());
    let second = started(&boss, &recipe, "it").await.expect("the seat is free again");
    reader.expect(&["it up", "boss child started"]).await;
    assert_ne!(first.id(), second.id());
    assert_eq!(life(&it).await, 2);

    // What is meant for the first life does not touch the second.
    boss.tell(act(move |_, context| {
        context.kill_child(&first);
        context.stop_child(&first, ExitReason::Shutdown);
        context.stop_child(&second, ExitReason::other("enough"));
        Ok(())
    }))
    .expect("there is room");
    reader.expect(&["it stopping enough", "boss child exited enough"]).await;
}

/// OTP: PRL-001, GS-001.
#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_told_with_its_reason() {
    type Starting = fn(Puppet) -> Result<Puppet, ExitReason>;
    let rows: &[(Starting, &str)] = &[
        (|_| Err(Plain("none").into()), "error: none"),
        (|_| panic!("factory"), "panic factory"),
        (|it| Ok(it.on_start(|_, _| Err(Plain("no").into()))), "error: no"),
        (|it| Ok(it.on_start(|_, _| panic!("started"))), "panic started"),
        (|it| Ok(it.on_start(|_, _| Err(ExitReason::Normal))), "normal"),
    ];
    for (starting, reason) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let boss = boss(&system, &journal);
        let starting = *starting;
        let make = move || starting(Puppet::new("it", &self::journal().0));
        let recipe = Recipe::own_seat(make, MailboxOptions::default());
        started(&boss, &recipe, "it").await.expect("the seat is free");
        reader.expect(&["boss up", &format!("boss child failed {reason}")]).await;
        turns().await;
        assert!(reader.rest().is_empty());
        assert_eq!(system.living(), 1);
    }
}

/// One that ends normally takes its children along with `shutdown`, since a life belongs to its minder.
/// OTP: GS-020.
#[tokio::test(start_paused = true)]
async fn children_end_with_their_minder_however_it_ends() {
    type Ending = fn() -> Msg;
    // Why the boss ends, and why its trapping child does.
    let rows: &[(Ending, &str)] = &[
        (|| end(ExitReason::Normal), "shutdown"),
        (|| end(ExitReason::Shutdown), "shutdown"),
        (crash, "panic boom"),
        (|| act(|_, _| Err(Plain("no").into())), "error: no"),
        (
            || {
                wait(|_, context| {
                    Box::pin(async move {
                        assert!(context.address().kill());
                        std::future::pending().await
                    })
                })
            },
            "killed",
        ),
    ];
    for (ending, reason) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let boss = boss(&system, &self::journal().0);
        let (_it, seat) = system.address();
        started(&boss, &recipe(&journal, seat), "it").await.expect("the seat is free");
        reader.expect(&["it up"]).await;
        boss.tell(ending()).expect("there is room");
        reader.expect(&[&format!("it stopping {reason}")]).await;
        turns().await;
        assert_eq!(system.living(), 0, "{reason}");
    }
}

/// The child was being started in the very handler that then crashed.
#[tokio::test(start_paused = true)]
async fn a_child_begun_in_a_handler_that_crashes_is_not_left_behind() {
    let system = system();
    let boss = boss(&system, &journal().0);
    boss.tell(act(|_, context| {
        for name in ["x", "y"] {
            context.spawn(name, || Puppet::new("it", &journal().0).trapping())?;
        }
        panic!("boom")
    }))
    .expect("there is room");
    soon(boss.ended()).await;
    turns().await;
    assert_eq!(system.living(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_seat_is_for_one_minder_and_one_system() {
    let (system, other_system) = (crate::support::system(), crate::support::system());
    let (boss, rival) = (self::boss(&system, &journal().0), self::boss(&system, &journal().0));
    let stranger = self::boss(&other_system, &journal().0);
    let (it, seat) = system.address();
    let recipe = recipe(&journal().0, seat.clone());
    started(&boss, &recipe, "it").await.expect("the seat is free");
    let taken = started(&rival, &recipe, "it").await.expect_err("somebody lives there").to_string();
    assert_eq!(taken, format!("the seat of {}/it is taken: give each child a seat of its own", boss.path()));
    let foreign = started(&stranger, &recipe, "it").await.expect_err("another system's").to_string();
    assert_eq!(
        foreign,
        format!(
            "the seat of {}/it belongs to another system: make it with this system's `address`",
            boss.path()
        )
    );
    let as_root = system.start(seat, "top", || Puppet::new("it", &journal().0)).await;
    assert!(as_root.expect_err("somebody lives there").to_string().contains("is taken"));
    assert_eq!(life(&it).await, 1);
}
