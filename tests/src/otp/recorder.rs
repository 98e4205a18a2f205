//! What is seen of a run: starts, ends and decisions, in the order in which they happened, written as OTP's trace is.
//! Most of the order means something; the ends of children that are told at once, and of orphans, are sets.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minder::{ActorId, Event, ExitReason, Observer, SupervisorReport};

use super::reasons::shown;

/// What lives at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Worker,
    /// Its termination code never ends.
    HangingWorker,
    Supervisor,
}

/// Whether the place of an event among its neighbours means something.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tag {
    Ordered,
    /// Beneath a dynamic supervisor: its path, and the instance.
    Dynamic(Arc<str>, String),
    Orphan,
}

struct Process {
    path: Arc<str>,
    /// Its supervisor, once that is known to have come up; nothing for the root.
    supervisor: Option<ActorId>,
    role: Role,
    alive: bool,
}

#[derive(Default)]
struct State {
    events: Vec<(Tag, String)>,
    /// How many events there have been.
    version: u64,
    processes: HashMap<ActorId, Process>,
    /// Who lives at each path.
    living: BTreeMap<Arc<str>, ActorId>,
    /// Those whose supervisor is still starting.
    unclaimed: Vec<ActorId>,
    roles: HashMap<Arc<str>, Role>,
    /// The dynamic supervisors, each with the id of its template.
    dynamic: BTreeMap<Arc<str>, Arc<str>>,
    /// Why instances did not end as they were asked to, by their dynamic supervisor, which has yet to report it.
    unreported: HashMap<Arc<str>, Vec<String>>,
    /// Children of a supervisor that were killed for being late.
    late: BTreeSet<(Arc<str>, Arc<str>)>,
}

pub(super) struct Recorder {
    /// The parent's path and a slash: what paths in traces go without.
    above: String,
    reports: bool,
    state: Mutex<State>,
}

impl Recorder {
    pub(super) fn new(parent: &str, reports: bool) -> Self {
        Self { above: format!("{parent}/"), reports, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever starts at this path is that.
    pub(super) fn casts(&self, path: &Arc<str>, role: Role) {
        self.state().roles.insert(path.clone(), role);
    }

    /// The supervisor that starts at this path is dynamic, with this template, or it is none.
    pub(super) fn has_template(&self, path: &Arc<str>, template: Option<&str>) {
        let dynamic = &mut self.state().dynamic;
        match template {
            Some(template) => drop(dynamic.insert(path.clone(), Arc::from(template))),
            None => drop(dynamic.remove(path)),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.state().version
    }

    /// Who lives at the path, and as what.
    pub(super) fn lives_at(&self, path: &str) -> Option<(ActorId, Role)> {
        let state = self.state();
        let id = *state.living.get(path)?;
        Some((id, state.processes[&id].role))
    }

    pub(super) fn is_alive(&self, id: ActorId) -> bool {
        self.state().processes.get(&id).is_some_and(|process| process.alive)
    }

    pub(super) fn living_supervisors(&self) -> Vec<(Arc<str>, ActorId)> {
        let state = self.state();
        let is_supervisor = |id: &ActorId| state.processes[id].role == Role::Supervisor;
        state
            .living
            .iter()
            .filter(|(_, id)| is_supervisor(id))
            .map(|(path, id)| (path.clone(), *id))
            .collect()
    }

    /// Whether an orphan lives that will end.
    pub(super) fn is_any_orphan_ending(&self) -> bool {
        let state = self.state();
        let mut living = state.processes.values().filter(|process| process.alive);
        living.any(|process| process.role != Role::HangingWorker && state.is_orphan(process))
    }

    /// Who lives, by path, orphans too.
    pub(super) fn leaked(&self) -> Vec<Arc<str>> {
        let state = self.state();
        let living = state.processes.values().filter(|process| process.alive);
        let mut paths: Vec<Arc<str>> = living.map(|process| process.path.clone()).collect();
        paths.sort_unstable();
        paths
    }

    /// The first end at this path since that version was caused by the step itself, so that its place means something
    /// even beneath a dynamic supervisor.
    pub(super) fn caused(&self, path: &str, since: u64) {
        let mut state = self.state();
        let first =
            state.events.len().saturating_sub(usize::try_from(state.version - since).unwrap_or(usize::MAX));
        let end = format!("exit {path} ");
        if let Some((tag, _)) = state.events[first..].iter_mut().find(|(_, text)| text.starts_with(&end))
            && matches!(tag, Tag::Dynamic(..))
        {
            *tag = Tag::Ordered;
        }
    }

    /// The lines of what has happened since this was last asked.
    pub(super) fn take(&self) -> Vec<String> {
        lines(std::mem::take(&mut self.state().events))
    }

    fn inside<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&self.above)
    }
}

/// Ends beneath one dynamic supervisor that follow each other: each with its instance.
struct Ends {
    above: Arc<str>,
    texts: Vec<(String, String)>,
}

impl Ends {
    /// Of one instance they are in order; of several they are a set, sorted by instance, in order within each.
    fn lines(mut self) -> Vec<String> {
        let is_set = self.texts.iter().any(|(instance, _)| *instance != self.texts[0].0);
        if !is_set {
            return self.texts.into_iter().map(|(_, text)| text).collect();
        }
        self.texts.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.texts.into_iter().map(|(_, text)| format!("~ {text}")).collect()
    }
}

/// Events as lines; orphans come last, sorted.
fn lines(events: Vec<(Tag, String)>) -> Vec<String> {
    let (mut lines, mut orphans) = (Vec::new(), Vec::new());
    let mut ends: Option<Ends> = None;
    for (tag, text) in events {
        match tag {
            Tag::Orphan => orphans.push(format!("~ {text}")),
            Tag::Ordered => {
                lines.extend(ends.take().into_iter().flat_map(Ends::lines));
                lines.push(text);
            }
            Tag::Dynamic(above, instance) => {
                if let Some(others) = ends.take_if(|ends| ends.above != above) {
                    lines.extend(others.lines());
                }
                ends.get_or_insert_with(|| Ends { above, texts: Vec::new() }).texts.push((instance, text));
            }
        }
    }
    lines.extend(ends.into_iter().flat_map(Ends::lines));
    orphans.sort_unstable();
    lines.extend(orphans);
    lines
}

impl State {
    fn push(&mut self, tag: Tag, text: String) {
        self.version += 1;
        self.events.push((tag, text));
    }

