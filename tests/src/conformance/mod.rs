//! What OTP promises, row by row, and what shows that minder keeps it: `tests/otp/rows.txt` has the rows, the tests name
//! them (`tags`), scenarios stand beside OTP's own traces, and `page` makes docs/otp-conformance.md of it all.
//! Does not run anything: that a test passes is for the test to say.

mod page;
mod rows;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

pub use rows::{Exception, Part, Row, parts};
pub use tags::{Tag, tags};

use crate::sources::sources;

/// The page that is made.
pub const PAGE: &str = "docs/otp-conformance.md";

/// Where it stands why minder differs from OTP, and in which rows: in the table of this file below [`DIFFERENCES`]. A row
/// that is not there may not differ.
pub const CONTRACTS: &str = "ARCHITECTURE.md";

/// How the paragraph above that table begins.
pub const DIFFERENCES: &str = "**Where minder differs from OTP.**";

/// How a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// A test or a scenario shows that it holds as in OTP.
    Equal,
    /// It does not, on purpose; a test shows what holds instead.
    Different,
    /// It means nothing here.
    NotApplicable,
    /// Nothing shows it.
    NotYet,
}

/// The rows with all that shows them.
#[derive(Clone, Debug)]
pub struct Conformance {
    parts: Vec<Part>,
    /// Tests by the rows that they name.
    shown: BTreeMap<String, Vec<Tag>>,
    /// Scenarios that are held against a trace.
    scenarios: BTreeSet<String>,
    /// The rows that may differ.
    differences: Vec<String>,
    misplaced: Vec<String>,
}

