//! What is wrong or suspicious in a tree, as an assertion for a unit test: `spec.lint().assert_clean()`.
//! The findings are in `findings.rs`, what is looked for in `rules.rs`; the facts are those of `explain/`.
//! Does not refuse anything: that is `Spec::check`'s business.

mod findings;
mod rules;

pub use findings::{Allowed, Finding, Findings, Lint};

use crate::spec::Spec;

impl Spec {
    /// Looks for what is wrong or suspicious in this tree; [`Lint`] lists what. Nothing is started.
    ///
    /// Worth a unit test for every tree that is started in earnest. Most findings are trade-offs: what is meant so is
    /// allowed, with the reason, and the test fails again as soon as there is nothing left to allow.
    ///
    /// ```
    /// use std::time::Duration;
    /// use minder_supervisors::{Lint, one_for_one, task, tree};
    ///
    /// let forever = || std::future::pending::<()>();
    /// let jobs = one_for_one().limit(3, Duration::from_secs(5)).child(task("mail", forever));
    /// // Four crashes make one restart of `jobs`: three of those take longer than 5 s if the mail crashes every 1.5 s.
    /// let spec = one_for_one().limit(3, Duration::from_secs(5)).child(tree("jobs", jobs));
    /// assert_eq!(spec.lint().iter().map(|finding| finding.lint).collect::<Vec<_>>(), [Lint::BlindZone]);
    /// spec.limit(3, Duration::from_secs(20)).lint().assert_clean();
    /// ```
    pub fn lint(&self) -> Findings {
        Findings::new(rules::look_at(self))
    }
}
