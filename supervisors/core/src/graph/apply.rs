//! Changing the rules of a supervisor of children with needs while it runs, in the same three parts as elsewhere: see
//! `supervision/apply.rs`. The first two hold everything up: no end is judged and nobody comes up, until whoever leaves has and
//! the new rules hold. From then on whoever is to be started is due like anybody else, beside whatever else happens.
//! What is to be done has been decided in `change.rs`; a start that fails here is told and not tried again.

use super::*;
use crate::command::Part;
use crate::request::Applied;
use crate::{Change, Leaving, Outline, Own, Planned, Standing, Task};

/// A change that is being carried out.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    change: Change,
    /// Where those that are come to among the stops stand in it.
    leaving: BTreeMap<Slot, usize>,
    /// Who is to hear that the part in hand, or all of it, is done.
    request: RequestId,
    /// Whether each part is asked for, by a supervisor above.
    in_parts: bool,
    /// The part in hand; if it waits to be asked for, the one that comes next.
    part: Part,
    waits: bool,
    /// For whom the part is not done: supervisors that are changed inside, and among the stops whoever leaves.
    open: BTreeSet<Slot>,
    /// The supervisors of them in which it is being done.
    within: BTreeSet<Slot>,
    /// Supervisors that are held.
    held: BTreeSet<Slot>,
    /// Whether one of them could not be.
    refused: bool,
    applied: Applied,
}

impl Progress {
    /// All of it is still to be done.
    pub(super) fn new(change: Change, request: RequestId, in_parts: bool) -> Self {
        let inside = |child: &Planned| child.was.filter(|_| child.task == Task::Inside);
        Self {
            open: change.children().iter().filter_map(inside).collect(),
            leaving: change.leaving().iter().map(|leaving| leaving.slot).zip(0..).collect(),
            change,
            request,
            in_parts,
            part: Part::Hold,
            waits: false,
            within: BTreeSet::new(),
            held: BTreeSet::new(),
            refused: false,
            applied: Applied::default(),
        }
    }

    /// What becomes of a child that leaves; nothing if it is forgotten.
    fn task(&self, slot: Slot) -> Option<&Task> {
        Some(&self.change.children()[self.leaving(slot).becomes?].task)
    }

    /// Who is to hear of it.
    pub(super) fn request(&self) -> RequestId {
        self.request
    }

    /// For whom the part in hand is not done.
    pub(super) fn open(&self) -> &BTreeSet<Slot> {
        &self.open
    }

    /// The supervisors in which it is being done.
    pub(super) fn within(&self) -> &BTreeSet<Slot> {
        &self.within
    }

    fn leaving(&self, slot: Slot) -> &Leaving {
        let place = self.leaving.get(&slot).expect("whoever is come to among the stops leaves");
        &self.change.leaving()[*place]
    }
}

impl GraphSupervision {
    /// The supervisor as it stands. Whoever is on the move counts as what it will be if all goes well.
    pub fn outline(&self) -> Outline {
        let standing = |(slot, child): (Slot, &Node)| {
            let (rules, stands) = (child.rules.clone(), child.stands());
            Standing { slot, rules, stands }
        };
        Outline { own: self.own(), children: self.children.iter().map(standing).collect() }
    }

    /// Whether a change is being carried out; what the host knows of it matters until then.
    pub fn is_changing(&self) -> bool {
        self.change.is_some()
    }

    fn own(&self) -> Own {
        let Level { limit, period } = self.tolerance.level();
        let (auto_shutdown, max_children) = (self.auto_shutdown, self.max_children);
        Own { strategy: None, limit, period, auto_shutdown, max_children }
    }

    /// Whether nobody is on the move, no start that was asked for waits, and no change is being carried out.
    pub(super) fn is_at_rest(&self) -> bool {
        let asked_for = |child: &Node| {
            matches!(child.state, State::Due(Purpose::Added(_) | Purpose::Again(..) | Purpose::Enabled(_)))
        };
        let moves = |child: &Node| child.is_moving() || asked_for(child);
        self.change.is_none() && !self.children.iter().any(|(_, child)| moves(child))
    }

