//! The children of a supervisor: places in start order, and the state of whoever has each place.
//! A forgotten child leaves its place empty and raises its generation, so that an old `Slot` finds nothing.
//! Costs O(1) per child touched; only `check` and walks over a group look at many.
//! Does not decide anything; see `supervision.rs`.

use crate::{ChildRules, Restart};
use alloc::vec::Vec;
use core::fmt;
use minder_signals::{ExitReason, Moment};

/// A child's place: its index in start order, and a generation that a reused place raises.
///
/// Stays the same over restarts of the child. Once the child is forgotten its slot finds nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    index: u32,
    generation: u32,
}

impl Slot {
    /// The index in start order, counted from 0.
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// How many children had this place before.
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.index, self.generation)
    }
}

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
    /// Its restart failed and is to be tried again. OTP: `restarting`.
    Waiting,
    /// It has no process. OTP: `undefined`.
    Gone,
}

/// How a child stands, with what that state alone needs to know.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Starting,
    Running,
    /// Ended by itself while its supervisor was busy. The ticket tells its notice from that of an earlier life.
    Fallen {
        ticket: u64,
        reason: ExitReason,
    },
    /// `deadline`: when to kill it, if ever. `up`: it was running when it was asked; otherwise its start was
    /// abandoned. `killed`: it was asked and then killed, so that its reason says nothing.
    Stopping {
        deadline: Option<Moment>,
        up: bool,
        killed: bool,
    },
    /// Its restart failed for this reason.
    Waiting {
        reason: ExitReason,
    },
    Gone,
}

impl State {
    fn seen(&self) -> ChildState {
        match self {
            Self::Starting => ChildState::Starting,
            Self::Running => ChildState::Running,
            Self::Fallen { .. } => ChildState::Fallen,
            Self::Stopping { .. } => ChildState::Stopping,
            Self::Waiting { .. } => ChildState::Waiting,
            Self::Gone => ChildState::Gone,
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

    pub(crate) fn is_temporary(&self) -> bool {
        self.rules.restart == Restart::Temporary
    }
}

#[derive(Clone, Debug)]
struct Place {
    generation: u32,
    child: Option<Child>,
}

/// All places, in start order.
#[derive(Clone, Debug)]
pub(crate) struct Children {
    places: Vec<Place>,
    /// How many significant children are not gone, so that nobody has to count them.
    significant: usize,
}

impl Children {
    pub(crate) fn new(rules: Vec<ChildRules>) -> Self {
        let place = |rules| Place { generation: 0, child: Some(Child { rules, state: State::Gone }) };
        Self { places: rules.into_iter().map(place).collect(), significant: 0 }
    }

    /// How many places there are, empty ones included.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Significant children that have a process or wait for one.
    pub(crate) fn significant(&self) -> usize {
        self.significant
    }

    /// The index of this slot, if its child is still known.
    pub(crate) fn find(&self, slot: Slot) -> Option<usize> {
        let place = self.places.get(slot.index())?;
        (place.generation == slot.generation && place.child.is_some()).then_some(slot.index())
    }

    /// The child at this place, unless it has been forgotten.
    pub(crate) fn get(&self, index: usize) -> Option<&Child> {
        self.places.get(index)?.child.as_ref()
    }

    /// The child at this place, which the caller knows to be there.
    pub(crate) fn at(&self, index: usize) -> &Child {
        self.get(index).expect("a child in hand has not been forgotten")
    }

    /// The slot of the place at `index`.
    pub(crate) fn slot(&self, index: usize) -> Slot {
        let number = u32::try_from(index).expect("rules hold no more children than a slot can number");
        Slot { index: number, generation: self.places[index].generation }
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> {
        (0..self.places.len())
            .filter(|&index| self.places[index].child.is_some())
            .map(|index| self.slot(index))
    }

    /// Puts the child at this place into another state and gives back the one it was in.
    pub(crate) fn set(&mut self, index: usize, state: State) -> State {
        let child = self.places[index].child.as_mut().expect("a child in hand has not been forgotten");
        if child.rules.significant {
            self.significant -= usize::from(!matches!(child.state, State::Gone));
            self.significant += usize::from(!matches!(state, State::Gone));
        }
        core::mem::replace(&mut child.state, state)
    }

    /// Empties this place for good.
    pub(crate) fn forget(&mut self, index: usize) {
        self.set(index, State::Gone);
        let place = &mut self.places[index];
        place.child = None;
        place.generation = place.generation.wrapping_add(1);
    }

    /// What is true between any two events, whatever the supervisor is doing:
    ///
    /// 1. At most one child is starting or stopping: the one in `hand`, and if one is in hand it is that.
    /// 2. A temporary child never waits for another start.
    /// 3. A deadline is set only for a child that can be asked to stop within a time.
    /// 4. The number of significant children that are not gone is the one kept.
    ///
    /// # Panics
    /// If one of these is broken. Breaking the first would let a group start before its last stop has ended.
    pub(crate) fn check(&self, hand: Option<usize>) {
        let mut significant = 0;
        for (index, place) in self.places.iter().enumerate() {
            let Some(child) = &place.child else { continue };
            let moving = matches!(child.state, State::Starting | State::Stopping { .. });
            assert_eq!(
                moving,
                hand == Some(index),
                "exactly the child in hand is starting or stopping: {child:?}"
            );
            if matches!(child.state, State::Waiting { .. }) {
                assert!(!child.is_temporary(), "a temporary child never waits for another start: {child:?}");
            }
            if matches!(child.state, State::Stopping { deadline: Some(_), .. }) {
                let limited = matches!(child.rules.shutdown, crate::Shutdown::Within(_));
                assert!(limited, "a deadline belongs to a shutdown within a time: {child:?}");
            }
            significant += usize::from(child.rules.significant && !matches!(child.state, State::Gone));
        }
        assert_eq!(significant, self.significant, "the number of significant children is the one kept");
    }
}
