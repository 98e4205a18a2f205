//! The mind of a supervisor whose children say what they need: each starts when all it needs is up, and a restart takes
//! along whoever depends on it, and nobody else.
//! Level-triggered: an event changes how one child stands; then `settle` looks at all of them and begins whatever may
//! begin. Two rules do the rest. A child that is to leave is told when nobody that depends on it has a process. A child
//! that is due starts when its group is gone and all it needs is met. Several operations thus run side by side.
//! Costs O(children + needs) per event. Carries nothing out; `settle` is in `graph/settling.rs`, requests are in
//! `graph/requests.rs`, changes of the rules in `graph/apply.rs`.

use crate::children::ChildState;
use crate::command::{Command, Decision, Report, StartFailed};
use crate::deferred::{Deferred, Tickets};
use crate::event::Ticket;
use crate::places::{Places, Slot};
use crate::policy::Exhausted;
use crate::readiness::{Readiness, not_ready};
use crate::record::{Delay, Records, Ruling, Used};
use crate::request::{Answer, Refusal, Request, RequestId};
use crate::spec::NeedsRules;
use crate::stopping::{Stop, ended_otherwise};
use crate::tolerance::Tolerance;
use crate::turn::Turn;
use crate::verdict::{Verdict, verdict};
use crate::{AutoShutdown, ChildRules, Event, Level, Policy};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use minder_signals::{ExitReason, Moment};

mod apply;
mod check;
pub(crate) mod needs;
mod policies;
mod requests;
mod settling;
mod standing;
mod stopping;
#[cfg(test)]
mod tests;
mod waiting;

use apply::Progress;
use needs::Needs;
use requests::About;
use standing::{Cause, Node, Purpose, State, Then};

/// What one supervisor of children with needs knows and decides.
///
/// # Ordering
/// A child starts when everyone it needs is up, and ready if it says so; those that do not need each other start side by
/// side. A child is stopped when nobody that needs it, directly or through others, has a process. Of those that are told
/// in the same moment starts go in start order and stops in the reverse.
///
/// When a child is to be restarted, it and all who depend on it are its group: they are stopped, then each begins a new
/// epoch, and then they are started again. It counts once, also if others of the group end meanwhile. Groups that share
/// somebody are one. A child on whom nobody depends is restarted alone, and begins no epoch.
///
/// A need is met as well by a child that has done its part: one that has ended by itself and stays down, or had nothing to
/// run; and by one that has been forgotten. One that was stopped by request, or failed to start by request, meets no need,
/// nor does one that is disabled: whoever is due waits for it to be started again. The supervisor's own start does not wait
/// for those.
///
/// If a restart is to wait, its group is stopped at once, begins its epochs, and waits; a restart of the one that waits, on
/// the account of somebody it needs, ends the wait.
///
/// A change of the rules begins when nobody is on the move and no start that was asked for waits. What happens until the new
/// rules hold is taken up then; those that the change starts come up beside whatever else happens.
///
/// # OTP
/// There is no such strategy. Where each child needs the one before it, and things happen one at a time, it is
/// `rest_for_one`; where nobody needs anybody it is `one_for_one`, but that children start and stop side by side.
#[derive(Clone, Debug)]
pub struct GraphSupervision {
    auto_shutdown: AutoShutdown,
    max_children: usize,
    tolerance: Tolerance,
    children: Places<Node>,
    by_id: BTreeMap<Arc<str>, Slot>,
    needs: Needs<Slot>,
    /// Of children with a policy that have failed.
    records: Records,
    /// What children are given that are added later.
    common: Option<Arc<Policy>>,
    tickets: Tickets,
    phase: Phase,
    /// A change of the rules, until the last that it starts is up.
    change: Option<Box<Progress>>,
    /// In order of arrival: requests that wait for somebody on the move, or for the supervisor to be up; and what happened
    /// while a change held everything up.
    deferred: VecDeque<Deferred>,
}

#[derive(Clone, Debug)]
enum Phase {
    New,
    /// Its own start has not come to its end.
    Starting,
    Up,
    /// Its host is asked to compare it with what this request is to make of it.
    Comparing {
        request: RequestId,
        in_parts: bool,
    },
    /// A change holds everything up: until it goes by the new rules no end is judged and nobody comes up.
    HeldUp,
    /// Everyone is to leave, and then the supervisor ends for this reason.
    Ending(ExitReason),
    Ended,
}

