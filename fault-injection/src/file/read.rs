//! Reads a plan from TOML. Walks the parsed tree itself instead of deriving a reader, so that a file hears of all its
//! mistakes at once, each with its place.

use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::file::nearest::nearest;
use crate::file::problem::{PlanError, Problem, place};
use crate::kind::Kind;
use crate::pattern::Pattern;
use crate::plan::Plan;
use crate::rule::{Rule, When, fault};

const PLAN_KEYS: [&str; 3] = ["name", "seed", "fault"];
const FAULT_KEYS: [&str; 10] =
    ["kind", "for", "on", "message", "nth", "every", "chance", "round_robin", "after", "limit"];
const UNITS: [&str; 10] = ["ns", "us", "ms", "s", "sec", "seconds", "min", "minutes", "h", "hours"];

const A_COUNT: &str = "a whole number of at least 1";
const A_TIME: &str = "a time in quotes, such as \"5ms\", \"2s\" or \"1m 30s\"";
const A_TEXT: &str = "a text in quotes";
const A_PATTERN: &str =
    "a pattern of actor paths in quotes, such as \"bank/*/store\", or a list of them in brackets";
const WHEN: &str = "exactly one of nth, every and chance";

impl Plan {
    /// Reads a plan. What may stand in one is said in [`file`](mod@crate::file); `file` is its name, for complaints.
    ///
    /// # Errors
    /// [`PlanError`] with everything that is wrong: line, key, what was expected, and the nearest right word. Nothing
    /// is passed over in silence.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, PlanError> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(PlanError::new(file, no_toml(text, &errors)));
        }
        let mut reader = Reader { text, fault: None, problems: Vec::new() };
        let plan = reader.plan(table.get_ref());
        if reader.problems.is_empty() { Ok(plan) } else { Err(PlanError::new(file, reader.problems)) }
    }
}

/// One complaint a line: what follows on the same line is mostly a consequence.
fn no_toml(text: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let (line, column) = place(text, error.span().map_or(0, |span| span.start));
        if problems.iter().any(|problem| problem.line == line) {
            continue;
        }
        let (wrong, expected) = match error.message().split_once(", expected ") {
            Some((wrong, expected)) => (wrong, expected.to_owned()),
            None if error.message().contains("duplicate key") => {
                (error.message(), "each key once".to_owned())
            }
            None => (error.message(), "`key = value`, one a line".to_owned()),
        };
        let source = text.lines().nth(line - 1).unwrap_or_default();
        let key = source.split('=').next().unwrap_or_default().trim().chars().take(40).collect();
        let wrong = format!("this is not TOML: {wrong}");
        problems.push(Problem { line, column, key, fault: None, wrong, expected, nearest: None });
    }
    problems
}

type Key<'i> = Spanned<DeString<'i>>;
type Value<'i> = Spanned<DeValue<'i>>;

