//! What the child tells the parent about itself, one JSON object a line on its standard output.
//! What it cannot tell any more when it is killed is lost, so what it counts is a lower bound.

use std::collections::BTreeMap;
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::points::Point;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The socket is there.
    Ready,
    /// What this life has counted so far.
    Status(Status),
    /// The child stands at a point, or runs through a stretch of it, and waits to be killed.
    At {
        /// Where.
        point: Point,
        /// What was counted until then.
        status: Status,
    },
    /// The child has stopped in order, and will end now.
    Stopped {
        /// Whether everybody stopped in order and in time.
        clean: bool,
        /// How they stopped, for people.
        how: String,
        /// What was counted.
        status: Status,
    },
}

/// What one life of the child has counted: faults inside of it, and what its supervisors did about them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// What the retrier sent again.
    pub resent: u64,
    /// Faults that fired, by kind.
    pub faults_fired: BTreeMap<String, u64>,
    /// Faults that fired, by the type of the actor they hit.
    pub faults_by_actor: BTreeMap<String, u64>,
    /// Of these, those that hit an actor with work in hand.
    pub faults_with_work_in_hand: u64,
    /// Actors that were started again.
    pub restarts: u64,
    /// Supervisors that crashed.
    pub supervisor_crashes: u64,
    /// Supervisors that gave up.
    pub escalations: u64,
    /// How often the top supervisor was started again.
    pub top_restarts: u64,
    /// What the bank's own auditor found.
    pub findings: Vec<String>,
    /// Microseconds from a crash inside the child to the next handled message, and how often.
    pub recovery_us: Vec<(u64, u64)>,
}

impl Status {
    /// Adds what another life has counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.resent += other.resent;
        for (sum, counts) in
            [(&mut self.faults_fired, other.faults_fired), (&mut self.faults_by_actor, other.faults_by_actor)]
        {
            for (name, count) in counts {
                *sum.entry(name).or_default() += count;
            }
        }
        self.faults_with_work_in_hand += other.faults_with_work_in_hand;
        self.restarts += other.restarts;
        self.supervisor_crashes += other.supervisor_crashes;
        self.escalations += other.escalations;
        self.top_restarts += other.top_restarts;
        self.findings.extend(other.findings);
        self.recovery_us.extend(other.recovery_us);
    }
}

/// Says a line. Whoever cannot be heard any more has nobody to tell that to.
pub(crate) fn say(line: &Line) {
    if let Ok(mut text) = serde_json::to_vec(line) {
        text.push(b'\n');
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(&text).and_then(|()| out.flush());
    }
}

/// What a line says; `None` if it is none of these.
pub(crate) fn heard(text: &str) -> Option<Line> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_text_and_back() {
        let status = Status {
            restarts: 3,
            faults_fired: BTreeMap::from([("kill".into(), 2)]),
            recovery_us: vec![(120, 1)],
            ..Status::default()
        };
        let lines = [
            Line::Ready,
            Line::Status(status.clone()),
            Line::At { point: Point::CommitFilled, status: status.clone() },
            Line::Stopped { clean: true, how: "in order\n  level 0".into(), status: status.clone() },
        ];
        for line in lines {
            let text = serde_json::to_string(&line).expect("it is plain data");
            assert!(!text.contains('\n'));
            assert_eq!(heard(&text), Some(line));
        }
        assert_eq!(heard("hello"), None);
        let mut sum = status.clone();
        sum.add(status);
        assert_eq!((sum.restarts, sum.faults_fired["kill"], sum.recovery_us.len()), (6, 4, 2));
    }
}
