//! For whom requests wait that have not been answered: whoever has to come up or go before, as far as it has been told to.
//! Who waits for a time, for somebody to be ready, or to be told when others are gone, is no reason given here: only who may
//! be waited for in a circle. Decides nothing; see `graph/requests.rs`.

use super::*;

impl GraphSupervision {
    /// For each request that waits, the children that keep it waiting: each of them has to have come up, or to have gone, or to
    /// have done its part of a change ([`GraphSupervision::state`] tells which). Nothing while it takes no requests
    /// ([`GraphSupervision::takes_requests`]): then all wait for all that it is at.
    ///
    /// Looks at each child and at each request that waits; the way to whom it hangs on is gone once for all requests about all
    /// children, and once for each of the others.
    pub fn waits(&self) -> BTreeMap<RequestId, BTreeSet<Slot>> {
        let mut waits: BTreeMap<RequestId, BTreeSet<Slot>> = BTreeMap::new();
        if !self.takes_requests() {
            return waits;
        }
        let mut note = |request, told: BTreeSet<Slot>| {
            if !told.is_empty() {
                waits.entry(request).or_default().extend(told);
            }
        };
        let mut moving = BTreeSet::new();
        for (slot, child) in self.children.iter() {
            if child.is_moving() {
                moving.insert(slot);
            }
            if let Some(request) = child.request() {
                note(request, self.waited_for([slot]));
            }
        }
        let within = self.change.iter().flat_map(|progress| progress.within()).copied();
        if let Some(progress) = &self.change {
            let comes = |slot: &Slot| self.at(*slot).is_to_change();
            let open = progress.open().iter().copied().chain(self.slots().filter(comes));
            note(progress.request(), self.waited_for(open));
        }
        let mut of_all: Option<BTreeSet<Slot>> = None;
        for deferred in &self.deferred {
            let Deferred::Asked(id, request) = deferred else { continue };
            match About::of(request) {
                None => {}
                Some(About::One(child)) => {
                    if let Some(&slot) = self.by_id.get(child)
                        && self.at(slot).is_moving()
                    {
                        note(*id, self.waited_for([slot]));
                    }
                }
                Some(About::All) => {
                    let all = || self.waited_for(moving.iter().copied().chain(within.clone()));
                    note(*id, of_all.get_or_insert_with(all).clone());
                }
            }
        }
        waits
    }

    /// The children for which it is waited to know whether all are ready, as in [`GraphSupervision::waits`].
    pub fn waits_to_be_ready(&self) -> BTreeSet<Slot> {
        if self.takes_requests() { self.waited_for(self.unready()) } else { BTreeSet::new() }
    }

    /// Those on whom it hangs that these come up, go, or are changed inside: themselves, if they have been told to, or else
    /// whoever is before them in line and has.
    fn waited_for(&self, these: impl IntoIterator<Item = Slot>) -> BTreeSet<Slot> {
        let (mut told, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut left: Vec<Slot> = these.into_iter().collect();
        while let Some(slot) = left.pop() {
            if !seen.insert(slot) {
                continue;
            }
            let child = self.at(slot);
            let is_within = self.change.as_ref().is_some_and(|progress| progress.within().contains(&slot));
            match child.state {
                // Whatever it waits for itself: it does not outlive that.
                State::Stopping { stop, .. } if stop.is_killed(&child.rules) => {}
                State::Stopping { .. } => drop(told.insert(slot)),
                // It is told to leave when nobody that depends on it has a process.
                State::Starting(_) | State::Running { .. } if child.regroups => {
                    left.extend(self.needs.dependents(slot).filter(|on| self.at(*on).is_alive()));
                }
                State::Starting(_) => drop(told.insert(slot)),
                State::Running { .. } if is_within => drop(told.insert(slot)),
                // It is changed inside when nobody that it needs is still to come up or to be changed.
                State::Running { .. } if self.is_open(slot) => {
                    let is_to_come = |on: &Slot| self.at(*on).is_to_change() || self.is_open(*on);
                    left.extend(self.needs.needed(slot).filter(is_to_come));
                }
                // It comes up when its group is gone.
                State::Due(_) if child.regroups => {
                    let beside = self.needs.dependents(slot).chain(self.needs.needed(slot));
                    left.extend(beside.filter(|on| self.at(*on).regroups));
                }
                State::Due(_) => {
                    let is_missing = |on: &Slot| !self.at(*on).is_met() || self.is_open(*on);
                    left.extend(self.needs.needed(slot).filter(is_missing));
                }
                State::Running { .. }
                | State::Down(_)
                | State::Disabled
                | State::Held(_)
                | State::Delayed { .. }
                | State::Waiting { .. }
                | State::Fallen { .. } => {}
            }
        }
        told
    }
}
