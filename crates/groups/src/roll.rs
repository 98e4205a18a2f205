//! The roll of one group: its memberships in the order in which they began, whose turn it is, and who watches.
//! Pure bookkeeping: called with the table's lock held, runs no code of users and waits for nothing.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use minder_runtime::Why;

use crate::feed::{Feeds, GroupEvent, Wakes};
use crate::member::{Member, Tenure};

pub(crate) struct Roll<M> {
    /// By ticket. Each membership has one of its own: a member may be in several times.
    memberships: BTreeMap<u64, Member<M>>,
    /// The tickets of each member, oldest first.
    tickets: HashMap<Tenure, Vec<u64>>,
    next_ticket: u64,
    /// Whose turn it was. A ticket and not a place, so that turns stay fair while members come and go.
    last_turn: u64,
    /// The memberships in order, made when they are first read after a change.
    listed: Option<Arc<[Member<M>]>>,
    pub(crate) feeds: Feeds<Member<M>>,
}

impl<M: Send + 'static> Roll<M> {
    pub(crate) fn new() -> Self {
        Self {
            memberships: BTreeMap::new(),
            tickets: HashMap::new(),
            next_ticket: 1,
            last_turn: 0,
            listed: None,
            feeds: Feeds::default(),
        }
    }

    pub(crate) fn add(&mut self, member: &Member<M>, wakes: &mut Wakes) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.memberships.insert(ticket, member.clone());
        self.tickets.entry(member.tenure()).or_default().push(ticket);
        self.listed = None;
        self.feeds.push(|| GroupEvent::Joined(member.clone()), wakes);
    }

    /// Takes one membership away, the latest; whether there was one.
    pub(crate) fn remove_one(&mut self, tenure: Tenure, wakes: &mut Wakes) -> bool {
        let Some(tickets) = self.tickets.get_mut(&tenure) else { return false };
        let ticket = tickets.pop();
        if tickets.is_empty() {
            self.tickets.remove(&tenure);
        }
        ticket.is_some_and(|ticket| self.strike(ticket, &Why::Asked, wakes))
    }

    fn strike(&mut self, ticket: u64, why: &Why, wakes: &mut Wakes) -> bool {
        let Some(member) = self.memberships.remove(&ticket) else { return false };
        self.listed = None;
        self.feeds.push(|| GroupEvent::Left(member.clone(), why.clone()), wakes);
        true
    }

    /// Every membership, in the order in which they began.
    pub(crate) fn list(&mut self) -> Arc<[Member<M>]> {
        self.listed.get_or_insert_with(|| self.memberships.values().cloned().collect()).clone()
    }

    /// Whose turn it is, and never again before everyone else's. Passes over lives that have ended.
    pub(crate) fn take_turn(&mut self) -> Option<Member<M>> {
        let after = (Bound::Excluded(self.last_turn), Bound::Unbounded);
        let mut in_turn = self.memberships.range(after).chain(self.memberships.range(..=self.last_turn));
        let (ticket, member) = in_turn.find(|(_, member)| !member.is_over())?;
        self.last_turn = *ticket;
        Some(member.clone())
    }
}

/// The roll of a group of whatever type.
pub(crate) trait AnyRoll: Any + Send {
    /// Takes all memberships of one member away.
    fn remove_all(&mut self, tenure: Tenure, why: &Why, wakes: &mut Wakes);
    /// Every membership, in the order in which they began.
    fn tenures(&self) -> Vec<Tenure>;
    fn is_empty(&self) -> bool;
    /// Nobody is in it and nobody watches.
    fn is_unused(&self) -> bool;
}

impl<M: Send + 'static> AnyRoll for Roll<M> {
    fn remove_all(&mut self, tenure: Tenure, why: &Why, wakes: &mut Wakes) {
        for ticket in self.tickets.remove(&tenure).unwrap_or_default() {
            self.strike(ticket, why, wakes);
        }
    }

    fn tenures(&self) -> Vec<Tenure> {
        self.memberships.values().map(Member::tenure).collect()
    }

    fn is_empty(&self) -> bool {
        self.memberships.is_empty()
    }

    fn is_unused(&self) -> bool {
        self.memberships.is_empty() && self.feeds.is_empty()
    }
}
