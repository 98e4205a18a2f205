//! How times, paths and shares are written for people.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A time in two decimals of the unit that fits.
pub(crate) fn brief(time: Duration) -> String {
    if time == Duration::MAX {
        return "for ever".to_owned();
    }
    let (seconds, nanos) = (time.as_secs(), time.as_nanos());
    let of = |unit: u64, name: &str, rest: u64, rest_name: &str| match seconds % unit / rest {
        0 => format!("{}{name}", seconds / unit),
        some => format!("{}{name} {some}{rest_name}", seconds / unit),
    };
    match seconds {
        0 if nanos < 1_000 => format!("{nanos}ns"),
        0 if nanos < 1_000_000 => decimals(time.as_secs_f64() * 1e6, "µs"),
        0 => decimals(time.as_secs_f64() * 1e3, "ms"),
        1..=119 => decimals(time.as_secs_f64(), "s"),
        120..=7_199 => of(60, "min", 1, "s"),
        7_200..=172_799 => of(3_600, "h", 60, "min"),
        _ => of(86_400, "d", 3_600, "h"),
    }
}

fn decimals(value: f64, unit: &str) -> String {
    let text = format!("{value:.2}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A path; an empty one is the top.
pub(crate) fn shown(path: &str) -> &str {
    if path.is_empty() { "(top)" } else { path }
}

/// A number with its thousands apart.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Paths, with long runs of siblings cut short.
pub(crate) struct Listed<'a>(Vec<Run<'a>>);

/// Siblings one after the other: the first, the last, how many.
struct Run<'a> {
    first: &'a str,
    last: &'a str,
    count: usize,
}

/// So many siblings are named one by one.
const FEW: usize = 3;
/// So many runs are named.
const RUNS: usize = 8;

impl<'a> Listed<'a> {
    pub(crate) fn of(paths: &'a [Arc<str>]) -> Self {
        let mut runs: Vec<Run<'a>> = Vec::new();
        let parent = |path: &'a str| path.rsplit_once('/').map_or("", |(parent, _)| parent);
        for path in paths {
            match runs.last_mut() {
                Some(run) if parent(run.last) == parent(path) => {
                    (run.last, run.count) = (path, run.count + 1)
                }
                _ => runs.push(Run { first: path, last: path, count: 1 }),
            }
        }
        // Few siblings are better named than counted.
        let mut listed = Vec::new();
        let mut rest = paths;
        for run in runs {
            let (own, others) = rest.split_at(run.count);
            rest = others;
            if run.count <= FEW {
                listed.extend(own.iter().map(|path| Run { first: path, last: path, count: 1 }));
            } else {
                listed.push(run);
            }
        }
        Self(listed)
    }
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Run { first, last, count }) in self.0.iter().take(RUNS).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            match count {
                1 => write!(f, "{comma}{}", shown(first))?,
                _ => write!(f, "{comma}{first} … {last} ({count})")?,
            }
        }
        match self.0.get(RUNS..).unwrap_or_default().iter().map(|run| run.count).sum::<usize>() {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let rows = [
            (Duration::ZERO, "0ns"),
            (Duration::from_nanos(999), "999ns"),
            (Duration::from_nanos(4_926), "4.93µs"),
            (Duration::from_micros(416_666), "416.67ms"),
            (Duration::from_secs(5), "5s"),
            (Duration::from_millis(1_666), "1.67s"),
            (Duration::from_secs(119), "119s"),
            (Duration::from_secs(125), "2min 5s"),
            (Duration::from_secs(180), "3min"),
            (Duration::from_secs(9_000), "2h 30min"),
            (Duration::from_secs(200_000), "2d 7h"),
            (Duration::MAX, "for ever"),
        ];
        for (time, expected) in rows {
            assert_eq!(brief(time), expected, "{time:?}");
        }
    }

    #[test]
    fn numbers() {
        let rows = [(0, "0"), (999, "999"), (1_000, "1,000"), (20_301, "20,301"), (2_050_401, "2,050,401")];
        for (number, expected) in rows {
            assert_eq!(thousands(number), expected);
        }
    }

    #[test]
    fn lists() {
        let rows = [
            ("", "(top)"),
            ("a b c", "a, b, c"),
            ("a b c d", "a … d (4)"),
            ("v/l/4 v/l/3 v/l/2 v/l/1 v/l", "v/l/4 … v/l/1 (4), v/l"),
            ("a x/a b x/b c x/c d x/d e", "a, x/a, b, x/b, c, x/c, d, x/d, and 1 more"),
        ];
        for (paths, expected) in rows {
            let paths: Vec<Arc<str>> = paths.split(' ').map(Arc::from).collect();
            assert_eq!(Listed::of(&paths).to_string(), expected);
        }
        assert_eq!(Listed::of(&[]).to_string(), "");
    }
}
