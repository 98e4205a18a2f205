//! References that pointed at somebody who was not there any more, or no longer the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minder::groups::{Group, Groups};
use minder::prelude::*;
use minder_fault_injection::testkit::Kit;

use crate::support::*;

/// tqwewe/kameo#392 and tqwewe/kameo#377: a reference from before a restart still reached the mailbox, but its kill went to the
/// old task and its other handles to the old life, so that it looked right and controlled nobody. Here an address points
/// at the seat, and whatever is done through it, however old it is, is done to the life that sits there now.
#[minder_fault_injection::test(seeds = 20)]
async fn kameo_392_a_reference_goes_stale_after_a_restart(kit: Kit) {
    let notes = Notes::default();
    let its = notes.clone();
    let it = kit.supervise("it", move || Player::new("it", &its)).await;
    let recipient = it.recipient::<Msg>();
    let ended = kit.spawn("waits for the end", {
        let it = it.clone();
        async move { it.ended().await }
    });
    for generation in 2..12 {
        assert!(it.kill(), "it kills the life that is there");
        kit.settle().await;
        assert_eq!((it.id().incarnation(), it.is_alive()), (generation, true));
        assert_eq!(it.ask(Msg::Life).await.ok(), Some(generation));
        recipient.tell(Msg::Mark(generation)).expect("there is room");
    }
    let mut watcher = kit.probe::<()>("watcher").await;
    watcher.monitor(&it).await;
    it.kill();
    let Notice::Down(down) = watcher.next_notice().await else { panic!("it is told") };
    assert_eq!((down.actor.incarnation(), down.reason), (11, ExitReason::Killed));
    assert_eq!(notes.marks("it"), (2..12).collect::<Vec<_>>());
    kit.shutdown().await;
    assert_eq!(ended.await, Ok(ExitReason::Shutdown), "it waited over all of them for the end of the seat");
}

/// What a root tells a group, which crashes whoever hears it.
#[derive(Clone)]
struct Foo;

/// Joins its group in each life, and crashes of every message.
struct Member {
    group: Group<Foo>,
    heard: Arc<AtomicU32>,
}

impl Actor for Member {
    type Msg = Foo;

    async fn started(&mut self, context: &mut Context<Foo>) -> Handled {
        self.group.join(context)?;
        Ok(())
    }

    async fn handle(&mut self, Foo: Foo, _: &mut Context<Foo>) -> Handled {
        self.heard.fetch_add(1, Ordering::Relaxed);
        panic!("heard it")
    }
}

/// bastion-rs/bastion#287: a child that crashed of a message and was restarted could not be reached any more by those who had
/// known it before: one message arrived, and no other ever. Here a name for many is looked up at each message, and each
/// life joins by itself, so that all of them arrive, each at a life of its own.
#[minder_fault_injection::test(seeds = 50)]
async fn bastion_287_a_restarted_actor_cannot_be_reached(kit: Kit) {
    let (groups, keeper) = Groups::new(kit.system());
    let group = groups.group::<Foo>("other");
    let heard = Arc::new(AtomicU32::new(0));
    let (its, counts) = (group.clone(), heard.clone());
    let (it, seat) = kit.address();
    let spec = one_for_one().limit(1_000, SECOND);
    let keeping = spec.clone().child(actor_in("groups", keeper, groups.keeper()));
    kit.start(keeping).await;
    let member = move || Member { group: its.clone(), heard: counts.clone() };
    kit.start(spec.child(actor_in("it", seat, member))).await;
    for round in 1..=10 {
        let broadcast = group.broadcast(&Foo);
        assert_eq!((broadcast.told, broadcast.refused.len()), (1, 0), "round {round}");
        kit.settle().await;
        assert_eq!((heard.load(Ordering::Relaxed), kit.generation(&it)), (round, round + 1));
    }
}

/// Watches another actor and, as soon as it has ended, sends it something.
struct Heir {
    other: Addr<Msg>,
    refused: Notes,
}

impl Actor for Heir {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.monitor(&self.other);
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<()>) -> Handled {
        if matches!(notice, Notice::Down(_)) {
            if let Err(error) = self.other.tell(Msg::Mark(1)) {
                self.refused.add(error.to_string());
            }
            if self.other.is_alive() {
                context.monitor(&self.other);
            }
        }
        Ok(())
    }
}

/// elfo-rs/elfo#177: whoever heard that an actor had terminated, and sent it a message to bring it back, was told that the
/// mailbox was closed: the news came before the next life could be reached. Here the mailbox outlives each life, so that
/// what is sent in the very moment of the news waits for the next one.
#[minder_fault_injection::test(seeds = 200)]
async fn elfo_177_the_news_of_an_end_comes_before_its_successor_can_be_reached(kit: Kit) {
    let notes = Notes::default();
    let its = notes.clone();
    let it = kit.supervise("it", move || Player::new("it", &its)).await;
    let refused = Notes::default();
    let (other, errors) = (it.clone(), refused.clone());
    kit.supervise("heir", move || Heir { other: other.clone(), refused: errors.clone() }).await;
    it.tell(crash()).expect("there is room");
    kit.advance(SECOND).await;
    assert_eq!(refused.all(), Vec::<String>::new());
    assert_eq!((notes.marks("it"), kit.generation(&it)), (vec![1], 2));
}

/// p2panda/p2panda#921: an actor that was restarted had lost its state, and those who worked with it could not even find out
/// that there had been a restart, until a channel turned out to be broken. Here the state from before the message that
/// crashed can be kept by the factory, and whoever watches hears of the end, and of which life it was.
#[minder_fault_injection::test(seeds = 20)]
async fn p2panda_921_a_restart_loses_the_state_and_nobody_can_tell(kit: Kit) {
    #[derive(Clone, Default)]
    struct Streams(Vec<u32>);
    enum Do {
        Open(u32),
        List(Reply<Vec<u32>>),
        Crash,
    }
    impl Actor for Streams {
        type Msg = Do;
        async fn handle(&mut self, message: Do, _: &mut Context<Do>) -> Handled {
            match message {
                Do::Open(stream) => self.0.push(stream),
                Do::List(reply) => drop(reply.send(self.0.clone())),
                Do::Crash => {
                    self.0.clear();
                    panic!("half done");
                }
            }
            Ok(())
        }
    }
    let it = kit.supervise("it", minder::state::last_good(Streams::default)).await;
    let mut user = kit.probe::<()>("user").await;
    for round in 1..=5 {
        user.monitor(&it).await;
        it.tell(Do::Open(round)).expect("there is room");
        it.tell(Do::Crash).expect("there is room");
        let Notice::Down(down) = user.next_notice().await else { panic!("it is told") };
        assert_eq!((down.actor.incarnation(), short(&down.reason)), (round, "panic half done".into()));
        assert_eq!(it.ask(Do::List).await.expect("it answers"), (1..=round).collect::<Vec<_>>());
        assert_eq!(it.id().incarnation(), round + 1, "and it can be seen that it is another life");
    }
}
