//! What the files of the repository may contain, and what they must.
//! Rules about code look at code: what a comment or a text says does not count. Rules about paths look at everything.

use crate::assert_none;
use crate::source::{code, lines_with};
use crate::toml::section;
use crate::workspace::{File, files, read};

const LONGEST_FILE: usize = 700;

/// Names a folder of somebody's machine. Split, so that this file does not break its own rule.
const MACHINE_FOLDERS: [&str; 4] =
    [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/"), concat!("/", "Users/")];

/// Hosts that packages are fetched from; a registry is named by its name.
const REGISTRY_HOSTS: [&str; 2] = [concat!("index.", "crates.io"), concat!("static.", "crates.io")];

/// The codec's library, which nobody else names.
const CODEC_LIBRARY: &str = concat!("bin", "code");

fn without_head(file: &File) -> Vec<String> {
    let is_wrong = file.is_rust() && !file.text.starts_with("//!") && !file.text.starts_with("#!");
    is_wrong
        .then(|| format!("{}: the first line does not say what the file is for (//!)", file.path))
        .into_iter()
        .collect()
}

fn too_long(file: &File) -> Vec<String> {
    let lines = file.text.lines().count();
    let is_wrong = file.is_rust() && lines > LONGEST_FILE;
    is_wrong.then(|| format!("{}: {lines} lines, more than {LONGEST_FILE}", file.path)).into_iter().collect()
}

fn unfinished(file: &File) -> Vec<String> {
    in_code(file, &["todo!", "unimplemented!", "#[ignore"])
}

/// Waiting for the wall clock is not waiting for what is to happen.
fn sleeping_tests(file: &File) -> Vec<String> {
    let is_test = file.path.split('/').any(|part| part == "tests" || part == "tests.rs");
    if is_test { in_code(file, &["thread::sleep", "time::sleep"]) } else { Vec::new() }
}

/// What runs actors reads tokio's clock and no other: whoever sets the wall clock moves no timer.
fn reading_the_wall_clock(file: &File) -> Vec<String> {
    const RUNS_ACTORS: [&str; 5] = [
        "crates/signals/src/",
        "crates/mailbox/src/",
        "crates/runtime/src/",
        "crates/statem/src/",
        "supervisors/",
    ];
    let runs_actors = RUNS_ACTORS.iter().any(|folder| file.path.starts_with(folder));
    if runs_actors { in_code(file, &["SystemTime"]) } else { Vec::new() }
}

fn naming_the_codec_library(file: &File) -> Vec<String> {
    if file.path.starts_with("crates/codec/") {
        Vec::new()
    } else if file.path.ends_with("/Cargo.toml") {
        // The root's manifest holds the version of everything, and is not meant by this.
        let names = |line: &&str| line.split('#').next().is_some_and(|line| line.contains(CODEC_LIBRARY));
        file.text.lines().filter(names).map(|line| format!("{}: {line}", file.path)).collect()
    } else {
        in_code(file, &[CODEC_LIBRARY])
    }
}

fn naming_a_machine(file: &File) -> Vec<String> {
    let names_folder = |line: &str| {
        MACHINE_FOLDERS.iter().any(|folder| {
            line.match_indices(folder).any(|(at, _)| {
                let next = line[at + folder.len()..].chars().next();
                next.is_some_and(|next| next.is_alphanumeric() || next == '.')
            })
        })
    };
    let names_host = |line: &str| REGISTRY_HOSTS.iter().any(|host| line.contains(host));
    if file.path.ends_with(".lock") {
        return Vec::new();
    }
    let lines = file.text.lines().enumerate();
    let wrong = lines.filter(|(_, line)| names_folder(line) || names_host(line));
    wrong.map(|(index, line)| format!("{}:{}: {}", file.path, index + 1, line.trim())).collect()
}

/// A package takes the workspace's lints, and with them `unsafe_code = "forbid"`.
fn own_lints(file: &File) -> Vec<String> {
    let is_wrong =
        file.path.ends_with("/Cargo.toml") && !section(&file.text, "lints").contains(&"workspace = true");
    is_wrong.then(|| format!("{}: no [lints] workspace = true", file.path)).into_iter().collect()
}

fn in_code(file: &File, needles: &[&str]) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let code = code(&file.text);
    let find = |needle: &&str| {
        let needle = (*needle).to_owned();
        let lines = lines_with(&code, &needle);
        lines.into_iter().map(move |line| (line, needle.clone())).collect::<Vec<_>>()
    };
    needles.iter().flat_map(find).map(|(line, needle)| format!("{}:{line}: {needle}", file.path)).collect()
}

#[track_caller]
fn hold(rule: fn(&File) -> Vec<String>, what: &str) {
    let files = files();
    let sources = files.iter().filter(|file| file.is_rust()).count();
    assert!(sources > 10 && files.iter().any(|file| file.path == ".ci/run"), "{sources} sources were read");
    assert_none(what, &files.iter().flat_map(rule).collect::<Vec<_>>());
}

