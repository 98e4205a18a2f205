//! The page of promises names, for each, a test that breaks it on purpose: those tests must be there.
//! A test is named as `path/to/file.rs::function`. That it can fail is for whoever writes it.

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
