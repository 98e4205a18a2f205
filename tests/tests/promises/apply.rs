//! A running tree that is given another specification: shown first, then done with the fewest stops and starts, as it was
//! shown or not at all.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minder::prelude::*;
use minder::supervisors::{
    Action, Address, ApplyError, AutoShutdown, Because, Plan, SpecError, StartInstanceError, TreeError,
    dynamic, template, tree_in,
};

use crate::support::*;

/// A child that writes down when it comes and when it is told to go. Each call is another recipe.
pub(crate) fn puppet(id: &'static str, journal: &Journal) -> Child {
    let journal = journal.clone();
    actor(id, move || Puppet::new(id, &journal).trapping())
}

/// One that takes three seconds to go.
pub(crate) fn slow(journal: &Journal) -> Child {
    let journal = journal.clone();
    actor("slow", move || Puppet::new("slow", &journal).trapping().cleaning_up_for(3 * SECOND))
}

/// One that is registered as `it`, in a seat that is given.
pub(crate) fn holder(id: &'static str, seat: &Seat<Msg>, journal: &Journal) -> Child {
    let journal = journal.clone();
    actor_in(id, seat.clone(), move || Puppet::new(id, &journal).trapping()).registered("it")
}

/// One that fails to start for as long as this says so.
pub(crate) fn failing(id: &'static str, journal: &Journal, fails: &Arc<AtomicBool>) -> Child {
    let (journal, fails) = (journal.clone(), fails.clone());
    actor(id, move || match fails.load(Ordering::Relaxed) {
        true => Err(ExitReason::other("no disk")),
        false => Ok(Puppet::new(id, &journal).trapping()),
    })
}

/// The plan without those who are left alone, a line a step.
pub(crate) fn shown(plan: &Plan) -> Vec<String> {
    let steps = plan.steps();
    steps.iter().filter(|step| step.action != Action::Leave).map(ToString::to_string).collect()
}

/// Ids and how they stand, in start order, those below a supervisor in brackets.
pub(crate) fn listed(root: Root) -> Pin<Box<dyn Future<Output = String> + Send>> {
    Box::pin(async move {
        let mut lines = Vec::new();
        for child in root.which_children().await.expect("it lives").into_iter().rev() {
            let id = child.id.as_deref().unwrap_or("?").to_owned();
            let below = child.actor().and_then(|actor| actor.address()).map(Root::of);
            lines.push(match (below, child.actor()) {
                (Some(below), _) => format!("{id}[{}]", listed(below).await),
                (None, Some(_)) => id,
                (None, None) => format!("{id} {}", child.status),
            });
        }
        lines.join(" ")
    })
}

/// Who lives there, to be told from whoever comes after.
pub(crate) async fn life_of(root: &Root, path: &str) -> minder::ActorId {
    let (above, id) = path.rsplit_once('/').map_or((None, path), |(above, id)| (Some(above), id));
    let root = match above {
        Some(above) => root.subtree(above).await.expect("it is there"),
        None => root.clone(),
    };
    root.which_child(id).await.expect("it is there").actor().expect("it is up").id()
}

/// Removed ones go last to first, then those who come do so first to last; who is the same notices nothing, and the plan
/// has said so.
#[test]
fn a_plan_is_shown_and_then_done_as_shown() {
    everywhere(|| async {
        let (system, (journal, mut reader)) = (system(), journal());
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|id| puppet(id, &journal));
        let old = one_for_one().children([a.clone(), b, c.clone(), d]);
        let root = old.start(&system, "top").await.expect("starts");
        reader.expect(&["a up", "b up", "c up", "d up"]).await;
        let kept = [life_of(&root, "a").await, life_of(&root, "c").await];

        let new = one_for_one().children([puppet("x", &journal), c, puppet("d", &journal), a]);
        let plan = root.plan(&new).await.expect("it makes sense");
        let expected = "2 to stop, 2 to start, 2 left alone\n\
            stop   d: another recipe\n\
            stop   b: not in the new specification; its address is lost\n\
            move   a: place: first becomes after d\n\
            start  x: new\n\
            start  d: another recipe\n\
            leave  c: the same recipe\n\
            leave  a: the same recipe\n";
        assert_eq!(plan.to_string(), expected);
        assert_eq!(reader.rest(), [""; 0], "nothing has been done");
        plan.apply().await.expect("nobody has interfered");
        reader.expect(&["d stopping shutdown", "b stopping shutdown", "x up", "d up"]).await;
        assert_eq!(reader.rest(), [""; 0]);
        assert_eq!([life_of(&root, "a").await, life_of(&root, "c").await], kept);
        assert_eq!(listed(root.clone()).await, "x c d a");

        let plan = root.plan(&new).await.expect("it makes sense");
        assert!(plan.is_empty(), "it is what it is to be: {plan}");
        plan.apply().await.expect("nothing is to be done");
        assert_eq!(reader.rest(), [""; 0]);
    });
}

