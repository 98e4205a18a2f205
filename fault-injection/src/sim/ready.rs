//! Which of the tasks that can run runs next. The only place where a scheduling decision is made.
//!
//! The order in which tasks were woken within one step (one poll, or one move of the clock) is tokio's business and no
//! promise: it is erased by sorting before it can reach a decision.

use std::collections::VecDeque;

/// How the next task is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Whoever was woken first; those woken by the same step in the order of their numbers.
    Fifo,
    /// Drawn from this seed among all that can run.
    Seeded(u64),
}

/// One task: its number, which is never used again in a run, and its place in the slab, which is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Counts the tasks of a run in the order in which they came to life.
    pub(super) number: u32,
    pub(super) slot: u32,
}

/// The tasks that can run.
pub(super) struct Ready {
    /// Empty for [`Policy::Fifo`].
    rng: Option<fastrand::Rng>,
    /// In order of arrival for [`Policy::Fifo`], else in order of their numbers.
    queue: VecDeque<Key>,
}

impl Ready {
    pub(super) fn by(policy: Policy) -> Self {
        let rng = match policy {
            Policy::Fifo => None,
            Policy::Seeded(seed) => Some(fastrand::Rng::with_seed(seed)),
        };
        Self { rng, queue: VecDeque::new() }
    }

    /// Takes in what one step woke; leaves `woken` empty.
    pub(super) fn add(&mut self, woken: &mut Vec<Key>) {
        if woken.len() > 1 {
            woken.sort_unstable();
        }
        for key in woken.drain(..) {
            // Mostly the latest, or the only one.
            if self.rng.is_none() || self.queue.back().is_none_or(|last| *last < key) {
                self.queue.push_back(key);
            } else {
                let at = self.queue.partition_point(|other| *other < key);
                self.queue.insert(at, key);
            }
        }
    }

    /// The next to run.
    pub(super) fn take(&mut self) -> Option<Key> {
        match (&mut self.rng, self.queue.len()) {
            (_, 0) => None,
            // No decision, and none drawn: what cannot differ does not use the seed up.
            (_, 1) | (None, _) => self.queue.pop_front(),
            (Some(rng), ready) => self.queue.remove(rng.usize(..ready)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> Key {
        Key { number, slot: number % 3 }
    }

    fn order(policy: Policy, batches: &[&[u32]]) -> Vec<u32> {
        let mut ready = Ready::by(policy);
        for batch in batches {
            ready.add(&mut batch.iter().copied().map(key).collect());
        }
        std::iter::from_fn(|| ready.take().map(|key| key.number)).collect()
    }

    #[test]
    fn first_come_first_served_and_by_number_within_a_step() {
        let rows: [(&[&[u32]], &[u32]); 4] = [
            (&[], &[]),
            (&[&[3], &[1], &[2]], &[3, 1, 2]),
            (&[&[3, 1, 2]], &[1, 2, 3]),
            (&[&[5, 4], &[9, 0], &[7]], &[4, 5, 0, 9, 7]),
        ];
        for (batches, expected) in rows {
            assert_eq!(order(Policy::Fifo, batches), expected, "{batches:?}");
        }
    }

    #[test]
    fn a_seed_decides_and_the_order_of_waking_does_not() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let drawn = order(Policy::Seeded(seed), &[&[1, 2, 3, 4]]);
            assert_eq!(drawn, order(Policy::Seeded(seed), &[&[4, 2, 1, 3]]), "seed {seed}");
            assert_eq!(drawn, order(Policy::Seeded(seed), &[&[3], &[4, 1], &[2]]), "seed {seed}");
            seen.insert(drawn);
        }
        assert_eq!(seen.len(), 24, "every order of four");
    }
}
