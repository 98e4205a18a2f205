//! What `explain` says of a tree, against the same tree running: who is stopped and started in which order, how long stops
//! take, who gives up when, and what a tree says of itself while it runs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{
    Backoff, Bound, Exhausted, ExplainError, ExplainedChild, Explanation, Regime, Strategy, Then,
    Unavailable, optional_task, tree_from,
};
use minder::{Event, Observer};

use crate::random::Random;
use crate::support::*;
use crate::task_supervisors::tasks;

// --- who is stopped and started --------------------------------------------------------------------------------------

/// Writes down starts and ends by their paths below the top.
struct Ends(Journal);

impl Observer for Ends {
    fn event(&self, event: &Event<'_>) {
        let (what, path) = match event {
            Event::Started { path, .. } => ("up", path),
            Event::Exited { path, .. } => ("end", path),
            _ => return,
        };
        if let Some(path) = path.strip_prefix("top/") {
            self.0.note(format!("{what} {path}"));
        }
    }
}

/// A random tree, and the addresses of its workers by path.
struct Grown<'a> {
    random: &'a mut Random,
    system: &'a System,
    workers: Vec<(String, Addr<Msg>)>,
    /// Which supervisors there are.
    kinds: Vec<fn() -> Spec>,
    /// Whether workers take all the time they are given to stop.
    slow: bool,
}

const IN_ORDER: [fn() -> Spec; 3] = [one_for_one, one_for_all, rest_for_one];
const WITH_NEEDS: [fn() -> Spec; 4] = [by_needs, by_needs, one_for_all, rest_for_one];

impl Grown<'_> {
    fn spec(&mut self, path: &str, depth: usize) -> Spec {
        let kind = self.random.pick(&self.kinds);
        let mut spec = tolerant(kind());
        let mut earlier: Vec<String> = Vec::new();
        for number in 0..1 + self.random.below(4) {
            let id = format!("{}{number}", ["x", "y", "z"][depth]);
            let path = if path.is_empty() { id.clone() } else { format!("{path}/{id}") };
            let child = if depth < 2 && self.random.one_in(3) {
                tree(&id, self.spec(&path, depth + 1))
            } else {
                self.worker(&id, path)
            };
            let child = child.restart(self.random.pick(&[
                Restart::Permanent,
                Restart::Permanent,
                Restart::Transient,
                Restart::Temporary,
            ]));
            let mut child = if self.slow { self.timed(child) } else { child };
            if std::ptr::fn_addr_eq(kind, by_needs as fn() -> Spec) {
                child = child.needs(earlier.iter().filter(|_| self.random.one_in(2)).map(String::as_str));
                earlier.push(id);
            }
            spec = spec.child(child);
        }
        spec
    }

    fn worker(&mut self, id: &str, path: String) -> Child {
        let (address, seat) = self.system.address();
        self.workers.push((path, address));
        let slow = self.slow;
        actor_in(id, seat, move || {
            let puppet = Puppet::new("it", &journal().0);
            if slow { puppet.trapping().cleaning_up_for(10_000 * SECOND) } else { puppet }
        })
    }

    fn timed(&mut self, child: Child) -> Child {
        match self.random.below(6) {
            0 => child.shutdown(Shutdown::BrutalKill),
            1..5 => child.shutdown(Shutdown::Within(Duration::from_secs(self.random.below(6)))),
            _ => child,
        }
    }
}

fn grown(
    random: &mut Random,
    system: &System,
    kinds: &[fn() -> Spec],
    slow: bool,
) -> (Spec, Vec<(String, Addr<Msg>)>) {
    let mut grown = Grown { random, system, workers: Vec::new(), kinds: kinds.to_vec(), slow };
    let spec = grown.spec("", 0);
    (spec, grown.workers)
}

fn texts(paths: &[Arc<str>]) -> Vec<&str> {
    paths.iter().map(|path| &**path).collect()
}

/// In the order of their starts, workers only: a supervisor is up after those below it.
fn workers_of<'a>(paths: &[&'a str], workers: &[(String, Addr<Msg>)]) -> Vec<&'a str> {
    paths.iter().copied().filter(|path| workers.iter().any(|(worker, _)| worker == path)).collect()
}

fn sorted<'a>(paths: &[&'a str]) -> Vec<&'a str> {
    let mut paths = paths.to_vec();
    paths.sort_unstable();
    paths
}

