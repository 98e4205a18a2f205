//! Rules by chance: of a supervisor, and of what one that stands may be made into.

use crate::world::{NewRules, World};
use crate::{Random, SECOND, needing};
use minder_supervisors_core::{
    AutoShutdown, Backoff, Budget, ChildRules, Exhausted, InARow, Likeness, NeedsRules, ReportsReady,
    Restart, Shutdown,
};
use std::sync::Arc;
use std::time::Duration;

const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// `limited`: supervisors that give up are among them, and children with limits and delays of their own.
pub(crate) fn rules(random: &mut Random, limited: bool) -> NeedsRules {
    let significant = significance(random, limited);
    let density = 1 + random.below(4);
    let mut children = Vec::new();
    for place in 0..1 + random.below(IDS.len()) {
        let needs: Vec<&str> = IDS[..place].iter().copied().filter(|_| random.below(5) < density).collect();
        let rules = child(random, IDS[place], &needs, significant, limited);
        children.insert(random.below(place + 1), rules);
    }
    of(random, children, significant, limited)
}

/// Some of those that stand, some as they are, and some others.
pub(crate) fn new_rules(world: &World, random: &mut Random, limited: bool) -> NewRules {
    let significant = significance(random, limited);
    // Everyone after all that it needs; or in another order.
    let mut left: Vec<&ChildRules> = world.children.values().map(|child| &child.rules).collect();
    let (mut order, mut children) = (Vec::<Arc<str>>::new(), Vec::<ChildRules>::new());
    let (turned, density, steady) = (random.below(3) == 0, 1 + random.below(4), random.below(3) == 0);
    while !left.is_empty() || random.below(3) == 0 {
        let is_next = |rules: &&ChildRules| {
            !rules.needs().iter().any(|need| left.iter().any(|other| other.id == *need))
        };
        let next = if turned { left.len().checked_sub(1) } else { left.iter().position(is_next) };
        let old = next.map(|next| left.remove(next));
        if old.is_some() && random.below(6) == 0 {
            continue;
        }
        let id = match old {
            Some(old) => old.id.clone(),
            None => match IDS.iter().find(|id| {
                world.named(&Arc::from(**id)).is_none() && !order.iter().any(|other| **other == ***id)
            }) {
                Some(id) => Arc::from(*id),
                None => break,
            },
        };
        let kept = old.filter(|_| steady || random.below(3) > 0);
        let needs: Vec<&str> = match kept {
            Some(old) => order
                .iter()
                .map(|id| &**id)
                .filter(|id| old.needs().iter().any(|need| **need == **id))
                .collect(),
            None => order.iter().map(|id| &**id).filter(|_| random.below(5) < density).collect(),
        };
        let mut rules = child(random, &id, &needs, significant, limited);
        if let Some(old) = kept {
            let needs = std::mem::take(&mut rules.policy_mut().needs);
            rules = old.clone();
            rules.policy_mut().needs = needs;
            rules.significant &= significant != AutoShutdown::Never;
        }
        let place = if steady { children.len() } else { random.below(children.len() + 1) };
        children.insert(place, rules);
        order.push(id);
    }
    let likely = random.one_of(&[Likeness::Same, Likeness::Same, Likeness::Inside, Likeness::Other]);
    let likeness = children
        .iter()
        .map(|_| random.one_of(&[likely, likely, likely, Likeness::Same, Likeness::Inside, Likeness::Other]));
    let likeness = likeness.collect();
    NewRules { rules: of(random, children, significant, limited), likeness }
}

fn significance(random: &mut Random, limited: bool) -> AutoShutdown {
    match random.below(3) {
        0 if limited => AutoShutdown::AnySignificant,
        1 if limited => AutoShutdown::AllSignificant,
        _ => AutoShutdown::Never,
    }
}

fn of(
    random: &mut Random,
    children: Vec<ChildRules>,
    significant: AutoShutdown,
    limited: bool,
) -> NeedsRules {
    let limit = if limited { u32::try_from(random.below(12)).expect("small") } else { 1_000 };
    NeedsRules::new(limit, 3 * SECOND, significant, children).expect("needs go backwards")
}

fn child(
    random: &mut Random,
    id: &str,
    needs: &[&str],
    significant: AutoShutdown,
    limited: bool,
) -> ChildRules {
    let mut rules = needing(id, needs);
    rules.restart =
        random.one_of(&[Restart::Permanent, Restart::Permanent, Restart::Transient, Restart::Temporary]);
    rules.shutdown = random.one_of(&[
        Shutdown::Infinity,
        Shutdown::Within(3 * SECOND),
        Shutdown::BrutalKill,
        Shutdown::Within(Duration::ZERO),
    ]);
    let within = random.one_of(&[None, Some(2 * SECOND)]);
    if random.below(3) == 0 {
        rules.policy_mut().readiness = Some(ReportsReady { within });
    }
    rules.policy_mut().disabled = random.below(8) == 0;
    if limited && rules.restart != Restart::Temporary {
        beyond(random, &mut rules);
    }
    rules.significant =
        significant != AutoShutdown::Never && rules.restart != Restart::Permanent && random.below(2) == 0;
    rules
}

/// Backoff, and limits of its own.
fn beyond(random: &mut Random, rules: &mut ChildRules) {
    let policy = rules.policy_mut();
    if random.below(3) > 0 {
        policy.backoff = Some(Backoff::new(SECOND, 4 * SECOND, 8 * SECOND));
    }
    let restarts = u32::try_from(random.below(4)).expect("small");
    if random.below(4) == 0 {
        policy.budget = Some(Budget { restarts, period: 8 * SECOND });
    }
    if random.below(4) == 0 {
        policy.in_a_row = Some(InARow { restarts, healthy_after: 8 * SECOND });
    }
    if policy.budget.is_some() || policy.in_a_row.is_some() {
        policy.exhausted = random.one_of(&[Exhausted::Escalate, Exhausted::LeaveDown, Exhausted::LeaveDown]);
    }
}
