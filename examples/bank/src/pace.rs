//! A run second by second: answers so far, and the memory of this process. Says what the rate was at the end, when
//! caches are full and the bank is large, and whether memory grew once they were.
//! Keeps a line for each second, 24 bytes, however many answers there are. Reads no clock: it is told the time.

use std::time::Duration;

use minder::Moment;
use serde::Serialize;

/// The stretch at the end of a run that has a rate of its own.
const LAST: Duration = Duration::from_secs(10);
/// Memory is held against what it was after so many answers: caches are full by then, or should be.
const SETTLED: u64 = 200_000;

/// How things stood at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Second {
    /// Seconds since the run began; late by as much as whoever looked.
    pub at: f64,
    /// Answers by then.
    pub answered: u64,
    /// Memory of the process in the machine, if it can be known here.
    pub resident_bytes: Option<u64>,
}

/// The seconds of a run so far.
#[derive(Clone, Debug)]
pub struct Pace {
    began: Moment,
    resident: fn() -> Option<u64>,
    seconds: Vec<Second>,
}

impl Pace {
    /// Of a run that begins now, in this process.
    pub fn here(now: Moment) -> Self {
        Self { began: now, resident: resident_bytes, seconds: Vec::new() }
    }

    /// Of a run that begins now, in another process, whose memory is not looked at.
    pub fn elsewhere(now: Moment) -> Self {
        Self { began: now, resident: || None, seconds: Vec::new() }
    }

    /// To be told the time several times a second: notes how things stand if a new second has begun.
    pub fn look(&mut self, now: Moment, answered: u64) {
        let passed = now.since(self.began);
        let noted = self.seconds.last().map_or(0, |last| last.at as u64);
        if passed.as_secs() > noted {
            self.seconds.push(Second {
                at: passed.as_secs_f64(),
                answered,
                resident_bytes: (self.resident)(),
            });
        }
    }

    /// Every second so far.
    pub fn into_seconds(self) -> Vec<Second> {
        self.seconds
    }
}

/// Answers a second over the last ten seconds; over all of them if there were fewer, and `None` if there were none.
pub fn rate_at_end(seconds: &[Second]) -> Option<f64> {
    let last = seconds.last()?;
    let from = seconds.iter().rev().find(|second| second.at <= last.at - LAST.as_secs_f64() + 0.5);
    let (at, answered) = from.map_or((0.0, 0), |second| (second.at, second.answered));
    Some((last.answered - answered) as f64 / (last.at - at))
}

/// Whether memory grew while the bank worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// What the process had in the first second after 200,000 answers.
    pub settled_bytes: u64,
    /// The most that it had in any later second.
    pub most_bytes: u64,
}

/// Memory over these seconds; `None` if there were too few answers, or memory cannot be known here.
pub fn memory(seconds: &[Second]) -> Option<Memory> {
    let after = seconds.iter().filter(|second| second.answered >= SETTLED);
    let mut bytes = after.filter_map(|second| second.resident_bytes);
    let settled_bytes = bytes.next()?;
    Some(Memory { settled_bytes, most_bytes: bytes.fold(settled_bytes, u64::max) })
}

/// What this process has in memory, as Linux counts it; nothing elsewhere.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_each_second_once() {
        let began = Moment::after_start(Duration::from_secs(5));
        let mut pace = Pace::elsewhere(began);
        for tenths in 0..=35 {
            pace.look(began + Duration::from_millis(100 * tenths), tenths);
        }
        let noted: Vec<_> = pace.into_seconds().iter().map(|second| (second.at, second.answered)).collect();
        assert_eq!(noted, [(1.0, 10), (2.0, 20), (3.0, 30)]);
    }

    #[test]
    fn the_rate_at_the_end_is_that_of_the_last_ten_seconds() {
        let second = |at: u32, answered| Second { at: f64::from(at) + 0.1, answered, resident_bytes: None };
        let rows: [(&str, Vec<Second>, Option<f64>); 3] = [
            ("nothing", vec![], None),
            ("three seconds", (1..=3).map(|n| second(n, u64::from(n) * 100)).collect(), Some(300.0 / 3.1)),
            (
                "slow, then fast",
                (1..=30).map(|n| second(n, if n <= 20 { 7 } else { u64::from(n - 20) * 1000 + 7 })).collect(),
                Some(1000.0),
            ),
        ];
        for (name, seconds, expected) in rows {
            let rate = rate_at_end(&seconds);
            let near = rate.zip(expected).map_or(rate == expected, |(is, should)| (is - should).abs() < 0.01);
            assert!(near, "{name}: {rate:?} instead of {expected:?}");
        }
    }

    #[test]
    fn memory_counts_from_when_it_has_settled() {
        let seconds: Vec<Second> = [(100_000, 9), (199_999, 20), (200_000, 50), (300_000, 70), (400_000, 60)]
            .into_iter()
            .map(|(answered, bytes)| Second { at: 1.0, answered, resident_bytes: Some(bytes) })
            .collect();
        assert_eq!(memory(&seconds), Some(Memory { settled_bytes: 50, most_bytes: 70 }));
        assert_eq!(memory(&seconds[..2]), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory() {
        assert!(resident_bytes().expect("Linux tells") > 100_000);
    }
}
