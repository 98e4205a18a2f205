//! Other rules for supervisors that run, under enumeration: which, and from how everybody may stand when they come.
//! What is compared is everything: whom the planner touches, each step of it, and what becomes of whatever happens
//! meanwhile. What single changes look like is in `rows/apply.rs`.

use super::*;
use crate::harness::{Process, World};
use crate::reference::{Ask, NewRules};
use minder_supervisors_core::{Backoff, Likeness};
use std::rc::Rc;
use std::sync::Arc;

/// The children of other rules, and how like each is to the one of its id.
type Likened = Vec<(ChildRules, Likeness)>;

/// Every small change of these rules, and what shows where one would start from.
pub(crate) fn changes(rules: &Rules) -> Rc<[Ask]> {
    let same: Likened = rules.children().iter().map(|child| (child.clone(), Likeness::Same)).collect();
    let (strategy, count) = (rules.strategy(), same.len());
    let mut all = vec![Ask::Outline];
    let mut push = |strategy, limit, in_parts, children: Likened| {
        let (children, likeness): (Vec<_>, Vec<_>) = children.into_iter().unzip();
        let rules = Rules::new(strategy, limit, PERIOD, rules.auto_shutdown(), children).expect("valid");
        all.push(Ask::Change(Arc::new(NewRules { rules, likeness, in_parts })));
    };
    let limit = rules.limit();
    let mut in_parts = |in_parts, change: &dyn Fn(&mut Likened)| {
        let mut children = same.clone();
        change(&mut children);
        push(strategy, limit, in_parts, children);
    };
    let mut with = |change: &dyn Fn(&mut Likened)| in_parts(false, change);
    for child in 0..count {
        with(&|children| drop(children.remove(child)));
        with(&|children| children[child].1 = Likeness::Other);
        with(&|children| children[child].1 = Likeness::Inside);
        with(&|children| {
            let policy = children[child].0.policy_mut();
            policy.disabled = !policy.disabled;
        });
        for other in 0..child {
            with(&|children| children.swap(child, other));
        }
    }
    for place in 0..=count {
        with(&|children| children.insert(place, (ChildRules::worker("new"), Likeness::Other)));
    }
    with(&|children| {
        let first = &mut children[0].0;
        first.restart = if first.policy.is_none() { Restart::Temporary } else { Restart::Transient };
        first.significant = false;
    });
    // Several things at once: what each does is not to depend on the others.
    with(&|children| {
        children[0].1 = Likeness::Inside;
        children[count - 1].1 = Likeness::Other;
        children.insert(1, (ChildRules::worker("new"), Likeness::Other));
    });
    with(&|children| {
        children[0].1 = Likeness::Other;
        children[count - 1].0.policy_mut().disabled = true;
        children.rotate_left(1);
    });
    // Part by part, for a supervisor above.
    in_parts(true, &|children| {
        children[0].1 = Likeness::Inside;
        children[count - 1].1 = Likeness::Other;
        children.insert(1, (ChildRules::worker("new"), Likeness::Other));
    });
    in_parts(true, &|children| {
        children[count - 1].1 = Likeness::Inside;
        drop(children.remove(0));
        children.push((ChildRules::worker("new"), Likeness::Other));
    });
    for other in STRATEGIES {
        push(other, if other == strategy { 0 } else { limit + 1 }, false, same.clone());
    }
    all.into()
}

