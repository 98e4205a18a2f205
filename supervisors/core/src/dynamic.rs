//! The mind of a dynamic supervisor: any number of children from one template, or each by rules of its own, not found by ids
//! and without an order. Composes verdict and intensity; each child is restarted alone. One start or stop runs at a time, as
//! in `supervision.rs`, but at the end all are told at once.
//! O(1) amortised per child, O(log n) once children have gone. Does not carry anything out.

use crate::children::ChildState;
use crate::command::{Command, Decision, Report};
use crate::deferred::{Deferred, Tickets, take_back};
use crate::event::Ticket;
use crate::places::{Places, Slot};
use crate::policy::Exhausted;
use crate::readiness::{Readiness, holds_up, not_ready};
use crate::record::{Records, Ruling, Used};
use crate::request::{Answer, Counts, Listed, Refusal, Request, RequestId, Which};
use crate::spec::DynamicRules;
use crate::stopping::{Stop, ended_otherwise};
use crate::tolerance::Tolerance;
use crate::turn::{CHECKED_AFTER_EVERY_EVENT, Turn};
use crate::verdict::{Verdict, verdict};
use crate::{ChildRules, Event, Level, Policy, Restart};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use minder_signals::{ExitReason, Moment};
use ruled::Ruled;

mod requests;
mod ruled;
mod stopping;
#[cfg(test)]
mod tests;

/// What one dynamic supervisor knows and decides.
///
/// # Ordering
/// Starts, restarts and stops by request go one at a time, in the order in which they were asked for or became
/// necessary. At the end children are told in the order of their starts and end in any order: instances of the template
/// within one time that they share (SUP-177), whoever has rules of its own within its own (EXD-007).
///
/// # OTP
/// With a template `supervisor` with `simple_one_for_one`, without one Elixir's `DynamicSupervisor`, which has the bound on
/// children too. A restart that is ignored drops the child, as from OTP 26 (SUP-184), and stopping one that waits for a
/// restart leaves the count of active children right (SUP-185).
#[derive(Clone, Debug)]
pub struct DynamicSupervision {
    rules: Ruled,
    /// What those are given beyond OTP that bring rules of their own and have nothing else.
    common: Option<Arc<Policy>>,
    max_children: usize,
    tolerance: Tolerance,
    children: Places<State>,
    /// Of instances that have failed, if they have a policy.
    records: Records,
    /// How many children wait for another attempt at their restart, or for its time.
    waiting: usize,
    /// How many children keep the supervisor from being ready.
    unready: usize,
    phase: Phase,
    /// What arrived while an operation ran, in order of arrival.
    deferred: VecDeque<Deferred>,
    tickets: Tickets,
}

/// How a child stands. One without a process that does not wait for one is not a child any more.
#[derive(Clone, Debug)]
enum State {
    Starting,
    Running {
        readiness: Readiness,
    },
    /// Ended by itself, and its turn to be judged has not come.
    Fallen {
        ticket: u64,
        reason: ExitReason,
    },
    /// As in a supervisor with a fixed set of children; the common time limit at the end is the phase's.
    Stopping(Stop),
    /// Its restart failed for this reason.
    Waiting {
        reason: ExitReason,
    },
    /// Its restart waits for its time.
    Delayed {
        ticket: u64,
    },
}

/// What the supervisor is at.
#[derive(Clone, Debug)]
enum Phase {
    New,
    Idle,
    /// A child is starting, because it was asked for or to be restarted.
    Starting {
        at: Slot,
        request: Option<RequestId>,
    },
    /// A child is being stopped because it was asked for.
    Stopping {
        at: Slot,
        request: RequestId,
    },
    /// All children are stopping, at this moment to be killed, and then the supervisor ends for this reason.
    Ending {
        deadline: Option<Moment>,
        reason: ExitReason,
    },
    Ended,
}

