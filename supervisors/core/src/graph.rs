//! The mind of a supervisor whose children say what they need: each starts when all it needs is up, and a restart takes
//! along whoever depends on it, and nobody else.
//! Level-triggered: an event changes how one child stands; then `settle` looks at all of them and begins whatever may
//! begin. Two rules do the rest. A child that is to leave is told when nobody that depends on it has a process. A child
//! that is due starts when its group is gone and all it needs is met. Several operations thus run side by side.
//! Costs O(children + needs) per event. Carries nothing out; requests are in `graph/requests.rs`.

use crate::children::ChildState;
use crate::command::{Command, Decision, Report, StartFailed};
use crate::intensity::Intensity;
use crate::places::{Places, Slot};
use crate::readiness::{Readiness, not_ready};
use crate::request::{Answer, Refusal, Request, RequestId};
use crate::spec::NeedsRules;
use crate::stopping::{is_as_asked, tell_to_stop};
use crate::verdict::{Verdict, verdict};
use crate::{AutoShutdown, ChildRules, Event, Level};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use minder_signals::{ExitReason, Moment};

pub(crate) mod needs;
mod requests;
mod standing;

use needs::Needs;
use standing::{Node, Purpose, State};

/// Debug builds check everything after every event up to this many children.
const CHECKED_AFTER_EVERY_EVENT: usize = 64;

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
/// run; and by one that has been forgotten. One that was stopped by request, or failed to start by request, meets no need:
/// whoever is due waits for it to be started again.
///
/// # OTP
/// There is no such strategy. Where each child needs the one before it, and things happen one at a time, it is
/// `rest_for_one`; where nobody needs anybody it is `one_for_one`, but that children start and stop side by side.
#[derive(Clone, Debug)]
pub struct GraphSupervision {
    auto_shutdown: AutoShutdown,
    intensity: Intensity,
    /// Restarts that were not charged: no more of them within a period than of those that were.
    uncharged: Intensity,
    children: Places<Node>,
    by_id: BTreeMap<Arc<str>, Slot>,
    needs: Needs,
    phase: Phase,
    /// Requests about children that are on the move, or that came before the supervisor was up; in order of arrival.
    deferred: VecDeque<(RequestId, Request)>,
}

#[derive(Clone, Debug)]
enum Phase {
    New,
    /// Its own start has not come to its end.
    Starting,
    Up,
    /// Everyone is to leave, and then the supervisor ends for this reason.
    Ending(ExitReason),
    Ended,
}

/// One call of `handle`: when it is, and what it has led to so far.
struct Turn<'a> {
    now: Moment,
    commands: &'a mut Vec<Command>,
}

impl Turn<'_> {
    fn push(&mut self, command: Command) {
        self.commands.push(command);
    }
}

impl GraphSupervision {
    /// A supervisor that goes by these rules and has started nothing yet.
    pub fn new(rules: NeedsRules) -> Self {
        let intensity = Intensity::new(rules.limit(), rules.period());
        let auto_shutdown = rules.auto_shutdown();
        let (mut children, mut by_id) = (Places::default(), BTreeMap::new());
        for rules in rules.into_children() {
            let id = rules.id.clone();
            by_id.insert(id, children.add(Node::new(rules, State::Down { done: false })));
        }
        let mut supervision = Self {
            auto_shutdown,
            uncharged: intensity.clone(),
            intensity,
            children,
            by_id,
            needs: Needs::default(),
            phase: Phase::New,
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
            Event::Ready(slot) => self.ready(slot),
            Event::ReadyDeadline(slot) => self.ready_deadline(slot, turn),
            Event::StopDeadline(slot) => self.stop_deadline(slot, turn),
            Event::TryAgain(slot) => self.try_again(slot, turn),
            Event::Stop(reason) => self.stop(reason),
            Event::Asked(id, request) => self.asked(id, request),
            // Each child has a time limit of its own; and rules of a graph are not changed while it runs.
            _ => {}
        }
        self.settle(turn);
        if cfg!(debug_assertions) && self.children.len() <= CHECKED_AFTER_EVERY_EVENT {
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
        self.intensity.level()
    }

    /// When the end of significant children ends it.
    pub fn auto_shutdown(&self) -> AutoShutdown {
        self.auto_shutdown
    }

    /// The slots of all children that have not been forgotten, in start order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.children.iter().map(|(slot, _)| slot)
    }

