//! Runs one scenario in a simulation of its own: carries its steps out one by one, each until nothing more can happen
//! without the next, and writes down what was seen.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use minder::ActorId;
use minder::prelude::*;
use minder_fault_injection::sim::{Policy, Sim, World};

use super::reasons::shown;
use super::scenario::{Act, Scenario, Step, Word};
use super::subject::{Answer, Deed, Heard, Label, Msg, Order, Stage, Subject, Target, Watch};

/// Runs a scenario and returns its trace.
pub fn run(scenario: &Scenario) -> String {
    run_by(Policy::Fifo, scenario)
}

/// [`run`], with its actors scheduled by this policy.
pub fn run_by(policy: Policy, scenario: &Scenario) -> String {
    let mut trace = format!("procs {}\n", scenario.name);
    match left_of_monitors(policy, scenario).and_then(|left| played(policy, scenario, left)) {
        Ok(lines) => trace.push_str(&lines),
        Err(error) => line(&mut trace, format_args!("!! {error}")),
    }
    trace.push_str("end\n");
    trace
}

fn played(policy: Policy, scenario: &Scenario, left: HashMap<usize, Left>) -> Result<String, String> {
    let run = Sim::new(policy).run(|world| async move {
        let mut driver = Driver::new(world, Stage::default(), left)?;
        let mut trace = String::new();
        for (at, (text, step)) in scenario.steps.iter().enumerate() {
            let result = driver.take(at, step).await;
            line(&mut trace, format_args!("step {text}"));
            driver.tell_news(&mut trace);
            line(&mut trace, format_args!("= {result}"));
        }
        Ok::<_, minder::SystemError>(trace)
    });
    let trace = run.result.map_err(|error| error.to_string())?;
    trace.map_err(|error| error.to_string())
}

/// What is left of the monitors that are taken back, by the number of the step that does so.
fn left_of_monitors(policy: Policy, scenario: &Scenario) -> Result<HashMap<usize, Left>, String> {
    let steps = scenario.steps.iter().enumerate();
    let taken_back = steps.filter_map(|(at, (_, step))| match step {
        Step::By(_, Act::Demonitor { label, .. }) => Some((at, label)),
        _ => None,
    });
    taken_back.map(|(at, label)| Ok((at, left_by(policy, &scenario.steps[..=at], label)?))).collect()
}

/// What the last of these steps leaves of a monitor that it takes back, if a `Down` that has come before waits in the
/// mailbox. Actors that hear what comes at once cannot show that, so these hold until it is done.
fn left_by(policy: Policy, steps: &[(String, Step)], label: &Word) -> Result<Left, String> {
    let run = Sim::new(policy).run(|world| async move {
        let stage = Stage { is_held: true, ..Stage::default() };
        let mut driver = Driver::new(world, stage, HashMap::new())?;
        let mut answer = String::new();
        for (at, (_, step)) in steps.iter().enumerate() {
            answer = driver.take(at, step).await;
        }
        let monitor = driver.labels.get(label).and_then(|label| label.monitor);
        for (_, address) in &driver.order {
            drop(address.tell(Msg::LetGo)); // to the dead: fine
        }
        driver.world.settle().await;
        let news = driver.stage.take().news;
        let is_its =
            |heard: &Heard| matches!(heard, Heard::Down { monitor: its, .. } if Some(*its) == monitor);
        let is_heard = news.iter().any(|news| is_its(&news.heard));
        Ok::<_, minder::SystemError>(Left { answer, is_heard })
    });
    let left = run.result.map_err(|error| error.to_string())?;
    left.map_err(|error| error.to_string())
}

/// What is left of a monitor that was taken back.
struct Left {
    /// What came of the step.
    answer: String,
    /// Whether a `Down` of it was heard in spite of it.
    is_heard: bool,
}

struct Driver {
    world: World,
    system: System,
    stage: Arc<Stage>,
    /// In the order in which they were made.
    order: Vec<(Word, Addr<Msg>)>,
    names: HashMap<ActorId, Word>,
    labels: HashMap<Word, Label>,
    left: HashMap<usize, Left>,
    /// The number of the present step.
    at: usize,
}

