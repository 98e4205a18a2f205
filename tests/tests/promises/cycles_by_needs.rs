//! Children that wait for themselves through a request to a supervisor by needs: each request waits for those only who have to
//! come up or go before it has its turn. Of supervisors that do one thing at a time: `cycles.rs`.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use minder::prelude::*;
use minder::supervisors::{ApplyError, StartChildError, TerminateChildError, Unavailable, by_needs};
use tokio::sync::oneshot;

use crate::apply::{listed, puppet};
use crate::support::*;

/// What an actor asks, and what it is told in the end.
type Ask = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = String> + Send>> + Send + Sync>;

fn ask<F: Future<Output = String> + Send + 'static>(ask: impl Fn() -> F + Send + Sync + 'static) -> Ask {
    Arc::new(move || Box::pin(ask()))
}

/// Asks when it comes and when it goes, notes what it is told, and goes on.
#[derive(Clone)]
struct Asker {
    name: &'static str,
    journal: Journal,
    coming: Option<Ask>,
    going: Option<Ask>,
}

impl Asker {
    async fn inquire(&self, what: Option<&Ask>) {
        if let Some(ask) = what {
            self.journal.note(format!("{} asks", self.name));
            let told = ask().await;
            self.journal.note(format!("{}: {told}", self.name));
        }
    }
}

impl Actor for Asker {
    type Msg = Reply<u32>;

    async fn started(&mut self, context: &mut Context<Reply<u32>>) -> Handled {
        context.trap_exit(true);
        self.inquire(self.coming.as_ref()).await;
        Ok(())
    }

    async fn handle(&mut self, reply: Reply<u32>, _: &mut Context<Reply<u32>>) -> Handled {
        let _ = reply.send(1);
        Ok(())
    }

    async fn stopping(&mut self, _: &ExitReason, _: &mut Context<Reply<u32>>) {
        self.inquire(self.going.as_ref()).await;
    }
}

fn coming(name: &'static str, journal: &Journal, ask: Ask) -> Child {
    let it = Asker { name, journal: journal.clone(), coming: Some(ask), going: None };
    actor(name, move || it.clone())
}

fn going(name: &'static str, journal: &Journal, ask: Ask) -> Child {
    let it = Asker { name, journal: journal.clone(), coming: None, going: Some(ask) };
    actor(name, move || it.clone())
}

