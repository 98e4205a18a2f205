//! A scenario as it is written: what is read is checked for its form only. Values that no supervisor accepts are written
//! on purpose, and are kept as they are.

use std::fmt;
use std::time::Duration;

use super::reasons::Reason;
use crate::words::Words;

/// A tree, and what is done to it.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(super) name: String,
    pub(super) root: SupDef,
    pub(super) steps: Vec<(String, Step)>,
}

/// A line that is no scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// What was expected there.
    pub expected: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}", self.line, self.expected)
    }
}

impl std::error::Error for BadLine {}

/// The scenarios of a file, one a line; blank lines and those that begin with `;` or `#` are passed over.
///
/// # Errors
/// The first line that is none.
pub fn read(text: &str) -> Result<Vec<Scenario>, BadLine> {
    let mut scenarios = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with([';', '#']) {
            continue;
        }
        let scenario = Words::parse(line).and_then(|words| Scenario::of(&words));
        scenarios.push(scenario.map_err(|expected| BadLine { line: at + 1, expected })?);
    }
    Ok(scenarios)
}

/// A supervisor; a field that is absent is not passed to it.
#[derive(Clone, Debug, Default)]
pub(super) struct SupDef {
    pub(super) strategy: Option<String>,
    pub(super) intensity: Option<String>,
    pub(super) period: Option<String>,
    pub(super) auto_shutdown: Option<String>,
    pub(super) init: Option<String>,
    pub(super) children: Vec<ChildDef>,
}

impl SupDef {
    pub(super) fn is_dynamic(&self) -> bool {
        self.strategy.as_deref() == Some("simple_one_for_one")
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct ChildDef {
    pub(super) id: Option<String>,
    pub(super) restart: Option<String>,
    pub(super) shutdown: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) significant: Option<String>,
    pub(super) starts: Vec<Outcome>,
    pub(super) traps: bool,
    pub(super) stop: StopTime,
    pub(super) sup: Option<SupDef>,
}

/// What one attempt to start does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Ignore,
    Raise,
    Fail(Reason),
}

/// How long termination code takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopTime {
    Takes(Duration),
    Hangs,
}

impl Default for StopTime {
    fn default() -> Self {
        Self::Takes(Duration::ZERO)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Crash(String, Reason),
    Kill(String),
    Signal(String, Reason),
    Stop(String, Reason),
    ExitRoot(Reason),
    Wait(Duration),
    Batch(String, Vec<Item>),
    Request(String, Request),
}

/// What is done to the children of a supervisor that is paused, or asked of it.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Crash(String, Reason),
    Kill(String),
    Request(Request),
}

#[derive(Clone, Debug)]
pub(super) enum Request {
    StartChild(Box<ChildDef>),
    StartDyn(String),
    Terminate(String),
    Restart(String),
    Delete(String),
    Which,
    Count,
    Spec(String),
}

impl Scenario {
    fn of(words: &Words) -> Result<Self, String> {
        let Some(("scenario", [Words::Word(name), fields @ ..])) = words.call() else {
            return Err("`(scenario NAME (sup …) (steps …))`".to_owned());
        };
        let (mut root, mut steps) = (None, None);
        for field in fields {
            match field.call() {
                Some(("sup", fields)) if root.is_none() => root = Some(SupDef::of(fields)?),
                Some(("steps", all)) if steps.is_none() => {
                    let step = |words: &Words| Ok((words.to_string(), Step::of(words)?));
                    steps = Some(all.iter().map(step).collect::<Result<_, String>>()?);
                }
                _ => return Err(format!("one `(sup …)` and one `(steps …)` instead of `{field}`")),
            }
        }
        let root = root.ok_or("a `(sup …)`")?;
        Ok(Self { name: name.clone(), root, steps: steps.ok_or("`(steps …)`")? })
    }
}

/// Sets a field that may stand once.
fn once(place: &mut Option<String>, key: &str, values: &[Words]) -> Result<(), String> {
    match values {
        [Words::Word(word)] if place.is_none() => {
            *place = Some(word.clone());
            Ok(())
        }
        _ => Err(format!("one `({key} WORD)`")),
    }
}

impl SupDef {
    fn of(fields: &[Words]) -> Result<Self, String> {
        let mut sup = Self::default();
        for field in fields {
            let Some((key, values)) = field.call() else {
                return Err(format!("a field instead of `{field}`"));
            };
            match key {
                "strategy" => once(&mut sup.strategy, key, values)?,
                "intensity" => once(&mut sup.intensity, key, values)?,
                "period" => once(&mut sup.period, key, values)?,
                "auto_shutdown" => once(&mut sup.auto_shutdown, key, values)?,
                "init" => match values {
                    [Words::Word(word)] if ["ok", "ignore", "raise", "bad"].contains(&word.as_str()) => {
                        once(&mut sup.init, key, values)?;
                    }
                    _ => return Err("`(init ok|ignore|raise|bad)`".to_owned()),
                },
                "child" => sup.children.push(ChildDef::of(values)?),
                other => return Err(format!("a field of a supervisor instead of `{other}`")),
            }
        }
        Ok(sup)
    }
}

