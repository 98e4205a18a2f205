//! A plan: what a new specification would change in a running tree, as a value that can be read before it is carried out
//! and that is refused when the tree has changed meanwhile.
//! The comparison of one supervisor is the core's (`Change`); here are the recipes, the levels, and the words.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::{ActorRef, Recipe};
use minder_supervisors_core::{
    Change, DynamicRules, Likeness, Outline, Own, Policy, Restart, Rules, Slot, Standing, Stands, Task, Why,
};

use crate::apply::ApplyError;
use crate::child::{Child, Settings};
use crate::root::Root;
use crate::spec::{Nature, Spec, TemplateParts, path_below};
use crate::supervisor::SupervisorMsg;

/// What [`Root::apply`] would do to a tree as it stands: who is stopped and started, in which order, and why. Made by
/// [`Root::plan`]; carried out by [`Plan::apply`], as it stands or not at all.
///
/// Printed, it is a table of one line a step.
#[derive(Clone, Debug)]
pub struct Plan {
    root: Root,
    spec: Spec,
    level: Level,
}

/// One step of a [`Plan`], or a child that is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The child, by the ids on the way there; empty for the supervisor that was asked.
    pub path: String,
    /// What happens.
    pub action: Action,
    /// Why it does.
    pub because: Because,
    /// Whether its address leads to its next life; nothing where no life of it ends.
    pub address: Option<Address>,
}

/// What happens to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Its process is stopped, and everybody below it.
    Stop,
    /// Its specification is dropped; it has no process.
    Forget,
    /// It is disabled; it has no process, and no restart that it waited for comes.
    Disable,
    /// It is started, with everybody below it.
    Start,
    /// Nobody is stopped, but other rules hold from then on.
    Rules,
    /// It changes places with others that are there already.
    Move,
    /// Nothing.
    Leave,
}

/// Why something happens to a child.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Because {
    /// The new specification does not have it.
    NotInSpec,
    /// The old one did not have it.
    Added,
    /// It is another [`Child`], or may be: no revision says that it is the same.
    OtherRecipe,
    /// Both have a [`Child::revision`], and those differ.
    OtherRevision(Arc<str>, Arc<str>),
    /// It is to live in another seat.
    OtherSeat,
    /// It is to be registered under another name.
    OtherName,
    /// Its supervisor restarts it together with this child, which is replaced: by its strategy, or because it needs that one.
    Shares(String),
    /// It has no process, and is not through.
    Down,
    /// Rules, or the order, are others.
    Changed(Vec<Difference>),
    /// It is a clone of the same [`Child`].
    SameRecipe,
    /// Both have this [`Child::revision`].
    SameRevision(Arc<str>),
    /// It is a supervisor, and what differs lies below.
    Inside,
    /// It is disabled, and started by whoever enables it.
    Disabled,
    /// The new specification disables it, and the old one did not.
    NewlyDisabled,
    /// The old specification disabled it, and the new one does not.
    NewlyEnabled,
}

/// Something that holds from then on, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What it is.
    pub what: &'static str,
    /// What held before.
    pub was: String,
    /// What holds from then on.
    pub becomes: String,
}

/// What becomes of the address of a child when its life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// It leads to the next life, as after a restart.
    Kept,
    /// It leads to nobody any more: the new life has another seat, or there is none.
    Lost,
}

impl Plan {
    pub(crate) fn new(root: Root, spec: Spec, level: Level) -> Self {
        Self { root, spec, level }
    }

    /// Carries the plan out, if what it would do is still what it says. See [`Root::apply`].
    ///
    /// # Errors
    /// As of [`Root::apply`]; and [`ApplyError::Stale`] if meanwhile a child has been added, removed, stopped or started by
    /// request, has ended for good, or waits for its restart: nothing has been done then. A restart that has succeeded
    /// leaves a plan good.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the answer; the change goes on.
    pub async fn apply(self) -> Result<(), ApplyError> {
        self.root.carry_out(self.spec, Some(self.level)).await
    }

