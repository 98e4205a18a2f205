//! The promises of state over restarts, each broken on purpose: see `main.rs`.

mod state_checkpoints;
mod state_keepsake;
mod state_last_good;
mod state_redb;
mod state_support;
#[allow(dead_code, reason = "each part of the promises uses some of it")]
mod support;
