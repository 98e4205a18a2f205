//! OTP's rows as tables: a header of strategy, limits and children, then one line per event with its commands.
//! Each test names the rows of the conformance table that it shows.
//! Does not look for what nobody thought of; `enumeration.rs` does.

mod apply;
mod dynamic;
mod dynamic_children;
mod graph;
mod intensity;
mod listing;
mod policies;
mod readiness;
mod reports;
mod requests;
mod retries;
mod significance;
mod start;
mod stopping;
mod strategies;

use minder_signals::{ExitReason, Moment};
use minder_supervisors_core::{
    Answer, AutoShutdown, Backoff, Budget, Change, ChildRules, ChildState, Command, DynamicRules,
    DynamicSupervision, Event, Exhausted, GraphSupervision, InARow, Likeness, NeedsRules, Outline,
    ReportsReady, Request, RequestId, Restart, Rules, Shutdown, Slot, SpecError, Standing, StartFailed,
    Strategy, Supervision, Ticket, Which,
};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::Duration;

/// Runs a table with reports left out. See [`run`].
fn check(table: &str) {
    run_each(table, Told::Nothing);
}

/// Runs a table with reports, written as `(child decision restarts/limit)`.
fn check_with_reports(table: &str) {
    run_each(table, Told::Decisions);
}

/// Runs a table with those decisions that OTP reports, written as `(child reports)`.
fn check_with_otp_reports(table: &str) {
    run_each(table, Told::OtpReports);
}

/// What a table shows beside commands.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    Nothing,
    Decisions,
    OtpReports,
}

/// Runs a table under each of the strategies that it is for: `one_for_one|by_needs  1 in 5s  a:perm`.
fn run_each(table: &str, told: Told) {
    let (strategies, rest) = table.trim_start().split_once(' ').expect("a table has a header");
    for strategy in strategies.split('|') {
        run(&format!("{strategy} {rest}"), told);
    }
}