    /// Whether a change keeps everything else from going on.
    pub(super) fn is_held_up(&self) -> bool {
        matches!(self.phase, Phase::Comparing { .. } | Phase::HeldUp)
    }

    /// Whether the part in hand of a change is not done for this child: nobody comes up meanwhile who needs it.
    pub(super) fn is_open(&self, slot: Slot) -> bool {
        self.change.as_ref().is_some_and(|progress| progress.open.contains(&slot))
    }

    /// For whom the part in hand has not begun.
    fn not_begun(&self) -> Vec<Slot> {
        let Some(progress) = &self.change else { return Vec::new() };
        let has_begun = |slot: &Slot| {
            progress.within.contains(slot) || matches!(self.at(*slot).state, State::Stopping { .. })
        };
        progress.open.iter().copied().filter(|slot| !has_begun(slot)).collect()
    }

    // --- what happened -----------------------------------------------------------------------------------------

    /// The host is asked to compare what stands with what is to be: it knows the recipes.
    pub(super) fn compare(&mut self, request: RequestId, in_parts: bool, turn: &mut Turn<'_>) {
        turn.push(Command::Compare(request));
        self.phase = Phase::Comparing { request, in_parts };
    }

    pub(super) fn compared(&mut self, change: Result<Change, Refusal>, turn: &mut Turn<'_>) {
        let Phase::Comparing { request, in_parts } = self.phase else { return };
        let fitting = change.and_then(|change| {
            let fits = change.fits(self.own(), self.slots());
            fits.then_some(change).ok_or(Refusal::Stale)
        });
        match fitting {
            Ok(change) => {
                self.change = Some(Box::new(Progress::new(change, request, in_parts)));
                self.phase = Phase::HeldUp;
            }
            Err(refusal) => self.refuse_change(request, refusal, turn),
        }
    }

    /// A part has been done within this child, or could not be.
    pub(super) fn part_done(&mut self, slot: Slot, done: bool) {
        let Some(progress) = &mut self.change else { return };
        if !progress.within.remove(&slot) {
            return;
        }
        progress.open.remove(&slot);
        match progress.part {
            Part::Hold if done => drop(progress.held.insert(slot)),
            Part::Hold => progress.refused = true,
            Part::Starts if !done => {
                for dependent in self.needs.dependents(slot).collect::<Vec<_>>() {
                    self.hold_back(dependent);
                }
            }
            Part::Stops | Part::Starts => {}
        }
    }

    /// The supervisor above wants the next part. `None`: it does not, and will not.
    pub(super) fn next_part(&mut self, request: Option<RequestId>, turn: &mut Turn<'_>) {
        let Some(progress) = self.change.as_mut().filter(|progress| progress.waits) else { return };
        match request {
            // Nothing has been done yet, and nothing will be.
            None if progress.part == Part::Stops => return self.let_go(turn),
            Some(request) => progress.request = request,
            // Whoever has been stopped is not left so.
            None => {}
        }
        progress.waits = false;
        if progress.part == Part::Starts {
            self.phase = Phase::Up;
        }
    }

    // --- while everything is held up ---------------------------------------------------------------------------

    /// What happened meanwhile is taken up in the order in which it did.
    pub(super) fn take_up_what_was_held_up(&mut self, turn: &mut Turn<'_>) {
        while let Phase::Up = self.phase {
            let first = self.deferred.iter().position(|deferred| !matches!(deferred, Deferred::Asked(..)));
            match first.and_then(|at| self.deferred.remove(at)) {
                Some(Deferred::Exit { slot, ticket, charged }) => {
                    if let Some(Node { state: State::Fallen { reason, ticket: fell }, .. }) =
                        self.children.get(slot)
                        && *fell == ticket
                    {
                        self.fell(slot, reason.clone(), charged, turn);
                    }
                }
                Some(Deferred::TryAgain { slot }) => self.try_again(slot, turn),
                Some(Deferred::RestartDue { slot, ticket }) => self.restart_due(slot, ticket),
                Some(Deferred::Asked(..)) | None => return,
            }
        }
    }

