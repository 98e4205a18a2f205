//! Every short sequence of what senders and receiver can do, under every policy, against a plain model: items come out
//! in the order in which they were offered, whether told or sent; the bound holds at each step; the oldest or the newest
//! is dropped as the policy says; and every offer is accounted for.

use super::*;

const LENGTH: u32 = 6;
/// Tell, send, turn away, refill, handle, crash, purge.
const STEPS: u32 = 7;

#[test]
fn every_short_sequence_keeps_the_order_and_accounts_for_everything() {
    let mut sequences = 0;
    for when_full in [WhenFull::Reject, WhenFull::DropOldest, WhenFull::DropNewest] {
        for capacity in [1, 2, 3] {
            for mut code in 0..STEPS.pow(LENGTH) {
                let mut next = || {
                    let step = code % STEPS;
                    code /= STEPS;
                    step
                };
                run(when_full, capacity, &std::array::from_fn(|_| next()));
                sequences += 1;
            }
        }
    }
    assert_eq!(sequences, 3 * 3 * 117_649);
}

/// What must be true of the mailbox.
#[derive(Default)]
struct Model {
    /// Let in and not handled, oldest first.
    inside: VecDeque<u32>,
    handled: Vec<u32>,
    expected: Statistics,
}

impl Model {
    fn let_in(&mut self, item: u32) {
        self.inside.push_back(item);
        self.expected.offered += 1;
        self.expected.accepted += 1;
    }

    fn refused(&mut self) {
        self.expected.offered += 1;
        self.expected.refused += 1;
    }

    /// An offer to a mailbox without room; `batch` of the items inside are out of the senders' reach.
    fn beyond_the_bound(&mut self, when_full: WhenFull, batch: usize, item: u32) -> Result<(), Refused<u32>> {
        match when_full {
            WhenFull::Reject | WhenFull::Wait => {
                self.refused();
                Err(Refused::Full(item))
            }
            WhenFull::DropNewest => {
                self.let_in(item);
                self.inside.pop_back();
                self.expected.dropped += 1;
                Err(Refused::Dropped(item))
            }
            WhenFull::DropOldest => {
                let oldest = self.inside.remove(batch);
                self.let_in(item);
                let Some(oldest) = oldest else { return Ok(()) };
                self.expected.dropped += 1;
                Err(Refused::Dropped(oldest))
            }
        }
    }
}

fn run(when_full: WhenFull, capacity: u32, steps: &[u32; LENGTH as usize]) {
    let mailbox = Mailbox::new(Capacity::of(capacity), when_full);
    let mut receiver = Receiver::default();
    let mut waiting: VecDeque<(u32, Sending<'_, u32>)> = VecDeque::new();
    let mut model = Model::default();
    for (item, step) in (0_u32..).zip(steps) {
        let room = model.inside.len() < capacity as usize && waiting.is_empty();
        match step {
            0 | 1 if room => {
                model.let_in(item);
                let offered = match step {
                    0 => Poll::Ready(mailbox.tell(item)),
                    _ => poll(&mut mailbox.send(item)),
                };
                assert_eq!(offered, Poll::Ready(Ok(())), "{when_full:?} {steps:?}");
            }
            1 if when_full == WhenFull::Reject => {
                let mut sending = mailbox.send(item);
                assert!(poll(&mut sending).is_pending(), "{when_full:?} {steps:?}");
                waiting.push_back((item, sending));
            }
            0 | 1 => {
                let expected = model.beyond_the_bound(when_full, receiver.batch.len(), item);
                let offered = match step {
                    0 => Poll::Ready(mailbox.tell(item)),
                    _ => poll(&mut mailbox.send(item)),
                };
                assert_eq!(offered, Poll::Ready(expected), "{when_full:?} {steps:?}");
            }
            // The one that has waited longest turns away.
            2 => {
                if waiting.pop_front().is_some() {
                    model.refused();
                }
            }
            3 => {
                if receiver.batch.is_empty() {
                    let _ = receiver.refill(&mailbox);
                }
            }
            4 => {
                if receiver.handle(&mailbox) {
                    model.handled.extend(model.inside.pop_front());
                }
                mailbox.admit_when_half_empty();
            }
            // A crash: the rest goes to the next life, or nowhere.
            _ => {
                mailbox.give_back(&mut receiver.batch);
                if *step == 6 {
                    assert_eq!(mailbox.purge(|_| false), model.inside, "{when_full:?} {steps:?}");
                    model.expected.purged += model.inside.len() as u64;
                    model.inside.clear();
                }
            }
        }
        let_in(&mut waiting, &mut model);
        let Model { inside, handled, expected } = &mut model;
        expected.waiting = waiting.len() as u64;
        expected.queued = inside.len() as u64;
        expected.handled = handled.len() as u64;
        let statistics = mailbox.statistics();
        assert_eq!(statistics, *expected, "{when_full:?} {steps:?}");
        assert!(statistics.is_conserved(), "{when_full:?} {steps:?}: {statistics:?}");
        // One more only while the oldest is on its way into the handler's hands.
        let most = u64::from(capacity) + u64::from(when_full == WhenFull::DropOldest);
        assert!(mailbox.len() <= most, "{when_full:?} {steps:?}");
    }
    receiver.drain(&mailbox);
    let_in(&mut waiting, &mut model);
    model.handled.extend(model.inside);
    assert_eq!(receiver.seen, model.handled, "{when_full:?} {steps:?}");
    assert!(receiver.seen.is_sorted(), "{when_full:?} {steps:?}");
    assert!(mailbox.is_empty() && waiting.is_empty(), "{when_full:?} {steps:?}: there is room at last");
}

/// Takes note of who waited and has been let in.
fn let_in(waiting: &mut VecDeque<(u32, Sending<'_, u32>)>, model: &mut Model) {
    while let Some((item, first)) = waiting.front_mut() {
        let Poll::Ready(sent) = poll(first) else { break };
        assert_eq!(sent, Ok(()));
        model.let_in(*item);
        waiting.pop_front();
    }
}
