//! Who waits for whom, and whether anyone waits in a cycle: at once, and without a lock over more than one actor.
//!
//! An actor whose handler suspends on asks (or on room for a message) notes them in its own life, and then walks from
//! there: if nobody whom it waits for will ever go on, and its own wait is on a cycle, it is the one to be told. A handler
//! that waits for several at once goes on with the first answer, so it is stuck only if all of them are: no answer that may
//! still come is ever called a deadlock. A minder that has begun something with several children is stuck if one of them
//! is: it handles nothing until there is news of each.
//!
//! Nobody crosses anything out. A wait is over when its slot is settled, which whoever answers does before the asker
//! runs again: the walk looks at the slots themselves. So "answer, then ask back" is no cycle, in either order: before
//! the answer the back-asker does not wait, after it the asker does not.
//!
//! Not known here, and never reported: waits of others than actors, for locks, channels or blocking closures, and for a
//! reply of which it is not known who holds it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use minder_signals::ActorId;

use crate::cycle::Cycle;
use crate::life::{AnyCell, CellCore, Life};

/// Something that a handler waits for until another actor brings it.
pub(crate) trait Awaited: Send + Sync {
    /// Whose turn it is.
    fn awaits(&self) -> Awaits;
    /// It will never come: whoever waits is told why.
    fn fail(&self, cycle: &Cycle);
}

/// Whose turn it is.
pub(crate) enum Awaits {
    /// Nobody waits any more.
    Over,
    /// Whoever waits can go on, or it is not known who holds what it waits for.
    Free,
    /// This actor's.
    On(Arc<dyn AnyCell>),
}

/// What an actor waits for, as a part of its life.
#[derive(Default)]
pub(crate) struct Waits {
    /// Counts the changes, so that whoever looks twice knows that nothing was different in between.
    version: u32,
    /// What its handler waits for; empty while it runs.
    handler: Vec<Arc<dyn Awaited>>,
    /// The children for which it has begun something and handles nothing else until that is done. One, as a rule, and all
    /// of a million when a dynamic supervisor ends; in an order that is the same in every run.
    children: BTreeSet<ActorId>,
}

impl Waits {
    pub(crate) fn begin(&mut self, child: ActorId) {
        self.version = self.version.wrapping_add(1);
        self.children.insert(child);
    }

    /// There is news of a child.
    pub(crate) fn end(&mut self, child: ActorId) {
        if self.children.remove(&child) {
            self.version = self.version.wrapping_add(1);
        }
    }
}

/// The handler of this actor runs again: what it waited for.
pub(crate) fn resume(me: &CellCore) -> Vec<Arc<dyn Awaited>> {
    let mut life = me.life();
    let waits = &mut life.ties().waits;
    waits.version = waits.version.wrapping_add(1);
    std::mem::take(&mut waits.handler)
}

/// The handler of this actor suspends: `known` is what it waited for when it last did, `polled` what it has found not
/// to be there since. Whether it waits for anything that is known here.
///
/// Two that close a cycle in the same moment each note their wait before they look: whoever notes last sees both. If
/// both see both, both are told; one of the two would have been enough.
pub(crate) fn suspend(
    me: &Arc<dyn AnyCell>,
    mut known: Vec<Arc<dyn Awaited>>,
    polled: Vec<Arc<dyn Awaited>>,
) -> bool {
    for awaited in polled {
        if !known.iter().any(|other| is_same(other, &awaited)) {
            known.push(awaited);
        }
    }
    known.retain(|awaited| !matches!(awaited.awaits(), Awaits::Over));
    if known.is_empty() {
        return false;
    }
    {
        let mut life = me.core().life();
        let waits = &mut life.ties().waits;
        waits.version = waits.version.wrapping_add(1);
        waits.handler.clone_from(&known);
    }
    if let Some((awaited, cycle)) = find(me) {
        awaited.fail(&cycle);
    }
    true
}

fn is_same(one: &Arc<dyn Awaited>, other: &Arc<dyn Awaited>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}

