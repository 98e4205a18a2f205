//! Readiness apart from started: a child that declares it says, once it is up, when it is ready to serve, and may have to
//! within a time. Pure; whoever keeps a life keeps a `Readiness` with it.
//! Does not decide what follows when it is late (`supervision.rs` and its like) nor who waits for it (`graph.rs`).

use crate::turn::Turn;
use crate::{ChildRules, ChildState, Command, Kind, Slot};
use core::time::Duration;
use minder_signals::{ExitReason, Moment};

/// That a child says when it is ready to serve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReportsReady {
    /// How long after it is up it has for that; then it is killed, and judged as after any crash.
    pub within: Option<Duration>,
}

/// How a life that is up stands to its first healthy report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It does not report, and counts as ready.
    Undeclared,
    /// It has not come; when it is late, if ever.
    Awaited { deadline: Option<Moment> },
    /// It has come.
    Ready,
}

impl ChildRules {
    /// Whether this child says when it is ready, and how.
    pub fn reports_ready(&self) -> Option<ReportsReady> {
        self.policy.as_ref()?.readiness
    }
}

impl Readiness {
    /// That of a life by these rules which has just come up.
    fn of_new_life(rules: &ChildRules, now: Moment) -> Self {
        match rules.reports_ready() {
            None => Self::Undeclared,
            Some(reports) => Self::Awaited { deadline: reports.within.map(|within| now + within) },
        }
    }

    /// That of a life by these rules which has just come up in this slot, and has to report within its time from now on.
    pub(crate) fn begin(rules: &ChildRules, slot: Slot, turn: &mut Turn<'_>) -> Self {
        let readiness = Self::of_new_life(rules, turn.now);
        if let Some(deadline) = readiness.deadline() {
            turn.push(Command::SetReadyDeadline(slot, deadline));
        }
        readiness
    }

    /// That of a life that goes on by other rules: nobody waits for what those do not ask for, and if they give more time it
    /// has that. A life that was not asked for a report is asked for none.
    pub(crate) fn under(self, was: &ChildRules, rules: &ChildRules) -> Self {
        let Self::Awaited { deadline } = self else { return self };
        let Some(ReportsReady { within }) = rules.reports_ready() else { return Self::Undeclared };
        let before = was.reports_ready().and_then(|reports| reports.within).unwrap_or_default();
        let deadline = deadline.zip(within).map(|(late, within)| late + within.saturating_sub(before));
        Self::Awaited { deadline }
    }

    /// When it is late.
    pub(crate) fn deadline(self) -> Option<Moment> {
        match self {
            Self::Awaited { deadline } => deadline,
            Self::Undeclared | Self::Ready => None,
        }
    }

    /// What it is once the child has said that it is ready, if that is news.
    pub(crate) fn said(self) -> Option<Self> {
        matches!(self, Self::Awaited { .. }).then_some(Self::Ready)
    }

    /// What it is once it has been found late at this moment: late once, for good.
    pub(crate) fn late(self, now: Moment) -> Option<Self> {
        let late = self.deadline().is_some_and(|deadline| deadline <= now);
        late.then_some(Self::Awaited { deadline: None })
    }

    /// Whether whoever needs it may go on.
    pub(crate) fn is_ready(self) -> bool {
        !matches!(self, Self::Awaited { .. })
    }

    /// What there is to tell; nothing of a child that does not report.
    pub(crate) fn told(self) -> Option<bool> {
        match self {
            Self::Undeclared => None,
            Self::Awaited { .. } => Some(false),
            Self::Ready => Some(true),
        }
    }
}

/// Why a child by these rules that is late is killed.
pub(crate) fn not_ready(rules: &ChildRules) -> ExitReason {
    let within = rules.reports_ready().and_then(|reports| reports.within);
    ExitReason::NotReady(within.unwrap_or_default())
}

/// Whether a child keeps its supervisor from being ready: one that reports, or may have those below who do, and is not as
/// far as it is on its way to be. Whoever is down stays down, and holds nobody up. `readiness`: of one that is up.
pub(crate) fn holds_up(rules: &ChildRules, state: ChildState, readiness: Option<Readiness>) -> bool {
    match (state, readiness) {
        (ChildState::Gone | ChildState::Disabled, _) => false,
        (ChildState::Running, Some(readiness)) => !readiness.is_ready(),
        _ => rules.kind == Kind::Supervisor || rules.reports_ready().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(within: Option<Duration>) -> ChildRules {
        let mut rules = ChildRules::worker("a");
        rules.policy_mut().readiness = Some(ReportsReady { within });
        rules
    }

    #[test]
    fn a_report_is_news_once_and_late_once() {
        let second = Duration::from_secs(1);
        let silent = Readiness::of_new_life(&ChildRules::worker("a"), Moment::START);
        assert_eq!((silent.said(), silent.late(Moment::END), silent.is_ready()), (None, None, true));

        let patient = Readiness::of_new_life(&rules(None), Moment::START);
        assert_eq!((patient.deadline(), patient.late(Moment::END), patient.is_ready()), (None, None, false));
        let ready = patient.said().expect("it was not ready");
        assert_eq!((ready.said(), ready.late(Moment::END), ready.is_ready()), (None, None, true));

        let strict = Readiness::of_new_life(&rules(Some(second)), Moment::START + second);
        let due = Moment::START + second + second;
        assert_eq!((strict.deadline(), strict.late(Moment::START + second)), (Some(due), None));
        let late = strict.late(due).expect("the moment has come");
        assert_eq!((late.late(Moment::END), late.is_ready()), (None, false));
        let told = [silent, patient, ready, strict, late].map(Readiness::told);
        assert_eq!(told, [None, Some(false), Some(true), Some(false), Some(false)]);
    }

    #[test]
    fn who_holds_a_supervisor_up() {
        use ChildState::*;
        let (plain, reporter) = (ChildRules::worker("a"), rules(None));
        let below = ChildRules::supervisor("s");
        let awaited = Some(Readiness::Awaited { deadline: None });
        let undeclared = Some(Readiness::Undeclared);
        for state in [Starting, Fallen, Stopping, Waiting] {
            let held = [&plain, &reporter, &below].map(|rules| holds_up(rules, state, None));
            assert_eq!(held, [false, true, true], "{state:?}");
        }
        assert!(!holds_up(&plain, Running, undeclared) && !holds_up(&below, Running, undeclared));
        assert!(
            holds_up(&reporter, Running, awaited) && !holds_up(&reporter, Running, Some(Readiness::Ready))
        );
        assert!([&plain, &reporter, &below].iter().all(|rules| !holds_up(rules, Gone, None)));
    }
}
