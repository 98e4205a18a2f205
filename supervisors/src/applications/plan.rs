//! Which applications need which, and so in which order they start. Pure: names become places in the set, once, and a set
//! without an order is refused there. Does not know what runs, but for what it is told.

use std::collections::HashMap;
use std::sync::Arc;

use super::errors::ApplicationsError;
use crate::nearest::nearest;

/// A set of applications that can be started.
#[derive(Debug)]
pub(super) struct Plan {
    names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, usize>,
    /// By place, in the order in which they were named.
    needs: Vec<Vec<usize>>,
}

impl Plan {
    pub(super) fn new<'a>(
        set: impl Iterator<Item = (&'a Arc<str>, &'a Vec<Arc<str>>)> + Clone,
    ) -> Result<Self, ApplicationsError> {
        let names: Vec<Arc<str>> = set.clone().map(|(name, _)| name.clone()).collect();
        let mut by_name = HashMap::new();
        for (place, name) in names.iter().enumerate() {
            if name.is_empty() || name.contains('/') {
                return Err(ApplicationsError::BadName(name.clone()));
            }
            if by_name.insert(name.clone(), place).is_some() {
                return Err(ApplicationsError::NameUsedTwice(name.clone()));
            }
        }
        let mut needs = Vec::new();
        for (name, needed) in set {
            let places = needed.iter().map(|needs| {
                let unknown = || ApplicationsError::Unknown {
                    application: name.clone(),
                    needs: needs.clone(),
                    nearest: nearest(needs, names.iter().filter(|other| *other != name)).cloned(),
                };
                by_name.get(needs).copied().ok_or_else(unknown)
            });
            needs.push(places.collect::<Result<Vec<usize>, _>>()?);
        }
        let plan = Self { names, by_name, needs };
        match plan.cycle() {
            Some(cycle) => Err(ApplicationsError::Cycle(
                cycle.into_iter().map(|place| plan.names[place].clone()).collect(),
            )),
            None => Ok(plan),
        }
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The name that somebody may have meant by one that is not in the set.
    pub(super) fn nearest(&self, wrong: &str) -> Option<Arc<str>> {
        nearest(wrong, self.names.iter()).cloned()
    }

    pub(super) fn name(&self, place: usize) -> &Arc<str> {
        &self.names[place]
    }

    pub(super) fn needs(&self, place: usize) -> &[usize] {
        &self.needs[place]
    }

    /// What is to be started for this one, itself last: each after what it needs, and nothing that runs.
    pub(super) fn missing(&self, place: usize, runs: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut order = Vec::new();
        self.add_missing(place, &runs, &mut order);
        order
    }

    /// As deep as the longest chain of needs; there are no cycles.
    fn add_missing(&self, place: usize, runs: &impl Fn(usize) -> bool, order: &mut Vec<usize>) {
        if runs(place) || order.contains(&place) {
            return;
        }
        for needed in &self.needs[place] {
            self.add_missing(*needed, runs, order);
        }
        order.push(place);
    }

    fn cycle(&self) -> Option<Vec<usize>> {
        let mut cleared = vec![false; self.names.len()];
        (0..self.names.len()).find_map(|place| self.cycle_from(place, &mut Vec::new(), &mut cleared))
    }

    fn cycle_from(&self, place: usize, way: &mut Vec<usize>, cleared: &mut [bool]) -> Option<Vec<usize>> {
        if cleared[place] {
            return None;
        }
        if let Some(first) = way.iter().position(|been| *been == place) {
            return Some(way.split_off(first));
        }
        way.push(place);
        let cycle = self.needs[place].iter().find_map(|needed| self.cycle_from(*needed, way, cleared));
        if cycle.is_none() {
            way.pop();
            cleared[place] = true;
        }
        cycle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a: b c, b:, c: b`
    fn plan(text: &str) -> Result<Plan, ApplicationsError> {
        let set: Vec<(Arc<str>, Vec<Arc<str>>)> = text
            .split(',')
            .map(|one| {
                let (name, needs) = one.split_once(':').expect("a name and its needs");
                (Arc::from(name.trim()), needs.split_whitespace().map(Arc::from).collect())
            })
            .collect();
        Plan::new(set.iter().map(|(name, needs)| (name, needs)))
    }

    #[test]
    fn each_starts_after_what_it_needs_and_nothing_twice() {
        // the set, what runs, which one, what is started for it
        let rows = [
            ("a:", "", "a", "a"),
            ("a: b, b:", "", "a", "b a"),
            ("a: b c, b: d, c: d, d:", "", "a", "d b c a"),
            ("a: c b, b: d, c: d, d:", "", "a", "d c b a"),
            ("a: b c, b: d, c: d, d:", "d", "a", "b c a"),
            ("a: b c, b: d, c: d, d:", "b", "a", "d c a"),
            ("a: b, b: c, c:", "", "b", "c b"),
            ("a: b, b:", "a b", "a", ""),
        ];
        for (set, runs, which, expected) in rows {
            let plan = plan(set).expect("there is an order");
            let place = plan.place(which).expect("it is in the set");
            let missing =
                plan.missing(place, |place| runs.split(' ').any(|name| name == &**plan.name(place)));
            let names: Vec<&str> = missing.iter().map(|place| &**plan.name(*place)).collect();
            assert_eq!(names.join(" "), expected, "{set}, {which}");
        }
    }

    #[test]
    fn a_set_that_makes_no_sense_is_refused_by_name() {
        let rows = [
            ("a: x", "application `a` needs `x`, which is not in the set: add it, or correct the name"),
            (
                "shop: databse log, database: shp, log:",
                "application `shop` needs `databse`, which is not in the set: add it, or correct the name; did you mean `database`?",
            ),
            (
                "shop:, web: shops",
                "application `web` needs `shops`, which is not in the set: add it, or correct the name; did you mean `shop`?",
            ),
            // Not itself: that would be a cycle.
            (
                "shop: shops",
                "application `shop` needs `shops`, which is not in the set: add it, or correct the name",
            ),
            ("a: a", "no order of start is left for applications that need each other: `a` needs `a`"),
            (
                "z: a, a: b, b: c, c: a",
                "no order of start is left for applications that need each other: `a` needs `b` needs `c` needs `a`",
            ),
            ("a:, a:", "two applications are called `a`; rename one of them"),
            ("a/b:", "`a/b` is no name for an application: give it one, without a `/`"),
            (":", "`` is no name for an application: give it one, without a `/`"),
        ];
        for (set, expected) in rows {
            assert_eq!(plan(set).expect_err(expected).to_string(), expected);
        }
    }
}
