//! Actors that are not `Send`: on a thread of the system's, on a local set of the caller's, and in the simulator, under
//! the same supervisors and by the same rules as others.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::ThreadId;
use std::time::Duration;

use minder::prelude::*;
use minder::{ChildEvent, LocalHost, Missed, StartError, Stream};
use minder_fault_injection::sim::{Policy, Sim};
use minder_fault_injection::testkit::Trial;
use tokio::task::LocalSet;

use crate::support::*;

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

type Deed<'a> = Pin<Box<dyn Future<Output = Handled> + 'a>>;
type Act = Box<dyn for<'a> FnOnce(&'a mut Hermit, &'a mut Context<Order>) -> Deed<'a> + Send>;

enum Order {
    Do(Act),
    Mark(u32),
    /// Which thread, and which life.
    Where(Reply<(ThreadId, u32)>),
}

/// An actor that cannot leave its thread, with a journal.
struct Hermit {
    journal: Journal,
    marks: Rc<RefCell<Vec<u32>>>,
}

impl Hermit {
    fn new(journal: &Journal) -> Self {
        Self { journal: journal.clone(), marks: Rc::default() }
    }
}

impl LocalActor for Hermit {
    type Msg = Order;

    async fn started(&mut self, _: &mut Context<Order>) -> Handled {
        self.journal.note("it up");
        Ok(())
    }

