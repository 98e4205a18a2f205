//! A file of transfers, line by line. Counts, names nothing, keeps nothing: memory is a line and the file's buffer.

use std::io::BufRead;

use super::InputError;
use super::bad_line::{BadLine, Why, shown};
use super::line::Lines;
use super::record::{Parser, Record};
use crate::transfers::Transfer;

/// Reads a file of transfers. What is neither a transfer nor a bad line is passed over.
///
/// After an [`InputError`] there is nothing more.
#[derive(Debug)]
pub struct TransferReader<R> {
    name: String,
    lines: Lines<R>,
    parser: Parser,
    /// Whether a line was seen that is not blank.
    begun: bool,
    ended: bool,
}

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A transfer.
    Transfer(Transfer),
    /// Something else.
    Bad(BadLine),
}

impl<R: BufRead> TransferReader<R> {
    /// A reader of `file`, which errors call by this name.
    pub fn new(name: String, file: R) -> Self {
        Self { name, lines: Lines::new(file), parser: Parser::default(), begun: false, ended: false }
    }

    /// How many lines were read so far, of every kind.
    pub fn lines(&self) -> u64 {
        self.lines.number()
    }

    fn next_line(&mut self) -> Result<Option<Line>, InputError> {
        loop {
            let line = match self.lines.next() {
                Ok(line) => line,
                Err(error) => {
                    let (name, line) = (self.name.clone(), self.lines.number());
                    return Err(InputError::Broken { name, line, error });
                }
            };
            let Some(line) = line else { return Ok(None) };
            let record = match line {
                Some(line) => self.parser.parse(line),
                None => Err(Why::TooLong),
            };
            let first = !self.begun;
            self.begun |= record != Ok(Record::Blank);
            match record {
                Ok(Record::Blank | Record::Header) => {}
                Ok(Record::OtherHeader) if first => {
                    let found = line.map(String::from_utf8_lossy).unwrap_or_default();
                    return Err(InputError::Header { name: self.name.clone(), found: shown(&found) });
                }
                Ok(Record::OtherHeader) => return Ok(Some(self.bad(Why::OtherHeader))),
                Ok(Record::Transfer(transfer)) => return Ok(Some(Line::Transfer(transfer))),
                Err(why) => return Ok(Some(self.bad(why))),
            }
        }
    }

    fn bad(&self, why: Why) -> Line {
        Line::Bad(BadLine { line: self.lines.number(), why })
    }
}

impl<R: BufRead> Iterator for TransferReader<R> {
    type Item = Result<Line, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_line().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
