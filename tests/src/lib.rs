//! What several tests of this package share. The rules of the repository are in `tests/repo`.

pub mod broken_stores;
pub mod command_line;
#[cfg(doctest)]
mod guide;
pub mod otp;
pub mod procs;
mod words;
