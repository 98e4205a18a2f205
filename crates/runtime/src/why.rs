//! Why somebody is not where it stood, for those who watch: of directories, and of groups, which tell the same.
//! Does not say why an actor ended, which is an `ExitReason`'s to say.

use minder_signals::ExitReason;

/// Why an entry in a directory, or a membership in a group, is gone.
///
/// # OTP
/// The listeners of Elixir's `Registry` are told what is [`Why::Asked`] here, and of no end.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// It was taken back.
    Asked,
    /// The life whose it was has ended for this reason; for a membership of a seat, or that was given up.
    Ended(ExitReason),
}
