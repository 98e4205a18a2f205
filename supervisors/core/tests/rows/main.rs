//! OTP's rows as tables: a header of strategy, limits and children, then one line per event with its commands.
//! Each test names the rows of the conformance table that it shows.
//! Does not look for what nobody thought of; `enumeration.rs` does.

mod dynamic;
mod intensity;
mod requests;
mod retries;
mod significance;
mod start;
mod stopping;
mod strategies;

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    AutoShutdown, ChildRules, ChildState, Command, DynamicRules, DynamicSupervision, Event, Request,
    RequestId, Restart, Rules, Shutdown, Slot, SpecError, StartFailed, Strategy, Supervision, Which,
};
use std::error::Error;
use std::time::Duration;

/// Runs a table with reports left out. See [`run`].
fn check(table: &str) {
    run(table, false);
}

/// Runs a table with reports, written as `(child decision restarts/limit)`.
fn check_with_reports(table: &str) {
    run(table, true);
}

/// ```text
/// one_for_all  1 in 5s  a:perm b:tran:2s c:temp:kill:sig  any     header; the last word is the auto-shutdown
/// b panics     stop c                                             event, then commands; `-` is none
/// ```
/// Without a shutdown setting a child is waited for without limit. Unless the first event is `start`, the supervisor
/// has come up already. Time stands still but for `wait` lines.
fn run(table: &str, reports: bool) {
    let mut lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next().expect("a table has a header").split_whitespace().collect();
    let (mut supervision, mut slots) = match header[0] {
        "dynamic" => (Either::Dynamic(dynamic(&header)), Vec::new()),
        _ => {
            let supervision = Supervision::new(rules(&header).expect("the rules of a table are valid"));
            let named = |slot| (supervision.child(slot).expect("known at first").id.to_string(), slot);
            let slots: Vec<(String, Slot)> = supervision.slots().map(named).collect();
            (Either::Fixed(supervision), slots)
        }
    };
    let mut now = Moment::START;
    let mut lines = lines.peekable();
    let mut commands = Vec::new();
    if !lines.peek().is_some_and(|line| line.starts_with("start")) {
        supervision.handle(Event::Start, now, &mut commands);
        for &(_, slot) in &slots {
            supervision.handle(Event::Started(slot), now, &mut commands);
        }
        assert_eq!(commands.pop(), Some(Command::Ready));
    }
    for line in lines {
        let (event, expected) = line.split_once("  ").unwrap_or_else(|| panic!("two columns: {line}"));
        commands.clear();
        match event.strip_prefix("wait ") {
            Some(time) => now = now + duration(time),
            None => {
                let event = parse(event, &slots);
                // What is added is known by its id from now on, an instance by its number.
                let id = match &event {
                    Event::Asked(_, Request::StartChild(rules)) => Some(rules.id.to_string()),
                    _ => None,
                };
                supervision.handle(event, now, &mut commands);
                for command in &commands {
                    if let Command::Add(slot, _) = command {
                        slots.push((id.clone().unwrap_or_else(|| slot.number().to_string()), *slot));
                    }
                }
            }
        }
        let shown: Vec<String> =
            commands.iter().filter_map(|command| show(command, &slots, now, reports)).collect();
        let shown = if shown.is_empty() { "-".to_string() } else { shown.join(", ") };
        assert_eq!(shown, expected.trim(), "after `{event}` in:\n{table}\n{supervision:#?}");
        supervision.check();
    }
}

/// Whichever kind of supervisor a table is about.
#[derive(Debug)]
enum Either {
    Fixed(Supervision),
    Dynamic(DynamicSupervision),
}

impl Either {
    fn handle(&mut self, event: Event, now: Moment, commands: &mut Vec<Command>) {
        match self {
            Self::Fixed(supervision) => supervision.handle(event, now, commands),
            Self::Dynamic(supervision) => supervision.handle(event, now, commands),
        }
    }

    fn check(&self) {
        match self {
            Self::Fixed(supervision) => supervision.check(),
            Self::Dynamic(supervision) => supervision.check(),
        }
    }
}

/// `dynamic  1 in 5s  template` and, if there is one, the bound on children.
fn dynamic(header: &[&str]) -> DynamicSupervision {
    let ["dynamic", limit, "in", period, template, rest @ ..] = header else {
        panic!("dynamic N in T template: {header:?}")
    };
    let most = rest.first().map_or(usize::MAX, |most| most.parse().expect("a number"));
    let limit = limit.parse().expect("a number");
    DynamicSupervision::new(DynamicRules::new(child(template), limit, duration(period), most).expect("valid"))
}

fn rules(header: &[&str]) -> Result<Rules, SpecError> {
    let [strategy, limit, "in", period, rest @ ..] = header else {
        panic!("strategy N in T children: {header:?}")
    };
    let strategy = match *strategy {
        "one_for_one" => Strategy::OneForOne,
        "one_for_all" => Strategy::OneForAll,
        "rest_for_one" => Strategy::RestForOne,
        other => panic!("no strategy: {other}"),
    };
    let (children, auto_shutdown) = match rest {
        [children @ .., "any"] => (children, AutoShutdown::AnySignificant),
        [children @ .., "all"] => (children, AutoShutdown::AllSignificant),
        children => (children, AutoShutdown::Never),
    };
    let children = children.iter().map(|text| child(text)).collect();
    Rules::new(strategy, limit.parse().expect("a number"), duration(period), auto_shutdown, children)
}

