//! Applications: several trees in one system, started in order of need and stopped in reverse. Rows APP.

use std::future::{Ready, pending};
use std::sync::Arc;

use minder::prelude::*;
use minder::supervisors::{
    Application, ApplicationController, ApplicationEnded, ApplicationName, ApplicationStatus,
    ApplicationType, Applications, ApplicationsError, StartApplicationError, StartFailed,
    StopApplicationError, TreeError, Unavailable,
};
use minder::{Event, Observer};
use tokio::sync::Notify;

use crate::support::*;

/// An application of one puppet that traps exits, all of whose hooks write into the journal.
pub(crate) fn application(
    name: &'static str,
    needs: &'static [&'static str],
    journal: &Journal,
) -> Application {
    let puppets = journal.clone();
    let child = actor(name, move || Puppet::new(name, &puppets).trapping());
    of_tree(name, one_for_one().child(child), needs, journal)
}

/// The same of another tree.
pub(crate) fn of_tree(
    name: &'static str,
    tree: Spec,
    needs: &'static [&'static str],
    journal: &Journal,
) -> Application {
    let (prep_stop, stop) = (journal.clone(), journal.clone());
    Application::new(name, tree)
        .needs(needs.iter().copied())
        .prep_stop(move || {
            prep_stop.note(format!("{name} prep_stop"));
            async {}
        })
        .stop(move || {
            stop.note(format!("{name} stop"));
            async {}
        })
}

/// `shop` needs `database` and `web`, which needs `log`; `loner` needs nobody.
fn town(journal: &Journal) -> [Application; 5] {
    [
        application("shop", &["database", "web"], journal),
        application("web", &["log"], journal),
        application("database", &[], journal),
        application("log", &[], journal),
        application("loner", &[], journal),
    ]
}

pub(crate) async fn started(
    system: &System,
    all: impl IntoIterator<Item = Application>,
) -> ApplicationController {
    Applications::new(all).start(system).await.expect("the set makes sense")
}

pub(crate) async fn running(applications: &ApplicationController) -> Vec<String> {
    let all = applications.which().await.expect("it lives");
    let runs = all.iter().filter(|one| one.status == ApplicationStatus::Running);
    runs.map(|one| one.name.to_string()).collect()
}

pub(crate) async fn status(applications: &ApplicationController, name: &str) -> ApplicationStatus {
    let all = applications.which().await.expect("it lives");
    all.iter().find(|one| &*one.name == name).expect("it is in the set").status
}

/// The puppet of an application.
async fn puppet(applications: &ApplicationController, name: &str) -> Addr<Msg> {
    let root = applications.root(name).await.expect("it lives").expect("it runs");
    let child = root.which_child(name).await.expect("it is there");
    child.actor().and_then(minder::ActorRef::address).expect("a puppet")
}

