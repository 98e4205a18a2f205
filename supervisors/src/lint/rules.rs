//! What is looked for, a function each, over the facts of `explain/`.
//! Each says what it is, why it matters, and what to do, with numbers where there are some.

use std::ops::Range;
use std::time::Duration;

use minder_supervisors_core::{
    AutoShutdown, Backoff, Budget, Exhausted, Level, Policy, Restart, Shutdown, Strategy, sharers,
};

use super::findings::{Finding, Lint};
use crate::explain::layout::{Layout, Role, Ruling};
use crate::explain::words::{brief, shown, thousands};
use crate::explain::{Ask, GiveUp, Regime, Then};
use crate::spec::Spec;

/// What Kubernetes waits unless told otherwise.
const GRACE: Duration = Duration::from_secs(30);
/// Longer lists are taken for a mistake: 26 children under one rest-for-one were the complaint of a user.
const LONG: usize = 10;
/// More often is no tolerance any more.
const OFTEN: Duration = Duration::from_millis(100);
const DAY: Duration = Duration::from_secs(86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);
/// Without a bound, fewer sharers than this are too few.
const MANY_INSTANCES: u64 = 1_000;

/// Everything that is found in this tree.
pub(crate) fn look_at(spec: &Spec) -> Vec<Finding> {
    let mut found = Found { layout: Layout::of(spec), findings: Vec::new() };
    if let Err(error) = spec.check() {
        found.add(Lint::Invalid, 0, format!("the tree is refused: {error}"), "put that right first");
    }
    let supervisors: Vec<(usize, Ruling)> =
        found.layout.supervisors().map(|(place, ruling)| (place, *ruling)).collect();
    for (place, ruling) in &supervisors {
        found.limit(*place, ruling.level);
        found.shared_limit(*place, ruling);
        found.blind_zone(*place);
        found.shape(*place, ruling);
    }
    for place in found.layout.below_top() {
        found.stops(place);
        found.fates(place);
        found.slow_faults(place);
    }
    found.asks();
    found.slow_stop();
    found.findings
}

struct Found {
    layout: Layout,
    findings: Vec<Finding>,
}

impl Found {
    fn add(&mut self, lint: Lint, place: usize, what: String, advice: impl Into<String>) {
        let path = self.layout.at(place).path.clone();
        self.findings.push(Finding::new(lint, path, what, advice));
    }

    fn limit(&mut self, place: usize, Level { limit, period }: Level) {
        let restarted: Vec<usize> = self.layout.restarted_below(place).collect();
        let mut permanent = restarted
            .iter()
            .map(|child| self.layout.at(*child))
            .filter(|child| child.rules.restart == Restart::Permanent);
        match limit {
            0 => {
                if let Some(child) = permanent.next() {
                    let what = format!(
                        "`{}` is permanent, and no restart is tolerated: its first end is its supervisor's",
                        child.rules.id
                    );
                    self.add(
                        Lint::NeverRestarts,
                        place,
                        what,
                        "set a limit above 0, or make the child temporary",
                    );
                }
            }
            _ if period / limit < OFTEN && !restarted.is_empty() => {
                let what = format!(
                    "a child that crashes every {} is started again for ever: that is {limit} in {}",
                    brief(period / limit + Duration::from_nanos(1)),
                    brief(period),
                );
                let advice = "lower the limit to what a few faults at a time need, or lengthen its period";
                self.add(Lint::LimitTooHigh, place, what, advice);
            }
            _ => {}
        }
    }

    fn shared_limit(&mut self, place: usize, ruling: &Ruling) {
        let children = self.layout.restarted_below(place).count();
        if ruling.level.limit == 0 || (children < 2 && ruling.regime != Regime::Dynamic) || children == 0 {
            return;
        }
        let few = sharers(ruling.level, DAY, MONTH);
        let (shared_by, needed) = match (ruling.regime, ruling.max_children) {
            (Regime::Dynamic, usize::MAX) if few < MANY_INSTANCES => {
                ("any number of instances".to_owned(), MANY_INSTANCES)
            }
            (Regime::Dynamic, usize::MAX) => return,
            (Regime::Dynamic, most) => (format!("up to {} instances", thousands(most as u64)), most as u64),
            (Regime::Fixed(_) | Regime::ByNeeds, _) => {
                (format!("{} children", thousands(children as u64)), children as u64)
            }
        };
        if few >= needed {
            return;
        }
        // More restarts are enough for more children.
        let enough = first(ruling.level.limit..10_000, |limit| {
            sharers(Level { limit, ..ruling.level }, DAY, MONTH) >= needed
        });
        let Level { limit, period } = ruling.level;
        let what = format!(
            "{shared_by} share a limit of {limit} in {}: it gives up although nothing is wrong with any of them; once in 30 \
             days on average with {} that crash once a day, and more often with more",
            brief(period),
            thousands(few),
        );
        let advice = match enough {
            Some(limit) => {
                format!("raise the limit to {limit}, or divide the children among several supervisors")
            }
            None => "divide the children among several supervisors".to_owned(),
        };
        self.add(Lint::SharedLimit, place, what, advice);
    }

