//! Start phases of applications: what runs once the tree is up. Row APP-009; the rest is in `applications.rs`.

use std::future::pending;
use std::sync::Arc;

use minder::prelude::*;
use minder::supervisors::{ApplicationStatus, ApplicationType, StartApplicationError, StartPhaseFailed};
use tokio::sync::Notify;

use crate::applications::{application, names, running, started, status};
use crate::support::*;

/// One after the other, when the tree is up, and before the application counts as running and what needs it starts.
///
/// OTP: APP-009.
#[test]
fn start_phases_run_when_the_tree_is_up_one_after_the_other() {
    everywhere(|| async {
        let (system, (journal, mut reader)) = (system(), journal());
        let (warm, open) = (journal.clone(), journal.clone());
        let shop = application("shop", &[], &journal)
            .start_phase("warm", move |tree: Root| {
                let warm = warm.clone();
                async move {
                    let child = tree.which_child("shop").await?;
                    warm.note(format!("warming, {}", child.status));
                    tokio::task::yield_now().await;
                    warm.note("warm");
                    Ok::<_, ExitReason>(())
                }
            })
            .start_phase("open", move |_| {
                open.note("open");
                async { Ok::<_, ExitReason>(()) }
            });
        let applications = started(&system, [shop, application("web", &["shop"], &journal)]).await;
        let all = applications.ensure_all_started("web", ApplicationType::Permanent).await;
        assert_eq!(all, Ok(names(&["shop", "web"])));
        let lines = reader.rest();
        assert_eq!(lines, ["shop up", "warming, running", "warm", "open", "web up"]);
        system.shutdown(SECOND).await;
    });
}

/// How a phase ends, or what happens meanwhile.
#[derive(Clone, Copy, Debug)]
enum PhaseEnd {
    Fails,
    Panics,
    /// Before it has a future.
    PanicsAtOnce,
    /// The tree gives up while it runs.
    TreeEnds,
    /// The system is told to stop while it runs.
    SystemStops,
}

/// The application is stopped again, with its hooks, and so is what was started for it; later phases do not run.
///
/// OTP: APP-009.
#[tokio::test(start_paused = true)]
async fn a_start_phase_that_fails_fails_the_start() {
    let rows = [
        (PhaseEnd::Fails, "start phase `warm` failed: no fuel"),
        (PhaseEnd::Panics, "start phase `warm` failed: panic: no luck"),
        (PhaseEnd::PanicsAtOnce, "start phase `warm` failed: panic: no luck"),
        (PhaseEnd::TreeEnds, "tree ended"),
        (PhaseEnd::SystemStops, ""),
    ];
    for (end, expected) in rows {
        let (system, (journal, mut reader)) = (system(), journal());
        let (late, stops) = (journal.clone(), system.clone());
        let shop = application("shop", &["log"], &journal)
            .start_phase("warm", move |tree: Root| {
                let system = stops.clone();
                assert!(!matches!(end, PhaseEnd::PanicsAtOnce), "no luck");
                async move {
                    match end {
                        PhaseEnd::Fails => Err(ExitReason::other("no fuel")),
                        PhaseEnd::Panics | PhaseEnd::PanicsAtOnce => panic!("no luck"),
                        PhaseEnd::TreeEnds => {
                            tree.stop(ExitReason::other("tree ended")).await?;
                            pending().await
                        }
                        PhaseEnd::SystemStops => {
                            system.begin_shutdown(60 * SECOND);
                            pending().await
                        }
                    }
                }
            })
            .start_phase("open", move |_| {
                late.note("open all the same");
                async { Ok::<_, ExitReason>(()) }
            });
        let applications = started(&system, [shop, application("log", &[], &journal)]).await;
        let failed = soon(applications.ensure_all_started("shop", ApplicationType::Permanent)).await;
        match failed {
            Err(StartApplicationError::Failed { application, reason }) => {
                assert_eq!(&*application, "shop");
                assert!(reason.to_string().contains(expected) && !expected.is_empty(), "{end:?}: {reason}");
                if let ExitReason::Error(cause) = &reason {
                    assert!(cause.is::<StartPhaseFailed>(), "a value to look into");
                }
                assert_eq!(running(&applications).await, [""; 0], "{end:?}");
            }
            Err(StartApplicationError::ShuttingDown) => assert!(expected.is_empty(), "{end:?}"),
            other => panic!("{end:?}: {other:?}"),
        }
        assert!(system.shutdown(60 * SECOND).await.is_clean(), "{end:?}");
        let prep_stop = (!matches!(end, PhaseEnd::TreeEnds)).then_some("shop prep_stop");
        let mut lines = vec!["log up", "shop up"];
        lines.extend(prep_stop);
        lines.extend(["shop stopping shutdown", "shop stop"]);
        lines.extend(["log prep_stop", "log stopping shutdown", "log stop"]);
        assert_eq!(reader.rest(), lines, "{end:?}");
    }
}

/// While a phase runs the application is starting, its tree can be had, and questions are answered.
#[tokio::test(start_paused = true)]
async fn while_a_start_phase_runs_the_application_is_starting() {
    let (system, (journal, _reader)) = (system(), journal());
    let is_warm = Arc::new(Notify::new());
    let told = is_warm.clone();
    let shop = application("shop", &[], &journal).start_phase("warm", move |_| {
        let told = told.clone();
        async move {
            told.notified().await;
            Ok::<_, ExitReason>(())
        }
    });
    let applications = started(&system, [shop]).await;
    let starting = aside({
        let applications = applications.clone();
        async move { applications.start("shop", ApplicationType::Temporary).await }
    });
    turns().await;
    assert_eq!(status(&applications, "shop").await, ApplicationStatus::Starting);
    assert!(applications.root("shop").await.expect("it answers").is_some());
    is_warm.notify_one();
    assert_eq!(starting.await.expect("no panic"), Ok(()));
    assert_eq!(status(&applications, "shop").await, ApplicationStatus::Running);
}
