//! Monitors: exactly one notice each, whoever ends how; taken back without a trace; of a life, or of a seat.

use minder::prelude::*;
use minder::{AliasEnds, Down, MonitorId};
use tokio::sync::oneshot;

use crate::support::*;

/// Watches and tells which monitor it is.
fn watch(other: &Addr<Msg>, of_seat: bool) -> (Msg, oneshot::Receiver<MonitorId>) {
    let (tell, told) = oneshot::channel();
    let other = other.clone();
    let message = act(move |_, context| {
        let monitor = if of_seat { context.monitor_final(&other) } else { context.monitor(&other) };
        let _ = tell.send(monitor);
        Ok(())
    });
    (message, told)
}

async fn watched(watcher: &Addr<Msg>, other: &Addr<Msg>, of_seat: bool) -> MonitorId {
    let (message, told) = watch(other, of_seat);
    watcher.tell(message).expect("there is room");
    told.await.expect("the watcher lives")
}

async fn taken_back(watcher: &Addr<Msg>, monitor: MonitorId) -> bool {
    watcher
        .ask(|reply| {
            act(move |_, context| {
                let _ = reply.send(context.demonitor(monitor));
                Ok(())
            })
        })
        .await
        .expect("the watcher lives")
}

/// OTP: MON-001, MON-002.
#[tokio::test(start_paused = true)]
async fn exactly_one_notice_for_every_reason() {
    type Ending = fn() -> Msg;
    let rows: &[(Ending, &str)] = &[
        (|| end(ExitReason::Normal), "w down normal"),
        (|| end(ExitReason::Shutdown), "w down shutdown"),
        (|| end(ExitReason::Killed), "w down killed"),
        (crash, "w down panic boom"),
        (|| act(|_, _| Err(Plain("no").into())), "w down error: no"),
        (|| end(ExitReason::other("mine")), "w down mine"),
    ];
    for of_seat in [false, true] {
        for &(ending, expected) in rows {
            let system = system();
            let (journal, mut reader) = journal();
            let (w, it) = (spawn(&system, "w", &journal), spawn(&system, "it", &self::journal().0));
            let monitor = watched(&w, &it, of_seat).await;
            it.tell(ending()).expect("there is room");
            reader.expect(&["w up", expected]).await;
            turns().await;
            assert!(reader.rest().is_empty(), "{expected} came twice");
            assert!(!taken_back(&w, monitor).await, "used up");
            assert_eq!(life(&w).await, 1, "the watcher is not touched");
        }
    }
}

/// OTP: MON-003, MON-007, MON-008.
#[tokio::test(start_paused = true)]
async fn monitors_stack_and_are_taken_back_one_by_one() {
    for of_seat in [false, true] {
        let system = system();
        let (journal, mut reader) = journal();
        let (w, it) = (spawn(&system, "w", &journal), spawn(&system, "it", &self::journal().0));
        let first = watched(&w, &it, of_seat).await;
        let second = watched(&w, &it, of_seat).await;
        let third = watched(&w, &it, of_seat).await;
        assert!(first != second && second != third && first != third);
        assert!(taken_back(&w, second).await);
        assert!(!taken_back(&w, second).await, "it is gone already");
        let other = spawn(&system, "other", &journal);
        assert!(!taken_back(&other, first).await, "it is not the other's");
        reader.rest();
        it.kill();
        reader.expect(&["w down killed", "w down killed"]).await;
        turns().await;
        assert!(reader.rest().is_empty());
    }
}

/// OTP: MON-004.
#[tokio::test(start_paused = true)]
async fn watching_nobody_is_told_at_once_and_is_no_error() {
    let system = system();
    let (journal, mut reader) = journal();
    let w = spawn(&system, "w", &journal);
    let (never, seat) = system.address::<Msg>();
    watched(&w, &never, false).await;
    reader.expect(&["w up", "w down no such actor"]).await;
    // The seat may yet be taken: nothing to tell.
    let of_seat = watched(&w, &never, true).await;
    turns().await;
    assert!(reader.rest().is_empty());
    drop(seat);
    reader.expect(&["w down no such actor"]).await;
    assert!(!taken_back(&w, of_seat).await);
    watched(&w, &never, true).await;
    reader.expect(&["w down no such actor"]).await;
}

