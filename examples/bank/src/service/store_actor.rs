//! The store actor: owns the database, alone, and commits what the ledgers send in groups.
//!
//! Group commit without a timer: the first work puts a `Flush` at the end of the actor's own lane, so that everything
//! that was queued by then is committed together. An answer leaves only when the commit is on disk. When the database
//! fails, the actor ends: nobody knows what is on disk then but a newly opened database.

use minder::prelude::*;

use crate::accounts::Account;
use crate::store::{Done, Store, StoreError, Work, WorkError};

/// What the store actor takes.
#[derive(Debug)]
pub enum StoreMsg {
    /// Tell the accounts of a partition, as they are on disk when all works sent before are.
    Accounts(u16, Reply<Vec<Account>>),
    /// Commit this, and tell what became of it.
    Commit(Work, Reply<Result<Done, WorkError>>),
    /// Commit what has come together; the actor's own.
    Flush,
}

/// See the file's head.
pub struct StoreActor<S, O> {
    open: O,
    /// Out of its place only while a blocking call has it.
    store: Option<S>,
    waiting: Vec<(Work, Reply<Result<Done, WorkError>>)>,
}

impl<S, O> StoreActor<S, O>
where
    S: Store,
    O: Fn() -> Result<S, StoreError> + Clone + Send + 'static,
{
    /// The owner of the store that `open` opens when the actor starts.
    pub fn new(open: O) -> Self {
        Self { open, store: None, waiting: Vec::new() }
    }

    /// Runs something on the store, where it may block.
    async fn with_store<T: Send + 'static>(
        &mut self,
        context: &mut Context<StoreMsg>,
        work: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> T {
        let mut store = self.store.take().expect("the store is in its place between two messages");
        let (store, result) = context
            .blocking(move || {
                let result = work(&mut store);
                (store, result)
            })
            .await;
        self.store = Some(store);
        result
    }

    async fn flush(&mut self, context: &mut Context<StoreMsg>) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let (works, replies): (Vec<Work>, Vec<_>) = self.waiting.drain(..).unzip();
        let results = self.with_store(context, move |store| store.commit(&works)).await?;
        for (reply, result) in replies.into_iter().zip(results) {
            // A ledger that is gone will rebuild its books from the disk, where this is now.
            drop(reply.send(result));
        }
        Ok(())
    }
}

impl<S, O> Actor for StoreActor<S, O>
where
    S: Store,
    O: Fn() -> Result<S, StoreError> + Clone + Send + 'static,
{
    type Msg = StoreMsg;

    async fn started(&mut self, context: &mut Context<StoreMsg>) -> Handled {
        let open = self.open.clone();
        self.store = Some(context.blocking(open).await?);
        Ok(())
    }

    async fn handle(&mut self, message: StoreMsg, context: &mut Context<StoreMsg>) -> Handled {
        match message {
            StoreMsg::Commit(work, reply) => {
                if self.waiting.is_empty() {
                    context.tell_self(StoreMsg::Flush);
                }
                self.waiting.push((work, reply));
            }
            StoreMsg::Flush => self.flush(context).await?,
            StoreMsg::Accounts(partition, reply) => {
                // What was sent before must be seen: a ledger that restarts rebuilds its books from this.
                self.flush(context).await?;
                let accounts = self.with_store(context, move |store| store.accounts(partition)).await?;
                drop(reply.send(accounts));
            }
        }
        Ok(())
    }
}

impl<S, O> std::fmt::Debug for StoreActor<S, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreActor").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}