/// What was written down twice is another child, unless its revision says otherwise.
#[tokio::test(start_paused = true)]
async fn revisions_say_what_is_the_same() {
    let (system, (journal, mut reader)) = (system(), journal());
    let all = |revision: &'static str, with: bool| {
        let (same, other) = (puppet("same", &journal), puppet("other", &journal));
        let bare = puppet("bare", &journal);
        let bare = if with { bare.revision("1") } else { bare };
        one_for_one().children([same.revision("1"), other.revision(revision), bare])
    };
    let root = all("1", false).start(&system, "top").await.expect("starts");
    reader.expect(&["same up", "other up", "bare up"]).await;
    let plan = root.plan(&all("2", true)).await.expect("it makes sense");
    let expected = [
        "stop   bare: another recipe",
        "stop   other: revision 1 becomes 2",
        "start  other: revision 1 becomes 2",
        "start  bare: another recipe",
    ];
    assert_eq!(shown(&plan), expected);
    let kept = plan.steps().into_iter().find(|step| step.action == Action::Leave).expect("one is left");
    assert_eq!(kept.because, Because::SameRevision("1".into()));
    plan.apply().await.expect("nobody has interfered");
    reader.until("bare up").await;
    // The running one is left alone, and restarted by the recipe that came last, in its seat.
    let again = root.plan(&all("2", true)).await.expect("it makes sense");
    assert!(again.is_empty(), "{again}");
    again.apply().await.expect("nobody has interfered");
    let same: Addr<Msg> =
        root.which_child("same").await.expect("there").actor().unwrap().address().expect("it is");
    let first = life(&same).await;
    same.tell(crash()).expect("there is room");
    reader.expect(&["same up"]).await;
    assert_eq!(life(&same).await, first + 1);
}

/// Rules are exchanged and nobody is stopped; what comes after goes by them.
#[tokio::test(start_paused = true)]
async fn other_rules_take_effect_without_stopping_anybody() {
    let (system, (journal, mut reader)) = (system(), journal());
    let [a, b] = ["a", "b"].map(|id| puppet(id, &journal));
    let root = tolerant(one_for_one()).children([a.clone(), b.clone()]);
    let root = root.start(&system, "top").await.expect("starts");
    reader.expect(&["a up", "b up"]).await;
    let new = one_for_all().limit(5, 7 * SECOND).auto_shutdown(AutoShutdown::AnySignificant).children([
        b.clone().restart(Restart::Transient).significant(true),
        a.clone().shutdown(Shutdown::BrutalKill).handler_limit(SECOND),
    ]);
    let plan = root.plan(&new).await.expect("it makes sense");
    let expected = [
        "rules  (top): strategy: OneForOne becomes OneForAll; limit: 1000 in 1s becomes 5 in 7s; \
         auto-shutdown: Never becomes AnySignificant",
        "rules  b: restart: Permanent becomes Transient; significant: false becomes true",
        "rules  a: shutdown: Within(5s) becomes BrutalKill; handler limit, from its next start: none becomes 1s",
    ];
    let lines: Vec<String> = shown(&plan).into_iter().filter(|line| line.starts_with("rules")).collect();
    assert_eq!(lines, expected);
    assert_eq!(plan.steps().iter().filter(|step| step.action == Action::Move).count(), 1);
    plan.apply().await.expect("nobody has interfered");
    assert_eq!(reader.rest(), [""; 0]);
    assert_eq!(root.child_spec("b").await.expect("it is there").restart, Restart::Transient);
    // One for all by now, in the new order; and `a` is killed, not asked.
    let b: Addr<Msg> = root.which_child("b").await.expect("there").actor().unwrap().address().expect("it is");
    b.tell(crash()).expect("there is room");
    reader.expect(&["b up", "a up"]).await;
    b.tell(end(ExitReason::Normal)).expect("there is room");
    assert_eq!(soon(root.ended()).await, ExitReason::Shutdown, "its end is significant");
}

