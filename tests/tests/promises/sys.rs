//! Requests to an actor's machinery: answered between two messages, whatever the actor is and whatever it is at.
//! OTP: the module `sys`.

use std::ops::{ControlFlow, Range};
use std::rc::Rc;
use std::time::Duration;

use minder::prelude::*;
use minder::state::last_good;
use minder::statem::{Start, StateMachine, Transition, keep, machine, next, start};
use minder::{DebugEvent, DebugKind, SysError};

use crate::support::*;

/// Counts, and writes what it is at into a journal.
#[derive(Clone)]
struct Counter {
    count: u64,
    secret: &'static str,
    journal: Journal,
}

enum Count {
    Add(u64),
    Slowly(Duration),
    Read(Reply<u64>),
    Crash,
}

impl Counter {
    fn new(journal: &Journal) -> Self {
        Self { count: 0, secret: "swordfish", journal: journal.clone() }
    }
}

impl Actor for Counter {
    type Msg = Count;

    async fn handle(&mut self, message: Count, context: &mut Context<Count>) -> Handled {
        match message {
            Count::Add(number) => {
                self.count += number;
                self.journal.note(format!("add {number}"));
            }
            Count::Slowly(time) => context.sleep(time).await,
            Count::Read(reply) => drop(reply.send(self.count)),
            Count::Crash => panic!("boom"),
        }
        Ok(())
    }

    async fn stopping(&mut self, reason: &ExitReason, _: &mut Context<Count>) {
        self.journal.note(format!("stopping {}", short(reason)));
    }

    fn format_status(&self) -> Option<String> {
        assert_ne!(self.count, 13, "an unlucky number");
        Some(format!("at {}", self.count))
    }
}

fn counted(counter: &Counter) -> u64 {
    counter.count
}

/// A local actor, which cannot leave its thread.
struct Bound(Rc<u64>);

impl LocalActor for Bound {
    type Msg = u64;

    async fn handle(&mut self, number: u64, _: &mut Context<u64>) -> Handled {
        self.0 = Rc::new(number);
        Ok(())
    }
}

/// Turns green when told to, and by itself after a minute.
struct Light {
    turns: u64,
}

#[derive(Debug, PartialEq)]
enum Colour {
    Red,
    Green,
}

#[derive(Debug)]
enum Turn {
    Now,
    Late,
}

impl StateMachine for Light {
    type State = Colour;
    type Event = Turn;
    type Name = ();

    async fn init(&mut self, _: &mut Context<Turn>) -> Result<Start<Self>, ExitReason> {
        Ok(start(Colour::Red).state_timeout(Duration::from_secs(60), Turn::Late))
    }

    async fn handle(
        &mut self,
        state: &Colour,
        event: Turn,
        _: &mut Context<Turn>,
    ) -> Result<Transition<Self>, ExitReason> {
        self.turns += 1;
        Ok(match (state, event) {
            (Colour::Red, Turn::Now | Turn::Late) => next(Colour::Green),
            (Colour::Green, _) => keep(),
        })
    }
}

/// OTP: SYS-001, SYS-002.
#[test]
fn an_actor_with_a_long_backlog_answers_at_once_suspended_or_not() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let counter = system.spawn(move || Counter::new(&journal)).expect("it starts");
        let sys = counter.sys();
        let add = |numbers: Range<u64>| {
            numbers.for_each(|number| counter.tell(Count::Add(number)).expect("there is room"));
        };
        let (first, second) = (0..500, 500..1000);
        add(first.clone());
        let seen = sys.with_state(counted).await.expect("it lives");
        let of_first = first.clone().sum();
        assert!(seen < of_first, "the request overtakes what waits, or it would see all of it: {seen}");
        add(second.clone());
        assert!(sys.suspend() && sys.suspend());
        let held = sys.with_state(counted).await.expect("it lives");
        assert!(held <= of_first, "so does this one: {held}");
        counter.tell(Count::Add(5)).expect("there is room");
        let asked = counter.ask_within(SECOND, Count::Read).await;
        assert!(matches!(asked, Err(AskError::TimedOut)), "whoever asks meanwhile waits in vain");
        assert_eq!(sys.with_state(counted).await.expect("it lives"), held, "nothing is handled meanwhile");
        assert!(sys.status().await.expect("it lives").suspended);
        assert!(sys.resume());
        assert_eq!(counter.ask(Count::Read).await.expect("once is enough"), 499_505);
        assert!(sys.resume(), "and twice is no error");
        assert!(!sys.status().await.expect("it lives").suspended);
        let in_order: Vec<_> = first.chain(second).chain([5]).map(|number| format!("add {number}")).collect();
        assert_eq!(reader.rest(), in_order);
        system.shutdown(SECOND).await;
    });
}