fn told<T, E: std::fmt::Display>(outcome: Result<T, E>) -> String {
    match outcome {
        Ok(_) => "done".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// A supervisor has become this, or why not.
fn applying(root: &Root, spec: &Spec) -> Ask {
    let (root, spec) = (root.clone(), spec.clone());
    ask(move || {
        let (root, spec) = (root.clone(), spec.clone());
        async move { told(root.apply(spec).await) }
    })
}

fn stopping(root: &Root, id: &'static str) -> Ask {
    let root = root.clone();
    ask(move || {
        let root = root.clone();
        async move { told(root.terminate_child(id).await) }
    })
}

/// All of this happens without time passing.
async fn at_once<T>(system: &System, what: impl Future<Output = T>) -> T {
    let began = system.now();
    let outcome = soon(what).await;
    assert_eq!(system.now(), began);
    outcome
}

fn cycle(paths: &str) -> String {
    format!("these actors wait for each other: {paths}")
}

/// Nothing of what it asked for is done: it knows that it has not been.
#[tokio::test(start_paused = true)]
async fn a_child_that_awaits_a_change_of_its_own_supervisor_is_told_and_nothing_is_changed() {
    let stuck = cycle("top/it -> top -> top/it");
    let (system, (journal, mut reader)) = (system(), journal());
    let root = by_needs().child(puppet("a", &journal)).start(&system, "top").await.expect("starts");
    reader.expect(&["a up"]).await;
    let empty = by_needs();
    at_once(&system, async {
        root.start_child(coming("it", &journal, applying(&root, &empty))).await.expect("it comes up");
        reader.expect(&["it asks", &format!("it: {stuck}")]).await;
        assert_eq!(listed(root.clone()).await, "a it");
        root.terminate_child("it").await.expect("it is there");
        root.delete_child("it").await.expect("it is down");
        root.start_child(going("it", &journal, applying(&root, &empty))).await.expect("it comes up");
        root.terminate_child("it").await.expect("it is there");
        reader.expect(&["it asks", &format!("it: {stuck}")]).await;
        assert_eq!(listed(root.clone()).await, "a it down");
        // Whoever waits for nobody that waits for it is not told: the change is made.
        root.apply(empty).await.expect("nobody is in the way");
        assert_eq!(reader.rest(), ["a stopping shutdown"]);
    })
    .await;
}

/// Whatever is asked for, as long as it has to wait.
#[tokio::test(start_paused = true)]
async fn a_child_that_awaits_something_for_itself_from_its_start_is_told() {
    type Request = fn(Root) -> Pin<Box<dyn Future<Output = String> + Send>>;
    let requests: [(&str, Request); 6] = [
        ("terminate", |root| Box::pin(async move { told(root.terminate_child("it").await) })),
        ("restart", |root| Box::pin(async move { told(root.restart_child("it").await) })),
        ("disable", |root| Box::pin(async move { told(root.disable_child("it").await) })),
        ("enable", |root| Box::pin(async move { told(root.enable_child("it").await) })),
        ("delete", |root| Box::pin(async move { told(root.delete_child("it").await) })),
        ("start", |root| {
            let child = task("it", std::future::pending::<()>);
            Box::pin(async move { told(root.start_child(child).await) })
        }),
    ];
    for (name, request) in requests {
        let (system, (journal, mut reader)) = (system(), journal());
        let root = by_needs().start(&system, "top").await.expect("starts");
        let inside = root.clone();
        let child = coming("it", &journal, ask(move || request(inside.clone())));
        at_once(&system, root.start_child(child)).await.expect("it comes up");
        let expected = format!("it: {}", cycle("top/it -> top -> top/it"));
        assert_eq!(reader.rest(), ["it asks", &*expected], "{name}");
        assert_eq!(listed(root).await, "it", "{name}: it has been taken back");
    }
}

/// A start that was asked for waits for what it needs, and so does whoever asked for it.
#[tokio::test(start_paused = true)]
async fn a_child_that_awaits_the_start_of_one_that_needs_it_is_told() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = by_needs().start(&system, "top").await.expect("starts");
    let (inside, note) = (root.clone(), journal.clone());
    let starting = ask(move || {
        let (root, child) = (inside.clone(), puppet("needy", &note).needs(["between"]));
        let between = puppet("between", &note).needs(["it"]);
        async move {
            let between = aside({
                let root = root.clone();
                async move { root.start_child(between).await.map(drop) }
            });
            turns().await;
            let told = told(root.start_child(child).await);
            drop(between);
            told
        }
    });
    soon(root.start_child(coming("it", &journal, starting))).await.expect("it comes up");
    reader.expect(&["it asks", &format!("it: {}", cycle("top/it -> top -> top/it"))]).await;
    turns().await;
    assert_eq!(listed(root).await, "it between", "what has not begun has been taken back");
}

/// The request of one is about the other, and that asks it: whoever asks last is told. A third is not in it.
#[tokio::test(start_paused = true)]
async fn a_cycle_through_a_request_about_another_child_is_found_and_named() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (a, a_seat) = system.address::<Reply<u32>>();
    let root = by_needs().start(&system, "top").await.expect("starts");
    let b = coming(
        "b",
        &journal,
        ask(move || {
            let a = a.clone();
            async move { told(a.ask(|reply| reply).await) }
        }),
    );
    let it = Asker { name: "a", journal: journal.clone(), coming: Some(stopping(&root, "b")), going: None };
    let a = actor_in("a", a_seat, move || it.clone());
    at_once(&system, async {
        let starting = aside({
            let root = root.clone();
            async move { root.start_child(b).await.map(drop) }
        });
        reader.expect(&["b asks"]).await;
        // `b` waits for the seat of `a`, where nobody lives yet; `a` comes and waits until `b` is up.
        root.start_child(a).await.expect("it comes up");
        starting.await.expect("no panic").expect("it comes up");
    })
    .await;
    let lines = reader.rest();
    assert_eq!(lines[..2], ["a asks".to_owned(), format!("a: {}", cycle("top/a -> top -> top/b -> top/a"))]);
    assert_eq!(lines[2..], ["b: done"], "once `a` is up");
    assert_eq!(listed(root).await, "b a");
}

