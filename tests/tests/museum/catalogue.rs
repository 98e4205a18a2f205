//! Holds the catalogue against the exhibits: each is listed, each listed one is there, and each says in its documentation
//! which report it is about.

use std::collections::BTreeSet;

use crate::CATALOGUE;

/// Repository, number, and the exhibit as `theme::function`.
pub(crate) type Row = (&'static str, u32, &'static str);

/// How many exhibits there are at least.
const AT_LEAST: usize = 30;

/// The themes, and their source.
const THEMES: &[(&str, &str)] = &[
    ("asks", include_str!("asks.rs")),
    ("groups", include_str!("groups.rs")),
    ("lifecycle", include_str!("lifecycle.rs")),
    ("links", include_str!("links.rs")),
    ("lost", include_str!("lost.rs")),
    ("references", include_str!("references.rs")),
    ("remains", include_str!("remains.rs")),
    ("restarts", include_str!("restarts.rs")),
    ("stopping", include_str!("stopping.rs")),
    ("timers", include_str!("timers.rs")),
];

/// One test, as it stands in the source.
struct Exhibit {
    name: String,
    documentation: String,
}

/// The tests of a theme: a function below an attribute that ends in `test`, with the documentation above that.
fn exhibits(theme: &str, source: &str) -> Vec<Exhibit> {
    let (mut documentation, mut is_test, mut found) = (String::new(), false, Vec::new());
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            documentation.push_str(text);
        } else if line.starts_with("#[") {
            let path = line.trim_start_matches("#[").split(['(', ']']).next().unwrap_or_default();
            is_test |= path.rsplit("::").next() == Some("test");
        } else {
            let function = line.trim_start_matches("async ").strip_prefix("fn ");
            if let (true, Some(function)) = (is_test, function) {
                let name = function.split('(').next().unwrap_or_default();
                found
                    .push(Exhibit { name: format!("{theme}::{name}"), documentation: documentation.clone() });
            }
            (documentation, is_test) = (String::new(), false);
        }
    }
    found
}

/// The name that tests give a repository: its last part, in small letters.
fn short(repository: &str) -> String {
    let name = match repository {
        "erlang/otp" => "erlang_otp",
        "gleam-lang/otp" => "gleam_otp",
        "akka/akka-core" => "akka",
        "actor-framework/actor-framework" => "caf",
        "LeonHartley/Coerce-rs" => "coerce",
        "Govcraft/acton-reactive" => "acton",
        _ => repository.rsplit('/').next().unwrap_or_default(),
    };
    name.to_lowercase().replace(['-', '.'], "_")
}

#[test]
fn the_catalogue_and_the_exhibits_agree() {
    let all: Vec<Exhibit> = THEMES.iter().flat_map(|(theme, source)| exhibits(theme, source)).collect();
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for (repository, number, test) in CATALOGUE {
        let report = format!("{repository}#{number}");
        match all.iter().find(|exhibit| exhibit.name == *test) {
            None => wrong.push(format!("{report}: there is no {test}")),
            Some(exhibit) if !exhibit.documentation.contains(&report) => {
                wrong.push(format!("{test} does not say that it is about {report}"));
            }
            Some(_) => {}
        }
        // An exhibit is named after the first report that is listed for it.
        let begins = format!("::{}_{number}_", short(repository));
        if listed.insert(*test) && !test.contains(&begins) {
            wrong.push(format!("{test} is not named after {report}"));
        }
    }
    for exhibit in &all {
        if !listed.contains(exhibit.name.as_str()) {
            wrong.push(format!("{} is not in the catalogue", exhibit.name));
        }
        let sentences = exhibit.documentation.matches(['.', ';', ':']).count();
        if sentences < 3 || !exhibit.documentation.contains("Here ") {
            wrong.push(format!("{} does not tell what happened, and why not here", exhibit.name));
        }
        let reports =
            exhibit.documentation.split(char::is_whitespace).filter(|word| word.contains('#')).count();
        let rows = CATALOGUE.iter().filter(|(.., test)| *test == exhibit.name).count();
        if reports != rows {
            wrong.push(format!("{}: {reports} reports told, {rows} listed", exhibit.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all.len() >= AT_LEAST, "{} exhibits", all.len());
    for (repository, number, test) in CATALOGUE {
        println!("{:<42} {test}", format!("{repository}#{number}"));
    }
    println!("{} reports, {} exhibits", CATALOGUE.len(), all.len());
}

#[test]
fn a_test_is_found_in_its_source() {
    let source = "/// a/b#1: this.\n#[tokio::test(flavor = \"x\")]\nasync fn one() {\n    fn inner() {}\n}\nfn helper() {}\n#[test]\nfn two() {}\n";
    let found: Vec<String> = exhibits("t", source)
        .into_iter()
        .map(|exhibit| format!("{}:{}", exhibit.name, exhibit.documentation))
        .collect();
    assert_eq!(found, ["t::one: a/b#1: this.", "t::two:"]);
}
