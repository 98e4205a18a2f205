//! What the clients were told, line by line in a file: the evidence that an audit holds against the database.
//! A line is written only after its answer arrived. Text, so that a person can read and a test can damage it.
//!
//! ```text
//! bank-history 1
//! 019ab1de9c000000003f000000000001 12 16 1250 ok 301
//! 019ab1de9c000000003f000000000002 12 12 30 no same_account 302
//! 019ab1de9c000000003f000000000001 12 16 1251 conflict
//! end 3
//! ```

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use crate::accounts::AccountId;
use crate::outcomes::{Answer, Outcome, Refusal};
use crate::transfers::Transfer;

/// The name of the history in a bank's directory.
pub const HISTORY_FILE: &str = "history.txt";

const HEAD: &str = "bank-history 1";
/// No line that the writer makes is as long as this.
const MAX_LINE_BYTES: u64 = 256;

/// One line: a transfer as a client sent it, and the answer that it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was sent.
    pub transfer: Transfer,
    /// What came back.
    pub answer: Answer,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Transfer { id, from, to, cents } = self.transfer;
        write!(f, "{id} {} {} {cents} ", from.0, to.0)?;
        match self.answer {
            Answer::Outcome(Outcome::Applied { seq }) => write!(f, "ok {seq}"),
            Answer::Outcome(Outcome::Refused { reason, seq }) => write!(f, "no {reason} {seq}"),
            Answer::Conflict => f.write_str("conflict"),
        }
    }
}

impl Entry {
    /// Reads a line, or says what is wrong with it.
    fn parse(line: &str) -> Result<Self, &'static str> {
        fn number<T: std::str::FromStr>(word: Option<&str>, what: &'static str) -> Result<T, &'static str> {
            word.and_then(|word| word.parse().ok()).ok_or(what)
        }
        let mut words = line.split(' ');
        let id = number(words.next(), "the first word is not an id of 32 hexadecimal digits")?;
        let from = AccountId(number(words.next(), "the second word is not an account")?);
        let to = AccountId(number(words.next(), "the third word is not an account")?);
        let cents = number(words.next(), "the fourth word is not a number of cents")?;
        let seq =
            |words: &mut std::str::Split<'_, char>| number(words.next(), "the sequence number is missing");
        let answer = match words.next() {
            Some("ok") => Answer::Outcome(Outcome::Applied { seq: seq(&mut words)? }),
            Some("no") => {
                let reason = words.next().and_then(Refusal::from_name).ok_or("the reason is unknown")?;
                Answer::Outcome(Outcome::Refused { reason, seq: seq(&mut words)? })
            }
            Some("conflict") => Answer::Conflict,
            _ => return Err("the fifth word is not ok, no, or conflict"),
        };
        match words.next() {
            None => Ok(Self { transfer: Transfer { id, from, to, cents }, answer }),
            Some(_) => Err("there are words after its end"),
        }
    }
}

/// From so many bytes on, what is buffered is due.
const DUE_BYTES: usize = 128 << 10;
/// With so many it is written out in any case.
const MOST_BYTES: usize = 2 * DUE_BYTES;

/// Writes a history. Buffered: call [`finish`](Self::finish), or readers will find it unfinished.
#[derive(Debug)]
pub struct HistoryWriter {
    file: File,
    buffer: Vec<u8>,
    entries: u64,
}

impl HistoryWriter {
    /// Begins a history, in place of whatever was in the file.
    ///
    /// # Errors
    /// The operating system's.
    pub fn create(path: &Path) -> io::Result<Self> {
        let (file, mut buffer) = (File::create(path)?, Vec::with_capacity(MOST_BYTES));
        writeln!(buffer, "{HEAD}")?;
        Ok(Self { file, buffer, entries: 0 })
    }

    /// Notes an answer that a client has received. Touches the file only if what [is due](Self::is_due) was left
    /// standing for long.
    ///
    /// # Errors
    /// The operating system's.
    pub fn record(&mut self, transfer: &Transfer, answer: &Answer) -> io::Result<()> {
        writeln!(self.buffer, "{}", Entry { transfer: *transfer, answer: *answer })?;
        self.entries += 1;
        if self.buffer.len() + MAX_LINE_BYTES as usize > MOST_BYTES {
            self.write_out()?;
        }
        Ok(())
    }