pub(crate) fn names(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

/// A name, a start function, a tree, what it needs, and a configuration that its tree offers.
///
/// OTP: APP-001, APP-010, APP-011.
#[tokio::test(start_paused = true)]
async fn an_application_is_a_named_tree_with_a_configuration() {
    #[derive(Clone)]
    struct Port(u16);
    let (system, (journal, mut reader)) = (system(), journal());
    let shop = Application::from_fn("shop", move || {
        let journal = journal.clone();
        async move {
            let port: u16 = "8080".parse()?;
            let looks = move || {
                Puppet::new("it", &journal).on_start(|puppet, context| {
                    let (Port(port), ApplicationName(name)) = (context.service()?, context.service()?);
                    puppet.note(format!("{name} at {port}"));
                    Ok(())
                })
            };
            Ok::<_, ExitReason>(one_for_one().offer(Port(port)).child(actor("it", looks)))
        }
    });
    let applications = started(&system, [shop]).await;
    assert_eq!(applications.root("shop").await.expect("it lives").map(drop), None);
    applications.start("shop", ApplicationType::Temporary).await.expect("it starts");
    reader.expect(&["it shop at 8080", "it up"]).await;
    let root = applications.root("shop").await.expect("it lives").expect("it runs");
    assert_eq!(&*root.address().path(), "applications/shop");
    let child = root.which_child("it").await.expect("it is there");
    let child = child.actor().expect("it is up");
    assert_eq!(applications.application_of(child), Some("shop".into()));
    let stranger = system.address::<Msg>();
    let (journal, _reader) = self::journal();
    let stranger = system.start(stranger.1, "applicationsx/it", move || Puppet::new("it", &journal)).await;
    assert_eq!(applications.application_of(&stranger.expect("it starts")), None);
}

/// OTP: APP-002.
#[tokio::test(start_paused = true)]
async fn a_start_is_refused_if_something_it_needs_does_not_run_or_it_does() {
    let (system, (journal, _reader)) = (system(), journal());
    let applications = started(&system, town(&journal)).await;
    let temporary = ApplicationType::Temporary;
    let missing = StartApplicationError::NotStarted { application: "web".into(), needs: "log".into() };
    assert_eq!(applications.start("web", temporary).await, Err(missing));
    applications.start("log", temporary).await.expect("it needs nobody");
    applications.start("web", temporary).await.expect("what it needs runs");
    let again = StartApplicationError::AlreadyStarted("log".into());
    assert_eq!(applications.start("log", temporary).await, Err(again));
    let unknown = StartApplicationError::Unknown { name: "inn".into(), nearest: None };
    assert_eq!(applications.start("inn", temporary).await, Err(unknown.clone()));
    assert_eq!(applications.ensure_all_started("inn", temporary).await, Err(unknown));
    assert_eq!(
        applications.stop("inn").await,
        Err(StopApplicationError::Unknown { name: "inn".into(), nearest: None })
    );
    let misspelt =
        StartApplicationError::Unknown { name: "databse".into(), nearest: Some("database".into()) };
    assert!(misspelt.to_string().ends_with("; did you mean `database`?"), "{misspelt}");
    assert_eq!(applications.start("databse", temporary).await, Err(misspelt));
    let misspelt = StopApplicationError::Unknown { name: "shopp".into(), nearest: Some("shop".into()) };
    assert!(misspelt.to_string().ends_with("; did you mean `shop`?"), "{misspelt}");
    assert_eq!(applications.stop("shopp").await, Err(misspelt));
    assert_eq!(applications.stop("shop").await, Err(StopApplicationError::NotStarted("shop".into())));
    assert_eq!(running(&applications).await, ["log", "web"]);
    system.shutdown(SECOND).await;
    let gone = applications.start("log", temporary).await;
    assert!(matches!(&gone, Err(StartApplicationError::Unavailable(Unavailable::Ended(_)))), "{gone:?}");
}

/// OTP: APP-003.
#[test]
fn what_is_missing_is_started_first_in_order() {
    everywhere(|| async {
        let (system, (journal, mut reader)) = (system(), journal());
        let applications = started(&system, town(&journal)).await;
        applications.start("log", ApplicationType::Temporary).await.expect("it needs nobody");
        let all = applications.ensure_all_started("shop", ApplicationType::Transient).await;
        assert_eq!(all, Ok(names(&["database", "web", "shop"])));
        assert_eq!(reader.rest(), ["log up", "database up", "web up", "shop up"]);
        let again = applications.ensure_all_started("shop", ApplicationType::Permanent).await;
        assert_eq!((again, running(&applications).await.len()), (Ok(vec![]), 4));
        let kinds: Vec<_> =
            applications.which().await.expect("it lives").iter().map(|one| one.kind).collect();
        let (temporary, transient) = (ApplicationType::Temporary, ApplicationType::Transient);
        assert_eq!(kinds, [transient, temporary, temporary, transient, transient], "by name");
        system.shutdown(SECOND).await;
    });
}

/// Those that were started for it are stopped again, the newest first; those that ran before go on.
///
/// OTP: APP-003, APP-004.
#[tokio::test(start_paused = true)]
async fn a_start_that_fails_leaves_nothing_and_says_why() {
    fn fails(name: &'static str, make: fn() -> Result<Spec, ExitReason>) -> Application {
        Application::from_fn(name, move || async move { make() })
    }
    let child = || actor("child", || Err::<Puppet, _>(ExitReason::other("no disk")));
    let nested = move || one_for_one().child(tree("nested", one_for_one().child(child())));
    let at_once = || -> Ready<Result<Spec, ExitReason>> { panic!("no luck") };
    let rows: [(Application, &str); 6] = [
        (fails("last", || Err(Plain("no file").into())), "error: no file"),
        (fails("last", || panic!("no luck")), "panic: no luck at"),
        (Application::from_fn("last", at_once), "panic: no luck at"),
        (
            Application::new("last", nested()),
            "shutdown: child `nested` failed to start: shutdown: child `child` failed to start: no disk",
        ),
        (
            Application::new(
                "last",
                one_for_one().child(task("a", pending::<()>)).child(task("a", pending::<()>)),
            ),
            "error: the top supervisor: children 0 and 1 are both called `a`",
        ),
        (
            Application::from_fn("last", || async {
                Err::<Spec, _>(Plain("a shutdown").into()) as Result<_, ExitReason>
            }),
            "error: a shutdown",
        ),
    ];
    for (last, expected) in rows {
        let (system, (journal, mut reader)) = (system(), journal());
        let set = [
            application("one", &[], &journal),
            application("two", &["one"], &journal),
            application("three", &["two"], &journal),
            last.needs(["three"]),
        ];
        let applications = started(&system, set).await;
        applications.start("one", ApplicationType::Temporary).await.expect("it needs nobody");
        let before = system.living();
        reader.expect(&["one up"]).await;
        let failed = applications.ensure_all_started("last", ApplicationType::Permanent).await;
        let Err(StartApplicationError::Failed { application, reason }) = failed else { panic!("{failed:?}") };
        assert_eq!(&*application, "last");
        assert!(reason.to_string().starts_with(expected), "{reason}");
        let stopped =
            |name| [format!("{name} prep_stop"), format!("{name} stopping shutdown"), format!("{name} stop")];
        let lines = reader.rest();
        assert_eq!(lines[..2], ["two up", "three up"]);
        assert_eq!(lines[2..], [stopped("three"), stopped("two")].concat());
        assert_eq!((running(&applications).await, system.living()), (vec!["one".to_owned()], before));
        assert_eq!(status(&applications, "last").await, ApplicationStatus::Down);
        if let ExitReason::Error(cause) = &reason {
            assert!(cause.is::<TreeError>() || cause.is::<Plain>(), "a value to look into");
        }
        if let ExitReason::ShutdownWith(cause) = &reason {
            assert!(cause.is::<StartFailed>(), "a value to look into");
        }
    }
}

/// `prep_stop`, then the tree with as much time as it takes, then `stop`. It can be started again.
///
/// OTP: APP-005.
#[tokio::test(start_paused = true)]
async fn an_application_is_stopped_with_as_much_time_as_it_takes() {
    let (system, (journal, mut reader)) = (system(), journal());
    let puppets = journal.clone();
    let slow = move || Puppet::new("slow", &puppets).trapping().cleaning_up_for(600 * SECOND);
    let child = actor("slow", slow).shutdown(Shutdown::Infinity);
    let (prep_stop, stop) = (journal.clone(), journal.clone());
    let slow = Application::new("slow", one_for_one().child(child))
        .prep_stop(move || {
            prep_stop.note("prep_stop");
            async {}
        })
        .stop(move || {
            stop.note("stop");
            async { panic!("a hook holds up nothing") }
        });
    let applications = started(&system, [slow]).await;
    for _ in 0..2 {
        applications.start("slow", ApplicationType::Permanent).await.expect("it starts");
        let began = system.now();
        applications.stop("slow").await.expect("it runs");
        assert!(system.now().since(began) >= 600 * SECOND);
        let lines = ["slow up", "prep_stop", "slow stopping shutdown", "slow cleaned up", "stop"];
        assert_eq!(reader.rest(), lines, "nor does a stop that was asked for end the system");
        assert_eq!(status(&applications, "slow").await, ApplicationStatus::Down);
    }
}

/// By type and reason; the whole system is everybody, also who is of no application. `stop` follows the end.
///
/// OTP: APP-006.
#[tokio::test(start_paused = true)]
async fn what_the_end_of_an_application_means_for_the_system() {
    use ApplicationType::{Permanent, Temporary, Transient};
    // type, reason, whether the system stops
    let rows: [(ApplicationType, ExitReason, bool); 9] = [
        (Permanent, ExitReason::Normal, true),
        (Permanent, ExitReason::Shutdown, true),
        (Permanent, ExitReason::other("boom"), true),
        (Transient, ExitReason::Normal, false),
        (Transient, ExitReason::Shutdown, true),
        (Transient, ExitReason::other("boom"), true),
        (Temporary, ExitReason::Normal, false),
        (Temporary, ExitReason::Shutdown, false),
        (Temporary, ExitReason::other("boom"), false),
    ];
    for (kind, reason, stops) in rows {
        let (system, (journal, mut reader)) = (system(), journal());
        let outsider = named(&system, "outsider").await;
        let applications = started(&system, town(&journal)).await;
        applications.start("loner", Temporary).await.expect("it needs nobody");
        applications.ensure_all_started("web", kind).await.expect("they start");
        assert_eq!(reader.rest(), ["loner up", "log up", "web up"]);
        let root = applications.root("web").await.expect("it lives").expect("it runs");
        root.stop(reason.clone()).await.expect("it lives");
        turns().await;
        let lines = reader.rest();
        assert_eq!(lines[..2], ["web stopping shutdown", "web stop"], "no prep_stop: nobody asked for it");
        assert_eq!(!outsider.is_alive(), stops, "{kind:?} {reason}");
        if stops {
            let ended = soon(applications.ended()).await;
            let ExitReason::ShutdownWith(cause) = &ended else { panic!("{ended}") };
            let cause = cause.downcast_ref::<ApplicationEnded>().expect("it says which");
            assert_eq!((&*cause.application, &cause.reason), ("web", &reason));
            assert_eq!(system.living(), 0);
            assert_eq!(
                lines[2..5],
                ["log prep_stop", "log stopping shutdown", "log stop"],
                "the latest first"
            );
            let report = system.shutdown(SECOND).await;
            assert!(report.stopped.iter().any(|(path, _)| &**path == "outsider"), "of all of it: {report}");
        } else {
            assert_eq!(running(&applications).await, ["log", "loner"]);
            let again = applications.ensure_all_started("web", kind).await;
            assert_eq!(again, Ok(names(&["web"])));
        }
    }
}

/// A tree that gives up ends with `Shutdown`, which is not normal.
///
/// OTP: APP-006.
#[tokio::test(start_paused = true)]
async fn a_tree_that_gives_up_ends_the_system_unless_its_application_is_temporary() {
    for (kind, stops) in [(ApplicationType::Transient, true), (ApplicationType::Temporary, false)] {
        let (system, (journal, _reader)) = (system(), journal());
        let applications = started(&system, town(&journal)).await;
        applications.start("loner", kind).await.expect("it needs nobody");
        for _ in 0..2 {
            puppet(&applications, "loner").await.tell(crash()).expect("there is room");
            turns().await;
            if system.living() == 0 {
                break;
            }
        }
        assert_eq!(system.living(), usize::from(!stops), "{kind:?}");
    }
}

/// OTP: APP-007.
#[test]
fn when_the_system_stops_applications_stop_in_the_reverse_order_of_their_start() {
    everywhere(|| async {
        let (system, (journal, mut reader)) = (system(), journal());
        let applications = started(&system, town(&journal)).await;
        for name in ["loner", "log", "database"] {
            applications.start(name, ApplicationType::Permanent).await.expect("they need nobody");
        }
        applications.start("web", ApplicationType::Temporary).await.expect("what it needs runs");
        applications.stop("log").await.expect("it runs, whoever needs it");
        applications.start("log", ApplicationType::Temporary).await.expect("it needs nobody");
        reader.rest();
        assert!(system.shutdown(SECOND).await.is_clean());
        let lines = reader.rest();
        let prep_stops: Vec<_> = lines.iter().filter_map(|line| line.strip_suffix(" prep_stop")).collect();
        assert_eq!(prep_stops, ["log", "web", "database", "loner"]);
        assert_eq!(lines[..3], ["log prep_stop", "log stopping shutdown", "log stop"], "one by one");
        assert_eq!(applications.ended().await, ExitReason::Shutdown);
    });
}

/// A limit for all of it, and something that is done first.
///
/// OTP: APP-008.
#[tokio::test(start_paused = true)]
async fn the_whole_shutdown_has_a_limit_and_a_hook_that_runs_first() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (notes, puppets) = (journal.clone(), journal.clone());
    let stuck = move || Puppet::new("stuck", &puppets).trapping().cleaning_up_for(3600 * SECOND);
    let stuck = actor("stuck", stuck).shutdown(Shutdown::Infinity);
    let set = [application("ends", &[], &journal), Application::new("stuck", one_for_one().child(stuck))];
    let applications = Applications::new(set).limit(10 * SECOND).at_shutdown(move || {
        notes.note("first");
        async {}
    });
    let applications = applications.start(&system).await.expect("the set makes sense");
    applications.start("stuck", ApplicationType::Temporary).await.expect("it starts");
    applications.start("ends", ApplicationType::Permanent).await.expect("it starts");
    reader.expect(&["stuck up", "ends up"]).await;
    let root = applications.root("ends").await.expect("it lives").expect("it runs");
    let began = system.now();
    root.stop(ExitReason::Normal).await.expect("it lives");
    soon(applications.ended()).await;
    let took = system.now().since(began);
    assert!(took >= 10 * SECOND && took < 12 * SECOND, "{took:?}");
    assert_eq!(reader.rest(), ["ends stopping shutdown", "ends stop", "first", "stuck stopping shutdown"]);
    turns().await;
    assert_eq!(system.living(), 0);
    let report = system.shutdown(SECOND).await;
    assert!(report.killed.iter().any(|path| &**path == "applications/stuck/stuck"), "{report}");
}

