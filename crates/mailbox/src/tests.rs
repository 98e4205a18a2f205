//! The mailbox by itself: polled by hand, without an executor.

mod alarm;
mod first;
mod sequences;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use minder_signals::{ActorId, Control, Exit, ExitReason};

use crate::{Capacity, Left, Mailbox, Queued, Rank, Ready, Refused, Sending, Statistics, WhenFull};

impl Queued for u32 {
    fn is_counted(&self) -> bool {
        *self < EXEMPT
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waker, and how often it was used since the last look.
fn counted() -> (Waker, impl Fn() -> usize) {
    let wakes = Arc::new(Wakes::default());
    (wakes.clone().into(), move || wakes.0.swap(0, Ordering::Relaxed))
}

fn poll(sending: &mut Sending<'_, u32>) -> Poll<Result<(), Refused<u32>>> {
    Pin::new(sending).poll(&mut Context::from_waker(Waker::noop()))
}

/// The receiver: takes the whole lane, handles one at a time.
#[derive(Default)]
struct Receiver {
    batch: VecDeque<u32>,
    seen: Vec<u32>,
}

/// Items from here on are exempt from the bound.
const EXEMPT: u32 = 1000;

impl Receiver {
    fn refill(&mut self, mailbox: &Mailbox<u32>) -> Poll<Ready> {
        mailbox.poll_refill(&mut self.batch, &mut Context::from_waker(Waker::noop()))
    }

    fn handle(&mut self, mailbox: &Mailbox<u32>) -> bool {
        let Some(item) = self.batch.pop_front() else { return false };
        if item.is_counted() {
            mailbox.took_one();
        }
        self.seen.push(item);
        true
    }

    fn drain(&mut self, mailbox: &Mailbox<u32>) {
        loop {
            while self.handle(mailbox) {}
            if self.refill(mailbox).is_pending() {
                return;
            }
        }
    }
}

fn full(capacity: u32) -> Mailbox<u32> {
    let mailbox = Mailbox::new(Capacity::of(capacity), WhenFull::Reject);
    for item in 0..capacity {
        assert_eq!(mailbox.tell(item), Ok(()));
    }
    mailbox
}

#[test]
fn the_bound_counts_the_unhandled_rest_of_a_batch_and_what_is_given_back() {
    let mailbox = full(3);
    let mut receiver = Receiver::default();
    assert_eq!(mailbox.tell(9), Err(Refused::Full(9)));
    assert_eq!(receiver.refill(&mailbox), Poll::Ready(Ready::Items));
    assert_eq!((mailbox.tell(9), mailbox.len()), (Err(Refused::Full(9)), 3), "taken, not handled");
    assert!(receiver.handle(&mailbox));
    assert_eq!((mailbox.tell(3), mailbox.tell(9)), (Ok(()), Err(Refused::Full(9))));
    mailbox.give_back(&mut receiver.batch);
    assert_eq!((mailbox.tell(9), mailbox.len()), (Err(Refused::Full(9)), 3), "given back");
    receiver.drain(&mailbox);
    assert_eq!((receiver.seen, mailbox.is_empty()), (vec![0, 1, 2, 3], true));
}

#[test]
fn exempt_items_keep_their_place_and_do_not_count() {
    let mailbox = full(1);
    assert_eq!(mailbox.notify(EXEMPT, Rank::Ordinary), Ok(()));
    assert_eq!((mailbox.len(), mailbox.tell(9)), (1, Err(Refused::Full(9))));
    let mut receiver = Receiver::default();
    receiver.drain(&mailbox);
    assert_eq!(mailbox.tell(1), Ok(()));
    receiver.drain(&mailbox);
    assert_eq!(receiver.seen, [0, EXEMPT, 1]);
}

#[test]
fn a_waiting_send_is_let_in_by_the_receiver_and_told_so() {
    let mailbox = full(1);
    let (waker, wakes) = counted();
    let mut sending = mailbox.send(1);
    assert!(Pin::new(&mut sending).poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(mailbox.needs_attention() && !mailbox.has_orders());
    let mut receiver = Receiver::default();
    receiver.drain(&mailbox);
    assert_eq!((&*receiver.seen, wakes()), (&[0, 1][..], 1), "let in before its task has run again");
    assert_eq!(poll(&mut sending), Poll::Ready(Ok(())));
    assert!(!mailbox.needs_attention());
}

#[test]
fn a_send_that_turns_away_is_not_delivered_and_makes_way() {
    let mailbox = full(1);
    let (mut first, mut second) = (mailbox.send(1), mailbox.send(2));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    assert_eq!(first.withdraw(), Some(1));
    assert_eq!(first.withdraw(), None);
    drop(first);
    let mut receiver = Receiver::default();
    receiver.drain(&mailbox);
    assert_eq!((&*receiver.seen, poll(&mut second)), (&[0, 2][..], Poll::Ready(Ok(()))));
    assert_eq!(second.withdraw(), None, "it is in the mailbox, or was");
}

#[test]
fn closing_gives_everything_back() {
    let mailbox = full(2);
    let (waker, wakes) = counted();
    let mut waiting = mailbox.send(5);
    assert!(Pin::new(&mut waiting).poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!((mailbox.closed(), mailbox.len()), (None, 2));
    assert_eq!(mailbox.close(ExitReason::Shutdown), [0, 1]);
    assert_eq!(wakes(), 1, "who waits is told");
    let closed = |item| Refused::Closed(item, ExitReason::Shutdown);
    assert_eq!(poll(&mut waiting), Poll::Ready(Err(closed(5))));
    assert_eq!(mailbox.tell(6), Err(closed(6)));
    assert_eq!(mailbox.notify(7, Rank::Ordinary), Err(7));
    assert_eq!(pin!(mailbox.send(8)).poll(&mut Context::from_waker(&waker)), Poll::Ready(Err(closed(8))));
    assert_eq!(mailbox.close(ExitReason::Killed), []);
    assert_eq!((mailbox.closed(), mailbox.len()), (Some(ExitReason::Shutdown), 0), "the first reason stands");
}

#[test]
fn orders_overtake_items_and_keep_their_own_order() {
    let mailbox = full(2);
    let mut receiver = Receiver::default();
    let exit = || Exit { from: ActorId::new(1, 1), reason: ExitReason::Killed };
    mailbox.exit(exit(), Rank::Ordinary, |_| EXEMPT);
    mailbox.order(Control::Kill);
    assert!(mailbox.needs_attention() && mailbox.has_orders());
    assert_eq!(receiver.refill(&mailbox), Poll::Ready(Ready::Orders));
    assert_eq!(mailbox.next_order(), Some(Control::Exit(exit())));
    assert!(mailbox.has_orders());
    assert_eq!(mailbox.next_order(), Some(Control::Kill));
    assert_eq!((mailbox.next_order(), mailbox.needs_attention()), (None, false));

    assert!(!mailbox.set_trapping(true));
    mailbox.exit(exit(), Rank::Ordinary, |_| EXEMPT);
    mailbox.order(Control::Kill);
    mailbox.reset();
    assert!(!mailbox.has_orders() && !mailbox.is_trapping(), "both were the last life's");
    receiver.drain(&mailbox);
    assert_eq!(receiver.seen, [0, 1, EXEMPT], "trapped, it is an item");
}

#[test]
fn who_is_woken_by_what() {
    let mailbox = Mailbox::new(Capacity::of(1), WhenFull::Reject);
    let (waker, wakes) = counted();
    let context = &mut Context::from_waker(&waker);
    let mut batch = VecDeque::new();
    assert!(mailbox.poll_refill(&mut batch, context).is_pending());
    assert_eq!(
        (mailbox.tell(1), mailbox.notify(EXEMPT, Rank::Ordinary), wakes()),
        (Ok(()), Ok(()), 1),
        "idle: once"
    );
    assert_eq!(mailbox.poll_refill(&mut batch, context), Poll::Ready(Ready::Items));
    mailbox.took_one();
    // Inside a handler only an order counts.
    assert!(mailbox.park_in_handler(context, false, false).is_pending());
    assert_eq!((mailbox.tell(2), wakes()), (Ok(()), 0));
    mailbox.order(Control::Kill);
    assert_eq!((wakes(), mailbox.park_in_handler(context, false, false)), (1, Poll::Ready(Ready::Orders)));
    assert_eq!(mailbox.next_order(), Some(Control::Kill));
    // And who waits for room that is there is let in by one that suspends.
    let mut sending = mailbox.send(3);
    assert!(poll(&mut sending).is_pending());
    mailbox.took_one();
    assert!(mailbox.park_in_handler(context, false, false).is_pending());
    assert_eq!(poll(&mut sending), Poll::Ready(Ok(())));
}

#[test]
fn between_two_messages_who_waits_is_let_in_for_half_of_the_room() {
    let mailbox = full(4);
    let mut sendings: Vec<_> = (4..8).map(|item| mailbox.send(item)).collect();
    assert!(sendings.iter_mut().all(|sending| poll(sending).is_pending()));
    let mut receiver = Receiver::default();
    assert_eq!(receiver.refill(&mailbox), Poll::Ready(Ready::Items));
    let mut let_in = Vec::new();
    for _ in 0..4 {
        receiver.handle(&mailbox);
        mailbox.admit_when_half_empty();
        if receiver.seen.len() < 4 {
            assert_eq!(mailbox.tell(99), Err(Refused::Full(99)), "others wait, room or not");
        }
        let before = sendings.len();
        sendings.retain_mut(|sending| poll(sending).is_pending());
        let_in.push(before - sendings.len());
    }
    assert_eq!(let_in, [0, 2, 0, 2]);
    receiver.drain(&mailbox);
    assert_eq!(receiver.seen, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn what_the_mailbox_holds_is_seen_wherever_it_stands() {
    let mailbox = full(2);
    for (item, rank) in [(EXEMPT, Rank::Ordinary), (EXEMPT + 1, Rank::Priority)] {
        assert!(!mailbox.holds(|held| *held == item));
        assert_eq!(mailbox.notify(item, rank), Ok(()));
        assert!(mailbox.holds(|held| *held == item));
    }
    assert!(mailbox.holds(|held| *held == 1) && !mailbox.holds(|held| *held == 2));
}

#[test]
fn extracting_takes_what_is_asked_for_and_keeps_the_order() {
    let mailbox = full(2);
    for item in [EXEMPT, EXEMPT + 1] {
        assert_eq!(mailbox.notify(item, Rank::Ordinary), Ok(()));
    }
    assert_eq!(mailbox.tell(9), Err(Refused::Full(9)));
    assert_eq!(mailbox.extract(|item| *item == 7), []);
    assert_eq!(mailbox.extract(|item| *item >= EXEMPT), [EXEMPT, EXEMPT + 1]);
    let mut receiver = Receiver::default();
    receiver.drain(&mailbox);
    assert_eq!(receiver.seen, [0, 1]);
}

#[test]
fn an_order_that_was_not_looked_at_can_be_taken_back() {
    let mailbox: Mailbox<u32> = Mailbox::new(Capacity::default(), WhenFull::default());
    mailbox.order(Control::Kill);
    mailbox.order(Control::Stop(ExitReason::Shutdown));
    mailbox.retract(|order| *order == Control::Kill);
    assert!(mailbox.has_orders());
    assert_eq!(mailbox.next_order(), Some(Control::Stop(ExitReason::Shutdown)));
    mailbox.order(Control::Kill);
    mailbox.retract(|_| true);
    assert!(!mailbox.has_orders() && !mailbox.needs_attention());
    assert_eq!(mailbox.next_order(), None);
}

#[test]
fn dropping_the_oldest_passes_over_notices_and_reaches_everything_that_is_not_in_hand() {
    let mailbox = Mailbox::new(Capacity::of(2), WhenFull::DropOldest);
    let mut receiver = Receiver::default();
    assert_eq!(mailbox.notify(EXEMPT, Rank::Ordinary), Ok(()));
    assert_eq!((mailbox.tell(1), mailbox.tell(2)), (Ok(()), Ok(())));
    assert_eq!(mailbox.tell(3), Err(Refused::Dropped(1)));
    assert_eq!(receiver.refill(&mailbox), Poll::Ready(Ready::Items));
    assert_eq!(receiver.batch, [EXEMPT], "one at a time: the rest stays within reach");
    receiver.handle(&mailbox);
    assert_eq!(mailbox.tell(4), Err(Refused::Dropped(2)));
    receiver.drain(&mailbox);
    assert_eq!(receiver.seen, [EXEMPT, 3, 4]);
    let Statistics { offered, accepted, dropped, handled, .. } = mailbox.statistics();
    assert_eq!((offered, accepted, dropped, handled), (4, 4, 2, 2));
}

#[test]
fn what_the_receiver_took_and_did_not_handle_is_told_apart() {
    let mailbox = full(6);
    let mut receiver = Receiver::default();
    assert_eq!(receiver.refill(&mailbox), Poll::Ready(Ready::Items));
    let hows = [Left::Skipped, Left::Expired, Left::Crashed, Left::Quarantined];
    for how in hows {
        receiver.handle(&mailbox);
        mailbox.count(how);
    }
    receiver.handle(&mailbox);
    assert!(mailbox.park_in_handler(&mut Context::from_waker(Waker::noop()), true, false).is_pending());
    let Statistics { skipped, expired, crashed, quarantined, in_hand, handled, queued, .. } =
        mailbox.statistics();
    assert_eq!([skipped, expired, crashed, quarantined, in_hand, handled, queued], [1, 1, 1, 1, 1, 0, 1]);
    // It was interrupted and will be delivered again.
    mailbox.untake_one();
    receiver.batch.push_front(4);
    mailbox.give_back(&mut receiver.batch);
    let again = mailbox.statistics();
    assert_eq!((again.in_hand, again.handled, again.queued, again.accepted), (0, 0, 2, 6));
    assert_eq!(mailbox.close(ExitReason::Shutdown), [4, 5]);
    assert_eq!(mailbox.tell(7), Err(Refused::Closed(7, ExitReason::Shutdown)));
    let last = mailbox.statistics();
    assert_eq!((last.stopped, last.queued, last.offered, last.refused), (2, 0, 7, 1));
    assert!(last.is_conserved(), "{last:?}");
}

#[test]
fn a_new_epoch_purges_what_is_older_and_lets_in_who_waited() {
    let mailbox = full(2);
    let mut waiting = mailbox.send(2);
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(mailbox.begin_epoch(), [0, 1]);
    assert_eq!(poll(&mut waiting), Poll::Ready(Ok(())), "let in afterwards, and younger");
    let Statistics { epoch, purged, queued, accepted, .. } = mailbox.statistics();
    assert_eq!((epoch, purged, queued, accepted), (1, 2, 1, 3));
}

#[test]
fn a_purge_spares_the_first_if_it_was_in_hand() {
    let mailbox = full(3);
    assert_eq!(mailbox.notify(EXEMPT, Rank::Ordinary), Ok(()));
    assert_eq!(mailbox.purge(|first| *first == 0), [1, 2, EXEMPT]);
    assert_eq!((mailbox.len(), mailbox.statistics().purged), (1, 2));
    assert_eq!(mailbox.purge(|first| *first == 7), [0]);
    assert_eq!(mailbox.purge(|_| true), []);
    assert!(mailbox.statistics().is_conserved());
}

#[test]
fn a_try_that_goes_on_to_wait_is_one_offer() {
    let mailbox = full(1);
    assert_eq!(mailbox.try_tell(1), Err(Refused::Full(1)));
    let mut waiting = mailbox.send(1);
    assert!(poll(&mut waiting).is_pending());
    drop(waiting);
    assert_eq!(mailbox.try_tell(2), Err(Refused::Full(2)));
    mailbox.count_refused();
    assert_eq!(mailbox.tell(3), Err(Refused::Full(3)));
    let Statistics { offered, refused, waiting, .. } = mailbox.statistics();
    assert_eq!((offered, refused, waiting), (4, 3, 0));
}

#[test]
fn what_senders_touch_shares_no_cache_line_with_what_the_receiver_touches() {
    const LINE: usize = 64;
    let mailbox = Mailbox::<u32>::new(Capacity::default(), WhenFull::Reject);
    let (written, read) = mailbox.lock().words_of_senders();
    let (read_by_receiver, written_by_receiver) = mailbox.words_of_receiver();
    // Wherever the allocator puts it: a distance of a line is enough, less is not.
    assert!(read_by_receiver - written >= LINE);
    assert!(written_by_receiver - written >= LINE && written_by_receiver - read >= LINE);
}
