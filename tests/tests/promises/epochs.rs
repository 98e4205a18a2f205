//! What waits over a restart: kept, or purged with the child, or purged with the whole group because it was sent to a
//! state that no longer exists.

use std::time::Duration;

use minder::prelude::*;
use minder::{Cause, MailboxOptions, Queued, WhenFull};
use tokio::task::JoinHandle;

use crate::support::*;
use crate::worker::*;

type Asking = JoinHandle<Result<u32, AskError<Job>>>;

fn ask(it: &Addr<Job>, job: Job) -> Asking {
    let it = it.clone();
    aside(async move { it.ask(|reply| job.asking(reply)).await })
}

/// The outcome, if there is one by now.
async fn outcome(asking: Asking) -> String {
    if !asking.is_finished() {
        return "waits".into();
    }
    match asking.await.expect("no panic") {
        Ok(answer) => format!("answer {answer}"),
        Err(AskError::Purged(reason)) => format!("purged {}", short(&reason)),
        Err(AskError::Crashed(reason)) => format!("crashed {}", short(&reason)),
        Err(_) => "?".into(),
    }
}

/// Two workers, of which the second is crashed with these jobs in hand and behind it.
struct Row {
    case: &'static str,
    spec: fn() -> Spec,
    queued: Queued,
    /// Who is crashed.
    who: usize,
    idempotent: bool,
    /// What becomes of the ask in hand at the crash, of one behind it, and of one that waits at the other child.
    in_hand: &'static str,
    behind: &'static str,
    elsewhere: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        case: "alone, kept",
        spec: one_for_one,
        queued: Queued::Keep,
        who: 1,
        idempotent: false,
        in_hand: "crashed panic boom",
        behind: "answer 21",
        elsewhere: "answer 31",
    },
    Row {
        case: "alone, kept, idempotent",
        spec: one_for_one,
        queued: Queued::Keep,
        who: 1,
        idempotent: true,
        in_hand: "answer 12",
        behind: "answer 21",
        elsewhere: "answer 31",
    },
    Row {
        case: "alone, purged",
        spec: one_for_one,
        queued: Queued::Purge,
        who: 1,
        idempotent: false,
        in_hand: "crashed panic boom",
        behind: "purged panic boom",
        elsewhere: "answer 31",
    },
    Row {
        case: "alone, purged: what is in hand is not queued",
        spec: one_for_one,
        queued: Queued::Purge,
        who: 1,
        idempotent: true,
        in_hand: "answer 12",
        behind: "purged panic boom",
        elsewhere: "answer 31",
    },
    Row {
        case: "all, kept",
        spec: one_for_all,
        queued: Queued::Keep,
        who: 1,
        idempotent: false,
        in_hand: "crashed panic boom",
        behind: "purged panic boom",
        elsewhere: "purged shutdown",
    },
    Row {
        case: "all, kept, idempotent",
        spec: one_for_all,
        queued: Queued::Keep,
        who: 1,
        idempotent: true,
        in_hand: "purged panic boom",
        behind: "purged panic boom",
        elsewhere: "purged shutdown",
    },
    Row {
        case: "the rest, of which the other is none",
        spec: rest_for_one,
        queued: Queued::Keep,
        who: 1,
        idempotent: true,
        in_hand: "purged panic boom",
        behind: "purged panic boom",
        elsewhere: "answer 31",
    },
    Row {
        case: "the rest, of which the other is one",
        spec: rest_for_one,
        queued: Queued::Keep,
        who: 0,
        idempotent: true,
        in_hand: "purged panic boom",
        behind: "purged panic boom",
        elsewhere: "purged shutdown",
    },
];

