//! A plan: faults and the seed of their draws. Built in Rust here; `file/` reads and writes it as TOML.

use crate::rule::Rule;

/// A seeded plan of faults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub(crate) name: Option<String>,
    pub(crate) seed: Option<u64>,
    pub(crate) rules: Vec<Rule>,
}

impl Plan {
    /// A plan without faults. The seed fixes every draw that its rules make.
    pub fn seeded(seed: u64) -> Self {
        Self { seed: Some(seed), ..Self::default() }
    }

    /// Gives it a name.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its seed, if it has one. A plan from a file need not; armed without, its draws are those of seed 0.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Takes this seed unless it has one.
    #[must_use]
    pub fn or_seed(mut self, seed: u64) -> Self {
        self.seed.get_or_insert(seed);
        self
    }

    /// Its faults.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Adds a fault. Where several rules strike at once the first wins, those in turn before all others.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds several.
    #[must_use]
    pub fn with_all(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// The same plan for a run of another size: each rule is scaled by the factor that is given for it, which says
    /// how many times as often its actors will get to their points; see [`Rule::scaled`].
    #[must_use]
    pub fn scaled(mut self, factor: impl Fn(&Rule) -> f64) -> Self {
        let scale = |rule: Rule| {
            let factor = factor(&rule);
            rule.scaled(factor)
        };
        self.rules = self.rules.into_iter().map(scale).collect();
        self
    }
}
