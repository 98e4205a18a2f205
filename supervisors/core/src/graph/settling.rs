//! What may begin, after every event: whoever stands so that it may stop or start is told to. Decides nothing about restarts;
//! see `graph.rs`.

use super::*;

impl GraphSupervision {
    /// Begins whatever may begin now. Answers, and the end of a change, may make more of it possible, so it goes on until there
    /// are none.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>) {
        if matches!(self.phase, Phase::New | Phase::Ended) {
            return;
        }
        loop {
            self.take_up_what_was_held_up(turn);
            self.stop_whoever_may(turn);
            if let Phase::Ending(reason) = &self.phase {
                if !self.children.iter().any(|(_, child)| child.is_alive()) {
                    turn.push(Command::Exit(reason.clone()));
                    self.phase = Phase::Ended;
                }
                return;
            }
            if self.is_held_up() {
                if self.take_next_step(turn) {
                    continue;
                }
                return;
            }
            self.open_groups(turn);
            self.begin_waits(turn);
            let in_vain = self.in_vain();
            // Whoever is forgotten for that may have held up others.
            if self.refuse(&in_vain, turn) {
                continue;
            }
            self.start_whoever_may(turn);
            self.change_inside(&in_vain, turn);
            self.end_own_start(&in_vain, turn);
            if !self.end_change(&in_vain, turn) && !self.answer_one(turn) {
                return;
            }
        }
    }

    /// A group of which nobody has a process any more begins its new epoch, and may come up.
    fn open_groups(&mut self, turn: &mut Turn<'_>) {
        let mut left: BTreeSet<Slot> =
            self.children.iter().filter(|(_, child)| child.regroups).map(|(slot, _)| slot).collect();
        while let Some(&first) = left.first() {
            let group = self.needs.connected(first, &left);
            let is_gone = !group.iter().any(|slot| self.at(*slot).is_alive());
            for slot in group {
                left.remove(&slot);
                if is_gone && let Some(child) = self.children.get_mut(slot) {
                    child.regroups = false;
                    turn.push(Command::NewEpoch(slot));
                }
            }
        }
    }

    /// Who is down and will not come up by itself, and who waits for one of them, directly or through others, with the id
    /// of that one: of several one that is not just disabled, if there is one.
    pub(super) fn in_vain(&self) -> BTreeMap<Slot, Arc<str>> {
        let mut in_vain: BTreeMap<Slot, Arc<str>> = BTreeMap::new();
        for &slot in self.needs.order() {
            let child = self.at(slot);
            let hopeless = match child.state {
                State::Down(Cause::Stopped) | State::Disabled => Some(child.rules.id.clone()),
                State::Due(_) => {
                    let hopeless = self.needs.needed(slot).filter_map(|need| in_vain.get(&need));
                    hopeless.min_by_key(|id| self.is_disabled(id)).cloned()
                }
                _ => None,
            };
            if let Some(id) = hopeless {
                in_vain.insert(slot, id);
            }
        }
        in_vain
    }

    /// Whoever is to be started by request or by a change, and waits in vain, is not waited for; whether it has to be looked again
    /// who does: somebody was forgotten, or has done its part for others after all.
    fn refuse(&mut self, in_vain: &BTreeMap<Slot, Arc<str>>, turn: &mut Turn<'_>) -> bool {
        let before = self.children.len();
        let has_done_its_part = |(slot, id): (&Slot, &Arc<str>)| match self.at(*slot).state {
            State::Due(purpose @ Purpose::Again(_, Cause::Finished | Cause::NothingToRun)) => {
                Some((*slot, purpose, id.clone()))
            }
            _ => None,
        };
        let refused = in_vain.iter().find_map(has_done_its_part);
        if let Some((slot, purpose, id)) = refused {
            self.call_off(slot, purpose, Refusal::NeedIsDown(id), turn);
            return true;
        }
        for (&slot, id) in in_vain {
            let State::Due(purpose) = self.at(slot).state else { continue };
            match purpose {
                Purpose::Added(_) | Purpose::Again(..) | Purpose::Enabled(_) => {
                    self.call_off(slot, purpose, Refusal::NeedIsDown(id.clone()), turn);
                }
                Purpose::Change if !self.is_disabled(id) => self.hold_back(slot),
                Purpose::OwnStart | Purpose::Restart | Purpose::Change => {}
            }
        }
        self.children.len() != before
    }

    /// A start that has not begun will not be, and the child stands as it did before it was asked for.
    pub(super) fn call_off(&mut self, slot: Slot, purpose: Purpose, why: Refusal, turn: &mut Turn<'_>) {
        match purpose {
            Purpose::Added(_) => self.drop_out(slot, turn),
            Purpose::Enabled(_) => self.set(slot, State::Disabled),
            Purpose::Again(_, cause) => self.set(slot, State::Down(cause)),
            _ => self.set(slot, State::Down(Cause::Stopped)),
        }
        self.answer(purpose, Answer::Refused(why), turn);
    }

    fn start_whoever_may(&mut self, turn: &mut Turn<'_>) {
        for slot in self.all() {
            if let Some(purpose) = self.may_start(slot) {
                // Whoever asks for a start knows of what was.
                if purpose.request().is_some() {
                    self.records.forget(slot);
                }
                self.set(slot, State::Starting(purpose.in_earnest()));
                turn.push(Command::Start(slot));
            }
        }
    }

    pub(super) fn may_start(&self, slot: Slot) -> Option<Purpose> {
        let child = self.at(slot);
        let State::Due(purpose) = child.state else { return None };
        let is_met = |need| self.at(need).is_met() && !self.is_open(need);
        (!child.regroups && self.needs.needed(slot).all(is_met)).then_some(purpose)
    }

    /// Its own start does not wait for those that wait for somebody who is disabled: they come up when they can, and what
    /// fails then is a restart.
    fn end_own_start(&mut self, in_vain: &BTreeMap<Slot, Arc<str>>, turn: &mut Turn<'_>) {
        if !matches!(self.phase, Phase::Starting) {
            return;
        }
        let is_own = |child: &Node| {
            let (State::Due(purpose)
            | State::Starting(purpose)
            | State::Stopping { then: Then::Due(purpose), .. }) = child.state
            else {
                return false;
            };
            purpose == Purpose::OwnStart
        };
        if self.children.iter().any(|(slot, child)| is_own(child) && !in_vain.contains_key(&slot)) {
            return;
        }
        for &slot in in_vain.keys().filter(|slot| is_own(self.at(**slot))).collect::<Vec<_>>() {
            self.set(slot, State::Due(Purpose::Restart));
        }
        self.phase = Phase::Up;
        turn.push(Command::Ready);
    }
}