/// ```text
/// one_for_all  1 in 5s  a:perm b:tran:2s c:temp:kill:sig  any     header; the last word is the auto-shutdown, or `most=9`
/// b panics     stop c                                             event, then commands; `-` is none
/// ```
/// `ask 1 change one_for_all  1 in 5s  a:perm b:new` asks for other rules; a child with `new` has another recipe, one
/// with `in` is changed inside; `same` stands for the strategy that there is. Of `ask 1 part …` each part is asked for on its own, with `next 2`.
/// Without a shutdown setting a child is waited for without limit. Unless the first event is `start`, the supervisor
/// has come up already. Time stands still but for `wait` lines.
///
/// Beyond OTP a child may have, between colons, `backoff=1s/4s/10s` (first, cap, reset, no jitter), `limit=2/30s`,
/// `row=2/10s`, `down` (left down when exhausted) and `off` (disabled); under `by_needs` also `needs=a/b`. `a due 0` is the time of the first wait, whoever's
/// account that was on.
fn run(table: &str, told: Told) {
    let mut lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next().expect("a table has a header").split_whitespace().collect();
    let (mut supervision, mut slots) = match header[0] {
        "dynamic" => (Either::Dynamic(dynamic(&header)), Vec::new()),
        "by_needs" => {
            let rules = needs_rules(&header).expect("the rules of a table are valid");
            let supervision = Either::ByNeeds(GraphSupervision::new(rules));
            let slots = supervision.named();
            (supervision, slots)
        }
        _ => {
            let supervision = Supervision::new(rules(&header).expect("the rules of a table are valid"));
            let supervision = Either::Fixed(supervision);
            let slots = supervision.named();
            (supervision, slots)
        }
    };
    let mut now = Moment::START;
    let mut lines = lines.peekable();
    let (mut changes, mut ids) = (BTreeMap::new(), Vec::<String>::new());
    let (mut commands, mut tickets) = (Vec::new(), Vec::new());
    if !lines.peek().is_some_and(|line| line.starts_with("start")) {
        supervision.handle(Event::Start, now, &mut commands);
        let mut next = 0;
        while let Some(command) = commands.get(next).cloned() {
            next += 1;
            if let Command::Start(slot) = command {
                supervision.handle(Event::Started(slot), now, &mut commands);
            }
        }
        let is_up = matches!(supervision, Either::Dynamic(_)) || commands.contains(&Command::Ready);
        assert!(is_up, "{supervision:#?}");
    }
    for line in lines {
        // New rules are written with double spaces too: there the commands are what comes after the last of them.
        let columns = if is_change(line) { line.rsplit_once("  ") } else { line.split_once("  ") };
        let (event, expected) = columns.unwrap_or_else(|| panic!("two columns: {line}"));
        let event = event.trim();
        commands.clear();
        if event == "waits" {
            assert_eq!(supervision.waits(&slots), expected.trim(), "in:\n{table}\n{supervision:#?}");
            continue;
        }
        match event.strip_prefix("wait ") {
            Some(time) => now = now + duration(time),
            None => {
                let event = parse(event, &slots, &tickets);
                // What is added is known by its id from now on, a child of a dynamic supervisor by its number.
                let id = match (&event, &supervision) {
                    (Event::Asked(..), Either::Dynamic(_)) => None,
                    (Event::Asked(_, Request::StartChild(rules)), _) => Some(rules.id.to_string()),
                    _ => None,
                };
                if let Event::Asked(request, Request::Change { .. }) = event {
                    changes.insert(request, line);
                }
                supervision.handle(event, now, &mut commands);
                while let Some(Command::Compare(request)) = commands.last() {
                    let line = changes.remove(request).expect("it was asked for");
                    let change = change(line, &supervision.outline());
                    ids = change.rules().children().iter().map(|child| child.id.to_string()).collect();
                    commands.pop();
                    supervision.handle(Event::Compared(Box::new(Ok(change))), now, &mut commands);
                }
                for command in &commands {
                    match command {
                        Command::Rearrange(_, seats) => {
                            slots.extend(ids.iter().cloned().zip(seats.iter().map(|(slot, _)| *slot)));
                        }
                        Command::Add(slot, _) => {
                            slots.push((id.clone().unwrap_or_else(|| slot.number().to_string()), *slot));
                        }
                        Command::SetRestart { ticket, .. } => tickets.push(*ticket),
                        _ => {}
                    }
                }
            }
        }
        let shown: Vec<String> =
            commands.iter().filter_map(|command| show(command, &slots, now, told)).collect();
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
    ByNeeds(GraphSupervision),
}

impl Either {
    /// Its children by their ids.
    fn named(&self) -> Vec<(String, Slot)> {
        let named = |(rules, slot): (Option<&ChildRules>, Slot)| {
            (rules.expect("known at first").id.to_string(), slot)
        };
        match self {
            Self::Fixed(supervision) => {
                supervision.slots().map(|slot| (supervision.child(slot), slot)).map(named).collect()
            }
            Self::ByNeeds(supervision) => {
                supervision.slots().map(|slot| (supervision.child(slot), slot)).map(named).collect()
            }
            Self::Dynamic(_) => Vec::new(),
        }
    }

    fn handle(&mut self, event: Event, now: Moment, commands: &mut Vec<Command>) {
        match self {
            Self::Fixed(supervision) => supervision.handle(event, now, commands),
            Self::Dynamic(supervision) => supervision.handle(event, now, commands),
            Self::ByNeeds(supervision) => supervision.handle(event, now, commands),
        }
    }

    /// For whom requests wait, by the last names of those children: `1: a b, 2: c`.
    fn waits(&self, slots: &[(String, Slot)]) -> String {
        let Self::ByNeeds(supervision) = self else { panic!("the others do one thing at a time") };
        let name = |slot: &Slot| &*slots.iter().rfind(|(_, known)| known == slot).expect("it is known").0;
        let line = |(RequestId(id), slots): (RequestId, BTreeSet<Slot>)| {
            let names: Vec<&str> = slots.iter().map(name).collect();
            format!("{id}: {}", names.join(" "))
        };
        let lines: Vec<String> = supervision.waits().into_iter().map(line).collect();
        if lines.is_empty() { "-".to_owned() } else { lines.join(", ") }
    }

    fn outline(&self) -> Outline {
        match self {
            Self::Fixed(supervision) => supervision.outline(),
            Self::ByNeeds(supervision) => supervision.outline(),
            Self::Dynamic(_) => panic!("a dynamic one compares nothing"),
        }
    }

    fn check(&self) {
        match self {
            Self::Fixed(supervision) => supervision.check(),
            Self::Dynamic(supervision) => supervision.check(),
            Self::ByNeeds(supervision) => supervision.check(),
        }
    }
}

fn is_change(line: &str) -> bool {
    line.starts_with("ask") && (line.contains(" change ") || line.contains(" part "))
}

/// What a line that asks for a change makes of a supervisor that stands so.
fn change(line: &str, now: &Outline) -> Change {
    let (event, _) = line.rsplit_once("  ").expect("two columns");
    let mut words: Vec<String> = event.split_whitespace().skip(3).map(str::to_owned).collect();
    if words[0] == "same" {
        words[0] = match now.own.strategy {
            Some(Strategy::OneForOne) => "one_for_one".to_owned(),
            None => "by_needs".to_owned(),
            Some(other) => panic!("{other:?} is to be written out"),
        };
    }
    let likenesses = words.iter_mut().skip(4).filter_map(|word| {
        let (likeness, mark) = match () {
            () if word.ends_with(":new") => (Likeness::Other, ":new"),
            () if word.ends_with(":in") => (Likeness::Inside, ":in"),
            () => (Likeness::Same, ""),
        };
        *word = word.strip_suffix(mark).expect("it ends so").to_owned();
        (*word != "any" && *word != "all" && !word.starts_with("most=")).then_some(likeness)
    });
    let likenesses: Vec<Likeness> = likenesses.collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (valid, like) = ("the rules of a change are valid", |_: &Standing, place| likenesses[place]);
    match now.own.strategy {
        Some(_) => Change::new(now, rules(&words).expect(valid), like),
        None => Change::by_needs(now, needs_rules(&words).expect(valid), like),
    }
}

/// `dynamic  1 in 5s  template` and, if there is one, the bound on children. In place of a template `none`.
fn dynamic(header: &[&str]) -> DynamicSupervision {
    DynamicSupervision::new(dynamic_rules(header))
}

fn dynamic_rules(header: &[&str]) -> DynamicRules {
    let ["dynamic", limit, "in", period, template, rest @ ..] = header else {
        panic!("dynamic N in T template: {header:?}")
    };
    let most = rest.first().map_or(usize::MAX, |most| most.parse().expect("a number"));
    let limit = limit.parse().expect("a number");
    let rules = match *template {
        "none" => DynamicRules::of_children(limit, duration(period), most),
        template => DynamicRules::new(child(template), limit, duration(period), most),
    };
    rules.expect("valid")
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
    let (rest, most) = most(rest);
    let (children, auto_shutdown) = children(rest);
    Rules::new(strategy, limit.parse().expect("a number"), duration(period), auto_shutdown, children)?
        .with_max_children(most)
}

/// `by_needs  1 in 5s  a:perm b:perm:needs=a`
fn needs_rules(header: &[&str]) -> Result<NeedsRules, SpecError> {
    let ["by_needs", limit, "in", period, rest @ ..] = header else {
        panic!("by_needs N in T children: {header:?}")
    };
    let (rest, most) = most(rest);
    let (children, auto_shutdown) = children(rest);
    NeedsRules::new(limit.parse().expect("a number"), duration(period), auto_shutdown, children)?
        .with_max_children(most)
}

/// The bound on children, which is the last word if there is one.
fn most<'a, 'b>(words: &'a [&'b str]) -> (&'a [&'b str], usize) {
    match words.split_last().and_then(|(last, rest)| Some((rest, last.strip_prefix("most=")?))) {
        Some((rest, most)) => (rest, most.parse().expect("a number")),
        None => (words, usize::MAX),
    }
}

