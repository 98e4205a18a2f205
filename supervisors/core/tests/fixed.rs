//! Supervisors with a fixed set of children under `harness.rs`: what may be asked of them, and how they begin.
//! Decides on no sequence; see `enumeration.rs`, `walks.rs`.

use crate::harness::{HELD, LIMIT, Subject, World, slots};
use crate::reference::{self, Ask};
use crate::words::{History, Outcome};
use minder_signals::Moment;
use minder_supervisors_core::{
    Answer, Change, ChildRules, ChildState, Command, Event, Outline, Refusal, Request, Restart, Rules,
    Shutdown, Slot, Standing, Supervision, Which,
};

impl Subject for Supervision {
    type Rules = Rules;
    type Ask = Ask;

    fn handle(&mut self, event: Event, now: Moment, commands: &mut Vec<Command>) {
        self.handle(event, now, commands);
    }

    fn state(&self, slot: Slot) -> Option<ChildState> {
        self.state(slot)
    }

    fn request(ask: Ask, _: &[Slot]) -> Request {
        match ask {
            Ask::Start(rules) => Request::StartChild(rules),
            Ask::Terminate(id) => Request::TerminateChild(Which::Id(id.into())),
            Ask::Restart(id) => Request::RestartChild(id.into()),
            Ask::Delete(id) => Request::DeleteChild(id.into()),
            Ask::Disable(id) => Request::DisableChild(id.into()),
            Ask::Enable(id) => Request::EnableChild(id.into()),
            Ask::Which => Request::WhichChildren,
            Ask::Count => Request::CountChildren,
            Ask::Outline => Request::Outline,
            Ask::Change(new) => Request::Change { in_parts: new.in_parts },
        }
    }

    fn compared(&self, ask: &Ask) -> Event {
        let Ask::Change(new) = ask else { panic!("only a change is compared: {ask:?}") };
        let change = Change::new(&self.outline(), new.rules.clone(), |_, place| new.likeness[place]);
        Event::Compared(Box::new(Ok(change)))
    }

    fn in_words(answer: &Answer) -> String {
        match answer {
            Answer::Started(slot) => format!("started {slot:?}"),
            Answer::Ignored => "ignored".to_owned(),
            Answer::Done => "done".to_owned(),
            Answer::Children(children) => {
                let lines: Vec<_> =
                    children.iter().map(|child| format!("{}:{:?}", child.id, child.state)).collect();
                lines.join(" ")
            }
            Answer::Counts(counts) => {
                assert_eq!((counts.specs, counts.supervisors), (counts.workers, 0));
                format!("{} of {}", counts.active, counts.specs)
            }
            Answer::Outline(Outline { own, children }) => {
                let line = |child: &Standing| format!(" {}:{:?}", child.rules.id, child.stands);
                format!("{own:?}{}", children.iter().map(line).collect::<String>())
            }
            Answer::Held => HELD.to_owned(),
            Answer::Applied(applied) => {
                let failed = applied.failed.iter().map(|(id, reason)| format!(" {id} {reason}"));
                let held_back = applied.held_back.iter().map(|id| format!(" not {id}"));
                format!("applied{}", failed.chain(held_back).collect::<String>())
            }
            Answer::Refused(refusal) => match refusal {
                Refusal::Stale => "stale".to_owned(),
                Refusal::AlreadyStarted(slot) => format!("already started {slot:?}"),
                Refusal::AlreadyPresent => "already present".to_owned(),
                Refusal::Running => "running".to_owned(),
                Refusal::Restarting => "restarting".to_owned(),
                Refusal::NotFound => "not found".to_owned(),
                Refusal::Disabled => "disabled".to_owned(),
                Refusal::NotDisabled => "not disabled".to_owned(),
                Refusal::StartFailed(reason) => format!("failed {reason}"),
                other => panic!("nobody asked for that: {other:?}"),
            },
            other => panic!("nobody asked for that: {other:?}"),
        }
    }

    fn replay(rules: &Rules, history: &History<Ask>) -> Outcome {
        reference::replay(rules, history)
    }
}

/// Every request, about a child that is there at first, one that may have been added, and one that never is.
fn asks(_: usize) -> Vec<Ask> {
    let added =
        |id: &str, restart, shutdown| Ask::Start(ChildRules { restart, shutdown, ..ChildRules::worker(id) });
    let of = |id: &str| [Ask::Terminate(id.into()), Ask::Restart(id.into()), Ask::Delete(id.into())];
    let starts = [
        added("0", Restart::Permanent, Shutdown::Infinity),
        added("1", Restart::Temporary, Shutdown::BrutalKill),
        added("new", Restart::Transient, Shutdown::Within(LIMIT)),
    ];
    let others = [Ask::Which, Ask::Count];
    starts.into_iter().chain(of("0")).chain(of("1")).chain(of("new")).chain(others).collect()
}

pub(crate) fn beginning(rules: &Rules) -> (Vec<Slot>, Supervision, World<Ask>) {
    (slots(600), Supervision::new(rules.clone()), World::new(rules.children().len(), asks))
}