    /// Whether the supervisor is up, and every child that says when it is ready to serve has said so, or is down.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Up) && self.unready().next().is_none()
    }

    /// Those that keep the supervisor from being ready, in start order.
    pub fn unready(&self) -> impl Iterator<Item = Slot> {
        let due = matches!(self.phase, Phase::New);
        self.children.iter().filter(move |(_, child)| child.holds_up(due)).map(|(slot, _)| slot)
    }

    /// Whether requests are answered already: not before the supervisor's own start is complete, nor once it ends.
    pub fn takes_requests(&self) -> bool {
        matches!(self.phase, Phase::Up)
    }

    // --- what happened -----------------------------------------------------------------------------------------

    fn start(&mut self) {
        if matches!(self.phase, Phase::New) {
            self.phase = Phase::Starting;
            for slot in self.all() {
                self.set(slot, State::Due(Purpose::OwnStart));
            }
        }
    }

    fn started(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        // A child whose start was abandoned is stopping; that it came up meanwhile changes nothing.
        let Some(&Node { ref rules, state: State::Starting(purpose), .. }) = self.children.get(slot) else {
            return;
        };
        let readiness = Readiness::of_new_life(rules, turn.now);
        if let Some(deadline) = readiness.deadline() {
            turn.push(Command::SetReadyDeadline(slot, deadline));
        }
        self.set(slot, State::Running { readiness });
        self.answer(purpose, Answer::Started(slot), turn);
    }

    fn ignored(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        match child.state {
            State::Starting(purpose) => {
                let (regroups, temporary) = (child.regroups, child.is_temporary());
                self.report(slot, ExitReason::Normal, Decision::Ignore, turn);
                if temporary {
                    self.drop_out(slot, turn);
                } else if regroups {
                    self.set(slot, State::Due(Purpose::Restart));
                } else {
                    self.set(slot, State::Down { done: true });
                }
                self.answer(purpose, Answer::Ignored, turn);
            }
            State::Stopping { up: false, .. } => self.stopped(slot, ExitReason::Normal, turn),
            _ => {}
        }
    }

    /// The restart type is not consulted: a restart that failed is tried again (SUP-072), an own start is over, and a
    /// start that was asked for is answered and not retried (SUP-082, SUP-083).
    fn start_failed(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        let (purpose, regroups) = match child.state {
            State::Starting(purpose) => (purpose, child.regroups),
            State::Stopping { up: false, .. } => return self.stopped(slot, reason, turn),
            _ => return,
        };
        let ending = matches!(self.phase, Phase::Ending(_));
        match purpose {
            _ if ending => self.set(slot, State::Down { done: false }),
            Purpose::OwnStart => {
                self.report(slot, reason.clone(), Decision::StartFailed, turn);
                let id = self.at(slot).rules.id.clone();
                self.set(slot, State::Down { done: false });
                self.end(ExitReason::shutdown_with(StartFailed::new(id, reason)));
            }
            Purpose::Added(_) => {
                self.drop_out(slot, turn);
                self.answer(purpose, Answer::Refused(Refusal::StartFailed(reason)), turn);
            }
            Purpose::Again(_) => {
                let state = if regroups { State::Due(Purpose::Restart) } else { State::Down { done: false } };
                self.set(slot, state);
                self.answer(purpose, Answer::Refused(Refusal::StartFailed(reason)), turn);
            }
            // Its group is about to be started anew: that is the next attempt.
            Purpose::Restart if regroups => self.set(slot, State::Due(purpose)),
            Purpose::Restart => {
                self.report(slot, reason.clone(), Decision::TryAgain, turn);
                self.set(slot, State::Waiting { reason });
                turn.push(Command::TryAgain(slot));
            }
        }
    }

    fn exited(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        match child.state {
            State::Starting(_) => self.start_failed(slot, reason, turn),
            State::Stopping { .. } => self.stopped(slot, reason, turn),
            // It was to be stopped anyway, and its end is that: not judged, and not counted (SUP-042).
            State::Running { .. } if self.leaves(child) => {
                let again = child.regroups.then_some(Purpose::Restart);
                self.gone(slot, reason, false, again, turn);
            }
            State::Running { .. } => self.judge(slot, reason, charged, turn),
            State::Down { .. } | State::Due(_) | State::Waiting { .. } => {}
        }
    }

    fn ready(&mut self, slot: Slot) {
        let readiness = self.children.get(slot).and_then(Node::readiness);
        if let Some(readiness) = readiness.and_then(Readiness::said) {
            self.set(slot, State::Running { readiness });
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
        if let State::Stopping { deadline: Some(deadline), up, again, request, .. } = child.state
            && deadline <= turn.now
        {
            self.report(slot, ExitReason::Shutdown, Decision::KillAfterDeadline, turn);
            turn.push(Command::Kill(slot));
            self.set(slot, State::Stopping { deadline: None, up, killed: true, again, request });
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
            self.deferred.push_back((id, request));
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
                self.set(slot, State::Down { done: true });
            }
            Verdict::Forget => {
                self.report(slot, reason.clone(), Decision::Forget, turn);
                self.drop_out(slot, turn);
            }
        }
        if significant && self.ends_itself() {
            self.report_of(slot, id, reason, Decision::AutoShutdown, turn);
            self.end(ExitReason::Shutdown);
        }
    }

    /// Restarts this child, and whoever depends on it, if that is still tolerable.
    fn attempt(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        let let_off = !charged && self.uncharged.admit(turn.now);
        if !let_off && !self.intensity.admit(turn.now) {
            self.report(slot, reason, Decision::GiveUp, turn);
            self.set(slot, State::Down { done: false });
            return self.end(ExitReason::Shutdown);
        }
        self.set(slot, State::Due(Purpose::Restart));
        let group = self.needs.group(slot);
        if group.len() == 1 {
            return self.report(slot, reason, Decision::Restart, turn);
        }
        self.report(slot, reason, Decision::RestartGroup, turn);
        for member in group {
            let Some(child) = self.children.get_mut(member) else { continue };
            child.regroups = true;
            match &mut child.state {
                // Also whoever was stopped, had finished or had nothing to run comes up with its group (SUP-036).
                State::Down { .. } | State::Waiting { .. } => child.state = State::Due(Purpose::Restart),
                State::Stopping { again, .. } => *again = Some(again.unwrap_or(Purpose::Restart)),
                State::Due(_) | State::Starting(_) | State::Running { .. } => {}
            }
        }
    }

    /// Whether the end of a significant child, which is down already, is the supervisor's too.
    fn ends_itself(&self) -> bool {
        let is_left = |child: &Node| child.rules.significant && !matches!(child.state, State::Down { .. });
        match self.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => !self.children.iter().any(|(_, child)| is_left(child)),
        }
    }

    /// From now on everyone is to leave, and nobody comes up any more.
    fn end(&mut self, reason: ExitReason) {
        self.deferred.clear();
        self.phase = Phase::Ending(reason);
        for slot in self.all() {
            let Some(child) = self.children.get_mut(slot) else { continue };
            child.regroups = false;
            match &mut child.state {
                State::Due(_) | State::Waiting { .. } => child.state = State::Down { done: false },
                State::Stopping { again, request, .. } => (*again, *request) = (None, None),
                State::Down { .. } | State::Starting(_) | State::Running { .. } => {}
            }
        }
    }

    /// A child that was told to stop, or whose start was abandoned, is gone.
    fn stopped(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        let State::Stopping { up, killed, again, request, .. } = self.at(slot).state else { return };
        if up {
            self.gone(slot, reason, killed, again, turn);
        } else {
            // It never was up: nothing is said of how it ended, and it is no restart that a temporary child would not have.
            self.set(slot, again.map_or(State::Down { done: false }, State::Due));
        }
        if let Some(request) = request {
            turn.push(Command::Answer(request, Answer::Done));
        }
    }

    /// A child that was up and was to leave has gone. Its reason is not judged, at most reported (SUP-039, SUP-158).
    fn gone(
        &mut self,
        slot: Slot,
        reason: ExitReason,
        killed: bool,
        again: Option<Purpose>,
        turn: &mut Turn<'_>,
    ) {
        let child = self.at(slot);
        let temporary = child.is_temporary();
        if !killed && !is_as_asked(&child.rules, &reason) {
            self.report(slot, reason.clone(), Decision::StoppedOtherwise, turn);
        }
        if temporary && !matches!(self.phase, Phase::Ending(_)) {
            self.report(slot, reason, Decision::ForgetStopped, turn);
            self.drop_out(slot, turn);
        } else {
            self.set(slot, again.map_or(State::Down { done: false }, State::Due));
        }
    }

    // --- what may begin ----------------------------------------------------------------------------------------

    /// Begins whatever may begin now. Answers may make more of it possible, so it goes on until there are none.
    fn settle(&mut self, turn: &mut Turn<'_>) {
        if matches!(self.phase, Phase::New | Phase::Ended) {
            return;
        }
        loop {
            self.stop_whoever_may(turn);
            if let Phase::Ending(reason) = &self.phase {
                if !self.children.iter().any(|(_, child)| child.is_alive()) {
                    turn.push(Command::Exit(reason.clone()));
                    self.phase = Phase::Ended;
                }
                return;
            }
            self.open_groups(turn);
            self.refuse_in_vain(turn);
            self.start_whoever_may(turn);
            self.end_own_start(turn);
            if !self.answer_one(turn) {
                return;
            }
        }
    }

    /// Whether a child with a process is to leave.
    fn leaves(&self, child: &Node) -> bool {
        child.regroups || matches!(self.phase, Phase::Ending(_))
    }

    /// Who has somebody with a process depending on it, directly or through others.
    fn depended_on(&self) -> BTreeSet<Slot> {
        let mut depended_on = BTreeSet::new();
        for slot in self.needs.order().iter().rev() {
            if depended_on.contains(slot) || self.at(*slot).is_alive() {
                depended_on.extend(self.needs.needed(*slot));
            }
        }
        depended_on
    }

    /// Those that are to leave, and have not been told.
    fn leaving(&self) -> impl DoubleEndedIterator<Item = Slot> {
        let told = |child: &Node| matches!(child.state, State::Stopping { .. });
        let leaves = move |(_, child): &(Slot, &Node)| child.is_alive() && self.leaves(child) && !told(child);
        self.children.iter().filter(leaves).map(|(slot, _)| slot)
    }

    fn stop_whoever_may(&mut self, turn: &mut Turn<'_>) {
        let leaving: Vec<Slot> = self.leaving().rev().collect();
        if leaving.is_empty() {
            return;
        }
        let depended_on = self.depended_on();
        for slot in leaving.into_iter().filter(|slot| !depended_on.contains(slot)) {
            let child = self.at(slot);
            let again = match child.state {
                _ if !child.regroups => None,
                State::Starting(purpose) => Some(purpose),
                _ => Some(Purpose::Restart),
            };
            self.ask_to_stop(slot, again, None, turn);
        }
    }

    /// Stops a child by its own setting.
    fn ask_to_stop(
        &mut self,
        slot: Slot,
        again: Option<Purpose>,
        request: Option<RequestId>,
        turn: &mut Turn<'_>,
    ) {
        let child = self.at(slot);
        let up = matches!(child.state, State::Running { .. });
        let deadline = tell_to_stop(child.rules.shutdown, slot, turn.now, turn.commands);
        self.set(slot, State::Stopping { deadline, up, killed: false, again, request });
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

    /// Whoever is to be started by request, and needs somebody who will not come up by itself, is not waited for: it is
    /// refused.
    fn refuse_in_vain(&mut self, turn: &mut Turn<'_>) {
        let mut in_vain: BTreeMap<Slot, Arc<str>> = BTreeMap::new();
        for &slot in self.needs.order() {
            let child = self.at(slot);
            let hopeless = match child.state {
                State::Down { done: false } => Some(child.rules.id.clone()),
                State::Due(_) => self.needs.needed(slot).find_map(|need| in_vain.get(&need).cloned()),
                _ => None,
            };
            if let Some(id) = hopeless {
                in_vain.insert(slot, id);
            }
        }
        for (slot, id) in in_vain {
            if let State::Due(purpose @ (Purpose::Added(_) | Purpose::Again(_))) = self.at(slot).state {
                self.call_off(slot, purpose, Refusal::NeedIsDown(id), turn);
            }
        }
    }

    /// A start that has not begun will not be.
    fn call_off(&mut self, slot: Slot, purpose: Purpose, why: Refusal, turn: &mut Turn<'_>) {
        match purpose {
            Purpose::Added(_) => self.drop_out(slot, turn),
            _ => self.set(slot, State::Down { done: false }),
        }
        self.answer(purpose, Answer::Refused(why), turn);
    }

    fn start_whoever_may(&mut self, turn: &mut Turn<'_>) {
        for slot in self.all() {
            if let Some(purpose) = self.may_start(slot) {
                self.set(slot, State::Starting(purpose));
                turn.push(Command::Start(slot));
            }
        }
    }

    fn may_start(&self, slot: Slot) -> Option<Purpose> {
        let child = self.at(slot);
        let State::Due(purpose) = child.state else { return None };
        (!child.regroups && self.needs.needed(slot).all(|need| self.at(need).is_met())).then_some(purpose)
    }

    fn end_own_start(&mut self, turn: &mut Turn<'_>) {
        let is_own = |child: &Node| {
            let (State::Due(purpose)
            | State::Starting(purpose)
            | State::Stopping { again: Some(purpose), .. }) = child.state
            else {
                return false;
            };
            purpose == Purpose::OwnStart
        };
        if matches!(self.phase, Phase::Starting) && !self.children.iter().any(|(_, child)| is_own(child)) {
            self.phase = Phase::Up;
            turn.push(Command::Ready);
        }
    }

    fn answer(&self, purpose: Purpose, answer: Answer, turn: &mut Turn<'_>) {
        if let Purpose::Added(request) | Purpose::Again(request) = purpose
            && !matches!(self.phase, Phase::Ending(_))
        {
            turn.push(Command::Answer(request, answer));
        }
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
        self.relate();
    }

    fn relate(&mut self) {
        let children: Vec<_> = self.children.iter().map(|(slot, child)| (slot, &child.rules)).collect();
        self.needs = Needs::of(&children);
    }

    fn report(&self, slot: Slot, reason: ExitReason, decision: Decision, turn: &mut Turn<'_>) {
        self.report_of(slot, self.at(slot).rules.id.clone(), reason, decision, turn);
    }

    fn report_of(
        &self,
        slot: Slot,
        child: Arc<str>,
        reason: ExitReason,
        decision: Decision,
        turn: &mut Turn<'_>,
    ) {
        let (restarts, limit) = (self.intensity.count(), self.intensity.limit());
        turn.push(Command::Report(Report { slot, child, reason, decision, delay: None, restarts, limit }));
    }

    /// States what is true between any two events:
    ///
    /// 1. Whoever may be told to stop has been, whoever may start has been started, and every group that is gone has begun
    ///    its new epoch: nothing waits that nobody will look at.
    /// 2. Before the start, and once all is over, no child has a process; at the end none is to come up.
    /// 3. A request waits only for a child that is on the move, or for the supervisor to be up.
    /// 4. A temporary child never waits for another attempt. A deadline belongs to a shutdown within a time.
    /// 5. Every child, and nobody else, is found by its id, and stands in the relation of needs.
    /// 6. Either window holds no more restarts than the limit.
    ///
    /// # Panics
    /// If one of these is broken: the supervisor would wait for ever, or a child would be lost.
    pub fn check(&self) {
        let is_over = matches!(self.phase, Phase::New | Phase::Ended);
        if !is_over {
            let depended_on = self.depended_on();
            let mut untold = self.leaving();
            assert!(untold.all(|slot| depended_on.contains(&slot)), "whoever may stop is told: {self:?}");
        }
        let regrouping: BTreeSet<Slot> =
            self.children.iter().filter(|(_, child)| child.regroups).map(|(slot, _)| slot).collect();
        for (slot, child) in self.children.iter() {
            assert_eq!(self.by_id.get(&child.rules.id), Some(&slot), "a child is found by its id: {self:?}");
            assert!(!is_over || !child.is_alive(), "no child without a living supervisor: {self:?}");
            let is_to_come = matches!(child.state, State::Due(_) | State::Waiting { .. });
            let may_come = matches!(self.phase, Phase::Starting | Phase::Up);
            assert!(may_come || !is_to_come, "nobody comes up at the end: {self:?}");
            assert!(!may_come || self.may_start(slot).is_none(), "whoever may start is started: {self:?}");
            if child.regroups {
                let group = self.needs.connected(slot, &regrouping);
                let is_alive = group.iter().any(|slot| self.at(*slot).is_alive());
                assert!(is_alive, "a group that is gone comes up: {self:?}");
            }
            if let State::Waiting { .. } = child.state {
                assert!(!child.is_temporary(), "a temporary child never waits for another start: {self:?}");
            }
            if let State::Stopping { deadline: Some(_), .. } = child.state {
                let limited = matches!(child.rules.shutdown, crate::Shutdown::Within(_));
                assert!(limited, "a deadline belongs to a shutdown within a time: {child:?}");
            }
        }
        assert_eq!(self.by_id.len(), self.children.len(), "no id outlives its child");
        assert_eq!(self.needs.order().len(), self.children.len(), "everyone stands in the relation of needs");
        if matches!(self.phase, Phase::Up) {
            let waits = self.deferred.iter().all(|(_, request)| self.has_to_wait(request));
            assert!(waits, "a request waits for somebody on the move: {self:?}");
        }
        self.intensity.check();
        self.uncharged.check();
    }
}