/// Who is replaced takes along whom its strategy restarts with it.
#[tokio::test(start_paused = true)]
async fn a_replaced_child_is_a_restart_on_purpose() {
    type Row<'a> = (fn() -> Spec, &'a [&'a str]);
    let rows: [Row<'_>; 3] = [
        (one_for_one, &["b stopping shutdown", "b up"]),
        (rest_for_one, &["c stopping shutdown", "b stopping shutdown", "b up", "c up"]),
        (
            one_for_all,
            &["c stopping shutdown", "b stopping shutdown", "a stopping shutdown", "a up", "b up", "c up"],
        ),
    ];
    for (spec, expected) in rows {
        let (system, (journal, mut reader)) = (system(), journal());
        let [a, b, c] = ["a", "b", "c"].map(|id| puppet(id, &journal));
        // No restart is tolerable at all: none is counted.
        let root = spec().limit(0, SECOND).children([a.clone(), b, c.clone()]);
        let root = root.start(&system, "top").await.expect("starts");
        reader.until("c up").await;
        root.apply(spec().limit(0, SECOND).children([a, puppet("b", &journal), c])).await.expect("all start");
        reader.expect(expected).await;
        assert_eq!(reader.rest(), [""; 0]);
    }
}

/// A change of the flag acts, and is shown; where it stays, what was asked for by request stays.
#[tokio::test(start_paused = true)]
async fn another_specification_disables_and_enables_and_requests_stay() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (a, b, c) = (puppet("a", &journal), puppet("b", &journal), puppet("c", &journal));
    let all = |b_off: bool, c_off: bool| {
        let set = |child: &Child, off| if off { child.clone().disabled() } else { child.clone() };
        one_for_all().children([a.clone(), set(&b, b_off), set(&c, c_off)])
    };
    let root = all(false, true).start(&system, "top").await.expect("starts");
    reader.expect(&["a up", "b up"]).await;
    let of_a = life_of(&root, "a").await;

    let plan = root.plan(&all(true, false)).await.expect("it makes sense");
    assert_eq!(
        plan.to_string(),
        "1 to stop, 1 to start, 1 left alone\n\
         stop   b: disabled by the new specification\n\
         rules  b: disabled: false becomes true\n\
         rules  c: disabled: true becomes false\n\
         start  c: enabled by the new specification\n\
         leave  a: the same recipe\n"
    );
    plan.apply().await.expect("nobody has interfered");
    reader.expect(&["b stopping shutdown", "c up"]).await;
    assert_eq!(listed(root.clone()).await, "a b disabled c");

    // What was asked for meanwhile, and nothing said against it.
    assert!(root.enable_child("b").await.expect("it is disabled").is_some());
    root.disable_child("c").await.expect("it is there");
    reader.expect(&["b up", "c stopping shutdown"]).await;
    root.apply(all(true, false)).await.expect("it makes sense");
    assert_eq!((reader.rest(), listed(root.clone()).await), (vec![], "a b c disabled".to_owned()));

    // Who is down already is not stopped, and has nothing to wait for.
    root.terminate_child("b").await.expect("it is there");
    reader.expect(&["b stopping shutdown"]).await;
    root.apply(all(false, false)).await.expect("it makes sense");
    reader.expect(&["b up"]).await;
    root.terminate_child("b").await.expect("it is there");
    reader.expect(&["b stopping shutdown"]).await;
    let plan = root.plan(&all(true, true)).await.expect("it makes sense");
    assert_eq!(
        shown(&plan),
        [
            "disable b: disabled by the new specification",
            "rules  b: disabled: false becomes true",
            "rules  c: disabled: false becomes true"
        ]
    );
    // It was not disabled when the plan was made.
    root.disable_child("b").await.expect("it is there");
    assert!(matches!(plan.apply().await, Err(ApplyError::Stale { .. })));
    root.apply(all(true, true)).await.expect("it makes sense");
    assert_eq!(listed(root.clone()).await, "a b disabled c disabled");
    assert_eq!((reader.rest(), life_of(&root, "a").await), (vec![], of_a), "and nobody else is concerned");
}