    /// Whether enough is buffered to be [written out](Self::write_out).
    pub fn is_due(&self) -> bool {
        self.buffer.len() >= DUE_BYTES
    }

    /// Writes what is buffered. May block.
    ///
    /// # Errors
    /// The operating system's.
    pub fn write_out(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Ends the history, puts it on disk, and returns how many answers are in it.
    ///
    /// # Errors
    /// The operating system's.
    pub fn finish(mut self) -> io::Result<u64> {
        writeln!(self.buffer, "end {}", self.entries)?;
        self.write_out()?;
        self.file.sync_all()?;
        Ok(self.entries)
    }
}

/// Reads a history line by line. A bad line is named, and reading goes on behind it.
#[derive(Debug)]
pub struct HistoryReader {
    file: BufReader<File>,
    path: PathBuf,
    line: u64,
    entries: u64,
    ended: bool,
}

impl HistoryReader {
    /// Opens a history.
    ///
    /// # Errors
    /// [`HistoryError::Unreadable`], or [`HistoryError::NotAHistory`] if its first line is another's.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        let unreadable =
            |error: io::Error| HistoryError::Unreadable { path: path.to_owned(), why: error.to_string() };
        let file = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
        let mut reader = Self { file, path: path.to_owned(), line: 0, entries: 0, ended: false };
        match reader.next_line() {
            Ok(Some(head)) if head == HEAD.as_bytes() => Ok(reader),
            Err(error @ HistoryError::Unreadable { .. }) => Err(error),
            _ => Err(HistoryError::NotAHistory { path: path.to_owned() }),
        }
    }

    /// The next line without its end; `None` at the end of the file.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, HistoryError> {
        let mut line = Vec::new();
        let read = self.file.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        let unreadable =
            |error: io::Error| HistoryError::Unreadable { path: self.path.clone(), why: error.to_string() };
        if read.map_err(unreadable)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if line.pop_if(|last| *last == b'\n').is_none() {
            // Too long, or the file ends in its middle. Both end here or at the next line's end.
            self.file.skip_until(b'\n').map_err(unreadable)?;
            return Err(self.bad_line("it has no end, or none in reach"));
        }
        Ok(Some(line))
    }

    fn bad_line(&self, why: &'static str) -> HistoryError {
        HistoryError::BadLine { path: self.path.clone(), line: self.line, why }
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, HistoryError> {
        let Some(bytes) = self.next_line()? else {
            if self.ended {
                return Ok(None);
            }
            self.ended = true;
            return Err(HistoryError::Unfinished { path: self.path.clone(), entries: self.entries });
        };
        if self.ended {
            return Err(self.bad_line("it comes after the end"));
        }
        let line = str::from_utf8(&bytes).map_err(|_| self.bad_line("it is not text"))?;
        if let Some(count) = line.strip_prefix("end ") {
            self.ended = true;
            if count.parse() != Ok(self.entries) {
                return Err(self.bad_line("it counts more or fewer lines than there are"));
            }
            return self.next_entry();
        }
        // A bad line counts too: the end says how many were written.
        self.entries += 1;
        Entry::parse(line).map(Some).map_err(|why| self.bad_line(why))
    }
}

impl Iterator for HistoryReader {
    type Item = Result<Entry, HistoryError>;

    /// After an error of the operating system there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_entry().transpose();
        if let Some(Err(HistoryError::Unreadable { .. })) = next {
            self.ended = true;
        }
        next
    }
}