    /// Takes the next step of a change that holds everything up; whether there may be another.
    pub(super) fn take_next_step(&mut self, turn: &mut Turn<'_>) -> bool {
        let Some(progress) = &self.change else { return false };
        if progress.waits {
            return false;
        }
        let part = progress.part;
        match part {
            Part::Hold => {
                for slot in self.not_begun() {
                    self.begin_inside(slot, turn);
                }
            }
            Part::Stops => self.let_leave(turn),
            Part::Starts => {}
        }
        let progress = self.progress();
        if !progress.open.is_empty() {
            return false;
        }
        match part {
            Part::Hold if progress.refused => {
                let request = progress.request;
                self.let_go(turn);
                self.refuse_change(request, Refusal::Stale, turn);
            }
            Part::Hold => {
                let leaving = progress.leaving.keys().copied().collect();
                self.part_is_over(Part::Stops, leaving, turn);
            }
            Part::Stops => {
                let inside = self.rearrange(turn);
                self.part_is_over(Part::Starts, inside, turn);
                if !self.progress().waits {
                    self.phase = Phase::Up;
                }
            }
            Part::Starts => {}
        }
        true
    }

    /// Goes over to the next part, or waits to be asked for it. `open`: for whom that is to be done.
    fn part_is_over(&mut self, next: Part, open: BTreeSet<Slot>, turn: &mut Turn<'_>) {
        let progress = self.progress();
        (progress.part, progress.open, progress.waits) = (next, open, progress.in_parts);
        if progress.waits {
            let request = progress.request;
            turn.push(Command::Answer(request, Answer::Held));
        }
    }

    /// Has the part in hand done within this child.
    fn begin_inside(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        let progress = self.progress();
        progress.within.insert(slot);
        turn.push(Command::Part(slot, progress.part));
    }

    /// Comes to whoever is to leave, or to be changed inside, and on whom nobody depends any more who is.
    fn let_leave(&mut self, turn: &mut Turn<'_>) {
        loop {
            let depended_on = self.depended_on(|slot| self.is_open(slot));
            let may: Vec<Slot> =
                self.not_begun().into_iter().rev().filter(|slot| !depended_on.contains(slot)).collect();
            if may.is_empty() {
                return;
            }
            for slot in may {
                self.leave(slot, turn);
            }
        }
    }

    fn leave(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        if self.progress().task(slot) == Some(&Task::Inside) {
            return self.begin_inside(slot, turn);
        }
        match &self.at(slot).state {
            State::Running { .. } => self.ask_to_stop(slot, Then::Changed, None, turn),
            State::Fallen { reason, .. } => {
                let reason = reason.clone();
                self.gone(slot, reason, None, Then::Changed, turn);
            }
            State::Waiting { reason } => {
                let reason = reason.clone();
                self.is_out(slot, reason, turn);
            }
            _ => self.is_out(slot, ExitReason::Normal, turn),
        }
    }

    /// This child, which leaves, has no process and waits for none.
    pub(super) fn is_out(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        let progress = self.progress();
        progress.open.remove(&slot);
        let up = progress.leaving(slot).up;
        let (state, decision) = match progress.task(slot) {
            None => {
                self.report(slot, reason, Decision::Remove, turn);
                return self.drop_out(slot, turn);
            }
            Some(Task::Disable) => (State::Disabled, Decision::Disable),
            Some(_) => (State::Down(Cause::Stopped), Decision::StartAnew),
        };
        self.set(slot, state);
        if up {
            self.report(slot, reason, decision, turn);
        }
    }

