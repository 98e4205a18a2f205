//! From what is written to what is started: specifications and children, with values that no supervisor accepts refused
//! here where types leave no room for them, in OTP's words.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minder::ExitReason;
use minder::prelude::*;
use minder::supervisors::{AutoShutdown, Kind, Supervisor, SupervisorMsg, tree_from};

use super::cast::{RootStart, Worker, WorkerMsg};
use super::reasons::Term;
use super::recorder::{Recorder, Role};
use super::scenario::{ChildDef, Outcome, StopTime, SupDef};

/// A child or a template with what a scenario says of it, and nothing else.
macro_rules! given {
    ($it:expr, $fields:ident) => {{
        let mut it = $it;
        if let Some(restart) = $fields.restart {
            it = it.restart(restart);
        }
        if let Some(shutdown) = $fields.shutdown {
            it = it.shutdown(shutdown);
        }
        if let Some(kind) = $fields.kind {
            it = it.kind(kind);
        }
        it
    }};
}

/// What the actors of one scenario share.
pub(super) struct Stage {
    pub(super) recorder: Arc<Recorder>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How often each path was attempted to be started.
    attempts: HashMap<Arc<str>, usize>,
    /// Where the last worker of each path lives.
    workers: HashMap<Arc<str>, Addr<WorkerMsg>>,
    /// Where the last instance of each path lives, of those that are supervisors.
    trees: HashMap<Arc<str>, Addr<SupervisorMsg>>,
    /// The template of each dynamic supervisor, by its path.
    templates: HashMap<Arc<str>, AnyTemplate>,
    root: Option<RootStart>,
}

/// The template of a dynamic supervisor; an instance's argument is its label.
#[derive(Clone)]
pub(super) enum AnyTemplate {
    Workers(Template<String, WorkerMsg>),
    Trees(Template<String, SupervisorMsg>),
}

