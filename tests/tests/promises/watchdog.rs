//! An actor that does not yield is told of while it goes on, by whoever it is and whatever it is at, and when it is over. One
//! that awaits is not. Nothing here waits for a time to pass: code stands still until the test has heard of it.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{self, Poll};
use std::time::Duration;

use minder::prelude::*;
use minder::{Event, Observer, Stream};
use minder_fault_injection::sim::Sim;

use crate::support::*;

/// So short that a test is over soon. On a busy machine others may pass it as well: tests look at what they are about.
const LIMIT: Duration = Duration::from_millis(20);

/// For tests of who is not told of.
const LONGER: Duration = Duration::from_millis(200);

/// Code stands still at it until its key is turned or lost.
#[derive(Clone)]
struct Gate(Arc<Mutex<mpsc::Receiver<()>>>);

type Key = mpsc::Sender<()>;

fn gate() -> (Key, Gate) {
    let (key, gate) = mpsc::channel();
    (key, Gate(Arc::new(Mutex::new(gate))))
}

impl Gate {
    fn pass(&self) {
        // Should nobody be told of it, the test fails instead of standing still with it.
        let turned = self.0.lock().expect("nobody panics at it").recv_timeout(60 * SECOND);
        assert_ne!(turned, Err(mpsc::RecvTimeoutError::Timeout));
    }
}

/// Writes down who stands still, and since it is told in the same order what ends.
struct Stalls(Journal);

impl Observer for Stalls {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Stalled { path, id, work, thread, lasts } => {
                assert!(*lasts >= LIMIT, "{lasts:?}");
                let thread = thread.name().unwrap_or("?");
                self.0.note(format!("{path} {id} stalls at {} on {thread}", last(work)));
            }
            Event::StallOver { path, id, work, lasted, .. } => {
                assert!(*lasted >= LIMIT, "{lasted:?}");
                self.0.note(format!("{path} {id} goes on after {}", last(work)));
            }
            Event::Exited { path, reason, .. } if reason.is_abnormal() => {
                self.0.note(format!("{path} ended: {}", short(reason)))
            }
            _ => {}
        }
    }
}

