//! Traces as they are compared: what means nothing is made the same on both sides, and where two part is found. What means
//! nothing is listed at `canonical`, and nothing else is forgiven.

use std::collections::BTreeMap;
use std::fmt;

/// The traces of a text by the names of their scenarios, each in its canonical form.
///
/// # Panics
/// Two scenarios have one name: one of them would not be compared.
pub fn traces(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut traces = BTreeMap::new();
    let (mut name, mut lines) = (String::new(), Vec::new());
    for line in text.lines().map(str::trim_end) {
        match line.strip_prefix("scenario ").or_else(|| line.strip_prefix("procs ")) {
            Some(next) => name = next.to_owned(),
            None if line == "end" => {
                let trace = canonical(std::mem::take(&mut lines));
                assert!(traces.insert(name.clone(), trace).is_none(), "two scenarios are called {name}");
            }
            None => lines.push(line.to_owned()),
        }
    }
    traces
}

/// Step by step:
///
/// * the order of `~` lines that follow each other means nothing: they are sorted;
/// * what a supervisor reports while it ends as an orphan is concurrent with the rest, as its end is: it stands there;
/// * a process that sends a signal and dies of it over links in the same step may or may not have answered before.
fn canonical(lines: Vec<String>) -> Vec<String> {
    let mut canonical = Vec::with_capacity(lines.len());
    for step in lines.chunk_by(|_, next| !next.starts_with("step ")) {
        let mut step = step.to_vec();
        move_reports_of_orphans(&mut step);
        forgive_who_dies_of_its_own_signal(&mut step);
        for run in step.chunk_by_mut(|a, b| a.starts_with('~') == b.starts_with('~')) {
            if run[0].starts_with('~') {
                run.sort_unstable();
            }
        }
        canonical.append(&mut step);
    }
    canonical
}

fn move_reports_of_orphans(step: &mut Vec<String>) {
    let word = |line: &str, at: usize| line.split(' ').nth(at).map(str::to_owned);
    let ended: Vec<String> =
        step.iter().filter(|line| line.starts_with("~ exit ")).filter_map(|line| word(line, 2)).collect();
    let Some(at) = step.iter().rposition(|line| line.starts_with("~ exit ")) else { return };
    let is_orphans = |line: &String| {
        line.starts_with("report ") && word(line, 1).is_some_and(|reporter| ended.contains(&reporter))
    };
    let after = step.split_off(at);
    let reports: Vec<String> = step.extract_if(.., |line| is_orphans(line)).collect();
    step.extend(reports.into_iter().map(|report| format!("~ {report}")));
    step.extend(after);
}

fn forgive_who_dies_of_its_own_signal(step: &mut [String]) {
    let words: Vec<&str> = step[0].trim_end_matches(')').split(' ').collect();
    let ["step", "(signal", sender, receiver, _] = words[..] else { return };
    let is_dead = |who: &str| step.iter().any(|line| line.starts_with(&format!("dead {who} ")));
    let dies_over_links = sender != receiver && is_dead(sender) && is_dead(receiver);
    if let (true, Some(result)) = (dies_over_links, step.last_mut())
        && (result == "= dead" || result == "= true")
    {
        *result = "= true or dead".to_owned();
    }
}

/// Where two traces part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The step in which they do, as it is written.
    pub step: String,
    /// The first line that differs, or nothing if the trace ends there.
    pub expected: Option<String>,
    /// What stands in its place.
    pub came: Option<String>,
}

impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |line: &Option<String>| line.clone().unwrap_or_else(|| "nothing more".to_owned());
        write!(f, "{}: `{}` in place of `{}`", self.step, line(&self.came), line(&self.expected))
    }
}

/// The first place where two traces differ, if they do.
pub fn parting(expected: &[String], came: &[String]) -> Option<Parting> {
    let longest = expected.len().max(came.len());
    let at = (0..longest).find(|at| expected.get(*at) != came.get(*at))?;
    let until = &expected[..expected.len().min(at + 1)];
    let step = until.iter().rev().find(|line| line.starts_with("step "));
    Some(Parting {
        step: step.map_or("before the first step", String::as_str).to_owned(),
        expected: expected.get(at).cloned(),
        came: came.get(at).cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical_of(text: &str) -> Vec<String> {
        canonical(text.lines().map(str::to_owned).collect())
    }

    #[test]
    fn what_means_nothing_is_made_the_same_and_nothing_else_is() {
        let rows = [
            // A set.
            ("step 1 (a)\n~ exit b x\n~ exit a x\n= ok", "step 1 (a)\n~ exit a x\n~ exit b x\n= ok", true),
            // Two sets are not one.
            (
                "step 1 (a)\n~ exit b x\nexit c x\n~ exit a x",
                "step 1 (a)\n~ exit a x\nexit c x\n~ exit b x",
                false,
            ),
            // Order means something elsewhere.
            ("step 1 (a)\nexit b x\nexit a x", "step 1 (a)\nexit a x\nexit b x", false),
            // What an orphan reports.
            (
                "step 1 (a)\nreport r/s shutdown_error a b\nexit r/a x\n~ exit r/s killed\n= ok",
                "step 1 (a)\nexit r/a x\nreport r/s shutdown_error a b\n~ exit r/s killed\n= ok",
                true,
            ),
            // What another reports.
            (
                "step 1 (a)\nreport r/t shutdown_error a b\nexit r/a x\n~ exit r/s killed\n= ok",
                "step 1 (a)\nexit r/a x\nreport r/t shutdown_error a b\n~ exit r/s killed\n= ok",
                false,
            ),
            // A sender that dies of its own signal over links.
            (
                "step (signal a b x)\ndead a x\ndead b x\n= true",
                "step (signal a b x)\ndead a x\ndead b x\n= dead",
                true,
            ),
            // One that lives, one that signals itself, and another step.
            ("step (signal a b x)\ndead b x\n= true", "step (signal a b x)\ndead b x\n= dead", false),
            ("step (signal a b x)\ndead a x\n= true", "step (signal a b x)\ndead a x\n= dead", false),
            ("step (signal a a x)\ndead a x\n= true", "step (signal a a x)\ndead a x\n= dead", false),
            (
                "step (link a b)\ndead a x\ndead b x\n= true",
                "step (link a b)\ndead a x\ndead b x\n= dead",
                false,
            ),
            // Who has died is looked at in any case.
            (
                "step (signal a b x)\ndead a x\ndead b x\n= true",
                "step (signal a b x)\ndead a y\ndead b x\n= dead",
                false,
            ),
        ];
        for (one, other, is_same) in rows {
            assert_eq!(canonical_of(one) == canonical_of(other), is_same, "{one}\n{other}");
        }
    }

    #[test]
    fn the_first_difference_is_found_with_its_step() {
        let expected = canonical_of("step (exit a boom)\ndead a boom\n= ok");
        assert_eq!(parting(&expected, &expected), None);
        let other = canonical_of("step (exit a boom)\n= ok");
        let found = parting(&expected, &other).expect("a line is missing").to_string();
        assert_eq!(found, "step (exit a boom): `= ok` in place of `dead a boom`");
        for shorter in [&expected[..2], &[]] {
            assert!(parting(&expected, shorter).is_some_and(|at| at.came.is_none()));
            assert!(parting(shorter, &expected).is_some_and(|at| at.expected.is_none()));
        }
    }
}
