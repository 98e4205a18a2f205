//! A minder of one's own, on the public API alone, where a supervisor could stand: it restarts its children by a policy
//! that no supervisor has, offers them a service, and has one of ours below it and one of ours above.
//!
//! The policy: replicas are restarted for ever, but at most so many at a time, since each warms up at the expense of the
//! others; with fewer than a quorum up the minder gives up, since those that are left serve what is not true any more.

use std::collections::VecDeque;
use std::sync::Arc;

use minder::prelude::*;
use minder::{ActorId, ActorRef, ChildEvent, Recipe, ShutdownReport, StartOptions, Winding};

use crate::support::*;

// --- the minder ----------------------------------------------------------------------------------------------------

/// Looks after replicas.
struct Replicas {
    children: Vec<Replica>,
    /// Those that wait for their start, first come, first served.
    waiting: VecDeque<usize>,
    at_a_time: usize,
    quorum: usize,
    /// Whether a quorum has been up since the start: before that there is none to lose.
    complete: bool,
    /// The reason, once it was asked to stop.
    stopping: Option<ExitReason>,
}

struct Replica {
    recipe: Recipe,
    options: StartOptions,
    state: State,
}

enum State {
    Down,
    Starting(ActorRef),
    Up(ActorRef),
}

/// Offered to the replicas: how many they are.
#[derive(Clone, Debug, PartialEq)]
struct Group(usize);

impl Replicas {
    fn new(children: &[Child], at_a_time: usize, quorum: usize) -> Self {
        let replica = |child: &Child| Replica {
            recipe: child.recipe(),
            options: child.start_options(),
            state: State::Down,
        };
        Self {
            children: children.iter().map(replica).collect(),
            waiting: (0..children.len()).collect(),
            at_a_time,
            quorum,
            complete: false,
            stopping: None,
        }
    }

    /// Starts as many of those that wait as may start at a time.
    fn fill_up(&mut self, context: &mut Context<()>) -> Handled {
        while self.starting() < self.at_a_time
            && let Some(index) = self.waiting.pop_front()
        {
            let child = &mut self.children[index];
            child.state = State::Starting(context.start(&child.recipe, child.options.clone())?);
        }
        Ok(())
    }

    /// Stops the last that is up or starting; ends itself after the first. As a supervisor does: in reverse, one by one.
    fn stop_next(&mut self, context: &mut Context<()>) {
        let Some(reason) = self.stopping.clone() else { return };
        match self.children.iter().rev().find_map(Replica::actor) {
            Some(actor) => context.stop_child(actor, ExitReason::Shutdown),
            None => context.stop(reason),
        }
    }

    fn starting(&self) -> usize {
        self.children.iter().filter(|child| matches!(child.state, State::Starting(_))).count()
    }

    fn up(&self) -> usize {
        self.children.iter().filter(|child| matches!(child.state, State::Up(_))).count()
    }

    fn child(&mut self, id: ActorId) -> Option<usize> {
        self.children.iter().position(|child| child.actor().is_some_and(|actor| actor.id() == id))
    }
}

impl Replica {
    fn actor(&self) -> Option<&ActorRef> {
        match &self.state {
            State::Down => None,
            State::Starting(actor) | State::Up(actor) => Some(actor),
        }
    }
}

impl Actor for Replicas {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.trap_exit(true); // its minder's stop is to be obeyed in order
        context.acknowledge_later(); // it is up when a quorum is
        context.offer(Group(self.children.len()));
        let system = context.system();
        for child in &mut self.children {
            child.recipe = child.recipe.settled(&system); // a seat for all its lives
        }
        self.fill_up(context)
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<()>) -> Handled {
        let Notice::Child(news) = notice else { return Ok(()) };
        let Some(index) = self.child(news.child) else { return Ok(()) };
        match news.event {
            ChildEvent::Started => {
                if let State::Starting(actor) = &self.children[index].state {
                    self.children[index].state = State::Up(actor.clone());
                }
                if self.up() >= self.quorum {
                    self.complete = true;
                    context.acknowledge();
                }
            }
            // Before there was a quorum a start that fails is the minder's own failure.
            ChildEvent::StartFailed(reason) if !self.complete => return Err(reason),
            _ => {
                self.children[index].state = State::Down;
                self.waiting.push_back(index);
            }
        }
        if self.stopping.is_some() {
            self.stop_next(context);
            return Ok(());
        }
        if self.complete && self.up() < self.quorum {
            return Err(Plain("no quorum").into());
        }
        self.fill_up(context)
    }

    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<()>) -> Winding {
        if self.stopping.replace(reason.clone()).is_none() {
            self.stop_next(context);
        }
        Winding::Later
    }
}

// --- under a supervisor of ours, with one below ---------------------------------------------------------------------

/// Three replicas and a tree below the minder, the minder below a supervisor, and a sibling before it.
struct Scene {
    system: System,
    replicas: Vec<Addr<Msg>>,
    below: Addr<Msg>,
    minder: Addr<()>,
    reader: Reader,
}

