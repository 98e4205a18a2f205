//! Finds the tests that name rows: the last line of the documentation of a test is `/// OTP: SUP-031, SUP-034.`
//! Knows lines, not Rust's grammar.

use std::fmt;

use super::rows::is_name;

/// A test that names rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its file.
    pub path: String,
    /// Its function.
    pub function: String,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.path, self.function)
    }
}

/// The tests of a source with the rows that they name; an error is a line that names rows and belongs to no test.
pub fn tags(path: &str, source: &str) -> Vec<Result<(Vec<String>, Tag), String>> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let tagged = lines.iter().enumerate().filter_map(|(at, line)| {
        let named = line.strip_prefix("/// OTP: ")?;
        is_name(named.split([',', '.', ';', ' ']).next()?).then_some((at, named))
    });
    let of = |at: usize, named: &str| {
        let rows =
            rows(named).ok_or("rows, with commas between and a full stop at the end, were expected")?;
        let function = test_below(&lines, at)?;
        Ok((rows, Tag { path: path.to_owned(), function: function.to_owned() }))
    };
    tagged.map(|(at, named)| of(at, named).map_err(|why: &str| format!("{path}:{}: {why}", at + 1))).collect()
}

fn rows(named: &str) -> Option<Vec<String>> {
    let names: Vec<String> = named.strip_suffix('.')?.split(", ").map(str::to_owned).collect();
    names.iter().all(|name| is_name(name)).then_some(names)
}

/// The function that the line documents, if it is a test.
fn test_below<'l>(lines: &[&'l str], at: usize) -> Result<&'l str, &'static str> {
    let is_test = |line: &&str| {
        let path = line.strip_prefix("#[").and_then(|line| line.split(['(', ']']).next());
        path.is_some_and(|path| path.rsplit("::").next() == Some("test"))
    };
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
    let mut tests = above.filter(|line| is_test(line)).count();
    for line in &lines[at + 1..] {
        if line.starts_with("///") {
            return Err("rows are named in the last line of the documentation");
        }
        tests += usize::from(is_test(line));
        let function = line.trim_start_matches("async ").strip_prefix("fn ");
        if let Some(function) = function {
            let name = function.split(['(', '<']).next().unwrap_or_default();
            return if tests > 0 { Ok(name) } else { Err("rows are named by a test, and this is none") };
        }
        if line.is_empty() || line.starts_with('}') {
            break;
        }
    }
    Err("rows are named by a test, and no function follows")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_names_rows_in_the_last_line_of_its_documentation() {
        let named = [
            "/// It.\n/// OTP: SUP-031, GS-001.\n#[test]\nfn it() {}\n",
            "/// OTP: SUP-031, GS-001.\n#[tokio::test(start_paused = true)]\nasync fn it() {}\n",
            "    #[minder::test]\n    /// OTP: SUP-031, GS-001.\n    fn it() {}\n",
            "/// OTP: SUP-031, GS-001.\n#[test]\n#[expect(\n    lint,\n    reason = \"so\"\n)]\nfn it<T>() {}\n",
        ];
        for source in named {
            let tag = Tag { path: "a.rs".into(), function: "it".into() };
            assert_eq!(
                tags("a.rs", source),
                [Ok((vec!["SUP-031".into(), "GS-001".into()], tag))],
                "{source}"
            );
        }
    }

    #[test]
    fn who_names_rows_in_another_way_is_told() {
        let wrong = [
            ("/// OTP: SUP-031\n#[test]\nfn it() {}\n", "a.rs:1: rows, with commas"),
            ("/// OTP: SUP-031; GS-001.\n#[test]\nfn it() {}\n", "a.rs:1: rows, with commas"),
            ("/// OTP: SUP-031, its end.\n#[test]\nfn it() {}\n", "a.rs:1: rows, with commas"),
            (
                "/// OTP: SUP-031.\n/// More.\n#[test]\nfn it() {}\n",
                "a.rs:1: rows are named in the last line",
            ),
            ("/// OTP: SUP-031.\nfn it() {}\n", "a.rs:1: rows are named by a test, and this"),
            (
                "/// OTP: SUP-031.\nconst A: u8 = 1;\n\n#[test]\nfn it() {}\n",
                "a.rs:1: rows are named by a test, and no",
            ),
        ];
        for (source, expected) in wrong {
            let found = tags("a.rs", source);
            let [Err(why)] = &found[..] else { panic!("{source}: {found:?}") };
            assert!(why.starts_with(expected), "{source}: {why}");
        }
        assert_eq!(tags("a.rs", "/// OTP: `shutdown_error`.\n/// # OTP\n/// Follows it.\nfn it() {}\n"), []);
    }
}
