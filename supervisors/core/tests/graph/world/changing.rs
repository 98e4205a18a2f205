//! A change of the rules, the plain way: who is to leave and who is to come is asked of each child by itself, from both sets
//! of rules; then every command has to fit. It is told how recipes relate, as a supervisor is, and nothing of its plan.

use super::{Child, Process, Wait, World};
use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    Answer, Applied, Change, ChildRules, ChildState, Command, Decision, Event, Likeness, NeedsRules, Outline,
    Part, Refusal, Request, RequestId, Restart, Slot, Ticket,
};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// What a supervisor is to become: its rules, and how the recipe of each child relates to what stands.
#[derive(Clone)]
pub(crate) struct NewRules {
    pub(crate) rules: NeedsRules,
    pub(crate) likeness: Vec<Likeness>,
}

/// What the supervisor is told when it asks for a comparison.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Told {
    /// What came of it.
    AsItIs,
    /// That there is none.
    Nothing,
    /// How another supervisor is to be changed.
    OfAnother,
}

pub(super) struct Planned {
    new: NewRules,
    told: Told,
}

#[derive(Clone)]
pub(crate) struct Changing {
    planned: Rc<Planned>,
    /// Who is to hear of it.
    request: u64,
    in_parts: bool,
    part: Part,
    /// It waits to be asked for the part.
    waits: bool,
    /// The supervisor above is to hear that it does.
    is_owed: bool,
    /// Those that are changed inside, and those of them within whom the part in hand is not done, or goes on.
    inside: BTreeSet<Slot>,
    open: BTreeSet<Slot>,
    within: BTreeSet<Slot>,
    held: BTreeSet<Slot>,
    refused: bool,
    /// Who leaves; and of these and those inside who depended on each when it began.
    leaves: BTreeSet<Slot>,
    dependents: BTreeMap<Slot, BTreeSet<Slot>>,
    /// By their places: who is started, who begins a new epoch, and who is disabled.
    starts: BTreeSet<usize>,
    begins: BTreeSet<usize>,
    disables: BTreeSet<usize>,
    /// Waits that ended meanwhile.
    came: Vec<(Slot, Ticket)>,
    /// From here on the new rules hold. Who is still to come by it.
    pending: BTreeMap<Slot, Arc<str>>,
    /// Those of them who were stopped, started or forgotten by others meanwhile, and those who need one within whom somebody is missing.
    lost: BTreeSet<Arc<str>>,
    /// Those of them for whom it does not wait, since they wait in vain.
    excused: BTreeSet<Slot>,
    denied: BTreeSet<Slot>,
    epochs: BTreeSet<Slot>,
    /// What is to be asked for again.
    waits_again: BTreeMap<Slot, Wait>,
    late_again: BTreeMap<Slot, Moment>,
    failed: Vec<(Arc<str>, ExitReason)>,
    /// On whose account somebody may be held back.
    pub(super) trouble: BTreeSet<Arc<str>>,
}

impl Changing {
    /// Whether nobody comes up and no end is judged.
    pub(super) fn holds_up(&self) -> bool {
        self.waits || self.part != Part::Starts
    }

    /// The end of a wait is taken up later.
    pub(super) fn puts_off(&mut self, slot: Slot, ticket: Ticket) -> bool {
        let holds_up = self.holds_up();
        if holds_up {
            self.came.push((slot, ticket));
        }
        holds_up
    }

    /// Whether it is not over before this child has come, or cannot any more.
    fn awaits(&self, slot: Slot) -> bool {
        self.pending.contains_key(&slot) && !self.excused.contains(&slot)
    }

    /// Goes over to the next part if this one is done.
    fn go_on(&mut self) {
        if self.part == Part::Hold && !self.waits && !self.refused && self.open.is_empty() {
            (self.part, self.open) = (Part::Stops, self.inside.clone());
            (self.waits, self.is_owed) = (self.in_parts, self.in_parts);
        }
    }
}

impl World {
    /// Somebody asks for other rules.
    pub(crate) fn change(&mut self, new: NewRules, in_parts: bool, told: Told) {
        self.planned.insert(self.next_request, Rc::new(Planned { new, told }));
        self.ask(Request::Change { in_parts });
    }

