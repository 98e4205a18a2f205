//! What turns one running supervisor into another: its children compared with those of new rules, by id, and the fewest
//! stops and starts that lead there. A value, so that it can be shown before it is done, and compared when it is.
//! Decides nothing about recipes, which the host compares, and carries nothing out; see `supervision/apply.rs` and
//! `graph/apply.rs`.

use crate::graph::needs::Needs;
use crate::strategy::{Fate, fate};
use crate::{AutoShutdown, ChildRules, NeedsRules, Restart, Rules, Slot, Strategy};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// What a supervisor goes by, apart from its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Own {
    /// Who is restarted when a child is; nothing where needs say so.
    pub strategy: Option<Strategy>,
    /// How many restarts are tolerable within the period.
    pub limit: u32,
    /// The period within which restarts count.
    pub period: Duration,
    /// When the end of significant children ends the supervisor.
    pub auto_shutdown: AutoShutdown,
    /// How many children there may be at a time.
    pub max_children: usize,
}

/// A supervisor as it stands between two operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// What it goes by.
    pub own: Own,
    /// Its children, in start order.
    pub children: Vec<Standing>,
}

/// One child of an [`Outline`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its slot.
    pub slot: Slot,
    /// Its rules.
    pub rules: ChildRules,
    /// How it stands.
    pub stands: Stands,
}

/// How a child stands between two operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stands {
    /// It is up.
    Up,
    /// Its restart failed and is to be tried again.
    Waiting,
    /// It has ended by itself in a way after which its restart type leaves it down.
    Finished,
    /// It is disabled.
    Disabled,
    /// It has no process for any other reason: it was stopped by request, had nothing to run, or failed to start.
    Down,
}

/// How a child of the new rules relates to the one of its id that stands now, as the host knows who has the recipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Likeness {
    /// It would be started by the same recipe.
    Same,
    /// It is a supervisor that is up and whose own children can be changed in turn.
    Inside,
    /// It would be started by another recipe.
    Other,
}

/// What is done about a child of the new rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Nothing: it keeps its life, or goes on waiting for one, or stays finished or disabled, as it is.
    Keep,
    /// It keeps its life and is changed inside.
    Inside,
    /// It is started, once its last life, if there is one, has been stopped.
    Start(Why),
    /// The new rules disable it, and those it goes by now do not: it is stopped, if it has a process, and waits for none.
    Disable,
}

/// Why a child of the new rules is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There was none of its id.
    Added,
    /// It has another recipe.
    Replaced,
    /// It shares the fate of this child, which is replaced: the strategy says so, or it needs that one.
    Shares(Arc<str>),
    /// It has no process, and is to have one.
    Down,
    /// It is disabled, and so say the rules it goes by now; the new ones do not.
    Enabled,
}

/// A child of the new rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Where it stands now, if it does.
    pub was: Option<Slot>,
    /// What is done about it.
    pub task: Task,
    /// Whether it changes places with others that are there already: of those it is among the fewest who have to.
    pub moved: bool,
    /// Whether it begins a new epoch: it belongs to a group that is restarted on purpose.
    pub epoch: bool,
}

/// A child that is come to on the way down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Its slot.
    pub slot: Slot,
    /// Its id.
    pub id: Arc<str>,
    /// Whether it has a process, which is stopped unless the child is changed inside.
    pub up: bool,
    /// Which of the new children it is; nothing if it is none of them, and forgotten.
    pub becomes: Option<usize>,
}

/// What turns a supervisor as it stands into one that goes by other rules. First whoever leaves or is to be started again
/// is stopped; then the new rules hold; then whoever is missing is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    was: Own,
    rules: Rules,
    leaving: Vec<Leaving>,
    children: Vec<Planned>,
    order: Vec<usize>,
}

impl Change {
    /// The fewest stops and starts that turn this supervisor into one that goes by these rules. `likeness` is asked for
    /// each child that stands, with its place in the new rules.
    ///
    /// A replaced child is a restart on purpose: whom the new strategy restarts with it is started again, too. What is
    /// removed or added, disabled or enabled, touches nobody else.
    pub fn new(now: &Outline, rules: Rules, likeness: impl FnMut(&Standing, usize) -> Likeness) -> Self {
        let count = rules.children().len();
        let group = |cause: usize, _: &[Planned]| match fate(rules.strategy()) {
            Fate::Alone => Vec::new(),
            Fate::All => (0..count).collect(),
            Fate::Rest => (cause..count).collect(),
        };
        let children = planned(now, &rules, likeness, group);
        Self::of(now, rules, children, (0..now.children.len()).rev(), (0..count).collect())
    }

