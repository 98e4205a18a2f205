//! What is done to an actor later: for nobody in particular, to whoever is there then, and not once it is called off.

use minder::prelude::*;
use minder::{Cause, MailboxOptions, WhenFull};

use crate::support::*;

/// OTP: TMR-004.
#[test]
fn a_name_is_looked_up_when_the_time_has_come() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let (a, b) = (spawn(&system, "a", &journal), spawn(&system, "b", &journal));
        turns().await;
        reader.rest();
        system.register("clerk", &a).expect("it is free");
        for (seconds, mark) in [(1, 1), (3, 2), (5, 3), (7, 4)] {
            system.after(seconds * SECOND).tell_named("clerk", Msg::Mark(mark));
        }
        system.after(6 * SECOND).tell_named("clerk", "of another type");
        pass(2 * SECOND).await;
        assert_eq!(reader.rest(), ["a 1"]);
        assert!(system.unregister("clerk"));
        system.register("clerk", &b).expect("it is free");
        pass(2 * SECOND).await;
        assert_eq!(reader.rest(), ["b 2"]);
        assert!(system.unregister("clerk"));
        pass(2 * SECOND).await; // nobody has it, and that is no error
        system.register("clerk", &a).expect("it is free");
        pass(2 * SECOND).await;
        assert_eq!(reader.rest(), ["a 4"]);
    });
}

/// OTP: TMR-003, TMR-004.
#[test]
fn a_message_reaches_whoever_lives_there_then_whatever_became_of_who_sent_it() {
    everywhere(|| async {
        let system = System::builder().dead_letters(10).build().expect("there is a runtime");
        let (journal, mut reader) = journal();
        let in_tree = journal.clone();
        let it = minded(&system, move || Puppet::new("it", &in_tree)).await;
        let sender = spawn(&system, "sender", &journal);
        let to = it.clone();
        sender
            .tell(act(move |_, context| {
                context.system().after(2 * SECOND).tell(&to, Msg::Mark(1));
                panic!("boom");
            }))
            .expect("there is room");
        it.tell(crash()).expect("there is room");
        pass(SECOND).await;
        assert!(!sender.is_alive() && it.id().incarnation() == 2);
        reader.rest();
        pass(2 * SECOND).await;
        assert_eq!(reader.rest(), ["it 1"]);

        // To a seat that is given up, and to a mailbox without room.
        let lone = spawn(&system, "lone", &journal);
        let late = system.after(SECOND).tell(&lone, Msg::Mark(2));
        assert!(lone.kill());
        let bounds = MailboxOptions::bounded(1, WhenFull::Reject);
        let full = named_with(&system, "full", &journal, bounds).await;
        assert!(full.suspend());
        full.tell(Msg::Mark(3)).expect("there is room for one");
        system.after(SECOND).tell(&full, Msg::Mark(4));
        pass(2 * SECOND).await;
        let mut causes: Vec<Cause> = system.dead_letters().list().iter().map(|letter| letter.cause).collect();
        causes.retain(|cause| *cause != Cause::Crashed);
        assert_eq!((causes, late.rest()), (vec![Cause::Stopped, Cause::Dropped], None));
        assert_eq!(full.statistics().refused, 1);
    });
}

/// OTP: TMR-011.
#[test]
fn an_exit_and_a_kill_come_later_and_to_this_life_only() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let in_tree = journal.clone();
        let traps = minded(&system, move || Puppet::new("traps", &in_tree).trapping()).await;
        let plain = spawn(&system, "plain", &journal);
        turns().await;
        reader.rest();
        system.after(SECOND).exit(&traps, ExitReason::other("enough"));
        system.after(SECOND).exit(&plain, ExitReason::Normal); // concerns nobody who does not trap it
        system.after(2 * SECOND).exit(&plain, ExitReason::other("enough"));
        let kill = system.after(4 * SECOND).kill(&traps);
        pass(SECOND * 3 / 2).await;
        assert_eq!(reader.rest(), ["traps exit enough"]);
        assert!(plain.is_alive());
        pass(SECOND).await;
        assert_eq!(short(&plain.ended().await), "enough");
        assert_eq!(life(&traps).await, 1);
        pass(2 * SECOND).await;
        assert_eq!((kill.rest(), life(&traps).await), (None, 2));

        system.after(SECOND).kill(&traps);
        system.after(SECOND).exit(&traps, ExitReason::other("enough"));
        traps.tell(crash()).expect("there is room");
        pass(2 * SECOND).await;
        assert_eq!(life(&traps).await, 3, "the next life is not meant");
    });
}

/// OTP: TMR-002, TMR-005.
#[test]
fn what_is_called_off_is_not_done() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let it = spawn(&system, "it", &journal);
        turns().await;
        reader.rest();
        let witness = Witness(journal, "dropped");
        let later = system.after(2 * SECOND).tell(
            &it,
            act(move |it, _| {
                it.note("done");
                drop(witness);
                Ok(())
            }),
        );
        let kill = system.after(2 * SECOND).kill(&it);
        pass(SECOND).await;
        assert_eq!((later.rest(), kill.rest()), (Some(SECOND), Some(SECOND)));
        assert_eq!((later.cancel(), kill.cancel()), (Some(SECOND), Some(SECOND)));
        assert_eq!(reader.rest(), ["dropped"]);
        assert_eq!((later.cancel(), kill.rest()), (None, None));
        pass(2 * SECOND).await;
        assert!(it.is_alive() && reader.rest().is_empty());
    });
}

/// What is put off keeps nothing alive: neither its actor's mailbox nor the system.
#[tokio::test(start_paused = true)]
async fn what_is_put_off_keeps_nobody() {
    let (journal, mut reader) = journal();
    let system = system();
    let (address, seat) = system.address::<Msg>();
    let kept = Witness(journal, "mailbox gone");
    let waits = act(move |_, _| {
        drop(kept);
        Ok(())
    });
    address.tell(waits).expect("there is room");
    system.after(SECOND).tell(&address, Msg::Mark(1));
    system.after(SECOND).kill(&address);
    drop((address, seat));
    assert_eq!(reader.rest(), ["mailbox gone"]);
    pass(2 * SECOND).await;
    assert!(system.shutdown(SECOND).await.is_clean());
}