/// A supervisor is changed inside and keeps its life; everything that differs below it, and who was added by request,
/// stands in the plan.
#[test]
fn a_subtree_is_changed_inside_and_restarted_by_the_new_specification() {
    everywhere(|| async {
        let (system, (journal, mut reader)) = (system(), journal());
        let (a, b) = (puppet("a", &journal), puppet("b", &journal));
        let inner = |deep: Child, more: Vec<Child>| {
            let deeper = tree("deeper", tolerant(one_for_one()).child(deep));
            tree("inner", tolerant(one_for_one()).child(deeper).children(more))
        };
        let old = tolerant(one_for_one()).child(inner(a.clone(), vec![b])).child(puppet("z", &journal));
        let root = old.start(&system, "top").await.expect("starts");
        let inside = root.subtree("inner/deeper").await.expect("it is there");
        inside.start_child(puppet("guest", &journal)).await.expect("its id is free");
        reader.until("guest up").await;
        let lives = [life_of(&root, "inner").await, life_of(&root, "inner/deeper").await];
        let a_before = life_of(&root, "inner/deeper/a").await;

        let new = || {
            let more = vec![puppet("n", &journal)];
            tolerant(one_for_one()).child(inner(a.clone().restart(Restart::Transient), more))
        };
        let plan = root.plan(&new()).await.expect("it makes sense");
        let expected = [
            "stop   z: not in the new specification; its address is lost",
            "stop   inner/b: not in the new specification; its address is lost",
            "stop   inner/deeper/guest: not in the new specification; its address is lost",
            "rules  inner/deeper/a: restart: Permanent becomes Transient",
            "start  inner/n: new",
        ];
        assert_eq!(shown(&plan), expected);
        plan.apply().await.expect("nobody has interfered");
        reader
            .expect(&["z stopping shutdown", "b stopping shutdown", "guest stopping shutdown", "n up"])
            .await;
        assert_eq!([life_of(&root, "inner").await, life_of(&root, "inner/deeper").await], lives);
        assert_eq!(life_of(&root, "inner/deeper/a").await, a_before);
        assert_eq!(listed(root.clone()).await, "inner[deeper[a] n]");

        // Its next life is of the new specification, in the same seat.
        let address = root.subtree("inner").await.expect("it is there");
        assert!(address.address().kill());
        reader.until("n up").await;
        assert_eq!(listed(root.clone()).await, "inner[deeper[a] n]");
        assert!(address.count_children().await.is_ok(), "its address is good");
    });
}

/// Addresses stay good where both specifications use the same seat, or where both leave it to the supervisor; the plan
/// says where they do not.
#[tokio::test(start_paused = true)]
async fn addresses_outlive_a_replacement_in_the_same_seat() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (given, seat) = system.address();
    let (_moved, moved_seat) = system.address();
    let in_seat = |id: &'static str, seat: &Seat<Msg>| {
        let journal = journal.clone();
        actor_in(id, seat.clone(), move || Puppet::new(id, &journal).trapping())
    };
    let old = [in_seat("given", &seat), puppet("own", &journal), puppet("moved", &journal)];
    let named = puppet("named", &journal).registered("one");
    let root = one_for_one().children(old).child(named).start(&system, "top").await.expect("starts");
    reader.until("named up").await;
    let own: Addr<Msg> =
        root.which_child("own").await.expect("there").actor().unwrap().address().expect("it is");
    let lost: Addr<Msg> =
        root.which_child("moved").await.expect("there").actor().unwrap().address().expect("it is");

    let new = [in_seat("given", &seat), puppet("own", &journal), in_seat("moved", &moved_seat)];
    let named = puppet("named", &journal).registered("two");
    let plan = root.plan(&one_for_one().children(new).child(named)).await.expect("it makes sense");
    let addresses: Vec<(String, Option<Address>)> = plan
        .steps()
        .into_iter()
        .filter(|step| step.action == Action::Stop)
        .map(|step| (step.path, step.address))
        .collect();
    let expected = [
        ("named", Address::Lost),
        ("moved", Address::Lost),
        ("own", Address::Kept),
        ("given", Address::Kept),
    ];
    assert_eq!(addresses, expected.map(|(path, address)| (path.to_owned(), Some(address))));
    given.suspend();
    given.tell(Msg::Mark(7)).expect("there is room");
    plan.apply().await.expect("nobody has interfered");
    reader.until("given up").await;
    reader.until("given 7").await;
    assert_eq!((life(&given).await, life(&own).await), (2, 2), "what waited was for whoever lives there");
    assert!(!lost.is_alive());
    assert!(system.whereis::<Msg>("one").is_err() && system.whereis::<Msg>("two").is_ok());
}

