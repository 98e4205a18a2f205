//! What the bank's program can be asked for besides a run, a file each.

pub mod audit;
pub mod explain;
pub mod generate;
mod listing;
pub mod serve;
pub mod show;

use std::fmt::Display;
use std::process::ExitCode;

use crate::exit::Exit;

/// What a command comes to: nothing more to say, or its error on standard error.
fn conclude<E: Display>(result: Result<(), E>, exit: impl FnOnce(&E) -> Exit) -> ExitCode {
    match result {
        Ok(()) => Exit::Clean.into(),
        Err(error) => {
            eprintln!("bank: {error}");
            exit(&error).into()
        }
    }
}
