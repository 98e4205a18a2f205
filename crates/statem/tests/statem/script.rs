//! A machine that does what a closure says, and writes down everything that happens to it.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder_runtime::{
    Addr, AskError, Context, ExitReason, MailboxOptions, Notice, Reply, Seat, System, Winding,
};
use minder_statem::{Entered, Start, StateMachine, Transition, Window, entered, start};

/// A state, by name.
pub(crate) type S = &'static str;

/// An event, by name; asked, if there is a reply.
pub(crate) struct Ev {
    pub(crate) name: &'static str,
    pub(crate) reply: Option<Reply<&'static str>>,
}

impl fmt::Debug for Ev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl From<&'static str> for Ev {
    fn from(name: &'static str) -> Self {
        Self { name, reply: None }
    }
}

pub(crate) fn ev(name: &'static str) -> Ev {
    name.into()
}

type OnEvent = Arc<dyn Fn(S, Ev, &mut Context<Ev>) -> Transition<Script> + Send + Sync>;
type OnEnter = Arc<dyn Fn(S, S) -> Entered<Script> + Send + Sync>;
type OnStart = Arc<dyn Fn(&mut Context<Ev>) -> Start<Script> + Send + Sync>;

/// The machine. A clone begins anew and writes into the same journal.
#[derive(Clone)]
pub(crate) struct Script {
    journal: Arc<Mutex<Vec<String>>>,
    on_event: OnEvent,
    on_enter: OnEnter,
    on_start: OnStart,
    tells_enter: bool,
    on_stop_request: Option<&'static str>,
    window: Option<Window<S, u32>>,
}

/// Starts in `a`; this is what events come to.
pub(crate) fn script(on_event: impl Fn(S, Ev) -> Transition<Script> + Send + Sync + 'static) -> Script {
    script_with(move |state, event, _| on_event(state, event))
}

/// The same, with the context.
pub(crate) fn script_with(
    on_event: impl Fn(S, Ev, &mut Context<Ev>) -> Transition<Script> + Send + Sync + 'static,
) -> Script {
    Script {
        journal: Arc::default(),
        on_event: Arc::new(on_event),
        on_enter: Arc::new(|_, _| entered()),
        on_start: Arc::new(|_| start("a")),
        tells_enter: false,
        on_stop_request: None,
        window: None,
    }
}

impl Script {
    /// What enter calls come to; they are written down then.
    pub(crate) fn entering(
        mut self,
        on_enter: impl Fn(S, S) -> Entered<Self> + Send + Sync + 'static,
    ) -> Self {
        self.on_enter = Arc::new(on_enter);
        self.tells_enter = true;
        self
    }

    pub(crate) fn starting(
        mut self,
        on_start: impl Fn(&mut Context<Ev>) -> Start<Self> + Send + Sync + 'static,
    ) -> Self {
        self.on_start = Arc::new(on_start);
        self
    }

    /// Traps exits; asked to stop, it goes on and tells itself this event.
    pub(crate) fn winding(mut self, event: &'static str) -> Self {
        self.on_stop_request = Some(event);
        self.trapping()
    }

    pub(crate) fn seen_through(mut self, window: &Window<S, u32>) -> Self {
        self.window = Some(window.clone());
        self
    }

    /// Traps exits.
    pub(crate) fn trapping(self) -> Self {
        let on_start = self.on_start.clone();
        self.starting(move |context| {
            context.trap_exit(true);
            on_start(context)
        })
    }

    /// How many lines nobody has read.
    pub(crate) fn unread(&self) -> usize {
        self.journal.lock().expect("nobody panics with it").len()
    }

    pub(crate) fn note(&self, line: impl Into<String>) {
        self.journal.lock().expect("nobody panics with it").push(line.into());
    }
}

impl StateMachine for Script {
    type State = S;
    type Event = Ev;
    type Name = u32;

    async fn init(&mut self, context: &mut Context<Ev>) -> Result<Start<Self>, ExitReason> {
        Ok((self.on_start)(context))
    }

    async fn handle(
        &mut self,
        state: &S,
        event: Ev,
        context: &mut Context<Ev>,
    ) -> Result<Transition<Self>, ExitReason> {
        self.note(format!("{state}:{}", event.name));
        match event.name {
            "panic" => panic!("boom"),
            "error" => Err(ExitReason::other("no")),
            "hang" => std::future::pending().await,
            _ => Ok((self.on_event)(state, event, context)),
        }
    }

