//! What has happened in a run, for whoever judges it: who came to life and where, who ended and why, what supervisors
//! decided. Lives and exits are counted in full; the lines of the story are bounded, the oldest go first.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder::{ActorId, Event, ExitReason};
use minder_runtime::hooks::Target;

use super::trace::Hash;

/// How many lines of the story, and how many exits, are kept.
const KEPT: usize = 10_000;
/// What a supervisor calls it when a child has not stopped in time.
const KILLED_LATE: &str = "kill after deadline";

/// The end of one incarnation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ended {
    /// When, since the run began.
    pub at: Duration,
    /// Where it stood in its tree.
    pub path: Arc<str>,
    /// Which incarnation.
    pub id: ActorId,
    /// Why.
    pub reason: ExitReason,
    /// Whether its start had been acknowledged; if not, this was a failed start.
    pub started: bool,
}

/// One line of the story.
#[derive(Clone, Debug)]
struct Line {
    at: Duration,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Began(Arc<str>, ActorId),
    Ended(Ended),
    Decided { path: Arc<str>, child: Arc<str>, decision: &'static str, restarts: u32, limit: u32 },
    Recovered(Arc<str>, ActorId, Duration),
    Noted(String),
}

/// Those who lived at one path.
#[derive(Debug)]
struct Lives {
    count: u32,
    latest: Target,
}

#[derive(Debug)]
pub(crate) struct Chronicle {
    lines: VecDeque<Line>,
    /// How many lines are not kept any more.
    forgotten: u64,
    lives: BTreeMap<Arc<str>, Lives>,
    exits: VecDeque<Ended>,
    /// Who was killed by its supervisor for being late, since the run began to end; nothing before that.
    late: Option<Vec<Arc<str>>>,
    hash: Hash,
}

impl Chronicle {
    pub(super) fn new() -> Self {
        Self {
            lines: VecDeque::new(),
            forgotten: 0,
            lives: BTreeMap::new(),
            exits: VecDeque::new(),
            late: None,
            hash: Hash::new(),
        }
    }

    /// Over all exits.
    pub(super) fn hash(&self) -> u64 {
        self.hash.value()
    }

    pub(super) fn began(&mut self, at: Duration, path: &Arc<str>, target: &Target) {
        self.tell(at, What::Began(path.clone(), target.id()));
        match self.lives.get_mut(path) {
            Some(lives) => {
                lives.count += 1;
                lives.latest = target.clone();
            }
            None => drop(self.lives.insert(path.clone(), Lives { count: 1, latest: target.clone() })),
        }
    }

    pub(super) fn event(&mut self, at: Duration, event: &Event<'_>) {
        match event {
            Event::Exited { path, id, reason, started, .. } => {
                self.hash.text(path);
                self.hash.fold(id.cell() ^ (u64::from(id.incarnation()) << 32));
                self.hash.text(reason.kind());
                let path =
                    self.lives.get_key_value(*path).map_or_else(|| (*path).into(), |(path, _)| path.clone());
                let ended = Ended { at, path, id: *id, reason: (*reason).clone(), started: *started };
                if self.exits.len() == KEPT {
                    self.exits.pop_front();
                }
                self.exits.push_back(ended.clone());
                self.tell(at, What::Ended(ended));
            }
            Event::Decided { path, child, decision, restarts, limit, .. } => {
                let (path, child) = ((*path).into(), (*child).into());
                let (restarts, limit) = (*restarts, *limit);
                if let (Some(late), KILLED_LATE) = (&mut self.late, *decision) {
                    late.push(format!("{path}/{child}").into());
                }
                self.tell(at, What::Decided { path, child, decision, restarts, limit });
            }
            Event::Recovered { path, id, after } => {
                self.tell(at, What::Recovered((*path).into(), *id, *after));
            }
            _ => {}
        }
    }

    /// The systems are stopped from now on.
    pub(super) fn ends(&mut self) {
        self.late = Some(Vec::new());
    }

    pub(super) fn late(&self) -> Vec<Arc<str>> {
        self.late.clone().unwrap_or_default()
    }

    /// A line of the test's own.
    pub(crate) fn note(&mut self, at: Duration, text: String) {
        self.tell(at, What::Noted(text));
    }

    fn tell(&mut self, at: Duration, what: What) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
            self.forgotten += 1;
        }
        self.lines.push_back(Line { at, what });
    }

    /// How many lives began at the path.
    pub(crate) fn lives_at(&self, path: &str) -> u32 {
        self.lives.get(path).map_or(0, |lives| lives.count)
    }

    /// The latest to have lived at the path.
    pub(crate) fn latest_at(&self, path: &str) -> Option<&Target> {
        self.lives.get(path).map(|lives| &lives.latest)
    }

    /// Every path at which somebody has lived.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Arc<str>> {
        self.lives.keys()
    }

    pub(crate) fn exits(&self) -> impl Iterator<Item = &Ended> {
        self.exits.iter()
    }

    /// Who lives now, by path.
    pub(super) fn living(&self) -> Vec<Arc<str>> {
        let living = self.lives.iter().filter(|(_, lives)| lives.latest.is_alive());
        living.map(|(path, _)| path.clone()).collect()
    }

    /// The last lines of the story, one event each.
    pub(crate) fn story(&self, lines: usize) -> String {
        let skipped = self.lines.len().saturating_sub(lines);
        let mut story = String::new();
        let earlier = self.forgotten + skipped as u64;
        if earlier > 0 {
            story.push_str(&format!("    ({earlier} earlier events)\n"));
        }
        for line in self.lines.iter().skip(skipped) {
            story.push_str(&format!("{:>7} ms  {}\n", line.at.as_millis(), line.what));
        }
        story
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Began(path, id) => write!(f, "{path} {id} begins"),
            Self::Ended(Ended { path, id, reason, started, .. }) => {
                let how = if *started { "ended" } else { "failed to start" };
                write!(f, "{path} {id} {how}: {reason}")
            }
            Self::Decided { path, child, decision, restarts, limit } => {
                write!(f, "{path} decides on {child}: {decision} (restart {restarts} of at most {limit})")
            }
            Self::Recovered(path, id, after) => {
                write!(f, "{path} {id} handles its first message, {} ms after the crash", after.as_millis())
            }
            Self::Noted(text) => write!(f, "-- {text}"),
        }
    }
}
