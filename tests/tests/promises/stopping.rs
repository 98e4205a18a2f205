//! Being stopped: what runs of the actor's own code for each way to end, and how long a stop waits for it.

use std::time::Duration;

use minder::Winding;
use minder::prelude::*;

use crate::support::*;

/// What happens to an actor.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Stop(&'static str),
    Error,
    Panic,
    Kill,
    Hung,
    Linked,
    Minder,
}

/// OTP: SUP-096, GS-015, GS-017, GS-020, GS-021, GS-022.
#[tokio::test(start_paused = true)]
async fn clean_up_runs_on_orderly_ends_and_never_on_a_kill_or_panic() {
    use Fate::{Error, Hung, Kill, Linked, Minder, Panic, Stop};
    // fate, traps exits, what it writes from there on, why it ended
    let rows: &[(Fate, bool, &[&str], &str)] = &[
        (Stop("enough"), false, &["it stopping enough"], "enough"),
        (Stop("enough"), true, &["it stopping enough"], "enough"),
        (Error, false, &["it stopping error: no"], "error: no"),
        (Error, true, &["it stopping error: no"], "error: no"),
        (Panic, false, &[], "panic boom"),
        (Panic, true, &[], "panic boom"),
        (Kill, false, &[], "killed"),
        (Kill, true, &[], "killed"),
        (Hung, false, &[], "hung in promises::support::Msg"),
        (Hung, true, &[], "hung in promises::support::Msg"),
        (Linked, false, &[], "panic boom"),
        (Linked, true, &["it exit panic boom"], "lives"),
        (Minder, false, &[], "shutdown"),
        (Minder, true, &["it stopping shutdown"], "shutdown"),
    ];
    for &(fate, traps, lines, reason) in rows {
        let system = system();
        let (journal, mut reader) = journal();
        let (it, seat) = system.address();
        let make = move || {
            let it = Puppet::new("it", &journal);
            if traps { it.trapping() } else { it }
        };
        let child = actor_in("it", seat, make).restart(Restart::Temporary).handler_limit(SECOND);
        let root = one_for_one().child(child).start(&system, "top").await.expect("starts");
        let partner = system.spawn(|| Puppet::new("partner", &self::journal().0)).expect("open");
        let told = match fate {
            Stop(why) => it.tell(end(ExitReason::other(why))),
            Error => it.tell(act(|_, _| Err(Plain("no").into()))),
            Panic => it.tell(crash()),
            Hung => it.tell(wait(|_, _| Box::pin(std::future::pending()))),
            Linked => {
                let (with, crashing) = (partner.clone(), partner.clone());
                it.tell(act(move |_, context| {
                    context.link(&with)?;
                    crashing.tell(crash()).expect("there is room");
                    Ok(())
                }))
            }
            Kill | Minder => Ok(()),
        };
        told.expect("there is room");
        reader.until("it up").await;
        match fate {
            Kill => drop(it.kill()),
            Minder => assert!(system.shutdown(SECOND).await.is_clean()),
            _ => pass(2 * SECOND).await,
        }
        turns().await;
        assert_eq!(reader.rest(), lines, "{fate:?}, traps: {traps}");
        if reason == "lives" {
            assert_eq!(life(&it).await, 1, "{fate:?}, traps: {traps}");
        } else {
            assert_eq!(short(&soon(it.ended()).await), reason, "{fate:?}, traps: {traps}");
        }
        drop(root);
    }
}