    /// The same for a supervisor whose children say what they need. Whoever needs a child that is replaced, directly or
    /// through others, is started again with it: as the new rules have it.
    pub fn by_needs(
        now: &Outline,
        rules: NeedsRules,
        likeness: impl FnMut(&Standing, usize) -> Likeness,
    ) -> Self {
        let rules = rules.into_rules();
        let (before, then) = (needs(now.children.iter().map(|child| &child.rules)), needs(rules.children()));
        let children = planned(now, &rules, likeness, dependents_too(&then));
        Self::of(now, rules, children, before.order().iter().copied().rev(), then.order().to_vec())
    }

    /// `down`: in which order those that stand are come to; `order`: in which order those to be are.
    fn of(
        now: &Outline,
        rules: Rules,
        children: Vec<Planned>,
        down: impl Iterator<Item = usize>,
        order: Vec<usize>,
    ) -> Self {
        let becomes: BTreeMap<Slot, usize> =
            children.iter().enumerate().filter_map(|(place, child)| Some((child.was?, place))).collect();
        let leaving = down.map(|place| &now.children[place]).filter_map(|child| {
            let becomes = becomes.get(&child.slot).copied();
            let stays = becomes.is_some_and(|place| children[place].task == Task::Keep);
            let (id, up) = (child.rules.id.clone(), child.stands == Stands::Up);
            (!stays).then_some(Leaving { slot: child.slot, id, up, becomes })
        });
        Self { was: now.own, leaving: leaving.collect(), children, rules, order }
    }

    /// What the supervisor goes by until then.
    pub fn was(&self) -> Own {
        self.was
    }

    /// What it goes by from then on.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Who is come to on the way down, in this order: last to first, and by needs whoever needs others before those.
    pub fn leaving(&self) -> &[Leaving] {
        &self.leaving
    }

    /// The children of the new rules, in start order.
    pub fn children(&self) -> &[Planned] {
        &self.children
    }

    /// The places of the children in the order in which they are come to on the way up: first to last, and by needs after
    /// all that they need.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Whether this is a change of the supervisor that goes by this, and whose children have these slots.
    pub(crate) fn fits(&self, own: Own, slots: impl Iterator<Item = Slot>) -> bool {
        let mine: BTreeSet<Slot> = self
            .leaving
            .iter()
            .map(|leaving| leaving.slot)
            .chain(self.children.iter().filter_map(|child| child.was))
            .collect();
        self.was == own && slots.collect::<BTreeSet<_>>() == mine
    }
}

/// What these children need of each other, by their places.
fn needs<'a>(children: impl IntoIterator<Item = &'a ChildRules>) -> Needs<usize> {
    Needs::of(&children.into_iter().enumerate().collect::<Vec<_>>())
}

/// Tells of one child after another who is restarted with it: itself and whoever needs it, but for those that it has told of
/// already, and whoever needs those; nobody if it is alone: a child on whom nobody depends who stands begins no epoch.
fn dependents_too(needs: &Needs<usize>) -> impl FnMut(usize, &[Planned]) -> Vec<usize> {
    let (mut told, mut needed) = (BTreeSet::<usize>::new(), None);
    move |cause, children| {
        if !needed.get_or_insert_with(|| needed_by_standing(needs, children)).contains(&cause) {
            return Vec::new();
        }
        let group = needs.reach(cause, |place, reached| {
            reached.extend(needs.dependents(place).filter(|dependent| !told.contains(dependent)));
        });
        told.extend(&group);
        group.into_iter().collect()
    }
}

/// Whom somebody needs who stands now, directly or through others.
fn needed_by_standing(needs: &Needs<usize>, children: &[Planned]) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    for &place in needs.order().iter().rev() {
        let counts = |dependent: usize| children[dependent].was.is_some() || needed.contains(&dependent);
        if needs.dependents(place).any(counts) {
            needed.insert(place);
        }
    }
    needed
}

