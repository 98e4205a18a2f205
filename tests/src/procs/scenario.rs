//! What a scenario asks for: its steps, read from nested words. Does nothing.

use std::fmt;
use std::sync::Arc;

use minder::AliasEnds;

use crate::words::Words;

/// The name of a process, a monitor or an alias, or a registered one.
pub(super) type Word = Arc<str>;

/// Steps to be carried out, one after another.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(super) name: String,
    /// Each with its text, single-spaced.
    pub(super) steps: Vec<(String, Step)>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Spawn(Word),
    Whereis(Word),
    Alive(Word),
    /// Carried out by a process.
    By(Word, Act),
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    SpawnLink(Word),
    SpawnMonitor(Word, Word),
    Trap(bool),
    Link(Word),
    Unlink(Word),
    End(Ending),
    /// To whom, and a reason in a word; `kill` is the kill.
    Signal(Word, Word),
    Monitor {
        label: Word,
        target: Word,
        /// What its message starts with.
        tag: Word,
    },
    MonitorName(Word, Word),
    MonitorAlias(Word, Word, AliasEnds),
    Demonitor {
        label: Word,
        flush: bool,
        info: bool,
    },
    Alias {
        label: Word,
        once: bool,
    },
    Unalias(Word),
    Send(Word, Word),
    SendAlias(Word, Word),
    SendName(Word, Word),
    Register(Word, Word),
    Unregister(Word),
    Links,
    Monitors,
    Trapping,
}

/// How a process ends by itself.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    Exit(Word),
    Raise(Word),
    Throw(Word),
    Return,
}

/// A line that is no scenario.
#[derive(Debug)]
pub struct BadLine {
    line: usize,
    expected: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}", self.line, self.expected)
    }
}

impl std::error::Error for BadLine {}

/// The scenarios of a text, one a line; blank lines are skipped, and those that begin with `;` or `#`.
///
/// # Errors
/// The first line that is none, and what was expected of it.
pub fn read(text: &str) -> Result<Vec<Scenario>, BadLine> {
    let lines = text.lines().map(str::trim).enumerate();
    let useful = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with([';', '#']));
    useful.map(|(at, line)| scenario(line).map_err(|expected| BadLine { line: at + 1, expected })).collect()
}

fn scenario(line: &str) -> Result<Scenario, String> {
    let words = Words::parse(line)?;
    let whole = || "(procs NAME (steps STEP...))".to_owned();
    let Some(("procs", [name, steps])) = words.call() else { return Err(whole()) };
    let (Some(name), Some(("steps", steps))) = (name.word(), steps.call()) else { return Err(whole()) };
    let mut spawned: Vec<Word> = Vec::new();
    let mut read = Vec::with_capacity(steps.len());
    for words in steps {
        let step = step(words)?;
        if let Step::Spawn(new) | Step::By(_, Act::SpawnLink(new) | Act::SpawnMonitor(_, new)) = &step {
            if spawned.contains(new) {
                return Err(format!("a name that no other process has in `{words}`"));
            }
            spawned.push(new.clone());
        }
        read.push((words.to_string(), step));
    }
    Ok(Scenario { name: name.to_owned(), steps: read })
}

fn step(words: &Words) -> Result<Step, String> {
    let Some((verb, rest)) = words.call() else {
        return Err(format!("(VERB WORD...) in place of `{words}`"));
    };
    let Some(rest) = rest.iter().map(Words::word).collect::<Option<Vec<&str>>>() else {
        return Err(format!("words alone in `{words}`"));
    };
    let usage = usage(verb).ok_or_else(|| format!("a step in place of `{words}`; known are {}", verbs()))?;
    known(verb, &rest).ok_or_else(|| format!("`{usage}` in place of `{words}`"))
}

/// The steps, and how each is written.
pub(super) const STEPS: &[&str] = &[
    "(spawn A)",
    "(spawn_link A B)",
    "(spawn_monitor A M B)",
    "(trap A yes|no)",
    "(link A B)",
    "(unlink A B)",
    "(exit A REASON)",
    "(raise A X)",
    "(throw A X)",
    "(return A)",
    "(signal A B REASON)",
    "(monitor A M B)",
    "(monitor_name A M NAME)",
    "(monitor_tag A M B TAG)",
    "(monitor_alias A M B explicit_unalias|demonitor|reply_demonitor)",
    "(demonitor A M [flush] [info])",
    "(alias A L [reply|explicit_unalias])",
    "(unalias A L)",
    "(send A B T)",
    "(send_alias A L T)",
    "(send_name A N T)",
    "(register A N B)",
    "(unregister A N)",
    "(whereis N)",
    "(alive A)",
    "(links A)",
    "(monitors A)",
    "(trapping A)",
];

fn verb_of(usage: &str) -> &str {
    usage[1..].split([' ', ')']).next().unwrap_or("")
}

