//! One test under one seed or many: runs it, checks that it repeats, and says which seed failed and how to see it again.

use std::fmt;
use std::future::Future;

use super::kit::Kit;
use super::verdict::{Verdict, judge};
use crate::sim::{Run, Sim, SimError, check_repeats};

/// Runs one seed instead of all.
const SEED: &str = "MINDER_SEED";
/// How many events a failure shows.
const STORY: usize = 40;

/// A test to be run in the simulator, by name; what [`#[minder_fault_injection::test]`](macro@crate::test) expands to.
#[derive(Clone, Debug)]
pub struct Trial {
    name: String,
    seeds: Vec<u64>,
}

/// What a trial that passed has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passed {
    /// How many seeds it ran under.
    pub seeds: u64,
    /// How many different runs came of them.
    pub distinct: u64,
    /// How many steps were taken in all.
    pub steps: u64,
}

/// How a trial failed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The test.
    pub name: String,
    /// Under which seed.
    pub seed: u64,
    /// Of how many.
    pub seeds: u64,
    /// What was wrong.
    pub text: String,
    /// What had happened, a line each.
    pub story: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, seed, seeds, text, story } = self;
        writeln!(f, "{name} failed under seed {seed} (of {seeds}): {text}")?;
        let test = name.rsplit("::").next().unwrap_or(name);
        writeln!(f, "repeat it with: {SEED}={seed} cargo test {test}")?;
        if !story.is_empty() {
            write!(f, "what happened, in simulated time:\n{story}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

impl Trial {
    /// A test of this name, run once, under seed 0.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), seeds: vec![0] }
    }

    /// Runs it under this many seeds, from 0 on.
    #[must_use]
    pub fn seeds(mut self, seeds: u64) -> Self {
        self.seeds = (0..seeds).collect();
        self
    }

    /// Runs it under this seed alone.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seeds = vec![seed];
        self
    }

    /// Runs it, under the seed that the environment variable `MINDER_SEED` names if there is one.
    ///
    /// # Panics
    /// If it fails, with the [`Failure`]; or if the variable is no number.
    #[track_caller]
    pub fn run<F, V>(self, test: impl Fn(Kit) -> F)
    where
        F: Future<Output = V>,
        V: Verdict,
    {
        let trial = match std::env::var(SEED) {
            Ok(text) => match text.trim().parse() {
                Ok(seed) => self.seed(seed),
                Err(_) => panic!("{SEED}={text} is no number: it names the seed to run"),
            },
            Err(_) => self,
        };
        if let Err(failure) = trial.try_run(test) {
            panic!("{failure}");
        }
    }

    /// Runs it. If there are several seeds, the first one is run twice and has to come to the same.
    ///
    /// # Errors
    /// How it failed, under the first seed that did.
    pub fn try_run<F, V>(&self, test: impl Fn(Kit) -> F) -> Result<Passed, Failure>
    where
        F: Future<Output = V>,
        V: Verdict,
    {
        let one = async |world| test(Kit::new(world)).await.verdict();
        let mut hashes = std::collections::HashSet::new();
        let mut steps = 0;
        for (at, seed) in self.seeds.iter().enumerate() {
            let sim = Sim::seeded(*seed);
            let run = if at == 0 && self.seeds.len() > 1 {
                check_repeats(&sim, one).map_err(|error| self.not_repeated(*seed, &error))?
            } else {
                sim.run(one)
            };
            judge(&run).map_err(|text| self.failure(*seed, text, &run))?;
            hashes.insert(run.hash);
            steps += run.steps;
        }
        Ok(Passed { seeds: self.seeds.len() as u64, distinct: hashes.len() as u64, steps })
    }

    fn failure(&self, seed: u64, text: String, run: &Run<Result<(), String>>) -> Failure {
        let (name, seeds) = (self.name.clone(), self.seeds.len() as u64);
        Failure { name, seed, seeds, text, story: run.story(STORY) }
    }

    fn not_repeated(&self, seed: u64, error: &SimError) -> Failure {
        let (name, seeds) = (self.name.clone(), self.seeds.len() as u64);
        Failure { name, seed, seeds, text: error.to_string(), story: String::new() }
    }
}
