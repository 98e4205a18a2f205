//! Each lint on a tree that has what it looks for, and on one that has not, but for that the same; and what may be allowed.

use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::AutoShutdown::AnySignificant;
use minder::supervisors::{Backoff, Exhausted, Lint, tree_from};

use crate::support::*;

fn idle(id: &str) -> Child {
    task(id, std::future::pending::<()>)
}

fn named(count: usize) -> impl Iterator<Item = Child> {
    (0..count).map(|number| idle(&format!("it-{number}")).shutdown(Shutdown::BrutalKill))
}

/// One that hears whoever gives up below it, at every pace.
fn over(child: Child) -> Spec {
    one_for_one().limit(1, 20 * SECOND).child(child)
}

fn x(spec: Spec) -> Child {
    tree("x", spec)
}

fn pool() -> Template<u32, Msg> {
    template("session", |_| Puppet::new("it", &journal().0))
}

/// One whose own limit ends its supervisor, and whose crashes are heard at every pace.
fn caught() -> Child {
    idle("a").limit(1, 3 * SECOND)
}

fn left_down(child: Child) -> Child {
    child.when_exhausted(Exhausted::LeaveDown)
}

/// From so many seconds on.
fn waiting(seconds: u32) -> Backoff {
    Backoff::new(seconds * SECOND, 60 * SECOND, 60 * SECOND)
}

/// Finding; where; words of it; the tree; the tree put right.
type Row = (Lint, &'static str, &'static str, Spec, Spec);

