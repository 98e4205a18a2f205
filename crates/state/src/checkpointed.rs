//! An actor with checkpoints: the user's, and what restores it and writes them. What is restored is decided in `ladder.rs`,
//! what is known of the checkpoints stands in `record.rs`, and the keeper (`keeper.rs`) has them written.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use minder_runtime::{Actor, Context, ExitReason, Handled, IntoActor, Notice, Reply, TellError, Winding};

use crate::checkpoints::{Checkpoints, OnFailure, commit};
use crate::keeper::{KeeperMsg, Request};
use crate::packing::{Old, Packs, Place, Refusal, Unusable};
use crate::record::Record;
use crate::report::{Report, SaveError};
use crate::store::{Entry, Shelf, Store};

/// An actor whose state can be written down and taken up again.
pub trait Checkpoint: Actor {
    /// What is written down.
    type Snapshot: Send + 'static;

    /// The version of the snapshot's type: one more with each change of it that a store could not read otherwise.
    const VERSION: u16 = 1;

    /// The state as it is now. Called between two messages, and by [`Checkpoints::save`].
    fn snapshot(&self) -> Self::Snapshot;

    /// Takes a state up, in place of the one that the factory has made. Before [`Actor::started`], which runs on a
    /// restored state as on a new one.
    ///
    /// # Errors
    /// If this is no state to begin with: the one before it is tried next, on an actor made anew.
    fn restore(&mut self, snapshot: Self::Snapshot) -> Result<(), Refusal>;

    /// A snapshot of another version as one of this: newer ones come when a program is set back to an earlier version.
    ///
    /// # Errors
    /// If it is refused, which it is unless this is implemented. It stays in the store until others take its place.
    fn migrate(old: Old) -> Result<Self::Snapshot, Refusal> {
        let found = old.version();
        Err(Refusal::new(format!("it is of version {found}, and this program reads {}", Self::VERSION)))
    }
}

/// Makes each life of an actor begin with a checkpoint of the last: the newest, or else the one before, or else clean.
///
/// Takes a factory and is one: usable wherever a factory is. The actor is the same from outside, and in all its hooks.
///
/// | of a checkpoint | what is restored |
/// |---|---|
/// | that is undamaged | it |
/// | that is damaged, or refused by the actor | the one before it, or else nothing |
/// | from which two lives in a row were restored that died before they had handled anything | the same; for good, over restarts of the process too |
///
/// It is restored at every start: after a crash of the actor alone, with its group, and when the process begins. Messages
/// handled since the last checkpoint are not in it. Whatever is not restored is told: [`Checkpoints::reports`].
///
/// Deaths are counted by what this program has seen: a process that was killed counts for nobody, and the last death before
/// a process ends is forgotten.
///
/// # When not to use this
/// For what must not be lost once it is acknowledged, unless each acknowledgement waits for [`Checkpoints::save`]: then a
/// journal, or a database of one's own, is cheaper. For what can be read again from elsewhere.
///
/// In the memory of a sibling:
///
/// ```
/// # use minder_runtime::{Actor, Context, Handled, Reply, System};
/// # use minder_supervisors::{actor_in, one_for_one};
/// use minder_state::{Checkpoint, Memory, Refusal, Vault, checkpointed};
///
/// #[derive(Default)]
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
///
/// impl Checkpoint for Counter {
///     type Snapshot = u64;
///     fn snapshot(&self) -> u64 { self.0 }
///     fn restore(&mut self, count: u64) -> Result<(), Refusal> { self.0 = count; Ok(()) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let system = System::new()?;
/// # let (counter, seat) = system.address();
/// let (vault, keepers_seat) = Vault::<Memory>::new(&system);
/// let checkpoints = vault.checkpoints("counter").every(1);
/// let tree = one_for_one()
///     .child(actor_in("vault", keepers_seat, vault.keeper(Memory::open)))
///     .child(actor_in("counter", seat, checkpointed(checkpoints, Counter::default)));
/// # tree.start(&system, "app").await?;
/// counter.tell(Msg::Add(5))?;
/// counter.tell(Msg::Add(0))?; // crashes it
/// assert_eq!(counter.ask(Msg::Read).await?, 5);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "redb", doc = include_str!("redb_store/example.md"))]
pub fn checkpointed<T, R, F>(
    checkpoints: Checkpoints<T>,
    make: F,
) -> impl Fn() -> Checkpointed<T, R, F> + Clone + Send + Sync + 'static
where
    R: IntoActor<Actor: Checkpoint> + 'static,
    T: Packs<<R::Actor as Checkpoint>::Snapshot>,
    F: Fn() -> R + Clone + Send + Sync + 'static,
{
    move || Checkpointed {
        checkpoints: checkpoints.clone(),
        make: make.clone(),
        actor: None,
        has_handled: false,
        since: 0,
        due: false,
    }
}

