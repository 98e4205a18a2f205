//! An order that comes while a handler runs, and is obeyed when it suspends, hides no cycle.

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context as TaskContext, Waker};

use minder::prelude::*;
use minder::{ActorRef, MailboxOptions, Recipe, StartOptions};

use crate::asks::text;
use crate::support::*;

type Act = Box<dyn FnOnce(&mut Context<Deed>) + Send>;

struct Deed(Act);

/// Does what it is told, in a thread of its own: also while a handler elsewhere is in the middle of a step.
struct Elsewhere;

impl LocalActor for Elsewhere {
    type Msg = Deed;

    async fn handle(&mut self, Deed(deed): Deed, context: &mut Context<Deed>) -> Handled {
        deed(context);
        Ok(())
    }
}

/// What `a` is told, which asks `b` while that waits for it, if its minder does this to it just before it suspends.
async fn told_after(traps: bool, order: fn(&ActorRef, &mut Context<Deed>)) -> Vec<String> {
    let system = system();
    let (journal, mut reader) = journal();
    let minder = system.spawn_local(|| Elsewhere).expect("open");
    let note = journal.clone();
    let puppet = move || {
        let puppet = Puppet::new("a", &note);
        if traps { puppet.trapping() } else { puppet }
    };
    let (tell, told) = mpsc::channel();
    let start = Deed(Box::new(move |context| {
        let recipe = Recipe::own_seat(puppet, MailboxOptions::default());
        let started = context.start(&recipe, StartOptions::named("a")).expect("it starts");
        tell.send(started).expect("the test waits");
    }));
    minder.tell(start).expect("there is room");
    let child = told.recv().expect("it is started");
    let a: Addr<Msg> = child.address().expect("a puppet");
    reader.expect(&["a up"]).await;
    let b = named_with(&system, "b", &journal, MailboxOptions::default()).await;
    reader.expect(&["b up"]).await;
    // What `a` is to do waits, and behind it what `b` asks.
    assert!(a.suspend());
    turns().await;
    let to_b = b.clone();
    a.tell(wait(move |puppet, _| {
        let (tell, told) = mpsc::channel();
        let deed = Deed(Box::new(move |context| {
            order(&child, context);
            tell.send(()).expect("it waits");
        }));
        minder.tell(deed).expect("there is room");
        told.recv().expect("it is ordered");
        Box::pin(async move {
            let asked = to_b.ask(Msg::Life).await;
            puppet.note(text(&asked));
            Ok(())
        })
    }))
    .expect("there is room");
    let to_a = a.clone();
    let asks = wait(move |_, _| {
        Box::pin(async move {
            let _ = to_a.ask(Msg::Life).await;
            Ok(())
        })
    });
    b.tell(asks).expect("there is room");
    turns().await;
    assert!(a.resume());
    turns().await;
    reader.rest()
}

/// While there is an order nobody takes it that its actor is stuck: once it has been obeyed, somebody has to look again.
#[tokio::test]
async fn an_order_that_comes_just_before_an_actor_suspends_hides_no_cycle() {
    type Order = fn(&ActorRef, &mut Context<Deed>);
    let rows: [(&str, bool, Order, &[&str]); 4] = [
        ("resume", false, |a, _| assert!(a.sys().resume()), &[]),
        (
            "a request to its machinery",
            false,
            |a, _| {
                let sys = a.sys();
                assert!(pin!(sys.status()).poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
            },
            &[],
        ),
        (
            "a normal exit of somebody else",
            false,
            |a, context| {
                let a: Addr<Msg> = a.address().expect("a puppet");
                assert!(context.exit(&a, ExitReason::Normal));
            },
            &[],
        ),
        ("a stop", true, |a, context| context.stop_child(a, ExitReason::Shutdown), &["a stopping shutdown"]),
    ];
    for (what, traps, order, then) in rows {
        let told = told_after(traps, order).await;
        let is_told = |line: &String| line.starts_with("a would deadlock: ") && line.contains("/a -> b -> ");
        assert!(told.first().is_some_and(is_told), "{what}: {told:?}");
        assert_eq!(told[1..], *then, "{what}");
    }
}
