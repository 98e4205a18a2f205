//! All that a scope knows: the rolls of its groups, in which of them each member is, and what the keeper has yet to
//! look at. Called with the scope's lock held; runs no code of users.
//!
//! What must be true between any two calls: a member has a tie exactly if it is on a roll, with as many memberships
//! as it has there; no roll is unused; and while a keeper attends, every tie that came or went since it last looked is
//! among the changed.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use minder_runtime::{ActorId, ExitReason, Why};

use crate::feed::{Feeds, GroupEvent, Wakes};
use crate::groups::Membership;
use crate::member::{Member, Tenure, Watchable};
use crate::roll::{AnyRoll, Roll};

/// Names a group: groups of different messages are different groups, whatever they are called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) name: Arc<str>,
    pub(crate) message: TypeId,
}

#[derive(Default)]
pub(crate) struct Table {
    rolls: HashMap<Key, Box<dyn AnyRoll>>,
    ties: BTreeMap<Tenure, Tie>,
    pub(crate) feeds: Feeds<Membership>,
    /// The life of the keeper that watches the members; nobody before its start and between its lives.
    attended_by: Option<ActorId>,
    /// What the keeper has to look at. Kept only while one attends: the next begins with everybody.
    changed: BTreeSet<Tenure>,
}

/// One member, in however many groups.
struct Tie {
    member: Arc<dyn Watchable>,
    memberships: BTreeMap<Key, u32>,
}

impl Table {
    // --- groups ------------------------------------------------------------------------------------------------

    /// The roll of a group, if it has members or watchers.
    pub(crate) fn roll<M: Send + 'static>(&mut self, key: &Key) -> Option<&mut Roll<M>> {
        let roll: &mut dyn Any = self.rolls.get_mut(key)?.as_mut();
        Some(roll.downcast_mut().expect("a key names the type of its group's messages"))
    }

    /// The roll of a group, made if need be. Whoever asks puts somebody on it.
    pub(crate) fn roll_or_new<M: Send + 'static>(&mut self, key: &Key) -> &mut Roll<M> {
        let roll = self.rolls.entry(key.clone()).or_insert_with(|| Box::new(Roll::<M>::new()));
        let roll: &mut dyn Any = roll.as_mut();
        roll.downcast_mut().expect("a key names the type of its group's messages")
    }

    pub(crate) fn forget_if_unused(&mut self, key: &Key) {
        if self.rolls.get(key).is_some_and(|roll| roll.is_unused()) {
            self.rolls.remove(key);
        }
    }

    /// The names of groups with members, in order, each once.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let inhabited = self.rolls.iter().filter(|(_, roll)| !roll.is_empty());
        let names: BTreeSet<&Arc<str>> = inhabited.map(|(key, _)| &key.name).collect();
        names.into_iter().cloned().collect()
    }

    /// Every membership of the scope, group by group.
    pub(crate) fn memberships(&self) -> Vec<Membership> {
        let mut keys: Vec<&Key> = self.rolls.keys().collect();
        keys.sort_unstable();
        let of_group = |key: &Key| {
            let group = key.name.clone();
            let members = self.rolls[key].tenures().into_iter();
            members.map(move |member| Membership { group: group.clone(), member })
        };
        keys.into_iter().flat_map(of_group).collect()
    }

    // --- members -----------------------------------------------------------------------------------------------

    pub(crate) fn join<M: Send + 'static>(&mut self, key: &Key, member: &Member<M>, wakes: &mut Wakes) {
        let tenure = member.tenure();
        self.roll_or_new(key).add(member, wakes);
        let tie = self
            .ties
            .entry(tenure)
            .or_insert_with(|| Tie { member: Arc::new(member.clone()), memberships: BTreeMap::new() });
        *tie.memberships.entry(key.clone()).or_insert(0) += 1;
        let membership = Membership { group: key.name.clone(), member: tenure };
        self.feeds.push(|| GroupEvent::Joined(membership.clone()), wakes);
        self.note_change(tenure);
    }

    /// Takes one membership away; whether there was one.
    pub(crate) fn leave<M: Send + 'static>(&mut self, key: &Key, tenure: Tenure, wakes: &mut Wakes) -> bool {
        if !self.roll::<M>(key).is_some_and(|roll| roll.remove_one(tenure, wakes)) {
            return false;
        }
        self.forget_if_unused(key);
        let tie = self.ties.get_mut(&tenure).expect("who is on a roll has a tie");
        let left = tie.memberships.get_mut(key).expect("a tie counts what is on the rolls");
        *left -= 1;
        if *left == 0 {
            tie.memberships.remove(key);
        }
        if tie.memberships.is_empty() {
            self.ties.remove(&tenure);
        }
        let membership = Membership { group: key.name.clone(), member: tenure };
        self.feeds.push(|| GroupEvent::Left(membership.clone(), Why::Asked), wakes);
        self.note_change(tenure);
        true
    }

    /// A tenure has ended: the member leaves every group, all its memberships at once.
    pub(crate) fn end(&mut self, tenure: Tenure, reason: ExitReason, wakes: &mut Wakes) {
        let Some(tie) = self.ties.remove(&tenure) else { return };
        let why = Why::Ended(reason);
        for (key, times) in tie.memberships {
            if let Some(roll) = self.rolls.get_mut(&key) {
                roll.remove_all(tenure, &why, wakes);
            }
            self.forget_if_unused(&key);
            let membership = Membership { group: key.name, member: tenure };
            for _ in 0..times {
                self.feeds.push(|| GroupEvent::Left(membership.clone(), why.clone()), wakes);
            }
        }
    }

    // --- the keeper's part -------------------------------------------------------------------------------------

    fn note_change(&mut self, tenure: Tenure) {
        if self.attended_by.is_some() {
            self.changed.insert(tenure);
        }
    }

    /// A life of the keeper begins; it has to look at everybody.
    pub(crate) fn attend(&mut self, keeper: ActorId) {
        self.attended_by = Some(keeper);
        self.changed = self.ties.keys().copied().collect();
    }

    /// A life of the keeper has ended. What it had left is the next one's anyway.
    pub(crate) fn unattend(&mut self, keeper: ActorId) {
        if self.attended_by == Some(keeper) {
            self.attended_by = None;
            self.changed = BTreeSet::new();
        }
    }

    /// What came or went since the keeper last looked: with the member if it is one, without if it is none any more.
    pub(crate) fn take_changed(&mut self) -> Vec<(Tenure, Option<Arc<dyn Watchable>>)> {
        let changed = std::mem::take(&mut self.changed);
        let member = |tenure| self.ties.get(&tenure).map(|tie| tie.member.clone());
        changed.into_iter().map(|tenure| (tenure, member(tenure))).collect()
    }
}
