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

use std::collections::{BTreeSet, HashMap, HashSet};
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
    /// Whether it was taken to be stuck before that was known.
    is_relied_on: bool,
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
    let mut free = HashSet::new();
    let mut search = Search::of(me, &mut free)?;
    // Nothing if those whom it waits for are stuck without it: they are told, and go on.
    let way = search.way_home(&free)?;
    // A second look: what is as it was at the first was so at the moment between the two.
    if !search.is_as_it_was(&way, &free) {
        return None; // whoever moved looks for itself when it waits again
    }
    let path: Vec<Arc<str>> = way.iter().map(|at| search.stops[*at].cell.core().path()).collect();
    let second = way.get(1).map_or_else(|| me.core().address(), |at| search.stops[*at].address());
    search.stops.swap_remove(0).waits.into_iter().find_map(|(wait, cell)| match wait {
        Wait::Handler(awaited) if cell.core().address() == second => {
            Some((awaited, Cycle::new(path.clone())))
        }
        Wait::Handler(_) | Wait::Child(_) => None,
    })
}

/// Who was come by on the way from an actor that waits, and does not go on unless one of them does.
struct Search {
    stops: Vec<Stop>,
    /// Where each stands among them, by its address.
    known: HashMap<usize, usize>,
    /// Which of them wait for the first.
    last: Vec<usize>,
}

/// A stop that is looked into: which of its waits is next, and whether one of those before will never be over.
struct Open {
    at: usize,
    next: usize,
    is_stuck: bool,
}

impl Search {
    /// Nothing if this actor can go on. `free` are those that can, by their addresses.
    fn of(me: &Arc<dyn AnyCell>, free: &mut HashSet<usize>) -> Option<Self> {
        // Once, as a rule: again only if somebody who was met twice goes on after all, who is known to be free then.
        loop {
            let mut is_misled = false;
            let search = Self::once(me, free, &mut is_misled);
            if search.is_none() || !is_misled {
                return search;
            }
        }
    }

    /// Depth first, with a stack of its own. Whoever is met again is taken to be stuck; `is_misled` if somebody was not. Of the
    /// children that a minder waits for one is enough to be stuck, but all are looked at: another may be on the way home.
    fn once(me: &Arc<dyn AnyCell>, free: &mut HashSet<usize>, is_misled: &mut bool) -> Option<Self> {
        let (home, id) = (me.core().address(), me.core().life().id(me.core().number));
        let (known, stops) = (HashMap::from([(home, 0)]), vec![Stop::at(me, 0, id)?]);
        let mut search = Self { stops, known, last: Vec::new() };
        let mut open = vec![Open { at: 0, next: 0, is_stuck: false }];
        // What has come of the stop that was opened last: whether it is stuck.
        let mut closed: Option<bool> = None;
        while let Some(Open { at, next, is_stuck }) = open.last_mut() {
            let stop = &search.stops[*at];
            let each = stop.waits_for_each();
            let wait_is_stuck = match (closed.take(), stop.waits.get(*next)) {
                (Some(is_stuck), _) => Some(is_stuck),
                (None, None) => None,
                (None, Some((_, cell))) => {
                    *next += 1;
                    let address = cell.core().address();
                    if address == home {
                        search.last.push(*at);
                        Some(true)
                    } else if free.contains(&address) {
                        Some(false)
                    } else if let Some(&met) = search.known.get(&address) {
                        search.stops[met].is_relied_on = true;
                        Some(true)
                    } else if let Some(stop) = Stop::at(cell, *at, id) {
                        search.known.insert(address, search.stops.len());
                        open.push(Open { at: search.stops.len(), next: 0, is_stuck: false });
                        search.stops.push(stop);
                        continue;
                    } else {
                        free.insert(address);
                        Some(false)
                    }
                }
            };
            *is_stuck |= wait_is_stuck == Some(true);
            let is_stuck = match wait_is_stuck {
                // All has been looked at.
                None => !each || *is_stuck,
                Some(false) if !each => false,
                Some(_) => continue,
            };
            let stop = &search.stops[*at];
            if !is_stuck {
                free.insert(stop.address());
                *is_misled |= stop.is_relied_on;
            }
            closed = Some(is_stuck);
            open.pop();
        }
        closed.is_some_and(|is_stuck| is_stuck).then_some(search)
    }

    /// The stops from the first to one that waits for it, if none of them is free.
    fn way_home(&self, free: &HashSet<usize>) -> Option<Vec<usize>> {
        self.last.iter().find_map(|&last| {
            let mut way = vec![last];
            while let Some(&at) = way.last()
                && at != 0
            {
                way.push(self.stops[at].before);
            }
            way.reverse();
            way.iter().all(|at| !free.contains(&self.stops[*at].address())).then_some(way)
        })
    }

    /// Whether those on whom it hangs that the first is stuck are as they were. A minder on the way is kept by the next one on
    /// it, whatever its other children do.
    fn is_as_it_was(&self, way: &[usize], free: &HashSet<usize>) -> bool {
        let (mut left, mut seen) = (vec![0], HashSet::from([0]));
        while let Some(at) = left.pop() {
            let stop = &self.stops[at];
            if !stop.is_as_it_was() {
                return false;
            }
            let on_the_way = way.iter().position(|stop| *stop == at).filter(|_| stop.waits_for_each());
            for (_, cell) in &stop.waits {
                let address = cell.core().address();
                let Some(&on) = self.known.get(&address) else { continue };
                let hangs_on = on_the_way.is_none_or(|place| way.get(place + 1) == Some(&on));
                if hangs_on && !free.contains(&address) && seen.insert(on) {
                    left.push(on);
                }
            }
        }
        true
    }
}

impl Stop {
    /// What this actor waits for; nothing if it can go on. `me`: who has set out.
    fn at(cell: &Arc<dyn AnyCell>, before: usize, me: ActorId) -> Option<Self> {
        let (stamp, noted) = noted(cell.core(), me)?;
        let waits = noted.into_iter().map(|wait| wait.on().map(|on| (wait, on)));
        let waits = waits.collect::<Option<_>>()?;
        Some(Self { cell: cell.clone(), before, stamp, waits, is_relied_on: false })
    }

    fn address(&self) -> usize {
        self.cell.core().address()
    }

    /// Whether it has begun something with children, and waits for each of them.
    fn waits_for_each(&self) -> bool {
        self.waits.iter().any(|(wait, _)| matches!(wait, Wait::Child(_)))
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

/// What is noted in a life; nothing if nobody lives there or it can go on. Of children whoever has set out is enough, if it is
/// among them: of a million there would be no end.
fn noted(core: &CellCore, me: ActorId) -> Option<(Stamp, Vec<Wait>)> {
    let mut life = core.life();
    let stamp = stamp(&mut life)?;
    let ties = life.ties_if_any()?;
    let waits: Vec<Wait> = if ties.waits.handler.is_empty() {
        let of_child = |id: &ActorId| {
            // One that has just left the table is news that has not been told yet, and so is not waited for.
            let child = ties.children.get(&id.cell()).filter(|child| child.id() == *id)?;
            Some(Wait::Child(child.cell.clone()))
        };
        match ties.waits.children.get(&me) {
            Some(me) => of_child(me).into_iter().collect(),
            None => ties.waits.children.iter().filter_map(of_child).collect(),
        }
    } else {
        ties.waits.handler.iter().map(|awaited| Wait::Handler(awaited.clone())).collect()
    };
    (!waits.is_empty()).then_some((stamp, waits))
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
