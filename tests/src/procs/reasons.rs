//! Exit reasons as the words of a scenario, and as a trace shows them.

use std::fmt;

use minder::prelude::*;

/// What a process throws and nobody catches: an error like any other.
#[derive(Debug)]
struct NoCatch(String);

impl fmt::Display for NoCatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nocatch {}", self.0)
    }
}

impl std::error::Error for NoCatch {}

/// Why somebody shuts down, in a word.
#[derive(Debug)]
struct Cause(String);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}

/// The reason that a word names. `kill` is one like any other here; to send the kill is another thing.
pub(super) fn reason(word: &str) -> ExitReason {
    match (word, word.split_once(':')) {
        ("normal", _) => ExitReason::Normal,
        ("shutdown", _) => ExitReason::Shutdown,
        ("killed", _) => ExitReason::Killed,
        ("noproc", _) => ExitReason::NoActor,
        (_, Some(("shutdown", cause))) => ExitReason::shutdown_with(Cause(cause.to_owned())),
        _ => ExitReason::other(word),
    }
}

/// Of an uncaught throw.
pub(super) fn thrown(what: &str) -> ExitReason {
    ExitReason::error(NoCatch(what.to_owned()))
}

/// The reason as a trace shows it.
pub(super) fn shown(reason: &ExitReason) -> String {
    match reason {
        ExitReason::NoActor => "noproc".to_owned(),
        ExitReason::ShutdownWith(cause) => format!("(shutdown {cause})"),
        ExitReason::Panic(report) => format!("(error {})", report.text),
        ExitReason::Error(error) if error.is::<NoCatch>() => format!("({error})"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_shown_as_otp_shows_it() {
        let rows = [
            ("boom", "boom"),
            ("normal", "normal"),
            ("killed", "killed"),
            ("kill", "kill"),
            ("noproc", "noproc"),
            ("shutdown", "shutdown"),
            ("shutdown:x", "(shutdown x)"),
            ("other:x", "other:x"),
        ];
        for (word, expected) in rows {
            assert_eq!(shown(&reason(word)), expected, "{word}");
        }
        assert_eq!(shown(&thrown("ball")), "(nocatch ball)");
        assert_ne!(reason("kill"), ExitReason::Killed);
    }
}
