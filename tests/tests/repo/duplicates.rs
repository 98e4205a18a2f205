//! No crate stands in the lock file in two versions, but those that `deny.toml` lists with a reason; and nothing is
//! listed there that need not be.

use std::collections::{BTreeMap, BTreeSet};

use crate::assert_none;
use crate::toml::{array, field, section};
use crate::workspace::read;

/// Versions by crate.
fn locked(lock: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let name = field(package, "name").expect("a locked package has a name");
        let version = field(package, "version").expect("a locked package has a version");
        versions.entry(name).or_default().insert(version);
    }
    versions
}

fn wrong_duplicates(lock: &str, skipped: &[&str]) -> Vec<String> {
    let locked = locked(lock);
    let mut wrong = Vec::new();
    let mut excused = BTreeSet::new();
    for entry in skipped {
        let named = field(entry, "crate").and_then(|spec| spec.split_once('@'));
        let reasoned = field(entry, "reason").is_some_and(|reason| !reason.is_empty());
        match named {
            Some((name, version)) if reasoned => {
                let versions = locked.get(name).filter(|versions| versions.len() > 1);
                if versions.is_some_and(|versions| versions.contains(version)) {
                    excused.insert((name, version));
                } else {
                    wrong.push(format!("deny.toml skips {name}@{version}, which is no duplicate"));
                }
            }
            _ => wrong.push(format!("needs crate = \"name@version\" and a reason: {entry}")),
        }
    }
    for (name, versions) in &locked {
        let left: Vec<&str> =
            versions.iter().filter(|version| !excused.contains(&(*name, **version))).copied().collect();
        if left.len() > 1 {
            wrong.push(format!("{name} stands in the lock file as {}", left.join(" and ")));
        }
    }
    wrong
}

#[test]
fn no_crate_is_locked_twice_without_a_reason() {
    let lock = read("Cargo.lock");
    assert!(locked(&lock).len() > 20, "only {} crates were read", locked(&lock).len());
    let deny = read("deny.toml");
    assert_none("duplicates", &wrong_duplicates(&lock, &array(&section(&deny, "bans"), "skip")));
}

#[test]
fn wrong_duplicates_are_found() {
    let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \
                \"2.0.0\"\n\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\n";
    let excuse = r#"{ crate = "a@1.0.0", reason = "x still asks for it" }"#;
    assert!(wrong_duplicates(lock, &[excuse]).is_empty());
    assert_eq!(wrong_duplicates(lock, &[]).len(), 1);
    let stale = r#"{ crate = "b@1.0.0", reason = "y" }"#;
    assert_eq!(wrong_duplicates(lock, &[excuse, stale]).len(), 1);
    let unreasoned = r#"{ crate = "a@1.0.0" }"#;
    assert_eq!(wrong_duplicates(lock, &[unreasoned]).len(), 2);
}
