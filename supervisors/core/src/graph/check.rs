//! What is true between any two events. Debug builds and the tests ask after each; nothing is decided here.

use super::*;

impl GraphSupervision {
    /// States what is true between any two events:
    ///
    /// 1. Whoever may be told to stop has been, whoever may start has been started, and every group that is gone has begun
    ///    its new epoch: nothing waits that nobody will look at.
    /// 2. Before the start, and once all is over, no child has a process; at the end none is to come up.
    /// 3. A request waits only for a child that is on the move, or for the supervisor to be up, and an end to be judged only
    ///    while a change holds everything up. A change is over when there is nothing left of it to wait for.
    /// 4. A temporary child never waits for another attempt; a restart that is to wait does so once its group is gone. A
    ///    deadline belongs to a shutdown within a time.
    /// 5. Every child, and nobody else, is found by its id, and stands in the relation of needs.
    /// 6. Either window holds no more restarts than the limit; what is remembered is remembered of children.
    ///
    /// # Panics
    /// If one of these is broken: the supervisor would wait for ever, or a child would be lost.
    pub fn check(&self) {
        let (is_over, held_up) = (matches!(self.phase, Phase::New | Phase::Ended), self.is_held_up());
        if !is_over {
            let depended_on = self.depended_on(|slot| self.at(slot).is_alive());
            let mut untold = self.leaving();
            assert!(untold.all(|slot| depended_on.contains(&slot)), "whoever may stop is told: {self:?}");
        }
        let regrouping: BTreeSet<Slot> =
            self.children.iter().filter(|(_, child)| child.regroups).map(|(slot, _)| slot).collect();
        for (slot, child) in self.children.iter() {
            assert_eq!(self.by_id.get(&child.rules.id), Some(&slot), "a child is found by its id: {self:?}");
            assert!(!is_over || !child.is_alive(), "no child without a living supervisor: {self:?}");
            let is_to_come = child.is_to_come();
            let may_come = matches!(self.phase, Phase::Starting | Phase::Up);
            assert!(may_come || held_up || !is_to_come, "nobody comes up at the end: {self:?}");
            let is_fallen = matches!(child.state, State::Fallen { .. });
            assert!(!is_fallen || held_up, "an end is judged as soon as nothing holds it up: {self:?}");
            let by_change = self.change.is_some() || !child.is_to_change();
            assert!(by_change || self.is_ending(), "a change starts whom it starts: {self:?}");
            assert!(!may_come || self.may_start(slot).is_none(), "whoever may start is started: {self:?}");
            if child.regroups {
                let group = self.needs.connected(slot, &regrouping);
                let is_alive = group.iter().any(|slot| self.at(*slot).is_alive());
                assert!(is_alive, "a group that is gone comes up: {self:?}");
            }
            if let State::Waiting { .. } | State::Held(_) | State::Delayed { .. } = child.state {
                assert!(!child.is_temporary(), "a temporary child never waits for another start: {self:?}");
            }
            let is_held = matches!(child.state, State::Held(_));
            assert!(!is_held || child.regroups, "a wait begins when the group has gone: {self:?}");
            if let State::Stopping { stop: Stop { deadline: Some(_), .. }, .. } = child.state {
                let limited = matches!(child.rules.shutdown, crate::Shutdown::Within(_));
                assert!(limited, "a deadline belongs to a shutdown within a time: {child:?}");
            }
        }
        assert_eq!(self.by_id.len(), self.children.len(), "no id outlives its child");
        assert_eq!(self.needs.order().len(), self.children.len(), "everyone stands in the relation of needs");
        if matches!(self.phase, Phase::Up) {
            let waits = |deferred: &Deferred| matches!(deferred, Deferred::Asked(_, request) if self.has_to_wait(request));
            assert!(self.deferred.iter().all(waits), "a request waits for somebody on the move: {self:?}");
        }
        self.check_change();
        self.tolerance.check();
        self.records.check(|slot| self.children.get(slot).is_none());
    }
}