/// While one starts and hangs, and while one stops and hangs, questions are answered; what else is asked for waits its turn.
///
/// OTP: APP-012.
#[tokio::test(start_paused = true)]
async fn questions_are_answered_while_an_application_starts_or_stops() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (makes, stops) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (made, stopped) = (makes.clone(), stops.clone());
    let slow = Application::from_fn("slow", move || {
        let made = made.clone();
        async move {
            made.notified().await;
            Ok::<_, ExitReason>(one_for_one())
        }
    })
    .prep_stop(move || {
        let stopped = stopped.clone();
        async move { stopped.notified().await }
    });
    let set = [slow, application("quick", &[], &journal), application("last", &[], &journal)];
    let applications = started(&system, set).await;
    let starting = aside({
        let applications = applications.clone();
        async move { applications.start("slow", ApplicationType::Temporary).await }
    });
    turns().await;
    let start = |name: &'static str| {
        let applications = applications.clone();
        aside(async move { applications.start(name, ApplicationType::Temporary).await })
    };
    let quick = start("quick");
    turns().await;
    let last = start("last");
    turns().await;
    assert_eq!(status(&applications, "slow").await, ApplicationStatus::Starting);
    assert_eq!(status(&applications, "quick").await, ApplicationStatus::Down);
    assert_eq!(applications.root("slow").await.expect("it answers").map(drop), None);
    makes.notify_one();
    assert_eq!(starting.await.expect("no panic"), Ok(()));
    assert_eq!((quick.await.expect("no panic"), last.await.expect("no panic")), (Ok(()), Ok(())));
    assert_eq!(reader.rest(), ["quick up", "last up"], "in the order in which they were asked for");

    let stopping = aside({
        let applications = applications.clone();
        async move { applications.stop("slow").await }
    });
    turns().await;
    assert_eq!(status(&applications, "slow").await, ApplicationStatus::Stopping);
    assert_eq!(running(&applications).await, ["last", "quick"]);
    stops.notify_one();
    assert_eq!(stopping.await.expect("no panic"), Ok(()));
    assert_eq!(status(&applications, "slow").await, ApplicationStatus::Down);
}

