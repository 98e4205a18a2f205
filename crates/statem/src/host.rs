//! The actor that a machine is for everybody else: asks the machine, asks the discipline what follows, and does it.
//!
//! Each event is a message of its own to the runtime, also one that is inserted, comes again or is due at once: it is put
//! at the head of the lane when its turn has come, so that orders are obeyed and a crash is charged to the event that
//! caused it. Hence rule 1: what comes from the lane by itself finds nothing that waits before it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;

use minder_runtime::{Actor, Context, ExitReason, Handled, Moment, Notice, Postponed, TimeoutId, Winding};

use crate::discipline::{Command, Discipline, Held, Step};
use crate::machine::StateMachine;
use crate::not_taken::{NotTaken, name_of};
use crate::timeout::{Timeout, When};
use crate::transition::{Actions, Start, To, Transition};
use crate::window::{Pane, Show, Window};

/// A state machine as an actor: see [`machine`].
pub struct Machine<M: StateMachine> {
    logic: M,
    /// None until `init` has returned.
    state: Option<M::State>,
    /// What waits, and which time-outs run.
    discipline: Discipline<Postponed, M::Event, M::Name>,
    clocks: Clocks<M::Name>,
    /// Whether the message that comes next is the machine's own: it was put at the head of the lane.
    own_comes: bool,
    /// Whoever looks; boxed, since few are looked at.
    window: Option<Box<dyn Show<M>>>,
}

/// Makes an actor of a state machine: `system.spawn(|| machine(Light::new()))`, `actor("light", || machine(Light::new()))`.
/// Its messages are the machine's events.
pub fn machine<M: StateMachine>(logic: M) -> Machine<M> {
    Machine {
        logic,
        state: None,
        discipline: Discipline::default(),
        clocks: Clocks { of: HashMap::new(), which: HashMap::new() },
        own_comes: false,
        window: None,
    }
}

impl<M: StateMachine<State: Clone>> Machine<M> {
    /// Shows what it is about, for as long as this life lasts.
    ///
    /// ```
    /// # use minder_runtime::{Actor, Context, ExitReason, System};
    /// # use minder_statem::{Start, StateMachine, Transition, Window, machine, next, start};
    /// # struct Light;
    /// # #[derive(Clone, Debug, PartialEq)]
    /// # enum State { Red, Green }
    /// # #[derive(Debug)]
    /// # struct Turn;
    /// # impl StateMachine for Light {
    /// #     type State = State;
    /// #     type Event = Turn;
    /// #     type Name = ();
    /// #     async fn init(&mut self, _: &mut Context<Turn>) -> Result<Start<Self>, ExitReason> {
    /// #         Ok(start(State::Red))
    /// #     }
    /// #     async fn handle(&mut self, _: &State, _: Turn, _: &mut Context<Turn>)
    /// #     -> Result<Transition<Self>, ExitReason> {
    /// #         Ok(next(State::Green))
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let system = System::new()?;
    /// let window = Window::new();
    /// let seen_through = window.clone();
    /// let light = system.spawn(move || machine(Light).seen_through(&seen_through))?;
    /// light.tell(Turn)?;
    /// let status = window.until(|status| status.state == State::Green).await;
    /// assert_eq!((status.postponed, status.timeouts.len()), (0, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn seen_through(mut self, window: &Window<M::State, M::Name>) -> Self {
        self.window = Some(Box::new(Pane::new(window)));
        self
    }
}

impl<M: StateMachine> Actor for Machine<M> {
    type Msg = M::Event;

    async fn started(&mut self, context: &mut Context<M::Event>) -> Handled {
        let Start { state, inserted, mut actions } = self.logic.init(context).await?;
        actions.answer();
        let state = self.state.insert(state);
        let mut entered = self.logic.enter(state, state, context).await?;
        entered.actions.answer();
        actions.timeouts.append(&mut entered.actions.timeouts);
        let step = Step { changed: false, postponed: None, inserted, timeouts: actions.timeouts };
        self.settle(step, context);
        self.go_on(context);
        Ok(())
    }

    async fn handle(&mut self, event: M::Event, context: &mut Context<M::Event>) -> Handled {
        let own = std::mem::take(&mut self.own_comes);
        self.take(event, own, context).await
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<M::Event>) -> Handled {
        if let Notice::Timeout(id) = notice
            && let Some(which) = self.clocks.ran_down(id)
        {
            let event = self.discipline.fired(&which).expect("a clock belongs to a running time-out");
            return self.take(event, true, context).await;
        }
        match self.logic.notice(notice) {
            Ok(Some(event)) => self.take(event, true, context).await,
            Ok(None) => Ok(()),
            Err(notice) => Err(self.not_taken(name_of(&notice))),
        }
    }