fn children(words: &[&str]) -> (Vec<ChildRules>, AutoShutdown) {
    let (children, auto_shutdown) = match words {
        [children @ .., "any"] => (children, AutoShutdown::AnySignificant),
        [children @ .., "all"] => (children, AutoShutdown::AllSignificant),
        children => (children, AutoShutdown::Never),
    };
    (children.iter().map(|text| child(text)).collect(), auto_shutdown)
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
            "reports" => rules.policy_mut().readiness = Some(ReportsReady { within: None }),
            _ if word.starts_with("ready<") => {
                let within = Some(duration(&word["ready<".len()..]));
                rules.policy_mut().readiness = Some(ReportsReady { within });
            }
            "down" => rules.policy_mut().exhausted = Exhausted::LeaveDown,
            "off" => rules.policy_mut().disabled = true,
            policy if policy.contains('=') => beyond(policy, &mut rules),
            time => rules.shutdown = Shutdown::Within(duration(time)),
        }
    }
    rules
}

fn beyond(text: &str, rules: &mut ChildRules) {
    let (word, values) = text.split_once('=').expect("word=values");
    let policy = rules.policy_mut();
    match (word, &values.split('/').collect::<Vec<_>>()[..]) {
        ("needs", ids) => policy.needs = ids.iter().map(|id| (*id).into()).collect(),
        ("backoff", [first, cap, reset]) => policy.backoff = Some(backoff(first, cap, reset)),
        ("limit", [restarts, period]) => {
            let restarts = restarts.parse().expect("a number");
            policy.budget = Some(Budget { restarts, period: duration(period) });
        }
        ("row", [restarts, healthy]) => {
            let restarts = restarts.parse().expect("a number");
            policy.in_a_row = Some(InARow { restarts, healthy_after: duration(healthy) });
        }
        _ => panic!("no policy: {text}"),
    }
}

