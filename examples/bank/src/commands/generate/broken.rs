//! Lines that are no transfers, in ten ways, spread over the file. For tests of those who read it.
//! The names are those that the reader has for the fault; see `input`.

use fastrand::Rng;

use crate::transfers::Transfer;

/// A line, without its end, made of a transfer.
type Spoil = fn(&Transfer) -> Vec<u8>;

/// What a line can have.
pub(super) const KINDS: [(&str, Spoil); 10] = [
    ("fields", |t| format!("{},{},{}", t.id, t.from.0, t.to.0).into()),
    ("empty", |t| format!("{},,{},{}", t.id, t.to.0, t.cents).into()),
    ("not_an_id", |t| format!("{},{},{},{}", &t.id.to_string()[1..], t.from.0, t.to.0, t.cents).into()),
    ("not_an_account", |t| format!("{},{}x,{},{}", t.id, t.from.0, t.to.0, t.cents).into()),
    ("account_too_large", |t| format!("{},{},4294967296,{}", t.id, t.from.0, t.cents).into()),
    ("negative", |t| format!("{},{},{},-{}", t.id, t.from.0, t.to.0, t.cents).into()),
    ("not_whole", |t| format!("{},{},{},{}.50", t.id, t.from.0, t.to.0, t.cents).into()),
    ("cents_too_large", |t| format!("{},{},{},18446744073709551616", t.id, t.from.0, t.to.0).into()),
    ("not_text", |t| {
        let mut line = format!("{},{},{},{}", t.id, t.from.0, t.to.0, t.cents).into_bytes();
        line[0] = 0xff;
        line
    }),
    ("open_quote", |t| format!("\"{},{},{},{}", t.id, t.from.0, t.to.0, t.cents).into()),
];

/// Which lines are broken: one at random of each of as many equal stretches.
#[derive(Debug)]
pub(super) struct Places {
    rng: Rng,
    count: u64,
    broken: u64,
    nth: u64,
    next: Option<u64>,
}

impl Places {
    /// So many of so many, which must not be fewer.
    pub(super) fn new(seed: u64, count: u64, broken: u64) -> Self {
        let mut places = Self { rng: Rng::with_seed(!seed), count, broken, nth: 0, next: None };
        places.next = places.place();
        places
    }

    /// The how-manieth broken line the one at `index` is, from 0. Ask for all indices, in order.
    pub(super) fn broken_at(&mut self, index: u64) -> Option<usize> {
        if self.next != Some(index) {
            return None;
        }
        let nth = usize::try_from(self.nth).unwrap_or(usize::MAX);
        self.nth += 1;
        self.next = self.place();
        Some(nth)
    }

    fn place(&mut self) -> Option<u64> {
        let start = |nth: u64| u128::from(self.count) * u128::from(nth) / u128::from(self.broken.max(1));
        if self.nth == self.broken {
            return None;
        }
        // Both are at most the count, which is 64 bits.
        let (first, end) = (start(self.nth) as u64, start(self.nth + 1) as u64);
        Some(self.rng.u64(first..end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_asked_for_and_spread() {
        for (count, broken) in [(1_000, 50), (7, 7), (7, 3), (10, 1), (10, 0)] {
            let mut places = Places::new(1, count, broken);
            let found: Vec<u64> = (0..count).filter(|&index| places.broken_at(index).is_some()).collect();
            assert_eq!(found.len() as u64, broken, "{count}: {found:?}");
            assert!(found.windows(2).all(|w| w[1] - w[0] <= 2 * count.div_ceil(broken)), "{found:?}");
        }
    }
}
