//! Transfers from a file: `bank run --transfers FILE`, or `-` for standard input. Where to start reading: `record.rs`
//! for what a line may be, `reader.rs` for the file around it, `feed.rs` for its way to the clients, `check.rs` for
//! the look at it beforehand.
//!
//! The format: CSV as of RFC 4180 with the columns `id,from,to,cents`, a line each; a name that ends in `.gz` is
//! unpacked, with all its members. Lines end in LF or CRLF; the last one need not. The header may be missing, and may
//! come again where files were joined; any other order of columns refuses the file, as every line would mean something
//! else. A byte order mark, blank lines, and spaces around fields are passed over.
//!
//! A bad line is named, with its number, counting from 1 and every line, and skipped. It harms no other: no field holds
//! a line's end, so a quote that is never closed ends with its line.
//!
//! What is a bad line and what a refusal: a line is bad if it is no transfer. A transfer that the bank refuses — of
//! nothing, to an account that does not exist — is a transfer, and gets its answer and its row like any other.
//!
//! The order: an id always goes to the same client, and a client sends one transfer at a time. So lines with the same
//! id are answered in the order of the file: a repeat gets the first one's answer, other fields a conflict. Lines with
//! different ids are under way together, in no order.

mod bad_line;
mod check;
mod feed;
mod line;
mod reader;
mod record;
mod source;

use std::fmt;
use std::io;
use std::path::PathBuf;

pub use bad_line::{BadLine, BadLines, Column, NamedLine, Why};
pub use check::{Checked, check, check_head};
pub use feed::{Feed, Read};
pub use reader::{Line, TransferReader};
pub(crate) use source::is_packed;
pub use source::{Source, Spool};

/// What a run reads.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where from.
    pub source: Source,
    /// Whether it was checked before: then a bad line is no longer skipped but ends the reading, for somebody has
    /// changed the file since.
    pub checked: bool,
}

/// Why a file of transfers is of no use, or not beyond some point.
#[derive(Debug)]
#[non_exhaustive]
pub enum InputError {
    /// It cannot be opened.
    Open {
        /// Its name.
        name: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// It cannot be read to its end.
    Broken {
        /// Its name.
        name: String,
        /// The last line that was read.
        line: u64,
        /// What the operating system says, or what unpacks it.
        error: io::Error,
    },
    /// Its header names other columns, or the same in another order.
    Header {
        /// Its name.
        name: String,
        /// The header.
        found: String,
    },
    /// Some lines are bad, and all were to be good.
    Refused {
        /// Its name.
        name: String,
        /// How many lines it has.
        lines: u64,
        /// The bad ones.
        bad: BadLines,
    },
    /// A line is bad that was good when the file was checked.
    Changed {
        /// Its name.
        name: String,
        /// The line.
        bad: BadLine,
    },
    /// It cannot be put aside to be read twice.
    Spool {
        /// Where to.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// No thread can be had to read it.
    NoThread(io::Error),
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { name, error } => write!(f, "{name} cannot be opened: {error}"),
            Self::Broken { name, line, error } => {
                write!(f, "{name} cannot be read beyond line {line}: {error}")
            }
            Self::Header { name, found } => write!(
                f,
                "{name} has the columns {found}, and must have {}, in this order",
                record::HEADER.join(",")
            ),
            Self::Refused { name, lines, bad } => write!(
                f,
                "{name} is refused: {} of its {lines} lines are bad; nothing was applied",
                bad.count()
            ),
            Self::Changed { name, bad } => {
                write!(f, "{name} was changed after it was checked: {bad}; nothing behind it was applied")
            }
            Self::Spool { path, error } => {
                write!(f, "standard input cannot be put aside in {}: {error}", path.display())
            }
            Self::NoThread(error) => write!(f, "no thread to read with: {error}"),
        }
    }
}

impl std::error::Error for InputError {}

#[cfg(test)]
mod tests;
