//! The message in hand when its actor ends: lost and told so, or delivered again, or moved into quarantine. And what
//! that does to the restart intensity.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::Root;
use minder::{Cause, MailboxOptions, ReplayError, WhenFull};

use crate::support::*;
use crate::worker::*;

struct One {
    system: System,
    it: Addr<Job>,
    root: Root,
    reader: Reader,
}

async fn one(spec: Spec, child: impl FnOnce(Child) -> Child) -> One {
    let system = system();
    let (journal, reader) = journal();
    let (it, seat) = system.address_with(MailboxOptions::bounded(8, WhenFull::Reject));
    let counted = Counted::default();
    let made = actor_in("it", seat, move || Worker::new("it", &journal, &counted));
    let root = spec.child(child(made)).start(&system, "top").await.expect("starts");
    One { system, it, root, reader }
}

fn text(outcome: Result<u32, AskError<Job>>) -> String {
    match outcome {
        Ok(answer) => format!("answer {answer}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(start_paused = true)]
async fn in_hand_at_a_crash_by_how_and_how_often() {
    let crashed = "the actor ended before it answered: ";
    let poisoned = "the message crashed every actor that handled it: see the quarantine";
    // What it does; the answer of job 1 is 10 and the number of the delivery.
    type Doing = fn(Job) -> Job;
    let rows: &[(&str, Doing, String, &[&str])] = &[
        ("at most once, panic", |job| job.failing(How::Panic, 1), format!("{crashed}panic"), &["it 1/1"]),
        ("at most once, error", |job| job.failing(How::Error, 1), format!("{crashed}error: no"), &["it 1/1"]),
        ("at most once, hung", |job| job.failing(How::Hang, 1), format!("{crashed}hung"), &["it 1/1"]),
        ("none", Job::idempotent, "answer 11".into(), &["it 1/1"]),
        ("once", |job| job.idempotent().failing(How::Panic, 1), "answer 12".into(), &["it 1/1", "it 1/2"]),
        (
            "twice",
            |job| job.idempotent().failing(How::Error, 2),
            "answer 13".into(),
            &["it 1/1", "it 1/2", "it 1/3"],
        ),
        (
            "three times",
            |job| job.idempotent().failing(How::Panic, 9),
            poisoned.into(),
            &["it 1/1", "it 1/2", "it 1/3"],
        ),
        (
            "three times, hung",
            |job| job.idempotent().failing(How::Hang, 9),
            poisoned.into(),
            &["it 1/1", "it 1/2", "it 1/3"],
        ),
    ];
    for (case, job, expected, lines) in rows {
        let limit = |child: Child| child.handler_limit(SECOND);
        let One { it, mut reader, system, .. } = one(tolerant(one_for_one()), limit).await;
        let (asked, ()) = tokio::join!(it.ask(|reply| job(Job::new(1)).asking(reply)), async {
            it.tell(Job::new(2)).expect("there is room");
        });
        let asked = text(asked);
        assert!(asked.starts_with(expected), "{case}: {asked}");
        turns().await;
        let mut noted = reader.rest();
        assert_eq!(noted.pop().as_deref(), Some("it 2/1"), "{case}: after it, wherever it ended");
        assert_eq!(noted, *lines, "{case}");
        let statistics = it.statistics();
        assert!(statistics.is_conserved(), "{case}: {statistics:?}");
        assert_eq!((statistics.offered, statistics.accepted), (2, 2), "{case}: a redelivery is one message");
        let quarantined = u64::from(expected == poisoned);
        assert_eq!(statistics.quarantined, quarantined, "{case}");
        assert_eq!(system.dead_letters().of_cause(Cause::Poisoned).len() as u64, quarantined, "{case}");
        assert_eq!(statistics.crashed, u64::from(expected.starts_with(crashed)), "{case}");
    }
}

/// A stop or a kill may come before the handler has begun, after it was answered, or again and again.
#[tokio::test(start_paused = true)]
async fn a_message_that_was_not_begun_is_not_in_hand() {
    let One { it, mut reader, .. } = one(tolerant(one_for_one()), |child| child).await;
    // The kill is looked at before the message, which both are there already.
    it.tell(Job::new(1)).expect("there is room");
    it.kill();
    reader.expect(&["it 1/1"]).await;
    let statistics = it.statistics();
    assert_eq!((it.id().incarnation(), statistics.handled, statistics.crashed), (2, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_kill_redelivers_and_counts_as_a_crash_and_a_stop_does_not() {
    let One { it, mut reader, .. } = one(tolerant(one_for_one()), |child| child.quarantine_after(2)).await;
    it.tell(Job::new(1).idempotent().failing(How::Hang, 9)).expect("there is room");
    reader.expect(&["it 1/1"]).await;
    it.kill();
    reader.expect(&["it 1/2"]).await;
    it.kill();
    it.tell(Job::new(2)).expect("there is room");
    reader.expect(&["it 2/1"]).await;
    let letters = it.quarantine().list();
    assert_eq!(letters.len(), 1);
    let reasons: Vec<String> = letters[0].failures.iter().map(|failure| short(&failure.reason)).collect();
    assert_eq!((reasons, letters[0].attempts), (vec!["killed".to_owned(), "killed".to_owned()], 2));
    assert_eq!((&*letters[0].path, letters[0].cause), ("top/it", Cause::Poisoned));
}

/// The seat is given up with the message at the head of its queue.
#[tokio::test(start_paused = true)]
async fn a_message_that_no_life_is_left_for_goes_back_to_its_asker() {
    let One { it, .. } = one(tolerant(one_for_one()), |child| child.restart(Restart::Temporary)).await;
    let asked = it.ask(|reply| Job::new(1).idempotent().failing(How::Panic, 1).asking(reply)).await;
    assert!(matches!(&asked, Err(AskError::Stopped(_, Some(job))) if job.id == 1), "{:?}", asked.err());
    let statistics = it.statistics();
    assert_eq!((statistics.stopped, statistics.crashed), (1, 0));
    assert!(statistics.is_conserved());
}

// --- twins ---------------------------------------------------------------------------------------------------------

type Step = Box<dyn FnOnce(&mut Vec<Reply<u32>>, Reply<u32>) + Send>;

/// Handles an ask with a second reply, and keeps what it is told to keep.
#[derive(Default)]
struct Twins {
    kept: Vec<Reply<u32>>,
}

enum Twin {
    Ask(Step, Reply<u32>),
    Crash,
}

impl Actor for Twins {
    type Msg = Twin;

    async fn handle(&mut self, message: Twin, _: &mut Context<Twin>) -> Handled {
        match message {
            Twin::Ask(step, reply) => step(&mut self.kept, reply),
            Twin::Crash => panic!("boom"),
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_second_reply_is_good_for() {
    // What is done with the reply; whether the actor crashes afterwards; what the asker gets.
    type Steps = fn() -> Step;
    let rows: &[(&str, Steps, bool, &str)] = &[
        (
            "one answers, the other is dropped",
            || {
                Box::new(|_, reply| {
                    let twin = reply.twin();
                    let _ = reply.send(1);
                    drop(twin);
                })
            },
            false,
            "Ok(1)",
        ),
        (
            "the other answers",
            || {
                Box::new(|_, reply| {
                    let twin = reply.twin();
                    drop(reply);
                    let _ = twin.send(2);
                })
            },
            false,
            "Ok(2)",
        ),
        (
            "both answer",
            || {
                Box::new(|_, reply| {
                    let twin = reply.twin();
                    assert_eq!(twin.send(3), Ok(()));
                    assert_eq!(reply.send(4), Err(4), "nobody waits for a second answer");
                })
            },
            false,
            "Ok(3)",
        ),
        (
            "both dropped",
            || Box::new(|_, reply| drop(reply.twin())),
            false,
            "Err(the actor dropped the reply without answering)",
        ),
        (
            "one dropped, one kept",
            || Box::new(|kept, reply| kept.push(reply.twin())),
            false,
            "Err(no answer before the deadline)",
        ),
        (
            "one dropped, one kept by an actor that crashes",
            || Box::new(|kept, reply| kept.push(reply.twin())),
            true,
            "Err(the actor ended before it answered: panic",
        ),
        (
            "a twin of a twin",
            || {
                Box::new(|_, reply| {
                    let twin = reply.twin();
                    drop(reply);
                    let third = twin.twin();
                    drop(twin);
                    let _ = third.send(5);
                })
            },
            false,
            "Ok(5)",
        ),
    ];
    for (case, step, crashes, expected) in rows {
        let system = system();
        let it = system.spawn(Twins::default).expect("open");
        let (asked, ()) = tokio::join!(it.ask(|reply| Twin::Ask(step(), reply)), async {
            if *crashes {
                it.tell(Twin::Crash).expect("there is room");
            }
        });
        let asked = format!("{asked:?}");
        assert!(asked.starts_with(expected), "{case}: {asked}");
    }
}

// --- quarantine ----------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn what_is_in_quarantine_can_be_listed_replayed_and_dropped() {
    static BENIGN: AtomicBool = AtomicBool::new(false);
    /// Crashes on every message until it has been mended.
    struct Mended(Journal);
    impl Actor for Mended {
        type Msg = u32;
        fn redelivery(message: &u32) -> Option<u32> {
            Some(*message)
        }
        async fn handle(&mut self, message: u32, context: &mut Context<u32>) -> Handled {
            assert!(BENIGN.load(Ordering::Relaxed), "boom");
            self.0.note(format!("{message}/{}", context.attempt()));
            Ok(())
        }
    }
    let system = System::builder().quarantine(2).build().expect("in a runtime");
    let (journal, mut reader) = journal();
    let (it, seat) = system.address::<u32>();
    let (other, _other_seat) = system.address::<u32>();
    let child = actor_in("it", seat, move || Mended(journal.clone())).quarantine_after(1);
    tolerant(one_for_one()).child(child).start(&system, "top").await.expect("starts");
    for message in 1..=3_u32 {
        it.tell(message).expect("there is room");
    }
    pass(SECOND).await;
    let listed = it.quarantine().list();
    assert_eq!(listed.len(), 2, "the oldest made room");
    assert_eq!(system.dead_letters().evicted(Cause::Poisoned), 1);
    assert!(
        listed
            .iter()
            .all(|letter| letter.attempts == 1 && letter.has_message && letter.message_type == "u32")
    );
    assert!(it.dead_letters().list().is_empty(), "those are not wanted");

    let [first, second] = [listed[0].id, listed[1].id];
    assert_eq!(other.quarantine().replay(first), Err(ReplayError::NotFound), "not its own");
    BENIGN.store(true, Ordering::Relaxed);
    assert_eq!(it.quarantine().replay(first), Ok(()));
    reader.expect(&["2/1"]).await;
    assert_eq!(it.quarantine().replay(first), Err(ReplayError::NotFound));
    assert!(it.quarantine().discard(second) && !it.quarantine().discard(second));
    let statistics = it.statistics();
    assert_eq!((statistics.offered, statistics.handled, statistics.quarantined), (4, 1, 3));
    assert!(statistics.is_conserved());
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_is_refused_leaves_the_letter_where_it_is() {
    let One { it, mut reader, root, system } =
        one(tolerant(one_for_one()), |child| child.quarantine_after(1)).await;
    it.tell(Job::new(1).idempotent().failing(How::Panic, 1)).expect("there is room");
    turns().await;
    let id = it.quarantine().list()[0].id;
    it.tell(Job::new(2).failing(How::Hang, 1)).expect("there is room");
    turns().await;
    for number in 3..11 {
        it.tell(Job::new(number)).expect("there is room for eight");
    }
    assert_eq!(it.quarantine().replay(id), Err(ReplayError::Full));
    assert_eq!(system.shutdown(SECOND).await.left, 0);
    assert_eq!(soon(root.ended()).await, ExitReason::Shutdown);
    assert_eq!(it.quarantine().replay(id), Err(ReplayError::Stopped(ExitReason::Shutdown)));
    assert_eq!(it.quarantine().take(id).map(|job| job.id), Some(1));
    assert_eq!(system.dead_letters().clear(), 0);
    reader.rest();
}

// --- whose fault it is ---------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn crashes_on_idempotent_messages_are_charged_from_the_limit_on() {
    // Intensity, idempotent or not, crashes of one message each; whether the supervisor survives them all.
    let rows = [
        (0, true, 1, false),
        (1, false, 1, true),
        (1, false, 2, false),
        (1, true, 2, true),
        (1, true, 3, false),
        (3, false, 3, true),
        (3, false, 4, false),
        (3, true, 6, true),
        (3, true, 7, false),
    ];
    for (limit, idempotent, crashes, survives) in rows {
        let spec = one_for_one().limit(limit, 100 * SECOND);
        let One { it, root, .. } = one(spec, |child| child).await;
        for number in 0..crashes {
            let job = Job::new(number).failing(How::Panic, 1);
            let _ = it.tell(if idempotent { job.idempotent() } else { job });
            pass(Duration::from_millis(10)).await;
        }
        let case = format!("{limit} restarts, idempotent: {idempotent}, {crashes} crashes");
        assert_eq!(root.address().is_alive(), survives, "{case}");
    }
}
