//! Patterns of actor paths: segments between slashes, `*` for any part of one segment, `**` for any number of whole
//! segments. And of the names of message types, where `*` stands for anything.

use std::fmt;
use std::str::FromStr;

/// Which actors a fault is for, such as `bank/*/ledger-*` or `bank/**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<String>);

/// A pattern that can match nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError(String);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no pattern of actor paths: write segments between single slashes, as in bank/*/store",
            self.0
        )
    }
}

impl std::error::Error for PatternError {}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let segments: Vec<String> = text.split('/').map(str::to_owned).collect();
        if segments.iter().any(String::is_empty) {
            return Err(PatternError(text.to_owned()));
        }
        Ok(Self(segments))
    }
}

impl Pattern {
    /// Whether the path of an actor fits.
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        segments_match(&self.0, &path)
    }
}

fn segments_match(pattern: &[String], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((first, rest)) if first == "**" => {
            (0..=path.len()).any(|skipped| segments_match(rest, &path[skipped..]))
        }
        Some((first, rest)) => path
            .split_first()
            .is_some_and(|(head, tail)| segment_matches(first, head) && segments_match(rest, tail)),
    }
}

/// Whether the name of a type fits a pattern: the whole name, or its last part without the modules before it.
pub(crate) fn message_matches(pattern: &str, name: &str) -> bool {
    let arguments = name.find('<').unwrap_or(name.len());
    let last = name[..arguments].rfind("::").map_or(0, |at| at + 2);
    segment_matches(pattern, name) || segment_matches(pattern, &name[last..])
}

/// Greedy from the left: the parts between stars must occur in order, the first at the start, the last at the end.
fn segment_matches(pattern: &str, segment: &str) -> bool {
    let Some((head, mut rest_of_pattern)) = pattern.split_once('*') else { return pattern == segment };
    let Some(mut rest) = segment.strip_prefix(head) else { return false };
    while let Some((part, after)) = rest_of_pattern.split_once('*') {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        rest_of_pattern = after;
    }
    rest.ends_with(rest_of_pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_patterns_match() {
        let rows = [
            ("bank", "bank", true),
            ("bank", "bank/store", false),
            ("bank/*", "bank/store", true),
            ("bank/*", "bank/vault/store", false),
            ("bank/**", "bank", true),
            ("bank/**", "bank/vault/store", true),
            ("**/store", "bank/vault/store", true),
            ("**/ledger-*", "bank/vault/ledgers/ledger-3", true),
            ("**/ledger-*", "bank/vault/ledgers", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**", "anything/at/all", true),
        ];
        for (pattern, path, expected) in rows {
            let parsed: Pattern = pattern.parse().expect("the row's pattern is one");
            assert_eq!(parsed.matches(path), expected, "{pattern} on {path}");
        }
        let rows = [
            ("StoreMsg", "bank::service::StoreMsg", true),
            ("Store*", "bank::service::StoreMsg", true),
            ("bank::*", "bank::service::StoreMsg", true),
            ("Msg", "bank::service::StoreMsg", false),
            ("Batch<*>", "bank::Batch<bank::Transfer>", true),
            ("Transfer", "bank::Batch<bank::Transfer>", false),
            ("u64", "u64", true),
        ];
        for (pattern, name, expected) in rows {
            assert_eq!(message_matches(pattern, name), expected, "{pattern} on {name}");
        }
        assert!("bank//store".parse::<Pattern>().unwrap_err().to_string().contains("bank//store"));
    }
}
