//! Messages that were accepted and never handled, handled out of order, or for which there was no room to refuse.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use minder::prelude::*;
use minder::{Cause, MailboxOptions, WhenFull};
use minder_fault_injection::testkit::Kit;

use crate::support::*;

/// tqwewe/kameo#335 and bastion-rs/bastion#139: an actor that stopped or crashed took waiting messages along, in kameo at
/// random, because it emptied its mailbox while it waited for its children to close. Here a mailbox belongs to the seat
/// and not to a life, and what a life had taken out and not begun goes back into it.
#[minder_fault_injection::test(seeds = 100)]
async fn kameo_335_messages_are_lost_in_a_restart(kit: Kit) {
    let notes = Notes::default();
    let its = notes.clone();
    let it = kit.supervise("it", move || {
        let helpers = its.clone();
        Player::new("it", &its).at_start(move |context| {
            let helpers = helpers.clone();
            context.spawn("helper", move || {
                Player::new("helper", &helpers).trapping().cleaning_up_for(SECOND)
            })?;
            Ok(())
        })
    });
    let it = it.await;
    let client = {
        let (it, kit) = (it.clone(), kit.clone());
        kit.clone().spawn("client", async move {
            for number in 100..120 {
                it.send(Msg::Mark(number)).await.expect("the seat is kept");
                some_turns(&kit).await;
            }
        })
    };
    for number in 0..20 {
        if number % 7 == 3 {
            it.tell(crash()).expect("there is room");
        }
        it.tell(Msg::Mark(number)).expect("there is room");
        some_turns(&kit).await;
    }
    client.await.expect("it sends them all");
    kit.advance(5 * SECOND).await;
    let (mine, theirs): (Vec<u32>, Vec<u32>) = notes.marks("it").into_iter().partition(|mark| *mark < 100);
    assert_eq!(mine, (0..20).collect::<Vec<_>>());
    assert_eq!(theirs, (100..120).collect::<Vec<_>>());
    assert_eq!(kit.generation(&it), 4, "it crashed three times");
}

/// tqwewe/kameo#364: a child took it for granted that it would be restarted and handed its mailbox on, but the restarts
/// were spent, and its supervisor threw the mailbox away. Here nobody guesses: a mailbox is settled when its seat is given
/// up, and then every ask has its message back and every other message is a dead letter.
#[minder_fault_injection::test(seeds = 50)]
async fn kameo_364_the_backlog_vanishes_when_the_restarts_are_spent(kit: Kit) {
    let system = System::builder().dead_letters(100).build().expect("in a simulation");
    let (it, seat) = system.address();
    let its = Notes::default();
    let spec = one_for_one().limit(0, SECOND).child(actor_in("it", seat, move || Player::new("it", &its)));
    let root = spec.start(&system, "app").await.expect("it starts");
    let asking = {
        let it = it.clone();
        kit.spawn("asker", async move { it.ask(Msg::Life).await })
    };
    for message in [crash(), Msg::Mark(1), Msg::Mark(2)] {
        it.tell(message).expect("there is room");
    }
    assert_eq!(root.ended().await, ExitReason::Shutdown);
    kit.settle().await;
    match asking.await.expect("it does not panic") {
        Ok(1) => {} // it came first
        Err(AskError::Stopped(reason, Some(Msg::Life(_)))) => assert_eq!(short(&reason), "panic boom"),
        other => panic!("{other:?}"),
    }
    let letters = system.dead_letters().of_cause(Cause::Stopped);
    let told = letters.iter().filter(|letter| letter.has_message).count();
    assert_eq!(told, 2, "{letters:?}");
    let statistics = it.statistics();
    assert!(statistics.is_conserved() && statistics.queued == 0, "{statistics:?}");
    let Err(TellError::Stopped(reason, Msg::Mark(3))) = it.tell(Msg::Mark(3)) else { panic!("it is gone") };
    assert_eq!(short(&reason), "panic boom");
}

