//! The bank's actors and their tree. Where to start reading: `tree.rs`, then a transfer's way: `gateway.rs`,
//! `ledger.rs`, `store_actor.rs`. None of them keeps a promise in memory that is not on disk: whatever crashes is
//! built anew, and whatever was under way is sent again under the same id.

pub mod auditor;
pub mod gateway;
pub mod ledger;
pub mod retrier;
pub mod store_actor;
pub mod tree;

pub use gateway::GatewayMsg;
pub use tree::{Bank, BankParts};
