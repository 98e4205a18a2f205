//! What is tied to a supervisor and is not, or no longer, what it thinks. Rows SUP that no scenario can express.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minder::prelude::*;
use minder::supervisors::{
    Counts, Kind, StartChildError, StartInstanceError, Supervisor, SupervisorMsg, by_needs,
};
use minder::{Event, Observer};

use crate::support::*;

/// Unlinks itself from its own supervisor.
fn unlinking(supervisor: &Addr<SupervisorMsg>) -> Msg {
    let supervisor = supervisor.clone();
    act(move |it, context| {
        context.unlink(&supervisor);
        it.note(format!("links {}", context.links().len()));
        Ok(())
    })
}

/// A child that has unlinked itself is waited for, restarted and stopped like any other.
/// OTP: SUP-097.
#[tokio::test(start_paused = true)]
async fn a_child_that_unlinks_itself_is_minded_all_the_same() {
    for traps in [true, false] {
        let system = system();
        let (journal, mut reader) = journal();
        let (it, seat) = system.address();
        let writes = journal.clone();
        let make = move || {
            let it = Puppet::new("it", &writes).telling_drop();
            if traps { it.trapping().cleaning_up_for(SECOND) } else { it }
        };
        let spec = tolerant(one_for_one()).child(actor_in("it", seat, make));
        let root = spec.start(&system, "top").await.expect("starts");
        let unlink = || it.tell(unlinking(root.address())).expect("there is room");
        unlink();
        it.tell(crash()).expect("there is room");
        reader.expect(&["it up", "it links 0", "it dropped", "it up"]).await;
        unlink();
        reader.expect(&["it links 0"]).await;
        // Dead already when it is to be stopped.
        root.address().suspend();
        it.kill();
        turns().await;
        let stopping = aside({
            let root = root.clone();
            async move { root.terminate_child("it").await }
        });
        turns().await;
        root.address().resume();
        stopping.await.expect("the client does not panic").expect("it is there");
        root.restart_child("it").await.expect("it is down");
        reader.until("it up").await;
        unlink();
        reader.until("it links 0").await;
        let began = system.now();
        assert!(system.shutdown(60 * SECOND).await.is_clean(), "and nobody waits for ever");
        assert_eq!(system.now().since(began).as_secs(), u64::from(traps));
        let stopped: &[&str] =
            if traps { &["it stopping shutdown", "it cleaned up", "it dropped"] } else { &["it dropped"] };
        assert_eq!(reader.rest(), stopped);
    }
}

/// Somebody who is linked to a supervisor, and no child of it, ends in every way.
/// OTP: SUP-018, SUP-030, SUP-102.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_stranger_does_nothing_to_a_supervisor() {
    type Ending = fn() -> Msg;
    let endings: [Ending; 4] = [
        crash,
        || end(ExitReason::Normal),
        || end(ExitReason::Shutdown),
        || act(|_, _| Err(Plain("no").into())),
    ];
    for ending in endings {
        let system = system();
        let (journal, mut reader) = journal();
        let child = actor("it", move || Puppet::new("it", &journal).trapping());
        let root = one_for_all().limit(0, SECOND).child(child).start(&system, "top").await.expect("starts");
        let stranger = named(&system, "stranger").await;
        let supervisor = root.address().clone();
        stranger.tell(act(move |_, context| context.link(&supervisor))).expect("there is room");
        stranger.tell(ending()).expect("there is room");
        soon(stranger.ended()).await;
        let counts = root.count_children().await.expect("it lives");
        assert_eq!(counts, Counts { specs: 1, active: 1, supervisors: 0, workers: 1 });
        assert_eq!(reader.rest(), ["it up"]);
    }
}

/// Already in its start: an exit signal of a stranger that comes before its first child is up changes nothing.
/// OTP: SUP-018.
#[tokio::test(start_paused = true)]
async fn a_supervisor_traps_exits_before_its_first_child_is_up() {
    let system = system();
    let (journal, mut reader) = journal();
    let (top, seat) = system.address();
    let stranger = named(&system, "stranger").await;
    let child = actor("it", move || {
        let (top, stranger) = (top.clone(), stranger.clone());
        Puppet::new("it", &journal).on_start(move |_, _| {
            let top = top.clone();
            let signal = act(move |_, context| {
                context.exit(&top, ExitReason::other("go away"));
                Ok(())
            });
            stranger.tell(signal).expect("there is room");
            Ok(())
        })
    });
    let spec = one_for_one().child(child).child(actor("next", || Puppet::new("next", &self::journal().0)));
    let make = move || Supervisor::new(&spec);
    system.start(seat, "top", make).await.expect("it starts all the same");
    reader.expect(&["it up"]).await;
    turns().await;
    assert_eq!(system.living(), 4, "the stranger, the supervisor, and both of its children");
}

