//! What goes beyond OTP under enumeration: policies of children, and requests that meet them.

use super::*;
use crate::harness::Process;
use crate::reference::Ask;
use minder_supervisors_core::{Backoff, Budget, Exhausted, InARow, Policy};
use std::sync::Arc;

/// What is not OTP's, and what it meets.
fn asks_beyond(_: usize) -> Vec<Ask> {
    let of = |id: &str| [Ask::Disable(id.into()), Ask::Enable(id.into()), Ask::Terminate(id.into())];
    let again = |id: &str| [Ask::Restart(id.into()), Ask::Delete(id.into())];
    of("0").into_iter().chain(of("1")).chain(again("0")).chain([Ask::Disable("nobody".into())]).collect()
}

/// What children may be given beyond OTP: of a backoff that is over within a tick, of limits that are used up at the
/// second or first failure, and of each together with what it meets.
fn policies() -> Vec<Policy> {
    let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(2), TICK).jitter(0.5);
    let policy = |set: &dyn Fn(&mut Policy)| {
        let mut policy = Policy::default();
        set(&mut policy);
        policy
    };
    vec![
        policy(&|policy| policy.backoff = Some(backoff)),
        policy(&|policy| {
            policy.backoff = Some(backoff);
            policy.in_a_row = Some(InARow { restarts: 1, healthy_after: TICK });
            policy.exhausted = Exhausted::LeaveDown;
        }),
        policy(&|policy| policy.budget = Some(Budget { restarts: 1, period: PERIOD })),
        policy(&|policy| {
            policy.in_a_row = Some(InARow { restarts: 0, healthy_after: TICK });
            policy.exhausted = Exhausted::LeaveDown;
        }),
        policy(&|policy| {
            policy.disabled = true;
            policy.backoff = Some(backoff);
        }),
    ]
}

/// Two children, one of them or both with a policy; what is asked for is what these policies meet.
#[test]
fn every_short_sequence_beyond_otp_agrees_with_the_reference() {
    let mut total = Tally::default();
    std::thread::scope(|scope| {
        let threads = STRATEGIES.map(|strategy| {
            scope.spawn(move || {
                let mut tally = Tally::default();
                for (number, policy) in policies().into_iter().enumerate() {
                    for other in [None, Some(policies().swap_remove(0))] {
                        let restarts =
                            [Restart::Permanent, RESTARTS[(number + usize::from(other.is_some())) % 2]];
                        let mut children: Vec<ChildRules> = restarts
                            .iter()
                            .enumerate()
                            .map(|(child, &restart)| ChildRules {
                                restart,
                                shutdown: SHUTDOWNS[0][2 * child],
                                ..ChildRules::worker(&child.to_string())
                            })
                            .collect();
                        children[0].policy = Some(Arc::new(policy.clone()));
                        children[1].policy = other.map(Arc::new);
                        for swapped in [false, true] {
                            if swapped {
                                let (first, second) = (children[0].policy.take(), children[1].policy.take());
                                (children[0].policy, children[1].policy) = (second, first);
                            }
                            let rules =
                                Rules::new(strategy, 3, PERIOD, AutoShutdown::Never, children.clone());
                            let rules = rules.expect("valid");
                            let (slots, mut supervision, mut world) = beginning(&rules);
                            (world.most_asks, world.offers) = (1, asks_beyond);
                            let mut case = Case::new(&rules, &slots);
                            case.step(Event::Start, &mut supervision, &mut world);
                            while let Some(child) =
                                world.processes.iter().position(|process| *process == Process::Starting)
                            {
                                case.input(Input::Started(child), &mut supervision, &mut world);
                            }
                            case.explore(&supervision, &world, DEPTH);
                            tally.sequences += case.tally.sequences;
                            tally.events += case.tally.events;
                        }
                    }
                }
                tally
            })
        });
        for thread in threads {
            let tally = thread.join().expect("implementation and reference agree");
            total.sequences += tally.sequences;
            total.events += tally.events;
        }
    });
    println!("{} sequences, {} events", total.sequences, total.events);
    assert!(total.sequences >= FEWEST_BEYOND, "only {}", total.sequences);
}

/// A little less than was measured when this was written.
const FEWEST_BEYOND: u64 = 130_000;
