//! The supervisor's mind: composes verdict, intensity and strategy, and takes operations step by step.
//! One operation (own start, restart of one, group restart, end) runs at a time and has one child in hand; exits of
//! others and retries wait in order of arrival until it is over (SUP-042, SUP-099).
//! A stop is answered at once; requests (`supervision/requests.rs`) in their turn. Does not carry anything out: its commands' ends come back as events.

use crate::children::{Child, ChildState, Children, State};
use crate::command::{Command, Decision, Report, StartFailed};
use crate::deferred::{Deferred, Tickets, take_back};
use crate::policy::Policy;
use crate::readiness::{Readiness, not_ready};
use crate::record::{Delay, Records, Ruling, Used};
use crate::request::{Answer, Refusal, RequestId};
use crate::stopping::{Stop, ended_otherwise};
use crate::strategy::{Fate, fate};
use crate::tolerance::Tolerance;
use crate::turn::{CHECKED_AFTER_EVERY_EVENT, Turn};
use crate::verdict::{Verdict, verdict};
use crate::{AutoShutdown, ChildRules, Event, Level, Rules, Slot, Strategy};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use minder_signals::{ExitReason, Moment};

mod apply;
mod policies;
mod requests;
mod stopping;
#[cfg(test)]
mod tests;

/// What one supervisor knows and decides.
///
/// # Ordering
/// Starts go in start order, each acknowledged before the next; stops in reverse, each child gone before the next is
/// told. In a group restart every stop ends before the first start begins, and in between every member, the one that
/// ended by itself among them, begins a new epoch. If the restart is to wait, the group is stopped at once, begins its
/// epoch, and waits; a restart of any of its members on another's account takes them along and ends the wait.
///
/// # OTP
/// `supervisor` without the dynamic strategy, which is [`DynamicSupervision`](crate::DynamicSupervision). A stop also overtakes an operation: the child in
/// hand is ended first, then all others in reverse order. OTP would finish the operation.
#[derive(Clone, Debug)]
pub struct Supervision {
    strategy: Strategy,
    auto_shutdown: AutoShutdown,
    max_children: usize,
    tolerance: Tolerance,
    children: Children,
    /// Of children with a policy that have failed.
    records: Records,
    /// What children are given that are added later.
    common: Option<Arc<Policy>>,
    phase: Phase,
    /// What arrived while an operation ran, in order of arrival. Bounded by the children's lives and retries.
    deferred: VecDeque<Deferred>,
    tickets: Tickets,
    /// How far a change of rules has come, while one is being carried out.
    progress: Option<Box<apply::Progress>>,
}

/// What the supervisor is at. `at` is the child in hand, the only one that is starting or stopping.
#[derive(Clone, Debug)]
enum Phase {
    /// Not started.
    New,
    /// Waits for whatever comes.
    Idle,
    /// A child is starting.
    Starting { at: Slot, purpose: Purpose },
    /// A group restart is stopping its members, which are all from `first` on; those after `at` are gone. `later`: on
    /// whose account the members then wait, and how long.
    StoppingGroup { first: Slot, at: Slot, later: Option<(Slot, Delay)> },
    /// A child is being stopped because it was asked for, and is then down in this way.
    StoppingOne { at: Slot, request: RequestId, down: Down },
    /// The host compares what stands with new rules.
    Comparing { request: RequestId, in_parts: bool },
    /// A child is being stopped because of new rules.
    StoppingForChange { at: Slot },
    /// A part of a change is being done within a child, which goes on running; or else the supervisor above is waited for.
    Applying { inside: Option<Slot> },
    /// The supervisor ends for this reason. Children from `end` on are gone, but for the one in hand.
    Ending { at: Slot, end: Slot, reason: ExitReason },
    /// Nothing is left to be done.
    Ended,
}

/// What a start is part of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Purpose {
    /// The supervisor's own start; goes on with the next child.
    OwnStart,
    /// The restart of this child alone.
    One,
    /// A group restart; goes on with the next child.
    Group,
    /// A group restart that has waited; goes on with the next child that waits with this ticket.
    Due(u64),
    /// A request to add this child.
    Added(RequestId),
    /// A request to start this child again.
    Again(RequestId),
    /// A request to start this child, which was disabled.
    Enabled(RequestId),
    /// A change of rules; goes on with the next child.
    Change,
}

