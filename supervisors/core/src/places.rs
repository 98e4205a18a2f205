//! Places in start order, each with a name that stays the same for as long as it is taken and is never used again.
//! A vector sorted by name, with holes that are closed when they are more than what is left: finding costs O(1) while
//! nothing has been given up, and O(log n) after that; adding and giving up are O(1) amortised.
//! Does not know what stands in a place; the core keeps its children here, and so may a host.

use alloc::vec::Vec;
use core::fmt;

/// A child's place in start order. Later children have greater slots.
///
/// Stays the same over restarts of the child. Once the child is forgotten its slot finds nothing, for good.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u64);

impl Slot {
    /// Before every child.
    pub(crate) const FIRST: Self = Self(0);

    /// How many children had been given a slot before.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Fewer holes than this are left alone.
const FEW: usize = 32;

/// Something for each of a supervisor's children, in start order.
#[derive(Clone, Debug)]
pub struct Places<T> {
    /// Sorted by slot.
    places: Vec<(Slot, Option<T>)>,
    holes: usize,
    next: u64,
    #[cfg(test)]
    looks: core::cell::Cell<u64>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            holes: 0,
            next: 0,
            #[cfg(test)]
            looks: Default::default(),
        }
    }
}

impl<T> Places<T> {
    /// No place is taken, and there is room for so many: exactly, where growing would leave up to half of it unused.
    pub fn with_capacity(places: usize) -> Self {
        Self { places: Vec::with_capacity(places), ..Self::default() }
    }

    /// How many places are taken.
    pub fn len(&self) -> usize {
        self.places.len() - self.holes
    }

    /// Whether no place is taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slot that the next addition will have.
    pub fn end(&self) -> Slot {
        Slot(self.next)
    }

    /// Takes the next place.
    pub fn add(&mut self, value: T) -> Slot {
        let slot = self.end();
        self.next += 1;
        self.places.push((slot, Some(value)));
        slot
    }

    /// Takes a place that another `Places` has named; nothing happens unless it comes after all that were named here.
    pub fn put(&mut self, slot: Slot, value: T) {
        if slot >= self.end() {
            self.next = slot.0 + 1;
            self.places.push((slot, Some(value)));
        }
    }

    /// So many places are looked at: only tests count them, of what things cost.
    fn look_at(&self, places: usize) {
        #[cfg(test)]
        self.looks.set(self.looks.get() + places as u64);
        #[cfg(not(test))]
        let _ = places;
    }

    /// Where this slot's place is, or would be.
    fn search(&self, slot: Slot) -> Result<usize, usize> {
        let first = self.places.first().map_or(slot.0, |(first, _)| first.0);
        // Without holes closed in between this is the very place.
        let guess = usize::try_from(slot.0.wrapping_sub(first)).unwrap_or(usize::MAX);
        self.look_at(1);
        match self.places.get(guess) {
            Some((there, _)) if *there == slot => Ok(guess),
            _ => self.places.binary_search_by_key(&slot, |(there, _)| {
                self.look_at(1);
                *there
            }),
        }
    }

    fn find(&self, slot: Slot) -> Option<usize> {
        self.search(slot).ok()
    }

    /// What stands in this place, if it is still taken.
    pub fn get(&self, slot: Slot) -> Option<&T> {
        self.places[self.find(slot)?].1.as_ref()
    }