/// Wherever the start of an application hangs, the end of the system does not wait for it, and whoever does is told.
///
/// OTP: APP-012.
#[tokio::test(start_paused = true)]
async fn the_system_stops_while_an_application_starts() {
    let hanging = || {
        let hangs = || {
            Puppet::new("it", &journal().0).on_start(|_, context| {
                context.acknowledge_later();
                Ok(())
            })
        };
        one_for_one().child(actor("it", hangs))
    };
    let rows = [
        Application::from_fn("slow", || async {
            pending::<()>().await;
            Ok::<_, ExitReason>(one_for_one())
        }),
        Application::new("slow", hanging()),
    ];
    for slow in rows {
        let (system, (journal, mut reader)) = (system(), journal());
        let others = [application("log", &[], &journal), application("other", &[], &journal)];
        let set = others.into_iter().chain([slow.needs(["log"])]);
        let applications = started(&system, set).await;
        let starting = aside({
            let applications = applications.clone();
            async move { applications.ensure_all_started("slow", ApplicationType::Temporary).await }
        });
        let waiting = aside({
            let applications = applications.clone();
            async move { applications.stop("log").await }
        });
        let waiting_start = aside({
            let applications = applications.clone();
            async move { applications.start("other", ApplicationType::Temporary).await }
        });
        turns().await;
        let began = system.now();
        assert!(system.shutdown(60 * SECOND).await.is_clean());
        assert!(system.now().since(began) < SECOND);
        assert_eq!(waiting_start.await.expect("no panic"), Err(StartApplicationError::ShuttingDown));
        assert_eq!(starting.await.expect("no panic"), Err(StartApplicationError::ShuttingDown));
        assert_eq!(waiting.await.expect("no panic"), Err(StopApplicationError::ShuttingDown));
        assert_eq!(reader.rest(), ["log up", "log prep_stop", "log stopping shutdown", "log stop"]);
    }
}

