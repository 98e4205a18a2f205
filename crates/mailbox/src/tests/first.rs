//! Items of priority: before everything ordinary, wherever it stands, behind earlier ones of their rank; under the same bound,
//! counted, purged and given back like all others.

use super::*;

/// Has the receiver do what the runtime does: the oldest item of priority stands before its batch.
fn next(mailbox: &Mailbox<u32>, batch: &mut VecDeque<u32>) -> Option<u32> {
    if mailbox.has_first()
        && let Some(item) = mailbox.next_first()
    {
        batch.push_front(item);
    }
    let item = batch.pop_front()?;
    if item.is_counted() {
        mailbox.took_one();
    }
    Some(item)
}

fn refill(mailbox: &Mailbox<u32>, batch: &mut VecDeque<u32>) -> Poll<Ready> {
    mailbox.poll_refill(batch, &mut Context::from_waker(Waker::noop()))
}

#[test]
fn they_overtake_the_batch_and_keep_their_order() {
    let mailbox = Mailbox::new(Capacity::of(10), WhenFull::Reject);
    let mut batch = VecDeque::new();
    for item in [1, 2, 3] {
        assert_eq!(mailbox.tell(item), Ok(()));
    }
    assert!(refill(&mailbox, &mut batch).is_ready());
    assert_eq!(next(&mailbox, &mut batch), Some(1));
    assert_eq!(mailbox.tell(4), Ok(()));
    assert_eq!((mailbox.tell_first(5), mailbox.notify(EXEMPT, Rank::Priority)), (Ok(()), Ok(())));
    assert!(mailbox.needs_attention() && mailbox.has_first() && !mailbox.has_orders());
    assert_eq!(mailbox.len(), 4);
    assert_eq!(next(&mailbox, &mut batch), Some(5));
    assert_eq!(mailbox.tell_first(6), Ok(()), "behind earlier ones");
    assert_eq!([next(&mailbox, &mut batch), next(&mailbox, &mut batch)], [Some(EXEMPT), Some(6)]);
    assert!(!mailbox.needs_attention(), "and nothing more is to be looked at");
    assert_eq!([next(&mailbox, &mut batch), next(&mailbox, &mut batch)], [Some(2), Some(3)]);
    assert!(refill(&mailbox, &mut batch).is_ready());
    assert_eq!(next(&mailbox, &mut batch), Some(4));
    assert!(mailbox.is_empty() && mailbox.statistics().is_conserved());
}

#[test]
fn they_wake_a_receiver_that_is_idle_and_none_that_waits_in_a_handler() {
    let mailbox = Mailbox::new(Capacity::of(10), WhenFull::Reject);
    let (waker, wakes) = counted();
    let mut batch = VecDeque::new();
    let idle = |batch: &mut VecDeque<u32>| mailbox.poll_refill(batch, &mut Context::from_waker(&waker));
    assert!(idle(&mut batch).is_pending());
    assert_eq!((mailbox.tell_first(1), mailbox.tell_first(2), wakes()), (Ok(()), Ok(()), 1));
    assert!(
        idle(&mut batch).is_ready() && batch.is_empty(),
        "it is ready, though there is nothing in the lane"
    );
    assert_eq!([next(&mailbox, &mut batch), next(&mailbox, &mut batch)], [Some(1), Some(2)]);
    let parked = mailbox.park_in_handler(&mut Context::from_waker(&waker), true, false);
    assert!(parked.is_pending());
    assert_eq!((mailbox.tell_first(3), wakes()), (Ok(()), 0));
    let exit = Exit { from: ActorId::new(1, 1), reason: ExitReason::Shutdown };
    mailbox.set_trapping(true);
    mailbox.exit(exit.clone(), Rank::Priority, |_| EXEMPT);
    mailbox.set_trapping(false);
    assert_eq!(wakes(), 0);
    mailbox.exit(exit, Rank::Priority, |_| EXEMPT + 1);
    assert_eq!((wakes(), mailbox.has_orders()), (1, true), "where it is not trapped it is an order as ever");
    assert!(mailbox.next_order().is_some());
    assert_eq!([next(&mailbox, &mut batch), next(&mailbox, &mut batch)], [Some(3), Some(EXEMPT)]);
}