    async fn enter(&mut self, from: &S, state: &S, _: &mut Context<Ev>) -> Result<Entered<Self>, ExitReason> {
        if self.tells_enter {
            self.note(format!("{from}>{state}"));
        }
        Ok((self.on_enter)(from, state))
    }

    fn notice(&self, notice: Notice) -> Result<Option<Ev>, Notice> {
        match notice {
            Notice::Down(_) => Ok(Some(ev("down"))),
            Notice::Child(_) => Ok(None),
            other => Err(other),
        }
    }

    fn redelivery(event: &Ev) -> Option<Ev> {
        // What is idempotent says so by its name: there is no `self` here.
        event
            .name
            .starts_with("again")
            .then(|| Ev { name: event.name, reply: event.reply.as_ref().map(Reply::twin) })
    }

    fn stop_requested(&mut self, state: &S, reason: &ExitReason, context: &mut Context<Ev>) -> Winding {
        let Some(event) = self.on_stop_request else { return Winding::Done };
        self.note(format!("{state}:asked {reason}"));
        context.tell_self(event);
        Winding::Later
    }

    async fn stopping(&mut self, state: &S, reason: &ExitReason, context: &mut Context<Ev>) {
        self.note(format!("{state}:stopping {reason}"));
        if reason.to_string() == "slowly" {
            context.sleep(ms(100)).await;
            self.note("stopped");
        }
    }
}

/// A script that runs.
pub(crate) struct Running {
    pub(crate) system: System,
    pub(crate) machine: Addr<Ev>,
    seat: Seat<Ev>,
    script: Script,
}

/// Runs a script without a supervisor.
pub(crate) async fn run(script: Script) -> Running {
    run_with(MailboxOptions::default(), script).await
}

pub(crate) async fn run_with(options: MailboxOptions, script: Script) -> Running {
    let system = System::new().expect("in a runtime");
    let (machine, seat) = system.address_with(options);
    let running = Running { system, machine, seat, script };
    running.start().await;
    running
}

impl Running {
    /// Another life, once the last is over.
    pub(crate) async fn start(&self) {
        let script = self.script.clone();
        let make = move || match script.window.clone() {
            Some(window) => minder_statem::machine(script).seen_through(&window),
            None => minder_statem::machine(script),
        };
        self.system.start(self.seat.clone(), "it", make).await.expect("it starts");
    }

    /// Why the last life ended; there will be no other.
    pub(crate) async fn give_up(self) -> ExitReason {
        let Self { machine, seat, .. } = self;
        drop(seat);
        machine.ended().await
    }

    /// Tells these events in turn, as if they were there all at once: the machine sees the first when all have arrived.
    pub(crate) fn tell(&self, events: &[&'static str]) -> &Self {
        for event in events {
            self.machine.tell(*event).expect("there is room");
        }
        self
    }

    /// Asks beside the test.
    pub(crate) fn ask(&self, name: &'static str) -> Asked {
        self.ask_within(name, Duration::from_secs(3600))
    }

    #[expect(clippy::disallowed_methods, reason = "a client that is no actor is what is meant")]
    pub(crate) fn ask_within(&self, name: &'static str, within: Duration) -> Asked {
        let machine = self.machine.clone();
        Asked(tokio::spawn(async move {
            machine.ask_within(within, |reply| Ev { name, reply: Some(reply) }).await
        }))
    }

    /// Everything that is ready happens; then what was written since the last time.
    pub(crate) async fn lines(&self) -> Vec<String> {
        turns().await;
        let statistics = self.machine.statistics();
        assert!(statistics.is_conserved(), "{statistics:?}");
        std::mem::take(&mut *self.script.journal.lock().expect("nobody panics with it"))
    }

    /// The same, in one line.
    pub(crate) async fn line(&self) -> String {
        self.lines().await.join(" ")
    }

    /// Lets this much virtual time pass first.
    pub(crate) async fn after(&self, milliseconds: u64) -> String {
        pass(milliseconds).await;
        self.line().await
    }
}

pub(crate) struct Asked(tokio::task::JoinHandle<Result<&'static str, AskError<Ev>>>);

impl Asked {
    pub(crate) async fn outcome(self) -> Result<&'static str, AskError<Ev>> {
        self.0.await.expect("an asker does not panic")
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.0.is_finished()
    }

    pub(crate) fn turn_away(&self) {
        self.0.abort();
    }
}

pub(crate) async fn turns() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn pass(milliseconds: u64) {
    let time = Duration::from_millis(milliseconds);
    assert!(tokio::time::timeout(time, std::future::pending::<()>()).await.is_err());
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