    /// What stands in this place, if it is still taken.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let at = self.find(slot)?;
        self.places[at].1.as_mut()
    }

    /// Gives this place up.
    pub fn remove(&mut self, slot: Slot) -> Option<T> {
        let at = self.find(slot)?;
        let removed = self.places[at].1.take()?;
        self.holes += 1;
        if self.holes > FEW && self.holes > self.places.len() / 2 {
            self.look_at(self.places.len());
            self.places.retain(|(_, value)| value.is_some());
            self.holes = 0;
        }
        Some(removed)
    }

    /// Puts everything into another order, each under a new name: `was` says where it stands now, which is nowhere for what is
    /// new, and `becomes` what stands in each place then. What no place is made of is given up.
    pub(crate) fn rearrange(
        &mut self,
        was: &[Option<Slot>],
        mut becomes: impl FnMut(usize, Option<T>) -> T,
    ) -> Vec<Slot> {
        let mut before = core::mem::replace(self, Self { next: self.next, ..Self::with_capacity(was.len()) });
        let seat = |(place, was): (usize, &Option<Slot>)| {
            self.add(becomes(place, was.and_then(|was| before.remove(was))))
        };
        was.iter().enumerate().map(seat).collect()
    }

    /// Everything in start order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Slot, &T)> {
        self.places.iter().filter_map(|(slot, value)| {
            self.look_at(1);
            Some((*slot, value.as_ref()?))
        })
    }

    /// The first taken place from this one on.
    pub(crate) fn first_from(&self, slot: Slot) -> Option<Slot> {
        let from = self.search(slot).unwrap_or_else(|at| at);
        self.places[from..].iter().find(|place| self.is_taken(place)).map(|(slot, _)| *slot)
    }

    /// The first taken place after this one.
    pub(crate) fn first_after(&self, slot: Slot) -> Option<Slot> {
        self.first_from(Slot(slot.0 + 1))
    }

    /// The last taken place before this one.
    pub(crate) fn last_before(&self, slot: Slot) -> Option<Slot> {
        let until = self.search(slot).unwrap_or_else(|at| at);
        self.places[..until].iter().rev().find(|place| self.is_taken(place)).map(|(slot, _)| *slot)
    }

    fn is_taken(&self, (_, value): &(Slot, Option<T>)) -> bool {
        self.look_at(1);
        value.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use core::ops::Bound;

    impl<T> Places<T> {
        /// How many places have been looked at.
        pub(crate) fn looks(&self) -> u64 {
            self.looks.get()
        }
    }

    /// Additions and removals in a fixed disorder, against a map.
    #[test]
    fn agrees_with_a_map_whatever_is_given_up() {
        let (mut places, mut map) = (Places::default(), BTreeMap::new());
        let mut random = 7_u64;
        for step in 0..20_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let slot = Slot((random >> 33) % (places.end().0 + 2));
            // Grows for a while, then shrinks, and grows again.
            if (random >> 20) % 100 < if step / 4_000 % 2 == 0 { 70 } else { 30 } {
                let end = places.end();
                assert_eq!(places.add(step), end);
                map.insert(end, step);
            } else {
                assert_eq!(places.remove(slot), map.remove(&slot));
            }
            assert_eq!(places.get(slot), map.get(&slot));
            assert_eq!(places.len(), map.len());
            assert_eq!(places.first_from(slot), map.range(slot..).next().map(|(slot, _)| *slot));
            assert_eq!(
                places.first_after(slot),
                map.range((Bound::Excluded(slot), Bound::Unbounded)).next().map(|(slot, _)| *slot)
            );
            assert_eq!(places.last_before(slot), map.range(..slot).next_back().map(|(slot, _)| *slot));
            assert!(places.places.len() <= 2 * places.len() + FEW + 1, "holes do not pile up");
        }
        assert!(places.iter().eq(map.iter().map(|(slot, value)| (*slot, value))));
    }

    #[test]
    fn a_place_named_elsewhere_is_taken_once_and_in_order() {
        let (mut elsewhere, mut places) = (Places::default(), Places::with_capacity(3));
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|value| elsewhere.add(value));
        places.put(b, "b");
        places.put(d, "d");
        assert_eq!((places.get(b), places.get(d), places.len()), (Some(&"b"), Some(&"d"), 2));
        for (slot, late) in [(a, "before all"), (b, "taken"), (c, "between"), (d, "taken")] {
            places.put(slot, late);
            assert_eq!(places.len(), 2, "{late}");
        }
        assert_eq!(places.add("e").number(), 4, "the next name is after all that were named");
        assert!(places.iter().map(|(slot, _)| slot.number()).eq([1, 3, 4]));
    }

    #[test]
    fn no_more_room_is_taken_than_was_asked_for() {
        let mut places = Places::with_capacity(1_000);
        for number in 0..1_000 {
            places.add(number);
        }
        assert_eq!(places.places.capacity(), 1_000);
    }

    #[test]
    fn holes_are_closed_when_there_are_many_and_more_than_what_is_left() {
        // places; holes that stay; one more closes them
        for (taken, left_alone) in [(40, FEW), (100, 50)] {
            let mut places = Places::default();
            let slots: Vec<Slot> = (0..taken).map(|number| places.add(number)).collect();
            for slot in &slots[..left_alone] {
                places.remove(*slot);
            }
            assert_eq!(places.places.len(), taken, "{left_alone} holes of {taken} are left alone");
            places.remove(slots[left_alone]);
            assert_eq!(places.places.len(), taken - left_alone - 1, "one more closes them");
            assert_eq!(places.get(slots[taken - 1]), Some(&(taken - 1)));
        }
    }
}
