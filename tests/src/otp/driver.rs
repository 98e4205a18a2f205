//! Runs one scenario in a simulation of its own: starts the tree, carries out the steps, and waits after each until nothing
//! more can happen without the next.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{
    ChildInfo, ChildStatus, Counts, DeleteChildError, FindChildError, Kind, RestartChildError,
    StartChildError, StartInstanceError, SupervisorMsg, TerminateChildError, TreeError, Unavailable,
};
use minder::{ActorId, MailboxOptions, StartActorError, WhenFull};
use minder_fault_injection::sim::{Sim, World};

use super::cast::{Parent, ParentMsg, RootStart, Stranger, WorkerMsg};
use super::plan::{AnyTemplate, Stage};
use super::reasons::{Reason, refused, shown};
use super::recorder::{Recorder, Role};
use super::scenario::{Item, Request, Scenario, Step, SupDef};

/// The parent of the root, in paths.
const PARENT: &str = "driver";
/// Longer than anything in a scenario takes.
const DAY: Duration = Duration::from_secs(86_400);

/// What is printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether error reports of supervisors are in the trace.
    pub reports: bool,
}

/// Runs a scenario and returns its trace.
pub fn run(scenario: &Scenario, options: Options) -> String {
    let mut trace = format!("scenario {}\n", scenario.name);
    let run = Sim::fifo().run(|world| async move {
        let mut trace = String::new();
        match Driver::new(world, options).await {
            Ok(mut driver) => driver.play(scenario, &mut trace).await,
            Err(reason) => {
                let _ = writeln!(trace, "!! the parent of the root did not start: {reason}");
            }
        }
        trace
    });
    match run.result {
        Ok(lines) => trace.push_str(&lines),
        Err(error) => {
            let _ = writeln!(trace, "!! {error}");
        }
    }
    trace.push_str("end\n");
    trace
}

struct Driver {
    world: World,
    system: System,
    stage: Arc<Stage>,
    recorder: Arc<Recorder>,
    parent: Addr<ParentMsg>,
    root: Root,
    seat: Option<Seat<SupervisorMsg>>,
    /// Supervisors that were found before, and which incarnation it was.
    found: HashMap<Arc<str>, (ActorId, Root)>,
}

/// The result of a step, or of each item of a batch.
enum Results {
    One(String),
    Each(Vec<String>),
}

/// Who is meant by a path.
enum Who {
    Worker(Addr<WorkerMsg>),
    Supervisor(Root),
}

impl Driver {
    async fn new(world: World, options: Options) -> Result<Self, ExitReason> {
        let recorder = Arc::new(Recorder::new(PARENT, options.reports));
        let system = System::builder().observer(recorder.clone()).build()?;
        let stage = Arc::new(Stage::new(recorder.clone()));
        let (parent, seat) = system.address();
        let (root, root_seat) = system.address_with(MailboxOptions::bounded(1_024, WhenFull::Wait));
        let its_stage = stage.clone();
        let started = system.start(seat, PARENT, move || Parent { stage: its_stage, root: None }).await;
        started.map_err(StartActorError::into_reason)?;
        let root = Root::of(root);
        Ok(Self {
            world,
            system,
            stage,
            recorder,
            parent,
            root,
            seat: Some(root_seat),
            found: HashMap::new(),
        })
    }

    async fn play(&mut self, scenario: &Scenario, trace: &mut String) {
        let result = self.start_root(&scenario.root).await;
        self.end_step("0 (init)", Results::One(result), trace).await;
        for (number, (text, step)) in scenario.steps.iter().enumerate() {
            let results = self.step(step).await;
            self.end_step(&format!("{} {text}", number + 1), results, trace).await;
        }
        let last = Step::ExitRoot(Reason::of("shutdown"));
        let results = self.step(&last).await;
        self.end_step("end (exit_root shutdown)", results, trace).await;
        for path in self.recorder.leaked() {
            let _ = writeln!(trace, "leaked {path}");
        }
    }