/// A start that fails at every place, by strategy: who stays down, and that the next change makes up for it.
#[tokio::test(start_paused = true)]
async fn a_start_that_fails_leaves_down_whoever_needs_it() {
    const IDS: [&str; 4] = ["a", "b", "c", "d"];
    let rows: [(fn() -> Spec, bool); 3] = [(one_for_one, true), (rest_for_one, false), (one_for_all, false)];
    for (spec, alone) in rows {
        for at in 0..4 {
            let (system, (journal, mut reader)) = (system(), journal());
            let fails = Arc::new(AtomicBool::new(false));
            let root = spec().limit(0, SECOND).children(IDS.map(|id| puppet(id, &journal)));
            let root = root.start(&system, "top").await.expect("starts");
            let children = IDS.map(|id| match IDS[at] == id {
                true => failing(id, &journal, &fails),
                false => puppet(id, &journal),
            });
            fails.store(true, Ordering::Relaxed);
            let new = spec().limit(0, SECOND).children(children);
            let Err(ApplyError::Incomplete(incomplete)) = root.apply(new.clone()).await else {
                panic!("{} does not start", IDS[at])
            };
            assert_eq!(incomplete.failed, [(IDS[at].to_owned(), ExitReason::other("no disk"))]);
            let back = if alone { &[][..] } else { &IDS[at + 1..] };
            assert_eq!(incomplete.held_back, back);
            let stands = IDS.map(|id| match IDS[at] == id || back.contains(&id) {
                true => format!("{id} down"),
                false => id.to_owned(),
            });
            assert_eq!(listed(root.clone()).await, stands.join(" "));
            pass(60 * SECOND).await;
            assert_eq!(listed(root.clone()).await, stands.join(" "), "nobody tries again");
            reader.rest();

            fails.store(false, Ordering::Relaxed);
            let plan = root.plan(&new).await.expect("it makes sense");
            let down: Vec<&str> = std::iter::once(IDS[at]).chain(back.iter().copied()).collect();
            let expected: Vec<String> =
                down.iter().map(|id| format!("start  {id}: has no process")).collect();
            assert_eq!(shown(&plan), expected, "and nobody else is touched");
            plan.apply().await.expect("now it starts");
            assert_eq!(listed(root.clone()).await, IDS.join(" "));
        }
    }
}

/// In a tree, too: what fails below holds back what comes later above, if that needs it.
#[tokio::test(start_paused = true)]
async fn a_start_that_fails_below_is_told_with_its_path() {
    for (spec, expected) in
        [(one_for_one as fn() -> Spec, "inner[x down y] z"), (rest_for_one, "inner[x down y] z down")]
    {
        let (system, (journal, _reader)) = (system(), journal());
        let fails = Arc::new(AtomicBool::new(true));
        let y = puppet("y", &journal);
        let root = spec().child(tree("inner", one_for_one().child(y.clone())));
        let root = root.start(&system, "top").await.expect("starts");
        let inner = tree("inner", one_for_one().child(failing("x", &journal, &fails)).child(y));
        let Err(ApplyError::Incomplete(incomplete)) =
            root.apply(spec().child(inner).child(puppet("z", &journal))).await
        else {
            panic!("x does not start")
        };
        assert_eq!(incomplete.failed, [("inner/x".to_owned(), ExitReason::other("no disk"))]);
        assert_eq!(listed(root.clone()).await, expected);
        assert_eq!(incomplete.held_back.is_empty(), expected.ends_with('z'));
    }
}