/// What is wrong with a history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        why: String,
    },
    /// The file is something else.
    NotAHistory {
        /// The file.
        path: PathBuf,
    },
    /// One line is not as it was written.
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The last line is missing: whoever wrote it did not come to the end.
    Unfinished {
        /// The file.
        path: PathBuf,
        /// How many answers there were.
        entries: u64,
    },
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => {
                write!(f, "the history {} cannot be read: {why}; check the file", path.display())
            }
            Self::NotAHistory { path } => {
                write!(
                    f,
                    "{} is not a history: it does not begin with \"{HEAD}\"; name another file",
                    path.display()
                )
            }
            Self::BadLine { path, line, why } => {
                write!(
                    f,
                    "{}, line {line}: {why}; the history was changed after it was written",
                    path.display()
                )
            }
            Self::Unfinished { path, entries } => write!(
                f,
                "{} ends after {entries} answers without an end line; let the run come to its end",
                path.display()
            ),
        }
    }
}

impl std::error::Error for HistoryError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfers::TransferId;

    fn entries() -> Vec<Entry> {
        let transfer =
            |n| Transfer { id: TransferId(n), from: AccountId(12), to: AccountId(16), cents: 1250 };
        let mut answers = vec![Answer::Outcome(Outcome::Applied { seq: u64::MAX }), Answer::Conflict];
        let refused = |reason| Answer::Outcome(Outcome::Refused { reason, seq: 7 });
        answers.extend(Refusal::ALL.map(refused));
        answers.into_iter().zip(1..).map(|(answer, n)| Entry { transfer: transfer(n), answer }).collect()
    }

    fn written() -> String {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("h");
        let mut writer = HistoryWriter::create(&path).expect("writable");
        for Entry { transfer, answer } in entries() {
            writer.record(&transfer, &answer).expect("writable");
        }
        assert_eq!(writer.finish().expect("writable"), 8);
        std::fs::read_to_string(&path).expect("text")
    }

    fn read(text: impl AsRef<[u8]>) -> Result<Vec<Result<Entry, HistoryError>>, HistoryError> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("h");
        std::fs::write(&path, text).expect("writable");
        HistoryReader::open(&path).map(Iterator::collect)
    }

    #[test]
    fn comes_back_as_it_was_written() {
        assert_eq!(read(written()), Ok(entries().into_iter().map(Ok).collect()));
    }

    #[test]
    fn a_bad_line_is_named_and_reading_goes_on() {
        let text = written();
        let rows: &[(&str, String, &str)] = &[
            ("no end line", text.replace("end 8\n", ""), "ends after 8 answers"),
            ("cut off in a line", text[..text.len() - 9].to_owned(), "line 9: it has no end"),
            (
                "whole line gone",
                text.lines().filter(|l| !l.contains("same")).map(|l| format!("{l}\n")).collect(),
                "line 9: it counts",
            ),
            ("lines after the end", format!("{text}end 8\n"), "line 11: it comes after the end"),
            (
                "bad id",
                text.replacen("00000000000000000000000000000001", "0001", 1),
                "line 2: the first word",
            ),
            ("bad account", text.replacen(" 12 ", " 1x ", 1), "line 2: the second word"),
            ("bad cents", text.replacen(" 1250 ", " -5 ", 1), "line 2: the fourth word"),
            ("bad answer", text.replacen(" conflict", " maybe", 1), "line 3: the fifth word"),
            ("bad reason", text.replacen("overdraft", "greed", 1), "line 4: the reason"),
            ("more words", text.replacen("conflict", "conflict 1", 1), "line 3: there are words"),
            ("a long line", text.replacen("conflict", &"x".repeat(9999), 1), "line 3: it has no end"),
        ];
        for (name, damaged, says) in rows {
            let entries = read(damaged).expect(name);
            let errors: Vec<String> =
                entries.iter().filter_map(|e| e.as_ref().err()).map(ToString::to_string).collect();
            assert!(errors.iter().any(|error| error.contains(says)), "{name}: {errors:?}");
            assert!(entries.iter().filter(|entry| entry.is_ok()).count() >= 6, "{name}: the others are read");
        }
        assert!(matches!(read("x\n"), Err(HistoryError::NotAHistory { .. })));
        assert!(matches!(read([0xff; 9]), Err(HistoryError::NotAHistory { .. })));
        assert!(matches!(HistoryReader::open(Path::new("/no")), Err(HistoryError::Unreadable { .. })));
    }
}
