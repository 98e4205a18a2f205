//! What the tests share: an actor that does what it is told, a journal of what happened, and virtual waiting.

use std::any::Any;
use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder::prelude::*;
use minder::{ChildEvent, Event, Observer, Winding};
use minder_fault_injection::sim::{Policy, Sim};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What a puppet does with one message.
pub(crate) type Deed<'a> = Pin<Box<dyn Future<Output = Handled> + Send + 'a>>;
type Act = Box<dyn for<'a> FnOnce(&'a mut Puppet, &'a mut Context<Msg>) -> Deed<'a> + Send>;
type OnStart = Arc<dyn Fn(&mut Puppet, &mut Context<Msg>) -> Handled + Send + Sync>;

pub(crate) enum Msg {
    /// Do this.
    Do(Act),
    /// Write this into the journal.
    Mark(u32),
    /// Answer with the number of this life.
    Life(Reply<u32>),
}

/// An actor that does what it is told and keeps a journal.
pub(crate) struct Puppet {
    name: &'static str,
    pub(crate) journal: Journal,
    pub(crate) kept: Vec<Box<dyn Any + Send>>,
    traps: bool,
    tells_drop: bool,
    winding: Winding,
    on_start: Option<OnStart>,
    cleans_up: Option<Act>,
}

impl Puppet {
    pub(crate) fn new(name: &'static str, journal: &Journal) -> Self {
        Self {
            name,
            journal: journal.clone(),
            kept: Vec::new(),
            traps: false,
            tells_drop: false,
            winding: Winding::Done,
            on_start: None,
            cleans_up: None,
        }
    }

    /// Traps exits from its start on.
    pub(crate) fn trapping(mut self) -> Self {
        self.traps = true;
        self
    }

    /// Writes its drop into the journal.
    pub(crate) fn telling_drop(mut self) -> Self {
        self.tells_drop = true;
        self
    }

    pub(crate) fn winding(mut self, winding: Winding) -> Self {
        self.winding = winding;
        self
    }

    /// Waits this long while it cleans up.
    pub(crate) fn cleaning_up_for(self, time: Duration) -> Self {
        self.cleaning_up_by(move |puppet, context| {
            Box::pin(async move {
                context.sleep(time).await;
                puppet.note("cleaned up");
                Ok(())
            })
        })
    }

    /// Does this while it cleans up.
    pub(crate) fn cleaning_up_by(
        mut self,
        deed: impl for<'a> FnOnce(&'a mut Puppet, &'a mut Context<Msg>) -> Deed<'a> + Send + 'static,
    ) -> Self {
        self.cleans_up = Some(Box::new(deed));
        self
    }

    pub(crate) fn on_start(
        mut self,
        act: impl Fn(&mut Self, &mut Context<Msg>) -> Handled + Send + Sync + 'static,
    ) -> Self {
        self.on_start = Some(Arc::new(act));
        self
    }

    pub(crate) fn note(&self, what: impl std::fmt::Display) {
        self.journal.note(format!("{} {what}", self.name));
    }
}

impl Actor for Puppet {
    type Msg = Msg;

    async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
        context.trap_exit(self.traps);
        if let Some(act) = self.on_start.clone() {
            act(self, context)?;
        }
        self.note("up");
        Ok(())
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Do(act) => return act(self, context).await,
            Msg::Mark(number) => self.note(number),
            Msg::Life(reply) => drop(reply.send(context.id().incarnation())),
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<Msg>) -> Handled {
        match notice {
            Notice::Exit(exit) => self.note(format!("exit {}", short(&exit.reason))),
            Notice::Down(down) => self.note(format!("down {}", short(&down.reason))),
            Notice::Child(news) => match news.event {
                ChildEvent::Started => self.note("child started"),
                ChildEvent::Ignored => self.note("child ignored"),
                ChildEvent::StartFailed(reason) => self.note(format!("child failed {}", short(&reason))),
                ChildEvent::Exited { reason, .. } => self.note(format!("child exited {}", short(&reason))),
                _ => self.note("child ?"),
            },
            Notice::Stream(over) => self.note(format!("stream over {}", short(&over.reason))),
            _ => self.note("?"),
        }
        Ok(())
    }

    fn stop_requested(&mut self, reason: &ExitReason, _: &mut Context<Msg>) -> Winding {
        if self.winding == Winding::Later {
            self.note(format!("asked {}", short(reason)));
        }
        self.winding
    }

    async fn stopping(&mut self, reason: &ExitReason, context: &mut Context<Msg>) {
        self.note(format!("stopping {}", short(reason)));
        if let Some(act) = self.cleans_up.take()
            && let Err(reason) = act(self, context).await
        {
            self.note(format!("not cleaned up: {}", short(&reason)));
        }
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        if self.tells_drop {
            self.note("dropped");
        }
    }
}

