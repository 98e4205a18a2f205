//! The end of a life, in its order: whoever hears of it may rely on everything before it, and nothing that was meant
//! for one life reaches the next.

use std::sync::mpsc;

use minder::prelude::*;
use tokio::sync::oneshot;

use crate::support::*;

/// A message that blocks a thread until the returned sender is dropped, and the witness inside the closure.
fn blocking(journal: &Journal) -> (Msg, mpsc::Sender<()>) {
    let (release, held) = mpsc::channel::<()>();
    let witness = Witness(journal.clone(), "closure gone");
    let made = journal.clone();
    let message = wait(|puppet, context| {
        Box::pin(async move {
            puppet.note("blocks");
            let work = move || {
                let _witness = witness;
                let _ = held.recv();
                // What it made for an actor that was killed meanwhile: a database that is open, say.
                Witness(made, "result gone")
            };
            context.blocking(work).await;
            Ok(())
        })
    });
    (message, release)
}

#[tokio::test(start_paused = true)]
async fn everyone_hears_of_the_end_only_when_nothing_is_left() {
    let system = system();
    let (journal, mut reader) = journal();
    let [boss, linked, watcher] = ["boss", "linked", "watcher"].map(|name| {
        let journal = journal.clone();
        system.spawn(move || Puppet::new(name, &journal).trapping()).expect("open")
    });
    let (tell, told) = oneshot::channel();
    let its = journal.clone();
    let making = act(move |_, context| {
        drop(tell.send(context.spawn("it", move || Puppet::new("it", &its).telling_drop())?));
        Ok(())
    });
    boss.tell(making).expect("there is room");
    let it = told.await.expect("the boss starts it");
    for (actor, how) in [(&linked, 0), (&watcher, 1), (&watcher, 2)] {
        let it = it.clone();
        let tie = act(move |_, context| match how {
            0 => context.link(&it),
            1 => {
                context.monitor(&it);
                Ok(())
            }
            _ => {
                context.monitor_final(&it);
                Ok(())
            }
        });
        actor.tell(tie).expect("there is room");
    }
    let in_hand = Witness(journal.clone(), "handler gone");
    let (closing, release) = blocking(&journal);
    let Msg::Do(closing) = closing else { unreachable!("made just now") };
    let both = wait(|puppet, context| {
        Box::pin(async move {
            let _in_hand = in_hand;
            closing(puppet, context).await
        })
    });
    it.tell(both).expect("there is room");
    reader.until("it blocks").await;
    assert!(it.kill());
    turns().await;
    assert_eq!(reader.rest(), ["handler gone", "it dropped"], "and nobody has heard of it");
    assert!(it.is_alive(), "its closure still runs");
    drop(release);
    reader.expect(&["closure gone", "result gone"]).await;
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(reader.next().await);
    }
    heard.sort();
    assert_eq!(
        heard,
        ["boss child exited killed", "linked exit killed", "watcher down killed", "watcher down killed"]
    );
    assert!(!it.is_alive());
    turns().await;
    assert!(reader.rest().is_empty(), "everyone hears of it once");
}

#[tokio::test(start_paused = true)]
async fn the_next_life_starts_when_the_closures_of_the_last_have_returned() {
    let system = system();
    let (journal, mut reader) = journal();
    let its = journal.clone();
    let it = minded(&system, move || Puppet::new("it", &its).telling_drop()).await;
    let (first, release_first) = blocking(&journal);
    it.tell(first).expect("there is room");
    reader.expect(&["it up", "it blocks"]).await;
    it.kill();
    turns().await;
    assert_eq!(reader.rest(), ["it dropped"]);
    assert_eq!(it.id().incarnation(), 1);
    drop(release_first);
    reader.expect(&["closure gone", "result gone", "it up"]).await;
    assert_eq!(life(&it).await, 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_meant_for_one_life_does_not_reach_the_next() {
    let system = system();
    let (journal, mut reader) = journal();
    let its = journal.clone();
    let it = minded(&system, move || Puppet::new("it", &its).trapping()).await;
    let [linked, watched, seat_watched, later] = ["l", "w", "s", "x"].map(|name| {
        let journal = journal.clone();
        system.spawn(move || Puppet::new(name, &journal)).expect("open")
    });
    let (release, held) = oneshot::channel::<()>();
    let ties = [linked.clone(), watched.clone(), seat_watched.clone(), later.clone()];
    it.tell(wait(|puppet, context| {
        Box::pin(async move {
            let [linked, watched, seat_watched, later] = ties;
            context.link(&linked)?;
            context.monitor(&watched);
            context.monitor_final(&seat_watched);
            context.link(&later)?;
            context.monitor(&later);
            context.monitor_final(&later);
            context.tell_self(Msg::Mark(1));
            context.send_after(SECOND, Msg::Mark(2));
            context.send_after(10 * SECOND, Msg::Mark(3));
            puppet.note("tied");
            drop(held.await);
            panic!("boom")
        })
    }))
    .expect("there is room");
    it.tell(Msg::Mark(4)).expect("there is room");
    reader.until("it tied").await;
    // Their notices, and a timer's message, stand in the lane of the first life when it crashes.
    for end in [&linked, &watched, &seat_watched] {
        end.kill();
        soon(end.ended()).await;
    }
    pass(2 * SECOND).await;
    drop(release);
    reader.expect(&["it up", "it 4"]).await;
    // And what its ties would have brought later does not come either.
    later.kill();
    pass(60 * SECOND).await;
    assert!(reader.rest().is_empty());
    assert_eq!(life(&it).await, 2);
}

#[tokio::test(start_paused = true)]
async fn an_order_for_one_life_does_not_end_the_next() {
    let system = system();
    let (journal, mut reader) = journal();
    let its = journal.clone();
    let it = minded(&system, move || Puppet::new("it", &its)).await;
    let partner = system.spawn(|| Puppet::new("partner", &self::journal().0)).expect("open");
    let with = partner.clone();
    it.tell(act(move |_, context| context.link(&with))).expect("there is room");
    let (closing, release) = blocking(&journal);
    it.tell(closing).expect("there is room");
    reader.until("it blocks").await;
    it.kill();
    turns().await;
    // Dead, but not gone: an exit signal, and more kills, come too late for this life and too early for the next.
    partner.kill();
    soon(partner.ended()).await;
    it.kill();
    turns().await;
    drop(release);
    reader.until("it up").await;
    turns().await;
    assert_eq!(life(&it).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_name_for_the_last_reason_stays_with_the_seat() {
    let system = system();
    let (it, seat) = system.address::<Msg>();
    let spare = seat.clone();
    system.start(seat, "it", || Puppet::new("it", &journal().0)).await.expect("starts");
    it.tell(crash()).expect("there is room");
    turns().await;
    assert!(!it.is_alive());
    assert!(it.tell(Msg::Mark(1)).is_ok(), "the seat is held: somebody may yet take it");
    let (ended, ()) = tokio::join!(it.ended(), async move { drop(spare) });
    assert_eq!(short(&ended), "panic boom", "not that there never was an actor");
    match it.tell(Msg::Mark(2)) {
        Err(TellError::Stopped(reason, Msg::Mark(2))) => assert_eq!(short(&reason), "panic boom"),
        other => panic!("refused, with the message: {other:?}"),
    }
}