    async fn handle(&mut self, order: Order, context: &mut Context<Order>) -> Handled {
        let marks = self.marks.clone();
        match order {
            Order::Do(act) => return act(self, context).await,
            Order::Mark(mark) => {
                context.sleep(ms(1)).await; // with an `Rc` in hand
                marks.borrow_mut().push(mark);
                self.journal.note(format!("it {:?}", marks.borrow()));
            }
            Order::Where(reply) => {
                let here = (std::thread::current().id(), context.id().incarnation());
                assert!(reply.send(here).is_ok(), "somebody asked");
            }
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<Order>) -> Handled {
        match notice {
            Notice::Exit(exit) => self.journal.note(format!("it exit {}", short(&exit.reason))),
            Notice::Down(down) => self.journal.note(format!("it down {}", short(&down.reason))),
            Notice::Child(news) => match news.event {
                ChildEvent::Started => self.journal.note("it child started"),
                ChildEvent::StartFailed(reason) => self.journal.note(format!("it child failed {reason}")),
                _ => self.journal.note("it child ended"),
            },
            Notice::Stream(over) => self.journal.note(format!("it stream over {}", short(&over.reason))),
            _ => {}
        }
        Ok(())
    }

    async fn stopping(&mut self, reason: &ExitReason, _: &mut Context<Order>) {
        self.journal.note(format!("it stopping {}", short(reason)));
    }
}

impl Drop for Hermit {
    fn drop(&mut self) {
        self.journal.note("it dropped");
    }
}

/// Do this.
fn order(
    act: impl for<'a> FnOnce(&'a mut Hermit, &'a mut Context<Order>) -> Deed<'a> + Send + 'static,
) -> Order {
    Order::Do(Box::new(act))
}

/// Runs a test on a local set with its time paused, and in the simulator.
fn on_every_host<F: Future<Output = ()>>(test: impl Fn(System, LocalHost, Journal, Reader) -> F) {
    let begin = |set: Option<&LocalSet>| {
        let (journal, reader) = journal();
        let system = listening(&journal);
        let host = match set {
            Some(set) => system.local_host_in(set),
            None => system.local_host("simulated").expect("a name and no thread"),
        };
        test(system, host, journal, reader)
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
    let set = LocalSet::new();
    runtime.block_on(set.run_until(async { begin(Some(&set)).await }));
    for policy in [Policy::Fifo].into_iter().chain((0..10).map(Policy::Seeded)) {
        let run = Sim::new(policy).run(|_| async { begin(None).await });
        if let Err(error) = &run.result {
            panic!("{policy:?}: {error}\n{}", run.story(40));
        }
        assert!(run.leaked.is_empty(), "{policy:?}: {:?}", run.leaked);
    }
}

/// A hermit under a supervisor of its own that tolerates many restarts.
async fn minded_at(system: &System, host: &LocalHost, journal: &Journal) -> Addr<Order> {
    let (address, seat) = system.address();
    let journal = journal.clone();
    let child = local_actor_in("it", seat, move || Hermit::new(&journal)).on(host);
    tolerant(one_for_one()).child(child).start(system, "top").await.expect("a hermit starts");
    address
}

#[test]
fn a_life_that_ends_is_followed_by_another_behind_the_same_address() {
    type Ending = fn() -> Order;
    let rows: [(Option<Ending>, &str, &[&str]); 5] = [
        (None, "killed", &[]),
        (Some(|| order(|_, _| Box::pin(async { panic!("boom") }))), "panic boom", &[]),
        (
            Some(|| {
                order(|_, context| {
                    Box::pin(async {
                        context.sleep(ms(1)).await;
                        panic!("later")
                    })
                })
            }),
            "panic later",
            &[],
        ),
        (
            Some(|| order(|_, _| Box::pin(async { Err(Plain("no").into()) }))),
            "error: no",
            &["it stopping error: no"],
        ),
        (
            Some(|| {
                order(|_, context| {
                    context.stop(ExitReason::Normal);
                    Box::pin(async { Ok(()) })
                })
            }),
            "normal",
            &["it stopping normal"],
        ),
    ];
    for (ending, reason, cleaning) in rows {
        on_every_host(|system, host, journal, mut reader| async move {
            let it = minded_at(&system, &host, &journal).await;
            let watchers = journal.clone();
            let watcher = system.spawn(move || Puppet::new("watcher", &watchers)).expect("open");
            let watched = it.clone();
            watcher
                .tell(act(move |_, context| {
                    context.monitor(&watched);
                    Ok(())
                }))
                .expect("there is room");
            reader.expect(&["it up", "watcher up"]).await;
            let in_hand = Witness(journal.clone(), "handler gone");
            it.tell(Order::Mark(1)).expect("there is room");
            reader.expect(&["it [1]"]).await;
            it.tell(order(move |hermit, context| {
                Box::pin(async move {
                    let _in_hand = (in_hand, hermit.marks.clone());
                    context.sleep(ms(20)).await;
                    match ending {
                        Some(ending) => match ending() {
                            Order::Do(ending) => ending(hermit, context).await,
                            _ => Ok(()),
                        },
                        None => std::future::pending().await,
                    }
                })
            }))
            .expect("there is room");
            let kept = it.ask(Order::Where);
            let kill = async {
                pass(ms(30)).await;
                if ending.is_none() {
                    assert!(it.kill());
                }
            };
            let (answer, ()) = tokio::join!(kept, kill);
            assert_eq!(answer.expect("the next life answers").1, 2);
            reader.expect(&["handler gone"]).await;
            reader.expect(cleaning).await;
            reader.expect(&["it dropped"]).await;
            let mut heard = [reader.next().await, reader.next().await];
            heard.sort();
            assert_eq!(heard, ["it up".to_owned(), format!("watcher down {reason}")]);
            assert!(it.statistics().is_conserved());
            it.kill();
            reader.expect(&["it dropped", "it up"]).await;
            // Its state is gone.
            it.tell(Order::Mark(7)).expect("there is room");
            reader.expect(&["it [7]"]).await;
            assert!(system.shutdown(SECOND).await.is_clean());
            assert_eq!(system.living(), 0);
        });
    }
}

#[test]
fn whoever_asks_learns_what_became_of_it() {
    on_every_host(|system, host, journal, _reader| async move {
        let it = minded_at(&system, &host, &journal).await;
        let asked = it.ask(|reply: Reply<u32>| {
            order(move |_, _| {
                Box::pin(async move {
                    let _reply = reply;
                    panic!("boom")
                })
            })
        });
        assert!(matches!(asked.await, Err(AskError::Crashed(_))));
        let asked = it.ask(|reply: Reply<u32>| {
            order(move |_, _| {
                drop(reply);
                Box::pin(async { Ok(()) })
            })
        });
        assert!(matches!(asked.await, Err(AskError::NoReply)));
    });
}

#[test]
fn links_and_monitors_join_local_actors_and_others() {
    on_every_host(|system, host, journal, mut reader| async move {
        let (its, others) = (journal.clone(), journal.clone());
        let it = host.spawn(move || Hermit::new(&its)).expect("open");
        reader.expect(&["it up"]).await;
        let other = system.spawn(move || Puppet::new("other", &others)).expect("open");
        reader.expect(&["other up"]).await;
        let to = other.clone();
        it.tell(order(move |_, context| {
            context.trap_exit(true);
            let linked = context.link(&to);
            context.monitor(&to);
            Box::pin(async { linked })
        }))
        .expect("there is room");
        pass(ms(10)).await;
        other.tell(crash()).expect("there is room");
        let mut heard = [reader.next().await, reader.next().await];
        heard.sort();
        assert_eq!(heard, ["it down panic boom", "it exit panic boom"]);
        // And the other way round.
        let others = journal.clone();
        let other = system.spawn(move || Puppet::new("other", &others).trapping()).expect("open");
        let to = it.clone();
        other.tell(act(move |_, context| context.link(&to))).expect("there is room");
        reader.expect(&["other up"]).await;
        pass(ms(10)).await;
        it.kill();
        reader.expect(&["it dropped", "other exit killed"]).await;
    });
}

struct Count(u32);

impl Stream for Count {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<u32>> {
        self.0 += 1;
        std::task::Poll::Ready((self.0 < 3).then_some(self.0))
    }
}

#[test]
fn its_day_is_that_of_others() {
    on_every_host(|system, host, journal, mut reader| async move {
        let its = journal.clone();
        let it = host.spawn(move || Hermit::new(&its)).expect("open");
        it.tell(order(|_, context| {
            Box::pin(async move {
                context.attach(Count(0), Order::Mark);
                context.sleep(ms(10)).await;
                context.run("job", async { 10 }, |result| Order::Mark(result.unwrap_or(0)));
                context.sleep(ms(10)).await;
                context.send_after(ms(30), Order::Mark(20));
                context.send_every(ms(50), Missed::Skip, || Order::Mark(30));
                Ok(())
            })
        }))
        .expect("there is room");
        pass(ms(140)).await;
        let lines = reader.rest();
        let its: Vec<&str> = lines.iter().map(String::as_str).filter(|line| line.contains('[')).collect();
        assert_eq!(
            its,
            [
                "it [1]",
                "it [1, 2]",
                "it [1, 2, 10]",
                "it [1, 2, 10, 20]",
                "it [1, 2, 10, 20, 30]",
                "it [1, 2, 10, 20, 30, 30]"
            ]
        );
        assert!(lines.contains(&"it stream over normal".to_owned()), "{lines:?}");
        assert!(system.shutdown(SECOND).await.is_clean());
    });
}

/// A supervisor that restarts all its children restarts those on other threads with them, in order.
#[test]
fn a_group_of_both_kinds_is_restarted_together() {
    on_every_host(|system, host, journal, mut reader| async move {
        let (first, seat) = system.address();
        let (its, last) = (journal.clone(), journal.clone());
        let tree = tolerant(one_for_all())
            .child(actor_in("first", seat, {
                let journal = journal.clone();
                move || Puppet::new("first", &journal).telling_drop()
            }))
            .child(local_actor("it", move || Hermit::new(&its)).on(&host))
            .child(actor("last", move || Puppet::new("last", &last).telling_drop()));
        tree.start(&system, "top").await.expect("starts");
        let all = ["first up", "it up", "last up"];
        reader.expect(&all).await;
        first.tell(crash()).expect("there is room");
        reader.expect(&["first dropped", "last dropped", "it dropped"]).await;
        reader.expect(&all).await;
        assert!(system.shutdown(SECOND).await.is_clean());
        reader.expect(&["last dropped", "it dropped", "first dropped"]).await;
    });
}

/// A start that fails in the factory, or in the actor, is a failed start.
#[test]
fn a_factory_that_fails_is_a_failed_start() {
    on_every_host(|system, host, _journal, _reader| async move {
        type Made = Result<Hermit, Plain>;
        let rows: [fn() -> Made; 2] = [|| Err(Plain("none")), || panic!("none")];
        for make in rows {
            let child = local_actor("it", make).on(&host);
            let started = one_for_one().child(child).start(&system, "top").await;
            let reason = started.expect_err("there is no actor").to_string();
            assert!(reason.contains("none"), "{reason}");
            assert_eq!(system.living(), 0);
        }
    });
}

#[test]
fn in_the_simulator_it_runs_in_the_simulators_thread_and_the_same_every_time() {
    let code = |_| async {
        let (journal, _reader) = journal();
        let system = system();
        let host = system.local_host("ui").expect("a name and no thread");
        let own = system.spawn_local({
            let journal = journal.clone();
            move || Hermit::new(&journal)
        });
        let its = minded_at(&system, &host, &journal).await;
        let here = std::thread::current().id();
        for hermit in [&own.expect("open"), &its] {
            assert_eq!(hermit.ask(Order::Where).await.expect("it answers").0, here);
        }
        for mark in 0..20 {
            its.tell(Order::Mark(mark)).expect("there is room");
        }
        pass(ms(5)).await;
        its.kill();
        pass(SECOND).await;
        assert!(its.statistics().is_conserved());
    };
    for seed in 0..20 {
        let sim = Sim::seeded(seed);
        let (one, other) = (sim.run(code), sim.run(code));
        one.result.unwrap_or_else(|error| panic!("{seed}: {error}"));
        assert_eq!((one.hash, one.steps), (other.hash, other.steps), "{seed}");
        assert!(one.leaked.is_empty() && one.stops.iter().all(|stop| stop.is_clean()), "{seed}");
    }
}

/// Kills at every millisecond, by several schedules: every message is accounted for, and nobody is left.
#[test]
fn killed_at_any_time() {
    for seed in 0..5 {
        for at in 0..25 {
            let run = Sim::seeded(seed).run(|world| async move {
                let (journal, mut reader) = journal();
                let system = system();
                let host = system.local_host("ui").expect("a name and no thread");
                let it = minded_at(&system, &host, &journal).await;
                for mark in 0..20 {
                    it.tell(Order::Mark(mark)).expect("there is room");
                }
                world.advance(ms(at)).await;
                it.kill();
                pass(SECOND).await;
                let counted = it.statistics();
                assert!(counted.is_conserved() && counted.queued == 0, "{counted:?}");
                assert!(counted.crashed <= 1 && counted.crashed + counted.handled == 20, "{counted:?}");
                let lines = reader.rest();
                assert_eq!(lines.iter().filter(|line| *line == "it dropped").count(), 1, "{lines:?}");
            });
            run.result.unwrap_or_else(|error| panic!("{seed} {at}: {error}"));
            assert!(run.leaked.is_empty());
        }
    }
}

/// The test kit and its faults reach them like others.
#[test]
fn they_can_be_crashed_by_a_test() {
    Trial::named("a local actor is crashed").seeds(10).run(|kit| async move {
        let (journal, mut reader) = journal();
        let child = local_actor("it", move || Hermit::new(&journal));
        kit.start(tolerant(one_for_one()).child(child)).await;
        kit.crash("app/it").await;
        kit.kill("app/it").await;
        assert_eq!(kit.generation("app/it"), 3);
        reader.expect(&["it up", "it dropped", "it up", "it dropped", "it up"]).await;
    });
}

// --- hosts ---------------------------------------------------------------------------------------------------------

/// Says that its thread has ended.
struct LastWords(mpsc::Sender<()>);

impl Drop for LastWords {
    fn drop(&mut self) {
        // Nobody listens any more: fine.
        let _ = self.0.send(());
    }
}

thread_local! {
    static LAST_WORDS: RefCell<Option<LastWords>> = const { RefCell::new(None) };
}

/// Leaves last words with the thread of this actor.
fn leave(words: mpsc::Sender<()>) -> Order {
    order(move |_, _| {
        LAST_WORDS.with(|place| *place.borrow_mut() = Some(LastWords(words)));
        Box::pin(async { Ok(()) })
    })
}

fn on_threads<F: Future<Output = ()>>(test: F) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_time().build().expect("a runtime").block_on(test);
}

/// The system's threads are named, are made when they are needed, host all the lives of their actors from the factory to
/// the drop, and have ended when the shutdown has.
#[test]
fn a_thread_of_the_systems_ends_with_it() {
    struct Pinned(ThreadId);

    impl LocalActor for Pinned {
        type Msg = Reply<(ThreadId, Option<String>)>;

        async fn handle(&mut self, reply: Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
            let thread = std::thread::current();
            assert_eq!(thread.id(), self.0);
            context.sleep(ms(1)).await;
            assert_eq!(std::thread::current().id(), self.0);
            drop(reply.send((self.0, thread.name().map(str::to_owned))));
            Ok(())
        }

        async fn stopping(&mut self, _: &ExitReason, _: &mut Context<Self::Msg>) {
            assert_eq!(std::thread::current().id(), self.0);
        }
    }

    impl Drop for Pinned {
        fn drop(&mut self) {
            assert_eq!(std::thread::current().id(), self.0, "dropped where it was made");
        }
    }

    on_threads(async {
        let (journal, mut reader) = journal();
        let system = system();
        let ui = system.local_host("ui").expect("a thread");
        let make = || Pinned(std::thread::current().id());
        let (first, seat) = system.address();
        let (second, other_seat) = system.address();
        let (hermit, third_seat) = system.address();
        let tree = tolerant(one_for_one())
            .child(local_actor_in("first", seat, make).on(&ui))
            .child(local_actor_in("second", other_seat, make))
            .child(local_actor_in("third", third_seat, {
                let journal = journal.clone();
                move || Hermit::new(&journal)
            }));
        tree.start(&system, "top").await.expect("starts");
        let ask = async |of: &Addr<Reply<(ThreadId, Option<String>)>>| {
            of.ask(|reply| reply).await.expect("it answers")
        };
        let (before, name) = ask(&first).await;
        assert_eq!(name.as_deref(), Some("ui"));
        let (own, name) = ask(&second).await;
        assert_eq!(name.as_deref(), Some("minder-local"));
        assert!(before != own && own == hermit.ask(Order::Where).await.expect("it answers").0);
        first.kill();
        assert_eq!(ask(&first).await.0, before, "the next life is lived there too");
        // A child of a local actor, on its own thread and on another.
        let its = journal.clone();
        hermit
            .tell(order(move |_, context| {
                Box::pin(async move {
                    let (near, far) = (its.clone(), its);
                    context.spawn_local("near", None, move || Hermit::new(&near))?;
                    context.spawn_local("far", Some(&ui), move || Hermit::new(&far))?;
                    Ok(())
                })
            }))
            .expect("there is room");
        let mut heard = Vec::new();
        while heard.len() < 5 {
            heard.push(reader.next().await);
        }
        heard.sort();
        assert_eq!(heard, ["it child started", "it child started", "it up", "it up", "it up"]);
        let (words, last) = mpsc::channel();
        hermit.tell(leave(words)).expect("there is room");
        hermit.ask(Order::Where).await.expect("it answers");
        assert!(last.try_recv().is_err());
        assert!(system.shutdown(10 * SECOND).await.is_clean());
        assert_eq!(system.living(), 0);
        assert_eq!(last.try_recv(), Ok(()), "its thread has ended");
        let late = system.spawn_local(|| Pinned(std::thread::current().id()));
        assert_eq!(late.err(), Some(StartError::ShuttingDown));
    });
}

/// A tokio runtime that is dropped takes the threads along.
#[test]
fn a_thread_ends_with_its_runtime() {
    let (words, last) = mpsc::channel();
    let (journal, _reader) = journal();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
    let (system, it) = runtime.block_on(async {
        let system = system();
        let it = system.spawn_local(move || Hermit::new(&journal)).expect("open");
        it.tell(leave(words)).expect("there is room");
        it.ask(Order::Where).await.expect("it answers");
        (system, it)
    });
    drop(runtime);
    assert_eq!(last.recv(), Ok(()));
    assert!(!it.is_alive());
    assert_eq!(system.living(), 0, "and its life is accounted for");
}

/// A local set that is dropped ends the lives on it, and nobody waits for them in vain.
#[tokio::test(start_paused = true)]
async fn a_set_that_is_dropped_ends_the_lives_on_it() {
    let (journal, mut reader) = journal();
    let system = system();
    let set = LocalSet::new();
    let host = system.local_host_in(&set);
    let (watched, watchers) = (journal.clone(), journal.clone());
    let it = host.spawn(move || Hermit::new(&watched)).expect("open");
    set.run_until(reader.expect(&["it up"])).await;
    let watcher = system.spawn(move || Puppet::new("watcher", &watchers)).expect("open");
    let held = Witness(journal.clone(), "job gone");
    it.tell(order(|_, context| {
        context.run("job", std::future::pending::<()>(), move |_| {
            drop(held);
            Order::Mark(0)
        });
        Box::pin(async { Ok(()) })
    }))
    .expect("there is room");
    set.run_until(turns()).await;
    let to = it.clone();
    watcher
        .tell(act(move |_, context| {
            context.monitor(&to);
            context.monitor_final(&to);
            Ok(())
        }))
        .expect("there is room");
    reader.expect(&["watcher up"]).await;
    turns().await;
    // One that has not begun yet, too.
    let unborn = journal.clone();
    let unborn = host.spawn(move || Hermit::new(&unborn)).expect("open");
    let asked = aside(async move { it.ask(Order::Where).await });
    turns().await;
    drop(set);
    let mut heard = [reader.next().await, reader.next().await, reader.next().await, reader.next().await];
    heard.sort();
    assert_eq!(heard[..2], ["it dropped", "job gone"]);
    assert!(heard[2].starts_with("watcher down") && heard[3].starts_with("watcher down"), "{heard:?}");
    assert!(soon(asked).await.expect("no panic").is_err());
    assert!(soon(unborn.ended()).await.to_string().contains("local set"));
    assert_eq!(system.living(), 1, "the watcher");
    // A supervisor that wants to start there gives up.
    let child = local_actor("it", move || Hermit::new(&journal)).on(&host);
    let started = one_for_one().child(child).start(&system, "top").await;
    assert!(started.expect_err("there is no host").to_string().contains("local set"));
    assert!(system.shutdown(SECOND).await.is_clean());
}

/// A supervised life on a set that is dropped is an exit like any other, and its supervisor ends when it cannot restart it.
#[tokio::test(start_paused = true)]
async fn its_supervisor_hears_of_it() {
    let (journal, mut reader) = journal();
    let system = system();
    let set = LocalSet::new();
    let host = system.local_host_in(&set);
    let its = journal.clone();
    let child = local_actor("it", move || Hermit::new(&its)).on(&host);
    let start = one_for_one().limit(3, SECOND).child(child).start(&system, "top");
    let root = set.run_until(start).await.expect("starts");
    reader.expect(&["it up"]).await;
    drop(set);
    assert_eq!(soon(root.ended()).await, ExitReason::Shutdown, "it gave up");
    assert_eq!(system.living(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_host_is_of_one_system() {
    let (journal, _reader) = journal();
    let (system, other) = (system(), system());
    let set = LocalSet::new();
    let host = other.local_host_in(&set);
    let child = local_actor("it", move || Hermit::new(&journal)).on(&host);
    let started = set.run_until(one_for_one().child(child).start(&system, "top")).await;
    assert!(started.expect_err("of another system").to_string().contains("another system"));
}
