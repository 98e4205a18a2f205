//! What happened, and what is restored next: rows to be checked with a finger, then every history up to a length
//! against a model that keeps nothing but the history.

use super::*;

/// What can happen to an actor, a life at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    /// It handled a message.
    Handled,
    /// It wrote a checkpoint.
    Saved,
    /// It crashed, and the next life began.
    Crashed,
    /// It was stopped in order, and the next life began.
    Stopped,
    /// The newest checkpoint was damaged.
    Rotted,
}
use Did::{Crashed, Handled, Rotted, Saved, Stopped};

/// An actor's lives, driven as the wrapper drives them.
#[derive(Clone, Default)]
struct Lives {
    ladder: Ladder,
    damaged: Vec<u64>,
    /// What this life stands on.
    base: Option<u64>,
    /// Restored, and not proven yet.
    on_trial: bool,
}

impl Lives {
    fn go_on(&mut self, did: Did) {
        match did {
            Handled => {
                if std::mem::take(&mut self.on_trial)
                    && let Some(base) = self.base
                {
                    self.ladder.note(base, Fate::Proven);
                }
            }
            Saved => {
                let number = self.ladder.last_number() + 1;
                (self.ladder, self.base) = (self.ladder.with_next(number, self.base), Some(number));
                self.on_trial = false;
            }
            Rotted => self.damaged.extend(self.ladder.rungs().next().map(|rung| rung.number)),
            Crashed | Stopped => {
                let fate = if did == Crashed { Fate::Died } else { Fate::Ended };
                if self.on_trial
                    && let Some(base) = self.base
                {
                    self.ladder.note(base, fate);
                }
                self.base = self.ladder.candidates().find(|number| !self.damaged.contains(number));
                self.on_trial = self.base.is_some();
            }
        }
    }
}

fn after(history: &[Did]) -> Lives {
    let mut lives = Lives::default();
    history.iter().for_each(|did| lives.go_on(*did));
    lives
}

#[test]
fn what_happened_and_what_is_restored_next() {
    let rows: &[(&str, &[Did], Option<u64>)] = &[
        ("nothing was ever written", &[Handled, Crashed], None),
        ("the newest", &[Saved, Saved, Crashed], Some(2)),
        ("the only one", &[Saved, Crashed], Some(1)),
        ("a life that was good before it died", &[Saved, Saved, Crashed, Handled, Crashed], Some(2)),
        ("one death in vain", &[Saved, Saved, Crashed, Crashed], Some(2)),
        ("two deaths in vain: the previous", &[Saved, Saved, Crashed, Crashed, Crashed], Some(1)),
        (
            "two of the previous as well: clean",
            &[Saved, Saved, Crashed, Crashed, Crashed, Crashed, Crashed],
            None,
        ),
        ("two of the only one: clean", &[Saved, Crashed, Crashed, Crashed], None),
        ("clean for good", &[Saved, Crashed, Crashed, Crashed, Handled, Crashed], None),
        (
            "a good life between two deaths",
            &[Saved, Saved, Crashed, Crashed, Handled, Crashed, Crashed],
            Some(2),
        ),
        ("stops are no deaths", &[Saved, Saved, Crashed, Stopped, Stopped, Stopped], Some(2)),
        ("stops do not excuse deaths", &[Saved, Saved, Crashed, Crashed, Stopped, Crashed], Some(1)),
        ("a stop alone restores", &[Saved, Stopped], Some(1)),
        ("a damaged newest", &[Saved, Saved, Rotted, Crashed], Some(1)),
        ("a damaged only one", &[Saved, Rotted, Crashed], None),
        ("written over a damaged one", &[Saved, Saved, Rotted, Crashed, Saved, Rotted, Crashed], Some(1)),
        (
            "written over a demoted one: it does not come back",
            &[Saved, Saved, Crashed, Crashed, Crashed, Saved, Crashed, Crashed, Crashed],
            Some(1),
        ),
        (
            "written after a clean start: what was demoted has left",
            &[Saved, Crashed, Crashed, Crashed, Saved, Rotted, Crashed],
            None,
        ),
        ("a third pushes the first out", &[Saved, Saved, Saved, Rotted, Crashed], Some(2)),
    ];
    for (case, history, expected) in rows {
        assert_eq!(after(history).base, *expected, "{case}");
    }
}