#[tokio::test(start_paused = true)]
async fn what_waits_over_a_restart() {
    for Row { case, spec, queued, who, idempotent, in_hand, behind, elsewhere } in ROWS {
        let system = System::builder().dead_letters(10).build().expect("in a runtime");
        let journal = journal().0;
        let mut workers = Vec::new();
        let mut spec = tolerant(spec());
        for name in ["a", "b"] {
            let (it, seat) = system.address();
            let (journal, counted) = (journal.clone(), Counted::default());
            let make = move || Worker::new(name, &journal, &counted);
            spec = spec.child(actor_in(name, seat, make).queued(*queued));
            workers.push(it);
        }
        spec.start(&system, "top").await.expect("starts");
        let (it, other) = (&workers[*who], &workers[1 - who]);
        let crash = Job::new(1).taking(SECOND).failing(How::Panic, 1);
        let first = ask(it, if *idempotent { crash.idempotent() } else { crash });
        turns().await;
        let second = ask(it, Job::new(2));
        // Longer than the crash takes, so that the stop finds it in hand and the other behind it.
        other.tell(Job::new(9).taking(SECOND + Duration::from_millis(500))).expect("there is room");
        let third = ask(other, Job::new(3));
        pass(2 * SECOND).await;
        pass(SECOND).await;
        let outcomes = [outcome(first).await, outcome(second).await, outcome(third).await];
        assert_eq!(outcomes, [*in_hand, *behind, *elsewhere], "{case}");

        let mut purged = 0;
        for worker in &workers {
            let statistics = worker.statistics();
            assert!(statistics.is_conserved(), "{case}: {statistics:?}");
            assert_eq!(
                worker.dead_letters().list().iter().filter(|letter| letter.cause == Cause::Purged).count()
                    as u64,
                statistics.purged,
                "{case}"
            );
            purged += statistics.purged;
            let asked = worker.ask(|reply| Job::new(5).asking(reply)).await;
            assert!(matches!(asked, Ok(51)), "{case}: alive and well");
        }
        let expected = outcomes.iter().filter(|outcome| outcome.starts_with("purged")).count() as u64;
        assert_eq!(purged, expected, "{case}");
    }
}

/// What is sent while the group is down waits for the new epoch if it was let in after the boundary, and only then.
#[tokio::test(start_paused = true)]
async fn the_boundary_is_drawn_after_the_last_stop_and_before_the_first_start() {
    let system = system();
    let (journal, mut reader) = journal();
    let ((a, seat_a), (b, seat_b)) =
        (system.address(), system.address_with(MailboxOptions::bounded(2, WhenFull::Reject)));
    // The first to start sends to the second, which is down: that is of the new epoch already.
    let (note, to) = (journal.clone(), b.clone());
    let first = move || {
        let to = to.clone();
        Puppet::new("a", &note).trapping().on_start(move |_, context| {
            let life = context.id().incarnation();
            to.tell(Msg::Mark(life)).expect("there is room");
            Ok(())
        })
    };
    let second = move || Puppet::new("b", &journal).trapping().cleaning_up_for(SECOND);
    let tree =
        tolerant(one_for_all()).child(actor_in("a", seat_a, first)).child(actor_in("b", seat_b, second));
    tree.start(&system, "top").await.expect("starts");
    reader.expect(&["a up", "b up", "b 1"]).await;
    a.tell(crash()).expect("there is room");
    reader.expect(&["b stopping shutdown"]).await;
    b.tell(Msg::Mark(77)).expect("there is room for two");
    b.tell(Msg::Mark(77)).expect("there is room for two");
    // Waits for room, and so is let in only when the older ones are gone.
    let waiting = aside({
        let b = b.clone();
        async move { b.send(Msg::Mark(88)).await.is_ok() }
    });
    turns().await;
    assert_eq!((b.statistics().queued, b.statistics().waiting), (2, 1));
    reader.expect(&["b cleaned up", "a up", "b up", "b 88", "b 2"]).await;
    assert!(waiting.await.expect("no panic"));
    let statistics = b.statistics();
    assert_eq!((statistics.purged, a.statistics().epoch, statistics.epoch), (2, 1, 1));
    assert!(statistics.is_conserved());
}

/// A member that is a supervisor begins anew with everybody below it.
#[tokio::test(start_paused = true)]
async fn an_epoch_reaches_the_seats_below_a_member() {
    let system = system();
    let journal = journal().0;
    let ((a, seat_a), (below, seat_below)) = (system.address(), system.address());
    let (one, two) = (journal.clone(), journal);
    let tree_below =
        tolerant(one_for_one()).child(actor_in("below", seat_below, move || Puppet::new("below", &two)));
    let spec = tolerant(one_for_all())
        .child(actor_in("a", seat_a, move || Puppet::new("a", &one)))
        .child(tree("inner", tree_below));
    spec.start(&system, "top").await.expect("starts");
    below.tell(hang()).expect("there is room");
    turns().await;
    let asking = aside({
        let below = below.clone();
        async move { below.ask(Msg::Life).await }
    });
    turns().await;
    a.tell(crash()).expect("there is room");
    let asked = soon(asking).await.expect("no panic");
    assert!(matches!(asked, Err(AskError::Purged(ExitReason::Shutdown))), "{asked:?}");
    assert_eq!(life(&below).await, 2);
    assert_eq!(below.statistics().epoch, 1);
}