    /// Whether anybody above has ended.
    fn is_orphan(&self, process: &Process) -> bool {
        let above = process.supervisor.and_then(|id| self.processes.get(&id));
        above.is_some_and(|above| !above.alive || self.is_orphan(above))
    }

    /// Ends beneath a dynamic supervisor may be concurrent; the outermost counts.
    fn tag_of(&self, path: &str) -> Tag {
        let below = |above: &Arc<str>| {
            let rest = path.strip_prefix(&**above)?.strip_prefix('/')?;
            let instance = rest.split('/').next().unwrap_or(rest);
            Some(Tag::Dynamic(above.clone(), instance.to_owned()))
        };
        self.dynamic.keys().find_map(below).unwrap_or(Tag::Ordered)
    }

    fn started(&mut self, path: &str, id: ActorId) {
        self.push(Tag::Ordered, format!("start {path} ok"));
        let path: Arc<str> = Arc::from(path);
        let role = self.roles.get(&path).copied().unwrap_or(Role::Worker);
        let above = path.rsplit_once('/').map(|(above, _)| above);
        // An orphan that has not gone yet starts nobody: this is a child of the one that is starting in its stead.
        let supervisor = above.and_then(|above| self.living.get(above)).copied();
        let supervisor = supervisor.filter(|id| !self.is_orphan(&self.processes[id]));
        if supervisor.is_none() && above.is_some() {
            self.unclaimed.push(id);
        }
        self.living.insert(path.clone(), id);
        self.processes.insert(id, Process { path: path.clone(), supervisor, role, alive: true });
        if role == Role::Supervisor {
            let processes = &mut self.processes;
            self.unclaimed.retain(|child| {
                let Some(process) = processes.get_mut(child).filter(|process| process.alive) else {
                    return false;
                };
                let is_mine = process.path.rsplit_once('/').is_some_and(|(above, _)| above == &*path);
                if is_mine {
                    process.supervisor = Some(id);
                }
                !is_mine
            });
        }
    }