    /// Whether the tree is what the new specification says already, but for what it offers: that is exchanged, and cannot be
    /// compared.
    pub fn is_empty(&self) -> bool {
        self.steps().iter().all(|step| step.action == Action::Leave)
    }

    /// Every step in the order in which it happens, and then the children that are left alone. New rules hold once the
    /// last has been stopped and before the first is started. Below [`by_needs`](crate::by_needs) those that do not need each
    /// other stop and start side by side; whoever needs a disabled child is started once that is enabled.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        self.level.stops("", &mut steps);
        self.level.rules("", &mut steps);
        self.level.starts("", &mut steps);
        self.level.left_alone("", &mut steps);
        steps
    }
}

// --- one supervisor and those below --------------------------------------------------------------------------------

/// A supervisor as it stands, as far as plans are concerned.
pub(crate) enum Sketch {
    /// By a strategy, or by needs.
    Fixed {
        outline: Outline,
        known: Vec<Known>,
        news_first: bool,
    },
    Dynamic(Making),
}

/// A dynamic supervisor, and what it makes instances of.
pub(crate) struct Making {
    pub(crate) rules: DynamicRules,
    pub(crate) template: Option<Box<TemplateParts>>,
    pub(crate) news_first: bool,
}

/// What a supervisor knows of one child beyond its rules.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) recipe: Recipe,
    pub(crate) settings: Option<Box<Settings>>,
    pub(crate) actor: Option<ActorRef>,
}