fn rows() -> Vec<Row> {
    let (few, seconds) = (one_for_one, Duration::from_secs);
    vec![
        (
            Lint::Invalid,
            "",
            "children 0 and 1 are both called `a`",
            few().child(idle("a")).child(idle("a")),
            few().child(idle("a")).child(idle("b")),
        ),
        (
            Lint::Invalid,
            "",
            "both registered as `clock`",
            few().child(idle("a").registered("clock")).child(idle("b").registered("clock")),
            few().child(idle("a").registered("clock")).child(idle("b").registered("watch")),
        ),
        (
            Lint::Invalid,
            "",
            "did you mean `b`?",
            few().child(idle("b")).child(idle("a").asks(["x/b"])),
            few().child(idle("b")).child(idle("a").asks(["b"])),
        ),
        (
            Lint::BlindZone,
            "x",
            "between every 2.5s and every 5s makes it give up again and again, and (top) start it again for ever, since 2 \
             ends are too seldom for 1 in 5s: nobody is told; give (top) a period of at least 10s",
            few().child(x(few().child(idle("a")))),
            few().limit(1, seconds(10)).child(x(few().child(idle("a")))),
        ),
        (
            Lint::BlindZone,
            "x",
            "or a limit of at most 2",
            few().limit(5, seconds(20)).child(x(few().child(idle("a")))),
            few().limit(2, seconds(20)).child(x(few().child(idle("a")))),
        ),
        // Whoever stands first: one without limits of its own is not covered by those of its sibling …
        (
            Lint::BlindZone,
            "x",
            "between every 727.27ms and every 1s makes it give up again and again",
            few()
                .limit(1, seconds(8))
                .child(x(few().limit(10, seconds(10)).child(caught()).child(idle("b")))),
            few()
                .limit(1, seconds(11))
                .child(x(few().limit(10, seconds(10)).child(caught()).child(idle("b")))),
        ),
        (
            Lint::BlindZone,
            "x",
            "give (top) a period of at least 11s",
            few()
                .limit(1, seconds(8))
                .child(x(few().limit(10, seconds(10)).child(idle("b")).child(caught()))),
            few()
                .limit(1, seconds(11))
                .child(x(few().limit(10, seconds(10)).child(idle("b")).child(caught()))),
        ),
        // … and limits of its own may be what is not heard of.
        (
            Lint::BlindZone,
            "x",
            "a child like `a` that crashes between every 10s and every 60s makes it give up again and again",
            over(x(few().child(idle("b")).child(idle("a").limit(1, 60 * SECOND)))),
            few()
                .limit(1, seconds(120))
                .child(x(few().child(idle("b")).child(idle("a").limit(1, 60 * SECOND)))),
        ),
        // Those that leave it down come first, as far as they reach, and if they are used up as soon.
        (
            Lint::BlindZone,
            "x",
            "a child like `a` that crashes between every 4s and every 5s makes it give up again and again",
            few().child(x(few().child(left_down(idle("a").limit(1, 4 * SECOND))))),
            few().child(x(few().child(left_down(idle("a").limit(1, 5 * SECOND))))),
        ),
        (
            Lint::BlindZone,
            "x",
            "a child like `a` that crashes between every 2.5s and every 5s makes it give up again and again",
            few().child(x(few().child(left_down(idle("a").limit(2, 60 * SECOND))))),
            few().child(x(few().child(left_down(idle("a").limit_in_a_row(1, 10 * SECOND))))),
        ),
        (
            Lint::BlindZone,
            "x",
            "a child that crashes between every 2.5s and every 5s makes it give up again and again",
            few().child(x(few().child(left_down(idle("a").limit(0, SECOND))).child(idle("b")))),
            few().child(x(few().child(left_down(idle("a").limit(0, SECOND))))),
        ),
        (
            Lint::SilentlyDown,
            "x",
            "stays down, and nobody is told",
            over(x(few().child(idle("a"))).restart(Restart::Transient)),
            over(x(few().child(idle("a").restart(Restart::Temporary))).restart(Restart::Transient)),
        ),
        (
            Lint::SilentlyDown,
            "x",
            "make it permanent, or significant",
            few()
                .auto_shutdown(AnySignificant)
                .child(x(few().child(idle("a"))).restart(Restart::Transient))
                .child(idle("b").restart(Restart::Transient).significant(true)),
            few()
                .auto_shutdown(AnySignificant)
                .child(x(few().child(idle("a"))).restart(Restart::Transient).significant(true))
                .child(idle("b").restart(Restart::Transient).significant(true)),
        ),
        (
            Lint::ShutdownTooShort,
            "x",
            "killed after 9s, and to stop all below it takes at most 10s",
            over(x(few().child(idle("a")).child(idle("b"))).shutdown(Shutdown::Within(9 * SECOND))),
            over(x(few().child(idle("a")).child(idle("b"))).shutdown(Shutdown::Within(10 * SECOND))),
        ),
        (
            Lint::KilledSupervisor,
            "x",
            "killed at once",
            over(x(few().child(idle("a"))).shutdown(Shutdown::BrutalKill)),
            over(x(few().child(idle("a")))),
        ),
        (
            Lint::AskUp,
            "x/a",
            "it asks (top), which is above it",
            over(x(few().child(idle("a").asks([""])))),
            over(x(few().child(idle("a")))).child(idle("b").asks(["x"])),
        ),
        (
            Lint::AskLater,
            "a",
            "it asks b, which starts after it",
            few().child(idle("a").asks(["b"])).child(idle("b")),
            few().child(idle("b")).child(idle("a").asks(["b"])),
        ),
        (
            Lint::AskCircle,
            "a",
            "a asks a",
            few().child(idle("a").asks(["a"])),
            few().child(tree("pool", dynamic(&pool().asks(["pool/other"]).restart(Restart::Temporary)))),
        ),
        (
            Lint::AskPurged,
            "b",
            "it asks x/a, whose messages are purged when x restarts its group",
            over(x(one_for_all().child(idle("a")))).child(idle("b").asks(["x/a"])),
            over(x(one_for_all().child(idle("a")).child(idle("b").asks(["x/a"])))),
        ),
        (
            Lint::AskPurged,
            "b",
            "purged when x restarts its group",
            over(x(rest_for_one().child(idle("a")))).child(idle("b").asks(["x/a"])),
            over(x(rest_for_one().child(idle("a")).child(idle("b").asks(["x/a"])))),
        ),
        (
            Lint::NeverRestarts,
            "",
            "`a` is permanent, and no restart is tolerated",
            few().limit(0, SECOND).child(idle("a")),
            few().limit(0, SECOND).child(idle("a").restart(Restart::Transient)),
        ),
        (
            Lint::LimitTooHigh,
            "",
            "crashes every 90.91ms is started again for ever: that is 11 in 1s",
            few().limit(11, SECOND).child(idle("a")),
            few().limit(10, SECOND).child(idle("a")),
        ),
        (
            Lint::NeverHeard,
            "a",
            "if it never gets ready it is killed after 5s and started again, for ever",
            few().child(idle("a").ready_within(5 * SECOND)),
            few().child(idle("a").ready_within(4 * SECOND)),
        ),
        (
            Lint::NeverHeard,
            "a",
            "if it hangs at every message it is killed after 6s and started again, for ever: (top) gives up only if it crashes \
             every 5s or faster; shorten that below 5s, or give (top) a period of at least 7s",
            few().child(idle("a").handler_limit(6 * SECOND)),
            few().limit(1, seconds(7)).child(idle("a").handler_limit(6 * SECOND)),
        ),
        (
            Lint::NeverHeard,
            "a",
            "its backoff lets no 3 crashes come within 5s",
            few().limit(2, seconds(5)).child(idle("a").backoff(waiting(2).jitter(0.0))),
            few().limit(2, seconds(6)).child(idle("a").backoff(waiting(2).jitter(0.0))),
        ),
        (
            Lint::NeverHeard,
            "a",
            "give it a `limit_in_a_row`",
            few().backoff(waiting(9)).child(idle("a")),
            few().backoff(waiting(9)).child(idle("a").limit_in_a_row(3, 60 * SECOND)),
        ),
        // Beyond the cap all delays are of one length: no more of them are looked at, whatever the limit.
        (
            Lint::NeverHeard,
            "a",
            "its backoff lets no 4294967296 crashes come within",
            few().limit(u32::MAX, seconds(430_000_000)).child(idle("a").backoff(waiting(1))),
            few().limit(u32::MAX, seconds(430_000_000)).child(idle("a").backoff(waiting(1).jitter(1.0))),
        ),
        (
            Lint::SharedLimit,
            "",
            "25 children share a limit of 1 in 5s: it gives up although nothing is wrong",
            few().children(named(25)),
            few().children(named(24)),
        ),
        (
            Lint::SharedLimit,
            "",
            "up to 1,000 instances share a limit of 1 in 5s",
            dynamic(&pool()).max_children(1_000),
            dynamic(&pool()).limit(3, seconds(5)).max_children(1_000),
        ),
        (
            Lint::SharedLimit,
            "",
            "any number of instances share a limit of 1 in 5s",
            dynamic(&pool()),
            dynamic(&pool().restart(Restart::Temporary)),
        ),
        (
            Lint::LongRestForOne,
            "",
            "a crash of `it-0` restarts all 11 children",
            rest_for_one().children(named(11)),
            rest_for_one().children(named(10)),
        ),
        (
            Lint::NothingSignificant,
            "",
            "has none",
            few().auto_shutdown(AnySignificant).child(idle("a")),
            few()
                .auto_shutdown(AnySignificant)
                .child(idle("a").restart(Restart::Transient).significant(true)),
        ),
        (
            Lint::ForgottenInGroup,
            "b",
            "stopped when `a` crashes, and not started again",
            rest_for_one().child(idle("a")).child(idle("b").restart(Restart::Temporary)),
            rest_for_one().child(idle("b").restart(Restart::Temporary)).child(idle("a")),
        ),
        (
            Lint::ForgottenInGroup,
            "b",
            "make it transient",
            one_for_all().child(idle("b").restart(Restart::Temporary)).child(idle("a")),
            one_for_one().child(idle("b").restart(Restart::Temporary)).child(idle("a")),
        ),
        (
            Lint::SlowStop,
            "",
            "takes at most 35s; whoever runs it commonly kills it after 30s",
            few().children((0..7).map(|number| idle(&number.to_string()))),
            few().children((0..6).map(|number| idle(&number.to_string()))),
        ),
        (
            Lint::SlowStop,
            "",
            "takes as long as it takes, because of a",
            few().child(idle("a").shutdown(Shutdown::Infinity)),
            few().child(idle("a").shutdown(Shutdown::Within(30 * SECOND))),
        ),
        (
            Lint::WaitsInVain,
            "b",
            "somebody who is disabled",
            by_needs().limit(2, SECOND).child(idle("a").disabled()).child(idle("b").needs(["a"])),
            by_needs().limit(2, SECOND).child(idle("a").disabled()).child(idle("b").needs(["a"]).disabled()),
        ),
        // Side by side they stop in 20 s, and one after the other they would in 40.
        (
            Lint::SlowStop,
            "",
            "to stop all of it takes at most 40s",
            by_needs()
                .limit(2, SECOND)
                .child(idle("a").shutdown(Shutdown::Within(20 * SECOND)))
                .child(idle("b").shutdown(Shutdown::Within(20 * SECOND)).needs(["a"])),
            by_needs()
                .limit(2, SECOND)
                .child(idle("a").shutdown(Shutdown::Within(20 * SECOND)))
                .child(idle("b").shutdown(Shutdown::Within(20 * SECOND))),
        ),
        // In the group of one need, and not in that of another.
        (
            Lint::ForgottenInGroup,
            "b",
            "it is stopped when `a` crashes",
            by_needs()
                .limit(2, SECOND)
                .child(idle("a"))
                .child(idle("b").needs(["a"]).restart(Restart::Temporary)),
            by_needs().limit(2, SECOND).child(idle("a")).child(idle("b").restart(Restart::Temporary)),
        ),
        (
            Lint::WithoutEffect,
            "a",
            "lives once",
            few().child(idle("a").restart(Restart::Temporary).quarantine_after(2)),
            few().child(idle("a").restart(Restart::Transient).quarantine_after(2)),
        ),
    ]
}

