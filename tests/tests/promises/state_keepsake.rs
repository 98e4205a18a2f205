//! What a seat keeps from one life to the next, and who is told of an end: what the crate `minder-state` stands on.

use std::sync::atomic::{AtomicU32, Ordering};

use minder::prelude::*;
use minder_fault_injection::testkit::Kit;

use crate::support::{Journal, SECOND, journal};

/// Adds one to its seat's keepsake with each life, and says the count.
struct Heir {
    journal: Journal,
}

enum Msg {
    Lives(Reply<u32>),
    /// Asks for a keepsake of another type.
    Other,
    Panic,
    AtEnd(&'static str),
    End(ExitReason),
}

#[derive(Default)]
struct Lives(AtomicU32);

/// Says its drop.
#[derive(Default)]
struct Told(std::sync::Mutex<Option<Journal>>);

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(journal) = self.0.lock().expect("nobody panics with it").take() {
            journal.note("keepsake dropped");
        }
    }
}

impl Actor for Heir {
    type Msg = Msg;

    async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
        context.keepsake::<Lives>().0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Lives(reply) => drop(reply.send(context.keepsake::<Lives>().0.load(Ordering::Relaxed))),
            Msg::Other => {
                *context.keepsake::<Told>().0.lock().expect("nobody panics with it") =
                    Some(self.journal.clone());
            }
            Msg::Panic => panic!("boom"),
            Msg::AtEnd(name) => {
                let journal = self.journal.clone();
                context.at_end(move |reason| {
                    journal.note(format!("{name} {}", crate::support::short(reason)));
                    assert!(name != "panics", "at the end");
                });
            }
            Msg::End(reason) => context.stop(reason),
        }
        Ok(())
    }
}

impl Drop for Heir {
    fn drop(&mut self) {
        self.journal.note("value dropped");
    }
}

async fn lives(it: &Addr<Msg>) -> u32 {
    it.ask(Msg::Lives).await.expect("it lives")
}

#[minder_fault_injection::test(seeds = 20)]
async fn a_keepsake_is_of_a_seat_a_minder_and_an_epoch(kit: Kit) {
    let make = || Heir { journal: journal().0 };
    let (alone, alone_seat) = kit.address();
    let (grouped, grouped_seat) = kit.address();
    let (outside, outside_seat) = kit.address();
    let other = actor("other", make);
    let group = one_for_all().limit(100, SECOND).child(actor_in("grouped", grouped_seat, make)).child(other);
    let below = one_for_one().limit(100, SECOND).child(actor_in("outside", outside_seat, make));
    let spec = one_for_one().limit(100, SECOND).child(actor_in("alone", alone_seat, make));
    kit.start(spec.child(tree("group", group)).child(tree("below", below))).await;

    for expected in 1..4 {
        assert_eq!(lives(&alone).await, expected);
        kit.crash(&alone).await;
    }
    kit.crash(&grouped).await;
    assert_eq!(lives(&grouped).await, 1, "its own crash restarts the group");
    kit.crash("other").await;
    assert_eq!(lives(&grouped).await, 1, "so does the crash of another member");
    kit.crash(&outside).await;
    assert_eq!(lives(&outside).await, 2);
    kit.crash("below").await;
    assert_eq!(lives(&outside).await, 1, "the supervisor is another one; the seat is the same");
    assert_eq!(lives(&alone).await, 4, "and nothing of this concerns others");
}

#[minder_fault_injection::test]
async fn a_keepsake_ends_with_its_seat(kit: Kit) {
    let (journal, mut read) = journal();
    let (it, seat) = kit.address();
    let make = move || Heir { journal: journal.clone() };
    let child = actor_in("it", seat, make).restart(Restart::Temporary);
    kit.start(one_for_one().child(child)).await;
    it.tell(Msg::Other).expect("there is room");
    it.tell(Msg::Panic).expect("there is room");
    kit.settle().await;
    drop(it.clone());
    assert_eq!(read.rest(), ["value dropped", "keepsake dropped"], "an address does not keep it");
}

#[minder_fault_injection::test]
async fn another_type_replaces_it(kit: Kit) {
    let (journal, mut read) = journal();
    let it = kit.supervise("it", move || Heir { journal: journal.clone() }).await;
    it.tell(Msg::Other).expect("there is room");
    assert_eq!(lives(&it).await, 0, "a new one of its type");
    assert_eq!(read.rest(), ["keepsake dropped"]);
}

#[minder_fault_injection::test]
async fn who_asked_for_it_is_told_of_the_end(kit: Kit) {
    let rows: [(&str, Option<ExitReason>, &str); 4] = [
        ("a panic", None, "panic boom"),
        ("a normal end", Some(ExitReason::Normal), "normal"),
        ("a shutdown", Some(ExitReason::Shutdown), "shutdown"),
        ("an end of its own", Some(ExitReason::other("enough")), "enough"),
    ];
    let (journal, mut read) = journal();
    let it = kit.supervise("it", move || Heir { journal: journal.clone() }).await;
    for (case, reason, expected) in rows {
        it.tell(Msg::AtEnd("first")).expect("there is room");
        it.tell(Msg::AtEnd("second")).expect("there is room");
        it.tell(reason.map_or(Msg::Panic, Msg::End)).expect("there is room");
        kit.settle().await;
        let lines = ["value dropped".into(), format!("first {expected}"), format!("second {expected}")];
        assert_eq!(read.rest(), lines, "{case}");
    }
    it.tell(Msg::AtEnd("first")).expect("there is room");
    kit.settle().await;
    kit.kill(&it).await;
    assert_eq!(read.rest(), ["value dropped", "first killed"]);
    kit.kill(&it).await;
    assert_eq!(read.rest(), ["value dropped"], "it was asked for by an earlier life");
}

#[minder_fault_injection::test]
async fn a_panic_in_being_told_is_added_to_the_reason(kit: Kit) {
    let (journal, mut read) = journal();
    let it = kit.supervise("it", move || Heir { journal: journal.clone() }).await;
    it.tell(Msg::AtEnd("panics")).expect("there is room");
    it.tell(Msg::AtEnd("second")).expect("there is room");
    it.tell(Msg::Panic).expect("there is room");
    kit.settle().await;
    assert_eq!(read.rest(), ["value dropped", "panics panic boom", "second panic boom"]);
    let [ExitReason::Panic(report)] = &kit.exits_of(&it)[..] else { panic!("one panic") };
    assert_eq!(report.text, "boom");
    let added = report.while_dropping.as_deref().expect("the panic at the end");
    assert!(added.contains("at the end"), "{added}");
    assert_eq!(kit.generation(&it), 2);
}