/// akka/akka-core#31814 and apache/pekko#669: messages that waited for a restart were taken out of their stash all at
/// once, and when one of them crashed the new life too, those after it were gone. Here one message is taken in hand at a
/// time, and neither a second crash nor a start that fails touches the others.
#[minder_fault_injection::test(seeds = 50)]
async fn akka_31814_waiting_messages_are_lost_when_the_next_life_crashes_too(kit: Kit) {
    let (notes, failures) = (Notes::default(), Arc::new(AtomicU32::new(0)));
    let (its, failing) = (notes.clone(), failures.clone());
    let it = kit.supervise("it", move || {
        let failing = failing.clone();
        Player::new("it", &its).at_start(move |_| {
            let left = failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            left.map_or(Ok(()), |_| Err(Plain("not yet").into()))
        })
    });
    let it = it.await;
    failures.store(2, Ordering::Relaxed);
    for number in 0..10 {
        it.tell(crash()).expect("there is room");
        it.tell(Msg::Mark(number)).expect("there is room");
    }
    kit.settle().await;
    assert_eq!(notes.marks("it"), (0..10).collect::<Vec<_>>());
    assert_eq!(kit.generation(&it), 1 + 10 + 2, "ten crashes, two starts that failed");
}

/// tqwewe/kameo#362: what was sent after a graceful stop stood behind the stop and was dropped, and its sender had been
/// told that all was well; nervosnetwork/fiber#473 lost commitments so. Here whatever is let in while an actor cleans up
/// is accounted for when its seat is given up, and from then on a message comes back to whoever sends it.
#[minder_fault_injection::test(seeds = 20)]
async fn kameo_362_what_is_sent_after_a_stop_vanishes(kit: Kit) {
    let system = System::builder().dead_letters(100).build().expect("in a simulation");
    let (it, seat) = system.address();
    let its = Notes::default();
    let make = move || Player::new("it", &its).trapping().cleaning_up_for(SECOND);
    system.start(seat, "it", make).await.expect("it starts");
    let stopping = {
        let system = system.clone();
        kit.spawn("stops it", async move { system.shutdown(HOUR).await })
    };
    kit.settle().await;
    assert!(it.is_alive(), "it cleans up");
    it.tell(Msg::Mark(1)).expect("there is room");
    let asking = {
        let it = it.clone();
        kit.spawn("asker", async move { it.ask(Msg::Life).await })
    };
    kit.settle().await;
    let report = stopping.await.expect("it does not panic");
    let Ok(Err(AskError::Stopped(ExitReason::Shutdown, Some(Msg::Life(_))))) = asking.await else {
        panic!("the asker has its message back")
    };
    assert_eq!(report.messages_left, [("it".into(), 2)]);
    let letters = system.dead_letters().of_cause(Cause::Stopped);
    assert_eq!(letters.iter().filter(|letter| letter.has_message).count(), 1, "{letters:?}");
    let statistics = it.statistics();
    assert_eq!((statistics.accepted, statistics.handled, statistics.stopped), (2, 0, 2));
    let Err(TellError::Stopped(ExitReason::Shutdown, Msg::Mark(2))) = it.tell(Msg::Mark(2)) else {
        panic!("it comes back")
    };
}

/// Writes down who sent what, a little slowly.
struct Scribe(Notes);

impl Actor for Scribe {
    type Msg = (usize, u32, Reply<()>);

    async fn handle(&mut self, (who, number, reply): Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
        if number % 3 == 0 {
            context.sleep(MS).await;
        }
        self.0.add(format!("{who} {number}"));
        let _ = reply.send(());
        Ok(())
    }
}

