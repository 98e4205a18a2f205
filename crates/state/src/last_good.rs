//! The last good state: an actor that is `Clone` is copied before each message, and the copy outlives a crash.
//!
//! Rule 1: what is kept is a state between two messages, never one that a message has been half through.
//! Rule 2: it is kept in the seat (`Context::keepsake`), so it ends with the seat, with the incarnation of the minder, and
//! with a restart of the whole group.
//! When a state is given up is decided in `ladder.rs`.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minder_runtime::{Actor, Context, ExitReason, Handled, IntoActor, Notice, Winding};

use crate::ladder::{Fate, Standing};

/// Makes the next life of an actor begin with the state that the last one had before the message that crashed it.
///
/// Takes a factory and is one: usable wherever a factory is. The actor is the same from outside, and in all its hooks.
///
/// | the last life … | the next one begins with |
/// |---|---|
/// | crashed at a message (a panic, an error, a kill or a limit at an await) | the state before that message |
/// | crashed between two messages | the state after the last one |
/// | crashed before it had handled anything | the state that it began with: restored, or made by the factory |
/// | began with a restored state, and so did the one before, and neither handled anything | what the factory makes |
/// | ended, not abnormally | what the factory makes |
/// | was restarted with its whole group | what the factory makes |
/// | was minded by an earlier incarnation of its supervisor | what the factory makes |
///
/// Under one-for-all and rest-for-one every restart is one of a group, even if the group is this actor alone: nothing is
/// kept there.
///
/// Notices count as messages. [`Actor::started`] runs on a restored state as on a new one, since that is where things are
/// opened; it is not run on the state that the last life's `started` had left, but on the one from before it.
///
/// It costs a clone before each message and notice, and its drop after it.
///
/// # When not to use this
/// For a state that is large, or holds what must not exist twice (a file, a connection); for a state that is wrong by
/// what it has seen, since only a fresh one helps there; and where the message that crashed the actor is idempotent and
/// was half carried out elsewhere. Nothing survives the process: for that there are checkpoints.
///
/// # OTP
/// Has nothing like it: a restarted process begins anew.
///
/// ```
/// # use minder_runtime::{Actor, Context, Handled, Reply, System};
/// use minder_state::last_good;
/// use minder_supervisors::{actor_in, one_for_one};
///
/// #[derive(Clone, Default)]
/// struct Counter(u64);
/// # enum Msg { Add(u64), Read(Reply<u64>) }
/// # impl Actor for Counter {
/// #     type Msg = Msg;
/// #     async fn handle(&mut self, message: Msg, _: &mut Context<Msg>) -> Handled {
/// #         match message {
/// #             Msg::Add(0) => panic!("nothing to add"),
/// #             Msg::Add(n) => self.0 += n,
/// #             Msg::Read(reply) => drop(reply.send(self.0)),
/// #         }
/// #         Ok(())
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let system = System::new()?;
/// let (counter, seat) = system.address();
/// let tree = one_for_one().child(actor_in("counter", seat, last_good(Counter::default)));
/// # tree.start(&system, "app").await?;
/// counter.tell(Msg::Add(5))?;
/// counter.tell(Msg::Add(0))?; // crashes it
/// assert_eq!(counter.ask(Msg::Read).await?, 5);
/// # Ok(())
/// # }
/// ```
pub fn last_good<R, F>(make: F) -> impl Fn() -> LastGood<R, F> + Clone + Send + Sync + 'static
where
    R: IntoActor<Actor: Clone> + 'static,
    F: Fn() -> R + Clone + Send + Sync + 'static,
{
    move || LastGood {
        make: make.clone(),
        actor: None,
        before: None,
        in_hand: false,
        has_handled: false,
        kept: None,
    }
}

/// The actor that [`last_good`] makes: the user's, and what is needed to outlive its crash.
pub struct LastGood<R: IntoActor<Actor: Clone>, F> {
    make: F,
    /// The user's, once it is started.
    actor: Option<R::Actor>,
    /// While something is handled, the state before it; before anything was handled, the state that was restored.
    before: Option<R::Actor>,
    /// Whether something is being handled, so that `actor` is not to be trusted.
    in_hand: bool,
    has_handled: bool,
    kept: Option<Arc<Kept<R::Actor>>>,
}

/// What stays in the seat.
struct Kept<A>(Mutex<Legacy<A>>);

struct Legacy<A> {
    /// Taken by the life that it is restored in, and put back at the end of that life.
    state: Option<A>,
    standing: Standing,
}