fn usage(verb: &str) -> Option<&'static str> {
    STEPS.iter().copied().find(|usage| verb_of(usage) == verb)
}

fn verbs() -> String {
    STEPS.iter().map(|usage| verb_of(usage)).collect::<Vec<_>>().join(", ")
}

fn known(verb: &str, rest: &[&str]) -> Option<Step> {
    let word = |word: &str| Word::from(word);
    match (verb, rest) {
        ("spawn", [a]) => return Some(Step::Spawn(word(a))),
        ("whereis", [name]) => return Some(Step::Whereis(word(name))),
        ("alive", [a]) => return Some(Step::Alive(word(a))),
        _ => {}
    }
    let (by, rest) = rest.split_first()?;
    let act = match (verb, rest) {
        ("spawn_link", [b]) => Act::SpawnLink(word(b)),
        ("spawn_monitor", [m, b]) => Act::SpawnMonitor(word(m), word(b)),
        ("trap", ["yes"]) => Act::Trap(true),
        ("trap", ["no"]) => Act::Trap(false),
        ("link", [b]) => Act::Link(word(b)),
        ("unlink", [b]) => Act::Unlink(word(b)),
        ("exit", [why]) => Act::End(Ending::Exit(word(why))),
        ("raise", [what]) => Act::End(Ending::Raise(word(what))),
        ("throw", [what]) => Act::End(Ending::Throw(word(what))),
        ("return", []) => Act::End(Ending::Return),
        ("signal", [b, why]) => Act::Signal(word(b), word(why)),
        ("monitor", [m, b]) => Act::Monitor { label: word(m), target: word(b), tag: word("DOWN") },
        ("monitor_tag", [m, b, tag]) => Act::Monitor { label: word(m), target: word(b), tag: word(tag) },
        ("monitor_name", [m, name]) => Act::MonitorName(word(m), word(name)),
        ("monitor_alias", [m, b, ends]) => {
            let ends = match *ends {
                "explicit_unalias" => AliasEnds::Explicitly,
                "demonitor" => AliasEnds::WithMonitor,
                "reply_demonitor" => AliasEnds::WithReply,
                _ => return None,
            };
            Act::MonitorAlias(word(m), word(b), ends)
        }
        ("demonitor", [m, options @ ..]) if options.iter().all(|it| matches!(*it, "flush" | "info")) => {
            let (flush, info) = (options.contains(&"flush"), options.contains(&"info"));
            Act::Demonitor { label: word(m), flush, info }
        }
        ("alias", [l] | [l, "explicit_unalias"]) => Act::Alias { label: word(l), once: false },
        ("alias", [l, "reply"]) => Act::Alias { label: word(l), once: true },
        ("unalias", [l]) => Act::Unalias(word(l)),
        ("send", [b, text]) => Act::Send(word(b), word(text)),
        ("send_alias", [l, text]) => Act::SendAlias(word(l), word(text)),
        ("send_name", [name, text]) => Act::SendName(word(name), word(text)),
        ("register", [name, b]) => Act::Register(word(name), word(b)),
        ("unregister", [name]) => Act::Unregister(word(name)),
        ("links", []) => Act::Links,
        ("monitors", []) => Act::Monitors,
        ("trapping", []) => Act::Trapping,
        _ => return None,
    };
    Some(Step::By(word(by), act))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_read_as_it_is_written() {
        for usage in STEPS {
            // The first of what may be chosen, and all that may be left out.
            let example: String = usage.replace(['[', ']'], "").split('|').next().unwrap_or("").to_owned();
            let example = if example.ends_with(')') { example } else { format!("{example})") };
            let text = format!("\n; a remark\n(procs it (steps {example}))");
            let read = read(&text).unwrap_or_else(|bad| panic!("{usage}: {bad}"));
            assert_eq!(read[0].steps[0].0, example);
        }
    }

    #[test]
    fn a_bad_line_is_named_with_what_was_expected() {
        let rows = [
            ("(procs a (steps))\n(procs b", "line 2: expected 1 more `)`"),
            ("(scenario a (steps))", "line 1: expected (procs NAME (steps STEP...))"),
            (
                "# x\n(procs a (steps (trap a maybe)))",
                "line 2: expected `(trap A yes|no)` in place of `(trap a maybe)`",
            ),
            ("(procs a (steps (spawn a (b))))", "line 1: expected words alone in `(spawn a (b))`"),
            ("(procs a (steps b))", "line 1: expected (VERB WORD...) in place of `b`"),
            ("(procs a (steps (fly a)))", "line 1: expected a step in place of `(fly a)`; known are spawn, "),
            (
                "(procs a (steps (spawn a) (spawn_link a a)))",
                "line 1: expected a name that no other process has in `(spawn_link a a)`",
            ),
        ];
        for (text, expected) in rows {
            let bad = read(text).expect_err(text).to_string();
            assert!(bad.starts_with(expected), "{bad}");
        }
    }
}