/// A crash of a worker in a random tree: what was said of it, and who ended and came up, in the order in which they did.
struct Crash<'a> {
    said: &'a ExplainedChild,
    ends: &'a [&'a str],
    starts: &'a [&'a str],
    workers: &'a [(String, Addr<Msg>)],
    story: &'a str,
}

/// Random trees of three levels; each worker of each crashes in a tree of its own. Gives how many crashes there were, and
/// how many of them took others along. What holds whatever the order is asserted here.
async fn crash_each(seeds: u64, kinds: &[fn() -> Spec], judge: impl Fn(&Crash<'_>)) -> (usize, usize) {
    let (mut crashes, mut groups) = (0, 0);
    for seed in 0..seeds {
        let mut victim = 0;
        loop {
            let (journal, mut reader) = journal();
            let system =
                System::builder().observer(Arc::new(Ends(journal))).build().expect("inside a runtime");
            let (spec, workers) = grown(&mut Random(seed), &system, kinds, false);
            let Some((path, address)) = workers.get(victim) else { break };
            let said = spec.explain_child(path).expect("it is there");
            let root = spec.start(&system, "top").await.expect("puppets start");
            reader.rest();

            address.tell(crash()).expect("there is room");
            pass(SECOND).await;

            let seen = reader.rest();
            let of = |word: &str| seen.iter().filter_map(|line| line.strip_prefix(word)).collect::<Vec<_>>();
            let (ends, starts) = (of("end "), of("up "));
            let story = format!("seed {seed}, {path} of\n{:?}\n{said}", root.explain().await);
            assert_eq!(ends.first().copied(), Some(&**path), "{story}");
            assert_eq!(ends.len(), said.lost, "{story}");
            assert_eq!(sorted(&starts), sorted(&texts(&said.starts)), "{story}");
            for forgotten in &said.forgotten {
                assert!(root.explain_child(forgotten).await.is_err(), "{forgotten} is gone: {story}");
            }
            judge(&Crash { said: &said, ends: &ends, starts: &starts, workers: &workers, story: &story });
            crashes += 1;
            groups += usize::from(said.stops.len() > 1);
            victim += 1;
        }
    }
    (crashes, groups)
}

#[tokio::test(start_paused = true)]
async fn a_crash_stops_and_starts_those_who_were_named_in_that_order() {
    let in_order = |&Crash { said, ends, starts, workers, story }: &Crash<'_>| {
        assert_eq!(ends[1..], texts(&said.stops), "{story}");
        assert_eq!(workers_of(starts, workers), workers_of(&texts(&said.starts), workers), "{story}");
    };
    let (crashes, groups) = crash_each(120, &IN_ORDER, in_order).await;
    assert!(crashes > 400 && groups > 100, "{crashes} crashes, {groups} of them of groups");
}

/// Where children say what they need. What happens side by side is named in one of the orders in which it may.
#[tokio::test(start_paused = true)]
async fn a_crash_takes_along_those_who_need_it_and_nobody_else() {
    let in_some_order = |&Crash { said, ends, story, .. }: &Crash<'_>| {
        assert_eq!(sorted(&ends[1..]), sorted(&texts(&said.stops)), "{story}");
    };
    let (crashes, groups) = crash_each(80, &WITH_NEEDS, in_some_order).await;
    assert!(crashes > 200 && groups > 50, "{crashes} crashes, {groups} of them of groups");
}

// --- how long it takes -----------------------------------------------------------------------------------------------

/// Random trees in which nobody ends before it must, in order and by needs. Timers are at most 10 ms late, each.
#[tokio::test(start_paused = true)]
async fn a_stop_takes_as_long_as_was_said() {
    let (mut longest, mut finite) = (Duration::ZERO, 0);
    for seed in 0..300 {
        let system = system();
        let kinds = if seed % 2 == 0 { &IN_ORDER[..] } else { &WITH_NEEDS[..] };
        let (spec, workers) = grown(&mut Random(seed), &system, kinds, true);
        let Bound::AtMost(said) = spec.explain().stop() else { continue };
        let root = spec.start(&system, "top").await.expect("puppets start");
        let before = system.now();
        soon(root.stop(ExitReason::Shutdown)).await.expect("it lives");
        let took = system.now().since(before);
        let late = Duration::from_millis(10) * u32::try_from(workers.len() + 1).expect("few") * 2;
        assert!(said <= took && took <= said + late, "seed {seed}: {took:?}, and {said:?} were said");
        longest = longest.max(said);
        finite += 1;
    }
    assert!(longest > 15 * SECOND && finite > 100, "{longest:?}, {finite}");
}