impl Stage {
    pub(super) fn new(recorder: Arc<Recorder>) -> Self {
        Self { recorder, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_at(&self, path: &Arc<str>, address: Addr<WorkerMsg>) {
        self.state().workers.insert(path.clone(), address);
    }

    pub(super) fn worker(&self, path: &str) -> Option<Addr<WorkerMsg>> {
        self.state().workers.get(path).cloned()
    }

    pub(super) fn is_tree_at(&self, path: &str, address: Addr<SupervisorMsg>) {
        self.state().trees.insert(path.into(), address);
    }

    pub(super) fn tree(&self, path: &str) -> Option<Addr<SupervisorMsg>> {
        self.state().trees.get(path).cloned()
    }

    pub(super) fn template(&self, path: &str) -> Option<AnyTemplate> {
        self.state().templates.get(path).cloned()
    }

    pub(super) fn root_started(&self, how: RootStart) {
        self.state().root = Some(how);
    }

    pub(super) fn root_start(&self) -> Option<RootStart> {
        self.state().root.clone()
    }

    /// What the next attempt to start this path does.
    fn outcome(&self, path: &Arc<str>, starts: &[Outcome]) -> Outcome {
        let mut state = self.state();
        let attempt = state.attempts.entry(path.clone()).or_default();
        let outcome = starts.get(*attempt).or(starts.last()).cloned().unwrap_or(Outcome::Ok);
        *attempt += 1;
        outcome
    }

    /// The specification of the supervisor at this path.
    fn spec(self: &Arc<Self>, path: &Arc<str>, sup: &SupDef) -> Result<Spec, ExitReason> {
        let refuse = |why: String| ExitReason::error(Term(why));
        let flag = |what: &str, word: &str| refuse(format!("(supervisor_data (invalid_{what} {word}))"));
        let strategy = match sup.strategy.as_deref() {
            None | Some("one_for_one" | "simple_one_for_one") => one_for_one(),
            Some("one_for_all") => one_for_all(),
            Some("rest_for_one") => rest_for_one(),
            Some(other) => return Err(flag("strategy", other)),
        };
        // Both are given at once; of what a scenario leaves out, one alone is OTP's.
        let limit: u32 = number(sup.intensity.as_deref(), 1).map_err(|word| flag("intensity", word))?;
        let period: u64 = number(sup.period.as_deref(), 5).map_err(|word| flag("period", word))?;
        let auto_shutdown = match sup.auto_shutdown.as_deref() {
            None => None,
            Some("never") => Some(AutoShutdown::Never),
            Some("any_significant") => Some(AutoShutdown::AnySignificant),
            Some("all_significant") => Some(AutoShutdown::AllSignificant),
            Some(other) => return Err(flag("auto_shutdown", other)),
        };
        let spec = match (sup.is_dynamic(), &sup.children[..]) {
            (true, [template]) => match self.template_for(path, template) {
                Ok(AnyTemplate::Workers(template)) => dynamic(&template),
                Ok(AnyTemplate::Trees(template)) => dynamic(&template),
                Err(why) => return Err(refuse(format!("(start_spec {why})"))),
            },
            (true, _) => return Err(refuse("(bad_start_spec)".to_owned())),
            (false, children) => {
                let child = |child| self.child(path, child);
                let children: Result<Vec<_>, String> = children.iter().map(child).collect();
                strategy.children(children.map_err(|why| refuse(format!("(start_spec {why})")))?)
            }
        };
        let spec = match (&sup.intensity, &sup.period) {
            (None, None) => spec,
            _ => spec.limit(limit, Duration::from_secs(period)),
        };
        Ok(match auto_shutdown {
            None => spec,
            Some(when) => spec.auto_shutdown(when),
        })
    }

    /// The same template over all lives of its supervisor, so that whoever starts instances has it too.
    fn template_for(self: &Arc<Self>, path: &Arc<str>, child: &ChildDef) -> Result<AnyTemplate, String> {
        if let Some(template) = self.template(path) {
            return Ok(template);
        }
        let fields = Fields::of(child, Kind::Worker)?;
        let id = child.id.as_deref().ok_or("missing_id")?;
        let (stage, above, def) = (self.clone(), path.clone(), child.clone());
        let name = |label: &String| label.clone();
        let template = match &child.sup {
            None => {
                let make = move |label: String| stage.worker_at(&format!("{above}/{label}").into(), &def);
                let template = minder::supervisors::template(id, make).name(name);
                AnyTemplate::Workers(given!(template, fields))
            }
            Some(_) => {
                let make = move |label: String| stage.supervisor_at(&format!("{above}/{label}").into(), &def);
                let template = minder::supervisors::template(id, make).name(name).purge();
                AnyTemplate::Trees(given!(template, fields))
            }
        };
        self.state().templates.insert(path.clone(), template.clone());
        Ok(template)
    }

    /// A child of the supervisor at this path.
    ///
    /// # Errors
    /// What OTP says to a value that the types here have no room for.
    pub(super) fn child(self: &Arc<Self>, above: &str, def: &ChildDef) -> Result<Child, String> {
        let id = def.id.as_deref().ok_or("missing_id")?;
        let made_as = if def.sup.is_some() { Kind::Supervisor } else { Kind::Worker };
        let fields = Fields::of(def, made_as)?;
        let path: Arc<str> = format!("{above}/{id}").into();
        let (stage, made) = (self.clone(), def.clone());
        let child = match &def.sup {
            None => minder::supervisors::actor(id, move || stage.worker_at(&path, &made)),
            Some(_) => tree_from(id, move || stage.supervisor_at(&path, &made)),
        };
        let child = given!(child, fields);
        Ok(match fields.significant {
            None => child,
            Some(significant) => child.significant(significant),
        })
    }

    fn worker_at(self: &Arc<Self>, path: &Arc<str>, def: &ChildDef) -> Result<Option<Worker>, ExitReason> {
        let hangs = def.traps && def.stop == StopTime::Hangs;
        self.recorder.casts(path, if hangs { Role::HangingWorker } else { Role::Worker });
        match self.outcome(path, &def.starts) {
            Outcome::Fail(reason) => Err(reason.exit()),
            Outcome::Raise => panic!("boom"),
            Outcome::Ignore => Ok(None),
            Outcome::Ok => Ok(Some(Worker {
                stage: self.clone(),
                path: path.clone(),
                traps: def.traps,
                stop: def.stop,
                crashing: false,
            })),
        }
    }

    fn supervisor_at(
        self: &Arc<Self>,
        path: &Arc<str>,
        def: &ChildDef,
    ) -> Result<Option<Supervisor>, ExitReason> {
        self.recorder.casts(path, Role::Supervisor);
        let sup = def.sup.as_ref().expect("only a supervisor is started as one");
        match self.outcome(path, &def.starts) {
            Outcome::Fail(reason) => Err(reason.exit()),
            Outcome::Raise => panic!("boom"),
            Outcome::Ignore => Ok(None),
            Outcome::Ok => self.supervisor(path, sup),
        }
    }

    /// The supervisor at this path, or what its `init` says instead.
    pub(super) fn supervisor(
        self: &Arc<Self>,
        path: &Arc<str>,
        sup: &SupDef,
    ) -> Result<Option<Supervisor>, ExitReason> {
        self.recorder.casts(path, Role::Supervisor);
        let template =
            sup.children.first().and_then(|child| child.id.as_deref()).filter(|_| sup.is_dynamic());
        self.recorder.has_template(path, template);
        match sup.init.as_deref() {
            Some("ignore") => Ok(None),
            Some("raise") => panic!("boom"),
            Some("bad") => Err(ExitReason::error(Term("(bad_return)".to_owned()))),
            _ => Ok(Some(Supervisor::new(&self.spec(path, sup)?)?)),
        }
    }
}

/// The fields of a child that have defaults.
/// What a scenario says of a child; what it leaves out is not passed on.
struct Fields {
    restart: Option<Restart>,
    shutdown: Option<Shutdown>,
    kind: Option<Kind>,
    significant: Option<bool>,
}

impl Fields {
    /// `made_as`: what a child is taken for here by how it is made. In OTP it is a worker unless it is said to be none,
    /// whatever it runs.
    fn of(def: &ChildDef, made_as: Kind) -> Result<Self, String> {
        let restart = match def.restart.as_deref() {
            None => None,
            Some("permanent") => Some(Restart::Permanent),
            Some("transient") => Some(Restart::Transient),
            Some("temporary") => Some(Restart::Temporary),
            Some(other) => return Err(format!("(invalid_restart_type {other})")),
        };
        let kind = match def.kind.as_deref() {
            None | Some("worker") => Kind::Worker,
            Some("supervisor") => Kind::Supervisor,
            Some(other) => return Err(format!("(invalid_child_type {other})")),
        };
        let significant = match def.significant.as_deref() {
            None => None,
            Some("false") => Some(false),
            Some("true") => Some(true),
            Some(other) => return Err(format!("(invalid_significant {other})")),
        };
        let shutdown = match (def.shutdown.as_deref(), kind) {
            (None, _) if kind == made_as => None,
            (None, Kind::Worker) => Some(Shutdown::Within(Duration::from_secs(5))),
            (None, Kind::Supervisor) => Some(Shutdown::Infinity),
            (Some("infinity"), _) => Some(Shutdown::Infinity),
            (Some("brutal_kill"), _) => Some(Shutdown::BrutalKill),
            (Some(word), _) => {
                let millis = word.parse().map_err(|_| format!("(invalid_shutdown {word})"))?;
                Some(Shutdown::Within(Duration::from_millis(millis)))
            }
        };
        let kind = (def.kind.is_some() || kind != made_as).then_some(kind);
        Ok(Self { restart, shutdown, kind, significant })
    }
}

/// The number that this word is, or the word.
fn number<T: FromStr>(word: Option<&str>, default: T) -> Result<T, &str> {
    word.map_or(Ok(default), |word| word.parse().map_err(|_| word))
}