impl GraphSupervision {
    /// A supervisor that goes by these rules and has started nothing yet.
    pub fn new(rules: NeedsRules) -> Self {
        let tolerance = Tolerance::new(rules.limit(), rules.period());
        let (auto_shutdown, max_children) = (rules.auto_shutdown(), rules.max_children());
        let (mut children, mut by_id) = (Places::default(), BTreeMap::new());
        let (all, common) = rules.into_rules().into_children();
        for rules in all {
            let id = rules.id.clone();
            by_id.insert(id, children.add(Node::new(rules)));
        }
        let mut supervision = Self {
            auto_shutdown,
            max_children,
            tolerance,
            children,
            by_id,
            needs: Needs::of(&[]),
            records: Records::default(),
            common,
            tickets: Tickets::default(),
            phase: Phase::New,
            change: None,
            deferred: VecDeque::new(),
        };
        supervision.relate();
        supervision
    }

    /// Takes in what happened and appends what is to be done about it, in this order.
    ///
    /// Never panics on an event: what cannot happen in the present state is ignored.
    pub fn handle(&mut self, event: Event, now: Moment, commands: &mut Vec<Command>) {
        let turn = &mut Turn { now, commands };
        match event {
            Event::Start => self.start(),
            Event::Started(slot) => self.started(slot, turn),
            Event::StartFailed(slot, reason) => self.start_failed(slot, reason, turn),
            Event::Ignored(slot) => self.ignored(slot, turn),
            Event::Exited { slot, reason, charged } => self.exited(slot, reason, charged, turn),
            Event::Ready(slot) => self.ready(slot, turn),
            Event::ReadyDeadline(slot) => self.ready_deadline(slot, turn),
            Event::StopDeadline(slot) => self.stop_deadline(slot, turn),
            Event::TryAgain(slot) if self.is_held_up() => {
                self.deferred.push_back(Deferred::TryAgain { slot })
            }
            Event::TryAgain(slot) => self.try_again(slot, turn),
            Event::RestartDue(slot, ticket) if self.is_held_up() => {
                self.deferred.push_back(Deferred::RestartDue { slot, ticket });
            }
            Event::RestartDue(slot, ticket) => self.restart_due(slot, ticket),
            Event::Stop(reason) => self.stop(reason),
            Event::Asked(id, request) => self.asked(id, request),
            Event::Compared(change) => self.compared(*change, turn),
            Event::PartDone(slot, done) => self.part_done(slot, done),
            Event::NextPart(request) => self.next_part(request, turn),
            Event::TakenBack(request) => self.taken_back(request, turn),
            // Each child has a time limit of its own.
            Event::EndDeadline => {}
        }
        self.settle(turn);
        // As costly as the event itself, and so done however many there are.
        if cfg!(debug_assertions) {
            self.check();
        }
    }

    /// The rules of the child in this slot, unless it has been forgotten.
    pub fn child(&self, slot: Slot) -> Option<&ChildRules> {
        Some(&self.children.get(slot)?.rules)
    }

    /// How the child in this slot stands, unless it has been forgotten. One that waits for what it needs is
    /// [`ChildState::Waiting`].
    pub fn state(&self, slot: Slot) -> Option<ChildState> {
        Some(self.children.get(slot)?.seen())
    }

    /// How many restarts it tolerates.
    pub fn level(&self) -> Level {
        self.tolerance.level()
    }

    /// When the end of significant children ends it.
    pub fn auto_shutdown(&self) -> AutoShutdown {
        self.auto_shutdown
    }

    /// How many children there may be at a time.
    pub fn max_children(&self) -> usize {
        self.max_children
    }