/// OTP: SYS-001, STM-023.
#[tokio::test(start_paused = true)]
async fn whatever_kind_of_actor_it_is() {
    let system = system();
    let (journal, _reader) = journal();
    // A local actor, whose state is looked at in its thread.
    let bound = system.spawn_local(|| Bound(Rc::new(7))).expect("it starts");
    let sys = bound.sys().within(Duration::MAX); // that thread has its own time
    assert_eq!(sys.with_state(|bound: &Bound| *bound.0).await.expect("it lives"), 7);
    sys.replace(|bound: &Bound| Bound(Rc::new(*bound.0 + 1))).await.expect("it lives");
    assert_eq!(sys.with_state(|bound: &Bound| *bound.0).await.expect("it lives"), 8);
    // One that a wrapper stands around: the user's own is meant.
    let kept = system.spawn(last_good(move || Counter::new(&journal))).expect("it starts");
    kept.sys().replace(|old: &Counter| Counter { count: 3, ..old.clone() }).await.expect("it lives");
    assert_eq!(kept.sys().status().await.expect("it lives").state.as_deref(), Some("at 3"));
    // A state machine: its data, its state. Requests are no events, and suspended it holds events and time-outs back.
    let light = system.spawn(|| machine(Light { turns: 0 })).expect("it starts");
    let sys = light.sys();
    let turns = || sys.with_state(|light: &Light| light.turns);
    sys.suspend();
    light.tell(Turn::Now).expect("there is room");
    pass(90 * SECOND).await;
    assert_eq!(turns().await.expect("it lives"), 0);
    assert_eq!(sys.status().await.expect("it lives").state.as_deref(), Some("Red"));
    assert!(sys.with_state(|colour: &Colour| *colour == Colour::Red).await.expect("it lives"));
    sys.resume();
    crate::support::turns().await;
    assert_eq!(turns().await.expect("it lives"), 1, "the change of state has taken the time-out back");
    sys.replace(|_: &Colour| Colour::Red).await.expect("it lives");
    assert_eq!(sys.status().await.expect("it lives").state.as_deref(), Some("Red"));
    sys.replace(|_: &Light| Light { turns: 40 }).await.expect("it lives");
    light.tell(Turn::Now).expect("there is room");
    crate::support::turns().await;
    assert_eq!(turns().await.expect("it lives"), 41);
    system.shutdown(SECOND).await;
}

/// OTP: SUP-151, SYS-001, SYS-002, SYS-006.
#[tokio::test(start_paused = true)]
async fn a_supervisor_answers_in_the_middle_of_an_operation_and_stops_its_children_in_order() {
    let system = system();
    let (journal, mut reader) = journal();
    let slow = {
        let journal = journal.clone();
        move || Puppet::new("slow", &journal).trapping()
    };
    let second = {
        let journal = journal.clone();
        move || Puppet::new("second", &journal).trapping()
    };
    let tree = one_for_one().child(actor("slow", slow)).child(actor("second", second));
    let root = tree.start(&system, "top").await.expect("it starts");
    reader.expect(&["slow up", "second up"]).await;
    // A child that takes its time to start keeps it busy.
    let late = actor("late", || Late);
    let adding = {
        let root = root.clone();
        aside(async move { root.start_child(late).await.map(drop) })
    };
    turns().await;
    let status = root.address().sys().status().await.expect("it lives");
    assert_eq!(status.state.as_deref(), Some("3 children (2 running, 1 starting), 1 requests waiting"));
    assert_eq!((&*status.path, status.minder.as_deref()), ("top", None));
    adding.await.expect("no panic").expect("it starts at last");
    // Suspended, it hears of nothing, and whoever asks waits: longer than an ask that says nothing of a limit.
    let sys = root.address().sys();
    sys.suspend();
    let second = tokio::time::timeout(60 * SECOND, root.which_child("second")).await;
    assert!(second.is_err(), "what is asked of it as a supervisor waits in its lane");
    assert!(sys.with_state(|_: &minder::supervisors::Supervisor| ()).await.is_ok());
    sys.resume();
    sys.terminate(ExitReason::other("enough")).await.expect("it lives");
    let reason = soon(root.ended()).await;
    assert_eq!(short(&reason), "enough");
    reader.expect(&["second stopping shutdown", "slow stopping shutdown"]).await;
}

