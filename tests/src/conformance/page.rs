//! Writes the page: totals first, then a table for each part. Nothing but the rows and what shows them goes in, so that
//! the same checkout always gives the same page.

use std::fmt::Write as _;

use super::{Conformance, Part, Row, Verdict};

const HEAD: &str = "# What OTP promises, and what minder does

Made by `cargo run -q -p minder-tests --bin conformance -- --write` of `tests/otp/rows.txt` and of the tests, which name the
rows that they show; a test of the repository fails when this page is not up to date. Do not edit it.

A row is one observable promise of Erlang/OTP, of its supervisors, processes and behaviours, and of Elixir's. **Core** are
those without which nobody can claim OTP's semantics. A name like *in-zero* is a scenario: it was run on OTP 25.2.3, and a test
(`tests/tests/conformance/otp.rs`, `procs.rs`) holds minder's trace against OTP's. Everything else is a test. *Different* is what
we do otherwise on purpose: ARCHITECTURE.md, \"Where minder differs from OTP\", says why, and names every such row.
";

const VERDICTS: [(Verdict, &str); 4] = [
    (Verdict::Equal, "equal"),
    (Verdict::Different, "different"),
    (Verdict::NotApplicable, "not applicable"),
    (Verdict::NotYet, "not yet"),
];

pub(super) fn page(all: &Conformance) -> String {
    let mut page = format!("{HEAD}\n{}", totals(all));
    for part in &all.parts {
        let _ = write!(
            page,
            "\n## {}\n\n| row | core | what OTP does | verdict | shown by |\n|---|---|---|---|---|\n",
            part.heading
        );
        for row in &part.rows {
            page.push_str(&line(all, row));
        }
    }
    page
}

fn totals(all: &Conformance) -> String {
    let mut table = "| rows | all |".to_owned();
    VERDICTS.iter().for_each(|(_, word)| {
        let _ = write!(table, " {word} |");
    });
    table.push_str("\n|---|---|---|---|---|---|\n");
    let core = |core: bool| all.rows().filter(move |row| row.core == core).collect::<Vec<_>>();
    let mut add = |what: &str, rows: &[&Row]| {
        let _ = write!(table, "| {what} | {} |", rows.len());
        for (verdict, _) in VERDICTS {
            let count = rows.iter().filter(|row| all.verdict(row) == verdict).count();
            let _ = write!(table, " {count} |");
        }
        table.push('\n');
    };
    add("**core**", &core(true));
    add("others", &core(false));
    add("all", &all.rows().collect::<Vec<_>>());
    for parts in all.parts.chunk_by(|a, b| family(a) == family(b)) {
        add(family(&parts[0]), &parts.iter().flat_map(|part| &part.rows).collect::<Vec<_>>());
    }
    table
}

/// What the names of its rows begin with.
fn family(part: &Part) -> &str {
    part.rows.first().and_then(|row| row.name.split('-').next()).unwrap_or_default()
}

fn line(all: &Conformance, row: &Row) -> String {
    let verdict = all.verdict(row);
    let (_, word) = VERDICTS.iter().find(|(other, _)| *other == verdict).expect("every verdict has a word");
    let reason = row.exception.as_ref().map(|exception| format!(": {}", exception.reason()));
    let scenarios = row.scenarios.iter().map(|name| format!("*{name}*"));
    let tests = all.tests(row).iter().map(|test| format!("`{test}`"));
    format!(
        "| {} | {} | {} | {word}{} | {} |\n",
        row.name,
        if row.core { "core" } else { "" },
        row.promise,
        reason.unwrap_or_default(),
        scenarios.chain(tests).collect::<Vec<_>>().join("<br>"),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_page_counts_and_shows() {
        let rows =
            "## A\nSUP-001 core: One.\n  by one\n## B\nSUP-002: Two.\n  n/a: types\n## C\nGS-001: Three.\n";
        let source = "/// OTP: SUP-001.\n#[test]\nfn it() {}\n";
        let all = Conformance::new(rows, "", BTreeSet::from(["one".into()]), [("tests/a.rs", source)])
            .expect("rows");
        let page = all.page();
        let expected = [
            "| **core** | 1 | 1 | 0 | 0 | 0 |",
            "| others | 2 | 0 | 0 | 1 | 1 |",
            "| SUP | 2 | 1 | 0 | 1 | 0 |",
            "| GS | 1 | 0 | 0 | 0 | 1 |",
            "| SUP-001 | core | One. | equal | *one*<br>`tests/a.rs::it` |",
            "| SUP-002 |  | Two. | not applicable: types |  |",
            "| GS-001 |  | Three. | not yet |  |",
        ];
        for line in expected {
            assert!(page.lines().any(|other| other == line), "{line}\n{page}");
        }
    }
}