/// What is to change in one supervisor, and in those below it that are changed in turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Level {
    Fixed(Box<Fixed>),
    Dynamic(Box<Dynamic>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fixed {
    pub(crate) change: Change,
    /// What differs of the supervisor itself.
    own: Vec<Difference>,
    old: Vec<minder_supervisors_core::ChildRules>,
    notes: Vec<Note>,
    /// For those children that are changed inside, once it is known.
    pub(crate) inside: Vec<Option<Level>>,
}

/// What is known of a child of the new specification besides its task.
#[derive(Clone, Debug, PartialEq)]
struct Note {
    /// Why it is the same, or another.
    because: Because,
    /// Whether it has the seat of the one that stands.
    keeps_seat: bool,
    settings: Vec<Difference>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dynamic {
    differences: Vec<Difference>,
}

impl Level {
    /// Compares one supervisor with what it is to be; nothing of the levels below is known yet. Nothing if they are of
    /// different kinds: dynamic, by needs, or by a strategy.
    pub(crate) fn between(now: &Sketch, spec: &Spec) -> Option<Self> {
        match (now, spec.nature()) {
            (Sketch::Fixed { outline, known, news_first }, Nature::Fixed(_) | Nature::ByNeeds)
                if spec.is_by_needs() == outline.own.strategy.is_none() =>
            {
                let mut fixed = Fixed::between(outline, known, spec);
                differ_in_news_first(&mut fixed.own, *news_first, spec);
                Some(Self::Fixed(Box::new(fixed)))
            }
            (Sketch::Dynamic(Making { rules, template, news_first }), Nature::Dynamic(becomes))
                if template.is_some() == becomes.is_some() =>
            {
                let new = spec.dynamic_rules().expect("a tree is checked before it is compared");
                let templates = rules.template().zip(new.template());
                let mut differences = templates.map_or(Vec::new(), |(was, new)| {
                    // Those that are temporary stay so, by their old rules: what they were made from is not kept.
                    let stay = was.restart == Restart::Temporary && new.restart != Restart::Temporary;
                    differences_of(was, new, if stay { Holds::ForInstancesToCome } else { Holds::ForAll })
                });
                let limit = |rules: &DynamicRules| in_time(rules.limit(), rules.period());
                differ(&mut differences, "limit", limit(rules), limit(&new));
                differ(
                    &mut differences,
                    "most children",
                    number(rules.max_children()),
                    number(new.max_children()),
                );
                // A template that is ever restarted shows its own.
                if new.template().is_none_or(|template| template.restart == Restart::Temporary) {
                    let backoff = |rules: &DynamicRules| {
                        rules.backoff().map_or("none".to_owned(), |backoff| format!("{backoff:?}"))
                    };
                    differ(&mut differences, "backoff of children to come", backoff(rules), backoff(&new));
                }
                differ_in_news_first(&mut differences, *news_first, spec);
                if let Some((was, becomes)) = template.as_ref().zip(becomes.as_ref()) {
                    differences.extend(was.settings.differences(&becomes.settings));
                    if !Arc::ptr_eq(&was.mark, &becomes.mark) {
                        let (was, becomes) = (was.rules.id.to_string(), becomes.rules.id.to_string());
                        differences.push(Difference {
                            what: "template, for instances to come",
                            was,
                            becomes,
                        });
                    }
                }
                Some(Self::Dynamic(Box::new(Dynamic { differences })))
            }
            _ => None,
        }
    }

    /// Whether it is the same, apart from what lies below.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fixed(mine), Self::Fixed(other)) => mine.is_like(other),
            (mine, other) => mine == other,
        }
    }

    fn stops(&self, path: &str, steps: &mut Vec<Step>) {
        let Self::Fixed(level) = self else { return };
        for leaving in level.change.leaving() {
            let path = path_below(path, &leaving.id);
            let Some(place) = leaving.becomes else {
                let (action, address) = match leaving.up {
                    true => (Action::Stop, Some(Address::Lost)),
                    false => (Action::Forget, None),
                };
                steps.push(Step { path, action, because: Because::NotInSpec, address });
                continue;
            };
            match (&level.change.children()[place].task, &level.inside[place]) {
                (Task::Inside, Some(inside)) => inside.stops(&path, steps),
                (Task::Disable, _) => {
                    let action = if leaving.up { Action::Stop } else { Action::Disable };
                    let address = leaving.up.then(|| level.address(place));
                    steps.push(Step { path, action, because: Because::NewlyDisabled, address });
                }
                (Task::Start(_), _) if leaving.up => {
                    steps.push(Step { action: Action::Stop, ..level.start(place, path) });
                }
                (Task::Inside | Task::Start(_) | Task::Keep, _) => {}
            }
        }
    }

    fn rules(&self, path: &str, steps: &mut Vec<Step>) {
        let push = |steps: &mut Vec<Step>, path: String, action, differences: Vec<Difference>| {
            if !differences.is_empty() {
                steps.push(Step { path, action, because: Because::Changed(differences), address: None });
            }
        };
        let level = match self {
            Self::Dynamic(level) => {
                return push(steps, path.to_owned(), Action::Rules, level.differences.clone());
            }
            Self::Fixed(level) => level,
        };
        push(steps, path.to_owned(), Action::Rules, level.own.clone());
        let was: HashMap<&str, usize> =
            level.old.iter().enumerate().map(|(place, old)| (&*old.id, place)).collect();
        for (place, child) in level.change.children().iter().enumerate() {
            let (path, new) = (path_below(path, level.id(place)), &level.change.rules().children()[place]);
            let was = was.get(&*new.id).copied();
            if let Some(was) = was {
                let mut differences = differences_of(&level.old[was], new, Holds::ForAll);
                differences.extend(level.notes[place].settings.iter().cloned());
                push(steps, path.clone(), Action::Rules, differences);
            }
            if child.moved {
                let after = |place: usize| match place.checked_sub(1) {
                    Some(before) => format!("after {}", level.id(before)),
                    None => "first".to_owned(),
                };
                let was = match was.expect("who moves was there").checked_sub(1) {
                    Some(before) => format!("after {}", level.old[before].id),
                    None => "first".to_owned(),
                };
                let becomes = after(place);
                push(steps, path.clone(), Action::Move, vec![Difference { what: "place", was, becomes }]);
            }
            if let Some(inside) = &level.inside[place] {
                inside.rules(&path, steps);
            }
        }
    }

    fn starts(&self, path: &str, steps: &mut Vec<Step>) {
        let Self::Fixed(level) = self else { return };
        for &place in level.change.order() {
            let path = path_below(path, level.id(place));
            match &level.change.children()[place].task {
                Task::Start(_) => steps.push(level.start(place, path)),
                Task::Inside => {
                    if let Some(inside) = &level.inside[place] {
                        inside.starts(&path, steps);
                    }
                }
                Task::Keep | Task::Disable => {}
            }
        }
    }

    fn left_alone(&self, path: &str, steps: &mut Vec<Step>) {
        let Self::Fixed(level) = self else { return };
        for (place, child) in level.change.children().iter().enumerate() {
            let path = path_below(path, level.id(place));
            if matches!(child.task, Task::Keep | Task::Inside) {
                let because = match child.was {
                    // It is left alone all the same.
                    None => Because::Disabled,
                    Some(_) => level.notes[place].because.clone(),
                };
                steps.push(Step { path: path.clone(), action: Action::Leave, because, address: None });
            }
            if let Some(inside) = &level.inside[place] {
                inside.left_alone(&path, steps);
            }
        }
    }
}