/// One that is waiting to be restarted takes up a place.
/// OTP: EXD-002.
#[tokio::test(start_paused = true)]
async fn a_child_that_is_restarting_counts_for_the_bound() {
    let system = system();
    let starts = Arc::new(AtomicU32::new(0));
    let once = template("once", move |(): ()| match starts.fetch_add(1, Ordering::Relaxed) {
        0 => Ok(Puppet::new("it", &journal().0)),
        _ => Err(ExitReason::other("no")),
    });
    let spec = dynamic(&once).limit(u32::MAX, SECOND).max_children(1);
    let pool = spec.start(&system, "pool").await.expect("starts with nobody").pool(&once);
    let it = pool.start(()).await.expect("there is room").expect("it runs");
    assert_eq!(pool.start(()).await, Err(StartInstanceError::TooMany));
    it.kill();
    turns().await;
    assert_eq!(pool.root().count_children().await.expect("it lives").active, 0, "it is restarting");
    assert_eq!(pool.start(()).await, Err(StartInstanceError::TooMany));
    pool.terminate(&it).await.expect("it is a child");
    let failed = pool.start(()).await.expect_err("there is room, and it fails");
    assert!(matches!(failed, StartInstanceError::Failed(_)), "{failed}");
}

/// Of children with specifications of their own, too, which count until they are deleted.
/// OTP: EXD-002.
#[tokio::test(start_paused = true)]
async fn children_with_specifications_of_their_own_are_bounded() {
    for spec in [by_needs as fn() -> Spec, one_for_one] {
        let system = system();
        let idle = |id| task(id, std::future::pending::<()>);
        let root = spec().max_children(1).start(&system, "pool").await.expect("starts with nobody");
        root.start_child(idle("a")).await.expect("its id is free");
        let refused = root.start_child(idle("b")).await.expect_err("one is there");
        assert!(matches!(refused, StartChildError::TooMany), "{refused}");
        assert_eq!(
            refused.to_string(),
            "there are as many children as there may be: delete one first, or terminate one of a dynamic supervisor"
        );
        root.terminate_child("a").await.expect("it is there");
        let refused = root.start_child(idle("b")).await;
        assert!(matches!(refused, Err(StartChildError::TooMany)), "it can be restarted");
        root.delete_child("a").await.expect("it is down");
        let b = idle("b");
        root.start_child(b.clone()).await.expect("there is room");
        let plan = root.plan(&spec().max_children(2).child(b)).await.expect("it makes sense");
        let expected = "0 to stop, 0 to start, 1 left alone\n\
            rules  (top): most children: 1 becomes 2\n\
            leave  b: the same recipe\n";
        assert_eq!(plan.to_string(), expected);
        plan.apply().await.expect("nobody has interfered");
        root.start_child(idle("c")).await.expect("there is room");
        let too_many = spec().max_children(1).children([idle("a"), idle("b")]).check();
        let error = too_many.expect_err("they are two").to_string();
        assert_eq!(
            error,
            "the top supervisor: 2 children where there may be 1: leave some out, or allow more"
        );
    }
}

/// Tells of decisions: whose, what is decided, on which reason, and what OTP would report.
struct Decisions(Journal);

impl Observer for Decisions {
    fn event(&self, event: &Event<'_>) {
        if let Event::Decided { child, decision, reason: Some(reason), reports, .. } = event {
            let reports: Vec<String> = reports.iter().map(ToString::to_string).collect();
            self.0.note(format!("{child} {decision}: {reason} [{}]", reports.join(" ")));
        }
    }
}

/// Every end that a supervisor judges is told, a clean one too, in a word that says what becomes of it, and with what of that
/// is a report.
/// OTP: SUP-159.
#[tokio::test(start_paused = true)]
async fn clean_ends_are_told_with_what_was_decided() {
    let rows = [
        (
            Restart::Permanent,
            [
                "restart: normal [child_terminated]",
                "restart: shutdown [child_terminated]",
                "restart: error: no [child_terminated]",
            ],
        ),
        (
            Restart::Transient,
            ["leave down: normal []", "leave down: shutdown []", "restart: error: no [child_terminated]"],
        ),
        (
            Restart::Temporary,
            ["forget: normal []", "forget: shutdown []", "forget: error: no [child_terminated]"],
        ),
    ];
    for (restart, decisions) in rows {
        let endings =
            [end(ExitReason::Normal), end(ExitReason::Shutdown), act(|_, _| Err(Plain("no").into()))];
        for (ending, decision) in endings.into_iter().zip(decisions) {
            let (journal, mut reader) = journal();
            let observer = Arc::new(Decisions(journal));
            let system = System::builder().observer(observer).build().expect("inside a runtime");
            let (it, seat) = system.address();
            let child = actor_in("it", seat, || Puppet::new("it", &self::journal().0)).restart(restart);
            one_for_one().child(child).start(&system, "top").await.expect("starts");
            it.tell(ending).expect("there is room");
            turns().await;
            assert_eq!(reader.rest(), [format!("it {decision}")], "{restart:?}");
        }
    }
}