/// How a child is down that was stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Down {
    /// It stays where it is.
    Gone,
    /// It is forgotten if it is temporary.
    Forgotten,
    /// It is disabled, or forgotten if it is temporary and was up.
    Disabled,
}

impl Supervision {
    /// A supervisor that goes by these rules and has started nothing yet.
    pub fn new(rules: Rules) -> Self {
        let (strategy, auto_shutdown) = (rules.strategy(), rules.auto_shutdown());
        let max_children = rules.max_children();
        let tolerance = Tolerance::new(rules.limit(), rules.period());
        let (children, common) = rules.into_children();
        Self {
            strategy,
            auto_shutdown,
            max_children,
            tolerance,
            children: Children::new(children),
            records: Records::default(),
            common,
            phase: Phase::New,
            deferred: VecDeque::new(),
            tickets: Tickets::default(),
            progress: None,
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
            // Each child has a time limit of its own.
            Event::EndDeadline => {}
            Event::TryAgain(slot) => self.try_again(slot, turn),
            Event::RestartDue(slot, ticket) => self.restart_due(slot, ticket, turn),
            Event::Stop(reason) => self.stop(reason, turn),
            Event::Asked(id, request) => self.asked(id, request, turn),
            Event::Compared(change) => self.compared(*change, turn),
            Event::PartDone(slot, done) => self.part_done(slot, done, turn),
            Event::NextPart(request) => self.next_part(request, turn),
            Event::TakenBack(request) => {
                if take_back(&mut self.deferred, request) {
                    turn.push(Command::Answer(request, Answer::Refused(Refusal::TakenBack)));
                }
            }
        }
        self.catch_up(turn);
        if cfg!(debug_assertions) && self.children.len() <= CHECKED_AFTER_EVERY_EVENT {
            self.check();
        }
    }

    /// Who is restarted when a child is.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// How many restarts are tolerable, and within which period.
    pub fn level(&self) -> Level {
        self.tolerance.level()
    }

    /// When the end of significant children ends the supervisor.
    pub fn auto_shutdown(&self) -> AutoShutdown {
        self.auto_shutdown
    }

    /// How many children there may be at a time.
    pub fn max_children(&self) -> usize {
        self.max_children
    }

    /// The rules of the child in this slot, unless it has been forgotten.
    pub fn child(&self, slot: Slot) -> Option<&ChildRules> {
        Some(&self.children.get(slot)?.rules)
    }

    /// How the child in this slot stands, unless it has been forgotten.
    pub fn state(&self, slot: Slot) -> Option<ChildState> {
        Some(self.children.get(slot)?.seen())
    }

