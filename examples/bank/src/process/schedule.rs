//! Which kills a run makes, and after how much work of each life: from a seed, before anything has started.
//! The shares are cut so that all kills are done before the clients are.

use fastrand::Rng;

use super::points::{KillPoint, Point};

/// A kill to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlannedKill {
    /// Where the child says that it stands.
    At(KillPoint),
    /// Wherever the child is after so many answers of its life.
    Anywhere {
        /// How many.
        after: u64,
    },
}

impl PlannedKill {
    /// How many answers its life may give before.
    pub(crate) fn after(self) -> u64 {
        match self {
            Self::At(kill) => kill.after,
            Self::Anywhere { after } => after,
        }
    }
}

/// What is killed besides commits, in turn.
const OTHERS: [Option<Point>; 6] = [
    Some(Point::CommitDone),
    Some(Point::Answer),
    None,
    Some(Point::Arrival),
    Some(Point::Opening),
    Some(Point::Opened),
];

/// So many kills in a run of `count` transfers, two in five of them in the middle of a commit.
pub(crate) fn schedule(seed: u64, kills: u32, count: u64) -> Vec<PlannedKill> {
    let mut rng = Rng::with_seed(seed ^ 0x6b69_6c6c);
    let in_commits = (2 * kills as usize).div_ceil(5);
    let in_commit = [Some(Point::CommitFilled), Some(Point::CommitRunning)].into_iter().cycle();
    let places = in_commit.take(in_commits).chain(OTHERS.into_iter().cycle());
    let mut places: Vec<Option<Point>> = places.take(kills as usize).collect();
    rng.shuffle(&mut places);
    let share = count / (u64::from(kills) + 1);
    places.into_iter().map(|place| kill_at(place, share, &mut rng)).collect()
}

/// A kill in a life that may take `share` transfers. It comes early enough for what the life still does until it gets
/// to its point, and for answers that are lost on the way.
fn kill_at(place: Option<Point>, share: u64, rng: &mut Rng) -> PlannedKill {
    let after = share * 4 / 10 + rng.u64(0..=share * 4 / 10);
    match place {
        None => PlannedKill::Anywhere { after },
        Some(point) if point.is_at_start() => PlannedKill::At(KillPoint { point, after: 0, nth: 1 }),
        Some(point) => PlannedKill::At(KillPoint { point, after, nth: 1 + rng.u64(0..3) }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn by_place(kills: &[PlannedKill]) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for kill in kills {
            let name = match kill {
                PlannedKill::At(kill) => kill.point.name(),
                PlannedKill::Anywhere { .. } => "anywhere",
            };
            *counts.entry(name).or_default() += 1;
        }
        counts
    }

    #[test]
    fn follows_from_the_seed() {
        assert_eq!(schedule(1, 24, 120_000), schedule(1, 24, 120_000));
        assert_ne!(schedule(1, 24, 120_000), schedule(2, 24, 120_000));
    }

    #[test]
    fn two_in_five_are_in_a_commit_and_every_point_has_its_turn() {
        let rows = [(0, 0), (1, 1), (3, 2), (5, 2), (20, 8), (24, 10), (100, 40)];
        for (kills, in_commit) in rows {
            let planned = schedule(7, kills, 120_000);
            assert_eq!(planned.len(), kills as usize);
            let counts = by_place(&planned);
            let in_commits =
                ["commit-filled", "commit-running"].map(|name| counts.get(name).copied().unwrap_or(0));
            assert_eq!(in_commits.iter().sum::<usize>(), in_commit, "{kills}: {counts:?}");
            assert!(in_commits[0] >= in_commits[1], "{counts:?}");
            assert!(kills < 20 || counts.len() == Point::ALL.len() + 1, "{counts:?}");
        }
    }

    #[test]
    fn all_kills_come_before_the_work_is_done() {
        for seed in 0..20 {
            let planned = schedule(seed, 24, 120_000);
            assert!(planned.iter().map(|kill| kill.after()).sum::<u64>() <= 120_000 * 8 / 10);
            for kill in planned {
                let PlannedKill::At(kill) = kill else { continue };
                assert_eq!(kill.after == 0, kill.point.is_at_start(), "{kill}");
            }
        }
    }
}
