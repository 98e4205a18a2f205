//! A tree as it is explained: every child in one table, parents before children, siblings in start order.
//! Made of a specification, or of what the supervisors of a running tree say of themselves.
//! Does not draw conclusions; its neighbours do.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use minder_supervisors_core::{AutoShutdown, Backoff, ChildRules, Level, Restart, Strategy};

use super::Regime;
use super::alike::alike;
use crate::child::{Child, Settings};
use crate::errors::{NoSuchPath, Unavailable};
use crate::nearest::nearest;
use crate::question::{Outcome, Question};
use crate::root::Root;
use crate::spec::{Spec, TemplateParts, path_below};

/// The id under which what holds for any instance of a dynamic supervisor stands.
pub(crate) const ANY: &str = "*";

/// All children of a tree. The first is the supervisor at the top.
#[derive(Debug)]
pub(crate) struct Layout {
    nodes: Vec<Node>,
    places: BTreeMap<Arc<str>, usize>,
    /// How many have a process, without the top.
    living: usize,
}

/// One child, and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    /// The ids on the way from the top.
    pub(crate) path: Arc<str>,
    pub(crate) parent: Option<usize>,
    /// Who comes next and is not below it.
    end: usize,
    /// Who is directly below it, in start order.
    pub(crate) children: Vec<usize>,
    pub(crate) rules: ChildRules,
    pub(crate) settings: Settings,
    /// Whether it has a process, in a tree that runs.
    pub(crate) up: bool,
    /// Whether it is not started with its group either.
    pub(crate) disabled: bool,
    /// Whether it needs somebody who is disabled, directly or through others: it is not started before that is enabled.
    pub(crate) in_vain: bool,
    /// How many it stands for.
    pub(crate) count: usize,
    pub(crate) role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Worker,
    /// A supervisor about which nothing is known before it starts.
    Unknown,
    Supervisor(Ruling),
}

/// What a supervisor goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ruling {
    pub(crate) regime: Regime,
    pub(crate) level: Level,
    pub(crate) auto_shutdown: AutoShutdown,
    pub(crate) max_children: usize,
}

impl Node {
    /// Whether it is not started with its group.
    pub(crate) fn is_left_out(&self) -> bool {
        self.disabled || self.in_vain
    }
}

/// A child and what is below it, before it has a place.
pub(crate) struct Part {
    rules: ChildRules,
    settings: Settings,
    up: bool,
    disabled: bool,
    in_vain: bool,
    count: usize,
    role: Role,
    below: Vec<Part>,
}

impl Part {
    fn of_top(spec: &Spec) -> Self {
        Self::supervisor(ChildRules::supervisor(""), Settings::default(), spec)
    }

    fn supervisor(rules: ChildRules, settings: Settings, spec: &Spec) -> Self {
        let mut below: Vec<Self> = match spec.template() {
            Some(TemplateParts { rules, settings, .. }) => {
                vec![Self::instance(any(rules.clone()), settings.clone(), 0)]
            }
            None => spec.children.iter().map(Self::of_child).collect(),
        };
        for child in &mut below {
            child.inherit(spec.backoff.as_deref());
        }
        if spec.is_by_needs() {
            below = after_needs(below);
            below.iter_mut().for_each(|child| child.up &= !child.in_vain);
        }
        let disabled = rules.is_disabled();
        let role = Role::Supervisor(spec.ruling());
        Self { rules, settings, up: !disabled, disabled, in_vain: false, count: 1, role, below }
    }

    fn of_child(child: &Child) -> Self {
        let (rules, settings) = (child.rules.clone(), child.settings.clone());
        match &child.below {
            Some(below) => Self::supervisor(rules, settings, below),
            None => {
                let disabled = rules.is_disabled();
                Self { disabled, ..Self::leaf(rules, settings, !disabled) }
            }
        }
    }

    /// What all children of a supervisor are given, unless they have it already or are never restarted.
    fn inherit(&mut self, backoff: Option<&Backoff>) {
        if let Some(backoff) = backoff.filter(|_| self.rules.restart != Restart::Temporary) {
            self.rules.policy_mut().backoff.get_or_insert(*backoff);
        }
    }

    fn leaf(rules: ChildRules, settings: Settings, up: bool) -> Self {
        let role = match rules.kind {
            crate::Kind::Worker => Role::Worker,
            crate::Kind::Supervisor => Role::Unknown,
        };
        Self { rules, settings, up, disabled: false, in_vain: false, count: 1, role, below: Vec::new() }
    }

    /// Any child of a dynamic supervisor that goes by these, of which there are so many.
    fn instance(rules: ChildRules, settings: Settings, count: usize) -> Self {
        Self { count, ..Self::leaf(rules, settings, true) }
    }
}

/// The rules of any instance of a template.
pub(crate) fn any(template: ChildRules) -> ChildRules {
    ChildRules { id: Arc::from(ANY), ..template }
}

/// What a running supervisor says of itself.
pub(crate) struct Described {
    pub(crate) ruling: Ruling,
    pub(crate) children: Vec<DescribedChild>,
}