fn backoff(first: &str, cap: &str, reset: &str) -> Backoff {
    Backoff::new(duration(first), duration(cap), duration(reset)).jitter(0.0)
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

fn parse(event: &str, slots: &[(String, Slot)], tickets: &[Ticket]) -> Event {
    // The last of a name is the one that stands.
    let slot = |name: &str| slots.iter().rfind(|(id, _)| id == name).expect("a child of the header").1;
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
                ["change", ..] => Request::Change { in_parts: false },
                ["dynamic", ..] => Request::ChangeDynamic(dynamic_rules(what)),
                ["part", ..] => Request::Change { in_parts: true },
                ["start", text] => Request::StartChild(child(text)),
                ["instance"] => Request::StartInstance,
                ["instance", text] => Request::StartInstanceBy(child(text)),
                ["terminate", name] => Request::TerminateChild(which(name)),
                ["restart", name] => Request::RestartChild(name.into()),
                ["delete", name] => Request::DeleteChild(name.into()),
                ["disable", name] => Request::DisableChild(name.into()),
                ["enable", name] => Request::EnableChild(name.into()),
                ["which", name] => Request::WhichChild(which(name)),
                ["which"] => Request::WhichChildren,
                ["count"] => Request::CountChildren,
                ["spec", name] => Request::ChildSpec(which(name)),
                _ => panic!("no request: {event}"),
            };
            Event::Asked(RequestId(number.parse().expect("a number")), request)
        }
        ["stop", word] => Event::Stop(reason(word)),
        ["next", number] => Event::NextPart(Some(RequestId(number.parse().expect("a number")))),
        ["back", number] => Event::TakenBack(RequestId(number.parse().expect("a number"))),
        ["let", "go"] => Event::NextPart(None),
        [name, "done"] => Event::PartDone(slot(name), true),
        [name, "not", "done"] => Event::PartDone(slot(name), false),
        [name, "up"] => Event::Started(slot(name)),
        [name, "ignores"] => Event::Ignored(slot(name)),
        [name, "fails"] => Event::StartFailed(slot(name), ExitReason::other("boom")),
        [name, "fails", word] => Event::StartFailed(slot(name), reason(word)),
        [name, "late"] => Event::StopDeadline(slot(name)),
        [name, "ready"] => Event::Ready(slot(name)),
        [name, "unready"] => Event::ReadyDeadline(slot(name)),
        [name, "retry"] => Event::TryAgain(slot(name)),
        [name, "due", wait] => {
            let wait: usize = wait.parse().expect("a number");
            Event::RestartDue(slot(name), tickets[wait])
        }
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

