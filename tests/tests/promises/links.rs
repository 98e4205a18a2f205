//! Links: symmetric, one per pair, and what each reason does to the other end. Rows LNK and SIG of the OTP list.

use minder::prelude::*;

use crate::support::*;

fn pair(system: &System, journal: &Journal, traps: bool) -> (Addr<Msg>, Addr<Msg>) {
    let (a, b) = (journal.clone(), journal.clone());
    let make_b = move || {
        let it = Puppet::new("b", &b);
        if traps { it.trapping() } else { it }
    };
    (system.spawn(move || Puppet::new("a", &a)).expect("open"), system.spawn(make_b).expect("open"))
}

fn link_to(other: &Addr<Msg>) -> Msg {
    let other = other.clone();
    act(move |_, context| context.link(&other))
}

fn unlink_from(other: &Addr<Msg>) -> Msg {
    let other = other.clone();
    act(move |_, context| {
        context.unlink(&other);
        Ok(())
    })
}

/// OTP: LNK-001, LNK-003, LNK-004, SIG-004, SIG-005, SIG-015.
#[tokio::test(start_paused = true)]
async fn what_a_reason_does_to_the_other_end() {
    type Ending = fn() -> Msg;
    // how one ends; its reason; whether one that does not trap dies of it
    let rows: &[(Ending, &str, bool)] = &[
        (|| end(ExitReason::Normal), "normal", false),
        (|| end(ExitReason::Shutdown), "shutdown", true),
        (|| end(ExitReason::shutdown_with(Plain("why"))), "shutdown: why", true),
        (crash, "panic boom", true),
        (|| act(|_, _| Err(Plain("no").into())), "error: no", true),
        (|| end(ExitReason::Killed), "killed", true),
        (|| end(ExitReason::NoActor), "no such actor", true),
        (|| end(ExitReason::other("mine")), "mine", true),
    ];
    for &(ending, reason, spreads) in rows {
        for traps in [false, true] {
            // From either end, and twice, it is one link.
            for from in ["a", "b", "both"] {
                let system = system();
                let (journal, mut reader) = journal();
                let (a, b) = pair(&system, &journal, traps);
                if from != "b" {
                    a.tell(link_to(&b)).expect("there is room");
                }
                if from != "a" {
                    b.tell(link_to(&a)).expect("there is room");
                }
                turns().await;
                a.tell(ending()).expect("there is room");
                soon(a.ended()).await;
                turns().await;
                let case = format!("{reason}, traps: {traps}, linked from {from}");
                let heard: Vec<String> =
                    reader.rest().into_iter().filter(|line| line.starts_with("b exit")).collect();
                if traps {
                    assert_eq!(heard, [format!("b exit {reason}")], "{case}");
                    assert_eq!(life(&b).await, 1, "{case}");
                } else {
                    assert!(heard.is_empty(), "{case}");
                    assert_eq!(!b.is_alive(), spreads, "{case}");
                    if spreads {
                        assert_eq!(short(&soon(b.ended()).await), reason, "{case}");
                    }
                }
            }
        }
    }
}

/// OTP: SIG-006, SIG-007.
#[tokio::test(start_paused = true)]
async fn an_explicit_kill_is_seen_as_killed_and_can_be_trapped_one_link_further() {
    let system = system();
    let (journal, mut reader) = journal();
    let (a, b) = pair(&system, &journal, true);
    a.tell(link_to(&b)).expect("there is room");
    turns().await;
    assert!(a.kill());
    reader.until("b exit killed").await;
    assert_eq!(life(&b).await, 1);
    assert!(!a.kill(), "nobody lives there");
}

/// OTP: LNK-003, LNK-010.
#[tokio::test(start_paused = true)]
async fn death_goes_down_a_chain_and_round_a_ring_once_each() {
    for ring in [false, true] {
        let system = system();
        let (journal, mut reader) = journal();
        let members: Vec<Addr<Msg>> = (0..5)
            .map(|_| {
                let journal = journal.clone();
                system.spawn(move || Puppet::new("it", &journal).telling_drop()).expect("open")
            })
            .collect();
        for (index, member) in members.iter().enumerate() {
            if ring || index + 1 < members.len() {
                member.tell(link_to(&members[(index + 1) % members.len()])).expect("there is room");
            }
        }
        turns().await;
        assert_eq!(reader.rest(), ["it up"; 5]);
        members[2].tell(crash()).expect("there is room");
        for member in &members {
            assert_eq!(short(&soon(member.ended()).await), "panic boom");
        }
        turns().await;
        assert_eq!(reader.rest(), ["it dropped"; 5]);
        assert_eq!(system.living(), 0);
    }
}