/// OTP: SIG-002, GS-020.
#[tokio::test(start_paused = true)]
async fn a_trapping_actor_finishes_the_message_in_hand_and_leaves_the_rest() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = system.spawn(move || Puppet::new("it", &journal).trapping()).expect("open");
    it.tell(wait(|puppet, context| {
        Box::pin(async move {
            puppet.note("in hand");
            context.sleep(SECOND).await;
            puppet.note("done");
            Ok(())
        })
    }))
    .expect("there is room");
    it.tell(Msg::Mark(1)).expect("there is room");
    reader.until("it in hand").await;
    let report = system.shutdown(10 * SECOND).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(reader.rest(), ["it done", "it stopping shutdown"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_trap_is_stopped_at_its_next_await() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = system.spawn(move || Puppet::new("it", &journal).telling_drop()).expect("open");
    it.tell(hang()).expect("there is room");
    reader.until("it hangs").await;
    let began = system.now();
    assert!(system.shutdown(10 * SECOND).await.is_clean());
    assert_eq!(system.now(), began);
    assert_eq!(reader.rest(), ["it dropped"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_winds_down_goes_on_until_it_ends_itself() {
    let system = system();
    let (journal, mut reader) = journal();
    let it =
        system.spawn(move || Puppet::new("it", &journal).trapping().winding(Winding::Later)).expect("open");
    reader.expect(&["it up"]).await;
    let (report, ()) = tokio::join!(system.shutdown(10 * SECOND), async {
        reader.until("it asked shutdown").await;
        it.tell(Msg::Mark(1)).expect("there is room");
        pass(SECOND).await;
        it.tell(end(ExitReason::Shutdown)).expect("there is room");
    });
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(reader.rest(), ["it 1", "it stopping shutdown"]);
}

/// OTP: SIG-006, GS-022.
#[tokio::test(start_paused = true)]
async fn a_kill_cannot_be_trapped_and_interrupts_even_a_clean_up() {
    let system = system();
    let (journal, mut reader) = journal();
    let make = move || Puppet::new("it", &journal).trapping().telling_drop().cleaning_up_for(60 * SECOND);
    let it = system.spawn(make).expect("open");
    it.tell(end(ExitReason::Normal)).expect("there is room");
    reader.expect(&["it up", "it stopping normal"]).await;
    assert!(it.kill());
    assert_eq!(soon(it.ended()).await, ExitReason::Killed);
    assert_eq!(reader.rest(), ["it dropped"]);
}

#[tokio::test(start_paused = true)]
async fn only_a_kill_interrupts_a_clean_up() {
    let system = system();
    let (journal, mut reader) = journal();
    let partner = system.spawn(|| Puppet::new("partner", &self::journal().0)).expect("open");
    let it = system.spawn(move || Puppet::new("it", &journal).cleaning_up_for(SECOND)).expect("open");
    let with = partner.clone();
    it.tell(act(move |_, context| context.link(&with))).expect("there is room");
    it.tell(end(ExitReason::Normal)).expect("there is room");
    reader.expect(&["it up", "it stopping normal"]).await;
    partner.kill();
    pass(2 * SECOND).await;
    assert_eq!(reader.rest(), ["it cleaned up"]);
    assert_eq!(soon(it.ended()).await, ExitReason::Normal);
}

#[tokio::test(start_paused = true)]
async fn the_first_reason_wins() {
    let system = system();
    let it = system.spawn(|| Puppet::new("it", &journal().0)).expect("open");
    let first_of_two = act(|_, context| {
        context.stop(ExitReason::other("first"));
        context.stop(ExitReason::other("second"));
        Ok(())
    });
    it.tell(first_of_two).expect("there is room");
    assert_eq!(soon(it.ended()).await, ExitReason::other("first"));
}

/// A handler that computes without an await cannot be killed: the kill waits for it.
/// OTP: SIG-017.
#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_yield_is_waited_for() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = system.spawn(move || Puppet::new("it", &journal)).expect("open");
    let itself = it.clone();
    it.tell(act(move |puppet, _| {
        assert!(itself.kill());
        puppet.note("still computes");
        Ok(())
    }))
    .expect("there is room");
    it.tell(Msg::Mark(1)).expect("there is room");
    assert_eq!(soon(it.ended()).await, ExitReason::Killed);
    assert_eq!(reader.rest(), ["it up", "it still computes"]);
}

/// (limit in ms, the handler's own time in ms, when it is killed)
#[tokio::test(start_paused = true)]
async fn a_handler_limit_ends_what_awaits_longer_and_nothing_else() {
    for (limit, takes, hung) in [(100, 1000, true), (100, 90, false), (1000, 900, false), (3, 1000, true)] {
        let system = system();
        let (it, seat) = system.address();
        let child = actor_in("it", seat, || Puppet::new("it", &journal().0))
            .handler_limit(Duration::from_millis(limit))
            .restart(Restart::Transient);
        tolerant(one_for_one()).child(child).start(&system, "top").await.expect("starts");
        let began = system.now();
        // Several in a row: the limit is each message's own.
        for _ in 0..3 {
            it.tell(wait(move |_, context| {
                Box::pin(async move {
                    context.sleep(Duration::from_millis(takes)).await;
                    Ok(())
                })
            }))
            .expect("there is room");
        }
        assert_eq!(life(&it).await, if hung { 4 } else { 1 }, "limit {limit}, takes {takes}");
        let took = system.now().since(began).as_millis();
        let each = u128::from(limit.min(takes));
        assert!((3 * each..=3 * (each + 7)).contains(&took), "limit {limit}, takes {takes}: {took}");
    }
}