/// The name of a type without its modules.
fn last(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

fn watched(journal: &Journal, limit: Duration) -> System {
    let observer = Arc::new(Stalls(journal.clone()));
    System::builder().observer(observer).watchdog(limit).build().expect("a runtime, and a thread")
}

impl Reader {
    /// The next line of somebody by name that says this.
    async fn line(&mut self, name: &str, says: &str) -> String {
        let found = async {
            loop {
                let line = self.next().await;
                if line.starts_with(name) && line.contains(says) {
                    return line;
                }
            }
        };
        let found = tokio::time::timeout(60 * SECOND, found).await;
        found.unwrap_or_else(|_| panic!("nothing is told of `{name}` with `{says}`"))
    }

    /// How many lines say this among those that nobody has read.
    fn rest_with(&mut self, says: &str) -> usize {
        self.rest().iter().filter(|line| line.contains(says)).count()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Factory,
    Start,
    Handler,
    Request,
    Stop,
    Drop,
    Job,
    Stream,
}

/// Stands still at one place in its life.
struct Stubborn {
    at: At,
    gate: Gate,
}

enum Go {
    Go,
    Over,
}

impl Stubborn {
    fn new(at: At, gate: Gate) -> Self {
        let made = Self { at, gate };
        made.comes(At::Factory);
        made
    }

    fn comes(&self, at: At) {
        if self.at == at {
            self.gate.pass();
        }
    }
}

impl Actor for Stubborn {
    type Msg = Go;

    async fn started(&mut self, _: &mut Context<Go>) -> Handled {
        self.comes(At::Start);
        Ok(())
    }

    async fn handle(&mut self, message: Go, context: &mut Context<Go>) -> Handled {
        let Go::Go = message else { return Ok(()) };
        let gate = self.gate.clone();
        match self.at {
            At::Job => _ = context.run("lookup", async move { gate.pass() }, |_| Go::Over),
            At::Stream => _ = context.attach(Held(gate), |()| Go::Over),
            At::Stop | At::Drop => context.stop(ExitReason::Normal),
            _ => self.comes(At::Handler),
        }
        Ok(())
    }

    fn format_status(&self) -> Option<String> {
        self.comes(At::Request);
        None
    }

    async fn stopping(&mut self, _: &ExitReason, _: &mut Context<Go>) {
        self.comes(At::Stop);
    }
}

impl Drop for Stubborn {
    fn drop(&mut self) {
        self.comes(At::Drop);
    }
}

/// A stream that is at its end, once it has been let.
struct Held(Gate);

impl Stream for Held {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<()>> {
        self.0.pass();
        Poll::Ready(None)
    }
}

/// (where it stands still, what is said to hold it up)
const ROWS: [(At, &str); 8] = [
    (At::Factory, "start"),
    (At::Start, "start"),
    (At::Handler, "Go"),
    (At::Request, "Go"),
    (At::Stop, "Go"),
    (At::Drop, "Go"),
    (At::Job, "lookup"),
    (At::Stream, "stream"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_does_not_yield_is_told_of_while_it_goes_on_and_when_it_is_over() {
    for (at, work) in ROWS {
        let (journal, mut reader) = journal();
        let system = watched(&journal, LIMIT);
        let (key, gate) = gate();
        let (it, seat) = system.address();
        let (within, asked) = (system.clone(), it.clone());
        let start = aside(async move {
            let started = within.start(seat, "it", move || Stubborn::new(at, gate)).await;
            if at == At::Request {
                asked.sys().status().await.expect("it is there and answers");
            }
            started
        });
        it.tell(Go::Go).expect("there is room");
        let told = reader.line("it ", &format!("stalls at {work}")).await;
        assert_eq!(told, format!("it {} stalls at {work} on tokio-rt-worker", it.id()), "{at:?}");
        drop(key);
        let told = reader.line("it ", &format!("goes on after {work}")).await;
        assert_eq!(told, format!("it {} goes on after {work}", it.id()), "{at:?}");
        // It was not harmed.
        assert!(start.await.expect("the system does not panic").is_ok(), "{at:?}");
        if matches!(at, At::Stop | At::Drop) {
            assert_eq!(it.ended().await, ExitReason::Normal, "{at:?}");
        }
        let lives = it.is_alive();
        assert!(system.shutdown(60 * SECOND).await.is_clean(), "{at:?}");
        assert_eq!(lives, !matches!(at, At::Stop | At::Drop), "{at:?}");
    }
}

/// Stands still in a handler.
fn blocks(gate: &Gate) -> Msg {
    let gate = gate.clone();
    act(move |_, _| {
        gate.pass();
        Ok(())
    })
}

/// It is known what holds the kill up, and the kill is obeyed then. That the actor has ended keeps nobody from hearing that it
/// holds nothing up any more.
/// OTP: SIG-017.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_waits_for_an_actor_that_is_known_to_stand_still() {
    let (journal, mut reader) = journal();
    let system = watched(&journal, LIMIT);
    let it = named(&system, "it").await;
    let (key, gate) = gate();
    it.tell(blocks(&gate)).expect("there is room");
    reader.line("it ", "stalls at Msg").await;
    assert!(it.kill());
    assert!(it.is_alive(), "it does not yield");
    drop(key);
    assert_eq!(soon(it.ended()).await, ExitReason::Killed);
    // Told by two threads, each in its time.
    let mut rest = [reader.line("it ", "").await, reader.line("it ", "").await];
    rest.sort();
    assert_eq!(rest, [format!("it {} goes on after Msg", it.id()), "it ended: killed".to_owned()]);
}

/// Each on a thread of its own, and no thread is left. They handle nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_several_is_told_of_once() {
    let (journal, mut reader) = journal();
    let system = watched(&journal, LIMIT);
    let (one, other) = (named(&system, "one").await, named(&system, "other").await);
    let ((key, gate), (other_key, other_gate)) = (gate(), self::gate());
    one.tell(blocks(&gate)).expect("there is room");
    reader.line("one ", "stalls at Msg").await;
    other.tell(blocks(&other_gate)).expect("there is room");
    assert_eq!(
        reader.line("", "stalls at Msg").await,
        format!("other {} stalls at Msg on tokio-rt-worker", other.id())
    );
    drop(other_key);
    assert_eq!(reader.line("", " Msg").await, format!("other {} goes on after Msg", other.id()));
    drop(key);
    assert_eq!(reader.line("", " Msg").await, format!("one {} goes on after Msg", one.id()));
}

/// What it awaits lasts until two others have been told of, one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_awaits_is_not_told_of_nor_who_is_not_asked_about() {
    let (journal, mut reader) = journal();
    let (unasked, mut silent) = self::journal();
    let system = watched(&journal, LONGER);
    let observer = Arc::new(Stalls(unasked));
    let plain = System::builder().observer(observer).build().expect("a runtime");
    let (patient, stuck, other) =
        (named(&system, "patient").await, named(&system, "stuck").await, named(&plain, "other").await);
    let (go_on, gone_on) = tokio::sync::oneshot::channel();
    let waiting = journal.clone();
    let awaits = wait(move |_, _| {
        waiting.note("patient awaits");
        Box::pin(async move { gone_on.await.map_err(ExitReason::error) })
    });
    patient.tell(awaits).expect("there is room");
    reader.until("patient awaits").await;
    let (other_key, other_gate) = gate();
    other.tell(blocks(&other_gate)).expect("there is room");
    for _ in 0..2 {
        let (key, gate) = gate();
        stuck.tell(blocks(&gate)).expect("there is room");
        assert!(reader.line("", " Msg").await.starts_with(&format!("stuck {} stalls", stuck.id())));
        drop(key);
        assert!(reader.line("", " Msg").await.starts_with(&format!("stuck {} goes on", stuck.id())));
    }
    go_on.send(()).expect("it waits for it");
    assert_eq!(life(&patient).await, 1);
    drop(other_key);
    assert_eq!((life(&other).await, reader.rest_with(" Msg"), silent.rest_with("stalls")), (1, 0, 0));
}

/// Stands still on the thread that it lives on, or leaves that to a thread which may.
struct Hermit(std::rc::Rc<Gate>);

impl LocalActor for Hermit {
    type Msg = bool;

    async fn handle(&mut self, blocking: bool, context: &mut Context<bool>) -> Handled {
        let gate = (*self.0).clone();
        if blocking {
            context.blocking(move || gate.pass()).await;
        } else {
            gate.pass();
        }
        Ok(())
    }
}

/// Its thread is known by name, and the closures that it leaves to threads which may block are not told of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_actors_are_told_of_and_blocking_closures_are_not() {
    let (journal, mut reader) = journal();
    let system = watched(&journal, LONGER);
    let ((key, gate), (other_key, other_gate)) = (gate(), gate());
    let host = system.local_host("cave").expect("a thread");
    let it = host.spawn(move || Hermit(std::rc::Rc::new(gate))).expect("open");
    let other = host.spawn(move || Hermit(std::rc::Rc::new(other_gate))).expect("open");
    other.send(true).await.expect("there is room");
    it.send(false).await.expect("there is room");
    assert!(reader.line("", " bool").await.ends_with(&format!("{} stalls at bool on cave", it.id())));
    drop(key);
    assert!(reader.line("", " bool").await.ends_with(&format!("{} goes on after bool", it.id())));
    drop(other_key);
    assert!(system.shutdown(60 * SECOND).await.is_clean());
    assert_eq!(reader.rest_with("stalls at bool"), 0);
}

