//! What the clients ask for, from a seed: every item follows from (seed, client, index) alone.
//! Mostly transfers that are fine, some that must be refused, some ids again, some ids with other fields.
//! An item says what its client may expect, and only where that is certain.

use fastrand::Rng;

use crate::accounts::AccountId;
use crate::config::{BadShape, BankConfig};
use crate::outcomes::{Answer, Outcome, Refusal};
use crate::transfers::{Transfer, TransferId};

/// How far back a client repeats itself: it need remember only so many of its last answers.
pub const MEMORY: usize = 16;

/// The millisecond that ids begin with unless said otherwise, so that equal seeds make equal ids.
pub const START_MS: u64 = 1_764_000_000_000;

/// The work of a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Where all choices come from.
    pub seed: u64,
    /// How many items there are in all.
    pub count: u64,
    /// How many clients share them.
    pub clients: u32,
    /// How many accounts the bank has.
    pub accounts: u32,
    /// How many partitions look after them.
    pub partitions: u16,
    /// The millisecond in the first id of each client; the next has the next.
    pub start_ms: u64,
    /// Whether ids are without any order instead: what the store is slowest with.
    pub random_ids: bool,
}

impl Workload {
    /// The work of a run on a bank of this shape.
    ///
    /// # Errors
    /// [`BadShape`] if there can be no such bank, and so no transfer within a partition.
    pub fn new(seed: u64, count: u64, clients: u32, bank: &BankConfig) -> Result<Self, BadShape> {
        bank.check()?;
        let &BankConfig { accounts, partitions, .. } = bank;
        Ok(Self { seed, count, clients, accounts, partitions, start_ms: START_MS, random_ids: false })
    }

    /// One client's share. The first clients have one item more if the count does not divide evenly.
    pub fn client(&self, client: u32) -> ClientWorkload {
        let clients = u64::from(self.clients.max(1));
        let count = self.count / clients + u64::from(u64::from(client) < self.count % clients);
        ClientWorkload { run: *self, client, count, next: 0 }
    }
}

/// What one client asks for, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientWorkload {
    run: Workload,
    client: u32,
    count: u64,
    next: u64,
}

/// One thing that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its place among the client's items, from 0.
    pub index: u64,
    /// What to send.
    pub transfer: Transfer,
    /// What must come back.
    pub expected: Expected,
}

/// What a client is sure of beforehand, if it sends one item at a time, in order, each until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Applied, or refused for lack of money: that depends on the other clients.
    AppliedOrOverdraft,
    /// Refused, and for this reason.
    Refused(Refusal),
    /// The same answer as the client's item of this index, at most [`MEMORY`] before.
    SameAs(u64),
    /// A conflict: the id is taken by other fields.
    Conflict,
    /// Nothing certain: whoever made the item says nothing about it.
    Anything,
}

impl Expected {
    /// Whether `answer` may be; `earlier` gives the client's answer to one of its last [`MEMORY`] items.
    pub fn allows(self, answer: Answer, earlier: impl FnOnce(u64) -> Option<Answer>) -> bool {
        match (self, answer) {
            (Self::AppliedOrOverdraft, Answer::Outcome(outcome)) => {
                matches!(
                    outcome,
                    Outcome::Applied { .. } | Outcome::Refused { reason: Refusal::Overdraft, .. }
                )
            }
            (Self::Refused(expected), Answer::Outcome(Outcome::Refused { reason, .. })) => expected == reason,
            (Self::SameAs(index), Answer::Outcome(_)) => earlier(index) == Some(answer),
            (Self::Conflict, Answer::Conflict) | (Self::Anything, _) => true,
            _ => false,
        }
    }
}

/// What sort of item stands at an index. In a thousand: see [`ClientWorkload::kind`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Overdraft,
    UnknownAccount,
    SameAccount,
    ZeroAmount,
    OtherPartition,
    Repeat,
    Conflict,
}

impl ClientWorkload {
    /// How many items this client has in all.
    pub fn share(&self) -> u64 {
        self.count
    }