#[test]
fn the_bound_is_the_same() {
    // policy, what comes of one too many, what is handled afterwards
    let rows = [
        (WhenFull::Reject, Err(Refused::Full(9)), vec![1, 2]),
        (WhenFull::Wait, Err(Refused::Full(9)), vec![1, 2]),
        (WhenFull::DropNewest, Err(Refused::Dropped(9)), vec![1, 2]),
        (WhenFull::DropOldest, Err(Refused::Dropped(1)), vec![9, 2]),
    ];
    for (policy, expected, handled) in rows {
        let mailbox = Mailbox::new(Capacity::of(2), policy);
        assert_eq!((mailbox.tell(1), mailbox.tell(2)), (Ok(()), Ok(())));
        assert_eq!(mailbox.tell_first(9), expected, "{policy:?}");
        assert_eq!(mailbox.notify(EXEMPT, Rank::Priority), Ok(()), "what is exempt is exempt");
        let (mut batch, mut seen) = (VecDeque::new(), Vec::new());
        while refill(&mailbox, &mut batch).is_ready() {
            while let Some(item) = next(&mailbox, &mut batch) {
                seen.push(item);
            }
        }
        seen.retain(|item| *item != EXEMPT);
        assert_eq!(seen, handled, "{policy:?}");
        assert!(mailbox.statistics().is_conserved(), "{policy:?}: {:?}", mailbox.statistics());
    }
    // One that is handled first is not dropped to make room.
    let mailbox = Mailbox::new(Capacity::of(1), WhenFull::DropOldest);
    assert_eq!((mailbox.tell_first(1), mailbox.tell(2)), (Ok(()), Ok(())));
    assert_eq!(mailbox.tell(3), Err(Refused::Dropped(2)));
    // And whoever waits for room is not overtaken.
    let mailbox = full(1);
    let mut waiting = Box::pin(mailbox.send(8));
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(mailbox.tell_first(9), Err(Refused::Full(9)));
}

/// Every short sequence of ordinary items and items of priority, told or sent, and of a receiver that takes and handles: under every
/// policy the bound holds at each step; what makes room is ordinary for as long as there is anything ordinary in reach, and the
/// oldest of its rank; nothing overtakes its own rank; and every offer is accounted for.
#[test]
fn no_mixture_of_ranks_breaks_the_bound() {
    const STEPS: usize = 5;
    const LENGTH: u32 = 7;
    for policy in [WhenFull::Reject, WhenFull::Wait, WhenFull::DropOldest, WhenFull::DropNewest] {
        for capacity in [1, 2, 3] {
            for code in 0..STEPS.pow(LENGTH) {
                mix(policy, capacity, (0..LENGTH).map(|at| code / STEPS.pow(at) % STEPS));
            }
        }
    }
}

/// Items of priority have even numbers.
fn mix(policy: WhenFull, capacity: u32, steps: impl Iterator<Item = usize> + Clone) {
    let mailbox = Mailbox::new(Capacity::of(capacity), policy);
    let what = || format!("{policy:?}, {capacity}, {:?}", steps.clone().collect::<Vec<_>>());
    let (mut batch, mut seen, mut waiting) = (VecDeque::new(), Vec::new(), VecDeque::new());
    // What is inside and in reach of senders.
    let (mut lane, mut first) = (VecDeque::new(), VecDeque::new());
    for (number, step) in (0..).zip(steps.clone()) {
        let (ordinary, urgent) = (2 * number + 1, 2 * number);
        let offered = match step {
            0 => Some((ordinary, mailbox.tell(ordinary))),
            1 => Some((urgent, mailbox.tell_first(urgent))),
            2 => {
                let mut sending = mailbox.send(ordinary);
                match poll(&mut sending) {
                    Poll::Ready(sent) => Some((ordinary, sent)),
                    Poll::Pending => {
                        waiting.push_back((ordinary, sending));
                        None
                    }
                }
            }
            3 => {
                if batch.is_empty() && refill(&mailbox, &mut batch).is_ready() {
                    let_in(&mut waiting, &mut lane);
                    batch.iter().for_each(|taken| assert_eq!(lane.pop_front(), Some(*taken), "{}", what()));
                }
                None
            }
            _ => {
                if let Some(item) = next(&mailbox, &mut batch) {
                    if item % 2 == 0 {
                        assert_eq!(first.pop_front(), Some(item), "{}", what());
                    }
                    seen.push(item);
                }
                mailbox.admit_when_half_empty();
                None
            }
        };
        if let Some((item, told)) = offered {
            let own = if item % 2 == 0 { &mut first } else { &mut lane };
            own.push_back(item);
            match told {
                Ok(()) => {}
                Err(Refused::Dropped(dropped)) if policy == WhenFull::DropOldest => {
                    let oldest = lane.pop_front().or_else(|| first.pop_front());
                    assert_eq!(Some(dropped), oldest, "{}", what());
                }
                Err(Refused::Full(back) | Refused::Dropped(back)) => {
                    assert_eq!((back, own.pop_back()), (item, Some(item)), "{}", what());
                }
                Err(Refused::Closed(..)) => unreachable!("nobody closes it"),
            }
        }
        let_in(&mut waiting, &mut lane);
        // One more only while nothing that may be dropped is in reach, or nothing but items of priority.
        let most = u64::from(capacity) + u64::from(policy == WhenFull::DropOldest);
        assert!(mailbox.len() <= most, "{} inside: {}", mailbox.len(), what());
        assert_eq!(mailbox.len() as usize, batch.len() + lane.len() + first.len(), "{}", what());
        assert!(mailbox.statistics().is_conserved(), "{}: {:?}", what(), mailbox.statistics());
    }
    for rank in [0, 1] {
        assert!(seen.iter().filter(|item| **item % 2 == rank).is_sorted(), "{}", what());
    }
}