    /// The slots of all children that have not been forgotten, in start order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.children.iter().map(|(slot, _)| slot)
    }

    /// Whether the supervisor is up, and every child that says when it is ready to serve has said so, or is down, or waits
    /// for somebody who is.
    pub fn is_ready(&self) -> bool {
        let is_up = matches!(self.phase, Phase::Up | Phase::Comparing { .. } | Phase::HeldUp);
        is_up && self.unready().next().is_none()
    }

    /// Those that keep the supervisor from being ready, in start order.
    pub fn unready(&self) -> impl Iterator<Item = Slot> {
        let due = matches!(self.phase, Phase::New);
        let in_vain = if due { BTreeMap::new() } else { self.in_vain() };
        let unready =
            move |&(slot, child): &(Slot, &Node)| child.holds_up(due) && !in_vain.contains_key(&slot);
        self.children.iter().filter(unready).map(|(slot, _)| slot)
    }

    /// Whether requests are answered: not before the supervisor's own start is complete, nor while a change holds everything
    /// up, nor once it ends.
    pub fn takes_requests(&self) -> bool {
        matches!(self.phase, Phase::Up)
    }

    // --- what happened -----------------------------------------------------------------------------------------

    fn start(&mut self) {
        if matches!(self.phase, Phase::New) {
            self.phase = Phase::Starting;
            for slot in self.all() {
                if let State::Down(_) = self.at(slot).state {
                    self.set(slot, State::Due(Purpose::OwnStart));
                }
            }
        }
    }

    fn started(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        // A child whose start was abandoned is stopping; that it came up meanwhile changes nothing.
        let Some(&Node { ref rules, state: State::Starting(purpose), .. }) = self.children.get(slot) else {
            return;
        };
        let readiness = Readiness::begin(rules, slot, turn);
        self.set(slot, State::Running { readiness });
        if readiness.is_ready() {
            self.records.up(slot, turn.now);
        }
        self.answer(purpose, Answer::Started(slot), turn);
    }

    fn ignored(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        match child.state {
            // What it was asked for nobody waits for any more.
            State::Starting(_) if self.is_ending() => self.set(slot, State::Down(Cause::Stopped)),
            State::Starting(purpose) => {
                let (regroups, temporary) = (child.regroups, child.is_temporary());
                self.report(slot, ExitReason::Normal, Decision::Ignore, turn);
                if temporary {
                    self.drop_out(slot, turn);
                } else if regroups {
                    self.set(slot, State::Due(Purpose::Restart));
                } else {
                    self.set(slot, State::Down(Cause::NothingToRun));
                }
                self.answer(purpose, Answer::Ignored, turn);
            }
            State::Stopping { stop: Stop { up: false, .. }, .. } => {
                self.stopped(slot, ExitReason::Normal, turn);
            }
            _ => {}
        }
    }

    /// The restart type is not consulted: a restart that failed is tried again (SUP-072), an own start is over, and a
    /// start that was asked for is answered and not retried (SUP-082, SUP-083).
    fn start_failed(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        let (purpose, regroups) = match child.state {
            State::Starting(purpose) => (purpose, child.regroups),
            State::Stopping { stop: Stop { up: false, .. }, .. } => return self.stopped(slot, reason, turn),
            _ => return,
        };
        match purpose {
            _ if self.is_ending() => self.set(slot, State::Down(Cause::Stopped)),
            Purpose::OwnStart => {
                self.report(slot, reason.clone(), Decision::StartFailed, turn);
                let id = self.at(slot).rules.id.clone();
                self.set(slot, State::Down(Cause::Stopped));
                self.end(ExitReason::shutdown_with(StartFailed::new(id, reason)));
            }
            Purpose::Added(_) => {
                self.drop_out(slot, turn);
                self.answer(purpose, Answer::Refused(Refusal::StartFailed(reason)), turn);
            }
            Purpose::Enabled(_) => {
                self.set(slot, State::Disabled);
                self.answer(purpose, Answer::Refused(Refusal::StartFailed(reason)), turn);
            }
            Purpose::Again(..) => {
                let state = if regroups { State::Due(Purpose::Restart) } else { State::Down(Cause::Stopped) };
                self.set(slot, state);
                self.answer(purpose, Answer::Refused(Refusal::StartFailed(reason)), turn);
            }
            // With its group, which is part of the change then.
            Purpose::Change if regroups => self.set(slot, State::Due(purpose)),
            Purpose::Change => self.change_start_failed(slot, reason),
            // It waited for somebody who was disabled, when all others came up. It is never started again.
            Purpose::Restart if self.at(slot).is_temporary() => self.judge(slot, reason, true, turn),
            Purpose::Restart => {
                self.report(slot, reason.clone(), Decision::TryAgain, turn);
                self.set(slot, State::Waiting { reason });
                turn.push(Command::TryAgain(slot));
            }
        }
    }

    fn exited(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        self.life_is_over(slot, turn);
        let Some(child) = self.children.get(slot) else { return };
        match child.state {
            State::Starting(_) => self.start_failed(slot, reason, turn),
            State::Stopping { .. } => self.stopped(slot, reason, turn),
            State::Running { .. } if self.is_held_up() => {
                let ticket = self.tickets.next();
                self.set(slot, State::Fallen { reason, ticket });
                self.deferred.push_back(Deferred::Exit { slot, ticket, charged });
            }
            State::Running { .. } => self.fell(slot, reason, charged, turn),
            _ => {}
        }
    }

    /// A child that was up has ended by itself. If it was to be stopped anyway its end is that: not judged, and not counted
    /// (SUP-042).
    fn fell(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        let child = self.at(slot);
        if self.leaves(child) {
            let then = if child.regroups { Then::Due(Purpose::Restart) } else { Then::Down };
            self.gone(slot, reason, None, then, turn);
        } else {
            self.judge(slot, reason, charged, turn);
        }
    }

    fn ready(&mut self, slot: Slot, turn: &Turn<'_>) {
        let readiness = self.children.get(slot).and_then(Node::readiness);
        if let Some(readiness) = readiness.and_then(Readiness::said) {
            self.set(slot, State::Running { readiness });
            self.records.up(slot, turn.now);
        }
    }

    fn ready_deadline(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        let Some(readiness) = child.readiness().and_then(|readiness| readiness.late(turn.now)) else {
            return;
        };
        let reason = not_ready(&child.rules);
        self.report(slot, reason.clone(), Decision::NotReady, turn);
        turn.push(Command::KillFor(slot, reason));
        self.set(slot, State::Running { readiness });
    }

    fn stop_deadline(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        if let State::Stopping { stop, then, request } = child.state
            && stop.is_late(turn.now)
        {
            self.report(slot, ExitReason::Shutdown, Decision::KillAfterDeadline, turn);
            self.set(slot, State::Stopping { stop: stop.kill(slot, turn), then, request });
        }
    }

    fn try_again(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        if let Some(Node { state: State::Waiting { reason }, .. }) = self.children.get(slot) {
            let reason = reason.clone();
            self.attempt(slot, reason, true, turn);
        }
    }

    fn stop(&mut self, reason: ExitReason) {
        if !matches!(self.phase, Phase::Ending(_) | Phase::Ended) {
            self.end(reason);
        }
    }

    /// It waits for the supervisor to be up, or is looked at when everything has settled; at the end nobody answers any more
    /// (SUP-107).
    fn asked(&mut self, id: RequestId, request: Request) {
        if !matches!(self.phase, Phase::Ending(_) | Phase::Ended) {
            self.deferred.push_back(Deferred::Asked(id, request));
        }
    }

    // --- what it means -----------------------------------------------------------------------------------------

    /// A child ended by itself. Whether, how often, who else: in this order.
    fn judge(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        let rules = &self.at(slot).rules;
        let (id, significant) = (rules.id.clone(), rules.significant);
        match verdict(rules.restart, &reason) {
            Verdict::Restart => return self.attempt(slot, reason, charged, turn),
            Verdict::LeaveDown => {
                self.report(slot, reason.clone(), Decision::LeaveDown, turn);
                self.set(slot, State::Down(Cause::Finished));
            }
            Verdict::Forget => {
                self.report(slot, reason.clone(), Decision::Forget, turn);
                self.drop_out(slot, turn);
            }
        }
        if significant {
            self.ended_for_good(slot, id, reason, turn);
        }
    }

    /// A significant child is not started again.
    fn ended_for_good(&mut self, slot: Slot, id: Arc<str>, reason: ExitReason, turn: &mut Turn<'_>) {
        if self.ends_itself() {
            turn.push(Command::Report(self.tolerance.report(slot, id, reason, Decision::AutoShutdown)));
            self.end(ExitReason::Shutdown);
        }
    }

    /// Restarts this child, and whoever depends on it, if that is still tolerable.
    fn attempt(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        let child = self.children.get(slot).expect("whoever has failed has not been forgotten");
        let retried = matches!(child.state, State::Waiting { .. });
        let policy = child.rules.policy.as_deref();
        let delay = match self.tolerance.attempt(&mut self.records, slot, policy, charged, turn.now) {
            Ruling::Restart(delay) => delay,
            Ruling::Exhausted { used, limit } => {
                return self.exhausted(slot, reason, Used { used, limit, retried }, turn);
            }
            Ruling::GiveUp => {
                let report = self.report_about(slot, reason, Decision::GiveUp);
                turn.push(Command::Report(Report { retried, ..report }));
                self.set(slot, State::Down(Cause::Stopped));
                return self.end(ExitReason::Shutdown);
            }
        };
        let group = self.needs.group(slot);
        let decision = Decision::restart(group.len() > 1, delay.is_some());
        let report = self.report_about(slot, reason, decision);
        turn.push(Command::Report(Report { delay, retried, ..report }));
        if group.len() > 1 {
            for member in group {
                self.regroup(member);
            }
        }
        self.set(slot, delay.map_or(State::Due(Purpose::Restart), State::Held));
    }

    /// This child is stopped with its group, and started again. So is whoever was stopped, had finished or had nothing to run
    /// (SUP-036), and whoever waited for a restart of its own; not one that is disabled.
    fn regroup(&mut self, member: Slot) {
        let Some(child) = self.children.get_mut(member) else { return };
        child.regroups = true;
        match &mut child.state {
            State::Down(_) | State::Waiting { .. } | State::Held(_) | State::Delayed { .. } => {
                child.state = State::Due(Purpose::Restart);
            }
            State::Stopping { then: then @ Then::Down, .. } => *then = Then::Due(Purpose::Restart),
            State::Due(purpose) => *purpose = purpose.in_earnest(),
            State::Stopping { .. }
            | State::Starting(_)
            | State::Running { .. }
            | State::Disabled
            | State::Fallen { .. } => {}
        }
    }

    /// Whether the end of a significant child, which is down already, is the supervisor's too.
    fn ends_itself(&self) -> bool {
        let is_left = |child: &Node| child.rules.significant && !child.is_down();
        match self.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => !self.children.iter().any(|(_, child)| is_left(child)),
        }
    }

    /// From now on everyone is to leave, and nobody comes up any more.
    fn end(&mut self, reason: ExitReason) {
        self.deferred.clear();
        self.change = None;
        self.phase = Phase::Ending(reason);
        for slot in self.all() {
            let Some(child) = self.children.get_mut(slot) else { continue };
            child.regroups = false;
            if child.is_to_come() || matches!(child.state, State::Fallen { .. }) {
                child.state = State::Down(Cause::Stopped);
            } else if let State::Stopping { then, request, .. } = &mut child.state {
                (*then, *request) = (Then::Down, None);
            }
        }
    }

    fn answer(&self, purpose: Purpose, answer: Answer, turn: &mut Turn<'_>) {
        if let Some(request) = purpose.request()
            && !self.is_ending()
        {
            turn.push(Command::Answer(request, answer));
        }
    }

    /// Whether everyone is to leave.
    fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending(_))
    }

    /// Whether there is a child of this id that is disabled.
    fn is_disabled(&self, id: &str) -> bool {
        let disabled = |slot: &Slot| matches!(self.at(*slot).state, State::Disabled);
        self.by_id.get(id).is_some_and(disabled)
    }

    fn all(&self) -> Vec<Slot> {
        self.slots().collect()
    }

    /// The child in this slot, which the caller knows to be there.
    fn at(&self, slot: Slot) -> &Node {
        self.children.get(slot).expect("whoever stands in the relation of needs has not been forgotten")
    }

    fn set(&mut self, slot: Slot, state: State) {
        if let Some(child) = self.children.get_mut(slot) {
            child.state = state;
        }
    }

    /// This child is gone for good, and its specification with it.
    fn drop_out(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        turn.push(Command::Forget(slot));
        if let Some(child) = self.children.remove(slot) {
            self.by_id.remove(&child.rules.id);
        }
        self.records.forget(slot);
        self.change_forgets(slot);
        self.relate();
    }

    fn relate(&mut self) {
        let children: Vec<_> = self.children.iter().map(|(slot, child)| (slot, &child.rules)).collect();
        self.needs = Needs::of(&children);
    }

    fn report(&self, slot: Slot, reason: ExitReason, decision: Decision, turn: &mut Turn<'_>) {
        turn.push(Command::Report(self.report_about(slot, reason, decision)));
    }

    fn report_about(&self, slot: Slot, reason: ExitReason, decision: Decision) -> Report {
        self.tolerance.report(slot, self.at(slot).rules.id.clone(), reason, decision)
    }
}