/// One actor on the way, as it was when it was come by.
struct Stop {
    cell: Arc<dyn AnyCell>,
    /// From which stop it was first reached.
    before: usize,
    stamp: Stamp,
    waits: Vec<(Wait, Arc<dyn AnyCell>)>,
}

/// What somebody waits for.
enum Wait {
    Handler(Arc<dyn Awaited>),
    Child(Arc<dyn AnyCell>),
}

/// Equal stamps of one cell: nothing has changed in between.
#[derive(PartialEq)]
struct Stamp {
    incarnation: u32,
    version: u32,
}

/// The cycle that this actor is on if it will never go on, and which wait of its own is part of it.
fn find(me: &Arc<dyn AnyCell>) -> Option<(Arc<dyn Awaited>, Cycle)> {
    let (home, mut free) = (me.core().address(), HashSet::new());
    let (mut stops, last) = loop {
        // Each time round at least one more is known to be free; mostly that is the first one asked, and this one with it.
        match walk(me, &mut free)? {
            Walk::Stuck(stops, last) => break (stops, last),
            Walk::Again => {}
        }
    };
    // The second: what is as it was at the first look was so at the moment between the two.
    if !stops.iter().all(Stop::is_as_it_was) {
        return None; // whoever moved looks for itself when it waits again
    }
    // Nothing if those whom it waits for are stuck without it: they are told, and go on.
    let mut at = last?;
    let mut path = Vec::new();
    let mut second = home;
    while at != 0 {
        second = stops[at].cell.core().address();
        path.push(stops[at].cell.core().path());
        at = stops[at].before;
    }
    path.push(me.core().path());
    path.reverse();
    stops.swap_remove(0).waits.into_iter().find_map(|(wait, cell)| match wait {
        Wait::Handler(awaited) if cell.core().address() == second => {
            Some((awaited, Cycle::new(path.clone())))
        }
        Wait::Handler(_) | Wait::Child(_) => None,
    })
}

/// What came of the first look.
enum Walk {
    /// None of these goes on unless another does; and which of them waits for the first, if one does.
    Stuck(Vec<Stop>, Option<usize>),
    /// One child of a minder will go on: another may not.
    Again,
}

/// Goes from actor to actor by what keeps each: all that a handler waits for, and one of the children that a minder does. `free`
/// are those that can go on, by their addresses; nothing comes of it if the first is among them.
fn walk(me: &Arc<dyn AnyCell>, free: &mut HashSet<usize>) -> Option<Walk> {
    let home = me.core().address();
    let mut stops = vec![Stop::at(me, 0).filter(|me| !me.goes_on(free))?];
    let mut known = HashSet::from([home]);
    let (mut last, mut next) = (None, 0);
    while next < stops.len() {
        for cell in stops[next].kept_by(&known, free) {
            let address = cell.core().address();
            if address == home {
                last.get_or_insert(next);
            } else if known.insert(address) {
                let Some(stop) = Stop::at(&cell, next).filter(|stop| !stop.goes_on(free)) else {
                    free.insert(address);
                    while let Some(stop) = stops.iter().find(|stop| stop.goes_on(free)) {
                        free.insert(stop.cell.core().address());
                    }
                    return (!free.contains(&home)).then_some(Walk::Again);
                };
                stops.push(stop);
            }
        }
        next += 1;
    }
    Some(Walk::Stuck(stops, last))
}

impl Stop {
    /// Whether it has begun something with children, and waits for each of them.
    fn waits_for_each(&self) -> bool {
        self.waits.iter().any(|(wait, _)| matches!(wait, Wait::Child(_)))
    }

    /// Those who keep it from going on, unless one of them is free: of children one who may not be, and one who has been come by
    /// already if there is one.
    fn kept_by(&self, known: &HashSet<usize>, free: &HashSet<usize>) -> Vec<Arc<dyn AnyCell>> {
        let address = |cell: &Arc<dyn AnyCell>| cell.core().address();
        let mut cells = self.waits.iter().map(|(_, cell)| cell).filter(|cell| !free.contains(&address(cell)));
        if !self.waits_for_each() {
            return cells.cloned().collect();
        }
        let met = cells.clone().find(|cell| known.contains(&address(cell)));
        met.or_else(|| cells.next()).cloned().into_iter().collect()
    }

