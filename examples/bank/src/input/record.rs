//! One line becomes a transfer, or the reason why it is none. CSV is taken apart by `csv-core`, a line at a time: a
//! quote that is never closed is then one bad line, and does not swallow what comes behind it.

use std::fmt;

use csv_core::{ReadRecordResult, ReaderBuilder, Terminator};

use super::bad_line::{Column, Why, shown};
use super::line::MAX_LINE_BYTES;
use crate::accounts::AccountId;
use crate::transfers::{Transfer, TransferId};

/// The columns, in their order.
pub(super) const HEADER: [&str; 4] = ["id", "from", "to", "cents"];

/// What stands in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// Nothing.
    Blank,
    /// The names of the columns.
    Header,
    /// The names of the columns, but not in our order, or not of ours alone.
    OtherHeader,
    /// A transfer.
    Transfer(Transfer),
}

/// Takes lines apart, with buffers that are used again and again.
pub(super) struct Parser {
    csv: csv_core::Reader,
    /// The line and its end: without an end, the last field would be left open.
    line: Vec<u8>,
    /// The contents of the fields, one behind the other.
    text: Vec<u8>,
    /// Where in `text` each field ends.
    ends: Vec<usize>,
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser").finish_non_exhaustive()
    }
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            csv: ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build(),
            line: Vec::with_capacity(MAX_LINE_BYTES + 1),
            text: vec![0; MAX_LINE_BYTES + 1],
            // A line of nothing but commas has a field more than bytes.
            ends: vec![0; MAX_LINE_BYTES + 2],
        }
    }
}

impl Parser {
    /// What stands in a line of at most [`MAX_LINE_BYTES`], given without its end.
    pub(super) fn parse(&mut self, line: &[u8]) -> Result<Record, Why> {
        let text = str::from_utf8(line).map_err(|_| Why::NotText)?;
        if text.trim().is_empty() {
            return Ok(Record::Blank);
        }
        self.line.clear();
        self.line.extend_from_slice(line);
        self.line.push(b'\n');
        let (result, _, _, count) = self.csv.read_record(&self.line, &mut self.text, &mut self.ends);
        match result {
            ReadRecordResult::Record => {}
            ReadRecordResult::InputEmpty => {
                // The line's end is within quotes.
                self.csv.reset();
                return Err(Why::OpenQuote);
            }
            // The buffers have room for any line of the promised length.
            _ => {
                self.csv.reset();
                return Err(Why::TooLong);
            }
        }
        let fields = Fields { text: &self.text, ends: &self.ends[..count] };
        if let Some(header) = header(&fields) {
            return Ok(header);
        }
        let transfer = transfer(&fields)?;
        if beside_quotes(text) {
            return Err(Why::BesideQuotes);
        }
        Ok(Record::Transfer(transfer))
    }
}

/// The fields of a line.
struct Fields<'p> {
    text: &'p [u8],
    ends: &'p [usize],
}

impl<'p> Fields<'p> {
    /// The field at `index`, without the spaces around it. Pieces of UTF-8 that was cut between characters are UTF-8.
    fn get(&self, index: usize) -> &'p str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        str::from_utf8(&self.text[start..self.ends[index]]).unwrap_or_default().trim()
    }

    fn all(&self) -> impl Iterator<Item = &'p str> {
        (0..self.ends.len()).map(|index| self.get(index))
    }
}

/// The header that these fields are, if any names a column. No field of a transfer can.
fn header(fields: &Fields<'_>) -> Option<Record> {
    let names_column = |field: &str| HEADER.iter().any(|name| name.eq_ignore_ascii_case(field));
    if !fields.all().any(names_column) {
        return None;
    }
    let ours = fields.ends.len() == HEADER.len()
        && fields.all().zip(HEADER).all(|(field, name)| field.eq_ignore_ascii_case(name));
    Some(if ours { Record::Header } else { Record::OtherHeader })
}

fn transfer(fields: &Fields<'_>) -> Result<Transfer, Why> {
    if fields.ends.len() != HEADER.len() {
        return Err(Why::Fields { found: fields.ends.len() });
    }
    let field = |column: Column| match fields.get(column as usize) {
        "" => Err(Why::Empty { column }),
        text => Ok(text),
    };
    let id = field(Column::Id)?;
    let id: TransferId = id.parse().map_err(|_| Why::NotAnId { text: shown(id) })?;
    let from = account(Column::From, field(Column::From)?)?;
    let to = account(Column::To, field(Column::To)?)?;
    let cents = cents(field(Column::Cents)?)?;
    Ok(Transfer { id, from, to, cents })
}

fn account(column: Column, text: &str) -> Result<AccountId, Why> {
    if !is_whole(text) {
        return Err(Why::NotAnAccount { column, text: shown(text) });
    }
    // Digits alone are refused only if they are too many.
    text.parse().map(AccountId).map_err(|_| Why::AccountTooLarge { column, text: shown(text) })
}

/// Nothing is an amount, too: the bank refuses it, and remembers.
fn cents(text: &str) -> Result<u64, Why> {
    if is_whole(text) {
        return text.parse().map_err(|_| Why::CentsTooLarge { text: shown(text) });
    }
    let (number, negative) = match text.strip_prefix('-') {
        Some(number) => (number, true),
        None => (text, false),
    };
    let is_number = match number.split_once('.') {
        Some((whole, parts)) => is_whole(whole) && is_whole(parts),
        None => is_whole(number),
    };
    Err(match (is_number, negative) {
        (false, _) => Why::NotCents { text: shown(text) },
        (true, true) => Why::Negative { text: shown(text) },
        (true, false) => Why::NotWhole { text: shown(text) },
    })
}

/// Digits and nothing else, at least one.
fn is_whole(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether some field is quoted in part only, as in `"1"2`: CSV's libraries read 12, and who wrote it meant who knows
/// what. Asked only about lines that are a transfer, of which no field holds a comma.
fn beside_quotes(line: &str) -> bool {
    let is_odd = |field: &str| {
        let content = field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(field);
        content.contains('"')
    };
    line.contains('"') && line.split(',').any(|field| is_odd(field.trim()))
}