pub(crate) struct DescribedChild {
    pub(crate) rules: ChildRules,
    pub(crate) settings: Settings,
    pub(crate) up: bool,
    pub(crate) disabled: bool,
    /// How many it stands for: the children of a dynamic supervisor are not described one by one.
    pub(crate) instances: Option<usize>,
    /// Its root, if it is a supervisor and up.
    pub(crate) below: Option<Root>,
}

impl DescribedChild {
    /// So many children of a dynamic supervisor that go by these.
    pub(crate) fn kind(rules: ChildRules, settings: Settings, count: usize) -> Self {
        Self { rules, settings, up: true, disabled: false, instances: Some(count), below: None }
    }

    /// Children of a dynamic supervisor, each by its own rules and settings: those alike as one, in the order of the first.
    pub(crate) fn kinds<'a>(
        children: impl Iterator<Item = (&'a ChildRules, Option<&'a Settings>)>,
    ) -> Vec<Self> {
        let of_many = |(rules, settings): (&'a ChildRules, Option<&Settings>)| {
            (rules, settings.map(Settings::of_many).unwrap_or_default())
        };
        let kinds = alike(children.map(of_many)).into_iter();
        kinds.map(|((rules, settings), count)| Self::kind(rules.clone(), settings, count)).collect()
    }
}

type Gathered = Pin<Box<dyn Future<Output = Result<Part, Unavailable>> + Send>>;

/// Asks this supervisor and all below it, one after the other. One below that ends meanwhile is down.
fn gather(root: Root, rules: ChildRules, settings: Settings) -> Gathered {
    Box::pin(async move {
        let described = match root.ask(Question::Describe).await? {
            Outcome::Described(described) => *described,
            other => other.out_of_place("describe"),
        };
        let mut below = Vec::with_capacity(described.children.len());
        for DescribedChild { rules, settings, up, disabled, instances, below: root } in described.children {
            let part = match (root, instances) {
                (Some(root), _) => match gather(root, rules.clone(), settings.clone()).await {
                    Ok(part) => part,
                    Err(_) => Part::leaf(rules, settings, false),
                },
                (None, Some(count)) => Part::instance(rules, settings, count),
                (None, None) => Part::leaf(rules, settings, up),
            };
            below.push(Part { disabled, ..part });
        }
        if described.ruling.regime == Regime::ByNeeds {
            below = after_needs(below);
        }
        let role = Role::Supervisor(described.ruling);
        Ok(Part { rules, settings, up: true, disabled: false, in_vain: false, count: 1, role, below })
    })
}

/// Each after what it needs; of several that could come next, the first. What goes round in a circle stays as it is. Whoever
/// needs somebody who is disabled is found out on the way.
fn after_needs(mut left: Vec<Part>) -> Vec<Part> {
    let needs = |part: &Part, other: &Part| part.rules.needs().contains(&other.rules.id);
    let mut sorted: Vec<Part> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |part: &Part| left.iter().any(|other| needs(part, other));
        let next = left.iter().position(|part| !waits(part)).unwrap_or(0);
        let mut next = left.remove(next);
        next.in_vain = sorted.iter().any(|other| (other.disabled || other.in_vain) && needs(&next, other));
        sorted.push(next);
    }
    sorted
}

impl Layout {
    pub(crate) fn of(spec: &Spec) -> Self {
        Self::new(Part::of_top(spec))
    }

    pub(crate) async fn of_running(root: &Root) -> Result<Self, Unavailable> {
        Ok(Self::new(gather(root.clone(), ChildRules::supervisor(""), Settings::default()).await?))
    }

    fn new(top: Part) -> Self {
        let mut layout = Self { nodes: Vec::new(), places: BTreeMap::new(), living: 0 };
        layout.add(top, None);
        layout.living = layout.living(layout.below_top());
        layout
    }

    fn add(&mut self, part: Part, parent: Option<usize>) -> usize {
        let Part { rules, settings, up, disabled, in_vain, count, role, below } = part;
        // Nobody is up below somebody who is not.
        let up = up && parent.is_none_or(|parent| self.nodes[parent].up);
        let path: Arc<str> = match parent {
            Some(parent) => Arc::from(path_below(&self.nodes[parent].path, &rules.id)),
            None => Arc::from(""),
        };
        let place = self.nodes.len();
        // Of the kinds below a dynamic supervisor several may have the same id: the first is found.
        self.places.entry(path.clone()).or_insert(place);
        let (end, children) = (place + 1, Vec::new());
        self.nodes.push(Node {
            path,
            parent,
            end,
            children,
            rules,
            settings,
            up,
            disabled,
            in_vain,
            count,
            role,
        });
        self.nodes[place].children = below.into_iter().map(|child| self.add(child, Some(place))).collect();
        self.nodes[place].end = self.nodes.len();
        place
    }

    pub(crate) fn at(&self, place: usize) -> &Node {
        &self.nodes[place]
    }

    /// Everybody, parents before children.
    pub(crate) fn all(&self) -> Range<usize> {
        0..self.nodes.len()
    }

