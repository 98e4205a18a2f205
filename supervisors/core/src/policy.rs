//! What a child may be given beyond OTP. All of it is off unless asked for, and takes no room then: rules hold nothing.
//! Each concept has a file of its own; here they only stand together.
//! Does not decide anything.

use crate::{Backoff, ChildRules, Decision, ReportsReady, Restart, SpecError};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// What a child is given beyond OTP; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Policy {
    /// Whether it says when it is ready to serve.
    pub readiness: Option<ReportsReady>,
    /// How long its restarts wait. Without it they do not.
    pub backoff: Option<Backoff>,
    /// How often it may be restarted within a period, beside the limit of its supervisor.
    pub budget: Option<Budget>,
    /// How often it may be restarted in a row.
    pub in_a_row: Option<InARow>,
    /// What becomes of it when it has used up either of these.
    pub exhausted: Exhausted,
    /// Whether it has no process until it is enabled. Not for instances of dynamic supervisors.
    pub disabled: bool,
    /// The ids of the children that it needs, in a supervisor that starts its children by needs.
    pub needs: Vec<Arc<str>>,
}

/// How often a child may be restarted within a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// So often, and not once more.
    pub restarts: u32,
    /// Within so long; a restart exactly as old still counts.
    pub period: Duration,
}

/// How often a child may be restarted without a healthy life in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InARow {
    /// So often, and not once more.
    pub restarts: u32,
    /// How long a life must last to be healthy: from its start, or, if the child reports that it is ready, from its report.
    pub healthy_after: Duration,
}

/// What becomes of a child that has used up its own limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Exhausted {
    /// The supervisor ends, as if it had used up its own: whoever minds that decides next.
    #[default]
    Escalate,
    /// It is disabled, and its siblings are left alone: not a restart of its group brings it back, but a request only. An
    /// instance of a dynamic supervisor is forgotten.
    LeaveDown,
}

impl Exhausted {
    pub(crate) fn decision(self) -> Decision {
        match self {
            Self::Escalate => Decision::Escalate,
            Self::LeaveDown => Decision::GiveUpOnChild,
        }
    }
}

impl Policy {
    /// Whether anything in it is about restarts.
    pub(crate) fn restrains(&self) -> bool {
        self.backoff.is_some() || self.budget.is_some() || self.in_a_row.is_some()
    }

    /// Whether this makes sense for a child by these rules.
    ///
    /// # Errors
    /// What does not.
    pub(crate) fn check(&self, rules: &ChildRules) -> Result<(), SpecError> {
        let id = || rules.id.clone();
        if self.restrains() && rules.restart == Restart::Temporary {
            return Err(SpecError::RestartsOfTemporary(id()));
        }
        if let Some(error) = self.backoff.and_then(|backoff| backoff.check().err()) {
            return Err(SpecError::Backoff(id(), error));
        }
        if self.budget.is_some_and(|budget| budget.period.is_zero()) {
            return Err(SpecError::ZeroChildPeriod(id()));
        }
        if self.in_a_row.is_some_and(|in_a_row| in_a_row.healthy_after.is_zero()) {
            return Err(SpecError::ZeroHealthy(id()));
        }
        if self.exhausted != Exhausted::default() && self.budget.is_none() && self.in_a_row.is_none() {
            return Err(SpecError::NothingToExhaust(id()));
        }
        Ok(())
    }
}

impl ChildRules {
    /// What becomes of this child when it has used up its own limits.
    pub(crate) fn when_exhausted(&self) -> Exhausted {
        self.policy.as_ref().map(|policy| policy.exhausted).unwrap_or_default()
    }

    /// Gives this child what all of its supervisor's children are given unless they have it already. A temporary child is
    /// never restarted, and needs none of it.
    pub(crate) fn inherit(&mut self, common: Option<&Arc<Policy>>) {
        let Some(common) = common.filter(|_| self.restart != Restart::Temporary) else { return };
        match &mut self.policy {
            // Shared by all who have nothing of their own.
            None => self.policy = Some(common.clone()),
            Some(own) if own.backoff.is_none() => Arc::make_mut(own).backoff = common.backoff,
            Some(_) => {}
        }
    }

    /// Whether it has no process until it is enabled.
    pub fn is_disabled(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.disabled)
    }

    /// The ids of the children that it needs.
    pub fn needs(&self) -> &[Arc<str>] {
        self.policy.as_ref().map_or(&[], |policy| &policy.needs)
    }

    /// What this child is given beyond OTP, for setting something in it.
    pub fn policy_mut(&mut self) -> &mut Policy {
        Arc::make_mut(self.policy.get_or_insert_default())
    }
}
