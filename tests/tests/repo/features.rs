//! Users of minder get neither the injection points of the runtime nor tokio's test clock.
//! Each package is resolved alone, as for a user; a build of the whole workspace unifies features and would show both.

use crate::assert_none;
use crate::workspace::cargo;

const SHIPPED: [&str; 5] =
    ["minder", "minder-runtime", "minder-groups", "minder-state", "minder-supervisors"];

/// `(package, feature)`
const NOT_SHIPPED: [(&str, &str); 2] = [("minder-runtime", "fault-injection"), ("tokio", "test-util")];

/// What is built for a user of `package`: each package of its tree with the features that are on.
fn tree(package: &str) -> Vec<(String, Vec<String>)> {
    let arguments = [
        &["tree", "--package", package, "--edges", "normal,build", "--prefix", "none"][..],
        &["--format", "{p}|{f}", "--locked", "--offline"],
    ];
    let text = cargo(&arguments.concat()).unwrap_or_else(|error| panic!("cargo tree for {package}: {error}"));
    let tree = parse(&text);
    assert_eq!(tree.first().map(|(name, _)| name.as_str()), Some(package), "the tree begins with its root");
    tree
}

/// Lines such as `tokio v1.54.1|rt,sync (*)`; the mark stands where a subtree was shown before.
fn parse(text: &str) -> Vec<(String, Vec<String>)> {
    let package = |line: &str| {
        let (package, features) = line.trim_end_matches("(*)").split_once('|')?;
        let name = package.split(' ').next()?;
        let features = features.split(',').map(str::trim).filter(|feature| !feature.is_empty());
        Some((name.to_owned(), features.map(str::to_owned).collect()))
    };
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| package(line).unwrap_or_else(|| panic!("not a line of cargo tree: {line}"))).collect()
}

fn wrongly_shipped(tree: &[(String, Vec<String>)]) -> Vec<String> {
    let mut wrong: Vec<String> = NOT_SHIPPED
        .iter()
        .filter(|(package, feature)| {
            tree.iter().any(|(name, features)| name == package && features.iter().any(|on| on == feature))
        })
        .map(|(package, feature)| format!("{package} with {feature}"))
        .collect();
    wrong.extend(
        tree.iter()
            .filter(|(name, _)| name == "minder-fault-injection")
            .map(|(name, _)| format!("{name} itself"))
            .take(1),
    );
    wrong
}

#[test]
fn users_get_neither_faults_nor_a_test_clock() {
    for package in SHIPPED {
        let tree = tree(package);
        assert!(
            tree.iter().any(|(name, features)| name == "tokio" && !features.is_empty()),
            "tokio's features"
        );
        assert_none(package, &wrongly_shipped(&tree));
    }
}

#[test]
fn the_harness_does_get_the_faults() {
    let wrong = wrongly_shipped(&tree("minder-fault-injection"));
    assert!(wrong.contains(&"minder-runtime with fault-injection".to_owned()), "{wrong:?}");
}

#[test]
fn a_wrong_feature_is_found() {
    let rows = [
        ("minder v0.1.0|\ntokio v1.54.1|rt,sync,time\n", 0),
        ("minder v0.1.0|\ntokio v1.54.1|rt,test-util,time (*)\n", 1),
        ("minder v0.1.0|\nminder-runtime v0.1.0 (a b)|fault-injection (*)\n", 1),
        ("minder v0.1.0|\nminder-runtime v0.1.0 (a b)| (*)\n", 0),
        ("minder v0.1.0|\nminder-fault-injection v0.1.0|\n", 1),
    ];
    for (text, expected) in rows {
        assert_eq!(wrongly_shipped(&parse(text)).len(), expected, "{text}");
    }
}