impl Fixed {
    fn between(outline: &Outline, known: &[Known], spec: &Spec) -> Self {
        let children = &spec.children;
        let added = Note { because: Because::Added, keeps_seat: false, settings: Vec::new() };
        let mut notes = vec![added; children.len()];
        let known: HashMap<Slot, &Known> =
            outline.children.iter().map(|standing| standing.slot).zip(known).collect();
        let likeness = |standing: &Standing, place: usize| {
            let known = known[&standing.slot];
            let (likeness, note) = liken(standing.stands, known, &children[place]);
            notes[place] = note;
            likeness
        };
        let checked = "a tree is checked before it is compared";
        let change = match spec.nature() {
            Nature::Fixed(strategy) => Change::new(outline, spec.rules(*strategy).expect(checked), likeness),
            Nature::ByNeeds | Nature::Dynamic(_) => {
                Change::by_needs(outline, spec.needs_rules().expect(checked), likeness)
            }
        };
        let old = outline.children.iter().map(|child| child.rules.clone()).collect();
        let own = own_differences(change.was(), change.rules());
        Self { change, own, old, notes, inside: vec![None; children.len()] }
    }

    /// Whether this child has the seat of the one that stands under its id.
    pub(crate) fn keeps_seat(&self, place: usize) -> bool {
        self.notes[place].keeps_seat
    }

    /// Whether it is the same, apart from what lies below.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.change == other.change
            && self.own == other.own
            && self.old == other.old
            && self.notes == other.notes
    }

    /// Whether this child is changed inside.
    pub(crate) fn is_inside(&self, place: usize) -> bool {
        self.change.children()[place].task == Task::Inside
    }

    fn id(&self, place: usize) -> &str {
        &self.change.rules().children()[place].id
    }

    /// The start of this child, which is one.
    fn start(&self, place: usize, path: String) -> Step {
        let Task::Start(why) = &self.change.children()[place].task else {
            unreachable!("who is neither left alone nor changed inside is started")
        };
        let because = match why {
            Why::Added => Because::Added,
            Why::Replaced => self.notes[place].because.clone(),
            Why::Shares(id) => {
                let above = path.rsplit_once('/').map_or("", |(above, _)| above);
                Because::Shares(path_below(above, id))
            }
            Why::Down => Because::Down,
            Why::Enabled => Because::NewlyEnabled,
        };
        let address = matches!(why, Why::Replaced | Why::Shares(_)).then(|| self.address(place));
        Step { path, action: Action::Start, because, address }
    }

    /// What becomes of the address of this child, whose life ends.
    fn address(&self, place: usize) -> Address {
        match self.notes[place].keeps_seat {
            true => Address::Kept,
            false => Address::Lost,
        }
    }
}

