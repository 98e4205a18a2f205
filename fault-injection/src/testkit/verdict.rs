//! What a run of a test amounts to: passed, or why not.

use std::fmt;

use crate::sim::Run;

/// What a test may return.
pub trait Verdict {
    /// Whether it passed, or else what it says.
    ///
    /// # Errors
    /// What a failed test says.
    fn verdict(self) -> Result<(), String>;
}

impl Verdict for () {
    fn verdict(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: fmt::Debug> Verdict for Result<(), E> {
    fn verdict(self) -> Result<(), String> {
        self.map_err(|error| format!("it returned an error: {error:?}"))
    }
}

/// Judges a run: the test itself, then how everybody stopped, then who did not.
pub(super) fn judge(run: &Run<Result<(), String>>) -> Result<(), String> {
    match &run.result {
        Ok(Ok(())) => {}
        Ok(Err(text)) => return Err(text.clone()),
        Err(error) => return Err(error.to_string()),
    }
    let mut faults: Vec<String> = Vec::new();
    faults.extend(run.leaked.iter().map(|path| {
        format!(
            "`{path}` was left over: it lives after the shutdown; who minds it, and does it obey its stop?"
        )
    }));
    for stop in &run.stops {
        let killed = stop.killed.iter().filter(|path| !run.leaked.contains(path));
        faults.extend(killed.map(|path| format!("`{path}` did not stop in time and was killed")));
        // A kill is how some children are meant to be stopped; one that is not is found otherwise.
        let unclean = stop.unclean.iter().filter(|(_, reason)| reason.kind() != "killed");
        faults.extend(unclean.map(|(path, reason)| format!("`{path}` did not stop cleanly: {reason}")));
    }
    faults.extend(
        run.late
            .iter()
            .map(|path| format!("`{path}` did not stop in the time its spec gives it, and was killed")),
    );
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}