/// What is done about each child of the new rules. `group`: who is restarted together with a child that is replaced while it is
/// alive, itself among them; asked for those only who are in no group yet.
fn planned(
    now: &Outline,
    rules: &Rules,
    mut likeness: impl FnMut(&Standing, usize) -> Likeness,
    mut group: impl FnMut(usize, &[Planned]) -> Vec<usize>,
) -> Vec<Planned> {
    let standing: BTreeMap<&str, (usize, &Standing)> =
        now.children.iter().enumerate().map(|(place, child)| (&*child.rules.id, (place, child))).collect();
    let moved = moved(rules.children().iter().map(|child| Some(standing.get(&*child.id)?.0)));
    let (mut children, mut replaced) = (Vec::with_capacity(rules.children().len()), Vec::new());
    for (place, new) in rules.children().iter().enumerate() {
        let Some((_, now)) = standing.get(&*new.id) else {
            children.push(Planned {
                was: None,
                task: if new.is_disabled() { Task::Keep } else { Task::Start(Why::Added) },
                moved: false,
                epoch: false,
            });
            continue;
        };
        let task = task(now, likeness(now, place), new);
        if task == Task::Start(Why::Replaced) && matches!(now.stands, Stands::Up | Stands::Waiting) {
            replaced.push(place);
        }
        let moved = moved.contains(&place);
        children.push(Planned { was: Some(now.slot), task, moved, epoch: false });
    }
    for cause in replaced {
        // Whoever shares its fate shares that of another already.
        if children[cause].epoch {
            continue;
        }
        let id = &rules.children()[cause].id;
        for member in group(cause, &children) {
            let (child, new) = (&mut children[member], &rules.children()[member]);
            let Some((_, now)) = standing.get(&*new.id) else { continue };
            child.epoch = true;
            let shares = match child.task {
                Task::Keep => now.stands != Stands::Disabled,
                Task::Inside | Task::Start(Why::Down) => true,
                Task::Start(_) | Task::Disable => false,
            };
            if shares {
                child.task = Task::Start(Why::Shares(id.clone()));
            }
        }
    }
    children
}

/// What is done about a child that stands, apart from what it shares with others.
fn task(now: &Standing, likeness: Likeness, new: &ChildRules) -> Task {
    let (was, is) = (now.rules.is_disabled(), new.is_disabled());
    match (likeness, now.stands) {
        // What was asked for since the old rules were given stays, unless the new ones say otherwise than those.
        (_, Stands::Disabled) if was && !is => Task::Start(Why::Enabled),
        // Only who enables it starts it, by whatever recipe it has then.
        (_, Stands::Disabled) => Task::Keep,
        (_, _) if is && !was => Task::Disable,
        (Likeness::Other, _) => Task::Start(Why::Replaced),
        (Likeness::Inside, Stands::Up) => Task::Inside,
        (Likeness::Same, Stands::Up) => Task::Keep,
        // Its retry is on the way; but a temporary child does not wait for one.
        (_, Stands::Waiting) if new.restart != Restart::Temporary => Task::Keep,
        // Only a transient child stays in the rules when it is through.
        (_, Stands::Finished) if new.restart == Restart::Transient => Task::Keep,
        (_, Stands::Waiting | Stands::Finished | Stands::Down) => Task::Start(Why::Down),
    }
}