/// Takes a second to start.
struct Late;

impl Actor for Late {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.sleep(SECOND).await;
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }
}

/// OTP: SYS-004.
#[tokio::test(start_paused = true)]
async fn a_replacement_that_panics_leaves_the_state_and_the_actor_as_they_were() {
    let (journal, mut reader) = journal();
    let system = listening(&journal);
    let counter = {
        let journal = journal.clone();
        system.spawn(move || Counter::new(&journal)).expect("it starts")
    };
    let sys = counter.sys();
    sys.replace(|old: &Counter| Counter { count: 5, ..old.clone() }).await.expect("it lives");
    let refused = sys.replace(|_: &Counter| panic!("not this one")).await;
    assert!(
        matches!(&refused, Err(SysError::Panicked(report)) if report.text == "not this one"),
        "{refused:?}"
    );
    let looked = sys.with_state(|counter: &Counter| assert_eq!(counter.count, 6, "no")).await;
    assert!(matches!(looked, Err(SysError::Panicked(_))));
    let other = sys.replace(|_: &Light| Light { turns: 0 }).await;
    let Err(SysError::OtherType { wanted, found }) = other else { panic!("{other:?}") };
    assert!(wanted.ends_with("Light") && found.ends_with("Counter"));
    assert_eq!(counter.ask(Count::Read).await.expect("it answers"), 5);
    assert_eq!(counter.id().incarnation(), 1, "and it is the same life");
    // What it was is dropped, and that is user code.
    let it = named(&system, "it").await;
    it.sys()
        .replace(|_: &Puppet| {
            let mut puppet = Puppet::new("new", &self::journal_of_nobody());
            puppet.kept.push(Box::new(Grenade));
            puppet
        })
        .await
        .expect("it lives");
    it.sys().replace(|_: &Puppet| Puppet::new("newer", &journal_of_nobody())).await.expect("it is replaced");
    assert_eq!(reader.rest(), ["unheard sys: bang"]);
    assert_eq!(life(&it).await, 1);
    system.shutdown(SECOND).await;
}

fn journal_of_nobody() -> Journal {
    journal().0
}

struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("bang");
    }
}

/// OTP: SYS-005, GS-027, NEW-011.
#[tokio::test(start_paused = true)]
async fn the_status_says_how_it_stands_and_keeps_secrets() {
    let system = system();
    let (journal, _reader) = journal();
    let (counter, seat) = system.address();
    let tree = one_for_one().child(actor_in("counter", seat, move || Counter::new(&journal)));
    tree.start(&system, "top").await.expect("it starts");
    counter.ask(Count::Read).await.expect("it answers");
    let sys = counter.sys();
    sys.suspend();
    counter.tell(Count::Add(13)).expect("there is room");
    sys.debug(|debugging| {
        debugging.log(3);
        debugging.statistics(true);
        debugging.install("nosy", |_| ControlFlow::Continue(()))
    })
    .await
    .expect("it lives");
    let status = sys.status().await.expect("it lives");
    assert_eq!((&*status.path, status.minder.as_deref()), ("top/counter", Some("top")));
    assert_eq!((status.id, status.suspended, status.traps_exits), (counter.id(), true, false));
    assert_eq!((status.mailbox.queued, status.mailbox.handled), (1, 1));
    assert_eq!(status.mailbox, counter.statistics());
    assert_eq!(status.debugging, ["statistics", "log 3", "`nosy`"]);
    assert_eq!(status.state.as_deref(), Some("at 0"));
    assert_eq!(sys.with_state(|counter: &Counter| counter.secret).await.expect("it lives"), "swordfish");
    let text = status.to_string();
    assert!(
        text.contains("top/counter") && text.contains("suspended") && !text.contains("swordfish"),
        "{text}"
    );
    // An actor that shows nothing shows nothing, and one that fails to is told of.
    let it = named(&system, "it").await;
    assert_eq!(it.sys().status().await.expect("it lives").state, None);
    sys.resume();
    counter.ask(Count::Read).await.expect("it answers");
    let state = sys.status().await.expect("it lives").state.expect("it says so");
    assert!(state.contains("`format_status` panicked") && state.contains("unlucky"), "{state}");
    system.shutdown(SECOND).await;
}

