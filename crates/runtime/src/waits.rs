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

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Weak};

use minder_signals::ActorId;

use crate::asking::Until;
use crate::cycle::Cycle;
use crate::life::{AnyCell, CellCore, Life, Peer};
use crate::reply::Unanswered;

mod told;

pub(crate) use told::Told;

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
    /// What it keeps while it goes on with something else, and for which children that waits.
    kept: BTreeMap<Errand, Kept>,
}

/// Which of the things that an actor has to do somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Errand {
    /// Whatever it does next.
    Any,
    /// What its minder has asked it for.
    OfMinder,
    /// The request whose slot is here in memory.
    Request(usize),
}

struct Kept {
    /// As long as it is here, no other slot is where this one was.
    _slot: Option<Weak<dyn Unanswered>>,
    /// Whether the start of each has to be over, or it has to be done with something else.
    until: BTreeMap<ActorId, bool>,
}

impl Errand {
    pub(crate) fn request(slot: &Weak<dyn Unanswered>) -> Self {
        Self::Request(slot.as_ptr().cast::<()>() as usize)
    }

    fn awaited(awaited: &Arc<dyn Awaited>) -> Self {
        Self::Request(Arc::as_ptr(awaited).cast::<()>() as usize)
    }
}

impl Waits {
    pub(crate) fn begin(&mut self, child: ActorId) {
        self.version = self.version.wrapping_add(1);
        self.children.insert(child);
    }

    /// There is news of a child.
    pub(crate) fn end(&mut self, child: ActorId) {
        // What is kept for it is looked at when the actor is.
        let is_kept = || self.kept.values().any(|kept| kept.until.contains_key(&child));
        if self.children.remove(&child) || is_kept() {
            self.version = self.version.wrapping_add(1);
        }
    }

    /// Whether this is kept for children of its own, and not with everything else.
    fn keeps(&self, errand: Errand) -> bool {
        self.handler.is_empty() && self.kept.get(&errand).is_some_and(|kept| !kept.until.is_empty())
    }
}

/// This actor keeps this for these children. Whether it is new, and which of the children are.
pub(crate) fn keep<'a>(
    me: &Arc<dyn AnyCell>,
    errand: Errand,
    slot: Option<Weak<dyn Unanswered>>,
    until: impl IntoIterator<Item = Until<'a>>,
) -> (bool, Vec<Wait>) {
    let (mut ids, mut added) = (BTreeMap::new(), Vec::new());
    // Whoever makes these may look at lives.
    let until: Vec<Until<'a>> = until.into_iter().collect();
    let mut life = me.core().life();
    let waits = &mut life.ties().waits;
    let before = waits.kept.get(&errand).map(|kept| &kept.until);
    for one in until {
        let (child, is_start) = match one {
            Until::Up(child) => (child, true),
            Until::Done(child) => (child, false),
        };
        let peer = &child.peer;
        if before.is_none_or(|before| before.get(&peer.id()) != Some(&is_start)) {
            added.push(if is_start { Wait::Start(peer.clone()) } else { Wait::Child(peer.cell.clone()) });
        }
        ids.insert(peer.id(), is_start);
    }
    let is_new = before.is_none();
    if before != Some(&ids) {
        waits.version = waits.version.wrapping_add(1);
        waits.kept.insert(errand, Kept { _slot: slot, until: ids });
    }
    (is_new, added)
}

/// This actor keeps this no longer.
pub(crate) fn forget(me: &CellCore, errand: Errand) {
    if let Some(ties) = me.life().ties_if_any()
        && ties.waits.kept.remove(&errand).is_some()
    {
        ties.waits.version = ties.waits.version.wrapping_add(1);
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
    look_again(me);
    true
}

/// The handler of this actor, which has noted what it waits for, goes on waiting: after an order that ended nobody, too, since
/// whoever looked while there was one took it that this actor may go on.
pub(crate) fn look_again(me: &Arc<dyn AnyCell>) {
    let id = me.core().life().id(me.core().number);
    tell(me, find(id, || Stop::at(me, Errand::Any, id, |_| false).1));
}

/// This actor waits for these children from now on, with all that it does or for one errand: if somebody waits for itself by
/// that, it is told. For what began after whoever that is had looked; who waits in vain for what has been there looks itself.
pub(crate) fn look(me: &Arc<dyn AnyCell>, errand: Errand, added: Vec<Wait>) {
    if added.is_empty() {
        return;
    }
    let id = me.core().life().id(me.core().number);
    let found = find(id, || {
        let stamp = stamp(&mut me.core().life())?;
        let waits: Vec<Edge> = added.iter().cloned().filter_map(Edge::new).collect();
        let place = Place { cell: me.core().address(), errand };
        (!waits.is_empty()).then(|| Stop::new(me, place, stamp, waits))
    });
    tell(me, found);
}

fn tell(me: &Arc<dyn AnyCell>, found: Option<(Arc<dyn Awaited>, Cycle)>) {
    if let Some((awaited, cycle)) = found {
        me.core().system.told.telling(|| awaited.fail(&cycle));
    }
}

fn is_same(one: &Arc<dyn Awaited>, other: &Arc<dyn Awaited>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}

/// Somebody, with one of the things that are to be done.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    /// By its address.
    cell: usize,
    errand: Errand,
}