/// A phase that has ended just before the stop came: neither the next phase nor the next application is begun and waited for.
#[test]
fn nothing_more_is_begun_once_the_system_stops() {
    everywhere(|| async {
        for has_another_phase in [true, false] {
            let system = system();
            let stops = system.clone();
            let mut first = Application::new("first", one_for_one()).start_phase("one", move |_| {
                stops.begin_shutdown(60 * SECOND);
                async { Ok::<_, ExitReason>(()) }
            });
            if has_another_phase {
                first = first.start_phase("two", |_| pending::<Result<(), ExitReason>>());
            }
            let then = Application::from_fn("then", pending::<Result<Spec, ExitReason>>);
            let applications = started(&system, [first, then.needs(["first"])]).await;
            let began = system.now();
            let outcome = applications.ensure_all_started("then", ApplicationType::Temporary).await;
            assert_eq!(outcome, Err(StartApplicationError::ShuttingDown));
            assert!(system.shutdown(60 * SECOND).await.is_clean());
            assert!(system.now().since(began) < SECOND);
        }
    });
}

/// While the system stops, nothing can be started or stopped, and questions are answered.
#[tokio::test(start_paused = true)]
async fn while_the_system_stops_starts_and_stops_are_refused() {
    let (system, (journal, _reader)) = (system(), journal());
    let goes_on = Arc::new(Notify::new());
    let waits = goes_on.clone();
    let slow = Application::new("slow", one_for_one()).prep_stop(move || {
        let waits = waits.clone();
        async move { waits.notified().await }
    });
    let applications = started(&system, [slow, application("quick", &[], &journal)]).await;
    applications.start("slow", ApplicationType::Temporary).await.expect("it needs nobody");
    system.begin_shutdown(60 * SECOND);
    turns().await;
    assert_eq!(status(&applications, "slow").await, ApplicationStatus::Stopping);
    let asked = [
        aside({
            let applications = applications.clone();
            async move { applications.start("quick", ApplicationType::Temporary).await.err() }
        }),
        aside({
            let applications = applications.clone();
            async move { applications.ensure_all_started("quick", ApplicationType::Temporary).await.err() }
        }),
    ];
    let stopping = aside({
        let applications = applications.clone();
        async move { applications.stop("slow").await }
    });
    turns().await;
    goes_on.notify_one();
    for refused in asked {
        assert_eq!(refused.await.expect("no panic"), Some(StartApplicationError::ShuttingDown));
    }
    assert_eq!(stopping.await.expect("no panic"), Err(StopApplicationError::ShuttingDown));
    assert!(system.shutdown(60 * SECOND).await.is_clean());
}