    /// Nobody who leaves has a process any more: from here on the new rules hold, and every child has another slot. Those that
    /// are changed inside, by their new slots.
    fn rearrange(&mut self, turn: &mut Turn<'_>) -> BTreeSet<Slot> {
        let progress = self.change.take().expect("a change is being carried out");
        let (rules, planned) = (progress.change.rules(), progress.change.children());
        self.auto_shutdown = rules.auto_shutdown();
        self.max_children = rules.max_children();
        self.common = rules.common().cloned();
        self.tolerance.change(rules.limit(), rules.period());
        let was: Vec<Option<Slot>> = planned.iter().map(|child| child.was).collect();
        let slots = self.children.rearrange(&was, |place, child| {
            let rules = rules.children()[place].clone();
            match child {
                Some(child) => child.under(rules),
                None => Node::new(rules),
            }
        });
        self.by_id = self.children.iter().map(|(slot, child)| (child.rules.id.clone(), slot)).collect();
        self.relate();
        let seats: Vec<(Slot, Option<Slot>)> = slots.iter().copied().zip(was).collect();
        let now: BTreeMap<Slot, Slot> = seats.iter().filter_map(|(now, was)| Some(((*was)?, *now))).collect();
        self.deferred.retain_mut(|deferred| deferred.moves(&now));
        self.records.moved(&now);
        for (slot, child) in self.children.iter() {
            if child.readiness().is_some_and(Readiness::is_ready) {
                self.records.counts(slot, turn.now);
            }
        }
        turn.push(Command::Rearrange(progress.request, seats));
        self.ask_again_for_what_is_due(turn);
        let mut inside = BTreeSet::new();
        for (&slot, child) in slots.iter().zip(planned) {
            if child.epoch {
                turn.push(Command::NewEpoch(slot));
            }
            match child.task {
                Task::Inside => drop(inside.insert(slot)),
                Task::Start(_) => {
                    self.records.forget(slot);
                    self.set(slot, State::Due(Purpose::Change));
                }
                Task::Keep | Task::Disable => {}
            }
        }
        self.change = Some(progress);
        inside
    }

    /// What children wait for names slots that are none any more.
    fn ask_again_for_what_is_due(&self, turn: &mut Turn<'_>) {
        for (slot, child) in self.children.iter() {
            if let Some(deadline) = child.readiness().and_then(Readiness::deadline) {
                turn.push(Command::SetReadyDeadline(slot, deadline));
            }
            match child.state {
                State::Waiting { .. } => turn.push(Command::TryAgain(slot)),
                State::Delayed { ticket, earliest, latest } => {
                    turn.push(Command::SetRestart { slot, ticket: Ticket(ticket), earliest, latest });
                }
                _ => {}
            }
        }
    }

    /// Nothing has happened yet, and nothing will: those who are held are let go.
    fn let_go(&mut self, turn: &mut Turn<'_>) {
        let progress = self.change.take().expect("a change is being carried out");
        for slot in progress.held {
            turn.push(Command::LetGo(slot));
        }
        self.phase = Phase::Up;
    }

    fn refuse_change(&mut self, request: RequestId, refusal: Refusal, turn: &mut Turn<'_>) {
        turn.push(Command::Answer(request, Answer::Refused(refusal)));
        self.phase = Phase::Up;
    }

    // --- while the missing come up -----------------------------------------------------------------------------

    /// Supervisors are changed inside when nobody whom they need is still to come up.
    pub(super) fn change_inside(&mut self, in_vain: &BTreeMap<Slot, Arc<str>>, turn: &mut Turn<'_>) {
        for slot in self.not_begun() {
            let is_to_come = |need| self.comes_by_change(need, in_vain) || self.is_open(need);
            if !self.needs.needed(slot).any(is_to_come) {
                self.begin_inside(slot, turn);
            }
        }
    }

