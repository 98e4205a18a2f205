//! Between which accounts: all alike, a few far more than the others, or one in half of everything.
//! Payer and payee are two accounts of one partition, so that the bank may apply the transfer.

use fastrand::Rng;

use crate::accounts::AccountId;

/// How transfers are spread over the accounts.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every account alike.
    Uniform,
    /// Zipf's law: account 0 twice as often as 1, three times as often as 2, and so on, on both sides.
    Zipf,
    /// Account 0 pays or is paid in half of all transfers; the others alike.
    Hot,
}

/// Chooses accounts of a bank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    shape: Shape,
    accounts: u32,
    partitions: u32,
}

impl Choice {
    /// For a bank of a shape that can be: each partition has two accounts or more.
    pub(super) fn new(shape: Shape, accounts: u32, partitions: u16) -> Self {
        Self { shape, accounts, partitions: u32::from(partitions) }
    }

    /// A payer and a payee.
    pub(super) fn pair(&self, rng: &mut Rng) -> (AccountId, AccountId) {
        let (one, other) = match self.shape {
            Shape::Uniform => self.uniform(rng),
            Shape::Zipf => self.zipf(rng),
            Shape::Hot if rng.bool() => {
                let hot = (0, self.another_of(0, rng));
                if rng.bool() { hot } else { (hot.1, hot.0) }
            }
            Shape::Hot => self.uniform(rng),
        };
        (AccountId(one), AccountId(other))
    }

    fn uniform(&self, rng: &mut Rng) -> (u32, u32) {
        let from = rng.u32(..self.accounts);
        (from, self.another_of(from, rng))
    }

    /// Another account of the same partition, all alike.
    fn another_of(&self, account: u32, rng: &mut Rng) -> u32 {
        let (partition, place) = (account % self.partitions, account / self.partitions);
        let peers = self.peers(partition);
        let step = 1 + rng.u32(..peers - 1);
        partition + self.partitions * ((place + step) % peers)
    }

    fn zipf(&self, rng: &mut Rng) -> (u32, u32) {
        let from = zipf_rank(self.accounts, rng);
        let (partition, place) = (from % self.partitions, from / self.partitions);
        let peers = self.peers(partition);
        let rank = zipf_rank(peers, rng);
        let other = if rank == place { (rank + 1) % peers } else { rank };
        (from, partition + self.partitions * other)
    }

    /// How many accounts a partition has.
    fn peers(&self, partition: u32) -> u32 {
        (self.accounts - partition).div_ceil(self.partitions)
    }
}

/// A rank below `ranks`, the `k`-th of them with a weight of 1/k.
///
/// Draws from the continuous 1/x, whose share of rank k is ln(1 + 1/k), and rejects as much of it as is too much: at
/// most 3 in 10.
fn zipf_rank(ranks: u32, rng: &mut Rng) -> u32 {
    loop {
        let x = (f64::from(ranks) + 1.0).powf(rng.f64());
        let rank = x.floor().clamp(1.0, f64::from(ranks));
        let wanted = 1.0 / rank;
        if rng.f64() < std::f64::consts::LN_2 * wanted / wanted.ln_1p() {
            return rank as u32 - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each account is a payer, and how often one of the two, in a hundred thousand pairs.
    fn counts(shape: Shape, accounts: u32, partitions: u16) -> (Vec<u32>, Vec<u32>) {
        let choice = Choice::new(shape, accounts, partitions);
        let mut rng = Rng::with_seed(1);
        let mut payers = vec![0; accounts as usize];
        let mut either = payers.clone();
        for _ in 0..100_000 {
            let (from, to) = choice.pair(&mut rng);
            assert!(from != to && from.partition(partitions) == to.partition(partitions), "{from} {to}");
            payers[from.0 as usize] += 1;
            either[from.0 as usize] += 1;
            either[to.0 as usize] += 1;
        }
        (payers, either)
    }

    #[test]
    fn pairs_stay_within_a_partition_in_every_bank() {
        for shape in [Shape::Uniform, Shape::Zipf, Shape::Hot] {
            for (accounts, partitions) in [(2, 1), (8, 4), (9, 4), (7, 3), (1000, 4)] {
                counts(shape, accounts, partitions);
            }
        }
    }

    #[test]
    fn shapes_have_their_shares() {
        let near = |count: u32, share: f64| (f64::from(count) / 100_000.0 / share - 1.0).abs() < 0.06;
        let (payers, either) = counts(Shape::Uniform, 100, 2);
        assert!(payers.iter().all(|&n| (800..1200).contains(&n)), "{payers:?}");
        assert!(either.iter().all(|&n| (1700..2300).contains(&n)), "{either:?}");

        let (payers, _) = counts(Shape::Zipf, 100, 2);
        let harmonic: f64 = (1..=100).map(|k| 1.0 / f64::from(k)).sum();
        for k in [1, 2, 3, 10] {
            assert!(near(payers[k - 1], 1.0 / (k as f64 * harmonic)), "{k}: {payers:?}");
        }

        let (payers, either) = counts(Shape::Hot, 100, 2);
        // Half of all, and 2 in 100 of the other half.
        assert!(near(either[0], 0.51) && near(payers[0], 0.255), "{} {}", either[0], payers[0]);
    }
}
