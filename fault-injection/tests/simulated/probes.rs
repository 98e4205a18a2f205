//! Probes: actors that play the rest of the world, by a script or by hand.

use minder::prelude::*;
use minder::{Down, Exit};
use minder_fault_injection::testkit::{Kit, Trial};

use crate::support::{Counter, Msg, SECOND};

/// Asks the ledger for each customer.
struct Till {
    ledger: Addr<Question>,
}

enum Question {
    Balance(&'static str, Reply<u64>),
    Note(u64),
}

struct Customer(&'static str, Reply<Option<u64>>);

impl Actor for Till {
    type Msg = Customer;

    async fn handle(&mut self, Customer(name, reply): Customer, _: &mut Context<Customer>) -> Handled {
        let balance = self.ledger.ask(|reply| Question::Balance(name, reply)).await.ok();
        let _ = reply.send(balance);
        if let Some(balance) = balance {
            self.ledger
                .tell(Question::Note(balance))
                .map_err(|error| ExitReason::other(&error.to_string()))?;
        }
        Ok(())
    }
}

/// Answers balances, and keeps the notes.
fn balances(amount: u64) -> impl FnMut(Question) -> Option<Question> + Send {
    move |question| match question {
        Question::Balance(_, reply) => {
            let _ = reply.send(amount);
            None
        }
        note => Some(note),
    }
}

fn noted(question: Question) -> u64 {
    match question {
        Question::Note(balance) => balance,
        Question::Balance(name, _) => panic!("{name} is still waiting"),
    }
}

#[minder_fault_injection::test(seeds = 20)]
async fn a_script_answers_and_the_rest_is_written_down(kit: Kit) {
    let mut ledger = kit.probe::<Question>("ledger").await;
    let address = ledger.address().clone();
    let till = kit.supervise("till", move || Till { ledger: address.clone() }).await;
    ledger.answers(balances(7));
    ledger.answers_once(balances(1));
    ledger.answers_once(balances(2));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(till.ask(|reply| Customer("ann", reply)).await.expect("it answers"));
    }
    // The one-shot scripts were for two messages: the first balance, and the note that came of it.
    assert_eq!(seen, [Some(1), Some(7), Some(7), Some(7)]);
    kit.settle().await;
    assert_eq!(ledger.received().into_iter().map(noted).collect::<Vec<_>>(), [1, 7, 7, 7]);
    ledger.answers(|_| None);
    let unanswered = till.ask(|reply| Customer("ann", reply)).await.expect("it answers");
    assert_eq!(unanswered, None, "the script dropped the reply");
}

#[minder_fault_injection::test(seeds = 20)]
async fn a_test_may_answer_by_hand(kit: Kit) {
    let mut ledger = kit.probe::<Question>("ledger").await;
    let address = ledger.address().clone();
    let till = kit.supervise("till", move || Till { ledger: address.clone() }).await;
    let asking = kit.spawn("customer", async move { till.ask(|reply| Customer("bob", reply)).await.ok() });
    let Question::Balance("bob", reply) = ledger.next().await else { panic!("bob's balance is asked for") };
    kit.advance(SECOND).await;
    reply.send(12).expect("somebody waits for it");
    assert_eq!(asking.await, Ok(Some(Some(12))));
    assert_eq!(noted(ledger.next().await), 12);
    assert!(ledger.try_next().is_none());
}

#[minder_fault_injection::test]
async fn it_watches_links_and_is_watched(kit: Kit) {
    let mut probe = kit.probe::<()>("probe").await;
    let counter = kit.supervise("counter", Counter::default).await;
    let first = counter.id();
    let monitor = probe.monitor(&counter).await;
    probe.link(&counter).await;
    kit.crash(&counter).await;
    let reason = kit.exits_of(&counter)[0].clone();
    assert!(probe.address().is_alive(), "it traps exits");
    let expected = [
        Notice::Exit(Exit { from: first, reason: reason.clone() }),
        Notice::Down(Down { monitor, actor: first, name: None, reason }),
    ];
    let notices = probe.notices();
    assert_eq!(notices, expected);

    let second = counter.id();
    probe.link(&counter).await;
    let watcher = kit.probe::<()>("watcher").await;
    watcher.monitor(probe.address()).await;
    probe.ends(ExitReason::other("enough")).await;
    assert_eq!(kit.exits_of(&probe), [ExitReason::other("enough")]);
    assert_eq!(kit.exits_of(&counter).last(), Some(&ExitReason::other("enough")), "linked to it, {second}");
    assert_eq!(kit.generation(&counter), 3);
    let mut watcher = watcher;
    let Notice::Down(down) = watcher.next_notice().await else { panic!("a down") };
    assert_eq!(down.reason, ExitReason::other("enough"));
}

#[minder_fault_injection::test]
async fn it_does_whatever_an_actor_can(kit: Kit) {
    let probe = kit.probe::<u64>("probe").await;
    let child = probe.does(|context| context.spawn("child", Counter::default)).await.expect("it starts");
    assert_eq!(&*kit.path(&child), "probe/child");
    child.tell(Msg::Add(2)).expect("there is room");
    let timer = probe.does(|context| context.send_after(SECOND, 5_u64)).await;
    kit.advance(SECOND).await;
    let mut probe = probe;
    assert_eq!(probe.received(), [5]);
    assert_eq!(probe.does(move |context| context.cancel_timer(timer)).await, None);
}

#[test]
fn what_a_probe_waits_for_in_vain_fails_the_test() {
    type Row = (fn(Kit) -> std::pin::Pin<Box<dyn Future<Output = ()>>>, &'static str);
    let rows: [Row; 4] = [
        (
            |kit| {
                Box::pin(async move {
                    kit.probe::<()>("ledger").await.next().await;
                })
            },
            "the probe `ledger` got no message within 60 s of simulated time",
        ),
        (
            |kit| {
                Box::pin(async move {
                    kit.probe::<()>("ledger").await.next_notice().await;
                })
            },
            "the probe `ledger` got no notice within 60 s",
        ),
        (
            |kit| {
                Box::pin(async move {
                    let mut probe = kit.probe::<()>("ledger").await;
                    kit.kill(&probe).await;
                    probe.next().await;
                })
            },
            "the probe `ledger` has ended, and gets no message any more",
        ),
        (
            |kit| {
                Box::pin(async move {
                    let probe = kit.probe::<()>("ledger").await;
                    kit.kill(&probe).await;
                    probe.does(|_| ()).await;
                })
            },
            "the probe `ledger` has ended, and does nothing any more",
        ),
    ];
    for (test, expected) in rows {
        let failure = Trial::named("in vain").try_run(test).expect_err("nothing comes");
        assert!(failure.text.contains(expected), "{failure}");
    }
}
