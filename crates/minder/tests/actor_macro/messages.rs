//! The messages themselves: boxes, copies for redelivery, names, and methods that are compiled only sometimes.

use minder::prelude::*;

use crate::support::{minded, system};

struct Store {
    bytes: usize,
}

/// What can be copied, and has no other traits.
#[derive(Clone, PartialEq, Debug)]
struct Key(u8);

#[actor(derive(PartialEq), slot = 64, msg = StoreOrder, prefix = Store)]
impl Store {
    #[boxed]
    #[idempotent]
    fn write(&mut self, block: [u8; 1024], key: Key) -> usize {
        let _ = key;
        self.bytes += block.len();
        self.bytes
    }

    #[idempotent]
    fn read(&self, key: Key) -> Key {
        key
    }

    #[idempotent]
    fn size(&self) -> usize {
        self.bytes
    }

    #[idempotent]
    #[tell]
    fn forget(&mut self, key: Key) {
        let _ = key;
        self.bytes = 0;
    }

    fn erase(&mut self, key: Key) {
        let _ = key;
        self.bytes = 0;
    }

    #[cfg(any())]
    fn erase(&mut self, never: DoesNotExist) {}

    #[plain]
    fn helper() -> Store {
        Store { bytes: 0 }
    }

    #[message(StoreAll)]
    fn r#type(&self, r#match: u8) -> u8 {
        r#match
    }
}

#[tokio::test(start_paused = true)]
async fn fat_messages_are_boxed() {
    let (system, _) = system();
    let store = minded(&system, Store::helper).await;
    assert!(size_of::<StoreOrder>() <= 64, "{}", size_of::<StoreOrder>());
    assert_eq!(store.write([7; 1024], Key(1)).await, Ok(1024));
    store.tell(StoreWrite { block: [8; 1024], key: Key(2) }).expect("there is room");
    assert_eq!(store.size().await, Ok(2048));
    assert_eq!(store.r#type(9).await, Ok(9));
}

#[tokio::test(start_paused = true)]
async fn idempotent_messages_have_copies() {
    let rows: [(StoreOrder, bool); 5] = [
        (StoreWrite { block: [0; 1024], key: Key(1) }.into(), true),
        (StoreRead { key: Key(2) }.into(), true),
        (StoreSize.into(), true),
        (StoreForget { key: Key(3) }.into(), true),
        (StoreErase { key: Key(4) }.into(), false),
    ];
    for (order, expected) in rows {
        let copy = Store::redelivery(&order);
        assert_eq!(copy.as_ref().map(StoreOrder::name), expected.then_some(order.name()));
    }
}

/// Takes a message and its copy apart, and says what is done with their replies.
async fn with_copy(
    act: impl Fn(Reply<Key>, Reply<Key>) + Copy + Send + 'static,
) -> Result<Key, AskError<StoreOrder>> {
    struct Crash<F>(F);
    impl<F: Fn(Reply<Key>, Reply<Key>) + Send + 'static> Actor for Crash<F> {
        type Msg = StoreOrder;
        async fn handle(&mut self, order: StoreOrder, _: &mut Context<StoreOrder>) -> Handled {
            let copy = Store::redelivery(&order).expect("it is idempotent");
            match (order, copy) {
                (StoreOrder::StoreRead(one, reply), StoreOrder::StoreRead(other, twin))
                    if one.key == other.key =>
                {
                    (self.0)(reply, twin);
                }
                _ => panic!("no copy"),
            }
            Ok(())
        }
    }
    let (system, _) = system();
    let crash = system.spawn(move || Crash(act)).expect("the system runs");
    crash.read(Key(3)).await
}

#[tokio::test(start_paused = true)]
async fn a_copy_answers_the_same_ask() {
    let answered = with_copy(|reply, twin| {
        drop(reply);
        twin.send(Key(1)).expect("it is still waited for");
    });
    assert_eq!(answered.await, Ok(Key(1)));
    let answered = with_copy(|reply, twin| {
        drop(twin);
        reply.send(Key(2)).expect("it is still waited for");
    });
    assert_eq!(answered.await, Ok(Key(2)));
    let answered = with_copy(|reply, twin| {
        reply.send(Key(3)).expect("it is waited for");
        assert_eq!(twin.send(Key(4)), Err(Key(4)));
    });
    assert_eq!(answered.await, Ok(Key(3)));
    assert_eq!(with_copy(|reply, twin| drop((reply, twin))).await, Err(AskError::NoReply));
}

/// Nothing to say to.
struct Mute;

#[actor]
impl Mute {}

/// Everything but messages.
struct Busy;

#[actor]
impl Busy {
    const LIMIT: u32 = 3;

    fn started(&mut self) {
        assert_eq!(Self::LIMIT, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn an_actor_may_have_no_messages() {
    let (system, _) = system();
    let mute = minded(&system, || Mute).await;
    assert!(mute.is_alive());
    let busy = system.spawn(|| Busy).expect("the system runs");
    assert!(busy.kill());
}