    /// Two levels are enough: where no level has such a zone over the one below, no chain of them has.
    fn blind_zone(&mut self, place: usize) {
        // Children are alike here but for limits of their own: one of each kind, those without first.
        let mut kinds: Vec<([Vec<Level>; 2], usize)> = Vec::new();
        for child in self.layout.restarted_below(place) {
            let limits = [Exhausted::Escalate, Exhausted::LeaveDown];
            let limits = limits.map(|then| self.layout.own_limits(child, then));
            if kinds.iter().all(|(known, _)| *known != limits) {
                kinds.push((limits, child));
            }
        }
        let has_none = |limits: &[Vec<Level>; 2]| limits.iter().all(Vec::is_empty);
        kinds.sort_by_key(|(limits, _)| !has_none(limits));
        for (limits, child) in kinds {
            let chain = self.layout.give_ups_above(child);
            let [lower, upper, ..] = &chain[..] else { continue };
            let (Some(longest), Some(heard)) = (lower.longest, upper.longest) else { continue };
            // What crashes so often is left down before this one gives up.
            let caught = self.layout.left_down_within(child, lower.crashes).unwrap_or_default();
            let quickest = heard.max(caught);
            if quickest < longest {
                let who = match has_none(&limits) {
                    true => "a child".to_owned(),
                    false => format!("a child like `{}`", self.layout.at(child).rules.id),
                };
                return self.blind_zone_between(place, &who, (lower, longest), (upper, quickest));
            }
        }
    }

    /// `longest`: how far apart the crashes are at most at which this one gives up; `quickest`: and all that is quicker is heard
    /// further up, or its child is left down.
    fn blind_zone_between(
        &mut self,
        place: usize,
        who: &str,
        (lower, longest): (&GiveUp, Duration),
        (upper, quickest): (&GiveUp, Duration),
    ) {
        let above = shown(&upper.supervisor);
        let what = format!(
            "{who} that crashes between every {} and every {} makes it give up again and again, and {above} start it \
             again for ever, since {} ends are too seldom for {} in {}: nobody is told",
            brief(quickest + Duration::from_nanos(1)),
            brief(longest),
            u64::from(upper.limit) + 1,
            upper.limit,
            brief(upper.period),
        );
        // From one end of this one to the next, at the slowest pace at which it ends.
        let pace = longest.saturating_mul(u32::try_from(lower.crashes).unwrap_or(u32::MAX));
        let period = pace.saturating_mul(upper.limit);
        let at_most = upper.period.as_nanos().checked_div(pace.as_nanos()).unwrap_or(0);
        let advice = match at_most {
            0 => format!("give {above} a period of at least {}", brief(period)),
            _ => format!(
                "give {above} a period of at least {}, or a limit of at most {at_most}",
                brief(period)
            ),
        };
        self.add(Lint::BlindZone, place, what, advice);
    }

    /// What the supervisor and its children are to each other.
    fn shape(&mut self, place: usize, ruling: &Ruling) {
        let children = self.layout.at(place).children.clone();
        if ruling.regime == Regime::Fixed(Strategy::RestForOne) && children.len() > LONG {
            let first = self.layout.at(children[0]).rules.id.clone();
            let what = format!("a crash of `{first}` restarts all {} children", children.len());
            let advice = "put those that do not need the ones before them beside each other, under a one-for-one of their own";
            self.add(Lint::LongRestForOne, place, what, advice);
        }
        if ruling.auto_shutdown != AutoShutdown::Never
            && !children.iter().any(|child| self.layout.at(*child).rules.significant)
        {
            let what = "it is to shut down when significant children end, and has none".to_owned();
            self.add(
                Lint::NothingSignificant,
                place,
                what,
                "make a child significant, or leave auto-shutdown out",
            );
        }
    }

