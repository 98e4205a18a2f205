//! Applications when something goes wrong in the middle: a hook that panics at once, a need that ends while another starts. Rows
//! APP; the rest is in `applications.rs`.

use std::future::Ready;
use std::sync::Arc;

use minder::prelude::*;
use minder::supervisors::{Application, ApplicationType, Applications, StartApplicationError};
use tokio::sync::Notify;

use crate::applications::{application, of_tree, running, started};
use crate::support::*;

/// Whether it panics in its future or before there is one, it is that hook's panic, and neither its application nor any other
/// hears of it.
///
/// OTP: APP-005, APP-008.
#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_before_it_has_a_future_holds_up_nothing() {
    fn panics() -> Ready<()> {
        panic!("no luck")
    }
    let (system, (journal, mut reader)) = (system(), journal());
    let set = [
        application("one", &[], &journal).prep_stop(panics),
        application("two", &[], &journal).stop(panics),
        application("other", &[], &journal),
    ];
    let applications = Applications::new(set).at_shutdown(panics);
    let applications = applications.start(&system).await.expect("the set makes sense");
    for name in ["other", "one", "two"] {
        applications.start(name, ApplicationType::Permanent).await.expect("it needs nobody");
    }
    reader.rest();
    assert_eq!((applications.stop("one").await, applications.stop("two").await), (Ok(()), Ok(())));
    let expected = ["one stopping shutdown", "one stop", "two prep_stop", "two stopping shutdown"];
    assert_eq!(
        (reader.rest().as_slice(), running(&applications).await),
        (&expected.map(String::from)[..], vec!["other".to_owned()])
    );
    assert!(system.shutdown(SECOND).await.is_clean());
    assert_eq!(reader.rest(), ["other prep_stop", "other stopping shutdown", "other stop"]);
}

/// What it needs is looked at when its turn comes, and not when it is asked for: whatever ran then, or was started for it,
/// may have ended since.
///
/// OTP: APP-002, APP-003.
#[tokio::test(start_paused = true)]
async fn nothing_is_started_whose_need_has_ended_meanwhile() {
    for ran_before in [true, false] {
        let (system, (journal, mut reader)) = (system(), journal());
        let is_made = Arc::new(Notify::new());
        let makes = is_made.clone();
        let slow = Application::from_fn("slow", move || {
            let makes = makes.clone();
            async move {
                makes.notified().await;
                Ok::<_, ExitReason>(one_for_one())
            }
        });
        let set = [application("log", &[], &journal), slow, application("web", &["log", "slow"], &journal)];
        let applications = started(&system, set).await;
        if ran_before {
            applications.start("log", ApplicationType::Temporary).await.expect("it needs nobody");
        }
        let starting = aside({
            let applications = applications.clone();
            async move { applications.ensure_all_started("web", ApplicationType::Temporary).await }
        });
        turns().await;
        let root = applications.root("log").await.expect("it lives").expect("it runs");
        root.stop(ExitReason::Normal).await.expect("it lives");
        turns().await;
        is_made.notify_one();
        let missing = StartApplicationError::NotStarted { application: "web".into(), needs: "log".into() };
        assert_eq!(soon(starting).await.expect("no panic"), Err(missing), "{ran_before}");
        assert_eq!(reader.rest(), ["log up", "log stopping shutdown", "log stop"], "{ran_before}");
        assert_eq!(running(&applications).await, [""; 0], "what was started for it is stopped: {ran_before}");
    }
}

/// What is being done for it is broken off: its start function, its tree or its phase, whichever it is at.
///
/// OTP: APP-002.
#[tokio::test(start_paused = true)]
async fn a_start_is_not_waited_for_whose_need_has_ended() {
    let stages: [fn(&Journal) -> Application; 3] = [
        |_| Application::from_fn("shop", std::future::pending::<Result<Spec, ExitReason>>),
        |journal| {
            let journal = journal.clone();
            let child = actor("till", move || {
                Puppet::new("till", &journal).on_start(|_, context| {
                    context.acknowledge_later();
                    Ok(())
                })
            });
            Application::new("shop", one_for_one().child(child))
        },
        |journal| {
            application("shop", &[], journal).start_phase("open", |_| std::future::pending::<Handled>())
        },
    ];
    for (stage, shop) in stages.into_iter().enumerate() {
        let (system, (journal, mut reader)) = (system(), journal());
        let set = [
            application("log", &[], &journal),
            application("bank", &[], &journal),
            shop(&journal).needs(["bank", "log"]),
        ];
        let applications = started(&system, set).await;
        applications.start("log", ApplicationType::Temporary).await.expect("it needs nobody");
        let starting = aside({
            let applications = applications.clone();
            async move { applications.ensure_all_started("shop", ApplicationType::Permanent).await }
        });
        turns().await;
        reader.rest();
        let log = applications.root("log").await.expect("it lives").expect("it runs");
        log.stop(ExitReason::Normal).await.expect("it lives");
        let missing = StartApplicationError::NotStarted { application: "shop".into(), needs: "log".into() };
        assert_eq!(soon(starting).await.expect("no panic"), Err(missing), "{stage}");
        let mut expected = vec!["log stopping shutdown", "log stop"];
        if stage == 2 {
            expected.extend(["shop prep_stop", "shop stopping shutdown", "shop stop"]);
        }
        expected.extend(["bank prep_stop", "bank stopping shutdown", "bank stop"]);
        assert_eq!(reader.rest(), expected, "{stage}");
        assert_eq!(running(&applications).await, [""; 0], "{stage}");
        // Nothing of it is left, and the end of what a permanent one began is not the system's.
        assert_eq!(applications.start("log", ApplicationType::Temporary).await, Ok(()), "{stage}");
    }
}