/// A step uses a name that was never made.
struct Unknown;

impl Driver {
    fn new(world: World, stage: Stage, left: HashMap<usize, Left>) -> Result<Self, minder::SystemError> {
        let stage = Arc::new(stage);
        let system = System::builder().observer(stage.clone()).build()?;
        let (order, names, labels) = Default::default();
        Ok(Self { world, system, stage, order, names, labels, left, at: 0 })
    }

    /// Takes a step to its end; what came of it.
    async fn take(&mut self, at: usize, step: &Step) -> String {
        self.at = at;
        let result = self.step(step).await.unwrap_or_else(|Unknown| "unknown".to_owned());
        self.world.settle().await;
        match self.left.get(&at) {
            Some(left) if left.answer != result => {
                format!("!! {result}, but {} with its mailbox held", left.answer)
            }
            _ => result,
        }
    }

    async fn step(&mut self, step: &Step) -> Result<String, Unknown> {
        Ok(match step {
            Step::Spawn(name) => {
                let stage = self.stage.clone();
                match self.system.spawn(move || Subject::new(stage)) {
                    Ok(address) => self.welcome(name, address),
                    Err(error) => return Ok(format!("!! {error}")),
                }
                "ok".to_owned()
            }
            Step::Whereis(name) => match self.system.whereis::<Msg>(name) {
                Ok(address) => self.name_of(address.id()),
                Err(_) => "undefined".to_owned(),
            },
            Step::Alive(name) => self.address(name)?.is_alive().to_string(),
            Step::By(name, act) => {
                let by = self.address(name)?;
                let message = self.message(name, act)?;
                let asked = by.ask(message).await;
                let answer = match asked {
                    Ok(answer) => answer,
                    Err(AskError::Stopped(..) | AskError::Crashed(_)) => return Ok("dead".to_owned()),
                    Err(error) => return Ok(format!("!! {error}")),
                };
                self.told(answer, act)
            }
        })
    }

