//! Carries a plan out: answers the runtime at every injection point, and keeps the receipts.
//! When a rule strikes is decided in `aim.rs`, for one actor, or in `turns.rs`, for all of them together.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use minder::System;
use minder_runtime::hooks::{Fault, Hooks, Point, Site, Target};

use crate::aim::{Aim, Armed};
use crate::pattern::PatternError;
use crate::plan::Plan;
use crate::receipt::Receipt;
use crate::turns::Call;

/// A plan at work in a system.
#[derive(Clone)]
pub struct Injector {
    shared: Arc<Shared>,
}

struct Shared {
    armed: AtomicBool,
    seed: u64,
    rules: Vec<Armed>,
    /// Those among them that strike in turn.
    in_turn: Vec<usize>,
    /// Made when an actor is first seen; read for every delivery after that.
    actors: RwLock<HashMap<Arc<str>, Arc<Mutex<Victim>>>>,
    receipts: Mutex<Vec<Receipt>>,
}

/// What is known of the actor at one path.
struct Victim {
    path: Arc<str>,
    /// The rules that are for it, and where each stands.
    aims: Vec<Aim>,
    messages: u64,
    starts: u64,
    steps: u64,
    /// The fault that was answered last and has not struck yet: its rule, and at which point.
    pending: Option<(usize, u64)>,
    /// The same of its steps: a supervisor takes them while a notice is in hand, for which a fault may be pending.
    pending_step: Option<(usize, u64)>,
}

impl Victim {
    fn pending_at(&mut self, point: Point) -> &mut Option<(usize, u64)> {
        if matches!(point, Point::Step(_)) { &mut self.pending_step } else { &mut self.pending }
    }
}

/// Why a plan cannot be armed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArmError {
    /// A rule's pattern is none.
    Pattern(PatternError),
    /// A rule's probability is not between 0 and 1.
    Chance(String),
    /// Another plan is at work in this system already.
    Armed,
}

impl fmt::Display for ArmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(error) => error.fmt(f),
            Self::Chance(rule) => write!(f, "the probability of {rule} is not between 0 and 1"),
            Self::Armed => f.write_str("this system has a fault plan already: arm one plan per system"),
        }
    }
}

impl std::error::Error for ArmError {}

/// A run that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Vacuous {
    /// No fault struck.
    NothingInjected,
    /// No work was acknowledged.
    NothingAcknowledged,
}

impl fmt::Display for Vacuous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingInjected => {
                "no fault struck, so this run proves nothing: check the plan's paths and counts"
            }
            Self::NothingAcknowledged => "nothing was acknowledged, so this run proves nothing",
        })
    }
}

impl std::error::Error for Vacuous {}

impl Injector {
    /// Arms a plan in a system, for good; [`Injector::disarm`] only silences it.
    ///
    /// # Errors
    /// If the plan makes no sense, or the system has one already.
    pub fn arm(plan: Plan, system: &System) -> Result<Self, ArmError> {
        let now = system.now();
        let rules: Result<Vec<Armed>, _> = plan.rules.into_iter().map(|rule| Armed::new(rule, now)).collect();
        let rules = rules?;
        let in_turn = (0..rules.len()).filter(|at| rules[*at].turns.is_some()).collect();
        let shared = Arc::new(Shared {
            armed: AtomicBool::new(true),
            seed: plan.seed.unwrap_or_default(),
            rules,
            in_turn,
            actors: RwLock::default(),
            receipts: Mutex::default(),
        });
        if !system.inject(shared.clone()) {
            return Err(ArmError::Armed);
        }
        Ok(Self { shared })
    }

    /// No fault strikes from now on.
    pub fn disarm(&self) {
        self.shared.armed.store(false, Ordering::Release);
    }

    /// The faults that have struck, in order.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.shared.receipts().clone()
    }

    /// Whether the run proved anything: faults struck, and work was acknowledged all the same.
    ///
    /// # Errors
    /// What it lacked.
    pub fn check_not_vacuous(&self, acknowledged: u64) -> Result<(), Vacuous> {
        if self.shared.receipts().is_empty() {
            Err(Vacuous::NothingInjected)
        } else if acknowledged == 0 {
            Err(Vacuous::NothingAcknowledged)
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Injector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").field("struck", &self.shared.receipts().len()).finish_non_exhaustive()
    }
}

