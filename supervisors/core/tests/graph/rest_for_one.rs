//! Rest-for-one as a special case: where each child needs all those before it, the same events lead to the same commands in
//! the same order, reports and new epochs included, under these conditions:
//!
//! - things happen one at a time: nobody ends by itself, and no retry comes, while somebody starts or stops (a supervisor of
//!   children in order puts that off until its operation is over; one by needs takes it in at once);
//! - nobody asks for anything (a child of a group that is between two attempts is down in one and due in the other);
//! - the supervisor does not end itself when *all* significant children have (for the same reason);
//! - nobody is disabled or left down (those that need such a one wait for it, where in order they come up without it).
//!
//! Two things differ and are left out of the comparison: who has nobody after it is restarted alone, and begins no epoch; and
//! each numbers its waits in its own way.

use crate::{Random, SECOND, needing};
use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    AutoShutdown, Backoff, ChildRules, Command, Decision, Event, GraphSupervision, InARow, NeedsRules,
    Restart, Rules, Shutdown, Slot, Strategy, Supervision,
};
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Copy, PartialEq)]
enum Process {
    None,
    Starting,
    Up,
    Stopping(bool),
}

const IDS: [&str; 5] = ["a", "b", "c", "d", "e"];

fn children(random: &mut Random, any_significant: bool) -> Vec<ChildRules> {
    let child = |place: usize| {
        let mut rules = needing(IDS[place], &IDS[..place]);
        rules.restart = random.one_of(&[Restart::Permanent, Restart::Transient, Restart::Temporary]);
        rules.shutdown = random.one_of(&[
            Shutdown::Infinity,
            Shutdown::Within(3 * SECOND),
            Shutdown::BrutalKill,
            Shutdown::Within(std::time::Duration::ZERO),
        ]);
        rules.significant = any_significant && rules.restart != Restart::Permanent;
        if rules.restart != Restart::Temporary && random.below(2) == 0 {
            rules.policy_mut().backoff = Some(Backoff::new(SECOND, 4 * SECOND, 6 * SECOND));
            rules.policy_mut().in_a_row = Some(InARow { restarts: 3, healthy_after: 6 * SECOND });
        }
        rules
    };
    (0..5).map(child).collect()
}

/// Without what differs: the last in order has no group.
fn shown(commands: Vec<Command>, last: Option<Slot>) -> Vec<Command> {
    let alone = |slot: Slot| Some(slot) == last;
    let groups = commands.iter().filter(|command| matches!(command, Command::NewEpoch(_))).count();
    commands
        .into_iter()
        .filter(|command| !matches!(command, Command::NewEpoch(slot) if groups == 1 && alone(*slot)))
        .map(|command| match command {
            Command::Report(mut report)
                if report.decision == Decision::RestartGroup && alone(report.slot) =>
            {
                report.decision = Decision::Restart;
                Command::Report(report)
            }
            Command::Report(mut report)
                if report.decision == Decision::RestartGroupLater && alone(report.slot) =>
            {
                report.decision = Decision::RestartLater;
                Command::Report(report)
            }
            other => other,
        })
        .collect()
}

