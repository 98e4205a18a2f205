//! What the tests share: an actor that does what it is told, a minder that starts and kills on demand, and waiting that
//! is virtual or for messages.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use minder_groups::{Delivery, GroupEvent, Groups, Heard, Keeper, Member};
use minder_runtime::{
    Actor, ActorRef, Addr, ChildEvent, Context, ExitReason, Handled, Notice, Postponed, Recipe, Reply, Seat,
    StartOptions, System,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) type Act = Box<dyn FnOnce(&mut Context<Msg>) -> Handled + Send>;
type OnStart = Arc<dyn Fn(&mut Context<Msg>) -> Handled + Send + Sync>;

/// The messages of a pawn.
pub(crate) enum Msg {
    Do(Act),
    Note(u32),
    Life(Reply<u32>),
    /// Holds the handler up until the other end says so, or is dropped.
    Hold(tokio::sync::oneshot::Receiver<()>),
    /// The same, with the next news in hand.
    HoldNews(tokio::sync::oneshot::Receiver<()>),
    /// News are postponed from now on.
    Shut,
    /// What was postponed is retried.
    Open,
    Changed(Delivery<GroupEvent<Member<Msg>>>),
    Heard(Delivery<Heard<u32>>),
}

/// The event whose conversion into a message panics.
pub(crate) const BOMB: u32 = u32::MAX;
/// The event that crashes whoever handles it.
pub(crate) const POISON: u32 = u32::MAX - 1;

impl From<Delivery<GroupEvent<Member<Msg>>>> for Msg {
    fn from(delivery: Delivery<GroupEvent<Member<Msg>>>) -> Self {
        Self::Changed(delivery)
    }
}

impl From<Delivery<Heard<u32>>> for Msg {
    fn from(delivery: Delivery<Heard<u32>>) -> Self {
        assert!(!matches!(&*delivery, Heard::Event(number) if **number == BOMB), "bomb");
        Self::Heard(delivery)
    }
}

/// What a pawn writes down.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    Up(u32),
    Note(u32),
    Changed(GroupEvent<Member<Msg>>),
    Heard(Heard<u32>),
    /// Whether what was retried comes.
    Retried(bool),
}

/// An actor that does what it is told and writes down what happens to it.
pub(crate) struct Pawn {
    journal: UnboundedSender<Line>,
    on_start: OnStart,
    held: Option<tokio::sync::oneshot::Receiver<()>>,
    is_shut: bool,
    later: Vec<Postponed>,
}

impl Pawn {
    fn write(&self, line: Line) {
        drop(self.journal.send(line));
    }
}

impl Actor for Pawn {
    type Msg = Msg;

    async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
        (self.on_start)(context)?;
        self.write(Line::Up(context.id().incarnation()));
        Ok(())
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        if let Msg::Changed(_) | Msg::Heard(_) = message {
            if self.is_shut {
                self.later.push(context.postpone(message));
                return Ok(());
            }
            if let Some(until) = self.held.take() {
                drop(until.await);
            }
        }
        match message {
            Msg::Do(act) => return act(context),
            Msg::HoldNews(until) => self.held = Some(until),
            Msg::Shut => self.is_shut = true,
            Msg::Open => {
                self.is_shut = false;
                for postponed in std::mem::take(&mut self.later) {
                    self.write(Line::Retried(context.retry(postponed)));
                }
            }
            Msg::Note(number) => self.write(Line::Note(number)),
            Msg::Life(reply) => drop(reply.send(context.id().incarnation())),
            Msg::Hold(until) => drop(until.await),
            Msg::Changed(delivery) => self.write(Line::Changed(delivery.into_event())),
            Msg::Heard(delivery) => match &*delivery {
                Heard::Event(number) if **number == POISON => panic!("poison"),
                heard => self.write(Line::Heard(heard.clone())),
            },
        }
        Ok(())
    }
}

/// Where a pawn's lines are read.
pub(crate) struct Reader(UnboundedReceiver<Line>);

impl Reader {
    pub(crate) async fn next(&mut self) -> Line {
        soon(self.0.recv()).await.expect("the pawn's factory lives")
    }

