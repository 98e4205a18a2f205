//! An actor that plays the rest of the world: what is under test is given its address, and the test looks at what
//! arrives there, and says what is answered.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minder::{
    Actor, ActorId, Addr, Context, Exit, ExitReason, Handled, MonitorId, Notice, StartActorError, System,
};
use minder_runtime::hooks::Target;
use tokio::sync::oneshot;

use crate::sim::World;

/// How much simulated time [`Probe::next`] waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whose exit signal a probe takes for the test's sign that there is something to do. Cells are counted from 1.
const TEST: ActorId = ActorId::new(0, 0);

/// What a probe does with a message: nothing is left of it, or it is written down.
type Script<M> = Box<dyn FnMut(M) -> Option<M> + Send>;
type Deed<M> = Box<dyn FnOnce(&mut Context<M>) + Send>;

/// The test's end of an actor that plays a part. Made by [`Kit::probe`](super::Kit::probe).
///
/// It writes down what it gets, unless a script has dealt with it. It traps exits and writes notices down as well.
pub struct Probe<M: Send + 'static> {
    address: Addr<M>,
    world: World,
    part: Arc<Part<M>>,
}

struct Part<M> {
    state: Mutex<State<M>>,
}

struct State<M> {
    received: VecDeque<M>,
    notices: VecDeque<Notice>,
    /// For one message each, in turn; then `standing`.
    once: VecDeque<Script<M>>,
    standing: Option<Script<M>>,
    deeds: VecDeque<Deed<M>>,
}

impl<M> Part<M> {
    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a script back, unless the test has set another one meanwhile.
    fn stands_again(&self, script: Script<M>) {
        let mut state = self.lock();
        if state.standing.is_none() {
            state.standing = Some(script);
        }
    }
}