/// OTP: LNK-002, LNK-006, LNK-007.
#[tokio::test(start_paused = true)]
async fn after_unlink_from_either_end_nothing_spreads() {
    for (by_a, traps) in [(true, false), (true, true), (false, false), (false, true)] {
        let system = system();
        let (journal, mut reader) = journal();
        let (a, b) = pair(&system, &journal, traps);
        a.tell(link_to(&b)).expect("there is room");
        b.tell(link_to(&a)).expect("there is room");
        turns().await;
        let (who, from) = if by_a { (&a, &b) } else { (&b, &a) };
        who.tell(unlink_from(from)).expect("there is room");
        who.tell(unlink_from(from)).expect("there is room"); // of what is not linked: fine
        turns().await;
        reader.rest();
        a.tell(crash()).expect("there is room");
        soon(a.ended()).await;
        b.tell(unlink_from(&a)).expect("there is room"); // of the dead: fine
        assert_eq!(life(&b).await, 1);
        assert!(reader.rest().is_empty());
    }
}

/// A signal trapped before the unlink stays in the lane, as in OTP.
/// OTP: LNK-006.
#[tokio::test(start_paused = true)]
async fn an_exit_trapped_before_the_unlink_stays() {
    let system = system();
    let (journal, mut reader) = journal();
    let (a, b) = pair(&system, &journal, true);
    b.tell(link_to(&a)).expect("there is room");
    let from = a.clone();
    b.tell(wait(|_, context| {
        Box::pin(async move {
            from.tell(crash()).expect("there is room");
            soon(from.ended()).await;
            context.sleep(SECOND).await;
            context.unlink(&from);
            Ok(())
        })
    }))
    .expect("there is room");
    reader.until("b exit panic boom").await;
}

/// OTP: LNK-005.
#[tokio::test(start_paused = true)]
async fn linking_to_nobody() {
    for traps in [false, true] {
        let system = system();
        let (journal, mut reader) = journal();
        let (a, b) = pair(&system, &journal, traps);
        a.kill();
        soon(a.ended()).await;
        turns().await;
        let to = a.clone();
        let linking = act(move |puppet, context| {
            let linked = context.link(&to);
            puppet.note(format!("{linked:?}"));
            Ok(())
        });
        b.tell(linking).expect("there is room");
        reader.until(if traps { "b Ok(())" } else { "b Err(no such actor)" }).await;
        assert_eq!(life(&b).await, 1);
        let heard: &[&str] = if traps { &["b exit no such actor"] } else { &[] };
        assert_eq!(reader.rest(), heard);
    }
}

/// OTP: LNK-008.
#[tokio::test(start_paused = true)]
async fn linking_to_oneself_changes_nothing() {
    let system = system();
    let (journal, mut reader) = journal();
    let (a, _) = pair(&system, &journal, true);
    a.tell(link_to(&a)).expect("there is room");
    a.tell(unlink_from(&a)).expect("there is room");
    a.tell(link_to(&a)).expect("there is room");
    assert_eq!(life(&a).await, 1);
    a.tell(end(ExitReason::other("mine"))).expect("there is room");
    assert_eq!(soon(a.ended()).await, ExitReason::other("mine"));
    reader.rest();
}

/// OTP: SIG-013, SIG-014.
#[tokio::test(start_paused = true)]
async fn trapping_is_off_at_each_start_and_counts_from_the_switch_on() {
    let system = system();
    let (journal, mut reader) = journal();
    let it = minded(&system, move || Puppet::new("it", &journal)).await;
    let switch = |to: bool| {
        act(move |puppet, context| {
            let was = context.trap_exit(to);
            puppet.note(format!("{was} -> {to}"));
            Ok(())
        })
    };
    it.tell(switch(true)).expect("there is room");
    it.tell(switch(true)).expect("there is room");
    reader.expect(&["it up", "it false -> true", "it true -> true"]).await;
    it.tell(crash()).expect("there is room");
    it.tell(switch(false)).expect("there is room");
    reader.expect(&["it up", "it false -> false"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_link_belongs_to_one_life_of_each_end() {
    let system = system();
    let (journal, mut reader) = journal();
    let its = journal.clone();
    let it = minded(&system, move || Puppet::new("it", &its)).await;
    let other = system.spawn(move || Puppet::new("other", &journal).trapping()).expect("open");
    other.tell(link_to(&it)).expect("there is room");
    turns().await;
    it.tell(crash()).expect("there is room");
    reader.until("other exit panic boom").await;
    it.tell(crash()).expect("there is room");
    assert_eq!(life(&it).await, 3);
    assert_eq!(life(&other).await, 1);
    let rest = reader.rest();
    assert!(!rest.iter().any(|line| line.starts_with("other exit")), "{rest:?}");
}