impl Scene {
    async fn new(at_a_time: usize, quorum: usize) -> Self {
        let system = system();
        let (journal, reader) = journal();
        let (mut children, mut replicas) = (Vec::new(), Vec::new());
        for name in ["r0", "r1", "r2"] {
            let (address, seat) = system.address();
            let journal = journal.clone();
            children.push(actor_in(name, seat, move || {
                Puppet::new(name, &journal).trapping().on_start(|it, context| {
                    let Group(members) = context.service()?;
                    it.note(format!("of {members}"));
                    Ok(())
                })
            }));
            replicas.push(address);
        }
        let (below, seat) = system.address();
        let marks = journal.clone();
        let leaf = actor_in("leaf", seat, move || Puppet::new("leaf", &marks).trapping());
        children.push(tree("below", tolerant(one_for_one()).child(leaf)));

        let (minder, seat) = system.address();
        let marks = journal.clone();
        let minding = actor_in("replicas", seat, move || Replicas::new(&children, at_a_time, quorum))
            .shutdown(Shutdown::Infinity); // as a supervisor: its children have their own time
        let top = tolerant(one_for_one())
            .child(actor("before", move || Puppet::new("before", &marks).trapping()))
            .child(minding);
        top.check().expect("it makes sense");
        top.start(&system, "top").await.expect("all start");
        Self { system, replicas, below, minder, reader }
    }

    /// Who has come up, in order, out of what has been written.
    async fn ups(&mut self) -> Vec<String> {
        turns().await;
        self.reader.rest().into_iter().filter_map(|line| Some(line.strip_suffix(" up")?.to_owned())).collect()
    }

    async fn end(self) -> (ShutdownReport, Vec<String>) {
        let Self { system, mut reader, .. } = self;
        reader.rest();
        let report = system.shutdown(SECOND).await;
        (report, reader.rest())
    }
}

#[tokio::test(start_paused = true)]
async fn it_starts_its_children_and_they_find_its_offer() {
    let mut scene = Scene::new(1, 4).await;
    let lines: Vec<String> = scene.reader.rest();
    assert_eq!(
        lines,
        ["before up", "r0 of 4", "r0 up", "r1 of 4", "r1 up", "r2 of 4", "r2 up", "leaf up"],
        "one at a time, and acknowledged when all are up"
    );
    assert_eq!(&*scene.below.path(), "top/replicas/below/leaf");
    // A child of the supervisor below it is restarted by that one; the minder hears nothing of it.
    scene.below.tell(crash()).expect("there is room");
    assert_eq!(life(&scene.below).await, 2);
    assert_eq!(scene.ups().await, ["leaf"]);
    assert_eq!(scene.minder.id().incarnation(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_restarts_its_children_by_its_own_policy() {
    // Of three that crash together two may start at a time; addresses stay good, and what waits is kept.
    let mut scene = Scene::new(2, 1).await;
    scene.ups().await;
    for replica in &scene.replicas {
        replica.tell(crash()).expect("there is room");
        replica.tell(Msg::Mark(7)).expect("there is room");
    }
    turns().await;
    let lines = scene.reader.rest();
    for name in ["r0", "r1", "r2"] {
        let of_it: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix(name)).collect();
        assert_eq!(of_it, [" of 4", " up", " 7"], "{lines:?}");
    }
    assert_eq!(scene.minder.id().incarnation(), 1);
    // A supervisor of ours would have given up long ago: it does not count.
    for lives in 3..40 {
        scene.replicas[0].tell(crash()).expect("there is room");
        assert_eq!(life(&scene.replicas[0]).await, lives);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_quorum_it_gives_up_and_its_supervisor_starts_it_again() {
    let mut scene = Scene::new(4, 4).await;
    scene.ups().await;
    scene.replicas[1].tell(crash()).expect("there is room");
    // The others are stopped with it, the tree below too, and all come up under its next life, in the same seats.
    let mut ups = scene.ups().await;
    ups.sort();
    assert_eq!(ups, ["leaf", "r0", "r1", "r2"]);
    assert_eq!(scene.minder.id().incarnation(), 2);
    for replica in &scene.replicas {
        assert_eq!(life(replica).await, 2);
    }
    assert_eq!(
        scene.system.living(),
        8,
        "top, before, the minder, three replicas, the tree below and its leaf"
    );
}

#[tokio::test(start_paused = true)]
async fn killed_it_leaves_no_orphans() {
    let mut scene = Scene::new(4, 2).await;
    scene.ups().await;
    for lives in 2..5 {
        assert!(scene.minder.kill());
        let mut ups = scene.ups().await;
        ups.sort();
        assert_eq!(ups, ["leaf", "r0", "r1", "r2"]);
        assert_eq!((scene.minder.id().incarnation(), scene.system.living()), (lives, 8));
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_stopped_in_order_like_a_supervisor() {
    let scene = Scene::new(4, 1).await;
    let (report, lines) = scene.end().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(
        lines,
        [
            "leaf stopping shutdown",
            "r2 stopping shutdown",
            "r1 stopping shutdown",
            "r0 stopping shutdown",
            "before stopping shutdown"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_of_it_that_fails_is_told_like_any_other() {
    let system = system();
    let (journal, mut reader) = journal();
    let children: Arc<[Child]> = Arc::new([
        actor("well", move || Puppet::new("well", &journal).trapping()),
        actor("ill", || Err::<Puppet, ExitReason>(Plain("none").into())),
    ]);
    let spec = one_for_one().child(actor("replicas", move || Replicas::new(&children, 1, 2)));
    let reason = spec.start(&system, "top").await.expect_err("one of them does not start").to_string();
    assert!(reason.contains("error: none"), "{reason}");
    turns().await;
    assert_eq!(reader.rest(), ["well up", "well stopping error: none"]);
    assert_eq!(system.living(), 0);
}