/// One that is still coming up, or going, is waited for: that is no cycle.
#[tokio::test(start_paused = true)]
async fn a_child_that_awaits_a_request_about_another_is_answered_in_its_turn() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = by_needs().start(&system, "top").await.expect("starts");
    let (clock, note) = (system.clone(), journal.clone());
    let long = move |name| {
        let clock = clock.clone();
        coming(
            name,
            &note,
            ask(move || {
                let clock = clock.clone();
                async move {
                    clock.sleep(SECOND).await;
                    "done".to_owned()
                }
            }),
        )
    };
    let slow = aside({
        let (root, child) = (root.clone(), long("slow"));
        async move { root.start_child(child).await.map(drop) }
    });
    reader.expect(&["slow asks"]).await;
    soon(root.start_child(coming("it", &journal, stopping(&root, "slow")))).await.expect("it comes up");
    reader.expect(&["it asks", "slow: done", "it: done"]).await;
    soon(slow).await.expect("no panic").expect("it came up");
    // And a change: asked for by one that is up, while another comes up.
    let (up, seat) = system.address();
    let up_child = actor_in("up", seat, || Puppet::new("up", &self::journal().0));
    root.start_child(up_child.clone()).await.expect("it comes up");
    let later = aside({
        let (root, child) = (root.clone(), long("later"));
        async move { root.start_child(child).await.map(drop) }
    });
    reader.expect(&["later asks"]).await;
    let change = applying(&root, &by_needs().child(up_child));
    let note = journal.clone();
    up.tell(wait(move |_, _| {
        Box::pin(async move {
            note.note(format!("up: {}", change().await));
            Ok(())
        })
    }))
    .expect("there is room");
    reader.expect(&["later: done", "up: done"]).await;
    soon(later).await.expect("no panic").expect("it came up");
    assert_eq!(listed(root).await, "up");
}

/// One that is told to stop while it waits ends, if it does not trap exits, and so nobody is stuck who waits for that.
#[tokio::test(start_paused = true)]
async fn who_waits_for_the_end_of_one_that_is_being_told_to_stop_is_not_told() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = by_needs().start(&system, "top").await.expect("starts");
    let (a, a_seat) = system.address();
    let (b, b_seat) = system.address();
    for (name, seat) in [("a", a_seat), ("b", b_seat)] {
        root.start_child(actor_in(name, seat, || Puppet::new("it", &self::journal().0))).await.expect("up");
    }
    // `b` waits for `a`, which waits until `b` has been stopped.
    let (stop, note) = (stopping(&root, "b"), journal.clone());
    let (begin, begun) = tokio::sync::oneshot::channel();
    a.tell(wait(move |_, _| {
        Box::pin(async move {
            begun.await.expect("it is told");
            note.note(format!("a: {}", stop().await));
            Ok(())
        })
    }))
    .expect("there is room");
    let to_a = a.clone();
    b.tell(wait(move |_, _| {
        Box::pin(async move {
            let _ = to_a.ask(Msg::Life).await;
            Ok(())
        })
    }))
    .expect("there is room");
    turns().await;
    begin.send(()).expect("it waits");
    at_once(&system, reader.expect(&["a: done"])).await;
    assert!(!b.is_alive() && a.is_alive());
}

/// One that was told to stop before its supervisor begins to end waits for itself as the others do, which are told then.
#[tokio::test(start_paused = true)]
async fn who_is_stopping_already_when_its_supervisor_begins_to_end_is_told() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = by_needs().child(puppet("a", &journal)).start(&system, "top").await.expect("starts");
    let (open, gate) = oneshot::channel::<()>();
    let (gate, counting) = (Arc::new(Mutex::new(Some(gate))), root.clone());
    let count = ask(move || {
        let (gate, root) = (gate.lock().expect("nobody panics").take(), counting.clone());
        async move {
            gate.expect("it stops once").await.expect("it is opened");
            told(root.count_children().await)
        }
    });
    let x = going("x", &journal, count).shutdown(Shutdown::Infinity);
    root.start_child(x).await.expect("it is new");
    let (terminating, ending) = (root.clone(), root.clone());
    aside(async move { terminating.terminate_child("x").await });
    reader.until("x asks").await;
    aside(async move { ending.stop(ExitReason::Normal).await });
    reader.expect(&["a stopping shutdown"]).await;
    open.send(()).expect("it waits");
    at_once(&system, reader.expect(&[&format!("x: {}", cycle("top/x -> top -> top/x"))])).await;
}

type Pair = (fn() -> Spec, fn() -> Spec);

/// Two supervisors of either kind, one in the other.
fn kinds() -> [Pair; 4] {
    [(by_needs, by_needs), (by_needs, one_for_one), (one_for_one, by_needs), (one_for_one, one_for_one)]
}

/// A change comes to a supervisor below only when its children are up, and asks it to bring up those that are missing: a child
/// that awaits the change of the one above meanwhile is told, by whichever supervisors.
#[tokio::test(start_paused = true)]
async fn a_child_that_holds_up_a_change_from_above_and_awaits_it_is_told() {
    let stuck = format!("it: {}", cycle("top/inner/it -> top -> top/inner -> top/inner/it"));
    for (number, (outer, inner)) in kinds().into_iter().enumerate() {
        let (system, (journal, mut reader)) = (system(), journal());
        let spec = |children: Vec<Child>| outer().child(tree("inner", inner().children(children)));
        let root = spec(Vec::new()).start(&system, "top").await.expect("starts");
        let inside = root.subtree("inner").await.expect("it is there");
        let it = coming("it", &journal, applying(&root, &spec(Vec::new())));
        // While it is started there.
        at_once(&system, inside.start_child(it.clone())).await.expect("it comes up");
        assert_eq!(reader.rest(), ["it asks", &*stuck], "{number}");
        assert_eq!(listed(root.clone()).await, "inner[it]", "{number}: nothing is changed");
        // While a change starts it.
        at_once(&system, root.apply(spec(Vec::new()))).await.expect("nobody is in the way");
        at_once(&system, root.apply(spec(vec![it]))).await.expect("it comes up");
        assert_eq!(reader.rest(), ["it asks", &*stuck], "{number}");
        assert_eq!(listed(root.clone()).await, "inner[it]", "{number}");
    }
}

