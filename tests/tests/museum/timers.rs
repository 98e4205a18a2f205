//! Timers that outlived their actor, kept it alive, or blocked the world.

use minder::prelude::*;
use minder::{MailboxOptions, Missed, WhenFull};
use minder_fault_injection::testkit::Kit;

use crate::support::*;

/// Notes a tick every second, by an interval, or by a timer that it sets again at each.
struct Clock {
    notes: Notes,
    interval: bool,
}

impl Clock {
    fn new(notes: &Notes, interval: bool) -> Self {
        Self { notes: notes.clone(), interval }
    }
}

impl Actor for Clock {
    type Msg = bool;

    async fn started(&mut self, context: &mut Context<bool>) -> Handled {
        if self.interval {
            context.send_every(SECOND, Missed::Skip, || true);
        } else {
            context.send_after(SECOND, true);
        }
        Ok(())
    }

    async fn handle(&mut self, goes_on: bool, context: &mut Context<bool>) -> Handled {
        if !goes_on {
            return Err(Plain("stopped").into());
        }
        self.notes.add("tick");
        if !self.interval {
            context.send_after(SECOND, true);
        }
        Ok(())
    }
}

/// sunli829/xactor#29, sunli829/xactor#38 and lambdaclass/spawned#123: timers went on when their actor had stopped, so that after
/// a restart, which set them anew, everything came twice, and once more for each restart. Here a timer belongs to the life
/// that set it and is gone before anybody hears of its end; a message of it that was on its way is thrown away, too.
#[minder_fault_injection::test(seeds = 50)]
async fn xactor_29_after_a_restart_every_timer_fires_twice(kit: Kit) {
    let (notes, interval) = (Notes::default(), one_in(&kit, 2));
    let its = notes.clone();
    let it = kit.supervise("it", move || Clock::new(&its, interval)).await;
    for _ in 0..5 {
        kit.advance(2 * SECOND + less_than(&kit, 1_000)).await;
        match kit.random() % 3 {
            0 => it.tell(false).expect("there is room"),
            1 => kit.crash(&it).await,
            _ => kit.kill(&it).await,
        }
        kit.settle().await;
        notes.take();
        kit.advance(10 * SECOND).await;
        assert_eq!(notes.take().len(), 10, "one each second, of one life");
    }
    kit.shutdown().await;
    notes.take();
    kit.advance(HOUR).await;
    assert_eq!(notes.take(), Vec::<String>::new(), "and none after the last");
}

/// actix/actix#285: an actor with a repeating timer never ended: neither when nobody had its address any more nor when its
/// parent had stopped. Here a timer keeps nobody alive: an actor ends with its minder, and its timers with it.
#[minder_fault_injection::test(seeds = 20)]
async fn actix_285_a_timer_keeps_its_actor_alive(kit: Kit) {
    let system = System::new().expect("in a simulation");
    let (notes, ticks) = (Notes::default(), Notes::default());
    let (its, clocks) = (notes.clone(), ticks.clone());
    let parent = system.spawn(move || {
        Player::new("parent", &its).at_start(move |context| {
            let ticks = clocks.clone();
            context.spawn("clock", move || Clock::new(&ticks, true))?;
            Ok(())
        })
    });
    let parent = parent.expect("it is open");
    kit.advance(5 * SECOND).await;
    assert_eq!((ticks.take().len(), system.living()), (5, 2));
    parent.tell(end(ExitReason::Normal)).expect("there is room");
    kit.settle().await;
    assert_eq!(system.living(), 0, "the clock ends with its parent");
    kit.advance(HOUR).await;
    assert_eq!(ticks.take(), Vec::<String>::new());
}

/// lightninglabs/wavelength#394: timers were delivered by one actor for all, which waited for room where a mailbox was full; while
/// it waited nobody had their timers. Here a timer puts its message into its own actor's lane, past the bound, and
/// waits for nobody: a full actor has it as soon as it comes to it, and all others in time.
#[minder_fault_injection::test(seeds = 20)]
async fn wavelength_394_a_timer_for_a_full_mailbox_stops_all_timers(kit: Kit) {
    let (it, seat) = kit.system().address_with(MailboxOptions::bounded(1, WhenFull::Reject));
    let (notes, ticks) = (Notes::default(), Notes::default());
    let its = notes.clone();
    kit.start(one_for_one().child(actor_in("it", seat, move || Player::new("it", &its)))).await;
    let clocks = ticks.clone();
    kit.supervise("clock", move || Clock::new(&clocks, true)).await;
    let busy = wait(|_, context| {
        Box::pin(async move {
            context.send_after(SECOND, Msg::Mark(2));
            context.sleep(10 * SECOND).await;
            Ok(())
        })
    });
    it.tell(busy).expect("there is room");
    kit.settle().await;
    it.tell(Msg::Mark(1)).expect("there is room for one");
    assert!(it.tell(Msg::Mark(0)).is_err(), "it is full");
    kit.advance(9 * SECOND).await;
    assert_eq!((notes.marks("it"), ticks.take().len()), (vec![], 9), "it is busy, and the clock ticks");
    kit.advance(2 * SECOND).await;
    assert_eq!(notes.marks("it"), [1, 2], "in the order in which they came");
}