/// One actor on the way, as it was when it was come by.
struct Stop {
    cell: Arc<dyn AnyCell>,
    place: Place,
    stamp: Stamp,
    waits: Vec<Edge>,
    /// Whether it was taken to be stuck before that was known.
    is_relied_on: bool,
}

/// What somebody waits for.
#[derive(Clone)]
pub(crate) enum Wait {
    Handler(Arc<dyn Awaited>),
    /// That a child is done with whatever it is asked for.
    Child(Arc<dyn AnyCell>),
    /// That the start of a child is over.
    Start(Peer),
}

/// What somebody waits for, and whose turn it is.
struct Edge {
    wait: Wait,
    cell: Arc<dyn AnyCell>,
    /// Where it leads, once that is known: of those who are stuck it always is.
    to: Option<Place>,
}

/// Equal stamps of one cell: nothing has changed in between.
#[derive(PartialEq)]
struct Stamp {
    incarnation: u32,
    version: u32,
}

/// Who waits for itself by what stands at home, if that will never be over: the first if it waits in a handler, else who does
/// that last before it; and the cycle from there. Of those on the way home only.
fn find(id: ActorId, home: impl Fn() -> Option<Stop>) -> Option<(Arc<dyn Awaited>, Cycle)> {
    let mut free = HashSet::new();
    let search = Search::of(id, &home, &mut free)?;
    // Nothing if those whom it waits for are stuck without it: they are told, and go on.
    let mut way = search.way_home(&free)?;
    // A second look: what is as it was at the first was so at the moment between the two.
    if !search.is_as_it_was(&way, &free) {
        return None; // whoever moved looks for itself when it waits again
    }
    for _ in 0..way.len() {
        let next = search.stops[way.get(1).copied().unwrap_or(way[0])].place;
        let asked = search.stops[way[0]].waits.iter().find_map(|edge| match &edge.wait {
            Wait::Handler(awaited) if edge.to == Some(next) => Some(awaited.clone()),
            Wait::Handler(_) | Wait::Child(_) | Wait::Start(_) => None,
        });
        if let Some(awaited) = asked {
            let path = way.iter().map(|at| search.stops[*at].cell.core().path());
            return Some((awaited, Cycle::new(path.collect())));
        }
        way.rotate_right(1);
    }
    None
}

/// Who was come by on the way from an actor that waits, and does not go on unless one of them does.
struct Search {
    /// Who has set out.
    id: ActorId,
    stops: Vec<Stop>,
    /// Where each stands among them.
    known: HashMap<Place, usize>,
}

/// A stop that is looked into: which of its waits is next, and whether one of those before will never be over.
struct Open {
    at: usize,
    next: usize,
    is_stuck: bool,
}

impl Search {
    /// Nothing if what stands at home can go on. `free` are those that can. `id`: who has set out.
    fn of(id: ActorId, home: impl Fn() -> Option<Stop>, free: &mut HashSet<Place>) -> Option<Self> {
        // Once, as a rule: again only if somebody who was met twice goes on after all, who is known to be free then.
        loop {
            let mut is_misled = false;
            let search = Self::once(id, home()?, free, &mut is_misled);
            if search.is_none() || !is_misled {
                return search;
            }
        }
    }

