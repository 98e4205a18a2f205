//! What children need of each other: a relation between their ids that has no cycles, resolved to slots, or to places in a
//! list of rules.
//! A need that names nobody any more is no need: whoever it was has been forgotten.
//! Does not know how anybody stands; see `graph.rs`.

use crate::{ChildRules, SpecError};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Who needs whom, as far as both are there.
#[derive(Clone, Debug)]
pub(crate) struct Needs<K> {
    /// Everyone after all that it needs; of several that could come next, the first in start order.
    order: Vec<K>,
    needed: BTreeMap<K, BTreeSet<K>>,
    dependents: BTreeMap<K, BTreeSet<K>>,
}

impl<K: Copy + Ord> Needs<K> {
    /// Those of these children, which have no cycle.
    pub(crate) fn of(children: &[(K, &ChildRules)]) -> Self {
        let by_id: BTreeMap<&str, K> = children.iter().map(|(slot, rules)| (&*rules.id, *slot)).collect();
        let (mut needed, mut dependents) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<K>>::new());
        for &(slot, rules) in children {
            let mine: BTreeSet<K> = rules.needs().iter().filter_map(|id| by_id.get(&**id).copied()).collect();
            for need in &mine {
                dependents.entry(*need).or_default().insert(slot);
            }
            needed.insert(slot, mine);
        }
        let mut needs = Self { order: Vec::with_capacity(needed.len()), needed, dependents };
        let mut open: BTreeMap<K, usize> =
            needs.needed.iter().map(|(slot, needed)| (*slot, needed.len())).collect();
        let mut next: BTreeSet<K> =
            open.iter().filter(|(_, open)| **open == 0).map(|(slot, _)| *slot).collect();
        while let Some(slot) = next.pop_first() {
            needs.order.push(slot);
            for dependent in needs.dependents(slot) {
                let open = open.get_mut(&dependent).expect("whoever needs somebody is there");
                *open -= 1;
                if *open == 0 {
                    next.insert(dependent);
                }
            }
        }
        debug_assert_eq!(needs.order.len(), needs.needed.len(), "needs have no cycle");
        needs
    }

    /// Everyone, after all that it needs.
    pub(crate) fn order(&self) -> &[K] {
        &self.order
    }

    /// Whom this one needs itself.
    pub(crate) fn needed(&self, slot: K) -> impl Iterator<Item = K> {
        self.needed.get(&slot).into_iter().flatten().copied()
    }

    /// Who needs this one itself.
    pub(crate) fn dependents(&self, slot: K) -> impl Iterator<Item = K> {
        self.dependents.get(&slot).into_iter().flatten().copied()
    }

    /// This one, and whoever needs it, directly or through others; in start order.
    pub(crate) fn group(&self, slot: K) -> BTreeSet<K> {
        self.reach(slot, |slot, reached| reached.extend(self.dependents(slot)))
    }

    /// Those of these who hang together with this one.
    pub(crate) fn connected(&self, slot: K, of: &BTreeSet<K>) -> BTreeSet<K> {
        self.reach(slot, |slot, reached| {
            let beside = self.dependents(slot).chain(self.needed(slot));
            reached.extend(beside.filter(|slot| of.contains(slot)));
        })
    }

    /// This one, and whoever is reached from it step by step; in start order.
    pub(crate) fn reach(&self, slot: K, mut step: impl FnMut(K, &mut Vec<K>)) -> BTreeSet<K> {
        let (mut reached, mut left) = (BTreeSet::new(), Vec::from([slot]));
        while let Some(slot) = left.pop() {
            if reached.insert(slot) {
                step(slot, &mut left);
            }
        }
        reached
    }
}

