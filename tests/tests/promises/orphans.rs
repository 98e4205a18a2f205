//! What a supervisor leaves behind when it is killed: its children die, and a seat is taken again only when the one
//! that still sits in it is gone.

use std::sync::mpsc;

use minder::prelude::*;
use minder::supervisors::Supervisor;

use crate::support::*;

/// A message that blocks until the sender is dropped: the actor's end is held up by it.
fn blocking() -> (Msg, mpsc::Sender<()>) {
    let (release, held) = mpsc::channel::<()>();
    let message = wait(|puppet, context| {
        Box::pin(async move {
            puppet.note("blocks");
            context.blocking(move || held.recv().is_ok()).await;
            Ok(())
        })
    });
    (message, release)
}

struct Nest {
    system: System,
    /// The nested supervisor's address, to kill it by.
    sub: Addr<minder::supervisors::SupervisorMsg>,
    it: Addr<Msg>,
    reader: Reader,
    _root: minder::supervisors::Root,
}

/// `top/sub/it`, all tolerant, the seat of `it` made outside.
async fn nest(make: impl Fn(Puppet) -> Puppet + Clone + Send + Sync + 'static) -> Nest {
    let system = system();
    let (journal, reader) = journal();
    let (it, seat) = system.address();
    let (sub, sub_seat) = system.address();
    let below = tolerant(one_for_one())
        .child(actor_in("it", seat, move || make(Puppet::new("it", &journal).telling_drop())));
    let supervisor = actor_in("sub", sub_seat, move || Supervisor::new(&below)).shutdown(Shutdown::Infinity);
    let root = tolerant(one_for_one()).child(supervisor).start(&system, "top").await.expect("starts");
    Nest { system, sub, it, reader, _root: root }
}

/// OTP: SUP-104.
#[tokio::test(start_paused = true)]
async fn children_of_a_killed_supervisor_die_and_come_back_with_it() {
    for traps in [false, true] {
        let make = move |it: Puppet| if traps { it.trapping() } else { it };
        let Nest { sub, it, mut reader, system, .. } = nest(make).await;
        reader.expect(&["it up"]).await;
        assert!(sub.kill());
        let dying: &[&str] = if traps { &["it stopping killed", "it dropped"] } else { &["it dropped"] };
        reader.expect(dying).await;
        reader.expect(&["it up"]).await;
        assert_eq!((life(&it).await, sub.id().incarnation()), (2, 2));
        assert_eq!(system.living(), 3);
    }
}

/// OTP: SUP-105.
#[tokio::test(start_paused = true)]
async fn the_next_life_waits_for_the_orphan() {
    let Nest { sub, it, mut reader, .. } = nest(|it| it).await;
    let (message, release) = blocking();
    it.tell(message).expect("there is room");
    it.tell(Msg::Mark(1)).expect("there is room");
    reader.expect(&["it up", "it blocks"]).await;
    sub.kill();
    turns().await;
    assert_eq!(reader.rest(), ["it dropped"]);
    assert_eq!((it.id().incarnation(), it.is_alive()), (1, true), "dead but not gone");
    assert_eq!(sub.id().incarnation(), 2, "its supervisor is back, and waits for it");
    drop(release);
    reader.expect(&["it up", "it 1"]).await;
    assert_eq!(life(&it).await, 2);
}

/// The one in line for the seat belonged to a supervisor that was killed too: the next was refused the seat, and gave
/// up on it although it was about to be free.
#[tokio::test(start_paused = true)]
async fn a_supervisor_killed_while_it_waits_for_an_orphan_loses_its_place_in_line() {
    let Nest { sub, it, mut reader, system, .. } = nest(|it| it).await;
    let (message, release) = blocking();
    it.tell(message).expect("there is room");
    reader.expect(&["it up", "it blocks"]).await;
    for next in 2..=4 {
        sub.kill();
        turns().await;
        assert_eq!((sub.id().incarnation(), sub.is_alive()), (next, true), "it is back, and waits");
    }
    assert_eq!(reader.rest(), ["it dropped"]);
    drop(release);
    reader.expect(&["it up"]).await;
    turns().await;
    assert!(reader.rest().is_empty(), "one takes the seat");
    assert_eq!((life(&it).await, sub.id().incarnation()), (2, 4));
    assert_eq!(system.living(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_waits_for_an_orphan_can_be_called_off() {
    let Nest { sub, it, mut reader, system, .. } = nest(|it| it).await;
    let (message, release) = blocking();
    it.tell(message).expect("there is room");
    reader.expect(&["it up", "it blocks"]).await;
    sub.kill();
    turns().await;
    let shutdown = aside({
        let system = system.clone();
        async move { system.shutdown(60 * SECOND).await }
    });
    turns().await;
    assert!(!sub.is_alive(), "it need not wait any more");
    drop(release);
    let report = shutdown.await.expect("the shutdown does not panic");
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(reader.rest(), ["it dropped"], "and nobody took the seat");
    assert_eq!(system.living(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_trapping_orphan_finishes_what_it_has_in_hand() {
    let Nest { sub, it, mut reader, .. } = nest(Puppet::trapping).await;
    it.tell(wait(|puppet, context| {
        Box::pin(async move {
            puppet.note("in hand");
            context.sleep(10 * SECOND).await;
            puppet.note("done");
            Ok(())
        })
    }))
    .expect("there is room");
    reader.expect(&["it up", "it in hand"]).await;
    sub.kill();
    reader.expect(&["it done", "it stopping killed", "it dropped", "it up"]).await;
    assert_eq!(life(&it).await, 2);
}

/// The seats that a supervisor made itself go with it: what was asked there is told so.
#[tokio::test(start_paused = true)]
async fn seats_made_inside_go_with_their_supervisor() {
    let system = system();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let (sub, sub_seat) = system.address();
    let make = move || {
        let tell = tell.clone();
        Puppet::new("it", &journal().0).on_start(move |_, context| {
            drop(tell.send(context.address()));
            Ok(())
        })
    };
    let below = one_for_one().child(actor("it", make));
    let supervisor = actor_in("sub", sub_seat, move || Supervisor::new(&below));
    let _root = tolerant(one_for_one()).child(supervisor).start(&system, "top").await.expect("starts");
    let mut told = told;
    let first = told.recv().await.expect("it starts");
    sub.kill();
    let second = told.recv().await.expect("it starts again");
    assert!(first != second);
    let asked = first.ask(Msg::Life).await;
    assert!(matches!(&asked, Err(AskError::Stopped(ExitReason::Killed, Some(_)))), "{asked:?}");
    assert_eq!(life(&second).await, 1);
}
