//! Changing the rules of a supervisor while it runs, in three parts: everyone whom it concerns below is held; then, last
//! to first, whoever leaves is stopped; then, first to last, whoever is missing is started. A part goes through the
//! whole tree before the next begins: a supervisor within another is asked for each by the one above it.
//! What is to be done has been decided in `change.rs`; a start that fails here is told and not tried again.

use super::{Command, Down, Phase, Purpose, Supervision, Turn};
use crate::children::State;
use crate::readiness::Readiness;
use crate::request::{Answer, Applied, Refusal, RequestId};
use crate::strategy::{Fate, fate};
use crate::{Change, Decision, Leaving, Level, Outline, Own, Part, Planned, Slot, Standing, Stands, Task};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use minder_signals::ExitReason;

/// A change that is being carried out.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    change: Change,
    /// Who is to hear that the part in hand, or all of it, is done.
    request: RequestId,
    /// Whether each part is asked for, by a supervisor above.
    in_parts: bool,
    part: Part,
    /// How far the part has come.
    next: usize,
    /// The slots of the new children, once the new rules hold.
    slots: Vec<Slot>,
    /// Whether somebody on whom all that come later depend has not come up.
    broken: bool,
    applied: Applied,
}

impl Supervision {
    /// The supervisor as it stands; between operations, or else a child in between counts as having no process.
    pub fn outline(&self) -> Outline {
        let children = self.children.iter().map(|(slot, child)| {
            let stands = match child.state() {
                State::Running { .. } => Stands::Up,
                State::Waiting { .. } | State::Delayed { .. } => Stands::Waiting,
                State::Disabled => Stands::Disabled,
                State::Finished => Stands::Finished,
                State::Starting | State::Fallen { .. } | State::Stopping(_) | State::Gone => Stands::Down,
            };
            Standing { slot, rules: child.rules.clone(), stands }
        });
        Outline { own: self.own(), children: children.collect() }
    }

    /// Whether the child in this slot is still to be started by the change in hand.
    pub(super) fn is_to_be_started(&self, slot: Slot) -> bool {
        let Some(progress) = &self.progress else { return false };
        let from = if progress.part == Part::Starts { progress.next.saturating_sub(1) } else { 0 };
        let starts = |child: &Planned| matches!(child.task, Task::Start(_));
        let due = match progress.slots.first() {
            // Numbered one after the other.
            Some(first) => {
                let at = usize::try_from(slot.number().saturating_sub(first.number())).unwrap_or(usize::MAX);
                progress.change.children().get(at).filter(|_| at >= from)
            }
            None => progress.change.children().iter().find(|child| child.was == Some(slot)),
        };
        !progress.broken && due.is_some_and(starts)
    }

    /// Whether a change is being carried out; what the host knows of it matters until then.
    pub fn is_changing(&self) -> bool {
        self.progress.is_some()
    }

    fn own(&self) -> Own {
        let Level { limit, period } = self.tolerance.level();
        let (auto_shutdown, max_children) = (self.auto_shutdown, self.max_children);
        Own { strategy: Some(self.strategy), limit, period, auto_shutdown, max_children }
    }

    /// The host is asked to compare what stands with what is to be: it knows the recipes.
    pub(super) fn compare(&mut self, request: RequestId, in_parts: bool, turn: &mut Turn<'_>) {
        turn.push(Command::Compare(request));
        self.phase = Phase::Comparing { request, in_parts };
    }

    pub(super) fn compared(&mut self, change: Result<Change, Refusal>, turn: &mut Turn<'_>) {
        let Phase::Comparing { request, in_parts } = self.phase else { return };
        let fitting = change.and_then(|change| {
            let fits = change.fits(self.own(), self.children.iter().map(|(slot, _)| slot));
            fits.then_some(change).ok_or(Refusal::Stale)
        });
        match fitting {
            Ok(change) => {
                let (part, applied) = (Part::Hold, Applied::default());
                let (next, slots, broken) = (0, Vec::new(), false);
                self.progress = Some(Box::new(Progress {
                    change,
                    request,
                    in_parts,
                    part,
                    next,
                    slots,
                    broken,
                    applied,
                }));
                self.apply_next(turn);
            }
            Err(refusal) => {
                turn.push(Command::Answer(request, Answer::Refused(refusal)));
                self.phase = Phase::Idle;
            }
        }
    }