/// OTP: MON-006, MON-007.
#[tokio::test(start_paused = true)]
async fn a_monitor_taken_back_never_fires_even_if_its_notice_is_on_its_way() {
    for of_seat in [false, true] {
        let system = system();
        let (journal, mut reader) = journal();
        let (w, it) = (spawn(&system, "w", &journal), spawn(&system, "it", &self::journal().0));
        let target = it.clone();
        w.tell(wait(move |puppet, context| {
            Box::pin(async move {
                let flushed = if of_seat { context.monitor_final(&target) } else { context.monitor(&target) };
                let kept = context.monitor(&target);
                target.kill();
                soon(target.ended()).await;
                context.sleep(SECOND).await;
                let had_not_fired = context.demonitor(flushed);
                puppet.note(format!("had not fired: {had_not_fired}"));
                assert_ne!(flushed, kept);
                Ok(())
            })
        }))
        .expect("there is room");
        reader.expect(&["w up", "w had not fired: false", "w down killed"]).await;
        turns().await;
        assert!(reader.rest().is_empty(), "only the one that was kept");
    }
}

/// What had come when the monitor was taken back is heard in its turn, and nothing later; taken back once more, with what has
/// come, that is gone too.
/// OTP: MON-005, MON-006, MON-007.
#[tokio::test(start_paused = true)]
async fn a_notice_that_has_come_is_left_where_it_stands() {
    type Watches = fn(&mut Context<Msg>, &Addr<Msg>) -> MonitorId;
    type TakesBack = fn(&mut Context<Msg>, MonitorId) -> bool;
    const LEAVES: TakesBack = Context::demonitor_unflushed;
    const FLUSHES: TakesBack = Context::demonitor;
    let watches: [(Watches, &str); 4] = [
        (|context, it| context.monitor(it), "w down killed"),
        (|context, it| context.monitor_final(it), "w down killed"),
        (|context, it| context.monitor_alias(it, AliasEnds::WithMonitor).0, "w down killed"),
        (|context, _| context.monitor_name("nobody"), "w down no such actor"),
    ];
    let rows: [(&[TakesBack], bool); 5] = [
        (&[LEAVES], true),
        (&[LEAVES, LEAVES], true),
        (&[LEAVES, FLUSHES], false),
        (&[FLUSHES], false),
        (&[FLUSHES, LEAVES], false),
    ];
    for (watch, heard) in watches {
        for (take_back, is_heard) in rows {
            let system = system();
            let (journal, mut reader) = journal();
            let (w, it) = (spawn(&system, "w", &journal), spawn(&system, "it", &self::journal().0));
            let (tell, told) = oneshot::channel();
            w.tell(wait(move |_, context| {
                Box::pin(async move {
                    let monitor = watch(context, &it);
                    it.kill();
                    soon(it.ended()).await;
                    context.sleep(SECOND).await;
                    for take_back in take_back {
                        assert!(!take_back(context, monitor), "it has fired");
                    }
                    let _ = tell.send(monitor);
                    Ok(())
                })
            }))
            .expect("there is room");
            let monitor = soon(told).await.expect("the watcher lives");
            turns().await;
            let expected = if is_heard { vec!["w up", heard] } else { vec!["w up"] };
            assert_eq!(reader.rest(), expected, "{} times", take_back.len());
            assert!(!within(&w, move |context| context.demonitor_unflushed(monitor)).await, "used up");
            assert_eq!(within(&w, |context| context.monitors()).await, []);
        }
    }
}

/// OTP: MON-005, MON-007.
#[tokio::test(start_paused = true)]
async fn one_that_has_not_fired_is_taken_back_for_good_without_a_flush_too() {
    for of_seat in [false, true] {
        let system = system();
        let (journal, mut reader) = journal();
        let (w, it) = (spawn(&system, "w", &journal), spawn(&system, "it", &self::journal().0));
        let monitor = watched(&w, &it, of_seat).await;
        for had_not_fired in [true, false] {
            let answer = within(&w, move |context| context.demonitor_unflushed(monitor)).await;
            assert_eq!(answer, had_not_fired);
        }
        it.kill();
        soon(it.ended()).await;
        turns().await;
        assert_eq!(reader.rest(), ["w up"]);
    }
}