// --- messages ------------------------------------------------------------------------------------------------------

/// Do this without waiting.
pub(crate) fn act(deed: impl FnOnce(&mut Puppet, &mut Context<Msg>) -> Handled + Send + 'static) -> Msg {
    Msg::Do(Box::new(move |puppet, context| Box::pin(async move { deed(puppet, context) })))
}

/// Do this, with awaits.
pub(crate) fn wait(
    deed: impl for<'a> FnOnce(&'a mut Puppet, &'a mut Context<Msg>) -> Deed<'a> + Send + 'static,
) -> Msg {
    Msg::Do(Box::new(deed))
}

/// Panic.
pub(crate) fn crash() -> Msg {
    act(|_, _| panic!("boom"))
}

/// Await for ever.
pub(crate) fn hang() -> Msg {
    wait(|puppet, _| {
        Box::pin(async move {
            puppet.note("hangs");
            std::future::pending().await
        })
    })
}

/// End with this reason.
pub(crate) fn end(reason: ExitReason) -> Msg {
    act(move |_, context| {
        context.stop(reason);
        Ok(())
    })
}

/// An error that prints as it is.
#[derive(Debug)]
pub(crate) struct Plain(pub(crate) &'static str);

impl std::fmt::Display for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Plain {}

/// A reason without the place of a panic.
pub(crate) fn short(reason: &ExitReason) -> String {
    match reason {
        ExitReason::Panic(report) => format!("panic {}", report.text),
        other => other.to_string(),
    }
}

// --- the journal ---------------------------------------------------------------------------------------------------

/// Where everyone writes what happens, in order.
#[derive(Clone)]
pub(crate) struct Journal(UnboundedSender<String>);

/// The other end of a journal.
pub(crate) struct Reader(UnboundedReceiver<String>);

pub(crate) fn journal() -> (Journal, Reader) {
    let (write, read) = unbounded_channel();
    (Journal(write), Reader(read))
}

impl Journal {
    pub(crate) fn note(&self, line: impl Into<String>) {
        // Nobody reads any more: the test is over.
        drop(self.0.send(line.into()));
    }
}

impl Reader {
    /// The next line, once it is written.
    pub(crate) async fn next(&mut self) -> String {
        soon(self.0.recv()).await.expect("somebody writes the journal")
    }

    /// These lines come next, in this order.
    #[track_caller]
    pub(crate) fn expect<'a>(&'a mut self, lines: &'a [&'a str]) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            for (index, line) in lines.iter().enumerate() {
                let next = self.next().await;
                assert_eq!(next, *line, "line {index} of {lines:?}, expected at {caller}");
            }
        }
    }

    /// Passes over everything up to and with this line.
    pub(crate) async fn until(&mut self, line: &str) {
        while self.next().await != line {}
    }

    /// What has been written and not read.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

/// What was written to the log.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn text(&self) -> String {
        let written = self.0.lock().expect("nobody panics while writing").clone();
        String::from_utf8(written).expect("the log is text")
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics while writing").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

// --- time ----------------------------------------------------------------------------------------------------------

/// Waits for what has to come; a promise that is broken fails the test instead of holding it up.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(3600), what).await;
    waited.expect("it happens within a virtual hour")
}

/// Lets everything happen that happens within this virtual time.
pub(crate) async fn pass(time: Duration) {
    assert!(tokio::time::timeout(time, std::future::pending::<()>()).await.is_err());
}