    /// What the process is told to do; everything a scenario can ask of minder stands here.
    fn message(&self, by: &Word, act: &Act) -> Result<Order, Unknown> {
        let deed: Deed = match act.clone() {
            Act::Signal(other, why) => {
                let other = self.address(&other)?;
                return Ok(Box::new(move |reply| Msg::Signal(other, why, reply)));
            }
            Act::End(ending) => return Ok(Box::new(move |reply| Msg::End(ending, reply))),
            Act::SpawnLink(_) => {
                let stage = self.stage.clone();
                Box::new(move |_, context| match context.spawn_link(move || Subject::new(stage)) {
                    Ok(address) => Answer::Started(address, None),
                    Err(_) => Answer::Text("!! not started"),
                })
            }
            Act::SpawnMonitor(label, _) => {
                let stage = self.stage.clone();
                Box::new(move |it, context| match context.spawn_monitor(move || Subject::new(stage)) {
                    Ok((address, monitor)) => {
                        let target = Target::Actor(address.id());
                        it.watches.insert(monitor, Watch { label, tag: "DOWN".into(), target });
                        Answer::Started(address, Some(monitor))
                    }
                    Err(_) => Answer::Text("!! not started"),
                })
            }
            Act::Trap(trap) => Box::new(move |_, context| yes_or_no(context.trap_exit(trap))),
            Act::Link(other) => {
                let other = self.address(&other)?;
                Box::new(move |_, context| match context.link(&other) {
                    Ok(()) => Answer::Text("true"),
                    Err(ExitReason::NoActor) => Answer::Text("error noproc"),
                    Err(_) => Answer::Text("!! not linked"),
                })
            }
            Act::Unlink(other) => {
                let other = self.address(&other)?;
                Box::new(move |_, context| {
                    context.unlink(&other);
                    Answer::Text("true")
                })
            }
            Act::Monitor { label, target, tag } => {
                let other = self.address(&target)?;
                Box::new(move |it, context| {
                    let (monitor, target) = (context.monitor(&other), Target::Actor(other.id()));
                    it.watches.insert(monitor, Watch { label, tag, target });
                    Answer::Made(Label { monitor: Some(monitor), alias: None })
                })
            }
            Act::MonitorName(label, name) => Box::new(move |it, context| {
                let monitor = context.monitor_name(name.clone());
                it.watches.insert(monitor, Watch { label, tag: "DOWN".into(), target: Target::Name(name) });
                Answer::Made(Label { monitor: Some(monitor), alias: None })
            }),
            Act::MonitorAlias(label, target, ends) => {
                let other = self.address(&target)?;
                Box::new(move |it, context| {
                    let (monitor, alias) = context.monitor_alias(&other, ends);
                    let target = Target::Actor(other.id());
                    it.watches.insert(monitor, Watch { label, tag: "DOWN".into(), target });
                    Answer::Made(Label { monitor: Some(monitor), alias: Some(alias) })
                })
            }
            Act::Demonitor { label, flush, info } => {
                let label = self.label(&label)?;
                let is_gone = self.left.get(&self.at).is_some_and(|left| !left.is_heard);
                Box::new(move |it, context| {
                    let Some(monitor) = label.monitor else { return yes_or_no(!info) };
                    let had_not_fired =
                        if flush { context.demonitor(monitor) } else { context.demonitor_unflushed(monitor) };
                    it.watches.remove(&monitor);
                    if is_gone {
                        it.forget(monitor, context);
                    }
                    yes_or_no(!info || had_not_fired)
                })
            }
            Act::Alias { once, .. } => Box::new(move |_, context| {
                let alias = if once { context.alias_once() } else { context.alias() };
                Answer::Made(Label { monitor: None, alias: Some(alias) })
            }),
            Act::Unalias(label) => {
                let label = self.label(&label)?;
                Box::new(move |_, context| {
                    yes_or_no(label.alias.is_some_and(|alias| context.unalias(&alias)))
                })
            }
            Act::Send(other, text) => {
                let (other, from) = (self.address(&other)?, by.clone());
                Box::new(move |_, _| {
                    // To the dead: nobody looks, in OTP.
                    drop(other.tell(Msg::Said { from, text }));
                    Answer::Text("ok")
                })
            }
            Act::SendAlias(label, text) => {
                let (label, from) = (self.label(&label)?, by.clone());
                Box::new(move |_, _| {
                    drop(label.alias.map(|alias| alias.tell(Msg::Said { from, text })));
                    Answer::Text("ok")
                })
            }
            Act::SendName(name, text) => {
                let from = by.clone();
                Box::new(move |_, context| match context.system().tell(&name, Msg::Said { from, text }) {
                    Err(minder::NamedTellError::NoAddress(..)) => Answer::Text("error badarg"),
                    _ => Answer::Text("ok"),
                })
            }
            Act::Register(name, other) => {
                let other = self.address(&other)?;
                Box::new(move |_, context| {
                    // In OTP this word says that a name is nobody's, so nobody can have it. Here an error says that.
                    let is_name = &*name != "undefined";
                    let registered = is_name && context.system().register(name, &other).is_ok();
                    Answer::Text(if registered { "true" } else { "error badarg" })
                })
            }
            Act::Unregister(name) => Box::new(move |_, context| {
                let was_there = context.system().unregister(&name);
                Answer::Text(if was_there { "true" } else { "error badarg" })
            }),
            Act::Links => Box::new(|_, context| Answer::Actors(context.links())),
            Act::Monitors => Box::new(|it, context| {
                let monitors = context.monitors();
                let known = monitors.iter().filter_map(|monitor| it.watches.get(monitor));
                Answer::Targets(known.map(|watch| watch.target.clone()).collect())
            }),
            Act::Trapping => Box::new(|_, context| yes_or_no(context.is_trapping())),
        };
        Ok(Box::new(move |reply| Msg::Do(deed, reply)))
    }

