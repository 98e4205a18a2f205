//! The lines of a file, one after the other in one buffer, each of a bounded length.
//! Numbers them. Does not look into them; see `record.rs`.

use std::io::{self, BufRead, Read};

/// No line with a transfer is longer than this, however it is written.
pub(super) const MAX_LINE_BYTES: usize = 1024;

/// What stands at the beginning of a file that a spreadsheet has written.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Lines without their ends.
#[derive(Debug)]
pub(super) struct Lines<R> {
    file: R,
    number: u64,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(file: R) -> Self {
        Self { file, number: 0, bytes: Vec::with_capacity(MAX_LINE_BYTES + 2) }
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, without CR and LF: `None` at the end of the file, `Some(None)` for a line that is too long.
    pub(super) fn next(&mut self) -> io::Result<Option<Option<&[u8]>>> {
        self.bytes.clear();
        // Room for CR and LF behind the longest line.
        let most = MAX_LINE_BYTES as u64 + 2;
        if self.file.by_ref().take(most).read_until(b'\n', &mut self.bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let ended = self.bytes.pop_if(|last| *last == b'\n').is_some();
        if !ended && self.bytes.len() as u64 == most {
            self.file.skip_until(b'\n')?;
        }
        self.bytes.pop_if(|last| *last == b'\r');
        let line = self.bytes.as_slice();
        let line = if self.number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        Ok(Some((line.len() <= MAX_LINE_BYTES).then_some(line)))
    }
}