    /// Depth first, with a stack of its own. Whoever is met again is taken to be stuck; `is_misled` if somebody was not. Of the
    /// children that a minder waits for one is enough to be stuck, but all are looked at: another may be on the way home.
    fn once(id: ActorId, home: Stop, free: &mut HashSet<Place>, is_misled: &mut bool) -> Option<Self> {
        let begin = home.place;
        let mut search = Self { id, stops: vec![home], known: HashMap::from([(begin, 0)]) };
        let mut open = vec![Open { at: 0, next: 0, is_stuck: false }];
        // What has come of the stop that was opened last: whether it is stuck.
        let mut closed: Option<bool> = None;
        while let Some(Open { at, next, is_stuck }) = open.last_mut() {
            let stop = &mut search.stops[*at];
            let each = stop.waits_for_each();
            let wait_is_stuck = match (closed.take(), stop.waits.get_mut(*next)) {
                (Some(is_stuck), _) => Some(is_stuck),
                (None, None) => None,
                (None, Some(edge)) => {
                    *next += 1;
                    let is_known = |place| free.contains(&place) || search.known.contains_key(&place);
                    let (place, stop) = Stop::at(&edge.cell, edge.errand(), id, is_known);
                    edge.to = Some(place);
                    if place == begin {
                        Some(true)
                    } else if free.contains(&place) {
                        Some(false)
                    } else if let Some(&met) = search.known.get(&place) {
                        search.stops[met].is_relied_on = true;
                        Some(true)
                    } else if let Some(stop) = stop {
                        search.known.insert(place, search.stops.len());
                        open.push(Open { at: search.stops.len(), next: 0, is_stuck: false });
                        search.stops.push(stop);
                        continue;
                    } else {
                        free.insert(place);
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
                free.insert(stop.place);
                *is_misled |= stop.is_relied_on;
            }
            closed = Some(is_stuck);
            open.pop();
        }
        closed.is_some_and(|is_stuck| is_stuck).then_some(search)
    }

    /// The fewest stops from the first to one that waits for it, none of which is free.
    fn way_home(&self, free: &HashSet<Place>) -> Option<Vec<usize>> {
        let (home, mut before) = (self.stops[0].place, HashMap::from([(0, 0)]));
        let mut next = VecDeque::from([0]);
        while let Some(at) = next.pop_front() {
            for to in self.stops[at].waits.iter().filter_map(|edge| edge.to) {
                if to == home {
                    let mut way = vec![at];
                    while let Some(&at) = way.last()
                        && at != 0
                    {
                        way.push(before[&at]);
                    }
                    way.reverse();
                    return Some(way);
                }
                if let Some(&on) = self.known.get(&to)
                    && !free.contains(&to)
                    && !before.contains_key(&on)
                {
                    before.insert(on, at);
                    next.push_back(on);
                }
            }
        }
        None
    }

    /// Whether those on whom it hangs that the first is stuck are as they were. A minder on the way is kept by the next one on
    /// it, whatever its other children do.
    fn is_as_it_was(&self, way: &[usize], free: &HashSet<Place>) -> bool {
        let (mut left, mut seen) = (vec![0], HashSet::from([0]));
        while let Some(at) = left.pop() {
            let stop = &self.stops[at];
            let on_the_way = way.iter().position(|stop| *stop == at).filter(|_| stop.waits_for_each());
            let is_as_it_was = match on_the_way {
                Some(place) => stop.still_waits_for(self.stops[way[(place + 1) % way.len()]].place, self.id),
                None => stop.is_as_it_was(),
            };
            if !is_as_it_was {
                return false;
            }
            for to in stop.waits.iter().filter_map(|edge| edge.to) {
                let Some(&on) = self.known.get(&to) else { continue };
                let hangs_on = on_the_way.is_none_or(|place| way.get(place + 1) == Some(&on));
                if hangs_on && !free.contains(&to) && seen.insert(on) {
                    left.push(on);
                }
            }
        }
        true
    }
}

impl Stop {
    fn new(cell: &Arc<dyn AnyCell>, place: Place, stamp: Stamp, waits: Vec<Edge>) -> Self {
        Self { cell: cell.clone(), place, stamp, waits, is_relied_on: false }
    }

    /// Where this leads, and what is waited for there; nothing if that can go on, or is known. `me`: who has set out.
    fn at(
        cell: &Arc<dyn AnyCell>,
        errand: Errand,
        me: ActorId,
        is_known: impl Fn(Place) -> bool,
    ) -> (Place, Option<Self>) {
        let (errand, noted) = noted(cell, errand, me, &is_known);
        let place = Place { cell: cell.core().address(), errand };
        let stop = noted.and_then(|(stamp, noted)| {
            let is_handler = matches!(noted.first(), Some(Wait::Handler(_)));
            let count = noted.len();
            let waits: Vec<Edge> = noted.into_iter().filter_map(Edge::new).collect();
            // Any answer wakes a handler; a minder needs news of each.
            let is_stuck = if is_handler { waits.len() == count } else { !waits.is_empty() };
            is_stuck.then(|| Self::new(cell, place, stamp, waits))
        });
        (place, stop)
    }

    /// Whether it has begun something with children, and waits for each of them.
    fn waits_for_each(&self) -> bool {
        self.waits.iter().any(|edge| !matches!(edge.wait, Wait::Handler(_)))
    }

    /// Of a minder: whether it waits for this one still. In between it has not done without, or that one had moved.
    fn still_waits_for(&self, next: Place, me: ActorId) -> bool {
        let (_, now) = noted(&self.cell, self.place.errand, me, &|_| false);
        let leads_there = |edge: Edge| Stop::at(&edge.cell, edge.errand(), me, |_| true).0 == next;
        now.is_some_and(|(now, waits)| {
            now.incarnation == self.stamp.incarnation
                && waits.into_iter().filter_map(Edge::new).any(leads_there)
        })
    }

    fn is_as_it_was(&self) -> bool {
        let now = stamp(&mut self.cell.core().life());
        let is_same =
            |now: Arc<dyn AnyCell>, on: &Arc<dyn AnyCell>| now.core().address() == on.core().address();
        now.is_some_and(|now| now == self.stamp)
            && self.waits.iter().all(|edge| edge.wait.on().is_some_and(|now| is_same(now, &edge.cell)))
    }
}

impl Edge {
    /// Nothing if it is over, or not known whose turn it is.
    fn new(wait: Wait) -> Option<Self> {
        let cell = wait.on()?;
        Some(Self { wait, cell, to: None })
    }

    fn errand(&self) -> Errand {
        match &self.wait {
            Wait::Handler(awaited) => Errand::awaited(awaited),
            Wait::Child(_) => Errand::OfMinder,
            Wait::Start(_) => Errand::Any,
        }
    }
}

impl Wait {
    fn on(&self) -> Option<Arc<dyn AnyCell>> {
        match self {
            Self::Child(child) => Some(child.clone()),
            Self::Start(child) => {
                let life = child.cell.core().life();
                (life.is(child.id()) && !life.acknowledged).then(|| child.cell.clone())
            }
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

/// For which errand of an actor it is waited, and what is noted in its life for that; nothing if nobody lives there, or it can go
/// on, or is known. Of children whoever has set out is enough, if it is among them: of a million there would be no end.
fn noted(
    cell: &Arc<dyn AnyCell>,
    errand: Errand,
    me: ActorId,
    is_known: &dyn Fn(Place) -> bool,
) -> (Errand, Option<(Stamp, Vec<Wait>)>) {
    let mut life = cell.core().life();
    let stamp = stamp(&mut life);
    let (Some(stamp), Some(ties)) = (stamp, life.ties_if_any()) else { return (Errand::Any, None) };
    let waits = &ties.waits;
    // What is not kept for children of its own is done with everything else.
    let errand = if waits.keeps(errand) { errand } else { Errand::Any };
    if is_known(Place { cell: cell.core().address(), errand }) {
        return (errand, None);
    }
    let peer = |id: &ActorId| {
        // One that has just left the table is news that has not been told yet, and so is not waited for.
        ties.children.get(&id.cell()).filter(|child| child.id() == *id)
    };
    let of_child = |id: &ActorId| Some(Wait::Child(peer(id)?.cell.clone()));
    let of_kept = |(id, is_start): (&ActorId, &bool)| match is_start {
        true => Some(Wait::Start(peer(id)?.clone())),
        false => of_child(id),
    };
    let waits: Vec<Wait> = match waits.kept.get(&errand) {
        // Whatever it waits for itself: an order that it has not come to ends it, or makes it look again.
        _ if !waits.handler.is_empty() && cell.has_orders() => Vec::new(),
        _ if !waits.handler.is_empty() => waits.handler.iter().cloned().map(Wait::Handler).collect(),
        Some(kept) => match kept.until.get_key_value(&me) {
            Some(me) => of_kept(me).into_iter().collect(),
            None => kept.until.iter().filter_map(of_kept).collect(),
        },
        None => match waits.children.get(&me) {
            Some(me) => of_child(me).into_iter().collect(),
            None => waits.children.iter().filter_map(of_child).collect(),
        },
    };
    (errand, (!waits.is_empty()).then_some((stamp, waits)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, ActorRef, Context, Handled, MailboxOptions, Recipe, Reply, StartOptions, System};

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

    struct Idle;

    impl Actor for Idle {
        type Msg = ();

        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            Ok(())
        }
    }

    /// Starts so many children when it is asked to.
    struct Parent;

    impl Actor for Parent {
        type Msg = (usize, Reply<Vec<ActorRef>>);

        async fn handle(&mut self, (count, reply): Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
            let recipe = Recipe::own_seat(|| Idle, MailboxOptions::default());
            let start = |_| context.start(&recipe, StartOptions::default());
            let children = (0..count).map(start).collect::<Result<_, _>>()?;
            drop(reply.send(children));
            Ok(())
        }
    }

    /// As if somebody waited for this one.
    struct Waiting(Arc<dyn AnyCell>);

    impl Awaited for Waiting {
        fn awaits(&self) -> Awaits {
            Awaits::On(self.0.clone())
        }

        fn fail(&self, _: &Cycle) {}
    }

    async fn parent_of(count: usize) -> (System, Arc<dyn AnyCell>, Vec<ActorRef>) {
        let system = System::new().expect("in a runtime");
        let (parent, seat) = system.address();
        system.start(seat, "parent", || Parent).await.expect("it starts");
        let children = parent.ask(|reply| (count, reply)).await.expect("it answers");
        (system, parent.cell.clone(), children)
    }

    /// At how many a search looks that sets out from here, this one among them.
    fn looks(at: &Arc<dyn AnyCell>, errand: Errand) -> usize {
        let (id, mut free) = (at.core().life().id(at.core().number), HashSet::new());
        let search = Search::of(id, || Stop::at(at, errand, id, |_| false).1, &mut free);
        search.map_or(0, |search| search.stops.len()) + free.len()
    }

    /// Not at the children for whom nothing waits, however many there are; and at each that something waits for once, however
    /// many wait for it.
    #[tokio::test]
    async fn a_search_looks_at_each_once_that_somebody_waits_for_and_at_nobody_else() {
        for count in [10, 1_000] {
            let (_system, parent, children) = parent_of(count).await;
            let errand = Errand::Request(1);
            let (is_new, added) = keep(&parent, errand, None, children[..3].iter().map(Until::Done));
            assert_eq!((is_new, added.len()), (true, 3));
            assert_eq!(looks(&parent, errand), 1 + 3, "{count}");
            for child in &children {
                parent.core().life().ties().waits.begin(child.id());
            }
            assert_eq!(looks(&parent, errand), 1 + 3, "{count}");
            assert_eq!(looks(&parent, Errand::Any), 1 + count, "{count}");
        }
        // Each waits for all others.
        let (_system, parent, children) = parent_of(100).await;
        for child in &children {
            let waits = children
                .iter()
                .map(|other| -> Arc<dyn Awaited> { Arc::new(Waiting(other.peer.cell.clone())) });
            child.peer.cell.core().life().ties().waits.handler = waits.collect();
            parent.core().life().ties().waits.begin(child.id());
        }
        assert_eq!(looks(&parent, Errand::Any), 1 + 100);
    }

    /// News of a child, or that its start is over, end what is kept for it before its minder hears of them.
    #[tokio::test]
    async fn what_is_kept_for_a_child_ends_with_its_start_or_its_life() {
        let (_system, parent, children) = parent_of(1).await;
        let (child, errand) = (&children[0], Errand::Request(1));
        keep(&parent, errand, None, [Until::Up(child)]);
        assert_eq!(looks(&parent, errand), 0, "it is up");
        let (is_new, added) = keep(&parent, errand, None, [Until::Done(child)]);
        assert_eq!((is_new, added.len()), (false, 1), "it is waited for otherwise");
        assert_eq!(looks(&parent, errand), 1 + 1);
        let (is_new, added) = keep(&parent, errand, None, [Until::Done(child)]);
        assert_eq!((is_new, added.len()), (false, 0));
        child.kill();
        while child.is_alive() {
            tokio::task::yield_now().await;
        }
        assert_eq!(looks(&parent, errand), 0, "it has ended");
        forget(parent.core(), errand);
        assert!(parent.core().life().ties().waits.kept.is_empty());
    }
}