impl Conformance {
    /// Of what was read: the rows, the contracts, the names of scenarios with a trace, and sources with their paths.
    ///
    /// # Errors
    /// The lines of the rows that are none.
    pub fn new<'s>(
        rows: &str,
        contracts: &str,
        scenarios: BTreeSet<String>,
        sources: impl IntoIterator<Item = (&'s str, &'s str)>,
    ) -> Result<Self, String> {
        let (parts, differences) = (parts(rows)?, differences(contracts));
        let (mut shown, mut misplaced) = (BTreeMap::<String, Vec<Tag>>::new(), Vec::new());
        for (path, source) in sources {
            for tag in tags(path, source) {
                match tag {
                    Ok((rows, tag)) => {
                        rows.into_iter().for_each(|row| shown.entry(row).or_default().push(tag.clone()));
                    }
                    Err(wrong) => misplaced.push(wrong),
                }
            }
        }
        Ok(Self { parts, shown, scenarios, differences, misplaced })
    }

    /// Of a checkout of this repository.
    ///
    /// # Errors
    /// A file that cannot be read, or lines of the rows that are none.
    pub fn of_checkout(root: &Path) -> Result<Self, String> {
        let told = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        let read = |path: &Path| fs::read_to_string(path).map_err(|error| told(path, error));
        let otp = root.join("tests/otp");
        let mut scenarios = BTreeSet::new();
        for folder in [otp.clone(), otp.join("procs")] {
            for entry in fs::read_dir(&folder).map_err(|error| told(&folder, error))? {
                let path = entry.map_err(|error| told(&folder, error))?.path();
                if path.extension().is_some_and(|extension| extension == "sc") {
                    let (text, traces) = (read(&path)?, read(&path.with_extension("trace"))?);
                    let traced = first_words(&traces, ["scenario ", "procs "]);
                    let named = first_words(&text, ["(scenario ", "(procs "]);
                    scenarios.extend(named.intersection(&traced).map(|name| (*name).to_owned()));
                }
            }
        }
        let mut texts = Vec::new();
        for path in sources(root).map_err(|error| told(root, error))? {
            let relative = path.strip_prefix(root).expect("it was found below the root");
            let parts = relative.components().map(|part| part.as_os_str().to_string_lossy());
            texts.push((parts.collect::<Vec<_>>().join("/"), read(&path)?));
        }
        let texts = texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        Self::new(&read(&otp.join("rows.txt"))?, &read(&root.join(CONTRACTS))?, scenarios, texts)
    }

    /// Every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.parts.iter().flat_map(|part| &part.rows)
    }

    /// How a row stands.
    pub fn verdict(&self, row: &Row) -> Verdict {
        match row.exception {
            Some(Exception::Differs(_)) => Verdict::Different,
            Some(Exception::NotApplicable(_)) => Verdict::NotApplicable,
            Some(Exception::NotYet(_)) => Verdict::NotYet,
            None if self.shown.contains_key(&row.name) || !row.scenarios.is_empty() => Verdict::Equal,
            None => Verdict::NotYet,
        }
    }

    /// The tests that name a row.
    fn tests(&self, row: &Row) -> &[Tag] {
        self.shown.get(&row.name).map_or(&[], Vec::as_slice)
    }

    /// All that is wrong with rows and tests, a sentence each.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = self.misplaced.clone();
        let mut names = BTreeSet::new();
        for row in self.rows() {
            let name = &row.name;
            let mut say = |what: &str| wrong.push(format!("{name}: {what}"));
            if !names.insert(name.as_str()) {
                say("stands twice in the rows");
            }
            for scenario in row.scenarios.iter().filter(|scenario| !self.scenarios.contains(*scenario)) {
                say(&format!("there is no scenario {scenario} with a trace"));
            }
            let is_tested = self.shown.contains_key(name);
            match (self.verdict(row), is_tested) {
                (Verdict::NotYet, _) if row.core => {
                    say("it is core, and neither a test nor a scenario shows it")
                }
                (Verdict::NotYet, true) => say("a test names it, and the rows say that it is not yet there"),
                (Verdict::NotApplicable, true) => {
                    say("a test names it, and the rows say that it means nothing")
                }
                (Verdict::Different, false) => say("it differs, and no test shows how"),
                (Verdict::Different, true) if !self.differences.contains(name) => {
                    say(&format!("it differs, and {CONTRACTS} does not say why"));
                }
                _ => {}
            }
        }
        let differs = |name: &String| {
            self.rows().any(|row| row.name == *name && self.verdict(row) == Verdict::Different)
        };
        let stale = self.differences.iter().filter(|name| !differs(name));
        wrong.extend(stale.map(|name| format!("{name}: {CONTRACTS} says that it differs, and it does not")));
        let mut allowed = BTreeSet::new();
        let twice = self.differences.iter().filter(|name| !allowed.insert(*name));
        wrong.extend(twice.map(|name| format!("{name}: {CONTRACTS} says twice that it differs")));
        for (row, tests) in self.shown.iter().filter(|(row, _)| !names.contains(row.as_str())) {
            wrong.extend(tests.iter().map(|test| format!("{test}: there is no row {row}")));
        }
        wrong
    }

    /// The page.
    pub fn page(&self) -> String {
        page::page(self)
    }
}

/// The rows that a table names in its first column, below the paragraph that begins with [`DIFFERENCES`].
fn differences(contracts: &str) -> Vec<String> {
    let below = contracts.lines().skip_while(|line| !line.starts_with(DIFFERENCES));
    let table = below.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let names = table.filter_map(|line| line.split('|').nth(1)).flat_map(|cell| cell.split(", "));
    names.map(str::trim).filter(|name| rows::is_name(name)).map(str::to_owned).collect()
}