#[test]
fn what_bounds_a_stop_and_what_does_not() {
    let idle = |id: &str| task(id, std::future::pending::<()>);
    let endless = |id: &str| idle(id).shutdown(Shutdown::Infinity);
    let pool =
        template("session", |()| Puppet::new("it", &journal().0)).shutdown(Shutdown::Within(7 * SECOND));
    let rows: Vec<(Spec, &str)> = vec![
        (one_for_one(), "at most 0ns"),
        (one_for_one().child(idle("a")).child(idle("b")), "at most 10s"),
        (one_for_one().child(idle("a")).child(endless("b")), "as long as it takes, because of b"),
        (
            one_for_one().child(tree("x", one_for_one().child(endless("b")))).child(endless("c")),
            "as long as it takes, because of c, x/b",
        ),
        (
            one_for_one()
                .child(tree("x", one_for_one().child(endless("b"))).shutdown(Shutdown::Within(3 * SECOND))),
            "at most 3s",
        ),
        (
            one_for_one().child(tree("x", one_for_one().child(endless("b"))).shutdown(Shutdown::BrutalKill)),
            "at most 0ns",
        ),
        // However many there are: they share it.
        (one_for_one().child(tree("pool", dynamic(&pool))).child(idle("a")), "at most 12s"),
        (dynamic(&pool.clone().shutdown(Shutdown::Infinity)), "as long as it takes, because of *"),
        (
            one_for_one().child(tree_from("made", || minder::supervisors::Supervisor::new(&one_for_one()))),
            "as long as it takes, because of made",
        ),
    ];
    for (spec, expected) in rows {
        assert_eq!(spec.explain().stop().to_string(), expected);
    }
}

#[test]
fn a_start_is_bounded_by_a_handler_limit_alone() {
    let idle = |id: &str| task(id, std::future::pending::<()>);
    let spec = |child: Child| rest_for_one().child(idle("first").handler_limit(SECOND)).child(child);
    let bounded = spec(idle("next").handler_limit(2 * SECOND)).explain_child("first").expect("it is there");
    assert_eq!(bounded.start, Bound::AtMost(3 * SECOND));
    let unbounded = spec(idle("next")).explain_child("first").expect("it is there");
    assert_eq!(unbounded.start, Bound::Unbounded(vec![Arc::from("next")]));
}

/// Children that do not need each other start and stop side by side: the longest chain counts.
#[test]
fn by_needs_the_longest_chain_counts() {
    let job = |id: &str, start: u32, stop: u32| {
        task(id, std::future::pending::<()>)
            .handler_limit(start * SECOND)
            .shutdown(Shutdown::Within(stop * SECOND))
    };
    // a ─ b ─ d, a ─ c ─ d, and e beside them.
    let of = |b: Child, c: Child| {
        by_needs()
            .child(job("d", 1, 1).needs(["b", "c"]))
            .child(b.needs(["a"]))
            .child(c.needs(["a"]))
            .children([job("a", 1, 2), job("e", 6, 7)])
    };
    let spec = of(job("b", 4, 8), job("c", 9, 3));
    let a = spec.explain_child("a").expect("it is there");
    assert_eq!(texts(&a.stops), ["d", "c", "b"]);
    assert_eq!(texts(&a.starts), ["a", "b", "c", "d"]);
    assert_eq!((a.stop, a.start), (Bound::AtMost(9 * SECOND), Bound::AtMost(11 * SECOND)));
    assert_eq!(spec.explain().stop(), Bound::AtMost(11 * SECOND));
    // Whoever is needed is waited for until it is ready; whoever is not, is not.
    let spec = of(job("b", 4, 8).ready_within(7 * SECOND), job("c", 9, 3));
    assert_eq!(spec.explain_child("a").expect("it is there").start, Bound::AtMost(13 * SECOND));
    let b = spec.explain_child("b").expect("it is there");
    assert_eq!((b.stop, b.start), (Bound::AtMost(SECOND), Bound::AtMost(12 * SECOND)));
    let d = by_needs().child(job("a", 1, 1)).child(job("d", 2, 1).needs(["a"]).ready_within(60 * SECOND));
    assert_eq!(d.explain_child("a").expect("it is there").start, Bound::AtMost(3 * SECOND));
    // Whoever has no limit is named once, however many wait for it.
    let endless = |id: &str| job(id, 1, 1).shutdown(Shutdown::Infinity).reports_ready();
    let spec = of(endless("b"), job("c", 1, 1));
    let a = spec.explain_child("a").expect("it is there");
    let b = || Bound::Unbounded(vec!["b".into()]);
    assert_eq!((a.stop, a.start), (b(), b()));
    // As in another supervisor's group.
    let spec = one_for_all().child(tree("x", of(job("b", 4, 8), job("c", 9, 3)))).child(job("y", 1, 1));
    let y = spec.explain_child("y").expect("it is there");
    assert_eq!((y.stop, y.start), (Bound::AtMost(11 * SECOND), Bound::AtMost(12 * SECOND)));
}