fn child(text: &str) -> ChildRules {
    let mut words = text.split(':');
    let mut rules = ChildRules::worker(words.next().expect("an id"));
    rules.shutdown = Shutdown::Infinity;
    for word in words {
        match word {
            "perm" => rules.restart = Restart::Permanent,
            "tran" => rules.restart = Restart::Transient,
            "temp" => rules.restart = Restart::Temporary,
            "sig" => rules.significant = true,
            "kill" => rules.shutdown = Shutdown::BrutalKill,
            time => rules.shutdown = Shutdown::Within(duration(time)),
        }
    }
    rules
}

/// `5s`, `300ms` or `1ns`.
fn duration(text: &str) -> Duration {
    let digits = text.find(|c: char| !c.is_ascii_digit()).expect("a unit");
    let number: u64 = text[..digits].parse().expect("a number");
    match &text[digits..] {
        "s" => Duration::from_secs(number),
        "ms" => Duration::from_millis(number),
        "ns" => Duration::from_nanos(number),
        unit => panic!("no unit: {unit}"),
    }
}

fn parse(event: &str, slots: &[(String, Slot)]) -> Event {
    let slot = |name: &str| slots.iter().find(|(id, _)| id == name).expect("a child of the header").1;
    let exit = |name, word, charged| Event::Exited { slot: slot(name), reason: reason(word), charged };
    match event.split_whitespace().collect::<Vec<_>>()[..] {
        ["start"] => Event::Start,
        ["end", "late"] => Event::EndDeadline,
        ["ask", number, ref what @ ..] => {
            let which = |name: &str| match slots.iter().find(|(id, _)| id == name) {
                Some((_, slot)) if name.parse::<u64>().is_ok() => Which::Instance(*slot),
                _ => Which::Id(name.into()),
            };
            let request = match *what {
                ["start", text] => Request::StartChild(child(text)),
                ["instance"] => Request::StartInstance,
                ["terminate", name] => Request::TerminateChild(which(name)),
                ["restart", name] => Request::RestartChild(name.into()),
                ["delete", name] => Request::DeleteChild(name.into()),
                _ => panic!("no request: {event}"),
            };
            Event::Asked(RequestId(number.parse().expect("a number")), request)
        }
        ["stop", word] => Event::Stop(reason(word)),
        [name, "up"] => Event::Started(slot(name)),
        [name, "ignores"] => Event::Ignored(slot(name)),
        [name, "fails"] => Event::StartFailed(slot(name), ExitReason::other("boom")),
        [name, "fails", word] => Event::StartFailed(slot(name), reason(word)),
        [name, "late"] => Event::StopDeadline(slot(name)),
        [name, "retry"] => Event::TryAgain(slot(name)),
        [name, "panics"] => exit(name, "panics", true),
        [name, "panics", "uncharged"] => exit(name, "panics", false),
        [name, "exits", word] => exit(name, word, true),
        _ => panic!("no event: {event}"),
    }
}

fn reason(word: &str) -> ExitReason {
    match word {
        "normal" => ExitReason::Normal,
        "shutdown" => ExitReason::Shutdown,
        "killed" => ExitReason::Killed,
        "panics" => ExitReason::Panic(Default::default()),
        "detail" => ExitReason::shutdown_with(std::fmt::Error),
        other => ExitReason::other(other),
    }
}

/// New epochs are shown with the reports: they say nothing of who is started and stopped.
fn show(command: &Command, slots: &[(String, Slot)], now: Moment, reports: bool) -> Option<String> {
    let name = |slot: &Slot| &*slots.iter().find(|(_, known)| known == slot).expect("a slot of the header").0;
    Some(match command {
        Command::Start(slot) => format!("start {}", name(slot)),
        Command::NewEpoch(slot) if reports => format!("epoch {}", name(slot)),
        Command::NewEpoch(_) => return None,
        Command::AskToStop(slot) => format!("stop {}", name(slot)),
        Command::Kill(slot) => format!("kill {}", name(slot)),
        Command::SetDeadline(slot, moment) => format!("deadline {} {:?}", name(slot), moment.since(now)),
        Command::TryAgain(slot) => format!("retry {}", name(slot)),
        Command::Forget(slot) => format!("forget {}", name(slot)),
        Command::Ready => "ready".to_string(),
        Command::Add(slot, _) => format!("add {slot:?}"),
        Command::Answer(RequestId(id), answer) => format!("answer {id} {answer:?}"),
        Command::SetEndDeadline(moment) => format!("end deadline {:?}", moment.since(now)),
        Command::Exit(reason) => format!("exit {reason}"),
        Command::Report(report) if reports => {
            format!("({} {:?} {}/{})", report.child, report.decision, report.restarts, report.limit)
        }
        Command::Report(_) => return None,
    })
}
