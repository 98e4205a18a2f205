//! Files of transfers through the binary as it is built: generated, run, refused, audited, shown. What single lines may
//! be is a table in `input/tests.rs`; here it is the whole way, and the exit codes.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::{BANK, said};

const SHAPE: &str = "--accounts 100 --partitions 2 --clients 16";

/// Runs the binary in `dir`; `line` is its arguments, `given` its standard input.
fn bank(dir: &Path, line: &str, given: &[u8]) -> Output {
    let mut child = Command::new(BANK)
        .args(line.split_whitespace())
        .current_dir(dir)
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    let given = given.to_vec();
    // On the side: it may be more than a pipe holds, and the bank may not want it.
    let writing = std::thread::scope(|scope| {
        let writing = scope.spawn(move || stdin.write_all(&given));
        let output = child.wait_with_output().expect("it ends");
        (writing.join().is_ok(), output)
    });
    writing.1
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn assert_exit(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
}

fn json(dir: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join(name)).expect("it was written")).expect("JSON")
}

/// A file with twenty broken lines, and what `generate` says of them.
fn generated(dir: &Path, name: &str) -> String {
    let line = format!("generate {SHAPE} --count 2000 --broken 20 -o {name}");
    let output = bank(dir, &line, b"");
    assert_exit(&output, 0);
    text(&output.stderr)
}

#[test]
fn every_broken_line_is_named_and_nothing_else_is_lost() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for name in ["t.csv", "t.csv.gz"] {
        let broken = generated(dir.path(), name);
        let run = format!("run {SHAPE} --no-faults --transfers {name} --dir {name}.bank --json r.json");
        let output = bank(dir.path(), &run, b"");
        assert_exit(&output, 0);
        let report = json(dir.path(), "r.json");
        assert_eq!((&report["lines_read"], &report["lines_skipped"]), (&2_001.into(), &20.into()));
        assert_eq!((&report["acknowledged"], &report["audit"]["transfers"]), (&1_980.into(), &1_980.into()));
        let skipped = report["skipped"].as_array().expect("a list");
        let named: String = skipped
            .iter()
            .map(|bad| format!("line {}: {}\n", bad["line"], bad["kind"].as_str().unwrap_or_default()))
            .collect();
        assert_eq!(named, broken);
        let said = text(&output.stderr);
        for bad in skipped {
            let sentence =
                format!("bank: {name}, line {}: {}\n", bad["line"], bad["why"].as_str().unwrap_or_default());
            assert!(said.contains(&sentence), "{sentence} is not in\n{said}");
        }

        let output = bank(dir.path(), &format!("audit {name}.bank --json a.json"), b"");
        assert_exit(&output, 0);
        assert!(text(&output.stdout).contains("everything holds"), "{}", text(&output.stdout));
        assert_eq!(json(dir.path(), "a.json")["acknowledged_checked"], 1_980);
    }
}

#[test]
fn strict_applies_nothing_if_a_line_is_bad() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    generated(dir.path(), "t.csv");
    let bytes = std::fs::read(dir.path().join("t.csv")).expect("readable");
    for source in ["t.csv", "-"] {
        let run = format!("run {SHAPE} --no-faults --strict --transfers {source} --dir refused");
        let output = bank(dir.path(), &run, if source == "-" { &bytes } else { b"" });
        assert_exit(&output, 2);
        let said = text(&output.stderr);
        assert_eq!(said.lines().filter(|line| line.contains(", line ")).count(), 20, "{said}");
        assert!(said.contains("20 of its 2001 lines are bad; nothing was applied"), "{said}");
        let left = std::fs::read_dir(dir.path().join("refused")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{source}: there is no bank, and nothing put aside");
    }
    // Where no directory was named, none is left.
    let output = bank(dir.path(), &format!("run {SHAPE} --strict --transfers -"), &bytes);
    assert_exit(&output, 2);
    assert!(!dir.path().join("target/bank/seed-1").exists());
}