/// Whoever asked for a change waits for those whom it starts; one of them that asks it back is told.
#[tokio::test(start_paused = true)]
async fn a_child_that_a_change_starts_and_that_asks_whoever_awaits_the_change_is_told() {
    for spec in [by_needs as fn() -> Spec, one_for_one] {
        let (system, (journal, mut reader)) = (system(), journal());
        let (changer, seat) = system.address();
        let changer_child = actor_in("changer", seat, || Puppet::new("changer", &self::journal().0));
        let root = spec().child(changer_child.clone()).start(&system, "top").await.expect("starts");
        let back = changer.clone();
        let it = coming(
            "it",
            &journal,
            ask(move || {
                let back = back.clone();
                async move { told(back.ask(Msg::Life).await) }
            }),
        );
        let (change, note) = (applying(&root, &spec().child(changer_child).child(it)), journal.clone());
        at_once(&system, async {
            let change = wait(move |_, _| {
                Box::pin(async move {
                    note.note(format!("changer: {}", change().await));
                    Ok(())
                })
            });
            changer.tell(change).expect("there is room");
            reader.until("changer: done").await;
        })
        .await;
    }
}

/// Errors are those of the request.
#[tokio::test(start_paused = true)]
async fn whoever_waits_for_itself_hears_it_as_the_error_of_what_it_asked_for() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = by_needs().start(&system, "top").await.expect("starts");
    let inside = root.clone();
    let asks = ask(move || {
        let root = inside.clone();
        async move {
            let would = |error: &Unavailable| matches!(error, Unavailable::WouldDeadlock(_));
            let change = root.apply(by_needs()).await;
            assert!(matches!(change, Err(ApplyError::Unavailable(ref error)) if would(error)), "{change:?}");
            let stop = root.terminate_child("it").await;
            assert!(
                matches!(stop, Err(TerminateChildError::Unavailable(ref error)) if would(error)),
                "{stop:?}"
            );
            let start = root.start_child(task("it", std::future::pending::<()>)).await;
            assert!(
                matches!(start, Err(StartChildError::Unavailable(ref error)) if would(error)),
                "{start:?}"
            );
            format!("{} there", root.count_children().await.expect("it is answered at once").specs)
        }
    });
    soon(root.start_child(coming("it", &journal, asks))).await.expect("it comes up");
    reader.expect(&["it asks", "it: 1 there"]).await;
}

/// Of whether all are ready, too: that waits for those who have to come up before, and not for who has come up and only has to
/// say so, which others may do for it.
#[tokio::test(start_paused = true)]
async fn a_child_that_awaits_from_its_start_that_all_are_ready_is_told() {
    let (system, (journal, mut reader)) = (system(), journal());
    let root = by_needs().start(&system, "top").await.expect("starts");
    let inside = root.clone();
    let asks = ask(move || {
        let root = inside.clone();
        async move { told(root.ready().await) }
    });
    let it = coming("it", &journal, asks.clone()).reports_ready();
    at_once(&system, root.start_child(it)).await.expect("it comes up");
    reader.expect(&["it asks", &format!("it: {}", cycle("top/it -> top -> top/it"))]).await;
    // One that is up waits, and somebody else says that it is ready.
    let root = by_needs().start(&system, "other").await.expect("starts");
    let (up, seat) = system.address();
    let up_child = actor_in("up", seat, || Puppet::new("up", &self::journal().0)).reports_ready();
    root.start_child(up_child).await.expect("it comes up");
    let (says, said) = tokio::sync::oneshot::channel();
    up.tell(act(move |_, context| {
        drop(says.send(context.readiness()));
        Ok(())
    }))
    .expect("there is room");
    let (waiting, note) = (root.clone(), journal.clone());
    up.tell(wait(move |_, _| {
        Box::pin(async move {
            note.note(format!("up: {}", told(waiting.ready().await)));
            Ok(())
        })
    }))
    .expect("there is room");
    turns().await;
    assert_eq!(reader.rest(), [""; 0], "it waits");
    said.await.expect("it says").ready();
    at_once(&system, reader.expect(&["up: done"])).await;
}