/// A plan says what will be done, or it is refused; in a part of the tree, too, and then nothing is done anywhere.
#[tokio::test(start_paused = true)]
async fn a_plan_that_has_gone_stale_is_refused_and_nothing_is_done() {
    let (system, (journal, mut reader)) = (system(), journal());
    let [a, b, x, y] = ["a", "b", "x", "y"].map(|id| puppet(id, &journal));
    let inner = |child: &Child| tree("inner", tolerant(one_for_one()).child(child.clone()));
    let old = tolerant(one_for_one()).children([a.clone(), b.clone(), inner(&x)]);
    let root = old.start(&system, "top").await.expect("starts");
    let inside = root.subtree("inner").await.expect("it is there");
    let new = tolerant(one_for_one()).children([puppet("a", &journal), inner(&y), puppet("n", &journal)]);
    let stale = |supervisor: &str| Err(ApplyError::Stale { supervisor: supervisor.to_owned() });
    reader.rest();

    let plan = || root.plan(&new);
    let (first, second, third) = (plan().await, plan().await, plan().await);
    root.terminate_child("b").await.expect("it is there");
    reader.expect(&["b stopping shutdown"]).await;
    assert_eq!(first.expect("it makes sense").apply().await, stale(""));
    root.restart_child("b").await.expect("it is down");
    reader.expect(&["b up"]).await;
    let guest = inside.start_child(puppet("guest", &journal)).await.expect("its id is free");
    reader.expect(&["guest up"]).await;
    assert_eq!(second.expect("it makes sense").apply().await, stale("inner"));
    assert_eq!(reader.rest(), [""; 0], "nothing has been done");
    assert!(guest.is_some_and(|guest| guest.is_alive()));
    // Whoever was held is not any more.
    inside.terminate_child("guest").await.expect("it is there");
    inside.delete_child("guest").await.expect("it is down");
    reader.expect(&["guest stopping shutdown"]).await;
    // A restart changes nothing that a plan says.
    let a: Addr<Msg> = root.which_child("a").await.expect("there").actor().unwrap().address().expect("it is");
    a.tell(crash()).expect("there is room");
    reader.expect(&["a up"]).await;
    third.expect("it makes sense").apply().await.expect("it is as it was");
    assert_eq!(listed(root.clone()).await, "a inner[y] n");

    // What it says of rules is a part of it.
    let by = |restart| new.clone().child(b.clone().restart(restart));
    root.apply(by(Restart::Permanent)).await.expect("it starts");
    let plan = root.plan(&by(Restart::Temporary)).await.expect("it makes sense");
    assert_eq!(shown(&plan), ["rules  b: restart: Permanent becomes Temporary"]);
    root.apply(by(Restart::Transient)).await.expect("nobody is to start");
    assert_eq!(plan.apply().await, stale(""));
}

/// One thing that makes no sense, anywhere, and nothing is done.
#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_before_anything_happens() {
    let (system, (journal, mut reader)) = (system(), journal());
    let sessions = template("session", |(): ()| Puppet::new("session", &self::journal().0));
    let (a, pool) = (puppet("a", &journal), tree("pool", dynamic(&sessions)));
    let root = one_for_one().children([a.clone(), pool.clone()]).start(&system, "top").await.expect("starts");
    reader.expect(&["a up"]).await;
    let twice = one_for_one().child(tree("t", one_for_one().children([a.clone(), a.clone()])));
    let cause = SpecError::DuplicateId("a".into(), 0, 1);
    let invalid = ApplyError::Invalid(TreeError::Spec { supervisor: "t".to_owned(), cause });
    assert_eq!(root.apply(twice.clone()).await, Err(invalid.clone()));
    assert_eq!(root.plan(&twice).await.map(drop), Err(invalid));
    let kind = |supervisor: &str| Err(ApplyError::OtherKind { supervisor: supervisor.to_owned() });
    assert_eq!(root.apply(dynamic(&sessions)).await, kind(""));
    let other = one_for_one().child(tree("pool", one_for_one()));
    assert_eq!(root.plan(&other).await.map(drop), kind("pool"));
    assert_eq!(root.apply(other).await, kind("pool"));
    let below = one_for_one().child(a);
    assert_eq!(root.subtree("pool").await.expect("it is there").apply(below).await, kind(""));
    assert_eq!(reader.rest(), [""; 0], "nothing has been done");
    assert_eq!(listed(root).await, "a pool[]");
}

