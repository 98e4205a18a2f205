//! State over restarts. What a new life of an actor knows is one of three:
//!
//! * **nothing** (the default, and without this crate): its factory builds it anew. A restart is there to get rid of a
//!   state that is wrong, and a state that can be read again from elsewhere is best read again;
//! * **its last good state**, [`last_good`]: the one before the message that crashed it, for actors that are `Clone`.
//!
//! * **a checkpoint**, [`checkpointed`]: what it has written down through a [`Keeper`], in the memory of a sibling
//!   ([`Memory`]), on disk (`RedbStore`, with the feature `redb`), or in a [`Store`] of one's own.
//!
//! Where to start reading: `ladder.rs` (what is restored next, pure); then `last_good.rs`; then `checkpointed.rs` (the
//! actor's side), `record.rs` (what is known of its checkpoints) and `keeper.rs` (the store's side).

mod checkpointed;
mod checkpoints;
mod keeper;
pub mod ladder;
mod last_good;
mod memory;
mod packing;
mod record;
#[cfg(feature = "redb")]
mod redb_store;
mod report;
mod store;

pub use checkpointed::{Checkpoint, Checkpointed, checkpointed};
pub use checkpoints::{Checkpoints, OnFailure};
pub use keeper::{Keeper, KeeperMsg, Vault};
pub use last_good::{LastGood, last_good};
pub use memory::Memory;
pub use packing::{Old, Packs, Place, Refusal, Unusable};
#[cfg(feature = "redb")]
pub use redb_store::RedbStore;
pub use report::{LoadError, Report, SaveError};
pub use store::{Entry, Shelf, Store, StoreError};
