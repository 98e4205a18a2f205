//! Children that handle what they have been sent before they obey a stop.

use std::time::Duration;

use minder::Winding;
use minder::prelude::*;
use minder::supervisors::Root;

use crate::support::*;

/// In hand until a second has passed.
fn busy() -> Msg {
    wait(|puppet, context| {
        Box::pin(async move {
            puppet.note("begins");
            context.sleep(SECOND).await;
            puppet.note("done");
            Ok(())
        })
    })
}

fn puppet(
    name: &'static str,
    make: impl FnOnce(Puppet) -> Puppet + Clone + Send + Sync + 'static,
) -> (System, Addr<Msg>, Child, Reader) {
    let system = system();
    let (journal, reader) = journal();
    let (it, seat) = system.address();
    let child = actor_in(name, seat, move || make.clone()(Puppet::new("it", &journal))).drain();
    (system, it, child, reader)
}

/// Stops the child; gives the word when it is gone.
fn stopping(root: &Root) -> tokio::task::JoinHandle<()> {
    let root = root.clone();
    aside(async move { root.terminate_child("it").await.expect("it is there") })
}

/// What was sent before the stop is handled, what comes after it is left for another life; so it is whether the child traps
/// exits or not, and whether it is in the middle of something or idle.
/// OTP: SIG-002.
#[tokio::test(start_paused = true)]
async fn what_was_sent_before_a_stop_is_handled_first() {
    for traps in [false, true] {
        let (system, it, child, mut reader) = puppet("it", move |it| if traps { it.trapping() } else { it });
        let root = one_for_one().child(child).start(&system, "top").await.expect("starts");
        it.tell(busy()).expect("there is room");
        (1..=2).for_each(|mark| it.tell(Msg::Mark(mark)).expect("there is room"));
        reader.expect(&["it up", "it begins"]).await;
        let stopped = stopping(&root);
        turns().await;
        it.tell(Msg::Mark(3)).expect("its seat is not given up");
        stopped.await.expect("it does not panic");
        let lines = ["it done", "it 1", "it 2", "it stopping shutdown"];
        assert_eq!(reader.rest(), lines, "traps: {traps}");
        root.restart_child("it").await.expect("it is stopped");
        reader.expect(&["it up", "it 3"]).await;
        // Idle, it has nothing to wait for.
        let before = system.now();
        stopping(&root).await.expect("it does not panic");
        assert_eq!((system.now(), reader.rest()), (before, vec!["it stopping shutdown".to_owned()]));
    }
}

/// The time that it is given is not longer for that.
#[tokio::test(start_paused = true)]
async fn a_backlog_that_takes_too_long_ends_with_a_kill() {
    let limit = 3 * SECOND / 2;
    let rows: [(Shutdown, Duration, &[&str]); 2] = [
        (Shutdown::Within(limit), limit, &["it done", "it begins"]),
        (Shutdown::BrutalKill, Duration::ZERO, &[]),
    ];
    for (shutdown, time, lines) in rows {
        let (system, it, child, mut reader) = puppet("it", |it| it.trapping());
        let root = one_for_one().child(child.shutdown(shutdown).restart(Restart::Temporary));
        let root = root.start(&system, "top").await.expect("starts");
        (1..=5).for_each(|_| it.tell(busy()).expect("there is room"));
        reader.expect(&["it up", "it begins"]).await;
        let began = system.now();
        stopping(&root).await.expect("it does not panic");
        assert_eq!(soon(it.ended()).await, ExitReason::Killed, "{shutdown:?}");
        assert_eq!(system.now(), began + time, "{shutdown:?}");
        assert_eq!(reader.rest(), lines, "{shutdown:?}: nothing is wound up");
    }
}

/// What does not wait: exits of others, and a stop while it starts or is suspended.
#[tokio::test(start_paused = true)]
async fn what_is_no_stop_of_its_minder_waits_for_nothing() {
    let (system, it, child, mut reader) = puppet("it", |it| it);
    let root =
        one_for_one().child(child.restart(Restart::Temporary)).start(&system, "top").await.expect("starts");
    it.tell(busy()).expect("there is room");
    it.tell(Msg::Mark(1)).expect("there is room");
    reader.expect(&["it up", "it begins"]).await;
    let other = system.spawn(|| Puppet::new("other", &journal().0)).expect("open");
    let victim = it.clone();
    let exit = act(move |_, context| {
        assert!(context.exit(&victim, ExitReason::other("mine")));
        Ok(())
    });
    other.tell(exit).expect("there is room");
    assert_eq!(soon(it.ended()).await, ExitReason::other("mine"));
    assert_eq!(reader.rest(), Vec::<String>::new());
    drop(root);

    let (system, it, child, mut reader) = puppet("it", |it| it);
    let root = one_for_one().child(child).start(&system, "top").await.expect("starts");
    reader.expect(&["it up"]).await;
    assert!(it.suspend());
    turns().await;
    it.tell(Msg::Mark(1)).expect("there is room");
    let began = system.now();
    stopping(&root).await.expect("it does not panic");
    assert_eq!((system.now(), reader.rest()), (began, Vec::new()), "it takes no messages, and the stop none");

    let (system, it, child, mut reader) = puppet("it", |it| it);
    let slow = actor("slow", || Slow).drain();
    let root = one_for_one().child(child).start(&system, "top").await.expect("starts");
    reader.expect(&["it up"]).await;
    aside(async move { root.start_child(slow).await });
    turns().await;
    let began = system.now();
    assert!(system.shutdown(10 * SECOND).await.is_clean());
    assert_eq!(system.now(), began, "nobody waits for a start that is of no use");
    assert_eq!((reader.rest(), it.is_alive()), (vec!["it stopping shutdown".to_owned()], false));
}