/// Instances live on by the new rules; new ones are of the new template.
#[tokio::test(start_paused = true)]
async fn a_dynamic_supervisor_takes_another_template() {
    let (system, (journal, mut reader)) = (system(), journal());
    let session = |name: &'static str| {
        let journal = journal.clone();
        template("session", move |(): ()| Puppet::new(name, &journal).trapping())
    };
    let (old, new) = (session("old"), session("new").restart(Restart::Temporary));
    let spec = |pool: Spec| one_for_one().child(tree("pool", pool));
    let root = spec(tolerant(dynamic(&old))).start(&system, "top").await.expect("starts");
    let inside = root.subtree("pool").await.expect("it is there");
    let one = inside.pool(&old).start(()).await.expect("there is room").expect("it runs");
    let two = inside.pool(&old).start(()).await.expect("there is room").expect("it runs");
    reader.expect(&["old up", "old up"]).await;
    let plan = root.plan(&spec(tolerant(dynamic(&new)).max_children(2))).await.expect("it makes sense");
    let expected = "rules  pool: restart: Permanent becomes Temporary; most children: any number becomes 2; \
                    template, for instances to come: session becomes session";
    assert_eq!(shown(&plan), [expected]);
    plan.apply().await.expect("nobody has interfered");
    assert_eq!(inside.pool(&old).start(()).await.map(drop), Err(StartInstanceError::OtherTemplate));
    assert_eq!(inside.pool(&new).start(()).await.map(drop), Err(StartInstanceError::TooMany));
    assert!(one.is_alive());
    two.tell(crash()).expect("there is room");
    soon(two.ended()).await;
    inside.pool(&new).start(()).await.expect("there is room").expect("it runs");
    reader.expect(&["new up"]).await;
    // On its own, too.
    inside.apply(dynamic(&new).max_children(1)).await.expect("it is dynamic");
    assert_eq!(inside.pool(&new).start(()).await.map(drop), Err(StartInstanceError::TooMany));
}

/// A stop overtakes a change wherever it is; requests and ends wait for the end of it.
#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_and_requests_wait() {
    for stopped in [false, true] {
        let (system, (journal, mut reader)) = (system(), journal());
        let slow = slow(&journal);
        let [a, b] = ["a", "b"].map(|id| puppet(id, &journal));
        let old = one_for_one().child(tree("inner", one_for_one().children([a.clone(), slow])));
        let root = old.child(b.clone()).start(&system, "top").await.expect("starts");
        reader.until("b up").await;
        let inside = root.subtree("inner").await.expect("it is there");
        let new = one_for_one().child(tree("inner", one_for_one().child(a))).child(puppet("b", &journal));
        let change = aside({
            let root = root.clone();
            async move { root.apply(new).await }
        });
        reader.expect(&["b stopping shutdown", "slow stopping shutdown"]).await;
        let asked = aside(async move { inside.count_children().await.map(|counts| counts.specs) });
        pass(SECOND).await;
        assert!(!asked.is_finished(), "it waits");
        if stopped {
            drop(aside(async move { root.stop(ExitReason::Shutdown).await }));
            reader.expect(&["slow cleaned up", "a stopping shutdown"]).await;
            let error = soon(change).await.expect("it is told");
            assert!(matches!(error, Err(ApplyError::Unavailable(_))), "{error:?}");
            assert!(soon(asked).await.expect("it is told").is_err());
        } else {
            reader.expect(&["slow cleaned up", "b up"]).await;
            soon(change).await.expect("it is answered").expect("all start");
            assert_eq!(soon(asked).await.expect("it is answered"), Ok(1), "after the change");
        }
        assert_eq!(reader.rest(), [""; 0]);
    }
}

/// All stops come before all starts, through the whole tree: names and seats can move from one place to another.
#[test]
fn a_name_and_a_seat_move_to_another_place_in_the_tree() {
    everywhere(|| async {
        let (system, (journal, mut reader)) = (system(), journal());
        let (address, seat) = system.address();
        let holder = |id| holder(id, &seat, &journal);
        let spec = |left: Option<Child>, right: Option<Child>| {
            let left = tree("left", one_for_one().children(left));
            one_for_one().children([left, tree("right", one_for_one().children(right))])
        };
        let root = spec(None, Some(holder("r"))).start(&system, "top").await.expect("starts");
        reader.expect(&["r up"]).await;
        root.apply(spec(Some(holder("l")), None)).await.expect("its seat is free");
        reader.expect(&["r stopping shutdown", "l up"]).await;
        root.apply(spec(None, Some(holder("r")))).await.expect("its seat is free");
        reader.expect(&["l stopping shutdown", "r up"]).await;
        assert_eq!(life(&address).await, 3);
    });
}