    pub(super) fn compare(&mut self, id: u64) {
        assert!(self.changing.is_none(), "one change at a time: {}", self.story());
        for (slot, child) in &self.children {
            let moves = matches!(child.process, Process::Starting | Process::Stopping { .. })
                || child.in_group && child.process != Process::None;
            assert!(!moves, "{slot:?} is on the move: {}", self.story());
        }
        let planned = self.planned.remove(&id).expect("it was asked for");
        let Planned { new, told } = &*planned;
        let mut outline: Outline = self.supervision.outline();
        if *told == Told::OfAnother && outline.children.pop().is_none() {
            outline.own.limit += 1;
        }
        let change = Change::by_needs(&outline, new.rules.clone(), |_, place| new.likeness[place]);
        let change = if *told == Told::Nothing { Err(Refusal::Stale) } else { Ok(change) };
        let mut changing = self.what_it_takes(id, planned.clone());
        changing.go_on();
        self.changing = Some(changing);
        self.event(Event::Compared(Box::new(change)));
    }

    /// What is to be done about each child, one by one.
    fn what_it_takes(&self, request: u64, planned: Rc<Planned>) -> Changing {
        let (new, likeness) = (planned.new.rules.children(), &planned.new.likeness);
        let now: Vec<Option<Slot>> = new.iter().map(|rules| self.named(&rules.id)).collect();
        let (mut starts, mut disables, mut inside) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut replaced, mut fated) = (BTreeSet::new(), BTreeSet::new());
        for (place, rules) in new.iter().enumerate() {
            let Some(slot) = now[place] else {
                if !rules.is_disabled() {
                    starts.insert(place);
                }
                continue;
            };
            let child = &self.children[&slot];
            let up = matches!(child.process, Process::Up { .. });
            let waits = self.supervision.state(slot) == Some(ChildState::Waiting);
            match (child.rules.is_disabled(), rules.is_disabled()) {
                (true, false) if child.disabled => drop(starts.insert(place)),
                _ if child.disabled => {}
                (false, true) => drop(disables.insert(place)),
                _ if likeness[place] == Likeness::Other => {
                    starts.insert(place);
                    replaced.insert(place);
                    if up || waits {
                        fated.insert(place);
                    }
                }
                _ if up && likeness[place] == Likeness::Inside => drop(inside.insert(slot)),
                _ if up => {}
                _ if waits && rules.restart != Restart::Temporary => {}
                _ if child.ended && rules.restart == Restart::Transient => {}
                _ => drop(starts.insert(place)),
            }
        }
        // Whoever needs one of those by the new rules shares its fate, unless it is not there, or not to be.
        let group = |cause: usize| {
            let mut group = BTreeSet::from([cause]);
            while let Some(next) = (0..new.len()).find(|place| {
                let needs = |member: &usize| new[*place].needs().contains(&new[*member].id);
                !group.contains(place) && group.iter().any(needs)
            }) {
                group.insert(next);
            }
            group
        };
        // All of a group begin a new epoch that are there already, disabled ones among them; one alone does not.
        let groups: Vec<BTreeSet<usize>> = fated.into_iter().map(group).collect();
        let fated: BTreeSet<usize> = groups.iter().flatten().copied().collect();
        let standing = |group: &BTreeSet<usize>| -> BTreeSet<usize> {
            group.iter().copied().filter(|place| now[*place].is_some()).collect()
        };
        let begins = groups.iter().map(standing).filter(|group| group.len() > 1).flatten().collect();
        for place in fated.difference(&replaced).filter(|place| !disables.contains(place)) {
            if let Some(slot) = now[*place].filter(|slot| !self.children[slot].disabled) {
                starts.insert(*place);
                inside.remove(&slot);
            }
        }
        let stays = |slot: &Slot| {
            let place = now.iter().position(|was| *was == Some(*slot));
            place.is_some_and(|place| !starts.contains(&place) && !disables.contains(&place))
        };
        let leaves: BTreeSet<Slot> = self.children.keys().copied().filter(|slot| !stays(slot)).collect();
        let dependents = leaves.iter().chain(&inside).map(|slot| (*slot, self.group(*slot))).collect();
        let Some(Request::Change { in_parts }) = self.asked.get(&request) else {
            panic!("it was asked for: {}", self.story())
        };
        Changing {
            planned,
            request,
            in_parts: *in_parts,
            part: Part::Hold,
            waits: false,
            is_owed: false,
            open: inside.clone(),
            inside,
            within: BTreeSet::new(),
            held: BTreeSet::new(),
            refused: false,
            leaves,
            dependents,
            starts,
            begins,
            disables,
            came: Vec::new(),
            pending: BTreeMap::new(),
            lost: BTreeSet::new(),
            excused: BTreeSet::new(),
            denied: BTreeSet::new(),
            epochs: BTreeSet::new(),
            waits_again: BTreeMap::new(),
            late_again: BTreeMap::new(),
            failed: Vec::new(),
            trouble: BTreeSet::new(),
        }
    }

    // --- while it holds everything up ---------------------------------------------------------------------------

    pub(super) fn events_of_a_change(&self, events: &mut Vec<Event>) {
        let Some(changing) = &self.changing else { return };
        for &slot in &changing.within {
            events.push(Event::PartDone(slot, false));
            if matches!(self.children[&slot].process, Process::Up { .. }) {
                events.push(Event::PartDone(slot, true));
            }
        }
        if changing.waits {
            let next = Some(RequestId(self.next_request));
            events.extend([Event::NextPart(None), Event::NextPart(next)]);
        }
    }

    pub(super) fn assert_not_held_up(&self, command: &Command) {
        let Some(changing) = &self.changing else { return };
        if !changing.epochs.is_empty() {
            let goes_on = matches!(
                command,
                Command::NewEpoch(_)
                    | Command::TryAgain(_)
                    | Command::SetRestart { .. }
                    | Command::SetReadyDeadline(..)
            );
            assert!(goes_on, "{command:?} before the new epochs: {}", self.story());
        }
        if changing.holds_up() {
            let is_judged = match command {
                Command::Start(_) => true,
                Command::Report(report) => !matches!(
                    report.decision,
                    Decision::Remove
                        | Decision::StartAnew
                        | Decision::Disable
                        | Decision::StoppedOtherwise
                        | Decision::KillAfterDeadline
                        | Decision::NotReady
                ),
                Command::Answer(RequestId(id), _) => *id != changing.request,
                _ => false,
            };
            assert!(!is_judged, "{command:?} while all is held up: {}", self.story());
        }
    }

    /// Whether the child may be told to stop by a change; while one holds everything up nobody else may.
    pub(super) fn is_to_leave_by_change(&self, slot: Slot) -> bool {
        let Some(changing) = self.changing.as_ref().filter(|changing| changing.holds_up()) else {
            return false;
        };
        let leaves = changing.part == Part::Stops && !changing.waits && changing.leaves.contains(&slot);
        assert!(leaves, "{slot:?} is stopped while all is held up: {}", self.story());
        assert_eq!(self.is_depended_on(changing, slot), None, "{slot:?} goes first: {}", self.story());
        true
    }

    /// Somebody who depended on this child, and is to leave or to be changed inside and has not.
    fn is_depended_on(&self, changing: &Changing, slot: Slot) -> Option<Slot> {
        let lives =
            |other: &Slot| self.children.get(other).is_some_and(|child| child.process != Process::None);
        let is_left =
            |other: &Slot| changing.open.contains(other) || changing.leaves.contains(other) && lives(other);
        changing.dependents[&slot].iter().copied().find(|other| *other != slot && is_left(other))
    }

    pub(super) fn is_removed_by_change(&self, slot: Slot) -> bool {
        self.changing.as_ref().is_some_and(|changing| {
            let new = changing.planned.new.rules.children();
            let stays = new.iter().any(|rules| rules.id == self.children[&slot].rules.id);
            changing.part == Part::Stops && !changing.waits && !stays
        })
    }

    pub(super) fn part_begins(&mut self, slot: Slot, part: Part) {
        let Some(changing) = &self.changing else { panic!("there is no change: {}", self.story()) };
        assert!(changing.part == part && !changing.waits, "it is not time for {part:?}: {}", self.story());
        assert!(changing.open.contains(&slot), "{slot:?} is not concerned: {}", self.story());
        match part {
            Part::Hold => {}
            Part::Stops => assert_eq!(self.is_depended_on(changing, slot), None, "{}", self.story()),
            Part::Starts => {
                for need in self.children[&slot].rules.needs().iter().filter_map(|need| self.named(need)) {
                    let comes = changing.awaits(need) && !self.is_in_vain(changing, need);
                    assert!(
                        !comes && !changing.open.contains(&need),
                        "{need:?} comes first: {}",
                        self.story()
                    );
                }
            }
        }
        self.count("parts");
        let changing = self.changing.as_mut().expect("there is a change");
        assert!(changing.within.insert(slot), "each part is done once");
    }

    pub(super) fn part_is_done(&mut self, slot: Slot, done: bool) {
        let Some(changing) = &mut self.changing else { return };
        if !changing.within.remove(&slot) {
            return;
        }
        changing.open.remove(&slot);
        match changing.part {
            Part::Hold if done => drop(changing.held.insert(slot)),
            Part::Hold => changing.refused = true,
            Part::Starts if !done => {
                let id = &self.children[&slot].rules.id;
                changing.trouble.insert(id.clone());
                let needs = |slot: &Slot| {
                    let child: &Child = &self.children[slot];
                    child.process == Process::None && child.rules.needs().contains(id)
                };
                changing.denied.extend(changing.pending.keys().copied().filter(needs));
            }
            Part::Stops | Part::Starts => {}
        }
        changing.go_on();
        if changing.part == Part::Hold && changing.open.is_empty() {
            self.to_let_go = changing.held.clone();
        }
    }

    pub(super) fn next_part(&mut self, request: Option<RequestId>) {
        if let Some(RequestId(id)) = request {
            assert_eq!(id, self.next_request, "each has its own number");
            self.next_request += 1;
        }
        let Some(changing) = self.changing.as_mut().filter(|changing| changing.waits) else { return };
        if request.is_none() && changing.part == Part::Stops {
            self.to_let_go = changing.held.clone();
            self.change_is_off();
            self.count("let go");
            return;
        }
        changing.request = request.map_or(changing.request, |RequestId(id)| id);
        changing.waits = false;
        let came = if changing.holds_up() { Vec::new() } else { std::mem::take(&mut changing.came) };
        self.asked.insert(changing.request, Request::Change { in_parts: true });
        for (slot, ticket) in came {
            self.wait_is_over(slot, ticket);
        }
        self.excuse();
    }

    /// There is none any more, and no part of it matters.
    pub(super) fn change_is_off(&mut self) {
        let Some(changing) = self.changing.take() else { return };
        self.void.extend(changing.within.iter().map(|slot| Event::PartDone(*slot, false)));
        for (slot, ticket) in changing.came {
            self.wait_is_over(slot, ticket);
        }
    }

    // --- from when the new rules hold --------------------------------------------------------------------------

    pub(super) fn rearranged(&mut self, id: u64, seats: &[(Slot, Option<Slot>)]) {
        let mut changing = self.changing.take().expect("there is a change");
        let is_time = changing.request == id && changing.part == Part::Stops && !changing.waits;
        assert!(is_time && changing.open.is_empty(), "those inside are done: {}", self.story());
        let lives = |slot: &&Slot| self.children.get(slot).is_some_and(|it| it.process != Process::None);
        assert_eq!(changing.leaves.iter().find(lives), None, "whoever leaves has: {}", self.story());
        let planned = changing.planned.clone();
        let new = planned.new.rules.children();
        assert_eq!(seats.len(), new.len(), "{}", self.story());
        let before = std::mem::take(&mut self.children);
        let mut inside = BTreeSet::new();
        for (place, (rules, &(slot, was))) in new.iter().zip(seats).enumerate() {
            let stood = before.iter().find(|(_, child)| child.rules.id == rules.id).map(|(slot, _)| *slot);
            assert_eq!(was, stood, "{}: {}", rules.id, self.story());
            assert!(
                before.keys().chain(self.children.keys()).all(|old| *old < slot),
                "a slot is new: {}",
                self.story()
            );
            let mut child = match was.and_then(|was| before.get(&was).cloned()) {
                Some(child) => child.under(rules.clone()),
                None => Child::new(rules.clone()),
            };
            if let Some(was) = was {
                self.void.extend((0..child.retries).map(|_| Event::TryAgain(was)));
                (child.retries, child.is_asked_for) = (0, false);
                child.tries &= !changing.disables.contains(&place) && !changing.starts.contains(&place);
                if let Some(reason) = child.fell.clone() {
                    child.stays_down(true, &reason);
                }
                if changing.inside.contains(&was) {
                    inside.insert(slot);
                }
            }
            if changing.disables.contains(&place) {
                (child.disabled, child.due, child.wait, child.delay) = (true, false, None, None);
            }
            if changing.begins.contains(&place) {
                changing.epochs.insert(slot);
            }
            if changing.starts.contains(&place) {
                (child.done, child.ended, child.disabled, child.due) = (false, false, false, true);
                (child.down, child.wait, child.delay) = (false, None, None);
                changing.pending.insert(slot, rules.id.clone());
            }
            changing.waits_again.extend(child.wait.map(|wait| (slot, wait)));
            let late = child.late.take().filter(|_| child.process == Process::Up { ready: false });
            changing.late_again.extend(late.map(|late| (slot, late)));
            self.children.insert(slot, child);
        }
        let count = |was: &Slot| !seats.iter().any(|(_, seat)| seat.as_ref() == Some(was));
        assert!(!before.keys().any(count), "whoever is no more has been forgotten: {}", self.story());
        self.void.extend(self.waits.drain(..).map(|(slot, ticket, _)| Event::RestartDue(slot, ticket)));
        (changing.part, changing.inside, changing.open) = (Part::Starts, inside.clone(), inside);
        (changing.waits, changing.is_owed) = (changing.in_parts, changing.in_parts);
        changing.came.clear();
        let (rules, level) = (&planned.new.rules, self.supervision.level());
        let goes_by = (level.limit, level.period, self.supervision.auto_shutdown());
        assert_eq!(goes_by, (rules.limit(), rules.period(), rules.auto_shutdown()), "{}", self.story());
        self.changing = Some(changing);
        self.excuse();
    }

    pub(super) fn is_new_epoch_of_change(&mut self, slot: Slot) -> bool {
        self.changing.as_mut().is_some_and(|changing| changing.epochs.remove(&slot))
    }

    pub(super) fn is_asked_for_again(&mut self, slot: Slot, wait: Wait) -> bool {
        let again = self.changing.as_mut().and_then(|changing| changing.waits_again.remove(&slot));
        assert!(again.is_none_or(|again| again == wait), "it waits as it did: {}", self.story());
        again.is_some()
    }

    pub(super) fn has_to_be_ready(&mut self, slot: Slot, due: Moment) {
        let again = self.changing.as_mut().and_then(|changing| changing.late_again.remove(&slot));
        assert!(again.is_none_or(|again| again == due), "it has the time that it had: {}", self.story());
        self.child(slot).late = Some(due);
    }

    /// Whether the child has no process, and is to have none before somebody else does something about it, or about one
    /// that it needs.
    fn is_in_vain(&self, changing: &Changing, slot: Slot) -> bool {
        let child = &self.children[&slot];
        let is_off = (child.disabled || child.down) && !child.is_asked_for;
        let is_done = child.done && !child.due && !child.disabled;
        let waits = child.wait.is_some() || child.delay.is_some() || child.tries;
        let is_judged = child.fell.is_none();
        if child.process != Process::None || is_done || !is_judged || waits && !is_off {
            return false;
        }
        let mut needs = child.rules.needs().iter().filter_map(|need| self.named(need));
        is_off || changing.denied.contains(&slot) || needs.any(|need| self.is_in_vain(changing, need))
    }

    /// The change does not wait for those who wait in vain, as long as they do.
    pub(super) fn excuse(&mut self) {
        let Some(changing) = self.changing.as_ref().filter(|changing| !changing.holds_up()) else { return };
        let in_vain = |slot: &Slot| self.is_in_vain(changing, *slot);
        let excused: BTreeSet<Slot> = changing.pending.keys().copied().filter(in_vain).collect();
        self.changing.as_mut().expect("there is a change").excused = excused;
    }

    /// One for whom it does not wait any more is started by somebody else.
    pub(super) fn comes_without_change(&mut self, slot: Slot) {
        if let Some(changing) = &mut self.changing
            && changing.excused.contains(&slot)
        {
            changing.lost.extend(changing.pending.remove(&slot));
        }
    }

    pub(super) fn starts_beside_change(&mut self, slot: Slot) {
        let child = &self.children[&slot];
        if child.disabled || child.down {
            self.excuse();
        }
        self.comes_without_change(slot);
        let Some(changing) = &self.changing else { return };
        let is_open = |need: &Arc<str>| self.named(need).is_some_and(|need| changing.open.contains(&need));
        let open = self.children[&slot].rules.needs().iter().find(|need| is_open(need));
        assert_eq!(open, None, "{slot:?} comes before that is done: {}", self.story());
    }

    pub(super) fn start_failed_by_change(&mut self, slot: Slot, reason: &ExitReason) {
        let child = &self.children[&slot];
        if let Some(changing) = &mut self.changing
            && !child.in_group
            && child.process == Process::Starting
            && !changing.excused.contains(&slot)
            && let Some(id) = changing.pending.remove(&slot)
        {
            changing.trouble.insert(id.clone());
            changing.failed.push((id, reason.clone()));
            self.child(slot).down = true;
            self.count("failed");
        }
    }

    /// It does not have to come any more.
    pub(super) fn is_settled_by_change(&mut self, slot: Slot) {
        if let Some(changing) = &mut self.changing {
            changing.pending.remove(&slot);
        }
    }

    pub(super) fn is_stopped_beside_change(&mut self, slot: Slot) {
        let id = self.children[&slot].rules.id.clone();
        if let Some(changing) = &mut self.changing {
            changing.trouble.insert(id);
            changing.lost.extend(changing.pending.remove(&slot));
        }
    }

    pub(super) fn is_forgotten_by_change(&mut self, slot: Slot) {
        let Some(changing) = &mut self.changing else { return };
        changing.open.remove(&slot);
        if changing.within.remove(&slot) {
            self.void.push(Event::PartDone(slot, false));
        }
        changing.lost.extend(changing.pending.remove(&slot));
    }

    pub(super) fn change_is_answered(&mut self, id: u64, answer: &Answer) {
        let Some(changing) = &self.changing else { panic!("there is no change: {}", self.story()) };
        let unfit = changing.planned.told != Told::AsItIs;
        let fits = match answer {
            Answer::Held => changing.is_owed && !unfit,
            Answer::Applied(_) => !unfit,
            Answer::Refused(Refusal::Stale) => unfit || changing.refused && changing.open.is_empty(),
            _ => false,
        };
        assert!(fits && changing.request == id, "{answer:?}: {}", self.story());
        match answer {
            Answer::Applied(applied) => self.is_applied(applied),
            Answer::Held => {
                self.changing.as_mut().expect("there is a change").is_owed = false;
                self.count("held");
            }
            _ => {
                assert!(self.to_let_go.is_empty(), "whoever was held is let go: {}", self.story());
                self.change_is_off();
                self.count("refused");
            }
        }
    }

    fn is_applied(&mut self, applied: &Applied) {
        let changing = self.changing.take().expect("there is a change");
        assert!(!changing.holds_up() && changing.open.is_empty(), "it is not over: {}", self.story());
        assert_eq!(applied.failed, changing.failed, "{}", self.story());
        let new = changing.planned.new.rules.children();
        for (&slot, id) in &changing.pending {
            if applied.held_back.contains(id) {
                let child = self.child(slot);
                (child.due, child.down) = (false, true);
                continue;
            }
            if changing.excused.contains(&slot) {
                continue;
            }
            assert!(self.is_in_vain(&changing, slot), "{id} is still to come: {}", self.story());
            let behind = needed(new, id);
            let behind = behind.iter().filter_map(|id| self.named(id));
            let disabled = behind.into_iter().any(|slot| self.children[&slot].disabled);
            assert!(disabled, "{id} is neither held back nor behind one that is disabled: {}", self.story());
        }
        for id in &applied.held_back {
            let known = changing.lost.contains(id) || changing.pending.values().any(|other| other == id);
            assert!(known, "{id} was not to come: {}", self.story());
            let in_trouble = needed(new, id).iter().any(|need| changing.trouble.contains(need));
            assert!(in_trouble, "{id} is held back for nothing: {}", self.story());
            // Also if somebody else would have started it: the change has it until then.
            if let Some(slot) = self.named(id)
                && self.supervision.state(slot) == Some(ChildState::Gone)
            {
                let child = self.child(slot);
                (child.due, child.down) = (false, true);
            }
            self.count("held back");
        }
        for (slot, child) in &self.children {
            let is_out = child.process == Process::None && child.down && !child.disabled;
            let is_temporary = child.rules.restart == Restart::Temporary;
            assert!(
                !is_out || child.is_asked_for || !is_temporary,
                "{slot:?} is forgotten: {}",
                self.story()
            );
        }
        self.count("applied");
    }

    // --- between two events --------------------------------------------------------------------------------------

    /// Whatever follows from an event has followed.
    pub(super) fn assert_in_between(&mut self) {
        if self.over {
            return;
        }
        let held_up = self.changing.as_ref().is_some_and(Changing::holds_up);
        for (slot, child) in &mut self.children {
            child.fell.take_if(|_| !held_up);
            child.is_asked_for = self.supervision.state(*slot) == Some(ChildState::Waiting);
        }
        self.excuse();
        assert!(self.to_let_go.is_empty(), "whoever was held is let go: {}", self.story());
        for (slot, child) in &self.children {
            let seen = self.supervision.state(*slot);
            let expected = match child.process {
                Process::None if seen == Some(ChildState::Fallen) => held_up,
                Process::None => {
                    matches!(seen, Some(ChildState::Gone | ChildState::Waiting | ChildState::Disabled))
                }
                Process::Starting => seen == Some(ChildState::Starting),
                Process::Up { .. } => seen == Some(ChildState::Running),
                Process::Stopping { .. } => seen == Some(ChildState::Stopping),
            };
            assert!(expected, "{slot:?} is seen as {seen:?}: {}", self.story());
        }
        let Some(changing) = &self.changing else { return };
        assert!(!changing.is_owed && changing.epochs.is_empty(), "it goes on: {}", self.story());
        assert!(changing.waits_again.is_empty(), "waits are asked for again: {}", self.story());
        assert!(changing.late_again.is_empty(), "deadlines are asked for again: {}", self.story());
        match changing.part {
            _ if changing.waits => {}
            Part::Hold => {
                assert!(!changing.open.is_empty(), "all are held: {}", self.story());
                assert_eq!(changing.open, changing.within, "whoever is to be held is: {}", self.story());
            }
            Part::Stops => {
                let stopping = |slot: &Slot| {
                    self.children
                        .get(slot)
                        .is_some_and(|child| matches!(child.process, Process::Stopping { .. }))
                };
                assert!(
                    !changing.within.is_empty() || changing.leaves.iter().any(stopping),
                    "whoever may leave does: {}",
                    self.story()
                );
            }
            Part::Starts => {
                let comes = changing.pending.keys().any(|slot| changing.awaits(*slot));
                assert!(comes || !changing.open.is_empty(), "it is over: {}", self.story());
            }
        }
    }
}

/// Whom this child needs, directly or through others.
fn needed(all: &[ChildRules], id: &Arc<str>) -> BTreeSet<Arc<str>> {
    let (mut needed, mut left) = (BTreeSet::new(), vec![id.clone()]);
    while let Some(id) = left.pop() {
        let rules = all.iter().find(|rules| rules.id == id);
        for need in rules.into_iter().flat_map(ChildRules::needs) {
            if needed.insert(need.clone()) {
                left.push(need.clone());
            }
        }
    }
    needed
}