    /// The supervisor above wants the next part. `None`: it does not, and will not.
    pub(super) fn next_part(&mut self, request: Option<RequestId>, turn: &mut Turn<'_>) {
        if !matches!(self.phase, Phase::Applying { inside: None }) {
            return;
        }
        match request {
            Some(request) => {
                self.progress().request = request;
                self.apply_next(turn);
            }
            None if self.progress().part == Part::Stops => {
                let all = self.progress().change.children().len();
                self.let_go(all, turn);
            }
            // Whoever has been stopped is not left so: the supervisor above has ended, and this one is about to, or it
            // lives on in the hands of somebody else.
            None => self.apply_next(turn),
        }
    }

    /// A part has been done within this child, or could not be.
    pub(super) fn part_done(&mut self, slot: Slot, done: bool, turn: &mut Turn<'_>) {
        if !matches!(self.phase, Phase::Applying { inside: Some(inside) } if inside == slot) {
            return;
        }
        let breaks = !matches!(fate(self.strategy), Fate::Alone);
        let progress = self.progress();
        match progress.part {
            Part::Hold if !done => {
                let (request, held) = (progress.request, progress.next - 1);
                self.let_go(held, turn);
                turn.push(Command::Answer(request, Answer::Refused(Refusal::Stale)));
            }
            Part::Starts => {
                progress.broken |= !done && breaks;
                self.apply_next(turn);
            }
            Part::Hold | Part::Stops => self.apply_next(turn),
        }
    }

    /// Takes the next step of the part in hand; if there is none, the next part.
    pub(super) fn apply_next(&mut self, turn: &mut Turn<'_>) {
        loop {
            let progress = self.progress();
            let at = progress.next;
            progress.next += 1;
            let waits = match progress.part {
                Part::Hold => match progress.change.children().get(at) {
                    Some(&Planned { task: Task::Inside, was: Some(slot), .. }) => {
                        self.part(slot, Part::Hold, turn)
                    }
                    Some(_) => false,
                    None => self.part_is_over(Part::Stops, turn),
                },
                Part::Stops => match progress.change.leaving().get(at).cloned() {
                    Some(leaving) => self.leave(&leaving, turn),
                    None => {
                        self.rearrange(turn);
                        self.part_is_over(Part::Starts, turn)
                    }
                },
                Part::Starts => match progress.slots.get(at).copied() {
                    Some(slot) => self.take_up(at, slot, turn),
                    None => return self.end_change(turn),
                },
            };
            if waits {
                return;
            }
        }
    }

    /// Goes over to the next part, or waits to be asked for it.
    fn part_is_over(&mut self, next: Part, turn: &mut Turn<'_>) -> bool {
        let progress = self.progress();
        progress.part = next;
        progress.next = 0;
        let (request, waits) = (progress.request, progress.in_parts);
        if waits {
            turn.push(Command::Answer(request, Answer::Held));
            self.phase = Phase::Applying { inside: None };
        }
        waits
    }

    /// Has a part done within this child.
    fn part(&mut self, slot: Slot, part: Part, turn: &mut Turn<'_>) -> bool {
        turn.push(Command::Part(slot, part));
        self.phase = Phase::Applying { inside: Some(slot) };
        true
    }

    /// One step down: whether it takes time.
    fn leave(&mut self, leaving: &Leaving, turn: &mut Turn<'_>) -> bool {
        let &Leaving { slot, becomes, .. } = leaving;
        if becomes.is_some_and(|place| self.progress().change.children()[place].task == Task::Inside) {
            return self.part(slot, Part::Stops, turn);
        }
        match self.children.at(slot).state() {
            State::Running { .. } => {
                self.ask_to_stop(slot, true, turn);
                self.phase = Phase::StoppingForChange { at: slot };
                return true;
            }
            State::Fallen { reason, .. } => {
                let reason = reason.clone();
                self.left(slot, reason, turn);
            }
            State::Waiting { reason } => {
                let reason = reason.clone();
                self.is_out(slot, reason, turn);
            }
            State::Delayed { .. } | State::Finished | State::Gone | State::Disabled => {
                self.is_out(slot, ExitReason::Normal, turn);
            }
            State::Starting | State::Stopping(_) => unreachable!("one child at a time is in hand"),
        }
        false
    }

    /// The process of this child, the last that was come to, has ended.
    pub(super) fn left(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        self.cleared(slot, reason.clone(), Down::Gone, turn);
        self.is_out(slot, reason, turn);
    }