/// Which of these stand out of their earlier order: all but a longest run of those that do not.
fn moved(order: impl Iterator<Item = Option<usize>>) -> BTreeSet<usize> {
    // Patience: `ends[n]` is the lowest that a rising run of n + 1 ends with, so far; each remembers who came before.
    let (mut ends, mut known): (Vec<usize>, Vec<(usize, Option<usize>)>) = (Vec::new(), Vec::new());
    let mut places = Vec::new();
    for (place, was) in order.enumerate() {
        let Some(was) = was else { continue };
        let length = ends.binary_search_by_key(&was, |&end| known[end].0).expect_err("nobody stands twice");
        let before = length.checked_sub(1).map(|length| ends[length]);
        known.push((was, before));
        places.push(place);
        let mine = known.len() - 1;
        match ends.get_mut(length) {
            Some(end) => *end = mine,
            None => ends.push(mine),
        }
    }
    let mut moved: BTreeSet<usize> = places.iter().copied().collect();
    let mut next = ends.last().copied();
    while let Some(mine) = next {
        moved.remove(&places[mine]);
        next = known[mine].1;
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// Every order of up to six: no fewer would do, which trying all subsets shows, and those who stay do so in order.
    #[test]
    fn no_more_move_than_have_to() {
        fn orders(left: &mut Vec<usize>, order: &mut Vec<usize>, check: &mut impl FnMut(&[usize])) {
            if left.is_empty() {
                check(order);
            }
            for at in 0..left.len() {
                let next = left.remove(at);
                order.push(next);
                orders(left, order, check);
                order.pop();
                left.insert(at, next);
            }
        }
        let mut checked = 0;
        for count in 0..=6 {
            orders(&mut (0..count).collect(), &mut vec![], &mut |order| {
                let rises = |stay: &dyn Fn(usize) -> bool| {
                    let stay: Vec<usize> = (0..count).filter(|place| stay(*place)).collect();
                    stay.is_sorted_by_key(|place| order[*place]).then_some(stay.len())
                };
                let longest = (0..1_u32 << count).filter_map(|set| rises(&|place| set & (1 << place) != 0));
                let moved = moved(order.iter().copied().map(Some));
                let found = rises(&|place| !moved.contains(&place));
                assert_eq!(found, longest.max(), "{order:?}: {moved:?}");
                checked += 1;
            });
        }
        assert_eq!(checked, 1 + 1 + 2 + 6 + 24 + 120 + 720);
    }

    /// How a child stands, whether the rules it goes by disable it, and whether the new ones do: what is done about it.
    #[test]
    fn a_change_of_the_flag_acts_and_nothing_else_does() {
        let child = |disabled| {
            let mut rules = ChildRules::worker("a");
            rules.policy_mut().disabled = disabled;
            rules
        };
        let (keep, disable, enable) = (Task::Keep, Task::Disable, Task::Start(Why::Enabled));
        let rows = [
            (Stands::Up, false, true, &disable),
            (Stands::Waiting, false, true, &disable),
            (Stands::Down, false, true, &disable),
            // Whoever disabled it meanwhile has it so.
            (Stands::Disabled, false, true, &keep),
            (Stands::Disabled, false, false, &keep),
            (Stands::Disabled, true, true, &keep),
            (Stands::Disabled, true, false, &enable),
            // Whoever enabled it meanwhile has it so.
            (Stands::Up, true, true, &keep),
            (Stands::Up, true, false, &keep),
            (Stands::Waiting, true, true, &keep),
        ];
        for (stands, was, is, expected) in rows {
            let now = Standing { slot: Slot::FIRST, rules: child(was), stands };
            for likeness in [Likeness::Same, Likeness::Inside, Likeness::Other] {
                if *expected != Task::Keep || likeness == Likeness::Same || stands == Stands::Disabled {
                    assert_eq!(
                        task(&now, likeness, &child(is)),
                        *expected,
                        "{stands:?} {was} {is} {likeness:?}"
                    );
                }
            }
        }
    }

    /// A change is of one supervisor: of its kind and limits, and of its children.
    #[test]
    fn a_change_fits_nobody_else() {
        let period = Duration::from_secs(5);
        let outline = |strategy, limit, ids: &[&str]| {
            let children = ids.iter().map(|id| ChildRules::worker(id)).collect();
            let rules = Rules::new(strategy, limit, period, AutoShutdown::Never, children).expect("valid");
            crate::Supervision::new(rules).outline()
        };
        let mine = outline(Strategy::OneForOne, 1, &["a", "b"]);
        // `a` leaves and `b` stays.
        let rules =
            Rules::new(Strategy::OneForAll, 1, period, AutoShutdown::Never, vec![ChildRules::worker("b")]);
        let change = Change::new(&mine, rules.expect("valid"), |_, _| Likeness::Same);
        let needs = Outline { own: Own { strategy: None, ..mine.own }, ..mine.clone() };
        let fewer = Outline { children: mine.children[1..].to_vec(), ..mine.clone() };
        let rows = [
            ("itself", mine, true),
            ("another strategy", outline(Strategy::OneForAll, 1, &["a", "b"]), false),
            ("another limit", outline(Strategy::OneForOne, 2, &["a", "b"]), false),
            ("by needs", needs, false),
            ("one more", outline(Strategy::OneForOne, 1, &["a", "b", "c"]), false),
            ("one less", fewer, false),
        ];
        for (who, Outline { own, children }, expected) in rows {
            assert_eq!(change.fits(own, children.iter().map(|child| child.slot)), expected, "{who}");
        }
    }

    /// On the way up after all that one needs, on the way down before; else as they stand.
    #[test]
    fn who_is_come_to_after_whom() {
        let child = |id: &str, needs: &[&str]| {
            let mut rules = ChildRules::worker(id);
            rules.policy_mut().needs = needs.iter().map(|need| Arc::from(*need)).collect();
            rules
        };
        let period = Duration::from_secs(5);
        let needs = |children| NeedsRules::new(1, period, AutoShutdown::Never, children).expect("valid");
        let was = needs(vec![child("a", &["b"]), child("b", &["c"]), child("c", &[]), child("d", &[])]);
        let now = crate::GraphSupervision::new(was).outline();
        let rules = needs(vec![child("d", &["c"]), child("c", &["a"]), child("b", &[]), child("a", &[])]);
        let change = Change::by_needs(&now, rules, |_, _| Likeness::Other);
        let down: Vec<&str> = change.leaving().iter().map(|leaving| &*leaving.id).collect();
        assert_eq!(down, ["d", "a", "b", "c"]);
        assert_eq!(change.order(), [2, 3, 1, 0], "b, a, c, d");
        let rules = ["x", "y"].map(ChildRules::worker).into();
        let rules = Rules::new(Strategy::OneForAll, 1, period, AutoShutdown::Never, rules).expect("valid");
        let now = crate::Supervision::new(rules.clone()).outline();
        let change = Change::new(&now, rules, |_, _| Likeness::Other);
        let down: Vec<&str> = change.leaving().iter().map(|leaving| &*leaving.id).collect();
        assert_eq!((&down[..], change.order()), (&["y", "x"][..], &[0, 1][..]));
    }

    /// Nobody is come to twice on account of several that are replaced.
    #[test]
    fn a_plan_looks_at_each_child_once_whoever_is_replaced() {
        const MANY: usize = 1_000;
        let period = Duration::from_secs(5);
        let ids: Vec<Arc<str>> = (0..MANY).map(|number| alloc::format!("{number}").into()).collect();
        // Each of the second half needs the one before, and all but the last three of the first half.
        let child = |place: usize| {
            let mut rules = ChildRules::worker(&ids[place]);
            let is_second = (MANY / 2..MANY - 1).contains(&place);
            let first = if is_second { MANY / 4..MANY / 4 + 3 } else { 0..0 };
            let needs = first.chain(place.checked_sub(1).filter(|_| place > MANY / 2));
            rules.policy_mut().needs = needs.map(|need| ids[need].clone()).collect();
            rules
        };
        let rules = NeedsRules::new(1, period, AutoShutdown::Never, (0..MANY).map(child).collect());
        let rules = rules.expect("valid").into_rules();
        let now = crate::Supervision::new(rules.clone()).outline();
        let needs = needs(rules.children());
        type Group<'a> = &'a mut dyn FnMut(usize, &[Planned]) -> Vec<usize>;
        let (all, no_second) = (|_| true, |place| place < MANY / 2);
        let of_second_the_last = |place| place < MANY / 2 || place == MANY - 1;
        // name; who stands now; who is restarted with whom; how many are looked at; how many begin an epoch
        type Row<'r> = (&'r str, &'r dyn Fn(usize) -> bool, Group<'r>, usize, usize);
        let rows: [Row<'_>; 6] = [
            ("one for one", &all, &mut |_, _| Vec::new(), 0, 0),
            ("one for all", &all, &mut |_, _| (0..MANY).collect(), MANY, MANY),
            ("rest for one", &all, &mut |cause, _| (cause..MANY).collect(), MANY, MANY),
            ("by needs", &all, &mut dependents_too(&needs), MANY / 2 + 3, MANY / 2 + 3),
            ("through new ones", &of_second_the_last, &mut dependents_too(&needs), MANY / 2 + 3, 3 + 1),
            ("of new ones", &no_second, &mut dependents_too(&needs), 0, 0),
        ];
        for (name, stands, group, expected, epochs) in rows {
            let there = now.children.iter().enumerate().filter(|(place, _)| stands(*place));
            let up = there.map(|(_, child)| Standing { stands: Stands::Up, ..child.clone() });
            let now = Outline { children: up.collect(), ..now.clone() };
            let mut looks = 0;
            let children = planned(
                &now,
                &rules,
                |_, _| Likeness::Other,
                |cause, children| {
                    let group = group(cause, children);
                    looks += group.len();
                    group
                },
            );
            assert_eq!(looks, expected, "{name}");
            assert_eq!(children.iter().filter(|child| child.epoch).count(), epochs, "{name}");
        }
    }

    /// A plan does not say of a disabled child that it is started, whoever is replaced beside it.
    #[test]
    fn a_disabled_child_shares_nobodys_fate() {
        let rules: Vec<_> = ["a", "b", "c"].map(ChildRules::worker).into();
        let period = Duration::from_secs(5);
        let rules = Rules::new(Strategy::OneForAll, 1, period, AutoShutdown::Never, rules).expect("valid");
        let mut now = crate::Supervision::new(rules.clone()).outline();
        let stands = [Stands::Disabled, Stands::Up, Stands::Up];
        now.children.iter_mut().zip(stands).for_each(|(child, stands)| child.stands = stands);
        let change = Change::new(&now, rules, |child, _| match &*child.rules.id {
            "b" => Likeness::Other,
            _ => Likeness::Same,
        });
        let tasks: Vec<Task> = change.children().iter().map(|child| child.task.clone()).collect();
        let shares = Task::Start(Why::Shares("b".into()));
        assert_eq!(tasks, [Task::Keep, Task::Start(Why::Replaced), shares]);
    }
}