impl<A> Default for Kept<A> {
    fn default() -> Self {
        Self(Mutex::new(Legacy { state: None, standing: Standing::default() }))
    }
}

impl<A> Kept<A> {
    fn lock(&self) -> MutexGuard<'_, Legacy<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state to begin with, unless too many have begun with it in vain.
    fn take(&self) -> Option<A> {
        let mut legacy = self.lock();
        let state = legacy.state.take();
        if !legacy.standing.is_demoted() {
            return state;
        }
        legacy.standing = Standing::default();
        drop(legacy);
        drop(state); // user code: not under the lock
        None
    }

    fn leave(&self, state: Option<A>, standing: Standing) {
        let mut legacy = self.lock();
        legacy.standing = standing;
        let replaced = std::mem::replace(&mut legacy.state, state);
        drop(legacy);
        drop(replaced);
    }
}

impl<R: IntoActor<Actor: Clone>, F> LastGood<R, F> {
    fn actor(&mut self) -> &mut R::Actor {
        self.actor.as_mut().expect("a life that is started has its actor")
    }

    /// Something is about to be handled. Nothing is copied for the first time: what that would leave is what it began
    /// with, and not what its `started` has made of it.
    fn begin(&mut self) {
        if self.has_handled {
            self.before.clone_from(&self.actor);
        }
        self.in_hand = true;
    }

    /// It was handled to its end.
    fn end(&mut self) {
        self.in_hand = false;
        self.has_handled = true;
        // Not kept to save an allocation: what the copy holds would live longer than the actor means it to.
        self.before = None;
    }
}

impl<R, F> Actor for LastGood<R, F>
where
    R: IntoActor<Actor: Clone> + 'static,
    F: Fn() -> R + Send + 'static,
{
    type Msg = <R::Actor as Actor>::Msg;

    async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
        let kept = context.keepsake::<Kept<R::Actor>>();
        self.before = kept.take();
        self.kept = Some(kept.clone());
        context.at_end(move |reason: &ExitReason| {
            if !reason.is_abnormal() {
                kept.leave(None, Standing::default());
            }
        });
        let actor = match &self.before {
            Some(restored) => restored.clone(),
            None => match (self.make)().into_actor()? {
                Some(actor) => actor,
                None => {
                    context.ignore();
                    return Ok(());
                }
            },
        };
        self.actor.insert(actor).started(context).await
    }

    async fn handle(&mut self, message: Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
        self.begin();
        self.actor().handle(message, context).await?;
        self.end();
        Ok(())
    }

    #[inline]
    fn redelivery(message: &Self::Msg) -> Option<Self::Msg> {
        R::Actor::redelivery(message)
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<Self::Msg>) -> Handled {
        self.begin();
        self.actor().notice(notice, context).await?;
        self.end();
        Ok(())
    }

    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<Self::Msg>) -> Winding {
        let had_handled = self.has_handled;
        self.begin();
        let winding = self.actor().stop_requested(reason, context);
        // It has handled no message by that.
        self.in_hand = false;
        if had_handled {
            self.before = None;
        }
        winding
    }

    async fn stopping(&mut self, reason: &ExitReason, context: &mut Context<Self::Msg>) {
        self.actor().stopping(reason, context).await;
    }

    fn format_status(&self) -> Option<String> {
        self.actor.as_ref()?.format_status()
    }

    fn sys_state(&mut self, wanted: TypeId) -> &mut dyn Any {
        if wanted == TypeId::of::<Self>() {
            return self;
        }
        self.actor().sys_state(wanted)
    }
}

/// The end of the life: leaves the state to the next one. Whether it was an abnormal end is known a moment later, in what
/// was given to `Context::at_end`.
impl<R: IntoActor<Actor: Clone>, F> Drop for LastGood<R, F> {
    fn drop(&mut self) {
        let Some(kept) = self.kept.take() else { return };
        let good = if self.has_handled && !self.in_hand { self.actor.take() } else { self.before.take() };
        let fate = if self.has_handled { Fate::Proven } else { Fate::Died };
        let standing = if good.is_some() { kept.lock().standing.after(fate) } else { Standing::default() };
        kept.leave(good, standing);
    }
}

impl<R: IntoActor<Actor: Clone>, F> fmt::Debug for LastGood<R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastGood").field("has_handled", &self.has_handled).finish_non_exhaustive()
    }
}