    /// This child, the last that was come to, has no process and waits for none.
    fn is_out(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        let progress = self.progress();
        let Leaving { becomes, up, .. } = progress.change.leaving()[progress.next - 1];
        let (down, decision) = match becomes.map(|place| &progress.change.children()[place].task) {
            None => {
                self.report(slot, reason, Decision::Remove, turn);
                return self.drop_out(slot, turn);
            }
            Some(Task::Disable) => (Down::Disabled, Decision::Disable),
            Some(_) => (Down::Gone, Decision::StartAnew),
        };
        self.set_down(slot, down);
        if up {
            self.report(slot, reason, decision, turn);
        }
    }

    /// Nobody who leaves has a process any more: from here on the new rules hold, and every child has another slot.
    fn rearrange(&mut self, turn: &mut Turn<'_>) {
        let mut progress = self.progress.take().expect("a change is being carried out");
        let rules = progress.change.rules();
        self.strategy = rules.strategy();
        self.auto_shutdown = rules.auto_shutdown();
        self.max_children = rules.max_children();
        self.common = rules.common().cloned();
        self.tolerance.change(rules.limit(), rules.period());
        let was: Vec<Option<Slot>> = progress.change.children().iter().map(|child| child.was).collect();
        progress.slots = self.children.rearrange(rules.children(), &was);
        let seats: Vec<(Slot, Option<Slot>)> = progress.slots.iter().copied().zip(was).collect();
        let now: BTreeMap<Slot, Slot> = seats.iter().filter_map(|(now, was)| Some(((*was)?, *now))).collect();
        self.deferred.retain_mut(|deferred| deferred.moves(&now));
        turn.push(Command::Rearrange(progress.request, seats));
        for (slot, child) in self.children.iter() {
            if matches!(child.state(), State::Waiting { .. }) {
                turn.push(Command::TryAgain(slot));
            }
            if let Some(deadline) = child.readiness().and_then(Readiness::deadline) {
                turn.push(Command::SetReadyDeadline(slot, deadline));
            }
        }
        self.waits_are_moved(&now, turn);
        for (child, slot) in progress.change.children().iter().zip(&progress.slots) {
            if child.epoch {
                turn.push(Command::NewEpoch(*slot));
            }
        }
        self.progress = Some(progress);
    }

    /// One step up: whether it takes time.
    fn take_up(&mut self, at: usize, slot: Slot, turn: &mut Turn<'_>) -> bool {
        let progress = self.progress();
        match (&progress.change.children()[at].task, progress.broken) {
            (Task::Keep | Task::Disable, _) => false,
            (Task::Inside, _) => self.part(slot, Part::Starts, turn),
            (Task::Start(_), false) => {
                self.start_child(slot, Purpose::Change, turn);
                true
            }
            (Task::Start(_), true) => {
                let id = self.children.at(slot).rules.id.clone();
                self.progress().applied.held_back.push(id);
                false
            }
        }
    }

    /// Whoever needs it is not started, and nobody tries again: as with any start that was asked for (SUP-083).
    pub(super) fn change_start_failed(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        let id: Arc<str> = self.children.at(slot).rules.id.clone();
        self.children.set(slot, State::Gone);
        let breaks = !matches!(fate(self.strategy), Fate::Alone);
        let progress = self.progress();
        progress.broken |= breaks;
        progress.applied.failed.push((id, reason));
        self.apply_next(turn);
    }

    /// Temporary children that have not come up are forgotten, as ever.
    fn end_change(&mut self, turn: &mut Turn<'_>) {
        let Progress { request, applied, slots, .. } =
            *self.progress.take().expect("a change is being carried out");
        for slot in slots {
            let without = |child: &crate::children::Child| {
                child.is_temporary() && matches!(child.state(), State::Gone | State::Finished)
            };
            if self.children.get(slot).is_some_and(without) {
                self.drop_out(slot, turn);
            }
        }
        turn.push(Command::Answer(request, Answer::Applied(applied)));
        self.phase = Phase::Idle;
    }

    /// Nothing has happened yet, and nothing will: those of the first `held` children who were held are let go.
    fn let_go(&mut self, held: usize, turn: &mut Turn<'_>) {
        let progress = self.progress.take().expect("a change is being carried out");
        for child in &progress.change.children()[..held] {
            if let Planned { task: Task::Inside, was: Some(slot), .. } = child {
                turn.push(Command::LetGo(*slot));
            }
        }
        self.phase = Phase::Idle;
    }

    fn progress(&mut self) -> &mut Progress {
        self.progress.as_mut().expect("a change is being carried out")
    }
}