impl DynamicSupervision {
    /// A supervisor that goes by these rules and has no children yet.
    pub fn new(rules: DynamicRules) -> Self {
        let (max_children, tolerance) = (rules.max_children(), Tolerance::new(rules.limit(), rules.period()));
        let (template, common) = rules.into_parts();
        Self {
            rules: Ruled::new(template),
            common,
            max_children,
            tolerance,
            children: Places::default(),
            records: Records::default(),
            waiting: 0,
            unready: 0,
            phase: Phase::New,
            deferred: VecDeque::new(),
            tickets: Tickets::default(),
        }
    }

    /// Takes in what happened and appends what is to be done about it, in this order.
    ///
    /// Never panics on an event: what cannot happen in the present state is ignored.
    pub fn handle(&mut self, event: Event, now: Moment, commands: &mut Vec<Command>) {
        let turn = &mut Turn { now, commands };
        match event {
            Event::Start => self.start(turn),
            Event::Started(slot) => self.started(slot, turn),
            Event::StartFailed(slot, reason) => self.start_failed(slot, reason, turn),
            Event::Ignored(slot) => self.ignored(slot, turn),
            Event::Exited { slot, reason, charged } => self.exited(slot, reason, charged, turn),
            Event::Ready(slot) => self.ready(slot, turn),
            Event::ReadyDeadline(slot) => self.ready_deadline(slot, turn),
            Event::StopDeadline(slot) => self.stop_deadline(slot, turn),
            Event::EndDeadline => self.end_deadline(turn),
            Event::TryAgain(slot) => self.try_again(slot, turn),
            Event::RestartDue(slot, ticket) => self.restart_due(slot, ticket, turn),
            Event::Stop(reason) => self.stop(reason, turn),
            Event::Asked(id, request) => self.asked(id, request, turn),
            Event::TakenBack(request) => {
                if take_back(&mut self.deferred, request) {
                    turn.push(Command::Answer(request, Answer::Refused(Refusal::TakenBack)));
                }
            }
            // Nobody is held for a change: it is one step.
            Event::Compared(_) | Event::PartDone(..) | Event::NextPart(_) => {}
        }
        self.catch_up(turn);
        if cfg!(debug_assertions) && self.children.len() <= CHECKED_AFTER_EVERY_EVENT {
            self.check();
        }
    }

    /// The rules of every child that has none of its own; without them each has.
    pub fn template(&self) -> Option<&ChildRules> {
        self.rules.template()
    }

    /// The rules of a child: its own, or those of the template, also if there is no such child any more.
    pub fn child(&self, slot: Slot) -> Option<&ChildRules> {
        self.rules.find(slot)
    }

    /// The rules of those children that have their own, in the order of their starts.
    pub fn own_rules(&self) -> impl ExactSizeIterator<Item = &ChildRules> {
        self.rules.own()
    }

    /// How many children are supervisors.
    pub fn supervisors(&self) -> usize {
        self.rules.supervisors(self.children.len())
    }

    /// How many restarts are tolerable, and within which period.
    pub fn level(&self) -> Level {
        self.tolerance.level()
    }

    /// How many children there may be at a time.
    pub fn max_children(&self) -> usize {
        self.max_children
    }

    /// How many children there are.
    pub fn instances(&self) -> usize {
        self.children.len()
    }

    /// What it goes by.
    pub fn rules(&self) -> DynamicRules {
        let (template, common) = (self.template().cloned(), self.common.clone());
        DynamicRules::of_valid(template, common, self.tolerance.level(), self.max_children)
    }

