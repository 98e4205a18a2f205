//! Whether one place where actors run stands still, judged by what is seen of it from look to look. Pure: what is seen and
//! when comes in, and what is to be told comes out. Looks come late when the whole process was held up, so that time alone
//! is no proof: a stall is what has been seen often enough as well.

use std::time::Duration;

use minder_signals::Moment;

/// How many looks fall into the limit.
pub(crate) const LOOKS: u32 = 4;

/// What has been seen of one place.
#[derive(Default)]
pub(crate) struct Stall {
    /// Which run it is at; nothing while it is idle.
    run: Option<u64>,
    /// When that run was seen first, and when last.
    first: Moment,
    last: Moment,
    /// How often it was seen after that.
    again: u32,
    /// Whether it has been told of.
    told: bool,
}

/// What is to be told, and how long it lasts or has lasted, at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Stalled(Duration),
    Over(Duration),
}

impl Stall {
    /// The place is at this run now, which is another one whenever code has come to its end or has waited.
    pub(crate) fn look(&mut self, run: Option<u64>, now: Moment, limit: Duration) -> Option<News> {
        if run.is_none() || run != self.run {
            let over = self.told.then(|| News::Over(self.last.since(self.first)));
            *self = Self { run, first: now, last: now, again: 0, told: false };
            return over;
        }
        self.again += 1;
        self.last = now;
        let lasts = now.since(self.first);
        if self.told || self.again < LOOKS || lasts < limit {
            return None;
        }
        self.told = true;
        Some(News::Stalled(lasts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a place, at which of these looks: each is 100 ms after the one before and sees `.`, an idle place, or a
    /// run by its letter; at `_` nobody looks.
    fn told(limit: u64, looks: &str) -> String {
        let mut stall = Stall::default();
        let look = |(at, seen): (u64, char)| {
            let now = Moment::after_start(Duration::from_millis(100 * at));
            let run = (seen != '.').then_some(u64::from(seen));
            let news = stall.look(run, now, Duration::from_millis(limit))?;
            Some(format!("{}: {news:?}", 100 * at))
        };
        let looks = (0..).zip(looks.chars()).filter(|(_, seen)| *seen != '_');
        looks.filter_map(look).collect::<Vec<_>>().join(", ")
    }

    #[test]
    #[rustfmt::skip]
    fn a_run_is_told_of_once_and_again_when_it_is_over() {
        for (limit, looks, news) in [
            // nobody stands still
            (400, "........", ""),
            (400, "abcdefgh", ""),
            (400, "aaaa.aaaa", ""),
            (400, "aaaabbbbccccdddd", ""),
            (400, "a.a.a.a.a.a.a.a", ""),
            // somebody does
            (400, "aaaaaaaaaaaaa", "400: Stalled(400ms)"),
            (400, "...aaaaa", "700: Stalled(400ms)"),
            (400, "aaaaaaaaa...", "400: Stalled(400ms), 900: Over(800ms)"),
            (400, "aaaaab", "400: Stalled(400ms), 500: Over(400ms)"),
            (400, "aaaaabbbbb.", "400: Stalled(400ms), 500: Over(400ms), 900: Stalled(400ms), 1000: Over(400ms)"),
            (400, "aaaa.aaaaa.", "900: Stalled(400ms), 1000: Over(400ms)"),
            // never early
            (401, "aaaaa.", ""),
            (401, "aaaaaa.", "500: Stalled(500ms), 600: Over(500ms)"),
            // Nobody looked because the process was held up: so was the code.
            (400, "a__________aaa.", ""),
            (400, "a__________aaaa.", "1400: Stalled(1.4s), 1500: Over(1.4s)"),
            (400, "aaaaa_____.", "400: Stalled(400ms), 1000: Over(400ms)"),
        ] {
            assert_eq!(told(limit, looks), news, "{looks}, limit {limit}");
        }
    }
}