/// How many times the rule speaks up about a file of this path and text.
fn found(rule: fn(&File) -> Vec<String>, path: &str, text: &str) -> usize {
    rule(&File { path: path.into(), text: text.into() }).len()
}

#[test]
fn every_file_says_what_it_is_for() {
    hold(without_head, "heads");
    assert_eq!(found(without_head, "a.rs", "use b;\n"), 1);
    assert_eq!(found(without_head, "a.rs", "\n//! Late.\n"), 1);
    assert_eq!(found(without_head, "a.rs", "//! Role.\n"), 0);
    assert_eq!(found(without_head, "a.md", "# A\n"), 0);
}

#[test]
fn no_file_is_too_long() {
    hold(too_long, "long files: has a second concept moved in?");
    assert_eq!(found(too_long, "a.rs", &"x\n".repeat(LONGEST_FILE + 1)), 1);
    assert_eq!(found(too_long, "a.rs", &"x\n".repeat(LONGEST_FILE)), 0);
}

#[test]
fn nothing_is_unfinished_or_switched_off() {
    hold(unfinished, "unfinished");
    assert_eq!(
        found(
            unfinished,
            "a.rs",
            "fn a() { todo!() }\n#[ignore = \"later\"]\nfn b() { unimplemented!(\"c\") }"
        ),
        3
    );
    assert_eq!(found(unfinished, "a.rs", "// todo!()\nlet a = \"#[ignore]\"; not_todo!();"), 0);
}

#[test]
fn no_test_sleeps() {
    hold(sleeping_tests, "sleeps");
    for path in ["tests/tests/a.rs", "crates/a/src/tests.rs", "crates/a/tests/b/c.rs", "tests/src/lib.rs"] {
        assert_eq!(
            found(sleeping_tests, path, "use tokio::time::sleep;\nstd::thread::sleep(d);\n"),
            2,
            "{path}"
        );
    }
    assert_eq!(found(sleeping_tests, "crates/a/src/timers.rs", "tokio::time::sleep(d)"), 0);
}

/// OTP: TMR-007.
#[test]
fn no_timer_moves_with_the_wall_clock() {
    hold(reading_the_wall_clock, "the wall clock");
    let source = "// SystemTime\nlet now = std::time::SystemTime::now();\n";
    assert_eq!(found(reading_the_wall_clock, "crates/runtime/src/clock.rs", source), 1);
    assert_eq!(found(reading_the_wall_clock, "examples/bank/src/main.rs", source), 0);
}

#[test]
fn only_the_codec_names_its_library() {
    hold(naming_the_codec_library, "the codec's library");
    let manifest = format!("[dependencies]\n{CODEC_LIBRARY}.workspace = true # why\n");
    let source = format!("use {CODEC_LIBRARY}::config;\n// {CODEC_LIBRARY}\n");
    assert_eq!(found(naming_the_codec_library, "examples/bank/Cargo.toml", &manifest), 1);
    assert_eq!(found(naming_the_codec_library, "examples/bank/src/store.rs", &source), 1);
    assert_eq!(found(naming_the_codec_library, "crates/codec/src/lib.rs", &source), 0);
    let comment = format!("# {CODEC_LIBRARY} comes through the codec\n");
    assert_eq!(found(naming_the_codec_library, "examples/bank/Cargo.toml", &comment), 0);
}

#[test]
fn nothing_names_a_machine() {
    hold(naming_a_machine, "machine paths and registry hosts");
    for folder in MACHINE_FOLDERS {
        assert_eq!(found(naming_a_machine, "README.md", &format!("see {folder}main\n")), 1, "{folder}");
        assert_eq!(
            found(naming_a_machine, "README.md", &format!("see {folder} or {folder}*\n")),
            0,
            "{folder}"
        );
    }
    for host in REGISTRY_HOSTS {
        assert_eq!(found(naming_a_machine, ".ci/run", &format!("fetch {host}\n")), 1, "{host}");
        assert_eq!(found(naming_a_machine, "Cargo.lock", &format!("fetch {host}\n")), 0, "{host}");
    }
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    let root = read("Cargo.toml");
    assert!(
        section(&root, "workspace.lints.rust").contains(&"unsafe_code = \"forbid\""),
        "the workspace's lints"
    );
    hold(own_lints, "lints");
    assert_eq!(found(own_lints, "a/Cargo.toml", "[package]\nname = \"a\"\n"), 1);
    assert_eq!(found(own_lints, "a/Cargo.toml", "[lints.rust]\nunsafe_code = \"allow\"\n"), 1);
    assert_eq!(found(own_lints, "a/Cargo.toml", "[lints]\nworkspace = true\n"), 0);
}