#[test]
fn strict_applies_all_if_all_are_good() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let lines = bank(dir.path(), &format!("generate {SHAPE} --count 1000 --shape zipf"), b"");
    assert_exit(&lines, 0);
    let run = format!("run {SHAPE} --no-faults --strict --transfers - --dir b --json r.json");
    let output = bank(dir.path(), &run, &lines.stdout);
    assert_exit(&output, 0);
    assert_eq!(json(dir.path(), "r.json")["acknowledged"], 1_000);
    let names: Vec<_> = std::fs::read_dir(dir.path().join("b")).expect("a bank").collect();
    assert_eq!(names.len(), 2, "the bank and its history, and nothing put aside: {names:?}");

    let output = bank(dir.path(), "show b accounts", b"");
    assert_exit(&output, 0);
    assert_eq!(text(&output.stdout).lines().count(), 101);
    let id = text(&lines.stdout).lines().nth(1).and_then(|line| line.split(',').next().map(str::to_owned));
    let output = bank(dir.path(), &format!("show b transfer {} --json", id.expect("a line")), b"");
    assert_exit(&output, 0);
    assert_eq!(text(&output.stdout).lines().count(), 1);
    assert_exit(&bank(dir.path(), "show b history 100", b""), 2);
    assert_exit(&bank(dir.path(), "show nowhere accounts", b""), 2);
}

#[test]
fn the_same_id_is_answered_in_the_order_of_the_file() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let line = |id: u32, cents: u32| format!("{id:032x},0,2,{cents}\n");
    // Each id as it is, once more, with other cents, and a transfer of nothing: a refusal, not a bad line.
    let lines: String =
        (1..=100).flat_map(|id| [line(id, 5), line(id, 5), line(id, 6), line(1_000 + id, 0)]).collect();
    let run = format!("run {SHAPE} --no-faults --transfers - --dir b --json r.json");
    assert_exit(&bank(dir.path(), &run, lines.as_bytes()), 0);
    let report = json(dir.path(), "r.json");
    let numbers = ["/applied", "/conflicts", "/refused/zero_amount", "/lines_skipped", "/audit/transfers"]
        .map(|pointer| report.pointer(pointer).and_then(Value::as_u64));
    assert_eq!(numbers, [200, 100, 100, 0, 200].map(Some));
}

#[test]
fn under_faults_nothing_of_a_file_is_lost() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    generated(dir.path(), "t.csv");
    let output = bank(dir.path(), &format!("run {SHAPE} --transfers t.csv --dir b --json r.json"), b"");
    assert_exit(&output, 0);
    let report = json(dir.path(), "r.json");
    assert_eq!((&report["acknowledged"], &report["audit"]["ok"]), (&1_980.into(), &true.into()));
    assert!(report["restarts"].as_u64() > Some(0), "{report}");
}

#[test]
fn what_cannot_be_read_ends_with_its_own_code() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    generated(dir.path(), "t.csv.gz");
    let bytes = std::fs::read(dir.path().join("t.csv.gz")).expect("readable");
    std::fs::write(dir.path().join("cut.csv.gz"), &bytes[..bytes.len() / 2]).expect("writable");
    std::fs::write(dir.path().join("other.csv"), "id,to,from,cents\n").expect("writable");
    let rows = [
        ("--transfers missing.csv", 2, "missing.csv cannot be opened"),
        ("--transfers .", 2, ". cannot be opened"),
        // What came before the cut is applied, and the run is not a success.
        ("--transfers cut.csv.gz", 1, "cut.csv.gz cannot be read beyond line"),
        ("--transfers cut.csv.gz --strict", 2, "cut.csv.gz cannot be read beyond line"),
        (
            "--transfers other.csv --strict",
            2,
            "has the columns id,to,from,cents, and must have id,from,to,cents",
        ),
        ("--transfers other.csv", 2, "has the columns id,to,from,cents, and must have id,from,to,cents"),
        ("--strict", 2, "--transfers"),
        ("--transfers t.csv.gz --count 5", 2, "cannot be used with"),
    ];
    for (number, (args, code, says)) in rows.into_iter().enumerate() {
        let output = bank(dir.path(), &format!("run {SHAPE} --no-faults {args} --dir b{number}"), b"");
        assert_exit(&output, code);
        assert!(text(&output.stderr).contains(says), "{args}: {}", text(&output.stderr));
    }
}