/// Whoever needs somebody who is disabled does not come up with its group, and takes no time.
#[tokio::test(start_paused = true)]
async fn who_needs_a_disabled_child_is_left_out() {
    let job = |id: &str| task(id, std::future::pending::<()>).handler_limit(SECOND);
    let below = || one_for_one().child(job("x"));
    let spec = by_needs()
        .child(job("a"))
        .child(job("b").needs(["a"]).disabled())
        .child(tree("c", below()).needs(["b"]))
        .child(job("d").needs(["a"]))
        .child(tree("e", below()).disabled());
    let system = system();
    let running =
        spec.clone().start(&system, "top").await.expect("starts").explain().await.expect("it lives");
    for (explanation, c) in [(spec.explain(), "c"), (running, "c")] {
        let a = explanation.child("a").expect("it is there");
        assert_eq!((texts(&a.stops), texts(&a.starts)), (vec!["d"], vec!["a", "d"]), "{a}");
        assert_eq!((a.lost, a.of, a.start), (2, 2, Bound::AtMost(2 * SECOND)));
        let picture = explanation.to_string();
        let line = picture.lines().find(|line| line.contains(&format!(" {c} "))).expect("it is drawn");
        assert!(line.contains("waits for who is disabled"), "{picture}");
    }
    let above = one_for_all().child(job("z")).child(tree("s", spec));
    let z = above.explain_child("z").expect("it is there");
    assert_eq!(texts(&z.starts), ["z", "s", "s/a", "s/d"]);
    assert_eq!(z.start, Bound::AtMost(3 * SECOND));
}

#[test]
fn who_reports_to_be_ready_does_so_in_the_time_declared() {
    let idle = |id: &str| task(id, std::future::pending::<()>);
    let spec =
        |child: Child| rest_for_one().child(idle("a")).child(idle("b").ready_within(2 * SECOND)).child(child);
    let rows = [
        (idle("c"), Some(Bound::AtMost(2 * SECOND))),
        (idle("c").ready_within(3 * SECOND), Some(Bound::AtMost(3 * SECOND))),
        (idle("c").reports_ready(), Some(Bound::Unbounded(vec![Arc::from("c")]))),
    ];
    for (child, expected) in rows {
        let explained = spec(child).explain_child("a").expect("it is there");
        assert_eq!(explained.ready, expected, "{explained}");
        assert!(explained.to_string().contains("  ready "), "{explained}");
    }
    assert_eq!(one_for_one().child(idle("a")).explain_child("a").expect("it is there").ready, None);
}

// --- who gives up ----------------------------------------------------------------------------------------------------

/// Three levels, and a worker that crashes every so often: how many crashes until the tree ends, if it does.
async fn crashes_until_the_end(period: Duration, most: u64) -> Option<u64> {
    let system = system();
    let (worker, seat) = system.address::<Msg>();
    let root = three_levels(actor_in("it", seat, || Puppet::new("it", &journal().0)));
    let root = root.start(&system, "top").await.expect("puppets start");
    for crashes in 1..=most {
        pass(period).await;
        worker.tell(crash()).expect("there is room");
        turns().await;
        if !root.address().is_alive() {
            return Some(crashes);
        }
    }
    None
}

