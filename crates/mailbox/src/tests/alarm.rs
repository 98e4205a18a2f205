//! A mailbox that is long is told of once, and again when it is short.

use std::sync::Mutex;

use super::*;
use crate::{Marks, Watch};

/// Writes down what it is told: how many items, and whether they are many.
#[derive(Default)]
struct Told(Mutex<Vec<(u64, bool)>>);

impl Watch for Told {
    fn passed(self: Arc<Self>, items: u64, is_long: bool) {
        self.0.lock().expect("nobody panics in here").push((items, is_long));
    }
}

impl Told {
    fn take(&self) -> Vec<(u64, bool)> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics in here"))
    }
}

fn watched(capacity: Capacity, when_full: WhenFull, long: u64, short: u64) -> (Mailbox<u32>, Arc<Told>) {
    let (mailbox, told) = (Mailbox::new(capacity, when_full), Arc::new(Told::default()));
    mailbox.watch(Marks { long, short }, told.clone());
    (mailbox, told)
}

/// Offers so many; how many were let in.
fn offer(mailbox: &Mailbox<u32>, items: usize) -> usize {
    (0..items).filter(|_| mailbox.tell(1) == Ok(())).count()
}

#[test]
fn it_is_told_of_when_it_passes_the_upper_mark_and_when_it_is_at_the_lower_one() {
    // bound, long, short; how many are offered, let in; told
    type Row = (Capacity, u64, u64, usize, usize, &'static [(u64, bool)]);
    let rows: &[Row] = &[
        (Capacity::of(100), 10, 5, 10, 10, &[]),
        (Capacity::of(100), 10, 5, 11, 11, &[(10, true)]),
        (Capacity::of(100), 10, 5, 200, 100, &[(10, true)]),
        (Capacity::of(10), 10, 5, 11, 10, &[(10, true)]),
        (Capacity::of(10), 50, 49, 10, 10, &[]),
        (Capacity::of(10), 50, 49, 12, 10, &[(10, true)]), // the bound in place of the mark
        (Capacity::UNBOUNDED, 0, 0, 1, 1, &[]),
        (Capacity::UNBOUNDED, 0, 0, 2, 2, &[(1, true)]), // taken as 1
    ];
    for &(capacity, long, short, offered, let_in, expected) in rows {
        let case = format!("{capacity:?} {long} {short} {offered}");
        let (mailbox, told) = watched(capacity, WhenFull::Reject, long, short);
        assert_eq!((offer(&mailbox, offered), told.take()), (let_in, expected.to_vec()), "{case}");
        Receiver::default().drain(&mailbox);
        let again = if expected.is_empty() { vec![] } else { vec![(0, false)] };
        assert_eq!(told.take(), again, "{case}");
        offer(&mailbox, offered);
        assert_eq!(told.take(), *expected, "{case}: the mark holds again");
    }
}

#[test]
fn one_that_stays_between_the_marks_is_told_of_once() {
    let (mailbox, told) = watched(Capacity::of(100), WhenFull::Reject, 10, 5);
    let mut receiver = Receiver::default();
    offer(&mailbox, 12);
    assert_eq!(told.take(), [(10, true)]);
    for _ in 0..5 {
        // The rest of a batch counts, too.
        let _ = receiver.refill(&mailbox);
        while receiver.handle(&mailbox) && mailbox.len() > 6 {}
        mailbox.give_back(&mut receiver.batch);
        assert_eq!(receiver.refill(&mailbox), Poll::Ready(Ready::Items));
        mailbox.give_back(&mut receiver.batch);
        offer(&mailbox, 6);
        assert_eq!(told.take(), []);
    }
    receiver.drain(&mailbox);
    assert_eq!(told.take(), [(0, false)]);
}

#[test]
fn so_are_those_that_drop_items_and_those_where_senders_wait() {
    for when_full in [WhenFull::DropOldest, WhenFull::DropNewest] {
        let (mailbox, told) = watched(Capacity::of(5), when_full, 100, 2);
        let dropped = (0..20).filter(|_| mailbox.tell(1) != Ok(())).count();
        assert_eq!((dropped, told.take()), (15, vec![(5, true)]), "{when_full:?}");
        Receiver::default().drain(&mailbox);
        let at = if when_full == WhenFull::DropOldest { 2 } else { 0 }; // it takes one at a time
        assert_eq!(told.take(), [(at, false)], "{when_full:?}");
    }
    let (mailbox, told) = watched(Capacity::of(2), WhenFull::Wait, 2, 1);
    let mut waiting: Vec<_> = (0..3).map(|item| Box::pin(mailbox.send(item))).collect();
    let polled = |waiting: &mut Vec<Pin<Box<Sending<'_, u32>>>>| {
        waiting.iter_mut().map(|sending| poll(sending).is_ready()).collect::<Vec<_>>()
    };
    assert_eq!(polled(&mut waiting), [true, true, false]);
    assert_eq!(told.take(), [(2, true)]);
    let mut receiver = Receiver::default();
    receiver.drain(&mailbox);
    assert_eq!((receiver.seen, told.take()), (vec![0, 1, 2], vec![(1, false)]), "the third came in first");
    // What is exempt does not count.
    (0..20).for_each(|_| assert_eq!(mailbox.notify(EXEMPT, Rank::Ordinary), Ok(())));
    assert_eq!((offer(&mailbox, 2), told.take()), (2, vec![]));
}