struct Reader<'a> {
    text: &'a str,
    /// Which fault is being read.
    fault: Option<usize>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn plan(&mut self, table: &DeTable<'_>) -> Plan {
        let mut plan = Plan::default();
        let mut faults = false;
        for (key, value) in table.iter() {
            match &**key.get_ref() {
                "name" => plan.name = self.text(key, value),
                "seed" => {
                    plan.seed = self.number(key, value, 0, "a whole number from 0 to 18446744073709551615")
                }
                "fault" => {
                    faults = true;
                    plan.rules = self.faults(key, value);
                }
                _ => self.unknown(key, &PLAN_KEYS),
            }
        }
        // A misspelt `[[fault]]` has been named already.
        if !faults && self.problems.is_empty() {
            self.problem(
                "fault",
                0..0,
                "there is none, and a plan without faults proves nothing",
                "a [[fault]]",
            );
        }
        plan
    }

    fn faults(&mut self, key: &Key<'_>, value: &Value<'_>) -> Vec<Rule> {
        let expected = "a list of tables: write [[fault]] above the keys of each";
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, expected);
            return Vec::new();
        };
        let mut rules = Vec::new();
        for (index, item) in items.iter().enumerate() {
            self.fault = Some(index + 1);
            match item.get_ref().as_table() {
                Some(table) => rules.extend(self.rules(table, item.span())),
                None => self.wrong_type(key, item, expected),
            }
        }
        self.fault = None;
        rules
    }

    /// A fault of each of its kinds.
    fn rules(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Vec<Rule> {
        let (mut kinds, mut on, mut lasting, mut message, mut turns) = (None, None, None, None, None);
        let mut whens: Vec<(&Key<'_>, Option<When>)> = Vec::new();
        let mut rule = fault(Kind::PanicBefore);
        for (key, value) in table.iter() {
            match &**key.get_ref() {
                "kind" => kinds = Some(self.kinds(key, value)),
                "on" => on = Some(self.patterns(key, value)),
                "for" => {
                    lasting = Some(key);
                    rule.lasting = self.time(key, value).unwrap_or_default();
                }
                "message" => {
                    message = Some(key);
                    rule.message = self.message(key, value);
                }
                "nth" => whens.push((key, self.number(key, value, 1, A_COUNT).map(When::Nth))),
                "every" => whens.push((key, self.every(key, value))),
                "chance" => whens.push((key, self.chance(key, value).map(When::Chance))),
                "round_robin" => turns = self.truth(key, value).filter(|turns| *turns).map(|_| key),
                "after" => rule.after = self.time(key, value).unwrap_or_default(),
                "limit" => rule.limit = self.number(key, value, 1, A_COUNT).unwrap_or(u64::MAX),
                _ => self.unknown(key, &FAULT_KEYS),
            }
        }
        if kinds.is_none() {
            self.missing("kind", &["kind"], &span, &format!("one of {}", names()));
        }
        if on.is_none() {
            self.missing("on", &["on"], &span, A_PATTERN);
        }
        if let Some(when) = self.when(whens, turns, &span) {
            rule.when = when;
        }
        rule.on = on.unwrap_or_default();
        let kinds = kinds.unwrap_or_default();
        self.fit(&kinds, lasting, message, &span);
        let of_kind = |kind| {
            let lasting = if kind == Kind::Slow { rule.lasting } else { Duration::ZERO };
            Rule { kind, lasting, ..rule.clone() }
        };
        kinds.into_iter().map(of_kind).collect()
    }

    /// The one of them, if there is exactly one and nothing is wrong with it; `turns` is the key that asks for turns.
    fn when(
        &mut self,
        mut whens: Vec<(&Key<'_>, Option<When>)>,
        turns: Option<&Key<'_>>,
        span: &Range<usize>,
    ) -> Option<When> {
        whens.sort_by_key(|(key, _)| key.span().start);
        let Some((first, when)) = whens.first() else {
            self.missing("every", &["nth", "every", "chance"], span, WHEN);
            return None;
        };
        for (key, _) in &whens[1..] {
            self.problem(key.get_ref(), key.span(), &format!("there is `{}` already", first.get_ref()), WHEN);
        }
        match (turns, (*when)?) {
            (None, when) => Some(when),
            (Some(_), When::Interval(time)) => Some(When::InTurn(time)),
            (Some(key), _) => {
                let expected = "it beside every = \"1s\" or the like, or not at all";
                self.problem(key.get_ref(), key.span(), "turns need a time, one turn in each", expected);
                None
            }
        }
    }

    /// Whether keys and kinds go together.
    fn fit(
        &mut self,
        kinds: &[Kind],
        lasting: Option<&Key<'_>>,
        message: Option<&Key<'_>>,
        span: &Range<usize>,
    ) {
        let has_slow = kinds.contains(&Kind::Slow);
        match lasting {
            None if has_slow => {
                self.missing("for", &["for"], span, &format!("how long it is slow: {A_TIME}"))
            }
            Some(key) if !has_slow && !kinds.is_empty() => {
                self.problem(
                    key.get_ref(),
                    key.span(),
                    "only a slow fault lasts",
                    "it with kind = \"slow\" only",
                );
            }
            _ => {}
        }
        let without_message = kinds.iter().find(|kind| !kind.strikes_in_hand());
        if let (Some(key), Some(kind)) = (message, without_message) {
            let wrong = format!("no message is in hand when {kind} strikes");
            self.problem(key.get_ref(), key.span(), &wrong, "it with faults that strike messages only");
        }
    }

    fn kinds(&mut self, key: &Key<'_>, value: &Value<'_>) -> Vec<Kind> {
        let expected = format!("one of {}, or a list of them", names());
        let mut kinds = Vec::new();
        for (word, item) in self.texts(key, value, &expected) {
            match Kind::named(&word) {
                Some(kind) => kinds.push(kind),
                None => {
                    let near = nearest(&word, &Kind::ALL.map(Kind::name));
                    self.problem(key.get_ref(), item, &format!("there is no kind `{word}`"), &expected);
                    self.suggest(near);
                }
            }
        }
        kinds
    }

    fn patterns(&mut self, key: &Key<'_>, value: &Value<'_>) -> Vec<String> {
        let mut patterns = Vec::new();
        for (text, item) in self.texts(key, value, A_PATTERN) {
            if Pattern::from_str(&text).is_err() {
                let wrong = format!("`{text}` has a segment without a name");
                self.problem(
                    key.get_ref(),
                    item,
                    &wrong,
                    "names between single slashes, as in \"bank/*/store\"",
                );
            }
            patterns.push(text);
        }
        patterns
    }

    /// One text, or a list of them that is not empty, each with its place.
    fn texts(&mut self, key: &Key<'_>, value: &Value<'_>, expected: &str) -> Vec<(String, Range<usize>)> {
        let items = match value.get_ref() {
            DeValue::Array(items) if items.is_empty() => {
                self.problem(key.get_ref(), value.span(), "the list is empty", expected);
                return Vec::new();
            }
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text.to_owned(), item.span())),
                None => self.wrong_type(key, item, expected),
            }
        }
        texts
    }

    fn text(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong_type(key, value, A_TEXT);
        }
        text
    }

    fn message(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<String> {
        let expected = "the name of a message type in quotes, such as \"StoreMsg\" or \"*Msg\"";
        match value.get_ref().as_str() {
            Some("") => self.problem(key.get_ref(), value.span(), "no type has an empty name", expected),
            Some(text) => return Some(text.to_owned()),
            None => self.wrong_type(key, value, expected),
        }
        None
    }

    fn truth(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<bool> {
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.wrong_type(key, value, "true or false, without quotes");
        }
        truth
    }

    fn number(&mut self, key: &Key<'_>, value: &Value<'_>, least: u64, expected: &str) -> Option<u64> {
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(key, value, expected);
            return None;
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| *n >= least);
        if number.is_none() {
            self.problem(key.get_ref(), value.span(), &format!("{integer} is out of bounds"), expected);
        }
        number
    }

    fn every(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<When> {
        match value.get_ref() {
            DeValue::String(_) => self.time(key, value).map(When::Interval),
            DeValue::Integer(_) => self.number(key, value, 1, A_COUNT).map(When::Every),
            _ => {
                self.wrong_type(key, value, &format!("{A_COUNT}, or {A_TIME}"));
                None
            }
        }
    }

    fn chance(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<f64> {
        let expected = "a probability, more than 0 and at most 1, such as 0.01";
        let text = match value.get_ref() {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) => integer.as_str(),
            _ => {
                self.wrong_type(key, value, expected);
                return None;
            }
        };
        let chance = text.parse().ok().filter(|chance| *chance > 0.0 && *chance <= 1.0);
        if chance.is_none() {
            self.problem(key.get_ref(), value.span(), &format!("{text} is no probability"), expected);
        }
        chance
    }

    fn time(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Duration> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, A_TIME);
            return None;
        };
        let (wrong, near) = match humantime::parse_duration(text) {
            Ok(time) if !time.is_zero() => return Some(time),
            Ok(_) => ("no time at all".to_owned(), None),
            Err(humantime::DurationError::UnknownUnit { unit, .. }) if unit.is_empty() => {
                (format!("`{text}` has no unit"), None)
            }
            Err(humantime::DurationError::UnknownUnit { unit, .. }) => {
                (format!("there is no unit `{unit}`"), nearest(&unit, &UNITS))
            }
            Err(error) => (format!("`{text}` is no time ({error})"), None),
        };
        self.problem(key.get_ref(), value.span(), &wrong, A_TIME);
        self.suggest(near);
        None
    }

    fn unknown(&mut self, key: &Key<'_>, known: &[&str]) {
        let place = if self.fault.is_some() { "a fault" } else { "a plan" };
        let expected = format!("one of {}", known.join(", "));
        self.problem(key.get_ref(), key.span(), &format!("{place} has no such key"), &expected);
        self.suggest(nearest(key.get_ref(), known));
    }

    /// A fault lacks a key, or one of several. Not said of a key that was misspelt: that has been named already.
    fn missing(&mut self, key: &str, any_of: &[&str], span: &Range<usize>, expected: &str) {
        let here = self.problems.iter().filter(|problem| problem.fault == self.fault);
        let mut meant = here.filter_map(|problem| problem.nearest.as_deref());
        if !meant.any(|word| any_of.contains(&word)) {
            self.problem(key, span.clone(), "it is missing", expected);
        }
    }

    fn wrong_type(&mut self, key: &Key<'_>, value: &Value<'_>, expected: &str) {
        let wrong = match value.get_ref().type_str() {
            kind @ ("integer" | "array") => format!("this is an {kind}"),
            kind => format!("this is a {kind}"),
        };
        self.problem(key.get_ref(), value.span(), &wrong, expected);
    }

    fn problem(&mut self, key: &str, span: Range<usize>, wrong: &str, expected: &str) {
        let (line, column) = place(self.text, span.start);
        self.problems.push(Problem {
            line,
            column,
            key: key.to_owned(),
            fault: self.fault,
            wrong: wrong.to_owned(),
            expected: expected.to_owned(),
            nearest: None,
        });
    }

    /// The nearest right word, for the problem that was named last.
    fn suggest(&mut self, near: Option<&str>) {
        if let Some(problem) = self.problems.last_mut() {
            problem.nearest = near.map(str::to_owned);
        }
    }
}

fn names() -> String {
    Kind::ALL.map(Kind::name).join(", ")
}
