//! Many things as the kinds that there are of them: those alike count as one.
//! Each is looked up, not compared with all kinds before it: a supervisor does this in its turn, and there may be many.
//! Does not know what they are, nor decides which are alike.

use std::collections::HashMap;
use std::hash::Hash;

/// The kinds, in the order of the first of each, and how many there are.
pub(super) fn alike<K: Eq + Hash>(all: impl Iterator<Item = K>) -> Vec<(K, usize)> {
    let mut found = HashMap::new();
    for (place, one) in all.enumerate() {
        found.entry(one).or_insert((place, 0)).1 += 1;
    }
    let mut kinds: Vec<(K, (usize, usize))> = found.into_iter().collect();
    kinds.sort_unstable_by_key(|(_, (first, _))| *first);
    kinds.into_iter().map(|(kind, (_, count))| (kind, count)).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;
    use std::time::Duration;

    use minder_supervisors_core::{Budget, ChildRules};

    use super::*;
    use crate::child::Settings;

    #[test]
    fn kinds_are_in_the_order_of_the_first() {
        let kinds = alike("queue".chars().chain("ease".chars()));
        assert_eq!(kinds, [('q', 1), ('u', 2), ('e', 4), ('a', 1), ('s', 1)]);
        assert_eq!(alike(std::iter::empty::<u8>()), []);
    }

    /// What kinds of children are told apart by, which counts how often it is compared.
    struct Counting<'a> {
        it: (&'a ChildRules, Settings),
        compared: &'a Cell<usize>,
    }

    impl PartialEq for Counting<'_> {
        fn eq(&self, other: &Self) -> bool {
            self.compared.set(self.compared.get() + 1);
            self.it == other.it
        }
    }

    impl Eq for Counting<'_> {}

    impl Hash for Counting<'_> {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.it.hash(state);
        }
    }

    /// Of one id all, and different in one thing only.
    #[test]
    fn each_is_compared_with_few_however_many_kinds_there_are() {
        const KINDS: u32 = 2_000;
        type Differ = fn(u32, &mut ChildRules, &mut Settings);
        let rows: [(&str, Differ); 5] = [
            ("asks", |number, _, settings| settings.add_asks([number.to_string()])),
            ("handler limit", |number, _, settings| {
                settings.handler_limit = Some(Duration::from_nanos(number.into()));
            }),
            ("needs", |number, rules, _| rules.policy_mut().needs.push(number.to_string().into())),
            ("budget", |number, rules, _| {
                let period = Duration::from_secs(1);
                rules.policy_mut().budget = Some(Budget { restarts: number, period });
            }),
            ("shutdown", |number, rules, _| {
                rules.shutdown = crate::Shutdown::Within(Duration::from_nanos(number.into()));
            }),
        ];
        for (what, differ) in rows {
            let children: Vec<(ChildRules, Settings)> = (0..KINDS)
                .map(|number| {
                    let (mut rules, mut settings) = (ChildRules::worker("job"), Settings::default());
                    differ(number, &mut rules, &mut settings);
                    (rules, settings)
                })
                .collect();
            let compared = Cell::new(0);
            let counting = |it: (_, Settings)| Counting { it, compared: &compared };
            let twice = children.iter().chain(&children);
            let kinds = alike(twice.map(|(rules, settings)| counting((rules, settings.clone()))));
            assert_eq!(kinds.len(), children.len(), "{what}");
            assert!(kinds.iter().all(|(_, count)| *count == 2), "{what}");
            let most = 2 * children.len();
            assert!(compared.get() <= most, "{what}: {} for {most} children", compared.get());
        }
    }
}