    fn redelivery(event: &M::Event) -> Option<M::Event> {
        M::redelivery(event)
    }

    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<M::Event>) -> Winding {
        match &self.state {
            Some(state) => self.logic.stop_requested(state, reason, context),
            None => Winding::Done,
        }
    }

    async fn stopping(&mut self, reason: &ExitReason, context: &mut Context<M::Event>) {
        if let Some(state) = &self.state {
            self.logic.stopping(state, reason, context).await;
        }
    }

    fn format_status(&self) -> Option<String> {
        self.logic.format_status(self.state.as_ref()?)
    }

    /// The data and the state, each by its type.
    fn sys_state(&mut self, wanted: TypeId) -> &mut dyn Any {
        if wanted == TypeId::of::<M>() {
            return &mut self.logic;
        }
        if wanted == TypeId::of::<M::State>() {
            return self.state.as_mut().expect("nothing is asked of it before it has started");
        }
        self
    }
}

impl<M: StateMachine> Machine<M> {
    /// One event. `own`: whether it came otherwise than through the lane, so that nobody keeps it there.
    async fn take(&mut self, event: M::Event, own: bool, context: &mut Context<M::Event>) -> Handled {
        if let Some(command) = self.discipline.begin() {
            self.clocks.obey(command, context);
        }
        let state = self.state.as_mut().expect("an event comes after the start");
        let Transition { to, postponed, inserted, mut actions } =
            self.logic.handle(state, event, context).await?;
        if let To::NotTaken(event) = to {
            return Err(self.not_taken(event));
        }
        actions.answer();
        let mut changed = false;
        let entered = match to {
            To::Next(next) if next != *state => {
                changed = true;
                let from = std::mem::replace(state, next);
                Some(self.logic.enter(&from, state, context).await?)
            }
            To::Repeat => Some(self.logic.enter(state, state, context).await?),
            To::Keep | To::Next(_) => None,
            To::Stop(reason) => {
                context.stop(reason);
                if let Some(event) = postponed.filter(|_| !own) {
                    // Not retried in this life, so it is left to the next.
                    let _ = context.postpone(event);
                }
                return Ok(());
            }
            To::NotTaken(_) => unreachable!("seen to above"),
        };
        if let Some(mut entered) = entered {
            entered.actions.answer();
            actions.timeouts.append(&mut entered.actions.timeouts);
        }
        let postponed = postponed.map(|event| match own {
            true => Held::Own(event),
            false => Held::Lane(context.postpone(event)),
        });
        self.settle(Step { changed, postponed, inserted, timeouts: actions.timeouts }, context);
        self.go_on(context);
        Ok(())
    }

    fn settle(&mut self, step: Step<Postponed, M::Event, M::Name>, context: &mut Context<M::Event>) {
        for command in self.discipline.settle(step) {
            self.clocks.obey(command, context);
        }
    }

    /// An event is done with: shows what has come of it, and puts what is handled next at the head of the lane, if it is
    /// not what stands there.
    fn go_on(&mut self, context: &mut Context<M::Event>) {
        if let (Some(window), Some(state)) = (&self.window, &self.state) {
            window.show(state, &self.discipline);
        }
        while let Some(held) = self.discipline.next() {
            match held {
                Held::Lane(postponed) => {
                    if context.retry(postponed) {
                        return;
                    }
                    // Nobody waits for its answer any more: the next one.
                }
                Held::Own(event) => {
                    context.tell_self_next(event);
                    self.own_comes = true;
                    return;
                }
            }
        }
    }

    fn not_taken(&self, event: String) -> ExitReason {
        ExitReason::error(match &self.state {
            Some(state) => NotTaken::new(state, event),
            None => NotTaken::new(&(), event),
        })
    }
}

impl<M: StateMachine> Actions<M> {
    fn answer(&mut self) {
        self.replies.drain(..).for_each(|reply| reply());
    }
}

/// The clocks of the time-outs that run by one.
struct Clocks<N> {
    of: HashMap<Timeout<N>, TimeoutId>,
    which: HashMap<TimeoutId, Timeout<N>>,
}

impl<N: Clone + Eq + std::hash::Hash> Clocks<N> {
    fn obey<E: Send + 'static>(&mut self, command: Command<N>, context: &mut Context<E>) {
        match command {
            Command::Start(which, when) => {
                let after = match when {
                    When::After(after) => after,
                    When::At(moment) => moment.since(context.now()),
                    When::Never => Moment::END.since(context.now()),
                };
                let id = context.start_timeout(after);
                self.of.insert(which.clone(), id);
                self.which.insert(id, which);
            }
            Command::Stop(which) => {
                if let Some(id) = self.of.remove(&which) {
                    self.which.remove(&id);
                    context.cancel_timeout(id);
                }
            }
        }
    }

    fn ran_down(&mut self, id: TimeoutId) -> Option<Timeout<N>> {
        let which = self.which.remove(&id)?;
        self.of.remove(&which);
        Some(which)
    }
}

impl<M: StateMachine> fmt::Debug for Machine<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("state", &self.state)
            .field("postponed", &self.discipline.postponed())
            .finish_non_exhaustive()
    }
}