/// A tree that ends while its `prep_stop` runs is not waited for, and one that ends while another application starts is
/// seen at once; `stop` follows in both.
#[tokio::test(start_paused = true)]
async fn a_tree_that_ends_in_the_middle_of_something_is_cleaned_up_after() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (goes_on, is_made) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (waits, makes) = (goes_on.clone(), is_made.clone());
    let web = application("web", &[], &journal).prep_stop(move || {
        let waits = waits.clone();
        async move { waits.notified().await }
    });
    let slow = Application::from_fn("slow", move || {
        let makes = makes.clone();
        async move {
            makes.notified().await;
            Ok::<_, ExitReason>(one_for_one())
        }
    });
    let applications = started(&system, [web, slow, application("loner", &[], &journal)]).await;
    for name in ["web", "loner"] {
        applications.start(name, ApplicationType::Temporary).await.expect("it needs nobody");
    }
    reader.expect(&["web up", "loner up"]).await;
    let stopping = aside({
        let applications = applications.clone();
        async move { applications.stop("web").await }
    });
    let root = applications.root("web").await.expect("it lives").expect("it runs");
    turns().await;
    root.stop(ExitReason::Normal).await.expect("it lives");
    turns().await;
    goes_on.notify_one();
    assert_eq!(soon(stopping).await.expect("no panic"), Ok(()));
    assert_eq!(reader.rest(), ["web stopping shutdown", "web stop"]);

    let starting = aside({
        let applications = applications.clone();
        async move { applications.start("slow", ApplicationType::Temporary).await }
    });
    turns().await;
    let root = applications.root("loner").await.expect("it lives").expect("it runs");
    root.stop(ExitReason::Normal).await.expect("it lives");
    turns().await;
    assert_eq!(status(&applications, "loner").await, ApplicationStatus::Down);
    is_made.notify_one();
    assert_eq!(soon(starting).await.expect("no panic"), Ok(()));
    turns().await;
    assert_eq!(reader.rest(), ["loner stopping shutdown", "loner stop"]);
}

