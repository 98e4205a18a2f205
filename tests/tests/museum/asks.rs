//! Questions that hung, or whose failure said nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use minder::prelude::*;
use minder::{MailboxOptions, WhenFull};
use minder_fault_injection::testkit::Kit;

use crate::support::*;

/// What is done with a question.
enum Ask {
    /// Crash of it.
    Crash(Reply<u32>),
    /// Keep it.
    Keep(Reply<u32>),
    /// Hand it to somebody else, who has time.
    HandOn(Addr<Ask>, Reply<u32>),
    /// Answer it.
    Answer(Reply<u32>),
    /// Crash, and nobody asks.
    Fall,
}

/// Answers, or does not; and takes an hour to come up again.
struct Oracle {
    kept: Vec<Reply<u32>>,
    is_slow: Arc<AtomicBool>,
}

impl Oracle {
    fn new(is_slow: &Arc<AtomicBool>) -> Self {
        Self { kept: Vec::new(), is_slow: is_slow.clone() }
    }
}

impl Actor for Oracle {
    type Msg = Ask;

    async fn started(&mut self, context: &mut Context<Ask>) -> Handled {
        if self.is_slow.load(Ordering::Relaxed) && context.id().incarnation() > 1 {
            context.sleep(HOUR).await;
        }
        Ok(())
    }

    async fn handle(&mut self, ask: Ask, context: &mut Context<Ask>) -> Handled {
        match ask {
            Ask::Crash(_reply) => panic!("a hard question"),
            Ask::Keep(reply) => self.kept.push(reply),
            Ask::HandOn(other, reply) => drop(other.tell(Ask::Answer(reply))),
            Ask::Answer(reply) => drop(reply.send(context.id().incarnation())),
            Ask::Fall => panic!("fell"),
        }
        Ok(())
    }
}

/// elfo-rs/elfo#68: a request to an actor that failed was stuck until the actor was restarted, since only that threw its
/// mailbox away. Here the one in hand, and those whose replies the dead actor had kept, are told at once and why, however
/// long the next life takes to come up; one whose reply was handed on has its answer.
#[minder_fault_injection::test(seeds = 50)]
async fn elfo_68_a_request_to_a_crashed_actor_hangs_until_its_restart(kit: Kit) {
    let is_slow = Arc::new(AtomicBool::new(true));
    let its = is_slow.clone();
    let it = kit.supervise("it", move || Oracle::new(&its)).await;
    let other = kit.supervise("other", move || Oracle::new(&Arc::default())).await;
    let ask = |make: fn(Addr<Ask>, Reply<u32>) -> Ask| {
        let (it, other) = (it.clone(), other.clone());
        kit.spawn("asker", async move { it.ask_within(2 * HOUR, |reply| make(other, reply)).await })
    };
    let kept = ask(|_, reply| Ask::Keep(reply));
    let handed_on = ask(Ask::HandOn);
    kit.settle().await;
    let in_hand = ask(|_, reply| Ask::Crash(reply));
    for asked in [kept, in_hand] {
        let Ok(Err(AskError::Crashed(reason))) = asked.await else { panic!("it crashed") };
        assert_eq!(short(&reason), "panic a hard question");
    }
    assert_eq!(handed_on.await.expect("it does not panic").ok(), Some(1));
    assert_eq!(kit.now(), Duration::ZERO, "at once");
    // What comes later waits for the next life, and has its answer from it.
    assert_eq!(it.ask_within(2 * HOUR, Ask::Answer).await.ok(), Some(2));
    assert_eq!(kit.now(), HOUR);
}

/// actix/actix#263: all that a sender was told was that the mailbox had closed, whatever had become of the actor; and it
/// was told so for every message from then on. Here the error says why, down to the line of the panic, only the request
/// that did it fails, and one whose actor is gone for good is told the last reason.
#[minder_fault_injection::test(seeds = 10)]
async fn actix_263_the_mailbox_has_closed_and_nobody_says_why(kit: Kit) {
    let (it, seat) = kit.address();
    let child = actor_in("it", seat, || Oracle::new(&Arc::default()));
    let root = kit.start(one_for_one().limit(1, HOUR).child(child)).await;
    let asked = it.ask(Ask::Crash).await;
    let Err(error @ AskError::Crashed(_)) = asked else { panic!("{asked:?}") };
    assert!(error.to_string().contains("panic: a hard question at tests/"), "with its place: {error}");
    assert_eq!(it.ask(Ask::Answer).await.ok(), Some(2), "the others go on");
    it.tell(Ask::Fall).expect("there is room");
    root.ended().await;
    let errors = [
        it.ask(Ask::Answer).await.expect_err("it is gone").to_string(),
        it.tell(Ask::Fall).expect_err("it is gone").to_string(),
    ];
    for error in errors {
        assert!(error.contains("gone for good: panic: fell at tests/"), "{error}");
    }
}