    /// How a child is stopped.
    fn stops(&mut self, place: usize) {
        let node = self.layout.at(place);
        if node.role == Role::Worker {
            return;
        }
        match node.rules.shutdown {
            Shutdown::BrutalKill => {
                let what =
                    "it is killed at once, and all below it die of that, without cleaning up".to_owned();
                self.add(Lint::KilledSupervisor, place, what, "leave its shutdown at infinity");
            }
            Shutdown::Within(limit) => {
                let needs = self.layout.stop_from_inside(place);
                if needs.exceeds(limit) {
                    let what = format!(
                        "it is killed after {}, and to stop all below it takes {needs}",
                        brief(limit)
                    );
                    let advice = "leave its shutdown at infinity, and give those below it less time";
                    self.add(Lint::ShutdownTooShort, place, what, advice);
                }
            }
            Shutdown::Infinity => {}
        }
    }

    /// What becomes of a child.
    fn fates(&mut self, place: usize) {
        let node = self.layout.at(place);
        let restarts = self.layout.restarted_below(place).next().is_some() || node.role == Role::Unknown;
        if node.role != Role::Worker && restarts && self.layout.after_end(place, false) == Then::StaysDown {
            let what = "it is transient: when it gives up it ends with `shutdown`, which is no abnormal end, stays down, and \
                        nobody is told"
                .to_owned();
            self.add(Lint::SilentlyDown, place, what, "make it permanent, or significant");
        }
        let node = self.layout.at(place);
        if node.in_vain && !node.disabled {
            let what = "it needs, directly or through others, somebody who is disabled: it is not started before that is \
                        enabled"
                .to_owned();
            self.add(
                Lint::WaitsInVain,
                place,
                what,
                "take the need out if it can do without, or allow this if the two belong together",
            );
        }
        let node = self.layout.at(place);
        if node.rules.restart == Restart::Temporary {
            let quarantine = node.settings.quarantine_after.is_some();
            if let Some(by) = self.stopped_along_with(place) {
                let what = format!(
                    "it is stopped when `{by}` crashes, and not started again, since it is temporary"
                );
                let advice = "make it transient, or put it under a supervisor of its own";
                self.add(Lint::ForgottenInGroup, place, what, advice);
            }
            if quarantine {
                let what = "it has a limit of lives that a message may crash, and lives once".to_owned();
                self.add(Lint::WithoutEffect, place, what, "take `quarantine_after` out");
            }
        }
    }

    /// Faults of this child that take so long to be found that its supervisor never gives up because of them, and that no
    /// limits of its own catch.
    fn slow_faults(&mut self, place: usize) {
        let node = self.layout.at(place);
        let parent = node.parent.filter(|_| node.rules.restart != Restart::Temporary);
        let ruling = parent.and_then(|parent| Some((parent, self.layout.ruling(parent)?.level)));
        // Its own limits are looked at apart.
        let Some((parent, Level { limit, period })) = ruling.filter(|(_, level)| level.limit > 0) else {
            return;
        };
        let (above, longest) = (self.layout.at(parent).path.clone(), period / limit);
        if let Some(backoff) = node.rules.policy.as_ref().and_then(|policy| policy.backoff) {
            self.slow_backoff(place, backoff);
        }
        let node = self.layout.at(place);
        let readiness = node.rules.reports_ready().and_then(|readiness| readiness.within);
        let faults = [
            ("it never gets ready", readiness, false),
            ("it hangs at every message", node.settings.handler_limit, true),
        ];
        for (fault, found_after, gets_ready) in faults {
            let policy = self.layout.at(place).rules.policy.as_deref();
            let is_caught = |after| policy.is_some_and(|policy| is_caught(policy, after, gets_ready));
            // One that is found exactly in time is late: timers are never early.
            let Some(after) = found_after.filter(|after| *after >= longest && !is_caught(*after)) else {
                continue;
            };
            let above = shown(&above);
            let what = format!(
                "if {fault} it is killed after {} and started again, for ever: {above} gives up only if it crashes every {} \
                 or faster",
                brief(after),
                brief(longest),
            );
            let period = after.saturating_mul(limit).saturating_add(Duration::from_secs(1));
            let advice = format!(
                "shorten that below {}, or give {above} a period of at least {}",
                brief(longest),
                brief(period)
            );
            self.add(Lint::NeverHeard, place, what, advice);
        }
    }

    /// A backoff after which not even a child that crashes as soon as it is up crashes often enough. Limits of its own are
    /// there for that.
    fn slow_backoff(&mut self, place: usize, backoff: Backoff) {
        let node = self.layout.at(place);
        let (Some(ruling), Some(policy)) = (self.layout.ruling_above(place), &node.rules.policy) else {
            return;
        };
        if policy.in_a_row.is_some() || policy.budget.is_some() {
            return;
        }
        let Level { limit, period } = ruling.level;
        if waits(backoff, limit, |latest| backoff.earliest(latest)) > period {
            let what = format!(
                "it is started again for ever if it crashes as soon as it is up: its backoff lets no {} crashes come within {}",
                u64::from(limit) + 1,
                brief(period),
            );
            self.add(
                Lint::NeverHeard,
                place,
                what,
                "give it a `limit_in_a_row`, which counts however long it takes",
            );
        }
    }