/// Lets everything happen that happens without time passing. Works while a blocking closure holds virtual time up.
pub(crate) async fn turns() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Runs something beside the test, as a client of the actors would.
#[expect(clippy::disallowed_methods, reason = "a client that is no actor is what is meant")]
pub(crate) fn aside<T: Send + 'static>(client: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(client)
}

/// Runs a test on tokio with its time paused, and in the simulator: in order, and by some seeds.
pub(crate) fn everywhere<F: Future<Output = ()>>(test: impl Fn() -> F) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(test());
    let seeds = (0..10).map(Policy::Seeded);
    for policy in [Policy::Fifo].into_iter().chain(seeds) {
        let run = Sim::new(policy).horizon(3 * 365 * 24 * 3600 * SECOND).run(|_| test());
        if let Err(error) = &run.result {
            panic!("{policy:?}: {error}\n{}", run.story(40));
        }
        assert!(run.leaked.is_empty(), "{policy:?}: {:?}", run.leaked);
    }
}

/// Says that it is dropped.
pub(crate) struct Witness(pub(crate) Journal, pub(crate) &'static str);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

/// Writes down the panics that reach nobody.
pub(crate) struct Unheard(pub(crate) Journal);

impl Observer for Unheard {
    fn event(&self, event: &Event<'_>) {
        if let Event::UnheardPanic { work, panic, .. } = event {
            self.0.note(format!("unheard {work}: {}", panic.text));
        }
    }
}

/// A system whose panics that reach nobody stand in the journal.
pub(crate) fn listening(journal: &Journal) -> System {
    let observer = Arc::new(Unheard(journal.clone()));
    System::builder().observer(observer).build().expect("the test runs in a runtime and unwinds")
}

// --- systems -------------------------------------------------------------------------------------------------------

pub(crate) fn system() -> System {
    System::new().expect("the test runs in a runtime and unwinds")
}

/// An actor of this name that nobody waits for.
pub(crate) fn spawn(system: &System, name: &'static str, journal: &Journal) -> Addr<Msg> {
    let journal = journal.clone();
    system.spawn(move || Puppet::new(name, &journal)).expect("open")
}

/// An actor of this name that the system minds.
pub(crate) async fn named(system: &System, name: &'static str) -> Addr<Msg> {
    named_with(system, name, &journal().0, minder::MailboxOptions::default()).await
}

/// The same, with this journal and mailbox.
pub(crate) async fn named_with(
    system: &System,
    name: &'static str,
    journal: &Journal,
    mailbox: minder::MailboxOptions,
) -> Addr<Msg> {
    let (address, seat) = system.address_with(mailbox);
    let journal = journal.clone();
    system.start(seat, name, move || Puppet::new(name, &journal)).await.expect("a puppet starts");
    address
}

/// A spec that tolerates many restarts.
pub(crate) fn tolerant(spec: Spec) -> Spec {
    spec.limit(1000, SECOND)
}

/// A puppet under a supervisor of its own that tolerates many restarts.
pub(crate) async fn minded(
    system: &System,
    puppet: impl Fn() -> Puppet + Clone + Send + Sync + 'static,
) -> Addr<Msg> {
    let (address, seat) = system.address();
    let tree = tolerant(one_for_one()).child(actor_in("it", seat, puppet));
    tree.start(system, "top").await.expect("a puppet starts");
    address
}

/// What this actor's context gives, done in a handler of its own.
pub(crate) async fn within<T: Send + 'static>(
    actor: &Addr<Msg>,
    deed: impl FnOnce(&mut Context<Msg>) -> T + Send + 'static,
) -> T {
    let (tell, told) = oneshot::channel();
    actor
        .tell(act(move |_, context| {
            drop(tell.send(deed(context)));
            Ok(())
        }))
        .expect("there is room");
    told.await.expect("it lives")
}

/// The life that answers.
pub(crate) async fn life(address: &Addr<Msg>) -> u32 {
    address.ask(Msg::Life).await.expect("somebody lives there, or will")
}