#[test]
fn each_finding_on_a_tree_that_has_it_and_on_one_that_has_not() {
    for (lint, path, says, wrong, right) in rows() {
        let findings = wrong.lint();
        let found: Vec<_> = findings.iter().map(|finding| (finding.lint, &*finding.path)).collect();
        assert_eq!(found, [(lint, path)], "{lint}: {findings}");
        let text = findings.to_string();
        assert!(text.contains(says), "{lint} does not say {says:?}: {text}");
        assert!(text.contains("; "), "{lint} says what to do: {text}");
        assert!(right.lint().is_clean(), "{lint} on the tree put right: {}", right.lint());
    }
}

/// A life that never gets ready is none in a row that is healthy, however long it lasts; one that hangs may be. A budget counts
/// what comes within its period. Either way somebody hears of it.
#[test]
fn limits_of_its_own_catch_faults_that_are_slow_to_be_found() {
    let slow = || idle("a").ready_within(10 * SECOND);
    let hangs = || idle("a").handler_limit(10 * SECOND);
    let steady = |wait: u32| Backoff::new(wait * SECOND, wait * SECOND, 600 * SECOND).jitter(0.0);
    // the child, whether nobody ever hears of it
    let rows = [
        (slow(), true),
        (slow().limit_in_a_row(3, SECOND), false),
        (left_down(slow().limit_in_a_row(3, 60 * SECOND)), false),
        (hangs().limit_in_a_row(3, 10 * SECOND), true),
        (hangs().limit_in_a_row(3, 11 * SECOND), false),
        (left_down(hangs().limit_in_a_row(3, 11 * SECOND)), false),
        (left_down(slow().limit(3, 30 * SECOND)), true),
        (left_down(slow().limit(3, 31 * SECOND)), false),
        (left_down(slow().limit(0, SECOND)), false),
        // Each of its restarts waits as well.
        (left_down(slow().limit(3, 31 * SECOND).backoff(steady(1))), true),
        (left_down(slow().limit(3, 34 * SECOND).backoff(steady(1))), false),
    ];
    for (row, (child, is_never_heard)) in rows.into_iter().enumerate() {
        let findings = one_for_one().child(child).lint();
        let found = findings.iter().any(|finding| finding.lint == Lint::NeverHeard);
        assert_eq!(found, is_never_heard, "row {row}: {findings}");
    }
}

