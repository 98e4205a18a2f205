//! What a supervisor reports as an error, in OTP's words. Which decisions are reports is for whoever decides to say.

use core::fmt;

/// What OTP's supervisor would report of a decision. Complete by definition: OTP has no others.
///
/// # OTP
/// The context of a supervisor report (`errorContext`), which is how it prints here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SupervisorReport {
    /// A child ended, and for its restart type that is an error.
    ChildTerminated,
    /// A child failed to start.
    StartError,
    /// A child that was to be stopped ended otherwise than it was asked to, or had to be killed.
    ShutdownError,
    /// There were too many restarts: the supervisor ends.
    Shutdown,
}

impl fmt::Display for SupervisorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChildTerminated => "child_terminated",
            Self::StartError => "start_error",
            Self::ShutdownError => "shutdown_error",
            Self::Shutdown => "shutdown",
        })
    }
}