/// Whether what these children need makes sense. `checked`: whose needs must all be there; of the others some may name
/// nobody any more.
///
/// # Errors
/// A need that nobody meets, or children that need each other in a circle, each named.
pub(crate) fn check<'a>(
    children: impl Iterator<Item = &'a ChildRules>,
    checked: impl Fn(&ChildRules) -> bool,
) -> Result<(), SpecError> {
    let by_id: BTreeMap<&str, &ChildRules> = children.map(|rules| (&*rules.id, rules)).collect();
    for rules in by_id.values() {
        for need in rules.needs() {
            if checked(rules) && !by_id.contains_key(&**need) {
                return Err(SpecError::UnknownNeed(rules.id.clone(), need.clone()));
            }
        }
    }
    // Depth first, with a stack of one's own: the way from `start` down to where it looks, each with the needs left to see.
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in by_id.values() {
        let mut way: Vec<(&ChildRules, core::slice::Iter<'_, Arc<str>>)> =
            Vec::from([(*start, start.needs().iter())]);
        while let Some((rules, left)) = way.last_mut() {
            let Some(need) = left.next() else {
                done.insert(&*rules.id);
                way.pop();
                continue;
            };
            let Some(needed) = by_id.get(&**need) else { continue };
            if done.contains(&*needed.id) {
                continue;
            }
            if let Some(from) = way.iter().position(|(rules, _)| rules.id == needed.id) {
                let cycle = way[from..].iter().map(|(rules, _)| rules.id.clone());
                return Err(SpecError::NeedsCycle(cycle.collect()));
            }
            way.push((needed, needed.needs().iter()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Places, Slot};
    use alloc::format;
    use alloc::string::String;

    /// `a b:a c:a,b`
    fn children(text: &str) -> Vec<ChildRules> {
        let child = |text: &str| {
            let (id, needs) = text.split_once(':').unwrap_or((text, ""));
            let mut rules = ChildRules::worker(id);
            if !needs.is_empty() {
                rules.policy_mut().needs = needs.split(',').map(Arc::from).collect();
            }
            rules
        };
        text.split_whitespace().map(child).collect()
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let rows = [
            ("", "ok"),
            ("a b:a c:a,b d:c,c,a", "ok"),
            ("b:a a", "ok"),
            ("a:x", "child `a` needs `x`"),
            ("a:a", "`a` needs itself"),
            ("a b:c c:b", "`b` needs `c`, `c` needs `b`"),
            ("a:d b:a c:b d:c e:a", "`a` needs `d`, `d` needs `c`, `c` needs `b`, `b` needs `a`"),
            ("e:a a:b b:c c:b", "`b` needs `c`, `c` needs `b`"),
        ];
        for (text, expected) in rows {
            let children = children(text);
            let got = match check(children.iter(), |_| true) {
                Ok(()) => String::from("ok"),
                Err(error) => format!("{error}"),
            };
            assert!(got.contains(expected), "{text}: {got}");
        }
        assert_eq!(check(children("a:x b:a").iter(), |rules| &*rules.id == "b"), Ok(()));
    }

    #[test]
    fn order_groups_and_what_hangs_together() {
        let rules = children("c:a a d:c,b b e x:gone");
        let mut places = Places::default();
        let slots: Vec<Slot> = rules.iter().map(|_| places.add(())).collect();
        let needs = Needs::of(&slots.iter().copied().zip(&rules).collect::<Vec<_>>());
        let name = |slot: &Slot| &*rules[usize::try_from(slot.number()).expect("few")].id;
        let names = |slots: &mut dyn Iterator<Item = Slot>| {
            slots.map(|slot| String::from(name(&slot))).collect::<Vec<_>>().join(" ")
        };
        let slot = |id: &str| slots[rules.iter().position(|rules| &*rules.id == id).expect("there")];
        assert_eq!(names(&mut needs.order().iter().copied()), "a c b d e x");
        assert_eq!(names(&mut needs.group(slot("a")).into_iter()), "c a d");
        assert_eq!(names(&mut needs.group(slot("b")).into_iter()), "d b");
        assert_eq!(names(&mut needs.group(slot("x")).into_iter()), "x");
        let all: BTreeSet<Slot> = slots.iter().copied().collect();
        assert_eq!(names(&mut needs.connected(slot("a"), &all).into_iter()), "c a d b");
        let without: BTreeSet<Slot> = all.iter().copied().filter(|s| *s != slot("d")).collect();
        assert_eq!(names(&mut needs.connected(slot("a"), &without).into_iter()), "c a");
    }
}