/// Whether a child of the new specification is the one that stands under its id.
fn liken(stands: Stands, known: &Known, new: &Child) -> (Likeness, Note) {
    let usual = Settings::default();
    let settings = known.settings.as_deref().unwrap_or(&usual);
    let is_seat = new.recipe.is_same(&known.recipe) || new.recipe.in_seat_of(&known.recipe).is_some();
    let is_name = settings.registered == new.settings.registered;
    let supervises = || known.actor.as_ref().is_some_and(|actor| actor.address::<SupervisorMsg>().is_some());
    let revisions = settings.revision.clone().zip(new.settings.revision.clone());
    let (likeness, because) = match revisions {
        _ if stands == Stands::Disabled => (Likeness::Same, Because::Disabled),
        _ if !is_name => (Likeness::Other, Because::OtherName),
        _ if is_seat && new.below.is_some() && stands == Stands::Up && supervises() => {
            (Likeness::Inside, Because::Inside)
        }
        Some((was, is)) if was != is => (Likeness::Other, Because::OtherRevision(was, is)),
        // One that has never been started has no seat yet.
        Some(_) if !is_seat && known.actor.is_some() => (Likeness::Other, Because::OtherSeat),
        Some((revision, _)) => (Likeness::Same, Because::SameRevision(revision)),
        None if new.recipe.is_same(&known.recipe) => (Likeness::Same, Because::SameRecipe),
        None => (Likeness::Other, Because::OtherRecipe),
    };
    let keeps_seat = is_seat && is_name;
    (likeness, Note { because, keeps_seat, settings: settings.differences(&new.settings) })
}

// --- differences in words ------------------------------------------------------------------------------------------

fn differ(differences: &mut Vec<Difference>, what: &'static str, was: String, becomes: String) {
    if was != becomes {
        differences.push(Difference { what, was, becomes });
    }
}

fn in_time(limit: u32, period: Duration) -> String {
    format!("{limit} in {period:?}")
}

fn number(most: usize) -> String {
    if most == usize::MAX { "any number".to_owned() } else { most.to_string() }
}

fn differ_in_news_first(differences: &mut Vec<Difference>, was: bool, new: &Spec) {
    let what = "news first, from each child's next start";
    differ(differences, what, was.to_string(), new.news_first.to_string());
}

fn own_differences(was: Own, new: &Rules) -> Vec<Difference> {
    let mut all = Vec::new();
    if let Some(was) = was.strategy {
        differ(&mut all, "strategy", format!("{was:?}"), format!("{:?}", new.strategy()));
    }
    differ(&mut all, "limit", in_time(was.limit, was.period), in_time(new.limit(), new.period()));
    let shutdowns = (format!("{:?}", was.auto_shutdown), format!("{:?}", new.auto_shutdown()));
    differ(&mut all, "auto-shutdown", shutdowns.0, shutdowns.1);
    differ(&mut all, "most children", number(was.max_children), number(new.max_children()));
    all
}

/// For whom rules hold.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    ForAll,
    ForInstancesToCome,
}

macro_rules! worded {
    ($holds:expr, $what:literal) => {
        match $holds {
            Holds::ForAll => $what,
            Holds::ForInstancesToCome => concat!($what, ", for instances to come"),
        }
    };
}