/// What OTP reports is a warning in the log; a decision about a clean end that is no report is for those who debug.
/// OTP: SUP-159.
#[tokio::test(start_paused = true)]
async fn decisions_are_logged_as_warnings_where_otp_reports_them() {
    /// Fails to start once it has ended.
    fn frail(journal: &Journal, restart: Restart) -> Child {
        let (journal, lives) = (journal.clone(), Arc::new(AtomicU32::new(0)));
        let make = move || match lives.fetch_add(1, Ordering::Relaxed) {
            1 => Err(Plain("broken")),
            _ => Ok(Puppet::new("it", &journal)),
        };
        actor("it", make).restart(restart)
    }
    let rows = [
        (Restart::Permanent, "WARN restart, WARN try again, INFO restart"),
        (Restart::Transient, "DEBUG leave down"),
        (Restart::Temporary, "DEBUG forget"),
    ];
    for (restart, expected) in rows {
        let lines = Lines::default();
        let to = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .without_time()
            .with_ansi(false)
            .with_writer(move || to.clone());
        let _here = tracing::subscriber::set_default(subscriber.finish());
        // As long as there is one alone, a thread without it that comes first to where something is logged decides that
        // nobody wants that.
        let _another = tracing::Dispatch::new(tracing_subscriber::registry());
        let (system, (journal, _)) = (system(), journal());
        let root = tolerant(one_for_one()).child(frail(&journal, restart)).start(&system, "top").await;
        let root = root.expect("it starts");
        let all = root.which_children().await.expect("it lives");
        let it = all[0].actor().and_then(minder::ActorRef::address::<Msg>).expect("it is up");
        it.tell(end(ExitReason::Normal)).expect("there is room");
        turns().await;
        let decision = |line: &str| {
            let (level, rest) = line.trim_start().split_once(" minder::decision: ")?;
            let (_, rest) = rest.split_once("decision=\"")?;
            Some(format!("{level} {}", rest.split_once('"')?.0))
        };
        let decisions: Vec<String> = lines.text().lines().filter_map(decision).collect();
        assert_eq!(decisions.join(", "), expected, "{restart:?}");
    }
}

/// A start by request whose name somebody has already says who, starts nobody, and keeps nothing.
/// OTP: SUP-017, SUP-157, NEW-003.
#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_outside_is_the_answer_of_a_requested_start() {
    let system = system();
    let owner = named(&system, "owner").await;
    system.register("it", &owner).expect("free");
    let root = one_for_one().start(&system, "top").await.expect("starts");
    let child = || actor("child", || Puppet::new("child", &journal().0)).registered("it");
    let refused = root.start_child(child()).await.expect_err("it is taken").to_string();
    assert!(refused.contains(&format!("the name `it` belongs to owner {}", owner.id())), "{refused}");
    assert_eq!(root.count_children().await.expect("it lives"), Counts::default());
    assert_eq!(system.living(), 2, "the owner and the supervisor");
    // A supervisor under that name starts none of its own.
    let (journal, mut reader) = journal();
    let below = one_for_one().child(actor("below", move || Puppet::new("below", &journal)));
    let refused =
        root.start_child(tree("s", below).registered("it")).await.expect_err("it is taken").to_string();
    assert!(refused.contains(&format!("the name `it` belongs to owner {}", owner.id())), "{refused}");
    turns().await;
    assert_eq!((reader.rest(), system.living()), (vec![], 2));
    assert!(system.unregister("it"));
    root.start_child(child()).await.expect("it is free now");
}

/// What a child is without a word, and how often its supervisor restarts it.
/// OTP: SUP-012, SUP-013, SUP-150.
#[tokio::test(start_paused = true)]
async fn without_a_word_children_and_supervisors_are_as_in_otp() {
    let worker = (Restart::Permanent, Shutdown::Within(5 * SECOND), Kind::Worker, false);
    let nested = (Restart::Permanent, Shutdown::Infinity, Kind::Supervisor, false);
    let puppet = || Puppet::new("it", &journal().0);
    let template = template("it", move |(): ()| puppet());
    let rows = [
        (one_for_one().child(actor("it", puppet)), worker),
        (one_for_one().child(task("it", std::future::pending::<()>)), worker),
        (dynamic(&template), worker),
        (one_for_one().child(tree("it", one_for_one())), nested),
    ];
    for (spec, expected) in rows {
        let system = system();
        let root = spec.start(&system, "top").await.expect("starts");
        let spec = root.child_spec("it").await.expect("it is there");
        assert_eq!((spec.restart, spec.shutdown, spec.kind, spec.significant), expected);
    }
    // seconds between two crashes, whether it outlives the second
    for (between, lives) in [(4, false), (6, true)] {
        let system = system();
        let (it, seat) = system.address();
        let root =
            one_for_one().child(actor_in("it", seat, puppet)).start(&system, "top").await.expect("starts");
        it.tell(crash()).expect("there is room");
        pass(between * SECOND).await;
        it.tell(crash()).expect("there is room");
        pass(SECOND).await;
        assert_eq!(root.address().is_alive(), lives, "{between} s");
    }
}
