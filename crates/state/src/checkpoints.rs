//! One actor's checkpoints as the program holds them: under which name, when they are written, and what happens when they
//! cannot be.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use minder_runtime::AskError;

use crate::checkpointed::Checkpoint;
use crate::keeper::{KeeperMsg, Request, Vault};
use crate::packing::{Packs, Place};
use crate::record::{Receipt, Record};
use crate::report::{LoadError, Report, SaveError};
use crate::store::{Entry, Shelf, Store};

/// How long a store is waited for: less than the five seconds that a child is given to stop.
const WITHIN: Duration = Duration::from_secs(2);

/// What a store that fails, or is slow, means for the actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It goes on, and the failure is reported. A life whose checkpoints could not be read begins clean, and writes none:
    /// they would take the place of those.
    #[default]
    GoOn,
    /// It ends with the failure as its reason: a start at once, a life with the next message that it has handled.
    Crash,
}

/// The checkpoints of one actor, over all its lives. Clones are the same. Made by [`Vault::checkpoints`].
///
/// Written only on demand unless said otherwise.
pub struct Checkpoints<T: Store> {
    pub(crate) vault: Vault<T>,
    pub(crate) record: Arc<Record>,
    pub(crate) every: Option<u32>,
    pub(crate) at_stop: bool,
    pub(crate) within: Duration,
    pub(crate) on_failure: OnFailure,
}

impl<T: Store> Checkpoints<T> {
    pub(crate) fn new(vault: Vault<T>, name: Arc<str>) -> Self {
        Self {
            vault,
            record: Arc::new(Record::new(name)),
            every: None,
            at_stop: false,
            within: WITHIN,
            on_failure: OnFailure::default(),
        }
    }

    /// Writes one after every so many messages. Nobody waits for it; while one is on its way no other is begun, so a slow
    /// store gets fewer of them.
    #[must_use]
    pub fn every(mut self, messages: u32) -> Self {
        self.every = Some(messages.max(1));
        self
    }

    /// Writes one at an orderly end, after the actor's own [`stopping`](minder_runtime::Actor::stopping), and waits until
    /// it is written. Where that hook does not run there is none: an actor that is to be stopped in order traps exits.
    #[must_use]
    pub fn at_stop(mut self) -> Self {
        self.at_stop = true;
        self
    }

    /// How long the store is waited for; 2 seconds unless said otherwise.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// What a failure of the store means for the actor.
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// On demand, from a handler: a checkpoint is to be written when the message in hand has been handled. Nobody waits
    /// for it.
    pub fn request(&self) {
        self.record.request();
    }

    /// On demand, from a handler: writes a checkpoint of the actor as it is now, and waits until it is written. For an
    /// answer that is to be given only then. Returns its number.
    ///
    /// # Errors
    /// Why it was not written, or may not have been. It is reported as well; what it means is the handler's to decide.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait; a checkpoint that the keeper has not taken up by then may not be written.
    pub fn save<A>(&self, actor: &A) -> impl Future<Output = Result<u64, SaveError>> + Send + use<A, T>
    where
        A: Checkpoint,
        T: Packs<A::Snapshot>,
    {
        let packed = self.pack(actor, true);
        let (vault, within) = (self.vault.clone(), self.within);
        async move {
            let (number, entry, receipt) = packed?;
            commit(&vault, within, entry, receipt).await?;
            Ok(number)
        }
    }

    /// What happened to them, the last 32 reports.
    pub fn reports(&self) -> Vec<Report> {
        self.record.reports()
    }

    /// The number of the checkpoint that the present life was restored from, or has written last.
    pub fn last(&self) -> Option<u64> {
        self.record.base()
    }

    /// The next checkpoint, ready to be sent.
    pub(crate) fn pack<A>(
        &self,
        actor: &A,
        awaited: bool,
    ) -> Result<(u64, Entry<T::Packed>, Receipt), SaveError>
    where
        A: Checkpoint,
        T: Packs<A::Snapshot>,
    {
        let proposal = self.record.propose(awaited)?;
        let (name, number) = (self.record.name.clone(), proposal.number);
        let place = Place { name: name.clone(), number, version: A::VERSION };
        match T::pack(&place, actor.snapshot()) {
            Ok(packed) => {
                let entry = Entry { name, ladder: proposal.ladder, snapshot: Some((number, packed)) };
                Ok((number, entry, proposal.receipt))
            }
            Err(why) => {
                proposal.receipt.settle(Err(SaveError::Pack(why.clone())));
                Err(SaveError::Pack(why))
            }
        }
    }

    /// Asks the keeper what there is.
    pub(crate) async fn load(self) -> Result<Shelf<T::Packed>, LoadError> {
        let name = self.record.name.clone();
        let load = |reply| KeeperMsg(Request::Load(name, reply));
        let loaded = self.vault.address().ask_within(self.within, load).await;
        loaded
            .map_err(|error| match error {
                AskError::TimedOut => LoadError::TimedOut,
                AskError::Crashed(reason) | AskError::Stopped(reason, _) | AskError::Purged(reason) => {
                    LoadError::Ended(reason)
                }
                _ => LoadError::Refused,
            })?
            .map_err(LoadError::Store)
    }
}

/// Has an entry written, and waits for it.
pub(crate) async fn commit<T: Store>(
    vault: &Vault<T>,
    within: Duration,
    entry: Entry<T::Packed>,
    receipt: Receipt,
) -> Result<(), SaveError> {
    let commit = |reply| KeeperMsg(Request::Commit(entry, receipt, reply));
    let refused = |request: Option<KeeperMsg<T::Packed>>, error: SaveError| {
        if let Some(KeeperMsg(request)) = request {
            request.unsent(error.clone());
        }
        error
    };
    vault.address().ask_within(within, commit).await.map_err(|error| match error {
        AskError::TimedOut => SaveError::TimedOut,
        AskError::Full(message) => refused(Some(message), SaveError::Full),
        AskError::Stopped(reason, message) => refused(message, SaveError::Ended(reason)),
        _ => SaveError::Lost,
    })?
}

impl<T: Store> Clone for Checkpoints<T> {
    fn clone(&self) -> Self {
        Self { vault: self.vault.clone(), record: self.record.clone(), ..*self }
    }
}

impl<T: Store> fmt::Debug for Checkpoints<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoints").field("name", &self.record.name).finish_non_exhaustive()
    }
}