    /// Whether it is not known to be free, and has to be, since those are.
    fn goes_on(&self, free: &HashSet<usize>) -> bool {
        let is_free = |cell: &Arc<dyn AnyCell>| free.contains(&cell.core().address());
        let mut waits = self.waits.iter().map(|(_, cell)| cell);
        let goes_on = if self.waits_for_each() { waits.all(is_free) } else { waits.any(is_free) };
        goes_on && !is_free(&self.cell)
    }

    /// What this actor waits for; nothing if it can go on.
    fn at(cell: &Arc<dyn AnyCell>, before: usize) -> Option<Self> {
        let (stamp, noted) = noted(cell.core())?;
        let waits = noted.into_iter().map(|wait| wait.on().map(|on| (wait, on)));
        Some(Self { cell: cell.clone(), before, stamp, waits: waits.collect::<Option<_>>()? })
    }

    fn is_as_it_was(&self) -> bool {
        let now = stamp(&mut self.cell.core().life());
        let is_same =
            |now: Arc<dyn AnyCell>, on: &Arc<dyn AnyCell>| now.core().address() == on.core().address();
        now.is_some_and(|now| now == self.stamp)
            && self.waits.iter().all(|(wait, on)| wait.on().is_some_and(|now| is_same(now, on)))
    }
}

impl Wait {
    fn on(&self) -> Option<Arc<dyn AnyCell>> {
        match self {
            Self::Child(child) => Some(child.clone()),
            Self::Handler(awaited) => match awaited.awaits() {
                Awaits::On(cell) => Some(cell),
                Awaits::Over | Awaits::Free => None,
            },
        }
    }
}

fn stamp(life: &mut Life) -> Option<Stamp> {
    let (incarnation, occupied) = (life.incarnation, life.occupied);
    let version = life.ties_if_any()?.waits.version;
    occupied.then_some(Stamp { incarnation, version })
}

/// What is noted in a life; nothing if nobody lives there or it can go on.
fn noted(core: &CellCore) -> Option<(Stamp, Vec<Wait>)> {
    let mut life = core.life();
    let stamp = stamp(&mut life)?;
    let ties = life.ties_if_any()?;
    let waits: Option<Vec<Wait>> = if ties.waits.handler.is_empty() {
        let of_child = |id: &ActorId| {
            // One that has just left the table is news that has not been told yet, and so is not waited for.
            let child = ties.children.get(&id.cell()).filter(|child| child.id() == *id)?;
            Some(Wait::Child(child.cell.clone()))
        };
        Some(ties.waits.children.iter().filter_map(of_child).collect())
    } else {
        ties.waits.handler.iter().map(|awaited| Some(Wait::Handler(awaited.clone()))).collect()
    };
    let waits = waits.filter(|waits| !waits.is_empty())?;
    Some((stamp, waits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A walk that is made again from the same seed comes by the same actors in the same order.
    #[test]
    fn children_are_noted_in_an_order_of_their_own_and_crossed_out_once() {
        let ids = [3, 1, 2].map(|cell| ActorId::new(cell, 1));
        let mut waits = Waits::default();
        ids.into_iter().for_each(|id| waits.begin(id));
        assert!(waits.children.iter().map(|id| id.cell()).eq([1, 2, 3]));
        let before = waits.version;
        waits.end(ActorId::new(2, 2));
        assert_eq!((waits.version, waits.children.len()), (before, 3), "another life of the second");
        waits.end(ids[2]);
        assert_ne!(waits.version, before, "whoever looks twice has to see it");
        let after = waits.version;
        waits.end(ids[2]);
        assert_eq!((waits.version, waits.children.len()), (after, 2));
    }
}
