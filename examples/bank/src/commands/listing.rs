//! Rows for people or for programs: columns a page at a time, or a JSON object a line. Of any length: only a page is
//! ever in memory, and columns keep their places from page to page.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, Table, Width, presets};
use serde::Serialize;

/// How many rows are laid out together.
const PAGE_ROWS: usize = 500;

/// What can be listed.
pub(crate) trait Row: Serialize {
    /// The heads of the columns, and how wide they are at least.
    const COLUMNS: &'static [(&'static str, u16)];

    /// What stands in them.
    fn cells(&self) -> Vec<String>;
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// In columns.
    Table,
    /// As an object a line.
    Json,
}

/// Rows on their way out.
pub(crate) struct Listing<W> {
    out: W,
    format: Format,
    page: Vec<Vec<String>>,
    headed: bool,
}

impl<W: Write> Listing<W> {
    /// Rows to `out`.
    pub(crate) fn new(out: W, format: Format) -> Self {
        Self { out, format, page: Vec::new(), headed: false }
    }

    /// Writes a row, now or with its page.
    pub(crate) fn add<R: Row>(&mut self, row: &R) -> io::Result<()> {
        if self.format == Format::Json {
            serde_json::to_writer(&mut self.out, row)?;
            return self.out.write_all(b"\n");
        }
        self.page.push(row.cells());
        if self.page.len() == PAGE_ROWS { self.turn::<R>() } else { Ok(()) }
    }

    /// Writes what is left. A listing of nothing has its heads only.
    pub(crate) fn finish<R: Row>(mut self) -> io::Result<()> {
        if self.format == Format::Table && (!self.page.is_empty() || !self.headed) {
            self.turn::<R>()?;
        }
        self.out.flush()
    }

    fn turn<R: Row>(&mut self) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if !std::mem::replace(&mut self.headed, true) {
            table.set_header(R::COLUMNS.iter().map(|(head, _)| *head));
        }
        table.add_rows(self.page.drain(..));
        let widths = R::COLUMNS.iter().map(|(head, width)| {
            // With the padding, and the head is on one page only.
            let width = head.len().max(usize::from(*width)) + 2;
            ColumnConstraint::LowerBoundary(Width::Fixed(u16::try_from(width).unwrap_or(u16::MAX)))
        });
        table.set_constraints(widths);
        for column in table.column_iter_mut() {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Number {
        number: u64,
    }

    impl Row for Number {
        const COLUMNS: &'static [(&'static str, u16)] = &[("number", 8), ("square", 7)];

        fn cells(&self) -> Vec<String> {
            vec![self.number.to_string(), (self.number * self.number).to_string()]
        }
    }

    fn listed(format: Format, numbers: u64) -> String {
        let mut out = Vec::new();
        let mut listing = Listing::new(&mut out, format);
        for number in 0..numbers {
            listing.add(&Number { number }).expect("memory can be written");
        }
        listing.finish::<Number>().expect("memory can be written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn columns_keep_their_places_from_page_to_page() {
        let text = listed(Format::Table, 1_200);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1_201, "one head for all pages");
        assert_eq!(lines[0], "   number   square");
        assert_eq!(lines[1], "        0        0");
        assert_eq!(lines[900], "      899   808201");
        assert!(lines.iter().all(|line| line.len() <= lines[0].len() + 1), "{text}");
        assert_eq!(listed(Format::Table, 0).lines().count(), 1);
    }

    #[test]
    fn json_is_an_object_a_line() {
        assert_eq!(listed(Format::Json, 2), "{\"number\":0}\n{\"number\":1}\n");
        assert_eq!(listed(Format::Json, 0), "");
    }
}
