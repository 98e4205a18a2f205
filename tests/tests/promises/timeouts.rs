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
    /// Starts one of idleness.
    StartIdle(u64),
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
            Do::StartIdle(after) => {
                self.started.push(context.start_idle_timeout(Duration::from_millis(after)));
            }
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

/// OTP: GS-014.
#[tokio::test(start_paused = true)]
async fn an_idle_timeout_comes_only_if_nothing_else_does() {
    use Do::{Cancel, Dawdle, Start, StartIdle};
    type Row = (&'static str, fn() -> Vec<(u64, Do)>, &'static [&'static str]);
    // what it is; messages, each so many milliseconds after the one before; what comes
    let rows: &[Row] = &[
        ("nothing comes", || vec![(0, StartIdle(100))], &["timeout Some(0)"]),
        ("it comes once", || vec![(0, StartIdle(100)), (500, Dawdle(0))], &["timeout Some(0)"]),
        ("a message comes", || vec![(0, StartIdle(100)), (50, Dawdle(0))], &[]),
        ("one comes that is slow", || vec![(0, StartIdle(100)), (50, Dawdle(200))], &[]),
        ("a message waits already", || vec![(0, StartIdle(0)), (0, Dawdle(0))], &[]),
        ("zero", || vec![(0, StartIdle(0))], &["timeout Some(0)"]),
        ("started again", || vec![(0, StartIdle(100)), (50, StartIdle(100))], &["timeout Some(1)"]),
        (
            "a notice comes, of a time-out that is none of idleness",
            || vec![(0, Start(50)), (0, StartIdle(100))],
            &["timeout Some(0)"],
        ),
        ("taken back", || vec![(0, StartIdle(100)), (50, Cancel(0))], &["cancel 0 true"]),
        ("others stay", || vec![(0, Start(100)), (0, StartIdle(200)), (50, Dawdle(0))], &["timeout Some(0)"]),
    ];
    for (case, messages, expected) in rows {
        let system = system();
        let (clock, mut reader) = clock(&system).await;
        for (after, message) in messages() {
            if after > 0 {
                pass(Duration::from_millis(after)).await;
            }
            clock.tell(message).expect("there is room");
        }
        pass(SECOND).await;
        assert_eq!(reader.rest(), *expected, "{case}");
    }
}

/// Hears of idleness from its start on, and starts to wait again for it after each message that says so.
struct Idler(Journal);

impl Actor for Idler {
    type Msg = bool;

    async fn started(&mut self, context: &mut Context<bool>) -> Handled {
        context.start_idle_timeout(SECOND);
        Ok(())
    }

    async fn handle(&mut self, again: bool, context: &mut Context<bool>) -> Handled {
        if again {
            context.start_idle_timeout(SECOND);
            context.start_idle_timeout(2 * SECOND); // the last one counts
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<bool>) -> Handled {
        if let Notice::Timeout(_) = notice {
            self.0.note(format!("idle at {}", context.now().since_start().as_secs()));
        }
        Ok(())
    }
}

/// OTP: GS-014.
#[test]
fn from_the_start_on_and_as_often_as_it_is_started_again() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let idlers: [Addr<bool>; 2] = std::array::from_fn(|_| {
            let journal = journal.clone();
            system.spawn(move || Idler(journal)).expect("open")
        });
        idlers[1].tell(false).expect("there is room"); // this one is not idle
        pass(3 * SECOND).await;
        assert_eq!(reader.rest(), ["idle at 1"]);
        idlers[1].tell(true).expect("there is room");
        pass(3 * SECOND).await;
        assert_eq!(reader.rest(), ["idle at 5"]);
    });
}