/// What is offered from then on is what the new specification offers; who asks later gets that.
#[tokio::test(start_paused = true)]
async fn offers_are_exchanged() {
    #[derive(Clone)]
    struct Greeting(&'static str);
    #[derive(Clone)]
    struct Farewell;
    let (system, (journal, mut reader)) = (system(), journal());
    let asks = {
        let journal = journal.clone();
        actor("asks", move || Puppet::new("asks", &journal))
    };
    let old = tolerant(one_for_one()).offer(Greeting("hello")).offer(Farewell).child(asks.clone());
    let root = old.start(&system, "top").await.expect("starts");
    let address: Addr<Msg> =
        root.which_child("asks").await.expect("there").actor().unwrap().address().expect("it is");
    let look = || {
        act(|puppet, context| {
            let greeting = context.service::<Greeting>().map_or("nothing", |greeting| greeting.0);
            puppet.note(format!("{greeting} {}", context.service::<Farewell>().is_ok()));
            Ok(())
        })
    };
    address.tell(look()).expect("there is room");
    reader.until("asks hello true").await;
    root.apply(tolerant(one_for_one()).offer(Greeting("hi")).child(asks.clone()))
        .await
        .expect("it is the same");
    address.tell(look()).expect("there is room");
    reader.expect(&["asks hi false"]).await;
    root.apply(tolerant(one_for_one()).child(asks)).await.expect("it is the same");
    address.tell(look()).expect("there is room");
    reader.expect(&["asks nothing false"]).await;
}

/// A supervisor that ends while it is changed is told of, and its next life is of the new specification.
#[tokio::test(start_paused = true)]
async fn a_supervisor_that_ends_while_it_is_changed_comes_back_as_the_new_one() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (address, seat) = system.address();
    let hangs = {
        let journal = journal.clone();
        actor("hangs", move || Puppet::new("hangs", &journal).trapping().cleaning_up_for(4 * SECOND))
    };
    let [x, z] = ["x", "z"].map(|id| puppet(id, &journal));
    let inner = |child| tree_in("inner", seat.clone(), one_for_one().child(child));
    let root =
        tolerant(one_for_one()).children([inner(hangs), z]).start(&system, "top").await.expect("starts");
    reader.until("z up").await;
    let new = tolerant(one_for_one()).child(inner(x)).child(puppet("n", &journal));
    let change = aside({
        let root = root.clone();
        async move { root.apply(new).await }
    });
    reader.expect(&["z stopping shutdown", "hangs stopping shutdown"]).await;
    assert!(address.kill());
    let Err(ApplyError::Incomplete(incomplete)) = soon(change).await.expect("it is answered") else {
        panic!("one has ended")
    };
    assert_eq!(incomplete.failed.len(), 1);
    assert_eq!(incomplete.failed[0].0, "inner");
    reader.until("x up").await;
    assert_eq!(listed(root).await, "inner[x] n");
}

/// A child that is started by a change, and asks a supervisor that waits for it, is told so.
#[tokio::test(start_paused = true)]
async fn a_child_that_asks_a_supervisor_which_waits_for_it_is_told() {
    let (system, (journal, mut reader)) = (system(), journal());
    let (top, top_seat) = system.address();
    let root =
        one_for_one().child(tree_in("it", top_seat, one_for_one().child(tree("inner", one_for_one()))));
    root.start(&system, "top").await.expect("starts");
    let root = Root::of(top.clone());
    let nosy = {
        let (journal, root) = (journal.clone(), root.clone());
        actor("nosy", move || Nosy { journal: journal.clone(), root: root.clone() })
    };
    let inner = tree("inner", one_for_one().child(nosy));
    let Err(ApplyError::Incomplete(incomplete)) = soon(root.apply(one_for_one().child(inner))).await else {
        panic!("it does not start")
    };
    assert_eq!(incomplete.failed[0].0, "inner/nosy");
    reader.expect(&["would deadlock"]).await;
    // And afterwards there is nothing left of it.
    assert_eq!(listed(root.clone()).await, "inner[nosy down]");
    assert_eq!(top.is_alive(), root.count_children().await.is_ok());
}

struct Nosy {
    journal: Journal,
    root: Root,
}

impl Actor for Nosy {
    type Msg = ();

    async fn started(&mut self, _: &mut Context<()>) -> Handled {
        match self.root.count_children().await {
            Err(minder::supervisors::Unavailable::WouldDeadlock(_)) => self.journal.note("would deadlock"),
            other => self.journal.note(format!("{other:?}")),
        }
        Err(ExitReason::other("told"))
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }
}