    async fn start_root(&mut self, sup: &SupDef) -> String {
        let Some(seat) = self.seat.take() else { return "!! the root is started once".to_owned() };
        let (stage, sup, path) = (self.stage.clone(), sup.clone(), Arc::from("root"));
        let start = ParentMsg::start(seat, move || stage.supervisor(&path, &sup));
        if self.parent.tell(start).is_err() {
            return "!! the parent of the root is gone".to_owned();
        }
        self.world.until(DAY, || self.stage.root_start().is_some()).await;
        match self.stage.root_start() {
            Some(RootStart::Up) => "ok".to_owned(),
            Some(RootStart::Ignored) => "ignore".to_owned(),
            Some(RootStart::Failed(reason)) => format!("error {}", shown(&reason)),
            None => "!! the root neither started nor failed".to_owned(),
        }
    }

    /// Waits until all is quiet, and writes down what has happened.
    async fn end_step(&mut self, title: &str, results: Results, trace: &mut String) {
        self.settle().await;
        let _ = writeln!(trace, "step {title}");
        for line in self.recorder.take() {
            let _ = writeln!(trace, "{line}");
        }
        let _ = match results {
            Results::One(result) => writeln!(trace, "= {result}"),
            Results::Each(results) => results
                .iter()
                .enumerate()
                .try_for_each(|(at, result)| writeln!(trace, "{}= {result}", at + 1)),
        };
    }

    /// Nothing happens without a further step: no supervisor is at something, and no orphan is about to end.
    async fn settle(&mut self) {
        self.world.settle().await;
        loop {
            let before = self.recorder.version();
            for (path, id) in self.recorder.living_supervisors() {
                // A request is answered between operations; should it end instead, that is progress, too.
                if let Some(root) = self.supervisor(&path, id).await {
                    drop(root.count_children().await);
                }
            }
            let recorder = self.recorder.clone();
            self.world.until(DAY, || !recorder.is_any_orphan_ending()).await;
            self.world.settle().await;
            if self.recorder.version() == before {
                return;
            }
        }
    }

    /// The supervisor at this path, if it is this incarnation that lives there.
    async fn supervisor(&mut self, path: &Arc<str>, id: ActorId) -> Option<Root> {
        if let Some((known, root)) = self.found.get(path)
            && *known == id
        {
            return Some(root.clone());
        }
        let root = match path.split_once('/') {
            None => self.root.clone(),
            Some((_, below)) => self.below(below).await?,
        };
        if root.address().id() != id {
            return None;
        }
        self.found.insert(path.clone(), (id, root.clone()));
        Some(root)
    }

    /// The supervisor of this path below the root; its last part may be the label of an instance.
    async fn below(&self, path: &str) -> Option<Root> {
        let mut root = self.root.clone();
        for part in path.split('/') {
            root = match part.starts_with('#') {
                false => root.subtree(part).await.ok()?,
                true => Root::of(instance(&root, part).await?.actor()?.address()?),
            };
        }
        Some(root)
    }

    async fn who(&mut self, path: &str) -> Option<Who> {
        let (id, role) = self.recorder.lives_at(path)?;
        Some(match role {
            Role::Supervisor => Who::Supervisor(self.supervisor(&Arc::from(path), id).await?),
            Role::Worker | Role::HangingWorker => Who::Worker(self.stage.worker(path)?),
        })
    }