impl ChildDef {
    fn of(fields: &[Words]) -> Result<Self, String> {
        let mut child = Self { starts: vec![Outcome::Ok], ..Self::default() };
        for field in fields {
            let Some((key, values)) = field.call() else {
                return Err(format!("a field instead of `{field}`"));
            };
            match (key, values) {
                ("id", _) => once(&mut child.id, key, values)?,
                ("restart", _) => once(&mut child.restart, key, values)?,
                ("shutdown", _) => once(&mut child.shutdown, key, values)?,
                ("type", _) => once(&mut child.kind, key, values)?,
                ("significant", _) => once(&mut child.significant, key, values)?,
                ("starts", [_, ..]) => {
                    child.starts = values.iter().map(Outcome::of).collect::<Result<_, _>>()?;
                }
                ("trap", [Words::Word(word)]) if ["yes", "no"].contains(&word.as_str()) => {
                    child.traps = word == "yes";
                }
                ("stop", [Words::Word(word)]) if word == "hang" => child.stop = StopTime::Hangs,
                ("stop", [Words::Word(word)]) => child.stop = StopTime::Takes(millis(word)?),
                ("sup", fields) => child.sup = Some(SupDef::of(fields)?),
                _ => return Err(format!("a field of a child instead of `{field}`")),
            }
        }
        Ok(child)
    }
}

impl Outcome {
    fn of(words: &Words) -> Result<Self, String> {
        let expected = || format!("`ok`, `ignore`, `raise`, `fail` or `fail:REASON` instead of `{words}`");
        Ok(match words.word().ok_or_else(expected)? {
            "ok" => Self::Ok,
            "ignore" => Self::Ignore,
            "raise" => Self::Raise,
            "fail" => Self::Fail(Reason::of("boom")),
            other => Self::Fail(Reason::of(other.strip_prefix("fail:").ok_or_else(expected)?)),
        })
    }
}

fn millis(word: &str) -> Result<Duration, String> {
    word.parse()
        .map(Duration::from_millis)
        .map_err(|_| format!("a number of milliseconds instead of `{word}`"))
}

impl Step {
    fn of(words: &Words) -> Result<Self, String> {
        let expected = || format!("a step instead of `{words}`");
        let (op, arguments) = words.call().ok_or_else(expected)?;
        if let ("exit_root", [reason]) = (op, arguments) {
            return Ok(Self::ExitRoot(Reason::parse(reason)?));
        }
        let (path, rest) = match arguments {
            [Words::Word(path), rest @ ..] => (path.clone(), rest),
            _ => return Err(expected()),
        };
        Ok(match (op, rest) {
            ("crash", [reason]) => Self::Crash(path, Reason::parse(reason)?),
            ("kill", []) => Self::Kill(path),
            ("signal", [reason]) => Self::Signal(path, Reason::parse(reason)?),
            ("stop", [reason]) => Self::Stop(path, Reason::parse(reason)?),
            ("wait", []) => Self::Wait(millis(&path)?),
            ("batch", items) => Self::Batch(path, items.iter().map(Item::of).collect::<Result<_, _>>()?),
            _ => Self::Request(path, Request::of(op, rest).ok_or_else(expected)??),
        })
    }
}

impl Item {
    fn of(words: &Words) -> Result<Self, String> {
        let expected = || format!("an item of a batch instead of `{words}`");
        let (op, arguments) = words.call().ok_or_else(expected)?;
        Ok(match (op, arguments) {
            ("crash", [Words::Word(id), reason]) => Self::Crash(id.clone(), Reason::parse(reason)?),
            ("kill", [Words::Word(id)]) => Self::Kill(id.clone()),
            _ => Self::Request(Request::of(op, arguments).ok_or_else(expected)??),
        })
    }
}

impl Request {
    /// Nothing if this is no request.
    fn of(op: &str, arguments: &[Words]) -> Option<Result<Self, String>> {
        Some(Ok(match (op, arguments) {
            ("which_children", []) => Self::Which,
            ("count_children", []) => Self::Count,
            ("start_child", [child]) => {
                let Some(("child", fields)) = child.call() else { return None };
                match ChildDef::of(fields) {
                    Ok(child) => Self::StartChild(Box::new(child)),
                    Err(expected) => return Some(Err(expected)),
                }
            }
            (_, [Words::Word(id)]) => match op {
                "start_dyn" => Self::StartDyn(id.clone()),
                "terminate_child" => Self::Terminate(id.clone()),
                "restart_child" => Self::Restart(id.clone()),
                "delete_child" => Self::Delete(id.clone()),
                "get_childspec" => Self::Spec(id.clone()),
                _ => return None,
            },
            _ => return None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_says_where_and_what_was_expected() {
        let rows = [
            ("\n; a remark\n(scenario a (sup) (steps", 3, "2 more `)`"),
            ("(scenario a (sup))", 1, "`(steps …)`"),
            ("(scenario a (sup (color red)) (steps))", 1, "a field of a supervisor instead of `color`"),
            (
                "(scenario a (sup (child (stop soon))) (steps))",
                1,
                "a number of milliseconds instead of `soon`",
            ),
            ("(scenario a (sup) (steps (jump root)))", 1, "a step instead of `(jump root)`"),
            ("(scenario a (sup) (steps (batch root (jump))))", 1, "an item of a batch instead of `(jump)`"),
            ("(procs a (steps))", 1, "`(scenario NAME (sup …) (steps …))`"),
        ];
        for (text, line, expected) in rows {
            let bad = read(text).expect_err(text);
            assert_eq!((bad.line, bad.expected.contains(expected)), (line, true), "{bad}");
        }
    }
}