/// An end that nobody asked for is a decision that is told, and so is a hook that panics.
///
/// OTP: APP-006.
#[tokio::test(start_paused = true)]
async fn ends_that_nobody_asked_for_and_hooks_that_panic_are_reported() {
    struct Decisions(Journal);
    impl Observer for Decisions {
        fn event(&self, event: &Event<'_>) {
            if let Event::Decided { path: "applications", child, decision, reason, .. } = event {
                self.0.note(format!("{child}: {decision} {}", reason.map(short).unwrap_or_default()));
            }
        }
    }
    let (journal, mut reader) = journal();
    let system = System::builder().observer(Arc::new(Decisions(journal))).build().expect("inside a runtime");
    let fails = Application::new("fails", one_for_one()).stop(|| async { panic!("no luck") });
    let plain = Application::new("plain", one_for_one());
    let applications = started(&system, [fails, plain]).await;
    applications.start("fails", ApplicationType::Temporary).await.expect("it needs nobody");
    applications.start("plain", ApplicationType::Permanent).await.expect("it needs nobody");
    for (name, reason) in [("fails", ExitReason::other("boom")), ("plain", ExitReason::Normal)] {
        let root = applications.root(name).await.expect("it lives").expect("it runs");
        root.stop(reason).await.expect("it lives");
        turns().await;
    }
    let expected =
        ["fails: leave down boom", "fails: stopped otherwise panic no luck", "plain: give up normal"];
    assert_eq!(reader.rest(), expected);
}

/// What makes no sense is refused by name, before anything is started; the rows are in `plan.rs`.
#[tokio::test(start_paused = true)]
async fn a_set_without_an_order_is_refused_by_name() {
    let (system, (journal, _reader)) = (system(), journal());
    let cyclic = [application("a", &["b"], &journal), application("b", &["a"], &journal)];
    let refused = Applications::new(cyclic).start(&system).await.map(drop);
    assert_eq!(refused, Err(ApplicationsError::Cycle(names(&["a", "b"]))));
    let unknown = [application("a", &["b"], &journal)];
    let refused = Applications::new(unknown).start(&system).await.map(drop);
    let expected = ApplicationsError::Unknown { application: "a".into(), needs: "b".into(), nearest: None };
    assert_eq!((refused, system.living()), (Err(expected), 0));
}