    async fn step(&mut self, step: &Step) -> Results {
        Results::One(match step {
            Step::Wait(time) => {
                self.world.advance(*time).await;
                "ok".to_owned()
            }
            Step::Crash(path, reason) => self.crash(path, reason).await,
            Step::Kill(path) => self.kill(path).await,
            Step::Signal(path, reason) => self.signal(path, reason).await,
            Step::Stop(path, reason) => self.stop(path, reason).await,
            Step::ExitRoot(reason) => {
                let Some((id, _)) = self.recorder.lives_at("root") else {
                    return Results::One("noproc".to_owned());
                };
                drop(self.parent.tell(ParentMsg::Exit(reason.exit())));
                self.until_gone(id).await;
                "ok".to_owned()
            }
            Step::Batch(path, items) => match self.who(path).await {
                None => "noproc".to_owned(),
                Some(Who::Worker(_)) => "badarg".to_owned(),
                Some(Who::Supervisor(root)) => return Results::Each(self.batch(path, &root, items).await),
            },
            Step::Request(path, request) => match self.who(path).await {
                None => "noproc".to_owned(),
                Some(Who::Worker(_)) => "badarg".to_owned(),
                Some(Who::Supervisor(root)) => self.request(path, &root, request).await,
            },
        })
    }

    async fn crash(&mut self, path: &str, reason: &Reason) -> String {
        let since = self.recorder.version();
        match self.who(path).await {
            None => return "noproc".to_owned(),
            Some(Who::Supervisor(_)) => return "badarg".to_owned(),
            Some(Who::Worker(worker)) => drop(worker.tell(WorkerMsg::Crash(reason.clone()))),
        }
        self.world.settle().await;
        self.recorder.caused(path, since);
        "ok".to_owned()
    }

    async fn kill(&mut self, path: &str) -> String {
        let since = self.recorder.version();
        match self.who(path).await {
            None => return "noproc".to_owned(),
            Some(Who::Worker(worker)) => worker.kill(),
            Some(Who::Supervisor(root)) => root.address().kill(),
        };
        self.world.settle().await;
        self.recorder.caused(path, since);
        "ok".to_owned()
    }

    async fn signal(&mut self, path: &str, reason: &Reason) -> String {
        if *reason == Reason::of("kill") {
            return self.kill(path).await;
        }
        let since = self.recorder.version();
        match self.who(path).await {
            None => return "noproc".to_owned(),
            Some(Who::Worker(to)) => self.send_signal(to, reason.exit()),
            Some(Who::Supervisor(root)) => self.send_signal(root.address().clone(), reason.exit()),
        }
        self.world.settle().await;
        self.recorder.caused(path, since);
        "ok".to_owned()
    }

    fn send_signal<M: Send + 'static>(&self, to: Addr<M>, reason: ExitReason) {
        drop(self.system.spawn(move || Stranger { to, reason }));
    }

    async fn stop(&mut self, path: &str, reason: &Reason) -> String {
        let Some((id, _)) = self.recorder.lives_at(path) else { return "noproc".to_owned() };
        let since = self.recorder.version();
        match self.who(path).await {
            None => return "noproc".to_owned(),
            Some(Who::Worker(worker)) => drop(worker.tell(WorkerMsg::Stop(reason.exit()))),
            Some(Who::Supervisor(root)) => drop(root.stop(reason.exit()).await),
        }
        self.until_gone(id).await;
        self.recorder.caused(path, since);
        "ok".to_owned()
    }

    async fn until_gone(&self, id: ActorId) {
        self.world.until(DAY, || !self.recorder.is_alive(id)).await;
    }

    /// The supervisor is paused, so that deaths and requests queue up in this order, and goes on afterwards.
    async fn batch(&mut self, path: &str, root: &Root, items: &[Item]) -> Vec<String> {
        enum Result {
            Known(String),
            Asked(minder_fault_injection::sim::Spawned<String>),
        }
        root.address().suspend();
        self.world.settle().await;
        let mut results = Vec::new();
        for item in items {
            results.push(match item {
                Item::Crash(id, reason) => Result::Known(self.crash(&format!("{path}/{id}"), reason).await),
                Item::Kill(id) => Result::Known(self.kill(&format!("{path}/{id}")).await),
                Item::Request(request) => {
                    let asked = self.asked(path, root, request);
                    Result::Asked(self.world.spawn("request", asked))
                }
            });
            self.world.settle().await;
        }
        root.address().resume();
        let mut shown = Vec::new();
        for result in results {
            shown.push(match result {
                Result::Known(result) => result,
                Result::Asked(asked) => asked.await.unwrap_or_else(|panic| format!("!! {panic}")),
            });
        }
        shown
    }

    async fn request(&self, path: &str, root: &Root, request: &Request) -> String {
        self.asked(path, root, request).await
    }

    /// The request as a future that stands for itself.
    fn asked(
        &self,
        path: &str,
        root: &Root,
        request: &Request,
    ) -> impl Future<Output = String> + Send + use<> {
        let (stage, root, request) = (self.stage.clone(), root.clone(), request.clone());
        let path: Arc<str> = path.into();
        async move { ask(&stage, &path, &root, request).await }
    }
}

