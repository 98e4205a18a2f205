//! Carries a plan out: answers the runtime at every injection point, and keeps the receipts.
//! Decisions are drawn from the plan's seed and the actor's path, so that one actor's faults do not depend on how
//! often others were asked.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use minder::System;
use minder_runtime::hooks::{Fault, Hooks, Point, Site};

use crate::pattern::{Pattern, PatternError};
use crate::plan::{Kind, Plan, Rule, When};
use crate::receipt::Receipt;

/// A plan at work in a system.
#[derive(Clone)]
pub struct Injector {
    shared: Arc<Shared>,
}

struct Shared {
    armed: AtomicBool,
    seed: u64,
    rules: Vec<(Pattern, Rule, AtomicU64)>,
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
    /// The fault that was answered last and has not struck yet.
    pending: Option<(Kind, u64)>,
}

struct Aim {
    rule: usize,
    reached: u64,
    next: u64,
    rng: fastrand::Rng,
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
        let mut rules = Vec::with_capacity(plan.rules.len());
        for rule in plan.rules {
            if let When::Chance(chance) = rule.when
                && !(0.0..=1.0).contains(&chance)
            {
                return Err(ArmError::Chance(format!("{} on {}", rule.kind, rule.on)));
            }
            let pattern = rule.on.parse().map_err(ArmError::Pattern)?;
            rules.push((pattern, rule, AtomicU64::new(0)));
        }
        let shared = Arc::new(Shared {
            armed: AtomicBool::new(true),
            seed: plan.seed,
            rules,
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
        let for_it = self.rules.iter().enumerate().filter(|(_, (pattern, ..))| pattern.matches(&path));
        let aims = for_it.map(|(rule, (_, Rule { when, .. }, _))| {
            let mut hasher = DefaultHasher::new();
            (self.seed, &*path, rule).hash(&mut hasher);
            let mut rng = fastrand::Rng::with_seed(hasher.finish());
            let next = match when {
                When::Nth(n) => *n,
                When::Every(n) => 1 + rng.u64(0..*n),
                When::Chance(_) => 0,
            };
            Aim { rule, reached: 0, next, rng }
        });
        let aims = aims.collect();
        Victim { path, aims, messages: 0, starts: 0, steps: 0, pending: None }
    }

    /// Whether a rule strikes now, and takes one from its limit if so.
    fn strikes(&self, aim: &mut Aim) -> bool {
        let (_, rule, struck) = &self.rules[aim.rule];
        aim.reached += 1;
        let due = match rule.when {
            When::Nth(n) => aim.reached == n,
            When::Every(n) => {
                let due = aim.reached >= aim.next;
                if due {
                    aim.next = aim.reached + 1 + n / 2 + aim.rng.u64(0..n);
                }
                due
            }
            When::Chance(chance) => aim.rng.f64() < chance,
        };
        due && struck
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |struck| {
                (struck < rule.limit).then_some(struck + 1)
            })
            .is_ok()
    }
}

impl Hooks for Shared {
    fn reached(&self, at: &Site<'_>) -> Option<Fault> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
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
        if let Some((kind, _)) = victim.pending.take() {
            self.give_back(kind, victim);
        }
        for aim in &mut victim.aims {
            let kind = self.rules[aim.rule].1.kind;
            if kind.strikes_at(at.point) && self.strikes(aim) {
                victim.pending = Some((kind, nth));
                return Some(kind.fault());
            }
        }
        None
    }

    fn struck(&self, at: &Site<'_>, _: Fault) {
        let victim = self.victim(at.path);
        let mut victim = victim.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((kind, nth)) = victim.pending.take() else { return };
        let in_hand = at.point != Point::Start;
        let receipt = Receipt { kind, path: victim.path.clone(), id: at.id, nth, in_hand };
        drop(victim);
        self.receipts().push(receipt);
    }
}

impl Shared {
    fn give_back(&self, kind: Kind, victim: &Victim) {
        for aim in &victim.aims {
            let (_, rule, struck) = &self.rules[aim.rule];
            if rule.kind == kind {
                let _ =
                    struck.fetch_update(Ordering::AcqRel, Ordering::Acquire, |struck| struck.checked_sub(1));
                return;
            }
        }
    }
}
