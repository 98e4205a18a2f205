//! What several tests of this package share. The rules of the repository are in `tests/repo`.

pub mod broken_stores;
pub mod command_line;
pub mod compare;
pub mod conformance;
#[cfg(doctest)]
mod guide;
pub mod otp;
pub mod procs;
mod sources;
mod words;

pub use sources::sources;