    fn told(&mut self, answer: Answer, act: &Act) -> String {
        match (answer, act) {
            (Answer::Text(text), _) => text.to_owned(),
            (Answer::Actors(ids), _) => set(ids.into_iter().map(|id| self.name_of(id))),
            (Answer::Targets(targets), _) => set(targets.iter().map(|target| self.target(target))),
            (
                Answer::Made(made),
                Act::Monitor { label, .. }
                | Act::MonitorName(label, _)
                | Act::MonitorAlias(label, ..)
                | Act::Alias { label, .. },
            ) => {
                self.labels.insert(label.clone(), made);
                "ok".to_owned()
            }
            (Answer::Started(address, _), Act::SpawnLink(name)) => {
                self.welcome(name, address);
                "ok".to_owned()
            }
            (Answer::Started(address, monitor), Act::SpawnMonitor(label, name)) => {
                self.welcome(name, address);
                self.labels.insert(label.clone(), Label { monitor, alias: None });
                "ok".to_owned()
            }
            (Answer::Made(_) | Answer::Started(..), act) => format!("!! no answer to {act:?}"),
        }
    }

    fn welcome(&mut self, name: &Word, address: Addr<Msg>) {
        self.names.insert(address.id(), name.clone());
        self.order.push((name.clone(), address));
    }

    fn address(&self, name: &Word) -> Result<Addr<Msg>, Unknown> {
        let known = self.order.iter().find(|(its, _)| its == name);
        known.map(|(_, address)| address.clone()).ok_or(Unknown)
    }

    fn label(&self, label: &Word) -> Result<Label, Unknown> {
        self.labels.get(label).cloned().ok_or(Unknown)
    }

    // --- what was seen -----------------------------------------------------------------------------------------

    /// Who has ended, and what those that live have heard, in the order in which they were made.
    fn tell_news(&self, trace: &mut String) {
        let seen = self.stage.take();
        for (name, address) in &self.order {
            for (_, reason) in seen.ends.iter().filter(|(id, _)| *id == address.id()) {
                line(trace, format_args!("dead {name} {}", shown(reason)));
            }
        }
        for (name, address) in self.order.iter().filter(|(_, address)| address.is_alive()) {
            let (gone, came): (Vec<_>, Vec<_>) =
                seen.news.iter().filter(|news| news.at == address.id()).partition(|news| news.is_gone);
            for news in gone {
                line(trace, format_args!("{name} -- {}", self.heard(&news.heard)));
            }
            let mut came: Vec<&Heard> = came.into_iter().map(|news| &news.heard).collect();
            // Stable: nothing is promised between senders, and messages of one keep their order.
            came.sort_by_cached_key(|heard| self.rank(heard));
            for heard in came {
                line(trace, format_args!("{name} <- {}", self.heard(heard)));
            }
        }
    }

    /// By sender; of one sender messages before the signals of its end, and those by their text.
    fn rank(&self, heard: &Heard) -> (String, Option<String>) {
        match heard {
            Heard::Msg { from, .. } => (from.to_string(), None),
            Heard::Exit { from, .. } => (self.name_of(*from), Some(self.heard(heard))),
            Heard::Down { target: Target::Actor(id), .. } => (self.name_of(*id), Some(self.heard(heard))),
            // By whom, a name does not say: its monitor stands for it.
            Heard::Down { label, .. } => (label.to_string(), Some(self.heard(heard))),
        }
    }

    fn heard(&self, heard: &Heard) -> String {
        match heard {
            Heard::Msg { from, text } => format!("(msg {from} {text})"),
            Heard::Exit { from, reason } => format!("(EXIT {} {})", self.name_of(*from), shown(reason)),
            Heard::Down { label, tag, target, reason, .. } => {
                format!("({tag} {label} {} {})", self.target(target), shown(reason))
            }
        }
    }

    fn target(&self, target: &Target) -> String {
        match target {
            Target::Actor(id) => self.name_of(*id),
            Target::Name(name) => name.to_string(),
        }
    }

    fn name_of(&self, id: ActorId) -> String {
        self.names.get(&id).map_or_else(|| "?".to_owned(), Word::to_string)
    }
}

fn yes_or_no(yes: bool) -> Answer {
    Answer::Text(if yes { "true" } else { "false" })
}

fn set(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    format!("{{{}}}", names.join(" "))
}

fn line(trace: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(trace, "{line}").expect("a text takes what is written to it");
}