/// Restioson/xtra#225: messages that one sender had sent without waiting overtook each other as soon as the mailbox was
/// full. Here senders that wait stand in line, and a message that is told is given back rather than let past them, so that
/// what one sender sends, in whatever mode, arrives in the order in which it sent it.
#[minder_fault_injection::test(seeds = 200)]
async fn xtra_225_messages_overtake_each_other(kit: Kit) {
    let (it, seat) = kit.system().address_with(MailboxOptions::bounded(2, WhenFull::Wait));
    let notes = Notes::default();
    let its = notes.clone();
    kit.start(one_for_one().child(actor_in("it", seat, move || Scribe(its.clone())))).await;
    let client = |who: usize| {
        let (it, kit) = (it.clone(), kit.clone());
        let message = move |number| (who, number, Reply::nobody());
        kit.clone().spawn("client", async move {
            let mut number = 0;
            while number < 30 {
                match kit.random() % 4 {
                    0 => match it.tell(message(number)) {
                        Ok(()) => number += 1,
                        Err(TellError::Full(_)) => some_turns(&kit).await,
                        Err(gone) => panic!("{gone}"),
                    },
                    1 => {
                        it.send(message(number)).await.expect("it lives");
                        number += 1;
                    }
                    2 => {
                        it.ask(|reply| (who, number, reply)).await.expect("it answers");
                        number += 1;
                    }
                    _ => {
                        // Sent without waiting for it; what follows is told while it may still stand in line.
                        let mut sending = pin!(it.send(message(number)));
                        let sent = poll_once(sending.as_mut()).await;
                        let told = it.tell(message(number + 1));
                        match sent {
                            Poll::Ready(sent) => sent.expect("it lives"),
                            Poll::Pending => {
                                assert!(matches!(told, Err(TellError::Full(_))), "it went past the line");
                                sending.await.expect("it lives");
                            }
                        }
                        number += if told.is_ok() { 2 } else { 1 };
                    }
                }
            }
            number
        })
    };
    let clients: Vec<_> = (0..3).map(client).collect();
    let mut sent = Vec::new();
    for client in clients {
        sent.push(client.await.expect("it does not panic"));
    }
    kit.advance(SECOND).await;
    for (who, sent) in sent.into_iter().enumerate() {
        assert_eq!(notes.marks(&format!("{who} ")), (0..sent).collect::<Vec<_>>(), "of client {who}");
    }
}

/// What of Restioson/xtra#225 only threads can show: while a message stands in line, its sender tells the next one again and
/// again, in the hope of a moment in which there is room and nobody has been let in yet. Here such a moment is of no use:
/// room belongs to those who wait for it; the first number that comes before its turn fails the test.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn xtra_225_messages_overtake_each_other_on_real_threads() {
    /// Notes whatever is not the next number of its sender.
    struct Strict(Vec<u32>, Notes);
    enum Sent {
        Number(usize, u32),
        Done(Reply<Vec<u32>>),
    }
    impl Actor for Strict {
        type Msg = Sent;
        async fn handle(&mut self, message: Sent, _: &mut Context<Sent>) -> Handled {
            match message {
                Sent::Number(who, number) if number == self.0[who] => self.0[who] += 1,
                Sent::Number(who, number) => self.1.add(format!("{number} of {who} at {}", self.0[who])),
                Sent::Done(reply) => drop(reply.send(self.0.clone())),
            }
            Ok(())
        }
    }
    let system = System::new().expect("the test runs in a runtime and unwinds");
    let (it, seat) = system.address_with(MailboxOptions::bounded(8, WhenFull::Wait));
    let notes = Notes::default();
    let early = notes.clone();
    system.start(seat, "it", move || Strict(vec![0; 3], early)).await.expect("it starts");
    let clients = (0..3).map(|who| {
        let it = it.clone();
        aside(async move {
            let mut number = 0;
            while number < 5_000 {
                let mut sending = pin!(it.send(Sent::Number(who, number)));
                number += 1;
                if poll_once(sending.as_mut()).await.is_pending() {
                    let next = |_| it.tell(Sent::Number(who, number)).is_ok();
                    let told = (0..50).any(next);
                    sending.await.expect("it lives");
                    number += u32::from(told);
                }
            }
            number
        })
    });
    let mut sent = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        sent.push(surely(client).await.expect("nobody is stuck").expect("nobody panics"));
    }
    assert_eq!(it.ask_within(HOUR, Sent::Done).await.expect("it answers"), sent, "{:?}", notes.all().first());
    assert!(system.shutdown(HOUR).await.is_clean());
}