/// Says from the history alone what the life after it begins with: the newest checkpoint which is not damaged, was not
/// abandoned by a life that wrote over it, and whose lives did not die in vain twice.
fn reference(history: &[Did]) -> Option<u64> {
    // Number, the one that it was written over, damaged, deaths in a row.
    let mut written: Vec<(Option<u64>, bool, u8)> = Vec::new();
    let (mut base, mut in_vain) = (None::<u64>, false);
    for did in history {
        let at = |number: u64| usize::try_from(number - 1).expect("small");
        match did {
            Handled => {
                if let (true, Some(base)) = (in_vain, base) {
                    written[at(base)].2 = 0;
                }
                in_vain = false;
            }
            Saved => {
                written.push((base, false, 0));
                (base, in_vain) = (Some(written.len() as u64), false);
            }
            Rotted => {
                if let Some(newest) = written.last_mut() {
                    newest.1 = true;
                }
            }
            Crashed | Stopped => {
                if let (true, true, Some(base)) = (in_vain, *did == Crashed, base) {
                    written[at(base)].2 += 1;
                }
                let newest = (!written.is_empty()).then_some(written.len() as u64);
                let under = newest.and_then(|newest| written[at(newest)].0);
                let usable = |number: &u64| !written[at(*number)].1 && written[at(*number)].2 < 2;
                base = [newest, under].into_iter().flatten().find(usable);
                in_vain = base.is_some();
            }
        }
    }
    base
}

#[test]
fn every_short_history_is_as_the_model_says() {
    let mut histories: Vec<Vec<Did>> = vec![Vec::new()];
    let mut seen = 0;
    for _ in 0..8 {
        let longer = histories.iter().flat_map(|history| {
            [Handled, Saved, Crashed, Stopped, Rotted].map(|did| [&history[..], &[did]].concat())
        });
        histories = longer.collect();
        for history in &histories {
            let lives = after(history);
            assert_eq!(lives.base, reference(history), "{history:?}");
            let numbers: Vec<u64> = lives.ladder.rungs().map(|rung| rung.number).collect();
            assert!(numbers.len() <= 2 && numbers.windows(2).all(|two| two[0] > two[1]), "{history:?}");
            assert!(numbers.iter().all(|number| *number <= lives.ladder.last_number()), "{history:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, (1..=8).map(|length| 5_usize.pow(length)).sum::<usize>());
}

#[test]
fn no_checkpoint_is_restored_for_ever() {
    // From whatever ladder: crashes alone lead to a clean start, after two of each rung.
    for deaths in 0..4 {
        let rungs = [2, 1].map(|number| Rung { number, standing: Standing::of(deaths) });
        let mut lives = Lives { ladder: Ladder::of(rungs, 2), ..Lives::default() };
        let begun: Vec<Option<u64>> = (0..6)
            .map(|_| {
                lives.go_on(Crashed);
                lives.base
            })
            .collect();
        assert_eq!(begun.last(), Some(&None), "{begun:?}");
        assert!(begun.iter().flatten().count() <= 4, "{begun:?}");
    }
}

#[test]
fn what_was_written_down_is_read_with_care() {
    let rung = |number| Rung { number, standing: Standing::default() };
    let ladder = Ladder::of([rung(9), rung(3), rung(2), rung(1)], 3);
    assert_eq!(ladder.rungs().map(|rung| rung.number).collect::<Vec<_>>(), [3, 2], "9 was never given");
    assert_eq!(ladder.with_next(4, Some(1)).rungs().count(), 1, "1 is not on the ladder");
    assert_eq!(Standing::of(u8::MAX).after(Fate::Died), Standing::of(u8::MAX));
}
