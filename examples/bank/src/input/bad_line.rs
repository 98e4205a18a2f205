//! What can be wrong with a line, as types, and the bounded list of the lines with which something was.

use std::fmt;

use serde::Serialize;

use super::line::MAX_LINE_BYTES;
use super::record::HEADER;

/// How many bad lines are kept and named; the others are counted.
const KEPT: usize = 100;
/// How much of a bad field is shown.
const SHOWN: usize = 40;

/// A line that is no transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1, counting every line of the file.
    pub line: u64,
    /// What is wrong with it.
    pub why: Why,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl BadLine {
    /// Names the line to the person at the terminal.
    pub(super) fn name_it(&self, file: &str) {
        eprintln!("bank: {file}, {self}");
    }
}

/// A column of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The id of the transfer.
    Id,
    /// The account that pays.
    From,
    /// The account that is paid.
    To,
    /// How much.
    Cents,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER[*self as usize])
    }
}

/// What is wrong with a line. Of several things, the first from the left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It is longer than any transfer.
    TooLong,
    /// It is not UTF-8.
    NotText,
    /// A quote is opened and not closed.
    OpenQuote,
    /// Text stands before or behind a quoted field.
    BesideQuotes,
    /// It names columns, and not ours in their order.
    OtherHeader,
    /// It has too few fields, or too many.
    Fields {
        /// How many it has.
        found: usize,
    },
    /// A field is empty.
    Empty {
        /// Which.
        column: Column,
    },
    /// The id is not 32 hexadecimal digits.
    NotAnId {
        /// What it is, or its beginning.
        text: String,
    },
    /// An account is not a whole number.
    NotAnAccount {
        /// Which.
        column: Column,
        /// What it is, or its beginning.
        text: String,
    },
    /// An account is a number that none can have.
    AccountTooLarge {
        /// Which.
        column: Column,
        /// What it is, or its beginning.
        text: String,
    },
    /// The cents are below zero.
    Negative {
        /// What they are, or their beginning.
        text: String,
    },
    /// There are parts of a cent.
    NotWhole {
        /// What they are, or their beginning.
        text: String,
    },
    /// The cents do not fit into 64 bits.
    CentsTooLarge {
        /// What they are, or their beginning.
        text: String,
    },
    /// The cents are no number at all.
    NotCents {
        /// What they are, or their beginning.
        text: String,
    },
}

impl Why {
    /// Its name, for counting.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotText => "not_text",
            Self::OpenQuote => "open_quote",
            Self::BesideQuotes => "beside_quotes",
            Self::OtherHeader => "other_header",
            Self::Fields { .. } => "fields",
            Self::Empty { .. } => "empty",
            Self::NotAnId { .. } => "not_an_id",
            Self::NotAnAccount { .. } => "not_an_account",
            Self::AccountTooLarge { .. } => "account_too_large",
            Self::Negative { .. } => "negative",
            Self::NotWhole { .. } => "not_whole",
            Self::CentsTooLarge { .. } => "cents_too_large",
            Self::NotCents { .. } => "not_cents",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "it is longer than {MAX_LINE_BYTES} bytes"),
            Self::NotText => f.write_str("it is not UTF-8"),
            Self::OpenQuote => f.write_str("a quote is opened and not closed"),
            Self::BesideQuotes => {
                f.write_str("text stands beside a quoted field, with no comma between them")
            }
            Self::OtherHeader => write!(f, "it names other columns than {}", HEADER.join(",")),
            Self::Fields { found } => {
                let s = if *found == 1 { "" } else { "s" };
                write!(f, "it has {found} field{s} instead of {}: {}", HEADER.len(), HEADER.join(","))
            }
            Self::Empty { column } => write!(f, "`{column}` is empty"),
            Self::NotAnId { text } => write!(f, "`id` is not 32 hexadecimal digits: {text}"),
            Self::NotAnAccount { column, text } => write!(f, "`{column}` is not an account number: {text}"),
            Self::AccountTooLarge { column, text } => {
                write!(f, "`{column}` is larger than any account number ({}): {text}", u32::MAX)
            }
            Self::Negative { text } => write!(f, "`cents` is below zero: {text}"),
            Self::NotWhole { text } => write!(f, "`cents` is not a whole number of cents: {text}"),
            Self::CentsTooLarge { text } => {
                write!(f, "`cents` is larger than any amount ({}): {text}", u64::MAX)
            }
            Self::NotCents { text } => write!(f, "`cents` is not a number: {text}"),
        }
    }
}

/// A field as it may be shown: cut short, and with nothing in it that a terminal would obey.
pub(super) fn shown(field: &str) -> String {
    let mut text: String = field.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if field.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    text
}

/// Bad lines as they were found. The list is bounded; the count is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadLines {
    first: Vec<BadLine>,
    count: u64,
}

impl BadLines {
    /// Notes one, and names it if it is among the first hundred of `file`.
    pub(super) fn add(&mut self, bad: BadLine, file: &str) {
        if self.first.len() < KEPT {
            bad.name_it(file);
            self.first.push(bad);
        }
        self.count += 1;
    }

    /// Says how many were not named, if any.
    pub(super) fn name_the_rest(&self, file: &str) {
        let more = self.count - self.first.len() as u64;
        if more > 0 {
            eprintln!("bank: {file}: and {more} more bad lines");
        }
    }

    /// The first hundred.
    pub fn first(&self) -> &[BadLine] {
        &self.first
    }

    /// How many there are in all.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// A bad line as it stands in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedLine {
    /// Its number, from 1.
    pub line: u64,
    /// What sort of fault it has.
    pub kind: &'static str,
    /// What is wrong with it, for people.
    pub why: String,
}

impl From<&BadLine> for NamedLine {
    fn from(bad: &BadLine) -> Self {
        Self { line: bad.line, kind: bad.why.name(), why: bad.why.to_string() }
    }
}