/// lambdaclass/spawned#170, slawlor/ractor#84 and tqwewe/kameo#3: mailboxes had no bound, so that one slow actor filled
/// the memory of all. Here the default is 1,024 messages; the next one comes back to its sender at once, and orders do not
/// wait behind the crowd.
#[minder_fault_injection::test]
async fn spawned_170_a_slow_actor_fills_the_memory(kit: Kit) {
    let its = Notes::default();
    let it = kit.system().spawn(move || Player::new("it", &its)).expect("it is not shutting down");
    it.tell(hang()).expect("there is room");
    kit.settle().await;
    let mut accepted = 0;
    for number in 0..5_000 {
        match it.tell(Msg::Mark(number)) {
            Ok(()) => accepted += 1,
            Err(TellError::Full(Msg::Mark(back))) => assert_eq!(back, number, "it comes back"),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((accepted, it.queued()), (1_024, 1_024));
    assert!(it.kill());
    kit.settle().await;
    assert!(!it.is_alive(), "a full mailbox does not keep it alive");
    assert_eq!(it.statistics().stopped, 1_024);
}

/// pathosDev/actor-ts#919: a full mailbox threw an exception into whoever sent to it, so that the fast actor crashed and
/// was restarted because another one was slow. Here a full mailbox is a value that holds the message.
#[minder_fault_injection::test(seeds = 20)]
async fn actor_ts_919_a_slow_receiver_crashes_its_sender(kit: Kit) {
    let (slow, seat) = kit.system().address_with(MailboxOptions::bounded(1, WhenFull::Reject));
    let (notes, its) = (Notes::default(), Notes::default());
    kit.start(one_for_one().child(actor_in("slow", seat, move || Player::new("slow", &its)))).await;
    let its = notes.clone();
    let sender = kit.supervise("sender", move || Player::new("sender", &its)).await;
    slow.tell(hang()).expect("there is room");
    kit.settle().await;
    for number in 0..10 {
        let slow = slow.clone();
        let send = act(move |player, _| {
            match slow.tell(Msg::Mark(number)) {
                Err(TellError::Full(Msg::Mark(back))) if back == number => player.note("full"),
                sent => player.note(format!("{sent:?}")),
            }
            Ok(())
        });
        sender.tell(send).expect("there is room");
    }
    kit.settle().await;
    assert_eq!((notes.count("sender Ok(())"), notes.count("sender full")), (1, 9), "{:?}", notes.all());
    assert_eq!(kit.generation(&sender), 1);
    kit.kill(&slow).await;
}

/// tqwewe/kameo#84: an actor whose small mailbox was full before it had started never came up, since the signs of its own
/// start had to go through the same mailbox. Here the bound is for what others send: orders have a lane of their own, and
/// news, timers and what an actor sends itself need no room.
#[minder_fault_injection::test(seeds = 50)]
async fn kameo_84_a_full_small_mailbox_deadlocks_the_start(kit: Kit) {
    let (it, seat) = kit.system().address_with(MailboxOptions::bounded(1, WhenFull::Reject));
    it.tell(Msg::Mark(1)).expect("there is room for one");
    assert!(matches!(it.tell(Msg::Mark(0)), Err(TellError::Full(_))), "it is full before it starts");
    let waiting = {
        let it = it.clone();
        kit.spawn("waits for room", async move { it.send(Msg::Mark(4)).await })
    };
    some_turns(&kit).await;
    let notes = Notes::default();
    let its = notes.clone();
    let make = move || {
        let helpers = its.clone();
        Player::new("it", &its).at_start(move |context| {
            context.tell_self(Msg::Mark(2));
            context.send_after(MS, Msg::Mark(5));
            let helpers = helpers.clone();
            let helper = context.spawn("helper", move || Player::new("helper", &helpers))?;
            context.monitor(&helper);
            helper.tell(end(ExitReason::Normal)).map_err(|error| ExitReason::other(&error.to_string()))?;
            Ok(())
        })
    };
    kit.start(one_for_one().child(actor_in("it", seat, make))).await;
    kit.advance(SECOND).await;
    waiting.await.expect("it does not panic").expect("room was made");
    let mut marks = notes.marks("it");
    assert_eq!(marks.pop(), Some(5), "the timer came last");
    marks.sort_unstable();
    assert_eq!((marks, notes.count("it sees normal")), (vec![1, 2, 4], 1), "{:?}", notes.all());
}

/// actix/actix#26: an actor that sent itself a message for every one it handled never left its loop, so that nobody else
/// on its thread had a turn, and its memory grew. Here an actor lets others go on after a fixed number of messages,
/// whoever they are from.
#[tokio::test]
async fn actix_26_a_loop_of_messages_to_itself_starves_the_others() {
    const ROUNDS: u32 = 1_000_000;
    /// Sends itself the next number, up to the last.
    struct Looper(Arc<AtomicU32>);
    impl Actor for Looper {
        type Msg = u32;
        async fn handle(&mut self, round: u32, context: &mut Context<u32>) -> Handled {
            self.0.store(round, Ordering::Relaxed);
            if round < ROUNDS {
                context.tell_self(round + 1);
            }
            Ok(())
        }
    }
    let system = System::new().expect("the test runs in a runtime and unwinds");
    let round = Arc::new(AtomicU32::new(0));
    let (its, notes) = (round.clone(), Notes::default());
    let looper = system.spawn(move || Looper(its)).expect("it is not shutting down");
    let other = system.spawn(move || Player::new("other", &notes)).expect("it is not shutting down");
    looper.tell(1_u32).expect("there is room");
    for _ in 0..10 {
        assert_eq!(other.ask_within(HOUR, Msg::Life).await.ok(), Some(1));
        assert!(looper.statistics().queued <= 1);
    }
    let reached = round.load(Ordering::Relaxed);
    assert!((1..ROUNDS).contains(&reached), "the others came after {reached} rounds");
    system.shutdown(HOUR).await;
}

/// Counts what it gets.
struct Count(u64);

enum Counted {
    One,
    Read(Reply<u64>),
}

impl Actor for Count {
    type Msg = Counted;

    async fn handle(&mut self, message: Counted, _: &mut Context<Counted>) -> Handled {
        match message {
            Counted::One => self.0 += 1,
            Counted::Read(reply) => drop(reply.send(self.0)),
        }
        Ok(())
    }
}

/// march-language/march#310: two senders woke one receiver for messages that it took out together; the second wake found
/// an empty mailbox, which was read as a kill, and a healthy actor was gone without a word. Here a wake means only that
/// it is worth looking, and only an order ends an actor.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn march_310_a_wake_for_nothing_ends_an_actor() {
    let system = System::new().expect("the test runs in a runtime and unwinds");
    let (it, seat) = system.address_with(MailboxOptions::bounded(4, WhenFull::Wait));
    system.start(seat, "it", || Count(0)).await.expect("it starts");
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let it = it.clone();
            aside(async move {
                for _ in 0..5_000 {
                    it.send(Counted::One).await.expect("it lives");
                }
            })
        })
        .collect();
    for sender in senders {
        surely(sender).await.expect("nobody is stuck").expect("nobody panics");
    }
    assert_eq!(it.ask_within(HOUR, Counted::Read).await.expect("it answers"), 20_000);
    assert_eq!((it.is_alive(), it.id().incarnation()), (true, 1));
    assert!(system.shutdown(HOUR).await.is_clean());
}