/// The notice stood already in the batch that the watcher had taken out of its lane.
/// OTP: MON-005, MON-006.
#[tokio::test(start_paused = true)]
async fn a_notice_in_the_batch_is_flushed_or_left_too() {
    for flush in [true, false] {
        let system = system();
        let (journal, mut reader) = journal();
        let (w, it) = (spawn(&system, "w", &journal), spawn(&system, "it", &self::journal().0));
        let monitor = watched(&w, &it, false).await;
        // Held, with the taking back ahead of the notice in one batch.
        let (hold, held) = oneshot::channel::<()>();
        w.tell(wait(|_, _| {
            Box::pin(async move {
                drop(held.await);
                Ok(())
            })
        }))
        .expect("there is room");
        turns().await;
        w.tell(act(move |puppet, context| {
            let had_not_fired =
                if flush { context.demonitor(monitor) } else { context.demonitor_unflushed(monitor) };
            puppet.note(format!("had not fired: {had_not_fired}"));
            Ok(())
        }))
        .expect("there is room");
        it.kill();
        soon(it.ended()).await;
        turns().await;
        w.tell(Msg::Mark(1)).expect("there is room");
        drop(hold);
        reader.expect(&["w up", "w had not fired: false"]).await;
        if !flush {
            reader.expect(&["w down killed"]).await;
        }
        reader.expect(&["w 1"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_ends_and_a_seat_is_given_up() {
    let system = system();
    let (journal, mut reader) = journal();
    let w = spawn(&system, "w", &journal);
    let it = minded(&system, || Puppet::new("it", &self::journal().0)).await;
    reader.expect(&["w up"]).await;
    let of_life = watched(&w, &it, false).await;
    let of_seat = watched(&w, &it, true).await;
    assert_ne!(of_life, of_seat);
    for _ in 0..3 {
        it.tell(crash()).expect("there is room");
    }
    assert_eq!(life(&it).await, 4);
    assert_eq!(reader.rest(), ["w down panic boom"], "one life, and no seat");
    let shut = system.shutdown(SECOND);
    // The watcher itself is stopped last of all: it was started first.
    let report = shut.await;
    assert!(report.is_clean());
    assert_eq!(reader.rest(), ["w down shutdown"]);
}

/// OTP: MON-014.
#[tokio::test(start_paused = true)]
async fn watching_oneself_is_accepted_and_never_fires() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    for of_seat in [false, true] {
        watched(&it, &it, of_seat).await;
    }
    it.tell(crash()).expect("there is room");
    assert_eq!(life(&it).await, 2);
    assert_eq!(reader.rest(), ["it up", "it up"]);
}

/// OTP: MON-001.
#[tokio::test(start_paused = true)]
async fn the_watchers_end_does_not_touch_the_watched() {
    let system = system();
    let (w, it) = (spawn(&system, "w", &journal().0), spawn(&system, "it", &journal().0));
    watched(&w, &it, false).await;
    w.tell(crash()).expect("there is room");
    soon(w.ended()).await;
    assert_eq!(life(&it).await, 1);
}

/// OTP: MON-011.
#[tokio::test(start_paused = true)]
async fn a_link_and_a_monitor_both_fire() {
    let system = system();
    let (journal, mut reader) = journal();
    let mine = journal.clone();
    let w = system.spawn(move || Puppet::new("w", &mine).trapping()).expect("open");
    let it = spawn(&system, "it", &self::journal().0);
    let target = it.clone();
    w.tell(act(move |_, context| context.link(&target))).expect("there is room");
    watched(&w, &it, false).await;
    reader.rest();
    it.tell(crash()).expect("there is room");
    let mut both = [reader.next().await, reader.next().await];
    both.sort();
    assert_eq!(both, ["w down panic boom", "w exit panic boom"]);
}

/// The notice names the life that ended, not the one that sits there by then.
#[tokio::test(start_paused = true)]
async fn a_notice_names_the_life_that_ended() {
    struct Watcher(Option<oneshot::Sender<Down>>);
    impl Actor for Watcher {
        type Msg = Addr<Msg>;
        async fn handle(&mut self, other: Addr<Msg>, context: &mut Context<Addr<Msg>>) -> Handled {
            context.monitor(&other);
            Ok(())
        }
        async fn notice(&mut self, notice: Notice, _: &mut Context<Addr<Msg>>) -> Handled {
            if let (Notice::Down(down), Some(tell)) = (notice, self.0.take()) {
                drop(tell.send(down));
            }
            Ok(())
        }
    }
    let system = system();
    let it = minded(&system, || Puppet::new("it", &journal().0)).await;
    let before = it.id();
    let (tell, told) = oneshot::channel();
    let w = system.spawn(move || Watcher(Some(tell))).expect("open");
    w.tell(it.clone()).expect("there is room");
    turns().await;
    it.tell(crash()).expect("there is room");
    assert_eq!(life(&it).await, 2);
    assert_eq!(told.await.expect("it is told").actor, before);
    assert_ne!(it.id(), before);
    assert_eq!(it.id().cell(), before.cell());
}
