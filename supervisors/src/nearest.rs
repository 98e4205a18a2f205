//! The path, or the name, that somebody may have meant by a wrong one.

use std::fmt;

/// The nearest of these: one that ends with the same id, or else one that is at most a third of its letters away.
pub(crate) fn nearest<'a, S: AsRef<str>>(wrong: &str, paths: impl Iterator<Item = &'a S>) -> Option<&'a S> {
    let id = |path: &str| path.rsplit('/').next().map(str::to_lowercase);
    let known = paths.filter(|path| !path.as_ref().is_empty());
    let ranked = known.map(|path| {
        let same_id = id(path.as_ref()) == id(wrong);
        ((!same_id, distance(wrong, path.as_ref())), path)
    });
    let ((other_id, away), path) = ranked.min_by_key(|(rank, _)| *rank)?;
    let longest = wrong.chars().count().max(path.as_ref().chars().count());
    (!other_id || away <= longest / 3).then_some(path)
}

/// What is added to an error that names a wrong one.
pub(crate) fn did_you_mean(f: &mut fmt::Formatter<'_>, nearest: Option<&str>) -> fmt::Result {
    match nearest {
        Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
        None => Ok(()),
    }
}

/// How many letters are to be added, left out or changed, whatever their case.
fn distance(one: &str, other: &str) -> usize {
    strsim::levenshtein(&one.to_lowercase(), &other.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near() {
        let paths = ["", "vault", "vault/store", "vault/ledgers", "front", "front/gateway"];
        let rows = [
            ("store", Some("vault/store")),
            ("vault/Store", Some("vault/store")),
            ("front/store", Some("vault/store")),
            ("vault/stor", Some("vault/store")),
            ("vault/ledger", Some("vault/ledgers")),
            ("frnt/gatewy", Some("front/gateway")),
            ("vaults", Some("vault")),
            ("elsewhere", None),
            ("", None),
        ];
        for (wrong, expected) in rows {
            assert_eq!(nearest(wrong, paths.iter()), expected.as_ref(), "{wrong}");
        }
        assert_eq!(nearest("x", [""; 0].iter()), None);
    }
}