    fn ended(&mut self, id: ActorId, reason: &ExitReason) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        process.alive = false;
        let path = process.path.clone();
        if self.living.get(&path) == Some(&id) {
            self.living.remove(&path);
        }
        self.report_the_rest(&path);
        let is_orphan = self.is_orphan(&self.processes[&id]);
        let tag = if is_orphan { Tag::Orphan } else { self.tag_of(&path) };
        self.push(tag, format!("exit {path} {}", shown(reason)));
    }

    /// An instance did not end as it was asked to. If that was a request it is reported with it, else at the end.
    fn ended_otherwise(&mut self, path: &str, child: &str, reason: &str) {
        if self.dynamic.contains_key(path) {
            self.unreported.entry(Arc::from(path)).or_default().push(reason.to_owned());
        } else {
            self.push(Tag::Ordered, format!("report {path} shutdown_error {child} {reason}"));
        }
    }

    /// A dynamic supervisor that ends reports last of those that did not end as they were asked to, one of each reason, in
    /// the order of Erlang's terms: words before compound ones.
    fn report_the_rest(&mut self, path: &str) {
        let Some(template) = self.dynamic.get(path).cloned() else { return };
        let mut reasons = self.unreported.remove(path).unwrap_or_default();
        reasons.sort_by_key(|reason| (reason.starts_with('('), reason.clone()));
        reasons.dedup();
        for reason in reasons {
            self.push(Tag::Ordered, format!("report {path} shutdown_error {template} {reason}"));
        }
    }

    /// What OTP reports of a decision, where it does: of a child that had to be killed when that is gone.
    fn decided(&mut self, path: &str, child: &str, reason: &ExitReason, reports: &[SupervisorReport]) {
        let reason = shown(reason);
        let id = self.dynamic.get(path).cloned().unwrap_or_else(|| Arc::from(child));
        for report in reports {
            match report {
                SupervisorReport::ShutdownError if self.living.contains_key(&*format!("{path}/{child}")) => {
                    self.late.insert((Arc::from(path), Arc::from(child)));
                }
                SupervisorReport::ShutdownError => self.ended_otherwise(path, child, &reason),
                SupervisorReport::Shutdown => {
                    let text = format!("report {path} {report} {id} reached_max_restart_intensity");
                    self.push(Tag::Ordered, text);
                }
                SupervisorReport::ChildTerminated | SupervisorReport::StartError => {
                    self.push(Tag::Ordered, format!("report {path} {report} {id} {reason}"));
                }
            }
        }
    }

    /// An instance was stopped by request.
    fn was_stopped(&mut self, path: &str) {
        if let Some(reason) = self.unreported.get_mut(path).and_then(Vec::pop) {
            let template = self.dynamic.get(path).cloned().expect("only dynamic supervisors put reports off");
            self.push(Tag::Ordered, format!("report {path} shutdown_error {template} {reason}"));
        }
    }
}

impl Observer for Recorder {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Started { path, id } => {
                if let Some(path) = self.inside(path) {
                    self.state().started(path, *id);
                }
            }
            Event::Ignored { path, .. } => {
                if let Some(path) = self.inside(path).filter(|path| *path != "root") {
                    self.state().push(Tag::Ordered, format!("start {path} ignore"));
                }
            }
            Event::Exited { path, id, reason, started, .. } => {
                let Some(path) = self.inside(path) else { return };
                let mut state = self.state();
                match started {
                    // The root is not started by a supervisor, and so no attempt is seen.
                    false if path == "root" => {}
                    false => state.push(Tag::Ordered, format!("start {path} fail {}", shown(reason))),
                    true => state.ended(*id, reason),
                }
                let key = path.rsplit_once('/').map(|(above, child)| (Arc::from(above), Arc::from(child)));
                if let Some(key) = key
                    && state.late.remove(&key)
                    && self.reports
                {
                    let (above, child) = key;
                    state.ended_otherwise(&above, &child, &shown(reason));
                }
            }
            Event::Decided { path, child, decision, reason: Some(reason), reports, .. } if self.reports => {
                let Some(path) = self.inside(path) else { return };
                let mut state = self.state();
                state.decided(path, child, reason, reports);
                if *decision == "forget stopped" {
                    state.was_stopped(path);
                }
            }
            _ => {}
        }
    }
}