    /// A sibling with whose crash this child is stopped.
    fn stopped_along_with(&self, place: usize) -> Option<std::sync::Arc<str>> {
        let parent = self.layout.at(place).parent?;
        let alone = [Regime::Dynamic, Regime::Fixed(Strategy::OneForOne)];
        if alone.contains(&self.layout.ruling(parent)?.regime) {
            return None;
        }
        let mut siblings = self.layout.restarted_below(parent);
        let sibling = siblings.find(|sibling| self.layout.group(*sibling).contains(&place))?;
        Some(self.layout.at(sibling).rules.id.clone())
    }

    fn asks(&mut self) {
        for ask @ Ask { from, to } in self.layout.known_asks() {
            let asked = shown(&self.layout.at(to).path).to_owned();
            if self.layout.goes_up(ask) {
                let what =
                    format!("it asks {asked}, which is above it and may be waiting for it to start or stop");
                let advice = "let a child beside that supervisor make the requests, or tell and do not wait";
                self.add(Lint::AskUp, from, what, advice);
            }
            if self.layout.goes_to_later(ask) {
                let what = format!(
                    "it asks {asked}, which starts after it: until then there is nobody to answer, and when they stop it \
                     is gone first"
                );
                let advice = format!(
                    "start {asked} before it, or do not ask while it starts and stops, and allow this"
                );
                self.add(Lint::AskLater, from, what, advice);
            }
            if let Some(supervisor) = self.layout.purged_by(ask) {
                let what = format!(
                    "it asks {asked}, whose messages are purged when {} restarts its group, while the asker goes on",
                    shown(&self.layout.at(supervisor).path),
                );
                let advice =
                    "ask again when the answer is `Purged`, and allow this, or put both into one group";
                self.add(Lint::AskPurged, from, what, advice);
            }
        }
        for circle in self.layout.circles() {
            let names: Vec<&str> = circle
                .iter()
                .chain(circle.first())
                .map(|place| shown(&self.layout.at(*place).path))
                .collect();
            let what = format!("they may wait for each other: {}", names.join(" asks "));
            self.add(
                Lint::AskCircle,
                circle[0],
                what,
                "let one of them tell, and take the answer as a message",
            );
        }
    }

    fn slow_stop(&mut self) {
        let stop = self.layout.stop_from_inside(0);
        if !stop.exceeds(GRACE) {
            return;
        }
        let what = format!(
            "to stop all of it takes {stop}; whoever runs it commonly kills it after {}, and those that start first have \
             not been told to stop then",
            brief(GRACE),
        );
        let advice = "give children the time they need and not more, and a dynamic supervisor where many stop at once; or \
                      have whoever runs it wait longer, and allow this";
        self.add(Lint::SlowStop, 0, what, advice);
    }
}

/// Whether limits of the child's own count its ends after lives of this length, however seldom they are. One that never gets
/// ready is never healthy.
fn is_caught(policy: &Policy, after: Duration, gets_ready: bool) -> bool {
    let in_a_row = policy.in_a_row.is_some_and(|it| !gets_ready || after < it.healthy_after);
    in_a_row
        || policy.budget.is_some_and(|Budget { restarts, period }| {
            let waited = policy.backoff.map_or(Duration::ZERO, |it| waits(it, restarts, |latest| latest));
            after.saturating_mul(restarts).saturating_add(waited) < period
        })
}

/// How long so many restarts wait together, each as long as `each` makes of its longest wait.
fn waits(backoff: Backoff, restarts: u32, each: impl Fn(Duration) -> Duration) -> Duration {
    let (mut waited, mut last) = (Duration::ZERO, None);
    for (done, delay) in (0..restarts).zip(backoff.delays()) {
        // One that does not grow never will.
        if last == Some(delay) {
            return waited.saturating_add(each(delay).saturating_mul(restarts - done));
        }
        waited = waited.saturating_add(each(delay));
        last = Some(delay);
    }
    waited
}

/// The first of these from which on it is so, if there is one.
fn first(range: Range<u32>, is_so: impl Fn(u32) -> bool) -> Option<u32> {
    let Range { mut start, mut end } = range.clone();
    while start < end {
        let middle = start.midpoint(end);
        if is_so(middle) { end = middle } else { start = middle + 1 }
    }
    (start < range.end).then_some(start)
}
