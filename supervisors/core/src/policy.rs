//! What a child may be given beyond OTP. All of it is off unless asked for, and takes no room then: rules hold nothing.
//! Each concept has a file of its own; here they only stand together.
//! Does not decide anything.

use crate::{ChildRules, ReportsReady};
use alloc::sync::Arc;

/// What a child is given beyond OTP; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Whether it says when it is ready to serve.
    pub readiness: Option<ReportsReady>,
}

impl ChildRules {
    /// What this child is given beyond OTP, for setting something in it.
    pub fn policy_mut(&mut self) -> &mut Policy {
        Arc::make_mut(self.policy.get_or_insert_default())
    }
}
