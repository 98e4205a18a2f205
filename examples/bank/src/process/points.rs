//! Points of the child at which it can be killed, and what it does when it gets to the one it was told: it says so on
//! its standard output and stands still, until the parent's SIGKILL comes.
//! A point is data: it comes in the child's arguments, as `commit-filled:4000:2`.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::lines::{Line, Status, say};

/// Where the child can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// While the database is opened: the kill races with it.
    Opening,
    /// The database is open, nobody has been served by it.
    Opened,
    /// A request has arrived, nobody has seen it.
    Arrival,
    /// In a commit: its rows are written, nothing of it is durable.
    CommitFilled,
    /// In a commit, while it becomes durable: the kill races with it.
    CommitRunning,
    /// A commit is durable, no answer has left.
    CommitDone,
    /// An answer is ready and not yet written to the socket.
    Answer,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 7] = [
        Self::Opening,
        Self::Opened,
        Self::Arrival,
        Self::CommitFilled,
        Self::CommitRunning,
        Self::CommitDone,
        Self::Answer,
    ];

    /// Its name in arguments and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Opened => "opened",
            Self::Arrival => "arrival",
            Self::CommitFilled => "commit-filled",
            Self::CommitRunning => "commit-running",
            Self::CommitDone => "commit-done",
            Self::Answer => "answer",
        }
    }

    /// Whether whoever dies here dies in the middle of a commit.
    pub const fn is_in_commit(self) -> bool {
        matches!(self, Self::CommitFilled | Self::CommitRunning)
    }

    /// Whether the child gets here at its start, before it serves anybody.
    pub const fn is_at_start(self) -> bool {
        matches!(self, Self::Opening | Self::Opened)
    }

    /// Where the child stands when it was faster than the kill, if this point is a race.
    pub const fn past(self) -> Self {
        match self {
            Self::Opening => Self::Opened,
            Self::CommitRunning => Self::CommitDone,
            other => other,
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One point and when: written `POINT:AFTER:NTH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KillPoint {
    /// Which point.
    pub point: Point,
    /// Only after so many answers of this life.
    pub after: u64,
    /// The how manyth time after that, from 1.
    pub nth: u64,
}

impl fmt::Display for KillPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.point, self.after, self.nth)
    }
}

/// A text that names no kill point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAPoint(String);

impl fmt::Display for NotAPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Point::ALL.map(Point::name).join(", ");
        write!(
            f,
            "`{}` is no kill point: write POINT:AFTER:NTH, with NTH from 1 and POINT one of {names}",
            self.0
        )
    }
}

impl std::error::Error for NotAPoint {}

impl FromStr for KillPoint {
    type Err = NotAPoint;

    fn from_str(text: &str) -> Result<Self, NotAPoint> {
        let read = || {
            let mut words = text.split(':');
            let name = words.next()?;
            let point = Point::ALL.into_iter().find(|point| point.name() == name)?;
            let (after, nth) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            (words.next().is_none() && nth > 0).then_some(Self { point, after, nth })
        };
        read().ok_or_else(|| NotAPoint(text.to_owned()))
    }
}

/// The child's view of its kill point. Without one it never stands still.
#[derive(Default)]
pub struct KillPoints {
    plan: Option<KillPoint>,
    served: AtomicU64,
    reached: AtomicU64,
    at_point: AtomicBool,
    status: OnceLock<Box<dyn Fn() -> Status + Send + Sync>>,
}

impl fmt::Debug for KillPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KillPoints").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl KillPoints {
    /// For a life with this kill point.
    pub fn new(plan: Option<KillPoint>) -> Self {
        Self { plan, ..Self::default() }
    }

    /// What the child says of itself when it is about to be killed. The first counts.
    pub(crate) fn set_status(&self, status: impl Fn() -> Status + Send + Sync + 'static) {
        // Set once, by the child's main function.
        drop(self.status.set(Box::new(status)));
    }

    /// One more answer.
    pub fn served(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// Passes a point. If it is the one, this never returns.
    pub fn reach(&self, point: Point) {
        if self.is_now(point) {
            self.say_at(point);
            stand_still();
        }
    }

    /// Enters a stretch in which the kill may come at any moment; it ends with what this returns.
    pub fn enter(&self, point: Point) -> Entered {
        let is_now = self.is_now(point);
        if is_now {
            self.say_at(point);
        }
        Entered { point, is_now }
    }

    fn is_now(&self, point: Point) -> bool {
        match self.plan {
            Some(plan) if plan.point == point && self.served.load(Ordering::Relaxed) >= plan.after => {
                self.reached.fetch_add(1, Ordering::Relaxed) + 1 == plan.nth
            }
            _ => false,
        }
    }

    /// Whether the child is at its point: then it can only be killed, or end at once.
    pub fn is_at_point(&self) -> bool {
        self.at_point.load(Ordering::Acquire)
    }

    fn say_at(&self, point: Point) {
        self.at_point.store(true, Ordering::Release);
        let status = self.status.get().map(|status| status()).unwrap_or_default();
        say(&Line::At { point, status });
    }
}

/// A stretch in which the kill may come.
#[derive(Debug)]
#[must_use = "the stretch ends where this says so"]
pub struct Entered {
    point: Point,
    is_now: bool,
}

impl Entered {
    /// The stretch is over. If the kill was to come in it, it has been too slow: this never returns.
    pub fn left(self) {
        if self.is_now {
            say(&Line::At { point: self.point.past(), status: Status::default() });
            stand_still();
        }
    }
}

/// Blocks this thread for as long as the process lives.
fn stand_still() -> ! {
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kill_points_are_text_and_back() {
        for point in Point::ALL {
            let kill = KillPoint { point, after: 4_000, nth: 2 };
            assert_eq!(kill.to_string().parse(), Ok(kill));
        }
        for bad in [
            "",
            "answer",
            "answer:1",
            "answer:1:0",
            "answer:1:2:3",
            "nowhere:1:1",
            "answer:-1:1",
            "answer:x:1",
        ] {
            let error = bad.parse::<KillPoint>().expect_err(bad).to_string();
            assert!(error.contains("POINT:AFTER:NTH") && error.contains("commit-filled"), "{error}");
        }
    }

    #[test]
    fn strikes_at_the_nth_time_after_so_many_answers_and_never_again() {
        let points = KillPoints::new(Some(KillPoint { point: Point::Answer, after: 2, nth: 3 }));
        assert!(
            !points.is_now(Point::Answer) && !points.is_now(Point::Answer) && !points.is_now(Point::Answer)
        );
        points.served();
        points.served();
        assert!(!points.is_now(Point::Arrival));
        let times: Vec<bool> = (0..5).map(|_| points.is_now(Point::Answer)).collect();
        assert_eq!(times, [false, false, true, false, false]);
        assert!(!KillPoints::default().is_now(Point::Answer));
    }
}