    /// What has been written and not read.
    pub(crate) fn rest(&mut self) -> Vec<Line> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

/// A factory of pawns that write into one journal, and do this at each start.
pub(crate) fn pawns(
    on_start: impl Fn(&mut Context<Msg>) -> Handled + Send + Sync + 'static,
) -> (impl Fn() -> Pawn + Clone + Send + Sync + 'static, Reader) {
    let (journal, read) = unbounded_channel();
    let on_start: OnStart = Arc::new(on_start);
    let pawn = move || Pawn {
        journal: journal.clone(),
        on_start: on_start.clone(),
        held: None,
        is_shut: false,
        later: Vec::new(),
    };
    (pawn, Reader(read))
}

/// A pawn that nobody restarts.
pub(crate) fn pawn(system: &System) -> Addr<Msg> {
    system.spawn(pawns(|_| Ok(())).0).expect("the system is open")
}

/// A pawn that is restarted; resolves once it is up.
pub(crate) async fn restarted(
    system: &System,
    on_start: impl Fn(&mut Context<Msg>) -> Handled + Send + Sync + 'static,
) -> (Addr<Msg>, Addr<Order>, Reader) {
    let (make, mut reader) = pawns(on_start);
    let (address, seat) = system.address();
    let minder = minder(system, Recipe::in_seat(seat, make), true);
    assert_eq!(reader.next().await, Line::Up(1));
    (address, minder, reader)
}

pub(crate) fn act(deed: impl FnOnce(&mut Context<Msg>) -> Handled + Send + 'static) -> Msg {
    Msg::Do(Box::new(deed))
}

pub(crate) fn crash() -> Msg {
    act(|_| panic!("boom"))
}

pub(crate) async fn life(address: &Addr<Msg>) -> u32 {
    address.ask(Msg::Life).await.expect("somebody lives there, or will")
}

// --- a minder ------------------------------------------------------------------------------------------------------

/// Starts one child, again at once when it ends, or else when told to.
struct Minder {
    recipe: Option<Recipe>,
    restarts: bool,
    child: Option<ActorRef>,
    waiting: HashMap<bool, Vec<Reply<()>>>,
}

/// What a minder is told; each is answered when it is so.
pub(crate) enum Order {
    Kill(Reply<()>),
    Start(Reply<()>),
    /// Ends the child and gives its seat up.
    GiveUp,
}

pub(crate) fn minder(system: &System, recipe: Recipe, restarts: bool) -> Addr<Order> {
    let make = move || Minder { recipe: Some(recipe), restarts, child: None, waiting: HashMap::new() };
    system.spawn(make).expect("the system is open")
}

impl Minder {
    fn start(&mut self, context: &mut Context<Order>) -> Handled {
        if let Some(recipe) = &self.recipe {
            self.child = Some(context.start(recipe, StartOptions::named("it"))?);
        }
        Ok(())
    }

    fn answer(&mut self, lives: bool) {
        self.waiting.remove(&lives).into_iter().flatten().for_each(|reply| {
            let _ = reply.send(());
        });
    }
}

impl Actor for Minder {
    type Msg = Order;

    async fn started(&mut self, context: &mut Context<Order>) -> Handled {
        self.start(context)
    }

    async fn handle(&mut self, order: Order, context: &mut Context<Order>) -> Handled {
        match order {
            Order::Start(reply) => {
                self.waiting.entry(true).or_default().push(reply);
                self.start(context)?;
            }
            Order::Kill(reply) => {
                self.waiting.entry(false).or_default().push(reply);
                context.kill_child(self.child.as_ref().expect("it was started"));
            }
            Order::GiveUp => {
                self.recipe = None;
                context.kill_child(self.child.as_ref().expect("it was started"));
            }
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<Order>) -> Handled {
        let Notice::Child(news) = notice else { return Ok(()) };
        match news.event {
            ChildEvent::Started => self.answer(true),
            // Who is told to kill may be quicker than the child's start.
            ChildEvent::Exited { .. } | ChildEvent::StartFailed(ExitReason::Killed) => {
                self.answer(false);
                if self.restarts {
                    self.start(context)?;
                }
            }
            other => panic!("a child fails to start: {other:?}"),
        }
        Ok(())
    }
}

/// Groups whose keeper is at hand.
pub(crate) struct Kept {
    pub(crate) groups: Groups,
    minder: Addr<Order>,
}

impl Kept {
    pub(crate) async fn kill(&self) {
        self.minder.ask(Order::Kill).await.expect("the minder answers");
    }

    pub(crate) async fn start(&self) {
        self.minder.ask(Order::Start).await.expect("the minder answers");
    }

    pub(crate) fn give_up(&self) {
        self.minder.tell(Order::GiveUp).expect("the minder lives");
    }
}

/// Groups whose keeper is started again only when the test says so.
pub(crate) fn kept(system: &System) -> Kept {
    let (groups, seat) = Groups::new(system);
    let recipe = keeper_in(seat, groups.keeper());
    Kept { groups, minder: minder(system, recipe, false) }
}

fn keeper_in(
    seat: Seat<minder_groups::KeeperMsg>,
    make: impl Fn() -> Keeper + Clone + Send + Sync + 'static,
) -> Recipe {
    Recipe::in_seat(seat, make)
}

// --- time ----------------------------------------------------------------------------------------------------------

/// Waits for what has to come; a promise that is broken fails the test instead of holding it up.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(3600), what).await;
    waited.expect("it happens within a virtual hour")
}

/// Whether it is not ready yet.
pub(crate) async fn is_pending(what: &mut (impl Future + Unpin)) -> bool {
    let mut what = Pin::new(what);
    poll_fn(|cx| Poll::Ready(what.as_mut().poll(cx).is_pending())).await
}

/// Lets everything happen that happens without anybody else's doing.
pub(crate) async fn settle() {
    assert!(tokio::time::timeout(Duration::from_millis(50), std::future::pending::<()>()).await.is_err());
}

pub(crate) fn system() -> System {
    System::new().expect("the test runs in a runtime and unwinds")
}

/// A reason without the place of a panic.
pub(crate) fn short(reason: &ExitReason) -> String {
    match reason {
        ExitReason::Panic(report) => format!("panic {}", report.text),
        other => other.to_string(),
    }
}

/// Runs something beside the test, as a publisher that is no actor would.
#[expect(clippy::disallowed_methods, reason = "a publisher that is no actor is what is meant")]
pub(crate) fn aside<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::spawn(work)
}