/// New epochs are shown with the decisions: they say nothing of who is started and stopped.
fn show(command: &Command, slots: &[(String, Slot)], now: Moment, told: Told) -> Option<String> {
    let name = |slot: &Slot| &*slots.iter().find(|(_, known)| known == slot).expect("a slot of the header").0;
    Some(match command {
        Command::Start(slot) => format!("start {}", name(slot)),
        Command::NewEpoch(slot) if told == Told::Decisions => format!("epoch {}", name(slot)),
        Command::NewEpoch(_) => return None,
        Command::AskToStop(slot) => format!("stop {}", name(slot)),
        Command::Kill(slot) => format!("kill {}", name(slot)),
        Command::KillFor(slot, reason) => format!("kill {} for {reason}", name(slot)),
        Command::SetReadyDeadline(slot, moment) => {
            format!("ready {} in {:?}", name(slot), moment.since(now))
        }
        Command::SetDeadline(slot, moment) => format!("deadline {} {:?}", name(slot), moment.since(now)),
        Command::TryAgain(slot) => format!("retry {}", name(slot)),
        Command::SetRestart { slot, earliest, latest, .. } => {
            format!("wait {} {:?}..{:?}", name(slot), earliest.since(now), latest.since(now))
        }
        Command::Forget(slot) => format!("forget {}", name(slot)),
        Command::Ready => "ready".to_string(),
        Command::Add(slot, _) => format!("add {slot:?}"),
        Command::Compare(RequestId(id)) => format!("compare {id}"),
        Command::Part(slot, part) => format!("{} in {}", format!("{part:?}").to_lowercase(), name(slot)),
        Command::LetGo(slot) => format!("let go {}", name(slot)),
        Command::Rearrange(_, seats) => {
            let names: Vec<&str> = seats.iter().map(|(slot, _)| name(slot)).collect();
            format!("[{}]", names.join(" "))
        }
        Command::Answer(RequestId(id), Answer::Applied(applied)) => {
            let failed: Vec<_> =
                applied.failed.iter().map(|(id, reason)| format!(" {id} {reason}")).collect();
            let back: Vec<_> = applied.held_back.iter().map(|id| format!(" not {id}")).collect();
            format!("applied {id}{}{}", failed.concat(), back.concat())
        }
        Command::Answer(RequestId(id), Answer::Children(listed)) => {
            let listed: Vec<_> =
                listed.iter().map(|child| format!("{}:{:?}", child.id, child.state)).collect();
            format!("answer {id} [{}]", listed.join(" "))
        }
        Command::Answer(RequestId(id), answer) => format!("answer {id} {answer:?}"),
        Command::SetEndDeadline(moment) => format!("end deadline {:?}", moment.since(now)),
        Command::Exit(reason) => format!("exit {reason}"),
        Command::Report(report) => match (told, report.reports()) {
            (Told::Decisions, _) => {
                format!("({} {:?} {}/{})", report.child, report.decision, report.restarts, report.limit)
            }
            (Told::OtpReports, reports @ [_, ..]) => {
                let reports: Vec<String> = reports.iter().map(ToString::to_string).collect();
                format!("({} {})", report.child, reports.join(" "))
            }
            (Told::Nothing | Told::OtpReports, _) => return None,
        },
    })
}
