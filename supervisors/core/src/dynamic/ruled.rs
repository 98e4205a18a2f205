//! By which rules each child of a dynamic supervisor lives: its own, if it was started by some, and otherwise the template's.
//! Those stand beside the children, so that whoever has none pays for none.
//! Does not look whether they make sense (`spec.rs`), and decides nothing.

use crate::{ChildRules, Kind, Policy, Slot};
use alloc::collections::BTreeMap;

/// The rules of all children.
#[derive(Clone, Debug)]
pub(super) struct Ruled {
    /// Where there is none, every child has rules of its own.
    template: Option<ChildRules>,
    own: BTreeMap<Slot, ChildRules>,
}

impl Ruled {
    pub(super) fn new(template: Option<ChildRules>) -> Self {
        Self { template, own: BTreeMap::new() }
    }

    pub(super) fn template(&self) -> Option<&ChildRules> {
        self.template.as_ref()
    }

    /// Goes by another template from here on, or still by none. What was the template, if there was one.
    pub(super) fn change(&mut self, template: Option<ChildRules>) -> Option<ChildRules> {
        core::mem::replace(&mut self.template, template)
    }

    /// Of this child; of one that is gone those of the template.
    pub(super) fn find(&self, slot: Slot) -> Option<&ChildRules> {
        self.own.get(&slot).or(self.template.as_ref())
    }

    /// Of this child, which is there.
    pub(super) fn of(&self, slot: Slot) -> &ChildRules {
        self.find(slot).expect("without a template a child has rules of its own")
    }

    /// What this child, which is there, is given beyond OTP.
    pub(super) fn policy(&self, slot: Slot) -> Option<&Policy> {
        self.of(slot).policy.as_deref()
    }

    pub(super) fn is_own(&self, slot: Slot) -> bool {
        self.own.contains_key(&slot)
    }

    /// Those that children have of their own, in the order of their starts.
    pub(super) fn own(&self) -> impl ExactSizeIterator<Item = &ChildRules> {
        self.own.values()
    }

    /// How many of so many children are supervisors.
    pub(super) fn supervisors(&self, children: usize) -> usize {
        let is_supervisor = |rules: &&ChildRules| rules.kind == Kind::Supervisor;
        let like_template = self.template().filter(is_supervisor).map_or(0, |_| children - self.own().len());
        like_template + self.own().filter(is_supervisor).count()
    }

    /// This child has rules of its own.
    pub(super) fn give(&mut self, slot: Slot, own: ChildRules) {
        self.own.insert(slot, own);
    }

    /// These children go on by the rules that they have, whatever the template becomes.
    pub(super) fn keep(&mut self, slots: impl Iterator<Item = Slot>) {
        if let Some(template) = &self.template {
            for slot in slots {
                self.own.entry(slot).or_insert_with(|| template.clone());
            }
        }
    }

    /// This child is gone for good.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.own.remove(&slot);
    }

    /// # Panics
    /// If somebody has rules who is `unknown`: whoever counts by them would be wrong.
    pub(super) fn check(&self, unknown: impl Fn(Slot) -> bool) {
        assert!(!self.own.keys().any(|slot| unknown(*slot)), "rules of their own are of children: {self:?}");
    }
}