    /// The item at `index`, which may be beyond the client's share.
    pub fn item(&self, index: u64) -> Item {
        let earlier = || (0..index).rev().take(MEMORY).filter(|&i| self.is_fresh(i));
        let kind = self.kind(index);
        let (transfer, expected) = match kind {
            Kind::Repeat | Kind::Conflict => {
                let reach = 1 + self.rng(index, 2).usize(..MEMORY);
                match earlier().take(reach).last() {
                    None => self.fresh(index, Kind::Plain),
                    Some(of) if kind == Kind::Repeat => (self.item(of).transfer, Expected::SameAs(of)),
                    Some(of) => (self.changed(self.item(of).transfer, index), Expected::Conflict),
                }
            }
            kind => self.fresh(index, kind),
        };
        Item { index, transfer, expected }
    }

    fn kind(&self, index: u64) -> Kind {
        match self.rng(index, 1).u32(..1000) {
            0..20 => Kind::Overdraft,
            20..30 => Kind::UnknownAccount,
            30..40 => Kind::SameAccount,
            40..50 => Kind::ZeroAmount,
            50..60 if self.run.partitions > 1 => Kind::OtherPartition,
            60..90 => Kind::Repeat,
            90..100 => Kind::Conflict,
            _ => Kind::Plain,
        }
    }

    /// Whether the item at `index` surely brings an id of its own, and may be repeated.
    fn is_fresh(&self, index: u64) -> bool {
        !matches!(self.kind(index), Kind::Repeat | Kind::Conflict)
    }

    /// A transfer with an id of its own.
    fn fresh(&self, index: u64, kind: Kind) -> (Transfer, Expected) {
        let mut rng = self.rng(index, 3);
        let partitions = u32::from(self.run.partitions);
        let accounts = self.run.accounts;
        let from = rng.u32(..accounts);
        // The accounts of the payer's partition are `partition + k * partitions` for k below `peers`.
        let partition = from % partitions;
        let peers = (accounts - partition).div_ceil(partitions);
        let step = 1 + rng.u32(..peers - 1);
        let to = partition + (from / partitions + step) % peers * partitions;
        let cents = 1 + rng.u64(..5_000);
        let id = if self.run.random_ids {
            TransferId(rng.u128(..))
        } else {
            TransferId::new(self.run.start_ms.wrapping_add(index), self.client, index + 1)
        };
        let fine = Transfer { id, from: AccountId(from), to: AccountId(to), cents };
        let refused = |reason, transfer| (transfer, Expected::Refused(reason));
        match kind {
            Kind::Overdraft => {
                refused(Refusal::Overdraft, Transfer { cents: u64::MAX - rng.u64(..5_000), ..fine })
            }
            Kind::UnknownAccount => {
                let nobody = AccountId(partition + (peers + rng.u32(..100)) * partitions);
                let unknown = if rng.bool() {
                    Transfer { to: nobody, ..fine }
                } else {
                    Transfer { from: nobody, ..fine }
                };
                refused(Refusal::UnknownAccount, unknown)
            }
            Kind::SameAccount => refused(Refusal::SameAccount, Transfer { to: fine.from, ..fine }),
            Kind::ZeroAmount => refused(Refusal::ZeroAmount, Transfer { cents: 0, ..fine }),
            Kind::OtherPartition => {
                // The next account has another partition, also at the wrap if the step is taken downwards.
                let other = if from + 1 < accounts { from + 1 } else { from - 1 };
                refused(Refusal::OtherPartition, Transfer { to: AccountId(other), ..fine })
            }
            Kind::Plain | Kind::Repeat | Kind::Conflict => (fine, Expected::AppliedOrOverdraft),
        }
    }

    /// Another transfer under the same id: other cents, or another payee, or another payer, who may live elsewhere.
    fn changed(&self, of: Transfer, index: u64) -> Transfer {
        let mut rng = self.rng(index, 4);
        let other = |id: AccountId| AccountId((id.0 + 1) % self.run.accounts);
        match rng.u32(..3) {
            0 => Transfer { cents: of.cents.wrapping_add(1), ..of },
            1 => Transfer { to: other(of.to), ..of },
            _ => Transfer { from: other(of.from), ..of },
        }
    }

    /// Choices of one sort about one item, the same in every run.
    fn rng(&self, index: u64, sort: u64) -> Rng {
        let mut state = self.run.seed;
        for word in [u64::from(self.client), index, sort] {
            state = mix(state ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        Rng::with_seed(state)
    }
}

impl Iterator for ClientWorkload {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.next >= self.count {
            return None;
        }
        self.next += 1;
        Some(self.item(self.next - 1))
    }
}

/// The finalizer of splitmix64: near seeds become far states.
pub(crate) fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::books::Books;

