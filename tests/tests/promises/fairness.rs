//! A flooded actor does not keep others from their turn, on one thread.

use std::sync::{Arc, Mutex};

use minder::prelude::*;
use minder::{Capacity, MailboxOptions};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn two_flooded_actors_take_turns() {
    const MANY: usize = 10_000;
    let system = system();
    let turns_taken: Arc<Mutex<Vec<char>>> = Arc::default();
    let mut flooded = Vec::new();
    for name in ['a', 'b'] {
        let options = MailboxOptions { capacity: Capacity::UNBOUNDED, ..MailboxOptions::default() };
        let (it, seat) = system.address_with(options);
        for _ in 0..MANY {
            let turns_taken = turns_taken.clone();
            it.tell(act(move |_, _| {
                turns_taken.lock().expect("not poisoned").push(name);
                Ok(())
            }))
            .expect("there is no bound");
        }
        flooded.push((it, seat));
    }
    let [(a, seat_a), (b, seat_b)] = flooded.try_into().unwrap_or_else(|_| unreachable!("two were made"));
    let start = |seat| system.start(seat, "it", || Puppet::new("it", &journal().0));
    let (first, second) = tokio::join!(start(seat_a), start(seat_b));
    first.and(second).expect("both start");
    assert_eq!((life(&a).await, life(&b).await), (1, 1));
    let taken = turns_taken.lock().expect("not poisoned").clone();
    assert_eq!(taken.len(), 2 * MANY);
    // Until one is done the other gets a turn after a few hundred messages at most.
    let done = taken.iter().rposition(|&name| name == 'a').min(taken.iter().rposition(|&name| name == 'b'));
    let both = &taken[..=done.expect("both had their turns")];
    let longest = both.chunk_by(|x, y| x == y).map(<[char]>::len).max().expect("there were turns");
    assert!(longest <= 1024, "{longest} in a row");
    assert!(both.chunk_by(|x, y| x == y).count() > 10, "they took turns");
}

#[tokio::test(start_paused = true)]
async fn one_that_floods_itself_for_ever_can_be_asked_past_and_stopped() {
    let system = system();
    let flood = system.spawn(|| Puppet::new("flood", &journal().0)).expect("open");
    let other = system.spawn(|| Puppet::new("other", &journal().0)).expect("open");
    fn again(left: u32) -> Msg {
        act(move |_, context| {
            assert_ne!(left, 0, "nobody else ever got a turn");
            context.tell_self(again(left - 1));
            Ok(())
        })
    }
    flood.tell(again(1_000_000)).expect("there is room");
    assert_eq!(life(&other).await, 1);
    assert_eq!(life(&flood).await, 1, "its own messages do not starve others'");
    assert!(flood.is_alive());
    assert!(system.shutdown(SECOND).await.is_clean());
    assert_eq!(soon(flood.ended()).await, ExitReason::Shutdown);
}