    /// Whether no operation runs, and every child that says when it is ready to serve has said so.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Idle) && self.unready == 0
    }

    /// Those that keep the supervisor from being ready, in the order of their starts.
    pub fn unready(&self) -> impl Iterator<Item = Slot> {
        let unready = self.children.iter().filter(|(slot, state)| state.holds_up(self.rules.of(*slot)));
        // Not looked for beyond the last of them: there may be a million others.
        unready.take(self.unready).map(|(slot, _)| slot)
    }

    /// How the child in this slot stands, unless it has been forgotten.
    pub fn state(&self, slot: Slot) -> Option<ChildState> {
        self.children.get(slot).map(State::seen)
    }

    fn start(&mut self, turn: &mut Turn<'_>) {
        if matches!(self.phase, Phase::New) {
            self.phase = Phase::Idle;
            turn.push(Command::Ready);
        }
    }

    fn started(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        if let Some(request) = self.starting(slot) {
            let readiness = Readiness::begin(self.rules.of(slot), slot, turn);
            self.set(slot, State::Running { readiness });
            if readiness.is_ready() {
                self.records.up(slot, turn.now);
            }
            self.start_is_over(request, Answer::Started(slot), turn);
        }
    }

    fn ignored(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        match self.starting(slot) {
            Some(request) => {
                self.report(slot, ExitReason::Normal, Decision::Ignore, turn);
                self.drop_out(slot, turn);
                self.start_is_over(request, Answer::Ignored, turn);
            }
            None => self.abandoned_start_ended(slot, ExitReason::Normal, turn),
        }
    }

    fn start_failed(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        match self.starting(slot) {
            Some(None) => {
                self.report(slot, reason.clone(), Decision::TryAgain, turn);
                self.set(slot, State::Waiting { reason });
                turn.push(Command::TryAgain(slot));
                self.phase = Phase::Idle;
            }
            Some(request) => {
                self.drop_out(slot, turn);
                self.start_is_over(request, Answer::Refused(Refusal::StartFailed(reason)), turn);
            }
            None => self.abandoned_start_ended(slot, reason, turn),
        }
    }

    fn exited(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        match self.children.get(slot) {
            Some(State::Starting) => self.start_failed(slot, reason, turn),
            Some(State::Stopping(_)) => self.stopped(slot, reason, turn),
            Some(State::Running { .. }) => {
                self.records.ended(slot, self.rules.policy(slot), turn.now);
                // Its turn comes when nobody is in hand: at once, as a rule.
                let ticket = self.tickets.next();
                self.set(slot, State::Fallen { ticket, reason });
                self.deferred.push_back(Deferred::Exit { slot, ticket, charged });
            }
            Some(State::Fallen { .. } | State::Waiting { .. } | State::Delayed { .. }) | None => {}
        }
    }

    fn ready(&mut self, slot: Slot, turn: &Turn<'_>) {
        let readiness = self.children.get(slot).and_then(State::readiness);
        if let Some(readiness) = readiness.and_then(Readiness::said) {
            self.set(slot, State::Running { readiness });
            self.records.up(slot, turn.now);
        }
    }

    fn ready_deadline(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        let readiness = self.children.get(slot).and_then(State::readiness);
        let Some(readiness) = readiness.and_then(|readiness| readiness.late(turn.now)) else { return };
        let reason = not_ready(self.rules.of(slot));
        self.report(slot, reason.clone(), Decision::NotReady, turn);
        turn.push(Command::KillFor(slot, reason));
        self.set(slot, State::Running { readiness });
    }

    fn stop_deadline(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        if let Some(&State::Stopping(stop)) = self.children.get(slot)
            && stop.is_late(turn.now)
        {
            self.kill(slot, stop, turn);
        }
    }

    /// Whoever shares the time at the end, and is left, is killed.
    fn end_deadline(&mut self, turn: &mut Turn<'_>) {
        let Phase::Ending { deadline, .. } = &mut self.phase else { return };
        if deadline.take_if(|deadline| *deadline <= turn.now).is_none() {
            return;
        }
        let mut next = self.children.first_from(Slot::FIRST);
        while let Some(slot) = next {
            if let Some(&State::Stopping(stop)) = self.children.get(slot)
                && !stop.killed
                && !self.rules.is_own(slot)
            {
                self.kill(slot, stop, turn);
            }
            next = self.children.first_after(slot);
        }
    }

    fn kill(&mut self, slot: Slot, stop: Stop, turn: &mut Turn<'_>) {
        self.report(slot, ExitReason::Shutdown, Decision::KillAfterDeadline, turn);
        self.set(slot, State::Stopping(stop.kill(slot, turn)));
    }

    fn try_again(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        match (&self.phase, self.children.get(slot)) {
            (Phase::Idle, Some(State::Waiting { reason })) => {
                let reason = reason.clone();
                self.attempt(slot, reason, true, turn);
            }
            (Phase::Starting { .. } | Phase::Stopping { .. }, Some(_)) => {
                self.deferred.push_back(Deferred::TryAgain { slot });
            }
            _ => {}
        }
    }

    fn restart_due(&mut self, slot: Slot, ticket: Ticket, turn: &mut Turn<'_>) {
        match (&self.phase, self.children.get(slot)) {
            (Phase::Idle, Some(State::Delayed { ticket: due })) if Ticket(*due) == ticket => {
                self.start_again(slot, turn);
            }
            (Phase::Starting { .. } | Phase::Stopping { .. }, Some(_)) => {
                self.deferred.push_back(Deferred::RestartDue { slot, ticket });
            }
            _ => {}
        }
    }

    fn stop(&mut self, reason: ExitReason, turn: &mut Turn<'_>) {
        if !matches!(self.phase, Phase::Ending { .. } | Phase::Ended) {
            self.end(reason, turn);
        }
    }

    fn catch_up(&mut self, turn: &mut Turn<'_>) {
        while matches!(self.phase, Phase::Idle)
            && let Some(deferred) = self.deferred.pop_front()
        {
            match deferred {
                Deferred::TryAgain { slot } => self.try_again(slot, turn),
                Deferred::RestartDue { slot, ticket } => self.restart_due(slot, ticket, turn),
                Deferred::Asked(id, request) => self.asked(id, request, turn),
                Deferred::Exit { slot, ticket: due, charged } => {
                    if let Some(State::Fallen { ticket, reason }) = self.children.get(slot)
                        && *ticket == due
                    {
                        let reason = reason.clone();
                        self.judge(slot, reason, charged, turn);
                    }
                }
            }
        }
    }

    /// A child ended by itself. One that is not restarted leaves no trace, whatever its restart type (SUP-174).
    fn judge(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        match verdict(self.rules.of(slot).restart, &reason) {
            Verdict::Restart => self.attempt(slot, reason, charged, turn),
            Verdict::LeaveDown | Verdict::Forget => {
                self.report(slot, reason, Decision::Forget, turn);
                self.drop_out(slot, turn);
            }
        }
    }

    fn attempt(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        let retried = matches!(self.children.get(slot), Some(State::Waiting { .. }));
        let policy = self.rules.policy(slot);
        let delay = match self.tolerance.attempt(&mut self.records, slot, policy, charged, turn.now) {
            Ruling::Restart(None) => {
                let report = self.report_about(slot, reason, Decision::Restart);
                turn.push(Command::Report(Report { retried, ..report }));
                return self.start_again(slot, turn);
            }
            Ruling::Restart(Some(delay)) => delay,
            Ruling::Exhausted { used, limit } => {
                return self.exhausted(slot, reason, Used { used, limit, retried }, turn);
            }
            Ruling::GiveUp => {
                let report = self.report_about(slot, reason, Decision::GiveUp);
                turn.push(Command::Report(Report { retried, ..report }));
                self.take_out(slot);
                return self.end(ExitReason::Shutdown, turn);
            }
        };
        let report = self.report_about(slot, reason, Decision::RestartLater);
        turn.push(Command::Report(Report { delay: Some(delay), retried, ..report }));
        let ticket = self.tickets.next();
        self.set(slot, State::Delayed { ticket });
        let (earliest, latest) = (turn.now + delay.earliest, turn.now + delay.latest);
        turn.push(Command::SetRestart { slot, ticket: Ticket(ticket), earliest, latest });
    }

    fn start_again(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        self.set(slot, State::Starting);
        turn.push(Command::Start(slot));
        self.phase = Phase::Starting { at: slot, request: None };
    }

    /// An instance has used up its own limits. One that is left down leaves no trace, as one that is not restarted.
    fn exhausted(
        &mut self,
        slot: Slot,
        reason: ExitReason,
        Used { used, limit, retried }: Used,
        turn: &mut Turn<'_>,
    ) {
        let choice = self.rules.of(slot).when_exhausted();
        let report = self.report_about(slot, reason, choice.decision());
        turn.push(Command::Report(Report { restarts: used, limit, retried, ..report }));
        match choice {
            Exhausted::Escalate => {
                self.take_out(slot);
                self.end(ExitReason::Shutdown, turn);
            }
            Exhausted::LeaveDown => self.drop_out(slot, turn),
        }
    }

    fn start_is_over(&mut self, request: Option<RequestId>, answer: Answer, turn: &mut Turn<'_>) {
        if let Some(request) = request {
            turn.push(Command::Answer(request, answer));
        }
        self.phase = Phase::Idle;
    }

    /// A child that is about to start, by rules of its own or by the template's.
    fn add(&mut self, own: Option<ChildRules>) -> Slot {
        let slot = self.children.add(State::Starting);
        if let Some(own) = own {
            self.rules.give(slot, own);
        }
        self.unready += usize::from(State::Starting.holds_up(self.rules.of(slot)));
        slot
    }

    fn set(&mut self, slot: Slot, state: State) {
        let Some(place) = self.children.get_mut(slot) else { return };
        let rules = self.rules.of(slot);
        self.waiting -= usize::from(place.waits());
        self.waiting += usize::from(state.waits());
        self.unready -= usize::from(place.holds_up(rules));
        self.unready += usize::from(state.holds_up(rules));
        *place = state;
    }

    fn take_out(&mut self, slot: Slot) {
        let Some(gone) = self.children.remove(slot) else { return };
        self.waiting -= usize::from(gone.waits());
        self.unready -= usize::from(gone.holds_up(self.rules.of(slot)));
        self.rules.forget(slot);
        self.records.forget(slot);
    }

    fn drop_out(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        turn.push(Command::Forget(slot));
        self.take_out(slot);
    }

    /// Goes by other rules from here on. Who waits for a restart that it does not get by them is dropped; who is temporary stays
    /// so, and goes on by the rules that it has.
    fn change(&mut self, rules: DynamicRules, turn: &mut Turn<'_>) {
        self.max_children = rules.max_children();
        self.tolerance.change(rules.limit(), rules.period());
        let (template, common) = rules.into_parts();
        self.common = common;
        let restarts = |rules: &ChildRules| rules.restart != Restart::Temporary;
        if template.as_ref().is_some_and(restarts) && !self.template().is_none_or(restarts) {
            // What they were started with has not been kept (SUP-028).
            self.rules.keep(self.children.iter().map(|(slot, _)| slot));
        }
        if let Some(was) = self.rules.change(template) {
            self.instances_go_on(&was, turn);
        }
        let holds_up = |&(slot, state): &(Slot, &State)| state.holds_up(self.rules.of(slot));
        self.unready = self.children.iter().filter(holds_up).count();
        let waits = |(slot, state): (Slot, &State)| {
            (state.waits() && self.rules.of(slot).restart == Restart::Temporary).then_some(slot)
        };
        for slot in self.children.iter().filter_map(waits).collect::<Vec<_>>() {
            self.drop_out(slot, turn);
        }
    }

    /// Those that are up live on by another template, also in what they have not reported yet; those with rules of their own
    /// by those.
    fn instances_go_on(&mut self, was: &ChildRules, turn: &mut Turn<'_>) {
        if self.template().is_none_or(|template| template.reports_ready() == was.reports_ready()) {
            return;
        }
        let awaited = |(slot, state): (Slot, &State)| {
            let readiness = state.readiness().filter(|readiness| !readiness.is_ready())?;
            (!self.rules.is_own(slot)).then_some((slot, readiness))
        };
        for (slot, before) in self.children.iter().filter_map(awaited).collect::<Vec<_>>() {
            let readiness = before.under(was, self.rules.of(slot));
            if let Some(state) = self.children.get_mut(slot) {
                *state = State::Running { readiness };
            }
            if readiness.is_ready() {
                self.records.counts(slot, turn.now);
            }
            if let Some(deadline) = readiness.deadline() {
                turn.push(Command::SetReadyDeadline(slot, deadline));
            }
        }
    }

    /// Who asked for the start of the child in this slot, if it is the one that is starting.
    fn starting(&self, slot: Slot) -> Option<Option<RequestId>> {
        match self.phase {
            Phase::Starting { at, request } if at == slot => Some(request),
            _ => None,
        }
    }

    fn report(&self, slot: Slot, reason: ExitReason, decision: Decision, turn: &mut Turn<'_>) {
        turn.push(Command::Report(self.report_about(slot, reason, decision)));
    }

    fn report_about(&self, slot: Slot, reason: ExitReason, decision: Decision) -> Report {
        self.tolerance.report(slot, self.rules.of(slot).id.clone(), reason, decision)
    }

    /// States what is true between any two events:
    ///
    /// 1. Until the end only the child in hand is starting or stopping; at the end all are stopping.
    /// 2. Between operations nothing is put off, and no child is fallen.
    /// 3. The numbers of children that wait, and that are not ready, are the ones kept; a temporary child never waits; rules
    ///    of their own, and what is remembered, are of children.
    /// 4. Before the start, and once all is over, there are no children.
    /// 5. Either window holds no more restarts than the limit.
    ///
    /// # Panics
    /// If one of these is broken.
    pub fn check(&self) {
        let (mut waiting, mut unready) = (0, 0);
        for (slot, state) in self.children.iter() {
            let moving = matches!(state, State::Starting | State::Stopping(_));
            let expected = match self.phase {
                Phase::New | Phase::Idle | Phase::Ended => false,
                Phase::Starting { at, .. } | Phase::Stopping { at, .. } => at == slot,
                Phase::Ending { .. } => true,
            };
            assert_eq!(moving, expected, "only the child in hand moves, and all do at the end: {self:?}");
            let is_fallen = matches!(state, State::Fallen { .. });
            assert!(
                !is_fallen || !matches!(self.phase, Phase::Idle),
                "nobody is fallen between operations: {self:?}"
            );
            let rules = self.rules.of(slot);
            assert!(
                !state.waits() || rules.restart != Restart::Temporary,
                "a temporary child never waits for another start: {self:?}"
            );
            waiting += usize::from(state.waits());
            unready += usize::from(state.holds_up(rules));
        }
        assert_eq!(waiting, self.waiting, "the number of those who wait is the one kept");
        assert_eq!(unready, self.unready, "the number of those that are not ready is the one kept");
        self.rules.check(|slot| self.children.get(slot).is_none());
        let put_off = !self.deferred.is_empty();
        assert!(!put_off || !matches!(self.phase, Phase::Idle), "nothing is put off: {self:?}");
        if matches!(self.phase, Phase::New | Phase::Ended) {
            assert!(self.children.is_empty(), "no child without a living supervisor: {self:?}");
        }
        self.tolerance.check();
        self.records.check(|slot| self.children.get(slot).is_none());
    }
}

impl State {
    /// How it stands to its first healthy report, if it is up.
    fn readiness(&self) -> Option<Readiness> {
        match self {
            &Self::Running { readiness } => Some(readiness),
            _ => None,
        }
    }

    fn holds_up(&self, rules: &ChildRules) -> bool {
        holds_up(rules, self.seen(), self.readiness())
    }

    fn seen(&self) -> ChildState {
        match self {
            Self::Starting => ChildState::Starting,
            Self::Running { .. } => ChildState::Running,
            Self::Fallen { .. } => ChildState::Fallen,
            Self::Stopping(_) => ChildState::Stopping,
            Self::Waiting { .. } | Self::Delayed { .. } => ChildState::Waiting,
        }
    }

    fn waits(&self) -> bool {
        self.seen() == ChildState::Waiting
    }
}