    fn run(seed: u64, accounts: u32, partitions: u16) -> Workload {
        Workload::new(seed, 10_000, 3, &BankConfig::new(accounts, partitions)).expect("the shape is fine")
    }

    #[test]
    fn follows_from_seed_client_and_index() {
        let work = run(1, 100, 4);
        let all: Vec<Item> = work.client(0).collect();
        assert_eq!(all.len(), 3334);
        assert_eq!((0..3).map(|c| work.client(c).share()).sum::<u64>(), 10_000);
        assert_eq!(all[77], work.client(0).item(77));
        assert_ne!(all[77], work.client(1).item(77));
        assert_ne!(all[77], run(2, 100, 4).client(0).item(77));
        let ids: Vec<u128> =
            (0..100).filter(|&i| work.client(0).is_fresh(i)).map(|i| all[i as usize].transfer.id.0).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "ids are in the order of time");
    }

    #[test]
    fn random_ids_have_no_order_but_follow_from_the_seed() {
        let work = Workload { random_ids: true, ..run(1, 100, 4) };
        let ids = |work: &Workload| -> Vec<TransferId> {
            let client = work.client(0);
            (0..100).filter(|&i| client.is_fresh(i)).map(|i| client.item(i).transfer.id).collect()
        };
        let ordered = ids(&run(1, 100, 4));
        let random = ids(&work);
        assert_eq!(random, ids(&work));
        let rises = |ids: &[TransferId]| ids.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert_eq!(rises(&ordered), ordered.len() - 1);
        assert!((30..70).contains(&rises(&random)), "{}", rises(&random));
    }

    /// Plays each client against plain books and a map of ids: what is promised to be certain must come true.
    #[test]
    fn what_is_expected_comes_true_and_every_kind_occurs() {
        for (accounts, partitions) in [(2, 1), (8, 4), (9, 4), (1000, 4), (7, 3)] {
            let bank = BankConfig::new(accounts, partitions);
            let mut books = Books::new((0..accounts).map(|id| bank.opened(AccountId(id))).collect());
            let mut known: BTreeMap<TransferId, (Transfer, Outcome)> = BTreeMap::new();
            let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
            let work = run(5, accounts, partitions);
            for client in 0..3 {
                let mut answers: Vec<Answer> = Vec::new();
                for Item { index, transfer, expected } in work.client(client) {
                    let answer = match known.get(&transfer.id) {
                        Some((stored, outcome)) if *stored == transfer => Answer::Outcome(*outcome),
                        Some(_) => Answer::Conflict,
                        None => {
                            let seq = known.len() as u64;
                            let outcome = match books.apply(&transfer, partitions) {
                                Ok(_) => Outcome::Applied { seq },
                                Err(reason) => Outcome::Refused { reason, seq },
                            };
                            known.insert(transfer.id, (transfer, outcome));
                            Answer::Outcome(outcome)
                        }
                    };
                    let earlier = |of: u64| {
                        assert!(of < index && index - of <= MEMORY as u64);
                        answers.get(of as usize).copied()
                    };
                    assert!(
                        expected.allows(answer, earlier),
                        "{index}: {transfer:?} {expected:?} {answer:?}"
                    );
                    let name = match (expected, answer) {
                        (Expected::SameAs(_), _) => "repeat".to_owned(),
                        (_, Answer::Conflict) => "conflict".to_owned(),
                        (_, Answer::Outcome(Outcome::Applied { .. })) => "applied".to_owned(),
                        (_, Answer::Outcome(Outcome::Refused { reason, .. })) => reason.to_string(),
                    };
                    *kinds.entry(name).or_default() += 1;
                    answers.push(answer);
                }
            }
            let expected_kinds = if partitions == 1 { 7 } else { 8 };
            assert_eq!(kinds.len(), expected_kinds, "{accounts} in {partitions}: {kinds:?}");
            assert!(kinds.values().all(|&n| n >= 50) && kinds["applied"] > 5_000, "{kinds:?}");
        }
    }
}