/// The word behind one of the openings, of every line that begins with one.
fn first_words<'t>(text: &'t str, openings: [&str; 2]) -> BTreeSet<&'t str> {
    let behind = |line: &'t str| openings.iter().find_map(|opening| line.strip_prefix(opening));
    text.lines().filter_map(behind).filter_map(|rest| rest.split(' ').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "## A Part\nSUP-001 core: One.\n  by one\nSUP-058: Two.\n  differs: finer\nGS-018: Three.\n  n/a: types\nGS-019: Four.\n";

    /// Contracts that let these rows differ.
    fn allowing(rows: &str) -> String {
        format!("{DIFFERENCES} So:\n\n| rows | why |\n|---|---|\n| {rows} | SUP-999 |\n\n| GS-999 | no |\n")
    }

    fn of(rows: &str, may_differ: &str, source: &str) -> Conformance {
        let scenarios = BTreeSet::from(["one".to_owned()]);
        Conformance::new(rows, &allowing(may_differ), scenarios, [("tests/a.rs", source)])
            .expect("they are rows")
    }

    #[test]
    fn verdicts_are_of_what_is_said_and_what_is_shown() {
        use Verdict::{Different, Equal, NotApplicable, NotYet};
        let verdicts = |source| {
            let all = of(ROWS, "SUP-058", source);
            all.rows().map(|row| all.verdict(row)).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(""), [Equal, Different, NotApplicable, NotYet]);
        let source = "/// It.\n/// OTP: GS-019.\n#[test]\nfn four() {}\n";
        assert_eq!(verdicts(source), [Equal, Different, NotApplicable, Equal]);
    }

    #[test]
    fn what_may_differ_stands_in_one_table_of_the_contracts() {
        let rows: [(String, &[&str]); 4] = [
            (String::new(), &[]),
            (allowing("GS-002, PG-004"), &["GS-002", "PG-004"]),
            (format!("| SUP-001 | one |\n{}", allowing("GS-002")), &["GS-002"]),
            (format!("{DIFFERENCES} Nowhere.\n"), &[]),
        ];
        for (contracts, expected) in rows {
            assert_eq!(differences(&contracts), expected, "{contracts}");
        }
    }

    #[test]
    fn what_is_wrong_is_found_out() {
        let test = |rows: &str| format!("/// OTP: {rows}.\n#[test]\nfn it() {{}}\n");
        let shown = test("SUP-058");
        let differing = "## A\nGS-001: One.\n  differs: so\n";
        let rows: &[(&str, &str, &str, &[&str])] = &[
            (ROWS, "SUP-058", &shown, &[]),
            (ROWS, "SUP-058", "", &["SUP-058: it differs, and no test shows how"]),
            (ROWS, "SUP-058", &test("SUP-058, SUP-999"), &["tests/a.rs::it: there is no row SUP-999"]),
            (
                ROWS,
                "SUP-058",
                &test("SUP-058, GS-018"),
                &["GS-018: a test names it, and the rows say that it means nothing"],
            ),
            (
                ROWS,
                "SUP-058, SUP-001, GS-019, GS-002",
                &shown,
                &[
                    "SUP-001: ARCHITECTURE.md says that it differs, and it does not",
                    "GS-019: ARCHITECTURE.md says that it differs, and it does not",
                    "GS-002: ARCHITECTURE.md says that it differs, and it does not",
                ],
            ),
            (ROWS, "SUP-058, SUP-058", &shown, &["SUP-058: ARCHITECTURE.md says twice that it differs"]),
            (differing, "", &test("GS-001"), &["GS-001: it differs, and ARCHITECTURE.md does not say why"]),
            (differing, "GS-001", &test("GS-001"), &[]),
            (
                "## A\nGS-001: One.\n  not yet: no\n",
                "",
                &test("GS-001"),
                &["GS-001: a test names it, and the rows say that it is not yet there"],
            ),
            (
                "## A\nGS-001 core: One.\n",
                "",
                "",
                &["GS-001: it is core, and neither a test nor a scenario shows it"],
            ),
            (
                "## A\nGS-001 core: One.\n  not yet: no\n",
                "",
                "",
                &["GS-001: it is core, and neither a test nor a scenario shows it"],
            ),
            ("## A\nGS-001: One.\n  by two\n", "", "", &["GS-001: there is no scenario two with a trace"]),
            ("## A\nGS-001: One.\nGS-001: One.\n", "", "", &["GS-001: stands twice in the rows"]),
        ];
        for (rows, may_differ, source, expected) in rows {
            assert_eq!(of(rows, may_differ, source).wrong(), *expected, "{rows}\n{may_differ}\n{source}");
        }
    }
}
