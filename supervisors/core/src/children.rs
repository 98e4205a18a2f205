//! The children of a supervisor: places in start order, and the state of whoever has each place.
//! A forgotten child's place is given up for good, so that an old `Slot` finds nothing.
//! Costs O(1) per child touched, O(log n) by id; only `check` and walks over a group look at many.
//! Does not decide anything; see `supervision.rs`.

use crate::places::{Places, Slot};
use crate::readiness::{Readiness, holds_up};
use crate::stopping::Stop;
use crate::{ChildRules, Restart};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use minder_signals::{ExitReason, Moment};

/// How a child stands, for whoever inspects a supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChildState {
    /// It has been started and has not said yet that it is up.
    Starting,
    /// It is up.
    Running,
    /// It has ended by itself, and its turn to be judged has not come yet.
    Fallen,
    /// It is being stopped.
    Stopping,
    /// Its restart failed and is to be tried again, or waits for its time. OTP: `restarting`.
    Waiting,
    /// It has no process. OTP: `undefined`.
    Gone,
    /// It has no process, and is given none until it is enabled.
    Disabled,
}

/// How a child stands, with what that state alone needs to know.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Starting,
    Running {
        readiness: Readiness,
    },
    /// Ended by itself while its supervisor was busy. The ticket tells its notice from that of an earlier life.
    Fallen {
        ticket: u64,
        reason: ExitReason,
    },
    Stopping(Stop),
    /// Its restart failed for this reason.
    Waiting {
        reason: ExitReason,
    },
    /// Gone because it ended by itself, in a way after which its restart type leaves it down.
    Finished,
    /// Its restart waits for its time, or that of the sibling on whose account it was stopped, which comes between these.
    Delayed {
        ticket: u64,
        earliest: Moment,
        latest: Moment,
    },
    Gone,
    Disabled,
}

impl State {
    /// Whether there is no process, and none is waited for.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Finished | Self::Gone | Self::Disabled)
    }

    fn seen(&self) -> ChildState {
        match self {
            Self::Starting => ChildState::Starting,
            Self::Running { .. } => ChildState::Running,
            Self::Fallen { .. } => ChildState::Fallen,
            Self::Stopping(_) => ChildState::Stopping,
            Self::Waiting { .. } | Self::Delayed { .. } => ChildState::Waiting,
            Self::Finished | Self::Gone => ChildState::Gone,
            Self::Disabled => ChildState::Disabled,
        }
    }

    fn readiness(&self) -> Option<Readiness> {
        match self {
            &Self::Running { readiness } => Some(readiness),
            _ => None,
        }
    }
}

/// One child: its rules and how it stands.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) rules: ChildRules,
    state: State,
}

impl Child {
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn seen(&self) -> ChildState {
        self.state.seen()
    }

    /// How it stands to its first healthy report, if it is up.
    pub(crate) fn readiness(&self) -> Option<Readiness> {
        self.state.readiness()
    }

    /// Whether it keeps the supervisor from being ready. `due`: it is about to be started if it is gone.
    pub(crate) fn holds_up(&self, due: bool) -> bool {
        let state = match self.seen() {
            ChildState::Gone if due => ChildState::Starting,
            seen => seen,
        };
        holds_up(&self.rules, state, self.readiness())
    }

    pub(crate) fn is_temporary(&self) -> bool {
        self.rules.restart == Restart::Temporary
    }

    /// How a child by these rules stands at first.
    fn new(rules: ChildRules) -> Self {
        let state = if rules.is_disabled() { State::Disabled } else { State::Gone };
        Self { rules, state }
    }
}

/// All children, in start order.
#[derive(Clone, Debug)]
pub(crate) struct Children {
    places: Places<Child>,
    by_id: BTreeMap<Arc<str>, Slot>,
    /// How many significant children are not down, so that nobody has to count them.
    significant: usize,
    /// How many keep the supervisor from being ready.
    unready: usize,
}

impl Children {
    /// Children without a process, whose ids differ.
    pub(crate) fn new(rules: Vec<ChildRules>) -> Self {
        let mut places = Places::with_capacity(rules.len());
        // Collected, and not inserted one by one, which would leave every node of the map half empty.
        let by_id =
            rules.into_iter().map(|rules| (rules.id.clone(), places.add(Child::new(rules)))).collect();
        Self { places, by_id, significant: 0, unready: 0 }
    }

