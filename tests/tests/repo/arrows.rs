//! Who may depend on whom: the arrows of ARCHITECTURE.md, and that the two lowest packages stay free of everything.
//! Looks at what manifests declare, dev-dependencies included, not at what one resolution makes of it.

use crate::assert_none;
use crate::source::code;
use crate::workspace::{Dependency, Kind, Package, our_packages, read};

/// Which of our packages each of our packages may name. A package without a row is an error.
const ARROWS: &[(&str, &[&str])] = &[
    ("minder-signals", &[]),
    ("minder-mailbox", &["minder-signals"]),
    ("minder-runtime", &["minder-mailbox", "minder-signals"]),
    ("minder-supervisors-core", &["minder-signals"]),
    ("minder-supervisors", &["minder-supervisors-core", "minder-runtime"]),
    ("minder-codec", &[]),
    ("minder-macros", &[]),
    ("minder-groups", &["minder-runtime"]),
    // The supervisors for the examples in its documentation; the codec with its feature `redb`.
    ("minder-state", &["minder-runtime", "minder-supervisors", "minder-codec"]),
    ("minder-statem", &["minder-runtime"]),
    (
        "minder",
        &[
            "minder-macros",
            "minder-runtime",
            "minder-supervisors",
            "minder-groups",
            "minder-state",
            "minder-statem",
        ],
    ),
    // The runtime only to switch on its feature `fault-injection`; ARCHITECTURE.md says so.
    (
        "minder-fault-injection",
        &["minder", "minder-supervisors-core", "minder-runtime", "minder-fault-injection-macros"],
    ),
    ("minder-fault-injection-macros", &[]),
];

/// What stands in `examples/` sees what users see, and the two packages that are for examples, tests and benches only.
const EXAMPLES_MAY_NAME: &[&str] = &["minder", "minder-fault-injection", "minder-codec"];

/// These two look at everything.
const MAY_NAME_ANYTHING: &[&str] = &["minder-tests", "minder-benches"];

/// Nothing from outside, and `no_std`.
const FREE_OF_EVERYTHING: &[&str] = &["minder-signals", "minder-supervisors-core"];

const SWITCHES_FAULTS_ON: &str = "minder-fault-injection";

fn wrong_arrows(packages: &[Package]) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        if MAY_NAME_ANYTHING.contains(&name) {
            continue;
        }
        let row = ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
        let row = row.or(package.folder.starts_with("examples/").then_some(EXAMPLES_MAY_NAME));
        let Some(may_name) = row else {
            wrong.push(format!("{name} has no row in {}", file!()));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.ours) {
            if !may_name.contains(&dependency.name.as_str()) {
                wrong.push(format!("{name} -> {} is no arrow of the design", dependency.name));
            }
        }
    }
    wrong
}

fn wrong_switches(packages: &[Package]) -> Vec<String> {
    let switches =
        |dependency: &&Dependency| dependency.features.iter().any(|name| name == "fault-injection");
    packages
        .iter()
        .filter(|package| package.name != SWITCHES_FAULTS_ON)
        .flat_map(|package| package.dependencies.iter().filter(switches).map(move |to| (package, to)))
        .map(|(package, to)| format!("{} switches on fault-injection of {}", package.name, to.name))
        .collect()
}

fn foreign_dependencies(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .filter(|package| FREE_OF_EVERYTHING.contains(&package.name.as_str()))
        .flat_map(|package| package.dependencies.iter().map(move |to| (package, to)))
        .filter(|(_, to)| !to.ours && to.kind == Kind::Shipped)
        .map(|(package, to)| format!("{} depends on {}, from outside", package.name, to.name))
        .collect()
}

/// `no_std` is among the first attributes, and `std` does not come back in but for tests.
fn is_no_std(source: &str) -> bool {
    let code = code(source);
    let lines: Vec<&str> = code.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let declared = lines.iter().take_while(|line| line.starts_with("#![")).any(|line| *line == "#![no_std]");
    let back_in = lines.iter().enumerate().any(|(at, line)| {
        line.contains("extern crate std") && (at == 0 || !lines[at - 1].starts_with("#[cfg(test)]"))
    });
    declared && !back_in
}

#[test]
fn packages_point_only_where_the_design_says() {
    let packages = our_packages();
    assert_none("arrows", &wrong_arrows(&packages));
    assert_none("the feature fault-injection", &wrong_switches(&packages));
    for (name, _) in ARROWS {
        assert!(packages.iter().any(|package| package.name == *name), "{name} has a row but does not exist");
    }
}

#[test]
fn the_lowest_packages_are_free_of_everything() {
    let packages = our_packages();
    assert_none("dependencies from outside", &foreign_dependencies(&packages));
    for package in packages.iter().filter(|package| FREE_OF_EVERYTHING.contains(&package.name.as_str())) {
        let path = format!("{}/src/lib.rs", package.folder);
        assert!(is_no_std(&read(&path)), "{path} does not begin with #![no_std]");
    }
}

#[test]
fn wrong_arrows_are_found() {
    let rows = [
        ("minder-signals", "crates/signals", "minder-runtime", Kind::Shipped),
        ("minder-supervisors", "supervisors", "minder-signals", Kind::Shipped),
        ("minder-runtime", "crates/runtime", "minder-supervisors", Kind::Shipped),
        ("minder", "crates/minder", "minder-fault-injection", Kind::Dev),
        ("minder", "crates/minder", "minder-codec", Kind::Shipped),
        ("hello", "examples/hello", "minder-runtime", Kind::Shipped),
        ("minder-new", "crates/new", "minder", Kind::Shipped),
    ];
    for (from, folder, to, kind) in rows {
        assert_eq!(wrong_arrows(&[sample(from, folder, to, kind)]).len(), 1, "{from} -> {to}");
    }
    let right = sample("hello", "examples/hello", "minder-fault-injection", Kind::Shipped);
    assert!(wrong_arrows(&[right]).is_empty());
}

#[test]
fn a_wrong_switch_is_found() {
    let mut package = sample("minder", "crates/minder", "minder-runtime", Kind::Shipped);
    assert!(wrong_switches(std::slice::from_ref(&package)).is_empty());
    package.dependencies[0].features.push("fault-injection".into());
    assert_eq!(wrong_switches(&[package]).len(), 1);
}

#[test]
fn a_foreign_dependency_is_found() {
    let mut package = sample("minder-supervisors-core", "supervisors/core", "tokio", Kind::Shipped);
    package.dependencies[0].ours = false;
    assert_eq!(foreign_dependencies(std::slice::from_ref(&package)).len(), 1);
    package.dependencies[0].kind = Kind::Dev;
    assert!(foreign_dependencies(&[package]).is_empty());
}

#[test]
fn std_is_found() {
    assert!(is_no_std("//! Head.\n\n#![no_std]\nextern crate alloc;\n#[cfg(test)]\nextern crate std;\n"));
    assert!(!is_no_std("//! Head.\n"));
    assert!(!is_no_std("//! #![no_std]\n"));
    assert!(!is_no_std("mod a;\n#![no_std]\n"));
    assert!(!is_no_std("#![no_std]\nextern crate std;\n"));
}

fn sample(from: &str, folder: &str, to: &str, kind: Kind) -> Package {
    let dependency = Dependency { name: to.into(), ours: true, kind, features: Vec::new() };
    Package { name: from.into(), folder: folder.into(), dependencies: vec![dependency] }
}