impl<M: Send + 'static> Probe<M> {
    pub(super) async fn start(world: World, system: &System, name: &str) -> Result<Self, StartActorError> {
        let state = State {
            received: VecDeque::new(),
            notices: VecDeque::new(),
            once: VecDeque::new(),
            standing: None,
            deeds: VecDeque::new(),
        };
        let part = Arc::new(Part { state: Mutex::new(state) });
        let (address, seat) = system.address();
        let its = part.clone();
        system.start(seat, name, move || Player { part: its }).await?;
        Ok(Self { address, world, part })
    }

    /// Its address, for whoever is under test.
    pub fn address(&self) -> &Addr<M> {
        &self.address
    }

    // --- what it got -------------------------------------------------------------------------------------------

    /// The next message that it got, waiting for one up to a minute of simulated time.
    ///
    /// # Panics
    /// If none came, or if the probe has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn next(&mut self) -> M {
        let part = self.part.clone();
        self.world.until(PATIENCE, || !part.lock().received.is_empty()).await;
        self.try_next().unwrap_or_else(|| self.got_none("message"))
    }

    /// The next message that it got, if there is one.
    pub fn try_next(&mut self) -> Option<M> {
        self.part.lock().received.pop_front()
    }

    /// The messages that it got and that have not been looked at.
    pub fn received(&mut self) -> Vec<M> {
        self.part.lock().received.drain(..).collect()
    }

    /// The next notice that it got, as [`Probe::next`].
    ///
    /// # Panics
    /// If none came, or if the probe has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn next_notice(&mut self) -> Notice {
        let part = self.part.clone();
        self.world.until(PATIENCE, || !part.lock().notices.is_empty()).await;
        let notice = self.part.lock().notices.pop_front();
        notice.unwrap_or_else(|| self.got_none("notice"))
    }

    /// The notices that it got and that have not been looked at: downs, and exits of those it is linked to.
    pub fn notices(&mut self) -> Vec<Notice> {
        self.part.lock().notices.drain(..).collect()
    }

    fn got_none(&self, what: &str) -> ! {
        let path = self.address.path();
        let seconds = PATIENCE.as_secs();
        if self.address.is_alive() {
            panic!("the probe `{path}` got no {what} within {seconds} s of simulated time");
        }
        panic!("the probe `{path}` has ended, and gets no {what} any more");
    }

    // --- what it answers ---------------------------------------------------------------------------------------

    /// Deals with every message from now on as `script` says: what it gives back is written down.
    pub fn answers(&mut self, script: impl FnMut(M) -> Option<M> + Send + 'static) {
        let replaced = self.part.lock().standing.replace(Box::new(script));
        drop(replaced); // code of the test: not under the lock
    }

    /// Deals with one message as `script` says, before what [`Probe::answers`] says; several in turn.
    pub fn answers_once(&mut self, script: impl FnOnce(M) -> Option<M> + Send + 'static) {
        let mut script = Some(script);
        let once = move |message| match script.take() {
            Some(script) => script(message),
            None => Some(message),
        };
        self.part.lock().once.push_back(Box::new(once));
    }

    // --- what it does ------------------------------------------------------------------------------------------

    /// Watches who lives at the address now; the notice is among [`Probe::notices`].
    ///
    /// # Panics
    /// If the probe has ended.
    pub async fn monitor<N: Send + 'static>(&self, other: &Addr<N>) -> MonitorId {
        let other = other.clone();
        self.does(move |context| context.monitor(&other)).await
    }

    /// Links itself with who lives at the address.
    ///
    /// # Panics
    /// If the probe has ended.
    pub async fn link<N: Send + 'static>(&self, other: &Addr<N>) {
        let other = other.clone();
        // It traps exits: that nobody lives there comes as a notice.
        let _ = self.does(move |context| context.link(&other)).await;
    }

    /// Ends, for this reason: whoever is linked to it or watches it is told.
    ///
    /// # Panics
    /// If the probe has ended.
    pub async fn ends(&self, reason: ExitReason) {
        self.does(move |context| context.stop(reason)).await;
        self.world.settle().await;
    }

    /// Does something as this actor, between two messages.
    ///
    /// # Panics
    /// If the probe has ended.
    pub async fn does<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Context<M>) -> T + Send + 'static,
    ) -> T {
        let (tell, told) = oneshot::channel();
        let deed = move |context: &mut Context<M>| drop(tell.send(what(context)));
        let target = Target::at(&self.address);
        if target.is_alive() {
            self.part.lock().deeds.push_back(Box::new(deed));
            target.notify(Notice::Exit(Exit { from: TEST, reason: ExitReason::Normal }));
        } else {
            drop(deed);
        }
        match told.await {
            Ok(value) => value,
            Err(_) => panic!("the probe `{}` has ended, and does nothing any more", self.address.path()),
        }
    }
}

impl<M: Send + 'static> fmt::Debug for Probe<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Probe({})", self.address.path())
    }
}

/// The actor.
struct Player<M> {
    part: Arc<Part<M>>,
}

impl<M: Send + 'static> Actor for Player<M> {
    type Msg = M;

    async fn started(&mut self, context: &mut Context<M>) -> Handled {
        context.trap_exit(true);
        Ok(())
    }

    async fn handle(&mut self, message: M, _: &mut Context<M>) -> Handled {
        // The script runs without the lock: it is code of the test, and may ask for what the lock protects.
        let once = self.part.lock().once.pop_front();
        let left = match once {
            Some(mut script) => script(message),
            None => {
                let standing = self.part.lock().standing.take();
                match standing {
                    Some(mut script) => {
                        let left = script(message);
                        self.part.stands_again(script);
                        left
                    }
                    None => Some(message),
                }
            }
        };
        self.part.lock().received.extend(left);
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<M>) -> Handled {
        if matches!(&notice, Notice::Exit(exit) if exit.from == TEST) {
            let deed = self.part.lock().deeds.pop_front();
            if let Some(deed) = deed {
                deed(context);
            }
        } else {
            self.part.lock().notices.push_back(notice);
        }
        Ok(())
    }
}

/// Whoever waits for what the probe was to do learns that it will not.
impl<M> Drop for Player<M> {
    fn drop(&mut self) {
        let deeds = std::mem::take(&mut self.part.lock().deeds);
        drop(deeds);
    }
}