/// actor-framework/actor-framework#1466: a request that was on its way when its receiver quit was answered by nobody, neither with a
/// value nor with an error. Here every ask has one outcome, whatever becomes of its actor and whenever: answers, crashes,
/// restarts and the end of it all are thrown at a crowd of askers, and none of them waits for its deadline.
#[minder_fault_injection::test(seeds = 200)]
async fn caf_1466_a_request_is_never_answered_if_its_receiver_quits(kit: Kit) {
    let (it, seat) = kit.address();
    let child = actor_in("it", seat, || Oracle::new(&Arc::default()));
    let root = kit.start(one_for_one().limit(2, HOUR).child(child)).await;
    let asking: Vec<_> = (0..30)
        .map(|_| {
            let (it, kit) = (it.clone(), kit.clone());
            kit.clone().spawn("asker", async move {
                some_turns(&kit).await;
                let ask = match kit.random() % 4 {
                    0 => Ask::Crash,
                    1 => Ask::Keep,
                    _ => Ask::Answer,
                };
                it.ask_within(HOUR, ask).await.map_err(|error| error.to_string())
            })
        })
        .collect();
    for _ in 0..3 {
        some_turns(&kit).await;
        it.kill();
        kit.settle().await;
    }
    assert_eq!(root.ended().await, ExitReason::Shutdown, "killed at least three times");
    let mut answered = 0;
    for asked in asking {
        answered += usize::from(asked.await.expect("it does not panic").is_ok());
    }
    assert!(answered < 30);
    assert_eq!(kit.now(), Duration::ZERO, "nobody waited for a deadline");
    let statistics = it.statistics();
    assert!(statistics.is_conserved() && statistics.queued + statistics.in_hand == 0, "{statistics:?}");
}

/// lightninglabs/wavelength#1082: for eight and a half hours one actor waited for room in the full mailbox of another, which
/// waited, without a deadline, for the answer of the first. Here whoever closes the ring is told at once, with the names on it,
/// and both go on.
#[minder_fault_injection::test(seeds = 20)]
async fn wavelength_1082_two_actors_wait_for_each_other_for_ever(kit: Kit) {
    let ((one, first), notes) = (kit.address::<Msg>(), Notes::default());
    let (two, second) = kit.system().address_with(MailboxOptions::bounded(1, WhenFull::Reject));
    let (its, others) = (notes.clone(), notes.clone());
    let spec = one_for_one().child(actor_in("one", first, move || Player::new("one", &its))).child(actor_in(
        "two",
        second,
        move || Player::new("two", &others),
    ));
    kit.start(spec).await;
    let (asked, sent) = (one.clone(), two.clone());
    two.tell(wait(move |player, context| {
        Box::pin(async move {
            context.sleep(SECOND).await;
            let answer = asked.ask(Msg::Life).await;
            player.note(format!("{answer:?}"));
            Ok(())
        })
    }))
    .expect("there is room");
    kit.settle().await;
    two.tell(Msg::Mark(1)).expect("there is room for one");
    one.tell(wait(move |player, _| {
        Box::pin(async move {
            let sent = sent.send(Msg::Mark(2)).await;
            player.note(format!("{sent:?}"));
            Ok(())
        })
    }))
    .expect("there is room");
    kit.advance(SECOND).await;
    let told = "two Err(these actors wait for each other: app/two -> app/one -> app/two)";
    assert_eq!(notes.count(told), 1, "{:?}", notes.all());
    assert_eq!((notes.count("one Ok(())"), notes.marks("two")), (1, vec![1, 2]));
    assert_eq!(one.ask(Msg::Life).await.ok(), Some(1), "both serve again");
}
