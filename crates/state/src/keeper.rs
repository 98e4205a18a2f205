//! The keeper: the actor that owns a store, alone, and serves the actors whose checkpoints are in it.
//!
//! Group commit without a timer: the first entry puts a `Flush` at the end of the keeper's own lane, so that everything that
//! was queued by then is committed together. An entry is acknowledged only when it is committed.
//! A store that fails does not take the keeper down: it is dropped, and opened anew for what comes next. One that panics
//! does, as any code would.

use std::fmt;
use std::sync::Arc;

use minder_runtime::{Actor, Addr, Context, Handled, MailboxOptions, Reply, Seat, System, WhenFull};

use crate::checkpoints::Checkpoints;
use crate::record::Receipt;
use crate::report::SaveError;
use crate::store::{Entry, Shelf, Store, StoreError};

/// The bound of a keeper's mailbox. Beyond it those who start wait, within their deadline, and a checkpoint is not written.
const MAILBOX: MailboxOptions = MailboxOptions::bounded(1024, WhenFull::Wait);

/// A place for checkpoints, as those who keep theirs there know it: the address of its [`Keeper`].
pub struct Vault<T: Store> {
    keeper: Addr<KeeperMsg<T::Packed>>,
}

/// What a keeper is sent: by actors whose checkpoints it keeps, and by itself.
pub struct KeeperMsg<P>(pub(crate) Request<P>);

pub(crate) enum Request<P> {
    Load(Arc<str>, Reply<Result<Shelf<P>, StoreError>>),
    /// Acknowledged by its receipt, and to whoever asks.
    Commit(Entry<P>, Receipt, Reply<Result<(), SaveError>>),
    Flush,
}

impl<P> Request<P> {
    /// It came back, and was not sent.
    pub(crate) fn unsent(self, error: SaveError) {
        if let Self::Commit(_, receipt, _) = self {
            receipt.settle(Err(error));
        }
    }
}

/// Keeps checkpoints in a store. Made by [`Vault::keeper`].
pub struct Keeper<T: Store, O> {
    open: O,
    /// Out of its place while a call has it, and gone after one that failed.
    store: Option<T>,
    waiting: Vec<Waiting<T::Packed>>,
}

/// An entry for the next commit, and who is told of that.
struct Waiting<P> {
    entry: Entry<P>,
    receipt: Receipt,
    reply: Reply<Result<(), SaveError>>,
}

impl<T: Store> Vault<T> {
    /// A place for checkpoints, and the seat for its keeper.
    pub fn new(system: &System) -> (Self, Seat<KeeperMsg<T::Packed>>) {
        let (keeper, seat) = system.address_with(MAILBOX);
        (Self { keeper }, seat)
    }

    /// The factory of the keeper, a child like any other, to be started in the seat that came with this and before
    /// those it serves. `open` opens the store, at each start and after each failure; if it cannot at a start, that has
    /// failed.
    ///
    /// What becomes of those it serves when it crashes is said by the tree: nothing under one-for-one, and they are
    /// restarted, from what a durable store has kept, under rest-for-one. A supervisor does one thing at a time: a keeper
    /// that ends while another child of the same supervisor starts is started again only after that, and the child has
    /// waited in vain. Under a supervisor of its own it is back at once.
    pub fn keeper<O>(&self, open: O) -> impl Fn() -> Keeper<T, O> + Clone + Send + Sync + 'static
    where
        O: Fn() -> Result<T, StoreError> + Clone + Send + Sync + 'static,
    {
        move || Keeper { open: open.clone(), store: None, waiting: Vec::new() }
    }

    /// The checkpoints of one actor, under a name that no other actor uses. To be made once for all lives of the actor,
    /// outside its factory.
    pub fn checkpoints(&self, name: impl Into<Arc<str>>) -> Checkpoints<T> {
        Checkpoints::new(self.clone(), name.into())
    }

    pub(crate) fn address(&self) -> &Addr<KeeperMsg<T::Packed>> {
        &self.keeper
    }
}

impl<T, O> Keeper<T, O>
where
    T: Store,
    O: Fn() -> Result<T, StoreError> + Clone + Send + 'static,
{
    /// Runs something on the store, where it may block.
    async fn with_store<V: Send + 'static>(
        &mut self,
        context: &mut Context<KeeperMsg<T::Packed>>,
        work: impl FnOnce(&mut T) -> Result<V, StoreError> + Send + 'static,
    ) -> Result<V, StoreError> {
        let (open, store) = (self.open.clone(), self.store.take());
        // What has failed is dropped in here, where that may block as well.
        let call = move || {
            let mut store = match store {
                Some(store) => store,
                None => open()?,
            };
            let done = work(&mut store)?;
            Ok((store, done))
        };
        let (store, done) = if T::BLOCKS { context.blocking(call).await? } else { call()? };
        self.store = Some(store);
        Ok(done)
    }

    async fn flush(&mut self, context: &mut Context<KeeperMsg<T::Packed>>) {
        if self.waiting.is_empty() {
            return;
        }
        let mut entries = Vec::with_capacity(self.waiting.len());
        let mut receipts = Vec::with_capacity(self.waiting.len());
        for Waiting { entry, receipt, reply } in self.waiting.drain(..) {
            entries.push(entry);
            receipts.push((receipt, reply));
        }
        context.step("commit checkpoints");
        let done = self.with_store(context, move |store| store.commit(&entries)).await;
        context.step("acknowledge checkpoints");
        for (receipt, reply) in receipts {
            let done = done.clone().map_err(SaveError::Store);
            receipt.settle(done.clone());
            // Whoever did not wait for it is told by the receipt.
            drop(reply.send(done));
        }
    }
}

impl<T, O> Actor for Keeper<T, O>
where
    T: Store,
    O: Fn() -> Result<T, StoreError> + Clone + Send + 'static,
{
    type Msg = KeeperMsg<T::Packed>;

    async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
        context.step("open the store");
        self.with_store(context, |_| Ok(())).await?;
        Ok(())
    }

    async fn handle(&mut self, KeeperMsg(request): Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
        match request {
            Request::Commit(entry, receipt, reply) => {
                if self.waiting.is_empty() {
                    context.tell_self(KeeperMsg(Request::Flush));
                }
                self.waiting.push(Waiting { entry, receipt, reply });
            }
            Request::Flush => self.flush(context).await,
            Request::Load(name, reply) => {
                // What was written before must be seen: an actor that restarts reads what its last life has left.
                self.flush(context).await;
                context.step("load checkpoints");
                drop(reply.send(self.with_store(context, move |store| store.load(&name)).await));
            }
        }
        Ok(())
    }

    /// A start does not fail because the keeper crashed meanwhile.
    fn redelivery(KeeperMsg(request): &Self::Msg) -> Option<Self::Msg> {
        match request {
            Request::Load(name, reply) => Some(KeeperMsg(Request::Load(name.clone(), reply.twin()))),
            Request::Commit(..) | Request::Flush => None,
        }
    }
}

impl<T: Store> Clone for Vault<T> {
    fn clone(&self) -> Self {
        Self { keeper: self.keeper.clone() }
    }
}

impl<T: Store> fmt::Debug for Vault<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({:?})", self.keeper)
    }
}

impl<P> fmt::Debug for KeeperMsg<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Request::Load(..) => "Load",
            Request::Commit(..) => "Commit",
            Request::Flush => "Flush",
        })
    }
}

impl<T: Store, O> fmt::Debug for Keeper<T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}