impl Shared {
    fn receipts(&self) -> MutexGuard<'_, Vec<Receipt>> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn victim(&self, path: &str) -> Arc<Mutex<Victim>> {
        if let Some(victim) = self.actors.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return victim.clone();
        }
        let mut actors = self.actors.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(victim) = actors.get(path) {
            return victim.clone();
        }
        let path: Arc<str> = path.into();
        let victim = Arc::new(Mutex::new(self.new_victim(path.clone())));
        actors.insert(path, victim.clone());
        victim
    }

    fn new_victim(&self, path: Arc<str>) -> Victim {
        let mut aims = Vec::new();
        for (index, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.is_for(&path)) {
            match &rule.turns {
                Some(turns) => turns.join(&path, None),
                None => aims.push(Aim::new(self.seed, &path, index, rule)),
            }
        }
        Victim { path, aims, messages: 0, starts: 0, steps: 0, pending: None, pending_step: None }
    }

    /// The rule, if one has this actor's turn now. May kill another one on the way, whose turn has run out.
    fn turn(&self, at: &Site<'_>) -> Option<usize> {
        if self.in_turn.is_empty() {
            return None;
        }
        let now = at.now();
        for index in &self.in_turn {
            let rule = &self.rules[*index];
            let Some(turns) = rule.turns.as_ref().filter(|turns| !turns.is_quiet(now)) else { continue };
            let call = turns.call(at.path, rule.strikes_at(at), now);
            if !matches!(call, Call::Nobody) && !rule.take() {
                turns.end();
                continue;
            }
            match call {
                Call::Nobody => {}
                Call::Strike => return Some(*index),
                Call::KillIdle(path, target) => self.kill_idle(rule, &path, &target),
            }
        }
        None
    }

    fn kill_idle(&self, rule: &Armed, path: &str, target: &Target) {
        let victim = self.victim(path);
        let (path, nth) = {
            let victim = victim.lock().unwrap_or_else(PoisonError::into_inner);
            (victim.path.clone(), victim.messages)
        };
        if target.kill() {
            self.receipts().push(Receipt { kind: rule.kind, path, id: target.id(), nth, in_hand: false });
        } else {
            rule.give_back();
        }
    }
}

impl Hooks for Shared {
    fn begins(&self, at: &Site<'_>, target: Target) {
        if self.in_turn.is_empty() {
            return;
        }
        let victim = self.victim(at.path);
        let path = victim.lock().unwrap_or_else(PoisonError::into_inner).path.clone();
        let turns = self.in_turn.iter().map(|index| &self.rules[*index]).filter(|rule| rule.is_for(&path));
        for turns in turns.filter_map(|rule| rule.turns.as_ref()) {
            turns.join(&path, Some(target.clone()));
        }
    }

    fn reached(&self, at: &Site<'_>) -> Option<Fault> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        let turn = self.turn(at);
        let victim = self.victim(at.path);
        let mut victim = victim.lock().unwrap_or_else(PoisonError::into_inner);
        let victim = &mut *victim;
        let nth = match at.point {
            Point::Start => &mut victim.starts,
            Point::Step(_) => &mut victim.steps,
            _ => &mut victim.messages,
        };
        *nth += 1;
        let nth = *nth;
        // A fault that was answered and found nothing to strike at is given back to its rule.
        if let Some((rule, _)) = victim.pending_at(at.point).take() {
            self.rules[rule].give_back();
        }
        let strikes = |aim: &mut Aim| {
            let rule = &self.rules[aim.rule];
            rule.strikes_at(at) && aim.is_due(rule, || at.now()) && rule.take()
        };
        let due = turn.or_else(|| victim.aims.iter_mut().find_map(|aim| strikes(aim).then_some(aim.rule)))?;
        *victim.pending_at(at.point) = Some((due, nth));
        Some(self.rules[due].fault())
    }

    fn struck(&self, at: &Site<'_>, _: Fault) {
        let victim = self.victim(at.path);
        let mut victim = victim.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((rule, nth)) = victim.pending_at(at.point).take() else { return };
        let in_hand = at.point != Point::Start;
        let kind = self.rules[rule].kind;
        let receipt = Receipt { kind, path: victim.path.clone(), id: at.id, nth, in_hand };
        drop(victim);
        self.receipts().push(receipt);
    }
}