async fn ask(stage: &Arc<Stage>, path: &Arc<str>, root: &Root, request: Request) -> String {
    match request {
        Request::StartChild(child) => match stage.child(path, &child) {
            Err(why) => format!("error {why}"),
            Ok(child) => match root.start_child(child).await {
                Ok(started) => started_or_not(started.is_some()),
                Err(StartChildError::AlreadyStarted(_)) => "error already_started".to_owned(),
                Err(StartChildError::AlreadyPresent) => "error already_present".to_owned(),
                Err(StartChildError::Invalid(TreeError::Spec { cause, .. })) => {
                    format!("error {}", refused(&cause))
                }
                Err(StartChildError::Failed(reason)) => format!("error start {}", shown(&reason)),
                Err(StartChildError::Unavailable(why)) => unavailable(&why),
                Err(other) => format!("!! {other}"),
            },
        },
        Request::StartDyn(label) => {
            let started = match stage.template(path) {
                None => return "badarg".to_owned(),
                Some(AnyTemplate::Workers(template)) => {
                    root.pool(&template).start(label).await.map(|started| started.is_some())
                }
                Some(AnyTemplate::Trees(template)) => {
                    let at = format!("{path}/{label}");
                    root.pool(&template)
                        .start(label)
                        .await
                        .map(|started| started.map(|address| stage.is_tree_at(&at, address)).is_some())
                }
            };
            match started {
                Ok(up) => started_or_not(up),
                Err(StartInstanceError::Failed(reason)) => format!("error {}", shown(&reason)),
                Err(StartInstanceError::Unavailable(why)) => unavailable(&why),
                Err(other) => format!("!! {other}"),
            }
        }
        Request::Terminate(id) => {
            let terminated = match terminate_instance(stage, path, root, &id).await {
                Some(terminated) => terminated,
                None => root.terminate_child(&id).await,
            };
            match terminated {
                Ok(()) => "ok".to_owned(),
                Err(TerminateChildError::NotFound) => "error not_found".to_owned(),
                Err(TerminateChildError::Dynamic) => "error simple_one_for_one".to_owned(),
                Err(TerminateChildError::Unavailable(why)) => unavailable(&why),
                Err(other) => format!("!! {other}"),
            }
        }
        Request::Restart(id) => match root.restart_child(&id).await {
            Ok(started) => started_or_not(started.is_some()),
            Err(RestartChildError::Running) => "error running".to_owned(),
            Err(RestartChildError::Restarting) => "error restarting".to_owned(),
            Err(RestartChildError::NotFound) => "error not_found".to_owned(),
            Err(RestartChildError::Dynamic) => "error simple_one_for_one".to_owned(),
            Err(RestartChildError::Failed(reason)) => format!("error {}", shown(&reason)),
            Err(RestartChildError::Unavailable(why)) => unavailable(&why),
            Err(other) => format!("!! {other}"),
        },
        Request::Delete(id) => match root.delete_child(&id).await {
            Ok(()) => "ok".to_owned(),
            Err(DeleteChildError::Running) => "error running".to_owned(),
            Err(DeleteChildError::Restarting) => "error restarting".to_owned(),
            Err(DeleteChildError::NotFound) => "error not_found".to_owned(),
            Err(DeleteChildError::Dynamic) => "error simple_one_for_one".to_owned(),
            Err(DeleteChildError::Unavailable(why)) => unavailable(&why),
            Err(other) => format!("!! {other}"),
        },
        Request::Which => match root.which_children().await {
            Ok(children) => listed(&children),
            Err(why) => unavailable(&why),
        },
        Request::Count => match root.count_children().await {
            Ok(Counts { specs, active, supervisors, workers, .. }) => {
                format!("specs:{specs} active:{active} supervisors:{supervisors} workers:{workers}")
            }
            Err(why) => unavailable(&why),
        },
        Request::Spec(id) => match root.child_spec(&id).await {
            Ok(spec) => {
                let restart = match spec.restart {
                    Restart::Permanent => "permanent",
                    Restart::Transient => "transient",
                    Restart::Temporary => "temporary",
                };
                let shutdown = match spec.shutdown {
                    Shutdown::BrutalKill => "brutal_kill".to_owned(),
                    Shutdown::Infinity => "infinity".to_owned(),
                    Shutdown::Within(time) => time.as_millis().to_string(),
                };
                let (kind, significant) = (kind(spec.kind), spec.significant);
                format!("restart:{restart} shutdown:{shutdown} type:{kind} significant:{significant}")
            }
            Err(FindChildError::Unavailable(why)) => unavailable(&why),
            Err(_) => "error not_found".to_owned(),
        },
    }
}