fn three_levels(worker: Child) -> Spec {
    let lowest = rest_for_one().limit(2, Duration::from_secs(9)).child(worker);
    let middle = one_for_all().limit(1, Duration::from_secs(12)).child(tree("lowest", lowest));
    one_for_one().limit(3, Duration::from_secs(36)).child(tree("middle", middle))
}

#[tokio::test(start_paused = true)]
async fn a_tree_gives_up_at_the_pace_that_was_said_and_at_no_slower_one() {
    let child = three_levels(task("it", std::future::pending::<()>)).explain_child("middle/lowest/it");
    let levels = child.expect("it is there").gives_up;
    let said: Vec<_> = levels
        .iter()
        .map(|level| (&*level.supervisor, level.longest.expect("a limit"), level.crashes))
        .collect();
    let seconds = Duration::from_secs;
    assert_eq!(said, [("middle/lowest", seconds(9) / 2, 3), ("middle", seconds(4), 6), ("", seconds(2), 24)]);
    assert_eq!(levels[2].then, Then::EndsTree);
    assert_eq!(levels[2].within, Some(46 * SECOND));

    assert_eq!(crashes_until_the_end(seconds(2), 24).await, Some(24));
    assert_eq!(crashes_until_the_end(seconds(2) + Duration::from_millis(1), 120).await, None);
}

#[test]
fn the_chain_ends_with_whoever_is_not_started_again() {
    use minder::supervisors::AutoShutdown::{AllSignificant, AnySignificant, Never};
    let idle = |id: &str| task(id, std::future::pending::<()>);
    let inner = || tree("x", one_for_one().child(idle("a")));
    let significant = |restart| inner().restart(restart).significant(true);
    let rows = [
        (Never, inner(), Then::Restarted, 2),
        (Never, inner().restart(Restart::Transient), Then::StaysDown, 1),
        (Never, inner().restart(Restart::Temporary), Then::Forgotten, 1),
        (AnySignificant, significant(Restart::Transient), Then::EndsSupervisor, 1),
        (AllSignificant, significant(Restart::Temporary), Then::EndsSupervisor, 1),
    ];
    for (auto_shutdown, child, expected, levels) in rows {
        let spec = one_for_one().auto_shutdown(auto_shutdown).child(child);
        let explained = spec.explain_child("x/a").expect("it is there");
        assert_eq!((explained.gives_up[0].then, explained.gives_up.len()), (expected, levels), "{explained}");
    }
    let two = one_for_one()
        .auto_shutdown(AllSignificant)
        .child(significant(Restart::Transient))
        .child(idle("b").restart(Restart::Transient).significant(true));
    let explained = two.explain_child("x/a").expect("it is there");
    assert_eq!(explained.gives_up[0].then, Then::EndsSupervisorIfLast);

    let pool = template("session", |()| Puppet::new("it", &journal().0));
    let explained =
        one_for_one().child(tree("pool", dynamic(&pool))).explain_child("pool/any").expect("as any");
    assert_eq!((explained.gives_up.len(), explained.gives_up[0].then), (1, Then::RestartedEmpty));
}

#[test]
fn limits_of_a_childs_own_are_part_of_it() {
    let idle = |id: &str| task(id, std::future::pending::<()>);
    let spec = |child: Child| {
        one_for_one().limit(1, 100 * SECOND).child(tree("x", one_for_one().limit(3, 6 * SECOND).child(child)))
    };
    let paces = |child: Child| {
        let explained = spec(child).explain_child("x/a").expect("it is there");
        let paces: Vec<_> =
            explained.gives_up.iter().map(|it| (it.longest.expect("a limit"), it.crashes)).collect();
        (paces, explained.left_down.map(|it| (it.longest.expect("a limit"), it.crashes)))
    };
    let slow = 5 * SECOND - Duration::from_nanos(1);
    let rows = [
        (idle("a"), vec![(2 * SECOND, 4), (2 * SECOND, 8)], None),
        // Slower crashes are heard, sooner.
        (idle("a").limit(1, 30 * SECOND), vec![(30 * SECOND, 2), (30 * SECOND, 4)], None),
        // However slow, as long as no life is healthy: the top hears of each end of the nearest, at eleven crashes.
        (idle("a").limit_in_a_row(10, 5 * SECOND), vec![(slow, 11), (slow, 22)], None),
        (
            idle("a").limit(1, 30 * SECOND).when_exhausted(Exhausted::LeaveDown),
            vec![(2 * SECOND, 4), (2 * SECOND, 8)],
            Some((30 * SECOND, 2)),
        ),
    ];
    for (child, gives_up, left_down) in rows {
        assert_eq!(paces(child.clone()), (gives_up, left_down), "{child:?}");
    }
    let disabled = one_for_all().child(idle("a")).child(idle("b").disabled()).child(idle("c"));
    let explained = disabled.explain_child("a").expect("it is there");
    assert_eq!((texts(&explained.stops), texts(&explained.starts)), (vec!["c"], vec!["a", "c"]));
    assert_eq!((explained.lost, explained.of), (2, 2));
}

