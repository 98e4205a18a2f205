//! Every package of the lock file may be used under a licence that `deny.toml` allows, and every advisory that
//! `deny.toml` ignores says why, whose it is, and when it is looked at again.
//! Does not read licence texts; `cargo deny check` does.

use crate::assert_none;
use crate::toml::{array, field, section, string};
use crate::workspace::{licences, read};

/// Whether the SPDX expression can be satisfied with the allowed licences alone.
///
/// # Errors
/// What is not an SPDX expression. Operators are all upper or all lower case, as SPDX 3.0 has it. `MIT/Apache-2.0`, from
/// before cargo asked for SPDX, is read as `OR`.
fn is_allowed(expression: &str, allowed: &[&str]) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens, allowed };
    let verdict = parser.any_of()?;
    match parser.tokens {
        [] => Ok(verdict),
        [token, ..] => Err(format!("{token} was not expected")),
    }
}

struct Parser<'t> {
    tokens: &'t [&'t str],
    allowed: &'t [&'t str],
}

impl<'t> Parser<'t> {
    fn any_of(&mut self) -> Result<bool, String> {
        let mut verdict = self.all_of()?;
        while self.take("OR") {
            verdict |= self.all_of()?;
        }
        Ok(verdict)
    }

    fn all_of(&mut self) -> Result<bool, String> {
        let mut verdict = self.one()?;
        while self.take("AND") {
            verdict &= self.one()?;
        }
        Ok(verdict)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let verdict = self.any_of()?;
            return if self.take(")") { Ok(verdict) } else { Err(") is missing".into()) };
        }
        let licence = self.name()?;
        if self.take("WITH") {
            // An exception makes a licence of its own: it must be on the list as a whole.
            let exception = self.name()?;
            let whole = format!("{licence} WITH {exception}");
            return Ok(self.allowed.contains(&whole.as_str()));
        }
        Ok(self.allowed.contains(&licence))
    }

    fn name(&mut self) -> Result<&'t str, String> {
        match self.tokens {
            [name, rest @ ..] if !["(", ")", "AND", "OR", "WITH", "and", "or", "with"].contains(name) => {
                self.tokens = rest;
                Ok(name)
            }
            _ => Err("the name of a licence is missing".into()),
        }
    }

    fn take(&mut self, token: &str) -> bool {
        match self.tokens {
            [first, rest @ ..] if *first == token || *first == token.to_ascii_lowercase() => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }
}

fn wrong_licences(packages: &[(String, String, Option<String>)], allowed: &[&str]) -> Vec<String> {
    packages
        .iter()
        .filter_map(|(name, version, licence)| {
            let wrong = match licence.as_deref().map(|licence| is_allowed(licence, allowed)) {
                Some(Ok(true)) => return None,
                Some(Ok(false)) => "is not allowed by deny.toml".to_owned(),
                Some(Err(error)) => format!("is no SPDX expression: {error}"),
                None => "is not stated".to_owned(),
            };
            Some(format!("{name} {version}: licence {licence:?} {wrong}"))
        })
        .collect()
}

/// Each entry has an id and a reason; the reason names the owner, the day it began and the day of review.
fn wrong_exceptions(ignored: &[&str]) -> Vec<String> {
    let is_complete = |entry: &&&str| {
        let reason = field(entry, "reason").unwrap_or_default();
        field(entry, "id").is_some()
            && reason.contains("Owner: ")
            && is_date_after(reason, "Since ")
            && is_date_after(reason, "review by ")
    };
    let wrong = ignored.iter().filter(|entry| !is_complete(entry));
    wrong.map(|entry| format!("needs id, reason, owner and dates: {entry}")).collect()
}

/// `2026-11-22` behind `word`.
fn is_date_after(text: &str, word: &str) -> bool {
    let date = text.split_once(word).and_then(|(_, rest)| rest.get(..10)).unwrap_or_default();
    !date.is_empty()
        && date
            .char_indices()
            .all(|(at, digit)| if at == 4 || at == 7 { digit == '-' } else { digit.is_ascii_digit() })
}

#[test]
fn every_package_may_be_used() {
    let deny = read("deny.toml");
    let allowed: Vec<&str> = array(&section(&deny, "licenses"), "allow").into_iter().map(string).collect();
    let packages = licences();
    assert!(packages.len() > 20, "only {} packages were read", packages.len());
    assert_none("licences", &wrong_licences(&packages, &allowed));
}

#[test]
fn every_ignored_advisory_has_an_owner_and_a_date() {
    let deny = read("deny.toml");
    assert_none("ignored advisories", &wrong_exceptions(&array(&section(&deny, "advisories"), "ignore")));
}

#[test]
fn expressions_are_read_as_spdx() {
    let allowed = ["MIT", "Apache-2.0", "Unicode-3.0", "GPL-2.0-only WITH Classpath-exception-2.0"];
    let rows = [
        ("MIT", Ok(true)),
        ("GPL-3.0-only", Ok(false)),
        ("GPL-3.0-only OR MIT", Ok(true)),
        ("GPL-3.0-only AND MIT", Ok(false)),
        ("MIT/Apache-2.0", Ok(true)),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", Ok(true)),
        ("(MIT OR Apache-2.0) AND OpenSSL", Ok(false)),
        ("MIT OR Apache-2.0 AND OpenSSL", Ok(true)), // AND binds tighter
        ("OpenSSL AND MIT OR Zlib", Ok(false)),
        ("Apache-2.0 WITH LLVM-exception", Ok(false)),
        ("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", Ok(true)),
        ("GPL-2.0-only WITH Classpath-exception-2.0", Ok(true)),
        ("", Err(())),
        ("MIT OR", Err(())),
        ("(MIT", Err(())),
        ("MIT Apache-2.0", Err(())),
        ("MIT or OpenSSL", Ok(true)),
        ("MIT and OpenSSL", Ok(false)),
        ("MIT Or Apache-2.0", Err(())),
    ];
    for (expression, expected) in rows {
        assert_eq!(is_allowed(expression, &allowed).map_err(drop), expected, "{expression}");
    }
}

#[test]
fn a_wrong_licence_is_found() {
    let package =
        |licence: Option<&str>| ("sample".to_owned(), "1.0.0".to_owned(), licence.map(str::to_owned));
    let packages =
        [package(Some("MIT")), package(Some("AGPL-3.0-only")), package(None), package(Some("MIT )"))];
    assert_eq!(wrong_licences(&packages, &["MIT"]).len(), 3);
}

#[test]
fn a_careless_exception_is_found() {
    let good = r#"{ id = "A", reason = "Why. Owner: x. Since 2026-11-22; review by 2027-05-22." }"#;
    assert!(wrong_exceptions(&[good]).is_empty());
    let rows = [
        r#""A""#,
        r#"{ id = "A" }"#,
        r#"{ id = "A", reason = "Why. Owner: x." }"#,
        r#"{ id = "A", reason = "Why. Owner: x. Since 2026-11-22; review by then." }"#,
        r#"{ id = "A", reason = "Why. Since 2026-11-22; review by 2027-05-22." }"#,
    ];
    for row in rows {
        assert_eq!(wrong_exceptions(&[row]).len(), 1, "{row}");
    }
}