/// Takes note of who waited and has been let in.
fn let_in(waiting: &mut VecDeque<(u32, Sending<'_, u32>)>, lane: &mut VecDeque<u32>) {
    while let Some((item, sending)) = waiting.front_mut()
        && poll(sending).is_ready()
    {
        lane.push_back(*item);
        waiting.pop_front();
    }
}

/// A flood of priority alone; the mailbox once grew by each of them where the oldest makes room.
#[test]
fn a_flood_of_priority_stays_within_the_bound() {
    for (policy, kept) in [
        (WhenFull::Reject, [0, 1, 2, 3]),
        (WhenFull::Wait, [0, 1, 2, 3]),
        (WhenFull::DropOldest, [96, 97, 98, 99]),
        (WhenFull::DropNewest, [0, 1, 2, 3]),
    ] {
        let mailbox = Mailbox::new(Capacity::of(4), policy);
        for item in 0..100 {
            drop(mailbox.tell_first(item));
        }
        assert_eq!(mailbox.len(), 4, "{policy:?}");
        assert_eq!(std::iter::from_fn(|| mailbox.next_first()).collect::<Vec<_>>(), kept, "{policy:?}");
    }
}

#[test]
fn between_two_lives_they_are_like_all_others() {
    let filled = || {
        let mailbox = Mailbox::new(Capacity::of(10), WhenFull::Reject);
        assert_eq!((mailbox.tell(1), mailbox.tell_first(2), mailbox.tell_first(3)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(mailbox.notify(EXEMPT, Rank::Priority), Ok(()));
        mailbox
    };
    let mailbox = filled();
    mailbox.reset();
    assert_eq!(mailbox.extract(|item| *item >= EXEMPT), [EXEMPT]);
    assert_eq!(mailbox.purge_those(|item| *item == 2), [2]);
    let mut batch = VecDeque::new();
    assert!(refill(&mailbox, &mut batch).is_ready());
    assert_eq!(
        [next(&mailbox, &mut batch), next(&mailbox, &mut batch)],
        [Some(3), Some(1)],
        "kept for the next"
    );
    assert_eq!((mailbox.statistics().purged, mailbox.statistics().is_conserved()), (1, true));
    let mailbox = filled();
    assert_eq!(mailbox.purge(|first| *first == 1), [2, 3, EXEMPT], "what was in hand may stay");
    assert_eq!((mailbox.len(), mailbox.statistics().purged), (1, 2));
    let mailbox = filled();
    assert_eq!(mailbox.begin_epoch(), [2, 3, EXEMPT, 1]);
    assert!(mailbox.is_empty() && mailbox.statistics().is_conserved());
    assert!(mailbox.next_first().is_none() && !mailbox.needs_attention());
    let mailbox = filled();
    assert_eq!(mailbox.close(ExitReason::Normal), [2, 3, EXEMPT, 1]);
    assert!(matches!(mailbox.tell_first(4), Err(Refused::Closed(4, ExitReason::Normal))));
    assert_eq!(mailbox.notify(4, Rank::Priority), Err(4));
    assert!(mailbox.statistics().is_conserved());
}

#[test]
fn whoever_looks_through_them_puts_back_what_is_left() {
    let mailbox = Mailbox::new(Capacity::of(10), WhenFull::Reject);
    assert_eq!((mailbox.tell(1), mailbox.tell_first(2), mailbox.tell_first(3)), (Ok(()), Ok(()), Ok(())));
    let (mut batch, mut first) = (VecDeque::new(), VecDeque::new());
    let (waker, wakes) = counted();
    mailbox.take_lane(&mut batch, &mut first, &waker);
    assert_eq!((&batch, &first), (&VecDeque::from([1]), &VecDeque::from([2, 3])));
    assert_eq!((mailbox.tell_first(4), wakes()), (Ok(()), 1), "and is told of more");
    first.pop_front();
    mailbox.took_one();
    mailbox.give_back_first(first);
    assert_eq!([next(&mailbox, &mut batch), next(&mailbox, &mut batch)], [Some(3), Some(4)]);
    assert_eq!(next(&mailbox, &mut batch), Some(1));
    assert!(!mailbox.needs_attention() && mailbox.statistics().is_conserved());
}
