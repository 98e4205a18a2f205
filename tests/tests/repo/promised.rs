//! The page of promises names, for each, a test that breaks it on purpose: those tests must be there.
//! A test is named as `path/to/file.rs::function`. That it can fail is for whoever writes it. Those in the folder of promises
//! are built as several binaries: each file belongs to one.

use crate::assert_none;
use crate::workspace::{File, files, read};

const PAGE: &str = "docs/promises.md";

/// `path::function` in backticks, of every line that has one.
fn named(page: &str) -> Vec<(&str, &str)> {
    page.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split_once(".rs::")).collect()
}

fn wrong_names(page: &str, files: &[File]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, function) in named(page) {
        let path = format!("{path}.rs");
        let Some(file) = files.iter().find(|file| file.path == path) else {
            wrong.push(format!("{path}: no such file"));
            continue;
        };
        if !has_test(&file.text, function) {
            wrong.push(format!("{path}: no test `{function}`"));
        }
    }
    wrong
}

/// The binaries of the folder of promises, which are its roots.
const ROOTS: [&str; 3] = ["main", "trees", "state"];
const FOLDER: &str = "tests/tests/promises/";

/// A file that no root names is not built, and its tests are not run; tests that two of them name are run twice.
fn homeless(files: &[File]) -> Vec<String> {
    let inside = |file: &File| file.path.strip_prefix(FOLDER)?.strip_suffix(".rs").map(str::to_owned);
    let (roots, modules): (Vec<_>, Vec<_>) = files
        .iter()
        .filter_map(|file| Some((inside(file)?, file)))
        .partition(|(name, _)| ROOTS.contains(&name.as_str()));
    let homes = |name: &str| {
        let line = format!("mod {name};");
        roots.iter().filter(|(_, root)| root.text.lines().any(|at| at == line)).count()
    };
    let has_tests = |file: &File| file.text.lines().any(|line| is_attribute_of_test(line.trim()));
    let wrong = modules.iter().filter_map(|(name, file)| match (homes(name), has_tests(file)) {
        (0, _) => Some(format!("{}: none of {ROOTS:?} has `mod {name};`", file.path)),
        (2.., true) => Some(format!("{}: its tests are in several of {ROOTS:?}", file.path)),
        _ => None,
    });
    wrong.collect()
}

fn is_attribute_of_test(line: &str) -> bool {
    line.starts_with("#[") && line.contains("test") && !line.contains("cfg(")
}

/// A promise without a test is a row of the table with nothing in its last column.
fn untested(page: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.ends_with("| |"));
    rows.filter(|line| !line.starts_with("| promise")).map(str::to_owned).collect()
}

/// Whether the function stands there with an attribute that makes it a test: `#[test]`, or one that ends so.
fn has_test(text: &str, function: &str) -> bool {
    let heads = [format!("fn {function}("), format!("fn {function}<")];
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        heads.iter().any(|head| line.contains(head.as_str()))
            && lines[..at]
                .iter()
                .rev()
                .take_while(|before| !before.is_empty() && !before.starts_with('}'))
                .any(|before| before.starts_with("#[") && before.contains("test"))
    }) || (text.contains("proptest!") && lines.iter().any(|line| line.starts_with(&heads[0])))
}

#[test]
fn the_tests_that_the_page_of_promises_names_are_there() {
    let page = read(PAGE);
    let names = named(&page);
    assert!(names.len() >= 40, "the page names {} tests", names.len());
    assert_none("the page of promises", &wrong_names(&page, &files()));
    assert_none("promises without a test", &untested(&page));
    println!("{} tests of promises", names.len());
}

#[test]
fn every_file_of_promises_is_built_once() {
    assert_none("the folder of promises", &homeless(&files()));
    let file = |name: &str, text: &str| File { path: format!("{FOLDER}{name}.rs"), text: text.into() };
    let test = "#[tokio::test(start_paused = true)]\nasync fn holds() {}";
    let rows = [
        (["mod a;\n", ""], test, 0),
        (["mod a;\n", "mod a;\n"], "pub fn shared() {}", 0),
        (["mod a;\n", "mod a;\n"], test, 1),
        (["mod b;\n", "// mod a;\n"], test, 1),
        (["", ""], "pub fn shared() {}", 1),
    ];
    for (roots, text, wrong) in rows {
        let files = [file("main", roots[0]), file("trees", roots[1]), file("a", text)];
        assert_eq!(homeless(&files).len(), wrong, "{roots:?} {text}");
    }
}

#[test]
fn a_test_that_is_not_there_is_found_out() {
    let file = |text: &str| File { path: "a/b.rs".into(), text: text.into() };
    let page = "| promise | test |\n| it holds | `a/b.rs::holds` |\n";
    assert_eq!(wrong_names(page, &[file("#[test]\nfn holds() {}")]), [""; 0]);
    assert_eq!(wrong_names(page, &[file("#[tokio::test]\n/// Why.\nasync fn holds() {}")]), [""; 0]);
    for text in ["fn holds() {}", "#[test]\nfn other() {}\n\nfn holds() {}", "#[test]\nfn holds_not() {}"] {
        assert_eq!(wrong_names(page, &[file(text)]).len(), 1, "{text}");
    }
    assert_eq!(wrong_names(page, &[]).len(), 1);
    assert_eq!(untested("| promise | test |\n| it holds | |\n").len(), 1);
    assert_eq!(untested(page), [""; 0]);
}