/// Starts for ever.
struct Slow;

impl Actor for Slow {
    type Msg = ();

    async fn started(&mut self, _: &mut Context<()>) -> Handled {
        std::future::pending().await
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }
}

/// One that has something to wind down is asked when its turn comes, and others that are told meanwhile are told once.
#[tokio::test(start_paused = true)]
async fn who_winds_down_is_asked_behind_its_backlog() {
    let (system, it, child, mut reader) = puppet("it", |it| it.trapping().winding(Winding::Later));
    let root = one_for_one().child(child).start(&system, "top").await.expect("starts");
    it.tell(busy()).expect("there is room");
    it.tell(Msg::Mark(1)).expect("there is room");
    reader.expect(&["it up", "it begins"]).await;
    let stopped = stopping(&root);
    reader.expect(&["it done", "it 1", "it asked shutdown"]).await;
    it.tell(Msg::Mark(2)).expect("there is room");
    it.tell(end(ExitReason::Shutdown)).expect("there is room");
    stopped.await.expect("it does not panic");
    assert_eq!(reader.rest(), ["it 2", "it stopping shutdown"]);
}

/// Instances of a template, too; and a task is let come to its end.
#[tokio::test(start_paused = true)]
async fn instances_and_tasks_drain_as_children_do() {
    let system = system();
    let (journal, mut reader) = journal();
    let own = journal.clone();
    let pawns = template("pawn", move |()| Puppet::new("it", &own)).drain();
    let tree = tree("pawns", dynamic(&pawns));
    let work = journal.clone();
    let task = task("task", move || {
        let journal = work.clone();
        async move {
            journal.note("task begins");
            std::future::pending::<()>().await;
        }
    });
    let own = journal.clone();
    let short = minder::supervisors::task("short", move || {
        let journal = own.clone();
        async move {
            pass(SECOND).await;
            journal.note("short is done");
        }
    });
    let spec = one_for_one().child(tree).child(task).child(short.drain().restart(Restart::Temporary));
    let root = spec.start(&system, "top").await.expect("starts");
    let pool = root.subtree("pawns").await.expect("it is there").pool(&pawns);
    let it = pool.start(()).await.expect("there is room").expect("it has something to run");
    it.tell(busy()).expect("there is room");
    it.tell(Msg::Mark(1)).expect("there is room");
    turns().await;
    reader.rest();
    assert!(system.shutdown(10 * SECOND).await.is_clean());
    assert_eq!(reader.rest(), ["short is done", "it done", "it 1", "it stopping shutdown"]);
}

/// A stop because its supervisor has ended is obeyed at once, so that a new life is not kept waiting; so is one that waits
/// when the child is suspended, and one of a child that traps exits while it starts.
#[tokio::test(start_paused = true)]
async fn nobody_drains_for_whom_nobody_counts_the_time() {
    for traps in [false, true] {
        let (system, it, child, mut reader) = puppet("it", move |it| if traps { it.trapping() } else { it });
        let root = one_for_one().child(tree("tree", one_for_one().child(child)));
        let root = root.start(&system, "top").await.expect("starts");
        (1..=5).for_each(|_| it.tell(busy()).expect("there is room"));
        reader.expect(&["it up", "it begins"]).await;
        let began = system.now();
        assert!(root.subtree("tree").await.expect("it is there").address().kill());
        reader.until("it up").await;
        let in_hand = if traps { SECOND } else { Duration::ZERO };
        assert_eq!(system.now(), began + in_hand, "traps: {traps}");
    }

    // Its own supervisor lives, and counts, though the one above has ended.
    let (system, it, child, mut reader) = puppet("it", |it| it);
    let leaf = tree("leaf", one_for_one().child(child.shutdown(Shutdown::Within(10 * SECOND))));
    let root = one_for_one().child(tree("mid", one_for_one().child(leaf)));
    let root = root.start(&system, "top").await.expect("starts");
    (1..=5).for_each(|_| it.tell(busy()).expect("there is room"));
    reader.expect(&["it up", "it begins"]).await;
    let began = system.now();
    assert!(root.subtree("mid").await.expect("it is there").address().kill());
    reader.until("it stopping shutdown").await;
    assert_eq!(system.now(), began + 5 * SECOND);

    let (system, it, child, mut reader) = puppet("it", |it| it.trapping());
    let child = child.shutdown(Shutdown::Infinity);
    let root = one_for_one().child(child).start(&system, "top").await.expect("starts");
    it.tell(busy()).expect("there is room");
    it.tell(Msg::Mark(1)).expect("there is room");
    reader.expect(&["it up", "it begins"]).await;
    let stopped = stopping(&root);
    turns().await;
    assert!(it.suspend());
    soon(stopped).await.expect("it does not panic");
    assert_eq!(reader.rest(), ["it done", "it stopping shutdown"]);

    let (journal, mut reader) = self::journal();
    let (it, seat) = system.address();
    it.tell(Msg::Mark(1)).expect("its mailbox is there before it");
    let child = actor_in("late", seat, move || Late(Puppet::new("it", &journal).trapping())).drain();
    let adding = root.clone();
    aside(async move { adding.start_child(child).await });
    reader.expect(&["it up"]).await;
    assert!(system.shutdown(10 * SECOND).await.is_clean());
    assert_eq!(reader.rest(), ["it stopping shutdown"]);
}

/// Takes a second to start.
struct Late(Puppet);

impl Actor for Late {
    type Msg = Msg;

    async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
        self.0.started(context).await?;
        context.sleep(SECOND).await;
        Ok(())
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        self.0.handle(message, context).await
    }

    async fn stopping(&mut self, reason: &ExitReason, context: &mut Context<Msg>) {
        self.0.stopping(reason, context).await;
    }
}