/// A label stands for the last process that had it. Nothing if there never was one.
async fn terminate_instance(
    stage: &Stage,
    path: &str,
    root: &Root,
    label: &str,
) -> Option<Result<(), TerminateChildError>> {
    if !label.starts_with('#') {
        return None;
    }
    match stage.template(path)? {
        AnyTemplate::Workers(template) => {
            let worker = stage.worker(&format!("{path}/{label}"))?;
            Some(root.pool(&template).terminate(&worker).await)
        }
        AnyTemplate::Trees(template) => {
            let tree = stage.tree(&format!("{path}/{label}"))?;
            Some(root.pool(&template).terminate(&tree).await)
        }
    }
}

/// The instance of this label that lives in a dynamic supervisor.
async fn instance(root: &Root, label: &str) -> Option<ChildInfo> {
    let children = root.which_children().await.ok()?;
    children.into_iter().find(|child| name(child).is_some_and(|name| name == label))
}

/// The last part of its path.
fn name(child: &ChildInfo) -> Option<String> {
    child.actor().map(|actor| actor.path().rsplit('/').next().unwrap_or("?").to_owned())
}

fn started_or_not(started: bool) -> String {
    if started { "ok started" } else { "ok undefined" }.to_owned()
}

fn unavailable(why: &Unavailable) -> String {
    match why {
        Unavailable::NotThere => "noproc".to_owned(),
        Unavailable::Ended(reason) => format!("down {}", shown(reason)),
        other => format!("!! {other}"),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Worker => "worker",
        Kind::Supervisor => "supervisor",
    }
}

/// In the order of the answer; instances of a dynamic supervisor, which has no order, by label.
fn listed(children: &[ChildInfo]) -> String {
    let line = |child: &ChildInfo| {
        let id = match &child.id {
            Some(id) => id.to_string(),
            None => name(child).unwrap_or_else(|| "?".to_owned()),
        };
        let state = match child.status {
            ChildStatus::Running(_) => "up",
            ChildStatus::Restarting => "restarting",
            _ => "undefined",
        };
        format!("{id}:{state}:{}", kind(child.kind))
    };
    let mut lines: Vec<String> = children.iter().map(line).collect();
    if children.iter().any(|child| child.id.is_none()) {
        lines.sort_unstable();
    }
    format!("[{}]", lines.join(" "))
}