    /// Everybody but the top.
    pub(crate) fn below_top(&self) -> Range<usize> {
        1..self.nodes.len()
    }

    /// This one and all below it.
    pub(crate) fn subtree(&self, place: usize) -> Range<usize> {
        place..self.nodes[place].end
    }

    /// The supervisors above, the nearest first.
    pub(crate) fn above(&self, place: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.nodes[place].parent, |above| self.nodes[*above].parent)
    }

    /// What this one goes by, if it is a supervisor that is known.
    pub(crate) fn ruling(&self, place: usize) -> Option<&Ruling> {
        match &self.nodes[place].role {
            Role::Supervisor(ruling) => Some(ruling),
            Role::Worker | Role::Unknown => None,
        }
    }

    /// All supervisors that are known.
    pub(crate) fn supervisors(&self) -> impl Iterator<Item = (usize, &Ruling)> {
        self.all().filter_map(|place| Some((place, self.ruling(place)?)))
    }

    /// What the supervisor above this child goes by.
    pub(crate) fn ruling_above(&self, place: usize) -> Option<&Ruling> {
        self.ruling(self.nodes[place].parent?)
    }

    /// Who is started again when this child is, itself among them, in start order.
    pub(crate) fn group(&self, place: usize) -> Cow<'_, [usize]> {
        let Some((parent, ruling)) = self.nodes[place].parent.zip(self.ruling_above(place)) else {
            return Cow::default();
        };
        let siblings = &self.nodes[parent].children;
        let own = siblings.partition_point(|sibling| *sibling < place);
        Cow::Borrowed(match ruling.regime {
            Regime::Fixed(Strategy::OneForAll) => siblings,
            Regime::Fixed(Strategy::RestForOne) => &siblings[own..],
            Regime::Fixed(Strategy::OneForOne) | Regime::Dynamic => &siblings[own..=own],
            Regime::ByNeeds => return Cow::Owned(self.dependents(&siblings[own..])),
        })
    }

    /// The first of these siblings and those of the others who need it, directly or through each other.
    fn dependents(&self, siblings: &[usize]) -> Vec<usize> {
        let mut group: Vec<usize> = Vec::new();
        for sibling in siblings {
            // Nobody stands before what it needs.
            let needs =
                |member: &usize| self.nodes[*sibling].rules.needs().contains(&self.nodes[*member].rules.id);
            if group.is_empty() || group.iter().any(needs) {
                group.push(*sibling);
            }
        }
        group
    }

    /// How many children have a process.
    pub(crate) fn all_living(&self) -> usize {
        self.living
    }

    /// How many children these stand for that have a process.
    pub(crate) fn living(&self, places: impl IntoIterator<Item = usize>) -> usize {
        places.into_iter().map(|place| &self.nodes[place]).filter(|node| node.up).map(|node| node.count).sum()
    }

    /// Who is meant. Below a supervisor of which nothing is known beforehand, or among the instances of a dynamic one, any
    /// id will do.
    pub(crate) fn find(&self, path: &str) -> Result<usize, NoSuchPath> {
        if let Some(place) = self.places.get(path) {
            return Ok(*place);
        }
        let mut shorter = path;
        while let Some((before, _)) = shorter.rsplit_once('/') {
            shorter = before;
            if let Some(place) = self.places.get(&*path_below(shorter, ANY)) {
                return Ok(*place);
            }
            if let Some(place) = self.places.get(shorter)
                && self.is_open(*place)
            {
                return Ok(*place);
            }
        }
        Err(self.no_such_path(path))
    }

    /// Whether there may be children below this one of which nothing is known.
    fn is_open(&self, place: usize) -> bool {
        match &self.nodes[place].role {
            Role::Worker => false,
            Role::Unknown => true,
            Role::Supervisor(ruling) => ruling.regime == Regime::Dynamic,
        }
    }

    pub(crate) fn no_such_path(&self, path: &str) -> NoSuchPath {
        NoSuchPath { path: Arc::from(path), nearest: nearest(path, self.places.keys()).cloned() }
    }

    /// Whether this one's end, if it is not abnormal or it is temporary, is its supervisor's too, as far as can be said
    /// beforehand: it is the only one that counts, or one is enough.
    pub(crate) fn is_decisive(&self, place: usize) -> bool {
        let Some((parent, ruling)) = self.nodes[place].parent.zip(self.ruling_above(place)) else {
            return false;
        };
        let counts = |sibling: &&usize| self.nodes[**sibling].rules.significant;
        self.nodes[place].rules.significant
            && match ruling.auto_shutdown {
                AutoShutdown::Never => false,
                AutoShutdown::AnySignificant => true,
                AutoShutdown::AllSignificant => {
                    self.nodes[parent].children.iter().filter(counts).count() == 1
                }
            }
    }

    /// Whom this supervisor starts again when they crash.
    pub(crate) fn restarted_below(&self, place: usize) -> impl Iterator<Item = usize> {
        let children = self.nodes[place].children.iter().copied();
        children.filter(|child| self.nodes[*child].rules.restart != Restart::Temporary)
    }
}