    /// Whether a change waits for this child to come up: not if that waits for somebody who does not.
    fn comes_by_change(&self, slot: Slot, in_vain: &BTreeMap<Slot, Arc<str>>) -> bool {
        self.at(slot).is_to_change() && !in_vain.contains_key(&slot)
    }

    /// Whoever needs it is not started, and nobody tries again: as with any start that was asked for (SUP-083).
    pub(super) fn change_start_failed(&mut self, slot: Slot, reason: ExitReason) {
        let id = self.at(slot).rules.id.clone();
        self.set(slot, State::Down(Cause::Stopped));
        self.progress().applied.failed.push((id, reason));
    }

    /// Somebody it needs did not come up.
    pub(super) fn hold_back(&mut self, slot: Slot) {
        let child = self.at(slot);
        if let State::Due(Purpose::Change) = child.state {
            let id = child.rules.id.clone();
            self.set(slot, State::Down(Cause::Stopped));
            self.progress().applied.held_back.push(id);
        }
    }

    /// It is over when nobody is still to come up by it; whether it is. Whoever waits for somebody who is disabled comes up when
    /// it can, and what fails then is a restart. Temporary children that have not come up are forgotten, as ever: whoever waited
    /// for one needs it no more.
    pub(super) fn end_change(&mut self, in_vain: &BTreeMap<Slot, Arc<str>>, turn: &mut Turn<'_>) -> bool {
        let is_over = |progress: &Progress| {
            progress.open.is_empty() && !self.slots().any(|slot| self.comes_by_change(slot, in_vain))
        };
        if !self.change.as_deref().is_some_and(is_over) {
            return false;
        }
        let Progress { request, applied, .. } = *self.change.take().expect("it has just been there");
        for slot in self.all() {
            let child = self.at(slot);
            match child.state {
                State::Due(Purpose::Change) => self.set(slot, State::Due(Purpose::Restart)),
                State::Down(_) if child.is_temporary() => self.drop_out(slot, turn),
                _ => {}
            }
        }
        turn.push(Command::Answer(request, Answer::Applied(applied)));
        true
    }

    fn progress(&mut self) -> &mut Progress {
        self.change.as_mut().expect("a change is being carried out")
    }

    /// A child is gone for good: nothing is to be done for it any more.
    pub(super) fn change_forgets(&mut self, slot: Slot) {
        if let Some(progress) = &mut self.change {
            progress.open.remove(&slot);
            progress.within.remove(&slot);
        }
    }

    /// # Panics
    /// If a change would never come to its end.
    pub(super) fn check_change(&self) {
        let holds_up = |progress: &Progress| progress.waits || progress.part != Part::Starts;
        let is_held_up = self.change.as_deref().is_some_and(holds_up);
        assert_eq!(
            is_held_up,
            matches!(self.phase, Phase::HeldUp),
            "a change holds up or does not: {self:?}"
        );
        let Some(progress) = &self.change else { return };
        let depended_on = self.depended_on(|slot| self.is_open(slot));
        let may_begin = |slot: &Slot| !depended_on.contains(slot);
        match progress.part {
            _ if progress.waits => {}
            Part::Hold => assert!(self.not_begun().is_empty(), "whoever is to be held is: {self:?}"),
            Part::Stops => {
                assert!(!self.not_begun().iter().any(may_begin), "whoever may leave does: {self:?}")
            }
            Part::Starts => {
                let in_vain = self.in_vain();
                let is_left = self.slots().any(|slot| self.comes_by_change(slot, &in_vain));
                assert!(is_left || !progress.open.is_empty(), "a change that is done is over: {self:?}");
            }
        }
    }
}

#[cfg(test)]
impl Progress {
    /// At this part, which is not done for one: for breaking it.
    pub(super) fn come_to(&mut self, part: Part, open: Slot) {
        (self.part, self.open) = (part, BTreeSet::from([open]));
    }

    pub(super) fn is_done_for(&mut self, slot: Slot) {
        self.open.remove(&slot);
    }
}