fn differences_of(
    was: &minder_supervisors_core::ChildRules,
    new: &minder_supervisors_core::ChildRules,
    holds: Holds,
) -> Vec<Difference> {
    let mut all = Vec::new();
    differ(&mut all, worded!(holds, "restart"), format!("{:?}", was.restart), format!("{:?}", new.restart));
    differ(
        &mut all,
        worded!(holds, "shutdown"),
        format!("{:?}", was.shutdown),
        format!("{:?}", new.shutdown),
    );
    differ(&mut all, worded!(holds, "kind"), format!("{:?}", was.kind), format!("{:?}", new.kind));
    differ(&mut all, worded!(holds, "significant"), was.significant.to_string(), new.significant.to_string());
    differ(
        &mut all,
        worded!(holds, "disabled"),
        was.is_disabled().to_string(),
        new.is_disabled().to_string(),
    );
    let needs = |rules: &minder_supervisors_core::ChildRules| match rules.needs() {
        [] => "nobody".to_owned(),
        needs => needs.join(", "),
    };
    differ(&mut all, worded!(holds, "needs"), needs(was), needs(new));
    let policy = |rules: &minder_supervisors_core::ChildRules| {
        let mut policy = rules.policy.as_deref().cloned().unwrap_or_default();
        (policy.disabled, policy.needs) = (false, Default::default());
        if policy == Policy::default() { "none".to_owned() } else { format!("{policy:?}") }
    };
    differ(&mut all, worded!(holds, "policy"), policy(was), policy(new));
    all
}

impl Settings {
    /// What holds from the next start on.
    fn differences(&self, new: &Self) -> Vec<Difference> {
        let mut all = Vec::new();
        let limit =
            |settings: &Self| settings.handler_limit.map_or("none".to_owned(), |limit| format!("{limit:?}"));
        differ(&mut all, "handler limit, from its next start", limit(self), limit(new));
        let queued = |settings: &Self| format!("{:?}", settings.queued);
        differ(&mut all, "queued, from its next start", queued(self), queued(new));
        let drains = |settings: &Self| settings.drains.to_string();
        differ(&mut all, "drain, from its next start", drains(self), drains(new));
        let crashes =
            |settings: &Self| settings.quarantine_after.map_or(3, std::num::NonZeroU8::get).to_string();
        differ(&mut all, "quarantine after, from its next start", crashes(self), crashes(new));
        all
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Stop => "stop",
            Self::Forget => "forget",
            Self::Disable => "disable",
            Self::Start => "start",
            Self::Rules => "rules",
            Self::Move => "move",
            Self::Leave => "leave",
        })
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInSpec => f.write_str("not in the new specification"),
            Self::Added => f.write_str("new"),
            Self::OtherRecipe => f.write_str("another recipe"),
            Self::OtherRevision(was, is) => write!(f, "revision {was} becomes {is}"),
            Self::OtherSeat => f.write_str("another seat"),
            Self::OtherName => f.write_str("registered under another name"),
            Self::Shares(with) => write!(f, "restarted together with {with}"),
            Self::Down => f.write_str("has no process"),
            Self::Changed(differences) => {
                for (place, difference) in differences.iter().enumerate() {
                    let comma = if place == 0 { "" } else { "; " };
                    let Difference { what, was, becomes } = difference;
                    write!(f, "{comma}{what}: {was} becomes {becomes}")?;
                }
                Ok(())
            }
            Self::SameRecipe => f.write_str("the same recipe"),
            Self::SameRevision(revision) => write!(f, "the same revision {revision}"),
            Self::Inside => f.write_str("changed inside, if at all"),
            Self::Disabled => f.write_str("disabled"),
            Self::NewlyDisabled => f.write_str("disabled by the new specification"),
            Self::NewlyEnabled => f.write_str("enabled by the new specification"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "(top)" } else { &self.path };
        write!(f, "{:<6} {path}: {}", self.action, self.because)?;
        match (self.action, self.address) {
            (Action::Stop, Some(Address::Lost)) => f.write_str("; its address is lost"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps();
        let count = |action| steps.iter().filter(|step| step.action == action).count();
        writeln!(
            f,
            "{} to stop, {} to start, {} left alone",
            count(Action::Stop),
            count(Action::Start),
            count(Action::Leave)
        )?;
        steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}
