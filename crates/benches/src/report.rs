//! The two tables at the end of a run: all figures, and minder's held against the bars.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

use crate::bars::{BARS, Bar, Verdict, judge};
use crate::figure::Figure;

/// A line a bench, a column a subject: median (least to most).
pub(crate) fn figures(figures: &[Figure], subjects: &[&str]) -> Table {
    let mut header = vec!["bench", "unit"];
    header.extend(subjects);
    let mut table = table(&header);
    let mut benches: Vec<(&str, &str)> = figures.iter().map(|figure| (figure.bench, figure.unit)).collect();
    benches.dedup();
    for (bench, unit) in benches {
        let mut row = vec![bench.to_owned(), unit.to_owned()];
        row.extend(subjects.iter().map(|subject| {
            let figure = figures.iter().find(|figure| figure.bench == bench && figure.subject == *subject);
            figure.map_or_else(
                || "-".to_owned(),
                |figure| format!("{:.1} ({:.1} to {:.1})", figure.median, figure.min, figure.max),
            )
        }));
        table.add_row(row);
    }
    table
}

/// A line a bar, for the benches that were run.
pub(crate) fn bars(figures: &[Figure]) -> Table {
    let mut table = table(&["bench", "bar", "reached", "verdict"]);
    for (bench, bar) in BARS.iter().filter(|(bench, _)| figures.iter().any(|figure| figure.bench == *bench)) {
        let (reached, verdict) = match judge(figures, bench, *bar) {
            Verdict::Met { reached } => (quantity(*bar, reached), "met".to_owned()),
            Verdict::Missed { reached, by } => {
                (quantity(*bar, reached), format!("missed: costs {:.0} % too much", by * 100.0))
            }
            Verdict::Unknown => ("-".to_owned(), "not measured".to_owned()),
        };
        let asked = match bar {
            Bar::Faster { than, times } => format!("at least {} of {than}", quantity(*bar, *times)),
            Bar::AtMost(most) => format!("at most {}", quantity(*bar, *most)),
        };
        table.add_row(vec![(*bench).to_owned(), asked, reached, verdict]);
    }
    table
}

fn quantity(bar: Bar, value: f64) -> String {
    match bar {
        Bar::Faster { .. } => format!("{value:.2}x the speed"),
        Bar::AtMost(_) => format!("{value:.0} bytes"),
    }
}

pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