/// How many crashes that come every so often it takes until the supervisor of this child gives up, if it does.
async fn crashes_of_one(with: fn(Child) -> Child, pace: Duration) -> Option<u64> {
    let system = system();
    let (it, seat) = system.address::<Msg>();
    let child = with(actor_in("a", seat, || Puppet::new("it", &journal().0)));
    let root = tolerant(one_for_one()).child(child).start(&system, "top").await.expect("a puppet starts");
    for crashes in 1..=12 {
        pass(pace).await;
        it.tell(crash()).expect("there is room");
        turns().await;
        if !root.address().is_alive() {
            return Some(crashes);
        }
    }
    None
}

/// A limit in a row counts lives, and not what lies between them: however long restarts wait, and however long it takes to be
/// ready.
#[tokio::test(start_paused = true)]
async fn waits_and_readiness_are_part_of_the_pace_at_which_a_limit_in_a_row_gives_up() {
    fn waiting(child: Child) -> Child {
        child.backoff(Backoff::new(60 * SECOND, 60 * SECOND, 600 * SECOND).jitter(0.0))
    }
    fn limited(child: Child) -> Child {
        child.limit_in_a_row(3, 10 * SECOND)
    }
    type With = fn(Child) -> Child;
    // the child, the pace at which it is said to give up, one at which it does, one at which it does not
    let rows: [(With, _, u32, Option<u32>); 5] = [
        (limited, Some(10), 9, Some(11)),
        (|child| limited(waiting(child)), Some(70), 69, Some(71)),
        (|child| limited(child.ready_within(3600 * SECOND)), Some(3610), 3599, Some(3700)),
        (|child| limited(waiting(child).ready_within(3600 * SECOND)), Some(3670), 3599, Some(3700)),
        (|child| limited(child.reports_ready()), None, 1_000_000, None),
    ];
    for (row, (with, said, fast, slow)) in rows.into_iter().enumerate() {
        let spec = tolerant(one_for_one()).child(with(task("a", std::future::pending::<()>)));
        let explained = spec.explain_child("a").expect("it is there");
        let nearest = &explained.gives_up[0];
        let expected = said.map(|seconds| seconds * SECOND - Duration::from_nanos(1));
        assert_eq!((nearest.longest, nearest.crashes), (expected, 4), "row {row}");
        let for_ever = explained.to_string().contains("it is started again for ever");
        assert_eq!(for_ever, said.is_some(), "row {row}: {explained}");
        assert_eq!(crashes_of_one(with, fast * SECOND).await, Some(4), "row {row}");
        if let Some(slow) = slow.filter(|_| row < 2) {
            assert_eq!(crashes_of_one(with, slow * SECOND).await, None, "row {row}");
        }
    }
}

/// The longest wait of a backoff comes before the starts.
#[test]
fn a_restart_that_waits_says_how_long() {
    let idle = |id: &str| task(id, std::future::pending::<()>);
    let backoff = Backoff::new(SECOND, 60 * SECOND, 600 * SECOND);
    let spec = one_for_all().child(idle("a").backoff(backoff)).child(idle("b"));
    let wait = |path| spec.explain_child(path).expect("it is there").wait;
    assert_eq!((wait("a"), wait("b")), (Some(60 * SECOND), None));
    let text = spec.explain_child("a").expect("it is there").to_string();
    assert!(text.contains("waits   at most 60s before it is started"), "{text}");
    let alone = one_for_one().child(idle("a").backoff(backoff)).child(idle("b")).explain().to_string();
    assert!(alone.contains("started again alone, and nobody else loses anything: b."), "{alone}");
    assert!(
        alone.contains("started again alone after at most 60s, and nobody else loses anything: a."),
        "{alone}"
    );
    let temporary = one_for_one().child(idle("a").restart(Restart::Temporary)).backoff(backoff);
    assert_eq!(temporary.explain_child("a").expect("it is there").wait, None);
}