/// One that has several things wrong says all of them.
#[test]
fn everything_is_found_at_once() {
    let both = one_for_all()
        .limit(0, SECOND)
        .child(idle("a").asks(["b"]))
        .child(idle("b").asks(["a"]).restart(Restart::Temporary).shutdown(Shutdown::Infinity));
    let mut codes: Vec<_> = both.lint().iter().map(|finding| finding.lint.code()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["ask-circle", "ask-later", "forgotten-in-group", "never-restarts", "slow-stop"]);
}

#[test]
fn what_is_made_by_code_is_not_judged_but_for_its_place() {
    let made = || tree_from("made", || minder::supervisors::Supervisor::new(&one_for_one()));
    let bounded = made().shutdown(Shutdown::Within(SECOND));
    let found = |child: Child| one_for_one().child(child).lint().iter().map(|it| it.lint).collect::<Vec<_>>();
    assert_eq!(found(bounded.clone()), [Lint::ShutdownTooShort]);
    assert_eq!(found(bounded.restart(Restart::Transient)), [Lint::ShutdownTooShort, Lint::SilentlyDown]);
    assert_eq!(found(made()), [Lint::SlowStop]);
}

#[test]
fn what_is_allowed_needs_a_reason_and_something_to_allow() {
    let spec = || {
        let part =
            |id: &str| tree(id, one_for_one().child(idle("a")).child(idle("b").restart(Restart::Transient)));
        one_for_one().child(part("x")).child(part("y"))
    };
    let findings = spec().lint();
    assert_eq!(findings.iter().count(), 2);
    assert!(!findings.is_clean());
    let panic = std::panic::catch_unwind(|| findings.assert_clean()).expect_err("there are findings");
    let text = panic.downcast_ref::<String>().expect("a message");
    assert!(text.contains("blind-zone: x: ") && text.contains("blind-zone: y: "), "{text}");

    let reason = "the demonstration ends before that";
    let allowed = spec().lint().allow(Lint::BlindZone, "*", reason);
    allowed.assert_clean();
    assert_eq!(allowed.allowed().len(), 2);
    assert!(allowed.to_string().contains(&format!("blind-zone: x, y: allowed: {reason}")), "{allowed}");

    let rows = [
        (Lint::BlindZone, "x/a", reason, "allowance: x/a: blind-zone is allowed here, and is not found"),
        (Lint::SlowStop, "x", reason, "allowance: x: slow-stop is allowed here, and is not found"),
        (Lint::BlindZone, "x", " ", "allowance: x: blind-zone is allowed here without a reason"),
    ];
    for (lint, path, reason, says) in rows {
        let findings = spec().lint().allow(Lint::BlindZone, "y", "yes").allow(lint, path, reason).to_string();
        assert!(findings.contains(says), "{findings}");
    }
}