/// OTP: SYS-003, SYS-006.
#[tokio::test(start_paused = true)]
async fn it_ends_on_request_suspended_or_not_and_its_minder_decides() {
    for suspended in [false, true] {
        let system = system();
        let (journal, mut reader) = journal();
        let (counter, seat) = system.address();
        let tree = one_for_one().child(actor_in("counter", seat, move || Counter::new(&journal)));
        tree.start(&system, "top").await.expect("it starts");
        counter.tell(Count::Add(1)).expect("there is room");
        reader.expect(&["add 1"]).await;
        let sys = counter.sys();
        if suspended {
            sys.suspend();
            counter.tell(Count::Add(2)).expect("there is room");
        }
        sys.terminate(ExitReason::other("enough")).await.expect("it lives");
        reader.expect(&["stopping enough"]).await;
        let count = counter.ask(Count::Read).await.expect("the next life answers");
        assert_eq!(count, if suspended { 2 } else { 0 }, "and is not suspended");
        assert!(matches!(sys.status().await, Err(SysError::NoActor)), "a handle is for one life");
        assert!(!sys.suspend() && !sys.resume());
        system.shutdown(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_told_in_time_and_leaves_nothing_behind() {
    let system = system();
    let (journal, _reader) = journal();
    let counter = {
        let journal = journal.clone();
        system.spawn(move || Counter::new(&journal)).expect("it starts")
    };
    let sys = counter.sys().within(2 * SECOND);
    counter.tell(Count::Slowly(10 * SECOND)).expect("there is room");
    turns().await;
    let before = system.now();
    let late = sys.replace(|old: &Counter| Counter { count: 99, ..old.clone() }).await;
    assert!(matches!(late, Err(SysError::TimedOut)), "{late:?}");
    assert_eq!(system.now().since(before), 2 * SECOND);
    // Dropped before it was answered.
    {
        let unwanted = sys.replace(|old: &Counter| Counter { count: 77, ..old.clone() });
        assert!(tokio::time::timeout(SECOND, unwanted).await.is_err());
    }
    // Between two messages, and not in the middle of a handler.
    let patient = counter.sys().within(Duration::MAX);
    assert_eq!(
        patient.with_state(counted).await.expect("it answers at last"),
        0,
        "what was taken back is not done"
    );
    assert!(system.now().since(before) >= 9 * SECOND);
    // The end is told at once.
    counter.tell(Count::Slowly(3600 * SECOND)).expect("there is room");
    turns().await;
    let asked = aside(async move { patient.status().await.map(drop) });
    turns().await;
    let before = system.now();
    counter.kill();
    let ended = asked.await.expect("no panic");
    assert!(matches!(ended, Err(SysError::Ended(ExitReason::Killed))), "{ended:?}");
    assert_eq!(system.now(), before);
    // Nobody waits for himself.
    let it = named(&system, "it").await;
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    it.tell(wait(move |_, context| {
        Box::pin(async move {
            let own = context.address().sys().status().await.map(drop);
            told.send(own).expect("the test reads");
            Ok(())
        })
    }))
    .expect("there is room");
    assert!(matches!(soon(hears.recv()).await, Some(Err(SysError::Itself))));
    system.shutdown(SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_asked_while_it_starts_answers_when_it_has() {
    let system = system();
    let late = system.spawn(|| Late).expect("it is begun");
    turns().await;
    let asked = aside({
        let sys = late.sys();
        async move { sys.status().await.map(|status| status.id) }
    });
    assert_eq!(asked.await.expect("no panic").expect("it answers"), late.id());
    assert_eq!(system.now().since_start(), SECOND, "and at once");
    system.shutdown(SECOND).await;
}

/// OTP: SYS-007.
#[tokio::test(start_paused = true)]
async fn figures_are_counted_from_when_they_are_on_until_they_are_off() {
    let system = system();
    let (journal, _reader) = journal();
    let counter = system.spawn(move || Counter::new(&journal)).expect("it starts");
    let sys = counter.sys();
    assert_eq!(sys.debug(|debugging| debugging.figures()).await.expect("it lives"), None);
    counter.ask(Count::Read).await.expect("it answers");
    pass(SECOND).await;
    sys.debug(|debugging| debugging.statistics(true)).await.expect("it lives");
    counter.tell(Count::Add(1)).expect("there is room");
    counter.ask(Count::Read).await.expect("it answers");
    counter.ask(Count::Read).await.expect("it answers");
    pass(SECOND).await;
    let figures = sys.debug(|debugging| debugging.figures()).await.expect("it lives").expect("they are on");
    assert_eq!((figures.messages_in, figures.messages_out), (3, 2));
    assert_eq!(figures.until.since(figures.since), SECOND);
    let off = |debugging: &mut minder::Debugging| {
        debugging.statistics(false);
        debugging.figures()
    };
    assert_eq!(sys.debug(off).await.expect("it lives"), None);
    system.shutdown(SECOND).await;
}

/// Keeps a log of itself from its start on.
struct Suspect;

impl Actor for Suspect {
    type Msg = u64;

    async fn started(&mut self, context: &mut Context<u64>) -> Handled {
        context.trap_exit(true);
        context.debug(|debugging| {
            debugging.log(4);
            debugging
                .describe(|number: &u64| if *number == 13 { panic!("unlucky") } else { number.to_string() });
        });
        Ok(())
    }

    async fn handle(&mut self, _: u64, _: &mut Context<u64>) -> Handled {
        Ok(())
    }
}

/// OTP: SYS-008, SYS-010.
#[tokio::test(start_paused = true)]
async fn the_log_keeps_the_last_events_also_from_the_start_on() {
    let (journal, mut reader) = journal();
    let system = listening(&journal);
    let suspect = system.spawn(|| Suspect).expect("it starts");
    let logged = || async {
        turns().await;
        let logged = suspect.sys().debug(|debugging| debugging.logged()).await.expect("it lives");
        logged.iter().map(|logged| format!("{} {}", logged.number, logged.text)).collect::<Vec<_>>()
    };
    suspect.tell(7_u64).expect("there is room");
    assert_eq!(logged().await, ["1 message: 7", "2 handled"]);
    suspect.tell(8_u64).expect("there is room");
    suspect.tell(13_u64).expect("there is room");
    assert_eq!(
        logged().await,
        ["3 message: 8", "4 handled", "5 message: (describing it panicked)", "6 handled"]
    );
    assert_eq!(reader.rest(), ["unheard debug: unlucky"]);
    let it = named(&system, "it").await;
    let target = suspect.clone();
    it.tell(act(move |_, context| {
        context.exit(&target, ExitReason::other("why not"));
        Ok(())
    }))
    .expect("there is room");
    let last = logged().await;
    assert!(last[2].starts_with("7 notice: Exit("), "{last:?}");
    suspect.sys().debug(|debugging| debugging.log(1)).await.expect("it lives");
    assert_eq!(logged().await, ["8 handled"]);
    suspect.sys().debug(|debugging| debugging.log(0)).await.expect("it lives");
    suspect.tell(9_u64).expect("there is room");
    assert_eq!(logged().await, [""; 0]);
    system.shutdown(SECOND).await;
}

/// The program's log may go into a file; which is the program's affair.
///
/// OTP: SYS-008.
#[tokio::test(start_paused = true)]
async fn the_trace_goes_to_the_log_while_it_is_on() {
    let lines = Lines::default();
    let to = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(move || to.clone());
    let _here = tracing::subscriber::set_default(subscriber.finish());
    let system = system();
    let it = named(&system, "it").await;
    let sys = it.sys();
    let describe = |message: &Msg| match message {
        Msg::Mark(number) => format!("mark {number}"),
        _ => "other".to_owned(),
    };
    sys.debug(move |debugging| {
        debugging.trace(true);
        debugging.describe(describe);
    })
    .await
    .expect("it lives");
    it.tell(Msg::Mark(1)).expect("there is room");
    life(&it).await;
    sys.debug(|debugging| debugging.trace(false)).await.expect("it lives");
    it.tell(Msg::Mark(2)).expect("there is room");
    turns().await;
    let written = lines.text();
    let traced: Vec<&str> = written.lines().filter(|line| line.contains("minder::sys")).collect();
    let events = ["message: mark 1", "handled", "message: other", "handled, answered"];
    assert_eq!(traced.len(), events.len(), "{written}");
    for (number, (line, event)) in (1..).zip(traced.into_iter().zip(events)) {
        let expected = format!("number={number} event=\"{event}\"");
        assert!(line.contains("actor at work path=\"it\"") && line.ends_with(&expected), "{line}");
    }
    system.shutdown(SECOND).await;
}

/// OTP: SYS-009.
#[tokio::test(start_paused = true)]
async fn an_installed_function_sees_each_event_and_goes_when_it_is_done_or_panics() {
    let (journal, mut reader) = journal();
    let system = listening(&journal);
    let counter = {
        let quiet = journal_of_nobody();
        system.spawn(move || Counter::new(&quiet)).expect("it starts")
    };
    let sys = counter.sys();
    let nosy = |journal: Journal| {
        let mut sum = 0;
        move |event: &DebugEvent<'_>| {
            match (&event.kind, event.message()) {
                (_, Some(Count::Add(number))) => sum += number,
                (DebugKind::Handled { answered }, _) => journal.note(format!("sum {sum} {answered}")),
                _ => {}
            }
            if sum == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    };
    let (first, second) = (nosy(journal.clone()), nosy(journal.clone()));
    let installed = sys.debug(|debugging| {
        let twice = (debugging.install("nosy", first), debugging.install("nosy", second));
        let witness = |_: &DebugEvent<'_>| -> ControlFlow<()> { panic!("I saw it") };
        (twice, debugging.install("witness", witness))
    });
    assert_eq!(installed.await.expect("it lives"), ((true, false), true));
    counter.tell(Count::Add(1)).expect("there is room");
    turns().await;
    assert_eq!(reader.rest(), ["unheard debug: I saw it", "sum 1 false"]);
    counter.ask(Count::Read).await.expect("it answers");
    assert_eq!(reader.rest(), ["sum 1 true"]);
    counter.tell(Count::Add(2)).expect("there is room"); // and it is done before that is handled
    counter.tell(Count::Add(3)).expect("there is room");
    turns().await;
    assert_eq!(reader.rest(), [""; 0]);
    assert!(sys.status().await.expect("it lives").debugging.is_empty());
    // By name, and all at once.
    let again = nosy(journal.clone());
    let removed = sys.debug(|debugging| {
        debugging.install("again", again);
        (debugging.remove("again"), debugging.remove("again"))
    });
    assert_eq!(removed.await.expect("it lives"), (true, false));
    let again = nosy(journal.clone());
    sys.debug(|debugging| {
        debugging.install("again", again);
        debugging.log(5);
        debugging.off();
    })
    .await
    .expect("it lives");
    assert!(sys.status().await.expect("it lives").debugging.is_empty());
    // They end with the life that they watch.
    let guard = Witness(journal.clone(), "gone");
    sys.debug(move |debugging| {
        debugging.install("guard", move |_| {
            let _ = &guard;
            ControlFlow::Continue(())
        });
    })
    .await
    .expect("it lives");
    counter.tell(Count::Crash).expect("there is room");
    reader.expect(&["gone"]).await;
    system.shutdown(SECOND).await;
}

/// In one actor's order: what it did to another before it asked is seen, and what ended the other ends the question.
/// OTP: PRC-007.
#[test]
fn what_was_done_before_is_seen_by_whoever_asks() {
    everywhere(|| async {
        let system = system();
        let (journal, mut reader) = journal();
        let (it, asker) =
            (named(&system, "it").await, named_with(&system, "asker", &journal, <_>::default()).await);
        reader.expect(&["asker up"]).await;
        let target = it.clone();
        let look = wait(move |asker, context| {
            Box::pin(async move {
                let sys = target.sys();
                let noted = |asker: &Puppet, status: Result<minder::Status, SysError>| match status {
                    Ok(status) => asker.note(format!(
                        "sees {} queued, {} links, {} monitors, suspended: {}",
                        status.mailbox.queued,
                        status.links.len(),
                        status.monitors.len(),
                        status.suspended,
                    )),
                    Err(error) => asker.note(error),
                };
                // Nothing is waited for in between but the answers.
                sys.suspend();
                (0..5).for_each(|n| target.tell(Msg::Mark(n)).expect("there is room"));
                context.link(&target)?;
                let status = sys.status().await;
                noted(asker, status);
                context.unlink(&target);
                (0..2).for_each(|n| target.tell(Msg::Mark(n)).expect("there is room"));
                let status = sys.status().await;
                noted(asker, status);
                sys.resume();
                let status = sys.status().await;
                asker.note(format!("sees it suspended: {:?}", status.map(|status| status.suspended)));
                context.exit(&target, ExitReason::other("enough"));
                let status = sys.status().await;
                noted(asker, status);
                let status = sys.status().await;
                noted(asker, status);
                Ok(())
            })
        });
        asker.tell(look).expect("there is room");
        let lines = [
            "asker sees 5 queued, 1 links, 0 monitors, suspended: true",
            "asker sees 7 queued, 0 links, 0 monitors, suspended: true",
            "asker sees it suspended: Ok(false)",
            "asker the actor ended before it came to the request: enough",
            "asker the actor does not live: ask its address for another `sys`",
        ];
        reader.expect(&lines).await;
    });
}
