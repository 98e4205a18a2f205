//! Writes plans as TOML, so that what is read back is equal. Says nothing that goes without saying.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::plan::Plan;
use crate::rule::{Rule, When};

impl Plan {
    /// The plan as a file; [`Plan::from_toml`] reads it back. Only a plan that cannot be armed, such as one with a
    /// pattern that is none, comes out as a file that is refused.
    pub fn to_toml(&self) -> String {
        let file = File {
            name: self.name.as_deref(),
            seed: self.seed,
            fault: self.rules.iter().map(Fault::from).collect(),
        };
        toml::to_string(&file).expect("texts, numbers and tables of them are all that TOML needs")
    }
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    fault: Vec<Fault<'a>>,
}

#[derive(Serialize)]
struct Fault<'a> {
    kind: &'static str,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    lasting: Option<Time>,
    on: OneOrMany<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nth: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<Every>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    round_robin: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OneOrMany<'a> {
    One(&'a str),
    Many(&'a [String]),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Every {
    Count(u64),
    Time(Time),
}

/// Written for people: `1m 30s`.
struct Time(Duration);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'a> From<&'a Rule> for Fault<'a> {
    fn from(rule: &'a Rule) -> Self {
        let some_time = |time: Duration| (!time.is_zero()).then_some(Time(time));
        let (mut nth, mut every, mut chance, mut round_robin) = (None, None, None, None);
        match rule.when {
            When::Nth(n) => nth = Some(n),
            When::Every(n) => every = Some(Every::Count(n)),
            When::Chance(probability) => chance = Some(probability),
            When::Interval(time) => every = Some(Every::Time(Time(time))),
            When::InTurn(time) => {
                every = Some(Every::Time(Time(time)));
                round_robin = Some(true);
            }
        }
        Self {
            kind: rule.kind.name(),
            lasting: some_time(rule.lasting),
            on: match &*rule.on {
                [one] => OneOrMany::One(one),
                many => OneOrMany::Many(many),
            },
            message: rule.message.as_deref(),
            nth,
            every,
            chance,
            round_robin,
            after: some_time(rule.after),
            limit: (rule.limit != u64::MAX).then_some(rule.limit),
        }
    }
}