/// It is told to stop before it is heard of that it is up: it is not up for anybody, and `prep_stop` is for a tree that runs.
#[tokio::test(start_paused = true)]
async fn a_tree_that_has_been_told_to_stop_is_not_prepared_for_it() {
    for shuts_down in [false, true] {
        let (system, (journal, mut reader)) = (system(), journal());
        let ((till, seat), puppets) = (system.address(), journal.clone());
        let child = actor_in("till", seat, move || {
            Puppet::new("till", &puppets).trapping().on_start(|_, context| {
                context.acknowledge_later();
                Ok(())
            })
        });
        let shop = of_tree("shop", one_for_one().child(child), &["bank", "log"], &journal);
        let set = [application("log", &[], &journal), application("bank", &[], &journal), shop];
        let applications = started(&system, set).await;
        applications.start("log", ApplicationType::Temporary).await.expect("it needs nobody");
        let log = applications.root("log").await.expect("it lives").expect("it runs");
        let starting = aside({
            let applications = applications.clone();
            async move { applications.ensure_all_started("shop", ApplicationType::Temporary).await }
        });
        turns().await;
        assert_eq!(reader.rest(), ["log up", "bank up", "till up"]);
        let controller =
            system.actors().find(|actor| &*actor.path() == "applications").expect("it lives").sys();
        assert!(controller.suspend());
        let acknowledge = act(|_, context| {
            context.acknowledge();
            Ok(())
        });
        let mut shutdown = None;
        if shuts_down {
            till.tell(acknowledge).expect("it lives");
            turns().await;
            // Whoever is told to stop is not suspended any more.
            let system = system.clone();
            shutdown = Some(aside(async move { system.shutdown(SECOND).await }));
        } else {
            log.stop(ExitReason::Normal).await.expect("it lives");
            till.tell(acknowledge).expect("it lives");
            turns().await;
            assert!(controller.resume());
        }
        turns().await;
        let (log, missing) = if shuts_down {
            (["log prep_stop", "log stopping shutdown", "log stop"], StartApplicationError::ShuttingDown)
        } else {
            let needs = "log".into();
            let missing = StartApplicationError::NotStarted { application: "shop".into(), needs };
            (["log stopping shutdown", "log stop", ""], missing)
        };
        let shop = ["till stopping shutdown", "shop stop"];
        let bank = ["bank prep_stop", "bank stopping shutdown", "bank stop"];
        let expected = match shuts_down {
            true => [&shop[..], &bank, &log].concat(),
            false => [&log[..1], &shop, &log[1..2], &bank].concat(),
        };
        assert_eq!(soon(starting).await.expect("no panic"), Err(missing), "{shuts_down}");
        turns().await;
        assert_eq!(reader.rest(), expected, "{shuts_down}");
        if let Some(shutdown) = shutdown {
            assert!(shutdown.await.expect("no panic").is_clean());
        }
    }
}

/// Whoever does not need what has ended is started all the same.
#[tokio::test(start_paused = true)]
async fn a_start_goes_on_when_somebody_else_ends() {
    let (system, (journal, _reader)) = (system(), journal());
    let opens = Arc::new(Notify::new());
    let until = opens.clone();
    let shop = application("shop", &["bank"], &journal).start_phase("open", move |_| {
        let until = until.clone();
        async move {
            until.notified().await;
            Ok::<_, ExitReason>(())
        }
    });
    let set = [application("log", &[], &journal), application("bank", &["log"], &journal), shop];
    let applications = started(&system, set).await;
    let starting = aside({
        let applications = applications.clone();
        async move { applications.ensure_all_started("shop", ApplicationType::Temporary).await }
    });
    turns().await;
    let log = applications.root("log").await.expect("it lives").expect("it runs");
    log.stop(ExitReason::Normal).await.expect("it lives");
    turns().await;
    opens.notify_one();
    assert_eq!(soon(starting).await.expect("no panic").map(|all| all.len()), Ok(3));
    assert_eq!(running(&applications).await, ["bank", "shop"]);
}