    /// The slots of all children that have not been forgotten, in start order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.children.iter().map(|(slot, _)| slot)
    }

    /// Whether no operation runs, and every child that says when it is ready to serve has said so, or is down.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Idle) && self.children.unready() == 0
    }

    /// Those that keep the supervisor from being ready, in start order: with those that the operation in hand is about to
    /// start.
    pub fn unready(&self) -> impl Iterator<Item = Slot> {
        let due = match self.phase {
            Phase::New => Some(Slot::FIRST),
            Phase::Starting { at, purpose: Purpose::OwnStart | Purpose::Group } => Some(at),
            Phase::StoppingGroup { first, .. } => Some(first),
            _ => None,
        };
        let is_due = move |slot| due.is_some_and(|due| slot >= due) || self.is_to_be_started(slot);
        let unready = move |&(slot, child): &(Slot, &Child)| child.holds_up(is_due(slot));
        self.children.iter().filter(unready).map(|(slot, _)| slot)
    }

    fn start(&mut self, turn: &mut Turn<'_>) {
        if matches!(self.phase, Phase::New) {
            self.start_next(self.children.first_from(Slot::FIRST), Purpose::OwnStart, turn);
        }
    }

    fn started(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        // A child whose start was abandoned is stopping; that it came up meanwhile changes nothing.
        if let Some(purpose) = self.starting(slot) {
            let readiness = Readiness::begin(&self.children.at(slot).rules, slot, turn);
            self.children.set(slot, State::Running { readiness });
            if readiness.is_ready() {
                self.records.up(slot, turn.now);
            }
            self.start_is_over(slot, purpose, Answer::Started(slot), turn);
        }
    }

    fn ignored(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        if let Some(purpose) = self.starting(slot) {
            self.report(slot, ExitReason::Normal, Decision::Ignore, turn);
            if self.children.at(slot).is_temporary() {
                self.drop_out(slot, turn);
            } else {
                self.children.set(slot, State::Gone);
            }
            self.start_is_over(slot, purpose, Answer::Ignored, turn);
        } else {
            self.abandoned_start_ended(slot, ExitReason::Normal, turn);
        }
    }

    /// The restart type is not consulted: a restart that failed is tried again (SUP-072), an own start is over, and a
    /// start that was asked for is answered and not retried (SUP-082, SUP-083).
    fn start_failed(&mut self, slot: Slot, reason: ExitReason, turn: &mut Turn<'_>) {
        match self.starting(slot) {
            Some(Purpose::OwnStart) => {
                self.report(slot, reason.clone(), Decision::StartFailed, turn);
                self.children.set(slot, State::Gone);
                let child = self.children.at(slot).rules.id.clone();
                self.end(ExitReason::shutdown_with(StartFailed::new(child, reason)), turn);
            }
            Some(purpose @ (Purpose::Added(_) | Purpose::Again(_) | Purpose::Enabled(_))) => {
                match purpose {
                    Purpose::Added(_) => self.drop_out(slot, turn),
                    Purpose::Enabled(_) => self.set_down(slot, Down::Disabled),
                    _ => self.set_down(slot, Down::Gone),
                }
                self.start_is_over(slot, purpose, Answer::Refused(Refusal::StartFailed(reason)), turn);
            }
            Some(purpose @ (Purpose::One | Purpose::Group | Purpose::Due(_))) => {
                if let Purpose::Due(_) = purpose {
                    // As in a group restart without a delay, those after it are down until the next attempt.
                    while let Some(rest) = self.to_start(self.children.first_after(slot), purpose) {
                        self.children.set(rest, State::Gone);
                    }
                }
                // Members started before this one keep running: the next attempt stops what its strategy tells it
                // to, and so they can be stopped, or end by themselves, in between (SUP-076 to SUP-078).
                self.report(slot, reason.clone(), Decision::TryAgain, turn);
                self.children.set(slot, State::Waiting { reason });
                turn.push(Command::TryAgain(slot));
                self.phase = Phase::Idle;
            }
            Some(Purpose::Change) => self.change_start_failed(slot, reason, turn),
            None => self.abandoned_start_ended(slot, reason, turn),
        }
    }

    fn exited(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        match child.state() {
            State::Starting => self.start_failed(slot, reason, turn),
            State::Stopping(_) => self.stopped(slot, reason, turn),
            State::Running { .. } => self.fell(slot, reason, charged, turn),
            State::Fallen { .. }
            | State::Waiting { .. }
            | State::Delayed { .. }
            | State::Finished
            | State::Gone
            | State::Disabled => {}
        }
    }

    /// Its turn comes at once, or after the operation in hand, or that reaches it first and finds it dead.
    fn fell(&mut self, slot: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        self.life_is_over(slot, turn);
        let ticket = self.tickets.next();
        self.children.set(slot, State::Fallen { ticket, reason });
        if !matches!(self.phase, Phase::Ending { .. }) {
            self.deferred.push_back(Deferred::Exit { slot, ticket, charged });
        }
    }

    fn ready(&mut self, slot: Slot, turn: &Turn<'_>) {
        let readiness = self.children.get(slot).and_then(Child::readiness);
        if let Some(readiness) = readiness.and_then(Readiness::said) {
            self.children.set(slot, State::Running { readiness });
            self.records.up(slot, turn.now);
        }
    }

    /// It is up, and not ready in time: killed, and judged when it is gone.
    fn ready_deadline(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        let Some(readiness) = child.readiness().and_then(|readiness| readiness.late(turn.now)) else {
            return;
        };
        let reason = not_ready(&child.rules);
        self.report(slot, reason.clone(), Decision::NotReady, turn);
        turn.push(Command::KillFor(slot, reason));
        self.children.set(slot, State::Running { readiness });
    }

    fn stop_deadline(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        if let &State::Stopping(stop) = child.state()
            && stop.is_late(turn.now)
        {
            self.report(slot, ExitReason::Shutdown, Decision::KillAfterDeadline, turn);
            self.children.set(slot, State::Stopping(stop.kill(slot, turn)));
        }
    }

    /// Also a retry left over from an earlier failure is taken if the child waits for one, as in OTP.
    fn try_again(&mut self, slot: Slot, turn: &mut Turn<'_>) {
        let Some(child) = self.children.get(slot) else { return };
        match (&self.phase, child.state()) {
            (Phase::Idle, State::Waiting { reason }) => {
                let reason = reason.clone();
                self.attempt(slot, reason, true, turn);
            }
            (Phase::Idle | Phase::New | Phase::Ending { .. } | Phase::Ended, _) => {}
            _ => self.deferred.push_back(Deferred::TryAgain { slot }),
        }
    }

    /// Two orders: a stop that comes while the supervisor already ends, for whatever reason, changes nothing; one that
    /// comes during any other operation abandons it, and nothing that was put off is looked at any more.
    fn stop(&mut self, reason: ExitReason, turn: &mut Turn<'_>) {
        let end = self.children.end();
        self.progress = None;
        match self.phase {
            Phase::New | Phase::Idle | Phase::Comparing { .. } | Phase::Applying { .. } => {
                self.end(reason, turn)
            }
            Phase::Starting { at, .. } => {
                self.deferred.clear();
                self.ask_to_stop(at, false, turn);
                self.phase = Phase::Ending { at, end, reason };
            }
            Phase::StoppingGroup { at, .. }
            | Phase::StoppingOne { at, .. }
            | Phase::StoppingForChange { at } => {
                self.deferred.clear();
                self.phase = Phase::Ending { at, end, reason };
            }
            Phase::Ending { .. } | Phase::Ended => {}
        }
    }

    /// Handles what was put off, in order of arrival, until the next operation begins.
    fn catch_up(&mut self, turn: &mut Turn<'_>) {
        while matches!(self.phase, Phase::Idle)
            && let Some(deferred) = self.deferred.pop_front()
        {
            match deferred {
                Deferred::TryAgain { slot } => self.try_again(slot, turn),
                Deferred::RestartDue { slot, ticket } => self.restart_due(slot, ticket, turn),
                Deferred::Asked(id, request) => self.asked(id, request, turn),
                Deferred::Exit { slot, ticket: due, charged } => {
                    if let Some(child) = self.children.get(slot)
                        && let State::Fallen { ticket, reason } = child.state()
                        && *ticket == due
                    {
                        let reason = reason.clone();
                        self.judge(slot, reason, charged, turn);
                    }
                }
            }
        }
    }

    /// A child ended by itself. Whether, how often, who else: in this order.
    fn judge(&mut self, at: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        let rules = &self.children.at(at).rules;
        let (child, significant) = (rules.id.clone(), rules.significant);
        match verdict(rules.restart, &reason) {
            Verdict::Restart => return self.attempt(at, reason, charged, turn),
            Verdict::LeaveDown => {
                self.report(at, reason.clone(), Decision::LeaveDown, turn);
                self.children.set(at, State::Finished);
            }
            Verdict::Forget => {
                self.report(at, reason.clone(), Decision::Forget, turn);
                self.drop_out(at, turn);
            }
        }
        if significant {
            self.ended_for_good(at, child, reason, turn);
        }
    }

    /// A significant child is not started again.
    fn ended_for_good(&mut self, at: Slot, child: Arc<str>, reason: ExitReason, turn: &mut Turn<'_>) {
        if self.ends_itself() {
            turn.push(Command::Report(self.tolerance.report(at, child, reason, Decision::AutoShutdown)));
            self.end(ExitReason::Shutdown, turn);
        }
    }

    /// Restarts this child, and whoever shares its fate, if that is still tolerable.
    fn attempt(&mut self, at: Slot, reason: ExitReason, charged: bool, turn: &mut Turn<'_>) {
        let retried = matches!(self.children.set(at, State::Gone), State::Waiting { .. });
        let policy = self.children.at(at).rules.policy.as_deref();
        let delay = match self.tolerance.attempt(&mut self.records, at, policy, charged, turn.now) {
            Ruling::Restart(delay) => delay,
            Ruling::Exhausted { used, limit } => {
                return self.exhausted(at, reason, Used { used, limit, retried }, turn);
            }
            Ruling::GiveUp => {
                let report = self.report_about(at, reason, Decision::GiveUp);
                turn.push(Command::Report(Report { retried, ..report }));
                return self.end(ExitReason::Shutdown, turn);
            }
        };
        let fate = fate(self.strategy);
        let decision = Decision::restart(fate != Fate::Alone, delay.is_some());
        let report = self.report_about(at, reason, decision);
        turn.push(Command::Report(Report { delay, retried, ..report }));
        let first = match fate {
            Fate::Alone => {
                return match delay {
                    None => self.start_child(at, Purpose::One, turn),
                    Some(delay) => self.wait(at, at, delay, turn),
                };
            }
            Fate::All => Slot::FIRST,
            Fate::Rest => at,
        };
        self.stop_group(first, self.children.end(), delay.map(|delay| (at, delay)), turn);
    }

    /// Whether the end of a significant child, which is gone already, is the supervisor's too.
    fn ends_itself(&self) -> bool {
        match self.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => self.children.significant() == 0,
        }
    }

    /// The start of this child has ended, one way or the other. `answer`: how, for whoever asked for it.
    fn start_is_over(&mut self, slot: Slot, purpose: Purpose, answer: Answer, turn: &mut Turn<'_>) {
        match purpose {
            Purpose::OwnStart | Purpose::Group | Purpose::Due(_) => {
                self.start_next(self.children.first_after(slot), purpose, turn);
            }
            Purpose::One => self.phase = Phase::Idle,
            Purpose::Added(request) | Purpose::Again(request) | Purpose::Enabled(request) => {
                turn.push(Command::Answer(request, answer));
                self.phase = Phase::Idle;
            }
            Purpose::Change => self.apply_next(turn),
        }
    }

    /// Goes on with the start of several, from this one on; if nothing is left, it is over.
    fn start_next(&mut self, next: Option<Slot>, purpose: Purpose, turn: &mut Turn<'_>) {
        if let Some(at) = self.to_start(next, purpose) {
            return self.start_child(at, purpose, turn);
        }
        if purpose == Purpose::OwnStart {
            turn.push(Command::Ready);
        }
        self.phase = Phase::Idle;
    }

    /// The first child from this one on that is to be started for this purpose. All are, but for those that are disabled,
    /// and, when a wait is over, those that have left it.
    fn to_start(&self, mut next: Option<Slot>, purpose: Purpose) -> Option<Slot> {
        while let Some(slot) = next {
            let is_meant = match purpose {
                Purpose::Due(number) => self.waits_with(slot, number),
                _ => matches!(self.children.at(slot).state(), State::Finished | State::Gone),
            };
            if is_meant {
                break;
            }
            next = self.children.first_after(slot);
        }
        next
    }

    fn start_child(&mut self, at: Slot, purpose: Purpose, turn: &mut Turn<'_>) {
        if let Purpose::Again(_) | Purpose::Enabled(_) | Purpose::Change = purpose {
            // Whoever asks for it knows of what was, and has begun anew.
            self.records.forget(at);
        }
        let before = self.children.set(at, State::Starting);
        debug_assert!(
            before.is_gone() || matches!(before, State::Delayed { .. }),
            "a child is started only when its last life is gone"
        );
        turn.push(Command::Start(at));
        self.phase = Phase::Starting { at, purpose };
    }

    /// This child is gone for good, and its specification with it.
    fn drop_out(&mut self, at: Slot, turn: &mut Turn<'_>) {
        turn.push(Command::Forget(at));
        self.children.forget(at);
        self.records.forget(at);
    }

    fn report(&self, at: Slot, reason: ExitReason, decision: Decision, turn: &mut Turn<'_>) {
        turn.push(Command::Report(self.report_about(at, reason, decision)));
    }

    fn report_about(&self, at: Slot, reason: ExitReason, decision: Decision) -> Report {
        self.tolerance.report(at, self.children.at(at).rules.id.clone(), reason, decision)
    }

    /// What the start of the child in this slot is part of, if it is the one that is starting.
    fn starting(&self, slot: Slot) -> Option<Purpose> {
        match self.phase {
            Phase::Starting { at, purpose } if at == slot => Some(purpose),
            _ => None,
        }
    }

    /// States what is true between any two events, beyond what holds of the children by themselves:
    ///
    /// 1. The child in hand, and no other, is starting or stopping.
    /// 2. Between operations, and at the end, nothing is put off; between operations no child is fallen.
    /// 3. A fallen child's notice is put off exactly once, unless the supervisor ends.
    /// 4. A group's members after the one being stopped are gone; so are, at the end, all after the last one reached.
    /// 5. Before the start, and once all is over, no child has a process or waits for one.
    /// 6. Either window holds no more restarts than the limit; what is remembered is remembered of children.
    /// 7. How far a change has come is known exactly while one is being carried out.
    ///
    /// Looks at every child. Debug builds call it after every event if there are few.
    ///
    /// # Panics
    /// If one of these is broken: a child would be lost, or started beside its own earlier life.
    pub fn check(&self) {
        let hand = match self.phase {
            Phase::New | Phase::Idle | Phase::Comparing { .. } | Phase::Applying { .. } | Phase::Ended => {
                None
            }
            Phase::Starting { at, .. }
            | Phase::StoppingGroup { at, .. }
            | Phase::StoppingOne { at, .. }
            | Phase::StoppingForChange { at }
            | Phase::Ending { at, .. } => Some(at),
        };
        self.children.check(hand);
        self.tolerance.check();
        self.records.check(|slot| self.children.get(slot).is_none());

        let all_gone = |those: &dyn Fn(Slot) -> bool| {
            let mut others = self.children.iter().filter(|(slot, _)| those(*slot) && hand != Some(*slot));
            others.all(|(_, child)| child.state().is_gone())
        };
        match &self.phase {
            Phase::New | Phase::Ended => {
                assert!(all_gone(&|_| true), "no child without a living supervisor: {self:?}")
            }
            Phase::Starting { at, purpose: Purpose::OwnStart | Purpose::Group } => {
                assert!(all_gone(&|slot| slot > *at), "children after the starting one are gone: {self:?}");
            }
            Phase::Idle
            | Phase::Starting { .. }
            | Phase::StoppingOne { .. }
            | Phase::Comparing { .. }
            | Phase::StoppingForChange { .. }
            | Phase::Applying { .. } => {}
            Phase::StoppingGroup { at, .. } => {
                assert!(all_gone(&|slot| slot > *at), "members after the stopping one are gone: {self:?}");
            }
            Phase::Ending { end, .. } => {
                assert!(all_gone(&|slot| slot >= *end), "children reached by the end are gone: {self:?}")
            }
        }
        if let Phase::Idle | Phase::Ending { .. } | Phase::Ended = self.phase {
            assert!(
                self.deferred.is_empty(),
                "nothing is put off between operations, or at the end: {self:?}"
            );
        }
        let changing = matches!(
            self.phase,
            Phase::StoppingForChange { .. }
                | Phase::Applying { .. }
                | Phase::Starting { purpose: Purpose::Change, .. }
        );
        assert_eq!(changing, self.progress.is_some(), "a change is in progress, or is not: {self:?}");
        let ending = matches!(self.phase, Phase::Ending { .. });
        for (of, child) in self.children.iter() {
            if let &State::Fallen { ticket, .. } = child.state() {
                let mine = |put_off: &&Deferred| match **put_off {
                    Deferred::Exit { slot, ticket: due, .. } => slot == of && due == ticket,
                    Deferred::TryAgain { .. } | Deferred::RestartDue { .. } | Deferred::Asked(..) => false,
                };
                let notices = self.deferred.iter().filter(mine).count();
                assert_eq!(notices, usize::from(!ending), "a fallen child has one notice put off: {self:?}");
            }
        }
    }
}