    /// Adds a child without a process, last in start order. Nobody else has its id.
    pub(crate) fn add(&mut self, rules: ChildRules) -> Slot {
        let id = rules.id.clone();
        let slot = self.places.add(Child::new(rules));
        self.by_id.insert(id, slot);
        slot
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// After every child.
    pub(crate) fn end(&self) -> Slot {
        self.places.end()
    }

    /// Significant children that have a process or wait for one.
    pub(crate) fn significant(&self) -> usize {
        self.significant
    }

    /// How many keep the supervisor from being ready.
    pub(crate) fn unready(&self) -> usize {
        self.unready
    }

    /// The child in this slot, unless it has been forgotten.
    pub(crate) fn get(&self, slot: Slot) -> Option<&Child> {
        self.places.get(slot)
    }

    /// The child in this slot, which the caller knows to be there.
    pub(crate) fn at(&self, slot: Slot) -> &Child {
        self.get(slot).expect("a child in hand has not been forgotten")
    }

    /// The child of this id.
    pub(crate) fn named(&self, id: &str) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    /// The first child from this place on.
    pub(crate) fn first_from(&self, slot: Slot) -> Option<Slot> {
        self.places.first_from(slot)
    }

    /// The first child after this place.
    pub(crate) fn first_after(&self, slot: Slot) -> Option<Slot> {
        self.places.first_after(slot)
    }

    /// The last child from `first` on that comes before `end`.
    pub(crate) fn last_between(&self, first: Slot, end: Slot) -> Option<Slot> {
        self.places.last_before(end).filter(|last| *last >= first)
    }

    /// How many places have been looked at.
    #[cfg(test)]
    pub(crate) fn looks(&self) -> u64 {
        self.places.looks()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (Slot, &Child)> {
        self.places.iter()
    }

    /// Puts the child in this slot into another state and gives back the one it was in.
    pub(crate) fn set(&mut self, slot: Slot, state: State) -> State {
        let child = self.places.get_mut(slot).expect("a child in hand has not been forgotten");
        if child.rules.significant {
            self.significant -= usize::from(!child.state.is_gone());
            self.significant += usize::from(!state.is_gone());
        }
        self.unready -= usize::from(child.holds_up(false));
        let before = core::mem::replace(&mut child.state, state);
        self.unready += usize::from(child.holds_up(false));
        before
    }

    /// Gives this slot up for good, and the id with it.
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.set(slot, State::Gone);
        if let Some(child) = self.places.remove(slot) {
            self.by_id.remove(&child.rules.id);
        }
    }

    /// Puts the children into the order of these rules, which hold for them from now on. `was`: where each stands now; it
    /// is a new child, without a process, if that is nowhere. Every other child is gone already, and forgotten. All get
    /// new slots, which are returned.
    pub(crate) fn rearrange(&mut self, rules: &[ChildRules], was: &[Option<Slot>]) -> Vec<Slot> {
        let slots = self.places.rearrange(was, |place, child| {
            let rules = rules[place].clone();
            match child {
                Some(mut child) => {
                    if let State::Running { readiness } = &mut child.state {
                        *readiness = readiness.under(&child.rules, &rules);
                    }
                    Child { rules, ..child }
                }
                None => Child::new(rules),
            }
        });
        self.by_id = rules.iter().zip(&slots).map(|(rules, slot)| (rules.id.clone(), *slot)).collect();
        let counts = |(_, child): &(Slot, &Child)| child.rules.significant && !child.state.is_gone();
        self.significant = self.iter().filter(counts).count();
        self.unready = self.iter().filter(|(_, child)| child.holds_up(false)).count();
        slots
    }

    /// What is true between any two events, whatever the supervisor is doing:
    ///
    /// 1. At most one child is starting or stopping: the one in `hand`, and if one is in hand it is that.
    /// 2. A temporary child never waits for another start.
    /// 3. A deadline is set only for a child that can be asked to stop within a time.
    /// 4. The number of significant children that are not gone is the one kept, and so is that of children that keep the
    ///    supervisor from being ready.
    /// 5. Every child, and nobody else, is found by its id.
    ///
    /// # Panics
    /// If one of these is broken. Breaking the first would let a group start before its last stop has ended.
    pub(crate) fn check(&self, hand: Option<Slot>) {
        let (mut significant, mut unready) = (0, 0);
        for (slot, child) in self.iter() {
            assert_eq!(self.named(&child.rules.id), Some(slot), "every child is found by its id: {child:?}");
            let moving = matches!(child.state, State::Starting | State::Stopping(_));
            assert_eq!(
                moving,
                hand == Some(slot),
                "exactly the child in hand is starting or stopping: {child:?}"
            );
            if matches!(child.state, State::Waiting { .. } | State::Delayed { .. }) {
                assert!(!child.is_temporary(), "a temporary child never waits for another start: {child:?}");
            }
            if matches!(child.state, State::Stopping(Stop { deadline: Some(_), .. })) {
                let limited = matches!(child.rules.shutdown, crate::Shutdown::Within(_));
                assert!(limited, "a deadline belongs to a shutdown within a time: {child:?}");
            }
            significant += usize::from(child.rules.significant && !child.state.is_gone());
            unready += usize::from(child.holds_up(false));
        }
        assert_eq!(unready, self.unready, "the number of children that are not ready is the one kept");
        assert_eq!(self.by_id.len(), self.len(), "no id outlives its child");
        assert_eq!(significant, self.significant, "the number of significant children is the one kept");
    }
}