/// Turns a key when somebody stands still at a message.
struct Turns(Mutex<Option<Key>>);

impl Observer for Turns {
    fn event(&self, event: &Event<'_>) {
        if let Event::Stalled { work, .. } = event
            && last(work) == "Msg"
        {
            drop(self.0.lock().expect("nobody panics").take());
        }
    }
}

/// There is one thread, which stands still, and with it tokio's time.
#[tokio::test(start_paused = true)]
async fn it_is_told_when_everything_else_stands_still() {
    somebody_is_told_of().await;
}

async fn somebody_is_told_of() {
    let (key, gate) = gate();
    let observer = Arc::new(Turns(Mutex::new(Some(key))));
    let system = System::builder().observer(observer).watchdog(LIMIT).build().expect("a runtime");
    let it = named(&system, "it").await;
    it.tell(blocks(&gate)).expect("there is room");
    assert_eq!(life(&it).await, 1);
}

thread_local! {
    static LAST_WORDS: RefCell<Option<Witness>> = const { RefCell::new(None) };
}

/// Has the thread of the watchdog say when it ends.
struct Thread(Journal);

impl Observer for Thread {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Stalled { work, .. } => {
                let words = || Witness(self.0.clone(), "the thread has ended");
                LAST_WORDS.with(|place| _ = place.borrow_mut().get_or_insert_with(words));
                self.0.note(format!("stalls at {}", last(work)));
            }
            Event::StallOver { work, .. } => self.0.note(format!("goes on after {}", last(work))),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_thread_ends_with_a_shutdown_or_with_the_system() {
    for shuts_down in [true, false] {
        let (journal, mut reader) = journal();
        let observer = Arc::new(Thread(journal.clone()));
        let system = System::builder().observer(observer).watchdog(LIMIT).build().expect("a runtime");
        let it = named(&system, "it").await;
        let (key, gate) = gate();
        it.tell(blocks(&gate)).expect("there is room");
        reader.line("stalls at Msg", "").await;
        drop(key);
        reader.line("goes on after Msg", "").await;
        if shuts_down {
            system.shutdown(60 * SECOND).await;
            reader.line("the thread has ended", "").await;
            continue;
        }
        it.kill();
        soon(it.ended()).await;
        drop((it, system));
        reader.line("the thread has ended", "").await;
    }
}

/// It stands still through all of a shutdown, which is told of, and goes on later, which is not. Time is virtual, so that the
/// shutdown need not be waited for.
#[tokio::test(start_paused = true)]
async fn nothing_is_told_after_a_shutdown() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let (journal, mut reader) = journal();
    let observer = Arc::new(Both(Mutex::new(Some(tell)), Stalls(journal)));
    let system = System::builder().observer(observer).watchdog(LIMIT).build().expect("a runtime");
    let host = system.local_host("cave").expect("a thread");
    let (key, gate) = gate();
    let it = host.spawn(move || Hermit(std::rc::Rc::new(gate))).expect("open");
    it.send(false).await.expect("there is room");
    told.await.expect("it stands still at its message");
    let report = system.shutdown(SECOND).await;
    assert_eq!((report.killed.len(), report.left), (1, 1));
    drop(key);
    assert_eq!(it.ended().await, ExitReason::Shutdown, "which it was asked to before it was killed");
    // Long enough for another one to be told of.
    somebody_is_told_of().await;
    assert_eq!(reader.rest_with("goes on after bool"), 0);
}