// --- a tree that runs ------------------------------------------------------------------------------------------------

fn children_of(explanation: &Explanation) -> Vec<String> {
    explanation.children().map(|child| format!("{} {}", child.path, child.lost)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_running_tree_is_explained_as_it_stands() {
    let system = system();
    let idle = |id: &str| task(id, std::future::pending::<()>);
    let sessions = template("session", |()| Puppet::new("it", &journal().0)).restart(Restart::Temporary);
    let made = move || minder::supervisors::Supervisor::new(&one_for_all().child(idle("b")).child(idle("c")));
    let spec = rest_for_one()
        .limit(3, 7 * SECOND)
        .child(idle("a"))
        .child(tree("pool", dynamic(&sessions).max_children(10)))
        .child(tree_from("made", made))
        .child(optional_task("nothing", || None::<std::future::Pending<()>>));
    let before = spec.explain();
    assert_eq!(children_of(&before), ["a 4", "pool 3", "pool/* 1", "made 2", "nothing 1"]);
    let root = spec.start(&system, "top").await.expect("it starts");

    // What is made by code is known now, and whoever had nothing to run is counted nowhere.
    let now = root.explain().await.expect("it lives");
    assert_eq!(
        children_of(&now),
        ["a 5", "pool 4", "pool/* 1", "made 3", "made/b 2", "made/c 2", "nothing 0"]
    );
    let top = now.supervisors().next().expect("the top");
    assert_eq!((top.limit, top.period, top.regime), (3, 7 * SECOND, Regime::Fixed(Strategy::RestForOne)));

    let pool = root.subtree("pool").await.expect("it is there").pool(&sessions);
    for _ in 0..3 {
        pool.start(()).await.expect("there is room").expect("it runs");
    }
    root.start_child(tree("more", one_for_one().child(idle("d").asks(["a"])))).await.expect("its id is free");
    root.delete_child("nothing").await.expect("it has no process");
    root.terminate_child("made").await.expect("it is there");
    let now = root.explain().await.expect("it lives");
    assert_eq!(children_of(&now), ["a 7", "pool 6", "pool/* 1", "made 2", "more 2", "more/d 1"]);
    let asks: Vec<_> = now.asks().map(|ask| (ask.from, ask.to, ask.purged_by)).collect();
    assert_eq!(asks, [(Arc::from("more/d"), Arc::from("a"), None)]);
    let pool = root.explain_child("pool").await.expect("it is there");
    assert_eq!(texts(&pool.stops), ["more/d", "more"]);
    assert_eq!(texts(&pool.starts), ["pool", "made", "more", "more/d"]);

    match root.explain_child("more/e").await {
        Err(ExplainError::NoSuchPath(error)) => assert_eq!(error.nearest.as_deref(), Some("more/d")),
        other => panic!("{other:?}"),
    }
    root.stop(ExitReason::Shutdown).await.expect("it lives");
    let gone = root.explain().await.map(|_| ());
    assert!(matches!(gone, Err(Unavailable::NotThere)), "{gone:?}");
}

/// Each by what it goes by, whatever the template says: started so, or since before the template was changed.
#[tokio::test(start_paused = true)]
async fn whoever_has_rules_of_its_own_is_explained_by_them() {
    let system = system();
    let forever = std::future::pending::<()>;
    let kinds = async |root: &Root| -> Vec<String> {
        let text = root.explain().await.expect("it lives").to_string();
        let words = text.lines().skip(1).take_while(|line| !line.is_empty()).map(str::split_whitespace);
        words.map(|words| words.skip(2).take(3).collect::<Vec<_>>().join(" ")).collect()
    };
    let tasks = tasks(&system).await;
    assert_eq!(kinds(tasks.root()).await, ["any instance temporary"]);
    tasks.start_as(Restart::Permanent, forever).await.expect("there is room");
    let _task = tasks.run(forever()).await.expect("there is room");
    tasks.start_as(Restart::Permanent, forever).await.expect("there is room");
    assert_eq!(kinds(tasks.root()).await, ["1 instance temporary", "2 instances permanent"]);
    let explained = tasks.root().explain().await.expect("it lives");
    assert_eq!(children_of(&explained), ["* 1", "* 1"]);
    let restarted: Vec<bool> = explained.children().map(|child| child.then == Then::Restarted).collect();
    assert_eq!(restarted, [false, true], "{explained}");
    let gives_up: Vec<bool> = explained.children().map(|child| child.gives_up.is_empty()).collect();
    assert_eq!(gives_up, [true, false], "a restart counts: {explained}");

    let sessions = template("session", |()| Puppet::new("it", &journal().0)).restart(Restart::Temporary);
    let root = dynamic(&sessions).start(&system, "pool").await.expect("nothing can fail");
    let pool = root.pool(&sessions);
    for _ in 0..2 {
        pool.start(()).await.expect("there is room").expect("it runs");
    }
    assert_eq!(kinds(&root).await, ["2 instances temporary"]);
    let now = sessions.clone().restart(Restart::Permanent);
    root.apply(dynamic(&now)).await.expect("it is dynamic");
    pool.start(()).await.expect("there is room").expect("it runs");
    assert_eq!(kinds(&root).await, ["1 instance permanent", "2 instances temporary"]);
}

/// Whoever wants to know why nothing moves gets an answer while nothing moves.
#[tokio::test(start_paused = true)]
async fn a_supervisor_that_waits_for_a_child_explains_itself_all_the_same() {
    let system = system();
    let root = one_for_one().start(&system, "top").await.expect("nothing can fail");
    let started = Arc::new(Mutex::new(false));
    let seen = started.clone();
    let slow = actor("slow", move || {
        let seen = seen.clone();
        Puppet::new("it", &journal().0).on_start(move |_, _| {
            *seen.lock().expect("nobody panics") = true;
            Ok(())
        })
    });
    root.start_child(slow.shutdown(Shutdown::Infinity)).await.expect("its id is free");
    assert!(*started.lock().expect("nobody panics"));
    let hung = actor("hung", || Puppet::new("it", &journal().0).trapping().cleaning_up_for(100 * SECOND));
    root.start_child(hung.shutdown(Shutdown::Infinity)).await.expect("its id is free");
    let asked = root.clone();
    let stop = aside(async move { asked.terminate_child("hung").await });
    turns().await;

    let before = system.now();
    let explanation = root.explain().await.expect("it lives");
    assert_eq!(children_of(&explanation), ["slow 1", "hung 1"]);
    assert_eq!(system.now(), before, "nobody waited");
    assert!(!stop.is_finished(), "it is still stopping");
    stop.await.expect("it runs").expect("it is there");
}

// --- asks ------------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_ask_that_leads_nowhere_is_refused_with_the_nearest_path() {
    let idle = |id: &str| task(id, std::future::pending::<()>);
    let pool = template("session", |()| Puppet::new("it", &journal().0));
    let made = || minder::supervisors::Supervisor::new(&one_for_one());
    let spec = |asks: &[&str]| {
        one_for_one()
            .child(tree("vault", one_for_one().child(idle("store"))))
            .child(tree("pool", dynamic(&pool.clone().asks(["vault/store"]))))
            .child(tree_from("made", made))
            .child(idle("it").asks(asks))
    };
    let fine: [&[&str]; 6] =
        [&[], &["vault/store", "vault"], &[""], &["pool/ada", "pool/*"], &["made/at/its/start"], &["it"]];
    for asks in fine {
        spec(asks).check().unwrap_or_else(|error| panic!("{asks:?}: {error}"));
    }
    let refused = [
        ("vault/stor", "; did you mean `vault/store`?"),
        ("store", "; did you mean `vault/store`?"),
        ("vault/store/x", "; did you mean `vault/store`?"),
        ("somewhere", ""),
    ];
    for (path, hint) in refused {
        let error = spec(&["vault", path]).check().expect_err(path).to_string();
        let expected = format!(
            "child `it` asks nobody: there is no child `{path}`; paths are ids from the top of the tree{hint}"
        );
        assert_eq!(error, expected);
        assert!(spec(&[path]).start(&system(), "top").await.is_err(), "nothing is started");
    }
    let template = one_for_one().child(tree("pool", dynamic(&pool.asks(["vault"]))));
    let error = template.check().expect_err("there is no vault").to_string();
    assert!(error.starts_with("child `pool/*` asks nobody"), "{error}");
}
