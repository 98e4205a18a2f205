//! Findings, and which of them are allowed, and why.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use crate::explain::words::{Listed, shown};

/// What is looked for. [`Lint::code`] is its name in print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lint {
    /// [`Spec::check`](crate::Spec::check) refuses the tree.
    Invalid,
    /// A child that crashes at a certain pace makes its supervisor give up again and again, too seldom for the one above,
    /// which starts it again for ever: nothing works, and nobody is told. Each level that counts no more generously than
    /// the one below has such a zone, for it sees one end in many crashes.
    BlindZone,
    /// A transient supervisor that gives up stays down, since it ends with `shutdown`, which is no abnormal end (SUP-062).
    SilentlyDown,
    /// A supervisor is killed before all below it can have stopped, if they take the time they are given (SUP-106).
    ShutdownTooShort,
    /// A supervisor is killed at once: all below it die of its end, and none cleans up.
    KilledSupervisor,
    /// A child asks a supervisor above it, which may be waiting for that child to start or stop.
    AskUp,
    /// A child asks one that starts later: until then there is nobody to answer, and at the end it is gone first.
    AskLater,
    /// Children ask each other in a circle.
    AskCircle,
    /// A child asks one whose messages may be purged by the restart of a group to which the asker does not belong. It is
    /// told `Purged`, and must ask again.
    AskPurged,
    /// A supervisor tolerates no restart, and yet has a permanent child.
    NeverRestarts,
    /// A supervisor tolerates more than ten restarts a second for ever.
    LimitTooHigh,
    /// A fault that is found by waiting takes so long to be found that the supervisor never counts enough of them: a child
    /// that never gets ready, or hangs at every message, is killed and started again for ever; and so is one whose backoff is
    /// longer than the supervisor counts. Not if limits of its own catch it.
    NeverHeard,
    /// A supervisor gives up although there is nothing wrong with any of its children, because too many share its limit:
    /// more often than once in 30 days, if each crashes once a day by chance. Of a dynamic supervisor without a bound on
    /// its children: if fewer than 1,000 may share it.
    SharedLimit,
    /// More than ten children in a rest-for-one list: a crash of the first restarts them all.
    LongRestForOne,
    /// A supervisor is to shut down with its significant children, and has none.
    NothingSignificant,
    /// A temporary child is stopped when its group is restarted, and not started again.
    ForgottenInGroup,
    /// A child needs one that is disabled, and so is not started before somebody enables that.
    WaitsInVain,
    /// To stop the tree may take longer than the 30 s that orchestrators commonly allow before they kill.
    SlowStop,
    /// A setting has no effect where it stands.
    WithoutEffect,
    /// Something is allowed that is not found, or without a reason.
    Allowance,
}

impl Lint {
    /// Its name in print.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::BlindZone => "blind-zone",
            Self::SilentlyDown => "silently-down",
            Self::ShutdownTooShort => "shutdown-too-short",
            Self::KilledSupervisor => "killed-supervisor",
            Self::AskUp => "ask-up",
            Self::AskLater => "ask-later",
            Self::AskCircle => "ask-circle",
            Self::AskPurged => "ask-purged",
            Self::NeverRestarts => "never-restarts",
            Self::LimitTooHigh => "limit-too-high",
            Self::NeverHeard => "never-heard",
            Self::SharedLimit => "shared-limit",
            Self::LongRestForOne => "long-rest-for-one",
            Self::NothingSignificant => "nothing-significant",
            Self::ForgottenInGroup => "forgotten-in-group",
            Self::WaitsInVain => "waits-in-vain",
            Self::SlowStop => "slow-stop",
            Self::WithoutEffect => "without-effect",
            Self::Allowance => "allowance",
        }
    }
}

impl Display for Lint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One thing that is wrong or suspicious.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Of which kind.
    pub lint: Lint,
    /// Where in the tree; empty for the top.
    pub path: Arc<str>,
    /// What it is, and why it matters.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Finding {
    pub(crate) fn new(lint: Lint, path: Arc<str>, what: String, advice: impl Into<String>) -> Self {
        Self { lint, path, what, advice: advice.into() }
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { lint, path, what, advice } = self;
        write!(f, "{lint}: {}: {what}; {advice}", shown(path))
    }
}

/// A finding that is meant to be so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allowed {
    /// What was found.
    pub finding: Finding,
    /// Why it is meant to be so.
    pub reason: String,
}

/// What was found in a tree. Printed, one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "findings that nobody looks at change nothing: `assert_clean`"]
pub struct Findings {
    found: Vec<Finding>,
    allowed: Vec<Allowed>,
}

impl Findings {
    pub(crate) fn new(found: Vec<Finding>) -> Self {
        Self { found, allowed: Vec::new() }
    }

    /// Allows what was found of this kind at this path, for this reason. In the path, `*` stands for any id: `ledgers/*`.
    /// What is allowed and not found is itself a finding, and so is an allowance without a reason.
    pub fn allow(mut self, lint: Lint, path: &str, reason: &str) -> Self {
        let is_meant = |finding: &Finding| finding.lint == lint && matches(path, &finding.path);
        let (meant, rest): (Vec<_>, Vec<_>) = self.found.into_iter().partition(is_meant);
        self.found = rest;
        let wrong = match (meant.is_empty(), reason.trim().is_empty()) {
            (true, _) => Some(("take the allowance out", "is allowed here, and is not found")),
            (false, true) => Some(("say why it is meant to be so", "is allowed here without a reason")),
            (false, false) => None,
        };
        if let Some((advice, what)) = wrong {
            let what = format!("{lint} {what}");
            self.found.push(Finding::new(Lint::Allowance, Arc::from(path), what, advice));
        }
        let reason = reason.to_owned();
        self.allowed.extend(meant.into_iter().map(|finding| Allowed { finding, reason: reason.clone() }));
        self
    }

    /// What was found and is not allowed.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.found.iter()
    }

    /// What is allowed.
    pub fn allowed(&self) -> &[Allowed] {
        &self.allowed
    }

    /// Whether all that was found is allowed.
    pub fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// For a unit test.
    ///
    /// # Panics
    /// If something was found that is not allowed, with all of that.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.is_clean(), "{self}");
    }
}

impl Display for Findings {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            f.write_str("nothing was found that is not allowed\n")?;
        }
        for finding in &self.found {
            writeln!(f, "{finding}")?;
        }
        let same = |one: &Allowed, next: &Allowed| {
            one.finding.lint == next.finding.lint && one.reason == next.reason
        };
        for alike in self.allowed.chunk_by(same) {
            let paths: Vec<Arc<str>> = alike.iter().map(|allowed| allowed.finding.path.clone()).collect();
            let Allowed { finding, reason } = &alike[0];
            writeln!(f, "{}: {}: allowed: {reason}", finding.lint, Listed::of(&paths))?;
        }
        Ok(())
    }
}

/// Whether a path is meant by a pattern, id by id.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(meant, id)| *meant == "*" || meant == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let rows = [
            ("", "", true),
            ("a", "a", true),
            ("a", "b", false),
            ("*", "a", true),
            ("*", "a/b", false),
            ("a/*", "a/b", true),
            ("a/*", "a", false),
            ("*/b", "a/b", true),
            ("a/*/c", "a/b/c", true),
            ("a/b", "", false),
        ];
        for (pattern, path, expected) in rows {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