/// Tells and writes down. Should it end before there is something to tell, that is told to nobody.
struct Both(Mutex<Option<tokio::sync::oneshot::Sender<()>>>, Stalls);

impl Observer for Both {
    fn event(&self, event: &Event<'_>) {
        self.1.event(event);
        let tell = || self.0.lock().expect("nobody panics").take();
        match event {
            Event::Stalled { work: "bool", .. } => drop(tell().map(|tell| tell.send(()))),
            Event::Exited { .. } => drop(tell()),
            _ => {}
        }
    }
}

/// Takes its time to write down that somebody stands still, and says when it begins.
struct Slow(Mutex<Option<tokio::sync::oneshot::Sender<()>>>, Journal);

impl Observer for Slow {
    fn event(&self, event: &Event<'_>) {
        if let Event::Stalled { work: "bool", .. } = event {
            _ = self.0.lock().expect("nobody panics").take().map(|tell| tell.send(()));
            (0..10).for_each(|_| std::thread::yield_now());
            self.1.note("told");
        }
    }
}

/// Also where the system's time is virtual, and a thread that is not is waited for.
#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_what_is_being_told() {
    let (tell, begins) = tokio::sync::oneshot::channel();
    let (journal, mut reader) = journal();
    let observer = Arc::new(Slow(Mutex::new(Some(tell)), journal));
    let system = System::builder().observer(observer).watchdog(LIMIT).build().expect("a runtime");
    let (key, gate) = gate();
    let it = system.spawn_local(move || Hermit(std::rc::Rc::new(gate))).expect("open");
    it.send(false).await.expect("there is room");
    begins.await.expect("it stands still at its message");
    drop(key);
    system.shutdown(SECOND).await;
    assert_eq!(reader.rest(), ["told"]);
}

/// A program that asks for a watchdog is simulated as it is. In there nobody is told of, however long a handler goes on: here
/// until others, on a clock on the wall, have been told of.
#[test]
fn in_simulation_there_is_none() {
    let (journal, mut reader) = journal();
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
    let threads = threads.expect("a runtime");
    let (outside, other) = threads.block_on(async {
        let (tell, told) = mpsc::channel();
        let system = System::builder().observer(Arc::new(Tells(Mutex::new(tell)))).watchdog(LIMIT);
        let other = named(&system.build().expect("a runtime"), "other").await;
        (told, other)
    });
    let outside = Arc::new(Mutex::new(outside));
    let run = Sim::fifo().run(|_| async {
        let system = watched(&journal, Duration::from_millis(1));
        let it = named(&system, "it").await;
        let (other, outside) = (other.clone(), outside.clone());
        it.tell(act(move |_, _| {
            for _ in 0..3 {
                let (key, gate) = gate();
                other.tell(blocks(&gate)).expect("there is room");
                outside.lock().expect("nobody panics").recv().expect("it is told of");
                drop(key);
            }
            Ok(())
        }))
        .expect("there is room");
        assert_eq!(life(&it).await, 1);
        assert!(system.shutdown(60 * SECOND).await.is_clean());
    });
    run.result.expect("it runs to its end");
    assert_eq!(reader.rest_with("stalls"), 0);
}

/// Hands on that something stands still.
struct Tells(Mutex<Key>);

impl Observer for Tells {
    fn event(&self, event: &Event<'_>) {
        if let Event::Stalled { .. } = event {
            let _ = self.0.lock().expect("nobody panics").send(());
        }
    }
}