/// The actor that [`checkpointed`] makes: the user's, and its checkpoints.
pub struct Checkpointed<T: Store, R: IntoActor, F> {
    checkpoints: Checkpoints<T>,
    make: F,
    /// The user's, once it is built.
    actor: Option<R::Actor>,
    has_handled: bool,
    /// Messages handled since the last checkpoint was begun.
    since: u32,
    /// A checkpoint is wanted, and waits until the last one is written.
    due: bool,
}

impl<T, R, F> Checkpointed<T, R, F>
where
    R: IntoActor<Actor: Checkpoint> + 'static,
    T: Packs<<R::Actor as Checkpoint>::Snapshot>,
    F: Fn() -> R + Send + 'static,
{
    fn actor(&mut self) -> &mut R::Actor {
        self.actor.as_mut().expect("a life that is started has its actor")
    }

    /// The actor from the best checkpoint that can be had, or clean; nothing if there is nothing to run.
    fn restored(&self, shelf: Option<&Shelf<T::Packed>>) -> Result<Option<R::Actor>, ExitReason> {
        let record = &self.checkpoints.record;
        for number in shelf.into_iter().flat_map(|shelf| shelf.ladder.candidates()) {
            // Whatever the user's code does to it from here on is held against this checkpoint.
            record.try_out(Some(number));
            match snapshot::<T, R::Actor>(record, shelf.and_then(|shelf| shelf.snapshot(number)), number) {
                Ok(snapshot) => {
                    let Some(mut actor) = (self.make)().into_actor()? else { return Ok(None) };
                    match actor.restore(snapshot) {
                        Ok(()) => {
                            record.report(Report::Began(Some(number)));
                            return Ok(Some(actor));
                        }
                        Err(refusal) => record.report(Report::Refused(number, refusal.to_string())),
                    }
                }
                Err(report) => record.report(report),
            }
        }
        record.try_out(None);
        record.report(Report::Began(None));
        (self.make)().into_actor()
    }

    /// Something was handled to its end: proves the checkpoint, and writes the next one if that is due.
    fn handled(&mut self, is_message: bool, context: &Context<<R::Actor as Actor>::Msg>) -> Handled {
        if !self.has_handled {
            self.has_handled = true;
            if self.checkpoints.record.proven() {
                self.send_standing();
            }
        }
        self.since = self.since.saturating_add(is_message.into());
        self.due |= self.checkpoints.every.is_some_and(|every| is_message && self.since >= every);
        if let Some(attention) = self.checkpoints.record.take_attention() {
            self.due |= attention.requested;
            if let (Some(failure), OnFailure::Crash) = (attention.failure, self.checkpoints.on_failure) {
                return Err(failure.into());
            }
        }
        if self.due {
            self.write(context);
        }
        Ok(())
    }

    /// Sends a checkpoint on its way, unless one is under way already.
    fn write(&mut self, context: &Context<<R::Actor as Actor>::Msg>) {
        let checkpoints = &self.checkpoints;
        if !checkpoints.record.may_write() {
            self.due = false; // and it was said when this life began
            return;
        }
        let now = context.now();
        if checkpoints.record.is_in_flight(now, checkpoints.within) {
            return;
        }
        (self.due, self.since) = (false, 0);
        let actor = self.actor.as_ref().expect("a life that is started has its actor");
        context.step("take a checkpoint");
        // What went wrong is told by the receipt.
        let Ok((number, entry, receipt)) = checkpoints.pack(actor, false) else { return };
        checkpoints.record.set_in_flight(number, now);
        context.step("send a checkpoint");
        send(checkpoints, entry, receipt);
    }

    /// Has it written down that the checkpoint has proven good.
    fn send_standing(&self) {
        let record = &self.checkpoints.record;
        if let Some((ladder, receipt)) = record.propose_standing(false) {
            send(&self.checkpoints, Entry { name: record.name.clone(), ladder, snapshot: None }, receipt);
        }
    }
}

/// Sends an entry that nobody waits for.
fn send<T: Store>(checkpoints: &Checkpoints<T>, entry: Entry<T::Packed>, receipt: crate::record::Receipt) {
    let message = KeeperMsg(Request::Commit(entry, receipt, Reply::nobody()));
    match checkpoints.vault.address().tell(message) {
        Ok(()) => {}
        Err(TellError::Full(KeeperMsg(request))) => request.unsent(SaveError::Full),
        Err(TellError::Stopped(reason, KeeperMsg(request))) => request.unsent(SaveError::Ended(reason)),
        // Dropped with its receipt, which says so.
        Err(_) => {}
    }
}