/// While the supervisor comes up, from how everybody stands then, and from how they do after a crash and a start that fails.
pub(crate) fn explored(rules: &Rules, depth: usize) -> Tally {
    let (slots, mut supervision, mut world) = beginning(rules);
    (world.changes, world.offers, world.most_asks) = (changes(rules), |_| Vec::new(), 1);
    let one = |world: &World<Ask>, which| world.processes.iter().position(|process| *process == which);
    let mut case = Case::new(rules, &slots);
    case.step(Event::Start, &mut supervision, &mut world);
    case.explore(&supervision, &world, depth - 1);
    while let Some(child) = one(&world, Process::Starting) {
        case.input(Input::Started(child), &mut supervision, &mut world);
    }
    assert!(world.ready);
    case.explore(&supervision, &world, depth);
    let Some(up) = one(&world, Process::Up) else { return case.tally };
    case.input(Input::Exited(up, ExitReason::Killed, true), &mut supervision, &mut world);
    while let Some(child) = one(&world, Process::Stopping) {
        case.input(Input::Exited(child, ExitReason::Shutdown, true), &mut supervision, &mut world);
    }
    // Nobody, if it waits.
    if let Some(child) = one(&world, Process::Starting) {
        case.input(Input::StartFailed(child, ExitReason::Killed), &mut supervision, &mut world);
    }
    case.explore(&supervision, &world, depth - 1);
    case.tally
}

/// The specifications of one strategy: all restart types over one or two children, and some over more; and of two children
/// those that are disabled at first, that wait for their restarts, and whose end is the supervisor's.
fn family(strategy: Strategy, most: u32) -> Vec<Rules> {
    let rules = |restarts: &[Restart], auto_shutdown, change: &dyn Fn(&mut [ChildRules])| {
        let child = |(number, &restart): (usize, &Restart)| ChildRules {
            restart,
            shutdown: SHUTDOWNS[0][number % 3],
            ..ChildRules::worker(&number.to_string())
        };
        let mut children: Vec<_> = restarts.iter().enumerate().map(child).collect();
        change(&mut children);
        Rules::new(strategy, 2, PERIOD, auto_shutdown, children).expect("valid")
    };
    let plain = |restarts: &[Restart]| rules(restarts, AutoShutdown::Never, &|_| {});
    let [permanent, transient, temporary] = RESTARTS;
    let mut family: Vec<Rules> = RESTARTS.iter().map(|restart| plain(&[*restart])).collect();
    for first in RESTARTS {
        family.extend(RESTARTS.iter().map(|second| plain(&[first, *second])));
    }
    for count in 3..=most as usize {
        let mixed = [permanent, transient, temporary, permanent, transient, temporary];
        family.extend((0..3).map(|from| plain(&mixed[from..][..count])));
    }
    let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(2), TICK).jitter(0.5);
    let two = [permanent, transient];
    family.push(rules(&two, AutoShutdown::Never, &|children| children[0].policy_mut().disabled = true));
    family.push(rules(&two, AutoShutdown::Never, &|children| children[1].policy_mut().disabled = true));
    family.push(rules(&two, AutoShutdown::Never, &|children| {
        children[0].policy_mut().backoff = Some(backoff);
        children[1].policy_mut().disabled = true;
    }));
    family.push(rules(&[permanent, permanent], AutoShutdown::Never, &|children| {
        children.iter_mut().for_each(|child| child.policy_mut().backoff = Some(backoff));
    }));
    family.push(rules(&[transient, temporary], AutoShutdown::AllSignificant, &|children| {
        children.iter_mut().for_each(|child| child.significant = true);
    }));
    family
}

#[test]
fn every_short_sequence_with_a_change_agrees_with_the_reference() {
    let mut total = Tally::default();
    std::thread::scope(|scope| {
        let threads = STRATEGIES.map(|strategy| {
            scope.spawn(move || {
                let depth = |rules: &Rules| if rules.children().len() > 2 { DEPTH - 1 } else { DEPTH };
                family(strategy, 4).iter().map(|rules| explored(rules, depth(rules))).collect::<Vec<_>>()
            })
        });
        for thread in threads {
            for tally in thread.join().expect("implementation and reference agree") {
                total.sequences += tally.sequences;
                total.events += tally.events;
            }
        }
    });
    println!("{} sequences, {} events", total.sequences, total.events);
    assert!(total.sequences >= FEWEST_WITH_CHANGES, "only {}", total.sequences);
}

/// A little less than was measured when this was written.
const FEWEST_WITH_CHANGES: u64 = 620_000;
