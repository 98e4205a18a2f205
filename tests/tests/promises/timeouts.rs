//! Time-outs: notices by id, that never come once they are taken back, and that die with their life.

use std::time::Duration;

use minder::TimeoutId;
use minder::prelude::*;

use crate::support::*;

/// Starts time-outs and notes which of them come.
struct Clock {
    journal: Journal,
    started: Vec<TimeoutId>,
}

enum Do {
    Start(u64),
    /// Takes back the one that was started at this place.
    Cancel(usize),
    /// Passes this time without handling anything.
    Dawdle(u64),
    Crash,
}

impl Actor for Clock {
    type Msg = Do;

    async fn handle(&mut self, message: Do, context: &mut Context<Do>) -> Handled {
        match message {
            Do::Start(after) => self.started.push(context.start_timeout(Duration::from_millis(after))),
            Do::Cancel(at) => {
                let running = context.cancel_timeout(self.started[at]);
                self.journal.note(format!("cancel {at} {running}"));
            }
            Do::Dawdle(time) => context.sleep(Duration::from_millis(time)).await,
            Do::Crash => panic!("boom"),
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<Do>) -> Handled {
        if let Notice::Timeout(id) = notice {
            let at = self.started.iter().position(|started| *started == id);
            self.journal.note(format!("timeout {at:?}"));
        }
        Ok(())
    }
}

async fn clock(system: &System) -> (Addr<Do>, Reader) {
    let (journal, reader) = journal();
    let (address, seat) = system.address();
    let make = move || Clock { journal: journal.clone(), started: Vec::new() };
    tolerant(one_for_one()).child(actor_in("clock", seat, make)).start(system, "top").await.expect("starts");
    (address, reader)
}

/// OTP: TMR-001.
#[tokio::test(start_paused = true)]
async fn a_timeout_comes_under_its_id_in_the_order_of_time() {
    let (clock, mut reader) = clock(&system()).await;
    for after in [30, 10, 20] {
        clock.tell(Do::Start(after)).expect("there is room");
    }
    pass(SECOND).await;
    assert_eq!(reader.rest(), ["timeout Some(1)", "timeout Some(2)", "timeout Some(0)"]);
}

/// OTP: TMR-002.
#[tokio::test(start_paused = true)]
async fn what_is_taken_back_never_comes_even_from_the_lane() {
    let (clock, mut reader) = clock(&system()).await;
    for message in [
        Do::Start(10),
        Do::Start(10),
        Do::Start(500),
        Do::Dawdle(100), // the first two stand in the lane by then
        Do::Cancel(0),
        Do::Cancel(2),
        Do::Cancel(2),
    ] {
        clock.tell(message).expect("there is room");
    }
    pass(SECOND).await;
    // The third would have come behind the rest; the second was in the lane before the second order to cancel.
    assert_eq!(reader.rest(), ["cancel 0 true", "cancel 2 true", "cancel 2 false", "timeout Some(1)"]);
    clock.tell(Do::Cancel(1)).expect("there is room");
    reader.expect(&["cancel 1 false"]).await;
}

/// OTP: TMR-003.
#[tokio::test(start_paused = true)]
async fn timeouts_die_with_their_life() {
    let (clock, mut reader) = clock(&system()).await;
    for message in [Do::Start(10), Do::Start(50), Do::Dawdle(20), Do::Crash, Do::Start(100)] {
        clock.tell(message).expect("there is room");
    }
    pass(SECOND).await;
    assert_eq!(reader.rest(), ["timeout Some(0)"], "the next life's own, and no other");
    assert_eq!(clock.id().incarnation(), 2);
}