#[test]
fn a_chain_of_needs_is_rest_for_one() {
    let (mut random, mut groups, mut failed, mut events, mut waited) = (Random(11), 0, 0, 0, 0);
    for round in 0..2_000 {
        let auto_shutdown = [AutoShutdown::Never, AutoShutdown::AnySignificant][round % 2];
        let by_needs = children(&mut random, auto_shutdown != AutoShutdown::Never);
        let without_needs = |child: &ChildRules| {
            let mut child = child.clone();
            child.policy_mut().needs = Vec::new();
            child
        };
        let in_order: Vec<ChildRules> = by_needs.iter().map(without_needs).collect();
        let limit = u32::try_from(random.below(9)).expect("small");
        let rules =
            Rules::new(Strategy::RestForOne, limit, 3 * SECOND, auto_shutdown, in_order).expect("valid");
        let mut rest = Supervision::new(rules);
        let rules = NeedsRules::new(limit, 3 * SECOND, auto_shutdown, by_needs).expect("valid");
        let mut graph = GraphSupervision::new(rules);

        let mut processes: BTreeMap<Slot, Process> = rest.slots().map(|slot| (slot, Process::None)).collect();
        let (mut retries, mut now, mut history) = (Vec::new(), Moment::START, Vec::new());
        let (mut waits, mut tickets) = (Vec::new(), HashMap::new());
        let mut next = Some(Event::Start);
        for _ in 0..60 {
            let Some(event) = next else { break };
            events += 1;
            history.push(format!("{event:?}"));
            match &event {
                Event::Started(slot) => {
                    let stopping = processes[slot] == Process::Stopping(false);
                    processes.insert(*slot, if stopping { Process::Stopping(true) } else { Process::Up });
                }
                Event::StartFailed(slot, _) => {
                    failed += 1;
                    processes.insert(*slot, Process::None);
                }
                Event::Ignored(slot) | Event::Exited { slot, .. } => {
                    processes.insert(*slot, Process::None);
                }
                Event::TryAgain(_) => {
                    retries.pop();
                }
                Event::RestartDue(..) => {
                    waits.pop();
                }
                _ => {}
            }
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            // Who is last: as it was before the event, which may forget somebody.
            let last = rest.slots().last();
            rest.handle(event.clone(), now, &mut expected);
            let event = match event {
                Event::RestartDue(slot, ticket) => Event::RestartDue(slot, tickets[&(slot, ticket)]),
                event => event,
            };
            graph.handle(event, now, &mut got);
            graph.check();
            let (expected, mut got) = (shown(expected, last), shown(got, last));
            for (expected, got) in expected.iter().zip(&mut got) {
                if let (
                    Command::SetRestart { slot, ticket: theirs, .. },
                    Command::SetRestart { ticket: mine, .. },
                ) = (expected, got)
                {
                    tickets.insert((*slot, *theirs), *mine);
                    *mine = *theirs;
                }
            }
            history.push(format!("    {expected:?}"));
            assert_eq!(got, expected, "\n{}\n{graph:#?}", history.join("\n"));
            let mut is_over = false;
            for command in expected {
                match command {
                    Command::Start(slot) => {
                        processes.insert(slot, Process::Starting);
                    }
                    Command::AskToStop(slot) | Command::Kill(slot) => {
                        let up = matches!(processes[&slot], Process::Up | Process::Stopping(true));
                        processes.insert(slot, Process::Stopping(up));
                    }
                    Command::TryAgain(slot) => retries.push(slot),
                    Command::SetRestart { slot, ticket, .. } => {
                        waited += 1;
                        waits.push((slot, ticket));
                    }
                    Command::NewEpoch(_) => groups += 1,
                    Command::Forget(slot) => {
                        processes.remove(&slot);
                    }
                    Command::Exit(_) => is_over = true,
                    _ => {}
                }
            }
            if is_over {
                break;
            }
            // What can happen now, one thing at a time.
            let boom = || ExitReason::other("boom");
            let exit = |slot, reason| Event::Exited { slot, reason, charged: true };
            let mut possible = Vec::new();
            for (&slot, &process) in &processes {
                match process {
                    Process::Starting => possible.extend([
                        Event::Started(slot),
                        Event::Started(slot),
                        Event::StartFailed(slot, boom()),
                        Event::Ignored(slot),
                    ]),
                    Process::Stopping(true) => possible.extend([
                        exit(slot, ExitReason::Shutdown),
                        exit(slot, boom()),
                        Event::StopDeadline(slot),
                    ]),
                    Process::Stopping(false) => {
                        possible.extend([Event::StartFailed(slot, boom()), Event::Started(slot)])
                    }
                    Process::None | Process::Up => {}
                }
            }
            if possible.is_empty() {
                for (&slot, _) in processes.iter().filter(|(_, process)| **process == Process::Up) {
                    let uncharged = Event::Exited { slot, reason: boom(), charged: false };
                    possible.extend([
                        exit(slot, boom()),
                        exit(slot, boom()),
                        exit(slot, ExitReason::Normal),
                        uncharged,
                    ]);
                }
                possible.extend(retries.last().map(|slot| Event::TryAgain(*slot)));
                possible.extend(waits.last().map(|(slot, ticket)| Event::RestartDue(*slot, *ticket)));
            }
            if random.below(60) == 0 {
                possible = vec![Event::Stop(ExitReason::Normal)];
            }
            if random.below(6) == 0 {
                now = now + 2 * SECOND;
            }
            next = (!possible.is_empty()).then(|| random.one_of(&possible));
        }
    }
    println!("{events} events, {groups} new epochs, {failed} failed starts, {waited} waits");
    assert!(groups > 1_500 && failed > 500, "{groups} {failed}: the walks have lost their reach");
    assert!(waited > 300, "{waited}: restarts that wait are among them");
}