/// The snapshot of a checkpoint, or what to report of it.
fn snapshot<T, A>(record: &Record, packed: Option<&T::Packed>, number: u64) -> Result<A::Snapshot, Report>
where
    A: Checkpoint,
    T: Packs<A::Snapshot>,
{
    let mut place = Place { name: record.name.clone(), number, version: A::VERSION };
    let Some(packed) = packed else { return Err(Report::Damaged(Some(number), "there is none".into())) };
    match T::unpack(&place, packed) {
        Ok(snapshot) => Ok(snapshot),
        Err(Unusable::Damaged(why)) => Err(Report::Damaged(Some(number), why)),
        Err(Unusable::OtherVersion { version, bytes }) => {
            place.version = version;
            A::migrate(Old { place, bytes }).map_err(|refusal| Report::Refused(number, refusal.to_string()))
        }
    }
}

/// What there is, with what is known here and not written down yet. Nothing if it could not be read, and the actor goes on
/// all the same.
async fn load<T: Store>(checkpoints: Checkpoints<T>) -> Result<Option<Shelf<T::Packed>>, ExitReason> {
    let record = checkpoints.record.clone();
    let (vault, within, on_failure) = (checkpoints.vault.clone(), checkpoints.within, checkpoints.on_failure);
    let mut shelf = match checkpoints.load().await {
        Ok(shelf) => shelf,
        Err(error) => {
            record.report(Report::LoadFailed(error.clone()));
            return if on_failure == OnFailure::Crash { Err(error.into()) } else { Ok(None) };
        }
    };
    if let Some(damage) = shelf.damage.take() {
        record.report(Report::Damaged(None, damage));
    }
    let newer = record.bring_up_to_date(&shelf.ladder);
    let is_newer = newer.is_some();
    shelf.ladder = newer.unwrap_or(shelf.ladder);
    record.has_read(shelf.ladder.clone());
    if is_newer && let Some((ladder, receipt)) = record.propose_standing(true) {
        // Written down before the state gets another chance to do harm. If that fails it is known here all the same.
        let entry = Entry { name: record.name.clone(), ladder, snapshot: None };
        let written = commit(&vault, within, entry, receipt).await;
        if let (Err(error), OnFailure::Crash) = (written, on_failure) {
            return Err(error.into());
        }
    }
    Ok(Some(shelf))
}

impl<T, R, F> Actor for Checkpointed<T, R, F>
where
    R: IntoActor<Actor: Checkpoint> + 'static,
    T: Packs<<R::Actor as Checkpoint>::Snapshot>,
    F: Fn() -> R + Send + 'static,
{
    type Msg = <R::Actor as Actor>::Msg;

    async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
        let record: Arc<Record> = self.checkpoints.record.clone();
        record.begin_life();
        context.at_end(move |reason: &ExitReason| record.ended(reason));
        context.step("load the checkpoints");
        let shelf = load(self.checkpoints.clone()).await?;
        context.step("restore a checkpoint");
        let actor = self.restored(shelf.as_ref())?;
        drop(shelf);
        match actor {
            Some(actor) => self.actor.insert(actor).started(context).await,
            None => {
                context.ignore();
                Ok(())
            }
        }
    }

    async fn handle(&mut self, message: Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
        self.actor().handle(message, context).await?;
        self.handled(true, context)
    }

    #[inline]
    fn redelivery(message: &Self::Msg) -> Option<Self::Msg> {
        R::Actor::redelivery(message)
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<Self::Msg>) -> Handled {
        self.actor().notice(notice, context).await?;
        self.handled(false, context)
    }

    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<Self::Msg>) -> Winding {
        self.actor().stop_requested(reason, context)
    }

    async fn stopping(&mut self, reason: &ExitReason, context: &mut Context<Self::Msg>) {
        self.actor().stopping(reason, context).await;
        let record = &self.checkpoints.record;
        // A state that a failed handler has been half through is not to be written down.
        if !self.checkpoints.at_stop || reason.is_abnormal() || !record.may_write() {
            return;
        }
        if self.since == 0 && !record.is_in_flight(context.now(), self.checkpoints.within) {
            return;
        }
        context.step("take a last checkpoint");
        let actor = self.actor.as_ref().expect("a life that is started has its actor");
        // Reported if it fails: the actor ends in any case.
        drop(self.checkpoints.save(actor).await);
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

impl<T: Store, R: IntoActor, F> fmt::Debug for Checkpointed<T, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpointed").field("checkpoints", &self.checkpoints).finish_non_exhaustive()
    }
}
